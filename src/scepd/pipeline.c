/*
 * pipeline.c - one PKIOperation: which type of message, who takes it, what is answered, one line
 * in the log.
 */
#include "base/clock.h"
#include "base/limits.h"
#include "scep/request_csr.h"
#include "scepd/authoriser.h"
#include "scepd/pipeline_int.h"

/* Of strict endpoints: devices that have a clock set it by NTP, and captured messages are of no use
 * after that (and before, as no request is issued for twice). */
#define STRICT_SKEW_S 600

static bool
offers_cert(const struct endpoint *ep)
{
	return ep->conf->getcert != GETCERT_OFF;
}

static bool
offers_crl(const struct endpoint *ep)
{
	return ep->conf->getcrl;
}

/*
 * What may be asked, default deny (S01): a message of a type without a row is refused before
 * anything else is looked at, and costs no private-key operation but that of the refusal.
 */
static const struct message_type {
	enum scep_message_type type;
	bool (*offered)(const struct endpoint *ep); /* NULL: everywhere */
	message_handler *run;
} message_types[] = {
	{ SCEP_PKCS_REQ, NULL, msg_enrol },
	{ SCEP_RENEWAL_REQ, NULL, msg_enrol },
	{ SCEP_CERT_POLL, authoriser_waits, msg_poll },
	{ SCEP_GET_CERT, offers_cert, msg_get_cert },
	{ SCEP_GET_CRL, offers_crl, msg_get_crl },
};

static enum rc
find_type(const struct message_type **out, struct transaction *t, struct err *err)
{
	int type = scep_message_type(t->message);

	for (size_t i = 0; i < sizeof(message_types) / sizeof(message_types[0]); i++)
		if ((int)message_types[i].type == type) {
			*out = &message_types[i];
			if ((*out)->offered == NULL || (*out)->offered(t->ep))
				return RC_OK;
			break;
		}
	t->log.step = "type";
	/* RFC 8894 4.4 to 4.6: who asks for something that is not here gets badCertId. */
	t->log.fail_info = type == SCEP_CERT_POLL || type == SCEP_GET_CERT || type == SCEP_GET_CRL
	    ? SCEP_BAD_CERT_ID
	    : SCEP_BAD_REQUEST;
	return fail(err, RC_DENIED, "RFC 8894 3.2.1.2: messageType \"%s\" (%s) is not offered here",
	    scep_message_type_text(t->message), scep_message_type_name(type));
}

/* Before the signature is looked at: this costs nothing, and proves nothing either. */
static enum rc
check_strict(struct transaction *t, struct err *err)
{
	struct scep_error se;

	if (t->ep->conf->compat != COMPAT_STRICT ||
	    scep_message_strict(t->message, clock_now(), STRICT_SKEW_S, &se) == SCEP_OK)
		return RC_OK;
	t->log.step = se.step;
	t->log.fail_info = se.fail_info;
	return scep_error_to_err(err, &se);
}

static enum rc
open_request(struct transaction *t, struct err *err)
{
	struct scep_error se;

	if (scep_request_open(&t->request, t->message, t->offer->id, t->offer->n_id, &se) ==
	    SCEP_OK) {
		t->log.stale_recipient = scep_request_recipient_stale(t->request) != 0;
		return RC_OK;
	}
	t->log.step = se.step;
	t->log.fail_info = se.fail_info;
	return scep_error_to_err(err, &se);
}

static void
run_message(struct transaction *t, struct http_reply *reply)
{
	const struct message_type *type;
	struct err *err = &t->log.err;
	enum rc rc;

	if ((rc = find_type(&type, t, err)) == RC_OK && (rc = check_strict(t, err)) == RC_OK &&
	    (rc = open_request(t, err)) == RC_OK && (rc = type->run(t, err)) == RC_OK)
		rc = answer_success(t, reply, err);
	if (rc != RC_OK)
		answer_failure(t, reply);
	if (t->cert != NULL && rc == RC_OK) {
		serial_hex(t->serial, cert_serial0(t->cert));
		t->log.not_after = cert_not_after(t->cert);
	}
	if (t->serial[0] != '\0')
		t->log.serial = t->serial;
}

static void
transaction_done(struct transaction *t)
{
	if (t->entered)
		inflight_leave(t->s->inflight, t->key);
	store_tx_done(&t->tx);
	cert_free(t->cert);
	cert_spec_free(t->spec);
	authorization_free(t->auth);
	holder_free(t->holder); /* which that borrows */
	cert_free(t->signer_cert);
	key_free(t->signer_key);
	csr_free(t->csr);
	scep_request_free(t->request);
	scep_message_free(t->message);
	store_cert_row_done(&t->row);
	http_shared_free(t->crl);
	offer_release(t->offer);
}

/*
 * What the message counts against its address (http/peers.h): what was refused before anybody said yes
 * to it, by what that has cost; not what failed for reasons of our own.
 */
static int
blame_of(const struct transaction *t)
{
	if (t->message == NULL)
		return HTTP_BLAME_CHEAP;
	if (t->log.step == NULL)
		return t->cert != NULL && t->spec != NULL /* a GetCert grants nothing */
		    ? HTTP_BLAME_CREDIT
		    : 0;
	if (t->auth != NULL)
		return 0;
	switch (t->log.err.rc) {
	case RC_PARSE:
	case RC_ALG:
	case RC_INTEGRITY:
	case RC_DENIED:
	case RC_NOTFOUND:
		return HTTP_BLAME_DEAR;
	default:
		return 0;
	}
}

void
pipeline_run(struct scepd *s, const struct pki_operation *op, struct http_reply *reply)
{
	struct transaction t = { .s = s, .ep = op->endpoint, .log.op = op };
	struct scep_error se;
	uint64_t start = clock_mono_us();

	metric_add(s->metrics, METRIC_PKIOPERATION, 1);
	t.offer = endpoint_offer(t.ep);
	if (authoriser_hears(t.ep)) {
		t.talk.tenant = t.ep->tenant;
		t.log.talk = &t.talk;
	}
	if (scep_message_parse(&t.message, op->message, op->len, &se) == SCEP_OK) {
		t.log.message = t.message;
		scep_message_algorithms(t.message, &t.log.alg);
		run_message(&t, reply);
	} else {
		/* Nobody to address a signed answer to. */
		(void)scep_error_to_err(&t.log.err, &se);
		t.log.step = "parse";
		http_reply_text(reply, 400, "not a SCEP message: %s\n", se.text);
		metric_add(s->metrics, METRIC_BAD_REQUEST, 1);
	}
	reply->blame = blame_of(&t);
	t.log.http_status = reply->status;
	t.log.us = clock_mono_us() - start;
	metric_time(s->metrics, t.log.us);
	txlog_write(&t.log);
	transaction_done(&t);
}
