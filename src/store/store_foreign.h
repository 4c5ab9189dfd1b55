/*
 * store_foreign.h - certificates of CAs that are not ours (scepd.yaml: foreign_cas), as rows beside our own.
 *
 * A row is as that of a certificate of ours, without transaction and endpoint; its profile is the name of its
 * CA, so that rules can be meant for it.  Causes, bindings, OCSP, verdicts and lists know no difference; CRLs of
 * ours name none of them, as nobody can sign for that CA.
 *
 * A row may be bare: its serial number is all that is known, because the CA's own list names it and nobody has
 * imported it.  It has no DER and no thumbprint, and ends with the year 9999, which is how RFC 5280 4.1.2.5 says
 * that no end is known.
 *
 * A CA's serial numbers are its own affair: two that count 1, 2, 3 do not meet here, and one that lists
 * or imports the numbers of another says nothing about that one's certificates.  Only who names a certificate by its
 * number alone has to say which CA's is meant (store.h).
 */
#ifndef SCEPD_STORE_STORE_FOREIGN_H
#define SCEPD_STORE_STORE_FOREIGN_H

#include "store/store_status.h"

#define FOREIGN_NO_END INT64_C(253402300799) /* 9999-12-31T23:59:59Z */

struct store_foreign_cert {
	const char *serial;        /* upper hex */
	const char *subject, *san; /* texts, as in struct store_cert; NULL: not known */
	const char *thumbprint;    /* SHA-1 upper hex; NULL: not known */
	const uint8_t *der;        /* NULL: only its serial number is known */
	size_t der_len;
	int64_t not_before, not_after; /* wall seconds; not_after 0: not known, FOREIGN_NO_END */
	const struct store_binding *binding; /* NULL: it names nobody, or nobody is asked */
};
enum foreign_outcome {
	FOREIGN_ADDED,
	FOREIGN_FILLED, /* it was known by its serial number alone, or without whom it names */
	FOREIGN_AS_IT_WAS,
	FOREIGN_TAKEN, /* the serial number is that of another certificate of this CA, or the CA is one of ours */
	FOREIGN_OUTCOME__MAX
};
/*
 * Of one foreign CA, all in one commit, with one audit row ("foreign-import": CA, how many, who) if any was added
 * or filled.  `who` imports; NULL: the CA's own list names them.  outcomes[n].  More than STORE_CAUSES_BATCH:
 * RC_LIMIT.  Safe to repeat.
 */
enum rc store_foreign_add(struct store *s, const char *ca, const char *who,
    const struct store_foreign_cert *v, size_t n, enum foreign_outcome *outcomes,
    struct err *err) MUST_CHECK;
/* What store_foreign_add() would say, and nothing is written; certificates that are twice among `v` count
 * twice. */
enum rc store_foreign_look(struct store *s, const char *ca, const struct store_foreign_cert *v,
    size_t n, enum foreign_outcome *outcomes, struct err *err) MUST_CHECK;
/* How many rows a foreign CA has, and how many of them are known by serial number alone. */
enum rc store_foreign_count(
    struct store *s, const char *ca, uint64_t *rows, uint64_t *bare, struct err *err) MUST_CHECK;
/* Names of CAs that have such rows, whether or not they are in the configuration. */
enum rc store_foreign_cas(
    struct store *s, int (*fn)(void *arg, const char *ca), void *arg, struct err *err) MUST_CHECK;

/* ---- what its own list says ---- */

/* Certificates of a foreign CA on which a cause CAUSE_ISSUER stands, in the order of foreign_serial_compare(), as
 * its CRL need not be: the caller sorts.  Lent; a non-zero return stops with RC_OK. */
struct store_foreign_mark {
	const uint8_t *serial; /* magnitude, big-endian, no leading zeros */
	size_t serial_len;
	enum cause_effect effect;
	int reason;
};
enum rc store_foreign_marks(struct store *s, const char *ca,
    int (*fn)(void *arg, const struct store_foreign_mark *m), void *arg,
    struct err *err) MUST_CHECK;
/* Octet by octet, the shorter first where one begins with the other: the order of the database's index. */
int foreign_serial_compare(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len);

/* The list that was taken last, so that an older one is known as such after a restart. */
#define FOREIGN_NUMBER_MAX 41 /* 20 octets in hex, with the NUL */
struct store_foreign_crl {
	char number
	    [FOREIGN_NUMBER_MAX]; /* upper hex without leading zero octets; "": the list has none */
	int64_t this_update, next_update; /* wall seconds; next_update 0: the list does not say */
	uint64_t entries;
	int64_t taken; /* wall seconds: when it was read first */
	uint8_t sha256[32];
	/* Of store_foreign_crl_set(), for its audit row: turns that have none of their own (store_cause_done.untold). */
	uint64_t untold;
};
enum rc store_foreign_crl_get(struct store *s, const char *ca, struct store_foreign_crl *out,
    struct err *err) MUST_CHECK; /* RC_NOTFOUND: none was ever taken */
/* With an audit row "foreign-crl". */
enum rc store_foreign_crl_set(struct store *s, const char *ca, const struct store_foreign_crl *crl,
    struct err *err) MUST_CHECK;

/* What became of the last look at it, for whoever asks beside a running scepd. */
struct store_foreign_look {
	int64_t tried; /* wall seconds */
	int64_t good;  /* wall seconds: when a list was read that could be acted on; 0: never */
	char failure[ERR_MSG_MAX]; /* "": the last look was good */
};
enum rc store_foreign_look_get(struct store *s, const char *ca, struct store_foreign_look *out,
    struct err *err) MUST_CHECK; /* RC_NOTFOUND: nobody has looked yet */
/* failure "": it was good, at `tried`.  No audit row. */
enum rc store_foreign_look_set(struct store *s, const char *ca, int64_t tried, const char *failure,
    struct err *err) MUST_CHECK;

#endif
