/* admin_auth.c - see admin_auth.h. */
#include "scepd/admin_auth.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/text.h"
#include "ossl/alg.h"

#define TOKEN_MAX      256 /* bytes: ours have 43 characters */
#define CREDENTIAL_MAX (ADMIN_NAME_MAX + 1 + TOKEN_MAX)
#define MINUTE_MS      60000
/* Addresses that are told apart; two that fall together share their failures. */
#define SLOTS 256

struct admin_auth {
	const char *path;
	pthread_mutex_t mu; /* over all below; held for a look */
	struct admin_tokens tokens;
	struct {
		int64_t since_ms;
		unsigned failures;
	} slots[SLOTS];
	uint32_t seed;
	struct log_limit log;
	/* Of admin_auth_reload()'s thread. */
	bool complained;
};

/* ---- the file ---- */

static enum rc
read_tokens(struct admin_tokens *out, const char *path, struct err *err)
{
	struct buf text;
	enum rc rc;

	buf_init(&text, LIMIT_SECRET_FILE);
	rc = file_read_secret(&text, path, LIMIT_SECRET_FILE, err);
	if (rc != RC_OK)
		(void)err_context(err, "admin.tokens_file"); /* the message has the path */
	else if ((rc = admin_tokens_parse(out, text.data, text.len, err)) != RC_OK)
		(void)err_context(err, "admin.tokens_file %s", path);
	buf_done(&text);
	if (rc == RC_NOTFOUND)
		(void)err_hint(err, "make the first token: scepctl admin token NAME");
	return rc;
}

enum rc
admin_auth_open(struct admin_auth **out, const char *path, struct err *err)
{
	struct admin_auth *a = calloc(1, sizeof(*a));
	enum rc rc;

	if (a == NULL || pthread_mutex_init(&a->mu, NULL) != 0) {
		free(a);
		return fail(err, RC_NOMEM, "no memory for the admin's tokens");
	}
	a->path = path;
	if ((rc = random_bytes(&a->seed, sizeof(a->seed), err)) == RC_OK)
		rc = read_tokens(&a->tokens, path, err);
	if (rc == RC_OK)
		*out = a;
	else
		admin_auth_free(a);
	return rc;
}

void
admin_auth_free(struct admin_auth *a)
{
	if (a == NULL)
		return;
	(void)pthread_mutex_destroy(&a->mu);
	free(a);
}

static bool
same(const struct admin_tokens *a, const struct admin_tokens *b)
{
	bool same = a->n == b->n;

	for (size_t i = 0; same && i < a->n; i++)
		same = strcmp(a->v[i].name, b->v[i].name) == 0 && a->v[i].may == b->v[i].may &&
		    memcmp(a->v[i].sha256, b->v[i].sha256, sizeof(a->v[i].sha256)) == 0;
	return same;
}

void
admin_auth_reload(struct admin_auth *a)
{
	struct admin_tokens *fresh = malloc(sizeof(*fresh));
	struct err err;
	bool changed;

	if (fresh == NULL)
		return; /* in a minute, then */
	if (read_tokens(fresh, a->path, &err) != RC_OK) {
		if (!a->complained)
			log_msg(LOG_WARN, "reload", "%s; the tokens in use stay", err.msg);
		a->complained = true;
		free(fresh);
		return;
	}
	(void)pthread_mutex_lock(&a->mu);
	if ((changed = !same(&a->tokens, fresh)))
		a->tokens = *fresh;
	(void)pthread_mutex_unlock(&a->mu);
	if (changed || a->complained)
		log_msg(LOG_INFO, "reload", "admin: %zu tokens are read again", fresh->n);
	a->complained = false;
	free(fresh);
}

/* ---- what came ---- */

struct credential {
	char name[ADMIN_NAME_MAX + 1]; /* "": Bearer */
	uint8_t sha256[32];
};

static enum rc
take_token(struct credential *c, const char *token, size_t len)
{
	if (len == 0 || len > TOKEN_MAX)
		return RC_DENIED;
	return digest_bytes(c->sha256, DIGEST_SHA256, token, len, NULL);
}

/* RFC 7617: base64 of "user:password". */
static enum rc
take_basic(struct credential *c, const char *b64)
{
	struct buf b;
	const char *colon;
	size_t name;
	enum rc rc = RC_DENIED;

	buf_init(&b, CREDENTIAL_MAX);
	if (base64_decode(&b, b64, strlen(b64), BASE64_STRICT, NULL) == RC_OK && b.len > 0 &&
	    (colon = memchr(b.data, ':', b.len)) != NULL) {
		name = (size_t)(colon - (const char *)b.data);
		if (name > 0 && name <= ADMIN_NAME_MAX && memchr(b.data, '\0', name) == NULL) {
			memcpy(c->name, b.data, name);
			rc = take_token(c, colon + 1, b.len - name - 1);
		}
	}
	buf_wipe(&b);
	return rc;
}

static enum rc
take_credential(struct credential *c, const char *authorization)
{
	static const struct {
		const char *scheme;
		bool basic;
	} schemes[] = { { "Bearer ", false }, { "Basic ", true } };

	memset(c, 0, sizeof(*c));
	for (size_t i = 0; i < 2; i++) {
		size_t len = strlen(schemes[i].scheme);

		if (strncasecmp(authorization, schemes[i].scheme, len) != 0)
			continue;
		authorization += len;
		authorization += strspn(authorization, " ");
		return schemes[i].basic ? take_basic(c, authorization)
					: take_token(c, authorization, strlen(authorization));
	}
	return RC_DENIED;
}

/* All rows are looked at, whichever fits: the time tells nothing. */
static const struct admin_token *
find(const struct admin_tokens *t, const struct credential *c)
{
	const struct admin_token *found = NULL;

	for (size_t i = 0; i < t->n; i++) {
		bool fits = bytes_eq_ct(
		    t->v[i].sha256, sizeof(t->v[i].sha256), c->sha256, sizeof(c->sha256));

		if (fits && (c->name[0] == '\0' || strcmp(c->name, t->v[i].name) == 0))
			found = &t->v[i];
	}
	return found;
}

/* ---- failures ---- */

/* FNV-1a with a start that nobody knows: addresses that fall together cannot be chosen. */
static size_t
slot_of(const struct admin_auth *a, const char *peer)
{
	uint32_t h = 2166136261u ^ a->seed;

	for (; *peer != '\0'; peer++)
		h = (h ^ (unsigned char)*peer) * 16777619u;
	return (h ^ h >> 16) % SLOTS;
}

static bool
too_often(const struct admin_auth *a, size_t slot, int64_t now_ms, unsigned *wait_s)
{
	int64_t left = a->slots[slot].since_ms + MINUTE_MS - now_ms;

	if (a->slots[slot].failures < ADMIN_FAILURES_MAX || left <= 0)
		return false;
	*wait_s = (unsigned)((left + 999) / 1000);
	return true;
}

static void
note_failure(struct admin_auth *a, size_t slot, int64_t now_ms)
{
	if (a->slots[slot].failures == 0 || now_ms - a->slots[slot].since_ms >= MINUTE_MS) {
		a->slots[slot].since_ms = now_ms;
		a->slots[slot].failures = 0;
	}
	a->slots[slot].failures++;
}

static void
log_failure(
    struct admin_auth *a, const char *peer, const char *who0, int64_t now_ms, const char *why)
{
	struct log_line l;
	uint64_t left_out;

	if (!log_within(&a->log, now_ms, &left_out))
		return;
	log_begin(&l, LOG_WARN, "security");
	log_str(&l, "msg", why);
	log_str(&l, "who", who0);
	log_str(&l, "ip", peer);
	if (left_out > 0)
		log_int(&l, "left_out", (int64_t)left_out);
	log_end(&l);
}

/* Under the lock. */
static enum admin_answer
judge(struct admin_auth *a, const struct credential *c, size_t slot, const char *peer, unsigned may,
    int64_t now_ms, char who[static ADMIN_NAME_MAX + 1])
{
	const struct admin_token *t = find(&a->tokens, c);

	if (t == NULL) {
		note_failure(a, slot, now_ms);
		log_failure(a, peer, NULL, now_ms, "a wrong token for the admin API");
		return ADMIN_WHO;
	}
	memcpy(who, t->name, sizeof(t->name));
	if ((t->may & may) == may)
		return ADMIN_YES;
	log_failure(a, peer, t->name, now_ms, "an admin token that is not good for what was asked");
	return ADMIN_MAY_NOT;
}

enum admin_answer
admin_auth_ask(struct admin_auth *a, const char *authorization0, const char *peer, unsigned may,
    int64_t now_ms, char who[static ADMIN_NAME_MAX + 1], unsigned *wait_s)
{
	size_t slot = slot_of(a, peer);
	enum admin_answer answer;
	struct credential c;
	bool some;

	who[0] = '\0';
	/* A browser comes without first, to be asked. */
	if (authorization0 == NULL)
		return ADMIN_WHO;
	some = take_credential(&c, authorization0) == RC_OK;
	(void)pthread_mutex_lock(&a->mu);
	if (too_often(a, slot, now_ms, wait_s)) {
		answer = ADMIN_TOO_OFTEN;
	} else if (some) {
		answer = judge(a, &c, slot, peer, may, now_ms, who);
	} else {
		note_failure(a, slot, now_ms);
		log_failure(a, peer, NULL, now_ms, "credentials for the admin API that are none");
		answer = ADMIN_WHO;
	}
	(void)pthread_mutex_unlock(&a->mu);
	wipe(&c, sizeof(c));
	return answer;
}
