/*
 * ext.h - X.509 extensions (RFC 5280 4.2), read and written.  For the files of this folder.
 */
#ifndef SCEPD_OSSL_EXT_H
#define SCEPD_OSSL_EXT_H

#include "ossl/ca_ext.h"
#include "ossl/der.h"
#include "ossl/key.h"
#include "ossl/name.h"

#define OID_EXT_SKI         "2.5.29.14"
#define OID_EXT_KEY_USAGE   "2.5.29.15"
#define OID_EXT_SAN         "2.5.29.17"
#define OID_EXT_BASIC       "2.5.29.19"
#define OID_EXT_CRL_NUMBER  "2.5.29.20"
#define OID_EXT_CRL_REASON  "2.5.29.21"
#define OID_EXT_DELTA       "2.5.29.27"
#define OID_EXT_IDP         "2.5.29.28"
#define OID_EXT_CONSTRAINTS "2.5.29.30"
#define OID_EXT_CRL_POINTS  "2.5.29.31"
#define OID_EXT_POLICIES    "2.5.29.32"
#define OID_EXT_AKI         "2.5.29.35"
#define OID_EXT_EKU         "2.5.29.37"
#define OID_EXT_FRESHEST    "2.5.29.46"
#define OID_EXT_AIA         "1.3.6.1.5.5.7.1.1"

#define EXTENSIONS_MAX 64 /* in one certificate or request; real ones have up to a dozen */
#define EKU_MAX        32 /* purposes in one extension */

struct oid_list {
	const char **v; /* each allocated */
	size_t n;
};
enum rc oid_list_add(struct oid_list *l, const char *oid, size_t max, struct err *err) MUST_CHECK;
bool oid_list_has(const struct oid_list *l, const char *oid);
void oid_list_done(struct oid_list *l);

/*
 * Read Extensions: `each` is called for every one, with the content of its OCTET STRING.  RC_PARSE
 * for an extension that is in `seen` already (RFC 5280 4.2); `seen` grows.
 */
typedef enum rc ext_fn(void *arg, const char *oid, const struct der *value, struct err *err);
enum rc ext_each(
    struct der exts, struct oid_list *seen, ext_fn *each, void *arg, struct err *err) MUST_CHECK;

enum rc ext_read_san(struct san_list *out, const struct der *value, struct err *err) MUST_CHECK;
/* The first LIMIT_SAN of them; the others are counted, and not looked into. */
enum rc ext_read_san_first(
    struct san_list *out, size_t *left_out, const struct der *value, struct err *err) MUST_CHECK;
enum rc ext_read_key_usage(unsigned *ku, const struct der *value, struct err *err) MUST_CHECK;
enum rc ext_read_eku(struct oid_list *out, const struct der *value, struct err *err) MUST_CHECK;
/* *path_len: -1 when it is absent, and when it is more than any chain has. */
enum rc ext_read_basic(
    bool *ca, int *path_len, const struct der *value, struct err *err) MUST_CHECK;
enum rc ext_read_ski(struct der *ski, const struct der *value, struct err *err) MUST_CHECK;

/* One Extension is being written; the value goes between open and close. */
struct ext_mark {
	size_t seq, value;
};
struct ext_mark ext_open(struct buf *b, const char *oid, bool critical);
void ext_close(struct buf *b, struct ext_mark m);
enum rc ext_add_san(
    struct buf *b, const struct san_list *san, bool critical, struct err *err) MUST_CHECK;
enum rc ext_add_eku(struct buf *b, const char *const *eku, size_t n, struct err *err) MUST_CHECK;
void ext_add_key_usage(struct buf *b, unsigned ku);
void ext_add_basic(struct buf *b, bool ca, int path_len);
/* Critical, as RFC 5280 4.2.1.10 demands; nothing for an empty list. */
enum rc ext_add_constraints(struct buf *b, const struct constraints *l, struct err *err) MUST_CHECK;
/* Not critical; nothing for an empty list. */
enum rc ext_add_policies(struct buf *b, const struct policies *l, struct err *err) MUST_CHECK;
/* subjectKeyIdentifier by RFC 5280 4.2.1.2 method 1. */
enum rc ext_add_ski(struct buf *b, const struct key *k, struct err *err) MUST_CHECK;
/* An address as GeneralName. */
enum rc ext_add_url(struct buf *b, const char *url, struct err *err) MUST_CHECK;
/* distributionPoint [0] { fullName [0] GeneralNames }. */
enum rc ext_add_point_name(
    struct buf *b, const char *const *urls, size_t n, struct err *err) MUST_CHECK;
/* cRLDistributionPoints or freshestCRL: one DistributionPoint with these addresses (RFC 5280 4.2.1.13,
 * 4.2.1.15). Not critical. */
enum rc ext_add_points(
    struct buf *b, const char *oid, const char *const *urls, size_t n, struct err *err) MUST_CHECK;
/* authorityKeyIdentifier with a keyIdentifier only. */
void ext_add_aki(struct buf *b, const uint8_t *id, size_t len);

#endif
