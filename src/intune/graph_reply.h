/*
 * graph_reply.h - the doors for what Microsoft Graph says of users and devices: bytes become the
 * structs of intune.h, or a reason why not.
 *
 * An object counts only if it has an id that is a GUID; any other member that is null, absent or of
 * another type is "not told".  One table names the members: what is asked for ($select) and what is
 * read cannot differ.
 */
#ifndef SCEPD_INTUNE_GRAPH_REPLY_H
#define SCEPD_INTUNE_GRAPH_REPLY_H

#include <stdbool.h>
#include <stddef.h>

#include "intune.h"
#include "json/json.h"

enum graph_kind {
	GRAPH_USER,
	GRAPH_DEVICE,
	GRAPH_MANAGED_DEVICE,
	GRAPH_MEMBER,
	GRAPH_RISK,
	GRAPH__MAX
};

union graph_object {
	struct intune_user user;
	struct intune_device device;
	struct intune_managed_device managed;
	struct intune_member member;
	struct intune_risk risk;
};

/* 8-4-4-4-12 hex digits. */
bool graph_is_guid(const char *s);

/* Everything "not told", presence UNKNOWN. */
void graph_blank(union graph_object *o, enum graph_kind kind);
enum intune_presence graph_presence(const union graph_object *o, enum graph_kind kind);
void graph_set_presence(union graph_object *o, enum graph_kind kind, enum intune_presence p);

/* Which members a question may ask for. */
enum graph_use {
	GRAPH_READ = 1,  /* one object or a list, v1.0 */
	GRAPH_DELTA = 2, /* what a delta query tracks */
	GRAPH_BETA = 4,  /* one object or a list, beta */
};
/* Append "id,userPrincipalName,...". */
void graph_select_add(struct buf *b, enum graph_kind kind, enum graph_use use);

/*
 * A single object, presence FOUND.  RC_PARSE unless it is an object with an id; `out` is written
 * only on success.
 */
enum rc graph_object_parse(union graph_object *out, enum graph_kind kind, const void *p, size_t len,
    struct err *err) MUST_CHECK;

/* A list has at most so many entries a page: Graph's largest page is 999, Intune's 1000. */
#define GRAPH_ENTRIES_MAX 1000u

struct graph_page {
	json_t *root;       /* owned */
	const char *next;   /* @odata.nextLink, or NULL; borrowed, not checked further */
	const char *delta;  /* @odata.deltaLink, or NULL; likewise */
	const json_t *list; /* borrowed from root */
	size_t at, n;       /* entry to read next, entries */
	size_t nameless;    /* passed over so far, since they have no id */
};
/* RC_PARSE unless it is an object with an array `value`.  Release with graph_page_done(), also
 * after a failure. */
enum rc graph_page_parse(
    struct graph_page *out, const void *p, size_t len, struct err *err) MUST_CHECK;
/*
 * The next entry that has an id; others are passed over.  Presence is FOUND, or with an "@removed"
 * member DELETED, and GONE when its reason is "deleted".  False at the end of the page.
 */
bool graph_page_next(struct graph_page *page, enum graph_kind kind, union graph_object *out);
void graph_page_done(struct graph_page *page);

#endif
