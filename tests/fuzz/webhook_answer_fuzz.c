/* webhook_answer_fuzz.c - what a webhook may say: a yes is written as one (S21). */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "scepd/webhook.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct webhook_answer a;
	struct err err;

	if (webhook_answer_parse(&a, data, len, &err) != RC_OK)
		return 0;
	if (a.says < WEBHOOK_ALLOW || a.says > WEBHOOK_WAIT ||
	    strlen(a.reason) > WEBHOOK_REASON_MAX)
		abort();
	return 0;
}
