/* scep_ops.c - see scep_ops.h. */
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/text.h"
#include "scepd/pipeline.h"
#include "scepd/scep_ops.h"

/* One line for the calls around an enrolment: "GetCACaps and GetCACert, never PKIOperation" is a
 * diagnosis by itself. */
static void
log_simple(const struct endpoint *ep, const struct http_request *req, const char *op, size_t len)
{
	struct log_line l;

	log_begin(&l, LOG_INFO, "scep");
	log_str(&l, "endpoint", ep->name);
	log_str(&l, "ip", req->peer);
	log_str(&l, "ua", http_header0(req, "User-Agent"));
	log_str(&l, "op", op);
	log_str(&l, "http", req->method);
	log_int(&l, "status", 200);
	log_int(&l, "bytes", (int64_t)len);
	log_end(&l);
}

static void
log_rejected(const struct endpoint *ep, const struct http_request *req, int status,
    const char *reason, const char *hint)
{
	struct log_line l;

	log_begin(&l, LOG_WARN, "scep");
	log_str(&l, "endpoint", ep->name);
	log_str(&l, "ip", req->peer);
	log_str(&l, "ua", http_header0(req, "User-Agent"));
	log_str(&l, "http", req->method);
	log_int(&l, "bytes", (int64_t)req->body_len);
	log_str(&l, "transfer", http_header0(req, "Transfer-Encoding"));
	log_str(&l, "result", "REJECTED");
	log_int(&l, "status", status);
	log_str(&l, "reason", reason);
	log_str(&l, "hint", hint);
	log_end(&l);
}

/* A prepared answer. */
static void
answer(const struct endpoint *ep, const struct http_request *req, struct http_reply *reply,
    const char *op, const char *type, const struct scep_bytes *bytes)
{
	reply->content_type = type;
	buf_add(&reply->body, bytes->data, bytes->len);
	log_simple(ep, req, op, bytes->len);
}

/* RFC 8894 3.5.2: text/plain, `message` is ignored whatever it is (quirks 2, 4). */
static void
get_ca_caps(
    struct scepd *s, struct endpoint *ep, const struct http_request *req, struct http_reply *reply)
{
	struct offer *o = endpoint_offer(ep);

	answer(ep, req, reply, "GetCACaps", "text/plain", &o->caps_text);
	metric_add(s->metrics, METRIC_GETCACAPS, 1);
	offer_release(o);
}

static void
get_ca_cert(
    struct scepd *s, struct endpoint *ep, const struct http_request *req, struct http_reply *reply)
{
	struct offer *o = endpoint_offer(ep);

	answer(ep, req, reply, "GetCACert", o->ca_certs_type, &o->ca_certs);
	metric_add(s->metrics, METRIC_GETCACERT, 1);
	offer_release(o);
}

static void
run_pipeline(struct scepd *s, struct endpoint *ep, const struct http_request *req,
    struct http_reply *reply, const uint8_t *message, size_t len)
{
	struct pki_operation op = { ep, message, len, req->peer, http_header0(req, "User-Agent"),
		req->method };

	if (req->over) { /* what costs nothing is answered all the same: GetCACaps, GetCACert, CRLs */
		http_reply_over(reply);
		return;
	}
	pipeline_run(s, &op, reply);
}

static void
reject(struct scepd *s, const struct endpoint *ep, const struct http_request *req,
    struct http_reply *reply, const char *reason, const char *hint)
{
	http_reply_text(reply, 400, "%s\n", reason);
	reply->blame = HTTP_BLAME_CHEAP;
	metric_add(s->metrics, METRIC_BAD_REQUEST, 1);
	log_rejected(ep, req, 400, reason, hint);
}

/* RFC 8894 4.7; 404 where there is no next CA, as the keyword is absent then (quirk 30). */
static void
get_next_ca_cert(
    struct scepd *s, struct endpoint *ep, const struct http_request *req, struct http_reply *reply)
{
	struct offer *o = endpoint_offer(ep);

	metric_add(s->metrics, METRIC_GETNEXTCACERT, 1);
	if (o->next_ca.len > 0) {
		answer(ep, req, reply, "GetNextCACert", "application/x-x509-next-ca-cert",
		    &o->next_ca);
	} else {
		http_reply_text(reply, 404, "this CA has no next one\n");
		log_rejected(ep, req, 404, "GetNextCACert, and the CA has no next one", NULL);
	}
	offer_release(o);
}

/* RFC 8894 4.1: message= in base64, as clients really write it (quirks 5, 7, 8, 10). */
static void
pki_operation_get(
    struct scepd *s, struct endpoint *ep, const struct http_request *req, struct http_reply *reply)
{
	char *message = NULL;
	size_t len = 0;
	struct buf der;
	struct err err;

	buf_init(&der, LIMIT_SCEP_MESSAGE);
	if (http_form_get(&message, &len, req->query, strlen(req->query), "message", false, &err) !=
	    RC_OK)
		reject(s, ep, req, reply, err.msg, NULL);
	else if (message == NULL || len == 0)
		reject(s, ep, req, reply, "PKIOperation by GET needs message=<base64>", NULL);
	else if (base64_decode(&der, message, len, BASE64_FIELD, &err) != RC_OK)
		reject(s, ep, req, reply, err.msg,
		    "the client's base64 was damaged on the way: is a proxy rewriting URLs?");
	else
		run_pipeline(s, ep, req, reply, der.data, der.len);
	buf_done(&der);
	free(message);
}

static void
pki_operation(
    struct scepd *s, struct endpoint *ep, const struct http_request *req, struct http_reply *reply)
{
	if (strcmp(req->method, "GET") == 0)
		pki_operation_get(s, ep, req, reply);
	else if (req->body_len == 0)
		reject(s, ep, req, reply, "the body of the POST is empty",
		    "a proxy may have dropped it: old macOS sends it chunked");
	else
		run_pipeline(s, ep, req, reply, req->body, req->body_len);
}

static const struct {
	const char *name;
	void (*run)(
	    struct scepd *, struct endpoint *, const struct http_request *, struct http_reply *);
} operations[] = {
	{ "GetCACaps", get_ca_caps },
	{ "GetCACert", get_ca_cert },
	{ "GetNextCACert", get_next_ca_cert },
	{ "PKIOperation", pki_operation },
};

void
scep_ops_handle(
    struct scepd *s, struct endpoint *ep, const struct http_request *req, struct http_reply *reply)
{
	char *op = NULL;
	size_t op_len;
	struct err err;

	if (http_form_get(&op, &op_len, req->query, strlen(req->query), "operation", false, &err) !=
	    RC_OK) {
		reject(s, ep, req, reply, err.msg, NULL);
		return;
	}
	if (op == NULL &&
	    strcmp(req->method, "POST") ==
		0) { /* R41: a POST without operation is a PKIOperation */
		pki_operation(s, ep, req, reply);
		return;
	}
	if (op == NULL) { /* a browser, or an administrator's test: as NDES does */
		http_reply_text(reply, 403,
		    "This is a SCEP endpoint for device enrolment; it has no page for browsers.\n");
		return;
	}
	for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++)
		if (str_eq_nocase(op, operations[i].name)) {
			operations[i].run(s, ep, req, reply);
			free(op);
			return;
		}
	reject(s, ep, req, reply, "unknown operation",
	    "SCEP operations here: GetCACaps, GetCACert, GetNextCACert, PKIOperation");
	free(op);
}
