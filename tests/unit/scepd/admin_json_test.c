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
		cmocka_unit_test(asks_are_taken_or_refused_in_words),
		cmocka_unit_test(a_body_has_an_end),
		cmocka_unit_test(texts_have_an_end),
		cmocka_unit_test(a_decision_may_have_a_reason),
		cmocka_unit_test(prefixes_and_flipped_bits_are_survived),
	};

	return cmocka_run_group_tests_name("admin_json", tests, NULL, NULL);
}
