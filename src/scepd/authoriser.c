/* authoriser.c - the kinds of endpoints; see authoriser.h. */
#include "scepd/authoriser_int.h"

#include "base/fault.h"
#include "base/text.h"

/* ---- intune ---- */

static enum rc
form_intune(const struct endpoint *ep, const char *challenge, struct err *err)
{
	if (challenge_looks_like_intune(challenge))
		return RC_OK;
	(void)fail(
	    err, RC_DENIED, "the challenge password does not have the form of an Intune challenge");
	return err_hint(err,
	    "endpoint %s takes Intune devices only: is this device's profile from another MDM?",
	    ep->name);
}

static enum rc
ask_intune(struct authorization **out, enum verdict *v, const struct question *q, struct err *err)
{
	struct authority intune = tenant_authority(q->talk);
	enum rc rc;

	metric_add(q->s->metrics, METRIC_INTUNE_VALIDATE, 1);
	rc = authorise_by(out, &intune, q->csr, q->transaction_id, err);
	if (rc == RC_OK)
		*v = VERDICT_YES;
	else if (rc != RC_DENIED)
		metric_add(q->s->metrics, METRIC_INTUNE_ERRORS, 1);
	return rc;
}

/* ---- static ---- */

static enum rc
ask_static(struct authorization **out, enum verdict *v, const struct question *q, struct err *err)
{
	struct static_challenge secret;
	enum rc rc;

	endpoint_secret(q->ep, &secret);
	rc = authorise_static(out, &secret, q->csr, err);
	wipe(&secret, sizeof(secret));
	if (rc == RC_OK)
		*v = VERDICT_YES;
	return rc;
}

enum rc
authoriser_check_secret(const struct question *q, struct err *err)
{
	struct static_challenge secret;
	enum rc rc;

	if (q->ep->conf->challenge_file == NULL)
		return RC_OK;
	endpoint_secret(q->ep, &secret);
	rc = static_challenge_check(&secret, q->csr, err);
	wipe(&secret, sizeof(secret));
	return rc;
}

/* ---- the table ---- */

static const struct kind {
	const char *name;
	/* The one challenge's form; NULL: any. */
	enum rc (*form)(const struct endpoint *ep, const char *challenge, struct err *err);
	enum rc (*ask)(
	    struct authorization **out, enum verdict *v, const struct question *q, struct err *err);
	bool hears;
	bool waits;
	bool decides_again; /* it may have changed its mind since a certificate was issued */
	bool without; /* a request may do without a challenge, where the endpoint asks for none */
} kinds[CHALLENGE__MAX] = {
	[CHALLENGE_INTUNE] = { "intune", form_intune, ask_intune, .hears = true,
	    .decides_again = true },
	[CHALLENGE_STATIC] = { "static", NULL, ask_static },
	[CHALLENGE_OTP] = { "otp", NULL, authoriser_otp },
	[CHALLENGE_APPROVAL] = { "approval", NULL, authoriser_approval, .without = true,
	    .waits = true },
	[CHALLENGE_WEBHOOK] = { "webhook", NULL, authoriser_webhook, .without = true, .waits = true,
	    .decides_again = true },
};

static const struct kind *
kind_of(const struct endpoint *ep)
{
	return &kinds[ep->conf->challenge];
}

/* May it come without a challenge? */
static bool
needs_none(const struct endpoint *ep)
{
	return kind_of(ep)->without && ep->conf->challenge_file == NULL &&
	    !ep->conf->webhook.send_challenge;
}

enum rc
authoriser_check_form(const struct endpoint *ep, const struct csr *csr, struct err *err)
{
	const struct kind *k = kind_of(ep);
	const char *challenge = NULL;

	switch (csr_challenge0(csr, &challenge)) {
	case CSR_CHALLENGE_NONE:
		if (needs_none(ep))
			return RC_OK;
		(void)fail(err, RC_DENIED, "the request carries no challenge password");
		return err_hint(err, "endpoint %s wants one: check the SCEP profile", ep->name);
	case CSR_CHALLENGE_SEVERAL:
		return fail(err, RC_DENIED, "the request carries more than one challenge password");
	case CSR_CHALLENGE_ONE:
		break;
	}
	return k->form != NULL ? k->form(ep, challenge, err) : RC_OK;
}

enum rc
authoriser_ask(
    struct authorization **out, enum verdict *v, const struct question *q, struct err *err)
{
	enum rc rc = kind_of(q->ep)->ask(out, v, q, err);

	fault_point("authorised");
	return rc;
}

bool
authoriser_renewal_asks(const struct endpoint *ep)
{
	int ask = ep->conf->renewal.ask;

	return kind_of(ep)->hears || ask == RENEWAL_ASK_ALWAYS ||
	    (ask == RENEWAL_ASK_AUTO && kind_of(ep)->decides_again);
}

bool
authoriser_waits(const struct endpoint *ep)
{
	return kind_of(ep)->waits;
}

const char *
authoriser_name(const struct endpoint *ep)
{
	return kind_of(ep)->name;
}

bool
authoriser_hears(const struct endpoint *ep)
{
	return kind_of(ep)->hears;
}
