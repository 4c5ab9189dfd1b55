/* usage.c - see usage.h. */
#include "bench/usage.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* proc(5): fields 4, 14 and 15 of /proc/PID/stat. */
struct stat_line {
	int parent;
	unsigned long user, system; /* clock ticks */
};

static bool
read_stat(struct stat_line *out, int pid)
{
	char path[64], text[1024];
	const char *after;
	size_t n;
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	if ((f = fopen(path, "re")) == NULL)
		return false;
	n = fread(text, 1, sizeof(text) - 1, f);
	(void)fclose(f);
	text[n] = '\0';
	/* The name in parentheses may hold blanks and parentheses itself. */
	after = strrchr(text, ')');
	return after != NULL &&
	    sscanf(after + 1, " %*c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &out->parent,
		&out->user, &out->system) == 3;
}

/* The number behind `key` in a file of "key: number" lines; 0 when it is not there. */
static uint64_t
read_number(int pid, const char *file, const char *key)
{
	char path[64], line[256];
	unsigned long long v = 0;
	size_t len = strlen(key);
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
	if ((f = fopen(path, "re")) == NULL)
		return 0;
	while (fgets(line, sizeof(line), f) != NULL)
		if (strncmp(line, key, len) == 0 && line[len] == ':')
			v = strtoull(line + len + 1, NULL, 10);
	(void)fclose(f);
	return v;
}

static void
add(struct usage *out, int pid, const struct stat_line *st)
{
	double tick = 1.0 / (double)sysconf(_SC_CLK_TCK);

	out->user += (double)st->user * tick;
	out->system += (double)st->system * tick;
	out->rss += read_number(pid, "status", "VmRSS") * 1024;
	out->peak += read_number(pid, "status", "VmHWM") * 1024;
	out->disk += read_number(pid, "io", "write_bytes");
	out->processes++;
}

enum rc
usage_read(struct usage *out, pid_t pid, struct err *err)
{
	struct stat_line st;
	struct dirent *e;
	DIR *d = opendir("/proc");

	if (d == NULL)
		return fail_errno(err, "/proc");
	memset(out, 0, sizeof(*out));
	while ((e = readdir(d)) != NULL) {
		int one = atoi(e->d_name);

		if (one > 0 && read_stat(&st, one) && (one == pid || st.parent == pid))
			add(out, one, &st);
	}
	(void)closedir(d);
	return out->processes > 0 ? RC_OK : fail(err, RC_IO, "process %d is not there", (int)pid);
}

/* The second of the words in /proc/PID/cmdline, which are apart by NULs. */
static bool
plays(int pid, const char *role)
{
	char path[64], text[256] = "";
	size_t n, first;
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%d/cmdline", pid);
	if ((f = fopen(path, "re")) == NULL)
		return false;
	n = fread(text, 1, sizeof(text) - 1, f);
	(void)fclose(f);
	first = strlen(text) + 1;
	return first < n && strcmp(text + first, role) == 0;
}

enum rc
usage_read_role(struct usage *out, pid_t supervisor, const char *role, struct err *err)
{
	struct stat_line st;
	struct dirent *e;
	DIR *d = opendir("/proc");

	if (d == NULL)
		return fail_errno(err, "/proc");
	memset(out, 0, sizeof(*out));
	while ((e = readdir(d)) != NULL) {
		int one = atoi(e->d_name);

		if (one > 0 && read_stat(&st, one) && st.parent == supervisor && plays(one, role))
			add(out, one, &st);
	}
	(void)closedir(d);
	return out->processes > 0 ? RC_OK : fail(err, RC_IO, "scepd has no %s", role);
}
