/*
 * state_test.c - what the signer remembers, across restarts, crashes and tampering.
 */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "signer/signer_audit.h"

#include "../ossl/crl_kit.h"
#include "fixture.h"

#define FIRST_FILE "audit-000000000001"

/* ---- a folder ---- */

struct place {
	char dir[300];
	struct signer *s;
};

static enum rc
place_open(struct kit *k, struct place *p)
{
	struct signer_ca cas[2];
	struct signer_conf conf = { .cas = cas, .n_cas = 2, .state_dir = p->dir };

	kit_ca_conf(k, cas);
	k->err = (struct err){ 0 };
	return signer_open(&p->s, &conf, &k->err);
}

static void
place_new(struct kit *k, struct place *p)
{
	static int n;

	snprintf(p->dir, sizeof(p->dir), "%s/state%d", k->dir, n++);
	ok(k, place_open(k, p));
}

static void
path_in(char *out, size_t size, const char *dir, const char *name)
{
	assert_true(snprintf(out, size, "%s/%s", dir, name) < (int)size);
}

static void
place_empty(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	char path[600];

	assert_non_null(d);
	while ((e = readdir(d)) != NULL) {
		path_in(path, sizeof(path), dir, e->d_name);
		if (e->d_name[0] != '.')
			(void)unlink(path);
	}
	closedir(d);
	assert_int_equal(rmdir(dir), 0);
}

static void
place_done(struct place *p)
{
	signer_close(p->s);
	place_empty(p->dir);
}

static void
read_whole(struct kit *k, struct buf *out, const char *dir, const char *name)
{
	char path[600];

	path_in(path, sizeof(path), dir, name);
	buf_init(out, 32 * MIB);
	ok(k, file_read(out, path, 32 * MIB, &k->err));
}

static void
write_whole(struct kit *k, const char *dir, const char *name, const void *p, size_t len)
{
	char path[600];

	path_in(path, sizeof(path), dir, name);
	ok(k, file_write(path, p, len, 0600, 1, &k->err));
}

/* ---- asking ---- */

/* A certificate with this number for `days`, so that different days are different bytes. */
static enum rc
ask_cert(struct kit *k, struct signer *s, uint8_t number, int days)
{
	struct serial serial = { { 0x50, 1, 1, 1, 1, 1, 1, number }, 8 };
	struct cert_fields f;
	struct buf tbs, out;
	enum rc rc;

	kit_fields(k, &k->ec, &f);
	f.serial = &serial;
	f.not_after = f.not_before + days * DAY;
	buf_init(&tbs, LIMIT_CERT);
	buf_init(&out, LIMIT_CERT);
	ok(k, cert_tbs_build(&tbs, &f, &k->err));
	k->err = (struct err){ 0 };
	rc = signer_sign_cert(s, "ec", tbs.data, tbs.len, &out, &k->err);
	assert_true(rc == RC_OK || out.len == 0);
	buf_done(&tbs);
	buf_done(&out);
	return rc;
}

static enum rc
ask_crl(struct kit *k, struct signer *s, uint64_t number, int days)
{
	struct crl_fields f = { .issuer = k->ec.cert,
		.digest = DIGEST_SHA256,
		.this_update = BEGIN,
		.next_update = BEGIN + days * DAY,
		.number = number };
	struct buf tbs, out;
	enum rc rc;

	buf_init(&tbs, LIMIT_CERT);
	buf_init(&out, LIMIT_CERT);
	crl_kit_tbs(&tbs, &f);
	k->err = (struct err){ 0 };
	rc = signer_sign_crl(s, "ec", tbs.data, tbs.len, &out, &k->err);
	buf_done(&tbs);
	buf_done(&out);
	return rc;
}

static void
want(struct kit *k, enum rc rc, enum rc expected, const char *part)
{
	if (rc != expected || strstr(k->err.msg, part) == NULL)
		fail_msg("%s \"%s\", expected %s \"%s\"", rc_name(rc), k->err.msg,
		    rc_name(expected), part);
}

static uint64_t
verified(struct kit *k, const char *dir)
{
	uint64_t lines = 0;

	ok(k, signer_audit_verify(dir, &lines, &k->err));
	return lines;
}

/* Do it in a process that is killed without a chance to tidy up. */
static void
in_a_process_that_dies(struct kit *k, struct place *p, void (*deed)(struct kit *, struct signer *))
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		if (place_open(k, p) != RC_OK)
			_exit(9);
		deed(k, p->s);
		kill(getpid(), SIGKILL);
		_exit(8);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

/* ---- serial numbers ---- */

static void
a_number_is_for_one_certificate_and_the_same_bytes_are_answered_again(void **state)
{
	struct kit *k = *state;
	struct place p;

	place_new(k, &p);
	ok(k, ask_cert(k, p.s, 1, 10));
	ok(k, ask_cert(k, p.s, 1, 10));
	want(k, ask_cert(k, p.s, 1, 11), RC_DENIED, "was signed before");
	ok(k, ask_cert(k, p.s, 2, 11));
	signer_close(p.s);
	ok(k, place_open(k, &p));
	ok(k, ask_cert(k, p.s, 1, 10));
	want(k, ask_cert(k, p.s, 1, 11), RC_DENIED, "was signed before");
	place_done(&p);
}

static void
sign_three(struct kit *k, struct signer *s)
{
	if (ask_cert(k, s, 1, 10) != RC_OK || ask_cert(k, s, 2, 10) != RC_OK ||
	    ask_cert(k, s, 3, 10) != RC_OK || ask_crl(k, s, 5, 7) != RC_OK)
		_exit(7);
}

static void
a_killed_signer_forgets_nothing(void **state)
{
	struct kit *k = *state;
	struct place p;
	char path[600];

	place_new(k, &p);
	signer_close(p.s);
	in_a_process_that_dies(k, &p, sign_three);
	assert_int_equal(verified(k, p.dir), 4);
	/* The table is derived: without it, or with rubbish in its place, it is made again. */
	for (int i = 0; i < 3; i++) {
		path_in(path, sizeof(path), p.dir, "serials");
		if (i == 1)
			assert_int_equal(unlink(path), 0);
		if (i == 2)
			assert_int_equal(truncate(path, 70000), 0);
		ok(k, place_open(k, &p));
		want(k, ask_cert(k, p.s, 3, 11), RC_DENIED, "was signed before");
		ok(k, ask_cert(k, p.s, 3, 10));
		want(k, ask_crl(k, p.s, 4, 7), RC_DENIED, "does not come after list 5");
		signer_close(p.s);
	}
	place_empty(p.dir);
}

static void
the_table_grows(void **state)
{
	struct kit *k = *state;
	struct place p;

	place_new(k, &p);
	/* 4096 places are there at first, and three quarters of them are used. */
	for (int i = 0; i < 3200; i++) {
		struct cert_fields f;
		struct buf tbs, out;

		buf_init(&tbs, LIMIT_CERT);
		buf_init(&out, LIMIT_CERT);
		kit_fields(k, &k->ec, &f);
		ok(k, cert_tbs_build(&tbs, &f, &k->err));
		ok(k, signer_sign_cert(p.s, "ec", tbs.data, tbs.len, &out, &k->err));
		buf_done(&tbs);
		buf_done(&out);
		if (i == 100)
			ok(k, ask_cert(k, p.s, 1, 10));
	}
	want(k, ask_cert(k, p.s, 1, 11), RC_DENIED, "was signed before");
	signer_close(p.s);
	ok(k, place_open(k, &p));
	want(k, ask_cert(k, p.s, 1, 11), RC_DENIED, "was signed before");
	ok(k, ask_cert(k, p.s, 1, 10));
	place_done(&p);
}

/* ---- lists ---- */

static void
numbers_of_lists_go_only_upward(void **state)
{
	struct kit *k = *state;
	struct place p;

	place_new(k, &p);
	ok(k, ask_crl(k, p.s, 7, 7));
	ok(k, ask_crl(k, p.s, 7, 7)); /* the same bytes */
	want(k, ask_crl(k, p.s, 7, 8), RC_DENIED, "does not come after list 7");
	want(k, ask_crl(k, p.s, 6, 7), RC_DENIED, "does not come after list 7");
	want(k, ask_crl(k, p.s, 7 + (UINT64_C(1) << 32) + 1, 7), RC_DENIED, "too far ahead");
	want(k, ask_crl(k, p.s, UINT64_MAX, 7), RC_DENIED, "too far ahead");
	ok(k, ask_crl(k, p.s, 8, 7));
	signer_close(p.s);
	ok(k, place_open(k, &p));
	want(k, ask_crl(k, p.s, 7, 7), RC_DENIED, "does not come after list 8");
	ok(k, ask_crl(k, p.s, 9, 7));
	want(k, ask_crl(k, p.s, 10, 401), RC_DENIED, "holds longer");
	place_done(&p);
}

/* ---- one owner ---- */

static void
two_signers_do_not_share_a_folder(void **state)
{
	struct kit *k = *state;
	struct place p, other;

	place_new(k, &p);
	other = p;
	want(k, place_open(k, &other), RC_CONFLICT, "another signer uses");
	place_done(&p);
}

static void
a_folder_open_to_others_is_refused(void **state)
{
	struct kit *k = *state;
	struct place p;

	place_new(k, &p);
	signer_close(p.s);
	assert_int_equal(chmod(p.dir, 0750), 0);
	want(k, place_open(k, &p), RC_CONFIG, "has mode 0750");
	assert_non_null(strstr(k->err.hint, "chmod 700"));
	place_empty(p.dir);
}

/* ---- the audit ---- */

static void
every_use_that_matters_is_a_line(void **state)
{
	static const char *const ops[] = { " cert ", " crl ", " ocsp-cert ", " uses " };
	struct kit *k = *state;
	struct signer_certs c;
	struct place p;
	struct buf text;
	uint8_t cek[16];

	place_new(k, &p);
	ok(k, ask_cert(k, p.s, 1, 10));
	ok(k, ask_crl(k, p.s, 5, 7));
	ok(k, signer_certs(p.s, "ec", &c, &k->err));
	signer_certs_done(&c);
	{
		static const struct transport t = { TRANSPORT_PKCS1V15, DIGEST_NONE, DIGEST_NONE };
		uint8_t wrapped[256] = { 0, 1 };

		ok(k, signer_unwrap(p.s, "rsa", &t, wrapped, 256, cek, 16, &k->err));
	}
	signer_tick(p.s, BEGIN);
	read_whole(k, &text, p.dir, FIRST_FILE);
	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++)
		assert_non_null(strstr(buf_str(&text), ops[i]));
	assert_non_null(strstr(buf_str(&text), "certreps=0,unwraps=1,ocsps=0"));
	buf_done(&text);
	place_done(&p);
}

static void
an_audit_without_lines_or_folder(void **state)
{
	struct kit *k = *state;
	uint64_t lines;

	assert_int_equal(signer_audit_verify("/nowhere", &lines, &k->err), RC_NOTFOUND);
	assert_int_equal(signer_audit_verify(k->dir, &lines, &k->err), RC_NOTFOUND);
}

/* A folder with four lines that no signer has open, and the text of its audit. */
static void
four_lines(struct kit *k, struct place *p, struct buf *text)
{
	place_new(k, p);
	signer_close(p->s);
	in_a_process_that_dies(k, p, sign_three);
	read_whole(k, text, p->dir, FIRST_FILE);
}

static void
any_changed_bit_breaks_the_chain(void **state)
{
	struct kit *k = *state;
	struct place p;
	struct buf text;
	uint64_t lines;

	four_lines(k, &p, &text);
	for (size_t i = 0; i < text.len; i++) {
		/* The last newline turned into something else is a line that is being written. */
		if (i == text.len - 1)
			continue;
		text.data[i] ^= 1u << i % 7;
		write_whole(k, p.dir, FIRST_FILE, text.data, text.len);
		if (signer_audit_verify(p.dir, &lines, &k->err) != RC_INTEGRITY)
			fail_msg("byte %zu may be changed", i);
		text.data[i] ^= 1u << i % 7;
	}
	write_whole(k, p.dir, FIRST_FILE, text.data, text.len);
	assert_int_equal(verified(k, p.dir), 4);
	buf_done(&text);
	place_empty(p.dir);
}

static size_t
line_at(const struct buf *text, int n)
{
	const char *p = buf_str(text);

	while (n-- > 0)
		p = strchr(p, '\n') + 1;
	return (size_t)(p - buf_str(text));
}

static void
a_line_left_out_or_moved_breaks_the_chain(void **state)
{
	struct kit *k = *state;
	struct place p;
	struct buf text, other;
	uint64_t lines;

	four_lines(k, &p, &text);
	for (int i = 0; i < 3; i++) {
		size_t from = line_at(&text, i), to = line_at(&text, i + 1);

		buf_init(&other, 2 * text.len);
		buf_add(&other, text.data, from);
		buf_add(&other, text.data + to, text.len - to);
		write_whole(k, p.dir, FIRST_FILE, other.data, other.len);
		assert_int_equal(signer_audit_verify(p.dir, &lines, &k->err), RC_INTEGRITY);
		want(k, place_open(k, &p), RC_INTEGRITY, "does not hold");
		buf_add(&other, text.data + from, to - from); /* ... and put at the end */
		write_whole(k, p.dir, FIRST_FILE, other.data, other.len);
		assert_int_equal(signer_audit_verify(p.dir, &lines, &k->err), RC_INTEGRITY);
		buf_done(&other);
	}
	buf_done(&text);
	place_empty(p.dir);
}

static void
lines_taken_off_the_end_are_noticed_at_the_next_start(void **state)
{
	struct kit *k = *state;
	struct place p;
	struct buf text;

	place_new(k, &p);
	ok(k, ask_cert(k, p.s, 1, 10));
	ok(k, ask_cert(k, p.s, 2, 10));
	signer_close(p.s);
	read_whole(k, &text, p.dir, FIRST_FILE);
	write_whole(k, p.dir, FIRST_FILE, text.data, line_at(&text, 1));
	want(k, place_open(k, &p), RC_INTEGRITY, "it ends at line 1, and there were 2");
	assert_non_null(strstr(k->err.hint, "together with the database"));
	buf_done(&text);
	place_empty(p.dir);
}

/* Power went: the end of the file is anywhere, or there are blocks of NULs. */
static void
a_crash_at_any_length_is_repaired(void **state)
{
	struct kit *k = *state;
	struct place p;
	struct buf text, cut;

	four_lines(k, &p, &text);
	buf_init(&cut, text.len + 10000);
	for (size_t len = 0; len <= text.len; len += 3) {
		uint64_t whole = 0;

		for (size_t i = 0; i < len; i++)
			whole += text.data[i] == '\n';
		buf_reset(&cut);
		buf_add(&cut, text.data, len);
		if (len % 2 == 1) /* some with NULs after it */
			memset(buf_grow(&cut, 4096), 0, 4096);
		write_whole(k, p.dir, FIRST_FILE, cut.data, cut.len);
		ok(k, place_open(k, &p));
		want(k, ask_cert(k, p.s, 9, 10), RC_OK, "");
		/* As after a crash again: no mark that it is complete. */
		signer_close(p.s);
		assert_int_equal(verified(k, p.dir), whole + 1);
		{
			char path[600];

			path_in(path, sizeof(path), p.dir, "serials");
			assert_int_equal(unlink(path), 0);
		}
	}
	buf_done(&cut);
	buf_done(&text);
	place_empty(p.dir);
}

/* No descriptor beyond the next. */
static void
one_descriptor_left(struct rlimit *before)
{
	struct rlimit l;
	int next = dup(STDERR_FILENO);

	assert_true(next >= 0);
	close(next);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, before), 0);
	l = *before;
	l.rlim_cur = (rlim_t)next + 1;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &l), 0);
}

/* The next file can be made, and its folder not be opened; the line after this one begins it again. */
static void
fail_to_begin_a_file(struct kit *k, struct audit *a, const uint8_t *sha)
{
	struct rlimit before;

	one_descriptor_left(&before);
	want(k, audit_append(a, "cert", "x", "01", sha, &k->err), RC_IO, "cannot open folder");
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
}

static bool
is_full(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && st.st_size >= (off_t)AUDIT_SEGMENT_MAX;
}

static void
the_chain_goes_on_from_file_to_file(void **state)
{
	struct kit *k = *state;
	char dir[300], path[600];
	struct audit *a;
	uint8_t sha[32] = { 7 };
	size_t lines = AUDIT_SEGMENT_MAX / 160, n_files = 0;
	bool failed = false;
	struct dirent *e;
	DIR *d;

	snprintf(dir, sizeof(dir), "%s/long", k->dir);
	ok(k, dir_make(dir, 0700, &k->err));
	ok(k, audit_open(&a, dir, 1, NULL, NULL, &k->err));
	path_in(path, sizeof(path), dir, FIRST_FILE);
	for (size_t i = 0; i < lines; i++) {
		ok(k,
		    audit_append(a, "cert", "a name that has to be escaped", "0123456789ABCDEF",
			sha, &k->err));
		if (!failed && (failed = is_full(path)))
			fail_to_begin_a_file(k, a, sha);
	}
	assert_true(failed);
	audit_close(a);
	assert_int_equal(verified(k, dir), lines);
	d = opendir(dir);
	assert_non_null(d);
	while ((e = readdir(d)) != NULL)
		n_files += e->d_name[0] == 'a';
	closedir(d);
	assert_true(n_files >= 2);
	/* From anywhere: the file before is looked at for what the chain was. */
	ok(k, audit_open(&a, dir, lines + 1, NULL, NULL, &k->err));
	ok(k, audit_append(a, "cert", "x", "01", sha, &k->err));
	audit_close(a);
	assert_int_equal(verified(k, dir), lines + 1);
	/* A file that is gone. */
	assert_int_equal(unlink(path), 0);
	{
		uint64_t n;

		assert_int_equal(signer_audit_verify(dir, &n, &k->err), RC_INTEGRITY);
	}
	place_empty(dir);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_number_is_for_one_certificate_and_the_same_bytes_are_answered_again),
		cmocka_unit_test(a_killed_signer_forgets_nothing),
		cmocka_unit_test(the_table_grows),
		cmocka_unit_test(numbers_of_lists_go_only_upward),
		cmocka_unit_test(two_signers_do_not_share_a_folder),
		cmocka_unit_test(a_folder_open_to_others_is_refused),
		cmocka_unit_test(every_use_that_matters_is_a_line),
		cmocka_unit_test(an_audit_without_lines_or_folder),
		cmocka_unit_test(any_changed_bit_breaks_the_chain),
		cmocka_unit_test(a_line_left_out_or_moved_breaks_the_chain),
		cmocka_unit_test(lines_taken_off_the_end_are_noticed_at_the_next_start),
		cmocka_unit_test(a_crash_at_any_length_is_repaired),
		cmocka_unit_test(the_chain_goes_on_from_file_to_file),
	};

	return cmocka_run_group_tests(tests, kit_setup, kit_teardown);
}
