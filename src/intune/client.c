/*
 * client.c - making, configuring, checking and ending a client.
 */
#include "intune/client.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "intune/reply.h"

#define CONNECTIONS_MAX 64u

static enum intune_status
from_err(struct intune_error *e, enum rc rc, const struct err *why)
{
	enum intune_status st = rc == RC_NOMEM ? INTUNE_E_NOMEM : INTUNE_E_ARGUMENT;

	error_set(e, st, INTUNE_STEP_CONFIG, "%s", why->msg);
	if (why->hint[0] != '\0')
		error_hint(e, "%s", why->hint);
	return st;
}

static enum intune_status
missing(struct intune_error *e, const char *argument)
{
	return error_set(
	    e, INTUNE_E_ARGUMENT, INTUNE_STEP_CONFIG, "the argument %s is missing", argument);
}

static enum intune_status
open_http(struct intune_client *c, struct intune_error *e)
{
	const struct settings *s = &c->set;
	const struct http_client_conf conf = {
		.user_agent = "libintune/" INTUNE_VERSION,
		.ca_file = s->v[P_CA_FILE],
		.proxy_host = s->v[P_PROXY_HOST],
		.proxy_port = s->proxy_port,
		.proxy_user = s->v[P_PROXY_USER],
		.proxy_pass = s->v[P_PROXY_PASS],
		.connections_max = CONNECTIONS_MAX,
	};
	struct err why;
	enum rc rc = http_client_new(&c->http, &conf, &why);

	return rc == RC_OK ? INTUNE_OK : from_err(e, rc, &why);
}

static void
close_breakers(struct intune_client *c, unsigned n)
{
	while (n > 0)
		breaker_done(&c->breakers[--n]);
}

static bool
open_breakers(struct intune_client *c)
{
	unsigned i;

	for (i = 0; i < INTUNE_SERVICE__MAX; i++) {
		if (!breaker_init(&c->breakers[i])) {
			close_breakers(c, i);
			return false;
		}
	}
	return true;
}

static bool
open_caches(struct intune_client *c)
{
	if (!open_breakers(c))
		return false;
	if (!token_source_init(&c->tokens[SCOPE_GRAPH], c, SCOPE_GRAPH))
		goto breakers;
	if (!token_source_init(&c->tokens[SCOPE_INTUNE], c, SCOPE_INTUNE))
		goto graph;
	if (service_init(c))
		return true;
	cache_done(&c->tokens[SCOPE_INTUNE].cache);
graph:
	cache_done(&c->tokens[SCOPE_GRAPH].cache);
breakers:
	close_breakers(c, INTUNE_SERVICE__MAX);
	return false;
}

enum intune_status
intune_client_new(
    struct intune_client **out, const struct intune_config *config, struct intune_error *err)
{
	struct intune_error scratch, *e = err != NULL ? err : &scratch;
	struct intune_client *c;
	enum intune_status st;

	error_reset(e);
	if (out == NULL || config == NULL)
		return error_set(
		    e, INTUNE_E_ARGUMENT, INTUNE_STEP_CONFIG, "a client needs a configuration");
	if ((c = calloc(1, sizeof(*c))) == NULL ||
	    (st = settings_make(&c->set, config, e)) == INTUNE_E_NOMEM) {
		free(c);
		return error_set(e, INTUNE_E_NOMEM, INTUNE_STEP_CONFIG, "out of memory");
	}
	if (st != INTUNE_OK)
		goto no_settings;
	if ((st = credential_open(&c->credential, &c->set, e)) != INTUNE_OK)
		goto no_credential;
	settings_drop_key(&c->set); /* the credential has it, until there is another one */
	if ((st = open_http(c, e)) != INTUNE_OK)
		goto no_http;
	if (!open_caches(c)) {
		st = error_set(e, INTUNE_E_NOMEM, INTUNE_STEP_CONFIG, "out of memory");
		goto no_caches;
	}
	*out = c;
	return INTUNE_OK;
no_caches:
	http_client_free(c->http);
no_http:
	credential_done(&c->credential);
no_credential:
	settings_done(&c->set);
no_settings:
	free(c);
	return st;
}

void
intune_client_free(struct intune_client *c)
{
	unsigned i;

	if (c == NULL)
		return;
	http_client_free(c->http);
	for (i = 0; i < SCOPE__MAX; i++)
		cache_done(&c->tokens[i].cache);
	cache_done(&c->service);
	close_breakers(c, INTUNE_SERVICE__MAX);
	free(c->last_uris);
	credential_done(&c->credential);
	settings_done(&c->set);
	free(c);
}

enum intune_status
intune_client_set_tls_context(struct intune_client *c, int (*configure)(void *ssl_ctx, void *arg),
    void *arg, struct intune_error *err)
{
	struct intune_error scratch, *e = err != NULL ? err : &scratch;
	struct err why;
	enum rc rc;

	error_reset(e);
	if (c == NULL)
		return missing(e, "client");
	rc = http_client_tls_set(c->http, c->set.v[P_CA_FILE], configure, arg, &why);
	return rc == RC_OK ? INTUNE_OK : from_err(e, rc, &why);
}

void
intune_client_service(
    struct intune_client *c, enum intune_service s, struct intune_service_state *out)
{
	static const enum intune_circuit circuits[] = {
		[CIRCUIT_CLOSED] = INTUNE_CIRCUIT_CLOSED,
		[CIRCUIT_OPEN] = INTUNE_CIRCUIT_OPEN,
		[CIRCUIT_HALF_OPEN] = INTUNE_CIRCUIT_HALF_OPEN,
	};
	struct breaker_state now;

	memset(out, 0, sizeof(*out));
	if (c == NULL || (unsigned)s >= INTUNE_SERVICE__MAX)
		return;
	breaker_look(&c->breakers[s], clock_mono_ms(), &now);
	*out = (struct intune_service_state){ circuits[now.circuit], now.row, now.retry_ms,
		now.opened, now.refused };
}

enum intune_status
intune_check(struct intune_client *c, struct intune_error *err)
{
	struct services *s;
	struct token *t;
	enum intune_status st;
	struct op op;

	op_begin(&op, c, NULL, err);
	if (c == NULL) {
		st = missing(op.err, "client");
		return op_end(&op, INTUNE_STEP_CONFIG, st);
	}
	if ((st = service_get(&op, SERVICE_SCEP, &s)) == INTUNE_OK) {
		shared_release(&s->shared);
		if ((st = token_get(&op, SCOPE_INTUNE, &t)) == INTUNE_OK) {
			st = token_check(&op, t);
			if (st != INTUNE_OK)
				token_drop(&op, SCOPE_INTUNE, t);
			shared_release(&t->shared);
		}
	}
	st = op_end(&op, INTUNE_STEP_TOKEN, st);
	if (st == INTUNE_OK)
		credential_hint_expiry(&c->credential, op.err);
	return st;
}

enum intune_status
intune_client_set_app_key(struct intune_client *c, const char *app_key, struct intune_error *err)
{
	struct intune_error scratch, *e = err != NULL ? err : &scratch;

	error_reset(e);
	if (c == NULL || app_key == NULL)
		return missing(e, c == NULL ? "client" : "app_key");
	return credential_set_key(&c->credential, app_key, e);
}

enum intune_status
intune_client_reload(
    struct intune_client *c, struct intune_credential *out, struct intune_error *err)
{
	struct intune_error scratch, *e = err != NULL ? err : &scratch;
	struct err why;
	enum rc rc;

	error_reset(e);
	if (c == NULL)
		return missing(e, "client");
	rc = credential_look(&c->credential, &why);
	if (out != NULL) {
		out->kind = way_name(c->set.way);
		out->cloud = c->set.cloud->name;
		out->not_after = credential_not_after(&c->credential);
	}
	return rc == RC_OK ? INTUNE_OK : from_err(e, rc, &why);
}
