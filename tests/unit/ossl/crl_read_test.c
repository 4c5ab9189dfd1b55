/*
 * crl_read_test.c - lists of other CAs: what is taken, what is refused and why, and that `openssl ca` agrees.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ossl/crl_read.h"
#include "ossl/ext.h"
#include "ossl/sig_alg.h"

#include "fixture.h"

#define FROM INT64_C(1790000000)
#define TO   INT64_C(1790003600)

static struct cert *ca, *other, *no_crl_sign;

static struct cert *
make(const char *name, struct key *key, unsigned ku)
{
	struct serial serial = fixture_serial("01");
	struct name n = fixture_name(name);
	struct cert_fields f = { .serial = &serial,
		.issuer = &n,
		.subject = &n,
		.not_before = FROM - 1000,
		.not_after = TO + 1000,
		.subject_key = key,
		.issuer_key = key,
		.digest = DIGEST_SHA256,
		.key_usage = ku,
		.is_ca = true,
		.path_len = -1 };
	struct cert *c = NULL;
	struct err err = { 0 };

	assert_ok(cert_make(&c, &f, key, &err), err);
	name_done(&n);
	return c;
}

static int
setup(void **state)
{
	(void)state;
	ca = make("CN=Foreign CA", fixture_key("ec:p256"), KU_CRL_SIGN | KU_KEY_CERT_SIGN);
	other = make("CN=Another CA", fixture_key("ec:p256"), KU_CRL_SIGN);
	no_crl_sign = make("CN=Foreign CA", fixture_key("ec:p256"), KU_KEY_CERT_SIGN);
	return 0;
}

static int
teardown(void **state)
{
	cert_free(ca);
	cert_free(other);
	cert_free(no_crl_sign);
	return fixture_done(state);
}

/* ---- lists made by hand ---- */

/* Hex of whole elements, where TAG{...} gets its length by itself; NULL: as in a good list. */
struct parts {
	const char *version, *times, *entries, *exts, *alg, *tail;
};
#define V2         "02{01}"
#define THIS       "17{3236303932313134313332305a}" /* FROM */
#define NEXT       "17{3236303932313135313332305a}" /* TO */
#define WHEN       "17{3236303130313030303030305a}" /* 2026-01-01 */
#define EC_ALG     "30{06{2a8648ce3d040302}}"
#define EXT(o, v)  "30{06{" o "}04{" v "}}"
#define CRIT(o, v) "30{06{" o "}01{ff}04{" v "}}"
#define REASON(r)  EXT("551d15", "0a{" r "}")
#define NUMBER     EXT("551d14", "02{01}")
#define EXTS(x)    "a0{30{" x "}}"
#define ENTRY      "30{02{00ab01}" WHEN "}"
#define WITH(x)    "30{02{05}" WHEN "30{" x "}}"

static void
add_hex(struct buf *b, const char *hex)
{
	size_t marks[16], depth = 0;
	unsigned v;

	while (*hex != '\0') {
		if (*hex == '}') {
			der_close(b, marks[--depth]);
			hex++;
			continue;
		}
		assert_int_equal(sscanf(hex, "%2x", &v), 1);
		hex += 2;
		if (*hex != '{') {
			buf_addc(b, (char)v);
			continue;
		}
		marks[depth++] = der_open(b, (uint8_t)v);
		hex++;
	}
	assert_int_equal(depth, 0);
}

static const char * or (const char *part, const char *usual)
{
	return part != NULL ? part : usual;
}

static void
put_signed(struct buf *out, const struct buf *tbs, const char *alg)
{
	struct buf sig;
	struct err err = { 0 };
	size_t whole = der_open(out, DER_SEQUENCE);

	buf_init(&sig, 1000);
	assert_ok(
	    key_sign(&sig, fixture_key("ec:p256"), DIGEST_SHA256, tbs->data, tbs->len, &err), err);
	buf_add(out, tbs->data, tbs->len);
	add_hex(out, alg);
	der_add_octet_bits(out, sig.data, sig.len);
	der_close(out, whole);
	buf_done(&sig);
}

static void
put_list(struct buf *out, const struct parts *p)
{
	const struct name *name = cert_subject0(ca);
	size_t mark;
	struct buf tbs;

	buf_init(&tbs, 1 << 20);
	mark = der_open(&tbs, DER_SEQUENCE);
	add_hex(&tbs, or (p->version, V2));
	add_hex(&tbs, EC_ALG);
	buf_add(&tbs, name->der, name->der_len);
	add_hex(&tbs, or (p->times, THIS NEXT));
	add_hex(&tbs, or (p->entries, "30{" ENTRY "}"));
	add_hex(&tbs, or (p->exts, EXTS(NUMBER)));
	add_hex(&tbs, or (p->tail, ""));
	der_close(&tbs, mark);
	put_signed(out, &tbs, or (p->alg, EC_ALG));
	buf_done(&tbs);
}

static enum rc
read_parts(struct crl_list *l, const struct parts *p, struct err *err)
{
	struct buf b;
	enum rc rc;

	buf_init(&b, 1 << 20);
	put_list(&b, p);
	rc = crl_read(l, b.data, b.len, ca, err);
	buf_done(&b);
	return rc;
}

static void
a_list_says_its_times_its_number_and_its_entries(void **state)
{
	struct crl_list l;
	struct crl_revoked r;
	struct err err = { 0 };
	struct der rest;
	struct buf b;

	(void)state;
	buf_init(&b, 1 << 20);
	put_list(&b, &(struct parts){ .entries = "30{" ENTRY WITH(REASON("06")) "}" });
	assert_ok(crl_read(&l, b.data, b.len, ca, &err), err);
	assert_int_equal(l.this_update, FROM);
	assert_int_equal(l.next_update, TO);
	assert_int_equal(l.number.len, 1);
	assert_int_equal(l.number.v[0], 1);
	assert_int_equal(l.n, 2);
	rest = l.entries;
	assert_true(crl_next(&rest, &r));
	assert_int_equal(r.serial.len, 2);
	assert_memory_equal(r.serial.p, "\xab\x01", 2);
	assert_int_equal(r.when, 1767225600);
	assert_int_equal(r.reason, 0);
	assert_true(crl_next(&rest, &r));
	assert_memory_equal(r.serial.p, "\x05", 1);
	assert_int_equal(r.reason, 6);
	assert_false(crl_next(&rest, &r));
	buf_done(&b);
}

/* A good list with one part replaced. */
static const struct {
	const char *what;
	struct parts p;
	enum rc rc;
	const char *says;
} lists[] = {
	{ "as it is", { NULL }, RC_OK, NULL },
	{ "no entries", { .entries = "" }, RC_OK, NULL },
	{ "an empty run of entries", { .entries = "3000" }, RC_OK, NULL },
	{ "no extensions", { .exts = "" }, RC_OK, NULL },
	{ "version 1", { .version = "", .exts = "" }, RC_OK, NULL },
	{ "no nextUpdate", { .times = THIS }, RC_OK, NULL },
	{ "an unknown extension", { .exts = EXTS(EXT("550403", "")) }, RC_OK, NULL },
	{ "extensions in version 1", { .version = "" }, RC_PARSE, "end" },
	{ "version 3", { .version = "02{02}" }, RC_PARSE, "version" },
	{ "it ends before it begins", { .times = NEXT THIS }, RC_PARSE, "before it begins" },
	{ "no times", { .times = "" }, RC_PARSE, "thisUpdate" },
	{ "two algorithms", { .alg = "30{06{2a8648ce3d040303}}" }, RC_PARSE,
	    "signature algorithm" },
	{ "something after the extensions", { .tail = "0500" }, RC_PARSE, "end" },
	{ "the number twice", { .exts = EXTS(NUMBER NUMBER) }, RC_PARSE, "twice" },
	{ "a negative number", { .exts = EXTS(EXT("551d14", "02{ff}")) }, RC_PARSE, "number" },
	{ "a delta", { .exts = EXTS(CRIT("551d1b", "02{01}")) }, RC_DENIED, "a delta" },
	{ "of some certificates", { .exts = EXTS(CRIT("551d1c", "30{81{ff}}")) }, RC_DENIED,
	    "some certificates only" },
	{ "of one distribution point", { .exts = EXTS(CRIT("551d1c", "30{a0{a0{86{61}}}}")) },
	    RC_DENIED, "some certificates only" },
	{ "indirect", { .exts = EXTS(CRIT("551d1c", "30{84{ff}}")) }, RC_DENIED, "indirect" },
	{ "an unknown critical extension", { .exts = EXTS(CRIT("550403", "")) }, RC_DENIED,
	    "2.5.4.3" },
	{ "an entry without a date", { .entries = "30{30{02{05}}}" }, RC_PARSE, "entry 1" },
	{ "an entry of 21 octets",
	    { .entries = "30{30{02{0102030405060708090a0b0c0d0e0f101112131415}" WHEN "}}" },
	    RC_PARSE, "entry 1" },
	{ "a negative serial number", { .entries = "30{30{02{ff}" WHEN "}}" }, RC_PARSE,
	    "entry 1" },
	{ "the second entry", { .entries = "30{" ENTRY "30{}}" }, RC_PARSE, "entry 2" },
	{ "removeFromCRL", { .entries = "30{" WITH(REASON("08")) "}" }, RC_DENIED,
	    "removeFromCRL" },
	{ "a reason of the future", { .entries = "30{" WITH(REASON("77")) "}" }, RC_OK, NULL },
	{ "an entry of another CA", { .entries = "30{" WITH(CRIT("551d1d", "30{}")) "}" },
	    RC_DENIED, "of another CA" },
	{ "a critical extension of an entry", { .entries = "30{" WITH(CRIT("550403", "")) "}" },
	    RC_DENIED, "critical extension" },
	{ "two reasons", { .entries = "30{" WITH(REASON("01") REASON("01")) "}" }, RC_PARSE,
	    "entry 1" },
	{ "an entry with a reason in version 1",
	    { .version = "", .exts = "", .entries = "30{" WITH(REASON("01")) "}" }, RC_PARSE,
	    "entry 1" },
};

static void
lists_that_are_taken_and_lists_that_are_not(void **state)
{
	(void)state;
	for (size_t i = 0; i < N(lists); i++) {
		struct err err = { 0 };
		struct crl_list l;
		enum rc rc = read_parts(&l, &lists[i].p, &err);

		if (rc != lists[i].rc)
			fail_msg("%s: %d, %s", lists[i].what, rc, err.msg);
		if (lists[i].says != NULL && strstr(err.msg, lists[i].says) == NULL)
			fail_msg("%s: %s", lists[i].what, err.msg);
	}
}

static void
only_the_list_that_the_ca_has_signed_is_taken(void **state)
{
	struct crl_list l;
	struct err err = { 0 };
	struct buf b;

	(void)state;
	buf_init(&b, 1 << 20);
	put_list(&b, &(struct parts){ NULL });
	assert_int_equal(crl_read(&l, b.data, b.len, other, &err), RC_INTEGRITY);
	assert_non_null(strstr(err.msg, "another CA's"));
	assert_int_equal(crl_read(&l, b.data, b.len, no_crl_sign, &err), RC_DENIED);
	b.data[b.len - 1] ^= 1;
	assert_int_equal(crl_read(&l, b.data, b.len, ca, &err), RC_INTEGRITY);
	assert_non_null(strstr(err.msg, "not signed"));
	buf_done(&b);
}

static enum rc
door(const void *p, size_t len)
{
	struct crl_list l;

	return crl_read(&l, p, len, ca, NULL);
}

static void
no_prefix_and_no_changed_bit_is_taken(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 1 << 20);
	put_list(&b, &(struct parts){ NULL });
	sweep_prefixes(door, b.data, b.len, 1);
	assert_int_equal(sweep_flips(door, b.data, b.len, 1), 0);
	buf_done(&b);
}

/* The signature is right: what is inside is read. */
static void
a_signed_list_that_is_damaged_is_refused_or_read_whole(void **state)
{
	struct crl_list l;
	struct crl_revoked r;
	struct buf b, tbs;
	struct der whole, in;

	(void)state;
	buf_init(&b, 1 << 20);
	buf_init(&tbs, 1 << 20);
	put_list(&b, &(struct parts){ .entries = "30{" ENTRY WITH(REASON("06")) "}" });
	in = (struct der){ b.data, b.len };
	assert_true(der_take(&in, DER_SEQUENCE, &whole));
	assert_true(der_take_whole(&whole, DER_SEQUENCE, &in));
	buf_add(&tbs, in.p, in.len);
	for (size_t bit = 0; bit < 8 * tbs.len; bit++) {
		tbs.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
		buf_reset(&b);
		put_signed(&b, &tbs, EC_ALG);
		if (crl_read(&l, b.data, b.len, ca, NULL) == RC_OK) {
			size_t n = 0;

			while (crl_next(&l.entries, &r))
				n++;
			assert_int_equal(n, l.n);
		}
		tbs.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	buf_done(&tbs);
	buf_done(&b);
}

/* ---- openssl ---- */

/* A CA with this key, three certificates of its index revoked, its list in PEM. */
static void
made_by_openssl(const char *key, const char *sign, size_t *tried)
{
	char cmd[1500];
	struct crl_list l;
	struct crl_revoked r;
	struct cert *c = NULL;
	struct err err = { 0 };
	struct buf b, room;
	struct der der;
	struct dir d;

	dir_make_temp(&d);
	snprintf(cmd, sizeof(cmd),
	    "openssl genpkey %s -out k.pem 2>/dev/null &&"
	    " openssl req -x509 -key k.pem -subj '/CN=Old CA' -days 30 -out ca.pem %s &&"
	    " printf 'R\\t391130235959Z\\t260101000000Z,keyCompromise\\t1000\\tunknown\\t/CN=a\\n"
	    "R\\t391130235959Z\\t260101000000Z,certificateHold\\t7FAB\\tunknown\\t/CN=b\\n"
	    "R\\t391130235959Z\\t260101000000Z\\tF00000000000000001\\tunknown\\t/CN=c\\n'"
	    " >index && echo 1F >number &&"
	    " printf '[ca]\\ndefault_ca=x\\n[x]\\ndatabase=index\\ncrlnumber=number\\n"
	    "default_md=sha256\\ndefault_crl_days=7\\ncrl_extensions=e\\n[e]\\n"
	    "authorityKeyIdentifier=keyid\\n' >conf &&"
	    " openssl ca -config conf -gencrl -keyfile k.pem -cert ca.pem -out l.pem %s",
	    key, sign, sign);
	assert_int_equal(dir_run(&d, NULL, cmd), 0);
	buf_init(&b, 1 << 20);
	buf_init(&room, 1 << 20);
	dir_get(&d, "ca.pem", &b);
	{
		struct cert *one[1];
		size_t n;

		assert_ok(certs_parse_pem(one, 1, &n, b.data, b.len, &err), err);
		c = one[0];
	}
	assert_ok(cert_verify_by(c, c, &err), err);
	buf_reset(&b);
	dir_get(&d, "l.pem", &b);
	assert_ok(crl_unpack(&der, &room, b.data, b.len, &err), err);
	assert_ok(crl_read(&l, der.p, der.len, c, &err), err);
	assert_int_equal(l.n, 3);
	assert_int_equal(l.number.v[0], 0x1f);
	assert_true(crl_next(&l.entries, &r) && crl_next(&l.entries, &r));
	assert_int_equal(r.reason, 6);
	assert_memory_equal(r.serial.p, "\x7f\xab", 2);
	assert_true(crl_next(&l.entries, &r));
	assert_int_equal(r.serial.len, 9);
	assert_int_equal(r.reason, 0);
	cert_free(c);
	buf_done(&room);
	buf_done(&b);
	dir_done(&d);
	++*tried;
}

static void
lists_of_openssl_are_read_whatever_the_key(void **state)
{
	size_t tried = 0;

	(void)state;
	made_by_openssl("-algorithm RSA -pkeyopt rsa_keygen_bits:2048", "", &tried);
	made_by_openssl("-algorithm EC -pkeyopt ec_paramgen_curve:P-384", "", &tried);
	made_by_openssl("-algorithm RSA -pkeyopt rsa_keygen_bits:2048",
	    "-sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:digest -sigopt "
	    "rsa_mgf1_md:sha256",
	    &tried);
	assert_int_equal(tried, 3);
}

/* RSASSA-PSS is one algorithm with its parameters: other salts and digests than those of RFC 4055's advice are not taken. */
static void
pss_is_taken_with_one_digest_and_a_salt_as_long(void **state)
{
	static const struct {
		const char *args;
		enum rc rc;
	} t[] = {
		{ "-sha256 -sigopt rsa_pss_saltlen:32", RC_OK },
		{ "-sha384 -sigopt rsa_pss_saltlen:48", RC_OK },
		{ "-sha512 -sigopt rsa_pss_saltlen:64", RC_OK },
		{ "-sha256 -sigopt rsa_pss_saltlen:20", RC_ALG },
		{ "-sha256 -sigopt rsa_pss_saltlen:32 -sigopt rsa_mgf1_md:sha384", RC_ALG },
		{ "-sha1 -sigopt rsa_pss_saltlen:20", RC_ALG },
	};
	struct cert *one[1];
	struct err err = { 0 };
	char cmd[500];
	size_t n;
	struct buf b;
	struct dir d;

	(void)state;
	dir_make_temp(&d);
	buf_init(&b, 1 << 20);
	assert_int_equal(
	    dir_run(&d, NULL, "openssl genpkey -algorithm RSA -out k.pem 2>/dev/null"), 0);
	for (size_t i = 0; i < N(t); i++) {
		snprintf(cmd, sizeof(cmd),
		    "openssl req -x509 -key k.pem -subj /CN=x -out c.pem"
		    " -sigopt rsa_padding_mode:pss %s",
		    t[i].args);
		assert_int_equal(dir_run(&d, NULL, cmd), 0);
		buf_reset(&b);
		dir_get(&d, "c.pem", &b);
		assert_ok(certs_parse_pem(one, 1, &n, b.data, b.len, &err), err);
		if (cert_verify_by(one[0], one[0], &err) != t[i].rc)
			fail_msg("%s: %s", t[i].args, err.msg);
		cert_free(one[0]);
	}
	buf_done(&b);
	dir_done(&d);
}

static void
what_is_no_list_is_no_list_in_pem_either(void **state)
{
	static const char *const t[] = { "", "hello", "-----BEGIN X509 CRL-----\nMAA=\n",
		"-----BEGIN X509 CRL-----\n!!\n-----END X509 CRL-----\n",
		"-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n" };
	struct der der;
	struct buf room;

	(void)state;
	buf_init(&room, 1000);
	for (size_t i = 0; i < N(t); i++)
		assert_int_equal(crl_unpack(&der, &room, t[i], strlen(t[i]), NULL), RC_PARSE);
	buf_done(&room);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_list_says_its_times_its_number_and_its_entries),
		cmocka_unit_test(lists_that_are_taken_and_lists_that_are_not),
		cmocka_unit_test(only_the_list_that_the_ca_has_signed_is_taken),
		cmocka_unit_test(no_prefix_and_no_changed_bit_is_taken),
		cmocka_unit_test(a_signed_list_that_is_damaged_is_refused_or_read_whole),
		cmocka_unit_test(lists_of_openssl_are_read_whatever_the_key),
		cmocka_unit_test(pss_is_taken_with_one_digest_and_a_salt_as_long),
		cmocka_unit_test(what_is_no_list_is_no_list_in_pem_either),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
