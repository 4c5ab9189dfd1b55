/*
 * store_audit.h - the audit chain, whatever the database: how a row is hashed and how its detail is
 * written.
 *
 * hash(n) = SHA-256(hash(n - 1) | n | when | length of event | event | length of detail | detail),
 * numbers as eight octets big-endian, hash(0) = 32 zero octets.  Lengths are hashed so that no two
 * rows share an encoding.
 */
#ifndef SCEPD_STORE_STORE_AUDIT_H
#define SCEPD_STORE_STORE_AUDIT_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define AUDIT_HASH_SIZE 32
#define AUDIT_DETAIL_MAX                                                                           \
	(1024u * 1024u) /* a subject and all alternative names, every byte escaped */

struct audit_head {
	int64_t seq; /* 0: no row yet */
	uint8_t hash[AUDIT_HASH_SIZE];
};

/* Move `head` on over one more row, whose seq is head->seq + 1. */
enum rc audit_chain(struct audit_head *head, int64_t when_ms, const char *event, const char *detail,
    struct err *err) MUST_CHECK;

/* Append ` key="value"`, escaped so that a value can forge no field; nothing for NULL. */
void audit_field(struct buf *detail, const char *key, const char *value);
void audit_hex(struct buf *detail, const char *key, const uint8_t *p, size_t len);

#endif
