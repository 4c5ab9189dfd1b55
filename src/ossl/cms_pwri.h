/*
 * cms_pwri.h - PasswordRecipientInfo (RFC 5652 6.2.4, RFC 3211): a content-encryption key of 32 bytes
 * under a passphrase.  For cms_password.c only.
 */
#ifndef SCEPD_OSSL_CMS_PWRI_H
#define SCEPD_OSSL_CMS_PWRI_H

#include "base/buf.h"
#include "base/err.h"
#include "ossl/der.h"

#define PWRI_CEK_SIZE 32

/* Append the RecipientInfo. */
enum rc pwri_add(struct buf *b, const uint8_t cek[static PWRI_CEK_SIZE], const void *passphrase,
    size_t len, unsigned rounds, struct err *err) MUST_CHECK;
/* Take it from `in`, which holds nothing else.  RC_DENIED: wrong passphrase. */
enum rc pwri_open(uint8_t cek[static PWRI_CEK_SIZE], struct der in, const void *passphrase,
    size_t len, struct err *err) MUST_CHECK;

#endif
