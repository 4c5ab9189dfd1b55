/*
 * cmd_requests.c - scepctl requests list | show | approve | deny: what waits for an administrator, and
 * the administrator's word.
 */
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "scepctl/comment.h"
#include "scepctl/listing.h"

#define REASON_MAX 1000 /* bytes */

struct options {
	const char *config, *endpoint, *state, *reason;
	bool json, all, yes;
};

/* ---- as words ---- */

static json_t *
hold_json(const struct store_hold *h)
{
	char id[65];
	const struct {
		const char *key, *value;
	} strs[] = {
		{ "verdict", hold_verdict_name(h->verdict) },
		{ "state", tx_state_name(h->state) },
		{ "endpoint", h->endpoint },
		{ "transactionId", h->transaction_id },
		{ "profile", h->profile },
		{ "subject", h->subject },
		{ "san", h->san },
		{ "key", h->key },
		{ "peer", h->peer },
		{ "signerSha256", id },
		{ "decidedBy", h->who },
		{ "reason", h->reason },
		{ "serial", h->serial },
	};
	json_t *o = json_object();
	bool built = o != NULL && ctl_json_int(o, "id", h->id);

	hex_lower(id, h->signer_sha256, sizeof(h->signer_sha256));
	for (size_t i = 0; built && i < sizeof(strs) / sizeof(strs[0]); i++)
		built = ctl_json_str(o, strs[i].key, strs[i].value);
	if (!built || !ctl_json_time(o, "held", h->held / 1000) ||
	    !ctl_json_time(o, "expires", h->expires / 1000) ||
	    !ctl_json_time(o, "decided", h->decided / 1000)) {
		json_decref(o);
		return NULL;
	}
	return o;
}

static void
print_decision(FILE *f, const struct store_hold *h)
{
	char when[CTL_TIME_MAX];

	if (h->decided == 0)
		return;
	ctl_line(f, "Decided", ctl_time(when, h->decided / 1000));
	ctl_line(f, "By", h->who);
	ctl_line(f, "Reason", h->reason);
}

/* All that an administrator can go by: the key's hash is what nobody else has. */
static void
print_hold(FILE *f, const struct store_hold *h)
{
	char when[CTL_TIME_MAX], number[24], signer[65];

	(void)snprintf(number, sizeof(number), "%lld", (long long)h->id);
	hex_lower(signer, h->signer_sha256, sizeof(h->signer_sha256));
	ctl_line(f, "Request", number);
	ctl_line(f, "State", hold_verdict_name(h->verdict));
	print_decision(f, h);
	ctl_line(f, "Subject", h->subject != NULL ? h->subject : "(none)");
	ctl_line(f, "Names", h->san != NULL ? h->san : "(none)");
	ctl_line(f, "Key", h->key);
	ctl_line(f, "Key SHA-256", signer);
	ctl_line(f, "From", h->peer);
	ctl_line(f, "Endpoint", h->endpoint);
	ctl_line(f, "Profile", h->profile);
	ctl_line(f, "Transaction", h->transaction_id);
	ctl_line(f, "Held", ctl_time(when, h->held / 1000));
	ctl_line(f, "Expires", ctl_time(when, h->expires / 1000));
	ctl_line(f, "Certificate", h->serial);
}

/* ---- list ---- */

static void
print_row(const struct listing *l, const struct store_hold *h)
{
	char held[CTL_TIME_MAX], expires[CTL_TIME_MAX], endpoint[64], subject[512];

	if (l->n == 0)
		(void)printf("%-8s  %-8s  %-20s  %-20s  %-12s  %-10s  %s\n", "REQUEST", "STATE",
		    "HELD", "EXPIRES", "ENDPOINT", "KEY", "SUBJECT");
	(void)printf("%-8lld  %-8s  %-20s  %-20s  %-12s  %-10s  %s\n", (long long)h->id,
	    hold_verdict_name(h->verdict), ctl_time(held, h->held / 1000),
	    ctl_time(expires, h->expires / 1000), ctl_safe(endpoint, sizeof(endpoint), h->endpoint),
	    h->key != NULL ? h->key : "", ctl_safe(subject, sizeof(subject), h->subject));
}

static int
on_row(void *arg, const struct store_hold *h)
{
	struct listing *l = arg;

	if (l->json)
		return listing_item(l, h->id, hold_json(h));
	print_row(l, h);
	return listing_printed(l, h->id);
}

static enum rc
state_parse(enum hold_verdict *out, const struct options *o, struct err *err)
{
	if (o->all && o->state != NULL)
		return fail(err, RC_CONFIG, "--all and --state exclude each other");
	*out = o->all ? HOLD_NONE : HOLD_PENDING;
	for (int v = HOLD_PENDING; o->state != NULL && v < HOLD__MAX; v++)
		if (strcmp(hold_verdict_name((enum hold_verdict)v), o->state) == 0)
			*out = (enum hold_verdict)v;
	return RC_OK;
}

static enum rc
list_all(struct store *s, const struct options *o, struct listing *l, struct err *err)
{
	struct store_hold_filter f = { .endpoint = o->endpoint };
	enum rc rc = state_parse(&f.verdict, o, err);

	if (rc != RC_OK)
		return rc;
	do {
		rc = store_hold_each(s, &f, LISTING_PAGE, on_row, l, err);
		f.after_id = l->last;
	} while (listing_goes_on(l, rc));
	return listing_end(l, rc, err);
}

static int
run_list(const void *options, int nargs, char **args)
{
	const struct options *o = options;
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
	listing_close(&l, o->all || o->state != NULL ? "no requests\n" : "no requests wait\n");
	return EX_OK;
}

static const struct opt list_opts[] = {
	OPT_CONFIG(options),
	{ .name = "endpoint",
	    .type = OPT_STR,
	    .offset = offsetof(struct options, endpoint),
	    .value = "NAME",
	    .help = "only of this endpoint" },
	{ .name = "state",
	    .type = OPT_CHOICE,
	    .offset = offsetof(struct options, state),
	    .value = "STATE",
	    .help = "only those that are so (default: pending)",
	    .choices = "pending|approved|denied|ended" },
	OPT_FLAG_ROW("all", options, all, "whatever became of them"),
	OPT_FLAG_ROW("json", options, json, "a JSON array instead of a table"),
	{ .name = NULL },
};

/* ---- show ---- */

static enum rc
open_one(struct store **s, struct store_hold *h, int64_t *id, const struct options *o,
    const char *number, struct err *err)
{
	enum rc rc = ctl_number(id, number, "request", err);

	if (rc == RC_OK)
		rc = ctl_open(NULL, s, o->config, err);
	if (rc == RC_OK && (rc = store_hold_get(*s, *id, h, err)) == RC_NOTFOUND)
		(void)err_hint(err, "'" PROG " requests list --all' has the numbers");
	return rc;
}

static int
run_show(const void *options, int nargs, char **args)
{
	const struct options *o = options;
	struct store_hold h = { 0 };
	struct store *s = NULL;
	struct err err = { 0 };
	int status = EX_OK;
	int64_t id;

	if (open_one(&s, &h, &id, o, args[0], &err) != RC_OK)
		status = err_report(PROG, &err);
	else if (o->json)
		status = ctl_json_print(hold_json(&h), true);
	else
		print_hold(stdout, &h);
	store_hold_done(&h);
	store_close(s);
	return status;
}

static const struct opt show_opts[] = {
	OPT_CONFIG(options),
	OPT_FLAG_ROW("json", options, json, "as JSON"),
	{ .name = NULL },
};

/* ---- approve, deny ---- */

/* The word of a person who has seen the request, or of a script that says so. */
static enum rc
confirm(const struct options *o, struct err *err)
{
	const struct ctl_question q = { .yes = o->yes,
		.question = "Issue a certificate for this?",
		.no = "not approved; the request waits on",
		.nobody = "this request",
		.hint = "--yes approves without asking" };

	return ctl_confirm(&q, err);
}

/* What is decided already says so before anybody is asked. */
static enum rc
decide(struct store *s, const struct options *o, const struct store_hold *h, enum hold_verdict v,
    struct err *err)
{
	char who[CTL_WHO_MAX];
	enum rc rc = RC_OK;

	ctl_who(who);
	if (v == HOLD_APPROVED && h->verdict == HOLD_PENDING) {
		print_hold(stderr, h);
		rc = confirm(o, err);
	}
	return rc == RC_OK ? store_hold_decide(s, h->id, v, who, o->reason, err) : rc;
}

static void
print_done(const struct store_hold *h, enum hold_verdict v)
{
	char subject[512];

	(void)printf("%s request %lld: %s\n", v == HOLD_APPROVED ? "approved" : "denied",
	    (long long)h->id, ctl_safe(subject, sizeof(subject), h->subject));
	(void)printf(v == HOLD_APPROVED
		? "The device gets its certificate when it next asks, if it asks before the "
		  "approval expires.\n"
		: "The device is told when it next asks; the denial stands until the request "
		  "would have expired.\n");
}

/* As it is then. */
static enum rc
print_done_json(struct store *s, int64_t id, int *status, struct err *err)
{
	struct store_hold now = { 0 };
	enum rc rc = store_hold_get(s, id, &now, err);

	if (rc == RC_OK)
		*status = ctl_json_print(hold_json(&now), true);
	store_hold_done(&now);
	return rc;
}

static int
run_decide(const void *options, char **args, enum hold_verdict v)
{
	const struct options *o = options;
	struct store_hold h = { 0 };
	struct store *s = NULL;
	struct err err = { 0 };
	int status = EX_OK;
	int64_t id;
	enum rc rc = ctl_text_check("--reason", o->reason, REASON_MAX, &err);

	if (rc == RC_OK)
		rc = open_one(&s, &h, &id, o, args[0], &err);
	if (rc == RC_OK)
		rc = decide(s, o, &h, v, &err);
	if (rc == RC_OK && o->json)
		rc = print_done_json(s, h.id, &status, &err);
	else if (rc == RC_OK)
		print_done(&h, v);
	store_hold_done(&h);
	store_close(s);
	return rc == RC_OK ? status : err_report(PROG, &err);
}

static int
run_approve(const void *options, int nargs, char **args)
{
	return run_decide(options, args, HOLD_APPROVED);
}

static int
run_deny(const void *options, int nargs, char **args)
{
	return run_decide(options, args, HOLD_DENIED);
}

#define OPT_REASON                                                                                 \
	{                                                                                          \
		.name = "reason", .letter = 'r', .type = OPT_STR,                                  \
		.offset = offsetof(struct options, reason), .value = "TEXT",                       \
		.help = "kept with the request and in the audit trail"                             \
	}
#define OPT_DECIDED_JSON OPT_FLAG_ROW("json", options, json, "the request as JSON, as it is then")

static const struct opt approve_opts[] = {
	OPT_CONFIG(options),
	OPT_FLAG_ROW("yes", options, yes, "do not ask; needed where there is no terminal"),
	OPT_REASON,
	OPT_DECIDED_JSON,
	{ .name = NULL },
};

static const struct opt deny_opts[] = {
	OPT_CONFIG(options),
	OPT_REASON,
	OPT_DECIDED_JSON,
	{ .name = NULL },
};

/* ---- the table ---- */

static const struct command table[] = {
	{ .name = "list",
	    .args = "",
	    .help = "requests that wait, one a line",
	    .about = "Example:\n  scepctl requests list --endpoint routers\n",
	    .opts = list_opts,
	    .size = sizeof(struct options),
	    .run = run_list },
	{ .name = "show",
	    .args = "NUMBER",
	    .help = "all that is known of one request",
	    .opts = show_opts,
	    .size = sizeof(struct options),
	    .min_args = 1,
	    .max_args = 1,
	    .run = run_show },
	{ .name = "approve",
	    .args = "NUMBER",
	    .help = "let a request become a certificate",
	    .about = "Shows the request and asks.  'Key SHA-256' is of the public key "
		     "(SubjectPublicKeyInfo, DER) that asks: compare\n"
		     "it with the device's, since anybody can ask in its name.\n\n"
		     "Example:\n"
		     "  scepctl requests approve 4711 --reason 'Jane called, key compared'\n",
	    .opts = approve_opts,
	    .size = sizeof(struct options),
	    .min_args = 1,
	    .max_args = 1,
	    .run = run_approve },
	{ .name = "deny",
	    .args = "NUMBER",
	    .help = "refuse a request",
	    .about = "Example:\n  scepctl requests deny 4712 --reason 'no such router'\n",
	    .opts = deny_opts,
	    .size = sizeof(struct options),
	    .min_args = 1,
	    .max_args = 1,
	    .run = run_deny },
	{ .name = NULL },
};

const struct command cmd_requests = {
	.name = "requests",
	.help = "requests that wait for an administrator: list, show, approve, deny",
	.sub = table,
};
