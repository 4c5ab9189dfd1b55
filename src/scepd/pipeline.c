/*
 * pipeline.c - an enrolment, top to bottom.
 *
 * The steps stand in one table in the order in which they happen; each is durable in the store
 * before its effect can be seen. A step that the stored row has already passed is
 * skipped: that is how a repeated or interrupted transaction goes on where it stopped.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "scepd/authoriser.h"
#include "scepd/hresult.h"
#include "scepd/pipeline.h"
#include "scepd/rollover.h"
#include "scepd/txlog.h"
#include "scep/request_csr.h"

/* A second copy of a request waits for the first; SCEP clients give up after about 30 s. */
#define INFLIGHT_WAIT_MS 25000

struct enrolment {
	struct scepd *s;
	struct endpoint *ep;
	struct offer *offer;   /* of the endpoint, as it was when the request came */
	struct server_ca *sca; /* that issues; NULL until choose_ca(), or when the row has one */
	struct store_cert_row row; /* of a certificate that an earlier copy of the request got */
	struct txlog log;
	struct intune_talk talk;
	struct scep_message *message;
	struct scep_request *request;
	struct csr *csr;
	const struct profile *profile; /* that decides; from take_csr() on */
	struct authorization *auth;
	struct cert_spec *spec;
	struct cert *cert;
	struct store_tx tx; /* id 0: no row yet */
	uint8_t key[32];    /* inflight */
	bool entered;
	char serial[2 * SERIAL_MAX + 1];
	struct serial serial_value;
};

/* ---- the steps ---- */

/* The CSR, signed by the key it is for; a challenge of the right form, before anything is written
 * or anybody asked. */
static enum rc
take_csr(struct enrolment *e, struct err *err)
{
	bool own_key;
	enum rc rc;

	if ((rc = scep_request_csr(&e->csr, &own_key, e->request, err)) != RC_OK)
		return rc;
	e->log.csr = e->csr;
	e->profile = e->log.profile = endpoint_profile(e->ep, e->csr);
	if (!own_key) {
		(void)fail(err, RC_DENIED,
		    "RFC 8894 2.3: the message is signed with another key than the one in the "
		    "request");
		return err_hint(err,
		    "renewal with an issued certificate is not offered here: the device has to "
		    "enrol anew");
	}
	return authoriser_check_form(e->ep, e->csr, err);
}

static enum rc
enter(struct enrolment *e, struct err *err)
{
	enum rc rc;

	if ((rc = inflight_key(e->key, e->ep->name, scep_message_transaction_id(e->message),
		 csr_sha256(e->csr), err)) != RC_OK)
		return rc;
	if ((rc = inflight_enter(
		 e->s->inflight, e->key, clock_mono_ms() + INFLIGHT_WAIT_MS, err)) == RC_OK)
		e->entered = true;
	return rc;
}

static enum rc
find_or_begin(struct enrolment *e, bool *fresh, struct err *err)
{
	const uint8_t *der, *spki;
	size_t len, spki_len;
	uint8_t signer[32];
	struct tx_key key = { .endpoint = e->ep->name, .signer_sha256 = signer };
	struct buf kept;
	enum rc rc;

	key.transaction_id = scep_message_transaction_id(e->message);
	key.csr_sha256 = csr_sha256(e->csr);
	spki =
	    key_spki0(csr_key0(e->csr), &spki_len); /* take_csr(): the signer's key is this one */
	if ((rc = digest_bytes(signer, DIGEST_SHA256, spki, spki_len, err)) != RC_OK)
		return rc;
	/* Sealed, and only where Intune has to be told later what the request was. */
	der = csr_der0(e->csr, &len);
	buf_init(&kept, STORE_REQUEST_MAX);
	rc = seal_request(&kept, authoriser_hears(e->ep) ? e->s->seal : NULL, key.endpoint,
	    key.transaction_id, der, len, err);
	if (rc == RC_OK)
		rc = store_tx_begin(e->s->store, &key, kept.data, kept.len, &e->tx, fresh, err);
	buf_done(&kept);
	return rc;
}

/* The transaction's row: new, or as far as an earlier copy of this request came. */
static enum rc
begin(struct enrolment *e, struct err *err)
{
	bool fresh = false;
	enum rc rc;

	if ((rc = enter(e, err)) != RC_OK || (rc = find_or_begin(e, &fresh, err)) != RC_OK)
		return rc;
	if (!fresh && e->tx.state < TX_SIGNED) {
		/* Nobody works on it (we hold the key) and nothing was signed: undo, start again.
		 */
		if ((rc = store_tx_refused(e->s->store, e->tx.id, "interrupted", false, 0, err)) !=
		    RC_OK)
			return rc;
		store_tx_done(&e->tx);
		if ((rc = find_or_begin(e, &fresh, err)) != RC_OK)
			return rc;
	}
	e->log.repeated = !fresh;
	if (e->tx.cert != NULL &&
	    (rc = cert_parse(&e->cert, e->tx.cert, e->tx.cert_len, err)) != RC_OK)
		return rc;
	fault_point("received");
	return RC_OK;
}

/*
 * From which CA.  What was signed keeps its own, whatever has been moved since; everybody else goes
 * by the RA that the request was enveloped to and by the endpoint's share.
 */
static enum rc
choose_ca(struct enrolment *e, struct err *err)
{
	unsigned bucket = 0; /* any will do for a share of 0 */
	enum rc rc;

	if (e->cert != NULL) {
		if ((rc = store_cert_get(e->s->store, e->tx.serial, &e->row, err)) == RC_OK)
			e->log.ca = e->row.ca;
		return rc;
	}
	if (e->offer->plan.share > 0 &&
	    (rc = rollover_bucket(&bucket, e->ep->name, e->csr, err)) != RC_OK)
		return rc;
	if ((rc = offer_choose(
		 &e->sca, e->offer, scep_request_recipient(e->request), bucket, err)) != RC_OK)
		return rc;
	e->log.ca = e->sca->conf->name;
	return RC_OK;
}

static enum rc
authorise(struct enrolment *e, struct err *err)
{
	enum verdict verdict;
	const struct question q = { .s = e->s,
		.ep = e->ep,
		.csr = e->csr,
		.transaction_id = scep_message_transaction_id(e->message),
		.tx_id = e->tx.id,
		.talk = &e->talk,
		.peer = e->log.op->peer,
		.profile = e->profile };

	return authoriser_ask(&e->auth, &verdict, &q, err);
}

static enum rc
decide(struct enrolment *e, struct err *err)
{
	return cert_spec_decide(
	    &e->spec, e->auth, e->csr, e->profile, e->sca->ca, clock_now(), err);
}

/* The verdict and the serial number are on disk no later than the certificate, and that before
 * anybody hears of it. */
static enum rc
reserve(struct enrolment *e, struct err *err)
{
	enum rc rc;

	if ((rc = serial_random(&e->serial_value, err)) != RC_OK)
		return rc;
	serial_hex(e->serial, &e->serial_value);
	rc = store_tx_reserve(
	    e->s->store, e->tx.id, authorization_authority(e->auth), e->serial, NULL, err);
	if (rc != RC_OK)
		return rc;
	e->tx.state = TX_RESERVED;
	fault_point("reserved");
	return RC_OK;
}

static enum rc
sign(struct enrolment *e, struct err *err)
{
	enum rc rc = ca_issue(&e->cert, e->sca->ca, e->spec, &e->serial_value, err);

	if (rc == RC_OK) {
		metric_add(e->s->metrics, METRIC_ISSUED, 1);
		atomic_fetch_add_explicit(&e->sca->issued, 1, memory_order_relaxed);
	}
	fault_point("issued");
	return rc;
}

/* Certificate, audit row and outbox row, in one commit. */
static enum rc
record(struct enrolment *e, struct err *err)
{
	char thumbprint[41];
	struct store_cert row = { .serial = e->serial,
		.ca = e->log.ca,
		.endpoint = e->ep->name,
		.profile = e->profile->name,
		.subject = cert_spec_subject(e->spec),
		.san = cert_spec_san(e->spec),
		.thumbprint = thumbprint,
		.not_before = cert_not_before(e->cert),
		.not_after = cert_not_after(e->cert) };
	enum rc rc;

	row.der = cert_der0(e->cert, &row.der_len);
	if ((rc = cert_thumbprint_sha1(thumbprint, e->cert, err)) != RC_OK)
		return rc;
	if ((rc = store_tx_signed(e->s->store, e->tx.id, &row, authoriser_hears(e->ep), err)) !=
	    RC_OK)
		return rc;
	e->tx.state = TX_SIGNED;
	fault_point("signed");
	return RC_OK;
}

/* Step 9 of the flow: Intune hears of the certificate before the device does.  Anything but
 * "Success" ends it. */
static enum rc
notify(struct enrolment *e, struct err *err)
{
	const uint8_t *der;
	size_t len;
	enum rc rc;

	if (!authoriser_hears(e->ep))
		return RC_OK;
	der = csr_der0(e->csr, &len);
	metric_add(e->s->metrics, METRIC_INTUNE_NOTIFY, 1);
	rc = tenant_notify_success(
	    &e->talk, scep_message_transaction_id(e->message), der, len, e->cert, e->log.ca, err);
	if (rc != RC_OK && rc != RC_DENIED)
		metric_add(e->s->metrics, METRIC_INTUNE_ERRORS, 1);
	e->log.notify = rc == RC_OK ? "Success"
	    : rc == RC_DENIED       ? e->talk.notify.code_text
				    : "unreachable";
	fault_point("told");
	return rc;
}

static enum rc
mark_notified(struct enrolment *e, struct err *err)
{
	enum rc rc = store_tx_notified(e->s->store, e->tx.id, err);

	if (rc == RC_OK)
		e->tx.state = TX_NOTIFIED;
	fault_point("notified");
	return rc;
}

static const struct step {
	const char *name; /* as the log says it */
	enum rc (*run)(struct enrolment *, struct err *);
	enum tx_state until; /* skipped when the row is already there */
} steps[] = {
	{ "csr", take_csr, TX__MAX },
	{ "begin", begin, TX__MAX },
	{ "ca", choose_ca, TX_NOTIFIED },
	{ "auth", authorise, TX_RESERVED },
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
settle(struct enrolment *e, const struct step *at, const struct err *why)
{
	struct err err;
	enum rc rc = RC_OK;
	bool after_yes = e->auth != NULL && authoriser_hears(e->ep);

	if (e->tx.id == 0 || at->run == mark_notified)
		return;
	if (e->tx.state < TX_SIGNED) {
		rc = store_tx_refused(
		    e->s->store, e->tx.id, why->msg, after_yes, hresult_of(why->rc), &err);
	} else if (e->tx.state == TX_SIGNED) {
		rc = store_tx_undelivered(e->s->store, e->tx.id, why->msg, false, 0, &err);
		if (rc == RC_OK)
			metric_add(e->s->metrics, METRIC_UNDELIVERED, 1);
	}
	if (rc != RC_OK)
		log_msg(LOG_ERROR, "store", "transaction %lld could not be settled: %s",
		    (long long)e->tx.id, err.msg);
}

static enum rc
enrol(struct enrolment *e, struct err *err)
{
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		enum rc rc;

		if (e->tx.state >= steps[i].until)
			continue;
		if ((rc = steps[i].run(e, err)) != RC_OK) {
			e->log.step = steps[i].name;
			e->log.fail_info = err_reaction(rc)->fail_info;
			settle(e, &steps[i], err);
			return rc;
		}
	}
	return RC_OK;
}

/* ---- messages ---- */

/*
 * What may be asked, default deny (S01): a message of a type without a row is refused before
 * anything else is looked at, and costs no private-key operation but that of the refusal.
 */
static const struct message_type {
	enum scep_message_type type;
	enum rc (*run)(struct enrolment *, struct err *);
} message_types[] = {
	{ SCEP_PKCS_REQ, enrol },
};

static enum rc
find_type(const struct message_type **out, struct enrolment *e, struct err *err)
{
	int type = scep_message_type(e->message);

	for (size_t i = 0; i < sizeof(message_types) / sizeof(message_types[0]); i++)
		if ((int)message_types[i].type == type) {
			*out = &message_types[i];
			return RC_OK;
		}
	e->log.step = "type";
	e->log.fail_info = SCEP_BAD_REQUEST;
	return fail(err, RC_DENIED, "RFC 8894 3.2.1.2: messageType \"%s\" (%s) is not offered here",
	    scep_message_type_text(e->message), scep_message_type_name(type));
}

static enum rc
open_request(struct enrolment *e, struct err *err)
{
	struct scep_error se;

	if (scep_request_open(&e->request, e->message, e->offer->id, e->offer->n_id, &se) ==
	    SCEP_OK) {
		e->log.stale_recipient = scep_request_recipient_stale(e->request) != 0;
		return RC_OK;
	}
	e->log.step = se.step;
	e->log.fail_info = se.fail_info;
	return scep_error_to_err(err, &se);
}

/* ---- answers ---- */

struct delivery {
	struct scepd *s;
	int64_t id;
};

/* On an I/O thread. */
static void
delivered(void *arg, bool sent)
{
	struct delivery *d = arg;

	if (sent) {
		store_tx_delivered(d->s->store, d->id);
		metric_add(d->s->metrics, METRIC_DELIVERED, 1);
	}
	free(d);
}

static void
expect_delivery(struct enrolment *e, struct http_reply *reply)
{
	struct delivery *d;

	/* Without memory for the note the row stays "notified": the certificate is out all the
	 * same. */
	if (e->tx.state != TX_NOTIFIED || (d = malloc(sizeof(*d))) == NULL)
		return;
	*d = (struct delivery){ e->s, e->tx.id };
	reply->on_done = delivered;
	reply->on_done_arg = d;
}

static void
put_pki_message(struct http_reply *reply, struct scep_bytes *msg)
{
	reply->status = 200;
	reply->content_type = "application/x-pki-message";
	buf_add(&reply->body, msg->data, msg->len);
	scep_bytes_free(msg);
}

static enum rc
answer_success(struct enrolment *e, struct http_reply *reply, struct err *err)
{
	struct scep_bytes leaf, out;
	struct scep_error se;

	leaf.data = (uint8_t *)(uintptr_t)cert_der0(e->cert, &leaf.len); /* lent, not changed */
	/* By the RA that the device encrypted to: that one it knows. */
	if (scep_reply_success(
		&out, e->request, scep_request_recipient(e->request), &leaf, 1, &se) != SCEP_OK) {
		e->log.step = "reply";
		e->log.fail_info = se.fail_info;
		return scep_error_to_err(err, &se);
	}
	fault_point("replying");
	put_pki_message(reply, &out);
	expect_delivery(e, reply);
	if (e->log.repeated)
		metric_add(e->s->metrics, METRIC_REPEATED, 1);
	return RC_OK;
}

/* What a device may be told: causes that lie in its request, in words; of our own troubles only
 * that there are some. */
static const char *
text_for_device(const struct err *err)
{
	switch (err->rc) {
	case RC_PARSE:
	case RC_LIMIT:
	case RC_DENIED:
	case RC_ALG:
	case RC_INTEGRITY:
	case RC_NOTFOUND:
		return err->msg;
	default:
		return "the server could not complete the request; try again later";
	}
}

static void
answer_failure(struct enrolment *e, struct http_reply *reply)
{
	const struct scep_identity *ra =
	    scep_message_recipient(e->message, e->offer->id, e->offer->n_id);
	struct scep_bytes out;
	struct scep_error se;

	if (scep_reply_failure(&out, e->message, ra != NULL ? ra : e->offer->id[0],
		e->log.fail_info, text_for_device(&e->log.err), &se) != SCEP_OK) {
		log_msg(LOG_ERROR, "scep", "cannot sign a FAILURE: %s", se.text);
		http_reply_text(reply, 500, "internal error\n");
		return;
	}
	put_pki_message(reply, &out);
	metric_add(e->s->metrics, METRIC_REFUSED, 1);
}

static void
run_message(struct enrolment *e, struct http_reply *reply)
{
	const struct message_type *type;
	struct err *err = &e->log.err;
	enum rc rc;

	if ((rc = find_type(&type, e, err)) == RC_OK && (rc = open_request(e, err)) == RC_OK &&
	    (rc = type->run(e, err)) == RC_OK)
		rc = answer_success(e, reply, err);
	if (rc != RC_OK)
		answer_failure(e, reply);
	if (e->cert != NULL && rc == RC_OK) {
		serial_hex(e->serial, cert_serial0(e->cert));
		e->log.not_after = cert_not_after(e->cert);
	}
	if (e->serial[0] != '\0')
		e->log.serial = e->serial;
}

static void
enrolment_done(struct enrolment *e)
{
	if (e->entered)
		inflight_leave(e->s->inflight, e->key);
	store_tx_done(&e->tx);
	cert_free(e->cert);
	cert_spec_free(e->spec);
	authorization_free(e->auth);
	csr_free(e->csr);
	scep_request_free(e->request);
	scep_message_free(e->message);
	store_cert_row_done(&e->row);
	offer_release(e->offer);
}

void
pipeline_run(struct scepd *s, const struct pki_operation *op, struct http_reply *reply)
{
	struct enrolment e = { .s = s, .ep = op->endpoint, .log.op = op };
	struct scep_error se;
	uint64_t start = clock_mono_us();

	metric_add(s->metrics, METRIC_PKIOPERATION, 1);
	e.offer = endpoint_offer(e.ep);
	if (authoriser_hears(e.ep)) {
		e.talk.tenant = e.ep->tenant;
		e.log.talk = &e.talk;
	}
	if (scep_message_parse(&e.message, op->message, op->len, &se) == SCEP_OK) {
		e.log.message = e.message;
		scep_message_algorithms(e.message, &e.log.alg);
		run_message(&e, reply);
	} else {
		/* Nobody to address a signed answer to. */
		(void)scep_error_to_err(&e.log.err, &se);
		e.log.step = "parse";
		http_reply_text(reply, 400, "not a SCEP message: %s\n", se.text);
		metric_add(s->metrics, METRIC_BAD_REQUEST, 1);
	}
	e.log.http_status = reply->status;
	e.log.us = clock_mono_us() - start;
	metric_time(s->metrics, e.log.us);
	txlog_write(&e.log);
	enrolment_done(&e);
}
