/*
 * main.c - scepctl, the administrator's command.  A new command is a file cmd_<name>.c and a line
 * here.
 */
#include <string.h>

#include "scepctl/ctl.h"

static const struct command *const commands[] = {
	&cmd_init,
	&cmd_check,
	&cmd_list,
	&cmd_show,
	&cmd_revoke,
	&cmd_hold,
	&cmd_release,
	&cmd_requests,
	&cmd_otp,
	&cmd_rules,
	&cmd_sweep,
	&cmd_exception,
	&cmd_directory,
	&cmd_audit,
	&cmd_admin,
};

int
main(int argc, char **argv)
{
	size_t n = sizeof(commands) / sizeof(commands[0]);
	struct command table[sizeof(commands) / sizeof(commands[0]) + 3];
	size_t i;

	memset(table, 0, sizeof(table));
	for (i = 0; i < n; i++)
		table[i] = *commands[i];
	table[n] = ctl_ca();
	table[n + 1] = ctl_foreign();
	return command_main(PROG, "make, inspect and look after a scepd certification authority.\n",
	    table, argc, argv);
}
