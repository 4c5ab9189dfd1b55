/*
 * requests.h - the last requests and their answers, for whoever wonders what a CA sent.
 *
 * Threads: a lock inside.
 */
#ifndef SCEPD_INTUNESIM_REQUESTS_H
#define SCEPD_INTUNESIM_REQUESTS_H

#include <stdbool.h>

#include "base/err.h"
#include "http/server.h"
#include "json/json.h"

struct requests;
enum rc requests_new(struct requests **out, struct err *err) MUST_CHECK;
void requests_free(struct requests *r);

/*
 * Keep a copy, cut to size: first line, headers (of Authorization the scheme only), bodies unless
 * they hold `secrets`.  Out of memory, nothing is kept.
 */
void requests_add(struct requests *r, const struct http_request *req,
    const struct http_reply *reply, bool secrets);
/* Oldest first: an array for GET /sim/requests.  NULL when out of memory. */
json_t *requests_json(struct requests *r);

#endif
