/*
 * check_foreign.c - scepctl check: CAs of others, and the responders that they have certified.
 */
#include <unistd.h>

#include "base/clock.h"
#include "scepctl/ctl.h"
#include "scepctl/report.h"
#include "scepd/keys.h"
#include "signer/signer.h"

static void
check_end(struct report *r, const char *name, enum expiry_kind kind, const struct cert *c)
{
	struct expiry_thing t = { kind, name, cert_not_before(c), cert_not_after(c), false };

	check_expiry(r, name, &t);
}

/* Its CA and key, as the signer will look at them. */
static void
check_fit(struct report *r, const struct config *c, const struct conf_foreign *f,
    const struct cert *ca, const struct cert *responder)
{
	struct err err = { 0 };

	if (signer_responder_check(responder, ca, &err) != RC_OK) {
		(void)err_context(&err, "%s", f->ocsp_certificate);
		report_err(r, FINDING_FAIL, f->name, &err);
		return;
	}
	report(r, FINDING_OK, f->name, "the responder was certified by that CA");
	if (!check_secrets(r, f->name, f->passphrase_file, f->pin_file))
		return;
	if (keys_check_foreign(c, f, &err) != RC_OK)
		report_err(r, FINDING_FAIL, f->name, &err);
	else
		report(r, FINDING_OK, f->name, "the responder's key belongs to its certificate");
}

static void
check_responder(
    struct report *r, const struct config *c, const struct conf_foreign *f, const struct cert *ca)
{
	struct cert *responder = NULL;
	char when[CTL_TIME_MAX];
	struct err err = { 0 };
	enum rc rc = cert_load(&responder, f->ocsp_certificate, &err);

	if (rc == RC_NOTFOUND) {
		(void)err_hint(&err, "scepctl foreign csr %s, then scepctl foreign install %s",
		    f->name, f->name);
		report_err(r, FINDING_WARN, f->name, &err);
		return;
	}
	if (rc != RC_OK) {
		report_err(r, FINDING_FAIL, f->name, &err);
		return;
	}
	check_end(r, f->name, EXPIRY_FOREIGN_OCSP, responder);
	if (cert_not_before(responder) > clock_now())
		report(r, FINDING_FAIL, f->name,
		    "the responder's certificate begins %s: until then nobody believes it",
		    ctl_time(when, cert_not_before(responder)));
	if (!cert_ocsp_nocheck(responder))
		report(r, FINDING_WARN, f->name,
		    "the responder's certificate does not say id-pkix-ocsp-nocheck: some relying "
		    "parties will ask the CA about it first");
	check_fit(r, c, f, ca, responder);
	cert_free(responder);
}

static bool
has_key_of(const char *file, const struct cert *c)
{
	struct cert *other = NULL;
	bool same = cert_load(&other, file, NULL) == RC_OK &&
	    key_same_public(cert_key0(other), cert_key0(c));

	cert_free(other);
	return same;
}

/* With one that is here already scepd does not start. */
static void
check_only_here(
    struct report *r, const struct config *c, const struct conf_foreign *f, const struct cert *ca)
{
	const struct conf_foreign *v = c->foreign_cas.v;
	const struct conf_ca *own = c->cas.v;
	const char *other = NULL;

	for (size_t i = 0; i < c->cas.n && other == NULL; i++)
		other = has_key_of(own[i].certificate, ca) ? own[i].name : NULL;
	for (; v < f && other == NULL; v++)
		other = has_key_of(v->certificate, ca) ? v->name : NULL;
	if (other != NULL)
		report(r, FINDING_FAIL, f->name,
		    "%s is the certificate of CA %s, which is here already", f->certificate, other);
}

static void
check_one(struct report *r, const struct config *c, const struct conf_foreign *f)
{
	struct cert *ca = NULL;
	struct err err = { 0 };

	if (cert_load(&ca, f->certificate, &err) != RC_OK) {
		report_err(r, FINDING_FAIL, f->name, &err);
		return;
	}
	if (cert_is_ca(ca))
		check_end(r, f->name, EXPIRY_FOREIGN_CA, ca);
	else
		report(
		    r, FINDING_FAIL, f->name, "%s is not the certificate of a CA", f->certificate);
	check_only_here(r, c, f, ca);
	if (f->ocsp_certificate != NULL)
		check_responder(r, c, f, ca);
	else
		report(r, FINDING_OK, f->name,
		    "a foreign CA without a responder: verdicts about its certificates, no OCSP");
	cert_free(ca);
}

void
check_foreign(struct report *r, const struct config *c)
{
	const struct conf_foreign *v = c->foreign_cas.v;

	for (size_t i = 0; i < c->foreign_cas.n; i++)
		check_one(r, c, &v[i]);
}
