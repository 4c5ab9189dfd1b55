/*
 * crl_read.h - a certificate revocation list of another CA (RFC 5280 5), read.
 *
 * A struct crl_list proves that `issuer` has signed these bytes, that they are a whole list of all certificates of
 * that CA, and that every entry can be read.  It says nothing about time: whether the list is of now, and not
 * older than one that was read before, is the reader's to judge.
 *
 * Entries stay where they are: a list with a million of them needs no memory but its own bytes.
 *
 * What is refused, as this reader could not act on all that it says: deltas, indirect lists, lists of some
 * certificates or reasons only (RFC 5280 5.2.4, 5.2.5), and unknown critical extensions.
 *
 * Threads: immutable; borrows the bytes.
 */
#ifndef SCEPD_OSSL_CRL_READ_H
#define SCEPD_OSSL_CRL_READ_H

#include "ossl/cert.h"
#include "ossl/der.h"

#define CRL_READ_MAX (64u * 1024 * 1024)    /* bytes: 1.5 million entries of the usual 40 octets */
#define CRL_TEXT_MAX (CRL_READ_MAX / 2 * 3) /* of a file or reply: PEM is a third longer */

struct crl_list {
	int64_t this_update, next_update; /* wall seconds; next_update 0: it does not say */
	struct serial number;             /* len 0: it has none */
	size_t n;                         /* entries */
	struct der entries;               /* for crl_next(); lent */
};
struct crl_revoked {
	struct der serial; /* magnitude, big-endian, no leading zeros; lent */
	int64_t when;      /* wall seconds */
	int reason;        /* RFC 5280 5.3.1; 0 where none is told, or one that nobody knows */
};

/*
 * The DER in a file or a reply: `text` itself, or what its PEM block X509 CRL holds, which is then in `room`.
 * RC_PARSE: it is neither.
 */
enum rc crl_unpack(
    struct der *der, struct buf *room, const void *text, size_t len, struct err *err) MUST_CHECK;
/* The door.  RC_LIMIT past CRL_READ_MAX; RC_PARSE; RC_INTEGRITY: another CA's, or not signed by it; RC_ALG;
 * RC_DENIED: a kind of list that is not read. */
enum rc crl_read(struct crl_list *out, const void *der, size_t len, const struct cert *issuer,
    struct err *err) MUST_CHECK;
/* Take the next entry of a list that crl_read() took: begin with a copy of its `entries`.  False: there is none. */
bool crl_next(struct der *rest, struct crl_revoked *out);

#endif
