/*
 * csr_int.h - what a struct csr holds; for csr.c and csr_attrs.c only.
 */
#ifndef SCEPD_OSSL_CSR_INT_H
#define SCEPD_OSSL_CSR_INT_H

#include "ossl/csr.h"
#include "ossl/der.h"
#include "ossl/ext.h"

#define OID_CHALLENGE            "1.2.840.113549.1.9.7"
#define OID_EXTENSION_REQUEST    "1.2.840.113549.1.9.14"
#define OID_MS_EXTENSION_REQUEST "1.3.6.1.4.1.311.2.1.14"

struct csr {
	uint8_t *der;
	size_t der_len;
	uint8_t sha256[32];
	struct name subject;
	struct key *key;
	enum digest digest;
	struct csr_wishes wishes;
	struct oid_list eku, ignored; /* what `wishes` points at */
	char *challenge;              /* the first one */
	size_t n_challenges;
};

/* Read the content of the attributes' SET into `c`. */
enum rc csr_read_attrs(struct csr *c, struct der attrs, struct err *err) MUST_CHECK;

#endif
