/*
 * fixture.h - a store in a folder of its own, and transactions that are known by a number.
 */
#ifndef SCEPD_TESTS_STORE_FIXTURE_H
#define SCEPD_TESTS_STORE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/store.h"

#undef fail /* cmocka has its own */
#include <cmocka.h>

struct sf {
	char dir[256], path[300], url[320];
	struct store *s;
	struct err err;
};

/* cmocka's setup and teardown: *state is a struct sf with an open store. */
int sf_setup(void **state);
int sf_teardown(void **state);
/* The same without opening it. */
int sf_setup_closed(void **state);
/* Close and open again, as a restart does. */
void sf_restart(struct sf *f);

/* Everything about transaction number n. */
struct sf_tx {
	char transaction_id[32], serial[40], subject[64], san[64];
	uint8_t csr_sha256[32], signer_sha256[32], csr[200], der[300];
	struct tx_key key;
	struct store_cert cert;
};
void sf_tx(struct sf_tx *t, unsigned n);

#define ok(f, call) sf_ok((f), (call), __FILE__, __LINE__)
void sf_ok(struct sf *f, enum rc rc, const char *file, int line);

/* begin; the id.  The row must be in state `want`. */
int64_t sf_begin(struct sf *f, unsigned n, enum tx_state want);
/* Take a new transaction along the arrows to a state; the id. */
int64_t sf_drive(struct sf *f, unsigned n, enum tx_state to);
/* The state that a row has now, read behind the store's back; 0: no such row. */
enum tx_state sf_state(struct sf *f, int64_t id);
/* One number from the database file, by SQL, when all that was handed over is written. */
int64_t sf_number(struct sf *f, const char *sql);
/* Change the file behind the store's back. */
void sf_sql(struct sf *f, const char *sql);

#endif
