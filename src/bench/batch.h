/*
 * batch.h - many distinct enrolments: their messages before the timed section, and the judgement of
 * the answers behind it.
 */
#ifndef SCEPD_BENCH_BATCH_H
#define SCEPD_BENCH_BATCH_H

#include "bench/crew.h"
#include "bench/keys.h"
#include "bench/load.h"
#include "scep-client/enrol.h"

struct batch_spec {
	struct session *session; /* of the server they are for; outlives the batch */
	const struct keys *keys; /* used in turn; outlive the batch */
	size_t n;
	const char *subject;   /* '%' becomes a number that no other request of the run has */
	const char *challenge; /* NULL: one of its own for each, of an Intune challenge's form and
				* size */
};

struct batch;
/* *out is the caller's. */
enum rc batch_build(struct batch **out, const struct batch_spec *spec, const struct cpus *cpus,
    const struct progress *p, struct err *err) MUST_CHECK;
void batch_free(struct batch *b);
/* All of them, in order, ready for load_run(); they live as long as the batch. */
struct shot *batch_shots(struct batch *b);

/* What the answers are worth. */
struct verdict {
	size_t ok; /* SUCCESS, decrypted, our key, signed by the server's CA */
	/* Signed SUCCESS for our transaction, in a cipher that libscep does not take (single DES).
	 */
	size_t unopened;
	size_t twice; /* certificates whose serial number an earlier one has, too */
	char first_fault[ERR_MSG_MAX]; /* of the first that is neither ok nor unopened, or "" */
};
enum rc batch_judge(struct verdict *out, struct batch *b, const struct cpus *cpus,
    const struct progress *p, struct err *err) MUST_CHECK;

#endif
