/*
 * sqlite_end.c - how transactions end: with a certificate, refused, or with one that was never
 * handed out.  Each is several rows in one step: state, certificate, audit, outbox.
 */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "store/sqlite.h"
#include "store/store_audit.h"

/* What RETURNING tells of the row that was moved. */
struct moved {
	bool row;
	int64_t attempt;
	char *endpoint, *transaction_id, *authority;
	struct store_serial serial; /* length 0: none */
};

static void
moved_done(struct moved *m)
{
	free(m->endpoint);
	free(m->transaction_id);
	free(m->authority);
}

static void
serial_take(struct store_serial *out, struct sq_cursor *cur)
{
	size_t len;
	uint8_t *p = sq_take_blob(cur, &len);

	out->len = 0;
	if (p != NULL && len > sizeof(out->v)) {
		cur->rc = RC_INTEGRITY;
	} else if (p != NULL) {
		memcpy(out->v, p, len);
		out->len = len;
	}
	free(p);
}

/* ---- signed ---- */

struct signed_args {
	int64_t id;
	const struct store_cert *cert;
	const struct store_serial *serial, *replaces;
	bool notify;
};

/* reserved -> signed, for the serial number that was reserved and no other. */
static enum rc
signed_move(struct sq_writer *w, const struct signed_args *a, struct moved *m, struct err *err)
{
	struct sq_cursor cur;
	bool more = false;
	enum rc rc;

	rc = sq_query(&cur, sq_writer_conn(w), Q_TX_SIGNED,
	    SQ_ARGS(sq_i(a->id), sq_i(sq_writer_now(w)), sq_b(a->serial->v, a->serial->len),
		sq_i(a->notify)),
	    err);
	if (rc == RC_OK)
		rc = sq_next(&cur, &m->row, err);
	if (rc == RC_OK && m->row) {
		m->attempt = sq_take_int(&cur);
		m->authority = sq_take_text(&cur);
		m->transaction_id = sq_take_text(&cur);
		rc = sq_took(&cur, err);
		if (rc == RC_OK)
			rc = sq_next(&cur, &more, err);
	}
	sq_end(&cur);
	if (rc == RC_OK && !m->row)
		rc = sqlite_tx_why_not(
		    sq_writer_conn(w), a->id, "signed with this serial number", err);
	return rc;
}

static enum rc
signed_audit(struct sq_writer *w, const struct signed_args *a, const struct moved *m, int64_t *seq,
    struct err *err)
{
	const struct store_cert *c = a->cert;
	struct buf d;
	enum rc rc;

	buf_init(&d, AUDIT_DETAIL_MAX);
	audit_hex(&d, "serial", a->serial->v, a->serial->len);
	audit_field(&d, "ca", c->ca);
	audit_field(&d, "endpoint", c->endpoint);
	audit_field(&d, "profile", c->profile);
	audit_field(&d, "tx", m->transaction_id);
	audit_field(&d, "authority", m->authority);
	audit_field(&d, "subject", c->subject);
	audit_field(&d, "san", c->san);
	audit_field(&d, "thumbprint", c->thumbprint);
	if (a->replaces->len > 0)
		audit_hex(&d, "replaces", a->replaces->v, a->replaces->len);
	rc = buf_ok(&d, "audit detail", err);
	if (rc == RC_OK)
		rc = sq_writer_audit(w, "issue", buf_str(&d), seq, err);
	buf_done(&d);
	return rc;
}

static enum rc
cert_insert(struct sq_writer *w, const struct signed_args *a, int64_t audit, struct err *err)
{
	const struct store_cert *c = a->cert;
	int added = 0;
	enum rc rc = sq_exec(sq_writer_conn(w), Q_CERT_NEW,
	    SQ_ARGS(sq_b(a->serial->v, a->serial->len), sq_i(a->id), sq_i(audit),
		sq_i(sq_writer_now(w) / 1000), sq_i(c->not_before), sq_i(c->not_after), sq_t(c->ca),
		sq_t(c->endpoint), sq_t(c->profile), sq_t(c->subject), sq_t(c->san),
		sq_t(c->thumbprint), sq_b(c->der, c->der_len)),
	    &added, err);

	return rc == RC_OK && added == 0
	    ? fail(err, RC_CONFLICT, "the serial number is that of a certificate already")
	    : rc;
}

static enum rc
signed_step(struct sq_writer *w, void *arg, struct err *err)
{
	const struct signed_args *a = arg;
	struct moved m = { 0 };
	int64_t audit = 0, cert;
	enum rc rc;

	rc = signed_move(w, a, &m, err);
	if (rc == RC_OK)
		rc = signed_audit(w, a, &m, &audit, err);
	if (rc == RC_OK)
		rc = cert_insert(w, a, audit, err);
	cert = sqlite3_last_insert_rowid(sq_writer_conn(w)->db);
	if (rc == RC_OK && a->replaces->len > 0)
		rc = sqlite_renewal_step(w, a->replaces, a->cert->revoke_replaced, err);
	if (rc == RC_OK && a->cert->binding != NULL && a->cert->binding->state != BINDING_NONE)
		rc = sqlite_binding_put(w, cert, a->cert->binding, err);
	/* A failure of an earlier attempt is told no more, now that there is a certificate. */
	if (rc == RC_OK && m.attempt > 1)
		rc = sq_exec(
		    sq_writer_conn(w), Q_OUTBOX_DROP_EARLIER, SQ_ARGS(sq_i(a->id)), NULL, err);
	moved_done(&m);
	return rc;
}

enum rc
sqlite_tx_signed(struct store *s, int64_t id, const struct store_cert *cert,
    const struct store_serial *serial, const struct store_serial *replaces, bool notify,
    struct err *err)
{
	struct signed_args a = { id, cert, serial, replaces, notify };

	return sq_write(sq_store_writer(s), signed_step, &a, err);
}

/* ---- refused, undelivered ---- */

struct end_args {
	int64_t id;
	const struct store_ending *end;
};

static enum rc
end_move(struct sq_writer *w, enum sq_stmt move, const struct end_args *a, struct moved *m,
    struct err *err)
{
	struct sq_cursor cur;
	bool more = false;
	enum rc rc;

	rc = sq_query(&cur, sq_writer_conn(w), move,
	    SQ_ARGS(sq_i(a->id), sq_i(sq_writer_now(w)), sq_t(a->end->reason)), err);
	if (rc == RC_OK)
		rc = sq_next(&cur, &m->row, err);
	if (rc == RC_OK && m->row) {
		m->attempt = sq_take_int(&cur);
		m->endpoint = sq_take_text(&cur);
		m->transaction_id = sq_take_text(&cur);
		serial_take(&m->serial, &cur);
		rc = sq_took(&cur, err);
		if (rc == RC_OK)
			rc = sq_next(&cur, &more, err);
	}
	sq_end(&cur);
	return rc;
}

static enum rc
end_audit(struct sq_writer *w, const char *event, const struct end_args *a, const struct moved *m,
    struct err *err)
{
	struct buf d;
	enum rc rc;

	buf_init(&d, AUDIT_DETAIL_MAX);
	audit_field(&d, "endpoint", m->endpoint);
	audit_field(&d, "tx", m->transaction_id);
	if (m->serial.len > 0)
		audit_hex(&d, "serial", m->serial.v, m->serial.len);
	audit_field(&d, "reason", a->end->reason);
	rc = buf_ok(&d, "audit detail", err);
	if (rc == RC_OK)
		rc = sq_writer_audit(w, event, buf_str(&d), NULL, err);
	buf_done(&d);
	return rc;
}

/* Leave word for Intune, or nothing at all. */
static enum rc
end_outbox(struct sq_writer *w, const struct end_args *a, const struct moved *m, struct err *err)
{
	if (a->end->notify_failure)
		return sq_exec(sq_writer_conn(w), Q_OUTBOX_PUT,
		    SQ_ARGS(sq_i(a->id), sq_i(m->attempt), sq_i(sq_writer_now(w)),
			sq_i(a->end->hresult), sq_t(a->end->reason)),
		    NULL, err);
	return sq_exec(sq_writer_conn(w), Q_PENDING_DROP, SQ_ARGS(sq_i(a->id)), NULL, err);
}

/* What the attempt held elsewhere: a use of a one-time password, an administrator's attention. */
static enum rc
end_elsewhere(struct sq_writer *w, const struct end_args *a, const struct moved *m, struct err *err)
{
	enum rc rc = sqlite_otp_back_step(w, a->id, m->attempt, m->transaction_id, err);

	return rc != RC_OK
	    ? rc
	    : sq_exec(sq_writer_conn(w), Q_HOLD_END, SQ_ARGS(sq_i(a->id)), NULL, err);
}

static enum rc
refused_step(struct sq_writer *w, void *arg, struct err *err)
{
	const struct end_args *a = arg;
	struct moved m = { 0 };
	enum rc rc;

	rc = end_move(w, Q_TX_REFUSED, a, &m, err);
	if (rc == RC_OK && !m.row)
		rc = sqlite_tx_why_not(sq_writer_conn(w), a->id, "refused", err);
	if (rc == RC_OK)
		rc = end_audit(w, "refuse", a, &m, err);
	if (rc == RC_OK)
		rc = end_elsewhere(w, a, &m, err);
	if (rc == RC_OK)
		rc = end_outbox(w, a, &m, err);
	moved_done(&m);
	return rc;
}

enum rc
sqlite_tx_refuse_step(
    struct sq_writer *w, int64_t id, const struct store_ending *end, struct err *err)
{
	struct end_args a = { id, end };

	return refused_step(w, &a, err);
}

enum rc
sqlite_tx_refused(struct store *s, int64_t id, const struct store_ending *end, struct err *err)
{
	struct end_args a = { id, end };

	return sq_write(sq_store_writer(s), refused_step, &a, err);
}

/* An administrator may have been faster: then that revocation stands. */
static enum rc
revoke_unless_revoked(
    struct sq_writer *w, const struct store_serial *serial, const char *why, struct err *err)
{
	const struct store_cert_name name = { STORE_OURS, *serial };
	int64_t id = 0, revoked;
	enum rc rc = sqlite_cert_find(sq_writer_conn(w), &name, &id, &revoked, err);

	if (rc == RC_OK)
		rc = sqlite_cert_revoke_step(
		    w, id, CAUSE_UNDELIVERED, STORE_REASON_UNDELIVERED, why, err);
	return rc == RC_CONFLICT ? RC_OK : rc;
}

static enum rc
undelivered_step(struct sq_writer *w, void *arg, struct err *err)
{
	const struct end_args *a = arg;
	struct moved m = { 0 };
	enum rc rc;

	rc = end_move(w, Q_TX_UNDELIVERED, a, &m, err);
	if (rc == RC_OK && !m.row)
		rc = sqlite_tx_why_not(sq_writer_conn(w), a->id, "undelivered", err);
	if (rc == RC_OK)
		rc = end_audit(w, "undelivered", a, &m, err);
	if (rc == RC_OK)
		rc = revoke_unless_revoked(w, &m.serial, a->end->reason, err);
	if (rc == RC_OK)
		rc = end_elsewhere(w, a, &m, err);
	if (rc == RC_OK)
		rc = end_outbox(w, a, &m, err);
	moved_done(&m);
	return rc;
}

enum rc
sqlite_tx_undelivered(struct store *s, int64_t id, const struct store_ending *end, struct err *err)
{
	struct end_args a = { id, end };

	return sq_write(sq_store_writer(s), undelivered_step, &a, err);
}
