/*
 * status_test.c - the one status of a certificate follows from its causes; what CRLs read; bindings.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "store/store_status.h"

#include "fixture.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))

/* ---- what follows ---- */

static void
the_status_follows_from_causes_in_any_order(void **state)
{
	static const struct {
		struct store_cause causes[3];
		size_t n;
		enum cert_state state;
		int64_t since;
		int reason;
		const char *text;
	} t[] = {
		{ { { 0 } }, 0, CERT_GOOD, 0, 0, "good" },
		{ { { CAUSE_RULE, "wiped", CAUSE_HOLD, 6, 100 } }, 1, CERT_HELD, 100, 6,
		    "held since 1970-01-01T00:01:40Z by rule wiped" },
		{ { { CAUSE_RULE, "b", CAUSE_HOLD, 6, 100 },
		      { CAUSE_MANUAL, "", CAUSE_HOLD, 6, 50 } },
		    2, CERT_HELD, 50, 6,
		    "held since 1970-01-01T00:00:50Z by an administrator; 1 more cause" },
		{ { { CAUSE_MANUAL, "", CAUSE_HOLD, 6, 10 },
		      { CAUSE_INTUNE, "", CAUSE_REVOKE, 5, 99 },
		      { CAUSE_RULE, "x", CAUSE_REVOKE, 9, 98 } },
		    3, CERT_REVOKED, 98, 9,
		    "revoked since 1970-01-01T00:01:38Z by rule x; 2 more causes" },
		/* The same second: the source decides. */
		{ { { CAUSE_RULE, "x", CAUSE_REVOKE, 9, 7 },
		      { CAUSE_INTUNE, "", CAUSE_REVOKE, 5, 7 } },
		    2, CERT_REVOKED, 7, 5,
		    "revoked since 1970-01-01T00:00:07Z by Intune's revocation queue; 1 more "
		    "cause" },
	};

	(void)state;
	for (size_t i = 0; i < N(t); i++)
		for (size_t turn = 0; turn < 2; turn++) {
			struct store_cause causes[3];
			struct store_status s = { .causes = causes, .n_causes = t[i].n };
			struct buf b;

			for (size_t k = 0; k < t[i].n; k++)
				causes[k] = t[i].causes[turn == 0 ? k : t[i].n - 1 - k];
			store_status_derive(&s);
			assert_int_equal(s.state, t[i].state);
			assert_int_equal(s.since, t[i].since);
			assert_int_equal(s.reason, t[i].reason);
			buf_init(&b, 1000);
			store_status_text(&b, &s);
			assert_string_equal(buf_str(&b), t[i].text);
			buf_done(&b);
		}
}

/* ---- in the store ---- */

static enum cert_state
is(struct sf *f, const struct sf_tx *t, int *reason)
{
	struct store_status s = { 0 };
	struct store_cert_status row;
	enum cert_state now;

	ok(f, store_status_get(f->s, t->serial, NULL, &s, &f->err));
	ok(f, store_cert_status(f->s, t->serial, "issuing", &row, &f->err));
	/* The row says what the causes say. */
	assert_int_equal(row.revoked, s.since);
	assert_int_equal(row.reason, s.reason);
	if (reason != NULL)
		*reason = s.reason;
	now = s.state;
	store_status_done(&s);
	return now;
}

static struct store_cause_done
set(struct sf *f, const struct sf_tx *t, enum cause_source source, const char *rule,
    enum cause_effect effect)
{
	struct store_cause_set v = { .serial = t->serial,
		.source = source,
		.rule = rule,
		.effect = effect,
		.reason = effect == CAUSE_REVOKE ? 9 : 0,
		.who = "jane",
		.comment = "because" };
	struct store_cause_done done;

	ok(f, store_causes_set(f->s, &v, 1, &done, &f->err));
	return done;
}

static uint64_t
number(struct sf *f)
{
	uint64_t n = 0;

	ok(f, store_status_number(f->s, &n, &f->err));
	return n;
}

static void
a_hold_comes_off_with_its_last_cause(void **state)
{
	struct sf *f = *state;
	struct store_cause_done d;
	uint64_t before;
	struct sf_tx t;

	sf_tx(&t, 2);
	before = number(f);
	d = set(f, &t, CAUSE_RULE, "not-compliant", CAUSE_HOLD);
	assert_int_equal(d.outcome, CAUSE_SET);
	assert_int_equal(d.before, CERT_GOOD);
	assert_int_equal(d.after, CERT_HELD);
	assert_int_equal(number(f), before + 1);
	assert_int_equal(set(f, &t, CAUSE_MANUAL, NULL, CAUSE_HOLD).outcome, CAUSE_SET);
	assert_int_equal(set(f, &t, CAUSE_MANUAL, NULL, CAUSE_HOLD).outcome, CAUSE_AS_IT_WAS);
	/* The status is the same one, so that no CRL is made for it. */
	assert_int_equal(number(f), before + 1);
	d = set(f, &t, CAUSE_RULE, "not-compliant", CAUSE_GONE);
	assert_int_equal(d.after, CERT_HELD);
	assert_int_equal(is(f, &t, NULL), CERT_HELD);
	d = set(f, &t, CAUSE_MANUAL, NULL, CAUSE_GONE);
	assert_int_equal(d.before, CERT_HELD);
	assert_int_equal(d.after, CERT_GOOD);
	assert_int_equal(is(f, &t, NULL), CERT_GOOD);
	assert_int_equal(number(f), before + 2);
	assert_int_equal(set(f, &t, CAUSE_MANUAL, NULL, CAUSE_GONE).outcome, CAUSE_AS_IT_WAS);
	assert_int_equal(sf_number(f, "SELECT count(*) FROM audit WHERE event = 'cert-hold'"), 1);
	assert_int_equal(
	    sf_number(f, "SELECT count(*) FROM audit WHERE event = 'cert-release'"), 1);
	assert_int_equal(sf_number(f, "SELECT count(*) FROM audit WHERE event = 'cause'"), 2);
}

static void
a_revoked_certificate_never_becomes_good(void **state)
{
	struct sf *f = *state;
	struct sf_tx t;
	int reason;

	sf_tx(&t, 2);
	(void)set(f, &t, CAUSE_MANUAL, NULL, CAUSE_HOLD);
	assert_int_equal(set(f, &t, CAUSE_RULE, "wiped", CAUSE_REVOKE).after, CERT_REVOKED);
	assert_int_equal(set(f, &t, CAUSE_RULE, "wiped", CAUSE_GONE).outcome, CAUSE_IS_FINAL);
	assert_int_equal(set(f, &t, CAUSE_RULE, "wiped", CAUSE_HOLD).outcome, CAUSE_IS_FINAL);
	assert_int_equal(set(f, &t, CAUSE_MANUAL, NULL, CAUSE_GONE).outcome, CAUSE_SET);
	assert_int_equal(is(f, &t, &reason), CERT_REVOKED);
	assert_int_equal(reason, 9);
	assert_int_equal(store_cert_revoke(f->s, t.serial, NULL, 1, "x", &f->err), RC_CONFLICT);
}

static void
a_held_certificate_can_be_revoked(void **state)
{
	struct sf *f = *state;
	struct store_cert_row r;
	struct store_stats st;
	struct sf_tx t;
	int reason;

	sf_tx(&t, 2);
	ok(f, store_cert_revoke(f->s, t.serial, NULL, REASON_HOLD, "lost?", &f->err));
	assert_int_equal(is(f, &t, &reason), CERT_HELD);
	assert_int_equal(reason, 6);
	ok(f, store_stats(f->s, &st, &f->err));
	assert_int_equal(st.held, 1);
	assert_int_equal(st.revoked, 0);
	ok(f, store_cert_revoke(f->s, t.serial, NULL, 1, "lost", &f->err));
	assert_int_equal(is(f, &t, &reason), CERT_REVOKED);
	assert_int_equal(reason, 1);
	ok(f, store_cert_get(f->s, t.serial, NULL, &r, &f->err));
	assert_string_equal(r.revoked_why, "lost");
	store_cert_row_done(&r);
}

static void
many_are_set_in_one_commit_or_none(void **state)
{
	struct store_cause_set v[4];
	struct store_cause_done done[4];
	struct sf *f = *state;
	struct sf_tx t[3];

	for (unsigned i = 0; i < 3; i++) {
		sf_tx(&t[i], i + 1);
		v[i] = (struct store_cause_set){ .serial = t[i].serial,
			.source = CAUSE_INTUNE,
			.effect = CAUSE_REVOKE,
			.reason = 5 };
	}
	v[3] = v[0];
	v[3].serial = "0BADBAD1";
	ok(f, store_causes_set(f->s, v, 4, done, &f->err));
	assert_int_equal(done[0].outcome, CAUSE_SET);
	assert_int_equal(done[3].outcome, CAUSE_NO_CERT);
	ok(f, store_causes_set(f->s, v, 4, done, &f->err));
	assert_int_equal(done[0].outcome, CAUSE_AS_IT_WAS);
	assert_int_equal(done[0].after, CERT_REVOKED);
	/* What the door refuses changes nothing. */
	v[0].source = CAUSE_MANUAL;
	v[1].reason = 8;
	assert_int_equal(store_causes_set(f->s, v, 3, done, &f->err), RC_DENIED);
	assert_int_equal(sf_number(f, "SELECT count(*) FROM cause WHERE source = 1"), 0);
	assert_int_equal(
	    store_causes_set(f->s, v, STORE_CAUSES_BATCH + 1, done, &f->err), RC_LIMIT);
}

static void
causes_that_are_none_are_refused(void **state)
{
	char longer[CAUSE_COMMENT_MAX + 2];
	struct sf *f = *state;
	struct sf_tx t;
	const struct {
		struct store_cause_set v;
		enum rc rc;
	} bad[] = {
		{ { .source = 0, .effect = CAUSE_HOLD }, RC_BUG },
		{ { .source = CAUSE__MAX, .effect = CAUSE_HOLD }, RC_BUG },
		{ { .source = CAUSE_MANUAL, .effect = 3 }, RC_BUG },
		{ { .source = CAUSE_RULE, .effect = CAUSE_HOLD }, RC_BUG },
		{ { .source = CAUSE_MANUAL, .rule = "x", .effect = CAUSE_HOLD }, RC_BUG },
		{ { .source = CAUSE_MANUAL, .effect = CAUSE_REVOKE, .reason = 6 }, RC_DENIED },
		{ { .source = CAUSE_MANUAL, .effect = CAUSE_REVOKE, .reason = 7 }, RC_DENIED },
		{ { .source = CAUSE_MANUAL, .effect = CAUSE_REVOKE, .reason = 11 }, RC_DENIED },
		{ { .source = CAUSE_MANUAL, .effect = CAUSE_HOLD, .reason = 1 }, RC_DENIED },
		{ { .source = CAUSE_MANUAL, .effect = CAUSE_HOLD, .comment = longer }, RC_LIMIT },
	};

	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	sf_tx(&t, 2);
	for (size_t i = 0; i < N(bad); i++) {
		struct store_cause_set v = bad[i].v;

		v.serial = t.serial;
		assert_int_equal(store_causes_set(f->s, &v, 1, NULL, &f->err), bad[i].rc);
	}
	assert_int_equal(is(f, &t, NULL), CERT_GOOD);
}

static void
a_timed_hold_ends_by_itself(void **state)
{
	struct sf *f = *state;
	struct sf_tx t;
	int64_t now = clock_now();
	struct store_cause_set v = {
		.source = CAUSE_MANUAL, .effect = CAUSE_HOLD, .until = now + 60
	};
	size_t n = 9;

	sf_tx(&t, 2);
	v.serial = t.serial;
	ok(f, store_causes_set(f->s, &v, 1, NULL, &f->err));
	ok(f, store_holds_expire(f->s, now + 59, &n, &f->err));
	assert_int_equal(n, 0);
	assert_int_equal(is(f, &t, NULL), CERT_HELD);
	ok(f, store_holds_expire(f->s, now + 60, &n, &f->err));
	assert_int_equal(n, 1);
	assert_int_equal(is(f, &t, NULL), CERT_GOOD);
	ok(f, store_holds_expire(f->s, now + 60, &n, &f->err));
	assert_int_equal(n, 0);
}

/* ---- for CRLs ---- */

struct list {
	char text[400];
	uint8_t last[20];
	size_t last_len, n;
};

static int
see(void *arg, const struct store_crl_entry *e)
{
	struct list *l = arg;
	size_t len = e->serial_len < l->last_len ? e->serial_len : l->last_len;

	assert_true(l->n == 0 || memcmp(e->serial, l->last, len) > 0);
	memcpy(l->last, e->serial, e->serial_len);
	l->last_len = e->serial_len;
	assert_in_range(clock_now() - e->when, 0, 60);
	snprintf(l->text + strlen(l->text), sizeof(l->text) - strlen(l->text), "%02x:%d ",
	    e->serial[e->serial_len - 1], e->reason);
	l->n++;
	return 0;
}

static uint64_t
list(struct sf *f, struct store_crl_query q, const char *want)
{
	struct list l = { .text = "" };
	uint64_t at = 0;

	q.ca = "issuing";
	ok(f, store_crl_each(f->s, &q, &at, see, &l, &f->err));
	assert_string_equal(l.text, want);
	return at;
}

struct changed {
	uint64_t since;
	size_t n, most;
};

static int
see_change(void *arg, const struct store_change *c)
{
	struct changed *k = arg;

	assert_true(c->serial_len > 0 && c->serial_len <= 20 && c->number > k->since);
	return ++k->n == k->most;
}

static size_t
changes(struct sf *f, const char *ca, uint64_t since, size_t most)
{
	struct changed k = { since, 0, most };
	uint64_t at = 0;

	ok(f, store_changes_each(f->s, ca, since, &at, see_change, &k, &f->err));
	assert_int_equal(at, number(f));
	return k.n;
}

static int
by_serial(const void *a, const void *b)
{
	return strcmp(((const struct sf_tx *)a)->serial, ((const struct sf_tx *)b)->serial);
}

static void
a_list_holds_what_is_not_good_and_a_delta_what_has_changed(void **state)
{
	char all[64], delta[64];
	struct sf *f = *state;
	struct sf_tx t[5];
	uint8_t last[5];
	uint64_t base;

	for (unsigned i = 0; i < 5; i++)
		sf_tx(&t[i], i + 1);
	qsort(t, 5, sizeof(t[0]), by_serial); /* what points into itself is not used */
	for (unsigned i = 0; i < 5; i++) {
		last[i] = (uint8_t)strtoul(t[i].serial + strlen(t[i].serial) - 2, NULL, 16);
	}
	(void)set(f, &t[0], CAUSE_INTUNE, NULL, CAUSE_REVOKE);
	(void)set(f, &t[1], CAUSE_RULE, "r", CAUSE_HOLD);
	snprintf(all, sizeof(all), "%02x:9 %02x:6 ", last[0], last[1]);
	base = list(f, (struct store_crl_query){ .valid_at = 0 }, all);
	assert_int_equal(base, number(f));
	list(f, (struct store_crl_query){ .delta = true, .since = base }, "");
	(void)set(f, &t[1], CAUSE_RULE, "r", CAUSE_GONE);
	(void)set(f, &t[2], CAUSE_MANUAL, NULL, CAUSE_REVOKE);
	snprintf(delta, sizeof(delta), "%02x:8 %02x:9 ", last[1], last[2]);
	list(f, (struct store_crl_query){ .delta = true, .since = base }, delta);
	snprintf(all, sizeof(all), "%02x:9 %02x:9 ", last[0], last[2]);
	list(f, (struct store_crl_query){ .valid_at = 0 }, all);
	list(f, (struct store_crl_query){ .valid_at = INT64_MAX }, ""); /* expired */
	/* The same changes, cheaper, each with its number. */
	assert_int_equal(changes(f, "issuing", base, 9), 2);
	assert_int_equal(changes(f, "issuing", base, 1), 1);
	assert_int_equal(changes(f, "issuing", base + 1, 9), 1);
	assert_int_equal(changes(f, "issuing", base + 2, 9), 0);
	assert_int_equal(changes(f, "other", 0, 9), 0);
}

/* ---- bindings ---- */

static int
see_serial(void *arg, const char *serial, const char *ca)
{
	struct list *l = arg;

	assert_string_equal(ca, "issuing");
	snprintf(l->text + strlen(l->text), sizeof(l->text) - strlen(l->text), "%s ", serial);
	l->n++;
	return 0;
}

static int
see_due(
    void *arg, const char *serial, const char *ca, int64_t not_after, const struct store_binding *b)
{
	assert_true(not_after > 0);
	assert_true(b->due > 0);
	return see_serial(arg, serial, ca);
}

static uint64_t
unsettled(struct sf *f, enum binding_state state, int64_t now)
{
	uint64_t n = 99;

	ok(f, store_binding_count(f->s, "contoso", state, now, &n, &f->err));
	return n;
}

static void
a_binding_is_written_with_its_certificate_and_found_by_its_ids(void **state)
{
	struct store_binding b = { .state = BINDING_OPEN,
		.tenant = "contoso",
		.managed = "00000000-0000-0000-0000-0000000000aa",
		.upn = "jane@contoso.com" };
	struct list due = { .text = "" }, by = { .text = "" };
	int64_t now = clock_now();
	struct sf *f = *state;
	struct store_binding got;
	struct sf_tx t;
	char want[64];
	int64_t id;

	sf_tx(&t, 70);
	id = sf_drive(f, 70, TX_RESERVED);
	t.cert.binding = &b;
	ok(f, store_tx_signed(f->s, id, &t.cert, false, &f->err));
	ok(f, store_binding_get(f->s, t.serial, NULL, &got, &f->err));
	assert_string_equal(got.upn, "jane@contoso.com");
	/* As soon as may be. */
	assert_in_range(got.due, now, now + 5);
	ok(f, store_binding_due(f->s, "contoso", now + 5, 10, see_due, &due, &f->err));
	snprintf(want, sizeof(want), "%s ", t.serial);
	assert_string_equal(due.text, want);
	assert_int_equal(unsettled(f, BINDING_OPEN, 0), 1);
	assert_int_equal(unsettled(f, BINDING_OPEN, t.cert.not_after), 0);
	b.state = BINDING_BOUND;
	strcpy(b.user, "00000000-0000-0000-0000-0000000000bb");
	ok(f, store_binding_set(f->s, t.serial, NULL, &b, &f->err));
	due.text[0] = '\0';
	ok(f, store_binding_due(f->s, "contoso", now + 5, 10, see_due, &due, &f->err));
	assert_string_equal(due.text, "");
	assert_int_equal(unsettled(f, BINDING_OPEN, 0), 0);
	assert_int_equal(unsettled(f, BINDING_BOUND, 0), 0);
	ok(f,
	    store_binding_certs(
		f->s, NULL, BINDING_BY_USER, b.user, 0, 10, see_serial, &by, &f->err));
	assert_string_equal(by.text, want);
	/* Another tenant's user of the same id is somebody else. */
	by.text[0] = '\0';
	ok(f,
	    store_binding_certs(
		f->s, "fabrikam", BINDING_BY_USER, b.user, 0, 10, see_serial, &by, &f->err));
	assert_string_equal(by.text, "");
	/* One that names nobody. */
	sf_tx(&t, 2);
	ok(f, store_binding_get(f->s, t.serial, NULL, &got, &f->err));
	assert_int_equal(got.state, BINDING_NONE);
	assert_int_equal(store_binding_get(f->s, "0123", NULL, &got, &f->err), RC_NOTFOUND);
}

/* ---- whom to ask about next ---- */

static void
set_due(struct sf *f, unsigned n, enum binding_state state, int64_t due)
{
	struct store_binding b = { .state = state, .tenant = "contoso", .due = due };
	struct sf_tx t;

	sf_tx(&t, n);
	ok(f, store_binding_set(f->s, t.serial, NULL, &b, &f->err));
}

/* The numbers of certificates whose serial numbers these are, 1 to 5, in order. */
static const char *
numbers(const struct list *l)
{
	static char out[32];
	size_t n = 0;
	struct sf_tx t;

	for (const char *p = l->text; *p != '\0'; p = strchr(p, ' ') + 1)
		for (unsigned i = 1; i <= 5; i++) {
			sf_tx(&t, i);
			if (strncmp(p, t.serial, strlen(t.serial)) == 0)
				out[n++] = (char)('0' + i);
		}
	out[n] = '\0';
	return out;
}

static void
bindings_come_in_the_order_in_which_they_are_due(void **state)
{
	struct list l = { .text = "" };
	struct sf *f = *state;

	/* What was never known waits its pause, and keeps nobody waiting whose second try is due. */
	set_due(f, 1, BINDING_UNKNOWN, 5000);
	set_due(f, 2, BINDING_OPEN, 1003);
	set_due(f, 3, BINDING_BOUND, 1001);
	set_due(f, 4, BINDING_OPEN, 1002);
	set_due(f, 5, BINDING_BOUND, 0);
	ok(f, store_binding_due(f->s, "contoso", 1003, 10, see_due, &l, &f->err));
	assert_string_equal(numbers(&l), "342");
	l.text[0] = '\0';
	ok(f, store_binding_due(f->s, "contoso", 1002, 1, see_due, &l, &f->err));
	assert_string_equal(numbers(&l), "3");
	l.text[0] = '\0';
	ok(f, store_binding_due(f->s, "fabrikam", 9999, 10, see_due, &l, &f->err));
	assert_string_equal(l.text, "");
}

static void
behind_a_long_queue_the_latest_have_a_quarter(void **state)
{
	struct list l = { .text = "" };
	struct sf *f = *state;

	for (unsigned i = 1; i <= 5; i++)
		set_due(f, i, BINDING_OPEN, 1000 + (int64_t)i);
	ok(f, store_binding_due(f->s, "contoso", 2000, 4, see_due, &l, &f->err));
	assert_string_equal(numbers(&l), "1235");
}

static int
see_row(void *arg, int64_t rowid, const struct store_cert_row *row)
{
	return see_serial(arg, row->serial, row->ca);
}

/* Numbers of certificates that a filter lets through. */
static const char *
listed(struct sf *f, struct store_cert_filter *filter)
{
	struct list l = { .text = "" };

	filter->after_rowid = 0;
	ok(f, store_cert_page(f->s, filter, 9, &filter->after_rowid, see_row, &l, &f->err));
	assert_int_equal(filter->after_rowid, 0);
	return numbers(&l);
}

static void
what_is_unsettled_is_listed_and_counted_by_its_state(void **state)
{
	struct list l = { .text = "" };
	struct store_cause_set revoke = { .source = CAUSE_MANUAL,
		.effect = CAUSE_REVOKE,
		.reason = REASON_UNSPECIFIED,
		.who = "root" };
	struct store_cause_done done;
	struct store_cert_filter filter = { .revoked = -1, .unsettled = BINDING_UNKNOWN };
	struct sf *f = *state;
	struct sf_tx t;

	set_due(f, 1, BINDING_UNKNOWN, 5000);
	set_due(f, 2, BINDING_UNKNOWN, 5000);
	set_due(f, 3, BINDING_UNKNOWN, 0); /* expired: nobody asks any more */
	set_due(f, 4, BINDING_BOUND, 7000);
	ok(f, store_cert_page(f->s, &filter, 1, &filter.after_rowid, see_row, &l, &f->err));
	assert_string_equal(numbers(&l), "1");
	ok(f, store_cert_page(f->s, &filter, 9, &filter.after_rowid, see_row, &l, &f->err));
	assert_string_equal(numbers(&l), "12");
	assert_int_equal(filter.after_rowid, 0);
	assert_int_equal(unsettled(f, BINDING_UNKNOWN, 0), 2);
	assert_int_equal(unsettled(f, BINDING_BOUND, 0), 1);
	/* What is revoked is nobody's trouble any more. */
	sf_tx(&t, 2);
	revoke.serial = t.serial;
	ok(f, store_causes_set(f->s, &revoke, 1, &done, &f->err));
	assert_int_equal(unsettled(f, BINDING_UNKNOWN, 0), 1);
	/* With the other filters. */
	filter.revoked = CERTS_GOOD;
	assert_string_equal(listed(f, &filter), "1");
	filter.revoked = CERTS_REVOKED;
	assert_string_equal(listed(f, &filter), "2");
	filter.revoked = CERTS_HELD;
	assert_string_equal(listed(f, &filter), "");
	filter = (struct store_cert_filter){ .revoked = -1, .unsettled = BINDING_BOUND };
	assert_string_equal(listed(f, &filter), "4");
	filter.ca = "another";
	assert_string_equal(listed(f, &filter), "");
	filter = (struct store_cert_filter){ .revoked = -1, .unsettled = BINDING_OPEN };
	assert_string_equal(listed(f, &filter), "");
}

/* More than a call looks at, of which the last alone fits. */
static void
a_list_of_unsettled_ones_looks_at_so_many_a_call(void **state)
{
	struct store_cert_filter filter = {
		.revoked = -1, .unsettled = BINDING_OPEN, .text = "CN=the last"
	};
	struct list l = { .text = "" };
	struct sf *f = *state;
	char sql[1000];

	(void)snprintf(sql, sizeof(sql),
	    "BEGIN; WITH RECURSIVE n(i) AS (SELECT 1000 UNION ALL SELECT i + 1 FROM n WHERE i < %d)"
	    " INSERT INTO cert(id, serial, tx_id, audit, issued, not_before, not_after, ca, "
	    "endpoint,"
	    " profile, subject, thumbprint, der) SELECT i, CAST(printf('z%%08d', i) AS BLOB), 0, "
	    "0, 1,"
	    " 1, 4000000000, 'issuing', 'corp', 'wifi', 'CN=x', '00', x'00' FROM n;"
	    "INSERT INTO binding(cert_id, state, tenant, user, device, device_object, managed, upn,"
	    " serial_number, sid, platform, owner, enrolled, asked, tries, due) SELECT id, 1, "
	    "'contoso',"
	    " '', '', '', '', '', '', '', '', '', 0, 0, 0, 5 FROM cert WHERE id >= 1000;"
	    "UPDATE cert SET subject = 'CN=the last' WHERE id = %d; COMMIT;",
	    1000 + STORE_LOOK_MAX + 4, 1000 + STORE_LOOK_MAX + 4);
	sf_sql(f, sql);
	ok(f, store_cert_page(f->s, &filter, 9, &filter.after_rowid, see_row, &l, &f->err));
	assert_int_equal(l.n, 0);
	assert_int_equal(filter.after_rowid, 1000 + STORE_LOOK_MAX - 1);
	ok(f, store_cert_page(f->s, &filter, 9, &filter.after_rowid, see_row, &l, &f->err));
	assert_int_equal(l.n, 1);
	assert_int_equal(filter.after_rowid, 0);
}

static void
words_for_what_is_unsettled(void **state)
{
	assert_int_equal(binding_unsettled_by_name("unknown"), BINDING_UNKNOWN);
	assert_int_equal(binding_unsettled_by_name("partial"), BINDING_BOUND);
	assert_int_equal(binding_unsettled_by_name("open"), BINDING_OPEN);
	assert_int_equal(binding_unsettled_by_name("bound"), BINDING_NONE);
	assert_int_equal(binding_unsettled_by_name(""), BINDING_NONE);
	assert_int_equal(binding_unsettled_by_name(NULL), BINDING_NONE);
}

static int
setup(void **state)
{
	int rc = sf_setup(state);

	for (unsigned i = 1; rc == 0 && i <= 5; i++)
		(void)sf_drive(*state, i, TX_DELIVERED);
	return rc;
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_status_follows_from_causes_in_any_order),
		cmocka_unit_test_setup_teardown(
		    a_hold_comes_off_with_its_last_cause, setup, sf_teardown),
		cmocka_unit_test_setup_teardown(
		    a_revoked_certificate_never_becomes_good, setup, sf_teardown),
		cmocka_unit_test_setup_teardown(
		    a_held_certificate_can_be_revoked, setup, sf_teardown),
		cmocka_unit_test_setup_teardown(
		    many_are_set_in_one_commit_or_none, setup, sf_teardown),
		cmocka_unit_test_setup_teardown(
		    causes_that_are_none_are_refused, setup, sf_teardown),
		cmocka_unit_test_setup_teardown(a_timed_hold_ends_by_itself, setup, sf_teardown),
		cmocka_unit_test_setup_teardown(
		    a_list_holds_what_is_not_good_and_a_delta_what_has_changed, setup, sf_teardown),
		cmocka_unit_test_setup_teardown(
		    a_binding_is_written_with_its_certificate_and_found_by_its_ids, setup,
		    sf_teardown),
		cmocka_unit_test_setup_teardown(
		    bindings_come_in_the_order_in_which_they_are_due, setup, sf_teardown),
		cmocka_unit_test_setup_teardown(
		    behind_a_long_queue_the_latest_have_a_quarter, setup, sf_teardown),
		cmocka_unit_test_setup_teardown(
		    what_is_unsettled_is_listed_and_counted_by_its_state, setup, sf_teardown),
		cmocka_unit_test_setup_teardown(
		    a_list_of_unsettled_ones_looks_at_so_many_a_call, setup, sf_teardown),
		cmocka_unit_test(words_for_what_is_unsettled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
