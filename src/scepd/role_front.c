/*
 * role_front.c - the process that faces the network.
 *
 * Read front_role() from top to bottom: that is the order in which authority is given up.  Above the line
 * nothing is read that comes from outside; below it nothing can be opened but what the supervisor hands over.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "base/clock.h"
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

#define RELOAD_EVERY_MS    60000
#define CHANNELS_WITHIN_MS 30000 /* the supervisor sends them as soon as the process is there */

struct front_process {
	struct front *front;
	struct signer *signer; /* the front's, from front_start() on */
	bool state_is_new;     /* the signer's folder */
};

static void
take_channels(struct front_process *p, struct control_msg *m)
{
	signer_remote_attach(p->signer, m->fds, m->n_fds);
	m->n_fds = 0;
}

/* The first message, as nothing can be opened before the signer answers. */
static enum rc
first_channels(struct front_process *p, struct err *err)
{
	struct control_msg m;
	enum rc rc =
	    control_recv(ROLE_CONTROL_FD, CONTROL_FROM_SUPERVISOR, &m, CHANNELS_WITHIN_MS, err);

	if (rc == RC_OK && m.kind != CONTROL_CHANNELS)
		rc = fail(err, RC_BUG, "the first message is not that of the channels");
	if (rc == RC_OK) {
		p->state_is_new = m.number == 1;
		take_channels(p, &m);
	}
	control_drop(&m);
	return rc;
}

static enum rc
say_ready(const struct front *f, struct err *err)
{
	const struct buf *b = front_ready0(f);

	return control_say(ROLE_CONTROL_FD, CONTROL_READY, 0, buf_str(b), b->len, err);
}

/* Until the supervisor says so, or is gone. */
static void
obey(struct front_process *p)
{
	int64_t due = clock_mono_ms() + RELOAD_EVERY_MS, left;
	struct control_msg m = { .len = 0 };
	struct err err;
	enum rc rc;

	for (;;) {
		left = due - clock_mono_ms();
		rc = control_recv(
		    ROLE_CONTROL_FD, CONTROL_FROM_SUPERVISOR, &m, left > 0 ? (int)left : 0, &err);
		if (rc == RC_TIMEOUT || (rc == RC_OK && m.kind == CONTROL_RELOAD)) {
			front_reload(p->front);
			due = clock_mono_ms() + RELOAD_EVERY_MS;
		} else if (rc == RC_OK && m.kind == CONTROL_CHANNELS) {
			take_channels(p, &m);
		} else {
			break;
		}
		control_drop(&m);
	}
	if (rc != RC_OK)
		log_msg(LOG_WARN, "process", "front: %s; ending", err.msg);
	control_drop(&m);
}

static enum rc
front_role(struct front_process *p, struct config *config, struct err *err)
{
	enum rc rc;

	/* With rights: ports, the limit of open files.  As the front's user: the database. */
	if ((rc = front_new(&p->front, config, err)) != RC_OK ||
	    (rc = sandbox_identity(config->processes.front_user, err)) != RC_OK ||
	    (rc = front_open(p->front, err)) != RC_OK ||
	    (rc = confine_front(front_store0(p->front), err)) != RC_OK)
		return rc;
	/* ------------------------------------------------------------- untrusted below */
	files_ask(ROLE_FILES_FD);
	if ((rc = signer_remote_new(&p->signer, err)) != RC_OK)
		return rc;
	if ((rc = first_channels(p, err)) != RC_OK) {
		signer_close(p->signer);
		return rc;
	}
	if ((rc = front_start(p->front, p->signer, err)) != RC_OK)
		return rc;
	if (p->state_is_new)
		front_tell_new_state(p->front);
	if ((rc = say_ready(p->front, err)) != RC_OK)
		return rc;
	attack_begin();
	obey(p);
	return RC_OK;
}

int
front_main(struct config *config)
{
	struct front_process p = { 0 };
	struct err err;
	enum rc rc = front_role(&p, config, &err);

	if (p.front == NULL)
		config_free(config);
	front_free(p.front);
	return rc == RC_OK ? 0 : err_report("scepd", &err);
}
