/*
 * dir_tasks_test.c - when a certificate's names are asked about again, and when that is over: a real store, a tenant,
 * and a peer in the part of Graph.
 */
#include "../store/fixture.h"

#include <stdio.h>
#include <string.h>

#include "../intune/peer.h"

#include "base/clock.h"
#include "base/file.h"
#include "scepd/dir_tenant.h"
#include "scepd/scepd.h"

#define UPN     "jane@contoso.com"
#define USER    "00000000-0000-0000-0000-0000000000a1"
#define DEVICE  "00000000-0000-0000-0000-0000000000c1"
#define OBJECT  "00000000-0000-0000-0000-0000000000b1"
#define MANAGED "00000000-0000-0000-0000-0000000000d1"

#define ERROR(code) "{\"error\":{\"code\":\"" code "\",\"message\":\"m\"}}"
#define A_USER      "{\"id\":\"" USER "\",\"userPrincipalName\":\"" UPN "\",\"accountEnabled\":true}"
#define A_DEVICE    "{\"id\":\"" OBJECT "\",\"deviceId\":\"" DEVICE "\",\"accountEnabled\":true}"
#define A_MANAGED   "{\"id\":\"" MANAGED "\",\"azureADDeviceId\":\"" DEVICE "\"}"

static const atomic_bool on = false;

/* Certificates 1 and 2. */
struct rig {
	struct sf *f;
	struct peer *peer;
	struct conf_tenant conf;
	struct config config;
	struct tenant *tenant;
	struct directory_rule rule; /* is not asked, but that there is one */
	struct scepd s;
	struct dir_tenant t;
	char secret[320];
};

static void
rig_start(struct rig *r, void **state)
{
	*r = (struct rig){ .f = *state };
	r->peer = peer_start();
	(void)snprintf(r->secret, sizeof(r->secret), "%s/secret", r->f->dir);
	ok(r->f, file_write(r->secret, "s3cret\n", 7, 0600, 1, &r->f->err));
	r->conf = (struct conf_tenant){ .name = "contoso",
		.app_id = "11111111-2222-3333-4444-555555555555",
		.tenant = "contoso.example",
		.app_key_file = r->secret,
		.auth_authority = peer_url(r->peer),
		.graph_url = peer_url(r->peer),
		.timeout = 30,
		.directory = true };
	r->config.tenants.v = &r->conf;
	r->config.tenants.n = 1;
	r->config.revocation.interval = 60;
	r->rule = (struct directory_rule){ .name = "strangers", .when = WHEN_UNKNOWN_TO_DIRECTORY };
	r->config.rules = &r->rule;
	r->config.n_rules = 1;
	r->s = (struct scepd){ .config = &r->config, .store = r->f->s };
	ok(r->f, tenant_open(&r->tenant, &r->config, &r->conf, &r->f->err));
	dir_tenant_init(&r->t, &r->s, r->tenant);
	for (unsigned i = 1; i <= 2; i++)
		(void)sf_drive(r->f, i, TX_DELIVERED);
}

static void
rig_end(struct rig *r)
{
	dir_tenant_done(&r->t);
	tenant_free(r->tenant);
	peer_stop(r->peer);
}

static void
says(struct rig *r, int status, const char *body)
{
	peer_answer(r->peer, ROUTE_OTHER, status, body);
}

static void
no_such_user(struct rig *r)
{
	says(r, 404, ERROR("Request_ResourceNotFound"));
	says(r, 200, "{\"value\":[]}");
}

static struct store_binding
binding(struct rig *r, unsigned n)
{
	struct store_binding b;
	struct sf_tx t;

	sf_tx(&t, n);
	ok(r->f, store_binding_get(r->s.store, t.serial, NULL, &b, &r->f->err));
	return b;
}

static void
set(struct rig *r, unsigned n, const struct store_binding *b)
{
	struct sf_tx t;

	sf_tx(&t, n);
	ok(r->f, store_binding_set(r->s.store, t.serial, NULL, b, &r->f->err));
}

/* Its time has come. */
static void
make_due(struct rig *r, unsigned n)
{
	struct store_binding b = binding(r, n);

	assert_true(b.due > 0);
	b.due = 1;
	set(r, n, &b);
}

static enum intune_status
round_of(struct rig *r)
{
	return dir_task_bind(&r->t, clock_now_ms(), &on);
}

/* Seconds until it is asked about again; -1: never. */
static int64_t
pause_of(const struct store_binding *b)
{
	return b->due == 0 ? -1 : b->due - clock_now();
}

/* What `again` answers the question each time, and what the states are. */
static void
asked_ever_more_seldom(struct rig *r, void (*again)(struct rig *r), enum binding_state meanwhile,
    enum binding_state at_last)
{
	static const int64_t pauses[] = { 2, 8, 32, 128, 512, 2048, 8192, 86400, 86400 };

	for (size_t i = 0; i < sizeof(pauses) / sizeof(pauses[0]); i++) {
		struct store_binding b;

		if (i > 0)
			make_due(r, 1);
		again(r);
		assert_int_equal(round_of(r), INTUNE_OK);
		b = binding(r, 1);
		assert_in_range(pause_of(&b), pauses[i] - 2, pauses[i]);
		assert_int_equal(b.tries, i < 8 ? i + 1 : 8);
		assert_int_equal(b.state, i < 7 ? meanwhile : at_last);
	}
}

static void
a_name_of_nobody_is_asked_about_for_three_hours_and_then_daily(void **state)
{
	struct store_binding b = { .state = BINDING_OPEN, .tenant = "contoso", .upn = UPN };
	struct rig r;

	rig_start(&r, state);
	set(&r, 1, &b);
	asked_ever_more_seldom(&r, no_such_user, BINDING_OPEN, BINDING_UNKNOWN);
	assert_int_equal(r.t.unsettled[BINDING_UNKNOWN] + r.t.unsettled[BINDING_OPEN], 1);
	/* Where no rule is about it, weekly. */
	r.t.strangers = false;
	make_due(&r, 1);
	no_such_user(&r);
	assert_int_equal(round_of(&r), INTUNE_OK);
	b = binding(&r, 1);
	assert_in_range(pause_of(&b), 7 * 86400 - 2, 7 * 86400);
	/* Somebody is called so at last. */
	make_due(&r, 1);
	says(&r, 200, A_USER);
	assert_int_equal(round_of(&r), INTUNE_OK);
	b = binding(&r, 1);
	assert_int_equal(b.state, BINDING_BOUND);
	assert_string_equal(b.user, USER);
	assert_int_equal(b.tries, 0);
	assert_int_equal(b.due, 0);
	rig_end(&r);
}

static void
device_alone(struct rig *r)
{
	struct store_binding b = binding(r, 1);

	/* Once: ids do not change hands. */
	if (b.device_object[0] == '\0') {
		says(r, 200, A_MANAGED);
		says(r, 200, A_DEVICE);
	}
	no_such_user(r);
}

static void
a_device_is_bound_while_its_user_is_looked_for(void **state)
{
	struct store_binding b = {
		.state = BINDING_OPEN, .tenant = "contoso", .upn = UPN, .managed = MANAGED
	};
	struct store_object o;
	struct rig r;

	rig_start(&r, state);
	set(&r, 1, &b);
	asked_ever_more_seldom(&r, device_alone, BINDING_BOUND, BINDING_BOUND);
	ok(r.f, store_object_get(r.s.store, "contoso", DIR_MANAGED, MANAGED, &o, &r.f->err));
	make_due(&r, 1);
	says(&r, 200, A_USER);
	assert_int_equal(round_of(&r), INTUNE_OK);
	b = binding(&r, 1);
	assert_string_equal(b.user, USER);
	assert_int_equal(pause_of(&b), -1);
	ok(r.f, store_object_get(r.s.store, "contoso", DIR_USER, USER, &o, &r.f->err));
	assert_true(r.t.risks_again);
	rig_end(&r);
}

static void
refusal(struct rig *r)
{
	says(r, 400, ERROR("BadRequest"));
}

static void
a_question_that_is_refused_so_often_is_about_nobody(void **state)
{
	struct store_binding b = { .state = BINDING_OPEN, .tenant = "contoso", .upn = UPN };
	struct rig r;

	rig_start(&r, state);
	set(&r, 1, &b);
	asked_ever_more_seldom(&r, refusal, BINDING_OPEN, BINDING_UNKNOWN);
	/* As of each time, so that it does not become a fact of long ago. */
	b = binding(&r, 1);
	b.asked = b.due = 1;
	set(&r, 1, &b);
	refusal(&r);
	assert_int_equal(round_of(&r), INTUNE_OK);
	b = binding(&r, 1);
	assert_in_range(b.asked, clock_now() - 5, clock_now());
	rig_end(&r);
}

/* Entra knows it; who is not Intune's by then will not be. */
static void
a_device_that_intune_does_not_manage_is_asked_about_for_three_hours(void **state)
{
	struct store_binding b = {
		.state = BINDING_OPEN, .tenant = "contoso", .device = DEVICE, .managed = DEVICE
	};
	struct rig r;

	rig_start(&r, state);
	set(&r, 1, &b);
	for (unsigned i = 1; i <= 8; i++) {
		says(&r, 200, A_DEVICE);
		says(&r, 200, "{\"value\":[]}");
		assert_int_equal(round_of(&r), INTUNE_OK);
		b = binding(&r, 1);
		assert_int_equal(b.state, BINDING_BOUND);
		assert_string_equal(b.device_object, OBJECT);
		assert_int_equal(b.tries, i < 8 ? i : 0);
		if (i < 8)
			make_due(&r, 1);
	}
	assert_int_equal(b.due, 0);
	rig_end(&r);
}

static void
a_failure_is_no_answer_and_keeps_nobody_waiting(void **state)
{
	struct store_binding b = { .state = BINDING_OPEN, .tenant = "contoso", .upn = UPN };
	struct rig r;

	rig_start(&r, state);
	set(&r, 1, &b);
	says(&r, 403, ERROR("Authorization_RequestDenied"));
	assert_int_equal(round_of(&r), INTUNE_E_PERMISSION);
	b = binding(&r, 1);
	assert_int_equal(b.tries, 0);
	assert_int_equal(b.asked, 0);
	assert_int_equal(b.state, BINDING_OPEN);
	assert_in_range(pause_of(&b), 1, 2);
	rig_end(&r);
}

static void
nobody_asks_about_what_has_expired(void **state)
{
	struct store_binding b = { .state = BINDING_UNKNOWN,
		.tenant = "contoso",
		.upn = UPN,
		.tries = BINDING_TRIES_MAX,
		.due = 1 };
	struct rig r;

	rig_start(&r, state);
	set(&r, 1, &b);
	b.state = BINDING_OPEN;
	set(&r, 2, &b);
	sf_sql(r.f, "UPDATE cert SET not_after = 1000");
	assert_int_equal(round_of(&r), INTUNE_OK);
	assert_int_equal(peer_count(r.peer, ROUTE_OTHER), 0);
	for (unsigned i = 1; i <= 2; i++) {
		b = binding(&r, i);
		assert_int_equal(b.state, BINDING_UNKNOWN);
		assert_int_equal(b.due, 0);
	}
	rig_end(&r);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, sf_setup, sf_teardown)
	static const struct CMUnitTest tests[] = {
		T(a_name_of_nobody_is_asked_about_for_three_hours_and_then_daily),
		T(a_device_is_bound_while_its_user_is_looked_for),
		T(a_question_that_is_refused_so_often_is_about_nobody),
		T(a_device_that_intune_does_not_manage_is_asked_about_for_three_hours),
		T(a_failure_is_no_answer_and_keeps_nobody_waiting),
		T(nobody_asks_about_what_has_expired),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
