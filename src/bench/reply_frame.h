/*
 * reply_frame.h - where an HTTP/1.1 reply ends: the door for what servers under load send.
 */
#ifndef SCEPD_BENCH_REPLY_FRAME_H
#define SCEPD_BENCH_REPLY_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct reply_frame {
	int status;
	bool chunked;
	bool close;     /* the connection ends with this reply */
	size_t body_at; /* offset of the body */
	size_t length;  /* Content-Length */
};

/*
 * Look at what has arrived.  RC_OK and *whole: `f` is complete.  RC_OK and not: more has to come.
 * RC_PARSE, RC_LIMIT: it will never be a reply with an end that we can see.
 */
enum rc reply_frame_scan(
    struct reply_frame *f, bool *whole, const uint8_t *p, size_t len, struct err *err) MUST_CHECK;
/* Append the body of a whole reply. */
void reply_frame_body(struct buf *out, const struct reply_frame *f, const uint8_t *p, size_t len);

#endif
