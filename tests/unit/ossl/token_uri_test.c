/*
 * token_uri_test.c - which PKCS#11 URIs name a private key.
 */
#include "fixture.h"

#include <stdio.h>
#include <string.h>

#include "ossl/key_source.h"
#include "ossl/token_uri.h"

static enum rc
parse(struct token_uri *u, const char *text, struct err *err)
{
	return token_uri_parse(u, text, strlen(text), err);
}

static void
every_attribute_is_read(void **state)
{
	struct err err = { 0 };
	struct token_uri u;

	assert_ok(parse(&u,
		      "pkcs11:token=My%20CA;manufacturer=SoftHSM%20project;model=SoftHSM%20v2;"
		      "serial=8c4ff1e2a3b4c5d6;slot-id=17;object=issuing%3b1;id=%01%02%ff;type="
		      "private?pin-source=file:/etc/scepd/pin",
		      &err),
	    err);
	assert_string_equal(u.token, "My CA");
	assert_string_equal(u.manufacturer, "SoftHSM project");
	assert_string_equal(u.model, "SoftHSM v2");
	assert_string_equal(u.serial, "8c4ff1e2a3b4c5d6");
	assert_true(u.has_slot);
	assert_int_equal(u.slot, 17);
	assert_string_equal(u.object, "issuing;1");
	assert_int_equal(u.id_len, 3);
	assert_memory_equal(u.id, "\x01\x02\xff", 3);
	assert_string_equal(u.pin_source, "/etc/scepd/pin");
}

static void
what_is_not_said_is_empty(void **state)
{
	struct err err = { 0 };
	struct token_uri u;

	assert_ok(parse(&u, "pkcs11:object=a&b", &err), err);
	assert_string_equal(u.object, "a&b");
	assert_string_equal(u.token, "");
	assert_false(u.has_slot);
	assert_int_equal(u.id_len, 0);
	assert_string_equal(u.pin_source, "");
	assert_ok(parse(&u, "pkcs11:id=abc", &err), err);
	assert_memory_equal(u.id, "abc", 3);
	assert_ok(parse(&u, "pkcs11:slot-id=0;object=k", &err), err);
	assert_true(u.has_slot);
}

static void
a_pin_is_somewhere_else(void **state)
{
	static const struct {
		const char *source, *want; /* NULL: refused */
	} cases[] = { { "file:/a/b", "/a/b" }, { "file:///a/b", "/a/b" }, { "/a%20b", "/a b" },
		{ "credential:hsm-pin", "credential:hsm-pin" }, { "file:a", NULL }, { "a", NULL },
		{ "file://host/a", NULL }, { "//a", NULL }, { "|cat%20/pin", NULL },
		{ "|/bin/sh", NULL }, { "prompt", NULL }, { "file:credential:x", NULL },
		{ "file:", NULL } };
	struct err err = { 0 };
	struct token_uri u;
	char text[200];
	size_t i;

	for (i = 0; i < N(cases); i++) {
		snprintf(text, sizeof text, "pkcs11:object=k?pin-source=%s", cases[i].source);
		if (cases[i].want == NULL) {
			assert_int_equal(parse(&u, text, &err), RC_CONFIG);
			continue;
		}
		assert_ok(parse(&u, text, &err), err);
		assert_string_equal(u.pin_source, cases[i].want);
	}
}

static void
what_names_no_key_is_refused_with_its_reason(void **state)
{
	static const struct {
		const char *text, *word;
	} cases[] = {
		{ "", "pkcs11:" },
		{ "pkcs11", "pkcs11:" },
		{ "PKCS11:object=a", "pkcs11:" },
		{ "pkcs11:", "names no key" },
		{ "pkcs11:token=a", "names no key" },
		{ "pkcs11:object=", "object is empty" },
		{ "pkcs11:object=a;object=b", "object is there twice" },
		{ "pkcs11:object", "without a value" },
		{ "pkcs11:object=a;", "separator at the end" },
		{ "pkcs11:object=a;;id=b", "without a value" },
		{ "pkcs11:object=a;colour=red", "\"colour\" is not known" },
		{ "pkcs11:pin-source=/a;object=b", "\"pin-source\" is not known before" },
		{ "pkcs11:object=a?token=b", "\"token\" is not known after" },
		{ "pkcs11:object=a b", "%20" },
		{ "pkcs11:object=a/b", "%2F" },
		{ "pkcs11:object=\xc3\xa4", "%C3" },
		{ "pkcs11:object=%c3", "UTF-8" },
		{ "pkcs11:object=a%00b", "UTF-8" },
		{ "pkcs11:object=%4", "two hex digits" },
		{ "pkcs11:object=%zz", "two hex digits" },
		{ "pkcs11:object=%", "two hex digits" },
		{ "pkcs11:object=a;type=public", "type is not private" },
		{ "pkcs11:object=a;slot-id=x", "slot-id" },
		{ "pkcs11:object=a;slot-id=4294967296", "slot-id" },
		{ "pkcs11:object=a;serial=01234567890123456", "longer than 16" },
		{ "pkcs11:object=a;token=012345678901234567890123456789012", "longer than 32" },
		{ "pkcs11:object=a?module-path=/x.so", "module-path is not taken" },
		{ "pkcs11:object=a?pin-value=1234", "pin-value is not taken" },
	};
	struct err err = { 0 };
	struct token_uri u;
	size_t i;

	for (i = 0; i < N(cases); i++) {
		assert_int_equal(parse(&u, cases[i].text, &err), RC_CONFIG);
		if (strstr(err.msg, cases[i].word) == NULL)
			fail_msg("%s: %s", cases[i].text, err.msg);
		assert_null(strstr(err.msg, "1234"));
	}
}

static void
an_error_shows_no_query(void **state)
{
	struct err err = { 0 };

	assert_int_equal(key_source_check("pkcs11:object=a?pin-value=8642", &err), RC_CONFIG);
	assert_null(strstr(err.msg, "8642"));
	assert_non_null(strstr(err.msg, "pkcs11:object=a: "));
	assert_int_equal(key_source_check("pkcs11:object=a?8642", &err), RC_CONFIG);
	assert_null(strstr(err.msg, "8642"));
	assert_ok(key_source_check("/etc/scepd/ca.key", &err), err);
	assert_ok(key_source_check("pkcs11:object=a", &err), err);
}

static enum rc
door(const void *p, size_t len)
{
	struct token_uri u;

	return token_uri_parse(&u, p, len, NULL);
}

static void
cut_and_changed_uris_do_no_harm(void **state)
{
	static const char uri[] =
	    "pkcs11:token=a%20b;slot-id=1;id=%01;type=private;object=o?pin-source=/x";
	static char longest[TOKEN_URI_MAX + 2] = "pkcs11:object=";

	/* From where an id is complete, prefixes are URIs. */
	for (size_t len = 0; len <= (size_t)(strstr(uri, "id=%") - uri) + 5; len++)
		assert_int_equal(door(uri, len), RC_CONFIG);
	sweep_flips(door, uri, sizeof uri - 1, 1);
	memset(longest + 14, 'a', sizeof longest - 14);
	assert_int_equal(door(longest, TOKEN_URI_MAX + 1), RC_CONFIG);
	assert_int_equal(door(longest, 14 + TOKEN_OBJECT_MAX + 1), RC_CONFIG);
	assert_int_equal(door(longest, 14 + TOKEN_OBJECT_MAX), RC_OK);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_attribute_is_read),
		cmocka_unit_test(what_is_not_said_is_empty),
		cmocka_unit_test(a_pin_is_somewhere_else),
		cmocka_unit_test(what_names_no_key_is_refused_with_its_reason),
		cmocka_unit_test(an_error_shows_no_query),
		cmocka_unit_test(cut_and_changed_uris_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
