/* sweep_plan.c - see sweep_plan.h. */
#include "scepd/sweep_plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* ---- memory of the comments: long runs of equal ones are kept once ---- */

#define CHUNK 65536

struct chunk {
	struct chunk *next;
	size_t used;
	char data[CHUNK];
};

static const char *
keep(struct sweep_plan *p, const char *text)
{
	struct chunk *c = p->memory;
	size_t len = strlen(text) + 1; /* at most RULE_COMMENT_MAX */

	if (p->n > 0 && strcmp(p->v[p->n - 1].comment, text) == 0)
		return p->v[p->n - 1].comment;
	if (c == NULL || c->used + len > CHUNK) {
		if ((c = malloc(sizeof(*c))) == NULL)
			return NULL;
		c->next = p->memory;
		c->used = 0;
		p->memory = c;
	}
	memcpy(c->data + c->used, text, len);
	c->used += len;
	return c->data + c->used - len;
}

void
sweep_plan_done(struct sweep_plan *p)
{
	struct chunk *c = p->memory;

	while (c != NULL) {
		struct chunk *next = c->next;

		free(c);
		c = next;
	}
	for (size_t i = 0; i < p->n_names; i++)
		free(p->names[i]);
	free(p->v);
	free(p->forget);
	owners_done(&p->seen);
	*p = (struct sweep_plan){ 0 };
}

/* ---- what stands, what was discarded, who is excepted ---- */

struct mark {
	int64_t cert_id;
	unsigned rule;
	enum cause_effect effect;
	int64_t sweep, row;
	bool used; /* of what was discarded: still wanted */
};
struct marks {
	struct mark *v;
	size_t n, room;
};
struct except {
	/* enum exception_of as a digit, then the target, and of a certificate its CA */
	char target[66 + STORE_NAME_MAX + 2];
	unsigned rule; /* EVERY_RULE, or an index */
};
#define EVERY_RULE UINT32_MAX

struct making {
	struct sweep_plan *p;
	const struct plan_ask *ask;
	struct marks causes, ignored;
	struct except *except;
	size_t n_except, room_except;
	size_t at_cause, at_ignored; /* certificates come in their order */
	uint64_t owner;              /* of the one that is looked at */
	enum cause_effect stands[PLAN_NAMES_MAX];
	struct err *err;
	enum rc rc;
};

static enum rc
name_index(unsigned *out, struct sweep_plan *p, const char *name, struct err *err)
{
	for (size_t i = 0; i < p->n_names; i++)
		if (strcmp(p->names[i], name) == 0) {
			*out = (unsigned)i;
			return RC_OK;
		}
	if (p->n_names == PLAN_NAMES_MAX)
		return fail(
		    err, RC_LIMIT, "certificates are held by more than %d rules", PLAN_NAMES_MAX);
	*out = (unsigned)p->n_names;
	if (str_dup(&p->names[p->n_names], name, err) != RC_OK)
		return RC_NOMEM;
	p->n_names++;
	return RC_OK;
}

/* Room for one more, doubling. */
static enum rc
grow(void *array, size_t n, size_t *room, size_t size, struct err *err)
{
	size_t more = *room == 0 ? 256 : 2 * *room;
	void *old, *grown;

	if (n < *room)
		return RC_OK;
	memcpy(&old, array, sizeof(old));
	if ((grown = realloc(old, more * size)) == NULL)
		return fail(err, RC_NOMEM, "no memory for a sweep");
	memcpy(array, &grown, sizeof(grown));
	*room = more;
	return RC_OK;
}

struct marking {
	struct making *m;
	struct marks *to;
};

static int
on_mark(void *arg, const struct store_rule_mark *k)
{
	struct marking *g = arg;
	struct marks *to = g->to;
	struct making *m = g->m;
	struct mark one = {
		.cert_id = k->cert_id, .effect = k->effect, .sweep = k->sweep, .row = k->row
	};

	/* What a rule has revoked is over, whatever became of the rule. */
	if (to == &m->causes && k->effect == CAUSE_REVOKE)
		return 0;
	m->rc = name_index(&one.rule, m->p, k->rule, m->err);
	if (m->rc == RC_OK)
		m->rc = grow(&to->v, to->n, &to->room, sizeof(*to->v), m->err);
	if (m->rc == RC_OK)
		to->v[to->n++] = one;
	return m->rc != RC_OK;
}

static int
by_cert(const void *a, const void *b)
{
	const struct mark *x = a, *y = b;

	if (x->cert_id != y->cert_id)
		return x->cert_id < y->cert_id ? -1 : 1;
	return x->row < y->row ? -1 : x->row > y->row;
}

static enum rc
read_marks(struct making *m, struct err *err)
{
	struct marking causes = { m, &m->causes }, ignored = { m, &m->ignored };
	enum rc rc = store_rule_causes_each(m->ask->store, on_mark, &causes, err);

	if (rc == RC_OK && m->rc == RC_OK)
		rc = store_ignored_each(m->ask->store, on_mark, &ignored, err);
	if (rc == RC_OK && m->rc == RC_OK && m->ignored.n > 1)
		qsort(m->ignored.v, m->ignored.n, sizeof(m->ignored.v[0]), by_cert);
	return rc == RC_OK ? m->rc : rc;
}

static void
put_target(struct except *e, enum exception_of of, const char *target, const char *ca)
{
	(void)snprintf(e->target, sizeof(e->target), "%d%.64s %.255s", of, target, ca);
}

static int
on_exception(void *arg, const struct store_exception *e)
{
	struct making *m = arg;
	struct except one = { .rule = EVERY_RULE };

	if (!store_exception_in_force(e, m->ask->now))
		return 0;
	put_target(&one, e->of, e->target, e->ca);
	if (e->rule[0] != '\0')
		m->rc = name_index(&one.rule, m->p, e->rule, m->err);
	if (m->rc == RC_OK)
		m->rc = grow(&m->except, m->n_except, &m->room_except, sizeof(one), m->err);
	if (m->rc == RC_OK)
		m->except[m->n_except++] = one;
	return m->rc != RC_OK;
}

static int
by_target(const void *a, const void *b)
{
	return strcmp(((const struct except *)a)->target, ((const struct except *)b)->target);
}

static enum rc
read_exceptions(struct making *m, struct err *err)
{
	enum rc rc = store_exception_each(
	    m->ask->store, m->ask->now, 0, STORE_EXCEPTIONS_MAX, on_exception, m, err);

	if (rc == RC_OK && m->n_except > 1)
		qsort(m->except, m->n_except, sizeof(m->except[0]), by_target);
	return rc == RC_OK ? m->rc : rc;
}

static bool
excepted_as(
    const struct making *m, enum exception_of of, const char *target, const char *ca, unsigned rule)
{
	struct except key = { .rule = EVERY_RULE };
	size_t low = 0, high = m->n_except;

	if (target[0] == '\0')
		return false;
	put_target(&key, of, target, ca);
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (by_target(&m->except[mid], &key) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	for (; low < m->n_except && by_target(&m->except[low], &key) == 0; low++)
		if (m->except[low].rule == EVERY_RULE || m->except[low].rule == rule)
			return true;
	return false;
}

static bool
excepted(const struct making *m, const struct store_subject *c, unsigned rule)
{
	const struct store_binding *b = c->binding;

	return m->n_except > 0 &&
	    (excepted_as(m, EXCEPTION_CERT, c->serial, c->ca, rule) ||
		excepted_as(m, EXCEPTION_DEVICE, b->managed, "", rule) ||
		excepted_as(m, EXCEPTION_DEVICE, b->device, "", rule) ||
		excepted_as(m, EXCEPTION_DEVICE, b->device_object, "", rule) ||
		excepted_as(m, EXCEPTION_USER, b->user, "", rule));
}

/* ---- groups ---- */

static enum rc
group_has(
    struct making *m, const struct store_subject *c, const char *group, bool *has, int64_t *known)
{
	const char *const ids[] = { c->binding->user, c->binding->device_object };
	enum rc rc = RC_OK;

	*has = false;
	*known = 0;
	for (size_t i = 0; i < 2 && rc == RC_OK && !*has; i++)
		if (ids[i][0] != '\0')
			rc = store_group_has(
			    m->ask->store, c->binding->tenant, group, ids[i], has, known, m->err);
	return rc;
}

/* No is no only of groups that were all heard of, and as old as the oldest of them. */
static struct rule_membership
membership(void *arg, const struct rule_words *groups, const struct store_subject *c)
{
	struct rule_membership out = { DIR_NO, INT64_MAX };
	struct making *m = arg;

	for (size_t i = 0; i < groups->n && m->rc == RC_OK; i++) {
		int64_t known;
		bool has;

		m->rc = group_has(m, c, groups->v[i], &has, &known);
		if (m->rc == RC_OK && has)
			return (struct rule_membership){ DIR_YES, known };
		if (known == 0)
			out.member = DIR_UNSAID;
		if (known < out.known)
			out.known = known;
	}
	return out;
}

/* ---- one certificate ---- */

static enum rc
add(struct making *m, const struct store_subject *c, unsigned rule, const struct rule_verdict *v)
{
	struct sweep_plan *p = m->p;
	struct plan_count *n = &p->count[rule];
	struct planned t = { .cert_id = c->cert_id,
		.owner = m->owner,
		.rule = rule,
		.stands = m->stands[rule],
		.effect = v->effect,
		.reason = v->reason };

	if (p->n == STORE_SWEEP_TURNS_MAX) {
		p->cut = true;
		return RC_OK;
	}
	if (grow(&p->v, p->n, &p->room, sizeof(t), m->err) != RC_OK)
		return RC_NOMEM;
	/* Certificates of one CA follow each other: it is kept once for all of them. */
	t.ca =
	    p->n > 0 && strcmp(p->v[p->n - 1].ca, c->ca) == 0 ? p->v[p->n - 1].ca : keep(p, c->ca);
	if (t.ca == NULL || (t.comment = keep(p, v->comment)) == NULL)
		return fail(m->err, RC_NOMEM, "no memory for a sweep");
	(void)snprintf(t.serial, sizeof(t.serial), "%s", c->serial);
	if (p->n == 0 || p->v[p->n - 1].cert_id != t.cert_id)
		p->certs++;
	p->v[p->n++] = t;
	n->hold += t.effect == CAUSE_HOLD;
	n->revoke += t.effect == CAUSE_REVOKE;
	n->release += t.effect == CAUSE_GONE;
	if (m->ask->on_turn != NULL)
		m->ask->on_turn(m->ask->arg, c, &t, p->names[rule]);
	return RC_OK;
}

/* An administrator has said no to this, and the rule has not said anything else since. */
static bool
discarded(struct making *m, int64_t cert, unsigned rule, const struct rule_verdict *v)
{
	for (size_t i = m->at_ignored; i < m->ignored.n && m->ignored.v[i].cert_id == cert; i++) {
		struct mark *k = &m->ignored.v[i];

		if (k->rule != rule || (!v->keep && v->effect != k->effect))
			continue;
		k->used = true;
		return true;
	}
	return false;
}

static void
except(struct making *m, const struct store_subject *c, unsigned rule, struct rule_verdict *v)
{
	bool free = (v->keep ? m->stands[rule] : v->effect) == CAUSE_GONE;

	if (free || !excepted(m, c, rule))
		return;
	m->p->count[rule].excepted++;
	*v = (struct rule_verdict){ .says = v->says, .effect = CAUSE_GONE };
	(void)snprintf(v->comment, sizeof(v->comment), "an exception is in force");
}

static enum rc
turn(struct making *m, const struct store_subject *c, unsigned rule, const struct rule_verdict *v)
{
	if (discarded(m, c->cert_id, rule, v)) {
		m->p->count[rule].discarded++;
		return RC_OK;
	}
	return rule_verdict_turns(v, m->stands[rule]) ? add(m, c, rule, v) : RC_OK;
}

/* What stands of rules, by their numbers; the cursors go on to this certificate. */
static void
seek(struct making *m, int64_t cert)
{
	for (size_t i = 0; i < m->p->n_names; i++)
		m->stands[i] = CAUSE_GONE;
	while (m->at_cause < m->causes.n && m->causes.v[m->at_cause].cert_id < cert)
		m->at_cause++;
	while (m->at_ignored < m->ignored.n && m->ignored.v[m->at_ignored].cert_id < cert)
		m->at_ignored++;
	for (; m->at_cause < m->causes.n && m->causes.v[m->at_cause].cert_id == cert; m->at_cause++)
		m->stands[m->causes.v[m->at_cause].rule] = m->causes.v[m->at_cause].effect;
}

/* A rule that the configuration has no more lets go. */
static enum rc
turn_orphans(struct making *m, const struct store_subject *c)
{
	static const struct rule_verdict gone = { .says = RULE_NOT_MINE,
		.effect = CAUSE_GONE,
		.comment = "there is no such rule any more" };
	enum rc rc = RC_OK;

	for (size_t i = m->p->n_rules; i < m->p->n_names && rc == RC_OK; i++)
		if (m->stands[i] != CAUSE_GONE)
			rc = turn(m, c, (unsigned)i, &gone);
	return rc;
}

static int
on_subject(void *arg, const struct store_subject *c)
{
	struct making *m = arg;

	if (c->state == CERT_REVOKED)
		return 0;
	m->p->of++;
	if (m->ask->on_seen != NULL)
		m->ask->on_seen(m->ask->arg, c);
	m->owner = owner_of(c);
	m->rc = owners_add(&m->p->seen, m->owner, m->err);
	seek(m, c->cert_id);
	for (size_t i = 0; i < m->ask->n_rules && m->rc == RC_OK; i++) {
		struct rule_verdict v;

		directory_rule_judge(&v, &m->ask->rules[i], c, membership, m, m->ask->now);
		m->p->count[i].says[v.says]++;
		except(m, c, (unsigned)i, &v);
		if (m->rc == RC_OK)
			m->rc = turn(m, c, (unsigned)i, &v);
	}
	if (m->rc == RC_OK)
		m->rc = turn_orphans(m, c);
	return m->rc != RC_OK;
}

/* ---- all ---- */

static enum rc
walk(struct making *m, struct err *err)
{
	const struct plan_ask *ask = m->ask;
	/* Where there are no rules, and none has left a hold, nobody needs to be looked at. */
	bool more = ask->n_rules > 0 || m->causes.n > 0;
	int64_t after = 0;
	enum rc rc = RC_OK;

	while (rc == RC_OK && m->rc == RC_OK && more && !m->p->stopped) {
		rc = store_subjects_page(ask->store, ask->now, &after, &more, on_subject, m, err);
		m->p->stopped = ask->stop != NULL && *ask->stop;
	}
	return rc == RC_OK ? m->rc : rc;
}

static enum rc
list_forgotten(struct making *m, struct err *err)
{
	struct sweep_plan *p = m->p;
	size_t room = 0;
	enum rc rc = RC_OK;

	for (size_t i = 0; i < m->ignored.n && rc == RC_OK && !p->stopped; i++) {
		if (m->ignored.v[i].used)
			continue;
		rc = grow(&p->forget, p->n_forget, &room, sizeof(p->forget[0]), err);
		if (rc == RC_OK)
			p->forget[p->n_forget++] =
			    (struct store_rule_mark){ .sweep = m->ignored.v[i].sweep,
				    .row = m->ignored.v[i].row };
	}
	return rc;
}

static enum rc
name_rules(struct sweep_plan *p, const struct plan_ask *ask, struct err *err)
{
	unsigned at;
	enum rc rc = RC_OK;

	for (size_t i = 0; i < ask->n_rules && rc == RC_OK; i++)
		rc = name_index(&at, p, ask->rules[i].name, err);
	p->n_rules = ask->n_rules;
	return rc;
}

enum rc
sweep_plan_make(struct sweep_plan *out, const struct plan_ask *ask, struct err *err)
{
	struct making m = { .p = out, .ask = ask, .err = err };
	enum rc rc;

	*out = (struct sweep_plan){ 0 };
	rc = name_rules(out, ask, err);
	if (rc == RC_OK)
		rc = read_marks(&m, err);
	if (rc == RC_OK)
		rc = read_exceptions(&m, err);
	if (rc == RC_OK)
		rc = walk(&m, err);
	if (rc == RC_OK)
		rc = list_forgotten(&m, err);
	owners_sort(&out->seen);
	free(m.causes.v);
	free(m.ignored.v);
	free(m.except);
	if (rc != RC_OK)
		sweep_plan_done(out);
	return rc;
}
