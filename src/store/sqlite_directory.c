/*
 * sqlite_directory.c - what directories have said: objects, how far each walk of changes came, groups.
 *
 * That nothing has changed is said of all objects of a kind at once, each minute: one row of dir_sync has when,
 * and whoever reads an object that is there takes the later of the two times (KNOWN in sqlite_sql.c).
 */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "ossl/alg.h"
#include "store/sqlite.h"

/* ---- objects ---- */

/* OBJECT_COLUMNS of sqlite_sql.c; false: an outer join that found none. */
static bool
take(struct store_object *o, struct sq_cursor *cur)
{
	*o = (struct store_object){ 0 };
	o->kind = (enum dir_kind)sq_take_int(cur);
	sq_take_into(cur, o->tenant, sizeof(o->tenant));
	sq_take_into(cur, o->id, sizeof(o->id));
	o->presence = (enum dir_presence)sq_take_int(cur);
	o->enabled = (enum dir_said)sq_take_int(cur);
	o->compliant = (enum dir_said)sq_take_int(cur);
	sq_take_into(cur, o->compliance, sizeof(o->compliance));
	sq_take_into(cur, o->management, sizeof(o->management));
	sq_take_into(cur, o->risk, sizeof(o->risk));
	sq_take_into(cur, o->name, sizeof(o->name));
	sq_take_into(cur, o->platform, sizeof(o->platform));
	sq_take_into(cur, o->owner, sizeof(o->owner));
	o->enrolled = sq_take_int(cur);
	o->last_seen = sq_take_int(cur);
	o->known = sq_take_int(cur);
	o->risk_known = sq_take_int(cur);
	return o->kind != 0;
}

static enum rc
read_one(struct sq_conn *c, enum sq_stmt id, const struct sq_arg *args, size_t n,
    struct store_object *out, bool *found, struct err *err)
{
	struct sq_cursor cur;
	enum rc rc = sq_query(&cur, c, id, args, n, err);

	*found = false;
	if (rc == RC_OK && (rc = sq_next(&cur, found, err)) == RC_OK && *found) {
		(void)take(out, &cur);
		rc = sq_took(&cur, err);
	}
	sq_end(&cur);
	return rc;
}

enum rc
sqlite_object_get(struct store *s, const char *tenant, enum dir_kind kind, const char *id,
    struct store_object *out, struct err *err)
{
	struct store_object got;
	struct sq_conn *c;
	bool found = false;
	enum rc rc = sq_reader_get(&c, s, err);

	if (rc != RC_OK)
		return rc;
	rc = read_one(
	    c, Q_OBJECT_GET, SQ_ARGS(sq_t(tenant), sq_i(kind), sq_t(id)), &got, &found, err);
	sq_reader_put(s, c);
	if (rc == RC_OK && !found)
		rc = fail(err, RC_NOTFOUND, "the directory of %s was never heard about %s %s",
		    tenant, dir_kind_name(kind), id);
	if (rc == RC_OK)
		*out = got;
	return rc;
}

static bool
same(const struct store_object *a, const struct store_object *b)
{
	return a->presence == b->presence && a->enabled == b->enabled &&
	    a->compliant == b->compliant && strcmp(a->compliance, b->compliance) == 0 &&
	    strcmp(a->management, b->management) == 0 && strcmp(a->name, b->name) == 0 &&
	    strcmp(a->platform, b->platform) == 0 && strcmp(a->owner, b->owner) == 0 &&
	    a->enrolled == b->enrolled && a->last_seen == b->last_seen;
}

/* What a directory leaves out when it says that somebody is gone is kept, for people. */
static void
keep_old(struct store_object *o, const struct store_object *old)
{
	if (o->presence != DIR_FOUND) {
		if (o->name[0] == '\0')
			memcpy(o->name, old->name, sizeof(o->name));
		if (o->platform[0] == '\0')
			memcpy(o->platform, old->platform, sizeof(o->platform));
		if (o->owner[0] == '\0')
			memcpy(o->owner, old->owner, sizeof(o->owner));
	}
	if (o->presence == DIR_FOUND && o->enabled == DIR_UNSAID)
		o->enabled =
		    old->enabled; /* a list of changes may leave out what has not changed */
	if (o->enrolled == 0)
		o->enrolled = old->enrolled;
	if (o->last_seen == 0) /* the changes of a device never tell it */
		o->last_seen = old->last_seen;
	if (o->kind == DIR_MANAGED && o->presence == DIR_FOUND && o->management[0] == '\0')
		memcpy(o->management, old->management, sizeof(o->management));
}

static enum rc
write_object(struct sq_conn *c, const struct store_object *o, struct err *err)
{
	return sq_exec(c, Q_OBJECT_PUT,
	    SQ_ARGS(sq_t(o->tenant), sq_i(o->kind), sq_t(o->id), sq_i(o->presence),
		sq_i(o->enabled), sq_i(o->compliant), sq_t(o->compliance), sq_t(o->management),
		sq_t(o->name), sq_t(o->platform), sq_t(o->owner), sq_i(o->enrolled),
		sq_i(o->last_seen), sq_i(o->known)),
	    NULL, err);
}

struct put_args {
	const struct store_object *v;
	size_t n, changed;
};

static enum rc
put_one(struct sq_conn *c, const struct store_object *v, size_t *changed, struct err *err)
{
	struct store_object old, o = *v;
	int64_t bound = 0;
	bool found = false;
	enum rc rc = read_one(
	    c, Q_OBJECT_GET, SQ_ARGS(sq_t(o.tenant), sq_i(o.kind), sq_t(o.id)), &old, &found, err);

	if (rc != RC_OK)
		return rc;
	if (found) {
		keep_old(&o, &old);
		if (same(&o, &old) && o.known >= old.known)
			return sq_exec(c, Q_OBJECT_KNOWN,
			    SQ_ARGS(sq_t(o.tenant), sq_i(o.kind), sq_t(o.id), sq_i(o.known)), NULL,
			    err);
	} else {
		static const enum sq_stmt by[] = { [DIR_USER] = Q_BOUND_USER,
			[DIR_DEVICE] = Q_BOUND_OBJECT,
			[DIR_MANAGED] = Q_BOUND_MANAGED };

		rc = sq_number_of(c, by[o.kind], SQ_ARGS(sq_t(o.id), sq_t(o.tenant)), &bound, err);
		if (rc != RC_OK || bound == 0)
			return rc;
	}
	++*changed;
	return write_object(c, &o, err);
}

static enum rc
put_step(struct sq_writer *w, void *arg, struct err *err)
{
	struct put_args *a = arg;
	enum rc rc = RC_OK;

	a->changed = 0;
	for (size_t i = 0; i < a->n && rc == RC_OK; i++)
		rc = put_one(sq_writer_conn(w), &a->v[i], &a->changed, err);
	return rc;
}

enum rc
sqlite_objects_put(
    struct store *s, const struct store_object *v, size_t n, size_t *changed, struct err *err)
{
	struct put_args a = { v, n, 0 };
	enum rc rc = sq_write(sq_store_writer(s), put_step, &a, err);

	if (rc == RC_OK)
		*changed = a.changed;
	return rc;
}

struct risk_args {
	const char *tenant, *user, *risk;
	int64_t now;
};

static enum rc
risk_step(struct sq_writer *w, void *arg, struct err *err)
{
	const struct risk_args *a = arg;

	return sq_exec(sq_writer_conn(w), Q_RISK_PUT,
	    SQ_ARGS(sq_t(a->tenant), sq_t(a->user), sq_t(a->risk), sq_i(a->now)), NULL, err);
}

enum rc
sqlite_risk_put(struct store *s, const char *tenant, const char *user, const char *risk,
    int64_t now, struct err *err)
{
	struct risk_args a = { tenant, user, risk, now };

	return sq_write(sq_store_writer(s), risk_step, &a, err);
}

static enum rc
stale_read(struct sq_conn *c, const struct store_stale_query *q, store_object_fn *fn, void *arg,
    struct err *err)
{
	struct sq_cursor cur;
	bool row = true;
	enum rc rc = sq_query(&cur, c, Q_OBJECT_STALE,
	    SQ_ARGS(sq_t(q->tenant), sq_i(q->kind), sq_i(q->known_before), sq_i((int64_t)q->max)),
	    err);

	while (rc == RC_OK && (rc = sq_next(&cur, &row, err)) == RC_OK && row) {
		struct store_object o;

		(void)take(&o, &cur);
		rc = sq_took(&cur, err);
		if (rc == RC_OK && fn(arg, &o) != 0)
			break;
	}
	sq_end(&cur);
	return rc;
}

enum rc
sqlite_objects_stale(struct store *s, const struct store_stale_query *q, store_object_fn *fn,
    void *arg, struct err *err)
{
	struct sq_conn *c;
	enum rc rc = sq_reader_get(&c, s, err);

	if (rc != RC_OK)
		return rc;
	rc = stale_read(c, q, fn, arg, err);
	sq_reader_put(s, c);
	return rc;
}

/* ---- how far walks came ---- */

struct sync_args {
	const char *tenant, *link;
	enum dir_kind kind;
	int64_t now;
};

static enum rc
confirm_step(struct sq_writer *w, void *arg, struct err *err)
{
	const struct sync_args *a = arg;

	return sq_exec(sq_writer_conn(w), Q_SYNC_CONFIRM,
	    SQ_ARGS(sq_t(a->tenant), sq_i(a->kind), sq_i(a->now)), NULL, err);
}

enum rc
sqlite_objects_confirm(
    struct store *s, const char *tenant, enum dir_kind kind, int64_t now, struct err *err)
{
	struct sync_args a = { tenant, NULL, kind, now };

	return sq_write(sq_store_writer(s), confirm_step, &a, err);
}

static enum rc
link_step(struct sq_writer *w, void *arg, struct err *err)
{
	const struct sync_args *a = arg;

	return sq_exec(sq_writer_conn(w), Q_SYNC_LINK_SET,
	    SQ_ARGS(sq_t(a->tenant), sq_i(a->kind), sq_t(a->link)), NULL, err);
}

enum rc
sqlite_delta_link_set(
    struct store *s, const char *tenant, enum dir_kind kind, const char *link, struct err *err)
{
	struct sync_args a = { tenant, link, kind, 0 };

	return sq_write(sq_store_writer(s), link_step, &a, err);
}

enum rc
sqlite_delta_link(
    struct store *s, const char *tenant, enum dir_kind kind, char **link, struct err *err)
{
	struct sq_cursor cur;
	struct sq_conn *c;
	char *got = NULL;
	bool row = false;
	enum rc rc = sq_reader_get(&c, s, err);

	if (rc != RC_OK)
		return rc;
	rc = sq_query(&cur, c, Q_SYNC_LINK, SQ_ARGS(sq_t(tenant), sq_i(kind)), err);
	if (rc == RC_OK && (rc = sq_next(&cur, &row, err)) == RC_OK && row) {
		got = sq_take_text(&cur);
		rc = sq_took(&cur, err);
	}
	sq_end(&cur);
	sq_reader_put(s, c);
	if (rc == RC_OK)
		*link = got;
	else
		free(got);
	return rc;
}

/* ---- groups ---- */

struct group_args {
	const char *tenant, *group;
	const char *const *ids;
	size_t n;
	int64_t now;
	uint8_t digest[32]; /* of the ids as they came: most of the time nothing has changed */
};

static enum rc
group_digest(struct group_args *a, struct err *err)
{
	struct hash *h = NULL;
	enum rc rc = hash_new(&h, err);

	for (size_t i = 0; i < a->n && rc == RC_OK; i++)
		rc = hash_add(h, a->ids[i], strlen(a->ids[i]) + 1, err);
	if (rc == RC_OK)
		rc = hash_end(h, a->digest, err);
	hash_free(h);
	return rc;
}

static enum rc
group_replace(struct sq_conn *c, const struct group_args *a, struct err *err)
{
	enum rc rc = sq_exec(c, Q_GROUP_CLEAR, SQ_ARGS(sq_t(a->tenant), sq_t(a->group)), NULL, err);

	for (size_t i = 0; i < a->n && rc == RC_OK; i++)
		rc = sq_exec(c, Q_GROUP_ADD,
		    SQ_ARGS(sq_t(a->tenant), sq_t(a->group), sq_t(a->ids[i])), NULL, err);
	return rc;
}

static enum rc
group_step(struct sq_writer *w, void *arg, struct err *err)
{
	const struct group_args *a = arg;
	struct sq_conn *c = sq_writer_conn(w);
	int64_t same_as_before = 0;
	enum rc rc = sq_number_of(c, Q_GROUP_SAME,
	    SQ_ARGS(sq_t(a->tenant), sq_t(a->group), sq_b(a->digest, sizeof(a->digest))),
	    &same_as_before, err);

	if (rc == RC_OK && same_as_before == 0)
		rc = group_replace(c, a, err);
	return rc != RC_OK ? rc
			   : sq_exec(c, Q_GROUP_KNOWN,
				 SQ_ARGS(sq_t(a->tenant), sq_t(a->group), sq_i(a->now),
				     sq_b(a->digest, sizeof(a->digest))),
				 NULL, err);
}

enum rc
sqlite_group_set(struct store *s, const char *tenant, const char *group, const char *const *ids,
    size_t n, int64_t now, struct err *err)
{
	struct group_args a = { tenant, group, ids, n, now, { 0 } };
	enum rc rc = group_digest(&a, err);

	return rc != RC_OK ? rc : sq_write(sq_store_writer(s), group_step, &a, err);
}

enum rc
sqlite_group_has(struct store *s, const char *tenant, const char *group, const char *id, bool *has,
    int64_t *known, struct err *err)
{
	struct sq_conn *c;
	int64_t when = 0, member = 0;
	enum rc rc = sq_reader_get(&c, s, err);

	if (rc != RC_OK)
		return rc;
	rc = sq_number_of(c, Q_GROUP_WHEN, SQ_ARGS(sq_t(tenant), sq_t(group)), &when, err);
	if (rc == RC_OK)
		rc = sq_number_of(
		    c, Q_GROUP_HAS, SQ_ARGS(sq_t(tenant), sq_t(group), sq_t(id)), &member, err);
	sq_reader_put(s, c);
	if (rc == RC_OK) {
		*known = when;
		*has = member != 0;
	}
	return rc;
}

/* ---- certificates with all that is known ---- */

#define PAGE                                                                                       \
	2000 /* ids of certificates: some 10 ms of a core, and no view of the database longer */

struct subject_row {
	struct store_subject c;
	struct store_binding binding;
	struct store_object user, device, managed;
	char *ca, *endpoint, *profile, *subject;
	char serial[2 * STORE_SERIAL_MAX + 1];
};

static void
row_done(struct subject_row *r)
{
	free(r->ca);
	free(r->endpoint);
	free(r->profile);
	free(r->subject);
}

static void
take_state(struct store_subject *c, struct sq_cursor *cur)
{
	int64_t revoked = sq_take_int(cur), reason = sq_take_int(cur);

	c->state = revoked == 0 ? CERT_GOOD : reason == REASON_HOLD ? CERT_HELD : CERT_REVOKED;
}

static void
take_subject(struct subject_row *r, struct sq_cursor *cur)
{
	uint8_t serial[STORE_SERIAL_MAX];
	size_t len;

	*r = (struct subject_row){ 0 };
	r->c.cert_id = sq_take_int(cur);
	len = sq_take_bytes(cur, serial, sizeof(serial));
	hex_upper(r->serial, serial, len);
	r->c.serial = r->serial;
	r->c.ca = r->ca = sq_take_text(cur);
	r->c.endpoint = r->endpoint = sq_take_text(cur);
	r->c.profile = r->profile = sq_take_text(cur);
	r->c.subject = r->subject = sq_take_text(cur);
	r->c.issued = sq_take_int(cur);
	r->c.not_after = sq_take_int(cur);
	take_state(&r->c, cur);
	sqlite_binding_take(&r->binding, cur);
	r->c.binding = &r->binding;
	r->c.user = take(&r->user, cur) ? &r->user : NULL;
	r->c.device = take(&r->device, cur) ? &r->device : NULL;
	r->c.managed = take(&r->managed, cur) ? &r->managed : NULL;
}

static enum rc
subjects_read(struct sq_conn *c, int64_t valid_at, int64_t after, store_subject_fn *fn, void *arg,
    bool *stopped, struct err *err)
{
	struct sq_cursor cur;
	bool row = true;
	enum rc rc = sq_query(
	    &cur, c, Q_SUBJECTS, SQ_ARGS(sq_i(after), sq_i(after + PAGE), sq_i(valid_at)), err);

	while (rc == RC_OK && !*stopped && (rc = sq_next(&cur, &row, err)) == RC_OK && row) {
		struct subject_row r;

		take_subject(&r, &cur);
		rc = sq_took(&cur, err);
		if (rc == RC_OK && fn(arg, &r.c) != 0)
			*stopped = true;
		row_done(&r);
	}
	sq_end(&cur);
	return rc;
}

enum rc
sqlite_subjects_page(struct store *s, int64_t valid_at, int64_t *after, bool *more,
    store_subject_fn *fn, void *arg, struct err *err)
{
	struct sq_conn *c;
	int64_t next = 0;
	bool stopped = false;
	enum rc rc = sq_reader_get(&c, s, err);

	if (rc != RC_OK)
		return rc;
	/* From the next binding on: certificates without one, a million of them, cost nothing. */
	rc = sq_number_of(c, Q_SUBJECT_NEXT, SQ_ARGS(sq_i(*after)), &next, err);
	if (rc == RC_OK && next != 0)
		rc = subjects_read(c, valid_at, next - 1, fn, arg, &stopped, err);
	sq_reader_put(s, c);
	if (rc == RC_OK) {
		*more = next != 0 && !stopped;
		*after = next == 0 ? *after : next - 1 + PAGE;
	}
	return rc;
}
