/*
 * disk_test.c - a disk that fails under the audit: nothing is signed that is not written down, nothing that was signed is
 * lost, and with the disk the signer is there again, by itself.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "signer/signer_audit.h"

#include "fixture.h"

/* ---- a disk ---- */

/* What the kernel does when a disk fails: it says so once, and what it could not write is gone. */
static atomic_int failing; /* errno of every sync; 0: the disk is sound */
static atomic_bool forgets;
static _Atomic off_t sound; /* bytes of the file that are on the disk */

int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);

int
__wrap_fdatasync(int fd)
{
	int why = atomic_load(&failing);
	struct stat st;

	if (why == 0) {
		if (fstat(fd, &st) == 0)
			atomic_store(&sound, st.st_size);
		return __real_fdatasync(fd);
	}
	if (atomic_load(&forgets) && fstat(fd, &st) == 0 && st.st_size > atomic_load(&sound)) {
		assert_int_equal(ftruncate(fd, atomic_load(&sound)), 0);
		assert_int_equal(ftruncate(fd, st.st_size), 0); /* NULs where lines were */
	}
	errno = why;
	return -1;
}

/* ---- an audit on it ---- */

static const uint8_t sha[32] = { 1, 2, 3 };

static struct audit *
audit_new(struct kit *k, char *dir, size_t size)
{
	static int n;
	struct audit *a;

	atomic_store(&failing, 0);
	atomic_store(&sound, 0);
	snprintf(dir, size, "%s/disk%d", k->dir, n++);
	assert_int_equal(mkdir(dir, 0700), 0);
	ok(k, audit_open(&a, dir, 1, NULL, NULL, &k->err));
	return a;
}

static enum rc
append(struct kit *k, struct audit *a)
{
	return audit_append(a, "cert", "x", "01", sha, &k->err);
}

static uint64_t
lines_of(struct kit *k, const char *dir)
{
	uint64_t n = 0;

	ok(k, signer_audit_verify(dir, &n, &k->err));
	return n;
}

/* Until a line is taken again, for at most a minute. */
static bool
goes_on(struct kit *k, struct audit *a)
{
	for (int i = 0; i < 6000; i++) {
		if (append(k, a) == RC_OK)
			return true;
		usleep(10000);
	}
	return false;
}

static void
a_disk_that_fails_stops_lines_and_loses_none(void **state)
{
	struct kit *k = *state;
	char dir[300];
	struct audit *a = audit_new(k, dir, sizeof(dir));

	for (int i = 0; i < 10; i++)
		ok(k, append(k, a));
	ok(k, audit_sync(a, &k->err));
	for (int i = 0; i < 10; i++)
		ok(k, append(k, a));
	atomic_store(&forgets, true);
	atomic_store(&failing, ENOSPC);
	assert_int_equal(audit_sync(a, &k->err), RC_IO);
	assert_non_null(strstr(k->err.msg, "No space left on device"));
	for (int i = 0; i < 3; i++) {
		assert_int_equal(append(k, a), RC_IO);
		assert_non_null(strstr(k->err.msg, "No space left on device"));
	}
	assert_int_equal(audit_last(a), 20);
	atomic_store(&failing, 0);
	assert_true(goes_on(k, a));
	assert_int_equal(lines_of(k, dir), 21);
	audit_close(a);
	assert_int_equal(lines_of(k, dir), 21);
}

/* Also when nobody asks for a signature meanwhile. */
static void
a_disk_that_is_back_is_found_without_a_request(void **state)
{
	struct kit *k = *state;
	char dir[300];
	struct audit *a = audit_new(k, dir, sizeof(dir));
	uint64_t n = 0;

	atomic_store(&forgets, true);
	atomic_store(&failing, EIO);
	ok(k, append(k, a)); /* its sync comes within a second, and fails */
	for (int i = 0; i < 6000 && append(k, a) == RC_OK; i++)
		usleep(10000);
	assert_int_equal(append(k, a), RC_IO);
	n = audit_last(a);
	atomic_store(&failing, 0);
	for (int i = 0; i < 6000 && atomic_load(&sound) == 0; i++)
		usleep(10000);
	assert_true(atomic_load(&sound) > 0);
	assert_int_equal(lines_of(k, dir), n);
	ok(k, append(k, a));
	audit_close(a);
}

/* The last word, at the end of the process. */
static void
what_a_failing_disk_has_not_taken_is_tried_at_the_end(void **state)
{
	struct kit *k = *state;
	char dir[300];
	struct audit *a = audit_new(k, dir, sizeof(dir));

	ok(k, append(k, a));
	atomic_store(&forgets, true);
	atomic_store(&failing, EIO);
	assert_int_equal(audit_sync(a, &k->err), RC_IO);
	atomic_store(&failing, 0);
	audit_close(a);
	assert_int_equal(lines_of(k, dir), 1);
}

/* A write that is cut short by the file's limit, as by a disk that has room for half a line. */
static void
half_a_line_is_taken_back(void **state)
{
	struct kit *k = *state;
	struct rlimit all, small;
	char dir[300], path[400];
	struct audit *a = audit_new(k, dir, sizeof(dir));
	struct stat st;

	(void)signal(SIGXFSZ, SIG_IGN);
	ok(k, append(k, a));
	snprintf(path, sizeof(path), "%s/audit-000000000001", dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &all), 0);
	small = all;
	small.rlim_cur = (rlim_t)st.st_size + 10;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_equal(append(k, a), RC_IO);
	assert_int_equal(append(k, a), RC_IO);
	assert_non_null(strstr(k->err.msg, "File too large"));
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &all), 0);
	ok(k, append(k, a));
	assert_int_equal(lines_of(k, dir), 2);
	audit_close(a);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_disk_that_fails_stops_lines_and_loses_none),
		cmocka_unit_test(a_disk_that_is_back_is_found_without_a_request),
		cmocka_unit_test(what_a_failing_disk_has_not_taken_is_tried_at_the_end),
		cmocka_unit_test(half_a_line_is_taken_back),
	};

	return cmocka_run_group_tests(tests, kit_setup, kit_teardown);
}
