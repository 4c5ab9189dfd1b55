/* webhook_wire.c - what goes to a webhook, and the door for what comes back; see webhook.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/text.h"
#include "json/json.h"
#include "ossl/alg.h"
#include "scepd/webhook.h"

/* A CSR and a challenge in base64, names, and little else. */
#define BODY_MAX (LIMIT_CSR / 3 * 4 + 2 * LIMIT_CHALLENGE + 64 * KIB)

/* ---- the signature ---- */

enum rc
webhook_key(struct buf *out, const void *text, size_t len, struct err *err)
{
	static const char prefix[] = "whsec_"; /* Standard Webhooks: base64 of the key follows */
	const char *s = text;
	enum rc rc = RC_OK;

	if (len > strlen(prefix) && memcmp(s, prefix, strlen(prefix)) == 0)
		rc = base64_decode(
		    out, s + strlen(prefix), len - strlen(prefix), BASE64_STRICT, err);
	else
		buf_add(out, text, len);
	if (rc == RC_OK)
		rc = buf_ok(out, "webhook secret", err);
	if (rc == RC_PARSE)
		return fail(err, RC_CONFIG, "the secret begins with whsec_ but is not base64");
	if (rc == RC_OK && out->len < WEBHOOK_SECRET_MIN)
		return fail(
		    err, RC_CONFIG, "the secret has fewer than %d bytes", WEBHOOK_SECRET_MIN);
	return rc;
}

enum rc
webhook_sign(char out[static WEBHOOK_SIGNATURE_MAX], const struct buf *key, const char *id,
    int64_t timestamp, const void *body, size_t len, struct err *err)
{
	uint8_t mac[32];
	struct buf text, b64;
	enum rc rc;

	buf_init(&text, BODY_MAX + 256);
	buf_init(&b64, WEBHOOK_SIGNATURE_MAX);
	buf_addf(&text, "%s.%lld.", id, (long long)timestamp);
	buf_add(&text, body, len);
	if ((rc = buf_ok(&text, "text of a signature", err)) == RC_OK &&
	    (rc = hmac_sha256(mac, key->data, key->len, text.data, text.len, err)) == RC_OK) {
		base64_add(&b64, mac, sizeof(mac));
		rc = buf_ok(&b64, "signature", err);
	}
	if (rc == RC_OK)
		(void)snprintf(out, WEBHOOK_SIGNATURE_MAX, "v1,%s", buf_str(&b64));
	buf_wipe(&text);
	buf_done(&b64);
	return rc;
}

/* ---- the question ---- */

/* Sets a member, taking the value; false when memory ran out. */
static bool
put(json_t *o, const char *key, json_t *v)
{
	return v != NULL && json_object_set_new(o, key, v) == 0;
}

static json_t *
base64_text(const uint8_t *p, size_t len)
{
	struct buf b;
	json_t *v;

	buf_init(&b, BODY_MAX);
	base64_add(&b, p, len);
	v = b.rc == RC_OK ? json_stringn((const char *)b.data, b.len) : NULL;
	buf_wipe(&b);
	return v;
}

static json_t *
subject_text(const struct csr *csr)
{
	struct buf b;
	json_t *v;

	buf_init(&b, LIMIT_CSR);
	name_text(&b, csr_subject0(csr));
	v = b.rc == RC_OK ? json_stringn(buf_str(&b), b.len) : NULL;
	buf_done(&b);
	return v;
}

/* A list of {type, value}: subject attributes and alternative names alike. */
static bool
add_pair(json_t *list, const char *type, const char *value)
{
	json_t *o = json_object();

	if (o != NULL && put(o, "type", json_string(type)) && put(o, "value", json_string(value)))
		return json_array_append_new(list, o) == 0;
	json_decref(o);
	return false;
}

static json_t *
subject_attributes(const struct csr *csr)
{
	const struct name *n = csr_subject0(csr);
	json_t *list = json_array();
	bool ok = list != NULL;

	for (size_t i = 0; ok && i < n->n; i++)
		ok = add_pair(list, n->attrs[i].label, n->attrs[i].value);
	if (ok)
		return list;
	json_decref(list);
	return NULL;
}

static json_t *
san_list(const struct csr *csr)
{
	const struct san_list *l = &csr_wishes0(csr)->san;
	json_t *list = json_array();
	bool ok = list != NULL;

	for (size_t i = 0; ok && i < l->n; i++)
		ok = add_pair(list, san_type_name(l->v[i].type), l->v[i].value);
	if (ok)
		return list;
	json_decref(list);
	return NULL;
}

/* The whole request holds its challenge: it goes where that may go, or where there is none. */
static bool
put_csr(json_t *o, const struct csr *csr, bool send_challenge)
{
	const char *challenge = NULL;
	enum csr_challenge have = csr_challenge0(csr, &challenge);
	const uint8_t *der;
	size_t len;

	if (!send_challenge && have != CSR_CHALLENGE_NONE)
		return true;
	der = csr_der0(csr, &len);
	return put(o, "csr", base64_text(der, len)) &&
	    (!send_challenge || have != CSR_CHALLENGE_ONE ||
		put(o, "challenge", json_string(challenge)));
}

static bool
put_question(json_t *o, const struct webhook_question *q, bool send_challenge)
{
	char hash[65];
	const uint8_t *spki;
	size_t len;

	hex_lower(hash, csr_sha256(q->csr), 32);
	spki = key_spki0(csr_key0(q->csr), &len);
	return put(o, "type", json_string("scep.request")) && put(o, "version", json_integer(1)) &&
	    put(o, "endpoint", json_string(q->endpoint)) &&
	    put(o, "profile", json_string(q->profile)) &&
	    put(o, "transactionId", json_string(q->transaction_id)) &&
	    put(o, "peer", json_string(q->peer)) &&
	    put(o, "renewal", json_boolean(q->replaces != NULL)) &&
	    put(o, "replaces", json_text_or_null(q->replaces)) &&
	    put(o, "subject", subject_text(q->csr)) &&
	    put(o, "subjectAttributes", subject_attributes(q->csr)) &&
	    put(o, "san", san_list(q->csr)) &&
	    put(o, "key", json_string(key_info0(csr_key0(q->csr))->name)) &&
	    put(o, "publicKey", base64_text(spki, len)) && put(o, "csrSha256", json_string(hash)) &&
	    put_csr(o, q->csr, send_challenge);
}

enum rc
webhook_body(
    struct buf *out, const struct webhook_question *q, bool send_challenge, struct err *err)
{
	json_t *o = json_object();
	enum rc rc;

	if (o != NULL && put_question(o, q, send_challenge))
		rc = json_add_text(out, o, err);
	else
		rc = fail(err, RC_NOMEM, "no memory for a question to the webhook");
	json_decref(o);
	return rc;
}

/* ---- the answer ---- */

static const struct {
	const char *word;
	enum webhook_says says;
} decisions[] = {
	{ "allow", WEBHOOK_ALLOW },
	{ "deny", WEBHOOK_DENY },
	{ "wait", WEBHOOK_WAIT },
};

static enum rc
take_decision(struct webhook_answer *out, const json_t *o, struct err *err)
{
	const char *word, *reason = json_get_str(o, "reason");
	enum rc rc;

	if ((rc = json_need_str(&word, o, "decision", err)) != RC_OK)
		return rc;
	for (size_t i = 0; i < sizeof(decisions) / sizeof(decisions[0]); i++) {
		if (strcmp(decisions[i].word, word) != 0)
			continue;
		out->says = decisions[i].says;
		(void)snprintf(
		    out->reason, sizeof(out->reason), "%s", reason != NULL ? reason : "");
		str_printable(out->reason); /* also what was cut inside a character */
		return RC_OK;
	}
	return fail(err, RC_PARSE, "\"%.40s\" is no decision: allow, deny or wait", word);
}

enum rc
webhook_answer_parse(struct webhook_answer *out, const void *bytes, size_t len, struct err *err)
{
	struct webhook_answer got = { 0 };
	json_t *o = NULL;
	enum rc rc;

	if (len > WEBHOOK_ANSWER_MAX)
		return fail(
		    err, RC_LIMIT, "the answer is longer than %u bytes", WEBHOOK_ANSWER_MAX);
	if ((rc = json_parse_object(&o, "the answer", bytes, len, err)) != RC_OK)
		return rc;
	rc = take_decision(&got, o, err);
	json_decref(o);
	if (rc == RC_OK)
		*out = got;
	return rc;
}
