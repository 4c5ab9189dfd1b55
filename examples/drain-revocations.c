/*
 * drain-revocations - fetch what Intune wants revoked, revoke it, say how it went.
 *
 *	cc drain-revocations.c $(pkg-config --cflags --libs libintune) -o drain-revocations
 *	APP_ID=... APP_KEY=... TENANT=contoso.onmicrosoft.com drain-revocations revoke-command
 *
 * For each request `revoke-command SERIAL` is run: exit status 0 means that the certificate is
 * revoked (also when it was before), 1 that there is no such certificate, anything else that it is
 * worth trying again.  A request comes back until a result for it has been taken, so a crash between
 * the two costs nothing: revoking twice must be harmless.
 *
 * AUTHORITY, GRAPH, CA_FILE as for validate.c.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <err.h>
#include <intune.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

extern char **environ;

#define BATCH  50u
#define ROUNDS 100u /* 5,000 revocations a run; the next run takes up the rest */

static int
run(char *command, const char *serial)
{
	char *argv[] = { command, (char *)serial, NULL };
	int status;
	pid_t pid;

	if (posix_spawnp(&pid, command, NULL, NULL, argv, environ) != 0 ||
	    waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

static struct intune_revocation_result
revoke_one(char *command, const struct intune_revocation_request *r)
{
	int status = run(command, r->serial_number);
	struct intune_revocation_result done = { .request_context = r->request_context };

	done.succeeded = status == 0;
	if (status == 1)
		done.code = INTUNE_REVOCATION_CERTIFICATE_NOT_FOUND;
	else if (status != 0)
		done.code = INTUNE_REVOCATION_RETRYABLE;
	printf("%s: %s\n", r->serial_number, intune_revocation_code_name(done.code));
	return done;
}

/*
 * How many requests there were, 0 when none of them got anywhere: what has to be tried again is for
 * the next run.  The program ends when Intune does not take the results.
 */
static size_t
round_trip(struct intune_client *intune, char *command)
{
	struct intune_revocation_result results[BATCH];
	struct intune_revocation_list *list;
	struct intune_error e;
	size_t n, settled = 0;

	if (intune_download_revocation_requests(intune, "drain", BATCH, NULL, &list, &e) !=
	    INTUNE_OK)
		errx(1, "%s %s", e.message, e.hint);
	n = intune_revocation_list_count(list);
	for (size_t i = 0; i < n; i++)
		results[i] = revoke_one(command, intune_revocation_list_get(list, i));
	for (size_t i = 0; i < n; i++)
		settled += results[i].code < INTUNE_REVOCATION_RETRYABLE;
	if (n > 0 && intune_upload_revocation_results(intune, "drain", results, n, &e) != INTUNE_OK)
		errx(1, "%s %s", e.message, e.hint);
	intune_revocation_list_free(list);
	return settled > 0 ? n : 0;
}

int
main(int argc, char **argv)
{
	struct intune_client *intune;
	struct intune_config c;
	struct intune_error e;
	unsigned round = 0;

	if (argc != 2)
		errx(64, "usage: drain-revocations revoke-command");
	intune_config_init(&c);
	c.aad_app_id = getenv("APP_ID");
	c.aad_app_key = getenv("APP_KEY");
	c.tenant = getenv("TENANT");
	c.provider_name_and_version = "Example CA 1.0";
	c.auth_authority = getenv("AUTHORITY");
	c.ms_graph_resource_url = getenv("GRAPH");
	c.ca_file = getenv("CA_FILE");
	if (intune_client_new(&intune, &c, &e) != INTUNE_OK)
		errx(78, "%s", e.message);
	while (round_trip(intune, argv[1]) == BATCH && ++round < ROUNDS)
		;
	intune_client_free(intune);
	return 0;
}
