/*
 * cmd_otp.c - scepctl otp new | list | revoke: one-time passwords.
 *
 * A password is printed when it is made and never again: the database has its hash.
 */
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/clock.h"
#include "base/text.h"
#include "scepctl/comment.h"
#include "scepctl/listing.h"
#include "scepctl/otp_new.h"

#define REVOKE_MAX 1000 /* rows read at a time */

static const struct otp_options defaults = { .uses = 1, .count = 1 };

/* ---- list ---- */

static json_t *
row_json(const struct store_otp_row *r)
{
	const struct {
		const char *key, *value;
	} strs[] = {
		{ "state", otp_state_name(r->state) },
		{ "endpoint", r->endpoint },
		{ "subject", r->subject },
		{ "san", r->san },
		{ "madeBy", r->who },
		{ "comment", r->comment },
		{ "lastTransactionId", r->last_transaction_id },
	};
	const struct {
		const char *key;
		int64_t ms;
	} times[] = {
		{ "created", r->created },
		{ "expires", r->expires },
		{ "revoked", r->revoked },
		{ "lastUsed", r->last_used },
	};
	json_t *o = json_object();
	bool built = o != NULL && ctl_json_int(o, "id", r->id) &&
	    ctl_json_int(o, "uses", r->uses) && ctl_json_int(o, "used", r->used);

	for (size_t i = 0; built && i < sizeof(strs) / sizeof(strs[0]); i++)
		built = ctl_json_str(o, strs[i].key, strs[i].value);
	for (size_t i = 0; built && i < sizeof(times) / sizeof(times[0]); i++)
		built = ctl_json_time(o, times[i].key, times[i].ms / 1000);
	if (built)
		return o;
	json_decref(o);
	return NULL;
}

static void
print_row(const struct listing *l, const struct store_otp_row *r)
{
	char when[CTL_TIME_MAX], used[32], endpoint[64], subject[512], comment[512];

	if (l->n == 0)
		(void)printf("%-8s  %-7s  %-9s  %-20s  %-12s  %-30s  %s\n", "NUMBER", "STATE",
		    "USED", "EXPIRES", "ENDPOINT", "SUBJECT", "COMMENT");
	(void)snprintf(used, sizeof(used), "%u of %u", r->used, r->uses);
	(void)printf("%-8lld  %-7s  %-9s  %-20s  %-12s  %-30s  %s\n", (long long)r->id,
	    otp_state_name(r->state), used, ctl_time(when, r->expires / 1000),
	    ctl_safe(endpoint, sizeof(endpoint), r->endpoint),
	    ctl_safe(subject, sizeof(subject), r->subject != NULL ? r->subject : "(the profile's)"),
	    ctl_safe(comment, sizeof(comment), r->comment));
}

static int
on_row(void *arg, const struct store_otp_row *r)
{
	struct listing *l = arg;

	if (l->json)
		return listing_item(l, r->id, row_json(r));
	print_row(l, r);
	return listing_printed(l, r->id);
}

static enum rc
list_all(struct store *s, const struct otp_options *o, struct listing *l, struct err *err)
{
	struct store_otp_filter f = { .endpoint = o->endpoint, .live = o->live };
	enum rc rc;

	do {
		rc = store_otp_each(s, &f, LISTING_PAGE, on_row, l, err);
		f.after_id = l->last;
	} while (listing_goes_on(l, rc));
	return listing_end(l, rc, err);
}

static int
run_list(const void *options, int nargs, char **args)
{
	const struct otp_options *o = options;
	struct listing l = { .json = o->json };
	struct config *c = NULL;
	struct store *s = NULL;
	struct err err = { 0 };
	enum rc rc = ctl_open(&c, &s, o->config, &err);

	if (rc == RC_OK)
		rc = list_all(s, o, &l, &err);
	if (rc == RC_OK && l.n == 0 && o->endpoint != NULL)
		rc = ctl_endpoint(c, o->endpoint, &err);
	store_close(s);
	config_free(c);
	if (rc != RC_OK)
		return err_report(PROG, &err);
	listing_close(&l, "no one-time passwords\n");
	return EX_OK;
}

static const struct opt list_opts[] = {
	OPT_CONFIG(otp_options),
	OTP_ENDPOINT_ROW("only of this endpoint"),
	OPT_FLAG_ROW("live", otp_options, live, "only those that can still be used"),
	OPT_FLAG_ROW("json", otp_options, json, "a JSON array instead of a table"),
	{ .name = NULL },
};

/* ---- revoke ---- */

struct doomed {
	int64_t ids[REVOKE_MAX];
	size_t n;
};

static int
on_live(void *arg, const struct store_otp_row *r)
{
	struct doomed *d = arg;

	d->ids[d->n++] = r->id;
	return 0;
}

/* One run of it; `rows` has those that were revoked. */
struct revoking {
	const struct config *c;
	struct store *s;
	const struct otp_options *o;
	char who[CTL_WHO_MAX];
	struct listing rows;
};

/* What became of one: as of certificates, those that could not be changed are told by the error. */
static void
tell_revoked(struct revoking *r, int64_t id)
{
	json_t *v;

	if (!r->rows.json) {
		if (!r->o->all)
			(void)printf("revoked one-time password %lld\n", (long long)id);
		(void)listing_printed(&r->rows, id);
		return;
	}
	v = json_object();
	if (v != NULL && ctl_json_int(v, "id", id) && ctl_json_str(v, "outcome", "done")) {
		(void)listing_item(&r->rows, id, v);
		return;
	}
	json_decref(v);
	r->rows.failed = true;
}

static enum rc
revoke(struct revoking *r, int64_t id, struct err *err)
{
	enum rc rc = store_otp_revoke(r->s, id, r->who, r->o->comment, err);

	if (rc == RC_OK)
		tell_revoked(r, id);
	return listing_end(&r->rows, rc, err);
}

/* One that was used or revoked a moment ago is none to be revoked any more. */
static enum rc
revoke_list(struct revoking *r, const struct doomed *d, struct err *err)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; i < d->n && rc == RC_OK; i++) {
		rc = revoke(r, d->ids[i], err);
		if (rc == RC_CONFLICT || rc == RC_NOTFOUND)
			rc = RC_OK;
	}
	return rc;
}

static enum rc
revoke_all(struct revoking *r, struct err *err)
{
	struct store_otp_filter f = { .endpoint = r->o->endpoint, .live = true };
	struct doomed d;
	enum rc rc;

	do {
		d.n = 0;
		rc = store_otp_each(r->s, &f, REVOKE_MAX, on_live, &d, err);
		if (rc == RC_OK && d.n > 0) {
			f.after_id = d.ids[d.n - 1];
			rc = revoke_list(r, &d, err);
		}
	} while (rc == RC_OK && d.n == REVOKE_MAX);
	if (rc == RC_OK && r->rows.n == 0 && f.endpoint != NULL &&
	    (rc = ctl_endpoint(r->c, f.endpoint, err)) != RC_OK)
		return rc;
	if (!r->rows.json)
		(void)printf(
		    "revoked %zu one-time password%s\n", r->rows.n, r->rows.n == 1 ? "" : "s");
	return rc;
}

static enum rc
revoke_one(struct revoking *r, const char *number, struct err *err)
{
	int64_t id;
	enum rc rc = ctl_number(&id, number, "one-time password", err);

	if (rc == RC_OK && (rc = revoke(r, id, err)) == RC_NOTFOUND)
		(void)err_hint(err, "'" PROG " otp list' has the numbers");
	return rc;
}

/* The array is whole whatever came of it, as some may be revoked already. */
static enum rc
revoke_asked(struct revoking *r, int nargs, char **args, struct err *err)
{
	enum rc rc = ctl_comment_check(r->o->comment, err);

	if (rc != RC_OK)
		return rc;
	ctl_who(r->who);
	if (r->o->all)
		rc = revoke_all(r, err);
	for (int i = 0; i < nargs && rc == RC_OK; i++)
		rc = revoke_one(r, args[i], err);
	listing_close(&r->rows, "");
	return rc;
}

static int
run_revoke(const void *options, int nargs, char **args)
{
	const struct otp_options *o = options;
	struct revoking r = { .o = o, .rows.json = o->json };
	struct config *c = NULL;
	struct store *s = NULL;
	struct err err = { 0 };
	enum rc rc = RC_OK;

	if (o->all == (nargs > 0))
		rc = fail(&err, RC_CONFIG, "which? Either numbers or --all");
	else if (!o->all && o->endpoint != NULL)
		rc = fail(&err, RC_CONFIG, "--endpoint goes with --all");
	if (rc == RC_OK)
		rc = ctl_open(&c, &s, o->config, &err);
	r.c = c;
	r.s = s;
	if (rc == RC_OK)
		rc = revoke_asked(&r, nargs, args, &err);
	store_close(s);
	config_free(c);
	return rc == RC_OK ? EX_OK : err_report(PROG, &err);
}

static const struct opt revoke_opts[] = {
	OPT_CONFIG(otp_options),
	OPT_FLAG_ROW("all", otp_options, all, "every one that can still be used"),
	OTP_ENDPOINT_ROW("with --all: of this endpoint only"),
	{ .name = "comment",
	    .letter = 'm',
	    .type = OPT_STR,
	    .offset = offsetof(struct otp_options, comment),
	    .value = "TEXT",
	    .help = "kept in the audit trail" },
	OPT_FLAG_ROW("json", otp_options, json, "a JSON array: those that were revoked"),
	{ .name = NULL },
};

/* ---- the table ---- */

static const struct command table[] = {
	{ .name = "new",
	    .args = "",
	    .help = "make one-time passwords and print them, this once",
	    .about =
		"Standard output has the passwords alone, one a line.  Devices may send them "
		"without hyphens and in small letters.\n\n"
		"Examples:\n"
		"  scepctl otp new --subject CN=printer-7 --lifetime 2h\n"
		"  scepctl otp new --endpoint school --subject 'CN=pad-*' --count 30 >slips.txt\n",
	    .opts = otp_new_opts,
	    .size = sizeof(struct otp_options),
	    .defaults = &defaults,
	    .run = otp_new_run },
	{ .name = "list",
	    .args = "",
	    .help = "what was made and what became of it, one a line",
	    .opts = list_opts,
	    .size = sizeof(struct otp_options),
	    .run = run_list },
	{ .name = "revoke",
	    .args = "NUMBER... | --all",
	    .help = "let a password be used no more",
	    .about = "Certificates that came of it stay.\n\n"
		     "Example:\n"
		     "  scepctl otp revoke 17 18 --comment 'slips were lost'\n",
	    .opts = revoke_opts,
	    .size = sizeof(struct otp_options),
	    .max_args = 100,
	    .run = run_revoke },
	{ .name = NULL },
};

const struct command cmd_otp = {
	.name = "otp",
	.help = "one-time passwords: new, list, revoke",
	.sub = table,
};
