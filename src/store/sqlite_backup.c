/*
 * sqlite_backup.c - a copy of the database as it is at one moment, and what makes a copy from the past fit
 * to go on with.
 *
 * The copy is taken by pages within one read transaction.  Without it SQLite begins anew whenever a daemon
 * writes, which under load is for ever.  A reader holds up nobody in write-ahead mode; the log
 * grows meanwhile, and is carried over by the daemon afterwards.  VACUUM INTO would sort both random indices in
 * memory.
 */
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "store/sqlite.h"
#include "store/store_audit.h"

#define STEP_PAGES 1024 /* 4 MiB at a time: so often the caller hears of it */

/* Nobody else ever opens it, so there is nothing to lock and no crash to survive: a copy that was not finished is
 * thrown away. */
static enum rc
target_open(sqlite3 **db, const char *path, struct err *err)
{
	if (sqlite3_open_v2(path, db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) !=
		SQLITE_OK ||
	    sqlite3_exec(*db, "PRAGMA synchronous=OFF; PRAGMA journal_mode=OFF;", NULL, NULL,
		NULL) != SQLITE_OK)
		return fail(err, RC_IO, "%s: cannot open the copy: %s", path,
		    *db != NULL ? sqlite3_errmsg(*db) : "no memory");
	return RC_OK;
}

static enum rc
copy_pages(sqlite3_backup *b, store_progress_fn *progress, void *arg, struct err *err)
{
	int code = SQLITE_OK;

	while (code == SQLITE_OK) {
		code = sqlite3_backup_step(b, STEP_PAGES);
		if (code == SQLITE_OK && progress != NULL) {
			uint64_t all = (uint64_t)sqlite3_backup_pagecount(b);

			progress(arg, all - (uint64_t)sqlite3_backup_remaining(b), all);
		}
	}
	if (code == SQLITE_DONE)
		return RC_OK;
	fail(err, RC_IO, "cannot copy the database: %s", sqlite3_errstr(code));
	if (code == SQLITE_FULL)
		err_hint(err, "make room on the disk");
	return RC_IO;
}

static enum rc
copy_to(
    struct sq_conn *c, const char *path, store_progress_fn *progress, void *arg, struct err *err)
{
	sqlite3 *to = NULL;
	sqlite3_backup *b;
	enum rc rc = target_open(&to, path, err);

	if (rc == RC_OK) {
		b = sqlite3_backup_init(to, "main", c->db, "main");
		if (b == NULL)
			rc = fail(err, RC_IO, "cannot copy the database: %s", sqlite3_errmsg(to));
		else
			rc = copy_pages(b, progress, arg, err);
		(void)sqlite3_backup_finish(b);
	}
	(void)sqlite3_close(to);
	return rc;
}

/* Reading one number is what makes BEGIN's snapshot stand. */
static enum rc
snapshot(
    struct sq_conn *c, const char *path, store_progress_fn *progress, void *arg, struct err *err)
{
	int64_t n;
	enum rc rc = sq_exec(c, Q_BEGIN_READ, SQ_NO_ARGS, NULL, err);

	if (rc != RC_OK)
		return rc;
	rc = sq_number(c, Q_TX_COUNT, &n, err);
	if (rc == RC_OK)
		rc = copy_to(c, path, progress, arg, err);
	if (sq_exec(c, Q_COMMIT, SQ_NO_ARGS, NULL, rc == RC_OK ? err : NULL) != RC_OK &&
	    rc == RC_OK)
		rc = RC_IO;
	return rc;
}

enum rc
sqlite_backup(
    struct store *s, const char *path, store_progress_fn *progress, void *arg, struct err *err)
{
	struct sq_conn *c;
	enum rc rc = file_write(path, "", 0, 0600, 0, err);

	if (rc != RC_OK)
		return rc;
	rc = sq_reader_get(&c, s, err);
	if (rc == RC_OK) {
		rc = snapshot(c, path, progress, arg, err);
		sq_reader_put(s, c);
	}
	if (rc != RC_OK)
		(void)unlink(path);
	return rc;
}

/* ---- after a restore ---- */

struct skip_args {
	const char *ca, *why;
	int64_t by;
};

static enum rc
skip_step(struct sq_writer *w, void *arg, struct err *err)
{
	const struct skip_args *a = arg;
	enum rc rc =
	    sq_exec(sq_writer_conn(w), Q_CRL_SKIP, SQ_ARGS(sq_t(a->ca), sq_i(a->by)), NULL, err);

	return rc == RC_OK ? sq_writer_audit(w, "restored", a->why, NULL, err) : rc;
}

enum rc
sqlite_crl_skip(struct store *s, const char *ca, uint64_t by, const char *why, struct err *err)
{
	struct skip_args a = { ca, why, (int64_t)by };

	return sq_write(sq_store_writer(s), skip_step, &a, err);
}

struct spent_args {
	const char *why;
	int otps, holds;
};

static enum rc
spent_audit(struct sq_writer *w, const struct spent_args *a, struct err *err)
{
	struct buf d;
	enum rc rc;

	buf_init(&d, AUDIT_DETAIL_MAX);
	buf_addf(&d, "otps=%d approvals=%d", a->otps, a->holds);
	audit_field(&d, "why", a->why);
	rc = buf_ok(&d, "audit detail", err);
	if (rc == RC_OK)
		rc = sq_writer_audit(w, "restored", buf_str(&d), NULL, err);
	buf_done(&d);
	return rc;
}

static enum rc
spent_step(struct sq_writer *w, void *arg, struct err *err)
{
	struct sq_conn *c = sq_writer_conn(w);
	struct spent_args *a = arg;
	enum rc rc;

	rc = sq_exec(c, Q_OTP_REVOKE_LIVE, SQ_ARGS(sq_i(sq_writer_now(w))), &a->otps, err);
	if (rc == RC_OK)
		rc = sq_exec(c, Q_HOLD_UNDECIDE, SQ_NO_ARGS, &a->holds, err);
	return rc == RC_OK && (a->otps > 0 || a->holds > 0) ? spent_audit(w, a, err) : rc;
}

enum rc
sqlite_spent_elsewhere(
    struct store *s, const char *why, uint64_t *otps, uint64_t *holds, struct err *err)
{
	struct spent_args a = { why, 0, 0 };
	enum rc rc = sq_write(sq_store_writer(s), spent_step, &a, err);

	if (rc == RC_OK) {
		*otps = (uint64_t)a.otps;
		*holds = (uint64_t)a.holds;
	}
	return rc;
}
