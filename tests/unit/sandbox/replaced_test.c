/* replaced_test.c - which files a sandboxed process has lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#undef fail

#include "sandbox/sandbox_int.h"

struct etc {
	char dir[64], hosts[96], link[96], run[96], target[128], fresh[128];
	struct system_path rows[4];
	struct sandbox_files then;
};

static void
put(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

/* etc/hosts, etc/link -> etc/run/target, of which the folder run is on the list. */
static int
etc_new(void **state)
{
	struct etc *e = calloc(1, sizeof(*e));

	assert_non_null(e);
	strcpy(e->dir, "/tmp/scepd-replaced-test.XXXXXX");
	assert_non_null(mkdtemp(e->dir));
	snprintf(e->hosts, sizeof(e->hosts), "%s/hosts", e->dir);
	snprintf(e->link, sizeof(e->link), "%s/link", e->dir);
	snprintf(e->run, sizeof(e->run), "%s/run", e->dir);
	snprintf(e->target, sizeof(e->target), "%s/target", e->run);
	snprintf(e->fresh, sizeof(e->fresh), "%s/fresh", e->run);
	assert_int_equal(mkdir(e->run, 0700), 0);
	put(e->hosts, "1");
	put(e->target, "1");
	assert_int_equal(symlink(e->target, e->link), 0);
	e->rows[0] = (struct system_path){ BOTH, { e->run, SANDBOX_READ, true }, "", false };
	e->rows[1] = (struct system_path){ BOTH, { e->hosts, SANDBOX_READ, true }, "", true };
	e->rows[2] = (struct system_path){ BOTH, { e->link, SANDBOX_READ, true }, "", true };
	e->rows[3] = (struct system_path){ BOTH, { "/none", SANDBOX_READ, true }, "", true };
	files_take(&e->then, e->rows, COUNT(e->rows));
	*state = e;
	return 0;
}

static int
etc_free(void **state)
{
	struct etc *e = *state;

	(void)unlink(e->hosts);
	(void)unlink(e->link);
	(void)unlink(e->target);
	(void)unlink(e->fresh);
	(void)rmdir(e->run);
	assert_int_equal(rmdir(e->dir), 0);
	free(e);
	return 0;
}

static const char *
replaced(const struct etc *e)
{
	return files_replaced0(&e->then, e->rows, COUNT(e->rows));
}

static void
what_stays_and_what_is_written_in_place_is_not_replaced(void **state)
{
	struct etc *e = *state;

	assert_null(replaced(e));
	put(e->hosts, "2");
	put(e->target, "2");
	assert_null(replaced(e));
}

static void
what_is_renamed_over_is_replaced(void **state)
{
	struct etc *e = *state;

	put(e->fresh, "2");
	assert_int_equal(rename(e->fresh, e->hosts), 0);
	assert_string_equal(replaced(e), e->hosts);
}

static void
below_a_folder_of_the_list_anything_may_be_replaced(void **state)
{
	struct etc *e = *state;

	put(e->fresh, "2");
	assert_int_equal(rename(e->fresh, e->target), 0);
	assert_null(replaced(e));
}

static void
a_link_that_becomes_a_file_is_replaced(void **state)
{
	struct etc *e = *state;

	put(e->fresh, "2");
	assert_int_equal(rename(e->fresh, e->link), 0);
	assert_string_equal(replaced(e), e->link);
}

static void
what_is_gone_is_not_replaced_until_it_is_back(void **state)
{
	struct etc *e = *state;

	assert_int_equal(link(e->hosts, e->fresh), 0); /* as a rule does: the number is not free */
	assert_int_equal(unlink(e->hosts), 0);
	assert_null(replaced(e));
	put(e->hosts, "2");
	assert_string_equal(replaced(e), e->hosts);
}

static void
the_systems_own_list_fits(void **state)
{
	struct sandbox_files then;
	size_t live = 0;

	for (size_t i = 0; i < n_system_paths; i++)
		live += system_paths[i].live;
	assert_in_range(live, 1, SANDBOX_FILES_MAX);
	sandbox_files_take(&then);
	assert_null(sandbox_files_replaced0(&then));
}

#define T(f) cmocka_unit_test_setup_teardown(f, etc_new, etc_free)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(what_stays_and_what_is_written_in_place_is_not_replaced),
		T(what_is_renamed_over_is_replaced),
		T(below_a_folder_of_the_list_anything_may_be_replaced),
		T(a_link_that_becomes_a_file_is_replaced),
		T(what_is_gone_is_not_replaced_until_it_is_back),
		cmocka_unit_test(the_systems_own_list_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
