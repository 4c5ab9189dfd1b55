/*
 * sqlite_conn.h - one connection to SQLite with its prepared statements.  Only src/store/sqlite_*.c
 * include this.
 *
 * All SQL that runs after the schema stands is a row of the table in sqlite_sql.c; a statement is
 * prepared when a connection first needs it and lives as long as the connection.
 *
 * Threads: a connection has one owner at a time.
 */
#ifndef SCEPD_STORE_SQLITE_CONN_H
#define SCEPD_STORE_SQLITE_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sqlite3.h>

#include "base/err.h"

enum sq_stmt {
	Q_BEGIN,
	Q_BEGIN_READ,
	Q_COMMIT,
	Q_ROLLBACK,
	Q_SAVE,
	Q_SAVE_RELEASE,
	Q_SAVE_ROLLBACK,

	Q_TX_FIND,
	Q_TX_KNOWN,
	Q_TX_STATE,
	Q_TX_NEW,
	Q_TX_AGAIN,
	Q_TX_RESERVE,
	Q_TX_SIGNED,
	Q_TX_NOTIFIED,
	Q_TX_DELIVERED,
	Q_TX_REFUSED,
	Q_TX_UNDELIVERED,
	Q_TX_UNFINISHED,
	Q_TX_COUNT,
	Q_TX_COUNT_OPEN,
	Q_TX_COUNT_FAILED,
	Q_PENDING_PUT,
	Q_PENDING_DROP,
	Q_PENDING_DROP_FINAL,

	Q_OUTBOX_PUT,
	Q_OUTBOX_DROP_EARLIER,
	Q_OUTBOX_DUE,
	Q_OUTBOX_DONE,
	Q_OUTBOX_RETRY,
	Q_OUTBOX_COUNT,

	Q_CERT_NEW,
	Q_CERT_GET,
	Q_CERT_DER,
	Q_CERT_FIND,
	Q_CERT_SAME,
	Q_CERT_NAME,
	Q_CERT_STATE,
	Q_CERT_REVOKE,
	Q_CERT_EACH,
	Q_CERT_EACH_GOOD,
	Q_CERT_EACH_REVOKED,
	Q_CERT_EACH_HELD,
	Q_CERT_EACH_OVER,
	Q_CERT_EACH_UNSETTLED,
	Q_CERT_COUNT,
	Q_CERT_UPTO_REVOKED,
	Q_CERT_UPTO_HELD,
	Q_CERT_UPTO_UNSETTLED,
	Q_CERT_FIGURES,
	Q_CERT_LAST_AUDIT,
	Q_CERT_BRIEF,
	Q_CRL_NEXT,
	Q_CRL_SKIP,

	Q_HOLD_GET,
	Q_HOLD_TX,
	Q_HOLD_VERDICT,
	Q_HOLD_PUT,
	Q_HOLD_FIND,
	Q_HOLD_FOUND,
	Q_HOLD_DECIDE,
	Q_HOLD_END,
	Q_HOLD_LAPSE,
	Q_HOLD_DROP,
	Q_HOLD_UNDECIDE,
	Q_HOLD_BACK,
	Q_HOLD_BACK_ALL,
	Q_HOLD_EXPIRED,
	Q_HOLD_CLEAN,
	Q_HOLD_EACH,
	Q_HOLD_COUNT,
	Q_HOLD_COUNT_OF,

	Q_OTP_NEW,
	Q_OTP_FIND,
	Q_OTP_GET,
	Q_OTP_TAKEN,
	Q_OTP_USE,
	Q_OTP_USE_PUT,
	Q_OTP_USE_DROP,
	Q_OTP_BACK,
	Q_OTP_REVOKE,
	Q_OTP_REVOKE_LIVE,
	Q_OTP_CLEAN_USES,
	Q_OTP_CLEAN,
	Q_OTP_EACH,
	Q_OTP_COUNT,
	Q_OTP_COUNT_OF,

	Q_CAUSE_EACH,
	Q_CAUSE_PUT,
	Q_CAUSE_DROP,
	Q_CAUSE_EXPIRED,
	Q_CERT_END,
	Q_CERT_OVER,
	Q_STATUS_CHANGED,
	Q_STATUS_NUMBER,
	Q_CRL_FULL,
	Q_CRL_DELTA,
	Q_CHANGES,
	Q_BINDING_GET,
	Q_BINDING_PUT,
	Q_BINDING_DUE,
	Q_BINDING_DUE_LATEST,
	Q_BINDING_COUNT,
	Q_BINDING_BY_USER,
	Q_BINDING_BY_DEVICE,
	Q_BINDING_BY_DEVICE_OBJECT,
	Q_BINDING_BY_MANAGED,

	Q_FOREIGN_FIND,
	Q_FOREIGN_NEW,
	Q_FOREIGN_FILL,
	Q_FOREIGN_COUNT,
	Q_FOREIGN_BARE,
	Q_FOREIGN_NEXT_CA,
	Q_FOREIGN_MARKS,
	Q_FOREIGN_CRL,
	Q_FOREIGN_CRL_SET,
	Q_FOREIGN_LOOK,
	Q_FOREIGN_LOOK_SET,
	Q_ISSUER_TURNS,
	Q_ISSUER_TURNED,
	Q_IDENTITY_GET,
	Q_IDENTITY_OTHER,
	Q_IDENTITY_SET,
	Q_IDENTITY_WITNESS_OWN,
	Q_IDENTITY_WITNESS_FOREIGN,
	Q_IDENTITY_HAS_CRL,
	Q_FORGET_PAGE,
	Q_FORGET_CERT,
	Q_FORGET_CAUSES,
	Q_FORGET_BINDING,
	Q_FORGET_CHANGE_LAST,
	Q_FORGET_CHANGE,
	Q_FORGET_TURNS,
	Q_FORGET_SWEEP,
	Q_FORGET_EXCEPTIONS,
	Q_FORGET_FIGURES,
	Q_FORGET_CRL,
	Q_FORGET_LOOK,
	Q_FORGET_IDENTITY,

	Q_OBJECT_GET,
	Q_OBJECT_PUT,
	Q_OBJECT_KNOWN,
	Q_OBJECT_STALE,
	Q_RISK_PUT,
	Q_BOUND_USER,
	Q_BOUND_OBJECT,
	Q_BOUND_MANAGED,
	Q_SYNC_CONFIRM,
	Q_SYNC_LINK,
	Q_SYNC_LINK_SET,
	Q_GROUP_SAME,
	Q_GROUP_CLEAR,
	Q_GROUP_ADD,
	Q_GROUP_KNOWN,
	Q_GROUP_WHEN,
	Q_GROUP_HAS,
	Q_SUBJECT_NEXT,
	Q_SUBJECTS,

	Q_RENEWAL_PUT,
	Q_RENEWAL_OF,
	Q_RENEWAL_BY,
	Q_RENEWAL_COUNT,
	Q_RENEWAL_DUE,
	Q_RENEWAL_MOVE,

	Q_ROLLOVER_ALL,
	Q_ROLLOVER_SHARE,
	Q_ROLLOVER_SET,
	Q_RETIRED_ALL,
	Q_RETIRE,

	Q_SWEEP_OPEN,
	Q_SWEEP_WAITS,
	Q_SWEEP_NEW,
	Q_SWEEP_TURN_PUT,
	Q_SWEEP_READY,
	Q_SWEEP_CURRENT,
	Q_SWEEP_GET,
	Q_SWEEP_EACH,
	Q_SWEEP_TURNS,
	Q_SWEEP_DECIDE,
	Q_SWEEP_OWNERS,
	Q_SWEEP_BESIDE,
	Q_SWEEP_BESIDE_MORE,
	Q_SWEEP_OBSOLETE,
	Q_SWEEP_DEALT,
	Q_SWEEP_OLD,
	Q_SWEEP_TURNS_DROP,
	Q_SWEEP_DROP,
	Q_RULE_CAUSES,
	Q_SWEEP_MARKS,
	Q_IGNORED,
	Q_IGNORED_DROP,
	Q_TURNED_ADD,
	Q_TURNED_BESIDE,
	Q_TURNED_SINCE,
	Q_TURNED_DROP,

	Q_EXCEPTION_NEW,
	Q_EXCEPTION_GET,
	Q_EXCEPTION_CONFIRM,
	Q_EXCEPTION_END,
	Q_EXCEPTION_EACH,
	Q_EXCEPTION_EACH_LIVE,
	Q_EXCEPTION_COUNT,

	Q_AUDIT_HEAD,
	Q_AUDIT_ADD,
	Q_AUDIT_EACH,

	Q__MAX
};
extern const char *const sq_sql[Q__MAX];

/* One change of the schema a row; the version of a database is the number of rows applied (PRAGMA
 * user_version). */
extern const char *const sq_migrations[];
extern const int sq_schema_version;

struct sq_conn {
	sqlite3 *db;
	char *path;
	struct sq_conn *next; /* in the pool of readers */
	sqlite3_stmt *st[Q__MAX];
};

/* What a connection is for. */
enum sq_role { SQ_READER, SQ_WRITER };

/* Waits this long for another process's transaction. */
#define SQ_BUSY_MS 5000

enum rc sq_open(
    struct sq_conn **out, const char *path, enum sq_role role, struct err *err) MUST_CHECK;
void sq_close(struct sq_conn *c);
/* Make sure that `c` is our database at our schema; `create` allows to make or update it. */
enum rc sq_schema_check(struct sq_conn *c, bool create, struct err *err) MUST_CHECK;

/* SQLite's last failure on `c` as an error: "FILE: what: reason". */
enum rc sq_fail(struct sq_conn *c, const char *what, struct err *err);

/* Values for a statement's parameters ?1, ?2 ... Bytes are borrowed until the statement has run. */
struct sq_arg {
	enum { SQ_NULL, SQ_INT, SQ_TEXT, SQ_BLOB } type;
	int64_t i;
	const void *p;
	size_t len;
};

static inline struct sq_arg
sq_i(int64_t i)
{
	return (struct sq_arg){ .type = SQ_INT, .i = i };
}

/* NULL becomes SQL's NULL. */
static inline struct sq_arg
sq_t(const char *s)
{
	return (struct sq_arg){ .type = s == NULL ? SQ_NULL : SQ_TEXT, .p = s };
}

static inline struct sq_arg
sq_b(const void *p, size_t len)
{
	return (struct sq_arg){ .type = SQ_BLOB, .p = p, .len = len };
}

#define SQ_ARGS(...)                                                                               \
	((const struct sq_arg[]){ __VA_ARGS__ }),                                                  \
	    (sizeof((const struct sq_arg[]){ __VA_ARGS__ }) / sizeof(struct sq_arg))
#define SQ_NO_ARGS NULL, 0

/* Run a statement to its end.  *changes (may be NULL): rows written. */
enum rc sq_exec(struct sq_conn *c, enum sq_stmt id, const struct sq_arg *args, size_t n,
    int *changes, struct err *err) MUST_CHECK;

/* A statement that yields rows: sq_query(), sq_next() until !*row, sq_end() in any case. */
struct sq_cursor {
	struct sq_conn *c;
	sqlite3_stmt *q;
	int col;    /* the next column to take */
	enum rc rc; /* RC_NOMEM or RC_INTEGRITY, sticky over the takes of all rows */
};
enum rc sq_query(struct sq_cursor *cur, struct sq_conn *c, enum sq_stmt id,
    const struct sq_arg *args, size_t n, struct err *err) MUST_CHECK;
enum rc sq_next(struct sq_cursor *cur, bool *row, struct err *err) MUST_CHECK;
void sq_end(struct sq_cursor *cur);
/* Take the next column.  Text and blob: a copy of the caller's, NULL for SQL's NULL. */
int64_t sq_take_int(struct sq_cursor *cur);
char *sq_take_text(struct sq_cursor *cur);
uint8_t *sq_take_blob(struct sq_cursor *cur, size_t *len);
char *sq_take_hex(struct sq_cursor *cur);
/* Exactly `len` bytes, or the cursor fails with RC_INTEGRITY. */
void sq_take_fixed(struct sq_cursor *cur, uint8_t *out, size_t len);
/* Into a buffer of the caller's: text with its NUL, "" for SQL's NULL; octets, of which the number is returned.
 * What does not fit fails the cursor with RC_INTEGRITY. */
void sq_take_into(struct sq_cursor *cur, char *out, size_t size);
size_t sq_take_bytes(struct sq_cursor *cur, uint8_t *out, size_t size);
/* The sticky result of the takes. */
enum rc sq_took(const struct sq_cursor *cur, struct err *err) MUST_CHECK;

/* A statement that yields one number (0 for NULL or no row). */
enum rc sq_number(struct sq_conn *c, enum sq_stmt id, int64_t *out, struct err *err) MUST_CHECK;
enum rc sq_number_of(struct sq_conn *c, enum sq_stmt id, const struct sq_arg *args, size_t n,
    int64_t *out, struct err *err) MUST_CHECK;

#endif
