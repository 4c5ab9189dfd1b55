/* kit.c - the world, and its children. */
#include "kit.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

struct world world;
char sibling_secret[64];

#define USER         "nobody" /* Debian has it; what the test's children become when root runs it */
#define BROKEN_EXIT  253
#define SUCCESS_EXIT 0

/* ---- children ---- */

static const char *
user(void)
{
	return geteuid() == 0 ? USER : NULL;
}

/* sandbox_enter()'s steps that matter, with Landlock 2. */
static enum rc
enter_of_old(const struct sandbox *s, struct err *err)
{
	enum rc rc;

	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return fail_errno(err, "cannot enter");
	if ((rc = landlock_enter(s, 2, err)) != RC_OK)
		return rc;
	return calls_enter(s, err);
}

enum rc
put_on(enum dress d, struct err *err)
{
	const struct sandbox_path paths[] = {
		{ world.state, SANDBOX_READ | SANDBOX_WRITE | SANDBOX_MAKE, false },
		{ world.readable, SANDBOX_READ, false },
		{ "/nowhere/at/all", SANDBOX_READ, true },
		d == AS_SIGNER_DAEMON
		    ? (struct sandbox_path){ world.unix_path, SANDBOX_CONNECT, false }
		    : (struct sandbox_path){ "/usr/lib/softhsm/libsofthsm2.so",
			  SANDBOX_READ | SANDBOX_EXEC, true },
	};
	bool fourth = d == AS_SIGNER_MODULE || d == AS_SIGNER_DAEMON;
	struct sandbox s = { .paths = paths, .n_paths = fourth ? 4 : 3 };
	struct sandbox_report report;
	enum rc rc;

	s.network = d == AS_SIGNER_NETWORK;
	s.role = d == AS_FRONT || d == AS_FRONT_OF_OLD ? SANDBOX_FRONT : SANDBOX_SIGNER;
	if (d == AS_SUPERVISOR) {
		s = (struct sandbox){ .role = SANDBOX_SUPERVISOR };
		rc = sandbox_keep_caps(err);
	} else {
		rc = sandbox_identity(user(), err);
	}
	if (rc == RC_OK && d == AS_USER && prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) != 0)
		rc = fail_errno(err, "cannot be as after exec");
	if (rc != RC_OK || d == AS_USER)
		return rc;
	if (d == AS_FRONT_OF_OLD || d == AS_SIGNER_OF_OLD)
		return enter_of_old(&s, err);
	return sandbox_enter(&report, &s, err);
}

static int
dressed(enum dress d, attempt *fn)
{
	struct err err;

	(void)signal(SIGSEGV, SIG_DFL); /* cmocka would go on with the next test, in the child */
	if (put_on(d, &err) != RC_OK) {
		(void)fprintf(stderr, "cannot put it on: %s\n", err.msg);
		return BROKEN_EXIT;
	}
	return fn();
}

static int
ended(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return BROKEN;
	if (WIFSIGNALED(status))
		return WTERMSIG(status) == SIGSYS ? KILLED
		    : WTERMSIG(status) == SIGSEGV ? CRASHED
						  : BROKEN;
	return WEXITSTATUS(status) == BROKEN_EXIT ? BROKEN : WEXITSTATUS(status);
}

int
attempt_as(enum dress d, attempt *fn)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(dressed(d, fn));
	return pid < 0 ? BROKEN : ended(pid);
}

int
attempt_and_return(enum dress d, attempt *fn)
{
	pid_t pid = fork();

	if (pid == 0)
		exit(dressed(d, fn));
	return pid < 0 ? BROKEN : ended(pid);
}

/* Tells by a byte that it is dressed, then waits for the end of the file. */
static void
wait_dressed(enum dress d, int ready, int stop)
{
	struct err err;
	char c = 0;

	if (put_on(d, &err) != RC_OK || write(ready, &c, 1) != 1)
		_exit(BROKEN_EXIT);
	while (read(stop, &c, 1) > 0)
		;
	_exit(SUCCESS_EXIT);
}

pid_t
waiting_child(enum dress d, int *stop)
{
	int ready[2], end[2];
	char c;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	assert_int_equal(pipe(end), 0);
	pid = fork();
	if (pid == 0) {
		close(end[1]);
		memcpy(sibling_secret, SECRET, sizeof SECRET);
		wait_dressed(d, ready[1], end[0]);
	}
	assert_true(pid > 0);
	close(ready[1]);
	close(end[0]);
	assert_int_equal(read(ready[0], &c, 1), 1);
	close(ready[0]);
	*stop = end[1];
	return pid;
}

void
end_child(pid_t pid, int stop)
{
	(void)kill(pid, SIGKILL);
	close(stop);
	(void)ended(pid);
}

int
result(long r)
{
	return r >= 0 ? 0 : errno;
}

/* ---- the world ---- */

const char *
in_world(const char *folder, const char *name)
{
	static char buffers[4][160];
	static unsigned next;
	char *b = buffers[next++ % COUNT(buffers)];

	(void)snprintf(b, sizeof buffers[0], "%s/%s", folder, name);
	return b;
}

static void
own(const char *path)
{
	const struct passwd *pw = getpwnam(USER);

	if (geteuid() == 0) {
		assert_non_null(pw);
		assert_int_equal(lchown(path, pw->pw_uid, pw->pw_gid), 0);
	}
}

static void
put(const char *path, const char *text, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	own(path);
}

static void
folder(char *path, size_t len, const char *name)
{
	(void)snprintf(path, len, "%s/%s", world.dir, name);
	assert_int_equal(mkdir(path, 0755), 0);
	own(path);
}

static int
listen_unix(const struct sockaddr_un *a, socklen_t len)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (const struct sockaddr *)a, len), 0);
	assert_int_equal(listen(fd, 8), 0);
	return fd;
}

static void
listen_all(void)
{
	struct sockaddr_un u = { .sun_family = AF_UNIX };
	socklen_t len = sizeof world.tcp;

	world.tcp = (struct sockaddr_in){ .sin_family = AF_INET };
	world.tcp.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	world.tcp_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(world.tcp_fd, (struct sockaddr *)&world.tcp, len), 0);
	assert_int_equal(listen(world.tcp_fd, 8), 0);
	assert_int_equal(getsockname(world.tcp_fd, (struct sockaddr *)&world.tcp, &len), 0);
	(void)snprintf(world.unix_path, sizeof world.unix_path, "%s/socket", world.dir);
	strcpy(u.sun_path, world.unix_path);
	world.unix_fd = listen_unix(&u, sizeof u);
	assert_int_equal(chmod(world.unix_path, 0777), 0);
	memset(u.sun_path, 0, sizeof u.sun_path);
	(void)snprintf(world.abstract, sizeof world.abstract, "sandbox-test%.8s",
	    world.dir + strlen("/tmp/sandbox_test"));
	strcpy(u.sun_path + 1, world.abstract);
	world.abstract_fd = listen_unix(&u, sizeof u);
}

int
world_make(void **state)
{
	strcpy(world.dir, "/tmp/sandbox_test.XXXXXX");
	assert_non_null(mkdtemp(world.dir));
	assert_int_equal(chmod(world.dir, 0755), 0);
	folder(world.state, sizeof world.state, "state");
	folder(world.outside, sizeof world.outside, "outside");
	folder(world.readable, sizeof world.readable, "readable");
	put(in_world(world.outside, "key"), KEY_CONTENT, 0600);
	put(in_world(world.outside, "file"), "public", 0644);
	put(in_world(world.readable, "file"), "read me", 0644);
	put(in_world(world.state, "mine"), "mine", 0600);
	assert_int_equal(symlink(in_world(world.outside, "key"), in_world(world.state, "link")), 0);
	world.outside_fd = open(world.outside, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(world.outside_fd >= 0);
	listen_all();
	world.sibling = waiting_child(AS_USER, &world.sibling_stop);
	return 0;
}

static int
remove_one(const char *path, const struct stat *st, int what, struct FTW *ftw)
{
	return remove(path);
}

int
world_end(void **state)
{
	end_child(world.sibling, world.sibling_stop);
	close(world.outside_fd);
	close(world.tcp_fd);
	close(world.unix_fd);
	close(world.abstract_fd);
	return nftw(world.dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}
