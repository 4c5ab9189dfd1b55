/*
 * msg_poll.c - CertPoll (RFC 8894 4.4): what has become of a request that waits.
 *
 * The request is found by its transactionID and the key that it was signed with (R34, R35, S13); the
 * names in the message are believed nothing.  What is found goes on where it stands, by the steps of
 * an enrolment.
 */
#include "base/clock.h"
#include "base/limits.h"
#include "scepd/pipeline_int.h"

/* One text: whoever tries transactionIDs learns nothing of others' requests. */
static enum rc
no_such(struct transaction *t, struct err *err)
{
	t->log.fail_info = SCEP_BAD_CERT_ID;
	(void)fail(err, RC_NOTFOUND, "no request of this transactionID and signer waits here");
	return err_hint(err,
	    "unknown transactionID, another key than the request was signed with, or answered long "
	    "ago");
}

static enum rc
find(struct transaction *t, struct err *err)
{
	uint8_t signer[32];
	enum rc rc;

	store_tx_done(&t->tx);
	t->tx = (struct store_tx){ 0 };
	if ((rc = signer_sha256(signer, t, err)) != RC_OK)
		return rc;
	rc = store_hold_find(t->s->store, t->ep->name, scep_message_transaction_id(t->message),
	    signer, &t->tx, NULL, err);
	return rc == RC_NOTFOUND ? no_such(t, err) : rc;
}

/* Twice: the second time nobody else works on it. */
static enum rc
find_and_enter(struct transaction *t, struct err *err)
{
	enum rc rc;

	if ((rc = find(t, err)) != RC_OK ||
	    (rc = transaction_enter(t, t->tx.csr_sha256, err)) != RC_OK)
		return rc;
	return find(t, err);
}

/* The request as it came, and its signer, as if it came again. */
static enum rc
take_kept(struct transaction *t, struct err *err)
{
	struct buf csr;
	enum rc rc;

	buf_init(&csr, STORE_REQUEST_MAX);
	rc = seal_unseal(
	    &csr, t->s->seal, t->tx.endpoint, t->tx.transaction_id, t->tx.csr, t->tx.csr_len, err);
	if (rc == RC_OK)
		rc = csr_parse(&t->csr, csr.data, csr.len, err);
	buf_wipe(&csr);
	if (rc != RC_OK)
		return fail(err, RC_IO, "the request that waits cannot be opened any more");
	t->own_key = key_same_public(csr_key0(t->csr), t->signer_key);
	enrol_took_csr(t);
	return enrol_check_signer(t, err);
}

/* What an administrator said of it is for the log: it may tell more than a device has to know. */
static enum rc
refused(struct transaction *t, struct err *err)
{
	const char *reason = t->tx.reason != NULL ? t->tx.reason : "the request was refused";

	t->log.fail_info = SCEP_BAD_REQUEST;
	if (t->tx.hold != HOLD_DENIED)
		return fail(err, RC_DENIED, "%s", reason);
	(void)fail(err, RC_DENIED, "an administrator has refused the request");
	return err_hint(err, "%s", reason);
}

static enum rc
go_on(struct transaction *t, struct err *err)
{
	enum rc rc;

	if (t->tx.state >= TX_REFUSED)
		return refused(t, err);
	t->log.repeated = t->tx.state >= TX_SIGNED;
	if (t->tx.state < TX_SIGNED)
		rc = take_kept(t, err);
	else
		rc = cert_parse(&t->cert, t->tx.cert, t->tx.cert_len, err);
	return rc == RC_OK ? enrol_take_up(t, err) : rc;
}

enum rc
msg_poll(struct transaction *t, struct err *err)
{
	enum rc rc;

	metric_add(t->s->metrics, METRIC_POLLS, 1);
	t->log.step = "poll";
	t->log.fail_info = SCEP_BAD_REQUEST;
	if ((rc = signer_take(t, err)) != RC_OK || (rc = find_and_enter(t, err)) != RC_OK ||
	    (rc = go_on(t, err)) != RC_OK)
		return rc;
	t->log.step = NULL;
	return enrol_go_on(t, err);
}
