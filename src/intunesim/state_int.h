/*
 * state_int.h - the rows inside a state.
 */
#ifndef SCEPD_INTUNESIM_STATE_INT_H
#define SCEPD_INTUNESIM_STATE_INT_H

#include "intunesim/state.h"

struct visit {
	char device_id[GUID_TEXT_MAX];
	int64_t last_sync;
};

/* The rows of one tenant: those that are targeted in the order of its file, then those that ended,
 * the earliest first. */
struct book {
	struct deployment *rows;
	struct deployment **order; /* by device and profile */
	size_t n;
	struct visit *visits; /* by device */
	size_t n_visits;
};

/* Two snapshots of one tenant and what the administrator did in between. */
struct step {
	const struct tenant *old, *now; /* old NULL: the start */
	const struct deed_effect *effect;
};

void book_done(struct book *b);
/* By id; NULL when there is none. */
struct deployment *book_find(const struct book *b, const char *device_id, const char *profile_id);
struct visit *book_visit(const struct book *b, const char *device_id);
/* The book of step->now, with what the old one says of rows that both have. */
enum rc book_follow(
    struct book *out, const struct book *old, const struct step *step, struct err *err) MUST_CHECK;
/* Why a certificate is to be revoked, judged by its row; CAUSE_NONE: it is not. */
enum revocation_cause book_verdict(const struct book *b, const struct certificate *c);
/* state_ended.c: why a row that was targeted is not any more. */
enum revocation_cause ended_why(const struct step *step, const struct deployment *row);
/* `p` may be NULL. */
void subject_of(struct subject *out, const struct device *d, const struct profile *p);

#endif
