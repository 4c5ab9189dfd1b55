/*
 * token_session.c - a token: found, logged in once, and a bounded number of sessions that are handed
 * round.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/cond.h"
#include "base/locked.h"
#include "ossl/key_source.h"
#include "ossl/token.h"

#define POLL_MS 100 /* between two looks whether another program has given a session back */

enum state { TOKEN_DOWN, TOKEN_OPENING, TOKEN_UP };

/* No call into the library is made with a lock held: one that hangs would hold up everybody for good. */
struct token {
	struct token *next; /* the list's, as is refs */
	unsigned refs;
	struct token_uri uri; /* what names the token; its object is nobody's */
	CK_TOKEN_INFO
	who; /* as it was first found: it is the same only with the same serial number */
	char label[TOKEN_LABEL_MAX + 1];

	pthread_mutex_t lock;
	pthread_cond_t changed;
	enum state state;
	unsigned long generation, epoch, tries;
	CK_SLOT_ID slot;
	CK_SESSION_HANDLE idle[TOKEN_SESSIONS];
	unsigned n_idle, n_open;
	char *pin;
	size_t pin_len;
	atomic_bool
	    pin_refused; /* not tried again: tokens lock; by the opener too, who has no lock */
	struct err last; /* why it is down */
};

static struct {
	pthread_mutex_t lock;
	struct token *first;
	unsigned sessions;
	int64_t wait_ms;
} tokens = {
	.lock = PTHREAD_MUTEX_INITIALIZER, .sessions = TOKEN_SESSIONS, .wait_ms = KEY_TOKEN_WAIT_MS
};

void
token_limits(unsigned sessions, unsigned wait_ms)
{
	tokens.sessions = sessions < TOKEN_SESSIONS ? sessions : TOKEN_SESSIONS;
	tokens.wait_ms = wait_ms;
}

const char *
token_label(const struct token *t)
{
	return t->label;
}

/* ---- finding ---- */

/* A field of CK_TOKEN_INFO: padded with blanks, without a NUL (PKCS#11 2.40, 3.2). */
static bool
field_is(const char *want, const CK_UTF8CHAR *field, size_t size)
{
	size_t len = strlen(want);

	while (size > 0 && (field[size - 1] == ' ' || field[size - 1] == '\0'))
		size--;
	return len == size && memcmp(want, field, len) == 0;
}

static bool
uri_names(const struct token_uri *u, CK_SLOT_ID slot, const CK_TOKEN_INFO *i)
{
	return (!u->has_slot || u->slot == slot) &&
	    (u->token[0] == '\0' || field_is(u->token, i->label, sizeof i->label)) &&
	    (u->manufacturer[0] == '\0' ||
		field_is(u->manufacturer, i->manufacturerID, sizeof i->manufacturerID)) &&
	    (u->model[0] == '\0' || field_is(u->model, i->model, sizeof i->model)) &&
	    (u->serial[0] == '\0' || field_is(u->serial, i->serialNumber, sizeof i->serialNumber));
}

static bool
same_token(const CK_TOKEN_INFO *a, const CK_TOKEN_INFO *b)
{
	return memcmp(a->label, b->label, sizeof a->label) == 0 &&
	    memcmp(a->serialNumber, b->serialNumber, sizeof a->serialNumber) == 0 &&
	    memcmp(a->manufacturerID, b->manufacturerID, sizeof a->manufacturerID) == 0 &&
	    memcmp(a->model, b->model, sizeof a->model) == 0;
}

/* What is looked for: a token that was known before, or what a URI names. */
struct search {
	const CK_TOKEN_INFO *known;
	const struct token_uri *uri;
	CK_SLOT_ID slot;
	CK_TOKEN_INFO info;
	unsigned found;
};

static void
look_at(struct search *s, CK_FUNCTION_LIST *f, CK_SLOT_ID slot)
{
	CK_TOKEN_INFO info;

	if (f->C_GetTokenInfo(slot, &info) != CKR_OK || (info.flags & CKF_TOKEN_INITIALIZED) == 0)
		return;
	if (s->known != NULL ? !same_token(s->known, &info) : !uri_names(s->uri, slot, &info))
		return;
	s->slot = slot;
	s->info = info;
	s->found++;
}

/* CKR_TOKEN_NOT_PRESENT when there is none. */
static CK_RV
search(struct search *s, CK_FUNCTION_LIST *f)
{
	CK_SLOT_ID slots[TOKEN_SLOTS_MAX];
	CK_ULONG n = TOKEN_SLOTS_MAX, i;
	CK_RV rv = f->C_GetSlotList(CK_TRUE, slots, &n);

	if (rv != CKR_OK)
		return rv;
	for (i = 0; i < n; i++)
		look_at(s, f, slots[i]);
	return s->found > 0 ? CKR_OK : CKR_TOKEN_NOT_PRESENT;
}

/* ---- login ---- */

static enum rc
fail_pin(struct err *err, const struct token *t, const char *what, const char *hint)
{
	enum rc rc = fail(err, RC_CONFIG, "token %s: %s", t->label, what);

	err_hint(err, "%s", hint);
	return rc;
}

/* The last try is a person's: a program that is started again and again would use it up. */
static enum rc
may_log_in(struct token *t, CK_FLAGS flags, struct err *err)
{
	if (t->pin_refused)
		return fail_pin(err, t, "the PIN was wrong, and is not tried again",
		    "tokens lock after a few wrong PINs: try it by hand before the next start");
	if ((flags & CKF_USER_PIN_LOCKED) != 0)
		return fail_pin(
		    err, t, "the PIN is locked", "unlock it with the security officer's PIN");
	if ((flags & CKF_USER_PIN_FINAL_TRY) != 0)
		return fail_pin(err, t,
		    "only one try is left for the PIN, and it is not used up here",
		    "log in once by hand, which gives the tries back");
	if (t->pin == NULL && (flags & CKF_PROTECTED_AUTHENTICATION_PATH) == 0)
		return fail_pin(
		    err, t, "there is no PIN to log in with", "pin_file, or pin-source in the URI");
	return RC_OK;
}

static enum rc
log_in(struct token *t, CK_FUNCTION_LIST *f, CK_SESSION_HANDLE h, CK_FLAGS flags, CK_RV *rv,
    struct err *err)
{
	char doing[TOKEN_LABEL_MAX + 32];
	enum rc rc;

	if ((flags & CKF_LOGIN_REQUIRED) == 0)
		return RC_OK;
	if ((rc = may_log_in(t, flags, err)) != RC_OK)
		return rc;
	*rv = f->C_Login(h, CKU_USER, (CK_UTF8CHAR *)t->pin, t->pin_len);
	if (*rv == CKR_OK || *rv == CKR_USER_ALREADY_LOGGED_IN)
		return RC_OK;
	if (*rv == CKR_PIN_INCORRECT || *rv == CKR_PIN_INVALID || *rv == CKR_PIN_LEN_RANGE)
		t->pin_refused = true;
	snprintf(doing, sizeof doing, "logging in to token %s", t->label);
	return token_fail(err, *rv, doing);
}

/* Find the token, and make the first session, which carries the login.  For the one who is opening. */
static enum rc
bring_up(struct token *t, CK_FUNCTION_LIST *f, CK_SESSION_HANDLE *h, CK_RV *rv, struct err *err)
{
	struct search s = { .known = &t->who };
	char doing[TOKEN_LABEL_MAX + 32];
	enum rc rc;

	snprintf(doing, sizeof doing, "opening token %s", t->label);
	if ((*rv = search(&s, f)) != CKR_OK ||
	    (*rv = f->C_OpenSession(s.slot, CKF_SERIAL_SESSION, NULL, NULL, h)) != CKR_OK)
		return token_fail(err, *rv, doing);
	rc = log_in(t, f, *h, s.info.flags, rv, err);
	if (rc == RC_OK)
		t->slot = s.slot;
	else
		(void)f->C_CloseSession(*h);
	return rc;
}

/* ---- sessions ---- */

/* With the token's lock held.  Those that are in use are closed when they come back. */
static void
forget_sessions(struct token *t)
{
	t->generation++;
	t->n_open -= t->n_idle;
	t->n_idle = 0;
	t->state = TOKEN_DOWN;
}

/* How one try of an operation ends. */
struct attempt {
	struct token_session s;
	CK_RV rv; /* why there is no session, or what the work said */
	unsigned long epoch;
	int64_t deadline; /* monotonic, ms */
};

/* With the lock held: false when nothing has changed until the deadline, or POLL_MS went by. */
static bool
wait_changed(struct token *t, int64_t deadline, bool poll)
{
	int64_t until =
	    poll && clock_mono_ms() + POLL_MS < deadline ? clock_mono_ms() + POLL_MS : deadline;

	(void)cond_wait_until(&t->changed, &t->lock, until);
	return clock_mono_ms() < deadline;
}

/* With the lock held, which is given up meanwhile. */
static enum rc
open_first(struct token *t, struct attempt *a, struct err *err)
{
	struct err why = { 0 };
	enum rc rc;

	t->state = TOKEN_OPENING;
	pthread_mutex_unlock(&t->lock);
	rc = bring_up(t, a->s.f, &a->s.h, &a->rv, &why);
	pthread_mutex_lock(&t->lock);
	t->tries++;
	t->state = rc == RC_OK ? TOKEN_UP : TOKEN_DOWN;
	t->n_open += rc == RC_OK;
	/* What passes by itself is nobody else's failure. */
	t->last = rc != RC_OK && token_cure(a->rv) != CURE_WAIT ? why : (struct err){ 0 };
	pthread_cond_broadcast(&t->changed);
	if (rc != RC_OK && err != NULL)
		*err = why;
	return rc;
}

/* With the lock held, which is given up meanwhile. */
static enum rc
open_more(struct token *t, struct attempt *a, struct err *err)
{
	CK_SLOT_ID slot = t->slot;
	char doing[TOKEN_LABEL_MAX + 48];

	t->n_open++;
	pthread_mutex_unlock(&t->lock);
	a->rv = a->s.f->C_OpenSession(slot, CKF_SERIAL_SESSION, NULL, NULL, &a->s.h);
	pthread_mutex_lock(&t->lock);
	if (a->rv == CKR_OK)
		return RC_OK;
	t->n_open--;
	snprintf(doing, sizeof doing, "opening a session of token %s", t->label);
	return token_fail(err, a->rv, doing);
}

/* One look, with the lock held.  *wait: nothing to be had now. */
static enum rc
try_session(struct token *t, struct attempt *a, bool *wait, struct err *err)
{
	*wait = false;
	if (t->state == TOKEN_OPENING) {
		*wait = true;
		return RC_OK;
	}
	if (t->state == TOKEN_DOWN && t->n_open < tokens.sessions)
		return open_first(t, a, err);
	if (t->n_idle > 0) {
		a->s.h = t->idle[--t->n_idle];
		return RC_OK;
	}
	if (t->n_open < tokens.sessions)
		return open_more(t, a, err);
	*wait = true;
	return RC_OK;
}

/* Wait for what others do.  Who waited for an opening that failed shares its failure: sixteen threads do
 * not try a token that is not there one after the other. */
static enum rc
get_session(struct token *t, struct attempt *a, struct err *err)
{
	unsigned long tries = t->tries;
	bool wait = true, in_time = true;
	enum rc rc = RC_OK;

	while (rc == RC_OK && wait) {
		rc = try_session(t, a, &wait, err);
		if (rc != RC_OK && token_cure(a->rv) == CURE_WAIT) {
			rc = RC_OK;
			wait = true;
		}
		if (rc != RC_OK || !wait)
			break;
		if (!in_time)
			return fail(err, RC_IO, "token %s: no session was free within %lld ms",
			    t->label, (long long)tokens.wait_ms);
		in_time = wait_changed(t, a->deadline, token_cure(a->rv) == CURE_WAIT);
		if (t->state == TOKEN_DOWN && t->tries != tries && t->last.rc != RC_OK) {
			if (err != NULL)
				*err = t->last;
			a->rv = CKR_OK;
			return t->last.rc;
		}
	}
	return rc;
}

static enum rc
acquire(struct token *t, struct attempt *a, struct err *err)
{
	enum rc rc;

	a->rv = CKR_OK;
	pthread_mutex_lock(&t->lock);
	/* A restart has ended all sessions, and nobody was inside. */
	if (t->epoch != a->epoch) {
		forget_sessions(t);
		t->n_open = 0;
		t->epoch = a->epoch;
	}
	rc = get_session(t, a, err);
	if (rc == RC_OK) {
		a->s.generation = t->generation;
		a->s.slot = t->slot;
		a->s.pin = t->pin != NULL ? t->pin : "";
		a->s.pin_len = t->pin_len;
	}
	pthread_mutex_unlock(&t->lock);
	return rc;
}

/* A session in which something has failed may have an operation going on: it is not used again. */
static void
release(struct token *t, struct attempt *a)
{
	enum token_cure cure = token_cure(a->rv);
	CK_SESSION_HANDLE drop[TOKEN_SESSIONS];
	unsigned n = 0;

	pthread_mutex_lock(&t->lock);
	if (a->rv == CKR_OK && a->s.generation == t->generation) {
		t->idle[t->n_idle++] = a->s.h;
	} else {
		/* The login lives as long as a session does: a new one is made first, when it is needed. */
		if ((cure != CURE_NONE || t->n_open == 1) && a->s.generation == t->generation) {
			n = t->n_idle;
			memcpy(drop, t->idle, n * sizeof drop[0]);
			forget_sessions(t);
		}
		t->n_open--;
		pthread_mutex_unlock(&t->lock);
		(void)a->s.f->C_CloseSession(a->s.h);
		while (n > 0)
			(void)a->s.f->C_CloseSession(drop[--n]);
		pthread_mutex_lock(&t->lock);
	}
	pthread_cond_broadcast(&t->changed);
	pthread_mutex_unlock(&t->lock);
}

/* One try.  *rv is why it failed, wherever that was. */
static enum rc
run_once(struct token *t, token_work *work, void *arg, struct attempt *a, struct err *err)
{
	enum rc rc = token_library_enter(&a->s.f, &a->epoch, err);

	if (rc != RC_OK)
		return rc;
	rc = acquire(t, a, err);
	if (rc == RC_OK) {
		a->rv = work(&a->s, arg);
		release(t, a);
	}
	token_library_leave();
	return rc;
}

enum rc
token_run(struct token *t, token_work *work, void *arg, CK_RV *rv, struct err *err)
{
	struct attempt a = { .deadline = clock_mono_ms() + tokens.wait_ms };
	enum token_cure cure;
	enum rc rc;
	int tries;

	/* The second try has a new session; the third, the library started anew. */
	for (tries = 0;; tries++) {
		a.rv = CKR_OK;
		rc = run_once(t, work, arg, &a, err);
		cure = token_cure(a.rv);
		if (tries == 2 || cure == CURE_NONE || cure == CURE_WAIT)
			break;
		if (tries == 1 || rc != RC_OK)
			token_library_restart(a.epoch);
	}
	if (rc == RC_OK)
		*rv = a.rv;
	return rc;
}

/* ---- opening ---- */

/* With the list's lock held. */
static struct token *
find_known(const CK_TOKEN_INFO *who)
{
	struct token *t;

	for (t = tokens.first; t != NULL; t = t->next)
		if (same_token(&t->who, who))
			return t;
	return NULL;
}

static enum rc
make_token(struct token **out, const struct search *s, struct err *err)
{
	struct token *t = calloc(1, sizeof *t);
	size_t len = sizeof s->info.label;

	if (t == NULL || !cond_init(&t->changed)) {
		free(t);
		return fail(err, RC_NOMEM, "no memory for a token");
	}
	pthread_mutex_init(&t->lock, NULL);
	t->who = s->info;
	while (len > 0 && s->info.label[len - 1] == ' ')
		len--;
	snprintf(t->label, sizeof t->label, "%.*s", (int)len, (const char *)s->info.label);
	*out = t;
	return RC_OK;
}

/*
 * The PIN that a key comes with.  A token that is logged in would take any, so it is compared with the one
 * that was right.
 */
static enum rc
give_pin(struct token *t, const char *pin, struct err *err)
{
	size_t len = pin != NULL ? strlen(pin) : 0;
	char *copy = NULL;
	enum rc rc = RC_OK;

	if (pin == NULL)
		return RC_OK;
	pthread_mutex_lock(&t->lock);
	if (t->pin != NULL && bytes_eq_ct(t->pin, t->pin_len, pin, len)) {
		t->pin_refused = false; /* an administrator's new try */
	} else if (t->state == TOKEN_OPENING || t->n_open > 0) {
		rc = fail_pin(err, t, "this is not the PIN that it was opened with",
		    "one PIN for all keys of a token");
	} else if ((rc = locked_copy(&copy, pin, len, err)) == RC_OK) {
		locked_free(t->pin, t->pin_len);
		t->pin = copy;
		t->pin_len = len;
		t->pin_refused = false;
	}
	pthread_mutex_unlock(&t->lock);
	return rc;
}

/* With the list's lock held: the token that was found, counted. */
static enum rc
list_token(struct token **out, const struct search *s, struct err *err)
{
	struct token *t = find_known(&s->info);
	enum rc rc = RC_OK;

	if (t == NULL && (rc = make_token(&t, s, err)) == RC_OK) {
		t->next = tokens.first;
		tokens.first = t;
	}
	if (rc == RC_OK) {
		t->refs++;
		*out = t;
	}
	return rc;
}

static enum rc
search_uri(struct search *s, unsigned long *epoch, CK_RV *rv, struct err *err)
{
	CK_FUNCTION_LIST *f;
	enum rc rc = token_library_enter(&f, epoch, err);

	if (rc != RC_OK)
		return rc;
	*rv = search(s, f);
	token_library_leave();
	if (*rv == CKR_TOKEN_NOT_PRESENT) {
		rc = fail(err, RC_TIMEOUT, "no token fits the URI");
		err_hint(err,
		    "pkcs11-tool --list-token-slots shows what is there; the server sees what "
		    "pkcs11.paths lets it");
		return rc;
	}
	if (*rv != CKR_OK)
		return token_fail(err, *rv, "looking for tokens");
	if (s->found > 1)
		return fail(
		    err, RC_CONFIG, "%u tokens fit the URI; name one by its serial", s->found);
	return RC_OK;
}

enum rc
token_open(struct token **out, const struct token_uri *uri, const char *pin, struct err *err)
{
	struct search s = { .uri = uri };
	unsigned long epoch = 0;
	struct token *t = NULL;
	CK_RV rv = CKR_OK;
	enum rc rc = search_uri(&s, &epoch, &rv, err);

	/* A library that has made its list of slots does not see what was plugged in later. */
	if (rc != RC_OK && token_cure(rv) == CURE_LIBRARY) {
		token_library_restart(epoch);
		s = (struct search){ .uri = uri };
		rc = search_uri(&s, &epoch, &rv, err);
	}
	if (rc != RC_OK)
		return rc;
	pthread_mutex_lock(&tokens.lock);
	rc = list_token(&t, &s, err);
	pthread_mutex_unlock(&tokens.lock);
	if (rc == RC_OK && (rc = give_pin(t, pin, err)) != RC_OK)
		token_free(t);
	if (rc == RC_OK)
		*out = t;
	return rc;
}

/* Close what is open, as far as the library is still the one that opened it. */
static void
close_sessions(struct token *t)
{
	CK_FUNCTION_LIST *f;
	unsigned long epoch;

	if (t->n_idle == 0 || token_library_enter(&f, &epoch, NULL) != RC_OK)
		return;
	while (epoch == t->epoch && t->n_idle > 0)
		(void)f->C_CloseSession(t->idle[--t->n_idle]);
	token_library_leave();
}

void
token_free(struct token *t)
{
	struct token **at;
	bool last;

	if (t == NULL)
		return;
	pthread_mutex_lock(&tokens.lock);
	last = --t->refs == 0;
	for (at = &tokens.first; last && *at != NULL; at = &(*at)->next) {
		if (*at != t)
			continue;
		*at = t->next;
		break;
	}
	pthread_mutex_unlock(&tokens.lock);
	if (!last)
		return;
	close_sessions(t);
	locked_free(t->pin, t->pin_len);
	pthread_cond_destroy(&t->changed);
	pthread_mutex_destroy(&t->lock);
	free(t);
}
