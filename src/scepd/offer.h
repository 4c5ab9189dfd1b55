/*
 * offer.h - what an endpoint offers at the moment: from which CA it issues, or from which two while
 * its devices are moved from one to the next; which RAs open its requests; its prepared answers.
 *
 * A request takes a reference at its start and keeps to it: whatever an administrator moves and the
 * signer renews meanwhile holds for the next one.
 *
 * Threads: immutable and counted.
 */
#ifndef SCEPD_SCEPD_OFFER_H
#define SCEPD_SCEPD_OFFER_H

#include <stdatomic.h>
#include <stdbool.h>

#include "base/err.h"
#include "scep.h"
#include "scepd/ra_set.h"

struct server_ca;
struct endpoint;

/*
 * CAs of one endpoint, oldest first: two that it was moved away from, whose RAs devices may still
 * encrypt to, the one it issues from, and the next.  More generations at once nobody has.
 */
#define OFFER_CAS_MAX 4

/* All that an offer follows from.  Pointers are borrowed, of the offer itself referenced. */
struct offer_plan {
	struct server_ca *line[OFFER_CAS_MAX];
	struct ra_set *ras[OFFER_CAS_MAX];
	bool issues[OFFER_CAS_MAX]; /* false: retired, by the configuration or by scepctl */
	size_t n, current;          /* line[current + 1], if there is one, is the next */
	unsigned share;             /* percent of the devices that the next issues for: 0 to 99 */
};

struct offer {
	atomic_uint refs;
	struct offer_plan plan;
	/* RAs, those of the current CA first; place[i] is the index in the line of id[i]'s CA. */
	struct scep_identity *id[OFFER_CAS_MAX * SIGNER_RAS_MAX];
	unsigned char place[OFFER_CAS_MAX * SIGNER_RAS_MAX];
	size_t n_id;
	struct scep_bytes caps_text; /* answer to GetCACaps */
	struct scep_bytes ca_certs;  /* answer to GetCACert */
	const char *ca_certs_type;   /* its content type */
	struct scep_bytes next_ca;   /* answer to GetNextCACert; empty: not offered */
};

/* Prepare the answers; one reference is the caller's. */
enum rc offer_new(struct offer **out, const struct endpoint *e, const struct offer_plan *plan,
    struct err *err) MUST_CHECK;
struct offer *offer_ref(struct offer *o);
void offer_release(struct offer *o); /* NULL is allowed */
/* It has a next CA whose certificates could not be signed: worth another try. */
bool offer_lacks_next(const struct offer *o);
bool offer_plan_same(const struct offer_plan *a, const struct offer_plan *b);

/*
 * Which CA issues for a device of this bucket (rollover_bucket()) whose request was enveloped to
 * `recipient`: to the next CA's RA, the next CA (RFC 8894 5.1); otherwise the share decides.
 * RC_DENIED: every CA that could is retired.
 */
enum rc offer_choose(struct server_ca **out, const struct offer *o,
    const struct scep_identity *recipient, unsigned bucket, struct err *err) MUST_CHECK;

#endif
