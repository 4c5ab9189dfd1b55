/*
 * client_result.h - what a finished call means: failures by step, and the header fields that the
 * client understands.
 */
#ifndef SCEPD_HTTP_CLIENT_RESULT_H
#define SCEPD_HTTP_CLIENT_RESULT_H

#include "http/engine.h"

/* Turn a libcurl failure into an error that names the host, never the query; sets out->failed. */
enum rc client_fail(
    struct engine_call *call, const struct http_call *asked, struct err *err) MUST_CHECK;
/* Status, Retry-After and Date of an answer. */
void client_understand(struct engine_call *call);

#endif
