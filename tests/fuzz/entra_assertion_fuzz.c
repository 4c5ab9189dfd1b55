/*
 * entra_assertion_fuzz.c - client assertions.  Nobody here has the key, so none may prove the app.
 */
#include "base/text.h"
#include "sim_actor.h"

#define FORM                                                                                       \
	"grant_type=client_credentials&client_id=" SIM_APP                                         \
	"&scope=https://graph.microsoft.com/.default&client_assertion_type="                       \
	"urn:ietf:params:oauth:client-assertion-type:jwt-bearer&client_assertion="

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct http_header form = { "Content-Type",
		"application/x-www-form-urlencoded" };
	struct buf body;

	buf_init(&body, 1 << 20);
	buf_adds(&body, FORM);
	url_encode_add(&body, (const char *)data, size);
	if (body.rc == RC_OK &&
	    sim_ask("POST", "/fuzz.example/oauth2/v2.0/token", &form, 1, body.data, body.len) ==
		200)
		abort();
	buf_done(&body);
	return 0;
}
