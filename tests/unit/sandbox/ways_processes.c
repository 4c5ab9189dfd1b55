/* ways_processes.c - other processes: their memory, their life, programs of the attacker's own. */
#include "attempts.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

/* Sanitizers need ptrace(2), clone(2) and prctl(2) at exit: a build with them says nothing of these. */
#define UNLESS_SANITIZED(end) (SANITIZED ? ANY : (end))

static int
proc_mem(pid_t pid, int flags)
{
	char path[64], got[sizeof SECRET];
	int fd;
	ssize_t n;

	(void)snprintf(path, sizeof path, "/proc/%d/mem", (int)pid);
	if ((fd = open(path, flags)) < 0)
		return errno;
	n = pread(fd, got, sizeof got, (off_t)(uintptr_t)sibling_secret);
	return n == (ssize_t)sizeof got && strcmp(got, SECRET) == 0 ? 0 : EIO;
}

static int
sibling_mem(void)
{
	return proc_mem(world.sibling, O_RDONLY);
}

/* Writes to what mprotect keeps from being written. */
static int
own_mem(void)
{
	int fd = open("/proc/self/mem", O_RDWR);

	return fd < 0 ? errno : 0;
}

static int
sibling_read(void)
{
	char got[sizeof SECRET];
	struct iovec to = { got, sizeof got }, from = { sibling_secret, sizeof got };
	ssize_t n = process_vm_readv(world.sibling, &to, 1, &from, 1, 0);

	if (n < 0)
		return errno;
	return strcmp(got, SECRET) == 0 ? 0 : EIO;
}

static int
sibling_write(void)
{
	char c = 'x';
	struct iovec from = { &c, 1 }, to = { sibling_secret + 60, 1 };

	return result(process_vm_writev(world.sibling, &from, 1, &to, 1, 0));
}

static int
sibling_trace(void)
{
	return result(ptrace(PTRACE_SEIZE, world.sibling, NULL, NULL));
}

static int
be_traced(void)
{
	return result(ptrace(PTRACE_TRACEME, 0, NULL, NULL));
}

static int
sibling_descriptor(void)
{
	int fd = (int)syscall(SYS_pidfd_open, world.sibling, 0);

	/* The first is refused already: what the second does is known without it. */
	return result(syscall(SYS_pidfd_getfd, fd < 0 ? 0 : fd, 0, 0));
}

static int
sibling_open(void)
{
	return result(syscall(SYS_pidfd_open, world.sibling, 0));
}

static int
sibling_kill(void)
{
	return result(kill(world.sibling, SIGCONT));
}

static int
all_kill(void)
{
	return result(kill(0, 0));
}

static int
sibling_tgkill(void)
{
	return result(syscall(SYS_tgkill, world.sibling, world.sibling, SIGCONT));
}

static int
sibling_queue(void)
{
	return result(sigqueue(world.sibling, SIGCONT, (union sigval){ 0 }));
}

/* The kernel sends the signal, in the process's name. */
static int
sibling_sigio(void)
{
	int p[2];

	if (pipe(p) != 0)
		return errno;
	return result(fcntl(p[0], F_SETOWN, world.sibling));
}

static int
sibling_limits(void)
{
	struct rlimit r;

	return result(prlimit(world.sibling, RLIMIT_NOFILE, NULL, &r));
}

static int
run_program(void)
{
	char *const argv[] = { (char[]){ "true" }, NULL };

	execve("/bin/true", argv, NULL);
	return errno;
}

static int
run_descriptor(void)
{
	char *const argv[] = { (char[]){ "true" }, NULL }, *const env[] = { NULL };
	int fd = open("/bin/true", O_PATH);

	fexecve(fd, argv, env);
	return errno;
}

static int
run_memory(void)
{
	return result(memfd_create("program", MFD_CLOEXEC));
}

static int
fork_child(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return result(pid);
}

static int
vfork_child(void)
{
	pid_t pid = vfork();

	if (pid == 0)
		_exit(0);
	return result(pid);
}

static int
new_namespace(void)
{
	long pid = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, NULL);

	if (pid == 0)
		_exit(0);
	return result(pid);
}

static int
thread_by_clone3(void)
{
	uint64_t args[11] = { 0 };

	return result(syscall(SYS_clone3, args, 8));
}

static int
open_memory(void)
{
	return result(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
}

/* The hard limit is 0 as well; lowering 0 to 0 is refused, so raising it is. */
static int
core_files(void)
{
	const struct rlimit r = { 0, 0 };

	return result(setrlimit(RLIMIT_CORE, &r));
}

static int
written_code(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return errno;
	return result(mprotect(p, 4096, PROT_READ | PROT_EXEC));
}

static int
code_anonymous(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? errno : 0;
}

static int
map_file(int prot, int flags)
{
	int fd = open(in_world(world.state, "mine"), O_RDWR);
	void *p;

	if (fd < 0)
		return errno;
	p = mmap(NULL, 4096, prot, flags, fd, 0);
	return p == MAP_FAILED ? errno : 0;
}

static int
code_of_file(void)
{
	return map_file(PROT_READ | PROT_EXEC, MAP_PRIVATE);
}

static int
code_shared(void)
{
	return map_file(PROT_READ | PROT_EXEC, MAP_SHARED);
}

static int
code_and_data(void)
{
	return map_file(PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE);
}

const struct way ways_processes[] = {
	{ "read /proc/PID/mem of a process of its user", sibling_mem, TRACES, EACCES, EACCES, 1 },
	{ "write to its own code by /proc/self/mem", own_mem, 0, EACCES, EACCES, 1 },
	{ "read a sibling's memory (process_vm_readv)", sibling_read, TRACES, KILLED, KILLED, 0 },
	{ "write a sibling's memory (process_vm_writev)", sibling_write, TRACES, KILLED, KILLED,
	    0 },
	{ "trace a sibling (ptrace)", sibling_trace, TRACES, UNLESS_SANITIZED(KILLED),
	    UNLESS_SANITIZED(KILLED), 0 },
	{ "have itself traced (PTRACE_TRACEME)", be_traced, 0, UNLESS_SANITIZED(KILLED),
	    UNLESS_SANITIZED(KILLED), 0 },
	{ "take a sibling's descriptor (pidfd_getfd)", sibling_descriptor, TRACES, KILLED, KILLED,
	    0 },
	{ "get hold of a sibling (pidfd_open)", sibling_open, 0, ENOSYS, ENOSYS, 0 },
	{ "signal a sibling (kill)", sibling_kill, 0, EPERM, EPERM, 0 },
	{ "signal its process group", all_kill, 0, EPERM, EPERM, 0 },
	{ "signal a sibling (tgkill)", sibling_tgkill, 0, EPERM, EPERM, 0 },
	{ "signal a sibling (sigqueue)", sibling_queue, 0, ENOSYS, ENOSYS, 0 },
	{ "have the kernel signal a sibling (F_SETOWN)", sibling_sigio, 0, ENOSYS, ENOSYS, 0 },
	{ "read or set a sibling's limits", sibling_limits, 0, ENOSYS, ENOSYS, 0 },
	{ "run a program (execve)", run_program, 0, KILLED, KILLED, 0 },
	{ "run a program from a descriptor (fexecve)", run_descriptor, 0, KILLED, KILLED, 0 },
	{ "make a program in memory (memfd_create)", run_memory, 0, EPERM, EPERM, 0 },
	{ "fork", fork_child, 0, UNLESS_SANITIZED(EPERM), UNLESS_SANITIZED(EPERM), 0 },
	{ "vfork", vfork_child, 0, UNLESS_SANITIZED(EPERM), UNLESS_SANITIZED(EPERM), 0 },
	{ "make a child in new namespaces", new_namespace, ANY, UNLESS_SANITIZED(EPERM),
	    UNLESS_SANITIZED(EPERM), 0 },
	{ "open its memory to its user (PR_SET_DUMPABLE)", open_memory, 0, UNLESS_SANITIZED(EPERM),
	    UNLESS_SANITIZED(EPERM), 0 },
	{ "use clone3, whose flags no filter sees", thread_by_clone3, ANY, ENOSYS, ENOSYS, 0 },
	{ "change the limit of core files", core_files, 0, EPERM, EPERM, 0 },
	{ "run what it has written (mprotect)", written_code, 0, EPERM, EPERM, 0 },
	{ "run anonymous memory (mmap)", code_anonymous, 0, EPERM, EPERM, 0 },
	{ "run a file's bytes: the front has to, for libnss_*", code_of_file, 0, 0, EPERM, 0 },
	{ "run a file that changes under it", code_shared, 0, ENOSYS, EPERM, 0 },
	{ "map what is code and data at once", code_and_data, 0, ENOSYS, EPERM, 0 },
};
const size_t n_ways_processes = COUNT(ways_processes);

const struct way ways_memory[] = {
	{ "its /proc/PID/mem is closed", sibling_mem, EACCES, 0, 0, 0 },
	{ "its memory is not read (process_vm_readv)", sibling_read, EPERM, 0, 0, 0 },
	{ "its memory is not written (process_vm_writev)", sibling_write, EPERM, 0, 0, 0 },
	{ "it is not traced (ptrace)", sibling_trace, EPERM, 0, 0, 0 },
	{ "its descriptors are not taken (pidfd_getfd)", sibling_descriptor, EPERM, 0, 0, 0 },
};
const size_t n_ways_memory = COUNT(ways_memory);
