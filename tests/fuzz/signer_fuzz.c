/*
 * signer_fuzz.c - what the signer reads before it signs: TBSCertificate, TBSCertList, ResponseData,
 * attributes of a CertRep; and what it is offered as a responder's certificate.  The first octet chooses.
 */
#include "ossl/cert.h"
#include "signer/signer.h"
#include "signer/signer_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* SEQUENCE {}, so that the simplest issuer there is fits. */
static const uint8_t name[] = { 0x30, 0x00 };
static const uint8_t spki[] = { 0x30, 0x01, 0x05 };
static const char *const eku[] = { "1.3.6.1.5.5.7.3.2" };

/* A CA's certificate, with its length before it, and behind it the responder's. */
static void
responder(const uint8_t *data, size_t size)
{
	size_t len = size < 2 ? 0 : (size_t)data[0] << 8 | data[1];
	struct cert *ca = NULL, *c = NULL;
	struct err err;

	if (size < 2 || len > size - 2)
		return;
	if (cert_parse(&ca, data + 2, len, &err) == RC_OK &&
	    cert_parse(&c, data + 2 + len, size - 2 - len, &err) == RC_OK)
		(void)!signer_responder_check(c, ca, &err);
	cert_free(ca);
	cert_free(c);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct sign_rules rules = { .subject = { name, sizeof(name) },
		.spki = { spki, sizeof(spki) },
		.key_type = KEY_RSA,
		.not_after = INT64_MAX,
		.max_validity = 366 * 86400,
		.eku = eku,
		.n_eku = 1,
		.key_usage = KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT,
		.issues = true,
		.rsa_min = 1024,
		.rsa_max = 8192,
		.ec_curves = SIGNER_P256 | SIGNER_P384 | SIGNER_P521,
		.crl_validity_max = 400 * 86400 };
	static const struct ocsp_names names;
	struct tbs_facts facts;
	struct err err;

	if (size == 0)
		return 0;
	if (data[0] == 0)
		(void)!check_tbs_cert(&facts, &rules, 1700000000, data + 1, size - 1, &err);
	else if (data[0] == 1)
		(void)!check_tbs_crl(&facts, &rules, 1700000000, data + 1, size - 1, &err);
	else if (data[0] == 2)
		(void)!check_ocsp_data(&names, 1700000000, data + 1, size - 1, &err);
	else if (data[0] == 4)
		responder(data + 1, size - 1);
	else
		(void)!check_certrep_attrs(DIGEST_SHA256, data + 1, size - 1, &err);
	return 0;
}
