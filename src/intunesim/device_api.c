/*
 * device_api.c - what devices say: check-in, installed, failed (docs/intunesim-api.md).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/text.h"
#include "intunesim/challenge.h"
#include "intunesim/deeds.h"
#include "intunesim/services.h"

static bool
find_device(struct call *c)
{
	if ((c->device = view_device(c->view, c->arg[0])) != NULL) {
		c->tenant = c->device->tenant;
		if (c->device->conf->managed)
			return true;
		call_error(c, 404, "Intune does not manage the device \"%s\"", c->arg[0]);
		return false;
	}
	call_error(c, 404, "there is no device \"%s\"", c->arg[0]);
	return false;
}

/* ---- check-in ---- */

static json_t *
device_json(const struct device *d)
{
	return json_pack("{s:s, s:s, s:s, s:s?, s:s?}", "id", d->conf->id, "name", d->conf->name,
	    "platform", platform_name(d->conf->platform), "serialNumber", d->conf->serial, "user",
	    d->user != NULL ? d->user->upn : NULL);
}

/* Assigned, for this platform, and with a certificate to hand out. */
static bool
gets_root(const struct call *c, const struct root *r)
{
	return r->conf->platform == c->device->conf->platform &&
	    tenant_assigns(c->tenant, c->device, &r->conf->groups);
}

static json_t *
root_json(const struct root *r)
{
	struct buf b64;
	const uint8_t *der;
	json_t *o = NULL;
	size_t len;

	der = cert_der0(r->cert, &len);
	buf_init(&b64, 2 * LIMIT_CERT);
	base64_add(&b64, der, len);
	if (b64.rc == RC_OK)
		o = json_pack("{s:s, s:s, s:s}", "profile", r->conf->name, "certificate",
		    buf_str(&b64), "thumbprint", r->thumbprint);
	buf_done(&b64);
	return o;
}

static json_t *
roots_json(const struct call *c)
{
	json_t *list = json_array();

	for (size_t i = 0; i < c->tenant->n_roots; i++) {
		const struct root *r = &c->tenant->roots[i];

		if (r->cert != NULL && gets_root(c, r))
			json_array_append_new(list, root_json(r));
	}
	return list;
}

static json_t *
strings_json(const char *const *v, size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, json_string(v[i]));
	return list;
}

static json_t *
urls_json(const struct call *c, const struct profile *p)
{
	const struct sim_options *o = &c->sim->options;

	if (o->n_scep_urls > 0)
		return strings_json(o->scep_urls, o->n_scep_urls);
	return strings_json(p->conf->scep_urls.v, p->conf->scep_urls.n);
}

static json_t *
key_usage_json(const struct profile *p)
{
	static const struct {
		unsigned bit;
		const char *name;
	} usages[] = {
		{ KU_DIGITAL_SIGNATURE, "digitalSignature" },
		{ KU_KEY_ENCIPHERMENT, "keyEncipherment" },
	};
	json_t *list = json_array();

	for (size_t i = 0; i < 2; i++) {
		if ((p->key_usage & usages[i].bit) != 0)
			json_array_append_new(list, json_string(usages[i].name));
	}
	return list;
}

/* Apple devices never ask for a validity; NULL leaves it out. */
static json_t *
validity_json(const struct profile *p)
{
	static const char *const periods[] = { "Days", "Months", "Years" };
	const struct profile_conf *c = p->conf;

	if (c->platform == PLATFORM_IOS || c->platform == PLATFORM_MACOS)
		return NULL;
	return json_pack("{s:s, s:o}", "period", periods[c->validity.period], "units",
	    json_sprintf("%llu", (unsigned long long)c->validity.units));
}

/* Seal it, and open it again: a challenge that would not open must never reach a device. */
static enum rc
seal(struct buf *out, const struct call *c, const struct challenge *ch, struct err *err)
{
	struct buf payload, opened;
	enum scep_code code;
	enum rc rc;

	buf_init(&payload, CHALLENGE_PAYLOAD_MAX);
	buf_init(&opened, CHALLENGE_PAYLOAD_MAX);
	if ((rc = json_add_text(&payload, ch->json, err)) == RC_OK &&
	    (rc = challenge_seal(out, c->tenant, payload.data, payload.len, err)) == RC_OK)
		rc = challenge_open(&opened, &code, c->sim, c->view, buf_str(out), err);
	buf_wipe(&payload);
	buf_wipe(&opened);
	return rc == RC_DENIED ? fail(err, RC_BUG, "a new challenge does not open") : rc;
}

static json_t *
scep_json(const struct call *c, const struct profile *p, const struct challenge *ch,
    const char *challenge)
{
	static const char *const hashes[] = { "sha1", "sha256" };
	/* Only Windows leaves the choice to the profile; the others sign with SHA-256. */
	const char *hash = p->conf->platform == PLATFORM_WINDOWS ? hashes[p->conf->hash] : "sha256";
	char revision[17]; /* 64 bits in hex */
	json_t *o, *validity;

	(void)snprintf(revision, sizeof(revision), "%016llx", (unsigned long long)p->edition);
	o = json_pack("{s:s, s:s, s:s, s:o, s:s, s:s, s:s, s:O, s:o, s:O, s:i, s:s, s:s, s:i, s:s}",
	    "profile", p->conf->name, "profileId", p->id, "requestId", ch->request_id, "urls",
	    urls_json(c, p), "challenge", challenge, "expires", ch->expires, "subject", ch->subject,
	    "san", ch->san, "keyUsage", key_usage_json(p), "eku", ch->eku, "keySize",
	    p->key_bits != 0 ? (int)p->key_bits : 2048, "hash", hash, "caThumbprint",
	    p->ca_thumbprint, "renewalThreshold", (int)p->conf->renewal_threshold, "revision",
	    revision);
	if (o != NULL && (validity = validity_json(p)) != NULL)
		json_object_set_new(o, "validity", validity);
	return o;
}

/* The two lists of a check-in's answer. */
struct delivery {
	json_t *scep, *not_delivered;
};

static enum rc
deliver(struct delivery *to, const struct call *c, const struct profile *p, struct err *err)
{
	struct challenge ch;
	struct buf text;
	enum rc rc;

	if (!gets_root(c, p->root))
		return fail(err, RC_DENIED, "the trusted root profile \"%s\" is not assigned to it",
		    p->root->conf->name);
	if ((rc = challenge_make(&ch, c->sim, c->tenant, c->device, p, err)) != RC_OK)
		return rc;
	buf_init(&text, LIMIT_CHALLENGE);
	rc = seal(&text, c, &ch, err);
	if (rc == RC_OK &&
	    json_array_append_new(to->scep, scep_json(c, p, &ch, buf_str(&text))) != 0)
		rc = fail(err, RC_NOMEM, "out of memory");
	buf_wipe(&text);
	challenge_done(&ch);
	return rc;
}

/* What the device lacks is for the report; anything else is our fault. */
static enum rc
deliver_all(struct delivery *to, const struct call *c, struct err *err)
{
	enum rc rc;

	for (size_t i = 0; i < c->tenant->n_profiles; i++) {
		const struct profile *p = &c->tenant->profiles[i];

		if (!tenant_targets(c->device, p))
			continue;
		rc = deliver(to, c, p, err);
		if (rc == RC_OK) {
			state_challenge(c->sim->state, c->device, p);
		} else if (rc == RC_DENIED) {
			state_failed(c->sim->state, c->device, p, err->msg);
			json_array_append_new(to->not_delivered,
			    json_pack("{s:s, s:s, s:s}", "profile", p->conf->name, "profileId",
				p->id, "reason", err->msg));
		} else {
			return rc;
		}
	}
	return RC_OK;
}

/* A device that hears of its wipe or retirement gets nothing else any more. */
static bool
leaves(struct call *c)
{
	enum revocation_cause done;
	struct err err;

	if (device_carry_out(&done, c->sim, c->device, &err) != RC_OK) {
		call_broken(c, &err);
		return true;
	}
	if (done == CAUSE_NONE)
		return false;
	call_error(c, 410, "the device was %s and is no longer managed by Intune",
	    done == CAUSE_WIPE ? "wiped" : "retired");
	return true;
}

void
device_checkin(struct call *c)
{
	struct delivery d;
	struct err err;

	if (!find_device(c))
		return;
	state_synced(c->sim->state, c->device);
	if (leaves(c))
		return;
	d.scep = json_array();
	d.not_delivered = json_array();
	if (deliver_all(&d, c, &err) != RC_OK) {
		json_decref(d.scep);
		json_decref(d.not_delivered);
		call_broken(c, &err);
		return;
	}
	call_note(c, "checkin", "%zu profiles, %zu not delivered", json_array_size(d.scep),
	    json_array_size(d.not_delivered));
	call_json(c, 200,
	    json_pack("{s:o, s:o, s:o, s:o}", "device", device_json(c->device), "trustedRoots",
		roots_json(c), "scep", d.scep, "notDelivered", d.not_delivered));
}

/* ---- what became of it ---- */

/* The body's profile, which must be one of the device's; *body is the caller's in any case. */
static bool
read_outcome(struct call *c, json_t **body)
{
	struct err err;
	const char *id;

	*body = NULL;
	if (!find_device(c))
		return false;
	if (call_body(body, c, &err) != RC_OK) {
		call_error(c, 400, "%s", err.msg);
		return false;
	}
	id = json_get_str(*body, "profileId");
	c->profile = id != NULL ? tenant_profile(c->tenant, id) : NULL;
	if (c->profile != NULL && tenant_targets(c->device, c->profile))
		return true;
	call_error(c, 404, "the device has no profile with this profileId");
	return false;
}

static enum rc
read_certificate(struct cert **out, const json_t *body, struct err *err)
{
	const char *text;
	struct buf der;
	enum rc rc;

	if ((rc = json_need_str(&text, body, "certificate", err)) != RC_OK)
		return rc;
	buf_init(&der, LIMIT_CERT);
	rc = base64_decode(&der, text, strlen(text), BASE64_STRICT, err);
	if (rc == RC_OK)
		rc = cert_parse(out, der.data, der.len, err);
	buf_done(&der);
	return rc;
}

void
device_installed(struct call *c)
{
	char thumbprint[THUMBPRINT_MAX];
	struct cert *cert = NULL;
	struct err err;
	json_t *body;
	enum rc rc;

	if (read_outcome(c, &body)) {
		rc = read_certificate(&cert, body, &err);
		if (rc == RC_OK)
			rc = cert_thumbprint_sha1(thumbprint, cert, &err);
		if (rc == RC_OK) {
			state_installed(c->sim->state, c->device, c->profile, thumbprint);
			call_note(c, "installed", "%s", thumbprint);
			call_done(c);
		} else {
			call_error(c, err_reaction(rc)->http_status, "%s", err.msg);
		}
	}
	cert_free(cert);
	json_decref(body);
}

void
device_failed(struct call *c)
{
	const char *why;
	json_t *body;

	if (read_outcome(c, &body)) {
		why = json_get_str(body, "error");
		state_failed(
		    c->sim->state, c->device, c->profile, why != NULL ? why : "no reason given");
		call_note(c, "failed", "%s", why != NULL ? why : "");
		call_done(c);
	}
	json_decref(body);
}
