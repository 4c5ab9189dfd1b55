/*
 * authoriser_otp.c - one-time passwords: found by their hash (S33), good for whom they were made (S15),
 * as often as they were made for (R08).
 */
#include "base/log.h"
#include "base/text.h"
#include "scepd/authoriser_int.h"

/* Somebody has a password that he should not have, or has any more: worth a line that can be watched
 * for. */
static void
log_misuse(const struct question *q, const struct store_otp_row *row, const char *what)
{
	struct log_line l;

	log_begin(&l, LOG_WARN, "security");
	log_str(&l, "msg", what);
	log_str(&l, "endpoint", q->ep->name);
	log_str(&l, "ip", q->peer);
	log_str(&l, "tx", q->transaction_id);
	log_int(&l, "otp", row->id);
	log_str(&l, "made-by", row->who);
	log_str(&l, "used-for", row->last_transaction_id);
	log_end(&l);
}

/* What is over is a refusal, and never as good as no password at all (S05). */
static enum rc
check_state(const struct question *q, const struct store_otp_row *row, struct err *err)
{
	if (row->state == OTP_EXPIRED) {
		log_misuse(q, row, "a one-time password that has expired");
		(void)fail(err, RC_DENIED, "the one-time password has expired");
		return err_hint(err, "make a new one (scepctl otp new)");
	}
	if (row->state == OTP_REVOKED) {
		log_misuse(q, row, "a one-time password that was revoked");
		return fail(err, RC_DENIED, "the one-time password was revoked");
	}
	return RC_OK; /* used up: store_otp_take() knows whether by this very request */
}

static enum rc
take(const struct question *q, const struct store_otp_row *row, struct err *err)
{
	struct err why;
	enum rc rc = store_otp_take(q->s->store, row->id, q->tx_id, &why);

	if (rc == RC_OK)
		return RC_OK;
	if (rc != RC_DENIED) {
		*err = why;
		return rc;
	}
	/* Which request had it is for the log: whoever sends it now may have picked it up. */
	log_misuse(q, row, "a one-time password once more");
	(void)fail(err, RC_DENIED, "the one-time password is used up");
	return err_hint(err, "%s", why.msg);
}

/* Looks before it takes: a password is not spent on a request that it was not made for. */
static enum rc
judge(struct authorization **out, const struct question *q, const struct store_otp_row *row,
    struct one_time_password *otp, struct err *err)
{
	struct authorization *auth = NULL;
	enum rc rc;

	otp->id = row->id;
	otp->subject = row->subject;
	otp->san = row->san;
	if ((rc = check_state(q, row, err)) != RC_OK)
		return rc;
	if ((rc = authorise_otp(&auth, otp, q->profile, q->csr, err)) != RC_OK) {
		if (rc == RC_DENIED)
			log_misuse(q, row, "a one-time password for another name");
		return rc;
	}
	if ((rc = take(q, row, err)) == RC_OK)
		*out = auth;
	else
		authorization_free(auth);
	return rc;
}

enum rc
authoriser_otp(
    struct authorization **out, enum verdict *v, const struct question *q, struct err *err)
{
	struct one_time_password otp = { .subject = NULL };
	struct store_otp_row row;
	enum rc rc;

	if ((rc = one_time_password_sha256(otp.sha256, q->csr, err)) != RC_OK)
		return rc;
	rc = store_otp_find(q->s->store, q->ep->name, otp.sha256, &row, err);
	if (rc == RC_NOTFOUND) {
		rc = fail(err, RC_DENIED, "the one-time password is not known here");
		(void)err_hint(err,
		    "mistyped, made for another endpoint, or gone for a week: see scepctl otp "
		    "list");
	} else if (rc == RC_OK) {
		rc = judge(out, q, &row, &otp, err);
		store_otp_row_done(&row);
	}
	if (rc == RC_OK)
		*v = VERDICT_YES;
	metric_add(q->s->metrics, rc == RC_OK ? METRIC_OTP_TAKEN : METRIC_OTP_REFUSED,
	    rc == RC_OK || rc == RC_DENIED);
	return rc;
}
