/*
 * buf.h - a growable byte string with a stated maximum.
 *
 * Allocation failure and passing the maximum are sticky: a run of appends is
 * checked once at the end with buf_ok().  The bytes are always followed by a
 * NUL that is not counted, so that text can be lent as a C string.
 *
 * Threads: none; one owner.
 */
#ifndef SCEPD_BASE_BUF_H
#define SCEPD_BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct buf {
	uint8_t *data; /* NULL while empty */
	size_t len;    /* bytes in use */
	size_t cap;    /* bytes allocated */
	size_t max;    /* `len` never passes this */
	enum rc rc;    /* RC_OK, RC_NOMEM or RC_LIMIT; sticky */
};

/* A zeroed buf is empty with maximum 0; always start with buf_init(). */
void buf_init(struct buf *b, size_t max);
/* Free the bytes.  The buf may be used again; its maximum stays. */
void buf_done(struct buf *b);
/* As buf_done(), overwriting the bytes first.  Growth of any buf wipes what it leaves behind. */
void buf_wipe(struct buf *b);
/* Forget the content, keep the memory. */
void buf_reset(struct buf *b);

/* The bytes must not lie in the buf itself: growth moves them. */
void buf_add(struct buf *b, const void *p, size_t len);
void buf_adds(struct buf *b, const char *s);
void buf_addc(struct buf *b, char c);
void buf_addf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
void buf_vaddf(struct buf *b, const char *fmt, va_list ap);
/* Reserve `len` bytes at the end and lend them for writing (they count at once), or NULL. */
uint8_t *buf_grow(struct buf *b, size_t len);
/* Drop `len` bytes from the front. */
void buf_consume(struct buf *b, size_t len);

/* Borrow as a NUL-terminated string; "" when empty. */
const char *buf_str(const struct buf *b);
/* Hand the bytes over (free() them); the buf is empty afterwards.  NULL when nothing was added. */
uint8_t *buf_take(struct buf *b, size_t *len);
/* RC_OK, or the sticky failure as an error that names `what`. */
enum rc buf_ok(const struct buf *b, const char *what, struct err *err) MUST_CHECK;

/* Free memory after overwriting it.  NULL is allowed. */
void wipe_free(void *p, size_t len);
/* Overwrite memory in a way that the compiler keeps. */
void wipe(void *p, size_t len);
/* Same length and same bytes; the time taken depends on the lengths only. */
bool bytes_eq_ct(const void *a, size_t alen, const void *b, size_t blen);

#endif
