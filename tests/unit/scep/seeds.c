/*
 * seeds.c - makes the seeds of the SCEP fuzz targets: `scep_seeds tests/fuzz messages`, or `envelopes`.
 *
 * Every content-encryption key is zero, so that a target whose unwrap operation gives zeros gets
 * past decryption without a private key; the keys that signed are forgotten.  Also writes
 * scep_actors.h, the two certificates.
 */
#include "scep_kit.h"

#include <stdio.h>
#include <string.h>

#include "ossl/cms_pwri.h"
#include "scep/attrs.h"

#define TXID                                                                                       \
	"\x13\x04"                                                                                 \
	"tx-1"
#define NONCE                                                                                      \
	"\x04\x10"                                                                                 \
	"0123456789abcdef"

static const char *folder;

static void
write_file(const char *name, const void *p, size_t len)
{
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	if ((f = fopen(path, "wb")) == NULL)
		fail_msg("cannot write %s", path);
	fwrite(p, 1, len, f);
	fclose(f);
}

static void
put_seed(const char *name, struct buf *b)
{
	write_file(name, b->data, b->len);
	buf_done(b);
}

/* As envelop(), with a content-encryption key and an IV of zeros. */
static struct buf
zero_envelope(
    const struct actor *to, struct der content, enum cipher c, struct transport t, bool by_ski)
{
	static const uint8_t zeros[CEK_SIZE_MAX];
	struct buf good = envelop(to, content, c, t, by_ski), encrypted = new_buf(), out;
	struct enveloped_parts p;
	struct err err = { 0 };
	struct der alg, iv;
	size_t mark;

	enveloped_take_apart(&p, &good);
	alg = p.alg;
	assert_true(der_take(&alg, DER_SEQUENCE, &iv) && der_take(&iv, DER_OID, &alg) &&
	    der_take(&iv, DER_OCTET_STRING, &alg));
	memset((uint8_t *)alg.p, 0, alg.len);
	mark = der_open(&encrypted, DER_CTX(0));
	assert_ok(cbc_encrypt(&encrypted, c, zeros, zeros, content.p, content.len, &err), err);
	der_close(&encrypted, mark);
	p.encrypted = der_of(&encrypted);
	out = enveloped_put_together(&p);
	buf_done(&encrypted);
	buf_done(&good);
	return out;
}

static void
put_actor(FILE *f, const char *name, const struct actor *a)
{
	size_t i;

	fprintf(f, "static const uint8_t %s[] = {", name);
	for (i = 0; i < a->c.der.len; i++)
		fprintf(f, "%s0x%02x,", i % 16 == 0 ? "\n\t" : " ", a->c.der.p[i]);
	fprintf(f, "\n};\n\n");
}

static void
put_actors(void)
{
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), "%s/scep_actors.h", folder);
	if ((f = fopen(path, "w")) == NULL)
		fail_msg("cannot write %s", path);
	fprintf(f,
	    "/*\n * scep_actors.h - certificates of the RA and the device in the seeds; written by "
	    "tests/unit/scep/seeds.c.\n */\n#ifndef SCEPD_TESTS_FUZZ_SCEP_ACTORS_H\n"
	    "#define SCEPD_TESTS_FUZZ_SCEP_ACTORS_H\n\n#include <stdint.h>\n\n");
	fprintf(f, "/* clang-format off */\n");
	put_actor(f, "ra_cert", &world.ra);
	put_actor(f, "device_cert", &world.device);
	fprintf(f, "/* clang-format on */\n\n#endif\n");
	fclose(f);
}

/* ---- requests --------------------------------------------------------------------------- */

static void
requests(void)
{
	static const struct {
		const char *name;
		enum digest digest;
		enum cipher cipher;
		struct transport transport;
		bool ski;
		struct der type, content;
	} cases[] = {
		{ "pkcsreq", DIGEST_SHA256, CIPHER_AES128, { TRANSPORT_PKCS1V15 }, false,
		    DER_TEXT("\x13\x02"
			     "19"),
		    { 0 } },
		{ "renewal-ski", DIGEST_SHA512, CIPHER_AES256, { TRANSPORT_PKCS1V15 }, true,
		    DER_TEXT("\x13\x02"
			     "17"),
		    { 0 } },
		{ "oaep", DIGEST_SHA256, CIPHER_AES192,
		    { TRANSPORT_OAEP, DIGEST_SHA256, DIGEST_SHA1 }, false,
		    DER_TEXT("\x13\x02"
			     "19"),
		    { 0 } },
		{ "legacy", DIGEST_SHA1, CIPHER_DES3, { TRANSPORT_PKCS1V15 }, false,
		    DER_TEXT("\x02\x01\x13"), { 0 } },
		{ "certpoll", DIGEST_SHA256, CIPHER_AES128, { TRANSPORT_PKCS1V15 }, false,
		    DER_TEXT("\x13\x02"
			     "20"),
		    DER_TEXT("\x30\x04\x30\x00\x30\x00") },
		{ "getcert", DIGEST_SHA256, CIPHER_AES128, { TRANSPORT_PKCS1V15 }, false,
		    DER_TEXT("\x13\x02"
			     "21"),
		    DER_TEXT("\x30\x05\x30\x00\x02\x01\x05") },
		{ "type18", DIGEST_SHA256, CIPHER_AES128, { TRANSPORT_PKCS1V15 }, false,
		    DER_TEXT("\x13\x02"
			     "18"),
		    { 0 } },
	};
	struct buf envelope, b, ber;
	struct forged f;
	char name[64];
	size_t i;

	for (i = 0; i < N(cases); i++) {
		envelope = zero_envelope(&world.ra,
		    cases[i].content.p != NULL ? cases[i].content : der_of(&world.csr),
		    cases[i].cipher, cases[i].transport, cases[i].ski);
		forged_init(&f, &envelope);
		f.digest = cases[i].digest;
		forged_set(&f, OID_MESSAGE_TYPE, cases[i].type);
		b = forge(&f);
		if (i == 0) {
			ber = to_ber(der_of(&b), 500);
			put_seed("corpus/scep_message/ber", &ber);
		}
		snprintf(name, sizeof(name), "corpus/scep_message/%s", cases[i].name);
		put_seed(name, &b);
		buf_done(&envelope);
	}
}

/* ---- answers ---------------------------------------------------------------------------- */

static const struct {
	const char *name;
	struct der status, info;
	size_t n_certs;
} answer_cases[] = {
	{ "success",
	    DER_TEXT("\x13\x01"
		     "0"),
	    { 0 }, 1 },
	{ "success-chain",
	    DER_TEXT("\x13\x01"
		     "0"),
	    { 0 }, 2 },
	{ "failure",
	    DER_TEXT("\x13\x01"
		     "2"),
	    DER_TEXT("\x13\x01"
		     "4"),
	    0 },
	{ "pending",
	    DER_TEXT("\x13\x01"
		     "3"),
	    { 0 }, 0 },
};

static void
answers(void)
{
	const struct der certs[] = { world.curve.c.der, world.ra.c.der };
	struct buf inner, envelope, b, ber;
	struct err err = { 0 };
	struct forged f;
	char name[64];
	size_t i;

	for (i = 0; i < N(answer_cases); i++) {
		inner = new_buf();
		assert_ok(cms_certs_only_build(&inner, certs, answer_cases[i].n_certs, &err), err);
		envelope = zero_envelope(&world.device, der_of(&inner), CIPHER_AES128,
		    (struct transport){ TRANSPORT_PKCS1V15 }, false);
		forged_init(&f, &envelope);
		f.signer = &world.ra;
		forged_set(&f, OID_MESSAGE_TYPE,
		    DER_TEXT("\x13\x01"
			     "3"));
		forged_add(&f, OID_RECIPIENT_NONCE, DER_TEXT(NONCE));
		forged_add(&f, OID_PKI_STATUS, answer_cases[i].status);
		if (answer_cases[i].info.p != NULL)
			forged_add(&f, OID_FAIL_INFO, answer_cases[i].info);
		if (answer_cases[i].n_certs == 0)
			f.content = (struct der){ 0 };
		b = forge(&f);
		if (i == 0) {
			ber = to_ber(der_of(&b), 500);
			put_seed("corpus/scep_certrep/ber", &ber);
		}
		snprintf(name, sizeof(name), "corpus/scep_certrep/%s", answer_cases[i].name);
		put_seed(name, &b);
		if (answer_cases[i].n_certs == 2)
			put_seed("corpus/scep_certrep/getcacert", &inner);
		buf_done(&envelope);
		buf_done(&inner);
	}
}

static void
next_ca(void)
{
	const struct der certs[] = { world.curve.c.der, world.device.c.der };
	struct buf inner = new_buf(), b;
	struct err err = { 0 };

	assert_ok(cms_certs_only_build(&inner, certs, 2, &err), err);
	b = sign(&world.ra, der_of(&inner), DIGEST_SHA256, NULL, 0);
	put_seed("corpus/scep_certrep/next-ca", &b);
	buf_done(&inner);
}

/* ---- envelopes of every kind ------------------------------------------------------------ */

static void
put_envelope(const char *name, const struct cms_recipient *r, size_t n)
{
	const struct cms_enveloped_build build = { .content = DER_TEXT("content"),
		.cipher = CIPHER_AES128,
		.recipients = r,
		.n_recipients = n };
	struct buf b = new_buf();
	struct err err = { 0 };

	assert_ok(cms_enveloped_build(&b, &build, &err), err);
	put_seed(name, &b);
}

/* Their secrets are nobody's, but for the password "fuzz". */
static void
envelopes(void **state)
{
	const struct pwri under = { "fuzz", 4, 2, CIPHER_AES128 };
	const struct cms_recipient r[] = {
		{ .cert = &world.ra.c, .transport = { TRANSPORT_PKCS1V15 } },
		{ .kind = CMS_KEY_AGREE, .cert = &world.curve.c },
		{ .kind = CMS_KEY_AGREE, .cert = &world.curve.c, .by_ski = true },
		{ .kind = CMS_PASSWORD, .password = &under },
	};

	put_envelope("corpus/envelope/rsa", &r[0], 1);
	put_envelope("corpus/envelope/curve", &r[1], 1);
	put_envelope("corpus/envelope/curve-ski", &r[2], 1);
	put_envelope("corpus/envelope/password", &r[3], 1);
	put_envelope("corpus/envelope/all", r, N(r));
}

static void
messages(void **state)
{
	put_actors();
	requests();
	answers();
	next_ca();
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest of_messages[] = { cmocka_unit_test(messages) },
				of_envelopes[] = { cmocka_unit_test(envelopes) };

	if (argc != 3) {
		fprintf(stderr, "usage: scep_seeds FOLDER messages|envelopes\n");
		return 64;
	}
	folder = argv[1];
	return strcmp(argv[2], "envelopes") == 0
	    ? cmocka_run_group_tests(of_envelopes, world_make, world_done)
	    : cmocka_run_group_tests(of_messages, world_make, world_done);
}
