/*
 * ocsp_test.c - what an OCSP request is answered with, how often that is signed, and over HTTP.
 */
#include "ocsp_rig.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "http/reply.h"
#include "scepd/ocsp_answer.h"
#include "scepd/ocsp_cache.h"
#include "store/store_status.h"

#define NONCE   "0123456789abcdef0123456789abcdef"
#define GOOD    DER_CTX(0)
#define REVOKED DER_CTX_CONS(1)
#define UNKNOWN DER_CTX(2)
#define NOBODY  "1234567890ABCDEF"

static const struct cert *
ca_of(const struct rig *r, size_t at)
{
	return ca_cert0(r->cas[at].ca);
}

/* The status of the OCSPResponse that a request gets. */
static int
ask_for(struct rig *r, size_t url, const struct ocsp_kit_id *ids, size_t n, const char *nonce,
    struct ocsp_outcome *o)
{
	struct der in, body, status;
	struct buf req, out;

	buf_init(&req, 1 << 16);
	buf_init(&out, 1 << 16);
	ocsp_kit_request(&req, ids, n, nonce, 32);
	ocsp_answer(&r->s, url, req.data, req.len, &out, o);
	in = (struct der){ out.data, out.len };
	assert_true(der_take(&in, DER_SEQUENCE, &body) && in.len == 0);
	assert_true(der_take(&body, DER_ENUMERATED, &status) && status.len == 1);
	assert_int_equal(status.p[0], o->failure);
	assert_int_equal(body.len > 0, o->failure == 0);
	buf_done(&req);
	buf_done(&out);
	return o->failure;
}

static int
ask_one(struct rig *r, const char *serial, const char *nonce)
{
	struct ocsp_kit_id id = { ca_of(r, ISSUING), DIGEST_SHA1, serial };
	struct ocsp_outcome o;

	return ask_for(r, ISSUING, &id, 1, nonce, &o);
}

static void
every_certificate_has_its_status(void **state)
{
	struct rig *r = *state;
	const struct cert *ca = ca_of(r, ISSUING);
	struct ocsp_kit_id ids[] = { { ca, DIGEST_SHA256, NULL }, { ca, DIGEST_SHA1, NULL },
		{ ca, DIGEST_SHA512, NOBODY }, { ca, DIGEST_SHA1, "00" },
		{ ca, DIGEST_SHA384, NULL } };
	char serials[2][64], ra[2 * SERIAL_MAX + 3] = "00";
	struct ocsp_outcome o;

	snprintf(serials[0], sizeof(serials[0]), "00%s", rig_serial(2));
	snprintf(serials[1], sizeof(serials[1]), "00%s", rig_serial(1));
	ids[0].serial = serials[0] + (serials[0][2] < '8' ? 2 : 0);
	ids[1].serial = serials[1] + (serials[1][2] < '8' ? 2 : 0);
	serial_hex(ra + 2, cert_serial0(ca_ra_cert0(r->cas[ISSUING].ca)));
	ids[4].serial = ra + (ra[2] < '8' ? 2 : 0);
	assert_int_equal(ask_for(r, ISSUING, ids, N(ids), NONCE, &o), 0);
	assert_int_equal(fake.n, N(ids));
	assert_memory_equal(
	    fake.status, ((const uint8_t[]){ REVOKED, GOOD, UNKNOWN, UNKNOWN, GOOD }), N(ids));
	assert_int_equal(fake.reason, 1);
	assert_int_equal(fake.nonce_len, 32);
	assert_int_equal(o.n, N(ids));
	assert_true(o.nonce && !o.from_cache);
	assert_int_equal(o.kept.status, OCSP_REVOKED);
	assert_int_equal(fake.next_update - fake.this_update, 3600 + 300);
	assert_in_range(clock_now() - fake.this_update, 300, 360);
}

static void
the_certificate_says_which_ca_answers(void **state)
{
	struct rig *r = *state;
	struct ocsp_kit_id next = { ca_of(r, NEXT), DIGEST_SHA1, NOBODY };
	struct ocsp_kit_id both[] = { { ca_of(r, ISSUING), DIGEST_SHA1, NOBODY }, next };
	struct ocsp_kit_id unheard_of = { ca_of(r, ISSUING), DIGEST_NONE, NOBODY };
	struct ocsp_kit_id foreign = { ocsp_kit_ca("CN=Foreign", fixture_key("ec:p256")),
		DIGEST_SHA1, NOBODY };
	struct ocsp_outcome o;

	assert_int_equal(ask_for(r, ISSUING, &next, 1, NULL, &o), 0);
	assert_string_equal(fake.ca, "next");
	assert_string_equal(o.ca, "next");
	assert_int_equal(ask_for(r, NEXT, &both[0], 1, NULL, &o), 0);
	assert_string_equal(fake.ca, "issuing");
	assert_int_equal(ask_for(r, ISSUING, both, 2, NULL, &o), OCSP_UNAUTHORIZED);
	assert_int_equal(ask_for(r, ISSUING, &foreign, 1, NULL, &o), OCSP_UNAUTHORIZED);
	assert_int_equal(ask_for(r, ISSUING, &unheard_of, 1, NONCE, &o), OCSP_UNAUTHORIZED);
	assert_int_equal(fake.calls, 2);
	cert_free((struct cert *)foreign.issuer);
}

static void
a_serial_number_of_another_ca_is_unknown(void **state)
{
	struct rig *r = *state;
	struct ocsp_kit_id id = { ca_of(r, NEXT), DIGEST_SHA1, rig_serial(1) };
	struct ocsp_outcome o;

	assert_int_equal(ask_for(r, NEXT, &id, 1, NULL, &o), 0);
	assert_int_equal(o.kept.status, OCSP_UNKNOWN);
}

static void
what_was_signed_is_given_again_unless_there_is_a_nonce(void **state)
{
	struct rig *r = *state;
	struct ocsp_kit_id sha1 = { ca_of(r, ISSUING), DIGEST_SHA1, NOBODY },
			   sha256 = { ca_of(r, ISSUING), DIGEST_SHA256, NOBODY };
	struct ocsp_outcome o;

	for (int i = 0; i < 3; i++) {
		assert_int_equal(ask_for(r, ISSUING, &sha1, 1, NULL, &o), 0);
		assert_int_equal(o.from_cache, i > 0);
		assert_int_equal(o.kept.status, OCSP_UNKNOWN);
		assert_in_range(o.kept.next_update - clock_now(), 3500, 3600);
	}
	assert_int_equal(fake.calls, 1);
	assert_int_equal(ask_for(r, ISSUING, &sha256, 1, NULL, &o), 0); /* CertIDs are echoed */
	assert_int_equal(fake.calls, 2);
	for (int i = 0; i < 3; i++)
		assert_int_equal(ask_for(r, ISSUING, &sha1, 1, NONCE, &o), 0);
	assert_int_equal(fake.calls, 5);
	assert_int_equal(metric_get(r->s.metrics, METRIC_OCSP), 7);
	assert_int_equal(metric_get(r->s.metrics, METRIC_OCSP_SIGNED), 5);
	assert_int_equal(metric_get(r->s.metrics, METRIC_OCSP_REFUSED), 0);
}

/* A certificate is held and let go: the answer is as young as the number of the last change. */
static void
a_hold_is_told_and_not_for_long(void **state)
{
	struct rig *r = *state;
	struct ocsp_kit_id id = { ca_of(r, ISSUING), DIGEST_SHA1, NULL };
	struct store_cause_set set = { .serial = rig_serial(1),
		.source = CAUSE_MANUAL,
		.effect = CAUSE_HOLD,
		.reason = REASON_HOLD };
	struct ocsp_outcome o;
	struct err err = { 0 };
	uint64_t number;
	char padded[64];

	snprintf(padded, sizeof(padded), "00%s", rig_serial(1));
	id.serial = padded + (padded[2] < '8' ? 2 : 0);
	assert_int_equal(ask_for(r, ISSUING, &id, 1, NULL, &o), 0);
	assert_int_equal(o.kept.status, OCSP_GOOD);
	assert_ok(store_causes_set(r->f->s, &set, 1, NULL, &err), err);
	assert_int_equal(ask_for(r, ISSUING, &id, 1, NULL, &o), 0);
	assert_true(o.from_cache); /* nobody has said that there is something new */
	assert_ok(store_status_number(r->f->s, &number, &err), err);
	ocsp_status_is(r->s.ocsp, number);
	assert_int_equal(ask_for(r, ISSUING, &id, 1, NULL, &o), 0);
	assert_false(o.from_cache);
	assert_int_equal(o.kept.status, OCSP_REVOKED);
	assert_int_equal(fake.reason, REASON_HOLD);
	assert_in_range(o.kept.next_update - clock_now(), 290, 300);
	assert_int_equal(fake.next_update, o.kept.next_update);
	set.effect = CAUSE_GONE;
	assert_ok(store_causes_set(r->f->s, &set, 1, NULL, &err), err);
	assert_ok(store_status_number(r->f->s, &number, &err), err);
	ocsp_status_is(r->s.ocsp, number);
	assert_int_equal(ask_for(r, ISSUING, &id, 1, NULL, &o), 0);
	assert_int_equal(o.kept.status, OCSP_GOOD);
	assert_in_range(o.kept.next_update - clock_now(), 3500, 3600);
}

/* ---- CAs of others ---- */

#define OLD_URL (RIG_CAS + OLD) /* as ocsp_find() counts */

/* Serial numbers of the rig begin with any bit: as a positive INTEGER. */
static const char *
positive(char out[static 64], const char *serial)
{
	(void)snprintf(out, 64, "00%s", serial);
	return out + (out[2] < '8' ? 2 : 0);
}

static void
a_foreign_ca_is_answered_for_at_any_url(void **state)
{
	struct rig *r = *state;
	const struct cert *ca = r->foreign[OLD].cert;
	char good[64], bad[64], ours[64];
	struct ocsp_kit_id ids[] = { { ca, DIGEST_SHA256, positive(good, rig_serial(3)) },
		{ ca, DIGEST_SHA1, positive(bad, rig_serial(4)) }, { ca, DIGEST_SHA1, NOBODY },
		{ ca, DIGEST_SHA1, positive(ours, rig_serial(1)) } };
	static const size_t urls[] = { ISSUING, NEXT, OLD_URL, RIG_CAS + EASY };
	struct ocsp_outcome o;

	for (size_t i = 0; i < N(urls); i++) {
		assert_int_equal(ask_for(r, urls[i], ids, N(ids), NONCE, &o), 0);
		assert_string_equal(o.ca, "old");
		assert_string_equal(fake.ca, "old");
		assert_memory_equal(
		    fake.status, ((const uint8_t[]){ GOOD, REVOKED, UNKNOWN, UNKNOWN }), N(ids));
		assert_in_range(o.kept.next_update - clock_now(), 1790, 1800);
	}
	assert_int_equal(metric_get(r->s.metrics, METRIC_OCSP_FOREIGN), N(urls));
	assert_int_equal(metric_get(r->s.metrics, METRIC_OCSP_SIGNED), N(urls));
}

static void
what_nobody_has_imported_is_as_configured(void **state)
{
	struct rig *r = *state;
	struct ocsp_kit_id id = { r->foreign[EASY].cert, DIGEST_SHA1, NOBODY },
			   zero = { r->foreign[EASY].cert, DIGEST_SHA1, "00" };
	struct ocsp_outcome o;

	assert_int_equal(ask_for(r, RIG_CAS + EASY, &id, 1, NULL, &o), 0);
	assert_int_equal(o.kept.status, OCSP_GOOD);
	assert_int_equal(ask_for(r, RIG_CAS + EASY, &zero, 1, NULL, &o), 0);
	assert_int_equal(o.kept.status, OCSP_UNKNOWN); /* nobody gives such a number */
	id.issuer = r->foreign[OLD].cert;
	assert_int_equal(ask_for(r, RIG_CAS + EASY, &id, 1, NULL, &o), 0);
	assert_int_equal(o.kept.status, OCSP_UNKNOWN);
}

/* A revoked one of another foreign CA, and one of ours: of this CA nothing is known by that. */
static void
what_another_ca_has_says_nothing_of_this_one(void **state)
{
	struct rig *r = *state;
	char theirs[64], ours[64];
	struct ocsp_kit_id ids[] = { { r->foreign[EASY].cert, DIGEST_SHA1,
					 positive(theirs, rig_serial(4)) },
		{ r->foreign[EASY].cert, DIGEST_SHA1, positive(ours, rig_serial(1)) } };
	struct ocsp_outcome o;

	assert_int_equal(ask_for(r, RIG_CAS + EASY, ids, N(ids), NONCE, &o), 0);
	assert_string_equal(o.ca, "easy");
	assert_memory_equal(fake.status, ((const uint8_t[]){ GOOD, GOOD }), N(ids));
}

static void
a_foreign_ca_without_a_responder_is_none(void **state)
{
	struct rig *r = *state;
	struct ocsp_kit_id id = { r->foreign[SILENT].cert, DIGEST_SHA1, NOBODY },
			   mixed[] = { { r->foreign[OLD].cert, DIGEST_SHA1, NOBODY },
				   { ca_of(r, ISSUING), DIGEST_SHA1, NOBODY } };
	struct ocsp_outcome o;
	size_t at;

	assert_int_equal(ask_for(r, ISSUING, &id, 1, NULL, &o), OCSP_UNAUTHORIZED);
	assert_int_equal(ask_for(r, ISSUING, mixed, 2, NULL, &o), OCSP_UNAUTHORIZED);
	assert_int_equal(fake.calls, 0);
	assert_false(ocsp_find(&at, r->s.ocsp, "silent", 6));
	assert_true(ocsp_find(&at, r->s.ocsp, "Old", 3) && at == OLD_URL);
	assert_false(ocsp_find(&at, r->s.ocsp, "ol", 2));
}

static void
a_responder_that_has_ended_signs_nothing_and_one_that_is_new_does(void **state)
{
	struct rig *r = *state;
	struct ocsp_kit_id id = { r->foreign[OLD].cert, DIGEST_SHA1, NOBODY };
	struct ocsp_outcome o;

	fake.foreign_end = -60;
	for (int i = 0; i < 3; i++)
		assert_int_equal(ask_for(r, OLD_URL, &id, 1, NONCE, &o), OCSP_UNAUTHORIZED);
	assert_non_null(strstr(o.err.msg, "has ended"));
	assert_int_equal(fake.calls, 0);
	assert_int_equal(fake.asked, 1);                /* who asks costs the signer nothing */
	assert_int_equal(ask_one(r, NOBODY, NONCE), 0); /* ours is */
	fake.foreign_end = 0;
	ocsp_responder_changed(r->s.ocsp, "old");
	ocsp_responder_changed(r->s.ocsp, "nobody");
	assert_int_equal(ask_for(r, OLD_URL, &id, 1, NONCE, &o), 0);
	fake.none_yet = true;
	ocsp_responder_changed(r->s.ocsp, "old");
	assert_int_equal(ask_for(r, OLD_URL, &id, 1, NONCE, &o), OCSP_UNAUTHORIZED);
	assert_non_null(strstr(o.err.msg, "no certificate yet"));
}

static void
an_answer_is_kept_no_longer_than_its_responder_lasts(void **state)
{
	struct rig *r = *state;
	struct ocsp_kit_id id = { r->foreign[OLD].cert, DIGEST_SHA1, NOBODY };
	struct ocsp_outcome o;

	fake.foreign_end = 600;
	assert_int_equal(ask_for(r, OLD_URL, &id, 1, NULL, &o), 0);
	assert_in_range(o.kept.next_update - clock_now(), 590, 600);
}

/* The responder's own certificate is good unless the CA has taken it back. */
static void
a_responder_is_asked_about_like_others(void **state)
{
	struct rig *r = *state;
	struct ocsp_kit_id id = { r->foreign[OLD].cert, DIGEST_SHA1, "0F59" };
	struct ocsp_outcome o;
	char sql[200];

	assert_int_equal(ask_for(r, OLD_URL, &id, 1, NONCE, &o), 0);
	assert_int_equal(o.kept.status, OCSP_GOOD);
	(void)snprintf(sql, sizeof(sql),
	    "UPDATE cert SET serial = x'0F59' WHERE hex(serial) = '%s'", rig_serial(4));
	sf_sql(r->f, sql);
	assert_int_equal(ask_for(r, OLD_URL, &id, 1, NONCE, &o), 0);
	assert_int_equal(o.kept.status, OCSP_REVOKED);
}

static void
trouble_with_the_signer_is_told_and_passes(void **state)
{
	static const struct {
		enum rc rc;
		enum ocsp_failure failure;
	} rows[] = { { RC_LIMIT, OCSP_TRY_LATER }, { RC_IO, OCSP_TRY_LATER },
		{ RC_TIMEOUT, OCSP_TRY_LATER }, { RC_DENIED, OCSP_INTERNAL_ERROR },
		{ RC_CRYPTO, OCSP_INTERNAL_ERROR }, { RC_BUG, OCSP_INTERNAL_ERROR } };
	struct rig *r = *state;

	for (size_t i = 0; i < N(rows); i++) {
		fake.fails = rows[i].rc;
		assert_int_equal(ask_one(r, NOBODY, NULL), rows[i].failure);
		assert_int_equal(ask_one(r, NOBODY, NONCE), rows[i].failure);
	}
	assert_int_equal(metric_get(r->s.metrics, METRIC_OCSP_REFUSED), 2 * N(rows));
	fake.fails = RC_OK;
	assert_int_equal(ask_one(r, NOBODY, NULL), 0);
}

static void
a_ca_without_a_responder_answers_later(void **state)
{
	struct rig *r = *state;

	fake.none_yet = true;
	assert_int_equal(ask_one(r, NOBODY, NULL), OCSP_TRY_LATER);
	fake.none_yet = false;
	assert_int_equal(ask_one(r, NOBODY, NULL), 0);
}

static void
a_responder_with_another_key_is_noticed(void **state)
{
	struct rig *r = *state;

	assert_int_equal(ask_one(r, NOBODY, NONCE), 0);
	fake.second_key = true;
	assert_int_equal(ask_one(r, NOBODY, NONCE), 0);
	assert_int_equal(fake.calls, 3);
	assert_int_equal(ask_one(r, NOBODY, NONCE), 0);
	assert_int_equal(fake.calls, 4);
}

/* ---- many at once ---- */

struct asker {
	struct rig *r;
	const char *nonce;
	pthread_t thread;
	int failure;
	int64_t ms; /* that it took */
};

static void *
ask_main(void *arg)
{
	struct asker *a = arg;

	int64_t begin = clock_mono_ms();

	a->failure = ask_one(a->r, NOBODY, a->nonce);
	a->ms = clock_mono_ms() - begin;
	return NULL;
}

static void
start_askers(struct asker *a, size_t n, struct rig *r, const char *nonce)
{
	for (size_t i = 0; i < n; i++) {
		a[i] = (struct asker){ .r = r, .nonce = nonce };
		assert_int_equal(pthread_create(&a[i].thread, NULL, ask_main, &a[i]), 0);
	}
}

/* On a busy machine somebody may have waited for another's answer as long as anybody does. */
static bool
gave_up(const struct asker *a)
{
	return a->nonce == NULL && a->failure == OCSP_TRY_LATER && a->ms >= OCSP_WAIT_MS;
}

static void
join_askers(struct asker *a, size_t n)
{
	for (size_t i = 0; i < n; i++)
		(void)pthread_join(a[i].thread, NULL);
	for (size_t i = 0; i < n; i++)
		if (!gave_up(&a[i]))
			assert_int_equal(a[i].failure, 0);
}

static void
the_same_question_at_once_is_signed_once(void **state)
{
	struct asker a[8];

	fake.hold = 1;
	start_askers(a, N(a), *state, NULL);
	fake_wait_held(1);
	fake_release();
	join_askers(a, N(a));
	assert_int_equal(fake.calls, 1);
}

static void
a_flood_of_nonces_leaves_the_signer_to_others(void **state)
{
	struct asker a[32];

	fake.hold = N(a);
	start_askers(a, N(a), *state, NONCE);
	fake_wait_held(N(a));
	assert_int_equal(ask_one(*state, NOBODY, NONCE), OCSP_TRY_LATER);
	fake_release();
	join_askers(a, N(a));
	assert_int_equal(ask_one(*state, NOBODY, NONCE), 0);
}

/* ---- over HTTP ---- */

/* A request for unknown certificate as GET has it, with '+' and '/' in it. */
static void
request_text(struct rig *r, struct buf *out, const char *nonce)
{
	struct ocsp_kit_id id = { ca_of(r, ISSUING), DIGEST_SHA1,
		"00FBEFBEFBEFFFFFFFFFFFFFFFFFFFFF" };
	struct buf req;

	buf_init(&req, 4096);
	ocsp_kit_request(&req, &id, 1, nonce, 32);
	base64_add(out, req.data, req.len);
	buf_done(&req);
}

static void
handle(struct rig *r, const char *method, const char *path, const struct buf *body,
    const struct http_header *header, struct http_reply *reply)
{
	struct http_request req = { .method = method,
		.path = path,
		.body = body == NULL ? NULL : body->data,
		.body_len = body == NULL ? 0 : body->len,
		.headers = header,
		.n_headers = header == NULL ? 0 : 1,
		.peer = "192.0.2.1" };

	http_reply_init(reply);
	ocsp_handle(&r->s, path, &req, reply);
}

/* The status inside an answer of status 200. */
static int
status_in(const struct http_reply *reply)
{
	assert_int_equal(reply->status, 200);
	assert_string_equal(reply->content_type, "application/ocsp-response");
	assert_true(reply->body.len >= 5);
	assert_int_equal(reply->body.data[0], 0x30);
	return reply->body.data[reply->body.data[1] < 0x80 ? 4 : 4 + (reply->body.data[1] & 0x7f)];
}

static void
a_get_may_look_as_clients_make_it(void **state)
{
	static const struct {
		const char *before, *after;
		int status;
	} rows[] = {
		{ "/ocsp/issuing/", "", 0 },
		{ "/OCSP/Issuing/", "", 0 },
		{ "/ocsp/issuing//", "", 0 },
		{ "/ocsp/issuing///", "", 0 },
		{ "/ocsp/next/", "", 0 },
		{ "/ocsp/issuing/", "!", OCSP_MALFORMED },
		{ "/ocsp/issuing/x", "", OCSP_MALFORMED },
		{ "/ocsp/issuing/", "/MAA=", OCSP_MALFORMED },
	};
	struct http_reply reply;
	struct rig *r = *state;
	struct buf text;
	char path[512];

	buf_init(&text, 4096);
	request_text(r, &text, NULL);
	assert_non_null(strchr(buf_str(&text), '/'));
	for (size_t i = 0; i < N(rows); i++) {
		snprintf(
		    path, sizeof(path), "%s%s%s", rows[i].before, buf_str(&text), rows[i].after);
		handle(r, "GET", path, NULL, NULL, &reply);
		if (status_in(&reply) != rows[i].status)
			fail_msg("%s: %d", path, status_in(&reply));
		http_reply_done(&reply);
	}
	/* '+' that became a space, and '=' that was left out */
	snprintf(path, sizeof(path), "/ocsp/issuing/%s", buf_str(&text));
	for (char *p = path; *p != '\0'; p++)
		*p = *p == '+' ? ' ' : *p == '=' ? '\0' : *p;
	handle(r, "GET", path, NULL, NULL, &reply);
	assert_int_equal(status_in(&reply), 0);
	http_reply_done(&reply);
	buf_done(&text);
}

static void
what_is_no_request_gets_plain_answers(void **state)
{
	static const struct {
		const char *method, *path;
		int status;
	} rows[] = { { "GET", "/ocsp/issuing", 400 }, { "GET", "/ocsp/issuing/", 400 },
		{ "GET", "/ocsp/nobody", 404 }, { "GET", "/ocsp/old", 400 },
		{ "GET", "/ocsp/silent", 404 }, { "POST", "/ocsp/", 404 }, { "GET", "/ocsp/", 404 },
		{ "PUT", "/ocsp/issuing", 405 }, { "HEAD", "/ocsp/issuing/MAA=", 405 } };
	struct http_reply reply;

	for (size_t i = 0; i < N(rows); i++) {
		handle(*state, rows[i].method, rows[i].path, NULL, NULL, &reply);
		assert_int_equal(reply.status, rows[i].status);
		http_reply_done(&reply);
	}
	handle(*state, "POST", "/ocsp/issuing", NULL, NULL, &reply);
	assert_int_equal(status_in(&reply), OCSP_MALFORMED);
	http_reply_done(&reply);
}

static void
a_get_beyond_the_limit_is_malformed(void **state)
{
	char *path = malloc(65536);
	struct http_reply reply;

	assert_non_null(path);
	memset(path, 'M', 65535);
	path[65535] = '\0';
	memcpy(path, "/ocsp/issuing/", 14);
	handle(*state, "GET", path, NULL, NULL, &reply);
	assert_int_equal(status_in(&reply), OCSP_MALFORMED);
	http_reply_done(&reply);
	free(path);
}

static bool
says(const struct http_reply *reply, const char *text)
{
	return strstr(buf_str(&reply->headers), text) != NULL;
}

static void
only_a_get_without_nonce_may_be_kept(void **state)
{
	struct http_header had = { "If-None-Match", NULL };
	struct http_reply reply;
	struct rig *r = *state;
	char path[512], etag[64];
	struct buf text;

	buf_init(&text, 4096);
	request_text(r, &text, NULL);
	snprintf(path, sizeof(path), "/ocsp/issuing/%s", buf_str(&text));
	handle(r, "GET", path, NULL, NULL, &reply);
	assert_true(says(&reply, "Cache-Control: max-age=3"));
	assert_true(says(&reply, ", public, no-transform, must-revalidate\r\n"));
	assert_true(says(&reply, "Last-Modified: ") && says(&reply, "Expires: "));
	assert_int_equal(sscanf(strstr(buf_str(&reply.headers), "ETag: "), "ETag: %60s", etag), 1);
	http_reply_done(&reply);
	had.value = etag;
	handle(r, "GET", path, NULL, &had, &reply);
	assert_int_equal(reply.status, 304);
	http_reply_done(&reply);
	had.value = "\"00\"";
	handle(r, "GET", path, NULL, &had, &reply);
	assert_int_equal(status_in(&reply), 0);
	http_reply_done(&reply);

	buf_reset(&text);
	request_text(r, &text, NONCE);
	snprintf(path, sizeof(path), "/ocsp/issuing/%s", buf_str(&text));
	handle(r, "GET", path, NULL, NULL, &reply);
	assert_string_equal(buf_str(&reply.headers), "Cache-Control: no-store\r\n");
	http_reply_done(&reply);
	handle(r, "GET", "/ocsp/issuing/MAA=", NULL, NULL, &reply);
	assert_string_equal(buf_str(&reply.headers), "Cache-Control: no-store\r\n");
	http_reply_done(&reply);
	buf_done(&text);
}

#define T(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		T(every_certificate_has_its_status),
		T(the_certificate_says_which_ca_answers),
		T(a_serial_number_of_another_ca_is_unknown),
		T(what_was_signed_is_given_again_unless_there_is_a_nonce),
		T(a_hold_is_told_and_not_for_long),
		T(a_foreign_ca_is_answered_for_at_any_url),
		T(what_nobody_has_imported_is_as_configured),
		T(what_another_ca_has_says_nothing_of_this_one),
		T(a_foreign_ca_without_a_responder_is_none),
		T(a_responder_that_has_ended_signs_nothing_and_one_that_is_new_does),
		T(an_answer_is_kept_no_longer_than_its_responder_lasts),
		T(a_responder_is_asked_about_like_others),
		T(trouble_with_the_signer_is_told_and_passes),
		T(a_ca_without_a_responder_answers_later),
		T(a_responder_with_another_key_is_noticed),
		T(the_same_question_at_once_is_signed_once),
		T(a_flood_of_nonces_leaves_the_signer_to_others),
		T(a_get_may_look_as_clients_make_it),
		T(what_is_no_request_gets_plain_answers),
		T(a_get_beyond_the_limit_is_malformed),
		T(only_a_get_without_nonce_may_be_kept),
	};

	return cmocka_run_group_tests(tests, NULL, rig_done);
}
