/*
 * cms_ber.h - the door for BER (X.690 8), which CMS allows and jscep, BouncyCastle and Java stacks
 * send.
 */
#ifndef SCEPD_OSSL_CMS_BER_H
#define SCEPD_OSSL_CMS_BER_H

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

#define BER_DEPTH_MAX    24    /* a certificate inside SignedData needs 11 */
#define BER_ELEMENTS_MAX 16384 /* bounds the time; a PKIMessage with a chain has about 500 */

/*
 * BER in; definite lengths in the shortest form and unsegmented OCTET STRINGs out, so that
 * ossl/der.h can read it; everything else byte for byte as it came.  `out` (empty, with a maximum)
 * receives a copy.  `bytes` must be one element and nothing after it; `what` names it in errors.
 * Segments of an OCTET STRING under an IMPLICIT tag stay: only who knows the syntax can tell.
 */
enum rc ber_normalise(
    struct buf *out, const void *bytes, size_t len, const char *what, struct err *err) MUST_CHECK;

#endif
