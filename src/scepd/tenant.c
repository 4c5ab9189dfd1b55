/* tenant.c - see tenant.h. */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/text.h"
#include "scepd/properties.h"
#include "scepd/tenant.h"

#define PROVIDER "scepd " SCEPD_VERSION

struct tenant {
	char *name;
	char *directory; /* TENANT: its id or domain; NULL: a managed identity's */
	struct intune_client *client;
	const struct conf_tenant *conf;
	/* Of tenant_reload()'s thread. */
	bool announced;
	int64_t app_cert_end;                 /* wall seconds; 0: there is none */
	char told[ERR_MSG_MAX];               /* the last complaint: each is logged once */
	atomic_bool out[INTUNE_SERVICE__MAX]; /* what the log has said last */
};

enum rc
tenant_error(struct err *err, const struct intune_error *e)
{
	static const enum rc kinds[] = {
		[INTUNE_OK] = RC_OK,
		[INTUNE_E_ARGUMENT] = RC_CONFIG,
		[INTUNE_E_NOMEM] = RC_NOMEM,
		[INTUNE_E_AUTH] = RC_IO,
		[INTUNE_E_PERMISSION] = RC_IO,
		[INTUNE_E_DISCOVERY] = RC_IO,
		[INTUNE_E_REFUSED] = RC_DENIED,
		[INTUNE_E_UNAVAILABLE] = RC_IO,
		[INTUNE_E_PROTOCOL] = RC_IO,
	};
	enum rc rc =
	    (size_t)e->status < sizeof(kinds) / sizeof(kinds[0]) ? kinds[e->status] : RC_BUG;

	if (e->status == INTUNE_E_REFUSED)
		(void)fail(err, rc, "Intune refused the request: %s",
		    e->code_text[0] != '\0' ? e->code_text : "no code");
	else
		(void)fail(err, rc, "%s", e->message);
	/* The reason goes to the device as well; the service's words are for the log alone. */
	if (e->status == INTUNE_E_REFUSED && e->code == INTUNE_CODE_UNKNOWN &&
	    e->description[0] != '\0')
		return err_hint(err, "%s: \"%s\"", e->hint, e->description);
	return e->hint[0] != '\0' ? err_hint(err, "%s", e->hint) : rc;
}

/* ---- opening ---- */

/* Strings read from files; they live until the client has copied them. */
struct tenant_secrets {
	struct properties *properties;
	struct buf identity_header, proxy_pass;
	char proxy_port[8];
};

static enum rc
set_from_properties(struct intune_config *ic, struct tenant_secrets *sec,
    const struct conf_tenant *conf, struct err *err)
{
	struct intune_error ie;
	enum rc rc;

	if ((rc = properties_load(&sec->properties, conf->properties, err)) != RC_OK)
		return rc;
	for (size_t i = 0; i < properties_count(sec->properties); i++) {
		const char *key, *value;
		int line;

		properties_get(sec->properties, i, &key, &value, &line);
		if (str_starts(value, TENANT_FILL_IN))
			return fail(err, RC_CONFIG, "%s:%d: %s still has to be filled in",
			    conf->properties, line, key);
		if (intune_config_set(ic, key, value, &ie) != INTUNE_OK) {
			(void)fail(err, RC_CONFIG, "%s:%d: %s: %s", conf->properties, line, key,
			    ie.message);
			return RC_CONFIG;
		}
	}
	return RC_OK;
}

static enum rc
set_from_config(struct intune_config *ic, struct tenant_secrets *sec,
    const struct conf_tenant *conf, struct err *err)
{
	enum rc rc;

	ic->aad_app_id = conf->app_id;
	ic->tenant = conf->tenant;
	ic->aad_app_key_file = conf->app_key_file;
	ic->app_certificate_file = conf->certificate_file;
	ic->app_certificate_key_file = conf->certificate_key_file;
	ic->app_assertion_alg = conf->assertion_alg;
	ic->federated_token_file = conf->federated_token_file;
	ic->managed_identity = conf->managed_identity;
	ic->managed_identity_endpoint = conf->managed_identity_endpoint;
	if (conf->managed_identity_header_file == NULL)
		return RC_OK;
	if ((rc = file_read_secret(&sec->identity_header, conf->managed_identity_header_file,
		 LIMIT_SECRET_FILE, err)) != RC_OK)
		return rc;
	ic->managed_identity_header = buf_str(&sec->identity_header);
	return RC_OK;
}

static enum rc
set_proxy(struct intune_config *ic, struct tenant_secrets *sec, const struct conf_proxy *proxy,
    struct err *err)
{
	enum rc rc;

	if (proxy->host == NULL)
		return RC_OK;
	(void)snprintf(sec->proxy_port, sizeof(sec->proxy_port), "%u", (unsigned)proxy->port);
	ic->proxy_host = proxy->host;
	ic->proxy_port = sec->proxy_port;
	ic->proxy_user = proxy->user;
	if (proxy->password_file == NULL)
		return RC_OK;
	if ((rc = file_read_secret(
		 &sec->proxy_pass, proxy->password_file, LIMIT_SECRET_FILE, err)) != RC_OK)
		return rc;
	ic->proxy_pass = buf_str(&sec->proxy_pass);
	return RC_OK;
}

/* What scepd.yaml says wins over the properties file. */
static enum rc
fill(struct intune_config *ic, struct tenant_secrets *sec, const struct conf_tenant *conf,
    struct err *err)
{
	enum rc rc = conf->properties != NULL ? set_from_properties(ic, sec, conf, err)
					      : set_from_config(ic, sec, conf, err);

	if (rc != RC_OK)
		return rc;
	if (ic->provider_name_and_version == NULL)
		ic->provider_name_and_version = PROVIDER;
	if (conf->cloud != NULL)
		ic->cloud = conf->cloud;
	if (conf->auth_authority != NULL)
		ic->auth_authority = conf->auth_authority;
	if (conf->graph_url != NULL)
		ic->ms_graph_resource_url = conf->graph_url;
	if (conf->intune_resource != NULL)
		ic->intune_resource_url = conf->intune_resource;
	if (conf->ca_file != NULL)
		ic->ca_file = conf->ca_file;
	ic->total_ms = (unsigned)(conf->timeout * 1000);
	return set_proxy(ic, sec, &conf->proxy, err);
}

/* libintune names Microsoft's properties; whoever wrote scepd.yaml alone has never seen them. */
static const char *
key_of_property(const char *message)
{
	static const struct {
		const char *property, *key;
	} keys[] = {
		{ " AAD_APP_ID ", "app_id" },
		{ " TENANT ", "tenant" },
		{ " AAD_APP_KEY_FILE ", "app_key_file" },
		{ " APP_CERTIFICATE_FILE ", "certificate_file" },
		{ " APP_CERTIFICATE_KEY_FILE ", "certificate_key_file" },
		{ " APP_ASSERTION_ALG ", "assertion_alg" },
		{ " FEDERATED_TOKEN_FILE ", "federated_token_file" },
		{ " MANAGED_IDENTITY ", "managed_identity" },
		{ " MANAGED_IDENTITY_ENDPOINT ", "managed_identity_endpoint" },
		{ " MANAGED_IDENTITY_HEADER ", "managed_identity_header_file" },
		{ " CLOUD ", "cloud" },
		{ " AUTH_AUTHORITY ", "auth_authority" },
		{ " MS_GRAPH_RESOURCE_URL ", "graph_url" },
		{ " INTUNE_RESOURCE_URL ", "intune_resource" },
		{ " PROXY_HOST ", "proxy.host" },
		{ " PROXY_PORT ", "proxy.port" },
		{ " PROXY_USER ", "proxy.user" },
		{ " PROXY_PASS ", "proxy.password_file" },
	};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (strstr(message, keys[i].property) != NULL)
			return keys[i].key;
	}
	return NULL;
}

static enum rc
refused_config(const struct config *config, const struct conf_tenant *conf,
    const struct intune_error *ie, struct err *err)
{
	const char *key = conf->properties == NULL ? key_of_property(ie->message) : NULL;
	enum rc rc = conf_fail(config->source, err, conf->line, "tenants", "%s: %s%s%s", conf->name,
	    conf->properties != NULL ? conf->properties : "", conf->properties != NULL ? ": " : "",
	    ie->message);

	if (key != NULL)
		(void)err_hint(
		    err, "here its name is %s%s%s", key, ie->hint[0] != '\0' ? "; " : "", ie->hint);
	else if (ie->hint[0] != '\0')
		(void)err_hint(err, "%s", ie->hint);
	return rc;
}

enum rc
tenant_open(struct tenant **out, const struct config *config, const struct conf_tenant *conf,
    struct err *err)
{
	struct tenant_secrets sec = { 0 };
	struct intune_config ic;
	struct intune_error ie;
	struct tenant *t = calloc(1, sizeof(*t));
	enum rc rc;

	if (t == NULL)
		return fail(err, RC_NOMEM, "tenant %s", conf->name);
	buf_init(&sec.identity_header, LIMIT_SECRET_FILE);
	buf_init(&sec.proxy_pass, LIMIT_SECRET_FILE);
	intune_config_init(&ic);
	t->conf = conf;
	if ((rc = str_dup(&t->name, conf->name, err)) == RC_OK)
		rc = fill(&ic, &sec, conf, err);
	if (rc == RC_OK && ic.tenant != NULL)
		rc = str_dup(&t->directory, ic.tenant, err);
	if (rc == RC_OK && intune_client_new(&t->client, &ic, &ie) != INTUNE_OK)
		rc = refused_config(config, conf, &ie, err);
	properties_free(sec.properties);
	buf_wipe(&sec.identity_header);
	buf_wipe(&sec.proxy_pass);
	if (rc == RC_OK)
		*out = t;
	else
		tenant_free(t);
	return rc;
}

void
tenant_free(struct tenant *t)
{
	if (t == NULL)
		return;
	intune_client_free(t->client);
	free(t->directory);
	free(t->name);
	free(t);
}

bool
tenant_same_directory(const struct tenant *a, const struct tenant *b)
{
	return a == b ||
	    (a->directory != NULL && b->directory != NULL &&
		str_eq_nocase(a->directory, b->directory));
}

const char *
tenant_name(const struct tenant *t)
{
	return t->name;
}

struct intune_client *
tenant_client(struct tenant *t)
{
	return t->client;
}

/* ---- secrets that change ---- */

/* AAD_APP_KEY of Microsoft's properties file; its other properties are read at the start only. */
static enum rc
reload_properties(struct tenant *t, struct err *err)
{
	struct tenant_secrets sec = { 0 };
	struct intune_config ic;
	struct intune_error ie;
	enum rc rc;

	if (t->conf->properties == NULL)
		return RC_OK;
	intune_config_init(&ic);
	rc = set_from_properties(&ic, &sec, t->conf, err);
	if (rc == RC_OK && ic.aad_app_key != NULL && ic.aad_app_key[0] != '\0' &&
	    intune_client_set_app_key(t->client, ic.aad_app_key, &ie) != INTUNE_OK)
		rc = fail(err, RC_CONFIG, "%s: %s", t->conf->properties, ie.message);
	else if (rc == RC_OK && ic.aad_app_key != NULL && ic.aad_app_key[0] == '\0')
		rc = fail(err, RC_CONFIG, "%s: AAD_APP_KEY is empty", t->conf->properties);
	properties_free(sec.properties);
	return rc;
}

/* Each complaint once, and once more when it is over. */
static void
tell(struct tenant *t, enum rc rc, const struct err *why)
{
	if (rc == RC_OK) {
		if (t->told[0] != '\0')
			log_msg(LOG_INFO, "reload",
			    "tenant %s: the app's credentials are read again", t->name);
		t->told[0] = '\0';
		return;
	}
	if (strcmp(t->told, why->msg) == 0)
		return;
	(void)snprintf(t->told, sizeof(t->told), "%s", why->msg);
	log_msg(LOG_WARN, "reload", "tenant %s: %s; what was read before stays in use", t->name,
	    why->msg);
}

void
tenant_reload(struct tenant *t)
{
	struct intune_credential c = { 0 };
	struct intune_error ie;
	struct err err = { 0 };
	enum rc rc = reload_properties(t, &err);

	if (intune_client_reload(t->client, &c, &ie) != INTUNE_OK && rc == RC_OK)
		rc = fail(&err, RC_CONFIG, "%s", ie.message);
	if (!t->announced)
		log_msg(LOG_INFO, "tenant", "tenant %s: %s, cloud %s", t->name, c.kind, c.cloud);
	t->announced = true;
	tell(t, rc, &err);
	t->app_cert_end = c.not_after;
}

int64_t
tenant_app_cert_end(const struct tenant *t)
{
	return t->app_cert_end;
}

/* ---- circuit breakers: told once when one opens and once when it closes ---- */

static void
log_circuit(const struct tenant *t, enum intune_service service, bool out)
{
	if (out)
		log_msg(LOG_WARN, "intune",
		    "tenant %s: %s does not answer: it is not asked until it does, and %s; "
		    "scepctl check --online says what is wrong",
		    t->name, intune_service_name(service),
		    service == INTUNE_SERVICE_REVOCATION ? "what Intune wants revoked stays valid"
							 : "devices are turned away");
	else
		log_msg(LOG_INFO, "intune", "tenant %s: %s answers again", t->name,
		    intune_service_name(service));
}

static void
watch(struct tenant *t)
{
	struct intune_service_state state;
	bool out;

	for (unsigned i = 0; i < INTUNE_SERVICE__MAX; i++) {
		intune_client_service(t->client, (enum intune_service)i, &state);
		out = state.circuit != INTUNE_CIRCUIT_CLOSED;
		if (atomic_exchange(&t->out[i], out) != out)
			log_circuit(t, (enum intune_service)i, out);
	}
}

void
tenants_metrics(struct tenant *const *tenants, size_t n, struct buf *out)
{
	static const char name[] = "scepd_intune_breaker_open";
	struct intune_service_state state;

	buf_addf(out,
	    "# HELP %s 1 while a service of Intune's does not answer and is not asked\n"
	    "# TYPE %s gauge\n",
	    name, name);
	for (size_t i = 0; i < n; i++) {
		for (unsigned s = 0; s < INTUNE_SERVICE__MAX; s++) {
			intune_client_service(tenants[i]->client, (enum intune_service)s, &state);
			buf_addf(out, "%s{tenant=\"%s\",service=\"%s\"} %d\n", name,
			    tenants[i]->name, intune_service_name((enum intune_service)s),
			    state.circuit != INTUNE_CIRCUIT_CLOSED);
		}
	}
}

/* ---- the authority, and the notifications ---- */

static enum rc
ask_intune(void *ctx, const struct csr *csr, const char *transaction_id, struct err *err)
{
	struct intune_talk *talk = ctx;
	size_t len;
	const uint8_t *der = csr_der0(csr, &len);

	(void)intune_validate_request(
	    talk->tenant->client, transaction_id, der, len, &talk->validate);
	watch(talk->tenant);
	return talk->validate.status == INTUNE_OK ? RC_OK : tenant_error(err, &talk->validate);
}

struct authority
tenant_authority(struct intune_talk *talk)
{
	return (struct authority){ .name = "intune", .ask = ask_intune, .ctx = talk };
}

enum rc
tenant_notify_success(struct intune_talk *talk, const char *transaction_id, const uint8_t *csr,
    size_t csr_len, const struct cert *cert, const char *ca_name, struct err *err)
{
	char thumbprint[41], serial[2 * SERIAL_MAX + 1], expiry[TIME_TEXT_MAX];
	struct intune_success s = { .transaction_id = transaction_id,
		.csr = csr,
		.csr_len = csr_len,
		.thumbprint = thumbprint,
		.serial = serial,
		.expiration = expiry,
		.ca_configuration = ca_name,
		.certificate_authority = ca_name };
	struct buf issuer;
	enum rc rc;

	if ((rc = cert_thumbprint_sha1(thumbprint, cert, err)) != RC_OK)
		return rc;
	serial_hex(serial, cert_serial0(cert));
	time_rfc3339_ms(expiry, cert_not_after(cert) * 1000);
	buf_init(&issuer, 16 * KIB);
	name_text(&issuer, cert_issuer0(cert));
	if ((rc = buf_ok(&issuer, "issuer name", err)) == RC_OK) {
		s.issuer = buf_str(&issuer);
		if (intune_send_success_notification(talk->tenant->client, &s, &talk->notify) !=
		    INTUNE_OK)
			rc = tenant_error(err, &talk->notify);
		watch(talk->tenant);
	}
	buf_done(&issuer);
	return rc;
}

enum rc
tenant_notify_failure(struct tenant *t, const char *transaction_id, const uint8_t *csr,
    size_t csr_len, int64_t hresult, const char *text, struct err *err)
{
	struct intune_error ie;

	(void)intune_send_failure_notification(
	    t->client, transaction_id, csr, csr_len, hresult, text, &ie);
	watch(t);
	return ie.status == INTUNE_OK ? RC_OK : tenant_error(err, &ie);
}
