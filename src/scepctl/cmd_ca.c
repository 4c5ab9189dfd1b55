/*
 * cmd_ca.c - scepctl ca: what is done to certification authorities.  A new one is a file ca_<name>.c
 * and a line here.
 */
#include "scepctl/ctl.h"

static const struct command *const commands[] = {
	&ca_show,
	&ca_init_command,
	&ca_csr,
	&ca_install,
	&ca_import,
	&ca_rollover,
	&ca_backup,
	&ca_restore,
};

/* The rows above, in the form that the command parser takes; filled by ctl_ca(). */
static struct command table[sizeof(commands) / sizeof(commands[0]) + 1];

struct command
ctl_ca(void)
{
	size_t i;

	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		table[i] = *commands[i];
	return (struct command){ .name = "ca",
		.help = "certification authorities: show, make, sign, move",
		.sub = table };
}
