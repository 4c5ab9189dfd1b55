/* front.c - see front.h. */
#include "scepd/front.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "scepd/admin_auth.h"
#include "scepd/background.h"
#include "scepd/foreign_ca.h"
#include "scepd/foreign_crl.h"
#include "scepd/pipeline.h"
#include "scepd/routes.h"
#include "store/store_foreign.h"

#define LISTENERS_MAX                                                                              \
	64 /* config_rows.c allows as many, and the admin listener comes beside them */

/* An address that is bound.  Each has its own role object, which is how the HTTP server tells them apart when a
 * certificate is renewed. */
struct bound {
	struct listener_role role;
	const struct conf_listener *conf;
	int fd;                        /* -1 once the HTTP server has it */
	int64_t not_before, not_after; /* of the certificate in use; 0: not looked at yet */
};

struct front {
	struct config *config;    /* the server's once there is one */
	struct scepd_parts parts; /* the same */
	struct scepd *s;
	/* Two servers, so that whatever the public one is full of, the administrator gets in. */
	struct http_server *http, *admin_http;
	struct bound bound[LISTENERS_MAX + 1];
	size_t n_bound;
	unsigned connections;
	struct buf ready;
	struct background *background;
};

/* ---- addresses ---- */

/* "127.0.0.1:0" with the port that was bound. */
static void
note_ready(struct front *f, const char *what, const char *address, uint16_t port)
{
	const char *colon = strrchr(address, ':');
	int host = colon == NULL ? (int)strlen(address) : (int)(colon - address);

	buf_addf(&f->ready, "%s %.*s:%u\n", what, host, address, port);
	log_msg(LOG_INFO, "start", "%s on %.*s:%u", what, host, address, port);
}

static enum rc
bind_one(
    struct front *f, enum listener_kind kind, const struct conf_listener *conf, struct err *err)
{
	struct bound *b = &f->bound[f->n_bound];
	const char *what = kind == LISTENER_ADMIN ? "admin"
	    : conf->certificate != NULL           ? "https"
						  : "http";
	uint16_t port;
	enum rc rc;

	if (f->n_bound == sizeof(f->bound) / sizeof(f->bound[0]))
		return fail(err, RC_LIMIT, "more than %d listeners", LISTENERS_MAX);
	if ((rc = http_bind(&b->fd, conf->address, &port, err)) != RC_OK)
		return rc;
	b->conf = conf;
	b->role.kind = kind;
	f->n_bound++;
	note_ready(f, what, conf->address, port);
	return RC_OK;
}

static enum rc
bind_all(struct front *f, struct err *err)
{
	const struct config *c = f->config;
	const struct conf_listener *l = c->listeners.v;
	enum rc rc;

	for (size_t i = 0; i < c->listeners.n; i++)
		if ((rc = bind_one(f, LISTENER_PUBLIC, &l[i], err)) != RC_OK)
			return rc;
	return c->admin.listener.address == NULL
	    ? RC_OK
	    : bind_one(f, LISTENER_ADMIN, &c->admin.listener, err);
}

static struct http_server *
server_of(const struct front *f, const struct bound *b)
{
	return b->role.kind == LISTENER_ADMIN ? f->admin_http : f->http;
}

static enum rc
listen_one(struct front *f, struct bound *b, struct err *err)
{
	struct tls_ctx *tls = NULL;
	int fd = b->fd;
	enum rc rc;

	if (b->conf->certificate != NULL &&
	    (rc = tls_ctx_server(&tls, b->conf->certificate, b->conf->key, err)) != RC_OK)
		return rc;
	b->fd = -1;
	rc = http_listen_fd(server_of(f, b), fd, tls, &b->role, err);
	tls_ctx_free(tls);
	return rc;
}

static enum rc
listen_all(struct front *f, struct err *err)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < f->n_bound; i++)
		rc = listen_one(f, &f->bound[i], err);
	return rc;
}

/* What is in use from now on; a file that was replaced in between is looked at again in a minute. */
static void
note_tls(struct front *f, struct bound *b, bool fresh)
{
	struct expiry_thing t = { EXPIRY_TLS, b->conf->address };
	struct cert *c;

	if (fresh && cert_load(&c, b->conf->certificate, NULL) == RC_OK) {
		b->not_before = cert_not_before(c);
		b->not_after = cert_not_after(c);
		cert_free(c);
	}
	t.not_before = b->not_before;
	t.not_after = b->not_after;
	if (t.not_after != 0)
		expiry_note(f->s->expiry, &t, clock_now());
}

/* A broken file keeps the old certificate in use. */
static void
reload_tls(struct front *f)
{
	for (size_t i = 0; i < f->n_bound; i++) {
		const struct conf_listener *l = f->bound[i].conf;
		struct tls_ctx *fresh;
		struct err err;

		if (l->certificate == NULL)
			continue;
		if (tls_ctx_server(&fresh, l->certificate, l->key, &err) != RC_OK) {
			log_msg(LOG_ERROR, "reload", "%s; the certificate in use stays", err.msg);
			note_tls(f, &f->bound[i], false);
			continue;
		}
		http_listen_tls_set(server_of(f, &f->bound[i]), &f->bound[i].role, fresh);
		tls_ctx_free(fresh);
		note_tls(f, &f->bound[i], true);
	}
}

void
front_reload(struct front *f)
{
	reload_tls(f);
	scepd_refresh_cas(f->s);
	foreign_cas_refresh(f->s);
	for (size_t i = 0; i < f->s->n_tenants; i++)
		tenant_reload(f->s->tenants[i]);
	for (size_t i = 0; i < f->s->n_endpoints; i++)
		endpoint_reload(&f->s->endpoints[i]);
	if (f->s->admin != NULL)
		admin_auth_reload(f->s->admin);
	scepd_watch_expiry(f->s);
}

void
front_hurry(struct front *f)
{
	foreign_crl_hurry(f->s->foreign_crl);
	background_wake(f->background, DUTY_FOREIGN);
}

/* ---- file descriptors ---- */

/* A few monitors and administrators; FDS_OWN has room for as many. */
#define ADMIN_CONNECTIONS 64
#define ADMIN_WORKERS     8
/* Kept back beside one for each worker's call to Intune: listeners, loops, the store, channels to the
 * signer, files that are read again. */
#define FDS_OWN (192 + ADMIN_CONNECTIONS)

/*
 * Connections may not take every descriptor: whoever holds idle ones open would otherwise cut the
 * server off from Intune, also between a signature and its notification.  The soft limit is 1024 at
 * most starts, so raise it first; what is missing then comes off the connections.
 */
static unsigned
connections_within(const struct config *c)
{
	uint64_t wanted = c->limits.connections, kept = c->limits.workers + FDS_OWN, have;
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) != 0 || l.rlim_cur >= wanted + kept)
		return (unsigned)wanted;
	l.rlim_cur = l.rlim_max < wanted + kept ? l.rlim_max : wanted + kept;
	if (setrlimit(RLIMIT_NOFILE, &l) != 0)
		(void)getrlimit(RLIMIT_NOFILE, &l);
	have = l.rlim_cur;
	if (have >= wanted + kept)
		return (unsigned)wanted;
	wanted = have > 2 * kept ? have - kept : have / 2;
	log_msg(LOG_WARN, "start",
	    "%llu connections at most instead of limits.connections, as this process may open "
	    "%llu files (ulimit -n)",
	    (unsigned long long)wanted, (unsigned long long)have);
	return (unsigned)wanted;
}

/* ---- start and end ---- */

enum rc
front_new(struct front **out, struct config *config, struct err *err)
{
	struct front *f = calloc(1, sizeof(*f));
	enum rc rc;

	if (f == NULL)
		return fail(err, RC_NOMEM, "no memory for the server");
	buf_init(&f->ready, 16384);
	f->config = config;
	f->connections = connections_within(config);
	if ((rc = bind_all(f, err)) == RC_OK) {
		*out = f;
	} else {
		f->config = NULL; /* stays the caller's */
		front_free(f);
	}
	return rc;
}

enum rc
front_open(struct front *f, struct err *err)
{
	const struct conf_ca *ca = f->config->cas.v;
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < f->config->cas.n; i++)
		if (ca[i].crl_dir != NULL && (rc = dir_make(ca[i].crl_dir, 0755, err)) != RC_OK)
			err_hint(err, "cas.%s.crl_dir: make it, owned by processes.front_user",
			    ca[i].name);
	return rc == RC_OK ? scepd_store_prepare(&f->parts, f->config, err) : rc;
}

const struct store *
front_store0(const struct front *f)
{
	return f->parts.store != NULL ? f->parts.store : f->s->store;
}

static enum rc
open_admin(struct front *f, struct err *err)
{
	struct http_server_conf hc = { .handler = routes_handle,
		.ctx = f->s,
		.on_refused = routes_refused,
		.workers_min = 1,
		.workers_max = ADMIN_WORKERS,
		.in_flight_max = ADMIN_CONNECTIONS,
		.connections_max = ADMIN_CONNECTIONS };

	return f->s->config->admin.listener.address != NULL
	    ? http_server_new(&f->admin_http, &hc, err)
	    : RC_OK;
}

static enum rc
serve(struct front *f, struct err *err)
{
	const struct config *c = f->s->config;
	struct http_server_conf hc = { .handler = routes_handle,
		.ctx = f->s,
		.on_refused = routes_refused,
		.workers_max = (unsigned)c->limits.workers,
		.in_flight_max = (unsigned)c->limits.in_flight,
		.connections_max = f->connections,
		.address_share = (unsigned)c->limits.address_share,
		.refusals_max = (unsigned)c->limits.refusals,
		.trusted = c->limits.trusted,
		.n_trusted = c->limits.trusted_proxies.n };
	enum rc rc;

	if ((rc = pipeline_recover(f->s, err)) != RC_OK ||
	    (rc = http_server_new(&f->http, &hc, err)) != RC_OK ||
	    (rc = open_admin(f, err)) != RC_OK)
		return rc;
	f->s->http = f->http;
	if ((rc = listen_all(f, err)) != RC_OK || (rc = http_server_start(f->http, err)) != RC_OK ||
	    (f->admin_http != NULL && (rc = http_server_start(f->admin_http, err)) != RC_OK))
		return rc;
	if ((rc = background_start(&f->background, f->s, err)) == RC_OK)
		f->s->background = f->background;
	return rc;
}

enum rc
front_start(struct front *f, struct signer *signer, struct err *err)
{
	enum rc rc;

	f->parts.signer = signer;
	if ((rc = scepd_new(&f->s, f->config, &f->parts, err)) != RC_OK)
		return rc;
	f->config = NULL;
	f->parts = (struct scepd_parts){ .signer = NULL };
	if ((rc = serve(f, err)) != RC_OK)
		return rc;
	front_reload(f); /* says at once what is wrong with renewed files */
	return RC_OK;
}

int64_t
front_stalled_ms(struct front *f)
{
	int64_t public = http_server_stalled_ms(f->http),
		admin = f->admin_http != NULL ? http_server_stalled_ms(f->admin_http) : 0;

	return public > admin ? public : admin;
}

/* Certificates that are no foreign CA's: those have been imported before the first start, perhaps.  0: cannot be told. */
static uint64_t
issued_here(const struct scepd *s)
{
	struct store_figures st;
	uint64_t rows, bare, foreign = 0;
	const struct conf_foreign *v = s->config->foreign_cas.v;
	struct err err;

	if (store_figures(s->store, &st, &err) != RC_OK)
		return 0;
	for (size_t i = 0; i < s->config->foreign_cas.n; i++) {
		if (store_foreign_count(s->store, v[i].name, &rows, &bare, &err) != RC_OK)
			return 0;
		foreign += rows;
	}
	return st.certs > foreign ? st.certs - foreign : 0;
}

void
front_tell_new_state(const struct front *f)
{
	const struct config *c = f->s->config;
	uint64_t issued = issued_here(f->s);

	if (issued == 0)
		return;
	log_msg(LOG_WARN, "signer-state",
	    "%s was empty, and the database has %llu certificates: right after an upgrade from a "
	    "version without it; else it was lost, and with it the signer's audit and its own "
	    "memory "
	    "of serial numbers and lists. The database's goes on; restore both from a backup "
	    "if there is one (scepctl ca restore)",
	    c->processes.signer_state, (unsigned long long)issued);
}

const struct buf *
front_ready0(const struct front *f)
{
	return &f->ready;
}

void
front_free(struct front *f)
{
	unsigned drain_s = f != NULL && f->s != NULL ? (unsigned)f->s->config->limits.drain : 0;

	if (f == NULL)
		return;
	background_stop(f->background); /* what they are telling or asking now is the last */
	if (f->admin_http != NULL)      /* first: from now on this server is not ready */
		http_server_stop(f->admin_http, 0);
	if (f->http != NULL)
		http_server_stop(f->http, drain_s * 1000);
	if (f->s != NULL) {
		f->s->background = NULL;
		f->s->http = NULL;
	}
	background_free(f->background);
	http_server_free(f->admin_http);
	http_server_free(f->http);
	for (size_t i = 0; i < f->n_bound; i++)
		if (f->bound[i].fd >= 0)
			(void)close(f->bound[i].fd);
	scepd_free(f->s);
	signer_close(f->parts.signer);
	store_close(f->parts.store);
	seal_free(f->parts.seal);
	config_free(f->config);
	buf_done(&f->ready);
	free(f);
}
