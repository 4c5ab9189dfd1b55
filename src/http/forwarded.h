/*
 * forwarded.h - X-Forwarded-For: for whom a proxy speaks.
 */
#ifndef SCEPD_HTTP_FORWARDED_H
#define SCEPD_HTTP_FORWARDED_H

#include "base/address.h"
#include "http/server.h"

/*
 * For whom a trusted proxy speaks: the last address in X-Forwarded-For that is no trusted proxy
 * itself.  What stands before it was written by a stranger and is not looked at; what is malformed ends
 * the search at the proxy that passed it on (S31: a header names nobody unless a proxy that we trust put
 * it there).  *a: the connection's address; replaced when there is a better one.
 */
void address_forwarded(
    struct address *a, const struct http_request *req, const struct net *nets, size_t n);

#endif
