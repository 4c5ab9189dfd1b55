/*
 * msg_enrol.c - an enrolment, top to bottom.
 *
 * The steps stand in one table in the order in which they happen; each is durable in the store
 * before its effect can be seen. A step that the stored row has already passed is
 * skipped: that is how a repeated or interrupted transaction goes on where it stopped.
 */
#include <string.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "ca/binding.h"
#include "scep/request_csr.h"
#include "scepd/authoriser.h"
#include "scepd/hresult.h"
#include "scepd/pipeline_int.h"
#include "scepd/rollover.h"
#include "scepd/sid_guard.h"

/* A second copy of a request waits for the first; SCEP clients give up after about 30 s. */
#define INFLIGHT_WAIT_MS 25000

/* ---- the steps ---- */

/* The CSR, whose own signature is verified (S12, R50). */
static enum rc
take_csr(struct transaction *t, struct err *err)
{
	enum rc rc = scep_request_csr(&t->csr, &t->own_key, t->request, err);

	if (rc == RC_OK)
		enrol_took_csr(t);
	return rc;
}

void
enrol_took_csr(struct transaction *t)
{
	t->log.csr = t->csr;
	t->profile = t->log.profile = endpoint_profile(t->ep, t->csr);
}

/*
 * An elliptic key cannot take the reply in the ways that clients know, so some sign with an RSA key
 * that is good for nothing else, and have the reply encrypted to that (docs/security.md says what an attacker gains).
 */
static bool
is_transient(const struct transaction *t)
{
	return t->ep->conf->transient_signer && key_info0(csr_key0(t->csr))->type == KEY_EC &&
	    key_info0(t->signer_key)->type == KEY_RSA;
}

/* A throw-away certificate: the key that is to be certified, and a challenge. */
static enum rc
check_thrown_away(const struct transaction *t, struct err *err)
{
	if (scep_request_type(t->request) == SCEP_RENEWAL_REQ) {
		(void)fail(err, RC_DENIED,
		    "RFC 8894 2.4: a RenewalReq signed with a self-signed certificate proves "
		    "nothing");
		return err_hint(
		    err, "a renewal is signed with the certificate that it is to replace");
	}
	if (!t->own_key && !is_transient(t)) { /* S11 */
		(void)fail(err, RC_DENIED,
		    "RFC 8894 2.3: the message is signed with another key than the one in the "
		    "request");
		return err_hint(err,
		    "a first request is signed with the key it is for, a renewal with the "
		    "certificate that it is to replace");
	}
	return authoriser_check_form(t->ep, t->csr, err);
}

/* Whether the holder's certificate is enough: where the endpoint says so, and only without a challenge: one
 * that is there is asked for, so that a wrong one is refused (quirk 40). */
static enum rc
check_holder(struct transaction *t, struct err *err)
{
	const char *challenge;

	t->log.renewal = true;
	t->log.replaced = holder_serial(t->holder);
	if (csr_challenge0(t->csr, &challenge) != CSR_CHALLENGE_NONE ||
	    authoriser_renewal_asks(t->ep))
		return authoriser_check_form(t->ep, t->csr, err);
	t->by_certificate = true;
	return RC_OK;
}

/* RFC 8894 3.1: a key that can only sign takes a reply under the challenge, or none. */
static enum rc
check_way(const struct transaction *t, struct err *err)
{
	const char *challenge;

	if (scep_request_way(t->request) != SCEP_BY_PASSWORD ||
	    csr_challenge0(t->csr, &challenge) == CSR_CHALLENGE_ONE)
		return RC_OK;
	(void)fail(err, RC_ALG,
	    "the signer's key can only sign, and there is no challenge password for the reply");
	return err_hint(err,
	    "sign with a certificate that has keyAgreement among its key usages, or none of them");
}

enum rc
enrol_check_signer(struct transaction *t, struct err *err)
{
	enum rc rc;

	if (signer_is_throw_away(t))
		rc = check_thrown_away(t, err);
	else if ((rc = signer_prove(t, err)) == RC_OK)
		rc = check_holder(t, err);
	return rc == RC_OK ? check_way(t, err) : rc;
}

/* Who asks, before anything is written or anybody asked. */
static enum rc
take_signer(struct transaction *t, struct err *err)
{
	enum rc rc = signer_take(t, err);

	return rc == RC_OK ? enrol_check_signer(t, err) : rc;
}

enum rc
transaction_enter(struct transaction *t, const uint8_t csr_sha256[static 32], struct err *err)
{
	enum rc rc;

	if ((rc = inflight_key(t->key, t->ep->name, scep_message_transaction_id(t->message),
		 csr_sha256, err)) != RC_OK)
		return rc;
	if ((rc = inflight_enter(
		 t->s->inflight, t->key, clock_mono_ms() + INFLIGHT_WAIT_MS, err)) == RC_OK)
		t->entered = true;
	return rc;
}

static enum rc
find_or_begin(struct transaction *t, bool *fresh, struct err *err)
{
	const uint8_t *der;
	size_t len;
	uint8_t signer[32];
	struct tx_key key = { .endpoint = t->ep->name,
		.signer_sha256 = signer,
		.once = t->ep->conf->compat == COMPAT_STRICT };
	bool kept_for_later = authoriser_hears(t->ep) || authoriser_waits(t->ep);
	struct buf kept;
	enum rc rc;

	key.transaction_id = scep_message_transaction_id(t->message);
	key.csr_sha256 = csr_sha256(t->csr);
	if ((rc = signer_sha256(signer, t, err)) != RC_OK)
		return rc;
	/* Sealed, and only where Intune has to be told later what the request was, or somebody
	 * decides later. */
	der = csr_der0(t->csr, &len);
	buf_init(&kept, STORE_REQUEST_MAX);
	rc = seal_request(&kept, kept_for_later ? t->s->seal : NULL, key.endpoint,
	    key.transaction_id, der, len, err);
	if (rc == RC_OK)
		rc = store_tx_begin(t->s->store, &key, kept.data, kept.len, &t->tx, fresh, err);
	buf_done(&kept);
	return rc;
}

/* Nobody works on it (we hold the key) and nothing was signed: undo, start again. */
static enum rc
begin_anew(struct transaction *t, struct err *err)
{
	bool fresh;
	enum rc rc = store_tx_refused(t->s->store, t->tx.id, "interrupted", false, 0, err);

	if (rc != RC_OK)
		return rc;
	store_tx_done(&t->tx);
	return find_or_begin(t, &fresh, err);
}

/* It waits for a decision, or was let through and has not got its certificate yet. */
static bool
is_held(const struct transaction *t)
{
	return t->tx.state < TX_SIGNED &&
	    (t->tx.hold == HOLD_PENDING || t->tx.hold == HOLD_APPROVED);
}

enum rc
enrol_take_up(struct transaction *t, struct err *err)
{
	enum rc rc;

	if (t->tx.state != TX_RESERVED)
		return RC_OK;
	if ((rc = store_hold_resume(t->s->store, t->tx.id, err)) == RC_OK)
		t->tx.state = TX_RECEIVED;
	return rc;
}

/* The transaction's row: new, or as far as an earlier copy of this request came. */
static enum rc
begin(struct transaction *t, struct err *err)
{
	bool fresh = false;
	enum rc rc;

	if ((rc = transaction_enter(t, csr_sha256(t->csr), err)) != RC_OK ||
	    (rc = find_or_begin(t, &fresh, err)) != RC_OK)
		return rc;
	if (!fresh && t->tx.state < TX_SIGNED &&
	    (rc = is_held(t) ? enrol_take_up(t, err) : begin_anew(t, err)) != RC_OK)
		return rc;
	t->log.repeated = t->tx.state >= TX_SIGNED;
	if (t->tx.cert != NULL &&
	    (rc = cert_parse(&t->cert, t->tx.cert, t->tx.cert_len, err)) != RC_OK)
		return rc;
	fault_point("received");
	return RC_OK;
}

/*
 * From which CA.  What was signed keeps its own, whatever has been moved since; everybody else goes
 * by the RA that the request was enveloped to and by the endpoint's share.
 */
static enum rc
choose_ca(struct transaction *t, struct err *err)
{
	unsigned bucket = 0; /* any will do for a share of 0 */
	enum rc rc;

	if (t->cert != NULL) {
		rc = store_cert_get(t->s->store, t->tx.serial, STORE_OURS, &t->row, err);
		if (rc == RC_OK)
			t->log.ca = t->row.ca;
		return rc;
	}
	if (t->offer->plan.share > 0 &&
	    (rc = rollover_bucket(&bucket, t->ep->name, t->csr, err)) != RC_OK)
		return rc;
	if ((rc = offer_choose(
		 &t->sca, t->offer, scep_request_recipient(t->request), bucket, err)) != RC_OK)
		return rc;
	t->log.ca = t->sca->conf->name;
	return RC_OK;
}

/* S14: after Intune's yes, so that nobody can claim what is not his; Intune hears that the request
 * failed. */
static enum rc
claim_challenge(struct transaction *t, struct err *err)
{
	const char *challenge;
	enum rc rc;

	if (!authoriser_hears(t->ep) || t->ep->conf->reuse_challenge ||
	    csr_challenge0(t->csr, &challenge) != CSR_CHALLENGE_ONE)
		return RC_OK;
	rc = digest_bytes(t->challenge, DIGEST_SHA256, challenge, strlen(challenge), err);
	if (rc != RC_OK)
		return rc;
	rc = spent_claim(t->s->spent, t->challenge, t->key, clock_mono_ms(), err);
	if (rc == RC_DENIED)
		return err_hint(err,
		    "Intune makes another one when the device syncs; reuse_challenge: true would "
		    "let it through");
	t->claimed = rc == RC_OK;
	return rc;
}

static enum rc
authorise(struct transaction *t, struct err *err)
{
	enum verdict verdict;
	enum rc rc;
	const struct question q = { .s = t->s,
		.ep = t->ep,
		.csr = t->csr,
		.transaction_id = scep_message_transaction_id(t->message),
		.tx_id = t->tx.id,
		.talk = &t->talk,
		.peer = t->log.op->peer,
		.replaces = t->log.replaced,
		.profile = t->profile };

	if (t->by_certificate)
		return authorise_renewal(
		    &t->auth, t->holder, &t->ep->renewal, t->csr, clock_now(), err);
	if ((rc = authoriser_ask(&t->auth, &verdict, &q, err)) != RC_OK)
		return rc;
	if ((rc = claim_challenge(t, err)) != RC_OK)
		return rc;
	if (verdict == VERDICT_WAIT)
		t->answer = ANSWER_PENDING;
	else if (t->holder != NULL)
		authorization_renews(t->auth, t->holder);
	return RC_OK;
}

/* Another template of the endpoint's map than the old certificate's: a wish for other key usages chooses it, and
 * must not bring what they would have had to be asked for (S07). */
static bool
changes_template(const struct transaction *t)
{
	const char *was = holder_profile(t->holder);

	return strcmp(was, t->profile->name) != 0 && config_endpoint_issues_by(t->ep->conf, was);
}

/* S18: after the yes, so that nobody can ask the directory through us. */
static enum rc
guard_sid(struct transaction *t, struct err *err)
{
	enum rc rc = names_guard_check(t->s, t->ep, t->csr, err);

	return rc == RC_OK ? sid_guard_check(t->s, t->ep, t->csr, err) : rc;
}

static enum rc
decide(struct transaction *t, struct err *err)
{
	if (t->holder != NULL && changes_template(t))
		authorization_keeps_usages(t->auth);
	return cert_spec_decide(
	    &t->spec, t->auth, t->csr, t->profile, t->sca->ca, clock_now(), err);
}

/* The verdict and the serial number are on disk no later than the certificate, and that before
 * anybody hears of it. */
static enum rc
reserve(struct transaction *t, struct err *err)
{
	enum rc rc;

	if ((rc = serial_random(&t->serial_value, err)) != RC_OK)
		return rc;
	serial_hex(t->serial, &t->serial_value);
	rc = store_tx_reserve(
	    t->s->store, t->tx.id, authorization_authority(t->auth), t->serial, NULL, err);
	if (rc != RC_OK)
		return rc;
	t->tx.state = TX_RESERVED;
	fault_point("reserved");
	return RC_OK;
}

static enum rc
sign(struct transaction *t, struct err *err)
{
	enum rc rc = ca_issue(&t->cert, t->sca->ca, t->spec, &t->serial_value, err);

	if (rc == RC_OK) {
		metric_add(t->s->metrics, METRIC_ISSUED, 1);
		if (t->holder != NULL)
			metric_add(t->s->metrics, METRIC_RENEWED, 1);
		atomic_fetch_add_explicit(&t->sca->issued, 1, memory_order_relaxed);
	}
	fault_point("issued");
	return rc;
}

/* Certificate, audit row and outbox row, in one commit. */
static enum rc
record(struct transaction *t, struct err *err)
{
	char thumbprint[41];
	struct store_cert row = { .serial = t->serial,
		.ca = t->log.ca,
		.endpoint = t->ep->name,
		.profile = t->profile->name,
		.subject = cert_spec_subject(t->spec),
		.san = cert_spec_san(t->spec),
		.thumbprint = thumbprint,
		.not_before = cert_not_before(t->cert),
		.not_after = cert_not_after(t->cert) };
	struct store_binding binding;
	enum rc rc;

	/* Whom it names; the directory is asked in the background (dir_sync.h). */
	binding_of_names(&binding,
	    t->ep->tenant != NULL &&
		    config_tenant(t->s->config, tenant_name(t->ep->tenant))->directory
		? tenant_name(t->ep->tenant)
		: NULL,
	    cert_subject0(t->cert), cert_san0(t->cert));
	row.binding = &binding;

	if (t->holder != NULL) {
		row.replaces = holder_serial(t->holder);
		if (t->ep->conf->renewal.revoke_replaced > 0)
			row.revoke_replaced = clock_now() + t->ep->conf->renewal.revoke_replaced;
	}
	row.der = cert_der0(t->cert, &row.der_len);
	if ((rc = cert_thumbprint_sha1(thumbprint, t->cert, err)) != RC_OK)
		return rc;
	if ((rc = store_tx_signed(t->s->store, t->tx.id, &row, authoriser_hears(t->ep), err)) !=
	    RC_OK)
		return rc;
	t->tx.state = TX_SIGNED;
	fault_point("signed");
	return RC_OK;
}

/* Step 9 of the flow: Intune hears of the certificate before the device does.  Anything but
 * "Success" ends it. */
static enum rc
notify(struct transaction *t, struct err *err)
{
	const uint8_t *der;
	size_t len;
	enum rc rc;

	if (!authoriser_hears(t->ep))
		return RC_OK;
	der = csr_der0(t->csr, &len);
	metric_add(t->s->metrics, METRIC_INTUNE_NOTIFY, 1);
	rc = tenant_notify_success(
	    &t->talk, scep_message_transaction_id(t->message), der, len, t->cert, t->log.ca, err);
	if (rc != RC_OK && rc != RC_DENIED)
		metric_add(t->s->metrics, METRIC_INTUNE_ERRORS, 1);
	t->log.notify = rc == RC_OK ? "Success"
	    : rc == RC_DENIED       ? t->talk.notify.code_text
				    : "unreachable";
	fault_point("told");
	return rc;
}

static enum rc
mark_notified(struct transaction *t, struct err *err)
{
	enum rc rc = store_tx_notified(t->s->store, t->tx.id, err);

	if (rc == RC_OK)
		t->tx.state = TX_NOTIFIED;
	fault_point("notified");
	return rc;
}

static const struct step {
	const char *name; /* as the log says it */
	enum rc (*run)(struct transaction *, struct err *);
	enum tx_state until; /* skipped when the row is already there */
} steps[] = {
	{ "csr", take_csr, TX__MAX },
	{ "signer", take_signer, TX__MAX },
	{ "begin", begin, TX__MAX },
	{ "ca", choose_ca, TX__MAX },
	{ "auth", authorise, TX_RESERVED },
	{ "sid", guard_sid, TX_RESERVED },
	{ "policy", decide, TX_RESERVED },
	{ "reserve", reserve, TX_RESERVED },
	{ "sign", sign, TX_SIGNED },
	{ "record", record, TX_SIGNED },
	{ "notify", notify, TX_NOTIFIED },
	{ "mark", mark_notified, TX_NOTIFIED },
};

/* ---- when a step fails ---- */

/*
 * Bring the row to its end.  Before `signed`: refused, and Intune hears of it if it had said yes.
 * Signed but not told: the certificate is revoked at once.  Told but not recorded ("mark"): stays
 * as it is; the device asks again, or the next start finishes it.
 */
static void
settle(struct transaction *t, const struct step *at, const struct err *why)
{
	struct err err;
	enum rc rc = RC_OK;
	bool after_yes = t->auth != NULL && authoriser_hears(t->ep);

	if (t->tx.id == 0 || at->run == mark_notified)
		return;
	if (t->claimed)
		spent_release(t->s->spent, t->challenge, t->key);
	if (t->tx.state < TX_SIGNED) {
		rc = store_tx_refused(
		    t->s->store, t->tx.id, why->msg, after_yes, hresult_of(why->rc), &err);
	} else if (t->tx.state == TX_SIGNED) {
		rc = store_tx_undelivered(t->s->store, t->tx.id, why->msg, false, 0, &err);
		if (rc == RC_OK)
			metric_add(t->s->metrics, METRIC_UNDELIVERED, 1);
	}
	if (rc != RC_OK)
		log_msg(LOG_ERROR, "store", "transaction %lld could not be settled: %s",
		    (long long)t->tx.id, err.msg);
}

/* Somebody has said yes, or has yet to: a trouble of ours must not end that. */
static bool
may_go_on(const struct transaction *t, enum rc rc)
{
	return is_held(t) &&
	    (rc == RC_IO || rc == RC_TIMEOUT || rc == RC_LIMIT || rc == RC_NOMEM ||
		rc == RC_CRYPTO);
}

/* The device is told to ask again, which is when the steps are tried again. */
static enum rc
put_off(struct transaction *t, const struct step *at, struct err *err)
{
	struct err why = *err;
	enum rc rc;

	if ((rc = enrol_take_up(t, err)) != RC_OK)
		return rc;
	log_msg(LOG_WARN, "scep", "tx %s on %s goes on when it is asked for again: %s: %s",
	    scep_message_transaction_id(t->message), t->ep->name, at->name, why.msg);
	t->answer = ANSWER_PENDING;
	return RC_OK;
}

static enum rc
run_step(struct transaction *t, const struct step *at, struct err *err)
{
	enum rc rc = at->run(t, err);

	if (rc == RC_OK || (may_go_on(t, rc) && (rc = put_off(t, at, err)) == RC_OK))
		return RC_OK;
	t->log.step = at->name;
	t->log.fail_info = err_reaction(rc)->fail_info;
	settle(t, at, err);
	return rc;
}

static enum rc
run_from(struct transaction *t, size_t i, struct err *err)
{
	enum rc rc = RC_OK;

	for (; rc == RC_OK && i < sizeof(steps) / sizeof(steps[0]); i++) {
		if (t->tx.state < steps[i].until)
			rc = run_step(t, &steps[i], err);
		if (t->answer == ANSWER_PENDING)
			break;
	}
	return rc;
}

enum rc
msg_enrol(struct transaction *t, struct err *err)
{
	return run_from(t, 0, err);
}

enum rc
enrol_go_on(struct transaction *t, struct err *err)
{
	size_t i = 0;

	while (steps[i].run != choose_ca)
		i++;
	return run_from(t, i, err);
}
