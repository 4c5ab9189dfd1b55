/*
 * make_cert.c - certificates of CAs and RAs, and a CA's request for its own.
 */
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/text.h"
#include "ca/make.h"
#include "ossl/eku.h"

#define CN_MAX 64 /* characters, ub-common-name (RFC 5280 A.1) */
#define EKU_RA_AGENT                                                                               \
	"1.3.6.1.4.1.311.20.2.1" /* Certificate Request Agent: what NDES has, and Windows wants to \
				    see */
#define RA_SUFFIX        " SCEP RA"
#define RESPONDER_SUFFIX " OCSP responder (scepd)"

/* ---- names ---- */

/* Backslash before quotes and backslashes. */
static void
add_quoted(struct buf *out, const char *text)
{
	buf_addc(out, '"');
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			buf_addc(out, '\\');
		buf_addc(out, *text);
	}
	buf_addc(out, '"');
}

static enum rc
name_of(struct name *out, struct buf *text, struct err *err)
{
	enum rc rc = buf_ok(text, "subject", err);

	if (rc == RC_OK)
		rc = name_from_text(out, buf_str(text), err);
	buf_done(text);
	return rc;
}

enum rc
make_subject(struct name *out, const char *org, const char *suffix, struct err *err)
{
	char cn[2 * CN_MAX];
	struct buf text;

	if (org[strspn(org, " ")] == '\0')
		return fail(err, RC_CONFIG, "the name of the organisation is empty");
	if (strlen(org) + 1 + strlen(suffix) > CN_MAX)
		return fail(err, RC_CONFIG,
		    "the name of the organisation is longer than %zu characters",
		    CN_MAX - 1 - strlen(suffix));
	(void)snprintf(cn, sizeof(cn), "%s %s", org, suffix);
	buf_init(&text, 16 * CN_MAX);
	buf_adds(&text, "O=");
	add_quoted(&text, org);
	buf_adds(&text, ",CN=");
	add_quoted(&text, cn);
	return name_of(out, &text, err);
}

/* "Contoso Issuing CA" has the RA "Contoso SCEP RA". */
static void
ra_cn(char out[static CN_MAX + 1], const struct name *ca)
{
	static const char *const endings[] = { " Issuing CA", " CA" };
	const char *cn = name_get0(ca, "CN", 0);
	size_t len = cn != NULL ? strlen(cn) : 0, i;

	for (i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
		if (len > strlen(endings[i]) && str_ends_nocase(cn, endings[i])) {
			len -= strlen(endings[i]);
			break;
		}
	}
	if (len > CN_MAX - strlen(RA_SUFFIX))
		len = 0; /* no room: the rest of the subject tells whose it is */
	(void)snprintf(out, CN_MAX + 1, "%.*s%s", (int)len, len > 0 ? cn : "",
	    len > 0 ? RA_SUFFIX : &RA_SUFFIX[1]);
}

/* The CA's subject with another common name, so that what permits the one permits the other. */
static enum rc
ra_subject(struct name *out, const struct name *ca, struct err *err)
{
	char cn[CN_MAX + 1];
	struct buf text;
	bool had = false;
	size_t i;

	ra_cn(cn, ca);
	buf_init(&text, 4 * LIMIT_CERT);
	for (i = 0; i < ca->n; i++) {
		const struct name_attr *a = &ca->attrs[i];
		bool is_cn = strcmp(a->label, "CN") == 0;

		if (i > 0)
			buf_addc(&text, a->new_rdn ? ',' : '+');
		buf_addf(&text, "%s=", a->oid);
		add_quoted(&text, is_cn && !had ? cn : a->value);
		had = had || is_cn;
	}
	if (!had) {
		buf_adds(&text, ca->n > 0 ? ",CN=" : "CN=");
		add_quoted(&text, cn);
	}
	return name_of(out, &text, err);
}

/* ---- certificates ---- */

/* SHA-384 with P-384, as strong as the key; SHA-256 otherwise. */
static enum digest
digest_for(const struct key *k)
{
	return strcmp(key_info0(k)->name, "ec-p384") == 0 ? DIGEST_SHA384 : DIGEST_SHA256;
}

static enum rc
make(struct cert **out, struct cert_fields *f, const struct key *key,
    const struct make_issuer *issuer, int64_t now, struct err *err)
{
	const struct key *signer = issuer->cert != NULL ? issuer->key : key;
	struct serial serial;
	enum rc rc = serial_random(&serial, err);

	if (rc != RC_OK)
		return rc;
	f->serial = &serial;
	f->issuer = issuer->cert != NULL ? cert_subject0(issuer->cert) : f->subject;
	f->not_before = now - MAKE_BACKDATE;
	f->subject_key = key;
	f->issuer_key = signer;
	f->digest = digest_for(signer);
	if (issuer->cert != NULL && f->not_before < cert_not_before(issuer->cert))
		f->not_before = cert_not_before(issuer->cert);
	return cert_make(out, f, signer, err);
}

enum rc
make_ca_cert(struct cert **out, const struct make_ca *in, const struct key *key,
    const struct make_issuer *issuer, int64_t now, struct err *err)
{
	const struct make_says *s = &in->says;
	struct cert_fields f = { .subject = in->subject,
		.not_after = now + in->validity,
		.key_usage = KU_KEY_CERT_SIGN | KU_CRL_SIGN,
		.eku = s->eku,
		.n_eku = s->n_eku,
		.is_ca = true,
		.path_len = s->path_len,
		.constraints = s->constraints,
		.policies = s->policies,
		.crl_urls = &s->crl_url,
		.n_crl_urls = s->crl_url != NULL,
		.ca_issuer_urls = &s->aia_url,
		.n_ca_issuer_urls = s->aia_url != NULL };

	if (in->validity <= 0)
		return fail(err, RC_CONFIG, "the validity of a CA is not positive");
	/* A certificate that outlives its issuer could not be verified to its end. */
	if (issuer->cert != NULL && f.not_after > cert_not_after(issuer->cert)) {
		(void)fail(err, RC_CONFIG, "the CA would outlive its issuer");
		if (err != NULL)
			(void)err_hint(err, "give it less: --validity");
		return RC_CONFIG;
	}
	return make(out, &f, key, issuer, now, err);
}

/* Nobody else's constraints than the CA's own are at hand; those above were checked with its
 * chain. */
static enum rc
check_ra_name(const struct name *subject, const struct cert *ca, struct err *err)
{
	struct san_list none = { 0 };
	struct constraints l = { 0 };
	enum rc rc = cert_constraints(&l, ca, err);

	if (rc == RC_OK)
		rc = constraints_check(&l, "the CA", subject, &none, err);
	constraints_done(&l);
	if (rc != RC_DENIED)
		return rc;
	if (err != NULL) {
		err->rc = RC_CONFIG;
		(void)err_hint(
		    err, "name a subject for the RA certificate that the CA permits: --ra-subject");
	}
	return RC_CONFIG;
}

enum rc
make_ra_cert(struct cert **out, const struct name *subject, int64_t validity,
    const struct key *ra_key, const struct make_issuer *ca, int64_t now, struct err *err)
{
	const char *eku = EKU_RA_AGENT;
	struct name own = { 0 };
	struct cert_fields f = { .subject = subject != NULL ? subject : &own,
		.not_after = now + validity,
		.key_usage = KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT,
		.eku = &eku,
		.n_eku = 1,
		.path_len = -1 };
	enum rc rc = RC_OK;

	if (key_info0(ra_key)->type != KEY_RSA)
		return fail(err, RC_CONFIG,
		    "the RA key cannot be %s: SCEP clients can only encrypt to RSA",
		    key_info0(ra_key)->name);
	if (validity <= 0)
		return fail(err, RC_CONFIG, "the validity of the RA certificate is not positive");
	if (f.not_after > cert_not_after(ca->cert))
		f.not_after = cert_not_after(ca->cert);
	if (subject == NULL)
		rc = ra_subject(&own, cert_subject0(ca->cert), err);
	if (rc == RC_OK)
		rc = check_ra_name(f.subject, ca->cert, err);
	if (rc == RC_OK)
		rc = make(out, &f, ra_key, ca, now, err);
	name_done(&own);
	return rc;
}

enum rc
make_ca_request(struct buf *der, const struct make_ca *in, const struct key *key, struct err *err)
{
	struct csr_build b = { .subject = in->subject,
		.is_ca = true,
		.path_len = in->says.path_len,
		.key_usage = KU_KEY_CERT_SIGN | KU_CRL_SIGN,
		.eku = in->says.eku,
		.n_eku = in->says.n_eku,
		.constraints = in->says.constraints,
		.policies = in->says.policies,
		.digest = digest_for(key) };

	return csr_build(der, &b, key, err);
}

/* Bytes of the first `max` characters of a text, or of all. */
static size_t
characters(const char *text, size_t max)
{
	size_t len = strlen(text), at = 0, n;
	uint32_t cp;

	while (max-- > 0 && (n = utf8_next(&cp, (const uint8_t *)text + at, len - at)) > 0)
		at += n;
	return at;
}

/* A name that has no room for both is cut: the issuer tells whose it is. */
static enum rc
responder_subject(struct name *out, const struct name *ca, struct err *err)
{
	const char *cn = name_get0(ca, "CN", 0);
	char text[4 * CN_MAX + sizeof(RESPONDER_SUFFIX)];
	size_t n = cn != NULL ? characters(cn, CN_MAX - strlen(RESPONDER_SUFFIX)) : 0;
	struct buf b;

	while (n > 0 && cn[n - 1] == ' ')
		n--;
	(void)snprintf(text, sizeof(text), "%.*s%s", (int)n, n > 0 ? cn : "",
	    n > 0 ? RESPONDER_SUFFIX : &RESPONDER_SUFFIX[1]);
	buf_init(&b, 16 * CN_MAX);
	buf_adds(&b, "CN=");
	add_quoted(&b, text);
	return name_of(out, &b, err);
}

/* The certificate is to say that nobody need ask about it (RFC 6960 4.2.2.2.1): whom should one ask? */
enum rc
make_responder_request(
    struct buf *der, const struct cert *ca, const struct key *key, struct err *err)
{
	static const char *const eku[] = { OID_OCSP_SIGNING };
	static const uint8_t null[] = { 0x05, 0x00 };
	struct name subject = { 0 };
	struct csr_build b = { .subject = &subject,
		.key_usage = KU_DIGITAL_SIGNATURE,
		.eku = eku,
		.n_eku = 1,
		.extra_ext_oid = OID_OCSP_NOCHECK,
		.extra_ext = null,
		.extra_ext_len = sizeof(null),
		.digest = digest_for(key) };
	enum rc rc = responder_subject(&subject, cert_subject0(ca), err);

	if (rc == RC_OK)
		rc = csr_build(der, &b, key, err);
	name_done(&subject);
	return rc;
}
