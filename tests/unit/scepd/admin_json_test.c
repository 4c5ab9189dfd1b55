/* admin_json_test.c - the doors of the admin API: what is asked for is understood or refused in words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#undef fail

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ca/reason.h"
#include "scepd/admin_json.h"

static void
asks_are_taken_or_refused_in_words(void **state)
{
	static const struct {
		const char *body, *why; /* NULL: taken */
		int64_t lifetime;
		unsigned uses;
	} rows[] = {
		{ "{\"endpoint\":\"lab\"}", NULL, 0, 1 },
		{ "{\"endpoint\":\"lab\",\"lifetime\":60,\"uses\":10000}", NULL, 60, 10000 },
		{ "{\"endpoint\":\"lab\",\"lifetime\":\"1h\",\"uses\":null}", NULL, 3600, 1 },
		{ "{\"endpoint\":\"lab\",\"subject\":null,\"san\":\"dns:a\"}", NULL, 0, 1 },
		{ "{}", "endpoint is missing", 0, 0 },
		{ "{\"endpoint\":\"\"}", "endpoint is missing", 0, 0 },
		{ "{\"endpoint\":[]}", "endpoint is no string", 0, 0 },
		{ "{\"endpoint\":\"lab\",\"Subject\":\"CN=a\"}", "\"Subject\" is no member", 0, 0 },
		{ "{\"endpoint\":\"lab\",\"subject\":\"a\\u0007\"}", "control characters", 0, 0 },
		{ "{\"endpoint\":\"lab\",\"subject\":\"a\\u0000b\"}", "NUL", 0, 0 },
		{ "{\"endpoint\":\"lab\",\"uses\":0}", "uses is no number from 1", 0, 0 },
		{ "{\"endpoint\":\"lab\",\"uses\":10001}", "uses is no number from 1", 0, 0 },
		{ "{\"endpoint\":\"lab\",\"uses\":1.5}", "uses is no number from 1", 0, 0 },
		{ "{\"endpoint\":\"lab\",\"uses\":true}", "uses is no number from 1", 0, 0 },
		{ "{\"endpoint\":\"lab\",\"lifetime\":0}", "not positive", 0, 0 },
		{ "{\"endpoint\":\"lab\",\"lifetime\":-5}", "not positive", 0, 0 },
		{ "{\"endpoint\":\"lab\",\"lifetime\":\"soon\"}", "neither seconds nor", 0, 0 },
		{ "{\"endpoint\":\"lab\",\"lifetime\":{}}", "neither seconds nor", 0, 0 },
		{ "{\"endpoint\":\"a\",\"endpoint\":\"b\"}", "given twice", 0, 0 },
		{ "[{\"endpoint\":\"lab\"}]", "no JSON object", 0, 0 },
		{ "\"lab\"", "no JSON object", 0, 0 },
		{ "", "empty", 0, 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct admin_otp_ask a;
		struct err err = { 0 };
		enum rc rc = admin_otp_parse(&a, rows[i].body, strlen(rows[i].body), &err);

		if (rows[i].why == NULL ? rc != RC_OK
					: rc != RC_PARSE || strstr(err.msg, rows[i].why) == NULL) {
			print_error("%s: %s \"%s\"\n", rows[i].body, rc_name(rc), err.msg);
			_fail(__FILE__, __LINE__);
		}
		if (rc != RC_OK)
			continue;
		assert_string_equal(a.endpoint, "lab");
		assert_int_equal(a.lifetime, rows[i].lifetime);
		assert_int_equal(a.uses, rows[i].uses);
	}
}

static void
a_body_has_an_end(void **state)
{
	static char body[ADMIN_BODY_MAX + 1];
	struct admin_otp_ask a;
	struct err err;

	memset(body, ' ', sizeof(body));
	memcpy(body, "{\"endpoint\":\"lab\"}", 18);
	assert_int_equal(admin_otp_parse(&a, body, ADMIN_BODY_MAX, &err), RC_OK);
	assert_int_equal(admin_otp_parse(&a, body, sizeof(body), &err), RC_LIMIT);
}

static void
texts_have_an_end(void **state)
{
	char body[ADMIN_TEXT_MAX + 64], text[ADMIN_TEXT_MAX + 2];
	struct admin_decision d;
	struct err err;

	memset(text, 'x', sizeof(text));
	text[ADMIN_TEXT_MAX] = '\0';
	(void)snprintf(body, sizeof(body), "{\"reason\":\"%s\"}", text);
	assert_int_equal(admin_decision_parse(&d, body, strlen(body), &err), RC_OK);
	assert_string_equal(d.reason, text);
	text[ADMIN_TEXT_MAX] = 'x';
	text[ADMIN_TEXT_MAX + 1] = '\0';
	(void)snprintf(body, sizeof(body), "{\"reason\":\"%s\"}", text);
	assert_int_equal(admin_decision_parse(&d, body, strlen(body), &err), RC_PARSE);
}

static void
a_decision_may_have_a_reason(void **state)
{
	struct admin_decision d;
	struct err err;

	assert_int_equal(admin_decision_parse(&d, "", 0, &err), RC_OK);
	assert_string_equal(d.reason, "");
	assert_int_equal(admin_decision_parse(&d, "{}", 2, &err), RC_OK);
	assert_string_equal(d.reason, "");
	assert_int_equal(admin_decision_parse(&d, "{\"reason\":7}", 12, &err), RC_PARSE);
	assert_int_equal(admin_decision_parse(&d, "{\"verdict\":\"x\"}", 15, &err), RC_PARSE);
}

/* ---- which certificate a verdict is asked of ---- */

#define SERIAL "0A1B2C3D4E5F60718293A4B5C6D7E8F9"

static void
serial_numbers_are_taken_as_programs_show_them(void **state)
{
	static const struct {
		const char *text, *serial; /* NULL: refused */
	} rows[] = {
		{ SERIAL, SERIAL }, { "0a1b2c3d4e5f60718293a4b5c6d7e8f9", SERIAL },
		{ "0x" SERIAL, SERIAL },
		{ "0A:1B:2C:3D:4E:5F:60:71:82:93:A4:B5:C6:D7:E8:F9", SERIAL },
		{ "0a1b2c3d 4e5f6071 8293a4b5 c6d7e8f9", SERIAL },
		{ "000A1B2C3D4E5F60718293A4B5C6D7E8F9", SERIAL }, /* as DER has it */
		{ "4711", "4711" }, { "", NULL }, { "0x", NULL },
		{ "0A1B2C3D4E5F60718293A4B5C6D7E8F9'", NULL }, { "%27", NULL }, { "serial", NULL },
		{ "0A1B2C3D4E5F60718293A4B5C6D7E8F90A1B2C3D4E5F", NULL }, /* 22 octets */
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char out[2 * SERIAL_MAX + 1];
		struct err err = { 0 };
		enum rc rc = admin_serial(out, rows[i].text, &err);

		if ((rc == RC_OK) != (rows[i].serial != NULL)) {
			print_error("%s: %s \"%s\"\n", rows[i].text, rc_name(rc), err.msg);
			_fail(__FILE__, __LINE__);
		}
		if (rc == RC_OK)
			assert_string_equal(out, rows[i].serial);
		else
			assert_int_equal(rc, RC_PARSE);
	}
}

static void
a_verdict_is_asked_of_one_certificate(void **state)
{
	static const struct {
		const char *body, *why; /* NULL: taken */
		const char *ca;
	} rows[] = {
		{ "{\"serial\":\"" SERIAL "\"}", NULL, "" },
		{ "{\"serial\":\"0a1b2c3d4e5f60718293a4b5c6d7e8f9\",\"ca\":\"issuing\"}", NULL,
		    "issuing" },
		{ "{}", "one of serial and certificate", "" },
		{ "{\"ca\":\"issuing\"}", "one of serial and certificate", "" },
		{ "{\"serial\":7}", "serial is no string", "" },
		{ "{\"serial\":\"xyz\"}", "no serial number in hex", "" },
		{ "{\"serial\":\"" SERIAL "\",\"certificate\":\"MIIB\"}", "one of serial", "" },
		{ "{\"certificate\":\"MIIB\"}", "certificate is none", "" },
		{ "{\"certificate\":\"-----BEGIN CERTIFICATE-----\\nMIIB\\n-----END "
		  "CERTIFICATE-----\\n\"}",
		    "certificate is none", "" },
		{ "{\"certificate\":\"MIIB-----BEGIN\"}", "certificate is none", "" },
		{ "{\"certificate\":\"-----BEGIN X509 CRL-----\\nMIIB\\n-----END X509 "
		  "CRL-----\\n\"}",
		    "certificate is none", "" },
		{ "{\"certificate\":\"\"}", "certificate is none", "" },
		{ "{\"serial\":\"" SERIAL "\",\"ski\":\"AA:BB\"}", NULL, "" },
		{ "{\"serial\":\"" SERIAL "\",\"ski\":\"AA:B\"}", "ski is no key identifier", "" },
		{ "{\"serial\":\"" SERIAL "\",\"ski\":\""
		  "00112233445566778899AABBCCDDEEFF00112233445566778899AABBCCDDEEFF00\"}",
		    "ski is no key identifier", "" },
		{ "{\"thumbprint\":\"00\"}", "\"thumbprint\" is no member", "" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct admin_cert_ask a;
		struct err err = { 0 };
		enum rc rc = admin_cert_ask_parse(&a, rows[i].body, strlen(rows[i].body), &err);

		if (rows[i].why == NULL ? rc != RC_OK
					: rc != RC_PARSE || strstr(err.msg, rows[i].why) == NULL) {
			print_error("%s: %s \"%s\"\n", rows[i].body, rc_name(rc), err.msg);
			_fail(__FILE__, __LINE__);
		}
		if (rc != RC_OK)
			continue;
		assert_string_equal(a.serial, SERIAL);
		assert_string_equal(a.ca, rows[i].ca);
		admin_cert_ask_done(&a);
	}
}

static void
a_query_asks_the_same(void **state)
{
	struct admin_cert_ask a;
	struct err err;

	assert_int_equal(
	    admin_cert_ask_query(&a, "serial=0a%3A1B2C3D4E5F60718293A4B5C6D7E8F9&ca=issuing", &err),
	    RC_OK);
	assert_string_equal(a.serial, SERIAL);
	assert_string_equal(a.ca, "issuing");
	assert_string_equal(a.ski, "");
	assert_int_equal(admin_cert_ask_query(&a, "serial=1&ski=00%3Aaa%3A0F", &err), RC_OK);
	assert_string_equal(a.ski, "00AA0F");
	assert_int_equal(admin_cert_ask_query(&a, "serial=1&ski=0", &err), RC_PARSE);
	assert_int_equal(admin_cert_ask_query(&a, "serial=1&ski=keyid", &err), RC_PARSE);
	assert_int_equal(admin_cert_ask_query(&a, "", &err), RC_PARSE);
	assert_int_equal(admin_cert_ask_query(&a, "serial=&ca=issuing", &err), RC_PARSE);
	assert_int_equal(admin_cert_ask_query(&a, "serial=%00", &err), RC_PARSE);
	assert_int_equal(admin_cert_ask_query(&a, "serial=" SERIAL "&ca=a%0Ab", &err), RC_PARSE);
}

/* ---- what is to become of it ---- */

#define NOW 1796083200 /* 2026-12-01T00:00:00Z */

static void
a_change_of_status_is_taken_or_refused_in_words(void **state)
{
	static const struct {
		enum cause_effect effect;
		bool many;
		const char *body, *why; /* NULL: taken */
		int reason;
		int64_t until;
	} rows[] = {
		{ CAUSE_REVOKE, false, "{\"reason\":\"keyCompromise\",\"comment\":\"lost\"}", NULL,
		    1, 0 },
		{ CAUSE_REVOKE, false, "{}", "reason is one of", 0, 0 },
		{ CAUSE_REVOKE, false, "", "reason is one of", 0, 0 },
		{ CAUSE_REVOKE, false, "{\"reason\":\"certificateHold\"}", "reason is one of", 0,
		    0 },
		{ CAUSE_REVOKE, false, "{\"reason\":\"superseded\",\"until\":\"8h\"}",
		    "\"until\" is no member", 0, 0 },
		{ CAUSE_HOLD, false, "", NULL, REASON_HOLD, 0 },
		{ CAUSE_HOLD, false, "{\"until\":\"8h\"}", NULL, REASON_HOLD, NOW + 8 * 3600 },
		{ CAUSE_HOLD, false, "{\"until\":\"2026-12-02T00:00:00Z\"}", NULL, REASON_HOLD,
		    NOW + 86400 },
		{ CAUSE_HOLD, false, "{\"until\":\"2026-11-30T00:00:00Z\"}", "over already", 0, 0 },
		{ CAUSE_HOLD, false, "{\"until\":\"soon\"}", "until: \"soon\" is neither", 0, 0 },
		{ CAUSE_HOLD, false, "{\"until\":\"2026-12-01\"}", NULL, REASON_HOLD,
		    INT64_C(1796169599) },
		{ CAUSE_HOLD, false, "{\"reason\":\"keyCompromise\"}", "\"reason\" is no member", 0,
		    0 },
		{ CAUSE_HOLD, false, "{\"device\":\"d\"}", "\"device\" is no member", 0, 0 },
		{ CAUSE_HOLD, true, "{\"device\":\"d\"}", NULL, REASON_HOLD, 0 },
		{ CAUSE_HOLD, true, "{\"user\":\"u\",\"until\":\"1d\"}", NULL, REASON_HOLD,
		    NOW + 86400 },
		{ CAUSE_HOLD, true, "{\"user\":\"u\",\"device\":\"d\"}", "one of device and user",
		    0, 0 },
		{ CAUSE_HOLD, true, "", "one of device and user", 0, 0 },
		{ CAUSE_GONE, false, "", NULL, 0, 0 },
		{ CAUSE_GONE, false, "{\"comment\":\"found again\"}", NULL, 0, 0 },
		{ CAUSE_GONE, false, "{\"comment\":\"a\\u0007\"}", "control characters", 0, 0 },
		{ CAUSE_GONE, true, "{\"device\":\"d\"}", NULL, 0, 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct admin_status_ask a;
		struct err err = { 0 };
		enum rc rc = admin_status_parse(&a, rows[i].effect, rows[i].many, NOW, rows[i].body,
		    strlen(rows[i].body), &err);

		if (rows[i].why == NULL ? rc != RC_OK
					: rc != RC_PARSE || strstr(err.msg, rows[i].why) == NULL) {
			print_error("%zu %s: %s \"%s\"\n", i, rows[i].body, rc_name(rc), err.msg);
			_fail(__FILE__, __LINE__);
		}
		if (rc != RC_OK)
			continue;
		assert_int_equal(a.reason, rows[i].reason);
		assert_int_equal(a.until, rows[i].until);
	}
}

static void
every_reason_that_an_administrator_may_give_has_its_name(void **state)
{
	static const char given[] = REASONS_GIVEN;
	char copy[sizeof(given)], *save = NULL;
	int n = 0;

	memcpy(copy, given, sizeof(given));
	for (char *w = strtok_r(copy, "|", &save); w != NULL; w = strtok_r(NULL, "|", &save), n++) {
		assert_true(reason_given(w) >= 0 && reason_given(w) != REASON_HOLD);
		assert_string_equal(reason_name(reason_given(w)), w);
	}
	assert_int_equal(n, 6);
	assert_int_equal(reason_given("removeFromCRL"), -1);
	assert_string_equal(reason_name(REASON_HOLD), "certificateHold");
	assert_string_equal(reason_name(7), "unknown");
}

/* What the doors for certificates say of n bytes must be in their bounds. */
static void
look_at_all(const char *body, size_t n)
{
	struct admin_status_ask s;
	struct admin_cert_ask a;
	struct err err;

	if (admin_cert_ask_parse(&a, body, n, &err) == RC_OK) {
		assert_true(a.serial[0] != '\0' && strlen(a.serial) <= 2 * SERIAL_MAX);
		admin_cert_ask_done(&a);
	}
	for (int e = CAUSE_GONE; e <= CAUSE_REVOKE; e++)
		if (admin_status_parse(&s, (enum cause_effect)e, true, NOW, body, n, &err) == RC_OK)
			assert_true((s.device[0] != '\0') != (s.user[0] != '\0') &&
			    (s.until == 0 || s.until > NOW));
}

static void
prefixes_and_flipped_bits_of_the_rest_are_survived(void **state)
{
	static const char *const bodies[] = {
		"{\"serial\":\"0A:1B:2C\",\"ca\":\"issuing\"}",
		"{\"certificate\":\"MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A\",\"ca\":null}",
		"{\"reason\":\"keyCompromise\",\"comment\":\"\xc3\xb6\",\"user\":\"u-1\"}",
		"{\"until\":\"2026-12-02T00:00:00Z\",\"device\":\"d-1\"}",
	};

	for (size_t b = 0; b < sizeof(bodies) / sizeof(bodies[0]); b++) {
		size_t len = strlen(bodies[b]);

		for (size_t n = 0; n <= len; n++) {
			char *copy = malloc(n > 0 ? n : 1);

			assert_non_null(copy);
			memcpy(copy, bodies[b], n);
			look_at_all(copy, n);
			for (size_t bit = 0; n == len && bit < 8 * n; bit++) {
				copy[bit / 8] = (char)(copy[bit / 8] ^ (1 << bit % 8));
				look_at_all(copy, n);
				copy[bit / 8] = (char)(copy[bit / 8] ^ (1 << bit % 8));
			}
			free(copy);
		}
	}
}

/* Every prefix, and every bit of every prefix's whole. */
static void
prefixes_and_flipped_bits_are_survived(void **state)
{
	static const char body[] = "{\"endpoint\":\"lab\",\"subject\":\"CN=a,O=\xc3\xb6\",\"san\":"
				   "\"dns:a\",\"lifetime\":\"2h\",\"uses\":3,\"comment\":\"c\"}";
	size_t len = strlen(body);

	for (size_t n = 0; n <= len; n++) {
		char *copy = malloc(n > 0 ? n : 1);
		struct admin_otp_ask a;
		struct err err;

		assert_non_null(copy);
		memcpy(copy, body, n);
		assert_int_equal(admin_otp_parse(&a, copy, n, &err) == RC_OK, n == len);
		free(copy);
	}
	for (size_t bit = 0; bit < 8 * len; bit++) {
		char *copy = malloc(len);
		struct admin_otp_ask a;
		struct err err;

		assert_non_null(copy);
		memcpy(copy, body, len);
		copy[bit / 8] = (char)(copy[bit / 8] ^ (1 << bit % 8));
		if (admin_otp_parse(&a, copy, len, &err) == RC_OK)
			assert_true(a.uses >= 1 && a.lifetime > 0 && a.endpoint[0] != '\0');
		free(copy);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(serial_numbers_are_taken_as_programs_show_them),
		cmocka_unit_test(a_verdict_is_asked_of_one_certificate),
		cmocka_unit_test(a_query_asks_the_same),
		cmocka_unit_test(a_change_of_status_is_taken_or_refused_in_words),
		cmocka_unit_test(every_reason_that_an_administrator_may_give_has_its_name),
		cmocka_unit_test(prefixes_and_flipped_bits_of_the_rest_are_survived),
		cmocka_unit_test(asks_are_taken_or_refused_in_words),
		cmocka_unit_test(a_body_has_an_end),
		cmocka_unit_test(texts_have_an_end),
		cmocka_unit_test(a_decision_may_have_a_reason),
		cmocka_unit_test(prefixes_and_flipped_bits_are_survived),
	};

	return cmocka_run_group_tests_name("admin_json", tests, NULL, NULL);
}
