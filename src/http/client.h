/*
 * client.h - outbound HTTP: one libcurl multi thread behind a blocking call, so that any number of
 * workers may wait at once.
 *
 * Connections are kept and shared; HTTP/2 where offered over TLS; every call has a connect and a
 * total time limit, a maximum reply size, certificate checking that cannot be turned off, and only
 * http and https.  No redirects are followed, no cookies kept, no .netrc, no proxy from the
 * environment.
 */
#ifndef SCEPD_HTTP_CLIENT_H
#define SCEPD_HTTP_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct http_client;

struct http_client_conf {
	const char *user_agent;
	const char *ca_file;    /* PEM; NULL: the system's store */
	const char *proxy_host; /* NULL: none.  CONNECT for https, absolute-form for http */
	uint16_t proxy_port;
	const char *proxy_user, *proxy_pass; /* Basic or Digest, whichever the proxy asks for */
	/*
	 * Given libcurl's fresh SSL_CTX * for every new connection, on the client's own thread;
	 * non-zero refuses the connection.  NULL: none.
	 */
	int (*tls_configure)(void *ssl_ctx, void *arg);
	void *tls_arg;
	unsigned connections_max; /* kept open in all; 0: 64 */
};

enum rc http_client_new(
    struct http_client **out, const struct http_client_conf *conf, struct err *err) MUST_CHECK;
/* Ends the threads; calls in progress, and all that come, return RC_IO.  From any thread; NULL is allowed. */
void http_client_stop(struct http_client *c);
/* Stops, and waits for calls in progress. */
void http_client_free(struct http_client *c);
/* Later connections use the new settings; pooled ones are closed. */
enum rc http_client_tls_set(struct http_client *c, const char *ca_file,
    int (*tls_configure)(void *ssl_ctx, void *arg), void *arg, struct err *err) MUST_CHECK;

struct http_call {
	const char *method; /* "GET", "POST", or another */
	const char *url;
	const char *const *headers; /* "Name: value", NULL-terminated array; NULL: none */
	const void *body;
	size_t body_len;
	unsigned connect_ms, total_ms; /* 0: 5000, 15000 */
	size_t reply_max;              /* 0: LIMIT_JSON */
	bool direct; /* past the proxy: a link-local address, which a proxy cannot reach for us */
	bool http10; /* HTTP/1.0, as old devices ask; a header line "Host:" leaves Host out */
};

/* At which step a call failed: for hints. */
enum http_step {
	HTTP_STEP_NONE,
	HTTP_STEP_RESOLVE,
	HTTP_STEP_CONNECT,
	HTTP_STEP_PROXY,
	HTTP_STEP_TLS,
	HTTP_STEP_TRANSFER
};

struct http_result {
	int status; /* 0: no answer came */
	struct buf body;
	struct buf headers;  /* as received, "Name: value\r\n" lines */
	int64_t retry_after; /* seconds from Retry-After (number or date), -1: none */
	int64_t server_date; /* Date header, wall seconds, 0: none */
	enum http_step failed;
	uint64_t elapsed_us;
};
/*
 * `out` may be uninitialised.  RC_IO, RC_TIMEOUT, RC_LIMIT, RC_CONFIG (bad URL); a reply of any
 * status is RC_OK. Call http_result_done() in any case.
 */
enum rc http_call(struct http_client *c, const struct http_call *call, struct http_result *out,
    struct err *err) MUST_CHECK;
void http_result_done(struct http_result *r);
/* Copy a reply header's value; "" when absent. */
const char *http_result_header(
    const struct http_result *r, const char *name, char *out, size_t len);

#endif
