/* keep_test.c - a device's folder: pairs that are replaced as one, and requests that wait. */
#include "selfcert.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "scep-client/keep.h"
#include "scep-client/pending.h"

static struct dir dir;

static int
before_each(void **state)
{
	dir_make_temp(&dir);
	return 0;
}

static int
after_each(void **state)
{
	dir_done(&dir);
	return 0;
}

static const char *
in(const char *name)
{
	static char path[4][256];
	static unsigned n;
	char *p = path[n++ % 4];

	(void)snprintf(p, 256, "%s/%s", dir.path, name);
	return p;
}

static unsigned
mode_of(const char *name)
{
	struct stat st;

	assert_int_equal(stat(in(name), &st), 0);
	return st.st_mode & 07777;
}

/* The folder holds this certificate, with its key. */
static void
expect_pair(const char *folder, const struct cert *want)
{
	char path[512];
	struct cert *c = NULL;
	struct key *k = NULL;
	struct err err;

	(void)snprintf(path, sizeof(path), "%s/cert.pem", folder);
	assert_ok(cert_load(&c, path, &err), err);
	(void)snprintf(path, sizeof(path), "%s/key.pem", folder);
	assert_ok(key_load(&k, path, &err), err);
	assert_true(serial_same(cert_serial0(c), cert_serial0(want)));
	assert_true(key_same_public(cert_key0(c), k));
	cert_free(c);
	key_free(k);
}

static char *
install(const struct cert *cert, const struct key *key)
{
	struct kept k = { .key = key, .cert = cert, .chain = &cert, .n_chain = 1 };
	char *backup = NULL;
	struct err err;

	assert_ok(keep_install(dir.path, &k, &backup, &err), err);
	return backup;
}

static void
a_pair_is_replaced_and_the_old_one_kept(void **state)
{
	struct key *one = fixture_key("rsa:2048"), *two = fixture_other_key("rsa:2048");
	struct cert *a = selfcert("0A01", one), *b = selfcert("0B02", two);
	char *backup = install(a, one);

	assert_null(backup);
	expect_pair(dir.path, a);
	assert_int_equal(mode_of("key.pem"), 0600);
	backup = install(b, two);
	assert_string_equal(backup, in("replaced-0A01"));
	expect_pair(dir.path, b);
	expect_pair(backup, a);
	assert_int_equal(mode_of("replaced-0A01"), 0700);
	assert_int_equal(mode_of("replaced-0A01/key.pem"), 0600);
	assert_int_not_equal(access(in(".new"), F_OK), 0);
	assert_int_not_equal(access(in("renewed"), F_OK), 0);
	free(backup);
	cert_free(a);
	cert_free(b);
}

/* A crash behind each rename: what is left is moved. */
static void
what_a_crash_has_left_is_finished(void **state)
{
	static const char *const names[] = { "key.pem", "cert.pem", "chain.pem" };
	struct key *one = fixture_key("rsa:2048"), *two = fixture_other_key("rsa:2048");
	struct cert *a = selfcert("0A01", one), *b = selfcert("0B02", two);
	struct err err;

	for (size_t moved = 0; moved <= N(names); moved++) {
		free(install(b, two));
		assert_int_equal(mkdir(in("renewed"), 0700), 0);
		for (size_t i = moved; i < N(names); i++) {
			char from[256], to[256];

			(void)snprintf(from, sizeof(from), "%s/%s", dir.path, names[i]);
			(void)snprintf(to, sizeof(to), "%s/renewed/%s", dir.path, names[i]);
			assert_int_equal(rename(from, to), 0);
		}
		assert_ok(keep_finish(dir.path, &err), err);
		expect_pair(dir.path, b);
		assert_int_not_equal(access(in("renewed"), F_OK), 0);
		free(install(a, one));
	}
	assert_ok(keep_finish(dir.path, &err), err);
	cert_free(a);
	cert_free(b);
}

/* Before the rename that counts, the old pair is all there is. */
static void
an_attempt_that_ended_early_is_begun_anew(void **state)
{
	struct key *one = fixture_key("rsa:2048");
	struct cert *a = selfcert("0A01", one);
	struct err err;

	free(install(a, one));
	assert_int_equal(mkdir(in(".new"), 0700), 0);
	dir_put(&dir, ".new/key.pem", "half", 4, 0600);
	assert_ok(keep_finish(dir.path, &err), err);
	expect_pair(dir.path, a);
	free(install(a, one));
	expect_pair(dir.path, a);
	cert_free(a);
}

static void
a_key_without_a_certificate_is_kept_too(void **state)
{
	struct key *one = fixture_key("rsa:2048");
	struct cert *a = selfcert("0A01", one);
	char *backup;

	dir_put(&dir, "key.pem", "the only copy", 13, 0600);
	backup = install(a, one);
	assert_non_null(backup);
	assert_non_null(strstr(backup, "replaced-key-"));
	free(backup);
	cert_free(a);
}

static void
a_folder_that_cannot_be_is_refused(void **state)
{
	struct err err;

	assert_ok(keep_check(dir.path, &err), err);
	assert_ok(keep_check(in("new"), &err), err);
	assert_int_not_equal(access(in("new"), F_OK), 0); /* it only looks */
	assert_int_equal(keep_check(in("none/new"), &err), RC_CONFIG);
	assert_non_null(strstr(err.hint, "mkdir -p"));
	dir_put(&dir, "file", "x", 1, 0600);
	assert_int_equal(keep_check(in("file"), &err), RC_CONFIG);
	assert_int_not_equal(keep_check(in("file/new"), &err), RC_OK);
}

/* ---- pending ---- */

static void
save(struct key *key, struct key *signer_key, const struct cert *signer)
{
	struct name subject = fixture_name("CN=device,O=Contoso");
	struct pending_new p = { .url = "http://ca.example.com/scep/lab",
		.manner = "apple",
		.transaction_id = "A+B/C=",
		.fingerprint = signer_key == key ? NULL : "AB:CD",
		.subject = &subject,
		.renewal = true,
		.signer = signer,
		.key = key,
		.signer_key = signer_key };
	struct err err;

	assert_ok(pending_save(dir.path, &p, &err), err);
	name_done(&subject);
}

static void
a_request_that_waits_is_read_back(void **state)
{
	struct key *key = fixture_key("rsa:2048"), *other = fixture_other_key("rsa:2048");
	struct cert *signer = selfcert("0A01", other);
	struct name subject = fixture_name("CN=device,O=Contoso");
	struct pending p;
	struct err err;

	assert_int_equal(pending_load(&p, dir.path, &err), RC_NOTFOUND);
	save(key, other, signer);
	assert_int_equal(mode_of("pending"), 0700);
	assert_int_equal(mode_of("pending/key.pem"), 0600);
	assert_int_equal(mode_of("pending/signer-key.pem"), 0600);
	assert_int_equal(mode_of("pending/state.json"), 0600);
	assert_ok(pending_load(&p, dir.path, &err), err);
	assert_string_equal(p.transaction_id, "A+B/C=");
	assert_string_equal(p.manner, "apple");
	assert_true(p.renewal);
	assert_string_equal(p.fingerprint, "AB:CD");
	assert_true(name_same(&p.subject, &subject));
	assert_true(key_same_public(p.key, key));
	assert_true(key_same_public(p.signer_key, other));
	assert_int_equal(p.polls, 0);
	assert_ok(pending_count(dir.path, &p, &err), err);
	pending_done(&p);
	assert_ok(pending_load(&p, dir.path, &err), err);
	assert_int_equal(p.polls, 1);
	pending_done(&p);
	/* The next one takes its place, and leaves no key of the first. */
	cert_free(signer);
	signer = selfcert("0A02", key);
	save(key, key, signer);
	assert_int_not_equal(access(in("pending/signer-key.pem"), F_OK), 0);
	assert_ok(pending_load(&p, dir.path, &err), err);
	assert_true(key_same_public(p.signer_key, key));
	assert_null(p.fingerprint);
	pending_done(&p);
	assert_ok(pending_drop(dir.path, &err), err);
	assert_ok(pending_drop(dir.path, &err), err);
	assert_int_not_equal(access(in("pending"), F_OK), 0);
	cert_free(signer);
	name_done(&subject);
}

/* CN=x */
#define SUBJECT "MAwxCjAIBgNVBAMMAXg="
#define STATE                                                                                      \
	"{\"url\":\"http://a/\",\"manner\":\"plain\",\"transactionId\":\"T1\",\"subject\":"        \
	"\"" SUBJECT "\",\"renewal\":false,\"since\":1,\"polls\":2}"

static enum rc
door(const void *p, size_t len)
{
	struct pending out;
	struct err err;
	enum rc rc = pending_parse(&out, p, len, &err);

	if (rc == RC_OK)
		pending_done(&out);
	return rc;
}

static void
states_that_are_none_are_refused(void **state)
{
	static const char *const rows[] = { "", "[]", "{}", "null",
		"{\"url\":\"u\",\"manner\":\"plain\",\"transactionId\":\"T\"}",
		"{\"url\":1,\"manner\":\"plain\",\"transactionId\":\"T\",\"subject\":\"" SUBJECT
		"\"}",
		"{\"url\":\"u\",\"manner\":\"toaster\",\"transactionId\":\"T\",\"subject\":"
		"\"" SUBJECT "\"}",
		"{\"url\":\"u\",\"manner\":\"plain\",\"transactionId\":\"\",\"subject\":\"" SUBJECT
		"\"}",
		"{\"url\":\"u\",\"manner\":\"plain\",\"transactionId\":\"T\",\"subject\":\"MAA\"}",
		"{\"url\":\"u\",\"manner\":\"plain\",\"transactionId\":\"T\",\"subject\":\"!\"}" };

	assert_int_equal(door(STATE, strlen(STATE)), RC_OK);
	for (size_t i = 0; i < N(rows); i++)
		if (door(rows[i], strlen(rows[i])) == RC_OK)
			fail_msg("taken: %s", rows[i]);
	sweep_prefixes(door, STATE, strlen(STATE), 1);
	(void)sweep_flips(door, STATE, strlen(STATE), 1);
}

#define T(f) cmocka_unit_test_setup_teardown(f, before_each, after_each)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_pair_is_replaced_and_the_old_one_kept),
		T(what_a_crash_has_left_is_finished),
		T(an_attempt_that_ended_early_is_begun_anew),
		T(a_key_without_a_certificate_is_kept_too),
		T(a_folder_that_cannot_be_is_refused),
		T(a_request_that_waits_is_read_back),
		T(states_that_are_none_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, fixture_done);
}
