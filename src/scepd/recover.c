/* recover.c - what a crash or an outage left unfinished: at start, and in the background. */
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "scepd/pipeline.h"

#define BATCH       64   /* rows per round: bounds memory, and how long one round can take */
#define START_BATCH 4096 /* at start: more than requests can be in flight at once */

/* A `signed` row this old has no worker any more: a tenant's timeout is two minutes at most. */
#define SIGNED_STALE_MS (300 * 1000LL)
/* Its device has long made another request; the certificate is revoked then. */
#define SIGNED_GIVE_UP_MS (24 * 3600 * 1000LL)
/* A failure notice that Intune did not take is repeated after this, then twice that ... */
#define RETRY_FIRST_MS   (30 * 1000LL)
#define RETRY_LONGEST_MS (3600 * 1000LL)
/* About half a day: Intune's own record of the request has long expired. */
#define RETRY_GIVE_UP 20

static bool
is_intune(const struct endpoint *ep)
{
	return ep->conf->challenge == CHALLENGE_INTUNE;
}

/* Tell Intune of a certificate, once more. */
static enum rc
tell_of(struct scepd *s, const struct endpoint *ep, const struct store_tx *tx,
    const struct buf *csr, struct err *err)
{
	struct intune_talk talk = { .tenant = ep->tenant };
	struct store_cert_row row;
	struct cert *cert = NULL;
	enum rc rc;

	if ((rc = cert_parse(&cert, tx->cert, tx->cert_len, err)) != RC_OK)
		return rc;
	/* The CA that issued it, which the endpoint may have left since. */
	if ((rc = store_cert_get(s->store, tx->serial, STORE_OURS, &row, err)) == RC_OK) {
		rc = tenant_notify_success(
		    &talk, tx->transaction_id, csr->data, csr->len, cert, row.ca, err);
		store_cert_row_done(&row);
	}
	cert_free(cert);
	if (rc == RC_OK)
		return store_tx_notified(s->store, tx->id, err);
	if (rc == RC_DENIED)
		return store_tx_undelivered(s->store, tx->id, err->msg, false, 0, err);
	/* Nobody there: the row stays, and a later round tries again; but not for ever. */
	if (clock_now_ms() - tx->changed > SIGNED_GIVE_UP_MS)
		return store_tx_undelivered(
		    s->store, tx->id, "Intune could not be told within a day", false, 0, err);
	return rc;
}

/* Without its request Intune cannot be told: the certificate is revoked, and the device asks anew. */
static enum rc
cannot_be_told(struct scepd *s, const struct store_tx *tx, struct err *err)
{
	log_msg(LOG_WARN, "recover",
	    "tx %s on %s is given up: %s (was " SEAL_KEY_NAME " replaced?)", tx->transaction_id,
	    tx->endpoint, err->msg);
	return store_tx_undelivered(
	    s->store, tx->id, "its request cannot be opened any more", false, 0, err);
}

/* A certificate that was signed, and of which Intune may or may not have heard: telling it twice is
 * harmless.  The caller holds the transaction. */
static enum rc
tell_again(struct scepd *s, const struct store_tx *tx, struct err *err)
{
	struct endpoint *ep = scepd_endpoint(s, tx->endpoint, strlen(tx->endpoint));
	struct buf csr;
	enum rc rc;

	if (ep == NULL)
		return store_tx_undelivered(
		    s->store, tx->id, "its endpoint is no longer configured", false, 0, err);
	if (!is_intune(ep))
		return store_tx_notified(s->store, tx->id, err);
	buf_init(&csr, STORE_REQUEST_MAX);
	rc =
	    seal_unseal(&csr, s->seal, tx->endpoint, tx->transaction_id, tx->csr, tx->csr_len, err);
	if (rc == RC_OK)
		rc = tell_of(s, ep, tx, &csr, err);
	else if (rc == RC_INTEGRITY || rc == RC_NOTFOUND)
		rc = cannot_be_told(s, tx, err);
	buf_wipe(&csr);
	return rc;
}

/* Unless a device that asks again has just taken the transaction up: then its worker does this. */
static enum rc
finish_signed(struct scepd *s, const struct store_tx *tx, struct err *err)
{
	uint8_t key[32];
	enum rc rc;

	if ((rc = inflight_key(key, tx->endpoint, tx->transaction_id, tx->csr_sha256, err)) !=
	    RC_OK)
		return rc;
	if (inflight_enter(s->inflight, key, clock_mono_ms(), NULL) != RC_OK)
		return RC_OK;
	rc = tell_again(s, tx, err);
	inflight_leave(s->inflight, key);
	return rc;
}

static void
left_as_is(const struct store_tx *tx, const struct err *why)
{
	log_msg(LOG_WARN, "recover", "tx %s on %s stays %s: %s", tx->transaction_id, tx->endpoint,
	    tx_state_name(tx->state), why->msg);
}

enum rc
pipeline_recover(struct scepd *s, struct err *err)
{
	struct store_tx *list;
	size_t n, undone = 0, wait = 0;
	enum rc rc;

	if ((rc = store_tx_unfinished(s->store, START_BATCH, &list, &n, err)) != RC_OK)
		return rc;
	for (size_t i = 0; i < n && rc == RC_OK; i++) {
		if (list[i].state >= TX_SIGNED) {
			wait++; /* pipeline_outbox() tells Intune */
			continue;
		}
		/* Nothing was signed, so nothing can be out: a device that asks again starts
		 * afresh. */
		rc = store_tx_refused(
		    s->store, list[i].id, "interrupted by a restart", false, 0, err);
		undone++;
	}
	store_tx_list_free(list, n);
	if (undone > 0 || wait > 0)
		log_msg(LOG_INFO, "recover",
		    "%zu interrupted transactions undone, %zu wait for Intune", undone, wait);
	return rc;
}

static int64_t
retry_delay(unsigned attempts)
{
	int64_t ms = RETRY_FIRST_MS;

	while (attempts-- > 0 && ms < RETRY_LONGEST_MS)
		ms *= 2;
	return ms < RETRY_LONGEST_MS ? ms : RETRY_LONGEST_MS;
}

/* Signed certificates whose worker is gone; returns how many could not be finished. */
static size_t
finish_orphans(struct scepd *s, int64_t now_ms, const atomic_bool *stop)
{
	int64_t stale = now_ms - SIGNED_STALE_MS;
	struct store_tx *list;
	size_t n, left = 0;
	struct err err;

	if (now_ms < s->orphans_due_ms)
		return 0;
	if (stale < s->started_ms)
		stale = s->started_ms; /* what is older than this process has no worker in it */
	if (store_tx_unfinished(s->store, BATCH, &list, &n, &err) != RC_OK) {
		log_msg(LOG_ERROR, "store", "unfinished transactions: %s", err.msg);
		return 1;
	}
	for (size_t i = 0; i < n && !*stop; i++) {
		if (list[i].state != TX_SIGNED || list[i].changed >= stale ||
		    finish_signed(s, &list[i], &err) == RC_OK)
			continue;
		left_as_is(&list[i], &err);
		left++;
	}
	store_tx_list_free(list, n);
	s->orphans_failed = left == 0 ? 0 : s->orphans_failed + 1;
	s->orphans_due_ms = left == 0 ? 0 : now_ms + retry_delay(s->orphans_failed - 1);
	return left;
}

/* RC_NOTFOUND, RC_INTEGRITY: it never can be told. */
static enum rc
tell_failure(struct scepd *s, const struct outbox_row *row, struct err *err)
{
	struct endpoint *ep = scepd_endpoint(s, row->endpoint, strlen(row->endpoint));
	struct buf csr;
	enum rc rc;

	if (ep == NULL || !is_intune(ep))
		return fail(err, RC_NOTFOUND, "endpoint %s asks Intune no longer", row->endpoint);
	buf_init(&csr, STORE_REQUEST_MAX);
	rc = seal_unseal(
	    &csr, s->seal, row->endpoint, row->transaction_id, row->csr, row->csr_len, err);
	if (rc == RC_OK)
		rc = tenant_notify_failure(ep->tenant, row->transaction_id, csr.data, csr.len,
		    row->hresult, row->text, err);
	buf_wipe(&csr);
	return rc;
}

/* Tell Intune of one failure; true when the row is settled. */
static bool
send_failure(struct scepd *s, const struct outbox_row *row, int64_t now_ms)
{
	struct err err;
	enum rc rc = tell_failure(s, row, &err);

	if (rc != RC_OK && rc != RC_DENIED && rc != RC_NOTFOUND && rc != RC_INTEGRITY &&
	    row->attempts < RETRY_GIVE_UP) {
		log_msg(LOG_WARN, "intune.notify", "failure of tx %s not reported yet: %s",
		    row->transaction_id, err.msg);
		if (outbox_retry(s->store, row->id, now_ms + retry_delay(row->attempts), &err) !=
		    RC_OK)
			log_msg(LOG_ERROR, "store", "outbox: %s", err.msg);
		return false;
	}
	if (rc == RC_OK)
		log_msg(
		    LOG_INFO, "intune.notify", "failure of tx %s reported", row->transaction_id);
	else
		log_msg(LOG_WARN, "intune.notify", "failure of tx %s given up: %s",
		    row->transaction_id, err.msg);
	if (outbox_done(s->store, row->id, &err) != RC_OK)
		log_msg(LOG_ERROR, "store", "outbox: %s", err.msg);
	return true;
}

size_t
pipeline_outbox(struct scepd *s, int64_t now_ms, const atomic_bool *stop)
{
	struct outbox_row *rows;
	size_t n, left;
	struct err err;

	left = finish_orphans(s, now_ms, stop);
	if (outbox_due(s->store, now_ms, BATCH, &rows, &n, &err) != RC_OK) {
		log_msg(LOG_ERROR, "store", "outbox: %s", err.msg);
		return left;
	}
	for (size_t i = 0; i < n && !*stop; i++)
		if (!send_failure(s, &rows[i], now_ms))
			left++;
	outbox_rows_free(rows, n);
	return left;
}
