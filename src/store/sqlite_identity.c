/*
 * sqlite_identity.c - which CA a name means.
 */
#include <stdlib.h>

#include "store/sqlite.h"
#include "store/store_audit.h"

static enum rc
identity_read(struct sq_conn *c, const char *ca, struct store_identity *out, struct err *err)
{
	struct store_identity got;
	struct sq_cursor cur;
	bool row = false;
	enum rc rc = sq_query(&cur, c, Q_IDENTITY_GET, SQ_ARGS(sq_t(ca)), err);

	if (rc == RC_OK)
		rc = sq_next(&cur, &row, err);
	if (rc == RC_OK && !row)
		rc = fail(err, RC_NOTFOUND, "no CA %s was here yet", ca);
	if (rc == RC_OK) {
		got.own = sq_take_int(&cur) != 0;
		sq_take_fixed(&cur, got.key_sha256, sizeof(got.key_sha256));
		got.since = sq_take_int(&cur);
		if ((rc = sq_took(&cur, err)) == RC_OK)
			*out = got;
	}
	sq_end(&cur);
	return rc;
}

enum rc
sqlite_identity_get(struct store *s, const char *ca, struct store_identity *out, struct err *err)
{
	struct sq_conn *c;
	enum rc rc = sq_reader_get(&c, s, err);

	if (rc != RC_OK)
		return rc;
	rc = identity_read(c, ca, out, err);
	sq_reader_put(s, c);
	return rc;
}

static enum rc
other_read(
    struct sq_conn *c, const char *ca, const uint8_t *key_sha256, char *name, struct err *err)
{
	struct sq_cursor cur;
	bool row = false;
	enum rc rc =
	    sq_query(&cur, c, Q_IDENTITY_OTHER, SQ_ARGS(sq_b(key_sha256, 32), sq_t(ca)), err);

	if (rc == RC_OK)
		rc = sq_next(&cur, &row, err);
	if (rc == RC_OK && !row)
		rc = fail(err, RC_NOTFOUND, "no other CA has the key of %s", ca);
	if (rc == RC_OK) {
		sq_take_into(&cur, name, STORE_NAME_MAX + 1);
		rc = sq_took(&cur, err);
	}
	sq_end(&cur);
	return rc;
}

enum rc
sqlite_identity_other(
    struct store *s, const char *ca, const uint8_t *key_sha256, char *name, struct err *err)
{
	struct sq_conn *c;
	enum rc rc = sq_reader_get(&c, s, err);

	if (rc != RC_OK)
		return rc;
	rc = other_read(c, ca, key_sha256, name, err);
	sq_reader_put(s, c);
	return rc;
}

struct set_args {
	const char *ca;
	const struct store_identity *id;
};

static enum rc
set_audit(struct sq_writer *w, const struct set_args *a, struct err *err)
{
	struct buf d;
	enum rc rc;

	buf_init(&d, AUDIT_DETAIL_MAX);
	audit_field(&d, "ca", a->ca);
	audit_field(&d, "as", a->id->own ? "own" : "foreign");
	audit_hex(&d, "key", a->id->key_sha256, sizeof(a->id->key_sha256));
	rc = buf_ok(&d, "audit detail", err);
	if (rc == RC_OK)
		rc = sq_writer_audit(w, "ca-known", buf_str(&d), NULL, err);
	buf_done(&d);
	return rc;
}

static enum rc
set_step(struct sq_writer *w, void *arg, struct err *err)
{
	const struct set_args *a = arg;
	enum rc rc = sq_exec(sq_writer_conn(w), Q_IDENTITY_SET,
	    SQ_ARGS(sq_t(a->ca), sq_i(a->id->own),
		sq_b(a->id->key_sha256, sizeof(a->id->key_sha256)), sq_i(sq_writer_now(w) / 1000)),
	    NULL, err);

	return rc == RC_OK ? set_audit(w, a, err) : rc;
}

enum rc
sqlite_identity_set(
    struct store *s, const char *ca, const struct store_identity *id, struct err *err)
{
	struct set_args a = { ca, id };

	return sq_write(sq_store_writer(s), set_step, &a, err);
}

/* ---- evidence of an older database ---- */

static enum rc
witness_read(
    struct sq_conn *c, enum sq_stmt id, const char *ca, uint8_t **der, size_t *len, struct err *err)
{
	struct sq_cursor cur;
	bool row = false;
	uint8_t *got = NULL;
	size_t n = 0;
	enum rc rc = sq_query(&cur, c, id, SQ_ARGS(sq_t(ca), sq_i(STORE_WITNESS_ROWS)), err);

	if (rc == RC_OK)
		rc = sq_next(&cur, &row, err);
	if (rc == RC_OK && !row)
		rc = fail(err, RC_NOTFOUND, "no certificate of %s is at hand", ca);
	if (rc == RC_OK) {
		got = sq_take_blob(&cur, &n);
		rc = sq_took(&cur, err);
	}
	sq_end(&cur);
	if (rc != RC_OK) {
		free(got);
		return rc;
	}
	*der = got;
	*len = n;
	return RC_OK;
}

enum rc
sqlite_identity_witness(
    struct store *s, const char *ca, bool own, uint8_t **der, size_t *len, struct err *err)
{
	struct sq_conn *c;
	enum rc rc = sq_reader_get(&c, s, err);

	if (rc != RC_OK)
		return rc;
	rc = witness_read(
	    c, own ? Q_IDENTITY_WITNESS_OWN : Q_IDENTITY_WITNESS_FOREIGN, ca, der, len, err);
	sq_reader_put(s, c);
	return rc;
}

enum rc
sqlite_identity_has_crl(struct store *s, const char *ca, bool *has, struct err *err)
{
	uint64_t n = 0;
	enum rc rc = sq_count(s, Q_IDENTITY_HAS_CRL, SQ_ARGS(sq_t(ca)), &n, err);

	if (rc == RC_OK)
		*has = n != 0;
	return rc;
}
