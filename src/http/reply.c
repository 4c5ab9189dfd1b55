/*
 * reply.c - replies: what handlers say, and how it looks on the wire.
 */
#include "http/reply.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"

#define EXTRA_HEADERS_MAX 16384u
#define OVER_RETRY_S      30 /* half of what the address is over by is forgiven by then */
#define LINE_MAX_BYTES    (EXTRA_HEADERS_MAX + 1024u + HTTP_REPLY_COPY_MAX)

void
http_reply_init(struct http_reply *r)
{
	*r = (struct http_reply){ .status = 200 };
	buf_init(&r->body, HTTP_REPLY_MAX);
	buf_init(&r->headers, EXTRA_HEADERS_MAX);
}

void
http_reply_done(struct http_reply *r)
{
	buf_done(&r->body);
	buf_done(&r->headers);
	http_shared_free(r->shared);
	r->shared = NULL;
}

/* ---- bytes that replies share ---- */

struct http_shared {
	atomic_uint refs;
	struct buf bytes;
};

struct http_shared *
http_shared_new(struct buf *b)
{
	struct http_shared *s = malloc(sizeof *s);
	uint8_t *less;

	if (s == NULL)
		return NULL;
	/* It stays for long, and is wiped to its very end when it goes: what it does not need it gives back. */
	if (b->data != NULL && (less = realloc(b->data, b->len + 1)) != NULL) {
		b->data = less;
		b->cap = b->len + 1;
	}
	atomic_init(&s->refs, 1);
	s->bytes = *b;
	buf_init(b, 0);
	return s;
}

struct http_shared *
http_shared_ref(struct http_shared *s)
{
	atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
	return s;
}

void
http_shared_free(struct http_shared *s)
{
	if (s == NULL || atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) > 1)
		return;
	buf_done(&s->bytes);
	free(s);
}

const uint8_t *
http_shared_bytes(const struct http_shared *s, size_t *len)
{
	*len = s->bytes.len;
	return s->bytes.data;
}

void
http_reply_share(struct http_reply *r, struct http_shared *s)
{
	http_shared_free(r->shared);
	r->shared = http_shared_ref(s);
}

/* Nothing that would end the line. */
static bool
is_one_line(const char *s)
{
	return s[strcspn(s, "\r\n")] == '\0';
}

void
http_reply_header(struct http_reply *r, const char *name, const char *value)
{
	if (!is_one_line(name) || !is_one_line(value) || name[0] == '\0')
		return;
	buf_adds(&r->headers, name);
	buf_adds(&r->headers, ": ");
	buf_adds(&r->headers, value);
	buf_adds(&r->headers, "\r\n");
}

void
http_reply_text(struct http_reply *r, int status, const char *fmt, ...)
{
	va_list ap;
	size_t i;

	r->status = status;
	r->content_type = "text/plain";
	buf_reset(&r->body);
	va_start(ap, fmt);
	buf_vaddf(&r->body, fmt, ap);
	va_end(ap);
	for (i = 0; i < r->body.len; i++)
		if (r->body.data[i] < 0x20 || r->body.data[i] == 0x7f)
			r->body.data[i] = ' ';
	buf_addc(&r->body, '\n');
}

void
http_reply_over(struct http_reply *r)
{
	http_reply_text(r, 429, "too many refused requests of this address; try again later");
	r->retry_after = OVER_RETRY_S;
}

/* "OK", "Not Found" ...; "Status" for what is not in the table. */
static const char *
http_reason(int status)
{
	static const struct {
		int status;
		const char *text;
	} table[] = {
		{ 200, "OK" },
		{ 201, "Created" },
		{ 202, "Accepted" },
		{ 204, "No Content" },
		{ 301, "Moved Permanently" },
		{ 302, "Found" },
		{ 303, "See Other" },
		{ 304, "Not Modified" },
		{ 307, "Temporary Redirect" },
		{ 308, "Permanent Redirect" },
		{ 400, "Bad Request" },
		{ 401, "Unauthorized" },
		{ 403, "Forbidden" },
		{ 404, "Not Found" },
		{ 405, "Method Not Allowed" },
		{ 406, "Not Acceptable" },
		{ 408, "Request Timeout" },
		{ 409, "Conflict" },
		{ 411, "Length Required" },
		{ 412, "Precondition Failed" },
		{ 413, "Content Too Large" },
		{ 414, "URI Too Long" },
		{ 415, "Unsupported Media Type" },
		{ 417, "Expectation Failed" },
		{ 422, "Unprocessable Content" },
		{ 429, "Too Many Requests" },
		{ 431, "Request Header Fields Too Large" },
		{ 500, "Internal Server Error" },
		{ 501, "Not Implemented" },
		{ 502, "Bad Gateway" },
		{ 503, "Service Unavailable" },
		{ 504, "Gateway Timeout" },
		{ 505, "HTTP Version Not Supported" },
	};
	size_t i;

	for (i = 0; i < sizeof table / sizeof table[0]; i++)
		if (table[i].status == status)
			return table[i].text;
	return "Status";
}

static void
put2(char *out, int n)
{
	out[0] = (char)('0' + n / 10 % 10);
	out[1] = (char)('0' + n % 10);
}

/*
 * By hand: this runs once a reply, and strftime() would take the locale's names.
 */
bool
http_date(char out[static HTTP_DATE_SIZE], int64_t t)
{
	static const char days[] = "SunMonTueWedThuFriSat",
			  months[] = "JanFebMarAprMayJunJulAugSepOctNovDec",
			  form[HTTP_DATE_SIZE] = "Sun, 00 Jan 0000 00:00:00 GMT";
	time_t secs = (time_t)t;
	struct tm tm;

	out[0] = '\0';
	if (gmtime_r(&secs, &tm) == NULL || tm.tm_year + 1900 > 9999 || tm.tm_year + 1900 < 0)
		return false;
	memcpy(out, form, sizeof(form));
	memcpy(out, days + 3 * tm.tm_wday, 3);
	put2(out + 5, tm.tm_mday);
	memcpy(out + 8, months + 3 * tm.tm_mon, 3);
	put2(out + 12, (tm.tm_year + 1900) / 100);
	put2(out + 14, tm.tm_year + 1900);
	put2(out + 17, tm.tm_hour);
	put2(out + 20, tm.tm_min);
	put2(out + 23, tm.tm_sec);
	return true;
}

static void
add_date(struct buf *b, int64_t now)
{
	char date[HTTP_DATE_SIZE];

	if (!http_date(date, now))
		return;
	buf_adds(b, "Date: ");
	buf_adds(b, date);
	buf_adds(b, "\r\n");
}

static void
add_number(struct buf *b, size_t n)
{
	char digits[24];
	size_t i = sizeof digits;

	do
		digits[--i] = (char)('0' + n % 10);
	while ((n /= 10) > 0);
	buf_add(b, digits + i, sizeof digits - i);
}

static void
add_status_line(struct buf *b, int status)
{
	buf_adds(b, "HTTP/1.1 ");
	add_number(b, (size_t)status);
	buf_addc(b, ' ');
	buf_adds(b, http_reason(status));
	buf_adds(b, "\r\n");
}

static bool
is_chunked(const struct http_reply *r, const struct http_reply_ctx *ctx)
{
	return r->trouble.chunk > 0 && ctx->minor > 0 && r->shared == NULL;
}

/* RFC 9112 7.1. */
static void
put_into_chunks(struct http_reply *r)
{
	struct buf whole = r->body;
	size_t n, from;

	buf_init(&r->body, HTTP_REPLY_MAX);
	for (from = 0; from < whole.len; from += n) {
		n = whole.len - from < r->trouble.chunk ? whole.len - from : r->trouble.chunk;
		buf_addf(&r->body, "%zx\r\n", n);
		buf_add(&r->body, whole.data + from, n);
		buf_adds(&r->body, "\r\n");
	}
	buf_adds(&r->body, "0\r\n\r\n");
	buf_done(&whole);
}

static size_t
body_len(const struct http_reply *r)
{
	size_t len = r->body.len;

	if (r->shared != NULL)
		(void)http_shared_bytes(r->shared, &len);
	return len;
}

static void
add_head(struct buf *b, const struct http_reply *r, const struct http_reply_ctx *ctx, bool bodyless)
{
	add_status_line(b, r->status);
	add_date(b, clock_now() + r->trouble.date_offset);
	if (r->content_type != NULL && is_one_line(r->content_type) && !bodyless) {
		buf_adds(b, "Content-Type: ");
		buf_adds(b, r->content_type);
		buf_adds(b, "\r\n");
	}
	if (!bodyless && is_chunked(r, ctx)) {
		buf_adds(b, "Transfer-Encoding: chunked\r\n");
	} else if (!bodyless) {
		buf_adds(b, "Content-Length: ");
		add_number(b, body_len(r));
		buf_adds(b, "\r\n");
	}
	if (r->retry_after > 0) {
		buf_adds(b, "Retry-After: ");
		add_number(b, r->retry_after);
		buf_adds(b, "\r\n");
	}
	if (!ctx->keep_alive)
		buf_adds(b, "Connection: close\r\n");
	else if (ctx->minor == 0)
		buf_adds(b, "Connection: keep-alive\r\n");
	buf_add(b, r->headers.data, r->headers.len);
	buf_adds(b, "\r\n");
}

static void
unshare(struct http_reply *r)
{
	http_shared_free(r->shared);
	r->shared = NULL;
}

enum rc
http_reply_write(struct http_reply *r, const struct http_reply_ctx *ctx, struct buf *head,
    struct buf *rest, struct err *err)
{
	bool bodyless; /* RFC 9110 8.6: these have no Content-Length either */

	if (buf_ok(&r->body, "reply", NULL) != RC_OK ||
	    buf_ok(&r->headers, "reply header", NULL) != RC_OK || r->status < 200 ||
	    r->status > 599) {
		buf_reset(&r->headers);
		unshare(r);
		http_reply_text(r, 500, "internal error");
	}
	bodyless = r->status == 204 || r->status == 304;
	if (bodyless)
		unshare(r);
	if (!bodyless && is_chunked(r, ctx))
		put_into_chunks(r);
	buf_init(head, LINE_MAX_BYTES);
	buf_init(rest, HTTP_REPLY_MAX);
	/* One allocation for the usual reply. */
	if (buf_grow(head,
		512 + r->headers.len + (r->body.len <= HTTP_REPLY_COPY_MAX ? r->body.len : 0)) !=
	    NULL)
		buf_reset(head);
	add_head(head, r, ctx, bodyless);
	if (!bodyless && !ctx->head && r->shared == NULL && r->body.len <= HTTP_REPLY_COPY_MAX) {
		buf_add(head, r->body.data, r->body.len);
	} else if (!bodyless && !ctx->head && r->shared == NULL) {
		*rest = r->body;
		buf_init(&r->body, HTTP_REPLY_MAX);
	}
	return buf_ok(head, "reply", err);
}
