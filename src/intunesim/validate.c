/*
 * validate.c - the checks, as a table in the order in which they are made.
 *
 * Microsoft publishes what is compared, not in which order; this one follows the names of the
 * codes.
 */
#include "intunesim/validate.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/text.h"

#define FUTURE_MAX 300 /* seconds that a challenge may seem to come from the future */

/* Say no.  RC_DENIED, for the loop in validate(). */
static enum rc refuse(struct validation *v, enum scep_code code, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

static enum rc
refuse(struct validation *v, enum scep_code code, const char *fmt, ...)
{
	va_list ap;

	v->code = code;
	va_start(ap, fmt);
	vsnprintf(v->detail, sizeof(v->detail), fmt, ap);
	va_end(ap);
	str_printable(v->detail);
	return RC_DENIED;
}

/* ---- the request and its challenge ---- */

static enum rc
parse_csr(struct validation *v, const struct buf *der, struct err *err)
{
	enum rc rc = csr_parse(&v->csr, der->data, der->len, err);

	if (rc == RC_INTEGRITY)
		return refuse(v, CODE_SIGNATURE_VALIDATION_FAILED, "%s", err->msg);
	if (rc == RC_OK || rc == RC_NOMEM || rc == RC_CRYPTO || rc == RC_BUG)
		return rc;
	return refuse(v, CODE_CERTIFICATE_REQUEST_DECODING_FAILED, "%s", err->msg);
}

static enum rc
check_request(struct validation *v, struct err *err)
{
	size_t len = strlen(v->request_b64);
	struct buf der;
	enum rc rc;

	buf_init(&der, LIMIT_CSR);
	rc = base64_decode(&der, v->request_b64, len, BASE64_STRICT, err);
	if (rc == RC_OK)
		rc = parse_csr(v, &der, err);
	else if (rc != RC_NOMEM)
		rc = refuse(v, CODE_CERTIFICATE_REQUEST_DECODING_FAILED, "%s", err->msg);
	buf_done(&der);
	return rc;
}

static enum rc
check_password(struct validation *v, struct err *err)
{
	(void)err;
	switch (csr_challenge0(v->csr, &v->challenge_text)) {
	case CSR_CHALLENGE_ONE:
		return RC_OK;
	case CSR_CHALLENGE_SEVERAL:
		return refuse(v, CODE_CHALLENGE_PASSWORD_MISSING,
		    "There are several challengePassword values.");
	default:
		return refuse(
		    v, CODE_CHALLENGE_PASSWORD_MISSING, "There is no challengePassword attribute.");
	}
}

static enum rc
check_challenge(struct validation *v, struct err *err)
{
	struct buf payload;
	enum scep_code code;
	enum rc rc;

	buf_init(&payload, CHALLENGE_PAYLOAD_MAX);
	rc = challenge_open(&payload, &code, v->sim, v->view, v->challenge_text, err);
	if (rc == RC_DENIED) {
		rc = refuse(v, code, "%s", err->msg);
	} else if (rc == RC_OK) {
		rc = challenge_read(&v->challenge, payload.data, payload.len, err);
		if (rc == RC_PARSE || rc == RC_LIMIT)
			rc = refuse(v, CODE_CHALLENGE_DESERIALIZATION_ERROR, "%s", err->msg);
	}
	buf_wipe(&payload);
	return rc;
}

/* ---- ids ---- */

static enum rc
check_tenant(struct validation *v, struct err *err)
{
	const char *id = v->challenge.tenant_id;

	(void)err;
	if (id == NULL || !guid_valid(id))
		return refuse(v, CODE_BAD_TENANT_ID, "The tenant id is no GUID.");
	if (!str_eq_nocase(id, v->caller->id))
		return refuse(v, CODE_BAD_TENANT_ID,
		    "tenantId in challenge does not match tenantId from security token.");
	return RC_OK;
}

static enum rc
check_request_id(struct validation *v, struct err *err)
{
	const char *id = v->challenge.request_id;

	(void)err;
	if (id == NULL || !guid_valid(id))
		return refuse(
		    v, CODE_BAD_CERTIFICATE_REQUEST_ID, "The certificate request id is no GUID.");
	return RC_OK;
}

static enum rc
check_device(struct validation *v, struct err *err)
{
	const char *id = v->challenge.device_id;

	(void)err;
	if (id == NULL || !guid_valid(id))
		return refuse(v, CODE_BAD_DEVICE_ID, "The device id is no GUID.");
	if ((v->device = tenant_device(v->caller, id)) == NULL)
		return refuse(v, CODE_BAD_DEVICE_ID, "There is no device with id %s.", id);
	if (v->challenge.profile_id != NULL)
		v->profile = tenant_profile(v->caller, v->challenge.profile_id);
	return RC_OK;
}

/* A device without a user has a challenge without one. */
static enum rc
check_user(struct validation *v, struct err *err)
{
	const char *id = v->challenge.user_id;

	(void)err;
	if (id == NULL && v->device->user == NULL)
		return RC_OK;
	if (id == NULL || !guid_valid(id))
		return refuse(v, CODE_BAD_USER_ID, "The user id is no GUID.");
	if (v->device->user == NULL || !str_eq_nocase(v->device->user->id, id))
		return refuse(v, CODE_BAD_USER_ID, "%s is not the user of the device.", id);
	return RC_OK;
}

/* ---- times ---- */

static enum rc
check_timestamp(struct validation *v, struct err *err)
{
	const struct challenge *c = &v->challenge;

	if (c->created == NULL || c->expires == NULL ||
	    time_parse_rfc3339(&v->created, c->created, err) != RC_OK ||
	    time_parse_rfc3339(&v->expires, c->expires, err) != RC_OK)
		return refuse(v, CODE_CHALLENGE_INVALID_TIMESTAMP, "A time cannot be read.");
	if (v->created >= v->expires || v->created > clock_now() + FUTURE_MAX)
		return refuse(v, CODE_CHALLENGE_INVALID_TIMESTAMP,
		    "challengeCreation=%s, challengeExpiration=%s", c->created, c->expires);
	return RC_OK;
}

/* "10/21/2024 09:55:33", as .NET writes a UTC time for the invariant culture. */
static void
dotnet_time(char *out, size_t size, int64_t t)
{
	int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
	char text[TIME_TEXT_MAX];

	time_rfc3339(text, t);
	if (sscanf(text, "%d-%d-%dT%d:%d:%d", &year, &month, &day, &hour, &minute, &second) != 6)
		out[0] = '\0';
	else
		snprintf(out, size, "%02d/%02d/%04d %02d:%02d:%02d", month, day, year, hour, minute,
		    second);
}

static enum rc
check_expiry(struct validation *v, struct err *err)
{
	char created[48], expires[48];

	(void)err;
	if (clock_now() < v->expires)
		return RC_OK;
	dotnet_time(created, sizeof(created), v->created);
	dotnet_time(expires, sizeof(expires), v->expires);
	return refuse(v, CODE_CHALLENGE_EXPIRED,
	    "SCEP Challenge has expired. challengeExpInterval=%lld, challengeExpiration=%s, "
	    "challengeCreation=%s",
	    (long long)v->challenge.interval, expires, created);
}

/* ---- what the request says, against what was expected ---- */

static enum rc
compare_subjects(struct validation *v, const struct name *want, const char *text)
{
	const struct name *have = csr_subject0(v->csr);
	struct buf shown;
	enum rc rc;

	if (have->n == 0 && want->n > 0)
		return refuse(v, CODE_SUBJECT_NAME_MISSING, "Expected \"%s\".", text);
	if (name_same(have, want))
		return RC_OK;
	buf_init(&shown, 4096);
	name_text(&shown, have);
	rc = refuse(v, CODE_SUBJECT_NAME_MISMATCH, "Expected \"%.150s\", found \"%.150s\".", text,
	    buf_str(&shown));
	buf_done(&shown);
	return rc;
}

static enum rc
check_subject(struct validation *v, struct err *err)
{
	const char *text = v->challenge.subject != NULL ? v->challenge.subject : "";
	struct name want = { 0 };
	enum rc rc = RC_OK;

	if (text[0] != '\0')
		rc = name_from_text(&want, text, err);
	if (rc == RC_OK)
		rc = compare_subjects(v, &want, text);
	else if (rc != RC_NOMEM)
		rc = refuse(v, CODE_SUBJECT_NAME_MISMATCH, "%s", err->msg);
	name_done(&want);
	return rc;
}

static bool
san_is(const struct san *have, const json_t *want)
{
	const char *type = json_get_str(want, "type"), *value = json_get_str(want, "value");

	return type != NULL && value != NULL && strcmp(san_type_name(have->type), type) == 0 &&
	    strcmp(have->value, value) == 0;
}

/* How often the list has it: both lists are held against each other as multisets. */
static size_t
count_in_csr(const struct san_list *list, const json_t *want)
{
	size_t n = 0;

	for (size_t i = 0; i < list->n; i++)
		n += san_is(&list->v[i], want);
	return n;
}

static size_t
count_wanted(const json_t *san, const json_t *want)
{
	const json_t *other;
	size_t i, n = 0;

	json_array_foreach(san, i, other) n += json_equal(other, want) == 1;
	return n;
}

static enum rc
check_san(struct validation *v, struct err *err)
{
	const struct csr_wishes *w = csr_wishes0(v->csr);
	const json_t *san = v->challenge.san, *want;
	size_t i;

	(void)err;
	if (json_array_size(san) > 0 && w->san.n == 0)
		return refuse(
		    v, CODE_SUBJECT_ALT_NAME_MISSING, "Expected %zu names.", json_array_size(san));
	if (json_array_size(san) != w->san.n)
		return refuse(v, CODE_SUBJECT_ALT_NAME_MISMATCH, "Expected %zu names, found %zu.",
		    json_array_size(san), w->san.n);
	json_array_foreach(san, i, want)
	{
		if (count_in_csr(&w->san, want) != count_wanted(san, want))
			return refuse(v, CODE_SUBJECT_ALT_NAME_MISMATCH, "Expected %s \"%.200s\".",
			    json_get_str(want, "type"), json_get_str(want, "value"));
	}
	return RC_OK;
}

static void
key_usage_text(char *out, size_t size, int64_t ku)
{
	snprintf(out, size, "%s%s%s", (ku & KU_DIGITAL_SIGNATURE) != 0 ? "DigitalSignature " : "",
	    (ku & KU_KEY_ENCIPHERMENT) != 0 ? "KeyEncipherment " : "",
	    (ku & ~(int64_t)(KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT)) != 0 ? "others " : "");
	if (out[0] == '\0')
		snprintf(out, size, "none ");
	out[strlen(out) - 1] = '\0';
}

static enum rc
check_key_usage(struct validation *v, struct err *err)
{
	const struct csr_wishes *w = csr_wishes0(v->csr);
	int64_t have = w->has_key_usage ? w->key_usage : 0;
	char want_text[64], have_text[64];

	(void)err;
	if (v->challenge.key_usage == 0 || have == v->challenge.key_usage)
		return RC_OK;
	key_usage_text(want_text, sizeof(want_text), v->challenge.key_usage);
	key_usage_text(have_text, sizeof(have_text), have);
	return refuse(v, CODE_KEY_USAGE_MISMATCH, "Expected %s, found %s.", want_text, have_text);
}

static bool
has_eku(const struct csr_wishes *w, const char *oid)
{
	for (size_t i = 0; i < w->n_eku; i++) {
		if (oid != NULL && strcmp(w->eku[i], oid) == 0)
			return true;
	}
	return false;
}

static enum rc
check_eku(struct validation *v, struct err *err)
{
	const struct csr_wishes *w = csr_wishes0(v->csr);
	const json_t *eku = v->challenge.eku, *want;
	size_t i;

	(void)err;
	if (json_array_size(eku) > 0 && w->n_eku == 0)
		return refuse(v, CODE_ENHANCED_KEY_USAGE_MISSING, "Expected %zu purposes.",
		    json_array_size(eku));
	json_array_foreach(eku, i, want)
	{
		if (!has_eku(w, json_string_value(want)))
			return refuse(v, CODE_ENHANCED_KEY_USAGE_MISMATCH, "Expected %s.",
			    json_string_value(want));
	}
	if (w->n_eku != json_array_size(eku))
		return refuse(v, CODE_ENHANCED_KEY_USAGE_MISMATCH,
		    "Expected %zu purposes, found %zu.", json_array_size(eku), w->n_eku);
	return RC_OK;
}

static enum rc
check_key_length(struct validation *v, struct err *err)
{
	const struct key_info *k = key_info0(csr_key0(v->csr));

	(void)err;
	if (k->type != KEY_RSA)
		return refuse(
		    v, CODE_KEY_LENGTH_MISMATCH, "Expected an RSA key, found %s.", k->name);
	if (v->challenge.key_bits == 0 || v->challenge.key_bits == k->bits)
		return RC_OK;
	return refuse(v, CODE_KEY_LENGTH_MISMATCH, "Expected %lld bits, found %u.",
	    (long long)v->challenge.key_bits, k->bits);
}

/* Windows Hello: only keys that the device has registered with Entra (CSP node
 * AADKeyIdentifierList). */
static enum rc
check_registered_key(struct validation *v, struct err *err)
{
	const struct conf_strs *keys = &v->device->conf->registered_keys;
	char hex[2 * 20 + 1];
	uint8_t id[20];
	enum rc rc;

	if (v->profile == NULL || v->profile->conf->ksp != KSP_HELLO ||
	    v->profile->conf->platform != PLATFORM_WINDOWS)
		return RC_OK;
	if (keys->n == 0)
		return refuse(v, CODE_AAD_KEY_IDENTIFIER_LIST_MISSING,
		    "The profile keeps keys in Windows Hello.");
	if ((rc = key_identifier(id, csr_key0(v->csr), err)) != RC_OK)
		return rc;
	hex_upper(hex, id, sizeof(id));
	for (size_t i = 0; i < keys->n; i++) {
		if (str_eq_nocase(keys->v[i], hex))
			return RC_OK;
	}
	return refuse(v, CODE_REGISTERED_KEY_MISMATCH, "Key identifier %s.", hex);
}

static enum rc
check_targeting(struct validation *v, struct err *err)
{
	(void)err;
	if (v->profile != NULL && tenant_targets(v->device, v->profile))
		return RC_OK;
	return refuse(v, CODE_PROFILE_NO_LONGER_TARGETED, "Profile %.64s, device %s.",
	    v->challenge.profile_id != NULL ? v->challenge.profile_id : "(none)",
	    v->device->conf->id);
}

/* Last, so that only what would otherwise succeed uses a challenge up. */
static enum rc
check_single_use(struct validation *v, struct err *err)
{
	uint8_t key[DIGEST_SIZE_MAX];
	enum rc rc;

	if (!v->sim->options.single_use)
		return RC_OK;
	rc = digest_bytes(key, DIGEST_SHA256, v->challenge_text, strlen(v->challenge_text), err);
	if (rc != RC_OK)
		return rc;
	if (spent_take(v->sim->spent, key, clock_now(), v->expires))
		return RC_OK;
	return refuse(v, CODE_CHALLENGE_EXPIRED, "The challenge was used before.");
}

static const struct {
	enum validate_depth depth;
	enum rc (*check)(struct validation *v, struct err *err);
} checks[] = {
	{ VALIDATE_IDENTITY, check_request },
	{ VALIDATE_IDENTITY, check_password },
	{ VALIDATE_IDENTITY, check_challenge },
	{ VALIDATE_IDENTITY, check_tenant },
	{ VALIDATE_IDENTITY, check_request_id },
	{ VALIDATE_IDENTITY, check_device },
	{ VALIDATE_IDENTITY, check_user },
	{ VALIDATE_ALL, check_timestamp },
	{ VALIDATE_ALL, check_expiry },
	{ VALIDATE_ALL, check_subject },
	{ VALIDATE_ALL, check_san },
	{ VALIDATE_ALL, check_key_usage },
	{ VALIDATE_ALL, check_eku },
	{ VALIDATE_ALL, check_key_length },
	{ VALIDATE_ALL, check_registered_key },
	{ VALIDATE_ALL, check_targeting },
	{ VALIDATE_ALL, check_single_use },
};

enum rc
validate(struct validation *v, enum validate_depth depth, struct err *err)
{
	enum rc rc;

	v->code = CODE_SUCCESS;
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		if (checks[i].depth > depth)
			continue;
		if ((rc = checks[i].check(v, err)) == RC_DENIED)
			return RC_OK;
		if (rc != RC_OK)
			return rc;
	}
	return RC_OK;
}

void
validation_done(struct validation *v)
{
	challenge_done(&v->challenge);
	csr_free(v->csr);
	v->csr = NULL;
}
