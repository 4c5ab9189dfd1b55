/*
 * publish.c - see publish.h.  The CRL is made when it is asked for and the last one is older than
 * CRL_AGE_MS, so a revocation is out at the first fetch after that, and a flood of fetches costs
 * one signature per CRL_AGE_MS.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/text.h"
#include "scepd/publish.h"

#define CRL_AGE_MS  10000   /* at most this long between a revocation and the CRL that holds it */
#define ENTRIES_MAX 1000000 /* rows of one CRL */
#define CRL_WAITERS 8       /* requests that wait for the first CRL after a start */

struct crl_cache {
	pthread_mutex_t lock;
	struct http_shared
	    *der;         /* NULL: none yet; readers that are slow keep the one that they began */
	bool making;      /* by one thread, without the lock */
	unsigned waiting; /* for the first */
	pthread_cond_t made;
	int64_t made_ms; /* monotonic; 0: never */
};

struct entries {
	struct crl_entry *v;
	size_t n, cap;
	enum rc rc;
};

static int
add_entry(void *arg, int64_t rowid, const struct store_cert_row *row)
{
	struct entries *e = arg;
	struct err err;

	if (e->n == e->cap) {
		size_t cap = e->cap == 0 ? 256 : e->cap * 2;
		struct crl_entry *v =
		    cap > ENTRIES_MAX * 2 ? NULL : reallocarray(e->v, cap, sizeof(*v));

		if (v == NULL) {
			e->rc = RC_NOMEM;
			return 1;
		}
		e->v = v;
		e->cap = cap;
	}
	if ((e->rc = serial_from_hex(&e->v[e->n].serial, row->serial, &err)) != RC_OK)
		return 1;
	e->v[e->n].when = row->revoked;
	e->v[e->n++].reason = row->reason;
	return 0;
}

static enum rc
make_crl(struct buf *out, struct scepd *s, const struct server_ca *sca, struct err *err)
{
	struct store_cert_filter f = { .ca = sca->conf->name, .revoked = 1 };
	struct entries e = { 0 };
	int64_t now = clock_now();
	uint64_t number;
	enum rc rc;

	f.valid_at = now; /* RFC 5280 3.3: an expired certificate may leave the list */
	if ((rc = store_cert_each(s->store, &f, ENTRIES_MAX, add_entry, &e, err)) == RC_OK &&
	    e.rc != RC_OK)
		rc = fail(err, e.rc, "list of revoked certificates");
	if (rc == RC_OK &&
	    (rc = store_crl_number(s->store, sca->conf->name, &number, err)) == RC_OK)
		rc = ca_crl(out, sca->ca, e.v, e.n, number, now - CRL_BACKDATE,
		    now + sca->conf->crl_validity, err);
	free(e.v);
	return rc;
}

enum rc
publish_open(struct server_ca *sca, struct err *err)
{
	if ((sca->crl = calloc(1, sizeof(*sca->crl))) == NULL)
		return fail(err, RC_NOMEM, "CRL of %s", sca->conf->name);
	(void)pthread_mutex_init(&sca->crl->lock, NULL);
	(void)pthread_cond_init(&sca->crl->made, NULL);
	return RC_OK;
}

void
publish_close(struct server_ca *sca)
{
	if (sca->crl == NULL)
		return;
	(void)pthread_mutex_destroy(&sca->crl->lock);
	(void)pthread_cond_destroy(&sca->crl->made);
	http_shared_free(sca->crl->der);
	free(sca->crl);
}

static enum rc
new_crl(struct http_shared **out, struct scepd *s, struct server_ca *sca, struct err *err)
{
	struct http_shared *der = NULL;
	struct buf fresh;
	enum rc rc;

	buf_init(&fresh, HTTP_REPLY_MAX);
	if ((rc = make_crl(&fresh, s, sca, err)) == RC_OK &&
	    (rc = buf_ok(&fresh, "CRL", err)) == RC_OK && (der = http_shared_new(&fresh)) == NULL)
		rc = fail(err, RC_NOMEM, "no memory for a CRL");
	buf_done(&fresh);
	if (rc == RC_OK)
		*out = der;
	else
		log_msg(LOG_ERROR, "crl", "%s: %s", sca->conf->name, err->msg);
	return rc;
}

/*
 * Whether this thread is to make a new one.  Others do not wait for it, as making a long one takes seconds
 * and they would take every worker: they use the one that is there.  Where there is none yet, a few
 * wait.
 */
static bool
is_due(struct crl_cache *c)
{
	bool due;

	(void)pthread_mutex_lock(&c->lock);
	while (c->der == NULL && c->making && c->waiting < CRL_WAITERS) {
		c->waiting++;
		(void)pthread_cond_wait(&c->made, &c->lock);
		c->waiting--;
	}
	due = !c->making && (c->made_ms == 0 || clock_mono_ms() - c->made_ms > CRL_AGE_MS);
	if (due)
		c->making = true;
	(void)pthread_mutex_unlock(&c->lock);
	return due;
}

/* A failure to make a new one leaves the old one in use. */
static void
take_over(struct crl_cache *c, struct http_shared *fresh)
{
	struct http_shared *old = NULL;

	(void)pthread_mutex_lock(&c->lock);
	c->making = false;
	if (fresh != NULL) {
		old = c->der;
		c->der = fresh;
		c->made_ms = clock_mono_ms();
	}
	(void)pthread_cond_broadcast(&c->made);
	(void)pthread_mutex_unlock(&c->lock);
	http_shared_free(old);
}

enum rc
publish_current_crl(
    struct http_shared **out, struct scepd *s, struct server_ca *sca, struct err *err)
{
	struct crl_cache *c = sca->crl;
	struct http_shared *fresh = NULL, *now = NULL;
	enum rc rc = RC_LIMIT;
	bool due = is_due(c);

	if (due) {
		rc = new_crl(&fresh, s, sca, err);
		take_over(c, fresh);
	}
	(void)pthread_mutex_lock(&c->lock);
	if (c->der != NULL)
		now = http_shared_ref(c->der);
	(void)pthread_mutex_unlock(&c->lock);
	if (now != NULL) {
		*out = now;
		return RC_OK;
	}
	return due ? rc : fail(err, rc, "%s: the first CRL is being made", sca->conf->name);
}

/* The CA that "issuing.crl" names, or NULL after a 404. */
static struct server_ca *
ca_of(struct scepd *s, const char *name, const char *suffix, struct http_reply *reply)
{
	size_t len = strlen(name), tail = strlen(suffix);
	struct server_ca *sca = NULL;

	if (len > tail && str_ends_nocase(name, suffix))
		sca = scepd_ca(s, name, len - tail);
	if (sca == NULL)
		http_reply_text(reply, 404, "no such CA\n");
	return sca;
}

void
publish_crl(
    struct scepd *s, const char *name, const struct http_request *req, struct http_reply *reply)
{
	struct server_ca *sca = ca_of(s, name, ".crl", reply);
	struct http_shared *der = NULL;
	struct err err;

	if (sca == NULL)
		return;
	reply->content_type = "application/pkix-crl"; /* RFC 5280 4.2.1.13, RFC 2585 */
	if (publish_current_crl(&der, s, sca, &err) == RC_OK)
		http_reply_share(reply, der);
	else
		http_reply_text(reply, 503, "the CRL is not available at the moment\n");
	http_shared_free(der);
}

void
publish_ca(
    struct scepd *s, const char *name, const struct http_request *req, struct http_reply *reply)
{
	struct server_ca *sca = ca_of(s, name, ".crt", reply);
	const uint8_t *der;
	size_t len;

	if (sca == NULL)
		return;
	der = cert_der0(ca_cert0(sca->ca), &len);
	reply->content_type = "application/pkix-cert"; /* RFC 5280 4.2.2.1 */
	buf_add(&reply->body, der, len);
}
