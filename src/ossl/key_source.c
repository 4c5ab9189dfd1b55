/*
 * key_source.c - private keys from where their owner keeps them.
 */
#include "ossl/key_source.h"

#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/locked.h"
#include "base/secret.h"
#include "base/text.h"
#include "ossl/key_pem.h"
#include "ossl/token.h"

bool
key_source_is_token(const char *key)
{
	return str_starts(key, "pkcs11:");
}

/* What is wrong with a key file, the administrator has to mend; what the machine lacks, not. */
static enum rc
is_config(enum rc rc)
{
	switch (rc) {
	case RC_PARSE:
	case RC_ALG:
	case RC_LIMIT:
	case RC_NOTFOUND:
	case RC_INTEGRITY:
		return RC_CONFIG;
	default:
		return rc;
	}
}

static enum rc
open_file(struct key **out, const struct key_source *src, struct err *err)
{
	struct err why = { 0 };
	struct buf pem;
	bool locked;
	enum rc rc;

	buf_init(&pem, LIMIT_SECRET_FILE);
	rc = file_read_secret(&pem, src->key, LIMIT_SECRET_FILE, &why);
	if (rc == RC_OK) {
		rc = key_parse_pem_locked(out, &locked, pem.data, pem.len, src->passphrase, &why);
		if (rc != RC_OK)
			(void)err_context(&why, "%s", src->key);
	}
	buf_wipe(&pem);
	if (rc == RC_OK)
		return RC_OK;
	why.rc = is_config(rc);
	if (err != NULL)
		*err = why;
	return why.rc;
}

/* ---- tokens ---- */

/* The URI, and its PIN: the caller's, or where the URI says. */
static enum rc
read_uri(struct token_uri *uri, struct buf *pin, const struct key_source *src, struct err *err)
{
	enum rc rc = token_uri_parse(uri, src->key, strlen(src->key), err);

	if (rc != RC_OK)
		return rc;
	if (src->pin != NULL)
		buf_adds(pin, src->pin);
	else if (uri->pin_source[0] != '\0')
		rc = secret_read(pin, uri->pin_source, "PIN", err);
	return rc == RC_OK ? buf_ok(pin, "PIN", err) : rc;
}

/* Open the key, or make it first when there is a `spec`. */
static enum rc
use_token(struct key **out, const char *spec, const struct key_source *src, struct err *err)
{
	struct token_uri uri;
	struct buf pin;
	const char *p;
	enum rc rc;

	buf_init(&pin, LOCKED_MAX);
	rc = read_uri(&uri, &pin, src, err);
	p = src->pin != NULL || pin.len > 0 ? buf_str(&pin) : NULL;
	if (rc == RC_OK && spec != NULL)
		rc = token_key_make(spec, &uri, p, err);
	if (rc == RC_OK)
		rc = token_key_open(out, &uri, p, err);
	if (rc == RC_IO) { /* it fails, or was taken away */
		rc = RC_TIMEOUT;
		if (err != NULL)
			err->rc = rc;
	}
	buf_wipe(&pin);
	if (rc != RC_OK)
		(void)err_context(err, "%.*s", token_uri_shown(src->key), src->key);
	return rc;
}

enum rc
key_source_check(const char *key, struct err *err)
{
	struct token_uri uri;
	enum rc rc;

	if (!key_source_is_token(key))
		return RC_OK;
	rc = token_uri_parse(&uri, key, strlen(key), err);
	if (rc != RC_OK)
		(void)err_context(err, "%.*s", token_uri_shown(key), key);
	return rc;
}

enum rc
key_open(struct key **out, const struct key_source *src, struct err *err)
{
	return key_source_is_token(src->key) ? use_token(out, NULL, src, err)
					     : open_file(out, src, err);
}

static enum rc
create_file(struct key **out, const char *spec, const struct key_source *src, struct err *err)
{
	struct key *k = NULL;
	struct buf pem;
	enum rc rc = key_generate(&k, spec, err);

	if (rc != RC_OK)
		return rc;
	buf_init(&pem, LIMIT_SECRET_FILE);
	rc = key_private_pem_locked(&pem, k, src->passphrase, err);
	if (rc == RC_OK)
		rc = file_write(src->key, pem.data, pem.len, 0600, 0, err);
	buf_wipe(&pem);
	if (rc == RC_OK)
		*out = k;
	else
		key_free(k);
	return rc;
}

enum rc
key_create(struct key **out, const char *spec, const struct key_source *src, struct err *err)
{
	return key_source_is_token(src->key) ? use_token(out, spec, src, err)
					     : create_file(out, spec, src, err);
}
