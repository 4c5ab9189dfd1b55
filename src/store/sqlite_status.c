/*
 * sqlite_status.c - causes, and the one status of a certificate that follows from them.
 *
 * Within one step: the cause is written, all causes of the certificate are read, and what follows goes into
 * its row (revoked, reason, revoked_why) and, if that is another status than before, takes the next number
 * of the sequence (status_change).
 */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "store/sqlite.h"
#include "store/store_audit.h"

#define EXPIRE_MAX 200 /* holds that end in one commit */

/* ---- reading ---- */

static enum rc
causes_read(struct sq_conn *c, int64_t cert, struct store_status *s, struct err *err)
{
	struct sq_cursor cur;
	bool row = true;
	enum rc rc;

	rc = sq_query(&cur, c, Q_CAUSE_EACH, SQ_ARGS(sq_i(cert)), err);
	if (rc == RC_OK && (s->causes = calloc(CAUSE_COUNT_MAX, sizeof(s->causes[0]))) == NULL)
		rc = fail(err, RC_NOMEM, "no memory for the causes of a status");
	while (rc == RC_OK && (rc = sq_next(&cur, &row, err)) == RC_OK && row) {
		struct store_cause *k = &s->causes[s->n_causes];

		if (s->n_causes == CAUSE_COUNT_MAX) {
			rc = fail(err, RC_LIMIT, "a certificate with more than %d causes",
			    CAUSE_COUNT_MAX);
			break;
		}
		s->n_causes++;
		k->source = (enum cause_source)sq_take_int(&cur);
		sq_take_into(&cur, k->rule, sizeof(k->rule));
		k->effect = (enum cause_effect)sq_take_int(&cur);
		k->reason = (int)sq_take_int(&cur);
		k->since = sq_take_int(&cur);
		k->until = sq_take_int(&cur);
		k->who = sq_take_text(&cur);
		k->comment = sq_take_text(&cur);
		rc = sq_took(&cur, err);
	}
	sq_end(&cur);
	return rc;
}

static enum rc
status_read(
    struct sq_conn *c, const struct store_cert_name *name, struct store_status *s, struct err *err)
{
	int64_t id = 0, revoked = 0;
	enum rc rc = sqlite_cert_find(c, name, &id, &revoked, err);

	if (rc == RC_OK)
		rc = sq_number_of(c, Q_CERT_END, SQ_ARGS(sq_i(id)), &s->expires, err);
	if (rc == RC_OK)
		rc = causes_read(c, id, s, err);
	if (rc == RC_OK)
		store_status_derive(s);
	return rc;
}

enum rc
sqlite_status_get(
    struct store *s, const struct store_cert_name *name, struct store_status *out, struct err *err)
{
	struct store_status got = { 0 };
	struct sq_conn *c;
	enum rc rc = sq_reader_get(&c, s, err);

	if (rc != RC_OK)
		return rc;
	rc = status_read(c, name, &got, err);
	sq_reader_put(s, c);
	if (rc == RC_OK)
		*out = got;
	else
		store_status_done(&got);
	return rc;
}

enum rc
sqlite_status_number(struct store *s, uint64_t *number, struct err *err)
{
	struct sq_conn *c;
	int64_t n = 0;
	enum rc rc = sq_reader_get(&c, s, err);

	if (rc != RC_OK)
		return rc;
	rc = sq_number(c, Q_STATUS_NUMBER, &n, err);
	sq_reader_put(s, c);
	if (rc == RC_OK)
		*number = (uint64_t)n;
	return rc;
}

/* ---- what follows ---- */

/* For lists, which show one line and do not read causes. */
static enum rc
why_of(char **why, const struct store_status *s, struct err *err)
{
	const struct store_cause *c = s->causes;

	*why = NULL;
	if (s->state == CERT_GOOD)
		return RC_OK;
	if (c->source == CAUSE_RULE)
		return str_format(why, err, "rule %s%s%s", c->rule, c->comment ? ": " : "",
		    c->comment ? c->comment : "");
	if (c->comment != NULL)
		return str_format(why, err, "%s", c->comment);
	return c->source == CAUSE_MANUAL ? RC_OK
					 : str_format(why, err, "%s", cause_source_name(c->source));
}

/* The certificate's row as its causes say; *s is what they are now. */
static enum rc
settle(struct sq_writer *w, int64_t cert, const struct store_status *s, bool moved, struct err *err)
{
	struct sq_conn *c = sq_writer_conn(w);
	char *why = NULL;
	enum rc rc = why_of(&why, s, err);

	if (rc == RC_OK)
		rc = sq_exec(c, Q_CERT_REVOKE,
		    SQ_ARGS(sq_i(cert), sq_i(s->since), sq_i(s->reason), sq_t(why)), NULL, err);
	free(why);
	if (rc == RC_OK && moved)
		rc = sq_exec(c, Q_STATUS_CHANGED,
		    SQ_ARGS(sq_i(cert), sq_i(sq_writer_now(w) / 1000)), NULL, err);
	return rc;
}

static const char *
event_of(const struct store_status *before, const struct store_status *after)
{
	if (before->state == after->state)
		return "cause";
	if (after->state == CERT_REVOKED)
		return "revoke";
	return after->state == CERT_HELD ? "cert-hold" : "cert-release";
}

/* By which name the trail has it. */
static enum rc
audit_name(struct buf *d, struct sq_conn *c, int64_t cert, struct err *err)
{
	char ca[STORE_NAME_MAX + 1];
	struct store_serial serial;
	struct sq_cursor cur;
	bool row = false;
	enum rc rc = sq_query(&cur, c, Q_CERT_NAME, SQ_ARGS(sq_i(cert)), err);

	if (rc == RC_OK)
		rc = sq_next(&cur, &row, err);
	if (rc == RC_OK && !row)
		rc = fail(
		    err, RC_INTEGRITY, "%s: certificate %lld is missing", c->path, (long long)cert);
	if (rc == RC_OK) {
		serial.len = sq_take_bytes(&cur, serial.v, sizeof(serial.v));
		sq_take_into(&cur, ca, sizeof(ca));
		rc = sq_took(&cur, err);
	}
	sq_end(&cur);
	if (rc == RC_OK) {
		audit_hex(d, "serial", serial.v, serial.len);
		audit_field(d, "ca", ca);
	}
	return rc;
}

static enum rc
audit(struct sq_writer *w, const char *event, const struct store_cause_set *v, int64_t cert,
    struct err *err)
{
	static const char *const effects[] = { "gone", "hold", "revoke" };
	struct buf d;
	enum rc rc;

	buf_init(&d, AUDIT_DETAIL_MAX);
	rc = audit_name(&d, sq_writer_conn(w), cert, err);
	if (v->effect == CAUSE_REVOKE)
		buf_addf(&d, " reason=%d", v->reason);
	audit_field(&d, "source", cause_source_name(v->source));
	audit_field(&d, "rule", v->rule);
	audit_field(&d, "cause", effects[v->effect]);
	audit_field(&d, "who", v->who);
	audit_field(&d, "why", v->comment);
	if (rc == RC_OK)
		rc = buf_ok(&d, "audit detail", err);
	if (rc == RC_OK)
		rc = sq_writer_audit(w, event, buf_str(&d), NULL, err);
	buf_done(&d);
	return rc;
}

static bool
same_text(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static const struct store_cause *
find(const struct store_status *s, const struct store_cause_set *v)
{
	for (size_t i = 0; i < s->n_causes; i++)
		if (s->causes[i].source == v->source &&
		    strcmp(s->causes[i].rule, v->rule == NULL ? "" : v->rule) == 0)
			return &s->causes[i];
	return NULL;
}

/* What the wish comes to beside the cause that stands there.  The words of a rule change with the directory's
 * and are no change of the cause. */
static enum cause_outcome
judge(const struct store_cause *old, const struct store_cause_set *v)
{
	if (old == NULL)
		return v->effect == CAUSE_GONE ? CAUSE_AS_IT_WAS : CAUSE_SET;
	if (old->effect == CAUSE_REVOKE)
		return v->effect == CAUSE_REVOKE ? CAUSE_AS_IT_WAS : CAUSE_IS_FINAL;
	if (v->effect == CAUSE_HOLD && old->until == v->until &&
	    (v->source == CAUSE_RULE || same_text(old->comment, v->comment)))
		return CAUSE_AS_IT_WAS;
	return CAUSE_SET;
}

/* A cause that turns from a hold into a revocation begins anew. */
static enum rc
write_cause(struct sq_writer *w, int64_t cert, const struct store_cause *old,
    const struct store_cause_set *v, struct err *err)
{
	struct sq_conn *c = sq_writer_conn(w);
	const char *rule = v->rule == NULL ? "" : v->rule;
	int64_t since = sq_writer_now(w) / 1000;

	if (v->effect == CAUSE_GONE)
		return sq_exec(
		    c, Q_CAUSE_DROP, SQ_ARGS(sq_i(cert), sq_i(v->source), sq_t(rule)), NULL, err);
	if (old != NULL && old->effect == v->effect)
		since = old->since;
	else if (v->since > 0 && v->since < since)
		since = v->since;
	return sq_exec(c, Q_CAUSE_PUT,
	    SQ_ARGS(sq_i(cert), sq_i(v->source), sq_t(rule), sq_i(v->effect),
		sq_i(v->effect == CAUSE_HOLD ? REASON_HOLD : v->reason), sq_i(since),
		sq_i(v->effect == CAUSE_HOLD ? v->until : 0), sq_t(v->who), sq_t(v->comment)),
	    NULL, err);
}

/*
 * Whether a change goes into the audit trail by itself.  What is written there stays for ever, and how often a foreign CA
 * puts a certificate on its list and takes it off again is that CA's to decide: past ISSUER_TURNS_TOLD of a certificate, and
 * for rows that are there because the list names them, the caller counts (store_cause_done.untold).
 */
static enum rc
is_told(
    bool *told, struct sq_writer *w, int64_t cert, const struct store_cause_set *v, struct err *err)
{
	struct sq_conn *c = sq_writer_conn(w);
	struct sq_cursor cur;
	bool row = false, bare = false;
	int64_t n = 0;
	enum rc rc;

	*told = true;
	if (v->source != CAUSE_ISSUER || v->effect == CAUSE_REVOKE)
		return RC_OK;
	rc = sq_query(&cur, c, Q_ISSUER_TURNS, SQ_ARGS(sq_i(cert)), err);
	if (rc == RC_OK && (rc = sq_next(&cur, &row, err)) == RC_OK && row) {
		bare = sq_take_int(&cur) != 0;
		n = sq_take_int(&cur);
	}
	sq_end(&cur);
	*told = !bare && n < ISSUER_TURNS_TOLD;
	return rc == RC_OK && *told && v->effect == CAUSE_GONE
	    ? sq_exec(c, Q_ISSUER_TURNED, SQ_ARGS(sq_i(cert)), NULL, err)
	    : rc;
}

static enum rc
change(struct sq_writer *w, int64_t cert, const struct store_cause_set *v,
    const struct store_status *before, struct store_cause_done *done, struct err *err)
{
	struct store_status after = { 0 };
	bool told = true;
	enum rc rc = write_cause(w, cert, find(before, v), v, err);

	if (rc == RC_OK)
		rc = causes_read(sq_writer_conn(w), cert, &after, err);
	if (rc == RC_OK) {
		store_status_derive(&after);
		done->after = after.state;
		rc = settle(w, cert, &after,
		    before->state != after.state || before->reason != after.reason, err);
	}
	if (rc == RC_OK)
		rc = is_told(&told, w, cert, v, err);
	done->untold = !told;
	if (rc == RC_OK && told)
		rc = audit(w, event_of(before, &after), v, cert, err);
	store_status_done(&after);
	return rc;
}

enum rc
sqlite_cause_step(struct sq_writer *w, int64_t cert, const struct store_cause_set *v,
    struct store_cause_done *done, struct err *err)
{
	struct store_status before = { 0 };
	enum rc rc = causes_read(sq_writer_conn(w), cert, &before, err);

	if (rc == RC_OK) {
		store_status_derive(&before);
		done->before = done->after = before.state;
		done->outcome = judge(find(&before, v), v);
		if (done->outcome == CAUSE_SET)
			rc = change(w, cert, v, &before, done, err);
	}
	store_status_done(&before);
	return rc;
}

/* ---- many ---- */

struct set_args {
	const struct store_cause_set *v;
	const struct store_cert_name *names;
	size_t n;
	struct store_cause_done *done;
};

static enum rc
set_step(struct sq_writer *w, void *arg, struct err *err)
{
	const struct set_args *a = arg;
	enum rc rc = RC_OK;

	for (size_t i = 0; i < a->n && rc == RC_OK; i++) {
		struct store_cause_done one = { .outcome = CAUSE_NO_CERT };
		int64_t cert = 0, revoked;

		rc = sqlite_cert_find(sq_writer_conn(w), &a->names[i], &cert, &revoked, err);
		if (rc == RC_OK)
			rc = sqlite_cause_step(w, cert, &a->v[i], &one, err);
		else if (rc == RC_NOTFOUND)
			rc = RC_OK;
		if (a->done != NULL)
			a->done[i] = one;
	}
	return rc;
}

enum rc
sqlite_causes_set(struct store *s, const struct store_cause_set *v,
    const struct store_cert_name *names, size_t n, struct store_cause_done *done, struct err *err)
{
	struct set_args a = { v, names, n, done };

	return sq_write(sq_store_writer(s), set_step, &a, err);
}

/* ---- holds that end ---- */

struct expire_args {
	int64_t now;
	int64_t certs[EXPIRE_MAX];
	size_t n;
};

static enum rc
expired_read(struct sq_conn *c, struct expire_args *a, struct err *err)
{
	struct sq_cursor cur;
	bool row = true;
	enum rc rc =
	    sq_query(&cur, c, Q_CAUSE_EXPIRED, SQ_ARGS(sq_i(a->now), sq_i(EXPIRE_MAX)), err);

	while (
	    rc == RC_OK && a->n < EXPIRE_MAX && (rc = sq_next(&cur, &row, err)) == RC_OK && row) {
		a->certs[a->n] = sq_take_int(&cur);
		if ((rc = sq_took(&cur, err)) == RC_OK)
			a->n++;
	}
	sq_end(&cur);
	return rc;
}

static enum rc
expire_step(struct sq_writer *w, void *arg, struct err *err)
{
	static const struct store_cause_set over = {
		.source = CAUSE_MANUAL, .effect = CAUSE_GONE, .comment = "the hold's time is over"
	};
	struct expire_args *a = arg;
	struct store_cause_done done;
	enum rc rc = expired_read(sq_writer_conn(w), a, err);

	for (size_t i = 0; i < a->n && rc == RC_OK; i++)
		rc = sqlite_cause_step(w, a->certs[i], &over, &done, err);
	return rc;
}

enum rc
sqlite_holds_expire(struct store *s, int64_t now, size_t *n, struct err *err)
{
	struct expire_args a = { .now = now };
	enum rc rc = sq_write(sq_store_writer(s), expire_step, &a, err);

	if (rc == RC_OK)
		*n = a.n;
	return rc;
}
