/*
 * authoriser.h - who says that a request is genuine: one row for each kind of endpoint
 * (`challenge:` of scepd.yaml).
 *
 * The only way from a CSR to a struct authorization that is not a renewal (ca/renewal.h).  A kind
 * without a row could authorise nobody (S01, S04).  Threads: any worker; a call may block on Intune,
 * the store or whoever else is asked.
 */
#ifndef SCEPD_SCEPD_AUTHORISER_H
#define SCEPD_SCEPD_AUTHORISER_H

#include "scepd/scepd.h"

/* What is asked; everything is lent for the call. */
struct question {
	struct scepd *s;
	struct endpoint *ep;
	const struct csr *csr;
	const char *transaction_id;
	int64_t tx_id;                 /* of the store's row, in state received */
	struct intune_talk *talk;      /* with its tenant; gets what Intune said */
	const char *peer;              /* address that the message came from */
	const char *replaces;          /* serial number of the certificate that the signer holds;
					  NULL: it holds none */
	const struct profile *profile; /* endpoint_profile(): what a certificate would be by */
};

enum verdict {
	VERDICT_YES, /* there is an authorization */
	VERDICT_WAIT /* nobody has decided yet, and the row is held: the answer is PENDING */
};

/*
 * RC_OK: *v says which; *out is set with VERDICT_YES only.  RC_DENIED: an explicit no.  Anything
 * else: nobody could be asked, and there is no certificate (S21).  May be asked again about the same
 * request: a repeated PKCSReq, or a CertPoll.
 */
enum rc authoriser_ask(struct authorization **out, enum verdict *v, const struct question *q,
    struct err *err) MUST_CHECK;

/*
 * Before anything is written or anybody asked: exactly one challenge where the endpoint wants one
 * (S02, S03), never several, of the form that its kind has.  RC_DENIED.
 */
enum rc authoriser_check_form(
    const struct endpoint *ep, const struct csr *csr, struct err *err) MUST_CHECK;

/* Who holds a certificate of the endpoint's needs a yes for the next one all the same: always where the
 * authority may have changed its mind since (Intune, S08), and where the configuration says so. */
bool authoriser_renewal_asks(const struct endpoint *ep);

/* A request may have to wait for its decision, and the store keeps it until then: PENDING, CertPoll.
 * Never with Intune, which could not be told in time (S23). */
bool authoriser_waits(const struct endpoint *ep);

/* The kind as the configuration and the log name it: "intune". */
const char *authoriser_name(const struct endpoint *ep);
/* Its authority has to hear what became of a request that it let through, and the store keeps the
 * request until it has (Intune). */
bool authoriser_hears(const struct endpoint *ep);

/* By which profile a certificate for this request would be made. */
const struct profile *endpoint_profile(const struct endpoint *ep, const struct csr *csr);

#endif
