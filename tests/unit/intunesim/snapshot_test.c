/*
 * snapshot_test.c - a tenant changes while others look at it.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "kit.h"

/* The next snapshot of alpha, with one piece of its file replaced. */
static struct tenant *
renewed(const struct kit *k, const char *from, const char *to)
{
	struct tenant *t;
	struct buf b;
	struct err e;

	kit_tenant_with(&b, k, from, to);
	assert_ok(tenant_renew(&t, k->view->tenants[0], "alpha.yaml", b.data, b.len, &e), e);
	buf_done(&b);
	return t;
}

static void
put(const struct kit *k, const char *from, const char *to)
{
	struct err e;

	pthread_mutex_lock(&k->sim->deeds);
	assert_ok(sim_put(k->sim, renewed(k, from, to), &(struct deed_effect){ 0 }, &e), e);
	pthread_mutex_unlock(&k->sim->deeds);
}

static void
put_back(const struct kit *k)
{
	put(k, "{name: Empty}", "{name: Empty}");
}

#define OUT_OF_LAPTOPS "{name: Laptops, devices: [win-1]}", "{name: Laptops}"

static void
old_view_stays_as_it_was(void **state)
{
	const struct kit *k = *state;
	const struct view *before = sim_view(k->sim), *after;
	const struct device *d = view_device(before, "win-1");
	const struct profile *p = tenant_profile(before->tenants[0], PROFILE_DEVICE);

	put(k, OUT_OF_LAPTOPS);
	after = sim_view(k->sim);
	assert_true(tenant_targets(d, p));
	assert_ptr_not_equal(after->tenants[0], before->tenants[0]);
	assert_ptr_equal(after->tenants[1], before->tenants[1]);
	d = view_device(after, "win-1");
	p = tenant_profile(after->tenants[0], PROFILE_DEVICE);
	assert_false(tenant_targets(d, p));
	view_done(before);
	view_done(after);
	put_back(k);
}

static void
keys_and_tokens_survive(void **state)
{
	const struct kit *k = *state;
	json_t *scep = kit_checkin(k, "win-1", "Device");

	put_back(k);
	assert_string_equal(kit_verdict(k, scep, &(struct tweak){ 0 }), "Success");
	json_decref(scep);
}

static void
challenge_of_an_ended_assignment_is_refused(void **state)
{
	const struct kit *k = *state;
	json_t *scep = kit_checkin(k, "win-1", "Device"), *row;

	put(k, OUT_OF_LAPTOPS);
	assert_string_equal(
	    kit_verdict(k, scep, &(struct tweak){ 0 }), "ScepProfileNoLongerTargetedToTheClient");
	row = kit_report_row(k, "win-1", "Device");
	assert_true(json_is_false(json_object_get(row, "targeted")));
	json_decref(row);
	put_back(k);
	row = kit_report_row(k, "win-1", "Device");
	assert_true(json_is_true(json_object_get(row, "targeted")));
	assert_int_equal(json_integer_value(json_object_get(row, "refusals")), 1);
	json_decref(row);
	json_decref(scep);
}

static bool
has_row(const struct kit *k, const char *device, const char *profile)
{
	struct deployment *rows;
	bool found = false;
	struct err e;
	size_t n;

	assert_ok(state_deployments(k->sim->state, &rows, &n, &e), e);
	for (size_t i = 0; i < n; i++)
		found |= strcmp(rows[i].of.device, device) == 0 &&
		    strcmp(rows[i].of.profile, profile) == 0;
	free(rows);
	return found;
}

static void
assignment_without_events_leaves_no_row(void **state)
{
	const struct kit *k = *state;

	assert_false(has_row(k, "hello-2", "Nobody"));
	put(k, "{name: Empty}", "{name: Empty, devices: [hello-2]}");
	assert_true(has_row(k, "hello-2", "Nobody"));
	put_back(k);
	assert_false(has_row(k, "hello-2", "Nobody"));
}

static void
error_names_the_key_and_changes_nothing(void **state)
{
	static const char bad[] = "{\"tenant\":{\"id\":\"x\",\"domain\":[\"alpha.example\"]}}";
	const struct kit *k = *state;
	struct tenant *t = NULL;
	struct err e;

	assert_int_equal(
	    tenant_renew(&t, k->view->tenants[0], "alpha", bad, strlen(bad), &e), RC_CONFIG);
	assert_non_null(strstr(e.msg, "id"));
	assert_null(t);
}

struct runner {
	const struct kit *k;
	pthread_t thread;
	unsigned seen;
};

/* Whatever a call sees is of one piece: a device is in its own tenant's list. */
static void *
look(void *arg)
{
	struct runner *r = arg;

	for (int i = 0; i < 200; i++) {
		const struct view *v = sim_view(r->k->sim);
		const struct device *d = view_device(v, "win-1");
		const struct profile *p = tenant_profile(v->tenants[0], PROFILE_DEVICE);

		r->seen += d->tenant == v->tenants[0] && &v->tenants[0]->devices[d->index] == d;
		state_challenge(r->k->sim->state, d, p);
		(void)tenant_targets(d, p);
		view_done(v);
	}
	return NULL;
}

static void
many_threads_see_whole_snapshots(void **state)
{
	const struct kit *k = *state;
	struct runner r[4];

	for (size_t i = 0; i < N(r); i++) {
		r[i] = (struct runner){ .k = k };
		assert_int_equal(pthread_create(&r[i].thread, NULL, look, &r[i]), 0);
	}
	for (int i = 0; i < 20; i++) {
		put(k, OUT_OF_LAPTOPS);
		put_back(k);
	}
	for (size_t i = 0; i < N(r); i++) {
		pthread_join(r[i].thread, NULL);
		assert_int_equal(r[i].seen, 200);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(old_view_stays_as_it_was),
		cmocka_unit_test(keys_and_tokens_survive),
		cmocka_unit_test(challenge_of_an_ended_assignment_is_refused),
		cmocka_unit_test(assignment_without_events_leaves_no_row),
		cmocka_unit_test(error_names_the_key_and_changes_nothing),
		cmocka_unit_test(many_threads_see_whole_snapshots),
	};

	return cmocka_run_group_tests(tests, kit_new, kit_free);
}
