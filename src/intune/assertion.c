/*
 * assertion.c - client assertions (RFC 7523 2.2), as Entra wants them:
 * https://learn.microsoft.com/entra/identity-platform/certificate-credentials
 */
#include "intune/assertion.h"

#include <inttypes.h>

#include "base/limits.h"
#include "base/text.h"
#include "intune/wire.h"

#define PART_MAX (4 * KIB) /* two values of at most 1 KiB and a URL of 2 KiB do not come together */

static enum rc
add_thumbprint(
    struct buf *out, const char *name, enum digest d, const struct cert *cert, struct err *err)
{
	uint8_t md[DIGEST_SIZE_MAX];
	size_t len;
	const uint8_t *der = cert_der0(cert, &len);
	enum rc rc = digest_bytes(md, d, der, len, err);

	if (rc != RC_OK)
		return rc;
	buf_addf(out, ",\"%s\":\"", name);
	base64url_add(out, md, digest_size(d));
	buf_addc(out, '"');
	return RC_OK;
}

static enum rc
add_header(struct buf *out, const struct assertion *a, struct err *err)
{
	struct buf json;
	enum rc rc;

	buf_init(&json, PART_MAX);
	buf_addf(&json, "{\"alg\":\"%s\",\"typ\":\"JWT\"", a->rs256 ? "RS256" : "PS256");
	rc = add_thumbprint(&json, "x5t#S256", DIGEST_SHA256, a->cert, err);
	if (rc == RC_OK && a->rs256)
		rc = add_thumbprint(&json, "x5t", DIGEST_SHA1, a->cert, err);
	buf_addc(&json, '}');
	if (rc == RC_OK && (rc = buf_ok(&json, "assertion", err)) == RC_OK)
		base64url_add(out, json.data, json.len);
	buf_done(&json);
	return rc;
}

static enum rc
add_claims(struct buf *out, const struct assertion *a, struct err *err)
{
	char jti[GUID_TEXT];
	struct buf json;
	enum rc rc = wire_guid(jti, err);

	if (rc != RC_OK)
		return rc;
	buf_init(&json, PART_MAX);
	buf_addf(&json,
	    "{\"aud\":\"%s\",\"iss\":\"%s\",\"sub\":\"%s\",\"jti\":\"%s\",\"nbf\":%" PRId64
	    ",\"iat\":%" PRId64 ",\"exp\":%" PRId64 "}",
	    a->audience, a->client_id, a->client_id, jti, a->now, a->now,
	    a->now + ASSERTION_LIFE_S);
	if ((rc = buf_ok(&json, "assertion", err)) == RC_OK)
		base64url_add(out, json.data, json.len);
	buf_done(&json);
	return rc;
}

static enum rc
sign(struct buf *sig, const struct assertion *a, const uint8_t *tbs, size_t len, struct err *err)
{
	return a->rs256 ? key_sign(sig, a->key, DIGEST_SHA256, tbs, len, err)
			: key_sign_pss(sig, a->key, DIGEST_SHA256, tbs, len, err);
}

enum rc
assertion_add(struct buf *out, const struct assertion *a, struct err *err)
{
	size_t start = out->len;
	struct buf sig;
	enum rc rc;

	if ((rc = add_header(out, a, err)) != RC_OK)
		return rc;
	buf_addc(out, '.');
	if ((rc = add_claims(out, a, err)) != RC_OK ||
	    (rc = buf_ok(out, "assertion", err)) != RC_OK)
		return rc;
	buf_init(&sig, LIMIT_RSA_BITS / 8);
	rc = sign(&sig, a, out->data + start, out->len - start, err);
	if (rc == RC_OK) {
		buf_addc(out, '.');
		base64url_add(out, sig.data, sig.len);
		rc = buf_ok(out, "assertion", err);
	}
	buf_done(&sig);
	return rc;
}
