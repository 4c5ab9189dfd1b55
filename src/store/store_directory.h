/*
 * store_directory.h - what the directories (Entra, Intune) were last heard to say about users and devices that
 * certificates are bound to, so that rules decide by facts with a date, also when nobody answers.
 *
 * Only objects that a certificate is bound to are kept: a directory's other objects are read and dropped.
 */
#ifndef SCEPD_STORE_STORE_DIRECTORY_H
#define SCEPD_STORE_STORE_DIRECTORY_H

#include "store/store_status.h"

enum dir_kind {
	DIR_USER = 1, /* id: Entra object id */
	DIR_DEVICE,   /* id: Entra object id of the device */
	DIR_MANAGED,  /* id: Intune device id */
	DIR_RISK,     /* of users; no objects of its own, and for store_objects_confirm() alone */
	DIR__MAX
};
const char *dir_kind_name(enum dir_kind k);
/* In the order of enum intune_presence, which this layer does not know. */
enum dir_presence { DIR_UNKNOWN, DIR_FOUND, DIR_NOT_LISTED, DIR_DELETED, DIR_GONE };
/* Yes, no, or not told. */
enum dir_said { DIR_UNSAID = -1, DIR_NO = 0, DIR_YES = 1 };

struct store_object {
	enum dir_kind kind;
	char tenant[64];
	char id[40];
	enum dir_presence presence;
	enum dir_said enabled;   /* users, Entra devices: accountEnabled */
	enum dir_said compliant; /* Entra devices: isCompliant; managed ones: complianceState */
	char compliance[32];     /* managed: "compliant", "inGracePeriod" ... */
	char management[32];     /* managed: "managed", "wipePending" ... */
	char risk[16];  /* users: "none", "low", "medium", "high", "hidden", ""; see risk_known */
	char name[256]; /* for people: UPN, device name */
	char platform[32], owner[16];
	int64_t enrolled, last_seen; /* wall seconds; 0: not told */
	/* Wall seconds when the directory said so, or confirmed that nothing has changed; of the risk apart, as
	 * that is another question. */
	int64_t known, risk_known;
};
#define STORE_OBJECTS_BATCH 500
/* Insert or replace what is bound by a certificate; what is not is left out.  One commit.  *changed: how many
 * differ from what stood there, `known` apart. */
enum rc store_objects_put(struct store *s, const struct store_object *v, size_t n, size_t *changed,
    struct err *err) MUST_CHECK;
enum rc store_object_get(struct store *s, const char *tenant, enum dir_kind kind, const char *id,
    struct store_object *out, struct err *err) MUST_CHECK; /* RC_NOTFOUND */
/* The directory has told all changes up to `now`: what it did not name is as it was.  Raises `known` of every
 * object of this kind and tenant that is FOUND. */
enum rc store_objects_confirm(struct store *s, const char *tenant, enum dir_kind kind, int64_t now,
    struct err *err) MUST_CHECK;
/* Objects that were asked longest ago, for what has no delta; at most `max`; lent. */
enum rc store_objects_stale(struct store *s, const char *tenant, enum dir_kind kind,
    int64_t known_before, size_t max, int (*fn)(void *arg, const struct store_object *o), void *arg,
    struct err *err) MUST_CHECK;

/* What Identity Protection thinks of a user, as of `now`.  Whom it was never told about has "none" once all were
 * listed: store_objects_confirm() with DIR_RISK. */
enum rc store_risk_put(struct store *s, const char *tenant, const char *user, const char *risk,
    int64_t now, struct err *err) MUST_CHECK;

/* Where a delta walk goes on.  *link NULL: at the beginning; free() it. */
#define STORE_LINK_MAX 16384 /* bytes: Graph's tokens have a few hundred */
enum rc store_delta_link(struct store *s, const char *tenant, enum dir_kind kind, char **link,
    struct err *err) MUST_CHECK;
/* NULL: forget it. */
enum rc store_delta_link_set(struct store *s, const char *tenant, enum dir_kind kind,
    const char *link, struct err *err) MUST_CHECK;

/* Members (of users and devices, Entra object ids) of a group that a rule names. */
#define STORE_GROUP_MEMBERS_MAX 200000
enum rc store_group_set(struct store *s, const char *tenant, const char *group,
    const char *const *ids, size_t n, int64_t now, struct err *err) MUST_CHECK;
enum rc store_group_has(struct store *s, const char *tenant, const char *group, const char *id,
    bool *has, int64_t *known, struct err *err) MUST_CHECK; /* known 0: never heard */

/* A certificate with all that rules ask about; lent. */
struct store_subject {
	int64_t cert_id;
	const char *serial, *ca, *endpoint, *profile, *subject;
	int64_t issued, not_after;
	enum cert_state state;
	const struct store_binding *binding;
	const struct store_object *user, *device,
	    *managed; /* NULL: not bound to one, or never heard of */
};
/*
 * Certificates that are bound and not expired at `valid_at`, a few thousand a call: begin with *after 0 and go
 * on until *more is false.  A non-zero return of fn ends the walk.
 */
enum rc store_subjects_page(struct store *s, int64_t valid_at, int64_t *after, bool *more,
    int (*fn)(void *arg, const struct store_subject *c), void *arg, struct err *err) MUST_CHECK;

#endif
