/* verdict_test.c - a network lets in who has a good certificate of ours, and nobody else. */
#include <stdio.h>
#include <string.h>

#include "scepd/verdict.h"

#include "../store/fixture.h"

#define NOW 1796083200 /* 2026-12-01T00:00:00Z */

static enum verdict_word
ask(struct sf *f, const char *serial, const char *ca, int64_t now, const char *words)
{
	struct admin_cert_ask a = { .cert = NULL };
	struct verdict v;
	enum verdict_word word;

	(void)snprintf(a.serial, sizeof(a.serial), "%s", serial);
	(void)snprintf(a.ca, sizeof(a.ca), "%s", ca);
	ok(f, verdict_of(&v, f->s, &a, now, &f->err));
	if (strstr(v.text, words) == NULL) {
		print_error("\"%s\" does not say \"%s\"\n", v.text, words);
		_fail(__FILE__, __LINE__);
	}
	word = v.word;
	if (word == VERDICT_UNKNOWN) {
		assert_null(v.cert.serial);
		assert_int_equal(v.status.n_causes, 0);
		assert_string_equal(v.binding.user, "");
	} else {
		assert_string_equal(v.cert.serial, serial);
	}
	verdict_done(&v);
	return word;
}

static void
set(struct sf *f, const char *serial, enum cause_effect effect, int reason, const char *comment)
{
	const struct store_cause_set c = { .serial = serial,
		.source = CAUSE_MANUAL,
		.effect = effect,
		.reason = reason,
		.who = "jane",
		.comment = comment };
	struct store_cause_done done;

	ok(f, store_causes_set(f->s, &c, 1, &done, &f->err));
	assert_int_equal(done.outcome, CAUSE_SET);
}

static void
the_verdict_follows_the_status(void **state)
{
	struct sf *f = *state;
	struct sf_tx t;

	sf_tx(&t, 1);
	(void)sf_drive(f, 1, TX_DELIVERED);
	assert_int_equal(ask(f, t.serial, "", NOW, "good"), VERDICT_GOOD);
	assert_int_equal(ask(f, t.serial, "issuing", NOW, "good"), VERDICT_GOOD);
	set(f, t.serial, CAUSE_HOLD, REASON_HOLD, "lost?");
	assert_int_equal(ask(f, t.serial, "", NOW, "lost?"), VERDICT_HOLD);
	set(f, t.serial, CAUSE_GONE, 0, NULL);
	assert_int_equal(ask(f, t.serial, "", NOW, "good"), VERDICT_GOOD);
	set(f, t.serial, CAUSE_REVOKE, 1, "stolen");
	assert_int_equal(ask(f, t.serial, "", NOW, "stolen"), VERDICT_REVOKED);
}

static void
an_expired_certificate_lets_nobody_in(void **state)
{
	struct sf *f = *state;
	struct sf_tx t;

	sf_tx(&t, 2);
	(void)sf_drive(f, 2, TX_DELIVERED);
	assert_int_equal(ask(f, t.serial, "", t.cert.not_after, "good"), VERDICT_GOOD);
	assert_int_equal(
	    ask(f, t.serial, "", t.cert.not_after + 1, "expired at 2096-"), VERDICT_EXPIRED);
	/* What is known against it says more. */
	set(f, t.serial, CAUSE_HOLD, REASON_HOLD, "lost?");
	assert_int_equal(ask(f, t.serial, "", t.cert.not_after + 1, "lost?"), VERDICT_HOLD);
}

static void
what_is_not_ours_is_unknown(void **state)
{
	struct sf *f = *state;
	struct sf_tx t;

	sf_tx(&t, 3);
	assert_int_equal(
	    ask(f, t.serial, "", NOW, "no certificate of this server"), VERDICT_UNKNOWN);
	(void)sf_drive(f, 3, TX_DELIVERED);
	assert_int_equal(
	    ask(f, t.serial, "other", NOW, "no certificate of that CA"), VERDICT_UNKNOWN);
	assert_int_equal(ask(f, "4711", "", NOW, "no certificate of this server"), VERDICT_UNKNOWN);
}

/* A certificate that a real CA made is asked for with the serial number of another one in the store. */
static void
a_certificate_with_a_serial_number_of_ours_is_not_ours(void **state)
{
	static const char pem[] =
	    "-----BEGIN CERTIFICATE-----\n"
	    "MIIBZzCCAQ2gAwIBAgICEmcwCgYIKoZIzj0EAwIwETEPMA0GA1UEAwwGZm9yZ2Vk\n"
	    "MCAXDTI2MTIwMTAwMDUxOVoYDzIxMjYxMTA3MDAwNTE5WjARMQ8wDQYDVQQDDAZm\n"
	    "b3JnZWQwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAR3lndDn+gOsT91+pb7tsEG\n"
	    "HYewIF00vNYymlzE3UPiQLU/u/QurOcp9ZSKlHxfHcgg//1AA0/zOPCk8v10bQsB\n"
	    "o1MwUTAdBgNVHQ4EFgQUOl6YcfUzreqmKeBDqYvaHbL8S10wHwYDVR0jBBgwFoAU\n"
	    "Ol6YcfUzreqmKeBDqYvaHbL8S10wDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjOPQQD\n"
	    "AgNIADBFAiAOKJT44D4i4lDkQjXFOgNSk7srCvuHF79kQ776RpoUrQIhAPHakxyF\n"
	    "aechr9mY/ufsOj6JHtZj1P7ekHV6+DC0eZyU\n"
	    "-----END CERTIFICATE-----\n";
	struct sf *f = *state;
	struct admin_cert_ask a = { .cert = NULL };
	struct verdict v;
	struct sf_tx t;
	size_t n = 0;

	sf_tx(&t, 4);
	(void)sf_drive(f, 4, TX_DELIVERED);
	ok(f, certs_parse_pem(&a.cert, 1, &n, pem, strlen(pem), &f->err));
	(void)snprintf(a.serial, sizeof(a.serial), "%s", t.serial);
	ok(f, verdict_of(&v, f->s, &a, NOW, &f->err));
	assert_int_equal(v.word, VERDICT_UNKNOWN);
	assert_null(v.cert.serial);
	verdict_done(&v);
	admin_cert_ask_done(&a);
}

/* Nothing of the text is lost, however much somebody has written. */
static void
a_long_comment_fits(void **state)
{
	char comment[CAUSE_COMMENT_MAX];
	struct sf *f = *state;
	struct sf_tx t;

	memset(comment, 'x', sizeof(comment) - 1);
	comment[sizeof(comment) - 1] = '\0';
	sf_tx(&t, 5);
	(void)sf_drive(f, 5, TX_DELIVERED);
	set(f, t.serial, CAUSE_HOLD, REASON_HOLD, comment);
	assert_int_equal(ask(f, t.serial, "", NOW, comment), VERDICT_HOLD);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    the_verdict_follows_the_status, sf_setup, sf_teardown),
		cmocka_unit_test_setup_teardown(
		    an_expired_certificate_lets_nobody_in, sf_setup, sf_teardown),
		cmocka_unit_test_setup_teardown(what_is_not_ours_is_unknown, sf_setup, sf_teardown),
		cmocka_unit_test_setup_teardown(
		    a_certificate_with_a_serial_number_of_ours_is_not_ours, sf_setup, sf_teardown),
		cmocka_unit_test_setup_teardown(a_long_comment_fits, sf_setup, sf_teardown),
	};

	return cmocka_run_group_tests_name("verdict", tests, NULL, NULL);
}
