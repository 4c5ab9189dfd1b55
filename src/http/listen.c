/*
 * listen.c - the sockets that listen.
 */
#include "http/server_int.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

#define ACCEPT_ROUND 64 /* connections taken before others get their turn */
/* Without a free descriptor there is nothing to accept with; try again after this. */
#define PAUSE_MS 100

static void
pause_accepting(struct listener *l)
{
	struct timeval t = { .tv_usec = PAUSE_MS * 1000 };

	event_del(&l->readable);
	event_add(&l->resume, &t);
}

static void
on_resume(evutil_socket_t fd, short what, void *arg)
{
	struct listener *l = arg;

	event_add(&l->readable, NULL);
}

static void
take_connection(struct listener *l, int fd, const struct sockaddr *peer)
{
	struct http_server *s = l->server;
	struct loop *loop = &s->loops[s->next_loop++ % s->n_loops];
	struct address a;
	struct conn *c;

	if (atomic_load(&s->connections) >= s->conf.connections_max &&
	    !(address_of_socket(&a, peer) && conn_make_room(&s->loops[0], &a))) {
		atomic_fetch_add_explicit(&s->crowded, 1, memory_order_relaxed);
		close(fd);
		return;
	}
	c = conn_new(l, loop, fd, peer);
	if (c == NULL)
		return;
	if (loop == &s->loops[0]) /* ours; at once, so that conn_make_room() knows of it */
		loop_adopt(loop, c);
	else
		loop_post(loop, c);
}

static void
on_accept(evutil_socket_t listen_fd, short what, void *arg)
{
	struct listener *l = arg;
	struct sockaddr_storage ss;
	socklen_t len;
	int i, fd;

	for (i = 0; i < ACCEPT_ROUND; i++) {
		len = sizeof ss;
		fd = accept4(l->fd, (struct sockaddr *)&ss, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0) {
			take_connection(l, fd, (struct sockaddr *)&ss);
			continue;
		}
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
			pause_accepting(l);
		if (errno != ECONNABORTED && errno != EPROTO && errno != EINTR)
			return;
	}
}

enum rc
listener_add(struct listener *l, struct err *err)
{
	struct event_base *base = l->server->loops[0].base;

	if (event_assign(&l->readable, base, l->fd, EV_READ | EV_PERSIST, on_accept, l) != 0 ||
	    event_assign(&l->resume, base, -1, 0, on_resume, l) != 0 ||
	    event_add(&l->readable, NULL) != 0)
		return fail(err, RC_NOMEM, "no memory for a listener");
	l->added = true;
	return RC_OK;
}

void
listener_remove(struct listener *l)
{
	if (!l->added)
		return;
	l->added = false;
	event_del(&l->readable);
	event_del(&l->resume);
	close(l->fd);
	l->fd = -1;
}

void
listener_free(struct listener *l)
{
	if (l->fd >= 0)
		close(l->fd);
	tls_ctx_free(l->tls);
	pthread_mutex_destroy(&l->lock);
	free(l);
}

/* "host:port", "[v6]:port", "*:port" into two strings in `host`. */
static enum rc
split_address(char *host, size_t len, const char **port, const char *address, struct err *err)
{
	char *colon;
	size_t n = strlen(address);

	if (n >= len)
		return fail(err, RC_CONFIG, "address %.60s... is too long", address);
	memcpy(host, address, n + 1);
	colon = strrchr(host, ':');
	if (colon == NULL || colon == host || colon[1] == '\0' ||
	    (host[0] != '[' && strchr(host, ':') != colon) ||
	    (host[0] == '[' && colon[-1] != ']')) {
		fail(err, RC_CONFIG, "address \"%s\" is not HOST:PORT", address);
		return err_hint(err, "for example 127.0.0.1:8080, [::]:443 or *:80");
	}
	*colon = '\0';
	*port = colon + 1;
	if (host[0] == '[') {
		colon[-1] = '\0';
		memmove(host, host + 1, strlen(host));
	}
	return RC_OK;
}

/* *why gets errno. */
static int
open_socket(const struct addrinfo *a, bool any, int *why)
{
	int on = 1, off = 0,
	    fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	*why = errno;
	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (any && a->ai_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
	if (bind(fd, a->ai_addr, a->ai_addrlen) == 0 && listen(fd, SOMAXCONN) == 0)
		return fd;
	*why = errno;
	close(fd);
	return -1;
}

static enum rc
fail_bind(struct err *err, const char *address, int why)
{
	errno = why;
	fail_errno(
	    err, "address %s: %s", address, why == EADDRINUSE ? "port busy" : "cannot listen");
	if (why == EADDRINUSE)
		return err_hint(
		    err, "another program listens there: stop it or choose another port");
	if (why == EACCES)
		return err_hint(err,
		    "ports below 1024 take root or CAP_NET_BIND_SERVICE: start it with one of "
		    "them or choose another port");
	return RC_IO;
}

static enum rc
bind_host(
    int *fd, const char *host, const char *port, int family, const char *address, struct err *err)
{
	struct addrinfo hints = { .ai_family = family,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_PASSIVE | AI_NUMERICSERV };
	struct addrinfo *a;
	int why, e = getaddrinfo(host, port, &hints, &a);

	if (e != 0)
		return fail(err, RC_CONFIG, "address %s: %s", address, gai_strerror(e));
	*fd = open_socket(a, host == NULL, &why);
	freeaddrinfo(a);
	return *fd >= 0 ? RC_OK : fail_bind(err, address, why);
}

/* "*" is both families through one socket, or IPv4 alone on a machine without IPv6. */
static enum rc
bind_any(int *fd, const char *port, const char *address, struct err *err)
{
	if (bind_host(fd, NULL, port, AF_INET6, address, NULL) == RC_OK)
		return RC_OK;
	return bind_host(fd, NULL, port, AF_INET, address, err);
}

static enum rc
bind_address(int *fd, const char *address, struct err *err)
{
	const char *port = NULL;
	char host[256];
	uint64_t n;
	enum rc rc = split_address(host, sizeof host, &port, address, err);

	if (rc != RC_OK)
		return rc;
	if (parse_u64(&n, port, 0, 65535, "port", NULL) != RC_OK)
		return fail(
		    err, RC_CONFIG, "address %s: the port is not a number up to 65535", address);
	if (strcmp(host, "*") == 0)
		return bind_any(fd, port, address, err);
	return bind_host(fd, host, port, AF_UNSPEC, address, err);
}

static uint16_t
bound_port(int fd)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof ss;

	if (getsockname(fd, (struct sockaddr *)&ss, &len) != 0)
		return 0;
	if (ss.ss_family == AF_INET6)
		return ntohs(((struct sockaddr_in6 *)&ss)->sin6_port);
	return ntohs(((struct sockaddr_in *)&ss)->sin_port);
}

enum rc
http_bind(int *fd, const char *address, uint16_t *port, struct err *err)
{
	enum rc rc = bind_address(fd, address, err);

	if (rc == RC_OK && port != NULL)
		*port = bound_port(*fd);
	return rc;
}

enum rc
http_listen_fd(struct http_server *s, int fd, struct tls_ctx *tls, void *listener, struct err *err)
{
	struct listener *l = s->started ? NULL : calloc(1, sizeof *l);

	if (l == NULL) {
		close(fd);
		return s->started ? fail(err, RC_BUG, "a listener after http_server_start()")
				  : fail(err, RC_NOMEM, "no memory for a listener");
	}
	l->server = s;
	l->fd = fd;
	l->tag = listener;
	l->secure = tls != NULL;
	l->tls = tls != NULL ? tls_ctx_ref(tls) : NULL;
	pthread_mutex_init(&l->lock, NULL);
	SLIST_INSERT_HEAD(&s->listeners, l, next);
	return RC_OK;
}

enum rc
http_listen(struct http_server *s, const char *address, struct tls_ctx *tls, void *listener,
    uint16_t *port, struct err *err)
{
	int fd = -1;
	enum rc rc = http_bind(&fd, address, port, err);

	return rc == RC_OK ? http_listen_fd(s, fd, tls, listener, err) : rc;
}

void
http_listen_tls_set(struct http_server *s, void *listener, struct tls_ctx *tls)
{
	struct listener *l;
	struct tls_ctx *old;

	SLIST_FOREACH(l, &s->listeners, next)
	{
		if (l->tag != listener || !l->secure)
			continue;
		pthread_mutex_lock(&l->lock);
		old = l->tls;
		l->tls = tls_ctx_ref(tls);
		pthread_mutex_unlock(&l->lock);
		tls_ctx_free(old);
	}
}
