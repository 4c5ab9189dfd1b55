/*
 * responder.h - a SCEP server inside the test: libscep's server side behind src/http, with a CA and
 * an RA of its own, that deviates on demand.
 */
#ifndef SCEPD_TESTS_SCEP_CLIENT_RESPONDER_H
#define SCEPD_TESTS_SCEP_CLIENT_RESPONDER_H

#include <stdbool.h>
#include <stdint.h>

#include "../ossl/fixture.h"
#include "scep.h"

/* What it does with a PKIOperation.  GetCert tells the certificate that it has issued last, GetCRL an empty
 * list; what deviates deviates there too. */
enum conduct {
	OBEY,
	REFUSE,       /* FAILURE badRequest with REFUSAL_TEXT */
	KEEP_PENDING, /* PENDING */
	PEND_THEN_OBEY, /* PENDING until pendings is 0; a poll by another key than the request's, or of an
			      unknown transaction, is badCertId (RFC 8894 4.4) */
	SIGN_AS_STRANGER,  /* by a certificate that GetCACert does not list */
	REPLAY,            /* what it answered to the request before */
	CERTIFY_OTHER_KEY, /* a good certificate, for another key */
	CERTIFY_BY_OTHER,  /* right names, signed by a CA that is not listed */
	LEAVE_NONCE_OUT,   /* a good answer, signed again without senderNonce */
	TURN_ONE_BIT,      /* of a good answer, see turn_at */
	SEND_HTML,         /* 200 and a page, as captive portals and error pages come */
	SEND_NOTHING,      /* 200 and no body */
	SEND_500,
	SEND_503,
};
#define REFUSAL_TEXT "SubjectNameMismatch: \xc3\xa4h"

/* What it answers to GetCACert. */
enum listing {
	LIST_RA_AND_CA,
	LIST_CA_ALONE,
	LIST_EC_CA_ALONE,
	LIST_HTML,
	LIST_404,
	LIST_TOO_MANY
};

/* The last request of a kind, as it came. */
struct seen {
	unsigned count;
	char method[8], user_agent[128], content_type[64];
	char *target; /* raw */
	struct scep_algorithms alg;
	char transaction_id[256];
	int type; /* messageType */
	bool is_ber;
};

struct responder {
	/* the test's to set while no request is under way */
	enum conduct conduct;
	enum listing listing;
	unsigned pendings; /* PEND_THEN_OBEY: so many are still to come */
	bool without_text; /* a FAILURE has no failInfoText */
	long turn_at;      /* offset of the octet; negative: from the end */
	const char *caps;  /* NULL: 404 */
	/* the test's to read then */
	struct seen op, getcaps, getcacert;
	char url[64];
	struct cert *ca_cert, *ra_cert;
	/* its own */
	struct responder_own *own;
};

/* Fails the test when it cannot. */
void responder_start(struct responder *r);
void responder_stop(struct responder *r);
/* OBEY, LIST_RA_AND_CA, all capabilities; what was seen is forgotten. */
void responder_reset(struct responder *r);

#endif
