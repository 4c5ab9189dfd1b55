/*
 * fault_rule_fuzz.c - rules of bad days, as an argument and as JSON.  One that is taken reads back
 * as itself.
 */
#include <stdint.h>
#include <stdlib.h>

#include "intunesim/faults.h"

static void
round_trip(const struct fault_rule *r)
{
	json_t *first = fault_rule_json(r), *second;
	struct fault_rule again;

	if (first == NULL || fault_rule_read(&again, first, NULL) != RC_OK)
		abort();
	second = fault_rule_json(&again);
	if (!json_equal(first, second))
		abort();
	json_decref(first);
	json_decref(second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fault_rule r;
	json_t *o;

	if (fault_rule_parse(&r, (const char *)data, size, NULL) == RC_OK)
		round_trip(&r);
	if (json_parse(&o, data, size, NULL) != RC_OK)
		return 0;
	if (fault_rule_read(&r, o, NULL) == RC_OK)
		round_trip(&r);
	json_decref(o);
	return 0;
}
