/*
 * cmd_audit.c - scepctl audit verify | list: the chain of what the CA has done.
 */
#include <string.h>
#include <sysexits.h>

#include "base/clock.h"
#include "base/text.h"
#include "scepctl/ctl.h"
#include "signer/signer.h"

#define PAGE 100

struct options {
	const char *config;
	uint64_t after, limit;
	bool json;
};

static const struct opt opts[] = {
	OPT_CONFIG(options),
	{ .name = "after",
	    .type = OPT_U64,
	    .offset = offsetof(struct options, after),
	    .value = "N",
	    .help = "list: only rows after number N",
	    .max = INT64_MAX },
	{ .name = "limit",
	    .type = OPT_U64,
	    .offset = offsetof(struct options, limit),
	    .value = "N",
	    .help = "list: at most N rows (default all)",
	    .max = INT64_MAX },
	OPT_FLAG_ROW("json", options, json, "list: one JSON object a line; verify: an object"),
	{ .name = NULL },
};

struct listing {
	bool json, failed;
	int64_t last;
	size_t n;
};

static bool
print_json(int64_t seq, const char *when, const char *event, const char *detail)
{
	json_t *o = json_object();
	struct buf b;
	bool ok;

	buf_init(&b, 1u << 20);
	ok = o != NULL && ctl_json_int(o, "seq", seq) && ctl_json_str(o, "time", when) &&
	    ctl_json_str(o, "event", event) && ctl_json_str(o, "detail", detail) &&
	    json_add_text(&b, o, NULL) == RC_OK;
	if (ok)
		(void)printf("%s\n", buf_str(&b));
	buf_done(&b);
	json_decref(o);
	return ok;
}

static int
on_row(void *arg, int64_t seq, int64_t when_ms, const char *event, const char *detail)
{
	struct listing *l = arg;
	char when[TIME_TEXT_MAX], safe[1024], name[64];

	time_rfc3339_ms(when, when_ms);
	if (l->json)
		l->failed = !print_json(seq, when, event, detail);
	else
		(void)printf("%6lld  %s  %-12s  %s\n", (long long)seq, when,
		    ctl_safe(name, sizeof(name), event), ctl_safe(safe, sizeof(safe), detail));
	l->last = seq;
	l->n++;
	return l->failed ? 1 : 0;
}

static enum rc
list(struct store *store, const struct config *c, const struct options *o, struct err *err)
{
	struct listing l = { .json = o->json, .last = (int64_t)o->after };
	size_t want = PAGE, before;
	enum rc rc;

	do {
		before = l.n;
		if (o->limit != 0 && o->limit - l.n < PAGE)
			want = (size_t)(o->limit - l.n);
		rc = store_audit_each(store, l.last, want, on_row, &l, err);
	} while (rc == RC_OK && !l.failed && l.n - before == want && l.n != o->limit);
	if (rc == RC_OK && l.failed)
		rc = fail(err, RC_NOMEM, "out of memory for JSON");
	return rc;
}

struct verified {
	uint64_t rows, lines;
	bool signers; /* there is an audit of the signer */
};

static enum rc
print_verified_json(const struct verified *v, struct err *err)
{
	json_t *o = json_object();
	bool built = o != NULL && ctl_json_int(o, "rows", (int64_t)v->rows) &&
	    json_object_set_new(o, "signerLines",
		v->signers ? json_integer((json_int_t)v->lines) : json_null()) == 0;

	return ctl_json_print(o, built) == EX_OK ? RC_OK
						 : fail(err, RC_NOMEM, "out of memory for JSON");
}

static void
print_verified(const struct verified *v, const char *dir)
{
	(void)printf("audit: %llu rows, chain whole\n", (unsigned long long)v->rows);
	if (v->signers)
		(void)printf(
		    "signer's audit: %llu lines, chain whole\n", (unsigned long long)v->lines);
	else
		(void)printf("signer's audit: there is none in %s\n", dir);
}

/* The signer's is apart, where the daemon's other half cannot reach it. */
static enum rc
verify(struct store *store, const struct config *c, const struct options *o, struct err *err)
{
	const char *dir = c->processes.signer_state;
	struct verified v = { .signers = true };
	enum rc rc = store_audit_verify(store, &v.rows, err);

	if (rc == RC_OK && (rc = signer_audit_verify(dir, &v.lines, err)) == RC_NOTFOUND) {
		v.signers = false;
		rc = RC_OK;
	}
	if (rc == RC_OK && o->json)
		return print_verified_json(&v, err);
	if (rc == RC_OK)
		print_verified(&v, dir);
	return rc;
}

static const struct {
	const char *name;
	enum rc (*run)(struct store *, const struct config *, const struct options *, struct err *);
} actions[] = {
	{ "verify", verify },
	{ "list", list },
};

static int
run(const void *options, int nargs, char **args)
{
	const struct options *o = options;
	struct config *config = NULL;
	struct store *store = NULL;
	struct err err = { 0 };
	size_t i, n = sizeof(actions) / sizeof(actions[0]);
	enum rc rc;

	for (i = 0; i < n && strcmp(actions[i].name, args[0]) != 0; i++)
		;
	if (i == n) {
		(void)fail(&err, RC_CONFIG, "audit: \"%.40s\" is neither verify nor list", args[0]);
		return err_report(PROG, &err);
	}
	rc = ctl_open(&config, &store, o->config, &err);
	if (rc == RC_OK)
		rc = actions[i].run(store, config, o, &err);
	store_close(store);
	config_free(config);
	return rc == RC_OK ? EX_OK : err_report(PROG, &err);
}

const struct command cmd_audit = {
	.name = "audit",
	.args = "verify|list",
	.help = "check the chain of audit rows, or print it",
	.about =
	    "Every issue, refusal and revocation is a row that holds the hash of the row "
	    "before it; a row that was\n"
	    "changed or taken out breaks the chain, and 'verify' names the first one that "
	    "does not fit.  The signer keeps a chain of its own, in its folder: what every key was "
	    "used for; 'verify'\n"
	    "looks at that, too.\n\n"
	    "Examples:\n"
	    "  scepctl audit verify\n"
	    "  scepctl audit list --after 1200 --json\n",
	.opts = opts,
	.size = sizeof(struct options),
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
