/* admin_status_json.c - certificates and why they are not good, as the admin API tells them. */
#include "ca/reason.h"
#include "scepd/admin_int.h"
#include "store/store_foreign.h"

static json_t *
cause_json(const struct store_cause *c)
{
	return json_pack("{s:s, s:o, s:s, s:s, s:o, s:o, s:o, s:o}", "source",
	    cause_source_name(c->source), "rule", json_text_or_null(c->rule), "effect",
	    c->effect == CAUSE_REVOKE ? "revoke" : "hold", "reason", reason_name(c->reason),
	    "since", json_time_or_null(c->since), "until", json_time_or_null(c->until), "who",
	    json_text_or_null(c->who), "comment", json_text_or_null(c->comment));
}

json_t *
admin_status_json(const struct store_status *s)
{
	json_t *causes = json_array();

	for (size_t i = 0; causes != NULL && i < s->n_causes; i++)
		if (json_array_append_new(causes, cause_json(&s->causes[i])) != 0) {
			json_decref(causes);
			causes = NULL;
		}
	if (causes == NULL)
		return NULL;
	return json_pack("{s:s, s:o, s:o, s:o}", "state", cert_state_name(s->state), "since",
	    json_time_or_null(s->since), "reason",
	    s->state == CERT_GOOD ? json_null() : json_string(reason_name(s->reason)), "causes",
	    causes);
}

json_t *
admin_binding_json(const struct store_binding *b)
{
	return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "state",
	    binding_state_name(b->state), "tenant", json_text_or_null(b->tenant), "user",
	    json_text_or_null(b->user), "upn", json_text_or_null(b->upn), "device",
	    json_text_or_null(b->device), "deviceObject", json_text_or_null(b->device_object),
	    "managedDevice", json_text_or_null(b->managed), "serialNumber",
	    json_text_or_null(b->serial_number), "platform", json_text_or_null(b->platform),
	    "owner", json_text_or_null(b->owner));
}

json_t *
admin_cert_json(const struct store_cert_row *r)
{
	return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "serial", r->serial, "ca",
	    r->ca, "endpoint", json_text_or_null(r->endpoint), "profile",
	    json_text_or_null(r->profile), "subject", json_text_or_null(r->subject), "san",
	    json_text_or_null(r->san), "thumbprint", json_text_or_null(r->thumbprint), "notBefore",
	    json_time_or_null(r->not_before), "notAfter",
	    json_time_or_null(r->not_after != FOREIGN_NO_END ? r->not_after : 0));
}
