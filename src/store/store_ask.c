/*
 * store_ask.c - the door of the store for what administrators decide and make: requests that wait,
 * one-time passwords, certificates that were renewed.
 */
#include "base/clock.h"
#include "base/limits.h"
#include "store/store_check.h"

#define WHO_MAX 256 /* bytes; "root (uid 0, sudo by jane)" */

#define N(a) (sizeof(a) / sizeof((a)[0]))

struct text_rule {
	const char *text, *name;
	size_t max;
	bool needed;
};

static enum rc
check_texts(const struct text_rule *t, size_t n, struct err *err)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; i < n && rc == RC_OK; i++)
		rc = check_text(t[i].text, t[i].max, t[i].needed, t[i].name, err);
	return rc;
}

/* ---- requests that wait ---- */

enum rc
store_hold(struct store *s, int64_t id, const struct store_hold_ask *ask, struct store_hold *out,
    struct err *err)
{
	const struct text_rule texts[] = {
		{ ask->profile, "profile", STORE_NAME_MAX, false },
		{ ask->subject, "subject", STORE_HOLD_TEXT_MAX, false },
		{ ask->san, "subject alternative name", STORE_HOLD_TEXT_MAX, false },
		{ ask->key, "key", STORE_NAME_MAX, false },
		{ ask->peer, "peer", STORE_NAME_MAX, false },
	};
	enum rc rc = check_texts(texts, N(texts), err);

	if (rc != RC_OK)
		return rc;
	if (ask->lifetime_ms < 1 || ask->lifetime_ms > STORE_HOLD_LIFETIME_MAX)
		return fail(err, RC_LIMIT, "a request cannot wait for %lld ms",
		    (long long)ask->lifetime_ms);
	return s->backend->hold(s, id, ask, out, err);
}

enum rc
store_hold_find(struct store *s, const char *endpoint, const char *transaction_id,
    const uint8_t signer_sha256[static 32], struct store_tx *tx, struct store_hold *out,
    struct err *err)
{
	const struct text_rule texts[] = {
		{ endpoint, "endpoint", STORE_NAME_MAX, true },
		{ transaction_id, "transactionID", LIMIT_TXID, true },
	};
	enum rc rc = check_texts(texts, N(texts), err);

	return rc != RC_OK
	    ? rc
	    : s->backend->hold_find(s, endpoint, transaction_id, signer_sha256, tx, out, err);
}

enum rc
store_hold_get(struct store *s, int64_t id, struct store_hold *out, struct err *err)
{
	return s->backend->hold_get(s, id, out, err);
}

enum rc
store_hold_decide(struct store *s, int64_t id, enum hold_verdict verdict, const char *who,
    const char *reason, struct err *err)
{
	const struct store_decision d = { verdict, who, reason };
	const struct text_rule texts[] = {
		{ who, "who", WHO_MAX, true },
		{ reason, "reason", STORE_HOLD_TEXT_MAX, false },
	};
	enum rc rc = check_texts(texts, N(texts), err);

	if (rc == RC_OK && verdict != HOLD_APPROVED && verdict != HOLD_DENIED)
		rc = fail(err, RC_BUG, "%s is no decision", hold_verdict_name(verdict));
	return rc != RC_OK ? rc : s->backend->hold_decide(s, id, &d, err);
}

enum rc
store_hold_resume(struct store *s, int64_t id, struct err *err)
{
	return s->backend->hold_resume(s, id, err);
}

enum rc
store_hold_sweep(struct store *s, int64_t now_ms, size_t *refused, struct err *err)
{
	return s->backend->hold_sweep(s, now_ms, refused, err);
}

enum rc
store_hold_each(struct store *s, const struct store_hold_filter *f, size_t max,
    int (*fn)(void *arg, const struct store_hold *row), void *arg, struct err *err)
{
	return s->backend->hold_each(s, f, max, fn, arg, err);
}

enum rc
store_hold_count(struct store *s, const char *endpoint, uint64_t *n, struct err *err)
{
	return s->backend->hold_count(s, endpoint, n, err);
}

/* ---- one-time passwords ---- */

static enum rc
otp_check(const struct store_otp *o, struct err *err)
{
	const struct text_rule texts[] = {
		{ o->endpoint, "endpoint", STORE_NAME_MAX, true },
		{ o->subject, "subject pattern", STORE_OTP_TEXT_MAX, false },
		{ o->san, "alternative name pattern", STORE_OTP_TEXT_MAX, false },
		{ o->who, "who", WHO_MAX, true },
		{ o->comment, "comment", STORE_OTP_TEXT_MAX, false },
	};
	enum rc rc = check_texts(texts, N(texts), err);

	if (rc == RC_OK && (o->uses < 1 || o->uses > STORE_OTP_USES_MAX))
		rc = fail(err, RC_LIMIT, "a one-time password has 1 to %d uses, not %u",
		    STORE_OTP_USES_MAX, o->uses);
	return rc;
}

enum rc
store_otp_add(
    struct store *s, const struct store_otp *otps, size_t n, int64_t *ids, struct err *err)
{
	int64_t now = clock_now_ms();
	enum rc rc = RC_OK;

	if (n < 1 || n > STORE_OTP_BATCH)
		return fail(err, RC_LIMIT, "1 to %d one-time passwords are made at once, not %zu",
		    STORE_OTP_BATCH, n);
	for (size_t i = 0; i < n && rc == RC_OK; i++) {
		rc = otp_check(&otps[i], err);
		if (rc == RC_OK &&
		    (otps[i].expires <= now || otps[i].expires - now > STORE_OTP_LIFETIME_MAX))
			rc = fail(err, RC_LIMIT,
			    "a one-time password lives for up to %lld days from now",
			    (long long)(STORE_OTP_LIFETIME_MAX / 86400000));
	}
	return rc != RC_OK ? rc : s->backend->otp_add(s, otps, n, ids, err);
}

enum rc
store_otp_find(struct store *s, const char *endpoint, const uint8_t sha256[static 32],
    struct store_otp_row *out, struct err *err)
{
	enum rc rc = check_text(endpoint, STORE_NAME_MAX, true, "endpoint", err);

	return rc != RC_OK ? rc : s->backend->otp_find(s, endpoint, sha256, out, err);
}

enum rc
store_otp_get(struct store *s, int64_t id, struct store_otp_row *out, struct err *err)
{
	return s->backend->otp_get(s, id, out, err);
}

enum rc
store_otp_take(struct store *s, int64_t otp_id, int64_t tx_id, struct err *err)
{
	return s->backend->otp_take(s, otp_id, tx_id, err);
}

enum rc
store_otp_revoke(struct store *s, int64_t id, const char *who, const char *why, struct err *err)
{
	const struct text_rule texts[] = {
		{ who, "who", WHO_MAX, true },
		{ why, "why", STORE_OTP_TEXT_MAX, false },
	};
	enum rc rc = check_texts(texts, N(texts), err);

	return rc != RC_OK ? rc : s->backend->otp_revoke(s, id, who, why, err);
}

enum rc
store_otp_sweep(struct store *s, int64_t now_ms, size_t *gone, struct err *err)
{
	return s->backend->otp_sweep(s, now_ms, gone, err);
}

enum rc
store_otp_each(struct store *s, const struct store_otp_filter *f, size_t max,
    int (*fn)(void *arg, const struct store_otp_row *row), void *arg, struct err *err)
{
	return s->backend->otp_each(s, f, max, fn, arg, err);
}

enum rc
store_otp_count(struct store *s, const char *endpoint, uint64_t *n, struct err *err)
{
	return s->backend->otp_count(s, endpoint, n, err);
}

/* ---- renewals ---- */

enum rc
store_renewal_get(struct store *s, const char *serial_hex, const char *ca,
    struct store_renewal *out, struct err *err)
{
	struct store_cert_name name;
	enum rc rc = check_name(&name, serial_hex, ca, err);

	return rc != RC_OK ? rc : s->backend->renewal_get(s, &name, out, err);
}

enum rc
store_replaced_revoke(
    struct store *s, int64_t now, struct store_replaced **list, size_t *n, struct err *err)
{
	return s->backend->replaced_revoke(s, now, list, n, err);
}
