/*
 * fleet_test.c - made-up devices, and their days.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "intunesim/fleet.h"

#include "../scep-client/responder.h"
#include "kit.h"

/* cmocka's own, for which each of the two makes room. */
#define fail() _fail(__FILE__, __LINE__)

#define MANY 40

/* A simulator of the built-in tenant with MANY more devices, and a SCEP server. */
struct stage {
	struct responder ca;
	const char *urls[1];
	struct fleet_ids ids;
	struct sim *sim;
};

static void
stage_sim(struct stage *s)
{
	struct sim_options o = { .scep_urls = s->urls, .n_scep_urls = 1 };
	struct tenant *base, *t;
	struct err e;

	assert_ok(tenant_parse(
		      &base, "built-in", fleet_tenant_text, strlen(fleet_tenant_text), NULL, 0, &e),
	    e);
	assert_ok(fleet_make(&t, &s->ids, base, MANY, &e), e);
	tenant_free(base);
	assert_ok(sim_new(&s->sim, &o, &t, 1, &e), e);
}

static int
stage_new(void **state)
{
	struct stage *s = calloc(1, sizeof(*s));
	sigset_t set;

	assert_non_null(s);
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	responder_start(&s->ca);
	s->urls[0] = s->ca.url;
	*state = s;
	return 0;
}

static int
stage_free(void **state)
{
	struct stage *s = *state;

	responder_stop(&s->ca);
	free(s);
	return fixture_done(state);
}

static int
act(void **state)
{
	struct stage *s = *state;

	responder_reset(&s->ca);
	stage_sim(s);
	return 0;
}

static int
act_done(void **state)
{
	struct stage *s = *state;

	sim_free(s->sim);
	free(s->ids.v);
	return 0;
}

static void
made_up_devices_are_like_their_models_and_unlike_each_other(void **state)
{
	struct stage *s = *state;
	const struct view *v = sim_view(s->sim);
	const struct tenant *t = v->tenants[0];
	unsigned platforms[PLATFORM__MAX] = { 0 };

	assert_int_equal(s->ids.n, MANY);
	assert_int_equal(t->n_devices, MANY + 4);
	for (size_t i = 0; i < MANY; i++) {
		const struct device *d = tenant_device(t, s->ids.v[i]), *model = &t->devices[i % 4];

		assert_non_null(d);
		platforms[d->conf->platform]++;
		assert_int_equal(d->conf->platform, model->conf->platform);
		assert_int_equal(d->conf->enrollment, model->conf->enrollment);
		assert_ptr_equal(d->user, model->user);
		assert_int_equal(d->conf->imei != NULL, model->conf->imei != NULL);
		assert_ptr_equal(tenant_device_by_entra_id(t, d->conf->entra_id), d);
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(
			    d->conf->serial, tenant_device(t, s->ids.v[j])->conf->serial);
	}
	for (size_t i = 0; i < PLATFORM__MAX; i++)
		assert_int_equal(platforms[i], MANY / 4);
	view_done(v);
}

static void
made_up_devices_join_the_groups_of_their_models(void **state)
{
	static const char text[] =
	    "tenant: {id: " ALPHA_ID ", domain: alpha.example}\n"
	    "groups: [{name: A, devices: [one]}, {name: B, devices: [two]}]\n"
	    "devices:\n"
	    "  - {id: 10000000-0000-4000-8000-000000000001, name: one, platform: ios}\n"
	    "  - {id: 10000000-0000-4000-8000-000000000002, name: two, platform: macos}\n";
	static const char empty[] = "tenant: {id: " ALPHA_ID ", domain: alpha.example}\n";
	const char *a = "A", *b = "B";
	const struct conf_strs in_a = { &a, 1 }, in_b = { &b, 1 };
	struct fleet_ids ids;
	struct tenant *base, *t;
	struct err e;

	(void)state;
	assert_ok(tenant_parse(&base, "x", text, sizeof(text) - 1, NULL, 0, &e), e);
	assert_ok(fleet_make(&t, &ids, base, 3, &e), e);
	for (size_t i = 0; i < 3; i++) {
		const struct device *d = tenant_device(t, ids.v[i]);

		assert_int_equal(tenant_assigns(t, d, &in_a), i % 2 == 0);
		assert_int_equal(tenant_assigns(t, d, &in_b), i % 2 == 1);
		assert_null(d->conf->imei);
	}
	free(ids.v);
	tenant_free(t);
	tenant_free(base);
	assert_ok(tenant_parse(&base, "x", empty, sizeof(empty) - 1, NULL, 0, &e), e);
	assert_int_equal(fleet_make(&t, &ids, base, 3, &e), RC_CONFIG);
	tenant_free(base);
}

static struct fleet_result
live(struct stage *s, unsigned days, unsigned rollout)
{
	struct fleet_conf conf = { .ids = s->ids,
		.days = days,
		.rollout = rollout,
		.check_in = 2,
		.threads = 4,
		.reuse_keys = 1 };
	struct fleet_result r;
	struct err e;

	assert_ok(fleet_run(&r, s->sim, &conf, &e), e);
	return r;
}

static void
every_device_comes_on_its_day_and_checks_in_again(void **state)
{
	struct stage *s = *state;
	struct fleet_result r = live(s, 4, 4);

	assert_int_equal(r.devices, MANY);
	assert_int_equal(r.days, 4);
	assert_int_equal(r.by[PLAYED_ENROLLED], MANY);
	/* The responder's certificates live for an hour: each is due again every day. */
	assert_int_equal(r.by[PLAYED_RENEWED], MANY / 4 * (3 + 2 + 1));
	assert_int_equal(r.check_ins, MANY / 4 * (4 + 3 + 2 + 1));
	assert_true(fleet_went_well(&r));
	assert_true(r.p50_us > 0 && r.p99_us >= r.p50_us);
	assert_string_equal(r.why, "");
}

static void
what_goes_wrong_is_counted_and_tried_again_the_next_day(void **state)
{
	struct stage *s = *state;
	struct fleet_result r;

	s->ca.conduct = REFUSE;
	r = live(s, 3, 1);
	assert_int_equal(r.by[PLAYED_REFUSED], 3 * MANY);
	assert_int_equal(r.by[PLAYED_ENROLLED], 0);
	assert_false(fleet_went_well(&r));
	assert_non_null(strstr(r.why, "day 0, device "));
	assert_non_null(strstr(r.why, "SubjectNameMismatch"));
}

static void
a_signal_ends_it_with_the_figures_so_far(void **state)
{
	struct stage *s = *state;
	struct fleet_result r;

	assert_int_equal(kill(getpid(), SIGINT), 0); /* pending, as it is blocked */
	r = live(s, FLEET_DAYS_MAX, FLEET_DAYS_MAX);
	assert_true(r.stopped);
	assert_true(r.days < FLEET_DAYS_MAX);
	assert_false(fleet_went_well(&r));
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, act, act_done)
	static const struct CMUnitTest tests[] = {
		T(made_up_devices_are_like_their_models_and_unlike_each_other),
		cmocka_unit_test(made_up_devices_join_the_groups_of_their_models),
		T(every_device_comes_on_its_day_and_checks_in_again),
		T(what_goes_wrong_is_counted_and_tried_again_the_next_day),
		T(a_signal_ends_it_with_the_figures_so_far),
	};

	return cmocka_run_group_tests(tests, stage_new, stage_free);
}
