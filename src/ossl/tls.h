/*
 * tls.h - TLS on non-blocking sockets, for the HTTP server and tests.  (The HTTP client's TLS is
 * libcurl's.)
 *
 * Server contexts: TLS 1.2 and 1.3 only, no client certificate is ever asked for (Windows aborts
 * otherwise), no renegotiation, no compression, session tickets on, ALPN "http/1.1". Threads: a
 * tls_ctx may be shared; a tls_conn has one owner at a time.
 */
#ifndef SCEPD_OSSL_TLS_H
#define SCEPD_OSSL_TLS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

struct tls_ctx;
struct tls_conn;

enum tls_io { TLS_IO_OK, TLS_IO_WANT_READ, TLS_IO_WANT_WRITE, TLS_IO_CLOSED, TLS_IO_FAILED };

/* PEM files: certificate (leaf first, then chain) and private key. RC_CONFIG names the file. */
enum rc tls_ctx_server(
    struct tls_ctx **out, const char *cert_file, const char *key_file, struct err *err) MUST_CHECK;
struct tls_ctx *tls_ctx_ref(struct tls_ctx *c);
void tls_ctx_free(struct tls_ctx *c);

/* Takes no ownership of fd. */
enum rc tls_conn_accept(
    struct tls_conn **out, struct tls_ctx *ctx, int fd, struct err *err) MUST_CHECK;
void tls_conn_free(struct tls_conn *c);
enum tls_io tls_conn_handshake(struct tls_conn *c);
enum tls_io tls_conn_read(struct tls_conn *c, void *p, size_t len, size_t *n);
enum tls_io tls_conn_write(struct tls_conn *c, const void *p, size_t len, size_t *n);
enum tls_io tls_conn_shutdown(struct tls_conn *c);      /* close_notify, best effort */
const char *tls_conn_version(const struct tls_conn *c); /* "TLSv1.3"; static */
/* Why the last TLS_IO_FAILED; one line. */
void tls_conn_error(struct tls_conn *c, char *out, size_t len);

#endif
