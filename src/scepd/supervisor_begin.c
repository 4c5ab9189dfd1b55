/*
 * supervisor_begin.c - the supervisor before anything runs: the signer's folder and its lock, the configuration as it
 * is now, what is typed, signals.
 */
#include <errno.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/secret.h"
#include "base/text.h"
#include "scepd/confine.h"
#include "scepd/state_lock.h"
#include "scepd/supervisor_int.h"

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

enum rc
supervisor_begin(struct supervisor *s, struct err *err)
{
	struct sandbox_report kernel;
	enum rc rc;

	if ((rc = make_state(s->config, err)) != RC_OK ||
	    (rc = state_lock_take(&s->env.lock_fd, s->config, err)) != RC_OK ||
	    (rc = keep_config(s, err)) != RC_OK || (rc = ask_all(s, err)) != RC_OK ||
	    (rc = catch_signals(s, err)) != RC_OK)
		return rc;
	sandbox_probe(&kernel);
	s->sandboxed = kernel.files;
	s->state_is_new = !signer_audit_is_there(s->config->processes.signer_state);
	return confine_supervisor(err);
}
