/*
 * identity.c - becoming a user and dropping capabilities, with no way back.
 *
 * Capabilities by capset(2) itself: libcap is one more library for two calls.
 */
#include "sandbox/sandbox_int.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CAP_BIT(cap) (UINT64_C(1) << (cap))
#define CAPS_MAX     64 /* a set is two words of 32 */

/* What the supervisor keeps, for itself and for what its children do before they drop it. */
static const struct {
	int cap;
	const char *why;
} kept[] = {
	{ CAP_SETUID, "children become their users" },
	{ CAP_SETGID, "and their users' groups" },
	{ CAP_SETPCAP, "children empty their bounding sets" },
	{ CAP_CHOWN, "the signer's state and the database folder are made for their users" },
	{ CAP_DAC_READ_SEARCH, "files of the configuration that belong to the children's users" },
	{ CAP_KILL, "a child that hangs has another user" },
	{ CAP_NET_BIND_SERVICE, "the front listens on 80 and 443 before it drops everything" },
};

static uint64_t
caps_kept(void)
{
	uint64_t keep = 0;

	for (size_t i = 0; i < COUNT(kept); i++)
		keep |= CAP_BIT(kept[i].cap);
	return keep;
}

static enum rc
caps_get(struct __user_cap_data_struct set[2], struct err *err)
{
	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };

	if (syscall(SYS_capget, &head, set) != 0)
		return fail_errno(err, "cannot read this process's capabilities");
	return RC_OK;
}

static int
caps_set(const struct __user_cap_data_struct set[2])
{
	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };

	return (int)syscall(SYS_capset, &head, set);
}

/*
 * Without CAP_SETPCAP the set stays: it bounds what an exec'ed file's capabilities could add, and
 * no_new_privs forbids that anyway.
 */
static enum rc
bounding_narrow(uint64_t keep, struct err *err)
{
	for (int cap = 0; cap < CAPS_MAX; cap++) {
		int there = prctl(PR_CAPBSET_READ, cap, 0, 0, 0);

		if (there < 0)
			break; /* past the last one that this kernel knows */
		if (there == 0 || (keep & CAP_BIT(cap)) != 0)
			continue;
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) != 0 && errno != EPERM)
			return fail_errno(
			    err, "cannot drop capability %d from the bounding set", cap);
	}
	return RC_OK;
}

/* Kernels before 4.3 have no ambient set, which is as good as an empty one. */
static enum rc
ambient_narrow(uint64_t keep, struct err *err)
{
	for (int cap = 0; cap < CAPS_MAX; cap++) {
		if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, cap, 0, 0) != 1 ||
		    (keep & CAP_BIT(cap)) != 0)
			continue;
		if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_LOWER, cap, 0, 0) != 0)
			return fail_errno(err, "cannot drop ambient capability %d", cap);
	}
	return RC_OK;
}

/* Permitted, effective and inheritable: what is there of `keep`. */
static enum rc
caps_narrow(uint64_t keep, struct err *err)
{
	struct __user_cap_data_struct set[2];
	enum rc rc;

	if ((rc = ambient_narrow(keep, err)) != RC_OK || (rc = caps_get(set, err)) != RC_OK)
		return rc;
	for (int i = 0; i < 2; i++) {
		uint32_t word = (uint32_t)(keep >> (32 * i));

		set[i].permitted &= word;
		set[i].effective = set[i].permitted;
		set[i].inheritable &= word;
	}
	if (caps_set(set) != 0)
		return fail_errno(err, "cannot drop capabilities");
	return RC_OK;
}

bool
caps_are_gone(enum sandbox_role role)
{
	uint64_t keep = role == SANDBOX_SUPERVISOR ? caps_kept() : 0;
	struct __user_cap_data_struct set[2];

	if (caps_get(set, NULL) != RC_OK)
		return false;
	return (set[0].permitted & ~(uint32_t)keep) == 0 &&
	    (set[1].permitted & ~(uint32_t)(keep >> 32)) == 0;
}

/* Every way back is tried; that one of them works cannot happen, and must not go unnoticed. */
static enum rc
no_caps_back(struct err *err)
{
	struct __user_cap_data_struct set[2];
	enum rc rc;

	if ((rc = caps_get(set, err)) != RC_OK)
		return rc;
	for (int i = 0; i < 2; i++)
		if ((set[i].permitted | set[i].effective | set[i].inheritable) != 0)
			return fail(
			    err, RC_BUG, "capabilities are still there after dropping them");
	set[0].permitted = set[0].effective = CAP_BIT(CAP_SETUID);
	if (caps_set(set) == 0)
		return fail(err, RC_BUG, "a dropped capability could be taken back");
	return RC_OK;
}

/*
 * The calls themselves: libc's would make them in every thread and abort when one of them succeeds, as
 * it does in a sanitizer's own, which still has its capabilities.
 */
static enum rc
no_user_back(uid_t uid, gid_t gid, struct err *err)
{
	/* From root too: without capabilities it is a user like any other. */
	uid_t another = uid == 0 ? 1 : 0, r, e, s;
	gid_t other_group = gid == 0 ? 1 : 0, rg, eg, sg;

	if (getresuid(&r, &e, &s) != 0 || r != uid || e != uid || s != uid ||
	    getresgid(&rg, &eg, &sg) != 0 || rg != gid || eg != gid || sg != gid)
		return fail(err, RC_BUG, "this process is not the user that it has become");
	if (syscall(SYS_setresuid, -1, another, -1) == 0 || syscall(SYS_setuid, another) == 0)
		return fail(err, RC_BUG, "this process can still become another user");
	if (syscall(SYS_setresgid, -1, other_group, -1) == 0 ||
	    syscall(SYS_setgroups, 0, NULL) == 0)
		return fail(err, RC_BUG, "this process can still change its groups");
	return RC_OK;
}

/* In this order: each step needs a privilege that a later one takes. */
static enum rc
become(const struct passwd *pw, struct err *err)
{
	if (initgroups(pw->pw_name, pw->pw_gid) != 0)
		return fail_errno(err, "cannot take the groups of user %s", pw->pw_name);
	if (setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) != 0)
		return fail_errno(err, "cannot take the group of user %s", pw->pw_name);
	if (setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid) != 0)
		return fail_errno(err, "cannot become user %s", pw->pw_name);
	return RC_OK;
}

/* Whatever a setuid program's caller was, too. */
static enum rc
stay(uid_t uid, gid_t gid, struct err *err)
{
	if (setresgid(gid, gid, gid) != 0 || setresuid(uid, uid, uid) != 0)
		return fail_errno(err, "cannot stay the user that runs this");
	return RC_OK;
}

/* NULL in *out: it is who we are. */
static enum rc
look_up(const struct passwd **out, const char *user, struct err *err)
{
	const struct passwd *pw;
	enum rc rc;

	errno = 0;
	if ((pw = getpwnam(user)) == NULL) {
		rc = fail(err, RC_CONFIG, "there is no user %s", user);
		err_hint(err, "useradd --system %s, or name another one", user);
		return rc;
	}
	if (pw->pw_uid == geteuid()) {
		*out = NULL;
		return RC_OK;
	}
	if (pw->pw_uid == 0)
		return fail(err, RC_CONFIG, "user %s is root, which is nobody to become", user);
	if (geteuid() != 0) {
		rc = fail(err, RC_CONFIG, "only root can become user %s", user);
		err_hint(err, "start it as root, or leave the user out to stay who you are");
		return rc;
	}
	*out = pw;
	return RC_OK;
}

enum rc
sandbox_identity(const char *user, struct err *err)
{
	const struct passwd *pw = NULL;
	enum rc rc;
	int sig = 0;

	if (user != NULL && (rc = look_up(&pw, user, err)) != RC_OK)
		return rc;
	if ((rc = bounding_narrow(0, err)) != RC_OK)
		return rc;
	(void)prctl(PR_GET_PDEATHSIG, &sig, 0, 0, 0);
	rc = pw != NULL ? become(pw, err) : stay(geteuid(), getegid(), err);
	/* The kernel forgets it with the identity. */
	if (rc == RC_OK && sig != 0 && prctl(PR_SET_PDEATHSIG, sig, 0, 0, 0) != 0)
		rc = fail_errno(err, "cannot ask to end with the parent");
	if (rc != RC_OK || (rc = caps_narrow(0, err)) != RC_OK || (rc = no_caps_back(err)) != RC_OK)
		return rc;
	return no_user_back(geteuid(), getegid(), err);
}

enum rc
sandbox_keep_caps(struct err *err)
{
	uint64_t keep = caps_kept();
	enum rc rc;

	if ((rc = bounding_narrow(keep, err)) != RC_OK)
		return rc;
	return caps_narrow(keep, err);
}
