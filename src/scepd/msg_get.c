/*
 * msg_get.c - GetCert and GetCRL (RFC 8894 4.5, 4.6): what the CA has, for those whom it knows.
 *
 * Off unless the configuration says otherwise, since LDAP, HTTP and OCSP tell the same without a
 * private-key operation; and answered for holders of a certificate of this endpoint only, so that
 * nobody can try serial numbers (S37).
 */
#include <string.h>

#include "base/limits.h"
#include "scepd/pipeline_int.h"
#include "scepd/publish.h"

/* What was asked for: RFC 5652 10.2.4, IssuerAndSerialNumber. */
struct asked {
	struct name issuer;
	struct serial serial;
};

/* RFC 8894 4.5: "no such certificate" in whatever way is a badCertId. */
static enum rc
no_such(struct transaction *t, struct err *err)
{
	t->log.fail_info = SCEP_BAD_CERT_ID;
	return fail(err, RC_NOTFOUND, "there is no such certificate, or it is not for this signer");
}

/* The content of an INTEGER: at most one octet of zero in front. */
static bool
take_serial(struct serial *out, const struct scep_slice *s)
{
	const uint8_t *p = s->data;
	size_t len = s->len;

	if (len > 0 && *p == 0) {
		p++;
		len--;
	}
	if (len == 0 || len > SERIAL_MAX)
		return false;
	memcpy(out->v, p, len);
	out->len = len;
	return true;
}

static enum rc
take_asked(struct asked *out, struct transaction *t, struct err *err)
{
	struct scep_slice issuer, serial;

	if (scep_request_issuer_serial(t->request, &issuer, &serial) != SCEP_OK)
		return fail(err, RC_BUG, "a request for a certificate names none");
	if (!take_serial(&out->serial, &serial))
		return no_such(t, err);
	serial_hex(t->asked, &out->serial);
	t->log.asked = t->asked;
	return name_parse(&out->issuer, issuer.data, issuer.len, err);
}

/* Who asks: before anything is said of what is asked for. */
static enum rc
admit(struct transaction *t, struct err *err)
{
	enum rc rc;

	t->log.step = "signer";
	if ((rc = signer_take(t, err)) == RC_OK && (rc = signer_prove(t, err)) == RC_DENIED)
		t->log.fail_info = SCEP_BAD_CERT_ID;
	return rc;
}

static bool
is_issuer(const struct cert *c, const struct asked *a)
{
	return name_same(&a->issuer, cert_issuer0(c)) && serial_same(&a->serial, cert_serial0(c));
}

/* The CA of the endpoint's that is meant: by its name; or, for a list, by the issuer and number of its own or
 * of its RA's certificate, which clients send by mistake (quirk 60). */
static struct server_ca *
find_ca(const struct transaction *t, const struct asked *a, bool by_mistake)
{
	const struct offer_plan *p = &t->offer->plan;

	for (size_t i = 0; i < p->n; i++)
		if (name_same(&a->issuer, cert_subject0(ca_cert0(p->line[i]->ca))))
			return p->line[i];
	for (size_t i = 0; by_mistake && i < p->n; i++)
		if (is_issuer(ca_cert0(p->line[i]->ca), a) ||
		    is_issuer(ca_ra_cert0(p->line[i]->ca), a))
			return p->line[i];
	return NULL;
}

static bool
same_names(const struct san_list *a, const struct san_list *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (a->v[i].type != b->v[i].type || strcmp(a->v[i].value, b->v[i].value) != 0)
			return false;
	return true;
}

/* Without a subject the alternative names are who it is. */
static bool
same_owner(const struct cert *a, const struct cert *b)
{
	return name_same(cert_subject0(a), cert_subject0(b)) &&
	    (cert_subject0(a)->n > 0 || same_names(cert_san0(a), cert_san0(b)));
}

/* Whose certificates this signer may have. */
static bool
may_have(const struct transaction *t, const struct cert *c)
{
	return t->ep->conf->getcert == GETCERT_ENDPOINT || same_owner(c, holder_cert0(t->holder));
}

static enum rc
find_cert(struct transaction *t, const struct asked *a, struct err *err)
{
	const struct server_ca *sca = find_ca(t, a, false);
	enum rc rc;

	if (sca == NULL)
		return no_such(t, err);
	rc = store_cert_get(t->s->store, t->asked, sca->conf->name, &t->row, err);
	if (rc != RC_OK)
		return rc == RC_NOTFOUND ? no_such(t, err) : rc;
	if (strcmp(t->row.endpoint, t->ep->name) != 0)
		return no_such(t, err);
	if ((rc = cert_parse(&t->cert, t->row.der, t->row.der_len, err)) != RC_OK)
		return rc;
	return may_have(t, t->cert) ? RC_OK : no_such(t, err);
}

static enum rc
find_crl(struct transaction *t, const struct asked *a, struct err *err)
{
	struct server_ca *sca = find_ca(t, a, true);
	size_t len;
	enum rc rc;

	if (sca == NULL)
		return no_such(t, err);
	t->log.ca = sca->conf->name;
	t->answer = ANSWER_CRL;
	if ((rc = publish_current_crl(&t->crl, t->s, sca, err)) != RC_OK)
		return rc;
	(void)http_shared_bytes(t->crl, &len);
	if (len <= LIMIT_SCEP_MESSAGE)
		return RC_OK;
	(void)fail(
	    err, RC_LIMIT, "the CRL of %s has %zu bytes, more than a message may", t->log.ca, len);
	return err_hint(err, "fetch it from /crl/%s.crl", t->log.ca);
}

static enum rc
get(struct transaction *t,
    enum rc (*find)(struct transaction *, const struct asked *, struct err *), struct err *err)
{
	struct asked a = { .issuer = { 0 } };
	enum rc rc;

	if ((rc = admit(t, err)) != RC_OK)
		return rc;
	t->log.step = "find";
	if ((rc = take_asked(&a, t, err)) == RC_OK && (rc = find(t, &a, err)) == RC_OK)
		t->log.step = NULL;
	name_done(&a.issuer);
	return rc;
}

enum rc
msg_get_cert(struct transaction *t, struct err *err)
{
	metric_add(t->s->metrics, METRIC_GETCERT, 1);
	return get(t, find_cert, err);
}

enum rc
msg_get_crl(struct transaction *t, struct err *err)
{
	metric_add(t->s->metrics, METRIC_GETCRL, 1);
	return get(t, find_crl, err);
}
