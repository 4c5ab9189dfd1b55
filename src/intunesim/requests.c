/*
 * requests.c - a ring of texts.
 */
#include "intunesim/requests.h"

#include <ctype.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"

#define KEPT        128 /* requests */
#define TARGET_MAX  512 /* bytes kept of each */
#define HEADERS_MAX 4096
#define BODY_MAX    2048
#define BASE64_RUN  256 /* shorter ones are ids and names */
#define NOT_KEPT    "(holds secrets: not kept)"

struct entry {
	int64_t at_ms;
	int status;
	char *request, *headers, *body, *answer; /* printable; NULL: lost */
};

struct requests {
	pthread_mutex_t lock;
	uint64_t n; /* ever */
	struct entry ring[KEPT];
};

enum rc
requests_new(struct requests **out, struct err *err)
{
	struct requests *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return fail(err, RC_NOMEM, "out of memory");
	pthread_mutex_init(&r->lock, NULL);
	*out = r;
	return RC_OK;
}

static void
entry_done(struct entry *e)
{
	free(e->request);
	free(e->headers);
	free(e->body);
	free(e->answer);
}

void
requests_free(struct requests *r)
{
	if (r == NULL)
		return;
	for (size_t i = 0; i < KEPT; i++)
		entry_done(&r->ring[i]);
	pthread_mutex_destroy(&r->lock);
	free(r);
}

/* At most `max` bytes as printable text, or NULL. */
static char *
keep(const void *p, size_t len, size_t max)
{
	char *text = NULL;

	if (str_ndup(&text, p != NULL ? p : "", len < max ? len : max, NULL) != RC_OK)
		return NULL;
	str_printable(text);
	return text;
}

/* Base64 of either alphabet, and what JSON may put between. */
static bool
is_base64(char c)
{
	return isalnum((unsigned char)c) || (c != '\0' && strchr("+/=-_\\", c) != NULL);
}

/*
 * A certificate request has the challenge inside, and a challenge is base64 itself: of a long run
 * only its length is kept, wherever it stands.
 */
static char *
keep_body(const char *p, size_t len)
{
	struct buf b;
	char *text;
	size_t n;

	buf_init(&b, len + BODY_MAX);
	for (; len > 0 && b.len < BODY_MAX; p += n, len -= n) {
		for (n = 0; n < len && is_base64(p[n]);)
			n++;
		if (n >= BASE64_RUN)
			buf_addf(&b, "(%zu characters of base64: not kept)", n);
		else
			buf_add(&b, p, n = n > 0 ? n : 1);
	}
	text = keep(b.data, b.len, BODY_MAX);
	buf_done(&b);
	return text;
}

/* "Bearer (cut)": that there was a token, and of which kind, but not the token. */
static void
add_header(struct buf *b, const struct http_header *h)
{
	buf_addf(b, "%s: ", h->name);
	if (str_eq_nocase(h->name, "X-IDENTITY-HEADER"))
		buf_adds(b, "(cut)");
	else if (str_eq_nocase(h->name, "Authorization"))
		buf_addf(b, "%.*s (cut)", (int)strcspn(h->value, " "), h->value);
	else
		buf_adds(b, h->value);
	buf_addc(b, '\n');
}

static char *
keep_headers(const struct http_request *req)
{
	struct buf b;
	char *text;

	buf_init(&b, HEADERS_MAX);
	for (size_t i = 0; i < req->n_headers && b.len + TARGET_MAX < HEADERS_MAX; i++)
		add_header(&b, &req->headers[i]);
	/* One line each: the newline is ours and stays. */
	if ((text = keep(b.data, b.len, HEADERS_MAX)) != NULL) {
		for (size_t i = 0; text[i] != '\0'; i++)
			text[i] = b.data[i] == '\n' ? '\n' : text[i];
	}
	buf_done(&b);
	return text;
}

static char *
keep_first_line(const struct http_request *req)
{
	struct buf b;
	char *text;

	buf_init(&b, TARGET_MAX + 64);
	buf_addf(&b, "%.16s %.*s HTTP/1.%d", req->method, TARGET_MAX, req->target, req->minor);
	text = keep(b.data, b.len, b.len);
	buf_done(&b);
	return text;
}

void
requests_add(struct requests *r, const struct http_request *req, const struct http_reply *reply,
    bool secrets)
{
	struct entry e = { .at_ms = clock_now_ms(), .status = reply->status };
	struct entry *slot;

	e.request = keep_first_line(req);
	e.headers = keep_headers(req);
	e.body = secrets ? keep(NOT_KEPT, strlen(NOT_KEPT), BODY_MAX)
			 : keep_body((const char *)req->body, req->body_len);
	e.answer = secrets ? keep(NOT_KEPT, strlen(NOT_KEPT), BODY_MAX)
			   : keep(reply->body.data, reply->body.len, BODY_MAX);
	pthread_mutex_lock(&r->lock);
	slot = &r->ring[r->n++ % KEPT];
	entry_done(slot);
	*slot = e;
	pthread_mutex_unlock(&r->lock);
}

/* {"name": "value"}; a header that comes twice is joined by ", " (RFC 9110 5.3). */
static json_t *
headers_json(const char *text)
{
	json_t *o = json_object();

	while (o != NULL && text != NULL && *text != '\0') {
		size_t line = strcspn(text, "\n"), name = strcspn(text, ":");
		json_t *old;

		if (name + 2 <= line) {
			json_t *v = json_stringn_nocheck(text + name + 2, line - name - 2);
			char key[256];

			snprintf(key, sizeof(key), "%.*s", (int)name, text);
			if ((old = json_object_get(o, key)) != NULL && v != NULL) {
				json_t *both = json_sprintf(
				    "%s, %s", json_string_value(old), json_string_value(v));

				json_decref(v);
				v = both;
			}
			json_object_set_new(o, key, v);
		}
		text += line + (text[line] == '\n');
	}
	return o;
}

static json_t *
entry_json(const struct entry *e)
{
	char at[TIME_TEXT_MAX];

	time_rfc3339_ms(at, e->at_ms);
	return json_pack("{s:s, s:s, s:o, s:s, s:i, s:s}", "time", at, "request",
	    e->request != NULL ? e->request : "", "headers", headers_json(e->headers), "body",
	    e->body != NULL ? e->body : "", "status", e->status, "answer",
	    e->answer != NULL ? e->answer : "");
}

json_t *
requests_json(struct requests *r)
{
	json_t *list = json_array();
	uint64_t first;

	pthread_mutex_lock(&r->lock);
	first = r->n < KEPT ? 0 : r->n - KEPT;
	for (uint64_t i = first; list != NULL && i < r->n; i++)
		json_array_append_new(list, entry_json(&r->ring[i % KEPT]));
	pthread_mutex_unlock(&r->lock);
	return list;
}
