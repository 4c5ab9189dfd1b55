/*
 * fault_kinds.h - the kinds of faults, as rows: what parameters each has, and what it does.
 */
#ifndef SCEPD_INTUNESIM_FAULT_KINDS_H
#define SCEPD_INTUNESIM_FAULT_KINDS_H

#include "intunesim/call.h"
#include "intunesim/faults.h"

/* Parameters that a kind may have; their rows are in fault_rule.c. */
enum fault_param {
	FAULT_STATUS = 1 << 0,
	FAULT_RETRY_AFTER = 1 << 1,
	FAULT_RETRY_AS = 1 << 2,
	FAULT_BODY = 1 << 3,
	FAULT_TEXT = 1 << 4,
	FAULT_LOCATION = 1 << 5,
	FAULT_CARRY_OUT = 1 << 6,
	FAULT_CODE = 1 << 7,
	FAULT_DESCRIPTION = 1 << 8,
	FAULT_NUMBER = 1 << 9,
	FAULT_MEMBER = 1 << 10,
	FAULT_VALUE = 1 << 11,
	FAULT_TYPE = 1 << 12,
	FAULT_BROKEN = 1 << 13,
	FAULT_BYTES = 1 << 14,
	FAULT_MS = 1 << 15,
	FAULT_SENT = 1 << 16,
	FAULT_OFFSET = 1 << 17,
	FAULT_URI = 1 << 18,
};

/* "body", "retryAs", "type": the order of the choices in fault_rule.c. */
enum fault_body { FAULT_BODY_ODATA, FAULT_BODY_EMPTY, FAULT_BODY_HTML, FAULT_BODY_TEXT };
enum fault_retry { FAULT_RETRY_SECONDS, FAULT_RETRY_DATE };
#define FAULT_TYPES "text/html|text/plain|application/xml|application/octet-stream|none"

#define FAULT_STEP(s)       (1u << SIM_STEP_##s)
#define FAULT_SCEP_STEPS    (FAULT_STEP(VALIDATE) | FAULT_STEP(SUCCESS) | FAULT_STEP(FAILURE))
#define FAULT_SERVICE_STEPS (FAULT_SCEP_STEPS | FAULT_STEP(DOWNLOAD) | FAULT_STEP(UPLOAD))

struct fault_kind {
	const char *name;
	unsigned steps;              /* bits of where it makes sense; 0: everywhere */
	unsigned params;             /* enum fault_param: may be given */
	unsigned needed;             /* must be given */
	uint64_t bytes, ms, percent; /* defaults */
	/* Before the handler.  True: answered, and the handler is not called. */
	bool (*before)(struct call *c, const struct fault_rule *r);
	/* After the handler, which has answered. */
	void (*after)(struct call *c, const struct fault_rule *r);
	const char *help; /* a line */
};

extern const struct fault_kind fault_kinds[];
extern const size_t fault_kinds_n;

/* fault_body.c: what becomes of an answer's body. */
void fault_drop(struct buf *body, const char *member, bool to_null);
void fault_add_unknown(struct buf *body);
void fault_duplicate(struct buf *body, const char *member, const char *value);
void fault_pad(struct buf *body, size_t bytes);
void fault_gzip(struct buf *body, bool broken);

#endif
