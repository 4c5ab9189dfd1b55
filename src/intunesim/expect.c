/*
 * expect.c - the payload of a challenge: what a request must look like, written and read.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "intunesim/challenge.h"
#include "intunesim/vars.h"
#include "ossl/alg.h"
#include "ossl/eku.h"
#include "ossl/name.h"

#define PASSWORD_BYTES 32
#define TEXT_MAX       4096 /* bytes of one expanded subject or alternative name */

/* Whom and what the texts are filled for. */
struct filling {
	const struct tenant *tenant;
	const struct device *device;
	const struct profile *profile;
};

/* *out is the caller's. */
static enum rc
fill_text(
    char **out, const struct filling *f, const char *text, enum var_place place, struct err *err)
{
	struct buf b;
	enum rc rc;

	buf_init(&b, TEXT_MAX);
	rc = vars_expand(&b, text, place, f->profile->conf, f->device->conf, f->device->user, err);
	if (rc == RC_LIMIT)
		rc = fail(err, RC_DENIED, "\"%s\" becomes longer than %d bytes", text, TEXT_MAX);
	if (rc == RC_OK)
		rc = str_dup(out, buf_str(&b), err);
	buf_done(&b);
	return rc;
}

static enum rc
add_subject(json_t *o, const struct filling *f, struct err *err)
{
	struct name name = { 0 };
	char *text;
	enum rc rc;

	if ((rc = fill_text(&text, f, f->profile->subject, PLACE_SUBJECT, err)) != RC_OK)
		return rc;
	/* A device that cannot read the subject could not make the request either. */
	if (text[0] != '\0' && (rc = name_from_text(&name, text, err)) != RC_OK && rc != RC_NOMEM) {
		err_context(err, "the subject \"%s\" is not a name", text);
		rc = err->rc = RC_DENIED;
	}
	if (rc == RC_OK && json_object_set_new(o, "subject", json_string(text)) != 0)
		rc = fail(err, RC_NOMEM, "out of memory");
	name_done(&name);
	free(text);
	return rc;
}

static enum rc
add_san(json_t *o, const struct filling *f, struct err *err)
{
	static const enum var_place places[] = { PLACE_SAN_EMAIL, PLACE_SAN_UPN, PLACE_SAN_DNS,
		PLACE_SAN_URI };
	const struct san_conf *san = f->profile->conf->san.v;
	json_t *list = json_array();
	char *text;
	enum rc rc;

	if (json_object_set_new(o, "san", list) != 0)
		return fail(err, RC_NOMEM, "out of memory");
	for (size_t i = 0; i < f->profile->conf->san.n; i++) {
		rc = fill_text(&text, f, san[i].value, places[san[i].type], err);
		if (rc != RC_OK)
			return rc;
		if (json_array_append_new(list,
			json_pack("{s:s, s:s}", "type", san_type_name((enum san_type)san[i].type),
			    "value", text)) != 0)
			rc = fail(err, RC_NOMEM, "out of memory");
		free(text);
		if (rc != RC_OK)
			return rc;
	}
	return RC_OK;
}

/* Apple devices ask for client authentication or for nothing, whatever else the profile says. */
static bool
asks_eku(const struct profile *p, const char *oid)
{
	return (p->conf->platform != PLATFORM_IOS && p->conf->platform != PLATFORM_MACOS) ||
	    strcmp(oid, OID_CLIENT_AUTH) == 0;
}

static enum rc
add_eku(json_t *o, const struct profile *p, struct err *err)
{
	json_t *list = json_array();

	for (size_t i = 0; i < p->n_eku; i++) {
		if (asks_eku(p, p->eku[i]))
			json_array_append_new(list, json_string(p->eku[i]));
	}
	if (json_object_set_new(o, "eku", list) != 0)
		return fail(err, RC_NOMEM, "out of memory");
	return RC_OK;
}

static enum rc
add_password(json_t *o, struct err *err)
{
	uint8_t bytes[PASSWORD_BYTES];
	struct buf text;
	enum rc rc;

	if ((rc = random_bytes(bytes, sizeof(bytes), err)) != RC_OK)
		return rc;
	buf_init(&text, 2 * PASSWORD_BYTES);
	base64url_add(&text, bytes, sizeof(bytes));
	if (json_object_set_new(o, "challengePassword", json_string(buf_str(&text))) != 0)
		rc = fail(err, RC_NOMEM, "out of memory");
	buf_wipe(&text);
	wipe(bytes, sizeof(bytes));
	return rc;
}

/* Ids and times. */
static enum rc
make_base(json_t **out, const struct filling *f, int64_t life, struct err *err)
{
	char created[TIME_TEXT_MAX], expires[TIME_TEXT_MAX], request[GUID_TEXT_MAX];
	const struct user_conf *user = f->device->user;
	int64_t now = clock_now();
	json_t *o;
	enum rc rc;

	if ((rc = guid_random(request, err)) != RC_OK)
		return rc;
	time_rfc3339(created, now);
	time_rfc3339(expires, now + life);
	o = json_pack("{s:i, s:s, s:s, s:s, s:s?, s:s, s:s, s:s, s:I, s:i, s:i}", "version", 1,
	    "tenantId", f->tenant->id, "certificateRequestId", request, "deviceId",
	    f->device->conf->id, "userId", user != NULL ? user->id : NULL, "profileId",
	    f->profile->id, "challengeCreation", created, "challengeExpiration", expires,
	    "challengeExpInterval", (json_int_t)(life / 60), "keyUsage", (int)f->profile->key_usage,
	    "keySize", (int)f->profile->key_bits);
	if (o == NULL)
		return fail(err, RC_NOMEM, "out of memory");
	*out = o;
	return RC_OK;
}

/* Borrow the members. */
static void
lend(struct challenge *out, json_t *o)
{
	*out = (struct challenge){
		.json = o,
		.tenant_id = json_get_str(o, "tenantId"),
		.request_id = json_get_str(o, "certificateRequestId"),
		.device_id = json_get_str(o, "deviceId"),
		.user_id = json_get_str(o, "userId"),
		.profile_id = json_get_str(o, "profileId"),
		.created = json_get_str(o, "challengeCreation"),
		.expires = json_get_str(o, "challengeExpiration"),
		.interval = json_integer_value(json_object_get(o, "challengeExpInterval")),
		.subject = json_get_str(o, "subject"),
		.san = json_object_get(o, "san"),
		.eku = json_object_get(o, "eku"),
		.key_usage = json_integer_value(json_object_get(o, "keyUsage")),
		.key_bits = json_integer_value(json_object_get(o, "keySize")),
	};
}

enum rc
challenge_make(struct challenge *out, const struct sim *s, const struct tenant *t,
    const struct device *d, const struct profile *p, struct err *err)
{
	struct filling f = { t, d, p };
	json_t *o = NULL;
	enum rc rc;

	if ((rc = make_base(&o, &f, s->options.challenge_life, err)) != RC_OK)
		return rc;
	if ((rc = add_subject(o, &f, err)) != RC_OK || (rc = add_san(o, &f, err)) != RC_OK ||
	    (rc = add_eku(o, p, err)) != RC_OK || (rc = add_password(o, err)) != RC_OK) {
		json_decref(o);
		return rc;
	}
	lend(out, o);
	return RC_OK;
}

enum rc
challenge_read(struct challenge *out, const void *payload, size_t len, struct err *err)
{
	json_t *o = NULL;
	enum rc rc;

	if ((rc = json_parse_object(&o, "the challenge", payload, len, err)) == RC_OK)
		lend(out, o);
	return rc;
}

void
challenge_done(struct challenge *c)
{
	json_decref(c->json);
	*c = (struct challenge){ 0 };
}
