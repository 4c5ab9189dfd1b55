/*
 * queue_judge.h - what one request of Intune's revocation queue comes to.  Pure: what is known goes in,
 * a verdict comes out.
 *
 * A tenant's queue is no authority over a serial number.  Its requests are about certificates that were
 * issued on the tenant's own endpoints; whoever administers a tenant can put any serial number into its
 * queue, and must not revoke another tenant's certificates by that.  And the queue is the tenant's, not
 * ours alone: what another CA of the tenant has issued is left to that CA.
 */
#ifndef SCEPD_SCEPD_QUEUE_JUDGE_H
#define SCEPD_SCEPD_QUEUE_JUDGE_H

#include "intune.h"
#include "ossl/cert.h"
#include "store/store_status.h"

enum queue_verdict {
	QUEUE_REVOKE, /* to be revoked; `code` is NONE */
	QUEUE_ANSWER, /* nothing to be done but to answer with `code` */
	QUEUE_LEAVE   /* another CA's: no answer, so that it comes to whom it is meant for */
};
#define QUEUE_WHY_MAX 256
struct queue_judgement {
	enum queue_verdict verdict;
	enum intune_revocation_code code;
	char
	    why[QUEUE_WHY_MAX]; /* for Intune's console when `code` is not NONE; it tells nothing of
				    other tenants */
	bool foreign; /* the certificate is not of this tenant: for the log, which says so */
};

/* A CA of ours: what its certificates' success notifications named. */
struct queue_ca {
	const char *name;    /* caConfiguration */
	const char *subject; /* issuerName */
};

/* What we know of the serial number. */
struct queue_known {
	bool found;
	const char *ca;        /* name of the CA that issued it */
	bool of_tenant;        /* on an endpoint of this tenant's */
	enum cert_state state; /* now */
	bool by_this;          /* revoked by this very request */
	int64_t since;         /* wall seconds; 0 when good */
};

#define QUEUE_SERIAL_MAX (2 * SERIAL_MAX + 1)
/*
 * A serial number as the store writes it, from what Intune sent: ours comes back as we reported it, but
 * devices report certificates too, in other forms.  Taken: either case, leading zeros, "0x", and ':', '-'
 * or ' ' between digits.  False: it is none.
 */
bool queue_serial(char out[static QUEUE_SERIAL_MAX], const char *sent);

/* The request is about certificates of CA `ca`, or says nothing against it. */
bool queue_names_ca(const struct intune_revocation_request *r, const struct queue_ca *cas,
    size_t n_cas, const char *ca);

/* `known` NULL: the serial number cannot be read. */
void queue_judge(struct queue_judgement *out, const struct intune_revocation_request *r,
    const struct queue_ca *cas, size_t n_cas, const struct queue_known *known);

/*
 * The comment of a cause that Intune's queue has set: by it a request is known when it comes again.
 * "request CONTEXT", or with a hash in place of what is long or not printable.
 */
#define QUEUE_COMMENT_MAX 512
enum rc queue_comment(
    char out[static QUEUE_COMMENT_MAX], const char *request_context, struct err *err) MUST_CHECK;

#endif
