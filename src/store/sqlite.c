/*
 * sqlite.c - the SQLite backend: opening a file so that every mistake about it is one clear
 * sentence, readers, figures.
 */
#include "store/sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"

#define READERS_KEPT 8 /* idle connections; each holds up to 1 MiB of cache */

struct sq_store {
	struct store base;
	char *path;
	int lock_fd;           /* of <file>.lock; -1 when shared */
	struct sq_conn *first; /* between prepare and start: what becomes the writer's */
	bool shared;
	struct sq_writer *writer;
	struct sq_fresh *fresh; /* NULL when shared: the daemon numbers rows ahead */
	pthread_mutex_t lock;   /* over the pool */
	struct sq_conn *readers;
	size_t n_readers;
};

static struct sq_store *
of(struct store *s)
{
	return (struct sq_store *)s;
}

struct sq_writer *
sq_store_writer(struct store *s)
{
	return of(s)->writer;
}

struct sq_fresh *
sq_store_fresh(struct store *s)
{
	return of(s)->fresh;
}

enum rc
sq_reader_get(struct sq_conn **out, struct store *s, struct err *err)
{
	struct sq_store *q = of(s);
	struct sq_conn *c;

	pthread_mutex_lock(&q->lock);
	c = q->readers;
	if (c != NULL) {
		q->readers = c->next;
		q->n_readers--;
	}
	pthread_mutex_unlock(&q->lock);
	if (c == NULL)
		return sq_open(out, q->path, SQ_READER, err);
	*out = c;
	return RC_OK;
}

void
sq_reader_put(struct store *s, struct sq_conn *c)
{
	struct sq_store *q = of(s);
	bool keep;

	pthread_mutex_lock(&q->lock);
	keep = q->n_readers < READERS_KEPT;
	if (keep) {
		c->next = q->readers;
		q->readers = c;
		q->n_readers++;
	}
	pthread_mutex_unlock(&q->lock);
	if (!keep)
		sq_close(c);
}

/* ---- open ---- */

/* Whoever may write the folder can put another database in place of ours. */
static void
folder_warning(const char *path, struct err *err)
{
	char *dir = NULL;
	struct stat st;

	if (err == NULL)
		return;
	*err = (struct err){ 0 };
	if (path_dir(&dir, path, NULL) != RC_OK)
		return;
	if (stat(dir, &st) == 0 && (st.st_mode & 022) != 0)
		err_hint(
		    err, "others than its owner may write the folder %s: chmod go-w %s", dir, dir);
	free(dir);
}

static enum rc
no_database(const char *path, struct err *err)
{
	fail(err, RC_CONFIG, "there is no database at %s", path);
	err_hint(err,
	    "is store.url right? where certificates were issued, restore a backup: scepd would "
	    "start with an empty one, which knows of no revocation");
	return RC_CONFIG;
}

/* The file exists afterwards, for its owner only.  An empty file is an empty database. */
static enum rc
file_make(const char *path, bool shared, struct err *err)
{
	struct stat st;
	enum rc rc;

	if (stat(path, &st) == 0) {
		if (!S_ISREG(st.st_mode))
			return fail(err, RC_CONFIG, "%s is no file", path);
		return RC_OK;
	}
	if (errno == ENOENT && shared)
		return no_database(path, err);
	if (errno == ENOENT) {
		rc = file_write(path, "", 0, 0600, 0, err);
		if (rc == RC_OK || rc == RC_CONFLICT)
			return RC_OK;
	} else {
		(void)fail_errno(err, "cannot look at %s", path);
	}
	if (err != NULL)
		err->rc = RC_CONFIG;
	return RC_CONFIG;
}

static enum rc
lock_take(int *fd, const char *path, struct err *err)
{
	char *name = NULL;
	enum rc rc;

	rc = str_format(&name, err, "%s.lock", path);
	if (rc != RC_OK)
		return rc;
	*fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (*fd < 0) {
		(void)fail_errno(err, "cannot open %s", name);
		if (err != NULL)
			err->rc = RC_CONFIG;
		rc = RC_CONFIG;
	} else if (flock(*fd, LOCK_EX | LOCK_NB) != 0) {
		rc = fail(err, RC_CONFIG, "another scepd is using %s", path);
		err_hint(err, "stop it, or give this one another database");
	}
	free(name);
	return rc;
}

/*
 * The writer's connection; with it the files of the write-ahead log are there, too.  What was approved
 * and was being issued when a daemon was killed is approved still; nobody else is at it.
 */
static enum rc
first_open(struct sq_store *q, bool shared, struct err *err)
{
	enum rc rc = sq_open(&q->first, q->path, SQ_WRITER, err);

	if (rc == RC_OK)
		rc = sq_schema_check(q->first, !shared, err);
	if (rc == RC_OK && !shared)
		rc = sq_exec(q->first, Q_HOLD_BACK_ALL, SQ_NO_ARGS, NULL, err);
	return rc;
}

/* The writer has the connection afterwards, whatever the result. */
static enum rc
writer_open(struct sq_store *q, struct err *err)
{
	struct sq_conn *c = q->first;

	q->first = NULL;
	return sq_writer_start(&q->writer, c, sqlite_tx_delivered_step, err);
}

static enum rc
fresh_open(struct sq_store *q, struct err *err)
{
	struct sq_conn *c = NULL;
	enum rc rc = sq_open(&c, q->path, SQ_READER, err);

	return rc != RC_OK ? rc : sq_fresh_new(&q->fresh, q->writer, c, err);
}

static void
sqlite_close(struct store *s)
{
	struct sq_store *q = of(s);

	if (q->writer != NULL)
		sq_writer_stop(q->writer);
	sq_close(q->first);
	sq_fresh_free(q->fresh);
	for (struct sq_conn *c = q->readers, *next; c != NULL; c = next) {
		next = c->next;
		sq_close(c);
	}
	if (q->lock_fd >= 0)
		close(q->lock_fd);
	pthread_mutex_destroy(&q->lock);
	free(q->path);
	free(q);
}

static enum rc
sqlite_prepare(struct store **out, const char *path, bool shared, struct err *err)
{
	struct sq_store *q;
	enum rc rc;

	if (path[0] == '\0')
		return fail(err, RC_CONFIG, "the store's address names no file");
	q = calloc(1, sizeof(*q));
	if (q == NULL)
		return fail(err, RC_NOMEM, "no memory for the store");
	q->base.backend = &sqlite_backend;
	q->shared = shared;
	q->lock_fd = -1;
	pthread_mutex_init(&q->lock, NULL);
	rc = str_dup(&q->path, path, err);
	if (rc == RC_OK)
		rc = file_make(path, shared, err);
	if (rc == RC_OK && !shared)
		rc = lock_take(&q->lock_fd, path, err);
	if (rc == RC_OK)
		rc = first_open(q, shared, err);
	if (rc != RC_OK) {
		sqlite_close(&q->base);
		return rc;
	}
	folder_warning(path, err);
	*out = &q->base;
	return RC_OK;
}

static enum rc
sqlite_start(struct store *s, struct err *err)
{
	struct sq_store *q = of(s);
	enum rc rc = writer_open(q, err);

	return rc == RC_OK && !q->shared ? fresh_open(q, err) : rc;
}

static void
sqlite_files(const struct store *s, void (*fn)(void *arg, const char *path), void *arg)
{
	static const char *const suffixes[] = { "", "-wal", "-shm" };
	const struct sq_store *q = (const struct sq_store *)s;

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		char *path = NULL;

		if (str_format(&path, NULL, "%s%s", q->path, suffixes[i]) == RC_OK)
			fn(arg, path);
		free(path);
	}
}

/* ---- figures ---- */

static enum rc
count_states(struct sq_conn *c, enum sq_stmt id, struct store_stats *out, struct err *err)
{
	struct sq_cursor cur;
	bool row = true;
	enum rc rc;

	rc = sq_query(&cur, c, id, SQ_NO_ARGS, err);
	while (rc == RC_OK) {
		int64_t state;

		rc = sq_next(&cur, &row, err);
		if (rc != RC_OK || !row)
			break;
		state = sq_take_int(&cur);
		if (state > 0 && state < TX__MAX)
			out->tx[state] = (uint64_t)sq_take_int(&cur);
	}
	sq_end(&cur);
	return rc;
}

/* Delivered transactions are too many to count: they are all that are nothing else. */
static enum rc
count_tx(struct sq_conn *c, struct store_stats *out, struct err *err)
{
	int64_t all = 0;
	uint64_t other = 0;
	enum rc rc;

	rc = count_states(c, Q_TX_COUNT_OPEN, out, err);
	if (rc == RC_OK)
		rc = count_states(c, Q_TX_COUNT_FAILED, out, err);
	if (rc == RC_OK)
		rc = sq_number(c, Q_TX_COUNT, &all, err);
	if (rc != RC_OK)
		return rc;
	for (size_t i = 0; i < TX__MAX; i++)
		other += out->tx[i];
	out->tx[TX_DELIVERED] = (uint64_t)all > other ? (uint64_t)all - other : 0;
	return RC_OK;
}

static enum rc
stats_read(struct sq_conn *c, struct store_stats *out, struct err *err)
{
	struct store_figures certs = { 0 };
	int64_t outbox = 0;
	enum rc rc;

	rc = count_tx(c, out, err);
	if (rc == RC_OK)
		rc = sqlite_figures_read(c, &certs, err);
	if (rc == RC_OK)
		rc = sq_number(c, Q_OUTBOX_COUNT, &outbox, err);
	out->certs = certs.certs;
	out->revoked = certs.revoked;
	out->held = certs.held;
	out->outbox = (uint64_t)outbox;
	return rc;
}

static enum rc
sqlite_stats(struct store *s, struct store_stats *out, struct err *err)
{
	struct store_stats got = { 0 };
	struct sq_conn *c;
	enum rc rc;

	rc = sq_reader_get(&c, s, err);
	if (rc != RC_OK)
		return rc;
	/* One view for all figures, so that they add up. */
	rc = sq_exec(c, Q_BEGIN_READ, SQ_NO_ARGS, NULL, err);
	if (rc == RC_OK) {
		rc = stats_read(c, &got, err);
		if (sq_exec(c, Q_COMMIT, SQ_NO_ARGS, NULL, rc == RC_OK ? err : NULL) != RC_OK &&
		    rc == RC_OK)
			rc = RC_IO;
	}
	sq_reader_put(s, c);
	if (rc != RC_OK)
		return rc;
	sq_writer_stats(of(s)->writer, &got.commits, &got.writes);
	*out = got;
	return RC_OK;
}

static enum rc
nothing(struct sq_writer *w, void *arg, struct err *err)
{
	return RC_OK;
}

static enum rc
sqlite_flush(struct store *s, struct err *err)
{
	return sq_write(of(s)->writer, nothing, NULL, err);
}

static void
sqlite_tx_delivered(struct store *s, int64_t id)
{
	sq_write_later(of(s)->writer, id);
}

const struct store_backend sqlite_backend = {
	.scheme = "sqlite:",
	.prepare = sqlite_prepare,
	.start = sqlite_start,
	.files = sqlite_files,
	.close = sqlite_close,
	.flush = sqlite_flush,
	.tx_begin = sqlite_tx_begin,
	.tx_reserve = sqlite_tx_reserve,
	.tx_signed = sqlite_tx_signed,
	.tx_notified = sqlite_tx_notified,
	.tx_delivered = sqlite_tx_delivered,
	.tx_refused = sqlite_tx_refused,
	.tx_undelivered = sqlite_tx_undelivered,
	.tx_unfinished = sqlite_tx_unfinished,
	.hold = sqlite_hold,
	.hold_find = sqlite_hold_find,
	.hold_get = sqlite_hold_get,
	.hold_decide = sqlite_hold_decide,
	.hold_resume = sqlite_hold_resume,
	.hold_sweep = sqlite_hold_sweep,
	.hold_each = sqlite_hold_each,
	.hold_count = sqlite_hold_count,
	.otp_add = sqlite_otp_add,
	.otp_find = sqlite_otp_find,
	.otp_get = sqlite_otp_get,
	.otp_take = sqlite_otp_take,
	.otp_revoke = sqlite_otp_revoke,
	.otp_sweep = sqlite_otp_sweep,
	.otp_each = sqlite_otp_each,
	.otp_count = sqlite_otp_count,
	.renewal_get = sqlite_renewal_get,
	.replaced_revoke = sqlite_replaced_revoke,
	.outbox_due = sqlite_outbox_due,
	.outbox_done = sqlite_outbox_done,
	.outbox_retry = sqlite_outbox_retry,
	.cert_get = sqlite_cert_get,
	.cert_same = sqlite_cert_same,
	.cert_status = sqlite_cert_status,
	.cert_revoke = sqlite_cert_revoke,
	.cert_page = sqlite_cert_page,
	.causes_set = sqlite_causes_set,
	.holds_expire = sqlite_holds_expire,
	.status_get = sqlite_status_get,
	.status_number = sqlite_status_number,
	.crl_each = sqlite_crl_each,
	.changes_each = sqlite_changes_each,
	.objects_put = sqlite_objects_put,
	.object_get = sqlite_object_get,
	.objects_confirm = sqlite_objects_confirm,
	.objects_stale = sqlite_objects_stale,
	.risk_put = sqlite_risk_put,
	.delta_link = sqlite_delta_link,
	.delta_link_set = sqlite_delta_link_set,
	.group_set = sqlite_group_set,
	.group_has = sqlite_group_has,
	.subjects_page = sqlite_subjects_page,
	.binding_get = sqlite_binding_get,
	.binding_set = sqlite_binding_set,
	.binding_due = sqlite_binding_due,
	.binding_count = sqlite_binding_count,
	.binding_certs = sqlite_binding_certs,
	.crl_numbers = sqlite_crl_numbers,
	.foreign_add = sqlite_foreign_add,
	.foreign_look = sqlite_foreign_look,
	.foreign_count = sqlite_foreign_count,
	.foreign_cas = sqlite_foreign_cas,
	.foreign_marks = sqlite_foreign_marks,
	.foreign_crl_get = sqlite_foreign_crl_get,
	.foreign_crl_set = sqlite_foreign_crl_set,
	.foreign_look_get = sqlite_foreign_look_get,
	.foreign_look_set = sqlite_foreign_look_set,
	.identity_get = sqlite_identity_get,
	.identity_set = sqlite_identity_set,
	.identity_other = sqlite_identity_other,
	.identity_witness = sqlite_identity_witness,
	.identity_has_crl = sqlite_identity_has_crl,
	.foreign_forget = sqlite_foreign_forget,
	.cert_brief_page = sqlite_cert_brief_page,
	.succession_read = sqlite_succession_read,
	.rollover_set = sqlite_rollover_set,
	.ca_retire = sqlite_ca_retire,
	.sweep_begin = sqlite_sweep_begin,
	.sweep_add = sqlite_sweep_add,
	.sweep_ready = sqlite_sweep_ready,
	.sweep_current = sqlite_sweep_current,
	.sweep_get = sqlite_sweep_get,
	.sweep_each = sqlite_sweep_each,
	.sweep_turns = sqlite_sweep_turns,
	.sweep_decide = sqlite_sweep_decide,
	.sweep_owners = sqlite_sweep_owners,
	.sweep_beside = sqlite_sweep_beside,
	.sweep_obsolete = sqlite_sweep_obsolete,
	.sweep_dealt = sqlite_sweep_dealt,
	.sweep_tidy = sqlite_sweep_tidy,
	.rule_causes_each = sqlite_rule_causes_each,
	.ignored_each = sqlite_ignored_each,
	.ignored_forget = sqlite_ignored_forget,
	.sweep_marks = sqlite_sweep_marks,
	.turned_add = sqlite_turned_add,
	.turned_since = sqlite_turned_since,
	.exception_add = sqlite_exception_add,
	.exception_confirm = sqlite_exception_confirm,
	.exception_end = sqlite_exception_end,
	.exception_each = sqlite_exception_each,
	.audit = sqlite_audit,
	.audit_verify = sqlite_audit_verify,
	.audit_each = sqlite_audit_each,
	.stats = sqlite_stats,
	.figures = sqlite_figures,
	.backup = sqlite_backup,
	.crl_skip = sqlite_crl_skip,
	.spent_elsewhere = sqlite_spent_elsewhere,
};
