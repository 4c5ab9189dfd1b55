/*
 * platforms.h - what Intune calls the operating systems of the devices that rules see, counted: so that a rule for a
 * platform that nobody has says so, with the names that there are.
 */
#ifndef SCEPD_SCEPCTL_PLATFORMS_H
#define SCEPD_SCEPCTL_PLATFORMS_H

#include <stdio.h>

#include "ca/directory_rule.h"
#include "json/json.h"

#define PLATFORMS_MAX 16 /* names; Intune has about ten */

struct platforms {
	struct {
		char name[32];
		uint64_t certs;
	} v[PLATFORMS_MAX];
	size_t n;
	uint64_t others,
	    untold; /* certificates: of more names than these; of devices without one, or of no device */
};
/* {0} at first. */
void platforms_note(struct platforms *p, const struct store_subject *c);
/* A line for each of the rule's `platforms`, and of those that it leaves out, that no device has. */
void platforms_print_unknown(FILE *f, const struct platforms *p, const struct directory_rule *r);
/* {"Windows": 12, "": 3}, the last without a name; NULL: out of memory. */
json_t *platforms_json(const struct platforms *p);

#endif
