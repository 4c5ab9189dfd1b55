/*
 * sandbox.h - giving up authority: identity, capabilities, files, system calls.
 *
 * A process calls these once, from its only thread: first sandbox_identity() (the supervisor:
 * sandbox_keep_caps()), then sandbox_enter().  After that nothing in it can open a file outside its
 * list, call what its role does not need, regain a privilege, or be looked into by another process
 * of its user.
 *
 * What this kernel cannot do is told in the report, never silently left out; the caller logs it loudly.
 *
 * Before sandbox_enter(): listening sockets (nothing listens afterwards), folders on the list (a rule
 * needs the thing it is for), passphrases asked for on a terminal.  After it: keys and PKCS#11
 * modules are loaded, threads are started, bytes from outside are read.
 *
 * What stays possible, by the nature of the mechanisms:
 *   - names, sizes and times of files that the user may see: stat(2) is not Landlock's;
 *   - everything through a descriptor that was open before, or is passed by another process: a
 *     folder's descriptor does not count, for names are looked up anew;
 *   - mapping a file as code, in the front (getaddrinfo() loads libnss_*) and in a signer with a
 *     module: never memory that was written to, but the kernel does not ask which file;
 *   - in the front: a connection to any address, and UDP both ways;
 *   - root outside, with a debugger: sees everything.
 *
 * Threads: before any other thread exists (Landlock and capabilities bind the calling thread and what
 * it starts).  RC_BUG when there are others.
 */
#ifndef SCEPD_SANDBOX_SANDBOX_H
#define SCEPD_SANDBOX_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

/*
 * Which rows of the tables apply (calls_allowed.c, calls_fatal.c, paths.c: a reason a row).
 *
 * The supervisor starts the others, again and again, so whatever it is forbidden is forbidden to them
 * from their first instruction on, before they have opened anything.  Its filter is therefore the
 * list of what none of the three ever calls; it has no Landlock rules (the files that it opens for the
 * front are named by a configuration that may change); and no_new_privs, which a filter needs, does
 * its children no harm: setuid(2) asks for a capability, which they have from it.  It is kept small by
 * what it holds, sandbox_keep_caps(), and by reading nothing from the network.
 *
 * A call that is on no list fails with ENOSYS in the front and the signer, and is logged by the kernel
 * (audit, type 1326): next year's libc falls back to what it called before, and the server stays up.  A
 * call that only an attacker makes (calls_fatal.c) kills the process.
 */
enum sandbox_role {
	SANDBOX_SUPERVISOR, /* starts processes, opens the files on its list, passes descriptors */
	SANDBOX_FRONT, /* sockets, the database, outbound HTTP; never ptrace, exec, signals to others */
	SANDBOX_SIGNER, /* no sockets at all but those it was given */
	SANDBOX__MAX
};

/*
 * What a process may do to a path and everything below it.  A rule is bound to the inode that is
 * there at the time: a file that is replaced by rename is another one, which the rule is not for.
 * What is replaced needs its folder on the list.  Rename and link stay within one folder.
 */
enum {
	SANDBOX_READ = 1,  /* read files, list folders */
	SANDBOX_WRITE = 2, /* write to files that are there, and truncate them */
	SANDBOX_MAKE = 4,  /* make, rename and remove files and folders in a folder */
	/* A shared object to load: SANDBOX_SIGNER may map files as code (the front always may). */
	SANDBOX_EXEC = 8,
	/* A unix socket to connect to: the process may make unix sockets.  Which ones it connects to is
	 * up to their modes: neither filter nor Landlock sees the path. */
	SANDBOX_CONNECT = 16,
};
struct sandbox_path {
	const char *path;
	unsigned may;
	bool optional; /* what is not there is left out silently */
};

struct sandbox {
	enum sandbox_role role;
	/* Beyond those of the system that the role needs (paths.c).  None for SANDBOX_SUPERVISOR. */
	const struct sandbox_path *paths;
	size_t n_paths;
	bool network; /* SANDBOX_SIGNER with a token behind a network: it may connect, not listen */
};

/* What was put in force; `capabilities`: none is left.  `missing`: one sentence for each thing this kernel lacks, for the log. */
#define SANDBOX_MISSING_MAX 8
struct sandbox_report {
	bool no_new_privs, not_dumpable, capabilities, calls, files, signals;
	int landlock_abi; /* 0: none */
	char missing[SANDBOX_MISSING_MAX][160];
	size_t n_missing;
};

/*
 * Become `user` (NULL: stay who we are) for good: groups, gid, uid; checked by trying to get back.
 * What PR_SET_PDEATHSIG has asked for stays asked for.  Also drops every capability and the bounding set.  RC_CONFIG: no such user, or not root.
 */
enum rc sandbox_identity(const char *user, struct err *err) MUST_CHECK;
/*
 * The supervisor's: stay who we are and keep the capabilities of the table in identity.c, of those
 * that are there, which is what children need to become their users and to listen.
 */
enum rc sandbox_keep_caps(struct err *err) MUST_CHECK;
/*
 * No core files, not dumpable, no_new_privs, Landlock, seccomp; for good.  RC_IO names the step that
 * failed although the kernel has it; RC_CONFIG a path that is not there.  After a failure the process
 * is good for nothing but exit.
 */
enum rc sandbox_enter(
    struct sandbox_report *report, const struct sandbox *s, struct err *err) MUST_CHECK;
/*
 * Which files there were when a process was started: of the system's, those that it reads again and
 * again and that have a rule of their own (/etc/resolv.conf, /etc/hosts ...).  Whoever replaces one by
 * rename takes it from the process, which has to be started again.
 */
#define SANDBOX_FILES_MAX 8
struct sandbox_files {
	uint64_t dev[SANDBOX_FILES_MAX],
	    ino[SANDBOX_FILES_MAX]; /* 0: none, or below a folder of the list */
};
void sandbox_files_take(struct sandbox_files *out);
/* The path of one that is another file by now, or NULL; static. */
const char *sandbox_files_replaced0(const struct sandbox_files *then);
/* The same report without entering anything: what this kernel could do (for `scepctl check`). */
void sandbox_probe(struct sandbox_report *report);

#endif
