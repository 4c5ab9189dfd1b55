/*
 * calls_allowed.c - what the front and the signer may call, with the reason, and what is refused with
 * an error of its own instead of the filter's ENOSYS.
 *
 * Paths are Landlock's business, so calls that take one are here if Landlock judges them.  Those that it
 * does not know (chmod, chown, utimes, setxattr, truncate before version 3) are not: a descriptor that
 * was opened is changed by fchmod and ftruncate.
 */
#include "sandbox/calls_int.h"

#include <asm/termbits.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/sched.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#define ROW(call_, roles_, needs_, lacks_, action_, why_, ...)                                     \
	{                                                                                          \
		SCMP_SYS(call_), (roles_), (needs_), (lacks_), (action_), { __VA_ARGS__ }, (why_)  \
	}
#define OK(call, roles, why)             ROW(call, roles, 0, 0, SCMP_ACT_ALLOW, why, { 0 })
#define OK_IF(call, roles, why, ...)     ROW(call, roles, 0, 0, SCMP_ACT_ALLOW, why, __VA_ARGS__)
#define OK_WITH(need, call, why)         ROW(call, BOTH, need, 0, SCMP_ACT_ALLOW, why, { 0 })
#define OK_WITH_IF(need, call, why, ...) ROW(call, BOTH, need, 0, SCMP_ACT_ALLOW, why, __VA_ARGS__)
#define NO(call, roles, why)             ROW(call, roles, 0, 0, SCMP_ACT_ERRNO(EPERM), why, { 0 })
#define NO_IF(call, roles, why, ...)     ROW(call, roles, 0, 0, SCMP_ACT_ERRNO(EPERM), why, __VA_ARGS__)
#define NO_WITHOUT(lack, call, why)      ROW(call, BOTH, 0, lack, SCMP_ACT_ERRNO(EPERM), why, { 0 })

/* Every flag that makes a namespace, as clone(2) has them; CLONE_NEWTIME is clone3's alone. */
#define NAMESPACES                                                                                 \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |             \
	    CLONE_NEWPID | CLONE_NEWNET)
#define SOCK_TYPE     0xfu /* what is below SOCK_CLOEXEC and SOCK_NONBLOCK */
#define MAP_KIND      (MAP_ANONYMOUS | MAP_SHARED | MAP_PRIVATE)
#define OPEN_TRUNC(a) BITS(2, O_ACCMODE | O_TRUNC, (a) | O_TRUNC)

const struct call calls_allowed[] = {
	/* Bytes through descriptors. */
	OK(read, BOTH, "files, pipes, sockets"),
	OK(write, BOTH, "files, pipes, sockets, the log"),
	OK(readv, BOTH, "libevent, stdio"),
	OK(writev, BOTH, "libevent, stdio"),
	OK(pread64, BOTH, "SQLite; SoftHSM's objects"),
	OK(pwrite64, BOTH, "SQLite"),
	OK(preadv, FRONT, "SQLite, if built with it"),
	OK(pwritev, FRONT, "SQLite, if built with it"),
	OK(lseek, BOTH, "stdio"),
	OK(_llseek, BOTH, "the same on 32 bits"),
	OK(close, BOTH, "all that was opened"),
	OK(close_range, BOTH, "libraries that clean up"),
	OK(dup, BOTH, "a listener's or channel's second owner"),
	OK(dup2, BOTH, "the log's file anew"),
	OK(dup3, BOTH, "the log's file anew"),
	OK(pipe2, BOTH, "to wake a thread"),
	OK(pipe, BOTH, "to wake a thread"),
	OK(eventfd2, BOTH, "to wake a thread: libevent, libcurl"),
	OK(fsync, BOTH, "what was promised is on the disk"),
	OK(fdatasync, BOTH, "SQLite's commits"),
	OK(msync, BOTH, "the same for what is mapped: the signer's serial numbers"),
	OK(ftruncate, BOTH, "SQLite's journals; SoftHSM's objects"),
	OK(ftruncate64, BOTH, "the same on 32 bits"),
	OK(fallocate, BOTH,
	    "SQLite's shared memory; room for serial numbers before they are mapped"),
	OK(fadvise64, BOTH, "stdio of some libraries"),
	OK(flock, BOTH, "one owner of a state folder"),
	OK(fchmod, BOTH, "a file gets its mode before its name"),
	OK(fchown, FRONT,
	    "SQLite gives its journal the database's owner; a user gives nothing away"),
	/* Not F_SETOWN and F_SETSIG, which send signals to others. */
	OK_IF(fcntl, BOTH, "is it non-blocking", INT(1, F_GETFL)),
	OK_IF(fcntl, BOTH, "make it non-blocking", INT(1, F_SETFL)),
	OK_IF(fcntl, BOTH, "is it closed on exec", INT(1, F_GETFD)),
	OK_IF(fcntl, BOTH, "close it on exec", INT(1, F_SETFD)),
	OK_IF(fcntl, BOTH, "a copy", INT(1, F_DUPFD)),
	OK_IF(fcntl, BOTH, "a copy, closed on exec", INT(1, F_DUPFD_CLOEXEC)),
	OK_IF(fcntl, BOTH, "locks: SQLite, SoftHSM", INT(1, F_GETLK)),
	OK_IF(fcntl, BOTH, "locks: SQLite, SoftHSM", INT(1, F_SETLK)),
	OK_IF(fcntl, BOTH, "locks: SoftHSM waits", INT(1, F_SETLKW)),
	OK_IF(fcntl, BOTH, "locks of a descriptor", INT(1, F_OFD_GETLK)),
	OK_IF(fcntl, BOTH, "locks of a descriptor", INT(1, F_OFD_SETLK)),
	OK_IF(fcntl, BOTH, "locks of a descriptor", INT(1, F_OFD_SETLKW)),
	OK_IF(ioctl, BOTH, "non-blocking: libcurl", INT(1, FIONBIO)),
	OK_IF(ioctl, BOTH, "how much is there: libevent, libcurl", INT(1, FIONREAD)),
	OK_IF(ioctl, BOTH, "stdio asks whether it writes to a terminal", INT(1, TCGETS)),

	/* Files, where Landlock lets. */
	OK_IF(openat, BOTH, "all files", BITS(2, O_TRUNC, 0)),
	OK_IF(openat, BOTH, "emptied by who may write to it", OPEN_TRUNC(O_WRONLY)),
	OK_IF(openat, BOTH, "emptied by who may write to it", OPEN_TRUNC(O_RDWR)),
	NO_IF(
	    openat, BOTH, "Landlock before version 3 lets a reader empty it", OPEN_TRUNC(O_RDONLY)),
	OK_IF(open, BOTH, "all files, in an older libc", BITS(1, O_TRUNC, 0)),
	OK(fstat, BOTH, "size and owner of a file"),
	OK(newfstatat, BOTH, "size and owner of a file"),
	OK(stat, BOTH, "the same in an older libc"),
	OK(lstat, BOTH, "the same in an older libc"),
	OK(statx, BOTH, "the same in a newer libc"),
	OK(fstat64, BOTH, "the same on 32 bits"),
	OK(fstatat64, BOTH, "the same on 32 bits"),
	OK(stat64, BOTH, "the same on 32 bits"),
	OK(lstat64, BOTH, "the same on 32 bits"),
	OK(fstatfs, BOTH, "what file system a state is on"),
	OK(statfs, BOTH, "what file system a state is on"),
	OK(access, BOTH, "SQLite looks for journals"),
	OK(faccessat, BOTH, "SQLite looks for journals"),
	OK(faccessat2, BOTH, "the same in a newer libc"),
	OK(readlink, BOTH, "SQLite makes a path absolute"),
	OK(readlinkat, BOTH, "the same in a newer libc"),
	OK(getcwd, BOTH, "SQLite makes a path absolute"),
	OK(getdents64, BOTH, "SoftHSM lists objects; folders of certificates"),
	OK(mkdir, BOTH, "folders in a state"),
	OK(mkdirat, BOTH, "folders in a state"),
	OK(rename, BOTH, "a file is old or new and nothing between"),
	OK(renameat, BOTH, "a file is old or new and nothing between"),
	OK(renameat2, BOTH, "a file is old or new and nothing between"),
	OK(link, BOTH, "a file that must not be there yet gets its name (base/file.c)"),
	OK(linkat, BOTH, "a file that must not be there yet gets its name"),
	OK(unlink, BOTH, "SQLite's journals; temporary files"),
	OK(unlinkat, BOTH, "SQLite's journals; temporary files"),
	OK(rmdir, BOTH, "folders in a state"),
	OK(umask, BOTH, "SQLite and SoftHSM want modes of their own"),
	NO(memfd_create, BOTH, "a file of code that is on no disk"),

	/* Memory.  What is written is never run, what is run never written. */
	OK_IF(mmap, BOTH, "memory, files", BITS(2, PROT_EXEC, 0)),
	ROW(mmap, BOTH, HAS_CODE, 0, SCMP_ACT_ALLOW,
	    "dlopen(): libnss_* in getaddrinfo(), a module",
	    BITS(2, PROT_EXEC | PROT_WRITE, PROT_EXEC), BITS(3, MAP_KIND, MAP_PRIVATE)),
	ROW(mmap, BOTH, HAS_CODE, 0, SCMP_ACT_ERRNO(EPERM), "code that was written as data",
	    BITS(2, PROT_EXEC, PROT_EXEC), BITS(3, MAP_ANONYMOUS, MAP_ANONYMOUS)),
	ROW(mmap, BOTH, 0, HAS_CODE, SCMP_ACT_ERRNO(EPERM), "nothing is loaded any more",
	    BITS(2, PROT_EXEC, PROT_EXEC)),
	OK_IF(mmap2, BOTH, "the same on 32 bits", BITS(2, PROT_EXEC, 0)),
	OK_IF(mprotect, BOTH, "stacks, arenas, relocations", BITS(2, PROT_EXEC, 0)),
	NO_IF(mprotect, BOTH, "code that was written as data", BITS(2, PROT_EXEC, PROT_EXEC)),
	OK(munmap, BOTH, "memory"),
	OK(mremap, BOTH, "memory; keeps its protection"),
	OK(madvise, BOTH, "memory"),
	OK(brk, BOTH, "memory"),
	OK(mlock, BOTH, "secrets stay out of swap"),
	OK(mlock2, BOTH, "secrets stay out of swap"),
	OK(munlock, BOTH, "secrets stay out of swap"),
	OK(membarrier, BOTH, "locks of libraries"),

	/* Threads of this process; never another process. */
	OK_IF(clone, BOTH, "pthread_create()", BITS(0, CLONE_THREAD | NAMESPACES, CLONE_THREAD)),
#if SANITIZED
	OK_IF(clone, BOTH, "looks for leaks at exit",
	    BITS(0, CLONE_VM | CLONE_THREAD | NAMESPACES, CLONE_VM)),
	OK(ptrace, BOTH, "stops other threads for it"),
	OK(prctl, BOTH, "lets itself be traced"),
	OK(wait4, BOTH, "waits for it"),
	OK(getdents, BOTH, "lists other threads"),
	OK(tkill, BOTH, "stops other threads"),
#else
	NO_IF(clone, BOTH, "fork()", BITS(0, CLONE_THREAD, 0)),
	OK_IF(prctl, BOTH, "a thread's name", INT(0, PR_SET_NAME)),
	OK_IF(prctl, BOTH, "a thread's name", INT(0, PR_GET_NAME)),
	NO_IF(prctl, BOTH, "opens this memory to others", INT(0, PR_SET_DUMPABLE)),
#endif
	NO(fork, BOTH, "another process"),
	NO(vfork, BOTH, "another process"),
	OK(clone3, BOTH, "answered by the filter below: ENOSYS, and libc calls clone"),
	OK(set_robust_list, BOTH, "locks of a thread that ends"),
	OK(get_robust_list, BOTH, "locks of a thread that ends"),
	OK(rseq, BOTH, "a thread begins"),
	OK(set_tid_address, BOTH, "a thread begins"),
	OK(exit, BOTH, "a thread ends"),
	OK(exit_group, BOTH, "the process ends"),
	OK(futex, BOTH, "locks"),
	OK(futex_time64, BOTH, "the same on 32 bits"),
	OK(futex_waitv, BOTH, "locks in a newer libc"),
	OK(sched_yield, BOTH, "locks"),
	OK(sched_getaffinity, BOTH, "how many processors"),
	OK(getcpu, BOTH, "malloc() chooses an arena"),

	/* Signals: to itself. */
	OK(rt_sigaction, BOTH, "what to do about a signal"),
	OK(rt_sigprocmask, BOTH, "which thread gets it"),
	OK(rt_sigreturn, BOTH, "the end of a handler"),
	OK(rt_sigtimedwait, BOTH, "the main thread waits"),
	OK(rt_sigtimedwait_time64, BOTH, "the same on 32 bits"),
	OK(rt_sigsuspend, BOTH, "the main thread waits"),
	OK(rt_sigpending, BOTH, "is there one"),
	OK(sigaltstack, BOTH, "a handler's stack"),
	OK(signalfd4, BOTH, "signals in an event loop"),
	OK(pause, BOTH, "the main thread waits"),
	OK(restart_syscall, BOTH, "a call after a stop"),
	OK_IF(kill, BOTH, "raise()", SELF(0)),
	NO_IF(kill, BOTH, "other processes", OTHERS(0)),
	OK_IF(tgkill, BOTH, "abort(), pthread_kill()", SELF(0)),
	NO_IF(tgkill, BOTH, "other processes", OTHERS(0)),

	/* Who and where am I. */
	OK(getpid, BOTH, "OpenSSL, SoftHSM: after a fork?"),
	OK(gettid, BOTH, "raise()"),
	OK(getppid, BOTH, "is the supervisor there"),
	OK(getuid, BOTH, "libraries ask: setuid program?"),
	OK(geteuid, BOTH, "SQLite: am I root"),
	OK(getgid, BOTH, "libraries ask: setuid program?"),
	OK(getegid, BOTH, "libraries ask: setuid program?"),
	OK(getresuid, BOTH, "libraries ask: setuid program?"),
	OK(getresgid, BOTH, "libraries ask: setuid program?"),
	OK(getgroups, BOTH, "libraries ask"),
	OK(uname, BOTH, "getaddrinfo(); PKCS#11 modules"),
	OK(sysinfo, BOTH, "qsort() asks for the size of memory"),
	OK(getrusage, BOTH, "metrics; seeds"),
	OK(times, BOTH, "metrics; seeds"),
	OK_IF(prlimit64, BOTH, "getrlimit()", INT(0, 0), NIL(2)),
	NO_IF(prlimit64, BOTH, "setrlimit(): core files", { 2, SCMP_CMP_NE, 0, 0 }),
	OK(getrlimit, BOTH, "how many descriptors"),
	NO(setrlimit, BOTH, "core files"),

	/* Time and chance. */
	OK(clock_gettime, BOTH, "where the vDSO has no clock"),
	OK(clock_gettime64, BOTH, "the same on 32 bits"),
	OK(clock_getres, BOTH, "libevent"),
	OK(gettimeofday, BOTH, "where the vDSO has no clock"),
	OK(time, BOTH, "where the vDSO has no clock"),
	OK(clock_nanosleep, BOTH, "waits"),
	OK(clock_nanosleep_time64, BOTH, "the same on 32 bits"),
	OK(nanosleep, BOTH, "waits"),
	OK(timerfd_create, FRONT, "libevent, where precision is asked for"),
	OK(timerfd_settime, FRONT, "libevent, where precision is asked for"),
	OK(getrandom, BOTH, "OpenSSL; temporary names"),

	/* Waiting for descriptors. */
	OK(poll, BOTH, "channels; libcurl; the resolver"),
	OK(ppoll, BOTH, "the same in a newer libc"),
	OK(select, BOTH, "older libraries"),
	OK(pselect6, BOTH, "older libraries"),
	OK(epoll_create1, BOTH, "libevent"),
	OK(epoll_create, FRONT, "libevent on older kernels"),
	OK(epoll_ctl, BOTH, "libevent"),
	OK(epoll_wait, BOTH, "libevent"),
	OK(epoll_pwait, BOTH, "the same in a newer libc"),
	OK(epoll_pwait2, BOTH, "the same in a newer libevent"),

	/* Sockets that were given. */
	OK(recvfrom, BOTH, "recv()"),
	OK(recvmsg, BOTH, "descriptors from the supervisor"),
	OK(sendmsg, BOTH, "without SIGPIPE"),
	OK(shutdown, BOTH, "the end of a connection"),
	OK(getsockopt, BOTH, "what went wrong; what kind is it"),
	OK_IF(sendto, SIGNER, "send(): to whom it is connected", NIL(4)),
	OK(getsockname, BOTH, "which address"),
	OK(getpeername, BOTH, "which address"),
	OK_IF(setsockopt, SIGNER, "timeouts", INT(1, SOL_SOCKET)),
	/* A datagram pair could be turned to any socket of the machine afterwards. */
	OK_IF(socketpair, BOTH, "libcurl wakes its threads", INT(0, AF_UNIX),
	    BITS(1, SOCK_TYPE, SOCK_STREAM)),
	NO(listen, BOTH, "listeners are made before; a door of an attacker's own"),

	/* The front's, and a signer's whose token is behind a network. */
	OK(accept4, FRONT, "a client"),
	OK(accept, FRONT, "a client"),
	OK(sendto, FRONT, "send(); the resolver"),
	OK(setsockopt, FRONT, "TCP_NODELAY, keep-alive, timeouts"),
	ROW(setsockopt, SIGNER, HAS_NETWORK, 0, SCMP_ACT_ALLOW,
	    "TCP_NODELAY, keep-alive of a token", INT(1, IPPROTO_TCP)),
	ROW(setsockopt, SIGNER, HAS_NETWORK, 0, SCMP_ACT_ALLOW, "the resolver wants errors told",
	    INT(1, IPPROTO_IP)),
	ROW(setsockopt, SIGNER, HAS_NETWORK, 0, SCMP_ACT_ALLOW, "the resolver wants errors told",
	    INT(1, IPPROTO_IPV6)),
	OK_WITH(HAS_NETWORK, sendmmsg, "the resolver asks for both kinds of address"),
	OK_WITH(HAS_NETWORK, recvmmsg, "the resolver"),
	OK_WITH(HAS_NETWORK, bind,
	    "getaddrinfo() binds its netlink socket; TCP is Landlock's to refuse"),
	OK_WITH_IF(HAS_NETWORK, socket, "Entra, Intune, a token", INT(0, AF_INET),
	    BITS(1, SOCK_TYPE, SOCK_STREAM), BITS(2, ~(uint32_t)IPPROTO_TCP, 0)),
	OK_WITH_IF(HAS_NETWORK, socket, "Entra, Intune, a token", INT(0, AF_INET6),
	    BITS(1, SOCK_TYPE, SOCK_STREAM), BITS(2, ~(uint32_t)IPPROTO_TCP, 0)),
	OK_WITH_IF(HAS_NETWORK, socket, "name servers", INT(0, AF_INET),
	    BITS(1, SOCK_TYPE, SOCK_DGRAM), INT(2, 0)),
	OK_WITH_IF(HAS_NETWORK, socket, "name servers", INT(0, AF_INET6),
	    BITS(1, SOCK_TYPE, SOCK_DGRAM), INT(2, 0)),
	OK_WITH_IF(HAS_NETWORK, socket, "name servers", INT(0, AF_INET),
	    BITS(1, SOCK_TYPE, SOCK_DGRAM), INT(2, IPPROTO_UDP)),
	OK_WITH_IF(HAS_NETWORK, socket, "name servers", INT(0, AF_INET6),
	    BITS(1, SOCK_TYPE, SOCK_DGRAM), INT(2, IPPROTO_UDP)),
	OK_WITH_IF(HAS_NETWORK, socket, "getaddrinfo(): is there IPv6", INT(0, AF_NETLINK),
	    INT(2, NETLINK_ROUTE)),
	OK_WITH_IF(HAS_UNIX, socket, "a daemon behind a module", INT(0, AF_UNIX),
	    BITS(1, SOCK_TYPE, SOCK_STREAM)),
	OK_WITH(HAS_NETWORK | HAS_UNIX, connect, "Entra, Intune, DNS; a token"),
	NO_WITHOUT(HAS_NETWORK | HAS_UNIX, connect, "a signer has nobody to call"),
	NO_WITHOUT(HAS_NETWORK, bind, "a signer has nobody to hear"),
};
const size_t n_calls_allowed = COUNT(calls_allowed);
