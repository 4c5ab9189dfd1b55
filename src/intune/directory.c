/*
 * directory.c - is this user or device still there?
 *
 * A wrong "gone" takes a network away from people, so it has to be proved: Graph's own code for an
 * object asked for by its id, no recycle bin that has it, and for Intune's devices a list at the
 * same address that answers.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "intune/client.h"
#include "intune/directory.h"

#define NAME_MAX_BYTES 255u /* of a UPN or serial number */
#define LIST_PAGES_MAX 16u  /* a filter matches a handful, though empty pages may come first */
#define DELETED_USERS  "directory/deletedItems/"
#define USER_CAST      "microsoft.graph.user"

/* Which filters use endsWith: Graph wants this header and $count=true with them. */
#define HEADER_EVENTUAL "ConsistencyLevel: eventual"

/* The '@' also sees to it that a path segment is never "." or "..". */
static bool
is_upn(const char *s)
{
	const char *at = strchr(s, '@');

	return at != NULL && at > s && at[1] != '\0' && utf8_plain(s, NAME_MAX_BYTES);
}

static enum intune_status
check_common(struct op *op, const void *out, const char *name, const char *value)
{
	if (op->client == NULL)
		return graph_bad_argument(op, "client", "is missing");
	if (out == NULL)
		return graph_bad_argument(op, "out", "is missing");
	if (value == NULL || value[0] == '\0')
		return graph_bad_argument(op, name, "is missing");
	return INTUNE_OK;
}

static enum intune_status
check_guid(struct op *op, const void *out, const char *name, const char *value)
{
	enum intune_status st = check_common(op, out, name, value);

	if (st == INTUNE_OK && !graph_is_guid(value))
		return graph_bad_argument(op, name, "is no GUID");
	return st;
}

/* Graph answered for another object than the one that was asked for: believe nothing of it. */
static enum intune_status
check_answer(struct op *op, const char *asked, const char *got)
{
	if (strcasecmp(asked, got) == 0)
		return INTUNE_OK;
	return error_set(op->err, INTUNE_E_PROTOCOL, INTUNE_STEP_DIRECTORY,
	    "directory: %s: the answer is about another object than the one asked for",
	    op->client->set.graph.host);
}

/* Ask with a URL that was built, or not; consumes it. */
static enum intune_status
ask(struct op *op, enum graph_kind kind, struct buf *url, union graph_object *out, bool *absent)
{
	const struct graph_question q = { kind, buf_str(url), NULL };
	enum intune_status st;

	st = buf_ok(url, "URL", NULL) == RC_OK ? graph_ask(op, &q, out, absent)
					       : op_nomem(op, INTUNE_STEP_DIRECTORY);
	buf_done(url);
	return st;
}

/* ---- lists: the best of what a filter finds ---- */

struct search {
	enum graph_kind kind;
	const char *value; /* asked for */
	bool (*fits)(const struct search *s, const union graph_object *o);
	int64_t (*rank)(const union graph_object *o); /* more than one fits: the highest */
	union graph_object best;
	bool found, ambiguous;
};

/* Enrolled anew, a device is another one of Intune's and the same of Entra's. */
static bool
is_another_device(const union graph_object *a, const union graph_object *b)
{
	const char *x = a->managed.entra_device_id, *y = b->managed.entra_device_id;

	return strcasecmp(a->managed.id, b->managed.id) != 0 &&
	    (x[0] == '\0' || strcasecmp(x, y) != 0);
}

static void
consider(struct search *s, const union graph_object *o)
{
	if (!s->fits(s, o))
		return;
	if (s->found && s->kind == GRAPH_MANAGED_DEVICE && is_another_device(o, &s->best))
		s->ambiguous = true;
	if (s->found && s->rank(o) <= s->rank(&s->best))
		return;
	s->best = *o;
	s->found = true;
}

/* Begin a list with a URL that was built, or not; consumes it.  End with graph_walk_done(). */
static enum intune_status
begin(
    struct op *op, struct graph_walk *w, enum graph_kind kind, struct buf *url, const char *header)
{
	const struct graph_question q = { kind, buf_str(url), header };
	enum intune_status st;

	memset(w, 0, sizeof(*w));
	st = buf_ok(url, "URL", NULL) == RC_OK ? graph_walk_begin(op, w, &q, LIST_PAGES_MAX)
					       : op_nomem(op, INTUNE_STEP_DIRECTORY);
	buf_done(url);
	return st;
}

/* Read all pages; consumes the URL. */
static enum intune_status
search(struct op *op, struct search *s, struct buf *url, const char *header)
{
	union graph_object o;
	struct graph_walk w;
	enum intune_status st = begin(op, &w, s->kind, url, header);

	while (st == INTUNE_OK && w.url != NULL) {
		st = graph_walk_page(op, &w);
		while (st == INTUNE_OK && graph_page_next(&w.page, s->kind, &o))
			consider(s, &o);
	}
	graph_walk_done(&w);
	return st;
}

/* There is nothing to tell but this. */
static void
nothing(union graph_object *o, enum graph_kind kind, enum intune_presence p)
{
	graph_blank(o, kind);
	graph_set_presence(o, kind, p);
}

/* ---- users ---- */

/*
 * Entra frees the name of a deleted user by putting the object's id in front of it, without
 * hyphens.
 */
static bool
is_deleted_name(const struct search *s, const union graph_object *o)
{
	const char *name = o->user.user_principal_name, *id = o->user.id;

	if (strcasecmp(name, s->value) == 0)
		return true;
	for (; *id != '\0'; id++) {
		if (*id != '-' && strncasecmp(name++, id, 1) != 0)
			return false;
	}
	return strcasecmp(name, s->value) == 0;
}

static int64_t
rank_deleted(const union graph_object *o)
{
	return o->user.deleted;
}

static enum intune_status
find_deleted_name(struct op *op, const char *upn, union graph_object *o)
{
	struct search s = {
		.kind = GRAPH_USER, .value = upn, .fits = is_deleted_name, .rank = rank_deleted
	};
	enum intune_status st;
	struct buf url;

	graph_url_begin(&url, op, GRAPH_V1);
	buf_adds(&url, DELETED_USERS USER_CAST);
	graph_url_select(&url, GRAPH_USER, GRAPH_READ);
	buf_adds(&url, "&$count=true&$filter=endsWith(userPrincipalName,");
	graph_url_literal(&url, upn);
	buf_addc(&url, ')');
	if ((st = search(op, &s, &url, HEADER_EVENTUAL)) != INTUNE_OK)
		return st;
	nothing(o, GRAPH_USER, INTUNE_PRESENCE_NOT_LISTED);
	if (s.found) {
		*o = s.best;
		o->user.presence = INTUNE_PRESENCE_DELETED;
	}
	return INTUNE_OK;
}

static enum intune_status
find_deleted_id(struct op *op, const char *id, union graph_object *o)
{
	enum intune_status st;
	struct buf url;
	bool absent;

	graph_url_begin(&url, op, GRAPH_V1);
	buf_adds(&url, DELETED_USERS);
	graph_url_key(&url, id);
	buf_adds(&url, "/" USER_CAST);
	graph_url_select(&url, GRAPH_USER, GRAPH_READ);
	if ((st = ask(op, GRAPH_USER, &url, o, &absent)) != INTUNE_OK)
		return st;
	if (absent) {
		nothing(o, GRAPH_USER, INTUNE_PRESENCE_GONE);
		return INTUNE_OK;
	}
	o->user.presence = INTUNE_PRESENCE_DELETED;
	return check_answer(op, id, o->user.id);
}

static enum intune_status
find_user(struct op *op, const char *id_or_upn, union graph_object *o)
{
	bool is_id = graph_is_guid(id_or_upn), absent;
	enum intune_status st;
	struct buf url;

	graph_url_begin(&url, op, GRAPH_V1);
	buf_adds(&url, "users");
	if (id_or_upn[0] == '$') { /* as a plain segment it would be an option of OData's */
		buf_addc(&url, '(');
		graph_url_literal(&url, id_or_upn);
		buf_addc(&url, ')');
	} else {
		buf_addc(&url, '/');
		graph_url_key(&url, id_or_upn);
	}
	graph_url_select(&url, GRAPH_USER, GRAPH_READ);
	if ((st = ask(op, GRAPH_USER, &url, o, &absent)) != INTUNE_OK)
		return st;
	if (absent)
		return is_id ? find_deleted_id(op, id_or_upn, o)
			     : find_deleted_name(op, id_or_upn, o);
	return check_answer(op, id_or_upn, is_id ? o->user.id : o->user.user_principal_name);
}

/* ---- devices of Entra's ---- */

static enum intune_status
find_device(struct op *op, const char *device_id, union graph_object *o)
{
	enum intune_status st;
	struct buf url;
	bool absent;

	graph_url_begin(&url, op, GRAPH_V1);
	buf_adds(&url, "devices(deviceId=");
	graph_url_literal(&url, device_id);
	buf_addc(&url, ')');
	graph_url_select(&url, GRAPH_DEVICE, GRAPH_READ);
	if ((st = ask(op, GRAPH_DEVICE, &url, o, &absent)) != INTUNE_OK)
		return st;
	if (!absent)
		return check_answer(op, device_id, o->device.device_id);
	nothing(o, GRAPH_DEVICE, INTUNE_PRESENCE_GONE);
	return INTUNE_OK;
}

/* ---- devices of Intune's ---- */

const struct managed_version managed_versions[] = {
	{ GRAPH_BETA_VERSION, GRAPH_BETA },
	{ GRAPH_V1, GRAPH_READ },
};

bool
managed_ask_v1(const struct op *op, enum intune_status st)
{
	const struct intune_error *e = op->err;

	if (e->step != INTUNE_STEP_DIRECTORY)
		return false;
	return st == INTUNE_E_PROTOCOL || st == INTUNE_E_REFUSED || e->http_status == 404 ||
	    (e->http_status >= 500 && e->http_status <= 599);
}

static bool
fits_device(const struct search *s, const union graph_object *o)
{
	return strcasecmp(s->value, o->managed.entra_device_id) == 0;
}

static bool
fits_serial(const struct search *s, const union graph_object *o)
{
	return strcasecmp(s->value, o->managed.serial_number) == 0;
}

static int64_t
rank_managed(const union graph_object *o)
{
	return o->managed.last_sync;
}

/* May the code for "no such device" also mean "no such address"?  Ask for the list at this address. */
static enum intune_status
look_at_list(struct op *op, enum graph_kind kind, const char *path, bool *has_entries)
{
	union graph_object any;
	struct graph_walk w;
	enum intune_status st;
	struct buf url;

	graph_url_begin(&url, op, GRAPH_V1);
	buf_adds(&url, path);
	buf_adds(&url, "?$select=id&$top=1");
	if ((st = begin(op, &w, kind, &url, NULL)) == INTUNE_OK)
		st = graph_walk_page(op, &w);
	if (st == INTUNE_OK)
		*has_entries = graph_page_next(&w.page, kind, &any);
	graph_walk_done(&w);
	return st;
}

/* If the list answers and has devices, the device was meant. */
static enum intune_status
confirm_gone(struct op *op, union graph_object *o)
{
	bool has_entries;
	enum intune_status st =
	    look_at_list(op, GRAPH_MANAGED_DEVICE, MANAGED_DEVICES, &has_entries);

	if (st == INTUNE_OK)
		nothing(o, GRAPH_MANAGED_DEVICE,
		    has_entries ? INTUNE_PRESENCE_GONE : INTUNE_PRESENCE_NOT_LISTED);
	return st;
}

static enum intune_status
ask_managed(struct op *op, const char *id, size_t v, union graph_object *o, bool *absent)
{
	enum intune_status st;
	struct buf url;

	graph_url_begin(&url, op, managed_versions[v].version);
	buf_adds(&url, MANAGED_DEVICES "/");
	graph_url_key(&url, id);
	graph_url_select(&url, GRAPH_MANAGED_DEVICE, managed_versions[v].use);
	st = ask(op, GRAPH_MANAGED_DEVICE, &url, o, absent);
	return st == INTUNE_OK && !*absent ? check_answer(op, id, o->managed.id) : st;
}

static enum intune_status
find_managed(struct op *op, const char *id, union graph_object *o)
{
	enum intune_status st = INTUNE_OK;
	bool absent = true;
	size_t v;

	for (v = 0; v < MANAGED_VERSIONS; v++) {
		st = ask_managed(op, id, v, o, &absent);
		if (st == INTUNE_OK ? !absent : !managed_ask_v1(op, st))
			return st;
	}
	return st == INTUNE_OK ? confirm_gone(op, o) : st;
}

static const struct {
	const char *filter;
	bool is_guid;
	bool (*fits)(const struct search *s, const union graph_object *o);
} keys[] = {
	[INTUNE_BY_ENTRA_DEVICE_ID] = { "azureADDeviceId eq ", true, fits_device },
	[INTUNE_BY_SERIAL_NUMBER] = { "serialNumber eq ", false, fits_serial },
};

static enum intune_status
search_managed(struct op *op, enum intune_managed_device_key key, struct search *s, size_t v)
{
	struct buf url;

	graph_url_begin(&url, op, managed_versions[v].version);
	buf_adds(&url, MANAGED_DEVICES);
	graph_url_select(&url, GRAPH_MANAGED_DEVICE, managed_versions[v].use);
	buf_adds(&url, "&$filter=");
	graph_url_key(&url, keys[key].filter);
	graph_url_literal(&url, s->value);
	return search(op, s, &url, NULL);
}

static enum intune_status
find_managed_by(
    struct op *op, enum intune_managed_device_key key, const char *value, union graph_object *o)
{
	struct search s = { .kind = GRAPH_MANAGED_DEVICE, .value = value, .rank = rank_managed };
	enum intune_status st = INTUNE_OK;
	size_t v;

	s.fits = keys[key].fits;
	for (v = 0; v < MANAGED_VERSIONS; v++) {
		s.found = s.ambiguous = false; /* what a list that broke off had brought */
		st = search_managed(op, key, &s, v);
		if (st == INTUNE_OK || !managed_ask_v1(op, st))
			break;
	}
	if (st == INTUNE_OK && s.found) {
		*o = s.best;
		o->managed.ambiguous = s.ambiguous;
	} else if (st == INTUNE_OK)
		nothing(o, GRAPH_MANAGED_DEVICE, INTUNE_PRESENCE_NOT_LISTED);
	return st;
}

/* ---- risk ---- */

/* A tenant may well have nobody at risk: that the list answers is enough. */
static enum intune_status
find_risk(struct op *op, const char *user_id, union graph_object *o)
{
	enum intune_status st;
	struct buf url;
	bool absent, has_entries;

	graph_url_begin(&url, op, GRAPH_V1);
	buf_adds(&url, RISKY_USERS "/");
	graph_url_key(&url, user_id);
	graph_url_select(&url, GRAPH_RISK, GRAPH_READ);
	if ((st = ask(op, GRAPH_RISK, &url, o, &absent)) != INTUNE_OK)
		return st;
	if (!absent)
		return check_answer(op, user_id, o->risk.id);
	if ((st = look_at_list(op, GRAPH_RISK, RISKY_USERS, &has_entries)) == INTUNE_OK)
		nothing(o, GRAPH_RISK, INTUNE_PRESENCE_NOT_LISTED);
	return st;
}

/* ---- the public calls ---- */

/* `out` is written in any case. */
static enum intune_status
finish(struct op *op, enum intune_status st, enum graph_kind kind, const union graph_object *o,
    void *out, size_t size)
{
	union graph_object none;

	graph_blank(&none, kind);
	if (out != NULL)
		memcpy(out, st == INTUNE_OK ? o : &none, size);
	return op_end(op, INTUNE_STEP_DIRECTORY, st);
}

enum intune_status
intune_find_user(struct intune_client *c, const char *id_or_upn, struct intune_user *out,
    struct intune_error *err)
{
	union graph_object o;
	enum intune_status st;
	struct op op;

	op_begin(&op, c, NULL, err);
	st = check_common(&op, out, "id_or_upn", id_or_upn);
	if (st == INTUNE_OK && !graph_is_guid(id_or_upn) && !is_upn(id_or_upn))
		st = graph_bad_argument(
		    &op, "id_or_upn", "is neither a GUID nor a user principal name");
	if (st == INTUNE_OK)
		st = find_user(&op, id_or_upn, &o);
	return finish(&op, st, GRAPH_USER, &o, out, sizeof(*out));
}

enum intune_status
intune_find_device(struct intune_client *c, const char *device_id, struct intune_device *out,
    struct intune_error *err)
{
	union graph_object o;
	enum intune_status st;
	struct op op;

	op_begin(&op, c, NULL, err);
	st = check_guid(&op, out, "device_id", device_id);
	if (st == INTUNE_OK)
		st = find_device(&op, device_id, &o);
	return finish(&op, st, GRAPH_DEVICE, &o, out, sizeof(*out));
}

enum intune_status
intune_find_managed_device(struct intune_client *c, const char *id,
    struct intune_managed_device *out, struct intune_error *err)
{
	union graph_object o;
	enum intune_status st;
	struct op op;

	op_begin(&op, c, NULL, err);
	st = check_guid(&op, out, "id", id);
	if (st == INTUNE_OK)
		st = find_managed(&op, id, &o);
	return finish(&op, st, GRAPH_MANAGED_DEVICE, &o, out, sizeof(*out));
}

enum intune_status
intune_find_managed_device_by(struct intune_client *c, enum intune_managed_device_key key,
    const char *value, struct intune_managed_device *out, struct intune_error *err)
{
	union graph_object o;
	enum intune_status st;
	struct op op;

	op_begin(&op, c, NULL, err);
	st = check_common(&op, out, "value", value);
	if (st == INTUNE_OK && (unsigned)key >= sizeof(keys) / sizeof(keys[0]))
		st = graph_bad_argument(&op, "key", "is none of enum intune_managed_device_key");
	else if (st == INTUNE_OK && keys[key].is_guid && !graph_is_guid(value))
		st = graph_bad_argument(&op, "value", "is no GUID");
	else if (st == INTUNE_OK && !utf8_plain(value, NAME_MAX_BYTES))
		st = graph_bad_argument(&op, "value", "is too long, or not printable UTF-8");
	if (st == INTUNE_OK)
		st = find_managed_by(&op, key, value, &o);
	return finish(&op, st, GRAPH_MANAGED_DEVICE, &o, out, sizeof(*out));
}

enum intune_status
intune_find_risk(
    struct intune_client *c, const char *user_id, struct intune_risk *out, struct intune_error *err)
{
	union graph_object o;
	enum intune_status st;
	struct op op;

	op_begin(&op, c, NULL, err);
	st = check_guid(&op, out, "user_id", user_id);
	if (st == INTUNE_OK)
		st = find_risk(&op, user_id, &o);
	return finish(&op, st, GRAPH_RISK, &o, out, sizeof(*out));
}

const char *
intune_presence_name(enum intune_presence p)
{
	static const char *const names[] = {
		[INTUNE_PRESENCE_UNKNOWN] = "unknown",
		[INTUNE_PRESENCE_FOUND] = "found",
		[INTUNE_PRESENCE_NOT_LISTED] = "not listed",
		[INTUNE_PRESENCE_DELETED] = "deleted",
		[INTUNE_PRESENCE_GONE] = "gone",
	};

	return (unsigned)p < sizeof(names) / sizeof(names[0]) ? names[p] : "unknown";
}
