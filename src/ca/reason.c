/* reason.c - see reason.h. */
#include "ca/reason.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

static const struct {
	const char *name;
	int reason;
	bool may_be_given;
} reasons[] = {
	{ "unspecified", 0, true },
	{ "keyCompromise", 1, true },
	{ "cACompromise", 2, false },
	{ "affiliationChanged", 3, true },
	{ "superseded", 4, true },
	{ "cessationOfOperation", 5, true },
	{ "certificateHold", 6, false },
	{ "removeFromCRL", 8, false },
	{ "privilegeWithdrawn", 9, true },
	{ "aACompromise", 10, false },
};
#define N_REASONS (sizeof(reasons) / sizeof(reasons[0]))

const char *
reason_name(int reason)
{
	for (size_t i = 0; i < N_REASONS; i++)
		if (reasons[i].reason == reason)
			return reasons[i].name;
	return "unknown";
}

int
reason_given(const char *name)
{
	for (size_t i = 0; i < N_REASONS; i++)
		if (reasons[i].may_be_given && strcmp(reasons[i].name, name) == 0)
			return reasons[i].reason;
	return -1;
}
