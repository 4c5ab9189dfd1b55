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

/* Certificates whose status has changed since the list that a delta is of, of all CAs together.  A delta of more is
 * no saving for anybody, and is sorted in memory (some 10 MB). */
#define DELTA_CHANGES_MAX 100000

#define WAITERS       8     /* requests that wait for the first list after a start */
#define WAIT_FIRST_MS 10000 /* and how long: a million entries are there by then */

/* ---- the lists of a CA ---- */

static void
name_lists(struct crl_lists *c, bool delta, unsigned parts)
{
	struct published *l = c->v;

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
	c->delta_changes = DELTA_CHANGES_MAX;
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
publish_take(struct server_ca *sca, const struct published *l, struct crl_made *out)
{
	(void)pthread_mutex_lock(&sca->crl->lock);
	*out = l->out;
	if (out->der != NULL)
		(void)http_shared_ref(out->der);
	(void)pthread_mutex_unlock(&sca->crl->lock);
	return out->der != NULL;
}

/* ---- when ---- */

/* Lists of one kind that are asked about, and those among them that are due. */
struct due {
	struct published *v;
	size_t n, left;            /* asked about, and not known to have changed */
	bool asked[CRL_PARTS_MAX]; /* by a change in its scope alone */
	bool is[CRL_PARTS_MAX];
};

static int
note_change(void *arg, const struct store_change *c)
{
	struct due *d = arg;
	size_t i = c->serial_len > 0 ? c->serial[c->serial_len - 1] & (d->n - 1) : 0;

	if (d->asked[i] && !d->is[i] && c->number > d->v[i].status) {
		d->is[i] = true;
		d->left--;
	}
	return d->left == 0;
}

/* Did anything change in their scopes?  Other CAs' changes and other partitions' are not their own.  One look for
 * all partitions: after a million changes one for each would take minutes. */
static void
look_for_changes(struct scepd *s, const struct server_ca *sca, struct due *d)
{
	uint64_t since = UINT64_MAX, number = 0;
	enum rc rc;

	for (size_t i = 0; i < d->n; i++)
		if (d->asked[i] && d->v[i].status < since)
			since = d->v[i].status;
	rc = store_changes_each(s->store, sca->conf->name, since, &number, note_change, d, NULL);
	for (size_t i = 0; i < d->n; i++) {
		if (!d->asked[i])
			continue;
		/* Who cannot look makes a new one, and says what is wrong. */
		if (rc != RC_OK)
			d->is[i] = true;
		else if (!d->is[i])
			d->v[i].status = number;
	}
}

static void
tell_left(const struct server_ca *sca, const struct crl_base *base, uint64_t changes)
{
	struct log_line line;

	log_begin(&line, LOG_INFO, "crl");
	log_str(&line, "ca", sca->conf->name);
	log_str(&line, "list", sca->crl->delta->name);
	log_int(&line, "left-base", (int64_t)base->number);
	log_int(&line, "changes", (int64_t)changes);
	log_end(&line);
}

/*
 * The list that deltas are of: the oldest that somebody may still hold, unless more has changed since than a delta
 * is good for (DELTA_CHANGES_MAX).  Then a younger one, and whoever holds an older one fetches the complete list.
 * False: there is none as yet, and the next complete list will be one.
 *
 * RFC 5280 5.2.4: a delta and a complete list that are issued at the same time have one number, and the
 * signer signs each number once.  So they are never: a delta follows a second later.
 */
static bool
base_is_there(const struct server_ca *sca, uint64_t status)
{
	struct crl_lists *c = sca->crl;
	struct published *full = &c->v[0];

	if (full->out.der == NULL || clock_now() <= full->out.made)
		return false;
	while (c->n_bases > 0 && status - c->bases[0].status > c->delta_changes) {
		tell_left(sca, &c->bases[0], status - c->bases[0].status);
		memmove(c->bases, c->bases + 1, --c->n_bases * sizeof(c->bases[0]));
	}
	if (c->n_bases == 0 && status - full->status <= c->delta_changes)
		c->bases[c->n_bases++] = (struct crl_base){ full->out.number, full->status,
			full->out.made, full->out.next_update };
	return c->n_bases > 0;
}

static void
look_at(struct due *d, const struct server_ca *sca, size_t i, uint64_t status)
{
	const struct published *l = &d->v[i];

	if (clock_mono_ms() < l->wait_ms || (l->kind == LIST_DELTA && !base_is_there(sca, status)))
		return;
	if (l->out.der == NULL || clock_now() >= l->renew_at) {
		d->is[i] = true;
	} else if (l->status != status) {
		d->asked[i] = true;
		d->left++;
	}
}

static void
make_due(struct scepd *s, struct server_ca *sca, struct published *v, size_t n, uint64_t status,
    const atomic_bool *stop)
{
	struct due d = { .v = v, .n = n };
	bool some = false;

	for (size_t i = 0; i < n; i++)
		look_at(&d, sca, i, status);
	if (d.left > 0)
		look_for_changes(s, sca, &d);
	for (size_t i = 0; i < n; i++)
		some |= d.is[i];
	if (some)
		publish_make(s, sca, v, n, d.is, stop);
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
