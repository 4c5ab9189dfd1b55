/* ways_kernel.c - privileges, and the kernel's open doors. */
#include "attempts.h"

#include <linux/capability.h>
#include <linux/sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <time.h>

#include <grp.h>
#include <sched.h>

static int
root_again(void)
{
	return result(setuid(0));
}

static int
root_again_for_files(void)
{
	return result(syscall(SYS_setfsuid, 0));
}

static int
groups_again(void)
{
	return result(setgroups(0, NULL));
}

static int
caps_again(void)
{
	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct set[2] = { { 0 } };

	set[0].permitted = set[0].effective = 1u << CAP_DAC_OVERRIDE;
	return result(syscall(SYS_capset, &head, set));
}

static int
user_namespace(void)
{
	return result(unshare(CLONE_NEWUSER));
}

static int
enter_namespace(void)
{
	return result(setns(world.outside_fd, 0));
}

static int
mount_something(void)
{
	return result(mount("none", world.outside, "tmpfs", 0, NULL));
}

static int
other_root(void)
{
	return result(chroot(world.outside));
}

static int
uring(void)
{
	char params[256] = { 0 };

	return result(syscall(SYS_io_uring_setup, 1, params));
}

static int
bpf_program(void)
{
	char attr[128] = { 0 };

	return result(syscall(SYS_bpf, 5, attr, sizeof attr));
}

static int
perf(void)
{
	char attr[128] = { 0 };

	return result(syscall(SYS_perf_event_open, attr, 0, -1, -1, 0));
}

static int
faults(void)
{
	return result(syscall(SYS_userfaultfd, 1));
}

static int
key_ring(void)
{
	return result(syscall(SYS_keyctl, 0, -3, 0));
}

static int
key_new(void)
{
	return result(syscall(SYS_add_key, "user", "k", "v", 1, -3));
}

static int
module(void)
{
	return result(syscall(SYS_finit_module, world.outside_fd, "", 0));
}

static int
by_handle(void)
{
	char handle[16] = { 0 };

	return result(syscall(SYS_open_by_handle_at, world.outside_fd, handle, 0));
}

static int
compare(void)
{
	return result(syscall(SYS_kcmp, getpid(), world.sibling, 0, 0, 0));
}

static int
clock_set(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	return result(clock_settime(CLOCK_REALTIME, &now));
}

static int
kernel_log(void)
{
	return result(syscall(SYS_syslog, 10, NULL, 0));
}

static int
executable_reads(void)
{
	return result(syscall(SYS_personality, 0x0400000));
}

static int
type_for_others(void)
{
	char c = 'x';

	return ioctl(0, TIOCSTI, &c) == 0 ? 0 : errno;
}

static int
filter_again(void)
{
	return result(syscall(SYS_seccomp, 2, 0, &(uint32_t){ 0 }));
}

static int
call_unknown(void)
{
	return result(syscall(9999));
}

#ifdef __x86_64__
static int
other_architecture(void)
{
	long r;

	/* getpid of 32 bits */
	__asm__ volatile("int $0x80" : "=a"(r) : "a"(20L) : "memory");
	return r > 0 ? 0 : (int)-r;
}

static int
other_abi(void)
{
	return result(syscall(0x40000000L | SYS_getpid));
}
#endif

const struct way ways_kernel[] = {
	{ "become root again", root_again, EPERM, KILLED, KILLED, 0 },
	{ "open files as root", root_again_for_files, 0, KILLED, KILLED, 0 },
	{ "change its groups", groups_again, EPERM, KILLED, KILLED, 0 },
	{ "take a capability back", caps_again, EPERM, KILLED, KILLED, 0 },
	{ "make a user namespace", user_namespace, ANY, KILLED, KILLED, 0 },
	{ "enter a namespace", enter_namespace, EINVAL, KILLED, KILLED, 0 },
	{ "mount", mount_something, EPERM, KILLED, KILLED, 0 },
	{ "change its root folder", other_root, EPERM, KILLED, KILLED, 0 },
	{ "use io_uring", uring, ANY, KILLED, KILLED, 0 },
	{ "use bpf", bpf_program, ANY, KILLED, KILLED, 0 },
	{ "use performance events", perf, ANY, KILLED, KILLED, 0 },
	{ "use userfaultfd", faults, ANY, KILLED, KILLED, 0 },
	{ "use key rings (keyctl)", key_ring, ANY, KILLED, KILLED, 0 },
	{ "use key rings (add_key)", key_new, ANY, KILLED, KILLED, 0 },
	{ "load a kernel module", module, ANY, KILLED, KILLED, 0 },
	{ "open a file by its handle", by_handle, ANY, KILLED, KILLED, 0 },
	{ "compare processes (kcmp)", compare, ANY, KILLED, KILLED, 0 },
	{ "set the clock", clock_set, EPERM, KILLED, KILLED, 0 },
	{ "read the kernel's log", kernel_log, ANY, KILLED, KILLED, 0 },
	{ "make readable memory executable", executable_reads, ANY, KILLED, KILLED, 0 },
	{ "type on a terminal for others (TIOCSTI)", type_for_others, ANY, ENOSYS, ENOSYS, 0 },
	{ "filter its own calls anew", filter_again, ANY, ENOSYS, ENOSYS, 0 },
	{ "make a call that is on no list, and lives on", call_unknown, ENOSYS, ENOSYS, ENOSYS, 0 },
#ifdef __x86_64__
	{ "make calls of 32 bits", other_architecture, ANY, KILLED, KILLED, 0 },
	{ "make calls of x32", other_abi, ENOSYS, KILLED, KILLED, 0 },
#endif
};
const size_t n_ways_kernel = COUNT(ways_kernel);
