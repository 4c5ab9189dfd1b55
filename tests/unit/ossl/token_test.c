/*
 * token_test.c - keys in a token: what they do, and what becomes of them when it is not there.
 */
#include "softhsm.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ossl/key_source.h"
#include "ossl/token.h"

static struct softhsm hsm;

static int
start(void **state)
{
	struct err err = { 0 };

	softhsm_start(&hsm);
	if (hsm.module == NULL)
		exit(77);
	softhsm_import(&hsm, fixture_key("rsa:2048"), "rsa", "01");
	softhsm_import(&hsm, fixture_key("ec:p256"), "p256", "02");
	softhsm_import(&hsm, fixture_key("ec:p384"), "p384", "03");
	assert_ok(key_tokens_open(hsm.module, &err), err);
	token_restart_every(300);
	return 0;
}

static int
stop(void **state)
{
	key_tokens_close();
	softhsm_stop(&hsm);
	return fixture_done(state);
}

static enum rc
open_uri(struct key **out, const char *uri, const char *pin, struct err *err)
{
	struct key_source src = { .key = uri, .pin = pin };

	return key_open(out, &src, err);
}

static struct key *
must_open(const char *uri)
{
	struct err err = { 0 };
	struct key *k = NULL;

	assert_ok(open_uri(&k, uri, SOFTHSM_PIN, &err), err);
	return k;
}

static const struct {
	const char *uri, *spec;
} imported[] = { { "pkcs11:token=scepd;object=rsa", "rsa:2048" },
	{ "pkcs11:token=scepd;id=%02", "ec:p256" },
	{ "pkcs11:token=scepd;object=p384;id=%03;type=private", "ec:p384" } };

static void
a_key_in_a_token_signs_like_one_in_a_file(void **state)
{
	static const enum digest digests[] = { DIGEST_SHA1, DIGEST_SHA256, DIGEST_SHA384,
		DIGEST_SHA512 };
	struct err err = { 0 };
	struct buf sig;
	size_t i, j;

	buf_init(&sig, KEY_SIG_MAX);
	for (i = 0; i < N(imported); i++) {
		struct key *k = must_open(imported[i].uri), *file = fixture_key(imported[i].spec);

		assert_true(key_is_private(k));
		assert_true(key_same_public(k, file));
		assert_string_equal(key_info0(k)->name, key_info0(file)->name);
		for (j = 0; j < N(digests); j++) {
			buf_reset(&sig);
			assert_ok(key_sign(&sig, k, digests[j], "text", 4, &err), err);
			assert_ok(
			    key_verify(file, digests[j], "text", 4, sig.data, sig.len, &err), err);
			if (key_info0(k)->type != KEY_RSA || digests[j] == DIGEST_SHA1)
				continue;
			buf_reset(&sig);
			assert_ok(key_sign_pss(&sig, k, digests[j], "text", 4, &err), err);
			assert_ok(
			    key_verify_pss(file, digests[j], "text", 4, sig.data, sig.len, &err),
			    err);
		}
		key_free(k);
	}
	buf_done(&sig);
}

static void
a_key_in_a_token_does_not_come_out(void **state)
{
	struct key *k = must_open("pkcs11:token=scepd;object=rsa");
	struct err err = { 0 };
	struct buf out;

	buf_init(&out, 1 << 16);
	assert_int_equal(key_private_pem(&out, k, &err), RC_BUG);
	assert_int_equal(key_private_pem_locked(&out, k, "x", &err), RC_BUG);
	assert_int_equal(out.len, 0);
	key_free(k);
}

static void
keys_are_made_inside(void **state)
{
	static const struct {
		const char *spec, *uri, *again;
	} cases[] = {
		{ "rsa:2048", "pkcs11:token=scepd;object=made-rsa;id=%0a", "pkcs11:id=%0a" },
		{ "rsa:3072", "pkcs11:token=scepd;object=made-rsa3", "pkcs11:object=made-rsa3" },
		{ "ec:p256", "pkcs11:token=scepd;id=%0b", "pkcs11:token=scepd;id=%0b" },
		{ "ec:p384", "pkcs11:token=scepd;object=made%20p384", "pkcs11:object=made%20p384" },
	};
	struct key_source src = { .pin = SOFTHSM_PIN };
	struct err err = { 0 };
	struct key *k, *again;
	size_t i;

	for (i = 0; i < N(cases); i++) {
		src.key = cases[i].uri;
		assert_ok(key_create(&k, cases[i].spec, &src, &err), err);
		again = must_open(cases[i].again);
		assert_true(key_same_public(k, again));
		key_free(again);
		key_free(k);
		assert_int_equal(key_create(&k, cases[i].spec, &src, &err), RC_CONFLICT);
	}
	/* The same label with another id, and the reverse, would make a URI ambiguous. */
	src.key = "pkcs11:token=scepd;object=made-rsa;id=%0c";
	assert_int_equal(key_create(&k, "ec:p256", &src, &err), RC_CONFLICT);
	src.key = "pkcs11:token=scepd;object=other;id=%0a";
	assert_int_equal(key_create(&k, "ec:p256", &src, &err), RC_CONFLICT);
	src.key = "pkcs11:token=scepd;object=ed";
	assert_int_equal(key_create(&k, "ed25519", &src, &err), RC_ALG);
	src.key = "pkcs11:token=elsewhere;object=x";
	assert_int_equal(key_create(&k, "ec:p256", &src, &err), RC_TIMEOUT);
}

/* What the token says of a key that was made in it. */
static CK_RV
flags_of(struct token_session *s, void *arg)
{
	const struct token_uri uri = { .object = "made-rsa" };
	unsigned *flags = arg, n = 0;
	CK_OBJECT_HANDLE obj = 0;
	CK_RV rv = token_find(s, CKO_PRIVATE_KEY, &uri, &obj, &n);

	if (rv == CKR_OK && n == 1)
		*flags = (token_flag(s, obj, CKA_SENSITIVE, false) ? 1u : 0u) |
		    (token_flag(s, obj, CKA_EXTRACTABLE, true) ? 2u : 0u) |
		    (token_flag(s, obj, CKA_TOKEN, false) ? 4u : 0u) |
		    (token_flag(s, obj, CKA_NEVER_EXTRACTABLE, false) ? 8u : 0u);
	return rv;
}

static void
a_key_made_inside_never_leaves(void **state)
{
	const struct token_uri uri = { .token = "scepd", .object = "made-rsa" };
	struct err err = { 0 };
	unsigned flags = 0;
	struct token *t;
	CK_RV rv;

	assert_ok(token_open(&t, &uri, SOFTHSM_PIN, &err), err);
	assert_ok(token_run(t, flags_of, &flags, &rv, &err), err);
	assert_int_equal(rv, CKR_OK);
	assert_int_equal(flags, 1 | 4 | 8);
	token_free(t);
}

static void
what_is_wrong_is_one_sentence_and_what_to_do(void **state)
{
	static const struct {
		const char *uri, *pin, *word;
		enum rc rc; /* RC_OK: RC_CONFIG */
	} cases[] = {
		{ "pkcs11:token=scepd;object=nothing", SOFTHSM_PIN, "no private key in the token" },
		{ "pkcs11:token=scepd;object=rsa;id=%02", SOFTHSM_PIN,
		    "no private key in the token" },
		{ "pkcs11:token=scepd;object=twins", SOFTHSM_PIN, "more than one private key" },
		/* It may come yet. */
		{ "pkcs11:token=none;object=rsa", SOFTHSM_PIN, "no token fits", RC_TIMEOUT },
		{ "pkcs11:serial=0000;object=rsa", SOFTHSM_PIN, "no token fits", RC_TIMEOUT },
		{ "pkcs11:token=scepd;object=rsa", NULL, "no PIN" },
		{ "pkcs11:token=scepd;object=rsa?pin-source=/nowhere/pin", NULL, "/nowhere/pin" },
		{ "pkcs11:token=scepd", SOFTHSM_PIN, "names no key" },
		{ "pkcs11:object=rsa?pin-value=1234", NULL, "pin-value" },
	};
	struct err err = { 0 };
	struct key *k;
	size_t i;

	softhsm_import(&hsm, fixture_key("ec:p256"), "twins", "21");
	softhsm_import(&hsm, fixture_key("ec:p384"), "twins", "22");
	for (i = 0; i < N(cases); i++) {
		assert_int_equal(open_uri(&k, cases[i].uri, cases[i].pin, &err),
		    cases[i].rc != RC_OK ? cases[i].rc : RC_CONFIG);
		if (strstr(err.msg, cases[i].word) == NULL)
			fail_msg("%s: %s", cases[i].uri, err.msg);
		assert_int_equal(strncmp(err.msg, "pkcs11:", 7), 0);
		assert_null(strchr(err.msg, '?'));
	}
	k = must_open("pkcs11:token=scepd;object=twins;id=%22");
	assert_string_equal(key_info0(k)->name, "ec-p384");
	key_free(k);
}

static void
tokens_are_told_apart(void **state)
{
	struct err err = { 0 };
	struct key *k;
	int i;

	/* A library that is loaded sees the new token when it is started anew, now and then. */
	softhsm_add(&hsm, "second");
	for (i = 0; i < 200; i++) {
		assert_int_not_equal(
		    open_uri(&k, "pkcs11:token=second;object=rsa", SOFTHSM_PIN, &err), RC_OK);
		if (strstr(err.msg, "no token fits") == NULL)
			break;
		assert_int_equal(dir_run(&hsm.d, NULL, "sleep 0.1"), 0);
	}
	assert_non_null(strstr(err.msg, "no private key in the token"));
	assert_int_equal(open_uri(&k, "pkcs11:object=rsa", SOFTHSM_PIN, &err), RC_CONFIG);
	assert_non_null(strstr(err.msg, "2 tokens fit"));
	key_free(must_open("pkcs11:token=scepd;manufacturer=SoftHSM%20project;object=rsa"));
}

static void
a_pin_may_lie_in_a_file(void **state)
{
	struct err err = { 0 };
	char uri[200];
	struct key *k;

	dir_put(&hsm.d, "pin", SOFTHSM_PIN "\n", 5, 0600);
	snprintf(
	    uri, sizeof uri, "pkcs11:token=scepd;object=rsa?pin-source=file:%s/pin", hsm.d.path);
	assert_ok(open_uri(&k, uri, NULL, &err), err);
	key_free(k);
	dir_put(&hsm.d, "pin", SOFTHSM_PIN "\n", 5, 0644);
	assert_int_equal(open_uri(&k, uri, NULL, &err), RC_CONFIG);
}

static void
a_wrong_pin_is_tried_once(void **state)
{
	struct err err = { 0 };
	struct key *k, *open;

	assert_int_equal(open_uri(&k, imported[0].uri, "9999", &err), RC_CONFIG);
	assert_non_null(strstr(err.msg, "the PIN is wrong"));
	assert_non_null(strstr(err.hint, "lock"));
	open = must_open(imported[0].uri);
	/* It is logged in, so that the library would take any. */
	assert_int_equal(open_uri(&k, imported[1].uri, "9999", &err), RC_CONFIG);
	assert_non_null(strstr(err.msg, "not the PIN"));
	key_free(open);
}

static void
sign_once(const struct key *k, enum rc want)
{
	struct err err = { 0 };
	struct buf sig;
	enum rc rc;

	buf_init(&sig, KEY_SIG_MAX);
	rc = key_sign(&sig, k, DIGEST_SHA256, "text", 4, &err);
	if (rc != want)
		fail_msg("%s (%s)", err.msg, rc_name(rc));
	if (rc == RC_OK)
		assert_ok(key_verify(k, DIGEST_SHA256, "text", 4, sig.data, sig.len, &err), err);
	buf_done(&sig);
}

/* The library is started anew now and then; the token is back by then. */
static void
sign_until_it_works(const struct key *k)
{
	struct err err = { 0 };
	struct buf sig;
	int i;

	buf_init(&sig, KEY_SIG_MAX);
	for (i = 0; i < 200 && key_sign(&sig, k, DIGEST_SHA256, "text", 4, &err) != RC_OK; i++) {
		assert_int_equal(err.rc, RC_IO);
		assert_int_equal(dir_run(&hsm.d, NULL, "sleep 0.1"), 0);
	}
	buf_done(&sig);
	sign_once(k, RC_OK);
}

static void
a_token_that_is_gone_comes_back(void **state)
{
	struct key *rsa = must_open(imported[0].uri), *ec = must_open(imported[1].uri);
	int i;

	for (i = 0; i < 2; i++) {
		softhsm_pull(&hsm);
		sign_once(rsa, RC_IO);
		sign_once(ec, RC_IO);
		sign_once(rsa, RC_IO);
		softhsm_plug(&hsm);
		sign_until_it_works(rsa);
		sign_until_it_works(ec);
	}
	key_free(rsa);
	key_free(ec);
}

static void
a_library_that_starts_anew_is_not_noticed(void **state)
{
	struct key *k = must_open(imported[0].uri);
	CK_FUNCTION_LIST *f;
	struct err err = { 0 };
	unsigned long epoch, before;

	assert_ok(token_library_enter(&f, &before, &err), err);
	/* As if another part of the process had ended all sessions. */
	assert_int_equal(f->C_Finalize(NULL), CKR_OK);
	token_library_leave();
	sign_until_it_works(k);
	assert_ok(token_library_enter(&f, &epoch, &err), err);
	token_library_leave();
	assert_true(epoch > before);
	key_free(k);
}

/* A key that wants the PIN before each use (PIV cards have such). */
static CK_RV
make_asking(struct token_session *s, void *arg)
{
	static CK_BBOOL yes = CK_TRUE;
	static CK_BYTE id[] = { 0x41 };
	CK_ULONG bits = 2048;
	CK_MECHANISM mech = { CKM_RSA_PKCS_KEY_PAIR_GEN, NULL, 0 };
	CK_ATTRIBUTE pub[] = { { CKA_TOKEN, &yes, sizeof yes }, { CKA_ID, id, sizeof id },
		{ CKA_MODULUS_BITS, &bits, sizeof bits } };
	CK_ATTRIBUTE priv[] = { { CKA_TOKEN, &yes, sizeof yes }, { CKA_ID, id, sizeof id },
		{ CKA_PRIVATE, &yes, sizeof yes }, { CKA_SIGN, &yes, sizeof yes },
		{ CKA_ALWAYS_AUTHENTICATE, &yes, sizeof yes } };
	CK_SESSION_HANDLE rw;
	CK_OBJECT_HANDLE a, b;
	CK_RV rv;

	rv = s->f->C_OpenSession(s->slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &rw);
	if (rv != CKR_OK)
		return rv;
	rv = s->f->C_GenerateKeyPair(rw, &mech, pub, N(pub), priv, N(priv), &a, &b);
	(void)s->f->C_CloseSession(rw);
	return rv;
}

static void
a_key_that_asks_for_the_pin_each_time_gets_it(void **state)
{
	const struct token_uri uri = { .token = "scepd", .object = "x" };
	struct err err = { 0 };
	struct token *t;
	struct key *k;
	CK_RV rv;

	assert_ok(token_open(&t, &uri, SOFTHSM_PIN, &err), err);
	assert_ok(token_run(t, make_asking, NULL, &rv, &err), err);
	assert_int_equal(rv, CKR_OK);
	k = must_open("pkcs11:token=scepd;id=%41");
	sign_once(k, RC_OK);
	sign_once(k, RC_OK);
	key_free(k);
	token_free(t);
}

/* Somebody deletes a key from the token. */
static CK_RV delete (struct token_session *s, void *arg)
{
	const struct token_uri uri = { .object = "swapped" };
	CK_SESSION_HANDLE rw;
	CK_OBJECT_HANDLE obj;
	unsigned n = 0;
	CK_RV rv = token_find(s, CKO_PRIVATE_KEY, &uri, &obj, &n);

	assert_int_equal(n, 1);
	assert_int_equal(
	    s->f->C_OpenSession(s->slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &rw),
	    CKR_OK);
	assert_int_equal(s->f->C_DestroyObject(rw, obj), CKR_OK);
	assert_int_equal(s->f->C_CloseSession(rw), CKR_OK);
	return rv;
}

static void
another_key_in_its_place_does_not_sign(void **state)
{
	const struct token_uri uri = { .token = "scepd", .object = "swapped" };
	struct err err = { 0 };
	struct token *t;
	struct buf sig;
	struct key *k;
	CK_RV rv;

	softhsm_import(&hsm, fixture_key("ec:p256"), "swapped", "31");
	k = must_open("pkcs11:token=scepd;object=swapped");
	assert_ok(token_open(&t, &uri, NULL, &err), err);
	assert_ok(token_run(t, delete, NULL, &rv, &err), err);
	buf_init(&sig, KEY_SIG_MAX);
	assert_int_equal(key_sign(&sig, k, DIGEST_SHA256, "text", 4, &err), RC_IO);
	assert_non_null(strstr(err.msg, "no private key"));
	softhsm_import(&hsm, fixture_other_key("ec:p256"), "swapped", "32");
	assert_int_equal(key_sign(&sig, k, DIGEST_SHA256, "text", 4, &err), RC_IO);
	assert_non_null(strstr(err.msg, "another key"));
	assert_int_equal(sig.len, 0);
	buf_done(&sig);
	token_free(t);
	key_free(k);
}

/* A piece of work that holds its session until it is told to end. */
struct held {
	struct token *token;
	sem_t running, end;
	enum rc rc;
};

static CK_RV
hold(struct token_session *s, void *arg)
{
	struct held *h = arg;

	sem_post(&h->running);
	sem_wait(&h->end);
	return CKR_OK;
}

static void *
holder(void *arg)
{
	struct held *h = arg;
	CK_RV rv;

	h->rc = token_run(h->token, hold, h, &rv, NULL);
	return NULL;
}

static void
without_a_free_session_an_operation_waits_and_gives_up(void **state)
{
	const struct token_uri uri = { .token = "scepd", .object = "rsa" };
	struct err err = { 0 };
	struct held h = { .rc = RC_BUG };
	pthread_t thread;
	struct buf sig;
	struct key *k;

	token_limits(1, 200);
	k = must_open(imported[0].uri);
	assert_ok(token_open(&h.token, &uri, NULL, &err), err);
	assert_int_equal(sem_init(&h.running, 0, 0), 0);
	assert_int_equal(sem_init(&h.end, 0, 0), 0);
	assert_int_equal(pthread_create(&thread, NULL, holder, &h), 0);
	sem_wait(&h.running);
	buf_init(&sig, KEY_SIG_MAX);
	assert_int_equal(key_sign(&sig, k, DIGEST_SHA256, "text", 4, &err), RC_IO);
	assert_non_null(strstr(err.msg, "no session was free within 200 ms"));
	buf_done(&sig);
	sem_post(&h.end);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(h.rc, RC_OK);
	sign_once(k, RC_OK);
	token_free(h.token);
	key_free(k);
	token_limits(TOKEN_SESSIONS, KEY_TOKEN_WAIT_MS);
}

#define THREADS 16
#define ROUNDS  20

static void *
sign_many(void *arg)
{
	const struct key *const *keys = arg;
	struct buf sig;
	size_t i, bad = 0;

	for (i = 0; i < ROUNDS; i++) {
		const struct key *k = keys[i % 2];

		buf_init(&sig, KEY_SIG_MAX);
		bad += key_sign(&sig, k, DIGEST_SHA256, "text", 4, NULL) != RC_OK ||
		    key_verify(k, DIGEST_SHA256, "text", 4, sig.data, sig.len, NULL) != RC_OK;
		buf_done(&sig);
	}
	return (void *)bad;
}

static void
sixteen_threads(unsigned sessions)
{
	const struct key *keys[2];
	pthread_t threads[THREADS];
	void *bad;
	size_t i;

	token_limits(sessions, 60000);
	keys[0] = must_open(imported[0].uri);
	keys[1] = must_open(imported[1].uri);
	for (i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, sign_many, keys), 0);
	for (i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(threads[i], &bad), 0);
		assert_null(bad);
	}
	key_free((struct key *)keys[0]);
	key_free((struct key *)keys[1]);
	token_limits(TOKEN_SESSIONS, KEY_TOKEN_WAIT_MS);
}

static void
many_threads_sign_at_the_same_time(void **state)
{
	sixteen_threads(TOKEN_SESSIONS);
}

static void
many_threads_share_few_sessions(void **state)
{
	sixteen_threads(2);
}

static void
a_library_that_is_none_is_named(void **state)
{
	struct err err = { 0 };
	struct key *k = must_open(imported[0].uri);

	assert_int_equal(key_tokens_open("/nowhere/lib.so", &err), RC_CONFIG);
	assert_ok(key_tokens_open(hsm.module, &err), err);
	key_tokens_close();
	sign_once(k, RC_CONFIG);
	key_free(k);
	assert_int_equal(open_uri(&k, imported[0].uri, SOFTHSM_PIN, &err), RC_CONFIG);
	assert_non_null(strstr(err.hint, "pkcs11.module"));
	assert_int_equal(key_tokens_open("/nowhere/lib.so", &err), RC_CONFIG);
	assert_non_null(strstr(err.msg, "/nowhere/lib.so"));
	assert_int_equal(key_tokens_open("libm.so.6", &err), RC_CONFIG);
	assert_non_null(strstr(err.msg, "no PKCS#11 library"));
	assert_ok(key_tokens_open(hsm.module, &err), err);
	key_free(must_open(imported[0].uri));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_in_a_token_signs_like_one_in_a_file),
		cmocka_unit_test(a_key_in_a_token_does_not_come_out),
		cmocka_unit_test(keys_are_made_inside),
		cmocka_unit_test(a_key_made_inside_never_leaves),
		cmocka_unit_test(what_is_wrong_is_one_sentence_and_what_to_do),
		cmocka_unit_test(a_pin_may_lie_in_a_file),
		cmocka_unit_test(a_wrong_pin_is_tried_once),
		cmocka_unit_test(a_token_that_is_gone_comes_back),
		cmocka_unit_test(a_library_that_starts_anew_is_not_noticed),
		cmocka_unit_test(a_key_that_asks_for_the_pin_each_time_gets_it),
		cmocka_unit_test(another_key_in_its_place_does_not_sign),
		cmocka_unit_test(without_a_free_session_an_operation_waits_and_gives_up),
		cmocka_unit_test(many_threads_sign_at_the_same_time),
		cmocka_unit_test(many_threads_share_few_sessions),
		cmocka_unit_test(a_library_that_is_none_is_named),
		cmocka_unit_test(tokens_are_told_apart),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
