/*
 * web.c - handing out the page.
 */
#include "intunesim/web.h"

#include <string.h>

#include "http/etag.h"
#include "intunesim/services.h"

/*
 * The page loads nothing but its own files, talks to nobody but us, runs no script that stands in
 * the text, and cannot be put into somebody else's frame.
 */
static const struct {
	const char *name, *value;
} page_headers[] = {
	{ "Content-Security-Policy",
	    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
	    "img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'" },
	{ "X-Content-Type-Options", "nosniff" },
	{ "X-Frame-Options", "DENY" },
	{ "Referrer-Policy", "no-referrer" },
	{ "Cross-Origin-Opener-Policy", "same-origin" },
	{ "Cross-Origin-Resource-Policy", "same-origin" },
	/* Kept, but asked for each time: an update of the simulator is one of the page. */
	{ "Cache-Control", "no-cache" },
};

const struct web_asset *
web_asset(const char *name)
{
	for (size_t i = 0; i < n_web_assets; i++) {
		if (strcmp(web_assets[i].name, name) == 0)
			return &web_assets[i];
	}
	return NULL;
}

static bool
has_it(const struct call *c, const struct web_asset *a)
{
	const char *known = http_header0(c->req, "If-None-Match");

	return known != NULL && http_etag_listed(known, a->etag);
}

static void
answer_asset(struct call *c, const struct web_asset *a)
{
	for (size_t i = 0; i < sizeof(page_headers) / sizeof(page_headers[0]); i++)
		http_reply_header(c->reply, page_headers[i].name, page_headers[i].value);
	http_reply_header(c->reply, "ETag", a->etag);
	if (has_it(c, a)) {
		c->reply->status = 304;
		return;
	}
	c->reply->status = 200;
	c->reply->content_type = a->type;
	buf_add(&c->reply->body, a->data, a->len);
}

static void
serve(struct call *c, const char *name)
{
	const struct web_asset *a = web_asset(name);

	/* The server leaves the body of an answer to HEAD away. */
	if (strcmp(c->req->method, "GET") != 0 && strcmp(c->req->method, "HEAD") != 0)
		call_error(c, 405, "not with this method");
	else if (a == NULL)
		call_error(c, 404, "the page has no file \"%s\"", name);
	else
		answer_asset(c, a);
}

void
web_index(struct call *c)
{
	serve(c, WEB_INDEX);
}

void
web_file(struct call *c)
{
	serve(c, c->arg[0]);
}
