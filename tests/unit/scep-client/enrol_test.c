/* enrol_test.c - a client against a server that obeys, and against ones that do not. */
#include "responder.h"

#include <stdio.h>
#include <string.h>

#include "scep-client/enrol.h"

static struct responder server;
static struct name subject;

static int
set_up(void **state)
{
	responder_start(&server);
	subject = fixture_name("CN=device-7");
	return 0;
}

static int
tear_down(void **state)
{
	name_done(&subject);
	responder_stop(&server);
	return fixture_done(state);
}

static int
before_each(void **state)
{
	responder_reset(&server);
	return 0;
}

static struct session *
open_as(const char *manner)
{
	struct session_conf conf = { .url = server.url, .manner = manner_by_name(manner) };
	struct session *s = NULL;
	struct err err;

	assert_ok(session_open(&s, &conf, &err), err);
	return s;
}

static struct enrol_request
request(void)
{
	return (struct enrol_request){ .csr = { .subject = &subject, .challenge = "secret" },
		.key = fixture_key("rsa:2048") };
}

/* One enrolment over a session of its own. */
static enum rc
enrol_once(
    const char *manner, const struct enrol_request *req, struct enrol_result *r, struct err *err)
{
	struct session *s = open_as(manner);
	enum rc rc = enrol(s, req, r, err);

	session_free(s);
	return rc;
}

static void
expect_issued(const struct enrol_result *r)
{
	assert_int_equal(r->status, SCEP_SUCCESS);
	assert_non_null(r->cert);
	assert_true(key_same_public(cert_key0(r->cert), fixture_key("rsa:2048")));
	assert_true(name_same(cert_subject0(r->cert), &subject));
}

/* Must end in `want`, with `word` in the message and without a certificate. */
static void
expect_refused(enum conduct conduct, enum rc want, const char *word)
{
	struct enrol_request req = request();
	struct enrol_result r;
	struct err err;

	server.conduct = conduct;
	assert_int_equal(enrol_once("plain", &req, &r, &err), want);
	if (strstr(err.msg, word) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", err.msg, word);
}

/* ---- algorithms */

static bool
transport_same(const struct scep_transport *a, const struct scep_transport *b)
{
	if (a->kind != b->kind || a->kind == SCEP_RSA_PKCS1V15)
		return a->kind == b->kind;
	return a->oaep_digest == b->oaep_digest && a->mgf1_digest == b->mgf1_digest;
}

static void
try_algorithms(struct session *s, const struct scep_algorithms *alg)
{
	struct enrol_request req = request();
	struct enrol_result r;
	struct err err;

	req.alg = *alg;
	assert_ok(enrol(s, &req, &r, &err), err);
	expect_issued(&r);
	assert_int_equal(server.op.alg.cipher, alg->cipher);
	assert_int_equal(server.op.alg.digest, alg->digest);
	assert_true(transport_same(&server.op.alg.transport, &alg->transport));
	/* RFC 8894 2.9: the answer in the request's own. */
	assert_int_equal(r.alg.cipher, alg->cipher);
	assert_int_equal(r.alg.digest, alg->digest);
	enrol_result_done(&r);
}

static void
each_cipher_digest_and_transport_enrols(void **state)
{
	static const enum scep_cipher ciphers[] = { SCEP_AES128, SCEP_AES192, SCEP_AES256,
		SCEP_DES3 };
	static const enum scep_digest digests[] = { SCEP_SHA1, SCEP_SHA256, SCEP_SHA384,
		SCEP_SHA512 };
	static const struct scep_transport transports[] = {
		{ SCEP_RSA_PKCS1V15, SCEP_SHA1, SCEP_SHA1 },
		{ SCEP_RSA_OAEP, SCEP_SHA1, SCEP_SHA1 }, { SCEP_RSA_OAEP, SCEP_SHA256, SCEP_SHA256 }
	};
	struct session *s = open_as("plain");

	for (size_t c = 0; c < N(ciphers); c++)
		for (size_t d = 0; d < N(digests); d++)
			for (size_t t = 0; t < N(transports); t++) {
				struct scep_algorithms alg = { digests[d], ciphers[c],
					transports[t] };

				try_algorithms(s, &alg);
			}
	session_free(s);
}

static void
capabilities_decide_what_is_used(void **state)
{
	static const struct {
		const char *caps, *method;
		enum scep_cipher cipher;
		enum scep_digest digest;
	} rows[] = {
		{ "AES\nSHA-256\nPOSTPKIOperation\n", "POST", SCEP_AES128, SCEP_SHA256 },
		{ "AES\r\nSHA-256\r\nPOSTPKIOperation\r\n", "POST", SCEP_AES128, SCEP_SHA256 },
		{ "aes\nsha-256\npostpkioperation", "POST", SCEP_AES128, SCEP_SHA256 },
		{ "SCEPStandard\n", "POST", SCEP_AES128, SCEP_SHA256 },
		{ "POSTPKIOperation\nDES3\nSHA-512\n", "POST", SCEP_DES3, SCEP_SHA512 },
		{ "POSTPKIOperation\nSHA-1\nDES3\n", "POST", SCEP_DES3, SCEP_SHA1 },
		{ "AES\nSHA-256\n", "GET", SCEP_AES128, SCEP_SHA256 },
		{ "SomethingNew\nAES\nSHA-256\nPOSTPKIOperation\n", "POST", SCEP_AES128,
		    SCEP_SHA256 },
		/* RFC 8894 3.5.2: an empty message or an HTTP error means none of them. */
		{ "", "GET", SCEP_DES3, SCEP_SHA1 },
		{ NULL, "GET", SCEP_DES3, SCEP_SHA1 },
		{ "<html>AES</html>", "GET", SCEP_DES3, SCEP_SHA1 },
	};

	for (size_t i = 0; i < N(rows); i++) {
		struct enrol_request req = request();
		struct enrol_result r;
		struct err err;

		server.caps = rows[i].caps;
		assert_ok(enrol_once("plain", &req, &r, &err), err);
		expect_issued(&r);
		assert_string_equal(server.op.method, rows[i].method);
		assert_int_equal(server.op.alg.cipher, rows[i].cipher);
		assert_int_equal(server.op.alg.digest, rows[i].digest);
		enrol_result_done(&r);
	}
}

static void
what_is_asked_for_beats_the_capabilities(void **state)
{
	struct enrol_request req = request();
	struct enrol_result r;
	struct err err;

	req.alg.cipher = SCEP_AES256;
	req.method = METHOD_GET;
	req.transaction_id = "chosen-1";
	assert_ok(enrol_once("plain", &req, &r, &err), err);
	expect_issued(&r);
	assert_string_equal(server.op.method, "GET");
	assert_int_equal(server.op.alg.cipher, SCEP_AES256);
	assert_string_equal(server.op.transaction_id, "chosen-1");
	assert_string_equal(r.transaction_id, "chosen-1");
	enrol_result_done(&r);
}

static void
the_recipient_may_be_named_by_key_identifier(void **state)
{
	struct enrol_request req = request();
	struct enrol_result r;
	struct err err;

	req.recipient_by_ski = true;
	assert_ok(enrol_once("plain", &req, &r, &err), err);
	expect_issued(&r);
	enrol_result_done(&r);
}

static void
without_an_ra_the_ca_is_the_recipient(void **state)
{
	struct enrol_request req = request();
	struct enrol_result r;
	struct err err;

	server.listing = LIST_CA_ALONE;
	assert_ok(enrol_once("plain", &req, &r, &err), err);
	expect_issued(&r);
	enrol_result_done(&r);
}

/* ---- how it is sent */

static void
each_platform_speaks_in_its_manner(void **state)
{
	static const struct {
		const char *manner, *caps_target, *user_agent, *content_type;
		enum scep_transport_kind transport;
		bool by_get, is_ber;
	} rows[] = {
		{ "plain", "/scep?operation=GetCACaps", "scep-client", "application/x-pki-message",
		    SCEP_RSA_PKCS1V15 },
		{ "windows", "/scep/pkiclient.exe?operation=GetCACaps&message=default",
		    "Mozilla/4.0 (compatible; Win32; NDES client 10.0.26100.1/ge_release)",
		    "application/x-pki-message", SCEP_RSA_OAEP },
		{ "ios",
		    "/scep?operation=GetCACaps&message=", "profiled/1.0 CFNetwork/1568 Darwin/24",
		    "application/x-pki-message", SCEP_RSA_PKCS1V15 },
		{ "android", "/scep?operation=GetCACaps&message=ca",
		    "Dalvik/2.1.0 (Linux; U; Android 15)", "application/octet-stream",
		    SCEP_RSA_PKCS1V15 },
		{ "cisco", "/scep/pkiclient.exe?operation=GetCACaps&message=trustpoint",
		    "Mozilla/4.0 (compatible; MSIE 5.0; Cisco PKI)", "-", SCEP_RSA_PKCS1V15, true },
		{ "jscep", "/scep?operation=GetCACaps", "Java/17.0.9", "application/octet-stream",
		    SCEP_RSA_PKCS1V15, false, true },
		{ "strongswan", "/scep?operation=GetCACaps", "-", "application/x-pki-message",
		    SCEP_RSA_PKCS1V15 },
		{ "sscep", "/scep?operation=GetCACaps", "-", "-", SCEP_RSA_PKCS1V15 },
	};

	for (size_t i = 0; i < N(rows); i++) {
		struct enrol_request req = request();
		struct enrol_result r;
		struct err err;

		assert_ok(enrol_once(rows[i].manner, &req, &r, &err), err);
		expect_issued(&r);
		assert_string_equal(server.getcaps.target, rows[i].caps_target);
		assert_string_equal(server.op.user_agent, rows[i].user_agent);
		assert_string_equal(server.op.content_type, rows[i].content_type);
		assert_string_equal(server.op.method, rows[i].by_get ? "GET" : "POST");
		assert_int_equal(server.op.is_ber, rows[i].is_ber);
		assert_int_equal(server.op.alg.transport.kind, rows[i].transport);
		enrol_result_done(&r);
	}
}

static void
get_by(const char *manner)
{
	struct enrol_request req = request();
	struct enrol_result r;
	struct err err;

	req.method = METHOD_GET;
	assert_ok(enrol_once(manner, &req, &r, &err), err);
	expect_issued(&r);
	assert_string_equal(server.op.method, "GET");
	enrol_result_done(&r);
}

/* A message of some KiB in base64 without '+' and '/' does not happen. */
static void
get_escapes_all_of_base64_but_apple_only_the_padding(void **state)
{
	const char *message;

	get_by("plain");
	message = strstr(server.op.target, "message=") + strlen("message=");
	assert_int_equal(strcspn(message, "+/="), strlen(message));
	assert_non_null(strstr(message, "%2B"));
	get_by("ios");
	message = strstr(server.op.target, "message=") + strlen("message=");
	assert_non_null(strchr(message, '+'));
	assert_non_null(strchr(message, '/'));
	assert_null(strchr(message, '='));
}

/* quirk 7 */
static void
cisco_and_strongswan_break_the_base64_into_lines(void **state)
{
	static const char *const manners[] = { "cisco", "strongswan" };

	for (size_t i = 0; i < N(manners); i++) {
		const char *message, *line;
		size_t lines = 0;

		get_by(manners[i]);
		message = strstr(server.op.target, "message=") + strlen("message=");
		assert_null(strpbrk(message, "+"));
		for (line = message; *line != '\0'; lines++) {
			const char *end = strstr(line, "%0A");
			size_t len = 0;

			assert_non_null(end);
			for (const char *p = line; p < end; p += strncmp(p, "%2B", 3) == 0 ? 3 : 1)
				len++;
			assert_true(len == 64 || (end[3] == '\0' && len < 64));
			line = end + 3;
		}
		assert_true(lines > 20);
	}
}

static void
cisco_uses_3des_and_sha1_only_where_they_are_named(void **state)
{
	static const struct {
		const char *caps;
		enum scep_cipher cipher;
		enum scep_digest digest;
	} rows[] = { { "AES\nDES3\nSHA-1\nSHA-256\n", SCEP_DES3, SCEP_SHA1 },
		{ "AES\nSHA-256\n", SCEP_AES128, SCEP_SHA256 } };

	for (size_t i = 0; i < N(rows); i++) {
		struct enrol_request req = request();
		struct enrol_result r;
		struct err err;

		server.caps = rows[i].caps;
		assert_ok(enrol_once("cisco", &req, &r, &err), err);
		assert_int_equal(server.op.alg.cipher, rows[i].cipher);
		assert_int_equal(server.op.alg.digest, rows[i].digest);
		enrol_result_done(&r);
	}
}

/* quirk 49: all HTTP 200, and Windows without a certificate */
static void
only_windows_misses_a_sender_nonce(void **state)
{
	struct enrol_request req = request();
	struct enrol_result r;
	struct err err;

	server.conduct = LEAVE_NONCE_OUT;
	assert_ok(enrol_once("plain", &req, &r, &err), err);
	expect_issued(&r);
	enrol_result_done(&r);
	assert_int_equal(enrol_once("windows", &req, &r, &err), RC_PARSE);
	assert_non_null(strstr(err.msg, "Windows stops here: the answer has no senderNonce"));
}

/* quirk 47 */
static void
apple_is_told_why_the_first_certificate_counts(void **state)
{
	struct enrol_request req = request();
	struct enrol_result r;
	struct err err;

	server.caps = "AES\nSHA-256\nPOSTPKIOperation\n";
	server.conduct = CERTIFY_OTHER_KEY;
	assert_int_equal(enrol_once("apple", &req, &r, &err), RC_INTEGRITY);
	assert_non_null(strstr(err.hint, "22008"));
}

/* ---- answers that are no certificate */

static void
a_refusal_is_told_with_its_text(void **state)
{
	struct enrol_request req = request();
	struct enrol_result r;
	struct err err;

	server.conduct = REFUSE;
	assert_ok(enrol_once("plain", &req, &r, &err), err);
	assert_int_equal(r.status, SCEP_FAILURE);
	assert_int_equal(r.fail_info, SCEP_BAD_REQUEST);
	assert_string_equal(r.fail_text, REFUSAL_TEXT);
	assert_null(r.cert);
	enrol_result_done(&r);
}

static void
a_pending_request_is_no_certificate(void **state)
{
	struct enrol_request req = request();
	struct enrol_result r;
	struct err err;

	server.conduct = KEEP_PENDING;
	assert_ok(enrol_once("plain", &req, &r, &err), err);
	assert_int_equal(r.status, SCEP_PENDING);
	assert_null(r.cert);
	enrol_result_done(&r);
}

/* ---- answers that lie */

static void
an_answer_signed_by_a_stranger_is_refused(void **state)
{
	expect_refused(SIGN_AS_STRANGER, RC_INTEGRITY, "GetCACert");
}

static void
an_answer_to_another_request_is_refused(void **state)
{
	struct enrol_request req = request();
	struct enrol_result r;
	struct err err;

	/* Another transaction. */
	req.transaction_id = "first";
	assert_ok(enrol_once("plain", &req, &r, &err), err);
	enrol_result_done(&r);
	expect_refused(REPLAY, RC_INTEGRITY, "transaction");
	/* The same transaction, asked again: the nonce is what tells (RFC 8894 3.2.1.5). */
	assert_int_equal(enrol_once("plain", &req, &r, &err), RC_INTEGRITY);
	assert_non_null(strstr(err.msg, "recipientNonce"));
}

static void
a_certificate_for_another_key_is_refused(void **state)
{
	expect_refused(CERTIFY_OTHER_KEY, RC_INTEGRITY, "another key");
}

static void
a_certificate_that_no_listed_ca_signed_is_refused(void **state)
{
	expect_refused(CERTIFY_BY_OTHER, RC_INTEGRITY, "none of the CA certificates");
}

/* In the outer header, in the encrypted content, in the signed attributes, in the signature. */
static void
a_changed_answer_is_refused(void **state)
{
	static const long places[] = { 0, 10, 700, -300, -1 };

	for (size_t i = 0; i < N(places); i++) {
		struct enrol_request req = request();
		struct enrol_result r;
		struct err err;

		server.conduct = TURN_ONE_BIT;
		server.turn_at = places[i];
		assert_int_not_equal(enrol_once("plain", &req, &r, &err), RC_OK);
	}
}

static void
what_is_no_cms_is_refused(void **state)
{
	expect_refused(SEND_HTML, RC_PARSE, "");
	expect_refused(SEND_NOTHING, RC_PARSE, "");
}

static void
an_http_error_is_told(void **state)
{
	expect_refused(SEND_500, RC_IO, "HTTP 500");
	expect_refused(SEND_503, RC_IO, "HTTP 503");
}

/* ---- messages on their own, as scepbench uses them */

static void
an_answer_is_judged_against_its_own_message(void **state)
{
	struct enrol_request req = request();
	struct session *s = open_as("plain");
	struct enrol_message one, two;
	struct enrol_result r;
	struct buf reply;
	struct err err;

	assert_ok(enrol_message_build(&one, s, &req, &err), err);
	assert_ok(enrol_message_build(&two, s, &req, &err), err);
	assert_memory_not_equal(one.pending.sender_nonce, two.pending.sender_nonce, 16);
	assert_ok(session_pki_operation(s, &one.bytes, false, &reply, &err), err);
	assert_ok(enrol_message_judge(&r, s, &one, req.key, reply.data, reply.len, &err), err);
	expect_issued(&r);
	enrol_result_done(&r);
	assert_int_equal(
	    enrol_message_judge(&r, s, &two, req.key, reply.data, reply.len, &err), RC_INTEGRITY);
	for (size_t n = 0; n < reply.len; n += 97)
		assert_int_not_equal(
		    enrol_message_judge(&r, s, &one, req.key, reply.data, n, &err), RC_OK);
	buf_done(&reply);
	enrol_message_done(&one);
	enrol_message_done(&two);
	session_free(s);
}

#define T(f) cmocka_unit_test_setup(f, before_each)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(each_cipher_digest_and_transport_enrols),
		T(capabilities_decide_what_is_used),
		T(what_is_asked_for_beats_the_capabilities),
		T(the_recipient_may_be_named_by_key_identifier),
		T(without_an_ra_the_ca_is_the_recipient),
		T(each_platform_speaks_in_its_manner),
		T(get_escapes_all_of_base64_but_apple_only_the_padding),
		T(cisco_and_strongswan_break_the_base64_into_lines),
		T(cisco_uses_3des_and_sha1_only_where_they_are_named),
		T(only_windows_misses_a_sender_nonce),
		T(apple_is_told_why_the_first_certificate_counts),
		T(a_refusal_is_told_with_its_text),
		T(a_pending_request_is_no_certificate),
		T(an_answer_signed_by_a_stranger_is_refused),
		T(an_answer_to_another_request_is_refused),
		T(a_certificate_for_another_key_is_refused),
		T(a_certificate_that_no_listed_ca_signed_is_refused),
		T(a_changed_answer_is_refused),
		T(what_is_no_cms_is_refused),
		T(an_http_error_is_told),
		T(an_answer_is_judged_against_its_own_message),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
