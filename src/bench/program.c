/* program.c - see program.h. */
#include "bench/program.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

/* From the folder of this program; %s twice for the name in a build tree. */
static const char *const places[] = { "%s/../%s/%s", "%s/../sbin/%s", "%s/%s" };

static enum rc
own_folder(char *out, size_t room, struct err *err)
{
	ssize_t n = readlink("/proc/self/exe", out, room - 1);

	if (n < 0)
		return fail_errno(err, "/proc/self/exe");
	out[n] = '\0';
	*strrchr(out, '/') = '\0'; /* the kernel gives an absolute path */
	return RC_OK;
}

enum rc
program_find(char **out, const char *given, const char *name, struct err *err)
{
	char dir[PATH_MAX];
	enum rc rc;

	if (given != NULL)
		return str_dup(out, given, err);
	if ((rc = own_folder(dir, sizeof(dir), err)) != RC_OK)
		return rc;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		char *path = NULL;

		if ((rc = str_format(&path, err, places[i], dir, name, name)) != RC_OK)
			return rc;
		if (access(path, X_OK) == 0) {
			*out = path;
			return RC_OK;
		}
		free(path);
	}
	return str_dup(out, name, err);
}

bool
program_there(const char *name)
{
	const char *path = getenv("PATH");
	char one[PATH_MAX];

	if (strchr(name, '/') != NULL)
		return access(name, X_OK) == 0;
	while (path != NULL && *path != '\0') {
		size_t n = strcspn(path, ":");

		if (n > 0 && n + strlen(name) + 2 <= sizeof(one)) {
			memcpy(one, path, n);
			one[n] = '/';
			strcpy(one + n + 1, name);
			if (access(one, X_OK) == 0)
				return true;
		}
		path += path[n] == ':' ? n + 1 : n;
	}
	return false;
}
