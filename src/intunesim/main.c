/*
 * main.c - intunesim serves; `intunesim fleet` plays devices too.
 */
#include <string.h>

#include "intunesim/commands.h"
#include "intunesim/program.h"

int
main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "fleet") == 0)
		return command_main_single(PROG " fleet", fleet_command(), argc - 1, argv + 1);
	return command_main_single(PROG, &cmd_serve, argc, argv);
}
