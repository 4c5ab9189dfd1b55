/*
 * check_foreign_list.c - scepctl check: is what foreign CAs have revoked still heard, and is anything known of
 * what they have issued?
 */
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "ossl/crl_read.h"
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

/* A list that is a file can be read here and now; whether it is news, scepd judges. */
static void
check_crl_file(struct report *r, const struct conf_foreign *f)
{
	struct cert *ca = NULL;
	struct crl_list l;
	struct buf text, room;
	struct der der;
	struct err err = { 0 };
	enum rc rc;

	/* Why the CA cannot be read, check_foreign() has said. */
	if (cert_load(&ca, f->certificate, NULL) != RC_OK)
		return;
	buf_init(&text, CRL_TEXT_MAX);
	buf_init(&room, CRL_READ_MAX);
	rc = file_read(&text, f->crl, CRL_TEXT_MAX, &err);
	if (rc == RC_OK && (rc = crl_unpack(&der, &room, text.data, text.len, &err)) == RC_OK)
		rc = crl_read(&l, der.p, der.len, ca, &err);
	if (rc != RC_OK) {
		(void)err_context(&err, "its list%s%s", strstr(err.msg, f->crl) ? "" : ", ",
		    strstr(err.msg, f->crl) ? "" : f->crl);
		report_err(r, FINDING_FAIL, f->name, &err);
	}
	buf_done(&room);
	buf_done(&text);
	cert_free(ca);
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

/* What a running scepd met with the last time; the list before that may be good for days. */
static void
check_look(struct report *r, struct store *store, const struct conf_foreign *f)
{
	struct store_foreign_look look;
	char when[CTL_TIME_MAX];

	if (store_foreign_look_get(store, f->name, &look, NULL) == RC_OK && look.failure[0] != '\0')
		report(r, FINDING_WARN, f->name, "the last look at its list, %s, was in vain: %s",
		    ctl_time(when, look.tried), look.failure);
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
		if (v[i].crl != NULL) {
			if (!config_is_url(v[i].crl))
				check_crl_file(r, &v[i]);
			check_crl(r, store, &v[i]);
			check_look(r, store, &v[i]);
		} else {
			report(r, FINDING_WARN, v[i].name,
			    "its own list is not read (crl is not set): what the CA revokes itself "
			    "is not known here");
		}
	}
	store_close(store);
}
