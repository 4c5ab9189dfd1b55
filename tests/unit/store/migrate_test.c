/*
 * migrate_test.c - databases of every older schema, with rows in them, are brought up to date by the
 * daemon and by nobody else.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "store/sqlite_conn.h"
#include "store/store_status.h"
#include "store/store_foreign.h"
#include "store/store_sweep.h"

#include "fixture.h"

/* A transaction that is delivered, one that was being issued, and one that was refused. */
static const char rows[] =
    "INSERT INTO tx(id, key, state, attempt, created, changed, csr_sha256, signer_sha256, endpoint,"
    "  transaction_id, serial, reason) VALUES"
    " (1, x'01', 6, 1, 5, 5, zeroblob(32), zeroblob(32), 'corp', 'A', x'0A01', NULL),"
    " (2, x'02', 3, 1, 6, 6, zeroblob(32), zeroblob(32), 'corp', 'B', x'0A02', NULL),"
    " (3, x'03', 7, 1, 7, 7, zeroblob(32), zeroblob(32), 'corp', 'C', NULL, 'no');"
    "INSERT INTO pending(tx_id, csr) VALUES (2, x'3000');"
    "INSERT INTO cert(serial, tx_id, audit, issued, not_before, not_after, ca, endpoint, profile,"
    "  subject, san, thumbprint, der) VALUES"
    " (x'0A01', 1, 0, 5, 1, 4000000000, 'issuing', 'corp', 'wifi', 'CN=a', NULL, '00', x'3000');"
    "INSERT INTO crl(ca, number) VALUES ('issuing', 41);";

/* As the version that knew `schema` migrations has left it. */
static void
make_old(struct sf *f, int schema)
{
	char done[120];

	sf_sql(f, "PRAGMA journal_mode = WAL");
	for (int i = 0; i < schema; i++)
		sf_sql(f, sq_migrations[i]);
	snprintf(done, sizeof(done), "PRAGMA application_id = 1396917584; PRAGMA user_version = %d",
	    schema);
	sf_sql(f, done);
	sf_sql(f, rows);
}

static void
is_whole(struct sf *f)
{
	struct store_cert_row cert;
	struct store_stats st;
	struct store_tx *list;
	uint64_t crl;
	size_t n;

	ok(f, store_cert_get(f->s, "0A01", NULL, &cert, &f->err));
	assert_string_equal(cert.subject, "CN=a");
	store_cert_row_done(&cert);
	ok(f, store_tx_unfinished(f->s, 10, &list, &n, &f->err));
	assert_int_equal(n, 1);
	assert_int_equal(list[0].id, 2);
	assert_int_equal(list[0].state, TX_RESERVED);
	store_tx_list_free(list, n);
	ok(f, store_stats(f->s, &st, &f->err));
	assert_int_equal(st.tx[TX_DELIVERED], 1);
	assert_int_equal(st.tx[TX_REFUSED], 1);
	ok(f, store_crl_numbers(f->s, "issuing", 1, &crl, &f->err));
	assert_int_equal(crl, 42);
}

static int
count_owner(void *arg, uint64_t owner)
{
	++*(uint64_t *)arg;
	return 0;
}

/* What the newest schema is for. */
static void
works(struct sf *f)
{
	struct store_succession s;
	struct store_renewal r;
	struct store_sweep w;
	uint64_t n = 0, bare;

	assert_int_equal(store_sweep_current(f->s, &w, &f->err), RC_NOTFOUND);
	ok(f, store_foreign_count(f->s, "adcs", &n, &bare, &f->err));
	assert_int_equal(n + bare, 0);
	ok(f, store_turned_since(f->s, 0, count_owner, &n, &f->err));
	assert_int_equal(n, 0);
	ok(f, store_succession_read(f->s, &s, &f->err));
	store_succession_done(&s);
	ok(f, store_hold_count(f->s, NULL, &n, &f->err));
	assert_int_equal(n, 0);
	ok(f, store_otp_count(f->s, NULL, &n, &f->err));
	assert_int_equal(n, 0);
	ok(f, store_renewal_get(f->s, "0A01", NULL, &r, &f->err));
	assert_null(r.replaces);
	store_renewal_done(&r);
	sf_drive(f, 9, TX_DELIVERED);
}

static void
refused_to_tools(struct sf *f, int schema)
{
	struct store *s = NULL;
	char part[60];

	snprintf(part, sizeof(part), "(%d, and this program needs %d)", schema, sq_schema_version);
	assert_int_equal(store_open_shared(&s, f->url, &f->err), RC_CONFIG);
	assert_null(s);
	assert_non_null(strstr(f->err.msg, f->path));
	assert_non_null(strstr(f->err.msg, "has the schema of an older version"));
	assert_non_null(strstr(f->err.msg, part));
	assert_non_null(strstr(f->err.hint, "start scepd of this version once"));
	assert_int_equal(sf_number(f, "PRAGMA user_version"), schema);
}

static void
brought_up(struct sf *f, int schema)
{
	make_old(f, schema);
	refused_to_tools(f, schema);
	ok(f, store_open(&f->s, f->url, &f->err));
	assert_int_equal(sf_number(f, "PRAGMA user_version"), sq_schema_version);
	is_whole(f);
	works(f);
	store_close(f->s);
	f->s = NULL;
	ok(f, store_open_shared(&f->s, f->url, &f->err));
	ok(f, store_flush(f->s, &f->err));
}

static void
schema_1_is_brought_up_to_date(void **state)
{
	brought_up(*state, 1);
}

static void
schema_2_is_brought_up_to_date(void **state)
{
	brought_up(*state, 2);
}

static void
schema_3_is_brought_up_to_date(void **state)
{
	brought_up(*state, 3);
}

/* ---- 4: what was revoked has a cause ---- */

/* By a renewal, never handed out, by an administrator with and without a word. */
static const char revoked[] =
    "INSERT INTO tx(id, key, state, attempt, created, changed, csr_sha256, signer_sha256, endpoint,"
    "  transaction_id, serial) VALUES"
    " (4, x'04', 8, 1, 7, 7, zeroblob(32), zeroblob(32), 'corp', 'D', x'0B02');"
    "INSERT INTO cert(serial, tx_id, audit, issued, not_before, not_after, revoked, reason,"
    "  revoked_why, ca, endpoint, profile, thumbprint, der) VALUES"
    " (x'0B01', 1, 0, 5, 1, 4000000000, 300, 4, 'replaced by 0A01', 'issuing', 'corp', 'w', '00', "
    "x'30'),"
    " (x'0B02', 4, 0, 5, 1, 4000000000, 200, 5, 'never handed out', 'issuing', 'corp', 'w', '00', "
    "x'30'),"
    " (x'0B03', 1, 0, 5, 1, 4000000000, 100, 1, 'stolen', 'issuing', 'corp', 'w', '00', x'30'),"
    " (x'0B04', 1, 0, 5, 1, 4000000000, 400, 4, NULL, 'other', 'corp', 'w', '00', x'30');";

static void
is_revoked(struct sf *f, const char *serial, enum cause_source source, int64_t since, int reason,
    const char *comment)
{
	struct store_status s;

	ok(f, store_status_get(f->s, serial, NULL, &s, &f->err));
	assert_int_equal(s.state, CERT_REVOKED);
	assert_int_equal(s.n_causes, 1);
	assert_int_equal(s.causes[0].source, source);
	assert_int_equal(s.since, since);
	assert_int_equal(s.reason, reason);
	assert_int_equal(s.causes[0].comment == NULL, comment == NULL);
	if (comment != NULL)
		assert_string_equal(s.causes[0].comment, comment);
	store_status_done(&s);
}

static int
count(void *arg, const struct store_crl_entry *e)
{
	(void)e;
	++*(size_t *)arg;
	return 0;
}

static void
what_was_revoked_has_its_cause_and_stays_on_the_list(void **state)
{
	const struct store_crl_query full = { .ca = "issuing" };
	struct store_crl_query delta = { .ca = "issuing", .delta = true, .since = 2 };
	struct sf *f = *state;
	struct store_figures figures;
	struct store_status good;
	size_t n = 0;
	uint64_t at;

	make_old(f, 3);
	sf_sql(f, revoked);
	ok(f, store_open(&f->s, f->url, &f->err));
	is_revoked(f, "0B01", CAUSE_REPLACED, 300, 4, "replaced by 0A01");
	is_revoked(f, "0B02", CAUSE_UNDELIVERED, 200, 5, "never handed out");
	is_revoked(f, "0B03", CAUSE_MANUAL, 100, 1, "stolen");
	is_revoked(f, "0B04", CAUSE_MANUAL, 400, 4, NULL);
	ok(f, store_status_get(f->s, "0A01", NULL, &good, &f->err));
	assert_int_equal(good.state, CERT_GOOD);
	store_status_done(&good);
	ok(f, store_figures(f->s, &figures, &f->err));
	assert_int_equal(figures.revoked, 4);
	/* In the order in which they were revoked, so that a delta from any number on is right. */
	ok(f, store_crl_each(f->s, &full, &at, count, &n, &f->err));
	assert_int_equal(n, 3);
	assert_int_equal(at, 4);
	n = 0;
	ok(f, store_crl_each(f->s, &delta, &at, count, &n, &f->err));
	assert_int_equal(n, 1);
}

/* ---- whom nobody knew is asked for again ---- */

static const char bound[] =
    "INSERT INTO binding(cert_id, state, tenant, user, device, device_object, managed, upn,"
    "  serial_number, sid, platform, owner, enrolled, asked, tries) VALUES"
    " (1, 1, 'contoso', '', '', '', '', 'a@b', '', '', '', '', 0, 0, 0),"
    " (2, 2, 'contoso', 'u', '', '', '', 'a@b', '', '', '', '', 0, 50, 3),"
    " (3, 3, 'contoso', '', '', '', '', 'c@b', '', '', '', '', 0, 60, 8);";

static void
what_was_bound_is_settled_and_the_others_are_due(void **state)
{
	struct sf *f = *state;

	make_old(f, 6);
	sf_sql(f, bound);
	ok(f, store_open(&f->s, f->url, &f->err));
	assert_int_equal(sf_number(f, "SELECT due FROM binding WHERE cert_id = 1"), 1);
	assert_int_equal(sf_number(f, "SELECT due + tries FROM binding WHERE cert_id = 2"), 0);
	assert_int_equal(sf_number(f, "SELECT due FROM binding WHERE cert_id = 3"), 60);
}

/* ---- the brake ---- */

/* A later schema counts owners.  What was turned before, and the sweep that waits, are as hard to get past as they were. */
static void
what_was_turned_before_owners_were_counted_counts_on(void **state)
{
	struct sf *f = *state;
	struct store_sweep s = { 0 };
	uint64_t n = 0;
	int before = 0;

	while (strstr(sq_migrations[before], "TABLE turned_owner") == NULL)
		before++;
	make_old(f, before);
	sf_sql(f,
	    "INSERT INTO turned(minute, certs) VALUES(1000, 3), (1001, 1), (1002, 0), (2000, 40);"
	    "INSERT INTO sweep(state, created, certs, total, why) VALUES(1, 5, 2, 100, 'too "
	    "many')");
	ok(f, store_open(&f->s, f->url, &f->err));
	ok(f, store_turned_since(f->s, 1000 * 60, count_owner, &n, &f->err));
	assert_int_equal(n, 41);
	n = 0;
	ok(f, store_turned_since(f->s, 0, count_owner, &n, &f->err));
	assert_int_equal(n, 44);
	ok(f, store_sweep_current(f->s, &s, &f->err));
	assert_int_equal(s.certs, 2);
	assert_int_equal(s.owners + s.of_owners, 0);
	store_sweep_done(&s);
}

/* ---- 11: a serial number is unique within its CA ---- */

/* Ours that is held, one of a foreign CA with all that hangs on it, and exceptions for them, for one that is not there and
 * for a device. */
static const char named[] =
    "INSERT INTO cert(id, serial, tx_id, audit, issued, not_before, not_after, ca, endpoint, "
    "profile,"
    "  subject, thumbprint, der) VALUES"
    " (7, x'0C01', 0, 0, 5, 1, 4000000000, 'adcs', '', 'adcs', 'CN=f', 'T', x'3001'),"
    " (8, x'0C02', 0, 0, 5, 1, 4000000000, 'adcs', '', 'adcs', NULL, '', x'');"
    "UPDATE cert SET revoked = 77, reason = 6, revoked_why = 'lost' WHERE id = 1;"
    "INSERT INTO cause(cert_id, source, rule, effect, reason, since, comment)"
    "  VALUES (1, 1, '', 1, 6, 77, 'lost');"
    "INSERT INTO status_change(cert_id, number, at) VALUES (1, 1, 77);"
    "INSERT INTO binding(cert_id, state, tenant, user, device, device_object, managed, upn,"
    "  serial_number, sid, platform, owner, enrolled, asked, tries) VALUES"
    " (7, 2, 'contoso', 'u', '', '', '', 'a@b', '', '', '', '', 0, 50, 3);"
    "INSERT INTO foreign_crl(ca, number, this_update, next_update, entries, taken, sha256)"
    "  VALUES ('adcs', '0C', 100, 200, 3, 150, x'"
    "0101010101010101010101010101010101010101010101010101010101010101');"
    "INSERT INTO exception(kind, created, until, confirmed, target, rule, who) VALUES"
    " (1, 5, 4000000000, 5, '0A01', '', 'jane'), (1, 5, 4000000000, 5, '0C02', '', 'jane'),"
    " (1, 5, 4000000000, 5, '0FFF', '', 'jane'), (2, 5, 4000000000, 5, '0A01', '', 'jane');";

static int
exception_cas(void *arg, const struct store_exception *e)
{
	strcat(arg, e->ca[0] != '\0' ? e->ca : "-");
	strcat(arg, " ");
	return 0;
}

static void
keeps_its_certificates(struct sf *f)
{
	static const uint8_t anew[32] = { 0 };
	struct store_foreign_crl list;
	struct store_figures figures;
	struct store_cert_row row;
	struct store_binding b;
	struct store_status s;
	char cas[100] = "";
	uint64_t all, bare;

	ok(f, store_cert_get(f->s, "0C01", "adcs", &row, &f->err));
	assert_string_equal(row.subject, "CN=f");
	assert_int_equal(row.der_len, 2);
	store_cert_row_done(&row);
	assert_int_equal(sf_number(f, "SELECT id FROM cert WHERE serial = x'0C02'"), 8);
	ok(f, store_status_get(f->s, "0A01", "issuing", &s, &f->err));
	assert_int_equal(s.state, CERT_HELD);
	assert_string_equal(s.causes[0].comment, "lost");
	store_status_done(&s);
	ok(f, store_binding_get(f->s, "0C01", NULL, &b, &f->err));
	assert_string_equal(b.user, "u");
	ok(f, store_foreign_count(f->s, "adcs", &all, &bare, &f->err));
	assert_int_equal(all, 2);
	assert_int_equal(bare, 1);
	ok(f, store_foreign_crl_get(f->s, "adcs", &list, &f->err));
	assert_string_equal(list.number, "0C");
	assert_memory_equal(list.sha256, anew, sizeof(anew));
	ok(f, store_figures(f->s, &figures, &f->err));
	assert_int_equal(figures.held, 1);
	ok(f, store_exception_each(f->s, 0, 0, 10, exception_cas, cas, &f->err));
	assert_string_equal(cas, "issuing adcs - - ");
}

static void
one_number_is_two_certificates_of_two_cas(struct sf *f)
{
	const struct store_foreign_cert c = { .serial = "0A01" };
	enum foreign_outcome done;
	struct store_cert_row row;

	ok(f, store_foreign_add(f->s, "adcs", "jane", &c, 1, &done, &f->err));
	assert_int_equal(done, FOREIGN_ADDED);
	assert_int_equal(store_cert_get(f->s, "0A01", NULL, &row, &f->err), RC_CONFLICT);
	ok(f, store_cert_get(f->s, "0A01", STORE_OURS, &row, &f->err));
	store_cert_row_done(&row);
}

static void
certificates_are_named_by_their_ca_too(void **state)
{
	struct sf *f = *state;
	int before = 0;

	while (strstr(sq_migrations[before], "INDEX cert_name") == NULL)
		before++;
	make_old(f, before);
	sf_sql(f, named);
	ok(f, store_open(&f->s, f->url, &f->err));
	keeps_its_certificates(f);
	sf_restart(f);
	keeps_its_certificates(f);
	one_number_is_two_certificates_of_two_cas(f);
	assert_int_equal(sf_number(f,
			     "SELECT count(*) FROM pragma_integrity_check"
			     " WHERE integrity_check = 'ok'"),
	    1);
	/* Within a CA it is unique as before, and so is what the database says of itself. */
	assert_int_equal(sf_number(f,
			     "SELECT count(*) FROM sqlite_schema WHERE sql LIKE '%UNIQUE%'"
			     " AND (name = 'cert' OR name = 'cert_name')"),
	    1);
	assert_int_equal(
	    sf_number(
		f, "SELECT \"unique\" FROM pragma_index_list('cert') WHERE name = 'cert_name'"),
	    1);
	sf_drive(f, 9, TX_DELIVERED);
}

/* All of it or none: what stands in the way of one table keeps the others out, too. */
static void
a_migration_that_fails_changes_nothing(void **state)
{
	struct sf *f = *state;

	make_old(f, 2);
	sf_sql(f, "CREATE TABLE renewal(x)"); /* the last of schema 3 */
	assert_int_not_equal(store_open(&f->s, f->url, &f->err), RC_OK);
	assert_null(f->s);
	assert_int_equal(sf_number(f, "PRAGMA user_version"), 2);
	assert_int_equal(
	    sf_number(f, "SELECT count(*) FROM sqlite_schema WHERE name IN ('approval', 'otp')"),
	    0);
	sf_sql(f, "DROP TABLE renewal");
	ok(f, store_open(&f->s, f->url, &f->err));
	is_whole(f);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, sf_setup_closed, sf_teardown)
	static const struct CMUnitTest tests[] = {
		T(schema_1_is_brought_up_to_date),
		T(schema_2_is_brought_up_to_date),
		T(schema_3_is_brought_up_to_date),
		T(what_was_revoked_has_its_cause_and_stays_on_the_list),
		T(what_was_turned_before_owners_were_counted_counts_on),
		T(what_was_bound_is_settled_and_the_others_are_due),
		T(certificates_are_named_by_their_ca_too),
		T(a_migration_that_fails_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
