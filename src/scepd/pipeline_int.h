/*
 * pipeline_int.h - what the files of the pipeline share: one message on its way.
 *
 *	pipeline.c         from bytes to the handler of its type, and to the log
 *	msg_enrol.c        PKCSReq, RenewalReq: the steps of an enrolment
 *	pipeline_answer.c  CertRep: SUCCESS, FAILURE, PENDING
 */
#ifndef SCEPD_SCEPD_PIPELINE_INT_H
#define SCEPD_SCEPD_PIPELINE_INT_H

#include "scepd/pipeline.h"
#include "scepd/txlog.h"

/* Lives on the stack of pipeline_run(), which frees what the steps have put here. */
struct transaction {
	struct scepd *s;
	struct endpoint *ep;
	struct offer *offer;   /* of the endpoint, as it was when the request came */
	struct server_ca *sca; /* that issues; NULL until that is chosen, or when the row has one */
	struct store_cert_row row; /* of a certificate that an earlier copy of the request got */
	struct txlog log;
	struct intune_talk talk;
	struct scep_message *message;
	struct scep_request *request;
	struct csr *csr;
	const struct profile *profile; /* that decides; known with the CSR */
	struct authorization *auth;
	struct cert_spec *spec;
	struct cert *cert;  /* to be handed over */
	struct store_tx tx; /* id 0: no row yet */
	uint8_t key[32];    /* inflight */
	bool entered;
	char serial[2 * SERIAL_MAX + 1];
	struct serial serial_value;
};

/*
 * A handler of a message type: RC_OK leaves what to answer in `t`.  Otherwise it has filled
 * t->log.step and t->log.fail_info, and the answer is a FAILURE.
 */
typedef enum rc message_handler(struct transaction *t, struct err *err);
message_handler msg_enrol;

/* RC_OK: the reply is filled.  Otherwise as a handler. */
enum rc answer_success(struct transaction *t, struct http_reply *reply, struct err *err) MUST_CHECK;
/* By t->log: its fail_info, and of its err what a device may be told. */
void answer_failure(struct transaction *t, struct http_reply *reply);

#endif
