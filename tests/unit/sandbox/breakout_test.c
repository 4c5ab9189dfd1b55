/*
 * breakout_test.c - the front and the signer try to get out; and what they try works without a sandbox,
 * or the test would show nothing.
 */
#include "attempts.h"

static int abi;

static const char *
ending(int r)
{
	static char text[64];

	if (r == 0)
		return "it works";
	if (r == KILLED)
		return "killed";
	if (r == BROKEN || r == CRASHED)
		return "the child broke";
	(void)snprintf(
	    text, sizeof text, "%s", strerrorname_np(r) == NULL ? "?" : strerrorname_np(r));
	return text;
}

/* One line a claim, as the scripts have them. */
static bool
holds(enum dress d, const char *who, const struct way *w, int want)
{
	int got = attempt_as(d, w->fn);
	bool good = want == ANY ? got != BROKEN : got == want;

	(void)printf("%s %s %s: %s\n", good ? "ok" : "not ok", who, w->claim, ending(got));
	if (!good)
		(void)printf("    want %s\n", want == ANY ? "anything" : ending(want));
	return good;
}

/* Yama, where it is there, keeps processes of one user apart already. */
static bool
yama(void)
{
	FILE *f = fopen("/proc/sys/kernel/yama/ptrace_scope", "re");
	int scope = 0;

	if (f == NULL)
		return false;
	if (fscanf(f, "%d", &scope) != 1)
		scope = 0;
	(void)fclose(f);
	return scope > 0;
}

/* The unsandboxed comes last: it does what it says. */
static bool
tried(const struct way *w)
{
	bool good = true;

	if (w->abi > abi) {
		(void)printf("skip %s: this kernel has Landlock %d, the claim needs %d\n", w->claim,
		    abi, w->abi);
		return true;
	}
	if (w->naked == ANY && attempt_as(AS_USER, w->fn) == CRASHED) {
		(void)printf("skip %s: this kernel has none\n", w->claim);
		return true;
	}
	good &= holds(AS_FRONT, "the front:", w, w->front);
	good &= holds(AS_SIGNER, "the signer:", w, w->signer);
	if (w->abi <= 2 && abi > 2) {
		good &= holds(AS_FRONT_OF_OLD, "the front on Linux 6.1:", w, w->front);
		good &= holds(AS_SIGNER_OF_OLD, "the signer on Linux 6.1:", w, w->signer);
	}
	if (w->naked == TRACES)
		good &= holds(AS_USER, "without a sandbox:", w, yama() ? ANY : 0);
	else
		good &= holds(AS_USER, "without a sandbox:", w, w->naked);
	return good;
}

static void
try_all(const struct way *ways, size_t n)
{
	size_t bad = 0;

	for (size_t i = 0; i < n; i++) {
		world_make(NULL);
		if (!tried(&ways[i]))
			bad++;
		assert_int_equal(world_end(NULL), 0);
	}
	assert_int_equal(bad, 0);
}

static void
files_outside_the_list_stay_closed(void **state)
{
	try_all(ways_files, n_ways_files);
}

static void
other_processes_are_out_of_reach(void **state)
{
	try_all(ways_processes, n_ways_processes);
}

static void
nobody_is_talked_to_but_who_is_meant_to_be(void **state)
{
	try_all(ways_sockets, n_ways_sockets);
}

static void
no_privilege_comes_back(void **state)
{
	try_all(ways_kernel, n_ways_kernel);
}

/* The other way round: a process of the same user, in no sandbox, looks into one that is in it. */
static void
look_into(enum dress d, const char *who)
{
	size_t bad = 0;

	world_make(NULL);
	end_child(world.sibling, world.sibling_stop);
	world.sibling = waiting_child(d, &world.sibling_stop);
	for (size_t i = 0; i < n_ways_memory; i++)
		if (!holds(AS_USER, who, &ways_memory[i], ways_memory[i].naked))
			bad++;
	assert_int_equal(world_end(NULL), 0);
	assert_int_equal(bad, 0);
}

static void
its_memory_is_closed_to_its_own_user(void **state)
{
	look_into(AS_FRONT, "the front:");
	look_into(AS_SIGNER, "the signer:");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_outside_the_list_stay_closed),
		cmocka_unit_test(other_processes_are_out_of_reach),
		cmocka_unit_test(nobody_is_talked_to_but_who_is_meant_to_be),
		cmocka_unit_test(no_privilege_comes_back),
		cmocka_unit_test(its_memory_is_closed_to_its_own_user),
	};
	struct sandbox_report report;

	setvbuf(stdout, NULL, _IONBF, 0);
	sandbox_probe(&report);
	abi = report.landlock_abi;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
