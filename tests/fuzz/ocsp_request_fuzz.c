/*
 * ocsp_request_fuzz.c - ocsp_request_parse() on anything; what it takes can be answered.
 */
#include "ossl/ocsp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct ocsp_issuer nobody;
	struct ocsp_single singles[OCSP_CERTS_MAX];
	struct ocsp_answer a = { .produced = 1900000000, .singles = singles };
	struct ocsp_request r;
	struct buf out;

	if (ocsp_request_parse(&r, data, size, NULL) != RC_OK)
		return 0;
	if (r.n_ids == 0 || r.n_ids > OCSP_CERTS_MAX)
		__builtin_trap();
	for (; a.n_singles < r.n_ids; a.n_singles++) {
		(void)ocsp_id_is_of(&r.ids[a.n_singles], &nobody);
		singles[a.n_singles] = (struct ocsp_single){ .id = r.ids[a.n_singles].whole,
			.status = a.n_singles % 3,
			.revoked = 1900000000,
			.reason = 1,
			.this_update = 1900000000,
			.next_update = 1900003600 };
	}
	a.nonce = r.nonce;
	buf_init(&out, 2 * OCSP_REQUEST_MAX);
	if (ocsp_response_data_build(&out, &a, NULL) != RC_OK)
		__builtin_trap();
	buf_done(&out);
	return 0;
}
