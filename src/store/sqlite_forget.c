/*
 * sqlite_forget.c - a foreign CA that has left the configuration is forgotten.
 *
 * The number of a row may be given again once the greatest are gone, so nothing that names a certificate by its number may
 * outlive it, not even from one commit to the next.  The sequence of changes of a status goes on: whoever has read up to a number would miss what comes after it.
 */
#include "store/sqlite.h"
#include "store/store_audit.h"

#define PAGE STORE_CAUSES_BATCH

struct forget_args {
	const char *ca, *who;
	int64_t ids[PAGE];
	size_t n;
};

static enum rc
page_read(struct sq_conn *c, struct forget_args *a, struct err *err)
{
	struct sq_cursor cur;
	bool row = true;
	enum rc rc = sq_query(&cur, c, Q_FORGET_PAGE, SQ_ARGS(sq_t(a->ca), sq_i(PAGE)), err);

	a->n = 0;
	while (rc == RC_OK && a->n < PAGE && (rc = sq_next(&cur, &row, err)) == RC_OK && row)
		a->ids[a->n++] = sq_take_int(&cur);
	sq_end(&cur);
	return rc;
}

static enum rc
forget_cert(struct sq_conn *c, int64_t id, struct err *err)
{
	static const enum sq_stmt steps[] = { Q_FORGET_CAUSES, Q_FORGET_BINDING,
		Q_FORGET_CHANGE_LAST, Q_FORGET_CHANGE, Q_FORGET_TURNS, Q_FORGET_CERT };
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < sizeof(steps) / sizeof(steps[0]); i++)
		rc = sq_exec(c, steps[i], SQ_ARGS(sq_i(id)), NULL, err);
	return rc;
}

/* After the last of its certificates. */
static enum rc
forget_rest(struct sq_conn *c, const char *ca, struct err *err)
{
	static const enum sq_stmt steps[] = { Q_FORGET_CRL, Q_FORGET_LOOK, Q_FORGET_IDENTITY };
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < sizeof(steps) / sizeof(steps[0]); i++)
		rc = sq_exec(c, steps[i], SQ_ARGS(sq_t(ca)), NULL, err);
	return rc;
}

static enum rc
audit(struct sq_writer *w, const struct forget_args *a, int exceptions, struct err *err)
{
	int64_t rows = 0;
	struct buf d;
	enum rc rc =
	    sq_number_of(sq_writer_conn(w), Q_FOREIGN_COUNT, SQ_ARGS(sq_t(a->ca)), &rows, err);

	if (rc != RC_OK)
		return rc;
	buf_init(&d, AUDIT_DETAIL_MAX);
	buf_addf(&d, "certificates=%lld", (long long)rows);
	audit_field(&d, "ca", a->ca);
	audit_field(&d, "who", a->who);
	if (exceptions > 0)
		buf_addf(&d, " exceptions=%d", exceptions);
	rc = buf_ok(&d, "audit detail", err);
	if (rc == RC_OK)
		rc = sq_writer_audit(w, "foreign-forget", buf_str(&d), NULL, err);
	buf_done(&d);
	return rc;
}

/* An exception goes by serial number and CA, and another CA of that name may give the number again. */
static enum rc
begin(struct sq_writer *w, const struct forget_args *a, struct err *err)
{
	int exceptions = 0;
	enum rc rc = sq_exec(sq_writer_conn(w), Q_FORGET_EXCEPTIONS,
	    SQ_ARGS(sq_t(a->ca), sq_i(sq_writer_now(w) / 1000), sq_t(a->who)), &exceptions, err);

	return rc == RC_OK ? audit(w, a, exceptions, err) : rc;
}

static enum rc
forget_step(struct sq_writer *w, void *arg, struct err *err)
{
	struct sq_conn *c = sq_writer_conn(w);
	struct forget_args *a = arg;
	struct store_figures before;
	enum rc rc = page_read(c, a, err);

	if (rc == RC_OK)
		rc = sqlite_figures_read(c, &before, err);
	if (rc == RC_OK && a->who != NULL)
		rc = begin(w, a, err);
	for (size_t i = 0; rc == RC_OK && i < a->n; i++)
		rc = forget_cert(c, a->ids[i], err);
	if (rc == RC_OK)
		rc = sq_exec(c, Q_FORGET_SWEEP, SQ_NO_ARGS, NULL, err);
	if (rc == RC_OK)
		rc = sq_exec(c, Q_FORGET_FIGURES,
		    SQ_ARGS(sq_i((int64_t)before.certs - (int64_t)a->n)), NULL, err);
	return rc == RC_OK && a->n < PAGE ? forget_rest(c, a->ca, err) : rc;
}

enum rc
sqlite_foreign_forget(struct store *s, const char *ca, const char *who, size_t *n, struct err *err)
{
	struct forget_args a = { .ca = ca, .who = who };
	enum rc rc = sq_write(sq_store_writer(s), forget_step, &a, err);

	if (rc == RC_OK)
		*n = a.n;
	return rc;
}
