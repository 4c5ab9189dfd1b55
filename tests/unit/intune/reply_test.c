/*
 * reply_test.c - the doors: what is taken, what is refused, and that no prefix and no flipped bit
 * gets a "Success" that was not there.
 */
#include "unit.h"

#include "base/text.h"
#include "intune/error.h"
#include "intune/reply.h"

#define SERVICE "ScepRequestValidationFEService"
#define OK_REPLY                                                                                   \
	"{\"@odata.context\":\"https://fef.example/$metadata#x\",\"code\":\"Success\","            \
	"\"errorDescription\":\"\"}"

static void
only_a_string_that_is_exactly_success_succeeds(void **state)
{
	static const struct {
		const char *body;
		enum rc rc;
		bool success;
		const char *text;
	} rows[] = {
		{ OK_REPLY, RC_OK, true, "Success" },
		{ "{\"code\":\"Success\"}", RC_OK, true, "Success" },
		{ "{\"code\":\"Success\",\"errorDescription\":null}", RC_OK, true, "Success" },
		{ "{\"code\":\"success\"}", RC_OK, false, "success" },
		{ "{\"code\":\"Success \"}", RC_OK, false, "Success " },
		{ "{\"code\":\"Unknown,Success\"}", RC_OK, false, "Unknown,Success" },
		{ "{\"code\":\"1\"}", RC_OK, false, "1" },
		{ "{\"code\":\"\"}", RC_OK, false, "" },
		{ "{\"code\":\"ChallengeExpired\"}", RC_OK, false, "ChallengeExpired" },
		{ "{\"code\":\"BadDeviceTypeInChallenge\"}", RC_OK, false,
		    "BadDeviceTypeInChallenge" },
		{ "{\"code\":1}", RC_PARSE, false, "" },
		{ "{\"code\":true}", RC_PARSE, false, "" },
		{ "{\"code\":null}", RC_PARSE, false, "" },
		{ "{\"code\":[\"Success\"]}", RC_PARSE, false, "" },
		{ "{\"Code\":\"Success\"}", RC_PARSE, false, "" },
		{ "{\"code\":\"ChallengeExpired\",\"code\":\"Success\"}", RC_PARSE, false, "" },
		{ "{\"code\":\"Success\\u0000\"}", RC_PARSE, false, "" },
		{ "{\"code\":\"Success\"} x", RC_PARSE, false, "" },
		{ "[{\"code\":\"Success\"}]", RC_PARSE, false, "" },
		{ "\"Success\"", RC_PARSE, false, "" },
		{ "Success", RC_PARSE, false, "" },
		{ "<html>Success</html>", RC_PARSE, false, "" },
		{ "{}", RC_PARSE, false, "" },
		{ "", RC_PARSE, false, "" },
	};
	struct action_reply r;
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		assert_int_equal(
		    reply_action(&r, rows[i].body, strlen(rows[i].body), NULL), rows[i].rc);
		assert_int_equal(r.success, rows[i].success);
		assert_string_equal(r.code_text, rows[i].text);
	}
}

static void
no_part_of_a_good_reply_is_a_success(void **state)
{
	struct action_reply r;
	char *copy;
	size_t n, len = strlen(OK_REPLY);

	for (n = 0; n < len; n++) {
		copy =
		    malloc(n + 1); /* of the very length, so that a sanitizer sees a read past it */
		memcpy(copy, OK_REPLY, n);
		assert_int_not_equal(reply_action(&r, copy, n, NULL), RC_OK);
		assert_false(r.success);
		free(copy);
	}
}

static void
a_flipped_bit_in_the_code_is_no_success(void **state)
{
	char text[sizeof(OK_REPLY)];
	struct action_reply r;
	size_t i, from, to;
	unsigned bit;
	enum rc rc;

	from = (size_t)(strstr(OK_REPLY, "\"code\"") - OK_REPLY);
	to = (size_t)(strstr(OK_REPLY, ",\"errorD") - OK_REPLY);
	for (i = 0; i < sizeof(OK_REPLY) - 1; i++) {
		for (bit = 0; bit < 8; bit++) {
			memcpy(text, OK_REPLY, sizeof(text));
			text[i] = (char)(text[i] ^ (1u << bit));
			rc = reply_action(&r, text, sizeof(text) - 1, NULL);
			if (i >= from && i < to)
				assert_false(rc == RC_OK && r.success);
		}
	}
}

static void
token_replies_are_taken_or_refused(void **state)
{
#define T(rest) "{\"access_token\":\"abc.def\"" rest "}"
	static const struct {
		const char *body;
		enum rc rc;
		int64_t life;
	} rows[] = {
		{ T(",\"token_type\":\"Bearer\",\"expires_in\":3599"), RC_OK, 3599 },
		{ T(",\"token_type\":\"bearer\",\"expires_in\":\"3599\",\"resource\":\"x\""), RC_OK,
		    3599 },
		{ T(",\"token_type\":\"Bearer\""), RC_OK, 300 },
		{ T(",\"token_type\":\"Bearer\",\"expires_in\":9999999999"), RC_OK, 86400 },
		{ T(",\"token_type\":\"Bearer\",\"expires_in\":0"), RC_PARSE, 0 },
		{ T(",\"token_type\":\"Bearer\",\"expires_in\":-5"), RC_PARSE, 0 },
		{ T(",\"token_type\":\"Bearer\",\"expires_in\":\"soon\""), RC_PARSE, 0 },
		{ T(",\"token_type\":\"mac\",\"expires_in\":3599"), RC_PARSE, 0 },
		{ T(",\"expires_in\":3599"), RC_PARSE, 0 },
		{ "{\"token_type\":\"Bearer\",\"expires_in\":3599}", RC_PARSE, 0 },
		{ "{\"token_type\":\"Bearer\",\"access_token\":\"\"}", RC_PARSE, 0 },
		{ "{\"token_type\":\"Bearer\",\"access_token\":\"a b\"}", RC_PARSE, 0 },
		{ "{\"token_type\":\"Bearer\",\"access_token\":\"a\\r\\nX: y\"}", RC_PARSE, 0 },
		{ "{\"token_type\":\"Bearer\",\"access_token\":\"\xc3\xb6\"}", RC_PARSE, 0 },
		{ "{\"token_type\":\"Bearer\",\"access_token\":5}", RC_PARSE, 0 },
		{ "[]", RC_PARSE, 0 },
		{ "", RC_PARSE, 0 },
	};
#undef T
	struct token_reply r;
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		assert_int_equal(
		    reply_token(&r, rows[i].body, strlen(rows[i].body), NULL), rows[i].rc);
		assert_int_equal(r.expires_in, rows[i].life);
		if (rows[i].rc == RC_OK)
			assert_string_equal(r.access_token, "abc.def");
		else
			assert_null(r.access_token);
		free(r.access_token);
	}
}

static void
a_token_longer_than_any_header_line_is_refused(void **state)
{
	struct token_reply r;
	struct buf body;
	size_t i, over;

	for (over = 0; over < 2; over++) {
		buf_init(&body, 2 * TOKEN_MAX);
		buf_adds(&body, "{\"token_type\":\"Bearer\",\"access_token\":\"");
		for (i = 0; i < TOKEN_MAX + over; i++)
			buf_addc(&body, 'a');
		buf_adds(&body, "\"}");
		assert_int_equal(
		    reply_token(&r, body.data, body.len, NULL), over == 0 ? RC_OK : RC_PARSE);
		free(r.access_token);
		buf_done(&body);
	}
}

static void
entra_s_errors_give_up_their_number(void **state)
{
	static const struct {
		const char *body;
		enum rc rc;
		long aadsts;
	} rows[] = {
		{ "{\"error\":\"invalid_client\",\"error_description\":\"AADSTS7000215: "
		  "x\\r\\nTrace ID: "
		  "1\",\"error_codes\":[7000215],\"trace_id\":\"t\"}",
		    RC_OK, 7000215 },
		{ "{\"error\":\"invalid_request\",\"error_description\":\"AADSTS90002: x\"}", RC_OK,
		    90002 },
		{ "{\"error\":\"x\",\"error_codes\":[]}", RC_OK, 0 },
		{ "{\"error\":\"x\",\"error_codes\":[-1]}", RC_OK, 0 },
		{ "{\"error\":\"x\",\"error_codes\":[99999999999999]}", RC_OK, 0 },
		{ "{\"error\":\"x\",\"error_codes\":\"7000215\"}", RC_OK, 0 },
		{ "{\"error\":{\"code\":\"x\"}}", RC_PARSE, 0 },
		{ "{}", RC_PARSE, 0 },
		{ "<html>", RC_PARSE, 0 },
	};
	struct entra_error r;
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		assert_int_equal(
		    reply_entra_error(&r, rows[i].body, strlen(rows[i].body), NULL), rows[i].rc);
		assert_int_equal(r.aadsts, rows[i].aadsts);
		assert_null(strpbrk(r.description, "\r\n"));
	}
}

static void
odd_entries_are_skipped_and_the_first_match_wins(void **state)
{
	static const char body[] =
	    "{\"value\":[null,5,\"x\",{},{\"providerName\":null,\"uri\":\"https://a/\"},"
	    "{\"providerName\":\"" SERVICE "\"},{\"providerName\":\"" SERVICE "\",\"uri\":7},"
	    "{\"providerName\":\"" SERVICE "\",\"uri\":\"http://plain.example/x\"},"
	    "{\"providerName\":\"" SERVICE "\",\"uri\":\"https://u:p@evil.example/x\"},"
	    "{\"providerName\":\"scepREQUESTvalidationfeservice\",\"uri\":\"https://first.example/"
	    "a/b//\"},"
	    "{\"serviceName\":\"" SERVICE "\",\"uri\":\"https://second.example/\"},"
	    "{\"providerName\":\"Other\",\"uri\":\"https://other.example/\"}]}";
	struct discovery_page p;

	assert_int_equal(reply_discovery(&p, body, sizeof(body) - 1, NULL), RC_OK);
	assert_string_equal(p.uri[SERVICE_SCEP], "https://first.example/a/b");
	assert_int_equal(p.entries, 12);
	assert_null(p.next);
	discovery_page_done(&p);
}

static void
lists_without_the_service_say_what_they_have(void **state)
{
	static const char body[] = "{\"value\":[{\"providerName\":\"One\",\"uri\":\"https://a/\"},"
				   "{\"serviceName\":\"Two\"}],\"@odata.nextLink\":\"https://b/\"}";
	struct discovery_page p;

	assert_int_equal(reply_discovery(&p, body, sizeof(body) - 1, NULL), RC_OK);
	assert_null(p.uri[SERVICE_SCEP]);
	assert_string_equal(p.names, "One, Two (no usable uri)");
	assert_string_equal(p.next, "https://b/");
	discovery_page_done(&p);
	assert_int_equal(reply_discovery(&p, "{\"value\":[]}", 12, NULL), RC_OK);
	assert_int_equal(p.entries, 0);
	discovery_page_done(&p);
	assert_int_equal(reply_discovery(&p, "{\"value\":{}}", 12, NULL), RC_PARSE);
	discovery_page_done(&p);
	assert_int_equal(reply_discovery(&p, "{}", 2, NULL), RC_PARSE);
	discovery_page_done(&p);
}

static void
odata_errors_are_unwrapped(void **state)
{
	static const char wrapped[] =
	    "{\"error\":{\"code\":\"InternalError\",\"message\":\"{\\r\\n  "
	    "\\\"_version\\\": 3,\\r\\n  \\\"Message\\\": \\\"It broke - "
	    "Activity ID: 1\\\"\\r\\n}\",\"innerError\":{\"request-id\":\"r-1\"}}}";
	static const char plain[] =
	    "{\"error\":{\"code\":\"Authorization_RequestDenied\",\"message\":"
	    "\"Insufficient privileges\"}}";
	struct odata_error r;

	assert_int_equal(reply_odata_error(&r, wrapped, sizeof(wrapped) - 1, NULL), RC_OK);
	assert_string_equal(r.code, "InternalError");
	assert_string_equal(r.message, "It broke - Activity ID: 1");
	assert_string_equal(r.request_id, "r-1");
	assert_int_equal(reply_odata_error(&r, plain, sizeof(plain) - 1, NULL), RC_OK);
	assert_string_equal(r.message, "Insufficient privileges");
	assert_int_equal(reply_odata_error(&r, "{\"error\":\"x\"}", 13, NULL), RC_PARSE);
	assert_int_equal(reply_odata_error(&r, "{\"error\":{}}", 12, NULL), RC_PARSE);
	assert_int_equal(reply_odata_error(&r, "", 0, NULL), RC_PARSE);
}

static void
roles_come_out_by_name_only(void **state)
{
	static const struct {
		const char *claims, *want;
	} rows[] = {
		{ "{\"roles\":[\"scep_challenge_provider\",\"Application.Read.All\"]}",
		    "scep_challenge_provider, Application.Read.All" },
		{ "{\"roles\":[]}", "none" },
		{ "{\"aud\":\"x\"}", "none" },
		{ "{\"roles\":[\"a b\",5,\"\\n\",\"ok\"]}", "ok" },
		{ "[]", "" },
		{ "not json", "" },
	};
	char roles[ROLES_TEXT];
	struct buf b;
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		buf_init(&b, 4096);
		buf_adds(&b, "e30.");
		base64url_add(&b, (const uint8_t *)rows[i].claims, strlen(rows[i].claims));
		buf_adds(&b, ".c2ln");
		reply_token_roles(roles, buf_str(&b), b.len);
		assert_string_equal(roles, rows[i].want);
		buf_done(&b);
	}
	reply_token_roles(roles, "opaque", 6);
	assert_string_equal(roles, "");
	reply_token_roles(roles, "a.b", 3);
	assert_string_equal(roles, "");
	reply_token_roles(roles, "a.!.c", 5);
	assert_string_equal(roles, "");
}

/* Every door with every prefix and every flipped bit: nothing may crash or leak. */
static void
doors_survive_prefixes_and_flipped_bits(void **state)
{
	static const char *const bodies[] = {
		"{\"token_type\":\"Bearer\",\"expires_in\":3599,\"access_token\":\"e30.e30.e30\"}",
		"{\"error\":\"invalid_client\",\"error_description\":\"AADSTS7000215: "
		"\xc3\xb6\",\"error_codes\":[7000215]}",
		"{\"value\":[{\"providerName\":\"" SERVICE
		"\",\"uri\":\"https://a.example/b\"}],\"@odata.nextLink\":\"https://b/\"}",
		"{\"error\":{\"code\":\"E\",\"message\":\"{\\\"Message\\\":\\\"m\\\"}\","
		"\"innerError\":{"
		"\"request-id\":\"r\"}}}",
	};
	struct discovery_page page;
	struct entra_error entra;
	struct odata_error odata;
	struct token_reply token;
	struct action_reply action;
	char roles[ROLES_TEXT];
	size_t i, k, n, len;
	enum rc rc;
	char *copy;

	for (i = 0; i < COUNT(bodies); i++) {
		len = strlen(bodies[i]);
		for (k = 0; k < len * 9; k++) {
			n = k < len * 8 ? len : k - len * 8;
			copy = malloc(n + 1);
			memcpy(copy, bodies[i], n);
			if (k < len * 8)
				copy[k / 8] = (char)(copy[k / 8] ^ (1u << (k % 8)));
			rc = reply_token(&token, copy, n, NULL);
			free(token.access_token);
			if (n < len)
				assert_int_not_equal(rc, RC_OK);
			rc = reply_discovery(&page, copy, n, NULL);
			discovery_page_done(&page);
			rc = reply_entra_error(&entra, copy, n, NULL);
			rc = reply_odata_error(&odata, copy, n, NULL);
			rc = reply_action(&action, copy, n, NULL);
			assert_false(rc == RC_OK && action.success);
			reply_token_roles(roles, copy, n);
			free(copy);
		}
	}
}

static void
words_of_servers_become_one_printable_line(void **state)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
		{ "a\r\nb\tc", "a b c" },
		{ "a\x1b[31m\x7f", "a?[31m?" },
		{ "gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f" },
		{ "x\xffy", "x?y" },
		{ "Url: "
		  "https://fef.example/RACerts/StatelessScepRequestValidationService/Gateway/Some/"
		  "More/x",
		    "Url: "
		    "https://fef.example/RACerts/StatelessScepRequestValidationService/Gateway/"
		    "Some/More/x" },
		{ "tok "
		  "eyJhbGciOiJSUzI1NiJ9eyJhbGciOiJSUzI1NiJ9eyJhbGciOiJSUzI1NiJ9eyJhbGciOiJSUzI1NiJ9"
		  ".",
		    "tok [...]." },
	};
	char out[160], small[8];
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		error_words(out, sizeof(out), rows[i].in, strlen(rows[i].in));
		assert_string_equal(out, rows[i].out);
	}
	error_words(small, sizeof(small), "abcde\xf0\x9f\x98\x80", 9);
	assert_string_equal(small, "abcde");
	error_words(small, sizeof(small), "", 0);
	assert_string_equal(small, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_a_string_that_is_exactly_success_succeeds),
		cmocka_unit_test(no_part_of_a_good_reply_is_a_success),
		cmocka_unit_test(a_flipped_bit_in_the_code_is_no_success),
		cmocka_unit_test(token_replies_are_taken_or_refused),
		cmocka_unit_test(a_token_longer_than_any_header_line_is_refused),
		cmocka_unit_test(entra_s_errors_give_up_their_number),
		cmocka_unit_test(odd_entries_are_skipped_and_the_first_match_wins),
		cmocka_unit_test(lists_without_the_service_say_what_they_have),
		cmocka_unit_test(odata_errors_are_unwrapped),
		cmocka_unit_test(roles_come_out_by_name_only),
		cmocka_unit_test(doors_survive_prefixes_and_flipped_bits),
		cmocka_unit_test(words_of_servers_become_one_printable_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
