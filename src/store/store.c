/*
 * store.c - the door of the store: arguments are checked here, then the backend's table is called.
 */
#include "store/store.h"

#include <string.h>

#include "base/limits.h"
#include "base/text.h"
#include "store/store_backend.h"
#include "store/store_check.h"

#define EVENT_MAX 64     /* bytes; a word */
#define LIST_MAX  10000u /* rows that a call may hand over as a list in memory */

static const struct store_backend *const backends[] = { &sqlite_backend };

#define N(a) (sizeof(a) / sizeof((a)[0]))

static enum rc
prepare_url(struct store **out, const char *url, bool shared, struct err *err)
{
	for (size_t i = 0; i < N(backends); i++) {
		const char *scheme = backends[i]->scheme;

		if (str_starts(url, scheme))
			return backends[i]->prepare(out, url + strlen(scheme), shared, err);
	}
	return fail(
	    err, RC_CONFIG, "the store's address is \"%s\" and must look like sqlite:FILE", url);
}

/* err->hint of a warning survives: a success writes none. */
static enum rc
open_whole(struct store **out, const char *url, bool shared, struct err *err)
{
	struct store *s = NULL;
	enum rc rc = prepare_url(&s, url, shared, err);

	if (rc == RC_OK && (rc = store_start(s, err)) != RC_OK)
		store_close(s);
	if (rc == RC_OK)
		*out = s;
	return rc;
}

enum rc
store_open(struct store **out, const char *url, struct err *err)
{
	return open_whole(out, url, false, err);
}

enum rc
store_open_shared(struct store **out, const char *url, struct err *err)
{
	return open_whole(out, url, true, err);
}

enum rc
store_prepare(struct store **out, const char *url, struct err *err)
{
	return prepare_url(out, url, false, err);
}

enum rc
store_start(struct store *s, struct err *err)
{
	return s->backend->start(s, err);
}

void
store_files(const struct store *s, void (*fn)(void *arg, const char *path), void *arg)
{
	s->backend->files(s, fn, arg);
}

void
store_close(struct store *s)
{
	if (s != NULL)
		s->backend->close(s);
}

enum rc
store_flush(struct store *s, struct err *err)
{
	return s->backend->flush(s, err);
}

static enum rc
ending_check(const struct store_ending *end, struct err *err)
{
	return check_text(end->reason, STORE_TEXT_MAX, true, "reason", err);
}

enum rc
store_tx_begin(struct store *s, const struct tx_key *key, const uint8_t *csr, size_t csr_len,
    struct store_tx *out, bool *fresh, struct err *err)
{
	enum rc rc;

	rc = check_text(key->endpoint, STORE_NAME_MAX, true, "endpoint", err);
	if (rc == RC_OK)
		rc = check_text(key->transaction_id, LIMIT_TXID, true, "transactionID", err);
	if (rc == RC_OK)
		rc = check_bytes(csr, csr_len, STORE_REQUEST_MAX, "certificate request", err);
	if (rc != RC_OK)
		return rc;
	return s->backend->tx_begin(s, key, csr, csr_len, out, fresh, err);
}

enum rc
store_tx_reserve(struct store *s, int64_t id, const char *authority, const char *serial_hex,
    const char *context, struct err *err)
{
	struct store_serial serial;
	enum rc rc;

	rc = check_text(authority, STORE_TEXT_MAX, true, "authority", err);
	if (rc == RC_OK)
		rc = check_text(context, STORE_TEXT_MAX, false, "context", err);
	if (rc == RC_OK)
		rc = check_serial(&serial, serial_hex, err);
	if (rc != RC_OK)
		return rc;
	return s->backend->tx_reserve(s, id, authority, &serial, context, err);
}

static enum rc
cert_check(const struct store_cert *c, struct err *err)
{
	const struct {
		const char *text, *name;
		size_t max;
		bool needed;
	} texts[] = {
		{ c->ca, "CA", STORE_NAME_MAX, true },
		{ c->endpoint, "endpoint", STORE_NAME_MAX, true },
		{ c->profile, "profile", STORE_NAME_MAX, true },
		{ c->subject, "subject", STORE_TEXT_MAX, false },
		{ c->san, "subject alternative name", STORE_TEXT_MAX, false },
		{ c->thumbprint, "thumbprint", EVENT_MAX, true },
	};
	enum rc rc = RC_OK;

	for (size_t i = 0; i < N(texts) && rc == RC_OK; i++)
		rc = check_text(texts[i].text, texts[i].max, texts[i].needed, texts[i].name, err);
	if (rc == RC_OK)
		rc = check_bytes(c->der, c->der_len, LIMIT_CERT, "certificate", err);
	return rc;
}

enum rc
store_tx_signed(
    struct store *s, int64_t id, const struct store_cert *cert, bool notify, struct err *err)
{
	struct store_serial serial, replaces = { .len = 0 };
	enum rc rc;

	rc = cert_check(cert, err);
	if (rc == RC_OK)
		rc = check_serial(&serial, cert->serial, err);
	if (rc == RC_OK && cert->replaces != NULL)
		rc = check_serial(&replaces, cert->replaces, err);
	if (rc != RC_OK)
		return rc;
	return s->backend->tx_signed(s, id, cert, &serial, &replaces, notify, err);
}

enum rc
store_tx_notified(struct store *s, int64_t id, struct err *err)
{
	return s->backend->tx_notified(s, id, err);
}

void
store_tx_delivered(struct store *s, int64_t id)
{
	s->backend->tx_delivered(s, id);
}

enum rc
store_tx_refused(struct store *s, int64_t id, const char *reason, bool notify_failure,
    int64_t hresult, struct err *err)
{
	struct store_ending end = { reason, notify_failure, hresult };
	enum rc rc = ending_check(&end, err);

	return rc != RC_OK ? rc : s->backend->tx_refused(s, id, &end, err);
}

enum rc
store_tx_undelivered(struct store *s, int64_t id, const char *reason, bool notify_failure,
    int64_t hresult, struct err *err)
{
	struct store_ending end = { reason, notify_failure, hresult };
	enum rc rc = ending_check(&end, err);

	return rc != RC_OK ? rc : s->backend->tx_undelivered(s, id, &end, err);
}

/* What a list in memory may hold, whatever the caller asks for. */
static size_t
list_max(size_t max)
{
	return max < LIST_MAX ? max : LIST_MAX;
}

enum rc
store_tx_unfinished(struct store *s, size_t max, struct store_tx **list, size_t *n, struct err *err)
{
	return s->backend->tx_unfinished(s, list_max(max), list, n, err);
}

enum rc
outbox_due(struct store *s, int64_t now_ms, size_t max, struct outbox_row **rows, size_t *n,
    struct err *err)
{
	return s->backend->outbox_due(s, now_ms, list_max(max), rows, n, err);
}

enum rc
outbox_done(struct store *s, int64_t id, struct err *err)
{
	return s->backend->outbox_done(s, id, err);
}

enum rc
outbox_retry(struct store *s, int64_t id, int64_t due_ms, struct err *err)
{
	return s->backend->outbox_retry(s, id, due_ms, err);
}

enum rc
store_cert_get(struct store *s, const char *serial_hex, const char *ca, struct store_cert_row *out,
    struct err *err)
{
	struct store_cert_name name;
	enum rc rc = check_name(&name, serial_hex, ca, err);

	return rc != RC_OK ? rc : s->backend->cert_get(s, &name, out, err);
}

enum rc
store_cert_same(struct store *s, const char *serial_hex, const uint8_t *der, size_t der_len,
    struct store_cert_row *out, struct err *err)
{
	struct store_serial serial;
	enum rc rc = check_serial(&serial, serial_hex, err);

	if (rc == RC_OK)
		rc = check_bytes(der, der_len, LIMIT_CERT, "certificate", err);
	return rc != RC_OK ? rc : s->backend->cert_same(s, &serial, der, der_len, out, err);
}

enum rc
store_cert_status(struct store *s, const char *serial_hex, const char *ca,
    struct store_cert_status *out, struct err *err)
{
	struct store_serial serial;
	enum rc rc = check_text(ca, STORE_NAME_MAX, true, "CA", err);

	if (rc == RC_OK)
		rc = check_serial(&serial, serial_hex, err);
	return rc != RC_OK ? rc : s->backend->cert_status(s, &serial, ca, out, err);
}

enum rc
store_cert_revoke(struct store *s, const char *serial_hex, const char *ca, int reason,
    const char *why, struct err *err)
{
	struct store_cert_name name;
	enum rc rc;

	/* RFC 5280 5.3.1: 0..10 without 7; 8 would un-revoke, and belongs to delta CRLs. */
	if (reason < 0 || reason > 10 || reason == 7 || reason == 8)
		return fail(err, RC_DENIED, "%d is no reason for a revocation", reason);
	rc = check_text(why, STORE_TEXT_MAX, false, "why", err);
	if (rc == RC_OK)
		rc = check_name(&name, serial_hex, ca, err);
	return rc != RC_OK ? rc : s->backend->cert_revoke(s, &name, reason, why, err);
}

enum rc
store_cert_page(struct store *s, const struct store_cert_filter *f, size_t max, int64_t *next,
    int (*fn)(void *arg, int64_t rowid, const struct store_cert_row *row), void *arg,
    struct err *err)
{
	return s->backend->cert_page(s, f, max, next, fn, arg, err);
}

enum rc
store_crl_numbers(struct store *s, const char *ca, unsigned n, uint64_t *first, struct err *err)
{
	enum rc rc = check_text(ca, STORE_NAME_MAX, true, "CA", err);

	if (rc == RC_OK && n == 0)
		rc = fail(err, RC_BUG, "no number of a CRL is asked for");
	return rc != RC_OK ? rc : s->backend->crl_numbers(s, ca, n, first, err);
}

enum rc
store_cert_brief_page(struct store *s, int64_t valid_at, int64_t *after, bool *more,
    int (*fn)(void *arg, const struct store_cert_brief *c), void *arg, struct err *err)
{
	return s->backend->cert_brief_page(s, valid_at, after, more, fn, arg, err);
}

enum rc
store_succession_read(struct store *s, struct store_succession *out, struct err *err)
{
	return s->backend->succession_read(s, out, err);
}

enum rc
store_rollover_set(struct store *s, const char *endpoint, const char *from_ca, const char *to_ca,
    unsigned share, const char *who, unsigned *before, struct err *err)
{
	const struct store_rollover_change change = { endpoint, from_ca, to_ca, share, who };
	enum rc rc;

	if (share > 100)
		return fail(err, RC_DENIED, "a share of %u percent", share);
	if ((rc = check_text(endpoint, STORE_NAME_MAX, true, "endpoint", err)) != RC_OK ||
	    (rc = check_text(from_ca, STORE_NAME_MAX, true, "CA", err)) != RC_OK ||
	    (rc = check_text(to_ca, STORE_NAME_MAX, true, "CA", err)) != RC_OK ||
	    (rc = check_text(who, STORE_TEXT_MAX, true, "who", err)) != RC_OK)
		return rc;
	return s->backend->rollover_set(s, &change, before, err);
}

enum rc
store_ca_retire(
    struct store *s, const char *ca, const char *who, const char *detail, struct err *err)
{
	enum rc rc;

	if ((rc = check_text(ca, STORE_NAME_MAX, true, "CA", err)) != RC_OK ||
	    (rc = check_text(who, STORE_TEXT_MAX, true, "who", err)) != RC_OK ||
	    (rc = check_text(detail, STORE_TEXT_MAX, false, "detail", err)) != RC_OK)
		return rc;
	return s->backend->ca_retire(s, ca, who, detail, err);
}

enum rc
store_audit(struct store *s, const char *event, const char *detail, struct err *err)
{
	enum rc rc = check_text(event, EVENT_MAX, true, "event", err);

	if (rc == RC_OK)
		rc = check_text(detail, STORE_TEXT_MAX, false, "detail", err);
	return rc != RC_OK ? rc : s->backend->audit(s, event, detail == NULL ? "" : detail, err);
}

enum rc
store_audit_verify(struct store *s, uint64_t *rows, struct err *err)
{
	return s->backend->audit_verify(s, rows, err);
}

enum rc
store_audit_each(struct store *s, int64_t after, size_t max,
    int (*fn)(void *arg, int64_t seq, int64_t when_ms, const char *event, const char *detail),
    void *arg, struct err *err)
{
	return s->backend->audit_each(s, after, max, fn, arg, err);
}

enum rc
store_stats(struct store *s, struct store_stats *out, struct err *err)
{
	return s->backend->stats(s, out, err);
}

enum rc
store_figures(struct store *s, struct store_figures *out, struct err *err)
{
	return s->backend->figures(s, out, err);
}

enum rc
store_backup(
    struct store *s, const char *path, store_progress_fn *progress, void *arg, struct err *err)
{
	return s->backend->backup(s, path, progress, arg, err);
}

enum rc
store_crl_skip(struct store *s, const char *ca, uint64_t by, const char *why, struct err *err)
{
	enum rc rc = check_text(ca, STORE_TEXT_MAX, true, "CA", err);

	if (rc == RC_OK)
		rc = check_text(why, STORE_TEXT_MAX, true, "reason", err);
	if (rc == RC_OK && by > STORE_SKIP_MAX)
		rc = fail(err, RC_LIMIT, "%llu CRL numbers are too many to leave out",
		    (unsigned long long)by);
	return rc == RC_OK ? s->backend->crl_skip(s, ca, by, why, err) : rc;
}

enum rc
store_spent_elsewhere(
    struct store *s, const char *why, uint64_t *otps, uint64_t *holds, struct err *err)
{
	enum rc rc = check_text(why, STORE_TEXT_MAX, true, "reason", err);

	return rc == RC_OK ? s->backend->spent_elsewhere(s, why, otps, holds, err) : rc;
}
