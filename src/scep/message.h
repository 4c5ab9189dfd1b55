/*
 * message.h - what struct scep_message and struct scep_request hold (internal).
 */
#ifndef SCEPD_SCEP_MESSAGE_H
#define SCEPD_SCEP_MESSAGE_H

#include "base/buf.h"
#include "ossl/cms.h"
#include "scep.h"
#include "scep/attrs.h"
#include "scep/content.h"

struct scep_message {
	struct cms_signed *cms;
	struct transaction t;
	int type; /* -1: absent or malformed */
	char type_text[TYPE_TEXT_ROOM];
	bool nonce_malformed;
	int64_t signing_time;
	/* The envelope is looked at early, so that a refusal can be logged with its algorithms;
	 * what is wrong with it is reported only after the signature has been verified. */
	struct cms_enveloped *envelope;
	struct err envelope_err;
};

struct scep_request {
	enum scep_message_type type;
	struct transaction t;
	struct buf content;   /* a secret: holds the challenge */
	struct content parts; /* of it, by its form; points into it */
	struct buf signer_der;
	struct cms_cert signer; /* points into signer_der */
	struct key *signer_key;
	struct scep_algorithms alg;
	const struct scep_identity *recipient;
	bool stale;
};

/*
 * Whether the plaintext holds the sender's own public key.  Only then may an error tell what is
 * wrong inside: to everybody else, who could be replaying somebody's envelope with changed blocks,
 * "malformed" and "bad padding" must look the same, or CBC becomes a padding oracle.
 */
bool request_is_senders_own(const struct scep_request *r);
/*
 * Spend what scep_request_csr() spends on a content whose padding and length are right, for one whose
 * are not: the first SEQUENCE of it, or all of it where there is none, read as a request, signature and all.  Text is
 * not all that tells: a request that is looked into takes longer, by a signature's verification if its form is right.
 * Returns request_is_senders_own(), which takes its time too and is asked once on either way.
 */
bool request_csr_in_vain(struct scep_request *r);

#endif
