/*
 * tenant_keys.c - the certificates that profiles hand out, and the keys that seal challenges.
 */
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "intunesim/tenant_int.h"

#define YEAR_SECONDS (365 * 86400)

/* The last option whose name fits wins over the file's own. */
static const char *
root_file(const struct root *r, struct root_option *options, size_t n)
{
	const char *file = r->conf->file;

	for (size_t i = 0; i < n; i++) {
		if (!glob_match(options[i].name, r->conf->name))
			continue;
		options[i].used = true;
		file = options[i].file;
	}
	return file;
}

static enum rc
parse_pem(struct cert **out, const char *pem, struct err *err)
{
	size_t n;
	enum rc rc;

	if ((rc = certs_parse_pem(out, 1, &n, pem, strlen(pem), err)) != RC_OK)
		return rc;
	return n == 1 ? RC_OK : fail(err, RC_PARSE, "there is no PEM certificate");
}

static enum rc
load_root_cert(struct root *r, const struct tenant *t, const char *file, struct err *err)
{
	const struct root_conf *c = r->conf;
	struct err why;
	enum rc rc;

	if (c->file != NULL && c->pem != NULL)
		return conf_fail(
		    t->conf, err, c->line, "pem", "is given twice, the other time by `file`");
	if (file != NULL) {
		if ((rc = cert_load(&r->cert, file, err)) != RC_OK)
			return err_context(err, "trusted root \"%s\"", c->name);
	} else if (c->pem == NULL) {
		return RC_OK;
	} else if ((rc = parse_pem(&r->cert, c->pem, &why)) != RC_OK) {
		return conf_fail(t->conf, err, c->line, "pem", "%s", why.msg);
	}
	return cert_thumbprint_sha1(r->thumbprint, r->cert, err);
}

enum rc
tenant_load_root_certs(struct tenant *t, struct root_option *options, size_t n, struct err *err)
{
	enum rc rc;

	for (size_t i = 0; i < t->n_roots; i++) {
		struct root *r = &t->roots[i];

		if ((rc = load_root_cert(r, t, root_file(r, options, n), err)) != RC_OK)
			return rc;
	}
	for (size_t i = 0; i < t->n_profiles; i++) {
		struct profile *p = &t->profiles[i];

		if (p->ca_thumbprint[0] == '\0')
			memcpy(p->ca_thumbprint, p->root->thumbprint, THUMBPRINT_MAX);
	}
	return RC_OK;
}

static enum rc
self_sign(struct pair *p, const char *cn, unsigned key_usage, struct err *err)
{
	struct name name = { 0 };
	struct serial serial;
	struct cert_fields f = {
		.serial = &serial,
		.issuer = &name,
		.subject = &name,
		.not_before = clock_now() - 86400,
		.not_after = clock_now() + 10LL * YEAR_SECONDS,
		.subject_key = p->key,
		.issuer_key = p->key,
		.digest = DIGEST_SHA256,
		.key_usage = key_usage,
		.path_len = -1,
	};
	enum rc rc;

	if ((rc = serial_random(&serial, err)) != RC_OK)
		return rc;
	if ((rc = name_from_text(&name, cn, err)) == RC_OK)
		rc = cert_make(&p->cert, &f, p->key, err);
	name_done(&name);
	return rc;
}

static enum rc
make_pair(struct pair *p, const char *cn, unsigned key_usage, struct err *err)
{
	enum rc rc;

	if ((rc = key_generate(&p->key, "rsa:2048", err)) != RC_OK ||
	    (rc = self_sign(p, cn, key_usage, err)) != RC_OK)
		return rc;
	return cert_thumbprint_sha1(p->thumbprint, p->cert, err);
}

static enum rc
share_pair(struct pair *p, const struct pair *old, struct err *err)
{
	const uint8_t *der;
	size_t len;

	p->key = key_ref(old->key);
	memcpy(p->thumbprint, old->thumbprint, sizeof(p->thumbprint));
	der = cert_der0(old->cert, &len);
	return cert_parse(&p->cert, der, len, err);
}

enum rc
tenant_share_keys(struct tenant *t, const struct tenant *old, struct err *err)
{
	enum rc rc;

	t->index = old->index;
	if ((rc = share_pair(&t->signer, &old->signer, err)) != RC_OK)
		return rc;
	return share_pair(&t->recipient, &old->recipient, err);
}

enum rc
tenant_make_keys(struct tenant *t, struct err *err)
{
	enum rc rc;

	rc = make_pair(
	    &t->signer, "CN=SCEP challenge signing,O=Intune simulator", KU_DIGITAL_SIGNATURE, err);
	if (rc != RC_OK)
		return rc;
	return make_pair(&t->recipient, "CN=SCEP challenge encryption,O=Intune simulator",
	    KU_KEY_ENCIPHERMENT, err);
}
