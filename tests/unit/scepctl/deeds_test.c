/*
 * deeds_test.c - scepctl exception, sweep and admin: what an administrator does, in words and as JSON.
 *
 *	scepctl_deeds_test PATH-OF-SCEPCTL
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "kit.h"
#include "store/store_sweep.h"

#define C      " --config x/scepd.yaml "
#define LAPTOP "bbbbbbbb-0000-0000-0000-000000000001"

static int
master_new(void **state)
{
	return master_make("\nadmin: { address: 127.0.0.1:9080, tokens_file: admin.tokens }\n");
}

static int
setup(void **state)
{
	int rc = box_new(state);

	master_copy(*state);
	return rc;
}

static int64_t
number(const json_t *o, const char *key)
{
	assert_true(json_is_integer(json_object_get(o, key)));
	return json_integer_value(json_object_get(o, key));
}

/* ---- exceptions ---- */

static void
an_exception_is_told_as_json_whatever_is_done_to_it(void **state)
{
	struct box *b = *state;
	json_t *v;

	assert_run(
	    b, 0, "exception add" C "--device " LAPTOP " --for 1d --comment 'in repair' --json");
	v = parsed(b);
	assert_int_equal(number(v, "id"), 1);
	assert_string_equal(member(v, "state"), "in force");
	assert_string_equal(member(v, "of"), "device");
	assert_string_equal(member(v, "target"), LAPTOP);
	assert_string_equal(member(v, "comment"), "in repair");
	assert_int_equal(number(v, "certificates"), 0);
	json_decref(v);
	/* As 'list' has it, number by number. */
	assert_run(b, 0, "exception add" C "--device " LAPTOP " --for 2d --comment more --json");
	v = parsed(b);
	assert_int_equal(number(v, "id"), 2);
	json_decref(v);
	assert_run(b, 0, "exception end" C "--json 1");
	v = parsed(b);
	assert_int_equal(number(v, "id"), 1);
	assert_string_equal(member(v, "state"), "ended");
	assert_non_null(strstr(member(v, "endedBy"), "(uid "));
	assert_null(json_object_get(v, "certificates"));
	json_decref(v);
	assert_run(b, 73, "exception end" C "--json 1 2>/dev/null");
	assert_string_equal(b->out, "");
	assert_run(b, 66, "exception end" C "--json 9");
	assert_says(b, "exception list' has the numbers");
	assert_run(b, 0, "exception end" C "2");
	assert_string_equal(b->out, "ended exception 2\n");
}

static void
an_exception_that_waits_is_confirmed_by_another(void **state)
{
	struct store_exception e = { .of = EXCEPTION_USER,
		.target = "aaaaaaaa-0000-0000-0000-000000000001",
		.until = clock_now() + 86400,
		.who = (char *)"somebody (uid 4711)",
		.comment = (char *)"back on Monday" };
	struct box *b = *state;
	struct store *s = opened(b);
	int64_t id;
	json_t *v;

	assert_int_equal(store_exception_add(s, &e, true, &id, NULL), RC_OK);
	store_close(s);
	assert_run(b, 0, "exception confirm" C "--json 1");
	v = parsed(b);
	assert_string_equal(member(v, "state"), "in force");
	assert_string_equal(member(v, "who"), "somebody (uid 4711)");
	assert_non_null(member(v, "confirmed"));
	json_decref(v);
}

/* ---- sweeps ---- */

/* One that waits and turns two certificates of one device and one of another; bound as the database has it. */
static int64_t
sweep_of(struct box *b)
{
	const struct store_sweep_new what = { "2 of 3 devices", 3, 4, 2, 3 };
	struct store_turn v[3];
	struct store *s = opened(b);
	int64_t id = 0;

	for (size_t i = 0; i < 3; i++)
		v[i] = (struct store_turn){ .cert_id = (int64_t)i + 1,
			.rule = "compliance",
			.effect = CAUSE_HOLD,
			.reason = 6,
			.comment = "Intune says so",
			.owner = i < 2 ? 77 : 88 };
	assert_int_equal(store_sweep_begin(s, &what, &id, NULL), RC_OK);
	assert_int_equal(store_sweep_add(s, id, 0, v, 3, NULL), RC_OK);
	assert_int_equal(store_sweep_ready(s, id, NULL), RC_OK);
	assert_int_equal(store_sweep_beside(s, id, 5, NULL), RC_OK);
	assert_int_equal(
	    store_turned_add(s, clock_now(), (const uint64_t[]){ 3, 4 }, 2, id, NULL), RC_OK);
	store_close(s);
	return id;
}

/* Certificates 1 to 3, of which the first two are of a laptop of Jane. */
static void
people(struct box *b)
{
	static const char script[] =
	    "import sqlite3\n"
	    "d = sqlite3.connect('x/scepd.db')\n"
	    "for i in (1, 2, 3):\n"
	    "    d.execute('INSERT INTO cert(id, serial, tx_id, audit, issued, not_before, "
	    "not_after,'\n"
	    "        ' ca, endpoint, profile, thumbprint, der) VALUES(?, ?, 0, 0, 1, 1, "
	    "4000000000,'\n"
	    "        \" 'issuing', 'lab', 'lab', '00', x'00')\", (i, bytes([10, i])))\n"
	    "for i in (1, 2):\n"
	    "    d.execute('INSERT INTO binding(cert_id, state, tenant, user, device, "
	    "device_object,'\n"
	    "        ' managed, upn, serial_number, sid, platform, owner, enrolled, asked, "
	    "tries)'\n"
	    "        \" VALUES(?, 2, 'contoso', 'id-of-jane', '', '', 'id-of-laptop',\"\n"
	    "        \" 'jane@contoso.com', '', '', '', '', 0, 0, 0)\", (i,))\n"
	    "d.commit()\n";

	put(b, "people.py", script, 0600);
	assert_int_equal(shell(b, "python3 people.py"), 0);
}

static void
a_sweep_shows_who_waits_and_how_many_went_on(void **state)
{
	struct box *b = *state;
	const json_t *o;
	json_t *v;

	people(b);
	assert_int_equal(sweep_of(b), 1);
	assert_run(b, 0, "sweep show" C);
	assert_says(b, "Whose         2 devices and users, of 3\n");
	assert_says(b, "Beside        2 others turned, 5 wait as well\n");
	assert_says(b, "waits with everything, until this is decided:\nPERSON ");
	assert_says(b, "\njane@contoso.com                  id-of-laptop                      2\n");
	assert_says(b, " 1: 0A03\n"); /* of nobody that is known */
	assert_run(b, 0, "sweep show" C "--max 1");
	assert_says(b, "... and 2 more (--max)\n");
	assert_says(b, " 2\n... and more (--max)\n");
	assert_run(b, 0, "sweep show --json" C);
	v = parsed(b);
	o = json_object_get(v, "sweep");
	assert_int_equal(number(o, "beside"), 2);
	assert_int_equal(number(o, "besideWaiting"), 5);
	assert_int_equal(json_array_size(json_object_get(v, "turns")), 3);
	assert_int_equal(json_array_size(json_object_get(v, "owners")), 2);
	o = json_array_get(json_object_get(v, "owners"), 0);
	assert_string_equal(member(o, "user"), "jane@contoso.com");
	assert_string_equal(member(o, "userId"), "id-of-jane");
	assert_string_equal(member(o, "deviceId"), "id-of-laptop");
	assert_true(json_is_null(json_object_get(o, "device")));
	assert_int_equal(number(o, "certificates"), 2);
	json_decref(v);
}

static void
a_sweep_that_is_decided_is_told_as_json(void **state)
{
	struct box *b = *state;
	json_t *v;

	people(b);
	assert_int_equal(sweep_of(b), 1);
	assert_run(b, 77, "sweep approve --json" C "1 </dev/null 2>/dev/null");
	assert_string_equal(b->out, "");
	assert_run(b, 0, "sweep approve --json --yes" C "1 2>/dev/null");
	v = parsed(b);
	assert_int_equal(number(v, "id"), 1);
	assert_string_equal(member(v, "state"), "approved");
	assert_non_null(strstr(member(v, "decidedBy"), "(uid "));
	json_decref(v);
	assert_run(b, 73, "sweep discard --json --yes" C "1 2>/dev/null");
	assert_string_equal(b->out, "");
	assert_run(b, 0, "sweep show" C "1");
	assert_says(b, "\nWhose these are:\n");
}

static void
a_sweep_that_is_discarded_is_told_as_json(void **state)
{
	struct box *b = *state;
	json_t *v;

	people(b);
	assert_int_equal(sweep_of(b), 1);
	assert_run(b, 0, "sweep discard --json --yes" C "1 2>/dev/null");
	v = parsed(b);
	assert_string_equal(member(v, "state"), "discarded");
	json_decref(v);
}

/* ---- the admin API's tokens, the audit trail ---- */

static void
tokens_are_told_as_json(void **state)
{
	struct box *b = *state;
	const json_t *o;
	json_t *v;

	assert_run(b, 0, "admin list --json" C);
	assert_string_equal(b->out, "[]\n");
	assert_run(b, 0, "admin token jane --json" C "2>/dev/null");
	v = parsed(b);
	assert_string_equal(member(v, "name"), "jane");
	assert_int_equal(strlen(member(v, "token")), 43);
	assert_int_equal(json_array_size(json_object_get(v, "for")), 5);
	json_decref(v);
	assert_run(b, 0, "admin token mdm --for otp,status --json" C "2>/dev/null");
	assert_run(b, 0, "admin list --json" C);
	v = parsed(b);
	assert_int_equal(json_array_size(v), 2);
	o = json_array_get(v, 1);
	assert_string_equal(member(o, "name"), "mdm");
	assert_int_equal(json_array_size(json_object_get(o, "for")), 2);
	assert_string_equal(
	    json_string_value(json_array_get(json_object_get(o, "for"), 1)), "status");
	assert_null(json_object_get(o, "token"));
	json_decref(v);
	assert_run(b, 0, "admin revoke jane --json" C);
	v = parsed(b);
	assert_string_equal(member(v, "name"), "jane");
	json_decref(v);
	assert_run(b, 66, "admin revoke jane --json" C "2>/dev/null");
	assert_string_equal(b->out, "");
	assert_run(b, 0, "admin list" C);
	assert_silent_on(b, "jane");
}

static void
a_whole_audit_trail_is_told_as_json(void **state)
{
	struct box *b = *state;
	json_t *v;

	assert_run(b, 0, "exception add" C "--device " LAPTOP " --for 1d --comment x");
	assert_run(b, 0, "audit verify --json" C);
	v = parsed(b);
	assert_int_equal(number(v, "rows"), 1);
	assert_true(json_is_null(json_object_get(v, "signerLines")));
	json_decref(v);
}

int
main(int argc, char **argv)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, box_free)
	static const struct CMUnitTest tests[] = {
		T(an_exception_is_told_as_json_whatever_is_done_to_it),
		T(an_exception_that_waits_is_confirmed_by_another),
		T(a_sweep_shows_who_waits_and_how_many_went_on),
		T(a_sweep_that_is_decided_is_told_as_json),
		T(a_sweep_that_is_discarded_is_told_as_json),
		T(tokens_are_told_as_json),
		T(a_whole_audit_trail_is_told_as_json),
	};

	if (argc != 2)
		return 64;
	if (!kit_program(argv[1]))
		return 66;
	return cmocka_run_group_tests_name("scepctl deeds", tests, master_new, master_free);
}
