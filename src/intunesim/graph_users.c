/*
 * graph_users.c - users, the recycle bin and Identity Protection, as Graph shows them.
 *
 * The permissions are the least ones that Microsoft's reference names for reading with an app of
 * its own.
 */
#include <stddef.h>
#include <stdio.h>

#include "intunesim/graph.h"
#include "intunesim/services.h"

static const char *const roles_user[] = { "User.Read.All", "Directory.Read.All", NULL };
static const char *const roles_risk[] = { "IdentityRiskyUser.Read.All", NULL };

/* ---- users ---- */

/* A string of the conf that an item points to; `arg` is its offset. */
static json_t *
user_text(const struct call *c, const void *item, size_t arg)
{
	const struct user *it = item;

	return json_text_or_null(
	    *(const char *const *)(const void *)((const char *)it->conf + arg));
}

static json_t *
user_enabled(const struct call *c, const void *item, size_t arg)
{
	const struct user *u = item;

	return json_boolean(u->conf->enabled);
}

/*
 * Entra frees the name of a user whom it deletes: it puts the id before it, without hyphens, until
 * the user is restored.
 */
static json_t *
user_upn(const struct call *c, const void *item, size_t arg)
{
	const struct user *u = item;
	char text[GUID_TEXT_MAX + CALL_DETAIL_MAX];
	const char *id = u->conf->id;
	size_t n = 0;

	if (u->deleted == 0 || u->conf->upn == NULL)
		return json_text_or_null(u->conf->upn);
	for (; *id != '\0' && n < GUID_TEXT_MAX - 1; id++) {
		if (*id != '-')
			text[n++] = *id;
	}
	snprintf(text + n, sizeof(text) - n, "%s", u->conf->upn);
	return json_text_or_null(text);
}

static json_t *
user_synced(const struct call *c, const void *item, size_t arg)
{
	const struct user *u = item;

	return u->conf->on_prem_sid != NULL ? json_true() : json_null();
}

#define USER(n, f, flags)                                                                          \
	{                                                                                          \
		n, user_text, offsetof(struct user_conf, f), flags                                 \
	}
#define USER_TIME(n, f)                                                                            \
	{                                                                                          \
		n, graph_item_time, offsetof(struct user, f), 0                                    \
	}
static const struct graph_member user_members[] = {
	{ "businessPhones", graph_no_value, 0, GRAPH_DEFAULT },
	USER("displayName", name, GRAPH_DEFAULT),
	USER("givenName", given_name, GRAPH_DEFAULT),
	{ "jobTitle", graph_no_value, 0, GRAPH_DEFAULT },
	USER("mail", email, GRAPH_DEFAULT),
	{ "mobilePhone", graph_no_value, 0, GRAPH_DEFAULT },
	{ "officeLocation", graph_no_value, 0, GRAPH_DEFAULT },
	{ "preferredLanguage", graph_no_value, 0, GRAPH_DEFAULT },
	USER("surname", surname, GRAPH_DEFAULT),
	{ "userPrincipalName", user_upn, 0, GRAPH_DEFAULT },
	USER("id", id, GRAPH_DEFAULT),
	{ "accountEnabled", user_enabled, 0, 0 },
	USER("department", department, 0),
	USER("mailNickname", user_name, 0),
	USER_TIME("createdDateTime", created),
	USER_TIME("deletedDateTime", deleted),
	USER_TIME("signInSessionsValidFromDateTime", sessions_valid_from),
	USER("onPremisesSecurityIdentifier", on_prem_sid, 0),
	USER("onPremisesDistinguishedName", on_prem_dn, 0),
	USER("onPremisesSamAccountName", sam_account, 0),
	{ "onPremisesSyncEnabled", user_synced, 0, 0 },
};

static size_t
users_count(const void *source)
{
	const struct tenant *t = source;

	return t->file.users.n;
}

static const void *
users_item(const void *source, size_t i)
{
	const struct tenant *t = source;

	return t->users[i].deleted == 0 ? &t->users[i] : NULL;
}

static const void *
deleted_item(const void *source, size_t i)
{
	const struct tenant *t = source;
	const struct user *u = &t->users[i];

	return user_in_bin(u) ? u : NULL;
}

const struct graph_type graph_users = {
	"microsoft.graph.user",
	"users",
	GRAPH_MEMBERS(user_members),
	roles_user,
	GRAPH_PAGE_DIRECTORY,
	users_count,
	users_item,
	NULL,
};
static const struct graph_type deleted_users = {
	"microsoft.graph.user",
	"directory/deletedItems/microsoft.graph.user",
	GRAPH_MEMBERS(user_members),
	roles_user,
	GRAPH_PAGE_DIRECTORY,
	users_count,
	deleted_item,
	NULL,
};

void
graph_user_list(struct call *c)
{
	graph_list(c, &graph_users);
}

void
graph_user(struct call *c)
{
	const struct user_conf *u;

	if (!graph_admit(c, roles_user))
		return;
	u = tenant_user(c->tenant, c->arg[0]);
	graph_one(c, &graph_users, c->arg[0], u != NULL ? tenant_user_of(c->tenant, u) : NULL);
}

void
graph_deleted_list(struct call *c)
{
	graph_list(c, &deleted_users);
}

void
graph_deleted(struct call *c)
{
	const struct user *u;

	if (!graph_admit(c, roles_user))
		return;
	u = tenant_binned(c->tenant, c->arg[0]);
	if (u != NULL)
		u = deleted_item(c->tenant, (size_t)(u - c->tenant->users));
	graph_one(c, &deleted_users, c->arg[0], u);
}

/* ---- Identity Protection ---- */

static json_t *
risk_level(const struct call *c, const void *item, size_t arg)
{
	const struct user *u = item;

	return json_string(risk_level_name(u->conf->risk_level));
}

static json_t *
risk_state(const struct call *c, const void *item, size_t arg)
{
	const struct user *u = item;

	return json_string(risk_state_name(u->conf->risk_state));
}

static json_t *
is_deleted(const struct call *c, const void *item, size_t arg)
{
	const struct user *u = item;

	return json_boolean(u->deleted != 0);
}

/* Any change of the user counts as a new judgement: the tenant file does not date one. */
static json_t *
risk_updated(const struct call *c, const void *item, size_t arg)
{
	const struct user *u = item;

	return json_time_or_null(
	    changes_last(c->sim->changes, c->tenant->index, u->conf->id, c->tenant->since));
}

static const struct graph_member risk_members[] = {
	USER("id", id, 0),
	{ "isDeleted", is_deleted, 0, 0 },
	{ "riskLevel", risk_level, 0, 0 },
	{ "riskState", risk_state, 0, 0 },
	{ "riskLastUpdatedDateTime", risk_updated, 0, 0 },
	USER("userDisplayName", name, 0),
	USER("userPrincipalName", upn, 0),
};

/* Only those are listed whom Identity Protection has ever looked at twice. */
static const void *
risk_item(const void *source, size_t i)
{
	const struct tenant *t = source;
	const struct user *u = &t->users[i];

	return u->conf->risk_level != 0 || u->conf->risk_state != 0 ? u : NULL;
}

static const struct graph_type risky_users = {
	"microsoft.graph.riskyUser",
	"identityProtection/riskyUsers",
	GRAPH_MEMBERS(risk_members),
	roles_risk,
	GRAPH_PAGE_DIRECTORY,
	users_count,
	risk_item,
	NULL,
};

void
graph_risky_list(struct call *c)
{
	graph_list(c, &risky_users);
}

void
graph_risky(struct call *c)
{
	const struct user_conf *u;
	const struct user *whole = NULL;

	if (!graph_admit(c, roles_risk))
		return;
	if ((u = tenant_user(c->tenant, c->arg[0])) != NULL)
		whole =
		    risk_item(c->tenant, (size_t)(tenant_user_of(c->tenant, u) - c->tenant->users));
	graph_one(c, &risky_users, c->arg[0], whole);
}
