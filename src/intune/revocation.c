/*
 * revocation.c - what Intune wants revoked, and what came of it.
 */
#include <stdio.h>
#include <stdlib.h>

#include "intune/action.h"
#include "intune/reply.h"
#include "json/json.h"

size_t
intune_revocation_list_count(const struct intune_revocation_list *l)
{
	return l != NULL ? l->n : 0;
}

const struct intune_revocation_request *
intune_revocation_list_get(const struct intune_revocation_list *l, size_t i)
{
	return l != NULL && i < l->n ? &l->v[i] : NULL;
}

void
intune_revocation_list_free(struct intune_revocation_list *l)
{
	if (l == NULL)
		return;
	json_decref(l->text);
	free(l);
}

static enum intune_status
check_download(struct op *op, const char *transaction_id, unsigned max_requests,
    const char *issuer_name, struct intune_revocation_list *const *out)
{
	const struct argument issuer = { "issuerName", issuer_name, true };
	enum intune_status st = action_check_common(op, ACTION_DOWNLOAD, transaction_id);

	if (st != INTUNE_OK)
		return st;
	if (max_requests < 1 || max_requests > INTUNE_REVOCATION_MAX)
		return action_bad_argument(
		    op, ACTION_DOWNLOAD, "maxCARequestsToDownload", "is not from 1 to 500");
	if (out == NULL)
		return action_bad_argument(op, ACTION_DOWNLOAD, "out", "is missing");
	return action_check_strings(op, ACTION_DOWNLOAD, &issuer, 1, TEXT_MAX);
}

/* One bad row must not keep the others from being revoked; but it must not go unseen. */
static void
tell_skipped(struct intune_error *e, const struct intune_revocation_list *l)
{
	if (l->skipped == 0)
		return;
	error_set(e, INTUNE_OK, INTUNE_STEP_DOWNLOAD,
	    "download: %zu of %zu entries passed over: without a usable requestContext and "
	    "serialNumber, or more than %u",
	    l->skipped, l->n + l->skipped, INTUNE_REVOCATION_MAX);
	error_hint(e, "if it lasts, give Microsoft support the activity id %s", e->activity_id);
}

enum intune_status
intune_download_revocation_requests(struct intune_client *c, const char *transaction_id,
    unsigned max_requests, const char *issuer_name, struct intune_revocation_list **out,
    struct intune_error *err)
{
	struct intune_revocation_list *list;
	enum intune_status st;
	struct buf body;
	struct op op;
	enum rc rc;

	op_begin(&op, c, transaction_id, err);
	st = check_download(&op, transaction_id, max_requests, issuer_name, out);
	if (st != INTUNE_OK)
		return op_end(&op, INTUNE_STEP_DOWNLOAD, st);
	rc = wire_download(&body, max_requests, issuer_name, NULL);
	if ((st = action_send(&op, ACTION_DOWNLOAD, rc, &body, &list)) != INTUNE_OK)
		return st;
	tell_skipped(op.err, list);
	*out = list;
	return INTUNE_OK;
}

static enum intune_status
check_result(struct op *op, size_t i, const struct intune_revocation_result *r)
{
	char context[48], message[48], code[48];
	const struct argument contexts = { context, r->request_context, false };
	const struct argument messages = { message, r->message, true };
	enum intune_status st;

	(void)snprintf(context, sizeof(context), "results[%zu].requestContext", i);
	(void)snprintf(message, sizeof(message), "results[%zu].errorMessage", i);
	(void)snprintf(code, sizeof(code), "results[%zu].errorCode", i);
	if ((st = action_check_strings(op, ACTION_UPLOAD, &contexts, 1, CONTEXT_MAX)) != INTUNE_OK)
		return st;
	if (revocation_code_find(r->code) == NULL)
		return action_bad_argument(op, ACTION_UPLOAD, code, "is not one of Microsoft's");
	if (r->succeeded != (r->code == INTUNE_REVOCATION_NONE))
		return action_bad_argument(op, ACTION_UPLOAD, code,
		    r->succeeded ? "must be None: it succeeded"
				 : "must not be None: it did not succeed");
	if (r->succeeded && r->message != NULL && r->message[0] != '\0')
		return action_bad_argument(
		    op, ACTION_UPLOAD, message, "must be empty: it succeeded");
	return action_check_strings(op, ACTION_UPLOAD, &messages, 1, TEXT_MAX);
}

static enum intune_status
check_upload(struct op *op, const char *transaction_id,
    const struct intune_revocation_result *results, size_t n)
{
	enum intune_status st = action_check_common(op, ACTION_UPLOAD, transaction_id);
	size_t i;

	if (st != INTUNE_OK)
		return st;
	if (results == NULL || n == 0)
		return action_bad_argument(op, ACTION_UPLOAD, "requestResults", "is missing");
	if (n > INTUNE_REVOCATION_MAX)
		return action_bad_argument(
		    op, ACTION_UPLOAD, "requestResults", "has more than 500 entries");
	for (i = 0; i < n && st == INTUNE_OK; i++)
		st = check_result(op, i, &results[i]);
	return st;
}

enum intune_status
intune_upload_revocation_results(struct intune_client *c, const char *transaction_id,
    const struct intune_revocation_result *results, size_t n, struct intune_error *err)
{
	enum intune_status st;
	struct buf body;
	struct op op;
	enum rc rc;

	op_begin(&op, c, transaction_id, err);
	if ((st = check_upload(&op, transaction_id, results, n)) != INTUNE_OK)
		return op_end(&op, INTUNE_STEP_UPLOAD, st);
	rc = wire_upload(&body, results, n, NULL);
	return action_send(&op, ACTION_UPLOAD, rc, &body, NULL);
}
