/*
 * program.c - see program.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "intunesim/program.h"

#define GRACE_MS 2000
#define LIFE_MAX (30 * 86400)

const struct program_options program_defaults = {
	.listen = "127.0.0.1:8090",
	.log_level = "info",
	.challenge_life = CHALLENGE_LIFE,
	.workers = 64,
};

const struct opt program_opts[] = {
	{ .name = "tenant",
	    .letter = 't',
	    .type = OPT_LIST,
	    .required = true,
	    .offset = offsetof(struct program_options, tenants),
	    .value = "FILE",
	    .help = "a tenant file, intunesim.yaml(5)" },
	{ .name = "listen",
	    .letter = 'l',
	    .type = OPT_STR,
	    .offset = offsetof(struct program_options, listen),
	    .value = "ADDRESS:PORT",
	    .help = "default 127.0.0.1:8090; port 0 picks a free one" },
	{ .name = "port-file",
	    .type = OPT_STR,
	    .offset = offsetof(struct program_options, port_file),
	    .value = "FILE",
	    .help = "write the port here once it is open" },
	{ .name = "certificate",
	    .type = OPT_STR,
	    .offset = offsetof(struct program_options, certificate),
	    .value = "FILE",
	    .help = "PEM chain: serve HTTPS instead of HTTP" },
	{ .name = "key",
	    .type = OPT_STR,
	    .offset = offsetof(struct program_options, key),
	    .value = "FILE",
	    .help = "PEM private key of --certificate" },
	{ .name = "public-url",
	    .type = OPT_STR,
	    .offset = offsetof(struct program_options, public_url),
	    .value = "URL",
	    .help = "how others reach this server; default: what they call it" },
	{ .name = "root",
	    .type = OPT_LIST,
	    .offset = offsetof(struct program_options, roots),
	    .value = "NAME=FILE",
	    .help = "certificate of trusted-root profiles; NAME may hold * and ?" },
	{ .name = "scep-url",
	    .type = OPT_LIST,
	    .offset = offsetof(struct program_options, scep_urls),
	    .value = "URL",
	    .help = "SCEP server of all profiles, instead of their own" },
	{ .name = "challenge-life",
	    .type = OPT_DURATION,
	    .offset = offsetof(struct program_options, challenge_life),
	    .value = "TIME",
	    .min = 1,
	    .max = LIFE_MAX,
	    .help = "from check-in to expiry; default 60m" },
	{ .name = "single-use",
	    .type = OPT_FLAG,
	    .offset = offsetof(struct program_options, single_use),
	    .help = "refuse a challenge that has led to Success before" },
	{ .name = "clock-offset",
	    .type = OPT_STR,
	    .offset = offsetof(struct program_options, clock_offset),
	    .value = "TIME",
	    .help = "run this much ahead, or behind with '-', of the real time" },
	{ .name = "fault",
	    .type = OPT_LIST,
	    .offset = offsetof(struct program_options, faults),
	    .value = "RULE",
	    .help = "a bad day: step=validate,fault=status,status=503,share=0.1" },
	{ .name = "seed",
	    .type = OPT_U64,
	    .offset = offsetof(struct program_options, seed),
	    .value = "N",
	    .max = INT64_MAX,
	    .help = "which requests the shares of faults hit; default 0" },
	{ .name = "bad-listen",
	    .type = OPT_STR,
	    .offset = offsetof(struct program_options, bad_listen),
	    .value = "ADDRESS:PORT",
	    .help = "the same service with a certificate that clients must refuse" },
	{ .name = "bad-certificate",
	    .type = OPT_STR,
	    .offset = offsetof(struct program_options, bad_certificate),
	    .value = "FILE",
	    .help = "PEM chain of --bad-listen" },
	{ .name = "bad-key",
	    .type = OPT_STR,
	    .offset = offsetof(struct program_options, bad_key),
	    .value = "FILE",
	    .help = "PEM private key of --bad-certificate" },
	{ .name = "workers",
	    .type = OPT_U64,
	    .offset = offsetof(struct program_options, workers),
	    .value = "N",
	    .min = 1,
	    .max = 512,
	    .help = "threads at most; default 64" },
	{ .name = "log-level",
	    .type = OPT_CHOICE,
	    .offset = offsetof(struct program_options, log_level),
	    .value = "LEVEL",
	    .choices = "debug|info|warn|error",
	    .help = "default info" },
	{ .name = NULL },
};

static enum rc
set_clock(const char *text, struct err *err)
{
	if (text == NULL || sim_clock_set(text, err) == RC_OK)
		return RC_OK;
	return err_context(err, "--clock-offset");
}

/* It is put in front of paths, and into JSON. */
static enum rc
check_public_url(const char *url, struct err *err)
{
	if (url == NULL)
		return RC_OK;
	if (!str_starts(url, "http://") && !str_starts(url, "https://"))
		return fail(
		    err, RC_CONFIG, "--public-url wants http:// or https://, not \"%s\"", url);
	if (url[strlen(url) - 1] == '/' || strpbrk(url, "\"\\ ?#") != NULL)
		return fail(err, RC_CONFIG,
		    "--public-url wants scheme, host and port without '/' at the end, not \"%s\"",
		    url);
	return RC_OK;
}

static enum rc
check_scep_urls(const struct opt_list *urls, struct err *err)
{
	for (size_t i = 0; i < urls->n; i++) {
		if (!str_starts(urls->v[i], "http://") && !str_starts(urls->v[i], "https://"))
			return fail(err, RC_CONFIG,
			    "--scep-url wants http:// or https://, not \"%s\"", urls->v[i]);
	}
	return RC_OK;
}

/* Cut "NAME=FILE" in place: argv belongs to us. */
static enum rc
read_roots(struct program *p, struct err *err)
{
	char **copies = p->root_names;
	enum rc rc;

	for (size_t i = 0; i < p->o->roots.n; i++) {
		char *eq;

		if ((rc = str_dup(&copies[i], p->o->roots.v[i], err)) != RC_OK)
			return rc;
		if ((eq = strchr(copies[i], '=')) == NULL || eq == copies[i] || eq[1] == '\0')
			return fail(
			    err, RC_CONFIG, "--root wants NAME=FILE, not \"%s\"", copies[i]);
		*eq = '\0';
		p->roots[i].name = copies[i];
		p->roots[i].file = eq + 1;
	}
	return RC_OK;
}

static enum rc
load_tenants(struct program *p, struct err *err)
{
	enum rc rc;

	if (p->o->tenants.n > TENANTS_MAX)
		return fail(err, RC_LIMIT, "more than %d tenants", TENANTS_MAX);
	if (p->o->tenants.n == 0) {
		rc = tenant_parse(&p->tenants[0], "built-in tenant", p->tenant_text,
		    strlen(p->tenant_text), p->roots, p->o->roots.n, err);
		if (rc != RC_OK)
			return rc;
		p->n_tenants = 1;
	}
	for (size_t i = 0; i < p->o->tenants.n; i++, p->n_tenants++) {
		rc = tenant_load(&p->tenants[i], p->o->tenants.v[i], p->roots, p->o->roots.n, err);
		if (rc != RC_OK)
			return rc;
	}
	for (size_t i = 0; i < p->o->roots.n; i++) {
		if (!p->roots[i].used)
			return fail(err, RC_CONFIG,
			    "--root: no trusted-root profile is called \"%s\"", p->roots[i].name);
	}
	return RC_OK;
}

static enum rc
build_sim(struct program *p, struct err *err)
{
	struct sim_options so = {
		.scep_urls = p->o->scep_urls.v,
		.n_scep_urls = p->o->scep_urls.n,
		.public_url = p->o->public_url,
		.challenge_life = p->o->challenge_life,
		.single_use = p->o->single_use,
	};
	/* A device that is played for a request holds a worker, and the CA needs some meanwhile. */
	struct player_options po = { .visits_max = (unsigned)p->o->workers / 2 };
	size_t n = p->n_tenants;
	enum rc rc;

	/* sim_new() takes them over, whatever happens. */
	p->n_tenants = 0;
	if ((rc = sim_new(&p->sim, &so, p->tenants, n, err)) == RC_OK)
		player_setup(p->sim->player, &po);
	return rc;
}

static void
log_refused(void *ctx, const char *peer, int status, const char *why, uint64_t unsaid)
{
	struct log_line l;

	(void)ctx;
	log_begin(&l, LOG_INFO, "refused");
	log_str(&l, "peer", peer);
	log_int(&l, "status", status);
	log_str(&l, "reason", why);
	if (unsaid > 0)
		log_int(&l, "unsaid", (int64_t)unsaid);
	log_end(&l);
}

/* The rules of the command line, in order. */
static enum rc
set_faults(struct program *p, struct err *err)
{
	const struct opt_list *texts = &p->o->faults;
	struct fault_rule *rules = calloc(OPT_LIST_MAX, sizeof(*rules));
	enum rc rc = RC_OK;
	size_t i;

	if (rules == NULL)
		return fail(err, RC_NOMEM, "out of memory");
	for (i = 0; i < texts->n && rc == RC_OK; i++)
		rc = fault_rule_parse(&rules[i], texts->v[i], strlen(texts->v[i]), err);
	if (rc == RC_OK)
		faults_set(p->sim->faults, p->o->seed, rules, texts->n);
	else
		rc = err_context(err, "--fault %s", texts->v[i - 1]);
	free(rules);
	return rc;
}

/* A second door, for clients that have to refuse its certificate. */
static enum rc
listen_bad(struct program *p, struct err *err)
{
	const struct program_options *o = p->o;
	enum rc rc;

	if (o->bad_listen == NULL && o->bad_certificate == NULL && o->bad_key == NULL)
		return RC_OK;
	if (o->bad_listen == NULL || o->bad_certificate == NULL || o->bad_key == NULL)
		return fail(
		    err, RC_CONFIG, "--bad-listen, --bad-certificate and --bad-key go together");
	if ((rc = tls_ctx_server(&p->bad_tls, o->bad_certificate, o->bad_key, err)) != RC_OK)
		return rc;
	return http_listen(p->server, o->bad_listen, p->bad_tls, NULL, NULL, err);
}

static enum rc
open_server(struct program *p, struct err *err)
{
	const struct program_options *o = p->o;
	struct http_server_conf conf = {
		.handler = sim_handle,
		.ctx = p->sim,
		.on_refused = log_refused,
		.workers_max = (unsigned)o->workers,
	};
	enum rc rc;

	if ((o->certificate == NULL) != (o->key == NULL))
		return fail(err, RC_CONFIG, "--certificate and --key go together");
	if (o->certificate != NULL &&
	    (rc = tls_ctx_server(&p->tls, o->certificate, o->key, err)) != RC_OK)
		return rc;
	if ((rc = http_server_new(&p->server, &conf, err)) != RC_OK ||
	    (rc = http_listen(p->server, o->listen, p->tls, NULL, &p->port, err)) != RC_OK ||
	    (rc = listen_bad(p, err)) != RC_OK)
		return rc;
	return http_server_start(p->server, err);
}

static enum rc
write_port(const struct program *p, struct err *err)
{
	char text[16];
	int n;

	if (p->o->port_file == NULL)
		return RC_OK;
	n = snprintf(text, sizeof(text), "%u\n", p->port);
	return file_write(p->o->port_file, text, (size_t)n, 0644, 1, err);
}

static void
warn_missing_roots(const struct view *v)
{
	for (size_t i = 0; i < v->n_tenants; i++) {
		for (size_t j = 0; j < v->tenants[i]->n_roots; j++) {
			const struct root *r = &v->tenants[i]->roots[j];

			if (r->cert == NULL)
				log_msg(LOG_WARN, "root",
				    "trusted root \"%s\" has no certificate: devices will not get "
				    "it",
				    r->conf->name);
		}
	}
}

enum rc
program_load(struct program *p, struct err *err)
{
	enum rc rc;

	if ((rc = set_clock(p->o->clock_offset, err)) != RC_OK ||
	    (rc = check_public_url(p->o->public_url, err)) != RC_OK ||
	    (rc = check_scep_urls(&p->o->scep_urls, err)) != RC_OK ||
	    (rc = read_roots(p, err)) != RC_OK)
		return rc;
	return load_tenants(p, err);
}

enum rc
program_open(struct program *p, struct err *err)
{
	const struct view *v;
	enum rc rc;

	if ((rc = build_sim(p, err)) != RC_OK || (rc = set_faults(p, err)) != RC_OK ||
	    (rc = open_server(p, err)) != RC_OK || (rc = write_port(p, err)) != RC_OK)
		return rc;
	v = sim_view(p->sim);
	warn_missing_roots(v);
	log_msg(LOG_INFO, "start", "%zu tenant%s, listening on port %u (%s)", v->n_tenants,
	    v->n_tenants == 1 ? "" : "s", p->port, p->tls != NULL ? "https" : "http");
	view_done(v);
	return RC_OK;
}

void
program_close(struct program *p)
{
	if (p->server != NULL)
		http_server_stop(p->server, GRACE_MS);
	http_server_free(p->server);
	tls_ctx_free(p->tls);
	tls_ctx_free(p->bad_tls);
	sim_free(p->sim);
	for (size_t i = 0; i < p->n_tenants; i++)
		tenant_free(p->tenants[i]);
	for (size_t i = 0; i < OPT_LIST_MAX; i++)
		free(p->root_names[i]);
}

void
program_begin(const struct program_options *o, sigset_t *signals)
{
	enum log_level level = LOG_INFO;
	struct err err;

	sigemptyset(signals);
	sigaddset(signals, SIGTERM);
	sigaddset(signals, SIGINT);
	pthread_sigmask(SIG_BLOCK, signals, NULL);
	signal(SIGPIPE, SIG_IGN);
	/* The option's choices are the levels. */
	if (log_level_parse(&level, o->log_level, &err) == RC_OK)
		log_setup(level, LOG_TEXT, STDERR_FILENO);
}
