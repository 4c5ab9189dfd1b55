/*
 * limits.h - the maxima of the whole tree, each with its reason.  Bytes unless said.
 */
#ifndef SCEPD_BASE_LIMITS_H
#define SCEPD_BASE_LIMITS_H

#define KIB 1024u
#define MIB (1024u * KIB)

#define LIMIT_HTTP_URL     65534u      /* what NDES asks IIS to allow (MaxFieldLength 65534) */
#define LIMIT_HTTP_HEADER  (32u * KIB) /* all header lines of a request after the first line */
#define LIMIT_HTTP_BODY    (1u * MIB)  /* SCEP messages are 2..40 KiB; NDES proxies allow 1 MiB */
#define LIMIT_SCEP_MESSAGE LIMIT_HTTP_BODY
#define LIMIT_CSR          (128u * KIB) /* an Intune challenge makes a CSR 4..40 KiB */
#define LIMIT_CHALLENGE    (64u * KIB)  /* inside the CSR */
#define LIMIT_CERT         (64u * KIB)  /* one certificate */
#define LIMIT_CHAIN        (512u * KIB) /* a certs-only message */
#define LIMIT_TXID                                                                                 \
	255u /* transactionID: opaque, PrintableString (micromdm: base64, others hex)              \
	      */
#define LIMIT_MSG_CERTS                                                                            \
	8u                   /* certificates in one PKIMessage: clients send 1, some a short chain \
			      */
#define LIMIT_RECIPIENTS 4u  /* RecipientInfos: clients send 1 */
#define LIMIT_ATTRS      32u /* signed attributes or CSR attributes */
#define LIMIT_RSA_BITS                                                                             \
	8192u /* a public operation with more costs too much before authentication                 \
	       */
#define LIMIT_RSA_EXP_BITS 33u        /* exponent at most 2^32: a huge one is a denial of service */
#define LIMIT_SAN          64u        /* alternative names in one certificate */
#define LIMIT_JSON         (1u * MIB) /* one reply of Entra, Graph or Intune */
#define LIMIT_JSON_PAGE    (4u * MIB) /* a page of a list of Graph's: intune/directory_list.c */
#define LIMIT_JSON_DEPTH   64u
#define LIMIT_CONFIG       (4u * MIB) /* a configuration or tenant file */
#define LIMIT_SECRET_FILE  (64u * KIB)

#endif
