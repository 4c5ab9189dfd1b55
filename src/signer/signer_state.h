/*
 * signer_state.h - what the signer remembers: its folder with audit, serial numbers, numbers of
 * lists, and certificates and keys that it made.
 *
 *	lock            held by the one signer that uses the folder
 *	audit-NUMBER    signer_audit.h
 *	serials         signer_serials.h; may be removed, and is made again from the audit
 *	CA.crl-number   number and SHA-256 of the last list
 *	CA-ra.pem       RA certificates that the signer made, newest first; public
 *	CA-ocsp.pem     the responder's certificate; public
 *	CA-ocsp.key     the responder's key, unless the configuration has one
 *
 * CertReps, unwrapped keys and OCSP answers get no line each: an RA's signature is worth nothing
 * without a certificate, which has its own line, an answer lives for days, and all three come many
 * times for each certificate.  They would bury what matters, and cost every poll of a device a
 * write.  Their numbers are in the audit every minute in which there were any, which is what shows
 * that somebody used the RA key as an oracle.
 *
 * Threads: all calls from any thread.
 */
#ifndef SCEPD_SIGNER_SIGNER_STATE_H
#define SCEPD_SIGNER_SIGNER_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "ossl/der.h"

struct state;

/* `dir` NULL: nothing is kept.  RC_CONFLICT: another signer has the folder. */
enum rc state_open(struct state **out, const char *dir, struct err *err) MUST_CHECK;
void state_close(struct state *s); /* NULL is allowed */

/* Whether there is a folder: scepd --check has none. */
bool state_is_kept(const struct state *s);

/* A path in the folder, `ca` escaped.  *out NULL: there is no folder. */
enum rc state_path(char **out, const struct state *s, const char *ca, const char *suffix,
    struct err *err) MUST_CHECK;

/* The same of a folder that is only looked at. */
enum rc state_path_in(
    char **out, const char *dir, const char *ca, const char *suffix, struct err *err) MUST_CHECK;

/*
 * Before a certificate is signed: its number is new, or known for these bytes (RC_DENIED
 * otherwise), and the audit has it.  `op`: "cert", "ra-cert", "ocsp-cert".
 */
enum rc state_cert(struct state *s, const char *op, const char *ca, struct der number,
    const uint8_t sha256[static 32], struct err *err) MUST_CHECK;
/* Before anything else is signed: a line. */
enum rc state_note(struct state *s, const char *op, const char *ca, const char *id,
    const uint8_t *sha256, struct err *err) MUST_CHECK;
/* Numbers and audit to the disk, if a start would have much to read again. */
void state_checkpoint_if_long(struct state *s);

/* The last list of a CA. */
struct crl_last {
	bool any;
	uint64_t number;
	uint8_t sha256[32];
};
enum rc crl_last_load(
    struct crl_last *out, const struct state *s, const char *ca, struct err *err) MUST_CHECK;
/*
 * Before list `number` is signed: it is greater than the last, or the same bytes; the new one is on
 * the disk.  *last is the caller's, under his lock.
 */
enum rc crl_last_raise(struct crl_last *last, const struct state *s, const char *ca,
    struct der number, const uint8_t sha256[static 32], struct err *err) MUST_CHECK;

#endif
