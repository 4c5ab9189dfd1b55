/*
 * sandbox.h - giving up authority: identity, capabilities, files, system calls.
 *
 * A process calls these once, from its only thread, in this order: sandbox_identity(),
 * sandbox_enter().  After that nothing in it can open a file outside its list, call what its role does
 * not need, regain a privilege, or be looked into by a debugger.
 *
 * What this kernel cannot do is told in the report, never silently left out; the caller logs it loudly.
 *
 * Threads: before any other thread exists (Landlock and capabilities bind the calling thread and what
 * it starts).
 */
#ifndef SCEPD_SANDBOX_SANDBOX_H
#define SCEPD_SANDBOX_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

/* Which table of system calls applies: sandbox_calls.c has one for each, with a reason a row. */
enum sandbox_role {
	SANDBOX_SUPERVISOR, /* starts processes, opens the files on its list, passes descriptors */
	SANDBOX_FRONT, /* sockets, the database, outbound HTTP; never ptrace, exec, signals to others */
	SANDBOX_SIGNER, /* no sockets at all but those it was given */
	SANDBOX__MAX
};

/* What a process may do to a path and everything below it. */
enum {
	SANDBOX_READ = 1, /* read files, list folders */
	SANDBOX_WRITE =
	    2,            /* write to files that are there (a file's own rule survives no rename) */
	SANDBOX_MAKE = 4, /* make, rename and remove files in a folder */
	SANDBOX_EXEC = 8, /* map as code; run */
	SANDBOX_CONNECT =
	    16, /* unix sockets by path: known to the kernel by the call filter alone */
};
struct sandbox_path {
	const char *path;
	unsigned may;
	bool optional; /* what is not there is left out silently */
};

struct sandbox {
	enum sandbox_role role;
	const struct sandbox_path *paths;
	size_t n_paths;
	bool network; /* SANDBOX_SIGNER with a token behind a network: sockets are allowed */
};

/* What was put in force.  `missing`: one sentence for each thing this kernel lacks, for the log. */
struct sandbox_report {
	bool no_new_privs, not_dumpable, capabilities, calls, files, signals;
	int landlock_abi; /* 0: none */
	char missing[8][160];
	size_t n_missing;
};

/*
 * Become `user` (NULL: stay who we are) for good: groups, gid, uid; checked by trying to get back.
 * Also drops every capability and the bounding set.  RC_CONFIG: no such user, or not root.
 */
enum rc sandbox_identity(const char *user, struct err *err) MUST_CHECK;
/* no_new_privs, not dumpable, no core files, Landlock, seccomp.  RC_IO names the step that failed although the
 * kernel has it. */
enum rc sandbox_enter(
    struct sandbox_report *report, const struct sandbox *s, struct err *err) MUST_CHECK;
/* The same report without entering anything: what this kernel could do (for `scepctl check`). */
void sandbox_probe(struct sandbox_report *report);

#endif
