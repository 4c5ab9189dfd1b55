/* seal.c - see seal.h. */
#include "scepd/seal.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/text.h"
#include "ossl/aead.h"
#include "ossl/alg.h"
#include "ossl/der.h"

/* The first octet says what follows. */
enum { KEPT_NOTHING = 0, KEPT_SEALED = 1, KEPT_CLEAR = DER_SEQUENCE };

/* Its key is 32 random bytes in hex, so that an administrator can look at it and copy it. */
struct seal {
	uint8_t key[AEAD_KEY_SIZE];
};

enum rc
seal_key_path(char **out, const char *store_url, struct err *err)
{
	static const char scheme[] = "sqlite:";
	char *dir = NULL;
	enum rc rc;

	if (!str_starts(store_url, scheme)) {
		*out = NULL;
		return RC_OK;
	}
	if ((rc = path_dir(&dir, store_url + strlen(scheme), err)) != RC_OK)
		return rc;
	rc = path_join(out, dir, SEAL_KEY_NAME, err);
	free(dir);
	return rc;
}

/* RC_CONFLICT: somebody made one just now. */
static enum rc
key_make(struct seal *s, const char *path, struct err *err)
{
	char hex[2 * AEAD_KEY_SIZE + 2];
	enum rc rc = random_bytes(s->key, sizeof(s->key), err);

	if (rc != RC_OK)
		return rc;
	hex_lower(hex, s->key, sizeof(s->key));
	hex[2 * AEAD_KEY_SIZE] = '\n';
	rc = file_write(path, hex, 2 * AEAD_KEY_SIZE + 1, 0600, 0, err);
	wipe(hex, sizeof(hex));
	return rc;
}

static enum rc
key_read(struct seal *s, const char *path, struct err *err)
{
	struct buf b;
	enum rc rc;

	buf_init(&b, LIMIT_SECRET_FILE);
	rc = file_read_secret(&b, path, LIMIT_SECRET_FILE, err);
	if (rc == RC_OK &&
	    (b.len != 2 * AEAD_KEY_SIZE ||
		hex_decode(s->key, sizeof(s->key), buf_str(&b), b.len, NULL) != RC_OK)) {
		rc = fail(err, RC_CONFIG, "%s is not the key of the store's requests", path);
		err_hint(err,
		    "restore it from a backup; or remove it, and what Intune has not heard of yet "
		    "is given up");
	}
	buf_wipe(&b);
	return rc;
}

enum rc
seal_open(struct seal **out, const char *path, bool *made, struct err *err)
{
	struct seal *s = calloc(1, sizeof(*s));
	enum rc rc;

	if (s == NULL)
		return fail(err, RC_NOMEM, "no memory for the key of the store's requests");
	rc = key_read(s, path, err);
	*made = rc == RC_NOTFOUND;
	if (*made && (rc = key_make(s, path, err)) == RC_CONFLICT) {
		*made = false;
		rc = key_read(s, path, err);
	}
	if (rc == RC_OK)
		*out = s;
	else
		seal_free(s);
	return rc;
}

void
seal_free(struct seal *s)
{
	wipe_free(s, sizeof(*s));
}

/* What a sealed request belongs to; the NULs part the texts. */
static enum rc
transaction(struct buf *b, const char *endpoint, const char *transaction_id, struct err *err)
{
	static const char what[] = "scepd request";

	buf_init(b, 4096);
	buf_add(b, what, sizeof(what));
	buf_add(b, endpoint, strlen(endpoint) + 1);
	buf_add(b, transaction_id, strlen(transaction_id) + 1);
	return buf_ok(b, "name of a transaction", err);
}

enum rc
seal_request(struct buf *out, const struct seal *s, const char *endpoint,
    const char *transaction_id, const uint8_t *csr, size_t len, struct err *err)
{
	struct buf aad;
	enum rc rc;

	buf_addc(out, s == NULL ? KEPT_NOTHING : KEPT_SEALED);
	if (s == NULL)
		return buf_ok(out, "request", err);
	rc = transaction(&aad, endpoint, transaction_id, err);
	if (rc == RC_OK)
		rc = aead_seal(out, s->key, aad.data, aad.len, csr, len, err);
	buf_done(&aad);
	return rc;
}

static enum rc
unseal(struct buf *out, const struct seal *s, const char *endpoint, const char *transaction_id,
    const uint8_t *kept, size_t len, struct err *err)
{
	struct buf aad;
	enum rc rc;

	if (s == NULL)
		return fail(err, RC_INTEGRITY, "a sealed request, and no key to it");
	rc = transaction(&aad, endpoint, transaction_id, err);
	if (rc == RC_OK)
		rc = aead_open(out, s->key, aad.data, aad.len, kept, len, err);
	buf_done(&aad);
	return rc;
}

enum rc
seal_unseal(struct buf *out, const struct seal *s, const char *endpoint, const char *transaction_id,
    const uint8_t *kept, size_t len, struct err *err)
{
	if (len == 0)
		return fail(err, RC_NOTFOUND, "no request was kept");
	switch (kept[0]) {
	case KEPT_NOTHING:
		return fail(err, RC_NOTFOUND, "no request was kept");
	case KEPT_SEALED:
		return unseal(out, s, endpoint, transaction_id, kept + 1, len - 1, err);
	case KEPT_CLEAR:
		buf_add(out, kept, len);
		return buf_ok(out, "request", err);
	default:
		return fail(err, RC_INTEGRITY, "what was kept of a request has no known form");
	}
}
