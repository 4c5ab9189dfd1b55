/*
 * store_identity.c - the door of store_identity.h.
 */
#include "store/store_identity.h"

#include "store/store_check.h"

enum rc
store_identity_get(struct store *s, const char *ca, struct store_identity *out, struct err *err)
{
	enum rc rc = check_text(ca, STORE_NAME_MAX, true, "CA", err);

	return rc != RC_OK ? rc : s->backend->identity_get(s, ca, out, err);
}

enum rc
store_identity_set(
    struct store *s, const char *ca, const struct store_identity *id, struct err *err)
{
	enum rc rc = check_text(ca, STORE_NAME_MAX, true, "CA", err);

	return rc != RC_OK ? rc : s->backend->identity_set(s, ca, id, err);
}

enum rc
store_identity_other(struct store *s, const char *ca, const uint8_t key_sha256[static 32],
    char name[static STORE_NAME_MAX + 1], struct err *err)
{
	enum rc rc = check_text(ca, STORE_NAME_MAX, true, "CA", err);

	return rc != RC_OK ? rc : s->backend->identity_other(s, ca, key_sha256, name, err);
}

enum rc
store_identity_witness(
    struct store *s, const char *ca, bool own, uint8_t **der, size_t *len, struct err *err)
{
	enum rc rc = check_text(ca, STORE_NAME_MAX, true, "CA", err);

	return rc != RC_OK ? rc : s->backend->identity_witness(s, ca, own, der, len, err);
}

enum rc
store_identity_has_crl(struct store *s, const char *ca, bool *has, struct err *err)
{
	enum rc rc = check_text(ca, STORE_NAME_MAX, true, "CA", err);

	return rc != RC_OK ? rc : s->backend->identity_has_crl(s, ca, has, err);
}

enum rc
store_foreign_forget(struct store *s, const char *ca, const char *who, size_t *n, struct err *err)
{
	enum rc rc = check_text(ca, STORE_NAME_MAX, true, "CA", err);

	if (rc == RC_OK)
		rc = check_text(who, CAUSE_WHO_MAX, false, "who", err);
	return rc != RC_OK ? rc : s->backend->foreign_forget(s, ca, who, n, err);
}
