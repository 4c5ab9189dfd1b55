/*
 * signer_state.c - the signer's folder: one owner, and a line before every signature.
 */
#include "signer/signer_state.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "ossl/cert.h"
#include "signer/signer_audit.h"
#include "signer/signer_serials.h"

#define DIR_MODE         0700
#define CHECKPOINT_LINES 50000 /* read again at a start after a crash, in less than 0.1 s */

struct state {
	char *dir; /* NULL: nothing is kept */
	int lock_fd;
	struct audit *audit;
	struct serials *serials;
	/* A number is looked up, written down and entered as one step. */
	pthread_mutex_t lock;
	/* The table of numbers stays where it is mapped; taken after `lock`, or alone. */
	pthread_mutex_t table;
	bool locks_made;
};

/* ---- opening ---- */

enum rc
state_path_in(char **out, const char *dir, const char *ca, const char *suffix, struct err *err)
{
	struct buf name;
	enum rc rc;

	buf_init(&name, 1024);
	url_encode_add(&name, ca, strlen(ca));
	rc = buf_ok(&name, "name of a CA", err);
	if (rc == RC_OK)
		rc = str_format(out, err, "%s/%s%s", dir, buf_str(&name), suffix);
	buf_done(&name);
	return rc;
}

enum rc
state_path(char **out, const struct state *s, const char *ca, const char *suffix, struct err *err)
{
	if (s->dir != NULL)
		return state_path_in(out, s->dir, ca, suffix, err);
	*out = NULL;
	return RC_OK;
}

/* Who else can write there decides what was signed. */
static enum rc
check_mode(const char *dir, struct err *err)
{
	struct stat st;
	enum rc rc;

	if (stat(dir, &st) != 0)
		return fail_errno(err, "cannot look at %s", dir);
	if ((st.st_mode & 077) == 0)
		return RC_OK;
	rc = fail(err, RC_CONFIG, "the signer's folder %s has mode %04o", dir,
	    (unsigned)(st.st_mode & 07777));
	err_hint(err, "chmod 700 %s", dir);
	return rc;
}

static enum rc
take_lock(struct state *s, struct err *err)
{
	char *path = NULL;
	enum rc rc = str_format(&path, err, "%s/lock", s->dir);

	if (rc != RC_OK)
		return rc;
	s->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (s->lock_fd < 0)
		rc = fail_errno(err, "cannot open %s", path);
	else if (flock(s->lock_fd, LOCK_EX | LOCK_NB) != 0)
		rc = errno == EWOULDBLOCK
		    ? fail(err, RC_CONFLICT, "another signer uses the folder %s", s->dir)
		    : fail_errno(err, "cannot lock %s", path);
	free(path);
	return rc;
}

/* A line that the table may not know yet. */
static enum rc
replay(void *ctx, const struct audit_line *line, struct err *err)
{
	struct serials *t = ctx;
	struct serial number;
	uint8_t sha[32];
	enum rc rc;

	if (!str_ends_nocase(line->op, "cert"))
		return RC_OK;
	rc = serial_from_hex(&number, line->id, err);
	if (rc == RC_OK)
		rc = hex_decode(sha, sizeof(sha), line->sha256, strlen(line->sha256), err);
	if (rc == RC_OK)
		rc = serials_reserve(t, err);
	if (rc == RC_OK)
		serials_add(t, line->ca, (struct der){ number.v, number.len }, sha);
	return rc;
}

static enum rc
open_serials(struct state *s, struct err *err)
{
	char *path = NULL;
	enum rc rc = RC_OK;

	if (s->dir != NULL)
		rc = str_format(&path, err, "%s/serials", s->dir);
	if (rc == RC_OK)
		rc = serials_open(&s->serials, path, err);
	free(path);
	return rc;
}

static enum rc
open_dir(struct state *s, const char *dir, struct err *err)
{
	enum rc rc;

	rc = str_dup(&s->dir, dir, err);
	if (rc == RC_OK)
		rc = dir_make(dir, DIR_MODE, err);
	if (rc == RC_OK)
		rc = check_mode(dir, err);
	if (rc == RC_OK)
		rc = take_lock(s, err);
	if (rc == RC_OK)
		rc = open_serials(s, err);
	if (rc == RC_OK)
		rc = audit_open(
		    &s->audit, dir, serials_complete(s->serials) + 1, replay, s->serials, err);
	if (rc == RC_INTEGRITY) {
		err_context(err, "signer's folder %s", dir);
		err_hint(err,
		    "restore it together with the database (scepctl ca restore); moved away, it "
		    "begins anew, without proof of what was signed");
	}
	return rc;
}

enum rc
state_open(struct state **out, const char *dir, struct err *err)
{
	struct state *s = calloc(1, sizeof(*s));
	struct err own = { 0 };
	enum rc rc;

	if (err == NULL)
		err = &own;
	if (s == NULL)
		return fail(err, RC_NOMEM, "no memory for the signer's state");
	s->lock_fd = -1;
	s->locks_made =
	    pthread_mutex_init(&s->lock, NULL) == 0 && pthread_mutex_init(&s->table, NULL) == 0;
	if (!s->locks_made)
		rc = fail(err, RC_NOMEM, "no memory for the signer's state");
	else
		rc = dir == NULL ? open_serials(s, err) : open_dir(s, dir, err);
	if (rc == RC_OK)
		*out = s;
	else
		state_close(s);
	return rc;
}

bool
state_is_kept(const struct state *s)
{
	return s->dir != NULL;
}

/* ---- lines ---- */

enum rc
state_note(struct state *s, const char *op, const char *ca, const char *id, const uint8_t *sha256,
    struct err *err)
{
	return s->audit == NULL ? RC_OK : audit_append(s->audit, op, ca, id, sha256, err);
}

static enum rc
reserve(struct state *s, struct err *err)
{
	enum rc rc;

	if (!serials_is_full(s->serials))
		return RC_OK;
	pthread_mutex_lock(&s->table);
	rc = serials_reserve(s->serials, err);
	pthread_mutex_unlock(&s->table);
	return rc;
}

/* The table and the audit name a CA alike, so that a line that is read again is the same entry. */
static enum rc
cert_locked(struct state *s, const char *op, const char *ca, struct der number, const char *hex,
    const uint8_t sha256[static 32], struct err *err)
{
	struct buf name;
	enum rc rc;

	buf_init(&name, 1024);
	url_encode_add(&name, ca, strlen(ca));
	rc = buf_ok(&name, "name of a CA", err);
	if (rc == RC_OK)
		rc = reserve(s, err);
	if (rc == RC_OK &&
	    serials_look(s->serials, buf_str(&name), number, sha256) == SERIALS_OTHER)
		rc = fail(err, RC_DENIED,
		    "signer: serial number %s was signed before, for another certificate", hex);
	fault_point("signer-asked");
	if (rc == RC_OK)
		rc = state_note(s, op, ca, hex, sha256, err);
	fault_point("signer-noted");
	if (rc == RC_OK)
		serials_add(s->serials, buf_str(&name), number, sha256);
	buf_done(&name);
	return rc;
}

enum rc
state_cert(struct state *s, const char *op, const char *ca, struct der number,
    const uint8_t sha256[static 32], struct err *err)
{
	char hex[2 * SERIAL_MAX + 1];
	enum rc rc;

	if (number.len > SERIAL_MAX)
		return fail(err, RC_DENIED, "signer: a serial number of %zu octets", number.len);
	hex_upper(hex, number.p, number.len);
	pthread_mutex_lock(&s->lock);
	rc = cert_locked(s, op, ca, number, hex, sha256, err);
	pthread_mutex_unlock(&s->lock);
	return rc;
}

/* ---- checkpoints ---- */

/* Lines are entered under the lock, so all up to `line` are in the table when it is flushed. */
static enum rc
checkpoint(struct state *s, uint64_t line, struct err *err)
{
	enum rc rc = audit_sync(s->audit, err);

	if (rc != RC_OK)
		return rc;
	pthread_mutex_lock(&s->table);
	rc = serials_flush(s->serials, err);
	pthread_mutex_unlock(&s->table);
	if (rc != RC_OK)
		return rc;
	pthread_mutex_lock(&s->lock);
	rc = serials_mark(s->serials, line, err);
	pthread_mutex_unlock(&s->lock);
	return rc;
}

static void
checkpoint_from(struct state *s, uint64_t lines)
{
	uint64_t line, done;
	struct err err;

	if (s->audit == NULL)
		return;
	pthread_mutex_lock(&s->lock);
	line = audit_last(s->audit);
	done = serials_complete(s->serials);
	pthread_mutex_unlock(&s->lock);
	if (line >= done + lines && checkpoint(s, line, &err) != RC_OK)
		log_msg(LOG_ERROR, "signer-state", "%s", err.msg);
}

void
state_checkpoint_if_long(struct state *s)
{
	checkpoint_from(s, CHECKPOINT_LINES);
}

/* ---- numbers of lists ---- */

#define CRL_NUMBER_FILE_MAX 256
/* What a list may be ahead of the last: else whoever has the front for a minute could use the
 * numbers up, and no list could ever follow. */
#define CRL_NUMBER_STEP (UINT64_C(1) << 32)

static enum rc
crl_last_parse(struct crl_last *out, const char *text, const char *path, struct err *err)
{
	char number[24];
	size_t n = strcspn(text, " ");
	struct crl_last l = { .any = true };

	if (n >= sizeof(number) || text[n] != ' ')
		return fail(err, RC_INTEGRITY, "%s holds no number of a list", path);
	memcpy(number, text, n);
	number[n] = '\0';
	if (parse_u64(&l.number, number, 0, UINT64_MAX, path, err) != RC_OK ||
	    hex_decode(l.sha256, sizeof(l.sha256), text + n + 1, strcspn(text + n + 1, "\n"),
		err) != RC_OK)
		return fail(err, RC_INTEGRITY, "%s holds no number of a list", path);
	*out = l;
	return RC_OK;
}

enum rc
crl_last_load(struct crl_last *out, const struct state *s, const char *ca, struct err *err)
{
	char *path = NULL;
	struct buf text;
	enum rc rc = state_path(&path, s, ca, ".crl-number", err);

	if (rc != RC_OK || path == NULL)
		return rc;
	buf_init(&text, CRL_NUMBER_FILE_MAX);
	rc = file_read(&text, path, CRL_NUMBER_FILE_MAX, err);
	if (rc == RC_NOTFOUND)
		rc = RC_OK; /* the first list is still to come */
	else if (rc == RC_OK)
		rc = crl_last_parse(out, buf_str(&text), path, err);
	buf_done(&text);
	free(path);
	return rc;
}

static enum rc
crl_last_save(const struct crl_last *l, const struct state *s, const char *ca, struct err *err)
{
	char *path = NULL, sha[65];
	struct buf text;
	enum rc rc = state_path(&path, s, ca, ".crl-number", err);

	if (rc != RC_OK || path == NULL)
		return rc;
	hex_lower(sha, l->sha256, 32);
	buf_init(&text, CRL_NUMBER_FILE_MAX);
	buf_addf(&text, "%llu %s\n", (unsigned long long)l->number, sha);
	rc = buf_ok(&text, "number of a list", err);
	if (rc == RC_OK)
		rc = file_write(path, text.data, text.len, 0600, 1, err);
	buf_done(&text);
	free(path);
	return rc;
}

static uint64_t
u64_of(struct der number)
{
	uint64_t v = 0;

	for (size_t i = 0; i < number.len; i++)
		v = v << 8 | number.p[i];
	return v;
}

enum rc
crl_last_raise(struct crl_last *last, const struct state *s, const char *ca, struct der number,
    const uint8_t sha256[static 32], struct err *err)
{
	struct crl_last next = { .any = true };
	enum rc rc;

	memcpy(next.sha256, sha256, 32);
	if (number.len > 8)
		return fail(err, RC_DENIED, "signer: the list's number is above 2^64");
	next.number = u64_of(number);
	if (last->any && next.number == last->number && memcmp(last->sha256, sha256, 32) == 0)
		return RC_OK;
	if (last->any && next.number <= last->number) {
		rc =
		    fail(err, RC_DENIED, "signer: list %llu of CA %s does not come after list %llu",
			(unsigned long long)next.number, ca, (unsigned long long)last->number);
		if (err != NULL)
			err_hint(err,
			    "the database is older than the signer's state: restore the two "
			    "together");
		return rc;
	}
	if (next.number - (last->any ? last->number : 0) > CRL_NUMBER_STEP)
		return fail(err, RC_DENIED, "signer: list %llu of CA %s is too far ahead",
		    (unsigned long long)next.number, ca);
	rc = crl_last_save(&next, s, ca, err);
	if (rc == RC_OK)
		*last = next;
	return rc;
}

/* ---- closing ---- */

void
state_close(struct state *s)
{
	if (s == NULL)
		return;
	checkpoint_from(s, 1);
	if (s->audit != NULL)
		audit_close(s->audit);
	if (s->serials != NULL)
		serials_close(s->serials);
	if (s->lock_fd >= 0)
		close(s->lock_fd);
	if (s->locks_made) {
		pthread_mutex_destroy(&s->lock);
		pthread_mutex_destroy(&s->table);
	}
	free(s->dir);
	free(s);
}
