/*
 * state_int.h - the rows inside a state.
 */
#ifndef SCEPD_INTUNESIM_STATE_INT_H
#define SCEPD_INTUNESIM_STATE_INT_H

#include "intunesim/state.h"

/* The rows of one tenant: those that are targeted in the order of its file, then those that ended,
 * the earliest first. */
struct book {
	struct deployment *rows;
	struct deployment **order; /* by device and profile */
	size_t n;
};

void book_done(struct book *b);
/* By id; NULL when there is none. */
struct deployment *book_find(const struct book *b, const char *device_id, const char *profile_id);
/* The book of this snapshot, with what the old one says of rows that both have. */
enum rc book_follow(
    struct book *out, const struct book *old, const struct tenant *t, struct err *err) MUST_CHECK;
/* `p` may be NULL. */
void subject_of(struct subject *out, const struct device *d, const struct profile *p);

#endif
