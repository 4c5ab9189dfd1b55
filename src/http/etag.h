/*
 * etag.h - If-None-Match (RFC 9110 13.1.2): does a cache have what it would be sent?
 */
#ifndef SCEPD_HTTP_ETAG_H
#define SCEPD_HTTP_ETAG_H

#include <stdbool.h>

/*
 * `field`: the header's value, "*" or a list of tags, weak ones too (whoever compresses on the way makes them
 * weak).  `etag`: ours, with its quotes, strong.  What is no such list matches nothing from there on: the
 * client gets the whole answer, which is never wrong.
 */
bool http_etag_listed(const char *field, const char *etag);

#endif
