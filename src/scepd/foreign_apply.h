/*
 * foreign_apply.h - what the own list of a foreign CA says becomes causes of its certificates (CAUSE_ISSUER).
 *
 * There is no brake, as there is for rules: a rule is somebody's opinion about a directory's answers, which may be
 * wrong for a whole fleet at once; a list is the CA's word about its own certificates, signed by it, and relying
 * parties that read it themselves have obeyed already.  Nothing is gained by being the last to believe it, and a
 * revocation that waits for an administrator is a stolen key that lets in.
 *
 * What an entry that is no more means: a hold comes off, as RFC 5280 has it; a revocation stays, since entries also go
 * when certificates expire, and no cause that revokes is ever taken back.
 */
#ifndef SCEPD_SCEPD_FOREIGN_APPLY_H
#define SCEPD_SCEPD_FOREIGN_APPLY_H

#include <stdatomic.h>

#include "ossl/crl_read.h"
#include "store/store_foreign.h"

#define FOREIGN_SKEW 300 /* s: how far the clock of a CA may be ahead of ours */

/*
 * Is it one to act on at `now` (wall seconds)?  `last`: the one that was taken last, or NULL.  RC_DENIED, in words:
 * it has ended, or is of the future; RC_CONFLICT: it is older than the last.  Which is older, the CA says by
 * thisUpdate, and by the number where that is the same: a CA that was set up anew counts from 1 again.
 */
enum rc foreign_judge(const struct crl_list *l, const struct store_foreign_crl *last, int64_t now,
    struct err *err) MUST_CHECK;

struct foreign_applied {
	uint64_t revoked, held, released;
	uint64_t bare;   /* serial numbers that nobody has imported: rows by themselves now */
	uint64_t taken;  /* serial numbers of a CA of ours that had this CA's name: not touched */
	uint64_t left;   /* that nobody has imported, past FOREIGN_BARE_MAX: not kept */
	uint64_t untold; /* turns without an audit row of their own (ISSUER_TURNS_TOLD) */
	bool whole;      /* false: *stop became true before the end */
};
/*
 * Rows of one CA that are known by serial number alone: 330 bytes of the database each, 650 MB in all, with their rows of the
 * audit trail.  A list of CRL_READ_MAX may have more, but only of a CA that means harm.  Rows stay until the CA is
 * forgotten, so that one that lists others each day would fill the disk.
 */
#define FOREIGN_BARE_MAX 2000000

/*
 * Set and take away causes until they are what the list says, in commits of STORE_CAUSES_BATCH, so that
 * enrolments go on; interrupted, it may simply be done again.  Needs 40 octets of memory for each entry.  `bare_max`:
 * FOREIGN_BARE_MAX; past it what was imported is still turned.
 */
enum rc foreign_apply(struct store *s, const char *ca, const struct crl_list *l, uint64_t bare_max,
    const atomic_bool *stop, struct foreign_applied *out, struct err *err) MUST_CHECK;

#endif
