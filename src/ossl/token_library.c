/*
 * token_library.c - the PKCS#11 library: one a process.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/cond.h"
#include "base/text.h"
#include "ossl/key_source.h"
#include "ossl/token.h"

#define RESTART_WAIT_MS 1000 /* for calls that are running; a token that hangs is not waited for */
/* A library that fails is started again for so long: less than a caller waits for a signer that starts (SIGNER_WAIT_MS). */
#define START_WAIT_MS 3000
#define START_POLL_MS 100

/*
 * Who is inside is counted, and a restart waits until nobody is: the standard leaves it open what
 * C_Finalize does to calls of other threads (PKCS#11 2.40, 5.4).
 */
static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool has_cond;
	void *dl;
	char *path;
	CK_FUNCTION_LIST *f; /* NULL: none is loaded */
	unsigned inside;
	bool restarting;
	unsigned long epoch; /* restarts so far */
	int64_t restarted;   /* monotonic */
	int64_t every_ms;
} lib = { .lock = PTHREAD_MUTEX_INITIALIZER, .every_ms = TOKEN_RESTART_MS };

void
token_restart_every(unsigned ms)
{
	lib.every_ms = ms;
}

/* With the lock held: false when the time is up. */
static bool
wait_changed(int64_t deadline)
{
	return cond_wait_until(&lib.changed, &lib.lock, deadline);
}

static CK_RV
initialize(CK_FUNCTION_LIST *f)
{
	CK_C_INITIALIZE_ARGS args = { .flags = CKF_OS_LOCKING_OK };
	CK_RV rv = f->C_Initialize(&args);

	/* A module that several libraries of this process share. */
	return rv == CKR_CRYPTOKI_ALREADY_INITIALIZED ? CKR_OK : rv;
}

/*
 * One that starts.  SoftHSM now and then says CKR_GENERAL_ERROR for a moment after another process that used it was
 * killed, which is when a signer is started again; and each end of a signer doubles the wait for the next.
 */
static CK_RV
initialize_in_time(CK_FUNCTION_LIST *f)
{
	const struct timespec poll = { .tv_nsec = START_POLL_MS * 1000000L };
	int64_t deadline = clock_mono_ms() + START_WAIT_MS;
	CK_RV rv;

	while ((rv = initialize(f)) != CKR_OK && token_cure(rv) == CURE_LIBRARY &&
	    clock_mono_ms() < deadline)
		(void)nanosleep(&poll, NULL);
	return rv;
}

static enum rc
fail_load(struct err *err, const char *module, const char *why)
{
	enum rc rc = fail(err, RC_CONFIG, "cannot load the PKCS#11 library %s: %s", module, why);

	err_hint(err, "pkcs11.module is the shared object of the token's maker");
	return rc;
}

static enum rc
fail_start(struct err *err, const char *module, CK_RV rv)
{
	char name[32];
	/* The daemon that it calls may not be there yet. */
	enum rc rc = fail(err, RC_TIMEOUT, "the PKCS#11 library %s does not start: %s", module,
	    token_rv_name(rv, name));

	err_hint(err,
	    "in the server it reaches nothing but what pkcs11.paths, pkcs11.sockets and "
	    "pkcs11.network say");
	return rc;
}

static enum rc
load(const char *module, struct err *err)
{
	void *dl = dlopen(module, RTLD_NOW | RTLD_LOCAL);
	CK_FUNCTION_LIST *f = NULL;
	CK_C_GetFunctionList get = NULL;
	CK_RV rv;

	if (dl == NULL)
		return fail_load(err, module, dlerror());
	/* POSIX's way from an object pointer to a function. */
	*(void **)&get = dlsym(dl, "C_GetFunctionList");
	if (get == NULL || get(&f) != CKR_OK || f == NULL || f->version.major < 2) {
		dlclose(dl);
		return fail_load(err, module, "it is no PKCS#11 library of version 2");
	}
	if ((rv = initialize_in_time(f)) != CKR_OK) {
		dlclose(dl);
		return fail_start(err, module, rv);
	}
	lib.dl = dl;
	lib.f = f;
	return RC_OK;
}

static enum rc
prepare(struct err *err)
{
	if (!lib.has_cond)
		lib.has_cond = cond_init(&lib.changed);
	return lib.has_cond ? RC_OK : fail(err, RC_NOMEM, "no memory for the PKCS#11 library");
}

enum rc
key_tokens_open(const char *module, struct err *err)
{
	char *path = NULL;
	enum rc rc;

	pthread_mutex_lock(&lib.lock);
	rc = prepare(err);
	if (rc == RC_OK && lib.f != NULL) {
		if (strcmp(lib.path, module) != 0)
			rc = fail(err, RC_CONFIG,
			    "%s is loaded already, and a process has one PKCS#11 library",
			    lib.path);
	} else if (rc == RC_OK) {
		rc = str_dup(&path, module, err);
		if (rc == RC_OK)
			rc = load(module, err);
		if (rc == RC_OK)
			lib.path = path;
		else
			free(path);
	}
	pthread_mutex_unlock(&lib.lock);
	return rc;
}

/* Keys that are still held fail from here on. */
void
key_tokens_close(void)
{
	int64_t deadline = clock_mono_ms() + RESTART_WAIT_MS;

	pthread_mutex_lock(&lib.lock);
	while (lib.f != NULL && (lib.inside > 0 || lib.restarting) && wait_changed(deadline)) {
	}
	if (lib.f != NULL && lib.inside == 0 && !lib.restarting) {
		(void)lib.f->C_Finalize(NULL);
		dlclose(lib.dl);
		free(lib.path);
		lib.dl = NULL;
		lib.path = NULL;
		lib.f = NULL;
		lib.epoch++;
	}
	pthread_mutex_unlock(&lib.lock);
}

enum rc
token_library_enter(CK_FUNCTION_LIST **f, unsigned long *epoch, struct err *err)
{
	int64_t deadline = clock_mono_ms() + KEY_TOKEN_WAIT_MS;
	enum rc rc = RC_OK;

	pthread_mutex_lock(&lib.lock);
	while (lib.restarting && rc == RC_OK)
		if (!wait_changed(deadline))
			rc = fail(err, RC_IO, "the PKCS#11 library does not come back");
	if (rc == RC_OK && lib.f == NULL) {
		rc = fail(err, RC_CONFIG, "no PKCS#11 library is loaded");
		err_hint(err, "set pkcs11.module");
	}
	if (rc == RC_OK) {
		lib.inside++;
		*f = lib.f;
		*epoch = lib.epoch;
	}
	pthread_mutex_unlock(&lib.lock);
	return rc;
}

void
token_library_leave(void)
{
	pthread_mutex_lock(&lib.lock);
	lib.inside--;
	pthread_cond_broadcast(&lib.changed);
	pthread_mutex_unlock(&lib.lock);
}

void
token_library_restart(unsigned long epoch)
{
	int64_t now = clock_mono_ms();
	CK_FUNCTION_LIST *f;

	pthread_mutex_lock(&lib.lock);
	if (lib.f == NULL || lib.restarting || lib.epoch != epoch ||
	    (lib.epoch > 0 && now - lib.restarted < lib.every_ms)) {
		pthread_mutex_unlock(&lib.lock);
		return;
	}
	lib.restarting = true; /* nobody comes in */
	while (lib.inside > 0 && wait_changed(now + RESTART_WAIT_MS)) {
	}
	if (lib.inside == 0) {
		f = lib.f;
		pthread_mutex_unlock(&lib.lock);
		(void)f->C_Finalize(NULL);
		/* When this fails every call says CKR_CRYPTOKI_NOT_INITIALIZED, and it is tried again. */
		(void)initialize(f);
		pthread_mutex_lock(&lib.lock);
		lib.epoch++;
		lib.restarted = clock_mono_ms();
	}
	lib.restarting = false;
	pthread_cond_broadcast(&lib.changed);
	pthread_mutex_unlock(&lib.lock);
}
