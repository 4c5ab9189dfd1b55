/*
 * curve_test.c - devices whose keys cannot be encrypted to: signed by ECDSA, answered by ECDH or under
 * the challengePassword (RFC 8894 3.1).
 */
#include "scep_kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "scep/attrs.h"

#define CHALLENGE "secret-challenge"

static struct actor agree, plain, big, only_signs;
static struct scep_identity *agree_id, *plain_id, *big_id, *signs_id;
static struct dir dir;

static struct scep_identity *
identity(const struct actor *a)
{
	struct scep_identity *id = NULL;
	struct buf pem = new_buf();
	struct scep_error err;

	assert_int_equal(key_private_pem(&pem, a->key, NULL), RC_OK);
	if (scep_identity_from_pem(&id, a->c.der.p, a->c.der.len, buf_str(&pem), pem.len, &err) !=
	    SCEP_OK)
		fail_msg("%s", err.text);
	buf_wipe(&pem);
	return id;
}

static int
setup(void **state)
{
	world_make(state);
	dir_make_temp(&dir);
	actor_make_for(
	    &agree, "agree", "ec:p256", 0, "0E01", KU_DIGITAL_SIGNATURE | KU_KEY_AGREEMENT);
	actor_make_for(&plain, "plain", "ec:p256", 1, "0E02", 0);
	actor_make_for(&big, "big", "ec:p384", 0, "0E03", KU_KEY_AGREEMENT);
	actor_make_for(&only_signs, "signs", "ec:p256", 0, "0E04", KU_DIGITAL_SIGNATURE);
	agree_id = identity(&agree);
	plain_id = identity(&plain);
	big_id = identity(&big);
	signs_id = identity(&only_signs);
	return 0;
}

static int
teardown(void **state)
{
	scep_identity_free(agree_id);
	scep_identity_free(plain_id);
	scep_identity_free(big_id);
	scep_identity_free(signs_id);
	actor_done(&agree);
	actor_done(&plain);
	actor_done(&big);
	actor_done(&only_signs);
	dir_done(&dir);
	return world_done(state);
}

/* A request in flight. */
struct trip {
	struct scep_pending pending;
	struct scep_request *r;
};

static enum scep_status
try(struct trip *t, const struct scep_identity *signer, const struct scep_algorithms *alg,
    struct scep_error *err)
{
	struct scep_pkcsreq req = { .type = SCEP_PKCS_REQ,
		.csr = world.csr.data,
		.csr_len = world.csr.len,
		.signer = signer,
		.recipient = world.ra.c.der.p,
		.recipient_len = world.ra.c.der.len,
		.alg = *alg };
	struct scep_message *m = NULL;
	struct scep_bytes b;
	enum scep_status st;

	if (scep_pkcsreq_encode(&b, &t->pending, &req, err) != SCEP_OK ||
	    scep_message_parse(&m, b.data, b.len, err) != SCEP_OK)
		fail_msg("%s", err->text);
	st = scep_request_open(&t->r, m, &world.ra_id, 1, err);
	scep_message_free(m);
	scep_bytes_free(&b);
	return st;
}

static void
send(struct trip *t, const struct scep_identity *signer, const struct scep_algorithms *alg)
{
	struct scep_error err;

	if (try(t, signer, alg, &err) != SCEP_OK)
		fail_msg("%s", err.text);
}

static struct scep_bytes
answer(const struct trip *t, const char *password)
{
	struct scep_bytes leaf = bytes_of_der(agree.c.der), out = { 0 };
	struct scep_reply_how how = { .certs = &leaf,
		.n_certs = 1,
		.password = password,
		.password_len = password != NULL ? strlen(password) : 0,
		.password_rounds = 10 };
	struct scep_error err;

	if (scep_reply_success_how(&out, t->r, world.ra_id, &how, &err) != SCEP_OK)
		fail_msg("%s", err.text);
	return out;
}

static enum scep_status
read_answer(struct scep_certrep *rep, const struct scep_bytes *b, const struct trip *t,
    const struct scep_identity *me, const char *password, struct scep_error *err)
{
	struct scep_bytes ra = bytes_of_der(world.ra.c.der);
	struct scep_certrep_how how = { .pending = &t->pending,
		.ra_certs = &ra,
		.n_ra_certs = 1,
		.me = me,
		.password = password,
		.password_len = password != NULL ? strlen(password) : 0 };

	return scep_certrep_open_how(rep, b->data, b->len, &how, err);
}

static void
assert_leaf(struct scep_certrep *rep, enum scep_way way)
{
	assert_int_equal(rep->status, SCEP_SUCCESS);
	assert_int_equal(rep->way, way);
	assert_int_equal(rep->n_certs, 1);
	assert_int_equal(rep->certs[0].len, agree.c.der.len);
	assert_memory_equal(rep->certs[0].data, agree.c.der.p, agree.c.der.len);
	scep_certrep_done(rep);
}

static void
R15_the_key_and_its_usage_decide_the_way_of_the_answer(void **state)
{
	const struct {
		const struct scep_identity *signer;
		enum scep_way way;
		const char *name;
	} cases[] = {
		{ world.device_id, SCEP_BY_RSA, "rsa" },
		{ agree_id, SCEP_BY_ECDH, "ecdh" },
		{ plain_id, SCEP_BY_ECDH, "ecdh" },
		{ big_id, SCEP_BY_ECDH, "ecdh" },
		{ signs_id, SCEP_BY_PASSWORD, "password" },
	};
	struct trip t;
	size_t i;

	for (i = 0; i < N(cases); i++) {
		send(&t, cases[i].signer, &usual);
		assert_int_equal(scep_request_way(t.r), cases[i].way);
		assert_string_equal(scep_way_name(scep_request_way(t.r)), cases[i].name);
		scep_request_free(t.r);
	}
}

static void
R15_answers_by_ecdh_are_opened_in_every_algorithm(void **state)
{
	const struct scep_identity *ids[] = { agree_id, plain_id, big_id };
	struct scep_certrep rep;
	struct scep_bytes out;
	struct scep_error err;
	struct trip t;
	size_t i;
	int c, d;

	for (i = 0; i < N(ids); i++) {
		for (c = SCEP_DES3; c <= SCEP_AES256; c++) {
			for (d = SCEP_SHA1; d <= SCEP_SHA512; d++) {
				struct scep_algorithms alg = { (enum scep_digest)d,
					(enum scep_cipher)c, { SCEP_RSA_PKCS1V15, 0, 0 } };
				send(&t, ids[i], &alg);
				out = answer(&t, CHALLENGE);
				if (read_answer(&rep, &out, &t, ids[i], NULL, &err) != SCEP_OK)
					fail_msg("%s", err.text);
				assert_int_equal(rep.alg.cipher, c);
				assert_int_equal(rep.alg.digest, d);
				assert_leaf(&rep, SCEP_BY_ECDH);
				scep_bytes_free(&out);
				scep_request_free(t.r);
			}
		}
	}
}

static void
R15_answers_under_the_challenge_are_opened_with_it(void **state)
{
	struct scep_certrep rep;
	struct scep_bytes out;
	struct scep_error err;
	struct trip t;
	int c;

	for (c = SCEP_DES3; c <= SCEP_AES256; c++) {
		struct scep_algorithms alg = usual;
		alg.cipher = (enum scep_cipher)c;
		send(&t, signs_id, &alg);
		out = answer(&t, CHALLENGE);
		if (read_answer(&rep, &out, &t, signs_id, CHALLENGE, &err) != SCEP_OK)
			fail_msg("%s", err.text);
		assert_leaf(&rep, SCEP_BY_PASSWORD);
		assert_int_equal(
		    read_answer(&rep, &out, &t, signs_id, "secret", &err), SCEP_E_INTEGRITY);
		assert_null(strstr(err.text, "secret"));
		assert_int_equal(
		    read_answer(&rep, &out, &t, signs_id, NULL, &err), SCEP_E_RECIPIENT);
		assert_non_null(strstr(err.text, "password"));
		scep_bytes_free(&out);
		scep_request_free(t.r);
	}
}

static void
R15_a_key_that_only_signs_without_a_challenge_is_bad_alg(void **state)
{
	struct scep_bytes leaf = bytes_of_der(agree.c.der), out = { 0 };
	struct scep_reply_how how = { .certs = &leaf, .n_certs = 1, .password = "" };
	struct scep_error err;
	struct trip t;

	send(&t, signs_id, &usual);
	world_count_reset();
	assert_int_equal(scep_reply_success_how(&out, t.r, world.ra_id, &how, &err), SCEP_E_ALG);
	assert_int_equal(err.fail_info, SCEP_BAD_ALG);
	assert_string_equal(err.step, "encrypt");
	assert_int_equal(scep_reply_success(&out, t.r, world.ra_id, &leaf, 1, &err), SCEP_E_ALG);
	how.password = "x", how.password_len = LIMIT_CHALLENGE + 1;
	assert_int_equal(scep_reply_success_how(&out, t.r, world.ra_id, &how, &err), SCEP_E_LIMIT);
	assert_int_equal(world_signs(), 0);
	assert_null(out.data);
	scep_request_free(t.r);
}

/* The answer for one key opens with no other, and by no operation that is not there. */
static void
an_answer_by_ecdh_is_for_its_key_alone(void **state)
{
	static const struct scep_key_ops none = { 0 };
	struct scep_identity *deaf;
	struct scep_certrep rep;
	struct scep_bytes out;
	struct scep_error err;
	struct trip t;

	send(&t, agree_id, &usual);
	out = answer(&t, NULL);
	assert_int_equal(read_answer(&rep, &out, &t, plain_id, CHALLENGE, &err), SCEP_E_RECIPIENT);
	assert_int_equal(
	    scep_identity_new(&deaf, agree.c.der.p, agree.c.der.len, &none, NULL, &err), SCEP_OK);
	assert_int_equal(read_answer(&rep, &out, &t, deaf, NULL, &err), SCEP_E_ALG);
	scep_identity_free(deaf);
	scep_bytes_free(&out);
	scep_request_free(t.r);
}

static void
openssl_reads_both_kinds_of_answer(void **state)
{
	const struct {
		const struct scep_identity *signer;
		const struct actor *a;
		const char *how;
	} cases[] = {
		{ agree_id, &agree, "-recip me.pem -inkey me.key" },
		{ big_id, &big, "-recip me.pem -inkey me.key" },
		{ signs_id, &only_signs, "-pwri_password " CHALLENGE },
	};
	struct buf text = new_buf();
	struct scep_bytes out;
	struct trip t;
	char cmd[500];
	size_t i;

	for (i = 0; i < N(cases); i++) {
		send(&t, cases[i].signer, &usual);
		out = answer(&t, CHALLENGE);
		actor_put(cases[i].a, &dir, "me");
		dir_put(&dir, "rep", out.data, out.len, 0600);
		snprintf(cmd, sizeof(cmd),
		    "openssl cms -verify -noverify -binary -inform DER -in rep -out env && "
		    "openssl cms -decrypt -binary -inform DER -in env -out certs %s && "
		    "openssl pkcs7 -inform DER -in certs -print_certs -noout",
		    cases[i].how);
		buf_reset(&text);
		if (dir_run(&dir, &text, cmd) != 0 || strstr(buf_str(&text), "CN = agree") == NULL)
			fail_msg("%s", buf_str(&text));
		scep_bytes_free(&out);
		scep_request_free(t.r);
	}
	buf_done(&text);
}

/* An answer with that as its envelope, signed by the RA. */
static struct buf
answer_around(const struct buf *envelope, const struct trip *t)
{
	struct buf txid = new_buf(), nonce = new_buf(), out;
	struct forged f;

	der_add_text(&txid, DER_PRINTABLE, t->pending.transaction_id);
	der_add(&nonce, DER_OCTET_STRING, t->pending.sender_nonce, 16);
	forged_init(&f, envelope);
	f.signer = &world.ra;
	forged_set(&f, OID_TRANSACTION_ID, der_of(&txid));
	forged_set(&f, OID_MESSAGE_TYPE,
	    DER_TEXT("\x13\x01"
		     "3"));
	forged_add(&f, OID_PKI_STATUS,
	    DER_TEXT("\x13\x01"
		     "0"));
	forged_add(&f, OID_RECIPIENT_NONCE, der_of(&nonce));
	out = forge(&f);
	buf_done(&txid);
	buf_done(&nonce);
	return out;
}

static void
what_openssl_envelops_our_client_opens(void **state)
{
	const struct {
		const struct scep_identity *me;
		const char *how;
		enum scep_way way;
	} cases[] = {
		{ agree_id, "-aes128 -recip agree.pem", SCEP_BY_ECDH },
		{ agree_id, "-aes256 -recip agree.pem -keyid -keyopt ecdh_kdf_md:sha256",
		    SCEP_BY_ECDH },
		{ signs_id, "-aes128 -pwri_password " CHALLENGE, SCEP_BY_PASSWORD },
		/* Both: who has the key needs no password. */
		{ agree_id, "-aes128 -recip agree.pem -pwri_password other", SCEP_BY_ECDH },
		{ signs_id, "-aes128 -recip agree.pem -pwri_password " CHALLENGE,
		    SCEP_BY_PASSWORD },
	};
	struct buf inner = new_buf(), envelope, message;
	struct scep_certrep rep;
	struct scep_bytes b;
	struct scep_error err;
	struct err e = { 0 };
	struct trip t;
	char cmd[300];
	size_t i;

	assert_ok(cms_certs_only_build(&inner, &agree.c.der, 1, &e), e);
	dir_put(&dir, "inner", inner.data, inner.len, 0600);
	actor_put(&agree, &dir, "agree");
	send(&t, agree_id, &usual);
	for (i = 0; i < N(cases); i++) {
		snprintf(cmd, sizeof(cmd),
		    "openssl cms -encrypt -binary -in inner -outform DER -out env %s",
		    cases[i].how);
		assert_int_equal(dir_run(&dir, NULL, cmd), 0);
		envelope = new_buf();
		dir_get(&dir, "env", &envelope);
		message = answer_around(&envelope, &t);
		b = bytes_of(&message);
		if (read_answer(&rep, &b, &t, cases[i].me, CHALLENGE, &err) != SCEP_OK)
			fail_msg("%s: %s", cases[i].how, err.text);
		assert_leaf(&rep, cases[i].way);
		buf_done(&message);
		buf_done(&envelope);
	}
	scep_request_free(t.r);
	buf_done(&inner);
}

/* S27: a request is enveloped to the RA's RSA key, and to nothing else; no key is used to find out. */
static void
S27_requests_by_ecdh_or_under_a_password_are_bad_alg(void **state)
{
	static const char *const how[] = { "-aes128 -recip agree.pem",
		"-aes128 -pwri_password " CHALLENGE,
		"-aes128 -recip ra.pem -pwri_password " CHALLENGE,
		"-aes128 -recip ra.pem -recip agree.pem",
		"-aes128 -secretkey 00112233445566778899aabbccddeeff -secretkeyid 01",
		"-aes-128-gcm -recip ra.pem" };
	struct scep_request *r = NULL;
	struct scep_error err;
	struct buf envelope, b;
	struct forged f;
	char cmd[300];
	size_t i;

	dir_put(&dir, "csr", world.csr.data, world.csr.len, 0600);
	actor_put(&agree, &dir, "agree");
	actor_put(&world.ra, &dir, "ra");
	for (i = 0; i < N(how); i++) {
		snprintf(cmd, sizeof(cmd),
		    "openssl cms -encrypt -binary -in csr -outform DER -out env %s", how[i]);
		assert_int_equal(dir_run(&dir, NULL, cmd), 0);
		envelope = new_buf();
		dir_get(&dir, "env", &envelope);
		forged_init(&f, &envelope);
		b = forge(&f);
		if (open_it(&r, &b, &err) != SCEP_E_ALG)
			fail_msg("%s: %s", how[i], err.text);
		assert_int_equal(err.fail_info, SCEP_BAD_ALG);
		assert_int_equal(world_unwraps(), 0);
		buf_done(&b);
		buf_done(&envelope);
	}
}

/* The numbers come from the signature; what is changed in the message shows in it. */
static void
a_changed_ecdsa_signature_is_bad_message_check(void **state)
{
	struct buf envelope = good_envelope(), b;
	struct scep_request *r = NULL;
	struct scep_error err;
	struct forged f;

	forged_init(&f, &envelope);
	f.signer = &agree;
	b = forge(&f);
	assert_int_equal(open_it(&r, &b, &err), SCEP_OK);
	scep_request_free(r);
	b.data[b.len - 1] ^= 1;
	assert_int_equal(open_it(&r, &b, &err), SCEP_E_INTEGRITY);
	assert_int_equal(err.fail_info, SCEP_BAD_MESSAGE_CHECK);
	assert_int_equal(world_unwraps(), 0);
	buf_done(&b);
	buf_done(&envelope);
}

/* The device's message with another certificate in it, and that named as the signer's. */
static struct buf
signed_in_the_name_of(const struct buf *good, const struct cms_cert *c)
{
	struct buf certs = new_buf(), sid = new_buf(), out;
	struct signed_parts p;
	size_t mark;

	der_add(&certs, DER_CTX_CONS(0), c->der.p, c->der.len);
	mark = der_open(&sid, DER_SEQUENCE);
	buf_add(&sid, c->issuer.p, c->issuer.len);
	der_add(&sid, DER_INTEGER, c->serial.p, c->serial.len);
	der_close(&sid, mark);
	signed_take_apart(&p, good);
	p.certs = der_of(&certs);
	p.sid = der_of(&sid);
	out = signed_put_together(&p);
	buf_done(&certs);
	buf_done(&sid);
	return out;
}

/* Before anything is computed with them: a huge exponent is hours of work. */
static void
S29_S30_signers_with_keys_off_the_list_are_bad_alg(void **state)
{
	static const char *const keys[] = { "ec -pkeyopt ec_paramgen_curve:secp256k1",
		"ec -pkeyopt ec_paramgen_curve:brainpoolP256r1",
		"ec -pkeyopt ec_paramgen_curve:P-256 -pkeyopt ec_param_enc:explicit", "ed25519",
		"rsa:512", "rsa:1024 -pkeyopt rsa_keygen_pubexp:36893488147419103233" };
	struct buf envelope = good_envelope(), good, cert, b;
	struct scep_request *r = NULL;
	struct scep_error err;
	struct err e = { 0 };
	struct cms_cert c;
	struct forged f;
	char cmd[300];
	size_t i;

	forged_init(&f, &envelope);
	good = forge(&f);
	for (i = 0; i < N(keys); i++) {
		snprintf(cmd, sizeof(cmd),
		    "openssl req -x509 -newkey %s -nodes -keyout odd.key -outform DER -out odd "
		    "-subj /CN=odd -days 1",
		    keys[i]);
		if (dir_run(&dir, NULL, cmd) != 0)
			fail_msg("%s", cmd);
		cert = new_buf();
		dir_get(&dir, "odd", &cert);
		assert_ok(cms_cert_peek(&c, cert.data, cert.len, &e), e);
		b = signed_in_the_name_of(&good, &c);
		if (open_it(&r, &b, &err) != SCEP_E_ALG)
			fail_msg("%s: %s", keys[i], err.text);
		assert_int_equal(err.fail_info, SCEP_BAD_ALG);
		assert_string_equal(err.step, "verify");
		assert_int_equal(world_unwraps(), 0);
		buf_done(&b);
		buf_done(&cert);
	}
	buf_done(&good);
	buf_done(&envelope);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(R15_the_key_and_its_usage_decide_the_way_of_the_answer),
		cmocka_unit_test(R15_answers_by_ecdh_are_opened_in_every_algorithm),
		cmocka_unit_test(R15_answers_under_the_challenge_are_opened_with_it),
		cmocka_unit_test(R15_a_key_that_only_signs_without_a_challenge_is_bad_alg),
		cmocka_unit_test(an_answer_by_ecdh_is_for_its_key_alone),
		cmocka_unit_test(openssl_reads_both_kinds_of_answer),
		cmocka_unit_test(what_openssl_envelops_our_client_opens),
		cmocka_unit_test(S27_requests_by_ecdh_or_under_a_password_are_bad_alg),
		cmocka_unit_test(a_changed_ecdsa_signature_is_bad_message_check),
		cmocka_unit_test(S29_S30_signers_with_keys_off_the_list_are_bad_alg),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
