/*
 * binding_test.c - whom names bind to, and what a SID is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include "ca/binding.h"

#undef fail
#include <cmocka.h>

#define GUID  "3e8d5a10-1111-4a4a-9c9c-000000000101"
#define OTHER "9a7b6c5d-2222-4b4b-8d8d-000000000202"
#define SID   "S-1-5-21-2127521184-1604012920-1887927527-5621"

/* What a profile puts into a certificate, and whom that is. */
static const struct {
	const char *subject, *upn, *uri;
	enum binding_state is;
	const char *managed, *device, *upn_hint, *serial, *sid;
} names[] = {
	{ "CN=LAPTOP-7", NULL, NULL, BINDING_NONE, "", "", "", "", "" },
	{ "CN=" GUID, NULL, NULL, BINDING_OPEN, GUID, GUID, "", "", "" },
	{ "CN=3E8D5A10-1111-4A4A-9C9C-000000000101", NULL, NULL, BINDING_OPEN, GUID, GUID, "", "",
	    "" },
	{ "CN=LAPTOP-7", NULL, "IntuneDeviceId://" GUID, BINDING_OPEN, GUID, "", "", "", "" },
	{ "CN=LAPTOP-7", NULL, "intunedeviceid://" GUID, BINDING_OPEN, GUID, "", "", "", "" },
	/* The URI says which: the CN is Entra's id then, or nothing. */
	{ "CN=" OTHER, NULL, "IntuneDeviceId://" GUID, BINDING_OPEN, GUID, "", "", "", "" },
	{ "CN=jane", "jane@contoso.com", NULL, BINDING_OPEN, "", "", "jane@contoso.com", "", "" },
	{ "CN=jane@contoso.com", NULL, NULL, BINDING_OPEN, "", "", "jane@contoso.com", "", "" },
	{ "CN=x,SERIALNUMBER=PF3K7XW2", NULL, NULL, BINDING_OPEN, "", "", "", "PF3K7XW2", "" },
	{ "CN=jane", "jane@contoso.com", "tag:microsoft.com,2022-09-14:sid:" SID, BINDING_OPEN, "",
	    "", "jane@contoso.com", "", SID },
	/* What a directory could not be asked for: neither taken, nor does it hide what could. */
	{ "CN=jane@", NULL, NULL, BINDING_NONE, "", "", "", "", "" },
	{ "CN=@contoso.com", "@", NULL, BINDING_NONE, "", "", "", "", "" },
	{ "CN=jane", "jane", NULL, BINDING_NONE, "", "", "", "", "" },
	{ "CN=jane", "jane@con\ntoso.com", NULL, BINDING_NONE, "", "", "", "", "" },
	{ "CN=jane@contoso.com", "jane@", NULL, BINDING_OPEN, "", "", "jane@contoso.com", "", "" },
	{ "CN=" GUID, "@", NULL, BINDING_OPEN, GUID, GUID, "", "", "" },
	/* What no directory can be asked about is nobody's name, and hides no other. */
	{ "CN=@jane", NULL, NULL, BINDING_NONE, "", "", "", "", "" },
	{ "CN=jane@", NULL, NULL, BINDING_NONE, "", "", "", "", "" },
	{ "CN=x", "jane", NULL, BINDING_NONE, "", "", "", "", "" },
	{ "CN=x", "ja\001ne@contoso.com", NULL, BINDING_NONE, "", "", "", "", "" },
	{ "CN=jane@contoso.com", "jane", NULL, BINDING_OPEN, "", "", "jane@contoso.com", "", "" },
	/* Half an id is nobody's. */
	{ "CN=3e8d5a10-1111-4a4a-9c9c-00000000010", NULL, "IntuneDeviceId://x", BINDING_NONE, "",
	    "", "", "", "" },
	{ "CN=" GUID "0", NULL, "https://example.com/" GUID, BINDING_NONE, "", "", "", "", "" },
};

static void
names_bind_to_what_profiles_put_there(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct san_list san = { 0 };
		struct store_binding b;
		struct name subject;
		struct err err;

		assert_int_equal(name_from_text(&subject, names[i].subject, &err), RC_OK);
		if (names[i].upn != NULL)
			assert_int_equal(san_list_add(&san, SAN_UPN, names[i].upn, &err), RC_OK);
		if (names[i].uri != NULL)
			assert_int_equal(san_list_add(&san, SAN_URI, names[i].uri, &err), RC_OK);
		binding_of_names(&b, "contoso", &subject, &san);
		assert_int_equal(b.state, names[i].is);
		assert_string_equal(b.managed, names[i].managed);
		assert_string_equal(b.device, names[i].device);
		assert_string_equal(b.upn, names[i].upn_hint);
		assert_string_equal(b.serial_number, names[i].serial);
		assert_string_equal(b.sid, names[i].sid);
		/* Without a tenant there is nobody to ask. */
		binding_of_names(&b, NULL, &subject, &san);
		assert_int_equal(b.state, BINDING_NONE);
		san_list_done(&san);
		name_done(&subject);
	}
}

#define SID_URI "tag:microsoft.com,2022-09-14:sid:"

/* Whoever reads the certificate may take the other of two names than the binding did. */
static void
two_names_of_a_kind_are_refused(void **state)
{
	static const struct {
		struct {
			enum san_type type;
			const char *value;
		} v[3];
		const char *two; /* what there are two of; NULL: fine */
	} t[] = {
		{ { { SAN_UPN, "jane@contoso.com" }, { SAN_URI, "IntuneDeviceId://" GUID },
		      { SAN_URI, SID_URI SID } },
		    NULL },
		{ { { SAN_UPN, "jane@contoso.com" }, { SAN_UPN, "admin@contoso.com" } },
		    "user principal names" },
		{ { { SAN_UPN, "jane" }, { SAN_UPN, "jane@contoso.com" } },
		    "user principal names" },
		{ { { SAN_UPN, "jane@contoso.com" }, { SAN_UPN, "Jane@Contoso.com" } }, NULL },
		{ { { SAN_UPN, "a@b" }, { SAN_UPN, "a@b" }, { SAN_UPN, "c@b" } },
		    "user principal names" },
		{ { { SAN_UPN, "jane@contoso.com" }, { SAN_EMAIL, "j@contoso.com" } }, NULL },
		{ { { SAN_URI, "IntuneDeviceId://" GUID }, { SAN_URI, "intunedeviceid://" OTHER } },
		    "IntuneDeviceId:// URIs" },
		{ { { SAN_URI, "IntuneDeviceId://" GUID }, { SAN_URI, "IntuneDeviceId://x" } },
		    "IntuneDeviceId:// URIs" },
		{ { { SAN_URI, SID_URI SID }, { SAN_URI, SID_URI SID "1" } }, "SIDs" },
		{ { { SAN_URI, SID_URI SID }, { SAN_URI, "https://example.com/" SID } }, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct san_list san = { 0 };
		struct err err = { 0 };

		for (size_t k = 0; k < 3 && t[i].v[k].value != NULL; k++)
			assert_int_equal(
			    san_list_add(&san, t[i].v[k].type, t[i].v[k].value, &err), RC_OK);
		assert_int_equal(
		    binding_names_agree(&san, &err), t[i].two == NULL ? RC_OK : RC_DENIED);
		if (t[i].two != NULL)
			assert_non_null(strstr(err.msg, t[i].two));
		san_list_done(&san);
	}
}

static void
what_is_too_long_is_no_hint(void **state)
{
	char upn[400];
	struct san_list san = { 0 };
	struct store_binding b;
	struct name subject;
	struct err err;

	(void)state;
	memset(upn, 'a', sizeof(upn));
	strcpy(upn + 300, "@contoso.com");
	assert_int_equal(name_from_text(&subject, "CN=x", &err), RC_OK);
	assert_int_equal(san_list_add(&san, SAN_UPN, upn, &err), RC_OK);
	binding_of_names(&b, "contoso", &subject, &san);
	assert_int_equal(b.state, BINDING_NONE);
	san_list_done(&san);
	name_done(&subject);
}

static void
a_sid_is_read_strictly(void **state)
{
	static const char *const good[] = { SID, "s-1-5-21-1-2-3-4", "S-1-12-1-1-2-3-4",
		"S-1-5-18-1", "S-1-5-21-0-4294967295-3-4" };
	static const char *const bad[] = { "", "S-1-5", "S-1-5-21-", "S-1-5-21--1", "S-2-5-21-1-2",
		"S-1-5-21-1-2-x", "S-1-5-21-1-2-3-4 ", "XS-1-5-21-1-2-3-4",
		"S-1-5-21-1-2-3-4-5-6-7-8-9-10-11-12-13-14-15-16", "S-1-5-21-1234567890123456-1",
		/* Other ways to write 500: the list of those who rule a domain compares text. */
		"S-1-5-21-1-2-3-0500", "S-1-5-21-1-2-3-4294967796", "S-1-5-21-1-2-3-99999999999",
		"S-1-05-21-1-2-3-500", "S-1-5-21-01-2-3-4", "S-1-5-21-1-2-3-00" };

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(sid_is_valid(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(sid_is_valid(bad[i]));
	assert_string_equal(sid_of_uri("TAG:microsoft.com,2022-09-14:sid:" SID), SID);
	assert_null(sid_of_uri("tag:microsoft.com,2022-09-15:sid:" SID));
}

static void
who_rules_a_domain_gets_no_certificate(void **state)
{
	static const char *const more[] = { "S-1-5-21-9-9-9-1234", "4711" };
	static const struct {
		const char *sid;
		bool denied;
	} t[] = {
		{ "S-1-5-21-1-2-3-500", true },
		{ "S-1-5-21-1-2-3-502", true },
		{ "S-1-5-21-1-2-3-512", true },
		{ "S-1-5-21-1-2-3-516", true },
		{ "S-1-5-21-1-2-3-519", true },
		{ "S-1-5-32-544", true }, /* built in */
		{ "S-1-5-18-0", true },
		{ "S-1-5-21-1-2-3-5000", false },
		{ SID, false },
		{ "S-1-12-1-1-2-3-500", false }, /* Entra's own: no domain */
		{ "S-1-5-21-9-9-9-1234", true },
		{ "s-1-5-21-9-9-9-1234", true },
		{ "S-1-5-21-9-9-8-1234", false },
		{ "S-1-5-21-1-1-1-4711", true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		assert_int_equal(sid_is_denied(t[i].sid, more, 2), t[i].denied);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_bind_to_what_profiles_put_there),
		cmocka_unit_test(two_names_of_a_kind_are_refused),
		cmocka_unit_test(what_is_too_long_is_no_hint),
		cmocka_unit_test(a_sid_is_read_strictly),
		cmocka_unit_test(who_rules_a_domain_gets_no_certificate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
