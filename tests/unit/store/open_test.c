/*
 * open_test.c - opening: what is made, what is refused, and in which words.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fixture.h"

static enum rc
try_open(struct sf *f, bool shared)
{
	return shared ? store_open_shared(&f->s, f->url, &f->err)
		      : store_open(&f->s, f->url, &f->err);
}

/* Refused as the administrator's business, in words that hold `part`; nothing was opened. */
static void
refused(struct sf *f, bool shared, const char *part)
{
	enum rc rc = try_open(f, shared);

	if (rc != RC_CONFIG || strstr(f->err.msg, part) == NULL)
		fail_msg("%s: %s", rc_name(rc), rc == RC_OK ? "" : f->err.msg);
	assert_int_equal(f->err.rc, RC_CONFIG);
	assert_null(f->s);
}

static void
write_text(const char *path, const char *text)
{
	FILE *fp = fopen(path, "w");

	assert_non_null(fp);
	assert_true(fputs(text, fp) >= 0);
	assert_int_equal(fclose(fp), 0);
}

static void
all_files_are_for_the_owner_only(void **state)
{
	static const char *const names[] = { "", "-wal", "-shm", ".lock" };
	struct sf *f = *state;
	struct stat st;
	char path[400];
	mode_t old = umask(0);

	ok(f, try_open(f, false));
	umask(old);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s%s", f->path, names[i]);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 07777, 0600);
	}
}

static void
count_file(void *arg, const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	++*(int *)arg;
}

/* What the process that faces the network does: open all, give up the folder, then run. */
static void
it_opens_in_two_halves(void **state)
{
	struct sf *f = *state;
	struct store *second = NULL;
	int files = 0;

	ok(f, store_prepare(&f->s, f->url, &f->err));
	store_files(f->s, count_file, &files);
	assert_int_equal(files, 3);
	assert_int_equal(store_open(&second, f->url, &f->err), RC_CONFIG);
	ok(f, store_start(f->s, &f->err));
	sf_drive(f, 1, TX_SIGNED);
	sf_restart(f);
	sf_begin(f, 1, TX_SIGNED);
	store_close(f->s);
	f->s = NULL;
	ok(f, store_prepare(&f->s, f->url, &f->err)); /* teardown closes what never ran */
}

static void
an_empty_file_becomes_a_database(void **state)
{
	struct sf *f = *state;

	write_text(f->path, "");
	ok(f, try_open(f, false));
	sf_drive(f, 1, TX_SIGNED);
	sf_restart(f);
	sf_begin(f, 1, TX_SIGNED);
}

static void
commits_reach_the_disk(void **state)
{
	struct sf *f = *state;

	ok(f, try_open(f, false));
	assert_int_equal(sf_number(f, "SELECT journal_mode = 'wal' FROM pragma_journal_mode"), 1);
}

static void
addresses_without_a_known_scheme_are_refused(void **state)
{
	static const char *const urls[] = { "", "sqlite", "/var/lib/x.db", "postgresql://x",
		"SQLITE:x" };
	struct sf *f = *state;

	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		snprintf(f->url, sizeof(f->url), "%s", urls[i]);
		refused(f, false, "must look like sqlite:FILE");
	}
	snprintf(f->url, sizeof(f->url), "sqlite:");
	refused(f, false, "names no file");
}

static void
what_is_no_database_is_refused_and_left_alone(void **state)
{
	struct sf *f = *state;
	char back[100] = "";
	FILE *fp;

	write_text(f->path, "This is a letter to my grandmother, and it is not short at all.");
	refused(f, false, "is not a database");
	refused(f, true, "is not a database");
	fp = fopen(f->path, "r");
	assert_non_null(fp);
	assert_non_null(fgets(back, sizeof(back), fp));
	fclose(fp);
	assert_memory_equal(back, "This is a letter", 16);
}

static void
a_database_of_another_program_is_refused_and_left_alone(void **state)
{
	struct sf *f = *state;

	sf_sql(f, "CREATE TABLE songs(title); PRAGMA user_version = 1");
	refused(f, false, "database of another program");
	refused(f, true, "database of another program");
	assert_int_equal(sf_number(f, "SELECT count(*) FROM sqlite_schema"), 1);
	assert_int_equal(sf_number(f, "SELECT journal_mode = 'wal' FROM pragma_journal_mode"), 0);
}

static void
a_newer_schema_is_refused_and_left_alone(void **state)
{
	struct sf *f = *state;

	ok(f, try_open(f, false));
	store_close(f->s);
	f->s = NULL;
	sf_sql(f, "PRAGMA user_version = 77");
	refused(f, false, "was written by a newer version of this program (its schema is 77");
	assert_string_not_equal(f->err.hint, "");
	refused(f, true, "newer version");
	assert_int_equal(sf_number(f, "PRAGMA user_version"), 77);
}

static void
a_folder_that_cannot_be_written_is_refused(void **state)
{
	struct sf *f = *state;

	snprintf(f->url, sizeof(f->url), "sqlite:/proc/scepd.db");
	refused(f, false, "/proc/scepd.db");
	snprintf(f->url, sizeof(f->url), "sqlite:%s/no/such/folder.db", f->dir);
	refused(f, false, "no/such/folder.db");
	snprintf(f->url, sizeof(f->url), "sqlite:%s", f->dir);
	refused(f, false, "is no file");
}

static void
a_folder_open_to_others_is_warned_of(void **state)
{
	struct sf *f = *state;

	ok(f, try_open(f, false));
	assert_string_equal(f->err.hint, "");
	store_close(f->s);
	f->s = NULL;
	assert_int_equal(chmod(f->dir, 0777), 0);
	ok(f, try_open(f, false));
	assert_non_null(strstr(f->err.hint, f->dir));
}

static void
a_second_daemon_is_refused(void **state)
{
	struct sf *f = *state;
	struct store *first;

	ok(f, try_open(f, false));
	first = f->s;
	f->s = NULL;
	refused(f, false, "another scepd is using");
	store_close(first);
	ok(f, try_open(f, false));
}

static void
the_lock_of_a_killed_daemon_is_gone(void **state)
{
	struct sf *f = *state;
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		if (store_open(&f->s, f->url, &f->err) == RC_OK)
			(void)raise(SIGKILL);
		_exit(1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	ok(f, try_open(f, false));
}

static void
a_tool_makes_no_database(void **state)
{
	struct sf *f = *state;
	struct stat st;

	refused(f, true, "there is no database at");
	assert_int_not_equal(stat(f->path, &st), 0);
	write_text(f->path, "");
	refused(f, true, "is empty");
	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(st.st_size, 0);
}

static void
a_tool_works_beside_the_daemon(void **state)
{
	struct sf *f = *state;
	struct store_cert_row row;
	struct store *tool;
	uint64_t rows, number;
	struct sf_tx t;

	ok(f, try_open(f, false));
	sf_drive(f, 1, TX_NOTIFIED);
	ok(f, store_open_shared(&tool, f->url, &f->err));
	sf_tx(&t, 1);
	/* Audit rows of both, in turns. */
	ok(f, store_cert_revoke(tool, t.serial, NULL, 1, "by hand", &f->err));
	ok(f, store_audit(f->s, "a", "", &f->err));
	ok(f, store_audit(tool, "b", "", &f->err));
	ok(f, store_audit(f->s, "c", "", &f->err));
	ok(f, store_cert_get(f->s, t.serial, NULL, &row, &f->err));
	assert_string_equal(row.revoked_why, "by hand");
	store_cert_row_done(&row);
	ok(f, store_audit_verify(f->s, &rows, &f->err));
	assert_int_equal(rows, 5);
	ok(f, store_crl_numbers(tool, "issuing", 1, &number, &f->err));
	ok(f, store_crl_numbers(f->s, "issuing", 1, &number, &f->err));
	assert_int_equal(number, 2);
	store_close(tool);
	ok(f, store_audit(f->s, "d", "", &f->err));
}

#define T(name) cmocka_unit_test_setup_teardown(name, sf_setup_closed, sf_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		T(all_files_are_for_the_owner_only),
		T(it_opens_in_two_halves),
		T(an_empty_file_becomes_a_database),
		T(commits_reach_the_disk),
		T(addresses_without_a_known_scheme_are_refused),
		T(what_is_no_database_is_refused_and_left_alone),
		T(a_database_of_another_program_is_refused_and_left_alone),
		T(a_newer_schema_is_refused_and_left_alone),
		T(a_folder_that_cannot_be_written_is_refused),
		T(a_folder_open_to_others_is_warned_of),
		T(a_second_daemon_is_refused),
		T(the_lock_of_a_killed_daemon_is_gone),
		T(a_tool_makes_no_database),
		T(a_tool_works_beside_the_daemon),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
