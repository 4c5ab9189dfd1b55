/*
 * store_status.c - what follows from causes, in words too; and the door of store_status.h.
 */
#include "store/store_status.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "store/store_check.h"

static const char *const source_names[CAUSE__MAX] = {
	[CAUSE_MANUAL] = "manual",
	[CAUSE_INTUNE] = "intune",
	[CAUSE_RULE] = "rule",
	[CAUSE_REPLACED] = "replaced",
	[CAUSE_UNDELIVERED] = "undelivered",
	[CAUSE_ISSUER] = "issuer",
};

const char *
cause_source_name(enum cause_source s)
{
	if ((unsigned)s >= CAUSE__MAX || source_names[s] == NULL)
		return "unknown";
	return source_names[s];
}

const char *
cert_state_name(enum cert_state s)
{
	switch (s) {
	case CERT_GOOD:
		return "good";
	case CERT_HELD:
		return "hold";
	case CERT_REVOKED:
		return "revoked";
	}
	return "unknown";
}

enum binding_state
binding_unsettled_by_name(const char *word0)
{
	static const struct {
		const char *word;
		enum binding_state state;
	} words[] = { { "unknown", BINDING_UNKNOWN }, { "partial", BINDING_BOUND },
		{ "open", BINDING_OPEN } };

	for (size_t i = 0; word0 != NULL && i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(words[i].word, word0) == 0)
			return words[i].state;
	return BINDING_NONE;
}

const char *
binding_state_name(enum binding_state s)
{
	switch (s) {
	case BINDING_NONE:
		return "none";
	case BINDING_OPEN:
		return "open";
	case BINDING_BOUND:
		return "bound";
	case BINDING_UNKNOWN:
		return "unknown";
	}
	return "unknown";
}

void
store_status_done(struct store_status *s)
{
	for (size_t i = 0; i < s->n_causes; i++) {
		free(s->causes[i].who);
		free(s->causes[i].comment);
	}
	free(s->causes);
	*s = (struct store_status){ 0 };
}

/* ---- what follows ---- */

/* Of two that say the same since the same second, the source decides, so that every reader has one answer. */
static int
compare(const void *a, const void *b)
{
	const struct store_cause *x = a, *y = b;

	if (x->effect != y->effect)
		return x->effect > y->effect ? -1 : 1;
	if (x->since != y->since)
		return x->since < y->since ? -1 : 1;
	if (x->source != y->source)
		return x->source < y->source ? -1 : 1;
	return strcmp(x->rule, y->rule);
}

void
store_status_derive(struct store_status *s)
{
	const struct store_cause *first = s->causes;

	if (s->n_causes > 1)
		qsort(s->causes, s->n_causes, sizeof(s->causes[0]), compare);
	if (s->n_causes == 0) {
		s->state = CERT_GOOD;
		s->since = 0;
		s->reason = 0;
		return;
	}
	s->state = first->effect == CAUSE_REVOKE ? CERT_REVOKED : CERT_HELD;
	s->since = first->since;
	s->reason = s->state == CERT_HELD ? REASON_HOLD : first->reason;
}

static void
add_by(struct buf *out, const struct store_cause *c)
{
	static const char *const by[CAUSE__MAX] = {
		[CAUSE_MANUAL] = "an administrator",
		[CAUSE_INTUNE] = "Intune's revocation queue",
		[CAUSE_REPLACED] = "its renewal",
		[CAUSE_UNDELIVERED] = "the server, as it was never handed out",
		[CAUSE_ISSUER] = "the CA that has issued it",
	};

	if (c->source == CAUSE_RULE)
		buf_addf(out, "rule %s", c->rule);
	else if (c->source == CAUSE_MANUAL && c->who != NULL)
		buf_addf(out, "%s", c->who);
	else
		buf_addf(out, "%s", by[c->source] != NULL ? by[c->source] : "unknown");
	if (c->comment != NULL && c->comment[0] != '\0')
		buf_addf(out, " (%s)", c->comment);
}

void
store_status_text(struct buf *out, const struct store_status *s)
{
	char when[TIME_TEXT_MAX];

	if (s->state == CERT_GOOD || s->n_causes == 0) {
		buf_addf(out, "%s", cert_state_name(s->state));
		return;
	}
	time_rfc3339(when, s->since);
	buf_addf(out, "%s since %s by ", s->state == CERT_HELD ? "held" : "revoked", when);
	add_by(out, &s->causes[0]);
	if (s->causes[0].until != 0) {
		time_rfc3339(when, s->causes[0].until);
		buf_addf(out, ", until %s", when);
	}
	if (s->n_causes > 1)
		buf_addf(out, "; %zu more cause%s", s->n_causes - 1, s->n_causes > 2 ? "s" : "");
}

/* ---- the door ---- */

/* RFC 5280 5.3.1: 0 to 10 without 7; 6 is a hold, 8 belongs to delta CRLs. */
static bool
reason_fits(enum cause_effect effect, int reason)
{
	if (effect == CAUSE_REVOKE)
		return reason >= 0 && reason <= 10 && reason != REASON_HOLD && reason != 7 &&
		    reason != REASON_REMOVED;
	return effect == CAUSE_GONE || reason == 0 || reason == REASON_HOLD;
}

static enum rc
check_set(struct store_cert_name *name, const struct store_cause_set *v, struct err *err)
{
	enum rc rc = check_name(name, v->serial, v->ca, err);

	if (rc != RC_OK)
		return rc;
	if ((unsigned)v->source >= CAUSE__MAX || source_names[v->source] == NULL ||
	    (unsigned)v->effect > CAUSE_REVOKE || (v->source == CAUSE_RULE) != (v->rule != NULL))
		return fail(err, RC_BUG, "no such cause");
	if (!reason_fits(v->effect, v->reason))
		return fail(err, RC_DENIED, "%d is no reason for a %s", v->reason,
		    v->effect == CAUSE_HOLD ? "hold" : "revocation");
	if (v->rule != NULL)
		rc = check_text(v->rule, CAUSE_RULE_MAX - 1, true, "rule", err);
	if (rc == RC_OK)
		rc = check_text(v->who, CAUSE_WHO_MAX, false, "who", err);
	return rc != RC_OK ? rc : check_text(v->comment, CAUSE_COMMENT_MAX, false, "comment", err);
}

enum rc
store_causes_set(struct store *s, const struct store_cause_set *v, size_t n,
    struct store_cause_done *done, struct err *err)
{
	struct store_cert_name *names;
	enum rc rc = RC_OK;

	if (n == 0)
		return RC_OK;
	if (n > STORE_CAUSES_BATCH)
		return fail(
		    err, RC_LIMIT, "%zu causes at once, more than %d", n, STORE_CAUSES_BATCH);
	if ((names = calloc(n, sizeof(*names))) == NULL)
		return fail(err, RC_NOMEM, "no memory for causes");
	for (size_t i = 0; i < n && rc == RC_OK; i++)
		rc = check_set(&names[i], &v[i], err);
	if (rc == RC_OK)
		rc = s->backend->causes_set(s, v, names, n, done, err);
	free(names);
	return rc;
}

enum rc
store_holds_expire(struct store *s, int64_t now, size_t *n, struct err *err)
{
	return s->backend->holds_expire(s, now, n, err);
}

enum rc
store_status_get(struct store *s, const char *serial_hex, const char *ca, struct store_status *out,
    struct err *err)
{
	struct store_cert_name name;
	enum rc rc = check_name(&name, serial_hex, ca, err);

	return rc != RC_OK ? rc : s->backend->status_get(s, &name, out, err);
}

enum rc
store_status_number(struct store *s, uint64_t *number, struct err *err)
{
	return s->backend->status_number(s, number, err);
}

enum rc
store_crl_each(struct store *s, const struct store_crl_query *q, uint64_t *number,
    int (*fn)(void *arg, const struct store_crl_entry *e), void *arg, struct err *err)
{
	enum rc rc = check_text(q->ca, STORE_NAME_MAX, true, "CA", err);

	return rc != RC_OK ? rc : s->backend->crl_each(s, q, number, fn, arg, err);
}

enum rc
store_changes_each(struct store *s, const char *ca, uint64_t since, uint64_t *number,
    int (*fn)(void *arg, const struct store_change *c), void *arg, struct err *err)
{
	enum rc rc = check_text(ca, STORE_NAME_MAX, true, "CA", err);

	return rc != RC_OK ? rc : s->backend->changes_each(s, ca, since, number, fn, arg, err);
}

enum rc
store_binding_get(struct store *s, const char *serial_hex, const char *ca,
    struct store_binding *out, struct err *err)
{
	struct store_cert_name name;
	enum rc rc = check_name(&name, serial_hex, ca, err);

	return rc != RC_OK ? rc : s->backend->binding_get(s, &name, out, err);
}

enum rc
store_binding_set(struct store *s, const char *serial_hex, const char *ca,
    const struct store_binding *b, struct err *err)
{
	struct store_cert_name name;
	enum rc rc = check_name(&name, serial_hex, ca, err);

	return rc != RC_OK ? rc : s->backend->binding_set(s, &name, b, err);
}

enum rc
store_binding_due(struct store *s, const char *tenant, int64_t now, size_t max,
    int (*fn)(void *arg, const char *serial_hex, const char *ca, int64_t not_after,
	const struct store_binding *b),
    void *arg, struct err *err)
{
	enum rc rc = check_text(tenant, STORE_NAME_MAX, true, "tenant", err);

	return rc != RC_OK ? rc : s->backend->binding_due(s, tenant, now, max, fn, arg, err);
}

enum rc
store_binding_count(struct store *s, const char *tenant, enum binding_state state, int64_t now,
    uint64_t *n, struct err *err)
{
	enum rc rc = check_text(tenant, STORE_NAME_MAX, true, "tenant", err);

	return rc != RC_OK ? rc : s->backend->binding_count(s, tenant, state, now, n, err);
}

enum rc
store_binding_certs(struct store *s, const char *tenant, enum binding_key key, const char *id,
    int64_t valid_at, size_t max, int (*fn)(void *arg, const char *serial_hex, const char *ca),
    void *arg, struct err *err)
{
	enum rc rc = check_text(tenant, STORE_NAME_MAX, false, "tenant", err);

	if (rc == RC_OK)
		rc = check_text(id, STORE_NAME_MAX, true, "id", err);
	if (rc == RC_OK && (key < BINDING_BY_USER || key > BINDING_BY_MANAGED))
		rc = fail(err, RC_BUG, "no such key of a binding");
	return rc != RC_OK
	    ? rc
	    : s->backend->binding_certs(s, tenant, key, id, valid_at, max, fn, arg, err);
}
