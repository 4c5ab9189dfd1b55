/*
 * supervisor_int.h - what the parts of the supervisor share.
 *
 *	supervisor.c         the loop: signals, what the clock brings, one poll() for everything
 *	supervisor_begin.c   before anything runs: the folder, the lock, the configuration, what is typed
 *	supervisor_life.c    starting both, channels between them, and their ends
 *	supervisor_talk.c    what they say, and how long nothing
 *
 * One thread, and one struct supervisor in its stack.
 */
#ifndef SCEPD_SCEPD_SUPERVISOR_INT_H
#define SCEPD_SCEPD_SUPERVISOR_INT_H

#include "base/log.h"
#include "sandbox/sandbox.h"
#include "scepd/keys.h"
#include "scepd/process.h"
#include "scepd/roles.h"

struct supervisor {
	const struct config *config;
	const struct scepd_options *options;
	struct process_env env;
	struct keys_secrets *secrets; /* those that were typed */
	struct process signer, front;
	int signals;
	int manager; /* notify.h */
	bool served; /* everything was ready once */
	bool state_is_new;
	bool stopping;
	int64_t stop_until_ms;
	int64_t wanted;       /* channels that the signer has closed, says the front */
	int64_t wanted_at_ms; /* not before */
	struct log_limit wanted_lines;
	/* Of the front, whose sandbox is for the files that there were when it was started. */
	bool sandboxed; /* this kernel knows Landlock */
	struct sandbox_files files;
	int64_t look_at_ms;
	bool renewing; /* it was told to end, by renew_until_ms, and is started again */
	int64_t renew_until_ms;
	int exit_code; /* once `done` */
	bool done;
};

/* ---- supervisor_begin.c ---- */

/* All that comes before the first process, the supervisor's own confinement last. */
enum rc supervisor_begin(struct supervisor *s, struct err *err) MUST_CHECK;

/* ---- supervisor_life.c ---- */

/* The one that is to be started now, if any. */
enum rc supervisor_start_missing(struct supervisor *s, struct err *err) MUST_CHECK;
/* New channels for both, whenever either is new: those that it had are gone with it. */
enum rc supervisor_connect(struct supervisor *s, struct err *err) MUST_CHECK;
/* In place of channels that the signer has closed although it lives. */
void supervisor_replace_channels(struct supervisor *s, int64_t now_ms);
/* The front is told to end, to be started again, if a file of the system was replaced.  True: it is. */
bool supervisor_renew_front(struct supervisor *s, int64_t now_ms);
/* Both end, and so does the supervisor with this exit code. */
void supervisor_stop(struct supervisor *s, int exit_code);
/* After a SIGCHLD. */
void supervisor_reap(struct supervisor *s);

/* ---- supervisor_talk.c ---- */

/* What is to be read at `fd`, one of the two that lead to the process. */
void supervisor_hear(struct supervisor *s, struct process *p, int fd);
/* Asks whether it lives, when that is due, and ends what has not answered. */
void supervisor_ping(struct process *p, int64_t now_ms);
/* Ends what is not ready in time. */
void supervisor_check_start(struct process *p, int64_t now_ms);

#endif
