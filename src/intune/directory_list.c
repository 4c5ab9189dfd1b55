/*
 * directory_list.c - lists of the directory: Intune's devices, a group's members, who is at risk.
 *
 * Each tells who is there.  None proves that somebody is not: a list may be cut, filtered by an index
 * that lags, or empty because somebody took a permission away.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "intune/client.h"
#include "intune/directory.h"

/*
 * Pages as large as the services make them: members 999, risk 500; Intune's are 1000 by themselves.
 *
 * A page may have LIMIT_JSON_PAGE, 4 MiB: 4,194 bytes for each of a thousand devices.  A device has 360 bytes of names, quotes
 * and commas for its 16 members, 108 of GUIDs and 56 of times.  Of its texts the UPN may have 113 characters, the
 * device's name 256, the serial number 128 and the ten others 200 together by what they are (IMEI, MAC address, words
 * of enumerations): 700 characters, of which those that people choose, 370, may each be written as six bytes, as an escape.
 * That is 360 + 164 + 6 * 370 + 330 = 3,074 bytes at the worst; 700 are usual.  Should a page be too large
 * all the same, the list is begun again with half as many devices in each, down to TOP_LEAST: 262 KB for each.
 *
 * A member has 100 bytes, somebody at risk 6 * 113 + 300: less than 500 KB for a page.
 */
#define TOP_MEMBERS "&$top=999"
#define TOP_RISKS   "&$top=500"
#define TOP_OWN     1000u
#define TOP_LEAST   16u

/* The caller's side of one list. */
struct listing {
	enum graph_kind kind;
	union {
		intune_on_managed_device managed;
		intune_on_member member;
		intune_on_risk risk;
	} on;
	void *arg;
	bool stopped;
};

static int
tell_one(const struct listing *l, const union graph_object *o)
{
	switch (l->kind) {
	case GRAPH_MANAGED_DEVICE:
		return l->on.managed(&o->managed, l->arg);
	case GRAPH_MEMBER:
		return l->on.member(&o->member, l->arg);
	default:
		return l->on.risk(&o->risk, l->arg);
	}
}

/* What has been removed is in no list; should an entry say so all the same, it is passed over. */
static void
tell(struct listing *l, struct graph_page *page)
{
	union graph_object o;

	while (!l->stopped && graph_page_next(page, l->kind, &o)) {
		if (graph_presence(&o, l->kind) == INTUNE_PRESENCE_FOUND)
			l->stopped = tell_one(l, &o) != 0;
	}
}

/* Read all pages from a URL that was built, or not; consumes it.  *pages: how many there were. */
static enum intune_status
list(struct op *op, struct listing *l, struct buf *url, unsigned *pages)
{
	const struct graph_question q = { l->kind, buf_str(url), NULL };
	struct graph_walk w;
	enum intune_status st;

	*pages = 0;
	if (buf_ok(url, "URL", NULL) != RC_OK) {
		buf_done(url);
		return op_nomem(op, INTUNE_STEP_DIRECTORY);
	}
	st = graph_walk_begin(op, &w, &q, GRAPH_PAGES_MAX);
	while (st == INTUNE_OK && w.url != NULL && !l->stopped) {
		op->deadline = clock_mono_ms() + op->client->set.total_ms;
		if ((st = graph_walk_page(op, &w)) == INTUNE_OK)
			tell(l, &w.page);
	}
	*pages = w.pages;
	graph_walk_done(&w);
	buf_done(url);
	return st;
}

static enum intune_status
check(struct op *op, bool has_callback, const char *callback, int64_t changed_since)
{
	if (op->client == NULL)
		return graph_bad_argument(op, "client", "is missing");
	if (!has_callback)
		return graph_bad_argument(op, callback, "is missing");
	if (changed_since < 0)
		return graph_bad_argument(op, "changed_since", "is less than 0");
	return INTUNE_OK;
}

/* "&$filter=lastSyncDateTime ge 2026-11-30T10:00:00Z" */
static void
filter_since(struct buf *url, const char *property, int64_t since)
{
	char time[TIME_TEXT_MAX];

	if (since == 0)
		return;
	time_rfc3339(time, since);
	buf_adds(url, "&$filter=");
	graph_url_key(url, property);
	graph_url_key(url, " ge ");
	graph_url_key(url, time);
}

/* `top`: devices of a page; 0: as many as Intune likes. */
static enum intune_status
list_managed_by(struct op *op, struct listing *l, int64_t since, size_t v, unsigned top)
{
	struct buf url;
	unsigned pages;

	graph_url_begin(&url, op, managed_versions[v].version);
	buf_adds(&url, MANAGED_DEVICES);
	graph_url_select(&url, GRAPH_MANAGED_DEVICE, managed_versions[v].use);
	if (top != 0)
		buf_addf(&url, "&$top=%u", top);
	filter_since(&url, "lastSyncDateTime", since);
	return list(op, l, &url, &pages);
}

/* A link to the next page has the size of this one in it, so the list begins again; the next one begins with what this
 * one has learnt. */
static enum intune_status
list_managed(struct op *op, struct listing *l, int64_t since, size_t v)
{
	unsigned top = op->client->managed_top;
	enum intune_status st;

	while ((st = list_managed_by(op, l, since, v, top)) != INTUNE_OK && op->too_large &&
	    (top == 0 || top > TOP_LEAST))
		op->client->managed_top = top = (top == 0 ? TOP_OWN : top) / 2;
	return st;
}

enum intune_status
intune_list_managed_devices(struct intune_client *c, int64_t changed_since,
    intune_on_managed_device on_device, void *arg, struct intune_error *err)
{
	struct listing l = { .kind = GRAPH_MANAGED_DEVICE, .on.managed = on_device, .arg = arg };
	enum intune_status st;
	struct op op;
	size_t v;

	op_begin(&op, c, NULL, err);
	st = check(&op, on_device != NULL, "on_device", changed_since);
	if (st != INTUNE_OK)
		return op_end(&op, INTUNE_STEP_DIRECTORY, st);
	for (v = 0; v < MANAGED_VERSIONS; v++) {
		st = list_managed(&op, &l, changed_since, v);
		if (st == INTUNE_OK || !managed_ask_v1(&op, st))
			break;
	}
	return op_end(&op, INTUNE_STEP_DIRECTORY, st);
}

/* Only of the address that names the group: a page further on that is gone is another matter. */
static enum intune_status
no_such_group(struct op *op)
{
	struct intune_error *e = op->err;

	error_set(e, INTUNE_E_REFUSED, INTUNE_STEP_DIRECTORY,
	    "directory: %s: there is no such group", op->client->set.graph.host);
	error_hint(e, "it was deleted, or its id is that of another tenant's");
	return INTUNE_E_REFUSED;
}

enum intune_status
intune_list_group_members(struct intune_client *c, const char *group_id, intune_on_member on_member,
    void *arg, struct intune_error *err)
{
	struct listing l = { .kind = GRAPH_MEMBER, .on.member = on_member, .arg = arg };
	enum intune_status st;
	struct buf url;
	struct op op;
	unsigned pages;

	op_begin(&op, c, NULL, err);
	st = check(&op, on_member != NULL, "on_member", 0);
	if (st == INTUNE_OK && (group_id == NULL || !graph_is_guid(group_id)))
		st = graph_bad_argument(&op, "group_id", "is no GUID");
	if (st != INTUNE_OK)
		return op_end(&op, INTUNE_STEP_DIRECTORY, st);
	graph_url_begin(&url, &op, GRAPH_V1);
	buf_adds(&url, "groups/");
	graph_url_key(&url, group_id);
	buf_adds(&url, "/transitiveMembers");
	graph_url_select(&url, GRAPH_MEMBER, GRAPH_READ);
	buf_adds(&url, TOP_MEMBERS);
	st = list(&op, &l, &url, &pages);
	if (st != INTUNE_OK && pages == 0 && op.err->http_status == 404 &&
	    strcmp(op.err->code_text, INTUNE_NO_SUCH_OBJECT) == 0)
		st = no_such_group(&op);
	return op_end(&op, INTUNE_STEP_DIRECTORY, st);
}

enum intune_status
intune_list_risky_users(struct intune_client *c, int64_t changed_since, intune_on_risk on_risk,
    void *arg, struct intune_error *err)
{
	struct listing l = { .kind = GRAPH_RISK, .on.risk = on_risk, .arg = arg };
	enum intune_status st;
	struct buf url;
	struct op op;
	unsigned pages;

	op_begin(&op, c, NULL, err);
	st = check(&op, on_risk != NULL, "on_risk", changed_since);
	if (st != INTUNE_OK)
		return op_end(&op, INTUNE_STEP_DIRECTORY, st);
	graph_url_begin(&url, &op, GRAPH_V1);
	buf_adds(&url, RISKY_USERS);
	graph_url_select(&url, GRAPH_RISK, GRAPH_READ);
	buf_adds(&url, TOP_RISKS);
	filter_since(&url, "riskLastUpdatedDateTime", changed_since);
	return op_end(&op, INTUNE_STEP_DIRECTORY, list(&op, &l, &url, &pages));
}
