/*
 * publish_http.c - lists and certificates over HTTP, with what caches need.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "http/etag.h"
#include "scepd/publish_int.h"

/* How long a cache may answer by itself: a revocation is out that much later for those behind it.  Asking
 * again costs no more than a 304. */
#define MAX_AGE      60
#define CERT_MAX_AGE 3600

/* ---- which list ---- */

struct published *
publish_list_of(const struct scepd *s, const char *path, struct server_ca **sca)
{
	struct crl_path p;
	struct crl_lists *c;

	*sca = crl_path_parse(&p, path) ? scepd_ca(s, p.ca, p.ca_len) : NULL;
	if (*sca == NULL || p.kind == LIST__MAX)
		return NULL;
	c = (*sca)->crl;
	if (p.kind == LIST_DELTA)
		return c->delta;
	/* Of another number of parts than today's: the complete list. */
	return p.kind == LIST_PART && p.parts == c->n_parts ? &c->parts[p.part] : &c->v[0];
}

/* ---- what caches may do (RFC 9110 8.8, 13; RFC 9111) ---- */

static void
date_header(struct http_reply *reply, const char *name, int64_t t)
{
	char date[HTTP_DATE_SIZE];

	if (http_date(date, t))
		http_reply_header(reply, name, date);
}

/* If-None-Match comes before If-Modified-Since, of which only our own Last-Modified is understood, as a cache
 * sends it back. */
static bool
has_it(const struct http_request *req, const char *etag, int64_t modified)
{
	const char *match = http_header0(req, "If-None-Match"),
		   *since = http_header0(req, "If-Modified-Since");
	char date[HTTP_DATE_SIZE];

	if (match != NULL)
		return http_etag_listed(match, etag);
	return since != NULL && modified != 0 && http_date(date, modified) &&
	    strcmp(since, date) == 0;
}

/* `modified` 0: not known. */
static void
caching(const struct http_request *req, struct http_reply *reply, const char *etag,
    int64_t modified, int64_t max_age)
{
	char control[64];

	(void)snprintf(
	    control, sizeof(control), "public, max-age=%lld, must-revalidate", (long long)max_age);
	http_reply_header(reply, "Cache-Control", control);
	date_header(reply, "Expires", clock_now() + max_age);
	if (modified != 0)
		date_header(reply, "Last-Modified", modified);
	http_reply_header(reply, "ETag", etag);
	if (has_it(req, etag, modified))
		reply->status = 304;
}

static bool
may_be_got(const struct http_request *req, struct http_reply *reply)
{
	if (strcmp(req->method, "GET") == 0 || strcmp(req->method, "HEAD") == 0)
		return true;
	http_reply_header(reply, "Allow", "GET, HEAD");
	http_reply_text(reply, 405, "this is a file\n");
	return false;
}

/* ---- lists ---- */

static int64_t
max_age_of(const struct crl_made *made)
{
	int64_t left = made->next_update - clock_now();

	return left < 0 ? 0 : left < MAX_AGE ? left : MAX_AGE;
}

void
publish_crl(
    struct scepd *s, const char *path, const struct http_request *req, struct http_reply *reply)
{
	struct server_ca *sca = NULL;
	struct published *l = publish_list_of(s, path, &sca);
	struct http_shared *first = NULL;
	struct crl_made made;

	if (l == NULL) {
		http_reply_text(reply, 404, sca == NULL ? "no such CA\n" : "no such list\n");
		return;
	}
	if (!may_be_got(req, reply))
		return;
	if (l->kind == LIST_FULL && publish_current_crl(&first, s, sca, NULL) == RC_OK)
		http_shared_free(first);
	if (!publish_take(sca, l, &made)) {
		reply->retry_after = 5;
		http_reply_text(reply, 503, "the CRL is not available at the moment\n");
		return;
	}
	reply->content_type = "application/pkix-crl"; /* RFC 5280 4.2.1.13, RFC 2585 */
	caching(req, reply, made.etag, made.made, max_age_of(&made));
	http_reply_share(reply, made.der);
	http_shared_free(made.der);
}

/* ---- certificates ---- */

void
publish_ca(
    struct scepd *s, const char *path, const struct http_request *req, struct http_reply *reply)
{
	struct server_ca *sca = NULL;
	size_t len, der_len;
	char sha[65], etag[67];
	const uint8_t *der;
	const char *name;

	if (cert_path_parse(&name, &len, path))
		sca = scepd_ca(s, name, len);
	if (sca == NULL) {
		http_reply_text(reply, 404, "no such CA\n");
		return;
	}
	if (!may_be_got(req, reply))
		return;
	der = cert_der0(ca_cert0(sca->ca), &der_len);
	reply->content_type = "application/pkix-cert"; /* RFC 5280 4.2.2.1 */
	if (cert_thumbprint_sha256(sha, ca_cert0(sca->ca), NULL) == RC_OK) {
		(void)snprintf(etag, sizeof(etag), "\"%s\"", sha);
		caching(req, reply, etag, 0, CERT_MAX_AGE);
	}
	buf_add(&reply->body, der, der_len);
}
