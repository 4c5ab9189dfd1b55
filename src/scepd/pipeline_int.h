/*
 * pipeline_int.h - what the files of the pipeline share: one message on its way.
 *
 *	pipeline.c         from bytes to the handler of its type, and to the log
 *	msg_enrol.c        PKCSReq, RenewalReq: the steps of an enrolment
 *	msg_poll.c         CertPoll
 *	msg_get.c          GetCert, GetCRL
 *	msg_signer.c       who signed a message
 *	pipeline_answer.c  CertRep: SUCCESS, FAILURE, PENDING
 */
#ifndef SCEPD_SCEPD_PIPELINE_INT_H
#define SCEPD_SCEPD_PIPELINE_INT_H

#include "ca/holder.h"
#include "ossl/cms.h"
#include "scepd/pipeline.h"
#include "scepd/txlog.h"

enum answer {
	ANSWER_CERT,    /* SUCCESS with t->cert */
	ANSWER_CRL,     /* SUCCESS with t->crl */
	ANSWER_PENDING, /* ask again later */
};

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
	struct cms_cert
	    signer; /* of the request, whose signature is verified; who that is has not been decided */
	struct key *signer_key;
	struct cert *signer_cert; /* NULL: not asked for, or a throw-away signer */
	struct holder *holder;    /* NULL: not asked for, or a throw-away signer */
	bool by_certificate;      /* the holder's certificate stands for a challenge */
	bool own_key;             /* the signer's key is the one in the CSR */
	struct csr *csr;
	const struct profile *profile; /* that decides; known with the CSR */
	struct authorization *auth;
	struct cert_spec *spec;
	struct cert *cert;       /* to be handed over */
	struct store_tx tx;      /* id 0: no row yet */
	struct http_shared *crl; /* ANSWER_CRL: a reference */
	enum answer answer;      /* of a handler that succeeds */
	uint8_t key[32];         /* inflight */
	bool entered;
	uint8_t challenge[32]; /* SHA-256 of the one that is claimed: spent.h */
	bool claimed;
	char serial[2 * SERIAL_MAX + 1];
	char asked[2 * SERIAL_MAX + 1]; /* GetCert, GetCRL: upper hex */
	struct serial serial_value;
};

/*
 * A handler of a message type: RC_OK leaves what to answer in `t`.  Otherwise it has filled
 * t->log.step and t->log.fail_info, and the answer is a FAILURE.
 */
typedef enum rc message_handler(struct transaction *t, struct err *err);
message_handler msg_enrol, msg_poll, msg_get_cert, msg_get_crl;

/* A second copy of a transaction waits for the first here. */
enum rc transaction_enter(
    struct transaction *t, const uint8_t csr_sha256[static 32], struct err *err) MUST_CHECK;
/* For a poll, which has CSR and row from the store: what an enrolment finds out about its own. */
void enrol_took_csr(struct transaction *t);
enum rc enrol_check_signer(struct transaction *t, struct err *err) MUST_CHECK;
/* A row that is held goes on from received, wherever an attempt was cut off. */
enum rc enrol_take_up(struct transaction *t, struct err *err) MUST_CHECK;
/* The steps after the row is there. */
enum rc enrol_go_on(struct transaction *t, struct err *err) MUST_CHECK;

/* The certificate of the message's signer, as far as CMS looks at one, and its key. */
enum rc signer_take(struct transaction *t, struct err *err) MUST_CHECK;
/* It is its own issuer: thrown away after this, and good for its key alone.  These are often odd: certmonger's has a
 * serial number of 33 octets. */
bool signer_is_throw_away(const struct transaction *t);
/* It was issued here and counts today: t->holder.  RC_DENIED with one text for every cause (S09). */
enum rc signer_prove(struct transaction *t, struct err *err) MUST_CHECK;
/* SHA-256 of its public key: who may have the answer (S13). */
enum rc signer_sha256(
    uint8_t out[static 32], const struct transaction *t, struct err *err) MUST_CHECK;

/* What t->answer says.  RC_OK: the reply is filled.  Otherwise as a handler. */
enum rc answer_success(struct transaction *t, struct http_reply *reply, struct err *err) MUST_CHECK;
/* By t->log: its fail_info, and of its err what a device may be told. */
void answer_failure(struct transaction *t, struct http_reply *reply);

#endif
