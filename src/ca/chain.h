/*
 * chain.h - certificates of authorities from an issuing CA up to its root: whether relying parties
 * would follow them (RFC 5280 6.1).
 *
 * Threads: no state.
 */
#ifndef SCEPD_CA_CHAIN_H
#define SCEPD_CA_CHAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "ossl/ca_ext.h"
#include "ossl/cert.h"

#define CA_CHAIN_MAX 8 /* certificates above the issuing CA; real hierarchies have one or two */

/* Borrowed.  `name` is what errors call the certificate: its file, or its subject. */
struct chain {
	const struct cert *cert[CA_CHAIN_MAX + 1]; /* the issuing CA first, the root last */
	const char *name[CA_CHAIN_MAX + 1];
	size_t n;
	bool retired; /* it signs no certificate any more: it may be past its end */
};

/*
 * Each may issue certificates (CA:TRUE, keyCertSign), is valid now, was signed by the next, and the last by
 * itself; path lengths leave room for what is below, and name constraints for the names of it.  RC_CONFIG
 * names the certificate.
 */
enum rc chain_check(const struct chain *c, int64_t now, struct err *err) MUST_CHECK;
/* Within its validity: RC_CONFIG with `name` in it. */
enum rc cert_check_dates(
    const struct cert *c, const char *name, int64_t now, struct err *err) MUST_CHECK;

/*
 * Bring v[0..*n) into the order of the chain above `ca`, nearest first, and drop what is no part of it (by
 * giving it free): PKCS#7 and PKCS#12 have their certificates in no order.  RC_CONFIG names the issuer that is missing.
 */
enum rc chain_sort(struct cert **v, size_t *n, const struct cert *ca, struct err *err) MUST_CHECK;

#endif
