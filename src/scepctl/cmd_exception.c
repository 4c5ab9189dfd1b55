/*
 * cmd_exception.c - scepctl exception add | confirm | end | list: certificates that rules leave alone for a while.
 */
#include <string.h>
#include <sysexits.h>

#include "base/clock.h"
#include "base/text.h"
#include "scepctl/listing.h"
#include "scepctl/select.h"
#include "store/store_sweep.h"

struct options {
	const char *config, *certificate, *ca, *device, *user, *rule, *comment, *until;
	int64_t lasts;
	bool json, all;
};

/* ---- as words ---- */

static const char *
state_of(const struct store_exception *e, int64_t now)
{
	return e->ended != 0    ? "ended"
	    : e->until <= now   ? "over"
	    : e->confirmed == 0 ? "waiting"
				: "in force";
}

static json_t *
exception_json(const struct store_exception *e, int64_t now)
{
	json_t *o = json_object();
	bool built = o != NULL && ctl_json_int(o, "id", e->id) &&
	    ctl_json_str(o, "state", state_of(e, now)) &&
	    ctl_json_str(o, "of", exception_of_name(e->of)) &&
	    ctl_json_str(o, "target", e->target) &&
	    ctl_json_str(o, "ca", e->ca[0] != '\0' ? e->ca : NULL) &&
	    ctl_json_str(o, "rule", e->rule[0] != '\0' ? e->rule : NULL) &&
	    ctl_json_time(o, "created", e->created) && ctl_json_time(o, "until", e->until) &&
	    ctl_json_time(o, "confirmed", e->confirmed) && ctl_json_time(o, "ended", e->ended) &&
	    ctl_json_str(o, "who", e->who) && ctl_json_str(o, "confirmedBy", e->confirmed_by) &&
	    ctl_json_str(o, "endedBy", e->ended_by) && ctl_json_str(o, "comment", e->comment);

	if (!built) {
		json_decref(o);
		return NULL;
	}
	return o;
}

static int
on_one(void *arg, const struct store_exception *e)
{
	*(json_t **)arg = exception_json(e, clock_now());
	return 1;
}

/* One that was changed just now, as 'list' has it.  `bound`: certificates that are bound to its target; -1: not told. */
static int
print_one(struct store *s, int64_t id, int64_t bound)
{
	json_t *o = NULL;
	struct err err = { 0 };

	if (store_exception_each(s, 0, id - 1, 1, on_one, &o, &err) != RC_OK)
		return err_report(PROG, &err);
	return ctl_json_print(
	    o, o != NULL && (bound < 0 || ctl_json_int(o, "certificates", bound)));
}

/* ---- add ---- */

/* Whom it is for.  `bound`: certificates now; of a device or user it may be 0, as others can come. */
static enum rc
set_target(struct store_exception *e, size_t *bound, struct store *s, const struct options *o,
    struct err *err)
{
	const char *who = o->device != NULL ? o->device : o->user;
	struct store_cert_row row = { 0 };
	enum rc rc;

	e->of = o->device != NULL ? EXCEPTION_DEVICE
	    : o->user != NULL     ? EXCEPTION_USER
				  : EXCEPTION_CERT;
	if (who != NULL)
		return select_id(
		    e->target, bound, s, e->of == EXCEPTION_USER, who, clock_now(), err);
	rc = ctl_serial(e->target, o->certificate, err);
	if (rc == RC_OK) /* one that there is not would be excepted for nothing */
		rc = store_cert_get(s, e->target, o->ca, &row, err);
	if (rc == RC_OK)
		(void)snprintf(e->ca, sizeof(e->ca), "%s", row.ca);
	else if (rc == RC_CONFLICT)
		rc = ctl_say_ca(err);
	store_cert_row_done(&row);
	*bound = 1;
	return rc;
}

static enum rc
set_rule(struct store_exception *e, const struct config *c, const char *rule, struct err *err)
{
	if (rule == NULL)
		return RC_OK;
	for (size_t i = 0; i < c->n_rules; i++)
		if (strcmp(c->rules[i].name, rule) == 0) {
			(void)snprintf(e->rule, sizeof(e->rule), "%s", rule);
			return RC_OK;
		}
	(void)fail(err, RC_CONFIG, "there is no rule \"%.63s\"", rule);
	return err_hint(err, "'" PROG " rules list' has the names");
}

static enum rc
exception_too_long(const struct config *c, struct err *err)
{
	(void)fail(err, RC_DENIED,
	    "an exception lasts %lld hours at most (revocation.exceptions.max)",
	    (long long)(c->revocation.exceptions.max / 3600));
	return err_hint(err,
	    "whom a rule is never meant for, leave out of it (except: in the rule: groups, "
	    "profiles, "
	    "endpoints, platforms, ownership)");
}

static enum rc
set_end(struct store_exception *e, const struct config *c, const struct options *o, struct err *err)
{
	int64_t now = clock_now(), until = now + o->lasts;
	enum rc rc = o->until == NULL ? RC_OK : ctl_until(&until, o->until, err);

	if (rc == RC_OK && until - now > c->revocation.exceptions.max)
		rc = exception_too_long(c, err);
	if (rc == RC_OK)
		e->until = until;
	return rc;
}

/* Before anything is opened. */
static enum rc
check_options(const struct options *o, struct err *err)
{
	if ((o->certificate != NULL) + (o->device != NULL) + (o->user != NULL) != 1)
		return fail(err, RC_CONFIG, "one of --certificate, --device and --user is needed");
	if (o->ca != NULL && o->certificate == NULL)
		return fail(err, RC_CONFIG, "--ca says which --certificate is meant");
	if ((o->lasts > 0) + (o->until != NULL) != 1)
		return fail(err, RC_CONFIG, "one of --for and --until is needed");
	return RC_OK;
}

static enum rc
check_comment(const char *comment, struct err *err)
{
	if (comment == NULL || comment[0] == '\0' || strlen(comment) > 200 ||
	    !utf8_valid((const uint8_t *)comment, strlen(comment)))
		return fail(err, RC_CONFIG, "--comment says why, in at most 200 bytes of UTF-8");
	return RC_OK;
}

static void
print_added(const struct store_exception *e, int64_t id, size_t bound, bool second)
{
	char when[CTL_TIME_MAX];

	(void)printf("exception %lld: %s %s%s%s, %s%s, until %s\n", (long long)id,
	    exception_of_name(e->of), e->target, e->ca[0] != '\0' ? " of CA " : "", e->ca,
	    e->rule[0] != '\0' ? "rule " : "every rule", e->rule, ctl_time(when, e->until));
	if (e->of != EXCEPTION_CERT && bound == 0)
		(void)printf(
		    "No valid certificate is bound to this %s now: it is for those that come.\n",
		    exception_of_name(e->of));
	else if (e->of != EXCEPTION_CERT)
		(void)printf("Certificates that are bound to it now: %zu\n", bound);
	if (second)
		(void)printf("It is in force once another administrator has said so: " PROG
			     " exception confirm %lld\n",
		    (long long)id);
}

static int
run_add(const void *options, int nargs, char **args)
{
	const struct options *o = options;
	struct store_exception e = { 0 };
	struct config *c = NULL;
	struct store *s = NULL;
	struct err err = { 0 };
	char who[CTL_WHO_MAX];
	int64_t id = 0;
	size_t bound = 0;
	int status = EX_OK;
	enum rc rc = check_options(o, &err);

	ctl_who(who);
	e.who = who;
	e.comment = (char *)(uintptr_t)o->comment;
	if (rc == RC_OK)
		rc = check_comment(o->comment, &err);
	if (rc == RC_OK)
		rc = ctl_open(&c, &s, o->config, &err);
	if (rc == RC_OK)
		rc = set_rule(&e, c, o->rule, &err);
	if (rc == RC_OK)
		rc = set_end(&e, c, o, &err);
	if (rc == RC_OK)
		rc = set_target(&e, &bound, s, o, &err);
	if (rc == RC_OK)
		rc = store_exception_add(s, &e, c->revocation.exceptions.second, &id, &err);
	if (rc != RC_OK)
		status = err_report(PROG, &err);
	else if (o->json)
		status = print_one(s, id, (int64_t)bound);
	else
		print_added(&e, id, bound, c->revocation.exceptions.second);
	store_close(s);
	config_free(c);
	return status;
}

/* ---- confirm, end ---- */

static int
run_change(const void *options, char **args,
    enum rc (*change)(struct store *s, int64_t id, const char *who, struct err *err),
    const char *done)
{
	const struct options *o = options;
	struct store *s = NULL;
	struct err err = { 0 };
	char who[CTL_WHO_MAX];
	int status = EX_OK;
	int64_t id;
	enum rc rc = ctl_number(&id, args[0], "exception", &err);

	ctl_who(who);
	if (rc == RC_OK)
		rc = ctl_open(NULL, &s, o->config, &err);
	if (rc == RC_OK && (rc = change(s, id, who, &err)) == RC_NOTFOUND)
		(void)err_hint(&err, "'" PROG " exception list' has the numbers");
	if (rc != RC_OK)
		status = err_report(PROG, &err);
	else if (o->json)
		status = print_one(s, id, -1);
	else
		(void)printf("%s exception %lld\n", done, (long long)id);
	store_close(s);
	return status;
}

static int
run_confirm(const void *options, int nargs, char **args)
{
	return run_change(options, args, store_exception_confirm, "confirmed");
}

static int
run_end(const void *options, int nargs, char **args)
{
	return run_change(options, args, store_exception_end, "ended");
}

/* ---- list ---- */

struct exceptions {
	struct listing pages;
	int64_t now;
};

static int
on_row(void *arg, const struct store_exception *e)
{
	struct exceptions *l = arg;
	char until[CTL_TIME_MAX], who[64], why[128];

	if (l->pages.json)
		return listing_item(&l->pages, e->id, exception_json(e, l->now));
	if (l->pages.n == 0)
		(void)printf("%-6s  %-8s  %-20s  %-11s  %-40s  %-16s  %-24s  %s\n", "NUMBER",
		    "STATE", "UNTIL", "OF", "TARGET", "RULE", "WHO", "WHY");
	(void)printf("%-6lld  %-8s  %-20s  %-11s  %-40s  %-16s  %-24s  %s\n", (long long)e->id,
	    state_of(e, l->now), ctl_time(until, e->until), exception_of_name(e->of), e->target,
	    e->rule[0] != '\0' ? e->rule : "(all)", ctl_safe(who, sizeof(who), e->who),
	    ctl_safe(why, sizeof(why), e->comment));
	return listing_printed(&l->pages, e->id);
}

static int
run_list(const void *options, int nargs, char **args)
{
	const struct options *o = options;
	struct exceptions l = { .pages.json = o->json, .now = clock_now() };
	struct store *s = NULL;
	struct err err = { 0 };
	enum rc rc = ctl_open(NULL, &s, o->config, &err);

	do
		rc = rc == RC_OK ? store_exception_each(s, o->all ? 0 : l.now, l.pages.last,
				       LISTING_PAGE, on_row, &l, &err)
				 : rc;
	while (listing_goes_on(&l.pages, rc));
	rc = listing_end(&l.pages, rc, &err);
	store_close(s);
	if (rc != RC_OK)
		return err_report(PROG, &err);
	listing_close(&l.pages, "no exceptions\n");
	return EX_OK;
}

/* ---- the table ---- */

#define STR_ROW(n, v, f, h)                                                                        \
	{                                                                                          \
		.name = (n), .type = OPT_STR, .offset = offsetof(struct options, f), .value = (v), \
		.help = (h)                                                                        \
	}

static const struct opt add_opts[] = {
	OPT_CONFIG(options),
	STR_ROW("certificate", "SERIAL", certificate, "of this certificate"),
	STR_ROW("ca", "NAME", ca,
	    "of this CA: several may have given the same serial number (with --certificate)"),
	STR_ROW("device", "ID", device,
	    "of all certificates of this device: Entra or Intune id, name, or hardware serial "
	    "number"),
	STR_ROW("user", "ID", user, "of all certificates of this user: Entra id or UPN"),
	STR_ROW("rule", "NAME", rule, "from this rule (default: from every rule)"),
	{ .name = "for",
	    .type = OPT_DURATION,
	    .offset = offsetof(struct options, lasts),
	    .value = "TIME",
	    .help = "how long it lasts, as in 12h or 5d",
	    .min = 60,
	    .max = (uint64_t)STORE_EXCEPTION_SECS_MAX },
	STR_ROW("until", "TIME", until,
	    "the same as a time: 2026-12-24T08:00:00Z, or 2026-12-24 (to the end of that day, "
	    "UTC)"),
	{ .name = "comment",
	    .letter = 'm',
	    .type = OPT_STR,
	    .offset = offsetof(struct options, comment),
	    .value = "TEXT",
	    .help = "why; kept in the audit trail",
	    .required = true },
	OPT_FLAG_ROW("json", options, json, "the exception as JSON"),
	{ .name = NULL },
};

static const struct opt change_opts[] = {
	OPT_CONFIG(options),
	OPT_FLAG_ROW("json", options, json, "the exception as JSON, as it is then"),
	{ .name = NULL },
};

static const struct opt list_opts[] = {
	OPT_CONFIG(options),
	OPT_FLAG_ROW("all", options, all, "those too that are over"),
	OPT_FLAG_ROW("json", options, json, "a JSON array instead of a table"),
	{ .name = NULL },
};

static const struct command table[] = {
	{ .name = "add",
	    .args = "",
	    .help = "leave a certificate, device or user alone for a while",
	    .about =
		"What a rule holds is let go within a minute, and held again when the exception is "
		"over and "
		"the directory still says so.\nWhat is revoked stays revoked.\n\n"
		"Example:\n  scepctl exception add --device LAPTOP-7F3K2 --rule compliance --for "
		"3d "
		"--comment 'in repair, ticket 4711'\n",
	    .opts = add_opts,
	    .size = sizeof(struct options),
	    .run = run_add },
	{ .name = "confirm",
	    .args = "NUMBER",
	    .help = "the second administrator's yes (revocation.exceptions.second)",
	    .opts = change_opts,
	    .size = sizeof(struct options),
	    .min_args = 1,
	    .max_args = 1,
	    .run = run_confirm },
	{ .name = "end",
	    .args = "NUMBER",
	    .help = "end one before its time",
	    .opts = change_opts,
	    .size = sizeof(struct options),
	    .min_args = 1,
	    .max_args = 1,
	    .run = run_end },
	{ .name = "list",
	    .args = "",
	    .help = "those in force and those that wait, one a line",
	    .opts = list_opts,
	    .size = sizeof(struct options),
	    .run = run_list },
	{ .name = NULL },
};

const struct command cmd_exception = {
	.name = "exception",
	.help = "exceptions from rules: add, confirm, end, list",
	.sub = table,
};
