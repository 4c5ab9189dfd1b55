/*
 * challenge_fuzz.c - challenges as they come back in requests.  None that we did not seal opens.
 */
#include "sim_actor.h"

#include "intunesim/challenge.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct view *view = sim_view(sim_actor());
	char *text = malloc(size + 1);
	enum scep_code code;
	struct buf payload;

	buf_init(&payload, CHALLENGE_PAYLOAD_MAX);
	if (text != NULL) {
		memcpy(text, data, size);
		text[size] = '\0';
		if (challenge_open(&payload, &code, sim_actor(), view, text, NULL) == RC_OK)
			abort();
	}
	free(text);
	buf_done(&payload);
	view_done(view);
	return 0;
}
