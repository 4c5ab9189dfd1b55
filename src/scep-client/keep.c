/* keep.c - see keep.h. */
#include "scep-client/keep.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "scep-client/cli.h"

#define NEW     ".new"
#define RENEWED "renewed"

/* The key first: while the old certificate is still there, `renewed` has the new one beside it. */
static const char *const names[] = { "key.pem", "cert.pem", "chain.pem" };
#define NAMES (sizeof(names) / sizeof(names[0]))

enum rc
keep_check(const char *dir, struct err *err)
{
	char *parent = NULL;
	const char *where = dir;
	struct stat st;
	enum rc rc = RC_OK;

	if (stat(dir, &st) != 0) {
		if (errno != ENOENT)
			return fail_errno(err, "--out-dir %s", dir);
		if ((rc = path_dir(&parent, dir, err)) != RC_OK)
			return rc;
		where = parent;
		if (stat(parent, &st) != 0) {
			rc = fail(
			    err, RC_CONFIG, "--out-dir %s: there is no folder %s", dir, parent);
			(void)err_hint(err, "make it first: mkdir -p %s", parent);
		}
	}
	if (rc == RC_OK && !S_ISDIR(st.st_mode))
		rc = fail(err, RC_CONFIG, "--out-dir %s: %s is no folder", dir, where);
	if (rc == RC_OK && access(where, W_OK | X_OK) != 0)
		rc = fail(err, RC_CONFIG, "--out-dir %s: nothing can be written to %s: %s", dir,
		    where, strerror(errno));
	free(parent);
	return rc;
}

enum rc
keep_lock(const char *dir, struct err *err)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	enum rc rc;

	if (fd < 0 && errno == ENOENT)
		return fail(err, RC_NOTFOUND, "%s does not exist", dir);
	if (fd < 0)
		return fail_errno(err, "cannot open %s", dir);
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return RC_OK; /* closed, and so given up, by the end of the process */
	rc = errno == EWOULDBLOCK ? fail(err, RC_CONFLICT, "another scep is at work in %s", dir)
				  : fail_errno(err, "cannot lock %s", dir);
	(void)close(fd);
	return rc;
}

/* ---- moving ---- */

/* On disk, in this order. */
static enum rc
move(const char *from, const char *to, const char *dir, struct err *err)
{
	int fd, bad;

	if (rename(from, to) != 0)
		return fail_errno(err, "cannot move %s to %s", from, to);
	if ((fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		return fail_errno(err, "cannot open %s", dir);
	bad = fsync(fd);
	(void)close(fd);
	return bad == 0 ? RC_OK : fail_errno(err, "cannot sync %s", dir);
}

/* What is left of `renewed` takes its place; a file that is not there has it already. */
static enum rc
move_all(const char *dir, const char *renewed, struct err *err)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < NAMES; i++) {
		char *from = NULL, *to = NULL;

		if ((rc = path_join(&from, renewed, names[i], err)) == RC_OK &&
		    (rc = path_join(&to, dir, names[i], err)) == RC_OK && access(from, F_OK) == 0)
			rc = move(from, to, dir, err);
		free(from);
		free(to);
	}
	if (rc == RC_OK && rmdir(renewed) != 0)
		rc = fail_errno(err, "cannot remove %s", renewed);
	return rc;
}

enum rc
keep_finish(const char *dir, struct err *err)
{
	char *renewed = NULL;
	enum rc rc = path_join(&renewed, dir, RENEWED, err);

	if (rc == RC_OK && access(renewed, F_OK) == 0)
		rc = move_all(dir, renewed, err);
	free(renewed);
	return rc;
}

/* ---- backup ---- */

/* Hard links: the old files stay where they are until they are renamed over. */
static enum rc
link_old(const char *dir, const char *backup, struct err *err)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < NAMES; i++) {
		char *from = NULL, *to = NULL;

		if ((rc = path_join(&from, dir, names[i], err)) == RC_OK &&
		    (rc = path_join(&to, backup, names[i], err)) == RC_OK && link(from, to) != 0 &&
		    errno != ENOENT && errno != EEXIST)
			rc = fail_errno(err, "cannot keep %s as %s", from, to);
		free(from);
		free(to);
	}
	return rc;
}

/* The name: by the certificate that is replaced; a key that has none is the only copy of somebody's. */
static enum rc
backup_name(char **out, const char *dir, struct err *err)
{
	char serial[2 * SERIAL_MAX + 1], *path = NULL;
	struct cert *old = NULL;
	enum rc rc;

	if ((rc = path_join(&path, dir, "cert.pem", err)) != RC_OK)
		return rc;
	if (cert_load(&old, path, NULL) == RC_OK) {
		serial_hex(serial, cert_serial0(old));
		rc = str_format(out, err, "%s/replaced-%s", dir, serial);
	} else {
		rc = str_format(out, err, "%s/replaced-key-%lld", dir, (long long)clock_now());
	}
	cert_free(old);
	free(path);
	return rc;
}

static enum rc
back_up(const char *dir, char **backup, struct err *err)
{
	char *key = NULL;
	enum rc rc;

	if ((rc = path_join(&key, dir, names[0], err)) != RC_OK)
		return rc;
	if (access(key, F_OK) == 0 && (rc = backup_name(backup, dir, err)) == RC_OK &&
	    (rc = dir_make(*backup, 0700, err)) == RC_OK)
		rc = link_old(dir, *backup, err);
	free(key);
	return rc;
}

/* ---- all of it ---- */

/* A `.new` that is there is of an attempt that did not come to its end. */
static enum rc
stage(const char *fresh, const struct kept *k, struct err *err)
{
	enum rc rc;

	if ((rc = dir_make(fresh, 0700, err)) != RC_OK ||
	    (rc = cli_write_key(fresh, names[0], k->key, err)) != RC_OK ||
	    (rc = cli_write_cert(fresh, names[1], &k->cert, 1, err)) != RC_OK)
		return rc;
	return cli_write_cert(fresh, names[2], k->chain, k->n_chain, err);
}

enum rc
keep_install(const char *dir, const struct kept *k, char **backup, struct err *err)
{
	char *fresh = NULL, *renewed = NULL;
	enum rc rc;

	*backup = NULL;
	if ((rc = dir_make(dir, 0755, err)) == RC_OK && (rc = keep_finish(dir, err)) == RC_OK &&
	    (rc = path_join(&fresh, dir, NEW, err)) == RC_OK &&
	    (rc = path_join(&renewed, dir, RENEWED, err)) == RC_OK &&
	    (rc = stage(fresh, k, err)) == RC_OK && (rc = back_up(dir, backup, err)) == RC_OK &&
	    (rc = move(fresh, renewed, dir, err)) == RC_OK)
		rc = move_all(dir, renewed, err);
	free(fresh);
	free(renewed);
	if (rc != RC_OK) {
		free(*backup);
		*backup = NULL;
	}
	return rc;
}
