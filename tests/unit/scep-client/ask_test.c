/* ask_test.c - polls, GetCert and GetCRL against a server that obeys, and against ones that do not. */
#include "responder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "scep-client/ask.h"

static struct responder server;
static struct name subject;
static struct session *session;

static int
set_up(void **state)
{
	responder_start(&server);
	subject = fixture_name("CN=device-7");
	return 0;
}

static int
tear_down(void **state)
{
	name_done(&subject);
	responder_stop(&server);
	return fixture_done(state);
}

static int
before_each(void **state)
{
	struct session_conf conf = { .url = server.url };
	struct err err;

	responder_reset(&server);
	assert_ok(session_open(&session, &conf, &err), err);
	return 0;
}

static int
after_each(void **state)
{
	session_free(session);
	return 0;
}

static struct enrol_request
request(struct key *key)
{
	return (struct enrol_request){ .csr = { .subject = &subject, .challenge = "secret" },
		.key = key };
}

/* A request that is kept; the signer is in *r. */
static void
leave_pending(const struct enrol_request *req, struct enrol_result *r)
{
	struct err err;

	server.conduct = PEND_THEN_OBEY;
	server.pendings = 2;
	assert_ok(enrol(session, req, r, &err), err);
	assert_int_equal(r->status, SCEP_PENDING);
	assert_non_null(r->signer);
}

/* The poll that goes with it. */
static struct enrol_request
poll_of(const struct enrol_request *req, const struct enrol_result *r)
{
	struct enrol_request poll = *req;

	poll.signer = r->signer;
	poll.signer_key = req->signer_key != NULL ? req->signer_key : req->key;
	poll.transaction_id = r->transaction_id;
	return poll;
}

static void
poll_until_issued(struct key *key, struct key *signer_key, enum scep_way way)
{
	struct enrol_request req = request(key), poll;
	struct enrol_result first = { 0 }, r = { 0 };
	struct err err;

	req.signer_key = signer_key;
	leave_pending(&req, &first);
	poll = poll_of(&req, &first);
	assert_ok(ask_poll(session, &poll, &r, &err), err);
	assert_int_equal(r.status, SCEP_PENDING);
	assert_int_equal(server.op.type, SCEP_CERT_POLL);
	assert_string_equal(server.op.transaction_id, first.transaction_id);
	enrol_result_done(&r);
	assert_ok(ask_poll(session, &poll, &r, &err), err);
	assert_int_equal(r.status, SCEP_SUCCESS);
	assert_int_equal(r.way, way);
	assert_true(key_same_public(cert_key0(r.cert), key));
	enrol_result_done(&r);
	enrol_result_done(&first);
}

static void
R33_a_poll_gets_the_certificate_when_it_is_issued(void **state)
{
	poll_until_issued(fixture_key("rsa:2048"), NULL, SCEP_BY_RSA);
}

static void
an_ec_key_is_answered_by_agreement_or_to_a_throw_away_rsa_key(void **state)
{
	poll_until_issued(fixture_key("ec:p256"), NULL, SCEP_BY_ECDH);
	poll_until_issued(fixture_key("ec:p384"), NULL, SCEP_BY_ECDH);
	poll_until_issued(fixture_key("ec:p256"), fixture_key("rsa:2048"), SCEP_BY_RSA);
}

static void
R35_a_poll_of_another_transaction_is_refused(void **state)
{
	struct enrol_request req = request(fixture_key("rsa:2048")), poll;
	struct enrol_result first = { 0 }, r = { 0 };
	struct err err;

	leave_pending(&req, &first);
	poll = poll_of(&req, &first);
	poll.transaction_id = "another";
	assert_ok(ask_poll(session, &poll, &r, &err), err);
	assert_int_equal(r.status, SCEP_FAILURE);
	assert_int_equal(r.fail_info, SCEP_BAD_CERT_ID);
	assert_null(r.cert);
	enrol_result_done(&r);
	enrol_result_done(&first);
}

static void
a_poll_without_a_transaction_is_not_sent(void **state)
{
	struct enrol_request req = request(fixture_key("rsa:2048")), poll;
	struct enrol_result first = { 0 }, r = { 0 };
	struct err err;

	leave_pending(&req, &first);
	poll = poll_of(&req, &first);
	poll.transaction_id = NULL;
	server.op.count = 0;
	assert_int_not_equal(ask_poll(session, &poll, &r, &err), RC_OK);
	assert_int_equal(server.op.count, 0);
	enrol_result_done(&first);
}

static void
a_poll_is_judged_as_an_answer_to_the_request(void **state)
{
	static const struct {
		enum conduct conduct;
		enum rc rc;
	} rows[] = { { SIGN_AS_STRANGER, RC_INTEGRITY }, { CERTIFY_OTHER_KEY, RC_INTEGRITY },
		{ CERTIFY_BY_OTHER, RC_INTEGRITY }, { SEND_500, RC_IO }, { SEND_HTML, RC_PARSE } };
	struct enrol_request req = request(fixture_key("rsa:2048")), poll;
	struct enrol_result first = { 0 }, r = { 0 };
	struct err err;

	leave_pending(&req, &first);
	poll = poll_of(&req, &first);
	for (size_t i = 0; i < N(rows); i++) {
		server.conduct = rows[i].conduct;
		assert_int_equal(ask_poll(session, &poll, &r, &err), rows[i].rc);
	}
	enrol_result_done(&first);
}

/* ---- GetCert, GetCRL ---- */

/* A certificate of the server's, which then may ask. */
static void
be_somebody(struct enrol_request *req, struct enrol_result *r)
{
	struct err err;

	*req = request(fixture_key("rsa:2048"));
	assert_ok(enrol(session, req, r, &err), err);
	assert_int_equal(r->status, SCEP_SUCCESS);
	req->signer = r->cert;
	req->signer_key = req->key;
}

static void
R43_a_certificate_is_fetched_by_its_serial_number(void **state)
{
	struct enrol_request req;
	struct enrol_result me = { 0 }, r = { 0 };
	struct serial other = fixture_serial("0102");
	struct err err;

	be_somebody(&req, &me);
	assert_ok(ask_cert(session, &req, cert_serial0(me.cert), &r, &err), err);
	assert_int_equal(server.op.type, SCEP_GET_CERT);
	assert_int_equal(r.status, SCEP_SUCCESS);
	assert_true(serial_same(cert_serial0(r.cert), cert_serial0(me.cert)));
	enrol_result_done(&r);
	assert_int_equal(ask_cert(session, &req, &other, &r, &err), RC_INTEGRITY);
	server.conduct = CERTIFY_OTHER_KEY;
	assert_int_equal(ask_cert(session, &req, cert_serial0(me.cert), &r, &err), RC_INTEGRITY);
	enrol_result_done(&me);
}

static void
a_refusal_and_a_pending_question_are_told(void **state)
{
	struct enrol_request req;
	struct enrol_result me = { 0 }, r = { 0 };
	struct err err;

	be_somebody(&req, &me);
	server.conduct = REFUSE;
	assert_ok(ask_cert(session, &req, cert_serial0(me.cert), &r, &err), err);
	assert_int_equal(r.status, SCEP_FAILURE);
	assert_string_equal(r.fail_text, REFUSAL_TEXT);
	enrol_result_done(&r);
	server.conduct = KEEP_PENDING; /* RFC 8894 4.5: no such answer */
	assert_int_equal(ask_cert(session, &req, cert_serial0(me.cert), &r, &err), RC_PARSE);
	enrol_result_done(&me);
}

static void
R44_a_revocation_list_is_fetched_and_its_signature_counts(void **state)
{
	struct enrol_request req;
	struct enrol_result me = { 0 }, r = { 0 };
	struct crl_facts facts;
	struct buf crl;
	struct err err;

	be_somebody(&req, &me);
	buf_init(&crl, LIMIT_SCEP_MESSAGE);
	assert_ok(ask_crl(session, &req, cert_serial0(me.cert), &r, &crl, &facts, &err), err);
	assert_int_equal(server.op.type, SCEP_GET_CRL);
	assert_int_equal(r.status, SCEP_SUCCESS);
	assert_int_equal(facts.n_entries, 0);
	assert_int_equal(facts.next_update - facts.this_update, 3660);
	assert_true(crl.len > 0);
	enrol_result_done(&r);
	server.conduct = CERTIFY_BY_OTHER;
	buf_reset(&crl);
	assert_int_equal(
	    ask_crl(session, &req, cert_serial0(me.cert), &r, &crl, &facts, &err), RC_INTEGRITY);
	assert_int_equal(crl.len, 0);
	buf_done(&crl);
	enrol_result_done(&me);
}

static enum rc
crl_door(const void *p, size_t len)
{
	struct crl_facts facts;
	struct err err;

	return crl_look(&facts, session, p, len, &err);
}

static void
no_prefix_of_a_list_and_no_changed_bit_is_taken(void **state)
{
	struct enrol_request req;
	struct enrol_result me = { 0 }, r = { 0 };
	struct crl_facts facts;
	struct buf crl;
	struct err err;

	be_somebody(&req, &me);
	buf_init(&crl, LIMIT_SCEP_MESSAGE);
	assert_ok(ask_crl(session, &req, cert_serial0(me.cert), &r, &crl, &facts, &err), err);
	sweep_prefixes(crl_door, crl.data, crl.len, 1);
	assert_int_equal(sweep_flips(crl_door, crl.data, crl.len, 1), 0);
	buf_done(&crl);
	enrol_result_done(&r);
	enrol_result_done(&me);
}

/* ---- renewal ---- */

static void
renew_by(const char *manner, enum scep_message_type asked, int sent)
{
	struct session_conf conf = {
		.url = server.url, .manner = manner_by_name(manner), .renewing = true
	};
	struct enrol_request req, again;
	struct enrol_result me = { 0 }, r = { 0 }, second = { 0 };
	struct session *s = NULL;
	struct err err;

	be_somebody(&req, &me);
	assert_ok(session_open(&s, &conf, &err), err);
	again = request(fixture_other_key("rsa:2048"));
	again.signer = me.cert;
	again.signer_key = req.key;
	again.type = asked;
	assert_ok(enrol(s, &again, &r, &err), err);
	assert_int_equal(r.status, SCEP_SUCCESS);
	assert_int_equal(server.op.type, sent);
	assert_true(key_same_public(cert_key0(r.cert), again.key));
	/* The next renewal, with the same key, is another transaction. */
	again.signer = r.cert;
	again.signer_key = again.key;
	assert_ok(enrol(s, &again, &second, &err), err);
	assert_string_not_equal(second.transaction_id, r.transaction_id);
	enrol_result_done(&second);
	enrol_result_done(&r);
	enrol_result_done(&me);
	session_free(s);
}

static void
R05_R06_a_renewal_is_signed_by_the_old_certificate_and_answered_to_it(void **state)
{
	server.caps = "AES\nSHA-256\nPOSTPKIOperation\nRenewal\n";
	renew_by("plain", 0, SCEP_RENEWAL_REQ);
	renew_by("plain", SCEP_PKCS_REQ, SCEP_PKCS_REQ);
	renew_by("apple", 0, SCEP_PKCS_REQ);
	renew_by("windows", 0, SCEP_RENEWAL_REQ);
	renew_by("sscep", 0, SCEP_PKCS_REQ);
}

#define T(f) cmocka_unit_test_setup_teardown(f, before_each, after_each)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(R33_a_poll_gets_the_certificate_when_it_is_issued),
		T(an_ec_key_is_answered_by_agreement_or_to_a_throw_away_rsa_key),
		T(R35_a_poll_of_another_transaction_is_refused),
		T(a_poll_without_a_transaction_is_not_sent),
		T(a_poll_is_judged_as_an_answer_to_the_request),
		T(R43_a_certificate_is_fetched_by_its_serial_number),
		T(a_refusal_and_a_pending_question_are_told),
		T(R44_a_revocation_list_is_fetched_and_its_signature_counts),
		T(no_prefix_of_a_list_and_no_changed_bit_is_taken),
		T(R05_R06_a_renewal_is_signed_by_the_old_certificate_and_answered_to_it),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
