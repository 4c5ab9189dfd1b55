/*
 * changes.h - which objects of a directory changed, and when: what Graph's delta queries read.
 *
 * A log for each tenant, in the order of the deeds.  A sequence number names a moment: what
 * happened after it is what a delta link is asked for.
 *
 * Threads: a lock inside.
 */
#ifndef SCEPD_INTUNESIM_CHANGES_H
#define SCEPD_INTUNESIM_CHANGES_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "intunesim/guid.h"

#define CHANGES_MAX 16384 /* remembered of one tenant; 1 MiB.  An older link has to begin anew */

enum change_kind { CHANGE_USER, CHANGE_DEVICE, CHANGE_GROUP };
enum change_what {
	CHANGE_WRITTEN, /* made, changed or restored: look at the object */
	CHANGE_BINNED,  /* a user went to the recycle bin: "@removed" {"reason":"changed"} */
	CHANGE_GONE     /* for good: "@removed" {"reason":"deleted"} */
};

struct change {
	uint64_t seq; /* from 1 */
	int64_t when; /* wall seconds */
	enum change_kind kind;
	enum change_what what;
	char id[GUID_TEXT_MAX]; /* object id in Entra */
};

struct changes;
enum rc changes_new(struct changes **out, struct err *err) MUST_CHECK;
void changes_free(struct changes *l);
void changes_add(
    struct changes *l, size_t tenant, enum change_kind kind, enum change_what what, const char *id);
/* The moment now, for a delta link. */
uint64_t changes_now(struct changes *l, size_t tenant);
/*
 * What of one kind happened after `since`, the oldest first, each object once with the newest that
 * happened to it.  *out is the caller's: free().  *now is the moment for the next link.
 * RC_NOTFOUND: `since` is of another run, or so long ago that something has been forgotten.
 */
enum rc changes_since(struct changes *l, size_t tenant, enum change_kind kind, uint64_t since,
    struct change **out, size_t *n, uint64_t *now, struct err *err) MUST_CHECK;

/* When the newest that is remembered of an object happened; `dflt` when nothing is. */
int64_t changes_last(struct changes *l, size_t tenant, const char *id, int64_t dflt);

#endif
