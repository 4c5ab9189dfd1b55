/* pipeline_answer.c - CertReps, and what happens once they are sent. */
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/log.h"
#include "scep/request_csr.h"
#include "scepd/pipeline_int.h"

struct delivery {
	struct scepd *s;
	int64_t id;
	bool claimed; /* the next two are set */
	uint8_t challenge[32], request[32];
};

/* On an I/O thread. */
static void
delivered(void *arg, bool sent)
{
	struct delivery *d = arg;

	if (sent) {
		store_tx_delivered(d->s->store, d->id);
		metric_add(d->s->metrics, METRIC_DELIVERED, 1);
	} else if (d->claimed) { /* the device may come again with another key */
		spent_release(d->s->spent, d->challenge, d->request);
	}
	free(d);
}

static void
expect_delivery(struct transaction *t, struct http_reply *reply)
{
	struct delivery *d;

	/* Without memory for the note the row stays "notified": the certificate is out all the
	 * same. */
	if (t->tx.state != TX_NOTIFIED || (d = malloc(sizeof(*d))) == NULL)
		return;
	*d = (struct delivery){ t->s, t->tx.id, t->claimed, { 0 }, { 0 } };
	memcpy(d->challenge, t->challenge, sizeof(d->challenge));
	memcpy(d->request, t->key, sizeof(d->request));
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

/* Lent, not changed. */
static struct scep_bytes
bytes_of(const struct cert *c)
{
	struct scep_bytes b;

	b.data = (uint8_t *)(uintptr_t)cert_der0(c, &b.len);
	return b;
}

/* The leaf first: Apple takes the first one (quirk 47); the CA's only where a client insists (48). */
static size_t
put_certs(struct scep_bytes certs[2], const struct transaction *t)
{
	const struct server_ca *sca =
	    t->log.ca != NULL ? scepd_ca(t->s, t->log.ca, strlen(t->log.ca)) : NULL;

	certs[0] = bytes_of(t->cert);
	if (!t->ep->conf->reply_chain || sca == NULL)
		return 1;
	certs[1] = bytes_of(ca_cert0(sca->ca));
	return 2;
}

/* By the RA that the device encrypted to: that one it knows. */
static enum scep_status
encode_success(struct scep_bytes *out, struct transaction *t, struct scep_error *se)
{
	struct scep_bytes certs[2], crl;
	struct scep_reply_how how = { .certs = certs };

	if (t->answer == ANSWER_CRL) {
		/* lent, not changed */
		crl.data = (uint8_t *)(uintptr_t)http_shared_bytes(t->crl, &crl.len);
		how.crl = &crl;
	} else {
		how.n_certs = put_certs(certs, t);
	}
	/* For a signer whose key can only sign (RFC 8894 3.1). */
	if (t->csr != NULL && csr_challenge0(t->csr, &how.password) == CSR_CHALLENGE_ONE)
		how.password_len = strlen(how.password);
	return scep_reply_success_how(
	    out, t->request, scep_request_recipient(t->request), &how, se);
}

static unsigned
flags_of(const struct transaction *t)
{
	return t->ep->conf->no_content == NO_CONTENT_EMPTY ? SCEP_REPLY_EMPTY_CONTENT : 0;
}

static enum scep_status
encode(struct scep_bytes *out, struct transaction *t, struct scep_error *se)
{
	if (t->answer != ANSWER_PENDING)
		return encode_success(out, t, se);
	return scep_reply_pending_how(
	    out, t->message, scep_request_recipient(t->request), flags_of(t), se);
}

enum rc
answer_success(struct transaction *t, struct http_reply *reply, struct err *err)
{
	struct scep_bytes out;
	struct scep_error se;

	if (encode(&out, t, &se) != SCEP_OK) {
		t->log.step = "reply";
		t->log.fail_info = se.fail_info;
		return scep_error_to_err(err, &se);
	}
	t->log.pending = t->answer == ANSWER_PENDING;
	if (t->log.pending)
		metric_add(t->s->metrics, METRIC_PENDING, 1);
	fault_point("replying");
	put_pki_message(reply, &out);
	expect_delivery(t, reply);
	if (t->log.repeated)
		metric_add(t->s->metrics, METRIC_REPEATED, 1);
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

/* A signer is there again within a second, a token when somebody plugs it in. */
#define UNSIGNED_RETRY_S 30

void
answer_failure(struct transaction *t, struct http_reply *reply)
{
	const struct scep_identity *ra =
	    scep_message_recipient(t->message, t->offer->id, t->offer->n_id);
	struct scep_bytes out;
	struct scep_error se;

	if (scep_reply_failure_how(&out, t->message, ra != NULL ? ra : t->offer->id[0],
		t->log.fail_info, text_for_device(&t->log.err), flags_of(t), &se) != SCEP_OK) {
		log_msg(LOG_ERROR, "scep", "cannot sign a FAILURE: %s", se.text);
		/* The RA's key cannot be used: its token is gone, or the signer is being started again. */
		http_reply_text(reply, 503, "no answer can be signed now\n");
		reply->retry_after = UNSIGNED_RETRY_S;
		return;
	}
	put_pki_message(reply, &out);
	metric_add(t->s->metrics, METRIC_REFUSED, 1);
}
