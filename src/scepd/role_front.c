/*
 * role_front.c - the process that faces the network.
 *
 * Read front_role() from top to bottom: that is the order in which authority is given up.  Above the line
 * nothing is read that comes from outside; below it nothing can be opened but what the supervisor hands over.
 */
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <time.h>

#include "base/clock.h"
#include "base/cond.h"
#include "base/log.h"
#include "base/opt.h"
#include "sandbox/sandbox.h"
#include "scepd/attack.h"
#include "scepd/confine.h"
#include "scepd/control.h"
#include "scepd/files.h"
#include "scepd/front.h"
#include "scepd/roles.h"
#include "signer/signer_remote.h"

#define RELOAD_EVERY_MS 60000
/* Each CA and endpoint may wait for a signer that is not there, for 15 s. */
#define RELOAD_MAX_MS (60 * 60 * 1000)

struct front_process {
	struct front *front;
	struct signer *signer; /* the front's, from front_start() on */
	pthread_t listener;    /* to the supervisor */
	bool listens;
	pthread_mutex_t lock; /* what follows */
	pthread_cond_t wake;
	bool reload, stop;        /* what the supervisor wants */
	bool serves;              /* front_start() has been */
	int64_t reload_ms;        /* monotonic: when the one in progress began; 0: none */
	bool state_is_new;        /* the signer's folder: said with the first channels */
	pthread_mutex_t say_lock; /* one at a time speaks to the supervisor */
};

static enum rc
say(struct front_process *p, enum control_kind kind, int64_t number, const struct buf *text,
    struct err *err)
{
	enum rc rc;

	(void)pthread_mutex_lock(&p->say_lock);
	rc = control_say(ROLE_CONTROL_FD, kind, number, text != NULL ? text->data : NULL,
	    text != NULL ? text->len : 0, err);
	(void)pthread_mutex_unlock(&p->say_lock);
	return rc;
}

/* ---- what the supervisor says ---- */

static void
take_channels(struct front_process *p, struct control_msg *m)
{
	(void)pthread_mutex_lock(&p->lock);
	p->state_is_new |= (m->number & CONTROL_STATE_IS_NEW) != 0;
	(void)pthread_mutex_unlock(&p->lock);
	if ((m->number & CONTROL_IN_PLACE) != 0)
		signer_remote_add(p->signer, m->fds, m->n_fds);
	else
		signer_remote_attach(p->signer, m->fds, m->n_fds);
	m->n_fds = 0;
}

/* How long what has stood still longest has not moved. */
static int64_t
stalled_ms(struct front_process *p)
{
	int64_t reload = 0, loops;
	bool serves;

	(void)pthread_mutex_lock(&p->lock);
	serves = p->serves;
	if (p->reload_ms != 0)
		reload = clock_mono_ms() - p->reload_ms;
	(void)pthread_mutex_unlock(&p->lock);
	loops = serves ? front_stalled_ms(p->front) : 0;
	return reload > RELOAD_MAX_MS && reload > loops ? reload : loops;
}

/* One message; false: there is nothing more to come. */
static bool
act_on(struct front_process *p, struct control_msg *m)
{
	switch (m->kind) {
	case CONTROL_CHANNELS:
		take_channels(p, m);
		return true;
	case CONTROL_PING: /* who cannot answer hears of it */
		(void)!say(p, CONTROL_PONG, stalled_ms(p), NULL, NULL);
		return true;
	case CONTROL_RELOAD:
		(void)pthread_mutex_lock(&p->lock);
		p->reload = true;
		(void)pthread_cond_signal(&p->wake);
		(void)pthread_mutex_unlock(&p->lock);
		return true;
	default: /* CONTROL_STOP, and what is not for this role */
		return false;
	}
}

/*
 * A thread of its own: whoever reloads may be waiting for a signer that has just died, and the channels to the
 * next one come here.
 */
static void *
listen_main(void *arg)
{
	struct front_process *p = arg;
	struct control_msg m = { .len = 0 };
	struct err err;
	enum rc rc;
	bool go_on;

	do {
		rc = control_recv(ROLE_CONTROL_FD, CONTROL_FROM_SUPERVISOR, &m, -1, &err);
		go_on = rc == RC_OK && act_on(p, &m);
		control_drop(&m);
	} while (go_on);
	(void)pthread_mutex_lock(&p->lock);
	if (rc != RC_OK && !p->stop)
		log_msg(LOG_WARN, "process", "front: %s; ending", err.msg);
	p->stop = true;
	(void)pthread_cond_signal(&p->wake);
	(void)pthread_mutex_unlock(&p->lock);
	return NULL;
}

static enum rc
listen_start(struct front_process *p, struct err *err)
{
	if ((errno = pthread_create(&p->listener, NULL, listen_main, p)) != 0)
		return fail_errno(err, "start a thread");
	p->listens = true;
	return RC_OK;
}

/* Before the signer goes, which the thread gives channels to. */
static void
listen_end(struct front_process *p)
{
	if (!p->listens)
		return;
	(void)pthread_mutex_lock(&p->lock);
	p->stop = true;
	(void)pthread_mutex_unlock(&p->lock);
	(void)shutdown(ROLE_CONTROL_FD, SHUT_RD);
	(void)pthread_join(p->listener, NULL);
}

/* ---- the role ---- */

static void
want_channels(void *arg, size_t n)
{
	struct err err;

	if (say(arg, CONTROL_WANTED, (int64_t)n, NULL, &err) != RC_OK)
		log_msg(LOG_ERROR, "process", "front: %s", err.msg);
}

/* From now on the supervisor asks whether it lives. */
static enum rc
say_ready(struct front_process *p, struct err *err)
{
	(void)pthread_mutex_lock(&p->lock);
	p->serves = true;
	(void)pthread_mutex_unlock(&p->lock);
	return say(p, CONTROL_READY, 0, front_ready0(p->front), err);
}

/* Until the supervisor says so, or is gone. */
static void
obey(struct front_process *p)
{
	int64_t until;
	bool asked;

	(void)pthread_mutex_lock(&p->lock);
	while (!p->stop) {
		until = clock_mono_ms() + RELOAD_EVERY_MS;
		while (!p->stop && !p->reload && cond_wait_until(&p->wake, &p->lock, until))
			;
		if (p->stop)
			break;
		asked = p->reload;
		p->reload = false;
		p->reload_ms = clock_mono_ms();
		(void)pthread_mutex_unlock(&p->lock);
		front_reload(p->front);
		if (asked)
			front_hurry(p->front);
		(void)pthread_mutex_lock(&p->lock);
		p->reload_ms = 0;
	}
	(void)pthread_mutex_unlock(&p->lock);
}

static enum rc
front_role(struct front_process *p, struct config *config, struct err *err)
{
	enum rc rc;

	/* With rights: ports, the limit of open files.  As the front's user: the database. */
	if ((rc = front_new(&p->front, config, err)) != RC_OK ||
	    (rc = sandbox_identity(config->processes.front_user, err)) != RC_OK ||
	    (rc = front_open(p->front, err)) != RC_OK ||
	    (rc = confine_front(config, front_store0(p->front), err)) != RC_OK)
		return rc;
	/* ------------------------------------------------------------- untrusted below */
	files_ask(ROLE_FILES_FD);
	if ((rc = signer_remote_new(&p->signer, err)) != RC_OK)
		return rc;
	signer_remote_on_wanted(p->signer, want_channels, p);
	if ((rc = listen_start(p, err)) != RC_OK) {
		signer_close(p->signer);
		return rc;
	}
	if ((rc = front_start(p->front, p->signer, err)) != RC_OK)
		return rc;
	/* Nothing could have started without channels, so that this was said. */
	if (p->state_is_new)
		front_tell_new_state(p->front);
	if ((rc = say_ready(p, err)) != RC_OK)
		return rc;
	attack_begin();
	obey(p);
	return RC_OK;
}

int
front_main(struct config *config)
{
	struct front_process p = { .lock = PTHREAD_MUTEX_INITIALIZER,
		.say_lock = PTHREAD_MUTEX_INITIALIZER };
	struct err err;
	enum rc rc;

	(void)cond_init(&p.wake);
	rc = front_role(&p, config, &err);
	listen_end(&p);
	if (p.front == NULL)
		config_free(config);
	front_free(p.front);
	return rc == RC_OK ? 0 : err_report("scepd", &err);
}
