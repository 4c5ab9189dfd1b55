/*
 * buf.c - the growable byte string, and the few byte operations that deal with secrets.
 */
#include "base/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CAP_FIRST 64u /* bytes of the first allocation: most appends are short */

void
wipe(void *p, size_t len)
{
	if (len > 0)
		explicit_bzero(p, len);
}

void
wipe_free(void *p, size_t len)
{
	if (p == NULL)
		return;
	wipe(p, len);
	free(p);
}

bool
bytes_eq_ct(const void *a, size_t alen, const void *b, size_t blen)
{
	const volatile uint8_t *x = a, *y = b;
	volatile uint8_t diff = 0;
	size_t i;

	if (alen != blen)
		return false;
	for (i = 0; i < alen; i++)
		diff |= x[i] ^ y[i];
	return diff == 0;
}

void
buf_init(struct buf *b, size_t max)
{
	*b = (struct buf){ .max = max };
}

void
buf_done(struct buf *b)
{
	free(b->data);
	buf_init(b, b->max);
}

void
buf_wipe(struct buf *b)
{
	/* The whole allocation: buf_reset() and buf_consume() leave bytes past len. */
	wipe_free(b->data, b->cap);
	buf_init(b, b->max);
}

void
buf_reset(struct buf *b)
{
	b->len = 0;
	b->rc = RC_OK;
	if (b->data != NULL)
		b->data[0] = '\0';
}

/* The capacity for `need` bytes: doubled, but not past the maximum and its NUL. */
static size_t
cap_for(const struct buf *b, size_t need)
{
	size_t cap = b->cap < CAP_FIRST ? CAP_FIRST : b->cap;

	while (cap < need)
		cap = cap > SIZE_MAX / 2 ? need : cap * 2;
	if (b->max < SIZE_MAX && cap > b->max + 1)
		cap = b->max + 1;
	return cap;
}

/* Make room for `len` more bytes and the NUL; the old memory is wiped, so no realloc(). */
static bool
reserve(struct buf *b, size_t len)
{
	uint8_t *data;
	size_t cap;

	if (b->rc != RC_OK)
		return false;
	/* No object is larger than PTRDIFF_MAX, whatever the maximum says. */
	if (b->len > b->max || len > b->max - b->len || len >= PTRDIFF_MAX - b->len) {
		b->rc = RC_LIMIT;
		return false;
	}
	if (b->data != NULL && b->len + len < b->cap)
		return true;
	cap = cap_for(b, b->len + len + 1);
	data = malloc(cap);
	if (data == NULL) {
		b->rc = RC_NOMEM;
		return false;
	}
	if (b->len > 0)
		memcpy(data, b->data, b->len);
	data[b->len] = '\0';
	wipe_free(b->data, b->cap);
	b->data = data;
	b->cap = cap;
	return true;
}

uint8_t *
buf_grow(struct buf *b, size_t len)
{
	uint8_t *p;

	if (!reserve(b, len))
		return NULL;
	p = b->data + b->len;
	b->len += len;
	b->data[b->len] = '\0';
	return p;
}

void
buf_add(struct buf *b, const void *p, size_t len)
{
	uint8_t *to;

	if (len == 0)
		return;
	to = buf_grow(b, len);
	if (to != NULL)
		memcpy(to, p, len);
}

void
buf_adds(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void
buf_addc(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}

void
buf_vaddf(struct buf *b, const char *fmt, va_list ap)
{
	va_list again;
	uint8_t *to;
	int n;

	if (b->rc != RC_OK)
		return;
	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	if (n < 0) {
		b->rc = RC_LIMIT; /* longer than INT_MAX is all that this can be */
	} else if (n > 0 && (to = buf_grow(b, (size_t)n)) != NULL) {
		vsnprintf((char *)to, (size_t)n + 1, fmt, again);
	}
	va_end(again);
}

void
buf_addf(struct buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	buf_vaddf(b, fmt, ap);
	va_end(ap);
}

void
buf_consume(struct buf *b, size_t len)
{
	if (b->data == NULL || len == 0)
		return;
	if (len > b->len)
		len = b->len;
	b->len -= len;
	memmove(b->data, b->data + len, b->len);
	b->data[b->len] = '\0';
}

const char *
buf_str(const struct buf *b)
{
	return b->data != NULL ? (const char *)b->data : "";
}

uint8_t *
buf_take(struct buf *b, size_t *len)
{
	uint8_t *data = b->data;

	*len = b->len;
	/* What a failed buf holds is cut somewhere: nobody gets it. */
	if (b->rc != RC_OK || b->len == 0) {
		wipe_free(data, b->cap);
		data = NULL;
		*len = 0;
	}
	buf_init(b, b->max);
	return data;
}

enum rc
buf_ok(const struct buf *b, const char *what, struct err *err)
{
	if (b->rc == RC_OK)
		return RC_OK;
	if (b->rc == RC_LIMIT)
		return fail(err, RC_LIMIT, "%s is longer than %zu bytes", what, b->max);
	return fail(err, b->rc, "out of memory for %s", what);
}
