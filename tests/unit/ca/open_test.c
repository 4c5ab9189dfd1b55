/*
 * open_test.c - a CA whose certificates could not serve SCEP clients does not open.
 */
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "fixture.h"

/* One certificate to be made; what is not set is as ca_init() would have it for an RA. */
struct spec {
	const char *file;                                    /* in the fixture's folder */
	const char *subject, *issuer_file, *issuer_key_file; /* NULL issuer: self-signed */
	const struct key *key;
	unsigned key_usage;
	const char *eku;
	bool is_ca;
	int64_t from, to; /* seconds from now */
};

static void
make(const struct fixture *f, const struct spec *s)
{
	struct cert *issuer = NULL, *made = NULL;
	struct key *issuer_key = NULL;
	struct name subject = { 0 };
	struct serial serial;
	struct cert_fields c;
	struct buf pem;

	assert_ok(serial_random(&serial, err));
	assert_ok(name_from_text(&subject, s->subject, err));
	if (s->issuer_file != NULL) {
		assert_ok(cert_load(&issuer, in_dir(f, s->issuer_file), err));
		assert_ok(key_load(&issuer_key, in_dir(f, s->issuer_key_file), err));
	}
	c = (struct cert_fields){ .serial = &serial,
		.subject = &subject,
		.issuer = issuer != NULL ? cert_subject0(issuer) : &subject,
		.not_before = f->now + s->from,
		.not_after = f->now + s->to,
		.subject_key = s->key,
		.issuer_key = issuer != NULL ? issuer_key : s->key,
		.digest = DIGEST_SHA256,
		.key_usage = s->key_usage,
		.eku = &s->eku,
		.n_eku = s->eku != NULL,
		.is_ca = s->is_ca,
		.path_len = -1 };
	assert_ok(cert_make(&made, &c, issuer != NULL ? issuer_key : s->key, err));
	buf_init(&pem, LIMIT_CERT);
	cert_pem(&pem, made);
	assert_ok(file_write(in_dir(f, s->file), pem.data, pem.len, 0644, 1, err));
	buf_done(&pem);
	cert_free(made);
	cert_free(issuer);
	key_free(issuer_key);
	name_done(&subject);
}

/* A good RA row, to be spoilt in one place. */
static struct spec
ra(const struct fixture *f)
{
	return (struct spec){ .file = "test.pem",
		.subject = "CN=RA",
		.issuer_file = "ca/issuing.pem",
		.issuer_key_file = "ca/issuing.key",
		.key = f->rsa,
		.key_usage = KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT,
		.eku = "1.3.6.1.4.1.311.20.2.1",
		.from = -60,
		.to = 100 * DAY };
}

static struct spec
self_signed_ca(const struct fixture *f)
{
	return (struct spec){ .file = "test.pem",
		.subject = "CN=Lone CA",
		.key = f->p256,
		.key_usage = KU_KEY_CERT_SIGN | KU_CRL_SIGN,
		.is_ca = true,
		.from = -60,
		.to = 100 * DAY };
}

static enum rc
open_with(const struct fixture *f, const char *cert, const char *chain, const char *ra_cert,
    struct err *err)
{
	const char *chain_files[] = { chain != NULL ? in_dir(f, chain) : NULL };
	struct ca_conf conf = { "issuing", in_dir(f, cert), chain_files, chain != NULL, "issuing",
		in_dir(f, ra_cert) };
	struct ca *ca = NULL;
	enum rc rc = ca_open(&ca, &conf, NULL, err);

	if (rc != RC_OK)
		assert_null(ca);
	ca_free(ca);
	return rc;
}

static void
ra_refused(const struct fixture *f, const struct spec *s, const char *why)
{
	make(f, s);
	assert_fails(open_with(f, "ca/issuing.pem", "ca/root.pem", s->file, err), RC_CONFIG, why);
}

static void
ca_of_init_opens_and_tells_its_parts(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(ca_name(f->ca), "issuing");
	assert_int_equal(ca_chain_len(f->ca), 1);
	assert_true(cert_self_issued(ca_chain0(f->ca, 0)));
	assert_null(ca_chain0(f->ca, 1));
	assert_ok(cert_verify_by(ca_cert0(f->ca), ca_chain0(f->ca, 0), err));
	assert_ok(cert_verify_by(ca_ra_cert0(f->ca), ca_cert0(f->ca), err));
}

static void
good_ra_certificate_of_another_maker_is_taken(void **state)
{
	struct fixture *f = *state;
	struct spec s = ra(f);

	s.eku = SERVER_AUTH;
	make(f, &s);
	assert_ok(open_with(f, "ca/issuing.pem", "ca/root.pem", "test.pem", err));
	/* An RA below the root is fine as well. */
	s.issuer_file = "ca/root.pem";
	s.issuer_key_file = "ca/root.key";
	make(f, &s);
	assert_ok(open_with(f, "ca/issuing.pem", "ca/root.pem", "test.pem", err));
}

static void
ra_certificate_without_both_key_usages_is_refused(void **state)
{
	static const unsigned usages[] = { 0, KU_DIGITAL_SIGNATURE, KU_KEY_ENCIPHERMENT };
	size_t i;

	for (i = 0; i < sizeof(usages) / sizeof(usages[0]); i++) {
		struct spec s = ra(*state);

		s.key_usage = usages[i];
		ra_refused(*state, &s,
		    "test.pem: the RA certificate's key usage lacks digitalSignature or "
		    "keyEncipherment");
	}
}

static void
ra_certificate_without_extended_key_usage_is_refused(void **state)
{
	struct spec s = ra(*state);

	s.eku = NULL;
	ra_refused(*state, &s, "test.pem: the RA certificate has no extended key usage");
}

static void
elliptic_ra_key_is_refused(void **state)
{
	struct fixture *f = *state;
	struct spec s = ra(f);

	s.key = f->p256;
	s.key_usage = KU_DIGITAL_SIGNATURE;
	ra_refused(
	    f, &s, "test.pem: the RA key is ec-p256, and SCEP clients can only encrypt to RSA");
}

static void
ra_certificate_that_is_a_ca_is_refused(void **state)
{
	struct spec s = ra(*state);

	s.is_ca = true;
	ra_refused(*state, &s, "test.pem: the RA certificate is a CA certificate");
}

static void
expired_or_future_ra_certificate_is_refused(void **state)
{
	struct spec s = ra(*state);

	s.from = -10 * DAY;
	s.to = -1;
	ra_refused(*state, &s, "test.pem: the certificate expired at");
	s.from = DAY;
	s.to = 10 * DAY;
	ra_refused(*state, &s, "test.pem: the certificate is not valid before");
}

static void
ra_certificate_of_a_stranger_is_refused(void **state)
{
	struct fixture *f = *state;
	struct spec s = ra(f);

	s.issuer_file = NULL;
	ra_refused(f, &s,
	    "test.pem: the RA certificate was signed neither by the CA issuing nor by one above "
	    "it");
}

static void
certificate_that_is_no_ca_is_refused(void **state)
{
	struct fixture *f = *state;
	struct spec s = ra(f);

	make(f, &s);
	assert_fails(open_with(f, "test.pem", "ca/issuing.pem", "ca/ra.pem", err), RC_CONFIG,
	    "test.pem: the certificate is no CA certificate");
	s = self_signed_ca(f);
	s.key_usage = KU_CRL_SIGN;
	make(f, &s);
	assert_fails(open_with(f, "test.pem", NULL, "ca/ra.pem", err), RC_CONFIG,
	    "test.pem: the certificate's key usage lacks keyCertSign");
	s.key_usage = 0;
	make(f, &s);
	assert_fails(
	    open_with(f, "test.pem", NULL, "ca/ra.pem", err), RC_CONFIG, "lacks keyCertSign");
}

static void
expired_ca_is_refused(void **state)
{
	struct spec s = self_signed_ca(*state);

	s.from = -10 * DAY;
	s.to = -1;
	make(*state, &s);
	assert_fails(open_with(*state, "test.pem", NULL, "ca/ra.pem", err), RC_CONFIG,
	    "test.pem: the certificate expired at");
}

/* Its lists are wanted until the last certificate has ended; so far it gets, to its missing RA. */
static void
retired_ca_may_have_expired(void **state)
{
	struct fixture *f = *state;
	struct ca_conf conf = { .name = "issuing",
		.cert_file = in_dir(f, "test.pem"),
		.ra_name = "issuing",
		.ra_cert_file = in_dir(f, "ca/ra.pem"),
		.retired = true };
	struct spec s = self_signed_ca(f);
	struct ca *ca;

	s.from = -10 * DAY;
	s.to = -1;
	make(f, &s);
	assert_fails(ca_open(&ca, &conf, NULL, err), RC_CONFIG,
	    "ra.pem: the RA certificate was signed neither by the CA issuing");
}

static void
chain_that_does_not_lead_to_a_root_is_refused(void **state)
{
	struct fixture *f = *state;
	struct spec s = self_signed_ca(f);

	assert_fails(open_with(f, "ca/issuing.pem", NULL, "ca/ra.pem", err), RC_CONFIG,
	    "issuing.pem: is not self-signed");
	make(f, &s);
	assert_fails(open_with(f, "ca/issuing.pem", "test.pem", "ca/ra.pem", err), RC_CONFIG,
	    "issuing.pem: was not signed by");
	/* The right name with another key is no root either. */
	s.subject = "O=Contoso,CN=Contoso Root CA";
	make(f, &s);
	assert_fails(open_with(f, "ca/issuing.pem", "test.pem", "ca/ra.pem", err), RC_CONFIG,
	    "issuing.pem: was not signed by");
}

static void
lone_self_signed_ca_opens(void **state)
{
	struct fixture *f = *state;
	struct spec s = self_signed_ca(f), r = ra(f);
	struct buf pem;

	s.file = "lone.pem";
	make(f, &s);
	buf_init(&pem, LIMIT_SECRET_FILE);
	assert_ok(key_private_pem(&pem, f->p256, err));
	assert_ok(file_write(in_dir(f, "lone.key"), pem.data, pem.len, 0600, 1, err));
	buf_wipe(&pem);
	r.issuer_file = "lone.pem";
	r.issuer_key_file = "lone.key";
	make(f, &r);
	assert_ok(open_with(f, "lone.pem", NULL, "test.pem", err));
}

static void
missing_files_are_named(void **state)
{
	assert_fails(
	    open_with(*state, "nowhere.pem", NULL, "ca/ra.pem", err), RC_CONFIG, "nowhere.pem");
	assert_fails(open_with(*state, "ca/issuing.pem", "nowhere.pem", "ca/ra.pem", err),
	    RC_CONFIG, "nowhere.pem");
	assert_fails(open_with(*state, "ca/issuing.pem", "ca/root.pem", "nowhere.pem", err),
	    RC_CONFIG, "nowhere.pem");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ca_of_init_opens_and_tells_its_parts),
		cmocka_unit_test(good_ra_certificate_of_another_maker_is_taken),
		cmocka_unit_test(ra_certificate_without_both_key_usages_is_refused),
		cmocka_unit_test(ra_certificate_without_extended_key_usage_is_refused),
		cmocka_unit_test(elliptic_ra_key_is_refused),
		cmocka_unit_test(ra_certificate_that_is_a_ca_is_refused),
		cmocka_unit_test(expired_or_future_ra_certificate_is_refused),
		cmocka_unit_test(ra_certificate_of_a_stranger_is_refused),
		cmocka_unit_test(certificate_that_is_no_ca_is_refused),
		cmocka_unit_test(expired_ca_is_refused),
		cmocka_unit_test(retired_ca_may_have_expired),
		cmocka_unit_test(chain_that_does_not_lead_to_a_root_is_refused),
		cmocka_unit_test(lone_self_signed_ca_opens),
		cmocka_unit_test(missing_files_are_named),
	};

	return cmocka_run_group_tests_name("open", tests, fixture_new, fixture_free);
}
