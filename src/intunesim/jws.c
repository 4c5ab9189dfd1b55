/*
 * jws.c - taking compact tokens apart, and making them.
 */
#include "intunesim/jws.h"

#include <string.h>

#include "base/text.h"

#define SIGNATURE_MAX 1024 /* bytes of an RSA signature, with room to spare */

typedef enum rc verify_fn(const struct key *k, enum digest d, const void *tbs, size_t len,
    const void *sig, size_t sig_len, struct err *err);

static const struct {
	const char *alg;
	verify_fn *verify;
} algs[] = {
	{ "RS256", key_verify },
	{ "PS256", key_verify_pss },
};

/* RFC 4648 section 5 to the letter: base64_decode() takes more than that. */
static bool
is_base64url(const char *p, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (p[i] == '\0' ||
		    strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
			p[i]) == NULL)
			return false;
	}
	return len > 0;
}

struct part {
	const char *p;
	size_t len;
};

/* Exactly three runs of base64url between two dots. */
static enum rc
split(struct part parts[static 3], const char *text, size_t len, struct err *err)
{
	const char *end = text + len;

	for (size_t i = 0; i < 3; i++) {
		const char *dot = memchr(text, '.', (size_t)(end - text));

		if ((dot == NULL) != (i == 2))
			return fail(err, RC_PARSE, "the token has not three parts");
		parts[i].p = text;
		parts[i].len = (size_t)((dot != NULL ? dot : end) - text);
		if (!is_base64url(parts[i].p, parts[i].len))
			return fail(err, RC_PARSE, "a part of the token is no base64url");
		text = dot != NULL ? dot + 1 : end;
	}
	return RC_OK;
}

static enum rc
decode_object(json_t **out, const struct part *part, struct err *err)
{
	struct buf text;
	enum rc rc;

	buf_init(&text, JWS_MAX);
	rc = base64_decode(&text, part->p, part->len, BASE64_FIELD, err);
	if (rc == RC_OK)
		rc = json_parse_object(out, "a part of the token", text.data, text.len, err);
	buf_wipe(&text);
	return rc;
}

enum rc
jws_parse(struct jws *out, const char *text, size_t len, struct err *err)
{
	struct jws j = { .text = text };
	struct part parts[3];
	enum rc rc;

	if (len > JWS_MAX)
		return fail(err, RC_LIMIT, "the token has %zu bytes", len);
	buf_init(&j.sig, SIGNATURE_MAX);
	if ((rc = split(parts, text, len, err)) != RC_OK ||
	    (rc = decode_object(&j.header, &parts[0], err)) != RC_OK ||
	    (rc = decode_object(&j.payload, &parts[1], err)) != RC_OK ||
	    (rc = base64_decode(&j.sig, parts[2].p, parts[2].len, BASE64_FIELD, err)) != RC_OK) {
		jws_done(&j);
		return rc;
	}
	j.signed_len = parts[0].len + 1 + parts[1].len;
	*out = j;
	return RC_OK;
}

void
jws_done(struct jws *j)
{
	json_decref(j->header);
	json_decref(j->payload);
	buf_done(&j->sig);
}

enum rc
jws_verify(const struct jws *j, const struct key *k, struct err *err)
{
	const char *alg = json_get_str(j->header, "alg");

	for (size_t i = 0; alg != NULL && i < sizeof(algs) / sizeof(algs[0]); i++) {
		if (strcmp(alg, algs[i].alg) != 0)
			continue;
		if (key_info0(k)->type != KEY_RSA)
			break;
		return algs[i].verify(
		    k, DIGEST_SHA256, j->text, j->signed_len, j->sig.data, j->sig.len, err);
	}
	return fail(err, RC_ALG, "the token is not signed with RS256 or PS256");
}

static enum rc
add_part(struct buf *out, const json_t *part, struct err *err)
{
	struct buf text;
	enum rc rc;

	buf_init(&text, JWS_MAX);
	if ((rc = json_add_text(&text, part, err)) == RC_OK)
		base64url_add(out, text.data, text.len);
	buf_wipe(&text);
	return rc;
}

enum rc
jws_sign(struct buf *out, const json_t *header, const json_t *payload, const struct key *key,
    bool pss, struct err *err)
{
	struct buf token, sig;
	enum rc rc;

	buf_init(&token, JWS_MAX);
	buf_init(&sig, SIGNATURE_MAX);
	if ((rc = add_part(&token, header, err)) != RC_OK)
		goto out;
	buf_addc(&token, '.');
	if ((rc = add_part(&token, payload, err)) != RC_OK ||
	    (rc = buf_ok(&token, "token", err)) != RC_OK ||
	    (rc = (pss ? key_sign_pss : key_sign)(
		 &sig, key, DIGEST_SHA256, token.data, token.len, err)) != RC_OK)
		goto out;
	buf_addc(&token, '.');
	base64url_add(&token, sig.data, sig.len);
	if ((rc = buf_ok(&token, "token", err)) == RC_OK)
		buf_add(out, token.data, token.len);
out:
	buf_wipe(&token);
	buf_done(&sig);
	return rc;
}
