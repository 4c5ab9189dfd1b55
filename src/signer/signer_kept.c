/*
 * signer_kept.c - certificates that the signer made, in its folder: written when they are made, taken
 * over at the next start if they still belong to the keys and the CA of the configuration.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "signer/signer_local.h"

#define FILE_MAX  (2 * SIGNER_RAS_MAX * LIMIT_CERT) /* PEM of as many certificates */
#define FILE_MODE 0644                              /* public; the folder is not */

/* ---- RA certificates in their order ---- */

void
ra_insert(struct signer_id *id, struct cert *c)
{
	size_t i = 0;

	while (i < id->n_ra && cert_not_before(id->ra[i]) > cert_not_before(c))
		i++;
	if (i == SIGNER_RAS_MAX) {
		cert_free(c);
		return;
	}
	if (id->n_ra == SIGNER_RAS_MAX)
		cert_free(id->ra[--id->n_ra]);
	memmove(id->ra + i + 1, id->ra + i, (id->n_ra - i) * sizeof(id->ra[0]));
	id->ra[i] = c;
	id->n_ra++;
}

static bool
ra_has(const struct signer_id *id, const struct cert *c)
{
	for (size_t i = 0; i < id->n_ra; i++)
		if (cert_same(id->ra[i], c))
			return true;
	return false;
}

/* ---- reading ---- */

static bool
is_of(const struct cert *c, const struct signer_id *id, const struct key *key)
{
	return key != NULL && key_same_public(cert_key0(c), key) &&
	    cert_not_after(c) >= clock_now() && cert_verify_by(c, id->cert, NULL) == RC_OK;
}

/* RC_OK with *n == 0 when there is no file.  One that cannot be read is as good as none: the signer
 * makes another. */
static enum rc
read_certs(struct cert **certs, size_t *n, const struct signer_id *id, const struct state *state,
    const char *suffix, struct err *err)
{
	char *path = NULL;
	struct buf pem;
	enum rc rc = state_path(&path, state, id->name, suffix, err);

	*n = 0;
	if (rc != RC_OK || path == NULL)
		return rc;
	buf_init(&pem, FILE_MAX);
	rc = file_read(&pem, path, FILE_MAX, err);
	if (rc == RC_OK)
		rc = certs_parse_pem(certs, SIGNER_RAS_MAX, n, pem.data, pem.len, err);
	if (rc != RC_OK && rc != RC_NOTFOUND && rc != RC_NOMEM)
		log_msg(LOG_WARN, "signer-state", "%s cannot be used: %s", path,
		    err == NULL ? rc_name(rc) : err->msg);
	buf_done(&pem);
	free(path);
	return rc == RC_NOMEM ? rc : RC_OK;
}

static enum rc
load_ra(struct signer_id *id, const struct state *state, struct err *err)
{
	struct cert *certs[SIGNER_RAS_MAX];
	size_t n;
	enum rc rc = read_certs(certs, &n, id, state, "-ra.pem", err);

	for (size_t i = 0; rc == RC_OK && i < n; i++) {
		if (is_of(certs[i], id, id->ra_key) && !cert_is_ca(certs[i]) &&
		    !ra_has(id, certs[i]))
			ra_insert(id, certs[i]);
		else
			cert_free(certs[i]);
	}
	return rc;
}

static enum rc
load_ocsp(struct signer_id *id, const struct state *state, struct err *err)
{
	struct cert *certs[SIGNER_RAS_MAX];
	size_t n;
	enum rc rc = read_certs(certs, &n, id, state, "-ocsp.pem", err);

	for (size_t i = 0; rc == RC_OK && i < n; i++) {
		if (id->ocsp == NULL && is_of(certs[i], id, id->ocsp_key))
			id->ocsp = certs[i];
		else
			cert_free(certs[i]);
	}
	return rc;
}

enum rc
kept_load(struct signer_id *id, const struct state *state, struct err *err)
{
	enum rc rc = load_ra(id, state, err);

	return rc == RC_OK ? load_ocsp(id, state, err) : rc;
}

/* ---- writing ---- */

static enum rc
write_certs(struct cert *const *certs, size_t n, const struct signer_id *id,
    const struct state *state, const char *suffix, struct err *err)
{
	char *path = NULL;
	struct buf pem;
	enum rc rc = state_path(&path, state, id->name, suffix, err);

	if (rc != RC_OK || path == NULL)
		return rc;
	buf_init(&pem, FILE_MAX);
	for (size_t i = 0; i < n; i++)
		cert_pem(&pem, certs[i]);
	rc = buf_ok(&pem, path, err);
	if (rc == RC_OK)
		rc = file_write(path, pem.data, pem.len, FILE_MODE, 1, err);
	buf_done(&pem);
	free(path);
	return rc;
}

enum rc
kept_save_ra(const struct signer_id *id, const struct state *state, struct err *err)
{
	return write_certs(id->ra, id->n_ra, id, state, "-ra.pem", err);
}

enum rc
kept_save_ocsp(const struct signer_id *id, const struct state *state, struct err *err)
{
	return write_certs(&id->ocsp, 1, id, state, "-ocsp.pem", err);
}
