/*
 * revocations.c - slots in no order; an item's number says how old it is.
 */
#include "intunesim/revocations.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "ossl/alg.h"

#define CONTEXT_BYTES 20 /* nobody guesses the item of somebody else */

struct slot {
	uint64_t number; /* 0: empty */
	struct revocation item;
};

struct revocations {
	pthread_mutex_t lock;
	struct slot *slots; /* REVOCATIONS_MAX */
	size_t n;           /* used ones are in front */
	uint64_t newest;
};

const char *
revocation_cause_name(enum revocation_cause c)
{
	static const char *const names[CAUSE__MAX] = { "none", "wipe", "retire", "unenrol",
		"leftGroup", "unassigned", "profileChanged", "administrator" };

	return (unsigned)c < CAUSE__MAX ? names[c] : "unknown";
}

const char *
revocation_status_name(enum revocation_status s)
{
	static const char *const names[] = { "pending", "revoked", "failed" };

	return (unsigned)s < sizeof(names) / sizeof(names[0]) ? names[s] : "unknown";
}

enum rc
revocations_new(struct revocations **out, struct err *err)
{
	struct revocations *q = calloc(1, sizeof(*q));

	if (q == NULL || (q->slots = calloc(REVOCATIONS_MAX, sizeof(*q->slots))) == NULL) {
		free(q);
		return fail(err, RC_NOMEM, "out of memory");
	}
	pthread_mutex_init(&q->lock, NULL);
	*out = q;
	return RC_OK;
}

void
revocations_free(struct revocations *q)
{
	if (q == NULL)
		return;
	pthread_mutex_destroy(&q->lock);
	free(q->slots);
	free(q);
}

/* ---- queueing ---- */

static enum rc
make_context(char out[static REVOCATION_CONTEXT_MAX], struct err *err)
{
	uint8_t bytes[CONTEXT_BYTES];
	enum rc rc;

	if ((rc = random_bytes(bytes, sizeof(bytes), err)) == RC_OK)
		hex_lower(out, bytes, sizeof(bytes));
	return rc;
}

static bool
gives_way_before(const struct slot *a, const struct slot *b)
{
	bool a_decided = a->item.status != REVOCATION_PENDING,
	     b_decided = b->item.status != REVOCATION_PENDING;

	return a_decided != b_decided ? a_decided : a->number < b->number;
}

static struct slot *
free_slot(struct revocations *q)
{
	struct slot *victim = &q->slots[0];

	if (q->n < REVOCATIONS_MAX)
		return &q->slots[q->n++];
	for (size_t i = 1; i < q->n; i++) {
		if (gives_way_before(&q->slots[i], victim))
			victim = &q->slots[i];
	}
	return victim;
}

static void
log_item(enum log_level level, const char *what, const struct revocation *r)
{
	struct log_line l;

	log_begin(&l, level, what);
	log_str(&l, "tenant", r->certificate.of.tenant);
	log_str(&l, "device", r->certificate.of.device);
	log_str(&l, "profile", r->certificate.of.profile);
	log_str(&l, "serial", r->certificate.serial);
	log_str(&l, "cause", revocation_cause_name(r->cause));
	log_str(&l, "status", revocation_status_name(r->status));
	log_str(&l, "error", r->error[0] != '\0' ? r->error : NULL);
	log_end(&l);
}

void
revocations_add(struct revocations *q, const struct certificate *c, enum revocation_cause cause)
{
	struct revocation item = { .certificate = *c, .cause = cause, .queued = clock_now() };
	struct log_line l;
	struct slot *slot;
	struct err err;

	if (make_context(item.context, &err) != RC_OK) {
		log_begin(&l, LOG_ERROR, "revocation-lost");
		log_str(&l, "serial", c->serial);
		log_err(&l, &err);
		log_end(&l);
		return;
	}
	pthread_mutex_lock(&q->lock);
	slot = free_slot(q);
	slot->number = ++q->newest;
	slot->item = item;
	pthread_mutex_unlock(&q->lock);
	log_item(LOG_INFO, "revocation-queued", &item);
}

/* ---- downloads ---- */

static int
by_number(const void *a, const void *b)
{
	const struct slot *x = *(struct slot *const *)a, *y = *(struct slot *const *)b;

	return (x->number > y->number) - (x->number < y->number);
}

size_t
revocations_take(struct revocations *q, const char *tenant_id, struct revocation *out, size_t max)
{
	struct slot **due = calloc(REVOCATIONS_MAX, sizeof(struct slot *));
	size_t n = 0;

	if (due == NULL)
		return 0;
	pthread_mutex_lock(&q->lock);
	for (size_t i = 0; i < q->n; i++) {
		struct slot *s = &q->slots[i];

		if (s->item.status == REVOCATION_PENDING &&
		    str_eq_nocase(s->item.certificate.of.tenant_id, tenant_id))
			due[n++] = s;
	}
	qsort(due, n, sizeof(struct slot *), by_number);
	n = n < max ? n : max;
	for (size_t i = 0; i < n; i++) {
		due[i]->item.downloads++;
		out[i] = due[i]->item;
	}
	pthread_mutex_unlock(&q->lock);
	free(due);
	return n;
}

/* ---- results ---- */

static struct revocation *
find_context(struct revocations *q, const char *tenant_id, const char *context)
{
	for (size_t i = 0; i < q->n; i++) {
		struct revocation *r = &q->slots[i].item;

		if (strcmp(r->context, context) == 0 &&
		    str_eq_nocase(r->certificate.of.tenant_id, tenant_id))
			return r;
	}
	return NULL;
}

static void
copy_text(char out[static REPORT_TEXT_MAX], const char *text)
{
	snprintf(out, REPORT_TEXT_MAX, "%s", text != NULL ? text : "");
	str_printable(out);
}

static void
take_in(struct revocation *item, const struct revocation_result *r)
{
	item->changed = clock_now();
	item->failures += !r->succeeded;
	if (item->status == REVOCATION_REVOKED)
		return;
	if (r->succeeded)
		item->status = REVOCATION_REVOKED;
	else
		item->status = r->retry ? REVOCATION_PENDING : REVOCATION_FAILED;
	copy_text(item->error, r->error);
	copy_text(item->message, r->message);
}

bool
revocations_result(struct revocations *q, const char *tenant_id, const struct revocation_result *r)
{
	struct revocation *item, copy;

	pthread_mutex_lock(&q->lock);
	if ((item = find_context(q, tenant_id, r->context)) != NULL) {
		take_in(item, r);
		copy = *item;
	}
	pthread_mutex_unlock(&q->lock);
	if (item != NULL)
		log_item(LOG_INFO, "revocation-result", &copy);
	return item != NULL;
}

/* ---- looking ---- */

static int
slots_by_number(const void *a, const void *b)
{
	const struct slot *x = a, *y = b;

	return (x->number > y->number) - (x->number < y->number);
}

enum rc
revocations_list(struct revocations *q, struct revocation **rows, size_t *n, struct err *err)
{
	struct revocation *items;
	struct slot *copy;
	size_t count;

	pthread_mutex_lock(&q->lock);
	count = q->n;
	copy = calloc(count + 1, sizeof(*copy));
	for (size_t i = 0; copy != NULL && i < count; i++)
		copy[i] = q->slots[i];
	pthread_mutex_unlock(&q->lock);
	items = calloc(count + 1, sizeof(*items));
	if (copy == NULL || items == NULL) {
		free(copy);
		free(items);
		return fail(err, RC_NOMEM, "out of memory");
	}
	qsort(copy, count, sizeof(*copy), slots_by_number);
	for (size_t i = 0; i < count; i++)
		items[i] = copy[i].item;
	free(copy);
	*rows = items;
	*n = count;
	return RC_OK;
}

bool
revocations_find(
    struct revocations *q, const char *tenant_id, const char *thumbprint, struct revocation *out)
{
	const struct slot *found = NULL;

	pthread_mutex_lock(&q->lock);
	for (size_t i = 0; i < q->n; i++) {
		const struct slot *s = &q->slots[i];

		if ((found == NULL || s->number > found->number) &&
		    str_eq_nocase(s->item.certificate.thumbprint, thumbprint) &&
		    str_eq_nocase(s->item.certificate.of.tenant_id, tenant_id))
			found = s;
	}
	if (found != NULL)
		*out = found->item;
	pthread_mutex_unlock(&q->lock);
	return found != NULL;
}
