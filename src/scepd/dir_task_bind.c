/*
 * dir_task_bind.c - whom certificates name: the bindings that are due are asked about, and when they are again.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "scepd/dir_bind.h"
#include "scepd/dir_tenant.h"
#include "scepd/scepd.h"
#include "scepd/sweep.h"

#define BIND_BATCH                                                                                 \
	32 /* bindings of a round: some 100 questions, then the other tasks have their turn */
/* Whom nobody knew for three hours is asked for daily where a rule is about him, so that its facts are fresh, and else weekly,
 * as long as the certificate lives: all certificates of a tenant may have names that are none of Entra's. */
#define UNKNOWN_S      86400
#define UNKNOWN_IDLY_S (7 * UNKNOWN_S)
#define COUNT_MS       10000
#define COUNT_SHARE    50 /* of one core at the most */

struct cert_name {
	char serial[48], ca[STORE_NAME_MAX + 1];
};
struct due_list {
	struct {
		struct cert_name name;
		int64_t not_after;
		struct store_binding b;
	} v[BIND_BATCH];
	size_t n;
};

/* 2 s, 8 s, 32 s ... after the last time, 8,192 s at last: what was enrolled just now is not in every index yet. */
static int64_t
pause_after_tries(const struct dir_tenant *t, unsigned tries)
{
	if (tries >= BINDING_TRIES_MAX)
		return t->strangers ? UNKNOWN_S : UNKNOWN_IDLY_S;
	return tries == 0 ? 1 : (int64_t)1 << (2 * tries - 1);
}

static int
note_due(
    void *arg, const char *serial, const char *ca, int64_t not_after, const struct store_binding *b)
{
	struct due_list *l = arg;

	if (l->n == BIND_BATCH)
		return 1;
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->v[i].name.serial, serial) == 0 && strcmp(l->v[i].name.ca, ca) == 0)
			return 0;
	if (strlen(serial) >= sizeof(l->v[0].name.serial) || strlen(ca) > STORE_NAME_MAX)
		return 0;
	strcpy(l->v[l->n].name.serial, serial);
	strcpy(l->v[l->n].name.ca, ca);
	l->v[l->n].not_after = not_after;
	l->v[l->n++].b = *b;
	return 0;
}

static enum rc
binding_set(struct dir_tenant *t, const struct cert_name *name, const struct store_binding *b)
{
	return store_binding_set(t->s->store, name->serial, name->ca, b, &t->err);
}

static void
log_binding(const struct dir_tenant *t, enum log_level level, const struct cert_name *name,
    const char *result, const char *reason)
{
	struct log_line l;

	log_begin(&l, level, "directory");
	log_str(&l, "tenant", t->name);
	log_str(&l, "asked", "bindings");
	log_str(&l, "serial", name->serial);
	log_str(&l, "ca", name->ca);
	log_str(&l, "result", result);
	log_str(&l, "reason", reason);
	log_end(&l);
}

/* What an answer, or a refusal of the question, leaves to be asked.  Told once: that somebody is named whom the directory
 * does not know, and that it does now. */
static void
ask_again(struct dir_tenant *t, const struct cert_name *name, struct store_binding *b,
    const char *unknown)
{
	unsigned was = b->tries;

	b->tries += b->tries < BINDING_TRIES_MAX;
	b->due = clock_now() + pause_after_tries(t, b->tries);
	if (b->tries < BINDING_TRIES_MAX && b->state == BINDING_UNKNOWN)
		b->state = BINDING_OPEN;
	if (was < BINDING_TRIES_MAX && b->tries == BINDING_TRIES_MAX)
		log_binding(t, LOG_WARN, name, "UNKNOWN", unknown);
}

static void
settle(struct dir_tenant *t, const struct cert_name *name, struct store_binding *b)
{
	if (b->tries == BINDING_TRIES_MAX)
		log_binding(
		    t, LOG_INFO, name, "BOUND", "the directory knows whom the certificate names");
	b->tries = 0;
	b->due = 0;
}

static void
next_time(struct dir_tenant *t, const struct cert_name *name, struct store_binding *b,
    const struct dir_found *found)
{
	if (found->unknown_user && found->unknown_device)
		ask_again(t, name, b, "the directory knows neither the user nor the device");
	else if (found->unknown_user)
		ask_again(t, name, b, "the directory knows no user of this name");
	else if (found->unknown_device)
		ask_again(t, name, b, "the directory knows no such device");
	else if (found->unmanaged && b->tries + 1 < BINDING_TRIES_MAX)
		ask_again(t, name, b, "");
	else
		settle(t, name, b);
}

/* Nobody waits behind a question that fails: the next round begins with the others.  One that the directory does not
 * take is asked ever more seldom, and means at last that nobody can have this name. */
static enum intune_status
postpone(struct dir_tenant *t, const struct cert_name *name, struct store_binding *b,
    enum intune_status st)
{
	b->due = clock_now() + pause_after_tries(t, b->tries + (b->tries == 0));
	if (dir_error_is_of_names(&t->error)) {
		log_binding(t, LOG_WARN, name, "REFUSED", t->error.message);
		ask_again(t, name, b, "the directory does not take the question");
		if (b->tries == BINDING_TRIES_MAX) {
			b->state = b->state == BINDING_OPEN ? BINDING_UNKNOWN : b->state;
			b->asked = clock_now();
		}
		st = INTUNE_OK;
	}
	(void)dir_store_failed(t, binding_set(t, name, b));
	return st;
}

/* What was said of somebody's risk before the first certificate is not kept, and only changes of it are listed. */
static bool
is_new_user(struct dir_tenant *t, const struct dir_found *found)
{
	struct store_object old;
	struct err err;

	for (size_t i = 0; i < found->n; i++)
		if (found->v[i].kind == DIR_USER)
			return store_object_get(t->s->store, t->name, DIR_USER, found->v[i].id,
				   &old, &err) != RC_OK;
	return false;
}

/* The ids first: an object that no binding names is not kept. */
static enum intune_status
bind_one(struct dir_tenant *t, const struct cert_name *name, struct store_binding *b)
{
	struct dir_found found;
	size_t changed = 0;
	enum binding_state was = b->state;
	enum intune_status st =
	    dir_bind(tenant_client(t->tenant), b, &found, clock_now(), &t->error);

	if (st != INTUNE_OK)
		return postpone(t, name, b, st);
	if (found.refused)
		log_binding(t, LOG_WARN, name, "REFUSED", t->error.message);
	next_time(t, name, b, &found);
	if (is_new_user(t, &found))
		t->risks_again = true;
	if (dir_store_failed(t, binding_set(t, name, b)) == 0)
		(void)dir_store_failed(
		    t, store_objects_put(t->s->store, found.v, found.n, &changed, &t->err));
	sweep_news(t->s, changed + (b->state != was));
	return st;
}

/* Nobody asks about a certificate that has expired. */
static enum intune_status
bind_due(
    struct dir_tenant *t, const struct cert_name *name, int64_t not_after, struct store_binding *b)
{
	if (not_after > clock_now())
		return bind_one(t, name, b);
	b->due = 0;
	if (b->state == BINDING_OPEN)
		b->state = BINDING_UNKNOWN;
	(void)dir_store_failed(t, binding_set(t, name, b));
	return INTUNE_OK;
}

/* For the metrics, where a binding is asked about anyway. */
static void
count_unsettled(struct dir_tenant *t)
{
	int64_t began = clock_mono_ms();
	uint64_t n;

	if (began < t->count_ms)
		return;
	for (int state = BINDING_OPEN; state <= BINDING_UNKNOWN && !t->store_failed; state++)
		if (dir_store_failed(t,
			store_binding_count(t->s->store, t->name, (enum binding_state)state,
			    clock_now(), &n, &t->err)) == 0)
			t->unsettled[state] = n;
	t->count_ms = clock_mono_ms() + COUNT_MS + COUNT_SHARE * (clock_mono_ms() - began);
}

enum intune_status
dir_task_bind(struct dir_tenant *t, int64_t now_ms, const atomic_bool *stop)
{
	struct due_list *l = calloc(1, sizeof(*l));
	enum intune_status st = INTUNE_OK;

	if (l == NULL) {
		(void)dir_store_failed(t, fail(&t->err, RC_NOMEM, "no memory for bindings"));
		return st;
	}
	(void)dir_store_failed(t,
	    store_binding_due(t->s->store, t->name, clock_now(), BIND_BATCH, note_due, l, &t->err));
	/* From the end: there are those that have come last, where a long queue waits. */
	for (size_t i = l->n; i-- > 0 && st == INTUNE_OK && !t->store_failed && !*stop;)
		st = bind_due(t, &l->v[i].name, l->v[i].not_after, &l->v[i].b);
	free(l);
	if (st == INTUNE_OK && !t->store_failed)
		count_unsettled(t);
	return st;
}
