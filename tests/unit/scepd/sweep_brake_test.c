/*
 * sweep_brake_test.c - whose a certificate is, how owners are counted, and what is too much.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "scepd/sweep_brake.h"

#undef fail /* cmocka has its own */
#include <cmocka.h>

#define N(a) (sizeof(a) / sizeof((a)[0]))

static void
the_brake_says_what_is_too_much(void **state)
{
	static const struct {
		struct conf_brake b;
		uint64_t owners, lately, of;
		bool stops;
		const char *why;
	} rows[] = {
		{ { 10, 500, 10, 3600 }, 10, 0, 20, false,
		    "10 of 20 devices and users (11 of 40 certificates), within the brake" },
		{ { 10, 500, 10, 3600 }, 11, 0, 20, true,
		    "11 of 20 devices and users (12 of 40 certificates), more than 10 %" },
		{ { 10, 500, 10, 3600 }, 11, 0, 110, false, NULL },
		{ { 10, 500, 10, 3600 }, 12, 0, 110, true, NULL },
		{ { 10, 500, 10, 3600 }, 500, 0, 100000, false, NULL },
		{ { 10, 500, 10, 3600 }, 501, 0, 100000, true,
		    "501 of 100000 devices and users (502 of 200000 certificates), more than 500" },
		{ { 10, 500, 10, 3600 }, 1, 500, 100000, true,
		    "1 of 100000 devices and users (2 of 200000 certificates) after 500 others in "
		    "the "
		    "last 60 minutes, more than 500" },
		{ { 10, 500, 10, 3600 }, 0, 9999, 100000, false, NULL },
		{ { 100, 500, 0, 0 }, 20, 0, 20, false, NULL },
		{ { 10, 500, 0, 0 }, 1, 0, 5, true, NULL },
		{ { 10, 500, 0, 0 }, 0, 0, 0, false, NULL },
		{ { 10, 1000000, 0, 0 }, 1000000, 0, 10000000, false, NULL },
	};

	for (size_t i = 0; i < N(rows); i++) {
		/* Certificates are told, and count for nothing. */
		const struct brake_ask a = { rows[i].owners, rows[i].of, rows[i].owners + 1,
			2 * rows[i].of, rows[i].lately };
		char why[BRAKE_WHY_MAX];

		if (sweep_brake(why, &rows[i].b, &a) != rows[i].stops)
			fail_msg("row %zu: %s", i, why);
		if (rows[i].why != NULL)
			assert_string_equal(why, rows[i].why);
	}
}

static void
the_owner_is_the_device_else_the_user_else_the_certificate(void **state)
{
	static const struct store_binding v[] = {
		{ .tenant = "a", .device_object = "1", .managed = "2", .user = "3" },
		{ .tenant = "a", .device_object = "1", .device = "4", .user = "5" },
		{ .tenant = "a", .managed = "1", .user = "3" },
		{ .tenant = "a", .device = "1", .user = "3" },
		{ .tenant = "a", .user = "1" },
		{ .tenant = "b", .user = "1" },
		{ .tenant = "a" },
		{ .tenant = "a" },
	};
	static const struct store_object known = { .kind = DIR_MANAGED };
	uint64_t owner[N(v)];

	for (size_t i = 0; i < N(v); i++) {
		char serial_of[8];
		const struct store_subject c = {
			.serial = serial_of, .binding = &v[i], .managed = &known
		};

		(void)snprintf(serial_of, sizeof(serial_of), "%02zX", i);
		owner[i] = owner_of(&c);
	}
	assert_true(owner[0] == owner[1]); /* whoever it was issued for, and by which name */
	for (size_t i = 1; i < N(v); i++)
		for (size_t k = 0; k < i; k++)
			assert_true(owner[i] != owner[k] || (i == 1 && k == 0));
	/* The store remembers them: what a release has written, the next has to read. */
	assert_true(owner[4] == UINT64_C(0xbfbfbb1274a132cb));
}

/* By a CA that lets its users write what they like: the brake is not to stop when one of them is disabled. */
static void
a_user_who_makes_up_devices_is_one_owner(void **state)
{
	static const struct store_binding v[] = {
		{ .tenant = "a", .user = "3" },
		{ .tenant = "a", .user = "3", .managed = "1" },
		{ .tenant = "a", .user = "3", .managed = "2", .device = "2" },
		{ .tenant = "a", .user = "3", .device = "4" },
	};

	for (size_t i = 1; i < N(v); i++)
		assert_true(owner_of(&(struct store_subject){ .serial = "01", .binding = &v[i] }) ==
		    owner_of(&(struct store_subject){ .serial = "02", .binding = &v[0] }));
}

static void
owners_are_counted_once(void **state)
{
	static const uint64_t a[] = { 7, 7, 1, UINT64_MAX, 7, 0 }, b[] = { 1, 0, 5 };
	struct owners x = { 0 }, y = { 0 }, nobody = { 0 };

	for (size_t i = 0; i < N(a); i++)
		assert_int_equal(owners_add(&x, a[i], NULL), RC_OK);
	for (size_t i = 0; i < N(b); i++)
		assert_int_equal(owners_add(&y, b[i], NULL), RC_OK);
	owners_sort(&x);
	owners_sort(&y);
	owners_sort(&nobody);
	assert_int_equal(x.n, 4);
	assert_true(owners_has(&x, UINT64_MAX) && owners_has(&x, 0) && !owners_has(&x, 5));
	assert_false(owners_has(&nobody, 0));
	assert_int_equal(owners_beside(&x, &y), 2);
	assert_int_equal(owners_beside(&y, &x), 1);
	assert_int_equal(owners_beside(&x, &nobody), 4);
	assert_int_equal(owners_beside(&nobody, &x), 0);
	owners_done(&x);
	owners_done(&y);
}

static void
who_has_very_many_certificates_is_counted_more_than_once(void **state)
{
	static const struct {
		size_t certs, owners;
	} rows[] = { { 0, 0 }, { 1, 1 }, { 20, 1 }, { 21, 2 }, { 40, 2 }, { 41, 3 }, { 1000, 50 } };

	for (size_t i = 0; i < N(rows); i++) {
		struct owners o = { 0 }, fewer = { 0 };

		for (size_t k = 0; k < rows[i].certs; k++) {
			assert_int_equal(owners_add(&o, UINT64_MAX - 7, NULL), RC_OK);
			assert_int_equal(owners_add(&o, 1000 + k, NULL), RC_OK);
			if (k > 0)
				assert_int_equal(owners_add(&fewer, UINT64_MAX - 7, NULL), RC_OK);
		}
		owners_sort(&o);
		owners_sort(&fewer);
		assert_int_equal(o.n, rows[i].owners + rows[i].certs);
		assert_true(rows[i].certs == 0 || owners_has(&o, UINT64_MAX - 7));
		for (size_t k = 1; k < o.n; k++)
			assert_true(o.v[k - 1] < o.v[k]);
		/* Turned with one certificate fewer before: these are the same ones. */
		assert_int_equal(owners_beside(&fewer, &o), 0);
		owners_done(&o);
		owners_done(&fewer);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_brake_says_what_is_too_much),
		cmocka_unit_test(the_owner_is_the_device_else_the_user_else_the_certificate),
		cmocka_unit_test(a_user_who_makes_up_devices_is_one_owner),
		cmocka_unit_test(owners_are_counted_once),
		cmocka_unit_test(who_has_very_many_certificates_is_counted_more_than_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
