/*
 * ocsp_test.c - OCSP requests as they are read, answers as they are written; the openssl program as
 * the other side.
 */
#include "ocsp_kit.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"

#define NOW   1900000000 /* 2030-03-17T17:46:40Z */
#define NONCE "0123456789abcdef0123456789abcdef"

static struct cert *ca, *other;

static int
setup(void **state)
{
	ca = ocsp_kit_ca("CN=Contoso Issuing", fixture_key("rsa:2048"));
	other = ocsp_kit_ca("CN=Contoso Issuing", fixture_key("ec:p256"));
	return 0;
}

static int
teardown(void **state)
{
	cert_free(ca);
	cert_free(other);
	return fixture_done(state);
}

static void
put_pem(const struct dir *d, const char *name, const struct cert *c)
{
	struct buf pem;

	buf_init(&pem, 1 << 16);
	cert_pem(&pem, c);
	dir_put(d, name, pem.data, pem.len, 0600);
	buf_done(&pem);
}

static struct ocsp_issuer
issuer_of(const struct cert *c)
{
	struct ocsp_issuer i;
	struct err err = { 0 };

	assert_ok(ocsp_issuer_of(&i, c, &err), err);
	return i;
}

static void
what_openssl_asks_is_read(void **state)
{
	static const struct {
		const char *args;
		enum digest digest;
		size_t n, nonce_len;
	} rows[] = {
		{ "-issuer ca.pem -serial 0x80AB01 -no_nonce", DIGEST_SHA1, 1, 0 },
		{ "-sha256 -issuer ca.pem -serial 0x80AB01 -nonce", DIGEST_SHA256, 1, 16 },
		{ "-sha384 -issuer ca.pem -serial 0x80AB01 -nonce", DIGEST_SHA384, 1, 16 },
		{ "-sha512 -issuer ca.pem -serial 0x80AB01 -no_nonce", DIGEST_SHA512, 1, 0 },
		{ "-sha224 -issuer ca.pem -serial 0x80AB01 -no_nonce", DIGEST_NONE, 1, 0 },
		{ "-issuer ca.pem -serial 0x80AB01 -serial 2 -serial 3", DIGEST_SHA1, 3, 16 },
		{ "-issuer ca.pem -serial 0x80AB01 -signer ca.pem -signkey ca.key", DIGEST_SHA1, 1,
		    16 },
	};
	struct ocsp_issuer ours = issuer_of(ca), theirs = issuer_of(other);
	struct ocsp_request r;
	struct err err = { 0 };
	char cmd[256];
	struct buf b;
	struct dir d;

	dir_make_temp(&d);
	put_pem(&d, "ca.pem", ca);
	buf_init(&b, 1 << 16);
	assert_ok(key_private_pem(&b, fixture_key("rsa:2048"), &err), err);
	dir_put(&d, "ca.key", b.data, b.len, 0600);
	for (size_t i = 0; i < N(rows); i++) {
		snprintf(cmd, sizeof(cmd), "openssl ocsp %s -reqout r.der", rows[i].args);
		assert_int_equal(dir_run(&d, NULL, cmd), 0);
		buf_reset(&b);
		dir_get(&d, "r.der", &b);
		assert_ok(ocsp_request_parse(&r, b.data, b.len, &err), err);
		assert_int_equal(r.n_ids, rows[i].n);
		assert_int_equal(r.ids[0].digest, rows[i].digest);
		assert_int_equal(r.ids[0].serial.len, 3);
		assert_memory_equal(r.ids[0].serial.v, "\x80\xab\x01", 3);
		assert_int_equal(r.nonce.p == NULL ? 0 : r.nonce.len, rows[i].nonce_len);
		assert_int_equal(ocsp_id_is_of(&r.ids[0], &ours), rows[i].digest != DIGEST_NONE);
		assert_false(ocsp_id_is_of(&r.ids[0], &theirs));
	}
	buf_done(&b);
	dir_done(&d);
}

/* ---- requests made by hand ---- */

/* A request in parts; NULL parts are left out, the CertID is good unless given. */
struct parts {
	const char *version, *name, *id, *single, *exts, *signature,
	    *tail; /* hex of whole elements */
	bool no_list;
};

static void
add_hex(struct buf *b, const char *hex)
{
	unsigned v;

	for (; hex != NULL && *hex != '\0'; hex += 2) {
		assert_int_equal(sscanf(hex, "%2x", &v), 1);
		buf_addc(b, (char)v);
	}
}

static void
add_parts(struct buf *b, const struct parts *p)
{
	struct ocsp_kit_id id = { ca, DIGEST_SHA1, "01" };
	size_t whole = der_open(b, DER_SEQUENCE), tbs = der_open(b, DER_SEQUENCE), list, one;

	add_hex(b, p->version);
	add_hex(b, p->name);
	list = der_open(b, DER_SEQUENCE);
	if (!p->no_list) {
		one = der_open(b, DER_SEQUENCE);
		if (p->id != NULL)
			add_hex(b, p->id);
		else
			ocsp_kit_id_add(b, &id);
		add_hex(b, p->single);
		der_close(b, one);
	}
	der_close(b, list);
	add_hex(b, p->exts);
	der_close(b, tbs);
	add_hex(b, p->signature);
	der_close(b, whole);
	add_hex(b, p->tail);
}

static const struct {
	const char *what;
	struct parts parts;
	bool taken;
} hand_made[] = {
	{ "nothing unusual", { 0 }, true },
	{ "version 1 written out", { .version = "A003020100" }, true },
	{ "version 2", { .version = "A003020101" }, false },
	{ "a version that is no number", { .version = "A0020500" }, false },
	{ "two versions in one", { .version = "A006020100020100" }, false },
	{ "a requestor's name",
	    { .name = "A1048202"
		      "6162" },
	    true },
	{ "a requestor's name that is none", { .name = "A101FF" }, false },
	{ "an empty requestor's name", { .name = "A100" }, false },
	{ "no certificate", { .no_list = true }, false },
	{ "an empty CertID", { .id = "3000" }, false },
	{ "a CertID that is none", { .id = "0500" }, false },
	{ "an unknown extension of one certificate",
	    { .single = "A00A300830060602"
			"2A030400" },
	    true },
	{ "an unknown critical one of one certificate",
	    { .single = "A00D300B3009"
			"06022A030101FF0400" },
	    false },
	{ "a nonce, critical, of one certificate",
	    { .single = "A018301630140609"
			"2B0601050507300102"
			"0101FF040404020102" },
	    false },
	{ "something behind a CertID", { .single = "0500" }, false },
	{ "an unknown extension",
	    { .exts = "A20A300830060602"
		      "2A030400" },
	    true },
	{ "an unknown critical extension",
	    { .exts = "A20D300B3009"
		      "06022A030101FF0400" },
	    false },
	{ "extensions that are none", { .exts = "A2020500" }, false },
	{ "an extension that is none",
	    { .exts = "A204300205"
		      "00" },
	    false },
	{ "two lists of extensions", { .exts = "A20430003000" }, false },
	{ "no extension in a list", { .exts = "A2023000" }, true },
	{ "a critical nonce",
	    { .exts = "A218301630140609"
		      "2B0601050507300102"
		      "0101FF040404020102" },
	    true },
	{ "two nonces",
	    { .exts = "A228302630110609"
		      "2B0601050507300102"
		      "040404020102"
		      "30110609"
		      "2B0601050507300102"
		      "040404020102" },
	    false },
	{ "a nonce that is no OCTET STRING",
	    { .exts = "A2153013"
		      "30110609"
		      "2B0601050507300102"
		      "040402020102" },
	    false },
	{ "something behind the extensions", { .exts = "A20230000500" }, false },
	{ "a signature", { .signature = "A0023000" }, true },
	{ "a signature that is none", { .signature = "A00130" }, false },
	{ "something that is no signature", { .signature = "0500" }, false },
	{ "something behind it all", { .tail = "00" }, false },
};

static void
requests_are_judged_by_their_form(void **state)
{
	struct ocsp_request r;
	struct err err;
	struct buf b;

	for (size_t i = 0; i < N(hand_made); i++) {
		enum rc rc;

		buf_init(&b, 4096);
		add_parts(&b, &hand_made[i].parts);
		err.msg[0] = '\0';
		rc = ocsp_request_parse(&r, b.data, b.len, &err);
		if (rc != (hand_made[i].taken ? RC_OK : RC_PARSE))
			fail_msg("%s: %s %s", hand_made[i].what, rc_name(rc), err.msg);
		buf_done(&b);
	}
}

static void
serial_numbers_that_no_ca_gives_are_taken_as_such(void **state)
{
	static const struct {
		const char *content;
		size_t len; /* of the serial */
		enum rc rc;
	} rows[] = {
		{ "01", 1, RC_OK },
		{ "0080", 1, RC_OK },
		{ "7F0102030405060708090A0B0C0D0E0F10111213", 20, RC_OK },
		{ "00FF0102030405060708090A0B0C0D0E0F10111213", 20, RC_OK },
		{ "00", 0, RC_OK },
		{ "80", 0, RC_OK },   /* negative */
		{ "0001", 0, RC_OK }, /* padded: no DER, and no number of ours */
		{ "7F0102030405060708090A0B0C0D0E0F1011121314", 0, RC_OK },
		{ "", 0, RC_PARSE },
	};
	struct ocsp_request r;
	struct buf b;

	for (size_t i = 0; i < N(rows); i++) {
		struct ocsp_kit_id id = { ca, DIGEST_SHA256, rows[i].content };

		buf_init(&b, 4096);
		ocsp_kit_request(&b, &id, 1, NULL, 0);
		assert_int_equal(ocsp_request_parse(&r, b.data, b.len, NULL), rows[i].rc);
		if (rows[i].rc == RC_OK)
			assert_int_equal(r.ids[0].serial.len, rows[i].len);
		buf_done(&b);
	}
}

static void
a_nonce_has_1_to_128_octets(void **state)
{
	static const struct {
		size_t len;
		enum rc rc;
	} rows[] = { { 0, RC_PARSE }, { 1, RC_OK }, { 16, RC_OK }, { 32, RC_OK }, { 128, RC_OK },
		{ 129, RC_PARSE }, { 4000, RC_PARSE } };
	struct ocsp_kit_id id = { ca, DIGEST_SHA1, "01" };
	static uint8_t nonce[4000];
	struct ocsp_request r;
	struct buf b;

	memset(nonce, 0xa5, sizeof(nonce));
	for (size_t i = 0; i < N(rows); i++) {
		buf_init(&b, 8192);
		ocsp_kit_request(&b, &id, 1, nonce, rows[i].len);
		assert_int_equal(ocsp_request_parse(&r, b.data, b.len, NULL), rows[i].rc);
		if (rows[i].rc == RC_OK) {
			assert_int_equal(r.nonce.len, rows[i].len);
			assert_memory_equal(r.nonce.p, nonce, r.nonce.len);
		}
		buf_done(&b);
	}
}

static void
a_request_has_its_limits(void **state)
{
	struct ocsp_kit_id ids[OCSP_CERTS_MAX + 1];
	static uint8_t nothing[OCSP_REQUEST_MAX + 1];
	struct ocsp_request r;
	struct buf b;

	for (size_t i = 0; i < N(ids); i++)
		ids[i] = (struct ocsp_kit_id){ ca, DIGEST_SHA512, "01" };
	buf_init(&b, OCSP_REQUEST_MAX);
	ocsp_kit_request(&b, ids, OCSP_CERTS_MAX, NONCE, 32);
	assert_int_equal(ocsp_request_parse(&r, b.data, b.len, NULL), RC_OK);
	assert_int_equal(r.n_ids, OCSP_CERTS_MAX);
	buf_reset(&b);
	ocsp_kit_request(&b, ids, OCSP_CERTS_MAX + 1, NONCE, 32);
	assert_int_equal(ocsp_request_parse(&r, b.data, b.len, NULL), RC_LIMIT);
	assert_int_equal(ocsp_request_parse(&r, nothing, sizeof(nothing), NULL), RC_LIMIT);
	assert_int_equal(ocsp_request_parse(&r, NULL, 0, NULL), RC_PARSE);
	buf_done(&b);
}

static enum rc
door(const void *p, size_t len)
{
	struct ocsp_request r;

	return ocsp_request_parse(&r, p, len, NULL);
}

static void
no_prefix_is_taken_and_no_flip_breaks_the_door(void **state)
{
	struct ocsp_kit_id ids[] = { { ca, DIGEST_SHA1, "01" }, { other, DIGEST_SHA256, "0080" } };
	struct buf b;

	buf_init(&b, 4096);
	ocsp_kit_request(&b, ids, N(ids), NONCE, 32);
	assert_int_equal(door(b.data, b.len), RC_OK);
	sweep_prefixes(door, b.data, b.len, 1);
	sweep_flips(door, b.data, b.len, 1);
	buf_done(&b);
}

/* ---- answers ---- */

static void
build_answer(struct buf *out, const struct ocsp_answer *a)
{
	struct err err = { 0 };
	struct buf data, basic;
	struct cert *responder =
	    ocsp_kit_responder(ca, fixture_key("rsa:2048"), fixture_other_key("ec:p256"));

	buf_init(&data, 1 << 16);
	buf_init(&basic, 1 << 16);
	assert_ok(ocsp_response_data_build(&data, a, &err), err);
	ocsp_kit_sign(&basic, fixture_other_key("ec:p256"), responder, data.data, data.len);
	ocsp_response_add(out, basic.data, basic.len);
	assert_ok(buf_ok(out, "answer", &err), err);
	buf_done(&data);
	buf_done(&basic);
	cert_free(responder);
}

/* Whether the openssl program takes $answer for the request, and says all of `says`. */
static void
openssl_reads(const struct dir *d, const char *args, const char *const *says)
{
	char cmd[512];
	struct buf out;
	int status;

	buf_init(&out, 1 << 16);
	snprintf(cmd, sizeof(cmd), "openssl ocsp -respin a.der %s", args);
	status = dir_run(d, &out, cmd);
	if (status != 0)
		fail_msg("%s: %d: %s", cmd, status, buf_str(&out));
	for (; *says != NULL; says++)
		if (strstr(buf_str(&out), *says) == NULL)
			fail_msg("no \"%s\" in: %s", *says, buf_str(&out));
	buf_done(&out);
}

static void
openssl_takes_an_answer_with_every_status(void **state)
{
	static const char *const says[] = { "Response verify OK", "1: good", "2: revoked",
		"Reason: keyCompromise", "3: unknown", "4: revoked", NULL };
	static const char *const verified[] = { "Response verify OK", NULL };
	static const char *const text[] = { "Version: 1 (0x0)", "Responder Id: ", "OCSP Nonce",
		"OCSP Response Status: successful", NULL };
	struct ocsp_kit_id ids[] = { { ca, DIGEST_SHA1, "01" }, { ca, DIGEST_SHA256, "02" },
		{ ca, DIGEST_SHA1, "03" }, { ca, DIGEST_SHA1, "04" } };
	int64_t now = clock_now();
	struct ocsp_single singles[N(ids)];
	struct ocsp_answer a = { .produced = now, .singles = singles, .n_singles = N(ids) };
	struct ocsp_request r;
	struct err err = { 0 };
	struct buf req, out;
	struct dir d;

	buf_init(&req, 4096);
	buf_init(&out, 1 << 16);
	ocsp_kit_request(&req, ids, N(ids), NONCE, 32);
	assert_ok(ocsp_request_parse(&r, req.data, req.len, &err), err);
	for (size_t i = 0; i < N(ids); i++)
		singles[i] = (struct ocsp_single){ .id = r.ids[i].whole,
			.status = (const enum ocsp_status[]){ OCSP_GOOD, OCSP_REVOKED, OCSP_UNKNOWN,
			    OCSP_REVOKED }[i],
			.revoked = now - 100,
			.reason = i == 1 ? 1 : 0,
			.this_update = now - 60,
			.next_update = now + 3600 };
	a.nonce = r.nonce;
	assert_ok(key_identifier(a.responder, fixture_other_key("ec:p256"), &err), err);
	build_answer(&out, &a);
	dir_make_temp(&d);
	put_pem(&d, "ca.pem", ca);
	dir_put(&d, "a.der", out.data, out.len, 0600);
	dir_put(&d, "r.der", req.data, req.len, 0600);
	openssl_reads(&d,
	    "-no_nonce -CAfile ca.pem -issuer ca.pem -serial 1 -sha256 -serial 2 -sha1 -serial 3 "
	    "-serial 4",
	    says);
	openssl_reads(&d, "-reqin r.der -CAfile ca.pem", verified); /* compares the nonces */
	openssl_reads(&d, "-resp_text -noverify", text);
	dir_done(&d);
	buf_done(&req);
	buf_done(&out);
}

static void
times_are_written_as_rfc_6960_has_them(void **state)
{
	struct ocsp_single s = { .id = { (const uint8_t *)"\x30\x00", 2 },
		.status = OCSP_REVOKED,
		.revoked = NOW - 1000,
		.this_update = NOW,
		.next_update = NOW + 3600 };
	struct ocsp_answer a = { .produced = NOW, .singles = &s, .n_singles = 1 };
	struct err err = { 0 };
	struct buf b;

	buf_init(&b, 4096);
	assert_ok(ocsp_response_data_build(&b, &a, &err), err);
	assert_non_null(memmem(b.data, b.len,
	    "\x18\x0f"
	    "20300317174640Z",
	    17));
	assert_non_null(memmem(b.data, b.len,
	    "\x18\x0f"
	    "20300317173000Z",
	    17));
	assert_non_null(memmem(b.data, b.len,
	    "\xa0\x11\x18\x0f"
	    "20300317184640Z",
	    19));
	/* unspecified is not said */
	assert_null(memmem(b.data, b.len, "\x0a\x01", 2));
	buf_done(&b);
}

static void
an_answer_without_sense_is_not_written(void **state)
{
	struct ocsp_single s = {
		.id = { (const uint8_t *)"\x30\x00", 2 }, .this_update = NOW, .next_update = NOW - 1
	};
	struct ocsp_answer a = { .produced = NOW, .singles = &s, .n_singles = 1 };
	struct err err = { 0 };
	struct buf b;

	buf_init(&b, 4096);
	buf_adds(&b, "before");
	assert_int_equal(ocsp_response_data_build(&b, &a, &err), RC_BUG);
	s.next_update = INT64_MAX;
	assert_int_equal(ocsp_response_data_build(&b, &a, &err), RC_BUG);
	s.next_update = NOW;
	a.produced = INT64_MIN;
	assert_int_equal(ocsp_response_data_build(&b, &a, &err), RC_BUG);
	assert_int_equal(b.len, strlen("before"));
	buf_done(&b);
}

static void
openssl_reads_each_failure(void **state)
{
	static const struct {
		enum ocsp_failure failure;
		const char *says;
	} rows[] = {
		{ OCSP_MALFORMED, "Responder Error: malformedrequest (1)" },
		{ OCSP_INTERNAL_ERROR, "Responder Error: internalerror (2)" },
		{ OCSP_TRY_LATER, "Responder Error: trylater (3)" },
		{ OCSP_UNAUTHORIZED, "Responder Error: unauthorized (6)" },
	};
	struct buf b, out;
	struct dir d;

	dir_make_temp(&d);
	for (size_t i = 0; i < N(rows); i++) {
		buf_init(&b, 64);
		buf_init(&out, 4096);
		ocsp_failure_add(&b, rows[i].failure);
		dir_put(&d, "a.der", b.data, b.len, 0600);
		(void)dir_run(&d, &out, "openssl ocsp -respin a.der -noverify");
		if (strstr(buf_str(&out), rows[i].says) == NULL)
			fail_msg("no \"%s\" in: %s", rows[i].says, buf_str(&out));
		buf_done(&b);
		buf_done(&out);
	}
	dir_done(&d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_openssl_asks_is_read),
		cmocka_unit_test(requests_are_judged_by_their_form),
		cmocka_unit_test(serial_numbers_that_no_ca_gives_are_taken_as_such),
		cmocka_unit_test(a_nonce_has_1_to_128_octets),
		cmocka_unit_test(a_request_has_its_limits),
		cmocka_unit_test(no_prefix_is_taken_and_no_flip_breaks_the_door),
		cmocka_unit_test(openssl_takes_an_answer_with_every_status),
		cmocka_unit_test(times_are_written_as_rfc_6960_has_them),
		cmocka_unit_test(an_answer_without_sense_is_not_written),
		cmocka_unit_test(openssl_reads_each_failure),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
