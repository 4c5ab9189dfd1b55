/* reply_frame.c - see reply_frame.h. */
#include "bench/reply_frame.h"

#include <string.h>
#include <strings.h>

#include "base/limits.h"
#include "base/text.h"

#define HEADER_MAX (16u * KIB)
#define LENGTH_MAX LIMIT_SCEP_MESSAGE
#define DIGITS_MAX 7  /* hexadecimal, of one chunk: 256 MiB, checked again as a sum */
#define STATUS_LEN 13 /* "HTTP/1.1 200 " */

/* ---- header */

static enum rc
take_status(struct reply_frame *f, const char *line, size_t len, struct err *err)
{
	uint64_t status;
	char digits[4];

	if (len < STATUS_LEN - 1 || memcmp(line, "HTTP/1.", 7) != 0 || line[8] != ' ')
		return fail(err, RC_PARSE, "the reply does not start with HTTP/1");
	memcpy(digits, line + 9, 3);
	digits[3] = '\0';
	if (parse_u64(&status, digits, 200, 599, "HTTP status", err) != RC_OK)
		return RC_PARSE;
	f->status = (int)status;
	f->close = line[7] == '0';
	return RC_OK;
}

/* The value of the header `name` if the line is one; NUL-terminated in out, cut. */
static bool
value_of(char *out, size_t room, const char *line, size_t len, const char *name)
{
	size_t n = strlen(name);

	if (len <= n || line[n] != ':' || strncasecmp(line, name, n) != 0)
		return false;
	for (n++; n < len && (line[n] == ' ' || line[n] == '\t'); n++)
		;
	len -= n;
	if (len >= room)
		len = room - 1;
	memcpy(out, line + n, len);
	out[len] = '\0';
	return true;
}

static enum rc
take_line(struct reply_frame *f, bool *sized, const char *line, size_t len, struct err *err)
{
	char v[32];
	uint64_t n;

	if (value_of(v, sizeof(v), line, len, "Content-Length")) {
		if (*sized || parse_u64(&n, v, 0, LENGTH_MAX, "Content-Length", err) != RC_OK)
			return fail(err, RC_PARSE, "Content-Length \"%s\"", v);
		f->length = (size_t)n;
		*sized = true;
	} else if (value_of(v, sizeof(v), line, len, "Transfer-Encoding")) {
		if (f->chunked || strcasecmp(v, "chunked") != 0)
			return fail(err, RC_PARSE, "Transfer-Encoding \"%s\"", v);
		f->chunked = true;
	} else if (value_of(v, sizeof(v), line, len, "Connection") && strcasecmp(v, "close") == 0) {
		f->close = true;
	}
	return RC_OK;
}

static enum rc
take_header(struct reply_frame *f, const char *p, size_t len, struct err *err)
{
	bool first = true, sized = false;
	enum rc rc;

	memset(f, 0, sizeof(*f));
	for (size_t at = 0; at < len;) {
		const char *end = memmem(p + at, len - at, "\r\n", 2);
		size_t n = (size_t)(end - (p + at)); /* the header ends with CR LF */

		rc = first ? take_status(f, p + at, n, err) : take_line(f, &sized, p + at, n, err);
		if (rc != RC_OK)
			return rc;
		first = false;
		at += n + 2;
	}
	if (sized == f->chunked)
		return fail(err, RC_PARSE, "the reply does not say how long it is");
	return RC_OK;
}

/* ---- chunks (RFC 9112 7.1) */

/* The size line at *at: moves behind it.  false: more has to come, or *bad. */
static bool
chunk_size(size_t *size, size_t *at, bool *bad, const uint8_t *p, size_t len)
{
	const uint8_t *end = memmem(p + *at, len - *at, "\r\n", 2);
	size_t n = 0, v = 0;

	for (; *at + n < len && n <= DIGITS_MAX; n++) {
		int c = p[*at + n] | 0x20; /* lower case */

		if (c >= '0' && c <= '9')
			v = v * 16 + (size_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			v = v * 16 + (size_t)(c - 'a' + 10);
		else
			break;
	}
	if (n > DIGITS_MAX || (end != NULL && n == 0) || len - *at > HEADER_MAX + LENGTH_MAX)
		*bad = true;
	if (*bad || end == NULL)
		return false;
	*size = v;
	*at = (size_t)(end - p) + 2;
	return true;
}

/* Walks the chunks; appends them to `out` unless NULL.  true: the last one is here. */
static bool
walk_chunks(struct buf *out, bool *bad, const uint8_t *p, size_t len, size_t at)
{
	size_t size = 1, sum = 0;

	while (chunk_size(&size, &at, bad, p, len)) {
		if (size == 0) /* no trailers are expected: the empty line ends it */
			return len - at >= 2;
		sum += size;
		if (sum > LENGTH_MAX) {
			*bad = true;
			return false;
		}
		if (len - at < size + 2)
			return false;
		if (out != NULL)
			buf_add(out, p + at, size);
		at += size + 2;
	}
	return false;
}

enum rc
reply_frame_scan(struct reply_frame *f, bool *whole, const uint8_t *p, size_t len, struct err *err)
{
	const uint8_t *end = len > 0 ? memmem(p, len, "\r\n\r\n", 4) : NULL;
	bool bad = false;
	enum rc rc;

	*whole = false;
	if (end == NULL)
		return len > HEADER_MAX ? fail(err, RC_LIMIT, "the reply's header does not end")
					: RC_OK;
	if ((rc = take_header(f, (const char *)p, (size_t)(end - p) + 2, err)) != RC_OK)
		return rc;
	f->body_at = (size_t)(end - p) + 4;
	if (f->chunked)
		*whole = walk_chunks(NULL, &bad, p, len, f->body_at);
	else
		*whole = len - f->body_at >= f->length;
	return bad ? fail(err, RC_PARSE, "the reply's chunks are malformed") : RC_OK;
}

void
reply_frame_body(struct buf *out, const struct reply_frame *f, const uint8_t *p, size_t len)
{
	bool bad = false;

	if (f->chunked)
		(void)walk_chunks(out, &bad, p, len, f->body_at);
	else
		buf_add(out, p + f->body_at, f->length);
}
