/*
 * ocsp_kit.c - what tests of OCSP share.
 */
#include "ocsp_kit.h"

#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "ossl/ext.h"
#include "ossl/sig_alg.h"

#define DAY 86400

static struct cert *
make(const struct cert *ca, const struct name *subject, struct key *key, const struct key *ca_key,
    const char *serial, bool is_ca)
{
	static const char *const eku[] = { "1.3.6.1.5.5.7.3.9" };
	struct serial number = fixture_serial(serial);
	struct cert_fields f = { .serial = &number,
		.issuer = ca != NULL ? cert_subject0(ca) : subject,
		.subject = subject,
		.not_before = clock_now() - DAY,
		.not_after = clock_now() + 30 * DAY,
		.subject_key = key,
		.issuer_key = ca_key,
		.digest = DIGEST_SHA256,
		.key_usage = is_ca ? KU_KEY_CERT_SIGN | KU_CRL_SIGN : KU_DIGITAL_SIGNATURE,
		.eku = eku,
		.n_eku = is_ca ? 0 : 1,
		.is_ca = is_ca,
		.path_len = -1 };
	struct err err = { 0 };
	struct cert *c;

	assert_ok(cert_make(&c, &f, ca_key, &err), err);
	return c;
}

struct cert *
ocsp_kit_ca(const char *name, struct key *key)
{
	struct name n = fixture_name(name);
	struct cert *c = make(NULL, &n, key, key, "0CA0", true);

	name_done(&n);
	return c;
}

struct cert *
ocsp_kit_responder(const struct cert *ca, const struct key *ca_key, struct key *key)
{
	struct name n = fixture_name("CN=Responder");
	struct cert *c = make(ca, &n, key, ca_key, "0C59", false);

	name_done(&n);
	return c;
}

static void
digest_add(struct buf *out, enum digest d, const void *p, size_t len)
{
	uint8_t md[DIGEST_SIZE_MAX];
	struct err err = { 0 };

	assert_ok(digest_bytes(md, d, p, len, &err), err);
	der_add(out, DER_OCTET_STRING, md, digest_size(d));
}

void
ocsp_kit_id_add(struct buf *out, const struct ocsp_kit_id *id)
{
	static const char *const oids[] = { [DIGEST_NONE] = "1.2.840.113549.2.5", /* MD5 */
		[DIGEST_SHA1] = "1.3.14.3.2.26",
		[DIGEST_SHA256] = "2.16.840.1.101.3.4.2.1",
		[DIGEST_SHA384] = "2.16.840.1.101.3.4.2.2",
		[DIGEST_SHA512] = "2.16.840.1.101.3.4.2.3" };
	enum digest d = id->digest != DIGEST_NONE ? id->digest : DIGEST_SHA1;
	const struct name *subject = cert_subject0(id->issuer);
	size_t seq = der_open(out, DER_SEQUENCE), alg = der_open(out, DER_SEQUENCE), len;
	struct der spki, in, bits;
	uint8_t serial[64];

	assert_true(der_add_oid(out, oids[id->digest]));
	der_add(out, DER_NULL, NULL, 0);
	der_close(out, alg);
	digest_add(out, d, subject->der, subject->der_len);
	spki.p = key_spki0(cert_key0(id->issuer), &spki.len);
	assert_true(der_take(&spki, DER_SEQUENCE, &in) && der_take(&in, DER_SEQUENCE, NULL) &&
	    der_take_octet_bits(&in, &bits));
	digest_add(out, d, bits.p, bits.len);
	len = strlen(id->serial) / 2;
	assert_int_equal(hex_decode(serial, len, id->serial, 2 * len, NULL), RC_OK);
	der_add(out, DER_INTEGER, serial, len);
	der_close(out, seq);
}

static void
nonce_add(struct buf *out, const void *nonce, size_t len)
{
	size_t tagged = der_open(out, DER_CTX_CONS(2)), list = der_open(out, DER_SEQUENCE);
	struct ext_mark m = ext_open(out, "1.3.6.1.5.5.7.48.1.2", false);

	der_add(out, DER_OCTET_STRING, nonce, len);
	ext_close(out, m);
	der_close(out, list);
	der_close(out, tagged);
}

void
ocsp_kit_request(
    struct buf *out, const struct ocsp_kit_id *ids, size_t n, const void *nonce, size_t nonce_len)
{
	size_t whole = der_open(out, DER_SEQUENCE), tbs = der_open(out, DER_SEQUENCE);
	size_t list = der_open(out, DER_SEQUENCE), one, i;

	for (i = 0; i < n; i++) {
		one = der_open(out, DER_SEQUENCE);
		ocsp_kit_id_add(out, &ids[i]);
		der_close(out, one);
	}
	der_close(out, list);
	if (nonce != NULL)
		nonce_add(out, nonce, nonce_len);
	der_close(out, tbs);
	der_close(out, whole);
}

void
ocsp_kit_sign(struct buf *basic, const struct key *key, const struct cert *responder,
    const void *data, size_t len)
{
	size_t seq = der_open(basic, DER_SEQUENCE), tagged, certs, cert_len;
	const uint8_t *der = cert_der0(responder, &cert_len);
	struct err err = { 0 };
	struct buf sig;

	buf_init(&sig, 4096);
	assert_ok(key_sign(&sig, key, DIGEST_SHA256, data, len, &err), err);
	buf_add(basic, data, len);
	assert_ok(sig_alg_add(basic, key_info0(key)->type, DIGEST_SHA256, &err), err);
	der_add_octet_bits(basic, sig.data, sig.len);
	tagged = der_open(basic, DER_CTX_CONS(0));
	certs = der_open(basic, DER_SEQUENCE);
	buf_add(basic, der, cert_len);
	der_close(basic, certs);
	der_close(basic, tagged);
	der_close(basic, seq);
	buf_done(&sig);
}
