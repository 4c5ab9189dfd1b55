/*
 * fleet_report.c - the summary of a fleet.
 */
#include <stdio.h>

#include "intunesim/fleet.h"
#include "json/json.h"

#define ULL(x) ((unsigned long long)(x))

void
fleet_print(const struct fleet_result *r)
{
	printf("%zu devices, %u days in %.1f s%s\n", r->devices, r->days,
	    (double)r->elapsed_ms / 1000, r->stopped ? ", stopped by a signal" : "");
	printf("  enrolled       %8llu\n  renewed        %8llu\n  refused        %8llu\n"
	       "  failed         %8llu\n  not delivered  %8llu\n",
	    ULL(r->by[PLAYED_ENROLLED]), ULL(r->by[PLAYED_RENEWED]), ULL(r->by[PLAYED_REFUSED]),
	    ULL(r->by[PLAYED_FAILED]), ULL(r->not_delivered));
	printf(
	    "  check-ins      %8llu, %llu without an answer\n", ULL(r->check_ins), ULL(r->broken));
	if (r->p50_us > 0)
		printf("  %.1f enrolments a second; one takes %.1f ms (p50), %.1f ms (p99)\n",
		    r->rate, (double)r->p50_us / 1000, (double)r->p99_us / 1000);
	if (r->why[0] != '\0')
		printf("  the first that went wrong: %s\n", r->why);
}

enum rc
fleet_print_json(const struct fleet_result *r, struct err *err)
{
	json_t *o = json_pack(
	    "{s:I, s:I, s:b, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:f, s:f, s:f, "
	    "s:f, s:s?}",
	    "devices", (json_int_t)r->devices, "days", (json_int_t)r->days, "stopped", r->stopped,
	    "allWell", fleet_went_well(r), "enrolled", (json_int_t)r->by[PLAYED_ENROLLED],
	    "renewed", (json_int_t)r->by[PLAYED_RENEWED], "refused",
	    (json_int_t)r->by[PLAYED_REFUSED], "failed", (json_int_t)r->by[PLAYED_FAILED],
	    "notDelivered", (json_int_t)r->not_delivered, "checkIns", (json_int_t)r->check_ins,
	    "checkInsWithoutAnswer", (json_int_t)r->broken, "seconds", (double)r->elapsed_ms / 1000,
	    "enrolmentsPerSecond", r->rate, "p50ms", (double)r->p50_us / 1000, "p99ms",
	    (double)r->p99_us / 1000, "firstError", r->why[0] != '\0' ? r->why : NULL);
	struct buf text;
	enum rc rc;

	if (o == NULL)
		return fail(err, RC_NOMEM, "out of memory");
	buf_init(&text, 64 * 1024);
	if ((rc = json_add_pretty(&text, o, err)) == RC_OK)
		fputs(buf_str(&text), stdout);
	buf_done(&text);
	json_decref(o);
	return rc;
}
