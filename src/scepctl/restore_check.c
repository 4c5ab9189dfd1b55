/*
 * restore_check.c - what was unpacked is a CA that can go on: before it gets its name.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "scepctl/backup.h"
#include "scepctl/ctl.h"
#include "scepd/keys.h"
#include "signer/signer.h"

/*
 * Since the backup the old machine may have given CRL numbers.  It makes a list when one is asked for and the
 * last is ten seconds old, so one number for every second since is more than it can have used.  The
 * million covers clocks that disagree and a list that failed and was made again.
 */
#define SKIP_MORE 1000000

/* Every path leads to a file of this restore. */
static enum rc
check_place(const struct backup_file *f, struct err *err)
{
	if (!str_starts(f->name, BACKUP_CONFIG))
		return fail(err, RC_CONFIG,
		    "scepd.yaml names %s in a form that could not be rewritten", f->path);
	if (access(f->path, F_OK) != 0)
		return fail_errno(err, "cannot find %s, which scepd.yaml names", f->path);
	return RC_OK;
}

static enum rc
check_places(const struct config *c, struct err *err)
{
	struct backup_files f;
	enum rc rc = backup_files_find(&f, c, err);

	if (rc != RC_OK)
		return rc;
	rc = check_place(&f.database, err);
	for (size_t i = 0; rc == RC_OK && i < f.n; i++)
		rc = check_place(&f.v[i], err);
	backup_files_done(&f);
	return rc;
}

/* A key that is in a token, or whose passphrase systemd passes, is not here to be tried. */
static bool
keys_are_here(const struct config *c)
{
	const struct conf_ca *ca = c->cas.v;

	for (size_t i = 0; i < c->cas.n; i++)
		if (config_key_is_uri(ca[i].key) || config_key_is_uri(ca[i].ra_key) ||
		    (ca[i].ocsp_key != NULL && config_key_is_uri(ca[i].ocsp_key)) ||
		    (ca[i].passphrase_file != NULL && ca[i].passphrase_file[0] != '/'))
			return false;
	return true;
}

static enum rc
check_keys(struct restore *r, const struct config *c, struct err *err)
{
	struct keys_secrets *secrets = NULL;
	struct signer *signer = NULL;
	enum rc rc;

	if (!keys_are_here(c)) {
		buf_adds(&r->told,
		    "Keys were not tried: their passphrase or token is not here.  scepctl check "
		    "tries them.\n");
		return RC_OK;
	}
	if ((rc = keys_secrets_read(&secrets, c, NULL, NULL, err)) == RC_OK)
		rc = keys_open(&signer, c, secrets, NULL, err);
	keys_secrets_free(secrets);
	signer_close(signer);
	return rc;
}

static enum rc
skip_numbers(struct restore *r, const struct config *c, struct store *store, struct err *err)
{
	const struct conf_ca *ca = c->cas.v;
	int64_t age = clock_now() - r->made;
	uint64_t by = (age > 0 ? (uint64_t)age : 0) + SKIP_MORE;
	char when[CTL_TIME_MAX], why[160];
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < c->cas.n; i++) {
		(void)snprintf(why, sizeof(why),
		    "%.60s from a backup of %s; %llu CRL numbers left out", ca[i].name,
		    ctl_time(when, r->made), (unsigned long long)by);
		rc = store_crl_skip(store, ca[i].name, by, why, err);
	}
	return rc;
}

/* A use or an approval that was spent after the backup must not be good a second time. */
static enum rc
spent_elsewhere(struct restore *r, struct store *store, struct err *err)
{
	char when[CTL_TIME_MAX], why[80];
	uint64_t otps = 0, holds = 0;
	enum rc rc;

	(void)snprintf(why, sizeof(why), "from a backup of %s", ctl_time(when, r->made));
	rc = store_spent_elsewhere(store, why, &otps, &holds, err);
	if (rc == RC_OK && otps > 0)
		buf_addf(&r->told,
		    "%llu one-time passwords were revoked: they may have been used since the "
		    "backup.\n",
		    (unsigned long long)otps);
	if (rc == RC_OK && holds > 0)
		buf_addf(&r->told,
		    "%llu approved requests wait to be decided again (scepctl requests list): they "
		    "may have got their certificates since the backup.\n",
		    (unsigned long long)holds);
	return rc;
}

static enum rc
check_store(struct restore *r, const struct config *c, struct err *err)
{
	struct store *store = NULL;
	struct store_stats st;
	uint64_t rows = 0;
	enum rc rc;

	if (access(c->store.url + strlen("sqlite:"), F_OK) != 0)
		return fail(err, RC_INTEGRITY, "%s holds no database", r->src.path);
	if ((rc = store_open(&store, c->store.url, err)) != RC_OK)
		return rc;
	if ((rc = store_audit_verify(store, &rows, err)) == RC_OK &&
	    (rc = store_stats(store, &st, err)) == RC_OK &&
	    (rc = skip_numbers(r, c, store, err)) == RC_OK) {
		buf_addf(&r->told,
		    "Database: %llu certificates, %llu revoked, %llu held; audit of %llu rows, "
		    "chain whole.\n",
		    (unsigned long long)st.certs, (unsigned long long)st.revoked,
		    (unsigned long long)st.held, (unsigned long long)rows);
		rc = spent_elsewhere(r, store, err);
	}
	store_close(store);
	return rc;
}

/* The signer's own audit; a CA whose signer has kept nothing yet has none. */
static enum rc
check_state(struct restore *r, const struct config *c, struct err *err)
{
	uint64_t lines = 0;
	enum rc rc;

	if (access(c->processes.signer_state, F_OK) != 0)
		return RC_OK;
	rc = signer_audit_verify(c->processes.signer_state, &lines, err);
	if (rc == RC_NOTFOUND)
		return RC_OK;
	if (rc == RC_OK)
		buf_addf(&r->told, "Signer: audit of %llu lines, chain whole.\n",
		    (unsigned long long)lines);
	return rc;
}

enum rc
restore_check(struct restore *r, struct err *err)
{
	const char *name = json_get_str(r->manifest, "config");
	struct config *c = NULL;
	char *path = NULL;
	enum rc rc;

	rc = path_join(&path, r->tmp, name + strlen(BACKUP_CONFIG), err);
	if (rc == RC_OK && (rc = config_load(&c, path, err)) == RC_OK &&
	    (rc = check_places(c, err)) == RC_OK && (rc = check_keys(r, c, err)) == RC_OK &&
	    (rc = check_state(r, c, err)) == RC_OK)
		rc = check_store(r, c, err);
	config_free(c);
	free(path);
	return rc;
}
