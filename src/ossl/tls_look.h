/*
 * tls_look.h - a TLS server as clients of different ages see it: bounds on what a client offers, and
 * what the server asks for.  For http_client_conf.tls_configure; certificates are judged as ever.
 */
#ifndef SCEPD_OSSL_TLS_LOOK_H
#define SCEPD_OSSL_TLS_LOOK_H

#include <stdatomic.h>

enum tls_age {
	TLS_AGE_NOW,     /* 1.2 and 1.3 */
	TLS_AGE_WINDOWS, /* 1.2 at most: the SCEP client of Windows */
	TLS_AGE_OLD /* 1.1 at most: no platform offers that any more, and a server should not */
};

struct tls_look {
	enum tls_age age;             /* the caller's to set before */
	atomic_bool asked_for_client; /* the server sent a CertificateRequest */
	atomic_int version; /* of the handshake that ended last, 0: none did: 0x0304 is 1.3 */
};

/* `arg` is a struct tls_look that outlives the client.  Non-zero when libssl refuses. */
int tls_look_configure(void *ssl_ctx, void *arg);
/* "TLS 1.3"; "" for 0.  Static. */
const char *tls_look_version(int version);

#endif
