/*
 * sweep_test.c - rules carried out on a database: holds that come and go, the brake in both directions, what waits,
 * is approved, discarded, obsolete; exceptions; outages.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../store/fixture.h"
#include "base/clock.h"
#include "base/log.h"
#include "scepd/sweep.h"
#include "scepd/sweep_plan.h"
#include "store/store_directory.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))
#define DAY  86400
#define MANY 40

static atomic_bool go_on;

/* A database with MANY certificates, each of a user and a device of its own that are well, rules, and a sweeper. */
struct world {
	struct sf f;
	struct config config;
	struct directory_rule rules[4];
	struct metrics *metrics;
	struct sweeper *w;
	unsigned changed;
	int64_t now;
};

static const char *
id(const char *kind, unsigned n)
{
	static char texts[8][40];
	static unsigned next;
	char *out = texts[next++ % 8];

	(void)snprintf(out, sizeof(texts[0]), "%s-%u", kind, n);
	return out;
}

static struct store_object
object(enum dir_kind kind, unsigned n, int64_t known)
{
	struct store_object o = { .kind = kind,
		.presence = DIR_FOUND,
		.enabled = kind == DIR_MANAGED ? DIR_UNSAID : DIR_YES,
		.compliant = kind == DIR_USER ? DIR_UNSAID : DIR_YES,
		.known = known };

	(void)strcpy(o.tenant, "contoso");
	(void)strcpy(o.id,
	    id(kind == DIR_USER          ? "user"
		    : kind == DIR_DEVICE ? "device"
					 : "managed",
		n));
	(void)strcpy(o.management, kind == DIR_MANAGED ? "managed" : "");
	return o;
}

static void
tell(struct world *w, const struct store_object *o)
{
	size_t changed;

	ok(&w->f, store_objects_put(w->f.s, o, 1, &changed, &w->f.err));
}

static void
changed(void *arg)
{
	++*(unsigned *)arg;
}

static void
start(struct world *w)
{
	const struct sweeper_conf conf = { .store = w->f.s,
		.config = &w->config,
		.metrics = w->metrics,
		.changed = changed,
		.arg = &w->changed };

	sweeper_free(w->w);
	assert_int_equal(sweeper_new(&w->w, &conf, NULL), RC_OK);
}

static const char *
serial(unsigned n)
{
	static struct sf_tx t;

	sf_tx(&t, n);
	return t.serial;
}

/* Behind the store's back and in one commit, as the disk of a busy machine is slow. */
static void
people_the_database(struct world *w)
{
	struct buf sql;

	buf_init(&sql, 1000000);
	buf_addf(&sql, "BEGIN;");
	for (unsigned i = 1; i <= MANY; i++)
		buf_addf(&sql,
		    "INSERT INTO cert(id, serial, tx_id, audit, issued, not_before, not_after, ca,"
		    " endpoint, profile, thumbprint, der) VALUES(%u, x'%s', 0, 0, 1000, 1000,"
		    " 4000000000, 'issuing', 'corp', 'wifi', '00', x'00');"
		    "INSERT INTO binding(cert_id, state, tenant, user, device, device_object,"
		    " managed, upn, serial_number, sid, platform, owner, enrolled, asked, tries)"
		    " VALUES(%u, 2, 'contoso', 'user-%u', 'entra-%u', 'device-%u', 'managed-%u',"
		    " '', '', '', '', '', 0, 0, 0);",
		    i, serial(i), i, i, i, i, i);
	buf_addf(&sql, "COMMIT;");
	assert_int_equal(buf_ok(&sql, "sql", NULL), RC_OK);
	sf_sql(&w->f, buf_str(&sql));
	buf_done(&sql);
}

static void
all_are_well(struct world *w)
{
	struct store_object v[3 * MANY];
	size_t n = 0, changed;

	for (unsigned i = 1; i <= MANY; i++)
		for (int kind = DIR_USER; kind <= DIR_MANAGED; kind++)
			v[n++] = object((enum dir_kind)kind, i, w->now);
	ok(&w->f, store_objects_put(w->f.s, v, n, &changed, &w->f.err));
}

static int
setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	void *f;

	assert_non_null(w);
	assert_int_equal(sf_setup(&f), 0);
	w->f = *(struct sf *)f;
	free(f);
	w->now = clock_now();
	w->rules[0] = (struct directory_rule){
		.name = "compliance", .when = WHEN_NOT_COMPLIANT, .then = CAUSE_HOLD
	};
	w->rules[1] = (struct directory_rule){
		.name = "off", .when = WHEN_USER_DISABLED, .then = CAUSE_HOLD
	};
	w->rules[2] = (struct directory_rule){
		.name = "wiped", .when = WHEN_DEVICE_WIPED, .then = CAUSE_REVOKE
	};
	w->config.rules = w->rules;
	w->config.n_rules = 3;
	w->config.revocation.brake = (struct conf_brake){ 10, 500, 3, 3600 };
	assert_int_equal(metrics_new(&w->metrics, NULL), RC_OK);
	people_the_database(w);
	all_are_well(w);
	start(w);
	go_on = false;
	*state = w;
	return 0;
}

static int
teardown(void **state)
{
	struct world *w = *state;
	struct sf *f = malloc(sizeof(*f));
	void *p = f;

	assert_non_null(f);
	*f = w->f;
	sweeper_free(w->w);
	metrics_free(w->metrics);
	free(w);
	return sf_teardown(&p);
}

static void
round_at(struct world *w, int64_t secs)
{
	sweeper_run(w->w, (w->now + secs) * 1000, &go_on);
}

static void
sweep(struct world *w)
{
	round_at(w, 0);
}

static enum cert_state
state_of(struct world *w, unsigned n)
{
	struct store_status s = { 0 };
	enum cert_state is;

	ok(&w->f, store_status_get(w->f.s, serial(n), &s, &w->f.err));
	is = s.state;
	store_status_done(&s);
	return is;
}

/* Certificates 1 to MANY that are so. */
static unsigned
how_many(struct world *w, enum cert_state is)
{
	unsigned n = 0;

	for (unsigned i = 1; i <= MANY; i++)
		n += state_of(w, i) == is;
	return n;
}

static void
compliant(struct world *w, unsigned first, unsigned last, enum dir_said said)
{
	struct store_object v[MANY];
	size_t n = 0, changed;

	for (unsigned i = first; i <= last; i++) {
		v[n] = object(DIR_MANAGED, i, w->now);
		v[n++].compliant = said;
	}
	ok(&w->f, store_objects_put(w->f.s, v, n, &changed, &w->f.err));
}

static int64_t
current(struct world *w, enum sweep_state want)
{
	struct store_sweep s = { 0 };
	int64_t at;

	ok(&w->f, store_sweep_current(w->f.s, &s, &w->f.err));
	assert_int_equal(s.state, want);
	at = s.id;
	store_sweep_done(&s);
	return at;
}

static void
nothing_waits(struct world *w)
{
	struct store_sweep s;

	assert_int_equal(store_sweep_current(w->f.s, &s, &w->f.err), RC_NOTFOUND);
}

static enum sweep_state
sweep_state(struct world *w, int64_t which)
{
	struct store_sweep s = { 0 };
	enum sweep_state is;

	ok(&w->f, store_sweep_get(w->f.s, which, &s, &w->f.err));
	is = s.state;
	store_sweep_done(&s);
	return is;
}

/* ---- holds come and go ---- */

static void
nothing_is_done_where_all_is_well(void **state)
{
	struct world *w = *state;

	sweep(w);
	assert_int_equal(how_many(w, CERT_GOOD), MANY);
	assert_int_equal(w->changed, 0);
	nothing_waits(w);
}

static void
a_hold_comes_and_goes_with_its_cause(void **state)
{
	struct world *w = *state;
	struct store_status s = { 0 };

	compliant(w, 7, 7, DIR_NO);
	sweep(w);
	assert_int_equal(state_of(w, 7), CERT_HELD);
	assert_int_equal(how_many(w, CERT_GOOD), MANY - 1);
	assert_int_equal(w->changed, 1);
	ok(&w->f, store_status_get(w->f.s, serial(7), &s, &w->f.err));
	assert_string_equal(s.causes[0].rule, "compliance");
	assert_string_equal(s.causes[0].comment, "Intune says that the device is not compliant");
	store_status_done(&s);
	sweep(w); /* the same again is no change */
	assert_int_equal(w->changed, 1);
	compliant(w, 7, 7, DIR_YES);
	sweep(w);
	assert_int_equal(how_many(w, CERT_GOOD), MANY);
	assert_int_equal(metric_get(w->metrics, METRIC_RULE_HELD), 1);
	assert_int_equal(metric_get(w->metrics, METRIC_RULE_RELEASED), 1);
}

static void
each_rule_comes_off_by_itself(void **state)
{
	struct world *w = *state;
	struct store_object user = object(DIR_USER, 5, w->now);

	compliant(w, 5, 5, DIR_NO);
	user.enabled = DIR_NO;
	tell(w, &user);
	sweep(w);
	assert_int_equal(sf_number(&w->f, "SELECT count(*) FROM cause"), 2);
	compliant(w, 5, 5, DIR_YES);
	sweep(w);
	assert_int_equal(state_of(w, 5), CERT_HELD);
	user.enabled = DIR_YES;
	tell(w, &user);
	sweep(w);
	assert_int_equal(state_of(w, 5), CERT_GOOD);
}

static void
what_an_administrator_holds_is_not_let_go_by_a_rule(void **state)
{
	struct world *w = *state;
	struct store_cause_set lost = {
		.serial = serial(9), .source = CAUSE_MANUAL, .effect = CAUSE_HOLD, .who = "jane"
	};

	ok(&w->f, store_causes_set(w->f.s, &lost, 1, NULL, &w->f.err));
	compliant(w, 9, 9, DIR_NO);
	sweep(w);
	compliant(w, 9, 9, DIR_YES);
	sweep(w);
	assert_int_equal(state_of(w, 9), CERT_HELD);
	assert_int_equal(sf_number(&w->f, "SELECT count(*) FROM cause"), 1);
}

static void
what_is_pending_holds_and_what_is_done_revokes(void **state)
{
	struct world *w = *state;
	struct store_object o = object(DIR_MANAGED, 3, w->now);

	(void)strcpy(o.management, "wipePending");
	tell(w, &o);
	sweep(w);
	assert_int_equal(state_of(w, 3), CERT_HELD);
	(void)strcpy(o.management, "wipeCanceled");
	tell(w, &o);
	sweep(w);
	assert_int_equal(state_of(w, 3), CERT_GOOD);
	o.presence = DIR_GONE;
	tell(w, &o);
	sweep(w);
	assert_int_equal(state_of(w, 3), CERT_REVOKED);
	o.presence = DIR_FOUND; /* it never comes back from that */
	tell(w, &o);
	sweep(w);
	assert_int_equal(state_of(w, 3), CERT_REVOKED);
}

static void
a_rule_that_is_no_more_lets_go(void **state)
{
	struct world *w = *state;

	compliant(w, 1, 2, DIR_NO);
	sweep(w);
	assert_int_equal(how_many(w, CERT_HELD), 2);
	w->config.rules = w->rules + 1;
	w->config.n_rules = 2;
	start(w);
	sweep(w);
	assert_int_equal(how_many(w, CERT_GOOD), MANY);
}

/* Years of renamed rules, in causes of certificates that were revoked long ago. */
static void
names_of_rules_that_have_revoked_are_not_counted(void **state)
{
	struct world *w = *state;

	sf_sql(&w->f,
	    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)"
	    " INSERT INTO cause(cert_id, source, rule, effect, reason, since)"
	    " SELECT 1000 + i, 3, 'old-' || i, 2, 5, 1 FROM n");
	compliant(w, 2, 2, DIR_NO);
	sweep(w);
	assert_int_equal(state_of(w, 2), CERT_HELD);
}

static void
not_found_by_name_is_no_proof(void **state)
{
	struct world *w = *state;
	struct store_object v[3 * MANY];
	size_t n = 0, changed;

	for (unsigned i = 1; i <= MANY; i++)
		for (int kind = DIR_USER; kind <= DIR_MANAGED; kind++) {
			v[n] = object((enum dir_kind)kind, i, w->now);
			v[n++].presence = DIR_NOT_LISTED;
		}
	ok(&w->f, store_objects_put(w->f.s, v, n, &changed, &w->f.err));
	sweep(w);
	assert_int_equal(how_many(w, CERT_GOOD), MANY);
	nothing_waits(w);
}

/* ---- the brake ---- */

static void
too_many_holds_stop_and_the_last_good_state_stays(void **state)
{
	struct world *w = *state;
	int64_t which;

	compliant(w, 1, 5, DIR_NO);
	sweep(w);
	assert_int_equal(how_many(w, CERT_GOOD), MANY);
	which = current(w, SWEEP_WAITING);
	assert_int_equal(sf_number(&w->f, "SELECT turns FROM sweep"), 5);
	assert_int_equal(metric_get(w->metrics, METRIC_SWEEPS_STOPPED), 1);
	sweep(w);
	assert_int_equal(current(w, SWEEP_WAITING), which);
	assert_int_equal(metric_get(w->metrics, METRIC_SWEEPS_STOPPED), 1);
}

/* A fault that calls everybody compliant. */
static void
too_many_releases_stop_as_well(void **state)
{
	struct world *w = *state;

	w->config.revocation.brake.percent = 100;
	compliant(w, 1, 20, DIR_NO);
	sweep(w);
	assert_int_equal(how_many(w, CERT_HELD), 20);
	w->config.revocation.brake = (struct conf_brake){ 10, 500, 3, 0 };
	compliant(w, 1, 20, DIR_YES);
	sweep(w);
	assert_int_equal(how_many(w, CERT_HELD), 20);
	(void)current(w, SWEEP_WAITING);
}

static void
what_others_say_goes_on_while_a_sweep_waits(void **state)
{
	struct world *w = *state;
	struct store_cause_set queue = {
		.serial = serial(30), .source = CAUSE_INTUNE, .effect = CAUSE_REVOKE, .reason = 5
	};

	compliant(w, 1, 5, DIR_NO);
	sweep(w);
	ok(&w->f, store_causes_set(w->f.s, &queue, 1, NULL, &w->f.err));
	assert_int_equal(state_of(w, 30), CERT_REVOKED);
}

/* ---- owners ---- */

/* Behind the store's back: certificates first to last are of the device (and the user) of the first. */
static void
same_owner(struct world *w, unsigned first, unsigned last)
{
	char sql[400];

	(void)snprintf(sql, sizeof(sql),
	    "UPDATE binding SET user = 'user-%u', device = 'entra-%u', device_object = 'device-%u',"
	    " managed = 'managed-%u' WHERE cert_id BETWEEN %u AND %u",
	    first, first, first, first, first, last);
	sf_sql(&w->f, sql);
}

static void
one_device_with_eleven_certificates_does_not_stop_a_small_fleet(void **state)
{
	struct world *w = *state;

	same_owner(w, 1, 11);
	compliant(w, 1, 1, DIR_NO);
	sweep(w);
	nothing_waits(w);
	assert_int_equal(how_many(w, CERT_HELD), 11);
}

static void
one_person_with_eleven_certificates_does_not_stop_it_either(void **state)
{
	struct world *w = *state;
	struct store_object user = object(DIR_USER, 1, w->now);

	same_owner(w, 1, 11);
	sf_sql(&w->f,
	    "UPDATE binding SET device = '', device_object = '', managed = '' WHERE cert_id <= 11");
	user.enabled = DIR_NO;
	tell(w, &user);
	sweep(w);
	nothing_waits(w);
	assert_int_equal(how_many(w, CERT_HELD), 11);
}

/* An account that has enrolled a fleet without naming its devices: one wrong word about it takes all of them. */
static void
an_account_with_a_fleet_of_certificates_counts_as_more_than_one(void **state)
{
	struct world *w = *state;
	struct store_object user = object(DIR_USER, 1, w->now);

	w->config.revocation.brake.minimum = 1;
	same_owner(w, 1, MANY);
	sf_sql(&w->f, "UPDATE binding SET device = '', device_object = '', managed = ''");
	user.enabled = DIR_NO;
	tell(w, &user);
	sweep(w);
	(void)current(w, SWEEP_WAITING);
	assert_int_equal(how_many(w, CERT_GOOD), MANY);
	assert_int_equal(sf_number(&w->f, "SELECT owners FROM sweep"), MANY / OWNER_CERTS);
	assert_int_equal(sf_number(&w->f, "SELECT total_owners FROM sweep"), MANY / OWNER_CERTS);
	/* All of it is the one account's, and waits with it. */
	round_at(w, 600);
	assert_int_equal(how_many(w, CERT_GOOD), MANY);
}

/* 30 owners: 10 % are 3, and the percentage is of owners as well. */
static void
the_percentage_is_of_owners(void **state)
{
	struct world *w = *state;

	w->config.revocation.brake.minimum = 0;
	same_owner(w, 1, 11);
	compliant(w, 20, 23, DIR_NO);
	sweep(w); /* 4 of 40 certificates would be 10 % */
	assert_int_equal(how_many(w, CERT_HELD), 0);
	(void)current(w, SWEEP_WAITING);
	assert_int_equal(sf_number(&w->f, "SELECT owners FROM sweep"), 4);
	assert_int_equal(sf_number(&w->f, "SELECT total_owners FROM sweep"), 30);
	assert_int_equal(sf_number(&w->f, "SELECT certs FROM sweep"), 4);
}

static void
a_device_that_flaps_is_one_in_the_window(void **state)
{
	struct world *w = *state;

	for (int i = 0; i < 20; i++) {
		compliant(w, 3, 3, i % 2 == 0 ? DIR_NO : DIR_YES);
		round_at(w, 90 * i);
		assert_int_equal(state_of(w, 3), i % 2 == 0 ? CERT_HELD : CERT_GOOD);
	}
	nothing_waits(w);
	/* And it counts as one: three others may go, and no fourth. */
	compliant(w, 4, 6, DIR_NO);
	round_at(w, 90 * 20);
	assert_int_equal(how_many(w, CERT_HELD), 3);
	compliant(w, 7, 7, DIR_NO);
	round_at(w, 90 * 21);
	assert_int_equal(state_of(w, 7), CERT_GOOD);
	(void)current(w, SWEEP_WAITING);
}

/* ---- whom a sweep that waits does not turn ---- */

static void
while_a_sweep_waits_others_are_turned_within_the_brake(void **state)
{
	struct world *w = *state;
	struct store_object stolen = object(DIR_USER, 31, w->now);
	int64_t which;

	compliant(w, 1, 5, DIR_NO);
	sweep(w);
	which = current(w, SWEEP_WAITING);
	stolen.enabled = DIR_NO;
	tell(w, &stolen);
	sweep(w);
	assert_int_equal(state_of(w, 31), CERT_HELD);
	assert_int_equal(how_many(w, CERT_HELD), 1);
	assert_int_equal(current(w, SWEEP_WAITING), which);
	/* And let go again: it is one owner. */
	stolen.enabled = DIR_YES;
	tell(w, &stolen);
	round_at(w, 90);
	assert_int_equal(state_of(w, 31), CERT_GOOD);
	assert_int_equal(current(w, SWEEP_WAITING), which);
	/* What was waiting is done as it was approved. */
	ok(&w->f, store_sweep_decide(w->f.s, which, SWEEP_APPROVED, "jane", &w->f.err));
	sweep(w);
	assert_int_equal(how_many(w, CERT_HELD), 5);
}

static void
whoever_is_in_a_sweep_that_waits_waits_with_everything(void **state)
{
	struct world *w = *state;
	struct store_object user = object(DIR_USER, 3, w->now),
			    wiped = object(DIR_MANAGED, 3, w->now);

	compliant(w, 1, 5, DIR_NO);
	sweep(w);
	user.enabled = DIR_NO;
	tell(w, &user);
	sweep(w);
	assert_int_equal(state_of(w, 3), CERT_GOOD);
	/* But who is not to be turned any more as it says is free of it. */
	wiped.presence = DIR_GONE;
	tell(w, &wiped);
	sweep(w);
	assert_int_equal(state_of(w, 3), CERT_REVOKED);
	assert_int_equal(how_many(w, CERT_GOOD), MANY - 1);
	(void)current(w, SWEEP_WAITING);
}

/* 4 of 40 are 10 %. */
static void
in_no_window_more_is_turned_unasked_than_the_brake_allows(void **state)
{
	struct world *w = *state;
	int64_t which;

	compliant(w, 1, 2, DIR_NO);
	sweep(w);
	compliant(w, 11, 15, DIR_NO);
	round_at(w, 60);
	which = current(w, SWEEP_WAITING);
	assert_int_equal(how_many(w, CERT_HELD), 2);
	for (unsigned i = 20; i < 24; i++) {
		compliant(w, i, i, DIR_NO);
		round_at(w, 60 + i);
	}
	assert_int_equal(how_many(w, CERT_HELD), 4); /* two, and two beside the sweep */
	assert_int_equal(current(w, SWEEP_WAITING), which);
	/* An hour later the window is over. */
	all_are_well(w);
	compliant(w, 1, 2, DIR_NO);
	compliant(w, 11, 15, DIR_NO);
	compliant(w, 20, 23, DIR_NO);
	round_at(w, 3600 + 200);
	assert_int_equal(how_many(w, CERT_HELD), 6);
}

static void
too_much_beside_a_sweep_makes_a_larger_one_but_not_at_once(void **state)
{
	struct world *w = *state;
	int64_t which, grown;

	compliant(w, 1, 5, DIR_NO);
	sweep(w);
	which = current(w, SWEEP_WAITING);
	compliant(w, 21, 25, DIR_NO);
	round_at(w, 60);
	assert_int_equal(current(w, SWEEP_WAITING), which);
	assert_int_equal(how_many(w, CERT_GOOD), MANY);
	round_at(w, 310);
	assert_int_equal(sweep_state(w, which), SWEEP_OBSOLETE);
	grown = current(w, SWEEP_WAITING);
	assert_int_equal(how_many(w, CERT_GOOD), MANY);
	assert_int_equal(sf_number(&w->f, "SELECT turns FROM sweep WHERE state = 1"), 10);
	/* Who has seen the first one decides on nothing else. */
	assert_int_equal(
	    store_sweep_decide(w->f.s, which, SWEEP_APPROVED, "jane", &w->f.err), RC_CONFLICT);
	ok(&w->f, store_sweep_decide(w->f.s, grown, SWEEP_APPROVED, "jane", &w->f.err));
	round_at(w, 320);
	assert_int_equal(how_many(w, CERT_HELD), 10);
}

static void
who_approves_the_smaller_one_in_time_gets_that_and_the_rest_is_judged_anew(void **state)
{
	struct world *w = *state;
	int64_t which;

	compliant(w, 1, 5, DIR_NO);
	sweep(w);
	which = current(w, SWEEP_WAITING);
	compliant(w, 21, 25, DIR_NO);
	round_at(w, 60);
	ok(&w->f, store_sweep_decide(w->f.s, which, SWEEP_APPROVED, "jane", &w->f.err));
	round_at(w, 310);
	assert_int_equal(how_many(w, CERT_HELD), 5);
	assert_int_equal(state_of(w, 21), CERT_GOOD);
	round_at(w, 320);
	assert_true(current(w, SWEEP_WAITING) > which);
	assert_int_equal(how_many(w, CERT_HELD), 5);
}

static void
a_sweep_of_which_nothing_is_wanted_is_over_whatever_else_is(void **state)
{
	struct world *w = *state;
	int64_t which;

	compliant(w, 1, 5, DIR_NO);
	sweep(w);
	which = current(w, SWEEP_WAITING);
	compliant(w, 1, 5, DIR_YES);
	compliant(w, 21, 30, DIR_NO);
	round_at(w, 10);
	assert_int_equal(sweep_state(w, which), SWEEP_OBSOLETE);
	assert_true(current(w, SWEEP_WAITING) > which);
	assert_int_equal(sf_number(&w->f, "SELECT turns FROM sweep WHERE state = 1"), 10);
	assert_int_equal(how_many(w, CERT_GOOD), MANY);
}

/* Killed after it was noted who is to be turned, and before the turn. */
static void
what_was_noted_and_not_turned_is_turned_after_a_restart(void **state)
{
	struct world *w = *state;
	struct store_subject c = { .serial = serial(31) };
	struct store_binding b = { .tenant = "contoso", .device_object = "device-31" };
	uint64_t owner;

	compliant(w, 1, 5, DIR_NO);
	sweep(w);
	compliant(w, 31, 31, DIR_NO);
	c.binding = &b;
	owner = owner_of(&c);
	ok(&w->f, store_turned_add(w->f.s, w->now, &owner, 1, &w->f.err));
	start(w);
	sweep(w);
	assert_int_equal(state_of(w, 31), CERT_HELD);
	assert_int_equal(sf_number(&w->f, "SELECT count(*) FROM turned_owner"), 1);
}

static void
many_small_rounds_are_one_large_one(void **state)
{
	struct world *w = *state;

	for (unsigned i = 1; i <= 10; i++) {
		compliant(w, i, i, DIR_NO);
		round_at(w, i);
	}
	/* 4 of 40 are 10 %, and the fifth is more. */
	assert_int_equal(how_many(w, CERT_HELD), 4);
	(void)current(w, SWEEP_WAITING);
	start(w); /* a restart forgets nothing */
	round_at(w, 20);
	assert_int_equal(how_many(w, CERT_HELD), 4);
}

/* ---- what becomes of a sweep that waits ---- */

static void
when_the_directory_is_sensible_again_it_is_over_by_itself(void **state)
{
	struct world *w = *state;
	int64_t which;

	compliant(w, 1, 20, DIR_NO);
	sweep(w);
	which = current(w, SWEEP_WAITING);
	compliant(w, 1, 19, DIR_YES);
	sweep(w);
	assert_int_equal(sweep_state(w, which), SWEEP_OBSOLETE);
	nothing_waits(w);
	/* What is left is within the brake, and done in the same round. */
	assert_int_equal(how_many(w, CERT_HELD), 1);
	assert_int_equal(state_of(w, 20), CERT_HELD);
	assert_int_equal(
	    store_sweep_decide(w->f.s, which, SWEEP_APPROVED, "jane", &w->f.err), RC_CONFLICT);
}

static void
an_approved_sweep_is_carried_out(void **state)
{
	struct world *w = *state;
	int64_t which;

	compliant(w, 1, 20, DIR_NO);
	sweep(w);
	which = current(w, SWEEP_WAITING);
	ok(&w->f, store_sweep_decide(w->f.s, which, SWEEP_APPROVED, "jane", &w->f.err));
	sweep(w);
	assert_int_equal(how_many(w, CERT_HELD), 20);
	assert_int_equal(sweep_state(w, which), SWEEP_DONE);
	assert_int_equal(sf_number(&w->f, "SELECT applied FROM sweep"), 20);
	sweep(w);
	nothing_waits(w);
	assert_int_equal(how_many(w, CERT_HELD), 20);
}

/* What was approved is done, no more; and of that, what is no longer so is not. */
static void
what_is_approved_is_done_as_far_as_it_is_still_so(void **state)
{
	struct world *w = *state;
	int64_t which;

	compliant(w, 1, 20, DIR_NO);
	sweep(w);
	which = current(w, SWEEP_WAITING);
	ok(&w->f, store_sweep_decide(w->f.s, which, SWEEP_APPROVED, "jane", &w->f.err));
	compliant(w, 5, 8, DIR_YES);
	compliant(w, 30, 39, DIR_NO);
	sweep(w);
	assert_int_equal(how_many(w, CERT_HELD), 16);
	assert_int_equal(state_of(w, 5), CERT_GOOD);
	assert_int_equal(state_of(w, 30), CERT_GOOD);
	assert_int_equal(sweep_state(w, which), SWEEP_DONE);
	sweep(w); /* the ten that came later are a sweep of their own */
	assert_int_equal(how_many(w, CERT_HELD), 16);
	assert_true(current(w, SWEEP_WAITING) > which);
}

static void
an_interrupted_sweep_goes_on(void **state)
{
	struct world *w = *state;
	int64_t which;

	compliant(w, 1, 20, DIR_NO);
	sweep(w);
	which = current(w, SWEEP_WAITING);
	ok(&w->f, store_sweep_decide(w->f.s, which, SWEEP_APPROVED, "jane", &w->f.err));
	/* As after a kill between the two commits of a batch: causes are set, and nobody knows. */
	for (unsigned i = 1; i <= 6; i++) {
		struct store_cause_set one = { .serial = serial(i),
			.source = CAUSE_RULE,
			.rule = "compliance",
			.effect = CAUSE_HOLD };

		ok(&w->f, store_causes_set(w->f.s, &one, 1, NULL, &w->f.err));
	}
	start(w);
	sweep(w);
	assert_int_equal(how_many(w, CERT_HELD), 20);
	assert_int_equal(sweep_state(w, which), SWEEP_DONE);
}

static void
what_was_discarded_is_not_done_before_its_rule_has_let_go(void **state)
{
	struct world *w = *state;
	int64_t which;

	compliant(w, 1, 20, DIR_NO);
	sweep(w);
	which = current(w, SWEEP_WAITING);
	ok(&w->f, store_sweep_decide(w->f.s, which, SWEEP_DISCARDED, "jane", &w->f.err));
	sweep(w);
	sweep(w);
	start(w);
	sweep(w);
	assert_int_equal(how_many(w, CERT_GOOD), MANY);
	nothing_waits(w);
	/* Another certificate is another matter. */
	compliant(w, 25, 25, DIR_NO);
	sweep(w);
	assert_int_equal(state_of(w, 25), CERT_HELD);
	/* This device was repaired, and broke again. */
	compliant(w, 4, 4, DIR_YES);
	sweep(w);
	compliant(w, 4, 4, DIR_NO);
	sweep(w);
	assert_int_equal(state_of(w, 4), CERT_HELD);
	assert_int_equal(how_many(w, CERT_HELD), 2);
	assert_int_equal(sf_number(&w->f, "SELECT count(*) FROM sweep_turn"), 19);
}

static void
discarding_releases_keeps_the_holds(void **state)
{
	struct world *w = *state;
	int64_t which;

	w->config.revocation.brake.percent = 100;
	compliant(w, 1, 20, DIR_NO);
	sweep(w);
	w->config.revocation.brake = (struct conf_brake){ 10, 500, 3, 0 };
	compliant(w, 1, 20, DIR_YES);
	sweep(w);
	which = current(w, SWEEP_WAITING);
	ok(&w->f, store_sweep_decide(w->f.s, which, SWEEP_DISCARDED, "jane", &w->f.err));
	sweep(w);
	assert_int_equal(how_many(w, CERT_HELD), 20);
	/* Once it is said again that this one is bad, and then that it is good, that is believed. */
	compliant(w, 2, 2, DIR_NO);
	sweep(w);
	compliant(w, 2, 2, DIR_YES);
	sweep(w);
	assert_int_equal(how_many(w, CERT_HELD), 19);
}

/* ---- exceptions ---- */

static void
except(struct world *w, enum exception_of of, const char *target, const char *rule, bool second)
{
	struct store_exception e = {
		.of = of, .until = w->now + DAY, .who = (char *)"jane (uid 1000)"
	};
	int64_t n;

	(void)strcpy(e.target, target);
	(void)strcpy(e.rule, rule);
	ok(&w->f, store_exception_add(w->f.s, &e, second, &n, &w->f.err));
}

static void
whoever_is_excepted_is_neither_held_nor_kept_so(void **state)
{
	struct world *w = *state;

	compliant(w, 1, 3, DIR_NO);
	sweep(w);
	assert_int_equal(how_many(w, CERT_HELD), 3);
	w->config.revocation.brake.percent = 100;
	except(w, EXCEPTION_CERT, serial(1), "", false);
	except(w, EXCEPTION_DEVICE, "managed-2", "compliance", false);
	except(w, EXCEPTION_DEVICE, "entra-4", "", false);
	except(w, EXCEPTION_USER, "user-5", "off", false); /* of another rule */
	except(w, EXCEPTION_USER, "user-6", "", true);     /* waits for a second one */
	compliant(w, 4, 6, DIR_NO);
	sweep(w);
	assert_int_equal(state_of(w, 1), CERT_GOOD);
	assert_int_equal(state_of(w, 2), CERT_GOOD);
	assert_int_equal(state_of(w, 3), CERT_HELD);
	assert_int_equal(state_of(w, 4), CERT_GOOD);
	assert_int_equal(state_of(w, 5), CERT_HELD);
	assert_int_equal(state_of(w, 6), CERT_HELD);
	ok(&w->f, store_exception_confirm(w->f.s, 5, "joe (uid 1001)", &w->f.err));
	sweep(w);
	assert_int_equal(state_of(w, 6), CERT_GOOD);
}

static void
an_exception_ends_by_itself(void **state)
{
	struct world *w = *state;

	compliant(w, 1, 1, DIR_NO);
	except(w, EXCEPTION_DEVICE, "managed-1", "", false);
	round_at(w, DAY - 1);
	assert_int_equal(state_of(w, 1), CERT_GOOD);
	round_at(w, DAY);
	assert_int_equal(state_of(w, 1), CERT_HELD);
}

/* ---- outages ---- */

static void
an_outage_leaves_the_last_state_and_then_does_as_the_rule_says(void **state)
{
	struct world *w = *state;
	int64_t which;

	w->rules[0].max_age = DAY;
	compliant(w, 1, 2, DIR_NO);
	round_at(w, DAY);
	assert_int_equal(how_many(w, CERT_HELD), 2);
	round_at(w, DAY + 1);
	assert_int_equal(how_many(w, CERT_HELD), 0); /* open; two are within the brake */
	w->rules[0].outage = OUTAGE_HOLD;
	round_at(w, DAY + 2);
	assert_int_equal(how_many(w, CERT_HELD), 0); /* all forty are not */
	which = current(w, SWEEP_WAITING);
	ok(&w->f, store_sweep_decide(w->f.s, which, SWEEP_APPROVED, "jane", &w->f.err));
	round_at(w, DAY + 3);
	assert_int_equal(how_many(w, CERT_HELD), MANY);
}

static void
the_metrics_tell_what_rules_say_and_what_waits(void **state)
{
	struct world *w = *state;
	struct buf b;

	same_owner(w, 1, 11);
	compliant(w, 1, 1, DIR_NO);
	compliant(w, 12, 20, DIR_NO);
	sweep(w);
	compliant(w, 21, 25, DIR_NO);
	round_at(w, 60);
	compliant(w, 21, 25, DIR_NO);
	buf_init(&b, 100000);
	sweeper_metrics(w->w, &b);
	assert_non_null(strstr(buf_str(&b), "scepd_sweep_waiting 20\n"));
	assert_non_null(strstr(buf_str(&b), "scepd_sweep_waiting_owners 10\n"));
	assert_non_null(strstr(buf_str(&b), "scepd_sweep_beside_owners 5\n"));
	assert_non_null(strstr(buf_str(&b), "scepd_rules_seen 40\n"));
	assert_non_null(strstr(buf_str(&b), "scepd_rules_seen_owners 30\n"));
	assert_non_null(strstr(
	    buf_str(&b), "scepd_rule_certificates{rule=\"compliance\",says=\"match\"} 25\n"));
	assert_non_null(
	    strstr(buf_str(&b), "scepd_rule_certificates{rule=\"off\",says=\"clear\"} 40\n"));
	buf_done(&b);
}

static void
a_server_that_stops_begins_nothing(void **state)
{
	struct world *w = *state;

	compliant(w, 1, 1, DIR_NO);
	go_on = true; /* *stop */
	sweep(w);
	assert_int_equal(how_many(w, CERT_GOOD), MANY);
}

#define T(fn) cmocka_unit_test_setup_teardown((fn), setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(nothing_is_done_where_all_is_well),
		T(a_hold_comes_and_goes_with_its_cause),
		T(each_rule_comes_off_by_itself),
		T(what_an_administrator_holds_is_not_let_go_by_a_rule),
		T(what_is_pending_holds_and_what_is_done_revokes),
		T(a_rule_that_is_no_more_lets_go),
		T(names_of_rules_that_have_revoked_are_not_counted),
		T(not_found_by_name_is_no_proof),
		T(too_many_holds_stop_and_the_last_good_state_stays),
		T(too_many_releases_stop_as_well),
		T(what_others_say_goes_on_while_a_sweep_waits),
		T(one_device_with_eleven_certificates_does_not_stop_a_small_fleet),
		T(one_person_with_eleven_certificates_does_not_stop_it_either),
		T(an_account_with_a_fleet_of_certificates_counts_as_more_than_one),
		T(the_percentage_is_of_owners),
		T(a_device_that_flaps_is_one_in_the_window),
		T(while_a_sweep_waits_others_are_turned_within_the_brake),
		T(whoever_is_in_a_sweep_that_waits_waits_with_everything),
		T(in_no_window_more_is_turned_unasked_than_the_brake_allows),
		T(too_much_beside_a_sweep_makes_a_larger_one_but_not_at_once),
		T(who_approves_the_smaller_one_in_time_gets_that_and_the_rest_is_judged_anew),
		T(a_sweep_of_which_nothing_is_wanted_is_over_whatever_else_is),
		T(what_was_noted_and_not_turned_is_turned_after_a_restart),
		T(many_small_rounds_are_one_large_one),
		T(when_the_directory_is_sensible_again_it_is_over_by_itself),
		T(an_approved_sweep_is_carried_out),
		T(what_is_approved_is_done_as_far_as_it_is_still_so),
		T(an_interrupted_sweep_goes_on),
		T(what_was_discarded_is_not_done_before_its_rule_has_let_go),
		T(discarding_releases_keeps_the_holds),
		T(whoever_is_excepted_is_neither_held_nor_kept_so),
		T(an_exception_ends_by_itself),
		T(an_outage_leaves_the_last_state_and_then_does_as_the_rule_says),
		T(the_metrics_tell_what_rules_say_and_what_waits),
		T(a_server_that_stops_begins_nothing),
	};

	log_setup(LOG_LEVEL__MAX, LOG_TEXT, 2);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
