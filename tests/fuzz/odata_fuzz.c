/* odata_fuzz.c - the query of a call to the simulated Graph. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "intunesim/odata.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char *text = malloc(len + 1);
	struct odata_query q;
	json_t *object = json_pack("{s:s, s:b}", "id", "1", "on", 1), *out;
	struct err err;

	if (text != NULL && object != NULL) {
		memcpy(text, data, len);
		text[len] = '\0';
		if (odata_parse(&q, text, &err) == RC_OK) {
			(void)odata_match(&q, object);
			if (odata_check(&q, object, "type", &err) == RC_OK &&
			    (out = odata_select(&q, object, NULL)) != NULL)
				json_decref(out);
		}
	}
	json_decref(object);
	free(text);
	return 0;
}
