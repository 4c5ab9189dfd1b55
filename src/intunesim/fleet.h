/*
 * fleet.h - many devices that live through many days in a short time: for load tests and demos.
 *
 * Devices are made up after those of a tenant file.  Each has a first day, spread over the roll-out,
 * and then checks in every so many days, on the day when one of its certificates is due for renewal,
 * and on the day after one on which something went wrong.  A day takes a given time, or longer when
 * what belongs to it has not been done by then: a slow CA makes the calendar late and loses nothing.
 */
#ifndef SCEPD_INTUNESIM_FLEET_H
#define SCEPD_INTUNESIM_FLEET_H

#include "intunesim/guid.h"
#include "intunesim/player.h"
#include "intunesim/tenant.h"

#define FLEET_DAYS_MAX    36500  /* a hundred years */
#define FLEET_THREADS_MAX 64     /* devices at a time: past that a CA only queues them */
#define FLEET_SAMPLES_MAX 262144 /* enrolments whose times are kept, the newest; 1 MiB */

/* The ids of made-up devices. */
struct fleet_ids {
	char (*v)[GUID_TEXT_MAX];
	size_t n;
};

/* The tenant that a fleet has when no file is given, for tenant_parse(); that of
 * docs/examples/contoso.yaml to a CA. */
extern const char fleet_tenant_text[];
/*
 * `base` with n more devices, each like one of those it has (platform, user, groups), by turns, with
 * ids, name, serial number and the rest of its own.  *out and ids->v are the caller's.  RC_CONFIG
 * when there is none to be like.
 */
enum rc fleet_make(struct tenant **out, struct fleet_ids *ids, const struct tenant *base, size_t n,
    struct err *err) MUST_CHECK;

struct fleet_conf {
	struct fleet_ids ids;
	unsigned days, rollout, check_in; /* days; the roll-out begins on day 0 */
	unsigned day_ms; /* how long a day takes at least; 0: as long as it has to */
	unsigned threads;
	const char *ca_file;
	size_t reuse_keys; /* make so many keys before, and share them; 0: a new one each time */
};

struct fleet_result {
	size_t devices; /* that came to their first day */
	unsigned days;  /* done, from the first to the last */
	bool stopped;   /* by a signal */
	uint64_t check_ins, by[PLAYED__MAX], not_delivered,
	    broken; /* broken: check-ins without answer */
	uint64_t elapsed_ms;
	double rate;             /* enrolments and renewals a second, while there were any to do */
	uint64_t p50_us, p99_us; /* of one of them, without making the key; 0: none was made */
	char why[ERR_MSG_MAX];   /* of the first that went wrong, with the device, or "" */
};
/* Nothing was refused, failed, or left out. */
bool fleet_went_well(const struct fleet_result *r);

/*
 * Let the days pass.  SIGINT and SIGTERM, which the caller has blocked in all threads, end it after
 * the visits under way.  Tells of progress on standard error: a line that is rewritten on a terminal,
 * else one now and then.
 */
enum rc fleet_run(struct fleet_result *out, struct sim *s, const struct fleet_conf *conf,
    struct err *err) MUST_CHECK;

/* The summary, on standard output. */
void fleet_print(const struct fleet_result *r);
enum rc fleet_print_json(const struct fleet_result *r, struct err *err) MUST_CHECK;

#endif
