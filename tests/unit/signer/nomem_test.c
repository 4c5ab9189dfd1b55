/*
 * nomem_test.c - memory runs out at each allocation in turn, at both ends of the wire: no crash, no
 * leak (a sanitizer build looks for those), nothing half appended, and the signer goes on.
 *
 * The linker sends the allocations of our own code through the wrappers below.
 */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"

#include "../ossl/crl_kit.h"
#include "foreign_lab.h"
#include "wire.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
char *__real_strdup(const char *s);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);
char *__wrap_strdup(const char *s);

static atomic_long left = -1; /* allocations until one fails; negative: none does */

static bool
runs_out(void)
{
	return atomic_load(&left) >= 0 && atomic_fetch_sub(&left, 1) == 0;
}

void *
__wrap_malloc(size_t size)
{
	return runs_out() ? NULL : __real_malloc(size);
}

void *
__wrap_calloc(size_t n, size_t size)
{
	return runs_out() ? NULL : __real_calloc(n, size);
}

void *
__wrap_realloc(void *p, size_t size)
{
	return runs_out() ? NULL : __real_realloc(p, size);
}

char *
__wrap_strdup(const char *s)
{
	return runs_out() ? NULL : __real_strdup(s);
}

/* What is tried with ever more memory; `given` is made beforehand. */
struct given {
	struct kit *k;
	struct signer *s;
	struct buf tbs, crl, wrapped, out;
	const char *dir;
	struct lab lab;
};
typedef enum rc deed_fn(struct given *g);

static enum rc
do_cert(struct given *g)
{
	return signer_sign_cert(g->s, "ec", g->tbs.data, g->tbs.len, &g->out, &g->k->err);
}

static enum rc
do_crl(struct given *g)
{
	return signer_sign_crl(g->s, "ec", g->crl.data, g->crl.len, &g->out, &g->k->err);
}

static enum rc
do_unwrap(struct given *g)
{
	static const struct transport t = { TRANSPORT_PKCS1V15, DIGEST_NONE, DIGEST_NONE };
	uint8_t cek[16];

	return signer_unwrap(g->s, "rsa", &t, g->wrapped.data, g->wrapped.len, cek, 16, &g->k->err);
}

static enum rc
do_certs(struct given *g)
{
	struct signer_certs c;
	enum rc rc = signer_certs(g->s, "rsa", &c, &g->k->err);

	if (rc == RC_OK)
		signer_certs_done(&c);
	return rc;
}

static enum rc
do_next(struct given *g)
{
	return signer_next_ca(g->s, "rsa", &g->out, &g->k->err);
}

static enum rc
do_open(struct given *g)
{
	struct signer_conf conf = { .n_cas = 2, .state_dir = g->dir };
	struct signer_ca cas[2];
	struct signer *s;
	enum rc rc;

	kit_ca_conf(g->k, cas);
	conf.cas = cas;
	rc = signer_open(&s, &conf, &g->k->err);
	if (rc == RC_OK)
		signer_close(s);
	return rc;
}

static enum rc
do_open_foreign(struct given *g)
{
	struct signer *s;
	enum rc rc = open_lab(&g->lab, &s);

	if (rc == RC_OK)
		signer_close(s);
	return rc;
}

static enum rc
do_take(struct given *g)
{
	size_t len;
	const uint8_t *der = cert_der0(g->lab.responder, &len);

	return signer_take_responder(g->s, "old", der, len, &g->k->err);
}

static enum rc
do_remote(struct given *g)
{
	struct signer *r;
	enum rc rc = signer_remote_new(&r, &g->k->err);

	if (rc == RC_OK)
		signer_close(r);
	return rc;
}

/* With one allocation more each time, until all that are wanted are had. */
static void
try_all(struct given *g, const char *what, deed_fn *deed)
{
	for (long n = 0; n < 5000; n++) {
		enum rc rc;
		bool had_all;

		buf_reset(&g->out);
		atomic_store(&left, n);
		rc = deed(g);
		had_all = atomic_load(&left) >= 0;
		atomic_store(&left, -1);
		if (rc != RC_OK && g->out.len != 0)
			fail_msg("%s, allocation %ld: %s, and %zu bytes", what, n, rc_name(rc),
			    g->out.len);
		if (had_all && rc != RC_OK)
			fail_msg("%s: %s", what, g->k->err.msg);
		if (had_all)
			return;
	}
	fail_msg("%s never has enough", what);
}

static void
given_make(struct kit *k, struct given *g)
{
	static const struct transport t = { TRANSPORT_PKCS1V15, DIGEST_NONE, DIGEST_NONE };
	struct crl_fields list = { .issuer = k->ec.cert,
		.digest = DIGEST_SHA256,
		.this_update = BEGIN,
		.next_update = BEGIN + DAY,
		.number = 1 };
	struct cert_fields f;

	*g = (struct given){ .k = k };
	buf_init(&g->tbs, LIMIT_CERT);
	buf_init(&g->crl, LIMIT_CERT);
	buf_init(&g->wrapped, 1024);
	buf_init(&g->out, LIMIT_CHAIN);
	kit_fields(k, &k->ec, &f);
	ok(k, cert_tbs_build(&g->tbs, &f, &k->err));
	crl_kit_tbs(&g->crl, &list);
	ok(k,
	    key_wrap(&g->wrapped, cert_key0(k->ra.cert), &t, (const uint8_t *)"sixteen octets!", 16,
		&k->err));
}

static void
given_done(struct given *g)
{
	buf_done(&g->tbs);
	buf_done(&g->crl);
	buf_done(&g->wrapped);
	buf_done(&g->out);
}

static const struct {
	const char *what;
	deed_fn *deed;
} calls[] = {
	{ "a certificate", do_cert },
	{ "a list", do_crl },
	{ "a wrapped key", do_unwrap },
	{ "certificates", do_certs },
	{ "the next CA", do_next },
};

static void
open_with_successor(struct kit *k, struct signer **s)
{
	struct signer_conf conf = { .n_cas = 2 };
	struct signer_ca cas[2];

	kit_ca_conf(k, cas);
	cas[1].replaces = "rsa";
	conf.cas = cas;
	ok(k, signer_open(s, &conf, &k->err));
}

static void
a_signer_here_survives_want_of_memory(void **state)
{
	struct kit *k = *state;
	struct given g;

	given_make(k, &g);
	open_with_successor(k, &g.s);
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		try_all(&g, calls[i].what, calls[i].deed);
	assert_true(wire_round(k, g.s));
	signer_close(g.s);
	given_done(&g);
}

static void
both_ends_of_the_wire_survive_want_of_memory(void **state)
{
	struct kit *k = *state;
	struct signer_server *v;
	struct signer *s;
	struct given g;

	given_make(k, &g);
	open_with_successor(k, &s);
	wire_both(k, s, 1, &g.s, &v);
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		try_all(&g, calls[i].what, calls[i].deed);
	try_all(&g, "a remote signer", do_remote);
	assert_true(wire_round(k, g.s));
	signer_close(g.s);
	signer_server_free(v);
	signer_close(s);
	given_done(&g);
}

static void
opening_survives_want_of_memory(void **state)
{
	static const char *const files[] = { "lock", "serials", "audit-000000000001",
		"rsa-ocsp.key", "ec-ocsp.key" };
	struct kit *k = *state;
	struct given g;
	char dir[400], path[500];

	snprintf(dir, sizeof(dir), "%s/nomem", k->dir);
	given_make(k, &g);
	try_all(&g, "opening", do_open);
	g.dir = dir;
	try_all(&g, "opening with a folder", do_open);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, files[i]);
		(void)unlink(path);
	}
	assert_int_equal(rmdir(dir), 0);
	given_done(&g);
}

static void
a_foreign_cas_responder_survives_want_of_memory(void **state)
{
	struct kit *k = *state;
	struct signer_server *v;
	struct signer *s;
	struct given g;

	given_make(k, &g);
	lab_make(&g.lab, k, "ec:p256", "ec:p256");
	try_all(&g, "opening a foreign CA", do_open_foreign);
	(void)unlink(g.lab.cert_file);
	ok(k, open_lab(&g.lab, &s));
	wire_both(k, s, 1, &g.s, &v);
	try_all(&g, "a certificate of its responder", do_take);
	signer_close(g.s);
	signer_server_free(v);
	signer_close(s);
	lab_done(&g.lab);
	given_done(&g);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_signer_here_survives_want_of_memory),
		cmocka_unit_test(both_ends_of_the_wire_survive_want_of_memory),
		cmocka_unit_test(opening_survives_want_of_memory),
		cmocka_unit_test(a_foreign_cas_responder_survives_want_of_memory),
	};

	return cmocka_run_group_tests(tests, kit_setup, kit_teardown);
}
