/*
 * cmd_foreign.c - scepctl foreign: what is done about CAs of others (scepd.yaml: foreign_cas).  A new one is a
 * file foreign_<name>.c and a line here.
 */
#include "scepctl/ctl.h"

static const struct command *const commands[] = {
	&foreign_csr,
	&foreign_install,
	&foreign_import,
	&foreign_list,
	&foreign_forget,
};

/* The rows above, in the form that the command parser takes; filled by ctl_foreign(). */
static struct command table[sizeof(commands) / sizeof(commands[0]) + 1];

struct command
ctl_foreign(void)
{
	size_t i;

	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		table[i] = *commands[i];
	return (struct command){ .name = "foreign",
		.help = "CAs of others, for whose certificates this server answers too",
		.sub = table };
}
