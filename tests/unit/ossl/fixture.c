/*
 * fixture.c - what the tests of src/ossl share.
 */
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"

static struct {
	const char *spec;
	struct key *key[2];
} keys[] = { { "rsa:2048", { NULL } }, { "ec:p256", { NULL } }, { "ec:p384", { NULL } },
	{ "ed25519", { NULL } }, { "ml-dsa-44", { NULL } }, { "ml-dsa-65", { NULL } },
	{ "ml-dsa-87", { NULL } } };

static struct key *
get_key(const char *spec, size_t which)
{
	struct err err = { 0 };
	size_t i;

	for (i = 0; i < N(keys); i++) {
		if (strcmp(keys[i].spec, spec) != 0)
			continue;
		if (keys[i].key[which] == NULL)
			assert_ok(key_generate(&keys[i].key[which], spec, &err), err);
		return keys[i].key[which];
	}
	fail_msg("no fixture key %s", spec);
	return NULL;
}

struct key *
fixture_key(const char *spec)
{
	return get_key(spec, 0);
}

struct key *
fixture_other_key(const char *spec)
{
	return get_key(spec, 1);
}

int
fixture_done(void **state)
{
	size_t i;

	for (i = 0; i < N(keys); i++) {
		key_free(keys[i].key[0]);
		key_free(keys[i].key[1]);
	}
	return 0;
}

struct name
fixture_name(const char *text)
{
	struct err err = { 0 };
	struct name n;

	assert_ok(name_from_text(&n, text, &err), err);
	return n;
}

struct serial
fixture_serial(const char *hex)
{
	struct err err = { 0 };
	struct serial s;

	assert_ok(serial_from_hex(&s, hex, &err), err);
	return s;
}

/* So that a read past the end is a read outside the allocation. */
static enum rc
try_exact(door_fn *door, const uint8_t *p, size_t len)
{
	uint8_t *exact = malloc(len > 0 ? len : 1);
	enum rc rc;

	assert_non_null(exact);
	memcpy(exact, p, len);
	rc = door(exact, len);
	free(exact);
	return rc;
}

void
sweep_prefixes(door_fn *door, const void *p, size_t len, size_t step)
{
	size_t n;

	assert_int_equal(try_exact(door, p, len), RC_OK);
	for (n = 0; n < len; n += step)
		if (try_exact(door, p, n) == RC_OK)
			fail_msg("a prefix of %zu of %zu bytes is taken", n, len);
}

size_t
sweep_flips(door_fn *door, const void *p, size_t len, size_t step)
{
	uint8_t *copy = malloc(len);
	size_t bit, taken = 0;

	assert_non_null(copy);
	memcpy(copy, p, len);
	for (bit = 0; bit < 8 * len; bit += step) {
		copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
		if (try_exact(door, copy, len) == RC_OK)
			taken++;
		copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	free(copy);
	return taken;
}

void
dir_make_temp(struct dir *d)
{
	snprintf(d->path, sizeof d->path, "/tmp/ossl-test.XXXXXX");
	assert_non_null(mkdtemp(d->path));
}

void
dir_put(const struct dir *d, const char *name, const void *p, size_t len, unsigned mode)
{
	char path[128];
	struct err err = { 0 };

	snprintf(path, sizeof path, "%s/%s", d->path, name);
	assert_ok(file_write(path, p, len, mode, 1, &err), err);
}

void
dir_get(const struct dir *d, const char *name, struct buf *out)
{
	char path[128];
	struct err err = { 0 };

	snprintf(path, sizeof path, "%s/%s", d->path, name);
	assert_ok(file_read(out, path, 1 << 20, &err), err);
}

void
dir_done(struct dir *d)
{
	char cmd[128];

	snprintf(cmd, sizeof cmd, "rm -rf '%s'", d->path);
	assert_int_equal(system(cmd), 0);
}

int
dir_run(const struct dir *d, struct buf *out, const char *cmd)
{
	char line[1024], got[4096];
	size_t n;
	FILE *f;
	int status;

	assert_true((size_t)snprintf(line, sizeof line, "cd '%s' && { %s; } 2>&1", d->path, cmd) <
	    sizeof line);
	f = popen(line, "r");
	assert_non_null(f);
	while ((n = fread(got, 1, sizeof got, f)) > 0)
		if (out != NULL)
			buf_add(out, got, n);
	status = pclose(f);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
