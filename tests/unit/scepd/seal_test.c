/*
 * seal_test.c - what the store keeps of a request opens for its own transaction, with its own key.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "scepd/seal.h"

#undef fail
#include <cmocka.h>

static const uint8_t csr[] = "\x30\x0bthe request";

struct rig {
	char dir[64], path[96];
	struct seal *s;
	struct err err;
};

static int
setup(void **state)
{
	struct rig *r = calloc(1, sizeof(*r));
	bool made = false;

	strcpy(r->dir, "/tmp/seal_test.XXXXXX");
	assert_non_null(mkdtemp(r->dir));
	snprintf(r->path, sizeof(r->path), "%s/" SEAL_KEY_NAME, r->dir);
	assert_int_equal(seal_open(&r->s, r->path, &made, &r->err), RC_OK);
	assert_true(made);
	*state = r;
	return 0;
}

static int
teardown(void **state)
{
	struct rig *r = *state;

	seal_free(r->s);
	(void)unlink(r->path);
	(void)rmdir(r->dir);
	free(r);
	return 0;
}

static struct buf
kept(struct rig *r, const struct seal *s)
{
	struct buf b;

	buf_init(&b, 4096);
	assert_int_equal(seal_request(&b, s, "default", "tx1", csr, sizeof(csr), &r->err), RC_OK);
	return b;
}

/* What comes out for this transaction. */
static enum rc
opened(
    struct rig *r, const struct seal *s, const char *ep, const char *tx, const void *p, size_t len)
{
	struct buf out;
	enum rc rc;

	buf_init(&out, 4096);
	rc = seal_unseal(&out, s, ep, tx, p, len, &r->err);
	if (rc == RC_OK) {
		assert_int_equal(out.len, sizeof(csr));
		assert_memory_equal(out.data, csr, sizeof(csr));
	}
	buf_wipe(&out);
	return rc;
}

static void
a_request_opens_for_its_transaction_alone(void **state)
{
	struct rig *r = *state;
	struct buf b = kept(r, r->s);

	assert_null(memmem(b.data, b.len, "request", 7));
	assert_int_equal(opened(r, r->s, "default", "tx1", b.data, b.len), RC_OK);
	assert_int_equal(opened(r, r->s, "default", "tx2", b.data, b.len), RC_INTEGRITY);
	assert_int_equal(opened(r, r->s, "defaul", "ttx1", b.data, b.len), RC_INTEGRITY);
	assert_int_equal(opened(r, NULL, "default", "tx1", b.data, b.len), RC_INTEGRITY);
	buf_done(&b);
}

static void
every_prefix_and_every_changed_bit_is_refused(void **state)
{
	struct rig *r = *state;
	struct buf b = kept(r, r->s);

	for (size_t n = 0; n < b.len; n++)
		assert_int_not_equal(opened(r, r->s, "default", "tx1", b.data, n), RC_OK);
	for (size_t bit = 8; bit < 8 * b.len; bit++) {
		b.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_equal(opened(r, r->s, "default", "tx1", b.data, b.len), RC_INTEGRITY);
		b.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	buf_done(&b);
}

static void
the_key_is_the_same_after_a_restart_and_another_when_lost(void **state)
{
	struct rig *r = *state;
	struct buf b = kept(r, r->s);
	struct seal *again = NULL;
	struct stat st;
	bool made;

	assert_int_equal(stat(r->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(seal_open(&again, r->path, &made, &r->err), RC_OK);
	assert_false(made);
	assert_int_equal(opened(r, again, "default", "tx1", b.data, b.len), RC_OK);
	seal_free(again);
	assert_int_equal(unlink(r->path), 0);
	assert_int_equal(seal_open(&again, r->path, &made, &r->err), RC_OK);
	assert_true(made);
	assert_int_equal(opened(r, again, "default", "tx1", b.data, b.len), RC_INTEGRITY);
	seal_free(again);
	buf_done(&b);
}

static void
a_file_that_is_no_key_is_the_administrators_business(void **state)
{
	struct rig *r = *state;
	struct seal *s = NULL;
	FILE *f = fopen(r->path, "w");
	bool made;

	assert_non_null(f);
	assert_true(fputs("0123456789\n", f) > 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(seal_open(&s, r->path, &made, &r->err), RC_CONFIG);
	assert_non_null(strstr(r->err.hint, "backup"));
	assert_null(s);
}

static void
what_older_versions_kept_is_taken_and_nothing_is_nothing(void **state)
{
	struct rig *r = *state;
	struct buf b = kept(r, NULL);

	assert_int_equal(b.len, 1);
	assert_int_equal(opened(r, r->s, "default", "tx1", b.data, b.len), RC_NOTFOUND);
	assert_int_equal(opened(r, r->s, "default", "tx1", csr, sizeof(csr)), RC_OK);
	assert_int_equal(opened(r, NULL, "default", "tx1", csr, sizeof(csr)), RC_OK);
	assert_int_equal(opened(r, r->s, "default", "tx1", "\x02", 1), RC_INTEGRITY);
	buf_done(&b);
}

static void
the_key_stands_beside_the_database(void **state)
{
	struct rig *r = *state;
	char *path = NULL;

	assert_int_equal(seal_key_path(&path, "sqlite:/var/lib/scepd/scepd.db", &r->err), RC_OK);
	assert_string_equal(path, "/var/lib/scepd/" SEAL_KEY_NAME);
	free(path);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(a_request_opens_for_its_transaction_alone),
		T(every_prefix_and_every_changed_bit_is_refused),
		T(the_key_is_the_same_after_a_restart_and_another_when_lost),
		T(a_file_that_is_no_key_is_the_administrators_business),
		T(what_older_versions_kept_is_taken_and_nothing_is_nothing),
		T(the_key_stands_beside_the_database),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
