/*
 * sweep_test.c - rules carried out on a database: holds that come and go, the brake in both directions, what waits,
 * is approved, discarded, obsolete; exceptions; outages.
 */
#include "sweep_world.h"

#include <string.h>

#include "base/log.h"

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
	ok(&w->f, store_status_get(w->f.s, serial(7), NULL, &s, &w->f.err));
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

	compliant(w, 5, 5, DIR_NO);
	user_is(w, 5, DIR_NO);
	sweep(w);
	assert_int_equal(sf_number(&w->f, "SELECT count(*) FROM cause"), 2);
	compliant(w, 5, 5, DIR_YES);
	sweep(w);
	assert_int_equal(state_of(w, 5), CERT_HELD);
	user_is(w, 5, DIR_YES);
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
	int64_t which = stopped(w, 1, 20);

	compliant(w, 1, 19, DIR_YES);
	sweep(w);
	assert_int_equal(sweep_state(w, which), SWEEP_OBSOLETE);
	nothing_waits(w);
	/* What is left is within the brake, and done in the same round. */
	assert_int_equal(how_many(w, CERT_HELD), 1);
	assert_int_equal(state_of(w, 20), CERT_HELD);
	not_decided(w, which);
}

static void
an_approved_sweep_is_carried_out(void **state)
{
	struct world *w = *state;
	int64_t which = stopped(w, 1, 20);

	decided(w, which, SWEEP_APPROVED);
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
	int64_t which = stopped(w, 1, 20);

	decided(w, which, SWEEP_APPROVED);
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
	int64_t which = stopped(w, 1, 20);

	decided(w, which, SWEEP_APPROVED);
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
	int64_t which = stopped(w, 1, 20);

	decided(w, which, SWEEP_DISCARDED);
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
	decided(w, which, SWEEP_DISCARDED);
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
	(void)strcpy(e.ca, of == EXCEPTION_CERT ? "issuing" : "");
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
	decided(w, which, SWEEP_APPROVED);
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
	w->stop = true;
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
