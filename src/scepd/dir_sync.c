/* dir_sync.c - see dir_sync.h. */
#include "scepd/dir_sync.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "scepd/dir_bind.h"
#include "scepd/dir_tenant.h"
#include "scepd/scepd.h"

struct dir_sync {
	size_t n;
	struct dir_tenant tenants[];
};

enum rc
dir_sync_new(struct dir_sync **out, struct scepd *s, struct err *err)
{
	struct dir_sync *d = calloc(1, sizeof(*d) + s->n_tenants * sizeof(d->tenants[0]));

	if (d == NULL)
		return fail(err, RC_NOMEM, "no memory for the directories");
	for (size_t i = 0; i < s->n_tenants; i++) {
		const struct conf_tenant *conf =
		    config_tenant(s->config, tenant_name(s->tenants[i]));

		if (conf != NULL && conf->directory)
			dir_tenant_init(&d->tenants[d->n++], s, s->tenants[i]);
	}
	*out = d;
	return RC_OK;
}

void
dir_sync_free(struct dir_sync *d)
{
	if (d == NULL)
		return;
	for (size_t i = 0; i < d->n; i++)
		dir_tenant_done(&d->tenants[i]);
	free(d);
}

/* In the order in which they matter to somebody who waits, bindings first; each has its own clock. */
static const struct {
	enum dir_task task;
	enum intune_status (*run)(struct dir_tenant *t, int64_t now_ms, const atomic_bool *stop);
} tasks[] = {
	{ DIR_TASK_BIND, dir_task_bind },
	{ DIR_TASK_USERS, dir_task_users },
	{ DIR_TASK_DEVICES, dir_task_devices },
	{ DIR_TASK_MANAGED, dir_task_managed },
	{ DIR_TASK_OLDEST, dir_task_oldest },
	{ DIR_TASK_RISKS, dir_task_risks },
	{ DIR_TASK_GROUPS, dir_task_groups },
};

static void
run(struct dir_tenant *t, size_t k, int64_t now_ms, const atomic_bool *stop)
{
	if (dir_task_due(t, tasks[k].task, now_ms))
		dir_task_ended(t, tasks[k].task, tasks[k].run(t, now_ms, stop), clock_now_ms());
}

size_t
dir_sync_count(const struct dir_sync *d)
{
	return d->n;
}

void
dir_sync_round(struct dir_sync *d, size_t i, int64_t now_ms, const atomic_bool *stop)
{
	for (size_t k = 0; k < sizeof(tasks) / sizeof(tasks[0]) && !*stop; k++)
		run(&d->tenants[i], k, now_ms, stop);
}

void
dir_sync_bindings(struct dir_tenant *t, const atomic_bool *stop)
{
	struct intune_error kept = t->error;

	if (!*stop)
		run(t, 0, clock_now_ms(), stop);
	t->error = kept;
}

void
dir_sync_metrics(struct scepd *s, struct buf *out)
{
	if (s->dir_sync == NULL)
		return;
	buf_addf(out,
	    "# HELP scepd_directory_age_seconds Since a question to the directory was last "
	    "answered\n"
	    "# TYPE scepd_directory_age_seconds gauge\n");
	for (size_t i = 0; i < s->dir_sync->n; i++)
		dir_tenant_metrics_age(&s->dir_sync->tenants[i], out);
	buf_addf(out,
	    "# HELP scepd_directory_failures_total Questions to the directory without an answer\n"
	    "# TYPE scepd_directory_failures_total counter\n");
	for (size_t i = 0; i < s->dir_sync->n; i++)
		dir_tenant_metrics_failures(&s->dir_sync->tenants[i], out);
	buf_addf(out,
	    "# HELP scepd_bindings Certificates whose directory does not know all whom they name, "
	    "or was "
	    "not asked yet\n"
	    "# TYPE scepd_bindings gauge\n");
	for (size_t i = 0; i < s->dir_sync->n; i++)
		dir_tenant_metrics_bindings(&s->dir_sync->tenants[i], out);
}
