/*
 * responder.c - see responder.h.
 */
#include "responder.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/text.h"
#include "http/server.h"
#include "ossl/cms.h"
#include "scep/attrs.h"

#include "../ossl/crl_kit.h"

#define ALL_CAPS "AES\nDES3\nPOSTPKIOperation\nSCEPStandard\nSHA-1\nSHA-256\nSHA-512\n"

struct responder_own {
	struct http_server *http;
	pthread_mutex_t lock; /* handlers run one at a time */
	struct key *ca_key, *ra_key, *other_ca_key, *stranger_key, *ec_key;
	struct cert *stranger, *ec_ca;
	struct scep_identity *ra, *ca, *by_stranger;
	struct buf last; /* the answer before, for REPLAY */
	/* what was asked for last, and what it got */
	struct buf csr, signer;
	char transaction_id[256];
	struct cert *issued;
};

/* ---- keys and certificates */

static struct key *
new_key(const char *spec)
{
	struct key *k = NULL;
	struct err err;

	assert_ok(key_generate(&k, spec, &err), err);
	return k;
}

static struct cert *
new_cert(const char *subject, struct key *key, const char *issuer, struct key *issuer_key, bool ca)
{
	static const char *const eku[] = { "1.3.6.1.5.5.7.3.1" /* serverAuth */ };
	struct name s = fixture_name(subject), i = fixture_name(issuer);
	struct serial serial;
	struct cert *c = NULL;
	struct err err;
	struct cert_fields f = { .serial = &serial,
		.issuer = &i,
		.subject = &s,
		.not_before = clock_now() - 60,
		.not_after = clock_now() + 3600,
		.subject_key = key,
		.issuer_key = issuer_key,
		.digest = DIGEST_SHA256,
		.is_ca = ca,
		.path_len = -1 };

	f.key_usage = KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT;
	f.eku = eku;
	f.n_eku = ca ? 0 : 1; /* Windows wants one on an RA */
	if (ca)
		f.key_usage |= KU_KEY_CERT_SIGN | KU_CRL_SIGN;
	assert_ok(serial_random(&serial, &err), err);
	assert_ok(cert_make(&c, &f, issuer_key, &err), err);
	name_done(&s);
	name_done(&i);
	return c;
}

static struct scep_identity *
new_identity(const struct cert *cert, const struct key *key)
{
	struct scep_identity *id = NULL;
	struct scep_error se;
	struct buf pem;
	struct err err;
	size_t len;
	const uint8_t *der = cert_der0(cert, &len);

	buf_init(&pem, 64 * KIB);
	assert_ok(key_private_pem(&pem, key, &err), err);
	if (scep_identity_from_pem(&id, der, len, buf_str(&pem), pem.len, &se) != SCEP_OK)
		fail_msg("%s", se.text);
	buf_wipe(&pem);
	return id;
}

/* ---- GetCACaps, GetCACert */

static void
answer_caps(struct responder *r, struct http_reply *reply)
{
	if (r->caps == NULL)
		http_reply_text(reply, 404, "no such operation\n");
	else
		buf_adds(&reply->body, r->caps);
}

static struct scep_bytes
lend(const struct cert *c)
{
	struct scep_bytes b;

	b.data = (uint8_t *)(uintptr_t)cert_der0(c, &b.len);
	return b;
}

static void
send_certs(struct http_reply *reply, const struct scep_bytes *certs, size_t n)
{
	struct scep_bytes out;

	if (scep_ca_certs_encode(&out, certs, n, NULL) != SCEP_OK) {
		reply->status = 500;
		return;
	}
	reply->content_type =
	    n > 1 ? "application/x-x509-ca-ra-cert" : "application/x-x509-ca-cert";
	buf_add(&reply->body, out.data, out.len);
	scep_bytes_free(&out);
}

/* One more than libscep's server would send. */
static void
send_many(struct http_reply *reply, const struct cert *c)
{
	struct der list[LIMIT_MSG_CERTS + 1];

	for (size_t i = 0; i < N(list); i++)
		list[i].p = cert_der0(c, &list[i].len);
	if (cms_certs_only_build(&reply->body, list, N(list), NULL) != RC_OK)
		reply->status = 500;
}

static void
answer_certs(struct responder *r, struct http_reply *reply)
{
	struct scep_bytes both[] = { lend(r->ra_cert), lend(r->ca_cert) };
	struct scep_bytes ec = lend(r->own->ec_ca);

	switch (r->listing) {
	case LIST_RA_AND_CA:
		send_certs(reply, both, 2);
		break;
	case LIST_CA_ALONE:
		send_certs(reply, both + 1, 1);
		break;
	case LIST_EC_CA_ALONE:
		send_certs(reply, &ec, 1);
		break;
	case LIST_TOO_MANY:
		send_many(reply, r->ca_cert);
		break;
	case LIST_HTML:
		buf_adds(&reply->body, "<html><body>Sign in to the guest network</body></html>");
		break;
	case LIST_404:
		http_reply_text(reply, 404, "not here\n");
		break;
	}
}

/* ---- PKIOperation */

static struct cert *
certify(struct responder *r, const struct csr *csr)
{
	struct responder_own *o = r->own;
	struct cert *issuer = r->ca_cert, *c = NULL;
	struct key *signer = r->conduct == CERTIFY_BY_OTHER ? o->other_ca_key : o->ca_key;
	struct serial serial;
	struct cert_fields f = { .serial = &serial,
		.issuer = cert_subject0(issuer),
		.subject = csr_subject0(csr),
		.not_before = clock_now() - 60,
		.not_after = clock_now() + 600,
		.subject_key = r->conduct == CERTIFY_OTHER_KEY ? o->stranger_key : csr_key0(csr),
		.issuer_key = signer,
		.digest = DIGEST_SHA256,
		.path_len = -1 };

	if (serial_random(&serial, NULL) != RC_OK || cert_make(&c, &f, signer, NULL) != RC_OK)
		return NULL;
	return c;
}

static void
keep(struct buf *b, const uint8_t *p, size_t len)
{
	buf_reset(b);
	buf_add(b, p, len);
}

/* A CSR, and by whom it came: what polls are compared with. */
static void
note_request(struct responder *r, const struct scep_request *req)
{
	struct responder_own *o = r->own;
	const uint8_t *p;
	size_t len;

	p = scep_request_content(req, &len);
	keep(&o->csr, p, len);
	p = scep_request_signer(req, &len);
	keep(&o->signer, p, len);
	(void)snprintf(
	    o->transaction_id, sizeof(o->transaction_id), "%s", scep_request_transaction_id(req));
}

static enum scep_status
answer_cert(struct responder *r, struct scep_bytes *out, const struct scep_request *req,
    const struct scep_identity *id, struct scep_error *se)
{
	struct responder_own *o = r->own;
	struct scep_bytes leaf;
	struct csr *csr = NULL;

	cert_free(o->issued);
	o->issued = NULL;
	if (csr_parse(&csr, o->csr.data, o->csr.len, NULL) == RC_OK)
		o->issued = certify(r, csr);
	csr_free(csr);
	if (o->issued == NULL)
		return SCEP_E_CRYPTO;
	leaf = lend(o->issued);
	return scep_reply_success(out, req, id, &leaf, 1, se);
}

/* The signer of the poll is that of the request (S13, R35). */
static bool
is_ours(const struct responder *r, const struct scep_request *req)
{
	const struct responder_own *o = r->own;
	size_t len;
	const uint8_t *p = scep_request_signer(req, &len);

	return strcmp(o->transaction_id, scep_request_transaction_id(req)) == 0 &&
	    len == o->signer.len && memcmp(p, o->signer.data, len) == 0;
}

static void
make_crl(struct responder *r, struct buf *crl)
{
	struct crl_fields f = { .issuer = r->ca_cert,
		.digest = DIGEST_SHA256,
		.this_update = clock_now() - 60,
		.next_update = clock_now() + 3600,
		.number = 7 };

	crl_kit(crl, &f, r->conduct == CERTIFY_BY_OTHER ? r->own->stranger_key : r->own->ca_key);
}

static enum scep_status
answer_crl(struct responder *r, struct scep_bytes *out, const struct scep_request *req,
    const struct scep_identity *id, struct scep_error *se)
{
	struct buf der;
	struct scep_bytes crl;
	struct scep_reply_how how = { .crl = &crl };
	enum scep_status st;

	buf_init(&der, 64 * KIB);
	make_crl(r, &der);
	crl = (struct scep_bytes){ der.data, der.len };
	st = scep_reply_success_how(out, req, id, &how, se);
	buf_done(&der);
	return st;
}

static enum scep_status
answer_query(struct responder *r, struct scep_bytes *out, const struct scep_message *m,
    const struct scep_request *req, const struct scep_identity *id, struct scep_error *se)
{
	struct scep_bytes cert;

	if (scep_request_type(req) == SCEP_GET_CRL)
		return answer_crl(r, out, req, id, se);
	if (r->own->issued == NULL)
		return scep_reply_failure(out, m, id, SCEP_BAD_CERT_ID, "there is none", se);
	cert = lend(r->conduct == CERTIFY_OTHER_KEY ? r->own->stranger : r->own->issued);
	return scep_reply_success(out, req, id, &cert, 1, se);
}

static enum scep_status
answer(struct responder *r, struct scep_bytes *out, const struct scep_message *m,
    const struct scep_request *req, struct scep_error *se)
{
	const struct scep_identity *id = r->conduct == SIGN_AS_STRANGER ? r->own->by_stranger
	    : r->listing == LIST_CA_ALONE                               ? r->own->ca
									: r->own->ra;
	enum scep_message_type type = scep_request_type(req);

	if (r->conduct == REFUSE)
		return scep_reply_failure(
		    out, m, id, SCEP_BAD_REQUEST, r->without_text ? NULL : REFUSAL_TEXT, se);
	if (type == SCEP_CERT_POLL && r->conduct == PEND_THEN_OBEY && !is_ours(r, req))
		return scep_reply_failure(out, m, id, SCEP_BAD_CERT_ID, "no such transaction", se);
	if (type == SCEP_GET_CERT || type == SCEP_GET_CRL)
		return r->conduct == KEEP_PENDING ? scep_reply_pending(out, m, id, se)
						  : answer_query(r, out, m, req, id, se);
	if (type != SCEP_CERT_POLL)
		note_request(r, req);
	if (r->conduct == KEEP_PENDING || (r->conduct == PEND_THEN_OBEY && r->pendings > 0)) {
		r->pendings -= r->pendings > 0;
		return scep_reply_pending(out, m, id, se);
	}
	return answer_cert(r, out, req, id, se);
}

static void
work(struct responder *r, const uint8_t *p, size_t len, struct http_reply *reply)
{
	struct scep_identity *ids[] = { r->own->ra, r->own->ca };
	struct scep_message *m = NULL;
	struct scep_request *req = NULL;
	struct scep_bytes out = { 0 };
	struct scep_error se = { 0 };

	if (scep_message_parse(&m, p, len, &se) != SCEP_OK ||
	    scep_request_open(&req, m, ids, 2, &se) != SCEP_OK ||
	    answer(r, &out, m, req, &se) != SCEP_OK) {
		http_reply_text(reply, 400, "%s\n", se.text);
	} else {
		scep_request_algorithms(req, &r->op.alg);
		r->op.type = (int)scep_request_type(req);
		r->op.is_ber = len > 1 && p[1] == 0x80;
		(void)snprintf(r->op.transaction_id, sizeof(r->op.transaction_id), "%s",
		    scep_request_transaction_id(req));
		reply->content_type = "application/x-pki-message";
		buf_add(&reply->body, out.data, out.len);
	}
	scep_bytes_free(&out);
	scep_request_free(req);
	scep_message_free(m);
}

/* The RFC wants recipientNonce alone of a CertRep, and so do some servers. */
static void
leave_nonce_out(const struct responder *r, struct buf *body)
{
	static const char *const oids[] = { OID_TRANSACTION_ID, OID_MESSAGE_TYPE, OID_PKI_STATUS,
		OID_RECIPIENT_NONCE };
	struct cms_attr_build attrs[N(oids)];
	struct cms_signed *s = NULL;
	struct cms_value v;
	struct err err;
	struct buf out;
	struct der cert;

	assert_ok(cms_signed_parse(&s, body->data, body->len, &err), err);
	cert = cms_signed_cert0(s, 0);
	for (size_t i = 0; i < N(oids); i++) {
		assert_ok(cms_signed_attr(s, oids[i], &v, &err), err);
		attrs[i] = (struct cms_attr_build){ oids[i], v.whole };
	}
	buf_init(&out, LIMIT_SCEP_MESSAGE);
	assert_ok(cms_signed_build(&out,
		      &(struct cms_signed_build){ .content = cms_signed_content0(s),
			  .digest = cms_signed_digest(s),
			  .signer = cms_signed_signer0(s),
			  .sign = cms_sign_with_key,
			  .sign_ctx = r->own->ra_key,
			  .attrs = attrs,
			  .n_attrs = N(oids),
			  .certs = &cert,
			  .n_certs = 1 },
		      &err),
	    err);
	cms_signed_free(s);
	keep(body, out.data, out.len);
	buf_done(&out);
}

static void
answer_message(struct responder *r, const uint8_t *p, size_t len, struct http_reply *reply)
{
	struct buf *last = &r->own->last;

	work(r, p, len, reply);
	if (r->conduct == REPLAY) {
		buf_reset(&reply->body);
		buf_add(&reply->body, last->data, last->len);
		return;
	}
	if (r->conduct == LEAVE_NONCE_OUT)
		leave_nonce_out(r, &reply->body);
	if (r->conduct == TURN_ONE_BIT)
		reply->body.data[r->turn_at < 0 ? reply->body.len - (size_t)-r->turn_at
						: (size_t)r->turn_at] ^= 0x10;
	buf_reset(last);
	buf_add(last, reply->body.data, reply->body.len);
}

static void
answer_operation(struct responder *r, const struct http_request *req, const uint8_t *p, size_t len,
    struct http_reply *reply)
{
	switch (r->conduct) {
	case SEND_HTML:
		reply->content_type = "text/html";
		buf_adds(&reply->body, "<html><h1>It works!</h1></html>");
		break;
	case SEND_NOTHING:
		break;
	case SEND_500:
	case SEND_503:
		http_reply_text(reply, r->conduct == SEND_500 ? 500 : 503, "sorry\n");
		break;
	default:
		answer_message(r, p, len, reply);
	}
}

/* ---- HTTP */

static void
note(struct seen *s, const struct http_request *req)
{
	const char *ua = http_header0(req, "User-Agent"), *ct = http_header0(req, "Content-Type");

	s->count++;
	free(s->target);
	s->target = strdup(req->target);
	(void)snprintf(s->method, sizeof(s->method), "%s", req->method);
	(void)snprintf(s->user_agent, sizeof(s->user_agent), "%s", ua != NULL ? ua : "-");
	(void)snprintf(s->content_type, sizeof(s->content_type), "%s", ct != NULL ? ct : "-");
}

/* RFC 8894 4.1: base64 in the query, where '+' is itself. */
static void
pki_operation(struct responder *r, const struct http_request *req, struct http_reply *reply)
{
	struct buf message;
	char *text = NULL;
	size_t len = 0;

	note(&r->op, req);
	if (strcmp(req->method, "POST") == 0) {
		answer_operation(r, req, req->body, req->body_len, reply);
		return;
	}
	buf_init(&message, LIMIT_SCEP_MESSAGE);
	if (http_form_get(&text, &len, req->query, strlen(req->query), "message", false, NULL) ==
		RC_OK &&
	    text != NULL && base64_decode(&message, text, len, BASE64_FIELD, NULL) == RC_OK)
		answer_operation(r, req, message.data, message.len, reply);
	else
		http_reply_text(reply, 400, "no message\n");
	free(text);
	buf_done(&message);
}

static void
handle(void *ctx, const struct http_request *req, struct http_reply *reply)
{
	struct responder *r = ctx;

	(void)pthread_mutex_lock(&r->own->lock);
	if (str_starts(req->query, "operation=GetCACaps")) {
		note(&r->getcaps, req);
		answer_caps(r, reply);
	} else if (str_starts(req->query, "operation=GetCACert")) {
		note(&r->getcacert, req);
		answer_certs(r, reply);
	} else if (str_starts(req->query, "operation=GetNextCACert")) {
		http_reply_text(reply, 404, "there is none\n");
	} else if (str_starts(req->query, "operation=PKIOperation")) {
		pki_operation(r, req, reply);
	} else {
		http_reply_text(reply, 403, "no operation\n");
	}
	(void)pthread_mutex_unlock(&r->own->lock);
}

/* ---- start, stop */

static void
make_people(struct responder *r)
{
	struct responder_own *o = r->own;
	const char *ca = "CN=Test CA", *ra = "CN=Test RA";

	o->ca_key = new_key("rsa:2048");
	o->ra_key = new_key("rsa:2048");
	o->stranger_key = new_key("rsa:2048");
	o->other_ca_key = new_key("ec:p256");
	o->ec_key = new_key("ec:p256");
	r->ca_cert = new_cert(ca, o->ca_key, ca, o->ca_key, true);
	r->ra_cert = new_cert(ra, o->ra_key, ca, o->ca_key, false);
	o->stranger = new_cert(ra, o->stranger_key, ca, o->stranger_key, false);
	o->ec_ca = new_cert(ca, o->ec_key, ca, o->ec_key, true);
	o->ca = new_identity(r->ca_cert, o->ca_key);
	o->ra = new_identity(r->ra_cert, o->ra_key);
	o->by_stranger = new_identity(o->stranger, o->stranger_key);
}

void
responder_start(struct responder *r)
{
	struct http_server_conf conf = { .handler = handle, .ctx = r };
	struct err err;
	uint16_t port;

	memset(r, 0, sizeof(*r));
	r->own = calloc(1, sizeof(*r->own));
	assert_non_null(r->own);
	(void)pthread_mutex_init(&r->own->lock, NULL);
	buf_init(&r->own->last, LIMIT_SCEP_MESSAGE);
	buf_init(&r->own->csr, LIMIT_CSR);
	buf_init(&r->own->signer, LIMIT_CERT);
	make_people(r);
	assert_ok(http_server_new(&r->own->http, &conf, &err), err);
	assert_ok(http_listen(r->own->http, "127.0.0.1:0", NULL, NULL, &port, &err), err);
	assert_ok(http_server_start(r->own->http, &err), err);
	(void)snprintf(r->url, sizeof(r->url), "http://127.0.0.1:%u/scep", port);
	responder_reset(r);
}

void
responder_reset(struct responder *r)
{
	free(r->op.target);
	free(r->getcaps.target);
	free(r->getcacert.target);
	memset(&r->op, 0, sizeof(r->op));
	memset(&r->getcaps, 0, sizeof(r->getcaps));
	memset(&r->getcacert, 0, sizeof(r->getcacert));
	r->conduct = OBEY;
	r->listing = LIST_RA_AND_CA;
	r->caps = ALL_CAPS;
	r->turn_at = 0;
	r->pendings = 0;
	r->without_text = false;
}

void
responder_stop(struct responder *r)
{
	struct responder_own *o = r->own;

	http_server_stop(o->http, 0);
	http_server_free(o->http);
	responder_reset(r);
	scep_identity_free(o->ra);
	scep_identity_free(o->ca);
	scep_identity_free(o->by_stranger);
	cert_free(r->ca_cert);
	cert_free(r->ra_cert);
	cert_free(o->stranger);
	cert_free(o->ec_ca);
	key_free(o->ca_key);
	key_free(o->ra_key);
	key_free(o->stranger_key);
	key_free(o->other_ca_key);
	key_free(o->ec_key);
	buf_done(&o->last);
	buf_done(&o->csr);
	buf_done(&o->signer);
	cert_free(o->issued);
	(void)pthread_mutex_destroy(&o->lock);
	free(o);
}
