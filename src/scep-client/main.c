/* main.c - scep: a SCEP client, also in the role of an Intune-managed device. */
#include "scep-client/cli.h"

int
main(int argc, char **argv)
{
	const struct command commands[] = { cmd_doctor, cmd_getcaps, cmd_getca, cmd_getnextca,
		cmd_enroll, cmd_poll, cmd_renew, cmd_getcert, cmd_getcrl, { 0 } };

	return command_main(PROG,
	    "A SCEP client (RFC 8894): looks at servers, enrols and renews, and plays the devices "
	    "that Intune "
	    "manages.",
	    commands, argc, argv);
}
