/* server_nginx.c - see server.h: a static file, for comparison. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/text.h"
#include "bench/server.h"
#include "bench/target.h"

/* One worker, as scepd has one core; everything it writes is in the run's folder. */
static const char form[] =
    "daemon off;\nmaster_process off;\nworker_processes 1;\npid %s/nginx.pid;\n"
    "error_log stderr;\nevents { worker_connections 2048; }\n"
    "http {\n access_log off;\n sendfile on;\n tcp_nopush on;\n keepalive_requests 100000000;\n"
    " client_body_temp_path %s/body;\n proxy_temp_path %s/proxy;\n"
    " fastcgi_temp_path %s/fastcgi;\n uwsgi_temp_path %s/uwsgi;\n"
    " scgi_temp_path %s/scgi;\n open_file_cache max=10;\n"
    " server { listen 127.0.0.1:%u; root %s; }\n}\n";

static enum rc
configure(const char *dir, const char *conf, unsigned port, struct err *err)
{
	char *text;
	enum rc rc = str_format(&text, err, form, dir, dir, dir, dir, dir, dir, port, dir);

	if (rc == RC_OK)
		rc = file_write(conf, text, strlen(text), 0600, 1, err);
	free(text);
	return rc;
}

static enum rc
start(struct server *out, const struct server_spec *spec, const char *dir, const char *conf,
    const char *log, struct err *err)
{
	const char *argv[] = { spec->program, "-p", dir, "-c", conf, NULL };
	struct child_spec child = { "nginx", argv, &spec->cpus->server, log };
	unsigned port;
	enum rc rc = target_free_port(&port, err);

	if (rc == RC_OK)
		rc = configure(dir, conf, port, err);
	if (rc == RC_OK)
		rc = child_start(&out->child, &child, err);
	if (rc != RC_OK)
		return rc;
	(void)snprintf(out->url, sizeof(out->url), "http://127.0.0.1:%u/file", port);
	return server_await(out, err);
}

enum rc
server_start_nginx(
    struct server *out, const struct server_spec *spec, const struct buf *file, struct err *err)
{
	char *dir = NULL, *conf = NULL, *log = NULL, *name = NULL;
	enum rc rc;

	memset(out, 0, sizeof(*out));
	buf_init(&out->challenge, LIMIT_CHALLENGE);
	if ((rc = path_join(&dir, spec->dir, "nginx", err)) == RC_OK &&
	    (rc = path_join(&conf, spec->dir, "nginx.conf", err)) == RC_OK &&
	    (rc = path_join(&log, spec->dir, "nginx.log", err)) == RC_OK &&
	    (rc = path_join(&name, spec->dir, "nginx/file", err)) == RC_OK &&
	    (rc = dir_make(dir, 0755, err)) == RC_OK &&
	    (rc = file_write(name, file->data, file->len, 0644, 1, err)) == RC_OK)
		rc = start(out, spec, dir, conf, log, err);
	free(dir);
	free(conf);
	free(log);
	free(name);
	return rc;
}
