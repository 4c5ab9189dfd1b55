/*
 * sweep_beside_test.c - the brake counts devices and users; and while a sweep waits for an administrator, others are
 * turned, within the brake.
 */
#include "sweep_world.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"

/* ---- owners ---- */

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

	same_owner(w, 1, 11);
	sf_sql(&w->f,
	    "UPDATE binding SET device = '', device_object = '', managed = '' WHERE cert_id <= 11");
	user_is(w, 1, DIR_NO);
	sweep(w);
	nothing_waits(w);
	assert_int_equal(how_many(w, CERT_HELD), 11);
}

/* An account that has enrolled a fleet without naming its devices: one wrong word about it takes all of them. */
static void
an_account_with_a_fleet_of_certificates_counts_as_more_than_one(void **state)
{
	struct world *w = *state;

	w->config.revocation.brake.minimum = 1;
	same_owner(w, 1, MANY);
	sf_sql(&w->f, "UPDATE binding SET device = '', device_object = '', managed = ''");
	user_is(w, 1, DIR_NO);
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
devices_that_flap_are_counted_once_in_the_window(void **state)
{
	struct world *w = *state;

	for (int i = 0; i < 20; i++) {
		compliant(w, 3, 5, i % 2 == 0 ? DIR_NO : DIR_YES);
		round_at(w, 90 * i);
		assert_int_equal(how_many(w, CERT_HELD), i % 2 == 0 ? 3 : 0);
	}
	nothing_waits(w);
	/* And they count: one other may go (4 of 40 are 10 %), and no fifth. */
	compliant(w, 6, 6, DIR_NO);
	round_at(w, 90 * 20);
	assert_int_equal(state_of(w, 6), CERT_HELD);
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
	int64_t which = stopped(w, 1, 5);

	user_is(w, 31, DIR_NO);
	sweep(w);
	assert_int_equal(state_of(w, 31), CERT_HELD);
	assert_int_equal(how_many(w, CERT_HELD), 1);
	assert_int_equal(current(w, SWEEP_WAITING), which);
	/* And let go again: it is one owner. */
	user_is(w, 31, DIR_YES);
	round_at(w, 90);
	assert_int_equal(state_of(w, 31), CERT_GOOD);
	assert_int_equal(current(w, SWEEP_WAITING), which);
	/* What was waiting is done as it was approved. */
	decided(w, which, SWEEP_APPROVED);
	sweep(w);
	assert_int_equal(how_many(w, CERT_HELD), 5);
}

static void
beside_is(struct world *w, int64_t which, uint64_t turned, uint64_t waiting)
{
	struct store_sweep s = { 0 };

	ok(&w->f, store_sweep_get(w->f.s, which, &s, &w->f.err));
	assert_int_equal(s.beside, turned);
	assert_int_equal(s.beside_waiting, waiting);
	store_sweep_done(&s);
}

/* What 'sweep show' tells. */
static void
a_sweep_that_waits_knows_who_went_on_and_who_waits_beside_it(void **state)
{
	struct world *w = *state;
	int64_t which = stopped(w, 1, 5);

	beside_is(w, which, 0, 0);
	user_is(w, 31, DIR_NO);
	sweep(w);
	beside_is(w, which, 1, 0);
	user_is(w, 31, DIR_YES); /* to and fro is one */
	round_at(w, 90);
	beside_is(w, which, 1, 0);
	compliant(w, 21, 25, DIR_NO);
	round_at(w, 100);
	beside_is(w, which, 1, 5);
	compliant(w, 21, 25, DIR_YES);
	round_at(w, 110);
	beside_is(w, which, 1, 0);
	assert_int_equal(
	    sf_number(&w->f, "SELECT count(DISTINCT owner) FROM sweep_turn WHERE owner <> 0"), 5);
}

static void
whoever_is_in_a_sweep_that_waits_waits_with_everything(void **state)
{
	struct world *w = *state;
	struct store_object wiped = object(DIR_MANAGED, 3, w->now);

	compliant(w, 1, 5, DIR_NO);
	sweep(w);
	user_is(w, 3, DIR_NO);
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

	which = stopped(w, 1, 5);
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
	not_decided(w, which);
	decided(w, grown, SWEEP_APPROVED);
	round_at(w, 320);
	assert_int_equal(how_many(w, CERT_HELD), 10);
}

static void
who_approves_the_smaller_one_in_time_gets_that_and_the_rest_is_judged_anew(void **state)
{
	struct world *w = *state;
	int64_t which = stopped(w, 1, 5);

	compliant(w, 21, 25, DIR_NO);
	round_at(w, 60);
	decided(w, which, SWEEP_APPROVED);
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
	int64_t which = stopped(w, 1, 5);

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
	ok(&w->f, store_turned_add(w->f.s, w->now, &owner, 1, 0, &w->f.err));
	start(w);
	sweep(w);
	assert_int_equal(state_of(w, 31), CERT_HELD);
	assert_int_equal(sf_number(&w->f, "SELECT count(*) FROM turned_owner"), 1);
}

#define T(fn) cmocka_unit_test_setup_teardown((fn), setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(one_device_with_eleven_certificates_does_not_stop_a_small_fleet),
		T(one_person_with_eleven_certificates_does_not_stop_it_either),
		T(an_account_with_a_fleet_of_certificates_counts_as_more_than_one),
		T(the_percentage_is_of_owners),
		T(devices_that_flap_are_counted_once_in_the_window),
		T(while_a_sweep_waits_others_are_turned_within_the_brake),
		T(a_sweep_that_waits_knows_who_went_on_and_who_waits_beside_it),
		T(whoever_is_in_a_sweep_that_waits_waits_with_everything),
		T(in_no_window_more_is_turned_unasked_than_the_brake_allows),
		T(too_much_beside_a_sweep_makes_a_larger_one_but_not_at_once),
		T(who_approves_the_smaller_one_in_time_gets_that_and_the_rest_is_judged_anew),
		T(a_sweep_of_which_nothing_is_wanted_is_over_whatever_else_is),
		T(what_was_noted_and_not_turned_is_turned_after_a_restart),
	};

	log_setup(LOG_LEVEL__MAX, LOG_TEXT, 2);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
