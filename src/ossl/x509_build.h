/*
 * x509_build.h - what certificates and revocation lists have in common when they are made.
 */
#ifndef SCEPD_OSSL_X509_BUILD_H
#define SCEPD_OSSL_X509_BUILD_H

#include "base/buf.h"
#include "base/err.h"

/* SEQUENCE { what was signed, the algorithm named inside it, BIT STRING }; appends. */
enum rc x509_assemble(struct buf *der, const void *tbs, size_t tbs_len, const void *sig,
    size_t sig_len, struct err *err) MUST_CHECK;

#endif
