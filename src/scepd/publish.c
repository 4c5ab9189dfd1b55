/*
 * publish.c - see publish.h: which lists there are, and when a new one is due.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/cond.h"
#include "base/log.h"
#include "scepd/background.h"
#include "scepd/ocsp.h"
#include "scepd/publish_int.h"
#include "store/store_status.h"

#define WAITERS       8     /* requests that wait for the first list after a start */
#define WAIT_FIRST_MS 10000 /* and how long: a million entries are there by then */

/* ---- the lists of a CA ---- */

static void
name_lists(struct crl_lists *c, bool delta, unsigned parts)
{
	struct crl_list *l = c->v;

	l++->kind = LIST_FULL;
	(void)snprintf(c->v[0].name, sizeof(c->v[0].name), "full");
	if (delta) {
		c->delta = l++;
		c->delta->kind = LIST_DELTA;
		(void)snprintf(c->delta->name, sizeof(c->delta->name), "delta");
	}
	if (parts <= 1)
		return;
	c->parts = l;
	c->n_parts = parts;
	for (unsigned i = 0; i < parts; i++) {
		l[i].kind = LIST_PART;
		l[i].part = i;
		(void)snprintf(l[i].name, sizeof(l[i].name), "%u-of-%u", i, parts);
	}
}

enum rc
publish_open(struct scepd *s, struct server_ca *sca, struct err *err)
{
	unsigned parts = (unsigned)sca->conf->crl_partitions;
	struct crl_lists *c = calloc(1, sizeof(*c));
	size_t n = 1 + (sca->conf->crl_delta ? 1u : 0u) + (parts > 1 ? parts : 0);

	if (c == NULL || (c->v = calloc(n, sizeof(*c->v))) == NULL) {
		free(c);
		return fail(err, RC_NOMEM, "CRLs of %s", sca->conf->name);
	}
	c->n = n;
	c->cert_to_file = sca->conf->crl_dir != NULL;
	name_lists(c, sca->conf->crl_delta, parts);
	(void)pthread_mutex_init(&c->lock, NULL);
	(void)cond_init(&c->made);
	sca->crl = c;
	return RC_OK;
}

void
publish_close(struct server_ca *sca)
{
	struct crl_lists *c = sca->crl;

	if (c == NULL)
		return;
	(void)pthread_mutex_destroy(&c->lock);
	(void)pthread_cond_destroy(&c->made);
	for (size_t i = 0; i < c->n; i++)
		http_shared_free(c->v[i].out.der);
	free(c->v);
	free(c);
	sca->crl = NULL;
}

bool
publish_take(struct server_ca *sca, const struct crl_list *l, struct crl_made *out)
{
	(void)pthread_mutex_lock(&sca->crl->lock);
	*out = l->out;
	if (out->der != NULL)
		(void)http_shared_ref(out->der);
	(void)pthread_mutex_unlock(&sca->crl->lock);
	return out->der != NULL;
}

/* ---- when ---- */

static int
one_is_enough(void *arg, const struct store_crl_entry *e)
{
	*(bool *)arg = true;
	return 1;
}

/* Did anything change in the list's scope?  Other CAs' changes and other partitions' are not its own. */
static bool
changed(struct scepd *s, const struct server_ca *sca, struct crl_list *l)
{
	struct store_crl_query q = { .ca = sca->conf->name, .delta = true, .since = l->status };
	uint64_t number = 0;
	bool some = false;

	if (l->kind == LIST_PART) {
		q.parts = sca->crl->n_parts;
		q.part = l->part;
	}
	/* Who cannot look makes a new one, and says what is wrong. */
	if (store_crl_each(s->store, &q, &number, one_is_enough, &some, NULL) != RC_OK)
		return true;
	if (!some)
		l->status = number;
	return some;
}

/*
 * RFC 5280 5.2.4: a delta and a complete list that are issued at the same time have one number, and the
 * signer signs each number once.  So they are never: a delta follows a second later.
 */
static bool
may_follow(const struct crl_lists *c, int64_t now)
{
	return c->v[0].out.der != NULL && now > c->v[0].out.made && c->n_bases > 0;
}

static bool
is_due(struct scepd *s, const struct server_ca *sca, struct crl_list *l, uint64_t status)
{
	int64_t now = clock_now();

	if (clock_mono_ms() < l->wait_ms || (l->kind == LIST_DELTA && !may_follow(sca->crl, now)))
		return false;
	if (l->out.der == NULL || now >= l->renew_at)
		return true;
	return l->status != status && changed(s, sca, l);
}

static void
make_due(struct scepd *s, struct server_ca *sca, struct crl_list *v, size_t n, uint64_t status,
    const atomic_bool *stop)
{
	bool due[CRL_PARTS_MAX] = { false }, some = false;

	for (size_t i = 0; i < n; i++)
		some |= due[i] = is_due(s, sca, &v[i], status);
	if (some)
		publish_make(s, sca, v, n, due, stop);
}

static void
round_of(struct scepd *s, struct server_ca *sca, uint64_t status, const atomic_bool *stop)
{
	struct crl_lists *c = sca->crl;

	if (c->delta != NULL) /* first, so that it is not of the same second as a complete one */
		make_due(s, sca, c->delta, 1, status, stop);
	if (c->delta == NULL || c->delta->out.made < clock_now())
		make_due(s, sca, &c->v[0], 1, status, stop);
	if (c->parts != NULL)
		make_due(s, sca, c->parts, c->n_parts, status, stop);
	if (sca->conf->crl_dir != NULL)
		publish_files(sca);
}

void
publish_round(struct scepd *s, int64_t now_ms, const atomic_bool *stop)
{
	static struct log_limit limit;
	uint64_t status, left_out;
	struct err err;

	(void)pthread_mutex_lock(&s->publish_mu);
	if (store_status_number(s->store, &status, &err) != RC_OK) {
		if (log_within(&limit, clock_mono_ms(), &left_out))
			log_msg(LOG_ERROR, "crl", "number of the last change: %s", err.msg);
	} else {
		ocsp_status_is(s->ocsp, status);
		for (size_t i = 0; i < s->n_cas && (stop == NULL || !*stop); i++)
			round_of(s, &s->cas[i], status, stop);
	}
	(void)pthread_mutex_unlock(&s->publish_mu);
}

void
publish_wake(struct scepd *s)
{
	background_wake(s->background, DUTY_PUBLISH);
}

/* ---- the complete list ---- */

static void
wait_for_first(struct crl_lists *c)
{
	int64_t until = clock_mono_ms() + WAIT_FIRST_MS;

	(void)pthread_mutex_lock(&c->lock);
	if (c->v[0].out.der == NULL && c->waiting < WAITERS) {
		c->waiting++;
		while (c->v[0].out.der == NULL && cond_wait_until(&c->made, &c->lock, until))
			;
		c->waiting--;
	}
	(void)pthread_mutex_unlock(&c->lock);
}

enum rc
publish_current_crl(
    struct http_shared **out, struct scepd *s, struct server_ca *sca, struct err *err)
{
	struct crl_made made;

	if (s->background == NULL) /* nobody else makes one */
		publish_round(s, clock_now_ms(), NULL);
	else
		wait_for_first(sca->crl);
	if (!publish_take(sca, &sca->crl->v[0], &made))
		return fail(err, RC_IO, "%s: there is no CRL yet", sca->conf->name);
	*out = made.der;
	return RC_OK;
}
