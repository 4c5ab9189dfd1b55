/*
 * kit.c - what the tests of scepctl share.
 */
#include "kit.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"

static char program[4096]; /* absolute */

const char *
in(const struct box *b, const char *name)
{
	static char paths[8][512];
	static unsigned next;
	char *out = paths[next++ % 8];

	snprintf(out, sizeof(paths[0]), "%s/%s", b->dir, name);
	return out;
}

int
shell(struct box *b, const char *cmd)
{
	char line[8192];
	size_t n = 0, got;
	FILE *p;
	int status;

	snprintf(line, sizeof(line), "cd %s && { %s; } 2>&1", b->dir, cmd);
	p = popen(line, "r");
	assert_non_null(p);
	while ((got = fread(b->out + n, 1, sizeof(b->out) - 1 - n, p)) > 0)
		n += got;
	b->out[n] = '\0';
	status = pclose(p);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int
run(struct box *b, const char *args)
{
	char cmd[8192];

	snprintf(cmd, sizeof(cmd), "exec %s %s", program, args);
	return shell(b, cmd);
}

bool
says(const struct box *b, const char *text)
{
	bool found = strstr(b->out, text) != NULL;

	if (!found)
		print_error("no \"%s\" in:\n%s\n", text, b->out);
	return found;
}

mode_t
mode_of(const struct box *b, const char *name)
{
	struct stat st;

	return stat(in(b, name), &st) == 0 ? st.st_mode & 07777 : 0;
}

void
put(const struct box *b, const char *name, const char *text, mode_t mode)
{
	assert_int_equal(file_write(in(b, name), text, strlen(text), mode, 1, NULL), RC_OK);
}

/* The file as text; the caller frees. */
char *
content(const struct box *b, const char *name)
{
	struct buf text;
	size_t n;

	buf_init(&text, 1u << 20);
	assert_int_equal(file_read(&text, in(b, name), 1u << 20, NULL), RC_OK);
	return (char *)buf_take(&text, &n);
}

json_t *
parsed(const struct box *b)
{
	json_t *v = NULL;
	struct err err = { 0 };

	if (json_parse(&v, b->out, strlen(b->out), &err) != RC_OK)
		print_error("%s\n%s\n", err.msg, b->out);
	assert_non_null(v);
	return v;
}

const char *
member(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

struct store *
opened(const struct box *b)
{
	struct store *s = NULL;
	char url[256];

	snprintf(url, sizeof(url), "sqlite:%s/x/scepd.db", b->dir);
	assert_int_equal(store_open(&s, url, NULL), RC_OK);
	return s;
}

bool
kit_program(const char *path)
{
	return realpath(path, program) != NULL;
}

const char *
kit_path(void)
{
	return program;
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

int
box_new(void **state)
{
	struct box *b = calloc(1, sizeof(*b));

	assert_non_null(b);
	strcpy(b->dir, "/tmp/scepctl-test.XXXXXX");
	assert_non_null(mkdtemp(b->dir));
	*state = b;
	return 0;
}

int
box_free(void **state)
{
	struct box *b = *state;

	(void)nftw(b->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(b);
	return 0;
}

/* ---- a CA to copy ---- */

static struct box *master;

int
master_make(const char *more)
{
	char whole[16384];
	void *made = NULL;
	char *yaml;

	if (box_new(&made) != 0)
		return -1;
	master = made;
	assert_run(master, 0, LAB "--dir x");
	yaml = content(master, "x/scepd.yaml");
	snprintf(whole, sizeof(whole), "%s%s", yaml, more);
	free(yaml);
	put(master, "x/scepd.yaml", whole, 0644);
	return 0;
}

void
master_copy(struct box *b)
{
	char cmd[128];

	snprintf(cmd, sizeof(cmd), "cp -r %s/x .", master->dir);
	assert_int_equal(shell(b, cmd), 0);
}

int
master_free(void **state)
{
	void *made = master;

	return box_free(&made);
}
