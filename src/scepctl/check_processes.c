/*
 * check_processes.c - scepctl check: accounts, folders and tokens of scepd's processes, and what this kernel
 * can do to keep them apart.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "sandbox/sandbox.h"
#include "scepctl/ctl.h"
#include "scepctl/report.h"

#define SQLITE "sqlite:"

/* ---- the kernel ---- */

static void
check_kernel(struct report *r)
{
	struct sandbox_report kernel;
	size_t i;

	sandbox_probe(&kernel);
	for (i = 0; i < kernel.n_missing; i++)
		report(r, FINDING_WARN, "sandbox", "this kernel has %s", kernel.missing[i]);
	if (kernel.n_missing == 0)
		report(r, FINDING_OK, "sandbox",
		    "this kernel confines processes in full: system calls, files, signals");
}

/* ---- accounts ---- */

/* NULL: none is configured, or there is no such account, which was reported. */
static const struct passwd *
account(struct report *r, const char *key, const char *user)
{
	const struct passwd *pw = user != NULL ? getpwnam(user) : NULL;

	if (user != NULL && pw == NULL)
		report(r, FINDING_FAIL, "processes", "%s: there is no account %s", key, user);
	return pw;
}

static void
check_accounts(struct report *r, const char *front, const char *signer)
{
	if (front == NULL && signer == NULL && geteuid() == 0)
		report(r, FINDING_WARN, "processes",
		    "started as root, scepd would serve the network as root; add \"processes: { "
		    "front_user: scepd-front, signer_user: scepd-signer }\" and make the two "
		    "accounts (scepd.sysusers), or start it as another user");
	else if (front != NULL && signer == NULL)
		report(r, FINDING_WARN, "processes",
		    "no signer_user: the process with the keys stays who started scepd");
	else if (front == NULL && signer != NULL)
		report(r, FINDING_WARN, "processes",
		    "no front_user: the process that faces the network stays who started scepd");
	else if (front != NULL && strcmp(front, signer) == 0)
		report(r, FINDING_WARN, "processes",
		    "front_user and signer_user are both %s: two accounts keep the signer's files "
		    "from the front where the kernel does not",
		    front);
	else if (front != NULL)
		report(r, FINDING_OK, "processes", "front and signer have accounts of their own");
	if (front != NULL && geteuid() != 0)
		report(r, FINDING_OK, "processes",
		    "front_user and signer_user need scepd to be started as root");
}

/* ---- folders ---- */

/* What a user may do with a file by its owner, its group and its mode; `want` as in mode bits of others:
 * 4, 2, 1. */
static bool
may(const struct passwd *pw, const struct stat *st, mode_t want)
{
	if (pw->pw_uid == 0)
		return true;
	if (st->st_uid == pw->pw_uid)
		return (st->st_mode >> 6 & want) == want;
	if (st->st_gid == pw->pw_gid)
		return (st->st_mode >> 3 & want) == want;
	return (st->st_mode & want) == want;
}

/* Every folder on the way to `path` may be passed; else *at is the first that may not, to be freed. */
static bool
may_reach(const struct passwd *pw, const char *path, char **at)
{
	struct stat st;
	const char *p = path;

	*at = NULL;
	while ((p = strchr(p + 1, '/')) != NULL) {
		if ((*at = strndup(path, (size_t)(p - path))) == NULL)
			return true;
		if (stat(*at, &st) == 0 && !may(pw, &st, 1))
			return false;
		free(*at);
		*at = NULL;
	}
	return true;
}

/* Of front_user or signer_user, `key`; true: it may. */
static bool
check_reach(struct report *r, const char *key, const struct passwd *pw, const char *path)
{
	char *at;

	if (pw == NULL || may_reach(pw, path, &at))
		return true;
	report(r, FINDING_FAIL, "processes", "%s (%s) may not reach %s: chmod go+x %s", pw->pw_name,
	    key, path, at);
	free(at);
	return false;
}

/* scepd gives the folder itself to the signer's account when it starts, and nothing that is in it. */
static void
check_state_files(struct report *r, const char *dir, const struct passwd *pw)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	struct stat st;

	if (d == NULL || pw == NULL) {
		if (d != NULL)
			(void)closedir(d);
		return;
	}
	while ((e = readdir(d)) != NULL) {
		/* The lock is the supervisor's. */
		if (e->d_name[0] == '.' || strcmp(e->d_name, "supervisor.lock") == 0 ||
		    fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
		    st.st_uid == pw->pw_uid)
			continue;
		report(r, FINDING_FAIL, "signer_state",
		    "%s/%s is not %s's, so that the signer cannot go on with it; chown -R %s %s",
		    dir, e->d_name, pw->pw_name, pw->pw_name, dir);
		break;
	}
	(void)closedir(d);
}

static void
check_state(struct report *r, const char *dir, const struct passwd *pw)
{
	struct stat st;

	if (lstat(dir, &st) != 0) {
		report(r, errno == ENOENT ? FINDING_OK : FINDING_FAIL, "signer_state", "%s: %s",
		    dir, errno == ENOENT ? "is made when scepd starts" : strerror(errno));
		return;
	}
	if (!S_ISDIR(st.st_mode))
		report(r, FINDING_FAIL, "signer_state", "%s is no folder", dir);
	else if (st.st_mode & 077)
		report(r, FINDING_FAIL, "signer_state",
		    "%s is open to others (mode %04o); chmod 700 %s", dir,
		    (unsigned)(st.st_mode & 07777), dir);
	else
		report(r, FINDING_OK, "signer_state", "%s is private", dir);
	(void)check_reach(r, "signer_user", pw, dir);
	check_state_files(r, dir, pw);
}

/* SQLite makes files beside the database. */
static void
check_database(struct report *r, const struct config *c, const struct passwd *pw)
{
	const char *file = c->store.url + strlen(SQLITE);
	struct stat st;
	char *dir = NULL;

	if (pw == NULL || !str_starts(c->store.url, SQLITE) || path_dir(&dir, file, NULL) != RC_OK)
		return;
	if (!check_reach(r, "front_user", pw, dir)) {
		free(dir);
		return;
	}
	if (stat(dir, &st) == 0 && !may(pw, &st, 2 | 1))
		report(r, FINDING_FAIL, "store",
		    "%s (front_user) may not write the folder %s: give the database a folder of "
		    "its own, store: { url: sqlite:db/scepd.db }, and that folder to %s",
		    pw->pw_name, dir, pw->pw_name);
	else if (stat(file, &st) == 0 && !may(pw, &st, 4 | 2))
		report(r, FINDING_FAIL, "store", "%s (front_user) may not write %s; chown %s %s",
		    pw->pw_name, file, pw->pw_name, file);
	else
		report(r, FINDING_OK, "store",
		    "%s (front_user) may write the database and its folder", pw->pw_name);
	free(dir);
}

/* What is not there yet the front makes, in a folder where it may. */
static bool
may_have_dir(const struct passwd *pw, const char *dir)
{
	struct stat st;
	char *above = NULL;
	bool yes;

	if (stat(dir, &st) == 0)
		return S_ISDIR(st.st_mode) && may(pw, &st, 2 | 1);
	if (errno != ENOENT || path_dir(&above, dir, NULL) != RC_OK)
		return false;
	yes = stat(above, &st) == 0 && may(pw, &st, 2 | 1);
	free(above);
	return yes;
}

static void
check_crl_dirs(struct report *r, const struct config *c, const struct passwd *pw)
{
	const struct conf_ca *ca = c->cas.v;

	for (size_t i = 0; pw != NULL && i < c->cas.n; i++) {
		const char *dir = ca[i].crl_dir;

		if (dir == NULL || !check_reach(r, "front_user", pw, dir))
			continue;
		if (may_have_dir(pw, dir))
			report(r, FINDING_OK, ca[i].name,
			    "%s (front_user) may write revocation lists to %s", pw->pw_name, dir);
		else
			report(r, FINDING_FAIL, ca[i].name,
			    "crl_dir: %s (front_user) may not write to %s; install -d -o %s %s",
			    pw->pw_name, dir, pw->pw_name, dir);
	}
}

/* ---- tokens ---- */

static void
check_paths(struct report *r, const struct config *c, const struct passwd *pw)
{
	struct stat st;
	size_t i;

	for (i = 0; c->pkcs11.module != NULL && i < c->pkcs11.paths.n; i++) {
		const char *path = c->pkcs11.paths.v[i];

		if (stat(path, &st) != 0)
			report(r, FINDING_FAIL, "pkcs11", "paths: %s: %s", path, strerror(errno));
		else if (pw != NULL && !may(pw, &st, S_ISDIR(st.st_mode) ? 4 | 1 : 4))
			report(r, FINDING_FAIL, "pkcs11",
			    "paths: %s (signer_user) may not read %s, of the token", pw->pw_name,
			    path);
		else
			report(r, FINDING_OK, "pkcs11", "the signer may use %s", path);
	}
}

static void
check_running(struct report *r, const struct config *c)
{
	switch (ctl_running(c)) {
	case CTL_RUNS_OLDER:
		report(r, FINDING_WARN, "config",
		    "%s was changed since the scepd that runs was started: what it says "
		    "counts after a restart (systemctl restart scepd)",
		    c->path);
		break;
	case CTL_RUNS:
		report(r, FINDING_OK, "config",
		    "scepd runs, and was started after the last change of %s", c->path);
		break;
	case CTL_RUNS_NOT:
		break;
	}
}

void
check_processes(struct report *r, const struct config *c)
{
	const char *front = c->processes.front_user, *signer = c->processes.signer_user;

	check_running(r, c);
	check_kernel(r);
	check_accounts(r, front, signer);
	/* getpwnam() has one place for its answer: one account at a time. */
	check_database(r, c, account(r, "front_user", front));
	check_crl_dirs(r, c, front != NULL ? getpwnam(front) : NULL);
	check_state(r, c->processes.signer_state, account(r, "signer_user", signer));
	check_paths(r, c, signer != NULL ? getpwnam(signer) : NULL);
}
