/*
 * signer_look.c - which certificates a signer uses, for whoever may read its folder: without its keys, and
 * while it runs.  What the signer itself would not take up (signer_kept.c) is not told either.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "signer/signer_local.h"

#define FILE_MAX (2 * SIGNER_RAS_MAX * LIMIT_CERT) /* as signer_kept.c writes it */

/* RC_OK with *n == 0 when there is none. */
static enum rc
read_all(struct cert **certs, size_t *n, const char *dir, const char *ca, const char *suffix,
    struct err *err)
{
	char *path = NULL;
	struct buf pem;
	enum rc rc = state_path_in(&path, dir, ca, suffix, err);

	*n = 0;
	buf_init(&pem, FILE_MAX);
	if (rc == RC_OK)
		rc = file_read(&pem, path, FILE_MAX, err);
	if (rc == RC_OK &&
	    (rc = certs_parse_pem(certs, SIGNER_RAS_MAX, n, pem.data, pem.len, err)) != RC_OK)
		(void)err_context(err, "%s", path);
	buf_done(&pem);
	free(path);
	return rc == RC_NOTFOUND ? RC_OK : rc;
}

static bool
is_in_use(const struct cert *c, const struct cert *issuer)
{
	return cert_not_after(c) >= clock_now() && !cert_is_ca(c) &&
	    cert_verify_by(c, issuer, NULL) == RC_OK;
}

static enum rc
look_ra(struct signer_id *id, const char *dir, const char *ca, const struct signer_certs_of *of,
    struct err *err)
{
	struct cert *certs[SIGNER_RAS_MAX], *own = NULL;
	size_t n;
	enum rc rc = cert_copy(&own, of->ra, err);

	if (rc != RC_OK)
		return rc;
	ra_insert(id, own);
	rc = read_all(certs, &n, dir, ca, "-ra.pem", err);
	for (size_t i = 0; rc == RC_OK && i < n; i++) {
		if (is_in_use(certs[i], of->issuer) && !cert_same(certs[i], of->ra) &&
		    key_same_public(cert_key0(certs[i]), cert_key0(of->ra)))
			ra_insert(id, certs[i]);
		else
			cert_free(certs[i]);
	}
	while (id->n_ra > 1 && cert_not_after(id->ra[id->n_ra - 1]) < clock_now())
		cert_free(id->ra[--id->n_ra]);
	return rc;
}

static enum rc
look_ocsp(struct signer_id *id, const char *dir, const char *ca, const struct signer_certs_of *of,
    struct err *err)
{
	struct cert *certs[SIGNER_RAS_MAX];
	size_t n;
	enum rc rc = read_all(certs, &n, dir, ca, "-ocsp.pem", err);

	for (size_t i = 0; rc == RC_OK && i < n; i++) {
		if (id->ocsp == NULL && is_in_use(certs[i], of->issuer))
			id->ocsp = certs[i];
		else
			cert_free(certs[i]);
	}
	return rc;
}

enum rc
signer_certs_look(struct signer_certs *out, const char *state_dir, const char *ca,
    const struct signer_certs_of *of, struct err *err)
{
	struct signer_id *id =
	    calloc(1, sizeof(*id)); /* large, and only its certificates are used */
	struct signer_certs found = { .n_ra = 0 };
	enum rc rc;

	if (id == NULL)
		return fail(err, RC_NOMEM, "no memory for certificates of CA %s", ca);
	rc = look_ra(id, state_dir, ca, of, err);
	if (rc == RC_OK)
		rc = look_ocsp(id, state_dir, ca, of, err);
	memcpy(found.ra, id->ra, sizeof(found.ra));
	found.n_ra = id->n_ra;
	found.ocsp = id->ocsp;
	free(id);
	if (rc == RC_OK)
		*out = found;
	else
		signer_certs_done(&found);
	return rc;
}
