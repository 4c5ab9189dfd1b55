/*
 * scep_kit.h - an RA, a device and a stranger; requests right and wrong; and key operations that
 * are counted.
 */
#ifndef SCEPD_TESTS_SCEP_KIT_H
#define SCEPD_TESTS_SCEP_KIT_H

#include "scep.h"

#include "../ossl/cms_kit.h"

struct world {
	struct actor ra, device, stranger, curve;
	struct scep_identity *ra_id, *device_id, *stranger_id;
	struct buf csr; /* by the device's key */
};
extern struct world world;

int world_make(void **state);
int world_done(void **state);

/* Key operations of world.ra_id since the last world_count_reset(). */
unsigned world_unwraps(void);
unsigned world_signs(void);
void world_count_reset(void);

extern const struct scep_algorithms usual; /* SHA-256, AES-128, PKCS#1 v1.5 */
struct scep_bytes bytes_of(const struct buf *b);
struct scep_bytes bytes_of_der(struct der d);

/* A PKCSReq of the device for the RA, by libscep. */
struct scep_bytes make_request(const struct scep_algorithms *alg, struct scep_pending *pending);

/* A PKIMessage made by hand: change what should be wrong, then forge(). */
#define FORGED_ATTRS 8
struct forged {
	struct cms_attr_build attrs[FORGED_ATTRS];
	size_t n_attrs;
	struct der content;
	const char *content_type;
	enum digest digest;
	const struct actor *signer;
};
/* Right in everything: transactionID, messageType 19, senderNonce; content from `envelope`. */
void forged_init(struct forged *f, const struct buf *envelope);
/* Replace the value of an attribute (DER), add one, or leave one out (value.p == NULL). */
void forged_set(struct forged *f, const char *oid, struct der value);
void forged_add(struct forged *f, const char *oid, struct der value);
struct buf forge(const struct forged *f);

/* The CSR enveloped to the RA, in the usual algorithms. */
struct buf good_envelope(void);
enum scep_status parse_message(
    struct scep_message **m, const struct buf *b, struct scep_error *err);
/* Parse, which must work, and open, counting the key operations. */
enum scep_status open_by(struct scep_request **r, const struct buf *b,
    struct scep_identity *const *ids, size_t n, struct scep_error *err);
/* By the RA. */
enum scep_status open_it(struct scep_request **r, const struct buf *b, struct scep_error *err);

#define DER_TEXT(s) ((struct der){ (const uint8_t *)(s), sizeof(s) - 1 })

#endif
