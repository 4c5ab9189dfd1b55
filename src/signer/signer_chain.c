/*
 * signer_chain.c - lines of the audit: written, followed, and the files that they are in.
 */
#include "signer/signer_chain.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "ossl/alg.h"

#define PREFIX       "audit-"
#define NUMBER_WIDTH 12
#define FIELDS       7 /* of a line */

/* ---- a line ---- */

void
chain_begin(struct chain *c)
{
	c->next = 1;
	memset(c->hash, '0', AUDIT_HEX);
	c->hash[AUDIT_HEX] = '\0';
}

/* SHA-256 of "HASH|line" in hex. */
static enum rc
link_hash(char out[static AUDIT_HEX + 1], const char *before, const void *line, size_t len,
    struct err *err)
{
	uint8_t text[AUDIT_HEX + 1 + LINE_MAX_BYTES], md[32];
	enum rc rc;

	if (len > LINE_MAX_BYTES)
		return fail(err, RC_LIMIT, "a line of the signer's audit has %zu bytes", len);
	memcpy(text, before, AUDIT_HEX);
	text[AUDIT_HEX] = '|';
	memcpy(text + AUDIT_HEX + 1, line, len);
	rc = digest_bytes(md, DIGEST_SHA256, text, AUDIT_HEX + 1 + len, err);
	if (rc == RC_OK)
		hex_lower(out, md, sizeof(md));
	return rc;
}

enum rc
chain_line(struct buf *out, struct chain *c, int64_t now, const char *op, const char *ca,
    const char *id, const uint8_t *sha256, struct err *err)
{
	char when[TIME_TEXT_MAX], sha[AUDIT_HEX + 1] = "-", hash[AUDIT_HEX + 1];
	size_t start = out->len;
	enum rc rc;

	time_rfc3339(when, now);
	if (sha256 != NULL)
		hex_lower(sha, sha256, 32);
	buf_addf(out, "%" PRIu64 " %s %s ", c->next, when, op);
	url_encode_add(out, ca, strlen(ca));
	buf_addf(out, " %s %s", id, sha);
	rc = buf_ok(out, "line of the signer's audit", err);
	if (rc == RC_OK)
		rc = link_hash(hash, c->hash, out->data + start, out->len - start, err);
	if (rc == RC_OK) {
		buf_addf(out, " %s\n", hash);
		rc = buf_ok(out, "line of the signer's audit", err);
	}
	if (rc != RC_OK) {
		out->len = start;
		return rc;
	}
	memcpy(c->hash, hash, sizeof(hash));
	c->next++;
	return RC_OK;
}

/* ---- following ---- */

/* Split at single spaces; exactly FIELDS of them, none empty. */
static bool
split(char *line, char *field[static FIELDS])
{
	size_t n = 0;

	for (char *p = line; p != NULL; n++) {
		if (n == FIELDS || *p == '\0' || *p == ' ')
			return false;
		field[n] = p;
		p = strchr(p, ' ');
		if (p != NULL)
			*p++ = '\0';
	}
	return n == FIELDS;
}

static enum rc
does_not_fit(uint64_t line, const char *why, struct err *err)
{
	return fail(
	    err, RC_INTEGRITY, "the signer's audit does not hold: line %" PRIu64 " %s", line, why);
}

/* One line without its newline. */
static enum rc
follow_line(struct chain *c, const uint8_t *p, size_t len, struct audit_line *out,
    char text[static LINE_MAX_BYTES + AUDIT_HEX + 2], struct err *err)
{
	char hash[AUDIT_HEX + 1], *field[FIELDS];
	enum rc rc;

	if (len < AUDIT_HEX + 1 || len > LINE_MAX_BYTES + AUDIT_HEX + 1)
		return does_not_fit(c->next, "is none", err);
	rc = link_hash(hash, c->hash, p, len - AUDIT_HEX - 1, err);
	if (rc != RC_OK)
		return rc;
	memcpy(text, p, len);
	text[len] = '\0';
	if (!split(text, field))
		return does_not_fit(c->next, "is none", err);
	if (strcmp(field[6], hash) != 0)
		return does_not_fit(c->next, "was changed, or one before it is missing", err);
	if (parse_u64(&out->sequence, field[0], 1, UINT64_MAX - 1, "line", NULL) != RC_OK ||
	    out->sequence != c->next)
		return does_not_fit(c->next, "has another number", err);
	out->op = field[2];
	out->ca = field[3];
	out->id = field[4];
	out->sha256 = field[5];
	memcpy(c->hash, hash, sizeof(hash));
	c->next++;
	return RC_OK;
}

enum rc
chain_follow(struct chain *c, const uint8_t *text, size_t len, size_t *used, uint64_t from,
    audit_fn *fn, void *ctx, struct err *err)
{
	char copy[LINE_MAX_BYTES + AUDIT_HEX + 2];
	struct audit_line line;
	size_t at = 0;
	enum rc rc = RC_OK;

	while (rc == RC_OK && at < len) {
		const uint8_t *end = memchr(text + at, '\n', len - at);

		if (end == NULL || memchr(text + at, '\0', (size_t)(end - text) - at) != NULL)
			break;
		rc = follow_line(c, text + at, (size_t)(end - text) - at, &line, copy, err);
		if (rc == RC_OK && fn != NULL && line.sequence >= from)
			rc = fn(ctx, &line, err);
		at = (size_t)(end - text) + 1;
	}
	if (rc == RC_OK)
		*used = at;
	return rc;
}

bool
chain_last(struct chain *c, const uint8_t *text, size_t len)
{
	const uint8_t *end, *start;
	char number[24];
	uint64_t n;

	if (len < AUDIT_HEX + 3 || text[len - 1] != '\n')
		return false;
	end = text + len - 1;
	start = memrchr(text, '\n', len - 1);
	start = start == NULL ? text : start + 1;
	if (end - start < AUDIT_HEX + 3)
		return false;
	for (n = 0; n + 1 < sizeof(number) && start[n] >= '0' && start[n] <= '9'; n++)
		number[n] = (char)start[n];
	number[n] = '\0';
	if (parse_u64(&n, number, 1, UINT64_MAX - 1, "line", NULL) != RC_OK)
		return false;
	c->next = n + 1;
	memcpy(c->hash, end - AUDIT_HEX, AUDIT_HEX);
	c->hash[AUDIT_HEX] = '\0';
	return true;
}

/* ---- files ---- */

static int
ascending(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static bool
segment_named(uint64_t *first, const char *name)
{
	return str_starts(name, PREFIX) && strlen(name) == strlen(PREFIX) + NUMBER_WIDTH &&
	    parse_u64(first, name + strlen(PREFIX), 1, UINT64_MAX, "file", NULL) == RC_OK;
}

static enum rc
segments_add(struct segments *s, size_t *room, uint64_t first, struct err *err)
{
	if (s->n == *room) {
		size_t more = *room == 0 ? 16 : 2 * *room;
		uint64_t *grown =
		    more > 2 * AUDIT_SEGMENTS_MAX ? NULL : realloc(s->first, more * sizeof(*grown));

		if (grown == NULL)
			return fail(err, RC_LIMIT, "too many files of the signer's audit");
		s->first = grown;
		*room = more;
	}
	s->first[s->n++] = first;
	return RC_OK;
}

enum rc
segments_list(struct segments *out, const char *dir, struct err *err)
{
	struct segments s = { NULL, 0 };
	DIR *d = opendir(dir);
	struct dirent *e;
	enum rc rc = RC_OK;
	size_t room = 0;
	uint64_t first;

	if (d == NULL && errno == ENOENT)
		return fail(err, RC_NOTFOUND, "%s does not exist", dir);
	if (d == NULL)
		return fail_errno(err, "cannot list %s", dir);
	while (rc == RC_OK && (e = readdir(d)) != NULL)
		if (segment_named(&first, e->d_name))
			rc = segments_add(&s, &room, first, err);
	closedir(d);
	if (rc != RC_OK) {
		segments_done(&s);
		return rc;
	}
	if (s.n > 1)
		qsort(s.first, s.n, sizeof(*s.first), ascending);
	*out = s;
	return RC_OK;
}

void
segments_done(struct segments *s)
{
	free(s->first);
	*s = (struct segments){ NULL, 0 };
}

enum rc
segment_path(char **out, const char *dir, uint64_t first, struct err *err)
{
	return str_format(out, err, "%s/" PREFIX "%0*" PRIu64, dir, NUMBER_WIDTH, first);
}

enum rc
segment_read(struct buf *out, const char *dir, uint64_t first, struct err *err)
{
	char *path = NULL;
	enum rc rc = segment_path(&path, dir, first, err);

	if (rc == RC_OK)
		rc = file_read(out, path, out->max - out->len, err);
	free(path);
	return rc;
}
