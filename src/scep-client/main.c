/* main.c - scep: a SCEP client, also in the role of an Intune-managed device. */
#include "scep-client/cli.h"

int
main(int argc, char **argv)
{
	const struct command commands[] = { cmd_getcaps, cmd_getca, cmd_getnextca, cmd_enroll,
		cmd_doctor, { 0 } };

	return command_main(PROG,
	    "A SCEP client (RFC 8894): looks at servers, enrols, and plays the devices that Intune "
	    "manages.",
	    commands, argc, argv);
}
