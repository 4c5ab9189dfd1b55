/*
 * msg_signer.c - who signed a message: with a throw-away certificate, or as the holder of one that was
 * issued here (RFC 8894 2.3).
 *
 * The certificate decides, not the type of the message: sscep, jscep, Cisco and macOS renew with PKCSReq
 * (quirks 15, 39).  A self-issued certificate proves nothing but the key (2.4), so it is believed
 * nothing; whatever else is claimed is proven against the store's rows.
 */
#include <string.h>

#include "base/clock.h"
#include "scepd/authoriser.h"
#include "scepd/pipeline_int.h"

/* `ca` is among those that endpoint `ep` issues from, or was moved away from. */
static bool
in_line(const struct offer *o, const char *ca)
{
	for (size_t i = 0; i < o->plan.n; i++)
		if (strcmp(o->plan.line[i]->conf->name, ca) == 0)
			return true;
	return false;
}

static bool
listed(const struct conf_strs *list, const char *name)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->v[i], name) == 0)
			return true;
	return false;
}

/* Issued at this endpoint, or at one that it says it renews for. */
static bool
issued_here(void *ctx, const char *endpoint, const char *ca)
{
	const struct transaction *t = ctx;
	struct endpoint *other;
	struct offer *o;
	bool yes;

	if (strcmp(endpoint, t->ep->name) == 0)
		return in_line(t->offer, ca);
	other = scepd_endpoint(t->s, endpoint, strlen(endpoint));
	if (other == NULL || !listed(&t->ep->conf->renewal.from, other->name))
		return false;
	o = endpoint_offer(other);
	yes = in_line(o, ca);
	offer_release(o);
	return yes;
}

enum rc
signer_take(struct transaction *t, struct err *err)
{
	const uint8_t *der;
	enum rc rc;
	size_t len;

	der = scep_request_signer(t->request, &len);
	if ((rc = cms_cert_peek(&t->signer, der, len, err)) != RC_OK)
		return rc;
	return key_parse_spki(&t->signer_key, t->signer.spki.p, t->signer.spki.len, err);
}

bool
signer_is_throw_away(const struct transaction *t)
{
	const struct cms_id own = { .issuer = t->signer.subject, .serial = t->signer.serial };

	return cms_id_matches(&own, &t->signer);
}

enum rc
signer_prove(struct transaction *t, struct err *err)
{
	const struct holder_terms terms = { issued_here, t };
	const struct der *der = &t->signer.der;
	struct err why;
	enum rc rc;

	rc = cert_parse(&t->signer_cert, der->p, der->len, &why);
	if (rc == RC_NOMEM)
		return fail(err, rc, "%s", why.msg);
	if (rc != RC_OK) { /* so it is none of ours */
		(void)fail(err, RC_DENIED, HOLDER_REFUSED);
		return err_hint(err, "signer: %s", why.msg);
	}
	return holder_prove(&t->holder, t->s->store, &terms, t->signer_cert, clock_now(), err);
}

enum rc
signer_sha256(uint8_t out[static 32], const struct transaction *t, struct err *err)
{
	size_t len;
	const uint8_t *spki = key_spki0(t->signer_key, &len);

	return digest_bytes(out, DIGEST_SHA256, spki, len, err);
}
