/*
 * queue_test.c - Intune's revocation queue with a real store and a peer in the part of Intune: what is
 * revoked, what is answered, and that nothing is revoked twice or forgotten whatever breaks in between.
 */
#include "../store/fixture.h"

#include "../ca/fixture.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../intune/peer.h"

#include "base/clock.h"
#include "base/file.h"
#include "json/json.h"
#include "scepd/intune_queue.h"
#include "scepd/queue_batch.h"
#include "store/store_foreign.h"

#define give_up(...) (print_error(__VA_ARGS__), _fail(__FILE__, __LINE__))
#define COUNT(a)     (sizeof(a) / sizeof((a)[0]))

#define ISSUING "CN=Contoso Issuing CA"

static const struct queue_ca cas[] = { { "issuing", ISSUING } };
static const atomic_bool on = false;

/* Two tenants, each with an endpoint; certificates of sf_drive() are of "corp". */
struct rig {
	struct sf *f;
	struct peer *peer;
	struct conf_tenant conf[2];
	struct config config;
	struct tenant *tenants[2];
	struct endpoint endpoints[2];
	struct scepd s;
	struct intune_queue *queue;
};

static char secret_path[320];

static void
open_tenant(struct rig *r, size_t i, const char *name, const char *directory)
{
	r->conf[i] = (struct conf_tenant){ .name = name,
		.app_id = "11111111-2222-3333-4444-555555555555",
		.tenant = directory,
		.auth_authority = peer_url(r->peer),
		.graph_url = peer_url(r->peer),
		.timeout = 30,
		.revocation_queue = true };
	r->conf[i].app_key_file = secret_path;
}

static void
rig_start(struct rig *r, void **state)
{
	static const char *const names[] = { "contoso", "fabrikam" };
	static const char *const directories[] = { "contoso.example", "fabrikam.example" };
	static const char *const endpoints[] = { "corp", "fab" };

	*r = (struct rig){ .f = *state };
	r->peer = peer_start();
	(void)snprintf(secret_path, sizeof(secret_path), "%s/secret", r->f->dir);
	ok(r->f, file_write(secret_path, "s3cret\n", 7, 0600, 1, &r->f->err));
	r->config.tenants.v = r->conf;
	r->config.tenants.n = 2;
	r->config.revocation.queue_interval = 60;
	for (size_t i = 0; i < 2; i++) {
		open_tenant(r, i, names[i], directories[i]);
		ok(r->f, tenant_open(&r->tenants[i], &r->config, &r->conf[i], &r->f->err));
		r->endpoints[i].name = endpoints[i];
		r->endpoints[i].tenant = r->tenants[i];
	}
	r->s = (struct scepd){ .config = &r->config,
		.store = r->f->s,
		.tenants = r->tenants,
		.n_tenants = 2,
		.endpoints = r->endpoints,
		.n_endpoints = 2 };
	ok(r->f, metrics_new(&r->s.metrics, &r->f->err));
	ok(r->f, intune_queue_new(&r->queue, &r->s, &r->f->err));
}

static void
rig_end(struct rig *r)
{
	intune_queue_free(r->queue);
	metrics_free(r->s.metrics);
	tenant_free(r->tenants[0]);
	tenant_free(r->tenants[1]);
	peer_stop(r->peer);
}

/* As the background does, one after another; returns when the first is due. */
static int64_t
poll_all(struct intune_queue *q, int64_t now_ms, const atomic_bool *stop)
{
	int64_t next = now_ms + 60000;

	for (size_t i = 0; i < intune_queue_count(q); i++) {
		int64_t due = intune_queue_poll(q, i, now_ms, stop);

		next = due < next ? due : next;
	}
	return next;
}

/* ---- the queue ---- */

/* Serial number of certificate n. */
static const char *
serial_of(unsigned n)
{
	static struct sf_tx t;

	sf_tx(&t, n);
	return t.serial;
}

/* Intune has these requests, as JSON entries. */
static void
queue_has(struct rig *r, const char *entries)
{
	char body[8192];

	(void)snprintf(body, sizeof(body), "{\"value\":[%s]}", entries);
	peer_answer(r->peer, ROUTE_DOWNLOAD, 200, body);
}

static const char *
entry(const char *context, const char *serial, const char *issuer, const char *config)
{
	static char text[4][512];
	static unsigned n;
	char *out = text[n++ % 4];

	(void)snprintf(out, sizeof(text[0]),
	    "{\"requestContext\":\"%s\",\"serialNumber\":\"%s\",\"issuerName\":\"%s\","
	    "\"caConfiguration\":\"%s\"}",
	    context, serial, issuer, config);
	return out;
}

static enum rc
drain_as(struct rig *r, size_t tenant, struct queue_counts *n)
{
	const struct queue_from from = { &r->s, r->tenants[tenant], cas, COUNT(cas) };
	struct intune_revocation_list *list;
	struct intune_error e;
	enum rc rc;

	if (intune_download_revocation_requests(
		tenant_client(r->tenants[tenant]), "t", 500, NULL, &list, &e) != INTUNE_OK)
		give_up("%s\n", e.message);
	rc = queue_batch(&from, list, n, &r->f->err);
	intune_revocation_list_free(list);
	return rc;
}

static void
drain(struct rig *r, struct queue_counts *n)
{
	ok(r->f, drain_as(r, 0, n));
}

/* What the newest upload said of a request: its code, -1 when it said nothing. */
static int
answered(struct rig *r, const char *context)
{
	size_t last = peer_count(r->peer, ROUTE_UPLOAD), i;
	json_t *body, *result;
	int code = -1;

	if (last == 0)
		return -1;
	body = json_loads(
	    raw_body(peer_recorded(r->peer, ROUTE_UPLOAD, last - 1)), JSON_REJECT_DUPLICATES, NULL);
	json_array_foreach(json_object_get(body, "results"), i, result)
	{
		if (strcmp(json_get_str(result, "requestContext"), context) == 0)
			code = atoi(json_get_str(result, "errorCode"));
	}
	json_decref(body);
	return code;
}

static enum cert_state
state_of(struct rig *r, unsigned n)
{
	struct store_status st;
	enum cert_state state;

	ok(r->f, store_status_get(r->f->s, serial_of(n), NULL, &st, &r->f->err));
	state = st.state;
	store_status_done(&st);
	return state;
}

static size_t
causes_of(struct rig *r, unsigned n)
{
	struct store_status st;
	size_t n_causes;

	ok(r->f, store_status_get(r->f->s, serial_of(n), NULL, &st, &r->f->err));
	n_causes = st.n_causes;
	store_status_done(&st);
	return n_causes;
}

static void
set_cause(struct rig *r, unsigned n, enum cause_effect effect, int reason)
{
	const struct store_cause_set c = { .serial = serial_of(n),
		.source = CAUSE_MANUAL,
		.effect = effect,
		.reason = reason,
		.who = "alice" };

	ok(r->f, store_causes_set(r->f->s, &c, 1, NULL, &r->f->err));
}

static void
break_the_store(struct rig *r)
{
	sf_sql(r->f, "ALTER TABLE cause RENAME TO away");
}

static void
mend_the_store(struct rig *r)
{
	sf_sql(r->f, "ALTER TABLE away RENAME TO cause");
}

/* ---- claims ---- */

static void
what_intune_wants_revoked_is_revoked_and_reported(void **state)
{
	struct queue_counts n;
	struct store_status st;
	struct rig r;

	rig_start(&r, state);
	(void)sf_drive(r.f, 1, TX_NOTIFIED);
	(void)sf_drive(r.f, 2, TX_NOTIFIED);
	queue_has(&r, entry("ctx-1", serial_of(1), ISSUING, "issuing"));
	drain(&r, &n);
	assert_int_equal(n.requests, 1);
	assert_int_equal(n.revoked, 1);
	assert_int_equal(answered(&r, "ctx-1"), 0);
	assert_int_equal(state_of(&r, 1), CERT_REVOKED);
	assert_int_equal(state_of(&r, 2), CERT_GOOD);
	ok(r.f, store_status_get(r.f->s, serial_of(1), NULL, &st, &r.f->err));
	assert_int_equal(st.causes[0].source, CAUSE_INTUNE);
	assert_int_equal(st.causes[0].reason, REASON_CESSATION);
	assert_string_equal(st.causes[0].who, "tenant contoso");
	assert_string_equal(st.causes[0].comment, "request ctx-1");
	store_status_done(&st);
	rig_end(&r);
}

/* Killed before the upload, or the upload lost: the same requests come again. */
static void
a_request_that_comes_again_is_answered_again_and_nothing_is_revoked_twice(void **state)
{
	static const struct play failures[] = { { 0 }, { 503, NULL, "", 0, 0 },
		{ 200, NULL, "{\"value\":false}", 0, 0 }, { 401, NULL, "", 0, 0 },
		{ 500, NULL, "<html>", 0, 0 }, { 400, NULL, "{}", 0, 0 } };
	struct queue_counts n;
	struct rig r;

	for (unsigned i = 0; i < COUNT(failures); i++) {
		rig_start(&r, state);
		(void)sf_drive(r.f, i, TX_NOTIFIED);
		peer_always(r.peer, ROUTE_UPLOAD, &failures[i]);
		for (unsigned again = 0; again < 2; again++) {
			queue_has(&r, entry("ctx-1", serial_of(i), ISSUING, "issuing"));
			if (drain_as(&r, 0, &n) == RC_OK)
				give_up("row %u: taken\n", i);
			assert_int_equal(n.revoked, !again);
			assert_int_equal(n.again, again);
			assert_int_equal(state_of(&r, i), CERT_REVOKED);
			assert_int_equal(causes_of(&r, i), 1);
		}
		assert_int_equal(answered(&r, "ctx-1"), 0);
		rig_end(&r);
	}
}

static void
each_request_is_answered_by_its_own(void **state)
{
	struct queue_counts n;
	char list[4096];
	struct rig r;

	rig_start(&r, state);
	for (unsigned i = 1; i <= 4; i++)
		(void)sf_drive(r.f, i, TX_NOTIFIED);
	set_cause(&r, 2, CAUSE_REVOKE, 1);
	set_cause(&r, 3, CAUSE_HOLD, REASON_HOLD);
	(void)snprintf(list, sizeof(list), "%s,", entry("good", serial_of(1), ISSUING, "issuing"));
	(void)snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s,%s,",
	    entry("revoked", serial_of(2), ISSUING, "issuing"),
	    entry("held", serial_of(3), ISSUING, "issuing"));
	(void)snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s,%s,%s,",
	    entry("twice", serial_of(1), ISSUING, "issuing"),
	    entry("unknown", "0123456789ABCDEF", ISSUING, "issuing"),
	    entry("odd", "no number", ISSUING, "issuing"));
	(void)snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s,%s",
	    entry("theirs", "0123456789ABCDEF", "CN=Another CA", "another"),
	    entry("theirs too", serial_of(4), "CN=Another CA", "another"));
	queue_has(&r, list);
	drain(&r, &n);
	assert_int_equal(answered(&r, "good"), 0);
	assert_int_equal(answered(&r, "revoked"), 4005);
	assert_int_equal(answered(&r, "held"), 0);
	assert_int_equal(answered(&r, "twice"), 4005);
	assert_int_equal(answered(&r, "unknown"), 4004);
	assert_int_equal(answered(&r, "odd"), 4002);
	assert_int_equal(answered(&r, "theirs"), -1);
	assert_int_equal(answered(&r, "theirs too"), -1);
	assert_int_equal(peer_count(r.peer, ROUTE_UPLOAD), 1);
	assert_int_equal(n.requests, 8);
	assert_int_equal(n.revoked, 2);
	assert_int_equal(n.conflicts, 2);
	assert_int_equal(n.unknown, 2);
	assert_int_equal(n.left, 2);
	assert_int_equal(n.again + n.later + n.foreign, 0);
	assert_int_equal(state_of(&r, 3), CERT_REVOKED); /* a hold does not shield it */
	assert_int_equal(state_of(&r, 4), CERT_GOOD);
	rig_end(&r);
}

static void
a_serial_number_in_another_form_is_the_same(void **state)
{
	struct queue_counts n;
	char lower[64] = "00:";
	struct rig r;

	rig_start(&r, state);
	(void)sf_drive(r.f, 1, TX_NOTIFIED);
	for (const char *s = serial_of(1); *s != '\0'; s++)
		lower[strlen(lower)] = (char)(*s >= 'A' ? *s + 32 : *s);
	queue_has(&r, entry("ctx-1", lower, ISSUING, "issuing"));
	drain(&r, &n);
	assert_int_equal(n.revoked, 1);
	assert_int_equal(state_of(&r, 1), CERT_REVOKED);
	rig_end(&r);
}

/* Whoever administers a tenant can put any serial number into its queue. */
static void
a_tenant_s_queue_revokes_no_other_s_certificates(void **state)
{
	struct store_binding b = { .state = BINDING_BOUND, .tenant = "fabrikam" };
	struct queue_counts n;
	struct rig r;

	rig_start(&r, state);
	(void)sf_drive(r.f, 1, TX_NOTIFIED); /* of "corp", that is contoso's */
	(void)sf_drive(r.f, 2, TX_NOTIFIED);
	queue_has(&r, entry("theft", serial_of(1), ISSUING, "issuing"));
	ok(r.f, drain_as(&r, 1, &n));
	assert_int_equal(answered(&r, "theft"), 4004);
	assert_int_equal(n.foreign, 1);
	assert_int_equal(state_of(&r, 1), CERT_GOOD);

	/* Who vouched at the issue counts, whomever the endpoint asks now. */
	ok(r.f, store_binding_set(r.f->s, serial_of(2), NULL, &b, &r.f->err));
	queue_has(&r, entry("moved", serial_of(2), ISSUING, "issuing"));
	drain(&r, &n);
	assert_int_equal(answered(&r, "moved"), 4004);
	queue_has(&r, entry("owner", serial_of(2), ISSUING, "issuing"));
	ok(r.f, drain_as(&r, 1, &n));
	assert_int_equal(answered(&r, "owner"), 0);
	assert_int_equal(state_of(&r, 2), CERT_REVOKED);
	rig_end(&r);
}

/* An endpoint that is gone or asks nobody has certificates that no queue revokes. */
static void
without_a_tenant_nobody_s_queue_revokes(void **state)
{
	struct queue_counts n;
	struct rig r;

	rig_start(&r, state);
	(void)sf_drive(r.f, 1, TX_NOTIFIED);
	r.s.endpoints[0].tenant = NULL;
	queue_has(&r, entry("ctx-1", serial_of(1), ISSUING, "issuing"));
	drain(&r, &n);
	assert_int_equal(answered(&r, "ctx-1"), 4004);
	r.s.n_endpoints = 0;
	queue_has(&r, entry("ctx-2", serial_of(1), ISSUING, "issuing"));
	drain(&r, &n);
	assert_int_equal(answered(&r, "ctx-2"), 4004);
	assert_int_equal(state_of(&r, 1), CERT_GOOD);
	rig_end(&r);
}

/* Two apps in one directory of Entra's share its queue. */
static void
the_queue_of_one_directory_serves_all_its_apps(void **state)
{
	struct queue_counts n;
	struct tenant *other;
	struct rig r;

	rig_start(&r, state);
	(void)sf_drive(r.f, 1, TX_NOTIFIED);
	r.conf[1].tenant = "CONTOSO.example";
	ok(r.f, tenant_open(&other, &r.config, &r.conf[1], &r.f->err));
	tenant_free(r.tenants[1]);
	r.tenants[1] = r.endpoints[1].tenant = other;
	queue_has(&r, entry("ctx-1", serial_of(1), ISSUING, "issuing"));
	ok(r.f, drain_as(&r, 1, &n));
	assert_int_equal(answered(&r, "ctx-1"), 0);
	rig_end(&r);
}

static void
trouble_of_ours_is_put_off(void **state)
{
	struct queue_counts n;
	struct rig r;

	rig_start(&r, state);
	(void)sf_drive(r.f, 1, TX_NOTIFIED);
	break_the_store(&r);
	queue_has(&r, entry("ctx-1", serial_of(1), ISSUING, "issuing"));
	drain(&r, &n);
	assert_int_equal(answered(&r, "ctx-1"), 4100);
	assert_int_equal(n.later, 1);
	mend_the_store(&r);
	queue_has(&r, entry("ctx-1", serial_of(1), ISSUING, "issuing"));
	drain(&r, &n);
	assert_int_equal(answered(&r, "ctx-1"), 0);
	assert_int_equal(state_of(&r, 1), CERT_REVOKED);
	rig_end(&r);
}

/* One result that the service cannot take must not keep the others back. */
static void
an_upload_that_is_refused_is_divided(void **state)
{
	const struct play bad = { 400, NULL,
		"{\"error\":{\"code\":\"BadRequest\",\"message\":\"m\"}}", 0, 0 };
	struct queue_counts n;
	char list[2048];
	struct rig r;

	rig_start(&r, state);
	for (unsigned i = 1; i <= 4; i++)
		(void)sf_drive(r.f, i, TX_NOTIFIED);
	(void)snprintf(list, sizeof(list), "%s,", entry("c1", serial_of(1), ISSUING, "issuing"));
	(void)snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s,",
	    entry("c2", serial_of(2), ISSUING, "issuing"));
	(void)snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s,",
	    entry("c3", serial_of(3), ISSUING, "issuing"));
	(void)snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s",
	    entry("c4", serial_of(4), ISSUING, "issuing"));
	queue_has(&r, list);
	peer_play(r.peer, ROUTE_UPLOAD, &bad); /* all four */
	peer_play(r.peer, ROUTE_UPLOAD, &bad); /* c1 and c2 */
	peer_play(r.peer, ROUTE_UPLOAD, &bad); /* c1 alone */
	assert_int_not_equal(drain_as(&r, 0, &n), RC_OK);
	assert_int_equal(n.revoked, 4);
	assert_int_equal(peer_count(r.peer, ROUTE_UPLOAD), 5);
	assert_int_equal(answered(&r, "c3"), 0); /* the last one: c3 and c4 */
	assert_int_equal(answered(&r, "c4"), 0);
	rig_end(&r);
}

/* ---- polls ---- */

/* A CA as it is opened, made once: keys take time. */
static struct fixture *made;

static int
ca_new(void **state)
{
	void *f;

	assert_int_equal(fixture_new(&f), 0);
	made = f;
	return 0;
}

static int
ca_end(void **state)
{
	void *f = made;

	return fixture_free(&f);
}

/* One tenant, and the CA that its endpoints issue from; due at `now` + 61 s. */
static void
one_tenant(struct rig *r)
{
	static const struct conf_ca conf = { .name = "issuing" };
	static struct server_ca sca;

	sca = (struct server_ca){ .conf = &conf, .ca = made->ca };
	r->s.cas = &sca;
	r->s.n_cas = 1;
	r->s.n_endpoints = 1;
	intune_queue_free(r->queue);
	ok(r->f, intune_queue_new(&r->queue, &r->s, &r->f->err));
}

static const char *
ca_subject(void)
{
	static struct buf text;

	buf_done(&text);
	buf_init(&text, 1024);
	name_text(&text, cert_subject0(ca_cert0(made->ca)));
	return buf_str(&text);
}

/* A list of 500 for this issuer, all unknown. */
static void
fill_queue(struct rig *r, const char *issuer)
{
	struct buf body;

	buf_init(&body, 1u << 20);
	buf_adds(&body, "{\"value\":[");
	for (unsigned i = 0; i < INTUNE_REVOCATION_MAX; i++)
		buf_addf(&body,
		    "%s{\"requestContext\":\"o%u\",\"serialNumber\":\"%u\","
		    "\"issuerName\":\"%s\"}",
		    i == 0 ? "" : ",", i, i + 1, issuer);
	buf_adds(&body, "]}");
	peer_answer(r->peer, ROUTE_DOWNLOAD, 200, buf_str(&body));
	buf_done(&body);
}

static void
tenants_are_polled_when_they_are_due(void **state)
{
	int64_t now = clock_mono_ms(), next;
	struct rig r;

	rig_start(&r, state);
	(void)sf_drive(r.f, 1, TX_NOTIFIED);
	next = poll_all(r.queue, now, &on);
	assert_int_equal(peer_count(r.peer, ROUTE_DOWNLOAD), 0); /* CAs do not start together */
	assert_in_range(next, now + 15000, now + 60000);
	queue_has(&r, entry("ctx-1", serial_of(1), ISSUING, "issuing"));
	next = poll_all(r.queue, now + 61000, &on);
	assert_int_equal(peer_count(r.peer, ROUTE_DOWNLOAD), 2);
	assert_int_equal(state_of(&r, 1), CERT_REVOKED);
	assert_in_range(next, now + 59000, now + 70000);
	assert_int_equal(metric_get(r.s.metrics, METRIC_QUEUE_REQUESTS), 1);
	assert_int_equal(metric_get(r.s.metrics, METRIC_QUEUE_REVOKED), 1);
	assert_int_equal(metric_get(r.s.metrics, METRIC_QUEUE_ERRORS), 0);
	rig_end(&r);
}

struct polling {
	struct rig *r;
	size_t i;
};

static void *
poll_in_a_thread(void *arg)
{
	const struct polling *p = arg;

	(void)intune_queue_poll(p->r->queue, p->i, clock_mono_ms() + 61000, &on);
	return NULL;
}

/* Both are handed out the same requests: one must not find revoked what the other has yet to report. */
static void
two_tenants_of_one_directory_take_turns_at_its_queue(void **state)
{
	struct play all = { .status = 200, .delay_ms = 100 };
	char body[64 * 200] = "{\"value\":[";
	struct rig r;
	struct polling of[2] = { { &r, 0 }, { &r, 1 } };
	pthread_t threads[2];

	rig_start(&r, state);
	for (unsigned i = 1; i <= 40; i++) {
		(void)sf_drive(r.f, i, TX_NOTIFIED);
		(void)snprintf(body + strlen(body), sizeof(body) - strlen(body), "%s%s",
		    i > 1 ? "," : "", entry(serial_of(i), serial_of(i), ISSUING, "issuing"));
	}
	strcat(body, "]}");
	all.body = body;
	peer_always(r.peer, ROUTE_DOWNLOAD, &all);
	intune_queue_free(r.queue);
	tenant_free(r.tenants[1]);
	r.conf[1].tenant = r.conf[0].tenant;
	ok(r.f, tenant_open(&r.tenants[1], &r.config, &r.conf[1], &r.f->err));
	r.endpoints[1].tenant = r.tenants[1];
	ok(r.f, intune_queue_new(&r.queue, &r.s, &r.f->err));
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, poll_in_a_thread, &of[i]), 0);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_int_equal(metric_get(r.s.metrics, METRIC_QUEUE_REQUESTS), 80);
	assert_int_equal(metric_get(r.s.metrics, METRIC_QUEUE_REVOKED), 40);
	assert_int_equal(metric_get(r.s.metrics, METRIC_QUEUE_CONFLICTS), 0);
	rig_end(&r);
}

static void
the_configuration_says_who_is_polled(void **state)
{
	int64_t now = clock_mono_ms();
	struct rig r;

	rig_start(&r, state);
	intune_queue_free(r.queue);
	r.conf[0].revocation_queue = false;
	r.s.n_endpoints = 1; /* nobody asks fabrikam */
	ok(r.f, intune_queue_new(&r.queue, &r.s, &r.f->err));
	(void)poll_all(r.queue, now + 61000, &on);
	assert_int_equal(peer_count(r.peer, ROUTE_DOWNLOAD), 0);
	rig_end(&r);
}

static void
nothing_is_begun_after_the_stop(void **state)
{
	const atomic_bool stop = true;
	struct rig r;

	rig_start(&r, state);
	(void)poll_all(r.queue, clock_mono_ms() + 61000, &stop);
	assert_int_equal(peer_count(r.peer, ROUTE_DOWNLOAD), 0);
	rig_end(&r);
}

/* Intune answering anything but a list: nothing is revoked, nothing is answered, and it is asked again. */
static void
a_poll_that_fails_changes_nothing(void **state)
{
	static const struct play rows[] = {
		{ 401, NULL, "", 0, 0 },
		{ 403, NULL, "{}", 0, 0 },
		{ 429, "Retry-After: 300\r\n", "", 0, 0 },
		{ 500, NULL, "", 0, 0 },
		{ 0 },
		{ 200, NULL, "", 0, 0 },
		{ 200, NULL, "{}", 0, 0 },
		{ 200, NULL, "{\"value\":[{\"requestContext\":\"c\",\"serialNumber\":\"1\"", 0, 0 },
		{ 200, NULL, "[]", 0, 0 },
	};
	struct rig r;
	int64_t now;

	for (size_t i = 0; i < COUNT(rows); i++) {
		rig_start(&r, state);
		one_tenant(&r);
		peer_always(r.peer, ROUTE_DOWNLOAD, &rows[i]);
		now = clock_mono_ms();
		(void)poll_all(r.queue, now + 61000, &on);
		assert_int_equal(metric_get(r.s.metrics, METRIC_QUEUE_ERRORS), 1);
		assert_int_equal(peer_count(r.peer, ROUTE_UPLOAD), 0);
		/* what Retry-After says is waited for */
		(void)poll_all(r.queue, now + 200000, &on);
		assert_int_equal(
		    metric_get(r.s.metrics, METRIC_QUEUE_ERRORS), rows[i].status == 429 ? 1 : 2);
		(void)poll_all(r.queue, now + 400000, &on);
		assert_int_equal(
		    metric_get(r.s.metrics, METRIC_QUEUE_ERRORS), rows[i].status == 429 ? 2 : 3);
		rig_end(&r);
	}
}

/* What one poll asked for: NULL, or the filter. */
static const char *
filter_of(struct rig *r, size_t n)
{
	static char text[512];
	const char *raw = peer_recorded(r->peer, ROUTE_DOWNLOAD, n), *s;
	json_t *body;

	assert_non_null(raw);
	body = json_loads(raw_body(raw), 0, NULL);
	s = json_get_str(json_object_get(body, "downloadParameters"), "issuerName");
	(void)snprintf(text, sizeof(text), "%s", s != NULL ? s : "");
	json_decref(body);
	return s != NULL ? text : NULL;
}

/* A foreign CA has given the same number: its certificate is meant only where the request names it. */
static void
of_several_with_one_number_the_one_of_the_named_ca_is_meant(void **state)
{
	const struct store_binding b = { .state = BINDING_BOUND, .tenant = "contoso" };
	struct conf_foreign conf = { .name = "adcs" };
	struct server_foreign foreign = { .conf = &conf };
	struct store_foreign_cert theirs = { .binding = &b };
	struct store_cert_status st;
	struct queue_counts n;
	enum foreign_outcome o;
	struct rig r;

	rig_start(&r, state);
	r.s.foreign = &foreign;
	r.s.n_foreign = 1;
	for (unsigned i = 1; i <= 2; i++) {
		(void)sf_drive(r.f, i, TX_NOTIFIED);
		theirs.serial = serial_of(i);
		ok(r.f, store_foreign_add(r.f->s, "adcs", "jane", &theirs, 1, &o, &r.f->err));
		assert_int_equal(o, FOREIGN_ADDED);
	}
	queue_has(&r, entry("ours", serial_of(1), ISSUING, "issuing"));
	drain(&r, &n);
	assert_int_equal(answered(&r, "ours"), 0);
	ok(r.f, store_cert_status(r.f->s, serial_of(1), "issuing", &st, &r.f->err));
	assert_int_equal(st.reason, REASON_CESSATION);
	ok(r.f, store_cert_status(r.f->s, serial_of(1), "adcs", &st, &r.f->err));
	assert_int_equal(st.revoked, 0);
	queue_has(&r, entry("theirs", serial_of(2), "CN=Old CA", "adcs"));
	drain(&r, &n);
	ok(r.f, store_cert_status(r.f->s, serial_of(2), "issuing", &st, &r.f->err));
	assert_int_equal(st.revoked, 0);
	ok(r.f, store_cert_status(r.f->s, serial_of(2), "adcs", &st, &r.f->err));
	assert_int_not_equal(st.revoked, 0);
	rig_end(&r);
}

/* The list is cut before it is filtered, so 500 of another CA's hide ours: the filters are the only hope. */
static void
behind_a_list_of_others_the_filters_are_tried(void **state)
{
	int64_t now = clock_mono_ms();
	struct rig r;
	struct buf text;

	rig_start(&r, state);
	(void)sf_drive(r.f, 1, TX_NOTIFIED);
	one_tenant(&r);
	fill_queue(&r, "CN=Other");
	queue_has(&r, entry("ctx-1", serial_of(1), ca_subject(), "issuing"));
	(void)poll_all(r.queue, now + 61000, &on);
	assert_int_equal(peer_count(r.peer, ROUTE_DOWNLOAD), 3);
	assert_null(filter_of(&r, 0));
	assert_string_equal(filter_of(&r, 1), "issuing");
	assert_string_equal(filter_of(&r, 2), ca_subject());
	assert_int_equal(peer_count(r.peer, ROUTE_UPLOAD), 1);
	assert_int_equal(answered(&r, "ctx-1"), 0);
	assert_int_equal(state_of(&r, 1), CERT_REVOKED);
	buf_init(&text, 65536);
	intune_queue_metrics(r.queue, &text);
	assert_non_null(strstr(buf_str(&text), "scepd_queue_left{tenant=\"contoso\"} 500\n"));
	assert_non_null(strstr(buf_str(&text), "scepd_queue_age_seconds{tenant=\"contoso\"} "));
	buf_done(&text);
	rig_end(&r);
}

/* There are no pages: what waits behind a full list comes once that is answered. */
static void
a_full_list_is_followed_by_the_next_at_once(void **state)
{
	int64_t now = clock_mono_ms();
	struct rig r;

	rig_start(&r, state);
	(void)sf_drive(r.f, 1, TX_NOTIFIED);
	one_tenant(&r);
	fill_queue(&r, ca_subject());
	queue_has(&r, entry("ctx-1", serial_of(1), ca_subject(), "issuing"));
	(void)poll_all(r.queue, now + 61000, &on);
	assert_int_equal(peer_count(r.peer, ROUTE_DOWNLOAD), 2);
	assert_null(filter_of(&r, 1));
	assert_int_equal(peer_count(r.peer, ROUTE_UPLOAD), 2);
	assert_int_equal(metric_get(r.s.metrics, METRIC_QUEUE_UNKNOWN), INTUNE_REVOCATION_MAX);
	assert_int_equal(state_of(&r, 1), CERT_REVOKED);
	rig_end(&r);
}

/* ... but not when it cannot be answered: the same would come again. */
static void
a_full_list_that_cannot_be_answered_is_not_asked_for_again_at_once(void **state)
{
	const struct play no = { 200, NULL, "{\"value\":false}", 0, 0 };
	int64_t now = clock_mono_ms();
	struct rig r;

	rig_start(&r, state);
	one_tenant(&r);
	fill_queue(&r, ca_subject());
	peer_always(r.peer, ROUTE_UPLOAD, &no);
	(void)poll_all(r.queue, now + 61000, &on);
	assert_int_equal(peer_count(r.peer, ROUTE_DOWNLOAD), 1);
	assert_int_equal(metric_get(r.s.metrics, METRIC_QUEUE_UPLOAD_ERRORS), 1);
	rig_end(&r);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, sf_setup, sf_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_intune_wants_revoked_is_revoked_and_reported),
		TEST(a_request_that_comes_again_is_answered_again_and_nothing_is_revoked_twice),
		TEST(each_request_is_answered_by_its_own),
		TEST(a_serial_number_in_another_form_is_the_same),
		TEST(a_tenant_s_queue_revokes_no_other_s_certificates),
		TEST(of_several_with_one_number_the_one_of_the_named_ca_is_meant),
		TEST(without_a_tenant_nobody_s_queue_revokes),
		TEST(the_queue_of_one_directory_serves_all_its_apps),
		TEST(trouble_of_ours_is_put_off),
		TEST(an_upload_that_is_refused_is_divided),
		TEST(tenants_are_polled_when_they_are_due),
		TEST(two_tenants_of_one_directory_take_turns_at_its_queue),
		TEST(the_configuration_says_who_is_polled),
		TEST(nothing_is_begun_after_the_stop),
		TEST(a_poll_that_fails_changes_nothing),
		TEST(behind_a_list_of_others_the_filters_are_tried),
		TEST(a_full_list_is_followed_by_the_next_at_once),
		TEST(a_full_list_that_cannot_be_answered_is_not_asked_for_again_at_once),
	};

	return cmocka_run_group_tests(tests, ca_new, ca_end);
}
