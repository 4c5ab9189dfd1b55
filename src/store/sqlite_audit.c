/*
 * sqlite_audit.c - the audit chain: added to, listed, walked.
 */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "store/sqlite.h"
#include "store/store_audit.h"

#define PAGE_ROWS 4096 /* read at a time, so that a long walk does not hold the log */

struct audit_args {
	const char *event, *detail;
};

static enum rc
audit_step(struct sq_writer *w, void *arg, struct err *err)
{
	const struct audit_args *a = arg;

	return sq_writer_audit(w, a->event, a->detail, NULL, err);
}

enum rc
sqlite_audit(struct store *s, const char *event, const char *detail, struct err *err)
{
	struct audit_args a = { event, detail };

	return sq_write(sq_store_writer(s), audit_step, &a, err);
}

struct audit_row {
	int64_t seq, at;
	char *event, *detail;
	uint8_t hash[AUDIT_HASH_SIZE];
};

/* What the walks do with a row; *stop ends them. */
typedef enum rc row_fn(void *arg, const struct audit_row *r, bool *stop, struct err *err);

static enum rc
row_visit(struct sq_cursor *cur, int64_t *last, row_fn *fn, void *arg, bool *stop, struct err *err)
{
	struct audit_row r;
	enum rc rc;

	r.seq = sq_take_int(cur);
	r.at = sq_take_int(cur);
	r.event = sq_take_text(cur);
	r.detail = sq_take_text(cur);
	sq_take_fixed(cur, r.hash, sizeof(r.hash));
	rc = sq_took(cur, err);
	if (rc == RC_OK)
		rc = fn(arg, &r, stop, err);
	*last = r.seq;
	free(r.event);
	free(r.detail);
	return rc;
}

/* Visit up to `max` rows after *last; *n: how many there were. */
static enum rc
page_visit(struct sq_conn *c, int64_t *last, size_t max, size_t *n, row_fn *fn, void *arg,
    bool *stop, struct err *err)
{
	struct sq_cursor cur;
	bool row = true;
	enum rc rc;

	*n = 0;
	rc = sq_query(&cur, c, Q_AUDIT_EACH, SQ_ARGS(sq_i(*last), sq_i((int64_t)max)), err);
	while (rc == RC_OK && !*stop) {
		rc = sq_next(&cur, &row, err);
		if (rc != RC_OK || !row)
			break;
		++*n;
		rc = row_visit(&cur, last, fn, arg, stop, err);
	}
	sq_end(&cur);
	return rc;
}

static enum rc
walk(struct sq_conn *c, int64_t after, size_t max, row_fn *fn, void *arg, struct err *err)
{
	size_t n = 1;
	bool stop = false;
	enum rc rc = RC_OK;

	while (rc == RC_OK && n > 0 && max > 0 && !stop) {
		rc = page_visit(
		    c, &after, max < PAGE_ROWS ? max : PAGE_ROWS, &n, fn, arg, &stop, err);
		max -= n;
	}
	return rc;
}

static enum rc
row_check(void *arg, const struct audit_row *r, bool *stop, struct err *err)
{
	struct audit_head *head = arg;
	enum rc rc;

	if (r->seq > head->seq + 1)
		return fail(
		    err, RC_INTEGRITY, "audit row %lld is missing", (long long)head->seq + 1);
	if (r->seq <= head->seq)
		return fail(err, RC_INTEGRITY, "audit row %lld is none of ours", (long long)r->seq);
	rc = audit_chain(head, r->at, r->event, r->detail, err);
	if (rc == RC_OK && memcmp(head->hash, r->hash, sizeof(r->hash)) != 0)
		rc = fail(
		    err, RC_INTEGRITY, "audit row %lld does not fit the chain", (long long)r->seq);
	return rc;
}

/* The chain shows what was changed or cut out; the newest certificate shows whether its end was cut
 * off. */
static enum rc
check_end(struct sq_conn *c, int64_t expected, const struct audit_head *head, struct err *err)
{
	if (head->seq < expected)
		return fail(err, RC_INTEGRITY,
		    "audit row %lld is missing: a certificate was issued under it",
		    (long long)head->seq + 1);
	return RC_OK;
}

enum rc
sqlite_audit_verify(struct store *s, uint64_t *rows, struct err *err)
{
	struct audit_head head = { 0 };
	struct sq_conn *c;
	int64_t expected = 0;
	enum rc rc;

	rc = sq_reader_get(&c, s, err);
	if (rc != RC_OK)
		return rc;
	/* Asked for first: the rows that come meanwhile are no fault. */
	rc = sq_number(c, Q_CERT_LAST_AUDIT, &expected, err);
	if (rc == RC_OK)
		rc = walk(c, INT64_MIN, SIZE_MAX, row_check, &head, err);
	if (rc == RC_OK)
		rc = check_end(c, expected, &head, err);
	sq_reader_put(s, c);
	if (rc == RC_OK)
		*rows = (uint64_t)head.seq;
	return rc;
}

struct each_args {
	store_audit_fn *fn;
	void *arg;
};

static enum rc
row_lend(void *arg, const struct audit_row *r, bool *stop, struct err *err)
{
	struct each_args *a = arg;

	*stop = a->fn(a->arg, r->seq, r->at, r->event, r->detail) != 0;
	return RC_OK;
}

enum rc
sqlite_audit_each(
    struct store *s, int64_t after, size_t max, store_audit_fn *fn, void *arg, struct err *err)
{
	struct each_args a = { fn, arg };
	struct sq_conn *c;
	enum rc rc;

	rc = sq_reader_get(&c, s, err);
	if (rc != RC_OK)
		return rc;
	rc = walk(c, after, max, row_lend, &a, err);
	sq_reader_put(s, c);
	return rc;
}
