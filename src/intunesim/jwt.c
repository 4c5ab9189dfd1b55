/*
 * jwt.c - signing and verifying compact tokens.
 */
#include "intunesim/jwt.h"

#include <string.h>

#include "base/text.h"

static enum rc
add_part(struct buf *out, const json_t *part, struct err *err)
{
	struct buf text;
	enum rc rc;

	buf_init(&text, JWT_MAX);
	if ((rc = json_add_text(&text, part, err)) == RC_OK)
		base64url_add(out, text.data, text.len);
	buf_done(&text);
	return rc;
}

static json_t *
make_header(const struct tenant *t)
{
	return json_pack("{s:s, s:s, s:s, s:s}", "typ", "JWT", "alg", "RS256", "x5t",
	    t->signer.thumbprint, "kid", t->signer.thumbprint);
}

enum rc
jwt_sign(struct buf *out, const struct tenant *t, const json_t *claims, struct err *err)
{
	json_t *header = make_header(t);
	struct buf token, sig;
	enum rc rc;

	buf_init(&token, JWT_MAX);
	buf_init(&sig, 1024);
	if (header == NULL) {
		rc = fail(err, RC_NOMEM, "out of memory");
		goto out;
	}
	if ((rc = add_part(&token, header, err)) != RC_OK)
		goto out;
	buf_addc(&token, '.');
	if ((rc = add_part(&token, claims, err)) != RC_OK ||
	    (rc = buf_ok(&token, "token", err)) != RC_OK ||
	    (rc = key_sign(&sig, t->signer.key, DIGEST_SHA256, token.data, token.len, err)) !=
		RC_OK)
		goto out;
	buf_addc(&token, '.');
	base64url_add(&token, sig.data, sig.len);
	if ((rc = buf_ok(&token, "token", err)) == RC_OK)
		buf_add(out, token.data, token.len);
out:
	json_decref(header);
	buf_wipe(&token);
	buf_done(&sig);
	return rc;
}

struct part {
	const char *p;
	size_t len;
};

/* Exactly three runs of base64url between two dots. */
static enum rc
split(struct part parts[static 3], const char *token, size_t len, struct err *err)
{
	const char *end = token + len;

	for (size_t i = 0; i < 3; i++) {
		const char *dot = memchr(token, '.', (size_t)(end - token));

		if ((dot == NULL) != (i == 2))
			return fail(err, RC_PARSE, "the token has not three parts");
		parts[i].p = token;
		parts[i].len = (size_t)((dot != NULL ? dot : end) - token);
		token = dot != NULL ? dot + 1 : end;
	}
	return RC_OK;
}

static enum rc
decode_json(json_t **out, const struct part *part, struct err *err)
{
	struct buf text;
	enum rc rc;

	buf_init(&text, JWT_MAX);
	rc = base64_decode(&text, part->p, part->len, BASE64_FIELD, err);
	if (rc == RC_OK)
		rc = json_parse(out, text.data, text.len, err);
	buf_done(&text);
	return rc;
}

static enum rc
check_header(const struct part *part, struct err *err)
{
	const char *alg;
	json_t *header;
	enum rc rc;

	if ((rc = decode_json(&header, part, err)) != RC_OK)
		return rc;
	alg = json_get_str(header, "alg");
	if (alg == NULL || strcmp(alg, "RS256") != 0)
		rc = fail(err, RC_ALG, "the token is not signed with RS256");
	json_decref(header);
	return rc;
}

static enum rc
check_signature(const struct tenant *t, const struct part parts[static 3], struct err *err)
{
	size_t signed_len = (size_t)(parts[1].p + parts[1].len - parts[0].p);
	struct buf sig;
	enum rc rc;

	buf_init(&sig, 1024);
	rc = base64_decode(&sig, parts[2].p, parts[2].len, BASE64_FIELD, err);
	if (rc == RC_OK)
		rc = key_verify(
		    t->signer.key, DIGEST_SHA256, parts[0].p, signed_len, sig.data, sig.len, err);
	buf_done(&sig);
	return rc;
}

enum rc
jwt_verify(json_t **claims, const struct tenant **t, const struct view *v, const char *token,
    size_t len, struct err *err)
{
	const struct tenant *signer;
	struct part parts[3];
	const char *tid;
	json_t *payload;
	enum rc rc;

	if (len > JWT_MAX)
		return fail(err, RC_LIMIT, "the token has %zu bytes", len);
	if ((rc = split(parts, token, len, err)) != RC_OK ||
	    (rc = check_header(&parts[0], err)) != RC_OK ||
	    (rc = decode_json(&payload, &parts[1], err)) != RC_OK)
		return rc;
	tid = json_get_str(payload, "tid");
	signer = tid != NULL && guid_valid(tid) ? view_tenant(v, tid) : NULL;
	if (signer == NULL)
		rc = fail(err, RC_NOTFOUND, "the token is of no tenant of ours");
	else
		rc = check_signature(signer, parts, err);
	if (rc != RC_OK) {
		json_decref(payload);
		return rc;
	}
	*claims = payload;
	*t = signer;
	return RC_OK;
}
