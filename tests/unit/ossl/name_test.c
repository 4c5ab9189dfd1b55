/*
 * name_test.c - distinguished names and alternative names.
 */
#include "fixture.h"

#include <stdlib.h>
#include <string.h>

static void
assert_text(const struct name *n, const char *want)
{
	struct buf b;

	buf_init(&b, 1 << 16);
	name_text(&b, n);
	assert_string_equal(buf_str(&b), want);
	buf_done(&b);
}

static void
text_of_intune_profiles_becomes_a_name(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "", "" },
		{ "  ", "" },
		{ "CN=Jane Doe", "CN=Jane Doe" },
		{ "CN=Jane Doe,E=j@x.y,OU=\"A, B\"", "CN=Jane Doe,E=j@x.y,OU=A\\, B" },
		{ "cn = a ; o = b", "CN=a,O=b" },
		{ "CN=a+UID=b,O=c", "CN=a+UID=b,O=c" },
		{ "CN=b+CN=a", "CN=a+CN=b" }, /* a SET OF is sorted */
		{ "CN=\"say \"\"hi\"\"\"", "CN=say \\\"hi\\\"" },
		{ "CN=\"CONTOSO\\jane\"", "CN=CONTOSO\\\\jane" },
		{ "CN=a\\,b\\+c\\;d\\\\e", "CN=a\\,b\\+c\\;d\\\\e" },
		{ "CN=Zo\\C3\\AB", "CN=Zo\xc3\xab" },
		{ "CN=\\ a\\ ", "CN=\\ a\\ " },
		{ "CN=\" a \"", "CN=\\ a\\ " },
		{ "CN=\\#1", "CN=\\#1" },
		{ "CN=#1", "CN=\\#1" },
		{ "CN=", "CN=" },
		{ "CN=a=b", "CN=a=b" },
		{ "emailAddress=j@x.y,S=WA,GN=Jane,SN=Doe,title=Dr,I=JD,SERIALNUMBER=7,STREET=s,L="
		  "l,C=US,DC=x",
		    "E=j@x.y,ST=WA,G=Jane,SN=Doe,T=Dr,I=JD,SERIALNUMBER=7,STREET=s,L=l,C=US,DC=x" },
		{ "2.5.4.3=a,1.2.3.4=b,OID.1.2.3.5=c", "CN=a,1.2.3.4=b,1.2.3.5=c" },
	};
	struct name n;
	size_t i;

	for (i = 0; i < N(cases); i++) {
		n = fixture_name(cases[i].text);
		assert_text(&n, cases[i].want);
		name_done(&n);
	}
}

static void
text_that_is_no_name_is_refused(void **state)
{
	static const char *const bad[] = { "Jane", "=a", "CN", "CN=a,", ",CN=a", "CN=a,,O=b",
		"CN=a+", "CN=\"a", "CN=\"a\"b", "CN=a\"b\"", "CN=a\\", "CN=a\\q", "CN=a\\0",
		"CN=\\00", "XX=a", "1.2.x=a", "1=a", "CN=\x01", "CN=a\nb", "CN=\xc3", "C=\xc3\xab",
		"C=U@", "DC=\xc3\xab", "E=\xc3\xab@x", "CN=\\0A",
		"1.2.3.4.5.6.7.8.9.10.11.12.13.14.15.16.17.18.19.20.21.22.23.24.25.26.27=a" };
	struct name n;
	size_t i;

	for (i = 0; i < N(bad); i++)
		if (name_from_text(&n, bad[i], NULL) != RC_PARSE)
			fail_msg("\"%s\" is taken", bad[i]);
}

static void
text_beyond_the_limits_is_refused(void **state)
{
	char *text = malloc(20001);
	struct name n;
	size_t i;

	assert_non_null(text);
	memset(text, 'a', 20000);
	memcpy(text, "CN=", 3);
	text[20000] = '\0';
	assert_int_equal(name_from_text(&n, text, NULL), RC_LIMIT);
	for (i = 0; i <= NAME_ATTRS_MAX; i++)
		memcpy(text + 5 * i, "CN=a,", 5);
	text[5 * i - 1] = '\0';
	assert_int_equal(name_from_text(&n, text, NULL), RC_PARSE);
	text[5 * NAME_ATTRS_MAX - 1] = '\0';
	assert_int_equal(name_from_text(&n, text, NULL), RC_OK);
	assert_int_equal(n.n, NAME_ATTRS_MAX);
	name_done(&n);
	free(text);
}

static void
country_is_printable_and_mail_is_ia5_and_the_rest_utf8(void **state)
{
	static const uint8_t want[] =
	    "\x30\x2b"
	    "\x31\x0b\x30\x09\x06\x03\x55\x04\x06\x13\x02"
	    "US"
	    "\x31\x10\x30\x0e\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01\x16\x01"
	    "e"
	    "\x31\x0a\x30\x08\x06\x03\x55\x04\x03\x0c\x01"
	    "a";
	struct name n = fixture_name("C=US,E=e,CN=a");

	assert_int_equal(n.der_len, sizeof want - 1);
	assert_memory_equal(n.der, want, sizeof want - 1);
	name_done(&n);
}

static void
the_text_of_a_name_reads_back_as_the_same_name(void **state)
{
	static const char *const texts[] = { "CN=Jane Doe,OU=\" a, b\\\\ +\"\"\",O=c;C=DE",
		"CN=a+E=b@c+O=d,L=\" \"", "CN=\"\"" };
	struct name a, b;
	struct buf text;
	size_t i;

	for (i = 0; i < N(texts); i++) {
		a = fixture_name(texts[i]);
		buf_init(&text, 1 << 12);
		name_text(&text, &a);
		b = fixture_name(buf_str(&text));
		assert_true(name_same(&a, &b));
		assert_int_equal(a.der_len, b.der_len);
		assert_memory_equal(a.der, b.der, a.der_len);
		buf_done(&text);
		name_done(&a);
		name_done(&b);
	}
}

/* One RDN with one CN of the given string type. */
static enum rc
cn_of_type(struct name *n, uint8_t tag, const void *value, size_t len)
{
	size_t name, set, seq;
	struct buf b;
	enum rc rc;

	buf_init(&b, 1 << 12);
	name = der_open(&b, DER_SEQUENCE);
	set = der_open(&b, DER_SET);
	seq = der_open(&b, DER_SEQUENCE);
	assert_true(der_add_oid(&b, "2.5.4.3"));
	der_add(&b, tag, value, len);
	der_close(&b, seq);
	der_close(&b, set);
	der_close(&b, name);
	rc = name_parse(n, b.data, b.len, NULL);
	buf_done(&b);
	return rc;
}

/* "admin<RLO>moc.osotnoc" reads otherwise than it compares. */
static void
names_that_reorder_or_break_what_is_read_are_refused(void **state)
{
	static const char *const bad[] = { "a\xe2\x80\xae"
					   "b",
		"a\xe2\x80\xa8"
		"b",
		"\xe2\x81\xa6"
		"a",
		"a\xe2\x80\xaa" };
	static const char *const good[] = { "\xd9\x85\xdb\x8c\xe2\x80\x8c\xd8\xae",
		"a\xe2\x80\x8f"
		"b" };
	struct name n;

	for (size_t i = 0; i < N(bad); i++)
		assert_int_equal(cn_of_type(&n, DER_UTF8, bad[i], strlen(bad[i])), RC_PARSE);
	for (size_t i = 0; i < N(good); i++) {
		assert_int_equal(cn_of_type(&n, DER_UTF8, good[i], strlen(good[i])), RC_OK);
		name_done(&n);
	}
}

static void
names_are_the_same_whatever_their_string_type_but_not_their_case(void **state)
{
	struct name utf8, bmp, upper, two, plus;

	assert_int_equal(cn_of_type(&utf8, DER_UTF8, "ab", 2), RC_OK);
	assert_int_equal(cn_of_type(&bmp, DER_BMP, "\0a\0b", 4), RC_OK);
	assert_int_equal(cn_of_type(&upper, DER_PRINTABLE, "AB", 2), RC_OK);
	two = fixture_name("CN=ab,CN=ab");
	plus = fixture_name("CN=ab+CN=ab");
	assert_true(name_same(&utf8, &bmp));
	assert_false(name_same(&utf8, &upper));
	assert_false(name_same(&utf8, &two));
	assert_false(name_same(&two, &plus));
	name_done(&utf8);
	name_done(&bmp);
	name_done(&upper);
	name_done(&two);
	name_done(&plus);
}

/* S35 */
static void
a_nul_in_a_common_name_is_refused(void **state)
{
	struct name n;

	assert_int_equal(cn_of_type(&n, DER_UTF8, "a\0b", 3), RC_PARSE);
	assert_int_equal(cn_of_type(&n, DER_BMP, "\0a\0\0\0b", 6), RC_PARSE);
	assert_int_equal(cn_of_type(&n, DER_UTF8, "\xc0\x80", 2), RC_PARSE);
	assert_int_equal(cn_of_type(&n, DER_OCTET_STRING, "a", 1), RC_PARSE);
}

static void
values_are_found_by_label_and_index(void **state)
{
	struct name n = fixture_name("CN=a,OU=b,OU=c,1.2.3=d");

	assert_string_equal(name_get0(&n, "CN", 0), "a");
	assert_string_equal(name_get0(&n, "OU", 1), "c");
	assert_string_equal(name_get0(&n, "1.2.3", 0), "d");
	assert_null(name_get0(&n, "OU", 2));
	assert_null(name_get0(&n, "O", 0));
	assert_true(n.attrs[3].label == n.attrs[3].oid);
	name_done(&n);
}

static enum rc
door(const void *p, size_t len)
{
	struct name n;
	enum rc rc = name_parse(&n, p, len, NULL);

	if (rc == RC_OK)
		name_done(&n);
	return rc;
}

static void
no_prefix_of_a_name_is_taken_and_no_flip_breaks_the_door(void **state)
{
	struct name n =
	    fixture_name("C=US,O=Contoso+OU=Sales,CN=Zo\xc3\xab,E=z@contoso.com,DC=com,1.2.3.4=x");

	sweep_prefixes(door, n.der, n.der_len, 1);
	sweep_flips(door, n.der, n.der_len, 1);
	name_done(&n);
}

static void
malformed_names_are_refused(void **state)
{
	static const struct {
		const char *p;
		size_t len;
	} bad[] = {
		{ "\x30\x00z", 3 },
		{ "\x31\x00", 2 },
		{ "\x30\x02\x31\x00", 4 },
		{ "\x30\x02\x30\x00", 4 },
		{ "\x30\x04\x31\x02\x30\x00", 6 },
		{ "\x30\x02\x05\x00", 4 },
		{ "\x30\x0d\x31\x0b\x30\x09\x06\x03\x55\x04\x03\x0c\x00\x05\x00", 15 },
	};
	size_t i;

	for (i = 0; i < N(bad); i++)
		if (door(bad[i].p, bad[i].len) != RC_PARSE)
			fail_msg("case %zu is taken", i);
	assert_int_equal(door("\x30\x00", 2), RC_OK);
}

static void
types_of_alternative_names_have_names(void **state)
{
	int t;

	for (t = 0; t < SAN__MAX; t++)
		assert_int_equal(san_type_by_name(san_type_name((enum san_type)t)), t);
	assert_int_equal(san_type_by_name("UPN"), SAN_UPN);
	assert_int_equal(san_type_by_name("x"), SAN__MAX);
}

static void
a_list_of_alternative_names_is_bounded(void **state)
{
	struct san_list l = { 0 };
	enum rc rc;
	size_t i;

	for (i = 0; (rc = san_list_add(&l, SAN_DNS, "a.example", NULL)) == RC_OK; i++)
		assert_true(i < 1000);
	assert_int_equal(rc, RC_LIMIT);
	assert_int_equal(l.n, i);
	san_list_done(&l);
	assert_int_equal(l.n, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_that_reorder_or_break_what_is_read_are_refused),
		cmocka_unit_test(text_of_intune_profiles_becomes_a_name),
		cmocka_unit_test(text_that_is_no_name_is_refused),
		cmocka_unit_test(text_beyond_the_limits_is_refused),
		cmocka_unit_test(country_is_printable_and_mail_is_ia5_and_the_rest_utf8),
		cmocka_unit_test(the_text_of_a_name_reads_back_as_the_same_name),
		cmocka_unit_test(names_are_the_same_whatever_their_string_type_but_not_their_case),
		cmocka_unit_test(a_nul_in_a_common_name_is_refused),
		cmocka_unit_test(values_are_found_by_label_and_index),
		cmocka_unit_test(no_prefix_of_a_name_is_taken_and_no_flip_breaks_the_door),
		cmocka_unit_test(malformed_names_are_refused),
		cmocka_unit_test(types_of_alternative_names_have_names),
		cmocka_unit_test(a_list_of_alternative_names_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
