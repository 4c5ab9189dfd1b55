/* sweep_part.c - a plan that was made: what is in it, and how much a part of it is.  See sweep_plan.h. */
#include <string.h>

#include "scepd/sweep_plan.h"

const struct planned *
sweep_plan_find(
    const struct sweep_plan *p, int64_t cert_id, const char *rule, enum cause_effect effect)
{
	size_t low = 0, high = p->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (p->v[mid].cert_id < cert_id)
			low = mid + 1;
		else
			high = mid;
	}
	for (; low < p->n && p->v[low].cert_id == cert_id; low++)
		if (p->v[low].effect == effect && strcmp(p->names[p->v[low].rule], rule) == 0)
			return &p->v[low];
	return NULL;
}

void
plan_part_done(struct plan_part *part)
{
	owners_done(&part->owners);
	*part = (struct plan_part){ 0 };
}

enum rc
plan_part(
    struct plan_part *out, const struct sweep_plan *p, const struct owners *but, struct err *err)
{
	struct plan_part part = { 0 };
	int64_t last = 0; /* row ids are above 0 */
	enum rc rc = RC_OK;

	for (size_t i = 0; i < p->n && rc == RC_OK; i++) {
		if (but != NULL && owners_has(but, p->v[i].owner))
			continue;
		part.turns++;
		if (p->v[i].cert_id == last)
			continue;
		part.certs++;
		last = p->v[i].cert_id;
		rc = owners_add(&part.owners, p->v[i].owner, err);
	}
	owners_sort(&part.owners);
	if (rc == RC_OK)
		*out = part;
	else
		plan_part_done(&part);
	return rc;
}

bool
plan_brake(char why[static BRAKE_WHY_MAX], const struct conf_brake *b, const struct sweep_plan *p,
    const struct plan_part *part, const struct owners *lately)
{
	const struct brake_ask a = { .owners = part->owners.n,
		.of_owners = p->seen.n,
		.certs = part->certs,
		.of_certs = p->of,
		.lately = owners_beside(lately, &part->owners) };

	return sweep_brake(why, b, &a);
}
