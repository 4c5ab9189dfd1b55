/* doctor_certs.c - what there is to say of the certificates that GetCACert tells; see doctor.h. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "ossl/der.h"
#include "ossl/eku.h"
#include "scep-client/doctor.h"

#define RSA_BITS_MIN 2048
#define BOTH         (KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT)

/* A subject, printable and cut, for a sentence. */
static const char *
subject(const struct cert *c, char out[static 160])
{
	struct buf b;

	buf_init(&b, 64 * 1024);
	name_text(&b, cert_subject0(c));
	(void)snprintf(out, 160, "%.150s", b.len > 0 ? buf_str(&b) : "(no subject)");
	buf_done(&b);
	return out;
}

static size_t
count_ra(const struct facts *f)
{
	size_t n = 0;

	for (size_t i = 0; i < f->n_certs; i++)
		n += !cert_is_ca(f->certs[i]);
	return n;
}

/* The CA in the list whose key has signed certificate i; n_certs: none of them. */
static size_t
issuer_of(const struct facts *f, size_t i)
{
	for (size_t j = 0; j < f->n_certs; j++)
		if (cert_is_ca(f->certs[j]) &&
		    cert_verify_by(f->certs[i], f->certs[j], NULL) == RC_OK)
			return j;
	return f->n_certs;
}

/* The CA that issues: that of the RA, else the first CA that is nobody's issuer, else the first. */
static size_t
issuing_ca(const struct facts *f)
{
	for (size_t i = 0; i < f->n_certs; i++)
		if (!cert_is_ca(f->certs[i]) && issuer_of(f, i) < f->n_certs)
			return issuer_of(f, i);
	for (size_t i = 0; i < f->n_certs; i++) {
		bool above = false;

		for (size_t j = 0; j < f->n_certs; j++)
			above = above || (j != i && issuer_of(f, j) == i);
		if (cert_is_ca(f->certs[i]) && !above)
			return i;
	}
	return 0;
}

/* The end of the chain of the issuing CA; *whole: it is self-signed. */
static size_t
top_ca(const struct facts *f, bool *whole)
{
	size_t at = issuing_ca(f), up;

	for (size_t steps = 0; steps < f->n_certs; steps++) {
		up = issuer_of(f, at);
		if (up == at || up == f->n_certs)
			break;
		at = up;
	}
	*whole = issuer_of(f, at) == at;
	return at;
}

/* ---- the RA ---- */

static void
ra(struct findings *out, const struct facts *f, const struct check *c)
{
	unsigned ku = 0;

	if (count_ra(f) > 0)
		return;
	if (f->n_certs > 1)
		check_says(out, c, ON_APPLE | ON_ANDROID, LEVEL_BAD,
		    "the list has no RA certificate: macOS stops (-67731), or encrypts to the "
		    "wrong CA");
	else if (key_info0(cert_key0(f->certs[0]))->type != KEY_RSA)
		check_says(out, c, ON_ALL, LEVEL_BAD,
		    "the CA's key is %s, to which nothing can be encrypted, and there is no RA",
		    key_info0(cert_key0(f->certs[0]))->name);
	else if (cert_has_key_usage(f->certs[0], &ku) && (ku & BOTH) != BOTH)
		check_says(out, c, ON_WINDOWS | ON_APPLE | ON_JSCEP, LEVEL_BAD,
		    "the CA is its own RA, and its key usage lacks %s (RFC 8894 2.1.2)",
		    (ku & BOTH) == 0                 ? "digitalSignature and keyEncipherment"
			: (ku & KU_KEY_ENCIPHERMENT) ? "digitalSignature"
						     : "keyEncipherment");
	else
		check_says(out, c, 0, LEVEL_OK, "the CA is its own RA");
}

static void
ra_key(struct findings *out, const struct facts *f, const struct check *c)
{
	char name[160];

	for (size_t i = 0; i < f->n_certs; i++) {
		const struct key_info *k = key_info0(cert_key0(f->certs[i]));

		if (cert_is_ca(f->certs[i]))
			continue;
		if (k->type != KEY_RSA)
			check_says(out, c, 0, LEVEL_BAD,
			    "the RA %s has a key of %s, to which requests cannot be encrypted",
			    subject(f->certs[i], name), k->name);
		else if (k->bits < RSA_BITS_MIN)
			check_says(out, c, 0, LEVEL_BAD, "the RA %s has a key of %u bits only",
			    subject(f->certs[i], name), k->bits);
	}
}

static void
ra_key_usage(struct findings *out, const struct facts *f, const struct check *c)
{
	unsigned ku, all = 0;
	size_t n = count_ra(f);

	for (size_t i = 0; i < f->n_certs; i++) {
		if (cert_is_ca(f->certs[i]))
			continue;
		ku = 0;
		if (!cert_has_key_usage(f->certs[i], &ku))
			check_says(out, c, 0, LEVEL_BAD,
			    "the RA certificate has no key usage: Windows stops after GetCACert "
			    "(0x8010002c), macOS encrypts to another certificate");
		else if (n == 1 && (ku & BOTH) != BOTH)
			check_says(out, c, 0, LEVEL_BAD,
			    "the RA certificate's key usage lacks %s (RFC 8894 2.1.2)",
			    (ku & BOTH) == 0 ? "digitalSignature and keyEncipherment"
				: (ku & KU_KEY_ENCIPHERMENT) != 0 ? "digitalSignature"
								  : "keyEncipherment");
		all |= ku;
	}
	if (n > 1 && (all & BOTH) != BOTH)
		check_says(out, c, 0, LEVEL_BAD, "of %zu RA certificates none has %s", n,
		    (all & KU_KEY_ENCIPHERMENT) != 0 ? "digitalSignature" : "keyEncipherment");
}

static void
ra_eku(struct findings *out, const struct facts *f, const struct check *c)
{
	size_t n;

	for (size_t i = 0; i < f->n_certs; i++) {
		(void)cert_eku0(f->certs[i], &n);
		if (!cert_is_ca(f->certs[i]) && n == 0)
			check_says(out, c, 0, LEVEL_BAD,
			    "the RA certificate has no extended key usage: Windows stops after "
			    "GetCACert (0x8010002c)");
	}
}

static void
ra_several(struct findings *out, const struct facts *f, const struct check *c)
{
	if (count_ra(f) > 1)
		check_says(out, c, 0, LEVEL_WARN,
		    "there are %zu certificates that are no CA: sscep takes the last one for the "
		    "RA, "
		    "others the first",
		    count_ra(f));
}

static void
ra_issuer(struct findings *out, const struct facts *f, const struct check *c)
{
	char name[160];

	for (size_t i = 0; i < f->n_certs; i++)
		if (!cert_is_ca(f->certs[i]) && issuer_of(f, i) == f->n_certs)
			check_says(out, c, 0, LEVEL_BAD,
			    "the RA %s was not signed by any CA of the list",
			    subject(f->certs[i], name));
}

/* ---- the chain ---- */

/* RA, issuing CA, ..., root: clients that take the first, or the next one up, find the right one. */
static void
order(struct findings *out, const struct facts *f, const struct check *c)
{
	for (size_t i = 0; i < f->n_certs; i++) {
		size_t up = issuer_of(f, i);

		if (cert_is_ca(f->certs[i]) && i + 1 < f->n_certs && !cert_is_ca(f->certs[i + 1])) {
			check_says(out, c, 0, LEVEL_WARN,
			    "a CA stands before the RA in the list; clients that take the first "
			    "for "
			    "the RA encrypt to the wrong one");
			return;
		}
		if (up < i) {
			check_says(out, c, 0, LEVEL_WARN,
			    "certificate %zu of the list was signed by number %zu: the order is "
			    "not "
			    "RA, issuing CA, and up",
			    i + 1, up + 1);
			return;
		}
	}
}

static void
chain(struct findings *out, const struct facts *f, const struct check *c)
{
	char name[160], issuer[160];
	struct buf b;
	bool whole;
	size_t top = top_ca(f, &whole);

	if (!cert_is_ca(f->certs[top])) {
		check_says(out, c, ON_ALL, LEVEL_BAD, "GetCACert tells no CA certificate at all");
		return;
	}
	if (whole)
		return;
	buf_init(&b, 64 * 1024);
	name_text(&b, cert_issuer0(f->certs[top]));
	(void)snprintf(issuer, sizeof(issuer), "%.150s", buf_str(&b));
	buf_done(&b);
	check_says(out, c, 0, LEVEL_WARN,
	    "the chain ends at %s; its issuer %s is not told, and Android profiles need the root",
	    subject(f->certs[top], name), issuer);
}

/* ---- time, strength ---- */

static void
expiry(struct findings *out, const struct facts *f, const struct check *c)
{
	char name[160], when[TIME_TEXT_MAX];

	for (size_t i = 0; i < f->n_certs; i++) {
		const struct cert *x = f->certs[i];

		time_rfc3339(
		    when, cert_not_before(x) > f->now ? cert_not_before(x) : cert_not_after(x));
		if (cert_not_before(x) > f->now)
			check_says(out, c, 0, LEVEL_BAD, "%s is valid from %s only",
			    subject(x, name), when);
		else if (cert_not_after(x) < f->now)
			check_says(
			    out, c, 0, LEVEL_BAD, "%s has expired, %s", subject(x, name), when);
		else if (cert_not_after(x) < f->now + DOCTOR_SOON)
			check_says(
			    out, c, 0, LEVEL_WARN, "%s expires on %s", subject(x, name), when);
	}
}

/* The signature algorithm's OID: Certificate { tbs, AlgorithmIdentifier { OID ... */
static bool
signature_oid(const struct cert *c, char out[static OID_TEXT_MAX])
{
	struct der all, cert, alg;

	all.p = cert_der0(c, &all.len);
	return der_take(&all, DER_SEQUENCE, &cert) && der_any(&cert, NULL, NULL, NULL) &&
	    der_take(&cert, DER_SEQUENCE, &alg) && der_take_oid(&alg, out);
}

static const struct {
	const char *oid, *name;
} weak[] = {
	{ "1.2.840.113549.1.1.2", "MD2" },
	{ "1.2.840.113549.1.1.4", "MD5" },
	{ "1.2.840.113549.1.1.5", "SHA-1" },
	{ "1.2.840.10040.4.3", "SHA-1 (DSA)" },
	{ "1.2.840.10045.4.1", "SHA-1 (ECDSA)" },
};

/* A root is trusted for being there, so its own signature says nothing. */
static void
signature(struct findings *out, const struct facts *f, const struct check *c)
{
	char oid[OID_TEXT_MAX], name[160];

	for (size_t i = 0; i < f->n_certs; i++) {
		const struct cert *x = f->certs[i];
		const struct key_info *k = key_info0(cert_key0(x));

		for (size_t j = 0; j < sizeof(weak) / sizeof(weak[0]); j++)
			if (!cert_self_issued(x) && signature_oid(x, oid) &&
			    strcmp(oid, weak[j].oid) == 0)
				check_says(out, c, 0, LEVEL_BAD,
				    "%s is signed with %s, which iOS, macOS and Android do not "
				    "take",
				    subject(x, name), weak[j].name);
		if (cert_is_ca(x) && k->type == KEY_RSA && k->bits < RSA_BITS_MIN)
			check_says(out, c, 0, LEVEL_BAD, "the CA %s has a key of %u bits only",
			    subject(x, name), k->bits);
	}
}

static void
ca_eku(struct findings *out, const struct facts *f, const struct check *c)
{
	const char *const *eku;
	char name[160];
	size_t n;

	for (size_t i = 0; i < f->n_certs; i++) {
		bool client = false;

		eku = cert_eku0(f->certs[i], &n);
		for (size_t j = 0; j < n; j++)
			client = client || strcmp(eku[j], OID_CLIENT_AUTH) == 0 ||
			    strcmp(eku[j], "2.5.29.37.0") == 0;
		if (cert_is_ca(f->certs[i]) && n > 0 && !client)
			check_says(out, c, 0, LEVEL_WARN,
			    "the CA %s is limited to extended key usages without clientAuth: "
			    "FreeRADIUS refuses devices' certificates (\"unsupported certificate "
			    "purpose\")",
			    subject(f->certs[i], name));
	}
}

/* ---- what to choose in Intune ---- */

static void
thumbprints(struct findings *out, const struct facts *f, const struct check *c)
{
	bool whole;
	const struct cert *issuing = f->certs[issuing_ca(f)], *top = f->certs[top_ca(f, &whole)];
	char sha1[41], name[160];

	if (!cert_is_ca(issuing))
		return;
	if (cert_thumbprint_sha1(sha1, issuing, NULL) == RC_OK)
		check_says(out, c, ON_WINDOWS, LEVEL_OK,
		    "in the Intune profile choose the issuing CA: %s, SHA-1 thumbprint %s",
		    subject(issuing, name), sha1);
	if (whole && cert_thumbprint_sha1(sha1, top, NULL) == RC_OK)
		check_says(out, c, ON_ANDROID, LEVEL_OK,
		    "in the Intune profile choose the root: %s, SHA-1 thumbprint %s",
		    subject(top, name), sha1);
	if (whole && top != issuing)
		check_says(out, c, ON_APPLE, LEVEL_OK,
		    "in the Intune profile either does; roll out both as trusted certificates");
}

const struct check checks_certs[] = {
	{ "ra", ON_ALL, "there is an RA certificate", ra,
	    "Give the server an RA certificate: RSA, digitalSignature and keyEncipherment, issued "
	    "by "
	    "the CA." },
	{ "ra-key", ON_ALL, "the RA's key can take requests", ra_key,
	    "Issue the RA certificate for a key of rsa:2048 or more." },
	{ "ra-key-usage", ON_WINDOWS | ON_APPLE | ON_JSCEP,
	    "the RA's key usage: digitalSignature and keyEncipherment", ra_key_usage,
	    "Issue the RA certificate anew with the key usages digitalSignature and "
	    "keyEncipherment." },
	{ "ra-eku", ON_WINDOWS, "the RA has an extended key usage", ra_eku,
	    "Issue the RA certificate anew with serverAuth or Certificate Request Agent "
	    "(1.3.6.1.4.1.311.20.2.1)." },
	{ "ra-issuer", ON_ALL, "the RA was issued by a CA of the list", ra_issuer,
	    "Put the CA that has issued the RA certificate into GetCACert's answer, or issue it "
	    "anew." },
	{ "ra-several", ON_SSCEP | ON_ANDROID, "there is no second RA", ra_several,
	    "One RA certificate with both usages is what every client understands." },
	{ "order", ON_ANDROID | ON_JSCEP | ON_STRONGSWAN, "the list goes from the RA upwards",
	    order,
	    "Send RA, issuing CA, and up to the root; OpenSSL's CMS functions sort the list." },
	{ "chain", ON_ANDROID | ON_APPLE, "the chain reaches its root", chain,
	    "Add the root to GetCACert's answer, or roll it out by hand." },
	{ "expiry", ON_ALL, "nothing expires within 30 days", expiry,
	    "Renew it before devices notice." },
	{ "signature", ON_APPLE | ON_ANDROID, "signatures and keys are strong enough", signature,
	    "Have the certificate issued anew with SHA-256, and a CA's key of rsa:2048 or more." },
	{ "ca-eku", ON_WINDOWS | ON_APPLE | ON_ANDROID,
	    "no CA is limited to other usages than "
	    "clientAuth",
	    ca_eku,
	    "A CA certificate without extended key usages limits nothing; or add clientAuth." },
	{ "thumbprints", ON_WINDOWS | ON_APPLE | ON_ANDROID, NULL, thumbprints, NULL },
	{ 0 },
};
