/*
 * publish_make.c - lists of a CA, from the store to the signature.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/text.h"
#include "scepd/publish_int.h"
#include "store/store_status.h"

#define SLACK       65536 /* bytes more than the last one had, before memory grows */
#define WAIT_MS     5000  /* between two lists of the same kind, at least */
#define WAIT_COST   10    /* and as many times what the last ones took: a tenth of a core */
#define WAIT_SIGN   250   /* and for each signature */
#define RETRY_MS    2000  /* after a failure, doubled each time up to a minute */
#define RETRY_MAX   60000
#define DELTA_SHARE 4 /* of a complete list's life is a delta's */
#define HOUR        3600

/* One list that is being made. */
struct making {
	struct published *list;
	struct crl_scope scope;
	struct crl_writer w;
	struct buf out;
	char *urls[CRL_URLS_MAX]; /* of scope.points or .freshest */
	size_t n_urls;
	uint64_t number; /* 0: it says nothing new, and is not signed */
	bool open;
};
/* All of one walk. */
struct walk {
	struct making *by_part[CRL_PARTS_MAX]; /* NULL: that one is not due */
	unsigned mask;
};

/* ---- addresses ---- */

static enum rc
add_url(struct making *m, char *url)
{
	for (size_t i = 0; url != NULL && i < m->n_urls; i++)
		if (strcmp(m->urls[i], url) == 0) {
			free(url);
			return RC_OK;
		}
	if (m->n_urls < CRL_URLS_MAX)
		m->urls[m->n_urls++] = url;
	else
		free(url);
	return RC_OK;
}

/* Those of one profile that name a partition: a list has the very name that certificates have (RFC 5280
 * 6.3.3 b 2 i). */
static enum rc
profile_urls(
    struct making *m, const struct server_ca *sca, const struct profile *p, struct err *err)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && p != NULL && i < p->n_crl_urls; i++) {
		char *url;

		if (strstr(p->crl_urls[i], PARTITION_IN_ADDRESS) == NULL)
			continue;
		rc = ca_address(
		    &url, p->crl_urls[i], sca->conf->name, m->list->part, sca->crl->n_parts, err);
		if (rc == RC_OK)
			rc = add_url(m, url);
	}
	return rc;
}

static enum rc
own_url(struct making *m, const struct scepd *s, const struct server_ca *sca, const char *name,
    struct err *err)
{
	char *url;
	enum rc rc;

	if (s->config->public_url == NULL)
		return RC_OK;
	rc =
	    str_format(&url, err, "%s/crl/%s/%s.crl", s->config->public_url, sca->conf->name, name);
	return rc == RC_OK ? add_url(m, url) : rc;
}

/* Any profile may shape certificates of any CA in the course of a rollover. */
static enum rc
part_urls(struct making *m, const struct scepd *s, const struct server_ca *sca, struct err *err)
{
	const struct profile *p = s->config->profiles.v;
	enum rc rc = own_url(m, s, sca, m->list->name, err);

	for (size_t i = 0; rc == RC_OK && i < s->config->profiles.n; i++)
		rc = profile_urls(m, sca, &p[i], err);
	return rc;
}

/* ---- begin ---- */

static int64_t
validity_of(const struct server_ca *sca, enum list_kind kind)
{
	int64_t whole = sca->conf->crl_validity, share = whole / DELTA_SHARE;

	return kind != LIST_DELTA ? whole : share < HOUR ? HOUR : share;
}

static enum rc
scope_of(struct making *m, const struct scepd *s, const struct server_ca *sca, struct err *err)
{
	const struct crl_lists *c = sca->crl;
	int64_t now = clock_now();
	enum rc rc = RC_OK;

	m->scope = ca_crl_scope(sca->ca);
	m->scope.this_update = now - CRL_BACKDATE;
	m->scope.next_update = now + validity_of(sca, m->list->kind);
	if (m->list->kind == LIST_PART) {
		rc = part_urls(m, s, sca, err);
		m->scope.points = (const char *const *)m->urls;
		m->scope.n_points = m->n_urls;
	} else if (m->list->kind == LIST_DELTA) {
		m->scope.delta = true;
		m->scope.base = c->bases[0].number;
	} else if (c->delta != NULL) {
		rc = own_url(m, s, sca, c->delta->name, err);
		m->scope.freshest = (const char *const *)m->urls;
		m->scope.n_freshest = m->n_urls;
	}
	return rc;
}

static enum rc
begin(struct making *m, struct published *list, const struct scepd *s, const struct server_ca *sca,
    struct err *err)
{
	size_t had = 0;
	enum rc rc;

	m->list = list;
	buf_init(&m->out, HTTP_REPLY_MAX);
	if (list->out.der != NULL)
		(void)http_shared_bytes(list->out.der, &had);
	if (had > 0 && had + SLACK < HTTP_REPLY_MAX) { /* so that it does not grow by copying */
		(void)buf_grow(&m->out, had + SLACK);
		m->out.len = 0;
	}
	rc = scope_of(m, s, sca, err);
	if (rc == RC_OK)
		rc = crl_begin(&m->w, &m->out, &m->scope, err);
	m->open = rc == RC_OK;
	return rc;
}

static void
making_done(struct making *m)
{
	if (m->open)
		crl_abandon(&m->w);
	m->open = false;
	buf_done(&m->out);
	for (size_t i = 0; i < m->n_urls; i++)
		free(m->urls[i]);
	m->n_urls = 0;
}

/* ---- the walk ---- */

static int
add_entry(void *arg, const struct store_crl_entry *e)
{
	const struct walk *walk = arg;
	struct making *m =
	    e->serial_len > 0 ? walk->by_part[e->serial[e->serial_len - 1] & walk->mask] : NULL;

	if (m != NULL)
		crl_add(&m->w, e->serial, e->serial_len, e->when, e->reason);
	return 0;
}

/* RFC 5280 3.3: an expired certificate stays until a regular list after its end has had it. */
static int64_t
grace_of(const struct server_ca *sca)
{
	return sca->conf->crl_grace > sca->conf->crl_validity ? sca->conf->crl_grace
							      : sca->conf->crl_validity;
}

static enum rc
walk_store(struct walk *walk, struct scepd *s, const struct server_ca *sca, enum list_kind kind,
    uint64_t *status, struct err *err)
{
	struct store_crl_query q = { .ca = sca->conf->name,
		.delta = kind == LIST_DELTA,
		.since = kind == LIST_DELTA ? sca->crl->bases[0].status : 0,
		.valid_at = clock_now() - grace_of(sca) };

	return store_crl_each(s->store, &q, status, add_entry, walk, err);
}

/* ---- the end ---- */

/* The same entries as in the list that is out, which still holds long enough. */
static bool
says_nothing_new(const struct making *m)
{
	const struct crl_made *old = &m->list->out;
	struct der fresh = crl_entries(&m->w);
	const uint8_t *p;
	size_t len;

	if (old->der == NULL || clock_now() >= m->list->renew_at || fresh.len != old->entries_len)
		return false;
	p = http_shared_bytes(old->der, &len);
	return fresh.len == 0 || memcmp(p + old->entries, fresh.p, fresh.len) == 0;
}

/* No other list of the CA has its number; the time is for a database from a backup. */
static void
etag_of(struct crl_made *made)
{
	(void)snprintf(made->etag, sizeof(made->etag), "\"%llx-%llx\"",
	    (unsigned long long)made->number, (unsigned long long)made->made);
}

/* A base for later deltas, unless there is one that is hardly older. */
static void
note_base(struct crl_lists *c, const struct crl_made *made, uint64_t status, int64_t now)
{
	int64_t apart = (made->next_update - made->made) / 16;

	/* Whoever holds a list between the first two holds one that ends before the second. */
	while (c->n_bases > 1 && c->bases[1].next_update <= now)
		memmove(c->bases, c->bases + 1, --c->n_bases * sizeof(c->bases[0]));
	if (c->n_bases == CRL_BASES_MAX ||
	    (c->n_bases > 0 && made->made < c->bases[c->n_bases - 1].made + apart))
		return;
	c->bases[c->n_bases++] =
	    (struct crl_base){ made->number, status, made->made, made->next_update };
}

static void
put_out(struct server_ca *sca, struct published *l, const struct crl_made *made, uint64_t status)
{
	struct crl_lists *c = sca->crl;
	struct http_shared *old;

	(void)pthread_mutex_lock(&c->lock);
	old = l->out.der;
	l->out = *made;
	(void)pthread_cond_broadcast(&c->made);
	(void)pthread_mutex_unlock(&c->lock);
	http_shared_free(old);
	l->status = status;
	l->renew_at = made->made + (made->next_update - made->made) / 2;
	l->to_file = sca->conf->crl_dir != NULL;
	l->file_ms = 0;
	if (l->kind == LIST_FULL && c->delta != NULL)
		note_base(c, made, status, made->made);
}

static void
tell(const struct server_ca *sca, const struct published *l, size_t len, uint64_t us)
{
	struct log_line line;

	log_begin(&line, LOG_INFO, "crl");
	log_str(&line, "ca", sca->conf->name);
	log_str(&line, "list", l->name);
	log_int(&line, "number", (int64_t)l->out.number);
	log_int(&line, "entries", (int64_t)l->out.n);
	log_int(&line, "bytes", (int64_t)len);
	log_int(&line, "ms", (int64_t)(us / 1000));
	log_end(&line);
}

static enum rc
sign(struct making *m, const struct server_ca *sca, struct crl_made *made, struct err *err)
{
	enum rc rc;

	made->number = m->number;
	made->n = m->w.n;
	made->entries_len = crl_entries(&m->w).len;
	made->made = clock_now();
	made->next_update = m->scope.next_update;
	m->open = false;
	rc = ca_crl_sign(sca->ca, &m->w, made->number, &made->entries, err);
	etag_of(made);
	if (rc == RC_OK && (made->der = http_shared_new(&m->out)) == NULL)
		rc = fail(err, RC_NOMEM, "no memory for a CRL");
	fault_point("crl-signed");
	return rc;
}

static void
failed(const struct server_ca *sca, struct published *l, const struct err *err)
{
	int64_t wait = l->failed < 5 ? (int64_t)RETRY_MS << l->failed : RETRY_MAX;
	struct log_line line;

	l->failed++;
	l->wait_ms = clock_mono_ms() + wait;
	atomic_fetch_add(&l->failures, 1);
	log_begin(&line, LOG_ERROR, "crl");
	log_str(&line, "ca", sca->conf->name);
	log_str(&line, "list", l->name);
	log_err(&line, err);
	log_str(&line, "then", l->out.der != NULL ? "the last one stays in use" : "there is none");
	log_end(&line);
}

static void
finish(struct making *m, struct server_ca *sca, uint64_t status, uint64_t began)
{
	struct published *l = m->list;
	struct crl_made made = { .der = NULL };
	struct err err = { 0 };
	size_t len;

	if (m->number == 0) {
		l->status = status;
	} else if (sign(m, sca, &made, &err) != RC_OK) {
		failed(sca, l, &err);
		return;
	} else {
		put_out(sca, l, &made, status);
		atomic_store(&l->us, clock_mono_us() - began);
		(void)http_shared_bytes(l->out.der, &len);
		tell(sca, l, len, clock_mono_us() - began);
	}
	l->failed = 0;
}

/* Numbers for those that say something new, in one commit: each by itself waits for the disk. */
static enum rc
number_them(struct making *all, size_t n, const bool *due, struct scepd *s,
    const struct server_ca *sca, struct err *err)
{
	uint64_t next = 0;
	unsigned fresh = 0;
	enum rc rc = RC_OK;

	for (size_t i = 0; i < n; i++)
		if (due[i] && !says_nothing_new(&all[i]))
			all[i].number = ++fresh;
	if (fresh == 0)
		return RC_OK;
	rc = store_crl_numbers(s->store, sca->conf->name, fresh, &next, err);
	for (size_t i = 0; rc == RC_OK && i < n; i++)
		if (all[i].number != 0)
			all[i].number = next++;
	fault_point("crl-numbered");
	return rc;
}

/* However often something changes, making lists takes a tenth of the time at most. */
static void
rest(struct published *v, size_t n, uint64_t began, size_t made)
{
	int64_t wait = (int64_t)((clock_mono_us() - began) / 1000) * WAIT_COST;

	if (wait < WAIT_MS + (int64_t)made * WAIT_SIGN)
		wait = WAIT_MS + (int64_t)made * WAIT_SIGN;
	for (size_t i = 0; i < n; i++)
		if (v[i].failed == 0)
			v[i].wait_ms = clock_mono_ms() + wait;
}

void
publish_make(struct scepd *s, struct server_ca *sca, struct published *v, size_t n, const bool *due,
    const atomic_bool *stop)
{
	struct making *all = calloc(n, sizeof(*all));
	struct walk walk = { .mask = (unsigned)n - 1 }; /* n is a power of two */
	uint64_t began = clock_mono_us(), status = 0;
	struct err err = { 0 };
	enum rc rc = all != NULL ? RC_OK : fail(&err, RC_NOMEM, "no memory for lists");
	size_t made = 0;

	for (size_t i = 0; rc == RC_OK && i < n; i++)
		if (due[i] && (rc = begin(&all[i], &v[i], s, sca, &err)) == RC_OK)
			walk.by_part[i] = &all[i];
	if (rc == RC_OK)
		rc = walk_store(&walk, s, sca, v[0].kind, &status, &err);
	if (rc == RC_OK)
		rc = number_them(all, n, due, s, sca, &err);
	for (size_t i = 0; i < n; i++) {
		if (due[i] && rc != RC_OK)
			failed(sca, &v[i], &err);
		else if (due[i] && (stop == NULL || !*stop)) {
			finish(&all[i], sca, status, began);
			made++;
		}
		if (all != NULL)
			making_done(&all[i]);
	}
	free(all);
	rest(v, n, began, made);
}
