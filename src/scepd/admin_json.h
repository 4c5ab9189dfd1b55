/*
 * admin_json.h - the doors for what callers of the admin API send: strict JSON objects without unknown
 * members, every text bounded and plain UTF-8.
 */
#ifndef SCEPD_SCEPD_ADMIN_JSON_H
#define SCEPD_SCEPD_ADMIN_JSON_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "ossl/cert.h"
#include "store/store_status.h"

#define ADMIN_BODY_MAX (16u * 1024) /* bytes: a handful of texts */
#define ADMIN_TEXT_MAX STORE_OTP_TEXT_MAX

/* POST /api/v1/otp */
struct admin_otp_ask {
	char endpoint[64];
	char subject[ADMIN_TEXT_MAX + 1], san[ADMIN_TEXT_MAX + 1], comment[ADMIN_TEXT_MAX + 1];
	int64_t lifetime; /* seconds; 0: the endpoint's */
	unsigned uses;    /* 1 unless given */
};
/* RC_PARSE in words for the caller, RC_LIMIT. */
enum rc admin_otp_parse(
    struct admin_otp_ask *out, const void *body, size_t len, struct err *err) MUST_CHECK;

/* POST /api/v1/requests/ID/approve, /deny; an empty body has no reason. */
struct admin_decision {
	char reason[ADMIN_TEXT_MAX + 1];
};
enum rc admin_decision_parse(
    struct admin_decision *out, const void *body, size_t len, struct err *err) MUST_CHECK;

#define ADMIN_SKI_MAX 32 /* octets: SHA-1 in ours, SHA-256 at most elsewhere */
/* Which certificate a verdict is asked of: by its serial number, or as a whole. */
struct admin_cert_ask {
	char serial[2 * SERIAL_MAX + 1]; /* upper hex */
	char ca[64];                     /* has to be of this CA; "": any of ours */
	char ski[2 * ADMIN_SKI_MAX + 1]; /* its subjectKeyIdentifier, upper hex; "": not told */
	struct cert *cert;               /* NULL: the serial number is all that is known */
};
void admin_cert_ask_done(struct admin_cert_ask *a);
/* POST /api/v1/verdict: {"serial"} or {"certificate": PEM, or DER in base64}, and "ca", "ski". */
enum rc admin_cert_ask_parse(
    struct admin_cert_ask *out, const void *body, size_t len, struct err *err) MUST_CHECK;
/* GET /api/v1/verdict?serial=...&ca=...&ski=... */
enum rc admin_cert_ask_query(
    struct admin_cert_ask *out, const char *query, struct err *err) MUST_CHECK;
/* Hex in any case, with ':', '-' or blanks between, "0x" before it: as programs show it. */
enum rc admin_serial(
    char out[static 2 * SERIAL_MAX + 1], const char *text, struct err *err) MUST_CHECK;

/* POST .../revoke, .../hold, .../release: of one certificate, or of all of a device or user. */
struct admin_status_ask {
	int reason;      /* of a revocation, which wants one: RFC 5280 5.3.1 */
	int64_t until;   /* of a hold: wall seconds; 0: until somebody takes it away */
	char device[64]; /* Intune or Entra device id, or Entra object id; "" : not of a device */
	char user[64];   /* Entra object id */
	char comment[ADMIN_TEXT_MAX + 1];
};
/* `many`: of a device or a user, one of which is named.  `now`: wall seconds, for "until": "8h". */
enum rc admin_status_parse(struct admin_status_ask *out, enum cause_effect effect, bool many,
    int64_t now, const void *body, size_t len, struct err *err) MUST_CHECK;

#endif
