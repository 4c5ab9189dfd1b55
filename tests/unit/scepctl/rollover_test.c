/*
 * rollover_test.c - scepctl ca rollover, run as an administrator runs it, on a store with a few
 * devices: what is counted as a device, and which steps are refused in which words.
 *
 *	rollover_test PATH-OF-SCEPCTL
 */
#include "../store/fixture.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"

static char program[4096]; /* absolute */
static char out[65536];    /* what the last run printed, both streams */

static const char yaml[] =
    "listeners: [ { address: '127.0.0.1:8080' } ]\n"
    "store: { url: 'sqlite:%s' }\n"
    "cas:\n"
    "  old: { certificate: a, key: b, ra_certificate: c, ra_key: d }\n"
    "  new: { certificate: a, key: b, ra_certificate: c, ra_key: d, replaces: old }\n"
    "tenants: { contoso: { properties: p } }\n"
    "profiles: { device: {} }\n"
    "endpoints:\n"
    "  corp: { ca: old, profile: device, challenge: intune, tenant: contoso }\n"
    "  wifi: { ca: old, profile: device, challenge: intune, tenant: contoso }\n"
    "  fresh: { ca: new, profile: device, challenge: intune, tenant: contoso }\n";

static void
config_path(char *path, size_t size, const struct sf *f)
{
	(void)snprintf(path, size, "%s/scepd.yaml", f->dir);
}

static int
setup(void **state)
{
	char path[320];
	struct sf *f;
	FILE *fp;

	if (sf_setup(state) != 0)
		return -1;
	f = *state;
	config_path(path, sizeof(path), f);
	fp = fopen(path, "w");
	assert_non_null(fp);
	assert_true(fprintf(fp, yaml, f->path) > 0);
	assert_int_equal(fclose(fp), 0);
	return 0;
}

static int
teardown(void **state)
{
	char path[320];

	config_path(path, sizeof(path), *state);
	assert_int_equal(unlink(path), 0);
	return sf_teardown(state);
}

/* `scepctl ca rollover ARGS`; the exit status. */
static int
rollover(const struct sf *f, const char *args)
{
	char cmd[8192], path[320];
	size_t n;
	FILE *p;

	config_path(path, sizeof(path), f);
	(void)snprintf(
	    cmd, sizeof(cmd), "exec %s ca rollover --config %s %s 2>&1", program, path, args);
	assert_non_null(p = popen(cmd, "r"));
	n = fread(out, 1, sizeof(out) - 1, p);
	out[n] = '\0';
	return WEXITSTATUS(pclose(p));
}

static void
says(const char *part)
{
	bool there = strstr(out, part) != NULL;

	if (!there)
		print_error("no \"%s\" in:\n%s\n", part, out);
	assert_true(there);
}

static void
issue(struct sf *f, unsigned n, const char *ca, const char *endpoint, const char *subject,
    int64_t not_after)
{
	int64_t id = sf_drive(f, n, TX_RESERVED);
	struct sf_tx t;

	sf_tx(&t, n);
	t.cert.ca = ca;
	t.cert.endpoint = endpoint;
	t.cert.subject = subject;
	t.cert.san = NULL;
	t.cert.not_after = not_after;
	ok(f, store_tx_signed(f->s, id, &t.cert, false, &f->err));
}

static void
a_device_is_an_identity_with_a_valid_certificate(void **state)
{
	struct sf *f = *state;
	int64_t later = clock_now() + 86400;
	struct sf_tx t;

	issue(f, 1, "old", "corp", "CN=a", later);
	issue(f, 2, "new", "corp", "CN=a", later); /* the same device, moved */
	issue(f, 3, "old", "corp", "CN=b", later);
	issue(f, 4, "old", "corp", "CN=b", later + 3600); /* renewed where it was */
	issue(f, 5, "old", "wifi", "CN=a", later);        /* another endpoint: another device */
	issue(f, 6, "old", "corp", "CN=c", clock_now() - 1);
	issue(f, 7, "new", "corp", "CN=d", later);
	sf_tx(&t, 7);
	ok(f, store_cert_revoke(f->s, t.serial, NULL, 4, "replaced", &f->err));
	assert_int_equal(rollover(f, "status"), 0);
	says("old -> new\n");
	says("old                  4 valid certificates, the last until");
	says("new                  1 valid certificates");
	says("endpoint corp                 share   0 %   1 of 2 devices moved\n");
	says("endpoint wifi                 share   0 %   0 of 1 devices moved\n");
	says(
	    "endpoint fresh                share 100 %   0 of 0 devices moved   (by scepd.yaml)\n");
	says("next: make sure that devices and whoever verifies them");
}

static void
each_step_says_what_it_did_and_what_comes_next(void **state)
{
	struct sf *f = *state;

	issue(f, 1, "old", "corp", "CN=a", clock_now() + 86400);
	assert_int_equal(rollover(f, "move corp --share 30"), 0);
	says("endpoint corp: new now issues for 30 % of the devices (before: 0 %), old for 70 %");
	says("takes this up within a few seconds");
	assert_int_equal(rollover(f, "status"), 0);
	says("next: when what was moved works, go on: 'scepctl ca rollover move corp --share N'");
	assert_int_equal(rollover(f, "back corp"), 0);
	says("new now issues for 0 % of the devices (before: 30 %)");
	says("what new has issued stays valid");
	assert_int_equal(rollover(f, "move --all --share 100"), 0);
	says("endpoint corp: new now issues for 100 %");
	says("endpoint wifi: new now issues for 100 %");
	assert_null(strstr(out, "fresh"));
	assert_int_equal(rollover(f, "status"), 0);
	says("next: wait: 1 certificates of old are still in use");
	assert_int_equal(rollover(f, "move corp --share 60"), 0); /* less than all, later */
	says("(before: 100 %), old for 40 %");
	assert_int_equal(rollover(f, "back --all"), 0);
	says("endpoint wifi: new now issues for 0 %");
}

/* As JSON the state that has come of it is all that is said. */
static void
a_step_may_be_told_as_the_status(void **state)
{
	struct sf *f = *state;
	char before[sizeof(out)];

	assert_int_equal(rollover(f, "move corp --share 30 --json"), 0);
	memcpy(before, out, sizeof(before));
	assert_true(out[0] == '[' || out[0] == '{');
	says("\"share\": 30");
	assert_int_equal(rollover(f, "status --json"), 0);
	assert_string_equal(out, before);
	assert_int_equal(rollover(f, "back corp --json"), 0);
	assert_null(strstr(out, "issues for"));
	assert_null(strstr(out, "\"share\": 30"));
	assert_int_equal(rollover(f, "move --all --share 100 --json"), 0);
	assert_int_equal(rollover(f, "retire old --json"), 0);
	assert_null(strstr(out, "is retired:"));
	assert_int_equal(sf_number(f, "SELECT count(*) FROM retired"), 1);
}

static void
what_cannot_be_done_is_refused_in_words(void **state)
{
	static const struct {
		const char *args, *words;
	} rows[] = {
		{ "move corp", "say how much: --share N" },
		{ "move --share 5", "name one endpoint, or say --all" },
		{ "move corp --all --share 5", "name one endpoint, or say --all" },
		{ "move nowhere --share 5", "there is no endpoint nowhere" },
		{ "move corp --share 101", "share" },
		{ "move fresh --share 5", "nothing replaces the CA new" },
		{ "back corp", "nothing has been moved" },
		{ "back --all", "no endpoint has anything to move" },
		{ "retire", "name the CA to retire" },
		{ "retire nobody", "there is no CA nobody" },
		{ "retire old", "2 endpoints still issue from old: corp, wifi" },
		{ "forward corp", "\"forward\" is none of status, move, back, retire" },
	};
	struct sf *f = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_not_equal(rollover(f, rows[i].args), 0);
		says(rows[i].words);
	}
	assert_int_equal(sf_number(f, "SELECT count(*) FROM rollover"), 0);
	assert_int_equal(sf_number(f, "SELECT count(*) FROM retired"), 0);
}

static void
a_ca_in_use_is_retired_by_force_only(void **state)
{
	struct sf *f = *state;

	issue(f, 1, "old", "corp", "CN=a", clock_now() + 86400);
	assert_int_equal(rollover(f, "move --all --share 100"), 0);
	assert_int_not_equal(rollover(f, "retire old"), 0);
	says("1 certificates of old are still valid, the last until");
	assert_int_equal(rollover(f, "back wifi"), 0);
	assert_int_equal(rollover(f, "retire old --force"), 0);
	says("warning: wifi issued from it and issue from new now");
	says("warning: 1 valid certificates of it remain");
	says("    issues: false");
	assert_int_not_equal(rollover(f, "retire old --force"), 0);
	says("retired already");
	assert_int_not_equal(rollover(f, "back corp"), 0);
	says("there is no way back, as the CA old is retired");
	assert_int_equal(rollover(f, "status"), 0);
	says("; retired\n");
	says("endpoint wifi                 share 100 %");
	says("next: add 'issues: false' to cas.old");
	assert_int_equal(sf_number(f,
			     "SELECT count(*) FROM audit WHERE event = 'retire' AND detail LIKE "
			     "'%forced%(uid %'"),
	    1);
}

/* No way back, so the two names must not be mixed up before a device has moved. */
static void
the_next_ca_is_given_up_by_force_only(void **state)
{
	char cmd[512], path[320];
	struct sf *f = *state;

	config_path(path, sizeof(path), f);
	(void)snprintf(cmd, sizeof(cmd), "sed -i 's/ca: new/ca: old/' %s", path);
	assert_int_equal(system(cmd), 0);
	assert_int_not_equal(rollover(f, "retire new"), 0);
	says("new is the next CA of old, which is still in service");
	says("ca rollover retire old'");
	assert_int_equal(sf_number(f, "SELECT count(*) FROM retired"), 0);
	assert_int_equal(rollover(f, "retire new --force"), 0);
	assert_int_equal(rollover(f, "status"), 0);
	says("next: new issues nothing any more");
	assert_int_equal(rollover(f, "retire old --force"), 0);
	says("corp, wifi, fresh issued from it, and every request there is refused now");
}

int
main(int argc, char **argv)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(a_device_is_an_identity_with_a_valid_certificate),
		T(each_step_says_what_it_did_and_what_comes_next),
		T(a_step_may_be_told_as_the_status),
		T(what_cannot_be_done_is_refused_in_words),
		T(a_ca_in_use_is_retired_by_force_only),
		T(the_next_ca_is_given_up_by_force_only),
	};

	if (argc != 2 || realpath(argv[1], program) == NULL) {
		fprintf(stderr, "usage: rollover_test PATH-OF-SCEPCTL\n");
		return 64;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
