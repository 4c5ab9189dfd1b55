/*
 * conn_life.c - how a connection begins and ends.
 */
#include "http/server_int.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Old connections that are compared when one has to go: enough to find the address that has most, and
 * a bounded time of the I/O thread. */
#define CROWD_LOOK 1024

static bool
start_tls(struct conn *c, struct listener *l)
{
	enum rc rc;

	if (!l->secure)
		return true;
	pthread_mutex_lock(&l->lock);
	rc = tls_conn_accept(&c->tls, l->tls, c->fd, NULL);
	pthread_mutex_unlock(&l->lock);
	return rc == RC_OK;
}

static bool
know_peer(struct conn *c, const struct sockaddr *sa)
{
	struct http_server *s = c->loop->server;

	if (!address_of_socket(&c->address, sa))
		return false;
	address_text(c->peer, &c->address);
	c->proxy = address_in(&c->address, s->conf.trusted, s->conf.n_trusted);
	c->who = peer_connect(s->peers, &c->address, c->proxy);
	if (c->who == NULL)
		atomic_fetch_add_explicit(&s->crowded, 1, memory_order_relaxed);
	return c->who != NULL;
}

/* May be closed without a word: no request of it is being worked on. */
static bool
is_spare(struct conn *c)
{
	return (atomic_load(&c->owner) & CONN_OWNED) == 0 && c->phase != CONN_HANDLE &&
	    c->phase != CONN_WRITE && c->phase != CONN_TROUBLE;
}

bool
conn_make_room(struct loop *l, const struct address *a)
{
	unsigned most = 0, has, mine = peers_connections(l->server->peers, a) + 1, looked = 0;
	struct conn *c, *victim = NULL;

	TAILQ_FOREACH(c, &l->conns, all)
	{
		if (looked++ == CROWD_LOOK)
			break;
		has = peer_connections(c->who);
		if (has > most && is_spare(c)) {
			most = has;
			victim = c;
		}
	}
	if (victim == NULL || most < mine || (most == mine && victim->phase != CONN_IDLE))
		return false;
	atomic_fetch_add_explicit(&l->server->crowded, 1, memory_order_relaxed);
	conn_free(victim);
	return true;
}

struct conn *
conn_new(struct listener *l, struct loop *loop, int fd, const struct sockaddr *peer)
{
	struct conn *c = calloc(1, sizeof *c);
	int on = 1;

	if (c == NULL) {
		close(fd);
		return NULL;
	}
	c->fd = fd;
	c->loop = loop;
	c->listener = l;
	if (!know_peer(c, peer)) {
		close(fd);
		free(c);
		return NULL;
	}
	atomic_fetch_add(&loop->server->connections, 1);
	atomic_fetch_add_explicit(&loop->server->accepted, 1, memory_order_relaxed);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	if (!start_tls(c, l)) {
		conn_free(c);
		return NULL;
	}
	if (c->tls != NULL)
		conn_phase(c, CONN_TLS, loop->server->conf.tls_ms);
	else
		conn_phase(c, CONN_IDLE, loop->server->conf.idle_ms);
	return c;
}

void
conn_free(struct conn *c)
{
	struct http_server *s = c->loop->server;

	if (c->registered) {
		event_del(&c->event);
		TAILQ_REMOVE(&c->loop->conns, c, all);
		if (--c->loop->n_conns == 0)
			event_del(&c->loop->tick);
	}
	exchange_free(c);
	if (c->tls != NULL) {
		if (!c->reset)
			(void)tls_conn_shutdown(c->tls);
		tls_conn_free(c->tls);
	}
	close(c->fd);
	peer_disconnect(s->peers, c->who);
	free(c);
	pthread_mutex_lock(&s->lock);
	if (atomic_fetch_sub(&s->connections, 1) == 1)
		pthread_cond_signal(&s->empty);
	pthread_mutex_unlock(&s->lock);
}
