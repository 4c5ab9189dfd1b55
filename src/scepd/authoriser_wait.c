/*
 * authoriser_wait.c - the kinds where a decision may take its time: an administrator's, or that of a
 * webhook that says "wait".  What waits is a row of the store's (store_hold()), durable and bounded.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "scepd/authoriser_int.h"
#include "scepd/webhook.h"

/* What an authority's ask() works with; `name` is the authority's, once it is known. */
struct waiting {
	const struct question *q;
	bool waits; /* there is no decision yet */
	char name[160];
};

/* ---- the row that waits ---- */

/* A decision is about what can be read, and a name that is not shown would be issued all the same. */
static enum rc
check_shown(const struct buf *b, const char *what, struct err *err)
{
	enum rc rc = buf_ok(b, what, err);

	if (rc != RC_OK || b->len <= STORE_HOLD_TEXT_MAX)
		return rc;
	(void)fail(err, RC_DENIED, "the %s: more than an administrator can be shown", what);
	return err_hint(
	    err, "as text they have %zu bytes, and %d is the most", b->len, STORE_HOLD_TEXT_MAX);
}

static enum rc
hold_row(struct store_hold *out, const struct question *q, struct err *err)
{
	struct store_hold_ask ask = { .profile = q->profile->name,
		.key = key_info0(csr_key0(q->csr))->name,
		.peer = q->peer,
		.lifetime_ms = q->ep->conf->decide_within * 1000 };
	struct buf subject, san;
	enum rc rc;

	buf_init(&subject, LIMIT_CSR * 4);
	buf_init(&san, LIMIT_CSR * 4);
	name_text(&subject, csr_subject0(q->csr));
	san_list_text(&san, &csr_wishes0(q->csr)->san);
	if ((rc = check_shown(&subject, "subject", err)) == RC_OK &&
	    (rc = check_shown(&san, "alternative names", err)) == RC_OK) {
		ask.subject = buf_str(&subject);
		ask.san = san.len > 0 ? buf_str(&san) : NULL;
		rc = store_hold(q->s->store, q->tx_id, &ask, out, err);
	}
	buf_done(&subject);
	buf_done(&san);
	return rc;
}

static enum rc
verdict_of(struct waiting *w, const struct store_hold *h, struct err *err)
{
	const char *who = h->who != NULL ? h->who : "an administrator";

	switch (h->verdict) {
	case HOLD_APPROVED:
		(void)snprintf(w->name, sizeof(w->name), "approval:%.120s", who);
		return RC_OK;
	case HOLD_PENDING:
		w->waits = true;
		return fail(err, RC_CONFLICT, "nobody has decided yet");
	case HOLD_DENIED:
		(void)fail(err, RC_DENIED, "an administrator has refused the request");
		return err_hint(err, "%.80s: %.100s", who, h->reason != NULL ? h->reason : "");
	default:
		return fail(err, RC_DENIED, "nobody has decided on the request in time");
	}
}

/* Let it wait, or see what has become of that. */
static enum rc
hold(struct waiting *w, struct err *err)
{
	struct store_hold h;
	enum rc rc = hold_row(&h, w->q, err);

	if (rc == RC_LIMIT)
		return err_hint(err, "decide on some: scepctl requests list");
	if (rc != RC_OK)
		return rc;
	rc = verdict_of(w, &h, err);
	store_hold_done(&h);
	return rc;
}

/* authorise_by(), where "not yet" is an answer as well. */
static enum rc
ask_waiting(struct authorization **out, enum verdict *v, struct waiting *w,
    const struct authority *a, struct err *err)
{
	enum rc rc = authorise_by(out, a, w->q->csr, w->q->transaction_id, err);

	if (w->waits) {
		*v = VERDICT_WAIT;
		return RC_OK;
	}
	if (rc == RC_OK)
		*v = VERDICT_YES;
	return rc;
}

/* ---- approval ---- */

static enum rc
ask_administrator(void *ctx, const struct csr *csr, const char *transaction_id, struct err *err)
{
	return hold(ctx, err);
}

enum rc
authoriser_approval(
    struct authorization **out, enum verdict *v, const struct question *q, struct err *err)
{
	struct waiting w = { .q = q, .name = "approval" };
	const struct authority a = { w.name, ask_administrator, &w, .no_challenge = true };
	enum rc rc = authoriser_check_secret(q, err);

	return rc == RC_OK ? ask_waiting(out, v, &w, &a, err) : rc;
}

/* ---- webhook ---- */

/* If the request waited, its row gets the decision, so that lists and the audit tell it; but an administrator's no
 * stands until the request would have expired, whatever the webhook says later. */
static enum rc
note_decision(const struct question *q, const char *reason, struct err *err)
{
	struct store_hold h;
	enum hold_verdict was;
	bool stands;
	enum rc rc = store_hold_get(q->s->store, q->tx_id, &h, err);

	if (rc == RC_NOTFOUND)
		return RC_OK;
	if (rc != RC_OK)
		return rc;
	was = h.verdict;
	stands = h.expires > clock_now_ms();
	store_hold_done(&h);
	if (was == HOLD_DENIED && stands)
		return fail(err, RC_DENIED, "an administrator has refused the request");
	if (was != HOLD_PENDING)
		return RC_OK;
	rc = store_hold_decide(q->s->store, q->tx_id, HOLD_APPROVED, "webhook",
	    reason[0] != '\0' ? reason : NULL, err);
	return rc == RC_CONFLICT ? RC_OK : rc; /* an administrator was faster */
}

static enum rc
obey(struct waiting *w, const struct webhook_answer *answer, struct err *err)
{
	switch (answer->says) {
	case WEBHOOK_ALLOW:
		return note_decision(w->q, answer->reason, err);
	case WEBHOOK_WAIT:
		return hold(w, err);
	case WEBHOOK_DENY:
		break;
	}
	/* Its words are for the log: they may say more than a device has to know. */
	(void)fail(
	    err, RC_DENIED, "the webhook of endpoint %s refused the request", w->q->ep->name);
	return answer->reason[0] != '\0' ? err_hint(err, "it said: \"%.150s\"", answer->reason)
					 : RC_DENIED;
}

static enum rc
ask_service(void *ctx, const struct csr *csr, const char *transaction_id, struct err *err)
{
	struct waiting *w = ctx;
	const struct question *q = w->q;
	const struct webhook_question wq = { .endpoint = q->ep->name,
		.profile = q->profile->name,
		.transaction_id = transaction_id,
		.peer = q->peer,
		.replaces = q->replaces,
		.csr = csr };
	struct webhook_answer answer;
	enum rc rc;

	metric_add(q->s->metrics, METRIC_WEBHOOK_ASKED, 1);
	rc = webhook_ask(q->ep->webhook, &wq, &answer, err);
	if (rc != RC_OK && rc != RC_DENIED)
		metric_add(q->s->metrics, METRIC_WEBHOOK_ERRORS, 1);
	return rc == RC_OK ? obey(w, &answer, err) : rc;
}

enum rc
authoriser_webhook(
    struct authorization **out, enum verdict *v, const struct question *q, struct err *err)
{
	struct waiting w = { .q = q, .name = "webhook" };
	const struct authority a = { w.name, ask_service, &w, .no_challenge = true };
	enum rc rc = authoriser_check_secret(q, err);

	return rc == RC_OK ? ask_waiting(out, v, &w, &a, err) : rc;
}
