/*
 * check_foreign_list.c - scepctl check: is what foreign CAs have revoked still heard, and is anything known of
 * what they have issued?
 */
#include <inttypes.h>

#include "base/clock.h"
#include "scepctl/ctl.h"
#include "scepctl/report.h"
#include "store/store_foreign.h"

static void
check_rows(struct report *r, struct store *store, const struct conf_foreign *f)
{
	uint64_t rows = 0, bare = 0;
	struct err err = { 0 };

	if (store_foreign_count(store, f->name, &rows, &bare, &err) != RC_OK)
		report_err(r, FINDING_FAIL, f->name, &err);
	else if (rows == bare)
		report(r, FINDING_WARN, f->name,
		    "none of its certificates was imported: rules do not know them (" PROG
		    " foreign import %s)",
		    f->name);
	else
		report(r, FINDING_OK, f->name,
		    "%" PRIu64 " certificates imported, %" PRIu64 " known by serial number alone",
		    rows - bare, bare);
}

static void
check_crl(struct report *r, struct store *store, const struct conf_foreign *f)
{
	struct store_foreign_crl crl;
	char when[CTL_TIME_MAX];
	struct err err = { 0 };
	enum rc rc = store_foreign_crl_get(store, f->name, &crl, &err);

	if (rc == RC_NOTFOUND)
		report(r, FINDING_WARN, f->name,
		    "its list was never read: a running scepd reads %s, and its log says why not",
		    f->crl);
	else if (rc != RC_OK)
		report_err(r, FINDING_FAIL, f->name, &err);
	else if (crl.next_update != 0 && crl.next_update < clock_now())
		report(r, FINDING_FAIL, f->name,
		    "its list ended %s: what the CA has revoked since is not known here (%s)",
		    ctl_time(when, crl.next_update), f->crl);
	else if (crl.next_update == 0)
		report(r, FINDING_OK, f->name, "its list of %s has no end",
		    ctl_time(when, crl.this_update));
	else
		report(r, FINDING_OK, f->name, "its list, of %" PRIu64 " entries, is good until %s",
		    crl.entries, ctl_time(when, crl.next_update));
}

static void
check_tenant(struct report *r, const struct config *c, const struct conf_foreign *f)
{
	const struct conf_tenant *t = f->tenant != NULL ? config_tenant(c, f->tenant) : NULL;

	if (t == NULL)
		report(r, FINDING_OK, f->name,
		    "no directory is asked whom its certificates name: rules leave them alone");
	else if (!t->directory)
		report(r, FINDING_WARN, f->name,
		    "tenant %s has directory: false, so that nobody is asked whom its certificates "
		    "name",
		    t->name);
}

void
check_foreign_lists(struct report *r, const struct config *c)
{
	const struct conf_foreign *v = c->foreign_cas.v;
	struct store *store = NULL;

	/* Why it cannot be opened, check_store() has said. */
	if (c->foreign_cas.n == 0 || store_open_shared(&store, c->store.url, NULL) != RC_OK)
		return;
	for (size_t i = 0; i < c->foreign_cas.n; i++) {
		check_tenant(r, c, &v[i]);
		check_rows(r, store, &v[i]);
		if (v[i].crl != NULL)
			check_crl(r, store, &v[i]);
		else
			report(r, FINDING_WARN, v[i].name,
			    "its own list is not read (crl is not set): what the CA revokes itself "
			    "is "
			    "not known here");
	}
	store_close(store);
}
