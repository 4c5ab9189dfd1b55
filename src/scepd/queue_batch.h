/*
 * queue_batch.h - the requests of one download from Intune's revocation queue: judged, revoked in one
 * commit, and answered.
 *
 * Nothing is remembered of a request but the cause that it has set: whoever is killed in between, or cannot
 * upload, gets the same requests again and knows those that were done.
 */
#ifndef SCEPD_SCEPD_QUEUE_BATCH_H
#define SCEPD_SCEPD_QUEUE_BATCH_H

#include "scepd/queue_judge.h"
#include "scepd/scepd.h"

struct queue_from {
	struct scepd *s;
	struct tenant *tenant;
	const struct queue_ca *cas;
	size_t n_cas;
};
/* What became of them. */
struct queue_counts {
	size_t requests;
	size_t revoked;   /* now */
	size_t again;     /* by this very request, before */
	size_t conflicts; /* already, for another cause */
	size_t unknown;   /* no such certificate, or none that can be read */
	size_t foreign;   /* of these: another tenant's */
	size_t later;     /* our own trouble: Intune asks again */
	size_t left;      /* another CA's: not answered */
};
/*
 * Judge, revoke, answer.  A failure is of the upload (tenant_error()): what was revoked stays so, and the
 * requests come again.
 */
enum rc queue_batch(const struct queue_from *q, const struct intune_revocation_list *list,
    struct queue_counts *n, struct err *err) MUST_CHECK;

#endif
