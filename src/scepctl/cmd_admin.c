/*
 * cmd_admin.c - scepctl admin token | list | revoke: who may use the admin API.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/text.h"
#include "ossl/alg.h"
#include "scepctl/listing.h"
#include "scepd/admin_auth.h"

#define TOKEN_BYTES 32 /* random; 43 characters of base64url */

struct options {
	const char *config, *only;
	bool replace, json;
};

static const struct opt opts[] = {
	OPT_CONFIG(options),
	{ .name = "for",
	    .type = OPT_STR,
	    .offset = offsetof(struct options, only),
	    .value = "WHAT",
	    .help = "token: what it is good for: " ADMIN_MAY_WORDS " (default: all)" },
	OPT_FLAG_ROW("replace", options, replace, "token: instead of one of the same name"),
	OPT_FLAG_ROW("json", options, json, "list: a JSON array; token, revoke: an object"),
	{ .name = NULL },
};

/* The file as it is, and what it says; an absent one is empty. */
struct file {
	const char *path;
	mode_t mode;
	struct buf text;
	struct admin_tokens tokens;
};

static enum rc
load(struct file *f, const struct config *c, struct err *err)
{
	struct stat st;
	enum rc rc;

	if (c->admin.tokens_file == NULL) {
		(void)fail(err, RC_CONFIG, "%s: admin.tokens_file is not set", c->path);
		return err_hint(err,
		    "admin: { address: 127.0.0.1:9080, tokens_file: admin.tokens } lets this make "
		    "that file");
	}
	f->path = c->admin.tokens_file;
	f->mode = stat(f->path, &st) == 0 ? st.st_mode & 0777 : 0600;
	rc = file_read_secret(&f->text, f->path, LIMIT_SECRET_FILE, err);
	if (rc == RC_NOTFOUND)
		return RC_OK;
	if (rc == RC_OK && f->text.len > 0)
		buf_addc(&f->text, '\n'); /* file_read_secret() has dropped it */
	if (rc == RC_OK &&
	    (rc = admin_tokens_parse(&f->tokens, f->text.data, f->text.len, err)) != RC_OK)
		(void)err_context(err, "%s", f->path);
	return rc;
}

static const struct admin_token *
find(const struct file *f, const char *name)
{
	for (size_t i = 0; i < f->tokens.n; i++)
		if (strcmp(f->tokens.v[i].name, name) == 0)
			return &f->tokens.v[i];
	return NULL;
}

static bool
is_line_of(const char *line, size_t len, const char *name)
{
	size_t n = strlen(name), skip = 0;

	while (skip < len && (line[skip] == ' ' || line[skip] == '\t'))
		skip++;
	return len - skip > n && memcmp(line + skip, name, n) == 0 &&
	    (line[skip + n] == ' ' || line[skip + n] == '\t');
}

/* The text without the line of `name`: comments and all else stay as they are. */
static void
copy_without(struct buf *out, const struct buf *text, const char *name)
{
	const char *at = buf_str(text);

	while (*at != '\0') {
		size_t len = strcspn(at, "\n"), whole = len + (at[len] == '\n');

		if (!is_line_of(at, len, name))
			buf_add(out, at, whole);
		at += whole;
	}
}

static enum rc
save(const struct file *f, const struct buf *text, struct err *err)
{
	enum rc rc = buf_ok(text, "tokens file", err);

	return rc == RC_OK ? file_write(f->path, text->data, text->len, f->mode, 1, err) : rc;
}

/* ---- JSON ---- */

/* What it is good for, as an array of words. */
static json_t *
may_json(unsigned may)
{
	char text[ADMIN_MAY_TEXT_MAX], *rest = text, *word;
	json_t *v = json_array();
	bool built = v != NULL;

	admin_may_text(text, may);
	while (built && (word = strsep(&rest, ",")) != NULL)
		built = json_array_append_new(v, json_string(word)) == 0;
	if (built)
		return v;
	json_decref(v);
	return NULL;
}

/* `secret0`: of one that was made just now. */
static json_t *
token_json(const char *name, unsigned may, const char *secret0)
{
	json_t *o = json_object();

	if (o != NULL && ctl_json_str(o, "name", name) &&
	    json_object_set_new(o, "for", may_json(may)) == 0 &&
	    (secret0 == NULL || ctl_json_str(o, "token", secret0)))
		return o;
	json_decref(o);
	return NULL;
}

static enum rc
print_json(const char *name, unsigned may, const char *secret0, struct err *err)
{
	if (ctl_json_print(token_json(name, may, secret0), true) == EX_OK)
		return RC_OK;
	return fail(err, RC_NOMEM, "the file was changed, and there is no memory to tell of it");
}

/* ---- actions ---- */

struct token {
	char text[48]; /* base64url of TOKEN_BYTES, with its NUL */
	char hash[65];
};

static enum rc
make(struct token *t, struct err *err)
{
	uint8_t random[TOKEN_BYTES], sha256[32];
	struct buf b;
	enum rc rc;

	if ((rc = random_bytes(random, sizeof(random), err)) != RC_OK)
		return rc;
	buf_init(&b, sizeof(t->text) - 1);
	base64url_add(&b, random, sizeof(random));
	if ((rc = buf_ok(&b, "token", err)) == RC_OK &&
	    (rc = digest_bytes(sha256, DIGEST_SHA256, b.data, b.len, err)) == RC_OK) {
		memcpy(t->text, buf_str(&b), b.len + 1);
		hex_lower(t->hash, sha256, sizeof(sha256));
	}
	buf_wipe(&b);
	wipe(random, sizeof(random));
	return rc;
}

static enum rc
add(struct file *f, const struct options *o, const char *name, const struct token *t,
    struct err *err)
{
	struct buf text;
	enum rc rc;

	buf_init(&text, LIMIT_SECRET_FILE);
	copy_without(&text, &f->text, name);
	buf_addf(&text, "%s sha256:%s%s%s\n", name, t->hash, o->only != NULL ? " " : "",
	    o->only != NULL ? o->only : "");
	rc = save(f, &text, err);
	buf_done(&text);
	return rc;
}

static enum rc
token(struct file *f, const struct options *o, const char *name, struct err *err)
{
	struct token t;
	unsigned may = ADMIN_MAY_ALL;
	enum rc rc;

	if (!admin_name_ok(name))
		return fail(err, RC_CONFIG,
		    "\"%.80s\": a name is 1 to %d of letters, digits, '.', '_', '@' and '-'", name,
		    ADMIN_NAME_MAX);
	if (o->only != NULL && (rc = admin_may_parse(&may, o->only, err)) != RC_OK)
		return rc;
	if (find(f, name) != NULL && !o->replace) {
		(void)fail(err, RC_CONFLICT, "there is a token of %s already", name);
		return err_hint(err, "--replace makes a new one, and the old one worthless");
	}
	if (find(f, name) == NULL && f->tokens.n == ADMIN_TOKENS_MAX)
		return fail(err, RC_LIMIT, "there are %d tokens already", ADMIN_TOKENS_MAX);
	if ((rc = make(&t, err)) != RC_OK)
		return rc;
	if ((rc = add(f, o, name, &t, err)) == RC_OK) {
		if (o->json)
			rc = print_json(name, may, t.text, err);
		else
			(void)printf("%s\n", t.text);
		(void)fprintf(stderr,
		    "This token of %s is shown once; %s has its hash alone. scepd takes it up "
		    "within a minute, or on SIGHUP.\n",
		    name, f->path);
	}
	wipe(&t, sizeof(t));
	return rc;
}

static enum rc
list(struct file *f, const struct options *o, const char *name, struct err *err)
{
	struct listing l = { .json = o->json };
	enum rc rc;

	for (size_t i = 0; i < f->tokens.n && !l.failed; i++) {
		const struct admin_token *t = &f->tokens.v[i];
		char may[ADMIN_MAY_TEXT_MAX];

		admin_may_text(may, t->may);
		if (l.json) {
			(void)listing_item(&l, 0, token_json(t->name, t->may, NULL));
		} else {
			(void)printf("%-24s %s\n", t->name, may);
			(void)listing_printed(&l, 0);
		}
	}
	if ((rc = listing_end(&l, RC_OK, err)) == RC_OK)
		listing_close(&l, "");
	return rc;
}

static enum rc
revoke(struct file *f, const struct options *o, const char *name, struct err *err)
{
	const struct admin_token *t = find(f, name);
	struct buf text;
	enum rc rc;

	if (t == NULL)
		return fail(err, RC_NOTFOUND, "there is no token of \"%.80s\"", name);
	buf_init(&text, LIMIT_SECRET_FILE);
	copy_without(&text, &f->text, name);
	rc = save(f, &text, err);
	buf_done(&text);
	return rc == RC_OK && o->json ? print_json(name, t->may, NULL, err) : rc;
}

static const struct action {
	const char *name;
	int nargs; /* with its own name */
	enum rc (*run)(struct file *, const struct options *, const char *name, struct err *);
} actions[] = {
	{ "token", 2, token },
	{ "list", 1, list },
	{ "revoke", 2, revoke },
};

static enum rc
perform(const struct action *a, const struct options *o, const char *name, struct err *err)
{
	struct config *config = NULL;
	struct file f = { .path = NULL };
	enum rc rc;

	buf_init(&f.text, LIMIT_SECRET_FILE);
	if ((rc = ctl_config(&config, o->config, err)) == RC_OK &&
	    (rc = load(&f, config, err)) == RC_OK)
		rc = a->run(&f, o, name, err);
	buf_done(&f.text);
	config_free(config);
	return rc;
}

static int
run(const void *options, int nargs, char **args)
{
	struct err err = { 0 };
	size_t i, n = sizeof(actions) / sizeof(actions[0]);

	for (i = 0; i < n && strcmp(actions[i].name, args[0]) != 0; i++)
		;
	if (i == n)
		(void)fail(
		    &err, RC_CONFIG, "admin: \"%.40s\" is neither token, list nor revoke", args[0]);
	else if (nargs != actions[i].nargs)
		(void)fail(&err, RC_CONFIG, "admin %s: %s", actions[i].name,
		    actions[i].nargs == 2 ? "whose? NAME is missing" : "takes no name");
	else if (perform(&actions[i], options, nargs > 1 ? args[1] : "", &err) == RC_OK)
		return EX_OK;
	return err_report(PROG, &err);
}

const struct command cmd_admin = {
	.name = "admin",
	.args = "token NAME|list|revoke NAME",
	.help = "tokens for the admin API: make, list, revoke",
	.about = "Whoever makes one-time passwords or decides on requests over the network needs a "
		 "token.  'token' makes one,\n"
		 "prints it once and writes its hash into admin.tokens_file; a program that "
		 "only fetches passwords gets one\n"
		 "that is good for nothing else.\n\n"
		 "Examples:\n"
		 "  scepctl admin token jane\n"
		 "  scepctl admin token jamf --for otp\n",
	.opts = opts,
	.size = sizeof(struct options),
	.min_args = 1,
	.max_args = 2,
	.run = run,
};
