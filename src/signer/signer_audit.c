/*
 * signer_audit.c - the audit's files: opened and repaired, appended to, flushed, verified.
 */
#include "signer/signer_audit.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/cond.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "signer/signer.h"
#include "signer/signer_chain.h"

#define FLUSH_MS 1000
#define AGAIN_MS 1000  /* between two tries to write what a failing disk did not take */
#define TELL_MS  60000 /* between two lines about it */
#define OPEN_MAX                                                                                   \
	1048576 /* of lines that are not on the disk; with more, the next one waits for it */
#define FLUSH_STACK (128 * 1024)
#define FILE_MODE   0600

struct audit {
	char *dir;
	pthread_mutex_t lock; /* all that follows, but for `fd` while `syncing` is held */
	struct chain chain;
	uint64_t first; /* line of the file */
	int fd;
	size_t size;     /* of the file, in whole lines */
	struct buf open; /* its last lines: those that are not on the disk for all we know */
	bool dirty;      /* written since the last sync */
	/*
	 * The disk failed.  The kernel may have thrown away what it could not write, and reads of the
	 * file would not tell: so the lines are written once more from `open`, and nothing goes on before that.
	 */
	bool failed;
	char why[ERR_MSG_MAX];
	int64_t again_ms, tell_ms; /* monotonic: not before */
	bool thread, stop;         /* the flusher */
	pthread_t flusher;
	pthread_cond_t wake;
	pthread_mutex_t syncing; /* taken after `lock`, or alone */
	bool lost; /* under `syncing`: a sync of this file failed, which the kernel tells once */
	bool locks_made;
};

/* ---- files ---- */

static enum rc
segment_open(int *fd, const char *dir, uint64_t first, int flags, struct err *err)
{
	char *path = NULL;
	enum rc rc = segment_path(&path, dir, first, err);

	if (rc != RC_OK)
		return rc;
	*fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | flags, FILE_MODE);
	if (*fd < 0)
		rc = fail_errno(err, "cannot open %s", path);
	free(path);
	return rc;
}

/* One that nothing was written to: it would be in the way of the next try. */
static void
segment_remove(const char *dir, uint64_t first)
{
	char *path = NULL;

	if (segment_path(&path, dir, first, NULL) == RC_OK)
		(void)unlink(path);
	free(path);
}

static enum rc
segment_begin(struct audit *a, struct err *err)
{
	int fd = -1;
	enum rc rc = segment_open(&fd, a->dir, a->chain.next, O_APPEND | O_CREAT | O_EXCL, err);

	if (rc != RC_OK)
		return rc;
	rc = folder_sync(a->dir, err);
	if (rc != RC_OK) {
		close(fd);
		segment_remove(a->dir, a->chain.next);
		return rc;
	}
	a->fd = fd;
	a->first = a->chain.next;
	a->size = 0;
	buf_reset(&a->open);
	return RC_OK;
}

/* ---- opening ---- */

/* The last file that begins at or before line `from`, or the last of all. */
static size_t
first_to_follow(const struct segments *s, uint64_t from)
{
	size_t i = s->n - 1;

	while (i > 0 && s->first[i] > from)
		i--;
	return i;
}

/* The chain as it stood before file i. */
static enum rc
chain_before(struct chain *c, const char *dir, const struct segments *s, size_t i, struct err *err)
{
	struct buf text;
	enum rc rc;

	chain_begin(c);
	if (i == 0)
		return RC_OK;
	buf_init(&text, SEGMENT_READ_MAX);
	rc = segment_read(&text, dir, s->first[i - 1], err);
	if (rc == RC_OK && !chain_last(c, text.data, text.len))
		rc = fail(err, RC_INTEGRITY,
		    "the signer's audit does not hold: the file before line %" PRIu64
		    " does not end with a line",
		    s->first[i]);
	buf_done(&text);
	return rc;
}

/* What is left after the whole lines of the last file, if a crash explains it. */
static enum rc
cut_tail(struct audit *a, size_t whole, size_t len, struct err *err)
{
	log_msg(LOG_WARN, "signer-audit",
	    "the last %zu bytes, from line %" PRIu64 ", are no line: a crash cut them off; removed",
	    len - whole, a->chain.next);
	if (ftruncate(a->fd, (off_t)whole) != 0 || fdatasync(a->fd) != 0)
		return fail_errno(err, "cannot cut the signer's audit");
	return RC_OK;
}

/* Follow one file to its end.  Only the last may have something after its lines. */
static enum rc
follow_file(struct audit *a, uint64_t first, bool last, uint64_t from, audit_fn *fn, void *ctx,
    struct err *err)
{
	struct buf text;
	size_t used = 0;
	enum rc rc;

	if (first != a->chain.next)
		return fail(err, RC_INTEGRITY,
		    "the signer's audit does not hold: after line %" PRIu64 " comes line %" PRIu64,
		    a->chain.next - 1, first);
	buf_init(&text, SEGMENT_READ_MAX);
	rc = segment_read(&text, a->dir, first, err);
	if (rc == RC_OK)
		rc = chain_follow(&a->chain, text.data, text.len, &used, from, fn, ctx, err);
	if (rc == RC_OK && !last && used != text.len)
		rc = fail(err, RC_INTEGRITY,
		    "the signer's audit does not hold: line %" PRIu64 " is not whole",
		    a->chain.next);
	if (rc == RC_OK && last && a->fd < 0)
		rc = segment_open(&a->fd, a->dir, first, O_APPEND, err);
	if (rc == RC_OK && last && used != text.len)
		rc = cut_tail(a, used, text.len, err);
	a->first = first;
	a->size = used;
	buf_done(&text);
	return rc;
}

static enum rc
follow_files(struct audit *a, const struct segments *s, uint64_t from, audit_fn *fn, void *ctx,
    struct err *err)
{
	size_t i = first_to_follow(s, from);
	enum rc rc = chain_before(&a->chain, a->dir, s, i, err);

	for (; rc == RC_OK && i < s->n; i++)
		rc = follow_file(a, s->first[i], i + 1 == s->n, from, fn, ctx, err);
	return rc;
}

static enum rc
open_files(struct audit *a, uint64_t from, audit_fn *fn, void *ctx, struct err *err)
{
	struct segments s;
	enum rc rc = segments_list(&s, a->dir, err);

	if (rc != RC_OK)
		return rc;
	chain_begin(&a->chain);
	rc = s.n == 0 ? segment_begin(a, err) : follow_files(a, &s, from, fn, ctx, err);
	segments_done(&s);
	if (rc == RC_OK && a->chain.next < from)
		rc = fail(err, RC_INTEGRITY,
		    "the signer's audit does not hold: it ends at line %" PRIu64
		    ", and there were %" PRIu64,
		    a->chain.next - 1, from - 1);
	return rc;
}

static bool
make_locks(struct audit *a)
{
	a->locks_made = cond_init(&a->wake) && pthread_mutex_init(&a->lock, NULL) == 0 &&
	    pthread_mutex_init(&a->syncing, NULL) == 0;
	return a->locks_made;
}

enum rc
audit_open(
    struct audit **out, const char *dir, uint64_t from, audit_fn *fn, void *ctx, struct err *err)
{
	struct audit *a = calloc(1, sizeof(*a));
	enum rc rc;

	if (a == NULL)
		return fail(err, RC_NOMEM, "no memory for the signer's audit");
	a->fd = -1;
	buf_init(&a->open, OPEN_MAX + 2 * LINE_MAX_BYTES);
	rc = make_locks(a) ? str_dup(&a->dir, dir, err)
			   : fail(err, RC_NOMEM, "no memory for the signer's audit");
	if (rc == RC_OK)
		rc = open_files(a, from, fn, ctx, err);
	if (rc == RC_OK)
		*out = a;
	else
		audit_close(a);
	return rc;
}

/* ---- the disk ---- */

static void
note_failure(struct audit *a, const struct err *err)
{
	int64_t now = clock_mono_ms();

	a->failed = true;
	(void)snprintf(a->why, sizeof(a->why), "%s", err->msg);
	a->again_ms = now + AGAIN_MS;
	if (now < a->tell_ms)
		return;
	a->tell_ms = now + TELL_MS;
	log_msg(LOG_ERROR, "signer-audit",
	    "%s; no certificate and no list is signed until it can be written", err->msg);
}

/* With `lock` held.  The disk is waited for with `syncing` alone, so that lines go on. */
static enum rc
sync_locked(struct audit *a, struct err *err)
{
	struct err own = { 0 };
	uint64_t first = a->first;
	size_t end = a->size, open_from;
	enum rc rc = RC_OK;
	int fd;

	pthread_mutex_lock(&a->syncing);
	fd = a->fd;
	a->dirty = false;
	pthread_mutex_unlock(&a->lock);
	if (fdatasync(fd) != 0)
		rc = fail_errno(&own, "cannot write the signer's audit to disk");
	a->lost |= rc != RC_OK;
	pthread_mutex_unlock(&a->syncing);
	pthread_mutex_lock(&a->lock);
	open_from = a->size - a->open.len;
	if (rc == RC_OK && !a->failed && a->first == first && end > open_from)
		buf_consume(&a->open, end - open_from);
	if (rc != RC_OK)
		note_failure(a, &own);
	if (rc != RC_OK && err != NULL)
		*err = own;
	return rc;
}

/* The open lines, in their place, and nothing behind them. */
static enum rc
write_again(struct audit *a, int fd, struct err *err)
{
	size_t at = a->size - a->open.len, done = 0;

	while (done < a->open.len) {
		ssize_t n = pwrite(fd, a->open.data + done, a->open.len - done, (off_t)(at + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail_errno(err, "cannot write the signer's audit");
		done += (size_t)n;
	}
	if (ftruncate(fd, (off_t)a->size) != 0 || fdatasync(fd) != 0)
		return fail_errno(err, "cannot write the signer's audit to disk");
	return RC_OK;
}

/* With `lock` and `syncing` held.  By a descriptor that does not append. */
static enum rc
repair_file(struct audit *a, struct err *err)
{
	int fd = -1;
	enum rc rc = segment_open(&fd, a->dir, a->first, 0, err);

	if (rc == RC_OK)
		rc = write_again(a, fd, err);
	if (fd >= 0)
		close(fd);
	return rc;
}

/* With `lock` held, after a failure.  At most one try a second; in between it fails with the reason. */
static enum rc
repair(struct audit *a, struct err *err)
{
	struct err own = { 0 };
	enum rc rc;

	if (clock_mono_ms() < a->again_ms)
		return fail(err, RC_IO, "%s", a->why);
	pthread_mutex_lock(&a->syncing);
	rc = repair_file(a, &own);
	a->lost &= rc != RC_OK;
	pthread_mutex_unlock(&a->syncing);
	if (rc != RC_OK) {
		note_failure(a, &own);
		return fail(err, RC_IO, "%s", a->why);
	}
	a->failed = a->dirty = false;
	a->tell_ms = 0;
	buf_reset(&a->open);
	log_msg(LOG_INFO, "signer-audit",
	    "the signer's audit is written again, up to line %" PRIu64, a->chain.next - 1);
	return RC_OK;
}

static void
wait_a_second(struct audit *a)
{
	int64_t until = clock_mono_ms() + FLUSH_MS;

	while (!a->stop && cond_wait_until(&a->wake, &a->lock, until))
		;
}

static void *
flush(void *arg)
{
	struct audit *a = arg;

	pthread_mutex_lock(&a->lock);
	while (!a->stop) {
		if (!a->dirty && !a->failed) {
			pthread_cond_wait(&a->wake, &a->lock);
			continue;
		}
		wait_a_second(a);
		/* Either has said what is wrong. */
		(void)!(a->failed ? repair(a, NULL) : sync_locked(a, NULL));
	}
	pthread_mutex_unlock(&a->lock);
	return NULL;
}

/* With the first line, not before: whoever opens a signer may give up authority afterwards, and
 * that binds only threads which are not there yet. */
static bool
start_flusher(struct audit *a)
{
	pthread_attr_t attr;
	sigset_t all, old;

	if (a->thread)
		return true;
	if (pthread_attr_init(&attr) != 0)
		return false;
	(void)pthread_attr_setstacksize(&attr, FLUSH_STACK);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old); /* signals are main()'s */
	a->thread = pthread_create(&a->flusher, &attr, flush, a) == 0;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
	return a->thread;
}

/* ---- appending ---- */

/* On to a new file, once this one is on the disk as a whole. */
static enum rc
rotate(struct audit *a, struct err *err)
{
	int old = a->fd;
	struct err own = { 0 };
	enum rc rc;
	bool on_disk;

	pthread_mutex_lock(&a->syncing);
	rc = fdatasync(old) == 0 ? RC_OK
				 : fail_errno(&own, "cannot write the signer's audit to disk");
	if (rc == RC_OK && a->lost)
		rc = fail(&own, RC_IO, "the signer's audit was not written to disk");
	on_disk = rc == RC_OK;
	if (on_disk)
		rc = segment_begin(a, err);
	if (rc == RC_OK)
		close(old);
	pthread_mutex_unlock(&a->syncing);
	if (!on_disk) {
		note_failure(a, &own);
		return fail(err, RC_IO, "%s", a->why);
	}
	return rc;
}

static enum rc
write_all(struct audit *a, const struct buf *line, struct err *err)
{
	size_t done = 0;

	while (done < line->len) {
		ssize_t n = write(a->fd, line->data + done, line->len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			struct err own = { 0 };
			enum rc rc = fail_errno(&own, "cannot write the signer's audit");

			/* Half a line in the middle would end the chain. */
			if (done > 0 && ftruncate(a->fd, (off_t)a->size) != 0)
				note_failure(a, &own);
			if (err != NULL)
				*err = own;
			return rc;
		}
		done += (size_t)n;
	}
	a->size += line->len;
	return RC_OK;
}

/* Memory first: a line that is written and not kept could not be written again. */
static enum rc
keep_and_write(struct audit *a, const struct buf *line, struct err *err)
{
	size_t before = a->open.len;
	enum rc rc;

	buf_add(&a->open, line->data, line->len);
	rc = buf_ok(&a->open, "the signer's audit", err);
	if (rc == RC_OK)
		rc = write_all(a, line, err);
	if (rc == RC_OK)
		return rc;
	a->open.len = before;
	a->open.rc = RC_OK; /* there may be memory the next time */
	return rc;
}

static enum rc
append_locked(struct audit *a, const char *op, const char *ca, const char *id,
    const uint8_t *sha256, struct err *err)
{
	struct chain next;
	struct buf line;
	enum rc rc = RC_OK;

	if (a->failed)
		rc = repair(a, err);
	else if (a->open.len >= OPEN_MAX)
		rc = sync_locked(a, err);
	if (rc == RC_OK && a->size >= AUDIT_SEGMENT_MAX)
		rc = rotate(a, err);
	if (rc != RC_OK)
		return rc;
	next = a->chain;
	buf_init(&line, LINE_MAX_BYTES + AUDIT_HEX + 2);
	rc = chain_line(&line, &next, clock_now(), op, ca, id, sha256, err);
	if (rc == RC_OK)
		rc = keep_and_write(a, &line, err);
	buf_done(&line);
	if (rc != RC_OK)
		return rc;
	a->chain = next;
	if (!a->dirty) {
		a->dirty = true;
		if (!start_flusher(a))
			return sync_locked(a, err);
		pthread_cond_signal(&a->wake);
	}
	return RC_OK;
}

enum rc
audit_append(struct audit *a, const char *op, const char *ca, const char *id, const uint8_t *sha256,
    struct err *err)
{
	enum rc rc;

	pthread_mutex_lock(&a->lock);
	rc = append_locked(a, op, ca, id, sha256, err);
	pthread_mutex_unlock(&a->lock);
	return rc;
}

uint64_t
audit_last(struct audit *a)
{
	uint64_t last;

	pthread_mutex_lock(&a->lock);
	last = a->chain.next - 1;
	pthread_mutex_unlock(&a->lock);
	return last;
}

enum rc
audit_sync(struct audit *a, struct err *err)
{
	enum rc rc;

	pthread_mutex_lock(&a->lock);
	rc = a->failed ? repair(a, err) : sync_locked(a, err);
	pthread_mutex_unlock(&a->lock);
	return rc;
}

void
audit_close(struct audit *a)
{
	if (a->thread) {
		pthread_mutex_lock(&a->lock);
		a->stop = true;
		pthread_cond_signal(&a->wake);
		pthread_mutex_unlock(&a->lock);
		pthread_join(a->flusher, NULL);
	}
	if (a->failed) {
		a->again_ms = 0;
		(void)!repair(a, NULL); /* has said what is wrong */
	}
	if (a->fd >= 0) {
		(void)fdatasync(a->fd);
		close(a->fd);
	}
	buf_done(&a->open);
	if (a->locks_made) {
		pthread_mutex_destroy(&a->lock);
		pthread_mutex_destroy(&a->syncing);
		pthread_cond_destroy(&a->wake);
	}
	free(a->dir);
	free(a);
}
