/*
 * config_rules.c - rules about the directory in scepd.yaml: their keys, what they may say, and the door of
 * `scepctl rules try`.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/text.h"
#include "scepd/config_int.h"

#define ROW(k, t, s, f) .key = (k), .type = (t), .offset = offsetof(struct s, f)
#define END                                                                                        \
	{                                                                                          \
		.key = NULL                                                                        \
	}

#define DAY     86400
#define KEY_MAX 160 /* bytes of a sentence in an error */

/* ---- keys ---- */

static const struct conf_row outage_rows[] = {
	{ ROW("max_age", CONF_DURATION, conf_rule, outage.max_age), .dflt = "7d", .min = 0,
	    .max = 3653u * DAY,
	    .help = "how long what was last heard counts when nobody answers; 0: for ever" },
	{ ROW("then", CONF_CHOICE, conf_rule, outage.then), .dflt = "open", .choices = "open|hold",
	    .help = "after that: the rule's holds come off, or all are held it asks about" },
	END,
};
static const struct conf_schema outage_schema = { "outage", sizeof(struct conf_rule), outage_rows,
	0, CONF_NO_LINE };

/* Whom a rule is for, or leaves out. */
#define FILTER_ROWS(f, who)                                                                        \
	{ ROW("profiles", CONF_STR_LIST, conf_rule, f.profiles), .max = 64,                        \
		.help = who "certificates by these profiles" },                                    \
	    { ROW("endpoints", CONF_STR_LIST, conf_rule, f.endpoints), .max = 64,                  \
		    .help = who "certificates of these endpoints" },                               \
	    { ROW("tenants", CONF_STR_LIST, conf_rule, f.tenants), .max = 64,                      \
		    .help = who "certificates bound in these tenants" },                           \
	    { ROW("platforms", CONF_STR_LIST, conf_rule, f.platforms), .max = 64,                  \
		    .help = who "devices whose operating system Intune calls so" },                \
	    { ROW("ownership", CONF_STR_LIST, conf_rule, f.ownership),                             \
		    .choices = "company|personal", .help = who "devices that belong to these" },   \
	{                                                                                          \
		ROW("groups", CONF_STR_LIST, conf_rule, f.groups),                                 \
		    .max = 16, .help = who "users and devices in one of these groups (object ids)" \
	}

static const struct conf_row except_rows[] = {
	FILTER_ROWS(except, "not "),
	END,
};
static const struct conf_schema except_schema = { "except", sizeof(struct conf_rule), except_rows,
	0, CONF_NO_LINE };

static const struct conf_row rule_rows[] = {
	{ ROW("when", CONF_CHOICE, conf_rule, when), .required = true, .choices = RULE_WHEN_CHOICES,
	    .help = "what the directory says" },
	{ ROW("then", CONF_CHOICE, conf_rule, then), .dflt = "hold", .choices = "hold|revoke",
	    .help = "what becomes of the certificate; revoke only where it is final" },
	{ ROW("grace", CONF_DURATION, conf_rule, grace), .dflt = "0", .min = 0, .max = 90 * DAY,
	    .help = "so long after the enrolment of the device the rule does nothing" },
	{ ROW("days", CONF_U64, conf_rule, days), .dflt = "0", .min = 0, .max = 3653,
	    .help = "with when not-seen: for how many" },
	{ ROW("risk", CONF_STR_LIST, conf_rule, risk), .choices = "low|medium|high",
	    .help = "with when user-risk: which levels" },
	FILTER_ROWS(only, "only "),
	{ .key = "except",
	    .type = CONF_MAP,
	    .offset = 0,
	    .sub = &except_schema,
	    .help = "whom it leaves out: who has one of these" },
	{ .key = "outage",
	    .type = CONF_MAP,
	    .offset = 0,
	    .sub = &outage_schema,
	    .help = "what a directory means that does not answer" },
	END,
};
const struct conf_schema conf_rule_schema = { "a rule", sizeof(struct conf_rule), rule_rows,
	offsetof(struct conf_rule, name), offsetof(struct conf_rule, line) };

static const struct conf_row brake_rows[] = {
	{ ROW("percent", CONF_U64, config_file, c.revocation.brake.percent), .dflt = "10", .min = 1,
	    .max = 100, .help = "of the devices and users that rules see",
	    .hint = CONF_BRAKE_HINT },
	{ ROW("count", CONF_U64, config_file, c.revocation.brake.count), .dflt = "500", .min = 1,
	    .max = 1000000, .help = "devices and users, whatever the percentage",
	    .hint = CONF_BRAKE_HINT },
	{ ROW("minimum", CONF_U64, config_file, c.revocation.brake.minimum), .dflt = "10", .min = 0,
	    .max = 1000000, .help = "so many may be turned in any case" },
	{ ROW("window", CONF_DURATION, config_file, c.revocation.brake.window), .dflt = "1h",
	    .min = 0, .max = DAY, .help = "what rules have turned in this time counts too" },
	END,
};
const struct conf_schema conf_brake_schema = { "brake", sizeof(struct config_file), brake_rows, 0,
	CONF_NO_LINE };

static const struct conf_row exceptions_rows[] = {
	{ ROW("second", CONF_BOOL, config_file, c.revocation.exceptions.second), .dflt = "false",
	    .help = "an exception is in force once a second administrator has confirmed it" },
	{ ROW("max", CONF_DURATION, config_file, c.revocation.exceptions.max), .dflt = "30d",
	    .min = 60, .max = 90 * DAY, .help = "the longest that one may be made for" },
	END,
};
const struct conf_schema conf_exceptions_schema = { "exceptions", sizeof(struct config_file),
	exceptions_rows, 0, CONF_NO_LINE };

/* ---- what they may say ---- */

static enum rc
wrong(const struct config_file *f, const struct conf_rule *r, const char *key, const char *why,
    struct err *err)
{
	return config_item_fail(f, err, r->line, "rules", r->name, key, why);
}

static enum rc
check_says(const struct config_file *f, const struct conf_rule *r, struct err *err)
{
	bool seen = r->when == WHEN_NOT_SEEN, risk = r->when == WHEN_USER_RISK;

	if (r->name[0] == '\0' || strlen(r->name) >= CAUSE_RULE_MAX ||
	    r->name[strspn(r->name, "abcdefghijklmnopqrstuvwxyz0123456789-")] != '\0')
		return wrong(f, r, "", "a name here is 1 to 63 of a-z, 0-9 and '-'", err);
	if (r->then == RULE_THEN_REVOKE && !rule_when_may_revoke((enum rule_when)r->when))
		return wrong(f, r, "then",
		    "what passes again cannot revoke; say hold (revoke goes with device-deleted, "
		    "device-retired, device-wiped, user-deleted and user-risk)",
		    err);
	if (r->when == WHEN_UNKNOWN_TO_DIRECTORY && r->outage.max_age > 0 &&
	    r->outage.max_age < 2 * DAY)
		return wrong(f, r, "outage.max_age",
		    "2d or more, or 0: whom the directory does not know is asked for daily", err);
	if (seen != (r->days > 0))
		return wrong(f, r, "days",
		    seen ? "required with when: not-seen, 1 or more" : "only with when: not-seen",
		    err);
	if (risk != (r->risk.n > 0))
		return wrong(f, r, "risk",
		    risk ? "required with when: user-risk" : "only with when: user-risk", err);
	return RC_OK;
}

static bool
is_guid(const char *s)
{
	static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

	for (size_t i = 0; i < sizeof(form); i++)
		if (form[i] == 'x' ? s[i] == '\0' || strchr("0123456789abcdefABCDEF", s[i]) == NULL
				   : s[i] != form[i])
			return false;
	return true;
}

/* Items of a section that have names. */
struct names_in {
	const struct conf_items *items;
	size_t size, offset;
};

static bool
is_in(const struct names_in *in, const char *word, struct nearest *near)
{
	for (size_t k = 0; k < in->items->n; k++) {
		const char *name;

		memcpy(&name, (const char *)in->items->v + k * in->size + in->offset, sizeof(name));
		if (strcmp(name, word) == 0)
			return true;
		nearest_offer(near, name);
	}
	return false;
}

/* A filter that names nothing would fit nobody, quietly. */
static enum rc
check_names(const struct config_file *f, const struct conf_rule *r, const char *key,
    const char *list, const struct conf_strs *words, const struct names_in *in, size_t n,
    struct err *err)
{
	for (size_t i = 0; i < words->n; i++) {
		struct nearest near;
		char why[KEY_MAX];
		bool known = false;

		nearest_begin(&near, words->v[i]);
		for (size_t k = 0; k < n && !known; k++)
			known = is_in(&in[k], words->v[i], &near);
		if (known)
			continue;
		(void)snprintf(
		    why, sizeof(why), "there is no \"%.60s\" under %s", words->v[i], list);
		(void)wrong(f, r, key, why, err);
		if (near.best != NULL)
			(void)err_hint(err, "did you mean \"%s\"?", near.best);
		return RC_CONFIG;
	}
	return RC_OK;
}

static enum rc
check_groups(const struct config_file *f, const struct conf_rule *r, const char *key,
    const struct conf_strs *groups, struct err *err)
{
	char why[KEY_MAX];

	for (size_t i = 0; i < groups->n; i++) {
		if (is_guid(groups->v[i]))
			continue;
		(void)snprintf(
		    why, sizeof(why), "\"%.60s\" is no object id of a group", groups->v[i]);
		(void)wrong(f, r, key, why, err);
		return err_hint(err,
		    "names change, ids do not: Entra shows it as Object ID on the group's page, "
		    "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx");
	}
	return RC_OK;
}

/* `prefix`: "" or "except." */
static enum rc
check_filter(const struct config_file *f, const struct config *names, const struct conf_rule *r,
    const struct conf_filter *x, const char *prefix, struct err *err)
{
	/* What a foreign CA has issued has its name for a profile. */
	const struct names_in profiles[] = {
		{ &names->profiles, sizeof(struct profile), offsetof(struct profile, name) },
		{ &names->foreign_cas, sizeof(struct conf_foreign),
		    offsetof(struct conf_foreign, name) },
	};
	const struct names_in endpoints = { &names->endpoints, sizeof(struct conf_endpoint),
		offsetof(struct conf_endpoint, name) };
	const struct names_in tenants = { &names->tenants, sizeof(struct conf_tenant),
		offsetof(struct conf_tenant, name) };
	const struct {
		const char *key;
		const struct conf_strs *words;
		const struct names_in *in;
		size_t n;
	} rows[] = {
		{ "profiles", &x->profiles, profiles, sizeof(profiles) / sizeof(profiles[0]) },
		{ "endpoints", &x->endpoints, &endpoints, 1 },
		{ "tenants", &x->tenants, &tenants, 1 },
	};
	char key[32];
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < sizeof(rows) / sizeof(rows[0]); i++) {
		(void)snprintf(key, sizeof(key), "%s%s", prefix, rows[i].key);
		rc = check_names(f, r, key, rows[i].key, rows[i].words, rows[i].in, rows[i].n, err);
	}
	(void)snprintf(key, sizeof(key), "%sgroups", prefix);
	return rc == RC_OK ? check_groups(f, r, key, &x->groups, err) : rc;
}

static enum rc
check_filters(const struct config_file *f, const struct config *names, const struct conf_rule *r,
    struct err *err)
{
	enum rc rc = check_filter(f, names, r, &r->only, "", err);

	return rc == RC_OK ? check_filter(f, names, r, &r->except, "except.", err) : rc;
}

/* ---- into rules ---- */

static struct rule_words
words_of(const struct conf_strs *s)
{
	return (struct rule_words){ s->v, s->n };
}

static unsigned
risk_of(const struct conf_strs *s)
{
	unsigned out = 0;

	for (size_t i = 0; i < s->n; i++)
		out |= strcmp(s->v[i], "low") == 0   ? RISK_LOW
		    : strcmp(s->v[i], "medium") == 0 ? RISK_MEDIUM
						     : RISK_HIGH;
	return out;
}

/* Graph tells ids in lower case, and portals do not always. */
static enum rc
groups_of(struct rule_words *out, struct config_file *f, const struct conf_strs *s, struct err *err)
{
	const char **v = config_alloc(f, s->n, sizeof(*v));

	if (v == NULL)
		return fail(err, RC_NOMEM, "out of memory for the configuration");
	for (size_t i = 0; i < s->n; i++) {
		char *low = config_alloc(f, strlen(s->v[i]) + 1, 1);

		if (low == NULL)
			return fail(err, RC_NOMEM, "out of memory for the configuration");
		for (size_t k = 0; s->v[i][k] != '\0'; k++)
			low[k] = s->v[i][k] >= 'A' && s->v[i][k] <= 'Z'
			    ? (char)(s->v[i][k] - 'A' + 'a')
			    : s->v[i][k];
		v[i] = low;
	}
	*out = (struct rule_words){ v, s->n };
	return RC_OK;
}

static enum rc
rule_from(
    struct directory_rule *out, struct config_file *f, const struct conf_rule *r, struct err *err)
{
	enum rc rc;

	*out = (struct directory_rule){
		.name = r->name,
		.when = (enum rule_when)r->when,
		.then = r->then == RULE_THEN_REVOKE ? CAUSE_REVOKE : CAUSE_HOLD,
		.grace = r->grace,
		.not_seen = (int64_t)r->days * DAY,
		.risk = risk_of(&r->risk),
		.max_age = r->outage.max_age,
		.outage = (enum rule_outage)r->outage.then,
		.profiles = words_of(&r->only.profiles),
		.endpoints = words_of(&r->only.endpoints),
		.tenants = words_of(&r->only.tenants),
		.platforms = words_of(&r->only.platforms),
		.ownership = words_of(&r->only.ownership),
		.except = { .profiles = words_of(&r->except.profiles),
		    .endpoints = words_of(&r->except.endpoints),
		    .tenants = words_of(&r->except.tenants),
		    .platforms = words_of(&r->except.platforms),
		    .ownership = words_of(&r->except.ownership) },
	};
	rc = groups_of(&out->groups, f, &r->only.groups, err);
	return rc == RC_OK ? groups_of(&out->except.groups, f, &r->except.groups, err) : rc;
}

enum rc
config_rules(struct config_file *f, const struct config *names, struct err *err)
{
	const struct conf_rule *raw = f->raw_rules.v;
	struct directory_rule *v = config_alloc(f, f->raw_rules.n, sizeof(*v));
	enum rc rc = RC_OK;

	if (v == NULL)
		return fail(err, RC_NOMEM, "out of memory for the configuration");
	for (size_t i = 0; rc == RC_OK && i < f->raw_rules.n; i++) {
		rc = check_says(f, &raw[i], err);
		if (rc == RC_OK)
			rc = check_filters(f, names, &raw[i], err);
		if (rc == RC_OK)
			rc = rule_from(&v[i], f, &raw[i], err);
	}
	f->c.rules = v;
	f->c.n_rules = f->raw_rules.n;
	return rc;
}

/* ---- a file with rules alone ---- */

static const struct conf_row alone_rows[] = {
	{ ROW("rules", CONF_NAMED, config_file, raw_rules), .required = true, .max = RULES_MAX,
	    .sub = &conf_rule_schema },
	{ .key = "revocation", .type = CONF_MAP, .offset = 0, .sub = &conf_revocation_schema },
	END,
};
static const struct conf_schema alone_schema = { "a file of rules", sizeof(struct config_file),
	alone_rows, 0, CONF_NO_LINE };

/* Every scepd.yaml has endpoints, and no file of rules does. */
static enum rc
is_whole(bool *whole, const char *path, struct err *err)
{
	static const char key[] = "endpoints:";
	const char *at;
	struct buf b;
	enum rc rc;

	*whole = false;
	buf_init(&b, LIMIT_CONFIG);
	rc = file_read(&b, path, LIMIT_CONFIG, err);
	for (at = rc == RC_OK ? buf_str(&b) : NULL; at != NULL && !*whole;) {
		*whole = strncmp(at, key, sizeof(key) - 1) == 0;
		at = strchr(at, '\n');
		at = at == NULL ? NULL : at + 1;
	}
	buf_done(&b);
	return rc;
}

static enum rc
load_alone(struct config **out, const char *path, const struct config *names, struct err *err)
{
	struct config_file *f = calloc(1, sizeof(*f));
	struct conf *source = NULL;
	enum rc rc;

	if (f == NULL)
		return fail(err, RC_NOMEM, "out of memory for the configuration");
	rc = conf_load(&source, path, &alone_schema, f, err);
	if (rc != RC_OK) {
		free(f);
		return rc;
	}
	f->c.source = source;
	rc = config_rules(f, names, err);
	if (rc == RC_OK)
		*out = &f->c;
	else
		config_free(&f->c);
	return rc;
}

enum rc
config_load_rules(
    struct config **out, const char *path, const struct config *names, struct err *err)
{
	bool whole = false;
	enum rc rc = is_whole(&whole, path, err);

	if (rc != RC_OK)
		return rc;
	return whole ? config_load(out, path, err) : load_alone(out, path, names, err);
}
