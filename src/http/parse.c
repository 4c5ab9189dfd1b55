/*
 * parse.c - http_scan() finds and judges the header block, llhttp reads it, the framing rules of
 * RFC 9112 section 6 are checked once more on what llhttp found, and the body is counted or
 * decoded.
 */
#include "http/parse.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "http/target.h"

static enum http_parse_rc
refuse(struct http_parse *p, int status, const char *why)
{
	p->status = status;
	p->why = why;
	return HTTP_PARSE_REFUSED;
}

static struct http_parse *
self(llhttp_t *ll)
{
	return ll->data;
}

static struct http_span
span(const struct http_parse *p, const char *at, size_t len)
{
	return (struct http_span){ .at = (uint32_t)((const uint8_t *)at - p->in),
		.len = (uint32_t)len };
}

/* The header block is given to llhttp in one piece, so each of these comes once for each thing. */
static int
on_method(llhttp_t *ll, const char *at, size_t len)
{
	self(ll)->method = span(self(ll), at, len);
	return 0;
}

static int
on_url(llhttp_t *ll, const char *at, size_t len)
{
	self(ll)->target = span(self(ll), at, len);
	return 0;
}

static int
on_field(llhttp_t *ll, const char *at, size_t len)
{
	struct http_parse *p = self(ll);

	if (p->phase != HTTP_PHASE_HEAD || p->n_headers == HTTP_HEADERS_MAX)
		return -1;
	p->value[p->n_headers] = span(p, at + len, 0);
	p->name[p->n_headers++] = span(p, at, len);
	return 0;
}

static int
on_value(llhttp_t *ll, const char *at, size_t len)
{
	struct http_parse *p = self(ll);

	if (p->n_headers == 0)
		return -1;
	while (len > 0 && (at[len - 1] == ' ' || at[len - 1] == '\t'))
		len--;
	if (len >
	    0) /* of an empty value llhttp says only that it was somewhere before the next line */
		p->value[p->n_headers - 1] = span(p, at, len);
	return 0;
}

static int
on_headers_complete(llhttp_t *ll)
{
	struct http_parse *p = self(ll);

	p->keep_alive = llhttp_should_keep_alive(ll) != 0;
	p->minor = llhttp_get_http_minor(ll);
	p->content_length = ll->content_length;
	p->phase = HTTP_PHASE_BODY;
	return 0;
}

/*
 * Chunked only: a piece of data.  It moves down to the end of what is decoded; llhttp is already
 * past it.
 */
static int
on_body(llhttp_t *ll, const char *at, size_t len)
{
	struct http_parse *p = self(ll);
	size_t from = (size_t)((const uint8_t *)at - p->in);

	p->why = http_frame_check(&p->frame, p->in + p->framed, from - p->framed);
	if (p->why == NULL)
		p->why = http_frame_data(&p->frame);
	if (p->why != NULL)
		return -1;
	if (len > p->limits.body - p->body_len) {
		refuse(p, 413, "body too large");
		return -1;
	}
	memmove((uint8_t *)p->in + p->head_len + p->body_len, at, len);
	p->body_len += len;
	p->framed = from + len;
	return 0;
}

static int
on_complete(llhttp_t *ll)
{
	return HPE_PAUSED; /* what follows is the next request's */
}

static const llhttp_settings_t settings = {
	.on_method = on_method,
	.on_url = on_url,
	.on_header_field = on_field,
	.on_header_value = on_value,
	.on_headers_complete = on_headers_complete,
	.on_body = on_body,
	.on_message_complete = on_complete,
};

void
http_parse_begin(struct http_parse *p, const struct http_limits *limits)
{
	memset(p, 0, offsetof(struct http_parse, name));
	p->limits = *limits;
	http_scan_begin(&p->scan);
	http_frame_begin(&p->frame);
	llhttp_init(&p->ll, HTTP_REQUEST, &settings);
	p->ll.data = p;
}

/* Each returns why the header is refused, or NULL. */
static const char *
check_length(struct http_parse *p, const char *v, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (v[i] < '0' || v[i] > '9')
			return "malformed Content-Length";
	return len == 0 || len > 19 || ++p->n_length > 1 ? "malformed Content-Length" : NULL;
}

static const char *
check_coding(struct http_parse *p, const char *v, size_t len)
{
	p->chunked = true;
	if (++p->n_coding > 1 || len != 7 || strncasecmp(v, "chunked", 7) != 0)
		return "Transfer-Encoding other than chunked";
	return NULL;
}

/* RFC 9112 3.2: a Host that is no host is refused. */
static const char *
check_host(struct http_parse *p, const char *v, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if ((unsigned char)v[i] <= ' ' || (unsigned char)v[i] >= 0x7f ||
		    strchr("/?#@,\\\"<>^`{|}", v[i]) != NULL)
			return "malformed Host";
	return ++p->n_host > 1 ? "more than one Host" : NULL;
}

static const char *
check_expect(struct http_parse *p, const char *v, size_t len)
{
	if (len != 12 || strncasecmp(v, "100-continue", 12) != 0) {
		p->status = 417;
		return "unknown expectation";
	}
	p->expect_continue = true;
	return NULL;
}

static const char *
check_header(struct http_parse *p, unsigned i)
{
	static const struct {
		const char *name;
		const char *(*check)(struct http_parse *, const char *, size_t);
	} table[] = {
		{ "content-length", check_length },
		{ "transfer-encoding", check_coding },
		{ "host", check_host },
		{ "expect", check_expect },
	};
	const char *name = (const char *)p->in + p->name[i].at;
	size_t k;

	for (k = 0; k < sizeof table / sizeof table[0]; k++)
		if (strlen(table[k].name) == p->name[i].len &&
		    strncasecmp(table[k].name, name, p->name[i].len) == 0)
			return table[k].check(
			    p, (const char *)p->in + p->value[i].at, p->value[i].len);
	return NULL;
}

/* RFC 9112 6.1 and 6.3: what makes the length of the body a matter of opinion. */
static const char *
check_framing(struct http_parse *p)
{
	const char *why;
	unsigned i;

	for (i = 0; i < p->n_headers; i++)
		if ((why = check_header(p, i)) != NULL)
			return why;
	if (p->chunked && p->n_length > 0)
		return "both Content-Length and Transfer-Encoding";
	if (p->chunked && p->minor == 0)
		return "Transfer-Encoding in HTTP/1.0";
	if (p->n_host == 0 && p->minor > 0)
		return "no Host";
	if (p->minor == 0)
		p->expect_continue = false; /* RFC 9110 10.1.1 */
	return NULL;
}

static enum http_parse_rc
refuse_head(struct http_parse *p, llhttp_errno_t e)
{
	static const struct {
		llhttp_errno_t code;
		int status;
		const char *why;
	} table[] = {
		{ HPE_INVALID_METHOD, 501, "unknown method" },
		{ HPE_INVALID_URL, 400, "malformed URL" },
		{ HPE_INVALID_VERSION, 505, "HTTP version not supported" },
		{ HPE_INVALID_CONTENT_LENGTH, 400, "malformed Content-Length" },
		{ HPE_UNEXPECTED_CONTENT_LENGTH, 400, "more than one length of the body" },
		{ HPE_INVALID_TRANSFER_ENCODING, 400, "Transfer-Encoding other than chunked" },
	};
	size_t i;

	for (i = 0; i < sizeof table / sizeof table[0]; i++)
		if (table[i].code == e)
			return refuse(p, table[i].status, table[i].why);
	return refuse(p, 400, "malformed request");
}

/* The block is complete and clean: let llhttp read it, and hold it to what the scan saw. */
static enum http_parse_rc
read_head(struct http_parse *p)
{
	llhttp_errno_t e;
	const char *why;

	p->head_len = p->pos = p->framed = p->scan.pos;
	e = llhttp_execute(&p->ll, (const char *)p->in, p->head_len);
	if (p->phase != HTTP_PHASE_BODY ||
	    (e != HPE_OK && e != HPE_PAUSED && e != HPE_PAUSED_UPGRADE))
		return refuse_head(p, e);
	if (p->ll.method == HTTP_CONNECT || p->ll.method == HTTP_PRI)
		return refuse(p, 501, "unknown method");
	if (p->method.at != p->scan.method || p->target.at != p->scan.target ||
	    p->n_headers != p->scan.n_headers ||
	    p->target.at + p->target.len + 1 != p->scan.version)
		return refuse(p, 400, "malformed request");
	why = check_framing(p);
	if (why != NULL)
		return refuse(p, p->status != 0 ? p->status : 400, why);
	if (p->content_length > p->limits.body)
		return refuse(p, 413, "body too large");
	return HTTP_PARSE_MORE;
}

static enum http_parse_rc
done(struct http_parse *p)
{
	p->phase = HTTP_PHASE_DONE;
	return HTTP_PARSE_DONE;
}

static enum http_parse_rc
count_body(struct http_parse *p, size_t len)
{
	p->body_len = (size_t)p->content_length;
	return len - p->head_len >= p->body_len ? done(p) : HTTP_PARSE_MORE;
}

/* What llhttp has not taken moves down behind the decoded body. */
static void
close_gap(struct http_parse *p, uint8_t *in, size_t *len, size_t taken)
{
	size_t to = p->head_len + p->body_len;

	memmove(in + to, in + taken, *len - taken);
	*len -= taken - to;
	p->pos = p->framed = to;
}

static enum http_parse_rc
decode_body(struct http_parse *p, uint8_t *in, size_t *len)
{
	llhttp_errno_t e;
	size_t taken = *len;

	if (p->pos == *len)
		return HTTP_PARSE_MORE;
	e = llhttp_execute(&p->ll, (const char *)in + p->pos, *len - p->pos);
	if (e != HPE_OK) /* paused at the end of the request, or stopped at what it dislikes */
		taken = (size_t)((const uint8_t *)llhttp_get_error_pos(&p->ll) - in);
	if (p->why == NULL && taken >= p->framed)
		p->why = http_frame_check(&p->frame, in + p->framed, taken - p->framed);
	if (p->why != NULL)
		return refuse(p, p->status != 0 ? p->status : 400, p->why);
	if ((e != HPE_OK && e != HPE_PAUSED && e != HPE_PAUSED_UPGRADE) || taken < p->framed ||
	    taken > *len)
		return refuse(p, 400, "malformed chunk");
	close_gap(p, in, len, taken);
	return e == HPE_OK ? HTTP_PARSE_MORE : done(p);
}

enum http_parse_rc
http_parse(struct http_parse *p, uint8_t *in, size_t *len)
{
	enum http_parse_rc rc;

	p->in = in;
	if (p->phase == HTTP_PHASE_HEAD) {
		if (!http_scan(&p->scan, in, *len, &p->limits))
			return p->scan.state == SCAN_REFUSED
			    ? refuse(p, p->scan.status, p->scan.why)
			    : HTTP_PARSE_MORE;
		rc = read_head(p);
		if (rc == HTTP_PARSE_REFUSED)
			return rc;
	}
	return p->chunked ? decode_body(p, in, len) : count_body(p, *len);
}

size_t
http_parse_used(const struct http_parse *p)
{
	return p->head_len + p->body_len;
}

size_t
http_parse_want(const struct http_parse *p)
{
	return p->chunked ? 0 : p->head_len + p->body_len;
}

static const char *
cut(uint8_t *in, struct http_span s)
{
	in[s.at + s.len] = '\0'; /* the delimiter, or white space before it */
	return (const char *)in + s.at;
}

bool
http_parse_request(struct http_parse *p, uint8_t *in, struct http_request *out, void **mem)
{
	struct http_header *headers = malloc(p->n_headers * sizeof *headers + p->target.len + 2);
	char *path = (char *)(headers + p->n_headers);
	const char *why, *target;
	unsigned i;

	*mem = headers;
	if (headers == NULL) {
		refuse(p, 503, "no memory");
		return false;
	}
	out->method = cut(in, p->method);
	target = cut(in, p->target);
	why = http_target_split(target, &out->target, path, &out->query);
	if (why != NULL) {
		refuse(p, 400, why);
		return false;
	}
	for (i = 0; i < p->n_headers; i++) {
		headers[i].name = cut(in, p->name[i]);
		headers[i].value = cut(in, p->value[i]);
	}
	out->path = path;
	out->headers = headers;
	out->n_headers = p->n_headers;
	out->body = in + p->head_len;
	out->body_len = p->body_len;
	out->minor = p->minor;
	return true;
}
