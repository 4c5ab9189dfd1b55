/* server_micromdm.c - see server.h: the Go server of the Debian package `scep`, for comparison. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "bench/server.h"
#include "bench/stop.h"
#include "bench/target.h"

#define INIT_MS   60000
#define START_MS  15000
#define LOOK_MS   50
#define CHALLENGE "bench"
#define PASSWORD  "bench" /* of a CA key that lives for a minute */

static enum rc
init(const struct server_spec *spec, const char *depot, const char *log, struct err *err)
{
	const char *argv[] = { spec->program, "ca", "-init", "-depot", depot, "-keySize", "2048",
		"-key-password", PASSWORD, NULL };
	struct child_spec child = { "scepserver ca -init", argv, &spec->cpus->all, log };

	return child_run(&child, INIT_MS, err);
}

static bool
accepts(const struct target *t)
{
	int fd = socket(t->addr.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool ok = fd >= 0 && connect(fd, (const struct sockaddr *)&t->addr, t->addr_len) == 0;

	if (fd >= 0)
		(void)close(fd);
	return ok;
}

enum rc
server_await(struct server *out, struct err *err)
{
	int64_t until = clock_mono_ms() + START_MS;
	struct target t;
	enum rc rc;

	if ((rc = target_parse(&t, out->url, err)) != RC_OK)
		return rc;
	while (!accepts(&t)) {
		if (!child_running(out->child))
			return child_ended(out->child, err);
		if ((rc = stop_check(err)) != RC_OK)
			return rc;
		if (clock_mono_ms() > until)
			return fail(err, RC_TIMEOUT, "nothing listens at %s", out->url);
		stop_sleep_ms(LOOK_MS);
	}
	return RC_OK;
}

/* env(1) becomes scepserver, so the pid stays ours. */
static enum rc
start(struct server *out, const struct server_spec *spec, const char *depot, const char *log,
    struct err *err)
{
	char port_text[8];
	const char *argv[] = { "env", "GOMAXPROCS=1", spec->program, "-depot", depot, "-capass",
		PASSWORD, "-challenge", CHALLENGE, "-port", port_text, NULL };
	struct child_spec child = { "scepserver", argv, &spec->cpus->server, log };
	unsigned port;
	enum rc rc;

	if ((rc = target_free_port(&port, err)) != RC_OK)
		return rc;
	(void)snprintf(port_text, sizeof(port_text), "%u", port);
	(void)snprintf(out->url, sizeof(out->url), "http://127.0.0.1:%u/scep", port);
	buf_adds(&out->challenge, CHALLENGE);
	if ((rc = child_start(&out->child, &child, err)) != RC_OK)
		return rc;
	return server_await(out, err);
}

enum rc
server_start_micromdm(struct server *out, const struct server_spec *spec, struct err *err)
{
	char *depot = NULL, *log = NULL;
	enum rc rc;

	memset(out, 0, sizeof(*out));
	buf_init(&out->challenge, LIMIT_CHALLENGE);
	out->subject = "CN=%";
	if ((rc = path_join(&depot, spec->dir, "depot", err)) == RC_OK &&
	    (rc = path_join(&log, spec->dir, "scepserver.log", err)) == RC_OK &&
	    (rc = init(spec, depot, log, err)) == RC_OK)
		rc = start(out, spec, depot, log, err);
	free(depot);
	free(log);
	return rc;
}
