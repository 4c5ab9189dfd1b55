/*
 * signer_local.c - the operations where the keys are: the rules before every signature.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/text.h"
#include "ossl/der.h"
#include "ossl/sig_alg.h"
#include "signer/signer_local.h"

static struct signer_local *
local_of(struct signer *s)
{
	return (struct signer_local *)s; /* `base` comes first */
}

/* Ours or not.  A handful of names: a walk is faster than a table. */
static enum rc
any_find(struct signer_id **out, struct signer_local *l, const char *name, struct err *err)
{
	for (size_t i = 0; i < l->n_cas; i++) {
		if (strcmp(l->cas[i].name, name) == 0) {
			*out = &l->cas[i];
			return RC_OK;
		}
	}
	return fail(err, RC_NOTFOUND, "signer: there is no CA %s", name);
}

/* One of ours. */
static enum rc
ca_find(struct signer_id **out, struct signer_local *l, const char *name, struct err *err)
{
	struct signer_id *id;
	enum rc rc = any_find(&id, l, name, err);

	if (rc != RC_OK)
		return rc;
	if (id->foreign)
		return fail(err, RC_DENIED,
		    "signer: CA %s is not ours: nothing but OCSP answers is signed for it", name);
	*out = id;
	return RC_OK;
}

static enum rc
ra_find(struct signer_id **out, struct signer_local *l, const char *name, struct err *err)
{
	struct signer_id *id;
	enum rc rc = ca_find(&id, l, name, err);

	if (rc != RC_OK)
		return rc;
	if (id->ra_key == NULL)
		return fail(err, RC_NOTFOUND, "signer: CA %s has no RA", name);
	*out = id;
	return RC_OK;
}

/* Who asks for what a rule forbids is broken or has been taken over: an administrator has to see it. */
static void
tell_denied(struct signer_local *l, struct log_limit *limit, const char *what, const char *ca,
    const struct err *err)
{
	struct log_line line;
	uint64_t left_out;
	bool within;

	pthread_mutex_lock(&l->tell_lock);
	within = log_within(limit, clock_mono_ms(), &left_out);
	pthread_mutex_unlock(&l->tell_lock);
	if (!within)
		return;
	log_begin(&line, LOG_WARN, "signer-denied");
	log_str(&line, "operation", what);
	log_str(&line, "ca", ca);
	if (err != NULL)
		log_err(&line, err);
	if (left_out > 0)
		log_int(&line, "left_out", (int64_t)left_out);
	log_end(&line);
}

/* Count what became of a call; `done` NULL: nothing was signed. */
static enum rc
counted(struct signer_local *l, atomic_uint_fast64_t *done, const char *what, const char *ca,
    enum rc rc, const struct err *err)
{
	if (rc == RC_OK) {
		if (done != NULL)
			atomic_fetch_add(done, 1);
	} else if (rc == RC_IO || rc == RC_CRYPTO || rc == RC_NOMEM || rc == RC_BUG) {
		atomic_fetch_add(&l->stats.failed, 1);
	} else if (rc == RC_LIMIT) {
		atomic_fetch_add(&l->stats.limited, 1);
		tell_denied(l, &l->limited_lines, what, ca, err);
	} else {
		atomic_fetch_add(&l->stats.denied, 1);
		tell_denied(l, &l->denied_lines, what, ca, err);
	}
	return rc;
}

/* ---- how often ---- */

static const char *const rate_names[RATE__MAX] = {
	[RATE_CERT] = "certificates",
	[RATE_CRL] = "lists",
	[RATE_CERTREP] = "replies",
	[RATE_UNWRAP] = "messages opened",
	[RATE_OCSP] = "OCSP answers",
	[RATE_NEXT] = "announcements of the next CA",
	[RATE_RESPONDER] = "certificates of its responder",
};

static enum rc
within_rate(struct signer_id *id, int what, struct err *err)
{
	enum rc rc;
	bool within;

	pthread_mutex_lock(&id->rate_lock);
	within = rate_take(&id->rates[what], clock_mono_ms());
	pthread_mutex_unlock(&id->rate_lock);
	if (within)
		return RC_OK;
	rc = fail(err, RC_LIMIT, "signer: CA %s is past its rate of %llu %s an hour", id->name,
	    (unsigned long long)id->rates[what].per_hour, rate_names[what]);
	if (err != NULL && what == RATE_CERT)
		err_hint(err, "if devices need as many, raise cas.%s.max_per_hour", id->name);
	return rc;
}

/* ---- certificates and lists ---- */

/* What has been checked goes into the books, and then to the key. */
static enum rc
book_and_sign_cert(struct signer_local *l, struct signer_id *id, const struct tbs_facts *facts,
    struct der tbs, struct buf *sig, struct err *err)
{
	uint8_t sha[32];
	enum rc rc;

	rc = within_rate(id, RATE_CERT, err);
	if (rc == RC_OK)
		rc = digest_bytes(sha, DIGEST_SHA256, tbs.p, tbs.len, err);
	if (rc == RC_OK)
		rc = state_cert(l->state, "cert", id->name, facts->number, sha, err);
	return rc == RC_OK ? key_sign(sig, id->key, facts->digest, tbs.p, tbs.len, err) : rc;
}

/* A list may have 50 MB, and its hash is there already: most CAs sign that one. */
static enum rc
sign_once_hashed(struct buf *sig, const struct key *key, enum digest d, struct der tbs,
    const uint8_t sha256[static 32], struct err *err)
{
	if (d == DIGEST_SHA256 && key_type_has_digest(key_info0(key)->type))
		return key_sign_digest(sig, key, d, sha256, err);
	return key_sign(sig, key, d, tbs.p, tbs.len, err);
}

/* One list of a CA at a time, so that numbers go upward in the order of signing. */
static enum rc
book_and_sign_crl(struct signer_local *l, struct signer_id *id, const struct tbs_facts *facts,
    struct der tbs, struct buf *sig, struct err *err)
{
	char hex[2 * SERIAL_MAX + 1];
	uint8_t sha[32];
	enum rc rc;

	hex_upper(hex, facts->number.p, facts->number.len);
	rc = within_rate(id, RATE_CRL, err);
	if (rc == RC_OK)
		rc = digest_bytes(sha, DIGEST_SHA256, tbs.p, tbs.len, err);
	pthread_mutex_lock(&id->lock);
	if (rc == RC_OK)
		rc = crl_last_raise(&id->crl, l->state, id->name, facts->number, sha, err);
	if (rc == RC_OK)
		rc = state_note(l->state, "crl", id->name, hex, sha, err);
	if (rc == RC_OK)
		rc = sign_once_hashed(sig, id->key, facts->digest, tbs, sha, err);
	pthread_mutex_unlock(&id->lock);
	return rc;
}

static enum rc
local_sign_cert(struct signer *s, const char *ca, const uint8_t *tbs, size_t len, struct buf *sig,
    struct err *err)
{
	struct signer_local *l = local_of(s);
	struct tbs_facts facts;
	struct signer_id *id;
	enum rc rc = ca_find(&id, l, ca, err);

	if (rc == RC_OK)
		rc = check_tbs_cert(&facts, &id->rules, clock_now(), tbs, len, err);
	if (rc == RC_OK)
		rc = book_and_sign_cert(l, id, &facts, (struct der){ tbs, len }, sig, err);
	fault_point("signer-signed");
	return counted(l, &l->stats.certs, "sign-cert", ca, rc, err);
}

static enum rc
local_sign_crl(struct signer *s, const char *ca, const uint8_t *tbs, size_t len, struct buf *sig,
    struct err *err)
{
	struct signer_local *l = local_of(s);
	struct tbs_facts facts;
	struct signer_id *id;
	enum rc rc = ca_find(&id, l, ca, err);

	if (rc == RC_OK)
		rc = check_tbs_crl(&facts, &id->rules, clock_now(), tbs, len, err);
	if (rc == RC_OK)
		rc = book_and_sign_crl(l, id, &facts, (struct der){ tbs, len }, sig, err);
	return counted(l, &l->stats.crls, "sign-crl", ca, rc, err);
}

static enum rc
local_sign_certrep(struct signer *s, const char *ca, enum digest d, const uint8_t *attrs,
    size_t len, struct buf *sig, struct err *err)
{
	struct signer_local *l = local_of(s);
	struct signer_id *id;
	enum rc rc = ra_find(&id, l, ca, err);

	if (rc == RC_OK)
		rc = check_certrep_attrs(d, attrs, len, err);
	if (rc == RC_OK)
		rc = within_rate(id, RATE_CERTREP, err);
	if (rc == RC_OK)
		rc = key_sign(sig, id->ra_key, d, attrs, len, err);
	return counted(l, &l->stats.certreps, "sign-certrep", ca, rc, err);
}

static enum rc
local_unwrap(struct signer *s, const char *ca, const struct transport *t, const uint8_t *wrapped,
    size_t wrapped_len, uint8_t *cek, size_t cek_len, struct err *err)
{
	struct signer_local *l = local_of(s);
	struct signer_id *id;
	enum rc rc = ra_find(&id, l, ca, err);

	if (rc == RC_OK)
		rc = within_rate(id, RATE_UNWRAP, err);
	if (rc == RC_OK)
		rc = key_unwrap(cek, cek_len, id->ra_key, t, wrapped, wrapped_len, err);
	return counted(l, &l->stats.unwraps, "unwrap", ca, rc, err);
}

/* ---- OCSP ---- */

/* RFC 6960 4.2.1: BasicOCSPResponse. */
static enum rc
basic_add(struct buf *out, struct der data, struct der sig, enum key_type key, enum digest d,
    const struct cert *cert, struct err *err)
{
	size_t all = der_open(out, DER_SEQUENCE), tagged, list, len;
	const uint8_t *der = cert_der0(cert, &len);
	enum rc rc;

	buf_add(out, data.p, data.len);
	rc = sig_alg_add(out, key, d, err);
	if (rc != RC_OK)
		return rc;
	der_add_octet_bits(out, sig.p, sig.len);
	tagged = der_open(out, DER_CTX_CONS(0));
	list = der_open(out, DER_SEQUENCE);
	buf_add(out, der, len);
	der_close(out, list);
	der_close(out, tagged);
	der_close(out, all);
	return buf_ok(out, "OCSP response", err);
}

static enum rc
sign_ocsp(struct signer_local *l, struct signer_id *id, struct der data, struct buf *basic,
    struct err *err)
{
	enum digest d = digest_for_key(id->ocsp_key);
	struct cert *cert = NULL;
	struct buf sig;
	enum rc rc;

	pthread_mutex_lock(&id->lock);
	rc = ca_id_need_ocsp(l, id, clock_now(), err);
	if (rc == RC_OK)
		rc = cert_copy(&cert, id->ocsp, err);
	pthread_mutex_unlock(&id->lock);
	buf_init(&sig, SIGNATURE_MAX);
	if (rc == RC_OK)
		rc = key_sign(&sig, id->ocsp_key, d, data.p, data.len, err);
	if (rc == RC_OK)
		rc = basic_add(basic, data, (struct der){ sig.data, sig.len },
		    key_info0(id->ocsp_key)->type, d, cert, err);
	buf_done(&sig);
	cert_free(cert);
	return rc;
}

static enum rc
local_sign_ocsp(struct signer *s, const char *ca, const uint8_t *data, size_t len,
    struct buf *basic, struct err *err)
{
	struct signer_local *l = local_of(s);
	size_t start = basic->len;
	struct signer_id *id;
	enum rc rc = any_find(&id, l, ca, err);

	if (rc == RC_OK)
		rc = check_ocsp_data(&id->names, clock_now(), data, len, err);
	if (rc == RC_OK)
		rc = within_rate(id, RATE_OCSP, err);
	if (rc == RC_OK)
		rc = sign_ocsp(l, id, (struct der){ data, len }, basic, err);
	if (rc != RC_OK)
		basic->len = start;
	return counted(l, &l->stats.ocsps, "sign-ocsp", ca, rc, err);
}

/* ---- what the signer tells ---- */

static enum rc
local_next_ca(struct signer *s, const char *ca, struct buf *der, struct err *err)
{
	struct signer_local *l = local_of(s);
	size_t start = der->len;
	struct signer_id *id;
	enum rc rc = ca_find(&id, l, ca, err);

	if (rc != RC_OK)
		return rc;
	for (size_t i = 0; i < l->n_cas; i++) {
		if (l->cas[i].replaces == NULL || strcmp(l->cas[i].replaces, ca) != 0)
			continue;
		rc = within_rate(id, RATE_NEXT, err);
		if (rc == RC_OK)
			rc = next_ca_build(der, l, id, &l->cas[i], err);
		if (rc != RC_OK)
			der->len = start;
		return rc;
	}
	return fail(err, RC_NOTFOUND, "signer: no CA replaces CA %s", ca);
}

static enum rc
local_certs(struct signer *s, const char *ca, struct signer_certs *out, struct err *err)
{
	struct signer_local *l = local_of(s);
	struct signer_certs c = { .n_ra = 0 };
	struct signer_id *id;
	enum rc rc = any_find(&id, l, ca, err);

	if (rc != RC_OK)
		return rc;
	pthread_mutex_lock(&id->lock);
	ca_id_renew(l, id, clock_now());
	for (; c.n_ra < id->n_ra && rc == RC_OK; c.n_ra += rc == RC_OK)
		rc = cert_copy(&c.ra[c.n_ra], id->ra[c.n_ra], err);
	if (rc == RC_OK && id->ocsp != NULL)
		rc = cert_copy(&c.ocsp, id->ocsp, err);
	pthread_mutex_unlock(&id->lock);
	if (rc == RC_OK)
		*out = c;
	else
		signer_certs_done(&c);
	return rc;
}

static enum rc
local_take_responder(
    struct signer *s, const char *ca, const uint8_t *der, size_t len, struct err *err)
{
	struct signer_local *l = local_of(s);
	struct signer_id *id;
	enum rc rc = any_find(&id, l, ca, err);

	if (rc == RC_OK)
		rc = within_rate(id, RATE_RESPONDER, err);
	if (rc == RC_OK)
		rc = foreign_take(l, id, der, len, err);
	return counted(l, NULL, "take-responder", ca, rc, err);
}

static enum rc
local_stats(struct signer *s, struct signer_stats *out, struct err *err)
{
	struct signer_local *l = local_of(s);

	*out = (struct signer_stats){
		.certs = l->stats.certs,
		.crls = l->stats.crls,
		.certreps = l->stats.certreps,
		.unwraps = l->stats.unwraps,
		.ocsps = l->stats.ocsps,
		.denied = l->stats.denied,
		.limited = l->stats.limited,
		.failed = l->stats.failed,
		.started = l->stats.started,
	};
	return RC_OK;
}

/* How often the RA and responder keys were used since the last such line, if at all. */
static void
tell_uses(struct signer_local *l)
{
	uint64_t certreps = l->stats.certreps, unwraps = l->stats.unwraps, ocsps = l->stats.ocsps;
	char text[100];
	struct err err;

	pthread_mutex_lock(&l->tell_lock);
	if (certreps != l->told.certreps || unwraps != l->told.unwraps || ocsps != l->told.ocsps) {
		snprintf(text, sizeof(text), "certreps=%llu,unwraps=%llu,ocsps=%llu",
		    (unsigned long long)(certreps - l->told.certreps),
		    (unsigned long long)(unwraps - l->told.unwraps),
		    (unsigned long long)(ocsps - l->told.ocsps));
		if (state_note(l->state, "uses", "-", text, NULL, &err) == RC_OK) {
			l->told.certreps = certreps;
			l->told.unwraps = unwraps;
			l->told.ocsps = ocsps;
		} else {
			log_msg(LOG_ERROR, "signer-audit", "%s", err.msg);
		}
	}
	pthread_mutex_unlock(&l->tell_lock);
}

static void
local_tick(struct signer *s, int64_t now)
{
	struct signer_local *l = local_of(s);

	for (size_t i = 0; i < l->n_cas; i++) {
		pthread_mutex_lock(&l->cas[i].lock);
		ca_id_renew(l, &l->cas[i], now);
		pthread_mutex_unlock(&l->cas[i].lock);
	}
	tell_uses(l);
	fault_stall("signer-tick");
	state_checkpoint_if_long(l->state);
}

static void
local_close(struct signer *s)
{
	struct signer_local *l = local_of(s);

	if (l->state != NULL)
		tell_uses(l);
	/* The one that failed to open comes after the ones that did. */
	for (size_t i = 0; l->cas != NULL && i <= l->n_cas; i++)
		ca_id_done(&l->cas[i]);
	state_close(l->state);
	pthread_mutex_destroy(&l->tell_lock);
	free(l->cas);
	free(l);
}

const struct signer_ops local_ops = {
	.sign_cert = local_sign_cert,
	.sign_crl = local_sign_crl,
	.sign_certrep = local_sign_certrep,
	.unwrap = local_unwrap,
	.sign_ocsp = local_sign_ocsp,
	.next_ca = local_next_ca,
	.certs = local_certs,
	.take_responder = local_take_responder,
	.stats = local_stats,
	.tick = local_tick,
	.close = local_close,
};
