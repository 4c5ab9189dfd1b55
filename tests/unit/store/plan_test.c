/*
 * plan_test.c - the cost of a statement does not grow with the tables: none walks all transactions,
 * certificates or audit rows.
 */
#include <stdio.h>
#include <string.h>

#include "store/sqlite_conn.h"

#include "fixture.h"

/* "SCAN t" in a plan means all rows; tables that stay short may be scanned.  o and a are one-time
 * passwords and requests that wait: a hundred thousand of them are long enough. */
static bool
walks_a_long_table(const char *step)
{
	static const char *const longs[] = { "SCAN t", "SCAN tx", "SCAN c", "SCAN cert",
		"SCAN audit", "SCAN o", "SCAN otp", "SCAN a", "SCAN approval", "SCAN r",
		"SCAN renewal", "SCAN u", "SCAN otp_use", "SCAN b", "SCAN binding", "SCAN k",
		"SCAN cause", "SCAN s", "SCAN status_change" };

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
	    strstr(step, "COVERING INDEX cause_rule") != NULL || /* a sweep is about all of them */
	    strstr(step, "COVERING INDEX tx_failed") != NULL ||
	    strstr(step, "COVERING INDEX otp_live") != NULL; /* counted, or revoked by a restore */
}

/* The index that must find the rows, where SQLite has a choice. */
static const struct {
	enum sq_stmt id;
	const char *step;
} wanted[] = {
	{ Q_TX_UNFINISHED, "SEARCH a USING INTEGER PRIMARY KEY" },
	{ Q_HOLD_FIND,
	    "SEARCH approval USING INDEX approval_name (endpoint=? AND transaction_id=? "
	    "AND signer_sha256=?)" },
	{ Q_HOLD_COUNT,
	    "SEARCH approval USING COVERING INDEX approval_expiry (verdict=? AND expires>?)" },
	{ Q_HOLD_COUNT_OF,
	    "SEARCH approval USING COVERING INDEX approval_waiting (verdict=? AND endpoint=? AND "
	    "expires>?)" },
	{ Q_HOLD_EXPIRED, "SEARCH a USING INDEX approval_expiry (verdict=? AND expires<?)" },
	{ Q_HOLD_CLEAN,
	    "SEARCH approval USING COVERING INDEX approval_expiry (verdict=? AND expires<?)" },
	{ Q_HOLD_BACK_ALL, "SEARCH approval USING COVERING INDEX approval_expiry (verdict=?)" },
	{ Q_OTP_FIND, "SEARCH o USING INDEX sqlite_autoindex_otp_1 (endpoint=? AND sha256=?)" },
	{ Q_OTP_COUNT_OF, "SEARCH otp USING COVERING INDEX otp_live (endpoint=? AND expires>?)" },
	{ Q_OTP_CLEAN, "SEARCH o USING COVERING INDEX otp_expiry (expires<?)" },
	{ Q_OTP_CLEAN_USES, "SEARCH o USING COVERING INDEX otp_expiry (expires<?)" },
	{ Q_OTP_TAKEN, "SEARCH otp_use USING PRIMARY KEY (tx_id=? AND attempt=?)" },
	{ Q_OTP_USE_DROP, "SEARCH otp_use USING PRIMARY KEY (tx_id=? AND attempt=?)" },
	{ Q_CERT_EACH_REVOKED, "SEARCH c USING INDEX cert_revoked (id>? AND id<?)" },
	{ Q_CERT_EACH_HELD, "SEARCH c USING INDEX cert_held (id>? AND id<?)" },
	{ Q_CERT_EACH_OVER, "SEARCH c USING INDEX cert_revoked (id>? AND id<?)" },
	{ Q_CERT_UPTO_REVOKED, "SEARCH cert USING COVERING INDEX cert_revoked (id>?)" },
	{ Q_CERT_UPTO_HELD, "SEARCH cert USING COVERING INDEX cert_held (id>?)" },
	{ Q_CERT_FIGURES, "SEARCH cert" }, /* max(id); cert_figures has one row */
	{ Q_CRL_FULL, "SEARCH cert USING COVERING INDEX cert_listed (ca=?)" },
	{ Q_CHANGES, "SEARCH s USING COVERING INDEX sqlite_autoindex_status_change_1 (number>?)" },
	{ Q_CRL_DELTA, "SEARCH s USING INDEX sqlite_autoindex_status_change_1 (number>?)" },
	{ Q_CAUSE_EACH, "SEARCH cause USING PRIMARY KEY (cert_id=?)" },
	{ Q_CAUSE_EXPIRED, "SEARCH k USING INDEX cause_until (until>? AND until<?)" },
	{ Q_STATUS_NUMBER, "SEARCH status_change USING COVERING INDEX" },
	{ Q_BINDING_DUE, "SEARCH b USING INDEX binding_due (tenant=? AND due>? AND due<?)" },
	{ Q_BINDING_DUE_LATEST, "SEARCH b USING INDEX binding_due (tenant=? AND due>? AND due<?)" },
	{ Q_BINDING_COUNT, "SEARCH b USING INDEX binding_unsettled (state=?)" },
	{ Q_CERT_EACH_UNSETTLED,
	    "SEARCH b USING INDEX binding_unsettled (state=? AND rowid>? AND rowid<?)" },
	{ Q_CERT_UPTO_UNSETTLED,
	    "SEARCH binding USING INDEX binding_unsettled (state=? AND rowid>?)" },
	{ Q_BINDING_BY_USER, "SEARCH b USING INDEX binding_user (user=?)" },
	{ Q_BINDING_BY_MANAGED, "SEARCH b USING INDEX binding_managed (managed=?)" },
	{ Q_SWEEP_TURNS, "SEARCH t USING PRIMARY KEY (sweep_id=? AND n>?)" },
	{ Q_SWEEP_OWNERS, "SEARCH sweep_turn USING PRIMARY KEY (sweep_id=?)" },
	{ Q_SWEEP_OWNERS, "SEARCH t USING PRIMARY KEY (sweep_id=? AND n=?)" },
	{ Q_TURNED_BESIDE, "SEARCH turned_owner USING INTEGER PRIMARY KEY (rowid=?)" },
	{ Q_SWEEP_TURNS_DROP, "SEARCH sweep_turn USING PRIMARY KEY (sweep_id=? AND n=?)" },
	{ Q_IGNORED, "SEARCH t USING PRIMARY KEY (sweep_id=?)" },
	{ Q_IGNORED_DROP, "SEARCH sweep_turn USING PRIMARY KEY (sweep_id=? AND n=?)" },
	{ Q_CERT_FIND, "SEARCH cert USING INDEX cert_name (serial=?)" },
	{ Q_CERT_SAME, "SEARCH cert USING INDEX cert_name (serial=?)" },
	{ Q_CERT_STATE, "SEARCH cert USING INDEX cert_name (serial=? AND ca=?)" },
	{ Q_CERT_DER, "SEARCH cert USING INDEX cert_name (serial=?)" },
	{ Q_CERT_NEW, "SEARCH cert USING INDEX cert_name (serial=?)" },
	{ Q_TX_UNFINISHED, "SEARCH c USING INDEX cert_name (serial=?)" },
	{ Q_HOLD_FOUND, "SEARCH c USING INDEX cert_name (serial=?)" },
	{ Q_FOREIGN_FIND, "SEARCH c USING INDEX cert_name (serial=? AND ca=?)" },
	{ Q_FOREIGN_COUNT, "SEARCH cert USING COVERING INDEX cert_foreign (ca=? AND tx_id=?)" },
	{ Q_FOREIGN_BARE,
	    "SEARCH cert USING COVERING INDEX cert_bare (ca=? AND tx_id=? AND thumbprint=?)" },
	{ Q_FOREIGN_NEXT_CA, "SEARCH cert USING COVERING INDEX cert_foreign (ca>?)" },
	{ Q_FOREIGN_MARKS, "SEARCH c USING COVERING INDEX cert_listed (ca=?)" },
	{ Q_FORGET_PAGE, "SEARCH cert USING COVERING INDEX cert_foreign (ca=? AND tx_id=?)" },
	{ Q_IDENTITY_WITNESS_OWN, "SEARCH cert USING INTEGER PRIMARY KEY (rowid>?)" },
	{ Q_IDENTITY_WITNESS_FOREIGN, "SEARCH cert USING INDEX cert_foreign (ca=? AND tx_id=?)" },
	{ Q_RULE_CAUSES, "SCAN cause USING COVERING INDEX cause_rule" },
	{ Q_EXCEPTION_COUNT, "SEARCH exception USING COVERING INDEX exception_live (until>?)" },
	{ Q_RENEWAL_DUE, "SEARCH r USING INDEX renewal_due (due>? AND due<?)" },
	{ Q_RENEWAL_BY, "SEARCH r USING INDEX renewal_old (old_id=?)" },
	{ Q_RENEWAL_COUNT, "SEARCH renewal USING COVERING INDEX renewal_old (old_id=?)" },
};

static void
each_choice_is_the_index_that_was_made_for_it(void **state)
{
	struct sf *f = *state;
	sqlite3 *db;

	assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		char sql[4096], plan[2048] = "";
		sqlite3_stmt *q;

		snprintf(sql, sizeof(sql), "EXPLAIN QUERY PLAN %s", sq_sql[wanted[i].id]);
		assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &q, NULL), SQLITE_OK);
		while (sqlite3_step(q) == SQLITE_ROW) {
			strncat(plan, (const char *)sqlite3_column_text(q, 3),
			    sizeof(plan) - strlen(plan) - 2);
			strcat(plan, "\n");
		}
		if (strstr(plan, wanted[i].step) == NULL)
			fail_msg("%s\n%s\nwants %s", sq_sql[wanted[i].id], plan, wanted[i].step);
		sqlite3_finalize(q);
	}
	sqlite3_close(db);
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
		cmocka_unit_test_setup_teardown(
		    each_choice_is_the_index_that_was_made_for_it, sf_setup, sf_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
