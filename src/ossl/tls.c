/*
 * tls.c - TLS for the server side of non-blocking sockets.
 */
#include "ossl/tls.h"

#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include "base/file.h"
#include "base/limits.h"
#include "ossl/evp.h"

#define TLS_ERROR_MAX 160

struct tls_ctx {
	atomic_uint refs;
	SSL_CTX *ssl;
	BIO_METHOD *socket;
};

struct tls_conn {
	SSL *ssl;
	struct tls_ctx *ctx;
	int fd;
	char error[TLS_ERROR_MAX];
};

/*
 * A socket BIO of our own: libcrypto's writes with write(2), and a peer that is gone would then
 * kill the process with SIGPIPE if whoever uses this forgot to ignore it.
 */
static int
sock_write(BIO *bio, const char *p, size_t len, size_t *n)
{
	struct tls_conn *c = BIO_get_data(bio);
	ssize_t got = send(c->fd, p, len, MSG_NOSIGNAL);

	BIO_clear_retry_flags(bio);
	if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
		BIO_set_retry_write(bio);
	*n = got > 0 ? (size_t)got : 0;
	return got > 0;
}

static int
sock_read(BIO *bio, char *p, size_t len, size_t *n)
{
	struct tls_conn *c = BIO_get_data(bio);
	ssize_t got = recv(c->fd, p, len, 0);

	BIO_clear_retry_flags(bio);
	if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
		BIO_set_retry_read(bio);
	if (got == 0)
		BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
	*n = got > 0 ? (size_t)got : 0;
	return got > 0;
}

static long
sock_ctrl(BIO *bio, int cmd, long num, void *ptr)
{
	if (cmd == BIO_CTRL_EOF)
		return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0;
	return cmd == BIO_CTRL_FLUSH;
}

static BIO_METHOD *
sock_method(void)
{
	BIO_METHOD *m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket");

	if (m == NULL || BIO_meth_set_write_ex(m, sock_write) != 1 ||
	    BIO_meth_set_read_ex(m, sock_read) != 1 || BIO_meth_set_ctrl(m, sock_ctrl) != 1) {
		BIO_meth_free(m);
		return NULL;
	}
	return m;
}

/* Never ask a terminal for a passphrase. */
static int
no_passphrase(char *buf, int size, int rw, void *u)
{
	return -1;
}

/* A client that offers ALPN without http/1.1 is served all the same: SCEP clients know nothing
 * else. */
static int
select_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len, const unsigned char *in,
    unsigned in_len, void *arg)
{
	static const unsigned char http11[] = "\x08http/1.1";
	unsigned char *chosen;

	if (SSL_select_next_proto(&chosen, out_len, http11, sizeof http11 - 1, in, in_len) !=
	    OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_NOACK;
	*out = chosen;
	return SSL_TLSEXT_ERR_OK;
}

static bool
set_policy(SSL_CTX *ssl)
{
	static const unsigned char session_context[] = "scepd";

	SSL_CTX_set_options(
	    ssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
	SSL_CTX_set_mode(ssl,
	    SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
		SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_verify(ssl, SSL_VERIFY_NONE, NULL);
	/* Tickets carry the sessions; a cache here would only hold memory. */
	SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_default_passwd_cb(ssl, no_passphrase);
	SSL_CTX_set_alpn_select_cb(ssl, select_alpn, NULL);
	return SSL_CTX_set_min_proto_version(ssl, TLS1_2_VERSION) == 1 &&
	    SSL_CTX_set_session_id_context(ssl, session_context, sizeof session_context - 1) == 1;
}

static enum rc
fail_file(struct err *err, const char *path)
{
	enum rc rc = fail_crypto(err, RC_CONFIG, path);

	if (rc == RC_CONFIG)
		return err_hint(err,
		    "want PEM: in certificate: the server's own, then its chain; in key: its key, "
		    "without passphrase");
	return rc;
}

static enum rc
fail_pair(struct err *err, const char *cert_file, const char *key_file)
{
	ERR_clear_error();
	return fail(err, RC_CONFIG, "the key in %s does not belong to the certificate in %s",
	    key_file, cert_file);
}

/* Through file_read(), as this process may have somebody else open its files. */
static enum rc
read_pem(BIO **out, struct buf *text, const char *path, struct err *err)
{
	enum rc rc = file_read(text, path, LIMIT_CHAIN, err);

	if (rc != RC_OK) {
		if (err != NULL && rc == RC_NOTFOUND)
			err->rc = RC_CONFIG;
		return rc == RC_NOTFOUND ? RC_CONFIG : rc;
	}
	*out = BIO_new_mem_buf(text->len > 0 ? (const void *)text->data : "", (int)text->len);
	return *out != NULL ? RC_OK : fail(err, RC_NOMEM, "no memory for %s", path);
}

/* The server's own certificate, then those above it. */
static bool
use_chain(SSL_CTX *ssl, BIO *bio)
{
	X509 *c = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL);
	bool ok = c != NULL && SSL_CTX_use_certificate(ssl, c) == 1;
	unsigned long last;

	X509_free(c);
	while (ok && (c = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL)) != NULL) {
		ok = SSL_CTX_add0_chain_cert(ssl, c) == 1;
		if (!ok)
			X509_free(c);
	}
	if (!ok)
		return false;
	/* How the end of the file is told. */
	last = ERR_peek_last_error();
	if (ERR_GET_LIB(last) != ERR_LIB_PEM || ERR_GET_REASON(last) != PEM_R_NO_START_LINE)
		return false;
	ERR_clear_error();
	return true;
}

static enum rc
load_chain(SSL_CTX *ssl, const char *file, struct err *err)
{
	BIO *bio = NULL;
	struct buf text;
	enum rc rc;

	buf_init(&text, LIMIT_CHAIN);
	rc = read_pem(&bio, &text, file, err);
	if (rc == RC_OK && !use_chain(ssl, bio))
		rc = fail_file(err, file);
	BIO_free(bio);
	buf_done(&text);
	return rc;
}

static enum rc
load_key(SSL_CTX *ssl, const char *cert_file, const char *file, struct err *err)
{
	EVP_PKEY *key = NULL;
	BIO *bio = NULL;
	struct buf text;
	enum rc rc;

	buf_init(&text, LIMIT_CHAIN);
	rc = read_pem(&bio, &text, file, err);
	if (rc == RC_OK && (key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL)) == NULL)
		rc = fail_file(err, file);
	if (rc == RC_OK &&
	    (SSL_CTX_use_PrivateKey(ssl, key) != 1 || SSL_CTX_check_private_key(ssl) != 1))
		rc = fail_pair(err, cert_file, file);
	EVP_PKEY_free(key);
	BIO_free(bio);
	buf_wipe(&text);
	return rc;
}

static enum rc
load_files(SSL_CTX *ssl, const char *cert_file, const char *key_file, struct err *err)
{
	enum rc rc;

	ERR_clear_error();
	rc = load_chain(ssl, cert_file, err);
	return rc == RC_OK ? load_key(ssl, cert_file, key_file, err) : rc;
}

enum rc
tls_ctx_server(struct tls_ctx **out, const char *cert_file, const char *key_file, struct err *err)
{
	struct tls_ctx *c = calloc(1, sizeof *c);
	enum rc rc;

	if (c == NULL)
		return fail(err, RC_NOMEM, "no memory for TLS");
	atomic_init(&c->refs, 1);
	c->ssl = SSL_CTX_new(TLS_server_method());
	c->socket = sock_method();
	if (c->ssl == NULL || c->socket == NULL || !set_policy(c->ssl))
		rc = fail_crypto(err, RC_CRYPTO, "cannot set TLS up");
	else
		rc = load_files(c->ssl, cert_file, key_file, err);
	if (rc != RC_OK)
		tls_ctx_free(c);
	else
		*out = c;
	return rc;
}

struct tls_ctx *
tls_ctx_ref(struct tls_ctx *c)
{
	atomic_fetch_add_explicit(&c->refs, 1, memory_order_relaxed);
	return c;
}

void
tls_ctx_free(struct tls_ctx *c)
{
	if (c == NULL || atomic_fetch_sub_explicit(&c->refs, 1, memory_order_acq_rel) != 1)
		return;
	SSL_CTX_free(c->ssl);
	BIO_meth_free(c->socket);
	free(c);
}

enum rc
tls_conn_accept(struct tls_conn **out, struct tls_ctx *ctx, int fd, struct err *err)
{
	struct tls_conn *c = calloc(1, sizeof *c);
	BIO *bio;

	if (c == NULL)
		return fail(err, RC_NOMEM, "no memory for a TLS connection");
	c->fd = fd;
	c->ctx = tls_ctx_ref(ctx);
	c->ssl = SSL_new(ctx->ssl);
	bio = BIO_new(ctx->socket);
	if (c->ssl == NULL || bio == NULL) {
		BIO_free(bio);
		tls_conn_free(c);
		return fail_crypto(err, RC_CRYPTO, "cannot make a TLS connection");
	}
	BIO_set_data(bio, c);
	BIO_set_init(bio, 1);
	SSL_set_bio(c->ssl, bio, bio);
	SSL_set_accept_state(c->ssl);
	*out = c;
	return RC_OK;
}

void
tls_conn_free(struct tls_conn *c)
{
	if (c == NULL)
		return;
	SSL_free(c->ssl);
	tls_ctx_free(c->ctx);
	free(c);
}

static enum tls_io
failed(struct tls_conn *c, int ssl_error, int saved_errno)
{
	unsigned long e = ERR_peek_error();

	if (e != 0)
		snprintf(c->error, sizeof c->error, "%s",
		    ERR_reason_error_string(e) != NULL ? ERR_reason_error_string(e) : "TLS error");
	else if (ssl_error == SSL_ERROR_SYSCALL && saved_errno != 0)
		snprintf(c->error, sizeof c->error, "%s", strerror(saved_errno));
	else
		snprintf(c->error, sizeof c->error, "the peer closed the connection");
	ERR_clear_error();
	return TLS_IO_FAILED;
}

/* What an SSL_ function's return value means. */
static enum tls_io
result(struct tls_conn *c, int ret, int saved_errno)
{
	int e;

	if (ret > 0)
		return TLS_IO_OK;
	e = SSL_get_error(c->ssl, ret);
	if (e == SSL_ERROR_WANT_READ)
		return TLS_IO_WANT_READ;
	if (e == SSL_ERROR_WANT_WRITE)
		return TLS_IO_WANT_WRITE;
	if (e == SSL_ERROR_ZERO_RETURN)
		return TLS_IO_CLOSED;
	return failed(c, e, saved_errno);
}

enum tls_io
tls_conn_handshake(struct tls_conn *c)
{
	int ret;

	ERR_clear_error(); /* SSL_get_error() looks at the queue */
	errno = 0;
	ret = SSL_do_handshake(c->ssl);
	return result(c, ret, errno);
}

enum tls_io
tls_conn_read(struct tls_conn *c, void *p, size_t len, size_t *n)
{
	int ret;

	*n = 0;
	ERR_clear_error();
	errno = 0;
	ret = SSL_read_ex(c->ssl, p, len, n);
	return result(c, ret, errno);
}

enum tls_io
tls_conn_write(struct tls_conn *c, const void *p, size_t len, size_t *n)
{
	int ret;

	*n = 0;
	if (len == 0)
		return TLS_IO_OK;
	ERR_clear_error();
	errno = 0;
	ret = SSL_write_ex(c->ssl, p, len, n);
	return result(c, ret, errno);
}

enum tls_io
tls_conn_shutdown(struct tls_conn *c)
{
	int ret;

	if (!SSL_is_init_finished(c->ssl))
		return TLS_IO_OK;
	ERR_clear_error();
	errno = 0;
	ret = SSL_shutdown(c->ssl);
	/* 0: ours is sent, the peer's has not come; nobody waits for it. */
	return ret == 0 ? TLS_IO_OK : result(c, ret, errno);
}

const char *
tls_conn_version(const struct tls_conn *c)
{
	return SSL_get_version(c->ssl);
}

void
tls_conn_error(struct tls_conn *c, char *out, size_t len)
{
	snprintf(out, len, "%s", c->error);
}
