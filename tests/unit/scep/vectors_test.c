/*
 * vectors_test.c - messages that other people's programs have sent (tests/vectors, recorded by its
 * capture.sh): each is taken or refused as it should be, and says what its sender meant.
 *
 * usage: scep_vectors_test FOLDER
 */
#include "scep_kit.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "scep/attrs.h"
#include "scep/request_csr.h"

static const char *folder;
static struct scep_identity *ra;

#define V15                                                                                        \
	{                                                                                          \
		SCEP_RSA_PKCS1V15, 0, 0                                                            \
	}
#define OAEP                                                                                       \
	{                                                                                          \
		SCEP_RSA_OAEP, SCEP_SHA1, SCEP_SHA1                                                \
	}

/* Who signed: a throw-away certificate of the sender's own, or one that the CA had issued to it. */
enum by { BY_ITSELF, BY_ISSUED };

static const struct vector {
	const char *name;
	enum scep_message_type type;
	struct scep_algorithms alg;
	enum by by;
	bool same_key;             /* the CSR is for the key that signed the message */
	const char *subject, *san; /* san NULL: none */
	enum digest csr_digest;
	bool challenge;
} vectors[] = {
	{ "strongswan-pkcsreq", SCEP_PKCS_REQ, { SCEP_SHA256, SCEP_AES128, V15 }, BY_ITSELF, true,
	    "CN=strongswan.lab.contoso.com", "strongswan.lab.contoso.com", DIGEST_SHA256, true },
	{ "strongswan-pkcsreq-des3-sha1", SCEP_PKCS_REQ, { SCEP_SHA1, SCEP_DES3, V15 }, BY_ITSELF,
	    true, "CN=strongswan-old.lab.contoso.com", "strongswan-old.lab.contoso.com",
	    DIGEST_SHA1, true },
	{ "strongswan-renewalreq", SCEP_RENEWAL_REQ, { SCEP_SHA256, SCEP_AES128, V15 }, BY_ISSUED,
	    false, "CN=strongswan.lab.contoso.com", "strongswan.lab.contoso.com", DIGEST_SHA256,
	    false },
	{ "certmonger-pkcsreq", SCEP_PKCS_REQ, { SCEP_SHA256, SCEP_AES256, V15 }, BY_ITSELF, true,
	    "CN=certmonger.lab.contoso.com", "certmonger.lab.contoso.com", DIGEST_SHA256, true },
	/* A renewal by certmonger is a PKCSReq (19), and brings the challenge again (quirks 39, 40). */
	{ "certmonger-renewal", SCEP_PKCS_REQ, { SCEP_SHA256, SCEP_AES256, V15 }, BY_ISSUED, true,
	    "CN=certmonger.lab.contoso.com", "certmonger.lab.contoso.com", DIGEST_SHA256, true },
	{ "certmonger-rekey", SCEP_PKCS_REQ, { SCEP_SHA256, SCEP_AES256, V15 }, BY_ISSUED, false,
	    "CN=certmonger.lab.contoso.com", "certmonger.lab.contoso.com", DIGEST_SHA256, true },
	{ "micromdm-pkcsreq", SCEP_PKCS_REQ, { SCEP_SHA256, SCEP_AES128, V15 }, BY_ITSELF, true,
	    "C=US,O=scep-client,OU=MDM,CN=micromdm.lab.contoso.com", NULL, DIGEST_SHA256, true },
	{ "micromdm-renewalreq", SCEP_RENEWAL_REQ, { SCEP_SHA512, SCEP_AES256, V15 }, BY_ISSUED,
	    false, "C=US,O=scep-client,OU=MDM,CN=micromdm.lab.contoso.com", NULL, DIGEST_SHA256,
	    false },
	{ "guise-windows", SCEP_PKCS_REQ, { SCEP_SHA256, SCEP_AES128, OAEP }, BY_ITSELF, true,
	    "CN=windows.lab.contoso.com", NULL, DIGEST_SHA256, true },
	{ "guise-apple", SCEP_PKCS_REQ, { SCEP_SHA256, SCEP_AES128, V15 }, BY_ITSELF, true,
	    "CN=apple.lab.contoso.com", NULL, DIGEST_SHA256, true },
	{ "guise-apple-renewal", SCEP_PKCS_REQ, { SCEP_SHA256, SCEP_AES128, V15 }, BY_ISSUED, false,
	    "CN=apple.lab.contoso.com", NULL, DIGEST_SHA256, false },
	{ "guise-android", SCEP_PKCS_REQ, { SCEP_SHA256, SCEP_AES128, V15 }, BY_ITSELF, true,
	    "CN=android.lab.contoso.com", NULL, DIGEST_SHA256, true },
	{ "guise-cisco", SCEP_PKCS_REQ, { SCEP_SHA1, SCEP_DES3, V15 }, BY_ITSELF, true,
	    "CN=cisco.lab.contoso.com", NULL, DIGEST_SHA256, true },
	{ "guise-jscep", SCEP_PKCS_REQ, { SCEP_SHA256, SCEP_AES128, V15 }, BY_ITSELF, true,
	    "CN=jscep.lab.contoso.com", NULL, DIGEST_SHA256, true },
	{ "guise-sscep", SCEP_PKCS_REQ, { SCEP_SHA256, SCEP_AES128, V15 }, BY_ITSELF, true,
	    "CN=sscep.lab.contoso.com", NULL, DIGEST_SHA256, true },
};

/* CertPoll: names of the CA and of the request, which are not believed (R34). */
static const struct {
	const char *name;
	struct scep_algorithms alg;
	const char *subject;
} polls[] = {
	{ "strongswan-certpoll", { SCEP_SHA256, SCEP_AES128, V15 },
	    "CN=strongswan-asks.lab.contoso.com" },
};

/* What nobody should take: scepclient's single DES. */
static const char *const des_vectors[] = { "scepclient-pkcsreq-des" };

/* ---- files ------------------------------------------------------------------------------ */

static struct buf
stored(const char *name, const char *end)
{
	struct buf b = new_buf();
	char path[512];
	struct err err;

	(void)snprintf(path, sizeof(path), "%s/%s%s", folder, name, end);
	assert_ok(file_read(&b, path, LIMIT_SCEP_MESSAGE, &err), err);
	return b;
}

static int
open_ra(void **state)
{
	struct buf pem = stored("ra", ".pem"), key = stored("ra-worthless", ".key");
	struct cert *cert;
	struct scep_error se;
	struct err err;
	const uint8_t *der;
	size_t n, len;

	assert_ok(certs_parse_pem(&cert, 1, &n, pem.data, pem.len, &err), err);
	der = cert_der0(cert, &len);
	if (scep_identity_from_pem(&ra, der, len, (const char *)key.data, key.len, &se) != SCEP_OK)
		fail_msg("the RA's key: %s", se.text);
	cert_free(cert);
	buf_done(&key);
	buf_done(&pem);
	return 0;
}

static int
close_ra(void **state)
{
	scep_identity_free(ra);
	return 0;
}

/* ---- what they say ---------------------------------------------------------------------- */

static bool
holds(const uint8_t *p, size_t len, const char *text)
{
	return memmem(p, len, text, strlen(text)) != NULL;
}

static void
assert_csr(const struct vector *v, const struct scep_request *r)
{
	const struct csr_wishes *w;
	const char *challenge;
	struct name want = fixture_name(v->subject);
	struct csr *csr;
	struct err err;
	bool same_key;

	assert_ok(scep_request_csr(&csr, &same_key, r, &err), err);
	assert_int_equal(same_key, v->same_key);
	assert_true(name_same(csr_subject0(csr), &want));
	assert_int_equal(csr_digest(csr), v->csr_digest);
	assert_int_equal(
	    csr_challenge0(csr, &challenge), v->challenge ? CSR_CHALLENGE_ONE : CSR_CHALLENGE_NONE);
	w = csr_wishes0(csr);
	assert_int_equal(w->san.n, v->san != NULL ? 1 : 0);
	if (v->san != NULL)
		assert_string_equal(w->san.v[0].value, v->san);
	csr_free(csr);
	name_done(&want);
}

static void
each_client_is_understood(void **state)
{
	struct scep_algorithms alg;
	struct scep_message *m;
	struct scep_request *r;
	struct scep_error err;
	const uint8_t *signer;
	struct buf b;
	size_t i, len;

	for (i = 0; i < N(vectors); i++) {
		const struct vector *v = &vectors[i];

		print_message("%s\n", v->name);
		b = stored(v->name, ".der");
		if (scep_message_parse(&m, b.data, b.len, &err) != SCEP_OK ||
		    scep_request_open(&r, m, &ra, 1, &err) != SCEP_OK)
			fail_msg("%s: %s: %s", v->name, err.step, err.text);
		assert_int_equal(scep_request_type(r), v->type);
		scep_request_algorithms(r, &alg);
		assert_memory_equal(&alg, &v->alg, sizeof(alg));
		assert_non_null(scep_message_sender_nonce(m, &len));
		assert_int_equal(len, 16);
		assert_false(scep_request_recipient_stale(r));
		signer = scep_request_signer(r, &len);
		assert_int_equal(holds(signer, len, "Contoso Issuing CA"), v->by == BY_ISSUED);
		assert_csr(v, r);
		scep_request_free(r);
		scep_message_free(m);
		buf_done(&b);
	}
}

static void
polls_are_understood(void **state)
{
	struct scep_algorithms alg;
	struct scep_message *m;
	struct scep_request *r;
	struct scep_slice issuer, subject;
	struct scep_error err;
	struct name got, want;
	struct err e = { 0 };
	struct buf b;

	for (size_t i = 0; i < N(polls); i++) {
		b = stored(polls[i].name, ".der");
		if (scep_message_parse(&m, b.data, b.len, &err) != SCEP_OK ||
		    scep_request_open(&r, m, &ra, 1, &err) != SCEP_OK)
			fail_msg("%s: %s: %s", polls[i].name, err.step, err.text);
		assert_int_equal(scep_request_type(r), SCEP_CERT_POLL);
		assert_int_equal(scep_request_issuer_subject(r, &issuer, &subject), SCEP_OK);
		scep_request_algorithms(r, &alg);
		assert_memory_equal(&alg, &polls[i].alg, sizeof(alg));
		want = fixture_name(polls[i].subject);
		assert_ok(name_parse(&got, subject.data, subject.len, &e), e);
		assert_true(name_same(&got, &want));
		name_done(&got);
		name_done(&want);
		scep_request_free(r);
		scep_message_free(m);
		buf_done(&b);
	}
}

static void
single_des_is_refused_with_its_name(void **state)
{
	struct scep_request *r = NULL;
	struct scep_message *m;
	struct scep_error err;
	struct buf b;

	for (size_t i = 0; i < N(des_vectors); i++) {
		b = stored(des_vectors[i], ".der");
		assert_int_equal(scep_message_parse(&m, b.data, b.len, &err), SCEP_OK);
		assert_int_equal(scep_request_open(&r, m, &ra, 1, &err), SCEP_E_ALG);
		assert_int_equal(err.fail_info, SCEP_BAD_ALG);
		assert_non_null(strstr(err.text, "1.3.14.3.2.7"));
		assert_null(r);
		scep_message_free(m);
		buf_done(&b);
	}
}

/* A RenewalReq like strongSwan's, but that the CSR in it is for a key whose owner has not signed it. */
static void
R50_a_renewal_is_held_to_the_csrs_own_signature(void **state)
{
	struct buf csr = new_buf(), envelope, b;
	struct scep_request *r;
	struct scep_error se;
	struct csr *out = NULL;
	struct err err = { 0 };
	struct forged f;
	bool same_key;

	assert_int_equal(world_make(state), 0);
	buf_add(&csr, world.csr.data, world.csr.len);
	csr.data[csr.len - 1] ^= 1;
	envelope = envelop(&world.ra, der_of(&csr), CIPHER_AES128,
	    (struct transport){ TRANSPORT_PKCS1V15, DIGEST_NONE, DIGEST_NONE }, false);
	forged_init(&f, &envelope);
	forged_set(&f, OID_MESSAGE_TYPE,
	    DER_TEXT("\x13\x02"
		     "17"));
	b = forge(&f);
	assert_int_equal(open_it(&r, &b, &se), SCEP_OK);
	assert_int_equal(scep_request_type(r), SCEP_RENEWAL_REQ);
	assert_int_equal(scep_request_csr(&out, &same_key, r, &err), RC_INTEGRITY);
	assert_null(out);
	scep_request_free(r);
	buf_done(&b);
	buf_done(&envelope);
	buf_done(&csr);
	assert_int_equal(world_done(state), 0);
}

/* ---- cut and changed -------------------------------------------------------------------- */

static struct buf whole; /* content of the vector that is swept */

static enum rc
parse_door(const void *p, size_t len)
{
	struct scep_message *m;

	if (scep_message_parse(&m, p, len, NULL) != SCEP_OK)
		return RC_PARSE;
	scep_message_free(m);
	return RC_OK;
}

/* Taken only if nothing of the content has changed. */
static enum rc
open_door(const void *p, size_t len)
{
	struct scep_message *m;
	struct scep_request *r = NULL;
	const uint8_t *content;
	size_t n;

	if (scep_message_parse(&m, p, len, NULL) != SCEP_OK)
		return RC_PARSE;
	if (scep_request_open(&r, m, &ra, 1, NULL) == SCEP_OK) {
		content = scep_request_content(r, &n);
		if (n != whole.len || memcmp(content, whole.data, n) != 0)
			fail_msg(
			    "another content is taken: %zu octets instead of %zu", n, whole.len);
	}
	scep_message_free(m);
	if (r == NULL)
		return RC_INTEGRITY;
	scep_request_free(r);
	return RC_OK;
}

static void
no_prefix_and_no_changed_bit_of_them_is_taken(void **state)
{
	struct scep_message *m;
	struct scep_request *r;
	const uint8_t *content;
	struct buf b;
	size_t i, len;

	for (i = 0; i < N(vectors); i++) {
		b = stored(vectors[i].name, ".der");
		sweep_prefixes(parse_door, b.data, b.len, 1);
		assert_int_equal(scep_message_parse(&m, b.data, b.len, NULL), SCEP_OK);
		assert_int_equal(scep_request_open(&r, m, &ra, 1, NULL), SCEP_OK);
		whole = new_buf();
		content = scep_request_content(r, &len);
		buf_add(&whole, content, len);
		/* A prime, so that all bits of all octets have their turn over the vectors. */
		(void)sweep_flips(open_door, b.data, b.len, 61);
		buf_done(&whole);
		scep_request_free(r);
		scep_message_free(m);
		buf_done(&b);
	}
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_client_is_understood),
		cmocka_unit_test(polls_are_understood),
		cmocka_unit_test(single_des_is_refused_with_its_name),
		cmocka_unit_test(R50_a_renewal_is_held_to_the_csrs_own_signature),
		cmocka_unit_test(no_prefix_and_no_changed_bit_of_them_is_taken),
	};

	if (argc != 2)
		return 64;
	folder = argv[1];
	return cmocka_run_group_tests(tests, open_ra, close_ra);
}
