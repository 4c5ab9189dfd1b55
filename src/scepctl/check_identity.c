/*
 * check_identity.c - scepctl check: is each CA the one that the database knows by its name?
 */
#include "scepctl/ctl.h"
#include "scepctl/report.h"
#include "scepd/ca_identity.h"

/* Why a certificate cannot be read, check_cas() has said; of an older database, check_store(). */
static void
check_one(struct report *r, struct store *store, const char *name, bool own, const char *file)
{
	struct cert *cert = NULL;
	struct err err = { 0 };

	if (cert_load(&cert, file, NULL) != RC_OK)
		return;
	if (ca_identity_check(store, &(struct ca_identity){ name, own, cert }, NULL, &err) != RC_OK)
		report_err(r, FINDING_FAIL, name, &err);
	cert_free(cert);
}

void
check_identities(struct report *r, const struct config *c)
{
	const struct conf_foreign *foreign = c->foreign_cas.v;
	const struct conf_ca *own = c->cas.v;
	struct store *store = NULL;

	if (store_open_shared(&store, c->store.url, NULL) != RC_OK)
		return;
	for (size_t i = 0; i < c->cas.n; i++)
		check_one(r, store, own[i].name, true, own[i].certificate);
	for (size_t i = 0; i < c->foreign_cas.n; i++)
		check_one(r, store, foreign[i].name, false, foreign[i].certificate);
	store_close(store);
}
