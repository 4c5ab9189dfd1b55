/*
 * conf.c - loading a file, and the one form of its error messages.
 */
#include "conf/conf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/text.h"
#include "conf/conf_int.h"

static size_t place_add(struct place *p, const char *fmt, ...) PRINTF_LIKE(2, 3);

static size_t
place_add(struct place *p, const char *fmt, ...)
{
	size_t before = p->len, room = sizeof(p->text) - p->len;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(p->text + p->len, room, fmt, ap);
	va_end(ap);
	if (n > 0)
		p->len += (size_t)n < room ? (size_t)n : room - 1;
	return before;
}

size_t
place_key(struct place *p, const char *key)
{
	return place_add(p, "%s%s", p->len > 0 ? "." : "", key);
}

size_t
place_index(struct place *p, size_t index)
{
	return place_add(p, "[%zu]", index);
}

void
place_leave(struct place *p, size_t before)
{
	p->len = before;
	p->text[before] = '\0';
}

enum rc
conf_fail_at(
    const struct conf *conf, struct err *err, int line, const char *key, const char *fmt, ...)
{
	char what[ERR_MSG_MAX];
	bool has_key = key != NULL && key[0] != '\0';
	va_list ap;

	va_start(ap, fmt);
	if (vsnprintf(what, sizeof(what), fmt, ap) < 0)
		what[0] = '\0';
	va_end(ap);
	return fail(err, RC_CONFIG, "%s:%d: %s%s%s", conf->name, line, has_key ? key : "",
	    has_key ? ": " : "", what);
}

/* The folder of the file as an absolute path: scepd changes its working directory later. */
static enum rc
folder_of(char **out, const char *path, struct err *err)
{
	char cwd[4096], *dir = NULL;
	enum rc rc;

	rc = path_dir(&dir, path, err);
	if (rc != RC_OK || dir[0] == '/') {
		*out = dir;
		return rc;
	}
	if (getcwd(cwd, sizeof(cwd)) == NULL)
		rc = fail_errno(err, "cannot tell the working directory");
	else if (strcmp(dir, ".") == 0)
		rc = str_dup(out, cwd, err);
	else
		rc = path_join(out, cwd, str_starts(dir, "./") ? dir + 2 : dir, err);
	free(dir);
	return rc;
}

static enum rc
conf_new(struct conf **out, const char *name, struct err *err)
{
	struct conf *c = calloc(1, sizeof(*c));
	enum rc rc;

	if (c == NULL)
		return fail(err, RC_NOMEM, "out of memory for the configuration");
	rc = str_dup(&c->name, name, err);
	if (rc == RC_OK)
		rc = folder_of(&c->dir, name, err);
	if (rc == RC_OK)
		*out = c;
	else
		conf_free(c);
	return rc;
}

void
conf_free(struct conf *conf)
{
	if (conf == NULL)
		return;
	arena_done(&conf->arena);
	free(conf->name);
	free(conf->dir);
	free(conf);
}

/* From the tree of the whole file into the caller's struct. */
static enum rc
fill_root(struct fill *f, const struct conf_schema *schema, const struct node *root, void *out,
    struct err *err)
{
	/* An empty file is a map with no keys: what is required is then said to be missing. */
	static const struct node nothing = { .kind = NODE_MAP, .line = 1 };

	if (root == NULL || root->empty)
		root = &nothing;
	if (root->kind != NODE_MAP)
		return conf_fail(f->conf, err, root->line, NULL,
		    "want a map (key: value), found %s", node_kind_name(root));
	return fill_struct(f, schema, root, root->line, out, err);
}

enum rc
conf_parse(struct conf **conf, const char *name, const void *bytes, size_t len,
    const struct conf_schema *schema, void *out, struct err *err)
{
	struct arena scratch = { 0 };
	struct fill f = { .scratch = &scratch };
	const struct node *root = NULL;
	enum rc rc;

	memset(out, 0, schema->size);
	rc = conf_new(&f.conf, name, err);
	if (rc != RC_OK)
		return rc;
	rc = tree_parse(&root, f.conf, &scratch, bytes, len, err);
	if (rc == RC_OK)
		rc = fill_root(&f, schema, root, out, err);
	arena_done(&scratch);
	if (rc == RC_OK) {
		*conf = f.conf;
	} else {
		/* No pointers into what is freed now. */
		memset(out, 0, schema->size);
		conf_free(f.conf);
	}
	return rc;
}

enum rc
conf_read(struct buf *text, const char *path, struct err *err)
{
	enum rc rc = file_read(text, path, LIMIT_CONFIG, err);

	if (rc == RC_LIMIT)
		rc = fail(err, RC_CONFIG, "%s is longer than %u bytes", path, LIMIT_CONFIG);
	return rc;
}

enum rc
conf_load(struct conf **conf, const char *path, const struct conf_schema *schema, void *out,
    struct err *err)
{
	struct buf text;
	enum rc rc;

	buf_init(&text, LIMIT_CONFIG);
	rc = conf_read(&text, path, err);
	if (rc == RC_OK)
		rc = conf_parse(conf, path, text.data, text.len, schema, out, err);
	buf_done(&text);
	return rc;
}
