/*
 * scan.c - one step function for each state; each takes the run of bytes that belongs to its state.
 */
#include "http/scan.h"

#include <string.h>

#define FRAME_DIGITS_MAX 8u /* a chunk of 4 GiB is past every limit */
/* Nobody sends chunk extensions; they must not become a way to feed us for nothing. */
#define FRAME_EXT_MAX 4096u

struct cursor {
	const uint8_t *in;
	size_t len;
	const struct http_limits *limits;
};

/* RFC 9110 5.6.2 tchar. */
static bool
http_is_token(uint8_t c)
{
	static const bool token[256] = {
		['!'] = true,
		['#' ... '\''] = true,
		['*'] = true,
		['+'] = true,
		['-'] = true,
		['.'] = true,
		['0' ... '9'] = true,
		['A' ... 'Z'] = true,
		['^' ... 'z'] = true,
		['|'] = true,
		['~'] = true,
	};

	return token[c];
}

/* field-vchar, obs-text, SP and HTAB (RFC 9110 5.5). */
static bool
is_value(uint8_t c)
{
	return (c >= 0x20 && c != 0x7f) || c == '\t';
}

static void
refuse(struct http_scan *s, int status, const char *why)
{
	s->state = SCAN_REFUSED;
	s->status = status;
	s->why = why;
}

static void
go(struct http_scan *s, enum http_scan_state state)
{
	s->pos++;
	s->state = state;
}

static void
step_before(struct http_scan *s, const struct cursor *c)
{
	if (c->in[s->pos] == '\r' && s->pos == 0) {
		go(s, SCAN_BEFORE_LF);
		return;
	}
	s->method = s->pos;
	s->state = SCAN_METHOD;
}

static void
expect_lf(struct http_scan *s, const struct cursor *c, enum http_scan_state next)
{
	if (c->in[s->pos] == '\n')
		go(s, next);
	else
		refuse(s, 400, "CR without LF");
}

static void
step_before_lf(struct http_scan *s, const struct cursor *c)
{
	expect_lf(s, c, SCAN_BEFORE);
}

static void
step_method(struct http_scan *s, const struct cursor *c)
{
	while (s->pos < c->len && http_is_token(c->in[s->pos])) {
		if (s->pos - s->method == HTTP_METHOD_MAX) {
			refuse(s, 400, "method too long");
			return;
		}
		s->pos++;
	}
	if (s->pos == c->len)
		return;
	if (c->in[s->pos] != ' ' || s->pos == s->method) {
		refuse(s, 400, "malformed request line");
		return;
	}
	go(s, SCAN_TARGET);
	s->target = s->pos;
}

static void
step_target(struct http_scan *s, const struct cursor *c)
{
	while (s->pos < c->len && c->in[s->pos] > ' ' && c->in[s->pos] != 0x7f) {
		if (s->pos - s->target == c->limits->url) {
			refuse(s, 414, "URL too long");
			return;
		}
		s->pos++;
	}
	if (s->pos == c->len)
		return;
	if (c->in[s->pos] != ' ' || s->pos == s->target) {
		refuse(s, 400, "malformed request line");
		return;
	}
	go(s, SCAN_VERSION);
	s->version = s->pos;
}

static void
check_version(struct http_scan *s, const char *v, size_t len)
{
	if (len < 6 || memcmp(v, "HTTP/", 5) != 0)
		refuse(s, 400, "malformed request line");
	else if (len != 8 || (memcmp(v, "HTTP/1.1", 8) != 0 && memcmp(v, "HTTP/1.0", 8) != 0))
		refuse(s, 505, "HTTP version not supported");
	else
		go(s, SCAN_VERSION_LF);
}

static void
step_version(struct http_scan *s, const struct cursor *c)
{
	while (s->pos < c->len && c->in[s->pos] > ' ' && c->in[s->pos] < 0x7f) {
		if (s->pos - s->version == 8) {
			refuse(s, 400, "malformed request line");
			return;
		}
		s->pos++;
	}
	if (s->pos == c->len)
		return;
	if (c->in[s->pos] == '\r')
		check_version(s, (const char *)c->in + s->version, s->pos - s->version);
	else
		refuse(s, 400, "malformed request line");
}

static void
step_version_lf(struct http_scan *s, const struct cursor *c)
{
	expect_lf(s, c, SCAN_LINE);
	s->lines = s->pos;
}

static void
step_line(struct http_scan *s, const struct cursor *c)
{
	uint8_t ch = c->in[s->pos];

	if (ch == '\r')
		go(s, SCAN_END_LF);
	else if (ch == ' ' || ch == '\t')
		refuse(s, 400, "folded header line");
	else if (!http_is_token(ch))
		refuse(s, 400, "malformed header name");
	else if (++s->n_headers > HTTP_HEADERS_MAX)
		refuse(s, 431, "too many header lines");
	else
		go(s, SCAN_NAME);
}

static void
step_name(struct http_scan *s, const struct cursor *c)
{
	while (s->pos < c->len && http_is_token(c->in[s->pos]))
		s->pos++;
	if (s->pos == c->len)
		return;
	if (c->in[s->pos] == ':')
		go(s, SCAN_VALUE);
	else if (c->in[s->pos] == ' ' || c->in[s->pos] == '\t')
		refuse(s, 400, "space in or after a header name");
	else
		refuse(s, 400, "malformed header name");
}

static void
step_value(struct http_scan *s, const struct cursor *c)
{
	while (s->pos < c->len && is_value(c->in[s->pos]))
		s->pos++;
	if (s->pos == c->len)
		return;
	if (c->in[s->pos] == '\r')
		go(s, SCAN_VALUE_LF);
	else if (c->in[s->pos] == '\n')
		refuse(s, 400, "LF without CR");
	else
		refuse(s, 400, "control character in a header");
}

static void
step_value_lf(struct http_scan *s, const struct cursor *c)
{
	expect_lf(s, c, SCAN_LINE);
}

static void
step_end_lf(struct http_scan *s, const struct cursor *c)
{
	expect_lf(s, c, SCAN_DONE);
}

/* Nothing past the limit is looked at, so that the verdict is the same however the bytes come. */
static size_t
visible(const struct http_scan *s, size_t len, const struct http_limits *limits)
{
	if (s->state >= SCAN_LINE && s->state < SCAN_DONE && len - s->lines > limits->header)
		return s->lines + limits->header;
	return len;
}

void
http_scan_begin(struct http_scan *s)
{
	*s = (struct http_scan){ .state = SCAN_BEFORE };
}

bool
http_scan(struct http_scan *s, const uint8_t *in, size_t len, const struct http_limits *limits)
{
	static void (*const steps[])(struct http_scan *, const struct cursor *) = {
		[SCAN_BEFORE] = step_before,
		[SCAN_BEFORE_LF] = step_before_lf,
		[SCAN_METHOD] = step_method,
		[SCAN_TARGET] = step_target,
		[SCAN_VERSION] = step_version,
		[SCAN_VERSION_LF] = step_version_lf,
		[SCAN_LINE] = step_line,
		[SCAN_NAME] = step_name,
		[SCAN_VALUE] = step_value,
		[SCAN_VALUE_LF] = step_value_lf,
		[SCAN_END_LF] = step_end_lf,
	};
	struct cursor c = { .in = in, .limits = limits };

	for (;;) {
		c.len = visible(s, len, limits);
		if (s->state >= SCAN_DONE || s->pos == c.len)
			break;
		steps[s->state](s, &c);
	}
	if (s->state < SCAN_DONE && c.len < len)
		refuse(s, 431, "header too large");
	return s->state == SCAN_DONE;
}

void
http_frame_begin(struct http_frame *f)
{
	*f = (struct http_frame){ .state = FRAME_SIZE };
}

static int
hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static const char *
frame_size(struct http_frame *f, uint8_t c)
{
	if (f->state == FRAME_SIZE) {
		f->digits = 0;
		f->last = true;
	}
	if (hex_digit(c) >= 0 && f->digits < FRAME_DIGITS_MAX) {
		f->last = f->last && c == '0';
		f->digits++;
		f->state = FRAME_SIZE_MORE;
		return NULL;
	}
	if (f->digits == 0 || (c != '\r' && c != ';'))
		return "malformed chunk size";
	f->state = c == '\r' ? FRAME_SIZE_LF : FRAME_EXT;
	return NULL;
}

static const char *
frame_ext(struct http_frame *f, uint8_t c)
{
	if (c == '\r')
		f->state = FRAME_SIZE_LF;
	else if (!is_value(c) || ++f->ext > FRAME_EXT_MAX)
		return "malformed chunk extension";
	return NULL;
}

static const char *
frame_size_lf(struct http_frame *f, uint8_t c)
{
	f->state = FRAME_DATA_CR;
	return c == '\n' ? NULL : "CR without LF";
}

static const char *
frame_data_cr(struct http_frame *f, uint8_t c)
{
	f->state = FRAME_DATA_LF;
	if (c == '\r')
		return NULL;
	/* Whatever comes after the last chunk and is not the end is a trailer: nobody needs one. */
	return f->last ? "trailer after a chunked body" : "malformed chunk";
}

static const char *
frame_data_lf(struct http_frame *f, uint8_t c)
{
	f->state = FRAME_SIZE;
	return c == '\n' ? NULL : "CR without LF";
}

const char *
http_frame_check(struct http_frame *f, const uint8_t *p, size_t len)
{
	static const char *(*const steps[])(struct http_frame *, uint8_t) = {
		[FRAME_SIZE] = frame_size,
		[FRAME_SIZE_MORE] = frame_size,
		[FRAME_EXT] = frame_ext,
		[FRAME_SIZE_LF] = frame_size_lf,
		[FRAME_DATA_CR] = frame_data_cr,
		[FRAME_DATA_LF] = frame_data_lf,
	};
	const char *why = NULL;
	size_t i;

	for (i = 0; i < len && why == NULL; i++)
		why = steps[f->state](f, p[i]);
	return why;
}

const char *
http_frame_data(struct http_frame *f)
{
	return f->state == FRAME_DATA_CR && !f->last ? NULL : "malformed chunk";
}
