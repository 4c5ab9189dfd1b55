/*
 * sqlite_writer.h - the thread that writes: steps of many callers, one commit.
 *
 * A caller hands over a step and waits.  The thread takes all steps that came in while it was busy
 * with the last commit, runs each within a savepoint of its own in one transaction, commits (one
 * fsync), and wakes the callers.  A step that fails is undone and the others stand. There is no
 * delay to make groups larger: a lone step is committed at once.
 *
 * A step may also be left in the queue without waiting.  Steps run in the order in which they were
 * handed over, awaited or not, so a step that was left is durable no later than any awaited one
 * that follows it; alone it is committed within 50 ms.
 *
 * Threads: any for sq_write(), sq_write_behind() and sq_write_later().  Steps themselves run on the writer's thread,
 * one at a time.
 */
#ifndef SCEPD_STORE_SQLITE_WRITER_H
#define SCEPD_STORE_SQLITE_WRITER_H

#include "store/sqlite_conn.h"
#include "store/store_backend.h"

struct sq_writer;

/* A step.  On anything but RC_OK what it wrote is undone. */
typedef enum rc sq_step_fn(struct sq_writer *w, void *arg, struct err *err);
/* A step that is only a number, and that may be lost.  Fails only when the database does. */
typedef enum rc sq_later_fn(struct sq_writer *w, int64_t id, struct err *err);

/* Takes over `c`, also when it fails. */
enum rc sq_writer_start(
    struct sq_writer **out, struct sq_conn *c, sq_later_fn *later, struct err *err) MUST_CHECK;
/* Runs what is queued, then ends.  Closes the connection. */
void sq_writer_stop(struct sq_writer *w);

/* Run `fn(w, arg)` in the next group; returns when it is durable. */
enum rc sq_write(struct sq_writer *w, sq_step_fn *fn, void *arg, struct err *err) MUST_CHECK;
/*
 * Run `fn(w, arg)` in some group soon, in its place among all steps; does not wait.  `arg` is the
 * writer's until `done` gets it back on the writer's thread: *failed tells why it was not written,
 * NULL: it is durable.  RC_LIMIT at once when the queue is full, RC_NOMEM; then `arg` stays the
 * caller's.
 */
typedef void sq_done_fn(void *arg, const struct err *failed);
enum rc sq_write_behind(
    struct sq_writer *w, sq_step_fn *fn, sq_done_fn *done, void *arg, struct err *err) MUST_CHECK;
/* Have the `later` function called for `id` in some group soon; does not wait, and drops it when
 * too many wait. */
void sq_write_later(struct sq_writer *w, int64_t id);

void sq_writer_stats(struct sq_writer *w, uint64_t *commits, uint64_t *writes);

/* ---- for steps ---- */

struct sq_conn *sq_writer_conn(struct sq_writer *w);
/* Wall ms; the same for all steps of a group. */
int64_t sq_writer_now(const struct sq_writer *w);
/* Append an audit row; *seq (may be NULL) is its number.  The first tells that before, for rows of other tables
 * that are counted in it. */
enum rc sq_writer_audit_next(struct sq_writer *w, int64_t *seq, struct err *err) MUST_CHECK;
enum rc sq_writer_audit(struct sq_writer *w, const char *event, const char *detail, int64_t *seq,
    struct err *err) MUST_CHECK;

#endif
