/*
 * crl.h - certificate revocation lists (RFC 5280 5), written as their entries come: a million of them
 * need the memory of the list, once, and no array.
 *
 *	crl_begin() ... crl_add() for each entry ... crl_tbs() -> signature -> crl_finish()
 *
 * What comes before the entries is put in front of them at the end, into room that was left for it, as
 * its lengths are not known earlier; so the bytes to be signed and the list lie in one buffer, and are
 * never copied.  Whatever fails (no memory, too long, a date that is none) is told by crl_tbs().
 *
 * Threads: none; one owner.
 */
#ifndef SCEPD_OSSL_CRL_H
#define SCEPD_OSSL_CRL_H

#include "ossl/cert.h"
#include "ossl/der.h"

#define CRL_URLS_MAX 8 /* of one extension: as many addresses as a profile may have */

/* What a list says beside its entries.  Borrowed until crl_finish() or crl_abandon(). */
struct crl_scope {
	const struct cert *issuer;
	enum digest digest;
	int64_t this_update, next_update; /* wall seconds */
	bool delta;                       /* RFC 5280 5.2.4: changes since list number `base` */
	uint64_t base;
	/* RFC 5280 5.2.5: the list is of those certificates alone whose distribution point has one of these
	 * names; critical.  None: of all that the CA has issued. */
	const char *const *points;
	size_t n_points;
	/* RFC 5280 5.2.6: where deltas of this list are.  Not in a delta. */
	const char *const *freshest;
	size_t n_freshest;
};

struct crl_writer {
	const struct crl_scope *scope;
	struct buf *out;
	struct buf head;      /* version to nextUpdate */
	size_t entries, tail; /* where they begin and end in `out` */
	size_t tbs;           /* where it begins, after crl_tbs() */
	size_t n;             /* entries so far */
	bool bad;             /* a date or a serial number that is none */
};

/* `out` is empty, with the maximum that the list may have; it is the caller's, and holds nothing of use
 * before crl_finish().  RC_BUG: a span of time that is none. */
enum rc crl_begin(
    struct crl_writer *w, struct buf *out, const struct crl_scope *s, struct err *err) MUST_CHECK;
/* In ascending order of serial numbers (magnitudes, big-endian, without leading zeros); `reason`: RFC
 * 5280 5.3.1, of which 0 is left out, as it says. */
void crl_add(struct crl_writer *w, const uint8_t *serial, size_t len, int64_t when, int reason);
/* The entries as they are in DER: to compare them with those of another list.  Lent until crl_add(). */
struct der crl_entries(const struct crl_writer *w);
/* Now that they are all there: the bytes to be signed.  Lent until crl_finish().  RC_LIMIT: `out` is too
 * small for them. */
enum rc crl_tbs(struct crl_writer *w, uint64_t number, struct der *tbs, struct err *err) MUST_CHECK;
/* `out` is the list.  *entries, may be NULL: where its entries begin in it. */
enum rc crl_finish(struct crl_writer *w, const void *sig, size_t sig_len, size_t *entries,
    struct err *err) MUST_CHECK;
/* Instead of crl_finish(); may follow anything. */
void crl_abandon(struct crl_writer *w);

#endif
