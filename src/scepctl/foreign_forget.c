/*
 * foreign_forget.c - scepctl foreign forget: what is known of a foreign CA that has left scepd.yaml is deleted, so that its
 * name is free for another.
 */
#include <inttypes.h>
#include <string.h>
#include <sysexits.h>

#include "base/clock.h"
#include "scepctl/change.h"
#include "scepctl/ctl.h"
#include "scepd/ca_identity.h"
#include "store/store_foreign.h"

struct options {
	const char *config;
	bool dry_run, yes, json;
};

static const struct opt opts[] = {
	OPT_CONFIG(options),
	OPT_FLAG_ROW(
	    "dry-run", options, dry_run, "say how much there is to forget, and change nothing"),
	OPT_FLAG_ROW("yes", options, yes, "do not ask; needed where there is no terminal"),
	OPT_FLAG_ROW("json", options, json, "as JSON"),
	{ .name = NULL },
};

/* ---- may it be? ---- */

/* One that is answered for would come back with its next list.  One of its name that is another CA is why this is asked. */
static enum rc
check_gone(const struct config *c, struct store *store, const char *name, struct err *err)
{
	const struct conf_foreign *foreign = config_foreign(c, name);
	const struct conf_ca *own = config_ca(c, name);
	struct ca_identity ca = { name, own != NULL, NULL };
	struct cert *cert = NULL;
	enum rc rc;

	/* The scepd that runs may have it still, and would put it back with its next list. */
	if (ctl_running(c) == CTL_RUNS_OLDER) {
		(void)fail(err, RC_CONFLICT,
		    "%s was changed since the scepd that runs was started: that one may know the "
		    "CA %s still",
		    c->path, name);
		return err_hint(err, "restart scepd first (systemctl restart scepd)");
	}
	if (foreign == NULL && own == NULL)
		return RC_OK;
	rc = cert_load(&cert, own != NULL ? own->certificate : foreign->certificate, err);
	if (rc == RC_OK) {
		ca.cert = cert;
		rc = ca_identity_check(store, &ca, NULL, err);
	}
	cert_free(cert);
	if (rc == RC_CONFIG)
		return RC_OK;
	if (rc != RC_OK)
		return rc;
	(void)fail(err, RC_CONFLICT, "%s: the CA %s is still in it, under %s", c->path, name,
	    own != NULL ? "cas" : "foreign_cas");
	return err_hint(err, "take it out and restart scepd first");
}

/* *rows: of its certificates. */
static enum rc
check_known(struct store *store, const char *name, uint64_t *rows, struct err *err)
{
	struct store_identity id = { .own = false };
	struct store_foreign_crl crl;
	uint64_t bare;
	enum rc known = store_identity_get(store, name, &id, err), rc;

	if (known != RC_OK && known != RC_NOTFOUND)
		return known;
	if (id.own)
		return fail(err, RC_CONFLICT,
		    "%s is, or was, one of this server's own CAs: what it has issued is never "
		    "forgotten",
		    name);
	rc = store_foreign_count(store, name, rows, &bare, err);
	if (rc == RC_OK && *rows == 0 && known == RC_NOTFOUND)
		rc = store_foreign_crl_get(store, name, &crl, err);
	if (rc == RC_NOTFOUND) {
		(void)fail(err, RC_NOTFOUND, "nothing is known of a foreign CA \"%.60s\"", name);
		return err_hint(err, PROG " foreign list names those that there are");
	}
	return rc;
}

/* ---- forgotten ---- */

static enum rc
confirm(const struct options *o, const char *name, uint64_t rows, struct err *err)
{
	char question[160], nobody[80];
	struct ctl_question q = { .yes = o->yes,
		.question = question,
		.no = "nothing was forgotten",
		.nobody = nobody,
		.hint = "--yes forgets without asking, --dry-run tells how much" };

	(void)snprintf(nobody, sizeof(nobody), "forgetting %" PRIu64 " certificates", rows);
	(void)snprintf(question, sizeof(question),
	    "Forget the CA %.60s and its %" PRIu64 " certificates, for good?", name, rows);
	return ctl_confirm(&q, err);
}

/* Whoever enrols meanwhile gets his turn. */
static enum rc
forget(struct store *store, const char *name, struct err *err)
{
	char who[CTL_WHO_MAX];
	const char *by = who;
	size_t n = STORE_CAUSES_BATCH;
	enum rc rc = RC_OK;

	ctl_who(who);
	while (rc == RC_OK && n == STORE_CAUSES_BATCH) {
		uint64_t began = clock_mono_us();

		rc = store_foreign_forget(store, name, by, &n, err);
		by = NULL;
		if (rc == RC_OK && n == STORE_CAUSES_BATCH)
			change_give_way(clock_mono_us() - began);
	}
	if (rc != RC_OK && by == NULL)
		return err_hint(err, "some of it is gone; the same command again goes on");
	return rc;
}

static int
tell(const struct options *o, const char *name, uint64_t rows)
{
	json_t *v;

	if (!o->json) {
		(void)printf("%s: %" PRIu64 " certificates %s\n", name, rows,
		    o->dry_run ? "would be forgotten" : "are forgotten");
		return EX_OK;
	}
	v = json_object();
	return ctl_json_print(v,
	    v != NULL && ctl_json_str(v, "ca", name) &&
		ctl_json_int(v, "certificates", (int64_t)rows) &&
		json_object_set_new(v, "forgotten", json_boolean(!o->dry_run)) == 0);
}

static int
run(const void *options, int nargs, char **args)
{
	const struct options *o = options;
	const char *name = args[0];
	struct config *c = NULL;
	struct store *store = NULL;
	struct err err = { 0 };
	uint64_t rows = 0;
	enum rc rc = ctl_open(&c, &store, o->config, &err);

	if (rc == RC_OK)
		rc = check_gone(c, store, name, &err);
	if (rc == RC_OK)
		rc = check_known(store, name, &rows, &err);
	if (rc == RC_OK && !o->dry_run && (rc = confirm(o, name, rows, &err)) == RC_OK)
		rc = forget(store, name, &err);
	store_close(store);
	config_free(c);
	return rc == RC_OK ? tell(o, name, rows) : err_report(PROG, &err);
}

const struct command foreign_forget = {
	.name = "forget",
	.args = "NAME",
	.help = "a foreign CA that has left the configuration: delete what is known of it",
	.about =
	    "Its certificates, who they are bound to, and why they are held or revoked are gone "
	    "then; what the audit\n"
	    "trail says of them stays.  The name may be given to another CA afterwards.\n\n"
	    "Examples:\n"
	    "  scepctl foreign forget adcs --dry-run\n"
	    "  scepctl foreign forget adcs --yes\n",
	.opts = opts,
	.size = sizeof(struct options),
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
