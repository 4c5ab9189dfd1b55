/* offer.c - see offer.h. */
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/log.h"
#include "scep/request_csr.h"
#include "scepd/offer.h"
#include "scepd/scepd.h"

/* ---- the answer to GetCACert ---- */

#define LIST_MAX 16 /* certificates: a chain is 2 to 4 long, and two may be told */

struct list {
	struct scep_bytes v[LIST_MAX];
	size_t n;
};

/* Two CAs mostly stand below one root, which is told once.  Bytes are lent, and only read. */
static void
add(struct list *l, const uint8_t *der, size_t len)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].len == len && memcmp(l->v[i].data, der, len) == 0)
			return;
	if (l->n < LIST_MAX)
		l->v[l->n++] = (struct scep_bytes){ (uint8_t *)(uintptr_t)der, len };
}

static void
add_cert(struct list *l, const struct cert *c)
{
	size_t len;
	const uint8_t *der = cert_der0(c, &len);

	add(l, der, len);
}

/* getcacert: 0 and 1 the CA alone, 2 its chain without the root, 3 with it. */
static void
add_ca(struct list *l, const struct ca *ca, int getcacert)
{
	add_cert(l, ca_cert0(ca));
	for (size_t i = 0; getcacert > 1 && i < ca_chain_len(ca); i++) {
		if (cert_self_issued(ca_chain0(ca, i)) && getcacert < 3)
			break;
		add_cert(l, ca_chain0(ca, i));
	}
}

/*
 * Order RA, issuing CA, chain, root (quirk 27), since Apple takes the first.  While devices are
 * moved, the certificates of the other CA follow: Windows looks for the one that its profile names
 * (quirk 21), which may be either.  Not its RA: clients that find two take the last one, or both
 * (quirk 24), and a request to the next CA's RA would be issued by the next CA whatever the share.
 * Who wants that one asks GetNextCACert.
 */
static enum rc
prepare_ca_certs(struct offer *o, int getcacert, struct err *err)
{
	const struct offer_plan *p = &o->plan;
	struct list l = { .n = 0 };
	struct scep_error se;
	const uint8_t *ra;
	size_t len;

	if (getcacert > 0) {
		ra = scep_identity_cert(p->ras[p->current]->id[0], &len);
		add(&l, ra, len);
	}
	add_ca(&l, p->line[p->current]->ca, getcacert);
	if (getcacert > 0 && p->share > 0)
		add_ca(&l, p->line[p->current + 1]->ca, getcacert);
	if (getcacert > 0 && p->current > 0 && p->issues[p->current - 1])
		add_ca(&l, p->line[p->current - 1]->ca, getcacert);
	o->ca_certs_type =
	    l.n == 1 ? "application/x-x509-ca-cert" : "application/x-x509-ca-ra-cert";
	if (scep_ca_certs_encode(&o->ca_certs, l.v, l.n, &se) != SCEP_OK)
		return scep_error_to_err(err, &se);
	return RC_OK;
}

/* ---- GetNextCACert and the capabilities ---- */

static bool
has_next(const struct offer_plan *p)
{
	return p->current + 1 < p->n && p->issues[p->current + 1];
}

/* Offered only while there is a next CA (quirk 30).  A signer that cannot be reached costs that and
 * no more. */
static void
prepare_next_ca(struct offer *o, const struct endpoint *e)
{
	const struct server_ca *current = o->plan.line[o->plan.current];
	struct buf der;
	struct err err;

	if (!has_next(&o->plan) || (e->caps & SCEP_CAP_GET_NEXT_CA_CERT) == 0)
		return;
	buf_init(&der, LIMIT_SCEP_MESSAGE);
	if (signer_next_ca(current->ra_key.signer, current->conf->name, &der, &err) == RC_OK &&
	    buf_ok(&der, "answer to GetNextCACert", &err) == RC_OK)
		o->next_ca.data = buf_take(&der, &o->next_ca.len);
	else
		log_msg(LOG_WARN, "rollover", "endpoint %s: GetNextCACert is not offered: %s",
		    e->name, err.msg);
	buf_done(&der);
}

static enum rc
prepare_caps(struct offer *o, unsigned caps, struct err *err)
{
	struct scep_error se;

	if (o->next_ca.len == 0)
		caps &= ~(unsigned)SCEP_CAP_GET_NEXT_CA_CERT;
	if (scep_caps_encode(&o->caps_text, caps, &se) != SCEP_OK)
		return scep_error_to_err(err, &se);
	return RC_OK;
}

bool
offer_lacks_next(const struct offer *o)
{
	return has_next(&o->plan) && o->next_ca.len == 0;
}

/* ---- made, counted ---- */

static void
add_ids(struct offer *o, size_t place)
{
	const struct ra_set *r = o->plan.ras[place];

	for (size_t i = 0; i < r->n; i++) {
		o->id[o->n_id] = r->id[i];
		o->place[o->n_id++] = (unsigned char)place;
	}
}

static void
add_all_ids(struct offer *o)
{
	add_ids(o, o->plan.current);
	for (size_t i = 0; i < o->plan.n; i++)
		if (i != o->plan.current)
			add_ids(o, i);
}

enum rc
offer_new(
    struct offer **out, const struct endpoint *e, const struct offer_plan *plan, struct err *err)
{
	struct offer *o = calloc(1, sizeof(*o));
	enum rc rc;

	if (o == NULL)
		return fail(err, RC_NOMEM, "answers of endpoint %s", e->name);
	atomic_init(&o->refs, 1);
	o->plan = *plan;
	for (size_t i = 0; i < plan->n; i++)
		(void)ra_set_ref(plan->ras[i]);
	add_all_ids(o);
	prepare_next_ca(o, e);
	if ((rc = prepare_ca_certs(o, e->conf->getcacert, err)) != RC_OK ||
	    (rc = prepare_caps(o, e->caps, err)) != RC_OK) {
		offer_release(o);
		return rc;
	}
	*out = o;
	return RC_OK;
}

struct offer *
offer_ref(struct offer *o)
{
	atomic_fetch_add_explicit(&o->refs, 1, memory_order_relaxed);
	return o;
}

void
offer_release(struct offer *o)
{
	if (o == NULL || atomic_fetch_sub_explicit(&o->refs, 1, memory_order_acq_rel) != 1)
		return;
	for (size_t i = 0; i < o->plan.n; i++)
		ra_set_release(o->plan.ras[i]);
	scep_bytes_free(&o->caps_text);
	scep_bytes_free(&o->ca_certs);
	scep_bytes_free(&o->next_ca);
	free(o);
}

bool
offer_plan_same(const struct offer_plan *a, const struct offer_plan *b)
{
	if (a->n != b->n || a->current != b->current || a->share != b->share)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (a->line[i] != b->line[i] || a->ras[i] != b->ras[i] ||
		    a->issues[i] != b->issues[i])
			return false;
	return true;
}

/* ---- which CA ---- */

static size_t
place_of(const struct offer *o, const struct scep_identity *recipient)
{
	for (size_t i = 0; i < o->n_id; i++)
		if (o->id[i] == recipient)
			return o->place[i];
	return o->plan.current;
}

enum rc
offer_choose(struct server_ca **out, const struct offer *o, const struct scep_identity *recipient,
    unsigned bucket, struct err *err)
{
	const struct offer_plan *p = &o->plan;
	bool to_next = place_of(o, recipient) > p->current || bucket < p->share;
	size_t i = p->current + (has_next(p) && to_next ? 1 : 0);

	if (!p->issues[i]) {
		(void)fail(err, RC_DENIED, "the CA %s is retired and issues no certificates",
		    p->line[i]->conf->name);
		return err_hint(err,
		    "give the endpoint another CA in scepd.yaml, or declare the next one with "
		    "replaces");
	}
	*out = p->line[i];
	return RC_OK;
}
