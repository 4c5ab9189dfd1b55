/* intune_queue.c - see intune_queue.h. */
#include "scepd/intune_queue.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/text.h"
#include "scepd/queue_batch.h"

/* Full downloads of one poll; the rest comes with the next. */
#define DOWNLOADS_MAX 20
/* A Retry-After is obeyed up to this: a wrong one must not end revocation. */
#define RETRY_AFTER_MAX_S 600
/* So that CAs that are started together do not ask together: the first poll is after 1/4 to all of an interval. */
#define FIRST_SHARE 4
#define TRANSACTION "scepd"

struct polled {
	struct tenant *tenant;
	pthread_mutex_t *turn; /* of its directory's first tenant here */
	pthread_mutex_t own;
	int64_t due_ms;          /* mono */
	struct intune_error odd; /* of the last download that went well: what was odd about it */
	char told[ERR_MSG_MAX];  /* the last complaint: each is logged once */
	size_t left_told;        /* requests of other CAs that the log has told of */
	_Atomic int64_t good_ms; /* wall: the last poll that went well; at first, the start */
	_Atomic uint64_t left;   /* requests of other CAs, as of that poll */
};

struct intune_queue {
	struct scepd *s;
	struct queue_ca *cas; /* subjects are owned */
	size_t n_cas;
	struct polled *polled;
	size_t n_polled;
	int64_t interval_ms;
};

/* ---- start and end ---- */

static enum rc
add_ca(struct intune_queue *q, const struct server_ca *sca, struct err *err)
{
	struct queue_ca *ca = &q->cas[q->n_cas];
	struct buf subject;
	char *text = NULL;
	enum rc rc;

	buf_init(&subject, 16 * KIB);
	name_text(&subject, cert_subject0(ca_cert0(sca->ca)));
	if ((rc = buf_ok(&subject, "a CA's name", err)) == RC_OK)
		rc = str_dup(&text, buf_str(&subject), err);
	buf_done(&subject);
	if (rc != RC_OK)
		return rc;
	ca->name = sca->conf->name;
	ca->subject = text;
	q->n_cas++;
	return RC_OK;
}

static bool
is_asked(const struct scepd *s, const struct tenant *t)
{
	for (size_t i = 0; i < s->n_endpoints; i++) {
		if (s->endpoints[i].tenant == t)
			return true;
	}
	return false;
}

static int64_t
first_due(const struct intune_queue *q)
{
	uint32_t random = 0;
	int64_t least = q->interval_ms / FIRST_SHARE;

	(void)(random_bytes(&random, sizeof(random), NULL) == RC_OK);
	return clock_mono_ms() + least + random % (q->interval_ms - least + 1);
}

static void
add_tenant(struct intune_queue *q, struct tenant *t)
{
	const struct conf_tenant *conf = config_tenant(q->s->config, tenant_name(t));
	struct polled *first, *p;

	if (conf == NULL || !conf->revocation_queue || !is_asked(q->s, t))
		return;
	p = &q->polled[q->n_polled++];
	p->tenant = t;
	p->due_ms = first_due(q);
	p->good_ms = clock_now_ms();
	(void)pthread_mutex_init(&p->own, NULL);
	for (first = q->polled; !tenant_same_directory(first->tenant, t); first++)
		;
	p->turn = &first->own;
}

enum rc
intune_queue_new(struct intune_queue **out, struct scepd *s, struct err *err)
{
	struct intune_queue *q = calloc(1, sizeof(*q));
	enum rc rc = RC_OK;

	if (q != NULL) {
		q->s = s;
		q->interval_ms = s->config->revocation.queue_interval * 1000;
		q->cas = calloc(s->n_cas + 1, sizeof(*q->cas));
		q->polled = calloc(s->n_tenants + 1, sizeof(*q->polled));
	}
	if (q == NULL || q->cas == NULL || q->polled == NULL)
		rc = fail(err, RC_NOMEM, "Intune's revocation queues");
	for (size_t i = 0; rc == RC_OK && i < s->n_cas; i++)
		rc = add_ca(q, &s->cas[i], err);
	for (size_t i = 0; rc == RC_OK && i < s->n_tenants; i++)
		add_tenant(q, s->tenants[i]);
	if (rc == RC_OK)
		*out = q;
	else
		intune_queue_free(q);
	return rc;
}

void
intune_queue_free(struct intune_queue *q)
{
	if (q == NULL)
		return;
	for (size_t i = 0; i < q->n_cas; i++)
		free((char *)(uintptr_t)q->cas[i].subject);
	for (size_t i = 0; i < q->n_polled; i++)
		(void)pthread_mutex_destroy(&q->polled[i].own);
	free(q->cas);
	free(q->polled);
	free(q);
}

/* ---- one poll ---- */

static void
log_counts(struct polled *p, const struct queue_counts *n)
{
	bool is_news = n->left != p->left_told;
	struct log_line l;

	p->left_told = n->left;
	if (n->requests == n->left && !is_news)
		return;
	log_begin(&l, n->later > 0 ? LOG_WARN : LOG_INFO, "queue");
	log_str(&l, "tenant", tenant_name(p->tenant));
	log_int(&l, "requests", (int64_t)n->requests);
	log_int(&l, "revoked", (int64_t)n->revoked);
	log_int(&l, "again", (int64_t)n->again);
	log_int(&l, "conflicts", (int64_t)n->conflicts);
	log_int(&l, "unknown", (int64_t)n->unknown);
	log_int(&l, "later", (int64_t)n->later);
	log_int(&l, "left", (int64_t)n->left);
	if (n->left > 0)
		log_str(&l, "hint",
		    "requests that are left name another CA, which has to answer them; 500 of them "
		    "would hide ours");
	log_end(&l);
}

static void
add_metrics(struct metrics *m, const struct queue_counts *n)
{
	metric_add(m, METRIC_QUEUE_REQUESTS, n->requests - n->left);
	metric_add(m, METRIC_QUEUE_REVOKED, n->revoked);
	metric_add(m, METRIC_QUEUE_UNKNOWN, n->unknown);
	metric_add(m, METRIC_QUEUE_FOREIGN, n->foreign);
	metric_add(m, METRIC_QUEUE_CONFLICTS, n->conflicts);
	metric_add(m, METRIC_QUEUE_LATER, n->later);
}

/* Once each; "" when there is nothing to complain of. */
static void
complain(struct polled *p, const char *message, const char *hint)
{
	if (strcmp(p->told, message) == 0)
		return;
	(void)snprintf(p->told, sizeof(p->told), "%s", message);
	if (message[0] == '\0')
		log_msg(LOG_INFO, "queue", "tenant %s: Intune's revocation queue is read again",
		    tenant_name(p->tenant));
	else
		log_msg(LOG_WARN, "queue", "tenant %s: %s%s%s", tenant_name(p->tenant), message,
		    hint[0] != '\0' ? ": " : "", hint);
}

/* Fetch with a filter (NULL: none), and do it. */
static enum rc
pass(struct intune_queue *q, struct polled *p, const char *filter, struct queue_counts *n,
    struct intune_error *e, struct err *err)
{
	const struct queue_from from = { q->s, p->tenant, q->cas, q->n_cas };
	struct intune_revocation_list *list;
	enum rc rc;

	*n = (struct queue_counts){ 0 };
	if (intune_download_revocation_requests(tenant_client(p->tenant), TRANSACTION,
		INTUNE_REVOCATION_MAX, filter, &list, e) != INTUNE_OK)
		return tenant_error(err, e);
	p->odd = *e;
	rc = queue_batch(&from, list, n, err);
	intune_revocation_list_free(list);
	add_metrics(q->s->metrics, n);
	log_counts(p, n);
	if (rc != RC_OK)
		metric_add(q->s->metrics, METRIC_QUEUE_UPLOAD_ERRORS, 1);
	return rc;
}

/* A list full of what is not ours: ask by the names that the filter may compare. */
static enum rc
look_behind(struct intune_queue *q, struct polled *p, struct intune_error *e, struct err *err,
    const atomic_bool *stop)
{
	struct queue_counts n;
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < 2 * q->n_cas && !*stop; i++) {
		const struct queue_ca *ca = &q->cas[i / 2];

		rc = pass(q, p, i % 2 == 0 ? ca->name : ca->subject, &n, e, err);
	}
	return rc;
}

static enum rc
poll_tenant(struct intune_queue *q, struct polled *p, struct intune_error *e, struct err *err,
    const atomic_bool *stop)
{
	struct queue_counts n = { 0 }; /* of no pass, where scepd is to end */
	enum rc rc = RC_OK;
	bool more = true;

	for (unsigned i = 0; rc == RC_OK && more && i < DOWNLOADS_MAX && !*stop; i++) {
		rc = pass(q, p, NULL, &n, e, err);
		/* Full, and something of it is done: what has waited behind comes now. */
		more = n.requests == INTUNE_REVOCATION_MAX && n.left + n.later < n.requests;
	}
	if (rc != RC_OK)
		return rc;
	p->left = n.left;
	return n.left == INTUNE_REVOCATION_MAX ? look_behind(q, p, e, err, stop) : RC_OK;
}

static void
poll_one(struct intune_queue *q, struct polled *p, const atomic_bool *stop)
{
	struct intune_error e = { .retry_after = -1 };
	int64_t wait_ms = q->interval_ms, asked;
	struct err err = { 0 };

	if (poll_tenant(q, p, &e, &err, stop) == RC_OK) {
		p->good_ms = clock_now_ms();
		complain(p, p->odd.message, p->odd.hint);
	} else {
		metric_add(q->s->metrics, METRIC_QUEUE_ERRORS, 1);
		complain(p, err.msg, err.hint);
		asked = e.retry_after < RETRY_AFTER_MAX_S ? e.retry_after : RETRY_AFTER_MAX_S;
		if (asked * 1000 > wait_ms)
			wait_ms = asked * 1000;
	}
	p->due_ms = clock_mono_ms() + wait_ms;
}

size_t
intune_queue_count(const struct intune_queue *q)
{
	return q->n_polled;
}

int64_t
intune_queue_poll(struct intune_queue *q, size_t i, int64_t now_ms, const atomic_bool *stop)
{
	struct polled *p = &q->polled[i];

	if (p->due_ms > now_ms || *stop)
		return p->due_ms;
	(void)pthread_mutex_lock(p->turn);
	poll_one(q, p, stop);
	(void)pthread_mutex_unlock(p->turn);
	return p->due_ms;
}

/* ---- metrics ---- */

void
intune_queue_metrics(const struct intune_queue *q, struct buf *out)
{
	static const char age[] = "scepd_queue_age_seconds", left[] = "scepd_queue_left";
	int64_t now = clock_now_ms();

	buf_addf(out,
	    "# HELP %s Since Intune's revocation queue was last read and answered\n"
	    "# TYPE %s gauge\n",
	    age, age);
	for (size_t i = 0; i < q->n_polled; i++)
		buf_addf(out, "%s{tenant=\"%s\"} %.3f\n", age, tenant_name(q->polled[i].tenant),
		    (double)(now - q->polled[i].good_ms) / 1000);
	buf_addf(out,
	    "# HELP %s Requests in the queue that name another CA, and are left to it\n"
	    "# TYPE %s gauge\n",
	    left, left);
	for (size_t i = 0; i < q->n_polled; i++)
		buf_addf(out, "%s{tenant=\"%s\"} %" PRIu64 "\n", left,
		    tenant_name(q->polled[i].tenant), (uint64_t)q->polled[i].left);
}
