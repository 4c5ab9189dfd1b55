/*
 * sandbox_int.h - what the files of this folder share.
 */
#ifndef SCEPD_SANDBOX_SANDBOX_INT_H
#define SCEPD_SANDBOX_SANDBOX_INT_H

#include <stdint.h>

#include "sandbox/sandbox.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Columns of the tables: sets of roles. */
enum {
	SUPERVISOR = 1 << SANDBOX_SUPERVISOR,
	FRONT = 1 << SANDBOX_FRONT,
	SIGNER = 1 << SANDBOX_SIGNER,
	BOTH = FRONT | SIGNER,
	ALL = SUPERVISOR | FRONT | SIGNER,
};

/* What a process has been given beyond its role; a row may need one of them. */
enum {
	HAS_NETWORK = 1, /* connects to internet addresses */
	HAS_UNIX = 2,    /* connects to unix sockets */
	HAS_CODE = 4,    /* maps files as code */
};
unsigned sandbox_has(const struct sandbox *s);

/*
 * Sanitizers stop the world at exit to look for leaks, which takes ptrace(2) of a task that shares
 * the memory.  A build with them is for tests; it gets what they need and nothing is said of it.
 */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||                         \
    __has_feature(leak_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

/* A sentence for the log about what this kernel lacks. */
void report_missing(struct sandbox_report *r, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Has this process no capability but those that its role keeps? */
bool caps_are_gone(enum sandbox_role role);

/* ---- files (landlock.c, paths.c) ---- */

struct system_path {
	unsigned roles;
	struct sandbox_path path;
	const char *why;
	bool live; /* a file that the C library reads again when it has changed */
};
extern const struct system_path system_paths[];
extern const size_t n_system_paths;

/* sandbox_files_take() and sandbox_files_replaced0(), of a list of one's own. */
void files_take(struct sandbox_files *out, const struct system_path *rows, size_t n);
const char *files_replaced0(
    const struct sandbox_files *then, const struct system_path *rows, size_t n);

/* Which version of Landlock this kernel has, 0 when none; what it lacks goes to the report. */
int landlock_abi(void);
void landlock_report(struct sandbox_report *r, enum sandbox_role role, int abi);
enum rc landlock_enter(const struct sandbox *s, int abi, struct err *err) MUST_CHECK;

/* ---- system calls (calls.c, calls_allowed.c, calls_fatal.c) ---- */

/* Is there a seccomp that can kill a process? */
bool calls_supported(void);
enum rc calls_enter(const struct sandbox *s, struct err *err) MUST_CHECK;

#endif
