/*
 * sqlite_cert.c - certificates: found, listed, revoked; CRL numbers.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/text.h"
#include "store/sqlite.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))

/* The last column of Q_CERT_FIND. */
#define CERT_FIND_CA 2

/* Read CERT_COLUMNS of sqlite_sql.c. */
static void
cert_take(struct store_cert_row *r, int64_t *rowid, struct sq_cursor *cur)
{
	*r = (struct store_cert_row){ 0 };
	*rowid = sq_take_int(cur);
	r->serial = sq_take_hex(cur);
	r->ca = sq_take_text(cur);
	r->endpoint = sq_take_text(cur);
	r->profile = sq_take_text(cur);
	r->subject = sq_take_text(cur);
	r->san = sq_take_text(cur);
	r->thumbprint = sq_take_text(cur);
	r->transaction_id = sq_take_text(cur);
	r->revoked_why = sq_take_text(cur);
	r->not_before = sq_take_int(cur);
	r->not_after = sq_take_int(cur);
	r->issued = sq_take_int(cur);
	r->revoked = sq_take_int(cur);
	r->reason = (int)sq_take_int(cur);
	r->der = sq_take_blob(cur, &r->der_len);
}

/* ---- by name ---- */

static enum rc
no_cert(const struct store_serial *serial, const char *ca, struct err *err)
{
	char hex[2 * STORE_SERIAL_MAX + 1];

	hex_upper(hex, serial->v, serial->len);
	if (ca == NULL || ca[0] == '\0')
		return fail(err, RC_NOTFOUND, "there is no certificate with serial number %s", hex);
	return fail(err, RC_NOTFOUND, "there is no certificate of CA %.100s with serial number %s",
	    ca, hex);
}

/* The cursor is at the second of them. */
static enum rc
several(
    struct sq_cursor *cur, const struct store_serial *serial, const char *first, struct err *err)
{
	char hex[2 * STORE_SERIAL_MAX + 1], cas[220], ca[STORE_NAME_MAX + 1];
	size_t at = (size_t)snprintf(cas, sizeof(cas), "%.60s", first);
	bool row = true;
	enum rc rc = RC_OK;

	while (rc == RC_OK && row && at < sizeof(cas) - 70) {
		cur->col = CERT_FIND_CA;
		sq_take_into(cur, ca, sizeof(ca));
		at += (size_t)snprintf(cas + at, sizeof(cas) - at, ", %.60s", ca);
		if ((rc = sq_took(cur, err)) == RC_OK)
			rc = sq_next(cur, &row, err);
	}
	hex_upper(hex, serial->v, serial->len);
	return rc != RC_OK
	    ? rc
	    : fail(err, RC_CONFLICT,
		  "several CAs have issued a certificate with serial number %s: %s%s", hex, cas,
		  row ? " ..." : "");
}

enum rc
sqlite_cert_find(struct sq_conn *c, const struct store_cert_name *name, int64_t *id,
    int64_t *revoked, struct err *err)
{
	const struct store_serial *serial = &name->serial;
	char ca[STORE_NAME_MAX + 1];
	struct sq_cursor cur;
	bool row = false;
	enum rc rc = sq_query(
	    &cur, c, Q_CERT_FIND, SQ_ARGS(sq_b(serial->v, serial->len), sq_t(name->ca)), err);

	if (rc == RC_OK)
		rc = sq_next(&cur, &row, err);
	if (rc == RC_OK && !row)
		rc = no_cert(serial, name->ca, err);
	if (rc == RC_OK) {
		*id = sq_take_int(&cur);
		*revoked = sq_take_int(&cur);
		sq_take_into(&cur, ca, sizeof(ca));
		rc = sq_took(&cur, err);
	}
	if (rc == RC_OK && (rc = sq_next(&cur, &row, err)) == RC_OK && row)
		rc = several(&cur, serial, ca, err);
	sq_end(&cur);
	return rc;
}

static enum rc
row_read(struct sq_conn *c, int64_t id, struct store_cert_row *out, struct err *err)
{
	struct store_cert_row got = { 0 };
	struct sq_cursor cur;
	int64_t rowid;
	bool row = false;
	enum rc rc = sq_query(&cur, c, Q_CERT_GET, SQ_ARGS(sq_i(id)), err);

	if (rc == RC_OK)
		rc = sq_next(&cur, &row, err);
	if (rc == RC_OK && !row)
		rc = fail(
		    err, RC_INTEGRITY, "%s: certificate %lld is missing", c->path, (long long)id);
	if (rc == RC_OK) {
		cert_take(&got, &rowid, &cur);
		rc = sq_took(&cur, err);
	}
	sq_end(&cur);
	if (rc == RC_OK)
		*out = got;
	else
		store_cert_row_done(&got);
	return rc;
}

enum rc
sqlite_cert_get(struct store *s, const struct store_cert_name *name, struct store_cert_row *out,
    struct err *err)
{
	int64_t id = 0, revoked;
	struct sq_conn *c;
	enum rc rc = sq_reader_get(&c, s, err);

	if (rc != RC_OK)
		return rc;
	if ((rc = sqlite_cert_find(c, name, &id, &revoked, err)) == RC_OK)
		rc = row_read(c, id, out, err);
	sq_reader_put(s, c);
	return rc;
}

enum rc
sqlite_cert_same(struct store *s, const struct store_serial *serial, const uint8_t *der,
    size_t der_len, struct store_cert_row *out, struct err *err)
{
	int64_t id = 0;
	struct sq_conn *c;
	enum rc rc = sq_reader_get(&c, s, err);

	if (rc != RC_OK)
		return rc;
	rc = sq_number_of(
	    c, Q_CERT_SAME, SQ_ARGS(sq_b(serial->v, serial->len), sq_b(der, der_len)), &id, err);
	if (rc == RC_OK)
		rc = id == 0 ? no_cert(serial, NULL, err) : row_read(c, id, out, err);
	sq_reader_put(s, c);
	return rc;
}

/* ---- status ---- */

static enum rc
status_read(struct sq_conn *c, const struct store_serial *serial, const char *ca,
    struct store_cert_status *out, struct err *err)
{
	struct sq_cursor cur;
	bool row = false;
	enum rc rc;

	rc = sq_query(&cur, c, Q_CERT_STATE, SQ_ARGS(sq_b(serial->v, serial->len), sq_t(ca)), err);
	if (rc == RC_OK)
		rc = sq_next(&cur, &row, err);
	if (rc == RC_OK && !row)
		rc = no_cert(serial, ca, err);
	if (rc == RC_OK) {
		out->revoked = sq_take_int(&cur);
		out->reason = (int)sq_take_int(&cur);
	}
	sq_end(&cur);
	return rc;
}

enum rc
sqlite_cert_status(struct store *s, const struct store_serial *serial, const char *ca,
    struct store_cert_status *out, struct err *err)
{
	struct sq_conn *c;
	enum rc rc;

	rc = sq_reader_get(&c, s, err);
	if (rc != RC_OK)
		return rc;
	rc = status_read(c, serial, ca, out, err);
	sq_reader_put(s, c);
	return rc;
}

/* ---- revoke ---- */

enum rc
sqlite_cert_revoke_step(struct sq_writer *w, int64_t id, enum cause_source source, int reason,
    const char *why, struct err *err)
{
	const struct store_cause_set set = { .source = source,
		.effect = reason == REASON_HOLD ? CAUSE_HOLD : CAUSE_REVOKE,
		.reason = reason,
		.comment = why };
	struct store_cause_done done;
	int64_t over = 0;
	enum rc rc = sq_number_of(sq_writer_conn(w), Q_CERT_OVER, SQ_ARGS(sq_i(id)), &over, err);

	if (rc == RC_OK && over != 0)
		rc = fail(err, RC_CONFLICT, "the certificate is revoked already");
	return rc != RC_OK ? rc : sqlite_cause_step(w, id, &set, &done, err);
}

struct revoke_args {
	const struct store_cert_name *name;
	int reason;
	const char *why;
};

static enum rc
revoke_step(struct sq_writer *w, void *arg, struct err *err)
{
	const struct revoke_args *a = arg;
	int64_t id = 0, revoked;
	enum rc rc = sqlite_cert_find(sq_writer_conn(w), a->name, &id, &revoked, err);

	return rc != RC_OK ? rc
			   : sqlite_cert_revoke_step(w, id, CAUSE_MANUAL, a->reason, a->why, err);
}

enum rc
sqlite_cert_revoke(struct store *s, const struct store_cert_name *name, int reason, const char *why,
    struct err *err)
{
	struct revoke_args a = { name, reason, why };

	return sq_write(sq_store_writer(s), revoke_step, &a, err);
}

/* ---- list ---- */

/* Columns of CERT_COLUMNS: its number, and what a pattern is tried on. */
enum { COL_ID = 0, COL_SERIAL = 1, COL_SUBJECT = 5, COL_SAN = 6 };

/* On the columns as they lie there: most rows of a long list do not fit and need no copy. */
static bool
text_fits(const struct store_cert_filter *f, const struct sq_cursor *cur)
{
	static const int text_cols[] = { COL_SUBJECT, COL_SAN };
	char hex[2 * STORE_SERIAL_MAX + 1];
	int len = sqlite3_column_bytes(cur->q, COL_SERIAL);

	if (f->text == NULL)
		return true;
	for (size_t i = 0; i < sizeof(text_cols) / sizeof(text_cols[0]); i++) {
		const char *s = (const char *)sqlite3_column_text(cur->q, text_cols[i]);

		if (s != NULL && glob_match(f->text, s))
			return true;
	}
	if (len <= 0 || len > STORE_SERIAL_MAX)
		return false;
	hex_upper(hex, sqlite3_column_blob(cur->q, COL_SERIAL), (size_t)len);
	return glob_match(f->text, hex);
}

/* Lend the cursor's row; *left goes down, to 0 when the caller has enough. */
static enum rc
lend_row(struct sq_cursor *cur, size_t *left, store_cert_fn *fn, void *arg, struct err *err)
{
	struct store_cert_row r;
	int64_t rowid;
	enum rc rc;

	cert_take(&r, &rowid, cur);
	rc = sq_took(cur, err);
	if (rc == RC_OK) {
		--*left;
		if (fn(arg, rowid, &r) != 0)
			*left = 0;
	}
	store_cert_row_done(&r);
	return rc;
}

/* The filters, and where a page of each ends. */
struct kind {
	enum sq_stmt each,
	    upto; /* Q__MAX: ids are without gaps, so they are counted by subtraction */
};
static const struct kind kinds[] = {
	[CERTS_GOOD] = { Q_CERT_EACH_GOOD, Q__MAX },
	[CERTS_NOT_GOOD] = { Q_CERT_EACH_REVOKED, Q_CERT_UPTO_REVOKED },
	[CERTS_HELD] = { Q_CERT_EACH_HELD, Q_CERT_UPTO_HELD },
	[CERTS_REVOKED] = { Q_CERT_EACH_OVER, Q_CERT_UPTO_REVOKED },
	{ Q_CERT_EACH, Q__MAX }, /* any */
};
static const struct kind unsettled = { Q_CERT_EACH_UNSETTLED, Q_CERT_UPTO_UNSETTLED };

static const struct kind *
kind_of(const struct store_cert_filter *f)
{
	if (f->unsettled != 0)
		return &unsettled;
	return &kinds[f->revoked < 0 || f->revoked >= (int)N(kinds) ? (int)N(kinds) - 1
								    : f->revoked];
}

/* The last row that a page may look at, and whether others follow. */
static enum rc
page_end(
    struct sq_conn *c, const struct store_cert_filter *f, int64_t *end, bool *more, struct err *err)
{
	const struct sq_arg args[] = { sq_i(f->after_rowid), sq_i(STORE_LOOK_MAX - 1),
		sq_i(f->unsettled) };
	enum sq_stmt upto = kind_of(f)->upto;
	int64_t all = 0, after = f->after_rowid;
	enum rc rc;

	if (upto == Q__MAX) {
		rc = sq_number(c, Q_CERT_COUNT, &all, err);
		*more = after < all - STORE_LOOK_MAX;
		*end = *more ? after + STORE_LOOK_MAX : INT64_MAX;
		return rc;
	}
	rc = sq_number_of(c, upto, args, f->unsettled != 0 ? 3 : 2, end, err);
	*more = rc == RC_OK && *end != 0;
	if (!*more)
		*end = INT64_MAX;
	return rc;
}

static enum rc
page_query(struct sq_cursor *cur, struct sq_conn *c, const struct store_cert_filter *f, int64_t end,
    struct err *err)
{
	const struct sq_arg args[] = { sq_i(f->after_rowid), sq_t(f->ca), sq_t(f->endpoint),
		sq_i(f->valid_at == 0 ? INT64_MIN : f->valid_at), sq_i(end), sq_i(f->unsettled),
		sq_i(f->revoked) };

	return sq_query(cur, c, kind_of(f)->each, args, f->unsettled != 0 ? 7 : 5, err);
}

static enum rc
page_read(struct sq_conn *c, const struct store_cert_filter *f, size_t max, int64_t *next,
    store_cert_fn *fn, void *arg, struct err *err)
{
	int64_t end = 0, last = 0;
	struct sq_cursor cur;
	bool row = true, more = false;
	enum rc rc = page_end(c, f, &end, &more, err);

	if (rc != RC_OK)
		return rc;
	rc = page_query(&cur, c, f, end, err);
	while (rc == RC_OK && max > 0 && (rc = sq_next(&cur, &row, err)) == RC_OK && row) {
		last = sqlite3_column_int64(cur.q, COL_ID);
		if (text_fits(f, &cur))
			rc = lend_row(&cur, &max, fn, arg, err);
	}
	sq_end(&cur);
	if (rc == RC_OK)
		*next = row ? (last != 0 ? last : f->after_rowid) : more ? end : 0;
	return rc;
}

enum rc
sqlite_cert_page(struct store *s, const struct store_cert_filter *f, size_t max, int64_t *next,
    store_cert_fn *fn, void *arg, struct err *err)
{
	struct sq_conn *c;
	enum rc rc;

	rc = sq_reader_get(&c, s, err);
	if (rc != RC_OK)
		return rc;
	rc = page_read(c, f, max, next, fn, arg, err);
	sq_reader_put(s, c);
	return rc;
}

/* ---- figures ---- */

enum rc
sqlite_figures_read(struct sq_conn *c, struct store_figures *out, struct err *err)
{
	struct sq_cursor cur;
	bool row = false;
	enum rc rc = sq_query(&cur, c, Q_CERT_FIGURES, SQ_NO_ARGS, err);

	if (rc == RC_OK)
		rc = sq_next(&cur, &row, err);
	if (rc == RC_OK && !row)
		rc = fail(err, RC_INTEGRITY, "%s: the figures of certificates are gone", c->path);
	if (rc == RC_OK) {
		int64_t certs = sq_take_int(&cur), listed = sq_take_int(&cur),
			held = sq_take_int(&cur);

		*out = (struct store_figures){ (uint64_t)certs, (uint64_t)(listed - held),
			(uint64_t)held };
	}
	sq_end(&cur);
	return rc;
}

enum rc
sqlite_figures(struct store *s, struct store_figures *out, struct err *err)
{
	struct sq_conn *c;
	enum rc rc = sq_reader_get(&c, s, err);

	if (rc != RC_OK)
		return rc;
	rc = sqlite_figures_read(c, out, err);
	sq_reader_put(s, c);
	return rc;
}

/* ---- CRL numbers ---- */

struct crl_args {
	const char *ca;
	unsigned n;
	int64_t last;
};

static enum rc
crl_step(struct sq_writer *w, void *arg, struct err *err)
{
	struct crl_args *a = arg;
	struct sq_cursor cur;
	bool row = false;
	enum rc rc;

	rc = sq_query(&cur, sq_writer_conn(w), Q_CRL_NEXT, SQ_ARGS(sq_t(a->ca), sq_i(a->n)), err);
	if (rc == RC_OK)
		rc = sq_next(&cur, &row, err);
	if (rc == RC_OK && !row)
		rc = fail(err, RC_BUG, "no number for the CRL of %s", a->ca);
	if (rc == RC_OK) {
		a->last = sq_take_int(&cur);
		rc = sq_next(&cur, &row, err);
	}
	sq_end(&cur);
	return rc;
}

enum rc
sqlite_crl_numbers(struct store *s, const char *ca, unsigned n, uint64_t *first, struct err *err)
{
	struct crl_args a = { ca, n, 0 };
	enum rc rc = sq_write(sq_store_writer(s), crl_step, &a, err);

	if (rc == RC_OK)
		*first = (uint64_t)a.last - n + 1;
	return rc;
}
