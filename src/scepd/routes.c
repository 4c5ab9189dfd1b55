/* routes.c - see routes.h. */
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "base/text.h"
#include "scepd/admin_api.h"
#include "scepd/dir_sync.h"
#include "scepd/foreign_crl.h"
#include "scepd/intune_queue.h"
#include "scepd/ocsp.h"
#include "scepd/publish.h"
#include "scepd/rollover.h"
#include "scepd/routes.h"
#include "scepd/scep_ops.h"
#include "scepd/sweep.h"

/* Where a path's tail goes: rows are tried in order, prefixes without regard to case. */
struct route {
	const char *prefix;
	void (*run)(struct scepd *s, const char *path, const struct http_request *req,
	    struct http_reply *reply);
};

/* ---- SCEP ---- */

static const char *const tails[] = { "/pkiclient.exe", "/mscep.dll", "/" };

/* The length of `path` without the suffixes that clients and administrators put there, once or more
 * often. */
static size_t
strip_tails(const char *path)
{
	size_t len = strlen(path), before;

	do {
		before = len;
		for (size_t i = 0; i < sizeof(tails) / sizeof(tails[0]); i++) {
			size_t t = strlen(tails[i]);

			if (len > t && strncasecmp(path + len - t, tails[i], t) == 0)
				len -= t;
		}
	} while (len != before);
	return len;
}

bool
routes_scep_endpoint(const char *path, const char **name, size_t *len)
{
	static const char scep[] = "/scep/", ndes[] = "/certsrv/mscep";
	size_t n = strip_tails(path);

	if (n == strlen(ndes) && strncasecmp(path, ndes, n) == 0) {
		*name = "default";
		*len = strlen(*name);
		return true;
	}
	if (n <= strlen(scep) || strncasecmp(path, scep, strlen(scep)) != 0)
		return false;
	*name = path + strlen(scep);
	*len = n - strlen(scep);
	return memchr(*name, '/', *len) == NULL;
}

static void
run_scep(
    struct scepd *s, const char *path, const struct http_request *req, struct http_reply *reply)
{
	struct endpoint *ep = NULL;
	const char *name;
	size_t len;

	if (routes_scep_endpoint(path, &name, &len))
		ep = scepd_endpoint(s, name, len);
	if (ep == NULL) {
		http_reply_text(reply, 404, "no such SCEP endpoint\n");
		reply->blame = HTTP_BLAME_CHEAP;
		log_msg(LOG_WARN, "http",
		    "%s asked for the SCEP URL %.120s, which is no endpoint of this server",
		    req->peer, path);
		return;
	}
	if (strcmp(req->method, "GET") != 0 && strcmp(req->method, "POST") != 0) {
		http_reply_header(reply, "Allow", "GET, POST");
		http_reply_text(reply, 405, "SCEP uses GET and POST\n");
		return;
	}
	scep_ops_handle(s, ep, req, reply);
}

/* ---- files and health ---- */

static void
run_metrics(
    struct scepd *s, const char *path, const struct http_request *req, struct http_reply *reply)
{
	reply->content_type = "text/plain; version=0.0.4";
	metrics_text(s->metrics, &reply->body);
	metrics_signer_text(s->signer, &reply->body);
	metrics_store_text(s->store, &reply->body);
	tenants_metrics(s->tenants, s->n_tenants, &reply->body);
	rollover_metrics(s, &reply->body);
	expiry_metrics(s->expiry, &reply->body);
	intune_queue_metrics(s->queue, &reply->body);
	foreign_crl_metrics(s->foreign_crl, &reply->body);
	endpoints_metrics(s, &reply->body);
	dir_sync_metrics(s, &reply->body);
	sweeper_metrics(s->sweeper, &reply->body);
	publish_metrics(s, &reply->body);
	if (s->http != NULL)
		metrics_http_text(s->http, &reply->body);
}

static void
run_healthz(
    struct scepd *s, const char *path, const struct http_request *req, struct http_reply *reply)
{
	http_reply_text(reply, 200, "ok\n");
}

/* Ready: the store answers, and the signer. */
static void
run_readyz(
    struct scepd *s, const char *path, const struct http_request *req, struct http_reply *reply)
{
	struct signer_stats signer;
	struct store_figures figures;
	struct err err;

	if (store_figures(s->store, &figures, &err) != RC_OK)
		http_reply_text(reply, 503, "store: %s\n", err.msg);
	else if (signer_stats(s->signer, &signer, &err) != RC_OK)
		http_reply_text(reply, 503, "%s\n", err.msg);
	else
		http_reply_text(reply, 200, "ready\n");
}

static const struct route public_routes[] = {
	{ "/scep/", run_scep },
	{ "/certsrv/mscep", run_scep },
	{ "/crl/", publish_crl },
	{ "/ca/", publish_ca },
	{ "/ocsp/", ocsp_handle },
	{ NULL, NULL },
};

static const struct route admin_routes[] = {
	{ "/api/v1", admin_api_handle },
	{ "/certsrv/mscep_admin", mscep_admin_handle },
	{ "/metrics", run_metrics },
	{ "/healthz", run_healthz },
	{ "/readyz", run_readyz },
	{ NULL, NULL },
};

static const struct route *const tables[] = {
	[LISTENER_PUBLIC] = public_routes,
	[LISTENER_ADMIN] = admin_routes,
};

void
routes_handle(void *ctx, const struct http_request *req, struct http_reply *reply)
{
	const struct listener_role *role = req->listener;

	for (const struct route *r = tables[role->kind]; r->prefix != NULL; r++)
		if (strncasecmp(req->path, r->prefix, strlen(r->prefix)) == 0) {
			r->run(ctx, req->path, req, reply);
			return;
		}
	http_reply_text(reply, 404, "nothing here\n");
}

void
routes_refused(void *ctx, const char *peer, int status, const char *why, uint64_t unsaid)
{
	struct log_line l;

	log_begin(&l, LOG_WARN, "http");
	log_str(&l, "ip", peer);
	log_str(&l, "result", "REJECTED");
	log_int(&l, "status", status);
	log_str(&l, "reason", why);
	if (unsaid > 0) /* of this address, since the last line about it */
		log_int(&l, "unsaid", (int64_t)unsaid);
	if (status == 429)
		log_str(&l, "hint",
		    "a proxy or many devices behind one address? see limits in scepd.yaml(5)");
	log_end(&l);
}
