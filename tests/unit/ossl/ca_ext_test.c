/*
 * ca_ext_test.c - name constraints, policies and path length: read, written, and judged as `openssl
 * verify` judges them.
 */
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ossl/ca_ext.h"

#define NAMES 4

/* "+dns contoso.com", "-dir O=Evil" */
static void
add(struct constraints *l, const char *text)
{
	static const char *const forms[] = { "dns", "email", "uri", "dir" };
	struct err err = { 0 };
	const char *value = strchr(text, ' ') + 1;
	size_t i;

	for (i = 0; i < N(forms); i++) {
		if (strncmp(text + 1, forms[i], (size_t)(value - text) - 2) == 0)
			break;
	}
	assert_true(i < N(forms));
	assert_ok(constraints_add(l, (enum constraint_form)i, text[0] == '-', value, &err), err);
}

static void
add_san(struct san_list *l, const char *text)
{
	const char *colon = strchr(text, ':');
	struct err err = { 0 };
	char type[16];

	(void)snprintf(type, sizeof type, "%.*s", (int)(colon - text), text);
	assert_ok(san_list_add(l, san_type_by_name(type), colon + 1, &err), err);
}

static struct cert *
make(const struct cert_fields *given, const char *subject, const struct cert *issuer)
{
	struct serial serial = fixture_serial("80AB01");
	struct name n = fixture_name(subject);
	struct cert_fields f = *given;
	struct err err = { 0 };
	struct cert *c = NULL;

	f.serial = &serial;
	f.subject = &n;
	f.issuer = issuer != NULL ? cert_subject0(issuer) : &n;
	f.not_before = 1000;
	f.not_after = 4000000000;
	f.subject_key = issuer != NULL ? fixture_other_key("ec:p256") : fixture_key("ec:p256");
	f.issuer_key = fixture_key("ec:p256");
	f.digest = DIGEST_SHA256;
	assert_ok(cert_make(&c, &f, fixture_key("ec:p256"), &err), err);
	name_done(&n);
	return c;
}

static struct cert *
make_ca(const struct constraints *l, const struct policies *p, int path_len)
{
	return make(&(struct cert_fields){ .is_ca = true,
			.path_len = path_len,
			.key_usage = KU_KEY_CERT_SIGN | KU_CRL_SIGN,
			.constraints = l,
			.policies = p },
	    "O=Contoso,CN=Contoso CA", NULL);
}

static void
put_pem(const struct dir *d, const char *name, const struct cert *c)
{
	struct buf b;

	buf_init(&b, 1 << 20);
	cert_pem(&b, c);
	dir_put(d, name, b.data, b.len, 0644);
	buf_done(&b);
}

static const struct row {
	const char *constraints[NAMES], *subject, *san[NAMES];
	bool allowed;
} rows[] = {
	{ { "+dns contoso.com" }, "CN=x", { "dns:contoso.com" }, true },
	{ { "+dns contoso.com" }, "CN=x", { "dns:a.b.Contoso.COM" }, true },
	{ { "+dns contoso.com" }, "CN=x", { "dns:evilcontoso.com" }, false },
	{ { "+dns contoso.com" }, "CN=x", { "dns:a.contoso.com", "dns:fabrikam.com" }, false },
	{ { "+dns contoso.com", "+dns fabrikam.com" }, "CN=x",
	    { "dns:a.contoso.com", "dns:fabrikam.com" }, true },
	{ { "+dns .contoso.com" }, "CN=x", { "dns:a.contoso.com" }, true },
	{ { "+dns .contoso.com" }, "CN=x", { "dns:contoso.com" }, false },
	{ { "+dns contoso.com", "-dns secret.contoso.com" }, "CN=x", { "dns:a.contoso.com" },
	    true },
	{ { "+dns contoso.com", "-dns secret.contoso.com" }, "CN=x", { "dns:a.secret.contoso.com" },
	    false },
	{ { "-dns secret.contoso.com" }, "CN=x", { "dns:fabrikam.com" }, true },
	{ { "+dns contoso.com" }, "CN=x", { "upn:jane@fabrikam.com" }, true },
	{ { "+dns contoso.com" }, "CN=x", { "email:jane@fabrikam.com" }, true },
	/* a CN that looks like a host counts when there is no dNSName */
	{ { "+dns contoso.com" }, "CN=pc1.fabrikam.com", { NULL }, false },
	{ { "+dns contoso.com" }, "CN=pc1.contoso.com", { NULL }, true },
	{ { "+dns contoso.com" }, "CN=pc1.fabrikam.com", { "dns:pc1.contoso.com" }, true },
	{ { "+dns contoso.com" }, "CN=Jane Doe", { NULL }, true },
	{ { "+dns contoso.com" }, "CN=laptop", { NULL }, true },
	{ { "+dns contoso.com" }, "CN=a_b.fabrikam.com", { NULL }, false },
	{ { "+dns contoso.com" }, "CN=-a.fabrikam.com", { NULL }, true },
	{ { "+dns contoso.com" }, "CN=a..fabrikam", { NULL }, true },
	{ { "+dns contoso.com" }, "CN=a.fabrikam.", { NULL }, true },
	{ { "-dns fabrikam.com" }, "CN=pc1.fabrikam.com", { NULL }, false },
	{ { "+email contoso.com" }, "CN=x", { "email:jane@contoso.com" }, true },
	{ { "+email contoso.com" }, "CN=x", { "email:jane@CONTOSO.com" }, true },
	{ { "+email contoso.com" }, "CN=x", { "email:jane@a.contoso.com" }, false },
	{ { "+email .contoso.com" }, "CN=x", { "email:jane@a.contoso.com" }, true },
	{ { "+email .contoso.com" }, "CN=x", { "email:jane@contoso.com" }, false },
	{ { "+email jane@contoso.com" }, "CN=x", { "email:jane@contoso.com" }, true },
	{ { "+email jane@contoso.com" }, "CN=x", { "email:Jane@contoso.com" }, false },
	{ { "+email jane@contoso.com" }, "CN=x", { "email:joe@contoso.com" }, false },
	{ { "+email contoso.com" }, "CN=x", { "email:nobody" }, false },
	{ { "+email contoso.com" }, "CN=x,E=joe@fabrikam.com", { NULL }, false },
	{ { "+email contoso.com" }, "CN=x,E=joe@contoso.com", { NULL }, true },
	{ { "-email fabrikam.com" }, "CN=x", { "email:joe@fabrikam.com" }, false },
	{ { "+uri contoso.com" }, "CN=x", { "uri:https://contoso.com/a" }, true },
	{ { "+uri contoso.com" }, "CN=x", { "uri:https://Contoso.com:8443" }, true },
	{ { "+uri contoso.com" }, "CN=x", { "uri:https://a.contoso.com/" }, false },
	{ { "+uri .contoso.com" }, "CN=x", { "uri:https://a.contoso.com/" }, true },
	{ { "+uri .contoso.com" }, "CN=x", { "uri:https://contoso.com/" }, false },
	{ { "+uri contoso.com" }, "CN=x",
	    { "uri:tag:microsoft.com,2022-09-14:sid:S-1-5-21-1-2-3-500" }, false },
	{ { "-uri fabrikam.com" }, "CN=x", { "uri:urn:uuid:1" }, false },
	{ { "+dir O=Contoso" }, "O=Contoso,CN=x", { NULL }, true },
	{ { "+dir O=Contoso" }, "O=CONTOSO,CN=x", { NULL }, true },
	{ { "+dir O=Contoso Ltd" }, "O=contoso   ltd,CN=x", { NULL }, true },
	{ { "+dir O=Contoso" }, "O=Contoso", { NULL }, true },
	{ { "+dir O=Contoso" }, "CN=x,O=Contoso", { NULL }, false },
	{ { "+dir O=Contoso" }, "O=Contoso Ltd,CN=x", { NULL }, false },
	{ { "+dir O=Contoso" }, "O=Contoso+OU=x,CN=x", { NULL }, false },
	{ { "+dir O=Contoso,OU=Devices" }, "O=Contoso,OU=Devices,CN=x", { NULL }, true },
	{ { "+dir O=Contoso,OU=Devices" }, "O=Contoso,OU=People,CN=x", { NULL }, false },
	{ { "+dir O=Contoso" }, "", { "dns:a.example" }, true },
	{ { "-dir O=Contoso,OU=Admins" }, "O=Contoso,OU=admins,CN=x", { NULL }, false },
	{ { "-dir O=Contoso,OU=Admins" }, "O=Contoso,OU=Devices,CN=x", { NULL }, true },
};

static bool
we_allow(const struct cert *ca, const struct cert *leaf)
{
	struct constraints l = { 0 };
	struct err err = { 0 };
	enum rc rc;

	assert_ok(cert_constraints(&l, ca, &err), err);
	rc = constraints_check(&l, "CA x", cert_subject0(leaf), cert_san0(leaf), &err);
	assert_true(rc == RC_OK || rc == RC_DENIED);
	if (rc == RC_DENIED)
		assert_non_null(strstr(err.msg, "CA x"));
	constraints_done(&l);
	return rc == RC_OK;
}

static void
names_are_allowed_exactly_where_openssl_verify_takes_them(void **state)
{
	struct dir d;
	size_t i, k;

	dir_make_temp(&d);
	for (i = 0; i < N(rows); i++) {
		const struct row *r = &rows[i];
		struct constraints l = { 0 };
		struct san_list san = { 0 };
		struct cert *ca, *leaf;
		bool theirs;

		for (k = 0; k < NAMES && r->constraints[k] != NULL; k++)
			add(&l, r->constraints[k]);
		for (k = 0; k < NAMES && r->san[k] != NULL; k++)
			add_san(&san, r->san[k]);
		ca = make_ca(&l, NULL, -1);
		leaf = make(&(struct cert_fields){ .path_len = -1, .san = &san }, r->subject, ca);
		put_pem(&d, "ca.pem", ca);
		put_pem(&d, "leaf.pem", leaf);
		theirs = dir_run(&d, NULL, "openssl verify -CAfile ca.pem leaf.pem") == 0;
		if (theirs != r->allowed || we_allow(ca, leaf) != r->allowed)
			fail_msg("row %zu (%s; %s %s): openssl %d, we %d", i, r->constraints[0],
			    r->subject, r->san[0] != NULL ? r->san[0] : "", theirs,
			    we_allow(ca, leaf));
		cert_free(ca);
		cert_free(leaf);
		constraints_done(&l);
		san_list_done(&san);
	}
	dir_done(&d);
}

static void
what_cannot_be_a_constraint_is_refused(void **state)
{
	static const struct {
		enum constraint_form form;
		const char *text;
		bool good;
	} words[] = {
		{ CONSTRAINT_DNS, "contoso.com", true },
		{ CONSTRAINT_DNS, ".contoso.com", true },
		{ CONSTRAINT_DNS, "", false },
		{ CONSTRAINT_DNS, ".", false },
		{ CONSTRAINT_DNS, "*.contoso.com", false },
		{ CONSTRAINT_DNS, "contoso..com", false },
		{ CONSTRAINT_DNS,
		    "b\xc3\xbc"
		    "cher.example",
		    false },
		{ CONSTRAINT_EMAIL, "contoso.com", true },
		{ CONSTRAINT_EMAIL, "jane@contoso.com", true },
		{ CONSTRAINT_EMAIL, "jane@", false },
		{ CONSTRAINT_EMAIL, "jane doe@contoso.com", false },
		{ CONSTRAINT_URI, ".contoso.com", true },
		{ CONSTRAINT_URI, "https://contoso.com", false },
		{ CONSTRAINT_DIR, "O=Contoso", true },
		{ CONSTRAINT_DIR, "Contoso", false },
		{ CONSTRAINT_DIR, "", false },
		{ CONSTRAINT_UPN, "contoso.com", false },
	};
	size_t i;

	for (i = 0; i < N(words); i++) {
		struct constraints l = { 0 };
		enum rc rc = constraints_add(&l, words[i].form, false, words[i].text, NULL);

		if ((rc == RC_OK) != words[i].good || (rc != RC_OK && rc != RC_CONFIG))
			fail_msg("row %zu: %s", i, rc_name(rc));
		constraints_done(&l);
	}
}

static enum rc
constraints_door(const void *p, size_t len)
{
	struct constraints l = { 0 };
	enum rc rc = constraints_parse(&l, p, len, NULL);

	constraints_done(&l);
	return rc;
}

static void
constraints_are_read_as_they_were_written(void **state)
{
	static const char *const words[] = { "+dns contoso.com", "+email contoso.com",
		"+dir O=Contoso,OU=Devices", "-uri fabrikam.com", "-dns secret.contoso.com" };
	struct constraints l = { 0 }, back = { 0 };
	struct err err = { 0 };
	struct buf b;
	size_t i;

	buf_init(&b, 1 << 16);
	for (i = 0; i < N(words); i++)
		add(&l, words[i]);
	assert_ok(constraints_write(&b, &l, &err), err);
	assert_ok(constraints_parse(&back, b.data, b.len, &err), err);
	assert_int_equal(back.n, l.n);
	for (i = 0; i < l.n; i++) { /* permitted ones come first, as they were added */
		assert_int_equal(back.v[i].form, l.v[i].form);
		assert_int_equal(back.v[i].excluded, l.v[i].excluded);
		assert_string_equal(back.v[i].text, l.v[i].text);
	}
	sweep_prefixes(constraints_door, b.data, b.len, 1);
	sweep_flips(constraints_door, b.data, b.len, 1);
	constraints_done(&l);
	constraints_done(&back);
	buf_done(&b);
}

/* Forms that we do not make: made by openssl. */
static void
what_others_constrain_is_read_and_a_upn_below_it_denied(void **state)
{
	static const char config[] =
	    "[req]\ndistinguished_name=dn\nx509_extensions=x\nprompt=no\n[dn]\nCN=Other CA\n[x]\n"
	    "basicConstraints=critical,CA:TRUE,pathlen:3\n"
	    "nameConstraints=critical,permitted;IP:10.0.0.0/255.0.0.0,"
	    "permitted;otherName:1.3.6.1.4.1.311.20.2.3;UTF8:contoso.com,excluded;IP:"
	    "fd00::/ff00::\n"
	    "certificatePolicies=1.2.3.4,2.5.29.32.0,@p\n"
	    "[p]\npolicyIdentifier=1.2.3.5\nCPS.1=http://contoso.com/cps\nuserNotice.1=@n\n"
	    "[n]\nexplicitText=hello\n";
	struct san_list san = { 0 };
	struct name subject = fixture_name("CN=Jane");
	struct constraints l = { 0 };
	struct policies p = { 0 };
	struct err err = { 0 };
	struct cert *c = NULL;
	char path[128];
	struct dir d;

	dir_make_temp(&d);
	dir_put(&d, "x.cnf", config, strlen(config), 0644);
	assert_int_equal(dir_run(&d, NULL,
			     "openssl req -new -x509 -newkey rsa:2048 -nodes -keyout k.pem -out "
			     "c.pem -config x.cnf"),
	    0);
	(void)snprintf(path, sizeof path, "%s/c.pem", d.path);
	assert_ok(cert_load(&c, path, &err), err);
	assert_int_equal(cert_path_len(c), 3);
	assert_ok(cert_constraints(&l, c, &err), err);
	assert_int_equal(l.n, 3);
	assert_string_equal(l.v[0].text, "ip 10.0.0.0/255.0.0.0");
	assert_int_equal(l.v[1].form, CONSTRAINT_UPN);
	assert_string_equal(l.v[1].text, "contoso.com");
	assert_true(l.v[2].excluded);
	assert_ok(constraints_check(&l, "it", &subject, &san, &err), err);
	add_san(&san, "upn:jane@contoso.com");
	assert_int_equal(constraints_check(&l, "it", &subject, &san, &err), RC_DENIED);
	assert_ok(cert_policies(&p, c, &err), err);
	assert_int_equal(p.n, 3);
	assert_string_equal(p.v[0].oid, "1.2.3.4");
	assert_null(p.v[1].cps);
	assert_string_equal(p.v[2].cps, "http://contoso.com/cps");
	policies_done(&p);
	constraints_done(&l);
	san_list_done(&san);
	name_done(&subject);
	cert_free(c);
	dir_done(&d);
}

static enum rc
policies_door(const void *p, size_t len)
{
	struct policies l = { 0 };
	enum rc rc = policies_parse(&l, p, len, NULL);

	policies_done(&l);
	return rc;
}

static void
policies_are_taken_written_and_read_back(void **state)
{
	static const char *const bad[] = { "", "1", "abc", "1.2.3,", "1.2.3,http://\xc3\xbc",
		"9.9.9", "1.2.3.4" /* twice */ };
	struct policies l = { 0 }, back = { 0 };
	struct err err = { 0 };
	struct buf b;
	size_t i;

	buf_init(&b, 1 << 16);
	assert_ok(policies_add(&l, "1.2.3.4,http://contoso.com/cps", &err), err);
	assert_ok(policies_add(&l, OID_ANY_POLICY, &err), err);
	for (i = 0; i < N(bad); i++)
		assert_int_equal(policies_add(&l, bad[i], &err), RC_CONFIG);
	assert_int_equal(l.n, 2);
	assert_ok(policies_write(&b, &l, &err), err);
	assert_ok(policies_parse(&back, b.data, b.len, &err), err);
	assert_int_equal(back.n, 2);
	assert_string_equal(back.v[0].oid, "1.2.3.4");
	assert_string_equal(back.v[0].cps, "http://contoso.com/cps");
	assert_string_equal(back.v[1].oid, OID_ANY_POLICY);
	sweep_prefixes(policies_door, b.data, b.len, 1);
	sweep_flips(policies_door, b.data, b.len, 1);
	policies_done(&l);
	policies_done(&back);
	buf_done(&b);
}

static void
openssl_reads_what_a_ca_certificate_of_ours_says(void **state)
{
	struct constraints l = { 0 }, none = { 0 };
	struct policies p = { 0 };
	struct err err = { 0 };
	struct cert *c;
	struct buf out;
	struct dir d;

	dir_make_temp(&d);
	buf_init(&out, 1 << 16);
	add(&l, "+dns contoso.com");
	add(&l, "-dir O=Evil");
	assert_ok(policies_add(&p, "1.2.3.4,http://contoso.com/cps", &err), err);
	c = make_ca(&l, &p, 1);
	assert_int_equal(cert_path_len(c), 1);
	put_pem(&d, "c.pem", c);
	assert_int_equal(dir_run(&d, &out, "openssl x509 -in c.pem -noout -text"), 0);
	assert_non_null(strstr(buf_str(&out), "CA:TRUE, pathlen:1"));
	assert_non_null(strstr(buf_str(&out), "X509v3 Name Constraints: critical"));
	assert_non_null(strstr(buf_str(&out), "Permitted:\n                  DNS:contoso.com"));
	assert_non_null(strstr(buf_str(&out), "Excluded:\n                  DirName:O = Evil"));
	assert_non_null(strstr(buf_str(&out), "Policy: 1.2.3.4"));
	assert_non_null(strstr(buf_str(&out), "CPS: http://contoso.com/cps"));
	cert_free(c);
	c = make_ca(NULL, NULL, -1);
	assert_int_equal(cert_path_len(c), -1);
	assert_ok(cert_constraints(&none, c, &err), err); /* absent: empty */
	assert_int_equal(none.n, 0);
	cert_free(c);
	constraints_done(&l);
	policies_done(&p);
	buf_done(&out);
	dir_done(&d);
}

static void
a_ca_asks_for_what_it_wants_to_be(void **state)
{
	struct name subject = fixture_name("O=Contoso,CN=Contoso Issuing CA");
	struct constraints l = { 0 };
	struct csr_build b = { .subject = &subject,
		.is_ca = true,
		.path_len = 0,
		.key_usage = KU_KEY_CERT_SIGN | KU_CRL_SIGN,
		.constraints = &l,
		.digest = DIGEST_SHA256 };
	struct err err = { 0 };
	struct csr *csr = NULL;
	struct buf der, out;
	struct dir d;

	add(&l, "+dns contoso.com");
	buf_init(&der, 1 << 16);
	buf_init(&out, 1 << 16);
	assert_ok(csr_build(&der, &b, fixture_key("ec:p256"), &err), err);
	assert_ok(csr_parse(&csr, der.data, der.len, &err), err);
	assert_true(csr_wishes0(csr)->wants_ca);
	dir_make_temp(&d);
	dir_put(&d, "r.der", der.data, der.len, 0644);
	assert_int_equal(
	    dir_run(&d, &out, "openssl req -in r.der -inform DER -noout -text -verify 2>&1"), 0);
	assert_non_null(strstr(buf_str(&out), "CA:TRUE, pathlen:0"));
	assert_non_null(strstr(buf_str(&out), "Certificate Sign, CRL Sign"));
	assert_non_null(strstr(buf_str(&out), "Subject Key Identifier"));
	assert_non_null(strstr(buf_str(&out), "DNS:contoso.com"));
	csr_free(csr);
	constraints_done(&l);
	name_done(&subject);
	buf_done(&der);
	buf_done(&out);
	dir_done(&d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_allowed_exactly_where_openssl_verify_takes_them),
		cmocka_unit_test(what_cannot_be_a_constraint_is_refused),
		cmocka_unit_test(constraints_are_read_as_they_were_written),
		cmocka_unit_test(what_others_constrain_is_read_and_a_upn_below_it_denied),
		cmocka_unit_test(policies_are_taken_written_and_read_back),
		cmocka_unit_test(openssl_reads_what_a_ca_certificate_of_ours_says),
		cmocka_unit_test(a_ca_asks_for_what_it_wants_to_be),
	};

	return cmocka_run_group_tests(tests, NULL, fixture_done);
}
