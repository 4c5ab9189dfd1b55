/*
 * listing.h - what the commands that list rows of the store have in common: a table or a JSON array, page by page.
 *
 *	struct listing l = { .json = o->json };
 *	do
 *		rc = store_x_each(s, &filter, LISTING_PAGE, on_row, &l, err), filter.after = l.last;
 *	while (listing_goes_on(&l, rc));
 *	rc = listing_end(&l, rc, err);
 *	... listing_close(&l, "no such things\n");
 */
#ifndef SCEPD_SCEPCTL_LISTING_H
#define SCEPD_SCEPCTL_LISTING_H

#include "scepctl/ctl.h"

#define LISTING_PAGE                                                                               \
	100 /* rows read at a time, so that a long list never holds up the daemon's checkpoints */

struct listing {
	bool json;
	int64_t last; /* id of the last row */
	size_t n;     /* rows so far; 0: the table has no heading yet */
	size_t seen;  /* when the last page was asked for */
	bool failed;  /* no memory for JSON */
};

/* A row with this id was printed, or is in JSON (takes the reference, NULL: out of memory).  For the store: non-zero
 * ends its walk. */
int listing_printed(struct listing *l, int64_t id);
int listing_item(struct listing *l, int64_t id, json_t *o);
/* Was this page full, so that another may follow? */
bool listing_goes_on(struct listing *l, enum rc rc);
/* What came of all pages. */
enum rc listing_end(const struct listing *l, enum rc rc, struct err *err) MUST_CHECK;
/* The end of the array, or `none` where there was no row. */
void listing_close(const struct listing *l, const char *none);

#endif
