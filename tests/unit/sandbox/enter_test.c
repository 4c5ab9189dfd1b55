/*
 * enter_test.c - becoming a user, keeping capabilities, the supervisor's part, the report; and the
 * tables themselves.
 */
#include "kit.h"

#include <fcntl.h>
#include <pthread.h>
#include <pwd.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/text.h"

#include "sandbox/calls_int.h"

#define ROOT_ONLY()                                                                                \
	do {                                                                                       \
		if (geteuid() != 0) {                                                              \
			(void)printf("skip %s: this test is not run by root\n", __func__);         \
			skip();                                                                    \
		}                                                                                  \
	} while (0)

/* A child that only runs `fn`. */
static int
child(attempt *fn)
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(fn());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : KILLED;
}

/* "CapEff:\t00000000000000c0" -> what follows the tab. */
static void
status_of(pid_t pid, const char *key, char *out, size_t len)
{
	char path[64], line[256];
	FILE *f;

	(void)snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
	assert_non_null(f = fopen(path, "re"));
	out[0] = '\0';
	while (fgets(line, sizeof line, f) != NULL)
		if (str_starts(line, key) && line[strlen(key)] == ':') {
			line[strcspn(line, "\n")] = '\0';
			(void)snprintf(out, len, "%s", line + strlen(key) + 2);
		}
	(void)fclose(f);
}

static uint64_t
caps_of(pid_t pid, const char *which)
{
	char text[64];

	status_of(pid, which, text, sizeof text);
	return strtoull(text, NULL, 16);
}

/* ---- identity ---- */

static int
no_such_user(void)
{
	struct err err;

	return !(sandbox_identity("no-such-user-here", &err) == RC_CONFIG &&
	    strstr(err.msg, "no-such-user-here") != NULL && err.hint[0] != '\0');
}

static int
root_is_no_user(void)
{
	struct err err;

	return !(sandbox_identity("root", &err) == RC_CONFIG && strstr(err.msg, "root") != NULL);
}

/* First one, then as that one another. */
static int
only_root_becomes(void)
{
	struct err err;

	if (geteuid() == 0 && sandbox_identity("daemon", &err) != RC_OK)
		return 1;
	return !(sandbox_identity("nobody", &err) == RC_CONFIG && err.hint[0] != '\0');
}

static int
who_one_is_already(void)
{
	struct err err;
	struct passwd *pw = getpwuid(geteuid());

	return pw == NULL ? 0 : sandbox_identity(pw->pw_name, &err) != RC_OK;
}

static void
wrong_users_are_named(void **state)
{
	assert_int_equal(child(no_such_user), 0);
	assert_int_equal(child(only_root_becomes), 0);
	assert_int_equal(child(who_one_is_already), 0);
	if (geteuid() == 0)
		return; /* root is who we are */
	assert_int_equal(child(root_is_no_user), 0);
}

static int
became_nobody(void)
{
	const struct passwd *pw = getpwnam("nobody");
	struct err err;
	uid_t r, e, s;

	int sig;

	if (prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0) != 0 ||
	    sandbox_identity("nobody", &err) != RC_OK)
		return 1;
	if (prctl(PR_GET_PDEATHSIG, &sig, 0, 0, 0) != 0 || sig != SIGTERM)
		return 5;
	if (getresuid(&r, &e, &s) != 0 || r != pw->pw_uid || e != r || s != r)
		return 2;
	if (setuid(0) == 0 || seteuid(0) == 0 || setgid(0) == 0 || getgroups(0, NULL) > 1)
		return 3;
	return open(in_world(world.dir, "roots"), O_RDONLY) >= 0 ? 4 : 0;
}

static void
a_user_is_for_good(void **state)
{
	int fd;

	ROOT_ONLY();
	fd = open(in_world(world.dir, "roots"), O_CREAT | O_WRONLY, 0600);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(child(became_nobody), 0);
}

/* Root without capabilities is a user like any other. */
static int
powerless_root(void)
{
	struct err err;

	if (sandbox_identity(NULL, &err) != RC_OK)
		return 1;
	if (caps_of(getpid(), "CapPrm") != 0 || caps_of(getpid(), "CapBnd") != 0)
		return 2;
	return open(in_world(world.outside, "key"), O_RDONLY) >= 0 ? 3 : 0;
}

static void
root_that_stays_root_has_no_power(void **state)
{
	ROOT_ONLY();
	assert_int_equal(child(powerless_root), 0);
}

/* ---- what the kernel says of a process in each role ---- */

static void
as_the_kernel_sees_it(enum dress d)
{
	struct sandbox_report can;
	struct stat st;
	char text[64], path[64];
	int stop;
	pid_t pid = waiting_child(d, &stop);
	uint64_t kept = UINT64_C(1) << 0 | UINT64_C(1) << 2 | UINT64_C(1) << 5 | UINT64_C(1) << 6 |
	    UINT64_C(1) << 7 | UINT64_C(1) << 8 | UINT64_C(1) << 10;

	sandbox_probe(&can);
	status_of(pid, "NoNewPrivs", text, sizeof text);
	assert_string_equal(text, "1");
	status_of(pid, "Seccomp", text, sizeof text);
	assert_string_equal(text, can.calls ? "2" : "0");
	assert_int_equal(caps_of(pid, "CapEff") & ~(d == AS_SUPERVISOR ? kept : 0), 0);
	assert_int_equal(caps_of(pid, "CapPrm") & ~(d == AS_SUPERVISOR ? kept : 0), 0);
	assert_int_equal(caps_of(pid, "CapInh"), 0);
	assert_int_equal(caps_of(pid, "CapAmb"), 0);
	if (geteuid() == 0)
		assert_int_equal(caps_of(pid, "CapBnd") & ~(d == AS_SUPERVISOR ? kept : 0), 0);
	/* What is not dumpable is root's in /proc. */
	(void)snprintf(path, sizeof path, "/proc/%d/maps", (int)pid);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_uid, 0);
	end_child(pid, stop);
}

static void
the_kernel_agrees(void **state)
{
	as_the_kernel_sees_it(AS_FRONT);
	as_the_kernel_sees_it(AS_SIGNER);
	as_the_kernel_sees_it(AS_SUPERVISOR);
}

static int
core_limit(void)
{
	struct rlimit r;

	return !(getrlimit(RLIMIT_CORE, &r) == 0 && r.rlim_cur == 0 && r.rlim_max == 0);
}

static void
no_core_is_written(void **state)
{
	assert_int_equal(attempt_as(AS_FRONT, core_limit), 0);
	assert_int_equal(attempt_as(AS_SIGNER, core_limit), 0);
	assert_int_equal(attempt_as(AS_SUPERVISOR, core_limit), 0);
}

/* ---- the supervisor ---- */

static int
mounts(void)
{
	return result(mount("none", world.outside, "tmpfs", 0, NULL));
}

static int
traces(void)
{
	return result(ptrace(PTRACE_TRACEME, 0, NULL, NULL));
}

static int
sees_packets(void)
{
	return result(socket(AF_PACKET, SOCK_DGRAM, 0));
}

static void
the_supervisor_makes_no_fatal_call(void **state)
{
	assert_int_equal(attempt_as(AS_SUPERVISOR, mounts), KILLED);
	assert_int_equal(attempt_as(AS_SUPERVISOR, sees_packets), KILLED);
	if (!SANITIZED)
		assert_int_equal(attempt_as(AS_SUPERVISOR, traces), KILLED);
}

static const char *role_name[] = { [AS_FRONT] = "front", [AS_SIGNER] = "signer" };

/* From within its sandbox, with the file that this program was started from. */
static int
starts(enum dress d)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		execl("/proc/self/exe", "child", role_name[d], world.state, world.readable, NULL);
		_exit(99);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return 98;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 97;
}

static int
starts_both_twice(void)
{
	int bad = 0;

	for (int i = 0; i < 2; i++)
		bad |= starts(AS_FRONT) | starts(AS_SIGNER);
	return bad;
}

static void
the_supervisor_starts_children_that_enter_theirs(void **state)
{
	assert_int_equal(attempt_as(AS_SUPERVISOR, starts_both_twice), 0);
}

/* The exec'ed child: as another user when root has started it, and at work. */
static int
exec_child(char **argv)
{
	struct err err;
	enum dress d = strcmp(argv[1], "front") == 0 ? AS_FRONT : AS_SIGNER;
	bool root = geteuid() == 0;
	int fd;

	(void)snprintf(world.state, sizeof world.state, "%s", argv[2]);
	(void)snprintf(world.readable, sizeof world.readable, "%s", argv[3]);
	if (put_on(d, &err) != RC_OK) {
		(void)fprintf(stderr, "the child: %s\n", err.msg);
		return 2;
	}
	if (root && geteuid() == 0)
		return 3;
	fd = socket(AF_INET, SOCK_STREAM, 0);
	if ((fd >= 0) != (d == AS_FRONT))
		return 4;
	return open(in_world(world.state, "mine"), O_RDWR) < 0;
}

/* ---- entering ---- */

static enum rc
enter(const struct sandbox *s, struct err *err)
{
	struct sandbox_report report;

	return sandbox_enter(&report, s, err);
}

static int
with_capabilities(void)
{
	struct sandbox s = { .role = SANDBOX_SIGNER };
	struct err err;

	return enter(&s, &err) != RC_BUG;
}

static void *
sleeper(void *arg)
{
	(void)pause();
	return arg;
}

static int
with_threads(void)
{
	struct sandbox s = { .role = SANDBOX_SIGNER };
	struct err err;
	pthread_t t;

	if (sandbox_identity(NULL, &err) != RC_OK || pthread_create(&t, NULL, sleeper, NULL) != 0)
		return 1;
	return !(enter(&s, &err) == RC_BUG && strstr(err.msg, "2 threads") != NULL);
}

static int
with_a_path_that_is_not_there(void)
{
	const struct sandbox_path p = { "/nowhere/at/all", SANDBOX_READ, false };
	struct sandbox s = { .role = SANDBOX_SIGNER, .paths = &p, .n_paths = 1 };
	struct err err;

	if (sandbox_identity(NULL, &err) != RC_OK)
		return 1;
	return !(enter(&s, &err) == RC_CONFIG && strstr(err.msg, p.path) != NULL);
}

static int
a_supervisor_with_paths(void)
{
	const struct sandbox_path p = { "/tmp", SANDBOX_READ, false };
	struct sandbox s = { .role = SANDBOX_SUPERVISOR, .paths = &p, .n_paths = 1 };
	struct err err;

	return sandbox_keep_caps(&err) != RC_OK || enter(&s, &err) != RC_BUG;
}

static void
mistakes_are_refused(void **state)
{
	struct sandbox_report can;

	sandbox_probe(&can);
	if (geteuid() == 0)
		assert_int_equal(child(with_capabilities), 0);
	if (!SANITIZED)
		assert_int_equal(child(with_threads), 0);
	if (can.files)
		assert_int_equal(child(with_a_path_that_is_not_there), 0);
	assert_int_equal(child(a_supervisor_with_paths), 0);
}

/* What a rule is bound to: the file that was there, the folder whatever is in it. */
static int
file_after_rename(void)
{
	char list[160];
	const struct sandbox_path p[] = { { list, SANDBOX_READ | SANDBOX_WRITE, false },
		{ world.state, SANDBOX_READ | SANDBOX_WRITE | SANDBOX_MAKE, false } };
	struct sandbox s = { .role = SANDBOX_SIGNER, .paths = p, .n_paths = 2 };
	struct err err;

	(void)snprintf(list, sizeof list, "%s/file", world.outside);
	if (sandbox_identity(geteuid() == 0 ? "nobody" : NULL, &err) != RC_OK ||
	    enter(&s, &err) != RC_OK)
		return 1;
	if (open(list, O_RDWR) < 0)
		return 2;
	if (kill(getpid(), 0) != 0 || write(world.tcp_fd, "r", 1) != 1)
		return 3;
	return !(read(world.tcp_fd, list + sizeof list - 1, 1) == 1 && open(list, O_RDWR) < 0 &&
	    errno == EACCES && open(in_world(world.state, "mine"), O_RDWR) >= 0);
}

/* The parent replaces the file in between. */
static void
a_rule_is_bound_to_the_file_that_was_there(void **state)
{
	struct sandbox_report can;
	int pair[2], status, saved = world.tcp_fd;
	char c;
	pid_t pid;

	sandbox_probe(&can);
	if (!can.files)
		skip();
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	world.tcp_fd = pair[1];
	if ((pid = fork()) == 0)
		_exit(file_after_rename());
	world.tcp_fd = saved;
	close(pair[1]);
	assert_int_equal(read(pair[0], &c, 1), 1);
	assert_int_equal(rename(in_world(world.state, "mine"), in_world(world.outside, "file")), 0);
	assert_int_equal(rename(in_world(world.outside, "key"), in_world(world.state, "mine")), 0);
	assert_int_equal(write(pair[0], "", 1), 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	close(pair[0]);
}

/* ---- the report ---- */

static int
probe_changes_nothing(void)
{
	struct sandbox_report r;
	char before[64], after[64];

	status_of(getpid(), "Seccomp", before, sizeof before);
	sandbox_probe(&r);
	status_of(getpid(), "Seccomp", after, sizeof after);
	return !(strcmp(before, after) == 0 && prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0 &&
	    prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 1 &&
	    open(in_world(world.outside, "file"), O_RDONLY) >= 0);
}

static int
report_is_what_was_probed(void)
{
	struct sandbox s = { .role = SANDBOX_FRONT };
	struct sandbox_report can, is;
	struct err err;

	sandbox_probe(&can);
	if (sandbox_identity(NULL, &err) != RC_OK || sandbox_enter(&is, &s, &err) != RC_OK)
		return 1;
	return !(is.calls == can.calls && is.files == can.files && is.signals == can.signals &&
	    is.landlock_abi == can.landlock_abi && is.n_missing == can.n_missing &&
	    is.not_dumpable && is.capabilities);
}

static void
the_report_tells_what_there_is(void **state)
{
	struct sandbox_report can;

	assert_int_equal(child(probe_changes_nothing), 0);
	assert_int_equal(child(report_is_what_was_probed), 0);
	sandbox_probe(&can);
	assert_true(can.files == (can.landlock_abi >= 1));
	assert_true(can.signals == (can.landlock_abi >= 6));
	assert_true((can.n_missing == 0) == (can.calls && can.landlock_abi >= 6));
	for (size_t i = 0; i < can.n_missing; i++)
		(void)printf("this kernel: %s\n", can.missing[i]);
}

/* Every version says what it lacks, and none says what it has. */
static void
each_kernel_is_told_what_it_lacks(void **state)
{
	static const struct {
		int abi;
		size_t front, signer;
	} rows[] = { { 0, 3, 2 }, { 1, 2, 1 }, { 2, 2, 1 }, { 3, 2, 1 }, { 4, 1, 1 }, { 5, 1, 1 },
		{ 6, 0, 0 }, { 7, 0, 0 }, { 99, 0, 0 } };

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct sandbox_report front = { 0 }, signer = { 0 }, supervisor = { 0 };

		landlock_report(&front, SANDBOX_FRONT, rows[i].abi);
		landlock_report(&signer, SANDBOX_SIGNER, rows[i].abi);
		landlock_report(&supervisor, SANDBOX_SUPERVISOR, rows[i].abi);
		assert_int_equal(front.n_missing, rows[i].front);
		assert_int_equal(signer.n_missing, rows[i].signer);
		assert_int_equal(supervisor.n_missing, 0);
		for (size_t j = 0; j < front.n_missing; j++)
			assert_in_range(strlen(front.missing[j]), 20, sizeof front.missing[j] - 2);
	}
}

/* ---- the tables ---- */

static bool
same_condition(const struct call *a, const struct call *b)
{
	return a->nr == b->nr && (a->roles & b->roles) != 0 && a->needs == b->needs &&
	    a->lacks == b->lacks && memcmp(a->args, b->args, sizeof a->args) == 0;
}

static void
every_row_has_a_reason_and_stands_once(void **state)
{
	for (size_t i = 0; i < n_calls_allowed; i++) {
		const struct call *c = &calls_allowed[i];

		assert_true(strlen(c->why) >= 4);
		assert_int_equal(c->roles & ~(unsigned)BOTH, 0);
		for (size_t j = i + 1; j < n_calls_allowed; j++)
			assert_false(c->nr >= 0 && same_condition(c, &calls_allowed[j]));
		for (size_t j = 0; j < n_calls_fatal; j++)
			assert_false(
			    c->nr == calls_fatal[j].nr && (c->roles & calls_fatal[j].roles) != 0);
	}
	for (size_t i = 0; i < n_calls_fatal; i++) {
		assert_true(strlen(calls_fatal[i].why) >= 4);
		for (size_t j = i + 1; j < n_calls_fatal; j++)
			assert_false(calls_fatal[i].nr >= 0 &&
			    same_condition(&calls_fatal[i], &calls_fatal[j]));
	}
	for (size_t i = 0; i < n_system_paths; i++) {
		assert_true(strlen(system_paths[i].why) >= 4);
		assert_true(
		    system_paths[i].path.optional && system_paths[i].path.may == SANDBOX_READ);
	}
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wrong_users_are_named),
		cmocka_unit_test_setup_teardown(a_user_is_for_good, world_make, world_end),
		cmocka_unit_test_setup_teardown(
		    root_that_stays_root_has_no_power, world_make, world_end),
		cmocka_unit_test_setup_teardown(the_kernel_agrees, world_make, world_end),
		cmocka_unit_test_setup_teardown(no_core_is_written, world_make, world_end),
		cmocka_unit_test_setup_teardown(
		    the_supervisor_makes_no_fatal_call, world_make, world_end),
		cmocka_unit_test_setup_teardown(
		    the_supervisor_starts_children_that_enter_theirs, world_make, world_end),
		cmocka_unit_test_setup_teardown(mistakes_are_refused, world_make, world_end),
		cmocka_unit_test_setup_teardown(
		    a_rule_is_bound_to_the_file_that_was_there, world_make, world_end),
		cmocka_unit_test_setup_teardown(
		    the_report_tells_what_there_is, world_make, world_end),
		cmocka_unit_test(each_kernel_is_told_what_it_lacks),
		cmocka_unit_test(every_row_has_a_reason_and_stands_once),
	};

	if (argc == 4)
		return exec_child(argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
