/*
 * calls_fatal.c - what nothing in scepd ever calls: whoever does has taken the process over.  It is
 * killed.
 *
 * This is also the supervisor's filter, in which all else is allowed, so a row for ALL must not be
 * anything that a starting child does, nor exec, nor giving up an identity.
 */
#include "sandbox/calls_int.h"

#include <sys/socket.h>

#define KILL(call_, roles_, why_)                                                                  \
	{                                                                                          \
		SCMP_SYS(call_), (roles_), 0, 0, SCMP_ACT_KILL_PROCESS, { { 0 } }, (why_)          \
	}
#define KILL_FAMILY(family_, why_)                                                                 \
	{                                                                                          \
		SCMP_SYS(socket), SUPERVISOR, 0, 0, SCMP_ACT_KILL_PROCESS, { INT(0, family_) },    \
		    (why_)                                                                         \
	}

const struct call calls_fatal[] = {
/* Looking into other processes, or being led by one. */
#if !SANITIZED
	KILL(ptrace, ALL, "reads and writes another process's memory and registers"),
#endif
	KILL(process_vm_readv, ALL, "reads another process's memory: the signer's keys"),
	KILL(process_vm_writev, ALL, "writes it"),
	KILL(process_madvise, ALL, "throws another process's pages away"),
	KILL(pidfd_getfd, ALL, "takes another process's descriptors"),
	KILL(kcmp, ALL, "compares another process's kernel objects: for exploits"),

	/* Another program in place of this one. */
	KILL(execve, BOTH, "only the supervisor starts programs"),
	KILL(execveat, BOTH, "and not from a descriptor either"),

	/* Another identity: sandbox_identity() was the last change. */
	KILL(setuid, BOTH, "becomes another user"),
	KILL(setgid, BOTH, "takes another group"),
	KILL(setreuid, BOTH, "becomes another user"),
	KILL(setregid, BOTH, "takes another group"),
	KILL(setresuid, BOTH, "becomes another user"),
	KILL(setresgid, BOTH, "takes another group"),
	KILL(setfsuid, BOTH, "opens files as another user"),
	KILL(setfsgid, BOTH, "opens files as another group"),
	KILL(setgroups, BOTH, "takes other groups"),
	KILL(capset, BOTH, "takes capabilities back"),

	/* Another view of the machine. */
	KILL(unshare, ALL, "a user namespace makes root of anybody"),
	KILL(setns, ALL, "enters another container"),
	KILL(chroot, ALL, "another root folder"),
	KILL(pivot_root, ALL, "another root file system"),
	KILL(mount, ALL, "file systems"),
	KILL(umount2, ALL, "file systems"),
	KILL(move_mount, ALL, "file systems"),
	KILL(open_tree, ALL, "file systems"),
	KILL(fsopen, ALL, "file systems"),
	KILL(fsconfig, ALL, "file systems"),
	KILL(fsmount, ALL, "file systems"),
	KILL(fspick, ALL, "file systems"),
	KILL(mount_setattr, ALL, "file systems"),
	KILL(open_by_handle_at, ALL, "opens files past every folder's mode"),
	KILL(swapon, ALL, "memory, keys in it, to a disk"),
	KILL(swapoff, ALL, "the machine's memory"),
	KILL(quotactl, ALL, "file systems"),
	KILL(acct, ALL, "writes a log of all processes"),

	/* The kernel's own code, and its largest open doors. */
	KILL(init_module, ALL, "loads code into the kernel"),
	KILL(finit_module, ALL, "loads code into the kernel"),
	KILL(delete_module, ALL, "takes code out of the kernel"),
	KILL(kexec_load, ALL, "another kernel"),
	KILL(kexec_file_load, ALL, "another kernel"),
	KILL(reboot, ALL, "the machine"),
	KILL(bpf, ALL, "code in the kernel; a source of exploits"),
	KILL(perf_event_open, ALL, "samples other processes; a source of exploits"),
	KILL(userfaultfd, ALL, "stops the kernel in the middle of a copy: for exploits"),
	KILL(io_uring_setup, ALL, "makes system calls that no filter sees"),
	KILL(io_uring_enter, ALL, "makes system calls that no filter sees"),
	KILL(io_uring_register, ALL, "makes system calls that no filter sees"),
	KILL(add_key, ALL, "the kernel's key rings, a source of exploits; ours are not there"),
	KILL(request_key, ALL, "starts a program as root"),
	KILL(keyctl, ALL, "reads the keys of others of this user"),
	KILL(personality, BOTH, "makes readable memory executable, addresses predictable"),
	KILL(iopl, ALL, "the machine's ports"),
	KILL(ioperm, ALL, "the machine's ports"),
	KILL(modify_ldt, ALL, "segments; a source of exploits"),
	KILL(vmsplice, ALL, "memory shared with a pipe; a source of exploits"),
	KILL(settimeofday, ALL, "validity of certificates hangs on the clock"),
	KILL(clock_settime, ALL, "validity of certificates hangs on the clock"),
	KILL(clock_adjtime, ALL, "validity of certificates hangs on the clock"),
	KILL(adjtimex, ALL, "validity of certificates hangs on the clock"),
	KILL(syslog, ALL, "reads the kernel's addresses"),

	/* The filter that the supervisor's children start with; they get a narrower one themselves. */
	KILL_FAMILY(AF_PACKET, "reads what others send"),
	KILL_FAMILY(AF_VSOCK, "leads to the host, past every firewall"),
	KILL_FAMILY(AF_ALG, "the kernel's crypto; a source of exploits"),
};
const size_t n_calls_fatal = COUNT(calls_fatal);
