/*
 * otp_new.c - see otp_new.h.  A password is printed when it is made and never again: the database has its hash.
 */
#include "scepctl/otp_new.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/clock.h"
#include "base/text.h"
#include "ca/authorization.h"
#include "ca/otp.h"
#include "scepctl/comment.h"

/* ---- what is asked for ---- */

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
subject_check(const struct target *t, const struct otp_options *o, struct err *err)
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
target_find(struct target *t, const struct config *c, const struct otp_options *o, struct err *err)
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
		rc = ctl_comment_check(o->comment, err);
	return rc;
}

/* ---- made and printed ---- */

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
batch_make(struct batch *b, const struct target *t, const struct otp_options *o, const char *who,
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
explain(const struct batch *b, const struct target *t, const struct otp_options *o)
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
new_passwords(const struct config *c, struct store *s, const struct otp_options *o, struct err *err)
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

int
otp_new_run(const void *options, int nargs, char **args)
{
	const struct otp_options *o = options;
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

const struct opt otp_new_opts[] = {
	OPT_CONFIG(otp_options),
	OTP_ENDPOINT_ROW("where it is good (default: the only endpoint with challenge: otp)"),
	{ .name = "subject",
	    .letter = 's',
	    .type = OPT_STR,
	    .offset = offsetof(struct otp_options, subject),
	    .value = "PATTERN",
	    .help = "whom it is for: 'CN=pc-7,O=Contoso', with * and ? in values; no other "
		    "attribute may be there" },
	{ .name = "san",
	    .type = OPT_STR,
	    .offset = offsetof(struct otp_options, san),
	    .value = "PATTERNS",
	    .help = "alternative names that it is for: 'dns:pc-7.contoso.com upn:*@contoso.com'" },
	{ .name = "lifetime",
	    .letter = 'l',
	    .type = OPT_DURATION,
	    .offset = offsetof(struct otp_options, lifetime),
	    .value = "TIME",
	    .help = "how long it can be used, 90d at most (default: the endpoint's otp.lifetime)",
	    .min = 1,
	    .max = STORE_OTP_LIFETIME_MAX / 1000 },
	{ .name = "uses",
	    .letter = 'u',
	    .type = OPT_U64,
	    .offset = offsetof(struct otp_options, uses),
	    .value = "N",
	    .help = "for how many certificates (default 1)",
	    .min = 1,
	    .max = STORE_OTP_USES_MAX },
	{ .name = "count",
	    .letter = 'n',
	    .type = OPT_U64,
	    .offset = offsetof(struct otp_options, count),
	    .value = "N",
	    .help = "make so many, one a line (default 1)",
	    .min = 1,
	    .max = STORE_OTP_BATCH },
	{ .name = "comment",
	    .letter = 'm',
	    .type = OPT_STR,
	    .offset = offsetof(struct otp_options, comment),
	    .value = "TEXT",
	    .help = "kept with it and in the audit trail" },
	OPT_FLAG_ROW("hex", otp_options, hex,
	    "32 hex digits, as scripts for NDES expect, and not groups of letters"),
	OPT_FLAG_ROW("json", otp_options, json, "a JSON array"),
	{ .name = NULL },
};
