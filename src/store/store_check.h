/*
 * store_check.h - the arguments of the store's door: lengths, NULLs, hex.  A NULL where something is
 * needed is RC_BUG, too long a value RC_LIMIT.
 */
#ifndef SCEPD_STORE_STORE_CHECK_H
#define SCEPD_STORE_STORE_CHECK_H

#include "store/store_backend.h"

/* A text of a row; NULL is fine where the column may be empty. */
enum rc check_text(
    const char *s, size_t max, bool needed, const char *what, struct err *err) MUST_CHECK;
enum rc check_bytes(
    const void *p, size_t len, size_t max, const char *what, struct err *err) MUST_CHECK;
/* RC_PARSE: 1 to 20 octets of hex it is not.  Leading zero octets do not count: an INTEGER is a number. */
enum rc check_serial(struct store_serial *out, const char *hex, struct err *err) MUST_CHECK;
/* As store.h says of a certificate's name; `ca` is borrowed. */
enum rc check_name(
    struct store_cert_name *out, const char *hex, const char *ca, struct err *err) MUST_CHECK;

#endif
