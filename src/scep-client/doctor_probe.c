/* doctor_probe.c - requests that a server has to refuse; see doctor.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/text.h"
#include "ossl/cms.h"
#include "scep-client/doctor.h"
#include "scep-client/enrol.h"
#include "scep/attrs.h"

#define WRONG_CHALLENGE "scep-doctor: this challenge is wrong on purpose"
#define PROBE_SUBJECT   "CN=scep-doctor probe"

static const struct probe {
	const char *id, *manner;
	unsigned platforms;
	enum session_method method;
	const char *how;
} probes[] = {
	{ "probe-windows", "windows", ON_WINDOWS, METHOD_CHOOSE, "POST, key in RSAES-OAEP" },
	{ "probe-apple", "apple", ON_APPLE, METHOD_CHOOSE, "as the capabilities say" },
	{ "probe-apple-get", "apple", ON_APPLE, METHOD_GET, "GET with raw '+' and '/'" },
	{ "probe-android", "android", ON_ANDROID, METHOD_CHOOSE, "POST" },
	{ "probe-strongswan", "strongswan", ON_STRONGSWAN, METHOD_CHOOSE, "POST" },
	{ "probe-cisco", "cisco", ON_CISCO, METHOD_CHOOSE, "HTTP/1.0, GET in lines of 64" },
	{ "probe-jscep", "jscep", ON_JSCEP, METHOD_CHOOSE, "BER with indefinite lengths" },
	{ "probe-sscep", "sscep", ON_SSCEP, METHOD_CHOOSE, "POST without Content-Type" },
};

/* ---- the form of a FAILURE ---- */

struct wanted {
	const char *oid, *name;
	uint8_t tag;
};
/* RFC 8894 3.2.1 table 1; the first two are CMS's own (RFC 5652 5.3). */
static const struct wanted wanted[] = {
	{ OID_CONTENT_TYPE, "contentType", DER_OID },
	{ OID_MESSAGE_DIGEST, "messageDigest", DER_OCTET_STRING },
	{ OID_TRANSACTION_ID, "transactionID", DER_PRINTABLE },
	{ OID_MESSAGE_TYPE, "messageType", DER_PRINTABLE },
	{ OID_PKI_STATUS, "pkiStatus", DER_PRINTABLE },
	{ OID_FAIL_INFO, "failInfo", DER_PRINTABLE },
	{ OID_SENDER_NONCE, "senderNonce", DER_OCTET_STRING },
	{ OID_RECIPIENT_NONCE, "recipientNonce", DER_OCTET_STRING },
};
#define WANTED (sizeof(wanted) / sizeof(wanted[0]))

static bool
is_text(const struct cms_value *v, const char *text)
{
	return v->body.len == strlen(text) && memcmp(v->body.p, text, v->body.len) == 0;
}

static void
judge_value(char out[static 256], const struct wanted *w, const struct cms_value *v,
    const struct scep_pending *p)
{
	if (v->tag != w->tag)
		(void)snprintf(out, 256,
		    "%s has another type than RFC 8894 3.2.1 gives it (tag %u)", w->name, v->tag);
	else if (strcmp(w->oid, OID_TRANSACTION_ID) == 0 && !is_text(v, p->transaction_id))
		(void)snprintf(out, 256, "transactionID is not that of the request");
	else if (strcmp(w->oid, OID_MESSAGE_TYPE) == 0 && !is_text(v, "3"))
		(void)snprintf(out, 256, "messageType is not 3 (CertRep)");
	else if (strcmp(w->oid, OID_FAIL_INFO) == 0 &&
	    (v->body.len != 1 || v->body.p[0] < '0' || v->body.p[0] > '4'))
		(void)snprintf(out, 256, "failInfo is none of 0 to 4");
	else if (strcmp(w->oid, OID_SENDER_NONCE) == 0 && v->body.len != NONCE_SIZE)
		(void)snprintf(out, 256, "senderNonce is %zu octets, not 16", v->body.len);
	else if (strcmp(w->oid, OID_RECIPIENT_NONCE) == 0 &&
	    !bytes_eq_ct(v->body.p, v->body.len, p->sender_nonce, sizeof(p->sender_nonce)))
		(void)snprintf(out, 256, "recipientNonce is not the request's senderNonce");
}

void
doctor_failure_form(
    char out[static 256], const void *p, size_t len, const struct scep_pending *pending)
{
	struct cms_signed *s = NULL;
	struct cms_value v;
	struct err err;

	out[0] = '\0';
	if (cms_signed_parse(&s, p, len, &err) != RC_OK) {
		(void)snprintf(out, 256, "no SignedData: %.200s", err.msg);
		return;
	}
	if (!cms_signed_has_signer(s))
		(void)snprintf(out, 256, "it is not signed");
	else if (cms_signed_signer0(s) == NULL)
		(void)snprintf(out, 256, "the signer's certificate is not in it");
	for (size_t i = 0; i < WANTED && out[0] == '\0'; i++) {
		if (cms_signed_attr(s, wanted[i].oid, &v, &err) == RC_OK)
			judge_value(out, &wanted[i], &v, pending);
		else
			(void)snprintf(out, 256, "the signed attribute %s is %s", wanted[i].name,
			    err.rc == RC_NOTFOUND ? "missing" : "there more than once");
	}
	if (out[0] == '\0' && cms_signed_content0(s).len > 0)
		(void)snprintf(out, 256, "a FAILURE has content (RFC 8894 3.3.2.2)");
	cms_signed_free(s);
}

/* ---- one probe ---- */

struct shot {
	const struct probe *p;
	struct findings *out;
	struct session *s;
	struct enrol_message m;
	struct buf reply;
};

static void
judge(struct shot *t, const struct key *key)
{
	const struct probe *p = t->p;
	struct enrol_result r = { 0 };
	char form[256];
	struct err err;

	if (enrol_message_judge(&r, t->s, &t->m, key, t->reply.data, t->reply.len, &err) != RC_OK) {
		/* What is wrong with its form explains more than that it was not understood. */
		doctor_failure_form(form, t->reply.data, t->reply.len, &t->m.pending);
		findings_add(t->out, p->id, p->platforms, LEVEL_BAD,
		    "A refusal is a CertRep with all attributes of RFC 8894 3.2.1, signed by the "
		    "RA "
		    "(or CA) that GetCACert tells.",
		    "the answer to a wrong challenge is no CertRep that a client takes: "
		    "%.200s%s%.180s",
		    err.msg, form[0] != '\0' ? "; " : "", form);
		return;
	}
	doctor_failure_form(form, t->reply.data, t->reply.len, &t->m.pending);
	if (r.status == SCEP_SUCCESS)
		findings_add(t->out, p->id, ON_ALL, LEVEL_BAD,
		    "Revoke that certificate, and find out what this server takes for an "
		    "authorisation.",
		    "a certificate was issued although the challenge was wrong: anybody can enrol");
	else if (r.status == SCEP_PENDING)
		findings_add(t->out, p->id, p->platforms, LEVEL_WARN,
		    "Deny the request; Windows and Apple do not poll for long.",
		    "the request is kept for approval (transaction %s), whatever its challenge",
		    r.transaction_id);
	else if (form[0] != '\0')
		findings_add(t->out, p->id, p->platforms, LEVEL_BAD,
		    "A refusal is a CertRep with all attributes of RFC 8894 3.2.1.",
		    "the refusal of a wrong challenge: %.200s", form);
	else if (r.fail_text[0] == '\0')
		findings_add(t->out, p->id, p->platforms, LEVEL_WARN,
		    "Add failInfoText (RFC 8894 3.2.1.4).",
		    "a wrong challenge is refused as it should be, but without a word why (%s)",
		    scep_fail_info_name(r.fail_info));
	else
		findings_add(t->out, p->id, p->platforms, LEVEL_OK, NULL,
		    "a wrong challenge is refused as it should be (%s): %s", p->how,
		    scep_fail_info_name(r.fail_info));
	enrol_result_done(&r);
}

static enum rc
fire(struct shot *t, const struct doctor_conf *conf, struct key *key, const struct name *subject,
    struct err *err)
{
	struct session_conf sc = { .url = conf->url,
		.ca_file = conf->ca_file,
		.timeout_ms = conf->timeout_ms,
		.manner = manner_by_name(t->p->manner) };
	struct enrol_request req = { .csr = { .subject = subject, .challenge = WRONG_CHALLENGE },
		.key = key };
	enum rc rc;

	if ((rc = session_open(&t->s, &sc, err)) != RC_OK ||
	    (rc = enrol_message_build(&t->m, t->s, &req, err)) != RC_OK)
		return rc;
	return session_pki_operation(
	    t->s, &t->m.bytes, session_by_get(t->s, t->p->method), &t->reply, err);
}

static void
probe(struct findings *out, const struct probe *p, const struct doctor_conf *conf, struct key *key,
    const struct name *subject)
{
	struct shot t = { .p = p, .out = out };
	struct err err;
	char line[128];

	(void)snprintf(line, sizeof(line), "a wrong challenge, as %s (%s)",
	    manner_by_name(p->manner)->title, p->how);
	if (conf->progress != NULL)
		conf->progress(conf->progress_arg, line);
	buf_init(&t.reply, LIMIT_SCEP_MESSAGE);
	if (fire(&t, conf, key, subject, &err) == RC_OK)
		judge(&t, key);
	else
		findings_add(out, p->id, p->platforms, LEVEL_BAD,
		    err.hint[0] != '\0' ? err.hint
					: "A refusal is HTTP 200 and a signed CertRep FAILURE; "
					  "devices make nothing of "
					  "an HTTP error.",
		    "%s (%s)", err.msg, p->how);
	buf_done(&t.reply);
	enrol_message_done(&t.m);
	session_free(t.s);
}

void
doctor_probe(struct findings *out, const struct doctor_conf *conf)
{
	struct key *key = NULL;
	struct name subject = { 0 };
	struct err err;

	if (name_from_text(&subject, PROBE_SUBJECT, &err) != RC_OK ||
	    key_generate(&key, "rsa:2048", &err) != RC_OK)
		findings_add(out, "probe", ON_ALL, LEVEL_BAD, NULL, "cannot probe: %s", err.msg);
	for (size_t i = 0; key != NULL && i < sizeof(probes) / sizeof(probes[0]); i++)
		probe(out, &probes[i], conf, key, &subject);
	key_free(key);
	name_done(&subject);
}
