/*
 * program.h - the simulator as a process: options, start, stop.  What `intunesim` and `intunesim
 * fleet` have in common.
 */
#ifndef SCEPD_INTUNESIM_PROGRAM_H
#define SCEPD_INTUNESIM_PROGRAM_H

#include <signal.h>

#include "base/opt.h"
#include "intunesim/sim.h"

#define PROG "intunesim"

struct program_options {
	struct opt_list tenants, roots, scep_urls, faults;
	const char *listen, *port_file, *certificate, *key, *public_url, *log_level, *clock_offset;
	int64_t challenge_life;
	uint64_t workers, seed;
	const char *bad_listen, *bad_certificate, *bad_key;
	bool single_use;
};

/* The rows of these; the struct stands at the beginning of a command's own options. */
#define PROGRAM_OPTS 64 /* at most, with the end */
extern const struct opt program_opts[];
extern const struct program_options program_defaults;

/* What a command builds up and takes down. */
struct program {
	const struct program_options *o;
	struct root_option roots[OPT_LIST_MAX];
	struct tenant *tenants[TENANTS_MAX];
	size_t n_tenants;
	struct sim *sim;
	struct tls_ctx *tls, *bad_tls;
	struct http_server *server;
	uint16_t port;
	char *root_names[OPT_LIST_MAX];
	/* A tenant for the case that no file is given; NULL: there has to be one. */
	const char *tenant_text;
};

/* SIGINT and SIGTERM stay pending for sigwait() in all threads made from now on; the log opens. */
void program_begin(const struct program_options *o, sigset_t *signals);
/* Read the options and the tenants. */
enum rc program_load(struct program *p, struct err *err) MUST_CHECK;
/* The simulator is made of p->tenants, and listens. */
enum rc program_open(struct program *p, struct err *err) MUST_CHECK;
/* Takes down as much as there is. */
void program_close(struct program *p);

#endif
