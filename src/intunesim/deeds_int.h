/*
 * deeds_int.h - what the files of deeds share.
 */
#ifndef SCEPD_INTUNESIM_DEEDS_INT_H
#define SCEPD_INTUNESIM_DEEDS_INT_H

#include "intunesim/deeds.h"

/* Take an id out of the "users" or "devices" of all groups. */
void forget_member(json_t *document, const char *list, const char *id);
/* Take a user out of everything; `index` is the place in the document's list. */
void forget_user(json_t *document, size_t index);

/* deed_changes.c: what of the directory differs between two snapshots of a tenant. */
void log_changes(struct changes *log, const struct tenant *old, const struct tenant *now);

#endif
