/* child.c - see child.h. */
#include "bench/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/text.h"
#include "bench/cpus.h"
#include "bench/program.h"
#include "bench/stop.h"

#define TERM_MS   15000 /* scepd drains for at most 10 s unless told otherwise */
#define POLL_MS   20
#define EXIT_EXEC 127 /* as a shell has it */

struct child {
	char *name, *log;
	pid_t pid;
	bool ended;
	int status;
};

/* Between fork and exec: async-signal-safe calls alone. */
static void
become(const struct child_spec *spec, int log, pid_t parent)
{
	if (spec->cpus != NULL)
		cpus_use(spec->cpus);
	stop_unblock();
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent || dup2(log, STDOUT_FILENO) < 0 || dup2(log, STDERR_FILENO) < 0)
		_exit(EXIT_EXEC);
	/* Ctrl-C at the terminal is for scepbench, which ends its children in order. */
	(void)setpgid(0, 0);
	(void)execvp(spec->argv[0], (char *const *)(uintptr_t)spec->argv);
	_exit(EXIT_EXEC);
}

static enum rc
spawn(struct child *c, const struct child_spec *spec, struct err *err)
{
	pid_t parent = getpid();
	int log = open(spec->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	if (log < 0)
		return fail_errno(err, "%s", spec->log);
	c->pid = fork();
	if (c->pid == 0)
		become(spec, log, parent);
	(void)close(log);
	return c->pid > 0 ? RC_OK : fail_errno(err, "start %s", spec->name);
}

enum rc
child_start(struct child **out, const struct child_spec *spec, struct err *err)
{
	struct child *c;
	enum rc rc;

	if (!program_there(spec->argv[0]))
		return fail(err, RC_NOTFOUND, "there is no program %s", spec->argv[0]);
	if ((c = calloc(1, sizeof(*c))) == NULL)
		return fail(err, RC_NOMEM, "child");
	if ((rc = str_dup(&c->name, spec->name, err)) == RC_OK &&
	    (rc = str_dup(&c->log, spec->log, err)) == RC_OK)
		rc = spawn(c, spec, err);
	if (rc == RC_OK) {
		*out = c;
		return RC_OK;
	}
	free(c->name);
	free(c->log);
	free(c);
	return rc;
}

bool
child_running(struct child *c)
{
	if (!c->ended && waitpid(c->pid, &c->status, WNOHANG) == c->pid)
		c->ended = true;
	return !c->ended;
}

/* The last line that is not blank; "" when there is none. */
static void
last_line(char *out, size_t room, const char *path)
{
	struct buf b;
	size_t end, start;

	out[0] = '\0';
	buf_init(&b, 4 * MIB);
	if (file_read(&b, path, 4 * MIB, NULL) == RC_OK) {
		for (end = b.len; end > 0 && strchr("\r\n ", b.data[end - 1]) != NULL; end--)
			;
		for (start = end; start > 0 && b.data[start - 1] != '\n'; start--)
			;
		if (end - start < room)
			room = end - start + 1;
		memcpy(out, b.data + start, room - 1);
		out[room - 1] = '\0';
	}
	buf_done(&b);
}

enum rc
child_ended(struct child *c, struct err *err)
{
	char line[300];

	last_line(line, sizeof(line), c->log);
	if (line[0] == '\0')
		(void)snprintf(line, sizeof(line), "status %d and no word",
		    WIFEXITED(c->status) ? WEXITSTATUS(c->status) : -WTERMSIG(c->status));
	return fail(err, RC_IO, "%s ended: %s", c->name, line);
}

/* Until it has ended: RC_OK when with status 0, else RC_IO with the last line of its output. */
static enum rc
child_wait(struct child *c, unsigned timeout_ms, struct err *err)
{
	int64_t until = clock_mono_ms() + timeout_ms;
	enum rc rc;

	while (child_running(c)) {
		if ((rc = stop_check(err)) != RC_OK)
			return rc;
		if (clock_mono_ms() > until)
			return fail(err, RC_TIMEOUT, "%s does not end", c->name);
		stop_sleep_ms(POLL_MS);
	}
	return WIFEXITED(c->status) && WEXITSTATUS(c->status) == 0 ? RC_OK : child_ended(c, err);
}

void
child_stop(struct child *c)
{
	const struct timespec tick = { .tv_nsec = POLL_MS * 1000000L };

	if (c == NULL)
		return;
	if (child_running(c))
		(void)kill(c->pid, SIGTERM);
	/* Not stop_sleep_ms(): after Ctrl-C it would not sleep. */
	for (int waited = 0; child_running(c) && waited < TERM_MS; waited += POLL_MS)
		(void)nanosleep(&tick, NULL);
	if (!c->ended && kill(c->pid, SIGKILL) == 0)
		(void)waitpid(c->pid, &c->status, 0);
	free(c->name);
	free(c->log);
	free(c);
}

enum rc
child_run(const struct child_spec *spec, unsigned timeout_ms, struct err *err)
{
	struct child *c;
	enum rc rc;

	if ((rc = child_start(&c, spec, err)) != RC_OK)
		return rc;
	rc = child_wait(c, timeout_ms, err);
	child_stop(c);
	return rc;
}

pid_t
child_pid(const struct child *c)
{
	return c->pid;
}
