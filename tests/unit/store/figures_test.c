/*
 * figures_test.c - what is asked often, or by a request, takes as long with a hundred thousand certificates that
 * are not good as with a few: pages of the database are counted, and not time.
 */
#include <stdio.h>
#include <string.h>

#include "store/sqlite.h"
#include "store/store_status.h"

#include "fixture.h"

/* ---- the figures are true ---- */

static void
are(struct sf *f, uint64_t certs, uint64_t held, uint64_t revoked)
{
	struct store_figures g;

	ok(f, store_flush(f->s, &f->err));
	ok(f, store_figures(f->s, &g, &f->err));
	assert_int_equal(g.certs, certs);
	assert_int_equal(g.held, held);
	assert_int_equal(g.revoked, revoked);
	assert_int_equal(
	    sf_number(f, "SELECT count(*) FROM cert WHERE revoked <> 0 AND reason = 6"), held);
	assert_int_equal(
	    sf_number(f, "SELECT count(*) FROM cert WHERE revoked <> 0 AND reason <> 6"), revoked);
}

static void
set(struct sf *f, unsigned n, enum cause_source source, enum cause_effect effect, int reason)
{
	struct store_cause_set v = { .source = source, .effect = effect, .reason = reason };
	struct store_cause_done done;
	struct sf_tx t;

	if (source == CAUSE_RULE)
		v.rule = "wiped";
	sf_tx(&t, n);
	v.serial = t.serial;
	ok(f, store_causes_set(f->s, &v, 1, &done, &f->err));
	assert_int_equal(done.outcome, CAUSE_SET);
}

static void
the_figures_follow_every_change_of_a_status(void **state)
{
	struct sf *f = *state;

	are(f, 0, 0, 0);
	for (unsigned i = 1; i <= 4; i++)
		sf_drive(f, i, TX_DELIVERED);
	are(f, 4, 0, 0);
	sf_drive(f, 5, TX_UNDELIVERED);
	are(f, 5, 0, 1);
	set(f, 1, CAUSE_MANUAL, CAUSE_HOLD, 6);
	set(f, 2, CAUSE_RULE, CAUSE_HOLD, 6);
	are(f, 5, 2, 1);
	set(f, 1, CAUSE_RULE, CAUSE_HOLD, 6); /* a second cause of the same */
	are(f, 5, 2, 1);
	set(f, 1, CAUSE_MANUAL, CAUSE_GONE, 0);
	are(f, 5, 2, 1);
	set(f, 1, CAUSE_RULE, CAUSE_GONE, 0);
	are(f, 5, 1, 1);
	set(f, 2, CAUSE_INTUNE, CAUSE_REVOKE, 5);
	are(f, 5, 0, 2);
	set(f, 2, CAUSE_MANUAL, CAUSE_REVOKE, 1); /* for another reason */
	are(f, 5, 0, 2);
	sf_restart(f);
	are(f, 5, 0, 2);
}

static void
the_figures_follow_who_writes_behind_the_store_s_back(void **state)
{
	struct sf *f = *state;

	sf_drive(f, 1, TX_DELIVERED);
	sf_drive(f, 2, TX_DELIVERED);
	sf_sql(f, "UPDATE cert SET revoked = 5, reason = 6 WHERE id = 1");
	are(f, 2, 1, 0);
	sf_sql(f, "UPDATE cert SET revoked = 5, reason = 1");
	are(f, 2, 0, 2);
	sf_sql(f, "DELETE FROM cert WHERE id = 1");
	are(f, 2, 0, 1); /* the greatest id is the number of all: no row is ever deleted */
	sf_sql(f, "UPDATE cert SET revoked = 0, reason = 0");
	are(f, 2, 0, 0);
}

/* ---- and cheap ---- */

/* Certificates up to number `all`, one in `apart` of them good. */
static void
fill(struct sf *f, unsigned all, unsigned apart)
{
	char sql[700];

	snprintf(sql, sizeof(sql),
	    "WITH RECURSIVE n(i) AS (SELECT 1 + coalesce((SELECT max(id) FROM cert), 0)"
	    " UNION ALL SELECT i + 1 FROM n WHERE i < %u)"
	    " INSERT INTO cert(id, serial, tx_id, audit, issued, not_before, not_after, revoked,"
	    " reason, ca, endpoint, profile, subject, thumbprint, der)"
	    " SELECT i, randomblob(16), 0, 1, 5, 5, 4000000000, i %% %u <> 0, 4, 'issuing', 'corp',"
	    " 'wifi', 'CN=Device ' || i || ',', '', x'30' FROM n",
	    all, apart);
	sf_sql(f, sql);
}

/* Pages that the store has looked at since this was asked last, by the one connection for reading that a test
 * with one thread makes. */
static int
pages(struct sf *f)
{
	struct sq_conn *c;
	int hit, miss, most;

	ok(f, sq_reader_get(&c, f->s, &f->err));
	(void)sqlite3_db_status(c->db, SQLITE_DBSTATUS_CACHE_HIT, &hit, &most, 1);
	(void)sqlite3_db_status(c->db, SQLITE_DBSTATUS_CACHE_MISS, &miss, &most, 1);
	sq_reader_put(f->s, c);
	return hit + miss;
}

static int
pages_of_figures(struct sf *f, uint64_t revoked)
{
	struct store_figures g;

	(void)pages(f);
	ok(f, store_figures(f->s, &g, &f->err));
	assert_int_equal(g.revoked, revoked);
	return pages(f);
}

static void
the_figures_of_many_cost_what_those_of_a_few_cost(void **state)
{
	struct sf *f = *state;
	int few, many;

	fill(f, 100, 1000000);
	(void)pages_of_figures(f, 100); /* prepares the statement */
	few = pages_of_figures(f, 100);
	fill(f, 100000, 1000000);
	(void)pages_of_figures(f, 100000);
	many = pages_of_figures(f, 100000);
	assert_in_range(few, 1, 20);
	assert_in_range(many, few, few + 5); /* a tree may have grown higher */
}

/* ---- lists whose pattern nothing fits ---- */

static int
never(void *arg, int64_t rowid, const struct store_cert_row *row)
{
	++*(size_t *)arg;
	return 0;
}

/* Walks to the end; the number of pages, each of which has cost `most` at most, or less by an index. */
static size_t
walk(struct sf *f, int revoked, const char *text, const char *endpoint, int most, size_t *found)
{
	struct store_cert_filter filter = {
		.revoked = revoked, .text = text, .endpoint = endpoint
	};
	size_t n = 0;

	*found = 0;
	do {
		(void)pages(f);
		ok(f,
		    store_cert_page(
			f->s, &filter, 100, &filter.after_rowid, never, found, &f->err));
		assert_in_range(pages(f), 0, most);
		assert_true(++n < 1000);
	} while (filter.after_rowid != 0);
	return n;
}

static void
a_page_looks_at_a_bounded_number_of_rows(void **state)
{
	/* By rows, of which each is a step down two trees at most. */
	enum { MOST = STORE_LOOK_MAX * 10, ALL = 2 * STORE_LOOK_MAX + 1 };
	struct sf *f = *state;
	size_t found;

	fill(f, ALL, 2);
	assert_int_equal(walk(f, -1, "nobody", NULL, MOST, &found), 3);
	assert_int_equal(found, 0);
	assert_int_equal(walk(f, -1, NULL, "guest", MOST, &found), 3);
	assert_int_equal(walk(f, CERTS_GOOD, "nobody", NULL, MOST, &found), 3);
	/* Of what is revoked, which is half of all, only that is counted. */
	assert_int_equal(walk(f, CERTS_REVOKED, "nobody", NULL, MOST, &found), 2);
	assert_int_equal(walk(f, CERTS_NOT_GOOD, "nobody", NULL, MOST, &found), 2);
	/* One of the last is found after pages that had nothing. */
	assert_int_equal(walk(f, -1, "CN=Device 20001,", NULL, MOST, &found), 3);
	assert_int_equal(found, 1);
}

static void
what_is_held_is_found_at_once_among_all(void **state)
{
	struct sf *f = *state;
	size_t found;

	fill(f, 3 * STORE_LOOK_MAX, 2);
	sf_sql(f, "UPDATE cert SET reason = 6 WHERE id IN (1, 20001, 29999)");
	assert_int_equal(walk(f, CERTS_HELD, NULL, NULL, 100, &found), 1);
	assert_int_equal(found, 3);
	assert_int_equal(walk(f, CERTS_HELD, "nobody", NULL, 100, &found), 1);
	assert_int_equal(found, 0);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, sf_setup, sf_teardown)
	static const struct CMUnitTest tests[] = {
		T(the_figures_follow_every_change_of_a_status),
		T(the_figures_follow_who_writes_behind_the_store_s_back),
		T(the_figures_of_many_cost_what_those_of_a_few_cost),
		T(a_page_looks_at_a_bounded_number_of_rows),
		T(what_is_held_is_found_at_once_among_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
