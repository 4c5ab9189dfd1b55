/*
 * roles.h - the processes that scepd is, one file each.
 *
 *	supervisor   what the administrator starts: starts the other two, and starts them again
 *	signer       has the keys, and neither network nor files
 *	front        faces the network, and has no key
 *
 * All three are this program: the supervisor runs itself anew with the role's name as first word, so that
 * none has memory of another.  The roles are not commands for administrators.
 */
#ifndef SCEPD_SCEPD_ROLES_H
#define SCEPD_SCEPD_ROLES_H

#include <stdbool.h>

#include "scepd/config.h"

struct scepd_options {
	const char *config, *ready_file, *log_level;
	bool check, single_process;
};

/* What a role finds open when it begins. */
#define ROLE_CONTROL_FD 3 /* to the supervisor: control.h */
#define ROLE_FILES_FD   4 /* the front's: files.h */
#define ROLE_LOCK_FD    5 /* held by all three until the last has ended */
#define ROLE_CONFIG_FD  6 /* scepd.yaml as it was when the supervisor started */

/* Each returns the exit code of its process.  `config` stays the caller's. */
int supervisor_main(const struct config *config, const struct scepd_options *o);
int signer_main(const struct config *config);
int front_main(struct config *config);
/* All in one process, for measurements and debuggers. */
int single_main(struct config *config, const struct scepd_options *o);

#endif
