/*
 * validate_test.c - every code of validateRequest, each reached by a request that deserves it.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "intunesim/codes.h"
#include "ossl/cms.h"

#include "kit.h"

/* A check-in of win-1 and the verdict on a request that differs by `t`. */
static void
expect(const struct kit *k, const struct tweak *t, const char *code)
{
	json_t *scep = kit_checkin(k, "win-1", "Device");

	assert_string_equal(kit_verdict(k, scep, t), code);
	json_decref(scep);
}

static void
request_as_asked_for_succeeds(void **state)
{
	static const char *const devices[][2] = { { "win-1", "Device" }, { "phone-1", "User" },
		{ "phone-1", "San only" } };
	const struct kit *k = *state;

	for (size_t i = 0; i < N(devices); i++) {
		json_t *scep = kit_checkin(k, devices[i][0], devices[i][1]);

		assert_string_equal(kit_verdict(k, scep, &(struct tweak){ 0 }), "Success");
		json_decref(scep);
	}
}

static void
same_request_may_be_validated_again(void **state)
{
	const struct kit *k = *state;
	json_t *scep = kit_checkin(k, "win-1", "Device");

	for (int i = 0; i < 3; i++)
		assert_string_equal(kit_verdict(k, scep, &(struct tweak){ 0 }), "Success");
	json_decref(scep);
}

static void
success_has_the_service_s_body(void **state)
{
	const struct kit *k = *state;
	json_t *scep = kit_checkin(k, "win-1", "Device");
	struct answer a;
	struct buf der;

	buf_init(&der, 1 << 18);
	kit_csr(&der, k, scep, &(struct tweak){ 0 });
	validate_csr(&a, k, NULL, &der);
	assert_int_equal(a.status, 200);
	assert_int_equal(json_object_size(a.json), 3);
	assert_string_equal(json_get_str(a.json, "code"), "Success");
	assert_string_equal(json_get_str(a.json, "errorDescription"), "");
	assert_non_null(strstr(json_get_str(a.json, "@odata.context"), "scepActionResult"));
	assert_non_null(strstr(buf_str(&a.headers), "request-id"));
	answer_done(&a);
	buf_done(&der);
	json_decref(scep);
}

static void
altered_request_gets_its_code(void **state)
{
	static const struct {
		struct tweak t;
		const char *code;
	} rows[] = {
		{ { .subject = "CN=somebody else,O=Alpha" }, "SubjectNameMismatch" },
		{ { .subject = "O=Alpha,CN=20000000-0000-4000-8000-000000000001" },
		    "SubjectNameMismatch" },
		{ { .no_subject = true }, "SubjectNameMissing" },
		{ { .no_san = true }, "SubjectAltNameMissing" },
		{ { .drop_san = "dns" }, "SubjectAltNameMismatch" },
		{ { .san = { "upn:admin@alpha.example" } }, "SubjectAltNameMismatch" },
		{ { .drop_san = "dns", .san = { "dns:other.alpha.example" } },
		    "SubjectAltNameMismatch" },
		{ { .drop_san = "dns",
		      .san = { "uri:IntuneDeviceId://"
			       "10000000-0000-4000-8000-000000000001" } },
		    "SubjectAltNameMismatch" },
		{ { .key_usage = KU_DIGITAL_SIGNATURE }, "KeyUsageMismatch" },
		{ { .key_usage = KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT | KU_KEY_CERT_SIGN },
		    "KeyUsageMismatch" },
		{ { .no_key_usage = true }, "KeyUsageMismatch" },
		{ { .no_eku = true }, "EnhancedKeyUsageMissing" },
		{ { .eku = { "1.3.6.1.5.5.7.3.2" } }, "EnhancedKeyUsageMismatch" },
		{ { .eku = { "1.3.6.1.5.5.7.3.2", "1.2.3.5" } }, "EnhancedKeyUsageMismatch" },
		{ { .eku = { "1.3.6.1.5.5.7.3.2", "1.2.3.4", "1.3.6.1.5.5.7.3.1" } },
		    "EnhancedKeyUsageMismatch" },
		{ { .no_challenge = true }, "ChallengePasswordMissing" },
		{ { .challenge = "not base64!" }, "ChallengeDecodingError" },
		{ { .challenge = "c3RhdGljIHBhc3N3b3Jk" }, "ChallengeDeserializationError" },
	};
	const struct kit *k = *state;

	for (size_t i = 0; i < N(rows); i++)
		expect(k, &rows[i].t, rows[i].code);
}

static void
order_of_names_and_purposes_does_not_matter(void **state)
{
	const struct tweak t = { .drop_san = "dns",
		.san = { "dns:win-1.alpha.example" },
		.eku = { "1.2.3.4", "1.3.6.1.5.5.7.3.2" } };

	expect(*state, &t, "Success");
}

static void
other_key_sizes_and_types_are_KeyLengthMismatch(void **state)
{
	static const char *const specs[] = { "rsa:3072", "ec:p256" };
	struct kit *k = *state;

	for (size_t i = 0; i < N(specs); i++) {
		struct key *key;
		struct err e;

		assert_ok(key_generate(&key, specs[i], &e), e);
		expect(k, &(struct tweak){ .key = key }, "KeyLengthMismatch");
		key_free(key);
	}
}

/* A size that is not configured takes any RSA key; a purpose that was not asked for is still one.
 */
static void
profile_without_purposes_takes_none(void **state)
{
	const struct kit *k = *state;
	json_t *scep = kit_checkin(k, "phone-1", "San only");
	struct key *key;
	struct err e;

	assert_ok(key_generate(&key, "rsa:3072", &e), e);
	assert_string_equal(kit_verdict(k, scep, &(struct tweak){ .key = key }), "Success");
	assert_string_equal(kit_verdict(k, scep, &(struct tweak){ .eku = { "1.2.3.4" } }),
	    "EnhancedKeyUsageMismatch");
	assert_string_equal(
	    kit_verdict(k, scep, &(struct tweak){ .subject = "CN=x" }), "SubjectNameMismatch");
	key_free(key);
	json_decref(scep);
}

/* ---- requests that are none ---- */

static void
expect_bytes(const struct kit *k, const void *p, size_t len, const char *code)
{
	struct answer a;
	struct buf der;

	buf_init(&der, 1 << 18);
	buf_add(&der, p, len);
	validate_csr(&a, k, NULL, &der);
	assert_int_equal(a.status, 200);
	assert_string_equal(answer_code(&a), code);
	answer_done(&a);
	buf_done(&der);
}

static void
undecodable_request_is_CertificateRequestDecodingFailed(void **state)
{
	const struct kit *k = *state;
	struct answer a;

	expect_bytes(k, "\x30\x03\x02\x01\x00", 5, "CertificateRequestDecodingFailed");
	expect_bytes(k, "", 0, "CertificateRequestDecodingFailed");
	call(&a, k,
	    &(struct request){ .path = SERVICE "validateRequest",
		.token = k->token,
		.body = "{\"request\":{\"transactionId\":\"1\",\"certificateRequest\":\"%%\","
			"\"callerInfo\":\"x\"}}" });
	assert_string_equal(answer_code(&a), "CertificateRequestDecodingFailed");
	answer_done(&a);
}

static void
request_with_a_broken_self_signature_is_SignatureValidationFailed(void **state)
{
	const struct kit *k = *state;
	json_t *scep = kit_checkin(k, "win-1", "Device");
	struct buf der;

	buf_init(&der, 1 << 18);
	kit_csr(&der, k, scep, &(struct tweak){ 0 });
	der.data[der.len - 1] ^= 1;
	expect_bytes(k, der.data, der.len, "SignatureValidationFailed");
	buf_done(&der);
	json_decref(scep);
}

/* ---- challenges ---- */

/* The verdict when win-1's challenge says something else, sealed by tenant `i`. */
static void
expect_payload(const struct kit *k, size_t i, const char *member, json_t *value, const char *code)
{
	json_t *scep = kit_checkin(k, "win-1", "Device"), *payload = kit_payload(k, scep);
	char *challenge;

	if (value != NULL)
		json_object_set_new(payload, member, value);
	else
		json_object_del(payload, member);
	challenge = kit_seal_json(k, i, payload);
	assert_string_equal(kit_verdict(k, scep, &(struct tweak){ .challenge = challenge }), code);
	free(challenge);
	json_decref(payload);
	json_decref(scep);
}

static void
bad_ids_get_their_codes(void **state)
{
	static const struct {
		const char *member, *value, *code;
	} rows[] = {
		{ "tenantId", NULL, "BadTenantIdInChallenge" },
		{ "tenantId", "not-a-guid", "BadTenantIdInChallenge" },
		{ "tenantId", BETA_ID, "BadTenantIdInChallenge" },
		{ "certificateRequestId", NULL, "BadCertificateRequestIdInChallenge" },
		{ "certificateRequestId", "17", "BadCertificateRequestIdInChallenge" },
		{ "deviceId", NULL, "BadDeviceIdInChallenge" },
		{ "deviceId", "win-1", "BadDeviceIdInChallenge" },
		{ "deviceId", "10000000-0000-4000-8000-0000000000ff", "BadDeviceIdInChallenge" },
		{ "userId", NULL, "BadUserIdInChallenge" },
		{ "userId", "jane@alpha.example", "BadUserIdInChallenge" },
		{ "userId", "00000000-0000-4000-8000-00000000000b", "BadUserIdInChallenge" },
		{ "profileId", NULL, "ScepProfileNoLongerTargetedToTheClient" },
		{ "profileId", "d0000000-0000-4000-8000-0000000000ff",
		    "ScepProfileNoLongerTargetedToTheClient" },
		{ "challengeCreation", NULL, "ChallengeInvalidTimestamp" },
		{ "challengeCreation", "yesterday", "ChallengeInvalidTimestamp" },
		{ "challengeCreation", "2999-01-01T00:00:00Z", "ChallengeInvalidTimestamp" },
		{ "challengeExpiration", "2001-01-01T00:00:00Z", "ChallengeInvalidTimestamp" },
		{ "subject", "CN=\"unclosed", "SubjectNameMismatch" },
	};
	const struct kit *k = *state;

	for (size_t i = 0; i < N(rows); i++)
		expect_payload(k, 0, rows[i].member,
		    rows[i].value != NULL ? json_string(rows[i].value) : NULL, rows[i].code);
}

/* A profile of tenant A, an app of tenant B: the service's words for it are known. */
static void
token_of_another_tenant_is_BadTenantIdInChallenge(void **state)
{
	const struct kit *k = *state;
	json_t *scep = kit_checkin(k, "win-1", "Device");
	char *token = kit_token(k, "beta.example", APP_ID, INTUNE);
	struct answer a;
	struct buf der;

	buf_init(&der, 1 << 18);
	kit_csr(&der, k, scep, &(struct tweak){ 0 });
	validate_csr(&a, k, token, &der);
	assert_string_equal(answer_code(&a), "BadTenantIdInChallenge");
	assert_string_equal(json_get_str(a.json, "errorDescription"),
	    "Failed to parse the tenant id in the challenge.tenantId in challenge does not match "
	    "tenantId from security token.");
	answer_done(&a);
	buf_done(&der);
	free(token);
	json_decref(scep);
}

static void
profile_that_is_not_assigned_is_no_longer_targeted(void **state)
{
	const struct kit *k = *state;
	const struct tenant *t = k->view->tenants[0];

	expect_payload(k, 0, "profileId", json_string(t->profiles[t->n_profiles - 1].id),
	    "ScepProfileNoLongerTargetedToTheClient");
}

static void
expired_challenge_is_told_in_the_service_s_words(void **state)
{
	const struct kit *k = *state;
	json_t *scep = kit_checkin(k, "win-1", "Device");
	struct answer a;
	struct buf der;
	const char *text;

	buf_init(&der, 1 << 18);
	kit_csr(&der, k, scep, &(struct tweak){ 0 });
	clock_offset_set(3599 - 5);
	validate_csr(&a, k, NULL, &der);
	assert_string_equal(answer_code(&a), "Success");
	answer_done(&a);
	/* The token forgives five minutes, the challenge none. */
	clock_offset_set(3600);
	validate_csr(&a, k, NULL, &der);
	clock_offset_set(0);
	assert_string_equal(answer_code(&a), "ChallengeExpired");
	text = json_get_str(a.json, "errorDescription");
	assert_true(str_starts(text,
	    "SCEP challenge has expired.SCEP Challenge has expired. challengeExpInterval=60, "
	    "challengeExpiration="));
	assert_non_null(strstr(text, ", challengeCreation="));
	answer_done(&a);
	buf_done(&der);
	json_decref(scep);
}

/* Signed by a key that is not the service's, in a container that is otherwise right. */
static void
foreign_signer_is_SigningCertThumbprintMismatch(void **state)
{
	const struct kit *k = *state;
	struct tenant *own = k->view->tenants[0];
	json_t *scep = kit_checkin(k, "win-1", "Device"), *payload = kit_payload(k, scep);
	struct pair kept = own->signer;
	struct tenant *other;
	char *challenge, *text = kit_tenant_text(k);
	struct err e;

	assert_ok(tenant_parse(&other, "o.yaml", text, strlen(text), NULL, 0, &e), e);
	own->signer = other->signer;
	challenge = kit_seal_json(k, 0, payload);
	own->signer = kept;
	assert_string_equal(kit_verdict(k, scep, &(struct tweak){ .challenge = challenge }),
	    "SigningCertThumbprintMismatch");
	free(challenge);
	free(text);
	tenant_free(other);
	json_decref(payload);
	json_decref(scep);
}

/* Encrypted to somebody else, signed by us. */
static void
foreign_recipient_is_ChallengeDecryptionError(void **state)
{
	const struct kit *k = *state;
	struct tenant *own = k->view->tenants[0];
	json_t *scep = kit_checkin(k, "win-1", "Device"), *payload = kit_payload(k, scep);
	struct pair kept = own->recipient;
	char *challenge;

	own->recipient = own->signer;
	challenge = kit_seal_json(k, 0, payload);
	own->recipient = kept;
	assert_string_equal(kit_verdict(k, scep, &(struct tweak){ .challenge = challenge }),
	    "ChallengeDecryptionError");
	free(challenge);
	json_decref(payload);
	json_decref(scep);
}

static void
payload_that_is_no_object_is_ChallengeDeserializationError(void **state)
{
	static const char *const payloads[] = { "hello", "[1]", "{\"a\":1,\"a\":2}" };
	const struct kit *k = *state;
	json_t *scep = kit_checkin(k, "win-1", "Device");

	for (size_t i = 0; i < N(payloads); i++) {
		char *challenge = kit_seal(k, 0, payloads[i], strlen(payloads[i]));

		assert_string_equal(kit_verdict(k, scep, &(struct tweak){ .challenge = challenge }),
		    "ChallengeDeserializationError");
		free(challenge);
	}
	json_decref(scep);
}

/* A SignedData has a few octets that no signature covers; what the challenge says is not among
 * them. */
static void
assert_says_the_same(const struct kit *k, const char *a, const char *b)
{
	json_t *x = json_pack("{s:s}", "challenge", a), *y = json_pack("{s:s}", "challenge", b);
	json_t *p = kit_payload(k, x), *q = kit_payload(k, y);

	assert_true(json_equal(p, q));
	json_decref(x);
	json_decref(y);
	json_decref(p);
	json_decref(q);
}

static void
changed_challenge_validates_only_when_it_says_the_same(void **state)
{
	static const char *const codes[] = { "ChallengeDecodingError",
		"ChallengeDeserializationError", "SigningCertThumbprintMismatch",
		"SignatureValidationFailed", "ChallengeDecryptionError" };
	const struct kit *k = *state;
	json_t *scep = kit_checkin(k, "win-1", "Device");
	const char *good = json_get_str(scep, "challenge");
	struct buf raw, text;
	bool seen[N(codes)] = { false };
	size_t i, c;

	buf_init(&raw, 1 << 16);
	buf_init(&text, 1 << 16);
	assert_int_equal(base64_decode(&raw, good, strlen(good), BASE64_STRICT, NULL), RC_OK);
	for (i = 0; i < raw.len; i += 11) {
		const char *code;

		raw.data[i] ^= 1u << (i % 8);
		buf_reset(&text);
		base64_add(&text, raw.data, raw.len);
		raw.data[i] ^= 1u << (i % 8);
		code = kit_verdict(k, scep, &(struct tweak){ .challenge = buf_str(&text) });
		for (c = 0; c < N(codes) && strcmp(codes[c], code) != 0; c++)
			continue;
		if (c < N(codes))
			seen[c] = true;
		else if (strcmp(code, "Success") == 0)
			assert_says_the_same(k, good, buf_str(&text));
		else
			fail_msg("byte %zu changed: %s", i, code);
	}
	assert_true(seen[1] && seen[2] && seen[3]);
	buf_done(&raw);
	buf_done(&text);
	json_decref(scep);
}

static void
cut_challenge_never_validates(void **state)
{
	const struct kit *k = *state;
	json_t *scep = kit_checkin(k, "win-1", "Device");
	char *text = strdup(json_get_str(scep, "challenge"));
	size_t len = strlen(text);

	for (size_t i = 1; i < len; i += 37) {
		const char *code;

		text[len - i] = '\0';
		code = kit_verdict(k, scep, &(struct tweak){ .challenge = text });
		assert_true(strcmp(code, "ChallengeDecodingError") == 0 ||
		    strcmp(code, "ChallengeDeserializationError") == 0 ||
		    strcmp(code, "ChallengePasswordMissing") == 0);
	}
	free(text);
	json_decref(scep);
}

/* ---- Windows Hello, single use ---- */

static void
hello_takes_registered_keys_only(void **state)
{
	const struct kit *k = *state;
	json_t *scep = kit_checkin(k, "hello-1", "Passport");

	assert_string_equal(
	    kit_verdict(k, scep, &(struct tweak){ .key = k->hello_key }), "Success");
	assert_string_equal(kit_verdict(k, scep, &(struct tweak){ 0 }), "RegisteredKeyMismatch");
	json_decref(scep);
	scep = kit_checkin(k, "hello-2", "Passport");
	assert_string_equal(
	    kit_verdict(k, scep, &(struct tweak){ 0 }), "AadKeyIdentifierListMissing");
	json_decref(scep);
}

static void
single_use_challenge_works_once(void **state)
{
	const struct kit *k = *state;
	json_t *scep = kit_checkin(k, "win-1", "Device");

	/* A refusal does not use it up. */
	assert_string_equal(
	    kit_verdict(k, scep, &(struct tweak){ .no_eku = true }), "EnhancedKeyUsageMissing");
	assert_string_equal(kit_verdict(k, scep, &(struct tweak){ 0 }), "Success");
	assert_string_equal(kit_verdict(k, scep, &(struct tweak){ 0 }), "ChallengeExpired");
	json_decref(scep);
	scep = kit_checkin(k, "win-1", "Device");
	assert_string_equal(kit_verdict(k, scep, &(struct tweak){ 0 }), "Success");
	json_decref(scep);
}

static void
every_code_has_a_name_and_a_sentence(void **state)
{
	(void)state;
	for (int c = 0; c < CODE__MAX; c++) {
		const char *s = scep_code_sentence((enum scep_code)c);

		assert_true(strlen(scep_code_name((enum scep_code)c)) > 3);
		assert_true(c == CODE_SUCCESS || s[strlen(s) - 1] == '.');
	}
	assert_string_equal(scep_code_name((enum scep_code)999), "Unknown");
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(request_as_asked_for_succeeds),
		cmocka_unit_test(same_request_may_be_validated_again),
		cmocka_unit_test(success_has_the_service_s_body),
		cmocka_unit_test(altered_request_gets_its_code),
		cmocka_unit_test(order_of_names_and_purposes_does_not_matter),
		cmocka_unit_test(other_key_sizes_and_types_are_KeyLengthMismatch),
		cmocka_unit_test(profile_without_purposes_takes_none),
		cmocka_unit_test(undecodable_request_is_CertificateRequestDecodingFailed),
		cmocka_unit_test(request_with_a_broken_self_signature_is_SignatureValidationFailed),
		cmocka_unit_test(bad_ids_get_their_codes),
		cmocka_unit_test(token_of_another_tenant_is_BadTenantIdInChallenge),
		cmocka_unit_test(profile_that_is_not_assigned_is_no_longer_targeted),
		cmocka_unit_test(expired_challenge_is_told_in_the_service_s_words),
		cmocka_unit_test(foreign_signer_is_SigningCertThumbprintMismatch),
		cmocka_unit_test(foreign_recipient_is_ChallengeDecryptionError),
		cmocka_unit_test(payload_that_is_no_object_is_ChallengeDeserializationError),
		cmocka_unit_test(changed_challenge_validates_only_when_it_says_the_same),
		cmocka_unit_test(cut_challenge_never_validates),
		cmocka_unit_test(hello_takes_registered_keys_only),
		cmocka_unit_test(every_code_has_a_name_and_a_sentence),
	};
	static const struct CMUnitTest single_use[] = {
		cmocka_unit_test(single_use_challenge_works_once),
	};

	return cmocka_run_group_tests(tests, kit_new, kit_free) +
	    cmocka_run_group_tests(single_use, kit_new_single_use, kit_free);
}
