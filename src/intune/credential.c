/*
 * credential.c - reading, keeping and using what the app proves itself with.
 */
#include "intune/credential.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/text.h"
#include "intune/assertion.h"
#include "intune/reply.h"

#define LOOK_EVERY_MS 10000 /* a burst of token requests reads the files once */
#define DAY_S         86400
#define CERTS_MAX     16u /* the certificate and its chain */
#define TIME_SHOWN    10  /* of "2026-11-21T..." */

static void
proof_done(struct proof *p)
{
	if (p->secret != NULL)
		wipe_free(p->secret, strlen(p->secret));
	cert_free(p->cert);
	key_free(p->key);
	memset(p, 0, sizeof(*p));
}

/* ---- reading ---- */

static enum rc
take_mark(struct proof *p, const struct buf *content, struct err *err)
{
	return digest_bytes(p->mark, DIGEST_SHA256, content->data, content->len, err);
}

/* The first line, which may not be empty: a file being written is. */
static enum rc
take_line(struct proof *p, const struct buf *b, const char *path, bool jwt, struct err *err)
{
	const char *s = buf_str(b);
	size_t len = strcspn(s, "\r\n"), i;

	if (len == 0 || strlen(s) != b->len)
		return fail(err, RC_CONFIG, "%s is empty or no text", path);
	if (len > (jwt ? TOKEN_MAX : SECRET_MAX))
		return fail(err, RC_CONFIG, "%s holds more than a secret: %zu bytes", path, len);
	for (i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c < 0x20 || c == 0x7f || (jwt && (c == 0x20 || c > 0x7f)))
			return fail(err, RC_CONFIG, "%s holds what cannot stand in a %s", path,
			    jwt ? "token" : "secret");
	}
	if (!utf8_valid((const uint8_t *)s, len))
		return fail(err, RC_CONFIG, "%s is not UTF-8", path);
	return str_ndup(&p->secret, s, len, err);
}

/*
 * A federated token's mode is the platform's choice (Kubernetes projects it with 0644 into a volume
 * of the pod alone); a client secret's is the administrator's.
 */
static enum rc
read_line(struct proof *p, const char *path, bool jwt, struct err *err)
{
	struct buf b;
	enum rc rc;

	buf_init(&b, LIMIT_SECRET_FILE);
	rc = jwt ? file_read(&b, path, LIMIT_SECRET_FILE, err)
		 : file_read_secret(&b, path, LIMIT_SECRET_FILE, err);
	if (rc == RC_OK && (rc = take_line(p, &b, path, jwt, err)) == RC_OK)
		rc = take_mark(p, &b, err);
	buf_wipe(&b);
	return rc;
}

/* The certificate of the key among those of the file, so that a chain may come in any order. */
static enum rc
take_cert(
    struct proof *p, const struct buf *pem, const char *path, const char *key_path, struct err *err)
{
	struct cert *certs[CERTS_MAX] = { NULL };
	size_t n = 0, i;
	enum rc rc = certs_parse_pem(certs, CERTS_MAX, &n, pem->data, pem->len, err);

	if (rc != RC_OK)
		(void)err_context(err, "%s", path);
	for (i = 0; i < CERTS_MAX; i++) {
		if (rc == RC_OK && p->cert == NULL && certs[i] != NULL &&
		    key_same_public(cert_key0(certs[i]), p->key))
			p->cert = certs[i];
		else
			cert_free(certs[i]);
	}
	if (rc != RC_OK || p->cert != NULL)
		return rc;
	if (n == 0)
		return fail(err, RC_CONFIG, "%s holds no certificate in PEM", path);
	return fail(
	    err, RC_CONFIG, "the key in %s is not that of the certificate in %s", key_path, path);
}

static enum rc
check_dates(const struct proof *p, const char *path, struct err *err)
{
	char when[TIME_TEXT_MAX];
	enum rc rc;

	if (clock_now() <= cert_not_after(p->cert))
		return RC_OK;
	time_rfc3339(when, cert_not_after(p->cert));
	rc = fail(err, RC_CONFIG, "the app's certificate in %s has expired on %.*s", path,
	    TIME_SHOWN, when);
	if (err != NULL)
		(void)err_hint(
		    err, "make a new one, register it with the app in Entra, and put it there");
	return rc;
}

static enum rc
take_key(struct proof *p, const struct buf *pem, const char *path, struct err *err)
{
	enum rc rc = key_parse_pem(&p->key, pem->data, pem->len, err);

	if (rc != RC_OK) {
		(void)err_context(err, "%s", path);
		return rc;
	}
	if (!key_is_private(p->key) || key_info0(p->key)->type != KEY_RSA)
		return fail(err, RC_CONFIG, "%s: Entra wants a private RSA key, this is %s", path,
		    key_info0(p->key)->name);
	return RC_OK;
}

static enum rc
read_certificate(struct proof *p, const char *path, const char *key_path, struct err *err)
{
	struct buf pem, key;
	enum rc rc;

	buf_init(&pem, LIMIT_CHAIN);
	buf_init(&key, LIMIT_SECRET_FILE);
	rc = file_read_secret(&key, key_path, LIMIT_SECRET_FILE, err);
	if (rc == RC_OK && (rc = file_read(&pem, path, LIMIT_CHAIN, err)) == RC_OK &&
	    (rc = take_key(p, &key, key_path, err)) == RC_OK &&
	    (rc = take_cert(p, &pem, path, key_path, err)) == RC_OK &&
	    (rc = check_dates(p, path, err)) == RC_OK) {
		size_t len;
		const uint8_t *der = cert_der0(p->cert, &len);

		rc = digest_bytes(p->mark, DIGEST_SHA256, der, len, err);
	}
	buf_wipe(&pem);
	buf_wipe(&key);
	return rc;
}

static enum rc
copy_key(struct proof *p, const char *key, struct err *err)
{
	enum rc rc = digest_bytes(p->mark, DIGEST_SHA256, key, strlen(key), err);

	return rc == RC_OK ? str_dup(&p->secret, key, err) : rc;
}

/* *p is empty after a failure. */
static enum rc
read_proof(struct proof *p, const struct settings *s, struct err *err)
{
	enum rc rc = RC_OK;

	memset(p, 0, sizeof(*p));
	switch (s->way) {
	case WAY_KEY:
		rc = copy_key(p, s->v[P_APP_KEY], err);
		break;
	case WAY_KEY_FILE:
		rc = read_line(p, s->v[P_APP_KEY_FILE], false, err);
		break;
	case WAY_CERTIFICATE:
		rc = read_certificate(p, s->v[P_CERT_FILE], s->v[P_CERT_KEY_FILE], err);
		break;
	case WAY_FEDERATED:
		rc = read_line(p, s->v[P_FEDERATED_FILE], true, err);
		break;
	default: /* the machine's token service knows us */
		break;
	}
	if (rc != RC_OK)
		proof_done(p);
	return rc;
}

/* ---- keeping ---- */

static bool
in_files(const struct credential *c)
{
	return c->set->way == WAY_KEY_FILE || c->set->way == WAY_CERTIFICATE ||
	    c->set->way == WAY_FEDERATED;
}

/* With the lock held; takes *fresh over. */
static void
install(struct credential *c, struct proof *fresh)
{
	if (memcmp(c->proof.mark, fresh->mark, sizeof(fresh->mark)) == 0) {
		proof_done(fresh);
		return;
	}
	proof_done(&c->proof);
	c->proof = *fresh;
	c->version++;
}

/* With the lock held. */
static void
look(struct credential *c)
{
	struct proof fresh;

	if (!in_files(c))
		return;
	memset(&c->trouble, 0, sizeof(c->trouble));
	c->trouble.rc = read_proof(&fresh, c->set, &c->trouble);
	c->look_at = clock_mono_ms() + LOOK_EVERY_MS;
	if (c->trouble.rc == RC_OK)
		install(c, &fresh);
}

/* A federated token is exchanged for a new one well before its end, and at no fixed time. */
static void
look_if_due(struct credential *c)
{
	if (c->set->way == WAY_FEDERATED || clock_mono_ms() >= c->look_at)
		look(c);
}

enum intune_status
credential_open(struct credential *c, const struct settings *set, struct intune_error *e)
{
	struct err why = { 0 };
	enum rc rc;

	memset(c, 0, sizeof(*c));
	c->set = set;
	rc = read_proof(&c->proof, set, &why);
	if (rc == RC_OK && pthread_mutex_init(&c->mu, NULL) != 0) {
		proof_done(&c->proof);
		rc = RC_NOMEM;
	}
	if (rc == RC_NOMEM)
		return error_set(e, INTUNE_E_NOMEM, INTUNE_STEP_CONFIG, "out of memory");
	if (rc != RC_OK) {
		error_set(e, INTUNE_E_ARGUMENT, INTUNE_STEP_CONFIG, "%s", why.msg);
		error_hint(e, "%s", why.hint);
		return INTUNE_E_ARGUMENT;
	}
	c->look_at = clock_mono_ms() + LOOK_EVERY_MS;
	return INTUNE_OK;
}

void
credential_done(struct credential *c)
{
	proof_done(&c->proof);
	pthread_mutex_destroy(&c->mu);
}

bool
credential_is_newer(struct credential *c, uint64_t version)
{
	bool newer;

	pthread_mutex_lock(&c->mu);
	if (c->version == version)
		look(c);
	newer = c->version != version;
	pthread_mutex_unlock(&c->mu);
	return newer;
}

enum rc
credential_look(struct credential *c, struct err *err)
{
	enum rc rc;

	pthread_mutex_lock(&c->mu);
	look(c);
	rc = c->trouble.rc;
	if (err != NULL)
		*err = c->trouble;
	pthread_mutex_unlock(&c->mu);
	return rc;
}

bool
credential_trouble(struct credential *c, struct err *out)
{
	bool any;

	pthread_mutex_lock(&c->mu);
	any = c->trouble.rc != RC_OK;
	*out = c->trouble;
	pthread_mutex_unlock(&c->mu);
	return any;
}

enum intune_status
credential_set_key(struct credential *c, const char *key, struct intune_error *e)
{
	struct proof fresh = { 0 };

	if (c->set->way != WAY_KEY)
		return error_set(e, INTUNE_E_ARGUMENT, INTUNE_STEP_CONFIG,
		    "the app proves itself with a %s, so there is no AAD_APP_KEY to replace",
		    way_name(c->set->way));
	if (!settings_key_ok(key))
		return error_set(e, INTUNE_E_ARGUMENT, INTUNE_STEP_CONFIG,
		    "the property AAD_APP_KEY must be text without control characters");
	if (copy_key(&fresh, key, NULL) != RC_OK)
		return error_set(e, INTUNE_E_NOMEM, INTUNE_STEP_CONFIG, "out of memory");
	pthread_mutex_lock(&c->mu);
	install(c, &fresh);
	pthread_mutex_unlock(&c->mu);
	return INTUNE_OK;
}

void
credential_scrub(struct credential *c, struct intune_error *e)
{
	error_scrub(e, c->set->v[P_MANAGED_HEADER]);
	pthread_mutex_lock(&c->mu);
	error_scrub(e, c->proof.secret);
	pthread_mutex_unlock(&c->mu);
}

int64_t
credential_not_after(struct credential *c)
{
	int64_t t;

	pthread_mutex_lock(&c->mu);
	t = c->proof.cert != NULL ? cert_not_after(c->proof.cert) : 0;
	pthread_mutex_unlock(&c->mu);
	return t;
}

void
credential_hint_expiry(struct credential *c, struct intune_error *e)
{
	int64_t end = credential_not_after(c), left = end - clock_now();
	char when[TIME_TEXT_MAX];

	if (end == 0 || left > INTUNE_EXPIRY_DAYS * DAY_S)
		return;
	time_rfc3339(when, end);
	error_hint(e,
	    "the app's certificate in %.100s expires on %.*s (%d days): register a new one with "
	    "the "
	    "app in Entra and put it there",
	    c->set->v[P_CERT_FILE], TIME_SHOWN, when, (int)(left / DAY_S));
}

/* ---- using ---- */

static enum rc
form_with_assertion(struct credential *c, struct buf *out, enum scope scope, struct err *err)
{
	const struct settings *s = c->set;
	const struct assertion a = {
		.cert = c->proof.cert,
		.key = c->proof.key,
		.rs256 = strcmp(s->v[P_ASSERTION_ALG], "RS256") == 0,
		.client_id = s->v[P_APP_ID],
		.audience = s->token_url,
		.now = clock_now(),
	};
	struct buf jws;
	enum rc rc;

	if ((rc = check_dates(&c->proof, s->v[P_CERT_FILE], err)) != RC_OK)
		return rc;
	buf_init(&jws, TOKEN_MAX);
	if ((rc = assertion_add(&jws, &a, err)) == RC_OK)
		rc = wire_token_form(out, s, scope, WIRE_ASSERTION, buf_str(&jws), err);
	buf_wipe(&jws);
	return rc;
}

static enum rc
form_of_now(struct credential *c, struct buf *out, enum scope scope, struct err *err)
{
	switch (c->set->way) {
	case WAY_CERTIFICATE:
		return form_with_assertion(c, out, scope, err);
	case WAY_FEDERATED:
		return wire_token_form(out, c->set, scope, WIRE_ASSERTION, c->proof.secret, err);
	case WAY_KEY:
	case WAY_KEY_FILE:
		return wire_token_form(out, c->set, scope, WIRE_SECRET, c->proof.secret, err);
	default:
		return fail(err, RC_BUG, "a managed identity sends no form");
	}
}

enum rc
credential_form(
    struct credential *c, struct buf *out, enum scope scope, uint64_t *version, struct err *err)
{
	enum rc rc;

	buf_init(out, 0);
	pthread_mutex_lock(&c->mu);
	look_if_due(c);
	rc = form_of_now(c, out, scope, err);
	*version = c->version;
	pthread_mutex_unlock(&c->mu);
	return rc;
}
