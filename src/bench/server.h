/*
 * server.h - the servers that are measured, set up in a temporary folder and started on their core.
 */
#ifndef SCEPD_BENCH_SERVER_H
#define SCEPD_BENCH_SERVER_H

#include "bench/child.h"
#include "bench/cpus.h"
#include "bench/intune_stub.h"
#include "base/buf.h"

struct server {
	struct child *child;
	char url[128];
	const char *subject;  /* as batch_spec has it */
	struct buf challenge; /* empty: Intune's */
};

struct server_spec {
	const char *dir; /* the run's */
	const struct cpus *cpus;
	const char *program;      /* scepd, scepserver or nginx */
	const char *scepctl;      /* scepd only */
	struct intune_stub *stub; /* scepd only; NULL: an endpoint with a static challenge */
	bool single;              /* scepd only: everything in one process */
};

/* RSA-2048 root, issuing CA and RA; SQLite.  Once in a folder. */
enum rc server_init_scepd(const struct server_spec *spec, struct err *err) MUST_CHECK;
/* On what server_init_scepd() made, again and again; log lines to a file. server_stop() in any case. */
enum rc server_start_scepd(
    struct server *out, const struct server_spec *spec, struct err *err) MUST_CHECK;
/* micromdm's server, RSA-2048 CA, GOMAXPROCS=1. RC_NOTFOUND when it is not installed. */
enum rc server_start_micromdm(
    struct server *out, const struct server_spec *spec, struct err *err) MUST_CHECK;
/* nginx with one worker, which serves these bytes as /file. RC_NOTFOUND when it is not installed. */
enum rc server_start_nginx(struct server *out, const struct server_spec *spec,
    const struct buf *file, struct err *err) MUST_CHECK;
/* Until something listens at its URL. */
enum rc server_await(struct server *s, struct err *err) MUST_CHECK;
void server_stop(struct server *s);

#endif
