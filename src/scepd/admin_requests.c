/* admin_requests.c - /api/v1/requests: what waits for an administrator, and his word. */
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "scepd/admin_int.h"

static json_t *
hold_json(const struct store_hold *h)
{
	char signer[65];

	hex_lower(signer, h->signer_sha256, sizeof(h->signer_sha256));
	return json_pack("{s:I, s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:s, s:o, s:o, s:o, "
			 "s:o, s:o, s:o}",
	    "id", (json_int_t)h->id, "verdict", hold_verdict_name(h->verdict), "state",
	    tx_state_name(h->state), "endpoint", h->endpoint, "transactionId", h->transaction_id,
	    "profile", json_text_or_null(h->profile), "subject", json_text_or_null(h->subject),
	    "san", json_text_or_null(h->san), "key", json_text_or_null(h->key), "peer",
	    json_text_or_null(h->peer), "signerSha256", signer, "held",
	    json_time_or_null(h->held / 1000), "expires", json_time_or_null(h->expires / 1000),
	    "decided", json_time_or_null(h->decided / 1000), "decidedBy", json_text_or_null(h->who),
	    "reason", json_text_or_null(h->reason), "serial", json_text_or_null(h->serial));
}

static int
add_hold(void *arg, const struct store_hold *row)
{
	return admin_list_add(arg, row->id, hold_json(row));
}

static enum rc
verdict_by_name(enum hold_verdict *out, const char *name, struct err *err)
{
	*out = HOLD_NONE; /* any */
	if (name[0] == '\0')
		return RC_OK;
	for (int v = HOLD_NONE + 1; v < HOLD__MAX; v++)
		if (strcmp(hold_verdict_name((enum hold_verdict)v), name) == 0) {
			*out = (enum hold_verdict)v;
			return RC_OK;
		}
	return fail(err, RC_PARSE, "state is pending, approved, denied or ended");
}

void
admin_requests_list(struct admin_call *c)
{
	struct store_hold_filter f = { .endpoint = NULL };
	struct admin_list l;
	struct err err = { 0 };
	enum rc rc;

	if ((rc = admin_list_begin(&l, c, &err)) == RC_OK &&
	    (rc = verdict_by_name(&f.verdict, l.page.state, &err)) == RC_OK) {
		f.endpoint = l.page.endpoint[0] != '\0' ? l.page.endpoint : NULL;
		f.after_id = l.page.after;
		rc = store_hold_each(c->s->store, &f, l.page.limit, add_hold, &l, &err);
	}
	admin_list_reply(&l, c, rc, &err);
}

static void
reply_hold(struct admin_call *c)
{
	struct store_hold h;
	struct err err = { 0 };

	if (store_hold_get(c->s->store, c->id, &h, &err) != RC_OK) {
		admin_reply_error(c->reply, &err);
		return;
	}
	admin_reply_json(c->reply, 200, hold_json(&h));
	store_hold_done(&h);
}

void
admin_requests_show(struct admin_call *c)
{
	reply_hold(c);
}

static void
decide(struct admin_call *c, enum hold_verdict verdict, const char *what)
{
	struct admin_decision d;
	struct err err = { 0 };

	if (admin_decision_parse(&d, c->req->body, c->req->body_len, &err) != RC_OK ||
	    store_hold_decide(c->s->store, c->id, verdict, c->who,
		d.reason[0] != '\0' ? d.reason : NULL, &err) != RC_OK) {
		admin_log(c, what, c->id, &err);
		admin_reply_error(c->reply, &err);
		return;
	}
	admin_log(c, what, c->id, NULL);
	reply_hold(c);
}

void
admin_requests_approve(struct admin_call *c)
{
	decide(c, HOLD_APPROVED, "approve");
}

void
admin_requests_deny(struct admin_call *c)
{
	decide(c, HOLD_DENIED, "deny");
}
