/*
 * signer_renew.c - the only certificates that the signer makes by itself: those of a CA's RA and of
 * its OCSP responder, for keys of its own, with fields of its own.
 *
 * The keys stay, so that a message to an older RA certificate is still opened, and a responder's
 * name (its key's hash) stays the same.  A retired CA's RA is not renewed: nobody enrols there, and
 * a retired CA's promise is to certify no more.  Its responder is: what was issued is asked about
 * until it has expired, and the responder's certificate is how the CA keeps speaking of it.
 */
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/text.h"
#include "ossl/der.h"
#include "ossl/eku.h"
#include "signer/signer_local.h"

#define DAY           86400
#define BACKDATE      DAY        /* clients' clocks; as leaves */
#define OCSP_VALIDITY (30 * DAY) /* short, since nobody can revoke it (RFC 6960 4.2.2.2.1) */
#define GAIN_MIN      DAY        /* a renewal that ends no later is none: the CA itself ends */
#define RETRY         60         /* seconds after a failure: a token may be away for long */

/* ---- making one ---- */

/* From the CA to a key of this signer.  Never a CA certificate: `is_ca` is not among the choices. */
struct own_cert {
	const char *op; /* in the audit */
	const struct name *subject;
	const struct key *key;
	unsigned key_usage;
	const char *const *eku;
	size_t n_eku;
	const struct san_list *san;
	bool nocheck;
	int64_t validity;
};

static int64_t
later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static int64_t
end_of(const struct signer_id *id, int64_t now, int64_t validity)
{
	int64_t end = now + validity, ca = cert_not_after(id->cert);

	return end < ca ? end : ca;
}

/* As any other certificate: in the books first. */
static enum rc
own_cert_sign(struct cert **out, struct signer_local *l, struct signer_id *id, const char *op,
    const struct cert_fields *f, struct err *err)
{
	struct buf tbs, sig, der;
	uint8_t sha[32];
	enum rc rc;

	buf_init(&tbs, LIMIT_CERT);
	buf_init(&sig, SIGNATURE_MAX);
	buf_init(&der, LIMIT_CERT);
	rc = cert_tbs_build(&tbs, f, err);
	if (rc == RC_OK)
		rc = digest_bytes(sha, DIGEST_SHA256, tbs.data, tbs.len, err);
	if (rc == RC_OK)
		rc = state_cert(
		    l->state, op, id->name, (struct der){ f->serial->v, f->serial->len }, sha, err);
	if (rc == RC_OK)
		rc = key_sign(&sig, id->key, f->digest, tbs.data, tbs.len, err);
	if (rc == RC_OK)
		rc = cert_assemble(&der, tbs.data, tbs.len, sig.data, sig.len, err);
	if (rc == RC_OK)
		rc = cert_parse(out, der.data, der.len, err);
	buf_done(&tbs);
	buf_done(&sig);
	buf_done(&der);
	return rc;
}

static enum rc
own_cert_make(struct cert **out, struct signer_local *l, struct signer_id *id,
    const struct own_cert *o, int64_t now, struct err *err)
{
	struct cert_fields f = {
		.issuer = cert_subject0(id->cert),
		.subject = o->subject,
		.not_before = later(now - BACKDATE, cert_not_before(id->cert)),
		.not_after = end_of(id, now, o->validity),
		.subject_key = o->key,
		.issuer_key = id->key,
		.digest = digest_for_key(id->key),
		.key_usage = o->key_usage,
		.eku = o->eku,
		.n_eku = o->n_eku,
		.san = o->san,
		.path_len = -1,
		.ocsp_nocheck = o->nocheck,
	};
	struct serial serial;
	enum rc rc;

	if (now > cert_not_after(id->cert))
		return fail(err, RC_DENIED, "CA %s has expired", id->name);
	rc = serial_random(&serial, err);
	f.serial = &serial;
	return rc == RC_OK ? own_cert_sign(out, l, id, o->op, &f, err) : rc;
}

/* ---- the OCSP responder ---- */

/* CN="<name of the CA> OCSP responder" */
static enum rc
responder_name(struct name *out, const struct signer_id *id, struct err *err)
{
	struct buf der, cn;
	size_t name, rdn, attr;
	enum rc rc;

	buf_init(&cn, 128);
	buf_init(&der, 256);
	buf_addf(&cn, "%.40s OCSP responder", id->name); /* ub-common-name is 64 */
	name = der_open(&der, DER_SEQUENCE);
	rdn = der_open(&der, DER_SET);
	attr = der_open(&der, DER_SEQUENCE);
	(void)der_add_oid(&der, "2.5.4.3");
	der_add_text(&der, DER_UTF8, buf_str(&cn));
	der_close(&der, attr);
	der_close(&der, rdn);
	der_close(&der, name);
	rc = buf_ok(&der, "name of the responder", err);
	if (rc == RC_OK)
		rc = name_parse(out, der.data, der.len, err);
	buf_done(&der);
	buf_done(&cn);
	return rc;
}

static bool
ocsp_due(const struct signer_id *id, int64_t now)
{
	int64_t end, life;

	if (id->ocsp == NULL)
		return true;
	end = cert_not_after(id->ocsp);
	life = end - cert_not_before(id->ocsp);
	return now > end - life / 2 && end_of(id, now, OCSP_VALIDITY) >= end + GAIN_MIN;
}

static enum rc
ocsp_renew(struct signer_local *l, struct signer_id *id, int64_t now, struct err *err)
{
	static const char *const eku[] = { OID_OCSP_SIGNING };
	struct own_cert o = { .op = "ocsp-cert",
		.key = id->ocsp_key,
		.key_usage = KU_DIGITAL_SIGNATURE,
		.eku = eku,
		.n_eku = 1,
		.nocheck = true,
		.validity = OCSP_VALIDITY };
	struct cert *c = NULL;
	struct name subject;
	enum rc rc;

	rc = responder_name(&subject, id, err);
	if (rc != RC_OK)
		return rc;
	o.subject = &subject;
	rc = own_cert_make(&c, l, id, &o, now, err);
	name_done(&subject);
	if (rc != RC_OK)
		return rc;
	cert_free(id->ocsp);
	id->ocsp = c;
	return kept_save_ocsp(id, l->state, err);
}

enum rc
ca_id_need_ocsp(struct signer_local *l, struct signer_id *id, int64_t now, struct err *err)
{
	if (id->foreign)
		return foreign_ready(id, now, err);
	if (id->ocsp == NULL)
		ca_id_renew(l, id, now);
	if (id->ocsp == NULL)
		return fail(err, RC_IO,
		    "signer: the OCSP responder of CA %s has no certificate yet", id->name);
	return RC_OK;
}

/* ---- the RA ---- */

static bool
ra_due(const struct signer_id *id, int64_t now)
{
	int64_t end, life;

	if (id->n_ra == 0 || id->ra_validity == 0 || !id->rules.issues)
		return false;
	end = cert_not_after(id->ra[0]);
	life = end - cert_not_before(id->ra[0]);
	return now > end - life / 4 && end_of(id, now, id->ra_validity) >= end + GAIN_MIN;
}

/* What the one before it had; the CA's, even if that one was the root's: the chain holds all. */
static enum rc
ra_renew(struct signer_local *l, struct signer_id *id, int64_t now, struct err *err)
{
	const struct cert *old = id->ra[0];
	struct own_cert o = { .op = "ra-cert",
		.subject = cert_subject0(old),
		.key = id->ra_key,
		.san = cert_san0(old),
		.validity = id->ra_validity };
	struct cert *c = NULL;
	enum rc rc;

	(void)cert_has_key_usage(old, &o.key_usage);
	o.key_usage &= KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT;
	o.eku = cert_eku0(old, &o.n_eku);
	rc = own_cert_make(&c, l, id, &o, now, err);
	if (rc != RC_OK)
		return rc;
	ra_insert(id, c);
	return kept_save_ra(id, l->state, err);
}

/* Older ones, once they have expired. */
static void
ra_drop_expired(struct signer_id *id, int64_t now)
{
	while (id->n_ra > 1 && cert_not_after(id->ra[id->n_ra - 1]) < now)
		cert_free(id->ra[--id->n_ra]);
}

/* ---- both ---- */

static const struct {
	const char *what;
	bool (*due)(const struct signer_id *id, int64_t now);
	enum rc (*renew)(
	    struct signer_local *l, struct signer_id *id, int64_t now, struct err *err);
} renewals[] = {
	{ "RA", ra_due, ra_renew },
	{ "OCSP responder", ocsp_due, ocsp_renew },
};

static void
tell(const char *ca, const char *what, enum rc rc, const struct err *err)
{
	struct log_line line;

	log_begin(&line, rc == RC_OK ? LOG_INFO : LOG_ERROR,
	    rc == RC_OK ? "certificate-renewed" : "certificate-not-renewed");
	log_str(&line, "ca", ca);
	log_str(&line, "of", what);
	if (rc != RC_OK)
		log_err(&line, err);
	log_end(&line);
}

void
ca_id_renew(struct signer_local *l, struct signer_id *id, int64_t now)
{
	if (id->foreign) /* its CA makes what it is to have */
		return;
	ra_drop_expired(id, now);
	if (now < id->retry_at)
		return;
	for (size_t i = 0; i < sizeof(renewals) / sizeof(renewals[0]); i++) {
		struct err err = { 0 };
		enum rc rc;

		if (!renewals[i].due(id, now))
			continue;
		rc = renewals[i].renew(l, id, now, &err);
		/* Without a folder (scepd --check) it is tried, and thrown away. */
		if (rc != RC_OK || state_is_kept(l->state))
			tell(id->name, renewals[i].what, rc, &err);
		if (rc != RC_OK)
			id->retry_at = now + RETRY;
	}
}
