/*
 * cmd_sweep.c - scepctl sweep list | show | approve | discard: what rules would have turned and the brake has
 * stopped, and the administrator's word.
 */
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/text.h"
#include "scepctl/listing.h"
#include "scepctl/sweep_whose.h"
#include "store/store_sweep.h"

#define PAGE 500 /* turns read at a time, so that a large sweep holds up no checkpoint */

struct options {
	const char *config;
	uint64_t max;
	bool json, yes;
};
static const struct options defaults = { .max = 100 };

/* ---- as words ---- */

static const char *
effect_word(enum cause_effect e)
{
	return e == CAUSE_GONE ? "release" : e == CAUSE_HOLD ? "hold" : "revoke";
}

static json_t *
sweep_json(const struct store_sweep *s)
{
	json_t *o = json_object();
	bool built = o != NULL && ctl_json_int(o, "id", s->id) &&
	    ctl_json_str(o, "state", sweep_state_name(s->state)) &&
	    ctl_json_str(o, "why", s->why) && ctl_json_int(o, "certificates", (int64_t)s->certs) &&
	    ctl_json_int(o, "of", (int64_t)s->of) &&
	    ctl_json_int(o, "owners", (int64_t)s->owners) &&
	    ctl_json_int(o, "ofOwners", (int64_t)s->of_owners) &&
	    ctl_json_int(o, "beside", (int64_t)s->beside) &&
	    ctl_json_int(o, "besideWaiting", (int64_t)s->beside_waiting) &&
	    ctl_json_int(o, "turns", (int64_t)s->turns) &&
	    ctl_json_int(o, "dealt", (int64_t)s->dealt) &&
	    ctl_json_int(o, "applied", (int64_t)s->applied) &&
	    ctl_json_time(o, "created", s->created / 1000) &&
	    ctl_json_time(o, "decided", s->decided / 1000) && ctl_json_str(o, "decidedBy", s->who);

	if (!built) {
		json_decref(o);
		return NULL;
	}
	return o;
}

static void
print_sweep(FILE *f, const struct store_sweep *s)
{
	char when[CTL_TIME_MAX], text[96];

	(void)snprintf(text, sizeof(text), "%lld", (long long)s->id);
	ctl_line(f, "Sweep", text);
	ctl_line(f, "State", sweep_state_name(s->state));
	ctl_line(f, "Stopped", ctl_time(when, s->created / 1000));
	ctl_line(f, "Why", s->why);
	if (s->decided != 0)
		ctl_line(f, "Decided", ctl_time(when, s->decided / 1000));
	ctl_line(f, "By", s->who);
	(void)snprintf(text, sizeof(text), "%llu, of %llu certificates",
	    (unsigned long long)s->turns, (unsigned long long)s->certs);
	ctl_line(f, "Turns", text);
	(void)snprintf(text, sizeof(text), "%llu devices and users, of %llu",
	    (unsigned long long)s->owners, (unsigned long long)s->of_owners);
	if (s->of_owners > 0) /* one from before they were counted has none */
		ctl_line(f, "Whose", text);
	(void)snprintf(text, sizeof(text), "%llu others turned, %llu wait as well",
	    (unsigned long long)s->beside, (unsigned long long)s->beside_waiting);
	ctl_line(f, "Beside", text);
	if (s->state == SWEEP_APPROVED || s->state == SWEEP_DONE) {
		(void)snprintf(text, sizeof(text), "%llu looked at, %llu were still so",
		    (unsigned long long)s->dealt, (unsigned long long)s->applied);
		ctl_line(f, "Done", text);
	}
}

/* ---- list ---- */

static int
on_sweep(void *arg, const struct store_sweep *s)
{
	struct listing *l = arg;
	char when[CTL_TIME_MAX];

	if (l->json)
		return listing_item(l, s->id, sweep_json(s));
	if (l->n == 0)
		(void)printf("%-6s  %-10s  %-20s  %8s  %12s  %s\n", "SWEEP", "STATE", "STOPPED",
		    "OWNERS", "CERTIFICATES", "WHY");
	(void)printf("%-6lld  %-10s  %-20s  %8llu  %12llu  %s\n", (long long)s->id,
	    sweep_state_name(s->state), ctl_time(when, s->created / 1000),
	    (unsigned long long)s->owners, (unsigned long long)s->certs, s->why);
	return listing_printed(l, s->id);
}

static int
run_list(const void *options, int nargs, char **args)
{
	const struct options *o = options;
	struct listing l = { .json = o->json };
	struct store *s = NULL;
	struct err err = { 0 };
	enum rc rc = ctl_open(NULL, &s, o->config, &err);

	do
		rc = rc == RC_OK ? store_sweep_each(s, l.last, LISTING_PAGE, on_sweep, &l, &err)
				 : rc;
	while (listing_goes_on(&l, rc));
	rc = listing_end(&l, rc, &err);
	store_close(s);
	if (rc != RC_OK)
		return err_report(PROG, &err);
	listing_close(&l, "no sweeps: rules never turned more than the brake allows\n");
	return EX_OK;
}

/* ---- show ---- */

struct showing {
	const struct options *o;
	uint64_t n;
	uint64_t effects[CAUSE_REVOKE + 1];
	bool failed;
};

static json_t *
turn_json(const struct store_turn *t)
{
	json_t *o = json_object();
	bool built = o != NULL && ctl_json_str(o, "serial", t->serial) &&
	    ctl_json_str(o, "ca", t->ca) && ctl_json_str(o, "rule", t->rule) &&
	    ctl_json_str(o, "effect", effect_word(t->effect)) &&
	    ctl_json_str(o, "why", t->comment) && ctl_json_str(o, "user", t->person) &&
	    ctl_json_str(o, "device", t->device);

	if (!built) {
		json_decref(o);
		return NULL;
	}
	return o;
}

/* The columns of 'rules try'. */
static void
print_turn(const struct store_turn *t, bool first)
{
	char who[64], device[64], why[256];

	if (first)
		(void)printf("\n%-40s  %-20s  %-7s  %-32s  %-20s  %s\n", "CERTIFICATE", "RULE",
		    "EFFECT", "PERSON", "DEVICE", "WHY");
	(void)printf("%-40s  %-20s  %-7s  %-32s  %-20s  %s\n", t->serial, t->rule,
	    effect_word(t->effect), ctl_safe(who, sizeof(who), t->person != NULL ? t->person : ""),
	    ctl_safe(device, sizeof(device), t->device != NULL ? t->device : ""),
	    ctl_safe(why, sizeof(why), t->comment));
}

static int
on_turn(void *arg, const struct store_turn *t)
{
	struct showing *w = arg;

	if (w->o->json) {
		w->failed = !ctl_json_item(turn_json(t), w->n == 0);
	} else if (w->n < w->o->max) {
		print_turn(t, w->n == 0);
	}
	if ((unsigned)t->effect <= CAUSE_REVOKE)
		w->effects[t->effect]++;
	w->n++;
	return w->failed;
}

static enum rc
show_turns(struct store *s, int64_t id, struct showing *w, struct err *err)
{
	uint64_t before;
	enum rc rc;

	do {
		before = w->n;
		rc = store_sweep_turns(s, id, w->n, PAGE, on_turn, w, err);
	} while (rc == RC_OK && !w->failed && w->n - before == PAGE);
	if (rc == RC_OK && w->failed)
		rc = fail(err, RC_NOMEM, "out of memory for JSON");
	return rc;
}

static enum rc
print_owners(
    struct store *s, const struct store_sweep *sweep, const struct options *o, struct err *err)
{
	struct whose w = { .max = (size_t)o->max };
	enum rc rc;

	(void)printf(sweep->state == SWEEP_WAITING
		? "\nWhoever rules still want turned so waits with everything, until this is "
		  "decided:\n"
		: "\nWhose these are:\n");
	rc = whose_show(s, sweep->id, &w, err);
	if (rc == RC_OK && w.n > w.max)
		(void)printf("... and more (--max)\n");
	return rc;
}

static void
print_rest(const struct showing *w)
{
	if (w->n > w->o->max)
		(void)printf("... and %llu more (--max)\n", (unsigned long long)(w->n - w->o->max));
	(void)printf("\n%llu would be held, %llu revoked, %llu let go.\n",
	    (unsigned long long)w->effects[CAUSE_HOLD],
	    (unsigned long long)w->effects[CAUSE_REVOKE],
	    (unsigned long long)w->effects[CAUSE_GONE]);
}

static enum rc
show_json(struct store *s, const struct store_sweep *sweep, struct showing *w, struct err *err)
{
	struct whose whose = { .json = true };
	json_t *o = sweep_json(sweep);
	char *text = o == NULL ? NULL : json_dumps(o, JSON_ENSURE_ASCII);
	enum rc rc;

	json_decref(o);
	if (text == NULL)
		return fail(err, RC_NOMEM, "out of memory for JSON");
	(void)printf("{\"sweep\": %s,\n\"turns\": ", text);
	free(text);
	rc = show_turns(s, sweep->id, w, err);
	if (rc != RC_OK)
		return rc;
	(void)printf("%s],\n\"owners\": ", w->n > 0 ? "" : "[");
	rc = whose_show(s, sweep->id, &whose, err);
	if (rc == RC_OK)
		(void)printf("%s]}\n", whose.n > 0 ? "" : "[");
	return rc;
}

/* Without a number: the one that waits or is carried out. */
static enum rc
find(struct store *s, struct store_sweep *out, int nargs, char **args, struct err *err)
{
	int64_t id;
	enum rc rc;

	if (nargs == 0)
		return store_sweep_current(s, out, err);
	if ((rc = ctl_number(&id, args[0], "sweep", err)) != RC_OK)
		return rc;
	if ((rc = store_sweep_get(s, id, out, err)) == RC_NOTFOUND)
		(void)err_hint(err, "'" PROG " sweep list' has the numbers");
	return rc;
}

static int
run_show(const void *options, int nargs, char **args)
{
	struct showing w = { .o = options };
	struct store_sweep sweep = { 0 };
	struct store *s = NULL;
	struct err err = { 0 };
	enum rc rc = ctl_open(NULL, &s, w.o->config, &err);

	if (rc == RC_OK)
		rc = find(s, &sweep, nargs, args, &err);
	if (rc == RC_OK && w.o->json)
		rc = show_json(s, &sweep, &w, &err);
	else if (rc == RC_OK) {
		print_sweep(stdout, &sweep);
		rc = show_turns(s, sweep.id, &w, &err);
		if (rc == RC_OK)
			print_rest(&w);
		if (rc == RC_OK)
			rc = print_owners(s, &sweep, w.o, &err);
	}
	store_sweep_done(&sweep);
	store_close(s);
	return rc == RC_OK ? EX_OK : err_report(PROG, &err);
}

/* ---- approve, discard ---- */

static enum rc
confirm(const struct options *o, enum sweep_state v, struct err *err)
{
	const struct ctl_question q = { .yes = o->yes,
		.question = v == SWEEP_APPROVED
		    ? "Turn these certificates?"
		    : "Leave them as they are, until their rules say otherwise?",
		.no = "not decided; the sweep waits on",
		.nobody = "this sweep",
		.hint = "--yes decides without asking" };

	return ctl_confirm(&q, err);
}

/* What is decided already says so before anybody is asked. */
static enum rc
decide(struct store *s, const struct options *o, const struct store_sweep *sweep,
    enum sweep_state v, struct err *err)
{
	char who[CTL_WHO_MAX];
	enum rc rc = RC_OK;

	ctl_who(who);
	if (sweep->state == SWEEP_WAITING) {
		print_sweep(stderr, sweep);
		rc = confirm(o, v, err);
	}
	return rc == RC_OK ? store_sweep_decide(s, sweep->id, v, who, err) : rc;
}

/* As it is then: scepd may have begun with it. */
static enum rc
print_decided_json(struct store *s, int64_t id, int *status, struct err *err)
{
	struct store_sweep now = { 0 };
	enum rc rc = store_sweep_get(s, id, &now, err);

	if (rc == RC_OK)
		*status = ctl_json_print(sweep_json(&now), true);
	store_sweep_done(&now);
	return rc;
}

static void
print_decided(int64_t id, enum sweep_state v)
{
	(void)printf(v == SWEEP_APPROVED
		? "approved sweep %lld: scepd carries it out, as far as the directory still says "
		  "so\n"
		: "discarded sweep %lld: nothing of it is done, until a rule has let go of a "
		  "certificate and says it anew\n",
	    (long long)id);
}

static int
run_decide(const void *options, int nargs, char **args, enum sweep_state v)
{
	const struct options *o = options;
	struct store_sweep sweep = { 0 };
	struct store *s = NULL;
	struct err err = { 0 };
	int status = EX_OK;
	enum rc rc = ctl_open(NULL, &s, o->config, &err);

	if (rc == RC_OK)
		rc = find(s, &sweep, nargs, args, &err);
	if (rc == RC_OK)
		rc = decide(s, o, &sweep, v, &err);
	if (rc == RC_OK && o->json)
		rc = print_decided_json(s, sweep.id, &status, &err);
	else if (rc == RC_OK)
		print_decided(sweep.id, v);
	store_sweep_done(&sweep);
	store_close(s);
	return rc == RC_OK ? status : err_report(PROG, &err);
}

static int
run_approve(const void *options, int nargs, char **args)
{
	return run_decide(options, nargs, args, SWEEP_APPROVED);
}

static int
run_discard(const void *options, int nargs, char **args)
{
	return run_decide(options, nargs, args, SWEEP_DISCARDED);
}

/* ---- the table ---- */

static const struct opt list_opts[] = {
	OPT_CONFIG(options),
	OPT_FLAG_ROW("json", options, json, "a JSON array instead of a table"),
	{ .name = NULL },
};

static const struct opt show_opts[] = {
	OPT_CONFIG(options),
	{ .name = "max",
	    .type = OPT_U64,
	    .offset = offsetof(struct options, max),
	    .value = "N",
	    .help = "turns, and whose they are, that are listed at most (default 100); the "
		    "figures are of all",
	    .max = STORE_SWEEP_TURNS_MAX },
	OPT_FLAG_ROW("json", options, json, "as JSON, with all turns"),
	{ .name = NULL },
};

static const struct opt decide_opts[] = {
	OPT_CONFIG(options),
	OPT_FLAG_ROW("yes", options, yes, "do not ask; needed where there is no terminal"),
	OPT_FLAG_ROW("json", options, json, "the sweep as JSON, as it is then"),
	{ .name = NULL },
};

static const struct command table[] = {
	{ .name = "list",
	    .args = "",
	    .help = "sweeps that the brake has stopped, one a line",
	    .opts = list_opts,
	    .size = sizeof(struct options),
	    .run = run_list },
	{ .name = "show",
	    .args = "[NUMBER]",
	    .help = "what one would turn (without a number: the one that waits)",
	    .opts = show_opts,
	    .size = sizeof(struct options),
	    .defaults = &defaults,
	    .max_args = 1,
	    .run = run_show },
	{ .name = "approve",
	    .args = "NUMBER",
	    .help = "let it be done",
	    .about = "Of what was stopped, what the directory still says is done: look at 'sweep "
		     "show' first.  "
		     "What revokes, revokes for good.\n\n"
		     "Example:\n  scepctl sweep approve 3\n",
	    .opts = decide_opts,
	    .size = sizeof(struct options),
	    .min_args = 1,
	    .max_args = 1,
	    .run = run_approve },
	{ .name = "discard",
	    .args = "NUMBER",
	    .help = "leave its certificates as they are",
	    .about = "Remembered for each certificate and rule, until the rule has let go of the "
		     "certificate.\n\n"
		     "Example:\n  scepctl sweep discard 3\n",
	    .opts = decide_opts,
	    .size = sizeof(struct options),
	    .min_args = 1,
	    .max_args = 1,
	    .run = run_discard },
	{ .name = NULL },
};

const struct command cmd_sweep = {
	.name = "sweep",
	.help = "what the brake has stopped: list, show, approve, discard",
	.sub = table,
};
