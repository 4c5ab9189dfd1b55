/*
 * check_files.c - scepctl check: keys, certificates, database, and who may read them.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/text.h"
#include "ca/ca.h"
#include "ossl/tls.h"
#include "scepctl/ctl.h"
#include "scepctl/report.h"
#include "scepd/keys.h"
#include "signer/signer.h"

#define DAY 86400

/* ---- modes ---- */

/* A private file: nobody but the owner; root's may be readable by the service's group. */
static void
check_private(struct report *r, const char *what, const char *path)
{
	struct err err = { 0 };
	struct buf b;

	buf_init(&b, LIMIT_SECRET_FILE);
	if (file_read_secret(&b, path, LIMIT_SECRET_FILE, &err) != RC_OK)
		report_err(r, FINDING_FAIL, what, &err);
	else
		report(r, FINDING_OK, what, "%s is private", path);
	buf_wipe(&b);
}

static void
check_not_writable(struct report *r, const char *what, const char *path)
{
	struct stat st;

	if (stat(path, &st) != 0)
		report(r, FINDING_FAIL, what, "cannot look at %s: %s", path, strerror(errno));
	else if (st.st_mode & 022)
		report(r, FINDING_FAIL, what,
		    "%s can be changed by others (mode %04o); chmod go-w %s", path,
		    (unsigned)(st.st_mode & 07777), path);
	else
		report(r, FINDING_OK, what, "%s can be changed by its owner only", path);
}

/* Keys in a token have no mode; secrets that are asked for or handed over by systemd have none
 * either. */
static void
check_key(struct report *r, const char *name, const char *key)
{
	if (key != NULL && config_key_is_uri(key))
		report(r, FINDING_OK, name, "%s is in a token", key);
	else if (key != NULL)
		check_private(r, name, key);
}

static void
check_secret(struct report *r, const char *name, const char *source)
{
	if (source != NULL && source[0] == '/')
		check_private(r, name, source);
}

static void
check_key_files(struct report *r, const struct conf_ca *ca)
{
	check_key(r, ca->name, ca->key);
	check_key(r, ca->name, ca->ra_key);
	check_key(r, ca->name, ca->ocsp_key);
	check_secret(r, ca->name, ca->passphrase_file);
	check_secret(r, ca->name, ca->pin_file);
}

static void
check_foreign_files(struct report *r, const struct conf_foreign *f)
{
	check_key(r, f->name, f->ocsp_key);
	check_secret(r, f->name, f->passphrase_file);
	check_secret(r, f->name, f->pin_file);
}

void
check_modes(struct report *r, const struct config *c)
{
	const struct conf_ca *ca = c->cas.v;
	const struct conf_listener *l = c->listeners.v;
	char *dir = NULL;
	size_t i;

	check_not_writable(r, "config", c->path);
	if (path_dir(&dir, c->path, NULL) == RC_OK)
		check_not_writable(r, "config", dir);
	free(dir);
	for (i = 0; i < c->cas.n; i++)
		check_key_files(r, &ca[i]);
	for (i = 0; i < c->foreign_cas.n; i++)
		check_foreign_files(r, (const struct conf_foreign *)c->foreign_cas.v + i);
	for (i = 0; i < c->listeners.n; i++) {
		if (l[i].key != NULL)
			check_private(r, "listener", l[i].key);
	}
	if (c->admin.listener.key != NULL)
		check_private(r, "admin", c->admin.listener.key);
}

/* ---- certificates ---- */

/* By the server's own table (expiry.h): its warnings are ours, its errors are failures. */
void
check_expiry(struct report *r, const char *what, const struct expiry_thing *t)
{
	static const enum finding findings[] = { FINDING_OK, FINDING_WARN, FINDING_FAIL,
		FINDING_FAIL };
	const struct expiry_row *row = expiry_row(t->kind);
	enum expiry_level level = expiry_level(t, clock_now());
	int64_t left = t->not_after - clock_now();
	char when[CTL_TIME_MAX];

	(void)ctl_time(when, t->not_after);
	if (level == EXPIRY_FAR)
		report(r, FINDING_OK, what, "%s is valid until %s", row->called, when);
	else if (level == EXPIRY_OVER)
		report(r, FINDING_FAIL, what, "%s expired %s: %s", row->called, when, row->cure);
	else
		report(r, findings[level], what, "%s expires at %s, in %lld days: %s", row->called,
		    when, (long long)(left / DAY), row->cure);
}

static void
check_cert(
    struct report *r, const char *what, enum expiry_kind kind, const struct cert *c, bool expected)
{
	struct expiry_thing t = { kind, what, cert_not_before(c), cert_not_after(c), expected };

	check_expiry(r, what, &t);
}

/* The RA and the responder as the signer has renewed them. */
static void
check_renewed(
    struct report *r, const struct config *c, const struct conf_ca *conf, const struct ca *ca)
{
	struct signer_certs_of of = { ca_cert0(ca), ca_ra_cert0(ca) };
	int64_t end = cert_not_after(of.issuer);
	struct signer_certs certs = { .n_ra = 0 };
	struct err err = { 0 };

	if (signer_certs_look(&certs, c->processes.signer_state, conf->name, &of, &err) != RC_OK) {
		report(r, FINDING_WARN, conf->name,
		    "what the signer has renewed could not be looked at: %s", err.msg);
		return;
	}
	check_cert(r, conf->name, EXPIRY_RA, certs.ra[0],
	    !conf->issues || expiry_ends_with(cert_not_after(certs.ra[0]), end));
	if (certs.n_ra > 1)
		report(r, FINDING_OK, conf->name,
		    "%zu earlier RA certificate%s open requests as well", certs.n_ra - 1,
		    certs.n_ra == 2 ? "" : "s");
	if (certs.ocsp != NULL)
		check_cert(r, conf->name, EXPIRY_OCSP, certs.ocsp,
		    expiry_ends_with(cert_not_after(certs.ocsp), end));
	signer_certs_done(&certs);
}

/* Certificates are cut to the CA's own end, so its last years issue ever shorter ones. */
static void
check_remaining(
    struct report *r, const struct config *c, const struct conf_ca *conf, const struct cert *cert)
{
	const struct conf_endpoint *e = c->endpoints.v;
	int64_t left = cert_not_after(cert) - clock_now();

	for (size_t i = 0; i < c->endpoints.n * CONF_ENDPOINT_PROFILES; i++) {
		const struct conf_endpoint *of = &e[i / CONF_ENDPOINT_PROFILES];
		const char *names[CONF_ENDPOINT_PROFILES];
		size_t n = config_endpoint_profiles(names, of), k = i % CONF_ENDPOINT_PROFILES;
		const struct profile *p = k < n ? config_profile(c, names[k]) : NULL;

		if (p != NULL && strcmp(of->ca, conf->name) == 0 && left < p->validity_max &&
		    left > 0)
			report(r, FINDING_WARN, conf->name,
			    "the CA ends before a certificate of profile %s could (%lld days): "
			    "such ones are cut to the CA's end",
			    p->name, (long long)(p->validity_max / DAY));
	}
}

static void
check_ca_certs(
    struct report *r, const struct config *c, const struct conf_ca *conf, const struct ca *ca)
{
	size_t i;

	report(r, FINDING_OK, conf->name,
	    "chain, CA rights and RA certificate are as SCEP clients need them");
	check_cert(r, conf->name, EXPIRY_CA, ca_cert0(ca), !conf->issues);
	for (i = 0; i < ca_chain_len(ca); i++)
		check_cert(r, conf->name,
		    i + 1 == ca_chain_len(ca) ? EXPIRY_ROOT : EXPIRY_INTERMEDIATE, ca_chain0(ca, i),
		    !conf->issues);
	check_renewed(r, c, conf, ca);
	check_remaining(r, c, conf, ca_cert0(ca));
	check_ca_limits(r, c, conf, ca);
}

/* Why a secret cannot be had just now, though scepd would get it; NULL: it can be tried. */
static const char *
out_of_reach(const char *source)
{
	if (source == NULL || source[0] == '/')
		return NULL;
	if (strcmp(source, "prompt") == 0)
		return isatty(STDIN_FILENO) ? NULL : "is asked for on a terminal, and this is none";
	return getenv("CREDENTIALS_DIRECTORY") != NULL
	    ? NULL
	    : "is a credential that systemd hands to the service alone";
}

/* What is wrong with such a file is one finding, and check_modes() has it. */
static bool
is_found_bad(const char *secret)
{
	struct buf b;
	bool bad;

	if (secret == NULL || secret[0] != '/')
		return false;
	buf_init(&b, LIMIT_SECRET_FILE);
	bad = file_read_secret(&b, secret, LIMIT_SECRET_FILE, NULL) != RC_OK;
	buf_wipe(&b);
	return bad;
}

bool
check_secrets(struct report *r, const char *name, const char *passphrase_file, const char *pin_file)
{
	const char *passphrase = out_of_reach(passphrase_file), *pin = out_of_reach(pin_file);

	if (passphrase != NULL || pin != NULL) {
		report(r, FINDING_WARN, name, "the keys could not be tried: the %s %s",
		    passphrase != NULL ? "passphrase" : "PIN",
		    passphrase != NULL ? passphrase : pin);
		return false;
	}
	return !is_found_bad(passphrase_file) && !is_found_bad(pin_file);
}

/* The signer's own loading: keys fit certificates. */
static void
check_keys(struct report *r, const struct config *c, const struct conf_ca *conf)
{
	struct err err = { 0 };

	if (!check_secrets(r, conf->name, conf->passphrase_file, conf->pin_file))
		return;
	if (keys_check(c, conf, &err) != RC_OK)
		report_err(r, FINDING_FAIL, conf->name, &err);
	else
		report(r, FINDING_OK, conf->name, "the keys belong to the certificates");
}

static void
check_ca(struct report *r, const struct config *c, const struct conf_ca *conf)
{
	struct ca_conf cc = { conf->name, conf->certificate, conf->chain.v, conf->chain.n,
		conf->name, conf->ra_certificate, !conf->issues };
	struct err err = { 0 };
	struct ca *ca = NULL;

	if (ca_open(&ca, &cc, NULL, &err) != RC_OK)
		report_err(r, FINDING_FAIL, conf->name, &err);
	else
		check_ca_certs(r, c, conf, ca);
	ca_free(ca);
	check_keys(r, c, conf);
}

void
check_cas(struct report *r, const struct config *c)
{
	const struct conf_ca *conf = c->cas.v;
	struct err err = { 0 };
	bool tokens = c->pkcs11.module != NULL;
	size_t i;

	if (tokens && key_tokens_open(c->pkcs11.module, &err) != RC_OK) {
		report_err(r, FINDING_FAIL, "pkcs11", &err);
		tokens = false;
	}
	for (i = 0; i < c->cas.n; i++)
		check_ca(r, c, &conf[i]);
	check_foreign(r, c);
	if (tokens)
		key_tokens_close();
}

/* ---- database ---- */

/* The database knows that it is retired, and scepd.yaml does not: the signer, which does not read the
 * database, would still issue. */
static void
check_retired(struct report *r, const struct config *c, struct store *store)
{
	struct store_succession st = { 0 };
	struct err err = { 0 };
	size_t i;

	if (store_succession_read(store, &st, &err) != RC_OK)
		report_err(r, FINDING_FAIL, "store", &err);
	for (i = 0; i < st.n_retired; i++) {
		const struct conf_ca *conf = config_ca(c, st.retired[i]);

		if (conf != NULL && conf->issues)
			report(r, FINDING_WARN, conf->name,
			    "the CA is retired: set issues: false, so that the signer refuses, "
			    "too");
	}
	store_succession_done(&st);
}

static void
check_store_content(struct report *r, const struct config *c, struct store *store)
{
	struct store_stats stats;
	struct err err = { 0 };
	uint64_t rows = 0;

	if (store_audit_verify(store, &rows, &err) != RC_OK)
		report_err(r, FINDING_FAIL, "audit", &err);
	else
		report(r, FINDING_OK, "audit", "%llu rows, chain whole", (unsigned long long)rows);
	if (store_stats(store, &stats, &err) != RC_OK) {
		report_err(r, FINDING_FAIL, "store", &err);
		return;
	}
	report(r, FINDING_OK, "store", "%llu certificates, %llu revoked, %llu held",
	    (unsigned long long)stats.certs, (unsigned long long)stats.revoked,
	    (unsigned long long)stats.held);
	if (stats.outbox > 0)
		report(r, FINDING_WARN, "store",
		    "%llu notifications to Intune are still to be sent",
		    (unsigned long long)stats.outbox);
	check_retired(r, c, store);
}

void
check_store(struct report *r, const struct config *c)
{
	struct store *store = NULL;
	struct err err = { 0 };

	if (store_open_shared(&store, c->store.url, &err) != RC_OK)
		report_err(r, FINDING_FAIL, "store", &err);
	else
		check_store_content(r, c, store);
	store_close(store);
}

/* ---- listeners ---- */

static void
check_tls(struct report *r, const struct conf_listener *l)
{
	struct tls_ctx *tls = NULL;
	struct cert *cert = NULL;
	struct err err = { 0 };

	if (tls_ctx_server(&tls, l->certificate, l->key, &err) != RC_OK ||
	    cert_load(&cert, l->certificate, &err) != RC_OK)
		report_err(r, FINDING_FAIL, l->address, &err);
	else
		check_cert(r, l->address, EXPIRY_TLS, cert, false);
	cert_free(cert);
	tls_ctx_free(tls);
}

void
check_listeners(struct report *r, const struct config *c)
{
	const struct conf_listener *l = c->listeners.v;
	size_t i, plain = 0;

	for (i = 0; i < c->listeners.n; i++) {
		if (l[i].certificate != NULL)
			check_tls(r, &l[i]);
		else
			plain++;
	}
	if (c->admin.listener.certificate != NULL)
		check_tls(r, &c->admin.listener);
	if (plain == 0)
		report(r, FINDING_WARN, "listeners",
		    "all are HTTPS: many clients fetch CRLs and CA certificates by plain HTTP "
		    "only");
}
