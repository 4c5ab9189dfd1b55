/*
 * calls.c - the tables as seccomp filters, through libseccomp.
 *
 * Two filters for the front and the signer.  The first answers what a libc is known to try and do
 * without, and is not logged: a thread starts many times a day.  The second has everything else, and the
 * kernel logs what it refuses.
 */
#include "sandbox/calls_int.h"

#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Threads are started by clone3(2), whose flags are behind a pointer, or without it by clone(2). */
static const struct call calls_tried[] = {
	{ SCMP_SYS(clone3), BOTH, 0, 0, SCMP_ACT_ERRNO(ENOSYS), { { 0 } },
	    "libc calls clone instead" },
};

bool
calls_supported(void)
{
	return seccomp_api_get() >= 3; /* kills processes, logs: Linux 4.14 */
}

/* Does the row stand in the filter of this process? */
static bool
call_applies(const struct call *c, const struct sandbox *s)
{
	unsigned has = sandbox_has(s);

	return (c->roles & (1u << s->role)) != 0 && (c->needs == 0 || (c->needs & has) != 0) &&
	    (c->lacks & has) == 0;
}

/* libseccomp returns -errno. */
static enum rc
failed(int r, const char *what, struct err *err)
{
	errno = -r;
	return fail_errno(err, "cannot make a filter of system calls: %s", what);
}

static enum rc
add(scmp_filter_ctx f, const struct call *c, struct err *err)
{
	struct scmp_arg_cmp args[CALL_ARGS_MAX];
	unsigned n = 0;
	int r;

	for (; n < CALL_ARGS_MAX && c->args[n].op != 0; n++) {
		args[n] = c->args[n];
		if (args[n].datum_a == OWN_PID)
			args[n].datum_a = (scmp_datum_t)getpid();
	}
	r = seccomp_rule_add_array(f, c->action, c->nr, n, args);
	return r == 0 ? RC_OK : failed(r, c->why, err);
}

static enum rc
add_all(
    scmp_filter_ctx f, const struct call *rows, size_t n, const struct sandbox *s, struct err *err)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < n; i++)
		if (call_applies(&rows[i], s))
			rc = add(f, &rows[i], err);
	return rc;
}

static bool
family_allowed(int family, const struct sandbox *s)
{
	for (size_t i = 0; i < n_calls_allowed; i++) {
		const struct call *c = &calls_allowed[i];

		if (c->nr == SCMP_SYS(socket) && c->args[0].datum_b == (scmp_datum_t)family &&
		    call_applies(c, s))
			return true;
	}
	return false;
}

/* "Permission denied" tells an administrator more than the "Function not implemented" of the rest. */
static enum rc
refuse_families(scmp_filter_ctx f, const struct sandbox *s, struct err *err)
{
	enum rc rc = RC_OK;

	for (int family = 0; rc == RC_OK && family < AF_MAX; family++) {
		const struct call c = { SCMP_SYS(socket), BOTH, 0, 0, SCMP_ACT_ERRNO(EACCES),
			{ INT(0, family) }, "a family of sockets" };

		if (!family_allowed(family, s))
			rc = add(f, &c, err);
	}
	return rc;
}

/* Another architecture's calls have other numbers: nothing here is built for one. */
static enum rc
settings(scmp_filter_ctx f, bool logged, struct err *err)
{
	const struct {
		enum scmp_filter_attr attr;
		uint32_t value;
		const char *what;
	} all[] = {
		{ SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS, "calls of another architecture" },
		{ SCMP_FLTATR_CTL_LOG, logged, "logging" },
		{ SCMP_FLTATR_CTL_OPTIMIZE, 2, "a search tree" },
	};

	for (size_t i = 0; i < COUNT(all); i++) {
		int r = seccomp_attr_set(f, all[i].attr, all[i].value);

		if (r != 0)
			return failed(r, all[i].what, err);
	}
	return RC_OK;
}

static enum rc
load(scmp_filter_ctx f, struct err *err)
{
	int r = seccomp_load(f);

	return r == 0 ? RC_OK : failed(r, "the kernel does not take it", err);
}

/* What libraries try: everything else passes to the filter that follows. */
static enum rc
enter_tried(const struct sandbox *s, struct err *err)
{
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_ALLOW);
	enum rc rc;

	if (f == NULL)
		return fail(err, RC_NOMEM, "no memory for a filter of system calls");
	if ((rc = settings(f, false, err)) == RC_OK &&
	    (rc = add_all(f, calls_tried, COUNT(calls_tried), s, err)) == RC_OK)
		rc = load(f, err);
	seccomp_release(f);
	return rc;
}

static enum rc
enter_listed(const struct sandbox *s, struct err *err)
{
	bool light = s->role == SANDBOX_SUPERVISOR;
	scmp_filter_ctx f = seccomp_init(light ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO(ENOSYS));
	enum rc rc;

	if (f == NULL)
		return fail(err, RC_NOMEM, "no memory for a filter of system calls");
	if ((rc = settings(f, true, err)) == RC_OK &&
	    (rc = add_all(f, calls_fatal, n_calls_fatal, s, err)) == RC_OK &&
	    (rc = add_all(f, calls_allowed, n_calls_allowed, s, err)) == RC_OK && !light)
		rc = refuse_families(f, s, err);
	if (rc == RC_OK)
		rc = load(f, err);
	seccomp_release(f);
	return rc;
}

enum rc
calls_enter(const struct sandbox *s, struct err *err)
{
	enum rc rc = RC_OK;

	if (s->role != SANDBOX_SUPERVISOR)
		rc = enter_tried(s, err);
	return rc == RC_OK ? enter_listed(s, err) : rc;
}
