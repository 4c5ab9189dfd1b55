/*
 * plan_test.c - the cost of a statement does not grow with the tables: none walks all transactions,
 * certificates or audit rows.
 */
#include <stdio.h>
#include <string.h>

#include "store/sqlite_conn.h"

#include "fixture.h"

/* "SCAN t" in a plan means all rows; tables that stay short may be scanned. */
static bool
walks_a_long_table(const char *step)
{
	static const char *const longs[] = { "SCAN t", "SCAN tx", "SCAN c", "SCAN cert",
		"SCAN audit" };

	for (size_t i = 0; i < sizeof(longs) / sizeof(longs[0]); i++) {
		size_t len = strlen(longs[i]);

		if (strncmp(step, longs[i], len) == 0 && (step[len] == '\0' || step[len] == ' '))
			return true;
	}
	return false;
}

/* The newest row alone, or an index of the few unusual rows, is no walk of the table. */
static bool
stays_short(const char *sql, const char *step)
{
	return strstr(sql, "DESC LIMIT 1") != NULL ||
	    strstr(step, "COVERING INDEX cert_revoked") != NULL ||
	    strstr(step, "COVERING INDEX tx_failed") != NULL;
}

static void
no_statement_walks_a_long_table(void **state)
{
	struct sf *f = *state;
	sqlite3 *db;

	assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
	for (int id = 0; id < Q__MAX; id++) {
		char sql[4096];
		sqlite3_stmt *q;

		assert_non_null(sq_sql[id]);
		snprintf(sql, sizeof(sql), "EXPLAIN QUERY PLAN %s", sq_sql[id]);
		if (sqlite3_prepare_v2(db, sql, -1, &q, NULL) != SQLITE_OK)
			fail_msg("%s: %s", sql, sqlite3_errmsg(db));
		while (sqlite3_step(q) == SQLITE_ROW) {
			const char *step = (const char *)sqlite3_column_text(q, 3);

			if (walks_a_long_table(step) && !stays_short(sql, step))
				fail_msg("%s: %s", sq_sql[id], step);
		}
		sqlite3_finalize(q);
	}
	sqlite3_close(db);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    no_statement_walks_a_long_table, sf_setup, sf_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
