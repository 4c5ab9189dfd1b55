/* main.c - scepd: options, start, signals, stop. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/opt.h"
#include "base/text.h"
#include "scepd/pipeline.h"
#include "scepd/routes.h"
#include "scepd/scepd.h"

struct options {
	const char *config, *ready_file, *log_level;
	bool check;
};

static const struct opt options[] = {
	{ "config", 'c', OPT_STR, offsetof(struct options, config), "FILE",
	    "configuration (default /etc/scepd/scepd.yaml)" },
	{ "check", 'n', OPT_FLAG, offsetof(struct options, check), NULL,
	    "validate the configuration and every file it names, then exit" },
	{ "ready-file", 0, OPT_STR, offsetof(struct options, ready_file), "FILE",
	    "write the bound addresses here once requests are served" },
	{ "log-level", 0, OPT_CHOICE, offsetof(struct options, log_level), "LEVEL",
	    "instead of the configuration's log.level", "debug|info|warn|error" },
	{ 0 },
};

static const struct listener_role public_role = { LISTENER_PUBLIC },
				  admin_role = { LISTENER_ADMIN };

#define LISTENERS_MAX 32 /* addresses: a handful in practice */

struct daemon {
	struct scepd *s;
	struct http_server *http;
	/* Listeners with TLS, for renewal; each has its own role object, which is how the HTTP
	 * server tells them apart. */
	struct tls_listener {
		struct listener_role role;
		const struct conf_listener *conf;
	} tls[LISTENERS_MAX];
	size_t n_tls;
	struct buf ready;
	pthread_t outbox;
	bool outbox_runs;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	atomic_bool stop; /* set under the lock, so that a wait sees it */
};

/* ---- listeners ---- */

/* "127.0.0.1:0" with the port that was bound. */
static void
note_ready(struct daemon *d, const char *what, const char *address, uint16_t port)
{
	const char *colon = strrchr(address, ':');
	int host = colon == NULL ? (int)strlen(address) : (int)(colon - address);

	buf_addf(&d->ready, "%s %.*s:%u\n", what, host, address, port);
	log_msg(LOG_INFO, "start", "%s on %.*s:%u", what, host, address, port);
}

static enum rc
listen_public(struct daemon *d, const struct conf_listener *l, struct err *err)
{
	struct tls_ctx *tls = NULL;
	void *role = (void *)(uintptr_t)&public_role;
	uint16_t port;
	enum rc rc;

	if (l->certificate != NULL) {
		struct tls_listener *t = &d->tls[d->n_tls];

		if (d->n_tls == LISTENERS_MAX)
			return fail(err, RC_LIMIT, "more than %d TLS listeners", LISTENERS_MAX);
		if ((rc = tls_ctx_server(&tls, l->certificate, l->key, err)) != RC_OK)
			return rc;
		*t = (struct tls_listener){ { LISTENER_PUBLIC }, l };
		d->n_tls++;
		role = &t->role;
	}
	rc = http_listen(d->http, l->address, tls, role, &port, err);
	if (rc == RC_OK)
		note_ready(d, tls != NULL ? "https" : "http", l->address, port);
	tls_ctx_free(tls);
	return rc;
}

static enum rc
listen_all(struct daemon *d, struct err *err)
{
	const struct config *c = d->s->config;
	const struct conf_listener *l = c->listeners.v;
	uint16_t port;
	enum rc rc;

	for (size_t i = 0; i < c->listeners.n; i++)
		if ((rc = listen_public(d, &l[i], err)) != RC_OK)
			return rc;
	if (c->admin.address == NULL)
		return RC_OK;
	rc = http_listen(
	    d->http, c->admin.address, NULL, (void *)(uintptr_t)&admin_role, &port, err);
	if (rc == RC_OK)
		note_ready(d, "admin", c->admin.address, port);
	return rc;
}

/* A broken file keeps the old certificate in use. */
static void
reload_tls(struct daemon *d)
{
	for (size_t i = 0; i < d->n_tls; i++) {
		struct tls_ctx *fresh;
		struct err err;

		if (tls_ctx_server(
			&fresh, d->tls[i].conf->certificate, d->tls[i].conf->key, &err) != RC_OK) {
			log_msg(LOG_ERROR, "reload", "%s; the certificate in use stays", err.msg);
			continue;
		}
		http_listen_tls_set(d->http, &d->tls[i].role, fresh);
		tls_ctx_free(fresh);
	}
}

/* SIGHUP, and once a minute by itself: whatever lies in a file and may be renewed there. */
static void
reload_all(struct daemon *d)
{
	reload_tls(d);
	for (size_t i = 0; i < d->s->n_tenants; i++)
		tenant_reload(d->s->tenants[i]);
	for (size_t i = 0; i < d->s->n_endpoints; i++)
		endpoint_reload(&d->s->endpoints[i]);
}

/* ---- the background round ---- */

#define OUTBOX_EVERY_S 5

static void *
outbox_main(void *arg)
{
	struct daemon *d = arg;
	struct timespec until;

	(void)pthread_mutex_lock(&d->lock);
	while (!d->stop) {
		(void)pthread_mutex_unlock(&d->lock);
		(void)pipeline_outbox(d->s, clock_now_ms(), &d->stop);
		(void)pthread_mutex_lock(&d->lock);
		(void)clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_sec += OUTBOX_EVERY_S;
		while (!d->stop && pthread_cond_timedwait(&d->wake, &d->lock, &until) != ETIMEDOUT)
			;
	}
	(void)pthread_mutex_unlock(&d->lock);
	return NULL;
}

static enum rc
outbox_start(struct daemon *d, struct err *err)
{
	pthread_condattr_t attr;

	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_mutex_init(&d->lock, NULL);
	(void)pthread_cond_init(&d->wake, &attr);
	(void)pthread_condattr_destroy(&attr);
	if ((errno = pthread_create(&d->outbox, NULL, outbox_main, d)) != 0)
		return fail_errno(err, "start a thread");
	d->outbox_runs = true;
	return RC_OK;
}

/* Ends while requests are drained: what it is telling Intune now is the last. */
static void
outbox_stop(struct daemon *d)
{
	if (!d->outbox_runs)
		return;
	(void)pthread_mutex_lock(&d->lock);
	d->stop = true;
	(void)pthread_cond_signal(&d->wake);
	(void)pthread_mutex_unlock(&d->lock);
}

static void
outbox_join(struct daemon *d)
{
	if (d->outbox_runs)
		(void)pthread_join(d->outbox, NULL);
}

/* ---- file descriptors ---- */

/* Kept back beside one for each worker's call to Intune: listeners, loops, the store, files that
 * are read again. */
#define FDS_OWN 128

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

/* ---- start, wait, stop ---- */

static enum rc
start(struct daemon *d, struct err *err)
{
	const struct config *c = d->s->config;
	struct http_server_conf hc = { .handler = routes_handle,
		.ctx = d->s,
		.on_refused = routes_refused,
		.workers_max = (unsigned)c->limits.workers,
		.in_flight_max = (unsigned)c->limits.in_flight,
		.connections_max = connections_within(c) };
	enum rc rc;

	if ((rc = pipeline_recover(d->s, err)) != RC_OK ||
	    (rc = http_server_new(&d->http, &hc, err)) != RC_OK ||
	    (rc = listen_all(d, err)) != RC_OK || (rc = http_server_start(d->http, err)) != RC_OK)
		return rc;
	return outbox_start(d, err);
}

#define RELOAD_EVERY_S 60

static void
wait_for_stop(struct daemon *d, const sigset_t *set)
{
	const struct timespec minute = { .tv_sec = RELOAD_EVERY_S };
	int sig;

	reload_all(d); /* says at once what is wrong with them */
	for (;;) {
		sig = sigtimedwait(set, NULL, &minute);
		if (sig == SIGTERM || sig == SIGINT)
			break;
		if (sig == SIGHUP)
			log_msg(
			    LOG_INFO, "reload", "SIGHUP: certificates and secrets are read again");
		if (sig == SIGHUP || (sig == -1 && errno == EAGAIN))
			reload_all(d);
	}
	log_msg(LOG_INFO, "stop", "%s: finishing what is in flight",
	    sig == SIGTERM ? "SIGTERM" : "SIGINT");
}

static int
serve(struct scepd *s, const struct options *o)
{
	struct daemon d = { .s = s };
	sigset_t set;
	struct err err;
	enum rc rc;

	/* Blocked before any thread exists, so that only sigtimedwait() sees them. */
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGHUP);
	(void)pthread_sigmask(SIG_BLOCK, &set, NULL);
	buf_init(&d.ready, 16384);
	rc = start(&d, &err);
	if (rc == RC_OK && o->ready_file != NULL)
		rc = file_write(o->ready_file, d.ready.data, d.ready.len, 0644, 1, &err);
	if (rc == RC_OK)
		wait_for_stop(&d, &set);
	outbox_stop(&d);
	if (d.http != NULL)
		http_server_stop(d.http, (unsigned)(s->config->limits.drain * 1000));
	outbox_join(&d);
	http_server_free(d.http);
	buf_done(&d.ready);
	if (rc == RC_OK)
		log_msg(LOG_INFO, "stop", "done");
	return rc == RC_OK ? 0 : err_report("scepd", &err);
}

static int
check(const struct config *c, const char *path)
{
	const struct conf_listener *l = c->listeners.v;
	struct tls_ctx *tls;
	struct err err;

	for (size_t i = 0; i < c->listeners.n; i++) {
		if (l[i].certificate == NULL)
			continue;
		if (tls_ctx_server(&tls, l[i].certificate, l[i].key, &err) != RC_OK)
			return err_report("scepd", &err);
		tls_ctx_free(tls);
	}
	printf("%s: ok: %zu listeners, %zu CAs, %zu tenants, %zu profiles, %zu endpoints\n", path,
	    c->listeners.n, c->cas.n, c->tenants.n, c->profiles.n, c->endpoints.n);
	return 0;
}

static int
run(const void *opts, int nargs, char **args)
{
	static const struct rlimit no_core = { 0, 0 };
	const struct options *o = opts;
	struct config *config;
	struct scepd *s;
	enum log_level level;
	struct err err;
	int code;

	/* A core file would hold the keys of CA and RA, secrets and tokens. */
	(void)setrlimit(RLIMIT_CORE, &no_core);
	if (config_load(&config, o->config, &err) != RC_OK)
		return err_report("scepd", &err);
	level = (enum log_level)config->log.level;
	if (o->log_level != NULL && log_level_parse(&level, o->log_level, &err) != RC_OK) {
		config_free(config);
		return err_report("scepd", &err);
	}
	log_setup(level, (enum log_format)config->log.format, STDERR_FILENO);
	if (scepd_new(&s, config, !o->check, &err) != RC_OK) {
		config_free(config);
		return err_report("scepd", &err);
	}
	code = o->check ? check(s->config, o->config) : serve(s, o);
	scepd_free(s);
	return code;
}

int
main(int argc, char **argv)
{
	static const struct options defaults = { .config = "/etc/scepd/scepd.yaml" };
	static const struct command cmd = { .name = "scepd",
		.args = "",
		.help = "certification authority for Microsoft Intune: SCEP server and CA",
		.about = "Serves SCEP to the devices that Intune manages: asks Intune about every "
			 "request, issues, reports, hands over.\n"
			 "Runs in the foreground and logs to standard error.  SIGTERM ends it once "
			 "requests in flight are answered;\n"
			 "SIGHUP reads certificates and secrets again.\n\n"
			 "  scepctl init --dir /var/lib/scepd --name Contoso     make a CA and a "
			 "configuration first\n"
			 "  scepd --config /var/lib/scepd/scepd.yaml --check     validate\n"
			 "  scepd --config /var/lib/scepd/scepd.yaml             run",
		.opts = options,
		.size = sizeof(struct options),
		.defaults = &defaults,
		.run = run };

	return command_main_single("scepd", &cmd, argc, argv);
}
