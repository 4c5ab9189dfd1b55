/*
 * nomem_test.c - memory runs out at each allocation in turn, ours and libcrypto's: requests of every
 * kind are made, taken and answered, or not, with an error every time and nothing left behind (a
 * sanitizer build looks for that).
 *
 * The linker sends malloc() and calloc() of our own code through the two wrappers below.
 */
#include "scep_kit.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "base/clock.h"

#define CHALLENGE "secret-challenge"

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);

static long left = -1; /* allocations until one fails; negative: none does */

static bool
runs_out(void)
{
	return left >= 0 && left-- == 0;
}

void *
__wrap_malloc(size_t size)
{
	return runs_out() ? NULL : __real_malloc(size);
}

void *
__wrap_calloc(size_t n, size_t size)
{
	return runs_out() ? NULL : __real_calloc(n, size);
}

static void *
crypto_malloc(size_t size, const char *file, int line)
{
	return __wrap_malloc(size);
}

static void *
crypto_realloc(void *p, size_t size, const char *file, int line)
{
	return runs_out() ? NULL : realloc(p, size);
}

static void
crypto_free(void *p, const char *file, int line)
{
	free(p);
}

/* ---- what is there beforehand ----------------------------------------------------------- */

static struct actor agree, signs;
static struct buf agree_pem;
static const struct scep_identity *signer; /* of the exchange that is tried */
static struct scep_identity *agree_id, *signs_id;

typedef enum scep_status encode_fn(struct scep_bytes *out, struct scep_pending *pending,
    const struct scep_query *q, struct scep_error *err);

static enum scep_status
encode_csr(struct scep_bytes *out, struct scep_pending *pending, const struct scep_query *q,
    struct scep_error *err)
{
	struct scep_pkcsreq req = { .type = SCEP_PKCS_REQ,
		.csr = world.csr.data,
		.csr_len = world.csr.len,
		.signer = q->signer,
		.recipient = q->recipient,
		.recipient_len = q->recipient_len,
		.alg = q->alg };

	return scep_pkcsreq_encode(out, pending, &req, err);
}

static encode_fn *encode;
static struct scep_query query;

/* One exchange: everything but what is being tried. */
static struct scep_pending sent;
static struct scep_bytes request_bytes, answer_bytes;
static struct scep_message *message;
static struct scep_request *request;
static bool want_crl;

static enum scep_status
do_answer(struct scep_bytes *out, struct scep_error *err)
{
	struct scep_bytes any = bytes_of_der(world.curve.c.der);
	struct scep_reply_how how = { .certs = &any,
		.n_certs = want_crl ? 0 : 1,
		.crl = want_crl ? &any : NULL,
		.password = CHALLENGE,
		.password_len = strlen(CHALLENGE),
		.password_rounds = 1 };

	return scep_reply_success_how(out, request, world.ra_id, &how, err);
}

static void
exchange_begin(const struct scep_identity *by, encode_fn *how, bool crl)
{
	struct scep_error err;

	signer = by;
	encode = how;
	want_crl = crl;
	query = (struct scep_query){ .transaction_id = "tx-1",
		.signer = by,
		.recipient = world.ra.c.der.p,
		.recipient_len = world.ra.c.der.len,
		.alg = usual };
	assert_int_equal(scep_cert_parts(&query.issuer, &query.subject, &query.serial,
			     world.curve.c.der.p, world.curve.c.der.len, &err),
	    SCEP_OK);
	if (encode(&request_bytes, &sent, &query, &err) != SCEP_OK ||
	    scep_message_parse(&message, request_bytes.data, request_bytes.len, &err) != SCEP_OK ||
	    scep_request_open(&request, message, &world.ra_id, 1, &err) != SCEP_OK ||
	    do_answer(&answer_bytes, &err) != SCEP_OK)
		fail_msg("%s", err.text);
}

static void
exchange_end(void)
{
	scep_bytes_free(&request_bytes);
	scep_bytes_free(&answer_bytes);
	scep_message_free(message);
	scep_request_free(request);
}

/* ---- what is tried ---------------------------------------------------------------------- */

static enum scep_status
send_request(struct scep_error *err)
{
	struct scep_bytes out = { 0 };
	struct scep_pending p;
	enum scep_status st = encode(&out, &p, &query, err);

	assert_true((st == SCEP_OK) == (out.data != NULL));
	scep_bytes_free(&out);
	return st;
}

static enum scep_status
take_request(struct scep_error *err)
{
	struct scep_message *m = NULL;
	struct scep_request *r = NULL;
	enum scep_status st;

	st = scep_message_parse(&m, request_bytes.data, request_bytes.len, err);
	assert_true((st == SCEP_OK) == (m != NULL));
	if (st == SCEP_OK && (st = scep_message_strict(m, clock_now(), 3600, err)) == SCEP_OK) {
		st = scep_request_open(&r, m, &world.ra_id, 1, err);
		assert_true((st == SCEP_OK) == (r != NULL));
	}
	scep_request_free(r);
	scep_message_free(m);
	return st;
}

static enum scep_status
answer_request(struct scep_error *err)
{
	struct scep_bytes out = { 0 };
	enum scep_status st = do_answer(&out, err);

	assert_true((st == SCEP_OK) == (out.data != NULL));
	scep_bytes_free(&out);
	return st;
}

static enum scep_status
refuse_request(struct scep_error *err)
{
	struct scep_bytes out = { 0 };
	enum scep_status st = scep_reply_failure_how(
	    &out, message, world.ra_id, SCEP_BAD_REQUEST, "no", SCEP_REPLY_EMPTY_CONTENT, err);

	assert_true((st == SCEP_OK) == (out.data != NULL));
	scep_bytes_free(&out);
	return st;
}

static enum scep_status
read_answer(struct scep_error *err)
{
	struct scep_bytes ra = bytes_of_der(world.ra.c.der);
	struct scep_certrep_how how = { .pending = &sent,
		.ra_certs = &ra,
		.n_ra_certs = 1,
		.me = signer,
		.want_crl = want_crl,
		.password = CHALLENGE,
		.password_len = strlen(CHALLENGE) };
	struct scep_certrep rep = { 0 };
	enum scep_status st =
	    scep_certrep_open_how(&rep, answer_bytes.data, answer_bytes.len, &how, err);

	assert_true((st == SCEP_OK) == (rep.n_certs > 0 || rep.crl.data != NULL));
	scep_certrep_done(&rep);
	return st;
}

static enum scep_status
make_identity(struct scep_error *err)
{
	struct scep_identity *id = NULL;
	enum scep_status st = scep_identity_from_pem(
	    &id, agree.c.der.p, agree.c.der.len, buf_str(&agree_pem), agree_pem.len, err);

	assert_true((st == SCEP_OK) == (id != NULL));
	scep_identity_free(id);
	return st;
}

/*
 * When memory runs out while libcrypto renews what it blinds an RSA key with, it says nothing, and the
 * key gives nonsense until the 32 uses are over after which it makes all of that anew (seen in 3.0).
 */
#define BLINDED_USES 32

static void assert_recovers(enum scep_status (*work)(struct scep_error *err))
{
	struct scep_error err;
	unsigned n;

	for (n = 0; n <= BLINDED_USES; n++)
		if (work(&err) == SCEP_OK)
			return;
	fail_msg("%s", err.text);
}

/* All of it: a signature that is nonsense is seen by whoever verifies it. */
static enum scep_status
whole_exchange(struct scep_error *err)
{
	struct scep_bytes kept = request_bytes;
	enum scep_status st;

	request_bytes = (struct scep_bytes){ 0 };
	st = encode(&request_bytes, &(struct scep_pending){ { 0 } }, &query, err);
	if (st == SCEP_OK)
		st = take_request(err);
	scep_bytes_free(&request_bytes);
	request_bytes = kept;
	scep_bytes_free(&answer_bytes);
	if (st == SCEP_OK && (st = do_answer(&answer_bytes, err)) == SCEP_OK)
		st = read_answer(err);
	return st;
}

/* Fail every allocation of `work` in turn, until it gets through. */
static void
sweep(enum scep_status (*work)(struct scep_error *err), long at_least)
{
	struct scep_error err;
	long n, failed = 0;
	enum scep_status st;

	assert_recovers(work); /* what is fetched once is there from here on */
	for (n = 0; n < 20000; n++) {
		err = (struct scep_error){ 0 };
		left = n;
		st = work(&err);
		if (left >= 0) { /* none was left to fail */
			left = -1;
			assert_int_equal(st, SCEP_OK);
			break;
		}
		left = -1;
		if (st != SCEP_OK) { /* libcrypto does without some of what it asks for */
			assert_int_equal(err.status, st);
			assert_string_not_equal(err.text, "");
			assert_non_null(err.step);
			failed++;
			if (st == SCEP_E_INTEGRITY)
				assert_recovers(work);
		}
	}
	assert_in_range(failed, at_least, 20000);
}

enum half { REQUEST = 1, ANSWER = 2 };

static void
sweep_exchange(const struct scep_identity *by, encode_fn *how, bool crl, unsigned halves)
{
	exchange_begin(by, how, crl);
	if (halves & REQUEST) {
		sweep(send_request, 3);
		assert_recovers(whole_exchange);
		sweep(take_request, 3);
		assert_recovers(whole_exchange);
	}
	if (halves & ANSWER) {
		sweep(answer_request, 3);
		assert_recovers(whole_exchange);
		sweep(read_answer, 3);
		assert_recovers(whole_exchange);
	}
	exchange_end();
}

static void
an_enrolment_by_rsa_happens_or_not(void **state)
{
	sweep_exchange(world.device_id, encode_csr, false, REQUEST | ANSWER);
}

static void
an_enrolment_by_ecdh_happens_or_not(void **state)
{
	sweep_exchange(agree_id, encode_csr, false, REQUEST | ANSWER);
}

static void
an_enrolment_under_a_password_happens_or_not(void **state)
{
	sweep_exchange(signs_id, encode_csr, false, ANSWER);
}

static void
a_poll_happens_or_not(void **state)
{
	sweep_exchange(world.device_id, scep_certpoll_encode, false, REQUEST);
}

static void
a_certificate_is_got_or_not(void **state)
{
	sweep_exchange(world.device_id, scep_getcert_encode, false, REQUEST);
}

static void
a_crl_is_got_or_not(void **state)
{
	sweep_exchange(agree_id, scep_getcrl_encode, true, ANSWER);
}

static void
a_refusal_is_made_or_not(void **state)
{
	exchange_begin(world.device_id, encode_csr, false);
	sweep(refuse_request, 3);
	assert_recovers(whole_exchange);
	exchange_end();
}

static void
an_identity_is_made_or_not(void **state)
{
	sweep(make_identity, 3);
}

static struct scep_identity *
identity(const struct actor *a, struct buf *pem)
{
	struct scep_identity *id = NULL;

	*pem = new_buf();
	assert_int_equal(key_private_pem(pem, a->key, NULL), RC_OK);
	assert_int_equal(
	    scep_identity_from_pem(&id, a->c.der.p, a->c.der.len, buf_str(pem), pem->len, NULL),
	    SCEP_OK);
	return id;
}

static int
setup(void **state)
{
	struct buf pem;

	world_make(state);
	actor_make_for(&agree, "agree", "ec:p256", 0, "0E01", KU_KEY_AGREEMENT);
	actor_make_for(&signs, "signs", "ec:p256", 1, "0E02", KU_DIGITAL_SIGNATURE);
	agree_id = identity(&agree, &agree_pem);
	signs_id = identity(&signs, &pem);
	buf_wipe(&pem);
	return 0;
}

static int
teardown(void **state)
{
	scep_identity_free(agree_id);
	scep_identity_free(signs_id);
	actor_done(&agree);
	actor_done(&signs);
	buf_wipe(&agree_pem);
	return world_done(state);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_enrolment_by_rsa_happens_or_not),
		cmocka_unit_test(an_enrolment_by_ecdh_happens_or_not),
		cmocka_unit_test(an_enrolment_under_a_password_happens_or_not),
		cmocka_unit_test(a_poll_happens_or_not),
		cmocka_unit_test(a_certificate_is_got_or_not),
		cmocka_unit_test(a_crl_is_got_or_not),
		cmocka_unit_test(a_refusal_is_made_or_not),
		cmocka_unit_test(an_identity_is_made_or_not),
	};

	if (CRYPTO_set_mem_functions(crypto_malloc, crypto_realloc, crypto_free) != 1)
		return 1;
	return cmocka_run_group_tests(tests, setup, teardown);
}
