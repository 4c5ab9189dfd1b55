/* sweep.c - see sweep.h. */
#include "scepd/sweep.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "scepd/scepd.h"
#include "scepd/sweep_int.h"

#define KEPT_MS     (INT64_C(90) * 86400 * 1000) /* sweeps that are over */
#define REST        4                            /* times what a round took */
#define REST_MAX_MS 20000                        /* an approved sweep takes long, and once */
#define TIDY_CALLS  8                            /* of a round, each of some thousand rows */
#define BATCH       200 /* causes of a commit: some 20 ms of a core, for which enrolments wait */
#define SINGLE_LINE 100 /* a round with more turns has one line, and the audit the rest */

enum rc
sweeper_new(struct sweeper **out, const struct sweeper_conf *conf, struct err *err)
{
	struct sweeper *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return fail(err, RC_NOMEM, "no memory for rules");
	w->conf = *conf;
	(void)pthread_mutex_init(&w->mu, NULL);
	*out = w;
	return RC_OK;
}

void
sweeper_free(struct sweeper *w)
{
	if (w == NULL)
		return;
	(void)pthread_mutex_destroy(&w->mu);
	free(w);
}

/* ---- turned ---- */

struct tally {
	uint64_t set, held, revoked, released; /* causes that changed; certificates that turned */
};

static void
log_turn(const struct planned *t, const char *rule, const struct store_cause_done *d)
{
	static const char *const events[] = {
		[CERT_GOOD] = "released", [CERT_HELD] = "held", [CERT_REVOKED] = "revoked"
	};
	struct log_line l;

	log_begin(&l, LOG_INFO, d->before == d->after ? "cause" : events[d->after]);
	log_str(&l, "serial", t->serial);
	log_str(&l, "ca", t->ca);
	log_str(&l, "rule", rule);
	log_str(&l, "why", t->comment);
	log_end(&l);
}

static void
count_done(struct sweeper *w, struct tally *sum, const struct store_cause_done *d)
{
	if (d->outcome != CAUSE_SET)
		return;
	sum->set++;
	if (d->before == d->after)
		return;
	sum->held += d->after == CERT_HELD;
	sum->revoked += d->after == CERT_REVOKED;
	sum->released += d->after == CERT_GOOD;
	metric_add(w->conf.metrics,
	    d->after == CERT_GOOD       ? METRIC_RULE_RELEASED
		: d->after == CERT_HELD ? METRIC_RULE_HELD
					: METRIC_RULE_REVOKED,
	    1);
}

/* At most BATCH, in one commit. */
static enum rc
set_batch(struct sweeper *w, const struct sweep_plan *p, const struct planned *const *v, size_t n,
    bool single_lines, struct tally *sum, struct err *err)
{
	struct store_cause_set set[BATCH] = { 0 };
	struct store_cause_done done[BATCH];
	enum rc rc;

	if (n == 0)
		return RC_OK;
	for (size_t i = 0; i < n; i++)
		set[i] = (struct store_cause_set){ .serial = v[i]->serial,
			.ca = v[i]->ca,
			.source = CAUSE_RULE,
			.rule = p->names[v[i]->rule],
			.effect = v[i]->effect,
			.reason = v[i]->reason,
			.comment = v[i]->comment };
	rc = store_causes_set(w->conf.store, set, n, done, err);
	for (size_t i = 0; i < n && rc == RC_OK; i++) {
		count_done(w, sum, &done[i]);
		if (single_lines && done[i].outcome == CAUSE_SET)
			log_turn(v[i], p->names[v[i]->rule], &done[i]);
	}
	if (rc == RC_OK && w->conf.changed != NULL)
		w->conf.changed(w->conf.arg);
	return rc;
}

static void
log_tally(const char *what, const struct tally *t)
{
	if (t->set > 0)
		log_msg(LOG_INFO, "sweep",
		    "%s: %llu certificates held, %llu revoked, %llu released", what,
		    (unsigned long long)t->held, (unsigned long long)t->revoked,
		    (unsigned long long)t->released);
}

static enum rc
note_turned(struct sweeper *w, const struct owners *o, int64_t now, int64_t beside, struct err *err)
{
	enum rc rc = RC_OK;

	for (size_t at = 0; at < o->n && rc == RC_OK; at += STORE_CAUSES_BATCH) {
		size_t left = o->n - at;

		rc = store_turned_add(w->conf.store, now, o->v + at,
		    left < STORE_CAUSES_BATCH ? left : STORE_CAUSES_BATCH, beside, err);
	}
	fault_point("sweep-noted");
	return rc;
}

/* Counted before it is done, so that a crash makes the brake harder and not softer. */
enum rc
sweep_turn(struct sweeper *w, const struct round *r, const struct plan_part *part,
    const struct owners *but, int64_t beside, struct err *err)
{
	const struct sweep_plan *p = r->p;
	const struct planned *batch[BATCH];
	struct tally sum = { 0 };
	enum rc rc = RC_OK;

	if (part->turns > 0)
		rc = note_turned(w, &part->owners, r->now_ms / 1000, beside, err);
	for (size_t at = 0; part->turns > 0 && at < p->n && rc == RC_OK && !*r->stop;) {
		size_t n = 0;

		for (; n < BATCH && at < p->n; at++)
			if (but == NULL || !owners_has(but, p->v[at].owner))
				batch[n++] = &p->v[at];
		rc = set_batch(w, p, batch, n, part->turns <= SINGLE_LINE, &sum, err);
	}
	log_tally("rules", &sum);
	return rc;
}

/* ---- approved ---- */

struct page {
	const struct sweep_plan *p;
	const struct planned *v[BATCH];
	size_t n, seen;
};

/* What was approved and is still so; the rest has passed by itself. */
static int
on_approved(void *arg, const struct store_turn *t)
{
	struct page *g = arg;
	const struct planned *now = sweep_plan_find(g->p, t->cert_id, t->rule, t->effect);

	g->seen++;
	if (now != NULL)
		g->v[g->n++] = now;
	return 0;
}

/* Turns that are missing (there is no such certificate any more) would make the sweep last for ever. */
static enum rc
approved_batch(struct sweeper *w, const struct sweep_plan *p, struct store_sweep *s,
    struct tally *sum, struct err *err)
{
	struct page g = { .p = p };
	uint64_t before = sum->set;
	enum rc rc = store_sweep_turns(w->conf.store, s->id, s->dealt, BATCH, on_approved, &g, err);

	if (rc == RC_OK)
		rc = set_batch(w, p, g.v, g.n, s->turns <= SINGLE_LINE, sum, err);
	fault_point("sweep-set");
	if (rc != RC_OK)
		return rc;
	s->dealt = g.seen > 0 ? s->dealt + g.seen : s->turns;
	s->applied += sum->set - before;
	rc = store_sweep_dealt(w->conf.store, s->id, s->dealt, s->applied, err);
	fault_point("sweep-dealt");
	return rc;
}

static enum rc
carry_out(struct sweeper *w, const struct sweep_plan *p, struct store_sweep *s,
    const atomic_bool *stop, struct err *err)
{
	int64_t began = clock_mono_ms();
	struct tally sum = { 0 };
	enum rc rc = RC_OK;

	log_msg(LOG_WARN, "sweep",
	    "sweep %lld, approved by %s, goes on: %llu of %llu turns are done", (long long)s->id,
	    s->who != NULL ? s->who : "?", (unsigned long long)s->dealt,
	    (unsigned long long)s->turns);
	while (rc == RC_OK && s->dealt < s->turns && !*stop)
		rc = approved_batch(w, p, s, &sum, err);
	log_tally("an approved sweep", &sum);
	if (rc == RC_OK && s->dealt >= s->turns)
		log_msg(LOG_WARN, "sweep",
		    "sweep %lld is done: %llu of %llu turns were still so; %lld ms",
		    (long long)s->id, (unsigned long long)s->applied, (unsigned long long)s->turns,
		    (long long)(clock_mono_ms() - began));
	return rc;
}

/* ---- a round ---- */

/* An outage begins and ends once, whatever the number of rounds in between. */
static void
tell_outage(const struct sweeper *w, size_t rule, uint64_t before, uint64_t now)
{
	const struct directory_rule *r = &w->conf.config->rules[rule];

	if (now > 0 && before == 0)
		log_msg(LOG_ERROR, "rules",
		    "rule %s: what the directory said of %llu certificates is too old to count "
		    "(outage.max_age); they are %s",
		    r->name, (unsigned long long)now,
		    r->outage == OUTAGE_HOLD ? "to be held" : "not held by it any more");
	else if (now == 0 && before > 0)
		log_msg(LOG_INFO, "rules", "rule %s: the directory is heard again", r->name);
}

static void
note_plan(struct sweeper *w, const struct sweep_plan *p, int64_t now_ms, int64_t took)
{
	for (size_t i = 0; i < p->n_rules; i++)
		tell_outage(w, i, w->count[i].says[RULE_OUTAGE], p->count[i].says[RULE_OUTAGE]);
	(void)pthread_mutex_lock(&w->mu);
	memcpy(w->count, p->count, p->n_rules * sizeof(w->count[0]));
	w->seen = p->of;
	w->seen_owners = p->seen.n;
	w->plan_ms = (uint64_t)took;
	w->made_ms = now_ms;
	(void)pthread_mutex_unlock(&w->mu);
}

static enum rc
forget(struct sweeper *w, const struct sweep_plan *p, struct err *err)
{
	enum rc rc = RC_OK;

	for (size_t at = 0; at < p->n_forget && rc == RC_OK; at += STORE_CAUSES_BATCH) {
		size_t left = p->n_forget - at;

		rc = store_ignored_forget(w->conf.store, p->forget + at,
		    left < STORE_CAUSES_BATCH ? left : STORE_CAUSES_BATCH, err);
	}
	return rc;
}

/* By what waits or was approved; *go: there is none (any more), and the plan is what is to be done. */
static enum rc
as_decided(struct sweeper *w, const struct round *r, bool *go, struct err *err)
{
	struct store_sweep s = { 0 };
	enum rc rc = store_sweep_current(w->conf.store, &s, err);

	*go = false;
	if (rc == RC_NOTFOUND) {
		*go = true;
		rc = RC_OK;
	} else if (rc == RC_OK && s.state == SWEEP_WAITING) {
		rc = sweep_meet(w, &s, r, go, err);
	} else if (rc == RC_OK) { /* what else there is, the next round looks at */
		sweep_note_waiting(w, (struct waiting){ 0 });
		rc = carry_out(w, r->p, &s, r->stop, err);
	}
	store_sweep_done(&s);
	return rc;
}

static enum rc
judge(struct sweeper *w, struct round *r, struct err *err)
{
	bool go = false;
	enum rc rc;

	r->too_much =
	    plan_brake(r->why, &w->conf.config->revocation.brake, r->p, &r->all, &r->lately);
	rc = as_decided(w, r, &go, err);
	if (rc != RC_OK || !go)
		return rc;
	if (r->too_much)
		return sweep_halt(w, r, err);
	sweep_note_waiting(w, (struct waiting){ 0 });
	return sweep_turn(w, r, &r->all, NULL, 0, err);
}

static enum rc
decide(struct sweeper *w, const struct sweep_plan *p, int64_t now_ms, const atomic_bool *stop,
    struct err *err)
{
	struct round r = { .p = p, .now_ms = now_ms, .stop = stop };
	enum rc rc = brake_lately(
	    &r.lately, w->conf.store, &w->conf.config->revocation.brake, now_ms / 1000, err);

	if (rc == RC_OK)
		rc = plan_part(&r.all, p, NULL, err);
	if (rc == RC_OK)
		rc = judge(w, &r, err);
	plan_part_done(&r.all);
	owners_done(&r.lately);
	return rc;
}

static enum rc
tidy(struct sweeper *w, int64_t now_ms, struct err *err)
{
	enum rc rc = RC_OK;
	size_t n = 1;

	for (int i = 0; i < TIDY_CALLS && rc == RC_OK && n > 0; i++)
		rc = store_sweep_tidy(w->conf.store, now_ms - KEPT_MS, &n, err);
	return rc;
}

static enum rc
run(struct sweeper *w, int64_t now_ms, const atomic_bool *stop, struct err *err)
{
	const struct config *c = w->conf.config;
	const struct plan_ask ask = { .store = w->conf.store,
		.rules = c->rules,
		.n_rules = c->n_rules,
		.now = now_ms / 1000,
		.stop = stop };
	int64_t began = clock_mono_ms();
	struct sweep_plan *p = calloc(1, sizeof(*p));
	enum rc rc =
	    p == NULL ? fail(err, RC_NOMEM, "no memory for a sweep") : tidy(w, now_ms, err);

	if (rc == RC_OK)
		rc = sweep_plan_make(p, &ask, err);
	if (rc == RC_OK && !p->stopped) {
		note_plan(w, p, now_ms, clock_mono_ms() - began);
		rc = forget(w, p, err);
		if (rc == RC_OK)
			rc = decide(w, p, now_ms, stop, err);
	}
	if (p != NULL)
		sweep_plan_done(p);
	free(p);
	return rc;
}

void
sweeper_run(struct sweeper *w, int64_t now_ms, const atomic_bool *stop)
{
	struct err err = { 0 };

	if (!*stop && run(w, now_ms, stop, &err) != RC_OK && !*stop)
		log_msg(LOG_ERROR, "sweep", "what rules say was not done: %s", err.msg);
}

/* ---- when ---- */

void
sweep_news(struct scepd *s, size_t n)
{
	if (n > 0)
		atomic_fetch_add_explicit(&s->dir_news, 1, memory_order_relaxed);
}

static bool
is_approved(struct sweeper *w)
{
	struct store_sweep s = { 0 };
	bool yes =
	    store_sweep_current(w->conf.store, &s, NULL) == RC_OK && s.state == SWEEP_APPROVED;

	store_sweep_done(&s);
	return yes;
}

/* Read before the round: what comes during it is looked at in the next. */
void
sweep_run(struct scepd *s, int64_t now_ms, const atomic_bool *stop)
{
	uint64_t news = atomic_load_explicit(&s->dir_news, memory_order_relaxed);
	int64_t began = clock_mono_ms(), took;
	struct sweeper *w = s->sweeper;

	if (began < w->rest_until_ms)
		return;
	if (began < w->due_ms && news == w->news && !is_approved(w))
		return;
	w->news = news;
	sweeper_run(w, now_ms, stop);
	w->due_ms = clock_mono_ms() + s->config->revocation.interval * 1000;
	took = clock_mono_ms() - began;
	w->rest_until_ms =
	    clock_mono_ms() + (REST * took < REST_MAX_MS ? REST * took : REST_MAX_MS);
}

/* ---- /metrics ---- */

static void
gauge(struct buf *out, const char *name, const char *help, uint64_t value)
{
	buf_addf(out, "# HELP %s %s\n# TYPE %s gauge\n%s %llu\n", name, help, name, name,
	    (unsigned long long)value);
}

void
sweeper_metrics(struct sweeper *w, struct buf *out)
{
	const struct config *c = w->conf.config;

	(void)pthread_mutex_lock(&w->mu);
	gauge(out, "scepd_sweep_waiting",
	    "Certificates that a sweep would turn that waits for an administrator",
	    w->waiting.certs);
	gauge(out, "scepd_sweep_waiting_owners",
	    "Devices and users that a sweep would turn that waits for an administrator",
	    w->waiting.owners);
	gauge(out, "scepd_sweep_beside_owners",
	    "Devices and users that rules would turn beside it, and that wait with it",
	    w->waiting.beside);
	gauge(out, "scepd_rules_seen", "Certificates that rules see", w->seen);
	gauge(out, "scepd_rules_seen_owners", "Devices and users that rules see", w->seen_owners);
	gauge(out, "scepd_rules_round_milliseconds", "What the last round of rules took to judge",
	    w->plan_ms);
	gauge(out, "scepd_rules_judged_seconds", "When rules were judged last, Unix time",
	    (uint64_t)(w->made_ms / 1000));
	buf_addf(out,
	    "# HELP scepd_rule_certificates What each rule says, of how many certificates\n"
	    "# TYPE scepd_rule_certificates gauge\n");
	for (size_t i = 0; i < c->n_rules; i++)
		for (int k = 0; k < RULE_SAYS__MAX; k++)
			buf_addf(out, "scepd_rule_certificates{rule=\"%s\",says=\"%s\"} %llu\n",
			    c->rules[i].name, rule_says_name((enum rule_says)k),
			    (unsigned long long)w->count[i].says[k]);
	(void)pthread_mutex_unlock(&w->mu);
}
