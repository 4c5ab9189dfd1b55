/*
 * token_uri.h - the PKCS#11 URI (RFC 7512) of a private key; for src/ossl only.
 */
#ifndef SCEPD_OSSL_TOKEN_URI_H
#define SCEPD_OSSL_TOKEN_URI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define TOKEN_URI_MAX    2048 /* octets */
#define TOKEN_LABEL_MAX  32   /* PKCS#11 CK_TOKEN_INFO: label and manufacturerID */
#define TOKEN_SERIAL_MAX 16   /* serialNumber and model */
#define TOKEN_OBJECT_MAX 255  /* CKA_LABEL; no maximum there */
#define TOKEN_ID_MAX     64   /* CKA_ID; mostly 1 to 20 octets */

/* "" or 0: not said. */
struct token_uri {
	char token[TOKEN_LABEL_MAX + 1];
	char manufacturer[TOKEN_LABEL_MAX + 1];
	char model[TOKEN_SERIAL_MAX + 1];
	char serial[TOKEN_SERIAL_MAX + 1];
	bool has_slot;
	uint64_t slot;
	char object[TOKEN_OBJECT_MAX + 1];
	uint8_t id[TOKEN_ID_MAX];
	size_t id_len;
	char pin_source[TOKEN_URI_MAX]; /* as secret_read() takes it */
};

/*
 * The door.  RC_CONFIG for what RFC 7512 does not allow, for a PIN in the URI itself, for attributes that
 * say nothing about a private key here, and when neither object nor id names a key.
 */
enum rc token_uri_parse(
    struct token_uri *out, const char *text, size_t len, struct err *err) MUST_CHECK;
/* How many bytes of `text` an error may show: all but the query, and no more than a line bears. */
int token_uri_shown(const char *text);

#endif
