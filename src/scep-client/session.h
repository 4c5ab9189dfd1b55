/*
 * session.h - a SCEP server as a client sees it: its capabilities and its certificates.
 *
 * A session that came from session_open() proves: GetCACaps and GetCACert were answered with
 * something a SCEP client, and one of this manner, can use, and `recipient` is a certificate that a
 * request may be enveloped to.
 */
#ifndef SCEPD_SCEP_CLIENT_SESSION_H
#define SCEPD_SCEP_CLIENT_SESSION_H

#include "base/err.h"
#include "http/client.h"
#include "ossl/cert.h"
#include "scep-client/manner.h"
#include "scep.h"

#define SESSION_CERTS_MAX 16 /* RA, issuing CA, chain: 2 to 5 in practice */

/* Content types of RFC 8894 4.2.1, 4.3. */
#define SESSION_CA_CERT     "application/x-x509-ca-cert"
#define SESSION_CA_RA_CERT  "application/x-x509-ca-ra-cert"
#define SESSION_PKI_MESSAGE "application/x-pki-message"

enum session_method { METHOD_CHOOSE, METHOD_GET, METHOD_POST };

struct session_conf {
	const char *url;
	const struct manner *manner; /* NULL: plain */
	const char *server_certs;    /* PEM file: what the server told before, instead of GetCACert;
					NULL: ask */
	const char *ca_file;         /* trust anchors for https; NULL: the system's */
	unsigned timeout_ms;         /* a whole exchange; 0: 30000, as SCEP clients wait */
	const enum get_form *get_form; /* NULL: the manner's */
	const char *fingerprint; /* one of the server's certificates has this SHA-1 or SHA-256, as
					session_find_fingerprint() reads it; NULL: not known */
	bool renewing;           /* some platforms ask more of a server then */
};

struct session {
	struct http_client *http;
	char *url; /* with the manner's suffix */
	const struct manner *manner;
	enum get_form get_form;
	unsigned timeout_ms;
	bool renewing;
	bool caps_known; /* GetCACaps was answered 200 */
	unsigned caps;   /* enum scep_cap */
	struct scep_bytes *ca_der;
	struct cert *ca[SESSION_CERTS_MAX];
	size_t n_ca;
	size_t recipient; /* index: the RA, or the CA where there is none */
};

/* Connects, asks for capabilities and certificates.  *out is the caller's.  RC_IO, RC_TIMEOUT,
 * RC_PARSE (not a SCEP server), RC_ALG, RC_INTEGRITY (no certificate has the fingerprint). */
enum rc session_open(
    struct session **out, const struct session_conf *conf, struct err *err) MUST_CHECK;
void session_free(struct session *s);
/* "RA", "issuing CA", "root CA" ..., among the certificates that a server told together; static. */
const char *session_role_of(struct cert *const *certs, size_t n, size_t i);
/* The certificate whose SHA-1 or SHA-256 fingerprint (hex, ':' and blanks ignored) this is, or
 * NULL. */
const struct cert *session_find_fingerprint(const struct session *s, const char *hex);
/*
 * GetNextCACert: the certificates of the next CA, verified as the word of one of the CA certificates
 * that GetCACert told (RFC 8894 4.7.1), in the server's order; at most SESSION_CERTS_MAX, the
 * caller's.  RC_NOTFOUND: there is no next CA.
 */
enum rc session_next_ca(struct session *s, struct cert *certs[static SESSION_CERTS_MAX], size_t *n,
    struct err *err) MUST_CHECK;
/* Whether a message goes out by GET: as asked for, or as capabilities and manner say. */
bool session_by_get(const struct session *s, enum session_method method);
/* One PKIOperation; *reply is the caller's buf (initialised by the call). */
enum rc session_pki_operation(struct session *s, const struct scep_bytes *message, bool by_get,
    struct buf *reply, struct err *err) MUST_CHECK;

#endif
