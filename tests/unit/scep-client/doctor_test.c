/* doctor_test.c - what is said of a server's refusals, and of one that does not refuse. */
#include "responder.h"
#include "selfcert.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "ossl/cms.h"
#include "scep-client/doctor.h"
#include "scep/attrs.h"

static struct responder server;
static struct findings found;
static struct cert *signer_cert; /* of make_failure() */
static struct scep_pending pending = { .transaction_id = "T1" };

static int
set_up(void **state)
{
	responder_start(&server);
	signer_cert = selfcert("0A01", fixture_key("rsa:2048"));
	memset(pending.sender_nonce, 'n', sizeof(pending.sender_nonce));
	return 0;
}

static int
tear_down(void **state)
{
	cert_free(signer_cert);
	responder_stop(&server);
	return fixture_done(state);
}

static int
before_each(void **state)
{
	responder_reset(&server);
	memset(&found, 0, sizeof(found));
	return 0;
}

/* All eight probes, and what they find is of this level. */
static void
expect_probes(enum conduct conduct, enum level level, const char *word)
{
	struct doctor_conf conf = { .url = server.url, .timeout_ms = 60000 };

	memset(&found, 0, sizeof(found));
	server.conduct = conduct;
	doctor_probe(&found, &conf);
	assert_int_equal(found.n, 8);
	for (size_t i = 0; i < found.n; i++) {
		if (found.v[i].level != level)
			fail_msg("%s: %s", found.v[i].id, found.v[i].text);
		if (strstr(found.v[i].text, word) == NULL)
			fail_msg("\"%s\" does not say \"%s\"", found.v[i].text, word);
		if (level != LEVEL_OK)
			assert_string_not_equal(found.v[i].advice, "");
	}
	assert_int_equal(findings_worst(&found), level);
}

static void
R20_R21_a_signed_failure_with_all_attributes_is_fine(void **state)
{
	expect_probes(REFUSE, LEVEL_OK, "refused as it should be");
	server.without_text = true;
	expect_probes(REFUSE, LEVEL_WARN, "without a word why");
}

static void
anything_else_is_not(void **state)
{
	expect_probes(OBEY, LEVEL_BAD, "anybody can enrol");
	expect_probes(KEEP_PENDING, LEVEL_WARN, "kept for approval");
	expect_probes(SIGN_AS_STRANGER, LEVEL_BAD, "GetCACert does not list");
	expect_probes(SEND_500, LEVEL_BAD, "HTTP 500");
	expect_probes(SEND_NOTHING, LEVEL_BAD, "");
}

static void
each_platform_sends_its_own_form(void **state)
{
	struct doctor_conf conf = { .url = server.url, .timeout_ms = 60000 };

	server.conduct = REFUSE;
	doctor_probe(&found, &conf);
	assert_int_equal(server.op.count, 8);
	assert_string_equal(server.op.user_agent, "-"); /* sscep comes last */
	assert_string_equal(server.op.content_type, "-");
}

static void
a_platform_that_would_have_stopped_before_is_told_so(void **state)
{
	struct doctor_conf conf = { .url = server.url, .timeout_ms = 60000 };
	size_t stopped = 0;

	server.conduct = REFUSE;
	server.caps = "POSTPKIOperation\nSCEPStandard\n";
	doctor_probe(&found, &conf);
	for (size_t i = 0; i < found.n; i++)
		if (found.v[i].level == LEVEL_BAD) {
			assert_non_null(strstr(found.v[i].text, "stops here"));
			stopped++;
		}
	assert_int_equal(stopped, 3); /* Apple twice, strongSwan */
}

/* ---- the form of a FAILURE ---- */

/* One wrong thing of an answer; the rest is as it should be. */
struct flaw {
	const char *oid;   /* of the attribute */
	const char *drop;  /* "" : the attribute is missing */
	uint8_t tag;       /* another type; 0: the right one */
	const char *value; /* another value; NULL: the right one */
	const char *said;  /* by doctor */
	bool has_content;
};

static void
add(struct attrs *a, const struct flaw *f, const char *oid, uint8_t tag, const void *p, size_t len)
{
	bool here = f->oid != NULL && strcmp(f->oid, oid) == 0;

	if (here && f->drop != NULL)
		return;
	if (here && f->value != NULL)
		attrs_add(a, oid, f->tag != 0 ? f->tag : tag, f->value, strlen(f->value));
	else
		attrs_add(a, oid, here && f->tag != 0 ? f->tag : tag, p, len);
}

static void
make_failure(struct buf *out, const struct flaw *f)
{
	struct key *key = fixture_key("rsa:2048");
	struct cms_cert peek;
	struct cms_signed_build b = {
		.digest = DIGEST_SHA256, .signer = &peek, .sign = cms_sign_with_key, .sign_ctx = key
	};
	struct der der;
	struct attrs a;
	struct err err;

	der.p = cert_der0(signer_cert, &der.len);
	assert_ok(cms_cert_peek(&peek, der.p, der.len, &err), err);
	attrs_init(&a);
	add(&a, f, OID_TRANSACTION_ID, DER_PRINTABLE, "T1", 2);
	add(&a, f, OID_MESSAGE_TYPE, DER_PRINTABLE, "3", 1);
	add(&a, f, OID_PKI_STATUS, DER_PRINTABLE, "2", 1);
	add(&a, f, OID_FAIL_INFO, DER_PRINTABLE, "2", 1);
	add(&a, f, OID_SENDER_NONCE, DER_OCTET_STRING, "0123456789abcdef", 16);
	add(&a, f, OID_RECIPIENT_NONCE, DER_OCTET_STRING, pending.sender_nonce, 16);
	assert_ok(attrs_finish(&a, &err), err);
	b.attrs = a.list;
	b.n_attrs = a.n;
	b.certs = &der;
	b.n_certs = 1;
	if (f->has_content)
		b.content = (struct der){ (const uint8_t *)"x", 1 };
	assert_ok(cms_signed_build(out, &b, &err), err);
	attrs_done(&a);
}

static void
R20_to_R22_what_is_wrong_with_a_failure_is_named(void **state)
{
	static const struct flaw rows[] = {
		{ .said = "" },
		{ .oid = OID_TRANSACTION_ID, .drop = "", .said = "transactionID is missing" },
		{ .oid = OID_MESSAGE_TYPE, .drop = "", .said = "messageType is missing" },
		{ .oid = OID_PKI_STATUS, .drop = "", .said = "pkiStatus is missing" },
		{ .oid = OID_FAIL_INFO, .drop = "", .said = "failInfo is missing" },
		{ .oid = OID_SENDER_NONCE, .drop = "", .said = "senderNonce is missing" },
		{ .oid = OID_RECIPIENT_NONCE, .drop = "", .said = "recipientNonce is missing" },
		{ .oid = OID_TRANSACTION_ID, .tag = DER_UTF8, .said = "transactionID has another" },
		{ .oid = OID_MESSAGE_TYPE, .tag = DER_INTEGER, .said = "messageType has another" },
		{ .oid = OID_PKI_STATUS, .tag = DER_UTF8, .said = "pkiStatus has another" },
		{ .oid = OID_FAIL_INFO, .tag = DER_UTF8, .said = "failInfo has another" },
		{ .oid = OID_SENDER_NONCE,
		    .tag = DER_PRINTABLE,
		    .said = "senderNonce has another" },
		{ .oid = OID_TRANSACTION_ID, .value = "T2", .said = "transactionID is not that" },
		{ .oid = OID_MESSAGE_TYPE, .value = "19", .said = "messageType is not 3" },
		{ .oid = OID_FAIL_INFO, .value = "5", .said = "failInfo is none" },
		{ .oid = OID_FAIL_INFO, .value = "02", .said = "failInfo is none" },
		{ .oid = OID_SENDER_NONCE, .value = "short", .said = "senderNonce is 5 octets" },
		{ .oid = OID_RECIPIENT_NONCE,
		    .value = "0123456789abcdeX",
		    .said = "recipientNonce is not" },
		{ .has_content = true, .said = "has content" },
	};
	char why[256];
	struct buf m;

	for (size_t i = 0; i < N(rows); i++) {
		buf_init(&m, LIMIT_SCEP_MESSAGE);
		make_failure(&m, &rows[i]);
		doctor_failure_form(why, m.data, m.len, &pending);
		if (rows[i].said[0] == '\0' ? why[0] != '\0' : strstr(why, rows[i].said) == NULL)
			fail_msg("row %zu: \"%s\", not \"%s\"", i, why, rows[i].said);
		buf_done(&m);
	}
}

static enum rc
form_door(const void *p, size_t len)
{
	char why[256];

	doctor_failure_form(why, p, len, &pending);
	return why[0] == '\0' ? RC_OK : RC_PARSE;
}

static void
no_prefix_of_a_failure_is_one(void **state)
{
	static const struct flaw none = { .said = "" };
	struct buf m;

	buf_init(&m, LIMIT_SCEP_MESSAGE);
	make_failure(&m, &none);
	sweep_prefixes(form_door, m.data, m.len, 1);
	(void)sweep_flips(form_door, m.data, m.len, 1);
	buf_done(&m);
}

/* ---- facts out of bytes ---- */

static enum rc
facts_door(const void *p, size_t len)
{
	struct facts f = { 0 };
	struct findings *out = calloc(1, sizeof(*out));
	enum rc rc;

	assert_non_null(out);
	for (int q = Q_CAPS; q <= Q_CERTS; q++) {
		struct buf *b = &f.answers[q].body;

		f.answers[q].status = 200;
		buf_init(b, LIMIT_CHAIN);
		buf_add(b, p, len);
	}
	facts_read(&f);
	doctor_judge(out, &f);
	rc = f.n_certs > 0 ? RC_OK : RC_PARSE;
	assert_true(out->n > 0);
	facts_done(&f);
	free(out);
	return rc;
}

static void
whatever_bytes_come_there_are_findings(void **state)
{
	size_t len;
	const uint8_t *der = cert_der0(server.ra_cert, &len);

	assert_int_equal(facts_door(der, len), RC_OK);
	sweep_prefixes(facts_door, der, len, 1);
	(void)sweep_flips(facts_door, der, len, 5);
	assert_int_equal(facts_door("AES\r\nSHA-256 \n\r\r\n\n sha-1", 25), RC_PARSE);
}

static void
findings_have_a_maximum(void **state)
{
	for (size_t i = 0; i < FINDINGS_MAX + 10; i++)
		findings_add(&found, "x", ON_ALL, LEVEL_WARN, "do", "line\n%zu", i);
	assert_int_equal(found.n, FINDINGS_MAX);
	assert_null(strchr(found.v[0].text, '\n'));
}

#define T(f) cmocka_unit_test_setup(f, before_each)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(R20_R21_a_signed_failure_with_all_attributes_is_fine),
		T(anything_else_is_not),
		T(each_platform_sends_its_own_form),
		T(a_platform_that_would_have_stopped_before_is_told_so),
		T(R20_to_R22_what_is_wrong_with_a_failure_is_named),
		T(no_prefix_of_a_failure_is_one),
		T(whatever_bytes_come_there_are_findings),
		T(findings_have_a_maximum),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
