/*
 * supervisor_life.c - starting signer and front, the channels between them, and how they end.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fault.h"
#include "scepd/control.h"
#include "scepd/notify.h"
#include "scepd/supervisor_int.h"
#include "signer/signer_remote.h"

#define WANTED_EVERY_MS 1000  /* channels in place of closed ones: a front may ask without end */
#define STOP_SPARE_MS   15000 /* beyond limits.drain: threads that have to be joined */
#define LOOK_EVERY_MS   60000 /* as the front does */
/* As many as requests usually are at once: who finds a channel free wakes nobody but the signer. */
#define THREADS_MIN 32

/* ---- starting ---- */

static enum rc
tell_secrets(struct supervisor *s, struct err *err)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < keys_owners(s->config) * KEYS_SECRET__MAX; i++) {
		size_t owner = i / KEYS_SECRET__MAX;
		enum keys_secret kind = (enum keys_secret)(i % KEYS_SECRET__MAX);
		const char *text = keys_secret0(s->secrets, owner, kind);

		if (text != NULL)
			rc = control_say(
			    s->signer.control, CONTROL_SECRET, (int64_t)i, text, strlen(text), err);
	}
	return rc;
}

static enum rc
start_signer(struct supervisor *s, struct err *err)
{
	enum rc rc = process_start(&s->signer, &s->env, err);

	return rc == RC_OK ? tell_secrets(s, err) : rc;
}

static size_t
channels_of(const struct config *c)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	size_t n = (size_t)c->processes.signer_threads;

	if (n == 0)
		n = cores > 0 ? 2 * (size_t)cores : THREADS_MIN;
	if (n < THREADS_MIN && c->processes.signer_threads == 0)
		n = THREADS_MIN;
	return n < SIGNER_CHANNELS_MAX ? n : SIGNER_CHANNELS_MAX;
}

static enum rc
make_channels(struct control_msg ends[static 2], size_t n, struct err *err)
{
	int fds[2];

	for (size_t i = 0; i < n; i++) {
		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0)
			return fail_errno(err, "cannot make a pair of sockets");
		for (int k = 0; k < 2; k++)
			ends[k].fds[ends[k].n_fds++] = fds[k];
	}
	return RC_OK;
}

static enum rc
send_channels(struct supervisor *s, size_t n, int64_t news, struct err *err)
{
	struct control_msg *ends = calloc(2, sizeof(*ends));
	enum rc rc;

	if (ends == NULL)
		return fail(err, RC_NOMEM, "no memory for channels");
	ends[0].kind = ends[1].kind = CONTROL_CHANNELS;
	ends[1].number = news;
	rc = make_channels(ends, n, err);
	if (rc == RC_OK)
		rc = control_send(s->signer.control, &ends[0], err);
	if (rc == RC_OK)
		rc = control_send(s->front.control, &ends[1], err);
	control_drop(&ends[0]);
	control_drop(&ends[1]);
	free(ends);
	return rc;
}

enum rc
supervisor_connect(struct supervisor *s, struct err *err)
{
	s->wanted = 0;
	return send_channels(s, channels_of(s->config),
	    s->state_is_new && !s->served ? CONTROL_STATE_IS_NEW : 0, err);
}

void
supervisor_replace_channels(struct supervisor *s, int64_t now)
{
	size_t all = channels_of(s->config);
	size_t n = s->wanted < (int64_t)all ? (size_t)s->wanted : all;
	uint64_t left_out;
	struct err err;

	if (n == 0 || !s->signer.ready || !s->front.ready || now < s->wanted_at_ms)
		return;
	s->wanted = 0;
	s->wanted_at_ms = now + WANTED_EVERY_MS;
	if (log_within(&s->wanted_lines, now, &left_out))
		log_msg(LOG_WARN, "process",
		    "the signer has closed %zu channels (its log says why): the front gets others",
		    n);
	/* Either may be at its end, and its successor gets all of them. */
	if (send_channels(s, n, CONTROL_IN_PLACE, &err) != RC_OK)
		log_msg(LOG_ERROR, "process", "%s", err.msg);
}

/* The signer first: the front has nothing to say without it. */
enum rc
supervisor_start_missing(struct supervisor *s, struct err *err)
{
	int64_t now = clock_mono_ms();
	enum rc rc = RC_OK;

	if (s->signer.pid == 0 && process_start_in(&s->signer, now) == 0)
		return start_signer(s, err);
	if (s->front.pid != 0 || !s->signer.ready || process_start_in(&s->front, now) != 0)
		return RC_OK;
	sandbox_files_take(&s->files);
	s->look_at_ms = now + LOOK_EVERY_MS;
	rc = process_start(&s->front, &s->env, err);
	return rc == RC_OK ? supervisor_connect(s, err) : rc;
}

/* ---- ending ---- */

static void
stop_front(struct supervisor *s)
{
	if (s->front.pid != 0 && s->front.control >= 0 &&
	    control_say(s->front.control, CONTROL_STOP, 0, NULL, 0, NULL) != RC_OK)
		process_kill(&s->front);
}

static void
stop_signer(struct supervisor *s)
{
	if (s->signer.pid != 0 && s->signer.control >= 0 &&
	    control_say(s->signer.control, CONTROL_STOP, 0, NULL, 0, NULL) != RC_OK)
		process_kill(&s->signer);
}

/*
 * A file of the system that was replaced by rename is another one than the front's sandbox is for, and
 * without resolv.conf it finds nobody: it finishes what is in flight and is started again.
 */
bool
supervisor_renew_front(struct supervisor *s, int64_t now)
{
	const char *path;

	s->look_at_ms = now + LOOK_EVERY_MS;
	if (!s->sandboxed || !s->front.ready || s->renewing ||
	    (path = sandbox_files_replaced0(&s->files)) == NULL)
		return false;
	log_msg(LOG_INFO, "process",
	    "%s was replaced, which the front's sandbox does not let it see: the front is started "
	    "again",
	    path);
	s->renewing = true;
	s->renew_until_ms = now + s->config->limits.drain * 1000 + STOP_SPARE_MS;
	stop_front(s);
	return true;
}

/* The front ends first and needs the signer until then. */
void
supervisor_stop(struct supervisor *s, int exit_code)
{
	if (s->stopping)
		return;
	s->stopping = true;
	s->exit_code = exit_code;
	s->stop_until_ms = clock_mono_ms() + s->config->limits.drain * 1000 + STOP_SPARE_MS;
	/* Who is killed at the end of that has to be waited for, too. */
	notify_stopping(s->manager, s->config->limits.drain * 1000 + 2 * STOP_SPARE_MS);
	if (s->front.pid != 0)
		stop_front(s);
	else
		stop_signer(s);
	s->done = s->front.pid == 0 && s->signer.pid == 0;
}

static void
give_up(struct supervisor *s, const struct process *p)
{
	log_msg(LOG_ERROR, "process",
	    "the %s cannot be started: it has ended %u times in a row; ending", p->role,
	    p->failures);
	supervisor_stop(s, EX_SOFTWARE);
}

static void
on_end(struct supervisor *s, struct process *p, int status)
{
	bool asked = p == &s->front && s->renewing && status == 0;

	process_ended(p, status, s->stopping || !s->served || asked);
	if (p == &s->front)
		s->renewing = false;
	if (asked) { /* no failure, and nothing to wait for */
		p->failures = 0;
		p->start_at_ms = 0;
	}
	fault_process_ended(status);
	if (!s->stopping && !s->served) /* it has said why */
		supervisor_stop(s, process_exit_code(status));
	else if (!s->stopping && p->failures >= PROCESS_FAILURES_MAX)
		give_up(s, p);
	if (s->stopping && p == &s->front)
		stop_signer(s);
	s->done = s->stopping && s->front.pid == 0 && s->signer.pid == 0;
}

void
supervisor_reap(struct supervisor *s)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == s->signer.pid)
			on_end(s, &s->signer, status);
		else if (pid == s->front.pid)
			on_end(s, &s->front, status);
	}
}
