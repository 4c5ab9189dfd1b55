/*
 * key_nomem_test.c - memory runs out at each allocation in turn, ours and libcrypto's: opening, making
 * and using a key fails with an error every time, and leaves nothing behind.
 */
#include "softhsm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "ossl/key_pem.h"
#include "ossl/key_source.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);

static long left = -1;  /* allocations until one fails; negative: none does */
static bool crypto_too; /* not with a token: SoftHSM is a user of the same libcrypto */

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
	return crypto_too && runs_out() ? NULL : __real_malloc(size);
}

static void *
crypto_realloc(void *p, size_t size, const char *file, int line)
{
	return crypto_too && runs_out() ? NULL : realloc(p, size);
}

static void
crypto_free(void *p, const char *file, int line)
{
	free(p);
}

static struct softhsm hsm;
static struct buf plain, locked; /* PEM */
static struct key *in_token;

static enum rc
parse_plain(struct err *err)
{
	struct key *k;
	enum rc rc = key_parse_pem(&k, plain.data, plain.len, err);

	if (rc == RC_OK)
		key_free(k);
	return rc;
}

static enum rc
parse_locked(struct err *err)
{
	struct key *k;
	bool was_locked;
	enum rc rc = key_parse_pem_locked(&k, &was_locked, locked.data, locked.len, "x", err);

	if (rc == RC_OK)
		key_free(k);
	return rc;
}

static enum rc
lock(struct err *err)
{
	struct buf out;
	enum rc rc;

	buf_init(&out, 1 << 16);
	rc = key_private_pem_locked(&out, fixture_key("ec:p256"), "x", err);
	if (rc == RC_OK)
		assert_int_not_equal(out.len, 0);
	buf_wipe(&out);
	return rc;
}

static enum rc
open_token(struct err *err)
{
	const struct key_source src = { .key = "pkcs11:token=scepd;object=k", .pin = SOFTHSM_PIN };
	struct key *k;
	enum rc rc = key_open(&k, &src, err);

	if (rc == RC_OK)
		key_free(k);
	return rc;
}

static enum rc
sign_in_token(struct err *err)
{
	struct buf sig;
	enum rc rc;

	buf_init(&sig, KEY_SIG_MAX);
	rc = key_sign(&sig, in_token, DIGEST_SHA256, "text", 4, err);
	buf_done(&sig);
	return rc;
}

/* Fail every step-th allocation of `work` until it gets through. */
static void
sweep(enum rc (*work)(struct err *err), long at_least, long step)
{
	struct err err = { 0 };
	long n, failed = 0;
	enum rc rc;

	assert_ok(work(&err), err); /* what is fetched once is there from here on */
	for (n = 0; n < 20000; n += step) {
		left = n;
		rc = work(&err);
		if (left >= 0) { /* none was left to fail */
			left = -1;
			assert_int_equal(rc, RC_OK);
			break;
		}
		left = -1;
		/* libcrypto does without some of what it asks for. */
		if (rc != RC_OK) {
			assert_int_equal(err.rc, rc);
			assert_string_not_equal(err.msg, "");
			failed++;
		}
	}
	assert_in_range(failed, at_least, 20000);
	assert_ok(work(&err), err);
}

static void
files_are_opened_or_not(void **state)
{
	crypto_too = true;
	sweep(parse_plain, 5, 1);
	sweep(parse_locked, 10, 1);
	crypto_too = false;
}

static void
a_key_is_encrypted_or_not(void **state)
{
	crypto_too = true;
	sweep(lock, 2, 61); /* each time costs what the passphrase's derivation is meant to cost */
	crypto_too = false;
}

static void
a_token_is_opened_or_not(void **state)
{
	struct err err = { 0 };

	if (hsm.module == NULL)
		skip();
	sweep(open_token, 3, 1);
	assert_ok(open_token(&err), err);
}

static void
a_token_signs_or_not(void **state)
{
	if (hsm.module == NULL)
		skip();
	sweep(sign_in_token, 1, 1);
}

static int
start(void **state)
{
	const struct key_source src = { .key = "pkcs11:token=scepd;object=k", .pin = SOFTHSM_PIN };
	struct err err = { 0 };

	buf_init(&plain, 1 << 16);
	buf_init(&locked, 1 << 16);
	assert_ok(key_private_pem(&plain, fixture_key("ec:p256"), &err), err);
	softhsm_start(&hsm);
	dir_put(&hsm.d, "k", plain.data, plain.len, 0600);
	assert_int_equal(dir_run(&hsm.d, NULL,
			     "openssl pkcs8 -topk8 -v2 aes-256-cbc -iter 2 -passout pass:x -in k "
			     "-out locked"),
	    0);
	dir_get(&hsm.d, "locked", &locked);
	if (hsm.module == NULL)
		return 0;
	softhsm_import(&hsm, fixture_key("ec:p256"), "k", "01");
	assert_ok(key_tokens_open(hsm.module, &err), err);
	assert_ok(key_open(&in_token, &src, &err), err);
	return 0;
}

static int
stop(void **state)
{
	key_free(in_token);
	key_tokens_close();
	softhsm_stop(&hsm);
	buf_wipe(&plain);
	buf_wipe(&locked);
	return fixture_done(state);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_are_opened_or_not),
		cmocka_unit_test(a_key_is_encrypted_or_not),
		cmocka_unit_test(a_token_is_opened_or_not),
		cmocka_unit_test(a_token_signs_or_not),
	};

	if (CRYPTO_set_mem_functions(crypto_malloc, crypto_realloc, crypto_free) != 1)
		return 1;
	return cmocka_run_group_tests(tests, start, stop);
}
