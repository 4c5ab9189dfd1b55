/* config_folder.c - see config_folder.h. */
#include "config_folder.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"

const char *
in(const struct folder *f, const char *name)
{
	static char paths[8][128];
	static unsigned next;
	char *out = paths[next++ % 8];

	(void)snprintf(out, sizeof(paths[0]), "%s/%s", f->dir, name);
	return out;
}

void
put(const struct folder *f, const char *name, const char *text, mode_t mode)
{
	struct err err = { 0 };

	if (file_write(in(f, name), text, strlen(text), mode, 1, &err) != RC_OK)
		print_error("%s\n", err.msg);
	assert_int_equal(err.rc, RC_OK);
}

int
folder_new(void **state)
{
	struct folder *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	(void)strcpy(f->dir, "/tmp/scepd-config-test.XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	(void)strcpy(f->path, in(f, "scepd.yaml"));
	*state = f;
	return 0;
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

int
folder_free(void **state)
{
	struct folder *f = *state;
	int rc = nftw(f->dir, remove_one, 4, FTW_DEPTH | FTW_PHYS);

	free(f);
	return rc;
}

enum rc
load(const struct folder *f, struct config **out, const char *yaml, struct err *err)
{
	*err = (struct err){ 0 };
	put(f, "scepd.yaml", yaml, 0600);
	return config_load(out, f->path, err);
}

struct config *
loaded(const struct folder *f, const char *yaml)
{
	struct config *c = NULL;
	struct err err;

	if (load(f, &c, yaml, &err) != RC_OK)
		print_error("%s (%s)\n", err.msg, err.hint);
	assert_non_null(c);
	return c;
}
