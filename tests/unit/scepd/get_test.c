/*
 * get_test.c - GetCert and GetCRL: for holders, of what the endpoint says; and the shapes of replies.
 */
#include "pipeline_rig.h"

#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "scepd/publish.h"

static const char yaml[] =
    "profiles:\n"
    "  lab: { subject: { allow: [ 'CN=*.lab.example' ] }, san: { types: [] } }\n"
    "  bare: { subject: { empty: true }, san: { types: [ dns ] } }\n"
    "endpoints:\n"
    "  bare: { ca: issuing, profile: bare, challenge: approval, getcert: own }\n"
    "  lab: { ca: issuing, profile: lab, challenge: static, challenge_file: lab.secret }\n"
    "  own: { ca: issuing, profile: lab, challenge: static, challenge_file: lab.secret,\n"
    "    getcert: own, getcrl: true }\n"
    "  all: { ca: issuing, profile: lab, challenge: static, challenge_file: lab.secret,\n"
    "    getcert: endpoint }\n"
    "  cisco: { ca: issuing, profile: lab, challenge: static, challenge_file: lab.secret,\n"
    "    reply_chain: true, no_content: empty, getcert: own }\n";

static struct rig rig;
static const struct wish pc1 = { .subject = "CN=pc1.lab.example" },
			 pc2 = { .subject = "CN=pc2.lab.example" };

static int
open_rig(void **state)
{
	rig_open(&rig, yaml);
	return 0;
}

static int
close_rig(void **state)
{
	rig_close(&rig);
	return 0;
}

static void
assert_same_cert(const struct cert *a, const struct cert *b)
{
	size_t a_len, b_len;
	const uint8_t *a_der = cert_der0(a, &a_len), *b_der = cert_der0(b, &b_len);

	assert_int_equal(a_len, b_len);
	assert_memory_equal(a_der, b_der, a_len);
}

/* ---- GetCert ---- */

static void
test_R43_getcert_hands_out_what_the_endpoint_says(void **state)
{
	static const struct {
		const char *endpoint;
		bool others;
	} rows[] = { { "own", false }, { "all", true } };

	for (size_t i = 0; i < 2; i++) {
		struct device one = enrolled(&rig, rows[i].endpoint, rig.keys[0], &pc1),
			      again = enrolled(&rig, rows[i].endpoint, rig.keys[1], &pc1),
			      two = enrolled(&rig, rows[i].endpoint, rig.keys[2], &pc2);
		struct queried q = {
			.endpoint = rows[i].endpoint, .type = SCEP_GET_CERT, .signer = &one
		};
		struct heard h;

		q.of = again.cert; /* another one of the same subject */
		query(&rig, &h, &q);
		assert_success(&h);
		assert_same_cert(h.cert, again.cert);
		assert_int_equal(h.n_certs, 1);
		assert_non_null(strstr(h.log, "asked="));
		heard_done(&h);
		q.of = two.cert;
		query(&rig, &h, &q);
		if (rows[i].others) {
			assert_success(&h);
			assert_same_cert(h.cert, two.cert);
		} else {
			assert_failure(&h, SCEP_BAD_CERT_ID, "there is no such certificate");
		}
		heard_done(&h);
		device_done(&one);
		device_done(&again);
		device_done(&two);
	}
}

static int
take_id(void *arg, const struct store_hold *row)
{
	*(int64_t *)arg = row->id;
	return 0;
}

/* Without a subject, approved by somebody. */
static struct device
bare(const struct key *key, const char *san)
{
	struct device self = throw_away(&rig, key, "CN=throw-away"), d = { key, NULL };
	struct said m = { .endpoint = "bare",
		.signer = &self,
		.wish = { .subject = "", .san = { san } },
		.transaction_id = san };
	struct store_hold_filter waiting = { .verdict = HOLD_PENDING };
	struct heard h;
	int64_t id = 0;

	say(&rig, &h, &m);
	assert_ok(store_hold_each(rig.s->store, &waiting, 1, take_id, &id, err));
	assert_ok(store_hold_decide(rig.s->store, id, HOLD_APPROVED, "jane", NULL, err));
	say(&rig, &h, &m);
	assert_success(&h);
	d.cert = h.cert;
	device_done(&self);
	return d;
}

/* Nobody's subject is the same as another's because neither has one. */
static void
test_S37_own_goes_by_the_names_where_there_is_no_subject(void **state)
{
	struct device me = bare(rig.keys[0], "dns:pc1"), again = bare(rig.keys[1], "dns:pc1"),
		      other = bare(rig.keys[2], "dns:pc2");
	struct queried q = {
		.endpoint = "bare", .type = SCEP_GET_CERT, .signer = &me, .of = again.cert
	};
	struct heard h;

	query(&rig, &h, &q);
	assert_success(&h);
	assert_same_cert(h.cert, again.cert);
	assert_int_equal(h.blame, 0); /* and buys no mistakes */
	heard_done(&h);
	q.of = other.cert;
	query(&rig, &h, &q);
	assert_failure(&h, SCEP_BAD_CERT_ID, "there is no such certificate");
	device_done(&me);
	device_done(&again);
	device_done(&other);
}

/* Off, strangers, and what is not there: badCertId all of them (S37). */
static void
test_S37_getcert_is_no_oracle(void **state)
{
	struct device one = enrolled(&rig, "all", rig.keys[0], &pc1),
		      elsewhere = enrolled(&rig, "own", rig.keys[1], &pc1),
		      self = throw_away(&rig, rig.keys[2], "CN=pc1.lab.example"),
		      gone = enrolled(&rig, "all", rig.keys[2], &pc1);
	const struct serial none = { { 1, 2, 3 }, 3 },
			    longer = { { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17,
					   18, 19, 20 },
				    20 };
	char serial[2 * SERIAL_MAX + 1];
	const struct {
		struct queried q;
		const char *part;
	} rows[] = {
		{ { "lab", SCEP_GET_CERT, &one }, "is not offered here" },
		{ { "all", SCEP_GET_CERT, &self, .of = one.cert }, "no certificate 01 was issued" },
		{ { "all", SCEP_GET_CERT, &elsewhere, .of = one.cert },
		    "was issued at endpoint own" },
		{ { "all", SCEP_GET_CERT, &gone, .of = one.cert }, "is revoked" },
		{ { "all", SCEP_GET_CERT, &one, .serial = &none }, "there is no such certificate" },
		{ { "all", SCEP_GET_CERT, &one, .serial = &longer },
		    "there is no such certificate" },
		{ { "all", SCEP_GET_CERT, &one, .of = elsewhere.cert },
		    "there is no such certificate" },
		{ { "all", SCEP_GET_CERT, &one, .by = one.cert }, "there is no such certificate" },
		{ { "lab", SCEP_GET_CRL, &one }, "is not offered here" },
		{ { "all", SCEP_GET_CRL, &one }, "is not offered here" },
		{ { "own", SCEP_GET_CRL, &self, .of = one.cert }, "no certificate 01 was issued" },
		{ { "own", SCEP_GET_CRL, &elsewhere, .by = one.cert },
		    "there is no such certificate" },
	};

	serial_hex(serial, cert_serial0(gone.cert));
	assert_ok(store_cert_revoke(rig.s->store, serial, NULL, 1, "test", err));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct heard h;

		query(&rig, &h, &rows[i].q);
		assert_failure(&h, SCEP_BAD_CERT_ID, rows[i].part);
		assert_int_equal(h.n_certs, 0);
		heard_done(&h);
	}
	device_done(&one);
	device_done(&elsewhere);
	device_done(&self);
	device_done(&gone);
}

/* ---- GetCRL ---- */

static struct cert *
from_file(const char *path)
{
	struct cert *c = NULL;

	assert_ok(cert_load(&c, in_dir(rig.f, path), err));
	return c;
}

/* R44: the newest CRL and nothing else; quirk 60: also for who names the RA's or the CA's certificate. */
static void
test_R44_getcrl_is_the_newest_crl_alone(void **state)
{
	struct device one = enrolled(&rig, "own", rig.keys[0], &pc1);
	struct cert *ra = from_file("ca/ra.pem"), *ca = from_file("ca/issuing.pem");
	const struct queried rows[] = {
		{ "own", SCEP_GET_CRL, &one },
		{ "own", SCEP_GET_CRL, &one, .of = ra },
		{ "own", SCEP_GET_CRL, &one, .of = ca },
	};
	struct http_shared *crl = NULL;
	const uint8_t *der;
	size_t len;

	assert_ok(publish_current_crl(&crl, rig.s, scepd_ca(rig.s, "issuing", 7), err));
	der = http_shared_bytes(crl, &len);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct heard h;

		query(&rig, &h, &rows[i]);
		assert_success(&h);
		assert_int_equal(h.n_certs, 0);
		assert_int_equal(h.crl.len, len);
		assert_memory_equal(h.crl.data, der, len);
		assert_non_null(strstr(h.log, "ca=issuing"));
		heard_done(&h);
	}
	http_shared_free(crl);
	cert_free(ra);
	cert_free(ca);
	device_done(&one);
}

/* ---- shapes ---- */

/* Quirks 47 and 48: the leaf alone, and where it is wished for the CA's certificate after it. */
static void
test_quirk48_the_cas_certificate_in_the_reply(void **state)
{
	struct device self = throw_away(&rig, rig.keys[0], "CN=x");
	struct cert *ca = from_file("ca/issuing.pem");
	struct said m = { .signer = &self, .wish = pc1 };
	const uint8_t *der;
	struct heard h;
	size_t len;

	m.wish.challenge = CHALLENGE;
	m.transaction_id = "chain";
	say(&rig, &h, &m);
	assert_success(&h);
	assert_int_equal(h.n_certs, 1);
	heard_done(&h);
	m.endpoint = "cisco";
	for (int i = 0; i < 2; i++) { /* a repeated request too */
		say(&rig, &h, &m);
		assert_success(&h);
		assert_int_equal(h.n_certs, 2);
		assert_true(key_same_public(cert_key0(h.cert), rig.keys[0]));
		der = cert_der0(ca, &len);
		assert_int_equal(h.second.len, len);
		assert_memory_equal(h.second.data, der, len);
		heard_done(&h);
	}
	cert_free(ca);
	device_done(&self);
}

/* Quirk 54: by the RFC there is no content, and for old clients an empty one. */
static void
test_quirk54_an_empty_content_where_it_is_wished(void **state)
{
	struct device self = throw_away(&rig, rig.keys[0], "CN=x");
	struct said m = { .signer = &self, .wish = pc1 };
	struct heard h;

	say(&rig, &h, &m);
	assert_failure(&h, SCEP_BAD_REQUEST, "no challenge password");
	assert_false(h.empty_content);
	m.endpoint = "cisco";
	say(&rig, &h, &m);
	assert_failure(&h, SCEP_BAD_REQUEST, "no challenge password");
	assert_true(h.empty_content);
	device_done(&self);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, open_rig, close_rig)
	const struct CMUnitTest tests[] = {
		T(test_R43_getcert_hands_out_what_the_endpoint_says),
		T(test_S37_own_goes_by_the_names_where_there_is_no_subject),
		T(test_S37_getcert_is_no_oracle),
		T(test_R44_getcrl_is_the_newest_crl_alone),
		T(test_quirk48_the_cas_certificate_in_the_reply),
		T(test_quirk54_an_empty_content_where_it_is_wished),
	};

	return cmocka_run_group_tests(tests, rig_cas_new, rig_cas_free);
}
