/*
 * cert_fuzz.c - cert_parse(), cert_parse_known(), cert_parse_tbs() and certs_parse_pem() on anything.
 */
#include "ossl/cert.h"

#define CERTS 4

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A certificate that parses verifies or not against itself, and its PEM reads back. */
static void
use(struct cert *c)
{
	struct cert *again[1];
	struct buf pem;
	size_t n = 0;

	(void)!cert_verify_by(c, c, NULL);
	buf_init(&pem, 1 << 20);
	cert_pem(&pem, c);
	if (certs_parse_pem(again, 1, &n, pem.data, pem.len, NULL) != RC_OK || n != 1)
		__builtin_trap();
	cert_free(again[0]);
	buf_done(&pem);
}

/* It takes what cert_parse() takes, and says the same of it. */
static void
known(const uint8_t *data, size_t size, bool parsed)
{
	struct cert *c;
	size_t left_out = 0;

	if (cert_parse_known(&c, data, size, NULL) == RC_OK) {
		left_out = cert_san_left_out(c);
		cert_free(c);
		if (parsed != (left_out == 0))
			__builtin_trap();
	} else if (parsed) {
		__builtin_trap();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	bool parsed = false;
	struct cert *c, *certs[CERTS];
	enum digest digest;
	size_t n = 0;

	if (cert_parse(&c, data, size, NULL) == RC_OK) {
		parsed = true;
		use(c);
		cert_free(c);
	}
	known(data, size, parsed);
	if (cert_parse_tbs(&c, &digest, data, size, NULL) == RC_OK)
		cert_free(c);
	if (certs_parse_pem(certs, CERTS, &n, data, size, NULL) == RC_OK)
		while (n > 0)
			cert_free(certs[--n]);
	return 0;
}
