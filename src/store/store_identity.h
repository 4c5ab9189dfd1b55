/*
 * store_identity.h - which CA a name means: certificates, causes and lists stand in the database under the name that
 * the configuration gives their CA, and names are used again.  So the database remembers the key of the CA that came
 * first under a name; a certificate that was renewed has it too, and a CA with another key is another CA.
 */
#ifndef SCEPD_STORE_STORE_IDENTITY_H
#define SCEPD_STORE_STORE_IDENTITY_H

#include "store/store_status.h"

struct store_identity {
	bool own;               /* it is, or has been, one of cas; else of foreign_cas alone */
	uint8_t key_sha256[32]; /* of its SubjectPublicKeyInfo */
	int64_t since;          /* wall seconds; set by the store */
};
/* RC_NOTFOUND: no CA of that name was here since the database remembers. */
enum rc store_identity_get(
    struct store *s, const char *ca, struct store_identity *out, struct err *err) MUST_CHECK;
/* Remember it; what is there already is replaced.  With an audit row "ca-known". */
enum rc store_identity_set(
    struct store *s, const char *ca, const struct store_identity *id, struct err *err) MUST_CHECK;
/* The name of another CA than `ca` that has this key.  RC_NOTFOUND: there is none. */
enum rc store_identity_other(struct store *s, const char *ca, const uint8_t key_sha256[static 32],
    char name[static STORE_NAME_MAX + 1], struct err *err) MUST_CHECK;
/*
 * A certificate that stands under that name, as evidence where a database is older than what it remembers: of our own
 * CAs the newest among the last STORE_WITNESS_ROWS of all, of a foreign one any of its first ones.  RC_NOTFOUND.  *der is
 * the caller's.
 */
#define STORE_WITNESS_ROWS 1000
enum rc store_identity_witness(struct store *s, const char *ca, bool own, uint8_t **der,
    size_t *len, struct err *err) MUST_CHECK;
/* Whether a revocation list was ever made here under that name: then it was one of our own. */
enum rc store_identity_has_crl(
    struct store *s, const char *ca, bool *has, struct err *err) MUST_CHECK;

/*
 * Delete what is known of a foreign CA: its certificates, their causes, bindings and turns in sweeps, what was read of its
 * lists, and whose name it was; STORE_CAUSES_BATCH certificates a call.  *n: how many; fewer: all is gone.  With `who` there
 * is an audit row "foreign-forget", with how many there are; NULL: an earlier call goes on.  Certificates of our own CAs are
 * never deleted, whatever their CA is called, and what the audit trail has stays.
 */
enum rc store_foreign_forget(
    struct store *s, const char *ca, const char *who, size_t *n, struct err *err) MUST_CHECK;

#endif
