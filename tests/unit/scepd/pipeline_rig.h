/*
 * pipeline_rig.h - a whole server without its sockets: real store, real signer, the pipeline; and libscep in
 * the part of the device.
 */
#ifndef SCEPD_TESTS_PIPELINE_RIG_H
#define SCEPD_TESTS_PIPELINE_RIG_H

#include "../ca/fixture.h"

#include "scepd/pipeline.h"

/* The CAs are made once, since keys take time: "issuing" is in ca/, "other" in other/. */
int rig_cas_new(void **state);
int rig_cas_free(void **state);

#define RIG_KEYS 3
struct rig {
	struct fixture *f;
	struct scepd *s;
	struct err err;
	const struct key *keys[RIG_KEYS]; /* RSA-2048, of devices */
	struct scep_bytes ra[2];          /* RA certificates of issuing and other */
	int log;                          /* what the server logs */
	unsigned n;                       /* transactions so far */
};
/* Opens a server with a database of its own.  `yaml` follows listeners, public_url, store and cas. */
void rig_open(struct rig *r, const char *yaml);
/* With more keys of CA issuing: ", crl_delta: true". */
void rig_open_with(struct rig *r, const char *issuing, const char *yaml);
void rig_close(struct rig *r);
/* The same database and configuration, as after a restart. */
void rig_restart(struct rig *r);

/* A certificate of a device and the key for it. */
struct device {
	const struct key *key;
	struct cert *cert;
};
struct device throw_away(const struct rig *r, const struct key *key, const char *subject);
/* With these key usages; 0: without the extension. */
struct device throw_away_for(
    const struct rig *r, const struct key *key, const char *subject, unsigned key_usage);
void device_done(struct device *d);

/* What a device sends; what is not set takes the simplest value. */
struct said {
	const char *endpoint;        /* NULL: lab */
	enum scep_message_type type; /* 0: PKCSReq */
	const struct device *signer;
	struct wish wish;           /* its key: NULL: the signer's */
	const char *transaction_id; /* NULL: another one each time */
	bool to_other;              /* enveloped to the RA of "other" */
	int64_t ago;                /* seconds: it was signed then */
	const char *password;       /* for an answer under it */
	const struct scep_algorithms *alg;
};
struct heard {
	int http;
	enum scep_pki_status status;
	enum scep_fail_info fail_info;
	char text[256];
	struct cert *cert; /* the first one of a SUCCESS */
	size_t n_certs;
	struct scep_bytes second; /* the second certificate */
	struct scep_bytes crl;
	enum scep_way way;
	int blame;          /* what it counts against the address */
	bool empty_content; /* there is a content, of no octets */
	char log[4096];     /* the line of this message */
};
/* The caller ends `h` with heard_done(). */
void say(struct rig *r, struct heard *h, const struct said *m);
/* A message without a CSR. */
struct queried {
	const char *endpoint; /* NULL: lab */
	enum scep_message_type type;
	const struct device *signer;
	const char *transaction_id; /* of a poll */
	const struct cert *of,
	    *by; /* GetCert, GetCRL: the issuer of `of`; and `by`, if set, instead */
	const struct serial *serial; /* instead of that of `of` */
};
void query(struct rig *r, struct heard *h, const struct queried *q);
/* Bytes as they are; `signer` opens the answer. */
struct sent {
	const char *endpoint;
	struct scep_bytes bytes;
	struct scep_pending pending;
	const struct device *signer;
	bool to_other, want_crl;
	const char *password;
};
void say_bytes(struct rig *r, struct heard *h, const struct sent *m);
void heard_done(struct heard *h);
struct scep_identity *identity_of(const struct device *d);

/* Enrol: a device whose certificate is an issued one. */
struct device enrolled(
    struct rig *r, const char *endpoint, const struct key *key, const struct wish *w);

#define assert_success(h)                                                                          \
	do {                                                                                       \
		if ((h)->http != 200 || (h)->status != SCEP_SUCCESS)                               \
			print_error("%s\n", (h)->log);                                             \
		assert_int_equal((h)->http, 200);                                                  \
		assert_int_equal((h)->status, SCEP_SUCCESS);                                       \
	} while (0)
/* A FAILURE of this kind, whose line of the log holds `part`. */
#define assert_failure(h, kind, part)                                                              \
	do {                                                                                       \
		if ((h)->http != 200 || (h)->status != SCEP_FAILURE || (h)->fail_info != (kind) || \
		    strstr((h)->log, (part)) == NULL)                                              \
			print_error("want %s \"%s\", got %s\n", scep_fail_info_name(kind), part,   \
			    (h)->log);                                                             \
		assert_int_equal((h)->http, 200);                                                  \
		assert_int_equal((h)->status, SCEP_FAILURE);                                       \
		assert_int_equal((h)->fail_info, (kind));                                          \
		assert_non_null(strstr((h)->log, (part)));                                         \
	} while (0)
/* Certificates that the store has. */
uint64_t rig_certs(struct rig *r);

#endif
