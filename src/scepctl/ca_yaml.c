/*
 * ca_yaml.c - one more CA in a scepd.yaml that an administrator has written: text goes in at one
 * place, and nothing else moves.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/text.h"
#include "scepctl/ca_common.h"

#define INDENT 2 /* where the file has no CA to take it from */

/* Between double quotes (YAML 1.2 5.7). */
static void
add_scalar(struct buf *out, const char *s)
{
	buf_addc(out, '"');
	for (; *s != '\0'; s++) {
		if (*s == '"' || *s == '\\')
			buf_addc(out, '\\');
		buf_addc(out, *s);
	}
	buf_addc(out, '"');
}

static void
add_key(struct buf *out, size_t indent, const char *key, const char *value)
{
	if (value == NULL)
		return;
	buf_addf(out, "%*s%s: ", (int)indent, "", key);
	add_scalar(out, value);
	buf_addc(out, '\n');
}

void
ca_yaml_lines(struct buf *out, const struct ca_lines *l, size_t indent)
{
	size_t in = indent + INDENT, i;

	buf_addf(out, "%*s%s:\n", (int)indent, "", l->name);
	add_key(out, in, "certificate", l->certificate);
	add_key(out, in, "key", l->key);
	if (l->n_chain > 0) {
		buf_addf(out, "%*schain: [", (int)in, "");
		for (i = 0; i < l->n_chain; i++) {
			buf_adds(out, i > 0 ? ", " : "");
			add_scalar(out, l->chain[i]);
		}
		buf_adds(out, "]\n");
	}
	add_key(out, in, "ra_certificate", l->ra_certificate);
	add_key(out, in, "ra_key", l->ra_key);
	add_key(out, in, "passphrase_file", l->passphrase_file);
	add_key(out, in, "pin_file", l->pin_file);
}

/* Behind the line "cas:", which may end in blanks or a comment; NULL when there is no such line. */
static const char *
below_cas(const char *text)
{
	const char *line, *rest;

	for (line = text; line != NULL; line = strchr(line, '\n'), line += line != NULL) {
		if (!str_starts(line, "cas:"))
			continue;
		rest = line + 4;
		rest += strspn(rest, " \t\r");
		if (*rest != '\n' && *rest != '#')
			return NULL;
		rest = strchr(rest, '\n');
		return rest != NULL ? rest + 1 : NULL;
	}
	return NULL;
}

/* How far the CAs that are there are indented. */
static size_t
indent_of(const char *at)
{
	size_t n;

	for (; *at != '\0'; at = strchr(at, '\n') + 1) {
		n = strspn(at, " ");
		if (at[n] != '#' && at[n] != '\n' && at[n] != '\r')
			return n > 0 ? n : INDENT;
		if (strchr(at, '\n') == NULL)
			break;
	}
	return INDENT;
}

static enum rc
edit(struct buf *out, const struct buf *old, const struct ca_lines *l, struct err *err)
{
	const char *text = buf_str(old), *at = below_cas(text);

	if (at == NULL)
		return fail(err, RC_CONFIG, "there is no line \"cas:\" with the CAs below it");
	buf_add(out, text, (size_t)(at - text));
	ca_yaml_lines(out, l, indent_of(at));
	buf_adds(out, at);
	if (l->module != NULL) {
		if (out->len > 0 && out->data[out->len - 1] != '\n')
			buf_addc(out, '\n');
		buf_adds(out,
		    "\n# paths: [...], sockets: [...], network: true: what the library opens and "
		    "calls beside system libraries\npkcs11:\n");
		add_key(out, INDENT, "module", l->module);
	}
	return buf_ok(out, "configuration", err);
}

/* As the daemon would read it, beside the old one, so that relative paths mean the same. */
static enum rc
try_new(const char *path, const struct buf *text, mode_t mode, struct err *err)
{
	struct config *config = NULL;
	char *trial = NULL;
	enum rc rc = str_format(&trial, err, "%s.new", path);

	if (rc == RC_OK && (rc = file_write(trial, text->data, text->len, mode, 0, err)) == RC_OK) {
		rc = config_load(&config, trial, err);
		(void)unlink(trial);
	}
	config_free(config);
	free(trial);
	return rc;
}

static enum rc
replace(const char *path, const struct buf *text, const struct stat *was, struct err *err)
{
	enum rc rc = file_write(path, text->data, text->len, was->st_mode & 07777, 1, err);

	if (rc == RC_OK && (was->st_uid != geteuid() || was->st_gid != getegid()) &&
	    chown(path, was->st_uid, was->st_gid) != 0)
		rc = fail_errno(err, "cannot give %s back to its owner", path);
	return rc;
}

enum rc
ca_yaml_add(const char *path, const struct ca_lines *l, struct err *err)
{
	char *real = realpath(path, NULL); /* a link stays one */
	struct buf old, text;
	struct stat st;
	enum rc rc;

	if (real == NULL || stat(real, &st) != 0) {
		free(real);
		return fail_errno(err, "cannot look at %s", path);
	}
	buf_init(&old, LIMIT_CONFIG);
	buf_init(&text, LIMIT_CONFIG);
	rc = file_read(&old, real, LIMIT_CONFIG, err);
	if (rc == RC_OK)
		rc = edit(&text, &old, l, err);
	if (rc == RC_OK)
		rc = try_new(real, &text, st.st_mode & 07777, err);
	if (rc == RC_OK)
		rc = replace(real, &text, &st, err);
	buf_done(&old);
	buf_done(&text);
	free(real);
	return rc;
}
