/* dir_tenant.c - the clocks of a tenant's questions, and what is common to them. */
#include "scepd/dir_tenant.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "scepd/dir_sync.h"
#include "scepd/scepd.h"
#include "scepd/sweep.h"

#define BACKOFF_MS     5000   /* after the first failure; doubled with each */
#define BACKOFF_MAX_MS 300000 /* a directory that comes back is noticed within five minutes */
#define DENIED_MS      60000  /* what an administrator has to permit takes him a while */

static const struct {
	const char *name;
	int64_t pause_ms; /* 0: revocation.interval */
} tasks[DIR_TASK__MAX] = {
	[DIR_TASK_BIND] = { "bindings", 1000 },
	[DIR_TASK_USERS] = { "users", 0 },
	[DIR_TASK_DEVICES] = { "devices", 0 },
	[DIR_TASK_MANAGED] = { "managed-devices", 0 },
	[DIR_TASK_OLDEST] = { "oldest-devices", 0 },
	[DIR_TASK_RISKS] = { "risks", 0 },
	[DIR_TASK_GROUPS] = { "groups",
	    900000 }, /* of thousands of members; a rule is about who, not when */
};

/* Only what a rule asks about costs questions. */
static bool
wanted(const struct config *c, enum dir_task task)
{
	if (task != DIR_TASK_RISKS && task != DIR_TASK_GROUPS)
		return true;
	for (size_t i = 0; i < c->n_rules; i++)
		if (task == DIR_TASK_RISKS ? rule_when_asks_risk(c->rules[i].when)
					   : c->rules[i].groups.n + c->rules[i].except.groups.n > 0)
			return true;
	return false;
}

void
dir_tenant_init(struct dir_tenant *t, struct scepd *s, struct tenant *tenant)
{
	t->s = s;
	t->tenant = tenant;
	t->name = tenant_name(tenant);
	for (size_t i = 0; i < DIR_TASK__MAX; i++)
		t->pace[i].wanted = wanted(s->config, (enum dir_task)i);
	for (size_t i = 0; i < s->config->n_rules; i++)
		t->strangers =
		    t->strangers || s->config->rules[i].when == WHEN_UNKNOWN_TO_DIRECTORY;
}

void
dir_tenant_done(struct dir_tenant *t)
{
	for (size_t i = 0; i < sizeof(t->walks) / sizeof(t->walks[0]); i++)
		free(t->walks[i].link);
}

bool
dir_task_due(const struct dir_tenant *t, enum dir_task task, int64_t now_ms)
{
	return t->pace[task].wanted && now_ms >= t->pace[task].due_ms;
}

static int64_t
pause_after(const struct dir_tenant *t, enum dir_task task, enum intune_status st)
{
	int64_t pause = tasks[task].pause_ms, wait = BACKOFF_MS;

	if (pause == 0)
		pause = t->s->config->revocation.interval * 1000;
	if (st == INTUNE_OK)
		return pause;
	if (st == INTUNE_E_PERMISSION)
		return DENIED_MS;
	for (unsigned i = 1; i < t->pace[task].failed && wait < BACKOFF_MAX_MS; i++)
		wait *= 2;
	if (t->error.retry_after > 0 && t->error.retry_after * 1000 > wait)
		wait = t->error.retry_after * 1000;
	return wait > BACKOFF_MAX_MS ? BACKOFF_MAX_MS : wait;
}

static void
log_failure(const struct dir_tenant *t, enum dir_task task)
{
	struct log_line l;

	log_begin(&l, LOG_WARN, "directory");
	log_str(&l, "tenant", t->name);
	log_str(&l, "asked", tasks[task].name);
	log_str(&l, "result", "FAILED");
	if (t->store_failed) {
		log_str(&l, "reason", t->err.msg);
	} else {
		log_str(&l, "reason", t->error.message);
		if (t->error.hint[0] != '\0')
			log_str(&l, "hint", t->error.hint);
	}
	log_end(&l);
}

static void
log_recovered(const struct dir_tenant *t, enum dir_task task, unsigned failed)
{
	struct log_line l;

	log_begin(&l, LOG_INFO, "directory");
	log_str(&l, "tenant", t->name);
	log_str(&l, "asked", tasks[task].name);
	log_str(&l, "result", "RECOVERED");
	log_int(&l, "failures", (int64_t)failed);
	log_end(&l);
}

void
dir_task_ended(struct dir_tenant *t, enum dir_task task, enum intune_status st, int64_t now_ms)
{
	struct dir_pace *p = &t->pace[task];

	if (t->store_failed)
		st = INTUNE_E_NOMEM; /* of ours, and passing */
	if (st == INTUNE_OK) {
		if (p->failed > 0)
			log_recovered(t, task, p->failed);
		p->failed = 0;
		p->good_ms = now_ms;
	} else {
		if (p->failed++ == 0)
			log_failure(t, task);
		p->failures++;
	}
	p->due_ms = now_ms + pause_after(t, task, st);
	t->store_failed = false;
}

int
dir_store_failed(struct dir_tenant *t, enum rc rc)
{
	if (rc != RC_OK)
		t->store_failed = true;
	return rc != RC_OK;
}

/* ---- to the store ---- */

struct dir_batch *
dir_batch_new(struct dir_tenant *t, int64_t now, const atomic_bool *stop)
{
	struct dir_batch *b = calloc(1, sizeof(*b));

	if (b == NULL) {
		(void)dir_store_failed(t, fail(&t->err, RC_NOMEM, "no memory for a directory"));
		return NULL;
	}
	b->t = t;
	b->now = now;
	b->stop = stop;
	return b;
}

static bool
flush(struct dir_batch *b)
{
	size_t changed = 0, n = b->n;
	bool good;

	b->n = 0;
	good = n == 0 ||
	    dir_store_failed(
		b->t, store_objects_put(b->t->s->store, b->v, n, &changed, &b->t->err)) == 0;
	sweep_news(b->t->s, changed);
	return good;
}

struct store_object *
dir_batch_next(struct dir_batch *b)
{
	if (b->n == STORE_OBJECTS_BATCH) {
		if (!flush(b))
			return NULL;
		dir_sync_bindings(b->t, b->stop);
	}
	return &b->v[b->n++];
}

bool
dir_batch_end(struct dir_batch *b)
{
	bool good = !b->t->store_failed && flush(b);

	free(b);
	return good;
}

/* ---- metrics ---- */

static void
metric(struct dir_tenant *t, struct buf *out, const char *name, size_t task, int64_t value)
{
	buf_addf(out, "%s{tenant=\"%s\",asked=\"%s\"} %lld\n", name, t->name, tasks[task].name,
	    (long long)value);
}

void
dir_tenant_metrics_age(struct dir_tenant *t, struct buf *out)
{
	for (size_t i = 0; i < DIR_TASK__MAX; i++)
		if (t->pace[i].wanted)
			metric(t, out, "scepd_directory_age_seconds", i,
			    t->pace[i].good_ms == 0 ? -1
						    : (clock_now_ms() - t->pace[i].good_ms) / 1000);
}

void
dir_tenant_metrics_failures(struct dir_tenant *t, struct buf *out)
{
	for (size_t i = 0; i < DIR_TASK__MAX; i++)
		if (t->pace[i].wanted)
			metric(t, out, "scepd_directory_failures_total", i,
			    (int64_t)t->pace[i].failures);
}

void
dir_tenant_metrics_bindings(struct dir_tenant *t, struct buf *out)
{
	static const struct {
		enum binding_state state;
		const char *name;
	} rows[] = { { BINDING_OPEN, "open" }, { BINDING_BOUND, "partial" },
		{ BINDING_UNKNOWN, "unknown" } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		buf_addf(out, "scepd_bindings{tenant=\"%s\",state=\"%s\"} %llu\n", t->name,
		    rows[i].name, (unsigned long long)t->unsettled[rows[i].state]);
}
