/*
 * graph_page_fuzz.c - any bytes at the doors for what Microsoft Graph says of users and devices.
 * The first byte picks the kind of object: '0' a user, and so on.
 *
 * What must hold: an object has an id, and that is a GUID; texts are terminated UTF-8; who is
 * removed has an "@removed" in the bytes; nobody is gone without the word "deleted".
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "intune/graph_reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool ok)
{
	if (!ok)
		abort();
}

static void
must_be_text(const char *s, size_t size)
{
	must(memchr(s, '\0', size) != NULL && utf8_valid((const uint8_t *)s, strlen(s)));
}

static void
must_be_flag(enum intune_tristate t)
{
	must(t == INTUNE_UNSAID || t == INTUNE_NO || t == INTUNE_YES);
}

static const char *
check(const union graph_object *o, enum graph_kind kind)
{
	switch (kind) {
	case GRAPH_USER:
		must_be_text(o->user.user_principal_name, sizeof(o->user.user_principal_name));
		must_be_text(o->user.on_premises_sid, sizeof(o->user.on_premises_sid));
		must_be_flag(o->user.account_enabled);
		must(o->user.deleted >= 0 && o->user.sign_in_sessions_valid_from >= 0);
		return o->user.id;
	case GRAPH_DEVICE:
		must_be_text(o->device.display_name, sizeof(o->device.display_name));
		must_be_text(o->device.trust_type, sizeof(o->device.trust_type));
		must_be_flag(o->device.account_enabled);
		must_be_flag(o->device.is_compliant);
		must(o->device.device_id[0] == '\0' || graph_is_guid(o->device.device_id));
		return o->device.id;
	case GRAPH_MANAGED_DEVICE:
		must_be_text(o->managed.device_name, sizeof(o->managed.device_name));
		must_be_text(o->managed.serial_number, sizeof(o->managed.serial_number));
		must_be_text(o->managed.management_state, sizeof(o->managed.management_state));
		must(o->managed.last_sync >= 0 && o->managed.enrolled >= 0);
		return o->managed.id;
	case GRAPH_MEMBER:
		must(o->member.kind >= INTUNE_MEMBER_OTHER &&
		    o->member.kind <= INTUNE_MEMBER_DEVICE);
		return o->member.id;
	case GRAPH_RISK:
		must_be_text(o->risk.user_principal_name, sizeof(o->risk.user_principal_name));
		must_be_text(o->risk.risk_level, sizeof(o->risk.risk_level));
		must_be_text(o->risk.risk_state, sizeof(o->risk.risk_state));
		must_be_flag(o->risk.is_deleted);
		must(o->risk.updated >= 0);
		return o->risk.id;
	case GRAPH__MAX:
		break;
	}
	abort();
}

/* JSON may write any letter as an escape. */
static bool
may_hold(const uint8_t *p, size_t len, const char *word)
{
	return memmem(p, len, word, strlen(word)) != NULL || memchr(p, '\\', len) != NULL;
}

static void
door_page(enum graph_kind kind, const uint8_t *p, size_t len)
{
	struct graph_page page;
	union graph_object o;
	enum intune_presence presence;
	size_t n = 0;

	if (graph_page_parse(&page, p, len, NULL) == RC_OK) {
		while (graph_page_next(&page, kind, &o)) {
			must(graph_is_guid(check(&o, kind)));
			presence = graph_presence(&o, kind);
			must(presence == INTUNE_PRESENCE_FOUND || may_hold(p, len, "@removed"));
			must(presence != INTUNE_PRESENCE_GONE || may_hold(p, len, "deleted"));
			n++;
		}
		must(n <= GRAPH_ENTRIES_MAX);
	}
	graph_page_done(&page);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	union graph_object o;
	enum graph_kind kind;

	if (size == 0)
		return 0;
	kind = (enum graph_kind)((uint8_t)(data[0] - '0') % GRAPH__MAX);
	if (graph_object_parse(&o, kind, data + 1, size - 1, NULL) == RC_OK) {
		must(graph_is_guid(check(&o, kind)));
		must(graph_presence(&o, kind) == INTUNE_PRESENCE_FOUND);
	}
	door_page(kind, data + 1, size - 1);
	return 0;
}
