/*
 * supervisor_talk.c - what signer and front say to the supervisor, and its patience when they say nothing.
 */
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/opt.h"
#include "scepd/control.h"
#include "scepd/files.h"
#include "scepd/notify.h"
#include "scepd/supervisor_int.h"

#define READY_WITHIN_MS 60000 /* a token may take its time */
#define PING_EVERY_MS   5000

/* ---- patience ---- */

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

void
supervisor_ping(struct process *p, int64_t now)
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

void
supervisor_check_start(struct process *p, int64_t now)
{
	if (p->pid == 0 || p->ready || now - p->started_ms <= READY_WITHIN_MS)
		return;
	log_msg(LOG_ERROR, "process", "the %s is not ready after %d s: it is ended", p->role,
	    READY_WITHIN_MS / 1000);
	p->started_ms = now; /* once */
	process_kill(p);
}

/* ---- messages ---- */

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
		rc = supervisor_connect(s, err);
	if (rc != RC_OK || p != &s->front)
		return rc;
	/* Whoever waits for that file would wait for ever; the front has done nothing wrong. */
	if (write_ready(s, m, err) != RC_OK) {
		supervisor_stop(s, err_report("scepd", err));
		return RC_OK;
	}
	if (!s->served)
		notify_serving(s->manager);
	s->served = true;
	return RC_OK;
}

static void
on_wanted(struct supervisor *s, const struct control_msg *m)
{
	if (m->number > 0)
		s->wanted = m->number;
}

/* A process that says what is not its to say has been taken over, or is broken: it is ended. */
void
supervisor_hear(struct supervisor *s, struct process *p, int fd)
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
