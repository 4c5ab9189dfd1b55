/*
 * works_test.c - what the roles are there for goes on working in their sandboxes.
 *
 * Each duty returns 0, or the number of the line that went wrong.
 */
#include "kit.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "base/file.h"
#include "ossl/key.h"

/* An exit status has eight bits: the line is told on standard error. */
#define MUST(x)                                                                                    \
	do {                                                                                       \
		if (!(x)) {                                                                        \
			(void)fprintf(                                                             \
			    stderr, "%s:%d: " #x ": %s\n", __FILE__, __LINE__, strerror(errno));   \
			return 1;                                                                  \
		}                                                                                  \
	} while (0)

static int supervisor_fd, child_fd; /* a pair that is there before the child */

/* ---- both ---- */

static void *
thread(void *arg)
{
	(void)pthread_setname_np(pthread_self(), "worker");
	return arg;
}

static int
threads_start(void)
{
	pthread_t t[8];
	void *out;

	for (size_t i = 0; i < COUNT(t); i++)
		MUST(pthread_create(&t[i], NULL, thread, world.dir) == 0);
	for (size_t i = 0; i < COUNT(t); i++)
		MUST(pthread_join(t[i], &out) == 0 && out == world.dir);
	return 0;
}

static int
a_state_is_kept(void)
{
	struct flock all = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	const char *tmp = in_world(world.state, "tmp"), *name = in_world(world.state, "name");
	char got[4];
	void *p;
	int fd = open(tmp, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600), dir;

	MUST(fd >= 0 && flock(fd, LOCK_EX) == 0 && fcntl(fd, F_SETLKW, &all) == 0);
	MUST(pwrite(fd, "text", 4, 0) == 4 && pread(fd, got, 4, 0) == 4);
	MUST(posix_fallocate(fd, 0, 8192) == 0);
	p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	MUST(p != MAP_FAILED && msync(p, 4096, MS_SYNC) == 0 && munmap(p, 4096) == 0);
	MUST(
	    ftruncate(fd, 2) == 0 && fchmod(fd, 0640) == 0 && fsync(fd) == 0 && fdatasync(fd) == 0);
	MUST(close(fd) == 0 && rename(tmp, name) == 0);
	MUST((fd = open(name, O_WRONLY | O_TRUNC)) >= 0 && close(fd) == 0);
	MUST((dir = open(world.state, O_RDONLY | O_DIRECTORY)) >= 0 && fsync(dir) == 0);
	MUST(unlink(name) == 0 && mkdir(name, 0700) == 0 && rmdir(name) == 0);
	return 0;
}

static int
files_are_written_safely(void)
{
	struct buf b;
	struct err err;

	buf_init(&b, 64);
	MUST(file_write(in_world(world.state, "new"), "one", 3, 0600, 0, &err) == RC_OK);
	MUST(file_write(in_world(world.state, "new"), "two", 3, 0600, 0, &err) == RC_CONFLICT);
	MUST(file_write(in_world(world.state, "new"), "two", 3, 0600, 1, &err) == RC_OK);
	MUST(file_read(&b, in_world(world.state, "new"), 64, &err) == RC_OK);
	MUST(b.len == 3 && memcmp(b.data, "two", 3) == 0);
	MUST(dir_make(in_world(world.state, "folder"), 0700, &err) == RC_OK);
	MUST(file_write(in_world(world.state, "folder/new"), "x", 1, 0600, 0, &err) == RC_OK);
	buf_done(&b);
	return 0;
}

static int
what_is_readable_is_read(void)
{
	struct buf b;
	struct err err;

	buf_init(&b, 64);
	MUST(file_read(&b, in_world(world.readable, "file"), 64, &err) == RC_OK);
	buf_done(&b);
	return 0;
}

/* As the front gets renewed TLS keys: the supervisor has opened what the front may not. */
static int
a_file_is_passed_by_descriptor(void)
{
	char got[sizeof KEY_CONTENT] = "", control[CMSG_SPACE(sizeof(int))], byte;
	struct iovec one = { &byte, 1 };
	struct msghdr m = { .msg_iov = &one,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof control };
	struct cmsghdr *c;
	int fd;

	MUST(recvmsg(child_fd, &m, MSG_CMSG_CLOEXEC) == 1);
	MUST((c = CMSG_FIRSTHDR(&m)) != NULL && c->cmsg_type == SCM_RIGHTS);
	memcpy(&fd, CMSG_DATA(c), sizeof fd);
	MUST(read(fd, got, sizeof got) == (ssize_t)strlen(KEY_CONTENT));
	MUST(strcmp(got, KEY_CONTENT) == 0);
	MUST(send(child_fd, "k", 1, MSG_NOSIGNAL) == 1);
	return 0;
}

static volatile sig_atomic_t raised;

static void
on_signal(int sig)
{
	raised = sig;
}

static int
signals_arrive(void)
{
	struct timespec now = { 0, 0 };
	struct signalfd_siginfo info;
	sigset_t set;
	int fd;

	MUST(signal(SIGUSR1, on_signal) != SIG_ERR && raise(SIGUSR1) == 0 && raised == SIGUSR1);
	MUST(kill(getpid(), SIGUSR1) == 0);
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGHUP);
	(void)sigaddset(&set, SIGTERM);
	MUST(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
	MUST(raise(SIGHUP) == 0 && sigtimedwait(&set, NULL, &now) == SIGHUP);
	MUST((fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK)) >= 0);
	MUST(raise(SIGTERM) == 0 && read(fd, &info, sizeof info) == (ssize_t)sizeof info);
	return 0;
}

static int
time_and_chance(void)
{
	struct timespec t = { 0, 1000 };
	char random[16];

	MUST(getrandom(random, sizeof random, 0) == (ssize_t)sizeof random);
	MUST(clock_gettime(CLOCK_REALTIME, &t) == 0 && clock_gettime(CLOCK_MONOTONIC, &t) == 0);
	t = (struct timespec){ 0, 1000 };
	MUST(nanosleep(&t, NULL) == 0);
	return 0;
}

/* Large ones are mapped, grown and given back. */
static int
memory(void)
{
	char *p = malloc(16), *q;

	for (size_t n = 16; n <= (size_t)64 << 20; n *= 4) {
		MUST((q = realloc(p, n)) != NULL);
		p = q;
		p[n - 1] = 1;
	}
	free(p);
	return 0;
}

static int
a_key_signs(void)
{
	struct key *k;
	struct buf sig;
	struct err err;

	buf_init(&sig, 4096);
	MUST(key_generate(&k, "ec:p256", &err) == RC_OK);
	MUST(key_sign(&sig, k, DIGEST_SHA256, "bytes", 5, &err) == RC_OK);
	MUST(key_verify(k, DIGEST_SHA256, "bytes", 5, sig.data, sig.len, &err) == RC_OK);
	buf_done(&sig);
	key_free(k);
	return 0;
}

/* ---- the front ---- */

static int
sqlite_in_wal_mode(void)
{
	sqlite3 *db;

	MUST(sqlite3_open(in_world(world.state, "db"), &db) == SQLITE_OK);
	MUST(sqlite3_exec(db,
		 "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE t(a);"
		 "BEGIN IMMEDIATE; INSERT INTO t VALUES(1),(2); COMMIT; PRAGMA "
		 "wal_checkpoint(TRUNCATE);",
		 NULL, NULL, NULL) == SQLITE_OK);
	MUST(sqlite3_close(db) == SQLITE_OK);
	return 0;
}

/* The listener was made before; client and server are the same process. */
static int
clients_are_served(void)
{
	struct epoll_event want = { .events = EPOLLIN }, got;
	char c = 0;
	int one = 1, ep = epoll_create1(EPOLL_CLOEXEC), wake = eventfd(0, EFD_CLOEXEC), to, from;

	MUST(ep >= 0 && wake >= 0 && epoll_ctl(ep, EPOLL_CTL_ADD, world.tcp_fd, &want) == 0);
	MUST((to = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP)) >= 0);
	MUST(connect(to, (struct sockaddr *)&world.tcp, sizeof world.tcp) == 0 ||
	    errno == EINPROGRESS);
	MUST(epoll_wait(ep, &got, 1, 5000) == 1);
	MUST((from = accept4(world.tcp_fd, NULL, NULL, SOCK_CLOEXEC)) >= 0);
	MUST(setsockopt(from, IPPROTO_TCP, 1 /* TCP_NODELAY */, &one, sizeof one) == 0);
	MUST(send(from, "x", 1, MSG_NOSIGNAL) == 1);
	MUST(epoll_ctl(ep, EPOLL_CTL_ADD, to, &want) == 0 && epoll_wait(ep, &got, 1, 5000) == 1);
	MUST(recv(to, &c, 1, 0) == 1 && c == 'x' && shutdown(from, SHUT_WR) == 0);
	return 0;
}

static int
names_are_looked_up(void)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *found;

	MUST(getaddrinfo("localhost", "80", &hints, &found) == 0);
	freeaddrinfo(found);
	return 0;
}

/* ---- the signer with a token ---- */

/* SoftHSM's folder is in the state; C_Initialize() and the rest by name, for want of a header. */
static int
a_token_is_made(void)
{
	void *lib;
	unsigned long (*initialize)(void *),
	    (*slots)(unsigned char, unsigned long *, unsigned long *);
	unsigned long (*init_token)(unsigned long, const char *, unsigned long, const char *);
	unsigned long slot[4], n = COUNT(slot);
	char label[33];

	MUST((lib = dlopen("/usr/lib/softhsm/libsofthsm2.so", RTLD_NOW)) != NULL);
	*(void **)&initialize = dlsym(lib, "C_Initialize");
	*(void **)&slots = dlsym(lib, "C_GetSlotList");
	*(void **)&init_token = dlsym(lib, "C_InitToken");
	MUST(initialize != NULL && slots != NULL && init_token != NULL);
	MUST(initialize(NULL) == 0 && slots(0, slot, &n) == 0 && n > 0);
	(void)snprintf(label, sizeof label, "%-32s", "sandbox");
	MUST(init_token(slot[0], "1234", 4, label) == 0);
	/* A module alone is no reason to talk to anybody. */
	MUST(socket(AF_UNIX, SOCK_STREAM, 0) < 0 && errno == EACCES);
	return 0;
}

/* Without a path that is to be code. */
static int
no_module_is_loaded(void)
{
	MUST(dlopen("/usr/lib/softhsm/libsofthsm2.so", RTLD_NOW) == NULL);
	return 0;
}

static int
a_token_is_called(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	MUST(fd >= 0 && connect(fd, (struct sockaddr *)&world.tcp, sizeof world.tcp) == 0);
	MUST(setsockopt(fd, IPPROTO_TCP, 1 /* TCP_NODELAY */, &one, sizeof one) == 0);
	MUST(setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof one) == 0);
	MUST(names_are_looked_up() == 0);
	MUST(listen(socket(AF_INET, SOCK_STREAM, 0), 1) != 0 && errno == EPERM);
	return 0;
}

static int
a_daemon_is_called(void)
{
	struct sockaddr_un u = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(u.sun_path, world.unix_path);
	MUST(fd >= 0 && connect(fd, (struct sockaddr *)&u, sizeof u) == 0);
	MUST(socket(AF_INET, SOCK_STREAM, 0) < 0 && errno == EACCES);
	return 0;
}

/* ---- running them ---- */

static void
pass_key(void)
{
	char control[CMSG_SPACE(sizeof(int))] = "", byte = 0;
	struct iovec one = { &byte, 1 };
	struct msghdr m = { .msg_iov = &one,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof control };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	int fd = open(in_world(world.outside, "key"), O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof fd);
	memcpy(CMSG_DATA(c), &fd, sizeof fd);
	assert_int_equal(sendmsg(supervisor_fd, &m, MSG_NOSIGNAL), 1);
	close(fd);
}

static int
set_up(void **state)
{
	int pair[2];

	world_make(state);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	supervisor_fd = pair[0];
	child_fd = pair[1];
	pass_key();
	return 0;
}

static int
tear_down(void **state)
{
	close(supervisor_fd);
	close(child_fd);
	return world_end(state);
}

/* All in one process, as in life; it leaves by the end of main(), where sanitizers look for leaks. */
static int
duties_of_both(void)
{
	return threads_start() | a_state_is_kept() | files_are_written_safely() |
	    what_is_readable_is_read() | a_file_is_passed_by_descriptor() | signals_arrive() |
	    time_and_chance() | memory() | a_key_signs();
}

static int
duties_of_the_front(void)
{
	return duties_of_both() | sqlite_in_wal_mode() | clients_are_served() |
	    names_are_looked_up() | threads_start();
}

static void
the_front_works(void **state)
{
	assert_int_equal(attempt_and_return(AS_FRONT, duties_of_the_front), 0);
}

static void
the_signer_works(void **state)
{
	assert_int_equal(attempt_and_return(AS_SIGNER, duties_of_both), 0);
}

static void
a_signer_calls_its_token(void **state)
{
	assert_int_equal(attempt_and_return(AS_SIGNER_NETWORK, a_token_is_called), 0);
	assert_int_equal(attempt_and_return(AS_SIGNER_DAEMON, a_daemon_is_called), 0);
}

/* The conf lies where the signer may read it. */
static void
a_signer_loads_its_module(void **state)
{
	char conf[160];
	FILE *f;

	if (SANITIZED || access("/usr/lib/softhsm/libsofthsm2.so", R_OK) != 0) {
		(void)printf("skip a module is loaded in the sandbox: %s\n",
		    SANITIZED ? "SoftHSM is not built with the sanitizer" : "there is no SoftHSM");
		skip();
	}
	(void)snprintf(conf, sizeof conf, "%s/softhsm2.conf", world.readable);
	assert_non_null(f = fopen(conf, "we"));
	assert_true(fprintf(f, "directories.tokendir = %s\nlog.level = ERROR\n", world.state) > 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(setenv("SOFTHSM2_CONF", conf, 1), 0);
	assert_int_equal(attempt_as(AS_SIGNER_MODULE, a_token_is_made), 0);
	assert_int_equal(attempt_as(AS_SIGNER, no_module_is_loaded), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_front_works, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_signer_works, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_signer_calls_its_token, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_signer_loads_its_module, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
