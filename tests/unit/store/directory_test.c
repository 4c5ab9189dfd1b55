/*
 * directory_test.c - what directories have said is kept for whom a certificate is bound to, with its date.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/store_directory.h"

#include "fixture.h"

#define USER    "00000000-0000-0000-0000-0000000000a1"
#define OBJECT  "00000000-0000-0000-0000-0000000000b1"
#define DEVICE  "00000000-0000-0000-0000-0000000000c1"
#define MANAGED "00000000-0000-0000-0000-0000000000d1"
#define OTHER   "00000000-0000-0000-0000-0000000000ff"

/* Certificate 1 is bound to all three, 2 to nobody. */
static int
setup(void **state)
{
	static const struct store_binding b = { .state = BINDING_BOUND,
		.tenant = "contoso",
		.user = USER,
		.device = DEVICE,
		.device_object = OBJECT,
		.managed = MANAGED };
	int rc = sf_setup(state);
	struct sf *f = *state;
	struct sf_tx t;

	for (unsigned i = 1; rc == 0 && i <= 2; i++)
		(void)sf_drive(f, i, TX_DELIVERED);
	sf_tx(&t, 1);
	ok(f, store_binding_set(f->s, t.serial, NULL, &b, &f->err));
	return rc;
}

static struct store_object
object(enum dir_kind kind, const char *id, int64_t known)
{
	struct store_object o = { .kind = kind,
		.presence = DIR_FOUND,
		.enabled = DIR_YES,
		.compliant = DIR_UNSAID,
		.known = known };

	strcpy(o.tenant, "contoso");
	snprintf(o.id, sizeof(o.id), "%s", id);
	return o;
}

static size_t
put(struct sf *f, const struct store_object *o)
{
	size_t changed = 99;

	ok(f, store_objects_put(f->s, o, 1, &changed, &f->err));
	return changed;
}

static void
only_what_is_bound_is_kept(void **state)
{
	struct sf *f = *state;
	struct store_object o = object(DIR_USER, USER, 100), got;

	assert_int_equal(put(f, &o), 1);
	o = object(DIR_USER, OTHER, 100);
	assert_int_equal(put(f, &o), 0);
	assert_int_equal(
	    store_object_get(f->s, "contoso", DIR_USER, OTHER, &got, &f->err), RC_NOTFOUND);
	/* The same id in another tenant is somebody else. */
	o = object(DIR_USER, USER, 100);
	strcpy(o.tenant, "fabrikam");
	assert_int_equal(put(f, &o), 0);
	/* The device's id is not its object's. */
	o = object(DIR_DEVICE, DEVICE, 100);
	assert_int_equal(put(f, &o), 0);
	o = object(DIR_DEVICE, OBJECT, 100);
	assert_int_equal(put(f, &o), 1);
	o = object(DIR_MANAGED, MANAGED, 100);
	assert_int_equal(put(f, &o), 1);
}

static void
a_change_counts_and_a_confirmation_does_not(void **state)
{
	struct sf *f = *state;
	struct store_object o = object(DIR_USER, USER, 100), got;

	assert_int_equal(put(f, &o), 1);
	o.known = 200;
	assert_int_equal(put(f, &o), 0);
	ok(f, store_object_get(f->s, "contoso", DIR_USER, USER, &got, &f->err));
	assert_int_equal(got.known, 200);
	o.enabled = DIR_NO;
	assert_int_equal(put(f, &o), 1);
	/* All of them at once. */
	ok(f, store_objects_confirm(f->s, "contoso", DIR_USER, 300, &f->err));
	ok(f, store_object_get(f->s, "contoso", DIR_USER, USER, &got, &f->err));
	assert_int_equal(got.known, 300);
	assert_int_equal(got.enabled, DIR_NO);
	/* What is gone is not confirmed by silence. */
	o.presence = DIR_GONE;
	o.known = 400;
	assert_int_equal(put(f, &o), 1);
	ok(f, store_objects_confirm(f->s, "contoso", DIR_USER, 500, &f->err));
	ok(f, store_object_get(f->s, "contoso", DIR_USER, USER, &got, &f->err));
	assert_int_equal(got.known, 400);
}

static int
count(void *arg, const struct store_object *o)
{
	++*(size_t *)arg;
	return 0;
}

static void
what_is_not_told_stays_and_can_be_asked_about(void **state)
{
	struct sf *f = *state;
	struct store_object o = object(DIR_USER, USER, 100), got;
	size_t n = 0;

	o.enabled = DIR_NO;
	assert_int_equal(put(f, &o), 1);
	o.enabled = DIR_UNSAID;
	o.known = 1; /* asked about again, since what changed was not told */
	(void)put(f, &o);
	ok(f, store_object_get(f->s, "contoso", DIR_USER, USER, &got, &f->err));
	assert_int_equal(got.enabled, DIR_NO);
	ok(f, store_objects_stale(f->s, "contoso", DIR_USER, 2, 10, count, &n, &f->err));
	assert_int_equal(n, 1);
}

static void
a_risk_stands_beside_what_else_is_known(void **state)
{
	struct sf *f = *state;
	struct store_object o = object(DIR_USER, USER, 100), got;

	assert_int_equal(put(f, &o), 1);
	ok(f, store_object_get(f->s, "contoso", DIR_USER, USER, &got, &f->err));
	assert_string_equal(got.risk, "");
	assert_int_equal(got.risk_known, 0);
	ok(f, store_objects_confirm(f->s, "contoso", DIR_RISK, 150, &f->err));
	ok(f, store_object_get(f->s, "contoso", DIR_USER, USER, &got, &f->err));
	assert_string_equal(got.risk, "none");
	assert_int_equal(got.risk_known, 150);
	ok(f, store_risk_put(f->s, "contoso", USER, "high", 160, &f->err));
	o.enabled = DIR_NO;
	assert_int_equal(put(f, &o), 1);
	ok(f, store_object_get(f->s, "contoso", DIR_USER, USER, &got, &f->err));
	assert_string_equal(got.risk, "high");
	assert_int_equal(got.risk_known, 160);
	assert_int_equal(got.known, 100);
}

static void
what_was_asked_longest_ago_is_found(void **state)
{
	struct sf *f = *state;
	struct store_object o = object(DIR_MANAGED, MANAGED, 100);
	size_t n = 0;

	(void)put(f, &o);
	ok(f, store_objects_stale(f->s, "contoso", DIR_MANAGED, 100, 10, count, &n, &f->err));
	assert_int_equal(n, 0);
	ok(f, store_objects_stale(f->s, "contoso", DIR_MANAGED, 101, 10, count, &n, &f->err));
	assert_int_equal(n, 1);
}

static void
a_walk_goes_on_where_it_was(void **state)
{
	struct sf *f = *state;
	char *link = (char *)1;

	ok(f, store_delta_link(f->s, "contoso", DIR_USER, &link, &f->err));
	assert_null(link);
	ok(f, store_delta_link_set(f->s, "contoso", DIR_USER, "https://x/delta?t=1", &f->err));
	ok(f, store_objects_confirm(f->s, "contoso", DIR_USER, 5, &f->err));
	sf_restart(f);
	ok(f, store_delta_link(f->s, "contoso", DIR_USER, &link, &f->err));
	assert_string_equal(link, "https://x/delta?t=1");
	free(link);
	ok(f, store_delta_link_set(f->s, "contoso", DIR_USER, NULL, &f->err));
	ok(f, store_delta_link(f->s, "contoso", DIR_USER, &link, &f->err));
	assert_null(link);
}

static void
a_group_has_its_last_members(void **state)
{
	static const char *const two[] = { USER, OBJECT };
	struct sf *f = *state;
	int64_t known = 9;
	bool has = true;

	ok(f, store_group_has(f->s, "contoso", "g", USER, &has, &known, &f->err));
	assert_false(has);
	assert_int_equal(known, 0);
	ok(f, store_group_set(f->s, "contoso", "g", two, 2, 50, &f->err));
	ok(f, store_group_set(f->s, "contoso", "g", two, 2, 60, &f->err));
	ok(f, store_group_has(f->s, "contoso", "g", USER, &has, &known, &f->err));
	assert_true(has);
	assert_int_equal(known, 60);
	ok(f, store_group_set(f->s, "contoso", "g", two + 1, 1, 70, &f->err));
	ok(f, store_group_has(f->s, "contoso", "g", USER, &has, &known, &f->err));
	assert_false(has);
	assert_int_equal(known, 70);
}

static int
see(void *arg, const struct store_subject *c)
{
	size_t *n = arg;

	assert_non_null(c->user);
	assert_int_equal(c->user->enabled, DIR_NO);
	assert_string_equal(c->binding->managed, MANAGED);
	assert_null(c->managed);
	assert_int_equal(c->state, CERT_GOOD);
	++*n;
	return 0;
}

static void
a_certificate_comes_with_all_that_is_known(void **state)
{
	struct sf *f = *state;
	struct store_object o = object(DIR_USER, USER, 100);
	int64_t after = 0;
	bool more = true;
	size_t n = 0;

	o.enabled = DIR_NO;
	(void)put(f, &o);
	for (int i = 0; more && i < 10; i++)
		ok(f, store_subjects_page(f->s, 0, &after, &more, see, &n, &f->err));
	assert_false(more);
	assert_int_equal(n, 1);
}

int
main(void)
{
#define T(t) cmocka_unit_test_setup_teardown(t, setup, sf_teardown)
	static const struct CMUnitTest tests[] = {
		T(only_what_is_bound_is_kept),
		T(a_change_counts_and_a_confirmation_does_not),
		T(what_is_not_told_stays_and_can_be_asked_about),
		T(a_risk_stands_beside_what_else_is_known),
		T(what_was_asked_longest_ago_is_found),
		T(a_walk_goes_on_where_it_was),
		T(a_group_has_its_last_members),
		T(a_certificate_comes_with_all_that_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
