/*
 * signer_int.h - what a signer is underneath: a table of operations, with the keys in this process
 * (signer_local.c) or behind a wire (signer_remote.c).
 *
 * Operations that make a certificate or a list give the signature alone; signer.c puts it together
 * with what was signed, so that a list of many megabytes crosses the wire once and not twice.
 */
#ifndef SCEPD_SIGNER_SIGNER_INT_H
#define SCEPD_SIGNER_SIGNER_INT_H

#include "signer/signer.h"

#define SIGNATURE_MAX KEY_SIG_MAX /* octets */

struct signer_ops {
	enum rc (*sign_cert)(struct signer *s, const char *ca, const uint8_t *tbs, size_t len,
	    struct buf *sig, struct err *err);
	enum rc (*sign_crl)(struct signer *s, const char *ca, const uint8_t *tbs, size_t len,
	    struct buf *sig, struct err *err);
	enum rc (*sign_certrep)(struct signer *s, const char *ca, enum digest d,
	    const uint8_t *attrs, size_t len, struct buf *sig, struct err *err);
	enum rc (*unwrap)(struct signer *s, const char *ca, const struct transport *t,
	    const uint8_t *wrapped, size_t wrapped_len, uint8_t *cek, size_t cek_len,
	    struct err *err);
	enum rc (*sign_ocsp)(struct signer *s, const char *ca, const uint8_t *data, size_t len,
	    struct buf *basic, struct err *err);
	enum rc (*next_ca)(struct signer *s, const char *ca, struct buf *der, struct err *err);
	enum rc (*certs)(
	    struct signer *s, const char *ca, struct signer_certs *out, struct err *err);
	enum rc (*take_responder)(
	    struct signer *s, const char *ca, const uint8_t *der, size_t len, struct err *err);
	enum rc (*stats)(struct signer *s, struct signer_stats *out, struct err *err);
	void (*tick)(struct signer *s, int64_t now);
	void (*close)(struct signer *s);
};

struct signer {
	const struct signer_ops *ops;
};

#endif
