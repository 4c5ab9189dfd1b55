/*
 * sweep_whose.h - devices and users whose certificates a sweep would turn: as a table, or as items of a JSON array.
 */
#ifndef SCEPD_SCEPCTL_SWEEP_WHOSE_H
#define SCEPD_SCEPCTL_SWEEP_WHOSE_H

#include "scepctl/ctl.h"

struct whose {
	bool json;  /* all of them */
	size_t max; /* rows of the table */
	/* What came of it. */
	size_t n; /* how many there are; of the table at most one more than `max` */
	bool failed;
};
enum rc whose_show(struct store *s, int64_t sweep, struct whose *w, struct err *err) MUST_CHECK;

#endif
