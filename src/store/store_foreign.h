/*
 * store_foreign.h - certificates of CAs that are not ours (scepd.yaml: foreign_cas), as rows beside our own.
 *
 * A row is as that of a certificate of ours, without transaction and endpoint; its profile is the name of its
 * CA, so that rules can be meant for it.  Causes, bindings, OCSP, verdicts and lists know no difference; CRLs of
 * ours name none of them, as nobody can sign for that CA.
 *
 * Serial numbers are unique in the whole store: OCSP, scepctl and the verdict call name a certificate by it
 * alone.  Those of CAs that draw them by chance (64 bits and more: ADCS, EZCA, SCEPman) never meet; one that
 * counts 1, 2, 3 may meet another that does, and then FOREIGN_TAKEN says so and nothing is overwritten.
 */
#ifndef SCEPD_STORE_STORE_FOREIGN_H
#define SCEPD_STORE_STORE_FOREIGN_H

#include "store/store_status.h"

struct store_foreign_cert {
	const char *serial;        /* upper hex */
	const char *subject, *san; /* texts, as in struct store_cert; NULL: not known */
	const char *thumbprint;    /* SHA-1 upper hex; "": not known */
	const uint8_t *der;        /* NULL: only its serial number is known */
	size_t der_len;
	int64_t not_before,
	    not_after; /* wall seconds; not_after 0: not known, it counts as valid */
	const struct store_binding *binding; /* NULL: it names nobody, or nobody is asked */
};
enum foreign_outcome {
	FOREIGN_ADDED,
	FOREIGN_FILLED, /* it was known by its serial number alone */
	FOREIGN_AS_IT_WAS,
	FOREIGN_TAKEN, /* the serial number is that of a certificate of another CA, or of another certificate */
	FOREIGN_OUTCOME__MAX
};
/*
 * Of one foreign CA, all in one commit, with one audit row ("foreign-import": CA, how many).  outcomes[n].  More
 * than STORE_CAUSES_BATCH: RC_LIMIT.  Safe to repeat.
 */
enum rc store_foreign_add(struct store *s, const char *ca, const struct store_foreign_cert *v,
    size_t n, enum foreign_outcome *outcomes, struct err *err) MUST_CHECK;
/* How many rows a foreign CA has, and how many of them are known by serial number alone. */
enum rc store_foreign_count(
    struct store *s, const char *ca, uint64_t *rows, uint64_t *bare, struct err *err) MUST_CHECK;
/* Certificates of a foreign CA on which a cause CAUSE_ISSUER stands, in ascending order of serial numbers (as
 * its CRL need not be: the caller sorts).  A non-zero return stops with RC_OK. */
struct store_foreign_mark {
	const uint8_t *serial; /* magnitude, big-endian, no leading zeros; lent */
	size_t serial_len;
	enum cause_effect effect;
	int reason;
};
enum rc store_foreign_marks(struct store *s, const char *ca,
    int (*fn)(void *arg, const struct store_foreign_mark *m), void *arg,
    struct err *err) MUST_CHECK;

#endif
