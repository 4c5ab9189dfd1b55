/*
 * ber.h - a PKIMessage the way BouncyCastle writes it, and so jscep and the Android apps on it: BER with
 * indefinite lengths, and OCTET STRINGs in pieces (X.690 8.1.3.6, 8.7.3).  The same message for a server
 * that reads CMS, and none at all for one that reads DER.
 */
#ifndef SCEPD_SCEP_CLIENT_BER_H
#define SCEPD_SCEP_CLIENT_BER_H

#include "base/buf.h"
#include "base/err.h"
#include "scep.h"

/*
 * Replace `message`, a request that libscep has made in DER and signed by `signer`.  The envelope inside
 * is written anew too, so it is signed again.  RC_PARSE for what is no request.
 */
enum rc ber_message(
    struct scep_bytes *message, const struct scep_identity *signer, struct err *err) MUST_CHECK;

/* The two halves, each a ContentInfo in DER to one in BER, appended: a door each. */
enum rc ber_signed(struct buf *out, const void *der, size_t len, struct err *err) MUST_CHECK;
enum rc ber_enveloped(struct buf *out, const void *der, size_t len, struct err *err) MUST_CHECK;

#endif
