/* workdir.c - see workdir.h. */
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/vfs.h>

#include "base/text.h"
#include "bench/workdir.h"

#define WALK_FDS 16 /* folders open at once: ours is three deep */

enum rc
workdir_make(char **out, struct err *err)
{
	const char *tmp = getenv("TMPDIR");
	char *path = NULL;
	enum rc rc;

	if (tmp == NULL || tmp[0] != '/')
		tmp = "/tmp";
	if ((rc = str_format(&path, err, "%s/scepbench.XXXXXX", tmp)) != RC_OK)
		return rc;
	if (mkdtemp(path) == NULL) {
		rc = fail_errno(err, "make a temporary folder below %s", tmp);
		free(path);
		return rc;
	}
	*out = path;
	return RC_OK;
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)remove(path);
	return 0;
}

void
workdir_remove(char *dir)
{
	if (dir == NULL)
		return;
	(void)nftw(dir, remove_one, WALK_FDS, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
	free(dir);
}

const char *
workdir_filesystem(const char *dir)
{
	/* The numbers of statfs(2). */
	static const struct {
		unsigned long magic;
		const char *name;
	} known[] = { { 0xef53, "ext4" }, { 0x01021994, "tmpfs" }, { 0x58465342, "xfs" },
		{ 0x9123683e, "btrfs" }, { 0x794c7630, "overlayfs" }, { 0x2fc12fc1, "zfs" } };
	struct statfs fs;

	if (statfs(dir, &fs) != 0)
		return "unknown";
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if ((unsigned long)fs.f_type == known[i].magic)
			return known[i].name;
	return "other";
}
