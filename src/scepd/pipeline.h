/*
 * pipeline.h - one PKIOperation from bytes to bytes, on one worker thread: decode, authorise,
 * decide, reserve, sign, record, notify, reply.
 */
#ifndef SCEPD_SCEPD_PIPELINE_H
#define SCEPD_SCEPD_PIPELINE_H

#include <stdatomic.h>

#include "http/server.h"
#include "scepd/scepd.h"

/* What the HTTP side knows of a message, for the log line. */
struct pki_operation {
	struct endpoint *endpoint;
	const uint8_t *message;
	size_t len;
	const char *peer, *user_agent, *method;
};

/*
 * Fills `reply`: 200 with a CertRep, or a plain 4xx when the bytes are no message that could be
 * answered.  Arranges that the transaction is marked delivered once the certificate has been handed
 * to the kernel.  Writes the transaction's log line.
 */
void pipeline_run(struct scepd *s, const struct pki_operation *op, struct http_reply *reply);

/* What a crash left behind, before the first listener opens: undo what was not signed.  What was,
 * pipeline_outbox() finishes. */
enum rc pipeline_recover(struct scepd *s, struct err *err) MUST_CHECK;
/*
 * One background round: what still has to be told to Intune: orphaned certificates, failures.  Each of these may take a
 * tenant's timeout; once *stop is true no other is begun.  Returns how many rows could not be
 * settled.
 */
size_t pipeline_outbox(struct scepd *s, int64_t now_ms, const atomic_bool *stop);

#endif
