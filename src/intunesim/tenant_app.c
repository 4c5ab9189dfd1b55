/*
 * tenant_app.c - an app registration: its secrets, certificates and federated credentials.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "intunesim/tenant_int.h"

static enum rc
load_secret(
    struct app_secret *out, const struct tenant *t, const struct secret_conf *c, struct err *err)
{
	struct err why;

	out->value = c->value;
	out->expires = INT64_MAX;
	if (c->value[0] == '\0')
		return conf_fail(t->conf, err, c->line, "value", "is empty");
	if (c->expires != NULL && time_parse_rfc3339(&out->expires, c->expires, &why) != RC_OK)
		return conf_fail(t->conf, err, c->line, "expires", "%s", why.msg);
	return RC_OK;
}

static enum rc
load_secrets(struct app *a, const struct tenant *t, struct err *err)
{
	const struct secret_conf *c = a->conf->secrets.v;
	enum rc rc;

	for (; a->n_secrets < a->conf->secrets.n; a->n_secrets++) {
		rc = load_secret(&a->secrets[a->n_secrets], t, &c[a->n_secrets], err);
		if (rc != RC_OK)
			return rc;
	}
	return RC_OK;
}

/* "file" or the same thing in place, not both. */
static enum rc
need_one(const struct tenant *t, int line, const char *file_key, const char *file,
    const char *text_key, const char *text, struct err *err)
{
	if ((file == NULL) != (text == NULL))
		return RC_OK;
	return conf_fail(t->conf, err, line, file_key, "give either this or \"%s\"", text_key);
}

static enum rc
parse_certificate(struct cert **out, const struct certificate_conf *c, struct err *err)
{
	size_t n;
	enum rc rc;

	if (c->file != NULL)
		return cert_load(out, c->file, err);
	if ((rc = certs_parse_pem(out, 1, &n, c->pem, strlen(c->pem), err)) != RC_OK)
		return rc;
	return n == 1 ? RC_OK : fail(err, RC_PARSE, "there is no certificate in it");
}

static enum rc
load_certificate(
    struct app_cert *out, const struct tenant *t, const struct certificate_conf *c, struct err *err)
{
	struct err why;
	enum rc rc;

	if ((rc = need_one(t, c->line, "file", c->file, "pem", c->pem, err)) != RC_OK)
		return rc;
	if (parse_certificate(&out->cert, c, &why) != RC_OK)
		return conf_fail(t->conf, err, c->line, "certificates", "%s", why.msg);
	if (key_info0(cert_key0(out->cert))->type != KEY_RSA)
		return conf_fail(t->conf, err, c->line, "certificates",
		    "the key is %s, and Entra takes RSA", key_info0(cert_key0(out->cert))->name);
	if ((rc = cert_x5t(out->x5t, out->cert, DIGEST_SHA1, err)) != RC_OK)
		return rc;
	return cert_x5t(out->x5t_s256, out->cert, DIGEST_SHA256, err);
}

static enum rc
load_certificates(struct app *a, const struct tenant *t, struct err *err)
{
	const struct certificate_conf *c = a->conf->certificates.v;
	enum rc rc;

	for (size_t i = 0; i < a->conf->certificates.n; i++) {
		a->n_certs = i + 1; /* half of one is released too */
		if ((rc = load_certificate(&a->certs[i], t, &c[i], err)) != RC_OK)
			return rc;
	}
	return RC_OK;
}

static enum rc
parse_keys(struct jwks *out, const struct federated_conf *c, struct err *err)
{
	struct buf text;
	enum rc rc;

	if (c->keys == NULL)
		return jwks_parse(out, c->jwks, strlen(c->jwks), err);
	buf_init(&text, LIMIT_JSON);
	if ((rc = file_read(&text, c->keys, LIMIT_JSON, err)) == RC_OK &&
	    (rc = jwks_parse(out, text.data, text.len, err)) != RC_OK)
		err_context(err, "%s", c->keys);
	buf_done(&text);
	return rc;
}

static enum rc
load_federated(struct app *a, const struct tenant *t, struct err *err)
{
	const struct federated_conf *c = a->conf->federated.v;
	struct err why;
	enum rc rc;

	for (; a->n_federated < a->conf->federated.n; a->n_federated++, c++) {
		struct app_federated *f = &a->federated[a->n_federated];

		f->conf = c;
		if ((rc = need_one(t, c->line, "keys", c->keys, "jwks", c->jwks, err)) != RC_OK)
			return rc;
		if (parse_keys(&f->keys, c, &why) != RC_OK)
			return conf_fail(t->conf, err, c->line, c->keys != NULL ? "keys" : "jwks",
			    "%s", why.msg);
	}
	return RC_OK;
}

enum rc
tenant_load_app(struct app *a, const struct tenant *t, const struct app_conf *c, struct err *err)
{
	enum rc rc;

	a->conf = c;
	if ((rc = need_guid(t, c->line, "id", c->id, err)) != RC_OK)
		return rc;
	a->secrets = calloc(c->secrets.n + 1, sizeof(*a->secrets));
	a->certs = calloc(c->certificates.n + 1, sizeof(*a->certs));
	a->federated = calloc(c->federated.n + 1, sizeof(*a->federated));
	if (a->secrets == NULL || a->certs == NULL || a->federated == NULL)
		return fail(err, RC_NOMEM, "out of memory");
	if ((rc = load_secrets(a, t, err)) != RC_OK || (rc = load_certificates(a, t, err)) != RC_OK)
		return rc;
	return load_federated(a, t, err);
}

void
tenant_app_done(struct app *a)
{
	for (size_t i = 0; i < a->n_certs; i++)
		cert_free(a->certs[i].cert);
	for (size_t i = 0; i < a->n_federated; i++)
		jwks_done(&a->federated[i].keys);
	free(a->secrets);
	free(a->certs);
	free(a->federated);
}
