/*
 * report.h - findings of scepctl check: one line each, counted.
 */
#ifndef SCEPD_SCEPCTL_REPORT_H
#define SCEPD_SCEPCTL_REPORT_H

#include "base/err.h"
#include "ca/ca.h"
#include "intune.h"
#include "scepd/config.h"
#include "scepd/expiry.h"

enum finding { FINDING_OK, FINDING_WARN, FINDING_FAIL, FINDING__MAX };

struct report {
	bool json, quiet; /* quiet: what is well is not printed */
	unsigned n[FINDING__MAX];
	void *list;  /* json_t array, with json */
	bool broken; /* memory ran out for JSON */
};

void report(struct report *r, enum finding f, const char *what, const char *fmt, ...)
    PRINTF_LIKE(4, 5);
/* An error as a failure, its hint on a line of its own. */
void report_err(struct report *r, enum finding f, const char *what, const struct err *err);

/* check_files.c: keys, certificates, database, modes. */
void check_cas(struct report *r, const struct config *c);
/* What opens keys can be had just now, or is told of: then they can be tried. */
bool check_secrets(
    struct report *r, const char *name, const char *passphrase_file, const char *pin_file);
/* check_foreign.c: part of check_cas(), which has opened the tokens. */
void check_foreign(struct report *r, const struct config *c);
/* check_foreign_list.c: what they have issued and revoked, as the store knows it. */
void check_foreign_lists(struct report *r, const struct config *c);
/* check_identity.c: whether each CA is the one that the database knows by its name. */
void check_identities(struct report *r, const struct config *c);
void check_modes(struct report *r, const struct config *c);
void check_store(struct report *r, const struct config *c);
void check_listeners(struct report *r, const struct config *c);
/* An end that the server would tell of as well. */
void check_expiry(struct report *r, const char *what, const struct expiry_thing *t);
/* check_processes.c: accounts, folders and tokens of the processes, and what this kernel can do for them. */
void check_processes(struct report *r, const struct config *c);
/* check_limits.c: what the certificates of a CA and those above it forbid, against the profiles that
 * use it. */
void check_ca_limits(
    struct report *r, const struct config *c, const struct conf_ca *conf, const struct ca *ca);
/* check_rules.c: rules that never say anything, a brake that is off, a sweep that waits. */
void check_rules(struct report *r, const struct config *c);
bool check_rule_is_about(const struct directory_rule *r, const char *tenant);
/* A grace of 48, which is seconds.  The rule's name, its grace. */
bool check_grace_is_short(const struct directory_rule *r);
#define CHECK_GRACE_SHORT                                                                          \
	"Rule %s: a grace of %lld seconds is over before Intune has judged a new device. A "       \
	"number alone is seconds: write 48h, or 2d"
/* check_directory.c: may the app ask what rules need to know?  Asks, and changes nothing. */
void check_directory(struct report *r, const struct config *c, const struct conf_tenant *conf,
    struct intune_client *client);
/* check_service.c: what devices and Intune will see. */
void check_profiles(struct report *r, const struct config *c);
void check_endpoints(struct report *r, const struct config *c);
void check_admin(struct report *r, const struct config *c);
void check_tenants(struct report *r, const struct config *c, bool online);

#endif
