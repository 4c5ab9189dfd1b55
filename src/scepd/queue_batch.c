/* queue_batch.c - see queue_batch.h. */
#include "scepd/queue_batch.h"
#include "scepd/publish.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/log.h"
#include "base/text.h"

_Static_assert(INTUNE_REVOCATION_MAX <= STORE_CAUSES_BATCH, "a download fits into one commit");

/* Lines of a batch about certificates of other tenants: whoever fills a queue does not fill the log. */
#define FOREIGN_LINES 10
/* Uploads of one batch, when the service takes some results and not others. */
#define UPLOADS_MAX 32
#define TRANSACTION "scepd"

struct item {
	const struct intune_revocation_request *request;
	char serial[QUEUE_SERIAL_MAX]; /* "" when it cannot be read */
	char comment[QUEUE_COMMENT_MAX];
	char ca[STORE_NAME_MAX + 1]; /* of the certificate that is meant */
	char endpoint[128];          /* for the log */
	struct queue_judgement j;
};

struct batch {
	const struct queue_from *from;
	struct item *items;
	struct intune_revocation_result *results;
	size_t n, n_results;
};

/* ---- what is known of each ---- */

static struct tenant *
tenant_named(const struct scepd *s, const char *name)
{
	for (size_t i = 0; i < s->n_tenants; i++) {
		if (strcmp(tenant_name(s->tenants[i]), name) == 0)
			return s->tenants[i];
	}
	return NULL;
}

/* Who vouched for the certificate: noted with it at the issue, or else whom its endpoint asks. */
static enum rc
owner_of(struct tenant **out, struct scepd *s, const struct store_cert_row *row, struct err *err)
{
	struct store_binding b;
	const struct endpoint *ep;
	enum rc rc = store_binding_get(s->store, row->serial, row->ca, &b, err);

	if (rc != RC_OK)
		return rc;
	*out = b.tenant[0] != '\0' ? tenant_named(s, b.tenant) : NULL;
	if (*out == NULL && (ep = scepd_endpoint(s, row->endpoint, strlen(row->endpoint))) != NULL)
		*out = ep->tenant;
	return RC_OK;
}

static bool
was_revoked_by(const struct store_status *st, const char *comment)
{
	for (size_t i = 0; i < st->n_causes; i++) {
		const struct store_cause *c = &st->causes[i];

		if (c->source == CAUSE_INTUNE && c->comment != NULL &&
		    strcmp(c->comment, comment) == 0)
			return true;
	}
	return false;
}

static enum rc
know_row(struct queue_known *k, struct item *it, const struct queue_from *from,
    const struct store_cert_row *row, struct err *err)
{
	struct store_status st;
	struct tenant *owner;
	enum rc rc;

	if ((rc = owner_of(&owner, from->s, row, err)) != RC_OK ||
	    (rc = store_status_get(from->s->store, it->serial, row->ca, &st, err)) != RC_OK)
		return rc;
	(void)snprintf(it->ca, sizeof(it->ca), "%s", row->ca);
	(void)snprintf(it->endpoint, sizeof(it->endpoint), "%s", row->endpoint);
	*k = (struct queue_known){ .found = true,
		.ca = it->ca,
		.of_tenant = owner != NULL && tenant_same_directory(owner, from->tenant),
		.state = st.state,
		.by_this = was_revoked_by(&st, it->comment),
		.since = st.since };
	store_status_done(&st);
	return RC_OK;
}

/*
 * Ours, and else that of the foreign CA that the request names: another CA's certificate of the same number
 * is not meant, and Intune has heard of ours from us.
 */
static enum rc
find_row(struct store_cert_row *row, const struct item *it, const struct queue_from *from,
    struct err *err)
{
	const struct scepd *s = from->s;
	enum rc rc = store_cert_get(s->store, it->serial, STORE_OURS, row, err);

	if (rc == RC_OK && !queue_names_ca(it->request, from->cas, from->n_cas, row->ca)) {
		store_cert_row_done(row);
		rc = RC_NOTFOUND;
	}
	for (size_t i = 0; rc == RC_NOTFOUND && i < s->n_foreign; i++) {
		const char *ca = s->foreign[i].conf->name;

		if (queue_names_ca(it->request, from->cas, from->n_cas, ca))
			rc = store_cert_get(s->store, it->serial, ca, row, err);
	}
	return rc;
}

static enum rc
know(struct queue_known *k, struct item *it, const struct queue_from *from, struct err *err)
{
	struct store_cert_row row;
	enum rc rc = find_row(&row, it, from, err);

	*k = (struct queue_known){ .found = false };
	if (rc == RC_NOTFOUND)
		return RC_OK;
	if (rc != RC_OK)
		return rc;
	rc = know_row(k, it, from, &row, err);
	store_cert_row_done(&row);
	return rc;
}

/* ---- verdicts ---- */

static bool
is_retryable(enum intune_revocation_code c)
{
	return c >= INTUNE_REVOCATION_RETRYABLE;
}

/* Trouble of ours: Intune is to ask again. */
static void
put_off(struct item *it, enum rc rc, const struct err *why)
{
	it->j = (struct queue_judgement){ .verdict = QUEUE_ANSWER,
		.code = rc == RC_LIMIT ? INTUNE_REVOCATION_SERVICE_TOO_BUSY
				       : INTUNE_REVOCATION_RETRYABLE };
	(void)snprintf(it->j.why, sizeof(it->j.why), "the CA cannot revoke it just now");
	log_msg(LOG_ERROR, "store", "revoking %s: %s", it->serial, why->msg);
}

static void
judge(struct item *it, const struct queue_from *from)
{
	const struct intune_revocation_request *r = it->request;
	struct queue_known k = { .found = false };
	bool readable = queue_serial(it->serial, r->serial_number);
	struct err err;
	enum rc rc;

	if (!readable)
		it->serial[0] = '\0';
	rc = queue_comment(it->comment, r->request_context, &err);
	if (rc == RC_OK && readable)
		rc = know(&k, it, from, &err);
	queue_judge(&it->j, r, from->cas, from->n_cas, readable ? &k : NULL);
	/* Without an answer of the store it is known only by names whether it is meant for us. */
	if (rc != RC_OK && it->j.verdict != QUEUE_LEAVE)
		put_off(it, rc, &err);
}

static void
log_revoked(const struct item *it, const struct queue_from *from)
{
	struct log_line l;

	log_begin(&l, LOG_INFO, "revoked");
	log_str(&l, "serial", it->serial);
	log_str(&l, "ca", it->ca);
	log_str(&l, "endpoint", it->endpoint);
	log_str(&l, "reason", "cessationOfOperation");
	log_str(&l, "by", "intune");
	log_str(&l, "tenant", tenant_name(from->tenant));
	log_end(&l);
}

/* What the commit did: somebody else, or another request of this very batch, may have been sooner. */
static void
settle(struct item *it, const struct store_cause_done *d, const struct queue_from *from,
    struct queue_counts *n)
{
	enum intune_revocation_code code = INTUNE_REVOCATION_CONFLICT;
	const char *why = "it was revoked already";

	it->j.verdict = QUEUE_ANSWER;
	if (d->outcome == CAUSE_SET && d->before != CERT_REVOKED) {
		code = INTUNE_REVOCATION_NONE;
		why = "";
	} else if (d->outcome == CAUSE_NO_CERT) {
		code = INTUNE_REVOCATION_CERTIFICATE_NOT_FOUND;
		why = "there is no such certificate";
	}
	it->j.code = code;
	(void)snprintf(it->j.why, sizeof(it->j.why), "%s", why);
	if (code != INTUNE_REVOCATION_NONE)
		return;
	n->revoked++;
	log_revoked(it, from);
}

static void
set_causes(struct batch *b, struct store_cause_set *sets, struct store_cause_done *done,
    struct item **which, size_t n_sets, struct queue_counts *n)
{
	struct err err;
	enum rc rc = store_causes_set(b->from->s->store, sets, n_sets, done, &err);

	for (size_t i = 0; i < n_sets; i++) {
		if (rc == RC_OK)
			settle(which[i], &done[i], b->from, n);
		else
			put_off(which[i], rc, &err);
	}
	publish_wake(b->from->s);
}

/* All that is to be revoked, in one commit. */
static void
revoke(struct batch *b, struct queue_counts *n)
{
	struct store_cause_set *sets = calloc(b->n, sizeof(*sets));
	struct store_cause_done *done = calloc(b->n, sizeof(*done));
	struct item **which = calloc(b->n, sizeof(struct item *));
	char who[CAUSE_WHO_MAX];
	size_t n_sets = 0;
	struct err err;

	(void)snprintf(who, sizeof(who), "tenant %s", tenant_name(b->from->tenant));
	for (size_t i = 0; i < b->n; i++) {
		struct item *it = &b->items[i];

		if (it->j.verdict != QUEUE_REVOKE)
			continue;
		if (sets == NULL || done == NULL || which == NULL) {
			(void)fail(&err, RC_NOMEM, "out of memory");
			put_off(it, RC_NOMEM, &err);
			continue;
		}
		which[n_sets] = it;
		sets[n_sets++] = (struct store_cause_set){ .serial = it->serial,
			.ca = it->ca,
			.source = CAUSE_INTUNE,
			.effect = CAUSE_REVOKE,
			.reason = REASON_CESSATION,
			.who = who,
			.comment = it->comment };
	}
	if (n_sets > 0)
		set_causes(b, sets, done, which, n_sets, n);
	free(sets);
	free(done);
	free(which);
}

/* ---- answers ---- */

static void
log_foreign(const struct item *it, const struct queue_from *from)
{
	struct log_line l;

	log_begin(&l, LOG_WARN, "queue");
	log_str(&l, "tenant", tenant_name(from->tenant));
	log_str(&l, "serial", it->serial);
	log_str(&l, "ca", it->ca);
	log_str(&l, "endpoint", it->endpoint);
	log_str(&l, "reason",
	    "the certificate was not issued for this tenant: its queue does not revoke it");
	log_end(&l);
}

static void
count(struct item *it, const struct queue_from *from, struct queue_counts *n)
{
	if (it->j.verdict == QUEUE_LEAVE)
		n->left++;
	else if (is_retryable(it->j.code))
		n->later++;
	else if (it->j.code == INTUNE_REVOCATION_CONFLICT)
		n->conflicts++;
	else if (it->j.code != INTUNE_REVOCATION_NONE)
		n->unknown++;
	else
		n->again++; /* less those of now: below */
	if (it->j.foreign && n->foreign++ < FOREIGN_LINES)
		log_foreign(it, from);
}

static void
make_results(struct batch *b, struct queue_counts *n)
{
	for (size_t i = 0; i < b->n; i++) {
		struct item *it = &b->items[i];

		count(it, b->from, n);
		if (it->j.verdict == QUEUE_LEAVE)
			continue;
		b->results[b->n_results++] =
		    (struct intune_revocation_result){ .request_context =
							   it->request->request_context,
			    .succeeded = it->j.code == INTUNE_REVOCATION_NONE,
			    .code = it->j.code,
			    .message = it->j.why };
	}
	n->again -= n->revoked;
}

/*
 * The service looks at an upload as a whole: one result that it cannot take would keep all of them back for
 * ever, and with them what has yet to come.  So what is refused is divided.
 */
static enum rc
upload(const struct batch *b, size_t first, size_t n, unsigned *tries, struct err *err)
{
	struct intune_error e;
	enum rc rc, rest;
	bool is_refused;

	if ((*tries)++ == UPLOADS_MAX)
		return fail(err, RC_LIMIT, "Intune takes too few of the results");
	if (intune_upload_revocation_results(tenant_client(b->from->tenant), TRANSACTION,
		&b->results[first], n, &e) == INTUNE_OK)
		return RC_OK;
	is_refused = e.step == INTUNE_STEP_UPLOAD && (e.http_status == 400 || e.http_status == 413);
	if (n == 1 || !is_refused)
		return tenant_error(err, &e);
	rc = upload(b, first, n / 2, tries, err);
	rest = upload(b, first + n / 2, n - n / 2, tries, rc == RC_OK ? err : NULL);
	return rc != RC_OK ? rc : rest;
}

static enum rc
run(struct batch *b, struct queue_counts *n, struct err *err)
{
	unsigned tries = 0;
	enum rc rc = RC_OK;

	fault_point("queue-fetched");
	for (size_t i = 0; i < b->n; i++)
		judge(&b->items[i], b->from);
	revoke(b, n);
	fault_point("queue-revoked");
	make_results(b, n);
	if (b->n_results > 0)
		rc = upload(b, 0, b->n_results, &tries, err);
	fault_point("queue-answered");
	return rc;
}

enum rc
queue_batch(const struct queue_from *q, const struct intune_revocation_list *list,
    struct queue_counts *n, struct err *err)
{
	struct batch b = { .from = q, .n = intune_revocation_list_count(list) };
	enum rc rc;

	*n = (struct queue_counts){ .requests = b.n };
	if (b.n == 0)
		return RC_OK;
	b.items = calloc(b.n, sizeof(*b.items));
	b.results = calloc(b.n, sizeof(*b.results));
	for (size_t i = 0; b.items != NULL && i < b.n; i++)
		b.items[i].request = intune_revocation_list_get(list, i);
	if (b.items == NULL || b.results == NULL)
		rc = fail(err, RC_NOMEM, "no memory for Intune's revocation requests");
	else
		rc = run(&b, n, err);
	free(b.items);
	free(b.results);
	return rc;
}
