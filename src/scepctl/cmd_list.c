/*
 * cmd_list.c - scepctl list: certificates, one a line.
 */
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/clock.h"
#include "base/text.h"
#include "scepctl/cert_json.h"
#include "scepctl/listing.h"
#include "scepctl/select.h"
#include "store/store_foreign.h"

struct options {
	const char *config, *match, *ca, *endpoint, *status, *binding;
	struct select_by by;
	bool json, revoked, valid;
};

static const struct opt opts[] = {
	OPT_CONFIG(options),
	OPT_FLAG_ROW("json", options, json, "a JSON array instead of a table"),
	{ .name = "status",
	    .type = OPT_CHOICE,
	    .offset = offsetof(struct options, status),
	    .value = "STATUS",
	    .help = "only those that are so",
	    .choices = "good|hold|revoked" },
	OPT_FLAG_ROW("revoked", options, revoked, "only revoked certificates: --status revoked"),
	OPT_FLAG_ROW(
	    "valid", options, valid, "only certificates that are good and have not expired"),
	OPT_DEVICE(options),
	OPT_USER(options),
	{ .name = "binding",
	    .type = OPT_CHOICE,
	    .offset = offsetof(struct options, binding),
	    .value = "HOW",
	    .help =
		"only those that name somebody whom the directory does not know (unknown), of whom "
		"it knows not all (partial), or who are still to be asked for (open)",
	    .choices = BINDING_UNSETTLED_WORDS },
	{ .name = "match",
	    .letter = 'm',
	    .type = OPT_STR,
	    .offset = offsetof(struct options, match),
	    .value = "GLOB",
	    .help = "only where subject, alternative name or serial fits; a word without * or ? is "
		    "searched for anywhere" },
	{ .name = "ca",
	    .type = OPT_STR,
	    .offset = offsetof(struct options, ca),
	    .value = "NAME",
	    .help = "only of this CA, ours or a foreign one" },
	{ .name = "endpoint",
	    .type = OPT_STR,
	    .offset = offsetof(struct options, endpoint),
	    .value = "NAME",
	    .help = "only of this endpoint" },
	{ .name = NULL },
};

struct certs {
	struct listing rows;
	int64_t now;
};

static void
print_row(const struct certs *l, const struct store_cert_row *r)
{
	char when[CTL_TIME_MAX], subject[512], endpoint[64], ca[80];

	/* Where a foreign CA's has no endpoint, its name. */
	(void)snprintf(ca, sizeof(ca), "(%.63s)", r->ca);

	if (l->rows.n == 0)
		(void)printf("%-40s  %-7s  %-20s  %-12s  %s\n", "SERIAL", "STATE", "NOT AFTER",
		    "ENDPOINT", "SUBJECT");
	(void)printf("%-40s  %-7s  %-20s  %-12s  %s\n", r->serial, cert_state(r, l->now),
	    r->not_after != FOREIGN_NO_END ? ctl_time(when, r->not_after) : "not known",
	    ctl_safe(endpoint, sizeof(endpoint), r->endpoint[0] != '\0' ? r->endpoint : ca),
	    ctl_safe(subject, sizeof(subject), r->subject));
}

static int
on_row(void *arg, int64_t rowid, const struct store_cert_row *row)
{
	struct certs *l = arg;

	if (l->rows.json)
		return listing_item(&l->rows, rowid, cert_json(row, l->now));
	print_row(l, row);
	return listing_printed(&l->rows, rowid);
}

/* A bare word is looked for anywhere. */
static enum rc
pattern_of(char **out, const char *match, struct err *err)
{
	*out = NULL;
	if (match == NULL)
		return RC_OK;
	return strpbrk(match, "*?") != NULL ? str_dup(out, match, err)
					    : str_format(out, err, "*%s*", match);
}

/* One of CERTS_..., or -1: any. */
static enum rc
status_of(int *out, const struct options *o, struct err *err)
{
	static const struct {
		const char *name;
		int filter;
	} names[] = { { "good", CERTS_GOOD }, { "hold", CERTS_HELD },
		{ "revoked", CERTS_REVOKED } };

	if ((o->status != NULL) + o->revoked + o->valid > 1)
		return fail(err, RC_CONFIG, "--status, --revoked and --valid exclude each other");
	*out = o->revoked ? CERTS_REVOKED : o->valid ? CERTS_GOOD : -1;
	for (size_t i = 0; o->status != NULL && i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i].name, o->status) == 0)
			*out = names[i].filter;
	return RC_OK;
}

/* ---- of all ---- */

static enum rc
list_all(struct store *store, struct store_cert_filter *f, struct certs *l, struct err *err)
{
	enum rc rc;

	do
		rc = store_cert_page(store, f, LISTING_PAGE, &f->after_rowid, on_row, l, err);
	while (rc == RC_OK && !l->rows.failed && f->after_rowid != 0);
	return rc;
}

/* ---- of one device or user ---- */

static bool
fits(const struct store_cert_filter *f, const struct store_cert_row *r)
{
	bool is[] = { [CERTS_GOOD] = r->revoked == 0,
		[CERTS_NOT_GOOD] = r->revoked != 0,
		[CERTS_HELD] = r->revoked != 0 && r->reason == REASON_HOLD,
		[CERTS_REVOKED] = r->revoked != 0 && r->reason != REASON_HOLD };

	return (f->revoked < 0 || is[f->revoked]) && r->not_after >= f->valid_at &&
	    (f->ca == NULL || strcmp(f->ca, r->ca) == 0) &&
	    (f->endpoint == NULL || strcmp(f->endpoint, r->endpoint) == 0) &&
	    (f->text == NULL || glob_match(f->text, r->serial) ||
		(r->subject != NULL && glob_match(f->text, r->subject)) ||
		(r->san != NULL && glob_match(f->text, r->san)));
}

static enum rc
list_one(struct store *store, const char *serial, const char *ca, const struct store_cert_filter *f,
    struct certs *l, struct err *err)
{
	struct store_cert_row row = { 0 };
	enum rc rc = store_cert_get(store, serial, ca, &row, err);

	if (rc == RC_OK && fits(f, &row))
		(void)on_row(l, 0, &row);
	store_cert_row_done(&row);
	return rc;
}

static enum rc
list_bound(struct store *store, const struct options *o, const struct store_cert_filter *f,
    struct certs *l, struct err *err)
{
	struct selection sel = { 0 };
	enum rc rc = selection_make(&sel, store, &o->by, f->valid_at, 0, NULL, err);

	for (size_t i = 0; rc == RC_OK && !l->rows.failed && i < sel.n; i++)
		rc = list_one(store, sel.v[i].serial, sel.v[i].ca, f, l, err);
	selection_done(&sel);
	return rc;
}

static enum rc
list(struct store *store, const struct options *o, struct certs *l, struct err *err)
{
	struct store_cert_filter f = { .ca = o->ca,
		.endpoint = o->endpoint,
		.valid_at = o->valid ? l->now : 0,
		.unsettled = (int)binding_unsettled_by_name(o->binding) };
	char *pattern = NULL;
	bool bound = o->by.device != NULL || o->by.user != NULL;
	enum rc rc = status_of(&f.revoked, o, err);

	if (rc == RC_OK && bound && o->binding != NULL)
		rc = fail(err, RC_CONFIG,
		    "--binding lists certificates of nobody whom the directory knows, and --device "
		    "and "
		    "--user those of somebody");
	if (rc == RC_OK)
		rc = pattern_of(&pattern, o->match, err);
	f.text = pattern;
	if (rc == RC_OK)
		rc = bound ? list_bound(store, o, &f, l, err) : list_all(store, &f, l, err);
	free(pattern);
	return listing_end(&l->rows, rc, err);
}

static int
run(const void *options, int nargs, char **args)
{
	const struct options *o = options;
	struct certs l = { .rows.json = o->json, .now = clock_now() };
	struct config *c = NULL;
	struct store *store = NULL;
	struct err err = { 0 };
	enum rc rc;

	rc = ctl_open(&c, &store, o->config, &err);
	if (rc == RC_OK)
		rc = list(store, o, &l, &err);
	if (rc == RC_OK && l.rows.n == 0 && o->endpoint != NULL)
		rc = ctl_endpoint(c, o->endpoint, &err);
	if (rc == RC_OK && l.rows.n == 0 && o->ca != NULL && config_ca(c, o->ca) == NULL &&
	    config_foreign(c, o->ca) == NULL)
		rc = fail(&err, RC_NOTFOUND, "%s: there is no CA \"%.60s\"", c->path, o->ca);
	store_close(store);
	config_free(c);
	if (rc != RC_OK)
		return err_report(PROG, &err);
	listing_close(&l.rows, "no certificates\n");
	return EX_OK;
}

const struct command cmd_list = {
	.name = "list",
	.args = "",
	.help = "certificates, one a line",
	.about = "Examples:\n"
		 "  scepctl list --valid --match '*@contoso.com'\n"
		 "  scepctl list --status hold\n"
		 "  scepctl list --user jane@contoso.com --json\n"
		 "  scepctl list --valid --binding unknown\n",
	.opts = opts,
	.size = sizeof(struct options),
	.run = run,
};
