/*
 * conn_life.c - how a connection begins and ends.
 */
#include "http/server_int.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void
format_peer(char *out, const struct sockaddr *sa)
{
	const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)(const void *)sa;
	const struct sockaddr_in *four = (const struct sockaddr_in *)(const void *)sa;
	const char *ok = NULL;

	if (sa->sa_family == AF_INET)
		ok = inet_ntop(AF_INET, &four->sin_addr, out, HTTP_PEER_MAX);
	else if (sa->sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&six->sin6_addr))
		ok = inet_ntop(AF_INET, six->sin6_addr.s6_addr + 12, out, HTTP_PEER_MAX);
	else if (sa->sa_family == AF_INET6)
		ok = inet_ntop(AF_INET6, &six->sin6_addr, out, HTTP_PEER_MAX);
	if (ok == NULL)
		strcpy(out, "?");
}

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

struct conn *
conn_new(struct listener *l, struct loop *loop, int fd, const struct sockaddr *peer)
{
	struct conn *c = calloc(1, sizeof *c);
	int on = 1;

	if (c == NULL) {
		close(fd);
		return NULL;
	}
	atomic_fetch_add(&loop->server->connections, 1);
	atomic_fetch_add_explicit(&loop->server->accepted, 1, memory_order_relaxed);
	c->fd = fd;
	c->loop = loop;
	c->listener = l;
	format_peer(c->peer, peer);
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
	free(c);
	pthread_mutex_lock(&s->lock);
	if (atomic_fetch_sub(&s->connections, 1) == 1)
		pthread_cond_signal(&s->empty);
	pthread_mutex_unlock(&s->lock);
}
