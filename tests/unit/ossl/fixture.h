/*
 * fixture.h - what the tests of src/ossl share: keys, names, sweeps over a door, and the `openssl`
 * command as a second opinion.
 */
#ifndef SCEPD_TESTS_OSSL_FIXTURE_H
#define SCEPD_TESTS_OSSL_FIXTURE_H

#include "base/buf.h"
#include "base/err.h"
#include "ossl/cert.h"
#include "ossl/csr.h"
#include "ossl/der.h"
#include "ossl/key.h"
#include "ossl/name.h"

/* cmocka has a macro of the same name as base/err.h; tests want cmocka's. */
#undef fail
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

/* The call must succeed; prints the error when it does not. `e` is a struct err. */
#define assert_ok(call, e)                                                                         \
	do {                                                                                       \
		if ((call) != RC_OK)                                                               \
			fail_msg("%s: %s", #call, (e).msg);                                        \
	} while (0)
#define N(a) (sizeof(a) / sizeof((a)[0]))

/* Made at first use, freed by fixture_done(). */
struct key *fixture_key(const char *spec);
/* A second key of the same kind. */
struct key *fixture_other_key(const char *spec);
int fixture_done(void **state);

/* Name from text; must work. name_done() it. */
struct name fixture_name(const char *text);
struct serial fixture_serial(const char *hex);

/* A door: RC_OK or why not; frees what it made. */
typedef enum rc door_fn(const void *p, size_t len);
/* Every strict prefix, in memory of exactly its size, must be refused. `step`: 1 for all of them.
 */
void sweep_prefixes(door_fn *door, const void *p, size_t len, size_t step);
/* Every one-bit change, `step` bits apart; returns how many were taken. */
size_t sweep_flips(door_fn *door, const void *p, size_t len, size_t step);

/* A folder of its own, removed with everything in it by dir_done(). */
struct dir {
	char path[64];
};
void dir_make_temp(struct dir *d);
void dir_put(const struct dir *d, const char *name, const void *p, size_t len, unsigned mode);
/* Append the file; it must be there. */
void dir_get(const struct dir *d, const char *name, struct buf *out);
void dir_done(struct dir *d);
/* Run a shell command inside the folder; its output goes to `out` (or nowhere).  Exit status. */
int dir_run(const struct dir *d, struct buf *out, const char *cmd);

#endif
