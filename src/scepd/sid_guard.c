/* sid_guard.c - see sid_guard.h. */
#include "scepd/sid_guard.h"

#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/log.h"
#include "ca/binding.h"
#include "scepd/dir_bind.h"

#define SIDS_MAX 8 /* of a request: one is usual, two are the extension beside the URI */

struct sids {
	const char *v[SIDS_MAX];
	size_t n;
};

static enum rc
add(struct sids *l, const char *sid, struct err *err)
{
	if (l->n == SIDS_MAX)
		return fail(err, RC_DENIED, "more than %d SIDs in a request", SIDS_MAX);
	if (!sid_is_valid(sid))
		return fail(err, RC_DENIED, "the request has a SID that cannot be read");
	l->v[l->n++] = sid;
	return RC_OK;
}

static enum rc
collect(struct sids *l, const struct csr *csr, struct err *err)
{
	const struct csr_wishes *w = csr_wishes0(csr);
	enum rc rc = RC_OK;

	if (w->has_sid_extension)
		rc = add(l, w->sid, err);
	for (size_t i = 0; i < w->san.n && rc == RC_OK; i++)
		if (w->san.v[i].type == SAN_URI && sid_of_uri(w->san.v[i].value) != NULL)
			rc = add(l, sid_of_uri(w->san.v[i].value), err);
	return rc;
}

static enum rc
check_denied(const struct sids *l, const struct config *c, struct err *err)
{
	const struct conf_strs *list = &c->revocation.denied_sids;

	for (size_t i = 0; i < l->n; i++)
		if (sid_is_denied(l->v[i], list->v, list->n)) {
			(void)fail(err, RC_DENIED,
			    "the request is for SID %s, which gets no certificate", l->v[i]);
			return err_hint(err,
			    "accounts with rights over a domain sign in otherwise (denied_sids)");
		}
	return RC_OK;
}

static enum rc
check_one(const char *sid, const struct dir_found *f, struct err *err)
{
	if (strcasecmp(sid, f->user_sid) == 0 || strcasecmp(sid, f->device_sid) == 0)
		return RC_OK;
	(void)fail(err, RC_DENIED, "SID %s is not that of whom the request is for", sid);
	return err_hint(err, "the directory says: user %s, device %s",
	    f->user_sid[0] != '\0' ? f->user_sid : "has none",
	    f->device_sid[0] != '\0' ? f->device_sid : "has none");
}

/* Intune has vouched for a URI; for the extension nobody has. */
static enum rc
nobody(const struct endpoint *ep, const struct csr *csr, struct err *err)
{
	if (csr_wishes0(csr)->has_sid_extension)
		return fail(err, RC_DENIED, "the request has a SID extension and names nobody");
	log_msg(LOG_WARN, "sid",
	    "%s: a SID for nobody of the directory: the profile has no UPN and no "
	    "IntuneDeviceId:// URI by which it could be compared; Intune alone vouches for it",
	    ep->name);
	return RC_OK;
}

static enum rc
compare(const struct endpoint *ep, const struct csr *csr, const struct sids *l, struct err *err)
{
	struct store_binding b;
	struct intune_error e;
	struct dir_found found;
	enum rc rc = RC_OK;

	binding_of_names(&b, tenant_name(ep->tenant), csr_subject0(csr), &csr_wishes0(csr)->san);
	if (b.state == BINDING_NONE)
		return nobody(ep, csr, err);
	if (dir_bind(tenant_client(ep->tenant), &b, &found, clock_now(), &e) != INTUNE_OK ||
	    found.refused)
		return dir_error(err, &e);
	for (size_t i = 0; i < l->n && rc == RC_OK; i++)
		rc = check_one(l->v[i], &found, err);
	return rc;
}

static bool
has_directory(const struct scepd *s, const struct endpoint *ep)
{
	return ep->tenant != NULL && config_tenant(s->config, tenant_name(ep->tenant))->directory;
}

enum rc
names_guard_check(
    struct scepd *s, const struct endpoint *ep, const struct csr *csr, struct err *err)
{
	enum rc rc =
	    has_directory(s, ep) ? binding_names_agree(&csr_wishes0(csr)->san, err) : RC_OK;

	if (rc != RC_DENIED)
		return rc;
	metric_add(s->metrics, METRIC_NAMES_REFUSED, 1);
	(void)err_hint(err, "a profile of Intune's has one of each: who has added the other?");
	log_msg(LOG_ERROR, "names", "%s: %s; %s", ep->name, err->msg, err->hint);
	return rc;
}

enum rc
sid_guard_check(struct scepd *s, const struct endpoint *ep, const struct csr *csr, struct err *err)
{
	struct sids l = { .n = 0 };
	enum rc rc;

	if (!s->config->revocation.sid_guard)
		return RC_OK;
	if ((rc = collect(&l, csr, err)) == RC_OK)
		rc = check_denied(&l, s->config, err);
	if (rc == RC_OK && l.n > 0 && has_directory(s, ep))
		rc = compare(ep, csr, &l, err);
	if (rc == RC_DENIED) {
		metric_add(s->metrics, METRIC_SID_REFUSED, 1);
		log_msg(LOG_ERROR, "sid", "%s: %s%s%s", ep->name, err->msg,
		    err->hint[0] != '\0' ? "; " : "", err->hint);
	}
	return rc;
}
