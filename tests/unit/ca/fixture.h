/*
 * fixture.h - what the tests of src/ca share: a CA in a temporary folder, keys made once, requests
 * by a line, a sane profile.
 */
#ifndef SCEPD_TESTS_CA_FIXTURE_H
#define SCEPD_TESTS_CA_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#undef fail /* cmocka's, with no arguments; ours is base/err.h's */

#include "ca/authorization.h"
#include "ca/ca.h"
#include "ca/init.h"
#include "ossl/cert.h"
#include "ossl/csr.h"

#define CHALLENGE   "correct horse battery"
#define DAY         86400
#define CLIENT_AUTH "1.3.6.1.5.5.7.3.2"
#define SERVER_AUTH "1.3.6.1.5.5.7.3.1"

struct fixture {
	char dir[64];
	struct key *rsa, *rsa3072, *p256, *p384;
	struct ca *ca; /* no signer behind it unless a test opens one */
	int64_t now;
};

/* cmocka group setup and teardown; *state is a struct fixture. */
int fixture_new(void **state);
int fixture_free(void **state);

/* "<dir>/<name>" in a static buffer; eight of them live at once. */
const char *in_dir(const struct fixture *f, const char *name);
void remove_tree(const char *dir);
/* The settings that fixture_new() made its CA with. */
struct ca_init small_ca(const char *dir);

/* A request; fields that are not set take the simplest value.  The caller frees. */
struct wish {
	const char *subject; /* CertStrToName; NULL: CN=pc1.contoso.com */
	const char *challenge;
	const char *san[6]; /* "upn:jane@contoso.com"; ends at NULL */
	unsigned key_usage;
	const char *eku[6];
	const char *period, *units;
	const char *ext_oid;
	const void *ext;
	size_t ext_len;
	enum digest digest;
	const struct key *key;
};
struct csr *request(const struct fixture *f, const struct wish *w);
/* A request with as many challengePassword attributes as `n`. */
struct csr *request_with_challenges(const struct fixture *f, size_t n);

/* Takes requests as an Intune endpoint of ordinary strictness does. */
struct profile sane_profile(void);
/* By an authority that always says yes; the caller frees. */
struct authorization *yes_to(const struct csr *csr);
struct authorization *static_yes_to(const struct csr *csr);
struct authority saying(const char *name, enum rc *rc);

/* Assert that the call failed in this way, and that its message holds `part`. */
#define assert_fails(call, kind, part)                                                             \
	do {                                                                                       \
		struct err e_ = { 0 };                                                             \
		struct err *err = &e_;                                                             \
		enum rc rc_ = (call);                                                              \
		if (rc_ != (kind) || strstr(e_.msg, (part)) == NULL) {                             \
			print_error("got %s \"%s\", want %s \"...%s...\"\n", rc_name(rc_), e_.msg, \
			    rc_name(kind), (part));                                                \
			_fail(__FILE__, __LINE__);                                                 \
		}                                                                                  \
	} while (0)
#define assert_ok(call)                                                                            \
	do {                                                                                       \
		struct err e_ = { 0 };                                                             \
		struct err *err = &e_;                                                             \
		enum rc rc_ = (call);                                                              \
		if (rc_ != RC_OK) {                                                                \
			print_error("got %s \"%s\"\n", rc_name(rc_), e_.msg);                      \
			_fail(__FILE__, __LINE__);                                                 \
		}                                                                                  \
	} while (0)

#endif
