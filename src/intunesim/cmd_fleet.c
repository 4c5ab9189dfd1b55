/*
 * cmd_fleet.c - intunesim fleet: a simulator, and many devices that live in it.
 */
#include <stdlib.h>
#include <string.h>

#include "intunesim/commands.h"
#include "intunesim/fleet.h"
#include "intunesim/program.h"

#define DEVICES_MAX  4000 /* a tenant file takes 4096 */
#define DAY_MS_MAX   86400000.0
#define CHECK_IN_MAX 3650

struct fleet_options {
	struct program_options program; /* the first, as its rows count from the start */
	uint64_t devices, days, rollout, check_in, concurrency, reuse_keys;
	const char *day, *ca_file;
	bool json;
};

static const struct opt own_rows[] = {
	{ .name = "devices",
	    .letter = 'n',
	    .type = OPT_U64,
	    .offset = offsetof(struct fleet_options, devices),
	    .value = "N",
	    .min = 1,
	    .max = DEVICES_MAX,
	    .help = "how many to make up; default 1000" },
	{ .name = "days",
	    .type = OPT_U64,
	    .offset = offsetof(struct fleet_options, days),
	    .value = "N",
	    .min = 1,
	    .max = FLEET_DAYS_MAX,
	    .help = "how many to live through; default 365" },
	{ .name = "day",
	    .type = OPT_STR,
	    .offset = offsetof(struct fleet_options, day),
	    .value = "SECONDS",
	    .help = "what a day takes at least, e.g. 0.5; default 0: no longer than its work" },
	{ .name = "rollout",
	    .type = OPT_U64,
	    .offset = offsetof(struct fleet_options, rollout),
	    .value = "DAYS",
	    .min = 1,
	    .max = FLEET_DAYS_MAX,
	    .help = "over which the devices come; default 30, 1: all at once" },
	{ .name = "check-in",
	    .type = OPT_U64,
	    .offset = offsetof(struct fleet_options, check_in),
	    .value = "DAYS",
	    .min = 1,
	    .max = CHECK_IN_MAX,
	    .help = "from one check-in of a device to the next; default 30" },
	{ .name = "concurrency",
	    .letter = 'c',
	    .type = OPT_U64,
	    .offset = offsetof(struct fleet_options, concurrency),
	    .value = "N",
	    .min = 1,
	    .max = FLEET_THREADS_MAX,
	    .help = "devices at a time; default 8" },
	{ .name = "reuse-keys",
	    .type = OPT_U64,
	    .offset = offsetof(struct fleet_options, reuse_keys),
	    .value = "N",
	    .max = 10000,
	    .help = "share N RSA-2048 keys, made before; default 0: a new one each time" },
	{ .name = "ca-file",
	    .type = OPT_STR,
	    .offset = offsetof(struct fleet_options, ca_file),
	    .value = "FILE",
	    .help = "PEM trust anchors for https SCEP servers (default: the system's)" },
	{ .name = "json",
	    .type = OPT_FLAG,
	    .offset = offsetof(struct fleet_options, json),
	    .help = "print the summary as JSON" },
	{ .name = NULL },
};

static enum rc
day_length(unsigned *ms, const char *text, struct err *err)
{
	char *end;
	double seconds = strtod(text, &end);

	if (end == text || *end != '\0' || !(seconds >= 0 && seconds * 1000 <= DAY_MS_MAX))
		return fail(
		    err, RC_CONFIG, "--day wants seconds, at most a day of them, not \"%s\"", text);
	*ms = (unsigned)(seconds * 1000 + 0.5);
	return RC_OK;
}

/* The first tenant gets the devices. */
static enum rc
populate(struct program *p, struct fleet_conf *conf, size_t n, struct err *err)
{
	struct tenant *populated;
	enum rc rc = fleet_make(&populated, &conf->ids, p->tenants[0], n, err);

	if (rc != RC_OK)
		return rc;
	tenant_free(p->tenants[0]);
	p->tenants[0] = populated;
	return RC_OK;
}

/* The devices of a profile without an address could do nothing all year. */
static enum rc
check_urls(const struct program *p, struct err *err)
{
	const struct tenant *t = p->tenants[0];

	for (size_t i = 0; i < t->n_profiles && p->o->scep_urls.n == 0; i++) {
		if (t->profiles[i].conf->scep_urls.n == 0)
			return fail(err, RC_CONFIG,
			    "the profile \"%s\" names no SCEP URL: give --scep-url",
			    t->profiles[i].conf->name);
	}
	return RC_OK;
}

static enum rc
live(struct fleet_result *r, struct program *p, const struct fleet_options *o, struct err *err)
{
	struct fleet_conf conf = { .days = (unsigned)o->days,
		.rollout = (unsigned)(o->rollout < o->days ? o->rollout : o->days),
		.check_in = (unsigned)o->check_in,
		.threads = (unsigned)o->concurrency,
		.ca_file = o->ca_file,
		.reuse_keys = o->reuse_keys };
	enum rc rc;

	if ((rc = day_length(&conf.day_ms, o->day, err)) == RC_OK &&
	    (rc = program_load(p, err)) == RC_OK && (rc = check_urls(p, err)) == RC_OK &&
	    (rc = populate(p, &conf, o->devices, err)) == RC_OK &&
	    (rc = program_open(p, err)) == RC_OK)
		rc = fleet_run(r, p->sim, &conf, err);
	free(conf.ids.v);
	return rc;
}

static int
run(const void *options, int nargs, char **args)
{
	const struct fleet_options *o = options;
	struct program p = { .o = &o->program, .tenant_text = fleet_tenant_text };
	struct fleet_result r;
	struct err err;
	sigset_t signals;
	int code = 0;

	(void)nargs;
	(void)args;
	program_begin(p.o, &signals);
	if (live(&r, &p, o, &err) != RC_OK)
		code = err_report(PROG " fleet", &err);
	else if (o->json && fleet_print_json(&r, &err) != RC_OK)
		code = err_report(PROG " fleet", &err);
	else if (!o->json)
		fleet_print(&r);
	if (code == 0 && !fleet_went_well(&r))
		code = 1;
	program_close(&p);
	return code;
}

/* The options of the simulator and those of the fleet. */
static struct opt rows[PROGRAM_OPTS];
static struct fleet_options defaults = {
	.devices = 1000, .days = 365, .day = "0", .rollout = 30, .check_in = 30, .concurrency = 8
};

const struct command *
fleet_command(void)
{
	static const struct command cmd = {
		.name = PROG " fleet",
		.args = "",
		.help = "play a fleet of devices that enrol and renew on a compressed calendar",
		.about =
		    "Makes up devices after those of a tenant file (or of a small tenant of its "
		    "own),\n"
		    "serves the simulator for the CA, and lets the devices check in, enrol, report "
		    "and\n"
		    "renew over simulated days.  Prints a summary; Ctrl-C prints the one so "
		    "far.\n\n"
		    "  intunesim fleet --root '*=root.pem' --listen 127.0.0.1:8090 \\\n"
		    "      --scep-url http://127.0.0.1:8080/certsrv/mscep/mscep.dll --devices "
		    "200\n\n"
		    "Exit status: 0 when nothing was refused or failed, 1 when something was or a\n"
		    "signal came, others as sysexits(3).",
		.opts = rows,
		.size = sizeof(struct fleet_options),
		.defaults = &defaults,
		.run = run,
	};
	size_t n = 0;

	for (const struct opt *o = program_opts; o->name != NULL; o++) {
		rows[n] = *o;
		rows[n++].required = false;
	}
	for (const struct opt *o = own_rows; o->name != NULL; o++)
		rows[n++] = *o;
	rows[n].name = NULL;
	defaults.program = program_defaults;
	defaults.program.log_level = "error";
	return &cmd;
}
