/*
 * supervisor.c - what the administrator starts: it starts signer and front, gives them channels to each other,
 * opens files for the front, and starts again whichever ends or hangs.  It reads nothing that comes
 * from the network and holds no key; passphrases that were typed stay here in locked memory, as a signer that is started again
 * needs them.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/opt.h"
#include "base/secret.h"
#include "base/text.h"
#include "sandbox/sandbox.h"
#include "scepd/confine.h"
#include "scepd/control.h"
#include "scepd/files.h"
#include "scepd/keys.h"
#include "scepd/process.h"
#include "scepd/roles.h"
#include "signer/signer_remote.h"

#define LOCK_WITHIN_MS  5000  /* processes of a scepd that was killed are gone long before */
#define READY_WITHIN_MS 60000 /* a token may take its time */
#define PING_EVERY_MS   5000
#define WANTED_EVERY_MS 1000  /* channels in place of closed ones: a front may ask without end */
#define STOP_SPARE_MS   15000 /* beyond limits.drain: threads that have to be joined */
#define LOOK_EVERY_MS   60000 /* as the front does */
/* As many as requests usually are at once: who finds a channel free wakes nobody but the signer. */
#define THREADS_MIN 32

/* When a process hangs.  The front's loops only move bytes; a machine may be that busy, a loop not. */
static const struct patience {
	const char *role;
	unsigned pings;     /* in a row without an answer */
	int64_t stalled_ms; /* what it says in CONTROL_PONG */
	const char *what;
} patience[] = {
	/* One signature: a token that takes longer has died. */
	{ "signer", 4, 20000, "the signer has worked on one operation" },
	{ "front", 12, 60000, "what the front does all the time has stood still" },
};

struct supervisor {
	const struct config *config;
	const struct scepd_options *options;
	struct process_env env;
	struct keys_secrets *secrets; /* those that were typed */
	struct process signer, front;
	int signals;
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

/* ---- before anything runs ---- */

/* The signer's folder: its own, and locked by us for as long as any of the three runs. */
static enum rc
make_state(const struct config *c, struct err *err)
{
	const char *dir = c->processes.signer_state, *user = c->processes.signer_user;
	struct passwd *pw = user != NULL ? getpwnam(user) : NULL;
	enum rc rc = dir_make(dir, 0700, err);

	if (rc != RC_OK)
		return rc;
	if (user != NULL && pw == NULL)
		return fail(err, RC_CONFIG, "processes.signer_user: there is no account %s", user);
	if (pw != NULL && geteuid() == 0 && chown(dir, pw->pw_uid, pw->pw_gid) != 0)
		return fail_errno(err, "cannot give %s to %s", dir, user);
	return RC_OK;
}

/* The file of the lock is as old as this scepd: scepctl check compares scepd.yaml with it. */
static enum rc
mark_start(const struct supervisor *s, enum rc rc, const char *path, struct err *err)
{
	if (rc == RC_OK && futimens(s->env.lock_fd, NULL) != 0)
		return fail_errno(err, "cannot write the time to %s", path);
	return rc;
}

/* Processes of a scepd that was just killed have the lock until they are gone: wait for that. */
static enum rc
take_lock(struct supervisor *s, struct err *err)
{
	const struct timespec tick = { .tv_nsec = 20 * 1000000L };
	int64_t until = clock_mono_ms() + LOCK_WITHIN_MS;
	char *path = NULL;
	enum rc rc = path_join(&path, s->config->processes.signer_state, "supervisor.lock", err);

	if (rc != RC_OK)
		return rc;
	s->env.lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (s->env.lock_fd < 0)
		rc = fail_errno(err, "cannot open %s", path);
	while (rc == RC_OK && flock(s->env.lock_fd, LOCK_EX | LOCK_NB) != 0) {
		if (clock_mono_ms() > until) {
			rc = fail(err, RC_CONFIG,
			    "another scepd runs with this configuration's %s and %s",
			    s->config->store.url, s->config->processes.signer_state);
			err_hint(err,
			    "stop it, or give this one another store.url and "
			    "processes.signer_state");
		}
		(void)nanosleep(&tick, NULL);
	}
	rc = mark_start(s, rc, path, err);
	free(path);
	return rc;
}

/*
 * What is started again later has the configuration of before: the administrator may be in the middle of a change,
 * and front and signer have to agree.
 */
static enum rc
keep_config(struct supervisor *s, struct err *err)
{
	struct buf text;
	enum rc rc;

	buf_init(&text, LIMIT_CONFIG);
	rc = conf_read(&text, s->config->path, err);
	if (rc == RC_OK && (s->env.config_fd = memfd_create("scepd.yaml", MFD_CLOEXEC)) < 0)
		rc = fail_errno(err, "cannot keep a copy of %s", s->config->path);
	if (rc == RC_OK && write(s->env.config_fd, text.data, text.len) != (ssize_t)text.len)
		rc = fail_errno(err, "cannot keep a copy of %s", s->config->path);
	buf_done(&text);
	return rc;
}

/* What is typed is typed once, whatever is started again later. */
static enum rc
ask_terminal(void *arg, size_t owner, enum keys_secret kind, struct buf *out, struct err *err)
{
	const struct supervisor *s = arg;
	char what[KEYS_QUESTION_MAX];

	keys_question(what, s->config, owner, kind);
	return secret_read(out, "prompt", what, err);
}

static enum rc
ask_all(struct supervisor *s, struct err *err)
{
	for (size_t i = 0; i < keys_owners(s->config); i++)
		if (keys_secret_is_typed(s->config, i, KEYS_PASSPHRASE) ||
		    keys_secret_is_typed(s->config, i, KEYS_PIN))
			return keys_secrets_type(&s->secrets, s->config, ask_terminal, s, err);
	return RC_OK;
}

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

/* New channels whenever either side is new: those that it had are gone with it. */
static enum rc
connect_both(struct supervisor *s, struct err *err)
{
	s->wanted = 0;
	return send_channels(s, channels_of(s->config),
	    s->state_is_new && !s->served ? CONTROL_STATE_IS_NEW : 0, err);
}

/* In place of channels that the signer has closed although it lives. */
static void
replace_channels(struct supervisor *s, int64_t now)
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
static enum rc
start_what_is_missing(struct supervisor *s, struct err *err)
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
	return rc == RC_OK ? connect_both(s, err) : rc;
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
static bool
renew_front_if_due(struct supervisor *s, int64_t now)
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
static void
begin_stop(struct supervisor *s, int exit_code)
{
	if (s->stopping)
		return;
	s->stopping = true;
	s->exit_code = exit_code;
	s->stop_until_ms = clock_mono_ms() + s->config->limits.drain * 1000 + STOP_SPARE_MS;
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
	begin_stop(s, EX_SOFTWARE);
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
		begin_stop(s, process_exit_code(status));
	else if (!s->stopping && p->failures >= PROCESS_FAILURES_MAX)
		give_up(s, p);
	if (s->stopping && p == &s->front)
		stop_signer(s);
	s->done = s->stopping && s->front.pid == 0 && s->signer.pid == 0;
}

static void
reap(struct supervisor *s)
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

/* ---- what the processes say ---- */

static enum rc
write_ready(const struct supervisor *s, const struct control_msg *m, struct err *err)
{
	return s->options->ready_file == NULL
	    ? RC_OK
	    : file_write(s->options->ready_file, m->text, m->len, 0644, 1, err);
}

static enum rc
on_ready(struct supervisor *s, struct process *p, const struct control_msg *m, struct err *err)
{
	enum rc rc = RC_OK;

	p->ready = true;
	log_msg(LOG_INFO, "process", "the %s is ready, pid %ld", p->role, (long)p->pid);
	if (p == &s->signer && s->front.pid != 0)
		rc = connect_both(s, err);
	if (rc != RC_OK || p != &s->front)
		return rc;
	if (write_ready(s, m, err) == RC_OK)
		s->served = true;
	else /* whoever waits for that file would wait for ever; the front has done nothing wrong */
		begin_stop(s, err_report("scepd", err));
	return RC_OK;
}

static const struct patience *
patience_with(const struct process *p)
{
	return &patience[strcmp(p->role, patience[0].role) != 0];
}

static void
on_pong(struct process *p, const struct control_msg *m)
{
	const struct patience *with = patience_with(p);

	p->pings = 0;
	if (m->number <= with->stalled_ms)
		return;
	log_msg(LOG_ERROR, "process", "%s for %lld ms: it hangs, and is ended", with->what,
	    (long long)m->number);
	process_kill(p);
}

static void
on_wanted(struct supervisor *s, const struct control_msg *m)
{
	if (m->number > 0)
		s->wanted = m->number;
}

/* A process that says what is not its to say has been taken over, or is broken: it is ended. */
static void
on_message(struct supervisor *s, struct process *p, int fd)
{
	struct control_msg m;
	struct err err;
	enum rc rc = control_recv(fd, CONTROL_FROM_CHILD, &m, 0, &err);

	if (rc == RC_TIMEOUT) /* nothing was said after all */
		return;
	if (rc == RC_OK && fd == p->files && m.kind == CONTROL_OPEN)
		rc = files_answer(fd, s->config, &m, &err);
	else if (rc == RC_OK && m.kind == CONTROL_READY && !p->ready)
		rc = on_ready(s, p, &m, &err);
	else if (rc == RC_OK && fd == p->control && m.kind == CONTROL_PONG)
		on_pong(p, &m);
	else if (rc == RC_OK && fd == p->control && m.kind == CONTROL_WANTED && p == &s->front)
		on_wanted(s, &m);
	else if (rc == RC_OK)
		rc = fail(&err, RC_DENIED, "a message that is not its own");
	control_drop(&m);
	/* Also who takes no answers: the next question would hold everything up once more. */
	if (rc == RC_OK)
		return;
	if (rc != RC_NOTFOUND) /* that one has just ended */
		log_msg(LOG_ERROR, "process", "%s: %s; it is ended", p->role, err.msg);
	process_kill(p);
	if (fd == p->control)
		p->control = -1;
	else
		p->files = -1;
	(void)close(fd);
}

/* ---- the loop ---- */

static void
on_signal(struct supervisor *s)
{
	struct signalfd_siginfo si;
	struct err err;

	if (read(s->signals, &si, sizeof(si)) != (ssize_t)sizeof(si))
		return;
	switch (si.ssi_signo) {
	case SIGCHLD:
		reap(s);
		break;
	case SIGHUP:
		log_msg(LOG_INFO, "reload", "SIGHUP: certificates and secrets are read again");
		if (config_is_newer(s->config, s->env.lock_fd))
			log_msg(LOG_WARN, "reload",
			    "%s was changed since scepd was started: what it says counts after a "
			    "restart",
			    s->config->path);
		if (!renew_front_if_due(s, clock_mono_ms()) && s->front.ready && !s->renewing &&
		    control_say(s->front.control, CONTROL_RELOAD, 0, NULL, 0, &err) != RC_OK)
			log_msg(LOG_ERROR, "reload", "%s", err.msg);
		break;
	default:
		log_msg(LOG_INFO, "stop", "%s: finishing what is in flight",
		    si.ssi_signo == SIGTERM ? "SIGTERM" : "SIGINT");
		begin_stop(s, EX_OK);
	}
}

static void
ping(struct process *p, int64_t now)
{
	struct err err;

	if (!p->ready || p->control < 0 || now < p->ping_at_ms)
		return;
	p->ping_at_ms = now + PING_EVERY_MS;
	/* Counted, not timed: while this process itself was held up, answers wait to be read. */
	if (p->pings++ == patience_with(p)->pings) {
		log_msg(LOG_ERROR, "process", "the %s does not answer: it is ended", p->role);
		process_kill(p);
	} else if (control_say(p->control, CONTROL_PING, 0, NULL, 0, &err) != RC_OK) {
		log_msg(LOG_ERROR, "process", "%s", err.msg);
	}
}

static void
check_slow_start(struct supervisor *s, struct process *p, int64_t now)
{
	if (p->pid == 0 || p->ready || now - p->started_ms <= READY_WITHIN_MS)
		return;
	log_msg(LOG_ERROR, "process", "the %s is not ready after %d s: it is ended", p->role,
	    READY_WITHIN_MS / 1000);
	p->started_ms = now; /* once */
	process_kill(p);
}

static void
on_tick(struct supervisor *s)
{
	int64_t now = clock_mono_ms();
	struct err err;

	if (s->stopping) {
		if (now > s->stop_until_ms) {
			process_kill(&s->front);
			process_kill(&s->signer);
		}
		return;
	}
	ping(&s->signer, now);
	if (!s->renewing) /* it was told to end, and listens no more */
		ping(&s->front, now);
	replace_channels(s, now);
	check_slow_start(s, &s->signer, now);
	check_slow_start(s, &s->front, now);
	if (now > s->look_at_ms)
		(void)renew_front_if_due(s, now);
	if (s->renewing && now > s->renew_until_ms)
		process_kill(&s->front);
	if (start_what_is_missing(s, &err) == RC_OK)
		return;
	log_msg(LOG_ERROR, "process", "%s", err.msg);
	if (!s->served)
		begin_stop(s, err_reaction(err.rc)->exit_code);
}

static void
wait_and_act(struct supervisor *s)
{
	struct pollfd p[] = { { .fd = s->signals, .events = POLLIN },
		{ .fd = s->signer.control, .events = POLLIN },
		{ .fd = s->front.control, .events = POLLIN },
		{ .fd = s->front.files, .events = POLLIN } };

	if (poll(p, sizeof(p) / sizeof(p[0]), s->served ? 500 : 50) <= 0)
		return;
	/* What a process said before it ended comes before its end. */
	if (p[1].revents != 0)
		on_message(s, &s->signer, p[1].fd);
	if (p[2].revents != 0)
		on_message(s, &s->front, p[2].fd);
	if (p[3].revents != 0 && p[3].fd == s->front.files)
		on_message(s, &s->front, p[3].fd);
	if (p[0].revents != 0)
		on_signal(s);
}

static enum rc
catch_signals(struct supervisor *s, struct err *err)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGHUP);
	(void)sigaddset(&set, SIGCHLD);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	s->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return s->signals >= 0 ? RC_OK : fail_errno(err, "cannot receive signals");
}

static enum rc
prepare(struct supervisor *s, struct err *err)
{
	struct sandbox_report kernel;
	enum rc rc;

	if ((rc = make_state(s->config, err)) != RC_OK || (rc = take_lock(s, err)) != RC_OK ||
	    (rc = keep_config(s, err)) != RC_OK || (rc = ask_all(s, err)) != RC_OK ||
	    (rc = catch_signals(s, err)) != RC_OK)
		return rc;
	sandbox_probe(&kernel);
	s->sandboxed = kernel.files;
	s->state_is_new = !signer_audit_is_there(s->config->processes.signer_state);
	return confine_supervisor(err);
}

int
supervisor_main(const struct config *config, const struct scepd_options *o)
{
	struct supervisor s = { .config = config,
		.options = o,
		.env = { o->config, o->log_level, -1, -1 },
		.signals = -1 };
	struct err err;

	process_init(&s.signer, "signer", false);
	process_init(&s.front, "front", true);
	if (prepare(&s, &err) != RC_OK) {
		keys_secrets_free(s.secrets);
		return err_report("scepd", &err);
	}
	while (!s.done) {
		on_tick(&s);
		if (!s.done)
			wait_and_act(&s);
	}
	keys_secrets_free(s.secrets);
	if (s.exit_code == EX_OK)
		log_msg(LOG_INFO, "stop", "done");
	return s.exit_code;
}
