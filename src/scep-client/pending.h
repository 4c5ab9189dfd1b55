/*
 * pending.h - a request that waits for approval, on disk: the folder `pending` (mode 0700) in that of the
 * device, until it is decided.
 *
 *   state.json   URL, manner, transactionID, subject, fingerprint of the server if one was given, when, how
 *                often it was polled for
 *   key.pem      the key to be certified
 *   signer.pem, signer-key.pem
 *                who signed the request and has to sign the polls: a server gives the certificate to
 *                nobody else.  signer-key.pem is there only where it is another key than key.pem.
 *
 * senderNonce is not kept: each poll has its own, and none is chained to the last (RFC 8894 3.3.2).
 */
#ifndef SCEPD_SCEP_CLIENT_PENDING_H
#define SCEPD_SCEP_CLIENT_PENDING_H

#include <stdbool.h>

#include "base/err.h"
#include "json/json.h"
#include "ossl/cert.h"
#include "ossl/key.h"
#include "ossl/name.h"

struct pending {
	json_t *state;                                           /* owns the strings */
	const char *url, *manner, *transaction_id, *fingerprint; /* fingerprint NULL: none */
	struct name subject;
	int64_t since; /* wall seconds */
	int64_t polls; /* so far */
	bool renewal;  /* what is in the folder is to be replaced */
	struct cert *signer;
	struct key *key, *signer_key;
};

/* The door: state.json.  RC_PARSE names what is wrong. */
enum rc pending_parse(
    struct pending *out, const void *json, size_t len, struct err *err) MUST_CHECK;
/* RC_NOTFOUND: no request of this folder is pending. */
enum rc pending_load(struct pending *out, const char *dir, struct err *err) MUST_CHECK;
void pending_done(struct pending *p);

struct pending_new {
	const char *url, *manner, *transaction_id, *fingerprint; /* fingerprint NULL: none */
	const struct name *subject;
	bool renewal;
	const struct cert *signer;
	const struct key *key, *signer_key; /* signer_key may be key */
};
/* The folder is made if it is not there; a request that was pending in it before is forgotten. */
enum rc pending_save(const char *dir, const struct pending_new *p, struct err *err) MUST_CHECK;
/* One poll more. */
enum rc pending_count(const char *dir, struct pending *p, struct err *err) MUST_CHECK;
/* It is decided: the folder `pending` goes. */
enum rc pending_drop(const char *dir, struct err *err) MUST_CHECK;

#endif
