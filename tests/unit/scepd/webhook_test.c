/* webhook_test.c - what goes to a webhook is signed and holds no more than it may; what comes back is a
 * decision or nothing (S21). */
#include "../ca/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "json/json.h"
#include "scepd/webhook.h"

/* ---- the signature ---- */

/* The example of the Standard Webhooks specification's own libraries. */
static void
signature_is_that_of_standard_webhooks(void **state)
{
	static const char secret[] = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
			  body[] = "{\"test\": 2432232314}";
	char signature[WEBHOOK_SIGNATURE_MAX];
	struct buf key;

	buf_init(&key, 1024);
	assert_ok(webhook_key(&key, secret, strlen(secret), err));
	assert_ok(webhook_sign(
	    signature, &key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body, strlen(body), err));
	assert_string_equal(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
	buf_done(&key);
}

static void
every_part_of_what_is_signed_counts(void **state)
{
	static const struct {
		const char *key, *id;
		int64_t t;
		const char *body;
	} rows[] = {
		{ "0123456789abcdef", "msg_a", 1700000000, "{}" },
		{ "0123456789abcdeg", "msg_a", 1700000000, "{}" },
		{ "0123456789abcdef", "msg_b", 1700000000, "{}" },
		{ "0123456789abcdef", "msg_a", 1700000001, "{}" },
		{ "0123456789abcdef", "msg_a", 1700000000, "{ }" },
	};
	char s[5][WEBHOOK_SIGNATURE_MAX];

	for (size_t i = 0; i < 5; i++) {
		struct buf key;

		buf_init(&key, 64);
		buf_adds(&key, rows[i].key);
		assert_ok(webhook_sign(
		    s[i], &key, rows[i].id, rows[i].t, rows[i].body, strlen(rows[i].body), err));
		buf_done(&key);
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(s[i], s[k]);
	}
}

static void
keys_are_text_or_base64_and_long_enough(void **state)
{
	static const char *const bad[] = { "", "short", "whsec_", "whsec_AAAA", "whsec_not base64!",
		"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS" };
	struct buf key;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		buf_init(&key, 1024);
		assert_fails(webhook_key(&key, bad[i], strlen(bad[i]), err), RC_CONFIG, "");
		buf_done(&key);
	}
	buf_init(&key, 1024);
	assert_ok(webhook_key(&key, "sixteen-bytes-ok", 16, err));
	assert_int_equal(key.len, 16);
	buf_done(&key);
}

/* ---- the question ---- */

static json_t *
body_of(const struct csr *csr, bool send_challenge)
{
	const struct webhook_question q = { .endpoint = "lab",
		.profile = "device",
		.transaction_id = "TX-1",
		.peer = "192.0.2.7",
		.replaces = "0A",
		.csr = csr };
	json_t *o = NULL;
	struct buf b;

	buf_init(&b, 1u << 20);
	assert_ok(webhook_body(&b, &q, send_challenge, err));
	assert_ok(json_parse_object(&o, "body", b.data, b.len, err));
	buf_done(&b);
	return o;
}

static void
question_says_who_asks_for_what(void **state)
{
	struct csr *csr = request(*state,
	    &(struct wish){ .subject = "CN=pc1,O=Contoso", .san = { "dns:pc1.x", "upn:a@x" } });
	json_t *o = body_of(csr, false), *a;
	char hash[65];

	assert_string_equal(json_get_str(o, "type"), "scep.request");
	assert_int_equal(json_integer_value(json_object_get(o, "version")), 1);
	assert_string_equal(json_get_str(o, "endpoint"), "lab");
	assert_string_equal(json_get_str(o, "profile"), "device");
	assert_string_equal(json_get_str(o, "transactionId"), "TX-1");
	assert_string_equal(json_get_str(o, "peer"), "192.0.2.7");
	assert_string_equal(json_get_str(o, "subject"), "CN=pc1,O=Contoso");
	assert_true(json_is_true(json_object_get(o, "renewal")));
	assert_string_equal(json_get_str(o, "replaces"), "0A");
	a = json_object_get(o, "subjectAttributes");
	assert_int_equal(json_array_size(a), 2);
	assert_string_equal(json_get_str(json_array_get(a, 1), "type"), "O");
	assert_string_equal(json_get_str(json_array_get(a, 1), "value"), "Contoso");
	a = json_object_get(o, "san");
	assert_int_equal(json_array_size(a), 2);
	assert_string_equal(json_get_str(json_array_get(a, 0), "type"), "dns");
	assert_string_equal(json_get_str(json_array_get(a, 1), "value"), "a@x");
	hex_lower(hash, csr_sha256(csr), 32);
	assert_string_equal(json_get_str(o, "csrSha256"), hash);
	assert_non_null(json_get_str(o, "publicKey"));
	assert_non_null(json_get_str(o, "csr")); /* there is no challenge in it */
	json_decref(o);
	csr_free(csr);
}

/* The request holds the challenge, so it goes along with it or not at all. */
static void
test_S32_challenge_goes_only_where_it_is_wanted(void **state)
{
	struct csr *csr = request(*state, &(struct wish){ .challenge = CHALLENGE });
	json_t *with = body_of(csr, true), *without = body_of(csr, false);
	struct buf text;

	assert_string_equal(json_get_str(with, "challenge"), CHALLENGE);
	assert_non_null(json_get_str(with, "csr"));
	assert_null(json_get_str(without, "challenge"));
	assert_null(json_get_str(without, "csr"));
	buf_init(&text, 1u << 20);
	assert_ok(json_add_text(&text, without, err));
	assert_null(strstr(buf_str(&text), CHALLENGE));
	buf_done(&text);
	json_decref(with);
	json_decref(without);
	csr_free(csr);
}

/* ---- the answer ---- */

static void
test_S21_anything_but_a_decision_is_none(void **state)
{
	static const struct {
		const char *text;
		enum webhook_says says; /* 0: none */
		const char *reason;
	} rows[] = {
		{ "{\"decision\":\"allow\"}", WEBHOOK_ALLOW, "" },
		{ "{\"decision\":\"deny\",\"reason\":\"stolen\"}", WEBHOOK_DENY, "stolen" },
		{ "{\"decision\":\"wait\",\"reason\":null}", WEBHOOK_WAIT, "" },
		{ " {\"more\":[1,2],\"decision\":\"allow\"}\n", WEBHOOK_ALLOW, "" },
		{ "{\"decision\":\"deny\",\"reason\":\"a\\nb\"}", WEBHOOK_DENY, "a?b" },
		{ "{\"decision\":\"deny\",\"reason\":7}", WEBHOOK_DENY, "" },
		{ "", 0, NULL },
		{ "allow", 0, NULL },
		{ "\"allow\"", 0, NULL },
		{ "[\"allow\"]", 0, NULL },
		{ "true", 0, NULL },
		{ "{}", 0, NULL },
		{ "{\"decision\":true}", 0, NULL },
		{ "{\"decision\":null}", 0, NULL },
		{ "{\"decision\":\"\"}", 0, NULL },
		{ "{\"decision\":\"Allow\"}", 0, NULL },
		{ "{\"decision\":\"allow \"}", 0, NULL },
		{ "{\"decision\":\"allowed\"}", 0, NULL },
		{ "{\"decision\":\"allow\\u0000\"}", 0, NULL },
		{ "{\"Decision\":\"allow\"}", 0, NULL },
		{ "{\"decision\":\"deny\",\"decision\":\"allow\"}", 0, NULL },
		{ "{\"decision\":\"allow\"} {}", 0, NULL },
		{ "<html>{\"decision\":\"allow\"}</html>", 0, NULL },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct webhook_answer a = { 0 };
		struct err err = { 0 };
		enum rc rc = webhook_answer_parse(&a, rows[i].text, strlen(rows[i].text), &err);

		if ((rc == RC_OK) != (rows[i].says != 0) || a.says != rows[i].says) {
			print_error("%s: %s\n", rows[i].text, rc_name(rc));
			_fail(__FILE__, __LINE__);
		}
		if (rc == RC_OK)
			assert_string_equal(a.reason, rows[i].reason);
	}
}

static void
test_S21_prefixes_and_flipped_bits_of_a_no_are_never_a_yes(void **state)
{
	static const char text[] = "{\"decision\": \"deny\", \"reason\": \"not in the list\"}";
	size_t len = strlen(text);

	for (size_t n = 0; n < len; n++) {
		char *copy = malloc(n > 0 ? n : 1);
		struct webhook_answer a;

		assert_non_null(copy);
		memcpy(copy, text, n);
		assert_int_not_equal(webhook_answer_parse(&a, copy, n, NULL), RC_OK);
		free(copy);
	}
	for (size_t bit = 0; bit < 8 * len; bit++) {
		char *copy = malloc(len);
		struct webhook_answer a;

		assert_non_null(copy);
		memcpy(copy, text, len);
		copy[bit / 8] = (char)(copy[bit / 8] ^ (1 << bit % 8));
		if (webhook_answer_parse(&a, copy, len, NULL) == RC_OK)
			assert_int_equal(a.says, WEBHOOK_DENY);
		free(copy);
	}
}

static void
answer_and_reason_have_an_end(void **state)
{
	static char text[WEBHOOK_ANSWER_MAX + 1];
	struct webhook_answer a;

	memset(text, ' ', sizeof(text));
	memcpy(text, "{\"decision\":\"allow\"}", 20);
	assert_ok(webhook_answer_parse(&a, text, WEBHOOK_ANSWER_MAX, err));
	assert_fails(webhook_answer_parse(&a, text, sizeof(text), err), RC_LIMIT, "longer than");
	memset(text, 'x', 4000);
	memcpy(text, "{\"decision\":\"deny\",\"reason\":\"", 29);
	memcpy(text + 4000, "\"}", 2);
	assert_ok(webhook_answer_parse(&a, text, 4002, err));
	assert_int_equal(strlen(a.reason), WEBHOOK_REASON_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signature_is_that_of_standard_webhooks),
		cmocka_unit_test(every_part_of_what_is_signed_counts),
		cmocka_unit_test(keys_are_text_or_base64_and_long_enough),
		cmocka_unit_test(question_says_who_asks_for_what),
		cmocka_unit_test(test_S32_challenge_goes_only_where_it_is_wanted),
		cmocka_unit_test(test_S21_anything_but_a_decision_is_none),
		cmocka_unit_test(test_S21_prefixes_and_flipped_bits_of_a_no_are_never_a_yes),
		cmocka_unit_test(answer_and_reason_have_an_end),
	};

	return cmocka_run_group_tests_name("webhook", tests, fixture_new, fixture_free);
}
