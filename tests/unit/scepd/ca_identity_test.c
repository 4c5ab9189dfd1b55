/* ca_identity_test.c - a CA with the name of another is found out, and one that was renewed is not taken for another. */
#include <stdio.h>
#include <string.h>

#include "scepd/ca_identity.h"
#include "store/store_foreign.h"

#include "../ossl/fixture.h"
#include "../store/fixture.h"
#define fail() _fail(__FILE__, __LINE__) /* cmocka's, which the second fixture has taken away */

/* Certificate of `subject` with the fixture's first or second key, signed by `issuer`'s, which is the first or second, too. */
static struct cert *
made(const char *subject, bool other_key, const char *issuer, bool by_other, int64_t end)
{
	struct key *key = (other_key ? fixture_other_key : fixture_key)("ec:p256"),
		   *by = (by_other ? fixture_other_key : fixture_key)("ec:p256");
	struct name n = fixture_name(subject), of = fixture_name(issuer);
	struct serial serial = fixture_serial("0A0B");
	struct cert_fields f = { .serial = &serial,
		.issuer = &of,
		.subject = &n,
		.not_before = 1000,
		.not_after = end,
		.subject_key = key,
		.issuer_key = by,
		.digest = DIGEST_SHA256,
		.is_ca = strcmp(subject, issuer) == 0,
		.path_len = -1 };
	struct err err = { 0 };
	struct cert *c;

	assert_ok(cert_make(&c, &f, by, &err), err);
	name_done(&n);
	name_done(&of);
	return c;
}

/* Two CAs of the same subject; the first in a renewed certificate, too. */
static struct cert *first, *renewed, *second;

static int
begin(void **state)
{
	first = made("CN=CA", false, "CN=CA", false, 2000000000);
	renewed = made("CN=CA", false, "CN=CA", false, 2100000000);
	second = made("CN=CA", true, "CN=CA", true, 2000000000);
	return 0;
}

static int
end(void **state)
{
	cert_free(first);
	cert_free(renewed);
	cert_free(second);
	return fixture_done(state);
}

static enum rc
claim(struct sf *f, const char *name, bool own, const struct cert *c)
{
	return ca_identity_claim(f->s, &(struct ca_identity){ name, own, c }, &f->err);
}

static void
a_name_belongs_to_the_key_that_came_first(void **state)
{
	struct sf *f = *state;
	bool news = false;

	ok(f,
	    ca_identity_check(f->s, &(struct ca_identity){ "adcs", false, first }, &news, &f->err));
	assert_true(news);
	ok(f, claim(f, "adcs", false, first));
	ok(f, claim(f, "adcs", false, renewed));
	ok(f,
	    ca_identity_check(f->s, &(struct ca_identity){ "adcs", false, first }, &news, &f->err));
	assert_false(news);
	assert_int_equal(sf_number(f, "SELECT count(*) FROM audit WHERE event = 'ca-known'"), 1);
	for (int own = 0; own < 2; own++) {
		assert_int_equal(claim(f, "adcs", own, second), RC_CONFIG);
		assert_non_null(strstr(f->err.msg, "CA adcs has another key"));
		assert_non_null(strstr(f->err.msg, "which was a foreign CA"));
		assert_non_null(strstr(f->err.hint, "another name"));
		assert_non_null(strstr(f->err.hint, "scepctl foreign forget adcs"));
	}
	ok(f, claim(f, "issuing", true, second));
	assert_int_equal(claim(f, "issuing", false, first), RC_CONFIG);
	assert_non_null(strstr(f->err.msg, "one of this server's own"));
	assert_null(strstr(f->err.hint, "forget"));
	ok(f, claim(f, "issuing", true, second));
}

/* What it has revoked stands under the name that it had. */
static void
a_ca_that_is_called_otherwise_is_found_out(void **state)
{
	struct sf *f = *state;

	ok(f, claim(f, "adcs", false, first));
	ok(f, claim(f, "issuing", true, second));
	for (int own = 0; own < 2; own++) {
		assert_int_equal(claim(f, "old", own, renewed), RC_CONFIG);
		assert_non_null(strstr(f->err.msg, "CA old has the key of adcs"));
		assert_non_null(strstr(f->err.hint, "call it adcs"));
		assert_non_null(strstr(f->err.hint, "scepctl foreign forget adcs"));
		assert_int_equal(claim(f, "old", own, second), RC_CONFIG);
		assert_non_null(strstr(f->err.msg, "CA old has the key of issuing"));
		assert_null(strstr(f->err.hint, "forget"));
	}
	ok(f, claim(f, "adcs", false, renewed));
	ok(f, claim(f, "issuing", true, second));
}

/* Its key is brought here, or goes away: the certificates are its own all the while, and what was issued here stays. */
static void
one_ca_may_be_foreign_and_our_own(void **state)
{
	struct sf *f = *state;
	struct store_identity id;

	ok(f, claim(f, "adcs", false, first));
	ok(f, claim(f, "adcs", true, first));
	ok(f, store_identity_get(f->s, "adcs", &id, &f->err));
	assert_true(id.own);
	ok(f, claim(f, "adcs", false, first));
	ok(f, store_identity_get(f->s, "adcs", &id, &f->err));
	assert_true(id.own);
}

/* ---- a database that does not know yet ---- */

static void
import(struct sf *f, const char *serial, const struct cert *c)
{
	struct store_foreign_cert v = { .serial = serial };
	enum foreign_outcome o;

	if (c != NULL) {
		v.der = cert_der0(c, &v.der_len);
		v.thumbprint = "00";
	}
	ok(f, store_foreign_add(f->s, "adcs", "jane", &v, 1, &o, &f->err));
}

static void
certificates_of_a_foreign_ca_tell_whose_they_are(void **state)
{
	struct sf *f = *state;
	struct cert *leaf = made("CN=jane", true, "CN=CA", false, 2000000000);

	import(f, "0A", NULL);
	import(f, "0B", leaf);
	assert_int_equal(claim(f, "adcs", false, second), RC_CONFIG);
	assert_int_equal(claim(f, "adcs", true, second), RC_CONFIG);
	assert_non_null(strstr(f->err.hint, "forget adcs"));
	ok(f, claim(f, "adcs", true, first));
	cert_free(leaf);
}

static void
numbers_alone_are_believed_to_be_a_foreign_ca_s_and_not_one_of_ours(void **state)
{
	struct sf *f = *state;

	import(f, "0A", NULL);
	assert_int_equal(claim(f, "adcs", true, second), RC_CONFIG);
	assert_non_null(strstr(f->err.hint, "forget adcs"));
	ok(f, claim(f, "adcs", false, second));
}

static void
what_was_issued_here_tells_as_well(void **state)
{
	struct sf *f = *state;
	struct cert *leaf = made("CN=jane", true, "CN=CA", false, 2000000000);
	char hex[4000] = "", sql[4200];
	uint64_t number;
	struct sf_tx t;
	size_t len;
	const uint8_t *der = cert_der0(leaf, &len);

	sf_tx(&t, 1);
	(void)sf_drive(f, 1, TX_DELIVERED);
	for (size_t i = 0; i < len; i++)
		(void)snprintf(hex + 2 * i, 3, "%02x", der[i]);
	(void)snprintf(sql, sizeof(sql), "UPDATE cert SET der = x'%s'", hex);
	sf_sql(f, sql);
	assert_int_equal(claim(f, t.cert.ca, true, second), RC_CONFIG);
	assert_int_equal(claim(f, t.cert.ca, false, second), RC_CONFIG);
	assert_non_null(strstr(f->err.msg, "one of this server's own"));
	ok(f, claim(f, t.cert.ca, true, first));
	/* Of an earlier one, whose certificates are too old to be looked at, there is the number of its list. */
	ok(f, store_crl_numbers(f->s, "old", 1, &number, &f->err));
	assert_int_equal(claim(f, "old", false, second), RC_CONFIG);
	assert_null(strstr(f->err.hint, "forget"));
	ok(f, claim(f, "old", true, second));
	cert_free(leaf);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, sf_setup, sf_teardown)
	static const struct CMUnitTest tests[] = {
		T(a_name_belongs_to_the_key_that_came_first),
		T(a_ca_that_is_called_otherwise_is_found_out),
		T(one_ca_may_be_foreign_and_our_own),
		T(certificates_of_a_foreign_ca_tell_whose_they_are),
		T(numbers_alone_are_believed_to_be_a_foreign_ca_s_and_not_one_of_ours),
		T(what_was_issued_here_tells_as_well),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
