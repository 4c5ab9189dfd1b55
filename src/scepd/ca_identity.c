/* ca_identity.c - see ca_identity.h. */
#include "scepd/ca_identity.h"

#include <stdlib.h>
#include <string.h>

#include "scepd/scepd.h"
#include "store/store_foreign.h"

/* `own`: what the earlier one was. */
static enum rc
is_another(const struct ca_identity *ca, bool own, struct err *err)
{
	(void)fail(err, RC_CONFIG,
	    "CA %s has another key than the one that the database has certificates of under this "
	    "name, %s",
	    ca->name, own ? "which was one of this server's own" : "which was a foreign CA");
	if (own)
		return err_hint(err,
		    "give it another name in scepd.yaml: what the earlier one has issued keeps its "
		    "name");
	return err_hint(err,
	    "give it another name in scepd.yaml, or, if the earlier one is over: scepctl foreign "
	    "forget %s",
	    ca->name);
}

static enum rc
key_of(uint8_t out[static 32], const struct cert *c, struct err *err)
{
	size_t len;
	const uint8_t *spki = key_spki0(cert_key0(c), &len);

	return digest_bytes(out, DIGEST_SHA256, spki, len, err);
}

/* What the earlier one has revoked stands under its name, and nobody would answer for it any more. */
static enum rc
is_renamed(
    struct store *s, const struct ca_identity *ca, const uint8_t key[static 32], struct err *err)
{
	struct store_identity other = { .own = false };
	char name[STORE_NAME_MAX + 1];
	enum rc rc = store_identity_other(s, ca->name, key, name, err);

	if (rc == RC_OK)
		rc = store_identity_get(s, name, &other, err);
	if (rc != RC_OK)
		return rc == RC_NOTFOUND ? RC_OK : rc;
	(void)fail(err, RC_CONFIG,
	    "CA %s has the key of %s: what that one has issued and revoked stands in the database "
	    "under its "
	    "name, which %s would not answer for",
	    ca->name, name, ca->name);
	if (other.own)
		return err_hint(err, "call it %s in scepd.yaml, as before", name);
	return err_hint(err,
	    "call it %s in scepd.yaml, as before, or, if that one is over: scepctl foreign forget "
	    "%s",
	    name, name);
}

/* ---- a database that does not know ---- */

/* *found: there is a certificate; it is the CA's, or RC_CONFIG. */
static enum rc
hear_witness(struct store *s, const struct ca_identity *ca, bool own, bool *found, struct err *err)
{
	struct cert *c = NULL;
	uint8_t *der = NULL;
	size_t len = 0;
	enum rc rc = store_identity_witness(s, ca->name, own, &der, &len, err);

	*found = false;
	if (rc == RC_NOTFOUND)
		return RC_OK;
	if (rc == RC_OK)
		rc = cert_parse_known(&c, der, len, err);
	/* What the database has was a certificate when it was put there. */
	if (rc == RC_OK) {
		*found = true;
		rc = cert_verify_by(c, ca->cert, err);
		if (rc == RC_INTEGRITY)
			rc = is_another(ca, own, err);
	}
	cert_free(c);
	free(der);
	return rc;
}

/* Serial numbers alone say nothing of a key: of a foreign CA it is believed that they are its own, of one of ours not. */
static enum rc
judge_evidence(struct store *s, const struct ca_identity *ca, struct err *err)
{
	bool own = false, foreign = false, has_crl = false;
	uint64_t rows = 0, bare;
	enum rc rc = hear_witness(s, ca, true, &own, err);

	if (rc == RC_OK)
		rc = hear_witness(s, ca, false, &foreign, err);
	if (rc == RC_OK && ca->own && !foreign)
		rc = store_foreign_count(s, ca->name, &rows, &bare, err);
	if (rc == RC_OK && !ca->own && !own)
		rc = store_identity_has_crl(s, ca->name, &has_crl, err);
	if (rc == RC_OK && (rows > 0 || has_crl))
		rc = is_another(ca, has_crl, err);
	return rc;
}

/* ---- all of it ---- */

enum rc
ca_identity_check(struct store *s, const struct ca_identity *ca, bool *news, struct err *err)
{
	struct store_identity known = { .own = false };
	uint8_t key[32];
	bool fresh = false;
	enum rc rc = key_of(key, ca->cert, err);

	if (rc == RC_OK)
		rc = store_identity_get(s, ca->name, &known, err);
	if (rc == RC_NOTFOUND) {
		fresh = true;
		rc = is_renamed(s, ca, key, err);
		if (rc == RC_OK)
			rc = judge_evidence(s, ca, err);
	} else if (rc == RC_OK && memcmp(known.key_sha256, key, sizeof(key)) != 0) {
		rc = is_another(ca, known.own, err);
	}
	if (rc == RC_OK && news != NULL)
		*news = fresh || (ca->own && !known.own);
	return rc;
}

/* One that was ours stays so, whatever it is now: what we have issued is never forgotten. */
enum rc
ca_identity_claim(struct store *s, const struct ca_identity *ca, struct err *err)
{
	struct store_identity id = { .own = ca->own };
	bool news = false;
	enum rc rc = ca_identity_check(s, ca, &news, err);

	if (rc == RC_OK && news)
		rc = key_of(id.key_sha256, ca->cert, err);
	return rc == RC_OK && news ? store_identity_set(s, ca->name, &id, err) : rc;
}

enum rc
ca_identities_claim(const struct scepd *s, struct err *err)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < s->n_cas; i++)
		rc = ca_identity_claim(s->store,
		    &(struct ca_identity){ s->cas[i].conf->name, true, ca_cert0(s->cas[i].ca) },
		    err);
	for (size_t i = 0; rc == RC_OK && i < s->n_foreign; i++)
		rc = ca_identity_claim(s->store,
		    &(struct ca_identity){ s->foreign[i].conf->name, false, s->foreign[i].cert },
		    err);
	return rc;
}
