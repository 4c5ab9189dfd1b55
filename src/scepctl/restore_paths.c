/*
 * restore_paths.c - absolute paths of the old machine in scepd.yaml, made relative to the restored folder.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/text.h"
#include "scepctl/backup.h"

#define ORIGINAL ".before-restore" /* behind the name of the configuration as it was */

/* What may stand around a path in YAML, "sqlite:" and "file:" included. */
static bool
is_edge(char c)
{
	return c == '\0' || strchr(" \t\r\n'\"[]{},:#", c) != NULL;
}

/* The longest path that stands at `p`, by itself. */
static const struct path_pair *
pair_at(const char *p, const struct path_pair *pairs, size_t n)
{
	const struct path_pair *best = NULL;

	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(pairs[i].was);

		if (strncmp(p, pairs[i].was, len) == 0 && is_edge(p[len]) &&
		    (best == NULL || len > strlen(best->was)))
			best = &pairs[i];
	}
	return best;
}

enum rc
paths_replace(struct buf *out, const char *text, const struct path_pair *pairs, size_t n_pairs,
    size_t *n, struct err *err)
{
	const char *p = text;

	*n = 0;
	while (*p != '\0') {
		const struct path_pair *pair =
		    p == text || is_edge(p[-1]) ? pair_at(p, pairs, n_pairs) : NULL;

		if (pair == NULL) {
			buf_addc(out, *p++);
			continue;
		}
		buf_adds(out, pair->is);
		p += strlen(pair->was);
		++*n;
	}
	return buf_ok(out, "restored configuration", err);
}

static enum rc
pairs_of(struct path_pair **out, size_t *n, const struct restore *r, struct err *err)
{
	const json_t *list = json_object_get(r->manifest, "paths"), *one;
	struct path_pair *pairs = calloc(json_array_size(list) + 1, sizeof(*pairs));
	size_t i;

	if (pairs == NULL)
		return fail(err, RC_NOMEM, "no memory for paths");
	json_array_foreach(list, i, one)
	{
		pairs[i].was = json_get_str(one, "was");
		pairs[i].is = json_get_str(one, "is");
		if (pairs[i].was == NULL || pairs[i].is == NULL || pairs[i].was[0] == '\0') {
			free(pairs);
			return fail(err, RC_INTEGRITY, "%s: malformed list of paths", r->src.path);
		}
	}
	*out = pairs;
	*n = json_array_size(list);
	return RC_OK;
}

static void
tell(struct restore *r, const char *yaml, const struct path_pair *pairs, size_t n_pairs, size_t n)
{
	if (n > 0)
		buf_addf(&r->told,
		    "%zu paths in %s now point into this folder; as it was: %s" ORIGINAL "\n", n,
		    yaml, yaml);
	for (size_t i = 0; i < n_pairs; i++)
		if (str_starts(pairs[i].is, BACKUP_EXTERNAL) && pairs[i].was[0] == '/')
			buf_addf(&r->told, "  %s is now %s\n", pairs[i].was, pairs[i].is);
}

static enum rc
rewrite(struct restore *r, const char *yaml, const char *path, struct err *err)
{
	struct path_pair *pairs = NULL;
	struct buf before, after;
	size_t n_pairs = 0, n = 0;
	char *original = NULL;
	struct stat st;
	enum rc rc;

	if (stat(path, &st) != 0)
		return fail_errno(err, "cannot look at %s", path);
	buf_init(&before, LIMIT_CONFIG);
	buf_init(&after, LIMIT_CONFIG);
	rc = pairs_of(&pairs, &n_pairs, r, err);
	if (rc == RC_OK)
		rc = file_read(&before, path, LIMIT_CONFIG, err);
	if (rc == RC_OK)
		rc = paths_replace(&after, buf_str(&before), pairs, n_pairs, &n, err);
	if (rc == RC_OK && n > 0 &&
	    (rc = str_format(&original, err, "%s" ORIGINAL, path)) == RC_OK &&
	    (rc = file_write(original, before.data, before.len, st.st_mode & 0777, 0, err)) ==
		RC_OK)
		rc = file_write(path, after.data, after.len, st.st_mode & 0777, 1, err);
	if (rc == RC_OK)
		tell(r, yaml, pairs, n_pairs, n);
	free(original);
	free(pairs);
	buf_done(&before);
	buf_done(&after);
	return rc;
}

enum rc
restore_paths(struct restore *r, struct err *err)
{
	const char *name = json_get_str(r->manifest, "config");
	char *path = NULL;
	enum rc rc;

	if (name == NULL || !str_starts(name, BACKUP_CONFIG) ||
	    json_object_get(r->found, name) == NULL)
		return fail(err, RC_INTEGRITY, "%s holds no scepd.yaml", r->src.path);
	name += strlen(BACKUP_CONFIG);
	rc = path_join(&path, r->tmp, name, err);
	if (rc == RC_OK)
		rc = rewrite(r, name, path, err);
	free(path);
	return rc;
}
