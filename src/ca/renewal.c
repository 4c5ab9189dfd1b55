/* renewal.c - see renewal.h. */
#include "ca/renewal.h"

#include <string.h>

#include "base/clock.h"
#include "base/limits.h"

/* The first moment, wall seconds, at which `old` may be renewed. */
static int64_t
renewal_opens(const struct renewal_rules *r, const struct cert *old)
{
	int64_t from = cert_not_before(old), to = cert_not_after(old);

	if (r->window >= 100 || to <= from)
		return from;
	return to - (to - from) / 100 * r->window;
}

enum rc
renewal_check_window(
    const struct renewal_rules *r, const struct cert *old, int64_t now, struct err *err)
{
	char when[TIME_TEXT_MAX];
	int64_t opens = renewal_opens(r, old);

	if (now >= opens)
		return RC_OK;
	time_rfc3339(when, opens);
	(void)fail(
	    err, RC_DENIED, "renewal: too early, the certificate may be renewed from %s", when);
	return err_hint(err,
	    "renewal.window of the endpoint is %u percent of the life; earlier with a challenge, "
	    "where "
	    "it has one, or if renewal.ask is always",
	    r->window);
}

static enum rc
check_subject(const struct name *fresh, const struct name *old, struct err *err)
{
	struct buf was;

	/* Not part of it either: CN=admin is somebody else than CN=admin,OU=guests. */
	if (name_same(fresh, old))
		return RC_OK;
	buf_init(&was, LIMIT_CSR * 4);
	name_text(&was, old);
	(void)fail(err, RC_DENIED, "renewal: the subject is not that of the certificate, %.200s",
	    buf_str(&was));
	buf_done(&was);
	return err_hint(
	    err, "another identity needs an enrolment: a throw-away signer and a challenge");
}

static bool
has_san(const struct san_list *l, const struct san *san)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].type == san->type && strcmp(l->v[i].value, san->value) == 0)
			return true;
	return false;
}

static enum rc
check_san(const struct san_list *fresh, const struct san_list *old, struct err *err)
{
	for (size_t i = 0; i < fresh->n; i++)
		if (!has_san(old, &fresh->v[i]))
			return fail(err, RC_DENIED,
			    "renewal: san %s:%s is not in the certificate that is renewed",
			    san_type_name(fresh->v[i].type), fresh->v[i].value);
	return RC_OK;
}

static bool
has_oid(const char *const *list, size_t n, const char *oid)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i], oid) == 0)
			return true;
	return false;
}

/* An old certificate without the extension could be used for anything; ours always have both. */
static enum rc
check_usage(
    const struct identity *fresh, const struct cert *old, const struct profile *p0, struct err *err)
{
	unsigned had = 0;
	size_t n;
	const char *const *eku = cert_eku0(old, &n);

	(void)cert_has_key_usage(old, &had);
	if (p0 != NULL)
		had |= p0->key_usage_default;
	if ((fresh->key_usage & ~had) != 0)
		return fail(err, RC_DENIED,
		    "renewal: the request asks for key usages that the certificate does not have");
	for (size_t i = 0; i < fresh->n_eku; i++)
		if (!has_oid(eku, n, fresh->eku[i]) &&
		    (p0 == NULL || !has_oid(p0->eku_default, p0->n_eku_default, fresh->eku[i])))
			return fail(err, RC_DENIED,
			    "renewal: the request asks for the extended key usage %s, which the "
			    "certificate does not have",
			    fresh->eku[i]);
	return RC_OK;
}

enum rc
renewal_check_identity(const struct identity *fresh, const struct cert *old,
    const struct profile *profile0, struct err *err)
{
	enum rc rc;

	if ((rc = check_subject(fresh->subject, cert_subject0(old), err)) != RC_OK ||
	    (rc = check_san(fresh->san, cert_san0(old), err)) != RC_OK)
		return rc;
	return check_usage(fresh, old, profile0, err);
}
