/*
 * issue_test.c - from a request to a certificate that the openssl command takes, with the signer
 * behind it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "fixture.h"
#include "ossl/crl.h"
#include "signer/signer.h"

/* The fixture's CA with its keys. */
struct live {
	struct fixture *f;
	struct signer *signer;
	struct ca *ca;
};

static void
open_live(struct live *l, struct fixture *f, const char *dir)
{
	static const char *const ekus[] = { CLIENT_AUTH, SERVER_AUTH };
	char cert[128], key[128], ra_cert[128], ra_key[128], root[128];
	const char *chain[] = { root };
	struct signer_ca sc = { .name = "issuing",
		.cert_file = cert,
		.key = { .key = key },
		.issues = true,
		.eku = ekus,
		.n_eku = 2,
		.key_usage = KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT,
		.rsa_min = 2048,
		.rsa_max = 4096,
		.ec_curves = SIGNER_P256 | SIGNER_P384,
		.ra_cert_file = ra_cert,
		.ra_key = { .key = ra_key } };
	struct signer_conf conf = { .cas = &sc, .n_cas = 1 };
	struct ca_conf cc = { "issuing", cert, chain, 1, "issuing", ra_cert };

	snprintf(cert, sizeof(cert), "%s/%s/issuing.pem", f->dir, dir);
	snprintf(key, sizeof(key), "%s/%s/issuing.key", f->dir, dir);
	snprintf(ra_cert, sizeof(ra_cert), "%s/%s/ra.pem", f->dir, dir);
	snprintf(ra_key, sizeof(ra_key), "%s/%s/ra.key", f->dir, dir);
	snprintf(root, sizeof(root), "%s/%s/root.pem", f->dir, dir);
	l->f = f;
	assert_ok(signer_open(&l->signer, &conf, err));
	assert_ok(ca_open(&l->ca, &cc, l->signer, err));
}

static void
close_live(struct live *l)
{
	ca_free(l->ca);
	signer_close(l->signer);
}

/* Decide and issue; the serial is made here. */
static enum rc
issue(struct cert **out, const struct live *l, const struct wish *w, const struct profile *p,
    struct serial *serial, struct err *err)
{
	struct wish with = *w;
	struct cert_spec *spec = NULL;
	struct authorization *a;
	struct csr *csr;
	enum rc rc;

	with.challenge = CHALLENGE;
	csr = request(l->f, &with);
	a = yes_to(csr);
	rc = serial_random(serial, err);
	if (rc == RC_OK)
		rc = cert_spec_decide(&spec, a, csr, p, l->ca, l->f->now, err);
	if (rc == RC_OK)
		rc = ca_issue(out, l->ca, spec, serial, err);
	cert_spec_free(spec);
	authorization_free(a);
	csr_free(csr);
	return rc;
}

static struct cert *
issued(const struct live *l, const struct wish *w, const struct profile *p)
{
	struct cert *c = NULL;
	struct serial serial;

	assert_ok(issue(&c, l, w, p, &serial, err));
	assert_true(serial_same(cert_serial0(c), &serial));
	return c;
}

/* Put the certificate where the openssl command can look at it. */
static void
save(const struct fixture *f, const struct cert *c)
{
	struct buf pem;

	buf_init(&pem, LIMIT_CERT);
	cert_pem(&pem, c);
	assert_ok(file_write(in_dir(f, "leaf.pem"), pem.data, pem.len, 0644, 1, err));
	buf_done(&pem);
}

static bool
openssl_says(const struct fixture *f, const char *args, const char *want)
{
	char cmd[512], out[16384];
	size_t n;
	FILE *p;

	snprintf(cmd, sizeof(cmd), "cd %s && openssl %s 2>&1", f->dir, args);
	p = popen(cmd, "r");
	assert_non_null(p);
	n = fread(out, 1, sizeof(out) - 1, p);
	out[n] = '\0';
	(void)pclose(p);
	if (strstr(out, want) != NULL)
		return true;
	print_error("openssl %s: no \"%s\" in:\n%s\n", args, want, out);
	return false;
}

static void
certificate_holds_what_was_decided_and_verifies(void **state)
{
	static const char *const crl[] = { "http://ca.contoso.com/crl/issuing.crl" },
				 *const aia[] = { "http://ca.contoso.com/ca/{ca}.crt" };
	struct fixture *f = *state;
	struct profile p = sane_profile();
	struct live l;
	struct cert *c;
	size_t n;

	open_live(&l, f, "ca");
	p.crl_urls = crl;
	p.ca_issuer_urls = aia;
	p.n_crl_urls = p.n_ca_issuer_urls = 1;
	c = issued(&l,
	    &(struct wish){ .subject = "O=Contoso,CN=pc1",
		.san = { "upn:jane@contoso.com", "dns:pc1.contoso.com",
		    "uri:tag:microsoft.com,2022-09-14:sid:S-1-5-21-1" },
		.key_usage = KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT,
		.eku = { CLIENT_AUTH },
		.period = "Days",
		.units = "30" },
	    &p);
	assert_false(cert_is_ca(c));
	assert_int_equal(cert_not_after(c), f->now + 30 * DAY);
	assert_int_equal(cert_not_before(c), f->now - DAY);
	assert_true(key_same_public(cert_key0(c), f->rsa));
	assert_int_equal(cert_san0(c)->n, 3);
	assert_string_equal(
	    cert_san0(c)->v[2].value, "tag:microsoft.com,2022-09-14:sid:S-1-5-21-1");
	assert_string_equal(cert_eku0(c, &n)[0], CLIENT_AUTH);
	assert_int_equal(n, 1);
	save(f, c);
	assert_true(openssl_says(f,
	    "verify -x509_strict -purpose sslclient -CAfile ca/root.pem -untrusted ca/issuing.pem "
	    "leaf.pem",
	    "leaf.pem: OK"));
	assert_true(openssl_says(f, "x509 -in leaf.pem -noout -ext keyUsage",
	    "critical\n    Digital Signature, Key Encipherment\n"));
	assert_true(openssl_says(f, "x509 -in leaf.pem -noout -ext basicConstraints", "CA:FALSE"));
	assert_true(openssl_says(
	    f, "x509 -in leaf.pem -noout -text", "URI:http://ca.contoso.com/crl/issuing.crl"));
	assert_true(openssl_says(f, "x509 -in leaf.pem -noout -text",
	    "CA Issuers - URI:http://ca.contoso.com/ca/issuing.crt"));
	assert_true(openssl_says(f,
	    "x509 -in leaf.pem -noout -ext subjectKeyIdentifier,authorityKeyIdentifier",
	    "Authority Key Identifier"));
	cert_free(c);
	close_live(&l);
}

static void
extension_is_absent(const struct fixture *f, const struct cert *c, const char *oid)
{
	char args[128];

	save(f, c);
	snprintf(args, sizeof(args), "x509 -in leaf.pem -noout -text | grep -c -F '%s'", oid);
	assert_true(openssl_says(f, args, "0\n"));
}

static void
sid_extension_and_wish_to_be_a_ca_never_reach_the_certificate(void **state)
{
	static const uint8_t ca[] = { 0x30, 0x03, 0x01, 0x01, 0xff }, sid[] = { 0x30, 0x00 };
	struct profile p = sane_profile();
	struct live l;
	struct cert *c;
	unsigned ku = 0;

	open_live(&l, *state, "ca");
	c = issued(&l,
	    &(struct wish){ .ext_oid = OID_SID_EXTENSION, .ext = sid, .ext_len = sizeof(sid) }, &p);
	extension_is_absent(l.f, c, OID_SID_EXTENSION);
	cert_free(c);
	c = issued(&l,
	    &(struct wish){ .ext_oid = "2.5.29.19",
		.ext = ca,
		.ext_len = sizeof(ca),
		.key_usage = KU_KEY_CERT_SIGN | KU_CRL_SIGN },
	    &p);
	assert_false(cert_is_ca(c));
	assert_true(cert_has_key_usage(c, &ku));
	assert_int_equal(ku, KU_DIGITAL_SIGNATURE);
	cert_free(c);
	close_live(&l);
}

static void
signer_refuses(const struct live *l, const struct profile *p)
{
	struct cert *c = NULL;
	struct serial serial;

	assert_fails(issue(&c, l, &(struct wish){ 0 }, p, &serial, err), RC_DENIED, "");
	assert_null(c);
}

static void
signer_refuses_what_a_broken_profile_lets_through(void **state)
{
	static const char *const email[] = { "1.3.6.1.5.5.7.3.4" };
	struct profile p = sane_profile();
	struct live l;

	open_live(&l, *state, "ca");
	p.eku_allowed = p.eku_default = email; /* outside the signer's list */
	p.n_eku_allowed = p.n_eku_default = 1;
	signer_refuses(&l, &p);
	p = sane_profile();
	p.key_usage_allowed = p.key_usage_default =
	    KU_NON_REPUDIATION; /* outside the signer's bits */
	signer_refuses(&l, &p);
	p = sane_profile();
	p.validity_default = p.validity_max = 1500 * DAY;
	signer_refuses(&l, &p);
	close_live(&l);
}

static void
decision_for_one_ca_is_not_signed_by_another(void **state)
{
	struct fixture *f = *state;
	struct profile p = sane_profile();
	struct csr *csr = request(f, &(struct wish){ .challenge = CHALLENGE });
	struct authorization *a = yes_to(csr);
	struct cert_spec *spec = NULL;
	struct cert *c = NULL;
	struct serial serial;
	struct live l;

	open_live(&l, f, "ca");
	assert_ok(serial_random(&serial, err));
	assert_ok(cert_spec_decide(&spec, a, csr, &p, f->ca, f->now, err));
	assert_fails(ca_issue(&c, l.ca, spec, &serial, err), RC_BUG, "another CA");
	cert_spec_free(spec);
	authorization_free(a);
	csr_free(csr);
	close_live(&l);
}

static void
elliptic_ca_issues_to_rsa_and_elliptic_keys(void **state)
{
	struct fixture *f = *state;
	struct ca_init in = small_ca(in_dir(f, "ec"));
	struct profile p = sane_profile();
	struct live l;
	struct cert *c;

	in.issuing_key = "ec:p384";
	assert_ok(ca_init(&in, err));
	open_live(&l, f, "ec");
	c = issued(&l, &(struct wish){ .key = f->p256 }, &p);
	save(f, c);
	assert_true(openssl_says(f,
	    "verify -x509_strict -CAfile ec/root.pem -untrusted ec/issuing.pem leaf.pem",
	    "leaf.pem: OK"));
	cert_free(c);
	p.digest = DIGEST_SHA384;
	c = issued(&l, &(struct wish){ .key = f->rsa }, &p);
	save(f, c);
	assert_true(openssl_says(f,
	    "verify -x509_strict -CAfile ec/root.pem -untrusted ec/issuing.pem leaf.pem",
	    "leaf.pem: OK"));
	assert_true(openssl_says(f, "x509 -in leaf.pem -noout -text", "ecdsa-with-SHA384"));
	cert_free(c);
	close_live(&l);
}

static void
empty_subject_makes_the_alternative_name_critical(void **state)
{
	struct profile p = sane_profile();
	struct live l;
	struct cert *c;

	open_live(&l, *state, "ca");
	p.subject_empty_ok = true;
	c = issued(&l, &(struct wish){ .subject = "", .san = { "dns:pc1.contoso.com" } }, &p);
	save(l.f, c);
	assert_true(openssl_says(l.f, "x509 -in leaf.pem -noout -ext subjectAltName", "critical"));
	cert_free(c);
	close_live(&l);
}

/* With these serial numbers, in hex and ascending. */
static void
sign_list(const struct live *l, struct buf *crl, const char *const *serials, size_t n,
    uint64_t number, int64_t now)
{
	struct crl_scope scope = ca_crl_scope(l->ca);
	struct crl_writer w;
	size_t entries;

	buf_reset(crl);
	scope.this_update = now;
	scope.next_update = now + 7 * DAY;
	assert_ok(crl_begin(&w, crl, &scope, err));
	for (size_t i = 0; i < n; i++) {
		struct serial serial;

		assert_ok(serial_from_hex(&serial, serials[i], err));
		crl_add(&w, serial.v, serial.len, now - DAY, i == 0);
	}
	assert_ok(ca_crl_sign(l->ca, &w, number, &entries, err));
	assert_ok(file_write(in_dir(l->f, "issuing.crl"), crl->data, crl->len, 0644, 1, err));
}

static void
revocation_list_is_the_ca_s_and_holds_the_entries(void **state)
{
	static const char *const serials[] = { "77", "4A6F00112233445566778899AABBCCDD" };
	struct fixture *f = *state;
	struct buf crl;
	struct live l;

	open_live(&l, f, "ca");
	buf_init(&crl, LIMIT_CERT);
	sign_list(&l, &crl, serials, 2, 42, f->now);
	assert_true(openssl_says(
	    f, "crl -inform DER -in issuing.crl -CAfile ca/issuing.pem -noout", "verify OK"));
	assert_true(openssl_says(f, "crl -inform DER -in issuing.crl -noout -text",
	    "Serial Number: 4A6F00112233445566778899AABBCCDD"));
	assert_true(
	    openssl_says(f, "crl -inform DER -in issuing.crl -noout -text", "Key Compromise"));
	assert_true(openssl_says(f, "crl -inform DER -in issuing.crl -noout -crlnumber", "2A"));
	sign_list(&l, &crl, NULL, 0, 43, f->now);
	assert_true(openssl_says(
	    f, "crl -inform DER -in issuing.crl -noout -text", "No Revoked Certificates"));
	buf_done(&crl);
	close_live(&l);
}

static void
addresses_name_the_ca_and_the_partition(void **state)
{
	static const struct {
		const char *url, *filled;
	} rows[] = {
		{ "http://a/crl/{ca}.crl", "http://a/crl/issuing.crl" },
		{ "http://a/crl/{ca}/{partition}.crl", "http://a/crl/issuing/3-of-16.crl" },
		{ "http://a/{partition}/{ca}", "http://a/3-of-16/issuing" },
		{ "http://a/list.crl", "http://a/list.crl" },
		{ "", "" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *filled;

		assert_ok(ca_address(&filled, rows[i].url, "issuing", 3, 16, err));
		assert_string_equal(filled, rows[i].filled);
		free(filled);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(certificate_holds_what_was_decided_and_verifies),
		cmocka_unit_test(sid_extension_and_wish_to_be_a_ca_never_reach_the_certificate),
		cmocka_unit_test(signer_refuses_what_a_broken_profile_lets_through),
		cmocka_unit_test(decision_for_one_ca_is_not_signed_by_another),
		cmocka_unit_test(elliptic_ca_issues_to_rsa_and_elliptic_keys),
		cmocka_unit_test(empty_subject_makes_the_alternative_name_critical),
		cmocka_unit_test(revocation_list_is_the_ca_s_and_holds_the_entries),
		cmocka_unit_test(addresses_name_the_ca_and_the_partition),
	};

	return cmocka_run_group_tests_name("issue", tests, fixture_new, fixture_free);
}
