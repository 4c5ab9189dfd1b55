/*
 * sandbox.c - the order of the steps, and the report.
 */
#include "sandbox/sandbox_int.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

void
report_missing(struct sandbox_report *r, const char *fmt, ...)
{
	va_list ap;

	if (r->n_missing == SANDBOX_MISSING_MAX)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(r->missing[r->n_missing++], sizeof r->missing[0], fmt, ap);
	va_end(ap);
}

unsigned
sandbox_has(const struct sandbox *s)
{
	unsigned has = s->role == SANDBOX_FRONT ? HAS_NETWORK | HAS_CODE : 0;

	if (s->network)
		has |= HAS_NETWORK;
	for (size_t i = 0; i < s->n_paths; i++) {
		if ((s->paths[i].may & SANDBOX_EXEC) != 0)
			has |= HAS_CODE;
		if ((s->paths[i].may & SANDBOX_CONNECT) != 0)
			has |= HAS_UNIX;
	}
	return has;
}

/*
 * Another thread would stay outside.  /proc may be missing, and a sanitizer's own thread is no concern:
 * then nobody looks.
 */
static enum rc
alone(struct err *err)
{
	char line[128];
	unsigned threads = 1;
	FILE *f;

	if (SANITIZED || (f = fopen("/proc/self/status", "re")) == NULL)
		return RC_OK;
	while (fgets(line, sizeof line, f) != NULL)
		if (sscanf(line, "Threads: %u", &threads) == 1)
			break;
	(void)fclose(f);
	if (threads != 1)
		return fail(
		    err, RC_BUG, "a process with %u threads cannot enter its sandbox", threads);
	return RC_OK;
}

/* Keys are in memory: no file of it by a crash, no reader of it by /proc or ptrace. */
static enum rc
close_memory(struct err *err)
{
	const struct rlimit none = { 0, 0 };

	if (setrlimit(RLIMIT_CORE, &none) != 0)
		return fail_errno(err, "cannot forbid core files");
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 || prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0)
		return fail_errno(err, "cannot close this process's memory to others");
	return RC_OK;
}

static enum rc
no_new_privs(struct err *err)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		return fail_errno(err, "cannot give up new privileges");
	return RC_OK;
}

/* What holds on any kernel that can run this at all, and what is up to the kernel. */
static void
report_begin(struct sandbox_report *r, enum sandbox_role role)
{
	memset(r, 0, sizeof *r);
	r->no_new_privs = r->not_dumpable = r->capabilities = true;
	r->calls = calls_supported();
	if (!r->calls)
		report_missing(
		    r, "no seccomp filters: every system call can be made (CONFIG_SECCOMP_FILTER)");
	landlock_report(r, role, landlock_abi());
}

static enum rc
in_order(const struct sandbox *s, struct err *err)
{
	if (s->role >= SANDBOX__MAX || (s->role == SANDBOX_SUPERVISOR && s->n_paths > 0))
		return fail(err, RC_BUG, "a supervisor has no list of paths");
	if (!caps_are_gone(s->role))
		return fail(err, RC_BUG, "a process enters its sandbox with capabilities");
	return alone(err);
}

enum rc
sandbox_enter(struct sandbox_report *report, const struct sandbox *s, struct err *err)
{
	struct sandbox_report r;
	enum rc rc;

	if ((rc = in_order(s, err)) != RC_OK)
		return rc;
	report_begin(&r, s->role);
	r.capabilities = caps_are_gone(SANDBOX_SIGNER); /* all of them */
	if ((rc = close_memory(err)) != RC_OK || (rc = no_new_privs(err)) != RC_OK)
		return rc;
	/* Landlock before the filter, which has no row for its calls. */
	if (r.files && (rc = landlock_enter(s, r.landlock_abi, err)) != RC_OK)
		return rc;
	if (r.calls && (rc = calls_enter(s, err)) != RC_OK)
		return rc;
	*report = r;
	return RC_OK;
}

void
sandbox_probe(struct sandbox_report *report)
{
	report_begin(report, SANDBOX_FRONT);
}
