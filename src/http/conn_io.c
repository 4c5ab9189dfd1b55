/*
 * conn_io.c - reading and writing a connection, plain or TLS, with edge-triggered readiness.
 */
#include "http/server_int.h"

#include <errno.h>

static enum io
tls_result(struct conn *c, enum tls_io r)
{
	switch (r) {
	case TLS_IO_OK:
		c->writable = true;
		return IO_OK;
	case TLS_IO_WANT_READ:
		c->readable = false;
		return IO_WAIT;
	case TLS_IO_WANT_WRITE:
		c->writable = false;
		return IO_WAIT;
	case TLS_IO_CLOSED:
		return IO_END;
	case TLS_IO_FAILED:
		break;
	}
	return IO_BROKEN;
}

enum io
conn_read(struct conn *c, void *p, size_t len, size_t *n)
{
	ssize_t got;

	*n = 0;
	if (c->tls != NULL)
		return tls_result(c, tls_conn_read(c->tls, p, len, n));
	got = recv(c->fd, p, len, 0);
	if (got == 0)
		return IO_END;
	if (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK)
		return IO_BROKEN;
	/*
	 * A short read has emptied the socket (epoll(7)), which saves the read that would only say
	 * so; but the end of the stream is no byte.
	 */
	if (got < 0 || ((size_t)got < len && !c->eof))
		c->readable = false;
	*n = got > 0 ? (size_t)got : 0;
	return got > 0 ? IO_OK : IO_WAIT;
}

enum io
conn_write(struct conn *c, const void *p, size_t len, bool more, size_t *n)
{
	ssize_t put;

	*n = 0;
	if (c->tls != NULL)
		return tls_result(c, tls_conn_write(c->tls, p, len, n));
	put = send(c->fd, p, len, MSG_NOSIGNAL | (more ? MSG_MORE : 0));
	if (put < 0 && errno != EAGAIN && errno != EWOULDBLOCK)
		return IO_BROKEN;
	c->writable = put >= 0;
	*n = put > 0 ? (size_t)put : 0;
	return put > 0 ? IO_OK : IO_WAIT;
}
