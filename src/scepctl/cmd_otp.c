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
#include "ca/authorization.h"
#include "ca/otp.h"
#include "scepctl/ctl.h"

#define PAGE        100 /* rows read at a time, so that a long list holds up no checkpoint */
#define COMMENT_MAX 200 /* bytes; it is kept for ever in the audit chain */
#define REVOKE_MAX  1000

struct options {
	const char *config, *endpoint, *subject, *san, *comment;
	int64_t lifetime; /* seconds; 0: the endpoint's */
	uint64_t uses, count;
	bool json, hex, live, all;
};

static const struct options defaults = { .uses = 1, .count = 1 };

/* ---- new: what is asked for ---- */

/* The endpoint, and the profiles that it may issue by. */
struct target {
	const struct conf_endpoint *e;
	const struct profile *profiles[CONF_ENDPOINT_PROFILES];
	size_t n;
	int64_t lifetime; /* seconds */
};

static const struct conf_endpoint *
endpoint_by_name(const struct config *c, const char *name)
{
	const struct conf_endpoint *v = c->endpoints.v;

	for (size_t i = 0; i < c->endpoints.n; i++)
		if (strcmp(v[i].name, name) == 0)
			return &v[i];
	return NULL;
}

/* The one that is named, or the only one that takes passwords. */
static enum rc
endpoint_find(
    const struct conf_endpoint **out, const struct config *c, const char *name, struct err *err)
{
	const struct conf_endpoint *v = c->endpoints.v, *found = NULL;
	size_t n = 0;

	if (name != NULL && (found = endpoint_by_name(c, name)) == NULL)
		return fail(err, RC_NOTFOUND, "%s: there is no endpoint \"%.60s\"", c->path, name);
	if (name != NULL && found->challenge != CHALLENGE_OTP) {
		(void)fail(err, RC_CONFIG, "endpoint %s takes no one-time passwords", name);
		return err_hint(err, "'challenge: otp' in %s makes it one that does", c->path);
	}
	for (size_t i = 0; name == NULL && i < c->endpoints.n; i++)
		if (v[i].challenge == CHALLENGE_OTP) {
			found = &v[i];
			n++;
		}
	if (name == NULL && n != 1)
		return fail(err, RC_CONFIG,
		    n == 0 ? "%s: no endpoint takes one-time passwords"
			   : "%s: several endpoints take one-time passwords: --endpoint says which",
		    c->path);
	*out = found;
	return RC_OK;
}

/* S15: a password does not say who asks, so it has to name somebody, or every profile does. */
static enum rc
subject_check(const struct target *t, const struct options *o, struct err *err)
{
	enum rc rc = RC_OK;

	if (o->subject != NULL || o->san != NULL)
		rc = one_time_password_check(o->subject, o->san, err);
	for (size_t i = 0; rc == RC_OK && o->subject == NULL && i < t->n; i++)
		if (profile_check_bounded(t->profiles[i], NULL) != RC_OK) {
			rc = fail(err, RC_CONFIG,
			    "--subject is needed, since profile %s does not bound who may be named",
			    t->profiles[i]->name);
			(void)err_hint(
			    err, "whom is it for? --subject 'CN=pc-7', or 'CN=pad-*' for several");
		}
	if (rc != RC_OK || o->subject == NULL)
		return rc;
	/* Of several profiles the device's key usage chooses: one that lets it in is enough. */
	for (size_t i = 0; i < t->n; i++)
		if ((rc = otp_subject_check(o->subject, t->profiles[i], err)) == RC_OK)
			break;
	return rc;
}

static enum rc
lifetime_check(struct target *t, int64_t asked, struct err *err)
{
	char most[DURATION_TEXT_MAX];

	t->lifetime = asked != 0 ? asked : t->e->otp.lifetime;
	if (t->lifetime <= t->e->otp.max_lifetime)
		return RC_OK;
	duration_text(most, t->e->otp.max_lifetime);
	return fail(err, RC_CONFIG, "--lifetime is more than %s, endpoint %s's otp.max_lifetime",
	    most, t->e->name);
}

static enum rc
comment_check(const char *comment, struct err *err)
{
	if (comment == NULL)
		return RC_OK;
	if (strlen(comment) > COMMENT_MAX)
		return fail(err, RC_CONFIG, "--comment is longer than %d bytes", COMMENT_MAX);
	if (!utf8_valid((const uint8_t *)comment, strlen(comment)))
		return fail(err, RC_CONFIG, "--comment is not UTF-8 text");
	return RC_OK;
}

static enum rc
target_find(struct target *t, const struct config *c, const struct options *o, struct err *err)
{
	const char *names[CONF_ENDPOINT_PROFILES];
	enum rc rc = endpoint_find(&t->e, c, o->endpoint, err);

	if (rc != RC_OK)
		return rc;
	t->n = config_endpoint_profiles(names, t->e);
	for (size_t i = 0; i < t->n; i++)
		t->profiles[i] = config_profile(c, names[i]);
	if ((rc = subject_check(t, o, err)) == RC_OK &&
	    (rc = lifetime_check(t, o->lifetime, err)) == RC_OK)
		rc = comment_check(o->comment, err);
	return rc;
}

/* ---- new: made and printed ---- */

struct batch {
	size_t n;
	struct otp *secrets;
	struct store_otp *rows;
	int64_t *ids;
};

static void
batch_done(struct batch *b)
{
	for (size_t i = 0; b->secrets != NULL && i < b->n; i++)
		otp_done(&b->secrets[i]);
	free(b->secrets);
	free(b->rows);
	free(b->ids);
}

static enum rc
batch_make(struct batch *b, const struct target *t, const struct options *o, const char *who,
    struct err *err)
{
	int64_t expires = clock_now_ms() + t->lifetime * 1000;
	enum rc rc = RC_OK;

	b->n = (size_t)o->count;
	b->secrets = calloc(b->n, sizeof(*b->secrets));
	b->rows = calloc(b->n, sizeof(*b->rows));
	b->ids = calloc(b->n, sizeof(*b->ids));
	if (b->secrets == NULL || b->rows == NULL || b->ids == NULL)
		return fail(err, RC_NOMEM, "no memory for %zu passwords", b->n);
	for (size_t i = 0; i < b->n && rc == RC_OK; i++) {
		b->rows[i] = (struct store_otp){ .endpoint = t->e->name,
			.subject = o->subject,
			.san = o->san,
			.expires = expires,
			.uses = (unsigned)o->uses,
			.who = who,
			.comment = o->comment };
		rc = otp_make(&b->secrets[i], o->hex ? OTP_HEX : OTP_GROUPS, err);
		if (rc == RC_OK)
			memcpy(b->rows[i].sha256, b->secrets[i].sha256, sizeof(b->rows[i].sha256));
	}
	return rc;
}

/* To standard error, so that standard output holds passwords and nothing else. */
static void
explain(const struct batch *b, const struct target *t, const struct options *o)
{
	char when[CTL_TIME_MAX], life[DURATION_TEXT_MAX], uses[64] = "one certificate";
	struct buf subject;

	buf_init(&subject, 4096);
	if (o->subject != NULL)
		otp_subject_words(&subject, o->subject);
	if (o->uses > 1)
		(void)snprintf(
		    uses, sizeof(uses), "%llu certificates", (unsigned long long)o->uses);
	duration_text(life, t->lifetime); /* "--lifetime 2" are two seconds, and no days */
	(void)fprintf(stderr, "%zu password%s for endpoint %s, %sgood for %s until %s (%s).\n",
	    b->n, b->n == 1 ? "" : "s", t->e->name, b->n == 1 ? "" : "each ", uses,
	    ctl_time(when, b->rows[0].expires / 1000), life);
	if (o->subject != NULL)
		(void)fprintf(stderr, "Subject: %s; no other attribute.\n", buf_str(&subject));
	else
		(void)fprintf(
		    stderr, "Subject: whatever profile %s allows.\n", t->profiles[0]->name);
	if (o->san != NULL)
		(void)fprintf(stderr, "Alternative names: %s\n", o->san);
	(void)fprintf(stderr, "%s not shown again.\n", b->n == 1 ? "It is" : "They are");
	buf_done(&subject);
}

static json_t *
secret_json(const struct batch *b, size_t i)
{
	json_t *o = json_object();

	if (o != NULL && ctl_json_int(o, "id", b->ids[i]) &&
	    ctl_json_str(o, "secret", b->secrets[i].text) &&
	    ctl_json_str(o, "endpoint", b->rows[i].endpoint) &&
	    ctl_json_time(o, "expires", b->rows[i].expires / 1000) &&
	    ctl_json_int(o, "uses", b->rows[i].uses))
		return o;
	json_decref(o);
	return NULL;
}

static enum rc
print_secrets(const struct batch *b, bool json, struct err *err)
{
	bool fine = true;

	for (size_t i = 0; i < b->n && fine; i++)
		if (json)
			fine = ctl_json_item(secret_json(b, i), i == 0);
		else
			fine = printf("%s\n", b->secrets[i].text) > 0;
	if (json)
		fine = printf("]\n") > 0 && fine;
	if (!fine || fflush(stdout) != 0) {
		(void)fail(err, RC_IO, "passwords were made but could not be printed");
		return err_hint(
		    err, "'" PROG " otp list' has their numbers for '" PROG " otp revoke'");
	}
	return RC_OK;
}

static enum rc
new_passwords(const struct config *c, struct store *s, const struct options *o, struct err *err)
{
	struct target t = { .n = 0 };
	struct batch b = { .n = 0 };
	char who[CTL_WHO_MAX];
	enum rc rc = target_find(&t, c, o, err);

	ctl_who(who);
	if (rc == RC_OK)
		rc = batch_make(&b, &t, o, who, err);
	if (rc == RC_OK)
		rc = store_otp_add(s, b.rows, b.n, b.ids, err);
	if (rc == RC_OK)
		rc = print_secrets(&b, o->json, err);
	if (rc == RC_OK)
		explain(&b, &t, o);
	batch_done(&b);
	return rc;
}

static int
run_new(const void *options, int nargs, char **args)
{
	const struct options *o = options;
	struct config *c = NULL;
	struct store *s = NULL;
	struct err err = { 0 };
	enum rc rc = ctl_open(&c, &s, o->config, &err);

	if (rc == RC_OK)
		rc = new_passwords(c, s, o, &err);
	store_close(s);
	config_free(c);
	return rc == RC_OK ? EX_OK : err_report(PROG, &err);
}

static const struct opt new_opts[] = {
	OPT_CONFIG(options),
	{ .name = "endpoint",
	    .letter = 'e',
	    .type = OPT_STR,
	    .offset = offsetof(struct options, endpoint),
	    .value = "NAME",
	    .help = "where it is good (default: the only endpoint with challenge: otp)" },
	{ .name = "subject",
	    .letter = 's',
	    .type = OPT_STR,
	    .offset = offsetof(struct options, subject),
	    .value = "PATTERN",
	    .help = "whom it is for: 'CN=pc-7,O=Contoso', with * and ? in values; no other "
		    "attribute may be there" },
	{ .name = "san",
	    .type = OPT_STR,
	    .offset = offsetof(struct options, san),
	    .value = "PATTERNS",
	    .help = "alternative names that it is for: 'dns:pc-7.contoso.com upn:*@contoso.com'" },
	{ .name = "lifetime",
	    .letter = 'l',
	    .type = OPT_DURATION,
	    .offset = offsetof(struct options, lifetime),
	    .value = "TIME",
	    .help = "how long it can be used, 90d at most (default: the endpoint's otp.lifetime)",
	    .min = 1,
	    .max = STORE_OTP_LIFETIME_MAX / 1000 },
	{ .name = "uses",
	    .letter = 'u',
	    .type = OPT_U64,
	    .offset = offsetof(struct options, uses),
	    .value = "N",
	    .help = "for how many certificates (default 1)",
	    .min = 1,
	    .max = STORE_OTP_USES_MAX },
	{ .name = "count",
	    .letter = 'n',
	    .type = OPT_U64,
	    .offset = offsetof(struct options, count),
	    .value = "N",
	    .help = "make so many, one a line (default 1)",
	    .min = 1,
	    .max = STORE_OTP_BATCH },
	{ .name = "comment",
	    .letter = 'm',
	    .type = OPT_STR,
	    .offset = offsetof(struct options, comment),
	    .value = "TEXT",
	    .help = "kept with it and in the audit trail" },
	OPT_FLAG_ROW("hex", options, hex,
	    "32 hex digits, as scripts for NDES expect, and not groups of letters"),
	OPT_FLAG_ROW("json", options, json, "a JSON array"),
	{ .name = NULL },
};

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

struct listing {
	bool json;
	int64_t last;
	size_t n;
	bool failed;
};

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
		l->failed = !ctl_json_item(row_json(r), l->n == 0);
	else
		print_row(l, r);
	l->last = r->id;
	l->n++;
	return l->failed;
}

static enum rc
list_all(struct store *s, const struct options *o, struct listing *l, struct err *err)
{
	struct store_otp_filter f = { .endpoint = o->endpoint, .live = o->live };
	size_t before;
	enum rc rc;

	do {
		before = l->n;
		rc = store_otp_each(s, &f, PAGE, on_row, l, err);
		f.after_id = l->last;
	} while (rc == RC_OK && !l->failed && l->n - before == PAGE);
	if (rc == RC_OK && l->failed)
		rc = fail(err, RC_NOMEM, "out of memory for JSON");
	return rc;
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
	if (o->json)
		(void)printf("%s]\n", l.n > 0 ? "" : "[");
	else if (l.n == 0)
		(void)printf("no one-time passwords\n");
	return EX_OK;
}

static const struct opt list_opts[] = {
	OPT_CONFIG(options),
	{ .name = "endpoint",
	    .letter = 'e',
	    .type = OPT_STR,
	    .offset = offsetof(struct options, endpoint),
	    .value = "NAME",
	    .help = "only of this endpoint" },
	OPT_FLAG_ROW("live", options, live, "only those that can still be used"),
	OPT_FLAG_ROW("json", options, json, "a JSON array instead of a table"),
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

/* One that was used or revoked a moment ago is none to be revoked any more. */
static enum rc
revoke_list(struct store *s, const struct doomed *d, const char *who, const char *why, size_t *gone,
    struct err *err)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; i < d->n && rc == RC_OK; i++) {
		rc = store_otp_revoke(s, d->ids[i], who, why, err);
		*gone += rc == RC_OK;
		if (rc == RC_CONFLICT || rc == RC_NOTFOUND)
			rc = RC_OK;
	}
	return rc;
}

static enum rc
revoke_all(const struct config *c, struct store *s, const struct options *o, const char *who,
    struct err *err)
{
	struct store_otp_filter f = { .endpoint = o->endpoint, .live = true };
	struct doomed d;
	size_t gone = 0;
	enum rc rc;

	do {
		d.n = 0;
		rc = store_otp_each(s, &f, REVOKE_MAX, on_live, &d, err);
		if (rc == RC_OK && d.n > 0) {
			f.after_id = d.ids[d.n - 1];
			rc = revoke_list(s, &d, who, o->comment, &gone, err);
		}
	} while (rc == RC_OK && d.n == REVOKE_MAX);
	if (rc == RC_OK && gone == 0 && o->endpoint != NULL &&
	    (rc = ctl_endpoint(c, o->endpoint, err)) != RC_OK)
		return rc;
	(void)printf("revoked %zu one-time password%s\n", gone, gone == 1 ? "" : "s");
	return rc;
}

static enum rc
revoke_one(struct store *s, const char *number, const char *who, const char *why, struct err *err)
{
	int64_t id;
	enum rc rc = ctl_number(&id, number, "one-time password", err);

	if (rc == RC_OK && (rc = store_otp_revoke(s, id, who, why, err)) == RC_NOTFOUND)
		(void)err_hint(err, "'" PROG " otp list' has the numbers");
	if (rc == RC_OK)
		(void)printf("revoked one-time password %lld\n", (long long)id);
	return rc;
}

static enum rc
revoke(const struct config *c, struct store *s, const struct options *o, int nargs, char **args,
    struct err *err)
{
	char who[CTL_WHO_MAX];
	enum rc rc = comment_check(o->comment, err);

	ctl_who(who);
	if (rc == RC_OK && o->all)
		return revoke_all(c, s, o, who, err);
	for (int i = 0; i < nargs && rc == RC_OK; i++)
		rc = revoke_one(s, args[i], who, o->comment, err);
	return rc;
}

static int
run_revoke(const void *options, int nargs, char **args)
{
	const struct options *o = options;
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
	if (rc == RC_OK)
		rc = revoke(c, s, o, nargs, args, &err);
	store_close(s);
	config_free(c);
	return rc == RC_OK ? EX_OK : err_report(PROG, &err);
}

static const struct opt revoke_opts[] = {
	OPT_CONFIG(options),
	OPT_FLAG_ROW("all", options, all, "every one that can still be used"),
	{ .name = "endpoint",
	    .letter = 'e',
	    .type = OPT_STR,
	    .offset = offsetof(struct options, endpoint),
	    .value = "NAME",
	    .help = "with --all: of this endpoint only" },
	{ .name = "comment",
	    .letter = 'm',
	    .type = OPT_STR,
	    .offset = offsetof(struct options, comment),
	    .value = "TEXT",
	    .help = "kept in the audit trail" },
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
	    .opts = new_opts,
	    .size = sizeof(struct options),
	    .defaults = &defaults,
	    .run = run_new },
	{ .name = "list",
	    .args = "",
	    .help = "what was made and what became of it, one a line",
	    .opts = list_opts,
	    .size = sizeof(struct options),
	    .run = run_list },
	{ .name = "revoke",
	    .args = "NUMBER... | --all",
	    .help = "let a password be used no more",
	    .about = "Certificates that came of it stay.\n\n"
		     "Example:\n"
		     "  scepctl otp revoke 17 18 --comment 'slips were lost'\n",
	    .opts = revoke_opts,
	    .size = sizeof(struct options),
	    .max_args = 100,
	    .run = run_revoke },
	{ .name = NULL },
};

const struct command cmd_otp = {
	.name = "otp",
	.help = "one-time passwords: new, list, revoke",
	.sub = table,
};
