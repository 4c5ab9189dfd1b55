/*
 * adopt_test.c - CAs under other authorities: made, asked for and taken in; what relying parties would
 * refuse is refused.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "ca/adopt.h"
#include "fixture.h"

/* A certificate made for a test; `issuer` NULL: self-signed. */
struct spec {
	const char *subject;
	const struct key *key;
	const struct cert *issuer;
	const struct key *issuer_key;
	bool leaf;
	int path_len; /* -1 none */
	unsigned key_usage;
	int64_t from, to; /* days from now */
	const char *permit_dns, *permit_dir;
	const char *eku;
};

static struct cert *
make_cert(const struct fixture *f, const struct spec *s)
{
	struct name subject = { 0 };
	struct constraints l = { 0 };
	struct serial serial;
	struct cert *c = NULL;
	struct cert_fields fields;

	assert_ok(name_from_text(&subject, s->subject, err));
	assert_ok(serial_random(&serial, err));
	if (s->permit_dns != NULL)
		assert_ok(constraints_add(&l, CONSTRAINT_DNS, false, s->permit_dns, err));
	if (s->permit_dir != NULL)
		assert_ok(constraints_add(&l, CONSTRAINT_DIR, false, s->permit_dir, err));
	fields = (struct cert_fields){ .serial = &serial,
		.subject = &subject,
		.issuer = s->issuer != NULL ? cert_subject0(s->issuer) : &subject,
		.not_before = f->now + (s->from != 0 ? s->from : -1) * DAY,
		.not_after = f->now + (s->to != 0 ? s->to : 1000) * DAY,
		.subject_key = s->key,
		.issuer_key = s->issuer != NULL ? s->issuer_key : s->key,
		.digest = DIGEST_SHA256,
		.key_usage = s->key_usage,
		.eku = &s->eku,
		.n_eku = s->eku != NULL,
		.is_ca = !s->leaf,
		.path_len = s->path_len,
		.constraints = &l };
	assert_ok(cert_make(&c, &fields, fields.issuer_key, err));
	name_done(&subject);
	constraints_done(&l);
	return c;
}

#define CA_KU (KU_KEY_CERT_SIGN | KU_CRL_SIGN)

/* An enterprise: root, policy CA below it, and what they signed for our key (p384). */
struct enterprise {
	struct cert *root, *policy, *own;
};

static struct enterprise
enterprise(const struct fixture *f, struct spec root, struct spec policy, struct spec own)
{
	struct enterprise e;

	root.subject = root.subject != NULL ? root.subject : "O=Contoso,CN=Enterprise Root";
	root.key = f->p256;
	root.key_usage = CA_KU;
	e.root = make_cert(f, &root);
	policy.subject = policy.subject != NULL ? policy.subject : "O=Contoso,CN=Policy CA";
	policy.key = f->rsa;
	policy.issuer = e.root;
	policy.issuer_key = f->p256;
	policy.key_usage = CA_KU;
	e.policy = make_cert(f, &policy);
	own.subject = own.subject != NULL ? own.subject : "O=Contoso,CN=Contoso Device CA";
	own.key = own.key != NULL ? own.key : f->p384;
	own.issuer = e.policy;
	own.issuer_key = f->rsa;
	own.key_usage = own.key_usage != 0 ? own.key_usage : CA_KU;
	e.own = make_cert(f, &own);
	return e;
}
#define UNLIMITED ((struct spec){ .path_len = -1 })

struct warnings {
	char text[4096];
};

static void
keep_warning(void *ctx, const char *text)
{
	struct warnings *w = ctx;
	size_t n = strlen(w->text);

	(void)snprintf(w->text + n, sizeof(w->text) - n, "%s\n", text);
}

/* Frees the enterprise; what ca_adopt() says.  `n`: how many of own, policy, root are given, in the
 * order of a PKCS#7: any. */
static enum rc
adopt(const struct fixture *f, struct enterprise e, const char *dir, size_t n, struct warnings *w,
    struct err *err)
{
	struct cert *certs[3] = { e.root, e.own, e.policy };
	struct ca_adopt in = { .dir = in_dir(f, dir),
		.certs = certs,
		.n_certs = n,
		.key = f->p384,
		.write_key = true,
		.ra_kind = "rsa:2048",
		.ra_validity = 5000 * DAY,
		.warn = keep_warning,
		.warn_ctx = w };
	size_t n_chain = 99, i;
	enum rc rc = ca_adopt(&in, &n_chain, err);

	assert_int_equal(n_chain, rc == RC_OK ? 2 : 99);
	for (i = 0; i < 3; i++)
		cert_free(certs[i]);
	return rc;
}

static bool
there(const struct fixture *f, const char *name)
{
	struct stat st;

	return stat(in_dir(f, name), &st) == 0;
}

static void
certificates_in_any_order_become_a_ca_that_opens(void **state)
{
	struct fixture *f = *state;
	const char *chain[] = { in_dir(f, "taken/chain1.pem"), in_dir(f, "taken/root.pem") };
	struct ca_conf conf = { "taken", in_dir(f, "taken/issuing.pem"), chain, 2, "taken",
		in_dir(f, "taken/ra.pem") };
	struct warnings w = { 0 };
	struct ca *ca = NULL;

	assert_ok(adopt(f, enterprise(f, UNLIMITED, UNLIMITED, UNLIMITED), "taken", 3, &w, err));
	assert_string_equal(w.text, "");
	assert_ok(ca_open(&ca, &conf, NULL, err));
	assert_string_equal(name_get0(cert_subject0(ca_chain0(ca, 0)), "CN", 0), "Policy CA");
	assert_string_equal(
	    name_get0(cert_subject0(ca_ra_cert0(ca)), "CN", 0), "Contoso Device SCEP RA");
	/* it asked for more than the CA has left */
	assert_true(cert_not_after(ca_ra_cert0(ca)) == cert_not_after(ca_cert0(ca)));
	ca_free(ca);
	assert_fails(adopt(f, enterprise(f, UNLIMITED, UNLIMITED, UNLIMITED), "taken", 3, &w, err),
	    RC_CONFLICT, "issuing.pem exists already");
	assert_true(there(f, "taken/issuing.key"));
}

static void
what_relying_parties_would_refuse_is_refused_and_nothing_left(void **state)
{
	struct fixture *f = *state;
	const struct {
		const char *what;
		struct spec root, policy, own;
		size_t n;
		const char *says;
	} rows[] = {
		{ "another key", UNLIMITED, UNLIMITED, { .path_len = -1, .key = f->rsa3072 }, 3,
		    "of another key" },
		{ "no CA", UNLIMITED, UNLIMITED, { .path_len = -1, .leaf = true }, 3,
		    "CA:TRUE is missing" },
		{ "no keyCertSign", UNLIMITED, UNLIMITED,
		    { .path_len = -1, .key_usage = KU_CRL_SIGN }, 3, "lacks keyCertSign" },
		{ "no cRLSign", UNLIMITED, UNLIMITED,
		    { .path_len = -1, .key_usage = KU_KEY_CERT_SIGN }, 3, "lacks cRLSign" },
		{ "expired", UNLIMITED, UNLIMITED, { .path_len = -1, .from = -9, .to = -1 }, 3,
		    "CN=Contoso Device CA: the certificate expired at" },
		{ "not yet", UNLIMITED, UNLIMITED, { .path_len = -1, .from = 9 }, 3,
		    "is not valid before" },
		{ "expired above", UNLIMITED, { .path_len = -1, .from = -9, .to = -1 }, UNLIMITED,
		    3, "CN=Policy CA: the certificate expired at" },
		{ "path length 0 above", UNLIMITED, { .path_len = 0 }, UNLIMITED, 3,
		    "CN=Policy CA: its path length is 0, and there are 1 authorities below" },
		{ "path length 1 at the root", { .path_len = 1 }, UNLIMITED, UNLIMITED, 3,
		    "CN=Enterprise Root: its path length is 1, and there are 2" },
		{ "no policy CA", UNLIMITED, UNLIMITED, UNLIMITED, 2,
		    "the certificate of the authority O=Contoso,CN=Policy CA is missing" },
		{ "a name that is not permitted", { .path_len = -1, .permit_dir = "O=Fabrikam" },
		    UNLIMITED, UNLIMITED, 3, "permits no subject:O=Contoso" },
		{ "an RA's name that is not permitted", UNLIMITED, UNLIMITED,
		    { .path_len = -1, .permit_dir = "O=Fabrikam" }, 3, "permits no subject:" },
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct warnings w = { 0 };

		assert_fails(adopt(f, enterprise(f, rows[i].root, rows[i].policy, rows[i].own),
				 "no", rows[i].n, &w, err),
		    RC_CONFIG, rows[i].says);
		assert_false(there(f, "no/issuing.key"));
		assert_false(there(f, "no/issuing.pem"));
		assert_false(there(f, "no/ra.key"));
		assert_false(there(f, "no/ra.pem"));
		assert_false(there(f, "no/root.pem"));
	}
	/* As long as there is room. */
	assert_ok(adopt(f,
	    enterprise(f, (struct spec){ .path_len = 2 }, (struct spec){ .path_len = 1 },
		(struct spec){ .path_len = 0 }),
	    "room", 3, &(struct warnings){ 0 }, err));
}

static void
what_is_unwise_is_said(void **state)
{
	struct fixture *f = *state;
	struct warnings w = { 0 };

	assert_ok(adopt(f,
	    enterprise(f, UNLIMITED, (struct spec){ .path_len = -1, .eku = SERVER_AUTH },
		(struct spec){ .path_len = 0, .to = 100, .permit_dns = "contoso.com" }),
	    "unwise", 3, &w, err));
	assert_non_null(strstr(w.text, "a certificate above the CA has an extended key usage"));
	assert_non_null(strstr(w.text, "FreeRADIUS"));
	assert_non_null(strstr(w.text, "the CA certificate permits only dns:contoso.com"));
	assert_non_null(strstr(w.text, "the CA certificate ends in "));
}

static void
a_root_issues_by_itself_and_an_authority_at_hand_signs_a_ca(void **state)
{
	struct fixture *f = *state;
	struct ca_init in = small_ca(in_dir(f, "lone"));
	struct ca_conf conf = { "lone", in_dir(f, "lone/issuing.pem"), NULL, 0, "lone",
		in_dir(f, "lone/ra.pem") };
	struct cert *root = NULL;
	struct key *key = NULL;
	struct ca *ca = NULL;

	in.above = CA_ABOVE_NONE;
	in.path_len = -1;
	in.passphrase = "sesam sesam";
	assert_ok(ca_init(&in, err));
	assert_false(there(f, "lone/root.pem"));
	assert_ok(ca_open(&ca, &conf, NULL, err));
	assert_true(cert_self_issued(ca_cert0(ca)));
	ca_free(ca);
	/* Encrypted, and with that passphrase. */
	assert_int_not_equal(key_load(&key, in_dir(f, "lone/ra.key"), NULL), RC_OK);
	assert_ok(key_open(&key,
	    &(struct key_source){
		.key = in_dir(f, "lone/issuing.key"), .passphrase = in.passphrase },
	    err));
	assert_ok(cert_load(&root, in_dir(f, "lone/issuing.pem"), err));
	in = small_ca(in_dir(f, "below"));
	in.name = "Below";
	in.above = CA_ABOVE_GIVEN;
	in.chain = &root;
	in.n_chain = 1;
	in.issuer_key = key;
	in.issuing_validity = in.ra_validity;
	assert_ok(ca_init(&in, err));
	assert_true(there(f, "below/root.pem"));
	assert_false(there(f, "below/root.key"));
	in.dir = in_dir(f, "long");
	in.issuing_validity = in.root_validity + DAY;
	assert_fails(ca_init(&in, err), RC_CONFIG, "would outlive its issuer");
	assert_false(there(f, "long/issuing.key"));
	cert_free(root);
	key_free(key);
}

/* ---- names that the chain forbids ---- */

static enum rc
decide(const struct fixture *f, const struct ca *ca, const char *subject, const char *san,
    struct err *err)
{
	struct profile p = sane_profile();
	struct wish w = { .subject = subject, .san = { san }, .challenge = CHALLENGE };
	struct csr *csr = request(f, &w);
	struct authorization *a = yes_to(csr);
	struct cert_spec *spec = NULL;
	enum rc rc = cert_spec_decide(&spec, a, csr, &p, ca, f->now, err);

	cert_spec_free(spec);
	authorization_free(a);
	csr_free(csr);
	return rc;
}

static void
a_leaf_outside_the_constraints_of_the_chain_is_denied(void **state)
{
	struct fixture *f = *state;
	const char *chain[] = { in_dir(f, "bound/chain1.pem"), in_dir(f, "bound/root.pem") };
	struct ca_conf conf = { "bound", in_dir(f, "bound/issuing.pem"), chain, 2, "bound",
		in_dir(f, "bound/ra.pem") };
	struct warnings w = { 0 };
	struct ca *ca = NULL;

	assert_ok(adopt(f,
	    enterprise(f, (struct spec){ .path_len = -1, .permit_dir = "O=Contoso" }, UNLIMITED,
		(struct spec){ .path_len = 0, .permit_dns = "contoso.com" }),
	    "bound", 3, &w, err));
	assert_ok(ca_open(&ca, &conf, NULL, err));
	assert_ok(decide(f, ca, "O=Contoso,CN=x", "dns:a.contoso.com", err));
	assert_fails(decide(f, ca, "O=Contoso,CN=x", "dns:a.fabrikam.com", err), RC_DENIED,
	    "name constraints: the CA bound permits no dns:a.fabrikam.com");
	assert_fails(decide(f, ca, "O=Contoso,CN=pc1.fabrikam.com", NULL, err), RC_DENIED,
	    "the CA bound permits no CN:pc1.fabrikam.com");
	assert_fails(decide(f, ca, "O=Fabrikam,CN=x", "dns:a.contoso.com", err), RC_DENIED,
	    "the CA bound's issuer O=Contoso,CN=Enterprise Root permits no "
	    "subject:O=Fabrikam,CN=x");
	ca_free(ca);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(certificates_in_any_order_become_a_ca_that_opens),
		cmocka_unit_test(what_relying_parties_would_refuse_is_refused_and_nothing_left),
		cmocka_unit_test(what_is_unwise_is_said),
		cmocka_unit_test(a_root_issues_by_itself_and_an_authority_at_hand_signs_a_ca),
		cmocka_unit_test(a_leaf_outside_the_constraints_of_the_chain_is_denied),
	};

	return cmocka_run_group_tests_name("adopt", tests, fixture_new, fixture_free);
}
