/*
 * reply.h - from a struct http_reply to the bytes on the wire.
 */
#ifndef SCEPD_HTTP_REPLY_H
#define SCEPD_HTTP_REPLY_H

#include "http/server.h"

/* A body up to this goes out in one write with its header: one TLS record. */
#define HTTP_REPLY_COPY_MAX 16384u

struct http_reply_ctx {
	int minor;       /* of the request; 1 when unknown */
	bool head;       /* HEAD: the header only */
	bool keep_alive; /* what the connection will do after this reply */
};

void http_reply_init(struct http_reply *r);
void http_reply_done(struct http_reply *r);
/*
 * The header, and the body when it is small, into `head`; *rest gets a large body (taken over).
 * `head` is initialised here.
 */
enum rc http_reply_write(struct http_reply *r, const struct http_reply_ctx *ctx, struct buf *head,
    struct buf *rest, struct err *err) MUST_CHECK;

#endif
