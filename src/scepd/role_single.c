/*
 * role_single.c - everything in one process, for measurements and debuggers: whoever takes it over has the keys.
 */
#include <errno.h>
#include <signal.h>
#include <time.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/opt.h"
#include "scepd/front.h"
#include "scepd/keys.h"
#include "scepd/notify.h"
#include "scepd/roles.h"
#include "scepd/state_lock.h"

#define RELOAD_EVERY_S 60
#define STOP_SPARE_MS  30000 /* beyond limits.drain: threads that have to be joined */

static void
wait_for_stop(struct front *f, struct signer *signer, const sigset_t *set)
{
	const struct timespec minute = { .tv_sec = RELOAD_EVERY_S };
	int sig;

	for (;;) {
		sig = sigtimedwait(set, NULL, &minute);
		if (sig == SIGTERM || sig == SIGINT)
			break;
		if (sig == SIGHUP)
			log_msg(
			    LOG_INFO, "reload", "SIGHUP: certificates and secrets are read again");
		if (sig == SIGHUP || (sig == -1 && errno == EAGAIN)) {
			signer_tick(signer, clock_now());
			front_reload(f);
			if (sig == SIGHUP)
				front_hurry(f);
		}
	}
	log_msg(LOG_INFO, "stop", "%s: finishing what is in flight",
	    sig == SIGTERM ? "SIGTERM" : "SIGINT");
}

static enum rc
open_signer(struct signer **out, const struct config *c, struct err *err)
{
	struct keys_secrets *secrets = NULL;
	enum rc rc = keys_secrets_read(&secrets, c, NULL, NULL, err);

	if (rc == RC_OK && keys_in_token(c))
		rc = key_tokens_open(c->pkcs11.module, err);
	if (rc == RC_OK)
		rc = keys_open(out, c, secrets, c->processes.signer_state, err);
	keys_secrets_free(secrets);
	return rc;
}

static enum rc
start(struct front *f, const struct config *c, struct signer **signer, struct err *err)
{
	bool state_is_new = !signer_audit_is_there(c->processes.signer_state);
	enum rc rc = front_open(f, err);

	if (rc == RC_OK && (rc = open_signer(signer, c, err)) == RC_OK) {
		signer_tick(*signer, clock_now());
		rc = front_start(f, *signer, err);
	}
	if (rc == RC_OK && state_is_new)
		front_tell_new_state(f);
	return rc;
}

/* The signer's folder, locked for as long as this process lives. */
static enum rc
take_state(const struct config *c, struct err *err)
{
	int lock;
	enum rc rc = dir_make(c->processes.signer_state, 0700, err);

	return rc == RC_OK ? state_lock_take(&lock, c, err) : rc;
}

int
single_main(struct config *config, const struct scepd_options *o)
{
	struct signer *signer = NULL;
	struct front *f = NULL;
	int64_t drain_ms = config->limits.drain * 1000; /* the front takes the configuration */
	int manager = notify_open();
	sigset_t set;
	struct err err;
	enum rc rc;

	log_msg(LOG_WARN, "process",
	    "--single-process: whoever takes this process over has the keys of its CAs");
	/* Blocked before any thread exists, so that only sigtimedwait() sees them. */
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGHUP);
	(void)pthread_sigmask(SIG_BLOCK, &set, NULL);
	if ((rc = take_state(config, &err)) != RC_OK ||
	    (rc = front_new(&f, config, &err)) != RC_OK) {
		config_free(config);
		return err_report("scepd", &err);
	}
	rc = start(f, config, &signer, &err);
	if (rc == RC_OK && o->ready_file != NULL)
		rc = file_write(
		    o->ready_file, front_ready0(f)->data, front_ready0(f)->len, 0644, 1, &err);
	if (rc == RC_OK) {
		notify_serving(manager);
		wait_for_stop(f, signer, &set);
		notify_stopping(manager, drain_ms + STOP_SPARE_MS);
	}
	front_free(f);
	if (rc == RC_OK)
		log_msg(LOG_INFO, "stop", "done");
	return rc == RC_OK ? 0 : err_report("scepd", &err);
}
