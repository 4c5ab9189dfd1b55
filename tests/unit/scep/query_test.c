/*
 * query_test.c - CertPoll, GetCert and GetCRL there and back: what a client sends, what a server reads
 * of it, and certificates or a CRL as the answer.
 */
#include "scep_kit.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#include "../ossl/crl_kit.h"

/* A request in flight. */
struct trip {
	struct scep_pending pending;
	struct scep_message *m;
	struct scep_request *r;
};

static void
arrive(struct trip *t, struct scep_bytes *sent)
{
	struct scep_error err;

	if (scep_message_parse(&t->m, sent->data, sent->len, &err) != SCEP_OK ||
	    scep_request_open(&t->r, t->m, &world.ra_id, 1, &err) != SCEP_OK)
		fail_msg("%s: %s", err.step, err.text);
	scep_bytes_free(sent);
}

static void
trip_done(struct trip *t)
{
	scep_message_free(t->m);
	scep_request_free(t->r);
}

static struct scep_query
usual_query(void)
{
	struct scep_query q = { .signer = world.device_id,
		.recipient = world.ra.c.der.p,
		.recipient_len = world.ra.c.der.len,
		.alg = usual };
	struct scep_error err;

	assert_int_equal(scep_cert_parts(&q.issuer, &q.subject, &q.serial, world.curve.c.der.p,
			     world.curve.c.der.len, &err),
	    SCEP_OK);
	return q;
}

typedef enum scep_status encode_fn(struct scep_bytes *out, struct scep_pending *pending,
    const struct scep_query *q, struct scep_error *err);

static const struct {
	encode_fn *encode;
	enum scep_message_type type;
} kinds[] = {
	{ scep_certpoll_encode, SCEP_CERT_POLL },
	{ scep_getcert_encode, SCEP_GET_CERT },
	{ scep_getcrl_encode, SCEP_GET_CRL },
};

static void
assert_slice(struct scep_slice a, struct scep_slice b)
{
	assert_int_equal(a.len, b.len);
	assert_memory_equal(a.data, b.data, a.len);
}

static void
each_query_arrives_as_it_was_sent(void **state)
{
	struct scep_query q = usual_query();
	struct scep_slice issuer, second;
	struct scep_bytes b;
	struct scep_error err;
	struct trip t;
	size_t i;

	q.transaction_id = "the id of before";
	for (i = 0; i < N(kinds); i++) {
		if (kinds[i].encode(&b, &t.pending, &q, &err) != SCEP_OK)
			fail_msg("%s", err.text);
		assert_string_equal(t.pending.transaction_id, "the id of before");
		arrive(&t, &b);
		assert_int_equal(scep_request_type(t.r), kinds[i].type);
		assert_string_equal(scep_request_transaction_id(t.r), "the id of before");
		if (kinds[i].type == SCEP_CERT_POLL) {
			assert_int_equal(
			    scep_request_issuer_subject(t.r, &issuer, &second), SCEP_OK);
			assert_slice(second, q.subject);
		} else {
			assert_int_equal(
			    scep_request_issuer_serial(t.r, &issuer, &second), SCEP_OK);
			assert_slice(second, q.serial);
		}
		assert_slice(issuer, q.issuer);
		trip_done(&t);
	}
}

/* RFC 8894 3.3.3: the transactionID is what a poll is found by; the others are transactions anew. */
static void
R34_a_poll_repeats_its_transaction_id_and_others_have_their_own(void **state)
{
	struct scep_query q = usual_query();
	struct scep_pending p[2];
	struct scep_bytes b = { 0 };
	struct scep_error err;
	size_t i;

	assert_int_equal(scep_certpoll_encode(&b, &p[0], &q, &err), SCEP_E_PARSE);
	assert_null(b.data);
	for (i = 0; i < 2; i++) {
		assert_int_equal(scep_getcert_encode(&b, &p[i], &q, &err), SCEP_OK);
		scep_bytes_free(&b);
	}
	assert_int_equal(strlen(p[0].transaction_id), 32);
	assert_string_not_equal(p[0].transaction_id, p[1].transaction_id);
	assert_int_not_equal(memcmp(p[0].sender_nonce, p[1].sender_nonce, 16), 0);
}

static void
queries_that_cannot_be_are_not_sent(void **state)
{
	static const uint8_t big[SCEP_SERIAL_MAX + 1] = { 1 };
	const struct scep_query good = usual_query();
	struct scep_query q;
	struct scep_bytes b = { 0 };
	struct scep_pending p;
	struct scep_error err;
	char id[257];

	q = good, q.issuer.len = 0;
	assert_int_equal(scep_getcert_encode(&b, &p, &q, &err), SCEP_E_PARSE);
	q = good, q.issuer.len--;
	assert_int_equal(scep_getcrl_encode(&b, &p, &q, &err), SCEP_E_PARSE);
	q = good, q.serial.len = 0;
	assert_int_equal(scep_getcrl_encode(&b, &p, &q, &err), SCEP_E_PARSE);
	q = good, q.serial = (struct scep_slice){ big, sizeof(big) };
	assert_int_equal(scep_getcert_encode(&b, &p, &q, &err), SCEP_E_LIMIT);
	q = good, q.transaction_id = "x", q.subject.data++, q.subject.len--;
	assert_int_equal(scep_certpoll_encode(&b, &p, &q, &err), SCEP_E_PARSE);
	q = good, q.transaction_id = "";
	assert_int_equal(scep_certpoll_encode(&b, &p, &q, &err), SCEP_E_LIMIT);
	memset(id, 'x', 256), id[256] = '\0', q.transaction_id = id;
	assert_int_equal(scep_getcert_encode(&b, &p, &q, &err), SCEP_E_LIMIT);
	q = good, q.recipient_len--;
	assert_int_equal(scep_getcert_encode(&b, &p, &q, &err), SCEP_E_PARSE);
	q = good, q.alg.cipher = 0;
	assert_int_equal(scep_getcert_encode(&b, &p, &q, &err), SCEP_E_ALG);
	assert_null(b.data);
}

static void
certificates_and_requests_give_their_parts(void **state)
{
	struct scep_slice subject, none = { 0 };
	struct scep_error err;

	assert_int_equal(scep_csr_subject(&subject, world.csr.data, world.csr.len, &err), SCEP_OK);
	assert_non_null(memmem(subject.data, subject.len, "device-1", 8));
	assert_int_equal(scep_csr_subject(&none, world.csr.data, 10, &err), SCEP_E_PARSE);
	assert_int_equal(
	    scep_cert_parts(NULL, &none, NULL, world.csr.data, world.csr.len, &err), SCEP_E_PARSE);
	assert_null(none.data);
	assert_int_equal(
	    scep_cert_parts(NULL, NULL, NULL, world.ra.c.der.p, world.ra.c.der.len, &err), SCEP_OK);
}

/* ---- the answers ------------------------------------------------------------------------ */

static struct buf
make_crl(void)
{
	struct crl_entry revoked = {
		.serial = fixture_serial("0E01"), .when = clock_now(), .reason = 4
	};
	struct crl_fields f = { .issuer = world.ra.cert,
		.digest = DIGEST_SHA256,
		.this_update = clock_now(),
		.next_update = clock_now() + 86400,
		.number = 7,
		.entries = &revoked,
		.n_entries = 1 };
	struct buf out = new_buf();

	crl_kit(&out, &f, world.ra.key);
	return out;
}

static void
ask(struct trip *t, encode_fn *encode)
{
	struct scep_query q = usual_query();
	struct scep_bytes b;
	struct scep_error err;

	q.transaction_id = "tx";
	if (encode(&b, &t->pending, &q, &err) != SCEP_OK)
		fail_msg("%s", err.text);
	arrive(t, &b);
}

static enum scep_status
read_answer(struct scep_certrep *rep, const struct scep_bytes *b, const struct trip *t,
    int want_crl, struct scep_error *err)
{
	struct scep_bytes ra = bytes_of_der(world.ra.c.der);
	struct scep_certrep_how how = { .pending = &t->pending,
		.ra_certs = &ra,
		.n_ra_certs = 1,
		.me = world.device_id,
		.want_crl = want_crl };

	return scep_certrep_open_how(rep, b->data, b->len, &how, err);
}

static void
R43_R31_several_certificates_are_the_answer_to_get_cert(void **state)
{
	struct scep_bytes certs[] = { bytes_of_der(world.curve.c.der),
		bytes_of_der(world.ra.c.der) };
	struct scep_reply_how how = { .certs = certs, .n_certs = 2 };
	struct scep_bytes out;
	struct scep_certrep rep;
	struct scep_error err;
	struct trip t;

	ask(&t, scep_getcert_encode);
	assert_int_equal(scep_reply_success_how(&out, t.r, world.ra_id, &how, &err), SCEP_OK);
	assert_int_equal(read_answer(&rep, &out, &t, 0, &err), SCEP_OK);
	assert_int_equal(rep.status, SCEP_SUCCESS);
	assert_int_equal(rep.way, SCEP_BY_RSA);
	assert_int_equal(rep.n_certs, 2);
	assert_memory_equal(rep.certs[0].data, certs[0].data, certs[0].len);
	assert_null(rep.crl.data);
	scep_certrep_done(&rep);
	assert_int_equal(read_answer(&rep, &out, &t, 1, &err), SCEP_E_PARSE);
	assert_non_null(strstr(err.text, "no CRL"));
	scep_bytes_free(&out);
	trip_done(&t);
}

/* What the device decrypts, put where the openssl command finds it. */
static void
decrypt_with_openssl(const struct dir *dir, const struct scep_bytes *rep, struct buf *text)
{
	actor_put(&world.device, dir, "device");
	dir_put(dir, "rep", rep->data, rep->len, 0600);
	if (dir_run(dir, text,
		"openssl cms -verify -noverify -binary -inform DER -in rep -out env && "
		"openssl cms -decrypt -binary -inform DER -in env -recip device.pem -inkey "
		"device.key -out inner") != 0)
		fail_msg("%s", buf_str(text));
}

/* Only the CRL: no certificates, no content, no signers (RFC 8894 3.4, RFC 5652 5.1). */
static void
R44_R36_a_crl_alone_is_the_answer_to_get_crl(void **state)
{
	struct buf crl = make_crl(), text = new_buf(), inner = new_buf();
	struct scep_bytes list = bytes_of(&crl), out;
	struct scep_reply_how how = { .crl = &list };
	struct scep_certrep rep;
	struct scep_error err;
	struct cms_signed *s;
	struct err e = { 0 };
	struct trip t;
	struct dir dir;

	ask(&t, scep_getcrl_encode);
	assert_int_equal(scep_reply_success_how(&out, t.r, world.ra_id, &how, &err), SCEP_OK);
	assert_int_equal(read_answer(&rep, &out, &t, 1, &err), SCEP_OK);
	assert_int_equal(rep.crl.len, crl.len);
	assert_memory_equal(rep.crl.data, crl.data, crl.len);
	assert_int_equal(rep.n_certs, 0);
	scep_certrep_done(&rep);
	assert_int_equal(read_answer(&rep, &out, &t, 0, &err), SCEP_E_PARSE);
	assert_non_null(strstr(err.text, "no certificate"));
	dir_make_temp(&dir);
	decrypt_with_openssl(&dir, &out, &text);
	dir_get(&dir, "inner", &inner);
	assert_ok(cms_signed_parse(&s, inner.data, inner.len, &e), e);
	assert_false(cms_signed_has_signer(s));
	assert_int_equal(cms_signed_n_certs(s), 0);
	assert_null(cms_signed_content0(s).p);
	cms_signed_free(s);
	if (dir_run(&dir, &text,
		"openssl pkcs7 -inform DER -in inner -print_certs | "
		"openssl crl -noout -text -crlnumber") != 0 ||
	    strstr(buf_str(&text), "Superseded") == NULL)
		fail_msg("%s", buf_str(&text));
	dir_done(&dir);
	buf_done(&inner);
	buf_done(&text);
	scep_bytes_free(&out);
	buf_done(&crl);
	trip_done(&t);
}

static void
certificates_and_a_crl_may_come_together(void **state)
{
	struct buf crl = make_crl();
	struct scep_bytes list = bytes_of(&crl), cert = bytes_of_der(world.curve.c.der), out;
	struct scep_reply_how how = { .certs = &cert, .n_certs = 1, .crl = &list };
	struct scep_certrep rep;
	struct scep_error err;
	struct trip t;

	ask(&t, scep_getcrl_encode);
	assert_int_equal(scep_reply_success_how(&out, t.r, world.ra_id, &how, &err), SCEP_OK);
	assert_int_equal(read_answer(&rep, &out, &t, 1, &err), SCEP_OK);
	assert_int_equal(rep.crl.len, crl.len);
	scep_certrep_done(&rep);
	assert_int_equal(read_answer(&rep, &out, &t, 0, &err), SCEP_OK);
	assert_int_equal(rep.n_certs, 1);
	scep_certrep_done(&rep);
	scep_bytes_free(&out);
	buf_done(&crl);
	trip_done(&t);
}

static void
an_answer_without_content_or_too_much_is_not_made(void **state)
{
	struct scep_bytes nine[LIMIT_MSG_CERTS + 1], big = { .len = LIMIT_SCEP_MESSAGE },
						     out = { 0 };
	struct scep_reply_how how = { .certs = nine };
	struct scep_error err;
	struct trip t;
	size_t i;

	for (i = 0; i < N(nine); i++)
		nine[i] = bytes_of_der(world.curve.c.der);
	ask(&t, scep_getcrl_encode);
	world_count_reset();
	assert_int_equal(scep_reply_success_how(&out, t.r, world.ra_id, &how, &err), SCEP_E_LIMIT);
	how.n_certs = N(nine);
	assert_int_equal(scep_reply_success_how(&out, t.r, world.ra_id, &how, &err), SCEP_E_LIMIT);
	big.data = calloc(1, big.len);
	assert_non_null(big.data);
	how = (struct scep_reply_how){ .crl = &big };
	assert_int_equal(scep_reply_success_how(&out, t.r, world.ra_id, &how, &err), SCEP_E_LIMIT);
	big.len -=
	    16; /* with its frame it is as long as a message, and the envelope no longer fits */
	assert_int_equal(scep_reply_success_how(&out, t.r, world.ra_id, &how, &err), SCEP_E_LIMIT);
	assert_int_equal(world_signs(), 0);
	assert_null(out.data);
	free(big.data);
	trip_done(&t);
}

/* ---- FAILURE and PENDING ---------------------------------------------------------------- */

static void
R32_R14_without_the_flag_there_is_no_content(void **state)
{
	struct scep_bytes out[2];
	struct cms_signed *s;
	struct err e = { 0 };
	struct trip t;
	size_t i;

	ask(&t, scep_certpoll_encode);
	assert_int_equal(
	    scep_reply_failure_how(&out[0], t.m, world.ra_id, SCEP_BAD_CERT_ID, "no", 0, NULL),
	    SCEP_OK);
	assert_int_equal(scep_reply_pending_how(&out[1], t.m, world.ra_id, 0, NULL), SCEP_OK);
	for (i = 0; i < 2; i++) {
		assert_ok(cms_signed_parse(&s, out[i].data, out[i].len, &e), e);
		assert_null(cms_signed_content0(s).p);
		cms_signed_free(s);
		scep_bytes_free(&out[i]);
	}
	trip_done(&t);
}

/* `openssl smime` is PKCS7_verify(), which certmonger calls; `openssl cms` is CMS_verify(). */
static void
quirk54_with_the_flag_old_openssl_calls_verify_it(void **state)
{
	static const struct {
		unsigned flags;
		const char *command;
		int status;
	} cases[] = {
		{ 0, "openssl smime -verify -noverify -binary -inform DER -in rep", 4 },
		{ SCEP_REPLY_EMPTY_CONTENT,
		    "openssl smime -verify -noverify -binary -inform DER -in rep", 0 },
		{ SCEP_REPLY_EMPTY_CONTENT,
		    "openssl cms -verify -noverify -binary -inform DER -in rep", 0 },
	};
	struct scep_bytes out[2];
	struct scep_certrep rep;
	struct scep_error err;
	struct trip t;
	struct dir dir;
	size_t i, k;

	ask(&t, scep_certpoll_encode);
	dir_make_temp(&dir);
	for (i = 0; i < N(cases); i++) {
		assert_int_equal(scep_reply_failure_how(&out[0], t.m, world.ra_id, SCEP_BAD_TIME,
				     "late", cases[i].flags, NULL),
		    SCEP_OK);
		assert_int_equal(
		    scep_reply_pending_how(&out[1], t.m, world.ra_id, cases[i].flags, NULL),
		    SCEP_OK);
		for (k = 0; k < 2; k++) {
			dir_put(&dir, "rep", out[k].data, out[k].len, 0600);
			assert_int_equal(dir_run(&dir, NULL, cases[i].command), cases[i].status);
			assert_int_equal(read_answer(&rep, &out[k], &t, 0, &err), SCEP_OK);
			assert_int_equal(rep.status, k == 0 ? SCEP_FAILURE : SCEP_PENDING);
			scep_certrep_done(&rep);
			scep_bytes_free(&out[k]);
		}
	}
	dir_done(&dir);
	trip_done(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_query_arrives_as_it_was_sent),
		cmocka_unit_test(R34_a_poll_repeats_its_transaction_id_and_others_have_their_own),
		cmocka_unit_test(queries_that_cannot_be_are_not_sent),
		cmocka_unit_test(certificates_and_requests_give_their_parts),
		cmocka_unit_test(R43_R31_several_certificates_are_the_answer_to_get_cert),
		cmocka_unit_test(R44_R36_a_crl_alone_is_the_answer_to_get_crl),
		cmocka_unit_test(certificates_and_a_crl_may_come_together),
		cmocka_unit_test(an_answer_without_content_or_too_much_is_not_made),
		cmocka_unit_test(R32_R14_without_the_flag_there_is_no_content),
		cmocka_unit_test(quirk54_with_the_flag_old_openssl_calls_verify_it),
	};

	return cmocka_run_group_tests(tests, world_make, world_done);
}
