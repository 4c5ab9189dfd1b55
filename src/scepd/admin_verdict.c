/* admin_verdict.c - /api/v1/verdict: JSON for whoever asks, and attributes for FreeRADIUS's rlm_rest. */
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "scepd/admin_int.h"
#include "scepd/verdict.h"

/* A refusal at the access point is asked about later; what let somebody in is told at level debug. */
static void
note(const struct admin_call *c, const struct admin_cert_ask *ask, const struct verdict *v)
{
	struct log_line l;

	metric_add(c->s->metrics, METRIC_VERDICTS, 1);
	if (v->word != VERDICT_GOOD)
		metric_add(c->s->metrics, METRIC_VERDICTS_AGAINST, 1);
	log_begin(&l, v->word == VERDICT_GOOD ? LOG_DEBUG : LOG_INFO, "verdict");
	log_str(&l, "verdict", verdict_name(v->word));
	log_str(&l, "serial", ask->serial);
	log_str(&l, "subj", v->cert.subject);
	if (v->word != VERDICT_GOOD)
		log_str(&l, "reason", v->text);
	log_str(&l, "who", c->who);
	log_str(&l, "ip", c->req->peer);
	log_end(&l);
}

/* false: the reply is filled.  `by_key`: the serial number alone is not enough. */
static bool
ask_for(struct verdict *v, struct admin_call *c, bool by_key)
{
	const struct verdict_from from = { c->s->store, c->s->foreign, c->s->n_foreign };
	struct admin_cert_ask ask;
	struct err err = { 0 };
	enum rc rc = strcmp(c->req->method, "POST") == 0
	    ? admin_cert_ask_parse(&ask, c->req->body, c->req->body_len, &err)
	    : admin_cert_ask_query(&ask, c->req->query, &err);

	if (rc == RC_OK && by_key && ask.ski[0] == '\0')
		rc = fail(&err, RC_PARSE, "ski is missing: the certificate's subjectKeyIdentifier");
	if (rc == RC_OK) {
		if ((rc = verdict_of(v, &from, &ask, clock_now(), &err)) == RC_OK)
			note(c, &ask, v);
		admin_cert_ask_done(&ask);
	}
	if (rc != RC_OK)
		admin_reply_error(c->reply, &err);
	return rc == RC_OK;
}

void
admin_verdict(struct admin_call *c)
{
	struct verdict v;
	bool known;

	if (!ask_for(&v, c, false))
		return;
	known = v.word != VERDICT_UNKNOWN;
	admin_reply_json(c->reply, 200,
	    json_pack("{s:s, s:b, s:s, s:o, s:o, s:o}", "verdict", verdict_name(v.word), "admit",
		v.word == VERDICT_GOOD, "text", v.text, "certificate",
		known ? admin_cert_json(&v.cert) : json_null(), "status",
		known ? admin_status_json(&v.status) : json_null(), "bound",
		known ? admin_binding_json(&v.binding) : json_null()));
	verdict_done(&v);
}

/* ---- FreeRADIUS ---- */

/*
 * One attribute as rlm_rest reads it.  Without "do_xlat" it would expand what stands in it, and a name
 * in a directory could run expansions in the RADIUS server.
 */
static bool
attribute(json_t *o, const char *name, const char *value)
{
	return value[0] == '\0' ||
	    json_object_set_new(o, name,
		json_pack("{s:b, s:b, s:s, s:[s]}", "do_xlat", 0, "is_json", 0, "op", ":=", "value",
		    value)) == 0;
}

/* An attribute of RADIUS holds 253 octets; text is cut between characters. */
#define ATTRIBUTE_MAX 253

static const char *
cut(char out[static ATTRIBUTE_MAX + 1], const char *text)
{
	size_t len = strnlen(text, ATTRIBUTE_MAX + 1);

	if (len > ATTRIBUTE_MAX)
		for (len = ATTRIBUTE_MAX; len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80;)
			len--;
	memcpy(out, text, len);
	out[len] = '\0';
	return out;
}

static json_t *
attributes(const struct verdict *v)
{
	const struct store_binding *b = &v->binding;
	char text[ATTRIBUTE_MAX + 1];
	json_t *o = json_object();
	bool ok = o != NULL && attribute(o, "control:Tmp-String-0", verdict_name(v->word)) &&
	    attribute(o, "control:Tmp-String-1", cut(text, b->upn)) &&
	    attribute(o, "control:Tmp-String-2", b->device) &&
	    attribute(o, "control:Tmp-String-3",
		cut(text, v->cert.profile != NULL ? v->cert.profile : ""));

	if (!ok) {
		json_decref(o);
		return NULL;
	}
	return o;
}

/* A RADIUS server may trust other CAs as well, whose serial numbers are their own: `ski` has to be there.
 * rlm_rest makes of the status: 200 updated, 403 userlock, 404 notfound, of others invalid or fail; and of
 * the text of a 403 its second Module-Failure-Message. */
void
admin_verdict_radius(struct admin_call *c)
{
	struct verdict v;

	if (!ask_for(&v, c, true))
		return;
	if (v.word == VERDICT_GOOD)
		admin_reply_json(c->reply, 200, attributes(&v));
	else
		http_reply_text(c->reply, v.word == VERDICT_UNKNOWN ? 404 : 403, "%s\n", v.text);
	verdict_done(&v);
}
