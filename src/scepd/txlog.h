/*
 * txlog.h - the one structured line that a PKIOperation leaves in the log.
 */
#ifndef SCEPD_SCEPD_TXLOG_H
#define SCEPD_SCEPD_TXLOG_H

#include <stdbool.h>
#include <stdint.h>

#include "scep.h"
#include "scepd/pipeline.h"
#include "scepd/tenant.h"

/* Filled along the pipeline; pointers are borrowed until txlog_write(). */
struct txlog {
	const struct pki_operation *op;
	const struct scep_message *message;
	struct scep_algorithms alg;
	bool stale_recipient;
	const struct csr *csr;
	const struct profile *profile;  /* that decides; NULL: not chosen yet */
	const struct intune_talk *talk; /* NULL on static endpoints */
	const char *ca;                 /* that issues; NULL: not chosen yet */
	const char *serial;             /* upper hex */
	int64_t not_after;
	bool repeated;        /* answered from the store */
	bool renewal;         /* signed with a certificate that was issued here */
	const char *replaced; /* its serial number, upper hex */
	bool pending;         /* the answer is to ask again later */
	const char *asked;    /* GetCert, GetCRL: serial number, upper hex */
	const char *notify;   /* "Success", a code, "unreachable"; NULL: not asked */
	/* A refusal. */
	const char *step; /* "parse" "verify" "decrypt" "csr" "auth" "policy" "reserve" "sign"
			     "record" "notify" */
	enum scep_fail_info fail_info;
	struct err err;
	int http_status; /* of the answer */
	uint64_t us;     /* whole operation */
};

void txlog_write(const struct txlog *t);
/* What an administrator does about a refusal at `step`: err's own hint or a general one; NULL. */
const char *txlog_hint(const char *step, const struct err *err);

#endif
