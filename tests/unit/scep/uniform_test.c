/*
 * uniform_test.c - whatever is wrong inside an envelope, who is not its author learns one thing: that it
 * cannot be decrypted (S24; Bleichenbacher 1998, Vaudenay 2002).  What the clock tells is measured by
 * tests/hostile/timing.c.
 */
#include "wrong_kit.h"

#include <string.h>

#include "ossl/alg.h"
#include "scep/attrs.h"
#include "scep/request_csr.h"

struct verdict {
	struct scep_error se;
	struct err err;
	unsigned unwraps, signs;
	struct scep_bytes answer; /* as the server makes it of these */
};

static enum rc
judge(struct verdict *v, struct scep_message *m)
{
	struct scep_request *r = NULL;
	struct csr *csr = NULL;
	bool own;
	enum rc rc;

	world_count_reset();
	if (scep_request_open(&r, m, &world.ra_id, 1, &v->se) != SCEP_OK) {
		rc = scep_error_to_err(&v->err, &v->se);
	} else {
		rc = scep_request_csr(&csr, &own, r, &v->err);
		v->se.fail_info = err_reaction(rc)->fail_info;
	}
	v->unwraps = world_unwraps();
	csr_free(csr);
	scep_request_free(r);
	return rc;
}

/* Blank what is fresh in every answer. */
static void
blank(struct scep_bytes *answer)
{
	static const char *const fresh[] = { OID_SENDER_NONCE, OID_SIGNING_TIME };
	struct cms_signed *s = NULL;
	struct cms_value v;
	struct err err = { 0 };
	uint8_t *at;

	assert_ok(cms_signed_parse(&s, answer->data, answer->len, &err), err);
	for (size_t i = 0; i < N(fresh); i++) {
		if (cms_signed_attr(s, fresh[i], &v, NULL) != RC_OK)
			continue;
		at = memmem(answer->data, answer->len, v.whole.p, v.whole.len);
		assert_non_null(at);
		memset(at, 0, v.whole.len);
	}
	cms_signed_free(s);
	memset(answer->data + answer->len - 256, 0, 256); /* the signature */
}

static void
make_verdict(struct verdict *v, enum wrong k)
{
	struct buf e = envelope_wrong(k, &world.ra), b = message_around(&e);
	struct scep_message *m = NULL;
	struct scep_error err;

	memset(v, 0, sizeof(*v));
	if (parse_message(&m, &b, &err) != SCEP_OK)
		fail_msg("%s: %s", wrong_names[k], err.text);
	assert_int_equal(judge(v, m), RC_INTEGRITY);
	world_count_reset();
	if (scep_reply_failure(&v->answer, m, world.ra_id, v->se.fail_info, v->err.msg, &err) !=
	    SCEP_OK)
		fail_msg("%s: %s", wrong_names[k], err.text);
	v->signs = world_signs();
	blank(&v->answer);
	scep_message_free(m);
	buf_done(&b);
	buf_done(&e);
}

static void
test_S24_answers_to_what_is_wrong_inside_are_equal(void **state)
{
	struct verdict first, v;

	make_verdict(&first, WRONG_TRANSPORT);
	assert_int_equal(first.se.fail_info, SCEP_BAD_MESSAGE_CHECK);
	assert_int_equal(first.unwraps, 1);
	assert_int_equal(first.signs, 1);
	/* noise for a key makes a right padding once in 256, which has to change nothing */
	for (int round = 0; round < 60; round++)
		for (int k = 0; k < WRONG__MAX; k++) {
			make_verdict(&v, (enum wrong)k);
			if (v.answer.len != first.answer.len ||
			    memcmp(v.answer.data, first.answer.data, v.answer.len) != 0)
				fail_msg(
				    "%s is answered differently: %s", wrong_names[k], v.err.msg);
			assert_int_equal(v.unwraps, 1);
			assert_int_equal(v.signs, 1);
			scep_bytes_free(&v.answer);
		}
	scep_bytes_free(&first.answer);
}

/* ---- the padding itself ---- */

static void
a_padding_is_judged_right_whatever_it_is(void **state)
{
	static const uint8_t key[16] = { 1 }, iv[16] = { 2 };
	struct buf plain = new_buf(), enc = new_buf(), dec = new_buf();
	struct err err = { 0 };
	bool good;

	/* every last octet, with none of the others changed and with each of them (`at` from the end) */
	for (unsigned pad = 0; pad < 256; pad++)
		for (unsigned at = 1; at <= 32; at++) {
			bool right = pad >= 1 && pad <= 16 && (at == 1 || at > pad);

			buf_reset(&plain);
			buf_reset(&enc);
			buf_reset(&dec);
			for (unsigned i = 0; i < 32; i++)
				buf_addc(&plain, (char)pad);
			if (at > 1)
				plain.data[32 - at] ^= 0x40;
			/* encrypted with a padding block behind, which is cut off */
			assert_ok(
			    cbc_encrypt(&enc, CIPHER_AES128, key, iv, plain.data, 32, &err), err);
			good = !right;
			assert_ok(cbc_decrypt_blind(
				      &dec, &good, CIPHER_AES128, key, iv, enc.data, 32, &err),
			    err);
			if (good != right)
				fail_msg("padding %u, octet %u from the end: %s", pad, at,
				    good ? "taken" : "refused");
			assert_int_equal(dec.len, right ? 32 - pad : 32);
		}
	buf_done(&plain);
	buf_done(&enc);
	buf_done(&dec);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_S24_answers_to_what_is_wrong_inside_are_equal),
		cmocka_unit_test(a_padding_is_judged_right_whatever_it_is),
	};

	return cmocka_run_group_tests(tests, world_make, world_done);
}
