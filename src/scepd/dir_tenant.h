/*
 * dir_tenant.h - one tenant's directory: what is asked, when next, and what went wrong last.
 */
#ifndef SCEPD_SCEPD_DIR_TENANT_H
#define SCEPD_SCEPD_DIR_TENANT_H

#include <stdatomic.h>

#include "base/buf.h"
#include "intune.h"
#include "store/store_directory.h"

struct scepd;
struct tenant;

enum dir_task {
	DIR_TASK_BIND,    /* open bindings */
	DIR_TASK_USERS,   /* changes */
	DIR_TASK_DEVICES, /* changes */
	DIR_TASK_MANAGED, /* those that have synchronised */
	DIR_TASK_OLDEST,  /* managed devices that were asked longest ago */
	DIR_TASK_RISKS,
	DIR_TASK_GROUPS,
	DIR_TASK__MAX
};

/* How one task goes.  Written by the directory's thread; the atomics are read by whoever asks for metrics. */
struct dir_pace {
	int64_t due_ms;  /* wall */
	unsigned failed; /* in a row */
	bool wanted;
	_Atomic int64_t good_ms;   /* wall, of the last round that was answered; 0: never */
	_Atomic uint64_t failures; /* since the start */
};
struct dir_tenant {
	struct scepd *s;
	struct tenant *tenant;
	const char *name;
	struct dir_pace pace[DIR_TASK__MAX];
	/* A walk from the beginning names what there is, not what is gone: until everybody whom it did not name
	 * was asked for, its link is kept here and nothing is confirmed. */
	struct dir_walk {
		char *link;    /* where the walk after it begins; NULL: none is pending */
		int64_t began; /* wall seconds */
	} walks[2];
	int64_t
	    managed_since;   /* wall seconds: what has synchronised before is known; 0: list all */
	int64_t managed_all; /* wall seconds of the last list of all */
	/* Bindings that are not settled, by enum binding_state; read by whoever asks for metrics. */
	_Atomic uint64_t unsettled[BINDING_UNKNOWN + 1];
	int64_t count_ms; /* mono: counted again then */
	bool strangers;   /* a rule is about whom the directory does not know */
	int64_t risks_since;
	bool risks_again;          /* a user is new: the next list of risks is of all */
	struct intune_error error; /* of the task that runs */
	struct err err; /* of the store, if that was it: error.status is INTUNE_OK then */
	bool store_failed;
};

void dir_tenant_init(struct dir_tenant *t, struct scepd *s, struct tenant *tenant);
void dir_tenant_done(struct dir_tenant *t);
bool dir_task_due(const struct dir_tenant *t, enum dir_task task, int64_t now_ms);
/* Sets the next time: the task's own pause, or longer and longer after failures; one line in the log when that
 * changes. */
void dir_task_ended(
    struct dir_tenant *t, enum dir_task task, enum intune_status st, int64_t now_ms);

enum intune_status dir_task_bind(struct dir_tenant *t, int64_t now_ms, const atomic_bool *stop);
enum intune_status dir_task_users(struct dir_tenant *t, int64_t now_ms, const atomic_bool *stop);
enum intune_status dir_task_devices(struct dir_tenant *t, int64_t now_ms, const atomic_bool *stop);
enum intune_status dir_task_managed(struct dir_tenant *t, int64_t now_ms, const atomic_bool *stop);
enum intune_status dir_task_oldest(struct dir_tenant *t, int64_t now_ms, const atomic_bool *stop);
enum intune_status dir_task_risks(struct dir_tenant *t, int64_t now_ms, const atomic_bool *stop);
enum intune_status dir_task_groups(struct dir_tenant *t, int64_t now_ms, const atomic_bool *stop);

void dir_tenant_metrics_age(struct dir_tenant *t, struct buf *out);
void dir_tenant_metrics_failures(struct dir_tenant *t, struct buf *out);
void dir_tenant_metrics_bindings(struct dir_tenant *t, struct buf *out);

/* A failure of the store while answers came in: remembered, and the walk ends. */
int dir_store_failed(struct dir_tenant *t, enum rc rc);
/* Objects on their way to the store, STORE_OBJECTS_BATCH in a commit. */
struct dir_batch {
	struct dir_tenant *t;
	int64_t now; /* wall seconds that they are known at */
	const atomic_bool *stop;
	size_t n;
	struct store_object v[STORE_OBJECTS_BATCH];
};
/* NULL: no memory, and t->error says so. */
struct dir_batch *dir_batch_new(struct dir_tenant *t, int64_t now, const atomic_bool *stop);
/* The next place, or NULL when the store has failed.  After each commit bindings have their turn. */
struct store_object *dir_batch_next(struct dir_batch *b);
/* What is left, and the memory.  False: the store has failed. */
bool dir_batch_end(struct dir_batch *b);

#endif
