/*
 * player_test.c - the devices that the simulator plays: what they enrol, renew, report and forget.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "intunesim/player_int.h"

#include "../scep-client/responder.h"
#include "kit.h"

/* cmocka's own, for which each of the two makes room. */
#define fail() _fail(__FILE__, __LINE__)

#define WIN  "10000000-0000-4000-8000-000000000001"
#define IOS  "10000000-0000-4000-8000-000000000002"
#define ROID "10000000-0000-4000-8000-000000000003"
#define AGE  ((int64_t)100 * 365 * 86400) /* no certificate lives that long */

/* A simulator whose profiles all point to a SCEP server of our own. */
struct stage {
	void *kit;
	struct responder ca;
	const char *urls[1];
	struct key *keys[1]; /* that devices share where it does not matter */
};

static int
stage_new(void **state)
{
	struct stage *s = calloc(1, sizeof(*s));
	struct kit *k;

	assert_non_null(s);
	assert_int_equal(kit_new(&s->kit), 0);
	responder_start(&s->ca);
	k = s->kit;
	s->urls[0] = s->ca.url;
	k->sim->options.scep_urls = s->urls;
	k->sim->options.n_scep_urls = 1;
	s->keys[0] = fixture_key("rsa:2048");
	*state = s;
	return 0;
}

static int
stage_free(void **state)
{
	struct stage *s = *state;

	kit_free(&s->kit);
	responder_stop(&s->ca);
	free(s);
	return fixture_done(state);
}

static struct sim *
sim_of(struct stage *s)
{
	return ((struct kit *)s->kit)->sim;
}

static void
change_tenant(struct stage *s, const char *from, const char *to)
{
	struct sim *sim = sim_of(s);
	const struct view *v = sim_view(sim);
	struct tenant *t;
	struct buf b;
	struct err e;

	kit_tenant_with(&b, s->kit, from, to);
	assert_ok(tenant_renew(&t, v->tenants[0], "t.yaml", b.data, b.len, &e), e);
	pthread_mutex_lock(&sim->deeds);
	assert_ok(sim_put(sim, t, &(struct deed_effect){ .quiet = true }, &e), e);
	pthread_mutex_unlock(&sim->deeds);
	view_done(v);
	buf_done(&b);
}

/* Keys cost more than anything here, so the simulator stays, and what tests leave in it does not. */
static int
stage_reset(void **state)
{
	struct stage *s = *state;
	struct sim *sim = sim_of(s);
	const struct view *v;
	struct err e;

	responder_reset(&s->ca);
	change_tenant(s, "name: Alpha", "name: Alpha");
	player_free(sim->player);
	assert_ok(player_new(&sim->player, &e), e);
	player_setup(sim->player, &(struct player_options){ .keys = s->keys, .n_keys = 1 });
	state_free(sim->state);
	assert_ok(state_new(&sim->state, sim->revocations, &e), e);
	v = sim_view(sim);
	for (size_t i = 0; i < v->n_tenants; i++)
		assert_ok(state_follow(sim->state, NULL, v->tenants[i], NULL, &e), e);
	view_done(v);
	return 0;
}

static struct player_counts
sync_device(struct stage *s, const char *id)
{
	struct player_counts c;
	struct err e;

	assert_ok(player_sync(sim_of(s), id, &c, &e), e);
	return c;
}

static void
assert_counts(const struct player_counts *c, unsigned enrolled, unsigned renewed, unsigned refused,
    unsigned failed)
{
	if (c->by[PLAYED_FAILED] != failed)
		print_message("%s\n", c->why);
	assert_int_equal(c->by[PLAYED_ENROLLED], enrolled);
	assert_int_equal(c->by[PLAYED_RENEWED], renewed);
	assert_int_equal(c->by[PLAYED_REFUSED], refused);
	assert_int_equal(c->by[PLAYED_FAILED], failed);
}

static void
assert_report(struct stage *s, const char *device, const char *profile, const char *begins)
{
	json_t *row = kit_report_row(s->kit, device, profile);
	const char *status = json_get_str(row, "status");

	if (strncmp(status, begins, strlen(begins)) != 0)
		fail_msg("the report says %s, not %s", status, begins);
	json_decref(row);
}

/* ---- the claims ---- */

static void
a_device_enrols_reports_and_keeps(void **state)
{
	struct stage *s = *state;
	struct player_counts c = sync_device(s, WIN);

	assert_counts(&c, 1, 0, 0, 0);
	assert_report(s, "win-1", "Device", "installed");
	assert_string_equal(s->ca.op.method, "POST");
	assert_non_null(strstr(s->ca.op.user_agent, "Win32"));
	c = sync_device(s, WIN);
	assert_counts(&c, 0, 0, 0, 0);
	assert_int_equal(c.kept, 1);
	assert_int_equal(s->ca.op.count, 1);
	c = sync_device(s, IOS);
	assert_counts(&c, 2, 0, 0, 0);
}

static void
it_renews_at_the_threshold_with_another_key(void **state)
{
	struct stage *s = *state;
	struct player *p = sim_of(s)->player;
	struct player_counts c;
	struct played_device *d;
	struct key *first;
	struct err e;

	player_setup(p, &(struct player_options){ 0 });
	assert_false(player_due(p, WIN));
	c = sync_device(s, WIN);
	assert_counts(&c, 1, 0, 0, 0);
	assert_false(player_due(p, WIN));
	assert_ok(keep_take(&d, p, WIN, &e), e);
	first = key_ref(keep_find(d, PROFILE_DEVICE)->key);
	keep_release(p, d);

	player_calendar(p, AGE);
	assert_true(player_due(p, WIN));
	c = sync_device(s, WIN);
	assert_counts(&c, 0, 1, 0, 0);
	assert_false(player_due(p, WIN));
	c = sync_device(s, WIN);
	assert_int_equal(c.kept, 1);
	assert_report(s, "win-1", "Device", "installed");
	assert_ok(keep_take(&d, p, WIN, &e), e);
	assert_false(key_same_public(first, keep_find(d, PROFILE_DEVICE)->key));
	assert_true(key_same_public(
	    cert_key0(keep_find(d, PROFILE_DEVICE)->cert), keep_find(d, PROFILE_DEVICE)->key));
	keep_release(p, d);
	key_free(first);
}

static void
a_refusal_and_a_failure_reach_the_report(void **state)
{
	struct stage *s = *state;
	struct player_counts c;

	s->ca.conduct = REFUSE;
	c = sync_device(s, WIN);
	assert_counts(&c, 0, 0, 1, 0);
	assert_non_null(strstr(c.why, "Device: SubjectNameMismatch"));
	assert_report(s, "win-1", "Device", "failed: SubjectNameMismatch");
	s->ca.conduct = KEEP_PENDING;
	c = sync_device(s, WIN);
	assert_counts(&c, 0, 0, 1, 0);
	s->ca.conduct = CERTIFY_OTHER_KEY;
	c = sync_device(s, WIN);
	assert_counts(&c, 0, 0, 0, 1);
	assert_report(s, "win-1", "Device", "failed: ");
	s->ca.conduct = OBEY;
	c = sync_device(s, WIN);
	assert_counts(&c, 1, 0, 0, 0);
	/* A renewal that is refused leaves it what it has. */
	player_calendar(sim_of(s)->player, AGE);
	s->ca.conduct = REFUSE;
	c = sync_device(s, WIN);
	assert_counts(&c, 0, 0, 1, 0);
	assert_true(player_due(sim_of(s)->player, WIN));
	s->ca.conduct = OBEY;
	c = sync_device(s, WIN);
	assert_counts(&c, 0, 1, 0, 0);
}

static void
what_cannot_be_filled_is_counted(void **state)
{
	struct stage *s = *state;
	struct player_counts c = sync_device(s, ROID);

	assert_counts(&c, 0, 0, 0, 0);
	assert_int_equal(c.not_delivered, 1);
	assert_report(s, "droid-1", "Imei", "failed: ");
}

static void
a_changed_profile_is_enrolled_again(void **state)
{
	struct stage *s = *state;
	struct player_counts c = sync_device(s, WIN);

	assert_counts(&c, 1, 0, 0, 0);
	change_tenant(s, "units: 6", "units: 7");
	c = sync_device(s, WIN);
	assert_counts(&c, 0, 1, 0, 0);
	/* Its name is not in the certificate. */
	change_tenant(s, "name: Device,", "name: Renamed,");
	change_tenant(s, "units: 6", "units: 7");
	c = sync_device(s, WIN);
	assert_int_equal(c.kept, 1);
}

static void
an_unassigned_profile_loses_its_certificate(void **state)
{
	struct stage *s = *state;
	struct player_counts c = sync_device(s, WIN);

	assert_counts(&c, 1, 0, 0, 0);
	assert_int_equal(sim_of(s)->player->n, 1);
	change_tenant(s, "root: Root W, groups: [Laptops]", "root: Root W, groups: [Empty]");
	c = sync_device(s, WIN);
	assert_int_equal(c.removed, 1);
	assert_int_equal(sim_of(s)->player->n, 0);
	change_tenant(s, "root: Root W", "root: Root W");
	c = sync_device(s, WIN);
	assert_counts(&c, 1, 0, 0, 0);
}

static void
a_device_that_is_gone_loses_all(void **state)
{
	struct stage *s = *state;
	struct player_counts c = sync_device(s, IOS);

	assert_counts(&c, 2, 0, 0, 0);
	change_tenant(s, IOS, "10000000-0000-4000-8000-00000000ffff");
	c = sync_device(s, IOS);
	assert_true(c.gone);
	assert_int_equal(c.removed, 2);
	assert_int_equal(sim_of(s)->player->n, 0);
}

static void
a_wiped_device_loses_all_at_its_next_sync(void **state)
{
	struct stage *s = *state;
	struct player_counts c = sync_device(s, WIN);
	struct answer a;

	assert_counts(&c, 1, 0, 0, 0);
	post(&a, s->kit, "/sim/tenants/alpha.example/devices/win-1/wipe", "{}");
	assert_int_equal(a.status / 100, 2);
	answer_done(&a);
	assert_int_equal(sim_of(s)->player->n, 1);
	c = sync_device(s, WIN);
	assert_true(c.gone);
	assert_int_equal(c.removed, 1);
	assert_int_equal(sim_of(s)->player->n, 0);
	/* And it is gone for good. */
	c = sync_device(s, WIN);
	assert_true(c.gone);
}

static void
a_device_is_played_once_at_a_time(void **state)
{
	struct stage *s = *state;
	struct player *p = sim_of(s)->player;
	struct played_device *d;
	struct player_counts c;
	struct err e;

	assert_ok(keep_take(&d, p, WIN, &e), e);
	assert_int_equal(player_sync(sim_of(s), WIN, &c, &e), RC_CONFLICT);
	keep_release(p, d);
	c = sync_device(s, WIN);
	assert_counts(&c, 1, 0, 0, 0);
}

static void
note_time(void *arg, uint64_t us)
{
	assert_true(us > 0);
	++*(unsigned *)arg;
}

static void
keys_can_be_shared(void **state)
{
	struct stage *s = *state;
	struct key *keys[2] = { fixture_key("rsa:2048"), fixture_other_key("rsa:2048") };
	struct player *p = sim_of(s)->player;
	struct played_device *d;
	struct player_counts c;
	unsigned times = 0;
	struct err e;

	player_setup(p,
	    &(struct player_options){
		.keys = keys, .n_keys = 2, .took = note_time, .took_arg = &times });
	c = sync_device(s, IOS);
	assert_counts(&c, 2, 0, 0, 0);
	assert_int_equal(times, 2);
	assert_ok(keep_take(&d, p, IOS, &e), e);
	assert_false(key_same_public(d->held->key, d->held->next->key));
	for (const struct held *h = d->held; h != NULL; h = h->next)
		assert_true(key_same_public(h->key, keys[0]) || key_same_public(h->key, keys[1]));
	keep_release(p, d);
}

static void
an_administrator_lets_a_device_sync(void **state)
{
	static const struct {
		const char *path;
		int status;
	} rows[] = { { "/sim/tenants/alpha.example/devices/win-1/sync", 200 },
		{ "/sim/tenants/" ALPHA_ID "/devices/" WIN "/sync", 200 },
		{ "/sim/tenants/beta.example/devices/win-1/sync", 404 },
		{ "/sim/tenants/alpha.example/devices/win-9/sync", 404 } };
	struct stage *s = *state;
	struct player *p = sim_of(s)->player;
	struct answer a;

	post(&a, s->kit, rows[0].path, "");
	assert_int_equal(a.status, 503); /* nobody gave it workers */
	answer_done(&a);
	player_setup(p, &(struct player_options){ .keys = s->keys, .n_keys = 1, .visits_max = 1 });
	for (size_t i = 0; i < N(rows); i++) {
		post(&a, s->kit, rows[i].path, "");
		assert_int_equal(a.status, rows[i].status);
		if (i < 2) {
			assert_int_equal(
			    json_integer_value(json_object_get(a.json, "enrolled")), i == 0);
			assert_int_equal(
			    json_integer_value(json_object_get(a.json, "kept")), i == 1);
		}
		answer_done(&a);
	}
	assert_int_equal(p->visits, 0);
}

/* The reason is cut to size, here in the middle of a letter of the profile's name. */
static void
why_a_sync_failed_is_told_in_whole_characters(void **state)
{
#define TEN "\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251\303\251"
	static const char name[] = "{\"name\":\"a" TEN TEN TEN TEN TEN TEN "\"}";
	static const char *const nowhere[] = { "http://127.0.0.1:1/" };
	struct stage *s = *state;
	struct kit *k = s->kit;
	struct answer a;

	k->sim->options.scep_urls = nowhere;
	player_setup(k->sim->player,
	    &(struct player_options){ .keys = s->keys, .n_keys = 1, .visits_max = 1 });
	assert_int_equal(
	    deed(NULL, k, "PATCH", "/sim/tenants/alpha.example/profiles/Device", name), 200);
	post(&a, k, "/sim/tenants/alpha.example/devices/win-1/sync", "");
	k->sim->options.scep_urls = s->urls;
	assert_int_equal(a.status, 200);
	assert_int_equal(json_integer_value(json_object_get(a.json, "failed")), 1);
	assert_non_null(json_get_str(a.json, "error"));
	answer_done(&a);
}

#define CROWD 4
struct crowd {
	struct stage *stage;
	_Atomic unsigned enrolled, conflicts;
};

static void *
one_of_the_crowd(void *arg)
{
	static const char *const ids[] = { WIN, IOS };
	struct crowd *c = arg;

	for (size_t i = 0; i < 4; i++) {
		struct player_counts counts;
		struct err e;
		enum rc rc = player_sync(sim_of(c->stage), ids[i % 2], &counts, &e);

		if (rc == RC_CONFLICT)
			c->conflicts++;
		else if (rc == RC_OK)
			c->enrolled += counts.by[PLAYED_ENROLLED];
	}
	return NULL;
}

static void
many_threads_play_without_enrolling_twice(void **state)
{
	struct crowd c = { .stage = *state };
	pthread_t t[CROWD];

	for (size_t i = 0; i < CROWD; i++)
		assert_int_equal(pthread_create(&t[i], NULL, one_of_the_crowd, &c), 0);
	for (size_t i = 0; i < CROWD; i++)
		pthread_join(t[i], NULL);
	assert_int_equal(c.enrolled, 3);
}

static void
renewal_counts_from_what_is_left(void **state)
{
	/* A certificate of ten days, and where its tenths are. */
	static const struct {
		int64_t ca_now;
		unsigned threshold;
		int64_t want;
	} rows[] = {
		{ 0, 20, 8 * 86400 }, { 0, 99, 86400 / 10 },
		{ 86400, 20, 7 * 86400 },     /* backdated by a day */
		{ -86400, 20, 8 * 86400 },    /* the CA's clock is ahead of ours */
		{ 11 * 86400, 20, 8 * 86400 } /* or far behind it */
	};
	const struct stage *s = *state;
	const struct cert *c = s->ca.ca_cert;
	int64_t begin = cert_not_before(c), life = cert_not_after(c) - begin;

	for (size_t i = 0; i < N(rows); i++) {
		int64_t got = keep_renew_at(
		    c, rows[i].threshold, begin + rows[i].ca_now * life / 864000, 5000);
		int64_t want = 5000 + rows[i].want * life / 864000;

		if (llabs(got - want) > 100)
			fail_msg("row %zu: %lld, not %lld", i, (long long)got, (long long)want);
	}
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup(f, stage_reset)
	static const struct CMUnitTest tests[] = {
		T(a_device_enrols_reports_and_keeps),
		T(it_renews_at_the_threshold_with_another_key),
		T(a_refusal_and_a_failure_reach_the_report),
		T(what_cannot_be_filled_is_counted),
		T(a_changed_profile_is_enrolled_again),
		T(an_unassigned_profile_loses_its_certificate),
		T(a_device_that_is_gone_loses_all),
		T(a_wiped_device_loses_all_at_its_next_sync),
		T(a_device_is_played_once_at_a_time),
		T(an_administrator_lets_a_device_sync),
		T(why_a_sync_failed_is_told_in_whole_characters),
		T(keys_can_be_shared),
		T(many_threads_play_without_enrolling_twice),
		T(renewal_counts_from_what_is_left),
	};

	return cmocka_run_group_tests(tests, stage_new, stage_free);
}
