/*
 * adopt.c - taking in a CA whose certificate was made elsewhere.
 */
#include "ca/adopt.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "ossl/eku.h"

#define DIR_MODE 0700
#define DAY      86400
#define SOON     (365 * (int64_t)DAY) /* a CA that has less is hardly worth telling devices about */
#define RSA_MIN  2048

/* The certificate of the key goes to the front.  Of several (a renewal with the same key) the one
 * that ends last. */
static enum rc
find_own(const struct ca_adopt *in, struct err *err)
{
	size_t i, best = in->n_certs;

	for (i = 0; i < in->n_certs; i++) {
		if (key_same_public(cert_key0(in->certs[i]), in->key) &&
		    (best == in->n_certs ||
			cert_not_after(in->certs[i]) > cert_not_after(in->certs[best])))
			best = i;
	}
	if (best == in->n_certs) {
		(void)fail(err, RC_CONFIG,
		    "the certificate is of another key: none of the %zu given is of the CA's key",
		    in->n_certs);
		if (err != NULL)
			(void)err_hint(err,
			    "install what was signed for the request of this very key; see --key");
		return RC_CONFIG;
	}
	if (best > 0) {
		struct cert *own = in->certs[best];

		in->certs[best] = in->certs[0];
		in->certs[0] = own;
	}
	return RC_OK;
}

/* What chain_check() does not ask of those above: this one has to sign revocation lists, too. */
static enum rc
check_own(const struct cert *c, struct err *err)
{
	unsigned ku = 0;

	if (!cert_is_ca(c))
		return fail(err, RC_CONFIG,
		    "the certificate is no CA certificate (basicConstraints CA:TRUE is missing)");
	if (!cert_has_key_usage(c, &ku) || !(ku & KU_KEY_CERT_SIGN))
		return fail(err, RC_CONFIG, "the CA certificate's key usage lacks keyCertSign");
	if (!(ku & KU_CRL_SIGN))
		return fail(err, RC_CONFIG, "the CA certificate's key usage lacks cRLSign");
	return RC_OK;
}

/* ---- warnings ---- */

struct warned {
	adopt_warn_fn *warn;
	void *ctx;
};

static void PRINTF_LIKE(2, 3) say(const struct warned *w, const char *fmt, ...)
{
	char text[ERR_MSG_MAX];
	va_list ap;

	va_start(ap, fmt);
	if (vsnprintf(text, sizeof(text), fmt, ap) < 0)
		text[0] = '\0';
	va_end(ap);
	w->warn(w->ctx, text);
}

static void
warn_eku(const struct warned *w, const struct cert *c, const char *which)
{
	size_t n, i;
	const char *const *eku = cert_eku0(c, &n);

	for (i = 0; i < n; i++) {
		if (strcmp(eku[i], OID_CLIENT_AUTH) == 0)
			return;
	}
	if (n > 0)
		say(w,
		    "%s has an extended key usage without clientAuth, which bounds all below it: "
		    "network access servers (FreeRADIUS: \"unsupported certificate purpose\") will "
		    "refuse its certificates",
		    which);
}

static void
warn_constraints(const struct warned *w, const struct cert *c, const char *which)
{
	struct constraints l = { 0 };
	size_t i;

	if (cert_constraints(&l, c, NULL) != RC_OK)
		return; /* chain_check() has said so */
	for (i = 0; i < l.n; i++) {
		say(w,
		    "%s %s %s:%s: requests for other names will be refused, whatever a profile "
		    "says",
		    which, l.v[i].excluded ? "excludes" : "permits only",
		    constraint_form_name(l.v[i].form), l.v[i].text);
	}
	constraints_done(&l);
}

static void
warn_key(const struct warned *w, const struct cert *c, const char *which)
{
	const struct key_info *k = key_info0(cert_key0(c));

	if (k->type == KEY_RSA && k->bits < RSA_MIN)
		say(w, "%s has an RSA key of %u bits: clients refuse less than %d", which, k->bits,
		    RSA_MIN);
}

static void
warn_end(const struct warned *w, const struct cert *c, const char *which, int64_t now)
{
	if (cert_not_after(c) - now < SOON)
		say(w, "%s ends in %lld days, and every certificate with it", which,
		    (long long)((cert_not_after(c) - now) / DAY));
}

void
ca_warnings(const struct cert *const *chain, size_t n, int64_t now, adopt_warn_fn *warn, void *ctx)
{
	struct warned w = { warn, ctx };
	size_t i;

	for (i = 0; i < n; i++) {
		const char *which = i == 0 ? "the CA certificate"
		    : i + 1 == n           ? "the root certificate"
					   : "a certificate above the CA";

		warn_eku(&w, chain[i], which);
		warn_constraints(&w, chain[i], which);
		warn_key(&w, chain[i], which);
		warn_end(&w, chain[i], which, now);
	}
}

/* ---- taking it in ---- */

static enum rc
adopt(struct maker *m, const struct ca_adopt *in, const struct ca_folder *f, size_t n_chain,
    int64_t now, struct err *err)
{
	struct ca_parts p = { .cert = in->certs[0],
		.key = in->key,
		.chain = in->certs + 1,
		.n_chain = n_chain,
		.ra_key = { in->ra_kind, { NULL, in->passphrase, in->pin }, in->ra_exists },
		.ra_subject = in->ra_subject,
		.ra_validity = in->ra_validity };
	enum rc rc = ca_folder_check(f, in->write_key, !in->ra_exists, err);

	if (rc == RC_OK)
		rc = dir_make(f->dir, DIR_MODE, err);
	if (rc == RC_OK && in->write_key)
		rc = maker_private(m, f->key, in->key, in->passphrase, err);
	return rc == RC_OK ? ca_folder_fill(m, f, &p, now, err) : rc;
}

enum rc
ca_adopt(const struct ca_adopt *in, size_t *n_chain, struct err *err)
{
	struct ca_folder f = { 0 };
	struct maker m = { 0 };
	int64_t now = clock_now();
	size_t n = in->n_certs - 1, i;
	enum rc rc = find_own(in, err);

	if (rc == RC_OK)
		rc = check_own(in->certs[0], err);
	if (rc == RC_OK) {
		rc = chain_sort(in->certs + 1, &n, in->certs[0], err);
		for (i = n + 1; rc == RC_OK && i < in->n_certs; i++)
			in->certs[i] = NULL; /* chain_sort() has freed them */
	}
	if (rc == RC_OK)
		rc = ca_folder_init(&f, in->dir, in->key_at, in->ra_at, n, err);
	if (rc == RC_OK)
		rc = adopt(&m, in, &f, n, now, err);
	rc = maker_end(&m, rc, err);
	if (rc == RC_OK) {
		ca_warnings(
		    (const struct cert *const *)in->certs, n + 1, now, in->warn, in->warn_ctx);
		*n_chain = n;
	}
	ca_folder_done(&f);
	return rc;
}
