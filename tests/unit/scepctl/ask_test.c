/*
 * ask_test.c - scepctl requests and otp, run as an administrator runs them, and what show tells of a
 * renewal.
 *
 *	ask_test PATH-OF-SCEPCTL
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "ca/otp.h"
#include "kit.h"
#include "ossl/cert.h"

#define C      " --config x/scepd.yaml "
#define DAY_MS (INT64_C(24) * 3600 * 1000)

static int
master_new(void **state)
{
	return master_make("  slips: { ca: issuing, profile: lab, challenge: otp,"
			   " otp: { lifetime: 2h, max_lifetime: 10d } }\n"
			   "  routers: { ca: issuing, profile: lab, challenge: approval }\n");
}

static int64_t
begun(struct store *s, unsigned n)
{
	uint8_t csr[32] = { (uint8_t)n, 1 }, signer[32];
	char tx[32];
	struct tx_key key = { .endpoint = "routers",
		.transaction_id = tx,
		.csr_sha256 = csr,
		.signer_sha256 = signer };
	struct store_tx row;
	int64_t id;
	bool fresh;

	memset(signer, 0xab, sizeof(signer));
	snprintf(tx, sizeof(tx), "TX%u", n);
	assert_int_equal(store_tx_begin(s, &key, csr, sizeof(csr), &row, &fresh, NULL), RC_OK);
	id = row.id;
	store_tx_done(&row);
	return id;
}

/* Number n waits, for a week. */
static int64_t
held(const struct box *b, unsigned n, const char *subject)
{
	const struct store_hold_ask ask = { .profile = "lab",
		.subject = subject,
		.san = "dns:r1.lab.contoso.com",
		.key = "RSA-2048",
		.peer = "192.0.2.9",
		.lifetime_ms = 7 * DAY_MS };
	struct store *s = opened(b);
	struct store_hold h;
	int64_t id = begun(s, n);

	assert_int_equal(store_hold(s, id, &ask, &h, NULL), RC_OK);
	store_hold_done(&h);
	store_close(s);
	return id;
}

static void
assert_runf(struct box *b, int want, const char *fmt, int64_t id)
{
	char args[512];

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(args, sizeof(args), fmt, (long long)id);
#pragma GCC diagnostic pop
	assert_run(b, want, args);
}

/* ---- requests ---- */

static void
what_waits_is_listed(void **state)
{
	struct box *b = *state;
	int64_t one, two;
	json_t *v;

	master_copy(b);
	assert_run(b, 0, "requests list" C);
	assert_string_equal(b->out, "no requests wait\n");
	assert_run(b, 0, "requests list" C "--json");
	assert_string_equal(b->out, "[]\n");
	one = held(b, 1, "CN=r1.lab.contoso.com");
	two = held(b, 2, "CN=r2.lab.contoso.com\n\x1b[31m");
	assert_run(b, 0, "requests list" C);
	assert_says(b, "pending");
	assert_says(b, "CN=r1.lab.contoso.com");
	assert_silent_on(b, "\x1b"); /* what a device sends does nothing to a terminal */
	assert_run(b, 0, "requests list" C "--endpoint lab");
	assert_string_equal(b->out, "no requests wait\n");
	assert_run(b, 0, "requests list" C "--json");
	v = parsed(b);
	assert_int_equal(json_array_size(v), 2);
	assert_int_equal(json_integer_value(json_object_get(json_array_get(v, 0), "id")), one);
	assert_string_equal(member(json_array_get(v, 0), "verdict"), "pending");
	assert_string_equal(member(json_array_get(v, 0), "peer"), "192.0.2.9");
	assert_string_equal(member(json_array_get(v, 0), "signerSha256"),
	    "abababababababababababababababababababababababababababababababab");
	json_decref(v);
	assert_runf(b, 0, "requests deny" C "%lld", two);
	assert_run(b, 0, "requests list" C);
	assert_silent_on(b, "CN=r2");
	assert_run(b, 0, "requests list" C "--state denied");
	assert_says(b, "CN=r2");
	assert_silent_on(b, "CN=r1");
	assert_run(b, 0, "requests list" C "--all");
	assert_says(b, "CN=r1");
	assert_says(b, "CN=r2");
	assert_run(b, 78, "requests list" C "--all --state denied");
	assert_run(b, 64, "requests list" C "--state waiting");
}

static void
a_long_list_goes_on_after_a_page(void **state)
{
	const struct store_hold_ask ask = { .subject = "CN=x", .lifetime_ms = DAY_MS };
	struct box *b = *state;
	struct store_hold h;
	struct store *s;
	json_t *v;

	master_copy(b);
	s = opened(b);
	for (unsigned i = 0; i < 205; i++) {
		assert_int_equal(store_hold(s, begun(s, i), &ask, &h, NULL), RC_OK);
		store_hold_done(&h);
	}
	store_close(s);
	assert_run(b, 0, "requests list" C "--json");
	v = parsed(b);
	assert_int_equal(json_array_size(v), 205);
	json_decref(v);
}

static void
show_has_what_an_administrator_can_go_by(void **state)
{
	struct box *b = *state;
	int64_t id;
	json_t *v;

	master_copy(b);
	id = held(b, 1, "CN=r1.lab.contoso.com");
	assert_runf(b, 0, "requests show" C "%lld", id);
	assert_says(b, "State         pending");
	assert_says(b, "Subject       CN=r1.lab.contoso.com");
	assert_says(b, "Names         dns:r1.lab.contoso.com");
	assert_says(b, "Key           RSA-2048");
	assert_says(b, "Key SHA-256   abababab");
	assert_says(b, "From          192.0.2.9");
	assert_says(b, "Endpoint      routers");
	assert_silent_on(b, "Decided");
	assert_runf(b, 0, "requests show" C "--json %lld", id);
	v = parsed(b);
	assert_string_equal(member(v, "subject"), "CN=r1.lab.contoso.com");
	assert_string_equal(member(v, "state"), "received");
	assert_true(json_is_null(json_object_get(v, "decided")));
	json_decref(v);
	assert_run(b, 66, "requests show" C "4711");
	assert_says(b, "no request 4711");
	assert_run(b, 78, "requests show" C "x");
	assert_run(b, 78, "requests show" C "0");
	assert_run(b, 78, "requests show" C "99999999999999999999");
	assert_run(b, 64, "requests show" C);
}

static void
approval_is_a_deliberate_act(void **state)
{
	struct box *b = *state;
	int64_t id;

	master_copy(b);
	id = held(b, 1, "CN=r1.lab.contoso.com");
	/* Without a terminal nobody has looked. */
	assert_runf(b, 77, "requests approve" C "%lld </dev/null", id);
	assert_says(b, "nobody is here to say yes");
	assert_says(b, "--yes");
	assert_runf(b, 0, "requests show" C "%lld", id);
	assert_says(b, "State         pending");
	assert_runf(b, 0, "requests approve" C "--yes --reason 'key compared' %lld </dev/null", id);
	assert_says(b, "Key SHA-256   abababab"); /* shown before it acts */
	assert_says(b, "approved request");
	assert_runf(b, 0, "requests show" C "%lld", id);
	assert_says(b, "State         approved");
	assert_says(b, "Reason        key compared");
	assert_says(b, "(uid ");
	assert_run(b, 0, "audit list" C);
	assert_says(b, " approve ");
	assert_says(b, "reason=\"key compared\"");
	assert_run(b, 0, "audit verify" C);
}

/* On a terminal it asks, and anything but a y is a no. */
static void
on_a_terminal_it_asks(void **state)
{
	struct box *b = *state;
	char cmd[512];
	int64_t id;

	master_copy(b);
	id = held(b, 1, "CN=r1.lab.contoso.com");
	snprintf(cmd, sizeof(cmd),
	    "printf '\\n' | script -qec '%s requests approve" C "%lld' /dev/null", kit_path(),
	    (long long)id);
	assert_int_equal(shell(b, cmd), 77);
	assert_says(b, "Issue a certificate for this? [y/N]");
	assert_says(b, "the request waits on");
	snprintf(cmd, sizeof(cmd),
	    "printf 'y\\n' | script -qec '%s requests approve" C "%lld' /dev/null", kit_path(),
	    (long long)id);
	assert_int_equal(shell(b, cmd), 0);
	assert_says(b, "approved request");
}

static void
a_request_is_decided_once(void **state)
{
	struct box *b = *state;
	int64_t yes, no, over;
	struct store *s;
	size_t n;

	master_copy(b);
	yes = held(b, 1, "CN=r1");
	no = held(b, 2, "CN=r2");
	over = held(b, 3, "CN=r3");
	assert_runf(b, 0, "requests approve" C "--yes %lld", yes);
	assert_runf(b, 73, "requests approve" C "%lld </dev/null", yes); /* it says so unasked */
	assert_says(b, "was approved at ");
	assert_runf(b, 73, "requests deny" C "%lld", yes);
	assert_runf(b, 0, "requests deny" C "%lld --reason 'no such router'", no);
	assert_says(b, "denied request");
	assert_runf(b, 73, "requests deny" C "%lld", no);
	assert_says(b, "was denied at ");
	assert_says(b, "the device has to ask again with a new key");
	assert_runf(b, 73, "requests approve" C "--yes %lld", no);
	s = opened(b);
	assert_int_equal(store_hold_sweep(s, clock_now_ms() + 8 * DAY_MS, &n, NULL), RC_OK);
	assert_int_equal(n, 2); /* r1 was not fetched */
	store_close(s);
	assert_runf(b, 73, "requests approve" C "--yes %lld", over);
	assert_says(b, "is over: its transaction was refused");
	assert_run(b, 66, "requests deny" C "4711");
	assert_runf(b, 0, "requests show" C "%lld", no);
	assert_says(b, "no such router");
}

static void
a_decision_is_told_as_json(void **state)
{
	struct box *b = *state;
	int64_t yes, no;
	json_t *v;

	master_copy(b);
	yes = held(b, 1, "CN=r1");
	no = held(b, 2, "CN=r2");
	assert_runf(b, 0, "requests approve" C "--yes --json --reason ok %lld 2>shown", yes);
	v = parsed(b);
	assert_int_equal(json_integer_value(json_object_get(v, "id")), yes);
	assert_string_equal(member(v, "verdict"), "approved");
	assert_string_equal(member(v, "reason"), "ok");
	assert_non_null(strstr(member(v, "decidedBy"), "(uid "));
	json_decref(v);
	assert_int_equal(shell(b, "grep -q 'Key SHA-256' shown"), 0);
	assert_runf(b, 0, "requests deny" C "--json %lld", no);
	v = parsed(b);
	assert_string_equal(member(v, "verdict"), "denied");
	assert_non_null(member(v, "decided"));
	json_decref(v);
	assert_runf(b, 73, "requests deny" C "--json %lld 2>/dev/null", no);
	assert_string_equal(b->out, "");
}

static void
reasons_are_short_text(void **state)
{
	struct box *b = *state;
	char args[1400];
	int64_t id;

	master_copy(b);
	id = held(b, 1, "CN=r1");
	snprintf(args, sizeof(args), "requests deny" C "%lld --reason %01001d", (long long)id, 0);
	assert_run(b, 78, args);
	assert_runf(b, 78, "requests deny" C "%lld --reason $(printf '\\377')", id);
	assert_runf(b, 0, "requests show" C "%lld", id);
	assert_says(b, "pending");
}

/* ---- one-time passwords ---- */

/* Password `text` is one of endpoint slips; its number. */
static int64_t
found(const struct box *b, const char *text, struct store_otp_row *r)
{
	struct store *s = opened(b);
	uint8_t hash[32];

	assert_int_equal(otp_hash(hash, text, strlen(text), NULL), RC_OK);
	assert_int_equal(store_otp_find(s, "slips", hash, r, NULL), RC_OK);
	store_close(s);
	return r->id;
}

static void
new_prints_passwords_and_nothing_else(void **state)
{
	struct box *b = *state;
	struct store_otp_row r;
	char first[40], cmd[200];
	size_t lines = 0;

	master_copy(b);
	assert_run(
	    b, 0, "otp new" C "--subject 'CN=pc-*,O=*' --count 30 --comment 'hall 3' 2>words.txt");
	for (const char *p = b->out; *p != '\0'; p = strchr(p, '\n') + 1, lines++)
		assert_int_equal(strcspn(p, "\n"), 34);
	assert_int_equal(lines, 30);
	snprintf(first, sizeof(first), "%.34s", b->out);
	found(b, first, &r);
	assert_int_equal(r.state, OTP_LIVE);
	assert_string_equal(r.subject, "CN=pc-*,O=*");
	assert_string_equal(r.comment, "hall 3");
	assert_int_equal(r.uses, 1);
	assert_in_range(r.expires - clock_now_ms(), 7000000, 7200000); /* the endpoint's 2h */
	assert_non_null(strstr(r.who, "(uid "));
	store_otp_row_done(&r);
	assert_int_equal(shell(b, "cat words.txt"), 0);
	assert_says(b, "30 passwords for endpoint slips, each good for one certificate until ");
	assert_says(b, "Subject: CN=pc-*; any O; no other attribute.");
	/* S32: nowhere in clear. */
	snprintf(cmd, sizeof(cmd), "! grep -aq -e %.4s-%.4s -e %.4s%.4s x/scepd.db*", first,
	    first + 5, first, first + 5);
	assert_int_equal(shell(b, cmd), 0);
	assert_run(b, 0, "otp list" C);
	first[4] = '\0';
	assert_silent_on(b, first);
}

static void
new_as_json_and_in_the_form_of_ndes(void **state)
{
	struct box *b = *state;
	struct store_otp_row r;
	json_t *v;

	master_copy(b);
	assert_run(b, 0,
	    "otp new" C
	    "--endpoint slips --subject CN=a.lab.contoso.com --san dns:a.lab.contoso.com --uses 3"
	    " --lifetime 90m --hex --json 2>/dev/null");
	v = parsed(b);
	assert_int_equal(json_array_size(v), 1);
	assert_int_equal(strlen(member(json_array_get(v, 0), "secret")), 32);
	assert_string_equal(member(json_array_get(v, 0), "endpoint"), "slips");
	assert_int_equal(json_integer_value(json_object_get(json_array_get(v, 0), "id")),
	    found(b, member(json_array_get(v, 0), "secret"), &r));
	assert_int_equal(r.uses, 3);
	assert_string_equal(r.san, "dns:a.lab.contoso.com");
	store_otp_row_done(&r);
	json_decref(v);
}

static void
new_refuses_what_would_let_everybody_or_nobody_in(void **state)
{
	static const struct {
		const char *args, *says;
		int status;
	} rows[] = {
		{ "--subject 'CN=*'", "fits any name", 78 },
		{ "--subject printer", "is not of the form LABEL=glob", 78 },
		{ "--subject CN=a.lab.contoso.con", "fits no subject.allow of profile lab", 78 },
		{ "--subject 'CN=a,PSEUDONYM=b'", "names PSEUDONYM", 78 },
		{ "--subject CN=a.lab.contoso.com --san 'dns:*'", "", 78 },
		{ "--subject CN=a.lab.contoso.com --endpoint lab", "takes no one-time passwords",
		    78 },
		{ "--subject CN=a.lab.contoso.com --endpoint nope", "no endpoint \"nope\"", 66 },
		{ "--subject CN=a.lab.contoso.com --lifetime 11d", "is more than 10d", 78 },
		{ "--subject CN=a.lab.contoso.com --lifetime 91d", "--lifetime", 64 },
		{ "--subject CN=a.lab.contoso.com --uses 0", "--uses", 64 },
		{ "--subject CN=a.lab.contoso.com --uses 10001", "--uses", 64 },
		{ "--subject CN=a.lab.contoso.com --count 1001", "--count", 64 },
		{ "--subject CN=a.lab.contoso.com --comment $(printf '\\377')", "not UTF-8", 78 },
	};
	struct box *b = *state;
	char args[300];

	master_copy(b);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(args, sizeof(args), "otp new" C "%s", rows[i].args);
		assert_run(b, rows[i].status, args);
		assert_says(b, rows[i].says);
	}
	assert_run(b, 0, "otp list" C);
	assert_string_equal(b->out, "no one-time passwords\n");
	/* The profile of the lab bounds who may be named by itself. */
	assert_run(b, 0, "otp new" C);
	assert_says(b, "Subject: whatever profile lab allows.");
}

static void
new_does_not_keep_quiet_about_passwords_that_nobody_saw(void **state)
{
	struct box *b = *state;

	master_copy(b);
	assert_run(b, 74, "otp new" C "--subject CN=a.lab.contoso.com >/dev/full");
	assert_says(b, "could not be printed");
	assert_run(b, 0, "otp list" C "--live");
	assert_says(b, "CN=a");
}

static void
a_password_is_listed_and_revoked(void **state)
{
	struct box *b = *state;
	struct store *s;
	json_t *v;

	master_copy(b);
	assert_run(b, 0, "otp new" C "--subject CN=a.lab.contoso.com --count 3");
	s = opened(b);
	assert_int_equal(store_otp_revoke(s, 1, "jane", NULL, NULL), RC_OK);
	store_close(s);
	assert_run(b, 0, "otp list" C);
	assert_says(b, "revoked");
	assert_says(b, "0 of 1");
	assert_run(b, 0, "otp list" C "--live --json");
	v = parsed(b);
	assert_int_equal(json_array_size(v), 2);
	assert_string_equal(member(json_array_get(v, 0), "state"), "live");
	assert_null(json_object_get(json_array_get(v, 0), "secret"));
	json_decref(v);
	assert_run(b, 0, "otp revoke" C "2 --comment 'slip lost'");
	assert_run(b, 73, "otp revoke" C "2");
	assert_says(b, "is revoked already");
	assert_run(b, 66, "otp revoke" C "4711");
	assert_run(b, 78, "otp revoke" C "x");
	assert_run(b, 78, "otp revoke" C);
	assert_run(b, 78, "otp revoke" C "1 --all");
	assert_run(b, 78, "otp revoke" C "3 --endpoint slips");
	assert_run(b, 0, "otp revoke" C "--all --endpoint lab");
	assert_says(b, "revoked 0 one-time passwords");
	assert_run(b, 66, "otp revoke" C "--all --endpoint labb"); /* and not: none is left */
	assert_says(b, "there is no endpoint \"labb\"");
	assert_run(b, 66, "otp list" C "--endpoint labb");
	assert_run(b, 66, "requests list" C "--endpoint labb");
	assert_run(b, 66, "list" C "--endpoint labb");
	assert_run(b, 66, "list" C "--ca issuin");
	assert_run(b, 0, "list" C "--ca issuing");
	assert_run(b, 0, "requests list" C "--endpoint lab --all");
	assert_run(b, 0, "otp revoke" C "--all");
	assert_says(b, "revoked 1 one-time password\n");
	assert_run(b, 0, "audit list" C);
	assert_says(b, "why=\"slip lost\"");
	assert_run(b, 0, "audit verify" C);
}

/* ---- renewals ---- */

static void
issued(struct store *s, const struct cert *c, unsigned n, const char *serial, const char *replaces)
{
	size_t len;
	const uint8_t *der = cert_der0(c, &len);
	struct store_cert sc = { .serial = serial,
		.ca = "issuing",
		.endpoint = "routers",
		.profile = "lab",
		.subject = "CN=r1",
		.thumbprint = "00",
		.der = der,
		.der_len = len,
		.not_before = clock_now() - 100,
		.not_after = clock_now() + 86400,
		.replaces = replaces,
		.revoke_replaced = replaces == NULL ? 0 : INT64_C(4000000000) };
	int64_t id = begun(s, n);

	assert_int_equal(store_tx_reserve(s, id, "test", serial, NULL, NULL), RC_OK);
	assert_int_equal(store_tx_signed(s, id, &sc, false, NULL), RC_OK);
}

static void
show_tells_what_a_certificate_replaces(void **state)
{
	struct box *b = *state;
	struct cert *c = NULL;
	struct store *s;
	json_t *v;

	master_copy(b);
	assert_int_equal(cert_load(&c, in(b, "x/ca/ra.pem"), NULL), RC_OK);
	s = opened(b);
	issued(s, c, 1, "0A01", NULL);
	issued(s, c, 2, "0A02", "0A01");
	store_close(s);
	cert_free(c);
	assert_run(b, 0, "show" C "0A01");
	assert_says(b, "Replaced by   0A02, ");
	assert_says(b, "To be revoked 2096-10-02 07:06 UTC");
	assert_silent_on(b, "Replaces");
	assert_run(b, 0, "show" C "0A02");
	assert_says(b, "Replaces      0A01");
	assert_silent_on(b, "Replaced by");
	assert_run(b, 0, "show" C "--json 0A01");
	v = parsed(b);
	assert_string_equal(member(v, "replacedBy"), "0A02");
	assert_string_equal(member(v, "revokeAt"), "2096-10-02T07:06:40Z");
	assert_true(json_is_null(json_object_get(v, "replaces")));
	json_decref(v);
}

static void
passwords_that_were_revoked_are_told_as_json(void **state)
{
	struct box *b = *state;
	json_t *v;

	master_copy(b);
	assert_run(b, 0, "otp new" C "--subject CN=a.lab.contoso.com --count 4");
	assert_run(b, 0, "otp revoke" C "--json 2");
	v = parsed(b);
	assert_int_equal(json_array_size(v), 1);
	assert_int_equal(json_integer_value(json_object_get(json_array_get(v, 0), "id")), 2);
	assert_string_equal(member(json_array_get(v, 0), "outcome"), "done");
	json_decref(v);
	/* Those before one that is none. */
	assert_run(b, 73, "otp revoke" C "--json 1 2 3 2>/dev/null");
	v = parsed(b);
	assert_int_equal(json_array_size(v), 1);
	json_decref(v);
	assert_run(b, 0, "otp revoke" C "--json --all");
	v = parsed(b);
	assert_int_equal(json_array_size(v), 2);
	json_decref(v);
	assert_run(b, 0, "otp revoke" C "--json --all");
	assert_string_equal(b->out, "[]\n");
}

/* ---- an older database ---- */

static void
a_database_that_was_not_brought_up_to_date_is_one_clear_sentence(void **state)
{
	struct box *b = *state;

	master_copy(b);
	assert_int_equal(shell(b,
			     "python3 -c 'import sqlite3; d = sqlite3.connect(\"x/scepd.db\");"
			     " d.execute(\"PRAGMA user_version = 2\")'"),
	    0);
	assert_run(b, 78, "requests list" C);
	assert_says(b, "has the schema of an older version (2, and this program needs ");
	assert_says(b, "start scepd of this version once");
	assert_run(b, 78, "check" C);
	assert_says(b, "has the schema of an older version");
	assert_says(b, "start scepd of this version once");
}

#define T(f) cmocka_unit_test_setup_teardown(f, box_new, box_free)

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		T(what_waits_is_listed),
		T(a_long_list_goes_on_after_a_page),
		T(show_has_what_an_administrator_can_go_by),
		T(approval_is_a_deliberate_act),
		T(on_a_terminal_it_asks),
		T(a_request_is_decided_once),
		T(a_decision_is_told_as_json),
		T(reasons_are_short_text),
		T(new_prints_passwords_and_nothing_else),
		T(new_as_json_and_in_the_form_of_ndes),
		T(new_refuses_what_would_let_everybody_or_nobody_in),
		T(new_does_not_keep_quiet_about_passwords_that_nobody_saw),
		T(a_password_is_listed_and_revoked),
		T(passwords_that_were_revoked_are_told_as_json),
		T(show_tells_what_a_certificate_replaces),
		T(a_database_that_was_not_brought_up_to_date_is_one_clear_sentence),
	};

	if (argc != 2)
		return 64;
	if (!kit_program(argv[1]))
		return 66;
	return cmocka_run_group_tests_name("ask", tests, master_new, master_free);
}
