/* confine.c - see confine.h. */
#include "scepd/confine.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "sandbox/sandbox.h"
#include "scepd/keys.h"

#define PATHS_MAX 64

struct paths {
	struct sandbox_path v[PATHS_MAX];
	size_t n;
	char *owned[PATHS_MAX];
	size_t n_owned;
	enum rc rc;
};

static void
add(struct paths *p, const char *path, unsigned may, bool optional)
{
	if (path == NULL)
		return;
	if (p->n == PATHS_MAX)
		p->rc = RC_LIMIT;
	else
		p->v[p->n++] = (struct sandbox_path){ path, may, optional };
}

/* As add(), of a string that does not last. */
static void
add_copy(struct paths *p, const char *path, unsigned may)
{
	char *copy = NULL;

	if (p->n_owned == PATHS_MAX) {
		p->rc = RC_LIMIT;
		return;
	}
	if (p->rc == RC_OK)
		p->rc = str_dup(&copy, path, NULL);
	if (p->rc == RC_OK) {
		p->owned[p->n_owned++] = copy;
		add(p, copy, may, false);
	}
}

static void
paths_done(struct paths *p)
{
	for (size_t i = 0; i < p->n_owned; i++)
		free(p->owned[i]);
}

/* An administrator has to know that a wall is missing, each time it is missing. */
static void
tell(const char *who, const struct sandbox_report *r)
{
	struct log_line l;

	for (size_t i = 0; i < r->n_missing; i++)
		log_msg(LOG_WARN, "sandbox", "%s: %s", who, r->missing[i]);
	log_begin(&l, LOG_INFO, "sandbox");
	log_str(&l, "process", who);
	log_int(&l, "landlock", r->landlock_abi);
	log_str(&l, "files", r->files ? "yes" : "no");
	log_str(&l, "calls", r->calls ? "yes" : "no");
	log_str(&l, "capabilities", r->capabilities ? "none" : "kept");
	log_end(&l);
}

static enum rc
enter(const char *who, enum sandbox_role role, struct paths *p, bool network, struct err *err)
{
	struct sandbox sandbox = {
		.role = role, .paths = p->v, .n_paths = p->n, .network = network
	};
	struct sandbox_report report = { 0 };
	enum rc rc = p->rc;

	if (rc != RC_OK)
		rc = fail(err, rc, "%s: too many paths for its sandbox, or no memory", who);
	else
		rc = sandbox_enter(&report, &sandbox, err);
	if (rc == RC_OK)
		tell(who, &report);
	else
		err_context(err, "sandbox of the %s", who);
	return rc;
}

enum rc
confine_supervisor(struct err *err)
{
	struct paths none = { .n = 0 };
	enum rc rc = sandbox_keep_caps(err);

	return rc == RC_OK ? enter("supervisor", SANDBOX_SUPERVISOR, &none, false, err) : rc;
}

/* Where SoftHSM has its tokens is said by a file that is said by the environment. */
static const char *
softhsm_conf(void)
{
	return getenv("SOFTHSM2_CONF");
}

enum rc
confine_signer(const struct config *c, struct err *err)
{
	struct paths p = { .n = 0 };
	enum rc rc;

	add(&p, c->processes.signer_state, SANDBOX_READ | SANDBOX_WRITE | SANDBOX_MAKE, false);
	if (keys_in_token(c)) {
		add(&p, c->pkcs11.module, SANDBOX_READ | SANDBOX_EXEC, false);
		add(&p, softhsm_conf(), SANDBOX_READ, true);
		for (size_t i = 0; i < c->pkcs11.paths.n; i++)
			add(&p, c->pkcs11.paths.v[i], SANDBOX_READ | SANDBOX_WRITE | SANDBOX_MAKE,
			    false);
		/* Its daemon may be started later. */
		for (size_t i = 0; i < c->pkcs11.sockets.n; i++)
			add(&p, c->pkcs11.sockets.v[i], SANDBOX_CONNECT, true);
	}
	rc = enter("signer", SANDBOX_SIGNER, &p, keys_in_token(c) && c->pkcs11.network, err);
	paths_done(&p);
	return rc;
}

static void
add_database(void *arg, const char *path)
{
	add_copy(arg, path, SANDBOX_READ | SANDBOX_WRITE);
}

enum rc
confine_front(const struct config *c, const struct store *store, struct err *err)
{
	const struct conf_ca *ca = c->cas.v;
	struct paths p = { .n = 0 };
	enum rc rc;

	for (size_t i = 0; i < c->cas.n; i++)
		add(&p, ca[i].crl_dir, SANDBOX_READ | SANDBOX_WRITE | SANDBOX_MAKE, false);
	store_files(store, add_database, &p);
	rc = enter("front", SANDBOX_FRONT, &p, true, err);
	paths_done(&p);
	return rc;
}
