/*
 * signer_audit.c - the audit's files: opened and repaired, appended to, flushed, verified.
 */
#include "signer/signer_audit.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "signer/signer.h"
#include "signer/signer_chain.h"

/* A file may pass its size by one line; what an older version left may be somewhat larger. */
#define READ_MAX      (AUDIT_SEGMENT_MAX + 65536)
#define FLUSH_SECONDS 1
#define FLUSH_STACK   (128 * 1024)
#define FILE_MODE     0600

struct audit {
	char *dir;
	pthread_mutex_t lock; /* all that follows, but for `fd` while `syncing` is held */
	struct chain chain;
	int fd;
	size_t size;       /* of the file, in whole lines */
	bool dirty;        /* written since the last sync */
	bool broken;       /* the disk failed: what it has is unknown, so nothing goes on */
	bool thread, stop; /* the flusher */
	pthread_t flusher;
	pthread_cond_t wake;
	pthread_mutex_t syncing; /* taken after `lock`, or alone */
	bool locks_made;
};

/* ---- files ---- */

static enum rc
folder_sync(const char *dir, struct err *err)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	enum rc rc = RC_OK;

	if (fd < 0)
		return fail_errno(err, "cannot open folder %s", dir);
	if (fsync(fd) != 0 && errno != EINVAL)
		rc = fail_errno(err, "cannot write folder %s to disk", dir);
	close(fd);
	return rc;
}

static enum rc
segment_open(int *fd, const char *dir, uint64_t first, int flags, struct err *err)
{
	char *path = NULL;
	enum rc rc = segment_path(&path, dir, first, err);

	if (rc != RC_OK)
		return rc;
	*fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW | flags, FILE_MODE);
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
	enum rc rc = segment_open(&fd, a->dir, a->chain.next, O_CREAT | O_EXCL, err);

	if (rc != RC_OK)
		return rc;
	rc = folder_sync(a->dir, err);
	if (rc != RC_OK) {
		close(fd);
		segment_remove(a->dir, a->chain.next);
		return rc;
	}
	a->fd = fd;
	a->size = 0;
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
	buf_init(&text, READ_MAX);
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
	buf_init(&text, READ_MAX);
	rc = segment_read(&text, a->dir, first, err);
	if (rc == RC_OK)
		rc = chain_follow(&a->chain, text.data, text.len, &used, from, fn, ctx, err);
	if (rc == RC_OK && !last && used != text.len)
		rc = fail(err, RC_INTEGRITY,
		    "the signer's audit does not hold: line %" PRIu64 " is not whole",
		    a->chain.next);
	if (rc == RC_OK && last && a->fd < 0)
		rc = segment_open(&a->fd, a->dir, first, 0, err);
	if (rc == RC_OK && last && used != text.len)
		rc = cut_tail(a, used, text.len, err);
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
	pthread_condattr_t attr;

	if (pthread_condattr_init(&attr) != 0)
		return false;
	a->locks_made = pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0 &&
	    pthread_cond_init(&a->wake, &attr) == 0 && pthread_mutex_init(&a->lock, NULL) == 0 &&
	    pthread_mutex_init(&a->syncing, NULL) == 0;
	pthread_condattr_destroy(&attr);
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

/* With `lock` held.  The disk is waited for with `syncing` alone, so that lines go on. */
static enum rc
sync_locked(struct audit *a, struct err *err)
{
	enum rc rc = RC_OK;
	int fd;

	pthread_mutex_lock(&a->syncing);
	fd = a->fd;
	a->dirty = false;
	pthread_mutex_unlock(&a->lock);
	if (fdatasync(fd) != 0)
		rc = fail_errno(err, "cannot write the signer's audit to disk");
	pthread_mutex_unlock(&a->syncing);
	pthread_mutex_lock(&a->lock);
	if (rc != RC_OK)
		a->broken = true;
	return rc;
}

static void
wait_a_second(struct audit *a)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += FLUSH_SECONDS;
	while (!a->stop && pthread_cond_timedwait(&a->wake, &a->lock, &until) == 0)
		;
}

static void *
flush(void *arg)
{
	struct audit *a = arg;
	struct err err;

	pthread_mutex_lock(&a->lock);
	while (!a->stop) {
		if (!a->dirty) {
			pthread_cond_wait(&a->wake, &a->lock);
			continue;
		}
		wait_a_second(a);
		if (sync_locked(a, &err) != RC_OK)
			log_msg(LOG_ERROR, "signer-audit", "%s", err.msg);
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
	enum rc rc;

	pthread_mutex_lock(&a->syncing);
	if (fdatasync(old) != 0) {
		a->broken = true;
		rc = fail_errno(err, "cannot write the signer's audit to disk");
	} else {
		rc = segment_begin(a, err);
	}
	if (rc == RC_OK)
		close(old);
	pthread_mutex_unlock(&a->syncing);
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
			enum rc rc = fail_errno(err, "cannot write the signer's audit");

			/* Half a line in the middle would end the chain. */
			if (done > 0 && ftruncate(a->fd, (off_t)a->size) != 0)
				a->broken = true;
			return rc;
		}
		done += (size_t)n;
	}
	a->size += line->len;
	return RC_OK;
}

static enum rc
append_locked(struct audit *a, const char *op, const char *ca, const char *id,
    const uint8_t *sha256, struct err *err)
{
	struct chain next;
	struct buf line;
	enum rc rc = RC_OK;

	if (a->broken)
		return fail(err, RC_IO, "the signer's audit could not be written before");
	if (a->size >= AUDIT_SEGMENT_MAX)
		rc = rotate(a, err);
	if (rc != RC_OK)
		return rc;
	next = a->chain;
	buf_init(&line, LINE_MAX_BYTES + AUDIT_HEX + 2);
	rc = chain_line(&line, &next, clock_now(), op, ca, id, sha256, err);
	if (rc == RC_OK)
		rc = write_all(a, &line, err);
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
	rc = a->broken ? fail(err, RC_IO, "the signer's audit could not be written before")
		       : sync_locked(a, err);
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
	if (a->fd >= 0) {
		(void)fdatasync(a->fd);
		close(a->fd);
	}
	if (a->locks_made) {
		pthread_mutex_destroy(&a->lock);
		pthread_mutex_destroy(&a->syncing);
		pthread_cond_destroy(&a->wake);
	}
	free(a->dir);
	free(a);
}

/* ---- verifying ---- */

/* The last file may end in the middle of a line that is being written, and no other. */
static enum rc
verify_file(struct chain *c, const char *dir, uint64_t first, bool last, struct err *err)
{
	struct buf text;
	size_t used = 0;
	enum rc rc;

	if (first != c->next)
		return fail(err, RC_INTEGRITY,
		    "the signer's audit does not hold: after line %" PRIu64 " comes line %" PRIu64,
		    c->next - 1, first);
	buf_init(&text, READ_MAX);
	rc = segment_read(&text, dir, first, err);
	if (rc == RC_OK)
		rc = chain_follow(c, text.data, text.len, &used, 0, NULL, NULL, err);
	if (rc == RC_OK && used != text.len &&
	    (!last || memchr(text.data + used, '\0', text.len - used) != NULL))
		rc = fail(err, RC_INTEGRITY,
		    "the signer's audit does not hold: line %" PRIu64 " is not whole", c->next);
	buf_done(&text);
	return rc;
}

bool
signer_audit_is_there(const char *state_dir)
{
	struct segments s;
	enum rc rc = segments_list(&s, state_dir, NULL);
	bool some;

	if (rc != RC_OK)
		return rc != RC_NOTFOUND; /* whoever opens it says what is wrong */
	some = s.n > 0;
	segments_done(&s);
	return some;
}

enum rc
signer_audit_verify(const char *state_dir, uint64_t *lines, struct err *err)
{
	struct segments s;
	struct chain c;
	enum rc rc = segments_list(&s, state_dir, err);

	if (rc != RC_OK)
		return rc;
	chain_begin(&c);
	if (s.n == 0)
		rc = fail(err, RC_NOTFOUND, "%s holds no audit of a signer", state_dir);
	for (size_t i = 0; rc == RC_OK && i < s.n; i++)
		rc = verify_file(&c, state_dir, s.first[i], i + 1 == s.n, err);
	segments_done(&s);
	if (rc == RC_OK)
		*lines = c.next - 1;
	return rc;
}
