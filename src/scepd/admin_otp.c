/* admin_otp.c - /api/v1/otp: one-time passwords made, listed, revoked. */
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "ca/authorization.h"
#include "scepd/admin_int.h"

/* ---- making one ---- */

/* Nobody would ever refuse what an endpoint does not ask for. */
static enum rc
find_endpoint(struct endpoint **out, const struct admin_call *c, const char *name, struct err *err)
{
	struct endpoint *ep = scepd_endpoint(c->s, name, strlen(name));

	if (ep == NULL)
		return fail(err, RC_NOTFOUND, "there is no endpoint \"%.60s\"", name);
	if (ep->conf->challenge != CHALLENGE_OTP)
		return fail(err, RC_CONFIG, "endpoint %s takes no one-time passwords", ep->name);
	*out = ep;
	return RC_OK;
}

/* Somebody has to say whom it is for: whoever makes it, or every profile of the endpoint (S15). */
static enum rc
check_bound(const struct endpoint *ep, const struct admin_otp_ask *ask, struct err *err)
{
	const struct profile *const all[] = { ep->for_signature, ep->for_encryption,
		ep->for_general };
	const char *subject = ask->subject[0] != '\0' ? ask->subject : NULL,
		   *san = ask->san[0] != '\0' ? ask->san : NULL;
	struct err why = { 0 };
	enum rc rc = RC_OK;

	if ((subject != NULL || san != NULL) &&
	    (rc = one_time_password_check(subject, san, err)) != RC_OK)
		return rc;
	/* The device's key usage chooses among profiles: one that lets it in is enough. */
	for (size_t i = 0; subject != NULL && i < sizeof(all) / sizeof(all[0]); i++)
		if ((rc = otp_subject_check(subject, all[i], err)) == RC_OK)
			break;
	if (rc != RC_OK)
		return rc;
	for (size_t i = 0; subject == NULL && i < sizeof(all) / sizeof(all[0]); i++)
		if (profile_check_bounded(all[i], &why) != RC_OK)
			return fail(err, RC_CONFIG,
			    "subject is needed, since profile %.60s does not bound who may be "
			    "named",
			    all[i]->name);
	return RC_OK;
}

static enum rc
find_lifetime(int64_t *out, const struct endpoint *ep, int64_t asked, struct err *err)
{
	char most[DURATION_TEXT_MAX];

	*out = asked != 0 ? asked : ep->conf->otp.lifetime;
	if (*out <= ep->conf->otp.max_lifetime)
		return RC_OK;
	duration_text(most, ep->conf->otp.max_lifetime);
	return fail(err, RC_CONFIG, "lifetime is more than %s, endpoint %s's otp.max_lifetime",
	    most, ep->name);
}

enum rc
admin_otp_make(struct admin_otp *out, const struct admin_call *c, const struct admin_otp_ask *ask,
    enum otp_form form, struct err *err)
{
	struct store_otp row = { .subject = ask->subject[0] != '\0' ? ask->subject : NULL,
		.san = ask->san[0] != '\0' ? ask->san : NULL,
		.comment = ask->comment[0] != '\0' ? ask->comment : NULL,
		.uses = ask->uses,
		.who = c->who };
	struct endpoint *ep = NULL;
	int64_t lifetime = 0;
	enum rc rc;

	if ((rc = find_endpoint(&ep, c, ask->endpoint, err)) != RC_OK ||
	    (rc = check_bound(ep, ask, err)) != RC_OK ||
	    (rc = find_lifetime(&lifetime, ep, ask->lifetime, err)) != RC_OK ||
	    (rc = otp_make(&out->secret, form, err)) != RC_OK)
		return rc;
	row.endpoint = ep->name;
	row.expires = out->expires = clock_now_ms() + lifetime * 1000;
	memcpy(row.sha256, out->secret.sha256, sizeof(row.sha256));
	if ((rc = store_otp_add(c->s->store, &row, 1, &out->id, err)) != RC_OK)
		otp_done(&out->secret);
	return rc;
}

static json_t *
made_json(const struct admin_otp *otp, const struct admin_otp_ask *ask)
{
	return json_pack("{s:I, s:s, s:s, s:o, s:i}", "id", (json_int_t)otp->id, "secret",
	    otp->secret.text, "endpoint", ask->endpoint, "expires",
	    json_time_or_null(otp->expires / 1000), "uses", (int)ask->uses);
}

void
admin_otp_new(struct admin_call *c)
{
	struct admin_otp_ask ask;
	struct admin_otp otp;
	struct err err = { 0 };

	if (admin_otp_parse(&ask, c->req->body, c->req->body_len, &err) == RC_OK &&
	    admin_otp_make(&otp, c, &ask, OTP_GROUPS, &err) == RC_OK) {
		admin_log(c, "otp-new", otp.id, NULL);
		admin_reply_json(c->reply, 201, made_json(&otp, &ask));
		otp_done(&otp.secret);
	} else {
		admin_log(c, "otp-new", 0, &err);
		admin_reply_error(c->reply, &err);
	}
}

/* ---- looking ---- */

static json_t *
row_json(const struct store_otp_row *r)
{
	return json_pack("{s:I, s:s, s:s, s:o, s:o, s:i, s:i, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
	    "id", (json_int_t)r->id, "state", otp_state_name(r->state), "endpoint", r->endpoint,
	    "subject", json_text_or_null(r->subject), "san", json_text_or_null(r->san), "uses",
	    (int)r->uses, "used", (int)r->used, "created", json_time_or_null(r->created / 1000),
	    "expires", json_time_or_null(r->expires / 1000), "revoked",
	    json_time_or_null(r->revoked / 1000), "lastUsed",
	    json_time_or_null(r->last_used / 1000), "lastTransactionId",
	    json_text_or_null(r->last_transaction_id), "madeBy", json_text_or_null(r->who),
	    "comment", json_text_or_null(r->comment));
}

static int
add_otp(void *arg, const struct store_otp_row *row)
{
	return admin_list_add(arg, row->id, row_json(row));
}

void
admin_otp_list(struct admin_call *c)
{
	struct store_otp_filter f = { .endpoint = NULL };
	struct admin_list l;
	struct err err = { 0 };
	enum rc rc = admin_list_begin(&l, c, &err);

	if (rc == RC_OK && l.page.state[0] != '\0' && strcmp(l.page.state, "live") != 0)
		rc = fail(&err, RC_PARSE, "state is live, or not given");
	if (rc == RC_OK) {
		f.endpoint = l.page.endpoint[0] != '\0' ? l.page.endpoint : NULL;
		f.live = l.page.state[0] != '\0';
		f.after_id = l.page.after;
		rc = store_otp_each(c->s->store, &f, l.page.limit, add_otp, &l, &err);
	}
	admin_list_reply(&l, c, rc, &err);
}

void
admin_otp_show(struct admin_call *c)
{
	struct store_otp_row row;
	struct err err = { 0 };

	if (store_otp_get(c->s->store, c->id, &row, &err) != RC_OK) {
		admin_reply_error(c->reply, &err);
		return;
	}
	admin_reply_json(c->reply, 200, row_json(&row));
	store_otp_row_done(&row);
}

void
admin_otp_revoke(struct admin_call *c)
{
	struct err err = { 0 };

	if (store_otp_revoke(c->s->store, c->id, c->who, "by the admin API", &err) != RC_OK) {
		admin_log(c, "otp-revoke", c->id, &err);
		admin_reply_error(c->reply, &err);
		return;
	}
	admin_log(c, "otp-revoke", c->id, NULL);
	c->reply->status = 204;
}
