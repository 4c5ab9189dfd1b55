/* process.c - see process.h. */
#include "scepd/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "scepd/control.h"
#include "scepd/roles.h"

#define SELF          "/proc/self/exe" /* also when a newer one has been installed over it */
#define FD_HIGH       16    /* above those of roles.h, so that dup2() meets none of them */
#define STEADY_MS     60000 /* who served as long starts again at once when it ends */
#define DELAY_MAX_S   30
#define FIRST_FREE_FD (ROLE_CONFIG_FD + 1)

void
process_init(struct process *p, const char *role, bool wants_files)
{
	*p = (struct process){
		.role = role, .control = -1, .files = -1, .wants_files = wants_files
	};
}

static void
close_ends(struct process *p)
{
	if (p->control >= 0)
		(void)close(p->control);
	if (p->files >= 0)
		(void)close(p->files);
	p->control = p->files = -1;
}

/* Our end stays, theirs goes above the descriptors of roles.h. */
static enum rc
pair(int *ours, int *theirs, struct err *err)
{
	int fds[2];
	enum rc rc = control_pair(fds, err);

	if (rc != RC_OK)
		return rc;
	*ours = fds[0];
	*theirs = fcntl(fds[1], F_DUPFD_CLOEXEC, FD_HIGH);
	(void)close(fds[1]);
	return *theirs >= 0 ? RC_OK : fail_errno(err, "cannot copy a descriptor");
}

struct spawn {
	const struct process *p;
	const struct process_env *env;
	int control, files, lock, config; /* all above FD_HIGH; -1: none */
	pid_t parent;
};

static void
place(int fd, int at)
{
	if (fd >= 0 && dup2(fd, at) < 0)
		_exit(EX_OSERR);
}

/* Between fork and exec: async-signal-safe calls alone. */
static void
become(const struct spawn *s)
{
	const char *argv[] = { "scepd", s->p->role, s->env->config, s->env->log_level, NULL };
	int null = fcntl(open("/dev/null", O_RDWR), F_DUPFD, FD_HIGH);

	/* With its parent gone it has nobody to obey. */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != s->parent)
		_exit(EX_OSERR);
	place(null, STDIN_FILENO);
	place(s->control, ROLE_CONTROL_FD);
	place(s->files >= 0 ? s->files : null, ROLE_FILES_FD);
	place(s->lock, ROLE_LOCK_FD);
	place(s->config, ROLE_CONFIG_FD);
	(void)close_range(FIRST_FREE_FD, ~0U, 0);
	(void)execv(SELF, (char *const *)(uintptr_t)argv);
	_exit(EX_OSERR);
}

static enum rc
spawn(struct process *p, struct spawn *s, struct err *err)
{
	p->pid = fork();
	if (p->pid == 0)
		become(s);
	if (p->pid > 0)
		return RC_OK;
	p->pid = 0;
	return fail_errno(err, "cannot start the %s", p->role);
}

enum rc
process_start(struct process *p, const struct process_env *env, struct err *err)
{
	struct spawn s = { p, env, -1, -1, -1, -1, getpid() };
	enum rc rc = RC_OK;

	close_ends(p);
	s.lock = fcntl(env->lock_fd, F_DUPFD_CLOEXEC, FD_HIGH);
	s.config = fcntl(env->config_fd, F_DUPFD_CLOEXEC, FD_HIGH);
	if (s.lock < 0 || s.config < 0)
		rc = fail_errno(err, "cannot copy a descriptor");
	if (rc == RC_OK)
		rc = pair(&p->control, &s.control, err);
	if (rc == RC_OK && p->wants_files)
		rc = pair(&p->files, &s.files, err);
	if (rc == RC_OK)
		rc = spawn(p, &s, err);
	if (s.control >= 0)
		(void)close(s.control);
	if (s.files >= 0)
		(void)close(s.files);
	if (s.lock >= 0)
		(void)close(s.lock);
	if (s.config >= 0)
		(void)close(s.config);
	if (rc != RC_OK) {
		close_ends(p);
		return rc;
	}
	p->ready = false;
	p->pings = 0;
	p->started_ms = clock_mono_ms();
	log_msg(LOG_DEBUG, "process", "%s started, pid %ld", p->role, (long)p->pid);
	return RC_OK;
}

/* ---- the end ---- */

int
process_exit_code(int status)
{
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void
tell_end(const struct process *p, int status, int64_t delay_ms)
{
	struct log_line l;

	log_begin(&l, LOG_ERROR, "process");
	log_str(&l, "process", p->role);
	log_int(&l, "pid", p->pid);
	if (WIFSIGNALED(status))
		log_str(&l, "signal", strsignal(WTERMSIG(status)));
	else
		log_int(&l, "status", WEXITSTATUS(status));
	if (p->failures < PROCESS_FAILURES_MAX)
		log_int(&l, "restart_ms", delay_ms);
	log_str(&l, "msg",
	    p->failures < PROCESS_FAILURES_MAX ? "ended unexpectedly; it is started again"
					       : "ended unexpectedly");
	log_end(&l);
}

/* At once after a long service, then after one second, two, four ... */
static int64_t
delay_after(unsigned failures)
{
	int64_t s = failures <= 1 ? 0 : failures > 6 ? DELAY_MAX_S : (int64_t)1 << (failures - 2);

	return (s < DELAY_MAX_S ? s : DELAY_MAX_S) * 1000;
}

void
process_ended(struct process *p, int status, bool expected)
{
	int64_t now = clock_mono_ms();

	if (p->ready && now - p->started_ms > STEADY_MS)
		p->failures = 0;
	p->failures++;
	/* What it waits for may come yet: it is tried without end, as often as the longest delay lets it. */
	if (process_exit_code(status) == EX_TEMPFAIL && p->failures == PROCESS_FAILURES_MAX)
		p->failures--;
	p->start_at_ms = now + delay_after(p->failures);
	if (!expected)
		tell_end(p, status, p->start_at_ms - now);
	close_ends(p);
	p->pid = 0;
	p->ready = false;
}

int64_t
process_start_in(const struct process *p, int64_t now_ms)
{
	return p->start_at_ms > now_ms ? p->start_at_ms - now_ms : 0;
}

void
process_kill(struct process *p)
{
	if (p->pid > 0)
		(void)kill(p->pid, SIGKILL);
}
