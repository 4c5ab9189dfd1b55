/*
 * sqlite_writer.c - group commit.
 */
#include "store/sqlite_writer.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/cond.h"
#include "store/store_audit.h"

#define GROUP_MAX 256  /* steps in one transaction: bounds how long the first of them waits */
#define LATER_MAX 1024 /* steps that may be lost, while they wait for company */
#define LATER_MS  50   /* how long what nobody waits for stays when no other step comes by */
/* Of the log, 4 MB: it is replayed at start and searched by readers, and carrying it over holds
 * the next group up. */
#define CHECKPOINT_PAGES 1000

struct step {
	sq_step_fn *fn;
	void *arg;
	struct err *err;
	enum rc rc;
	sem_t done;
	struct step *next;
	sq_done_fn *behind; /* not NULL: nobody waits, and the step is the writer's to free */
};

/* A step that nobody waits for, with room for its error. */
struct behind {
	struct step step;
	struct err err;
};

/* What one transaction is made of. */
struct group {
	struct step *first;
	size_t n, awaited;
	int64_t later[LATER_MAX];
	size_t n_later;
};

struct sq_writer {
	struct sq_conn *c;
	sq_later_fn *later_fn;
	pthread_t thread;
	_Atomic uint64_t commits, writes;

	pthread_mutex_t lock; /* over what follows */
	pthread_cond_t work, room;
	struct step *head, **tail;
	size_t queued, awaited; /* of the queued, those somebody waits for */
	int64_t later[LATER_MAX];
	size_t n_later;
	bool stop;

	/* the thread's own */
	struct group group;
	int64_t now;
	struct audit_head audit;
	bool audit_known; /* within this transaction: another process may write between two */
	int log_pages, log_seen, checkpoint_at;
};

struct sq_conn *
sq_writer_conn(struct sq_writer *w)
{
	return w->c;
}

int64_t
sq_writer_now(const struct sq_writer *w)
{
	return w->now;
}

void
sq_writer_stats(struct sq_writer *w, uint64_t *commits, uint64_t *writes)
{
	*commits = atomic_load(&w->commits);
	*writes = atomic_load(&w->writes);
}

/* ---- callers ---- */

/* Under the lock. */
static enum rc
wait_for_room(struct sq_writer *w, struct err *err)
{
	int64_t until;

	if (w->queued < STORE_QUEUE_MAX)
		return RC_OK;
	until = clock_mono_ms() + STORE_QUEUE_WAIT_MS;
	while (w->queued >= STORE_QUEUE_MAX)
		if (!cond_wait_until(&w->room, &w->lock, until))
			return fail(err, RC_LIMIT, "the store's queue is full");
	return RC_OK;
}

/* Under the lock: whether a group has to be run now. */
static bool
pressing(const struct sq_writer *w)
{
	return w->awaited > 0 || w->queued >= GROUP_MAX || w->stop;
}

/* Under the lock.  The thread is woken to run a group, and to begin the time that one may wait. */
static void
append(struct sq_writer *w, struct step *s)
{
	bool idle = w->queued == 0 && w->n_later == 0, pressed = pressing(w);

	*w->tail = s;
	w->tail = &s->next;
	w->queued++;
	w->awaited += s->behind == NULL;
	if (idle || (!pressed && pressing(w)))
		pthread_cond_signal(&w->work);
}

static enum rc
enqueue(struct sq_writer *w, struct step *s, struct err *err)
{
	enum rc rc;

	pthread_mutex_lock(&w->lock);
	rc = wait_for_room(w, err);
	if (rc == RC_OK)
		append(w, s);
	pthread_mutex_unlock(&w->lock);
	return rc;
}

enum rc
sq_write(struct sq_writer *w, sq_step_fn *fn, void *arg, struct err *err)
{
	struct step s = { .fn = fn, .arg = arg, .err = err };
	enum rc rc;

	if (sem_init(&s.done, 0, 0) != 0)
		return fail_errno(err, "cannot make a semaphore");
	rc = enqueue(w, &s, err);
	if (rc == RC_OK) {
		while (sem_wait(&s.done) != 0)
			; /* EINTR */
		rc = s.rc;
	}
	sem_destroy(&s.done);
	return rc;
}

enum rc
sq_write_behind(struct sq_writer *w, sq_step_fn *fn, sq_done_fn *done, void *arg, struct err *err)
{
	struct behind *b = calloc(1, sizeof(*b));
	bool room;

	if (b == NULL)
		return fail(err, RC_NOMEM, "no memory for a step of the store");
	b->step = (struct step){ .fn = fn, .arg = arg, .err = &b->err, .behind = done };
	pthread_mutex_lock(&w->lock);
	room = w->queued < STORE_QUEUE_MAX;
	if (room)
		append(w, &b->step);
	pthread_mutex_unlock(&w->lock);
	if (room)
		return RC_OK;
	free(b);
	return fail(err, RC_LIMIT, "the store's queue is full");
}

void
sq_write_later(struct sq_writer *w, int64_t id)
{
	pthread_mutex_lock(&w->lock);
	if (w->n_later < LATER_MAX) {
		w->later[w->n_later++] = id;
		if (w->n_later == 1 && w->queued == 0)
			pthread_cond_signal(&w->work);
	}
	pthread_mutex_unlock(&w->lock);
}

/* ---- steps within a transaction ---- */

static enum rc
audit_head_read(struct sq_writer *w, struct err *err)
{
	struct sq_cursor cur;
	bool row = false;
	enum rc rc;

	w->audit = (struct audit_head){ 0 };
	rc = sq_query(&cur, w->c, Q_AUDIT_HEAD, SQ_NO_ARGS, err);
	if (rc == RC_OK)
		rc = sq_next(&cur, &row, err);
	if (rc == RC_OK && row) {
		w->audit.seq = sq_take_int(&cur);
		sq_take_fixed(&cur, w->audit.hash, sizeof(w->audit.hash));
		rc = sq_took(&cur, err);
	}
	sq_end(&cur);
	w->audit_known = rc == RC_OK;
	return rc;
}

enum rc
sq_writer_audit_next(struct sq_writer *w, int64_t *seq, struct err *err)
{
	enum rc rc = w->audit_known ? RC_OK : audit_head_read(w, err);

	*seq = w->audit.seq + 1;
	return rc;
}

enum rc
sq_writer_audit(
    struct sq_writer *w, const char *event, const char *detail, int64_t *seq, struct err *err)
{
	enum rc rc = RC_OK;

	if (!w->audit_known)
		rc = audit_head_read(w, err);
	if (rc == RC_OK)
		rc = audit_chain(&w->audit, w->now, event, detail, err);
	if (rc == RC_OK)
		rc = sq_exec(w->c, Q_AUDIT_ADD,
		    SQ_ARGS(sq_i(w->audit.seq), sq_i(w->now), sq_t(event), sq_t(detail),
			sq_b(w->audit.hash, sizeof(w->audit.hash))),
		    NULL, err);
	if (rc == RC_OK && seq != NULL)
		*seq = w->audit.seq;
	return rc;
}

static enum rc
simple(struct sq_writer *w, enum sq_stmt id, struct err *err)
{
	return sq_exec(w->c, id, SQ_NO_ARGS, NULL, err);
}

/* Take a failed step back.  False: the whole transaction is gone or has to go. */
static bool
undo_step(struct sq_writer *w, bool alone)
{
	/* Some failures (disk full, I/O) make SQLite roll everything back by itself. */
	if (alone || sqlite3_get_autocommit(w->c->db))
		return false;
	w->audit_known = false;
	return simple(w, Q_SAVE_ROLLBACK, NULL) == RC_OK &&
	    simple(w, Q_SAVE_RELEASE, NULL) == RC_OK;
}

/* `alone`: the transaction is the savepoint.  False: the transaction is lost, s->rc and s->err say
 * why. */
static bool
run_step(struct sq_writer *w, struct step *s, bool alone)
{
	if (!alone) {
		s->rc = simple(w, Q_SAVE, s->err);
		if (s->rc != RC_OK)
			return false;
	}
	s->rc = s->fn(w, s->arg, s->err);
	if (s->rc != RC_OK)
		return undo_step(w, alone);
	if (!alone)
		s->rc = simple(w, Q_SAVE_RELEASE, s->err);
	return s->rc == RC_OK;
}

static enum rc
run_steps(struct sq_writer *w, struct group *g, struct err *err)
{
	bool alone = g->n + g->n_later == 1;

	for (struct step *s = g->first; s != NULL; s = s->next) {
		if (run_step(w, s, alone))
			continue;
		if (s->err != NULL)
			*err = *s->err;
		else
			fail(err, s->rc, "another step of the same commit failed");
		return s->rc;
	}
	for (size_t i = 0; i < g->n_later; i++) {
		enum rc rc = w->later_fn(w, g->later[i], err);

		if (rc != RC_OK)
			return rc;
	}
	return RC_OK;
}

static void
group_failed(struct group *g, enum rc rc, const struct err *err)
{
	for (struct step *s = g->first; s != NULL; s = s->next) {
		if (s->rc != RC_OK)
			continue;
		s->rc = rc;
		if (s->err != NULL)
			*s->err = *err;
	}
}

static enum rc
run_transaction(struct sq_writer *w, struct group *g, struct err *err)
{
	enum rc rc = simple(w, Q_BEGIN, err);

	w->now = clock_now_ms();
	w->audit_known = false;
	if (rc == RC_OK)
		rc = run_steps(w, g, err);
	if (rc == RC_OK)
		rc = simple(w, Q_COMMIT, err);
	if (rc != RC_OK && !sqlite3_get_autocommit(w->c->db))
		(void)simple(w, Q_ROLLBACK, NULL);
	return rc;
}

static void
step_ended(struct step *s)
{
	if (s->behind == NULL) {
		sem_post(&s->done);
		return;
	}
	s->behind(s->arg, s->rc == RC_OK ? NULL : s->err);
	free((struct behind *)s);
}

static void
run_group(struct sq_writer *w, struct group *g)
{
	struct err err = { 0 };
	enum rc rc = run_transaction(w, g, &err);

	if (rc != RC_OK)
		group_failed(g, rc, &err);
	else
		atomic_fetch_add(&w->commits, 1);
	atomic_fetch_add(&w->writes, g->n + g->n_later);
	for (struct step *s = g->first, *next; s != NULL; s = next) {
		next = s->next; /* the step is gone once its caller runs */
		step_ended(s);
	}
}

/* ---- the log ---- */

static int
committed(void *arg, sqlite3 *db, const char *name, int pages)
{
	struct sq_writer *w = arg;

	/* The log was begun anew: all of it had been carried over. */
	if (pages < w->log_pages)
		w->checkpoint_at = CHECKPOINT_PAGES;
	w->log_pages = pages;
	return SQLITE_OK;
}

/*
 * Carry the log over into the database, after the callers were woken.  While a reader holds the log
 * it only grows; then the next try is as many pages later.  A failure here costs nothing: the log
 * has it all, and the next commit tells.
 */
static void
checkpoint(struct sq_writer *w)
{
	if (w->log_pages < w->checkpoint_at)
		return;
	(void)sqlite3_wal_checkpoint_v2(w->c->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
	w->checkpoint_at = w->log_pages + CHECKPOINT_PAGES;
}

/* ---- the thread ---- */

/* Under the lock: wait until there is a group to run; false at the end. */
static bool
wait_for_work(struct sq_writer *w)
{
	while (w->head == NULL && w->n_later == 0 && !w->stop)
		pthread_cond_wait(&w->work, &w->lock);
	if (!pressing(w)) {
		int64_t until = clock_mono_ms() + LATER_MS;

		while (!pressing(w) && cond_wait_until(&w->work, &w->lock, until))
			;
	}
	return w->head != NULL || w->n_later > 0;
}

/* Under the lock: move what waits into the group. */
static void
take_group(struct sq_writer *w, struct group *g)
{
	struct step **end = &w->head;

	g->awaited = 0;
	for (g->n = 0; g->n < GROUP_MAX && *end != NULL; g->n++) {
		g->awaited += (*end)->behind == NULL;
		end = &(*end)->next;
	}
	g->first = g->n > 0 ? w->head : NULL;
	w->head = *end;
	*end = NULL;
	if (w->head == NULL)
		w->tail = &w->head;
	if (w->queued >= STORE_QUEUE_MAX)
		pthread_cond_broadcast(&w->room);
	w->queued -= g->n;
	w->awaited -= g->awaited;
	memcpy(g->later, w->later, w->n_later * sizeof(w->later[0]));
	g->n_later = w->n_later;
	w->n_later = 0;
}

static void *
writer_main(void *arg)
{
	struct sq_writer *w = arg;
	bool more;

	do {
		pthread_mutex_lock(&w->lock);
		more = wait_for_work(w);
		if (more)
			take_group(w, &w->group);
		pthread_mutex_unlock(&w->lock);
		if (more) {
			run_group(w, &w->group);
			checkpoint(w);
		}
	} while (more);
	return NULL;
}

/* Signals are for the threads that wait for them. */
static int
start_thread(struct sq_writer *w)
{
	sigset_t all, old;
	int code;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	code = pthread_create(&w->thread, NULL, writer_main, w);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return code;
}

static void
writer_free(struct sq_writer *w)
{
	pthread_cond_destroy(&w->room);
	pthread_cond_destroy(&w->work);
	pthread_mutex_destroy(&w->lock);
	sq_close(w->c);
	free(w);
}

enum rc
sq_writer_start(struct sq_writer **out, struct sq_conn *c, sq_later_fn *later, struct err *err)
{
	struct sq_writer *w = calloc(1, sizeof(*w));

	if (w == NULL) {
		sq_close(c);
		return fail(err, RC_NOMEM, "no memory for the writer");
	}
	w->c = c;
	w->later_fn = later;
	w->tail = &w->head;
	w->checkpoint_at = CHECKPOINT_PAGES;
	pthread_mutex_init(&w->lock, NULL);
	(void)cond_init(&w->work);
	(void)cond_init(&w->room);
	sqlite3_wal_hook(c->db, committed, w);
	if (start_thread(w) != 0) {
		writer_free(w);
		return fail(err, RC_IO, "cannot start the writer's thread");
	}
	*out = w;
	return RC_OK;
}

void
sq_writer_stop(struct sq_writer *w)
{
	pthread_mutex_lock(&w->lock);
	w->stop = true;
	pthread_cond_signal(&w->work);
	pthread_mutex_unlock(&w->lock);
	pthread_join(w->thread, NULL);
	writer_free(w);
}
