/*
 * signer_local.h - the signer that has the keys: its parts, for the files of this folder alone.
 */
#ifndef SCEPD_SIGNER_SIGNER_LOCAL_H
#define SCEPD_SIGNER_SIGNER_LOCAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/log.h"
#include "signer/signer_check.h"
#include "signer/signer_int.h"
#include "signer/signer_rate.h"
#include "signer/signer_state.h"

#define CHAIN_MAX 4 /* certificates above a CA, as many as ca.h takes */

/* What has a rate of its own. */
enum {
	RATE_CERT,
	RATE_CRL,
	RATE_CERTREP,
	RATE_UNWRAP,
	RATE_OCSP,
	RATE_NEXT,
	RATE_RESPONDER,
	RATE__MAX
};

/*
 * One CA with its keys; or a foreign one (`foreign`), of which there are cert, ocsp_key, ocsp, names and the
 * rates, and nothing else.  Immutable after signer_open() but for what `lock` guards. */
struct signer_id {
	char *name, *replaces;
	bool foreign;
	struct cert *cert, *chain[CHAIN_MAX];
	size_t n_chain;
	struct key *key, *ra_key, *ocsp_key;
	char **eku;
	struct sign_rules rules; /* borrows from `cert` and `eku` */
	struct ocsp_names names;
	int64_t ra_validity;

	pthread_mutex_t lock;
	bool locks_made;
	struct cert *ra[SIGNER_RAS_MAX]; /* the one in use first */
	size_t n_ra;
	struct cert *ocsp; /* NULL: not made yet */
	struct crl_last crl;
	int64_t retry_at; /* wall seconds: no renewal before, since one failed */

	pthread_mutex_t rate_lock; /* apart: held for a few instructions */
	struct rate rates[RATE__MAX];
};

struct signer_local {
	struct signer base;
	struct signer_id *cas;
	size_t n_cas;
	struct state *state;
	struct {
		uint64_t certreps, unwraps, ocsps;
	} told; /* in the audit; of signer_tick() alone, under tell_lock */
	struct log_limit denied_lines, limited_lines; /* under tell_lock */
	pthread_mutex_t tell_lock;
	struct {
		atomic_uint_fast64_t certs, crls, certreps, unwraps, ocsps;
		atomic_uint_fast64_t denied, limited, failed;
		int64_t started;
	} stats;
};

extern const struct signer_ops local_ops;

/* signer_foreign.c */
/* Certificate, key and responder of a CA of others. */
enum rc foreign_id_open(
    struct signer_id *id, const struct signer_foreign *conf, struct err *err) MUST_CHECK;
/* With id->lock held: it has a responder that has not ended. */
enum rc foreign_ready(const struct signer_id *id, int64_t now, struct err *err) MUST_CHECK;
/* signer_take_responder() */
enum rc foreign_take(struct signer_local *l, struct signer_id *id, const uint8_t *der, size_t len,
    struct err *err) MUST_CHECK;

/* signer_open.c */
void ca_id_done(struct signer_id *id);
/* A struct cert of one's own with the same bytes. */
enum rc cert_copy(struct cert **out, const struct cert *c, struct err *err) MUST_CHECK;

/* signer_kept.c: certificates that the signer made, in its folder. */
/* Take over those that fit keys and CA; ra[] keeps what is in it. */
enum rc kept_load(struct signer_id *id, const struct state *state, struct err *err) MUST_CHECK;
enum rc kept_save_ra(
    const struct signer_id *id, const struct state *state, struct err *err) MUST_CHECK;
enum rc kept_save_ocsp(
    const struct signer_id *id, const struct state *state, struct err *err) MUST_CHECK;
/* Put one into ra[] in its place: those that began last come first, the rest is freed. */
void ra_insert(struct signer_id *id, struct cert *c);

/* signer_renew.c: with id->lock held. */
/* Renew what is due at `now`; what fails is logged, and due again at the next call. */
void ca_id_renew(struct signer_local *l, struct signer_id *id, int64_t now);
/* The responder's certificate, made now if there is none. */
enum rc ca_id_need_ocsp(
    struct signer_local *l, struct signer_id *id, int64_t now, struct err *err) MUST_CHECK;

/* signer_next.c */
enum rc next_ca_build(struct buf *der, struct signer_local *l, struct signer_id *ca,
    struct signer_id *next, struct err *err) MUST_CHECK;

#endif
