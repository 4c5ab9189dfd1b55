/*
 * http_request_fuzz.c - the request door.  The first byte says in what pieces the rest comes; the
 * verdict must be the same as for the whole, and a request that is let in must lie within its
 * bytes.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "http/parse.h"

struct outcome {
	enum http_parse_rc rc;
	int status;
	const char *why;
	size_t body_len;
	uint32_t sum; /* of the body */
};

static void
read_out(struct http_parse *p, uint8_t *in, struct outcome *o)
{
	struct http_request r;
	void *mem;
	size_t i;

	if (http_parse_request(p, in, &r, &mem)) {
		for (i = 0; i < r.n_headers; i++)
			if (strlen(r.headers[i].name) == 0 ||
			    strpbrk(r.headers[i].value, "\r\n") != NULL)
				abort();
		if (strlen(r.path) > strlen(r.target) || strstr(r.path, "/../") != NULL)
			abort();
		for (i = 0; i < r.body_len; i++)
			o->sum = o->sum * 31 + r.body[i];
		o->body_len = r.body_len;
	}
	o->status = p->status;
	o->why = p->why;
	free(mem);
}

static struct outcome
run(const uint8_t *data, size_t size, size_t step)
{
	static const struct http_limits limits = { .url = 500, .header = 2000, .body = 1000 };
	struct outcome o = { .rc = HTTP_PARSE_MORE };
	struct http_parse p;
	uint8_t *in = malloc(size > 0 ? size : 1);
	size_t given = 0, len = 0, n;

	if (in == NULL)
		return o;
	http_parse_begin(&p, &limits);
	while (o.rc == HTTP_PARSE_MORE && given < size) {
		n = size - given < step ? size - given : step;
		memcpy(in + len, data + given, n);
		given += n;
		len += n;
		o.rc = http_parse(&p, in, &len);
		if (len > given)
			abort();
	}
	if (o.rc == HTTP_PARSE_DONE && http_parse_used(&p) > len)
		abort();
	if (o.rc == HTTP_PARSE_DONE)
		read_out(&p, in, &o);
	else if (o.rc == HTTP_PARSE_REFUSED) {
		o.status = p.status;
		o.why = p.why;
	}
	free(in);
	return o;
}

static int
same(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct outcome whole, cut;

	if (size < 1)
		return 0;
	whole = run(data + 1, size - 1, size);
	cut = run(data + 1, size - 1, (size_t)data[0] + 1);
	if (whole.rc != cut.rc || whole.status != cut.status || !same(whole.why, cut.why) ||
	    whole.body_len != cut.body_len || whole.sum != cut.sum)
		abort();
	return 0;
}
