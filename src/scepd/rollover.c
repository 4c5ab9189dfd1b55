/* rollover.c - see rollover.h. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "scepd/rollover.h"

/* ---- a device's side ---- */

#define IDENTITY_MAX (256u * 1024) /* bytes of text: more than a CSR of the largest size holds */

static int
compare(const void *a, const void *b)
{
	const struct san *const *x = a, *const *y = b;

	if ((*x)->type != (*y)->type)
		return (*x)->type < (*y)->type ? -1 : 1;
	return strcmp((*x)->value, (*y)->value);
}

/* In an order of their own: some clients list what they have from a hash table.  The NULs part the
 * texts, none of which can hold one. */
static enum rc
add_sans(struct buf *b, const struct san_list *list, struct err *err)
{
	const struct san **v = calloc(list->n + 1, sizeof(struct san *));

	if (v == NULL)
		return fail(err, RC_NOMEM, "alternative names of a request");
	for (size_t i = 0; i < list->n; i++)
		v[i] = &list->v[i];
	qsort(v, list->n, sizeof(struct san *), compare);
	for (size_t i = 0; i < list->n; i++) {
		buf_adds(b, san_type_name(v[i]->type));
		buf_addc(b, ':');
		buf_add(b, v[i]->value, strlen(v[i]->value) + 1);
	}
	free(v);
	return RC_OK;
}

enum rc
rollover_bucket(unsigned *bucket, const char *endpoint, const struct csr *csr, struct err *err)
{
	uint8_t md[32];
	uint64_t v = 0;
	struct buf b;
	enum rc rc;

	buf_init(&b, IDENTITY_MAX);
	buf_add(&b, endpoint, strlen(endpoint) + 1);
	name_text(&b, csr_subject0(csr));
	buf_addc(&b, '\0');
	rc = add_sans(&b, &csr_wishes0(csr)->san, err);
	if (rc == RC_OK)
		rc = buf_ok(&b, "identity of a device", err);
	if (rc == RC_OK)
		rc = digest_bytes(md, DIGEST_SHA256, b.data, b.len, err);
	buf_done(&b);
	if (rc != RC_OK)
		return rc;
	for (size_t i = 0; i < sizeof(v); i++)
		v = v << 8 | md[i];
	*bucket = (unsigned)(v % 100);
	return RC_OK;
}

/* ---- what an endpoint should offer ---- */

static bool
retired(const struct store_succession *st, const struct server_ca *ca)
{
	if (!ca->conf->issues)
		return true;
	for (size_t i = 0; i < st->n_retired; i++)
		if (strcmp(st->retired[i], ca->conf->name) == 0)
			return true;
	return false;
}

static unsigned
share_of(const struct store_succession *st, const char *endpoint, const struct server_ca *from,
    const struct server_ca *to)
{
	for (size_t i = 0; i < st->n_rollovers; i++) {
		const struct store_rollover *r = &st->rollovers[i];

		if (strcmp(r->endpoint, endpoint) == 0 &&
		    strcmp(r->from_ca, from->conf->name) == 0 &&
		    strcmp(r->to_ca, to->conf->name) == 0)
			return r->share;
	}
	return 0;
}

/* With the last place kept for the next CA: the oldest goes when there are too many. */
static void
push(struct offer_plan *p, struct server_ca *ca, const struct store_succession *st)
{
	if (p->n == OFFER_CAS_MAX) {
		memmove(p->line, p->line + 1, sizeof(p->line) - sizeof(p->line[0]));
		memmove(p->ras, p->ras + 1, sizeof(p->ras) - sizeof(p->ras[0]));
		memmove(p->issues, p->issues + 1, sizeof(p->issues) - sizeof(p->issues[0]));
		p->n--;
		p->current--;
	}
	p->line[p->n] = ca;
	p->ras[p->n] = ca->ras;
	p->issues[p->n++] = !retired(st, ca);
}

/* What `e` should offer by the state `st`.  Borrows everything; takes no reference. */
static void
rollover_plan(struct offer_plan *out, const struct endpoint *e, const struct store_succession *st)
{
	struct server_ca *ca = e->sca;

	*out = (struct offer_plan){ 0 };
	/* Moved, and then configured so: devices with the old RA are still served. */
	if (ca->previous != NULL && share_of(st, e->name, ca->previous, ca) > 0) {
		push(out, ca->previous, st);
		out->current = 1;
	}
	push(out, ca, st);
	for (; ca->next != NULL; ca = ca->next) {
		unsigned share = share_of(st, e->name, ca, ca->next);
		bool moved = share >= 100 || (retired(st, ca) && !retired(st, ca->next));

		push(out, ca->next, st);
		if (!moved) {
			out->share = out->issues[out->n - 1] ? share : 0;
			break;
		}
		out->current = out->n - 1;
	}
}

/* ---- taking up what has changed ---- */

static enum rc
refresh_ras(struct server_ca *sca, struct err *err)
{
	struct signer_certs certs = { 0 };
	struct ra_set *fresh;
	char until[TIME_TEXT_MAX];
	enum rc rc;

	rc = signer_certs(sca->ra_key.signer, sca->conf->name, &certs, err);
	if (rc != RC_OK)
		return err_context(err, "RA certificates of %s", sca->conf->name);
	if (sca->ras == NULL || !ra_set_is(sca->ras, certs.ra, certs.n_ra)) {
		rc = ra_set_new(&fresh, certs.ra, certs.n_ra, &sca->ra_key, err);
		if (rc == RC_OK && sca->ras != NULL) {
			time_rfc3339(until, cert_not_after(certs.ra[0]));
			log_msg(LOG_INFO, "reload",
			    "CA %s: another RA certificate is in use, valid until %s; %zu older "
			    "ones open requests as well",
			    sca->conf->name, until, fresh->n - 1);
		}
		if (rc == RC_OK) {
			ra_set_release(sca->ras);
			sca->ras = fresh;
		}
	}
	signer_certs_done(&certs);
	return rc;
}

/* What an administrator, and whoever reads the log a year later, wants to know of a change. */
static void
log_offer(const struct endpoint *e, const struct offer *o)
{
	const struct offer_plan *p = &o->plan;
	const char *name = p->line[p->current]->conf->name;
	struct log_line l;

	log_begin(&l, p->issues[p->current] ? LOG_INFO : LOG_WARN, "rollover");
	log_str(&l, "endpoint", e->name);
	log_str(&l, "ca", name);
	if (!p->issues[p->current])
		log_str(&l, "state", "retired");
	if (p->current > 0)
		log_str(&l, "moved-from", p->line[p->current - 1]->conf->name);
	if (p->current + 1 < p->n) {
		log_str(&l, "next", p->line[p->current + 1]->conf->name);
		log_int(&l, "share", p->share);
		log_str(&l, "GetNextCACert", o->next_ca.len > 0 ? "yes" : "no");
	}
	log_end(&l);
}

static enum rc
refresh_endpoint(struct endpoint *e, const struct store_succession *st, bool retry, struct err *err)
{
	struct offer_plan plan;
	struct offer *old = e->offer, *fresh;
	enum rc rc;

	rollover_plan(&plan, e, st);
	if (old != NULL && offer_plan_same(&plan, &old->plan) && !(retry && offer_lacks_next(old)))
		return RC_OK;
	if ((rc = offer_new(&fresh, e, &plan, err)) != RC_OK)
		return rc;
	(void)pthread_mutex_lock(&e->mu);
	e->offer = fresh;
	(void)pthread_mutex_unlock(&e->mu);
	if (plan.n > 1 || !plan.issues[0])
		log_offer(e, fresh);
	offer_release(old);
	return RC_OK;
}

/* `ras`: ask the signer too.  Everything that can be taken up is; the first failure is returned. */
static enum rc
refresh(struct scepd *s, bool ras, struct err *err)
{
	struct store_succession st = { 0 };
	struct err why;
	enum rc rc = RC_OK, one;

	for (size_t i = 0; ras && i < s->n_cas; i++)
		if ((one = refresh_ras(&s->cas[i], &why)) != RC_OK && rc == RC_OK) {
			*err = why;
			rc = one;
		}
	if (s->store != NULL && (one = store_succession_read(s->store, &st, &why)) != RC_OK) {
		if (rc == RC_OK)
			*err = why;
		return rc == RC_OK ? one : rc; /* without it nothing can be said of the endpoints */
	}
	for (size_t i = 0; i < s->n_endpoints; i++) {
		if (s->endpoints[i].sca->ras == NULL)
			continue; /* only while starting, which fails then */
		if ((one = refresh_endpoint(&s->endpoints[i], &st, ras, &why)) != RC_OK &&
		    rc == RC_OK) {
			*err = why;
			rc = one;
		}
	}
	store_succession_done(&st);
	return rc;
}

static void
refresh_locked(struct scepd *s, bool ras)
{
	struct err err;
	enum rc rc;

	if (s->n_endpoints == 0)
		return;
	(void)pthread_mutex_lock(&s->refresh_mu);
	rc = refresh(s, ras, &err);
	(void)pthread_mutex_unlock(&s->refresh_mu);
	if (rc != RC_OK)
		log_msg(LOG_ERROR, "rollover", "%s; what is in use stays", err.msg);
}

void
scepd_refresh_cas(struct scepd *s)
{
	refresh_locked(s, true);
}

void
scepd_refresh_rollover(struct scepd *s)
{
	refresh_locked(s, false);
}

/* Each CA knows the one before it and the one after it. */
static void
link_cas(struct scepd *s)
{
	for (size_t i = 0; i < s->n_cas; i++) {
		const char *old = s->cas[i].conf->replaces;
		struct server_ca *previous = old != NULL ? scepd_ca(s, old, strlen(old)) : NULL;

		if (previous == NULL)
			continue;
		previous->next = &s->cas[i];
		s->cas[i].previous = previous;
	}
}

enum rc
rollover_open(struct scepd *s, struct err *err)
{
	link_cas(s);
	return refresh(s, true, err);
}

/* ---- figures ---- */

static void
metric_head(struct buf *out, const char *name, const char *type, const char *help)
{
	buf_addf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

void
rollover_metrics(struct scepd *s, struct buf *out)
{
	metric_head(out, "scepd_ca_certificates_total", "counter", "Certificates signed, by CA");
	for (size_t i = 0; i < s->n_cas; i++)
		buf_addf(out, "scepd_ca_certificates_total{ca=\"%s\"} %llu\n", s->cas[i].conf->name,
		    (unsigned long long)atomic_load_explicit(
			&s->cas[i].issued, memory_order_relaxed));
	metric_head(out, "scepd_rollover_share", "gauge",
	    "Percent of an endpoint's devices that the next CA issues for");
	for (size_t i = 0; i < s->n_endpoints; i++) {
		struct offer *o = endpoint_offer(&s->endpoints[i]);
		const struct offer_plan *p = &o->plan;
		size_t from = p->current + 1 < p->n ? p->current : p->current - 1;

		if (p->n > 1)
			buf_addf(out,
			    "scepd_rollover_share{endpoint=\"%s\",from=\"%s\",to=\"%s\"} %u\n",
			    s->endpoints[i].name, p->line[from]->conf->name,
			    p->line[from + 1]->conf->name, from == p->current ? p->share : 100);
		offer_release(o);
	}
}
