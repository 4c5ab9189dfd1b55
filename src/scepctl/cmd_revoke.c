/*
 * cmd_revoke.c - scepctl revoke, hold, release.
 */
#include <string.h>
#include <sysexits.h>

#include "base/clock.h"
#include "scepctl/change.h"

#define HOLD_FOR_MAX (UINT64_C(10) * 365 * 24 * 3600) /* longer than any certificate */

struct options {
	const char *config, *reason, *comment, *until;
	int64_t hold_for; /* seconds; 0: not given */
	struct select_by by;
	bool yes, dry_run, json;
};

#define OPT_COMMON                                                                                 \
	OPT_CONFIG(options), OPT_DEVICE(options), OPT_USER(options), OPT_FILE(options),            \
	    OPT_CA(options),                                                                       \
	    { .name = "comment",                                                                   \
		    .letter = 'm',                                                                 \
		    .type = OPT_STR,                                                               \
		    .offset = offsetof(struct options, comment),                                   \
		    .value = "TEXT",                                                               \
		    .help = "kept with the certificate and in the audit trail" },                  \
	    OPT_FLAG_ROW("dry-run", options, dry_run, "tell what would be, and change nothing"),   \
	    OPT_FLAG_ROW("yes", options, yes,                                                      \
		"do not ask before more than one is changed; needed where there is no terminal"),  \
	    OPT_FLAG_ROW("json", options, json, "a JSON array: what became of each")

static struct change
change_of(const struct options *o, enum cause_effect effect)
{
	return (struct change){ .config = o->config,
		.by = o->by,
		.effect = effect,
		.comment = o->comment,
		.yes = o->yes,
		.dry_run = o->dry_run,
		.json = o->json };
}

/* ---- revoke ---- */

static const struct opt revoke_opts[] = {
	OPT_COMMON,
	{ .name = "reason",
	    .letter = 'r',
	    .type = OPT_CHOICE,
	    .offset = offsetof(struct options, reason),
	    .value = "REASON",
	    .help = "why, as the CRL says it",
	    .choices = CTL_REASONS,
	    .required = true },
	{ .name = NULL },
};

static int
run_revoke(const void *options, int nargs, char **args)
{
	const struct options *o = options;
	struct change c = change_of(o, CAUSE_REVOKE);

	c.reason = ctl_reason(o->reason);
	return change_run(&c, nargs, args);
}

const struct command cmd_revoke = {
	.name = "revoke",
	.args = "[SERIAL...]",
	.help = "revoke certificates, for good",
	.about = "There is no way back: a revoked certificate stays revoked.  'hold' can be taken "
		 "back.\n\n"
		 "Examples:\n"
		 "  scepctl revoke 4A6F...91 --reason keyCompromise --comment 'laptop stolen, "
		 "ticket 4711'\n"
		 "  scepctl revoke --user jane@contoso.com --reason cessationOfOperation\n",
	.opts = revoke_opts,
	.size = sizeof(struct options),
	.max_args = OPT_LIST_MAX,
	.run = run_revoke,
};

/* ---- hold ---- */

static const struct opt hold_opts[] = {
	OPT_COMMON,
	{ .name = "until",
	    .type = OPT_STR,
	    .offset = offsetof(struct options, until),
	    .value = "TIME",
	    .help = "when it ends by itself: 2026-12-24T08:00:00Z, 2026-12-24 (to the end of that "
		    "day, UTC) or 7d; default: never" },
	{ .name = "for",
	    .type = OPT_DURATION,
	    .offset = offsetof(struct options, hold_for),
	    .value = "DURATION",
	    .help = "the same from now on, as 8h or 3d",
	    .min = 60,
	    .max = HOLD_FOR_MAX },
	{ .name = NULL },
};

static enum rc
end_of(int64_t *until, const struct options *o, struct err *err)
{
	int64_t now = clock_now();

	*until = o->hold_for > 0 ? now + o->hold_for : 0;
	if (o->until == NULL)
		return RC_OK;
	if (o->hold_for > 0)
		return fail(err, RC_CONFIG, "--until and --for exclude each other");
	return ctl_until(until, o->until, err);
}

static int
run_hold(const void *options, int nargs, char **args)
{
	const struct options *o = options;
	struct change c = change_of(o, CAUSE_HOLD);
	struct err err = { 0 };

	if (end_of(&c.until, o, &err) != RC_OK)
		return err_report(PROG, &err);
	return change_run(&c, nargs, args);
}

const struct command cmd_hold = {
	.name = "hold",
	.args = "[SERIAL...]",
	.help = "hold certificates: not good until they are released",
	.about = "CRL and OCSP say certificateHold.  A hold of an administrator and those of rules "
		 "are kept apart: the certificate\n"
		 "is good again when the last of them has gone.\n\n"
		 "Examples:\n"
		 "  scepctl hold --device PC-0815 --comment 'left in a taxi, ticket 4712'\n"
		 "  scepctl hold 4A6F...91 --for 8h\n",
	.opts = hold_opts,
	.size = sizeof(struct options),
	.max_args = OPT_LIST_MAX,
	.run = run_hold,
};

/* ---- release ---- */

static const struct opt release_opts[] = {
	OPT_COMMON,
	{ .name = NULL },
};

static int
run_release(const void *options, int nargs, char **args)
{
	struct change c = change_of(options, CAUSE_GONE);

	return change_run(&c, nargs, args);
}

const struct command cmd_release = {
	.name = "release",
	.args = "[SERIAL...]",
	.help = "take an administrator's hold off certificates",
	.about =
	    "What a rule holds stays held until the rule's cause has gone; 'show' tells why.\n\n"
	    "Example:\n"
	    "  scepctl release --device PC-0815 --comment 'found'\n",
	.opts = release_opts,
	.size = sizeof(struct options),
	.max_args = OPT_LIST_MAX,
	.run = run_release,
};
