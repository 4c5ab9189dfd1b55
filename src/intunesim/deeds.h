/*
 * deeds.h - what an administrator does: a change of a tenant's document that takes effect as a
 * whole, or not at all.
 *
 * A deed begins with the document of the newest snapshot, edits it, and commits: the document is
 * read by the same loader as a tenant file, so that every rule holds; the new snapshot replaces the
 * old one; the report, the revocation queue and the change log follow.  Requests in progress go on
 * with the old one.
 *
 * Threads: any; one deed at a time, the others wait for it: a millisecond for a small tenant, about
 * 150 for one of 2,000 devices and users.  Requests wait for no deed.
 */
#ifndef SCEPD_INTUNESIM_DEEDS_H
#define SCEPD_INTUNESIM_DEEDS_H

#include "intunesim/document.h"
#include "intunesim/sim.h"

struct deed {
	struct sim *sim;
	const struct view *view;     /* of the beginning */
	const struct tenant *tenant; /* as it is */
	json_t *document;            /* as it is to be: edit it */
	struct deed_effect effect;   /* by default: who is no longer managed has unenrolled */
	const struct view *after;    /* of the end; NULL before deed_commit() */
};

/* Take the right to change.  RC_NOTFOUND: no such tenant.  deed_end() it, also after a failure. */
enum rc deed_begin(struct deed *d, struct sim *s, const char *tenant, struct err *err) MUST_CHECK;
/* RC_CONFIG with a sentence that names the key, and nothing has happened. */
enum rc deed_commit(struct deed *d, struct err *err) MUST_CHECK;
void deed_end(struct deed *d);

/*
 * The deeds on objects.  They change d->document only.  RC_NOTFOUND for what is not there,
 * RC_CONFLICT for a name that is taken or a state that does not fit, RC_PARSE for a body that
 * cannot be meant.  `id` gets the object's.
 */
enum rc object_create(struct deed *d, const struct object_type *type, const json_t *body,
    char id[static GUID_TEXT_MAX], struct err *err) MUST_CHECK;
enum rc object_patch(struct deed *d, const struct object_type *type, const char *id_or_name,
    const json_t *body, char id[static GUID_TEXT_MAX], struct err *err) MUST_CHECK;
/* A user goes to the recycle bin unless `permanent`, which also takes one out of it. */
enum rc object_delete(struct deed *d, const struct object_type *type, const char *id_or_name,
    bool permanent, struct err *err) MUST_CHECK;
enum rc user_restore(struct deed *d, const char *id, struct err *err) MUST_CHECK;
/* `body`: {"users":[...],"devices":[...]}, ids or names. */
enum rc members_change(struct deed *d, const char *group, const json_t *body, bool add,
    char id[static GUID_TEXT_MAX], struct err *err) MUST_CHECK;

/* CAUSE_WIPE or CAUSE_RETIRE: pending until the device checks in. */
enum rc device_ask(
    struct deed *d, const char *device, enum revocation_cause what, struct err *err) MUST_CHECK;
/* The device leaves Intune now, for `cause`; Entra keeps it. */
enum rc device_leave(
    struct deed *d, const char *device, enum revocation_cause cause, struct err *err) MUST_CHECK;

/*
 * To be called when a device checks in, by whatever way: carry out a wipe or retirement that is
 * pending.  *done is CAUSE_WIPE or CAUSE_RETIRE when the device has left Intune with it, and
 * CAUSE_NONE when there was nothing to do.  A whole deed of its own.
 */
enum rc device_carry_out(enum revocation_cause *done, struct sim *s, const struct device *device,
    struct err *err) MUST_CHECK;

#endif
