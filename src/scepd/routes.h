/*
 * routes.h - which URL is answered by what: the public listeners and the admin listener.
 */
#ifndef SCEPD_SCEPD_ROUTES_H
#define SCEPD_SCEPD_ROUTES_H

#include <stdbool.h>

#include "http/server.h"

/* http_handler; ctx is the struct scepd.  The listener tells public from admin: see enum. */
enum listener_kind { LISTENER_PUBLIC = 1, LISTENER_ADMIN };
struct listener_role {
	enum listener_kind kind;
};
void routes_handle(void *ctx, const struct http_request *req, struct http_reply *reply);
/* Requests that never became one: a line in the log. */
void routes_refused(void *ctx, const char *peer, int status, const char *why, uint64_t unsaid);

/*
 * "/scep/wifi/pkiclient.exe" -> "wifi"; "/certsrv/mscep/mscep.dll" -> "default".  Any case; any
 * number of trailing "/pkiclient.exe",
 * "/mscep.dll" and "/" (quirk 1).  Borrows from `path`; false when the path is neither.
 */
bool routes_scep_endpoint(const char *path, const char **name, size_t *len);

#endif
