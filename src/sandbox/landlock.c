/*
 * landlock.c - which files there are for a process (landlock(7)).
 *
 * Nothing is allowed but the paths of paths.c and the caller's.  A ruleset handles as much as the
 * kernel knows; the table below tells what that is, version by version, and what is said when it is
 * missing.  Constants and structs stand here, since the headers of a build machine may be older than
 * the kernel that the program runs on.
 */
#include "sandbox/sandbox_int.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LL_CREATE_VERSION 1u /* ask for the version instead of making a ruleset */
#define LL_RULE_PATH      1  /* LANDLOCK_RULE_PATH_BENEATH */

/* Rights to files and folders: bits of LANDLOCK_ACCESS_FS_*. */
#define FS_EXECUTE     (UINT64_C(1) << 0)
#define FS_WRITE_FILE  (UINT64_C(1) << 1)
#define FS_READ_FILE   (UINT64_C(1) << 2)
#define FS_READ_DIR    (UINT64_C(1) << 3)
#define FS_REMOVE_DIR  (UINT64_C(1) << 4)
#define FS_REMOVE_FILE (UINT64_C(1) << 5)
#define FS_MAKE_DIR    (UINT64_C(1) << 7)
#define FS_MAKE_REG    (UINT64_C(1) << 8)
#define FS_TRUNCATE    (UINT64_C(1) << 14) /* since version 3 */
#define FS_IOCTL_DEV   (UINT64_C(1) << 15) /* since version 5 */
/* A rule for what is no folder may give these and no others. */
#define FS_OF_FILES (FS_EXECUTE | FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE | FS_IOCTL_DEV)

#define NET_BIND_TCP    (UINT64_C(1) << 0)
#define NET_CONNECT_TCP (UINT64_C(1) << 1)

#define SCOPE_ABSTRACT_UNIX (UINT64_C(1) << 0)
#define SCOPE_SIGNAL        (UINT64_C(1) << 1)

struct ll_ruleset {
	uint64_t fs, net, scoped;
};
struct ll_path {
	uint64_t allowed;
	int32_t parent_fd;
} __attribute__((packed));

/*
 * What came with which version.  Version 1: bits 0 to 12.  Bit 13, rename and link between folders
 * (version 2), is handled and given to no path; version 1 forbids it always.
 */
static const struct {
	int abi;
	struct ll_ruleset handles;
	unsigned roles; /* whose report says it is missing; 0: the filter forbids it as well */
	const char *missing;
} versions[] = {
	{ 1, { .fs = 0x1fff }, BOTH,
	    "no Landlock: files of other programs of this user can be opened (Linux 5.13, "
	    "lsm=landlock)" },
	{ 2, { .fs = UINT64_C(1) << 13 }, 0, NULL },
	{ 3, { .fs = FS_TRUNCATE }, 0, NULL },
	{ 4, { .net = NET_BIND_TCP | NET_CONNECT_TCP }, FRONT,
	    "Landlock before version 4: TCP ports are not Landlock's; only the call filter keeps "
	    "the front "
	    "from listening (Linux 6.7)" },
	{ 5, { .fs = FS_IOCTL_DEV }, 0, NULL },
	{ 6, { .scoped = SCOPE_ABSTRACT_UNIX | SCOPE_SIGNAL }, BOTH,
	    "Landlock before version 6: signals and abstract unix sockets are the call filter's "
	    "alone "
	    "(Linux 6.12)" },
};

int
landlock_abi(void)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LL_CREATE_VERSION);

	return abi < 0 ? 0 : (int)abi;
}

void
landlock_report(struct sandbox_report *r, enum sandbox_role role, int abi)
{
	r->landlock_abi = abi;
	if (role == SANDBOX_SUPERVISOR)
		return; /* has no rules: sandbox.h */
	r->files = abi >= 1;
	r->signals = abi >= 6;
	for (size_t i = 0; i < COUNT(versions); i++)
		if (abi < versions[i].abi && (versions[i].roles & (1u << role)) != 0)
			report_missing(r, "%s", versions[i].missing);
}

/* Everything that the kernel knows, less what the role may do anywhere. */
static struct ll_ruleset
handled(const struct sandbox *s, int abi)
{
	struct ll_ruleset h = { 0, 0, 0 };

	for (size_t i = 0; i < COUNT(versions) && versions[i].abi <= abi; i++) {
		h.fs |= versions[i].handles.fs;
		h.net |= versions[i].handles.net;
		h.scoped |= versions[i].handles.scoped;
	}
	/* It connects to whatever address the configuration names; nothing listens any more. */
	if ((sandbox_has(s) & HAS_NETWORK) != 0)
		h.net &= ~NET_CONNECT_TCP;
	return h;
}

static uint64_t
rights(unsigned may, mode_t mode)
{
	uint64_t fs = 0;

	if ((may & (SANDBOX_READ | SANDBOX_EXEC)) != 0)
		fs |= FS_READ_FILE | FS_READ_DIR;
	if ((may & SANDBOX_WRITE) != 0)
		fs |= FS_WRITE_FILE | FS_TRUNCATE;
	if ((may & SANDBOX_MAKE) != 0)
		fs |= FS_MAKE_REG | FS_MAKE_DIR | FS_REMOVE_FILE | FS_REMOVE_DIR;
	/* A terminal or a TPM is named by itself; a folder of devices gives none of them. */
	if (S_ISCHR(mode) && (may & SANDBOX_WRITE) != 0)
		fs |= FS_IOCTL_DEV;
	return S_ISDIR(mode) ? fs : fs & FS_OF_FILES;
}

static enum rc
add_open(int ruleset, int fd, const struct sandbox_path *p, uint64_t known, struct err *err)
{
	struct ll_path rule = { .parent_fd = fd };
	struct stat st;

	if (fstat(fd, &st) != 0)
		return fail_errno(err, "cannot look at %s", p->path);
	rule.allowed = rights(p->may, st.st_mode) & known;
	if (rule.allowed == 0)
		return RC_OK; /* a socket to connect to */
	if (syscall(SYS_landlock_add_rule, ruleset, LL_RULE_PATH, &rule, 0) != 0)
		return fail_errno(err, "cannot allow %s by Landlock", p->path);
	return RC_OK;
}

static enum rc
add_path(int ruleset, const struct sandbox_path *p, uint64_t known, struct err *err)
{
	int fd = open(p->path, O_PATH | O_CLOEXEC);
	enum rc rc;

	if (fd < 0 && p->optional)
		return RC_OK;
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return fail(err, RC_CONFIG, "%s is to be allowed and does not exist", p->path);
	if (fd < 0)
		return fail_errno(err, "cannot open %s, which is to be allowed", p->path);
	rc = add_open(ruleset, fd, p, known, err);
	close(fd);
	return rc;
}

static enum rc
add_all(int ruleset, const struct sandbox *s, uint64_t known, struct err *err)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < n_system_paths; i++)
		if ((system_paths[i].roles & (1u << s->role)) != 0)
			rc = add_path(ruleset, &system_paths[i].path, known, err);
	for (size_t i = 0; rc == RC_OK && i < s->n_paths; i++)
		rc = add_path(ruleset, &s->paths[i], known, err);
	return rc;
}

enum rc
landlock_enter(const struct sandbox *s, int abi, struct err *err)
{
	struct ll_ruleset h = handled(s, abi);
	int fd = (int)syscall(SYS_landlock_create_ruleset, &h, sizeof h, 0);
	enum rc rc;

	if (fd < 0)
		return fail_errno(err, "cannot make a set of Landlock rules");
	rc = add_all(fd, s, h.fs, err);
	if (rc == RC_OK && syscall(SYS_landlock_restrict_self, fd, 0) != 0)
		rc = fail_errno(err, "cannot put Landlock rules in force");
	close(fd);
	return rc;
}
