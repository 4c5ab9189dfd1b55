/*
 * admin_api.h - the admin listener's /api/v1 and /certsrv/mscep_admin: one-time passwords and requests
 * that wait, for those who have a token (admin_auth.h, S20).  Described in scepd(8).
 */
#ifndef SCEPD_SCEPD_ADMIN_API_H
#define SCEPD_SCEPD_ADMIN_API_H

#include "http/server.h"
#include "scepd/scepd.h"

void admin_api_handle(
    struct scepd *s, const char *path, const struct http_request *req, struct http_reply *reply);
/* The page of NDES on which an administrator, or a program in his place, reads a new password. */
void mscep_admin_handle(
    struct scepd *s, const char *path, const struct http_request *req, struct http_reply *reply);

#endif
