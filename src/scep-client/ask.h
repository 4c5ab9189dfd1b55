/*
 * ask.h - the messages without a CSR: CertPoll, GetCert, GetCRL (RFC 8894 3.3.3 to 3.3.5).  A library,
 * as enrol.h is.
 *
 * Who asks is struct enrol_request's signer with signer_key; of the rest of it alg, method, retries,
 * progress, recipient_by_ski and csr.challenge (for answers under it) count.
 */
#ifndef SCEPD_SCEP_CLIENT_ASK_H
#define SCEPD_SCEP_CLIENT_ASK_H

#include "scep-client/enrol.h"

/*
 * For the outcome of a request that is pending: signer and signer_key are those that signed it, key the
 * one to be certified, csr.subject what it asked for, transaction_id its own.  As enrol().
 */
enum rc ask_poll(struct session *s, const struct enrol_request *req, struct enrol_result *out,
    struct err *err) MUST_CHECK;

/*
 * The certificate with this serial number, of the server's CA.  On SUCCESS out->cert has it, and a CA of
 * the server's has signed it; whose key it holds is not looked at.
 */
enum rc ask_cert(struct session *s, const struct enrol_request *req, const struct serial *serial,
    struct enrol_result *out, struct err *err) MUST_CHECK;

/* What there is to tell of a revocation list. */
struct crl_facts {
	int64_t this_update, next_update; /* wall seconds; next_update 0: not told */
	size_t n_entries;
};
/* The door: one CertificateList (RFC 5280 5.1) that a CA of the server's has signed. */
enum rc crl_look(struct crl_facts *out, const struct session *s, const void *der, size_t len,
    struct err *err) MUST_CHECK;

/* The list that a certificate of the server's CA is to be looked up in; DER appended to `crl`. */
enum rc ask_crl(struct session *s, const struct enrol_request *req, const struct serial *serial,
    struct enrol_result *out, struct buf *crl, struct crl_facts *facts, struct err *err) MUST_CHECK;

#endif
