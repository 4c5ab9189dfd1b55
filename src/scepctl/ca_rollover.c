/*
 * ca_rollover.c - scepctl ca rollover: an endpoint's devices from one CA to the next, by share, and
 * back; and the end of the old one.  What is moved is state in the store, which a running scepd
 * takes up by itself.
 */
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/text.h"
#include "scepctl/ctl.h"
#include "scepctl/rollover.h"

#define SHARE_UNSET 101

struct options {
	const char *config;
	uint64_t share;
	bool all, force, json;
};

static const struct opt opts[] = {
	OPT_CONFIG(options),
	{ .name = "share",
	    .letter = 's',
	    .type = OPT_U64,
	    .offset = offsetof(struct options, share),
	    .value = "N",
	    .help = "move: percent of the devices that the next CA issues for, 0 to 100",
	    .max = 100 },
	OPT_FLAG_ROW("all", options, all, "move, back: every endpoint of which there is a next CA"),
	OPT_FLAG_ROW("force", options, force,
	    "retire: although endpoints issue from the CA or valid certificates of it exist"),
	OPT_FLAG_ROW("json", options, json, "the status as JSON; of the others, as it is then"),
	{ .name = NULL },
};

/* ---- configuration and state ---- */

const struct conf_ca *
next_of(const struct config *c, const char *ca)
{
	const struct conf_ca *v = c->cas.v;

	for (size_t i = 0; i < c->cas.n; i++)
		if (v[i].replaces != NULL && strcmp(v[i].replaces, ca) == 0)
			return &v[i];
	return NULL;
}

bool
ca_is_retired_in_store(const struct succession *s, const char *ca)
{
	for (size_t i = 0; i < s->st.n_retired; i++)
		if (strcmp(s->st.retired[i], ca) == 0)
			return true;
	return false;
}

bool
ca_is_retired(const struct succession *s, const struct conf_ca *ca)
{
	return !ca->issues || ca_is_retired_in_store(s, ca->name);
}

unsigned
share_between(const struct succession *s, const char *endpoint, const char *from, const char *to)
{
	for (size_t i = 0; i < s->st.n_rollovers; i++) {
		const struct store_rollover *r = &s->st.rollovers[i];

		if (strcmp(r->endpoint, endpoint) == 0 && strcmp(r->from_ca, from) == 0 &&
		    strcmp(r->to_ca, to) == 0)
			return r->share;
	}
	return 0;
}

/* As rollover_plan() of scepd walks. */
const struct conf_ca *
current_of(const struct succession *s, const struct conf_endpoint *e)
{
	const struct conf_ca *ca = config_ca(s->config, e->ca), *next;

	while ((next = next_of(s->config, ca->name)) != NULL &&
	    (share_between(s, e->name, ca->name, next->name) == 100 ||
		(ca_is_retired(s, ca) && !ca_is_retired(s, next))))
		ca = next;
	return ca;
}

/* ---- move, back ---- */

/* What a command is about. */
struct job {
	struct succession s;
	struct config *config; /* the same as s.config, to be freed */
	struct store *store;
	const struct options *o;
	const char *name; /* endpoint or CA; NULL: none given */
	char who[CTL_WHO_MAX];
};

/* One endpoint's step: from where to where, and with which share. */
struct step {
	const struct conf_endpoint *e;
	const struct conf_ca *from, *to;
	unsigned share;
};

static enum rc
step_forward(struct step *out, const struct job *j, const struct conf_endpoint *e, struct err *err)
{
	const struct conf_ca *at = current_of(&j->s, e), *next = next_of(j->s.config, at->name);

	if (next == NULL) {
		const struct conf_ca *old =
		    at->replaces != NULL ? config_ca(j->s.config, at->replaces) : NULL;

		/* Moved already, and now to less than that. */
		if (old != NULL && j->o->share < 100 &&
		    share_between(&j->s, e->name, old->name, at->name) == 100) {
			*out = (struct step){ e, old, at, (unsigned)j->o->share };
			return ca_is_retired(&j->s, old)
			    ? fail(err, RC_CONFLICT, "endpoint %s: the CA %s is retired", e->name,
				  old->name)
			    : RC_OK;
		}
		(void)fail(
		    err, RC_NOTFOUND, "endpoint %s: nothing replaces the CA %s", e->name, at->name);
		return err_hint(
		    err, "declare the next CA in scepd.yaml with 'replaces: %s'", at->name);
	}
	if (ca_is_retired(&j->s, next))
		return fail(err, RC_CONFLICT, "endpoint %s: the next CA %s issues nothing", e->name,
		    next->name);
	*out = (struct step){ e, at, next, (unsigned)j->o->share };
	return RC_OK;
}

static enum rc
step_back(struct step *out, const struct job *j, const struct conf_endpoint *e, struct err *err)
{
	const struct conf_ca *at = current_of(&j->s, e), *next = next_of(j->s.config, at->name),
			     *old =
				 at->replaces != NULL ? config_ca(j->s.config, at->replaces) : NULL;

	if (next != NULL && share_between(&j->s, e->name, at->name, next->name) > 0) {
		*out = (struct step){ e, at, next, 0 };
		return RC_OK;
	}
	if (strcmp(e->ca, at->name) == 0 || old == NULL)
		return fail(err, RC_NOTFOUND, "endpoint %s: nothing has been moved", e->name);
	if (ca_is_retired(&j->s, old))
		return fail(err, RC_CONFLICT,
		    "endpoint %s: there is no way back, as the CA %s is retired", e->name,
		    old->name);
	*out = (struct step){ e, old, at, 0 };
	return RC_OK;
}

/* What was done, and what devices will see of it. */
static void
print_step(const struct step *t, unsigned before)
{
	(void)printf(
	    "endpoint %s: %s now issues for %u %% of the devices (before: %u %%), %s for %u "
	    "%%\n",
	    t->e->name, t->to->name, t->share, before, t->from->name, 100 - t->share);
	if (t->share > before)
		(void)printf(
		    "  Devices of that share get their next certificate from %s; none that was "
		    "moved before changes.\n",
		    t->to->name);
	else if (t->share < before)
		(void)printf(
		    "  The devices above that share get their next certificate from %s again; "
		    "what %s has issued stays valid.\n",
		    t->from->name, t->to->name);
}

static void
print_after(void)
{
	(void)printf(
	    "No certificate in use changes: a device moves when it next enrols or renews.\n"
	    "A running scepd takes this up within a few seconds (a minute at most); one that was "
	    "started before the\n"
	    "next CA came into scepd.yaml has to be restarted first.\n");
}

static enum rc
do_step(const struct job *j, const struct step *t, struct err *err)
{
	unsigned before;
	enum rc rc;

	rc = store_rollover_set(
	    j->store, t->e->name, t->from->name, t->to->name, t->share, j->who, &before, err);
	if (rc == RC_OK && !j->o->json)
		print_step(t, before);
	return rc;
}

typedef enum rc step_fn(
    struct step *out, const struct job *j, const struct conf_endpoint *e, struct err *err);

/* One endpoint, or with --all each that has something to move. */
static enum rc
do_steps(const struct job *j, step_fn *plan, struct err *err)
{
	const struct conf_endpoint *e = j->s.config->endpoints.v;
	struct step t;
	size_t found = 0, done = 0;
	enum rc rc = RC_OK;

	if ((j->name == NULL) == !j->o->all)
		return fail(err, RC_CONFIG, "name one endpoint, or say --all");
	for (size_t i = 0; rc == RC_OK && i < j->s.config->endpoints.n; i++) {
		if (j->name != NULL && strcmp(e[i].name, j->name) != 0)
			continue;
		found++;
		rc = plan(&t, j, &e[i], err);
		if (rc == RC_NOTFOUND && j->o->all) {
			rc = RC_OK;
			continue;
		}
		if (rc == RC_OK && (rc = do_step(j, &t, err)) == RC_OK)
			done++;
	}
	if (rc == RC_OK && found == 0)
		return fail(
		    err, RC_NOTFOUND, "there is no endpoint %s in %s", j->name, j->s.config->path);
	if (rc == RC_OK && done == 0)
		return fail(err, RC_NOTFOUND, "no endpoint has anything to move");
	if (done > 0 && !j->o->json)
		print_after();
	return rc;
}

static enum rc
run_move(struct job *j, struct err *err)
{
	if (j->o->share == SHARE_UNSET)
		return fail(err, RC_CONFIG, "say how much: --share N, in percent; 100 is all");
	return do_steps(j, step_forward, err);
}

static enum rc
run_back(struct job *j, struct err *err)
{
	return do_steps(j, step_back, err);
}

/* ---- retire ---- */

/* Names of the endpoints that would lose their CA, in one line; *n: how many. */
static void
issuing_from(const struct job *j, const struct conf_ca *ca, struct buf *names, size_t *n)
{
	const struct conf_endpoint *e = j->s.config->endpoints.v;

	*n = 0;
	for (size_t i = 0; i < j->s.config->endpoints.n; i++) {
		if (current_of(&j->s, &e[i]) != ca)
			continue;
		buf_addf(names, "%s%s", *n > 0 ? ", " : "", e[i].name);
		++*n;
	}
}

static enum rc
may_retire(const struct job *j, const struct conf_ca *ca, const struct ca_count *count,
    const char *names, size_t n, struct err *err)
{
	const struct conf_ca *old =
	    ca->replaces != NULL ? config_ca(j->s.config, ca->replaces) : NULL;
	char number[GROUPED_MAX], last[CTL_TIME_MAX];

	if (n > 0) {
		(void)fail(
		    err, RC_CONFLICT, "%zu endpoints still issue from %s: %s", n, ca->name, names);
		return err_hint(
		    err, "move them first: '" PROG " ca rollover move --all --share 100'");
	}
	if (old != NULL && !ca_is_retired(&j->s, old)) {
		(void)fail(err, RC_CONFLICT, "%s is the next CA of %s, which is still in service",
		    ca->name, old->name);
		return err_hint(err,
		    "to retire the old one: '" PROG
		    " ca rollover retire %s'; --force gives up %s for good",
		    old->name, ca->name);
	}
	if (count->valid > 0) {
		(void)fail(err, RC_CONFLICT,
		    "%s certificates of %s are still valid, the last until %s",
		    grouped(number, count->valid), ca->name, ctl_time(last, count->last));
		return err_hint(err,
		    "wait until their devices have renewed; --force retires it now: they stay "
		    "valid, "
		    "and CRL and OCSP go on");
	}
	return RC_OK;
}

static void
print_retired(const struct job *j, const struct conf_ca *ca, const struct ca_count *count,
    const char *names, size_t n)
{
	const struct conf_ca *next = next_of(j->s.config, ca->name);
	char number[GROUPED_MAX];

	(void)printf("CA %s is retired: scepd issues nothing from it any more.\n", ca->name);
	if (n > 0 && next != NULL && !ca_is_retired(&j->s, next))
		(void)printf(
		    "warning: %s issued from it and issue from %s now, all devices at once\n",
		    names, next->name);
	else if (n > 0)
		(void)printf(
		    "warning: %s issued from it, and every request there is refused now\n", names);
	if (count->valid > 0)
		(void)printf(
		    "warning: %s valid certificates of it remain until they expire; their CRL and "
		    "OCSP go on\n",
		    grouped(number, count->valid));
	(void)printf(
	    "Now, so that the signer refuses as well, add this line to cas.%s in %s and restart "
	    "scepd:\n    issues: false\n",
	    ca->name, j->s.config->path);
}

static enum rc
retire(const struct job *j, const struct conf_ca *ca, const struct ca_count *count, struct err *err)
{
	char detail[256];
	struct buf names;
	size_t n;
	enum rc rc;

	buf_init(&names, 65536);
	issuing_from(j, ca, &names, &n);
	rc = buf_ok(&names, "names of endpoints", err);
	if (rc == RC_OK && !j->o->force)
		rc = may_retire(j, ca, count, buf_str(&names), n, err);
	(void)snprintf(detail, sizeof(detail),
	    "%llu valid certificates, %zu endpoints issued from it%s",
	    (unsigned long long)count->valid, n, j->o->force ? ", forced" : "");
	if (rc == RC_OK)
		rc = store_ca_retire(j->store, ca->name, j->who, detail, err);
	if (rc == RC_OK && !j->o->json)
		print_retired(j, ca, count, buf_str(&names), n);
	buf_done(&names);
	return rc;
}

static enum rc
run_retire(struct job *j, struct err *err)
{
	const struct conf_ca *ca;
	struct counts c;
	enum rc rc;

	if (j->name == NULL)
		return fail(err, RC_CONFIG, "name the CA to retire");
	if ((ca = config_ca(j->s.config, j->name)) == NULL)
		return fail(
		    err, RC_NOTFOUND, "there is no CA %s in %s", j->name, j->s.config->path);
	if (ca_is_retired_in_store(&j->s, ca->name)) {
		(void)fail(err, RC_CONFLICT, "the CA %s is retired already", ca->name);
		return ca->issues ? err_hint(err,
					"what is left to do: 'issues: false' under cas.%s in %s, "
					"and a restart of scepd",
					ca->name, j->s.config->path)
				  : RC_CONFLICT;
	}
	if ((rc = counts_make(&c, j->store, j->s.config, err)) != RC_OK)
		return rc;
	rc = retire(j, ca, counts_ca(&c, ca), err);
	counts_done(&c);
	return rc;
}

/* ---- status, and the verbs ---- */

static enum rc
run_status(struct job *j, struct err *err)
{
	struct counts c;
	enum rc rc = counts_make(&c, j->store, j->s.config, err);

	if (rc != RC_OK)
		return rc;
	if (rollover_status(&j->s, &c, j->o->json) != EX_OK)
		rc = fail(err, RC_NOMEM, "the state could not be printed");
	counts_done(&c);
	return rc;
}

/* What was done shows in it. */
static enum rc
run_status_anew(struct job *j, struct err *err)
{
	enum rc rc;

	store_succession_done(&j->s.st);
	rc = store_succession_read(j->store, &j->s.st, err);
	return rc == RC_OK ? run_status(j, err) : rc;
}

static const struct {
	const char *verb;
	enum rc (*run)(struct job *j, struct err *err);
} verbs[] = {
	{ "status", run_status },
	{ "move", run_move },
	{ "back", run_back },
	{ "retire", run_retire },
};

static enum rc
run_verb(struct job *j, const char *verb, struct err *err)
{
	size_t i, n = sizeof(verbs) / sizeof(verbs[0]);
	enum rc rc;

	for (i = 0; i < n && strcmp(verbs[i].verb, verb) != 0; i++)
		;
	if (i == n)
		return fail(
		    err, RC_CONFIG, "\"%.40s\" is none of status, move, back, retire", verb);
	rc = verbs[i].run(j, err);
	return rc == RC_OK && j->o->json && verbs[i].run != run_status ? run_status_anew(j, err)
								       : rc;
}

static int
run(const void *options, int nargs, char **args)
{
	struct job j = { .o = options, .name = nargs > 1 ? args[1] : NULL };
	struct err err = { 0 };
	enum rc rc;

	ctl_who(j.who);
	rc = ctl_open(&j.config, &j.store, j.o->config, &err);
	j.s.config = j.config;
	if (rc == RC_OK)
		rc = store_succession_read(j.store, &j.s.st, &err);
	if (rc == RC_OK)
		rc = run_verb(&j, nargs > 0 ? args[0] : "status", &err);
	store_succession_done(&j.s.st);
	store_close(j.store);
	config_free(j.config);
	return rc == RC_OK ? EX_OK : err_report(PROG, &err);
}

const struct command ca_rollover = {
	.name = "rollover",
	.args = "[status | move ENDPOINT | back ENDPOINT | retire CA]",
	.help = "devices from one CA to the next, by share, and back",
	.about = "The next CA stands in scepd.yaml beside the old one, with 'replaces: OLD'.\n\n"
		 "Examples:\n"
		 "  scepctl ca rollover status\n"
		 "  scepctl ca rollover move wifi --share 5\n"
		 "  scepctl ca rollover move --all --share 100\n"
		 "  scepctl ca rollover back wifi\n"
		 "  scepctl ca rollover retire issuing\n",
	.opts = opts,
	.size = sizeof(struct options),
	.defaults = &(const struct options){ .share = SHARE_UNSET },
	.max_args = 2,
	.run = run,
};
