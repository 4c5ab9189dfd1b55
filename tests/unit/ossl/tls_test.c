/*
 * tls_test.c - the server side of TLS against a client of libssl, over a socket pair in one thread.
 */
#include "fixture.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/ssl.h>

#include "ossl/tls.h"

#define ROUNDS 100 /* of pumping both sides; a handshake takes about four */

struct pair {
	struct dir dir;
	struct tls_ctx *ctx;
	struct tls_conn *server;
	SSL_CTX *client_ctx;
	SSL *client;
	int fd[2];
};

/* A self-signed certificate and its key in the folder. */
static void
put_files(const struct dir *d, const char *spec, const char *cert_name, const char *key_name)
{
	struct name n = fixture_name("CN=localhost");
	struct serial serial = fixture_serial("01");
	struct cert_fields f = { .serial = &serial,
		.issuer = &n,
		.subject = &n,
		.not_before = 0,
		.not_after = 4000000000,
		.subject_key = fixture_key(spec),
		.issuer_key = fixture_key(spec),
		.digest = DIGEST_SHA256,
		.path_len = -1 };
	struct err err = { 0 };
	struct cert *c;
	struct buf b;

	assert_ok(cert_make(&c, &f, fixture_key(spec), &err), err);
	buf_init(&b, 1 << 16);
	cert_pem(&b, c);
	dir_put(d, cert_name, b.data, b.len, 0644);
	buf_reset(&b);
	assert_ok(key_private_pem(&b, fixture_key(spec), &err), err);
	dir_put(d, key_name, b.data, b.len, 0600);
	buf_wipe(&b);
	cert_free(c);
	name_done(&n);
}

static enum rc
load(struct tls_ctx **ctx, const struct dir *d, const char *cert_name, const char *key_name,
    struct err *err)
{
	char cert[128], key[128];

	snprintf(cert, sizeof cert, "%s/%s", d->path, cert_name);
	snprintf(key, sizeof key, "%s/%s", d->path, key_name);
	return tls_ctx_server(ctx, cert, key, err);
}

/* A new connection on the contexts that are there. */
static void
pair_connect(struct pair *p)
{
	struct err err = { 0 };
	int i;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, p->fd), 0);
	for (i = 0; i < 2; i++)
		assert_int_equal(fcntl(p->fd[i], F_SETFL, O_NONBLOCK), 0);
	assert_ok(tls_conn_accept(&p->server, p->ctx, p->fd[0], &err), err);
	p->client = SSL_new(p->client_ctx);
	assert_non_null(p->client);
	assert_int_equal(SSL_set_fd(p->client, p->fd[1]), 1);
	SSL_set_connect_state(p->client);
}

static void
pair_disconnect(struct pair *p)
{
	tls_conn_free(p->server);
	SSL_free(p->client);
	close(p->fd[0]);
	if (p->fd[1] >= 0)
		close(p->fd[1]);
}

static int
setup(void **state)
{
	struct pair *p = calloc(1, sizeof *p);
	struct err err = { 0 };

	assert_non_null(p);
	dir_make_temp(&p->dir);
	put_files(&p->dir, "ec:p256", "cert", "key");
	assert_ok(load(&p->ctx, &p->dir, "cert", "key", &err), err);
	p->client_ctx = SSL_CTX_new(TLS_client_method());
	assert_non_null(p->client_ctx);
	*state = p;
	return 0;
}

static int
teardown(void **state)
{
	struct pair *p = *state;

	tls_ctx_free(p->ctx);
	SSL_CTX_free(p->client_ctx);
	dir_done(&p->dir);
	free(p);
	return 0;
}

/* Both handshakes; what the server's came to. */
static enum tls_io
handshake(struct pair *p)
{
	enum tls_io io = TLS_IO_WANT_READ;
	int i, client = 0;

	for (i = 0; i < ROUNDS; i++) {
		if (client != 1)
			client = SSL_do_handshake(p->client);
		if (io != TLS_IO_OK)
			io = tls_conn_handshake(p->server);
		if ((io == TLS_IO_OK && client == 1) || io == TLS_IO_CLOSED || io == TLS_IO_FAILED)
			break;
	}
	return io;
}

static void
both_versions_shake_hands_and_older_ones_do_not(void **state)
{
	static const struct {
		int version;
		const char *name; /* NULL: refused */
	} cases[] = { { TLS1_3_VERSION, "TLSv1.3" }, { TLS1_2_VERSION, "TLSv1.2" },
		{ TLS1_1_VERSION, NULL }, { TLS1_VERSION, NULL } };
	struct pair *p = *state;
	char error[160];
	size_t i;

	for (i = 0; i < N(cases); i++) {
		pair_connect(p);
		SSL_set_security_level(p->client, 0);
		SSL_set_min_proto_version(p->client, cases[i].version);
		SSL_set_max_proto_version(p->client, cases[i].version);
		if (cases[i].name != NULL) {
			assert_int_equal(handshake(p), TLS_IO_OK);
			assert_string_equal(tls_conn_version(p->server), cases[i].name);
		} else {
			assert_int_equal(handshake(p), TLS_IO_FAILED);
			tls_conn_error(p->server, error, sizeof error);
			assert_non_null(strstr(error, "unsupported protocol"));
		}
		pair_disconnect(p);
	}
}

static void
alpn_is_http11_and_others_are_let_through_without(void **state)
{
	static const struct {
		const char *offer;
		unsigned len, got;
	} cases[] = { { "\x02h2\x08http/1.1", 12, 8 }, { "\x02h2", 3, 0 } };
	struct pair *p = *state;
	const unsigned char *proto;
	unsigned len;
	size_t i;

	for (i = 0; i < N(cases); i++) {
		pair_connect(p);
		SSL_set_alpn_protos(p->client, (const unsigned char *)cases[i].offer, cases[i].len);
		assert_int_equal(handshake(p), TLS_IO_OK);
		SSL_get0_alpn_selected(p->client, &proto, &len);
		assert_int_equal(len, cases[i].got);
		if (len > 0)
			assert_memory_equal(proto, "http/1.1", 8);
		pair_disconnect(p);
	}
}

static int asked;

static int
on_request(SSL *ssl, X509 **x509, EVP_PKEY **pkey)
{
	asked++;
	return 0;
}

static void
no_client_certificate_is_asked_for(void **state)
{
	struct pair *p = *state;

	SSL_CTX_set_client_cert_cb(p->client_ctx, on_request);
	pair_connect(p);
	assert_int_equal(handshake(p), TLS_IO_OK);
	assert_int_equal(asked, 0);
	pair_disconnect(p);
}

static void
bytes_pass_in_both_directions(void **state)
{
	struct pair *p = *state;
	char got[32] = { 0 };
	size_t n;

	pair_connect(p);
	assert_int_equal(handshake(p), TLS_IO_OK);
	assert_int_equal(tls_conn_read(p->server, got, sizeof got, &n), TLS_IO_WANT_READ);
	assert_int_equal(n, 0);
	assert_int_equal(SSL_write(p->client, "question", 8), 8);
	assert_int_equal(tls_conn_read(p->server, got, 3, &n), TLS_IO_OK);
	assert_int_equal(n, 3);
	assert_int_equal(tls_conn_read(p->server, got + 3, sizeof got - 3, &n), TLS_IO_OK);
	assert_string_equal(got, "question");
	assert_int_equal(tls_conn_write(p->server, "answer", 6, &n), TLS_IO_OK);
	assert_int_equal(n, 6);
	assert_int_equal(tls_conn_write(p->server, "", 0, &n), TLS_IO_OK);
	assert_int_equal(SSL_read(p->client, got, sizeof got), 6);
	assert_memory_equal(got, "answer", 6);
	pair_disconnect(p);
}

static void
a_full_socket_asks_to_wait_and_loses_nothing(void **state)
{
	struct pair *p = *state;
	size_t sent = 0, got = 0, n;
	enum tls_io io = TLS_IO_OK;
	uint8_t block[8192], in[8192];
	int r;

	pair_connect(p);
	assert_int_equal(handshake(p), TLS_IO_OK);
	memset(block, 'b', sizeof block);
	while ((io = tls_conn_write(p->server, block, sizeof block, &n)) == TLS_IO_OK) {
		sent += n;
		assert_true(sent < 1 << 28);
	}
	assert_int_equal(io, TLS_IO_WANT_WRITE);
	while (got < sent + sizeof block) {
		while ((r = SSL_read(p->client, in, sizeof in)) > 0)
			got += (size_t)r;
		if (io != TLS_IO_OK &&
		    (io = tls_conn_write(p->server, block, sizeof block, &n)) == TLS_IO_OK)
			assert_int_equal(n, sizeof block);
	}
	assert_int_equal(got, sent + sizeof block);
	pair_disconnect(p);
}

static SSL_SESSION *
session_of_one_connection(struct pair *p, int version)
{
	SSL_SESSION *session;
	char got[8];
	size_t n;

	pair_connect(p);
	SSL_set_max_proto_version(p->client, version);
	assert_int_equal(handshake(p), TLS_IO_OK);
	assert_int_equal(tls_conn_write(p->server, "hi", 2, &n), TLS_IO_OK);
	assert_int_equal(SSL_read(p->client, got, sizeof got), 2); /* and the ticket of TLS 1.3 */
	session = SSL_get1_session(p->client);
	assert_non_null(session);
	assert_int_equal(tls_conn_shutdown(p->server), TLS_IO_OK);
	(void)SSL_shutdown(p->client);
	pair_disconnect(p);
	return session;
}

static void
a_session_is_resumed_from_its_ticket(void **state)
{
	static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };
	struct pair *p = *state;
	SSL_SESSION *session;
	size_t i;

	for (i = 0; i < N(versions); i++) {
		session = session_of_one_connection(p, versions[i]);
		pair_connect(p);
		SSL_set_max_proto_version(p->client, versions[i]);
		assert_int_equal(SSL_set_session(p->client, session), 1);
		assert_int_equal(handshake(p), TLS_IO_OK);
		assert_int_equal(SSL_session_reused(p->client), 1);
		SSL_SESSION_free(session);
		pair_disconnect(p);
	}
}

static void
a_proper_end_is_told_from_a_lost_peer(void **state)
{
	struct pair *p = *state;
	char got[8], error[160];
	size_t n;

	pair_connect(p);
	assert_int_equal(handshake(p), TLS_IO_OK);
	(void)SSL_shutdown(p->client);
	assert_int_equal(tls_conn_read(p->server, got, sizeof got, &n), TLS_IO_CLOSED);
	assert_int_equal(tls_conn_shutdown(p->server), TLS_IO_OK);
	pair_disconnect(p);

	pair_connect(p);
	close(p->fd[1]);
	p->fd[1] = -1;
	assert_int_equal(tls_conn_handshake(p->server), TLS_IO_FAILED);
	tls_conn_error(p->server, error, sizeof error);
	assert_string_not_equal(error, "");
	pair_disconnect(p);
}

/* The default action of SIGPIPE, which nobody here changes, would end this test. */
static void
writing_to_a_peer_that_is_gone_is_an_error_and_no_signal(void **state)
{
	struct pair *p = *state;
	enum tls_io io;
	size_t n;

	pair_connect(p);
	assert_int_equal(handshake(p), TLS_IO_OK);
	close(p->fd[1]);
	p->fd[1] = -1;
	io = tls_conn_write(p->server, "x", 1, &n);
	assert_int_equal(io, TLS_IO_FAILED);
	assert_int_equal(tls_conn_shutdown(p->server), TLS_IO_FAILED);
	pair_disconnect(p);
}

static void
plain_http_on_a_tls_port_fails_with_a_reason(void **state)
{
	static const char request[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
	struct pair *p = *state;
	char error[160];

	pair_connect(p);
	assert_int_equal(write(p->fd[1], request, sizeof request - 1), sizeof request - 1);
	assert_int_equal(tls_conn_handshake(p->server), TLS_IO_FAILED);
	tls_conn_error(p->server, error, sizeof error);
	assert_non_null(strstr(error, "http request"));
	assert_int_equal(tls_conn_shutdown(p->server), TLS_IO_OK);
	pair_disconnect(p);
}

static void
a_connection_keeps_its_context_alive(void **state)
{
	struct pair *p = *state;
	struct err err = { 0 };

	pair_connect(p);
	assert_ptr_equal(tls_ctx_ref(p->ctx), p->ctx);
	tls_ctx_free(p->ctx);
	tls_ctx_free(p->ctx);
	p->ctx = NULL;
	assert_int_equal(handshake(p), TLS_IO_OK);
	pair_disconnect(p);
	assert_ok(load(&p->ctx, &p->dir, "cert", "key", &err), err);
}

static void
bad_files_are_named(void **state)
{
	static const struct {
		const char *cert, *key, *named;
	} cases[] = { { "absent", "key", "/absent" }, { "cert", "absent", "/absent" },
		{ "junk", "key", "/junk" }, { "cert", "junk", "/junk" },
		{ "cert", "other", "/other" }, { "cert", "sealed", "/sealed" } };
	struct pair *p = *state;
	struct tls_ctx *ctx;
	struct err err;
	size_t i;

	put_files(&p->dir, "ec:p384", "othercert", "other");
	dir_put(&p->dir, "junk", "junk", 4, 0600);
	assert_int_equal(
	    dir_run(&p->dir, NULL, "openssl pkey -in key -aes128 -passout pass:x -out sealed"), 0);
	for (i = 0; i < N(cases); i++) {
		err = (struct err){ 0 };
		assert_int_equal(load(&ctx, &p->dir, cases[i].cert, cases[i].key, &err), RC_CONFIG);
		if (strstr(err.msg, cases[i].named) == NULL)
			fail_msg("case %zu: %s", i, err.msg);
	}
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(both_versions_shake_hands_and_older_ones_do_not),
		TEST(alpn_is_http11_and_others_are_let_through_without),
		TEST(no_client_certificate_is_asked_for),
		TEST(bytes_pass_in_both_directions),
		TEST(a_full_socket_asks_to_wait_and_loses_nothing),
		TEST(a_session_is_resumed_from_its_ticket),
		TEST(a_proper_end_is_told_from_a_lost_peer),
		TEST(writing_to_a_peer_that_is_gone_is_an_error_and_no_signal),
		TEST(plain_http_on_a_tls_port_fails_with_a_reason),
		TEST(a_connection_keeps_its_context_alive),
		TEST(bad_files_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, fixture_done);
}
