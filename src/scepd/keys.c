/*
 * keys.c - from the configuration to the signer: which keys, and what each CA may sign at most.
 */
#include "scepd/keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/locked.h"
#include "base/secret.h"
#include "base/text.h"
#include "scepd/publish.h"

/* ---- passphrases and PINs ---- */

#define SECRET_MAX 1024 /* bytes with the NUL: a passphrase of a dozen lines */

struct keys_secrets {
	size_t n;                    /* owners */
	char *v[][KEYS_SECRET__MAX]; /* locked_copy(), NULL: none */
};

size_t
keys_owners(const struct config *c)
{
	return c->cas.n + c->foreign_cas.n;
}

struct keys_owner
keys_owner(const struct config *c, size_t i)
{
	const struct conf_ca *ca = c->cas.v;
	const struct conf_foreign *f = c->foreign_cas.v;

	if (i < c->cas.n)
		return (struct keys_owner){ "cas", ca[i].name,
			{ ca[i].passphrase_file, ca[i].pin_file } };
	f += i - c->cas.n;
	if (f->ocsp_key == NULL) /* nothing to open */
		return (struct keys_owner){ "foreign_cas", f->name, { NULL, NULL } };
	return (struct keys_owner){ "foreign_cas", f->name, { f->passphrase_file, f->pin_file } };
}

void
keys_question(
    char out[static KEYS_QUESTION_MAX], const struct config *c, size_t owner, enum keys_secret kind)
{
	(void)snprintf(out, KEYS_QUESTION_MAX, "%s of %s %.60s",
	    kind == KEYS_PASSPHRASE ? "Passphrase of the keys" : "PIN of the token",
	    owner < c->cas.n ? "CA" : "foreign CA", keys_owner(c, owner).name);
}

static enum rc
secrets_new(struct keys_secrets **out, size_t n, struct err *err)
{
	struct keys_secrets *s = calloc(1, sizeof(*s) + n * sizeof(s->v[0]));

	if (s == NULL)
		return fail(err, RC_NOMEM, "no memory for passphrases");
	s->n = n;
	*out = s;
	return RC_OK;
}

void
keys_secrets_free(struct keys_secrets *s)
{
	for (size_t i = 0; s != NULL && i < s->n * KEYS_SECRET__MAX; i++) {
		char *text = s->v[i / KEYS_SECRET__MAX][i % KEYS_SECRET__MAX];

		if (text != NULL)
			locked_free(text, strlen(text)); /* there is no NUL in it: keep_one() */
	}
	free(s);
}

const char *
keys_secret0(const struct keys_secrets *s, size_t owner, enum keys_secret kind)
{
	return s != NULL && owner < s->n ? s->v[owner][kind] : NULL;
}

bool
keys_secret_is_typed(const struct config *c, size_t owner, enum keys_secret kind)
{
	const char *source = keys_owner(c, owner).secret[kind];

	return source != NULL && strcmp(source, "prompt") == 0;
}

static enum rc
read_one(struct buf *text, const struct config *c, size_t i, enum keys_secret kind, keys_ask *ask,
    void *arg, struct err *err)
{
	char what[KEYS_QUESTION_MAX];

	if (ask != NULL && keys_secret_is_typed(c, i, kind))
		return ask(arg, i, kind, text, err);
	keys_question(what, c, i, kind);
	return secret_read(text, keys_owner(c, i).secret[kind], what, err);
}

static enum rc
keep_one(struct keys_secrets *s, const struct config *c, size_t i, enum keys_secret kind,
    keys_ask *ask, void *arg, struct err *err)
{
	const struct keys_owner owner = keys_owner(c, i);
	struct buf text;
	enum rc rc;

	if (owner.secret[kind] == NULL)
		return RC_OK;
	buf_init(&text, SECRET_MAX - 1);
	rc = read_one(&text, c, i, kind, ask, arg, err);
	if (rc == RC_OK && (text.len == 0 || memchr(text.data, '\0', text.len) != NULL))
		rc = fail(err, RC_CONFIG, "%s.%s.%s: the secret is empty or has a NUL in it",
		    owner.section, owner.name,
		    kind == KEYS_PASSPHRASE ? "passphrase_file" : "pin_file");
	if (rc == RC_OK)
		rc = locked_copy(&s->v[i][kind], text.data, text.len, err);
	buf_wipe(&text);
	return rc;
}

static enum rc
read_secrets(struct keys_secrets **out, const struct config *c, bool typed_only, keys_ask *ask,
    void *arg, struct err *err)
{
	struct keys_secrets *s = NULL;
	enum rc rc = secrets_new(&s, keys_owners(c), err);

	for (size_t i = 0; rc == RC_OK && i < keys_owners(c) * KEYS_SECRET__MAX; i++) {
		size_t owner = i / KEYS_SECRET__MAX;
		enum keys_secret kind = (enum keys_secret)(i % KEYS_SECRET__MAX);

		if (!typed_only || keys_secret_is_typed(c, owner, kind))
			rc = keep_one(s, c, owner, kind, ask, arg, err);
	}
	if (rc == RC_OK)
		*out = s;
	else
		keys_secrets_free(s);
	return rc;
}

enum rc
keys_secrets_read(
    struct keys_secrets **out, const struct config *c, keys_ask *ask, void *arg, struct err *err)
{
	return read_secrets(out, c, false, ask, arg, err);
}

enum rc
keys_secrets_type(
    struct keys_secrets **out, const struct config *c, keys_ask *ask, void *arg, struct err *err)
{
	return read_secrets(out, c, true, ask, arg, err);
}

/* ---- files ---- */

typedef void path_fn(void *arg, const char *path);

static void
each_key(const struct config *c, path_fn *fn, void *arg)
{
	const struct conf_ca *ca = c->cas.v;
	const struct conf_foreign *f = c->foreign_cas.v;

	for (size_t i = 0; i < c->cas.n; i++) {
		const char *const keys[] = { ca[i].key, ca[i].ra_key, ca[i].ocsp_key };

		for (size_t k = 0; k < sizeof(keys) / sizeof(keys[0]); k++)
			if (keys[k] != NULL)
				fn(arg, keys[k]);
	}
	for (size_t i = 0; i < c->foreign_cas.n; i++)
		if (f[i].ocsp_key != NULL)
			fn(arg, f[i].ocsp_key);
}

struct each_file {
	path_fn *fn;
	void *arg;
};

static void
key_file(void *arg, const char *key)
{
	const struct each_file *e = arg;

	if (!config_key_is_uri(key))
		e->fn(e->arg, key);
}

void
keys_files(const struct config *c, path_fn *fn, void *arg)
{
	struct each_file each = { fn, arg };
	const struct conf_ca *ca = c->cas.v;
	const struct conf_foreign *f = c->foreign_cas.v;

	for (size_t i = 0; i < c->cas.n; i++) {
		fn(arg, ca[i].certificate);
		fn(arg, ca[i].ra_certificate);
		for (size_t k = 0; k < ca[i].chain.n; k++)
			fn(arg, ca[i].chain.v[k]);
	}
	for (size_t i = 0; i < c->foreign_cas.n; i++)
		if (f[i].ocsp_key != NULL) {
			fn(arg, f[i].certificate);
			fn(arg, f[i].ocsp_certificate);
		}
	each_key(c, key_file, &each);
}

static void
note_token(void *arg, const char *key)
{
	*(bool *)arg |= config_key_is_uri(key);
}

bool
keys_in_token(const struct config *c)
{
	bool some = false;

	each_key(c, note_token, &some);
	return some;
}

/* ---- bounds ---- */

/* What the profiles of a CA's endpoints may issue, together: the signer's own outer bound. */
struct bounds {
	const char *eku[256];
	size_t n_eku;
	unsigned key_usage;
	unsigned rsa_min, rsa_max, ec_curves;
	int64_t validity;
};

static void
bounds_add_eku(struct bounds *b, const char *oid)
{
	for (size_t i = 0; i < b->n_eku; i++)
		if (strcmp(b->eku[i], oid) == 0)
			return;
	if (b->n_eku < sizeof(b->eku) / sizeof(b->eku[0]))
		b->eku[b->n_eku++] = oid;
}

static void
bounds_add_keys(struct bounds *b, const struct profile *p)
{
	if (p->rsa_max > 0 && (b->rsa_max == 0 || p->rsa_min < b->rsa_min))
		b->rsa_min = p->rsa_min;
	if (p->rsa_max > b->rsa_max)
		b->rsa_max = p->rsa_max;
	b->ec_curves |= (p->ec_p256 ? SIGNER_P256 : 0) | (p->ec_p384 ? SIGNER_P384 : 0);
}

static void
bounds_add(struct bounds *b, const struct profile *p)
{
	for (size_t i = 0; i < p->n_eku_allowed; i++)
		bounds_add_eku(b, p->eku_allowed[i]);
	for (size_t i = 0; i < p->n_eku_default; i++)
		bounds_add_eku(b, p->eku_default[i]);
	b->key_usage |= p->key_usage_allowed | p->key_usage_default;
	if (b->validity < p->validity_max + p->backdate)
		b->validity = p->validity_max + p->backdate;
	bounds_add_keys(b, p);
}

/* `ca` is the one named, or replaces it, by way of others where a generation was skipped. */
static bool
takes_over(const struct config *c, const struct conf_ca *ca, const char *name)
{
	for (; ca != NULL; ca = ca->replaces != NULL ? config_ca(c, ca->replaces) : NULL)
		if (strcmp(ca->name, name) == 0)
			return true;
	return false;
}

/* Its own endpoints, and those of the CA whose devices it takes over. */
static void
bounds_of(struct bounds *b, const struct config *c, const struct conf_ca *ca)
{
	const struct conf_endpoint *e = c->endpoints.v;

	memset(b, 0, sizeof(*b));
	for (size_t i = 0; i < c->endpoints.n; i++) {
		const char *names[CONF_ENDPOINT_PROFILES];
		size_t n = config_endpoint_profiles(names, &e[i]);

		for (size_t k = 0; k < n && takes_over(c, ca, e[i].ca); k++)
			bounds_add(b, config_profile(c, names[k]));
	}
}

static struct signer_ca
signer_ca_of(struct bounds *b, const struct config *c, size_t i, const struct keys_secrets *secrets)
{
	const struct conf_ca *ca = (const struct conf_ca *)c->cas.v + i;
	const char *passphrase = keys_secret0(secrets, i, KEYS_PASSPHRASE),
		   *pin = keys_secret0(secrets, i, KEYS_PIN);

	bounds_of(b, c, ca);
	return (struct signer_ca){
		.name = ca->name,
		.cert_file = ca->certificate,
		.chain_files = ca->chain.v,
		.n_chain_files = ca->chain.n,
		.key = { ca->key, passphrase, pin },
		.issues = ca->issues,
		.replaces = ca->replaces,
		.max_validity = b->validity,
		.eku = b->eku,
		.n_eku = b->n_eku,
		.key_usage = b->key_usage,
		.rsa_min = b->rsa_min,
		.rsa_max = b->rsa_max,
		.ec_curves = b->ec_curves,
		.max_per_hour = ca->max_per_hour,
		.crl_validity_max = ca->crl_validity + CRL_BACKDATE,
		.ra_cert_file = ca->ra_certificate,
		.ra_key = { ca->ra_key, passphrase, pin },
		.ra_validity = ca->ra_validity,
		.ocsp_key = { ca->ocsp_key, passphrase, pin },
	};
}

/* ---- opening ---- */

static struct signer_foreign
signer_foreign_of(const struct config *c, size_t i, const struct keys_secrets *secrets)
{
	const struct conf_foreign *f = (const struct conf_foreign *)c->foreign_cas.v + i;
	size_t owner = c->cas.n + i;

	return (struct signer_foreign){ .name = f->name,
		.cert_file = f->certificate,
		.ocsp_cert_file = f->ocsp_certificate,
		.ocsp_key = { f->ocsp_key, keys_secret0(secrets, owner, KEYS_PASSPHRASE),
		    keys_secret0(secrets, owner, KEYS_PIN) } };
}

/* Of all, or of one. */
static bool
is_wanted(const struct config *c, size_t owner, size_t only)
{
	const struct conf_foreign *f = c->foreign_cas.v;

	return (only == SIZE_MAX || only == owner) &&
	    (owner < c->cas.n || f[owner - c->cas.n].ocsp_key != NULL);
}

/* Owner `only`, or all (SIZE_MAX). */
static enum rc
open_some(struct signer **out, const struct config *c, size_t only,
    const struct keys_secrets *secrets, const char *state_dir, struct err *err)
{
	struct signer_ca *sc = calloc(c->cas.n + 1, sizeof(*sc));
	struct bounds *b = calloc(c->cas.n + 1, sizeof(*b));
	struct signer_foreign *sf = calloc(c->foreign_cas.n + 1, sizeof(*sf));
	struct signer_conf conf = { .cas = sc, .foreign = sf, .state_dir = state_dir };
	bool room = sc != NULL && b != NULL && sf != NULL;
	enum rc rc;

	for (size_t i = 0; room && i < keys_owners(c); i++) {
		if (!is_wanted(c, i, only))
			continue;
		if (i < c->cas.n) {
			sc[conf.n_cas] = signer_ca_of(&b[conf.n_cas], c, i, secrets);
			conf.n_cas++;
		} else {
			sf[conf.n_foreign++] = signer_foreign_of(c, i - c->cas.n, secrets);
		}
	}
	rc = room ? signer_open(out, &conf, err) : fail(err, RC_NOMEM, "no memory for the signer");
	free(sc);
	free(b);
	free(sf);
	return rc;
}

enum rc
keys_open(struct signer **out, const struct config *c, const struct keys_secrets *secrets,
    const char *state_dir, struct err *err)
{
	return open_some(out, c, SIZE_MAX, secrets, state_dir, err);
}

static enum rc
check_owner(const struct config *c, size_t owner, struct err *err)
{
	struct keys_secrets *secrets = NULL;
	struct signer *signer = NULL;
	enum rc rc = secrets_new(&secrets, keys_owners(c), err);

	for (int k = 0; rc == RC_OK && k < KEYS_SECRET__MAX; k++)
		rc = keep_one(secrets, c, owner, (enum keys_secret)k, NULL, NULL, err);
	if (rc == RC_OK)
		rc = open_some(&signer, c, owner, secrets, NULL, err);
	signer_close(signer);
	keys_secrets_free(secrets);
	return rc;
}

enum rc
keys_check(const struct config *c, const struct conf_ca *ca, struct err *err)
{
	return check_owner(c, (size_t)(ca - (const struct conf_ca *)c->cas.v), err);
}

enum rc
keys_check_foreign(const struct config *c, const struct conf_foreign *f, struct err *err)
{
	size_t i = (size_t)(f - (const struct conf_foreign *)c->foreign_cas.v);

	return check_owner(c, c->cas.n + i, err);
}
