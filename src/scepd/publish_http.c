/*
 * publish_http.c - lists and certificates over HTTP, with what caches need.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/text.h"
#include "scepd/publish_int.h"

/* How long a cache may answer by itself: a revocation is out that much later for those behind it.  Asking
 * again costs no more than a 304. */
#define MAX_AGE      60
#define CERT_MAX_AGE 3600

/* ---- which list ---- */

/* "3-of-16"; false: it is nothing of the kind. */
static bool
partition_of(const char *name, size_t len, unsigned *part, unsigned *parts)
{
	char text[CRL_NAME_MAX], again[2 * CRL_NAME_MAX];

	if (len >= sizeof(text))
		return false;
	memcpy(text, name, len);
	text[len] = '\0';
	if (sscanf(text, "%3u-of-%3u", part, parts) != 2)
		return false;
	(void)snprintf(again, sizeof(again), "%u-of-%u", *part, *parts);
	return strcmp(again, text) == 0 && *parts > 0 && *parts <= CRL_PARTS_MAX &&
	    (*parts & (*parts - 1)) == 0 && *part < *parts;
}

/* By what stands between "/crl/CA/" and ".crl". */
static struct crl_list *
list_named(const struct crl_lists *c, const char *name, size_t len)
{
	unsigned part, parts;

	if (len == strlen("delta") && strncasecmp(name, "delta", len) == 0)
		return c->delta;
	if (!partition_of(name, len, &part, &parts))
		return NULL;
	return parts == c->n_parts ? &c->parts[part] : &c->v[0];
}

struct crl_list *
publish_list_of(const struct scepd *s, const char *path, struct server_ca **sca)
{
	static const char prefix[] = "/crl/", suffix[] = ".crl";
	size_t len = strlen(path), ca;
	const char *name = path + strlen(prefix), *slash;

	if (len <= strlen(prefix) + strlen(suffix) || !str_ends_nocase(path, suffix))
		return NULL;
	len -= strlen(prefix) + strlen(suffix);
	slash = memchr(name, '/', len);
	ca = slash != NULL ? (size_t)(slash - name) : len;
	*sca = scepd_ca(s, name, ca);
	if (*sca == NULL)
		return NULL;
	return slash == NULL ? &(*sca)->crl->v[0]
			     : list_named((*sca)->crl, slash + 1, len - ca - 1);
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
		return strcmp(match, "*") == 0 || strstr(match, etag) != NULL;
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
	struct crl_list *l = publish_list_of(s, path, &sca);
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
	static const char prefix[] = "/ca/", suffix[] = ".crt";
	size_t len = strlen(path), der_len;
	struct server_ca *sca = NULL;
	char sha[65], etag[67];
	const uint8_t *der;

	if (len > strlen(prefix) + strlen(suffix) && str_ends_nocase(path, suffix))
		sca = scepd_ca(s, path + strlen(prefix), len - strlen(prefix) - strlen(suffix));
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
