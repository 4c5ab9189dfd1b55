/*
 * process.h - one of the supervisor's processes: started, watched, ended.
 */
#ifndef SCEPD_SCEPD_PROCESS_H
#define SCEPD_SCEPD_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

#define PROCESS_FAILURES_MAX 10 /* ends in a row: two minutes; then somebody has to look */

struct process {
	const char *role;   /* "signer", "front": first word of its command line */
	pid_t pid;          /* 0: does not run */
	int control;        /* to it; -1 */
	int files;          /* the front's questions; -1 */
	bool ready;         /* has said so */
	bool wants_files;   /* gets ROLE_FILES_FD */
	unsigned pings;     /* sent since it answered one */
	int64_t ping_at_ms; /* the next; monotonic */
	int64_t started_ms; /* monotonic */
	/* Ends in a row without a minute of service between them. */
	unsigned failures;
	int64_t start_at_ms; /* not before; monotonic */
};

/* What is passed on to every process. */
struct process_env {
	const char *config, *log_level; /* log_level NULL: the configuration's */
	int lock_fd;                    /* ROLE_LOCK_FD */
	int config_fd;                  /* ROLE_CONFIG_FD */
};

void process_init(struct process *p, const char *role, bool wants_files);
/* This program anew, with nothing open but what roles.h says. */
enum rc process_start(struct process *p, const struct process_env *env, struct err *err) MUST_CHECK;
/* It has ended: `status` as waitpid() tells it.  Says so in the log and decides when it may start again. */
void process_ended(struct process *p, int status, bool expected);
/* How a shell would tell it: 0..255. */
int process_exit_code(int status);
/* Milliseconds until it may be started; 0: now. */
int64_t process_start_in(const struct process *p, int64_t now_ms);
/* SIGKILL. */
void process_kill(struct process *p);

#endif
