/*
 * renewal.h - a certificate in place of one that its owner still holds (RFC 8894 2.3).
 *
 * The old certificate is a struct holder (holder.h).  Two rules are added here: when it may stand for a challenge, and that the new certificate says
 * no more about its owner than the old one did.  authorise_renewal() and cert_spec_decide() apply
 * them; nobody else needs to.
 */
#ifndef SCEPD_CA_RENEWAL_H
#define SCEPD_CA_RENEWAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "ca/profile.h"
#include "ossl/cert.h"

/* By the endpoint's configuration. */
struct renewal_rules {
	unsigned window; /* percent of the old certificate's life, at its end; 1 to 100 */
	/* Who authorised the old one knows whom it let through; false: a secret that many share, so that
	 * the profile's patterns bound the identity anew (S15). */
	bool vouches;
};

/* RC_DENIED before that, with the moment. */
enum rc renewal_check_window(
    const struct renewal_rules *r, const struct cert *old, int64_t now, struct err *err) MUST_CHECK;

/* What a certificate would say of its owner; borrowed. */
struct identity {
	const struct name *subject;
	const struct san_list *san;
	unsigned key_usage;
	const char *const *eku;
	size_t n_eku;
};
/*
 * The subject is that of `old`; every alternative name, key usage and extended key usage is one of the
 * old certificate's, or of those that `profile0` gives to everybody who asks for none (S07).
 * RC_DENIED names what is more.
 */
enum rc renewal_check_identity(const struct identity *fresh, const struct cert *old,
    const struct profile *profile0, struct err *err) MUST_CHECK;

#endif
