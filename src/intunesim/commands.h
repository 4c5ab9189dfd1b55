/*
 * commands.h - what intunesim can be started as.
 */
#ifndef SCEPD_INTUNESIM_COMMANDS_H
#define SCEPD_INTUNESIM_COMMANDS_H

#include "base/opt.h"

extern const struct command cmd_serve;
/* Its options are those of cmd_serve and its own; call it once, before there are threads. */
const struct command *fleet_command(void);

#endif
