/*
 * ocsp.c - OCSP over HTTP (RFC 6960 A, RFC 5019 5 and 6): see ocsp.h.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "http/etag.h"
#include "scepd/ocsp.h"
#include "scepd/ocsp_answer.h"

/* ---- the log ---- */

/* Good answers are many: whoever wants to see them asks for it.  What is the peer's doing is told. */
static enum log_level
level_of(enum ocsp_failure failure)
{
	switch (failure) {
	case OCSP_INTERNAL_ERROR:
		return LOG_ERROR;
	case OCSP_TRY_LATER:
		return LOG_WARN;
	case OCSP_MALFORMED:
	case OCSP_UNAUTHORIZED:
		return LOG_INFO;
	default:
		return LOG_DEBUG;
	}
}

static void
log_outcome(const struct http_request *req, const struct ocsp_outcome *o, uint64_t us)
{
	struct log_line l;

	log_begin(&l, level_of(o->failure), "ocsp");
	log_str(&l, "ip", req->peer);
	log_str(&l, "http", req->method);
	log_str(&l, "ca", o->ca);
	log_str(&l, "serial", o->serial[0] != '\0' ? o->serial : NULL);
	if (o->n > 1)
		log_int(&l, "certs", (int64_t)o->n);
	if (o->nonce)
		log_str(&l, "nonce", "yes");
	if (o->failure == 0) {
		log_str(&l, "status", ocsp_status_name((enum ocsp_status)o->kept.status));
		log_str(&l, "from", o->from_cache ? "memory" : "signer");
	} else {
		log_str(&l, "result", ocsp_failure_name(o->failure));
		log_str(&l, "reason", o->err.msg);
	}
	log_int(&l, "ms", (int64_t)(us / 1000));
	log_end(&l);
}

/* ---- what caches may do (RFC 5019 6.2) ---- */

static void
date_header(struct http_reply *reply, const char *name, int64_t t)
{
	char date[HTTP_DATE_SIZE];

	if (http_date(date, t))
		http_reply_header(reply, name, date);
}

static void
etag_of(char out[static 35], const struct buf *body)
{
	uint8_t md[32];

	out[0] = '\0';
	if (digest_bytes(md, DIGEST_SHA256, body->data, body->len, NULL) != RC_OK)
		return;
	out[0] = '"';
	hex_lower(out + 1, md, 16);
	strcpy(out + 33, "\"");
}

static void
caching(struct http_reply *reply, const struct http_request *req, const struct ocsp_kept *kept)
{
	const char *had = http_header0(req, "If-None-Match");
	char etag[35], control[96];

	snprintf(control, sizeof(control), "max-age=%lld, public, no-transform, must-revalidate",
	    (long long)(kept->next_update - clock_now()));
	http_reply_header(reply, "Cache-Control", control);
	date_header(reply, "Last-Modified", kept->this_update);
	date_header(reply, "Expires", kept->next_update);
	etag_of(etag, &reply->body);
	if (etag[0] == '\0')
		return;
	http_reply_header(reply, "ETag", etag);
	if (had != NULL && http_etag_listed(had, etag))
		reply->status = 304;
}

/* ---- requests ---- */

static void
reply_to(struct scepd *s, size_t url, const uint8_t *der, size_t len,
    const struct http_request *req, struct http_reply *reply)
{
	uint64_t began = clock_mono_us();
	struct ocsp_outcome o;

	ocsp_answer(s, url, der, len, &reply->body, &o);
	reply->content_type = "application/ocsp-response";
	/* Nobody may keep what holds for one nonce, or an error, which nobody has signed. */
	if (strcmp(req->method, "GET") != 0 || o.nonce || o.failure != 0)
		http_reply_header(reply, "Cache-Control", "no-store");
	else
		caching(reply, req, &o.kept);
	log_outcome(req, &o, clock_mono_us() - began);
}

/*
 * RFC 6960 A.1: base64 in the path, percent-decoded here.  Clients put it behind a slash of their
 * own, whether the address ends with one or not, so there may be two; base64 of a SEQUENCE begins
 * with M.  Some mangle '+'.  What is no base64 is an empty request, and malformed.
 */
static void
reply_to_get(struct scepd *s, size_t url, const char *text, const struct http_request *req,
    struct http_reply *reply)
{
	struct buf der;

	buf_init(&der, OCSP_REQUEST_MAX);
	if (base64_decode(&der, text, strlen(text), BASE64_FIELD, NULL) != RC_OK)
		buf_reset(&der);
	reply_to(s, url, der.data, der.len, req, reply);
	buf_done(&der);
}

void
ocsp_handle(
    struct scepd *s, const char *path, const struct http_request *req, struct http_reply *reply)
{
	const char *name = path + strlen("/ocsp/"), *rest = name + strcspn(name, "/");
	size_t url = 0;
	bool known = ocsp_find(&url, s->ocsp, name, (size_t)(rest - name));

	rest += strspn(rest, "/");
	if (!known) {
		http_reply_text(reply, 404, "no such CA\n");
	} else if (strcmp(req->method, "POST") == 0) {
		reply_to(s, url, req->body, req->body_len, req, reply);
	} else if (strcmp(req->method, "GET") != 0) {
		http_reply_header(reply, "Allow", "GET, POST");
		http_reply_text(reply, 405, "OCSP uses GET and POST\n");
	} else if (rest[0] == '\0') {
		http_reply_text(reply, 400, "an OCSP responder: no browser speaks to it\n");
	} else {
		reply_to_get(s, url, rest, req, reply);
	}
}
