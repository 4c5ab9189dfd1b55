/* server_scepd.c - see server.h: scepctl init, scepd. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/text.h"
#include "bench/server.h"
#include "bench/stop.h"

#define INIT_MS  60000 /* three RSA keys on a busy machine */
#define START_MS 15000
#define LOOK_MS  20
#define DOMAIN   "bench.example"

/* The files of a run. */
struct paths {
	char *state, *config, *properties, *secret, *ready, *log;
};

static enum rc
make_paths(struct paths *p, const char *dir, struct err *err)
{
	const struct {
		char **out;
		const char *name;
	} rows[] = { { &p->state, "scepd" }, { &p->config, "scepd/scepd.yaml" },
		{ &p->secret, "scepd/lab.secret" }, { &p->properties, "bench.properties" },
		{ &p->ready, "scepd.ready" }, { &p->log, "scepd.log" } };
	enum rc rc;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if ((rc = path_join(rows[i].out, dir, rows[i].name, err)) != RC_OK)
			return rc;
	return RC_OK;
}

static void
free_paths(struct paths *p)
{
	free(p->state);
	free(p->config);
	free(p->secret);
	free(p->properties);
	free(p->ready);
	free(p->log);
}

static enum rc
init(const struct server_spec *spec, const struct paths *p, struct err *err)
{
	const char *argv[32] = { spec->scepctl, "init", "--dir", p->state, "--name", "Bench",
		"--root-key", "rsa:2048", "--issuing-key", "rsa:2048", "--ra-key", "rsa:2048",
		"--listen", "127.0.0.1:0", "--url", "http://ca." DOMAIN };
	const char *intune[] = { "--tenant-properties", p->properties };
	const char *fixed[] = { "--static-challenge", "--static-domain", DOMAIN };
	struct child_spec child = { "scepctl init", argv, &spec->cpus->all, p->log };
	size_t n = 0;
	enum rc rc;

	while (argv[n] != NULL)
		n++;
	if (spec->stub == NULL) {
		memcpy(&argv[n], fixed, sizeof(fixed));
	} else {
		memcpy(&argv[n], intune, sizeof(intune));
		if ((rc = intune_stub_properties(spec->stub, p->properties, err)) != RC_OK)
			return rc;
	}
	return child_run(&child, INIT_MS, err);
}

/* The ready file has a line "http 127.0.0.1:PORT". */
static enum rc
read_ready(struct server *out, const struct server_spec *spec, const char *path, struct err *err)
{
	const char *endpoint = spec->stub != NULL ? "certsrv/mscep/mscep.dll" : "scep/lab";
	unsigned port;
	struct buf b;
	enum rc rc;

	buf_init(&b, 4 * KIB);
	if ((rc = file_read(&b, path, 4 * KIB, err)) == RC_OK) {
		if (sscanf(buf_str(&b), "http 127.0.0.1:%u", &port) == 1)
			(void)snprintf(
			    out->url, sizeof(out->url), "http://127.0.0.1:%u/%s", port, endpoint);
		else
			rc = fail(err, RC_PARSE, "%s: no http listener in it", path);
	}
	buf_done(&b);
	return rc;
}

static enum rc
await(struct server *out, const struct server_spec *spec, const char *ready, struct err *err)
{
	int64_t until = clock_mono_ms() + START_MS;
	struct stat st;
	enum rc rc;

	while (stat(ready, &st) != 0) {
		if (!child_running(out->child))
			return child_ended(out->child, err);
		if ((rc = stop_check(err)) != RC_OK)
			return rc;
		if (clock_mono_ms() > until)
			return fail(err, RC_TIMEOUT, "scepd does not become ready");
		stop_sleep_ms(LOOK_MS);
	}
	return read_ready(out, spec, ready, err);
}

static enum rc
start(struct server *out, const struct server_spec *spec, const struct paths *p, struct err *err)
{
	const char *argv[] = { spec->program, "--config", p->config, "--ready-file", p->ready,
		spec->single ? "--single-process" : NULL, NULL };
	struct child_spec child = { "scepd", argv, &spec->cpus->server, p->log };
	enum rc rc;

	if (spec->stub == NULL &&
	    (rc = file_read_secret(&out->challenge, p->secret, LIMIT_CHALLENGE, err)) != RC_OK)
		return rc;
	(void)unlink(p->ready); /* of the one before */
	if ((rc = child_start(&out->child, &child, err)) != RC_OK)
		return rc;
	return await(out, spec, p->ready, err);
}

enum rc
server_init_scepd(const struct server_spec *spec, struct err *err)
{
	struct paths p = { 0 };
	enum rc rc = make_paths(&p, spec->dir, err);

	if (rc == RC_OK)
		rc = init(spec, &p, err);
	free_paths(&p);
	return rc;
}

enum rc
server_start_scepd(struct server *out, const struct server_spec *spec, struct err *err)
{
	struct paths p = { 0 };
	enum rc rc;

	memset(out, 0, sizeof(*out));
	buf_init(&out->challenge, LIMIT_CHALLENGE);
	out->subject = "CN=%." DOMAIN;
	if ((rc = make_paths(&p, spec->dir, err)) == RC_OK)
		rc = start(out, spec, &p, err);
	free_paths(&p);
	return rc;
}

void
server_stop(struct server *s)
{
	child_stop(s->child);
	buf_wipe(&s->challenge);
	memset(s, 0, sizeof(*s));
}
