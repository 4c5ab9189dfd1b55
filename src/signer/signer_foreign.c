/*
 * signer_foreign.c - the responders of CAs that are not ours: what makes a certificate one, opening, and one that is
 * exchanged while the signer runs.
 *
 * Of such a CA the signer has the certificate and no key.  It answers for it, and does nothing else.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "ossl/eku.h"
#include "signer/signer_local.h"

/* ---- what makes a responder ---- */

static bool
has_usage(const struct cert *c, const char *oid)
{
	size_t n;
	const char *const *eku = cert_eku0(c, &n);

	for (size_t i = 0; i < n; i++)
		if (strcmp(eku[i], oid) == 0)
			return true;
	return false;
}

/* Whether there was memory to look is another question. */
static enum rc
is_signed_by(const struct cert *c, const struct cert *ca, struct err *err)
{
	enum rc rc = cert_verify_by(c, ca, err);

	if (rc != RC_INTEGRITY && rc != RC_ALG)
		return rc;
	return fail(err, RC_CONFIG,
	    "it was not signed by that CA (by its present key, if it has had several)");
}

/* RFC 6960 4.2.2.2: issued directly by the CA, with the usage; the rest is RFC 5280 4.2.1.3. */
enum rc
signer_responder_check(const struct cert *c, const struct cert *ca, struct err *err)
{
	unsigned ku = 0;
	enum rc rc;

	if (key_same_public(cert_key0(c), cert_key0(ca)))
		return fail(err, RC_CONFIG, "its key is that of the CA: a responder has its own");
	if ((rc = is_signed_by(c, ca, err)) != RC_OK)
		return rc;
	if (cert_is_ca(c))
		return fail(err, RC_CONFIG, "it is the certificate of a CA");
	if (!has_usage(c, OID_OCSP_SIGNING))
		return fail(err, RC_CONFIG,
		    "its extended key usage has no OCSPSigning, so nobody would believe it");
	if (cert_has_key_usage(c, &ku) && !(ku & KU_DIGITAL_SIGNATURE))
		return fail(err, RC_CONFIG, "its key usage has no digitalSignature");
	return RC_OK;
}

static enum rc
fits(const struct signer_id *id, const struct cert *c, struct err *err)
{
	if (!key_same_public(cert_key0(c), id->ocsp_key))
		return fail(err, RC_CONFIG, "the responder's key does not belong to it");
	return signer_responder_check(c, id->cert, err);
}

/* ---- opening ---- */

static enum rc
key_open_of(struct signer_id *id, const struct signer_foreign *conf, struct err *err)
{
	enum rc rc = key_open(&id->ocsp_key, &conf->ocsp_key, err);

	if (rc == RC_OK && !key_is_private(id->ocsp_key))
		rc = fail(err, RC_CONFIG, "%s holds no private key", conf->ocsp_key.key);
	if (rc != RC_OK && err != NULL && err->hint[0] == '\0')
		(void)err_hint(err, "scepctl foreign csr %s makes one", conf->name);
	return rc;
}

/* Between the request and its answer there is no certificate, and that is no reason not to serve others. */
static enum rc
cert_open_of(struct signer_id *id, const struct signer_foreign *conf, struct err *err)
{
	struct cert *c = NULL;
	enum rc rc = cert_load(&c, conf->ocsp_cert_file, err);

	if (rc == RC_NOTFOUND) {
		log_msg(LOG_WARN, "foreign-responder",
		    "foreign CA %s: there is no %s yet, so no OCSP answers for it", conf->name,
		    conf->ocsp_cert_file);
		return RC_OK;
	}
	if (rc != RC_OK)
		return rc;
	if ((rc = fits(id, c, err)) != RC_OK) {
		(void)err_context(err, "%s", conf->ocsp_cert_file);
		cert_free(c);
		return rc;
	}
	id->ocsp = c;
	return RC_OK;
}

enum rc
foreign_id_open(struct signer_id *id, const struct signer_foreign *conf, struct err *err)
{
	enum rc rc = cert_load(&id->cert, conf->cert_file, err);

	if (rc == RC_OK && !cert_is_ca(id->cert))
		rc = fail(err, RC_CONFIG, "%s is not the certificate of a CA", conf->cert_file);
	if (rc == RC_OK)
		rc = key_open_of(id, conf, err);
	if (rc == RC_OK)
		rc = cert_open_of(id, conf, err);
	return rc == RC_OK ? ocsp_names_make(&id->names, id->cert, id->ocsp_key, err) : rc;
}

/* ---- serving ---- */

/* Nobody may be shown an answer that nobody can verify. */
enum rc
foreign_ready(const struct signer_id *id, int64_t now, struct err *err)
{
	char end[TIME_TEXT_MAX];

	if (id->ocsp == NULL)
		return fail(err, RC_NOTFOUND,
		    "signer: the OCSP responder of foreign CA %s has no certificate yet", id->name);
	if (now <= cert_not_after(id->ocsp))
		return RC_OK;
	time_rfc3339(end, cert_not_after(id->ocsp));
	return fail(err, RC_NOTFOUND,
	    "signer: the certificate of the OCSP responder of foreign CA %s has ended (%s)",
	    id->name, end);
}

/* An old one could be brought back by whoever has the front: it does no harm before its end, and is no use after. */
static enum rc
judge(const struct signer_id *id, const struct cert *c, int64_t now, struct err *err)
{
	enum rc rc = fits(id, c, err);

	if (rc == RC_OK && now > cert_not_after(c))
		rc = fail(err, RC_CONFIG, "it has ended");
	if (rc == RC_OK)
		return rc;
	(void)err_context(
	    err, "signer: a certificate for the OCSP responder of foreign CA %s", id->name);
	if (rc != RC_CONFIG)
		return rc;
	if (err != NULL)
		err->rc = RC_DENIED;
	return RC_DENIED;
}

static enum rc
note(
    const struct signer_local *l, const struct signer_id *id, const struct cert *c, struct err *err)
{
	char hex[2 * SERIAL_MAX + 1];
	uint8_t sha[32];
	size_t len;
	const uint8_t *der = cert_der0(c, &len);
	enum rc rc = digest_bytes(sha, DIGEST_SHA256, der, len, err);

	serial_hex(hex, cert_serial0(c));
	return rc == RC_OK ? state_note(l->state, "responder", id->name, hex, sha, err) : rc;
}

/* `c` becomes the signer's when it is taken. */
static enum rc
exchange(struct signer_local *l, struct signer_id *id, struct cert *c, bool *taken, struct err *err)
{
	enum rc rc = judge(id, c, clock_now(), err);

	if (rc != RC_OK || (id->ocsp != NULL && cert_same(id->ocsp, c)))
		return rc;
	if ((rc = note(l, id, c, err)) != RC_OK)
		return rc;
	cert_free(id->ocsp);
	id->ocsp = c;
	*taken = true;
	log_msg(LOG_INFO, "foreign-responder", "foreign CA %s: a new certificate of its responder",
	    id->name);
	return RC_OK;
}

enum rc
foreign_take(
    struct signer_local *l, struct signer_id *id, const uint8_t *der, size_t len, struct err *err)
{
	struct cert *c = NULL;
	bool taken = false;
	enum rc rc;

	if (!id->foreign)
		return fail(err, RC_DENIED, "signer: CA %s certifies its OCSP responder by itself",
		    id->name);
	if ((rc = cert_parse(&c, der, len, err)) != RC_OK)
		return rc;
	(void)pthread_mutex_lock(&id->lock);
	rc = exchange(l, id, c, &taken, err);
	(void)pthread_mutex_unlock(&id->lock);
	if (!taken)
		cert_free(c);
	return rc;
}
