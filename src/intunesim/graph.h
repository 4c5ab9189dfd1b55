/*
 * graph.h - what the resources of the simulated Microsoft Graph have in common: a table of members
 * for each type, collections with $filter, $select and paging, and Graph's errors.
 */
#ifndef SCEPD_INTUNESIM_GRAPH_H
#define SCEPD_INTUNESIM_GRAPH_H

#include "intunesim/call.h"
#include "intunesim/odata.h"

/* One property of a type.  `get` makes its value of an item; `arg` is the getter's own. */
struct graph_member {
	const char *name;
	json_t *(*get)(const struct call *c, const void *item, size_t arg);
	size_t arg;
	unsigned flags; /* GRAPH_* */
};
#define GRAPH_DEFAULT 1u /* there without $select, when the type has a default set */
#define GRAPH_BETA    2u /* not in v1.0 */

#define GRAPH_MEMBERS(m) m, sizeof(m) / sizeof(m[0])

/* Getters for any type: the int64_t time at offset `arg` of the item; null. */
json_t *graph_item_time(const struct call *c, const void *item, size_t arg);
json_t *graph_no_value(const struct call *c, const void *item, size_t arg);

#define GRAPH_PAGE_DIRECTORY 100u /* Graph's own pages of users and devices */

struct graph_type {
	const char *name; /* "microsoft.graph.user" */
	const char *set;  /* "users", as in paths and in @odata.context */
	const struct graph_member *members;
	size_t n_members;
	const char *const *roles; /* any one of these permissions opens it; NULL-terminated */
	unsigned page;            /* objects of a page without $top */
	/* Of a collection's source: the tenant, unless graph_page() was given another. */
	size_t (*count)(const void *source);
	const void *(*item)(const void *source, size_t i); /* NULL: nothing stands at this place */
	/* "@odata.type" of an item of a mixed collection; NULL: none */
	const char *(*odata_type)(const struct call *c, const void *item);
};

/* {"error":{"code","message","innerError":{"date","request-id","client-request-id"}}} */
void graph_error(struct call *c, int status, const char *code, const char *message);
/* 404 Request_ResourceNotFound: what proves that an object is gone. */
void graph_not_found(struct call *c, const char *id);
/*
 * The headers of every answer, and whether the token opens the resource with one of `roles`; false
 * when the refusal has been answered.
 */
bool graph_admit(struct call *c, const char *const *roles);

/* GET of a collection of the tenant's: admission, query, pages. */
void graph_list(struct call *c, const struct graph_type *type);
/* The same from another source, after graph_admit(). */
void graph_page(struct call *c, const struct graph_type *type, const void *source);
/* GET of one object by its key; `item` NULL: 404.  After graph_admit(). */
void graph_one(struct call *c, const struct graph_type *type, const char *key, const void *item);

/* The selected members of an item; NULL when out of memory. */
json_t *graph_object(const struct call *c, const struct graph_type *type,
    const struct odata_query *q, const void *item);
/* The query's options, checked against the type; false when 400 has been answered. */
bool graph_query(struct call *c, const struct graph_type *type, struct odata_query *q);
/* "@odata.context" of a type; NULL when out of memory. */
json_t *graph_context(const struct call *c, const struct graph_type *type, const char *tail);
extern const struct graph_type graph_users, graph_devices;
/* "https://host/v1.0/" and the path behind it, appended. */
void graph_url(struct buf *out, const struct call *c, const char *path);

#endif
