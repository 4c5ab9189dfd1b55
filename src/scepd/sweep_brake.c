/* sweep_brake.c - see sweep_brake.h. */
#include "scepd/sweep_brake.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/siphash.h"

/* ---- owners ---- */

/*
 * Names a device that the directory does not know, and a user whom it does.  Who writes his requests by himself makes up
 * devices as he likes: each would be an owner of its own, and the brake would stop when he is disabled.
 */
static bool
device_is_made_up(const struct store_subject *c)
{
	return c->binding->user[0] != '\0' && c->binding->device_object[0] == '\0' &&
	    c->device == NULL && c->managed == NULL;
}

/* Two certificates of one device may have been bound by different names; what both have then is Entra's object id, if
 * Entra knows the device. */
uint64_t
owner_of(const struct store_subject *c)
{
	static const uint8_t key[16] =
	    "owner of a cert"; /* not secret: the same in all processes */
	const struct store_binding *b = c->binding;
	const struct {
		char kind;
		const char *id;
	} ids[] = { { 'o', b->device_object }, { 'm', b->managed }, { 'd', b->device },
		{ 'u', b->user } };
	char text[192];
	int len;

	for (size_t i = device_is_made_up(c) ? 3 : 0; i < sizeof(ids) / sizeof(ids[0]); i++)
		if (ids[i].id[0] != '\0') {
			len = snprintf(
			    text, sizeof(text), "%c%s %s", ids[i].kind, ids[i].id, b->tenant);
			return siphash24(key, text, (size_t)len);
		}
	len = snprintf(text, sizeof(text), "c%s %.100s", c->serial, c->ca);
	return siphash24(key, text, (size_t)len);
}

void
owners_done(struct owners *o)
{
	free(o->v);
	*o = (struct owners){ 0 };
}

enum rc
owners_add(struct owners *o, uint64_t owner, struct err *err)
{
	size_t more = o->room == 0 ? 256 : 2 * o->room;
	uint64_t *grown;

	if (o->n == o->room) {
		if ((grown = reallocarray(o->v, more, sizeof(*grown))) == NULL)
			return fail(err, RC_NOMEM, "no memory for a sweep");
		o->v = grown;
		o->room = more;
	}
	o->v[o->n++] = owner;
	return RC_OK;
}

static int
by_number(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void
in_order(struct owners *o)
{
	if (o->n > 1)
		qsort(o->v, o->n, sizeof(o->v[0]), by_number);
}

void
owners_sort(struct owners *o)
{
	static const uint64_t apart = UINT64_C(0x9e3779b97f4a7c15); /* odd: no two are the same */
	size_t n = 0, run = 0;
	uint64_t owner = 0;
	bool again = false;

	in_order(o);
	for (size_t i = 0; i < o->n; i++) {
		run = i > 0 && o->v[i] == owner ? run + 1 : 0;
		owner = o->v[i];
		if (run % OWNER_CERTS == 0) /* n <= i */
			o->v[n++] = owner + run / OWNER_CERTS * apart;
		again = again || run >= OWNER_CERTS;
	}
	o->n = n;
	if (again)
		in_order(o);
}

bool
owners_has(const struct owners *o, uint64_t owner)
{
	return o->n > 0 && bsearch(&owner, o->v, o->n, sizeof(o->v[0]), by_number) != NULL;
}

size_t
owners_beside(const struct owners *o, const struct owners *others)
{
	size_t n = 0;

	for (size_t i = 0; i < o->n; i++)
		n += !owners_has(others, o->v[i]);
	return n;
}

/* ---- lately ---- */

struct reading {
	struct owners *out;
	struct err *err;
	enum rc rc;
};

static int
on_owner(void *arg, uint64_t owner)
{
	struct reading *r = arg;

	r->rc = owners_add(r->out, owner, r->err);
	return r->rc != RC_OK;
}

enum rc
brake_lately(
    struct owners *out, struct store *s, const struct conf_brake *b, int64_t now, struct err *err)
{
	struct owners got = { 0 };
	struct reading r = { &got, err, RC_OK };
	enum rc rc = RC_OK;

	if (b->window > 0)
		rc = store_turned_since(s, now - b->window, on_owner, &r, err);
	if (rc == RC_OK)
		rc = r.rc;
	if (rc != RC_OK) {
		owners_done(&got);
		return rc;
	}
	owners_sort(&got);
	*out = got;
	return RC_OK;
}

/* ---- the brake ---- */

bool
sweep_brake(char why[static BRAKE_WHY_MAX], const struct conf_brake *b, const struct brake_ask *a)
{
	uint64_t all = a->owners + a->lately;
	bool many = all > b->count, share = all * 100 > b->percent * a->of_owners;
	char limit[64] = "within the brake", before[96] = "";

	if (all > b->minimum && many)
		(void)snprintf(
		    limit, sizeof(limit), "more than %llu", (unsigned long long)b->count);
	else if (all > b->minimum && share)
		(void)snprintf(
		    limit, sizeof(limit), "more than %llu %%", (unsigned long long)b->percent);
	if (a->lately > 0)
		(void)snprintf(before, sizeof(before),
		    " after %llu others in the last %lld minutes", (unsigned long long)a->lately,
		    (long long)(b->window / 60));
	(void)snprintf(why, BRAKE_WHY_MAX,
	    "%llu of %llu devices and users (%llu of %llu certificates)%s, %s",
	    (unsigned long long)a->owners, (unsigned long long)a->of_owners,
	    (unsigned long long)a->certs, (unsigned long long)a->of_certs, before, limit);
	return a->owners > 0 && all > b->minimum && (many || share);
}
