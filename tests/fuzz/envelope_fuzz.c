/*
 * envelope_fuzz.c - anything as an EnvelopedData with recipients of every kind, opened as far as that goes
 * without a private key: the shared secret is 32 times 0x5a, the password is "fuzz".
 */
#include <string.h>

#include "ossl/cms.h"
#include "ossl/cms_kari.h"
#include "ossl/cms_pwri.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum rc
key_of(uint8_t *cek, size_t len, const struct cms_enveloped *e, size_t i)
{
	static const struct pwri under = { "fuzz", 4, 1000, CIPHER_NONE };
	uint8_t z[32];

	memset(z, 0x5a, sizeof(z));
	switch (cms_enveloped_kind(e, i)) {
	case CMS_KEY_AGREE:
		return kari_unwrap(cek, len, cms_enveloped_kari0(e, i), z, sizeof(z), NULL);
	case CMS_PASSWORD:
		return pwri_open(cek, len, cms_enveloped_password0(e, i), &under, NULL);
	default:
		memset(cek, 0, len);
		return RC_OK;
	}
}

static void
open_all(const struct cms_enveloped *e)
{
	size_t len = cipher_key_size(cms_enveloped_cipher(e)), i;
	uint8_t cek[CEK_SIZE_MAX];
	struct buf out;

	if (cms_enveloped_n_recipients(e) == 0 || len == 0)
		__builtin_trap();
	for (i = 0; i < cms_enveloped_n_recipients(e); i++) {
		buf_init(&out, LIMIT_SCEP_MESSAGE);
		if (key_of(cek, len, e, i) == RC_OK)
			(void)!cms_enveloped_open(&out, e, cek, len, NULL);
		buf_done(&out);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cms_enveloped *e;
	size_t i;

	if (cms_enveloped_parse_kinds(
		&e, data, size, CMS_KEY_TRANS | CMS_KEY_AGREE | CMS_PASSWORD, NULL) == RC_OK) {
		open_all(e);
		cms_enveloped_free(e);
	}
	if (cms_enveloped_parse(&e, data, size, NULL) != RC_OK)
		return 0;
	for (i = 0; i < cms_enveloped_n_recipients(e); i++)
		if (cms_enveloped_kind(e, i) != CMS_KEY_TRANS)
			__builtin_trap();
	cms_enveloped_free(e);
	return 0;
}
