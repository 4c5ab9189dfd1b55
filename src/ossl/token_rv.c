/*
 * token_rv.c - results of PKCS#11 calls, as far as somebody does something about them.
 */
#include <stdio.h>

#include "ossl/token.h"

static const struct row {
	CK_RV rv;
	const char *name;
	enum token_cure cure;
	enum rc rc;
	const char *words, *hint;
} rows[] = {
#define RV(r) r, #r
	/* the administrator's */
	{ RV(CKR_PIN_INCORRECT), CURE_NONE, RC_CONFIG, "the PIN is wrong",
	    "tokens lock after a few wrong PINs: try it by hand before the next start" },
	{ RV(CKR_PIN_INVALID), CURE_NONE, RC_CONFIG, "the PIN is wrong",
	    "tokens lock after a few wrong PINs: try it by hand before the next start" },
	{ RV(CKR_PIN_LEN_RANGE), CURE_NONE, RC_CONFIG, "the PIN is too short or too long", "" },
	{ RV(CKR_PIN_EXPIRED), CURE_NONE, RC_CONFIG, "the PIN has expired",
	    "set a new one with the token's own tool" },
	{ RV(CKR_PIN_LOCKED), CURE_NONE, RC_CONFIG, "the PIN is locked",
	    "unlock it with the security officer's PIN" },
	{ RV(CKR_USER_PIN_NOT_INITIALIZED), CURE_NONE, RC_CONFIG, "the token has no user PIN yet",
	    "set one with the token's own tool" },
	{ RV(CKR_USER_ANOTHER_ALREADY_LOGGED_IN), CURE_NONE, RC_CONFIG,
	    "another user of the token is logged in", "" },
	{ RV(CKR_USER_TOO_MANY_TYPES), CURE_NONE, RC_CONFIG, "too many users are logged in", "" },
	{ RV(CKR_TOKEN_WRITE_PROTECTED), CURE_NONE, RC_CONFIG, "the token is read-only", "" },
	{ RV(CKR_SESSION_READ_ONLY), CURE_NONE, RC_CONFIG, "the token is read-only", "" },
	{ RV(CKR_KEY_FUNCTION_NOT_PERMITTED), CURE_NONE, RC_CONFIG,
	    "the key may not be used for this", "its CKA_SIGN or CKA_DECRYPT is false" },
	{ RV(CKR_MECHANISM_INVALID), CURE_NONE, RC_ALG, "the token has no mechanism for this",
	    "another kind of key, or the key in a file" },
	{ RV(CKR_MECHANISM_PARAM_INVALID), CURE_NONE, RC_ALG, "the token has no mechanism for this",
	    "another kind of key, or the key in a file" },
	{ RV(CKR_KEY_TYPE_INCONSISTENT), CURE_NONE, RC_ALG, "the key is of another kind", "" },
	{ RV(CKR_KEY_SIZE_RANGE), CURE_NONE, RC_ALG, "the token takes no keys of this size", "" },
	{ RV(CKR_ATTRIBUTE_VALUE_INVALID), CURE_NONE, RC_ALG, "the token takes no such key", "" },
	{ RV(CKR_DOMAIN_PARAMS_INVALID), CURE_NONE, RC_ALG, "the token does not know the curve",
	    "" },
	{ RV(CKR_CURVE_NOT_SUPPORTED), CURE_NONE, RC_ALG, "the token does not know the curve", "" },
	/* lost sessions, logins and tokens */
	{ RV(CKR_SESSION_HANDLE_INVALID), CURE_SESSION, RC_IO, "the session is gone", "" },
	{ RV(CKR_SESSION_CLOSED), CURE_SESSION, RC_IO, "the session is gone", "" },
	{ RV(CKR_USER_NOT_LOGGED_IN), CURE_SESSION, RC_IO, "the login is gone", "" },
	{ RV(CKR_OBJECT_HANDLE_INVALID), CURE_SESSION, RC_IO, "the key is gone", "" },
	{ RV(CKR_KEY_HANDLE_INVALID), CURE_SESSION, RC_IO, "the key is gone", "" },
	{ RV(CKR_OPERATION_ACTIVE), CURE_SESSION, RC_IO, "the session is busy", "" },
	{ RV(CKR_OPERATION_NOT_INITIALIZED), CURE_SESSION, RC_IO, "the session is gone", "" },
	{ RV(CKR_CRYPTOKI_NOT_INITIALIZED), CURE_LIBRARY, RC_IO, "the library is not started", "" },
	{ RV(CKR_DEVICE_REMOVED), CURE_LIBRARY, RC_IO, "the token is not there",
	    "it is tried again with the next operation" },
	{ RV(CKR_TOKEN_NOT_PRESENT), CURE_LIBRARY, RC_IO, "the token is not there",
	    "it is tried again with the next operation" },
	{ RV(CKR_TOKEN_NOT_RECOGNIZED), CURE_LIBRARY, RC_IO, "the token is not there",
	    "it is tried again with the next operation" },
	{ RV(CKR_SLOT_ID_INVALID), CURE_LIBRARY, RC_IO, "the token is not there",
	    "it is tried again with the next operation" },
	{ RV(CKR_DEVICE_ERROR), CURE_LIBRARY, RC_IO, "the token has failed", "" },
	{ RV(CKR_GENERAL_ERROR), CURE_LIBRARY, RC_IO, "the token or its library has failed", "" },
	{ RV(CKR_FUNCTION_FAILED), CURE_SESSION, RC_IO, "the token has failed", "" },
	/* the machine's */
	{ RV(CKR_SESSION_COUNT), CURE_WAIT, RC_IO, "all sessions of the token are taken", "" },
	{ RV(CKR_HOST_MEMORY), CURE_NONE, RC_NOMEM, "out of memory", "" },
	{ RV(CKR_BUFFER_TOO_SMALL), CURE_NONE, RC_CONFIG, "it has more to tell than is taken", "" },
	{ RV(CKR_DEVICE_MEMORY), CURE_NONE, RC_CONFIG, "the token is full", "" },
#undef RV
};

static const struct row *
find(CK_RV rv)
{
	size_t i;

	for (i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (rows[i].rv == rv)
			return &rows[i];
	return NULL;
}

enum token_cure
token_cure(CK_RV rv)
{
	const struct row *r = find(rv);

	return r != NULL ? r->cure : CURE_NONE;
}

const char *
token_rv_name(CK_RV rv, char out[static 32])
{
	const struct row *r = find(rv);

	if (r != NULL)
		return r->name;
	snprintf(out, 32, "CKR 0x%08lx", (unsigned long)rv);
	return out;
}

enum rc
token_fail(struct err *err, CK_RV rv, const char *doing)
{
	const struct row *r = find(rv);
	char name[32];

	if (r == NULL)
		return fail(err, RC_CRYPTO, "%s: the PKCS#11 library says %s", doing,
		    token_rv_name(rv, name));
	err_fail_at(err, r->rc, __func__, "%s: %s (%s)", doing, r->words, r->name);
	if (r->hint[0] != '\0')
		err_hint(err, "%s", r->hint);
	return r->rc;
}
