/* foreign_ca.c - see foreign_ca.h. */
#include "scepd/foreign_ca.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "scepd/ocsp.h"

/* ---- opening ---- */

/* Who has this key already: OCSP and store would not know whose certificate is meant. */
static const char *
name_with_key(const struct scepd *s, const struct cert *c)
{
	for (size_t i = 0; i < s->n_cas; i++)
		if (key_same_public(cert_key0(ca_cert0(s->cas[i].ca)), cert_key0(c)))
			return s->cas[i].conf->name;
	for (size_t i = 0; i < s->n_foreign; i++)
		if (key_same_public(cert_key0(s->foreign[i].cert), cert_key0(c)))
			return s->foreign[i].conf->name;
	return NULL;
}

static enum rc
open_one(struct scepd *s, const struct conf_foreign *conf, struct err *err)
{
	struct cert *c = NULL;
	const char *other;
	enum rc rc = cert_load(&c, conf->certificate, err);

	if (rc == RC_OK && !cert_is_ca(c))
		rc = fail(err, RC_CONFIG, "%s is not the certificate of a CA", conf->certificate);
	if (rc == RC_OK && (other = name_with_key(s, c)) != NULL)
		rc = fail(err, RC_CONFIG, "%s is the certificate of CA %s, which is here already",
		    conf->certificate, other);
	if (rc == RC_OK) {
		s->foreign[s->n_foreign++] = (struct server_foreign){ .conf = conf, .cert = c };
		return RC_OK;
	}
	cert_free(c);
	if (rc == RC_NOMEM)
		return rc;
	(void)err_context(err, "foreign CA %s", conf->name);
	err->rc = RC_CONFIG; /* a file that is not there, too, is the administrator's to bring */
	return RC_CONFIG;
}

enum rc
foreign_cas_open(struct scepd *s, struct err *err)
{
	const struct conf_foreign *conf = s->config->foreign_cas.v;
	size_t n = s->config->foreign_cas.n;
	enum rc rc = RC_OK;

	if (n == 0)
		return RC_OK;
	if ((s->foreign = calloc(n, sizeof(*s->foreign))) == NULL)
		return fail(err, RC_NOMEM, "foreign CAs");
	for (size_t i = 0; rc == RC_OK && i < n; i++)
		rc = open_one(s, &conf[i], err);
	return rc;
}

void
foreign_cas_close(struct scepd *s)
{
	for (size_t i = 0; i < s->n_foreign; i++)
		cert_free(s->foreign[i].cert);
	free(s->foreign);
	s->foreign = NULL;
	s->n_foreign = 0;
}

/* ---- responders ---- */

static void
tell(const struct server_foreign *f, const struct err *err)
{
	struct log_line l;

	log_begin(&l, LOG_ERROR, "foreign-responder");
	log_str(&l, "ca", f->conf->name);
	log_str(&l, "file", f->conf->ocsp_certificate);
	log_err(&l, err);
	log_end(&l);
}

/*
 * Is this what the signer has refused, and still there?  It would refuse it again: its keys are those of its start.
 * Whatever else is in the file makes that forgotten, so that what is put back is asked for, and told of, again.
 */
static bool
was_refused(struct server_foreign *f, const uint8_t sha256[static 32])
{
	if (memcmp(f->refused, sha256, sizeof(f->refused)) == 0)
		return true;
	memset(f->refused, 0, sizeof(f->refused));
	return false;
}

/* Where there is none yet, the signer has said so at its start. */
static void
tell_unreadable(struct server_foreign *f, enum rc rc, const struct err *err)
{
	if (rc == RC_NOTFOUND || f->unreadable)
		return;
	f->unreadable = true;
	tell(f, err);
}

static void
hand_over(struct scepd *s, struct server_foreign *f, const struct cert *c,
    const uint8_t sha256[static 32])
{
	struct err err = { 0 };
	size_t len;
	const uint8_t *der = cert_der0(c, &len);
	enum rc rc = signer_take_responder(s->signer, f->conf->name, der, len, &err);

	if (rc == RC_OK) {
		ocsp_responder_changed(s->ocsp, f->conf->name);
		log_msg(LOG_INFO, "foreign-responder",
		    "foreign CA %s: %s has a new certificate of the responder: in use",
		    f->conf->name, f->conf->ocsp_certificate);
	} else if (rc == RC_DENIED) {
		memcpy(f->refused, sha256, sizeof(f->refused));
		tell(f, &err);
	} else { /* the signer could not be asked: the next round is a minute away */
		log_msg(LOG_WARN, "foreign-responder", "foreign CA %s: %s", f->conf->name, err.msg);
	}
}

/* One that has ended is told of by expiry.h, and would be refused. */
static void
offer(struct scepd *s, struct server_foreign *f, const struct cert *c)
{
	struct signer_certs now = { .n_ra = 0 };
	uint8_t sha256[32];
	size_t len;
	const uint8_t *der = cert_der0(c, &len);

	if (digest_bytes(sha256, DIGEST_SHA256, der, len, NULL) != RC_OK || was_refused(f, sha256))
		return;
	if (signer_certs(s->signer, f->conf->name, &now, NULL) == RC_OK &&
	    cert_not_after(c) >= clock_now() && (now.ocsp == NULL || !cert_same(now.ocsp, c)))
		hand_over(s, f, c, sha256);
	signer_certs_done(&now);
}

static void
refresh(struct scepd *s, struct server_foreign *f)
{
	static const uint8_t nothing[32];
	struct cert *c = NULL;
	struct err err = { 0 };
	enum rc rc = cert_load(&c, f->conf->ocsp_certificate, &err);

	if (rc != RC_OK) {
		(void)was_refused(f, nothing);
		tell_unreadable(f, rc, &err);
		return;
	}
	f->unreadable = false;
	offer(s, f, c);
	cert_free(c);
}

void
foreign_cas_refresh(struct scepd *s)
{
	for (size_t i = 0; i < s->n_foreign; i++)
		if (s->foreign[i].conf->ocsp_certificate != NULL)
			refresh(s, &s->foreign[i]);
}
