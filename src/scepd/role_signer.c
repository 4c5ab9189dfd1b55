/*
 * role_signer.c - the process that holds the keys.
 *
 * Read signer_role() from top to bottom: that is the order in which authority is given up.  Above the line files
 * are opened and nothing is parsed but the configuration; below it nothing can be opened but the signer's
 * own folder, and a token.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/cond.h"
#include "base/file.h"
#include "base/log.h"
#include "base/opt.h"
#include "sandbox/sandbox.h"
#include "scepd/confine.h"
#include "scepd/control.h"
#include "scepd/keys.h"
#include "scepd/roles.h"
#include "signer/signer_remote.h"

#define TICK_MS          60000
#define SECRET_WITHIN_MS 10000 /* typed before this process was started */
#define FILES_MAX                                                                                  \
	1024 /* of 64 CAs: two certificates, eight above, three keys; of 64 foreign ones: three files */

/* ---- files, opened while that is allowed ---- */

static struct opened {
	const char *path;
	int fd;  /* -1: could not be opened */
	int why; /* errno */
} opened[FILES_MAX];
static size_t n_opened;

static void
open_one(void *arg, const char *path)
{
	struct opened *o = &opened[n_opened];

	if (n_opened == FILES_MAX)
		return; /* then it cannot be read later, which says its name */
	o->path = path;
	o->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	o->why = errno;
	n_opened++;
}

/* In place of open(2): each file once, from its beginning. */
static int
open_opened(void *arg, const char *path)
{
	for (size_t i = 0; i < n_opened; i++) {
		struct opened *o = &opened[i];

		if (o->path == NULL || strcmp(o->path, path) != 0)
			continue;
		errno = o->why;
		if (o->fd < 0 || lseek(o->fd, 0, SEEK_SET) < 0)
			return -1;
		return fcntl(o->fd, F_DUPFD_CLOEXEC, 0);
	}
	return open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY); /* its own folder, or refused */
}

static void
close_opened(void)
{
	for (size_t i = 0; i < n_opened; i++)
		if (opened[i].fd >= 0)
			(void)close(opened[i].fd);
	n_opened = 0;
}

/* ---- secrets ---- */

/* Those that were typed come from the supervisor, numbered. */
static enum rc
secret_from_supervisor(
    void *arg, size_t owner, enum keys_secret kind, struct buf *out, struct err *err)
{
	struct control_msg m;
	enum rc rc =
	    control_recv(ROLE_CONTROL_FD, CONTROL_FROM_SUPERVISOR, &m, SECRET_WITHIN_MS, err);

	if (rc == RC_OK &&
	    (m.kind != CONTROL_SECRET ||
		m.number != (int64_t)(owner * KEYS_SECRET__MAX + (size_t)kind)))
		rc = fail(err, RC_BUG, "another message than the secret that was to come");
	if (rc == RC_OK) {
		buf_add(out, m.text, m.len);
		rc = buf_ok(out, "secret", err);
	}
	control_drop(&m);
	return rc;
}

/* ---- the role ---- */

struct signer_process {
	struct keys_secrets *secrets;
	struct signer *signer;
	struct signer_server *server;
	pthread_t ticker;
	bool ticks;
	pthread_mutex_t lock; /* what follows */
	pthread_cond_t wake;
	bool stop;
};

static enum rc
open_keys(struct signer_process *p, const struct config *c, struct err *err)
{
	enum rc rc = RC_OK;

	if (keys_in_token(c))
		rc = key_tokens_open(c->pkcs11.module, err);
	if (rc == RC_OK)
		rc = keys_open(&p->signer, c, p->secrets, c->processes.signer_state, err);
	close_opened();
	keys_secrets_free(p->secrets);
	p->secrets = NULL;
	return rc == RC_OK ? signer_server_new(&p->server, p->signer, err) : rc;
}

/*
 * What is due every minute: certificates that the signer renews, numbers that go to the disk.  A thread of its own, as
 * a disk may take longer than the supervisor waits for an answer, and the signer is sound all the same.
 */
static void *
tick_main(void *arg)
{
	struct signer_process *p = arg;
	int64_t until;

	(void)pthread_mutex_lock(&p->lock);
	while (!p->stop) {
		(void)pthread_mutex_unlock(&p->lock);
		signer_tick(p->signer, clock_now());
		(void)pthread_mutex_lock(&p->lock);
		until = clock_mono_ms() + TICK_MS;
		while (!p->stop && cond_wait_until(&p->wake, &p->lock, until))
			;
	}
	(void)pthread_mutex_unlock(&p->lock);
	return NULL;
}

static enum rc
tick_start(struct signer_process *p, struct err *err)
{
	if ((errno = pthread_create(&p->ticker, NULL, tick_main, p)) != 0)
		return fail_errno(err, "start a thread");
	p->ticks = true;
	return RC_OK;
}

static void
tick_end(struct signer_process *p)
{
	if (!p->ticks)
		return;
	(void)pthread_mutex_lock(&p->lock);
	p->stop = true;
	(void)pthread_cond_signal(&p->wake);
	(void)pthread_mutex_unlock(&p->lock);
	(void)pthread_join(p->ticker, NULL);
}

/* One message; false: the end. */
static bool
act_on(struct signer_process *p, struct control_msg *m)
{
	struct err err;
	enum rc rc = RC_OK;

	switch (m->kind) {
	case CONTROL_CHANNELS:
		rc = signer_server_attach(p->server, m->fds, m->n_fds, &err);
		m->n_fds = 0;
		if (rc == RC_LIMIT) { /* a front that asks for channels without end gets no more */
			log_msg(LOG_ERROR, "process", "signer: %s", err.msg);
			rc = RC_OK;
		}
		break;
	case CONTROL_PING:
		rc = control_say(
		    ROLE_CONTROL_FD, CONTROL_PONG, signer_server_busy_ms(p->server), NULL, 0, &err);
		break;
	default: /* CONTROL_STOP, and what is not for this role */
		return false;
	}
	if (rc != RC_OK)
		log_msg(LOG_ERROR, "process", "signer: %s", err.msg);
	return rc == RC_OK;
}

static void
obey(struct signer_process *p)
{
	struct control_msg m = { .len = 0 };
	bool go_on;

	do {
		go_on =
		    control_recv(ROLE_CONTROL_FD, CONTROL_FROM_SUPERVISOR, &m, -1, NULL) == RC_OK &&
		    act_on(p, &m);
		control_drop(&m);
	} while (go_on);
}

static enum rc
signer_role(struct signer_process *p, const struct config *c, struct err *err)
{
	enum rc rc;

	/* With rights: open, and parse nothing. */
	if ((rc = keys_secrets_read(&p->secrets, c, secret_from_supervisor, NULL, err)) != RC_OK)
		return rc;
	keys_files(c, open_one, NULL);
	if ((rc = sandbox_identity(c->processes.signer_user, err)) != RC_OK ||
	    (rc = confine_signer(c, err)) != RC_OK)
		return rc;
	/*
	 * ------------------------------------------------------------- untrusted below
	 * A token's library, too: it reads its own configuration, may start threads (which would be
	 * outside a sandbox that is entered later), loads others when it is started, and is started
	 * anew in here when a token comes back.  What it needs is named by pkcs11.
	 */
	file_opener_set(open_opened, NULL);
	if ((rc = open_keys(p, c, err)) != RC_OK || (rc = tick_start(p, err)) != RC_OK ||
	    (rc = control_say(ROLE_CONTROL_FD, CONTROL_READY, 0, NULL, 0, err)) != RC_OK)
		return rc;
	obey(p);
	return RC_OK;
}

int
signer_main(const struct config *config)
{
	struct signer_process p = { .lock = PTHREAD_MUTEX_INITIALIZER };
	struct err err;
	enum rc rc;

	(void)cond_init(&p.wake);
	rc = signer_role(&p, config, &err);
	tick_end(&p);
	signer_server_free(p.server);
	signer_close(p.signer);
	keys_secrets_free(p.secrets);
	if (keys_in_token(config))
		key_tokens_close();
	return rc == RC_OK ? 0 : err_report("scepd", &err);
}
