/*
 * file_test.c - bounded reading, secrets' modes, whole-or-nothing writing, paths.
 */
#include "unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

static char dir[64];
static char path[128];

static int
enter(void **state)
{
	strcpy(dir, "/tmp/file_test.XXXXXX");
	if (mkdtemp(dir) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/f", dir);
	return 0;
}

/* Removes what the tests may have made; a folder that is not empty then fails the group. */
static int
leave(void **state)
{
	(void)unlink(path);
	return rmdir(dir);
}

static void
put(const char *text, mode_t mode)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, strlen(text), f), strlen(text));
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, mode), 0);
}

static size_t
files_in(const char *where)
{
	DIR *d = opendir(where);
	size_t n = 0;

	assert_non_null(d);
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n - 2;
}

static void
reading_appends_the_whole_file(void **state)
{
	struct buf b;

	put("content", 0644);
	buf_init(&b, 100);
	buf_adds(&b, "> ");
	assert_int_equal(file_read(&b, path, 7, NULL), RC_OK);
	assert_string_equal(buf_str(&b), "> content");
	buf_done(&b);
}

static void
a_large_file_is_read_in_full(void **state)
{
	char *big = malloc(100001);
	struct buf b;

	memset(big, 'x', 100000);
	big[100000] = '\0';
	put(big, 0644);
	buf_init(&b, 200000);
	assert_int_equal(file_read(&b, path, 200000, NULL), RC_OK);
	assert_string_equal(buf_str(&b), big);
	buf_done(&b);
	free(big);
}

static void
a_file_past_the_maximum_leaves_nothing(void **state)
{
	struct err err;
	struct buf b;

	put("content", 0644);
	buf_init(&b, 100);
	buf_adds(&b, "old");
	assert_int_equal(file_read(&b, path, 6, &err), RC_LIMIT);
	assert_non_null(strstr(err.msg, "longer than 6 bytes"));
	assert_string_equal(buf_str(&b), "old");
	assert_int_equal(b.rc, RC_OK);
	buf_done(&b);
	buf_init(&b, 5);
	assert_int_equal(file_read(&b, path, 100, &err), RC_LIMIT);
	assert_int_equal(b.len, 0);
	buf_done(&b);
}

static int
open_other(void *arg, const char *wanted)
{
	assert_string_equal(wanted, "/nowhere/secret");
	return open(arg, O_RDONLY | O_CLOEXEC);
}

static int
open_nothing(void *arg, const char *wanted)
{
	errno = EACCES;
	return -1;
}

static void
somebody_else_may_open_files_for_us(void **state)
{
	struct err err = { 0 };
	struct buf b;

	put("from elsewhere\n", 0600);
	buf_init(&b, 100);
	file_opener_set(open_other, path);
	assert_int_equal(file_read_secret(&b, "/nowhere/secret", 100, &err), RC_OK);
	assert_string_equal(buf_str(&b), "from elsewhere");
	file_opener_set(open_nothing, NULL);
	assert_int_equal(file_read(&b, path, 100, &err), RC_IO);
	assert_non_null(strstr(err.msg, path));
	file_opener_set(NULL, NULL);
	assert_int_equal(file_read(&b, path, 100, &err), RC_OK);
	buf_done(&b);
}

static void
an_absent_file_is_not_found(void **state)
{
	struct err err;
	struct buf b;

	buf_init(&b, 100);
	assert_int_equal(file_read(&b, "/nonexistent/x", 100, &err), RC_NOTFOUND);
	assert_string_equal(err.msg, "/nonexistent/x does not exist");
	assert_int_equal(file_read(&b, dir, 100, &err), RC_IO);
	buf_done(&b);
}

static void
a_secret_is_its_owners_alone(void **state)
{
	static const mode_t bad[] = { 0644, 0666, 0660, 0602, 0604, 0601 };
	struct err err;
	struct buf b;
	size_t i;

	buf_init(&b, 100);
	for (i = 0; i < COUNT(bad); i++) {
		put("secret", bad[i]);
		assert_int_equal(file_read_secret(&b, path, 100, &err), RC_CONFIG);
		assert_non_null(strstr(err.hint, "chmod 600"));
		assert_int_equal(b.len, 0);
	}
	put("secret", 0600);
	assert_int_equal(file_read_secret(&b, path, 100, &err), RC_OK);
	put("secret", 0400);
	assert_int_equal(file_read_secret(&b, path, 100, &err), RC_OK);
	put("secret", 0640);
	assert_int_equal(file_read_secret(&b, path, 100, &err), getuid() == 0 ? RC_OK : RC_CONFIG);
	buf_wipe(&b);
}

static void
one_newline_at_the_end_of_a_secret_is_dropped(void **state)
{
	static const struct {
		const char *file, *secret;
	} rows[] = { { "s", "s" }, { "s\n", "s" }, { "s\r\n", "s" }, { "s\n\n", "s\n" },
		{ "\n", "" }, { "s\r", "s\r" }, { "", "" } };
	struct buf b;
	size_t i;

	buf_init(&b, 100);
	for (i = 0; i < COUNT(rows); i++) {
		put(rows[i].file, 0600);
		buf_reset(&b);
		assert_int_equal(file_read_secret(&b, path, 100, NULL), RC_OK);
		assert_string_equal(buf_str(&b), rows[i].secret);
	}
	buf_wipe(&b);
}

static void
writing_sets_content_and_exact_mode(void **state)
{
	mode_t before = umask(077);
	struct stat st;
	struct buf b;

	(void)unlink(path);
	assert_int_equal(file_write(path, "one", 3, 0644, 0, NULL), RC_OK);
	umask(before);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	assert_int_equal(st.st_nlink, 1);
	assert_int_equal(files_in(dir), 1);
	buf_init(&b, 100);
	assert_int_equal(file_read(&b, path, 100, NULL), RC_OK);
	assert_string_equal(buf_str(&b), "one");
	buf_done(&b);
}

static void
an_existing_file_is_kept_unless_replaced(void **state)
{
	struct err err;
	struct buf b;

	put("old", 0644);
	assert_int_equal(file_write(path, "new", 3, 0600, 0, &err), RC_CONFLICT);
	buf_init(&b, 100);
	assert_int_equal(file_read(&b, path, 100, NULL), RC_OK);
	assert_string_equal(buf_str(&b), "old");
	assert_int_equal(file_write(path, "new", 3, 0600, 1, &err), RC_OK);
	buf_reset(&b);
	assert_int_equal(file_read(&b, path, 100, NULL), RC_OK);
	assert_string_equal(buf_str(&b), "new");
	assert_int_equal(files_in(dir), 1);
	buf_done(&b);
}

static void
writing_where_nothing_can_be_made_fails(void **state)
{
	assert_int_equal(file_write("/nonexistent/x", "x", 1, 0600, 1, NULL), RC_IO);
}

static void
a_folder_is_made_once_with_its_mode(void **state)
{
	mode_t before = umask(077);
	struct stat st;

	(void)unlink(path);
	assert_int_equal(dir_make(path, 0750, NULL), RC_OK);
	umask(before);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0750);
	assert_int_equal(dir_make(path, 0700, NULL), RC_OK);
	assert_int_equal(rmdir(path), 0);
	put("file", 0600);
	assert_int_equal(dir_make(path, 0700, NULL), RC_CONFLICT);
	assert_int_equal(dir_make("/nonexistent/a/b", 0700, NULL), RC_IO);
}

static void
paths_are_joined_and_split(void **state)
{
	static const struct {
		const char *dir, *name, *joined;
	} joins[] = { { "/a", "b", "/a/b" }, { "/a/", "b", "/a/b" }, { "/", "b", "/b" },
		{ "/a", "/b", "/b" }, { "", "b", "b" }, { ".", "b/c", "./b/c" } };
	static const struct {
		const char *path, *dir;
	} dirs[] = { { "a", "." }, { "", "." }, { "/", "/" }, { "/a", "/" }, { "/a/b", "/a" },
		{ "/a/b/", "/a" }, { "a/b", "a" }, { "a//b", "a" }, { "//a", "/" } };
	char *out;
	size_t i;

	for (i = 0; i < COUNT(joins); i++) {
		assert_int_equal(path_join(&out, joins[i].dir, joins[i].name, NULL), RC_OK);
		assert_string_equal(out, joins[i].joined);
		free(out);
	}
	for (i = 0; i < COUNT(dirs); i++) {
		assert_int_equal(path_dir(&out, dirs[i].path, NULL), RC_OK);
		assert_string_equal(out, dirs[i].dir);
		free(out);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reading_appends_the_whole_file),
		cmocka_unit_test(a_large_file_is_read_in_full),
		cmocka_unit_test(a_file_past_the_maximum_leaves_nothing),
		cmocka_unit_test(somebody_else_may_open_files_for_us),
		cmocka_unit_test(an_absent_file_is_not_found),
		cmocka_unit_test(a_secret_is_its_owners_alone),
		cmocka_unit_test(one_newline_at_the_end_of_a_secret_is_dropped),
		cmocka_unit_test(writing_sets_content_and_exact_mode),
		cmocka_unit_test(an_existing_file_is_kept_unless_replaced),
		cmocka_unit_test(writing_where_nothing_can_be_made_fails),
		cmocka_unit_test(a_folder_is_made_once_with_its_mode),
		cmocka_unit_test(paths_are_joined_and_split),
	};

	return cmocka_run_group_tests(tests, enter, leave);
}
