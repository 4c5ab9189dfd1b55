/* admin_json_fuzz.c - bodies of the admin API: the first byte chooses the door. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "scepd/admin_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct admin_status_ask status;
	struct admin_cert_ask cert;
	struct admin_otp_ask ask;
	struct admin_decision d;
	struct err err;

	if (len == 0)
		return 0;
	if (data[0] & 2) {
		if (admin_cert_ask_parse(&cert, data + 1, len - 1, &err) == RC_OK) {
			if (cert.serial[0] == '\0')
				abort();
			admin_cert_ask_done(&cert);
		}
	} else if (data[0] & 4) {
		if (admin_status_parse(&status,
			(enum cause_effect)(data[0] >> 4 & 1 ? CAUSE_HOLD : CAUSE_REVOKE),
			(data[0] & 8) != 0, 1, data + 1, len - 1, &err) == RC_OK &&
		    (strlen(status.comment) > ADMIN_TEXT_MAX || status.until < 0))
			abort();
	} else if (data[0] & 1) {
		if (admin_otp_parse(&ask, data + 1, len - 1, &err) == RC_OK &&
		    (ask.uses < 1 || ask.uses > STORE_OTP_USES_MAX || ask.lifetime < 0 ||
			ask.endpoint[0] == '\0' || strlen(ask.subject) > ADMIN_TEXT_MAX))
			abort();
	} else if (admin_decision_parse(&d, data + 1, len - 1, &err) == RC_OK &&
	    strlen(d.reason) > ADMIN_TEXT_MAX) {
		abort();
	}
	return 0;
}
