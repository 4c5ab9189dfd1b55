/*
 * make.c - keys and files that are all there or not at all.  Certificates are in make_cert.c.
 */
#include "ca/make.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/text.h"

#define KEY_MODE  0600
#define CERT_MODE 0644

enum rc
make_must_not_exist(const char *path, struct err *err)
{
	struct stat st;

	if (lstat(path, &st) == 0)
		return fail(
		    err, RC_CONFLICT, "%s exists already, and nothing is overwritten", path);
	return errno == ENOENT || errno == ENOTDIR ? RC_OK
						   : fail_errno(err, "cannot look at %s", path);
}

/* Remember a file that is about to be there. */
static enum rc
note(struct maker *m, const char *path, struct err *err)
{
	enum rc rc;

	if (m->n_made == MAKER_FILES_MAX)
		return fail(err, RC_BUG, "more than %d files are made", MAKER_FILES_MAX);
	rc = str_dup(&m->made[m->n_made], path, err);
	if (rc == RC_OK)
		m->n_made++;
	return rc;
}

static void
forget_last(struct maker *m)
{
	free(m->made[--m->n_made]);
}

enum rc
maker_key(struct maker *m, struct key **out, const struct make_key *k, struct err *err)
{
	bool token = key_source_is_token(k->at.key);
	enum rc rc = RC_OK;

	if (k->exists)
		return key_open(out, &k->at, err);
	if (!token)
		rc = note(m, k->at.key, err);
	if (rc != RC_OK)
		return rc;
	rc = key_create(out, k->kind, &k->at, err);
	if (rc == RC_OK)
		m->token = m->token || token;
	else if (!token)
		forget_last(m);
	return rc;
}

/* RC_CONFLICT when it is there already. */
static enum rc
maker_file(
    struct maker *m, const char *path, const void *p, size_t len, mode_t mode, struct err *err)
{
	enum rc rc = note(m, path, err);

	if (rc != RC_OK)
		return rc;
	rc = file_write(path, p, len, mode, 0, err);
	if (rc != RC_OK)
		forget_last(m);
	return rc;
}

enum rc
maker_cert(struct maker *m, const char *path, const struct cert *c, struct err *err)
{
	struct buf pem;
	enum rc rc;

	buf_init(&pem, LIMIT_CERT * 2);
	cert_pem(&pem, c);
	rc = buf_ok(&pem, "certificate", err);
	if (rc == RC_OK)
		rc = maker_file(m, path, pem.data, pem.len, CERT_MODE, err);
	buf_done(&pem);
	return rc;
}

enum rc
maker_private(
    struct maker *m, const char *path, const struct key *k, const char *passphrase, struct err *err)
{
	struct buf pem;
	enum rc rc;

	buf_init(&pem, LIMIT_SECRET_FILE);
	rc = key_private_pem_locked(&pem, k, passphrase, err);
	if (rc == RC_OK)
		rc = maker_file(m, path, pem.data, pem.len, KEY_MODE, err);
	buf_wipe(&pem);
	return rc;
}

enum rc
maker_end(struct maker *m, enum rc rc, struct err *err)
{
	while (m->n_made > 0) {
		if (rc != RC_OK)
			(void)unlink(m->made[m->n_made - 1]);
		forget_last(m);
	}
	if (rc != RC_OK && m->token && err != NULL && err->hint[0] == '\0')
		(void)err_hint(err,
		    "the key that was made stays in the token: remove it, or use it by scepctl ca "
		    "init --existing-key");
	m->token = false;
	return rc;
}
