/*
 * cert_json.c - a stored certificate as words.
 */
#include "scepctl/cert_json.h"

#include <stddef.h>

#include "store/store_foreign.h"

const char *
cert_state(const struct store_cert_row *r, int64_t now)
{
	if (r->revoked != 0)
		return cert_state_name(r->reason == REASON_HOLD ? CERT_HELD : CERT_REVOKED);
	return r->not_after < now ? "expired" : "valid";
}

json_t *
cert_json(const struct store_cert_row *r, int64_t now)
{
	const struct {
		const char *key, *value;
	} strs[] = {
		{ "serial", r->serial },
		{ "state", cert_state(r, now) },
		{ "subject", r->subject },
		{ "san", r->san },
		/* One that a CA of others has issued has no endpoint; of a bare one little is known. */
		{ "thumbprint", r->thumbprint[0] != '\0' ? r->thumbprint : NULL },
		{ "ca", r->ca },
		{ "endpoint", r->endpoint[0] != '\0' ? r->endpoint : NULL },
		{ "profile", r->profile },
		{ "transactionId", r->transaction_id },
	};
	json_t *o = json_object();
	bool ok = o != NULL;
	size_t i;

	for (i = 0; ok && i < sizeof(strs) / sizeof(strs[0]); i++)
		ok = ctl_json_str(o, strs[i].key, strs[i].value);
	ok = ok && ctl_json_time(o, "notBefore", r->not_before) &&
	    ctl_json_time(o, "notAfter", r->not_after != FOREIGN_NO_END ? r->not_after : 0) &&
	    ctl_json_time(o, "issued", r->issued);
	if (r->revoked != 0)
		ok = ok && ctl_json_time(o, "revoked", r->revoked) &&
		    ctl_json_str(o, "reason", ctl_reason_name(r->reason)) &&
		    ctl_json_str(o, "comment", r->revoked_why);
	if (!ok) {
		json_decref(o);
		return NULL;
	}
	return o;
}

/* ---- why ---- */

static json_t *
cause_json(const struct store_cause *c)
{
	json_t *o = json_object();

	if (o == NULL || !ctl_json_str(o, "source", cause_source_name(c->source)) ||
	    !ctl_json_str(o, "rule", c->rule[0] != '\0' ? c->rule : NULL) ||
	    !ctl_json_str(o, "effect", c->effect == CAUSE_REVOKE ? "revoke" : "hold") ||
	    !ctl_json_str(o, "reason", ctl_reason_name(c->reason)) ||
	    !ctl_json_time(o, "since", c->since) || !ctl_json_time(o, "until", c->until) ||
	    !ctl_json_str(o, "who", c->who) || !ctl_json_str(o, "comment", c->comment)) {
		json_decref(o);
		return NULL;
	}
	return o;
}

static bool
add_causes(json_t *o, const struct store_status *s)
{
	json_t *list = json_array();

	for (size_t i = 0; i < s->n_causes; i++)
		if (json_array_append_new(list, cause_json(&s->causes[i])) != 0) {
			json_decref(list);
			return false;
		}
	return json_object_set_new(o, "causes", list) == 0;
}

bool
cert_json_status(json_t *o, const struct store_status *s)
{
	json_t *status = json_object();
	struct buf text;
	bool ok;

	buf_init(&text, 4096);
	store_status_text(&text, s);
	ok = status != NULL && text.rc == RC_OK &&
	    ctl_json_str(status, "state", cert_state_name(s->state)) &&
	    ctl_json_time(status, "since", s->since) &&
	    ctl_json_str(
		status, "reason", s->state == CERT_GOOD ? NULL : ctl_reason_name(s->reason)) &&
	    add_causes(status, s) && ctl_json_str(o, "text", buf_str(&text)) &&
	    json_object_set(o, "status", status) == 0;
	buf_done(&text);
	json_decref(status);
	return ok;
}

/* A line for each cause says more than the one sentence where there are several. */
static void
print_cause(FILE *f, const struct store_cause *c)
{
	struct store_cause copy = *c;
	struct store_status alone = { .causes = &copy, .n_causes = 1 };
	struct buf text;

	buf_init(&text, 4096);
	store_status_derive(&alone);
	store_status_text(&text, &alone);
	ctl_line(f, "", text.rc == RC_OK ? buf_str(&text) : NULL);
	buf_done(&text);
}

void
cert_print_status(FILE *f, const struct store_status *s)
{
	struct buf text;

	if (s->state == CERT_GOOD)
		return;
	buf_init(&text, 4096);
	store_status_text(&text, s);
	ctl_line(f, "Why", text.rc == RC_OK ? buf_str(&text) : NULL);
	buf_done(&text);
	for (size_t i = 1; i < s->n_causes; i++)
		print_cause(f, &s->causes[i]);
	ctl_line(f, "Reason", ctl_reason_name(s->reason));
}

/* ---- whose ---- */

#define TEXT(label, key, field)                                                                    \
	{                                                                                          \
		label, key, offsetof(struct store_binding, field)                                  \
	}
static const struct {
	const char *label, *key;
	size_t offset;
} bound[] = {
	TEXT("Tenant", "tenant", tenant),
	TEXT("User", "upn", upn),
	TEXT("User id", "user", user),
	TEXT("Device id", "device", device),
	TEXT("Device object", "deviceObject", device_object),
	TEXT("Intune id", "managedDevice", managed),
	TEXT("Hardware", "serialNumber", serial_number),
	TEXT("SID", "sid", sid),
	TEXT("Platform", "platform", platform),
	TEXT("Owner", "owner", owner),
};

static const char *
bound_text(const struct store_binding *b, size_t i)
{
	const char *text = (const char *)b + bound[i].offset;

	return text[0] != '\0' ? text : NULL;
}

bool
cert_json_binding(json_t *o, const struct store_binding *b)
{
	json_t *v = json_object();
	bool ok = v != NULL && ctl_json_str(v, "state", binding_state_name(b->state));

	for (size_t i = 0; ok && i < sizeof(bound) / sizeof(bound[0]); i++)
		ok = ctl_json_str(v, bound[i].key, bound_text(b, i));
	ok = ok && ctl_json_time(v, "enrolled", b->enrolled) &&
	    ctl_json_time(v, "asked", b->asked) && json_object_set(o, "bound", v) == 0;
	json_decref(v);
	return ok;
}

void
cert_print_binding(FILE *f, const struct store_binding *b)
{
	static const char *const states[] = {
		[BINDING_OPEN] = "not yet: the directory is still to be asked",
		[BINDING_BOUND] = "by the ids below",
		[BINDING_UNKNOWN] = "no: the directory knows none of its names",
	};

	if (b->state == BINDING_NONE)
		return;
	ctl_line(f, "Bound",
	    store_binding_is_partial(b)
		? "in part, by the ids below: the directory does not know all whom it names"
		: (unsigned)b->state <= BINDING_UNKNOWN ? states[b->state]
							: binding_state_name(b->state));
	for (size_t i = 0; i < sizeof(bound) / sizeof(bound[0]); i++)
		ctl_line(f, bound[i].label, bound_text(b, i));
}
