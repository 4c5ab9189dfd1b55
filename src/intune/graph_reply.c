/*
 * graph_reply.c - one table of members for each kind of object, and the two doors.
 */
#include "intune/graph_reply.h"

#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "intune/reply.h"

enum member_type {
	M_GUID, /* char[]; anything else, and Intune's GUID of zeros for "none", is not told */
	M_TEXT, /* char[], cut between characters */
	M_FLAG, /* enum intune_tristate */
	M_TIME, /* int64_t */
	M_KIND, /* enum intune_member_kind */
};

struct member {
	const char *name;
	enum member_type type;
	size_t at, size;
	unsigned uses; /* enum graph_use */
};

#define ANY (GRAPH_READ | GRAPH_BETA | GRAPH_DELTA)
#define MEMBER(s, n, t, field, use)                                                                \
	{                                                                                          \
		n, t, offsetof(struct s, field), sizeof(((struct s *)0)->field), use               \
	}

static const struct member user_members[] = {
	MEMBER(intune_user, "id", M_GUID, id, ANY),
	MEMBER(intune_user, "userPrincipalName", M_TEXT, user_principal_name, ANY),
	MEMBER(intune_user, "accountEnabled", M_FLAG, account_enabled, ANY),
	MEMBER(intune_user, "deletedDateTime", M_TIME, deleted, GRAPH_READ),
	MEMBER(intune_user, "signInSessionsValidFromDateTime", M_TIME, sign_in_sessions_valid_from,
	    ANY),
	MEMBER(intune_user, "onPremisesSecurityIdentifier", M_TEXT, on_premises_sid, ANY),
};

static const struct member device_members[] = {
	MEMBER(intune_device, "id", M_GUID, id, ANY),
	MEMBER(intune_device, "deviceId", M_GUID, device_id, ANY),
	MEMBER(intune_device, "displayName", M_TEXT, display_name, ANY),
	MEMBER(intune_device, "operatingSystem", M_TEXT, operating_system, ANY),
	MEMBER(intune_device, "operatingSystemVersion", M_TEXT, operating_system_version, ANY),
	MEMBER(intune_device, "trustType", M_TEXT, trust_type, ANY),
	MEMBER(intune_device, "onPremisesSecurityIdentifier", M_TEXT, on_premises_sid, ANY),
	MEMBER(intune_device, "accountEnabled", M_FLAG, account_enabled, ANY),
	MEMBER(intune_device, "isCompliant", M_FLAG, is_compliant, ANY),
	MEMBER(intune_device, "isManaged", M_FLAG, is_managed, ANY),
	/* Not in a delta: every sign-in would be a change. */
	MEMBER(intune_device, "approximateLastSignInDateTime", M_TIME, last_sign_in, GRAPH_READ),
	MEMBER(intune_device, "registrationDateTime", M_TIME, registered, ANY),
};

/* managementState is in the beta version only. */
#define MANAGED(n, t, field) MEMBER(intune_managed_device, n, t, field, GRAPH_READ | GRAPH_BETA)
static const struct member managed_members[] = {
	MANAGED("id", M_GUID, id),
	MANAGED("azureADDeviceId", M_GUID, entra_device_id),
	MANAGED("userId", M_GUID, user_id),
	MANAGED("userPrincipalName", M_TEXT, user_principal_name),
	MANAGED("deviceName", M_TEXT, device_name),
	MANAGED("serialNumber", M_TEXT, serial_number),
	MANAGED("imei", M_TEXT, imei),
	MANAGED("wiFiMacAddress", M_TEXT, wifi_mac),
	MANAGED("operatingSystem", M_TEXT, operating_system),
	MANAGED("osVersion", M_TEXT, os_version),
	MANAGED("managedDeviceOwnerType", M_TEXT, owner_type),
	MANAGED("complianceState", M_TEXT, compliance_state),
	MEMBER(intune_managed_device, "managementState", M_TEXT, management_state, GRAPH_BETA),
	MANAGED("deviceRegistrationState", M_TEXT, device_registration_state),
	MANAGED("enrolledDateTime", M_TIME, enrolled),
	MANAGED("lastSyncDateTime", M_TIME, last_sync),
};

/* Whatever is asked for, OData says of an entry of a mixed list what it is. */
static const struct member member_members[] = {
	MEMBER(intune_member, "id", M_GUID, id, ANY),
	MEMBER(intune_member, "@odata.type", M_KIND, kind, 0),
};

static const struct member risk_members[] = {
	MEMBER(intune_risk, "id", M_GUID, id, ANY),
	MEMBER(intune_risk, "userPrincipalName", M_TEXT, user_principal_name, ANY),
	MEMBER(intune_risk, "riskLevel", M_TEXT, risk_level, ANY),
	MEMBER(intune_risk, "riskState", M_TEXT, risk_state, ANY),
	MEMBER(intune_risk, "isDeleted", M_FLAG, is_deleted, ANY),
	MEMBER(intune_risk, "riskLastUpdatedDateTime", M_TIME, updated, ANY),
};

static const struct {
	const struct member *v;
	size_t n;
	size_t size, presence, id; /* of the struct; offsets in it */
} kinds[GRAPH__MAX] = {
#define KIND(s, rows)                                                                              \
	{                                                                                          \
		rows, sizeof(rows) / sizeof((rows)[0]), sizeof(struct s),                          \
		    offsetof(struct s, presence), offsetof(struct s, id)                           \
	}
	[GRAPH_USER] = KIND(intune_user, user_members),
	[GRAPH_DEVICE] = KIND(intune_device, device_members),
	[GRAPH_MANAGED_DEVICE] = KIND(intune_managed_device, managed_members),
	[GRAPH_MEMBER] = KIND(intune_member, member_members),
	[GRAPH_RISK] = KIND(intune_risk, risk_members),
};

bool
graph_is_guid(const char *s)
{
	size_t i;

	for (i = 0; i < 36 && s[i] != '\0'; i++) {
		if (i == 8 || i == 13 || i == 18 || i == 23) {
			if (s[i] != '-')
				return false;
		} else if (strchr("0123456789abcdefABCDEF", s[i]) == NULL) {
			return false;
		}
	}
	return i == 36 && s[i] == '\0';
}

void
graph_blank(union graph_object *o, enum graph_kind kind)
{
	static const enum intune_tristate unsaid = INTUNE_UNSAID;
	size_t i;

	memset(o, 0, sizeof(*o));
	for (i = 0; i < kinds[kind].n; i++) {
		if (kinds[kind].v[i].type == M_FLAG)
			memcpy((char *)o + kinds[kind].v[i].at, &unsaid, sizeof(unsaid));
	}
}

void
graph_set_presence(union graph_object *o, enum graph_kind kind, enum intune_presence p)
{
	memcpy((char *)o + kinds[kind].presence, &p, sizeof(p));
}

enum intune_presence
graph_presence(const union graph_object *o, enum graph_kind kind)
{
	enum intune_presence p;

	memcpy(&p, (const char *)o + kinds[kind].presence, sizeof(p));
	return p;
}

void
graph_select_add(struct buf *b, enum graph_kind kind, enum graph_use use)
{
	const struct member *m = kinds[kind].v;
	bool first = true;
	size_t i;

	for (i = 0; i < kinds[kind].n; i++) {
		if ((m[i].uses & use) == 0)
			continue;
		if (!first)
			buf_addc(b, ',');
		buf_adds(b, m[i].name);
		first = false;
	}
}

static void
take_text(char *out, size_t size, const char *s)
{
	size_t len = strlen(s), at = 0, n;
	uint32_t cp;

	while (at < len && (n = utf8_next(&cp, (const uint8_t *)s + at, len - at)) != 0 &&
	    at + n < size)
		at += n;
	memcpy(out, s, at);
	out[at] = '\0';
}

static void
take_guid(char *out, size_t size, const char *s)
{
	if (graph_is_guid(s) && s[strspn(s, "0-")] != '\0')
		take_text(out, size, s);
}

/* Intune writes 0001-01-01T00:00:00Z for "never". */
static int64_t
take_time(const char *s)
{
	int64_t t;

	return time_parse_rfc3339(&t, s, NULL) == RC_OK && t > 0 ? t : 0;
}

static enum intune_member_kind
member_kind(const char *s)
{
	if (strcmp(s, "#microsoft.graph.user") == 0)
		return INTUNE_MEMBER_USER;
	return strcmp(s, "#microsoft.graph.device") == 0 ? INTUNE_MEMBER_DEVICE
							 : INTUNE_MEMBER_OTHER;
}

static void
take_member(union graph_object *o, const struct member *m, const json_t *v)
{
	const char *s = json_string_value(v);
	enum intune_member_kind kind;
	enum intune_tristate flag;
	char *to = (char *)o + m->at;
	int64_t t;

	if (m->type == M_FLAG) {
		flag = json_is_true(v) ? INTUNE_YES : INTUNE_NO;
		if (json_is_boolean(v))
			memcpy(to, &flag, sizeof(flag));
	} else if (s == NULL) {
		return;
	} else if (m->type == M_GUID) {
		take_guid(to, m->size, s);
	} else if (m->type == M_TEXT) {
		take_text(to, m->size, s);
	} else if (m->type == M_KIND) {
		kind = member_kind(s);
		memcpy(to, &kind, sizeof(kind));
	} else {
		t = take_time(s);
		memcpy(to, &t, sizeof(t));
	}
}

/* Graph's answer when a removed entry is written down: soft deletion is "changed", the end of it
 * "deleted".  No reason, or another one: take the lesser. */
static enum intune_presence
presence_in(const json_t *entry)
{
	const json_t *removed = json_object_get(entry, "@removed");
	const char *reason = json_get_str(removed, "reason");

	if (removed == NULL || json_is_null(removed))
		return INTUNE_PRESENCE_FOUND;
	return reason != NULL && strcmp(reason, "deleted") == 0 ? INTUNE_PRESENCE_GONE
								: INTUNE_PRESENCE_DELETED;
}

/* False: there is no id in it.  Of what was removed the id is all that counts. */
static bool
take_object(union graph_object *o, enum graph_kind kind, const json_t *entry)
{
	const struct member *m = kinds[kind].v;
	enum intune_presence p = presence_in(entry);
	size_t i;

	graph_blank(o, kind);
	for (i = 0; i < kinds[kind].n; i++) {
		if (p == INTUNE_PRESENCE_FOUND || m[i].at == kinds[kind].id)
			take_member(o, &m[i], json_object_get(entry, m[i].name));
	}
	graph_set_presence(o, kind, p);
	return ((const char *)o)[kinds[kind].id] != '\0';
}

enum rc
graph_object_parse(
    union graph_object *out, enum graph_kind kind, const void *p, size_t len, struct err *err)
{
	const json_t *entry, *inner;
	union graph_object o;
	json_t *root;
	bool ok;
	enum rc rc;

	if ((rc = reply_object(&root, p, len, err)) != RC_OK)
		return rc;
	/* The documentation's samples for managedDevices wrap the object in "value". */
	inner = json_object_get(root, "value");
	entry = json_is_object(inner) ? inner : root;
	ok = take_object(&o, kind, entry) && graph_presence(&o, kind) == INTUNE_PRESENCE_FOUND;
	json_decref(root);
	if (!ok)
		return fail(
		    err, RC_PARSE, "the answer is no object of the directory: it has no id");
	memcpy(out, &o, sizeof(*out));
	return RC_OK;
}

enum rc
graph_page_parse(struct graph_page *out, const void *p, size_t len, struct err *err)
{
	enum rc rc;

	memset(out, 0, sizeof(*out));
	if ((rc = reply_page(&out->root, p, len, err)) != RC_OK) {
		out->root = NULL;
		return rc;
	}
	out->list = json_object_get(out->root, "value");
	if (!json_is_array(out->list))
		return fail(err, RC_PARSE, "the answer is no list: it has no value array");
	out->n = json_array_size(out->list);
	if (out->n > GRAPH_ENTRIES_MAX)
		return fail(err, RC_PARSE, "the page has %zu entries, more than %u", out->n,
		    GRAPH_ENTRIES_MAX);
	out->next = json_get_str(out->root, "@odata.nextLink");
	out->delta = json_get_str(out->root, "@odata.deltaLink");
	return RC_OK;
}

bool
graph_page_next(struct graph_page *page, enum graph_kind kind, union graph_object *out)
{
	while (page->at < page->n) {
		if (take_object(out, kind, json_array_get(page->list, page->at++)))
			return true;
		page->nameless++;
	}
	return false;
}

void
graph_page_done(struct graph_page *page)
{
	json_decref(page->root);
	memset(page, 0, sizeof(*page));
}
