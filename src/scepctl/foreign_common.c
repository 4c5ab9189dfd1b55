/*
 * foreign_common.c - see foreign_common.h.
 */
#include "scepctl/foreign_common.h"

#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/secret.h"

/* "adcs, scepman" */
static void
add_names(struct buf *out, const struct config *c)
{
	const struct conf_foreign *v = c->foreign_cas.v;

	for (size_t i = 0; i < c->foreign_cas.n; i++)
		buf_addf(out, "%s%s", i > 0 ? ", " : "", v[i].name);
}

enum rc
foreign_find(
    const struct conf_foreign **out, const struct config *c, const char *name, struct err *err)
{
	const struct conf_foreign *conf = config_foreign(c, name);
	struct buf names;

	if (conf != NULL) {
		*out = conf;
		return RC_OK;
	}
	(void)fail(err, RC_NOTFOUND, "%s: there is no foreign CA \"%.60s\"", c->path, name);
	if (c->foreign_cas.n == 0)
		return err_hint(err, "describe it under foreign_cas: (docs/foreign.md)");
	buf_init(&names, ERR_HINT_MAX / 2);
	add_names(&names, c);
	(void)err_hint(err, "foreign_cas has %s", buf_str(&names));
	buf_done(&names);
	return RC_NOTFOUND;
}

enum rc
foreign_session_open(
    struct foreign_session *s, const char *config, const char *name, struct err *err)
{
	enum rc rc;

	*s = (struct foreign_session){ .config = NULL };
	buf_init(&s->passphrase, LIMIT_SECRET_FILE);
	buf_init(&s->pin, LIMIT_SECRET_FILE);
	rc = ctl_config(&s->config, config, err);
	if (rc == RC_OK)
		rc = foreign_find(&s->conf, s->config, name, err);
	if (rc == RC_OK && s->conf->ocsp_key == NULL) {
		(void)fail(err, RC_CONFIG, "foreign_cas.%s has no responder", s->conf->name);
		return err_hint(err,
		    "say where its certificate and key are to be: ocsp_certificate and ocsp_key");
	}
	if (rc == RC_OK)
		rc = cert_load(&s->ca, s->conf->certificate, err);
	if (rc == RC_OK && !cert_is_ca(s->ca))
		rc =
		    fail(err, RC_CONFIG, "%s is not the certificate of a CA", s->conf->certificate);
	if (rc == RC_OK)
		s->key_there =
		    !key_source_is_token(s->conf->ocsp_key) && access(s->conf->ocsp_key, F_OK) == 0;
	return rc;
}

static enum rc
read_passphrase(struct foreign_session *s, bool fresh, struct err *err)
{
	const char *source = s->conf->passphrase_file;
	enum rc rc;

	if (source == NULL || key_source_is_token(s->conf->ocsp_key))
		return RC_OK;
	rc = (fresh ? secret_read_new : secret_read)(
	    &s->passphrase, source, "passphrase of the responder's key", err);
	if (rc == RC_OK && s->passphrase.len == 0)
		rc = fail(err, RC_CONFIG, "%s: the passphrase is empty", source);
	return rc;
}

enum rc
foreign_session_unlock(struct foreign_session *s, bool fresh, struct err *err)
{
	enum rc rc = read_passphrase(s, fresh, err);

	if (rc != RC_OK || !key_source_is_token(s->conf->ocsp_key))
		return rc;
	if (s->conf->pin_file != NULL)
		rc = secret_read(&s->pin, s->conf->pin_file, "PIN of the token", err);
	if (rc == RC_OK)
		rc = key_tokens_open(s->config->pkcs11.module, err);
	s->tokens = rc == RC_OK;
	return rc;
}

struct key_source
foreign_session_key(const struct foreign_session *s)
{
	return (struct key_source){ .key = s->conf->ocsp_key,
		.passphrase = s->passphrase.len > 0 ? buf_str(&s->passphrase) : NULL,
		.pin = s->pin.len > 0 ? buf_str(&s->pin) : NULL };
}

void
foreign_session_close(struct foreign_session *s)
{
	if (s->tokens)
		key_tokens_close();
	cert_free(s->ca);
	config_free(s->config);
	buf_wipe(&s->passphrase);
	buf_wipe(&s->pin);
}
