/*
 * store_foreign.c - the door of store_foreign.h.
 */
#include "store/store_foreign.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "store/store_check.h"

int
foreign_serial_compare(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
	int c = memcmp(a, b, a_len < b_len ? a_len : b_len);

	if (c == 0 && a_len != b_len)
		return a_len < b_len ? -1 : 1;
	return c;
}

/* What the backend gets: nothing that is "not known". */
static enum rc
check_one(struct store_serial *serial, struct store_foreign_cert *c, struct err *err)
{
	enum rc rc = check_serial(serial, c->serial, err);

	if (rc == RC_OK)
		rc = check_text(c->subject, STORE_TEXT_MAX, false, "subject", err);
	if (rc == RC_OK)
		rc = check_text(c->san, STORE_TEXT_MAX, false, "subject alternative name", err);
	if (rc == RC_OK)
		rc = check_text(c->thumbprint, STORE_NAME_MAX, c->der != NULL, "thumbprint", err);
	if (rc == RC_OK && c->der != NULL)
		rc = check_bytes(c->der, c->der_len, LIMIT_CERT, "certificate", err);
	if (rc == RC_OK && c->der == NULL && c->thumbprint != NULL)
		rc = fail(err, RC_BUG, "a thumbprint without its certificate");
	if (c->der == NULL) {
		c->der = (const uint8_t *)"";
		c->der_len = 0;
		c->thumbprint = "";
	}
	if (c->not_after == 0)
		c->not_after = FOREIGN_NO_END;
	return rc;
}

/* What the backend is called with. */
struct checked {
	struct store_foreign_cert *v;
	struct store_serial *serials;
};

static void
checked_done(struct checked *k)
{
	free(k->v);
	free(k->serials);
}

static enum rc
check_all(struct checked *k, const char *ca, const struct store_foreign_cert *v, size_t n,
    struct err *err)
{
	enum rc rc = check_text(ca, STORE_NAME_MAX, true, "CA", err);

	*k = (struct checked){ NULL, NULL };
	if (rc == RC_OK && n > STORE_CAUSES_BATCH)
		rc = fail(
		    err, RC_LIMIT, "%zu certificates at once, more than %d", n, STORE_CAUSES_BATCH);
	if (rc != RC_OK || n == 0)
		return rc;
	k->serials = calloc(n, sizeof(k->serials[0]));
	k->v = calloc(n, sizeof(k->v[0]));
	if (k->serials == NULL || k->v == NULL)
		rc = fail(err, RC_NOMEM, "no memory for certificates of another CA");
	for (size_t i = 0; rc == RC_OK && i < n; i++) {
		k->v[i] = v[i];
		rc = check_one(&k->serials[i], &k->v[i], err);
	}
	return rc;
}

enum rc
store_foreign_add(struct store *s, const char *ca, const char *who,
    const struct store_foreign_cert *v, size_t n, enum foreign_outcome *outcomes, struct err *err)
{
	struct checked k;
	enum rc rc = check_all(&k, ca, v, n, err);

	if (rc == RC_OK)
		rc = check_text(who, CAUSE_WHO_MAX, false, "who", err);
	if (rc == RC_OK && n > 0)
		rc = s->backend->foreign_add(s, ca, who, k.v, k.serials, n, outcomes, err);
	checked_done(&k);
	return rc;
}

enum rc
store_foreign_look(struct store *s, const char *ca, const struct store_foreign_cert *v, size_t n,
    enum foreign_outcome *outcomes, struct err *err)
{
	struct checked k;
	enum rc rc = check_all(&k, ca, v, n, err);

	if (rc == RC_OK && n > 0)
		rc = s->backend->foreign_look(s, ca, k.v, k.serials, n, outcomes, err);
	checked_done(&k);
	return rc;
}

enum rc
store_foreign_count(
    struct store *s, const char *ca, uint64_t *rows, uint64_t *bare, struct err *err)
{
	enum rc rc = check_text(ca, STORE_NAME_MAX, true, "CA", err);

	return rc != RC_OK ? rc : s->backend->foreign_count(s, ca, rows, bare, err);
}

enum rc
store_foreign_cas(struct store *s, int (*fn)(void *arg, const char *ca), void *arg, struct err *err)
{
	return s->backend->foreign_cas(s, fn, arg, err);
}

enum rc
store_foreign_marks(struct store *s, const char *ca,
    int (*fn)(void *arg, const struct store_foreign_mark *m), void *arg, struct err *err)
{
	enum rc rc = check_text(ca, STORE_NAME_MAX, true, "CA", err);

	return rc != RC_OK ? rc : s->backend->foreign_marks(s, ca, fn, arg, err);
}

enum rc
store_foreign_crl_get(
    struct store *s, const char *ca, struct store_foreign_crl *out, struct err *err)
{
	enum rc rc = check_text(ca, STORE_NAME_MAX, true, "CA", err);

	return rc != RC_OK ? rc : s->backend->foreign_crl_get(s, ca, out, err);
}

enum rc
store_foreign_crl_set(
    struct store *s, const char *ca, const struct store_foreign_crl *crl, struct err *err)
{
	enum rc rc = check_text(ca, STORE_NAME_MAX, true, "CA", err);

	if (rc == RC_OK)
		rc = check_text(crl->number, FOREIGN_NUMBER_MAX - 1, false, "CRL number", err);
	return rc != RC_OK ? rc : s->backend->foreign_crl_set(s, ca, crl, err);
}

enum rc
store_foreign_look_get(
    struct store *s, const char *ca, struct store_foreign_look *out, struct err *err)
{
	enum rc rc = check_text(ca, STORE_NAME_MAX, true, "CA", err);

	return rc != RC_OK ? rc : s->backend->foreign_look_get(s, ca, out, err);
}

enum rc
store_foreign_look_set(
    struct store *s, const char *ca, int64_t tried, const char *failure, struct err *err)
{
	enum rc rc = check_text(ca, STORE_NAME_MAX, true, "CA", err);

	if (rc == RC_OK)
		rc = check_text(failure, ERR_MSG_MAX - 1, false, "failure", err);
	return rc != RC_OK
	    ? rc
	    : s->backend->foreign_look_set(s, ca, tried, failure != NULL ? failure : "", err);
}
