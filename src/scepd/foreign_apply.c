/* foreign_apply.c - see foreign_apply.h. */
#include "scepd/foreign_apply.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "ca/reason.h"
#include "store/store_status.h"

#define LINES_MAX 200 /* log lines about single certificates of one list; the audit trail has all */
#define HEX_MAX   (2 * SERIAL_MAX + 1)

/* ---- which list ---- */

/* Upper hex of either; a longer number is a greater one. */
static int
compare_numbers(const char *a, const char *b)
{
	size_t n = strlen(a), m = strlen(b);

	return n != m ? (n < m ? -1 : 1) : strcmp(a, b);
}

static enum rc
judge_age(const struct crl_list *l, const struct store_foreign_crl *last, struct err *err)
{
	char mine[TIME_TEXT_MAX], theirs[TIME_TEXT_MAX], number[HEX_MAX] = "";

	if (l->number.len > 0)
		serial_hex(number, &l->number);
	if (l->this_update > last->this_update ||
	    (l->this_update == last->this_update && compare_numbers(number, last->number) >= 0))
		return RC_OK;
	time_rfc3339(mine, l->this_update);
	time_rfc3339(theirs, last->this_update);
	return fail(err, RC_CONFLICT,
	    "the list of %s is older than that of %s, which was read before: nothing is done with "
	    "it",
	    mine, theirs);
}

enum rc
foreign_judge(
    const struct crl_list *l, const struct store_foreign_crl *last, int64_t now, struct err *err)
{
	char when[TIME_TEXT_MAX];
	enum rc rc = last != NULL ? judge_age(l, last, err) : RC_OK;

	if (rc != RC_OK)
		return rc;
	if (l->this_update > now + FOREIGN_SKEW) {
		time_rfc3339(when, l->this_update);
		(void)fail(err, RC_DENIED, "the list is of %s, which is still to come", when);
		return err_hint(err, "compare the clocks of this machine and of the CA");
	}
	if (l->next_update != 0 && l->next_update < now) {
		time_rfc3339(when, l->next_update);
		(void)fail(err, RC_DENIED,
		    "the list ended at %s: what the CA has revoked since is not known here", when);
		return err_hint(
		    err, "the CA has to publish a new one, where foreign_cas says that it is");
	}
	return RC_OK;
}

/* ---- what is to be done ---- */

struct entry {
	struct crl_revoked r;
	bool done; /* the cause stands already */
};
struct serial_text {
	char hex[HEX_MAX];
};
struct work {
	struct store *s;
	const char *ca;
	struct entry *v; /* in the order of the store's marks, once each */
	size_t n;
	struct serial_text *off; /* holds that are in the list no more */
	size_t n_off, room;
	struct foreign_applied *out;
	size_t lines;
	bool no_memory;
	uint64_t bare, bare_max; /* rows that are bare now, and may be */
};

static enum cause_effect
effect_of(const struct crl_revoked *r)
{
	return r->reason == REASON_HOLD ? CAUSE_HOLD : CAUSE_REVOKE;
}

/* Of one that is there twice the one that revokes. */
static int
compare(const void *a, const void *b)
{
	const struct crl_revoked *x = &((const struct entry *)a)->r,
				 *y = &((const struct entry *)b)->r;
	int c = foreign_serial_compare(x->serial.p, x->serial.len, y->serial.p, y->serial.len);

	return c != 0 ? c : (int)effect_of(y) - (int)effect_of(x);
}

static bool
same_serial(const struct crl_revoked *x, const struct crl_revoked *y)
{
	return x->serial.len == y->serial.len &&
	    memcmp(x->serial.p, y->serial.p, x->serial.len) == 0;
}

/* 0 is no serial number (RFC 5280 4.1.2.2), and no row can have it. */
static bool
is_zero(const struct crl_revoked *r)
{
	return r->serial.len == 1 && r->serial.p[0] == 0;
}

static enum rc
collect(struct work *w, const struct crl_list *l, struct err *err)
{
	struct der rest = l->entries;
	struct crl_revoked r;
	size_t n = 0;

	if ((w->v = calloc(l->n + 1, sizeof(w->v[0]))) == NULL)
		return fail(err, RC_NOMEM, "no memory for a list of %zu entries", l->n);
	while (n < l->n && crl_next(&rest, &r))
		if (!is_zero(&r))
			w->v[n++].r = r;
	if (n > 1)
		qsort(w->v, n, sizeof(w->v[0]), compare);
	for (size_t i = 0; i < n; i++)
		if (w->n == 0 || !same_serial(&w->v[w->n - 1].r, &w->v[i].r))
			w->v[w->n++] = w->v[i];
	return RC_OK;
}

static bool
add_off(struct work *w, const struct store_foreign_mark *m)
{
	struct serial_text *v;
	size_t room = w->room == 0 ? 64 : 2 * w->room;

	if (w->n_off == w->room) {
		if ((v = reallocarray(w->off, room, sizeof(*v))) == NULL)
			return false;
		w->off = v;
		w->room = room;
	}
	hex_upper(w->off[w->n_off++].hex, m->serial, m->serial_len);
	return true;
}

/* A hold does not do for an entry that revokes; a revocation does for both. */
static int
on_mark(void *arg, const struct store_foreign_mark *m)
{
	struct work *w = arg;
	size_t low = 0, high = w->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		const struct crl_revoked *r = &w->v[mid].r;
		int c =
		    foreign_serial_compare(r->serial.p, r->serial.len, m->serial, m->serial_len);

		if (c == 0) {
			w->v[mid].done = m->effect == CAUSE_REVOKE || effect_of(r) == CAUSE_HOLD;
			return 0;
		}
		if (c < 0)
			low = mid + 1;
		else
			high = mid;
	}
	w->no_memory = m->effect == CAUSE_HOLD && !add_off(w, m);
	return w->no_memory;
}

/* ---- done ---- */

static void
tell(struct work *w, const struct store_cause_set *c, const struct store_cause_done *d)
{
	static const char *const words[] = { "good again", "held", "revoked" };
	struct foreign_applied *out = w->out;
	struct log_line l;

	out->untold += d->untold;
	if (d->before == d->after)
		return;
	*(d->after == CERT_REVOKED      ? &out->revoked
		: d->after == CERT_HELD ? &out->held
					: &out->released) += 1;
	if (w->lines++ >= LINES_MAX)
		return;
	log_begin(&l, LOG_INFO, "foreign");
	log_str(&l, "msg", words[d->after]);
	log_str(&l, "ca", w->ca);
	log_str(&l, "serial", c->serial);
	if (d->after == CERT_REVOKED)
		log_str(&l, "reason", reason_name(c->reason));
	log_end(&l);
}

static enum rc
set(struct work *w, const struct store_cause_set *v, size_t n, struct err *err)
{
	struct store_cause_done done[STORE_CAUSES_BATCH];
	enum rc rc = store_causes_set(w->s, v, n, done, err);

	for (size_t i = 0; rc == RC_OK && i < n; i++)
		tell(w, &v[i], &done[i]);
	return rc;
}

struct batch {
	struct store_foreign_cert certs[STORE_CAUSES_BATCH];
	struct store_cause_set sets[STORE_CAUSES_BATCH];
	struct serial_text serials[STORE_CAUSES_BATCH];
	enum foreign_outcome outcomes[STORE_CAUSES_BATCH];
	size_t n;
};

static void
put(struct batch *b, const char *ca, const struct crl_revoked *r)
{
	char *hex = b->serials[b->n].hex;

	hex_upper(hex, r->serial.p, r->serial.len);
	b->certs[b->n] = (struct store_foreign_cert){ .serial = hex };
	b->sets[b->n++] = (struct store_cause_set){ .serial = hex,
		.ca = ca,
		.source = CAUSE_ISSUER,
		.effect = effect_of(r),
		.reason = r->reason,
		.since = r->when };
}

/* The rows first: a cause needs its certificate.  FOREIGN_TAKEN: of a CA of ours that had this name before. */
static enum rc
put_down(struct work *w, struct batch *b, struct err *err)
{
	bool full = w->bare + w->out->bare + b->n > w->bare_max;
	size_t n = 0;
	enum rc rc = full ? store_foreign_look(w->s, w->ca, b->certs, b->n, b->outcomes, err)
			  : store_foreign_add(w->s, w->ca, NULL, b->certs, b->n, b->outcomes, err);

	for (size_t i = 0; rc == RC_OK && i < b->n; i++) {
		bool added = b->outcomes[i] == FOREIGN_ADDED;

		*(full ? &w->out->left : &w->out->bare) += added;
		w->out->taken += b->outcomes[i] == FOREIGN_TAKEN;
		if (b->outcomes[i] != FOREIGN_TAKEN && !(full && added))
			b->sets[n++] = b->sets[i];
	}
	b->n = 0;
	return rc == RC_OK ? set(w, b->sets, n, err) : rc;
}

static enum rc
put_all(struct work *w, const atomic_bool *stop, struct err *err)
{
	struct batch *b = calloc(1, sizeof(*b));
	enum rc rc = RC_OK;

	if (b == NULL)
		return fail(err, RC_NOMEM, "no memory for entries of a list");
	for (size_t i = 0; rc == RC_OK && i < w->n && !*stop; i++) {
		if (!w->v[i].done)
			put(b, w->ca, &w->v[i].r);
		if (b->n == STORE_CAUSES_BATCH)
			rc = put_down(w, b, err);
	}
	if (rc == RC_OK && b->n > 0 && !*stop)
		rc = put_down(w, b, err);
	free(b);
	return rc;
}

static enum rc
release_all(struct work *w, const atomic_bool *stop, struct err *err)
{
	struct store_cause_set v[STORE_CAUSES_BATCH];
	size_t n = 0;
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < w->n_off && !*stop; i++) {
		v[n++] = (struct store_cause_set){ .serial = w->off[i].hex,
			.ca = w->ca,
			.source = CAUSE_ISSUER,
			.effect = CAUSE_GONE,
			.comment = "in the CA's list no more" };
		if (n == STORE_CAUSES_BATCH || i + 1 == w->n_off) {
			rc = set(w, v, n, err);
			n = 0;
		}
	}
	return rc;
}

/* What revokes comes first: should the rest fail, nobody got in by it. */
enum rc
foreign_apply(struct store *s, const char *ca, const struct crl_list *l, uint64_t bare_max,
    const atomic_bool *stop, struct foreign_applied *out, struct err *err)
{
	struct work w = { .s = s, .ca = ca, .out = out, .bare_max = bare_max };
	uint64_t rows;
	enum rc rc = collect(&w, l, err);

	*out = (struct foreign_applied){ .whole = false };
	if (rc == RC_OK)
		rc = store_foreign_count(s, ca, &rows, &w.bare, err);
	if (rc == RC_OK)
		rc = store_foreign_marks(s, ca, on_mark, &w, err);
	if (rc == RC_OK && w.no_memory)
		rc = fail(err, RC_NOMEM, "no memory for holds that come off");
	if (rc == RC_OK)
		rc = put_all(&w, stop, err);
	if (rc == RC_OK)
		rc = release_all(&w, stop, err);
	out->whole = rc == RC_OK && !*stop;
	free(w.v);
	free(w.off);
	return rc;
}
