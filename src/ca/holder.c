/* holder.c - see holder.h. */
#include "ca/holder.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "ca/rules.h"
#include "store/store_status.h"

struct holder {
	struct cert *cert;
	struct store_cert_row row;
	char serial[2 * SERIAL_MAX + 1];
};

/* One sentence for the peer, another for the log. */
#define refuse(err, ...)                                                                           \
	({                                                                                         \
		(void)fail((err), RC_DENIED, "%s", HOLDER_REFUSED);                                \
		(void)err_hint((err), __VA_ARGS__);                                                \
		RC_DENIED;                                                                         \
	})

/* The row that holds these very bytes: another CA's certificate may bear the number, and a forged one the names
 * too. */
static enum rc
find_row(struct holder *h, struct store *s, struct err *err)
{
	size_t len;
	const uint8_t *der = cert_der0(h->cert, &len);
	enum rc rc;

	serial_hex(h->serial, cert_serial0(h->cert));
	if ((rc = store_cert_same(s, h->serial, der, len, &h->row, err)) != RC_NOTFOUND)
		return rc;
	rc = store_cert_get(s, h->serial, STORE_OURS, &h->row, err);
	if (rc == RC_NOTFOUND)
		return refuse(err, "signer: no certificate %s was issued here", h->serial);
	if (rc == RC_OK)
		return refuse(
		    err, "signer: it is not the certificate %s that was issued here", h->serial);
	return rc;
}

static enum rc
check_dates(const struct holder *h, int64_t now, struct err *err)
{
	char when[TIME_TEXT_MAX];

	if (now < cert_not_before(h->cert)) {
		time_rfc3339(when, cert_not_before(h->cert));
		return refuse(
		    err, "signer: certificate %s is not valid before %s", h->serial, when);
	}
	if (now > cert_not_after(h->cert)) {
		time_rfc3339(when, cert_not_after(h->cert));
		return refuse(err,
		    "signer: certificate %s has expired at %s: the device has to enrol anew",
		    h->serial, when);
	}
	return RC_OK;
}

/* The store has leaves only; should that change, authorities renew elsewhere. */
static bool
is_authority(const struct cert *c)
{
	const char *const *eku;
	size_t n;

	if (cert_is_ca(c))
		return true;
	eku = cert_eku0(c, &n);
	for (size_t i = 0; i < n; i++)
		if (rule_eku_forbidden(eku[i]) != NULL)
			return true;
	return false;
}

static enum rc
check_row(const struct holder *h, const struct holder_terms *terms, int64_t now, struct err *err)
{
	const struct store_cert_row *row = &h->row;

	if (!terms->here(terms->ctx, row->endpoint, row->ca))
		return refuse(err,
		    "signer: certificate %s was issued at endpoint %.60s by CA %.60s", h->serial,
		    row->endpoint, row->ca);
	if (row->revoked != 0)
		return refuse(err, "signer: certificate %s is %s (reason %d)", h->serial,
		    row->reason == REASON_HOLD ? "held" : "revoked", row->reason);
	if (is_authority(h->cert))
		return refuse(err, "signer: certificate %s is an authority's", h->serial);
	return check_dates(h, now, err);
}

enum rc
holder_prove(struct holder **out, struct store *s, const struct holder_terms *terms,
    const struct cert *signer, int64_t now, struct err *err)
{
	struct holder *h = calloc(1, sizeof(*h));
	const uint8_t *der;
	size_t len;
	enum rc rc;

	if (h == NULL)
		return fail(err, RC_NOMEM, "out of memory for a signer's certificate");
	der = cert_der0(signer, &len);
	if ((rc = cert_parse(&h->cert, der, len, err)) == RC_OK &&
	    (rc = find_row(h, s, err)) == RC_OK)
		rc = check_row(h, terms, now, err);
	if (rc != RC_OK) {
		holder_free(h);
		return rc;
	}
	*out = h;
	return RC_OK;
}

void
holder_free(struct holder *h)
{
	if (h == NULL)
		return;
	cert_free(h->cert);
	store_cert_row_done(&h->row);
	free(h);
}

const struct cert *
holder_cert0(const struct holder *h)
{
	return h->cert;
}

const char *
holder_serial(const struct holder *h)
{
	return h->serial;
}

const char *
holder_profile(const struct holder *h)
{
	return h->row.profile;
}
