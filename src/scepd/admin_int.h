/*
 * admin_int.h - what admin_*.c share.  Inside these files only.
 */
#ifndef SCEPD_SCEPD_ADMIN_INT_H
#define SCEPD_SCEPD_ADMIN_INT_H

#include "ca/otp.h"
#include "json/json.h"
#include "scepd/admin_api.h"
#include "scepd/admin_auth.h"
#include "scepd/admin_json.h"

/* One call that was let in. */
struct admin_call {
	struct scepd *s;
	const struct http_request *req;
	struct http_reply *reply;
	char who[ADMIN_NAME_MAX + 8];    /* "api:NAME", for the audit */
	int64_t id;                      /* of the path's ID */
	char serial[2 * SERIAL_MAX + 1]; /* of the path's SERIAL, upper hex */
};

/*
 * Let the caller in, who needs a token for `may`; false: `reply` is filled.  A page of another site that
 * a browser was led to asks in vain, whatever credentials the browser has.
 */
bool admin_enter(struct admin_call *c, struct scepd *s, const struct http_request *req,
    struct http_reply *reply, unsigned may);
/* One line for every change that was made or refused. */
void admin_log(const struct admin_call *c, const char *what, int64_t id, const struct err *err0);

/* A password for what was asked, in the store. RC_CONFIG, RC_NOTFOUND, RC_DENIED in words for the caller. */
struct admin_otp {
	struct otp secret;
	int64_t id, expires; /* wall ms */
};
enum rc admin_otp_make(struct admin_otp *out, const struct admin_call *c,
    const struct admin_otp_ask *ask, enum otp_form form, struct err *err) MUST_CHECK;

/* Takes the value; NULL: 500. */
void admin_reply_json(struct http_reply *reply, int status, json_t *v);
void admin_reply_error(struct http_reply *reply, const struct err *err);

/* Parts of answers; NULL: out of memory. */
json_t *admin_cert_json(const struct store_cert_row *r);
json_t *admin_status_json(const struct store_status *s);
json_t *admin_binding_json(const struct store_binding *b);

/* The handlers of admin_api.c's table. */
void admin_verdict(struct admin_call *c);
void admin_verdict_radius(struct admin_call *c);
void admin_certs_list(struct admin_call *c);
void admin_certs_show(struct admin_call *c);
void admin_certs_revoke(struct admin_call *c);
void admin_certs_hold(struct admin_call *c);
void admin_certs_release(struct admin_call *c);
void admin_certs_revoke_many(struct admin_call *c);
void admin_certs_hold_many(struct admin_call *c);
void admin_certs_release_many(struct admin_call *c);
void admin_sweeps_list(struct admin_call *c);
void admin_sweeps_show(struct admin_call *c);
void admin_sweeps_turns(struct admin_call *c);
void admin_sweeps_approve(struct admin_call *c);
void admin_sweeps_discard(struct admin_call *c);
void admin_otp_new(struct admin_call *c);
void admin_otp_list(struct admin_call *c);
void admin_otp_show(struct admin_call *c);
void admin_otp_revoke(struct admin_call *c);
void admin_requests_list(struct admin_call *c);
void admin_requests_show(struct admin_call *c);
void admin_requests_approve(struct admin_call *c);
void admin_requests_deny(struct admin_call *c);

/* ?endpoint=...&after=...&limit=...&state=... of a list. */
#define ADMIN_PAGE_MAX 1000
struct admin_page {
	char endpoint[64], state[16]; /* "": not given */
	int64_t after;
	size_t limit;
};
enum rc admin_page_parse(struct admin_page *out, const char *query, struct err *err) MUST_CHECK;
/*
 * Rows of the store on their way into {"items": [...], "next": ID or null}:
 *
 *	admin_list_begin(&l, c, &err), a call of the store whose function returns admin_list_add(),
 *	admin_list_reply() in any case, with what came of it.
 *
 * `next` is the last row's id where as many came as were asked for; whoever knows better sets it.
 */
struct admin_list {
	struct admin_page page;
	json_t *items;
	int64_t next; /* 0: nothing follows */
	size_t n;
	bool failed;
};
/* The page that the query asks for. */
enum rc admin_list_begin(
    struct admin_list *l, const struct admin_call *c, struct err *err) MUST_CHECK;
/* Takes the value, NULL: out of memory.  For the store: non-zero ends its walk. */
int admin_list_add(struct admin_list *l, int64_t id, json_t *v);
void admin_list_reply(
    struct admin_list *l, struct admin_call *c, enum rc rc, const struct err *err);

/* A value of a query as plain text; "" when absent. */
enum rc admin_query(
    char *out, size_t size, const char *query, const char *name, struct err *err) MUST_CHECK;

#endif
