/*
 * sqlite_conn.c - opening a connection, running statements, reading columns.
 */
#include "store/sqlite_conn.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/*
 * The writer's cache (KiB, negative in SQLite's notation) holds the inner pages of both random
 * indices at ten million rows; leaves come from the system's page cache.  Memory is taken as it is
 * used.  A request holds a challenge, which must not outlive its row in free pages: Debian builds
 * SQLite so, others do not.
 */
static const char *const pragmas[] = {
	[SQ_READER] = "PRAGMA query_only=1; PRAGMA cache_size=-1024; PRAGMA temp_store=MEMORY;",
	[SQ_WRITER] = "PRAGMA synchronous=FULL; PRAGMA cache_size=-16384; PRAGMA temp_store=MEMORY;"
		      "PRAGMA wal_autocheckpoint=0; PRAGMA secure_delete=ON;",
};

/* SQLite's result codes by what a caller can do about them. */
static const struct {
	int code;
	enum rc rc;
	const char *hint;
} reactions[] = {
	{ SQLITE_BUSY, RC_TIMEOUT, "another program holds the database locked" },
	{ SQLITE_LOCKED, RC_TIMEOUT, "another program holds the database locked" },
	{ SQLITE_NOMEM, RC_NOMEM, "" },
	{ SQLITE_FULL, RC_IO, "make room on the disk" },
	{ SQLITE_IOERR, RC_IO, "look at the disk and the system's log" },
	{ SQLITE_CORRUPT, RC_INTEGRITY, "restore the database from a backup" },
	{ SQLITE_NOTADB, RC_CONFIG, "is store.url right? restore a backup if it is" },
	{ SQLITE_READONLY, RC_CONFIG,
	    "the user of this program must be able to write the file and its folder" },
	{ SQLITE_CANTOPEN, RC_CONFIG,
	    "the user of this program must be able to write the file and its folder" },
	{ SQLITE_PERM, RC_CONFIG,
	    "the user of this program must be able to write the file and its folder" },
	{ SQLITE_CONSTRAINT, RC_CONFLICT, "" },
	{ SQLITE_TOOBIG, RC_LIMIT, "" },
};

enum rc
sq_fail(struct sq_conn *c, const char *what, struct err *err)
{
	int code = sqlite3_errcode(c->db) & 0xff;

	for (size_t i = 0; i < sizeof(reactions) / sizeof(reactions[0]); i++) {
		enum rc rc = reactions[i].rc;

		if (reactions[i].code != code)
			continue;
		fail(err, rc, "%s: %s: %s", c->path, what, sqlite3_errmsg(c->db));
		if (reactions[i].hint[0] != '\0')
			err_hint(err, "%s", reactions[i].hint);
		return rc;
	}
	return fail(err, RC_BUG, "%s: %s: %s", c->path, what, sqlite3_errmsg(c->db));
}

/*
 * SQLite keeps count of its memory under one lock for all threads unless told otherwise.  Refused
 * when somebody in this process has used SQLite before; then it is only slower.
 */
static void
library_setup(void)
{
	(void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

/* One owner at a time, so SQLite's own lock is not needed; never a URI, whatever the path holds. */
static enum rc
conn_open(struct sq_conn *c, enum sq_role role, struct err *err)
{
	if (sqlite3_open_v2(c->path, &c->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) !=
	    SQLITE_OK)
		return c->db == NULL ? fail(err, RC_NOMEM, "no memory for a database connection")
				     : sq_fail(c, "cannot open the database", err);
	sqlite3_extended_result_codes(c->db, 1);
	sqlite3_busy_timeout(c->db, SQ_BUSY_MS);
	sqlite3_db_config(c->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(c->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	if (sqlite3_exec(c->db, pragmas[role], NULL, NULL, NULL) != SQLITE_OK)
		return sq_fail(c, "cannot set up the database", err);
	return RC_OK;
}

enum rc
sq_open(struct sq_conn **out, const char *path, enum sq_role role, struct err *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct sq_conn *c = calloc(1, sizeof(*c));
	enum rc rc;

	pthread_once(&once, library_setup);
	if (c == NULL)
		return fail(err, RC_NOMEM, "no memory for a database connection");
	rc = str_dup(&c->path, path, err);
	if (rc == RC_OK)
		rc = conn_open(c, role, err);
	if (rc == RC_OK)
		*out = c;
	else
		sq_close(c);
	return rc;
}

void
sq_close(struct sq_conn *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < Q__MAX; i++)
		sqlite3_finalize(c->st[i]);
	sqlite3_close(c->db);
	free(c->path);
	free(c);
}

static enum rc
prepared(sqlite3_stmt **out, struct sq_conn *c, enum sq_stmt id, struct err *err)
{
	if (c->st[id] == NULL &&
	    sqlite3_prepare_v3(
		c->db, sq_sql[id], -1, SQLITE_PREPARE_PERSISTENT, &c->st[id], NULL) != SQLITE_OK)
		return sq_fail(c, "cannot prepare a statement", err);
	*out = c->st[id];
	return RC_OK;
}

static int
bind_one(sqlite3_stmt *q, int i, const struct sq_arg *a)
{
	switch (a->type) {
	case SQ_INT:
		return sqlite3_bind_int64(q, i, a->i);
	case SQ_TEXT:
		return sqlite3_bind_text(q, i, a->p, -1, SQLITE_STATIC);
	case SQ_BLOB:
		return sqlite3_bind_blob64(q, i, a->p, a->len, SQLITE_STATIC);
	case SQ_NULL:
		break;
	}
	return sqlite3_bind_null(q, i);
}

enum rc
sq_query(struct sq_cursor *cur, struct sq_conn *c, enum sq_stmt id, const struct sq_arg *args,
    size_t n, struct err *err)
{
	enum rc rc;

	*cur = (struct sq_cursor){ .c = c };
	rc = prepared(&cur->q, c, id, err);
	for (size_t i = 0; i < n && rc == RC_OK; i++)
		if (bind_one(cur->q, (int)i + 1, &args[i]) != SQLITE_OK)
			rc = sq_fail(c, "cannot bind a value", err);
	return rc;
}

enum rc
sq_next(struct sq_cursor *cur, bool *row, struct err *err)
{
	int code = sqlite3_step(cur->q);

	cur->col = 0;
	*row = code == SQLITE_ROW;
	if (code == SQLITE_ROW || code == SQLITE_DONE)
		return RC_OK;
	return sq_fail(cur->c, "a statement failed", err);
}

void
sq_end(struct sq_cursor *cur)
{
	if (cur->q == NULL)
		return;
	sqlite3_reset(cur->q);
	/* The bound bytes are the caller's and may go now. */
	sqlite3_clear_bindings(cur->q);
	cur->q = NULL;
}

enum rc
sq_exec(struct sq_conn *c, enum sq_stmt id, const struct sq_arg *args, size_t n, int *changes,
    struct err *err)
{
	struct sq_cursor cur;
	bool row = true;
	enum rc rc;

	rc = sq_query(&cur, c, id, args, n, err);
	while (rc == RC_OK && row)
		rc = sq_next(&cur, &row, err);
	if (rc == RC_OK && changes != NULL)
		*changes = sqlite3_changes(c->db);
	sq_end(&cur);
	return rc;
}

enum rc
sq_number(struct sq_conn *c, enum sq_stmt id, int64_t *out, struct err *err)
{
	return sq_number_of(c, id, SQ_NO_ARGS, out, err);
}

enum rc
sq_number_of(struct sq_conn *c, enum sq_stmt id, const struct sq_arg *args, size_t n, int64_t *out,
    struct err *err)
{
	struct sq_cursor cur;
	bool row = false;
	enum rc rc;

	rc = sq_query(&cur, c, id, args, n, err);
	if (rc == RC_OK)
		rc = sq_next(&cur, &row, err);
	if (rc == RC_OK)
		*out = row ? sq_take_int(&cur) : 0;
	sq_end(&cur);
	return rc;
}

int64_t
sq_take_int(struct sq_cursor *cur)
{
	return sqlite3_column_int64(cur->q, cur->col++);
}

/* Copy a column with a NUL behind it. */
static uint8_t *
take_copy(struct sq_cursor *cur, const void *p, size_t len)
{
	uint8_t *copy = malloc(len + 1);

	if (copy == NULL) {
		cur->rc = RC_NOMEM;
		return NULL;
	}
	if (len > 0)
		memcpy(copy, p, len);
	copy[len] = '\0';
	return copy;
}

/* Whether the next column has a value; a NULL is skipped. */
static bool
take_some(struct sq_cursor *cur)
{
	if (sqlite3_column_type(cur->q, cur->col) != SQLITE_NULL)
		return true;
	cur->col++;
	return false;
}

char *
sq_take_text(struct sq_cursor *cur)
{
	const unsigned char *p;

	if (!take_some(cur))
		return NULL;
	p = sqlite3_column_text(cur->q, cur->col);
	if (p == NULL)
		cur->rc = RC_NOMEM;
	return (char *)take_copy(
	    cur, p, p == NULL ? 0 : (size_t)sqlite3_column_bytes(cur->q, cur->col++));
}

uint8_t *
sq_take_blob(struct sq_cursor *cur, size_t *len)
{
	const void *p;

	*len = 0;
	if (!take_some(cur))
		return NULL;
	p = sqlite3_column_blob(cur->q, cur->col);
	*len = (size_t)sqlite3_column_bytes(cur->q, cur->col++);
	return take_copy(cur, p, p == NULL ? 0 : *len);
}

char *
sq_take_hex(struct sq_cursor *cur)
{
	size_t len;
	uint8_t *p = sq_take_blob(cur, &len);
	char *hex;

	if (p == NULL)
		return NULL;
	hex = malloc(2 * len + 1);
	if (hex == NULL)
		cur->rc = RC_NOMEM;
	else
		hex_upper(hex, p, len);
	free(p);
	return hex;
}

void
sq_take_into(struct sq_cursor *cur, char *out, size_t size)
{
	const void *p;
	size_t len;

	out[0] = '\0';
	if (!take_some(cur))
		return;
	p = sqlite3_column_text(cur->q, cur->col);
	len = (size_t)sqlite3_column_bytes(cur->q, cur->col++);
	if (p == NULL || len >= size) {
		cur->rc = p == NULL ? RC_NOMEM : RC_INTEGRITY;
		return;
	}
	memcpy(out, p, len);
	out[len] = '\0';
}

size_t
sq_take_bytes(struct sq_cursor *cur, uint8_t *out, size_t size)
{
	const void *p = sqlite3_column_blob(cur->q, cur->col);
	size_t len = (size_t)sqlite3_column_bytes(cur->q, cur->col++);

	if (p == NULL || len > size) {
		cur->rc = RC_INTEGRITY;
		return 0;
	}
	memcpy(out, p, len);
	return len;
}

void
sq_take_fixed(struct sq_cursor *cur, uint8_t *out, size_t len)
{
	const void *p = sqlite3_column_blob(cur->q, cur->col);
	size_t have = (size_t)sqlite3_column_bytes(cur->q, cur->col++);

	if (p == NULL || have != len)
		cur->rc = RC_INTEGRITY;
	else
		memcpy(out, p, len);
}

enum rc
sq_took(const struct sq_cursor *cur, struct err *err)
{
	if (cur->rc == RC_NOMEM)
		return fail(err, RC_NOMEM, "no memory for a row of the database");
	if (cur->rc != RC_OK)
		return fail(err, cur->rc, "%s: a row has a value of the wrong size", cur->c->path);
	return RC_OK;
}
