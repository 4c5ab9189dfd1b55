/*
 * signer_serials.c - the table of serial numbers, mapped from a file or in memory.
 */
#include "signer/signer_serials.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "ossl/alg.h"
#include "ossl/cert.h"
#include "base/siphash.h"

#define MAGIC        UINT64_C(0x5343455044534e31) /* the machine's own byte order: another's is rebuilt */
#define HEADER_SIZE  4096                         /* a page */
#define CAPACITY_MIN 4096                         /* entries; 64 KiB */
#define CAPACITY_MAX (UINT64_C(1) << 32)          /* 64 GiB, 3,200,000,000 certificates */
#define CA_MAX       256                          /* bytes of a CA's name that are hashed */
#define FILE_MODE    0600

struct entry {
	uint64_t who;  /* of CA and number; 0: free */
	uint64_t what; /* of the bytes */
};
struct header {
	uint64_t magic, capacity, count;
	uint64_t complete; /* line of the audit */
	uint64_t clean;    /* closed in order: `count` is right */
	uint8_t key[16];
};

struct serials {
	char *path; /* NULL: in memory */
	struct header *h;
	struct entry *v;
	size_t mapped;
};

/* ---- mapping ---- */

static size_t
bytes_of(uint64_t capacity)
{
	return HEADER_SIZE + (size_t)capacity * sizeof(struct entry);
}

static enum rc
map(struct serials *s, int fd, size_t len, struct err *err)
{
	int flags = fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED;
	void *p = mmap(NULL, len, PROT_READ | PROT_WRITE, flags, fd, 0);

	if (p == MAP_FAILED)
		return fail_errno(err, "cannot map the table of serial numbers (%zu bytes)", len);
	s->h = p;
	s->v = (struct entry *)((uint8_t *)p + HEADER_SIZE);
	s->mapped = len;
	return RC_OK;
}

static void
unmap(struct serials *s)
{
	if (s->h != NULL)
		munmap(s->h, s->mapped);
	s->h = NULL;
}

/* An empty table in `path`.  Its blocks are reserved: writing to a map that the disk has no room for
 * would kill the process. */
static enum rc
create_file(struct serials *s, const char *path, uint64_t capacity, struct err *err)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, FILE_MODE), errnum;
	enum rc rc;

	if (fd < 0)
		return fail_errno(err, "cannot make %s", path);
	errnum = posix_fallocate(fd, 0, (off_t)bytes_of(capacity));
	if (errnum != 0) {
		errno = errnum;
		rc = fail_errno(err, "cannot make %s of %zu bytes", path, bytes_of(capacity));
	} else {
		rc = map(s, fd, bytes_of(capacity), err);
	}
	close(fd);
	return rc;
}

static enum rc
create(struct serials *s, const char *path, uint64_t capacity, struct err *err)
{
	enum rc rc = path == NULL ? map(s, -1, bytes_of(capacity), err)
				  : create_file(s, path, capacity, err);

	if (rc != RC_OK)
		return rc;
	*s->h = (struct header){ .magic = MAGIC, .capacity = capacity };
	return random_bytes(s->h->key, sizeof(s->h->key), err);
}

static bool
header_fits(const struct header *h, size_t len)
{
	return h->magic == MAGIC && h->capacity >= CAPACITY_MIN && h->capacity <= CAPACITY_MAX &&
	    (h->capacity & (h->capacity - 1)) == 0 && bytes_of(h->capacity) == len;
}

/* After a crash the count may be older than the entries, or newer. */
static void
recount(struct serials *s)
{
	uint64_t n = 0;

	for (uint64_t i = 0; i < s->h->capacity; i++)
		n += s->v[i].who != 0;
	s->h->count = n;
}

/* RC_NOTFOUND: there is none that is of use. */
static enum rc
open_file(struct serials *s, struct err *err)
{
	int fd = open(s->path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;
	enum rc rc;

	if (fd < 0 && errno == ENOENT)
		return fail(err, RC_NOTFOUND, "%s does not exist", s->path);
	if (fd < 0)
		return fail_errno(err, "cannot open %s", s->path);
	if (fstat(fd, &st) != 0)
		rc = fail_errno(err, "cannot look at %s", s->path);
	else if ((size_t)st.st_size < bytes_of(CAPACITY_MIN))
		rc = fail(err, RC_NOTFOUND, "%s is no table of serial numbers", s->path);
	else
		rc = map(s, fd, (size_t)st.st_size, err);
	close(fd);
	if (rc != RC_OK)
		return rc;
	if (!header_fits(s->h, s->mapped)) {
		unmap(s);
		return fail(err, RC_NOTFOUND, "%s is no table of serial numbers", s->path);
	}
	if (s->h->clean == 0)
		recount(s);
	s->h->clean = 0;
	if (msync(s->h, HEADER_SIZE, MS_SYNC) != 0)
		return fail_errno(err, "cannot write %s to disk", s->path);
	return RC_OK;
}

static enum rc
open_or_create(struct serials *s, struct err *err)
{
	struct err why = { 0 };
	enum rc rc = s->path != NULL ? open_file(s, &why) : RC_NOTFOUND;

	if (rc != RC_OK && rc != RC_NOTFOUND) {
		if (err != NULL)
			*err = why;
		return rc;
	}
	if (rc == RC_OK)
		return rc;
	if (s->path != NULL)
		log_msg(
		    LOG_INFO, "signer-serials", "%s: a new one is made from the audit", why.msg);
	return create(s, s->path, CAPACITY_MIN, err);
}

enum rc
serials_open(struct serials **out, const char *path, struct err *err)
{
	struct serials *s = calloc(1, sizeof(*s));
	enum rc rc = RC_OK;

	if (s == NULL)
		return fail(err, RC_NOMEM, "no memory for the table of serial numbers");
	if (path != NULL)
		rc = str_dup(&s->path, path, err);
	if (rc == RC_OK)
		rc = open_or_create(s, err);
	if (rc == RC_OK) {
		*out = s;
		return RC_OK;
	}
	unmap(s);
	free(s->path);
	free(s);
	return rc;
}

void
serials_close(struct serials *s)
{
	/* In this order: the mark must not be on the disk before what it is about. */
	if (s->path != NULL && serials_flush(s, NULL) == RC_OK) {
		s->h->clean = 1;
		(void)msync(s->h, HEADER_SIZE, MS_SYNC);
	}
	unmap(s);
	free(s->path);
	free(s);
}

/* ---- entries ---- */

uint64_t
serials_complete(const struct serials *s)
{
	return s->h->complete;
}

static uint64_t
never_zero(uint64_t v)
{
	return v != 0 ? v : 1;
}

static struct entry
entry_of(
    const struct serials *s, const char *ca, struct der number, const uint8_t sha256[static 32])
{
	uint8_t text[CA_MAX + 1 + SERIAL_MAX], bound[8 + 32];
	size_t ca_len = strnlen(ca, CA_MAX),
	       len = number.len < SERIAL_MAX ? number.len : SERIAL_MAX;
	struct entry e;

	memcpy(text, ca, ca_len);
	text[ca_len] = '\0';
	memcpy(text + ca_len + 1, number.p, len);
	e.who = never_zero(siphash24(s->h->key, text, ca_len + 1 + len));
	memcpy(bound, &e.who, 8);
	memcpy(bound + 8, sha256, 32);
	e.what = siphash24(s->h->key, bound, sizeof(bound));
	return e;
}

/* Where it is, or where it would go: there is always a free place.  In a damaged file there may be none: then
 * the walk ends where it began, and who asks gets somebody else's entry, which is a refusal. */
static struct entry *
place(const struct serials *s, uint64_t who)
{
	uint64_t mask = s->h->capacity - 1, i = who & mask;

	for (uint64_t n = 0; n < mask && s->v[i].who != 0 && s->v[i].who != who; n++)
		i = (i + 1) & mask;
	return &s->v[i];
}

enum serials_answer
serials_look(
    const struct serials *s, const char *ca, struct der number, const uint8_t sha256[static 32])
{
	struct entry e = entry_of(s, ca, number, sha256);
	const struct entry *at = place(s, e.who);

	if (at->who == 0)
		return SERIALS_NEW;
	return at->who == e.who && at->what == e.what ? SERIALS_SAME : SERIALS_OTHER;
}

static void
enter(struct serials *s, struct entry e)
{
	struct entry *at = place(s, e.who);

	if (at->who != 0)
		return; /* the first that was signed stays */
	at->what = e.what;
	__atomic_store_n(&at->who, e.who, __ATOMIC_RELEASE); /* a killed process leaves none half */
	s->h->count++;
}

void
serials_add(struct serials *s, const char *ca, struct der number, const uint8_t sha256[static 32])
{
	enter(s, entry_of(s, ca, number, sha256));
}

/* ---- growing ---- */

/* The old table stays as it is until the new one is whole and on the disk. */
static enum rc
fill_and_swap(struct serials *s, struct serials *bigger, const char *tmp, struct err *err)
{
	memcpy(bigger->h->key, s->h->key, sizeof(s->h->key));
	bigger->h->complete = s->h->complete;
	for (uint64_t i = 0; i < s->h->capacity; i++)
		if (s->v[i].who != 0)
			enter(bigger, s->v[i]);
	if (tmp != NULL && msync(bigger->h, bigger->mapped, MS_SYNC) != 0)
		return fail_errno(err, "cannot write %s to disk", tmp);
	if (tmp != NULL && rename(tmp, s->path) != 0)
		return fail_errno(err, "cannot replace %s", s->path);
	unmap(s);
	s->h = bigger->h;
	s->v = bigger->v;
	s->mapped = bigger->mapped;
	return RC_OK;
}

static enum rc
grow(struct serials *s, struct err *err)
{
	struct serials bigger = { 0 };
	char *tmp = NULL;
	enum rc rc = RC_OK;

	if (s->h->capacity >= CAPACITY_MAX)
		return fail(err, RC_LIMIT, "the table of serial numbers cannot become larger");
	if (s->path != NULL)
		rc = str_format(&tmp, err, "%s.new", s->path);
	if (rc == RC_OK)
		rc = create(&bigger, tmp, 2 * s->h->capacity, err);
	if (rc == RC_OK)
		rc = fill_and_swap(s, &bigger, tmp, err);
	if (rc != RC_OK) {
		unmap(&bigger);
		if (tmp != NULL)
			(void)unlink(tmp);
	}
	free(tmp);
	return rc;
}

/* Beyond three quarters a search takes many steps. */
bool
serials_is_full(const struct serials *s)
{
	return s->h->count >= s->h->capacity / 4 * 3;
}

enum rc
serials_reserve(struct serials *s, struct err *err)
{
	return serials_is_full(s) ? grow(s, err) : RC_OK;
}

enum rc
serials_flush(const struct serials *s, struct err *err)
{
	if (s->path != NULL && msync(s->h, s->mapped, MS_SYNC) != 0)
		return fail_errno(err, "cannot write %s to disk", s->path);
	return RC_OK;
}

enum rc
serials_mark(struct serials *s, uint64_t line, struct err *err)
{
	s->h->complete = line;
	if (s->path != NULL && msync(s->h, HEADER_SIZE, MS_SYNC) != 0)
		return fail_errno(err, "cannot write %s to disk", s->path);
	return RC_OK;
}
