/*
 * renewal_test.c - RenewalReq, and PKCSReq signed with an issued certificate: who gets a certificate in place of
 * another, and who does not.
 */
#include "pipeline_rig.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "scepd/upkeep.h"
#include "store/store_status.h"

static const char yaml[] =
    "tenants:\n"
    "  contoso: { app_id: 11111111-2222-3333-4444-555555555555, tenant: contoso.example,\n"
    "    app_key_file: lab.secret, auth_authority: 'http://127.0.0.1:1/', timeout: 1s }\n"
    "profiles:\n"
    "  lab: { subject: { allow: [ 'CN=*.lab.example' ] },\n"
    "    san: { types: [ dns ], allow: [ 'dns:*.lab.example' ] },\n"
    "    eku: { allow: [ clientAuth, serverAuth ], default: [ clientAuth ] },\n"
    "    key_usage: { allow: [ digitalSignature, keyEncipherment ], default: [ digitalSignature ] "
    "} }\n"
    "  sig: { subject: { allow: [ 'CN=*.lab.example' ] }, san: { types: [] },\n"
    "    key_usage: { allow: [ digitalSignature ], default: [ digitalSignature ] } }\n"
    "  enc: { subject: { allow: [ 'CN=*.lab.example' ] }, san: { types: [] },\n"
    "    eku: { allow: [ serverAuth ], default: [ serverAuth ] },\n"
    "    key_usage: { allow: [ keyEncipherment ], default: [ keyEncipherment ] } }\n"
    "endpoints:\n"
    "  ndes: { ca: issuing, profile: enc, profiles: { signature: sig, encryption: enc },\n"
    "    challenge: static, challenge_file: lab.secret, renewal: { window: 100 } }\n"
    "  lab: { ca: issuing, profile: lab, challenge: static, challenge_file: lab.secret }\n"
    "  any: { ca: issuing, profile: lab, challenge: static, challenge_file: lab.secret,\n"
    "    renewal: { window: 100 } }\n"
    "  asks: { ca: issuing, profile: lab, challenge: static, challenge_file: lab.secret,\n"
    "    renewal: { window: 100, ask: always } }\n"
    "  heir: { ca: issuing, profile: lab, challenge: static, challenge_file: lab.secret,\n"
    "    renewal: { window: 100, from: [ any ] } }\n"
    "  tidy: { ca: issuing, profile: lab, challenge: static, challenge_file: lab.secret,\n"
    "    renewal: { window: 100, revoke_replaced: 2d } }\n"
    "  other: { ca: other, profile: lab, challenge: static, challenge_file: lab.secret,\n"
    "    renewal: { window: 100 } }\n"
    "  phones: { ca: issuing, profile: lab, challenge: intune, tenant: contoso,\n"
    "    renewal: { window: 100, from: [ any ] } }\n";

#define PC1 "CN=pc1.lab.example"

static struct rig rig;

static int
open_rig(void **state)
{
	rig_open(&rig, yaml);
	return 0;
}

static int
close_rig(void **state)
{
	rig_close(&rig);
	return 0;
}

static const struct wish pc1 = { .subject = PC1,
	.san = { "dns:pc1.lab.example", "dns:www.lab.example" },
	.key_usage = KU_DIGITAL_SIGNATURE,
	.eku = { CLIENT_AUTH } };

static void
assert_names(const struct heard *h, const struct key *key)
{
	assert_string_equal(name_get0(cert_subject0(h->cert), "CN", 0), "pc1.lab.example");
	assert_true(key_same_public(cert_key0(h->cert), key));
	assert_int_equal(h->n_certs, 1);
}

/* ---- who may ---- */

/* Both types, with a new key and with the same: decided by the signer (quirks 15, 39).  That the rig reads
 * the answer with the old key is R06. */
static void
test_R05_R06_both_types_renew_with_either_key(void **state)
{
	static const enum scep_message_type types[] = { SCEP_RENEWAL_REQ, SCEP_PKCS_REQ };

	for (size_t i = 0; i < 4; i++) {
		const struct key *key = rig.keys[i / 2];
		struct device old = enrolled(&rig, "any", rig.keys[0], &pc1);
		struct said m = {
			.endpoint = "any", .type = types[i % 2], .signer = &old, .wish = pc1
		};
		struct heard h;

		m.wish.key = key;
		say(&rig, &h, &m);
		assert_success(&h);
		assert_names(&h, key);
		assert_false(serial_same(cert_serial0(h.cert), cert_serial0(old.cert)));
		assert_non_null(strstr(h.log, "renewal=1"));
		assert_non_null(strstr(h.log, "replaced="));
		heard_done(&h);
		device_done(&old);
	}
	assert_int_equal(metric_get(rig.s->metrics, METRIC_RENEWED), 4);
}

static void
test_R07_a_self_signed_renewalreq_is_refused(void **state)
{
	struct device self = throw_away(&rig, rig.keys[0], PC1);
	struct said m = {
		.endpoint = "any", .type = SCEP_RENEWAL_REQ, .signer = &self, .wish = pc1
	};
	struct heard h;

	m.wish.challenge = CHALLENGE; /* even a right one does not make it a renewal */
	say(&rig, &h, &m);
	assert_failure(&h, SCEP_BAD_REQUEST, "step=signer");
	assert_int_equal(rig_certs(&rig), 0);
	device_done(&self);
}

/* R09, quirk 40: absent and blank are the same; right works, wrong does not, though the signer is good. */
static void
test_R09_challenge_at_a_renewal(void **state)
{
	static const struct {
		const char *endpoint, *challenge, *part; /* part NULL: it works */
	} rows[] = {
		{ "any", NULL, NULL },
		{ "any", "", NULL },
		{ "any", " \t", NULL },
		{ "any", CHALLENGE, NULL },
		{ "any", "correct horse batterx", "the challenge password is wrong" },
		{ "asks", CHALLENGE, NULL },
		{ "asks", NULL, "no challenge password" },
		{ "asks", " ", "no challenge password" },
		{ "asks", "wrong", "the challenge password is wrong" },
		{ "lab", CHALLENGE, NULL }, /* before the window, with one */
		{ "lab", NULL, "too early" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct device old = enrolled(&rig, rows[i].endpoint, rig.keys[0], &pc1);
		struct said m = { .endpoint = rows[i].endpoint, .signer = &old, .wish = pc1 };
		struct heard h;

		m.wish.key = rig.keys[1];
		m.wish.challenge = rows[i].challenge;
		say(&rig, &h, &m);
		if (rows[i].part == NULL)
			assert_success(&h);
		else
			assert_failure(&h, SCEP_BAD_REQUEST, rows[i].part);
		heard_done(&h);
		device_done(&old);
	}
}

static void
test_the_window_opens_in_the_last_days(void **state)
{
	/* 365 days and one of backdating; 30 percent of that at the end. */
	static const struct {
		int64_t day;
		const char *part;
	} rows[] = { { 0, "too early" }, { 254, "too early" }, { 256, NULL }, { 364, NULL },
		{ 366, "has expired" } };
	struct device old = enrolled(&rig, "lab", rig.keys[0], &pc1);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct said m = { .signer = &old, .wish = pc1 };
		struct heard h;

		clock_offset_set(rows[i].day * DAY);
		m.wish.key = rig.keys[1];
		say(&rig, &h, &m);
		if (rows[i].part == NULL)
			assert_success(&h);
		else
			assert_failure(&h, SCEP_BAD_REQUEST, rows[i].part);
		heard_done(&h);
	}
	device_done(&old);
}

/* ---- who may not: S06 ---- */

static struct cert *
certificate(const char *subject, const char *issuer, const struct key *key,
    const struct key *issuer_key, const struct serial *serial, bool is_ca)
{
	struct name names[2] = { { 0 }, { 0 } };
	struct cert *out = NULL;
	struct cert_fields fields = { .serial = serial,
		.subject = &names[0],
		.issuer = &names[1],
		.not_before = clock_now() - DAY,
		.not_after = clock_now() + 30 * DAY,
		.subject_key = key,
		.issuer_key = issuer_key,
		.is_ca = is_ca,
		.path_len = -1,
		.key_usage = KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT,
		.digest = DIGEST_SHA256 };

	assert_ok(name_from_text(&names[0], subject, err));
	assert_ok(name_from_text(&names[1], issuer, err));
	assert_ok(cert_make(&out, &fields, issuer_key, err));
	name_done(&names[0]);
	name_done(&names[1]);
	return out;
}

static struct device
of_another_ca(struct rig *r)
{
	return enrolled(r, "other", r->keys[0], &pc1);
}

static struct device
of_another_endpoint(struct rig *r)
{
	return enrolled(r, "lab", r->keys[0], &pc1);
}

static struct device
revoked(struct rig *r)
{
	struct device d = enrolled(r, "any", r->keys[0], &pc1);
	char serial[2 * SERIAL_MAX + 1];

	serial_hex(serial, cert_serial0(d.cert));
	assert_ok(store_cert_revoke(r->s->store, serial, NULL, 1, "test", err));
	return d;
}

static void
hold(const struct device *d, int64_t until)
{
	char serial[2 * SERIAL_MAX + 1];
	const struct store_cause_set v = {
		.serial = serial, .source = CAUSE_MANUAL, .effect = CAUSE_HOLD, .until = until
	};

	serial_hex(serial, cert_serial0(d->cert));
	assert_ok(store_causes_set(rig.s->store, &v, 1, NULL, err));
}

static struct device
held(struct rig *r)
{
	struct device d = enrolled(r, "any", r->keys[0], &pc1);

	hold(&d, 0);
	return d;
}

static struct device
expired(struct rig *r)
{
	struct device d = enrolled(r, "any", r->keys[0], &pc1);

	clock_offset_set(366 * DAY);
	return d;
}

static struct device
not_yet_valid(struct rig *r)
{
	struct device d;

	clock_offset_set(100 * DAY);
	d = enrolled(r, "any", r->keys[0], &pc1);
	clock_offset_set(0);
	return d;
}

/* Signed by nobody of ours, with all the names and the number of one that is. */
static struct device
with_copied_names(struct rig *r)
{
	struct device d = enrolled(r, "any", r->keys[0], &pc1), copy = { r->keys[2], NULL };
	struct buf issuer;

	buf_init(&issuer, 4096);
	name_text(&issuer, cert_issuer0(d.cert));
	copy.cert =
	    certificate(PC1, buf_str(&issuer), r->keys[2], r->keys[2], cert_serial0(d.cert), false);
	buf_done(&issuer);
	device_done(&d);
	return copy;
}

static struct device
never_issued(struct rig *r)
{
	struct serial serial = { { 9, 9, 9 }, 3 };

	return (struct device){ r->keys[0],
		certificate(PC1, "CN=Contoso Issuing CA", r->keys[0], r->keys[2], &serial, false) };
}

/* An authority's key and certificate, from the CA's own folder. */
static struct device
from_folder(struct rig *r, const char *cert, const char *key)
{
	static struct key *keys[4];
	static size_t n;
	struct device d = { NULL, NULL };

	assert_true(n < 4);
	assert_ok(cert_load(&d.cert, in_dir(r->f, cert), err));
	assert_ok(key_load(&keys[n], in_dir(r->f, key), err));
	d.key = keys[n++];
	return d;
}

static struct device
the_ca(struct rig *r)
{
	return from_folder(r, "ca/issuing.pem", "ca/issuing.key");
}

static struct device
the_ra(struct rig *r)
{
	return from_folder(r, "ca/ra.pem", "ca/ra.key");
}

/* One answer for all of them, and the log tells them apart (S09). */
static void
test_S06_S09_signers_that_renew_nothing(void **state)
{
	static const struct {
		struct device (*make)(struct rig *);
		const char *hint;
	} rows[] = {
		{ of_another_ca, "was issued at endpoint other by CA other" },
		{ of_another_endpoint, "was issued at endpoint lab" },
		{ revoked, "is revoked" },
		{ held, "is held (reason 6)" },
		{ expired, "has expired" },
		{ not_yet_valid, "is not valid before" },
		{ with_copied_names, "is not the certificate" },
		{ never_issued, "no certificate 090909" },
		{ the_ca, "no certificate" },
		{ the_ra, "no certificate" },
	};

	for (size_t i = 0; i < 2 * sizeof(rows) / sizeof(rows[0]); i++) {
		struct device d = rows[i / 2].make(&rig);
		uint64_t before = rig_certs(&rig);
		struct said m = { .endpoint = "any", .signer = &d, .wish = pc1 };
		struct heard h;

		m.type = i % 2 == 0 ? SCEP_RENEWAL_REQ : SCEP_PKCS_REQ;
		m.wish.key = rig.keys[1];
		m.wish.challenge = i % 2 == 0 ? NULL : CHALLENGE; /* which makes no difference */
		say(&rig, &h, &m);
		assert_failure(&h, SCEP_BAD_REQUEST, rows[i / 2].hint);
		assert_string_equal(h.text, HOLDER_REFUSED);
		assert_int_equal(rig_certs(&rig), before);
		clock_offset_set(0);
		if (d.key != rig.keys[0] && d.key != rig.keys[2])
			key_free((struct key *)(uintptr_t)d.key);
		device_done(&d);
	}
}

/* A self-signed certificate with our names is a throw-away one: it may enrol its own key, with a challenge. */
static void
test_S06_a_copied_name_is_worth_nothing(void **state)
{
	struct device self = throw_away(&rig, rig.keys[0], PC1);
	struct said m = { .endpoint = "any", .signer = &self, .wish = pc1 };
	struct heard h;

	say(&rig, &h, &m);
	assert_failure(&h, SCEP_BAD_REQUEST, "no challenge password");
	m.wish.key = rig.keys[1];
	m.wish.challenge = CHALLENGE;
	say(&rig, &h, &m); /* S11 */
	assert_failure(&h, SCEP_BAD_REQUEST, "another key than the one in the");
	device_done(&self);
}

/* ---- what it may become: S07 ---- */

static void
test_S07_the_identity_does_not_widen(void **state)
{
	static const struct {
		struct wish wish;
		const char *part; /* NULL: it works */
	} rows[] = {
		{ { .subject = PC1, .san = { "dns:pc1.lab.example" } }, NULL },
		{ { .subject = PC1 }, NULL },
		{ { .subject = "CN=pc2.lab.example" }, "the subject is not that" },
		{ { .subject = "CN=pc1.lab.example,CN=pc1.lab.example" },
		    "the subject is not that" },
		{ { .subject = "CN=PC1.lab.example" }, "the subject is not that" },
		{ { .subject = PC1, .san = { "dns:pc2.lab.example" } },
		    "san dns:pc2.lab.example is not in" },
		{ { .subject = PC1, .san = { "dns:pc1.lab.example", "dns:pc2.lab.example" } },
		    "san dns:pc2.lab.example is not in" },
		{ { .subject = PC1, .eku = { SERVER_AUTH } }, "extended key usage " SERVER_AUTH },
		{ { .subject = PC1, .eku = { CLIENT_AUTH, SERVER_AUTH } },
		    "extended key usage " SERVER_AUTH },
		{ { .subject = PC1, .key_usage = KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT },
		    "key usages that the certificate does not have" },
		/* What no profile gives is dropped as ever, and widens nothing. */
		{ { .subject = PC1,
		      .key_usage = KU_DIGITAL_SIGNATURE | KU_DATA_ENCIPHERMENT,
		      .eku = { CLIENT_AUTH, "1.3.6.1.5.5.7.3.9" } },
		    NULL },
	};
	struct device old = enrolled(&rig, "any", rig.keys[0], &pc1);

	for (size_t i = 0; i < 2 * sizeof(rows) / sizeof(rows[0]); i++) {
		struct said m = { .endpoint = "any", .signer = &old, .wish = rows[i / 2].wish };
		struct heard h;

		m.wish.key = rig.keys[1];
		m.wish.challenge = i % 2 == 0 ? NULL : CHALLENGE;
		say(&rig, &h, &m);
		if (rows[i / 2].part == NULL)
			assert_success(&h);
		else
			assert_failure(&h, SCEP_BAD_REQUEST, rows[i / 2].part);
		heard_done(&h);
	}
	device_done(&old);
}

/* S08: at an Intune endpoint a certificate stands for nothing; also not one of an endpoint in renewal.from. */
static void
test_S08_intune_is_asked_at_every_renewal(void **state)
{
	struct device old = enrolled(&rig, "any", rig.keys[0], &pc1);
	char blob[401];

	memset(blob, 'A', sizeof(blob) - 1);
	blob[sizeof(blob) - 1] = '\0';
	for (int i = 0; i < 2; i++) {
		struct said m = { .endpoint = "phones", .signer = &old, .wish = pc1 };
		struct heard h;

		m.type = i == 0 ? SCEP_RENEWAL_REQ : SCEP_PKCS_REQ;
		m.wish.key = rig.keys[1];
		say(&rig, &h, &m);
		assert_failure(&h, SCEP_BAD_REQUEST, "no challenge password");
		m.wish.challenge = CHALLENGE;
		say(&rig, &h, &m);
		assert_failure(&h, SCEP_BAD_REQUEST, "form of an Intune challenge");
		m.wish.challenge = blob; /* asked for, and nobody answers: no certificate (S21) */
		say(&rig, &h, &m);
		assert_int_equal(h.status, SCEP_FAILURE);
		assert_non_null(strstr(h.log, "step=auth"));
	}
	assert_int_equal(rig_certs(&rig), 1);
	device_done(&old);
}

static void
test_an_endpoint_renews_for_those_that_it_lists(void **state)
{
	static const struct {
		const char *at, *to;
		bool works;
	} rows[] = { { "any", "heir", true }, { "heir", "any", false }, { "lab", "heir", false },
		{ "heir", "heir", true } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct device old = enrolled(&rig, rows[i].at, rig.keys[0], &pc1);
		struct said m = { .endpoint = rows[i].to, .signer = &old, .wish = pc1 };
		struct heard h;

		m.wish.key = rig.keys[1];
		say(&rig, &h, &m);
		if (rows[i].works)
			assert_success(&h);
		else
			assert_failure(&h, SCEP_BAD_REQUEST, "was issued at endpoint");
		heard_done(&h);
		device_done(&old);
	}
}

/* ---- what becomes of the old one ---- */

static bool
is_revoked(const struct cert *c, int reason)
{
	char serial[2 * SERIAL_MAX + 1];
	struct store_cert_status st;

	serial_hex(serial, cert_serial0(c));
	assert_ok(store_cert_status(rig.s->store, serial, "issuing", &st, err));
	return st.revoked != 0 && st.reason == reason;
}

/* Superseded (4) when its time has come, and never where the endpoint does not say so. */
static void
test_a_replaced_certificate_is_revoked_when_its_time_has_come(void **state)
{
	const atomic_bool stop = false;

	for (int i = 0; i < 2; i++) {
		const char *endpoint = i == 0 ? "tidy" : "any";
		struct device old = enrolled(&rig, endpoint, rig.keys[0], &pc1);
		struct said m = { .endpoint = endpoint, .signer = &old, .wish = pc1 };
		struct heard h;

		m.wish.key = rig.keys[1];
		say(&rig, &h, &m);
		assert_success(&h);
		upkeep_run(rig.s, clock_now_ms(), &stop);
		assert_false(is_revoked(old.cert, 4));
		clock_offset_set((i + 1) * 3 * DAY);
		upkeep_run(rig.s, clock_now_ms(), &stop);
		assert_int_equal(is_revoked(old.cert, 4), i == 0);
		assert_false(is_revoked(h.cert, 4));
		assert_int_equal(metric_get(rig.s->metrics, METRIC_REPLACED), 1);
		heard_done(&h);
		say(&rig, &h, &m); /* it renews nothing any more */
		if (i == 0)
			assert_failure(&h, SCEP_BAD_REQUEST, "is revoked (reason 4)");
		heard_done(&h);
		device_done(&old);
	}
}

/* What counts for nothing while it is held counts again when its time is over. */
static void
test_a_hold_ends_by_itself_and_the_holder_renews(void **state)
{
	const atomic_bool stop = false;
	struct device d = enrolled(&rig, "any", rig.keys[0], &pc1);
	struct said m = { .endpoint = "any", .signer = &d, .wish = pc1 };
	struct heard h;

	m.wish.key = rig.keys[1];
	hold(&d, clock_now() + DAY);
	say(&rig, &h, &m);
	assert_failure(&h, SCEP_BAD_REQUEST, "is held (reason 6)");
	upkeep_run(rig.s, clock_now_ms(), &stop);
	assert_true(is_revoked(d.cert, 6));
	clock_offset_set(2 * DAY);
	upkeep_run(rig.s, clock_now_ms(), &stop);
	assert_false(is_revoked(d.cert, 6));
	say(&rig, &h, &m);
	assert_success(&h);
	heard_done(&h);
	device_done(&d);
}

/* ---- again ---- */

/* The same message gets the same certificate, across a restart too; the row is the signer's (S13). */
static void
test_S13_a_repeated_renewal_gets_the_same_certificate(void **state)
{
	struct device old = enrolled(&rig, "any", rig.keys[0], &pc1),
		      second = enrolled(&rig, "any", rig.keys[2], &pc1);
	struct said m = {
		.endpoint = "any", .signer = &old, .wish = pc1, .transaction_id = "again"
	};
	struct heard first, h;

	m.wish.key = rig.keys[1];
	say(&rig, &first, &m);
	assert_success(&first);
	for (int i = 0; i < 2; i++) {
		say(&rig, &h, &m);
		assert_success(&h);
		assert_true(serial_same(cert_serial0(h.cert), cert_serial0(first.cert)));
		assert_non_null(strstr(h.log, "repeated=yes"));
		heard_done(&h);
		rig_restart(&rig);
	}
	m.signer = &second; /* another holder, who knows transactionID and request */
	say(&rig, &h, &m);
	assert_failure(&h, SCEP_BAD_REQUEST, "another signer key");
	assert_int_equal(rig_certs(&rig), 3);
	heard_done(&first);
	device_done(&old);
	device_done(&second);
}

/* Quirk 57: sscep's transactionID is a hash of the key, and a request of the same key and names the same
 * bytes; a day later it is a renewal all the same. */
static void
test_quirk57_the_same_key_and_request_renew_later(void **state)
{
	struct device old = enrolled(&rig, "any", rig.keys[0], &pc1);
	struct said m = { .endpoint = "any", .signer = &old, .wish = pc1, .transaction_id = "key" };
	struct heard first, later;

	say(&rig, &first, &m);
	assert_success(&first);
	clock_offset_set(2 * DAY);
	say(&rig, &later, &m);
	assert_success(&later);
	assert_false(serial_same(cert_serial0(later.cert), cert_serial0(first.cert)));
	heard_done(&first);
	heard_done(&later);
	device_done(&old);
}

/* NDES's templates are chosen by the wish for key usages: a renewal is no way from one to another. */
static void
test_S07_a_renewal_does_not_change_the_template(void **state)
{
	const struct wish sig = { .subject = PC1, .key_usage = KU_DIGITAL_SIGNATURE };
	struct device old = enrolled(&rig, "ndes", rig.keys[0], &sig);
	struct said m = { .endpoint = "ndes", .signer = &old, .wish = sig };
	struct heard h;

	m.wish.key_usage = KU_KEY_ENCIPHERMENT;
	say(&rig, &h, &m);
	assert_failure(&h, SCEP_BAD_REQUEST, "key usages that the certificate does not have");
	m.wish.challenge = CHALLENGE; /* which does not make it an enrolment */
	say(&rig, &h, &m);
	assert_failure(&h, SCEP_BAD_REQUEST, "key usages that the certificate does not have");
	m.wish.key_usage = 0; /* no wish is the general template's */
	say(&rig, &h, &m);
	assert_failure(&h, SCEP_BAD_REQUEST, "key usages that the certificate does not have");
	m.wish = sig;
	say(&rig, &h, &m);
	assert_success(&h);
	assert_int_equal(rig_certs(&rig), 2);
	heard_done(&h);
	device_done(&old);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, open_rig, close_rig)
	const struct CMUnitTest tests[] = {
		T(test_R05_R06_both_types_renew_with_either_key),
		T(test_R07_a_self_signed_renewalreq_is_refused),
		T(test_R09_challenge_at_a_renewal),
		T(test_the_window_opens_in_the_last_days),
		T(test_S06_S09_signers_that_renew_nothing),
		T(test_S06_a_copied_name_is_worth_nothing),
		T(test_S07_the_identity_does_not_widen),
		T(test_S08_intune_is_asked_at_every_renewal),
		T(test_an_endpoint_renews_for_those_that_it_lists),
		T(test_a_replaced_certificate_is_revoked_when_its_time_has_come),
		T(test_a_hold_ends_by_itself_and_the_holder_renews),
		T(test_S13_a_repeated_renewal_gets_the_same_certificate),
		T(test_S07_a_renewal_does_not_change_the_template),
		T(test_quirk57_the_same_key_and_request_renew_later),
	};

	return cmocka_run_group_tests(tests, rig_cas_new, rig_cas_free);
}
