/*
 * call.h - one request on its way through the simulator, and the ways to answer it.
 */
#ifndef SCEPD_INTUNESIM_CALL_H
#define SCEPD_INTUNESIM_CALL_H

#include "intunesim/guid.h"
#include "intunesim/sim.h"
#include "json/json.h"

#define CAPTURES_MAX    3
#define CAPTURE_MAX     512 /* bytes of one captured piece of a path */
#define CALL_DETAIL_MAX 400
#define MOVED_PREFIX    "/moved" /* before the paths of services that have moved */

struct call {
	struct sim *sim;
	const struct view *view; /* held for the call's life */
	const struct http_request *req;
	struct http_reply *reply;
	const char *arg[CAPTURES_MAX]; /* what stood for {} in the path */
	char request_id[GUID_TEXT_MAX];
	char correlation_id[GUID_TEXT_MAX]; /* the caller's client-request-id, or one of ours */
	bool old_entra; /* Entra's errors in the spelling of its first version */
	int64_t skew;   /* seconds that the clock of tokens and of the Date header is off */
	enum sim_step step;
	/* What goes wrong on purpose, and by which rule; NULL: nothing. */
	const struct fault_kind *fault;
	size_t fault_place;
	const struct fault_rule *forced;   /* for the handler: the code that Intune is to answer */
	const struct fault_rule *moved_to; /* for the handler: what discovery is to tell */

	/* For the log line; as far as they became known. */
	const struct tenant *tenant;
	const struct device *device;
	const struct profile *profile;
	const char *outcome; /* a code; static */
	char detail[CALL_DETAIL_MAX];
};

/* A JSON answer; takes `body` over.  NULL (out of memory) answers 500. */
void call_json(struct call *c, int status, json_t *body);
/* 500 with an empty body; what went wrong goes to the log. */
void call_broken(struct call *c, const struct err *err);
/* 204 */
void call_done(struct call *c);
/* {"error":"..."}: how the device API says no. */
void call_error(struct call *c, int status, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* For the log line. */
void call_note(struct call *c, const char *outcome, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* "http://127.0.0.1:8090": how this caller reaches us; appended. */
void call_base_url(struct buf *out, const struct call *c);
/* The same where services are, which a fault may have moved elsewhere; appended. */
void call_service_url(struct buf *out, const struct call *c);
/* The request's JSON body, an object.  *out is the caller's. */
enum rc call_body(json_t **out, const struct call *c, struct err *err) MUST_CHECK;

#endif
