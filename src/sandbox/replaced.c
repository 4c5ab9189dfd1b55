/*
 * replaced.c - files that a rule was for, and that were replaced since.
 *
 * A rule keeps its inode in the kernel, so that no other file gets that number while the process runs:
 * another file has another number.  One that is written to in place stays what it was.
 */
#include "sandbox/sandbox_int.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

_Static_assert(sizeof(dev_t) <= sizeof(uint64_t) && sizeof(ino_t) <= sizeof(uint64_t), "they fit");

static bool
is_below(const char *file, const char *folder)
{
	char *real = realpath(folder, NULL);
	size_t len = real != NULL ? strlen(real) : 0;
	bool below = len > 0 && strncmp(file, real, len) == 0 && file[len] == '/';

	free(real);
	return below;
}

/* What a link leads into a folder of the list can be replaced there, and stays readable. */
static bool
is_covered(const char *path, const struct system_path *rows, size_t n)
{
	char *real = realpath(path, NULL);
	bool covered = false;

	for (size_t i = 0; real != NULL && !covered && i < n; i++)
		covered = is_below(real, rows[i].path.path);
	free(real);
	return covered;
}

void
files_take(struct sandbox_files *out, const struct system_path *rows, size_t n)
{
	size_t k = 0;
	struct stat st;

	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i < n && k < SANDBOX_FILES_MAX; i++) {
		if (!rows[i].live)
			continue;
		if (stat(rows[i].path.path, &st) == 0 && !is_covered(rows[i].path.path, rows, n)) {
			out->dev[k] = st.st_dev;
			out->ino[k] = st.st_ino;
		}
		k++;
	}
}

const char *
files_replaced0(const struct sandbox_files *then, const struct system_path *rows, size_t n)
{
	struct sandbox_files now;
	size_t k = 0;

	files_take(&now, rows, n);
	for (size_t i = 0; i < n && k < SANDBOX_FILES_MAX; i++) {
		if (!rows[i].live)
			continue;
		/* What is gone cannot be read by anybody. */
		if (now.ino[k] != 0 && (now.ino[k] != then->ino[k] || now.dev[k] != then->dev[k]))
			return rows[i].path.path;
		k++;
	}
	return NULL;
}

void
sandbox_files_take(struct sandbox_files *out)
{
	files_take(out, system_paths, n_system_paths);
}

const char *
sandbox_files_replaced0(const struct sandbox_files *then)
{
	return files_replaced0(then, system_paths, n_system_paths);
}
