/*
 * sqlite_foreign.c - certificates of CAs that are not ours: rows without a transaction.
 */
#include <string.h>

#include "base/text.h"
#include "store/sqlite.h"
#include "store/store_audit.h"
#include "store/store_check.h"

#define NAME_SIZE (STORE_NAME_MAX + 1)

/* ---- added ---- */

struct add_args {
	const char *ca, *who;
	const struct store_foreign_cert *v;
	const struct store_serial *serials;
	size_t n;
	enum foreign_outcome *outcomes;
	int64_t audit; /* the number of its row */
	size_t added, filled;
};

/* The row of this CA that has a serial number. */
struct found {
	int64_t id, der_len, not_after;
	bool foreign, same; /* foreign: not of a CA of ours that had this name */
	bool bound;         /* somebody was named, or asked about */
};

static enum rc
find(struct found *f, bool *row, struct sq_conn *c, const struct add_args *a, size_t i,
    struct err *err)
{
	const struct store_foreign_cert *v = &a->v[i];
	struct sq_cursor cur;
	enum rc rc = sq_query(&cur, c, Q_FOREIGN_FIND,
	    SQ_ARGS(
		sq_b(a->serials[i].v, a->serials[i].len), sq_t(a->ca), sq_b(v->der, v->der_len)),
	    err);

	*row = false;
	if (rc == RC_OK && (rc = sq_next(&cur, row, err)) == RC_OK && *row) {
		f->id = sq_take_int(&cur);
		f->foreign = sq_take_int(&cur) != 0;
		f->der_len = sq_take_int(&cur);
		f->same = sq_take_int(&cur) != 0;
		f->not_after = sq_take_int(&cur);
		f->bound = sq_take_int(&cur) != 0;
		rc = sq_took(&cur, err);
	}
	sq_end(&cur);
	return rc;
}

static bool
names_somebody(const struct store_foreign_cert *v)
{
	return v->binding != NULL && v->binding->state != BINDING_NONE;
}

static enum foreign_outcome
judge(const struct found *f, const struct store_foreign_cert *v)
{
	if (!f->foreign)
		return FOREIGN_TAKEN;
	if (f->der_len == 0)
		return v->der_len > 0 ||
			(f->not_after == FOREIGN_NO_END && v->not_after != FOREIGN_NO_END)
		    ? FOREIGN_FILLED
		    : FOREIGN_AS_IT_WAS;
	if (v->der_len == 0)
		return FOREIGN_AS_IT_WAS;
	if (!f->same)
		return FOREIGN_TAKEN;
	return names_somebody(v) && !f->bound ? FOREIGN_FILLED : FOREIGN_AS_IT_WAS;
}

static enum rc
insert(struct sq_writer *w, struct add_args *a, size_t i, int64_t *id, struct err *err)
{
	const struct store_foreign_cert *v = &a->v[i];
	enum rc rc = sq_exec(sq_writer_conn(w), Q_FOREIGN_NEW,
	    SQ_ARGS(sq_b(a->serials[i].v, a->serials[i].len), sq_i(a->audit),
		/* When it was issued, as far as that is known. */
		sq_i(v->not_before != 0 ? v->not_before : sq_writer_now(w) / 1000),
		sq_i(v->not_before), sq_i(v->not_after), sq_t(a->ca), sq_t(v->subject),
		sq_t(v->san), sq_t(v->thumbprint), sq_b(v->der, v->der_len)),
	    NULL, err);

	*id = sqlite3_last_insert_rowid(sq_writer_conn(w)->db);
	a->added++;
	return rc;
}

static enum rc
fill(struct sq_writer *w, struct add_args *a, size_t i, int64_t id, struct err *err)
{
	const struct store_foreign_cert *v = &a->v[i];

	a->filled++;
	return sq_exec(sq_writer_conn(w), Q_FOREIGN_FILL,
	    SQ_ARGS(sq_i(id), sq_i(v->not_before != 0 ? v->not_before : sq_writer_now(w) / 1000),
		sq_i(v->not_before), sq_i(v->not_after), sq_t(v->subject), sq_t(v->san),
		sq_t(v->thumbprint), sq_b(v->der, v->der_len)),
	    NULL, err);
}

static enum rc
add_one(struct sq_writer *w, struct add_args *a, size_t i, struct err *err)
{
	struct found f = { 0 };
	bool row;
	enum rc rc = find(&f, &row, sq_writer_conn(w), a, i, err);

	if (rc != RC_OK)
		return rc;
	a->outcomes[i] = row ? judge(&f, &a->v[i]) : FOREIGN_ADDED;
	if (a->outcomes[i] == FOREIGN_ADDED)
		rc = insert(w, a, i, &f.id, err);
	else if (a->outcomes[i] == FOREIGN_FILLED)
		rc = fill(w, a, i, f.id, err);
	else
		return RC_OK;
	return rc == RC_OK && names_somebody(&a->v[i]) && !f.bound
	    ? sqlite_binding_put(w, f.id, a->v[i].binding, err)
	    : rc;
}

static enum rc
add_audit(struct sq_writer *w, const struct add_args *a, struct err *err)
{
	struct buf d;
	enum rc rc;

	buf_init(&d, AUDIT_DETAIL_MAX);
	buf_addf(&d, "added=%zu filled=%zu", a->added, a->filled);
	audit_field(&d, "ca", a->ca);
	audit_field(&d, "who", a->who);
	rc = buf_ok(&d, "audit detail", err);
	if (rc == RC_OK)
		rc = sq_writer_audit(w, "foreign-import", buf_str(&d), NULL, err);
	buf_done(&d);
	return rc;
}

static enum rc
add_step(struct sq_writer *w, void *arg, struct err *err)
{
	struct add_args *a = arg;
	enum rc rc = sq_writer_audit_next(w, &a->audit, err);

	for (size_t i = 0; rc == RC_OK && i < a->n; i++)
		rc = add_one(w, a, i, err);
	return rc == RC_OK && a->added + a->filled > 0 ? add_audit(w, a, err) : rc;
}

enum rc
sqlite_foreign_add(struct store *s, const char *ca, const char *who,
    const struct store_foreign_cert *v, const struct store_serial *serials, size_t n,
    enum foreign_outcome *outcomes, struct err *err)
{
	struct add_args a = { ca, who, v, serials, n, outcomes, 0, 0, 0 };

	return sq_write(sq_store_writer(s), add_step, &a, err);
}

enum rc
sqlite_foreign_look(struct store *s, const char *ca, const struct store_foreign_cert *v,
    const struct store_serial *serials, size_t n, enum foreign_outcome *outcomes, struct err *err)
{
	const struct add_args a = { ca, NULL, v, serials, n, outcomes, 0, 0, 0 };
	struct sq_conn *c;
	enum rc rc = sq_reader_get(&c, s, err);

	if (rc != RC_OK)
		return rc;
	for (size_t i = 0; rc == RC_OK && i < n; i++) {
		struct found f = { 0 };
		bool row;

		rc = find(&f, &row, c, &a, i, err);
		outcomes[i] = rc == RC_OK && row ? judge(&f, &v[i]) : FOREIGN_ADDED;
	}
	sq_reader_put(s, c);
	return rc;
}

/* ---- counted ---- */

enum rc
sqlite_foreign_count(
    struct store *s, const char *ca, uint64_t *rows, uint64_t *bare, struct err *err)
{
	uint64_t all, no_der;
	enum rc rc = sq_count(s, Q_FOREIGN_COUNT, SQ_ARGS(sq_t(ca)), &all, err);

	if (rc == RC_OK)
		rc = sq_count(s, Q_FOREIGN_BARE, SQ_ARGS(sq_t(ca)), &no_der, err);
	if (rc == RC_OK) {
		*rows = all;
		*bare = no_der;
	}
	return rc;
}

/* From one name to the next: an index of a million rows has few. */
static enum rc
next_ca(struct sq_conn *c, char name[static NAME_SIZE], bool *row, struct err *err)
{
	struct sq_cursor cur;
	enum rc rc = sq_query(&cur, c, Q_FOREIGN_NEXT_CA, SQ_ARGS(sq_t(name)), err);

	*row = false;
	if (rc == RC_OK && (rc = sq_next(&cur, row, err)) == RC_OK && *row) {
		char next[NAME_SIZE];

		sq_take_into(&cur, next, sizeof(next));
		if ((rc = sq_took(&cur, err)) == RC_OK)
			memcpy(name, next, sizeof(next));
	}
	sq_end(&cur);
	return rc;
}

enum rc
sqlite_foreign_cas(struct store *s, store_name_fn *fn, void *arg, struct err *err)
{
	char name[NAME_SIZE] = "";
	struct sq_conn *c;
	bool row = true;
	enum rc rc = sq_reader_get(&c, s, err);

	if (rc != RC_OK)
		return rc;
	while ((rc = next_ca(c, name, &row, err)) == RC_OK && row && fn(arg, name) == 0)
		;
	sq_reader_put(s, c);
	return rc;
}

/* ---- what its own list says ---- */

struct mark_list {
	store_foreign_mark_fn *fn;
	void *arg;
};

static enum rc
lend_mark(struct sq_cursor *cur, size_t *left, void *arg, struct err *err)
{
	const struct mark_list *l = arg;
	struct store_foreign_mark m;
	uint8_t serial[STORE_SERIAL_MAX];
	enum rc rc;

	m.serial = serial;
	m.serial_len = sq_take_bytes(cur, serial, sizeof(serial));
	m.effect = (enum cause_effect)sq_take_int(cur);
	m.reason = (int)sq_take_int(cur);
	rc = sq_took(cur, err);
	if (rc == RC_OK && l->fn(l->arg, &m) != 0)
		*left = 0;
	return rc;
}

enum rc
sqlite_foreign_marks(
    struct store *s, const char *ca, store_foreign_mark_fn *fn, void *arg, struct err *err)
{
	struct mark_list l = { fn, arg };

	return sq_each(s, Q_FOREIGN_MARKS, SQ_ARGS(sq_t(ca)), SIZE_MAX, lend_mark, &l, err);
}

static enum rc
crl_read(struct sq_conn *c, const char *ca, struct store_foreign_crl *out, struct err *err)
{
	struct store_foreign_crl got = { .untold = 0 };
	struct sq_cursor cur;
	bool row = false;
	enum rc rc = sq_query(&cur, c, Q_FOREIGN_CRL, SQ_ARGS(sq_t(ca)), err);

	if (rc == RC_OK)
		rc = sq_next(&cur, &row, err);
	if (rc == RC_OK && !row)
		rc = fail(err, RC_NOTFOUND, "no list of %s was read yet", ca);
	if (rc == RC_OK) {
		sq_take_into(&cur, got.number, sizeof(got.number));
		got.this_update = sq_take_int(&cur);
		got.next_update = sq_take_int(&cur);
		got.entries = (uint64_t)sq_take_int(&cur);
		got.taken = sq_take_int(&cur);
		sq_take_fixed(&cur, got.sha256, sizeof(got.sha256));
		if ((rc = sq_took(&cur, err)) == RC_OK)
			*out = got;
	}
	sq_end(&cur);
	return rc;
}

enum rc
sqlite_foreign_crl_get(
    struct store *s, const char *ca, struct store_foreign_crl *out, struct err *err)
{
	struct sq_conn *c;
	enum rc rc = sq_reader_get(&c, s, err);

	if (rc != RC_OK)
		return rc;
	rc = crl_read(c, ca, out, err);
	sq_reader_put(s, c);
	return rc;
}

struct crl_set_args {
	const char *ca;
	const struct store_foreign_crl *crl;
};

static enum rc
crl_audit(struct sq_writer *w, const struct crl_set_args *a, struct err *err)
{
	struct buf d;
	enum rc rc;

	buf_init(&d, AUDIT_DETAIL_MAX);
	buf_addf(&d, "entries=%llu", (unsigned long long)a->crl->entries);
	if (a->crl->untold > 0)
		buf_addf(&d, " untold=%llu", (unsigned long long)a->crl->untold);
	audit_field(&d, "ca", a->ca);
	audit_field(&d, "number", a->crl->number);
	audit_hex(&d, "sha256", a->crl->sha256, sizeof(a->crl->sha256));
	rc = buf_ok(&d, "audit detail", err);
	if (rc == RC_OK)
		rc = sq_writer_audit(w, "foreign-crl", buf_str(&d), NULL, err);
	buf_done(&d);
	return rc;
}

static enum rc
crl_set_step(struct sq_writer *w, void *arg, struct err *err)
{
	const struct crl_set_args *a = arg;
	const struct store_foreign_crl *l = a->crl;
	enum rc rc = sq_exec(sq_writer_conn(w), Q_FOREIGN_CRL_SET,
	    SQ_ARGS(sq_t(a->ca), sq_t(l->number), sq_i(l->this_update), sq_i(l->next_update),
		sq_i((int64_t)l->entries), sq_i(l->taken), sq_b(l->sha256, sizeof(l->sha256))),
	    NULL, err);

	return rc == RC_OK ? crl_audit(w, a, err) : rc;
}

enum rc
sqlite_foreign_crl_set(
    struct store *s, const char *ca, const struct store_foreign_crl *crl, struct err *err)
{
	struct crl_set_args a = { ca, crl };

	return sq_write(sq_store_writer(s), crl_set_step, &a, err);
}

/* ---- what became of the last look ---- */

static enum rc
look_read(struct sq_conn *c, const char *ca, struct store_foreign_look *out, struct err *err)
{
	struct store_foreign_look got;
	struct sq_cursor cur;
	bool row = false;
	enum rc rc = sq_query(&cur, c, Q_FOREIGN_LOOK, SQ_ARGS(sq_t(ca)), err);

	if (rc == RC_OK)
		rc = sq_next(&cur, &row, err);
	if (rc == RC_OK && !row)
		rc = fail(err, RC_NOTFOUND, "nobody has looked for a list of %s yet", ca);
	if (rc == RC_OK) {
		got.tried = sq_take_int(&cur);
		got.good = sq_take_int(&cur);
		sq_take_into(&cur, got.failure, sizeof(got.failure));
		if ((rc = sq_took(&cur, err)) == RC_OK)
			*out = got;
	}
	sq_end(&cur);
	return rc;
}

enum rc
sqlite_foreign_look_get(
    struct store *s, const char *ca, struct store_foreign_look *out, struct err *err)
{
	struct sq_conn *c;
	enum rc rc = sq_reader_get(&c, s, err);

	if (rc != RC_OK)
		return rc;
	rc = look_read(c, ca, out, err);
	sq_reader_put(s, c);
	return rc;
}

struct look_args {
	const char *ca, *failure;
	int64_t tried;
};

static enum rc
look_step(struct sq_writer *w, void *arg, struct err *err)
{
	const struct look_args *a = arg;

	return sq_exec(sq_writer_conn(w), Q_FOREIGN_LOOK_SET,
	    SQ_ARGS(sq_t(a->ca), sq_i(a->tried), sq_i(a->failure[0] == '\0' ? a->tried : 0),
		sq_t(a->failure)),
	    NULL, err);
}

enum rc
sqlite_foreign_look_set(
    struct store *s, const char *ca, int64_t tried, const char *failure, struct err *err)
{
	struct look_args a = { ca, failure, tried };

	return sq_write(sq_store_writer(s), look_step, &a, err);
}
