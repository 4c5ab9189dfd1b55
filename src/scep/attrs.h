/*
 * attrs.h - the signed attributes of RFC 8894 3.2.1, read and written (internal).
 */
#ifndef SCEPD_SCEP_ATTRS_H
#define SCEPD_SCEP_ATTRS_H

#include "base/err.h"
#include "base/limits.h"
#include "ossl/cms.h"

#define OID_MESSAGE_TYPE    "2.16.840.1.113733.1.9.2"
#define OID_PKI_STATUS      "2.16.840.1.113733.1.9.3"
#define OID_FAIL_INFO       "2.16.840.1.113733.1.9.4"
#define OID_SENDER_NONCE    "2.16.840.1.113733.1.9.5"
#define OID_RECIPIENT_NONCE "2.16.840.1.113733.1.9.6"
#define OID_TRANSACTION_ID  "2.16.840.1.113733.1.9.7"
#define OID_FAIL_INFO_TEXT  "1.3.6.1.5.5.7.24.1"

#define NONCE_SIZE     16  /* what the RFC says and we send */
#define NONCE_MAX      64  /* what we echo: legacy clients send other sizes */
#define FAIL_TEXT_MAX  255 /* bytes of failInfoText that we send and keep */
#define TYPE_TEXT_ROOM 17

struct nonce {
	uint8_t v[NONCE_MAX];
	size_t len; /* 0: absent */
};

/* What a reply repeats of its request. */
struct transaction {
	char id[LIMIT_TXID + 1];
	uint8_t id_tag; /* its string type: echoed too (RFC 8894 3.2.1.1 wants the value; some
			   clients compare the DER) */
	struct nonce sender_nonce;
};

/* Reading: RC_NOTFOUND when absent, RC_PARSE when malformed, twice, or with several values. */

/* PrintableString, UTF8String or IA5String of 1..255 printable characters. */
enum rc attr_transaction_id(
    const struct cms_signed *s, struct transaction *t, struct err *err) MUST_CHECK;
/* 1..NONCE_MAX bytes; an empty one counts as absent. */
enum rc attr_nonce(
    const struct cms_signed *s, const char *oid, struct nonce *n, struct err *err) MUST_CHECK;
/*
 * A number written as text, in decimal and nothing else ("19", not "019" or "19 "), or as INTEGER
 * by old clients. `text` receives what came, printable and cut, whether or not it is a number.
 */
enum rc attr_number(const struct cms_signed *s, const char *oid, int *value,
    char text[static TYPE_TEXT_ROOM], struct err *err) MUST_CHECK;
/* UTF8String and friends, made printable and cut to FAIL_TEXT_MAX. */
enum rc attr_text(const struct cms_signed *s, const char *oid, char out[static FAIL_TEXT_MAX + 1],
    struct err *err) MUST_CHECK;

/* ---- writing ---- */

#define ATTRS_MAX 8

struct attrs {
	struct buf store;
	size_t at[ATTRS_MAX + 1]; /* where each value begins in store */
	struct cms_attr_build list[ATTRS_MAX];
	size_t n;
};

void attrs_init(struct attrs *a);
void attrs_done(struct attrs *a);
void attrs_add(struct attrs *a, const char *oid, uint8_t tag, const void *p, size_t len);
void attrs_add_number(struct attrs *a, const char *oid, int value);
/* The list is usable afterwards. */
enum rc attrs_finish(struct attrs *a, struct err *err) MUST_CHECK;

/* At most FAIL_TEXT_MAX bytes of well-formed UTF-8 without control characters. */
void fail_text_clean(char out[static FAIL_TEXT_MAX + 1], const char *text, size_t len);

#endif
