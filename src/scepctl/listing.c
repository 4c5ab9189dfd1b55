/*
 * listing.c - see listing.h.
 */
#include "scepctl/listing.h"

int
listing_printed(struct listing *l, int64_t id)
{
	l->last = id;
	l->n++;
	return 0;
}

int
listing_item(struct listing *l, int64_t id, json_t *o)
{
	l->failed = !ctl_json_item(o, l->n == 0);
	l->last = id;
	l->n++;
	return l->failed;
}

bool
listing_goes_on(struct listing *l, enum rc rc)
{
	bool full = l->n - l->seen == LISTING_PAGE;

	l->seen = l->n;
	return rc == RC_OK && !l->failed && full;
}

enum rc
listing_end(const struct listing *l, enum rc rc, struct err *err)
{
	return rc == RC_OK && l->failed ? fail(err, RC_NOMEM, "out of memory for JSON") : rc;
}

void
listing_close(const struct listing *l, const char *none)
{
	if (l->json)
		(void)printf("%s]\n", l->n > 0 ? "" : "[");
	else if (l->n == 0)
		(void)printf("%s", none);
}
