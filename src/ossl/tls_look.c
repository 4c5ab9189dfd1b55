/* tls_look.c - see tls_look.h. */
#include "ossl/tls_look.h"

#include <pthread.h>
#include <stdbool.h>

#include <openssl/ssl.h>

/* Where a context keeps its struct tls_look; libcurl has indexes of its own. */
static int look_index = -1;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void
take_index(void)
{
	look_index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, NULL);
}

static struct tls_look *
look_of(const SSL *ssl)
{
	return SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), look_index);
}

/* The server wants a certificate; it gets none. */
static int
on_client_cert(SSL *ssl, X509 **cert, EVP_PKEY **key)
{
	struct tls_look *l = look_of(ssl);

	if (l != NULL)
		atomic_store(&l->asked_for_client, true);
	return 0;
}

static void
on_info(const SSL *ssl, int where, int value)
{
	struct tls_look *l = look_of(ssl);

	if (l != NULL && (where & SSL_CB_HANDSHAKE_DONE) != 0)
		atomic_store(&l->version, SSL_version(ssl));
}

int
tls_look_configure(void *ssl_ctx, void *arg)
{
	struct tls_look *l = arg;
	SSL_CTX *ctx = ssl_ctx;
	bool ok;

	(void)pthread_once(&once, take_index);
	ok = look_index >= 0 && SSL_CTX_set_ex_data(ctx, look_index, l) == 1;
	SSL_CTX_set_client_cert_cb(ctx, on_client_cert);
	SSL_CTX_set_info_callback(ctx, on_info);
	if (l->age == TLS_AGE_WINDOWS)
		ok = ok && SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION) == 1;
	/* What 1.1 signs with is below the level that libssl keeps by itself. */
	if (l->age == TLS_AGE_OLD)
		ok = ok && SSL_CTX_set_min_proto_version(ctx, TLS1_VERSION) == 1 &&
		    SSL_CTX_set_max_proto_version(ctx, TLS1_1_VERSION) == 1 &&
		    SSL_CTX_set_cipher_list(ctx, "ALL:@SECLEVEL=0") == 1;
	return ok ? 0 : -1;
}

const char *
tls_look_version(int version)
{
	return version == TLS1_3_VERSION ? "TLS 1.3"
	    : version == TLS1_2_VERSION  ? "TLS 1.2"
	    : version == TLS1_1_VERSION  ? "TLS 1.1"
	    : version == TLS1_VERSION    ? "TLS 1.0"
					 : "";
}
