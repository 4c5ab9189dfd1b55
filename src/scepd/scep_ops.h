/*
 * scep_ops.h - the operations of a SCEP URL (RFC 8894 4): query to answer.
 */
#ifndef SCEPD_SCEPD_SCEP_OPS_H
#define SCEPD_SCEPD_SCEP_OPS_H

#include "http/server.h"
#include "scepd/scepd.h"

void scep_ops_handle(
    struct scepd *s, struct endpoint *ep, const struct http_request *req, struct http_reply *reply);

#endif
