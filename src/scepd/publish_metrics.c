/*
 * publish_metrics.c - what is out, for /metrics.
 */
#include "base/clock.h"
#include "scepd/publish_int.h"

/* Of one row: a list, or all parts of a CA together: the least, the sum or the most, as it says. */
struct shown {
	uint64_t number, entries, bytes, us, failures;
	int64_t age, left;
	bool any;
};

static void
add(struct shown *w, struct server_ca *sca, struct published *l)
{
	struct crl_made made;
	int64_t now = clock_now();
	size_t len;

	w->failures += atomic_load(&l->failures);
	if (!publish_take(sca, l, &made))
		return;
	(void)http_shared_bytes(made.der, &len);
	http_shared_free(made.der);
	w->bytes += len;
	w->entries += made.n;
	if (made.number > w->number)
		w->number = made.number;
	if (atomic_load(&l->us) > w->us)
		w->us = atomic_load(&l->us);
	if (!w->any || now - made.made > w->age)
		w->age = now - made.made;
	if (!w->any || made.next_update - now < w->left)
		w->left = made.next_update - now;
	w->any = true;
}

static void
number(struct buf *out, const struct shown *w)
{
	buf_addf(out, "%llu", (unsigned long long)w->number);
}

static void
entries(struct buf *out, const struct shown *w)
{
	buf_addf(out, "%llu", (unsigned long long)w->entries);
}

static void
bytes(struct buf *out, const struct shown *w)
{
	buf_addf(out, "%llu", (unsigned long long)w->bytes);
}

static void
age(struct buf *out, const struct shown *w)
{
	buf_addf(out, "%lld", (long long)w->age);
}

static void
left(struct buf *out, const struct shown *w)
{
	buf_addf(out, "%lld", (long long)w->left);
}

static void
seconds(struct buf *out, const struct shown *w)
{
	buf_addf(out, "%.6f", (double)w->us / 1e6);
}

static void
failures(struct buf *out, const struct shown *w)
{
	buf_addf(out, "%llu", (unsigned long long)w->failures);
}

static const struct {
	const char *name, *type, *help;
	void (*value)(struct buf *out, const struct shown *w);
	bool always; /* also while there is no list */
} rows[] = {
	{ "scepd_crl_number", "gauge", "Number of the list that is out", number, false },
	{ "scepd_crl_entries", "gauge", "Certificates in it", entries, false },
	{ "scepd_crl_bytes", "gauge", "Its size", bytes, false },
	{ "scepd_crl_age_seconds", "gauge", "Since it was signed", age, false },
	{ "scepd_crl_left_seconds", "gauge", "Until its nextUpdate", left, false },
	{ "scepd_crl_make_seconds", "gauge", "From the store to the list, the last time", seconds,
	    false },
	{ "scepd_crl_failures_total", "counter", "Lists that could not be made or written",
	    failures, true },
};

static void
show(struct buf *out, size_t row, struct server_ca *sca, struct published *v, size_t n)
{
	struct shown w = { .any = false };

	for (size_t i = 0; i < n; i++)
		add(&w, sca, &v[i]);
	if (!w.any && !rows[row].always)
		return;
	buf_addf(out, "%s{ca=\"%s\",list=\"%s\"} ", rows[row].name, sca->conf->name,
	    v->kind == LIST_PART ? "partitions" : v->name);
	rows[row].value(out, &w);
	buf_addc(out, '\n');
}

void
publish_metrics(struct scepd *s, struct buf *out)
{
	for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
		buf_addf(out, "# HELP %s %s\n# TYPE %s %s\n", rows[r].name, rows[r].help,
		    rows[r].name, rows[r].type);
		for (size_t i = 0; i < s->n_cas; i++) {
			struct crl_lists *c = s->cas[i].crl;

			show(out, r, &s->cas[i], &c->v[0], 1);
			if (c->delta != NULL)
				show(out, r, &s->cas[i], c->delta, 1);
			if (c->parts != NULL)
				show(out, r, &s->cas[i], c->parts, c->n_parts);
		}
	}
}
