/*
 * sweep_test.c - sweeps that wait, their turns, what is remembered of them; exceptions from rules.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "store/store_directory.h"
#include "store/store_sweep.h"

#include "fixture.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))
#define DAY  86400

/* Certificates 1 to n; their rows have these numbers too. */
static void
certs(struct sf *f, unsigned n)
{
	for (unsigned i = 1; i <= n; i++)
		sf_drive(f, i, TX_DELIVERED);
}

static struct store_turn
turn(int64_t cert, const char *rule, enum cause_effect effect)
{
	return (struct store_turn){ .cert_id = cert,
		.rule = rule,
		.effect = effect,
		.reason = effect == CAUSE_REVOKE ? 5
		    : effect == CAUSE_HOLD       ? 6
						 : 0,
		.comment = "Intune says so" };
}

/* One that waits, of these turns. */
static int64_t
waiting(struct sf *f, const struct store_turn *v, size_t n)
{
	const struct store_sweep_new what = { "too many", n, 100, n, 90 };
	int64_t id = 0;

	ok(f, store_sweep_begin(f->s, &what, &id, &f->err));
	ok(f, store_sweep_add(f->s, id, 0, v, n, &f->err));
	ok(f, store_sweep_ready(f->s, id, &f->err));
	return id;
}

static int
keep_turns(void *arg, const struct store_turn *t)
{
	struct buf *b = arg;

	buf_addf(b, "%lld %s %d %d %s;", (long long)t->cert_id, t->rule, t->effect, t->reason,
	    t->comment);
	assert_true(strlen(t->serial) > 0);
	return 0;
}

static void
turns_are(struct sf *f, int64_t id, uint64_t after, size_t max, const char *expected)
{
	struct buf b;

	buf_init(&b, 100000);
	ok(f, store_sweep_turns(f->s, id, after, max, keep_turns, &b, &f->err));
	assert_string_equal(buf_str(&b), expected);
	buf_done(&b);
}

static int
count_marks(void *arg, const struct store_rule_mark *m)
{
	struct buf *b = arg;

	buf_addf(b, "%lld %s %d;", (long long)m->cert_id, m->rule, m->effect);
	return 0;
}

static void
marks_are(struct sf *f, bool ignored, const char *expected)
{
	struct buf b;

	buf_init(&b, 100000);
	if (ignored)
		ok(f, store_ignored_each(f->s, count_marks, &b, &f->err));
	else
		ok(f, store_rule_causes_each(f->s, count_marks, &b, &f->err));
	assert_string_equal(buf_str(&b), expected);
	buf_done(&b);
}

static enum sweep_state
state_of(struct sf *f, int64_t id)
{
	struct store_sweep s = { 0 };
	enum sweep_state is;

	ok(f, store_sweep_get(f->s, id, &s, &f->err));
	is = s.state;
	store_sweep_done(&s);
	return is;
}

static int
keep_whose(void *arg, const struct store_sweep_owner *o)
{
	struct buf *b = arg;

	buf_addf(b, "%s %s %llu;", o->person_id != NULL ? o->person_id : "-",
	    o->device_id != NULL ? o->device_id : "-", (unsigned long long)o->certs);
	assert_true(strlen(o->serial) > 0);
	return 0;
}

static void
owners_are(struct sf *f, int64_t id, size_t max, const char *expected)
{
	struct buf b;

	buf_init(&b, 100000);
	ok(f, store_sweep_owners(f->s, id, max, keep_whose, &b, &f->err));
	assert_string_equal(buf_str(&b), expected);
	buf_done(&b);
}

static void
beside_is(struct sf *f, int64_t id, uint64_t turned, uint64_t waiting)
{
	struct store_sweep s = { 0 };

	ok(f, store_sweep_get(f->s, id, &s, &f->err));
	assert_int_equal(s.beside, turned);
	assert_int_equal(s.beside_waiting, waiting);
	store_sweep_done(&s);
}

/* ---- sweeps ---- */

static void
a_sweep_waits_once_it_is_ready(void **state)
{
	const struct store_sweep_new what = { "312 of 2300", 2, 2300, 1, 2100 };
	struct sf *f = *state;
	struct store_sweep s = { 0 };
	struct store_turn v[] = { turn(1, "a", CAUSE_HOLD), turn(2, "b", CAUSE_REVOKE),
		turn(2, "c", CAUSE_GONE) };
	int64_t id = 0;

	certs(f, 2);
	assert_int_equal(store_sweep_current(f->s, &s, &f->err), RC_NOTFOUND);
	ok(f, store_sweep_begin(f->s, &what, &id, &f->err));
	ok(f, store_sweep_add(f->s, id, 0, v, 2, &f->err));
	ok(f, store_sweep_add(f->s, id, 2, v + 2, 1, &f->err));
	assert_int_equal(store_sweep_current(f->s, &s, &f->err), RC_NOTFOUND);
	assert_int_equal(store_sweep_get(f->s, id, &s, &f->err), RC_NOTFOUND);
	assert_int_equal(
	    store_sweep_decide(f->s, id, SWEEP_APPROVED, "jane", &f->err), RC_NOTFOUND);
	ok(f, store_sweep_ready(f->s, id, &f->err));
	ok(f, store_sweep_current(f->s, &s, &f->err));
	assert_int_equal(s.id, id);
	assert_int_equal(s.state, SWEEP_WAITING);
	assert_int_equal(s.turns, 3);
	assert_int_equal(s.certs, 2);
	assert_int_equal(s.of, 2300);
	assert_int_equal(s.owners, 1);
	assert_int_equal(s.of_owners, 2100);
	assert_int_equal(s.dealt + s.applied, 0);
	assert_string_equal(s.why, "312 of 2300");
	assert_null(s.who);
	store_sweep_done(&s);
	turns_are(
	    f, id, 0, 10, "1 a 1 6 Intune says so;2 b 2 5 Intune says so;2 c 0 0 Intune says so;");
	turns_are(f, id, 1, 1, "2 b 2 5 Intune says so;");
	turns_are(f, id, 3, 10, "");
	assert_int_equal(store_sweep_ready(f->s, id, &f->err), RC_CONFLICT);
}

static int
keep_names(void *arg, const struct store_turn *t)
{
	struct buf *b = arg;

	buf_addf(b, "%lld %s %s;", (long long)t->cert_id, t->person != NULL ? t->person : "-",
	    t->device != NULL ? t->device : "-");
	return 0;
}

static void
bind(struct sf *f, unsigned cert, const struct store_binding *b)
{
	struct sf_tx t;

	sf_tx(&t, cert);
	ok(f, store_binding_set(f->s, t.serial, NULL, b, &f->err));
}

static void
a_turn_tells_whose_it_is_by_the_names_of_now(void **state)
{
	static const struct store_binding whole = { .state = BINDING_BOUND,
		.tenant = "contoso",
		.user = "u1",
		.device_object = "o1",
		.managed = "m1",
		.upn = "maiden.name@contoso.com" },
					  entra = { .state = BINDING_BOUND,
						  .tenant = "contoso",
						  .upn = "omar@contoso.com",
						  .device_object = "o1" };
	static const struct store_object v[] = {
		{ .kind = DIR_USER, .tenant = "contoso", .id = "u1", .name = "jane@contoso.com" },
		{ .kind = DIR_DEVICE, .tenant = "contoso", .id = "o1", .name = "in Entra" },
		{ .kind = DIR_MANAGED, .tenant = "contoso", .id = "m1", .name = "LAPTOP-7" },
	};
	struct store_turn t[] = { turn(1, "a", CAUSE_HOLD), turn(2, "a", CAUSE_HOLD),
		turn(3, "a", CAUSE_HOLD) };
	struct sf *f = *state;
	size_t changed;
	struct buf b;

	certs(f, 3);
	bind(f, 1, &whole);
	bind(f, 2, &entra);
	ok(f, store_objects_put(f->s, v, N(v), &changed, &f->err));
	buf_init(&b, 1000);
	ok(f, store_sweep_turns(f->s, waiting(f, t, N(t)), 0, 10, keep_names, &b, &f->err));
	assert_string_equal(
	    buf_str(&b), "1 jane@contoso.com LAPTOP-7;2 omar@contoso.com in Entra;3 - -;");
	buf_done(&b);
}

static void
at_most_one_waits_or_is_applied(void **state)
{
	const struct store_sweep_new what = { "why", 1, 1 };
	struct sf *f = *state;
	struct store_turn v = turn(1, "a", CAUSE_HOLD);
	int64_t id, other;

	certs(f, 1);
	id = waiting(f, &v, 1);
	assert_int_equal(store_sweep_begin(f->s, &what, &other, &f->err), RC_CONFLICT);
	ok(f, store_sweep_decide(f->s, id, SWEEP_APPROVED, "jane", &f->err));
	assert_int_equal(store_sweep_begin(f->s, &what, &other, &f->err), RC_CONFLICT);
	ok(f, store_sweep_dealt(f->s, id, 1, 1, &f->err));
	ok(f, store_sweep_begin(f->s, &what, &other, &f->err));
	assert_true(other > id);
}

static void
the_second_administrator_hears_who_was_first(void **state)
{
	static const enum sweep_state both[] = { SWEEP_APPROVED, SWEEP_DISCARDED };
	struct sf *f = *state;
	struct store_turn v = turn(1, "a", CAUSE_HOLD);

	certs(f, 1);
	for (size_t i = 0; i < N(both); i++)
		for (size_t k = 0; k < N(both); k++) {
			int64_t id = waiting(f, &v, 1);

			ok(f, store_sweep_decide(f->s, id, both[i], "jane", &f->err));
			assert_int_equal(
			    store_sweep_decide(f->s, id, both[k], "joe", &f->err), RC_CONFLICT);
			assert_non_null(strstr(f->err.msg, sweep_state_name(both[i])));
			assert_non_null(strstr(f->err.msg, "by jane"));
			assert_int_equal(
			    store_sweep_obsolete(f->s, id, "sensible again", &f->err), RC_CONFLICT);
			if (both[i] == SWEEP_APPROVED)
				ok(f, store_sweep_dealt(f->s, id, 1, 0, &f->err));
		}
}

static void
what_is_dealt_with_survives_a_restart(void **state)
{
	struct sf *f = *state;
	struct store_turn v[] = { turn(1, "a", CAUSE_HOLD), turn(2, "a", CAUSE_HOLD) };
	struct store_sweep s = { 0 };
	int64_t id;

	certs(f, 2);
	id = waiting(f, v, 2);
	assert_int_equal(store_sweep_dealt(f->s, id, 1, 1, &f->err), RC_CONFLICT);
	ok(f, store_sweep_decide(f->s, id, SWEEP_APPROVED, "jane", &f->err));
	ok(f, store_sweep_dealt(f->s, id, 1, 1, &f->err));
	sf_restart(f);
	ok(f, store_sweep_current(f->s, &s, &f->err));
	assert_int_equal(s.state, SWEEP_APPROVED);
	assert_int_equal(s.dealt, 1);
	assert_string_equal(s.who, "jane");
	store_sweep_done(&s);
	ok(f, store_sweep_dealt(f->s, id, 2, 1, &f->err));
	assert_int_equal(state_of(f, id), SWEEP_DONE);
	assert_int_equal(store_sweep_current(f->s, &s, &f->err), RC_NOTFOUND);
	assert_int_equal(sf_number(f, "SELECT count(*) FROM audit WHERE event LIKE 'sweep-%'"), 3);
}

static void
what_a_crash_left_unready_is_dropped(void **state)
{
	const struct store_sweep_new what = { "why", 1, 1 };
	struct sf *f = *state;
	struct store_turn v = turn(1, "a", CAUSE_HOLD);
	int64_t id = 0;
	size_t n = 1;

	certs(f, 1);
	ok(f, store_sweep_begin(f->s, &what, &id, &f->err));
	ok(f, store_sweep_add(f->s, id, 0, &v, 1, &f->err));
	sf_restart(f);
	while (n > 0)
		ok(f, store_sweep_tidy(f->s, 0, &n, &f->err));
	assert_int_equal(sf_number(f, "SELECT count(*) FROM sweep_turn"), 0);
	assert_int_equal(sf_number(f, "SELECT count(*) FROM sweep"), 0);
	(void)waiting(f, &v, 1);
}

static void
sweeps_that_ended_long_ago_are_dropped_and_what_is_remembered_stays(void **state)
{
	struct sf *f = *state;
	struct store_turn v = turn(1, "a", CAUSE_HOLD);
	int64_t done, obsolete, discarded, waits, now = clock_now_ms();
	size_t n = 1;

	certs(f, 1);
	done = waiting(f, &v, 1);
	ok(f, store_sweep_decide(f->s, done, SWEEP_APPROVED, "jane", &f->err));
	ok(f, store_sweep_dealt(f->s, done, 1, 1, &f->err));
	obsolete = waiting(f, &v, 1);
	ok(f, store_sweep_obsolete(f->s, obsolete, "sensible again", &f->err));
	discarded = waiting(f, &v, 1);
	ok(f, store_sweep_decide(f->s, discarded, SWEEP_DISCARDED, "jane", &f->err));
	waits = waiting(f, &v, 1);
	ok(f, store_sweep_tidy(f->s, now - 1000, &n, &f->err));
	assert_int_equal(n, 0);
	do
		ok(f, store_sweep_tidy(f->s, now + 3600000, &n, &f->err));
	while (n > 0);
	assert_int_equal(sf_number(f, "SELECT count(*) FROM sweep"), 2);
	assert_int_equal(state_of(f, discarded), SWEEP_DISCARDED);
	assert_int_equal(state_of(f, waits), SWEEP_WAITING);
	marks_are(f, true, "1 a 1;");
}

static void
what_was_discarded_is_remembered_until_it_is_forgotten(void **state)
{
	struct sf *f = *state;
	struct store_turn v[] = { turn(1, "a", CAUSE_HOLD), turn(2, "b", CAUSE_GONE) };
	struct store_rule_mark m = { .row = 1 };

	certs(f, 2);
	marks_are(f, true, "");
	m.sweep = waiting(f, v, 2);
	marks_are(f, true, "");
	ok(f, store_sweep_decide(f->s, m.sweep, SWEEP_DISCARDED, "jane", &f->err));
	marks_are(f, true, "1 a 1;2 b 0;");
	ok(f, store_ignored_forget(f->s, &m, 1, &f->err));
	marks_are(f, true, "2 b 0;");
	ok(f, store_ignored_forget(f->s, &m, 1, &f->err)); /* may be repeated */
	sf_restart(f);
	marks_are(f, true, "2 b 0;");
}

static void
only_causes_of_rules_are_told(void **state)
{
	struct sf *f = *state;
	struct sf_tx t[3];
	struct store_cause_set v[3];

	certs(f, 3);
	for (unsigned i = 0; i < 3; i++)
		sf_tx(&t[i], i + 1);
	v[0] =
	    (struct store_cause_set){ t[2].serial, CAUSE_RULE, "z", CAUSE_HOLD, 0, 0, NULL, "x" };
	v[1] = (struct store_cause_set){ t[0].serial, CAUSE_MANUAL, NULL, CAUSE_HOLD, 0, 0, "jane",
		NULL };
	v[2] = (struct store_cause_set){ t[0].serial, CAUSE_RULE, "a", CAUSE_REVOKE, 5, 0, NULL,
		NULL };
	ok(f, store_causes_set(f->s, v, 3, NULL, &f->err));
	marks_are(f, false, "1 a 2;3 z 1;");
}

static int
keep_owner(void *arg, uint64_t owner)
{
	buf_addf(arg, "%llx;", (unsigned long long)owner);
	return 0;
}

static void
turned_are(struct sf *f, int64_t since, const char *expected)
{
	struct buf b;

	buf_init(&b, 100000);
	ok(f, store_turned_since(f->s, since, keep_owner, &b, &f->err));
	assert_string_equal(buf_str(&b), expected);
	buf_done(&b);
}

static void
whoever_was_turned_lately_is_known_once_until_an_administrator_has_looked(void **state)
{
	static const uint64_t early[] = { 1, 2, 3, UINT64_MAX }, late[] = { 3, 0xa }, far[] = { 9 };
	struct sf *f = *state;
	struct store_turn v = turn(1, "a", CAUSE_HOLD);
	int64_t now = clock_now_ms() / 1000, id;

	certs(f, 1);
	turned_are(f, 0, "");
	ok(f, store_turned_add(f->s, now - 7200, early, N(early), 0, &f->err));
	ok(f, store_turned_add(f->s, now - 60, late, N(late), 0, &f->err));
	ok(f, store_turned_add(f->s, now - 60, late, N(late), 0, &f->err));
	turned_are(f, now - 3600, "3;a;");
	ok(f,
	    store_turned_add(
		f->s, now - 7200, late, N(late), 0, &f->err)); /* a clock that went back */
	sf_restart(f);
	turned_are(f, now - 3600, "3;a;");
	turned_are(f, now - 3 * 3600, "ffffffffffffffff;1;2;3;a;");
	ok(f, store_turned_add(f->s, now + 25 * 3600, far, 1, 0, &f->err));
	turned_are(f, now - 3 * 3600, "9;"); /* a day is kept */
	id = waiting(f, &v, 1);
	ok(f, store_sweep_decide(f->s, id, SWEEP_APPROVED, "jane", &f->err));
	turned_are(f, 0, "");
}

static void
a_sweeps_own_turns_are_told_as_marks(void **state)
{
	struct sf *f = *state;
	struct store_turn v[] = { turn(1, "a", CAUSE_HOLD), turn(2, "b", CAUSE_GONE) };
	struct buf b;
	int64_t id;

	certs(f, 2);
	id = waiting(f, v, 2);
	buf_init(&b, 1000);
	ok(f, store_sweep_marks(f->s, id, count_marks, &b, &f->err));
	ok(f, store_sweep_marks(f->s, id + 1, count_marks, &b, &f->err));
	assert_string_equal(buf_str(&b), "1 a 1;2 b 0;");
	buf_done(&b);
}

/* Whoever approves a number gets what was shown under it, or is told where to look. */
static void
who_approves_a_sweep_that_has_grown_is_told_the_new_number(void **state)
{
	struct sf *f = *state;
	struct store_turn v = turn(1, "a", CAUSE_HOLD);
	char number[40];
	int64_t old, grown;

	certs(f, 1);
	old = waiting(f, &v, 1);
	ok(f, store_sweep_obsolete(f->s, old, "more by now", &f->err));
	assert_int_equal(
	    store_sweep_decide(f->s, old, SWEEP_APPROVED, "jane", &f->err), RC_CONFLICT);
	assert_non_null(strstr(f->err.msg, "is obsolete already"));
	grown = waiting(f, &v, 1);
	assert_int_equal(
	    store_sweep_decide(f->s, old, SWEEP_APPROVED, "jane", &f->err), RC_CONFLICT);
	(void)snprintf(number, sizeof(number), "sweep %lld has taken its place", (long long)grown);
	assert_non_null(strstr(f->err.msg, number));
	assert_int_equal(state_of(f, grown), SWEEP_WAITING);
}

static void
more_than_a_batch_is_refused(void **state)
{
	static struct store_turn v[STORE_CAUSES_BATCH + 1];
	struct sf *f = *state;

	for (size_t i = 0; i < N(v); i++)
		v[i] = turn(1, "a", CAUSE_HOLD);
	assert_int_equal(store_sweep_add(f->s, 1, 0, v, N(v), &f->err), RC_LIMIT);
	assert_int_equal(store_sweep_add(f->s, 1, STORE_SWEEP_TURNS_MAX, v, 1, &f->err), RC_LIMIT);
	assert_int_equal(store_ignored_forget(f->s, NULL, N(v), &f->err), RC_LIMIT);
	assert_int_equal(store_turned_add(f->s, 1, NULL, N(v), 0, &f->err), RC_LIMIT);
}

static void
a_sweep_tells_whose_its_certificates_are(void **state)
{
	struct sf *f = *state;
	struct store_turn v[] = { turn(1, "off", CAUSE_HOLD), turn(1, "gone", CAUSE_REVOKE),
		turn(2, "off", CAUSE_HOLD), turn(3, "off", CAUSE_HOLD),
		turn(4, "off", CAUSE_HOLD) };
	int64_t id;

	certs(f, 4);
	sf_sql(f,
	    "INSERT INTO binding(cert_id, state, tenant, user, device, device_object, managed, upn,"
	    " serial_number, sid, platform, owner, enrolled, asked, tries) VALUES"
	    " (1, 2, 'contoso', 'jane', 'entra-1', 'object-1', 'intune-1', '', '', '', '', '', 0, "
	    "0, 0),"
	    " (3, 2, 'contoso', 'jane', 'entra-1', 'object-1', 'intune-1', '', '', '', '', '', 0, "
	    "0, 0),"
	    " (4, 2, 'contoso', 'joe', 'entra-4', 'object-4', '', '', '', '', '', '', 0, 0, 0);");
	v[0].owner = v[1].owner = v[3].owner = UINT64_MAX; /* one device */
	v[2].owner = 7;
	v[4].owner = 9;
	id = waiting(f, v, N(v));
	owners_are(f, id, 10, "jane intune-1 2;- - 1;joe entra-4 1;");
	owners_are(f, id, 2, "jane intune-1 2;- - 1;");
	owners_are(f, id + 1, 10, "");
}

/* A version that did not write it down: each certificate is by itself. */
static void
a_sweep_without_owners_has_certificates(void **state)
{
	struct sf *f = *state;
	const struct store_turn v[] = { turn(1, "off", CAUSE_HOLD), turn(1, "gone", CAUSE_REVOKE),
		turn(2, "off", CAUSE_HOLD) };

	certs(f, 2);
	owners_are(f, waiting(f, v, N(v)), 10, "- - 1;- - 1;");
}

static void
who_is_turned_beside_a_sweep_is_counted_once(void **state)
{
	struct sf *f = *state;
	const struct store_turn v = turn(1, "off", CAUSE_HOLD);
	const uint64_t before[] = { 1 }, some[] = { 2, 3 }, more[] = { 3, 4 };
	int64_t now = clock_now(), id;

	certs(f, 1);
	ok(f, store_turned_add(f->s, now - 600, before, N(before), 0, &f->err));
	id = waiting(f, &v, 1);
	beside_is(f, id, 0, 0);
	ok(f, store_turned_add(f->s, now, some, N(some), id, &f->err));
	beside_is(f, id, 2, 0);
	ok(f, store_turned_add(f->s, now + 120, more, N(more), id, &f->err));
	beside_is(f, id, 3, 0);
	ok(f, store_turned_add(f->s, now + 180, before, N(before), id, &f->err));
	beside_is(f, id, 4, 0); /* turned long before the sweep, and again */
	ok(f, store_sweep_beside(f->s, id, 12, &f->err));
	sf_restart(f);
	beside_is(f, id, 4, 12);
	/* Decided it stays as it was shown. */
	ok(f, store_sweep_decide(f->s, id, SWEEP_DISCARDED, "jane", &f->err));
	ok(f, store_sweep_beside(f->s, id, 0, &f->err));
	beside_is(f, id, 4, 12);
}

/* ---- exceptions ---- */

static struct store_exception
exception(const char *who, int64_t secs)
{
	return (struct store_exception){ .of = EXCEPTION_DEVICE,
		.target = "d-1",
		.rule = "compliance",
		.until = clock_now() + secs,
		.who = (char *)who,
		.comment = (char *)"repair" };
}

static int
first_exception(void *arg, const struct store_exception *row)
{
	struct store_exception *out = arg;

	out->id = row->id;
	out->of = row->of;
	out->created = row->created;
	out->confirmed = row->confirmed;
	out->ended = row->ended;
	out->until = row->until;
	(void)strcpy(out->target, row->target);
	(void)strcpy(out->rule, row->rule);
	return 1;
}

static struct store_exception
read_exception(struct sf *f, int64_t id)
{
	struct store_exception e = { 0 };

	ok(f, store_exception_each(f->s, 0, id - 1, 1, first_exception, &e, &f->err));
	assert_int_equal(e.id, id);
	return e;
}

static void
alone_an_exception_is_in_force_at_once_and_over_by_itself(void **state)
{
	struct sf *f = *state;
	struct store_exception e = exception("jane (uid 1000)", DAY), got;
	int64_t id = 0;

	ok(f, store_exception_add(f->s, &e, false, &id, &f->err));
	got = read_exception(f, id);
	assert_string_equal(got.target, "d-1");
	assert_string_equal(got.rule, "compliance");
	assert_true(store_exception_in_force(&got, clock_now()));
	assert_true(store_exception_in_force(&got, e.until - 1));
	assert_false(store_exception_in_force(&got, e.until));
	assert_int_equal(store_exception_confirm(f->s, id, "joe", &f->err), RC_CONFLICT);
	ok(f, store_exception_end(f->s, id, "joe", &f->err));
	got = read_exception(f, id);
	assert_false(store_exception_in_force(&got, clock_now()));
	assert_int_equal(store_exception_end(f->s, id, "jane", &f->err), RC_CONFLICT);
	assert_non_null(strstr(f->err.msg, "joe"));
	assert_int_equal(
	    sf_number(f, "SELECT count(*) FROM audit WHERE event LIKE 'exception%'"), 2);
}

static void
with_a_second_one_it_waits_for_somebody_else(void **state)
{
	static const struct {
		const char *first, *second;
		bool same;
	} rows[] = {
		{ "jane (uid 1000)", "jane (uid 1000)", true },
		{ "jane (uid 1000)", "root (uid 0, sudo by jane)", true },
		{ "root (uid 0, sudo by jane)", "jane (uid 1000)", true },
		{ "root (uid 0)", "root (uid 0)", true },
		{ "token-a", "token-a", true },
		{ "Jane (uid 1000)", "jane (uid 1000)", true },
		{ "root (uid 0, sudo by JANE)", "jane (uid 1000)", true },
		{ "jane", "Jane (uid 1000)", true }, /* a token that has a person's name */
		{ "jane (uid 1000)", "joe (uid 1001)", false },
		{ "root (uid 0, sudo by jane)", "root (uid 0, sudo by joe)", false },
		{ "root (uid 0, sudo by jane)", "root (uid 0)", false },
		{ "jan (uid 1002)", "jane (uid 1000)", false },
		{ "token-a", "jane (uid 1000)", false },
	};
	struct sf *f = *state;

	for (size_t i = 0; i < N(rows); i++) {
		struct store_exception e = exception(rows[i].first, DAY), got;
		int64_t id = 0;

		assert_int_equal(store_same_person(rows[i].first, rows[i].second), rows[i].same);
		ok(f, store_exception_add(f->s, &e, true, &id, &f->err));
		got = read_exception(f, id);
		assert_false(store_exception_in_force(&got, clock_now()));
		assert_int_equal(store_exception_confirm(f->s, id, rows[i].second, &f->err),
		    rows[i].same ? RC_DENIED : RC_OK);
		got = read_exception(f, id);
		assert_int_equal(store_exception_in_force(&got, clock_now()), !rows[i].same);
		ok(f, store_exception_end(f->s, id, "joe", &f->err));
		assert_int_equal(
		    store_exception_confirm(f->s, id, "somebody", &f->err), RC_CONFLICT);
	}
}

static void
an_exception_has_an_end_that_is_near(void **state)
{
	struct sf *f = *state;
	struct store_exception never = exception("jane", 91 * DAY), past = exception("jane", -1),
			       nobody = exception("jane", DAY);
	int64_t id;

	nobody.target[0] = '\0';
	assert_int_equal(store_exception_add(f->s, &never, false, &id, &f->err), RC_DENIED);
	assert_int_equal(store_exception_add(f->s, &past, false, &id, &f->err), RC_DENIED);
	assert_int_equal(store_exception_add(f->s, &nobody, false, &id, &f->err), RC_BUG);
	assert_int_equal(store_exception_end(f->s, 77, "jane", &f->err), RC_NOTFOUND);
	assert_int_equal(store_exception_confirm(f->s, 77, "jane", &f->err), RC_NOTFOUND);
}

static int
count_exceptions(void *arg, const struct store_exception *row)
{
	++*(size_t *)arg;
	return row->id < 0;
}

static void
what_is_over_is_listed_only_when_asked_for(void **state)
{
	struct sf *f = *state;
	struct store_exception e = exception("jane", DAY);
	int64_t id, now = clock_now();
	size_t n = 0;

	for (int i = 0; i < 3; i++)
		ok(f, store_exception_add(f->s, &e, i == 0, &id, &f->err));
	ok(f, store_exception_end(f->s, id, "jane", &f->err));
	ok(f, store_exception_each(f->s, now, 0, 10, count_exceptions, &n, &f->err));
	assert_int_equal(n, 2);
	n = 0;
	ok(f, store_exception_each(f->s, now + 2 * DAY, 0, 10, count_exceptions, &n, &f->err));
	assert_int_equal(n, 0);
	ok(f, store_exception_each(f->s, 0, 0, 10, count_exceptions, &n, &f->err));
	assert_int_equal(n, 3);
	n = 0;
	ok(f, store_exception_each(f->s, 0, 1, 1, count_exceptions, &n, &f->err));
	assert_int_equal(n, 1);
}

static void
there_are_not_too_many_exceptions(void **state)
{
	struct sf *f = *state;
	struct store_exception e = exception("jane", DAY);
	int64_t id;

	sf_sql(f,
	    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)"
	    " INSERT INTO exception(kind, target, rule, created, until, confirmed, who)"
	    " SELECT 1, 'AA', '', 1, 9999999999, 1, 'x' FROM n");
	assert_int_equal(store_exception_add(f->s, &e, false, &id, &f->err), RC_LIMIT);
	ok(f, store_exception_end(f->s, 1, "jane", &f->err));
	ok(f, store_exception_add(f->s, &e, false, &id, &f->err));
}

#define T(fn) cmocka_unit_test_setup_teardown((fn), sf_setup, sf_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_sweep_waits_once_it_is_ready),
		T(a_turn_tells_whose_it_is_by_the_names_of_now),
		T(at_most_one_waits_or_is_applied),
		T(the_second_administrator_hears_who_was_first),
		T(what_is_dealt_with_survives_a_restart),
		T(what_a_crash_left_unready_is_dropped),
		T(sweeps_that_ended_long_ago_are_dropped_and_what_is_remembered_stays),
		T(what_was_discarded_is_remembered_until_it_is_forgotten),
		T(only_causes_of_rules_are_told),
		T(whoever_was_turned_lately_is_known_once_until_an_administrator_has_looked),
		T(a_sweeps_own_turns_are_told_as_marks),
		T(who_approves_a_sweep_that_has_grown_is_told_the_new_number),
		T(a_sweep_tells_whose_its_certificates_are),
		T(a_sweep_without_owners_has_certificates),
		T(who_is_turned_beside_a_sweep_is_counted_once),
		T(more_than_a_batch_is_refused),
		T(alone_an_exception_is_in_force_at_once_and_over_by_itself),
		T(with_a_second_one_it_waits_for_somebody_else),
		T(an_exception_has_an_end_that_is_near),
		T(what_is_over_is_listed_only_when_asked_for),
		T(there_are_not_too_many_exceptions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
