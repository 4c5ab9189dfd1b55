/*
 * secret_test.c - secrets from a file, from systemd and from a terminal of the test's own.
 */
#include "unit.h"

#include <pty.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/locked.h"
#include "base/secret.h"

static char dir[64];

static int
enter(void **state)
{
	strcpy(dir, "/tmp/secret_test.XXXXXX");
	return mkdtemp(dir) != NULL ? 0 : -1;
}

static int
leave(void **state)
{
	return rmdir(dir);
}

static const char *
put(const char *name, const void *p, size_t len, mode_t mode)
{
	static char path[160];
	FILE *f;

	snprintf(path, sizeof path, "%s/%s", dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(p, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, mode), 0);
	return path;
}

static void
a_file_is_read_without_its_newline(void **state)
{
	const char *path = put("s", "hunter2\n", 8, 0600);
	struct err err = { 0 };
	struct buf b;

	buf_init(&b, LIMIT_SECRET_FILE);
	assert_int_equal(secret_read(&b, path, "PIN", &err), RC_OK);
	assert_string_equal(buf_str(&b), "hunter2");
	buf_wipe(&b);
	assert_int_equal(chmod(path, 0644), 0);
	assert_int_equal(secret_read(&b, path, "PIN", &err), RC_CONFIG);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(secret_read(&b, path, "PIN", &err), RC_CONFIG);
	assert_non_null(strstr(err.msg, path));
	buf_wipe(&b);
}

static void
a_secret_with_a_nul_is_refused(void **state)
{
	const char *path = put("s", "a\0b", 3, 0600);
	struct err err = { 0 };
	struct buf b;

	buf_init(&b, LIMIT_SECRET_FILE);
	buf_adds(&b, "before");
	assert_int_equal(secret_read(&b, path, "PIN", &err), RC_CONFIG);
	assert_string_equal(buf_str(&b), "before");
	assert_int_equal(unlink(path), 0);
	buf_wipe(&b);
}

static void
a_credential_is_a_file_of_systemds_folder(void **state)
{
	static const char *const bad[] = { "credential:", "credential:..",
		"credential:../etc/passwd", "credential:a/b", "credential:.hidden",
		"credential:missing" };
	const char *path = put("ca-pin", "1234", 4, 0400);
	struct err err = { 0 };
	struct buf b;
	size_t i;

	buf_init(&b, LIMIT_SECRET_FILE);
	assert_int_equal(unsetenv("CREDENTIALS_DIRECTORY"), 0);
	assert_int_equal(secret_read(&b, "credential:ca-pin", "PIN", &err), RC_CONFIG);
	assert_non_null(strstr(err.hint, "LoadCredential=ca-pin:"));
	assert_int_equal(setenv("CREDENTIALS_DIRECTORY", dir, 1), 0);
	assert_int_equal(secret_read(&b, "credential:ca-pin", "PIN", &err), RC_OK);
	assert_string_equal(buf_str(&b), "1234");
	buf_wipe(&b);
	for (i = 0; i < COUNT(bad); i++) {
		assert_int_equal(secret_read(&b, bad[i], "PIN", &err), RC_CONFIG);
		assert_int_equal(b.len, 0);
	}
	assert_int_equal(unsetenv("CREDENTIALS_DIRECTORY"), 0);
	assert_int_equal(unlink(path), 0);
	buf_wipe(&b);
}

/* A program on a terminal of its own: it asks, and tells what it got. */
struct child {
	pid_t pid;
	int term, told;
	char seen[512]; /* what the terminal showed so far */
	size_t len;
};

typedef enum rc read_fn(struct buf *, const char *, const char *, struct err *);

static void
child_main(read_fn *fn, int tell)
{
	struct err err = { 0 };
	struct buf b;
	enum rc rc;

	/* What nohup and background jobs of scripts have ignored stays so in what they start. */
	(void)signal(SIGINT, SIG_DFL);
	(void)signal(SIGHUP, SIG_DFL);
	(void)signal(SIGQUIT, SIG_DFL);
	buf_init(&b, LIMIT_SECRET_FILE);
	rc = fn(&b, "prompt", "passphrase of the root", &err);
	dprintf(tell, "%d:%s", (int)rc, buf_str(&b));
	_exit(0);
}

static void
child_start(struct child *c, read_fn *fn)
{
	int p[2];

	*c = (struct child){ 0 };
	assert_int_equal(pipe(p), 0);
	c->pid = forkpty(&c->term, NULL, NULL, NULL);
	assert_true(c->pid >= 0);
	if (c->pid == 0) {
		close(p[0]);
		child_main(fn, p[1]);
	}
	close(p[1]);
	c->told = p[0];
}

/* Wait until the terminal has shown `text` `times` times. */
static void
child_shows(struct child *c, const char *text, unsigned times)
{
	for (;;) {
		const char *at = c->seen;
		unsigned n = 0;
		ssize_t got;

		while ((at = strstr(at, text)) != NULL) {
			at++;
			n++;
		}
		if (n >= times)
			return;
		got = read(c->term, c->seen + c->len, sizeof c->seen - c->len - 1);
		assert_true(got > 0);
		c->len += (size_t)got;
	}
}

static void
child_types(const struct child *c, const char *text)
{
	assert_int_equal(write(c->term, text, strlen(text)), (ssize_t)strlen(text));
}

static bool
child_echoes(const struct child *c)
{
	struct termios t;

	assert_int_equal(tcgetattr(c->term, &t), 0);
	return (t.c_lflag & ECHO) != 0;
}

/* What the program told; "" when it did not come to that.  Its wait status in *status. */
static const char *
child_end(struct child *c, int *status)
{
	static char told[2048];
	size_t len = 0;
	ssize_t n;

	while ((n = read(c->told, told + len, sizeof told - len - 1)) > 0)
		len += (size_t)n;
	told[len] = '\0';
	/* What it still shows; EIO is the end. */
	while (c->len < sizeof c->seen - 1 &&
	    (n = read(c->term, c->seen + c->len, sizeof c->seen - c->len - 1)) > 0)
		c->len += (size_t)n;
	assert_int_equal(waitpid(c->pid, status, 0), c->pid);
	close(c->told);
	close(c->term);
	return told;
}

static void
a_prompt_is_answered_without_echo(void **state)
{
	struct child c;
	int status;

	child_start(&c, secret_read);
	child_shows(&c, "passphrase of the root: ", 1);
	assert_false(child_echoes(&c));
	child_types(&c, "open sesame\n");
	assert_string_equal(child_end(&c, &status), "0:open sesame");
	assert_null(strstr(c.seen, "sesame"));
	assert_int_equal(status, 0);
}

static void
the_echo_is_back_before_a_signal_ends_the_program(void **state)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	struct child c;
	int status, keep;
	size_t i;

	for (i = 0; i < COUNT(signals); i++) {
		child_start(&c, secret_read);
		child_shows(&c, "root: ", 1);
		keep = dup(c.term);
		assert_int_equal(kill(c.pid, signals[i]), 0);
		assert_string_equal(child_end(&c, &status), "");
		assert_true(WIFSIGNALED(status));
		assert_int_equal(WTERMSIG(status), signals[i]);
		c.term = keep;
		assert_true(child_echoes(&c));
		close(keep);
	}
}

static void
interrupt_is_a_key_of_the_terminal(void **state)
{
	struct child c;
	int status;

	child_start(&c, secret_read);
	child_shows(&c, "root: ", 1);
	child_types(&c, "half\x03");
	assert_string_equal(child_end(&c, &status), "");
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGINT);
}

static void
a_program_that_was_stopped_asks_again(void **state)
{
	struct child c;
	int status;

	child_start(&c, secret_read);
	child_shows(&c, "root: ", 1);
	assert_int_equal(kill(c.pid, SIGTSTP), 0);
	/* No shell is its parent, so the kernel does not stop it: the group is orphaned. */
	child_shows(&c, "root: ", 2);
	assert_false(child_echoes(&c));
	child_types(&c, "later\n");
	assert_string_equal(child_end(&c, &status), "0:later");
}

static void
no_answer_and_too_long_a_one_are_errors(void **state)
{
	char line[1500], want[8];
	struct child c;
	int status;

	child_start(&c, secret_read);
	child_shows(&c, "root: ", 1);
	child_types(&c, "\x04");
	snprintf(want, sizeof want, "%d:", RC_CONFIG);
	assert_string_equal(child_end(&c, &status), want);

	memset(line, 'x', sizeof line);
	line[sizeof line - 2] = '\n';
	line[sizeof line - 1] = '\0';
	child_start(&c, secret_read);
	child_shows(&c, "root: ", 1);
	child_types(&c, line);
	snprintf(want, sizeof want, "%d:", RC_LIMIT);
	assert_string_equal(child_end(&c, &status), want);
}

static void
a_new_secret_is_asked_for_twice(void **state)
{
	static const struct {
		const char *first, *second;
		enum rc want;
		const char *secret;
	} cases[] = { { "abc\n", "abc\n", RC_OK, "abc" }, { "abc\n", "abd\n", RC_CONFIG, "" },
		{ "\n", NULL, RC_CONFIG, "" } };
	char want[32];
	struct child c;
	int status;
	size_t i;

	for (i = 0; i < COUNT(cases); i++) {
		child_start(&c, secret_read_new);
		child_shows(&c, "root: ", 1);
		child_types(&c, cases[i].first);
		if (cases[i].second != NULL) {
			child_shows(&c, "root, again: ", 1);
			child_types(&c, cases[i].second);
		}
		snprintf(want, sizeof want, "%d:%s", (int)cases[i].want, cases[i].secret);
		assert_string_equal(child_end(&c, &status), want);
	}
}

static void
without_a_terminal_a_prompt_is_a_mistake_of_the_configuration(void **state)
{
	struct err err = { 0 };
	struct buf b;
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		buf_init(&b, 100);
		if (setsid() < 0)
			_exit(2);
		_exit(secret_read(&b, "prompt", "PIN", &err) == RC_CONFIG && err.hint[0] != '\0'
			? 0
			: 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void
an_empty_new_secret_is_refused_from_a_file_too(void **state)
{
	const char *path = put("s", "\n", 1, 0600);
	struct err err = { 0 };
	struct buf b;

	buf_init(&b, 100);
	assert_int_equal(secret_read(&b, path, "PIN", &err), RC_OK);
	assert_int_equal(b.len, 0);
	assert_int_equal(secret_read_new(&b, path, "PIN", &err), RC_CONFIG);
	assert_int_equal(unlink(path), 0);
	buf_wipe(&b);
}

/* The kernel's word on the mapping at p (proc(5), smaps): "lo" is locked, "dd" not dumped. */
static bool
mapping_has(const void *p, const char *flag)
{
	char line[512], start[32];
	bool here = false, has = false;
	FILE *f = fopen("/proc/self/smaps", "r");

	assert_non_null(f);
	snprintf(start, sizeof start, "%08lx-", (unsigned long)(uintptr_t)p);
	while (fgets(line, sizeof line, f) != NULL) {
		if (strncmp(line, start, strlen(start)) == 0)
			here = true;
		if (!here || strncmp(line, "VmFlags:", 8) != 0)
			continue;
		has = strstr(line, flag) != NULL;
		break;
	}
	fclose(f);
	assert_true(here);
	return has;
}

/* Not where RLIMIT_MEMLOCK is 0, nor under AddressSanitizer, whose mlock() does nothing. */
static bool
locking_works(void)
{
	char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	bool works;

	assert_ptr_not_equal(page, MAP_FAILED);
	/* A mapping of its own, whatever lies beside it. */
	assert_int_equal(madvise(page, 4096, MADV_DONTDUMP), 0);
	works = mlock(page, 4096) == 0 && mapping_has(page, " lo");
	assert_int_equal(munmap(page, 4096), 0);
	return works;
}

static void
kept_secrets_are_locked_and_in_no_core(void **state)
{
	bool locking = locking_works();
	struct err err = { 0 };
	char *p = NULL;

	assert_int_equal(locked_copy(&p, "1234", 4, &err), RC_OK);
	assert_string_equal(p, "1234");
	assert_true(mapping_has(p, " dd"));
	if (locking)
		assert_true(mapping_has(p, " lo"));
	else
		print_message("locked memory is not to be had here\n");
	locked_free(p, 4);
	locked_free(NULL, 0);
	assert_int_equal(locked_copy(&p, "", LOCKED_MAX + 1, &err), RC_LIMIT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_is_read_without_its_newline),
		cmocka_unit_test(a_secret_with_a_nul_is_refused),
		cmocka_unit_test(a_credential_is_a_file_of_systemds_folder),
		cmocka_unit_test(a_prompt_is_answered_without_echo),
		cmocka_unit_test(the_echo_is_back_before_a_signal_ends_the_program),
		cmocka_unit_test(interrupt_is_a_key_of_the_terminal),
		cmocka_unit_test(a_program_that_was_stopped_asks_again),
		cmocka_unit_test(no_answer_and_too_long_a_one_are_errors),
		cmocka_unit_test(a_new_secret_is_asked_for_twice),
		cmocka_unit_test(without_a_terminal_a_prompt_is_a_mistake_of_the_configuration),
		cmocka_unit_test(an_empty_new_secret_is_refused_from_a_file_too),
		cmocka_unit_test(kept_secrets_are_locked_and_in_no_core),
	};

	return cmocka_run_group_tests(tests, enter, leave);
}
