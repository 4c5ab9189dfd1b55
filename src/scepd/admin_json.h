/*
 * admin_json.h - the doors for what callers of the admin API send: strict JSON objects without unknown
 * members, every text bounded and plain UTF-8.
 */
#ifndef SCEPD_SCEPD_ADMIN_JSON_H
#define SCEPD_SCEPD_ADMIN_JSON_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "store/store.h"

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

#endif
