/*
 * client.h - what one client holds, and how the parts ask each other for a token and for the
 * service's address.
 */
#ifndef SCEPD_INTUNE_CLIENT_H
#define SCEPD_INTUNE_CLIENT_H

#include <stdatomic.h>

#include "base/breaker.h"
#include "http/client.h"
#include "intune/cache.h"
#include "intune/credential.h"
#include "intune/op.h"
#include "intune/reply.h"
#include "intune/settings.h"

enum action_id {
	ACTION_VALIDATE,
	ACTION_SUCCESS,
	ACTION_FAILURE,
	ACTION_DOWNLOAD,
	ACTION_UPLOAD,
	ACTION__MAX
};

struct token_source {
	struct intune_client *client;
	enum scope scope;
	struct cache cache;
};

struct intune_client {
	struct settings set;
	struct credential credential;
	struct http_client *http;
	struct token_source tokens[SCOPE__MAX];
	struct cache service;
	struct breaker breakers[INTUNE_SERVICE__MAX];
	char *last_uris; /* of the last discovery; touched only by the thread that fetches */
	_Atomic unsigned
	    managed_top; /* devices of a page, where Intune's own pages are too large; 0 */
	_Atomic int64_t
	    settled_until; /* monotonic ms: the address was asked for again and had not changed */
};

struct token {
	struct shared shared;
	size_t len;  /* of `line` */
	char line[]; /* "Authorization: Bearer ..." */
};
bool token_source_init(struct token_source *t, struct intune_client *c, enum scope scope);
/* Release with shared_release(&t->shared). */
enum intune_status token_get(struct op *op, enum scope scope, struct token **out);
void token_drop(struct op *op, enum scope scope, const struct token *t);
/* Say which roles the token has, which was not enough for the step: INTUNE_E_PERMISSION. */
enum intune_status token_lacks(
    struct op *op, const struct exchange *x, const struct http_result *res, const struct token *t);
/* INTUNE_E_PERMISSION when the token is one that can be read and carries no role at all: no consent
 * yet. */
enum intune_status token_check(struct op *op, const struct token *t);

/* The services of the tenant's list, one at least: a tenant may lack either. */
struct services {
	struct shared shared;
	char *url[ACTION__MAX]; /* NULL when the action's service is not listed */
	char host[SERVICE__MAX][HOST_MAX];
	size_t entries;         /* in the list */
	char names[NAMES_TEXT]; /* of the list, when a service is missing */
};
bool service_init(struct intune_client *c);
/*
 * With the service of this id listed, or INTUNE_E_DISCOVERY.  A list without it is read again by
 * the next call: licences are bought.
 */
enum intune_status service_get(struct op *op, enum service_id id, struct services **out);
/* The service failed at this address: it may have moved.  Forget it, unless Graph has just
 * confirmed it. */
void service_doubt(struct op *op, const struct services *s);

/* The row of an action. */
const char *action_path(enum action_id a);
enum service_id action_service(enum action_id a);

#endif
