/*
 * backup_test.c - what a backup may hold, and what is made of paths: archives that no scepctl wrote, sealed
 * with the right passphrase all the same.
 */
#include <archive.h>
#include <archive_entry.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ossl/cms_password.h"
#include "scepctl/backup.h"

#undef fail
#include <cmocka.h>

#define N(a) (sizeof(a) / sizeof((a)[0]))

struct rig {
	char dir[64], path[96], target[96];
	struct buf pass;
	struct backup_source src;
	struct err err;
};

static int
setup(void **state)
{
	struct rig *r = calloc(1, sizeof(*r));

	strcpy(r->dir, "/tmp/backup_test.XXXXXX");
	assert_non_null(mkdtemp(r->dir));
	snprintf(r->path, sizeof(r->path), "%s/a.backup", r->dir);
	snprintf(r->target, sizeof(r->target), "%s/target", r->dir);
	buf_init(&r->pass, 100);
	buf_adds(&r->pass, "pass");
	r->src = (struct backup_source){ r->path, &r->pass, NULL, NULL };
	*state = r;
	return 0;
}

/* Fails when a test has left something behind. */
static int
teardown(void **state)
{
	struct rig *r = *state;

	(void)unlink(r->path);
	assert_int_equal(rmdir(r->dir), 0);
	buf_done(&r->pass);
	free(r);
	return 0;
}

/* An entry of a bad archive. */
struct bad {
	const char *name, *link;
	unsigned type;
};

static enum rc
to_file(void *arg, const void *p, size_t len, struct err *err)
{
	return fwrite(p, 1, len, arg) == len ? RC_OK : RC_IO;
}

static la_ssize_t
to_sealer(struct archive *a, void *arg, const void *p, size_t len)
{
	return cms_sealer_add(arg, p, len, NULL) == RC_OK ? (la_ssize_t)len : -1;
}

static void
put_entry(struct archive *tar, const struct bad *b)
{
	struct archive_entry *e = archive_entry_new();

	archive_entry_set_pathname(e, b->name);
	archive_entry_set_perm(e, 0600);
	if (b->link != NULL && b->type == AE_IFLNK)
		archive_entry_set_symlink(e, b->link);
	else if (b->link != NULL)
		archive_entry_set_hardlink(e, b->link);
	archive_entry_set_filetype(e, b->type);
	archive_entry_set_size(e, b->type == AE_IFREG && b->link == NULL ? 4 : 0);
	assert_int_equal(archive_write_header(tar, e), ARCHIVE_OK);
	if (b->type == AE_IFREG && b->link == NULL)
		assert_int_equal(archive_write_data(tar, "data", 4), 4);
	archive_entry_free(e);
}

/* A sealed archive of these entries. */
static void
write_archive(struct rig *r, const struct bad *b, size_t n)
{
	FILE *f = fopen(r->path, "w");
	struct archive *tar = archive_write_new();
	struct cms_sealer *s;

	assert_non_null(f);
	assert_int_equal(cms_sealer_new(&s, "pass", 4, 10, to_file, f, &r->err), RC_OK);
	assert_int_equal(archive_write_set_format_pax_restricted(tar), ARCHIVE_OK);
	assert_int_equal(archive_write_open(tar, s, NULL, to_sealer, NULL), ARCHIVE_OK);
	for (size_t i = 0; i < n; i++)
		put_entry(tar, &b[i]);
	assert_int_equal(archive_write_free(tar), ARCHIVE_OK);
	assert_int_equal(cms_sealer_end(s, &r->err), RC_OK);
	cms_sealer_free(s);
	assert_int_equal(fclose(f), 0);
}

static enum rc
restore(struct rig *r)
{
	struct restore job = { .src = r->src, .dir = r->target };
	enum rc rc = restore_run(&job, &r->err);

	restore_done(&job);
	assert_int_not_equal(access(r->target, F_OK), 0);
	return rc;
}

static void
an_entry_that_leads_elsewhere_is_refused(void **state)
{
	static const struct bad bad[] = {
		{ "../x", NULL, AE_IFREG },
		{ "/etc/passwd", NULL, AE_IFREG },
		{ "config/../../x", NULL, AE_IFREG },
		{ "config/..", NULL, AE_IFREG },
		{ "config//x", NULL, AE_IFREG },
		{ "config/./x", NULL, AE_IFREG },
		{ "config/", NULL, AE_IFREG },
		{ "config", NULL, AE_IFREG },
		{ "elsewhere/x", NULL, AE_IFREG },
		{ "external//etc/x", NULL, AE_IFREG },
		{ "config/a\nb", NULL, AE_IFREG },
		{ "config/x", "/etc/passwd", AE_IFLNK },
		{ "config/x", "config/y", AE_IFREG },
		{ "config/x", NULL, AE_IFDIR },
		{ "config/x", NULL, AE_IFIFO },
	};
	struct rig *r = *state;

	for (size_t i = 0; i < N(bad); i++) {
		write_archive(r, &bad[i], 1);
		assert_int_equal(backup_verify(&r->src, &r->err), RC_OK);
		if (restore(r) != RC_INTEGRITY)
			fail_msg("%s was taken: %s", bad[i].name, r->err.msg);
	}
}

static void
a_file_twice_is_refused(void **state)
{
	static const struct bad twice[] = { { "config/x", NULL, AE_IFREG },
		{ "config/x", NULL, AE_IFREG } };
	struct rig *r = *state;

	write_archive(r, twice, 2);
	assert_int_not_equal(restore(r), RC_OK);
}

static void
an_archive_without_a_list_is_refused(void **state)
{
	static const struct bad some[] = { { "README", NULL, AE_IFREG },
		{ "config/scepd.yaml", NULL, AE_IFREG } };
	struct rig *r = *state;

	write_archive(r, some, 2);
	assert_int_not_equal(restore(r), RC_OK);
	write_archive(r, NULL, 0);
	assert_int_not_equal(restore(r), RC_OK);
}

static void
sealed_bytes_that_are_no_archive_are_refused(void **state)
{
	struct rig *r = *state;
	FILE *f = fopen(r->path, "w");
	struct cms_sealer *s;
	uint8_t junk[2000];

	assert_non_null(f);
	memset(junk, 0x5a, sizeof(junk));
	assert_int_equal(cms_sealer_new(&s, "pass", 4, 10, to_file, f, &r->err), RC_OK);
	assert_int_equal(cms_sealer_add(s, junk, sizeof(junk), &r->err), RC_OK);
	assert_int_equal(cms_sealer_end(s, &r->err), RC_OK);
	cms_sealer_free(s);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(restore(r), RC_INTEGRITY);
}

static void
paths_are_replaced_where_they_stand_by_themselves(void **state)
{
	static const struct path_pair pairs[] = {
		{ "/var/lib/ca", "external/var/lib/ca" },
		{ "/var/lib/ca/ca.db", "external/var/lib/ca/ca.db" },
		{ "/etc/scepd/ra.pem", "ra.pem" },
		{ "../tls.pem", "external/etc/tls.pem" },
	};
	static const struct {
		const char *text, *want;
		size_t n;
	} rows[] = {
		{ "", "", 0 },
		{ "url: sqlite:/var/lib/ca/ca.db\n", "url: sqlite:external/var/lib/ca/ca.db\n", 1 },
		{ "state: /var/lib/ca # here", "state: external/var/lib/ca # here", 1 },
		{ "[ /var/lib/ca,\"/etc/scepd/ra.pem\" ]", "[ external/var/lib/ca,\"ra.pem\" ]",
		    2 },
		{ "x: /var/lib/cart", "x: /var/lib/cart", 0 },
		{ "x: /mnt/var/lib/ca", "x: /mnt/var/lib/ca", 0 },
		{ "x: /var/lib/ca/other", "x: /var/lib/ca/other", 0 },
		{ "key: file:/etc/scepd/ra.pem", "key: file:ra.pem", 1 },
		{ "{certificate: '../tls.pem'}", "{certificate: 'external/etc/tls.pem'}", 1 },
		{ "x: ../../tls.pem", "x: ../../tls.pem", 0 },
	};

	for (size_t i = 0; i < N(rows); i++) {
		struct buf out;
		struct err err;
		size_t n;

		buf_init(&out, 1000);
		assert_int_equal(
		    paths_replace(&out, rows[i].text, pairs, N(pairs), &n, &err), RC_OK);
		assert_string_equal(buf_str(&out), rows[i].want);
		assert_int_equal(n, rows[i].n);
		buf_done(&out);
	}
}

static void
a_path_from_above_is_told_by_its_whole_name(void **state)
{
	struct rig *r = *state;
	char yaml[128];
	struct config c = { .path = yaml, .store.url = "sqlite:/nowhere/a.db" };
	struct conf_listener l = {
		.address = "a", .certificate = "/etc/hostname", .key = "prompt"
	};
	struct backup_files f;

	snprintf(yaml, sizeof(yaml), "%s/scepd.yaml", r->dir);
	c.listeners = (struct conf_items){ &l, 1 };
	assert_int_equal(backup_files_find(&f, &c, &r->err), RC_OK);
	assert_int_equal(f.n, 2);
	assert_string_equal(f.v[0].name, "config/scepd.yaml");
	assert_string_equal(f.v[1].name, "external/etc/hostname");
	assert_string_equal(f.database.name, "external/nowhere/a.db");
	assert_null(f.state.path);
	assert_int_equal(f.n_needs, 1);
	assert_string_equal(f.needs[0].where, "prompt");
	backup_files_done(&f);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(an_entry_that_leads_elsewhere_is_refused),
		T(a_file_twice_is_refused),
		T(an_archive_without_a_list_is_refused),
		T(sealed_bytes_that_are_no_archive_are_refused),
		T(paths_are_replaced_where_they_stand_by_themselves),
		T(a_path_from_above_is_told_by_its_whole_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
