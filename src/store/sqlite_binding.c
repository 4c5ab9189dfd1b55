/*
 * sqlite_binding.c - who a certificate is bound to.
 */
#include "base/clock.h"
#include "base/text.h"
#include "store/sqlite.h"

/* BINDING_COLUMNS of sqlite_sql.c. */
void
sqlite_binding_take(struct store_binding *b, struct sq_cursor *cur)
{
	*b = (struct store_binding){ 0 };
	b->state = (enum binding_state)sq_take_int(cur);
	sq_take_into(cur, b->tenant, sizeof(b->tenant));
	sq_take_into(cur, b->user, sizeof(b->user));
	sq_take_into(cur, b->device, sizeof(b->device));
	sq_take_into(cur, b->device_object, sizeof(b->device_object));
	sq_take_into(cur, b->managed, sizeof(b->managed));
	sq_take_into(cur, b->upn, sizeof(b->upn));
	sq_take_into(cur, b->serial_number, sizeof(b->serial_number));
	sq_take_into(cur, b->sid, sizeof(b->sid));
	sq_take_into(cur, b->platform, sizeof(b->platform));
	sq_take_into(cur, b->owner, sizeof(b->owner));
	b->enrolled = sq_take_int(cur);
	b->asked = sq_take_int(cur);
	b->tries = (unsigned)sq_take_int(cur);
	b->due = sq_take_int(cur);
}

enum rc
sqlite_binding_put(
    struct sq_writer *w, int64_t cert, const struct store_binding *b, struct err *err)
{
	int64_t due = b->state == BINDING_OPEN && b->due == 0 ? clock_now() : b->due;

	return sq_exec(sq_writer_conn(w), Q_BINDING_PUT,
	    SQ_ARGS(sq_i(cert), sq_i(b->state), sq_t(b->tenant), sq_t(b->user), sq_t(b->device),
		sq_t(b->device_object), sq_t(b->managed), sq_t(b->upn), sq_t(b->serial_number),
		sq_t(b->sid), sq_t(b->platform), sq_t(b->owner), sq_i(b->enrolled), sq_i(b->asked),
		sq_i(b->tries), sq_i(due)),
	    NULL, err);
}

/* ---- one ---- */

static enum rc
get_read(struct sq_conn *c, const struct store_cert_name *name, struct store_binding *out,
    struct err *err)
{
	struct sq_cursor cur;
	int64_t id = 0, revoked = 0;
	bool row = false;
	enum rc rc = sqlite_cert_find(c, name, &id, &revoked, err);

	if (rc != RC_OK)
		return rc;
	*out = (struct store_binding){ .state = BINDING_NONE };
	rc = sq_query(&cur, c, Q_BINDING_GET, SQ_ARGS(sq_i(id)), err);
	if (rc == RC_OK && (rc = sq_next(&cur, &row, err)) == RC_OK && row) {
		sqlite_binding_take(out, &cur);
		rc = sq_took(&cur, err);
	}
	sq_end(&cur);
	return rc;
}

enum rc
sqlite_binding_get(
    struct store *s, const struct store_cert_name *name, struct store_binding *out, struct err *err)
{
	struct store_binding got;
	struct sq_conn *c;
	enum rc rc = sq_reader_get(&c, s, err);

	if (rc != RC_OK)
		return rc;
	rc = get_read(c, name, &got, err);
	sq_reader_put(s, c);
	if (rc == RC_OK)
		*out = got;
	return rc;
}

struct set_args {
	const struct store_cert_name *name;
	const struct store_binding *b;
};

static enum rc
set_step(struct sq_writer *w, void *arg, struct err *err)
{
	const struct set_args *a = arg;
	int64_t id = 0, revoked = 0;
	enum rc rc = sqlite_cert_find(sq_writer_conn(w), a->name, &id, &revoked, err);

	return rc != RC_OK ? rc : sqlite_binding_put(w, id, a->b, err);
}

enum rc
sqlite_binding_set(struct store *s, const struct store_cert_name *name,
    const struct store_binding *b, struct err *err)
{
	struct set_args a = { name, b };

	return sq_write(sq_store_writer(s), set_step, &a, err);
}

/* ---- many ---- */

/* A certificate's name, as lists lend it. */
struct name_text {
	char serial[2 * STORE_SERIAL_MAX + 1], ca[STORE_NAME_MAX + 1];
};

static void
take_name(struct name_text *name, struct sq_cursor *cur)
{
	uint8_t v[STORE_SERIAL_MAX];
	size_t len = sq_take_bytes(cur, v, sizeof(v));

	hex_upper(name->serial, v, len);
	sq_take_into(cur, name->ca, sizeof(name->ca));
}

/* *n: how many were told. */
static enum rc
due_read(struct sq_conn *c, enum sq_stmt order, const struct sq_arg *args, size_t n_args,
    store_binding_fn *fn, void *arg, size_t *n, struct err *err)
{
	struct sq_cursor cur;
	bool row = true;
	enum rc rc = sq_query(&cur, c, order, args, n_args, err);

	*n = 0;
	while (rc == RC_OK && (rc = sq_next(&cur, &row, err)) == RC_OK && row) {
		struct name_text name;
		struct store_binding b;
		int64_t not_after;

		take_name(&name, &cur);
		not_after = sq_take_int(&cur);
		sqlite_binding_take(&b, &cur);
		rc = sq_took(&cur, err);
		if (rc == RC_OK && fn(arg, name.serial, name.ca, not_after, &b) != 0)
			break;
		++*n;
	}
	sq_end(&cur);
	return rc;
}

enum rc
sqlite_binding_due(struct store *s, const char *tenant, int64_t now, size_t max,
    store_binding_fn *fn, void *arg, struct err *err)
{
	size_t latest = max / 4, longest = max - latest, n;
	struct sq_conn *c;
	enum rc rc = sq_reader_get(&c, s, err);

	if (rc != RC_OK)
		return rc;
	rc = due_read(c, Q_BINDING_DUE, SQ_ARGS(sq_t(tenant), sq_i(now), sq_i((int64_t)longest)),
	    fn, arg, &n, err);
	if (rc == RC_OK && n == longest && latest > 0)
		rc = due_read(c, Q_BINDING_DUE_LATEST,
		    SQ_ARGS(sq_t(tenant), sq_i(now), sq_i((int64_t)latest)), fn, arg, &n, err);
	sq_reader_put(s, c);
	return rc;
}

enum rc
sqlite_binding_count(struct store *s, const char *tenant, enum binding_state state, int64_t now,
    uint64_t *n, struct err *err)
{
	int64_t got = 0;
	struct sq_conn *c;
	enum rc rc = sq_reader_get(&c, s, err);

	if (rc != RC_OK)
		return rc;
	rc = sq_number_of(c, Q_BINDING_COUNT,
	    SQ_ARGS(sq_i(state), sq_t(tenant), sq_i(now), sq_i(STORE_BINDINGS_COUNTED)), &got, err);
	sq_reader_put(s, c);
	if (rc == RC_OK)
		*n = (uint64_t)got;
	return rc;
}

static enum rc
certs_read(struct sq_conn *c, enum sq_stmt id, const struct sq_arg *args, size_t n,
    store_bound_fn *fn, void *arg, struct err *err)
{
	struct sq_cursor cur;
	bool row = true;
	enum rc rc = sq_query(&cur, c, id, args, n, err);

	while (rc == RC_OK && (rc = sq_next(&cur, &row, err)) == RC_OK && row) {
		struct name_text name;

		take_name(&name, &cur);
		rc = sq_took(&cur, err);
		if (rc == RC_OK && fn(arg, name.serial, name.ca) != 0)
			break;
	}
	sq_end(&cur);
	return rc;
}

enum rc
sqlite_binding_certs(struct store *s, const char *tenant, enum binding_key key, const char *id,
    int64_t valid_at, size_t max, store_bound_fn *fn, void *arg, struct err *err)
{
	static const enum sq_stmt by[] = {
		[BINDING_BY_USER] = Q_BINDING_BY_USER,
		[BINDING_BY_DEVICE] = Q_BINDING_BY_DEVICE,
		[BINDING_BY_DEVICE_OBJECT] = Q_BINDING_BY_DEVICE_OBJECT,
		[BINDING_BY_MANAGED] = Q_BINDING_BY_MANAGED,
	};
	struct sq_conn *c;
	enum rc rc = sq_reader_get(&c, s, err);

	if (rc != RC_OK)
		return rc;
	rc = certs_read(c, by[key],
	    SQ_ARGS(sq_t(id), sq_t(tenant), sq_i(valid_at), sq_i((int64_t)max)), fn, arg, err);
	sq_reader_put(s, c);
	return rc;
}
