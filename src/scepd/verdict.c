/* verdict.c - see verdict.h. */
#include "scepd/verdict.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "scepd/scepd.h"

const char *
verdict_name(enum verdict_word w)
{
	static const char *const names[] = {
		[VERDICT_GOOD] = "good",
		[VERDICT_HOLD] = "hold",
		[VERDICT_REVOKED] = "revoked",
		[VERDICT_EXPIRED] = "expired",
		[VERDICT_UNKNOWN] = "unknown",
	};

	return names[w];
}

void
verdict_done(struct verdict *v)
{
	store_cert_row_done(&v->cert);
	store_status_done(&v->status);
	memset(&v->status, 0, sizeof(v->status));
	memset(&v->binding, 0, sizeof(v->binding));
}

/* Nothing of a certificate that is not meant gets out. */
static enum rc
unknown(struct verdict *v, const char *why)
{
	verdict_done(v);
	v->word = VERDICT_UNKNOWN;
	(void)snprintf(v->text, sizeof(v->text), "%s", why);
	return RC_OK;
}

static enum rc
say_why(struct verdict *v, struct err *err)
{
	struct buf b;
	enum rc rc;

	buf_init(&b, sizeof(v->text) - 1);
	store_status_text(&b, &v->status);
	if ((rc = buf_ok(&b, "a verdict", err)) == RC_OK)
		(void)snprintf(v->text, sizeof(v->text), "%s", buf_str(&b));
	buf_done(&b);
	return rc;
}

static enum rc
decide(struct verdict *v, int64_t now, struct err *err)
{
	static const enum verdict_word words[] = {
		[CERT_GOOD] = VERDICT_GOOD,
		[CERT_HELD] = VERDICT_HOLD,
		[CERT_REVOKED] = VERDICT_REVOKED,
	};
	char when[TIME_TEXT_MAX];

	v->word = words[v->status.state];
	if (v->word == VERDICT_GOOD && v->cert.not_after < now) {
		v->word = VERDICT_EXPIRED;
		time_rfc3339(when, v->cert.not_after);
		(void)snprintf(v->text, sizeof(v->text), "expired at %s", when);
		return RC_OK;
	}
	return say_why(v, err);
}

static bool
is_the_same(const struct store_cert_row *row, const struct cert *cert)
{
	size_t len;
	const uint8_t *der = cert_der0(cert, &len);

	return len == row->der_len && memcmp(der, row->der, len) == 0;
}

/* Another CA that the asker trusts may give any serial number; its certificate has another key. */
static bool
has_ski(const struct cert *cert, const char *ski)
{
	char hex[2 * ADMIN_SKI_MAX + 1];
	size_t len;
	const uint8_t *id = cert_ski0(cert, &len);

	if (id == NULL || len > ADMIN_SKI_MAX)
		return false;
	hex_upper(hex, id, len);
	return strcmp(hex, ski) == 0;
}

static enum rc
row_has_ski(bool *has, const struct store_cert_row *row, const char *ski, struct err *err)
{
	struct cert *cert = NULL;
	enum rc rc = cert_parse_known(&cert, row->der, row->der_len, err);

	if (rc == RC_OK)
		*has = has_ski(cert, ski);
	cert_free(cert);
	return rc;
}

/* ---- certificates of CAs of others ---- */

/* The CA of a row; NULL: none of the configuration. */
static const struct server_foreign *
foreign_of(const struct verdict_from *from, const struct store_cert_row *row)
{
	for (size_t i = 0; i < from->n_foreign; i++)
		if (strcmp(from->foreign[i].conf->name, row->ca) == 0)
			return &from->foreign[i];
	return NULL;
}

static bool
is_foreign(const struct store_cert_row *row)
{
	return row->endpoint == NULL || row->endpoint[0] == '\0';
}

/* Its serial number alone is known. */
static bool
is_bare(const struct store_cert_row *row)
{
	return is_foreign(row) && row->der_len == 0;
}

static bool
signed_by(const struct server_foreign *f, const struct cert *cert)
{
	return f != NULL && cert_verify_by(cert, f->cert, NULL) == RC_OK;
}

/* ---- is it the certificate that is meant? ---- */

/* What is found, and how well it fits. */
enum fit {
	FIT_NOT,  /* it is not the one that is meant */
	FIT_BARE, /* its serial number alone is known, and nothing says that it is not */
	FIT_WHOLE
};

/* *why of what does not fit. */
static enum rc
judge(enum fit *fit, const char **why, const struct verdict *v, const struct verdict_from *from,
    const struct admin_cert_ask *ask, struct err *err)
{
	bool bare = is_bare(&v->cert), same = true;
	enum rc rc = RC_OK;

	*fit = FIT_NOT;
	if (ask->cert != NULL && !bare && !is_the_same(&v->cert, ask->cert))
		*why = "not the certificate that was issued with that serial number";
	else if (ask->cert != NULL && bare && !signed_by(foreign_of(from, &v->cert), ask->cert))
		*why = "not a certificate that the CA of that serial number has signed";
	else
		*fit = bare ? FIT_BARE : FIT_WHOLE;
	if (*fit == FIT_NOT || ask->ski[0] == '\0')
		return RC_OK;
	if (ask->cert != NULL)
		same = has_ski(ask->cert, ask->ski);
	else if (!bare)
		rc = row_has_ski(&same, &v->cert, ask->ski, err);
	if (!same) {
		*why = "the certificate with that serial number has another key";
		*fit = FIT_NOT;
	}
	return rc;
}

/* ---- which of those with the serial number ---- */

struct search {
	const struct verdict_from *from;
	const struct admin_cert_ask *ask;
	const char *why; /* nothing fits */
	enum fit best;
	bool several;  /* fit so well */
	char cas[256]; /* of these */
};

/* A number and nothing else fits what is known by its number alone as well as any. */
static enum fit
weighed(enum fit fit, const struct admin_cert_ask *ask)
{
	return fit == FIT_BARE && ask->cert == NULL && ask->ski[0] == '\0' ? FIT_WHOLE : fit;
}

static void
keep(struct verdict *best, struct search *s, struct verdict *v, enum fit fit)
{
	size_t at = strlen(s->cas);

	if (fit < s->best || fit == FIT_NOT) {
		verdict_done(v);
		return;
	}
	s->several = fit == s->best;
	if (!s->several)
		at = 0;
	(void)snprintf(s->cas + at, sizeof(s->cas) - at, "%s%.60s", at > 0 ? ", " : "", v->cert.ca);
	s->best = fit;
	verdict_done(best);
	*best = *v;
}

/* One of this CA's, if there is one. */
static enum rc
try_ca(struct verdict *best, struct search *s, const char *ca, struct err *err)
{
	struct verdict v = { .word = VERDICT_UNKNOWN };
	enum fit fit = FIT_NOT;
	enum rc rc = store_cert_get(s->from->store, s->ask->serial, ca, &v.cert, err);

	if (rc != RC_OK)
		return rc == RC_NOTFOUND ? RC_OK : rc;
	rc = judge(&fit, &s->why, &v, s->from, s->ask, err);
	if (rc == RC_OK)
		keep(best, s, &v, weighed(fit, s->ask));
	else
		verdict_done(&v);
	return rc;
}

static enum rc
say_several(const struct search *s, struct err *err)
{
	(void)fail(err, RC_CONFLICT,
	    "several CAs have issued a certificate with serial number %s: %s", s->ask->serial,
	    s->cas);
	return err_hint(err, "say which is meant: ca=NAME, or the certificate as a whole");
}

/* Ours and those of foreign CAs, or that of the CA that is told; and where there is none, of a CA that was foreign. */
static enum rc
search(struct verdict *out, struct search *s, struct err *err)
{
	const char *told = s->ask->ca[0] != '\0' ? s->ask->ca : NULL;
	enum rc rc = try_ca(out, s, told != NULL ? told : STORE_OURS, err);

	for (size_t i = 0; rc == RC_OK && told == NULL && i < s->from->n_foreign; i++)
		rc = try_ca(out, s, s->from->foreign[i].conf->name, err);
	if (rc == RC_OK && s->why == NULL && s->best == FIT_NOT && told == NULL)
		rc = try_ca(out, s, NULL, err);
	if (rc == RC_OK && s->several)
		rc = say_several(s, err);
	if (rc == RC_OK && s->best == FIT_NOT && s->why == NULL)
		s->why = told != NULL ? "no certificate of that CA has that serial number"
				      : "no certificate of this server has that serial number";
	return rc;
}

/* After the rest: what would let in, and must not. */
static const char *
doubt(const struct verdict *v, const struct verdict_from *from, const struct admin_cert_ask *ask)
{
	if (v->word != VERDICT_GOOD || !is_foreign(&v->cert))
		return NULL;
	if (foreign_of(from, &v->cert) == NULL)
		return "its CA is not in foreign_cas any more";
	if (is_bare(&v->cert) && ask->cert == NULL && ask->ski[0] != '\0')
		return "the certificate was not imported: its serial number is known, and not its "
		       "key";
	return NULL;
}

static enum rc
know(struct verdict *v, const struct verdict_from *from, const struct admin_cert_ask *ask,
    int64_t now, struct err *err)
{
	enum rc rc = store_status_get(from->store, ask->serial, v->cert.ca, &v->status, err);

	if (rc == RC_OK)
		rc = store_binding_get(from->store, ask->serial, v->cert.ca, &v->binding, err);
	/* The end that the row does not know, the certificate says. */
	if (is_bare(&v->cert) && ask->cert != NULL)
		v->cert.not_after = cert_not_after(ask->cert);
	return rc == RC_OK ? decide(v, now, err) : rc;
}

enum rc
verdict_of(struct verdict *out, const struct verdict_from *from, const struct admin_cert_ask *ask,
    int64_t now, struct err *err)
{
	struct search s = { .from = from, .ask = ask };
	const char *why;
	enum rc rc;

	memset(out, 0, sizeof(*out));
	rc = search(out, &s, err);
	if (rc == RC_OK && s.best == FIT_NOT)
		return unknown(out, s.why);
	if (rc == RC_OK && (rc = know(out, from, ask, now, err)) == RC_OK &&
	    (why = doubt(out, from, ask)) != NULL)
		return unknown(out, why);
	if (rc != RC_OK)
		verdict_done(out);
	return rc;
}
