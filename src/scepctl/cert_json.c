/*
 * cert_json.c - a stored certificate as words.
 */
#include "scepctl/cert_json.h"

const char *
cert_state(const struct store_cert_row *r, int64_t now)
{
	if (r->revoked != 0)
		return "revoked";
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
		{ "thumbprint", r->thumbprint },
		{ "ca", r->ca },
		{ "endpoint", r->endpoint },
		{ "profile", r->profile },
		{ "transactionId", r->transaction_id },
	};
	json_t *o = json_object();
	bool ok = o != NULL;
	size_t i;

	for (i = 0; ok && i < sizeof(strs) / sizeof(strs[0]); i++)
		ok = ctl_json_str(o, strs[i].key, strs[i].value);
	ok = ok && ctl_json_time(o, "notBefore", r->not_before) &&
	    ctl_json_time(o, "notAfter", r->not_after) && ctl_json_time(o, "issued", r->issued);
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
