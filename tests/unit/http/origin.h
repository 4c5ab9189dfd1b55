/*
 * origin.h - the server that the client's tests talk to, plain and over TLS, and short forms of
 * calls.
 */
#ifndef SCEPD_TESTS_HTTP_ORIGIN_H
#define SCEPD_TESTS_HTTP_ORIGIN_H

#include "http/client.h"
#include "http/server.h"
#include "net.h"

struct origin {
	struct http_server *server;
	uint16_t port, tls_port;
	struct cert_dir cert;
};
extern struct origin origin;
extern const struct http_client_conf plain;

/* Set-up and tear-down of a group of tests. */
int origin_start(void **state);
int origin_stop(void **state);

struct http_client *new_client(const struct http_client_conf *conf);
/* "http://127.0.0.1:<port><path>" in a buffer that lasts until the thread's next call. */
const char *url(const char *scheme, uint16_t p, const char *path);
enum rc get(struct http_client *c, const char *u, struct http_result *r, struct err *err);

#endif
