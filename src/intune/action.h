/*
 * action.h - one path for every call of Intune's two services: check, send, cure what can be cured,
 * judge the answer.
 *
 * Each public call is: op_begin(), the checks, a body of wire.h, action_send().
 */
#ifndef SCEPD_INTUNE_ACTION_H
#define SCEPD_INTUNE_ACTION_H

#include "base/buf.h"
#include "intune/client.h"

#define TEXT_MAX 1024u /* bytes of any string argument */

struct argument {
	const char *name; /* Microsoft's, for messages */
	const char *value;
	bool optional;
};

/* INTUNE_E_ARGUMENT at the action's step: "the argument NAME WHAT". */
enum intune_status action_bad_argument(
    struct op *op, enum action_id id, const char *name, const char *what);
/* Missing, empty, longer than `max` or not UTF-8: the first that is. */
enum intune_status action_check_strings(
    struct op *op, enum action_id id, const struct argument *args, size_t n, size_t max);
/* The client and the transaction id, which every action has and Microsoft's library checks first. */
enum intune_status action_check_common(
    struct op *op, enum action_id id, const char *transaction_id);

/*
 * Send a body that was built, or not (RC_LIMIT and RC_NOMEM become errors); wipes it; ends the op.
 * `list`: where ACTION_DOWNLOAD leaves its list, with INTUNE_OK only; NULL for the others.
 */
enum intune_status action_send(struct op *op, enum action_id id, enum rc built, struct buf *body,
    struct intune_revocation_list **list);

#endif
