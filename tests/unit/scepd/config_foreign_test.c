/*
 * config_foreign_test.c - `foreign_cas:` in scepd.yaml: what is taken, what it comes to, and what is refused.
 */
#include "config_folder.h"

#include <stdio.h>
#include <string.h>

#define N(a) (sizeof(a) / sizeof((a)[0]))

/* A file of the folder. */
static void
is_in(const struct folder *f, const char *path, const char *name)
{
	char want[160];

	(void)snprintf(want, sizeof(want), "%s/%s", f->dir, name);
	assert_string_equal(path, want);
}

static void
without_them_there_are_none(void **state)
{
	struct config *c = loaded(*state, WHOLE);

	assert_int_equal(c->foreign_cas.n, 0);
	assert_null(config_foreign(c, "adcs"));
	config_free(c);
}

static void
a_certificate_is_enough_and_defaults_are_sane(void **state)
{
	struct folder *f = *state;
	struct config *c = loaded(f, WHOLE "foreign_cas: { adcs: { certificate: adcs.pem } }\n");
	const struct conf_foreign *v = config_foreign(c, "adcs");

	assert_non_null(v);
	is_in(f, v->certificate, "adcs.pem");
	assert_true(v->ocsp_certificate == NULL && v->ocsp_key == NULL && v->crl == NULL &&
	    v->tenant == NULL && v->passphrase_file == NULL && v->pin_file == NULL);
	assert_int_equal(v->crl_interval, 600);
	assert_int_equal(v->ocsp_validity, 3600);
	assert_int_equal(v->not_imported, NOT_IMPORTED_UNKNOWN);
	assert_null(config_foreign(c, "issuing"));
	assert_null(config_ca(c, "adcs"));
	config_free(c);
}

static void
all_that_can_be_said_is_taken(void **state)
{
	struct folder *f = *state;
	struct config *c = loaded(f,
	    WHOLE "pkcs11: { module: /usr/lib/some.so }\n"
		  "foreign_cas:\n"
		  "  adcs: { certificate: adcs.pem, crl: 'http://pki.example/adcs.crl', "
		  "crl_interval: 1m, tenant: "
		  "contoso, ocsp_certificate: r.pem, ocsp_key: r.key, passphrase_file: "
		  "'credential:adcs', "
		  "ocsp_validity: 7d, not_imported: good }\n"
		  "  ezca: { certificate: /etc/ez.pem, crl: lists/ez.crl, ocsp_certificate: "
		  "ez.pem, ocsp_key: "
		  "'pkcs11:token=a;object=b', pin_file: prompt }\n");
	const struct conf_foreign *v = c->foreign_cas.v;

	assert_int_equal(c->foreign_cas.n, 2);
	assert_string_equal(v[0].crl, "http://pki.example/adcs.crl");
	assert_int_equal(v[0].crl_interval, 60);
	assert_string_equal(v[0].tenant, "contoso");
	is_in(f, v[0].ocsp_certificate, "r.pem");
	is_in(f, v[0].ocsp_key, "r.key");
	assert_string_equal(v[0].passphrase_file, "credential:adcs");
	assert_int_equal(v[0].ocsp_validity, 7 * 86400);
	assert_int_equal(v[0].not_imported, NOT_IMPORTED_GOOD);
	assert_string_equal(v[1].certificate, "/etc/ez.pem");
	is_in(f, v[1].crl, "lists/ez.crl");
	assert_string_equal(v[1].ocsp_key, "pkcs11:token=a;object=b");
	assert_string_equal(v[1].pin_file, "prompt");
	config_free(c);
}

static void
what_could_not_work_is_refused_with_its_line(void **state)
{
	static const struct {
		const char *yaml, *part;
	} t[] = {
		{ "{ adcs: {} }", "foreign_cas.adcs.certificate" },
		{ "{ issuing: { certificate: x } }",
		    ":6: foreign_cas.issuing: a CA of this name is under cas" },
		{ "{ ADCS: { certificate: x } }", ":6: foreign_cas" },
		{ "{ adcs: { certificate: x, ocsp_certificate: y } }",
		    ":6: foreign_cas.adcs.ocsp_key: a responder is a certificate and its key" },
		{ "{ adcs: { certificate: x, ocsp_key: y } }",
		    ":6: foreign_cas.adcs.ocsp_certificate: a responder is" },
		{ "{ adcs: { certificate: x, tenant: fabrikam } }",
		    ":6: foreign_cas.adcs.tenant: there is no such tenant" },
		{ "{ adcs: { certificate: x, crl: 'pkcs11:object=x' } }",
		    ":6: foreign_cas.adcs.crl: is neither a file nor an http address" },
		{ "{ adcs: { certificate: x, crl: 'ldap:///CN=x?certificateRevocationList' } }",
		    ":6: foreign_cas.adcs.crl: is neither a file nor an http address" },
		{ "{ adcs: { certificate: x, crl: 'HTTP://pki.contoso.com/x.crl' } }",
		    ":6: foreign_cas.adcs.crl: is neither a file nor an http address" },
		{ "{ adcs: { certificate: x, ocsp_certificate: y, ocsp_key: 'pkcs11:object=x' } }",
		    ":6: foreign_cas.adcs.ocsp_key: a key in a token needs pkcs11.module" },
		{ "{ adcs: { certificate: x, ocsp_certificate: y, ocsp_key: 'pkcs11:type=cert' } }",
		    ":6: foreign_cas.adcs.ocsp_key: " },
		{ "{ adcs: { certificate: x, ocsp_validity: 8d } }",
		    "foreign_cas.adcs.ocsp_validity" },
		{ "{ adcs: { certificate: x, ocsp_validity: 1m } }",
		    "foreign_cas.adcs.ocsp_validity" },
		{ "{ adcs: { certificate: x, crl_interval: 1s } }",
		    "foreign_cas.adcs.crl_interval" },
		{ "{ adcs: { certificate: x, not_imported: revoked } }",
		    "foreign_cas.adcs.not_imported: \"revoked\" is none of" },
		{ "{ adcs: { certificate: x, key: y } }", "foreign_cas.adcs.key" },
	};

	for (size_t i = 0; i < N(t); i++) {
		struct config *c = NULL;
		struct err err;
		char yaml[1024];

		(void)snprintf(yaml, sizeof(yaml), WHOLE "foreign_cas: %s\n", t[i].yaml);
		assert_int_equal(load(*state, &c, yaml, &err), RC_CONFIG);
		if (strstr(err.msg, t[i].part) == NULL)
			print_error("%s: \"%s\", wanted \"%s\"\n", t[i].yaml, err.msg, t[i].part);
		assert_non_null(strstr(err.msg, t[i].part));
		assert_null(c);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_them_there_are_none),
		cmocka_unit_test(a_certificate_is_enough_and_defaults_are_sane),
		cmocka_unit_test(all_that_can_be_said_is_taken),
		cmocka_unit_test(what_could_not_work_is_refused_with_its_line),
	};

	return cmocka_run_group_tests(tests, folder_new, folder_free);
}
