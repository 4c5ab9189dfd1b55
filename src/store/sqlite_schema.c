/*
 * sqlite_schema.c - the tables, as a list of migrations, and the check whose database a file is.
 *
 * Why it looks like this:
 *  - A row that an enrolment touches is small and near the end of its table, so that the pages of
 * one group commit are shared. What is large and short-lived (the request) stands apart in
 * `pending`, and goes when the transaction is over; its pages are used again.
 *  - Two indices are random by nature: the transaction's key (a hash) and a certificate's name (serial number,
 * CA).  There is no third, and both have short entries; all other indices are partial and cover what is
 * unfinished or unusual.
 *  - `pending` is also the list of what a crash left behind.
 *  - The outbox of successes is tx.state with tx.notify: nearly all are told within milliseconds,
 *    and rows of their own would be one more page in two commits of every enrolment.  The table
 *    `outbox` holds the failures, at most one a transaction.
 *  - Approvals, one-time passwords and renewals have tables of their own, of which an enrolment that
 * has no use for them reads one row by its number at most, when it is repeated or refused, and writes none.
 *  - Rows of tx and audit are never deleted, and of cert only those of a foreign CA that an administrator has had forgotten,
 * so the greatest id is their number (sqlite_stats in sqlite.c and page_end() in sqlite_cert.c rely on it; cert_figures has how
 * many certificates are gone).  Tables refer to a certificate by its id; a transaction has the serial number, from before there
 * is a certificate, and names one of ours by it: Q_CERT_NEW lets none of ours have that of another of ours.  The number of a tx
 * row that could not be written, on a full disk say, stays unused (sqlite_fresh.h): the figure is that much too high.
 */
#include <stdio.h>

#include "store/sqlite_conn.h"

#define APPLICATION_ID 0x53434550 /* "SCEP": PRAGMA application_id */

const char *const sq_migrations[] = {
	/* 1 */
	"CREATE TABLE tx ("
	"  id INTEGER PRIMARY KEY,"
	"  key BLOB NOT NULL UNIQUE," /* tx_row_key() */
	"  state INTEGER NOT NULL,"   /* enum tx_state */
	"  attempt INTEGER NOT NULL,"
	"  created INTEGER NOT NULL,"
	"  changed INTEGER NOT NULL," /* wall ms */
	"  csr_sha256 BLOB NOT NULL,"
	"  signer_sha256 BLOB NOT NULL,"
	"  notify INTEGER NOT NULL DEFAULT 0," /* while signed: 1 when Intune still has to be told
						*/
	"  endpoint TEXT NOT NULL,"
	"  transaction_id TEXT NOT NULL,"
	"  authority TEXT,"
	"  serial BLOB,"
	"  reason TEXT,"
	"  context TEXT"
	") STRICT;"
	"CREATE INDEX tx_failed ON tx(state) WHERE state >= 7;"
	"CREATE TABLE pending ("
	"  tx_id INTEGER PRIMARY KEY,"
	"  csr BLOB NOT NULL"
	") STRICT;"
	"CREATE TABLE outbox ("
	"  tx_id INTEGER PRIMARY KEY,"
	"  attempt INTEGER NOT NULL,"  /* tx.attempt that it tells of */
	"  attempts INTEGER NOT NULL," /* to tell it */
	"  due INTEGER NOT NULL,"      /* wall ms */
	"  hresult INTEGER NOT NULL,"
	"  text TEXT"
	") STRICT;"
	"CREATE INDEX outbox_due ON outbox(due);"
	"CREATE TABLE cert ("
	"  id INTEGER PRIMARY KEY,"
	"  serial BLOB NOT NULL UNIQUE,"
	"  tx_id INTEGER NOT NULL,"
	"  audit INTEGER NOT NULL," /* seq of the row that tells of its issue */
	"  issued INTEGER NOT NULL,"
	"  not_before INTEGER NOT NULL,"
	"  not_after INTEGER NOT NULL,"         /* wall seconds */
	"  revoked INTEGER NOT NULL DEFAULT 0," /* wall seconds, 0: not */
	"  reason INTEGER NOT NULL DEFAULT 0,"
	"  revoked_why TEXT,"
	"  ca TEXT NOT NULL,"
	"  endpoint TEXT NOT NULL,"
	"  profile TEXT NOT NULL,"
	"  subject TEXT,"
	"  san TEXT,"
	"  thumbprint TEXT NOT NULL,"
	"  der BLOB NOT NULL"
	") STRICT;"
	"CREATE INDEX cert_revoked ON cert(id, revoked) WHERE revoked <> 0;"
	"CREATE TABLE crl ("
	"  ca TEXT PRIMARY KEY,"
	"  number INTEGER NOT NULL"
	") STRICT, WITHOUT ROWID;"
	"CREATE TABLE audit ("
	"  seq INTEGER PRIMARY KEY,"
	"  at INTEGER NOT NULL," /* wall ms */
	"  event TEXT NOT NULL,"
	"  detail TEXT NOT NULL,"
	"  hash BLOB NOT NULL"
	") STRICT;",
	/* 2: few rows, written by an administrator, read by the daemon every few seconds */
	"CREATE TABLE rollover ("
	"  endpoint TEXT NOT NULL,"
	"  from_ca TEXT NOT NULL,"
	"  to_ca TEXT NOT NULL,"
	"  share INTEGER NOT NULL,"   /* percent */
	"  changed INTEGER NOT NULL," /* wall seconds */
	"  PRIMARY KEY (endpoint, from_ca, to_ca)"
	") STRICT, WITHOUT ROWID;"
	"CREATE TABLE retired ("
	"  ca TEXT PRIMARY KEY,"
	"  at INTEGER NOT NULL" /* wall seconds */
	") STRICT, WITHOUT ROWID;",
	/* 3: tables of their own, so that an enrolment that has no use for them writes none */
	"CREATE TABLE approval ("
	"  tx_id INTEGER PRIMARY KEY,"
	"  verdict INTEGER NOT NULL," /* enum hold_verdict */
	"  held INTEGER NOT NULL,"
	"  expires INTEGER NOT NULL,"
	"  lifetime INTEGER NOT NULL,"
	"  decided INTEGER NOT NULL DEFAULT 0," /* wall ms, 0: not */
	"  endpoint TEXT NOT NULL,"
	"  transaction_id TEXT NOT NULL,"
	"  signer_sha256 BLOB NOT NULL," /* these three as in tx, for a poll, which has no request */
	"  profile TEXT,"
	"  subject TEXT,"
	"  san TEXT,"
	"  key TEXT,"
	"  peer TEXT,"
	"  who TEXT,"
	"  reason TEXT"
	") STRICT;"
	"CREATE INDEX approval_name ON approval(endpoint, transaction_id, signer_sha256);"
	"CREATE INDEX approval_expiry ON approval(verdict, expires);"
	"CREATE INDEX approval_waiting ON approval(verdict, endpoint, expires);"
	"CREATE TABLE otp ("
	"  id INTEGER PRIMARY KEY AUTOINCREMENT," /* the audit trail has it, and rows are deleted */
	"  endpoint TEXT NOT NULL,"
	"  sha256 BLOB NOT NULL,"
	"  created INTEGER NOT NULL,"
	"  expires INTEGER NOT NULL,"
	"  uses INTEGER NOT NULL,"
	"  used INTEGER NOT NULL DEFAULT 0,"
	"  revoked INTEGER NOT NULL DEFAULT 0," /* wall ms, 0: not */
	"  subject TEXT,"
	"  san TEXT,"
	"  who TEXT NOT NULL,"
	"  comment TEXT,"
	"  UNIQUE (endpoint, sha256)"
	") STRICT;"
	"CREATE INDEX otp_expiry ON otp(expires);"
	/* With what its condition names: SQLite 3.40 looks that up in the row otherwise. */
	"CREATE INDEX otp_live ON otp(endpoint, expires, used, uses, revoked)"
	"  WHERE used < uses AND revoked = 0;"
	"CREATE TABLE otp_use ("
	"  tx_id INTEGER NOT NULL,"
	"  attempt INTEGER NOT NULL," /* tx.attempt */
	"  otp_id INTEGER NOT NULL,"
	"  at INTEGER NOT NULL," /* wall ms */
	"  PRIMARY KEY (tx_id, attempt)"
	") STRICT, WITHOUT ROWID;"
	"CREATE INDEX otp_use_otp ON otp_use(otp_id, at);"
	"CREATE TABLE renewal ("
	"  cert_id INTEGER PRIMARY KEY,"
	"  old_id INTEGER NOT NULL," /* cert.id that it replaces */
	"  due INTEGER NOT NULL"     /* wall seconds: when that is revoked, 0: never or done */
	") STRICT;"
	"CREATE INDEX renewal_old ON renewal(old_id);"
	"CREATE INDEX renewal_due ON renewal(due) WHERE due > 0;",
	/*
	 * 4: why a certificate is not good, and who it is bound to.  cert.revoked, reason and revoked_why are
	 * what follows from the causes.  cert_listed is all that a CRL reads, in the order of serial numbers;
	 * cert_held has the few that are held among the many that are revoked.
	 */
	"CREATE TABLE cause ("
	"  cert_id INTEGER NOT NULL,"
	"  source INTEGER NOT NULL," /* enum cause_source */
	"  rule TEXT NOT NULL,"
	"  effect INTEGER NOT NULL," /* enum cause_effect */
	"  reason INTEGER NOT NULL,"
	"  since INTEGER NOT NULL,"
	"  until INTEGER NOT NULL DEFAULT 0," /* wall seconds, 0: no end */
	"  who TEXT,"
	"  comment TEXT,"
	"  PRIMARY KEY (cert_id, source, rule)"
	") STRICT, WITHOUT ROWID;"
	"CREATE INDEX cause_until ON cause(until) WHERE until > 0;"
	"CREATE TABLE status_change ("
	"  cert_id INTEGER PRIMARY KEY,"
	"  number INTEGER NOT NULL UNIQUE,"
	"  at INTEGER NOT NULL" /* wall seconds */
	") STRICT;"
	"CREATE TABLE binding ("
	"  cert_id INTEGER PRIMARY KEY,"
	"  state INTEGER NOT NULL," /* enum binding_state */
	"  tenant TEXT NOT NULL,"
	"  user TEXT NOT NULL,"
	"  device TEXT NOT NULL,"
	"  device_object TEXT NOT NULL,"
	"  managed TEXT NOT NULL,"
	"  upn TEXT NOT NULL,"
	"  serial_number TEXT NOT NULL,"
	"  sid TEXT NOT NULL,"
	"  platform TEXT NOT NULL,"
	"  owner TEXT NOT NULL,"
	"  enrolled INTEGER NOT NULL,"
	"  asked INTEGER NOT NULL,"
	"  tries INTEGER NOT NULL"
	") STRICT;"
	"CREATE INDEX binding_open ON binding(tenant, asked) WHERE state = 1;"
	"CREATE INDEX binding_user ON binding(user) WHERE user <> '';"
	"CREATE INDEX binding_device ON binding(device) WHERE device <> '';"
	"CREATE INDEX binding_object ON binding(device_object) WHERE device_object <> '';"
	"CREATE INDEX binding_managed ON binding(managed) WHERE managed <> '';"
	"CREATE INDEX cert_listed ON cert(ca, serial, revoked, reason, not_after)"
	"  WHERE revoked <> 0;"
	"CREATE INDEX cert_held ON cert(id, revoked, reason) WHERE revoked <> 0 AND reason = 6;"
	"INSERT INTO cause(cert_id, source, rule, effect, reason, since, comment)"
	"  SELECT id, CASE"
	"   WHEN reason = 4 AND revoked_why LIKE 'replaced by %' THEN 4"
	"   WHEN reason = 5 AND (SELECT state FROM tx WHERE id = cert.tx_id) = 8 THEN 5"
	"   ELSE 1 END, '',"
	"  CASE reason WHEN 6 THEN 1 ELSE 2 END, reason, revoked, revoked_why"
	"  FROM cert WHERE revoked <> 0;"
	"INSERT INTO status_change(cert_id, number, at)"
	"  SELECT id, row_number() OVER (ORDER BY revoked, id), revoked FROM cert WHERE revoked <> "
	"0;",
	/* 5: what directories have said; no enrolment touches these */
	"CREATE TABLE dir_object ("
	"  tenant TEXT NOT NULL,"
	"  kind INTEGER NOT NULL," /* enum dir_kind */
	"  id TEXT NOT NULL,"
	"  presence INTEGER NOT NULL,"
	"  enabled INTEGER NOT NULL,"
	"  compliant INTEGER NOT NULL,"
	"  compliance TEXT NOT NULL,"
	"  management TEXT NOT NULL,"
	"  risk TEXT NOT NULL DEFAULT '',"
	"  name TEXT NOT NULL,"
	"  platform TEXT NOT NULL,"
	"  owner TEXT NOT NULL,"
	"  enrolled INTEGER NOT NULL,"
	"  last_seen INTEGER NOT NULL,"
	"  known INTEGER NOT NULL,"
	"  risk_known INTEGER NOT NULL DEFAULT 0,"
	"  PRIMARY KEY (tenant, kind, id)"
	") STRICT, WITHOUT ROWID;"
	"CREATE INDEX dir_object_known ON dir_object(tenant, kind, known);"
	"CREATE TABLE dir_sync ("
	"  tenant TEXT NOT NULL,"
	"  kind INTEGER NOT NULL,"
	"  link TEXT,"
	"  confirmed INTEGER NOT NULL DEFAULT 0,"
	"  PRIMARY KEY (tenant, kind)"
	") STRICT, WITHOUT ROWID;"
	"CREATE TABLE dir_group ("
	"  tenant TEXT NOT NULL,"
	"  name TEXT NOT NULL,"
	"  known INTEGER NOT NULL,"
	"  digest BLOB NOT NULL,"
	"  PRIMARY KEY (tenant, name)"
	") STRICT, WITHOUT ROWID;"
	"CREATE TABLE dir_member ("
	"  tenant TEXT NOT NULL,"
	"  name TEXT NOT NULL,"
	"  id TEXT NOT NULL,"
	"  PRIMARY KEY (tenant, name, id)"
	") STRICT, WITHOUT ROWID;",
	/*
	 * 6: sweeps of rules that wait for an administrator, with their turns in order; a turn of a discarded
	 * sweep stays until its rule has let go of it.  cause_rule is all that a sweep has to know of causes.
	 */
	"CREATE TABLE sweep ("
	"  id INTEGER PRIMARY KEY AUTOINCREMENT," /* the audit trail has it, and rows are deleted */
	"  state INTEGER NOT NULL,"               /* enum sweep_state; 0: being written */
	"  created INTEGER NOT NULL,"
	"  decided INTEGER NOT NULL DEFAULT 0," /* wall ms, 0: not */
	"  turns INTEGER NOT NULL DEFAULT 0,"
	"  dealt INTEGER NOT NULL DEFAULT 0,"
	"  applied INTEGER NOT NULL DEFAULT 0,"
	"  certs INTEGER NOT NULL,"
	"  total INTEGER NOT NULL," /* certificates that rules see */
	"  why TEXT NOT NULL,"
	"  who TEXT"
	") STRICT;"
	"CREATE TABLE sweep_turn ("
	"  sweep_id INTEGER NOT NULL,"
	"  n INTEGER NOT NULL," /* 1, 2 ... */
	"  cert_id INTEGER NOT NULL,"
	"  effect INTEGER NOT NULL," /* enum cause_effect */
	"  reason INTEGER NOT NULL,"
	"  rule TEXT NOT NULL,"
	"  comment TEXT,"
	"  PRIMARY KEY (sweep_id, n)"
	") STRICT, WITHOUT ROWID;"
	"CREATE TABLE turned ("
	"  minute INTEGER PRIMARY KEY," /* wall seconds / 60 */
	"  certs INTEGER NOT NULL"
	") STRICT;"
	"CREATE TABLE exception ("
	"  id INTEGER PRIMARY KEY AUTOINCREMENT,"
	"  kind INTEGER NOT NULL," /* enum exception_of */
	"  created INTEGER NOT NULL,"
	"  until INTEGER NOT NULL,"
	"  confirmed INTEGER NOT NULL," /* wall seconds, 0: not */
	"  ended INTEGER NOT NULL DEFAULT 0,"
	"  target TEXT NOT NULL,"
	"  rule TEXT NOT NULL,"
	"  who TEXT NOT NULL,"
	"  confirmed_by TEXT,"
	"  ended_by TEXT,"
	"  comment TEXT"
	") STRICT;"
	"CREATE INDEX exception_live ON exception(until, ended) WHERE ended = 0;"
	"CREATE INDEX cause_rule ON cause(cert_id, rule, effect) WHERE source = 3;",
	/*
	 * 7: the brake counts owners (devices and users) instead of certificates.  What was turned before is owners
	 * that nobody has: a server that was brought up to date is no easier to get past.
	 */
	"ALTER TABLE sweep ADD COLUMN owners INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE sweep ADD COLUMN total_owners INTEGER NOT NULL DEFAULT 0;" /* that rules see */
	"CREATE TABLE turned_owner ("
	"  owner INTEGER PRIMARY KEY," /* a hash of ids: sweep_brake.h */
	"  minute INTEGER NOT NULL"    /* wall seconds / 60, when it was turned last */
	") STRICT;"
	"WITH RECURSIVE k(minute, n) AS (SELECT minute, min(certs, 1000000) FROM turned WHERE "
	"certs > 0"
	" UNION ALL SELECT minute, n - 1 FROM k WHERE n > 1)"
	" INSERT OR IGNORE INTO turned_owner(owner, minute) SELECT random(), minute FROM k;"
	"DROP TABLE turned;",
	/* 8: bindings are asked about when they are due, also those whom nobody knows, or not all of whom they name. */
	"ALTER TABLE binding ADD COLUMN due INTEGER NOT NULL DEFAULT 0;" /* wall seconds, 0: settled */
	"UPDATE binding SET tries = 0 WHERE state = 2;"
	"UPDATE binding SET due = max(asked, 1) WHERE state IN (1, 3);"
	"DROP INDEX binding_open;"
	"CREATE INDEX binding_due ON binding(tenant, due) WHERE due > 0;"
	"CREATE INDEX binding_unsettled ON binding(state) WHERE due > 0;",
	/*
	 * 9: how many certificates are not good.  The database keeps the figures itself, whoever writes, so that
	 * nobody who asks often (a monitoring system) makes it walk an index of millions.
	 */
	"CREATE TABLE cert_figures ("
	"  id INTEGER PRIMARY KEY CHECK (id = 1),"
	"  listed INTEGER NOT NULL," /* revoked or held */
	"  held INTEGER NOT NULL"
	") STRICT;"
	"INSERT INTO cert_figures(id, listed, held)"
	"  SELECT 1, count(*), count(*) FILTER (WHERE reason = 6) FROM cert WHERE revoked <> 0;"
	"CREATE TRIGGER cert_figures_new AFTER INSERT ON cert WHEN NEW.revoked <> 0 BEGIN"
	"  UPDATE cert_figures SET listed = listed + 1, held = held + (NEW.reason = 6);"
	" END;"
	"CREATE TRIGGER cert_figures_changed AFTER UPDATE OF revoked, reason ON cert BEGIN"
	"  UPDATE cert_figures SET listed = listed + (NEW.revoked <> 0) - (OLD.revoked <> 0),"
	"   held = held + (NEW.revoked <> 0 AND NEW.reason = 6)"
	"    - (OLD.revoked <> 0 AND OLD.reason = 6);"
	" END;"
	"CREATE TRIGGER cert_figures_gone AFTER DELETE ON cert WHEN OLD.revoked <> 0 BEGIN"
	"  UPDATE cert_figures SET listed = listed - 1, held = held - (OLD.reason = 6);"
	" END;",
	/*
	 * 10: certificates of CAs that are not ours are rows without a transaction, so that both indices are empty
	 * for whoever has none of them, and no enrolment touches them.  With what their conditions name, as otp_live.
	 */
	"CREATE INDEX cert_foreign ON cert(ca, tx_id) WHERE tx_id = 0;"
	"CREATE INDEX cert_bare ON cert(ca, tx_id, thumbprint) WHERE tx_id = 0 AND thumbprint = "
	"'';"
	"CREATE TABLE foreign_crl ("
	"  ca TEXT PRIMARY KEY,"
	"  number TEXT NOT NULL," /* hex: up to 20 octets */
	"  this_update INTEGER NOT NULL,"
	"  next_update INTEGER NOT NULL," /* wall seconds, 0: not told */
	"  entries INTEGER NOT NULL,"
	"  taken INTEGER NOT NULL,"
	"  sha256 BLOB NOT NULL"
	") STRICT, WITHOUT ROWID;",
	/*
	 * 11: a serial number is unique within its CA (RFC 5280 4.1.2.2) and no more.  The UNIQUE of schema 1 is
	 * taken out of the table's definition, and its index is given a name, so that it can be dropped like any
	 * other: a new table would be a copy of all certificates, 1.4 GB of a million.  SQLite lets nobody write to
	 * the definitions unless it is told so: migrate().  The number comes first in the new index, for those who
	 * have nothing else.
	 */
	"PRAGMA writable_schema = ON;"
	"UPDATE sqlite_schema SET sql = replace(sql, 'serial BLOB NOT NULL UNIQUE,', 'serial BLOB "
	"NOT NULL,') WHERE type = 'table' AND name = 'cert';"
	"UPDATE sqlite_schema SET name = 'cert_serial', sql = 'CREATE UNIQUE INDEX cert_serial ON "
	"cert(serial)' WHERE type = 'index' AND name = 'sqlite_autoindex_cert_1';"
	"PRAGMA writable_schema = RESET;"
	"DROP INDEX cert_serial;"
	"CREATE UNIQUE INDEX cert_name ON cert(serial, ca);"
	/* What a list said of a number that another CA's certificate had could not be put down: it is read anew. */
	"UPDATE foreign_crl SET sha256 = zeroblob(32);"
	/* "": not of a certificate, or of one that is not there. */
	"ALTER TABLE exception ADD COLUMN ca TEXT NOT NULL DEFAULT '';"
	"CREATE INDEX exception_target ON exception(target, kind);"
	"CREATE TABLE exception_ca (id INTEGER PRIMARY KEY, ca TEXT NOT NULL) STRICT;"
	/* One walk over certificates, and not one for each exception. */
	"INSERT INTO exception_ca(id, ca) SELECT e.id, c.ca FROM cert c CROSS JOIN exception e"
	"  INDEXED BY exception_target ON e.target = hex(c.serial) AND e.kind = 1"
	"  WHERE EXISTS (SELECT 1 FROM exception);"
	"UPDATE exception SET ca = (SELECT n.ca FROM exception_ca n WHERE n.id = exception.id)"
	"  WHERE id IN (SELECT id FROM exception_ca);"
	"DROP TABLE exception_ca;"
	"DROP INDEX exception_target;",
	/*
	 * 12: CAs are told apart by their key, and not by their name alone; what became of the last look at a foreign CA's
	 * list; how often such a list has let go of a certificate; foreign CAs that are forgotten.
	 */
	"CREATE TABLE ca_identity ("
	"  ca TEXT PRIMARY KEY,"
	"  own INTEGER NOT NULL,"
	"  key_sha256 BLOB NOT NULL," /* of the SubjectPublicKeyInfo */
	"  since INTEGER NOT NULL"    /* wall seconds */
	") STRICT, WITHOUT ROWID;"
	"CREATE TABLE foreign_look ("
	"  ca TEXT PRIMARY KEY,"
	"  tried INTEGER NOT NULL," /* wall seconds */
	"  good INTEGER NOT NULL,"  /* wall seconds, 0: never */
	"  failure TEXT NOT NULL"   /* '': the last one was good */
	") STRICT, WITHOUT ROWID;"
	"CREATE TABLE issuer_turns ("
	"  cert_id INTEGER PRIMARY KEY,"
	"  n INTEGER NOT NULL"
	") STRICT;"
	"ALTER TABLE cert_figures ADD COLUMN gone INTEGER NOT NULL DEFAULT 0;",
	/* 13: what an administrator asks about a sweep that waits: whose its turns are, and who was turned or waits beside it. */
	"ALTER TABLE sweep ADD COLUMN beside INTEGER NOT NULL DEFAULT 0;" /* owners turned */
	"ALTER TABLE sweep ADD COLUMN beside_waiting INTEGER NOT NULL DEFAULT 0;" /* owners */
	"ALTER TABLE sweep_turn ADD COLUMN owner INTEGER NOT NULL DEFAULT 0;",    /* 0: not told */
};
const int sq_schema_version = sizeof(sq_migrations) / sizeof(sq_migrations[0]);

/* For the few statements that run once, outside the table of prepared ones. */
static enum rc
one_number(struct sq_conn *c, const char *sql, int64_t *out, struct err *err)
{
	sqlite3_stmt *q = NULL;
	enum rc rc = RC_OK;

	if (sqlite3_prepare_v2(c->db, sql, -1, &q, NULL) != SQLITE_OK ||
	    sqlite3_step(q) != SQLITE_ROW)
		rc = sq_fail(c, "cannot read the database", err);
	else
		*out = sqlite3_column_int64(q, 0);
	sqlite3_finalize(q);
	return rc;
}

static enum rc
run(struct sq_conn *c, const char *sql, struct err *err)
{
	if (sqlite3_exec(c->db, sql, NULL, NULL, NULL) != SQLITE_OK)
		return sq_fail(c, "cannot prepare the database", err);
	return RC_OK;
}

/* Refuse what is not ours to touch; *version is 0 for a database without any table. */
static enum rc
identify(struct sq_conn *c, int64_t *version, struct err *err)
{
	int64_t app = 0, tables = 0;
	enum rc rc;

	rc = one_number(c, "PRAGMA application_id", &app, err);
	if (rc == RC_OK)
		rc = one_number(c, "PRAGMA user_version", version, err);
	if (rc == RC_OK)
		rc = one_number(c, "SELECT count(*) FROM sqlite_schema", &tables, err);
	if (rc != RC_OK)
		return rc;
	if (tables == 0 && app == 0 && *version == 0)
		return RC_OK;
	if (app != APPLICATION_ID || *version < 1)
		return fail(err, RC_CONFIG, "%s is a database of another program", c->path);
	if (*version > sq_schema_version) {
		fail(err, RC_CONFIG,
		    "%s was written by a newer version of this program (its schema is %lld, this "
		    "program knows up to %d)",
		    c->path, (long long)*version, sq_schema_version);
		err_hint(err, "install that version again");
		return RC_CONFIG;
	}
	return RC_OK;
}

static enum rc
wal_mode(struct sq_conn *c, struct err *err)
{
	sqlite3_stmt *q = NULL;
	const char *mode = NULL;
	enum rc rc = RC_OK;

	if (sqlite3_prepare_v2(c->db, "PRAGMA journal_mode=WAL", -1, &q, NULL) != SQLITE_OK ||
	    sqlite3_step(q) != SQLITE_ROW)
		rc = sq_fail(c, "cannot switch to write-ahead logging", err);
	else
		mode = (const char *)sqlite3_column_text(q, 0);
	if (rc == RC_OK && (mode == NULL || sqlite3_stricmp(mode, "wal") != 0))
		rc =
		    fail(err, RC_CONFIG, "%s lies on a file system without shared memory", c->path);
	sqlite3_finalize(q);
	return rc;
}

/* Everything from `version` on in one transaction, and with leave to change what the schema says of a table. */
static enum rc
migrate(struct sq_conn *c, int64_t version, struct err *err)
{
	char done[96];
	enum rc rc = RC_OK;

	sqlite3_db_config(c->db, SQLITE_DBCONFIG_DEFENSIVE, 0, NULL);
	for (int64_t i = version; i < sq_schema_version && rc == RC_OK; i++)
		rc = run(c, sq_migrations[i], err);
	sqlite3_db_config(c->db, SQLITE_DBCONFIG_WRITABLE_SCHEMA, 0, NULL);
	sqlite3_db_config(c->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	snprintf(done, sizeof(done), "PRAGMA application_id=%d; PRAGMA user_version=%d;",
	    APPLICATION_ID, sq_schema_version);
	if (rc == RC_OK)
		rc = run(c, done, err);
	return rc;
}

static enum rc
create(struct sq_conn *c, struct err *err)
{
	int64_t version = 0;
	enum rc rc;

	rc = wal_mode(c, err);
	if (rc == RC_OK)
		rc = run(c, "BEGIN IMMEDIATE", err);
	if (rc != RC_OK)
		return rc;
	/* Again, now that nobody else can be at it. */
	rc = identify(c, &version, err);
	if (rc == RC_OK)
		rc = migrate(c, version, err);
	if (rc == RC_OK)
		rc = run(c, "COMMIT", err);
	if (rc != RC_OK)
		(void)sqlite3_exec(c->db, "ROLLBACK", NULL, NULL, NULL);
	return rc;
}

enum rc
sq_schema_check(struct sq_conn *c, bool may_create, struct err *err)
{
	int64_t version = 0;
	enum rc rc;

	rc = identify(c, &version, err);
	if (rc != RC_OK || version == sq_schema_version)
		return rc;
	if (may_create)
		return create(c, err);
	if (version == 0)
		return fail(err, RC_CONFIG, "%s is empty", c->path);
	fail(err, RC_CONFIG,
	    "%s has the schema of an older version (%lld, and this program needs %d)", c->path,
	    (long long)version, sq_schema_version);
	err_hint(err,
	    "start scepd of this version once (systemctl restart scepd): it brings the database up "
	    "to date");
	return RC_CONFIG;
}
