/* txlog_test.c - what the log tells an administrator to do about a refusal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#undef fail /* cmocka's; ours is base/err.h's */

#include "scepd/txlog.h"

static const struct {
	const char *step;
	enum rc kind;
	const char *has; /* NULL: no hint */
} rows[] = {
	{ "structure", RC_ALG, "AES" }, /* DES in the envelope */
	{ "verify", RC_ALG, "SHA-2" },  /* MD5 or RSASSA-PSS outside */
	{ "strict", RC_ALG, "AES and SHA-2, or the endpoint to compat: field" },
	{ "policy", RC_ALG, "sha1_csr" },
	{ "policy", RC_DENIED, "scepd.yaml" },
	{ "recipient", RC_DENIED, "RA certificate" },
	{ "decrypt", RC_INTEGRITY, "RA certificate" },
	{ "verify", RC_INTEGRITY, "on the way" },
	{ "sign", RC_CRYPTO, NULL },
	{ "auth", RC_DENIED, NULL }, /* Intune's answer or the challenge has its own */
	{ "type", RC_DENIED, NULL },
};

static void
a_refusal_says_what_to_do(void **state)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct err err;
		const char *hint;

		(void)fail(&err, rows[i].kind, "no");
		hint = txlog_hint(rows[i].step, &err);
		if (rows[i].has == NULL)
			assert_null(hint);
		else {
			assert_non_null(hint);
			assert_non_null(strstr(hint, rows[i].has));
		}
	}
}

static void
the_origins_own_hint_comes_first(void **state)
{
	struct err err;

	(void)fail(&err, RC_ALG, "no");
	(void)err_hint(&err, "ask %s", "Jane");
	assert_string_equal(txlog_hint("policy", &err), "ask Jane");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_refusal_says_what_to_do),
		cmocka_unit_test(the_origins_own_hint_comes_first),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
