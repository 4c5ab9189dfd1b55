/*
 * record_test.c - every request of the library, field by field, beside what Microsoft's own library
 * is on record to send.
 *
 * A row names all there is: a header, form field or JSON member that is not in it fails the test as
 * one that is missing does.  Order is free, as it is in Microsoft's.  Deliberate differences from
 * the record: scope without the OpenID scopes that MSAL4J puts before it (an app token has no use
 * for them, MSAL.NET sends none), no x-client-* lines (they name MSAL), UTF-8 bodies.
 */
#include "kit.h"

#include <jansson.h>

#include "base/text.h"

#define ANY  "<any>"
#define GUID "<guid>"

struct field {
	const char *name, *value;
};

/* A JSON member by its path ("a.b[0].c"): its type and its value as JSON text. */
struct member {
	const char *path;
	json_type type;
	const char *value;
};

#define FIELDS_MAX 16

struct record {
	const char *what;
	void (*call)(struct fixture *f);
	enum route route;
	size_t nth; /* request of the route */
	const char *method, *path;
	struct field headers[FIELDS_MAX];
	struct field form[FIELDS_MAX];
	struct member body[FIELDS_MAX];
};

/*
 * 255 UTF-16 units are sent, and no half character.  252 letters of two bytes and one character of
 * two units make 254, and another such would make 256; with one letter more it is 255.
 */
static char long_text[2048];

#define O8      "\xc3\xb6\xc3\xb6\xc3\xb6\xc3\xb6\xc3\xb6\xc3\xb6\xc3\xb6\xc3\xb6"
#define O32     O8 O8 O8 O8
#define O252    O32 O32 O32 O32 O32 O32 O32 O8 O8 O8 "\xc3\xb6\xc3\xb6\xc3\xb6\xc3\xb6"
#define BEYOND  "\xf0\x9f\x98\x80"
#define CUT_254 O252 BEYOND
#define CUT_255 O252 "x" BEYOND

static void
call_validate(struct fixture *f)
{
	assert_int_equal(intune_validate_request(
			     f->client, "tx \"1\"\\ \xc3\xb6\xe2\x82\xac", csr, CSR_LEN, &f->e),
	    INTUNE_OK);
}

static void
call_success(struct fixture *f)
{
	const struct intune_success s = { "tx-1", csr, CSR_LEN,
		"5FFE04E39E4B7D1E8E6A8F0B6B1C52D4E1F00D11", "4D3C2B1A", "2027-11-21T06:20:57.000Z",
		"CN=Ausgabe \xc3\xb6,O=\"A\"", "conf \xe2\x82\xac", "ca.example" };

	assert_int_equal(intune_send_success_notification(f->client, &s, &f->e), INTUNE_OK);
}

static void
call_success_without(struct fixture *f)
{
	assert_int_equal(notify_success(f), INTUNE_OK);
}

static void
call_failure(struct fixture *f)
{
	(void)snprintf(long_text, sizeof(long_text), CUT_254 BEYOND "tail");
	assert_int_equal(intune_send_failure_notification(f->client, "tx-1", csr, CSR_LEN,
			     INT64_C(0x7fffffff8000ffff), long_text, &f->e),
	    INTUNE_OK);
}

static void
call_failure_negative(struct fixture *f)
{
	assert_int_equal(intune_send_failure_notification(
			     f->client, "tx-1", csr, CSR_LEN, -2147418113, "signer\ndown", &f->e),
	    INTUNE_OK);
}

static void
call_failure_lowest(struct fixture *f)
{
	(void)snprintf(long_text, sizeof(long_text), CUT_255 "tail");
	assert_int_equal(intune_send_failure_notification(
			     f->client, "tx-1", csr, CSR_LEN, INT64_MIN, long_text, &f->e),
	    INTUNE_OK);
}

static void
download(struct fixture *f, unsigned max, const char *issuer)
{
	struct intune_revocation_list *l;

	assert_int_equal(
	    intune_download_revocation_requests(f->client, "tx-never-sent", max, issuer, &l, &f->e),
	    INTUNE_OK);
	intune_revocation_list_free(l);
}

static void
call_download(struct fixture *f)
{
	download(f, 500, NULL);
}

static void
call_download_issuer(struct fixture *f)
{
	download(f, 1, "CN=\xc3\xb6 \"x\"");
}

static void
call_upload(struct fixture *f)
{
	const struct intune_revocation_result r[] = {
		{ "c/1+=\xc3\xb6", true, INTUNE_REVOCATION_NONE, NULL },
		{ "c2", false, INTUNE_REVOCATION_CERTIFICATE_NOT_FOUND, "none \xe2\x82\xac" },
		{ "c3", false, INTUNE_REVOCATION_SERVICE_TOO_BUSY, NULL },
	};

	assert_int_equal(
	    intune_upload_revocation_results(f->client, "tx-never-sent", r, COUNT(r), &f->e),
	    INTUNE_OK);
}

/* What libcurl adds for the transport's sake. */
#define TRANSPORT                                                                                  \
	{ "Host", ANY }, { "User-Agent", ANY }, { "Accept", "*/*" },                               \
	{                                                                                          \
		"Accept-Encoding", ANY                                                             \
	}
#define TOKEN_HEADERS                                                                              \
	{                                                                                          \
		TRANSPORT, { "Content-Length", ANY },                                              \
		    { "Content-Type", "application/x-www-form-urlencoded; charset=UTF-8" },        \
		    { "client-request-id", GUID }, { "return-client-request-id", "true" },         \
		{                                                                                  \
			"x-ms-lib-capability", "retry-after, h429"                                 \
		}                                                                                  \
	}
#define ACTION_HEADERS(version)                                                                    \
	{                                                                                          \
		TRANSPORT, { "Content-Length", ANY }, { "content-type", "application/json" },      \
		    { "Authorization", "Bearer intune-token-2" }, { "client-request-id", GUID },   \
		    { "api-version", version },                                                    \
		{                                                                                  \
			"UserAgent", "UnitCA 1.0"                                                  \
		}                                                                                  \
	}
#define FORM(scope)                                                                                \
	{                                                                                          \
		{ "grant_type", "client_credentials" },                                            \
		    { "client_id", "11111111-2222-3333-4444-555555555555" },                       \
		    { "client_secret", "s3cret~key/with+signs&more" }, { "scope", scope },         \
		{                                                                                  \
			"client_info", "1"                                                         \
		}                                                                                  \
	}
#define S(path, text)                                                                              \
	{                                                                                          \
		path, JSON_STRING, "\"" text "\""                                                  \
	}
#define ACTION(name) "/svc/Stateless/ScepActions/" name
#define PKI(name)    "/pki/Stateless/CertificateAuthorityRequests/" name

static const struct record records[] = {
	{ "token for Graph", call_validate, ROUTE_TOKEN, 0, "POST",
	    "/contoso.example/oauth2/v2.0/token", TOKEN_HEADERS, FORM("<graph>/.default") },
	{ "token for Intune", call_validate, ROUTE_TOKEN, 1, "POST",
	    "/contoso.example/oauth2/v2.0/token", TOKEN_HEADERS,
	    FORM("https://api.manage.microsoft.com//.default") },
	{ "discovery", call_validate, ROUTE_LIST, 0, "GET",
	    "/v1.0/servicePrincipals/appId=0000000a-0000-0000-c000-000000000000/endpoints",
	    { TRANSPORT, { "Authorization", "Bearer graph-token-1" },
		{ "client-request-id", GUID } } },
	{ "validateRequest", call_validate, ROUTE_ACTION, 0, "POST", ACTION("validateRequest"),
	    ACTION_HEADERS("2018-02-20"), { { NULL, NULL } },
	    { S("request.transactionId", "tx \\\"1\\\"\\\\ \xc3\xb6\xe2\x82\xac"),
		S("request.certificateRequest", CSR_BASE64),
		S("request.callerInfo", "UnitCA 1.0") } },
	{ "successNotification", call_success, ROUTE_ACTION, 0, "POST",
	    ACTION("successNotification"), ACTION_HEADERS("2018-02-20"), { { NULL, NULL } },
	    { S("notification.transactionId", "tx-1"),
		S("notification.certificateRequest", CSR_BASE64),
		S("notification.certificateThumbprint", "5FFE04E39E4B7D1E8E6A8F0B6B1C52D4E1F00D11"),
		S("notification.certificateSerialNumber", "4D3C2B1A"),
		S("notification.certificateExpirationDateUtc", "2027-11-21T06:20:57.000Z"),
		S("notification.issuingCertificateAuthority", "CN=Ausgabe \xc3\xb6,O=\\\"A\\\""),
		S("notification.callerInfo", "UnitCA 1.0"),
		S("notification.caConfiguration", "conf \xe2\x82\xac"),
		S("notification.certificateAuthority", "ca.example") } },
	/* as Java: a member that is null is left out */
	{ "successNotification of six arguments", call_success_without, ROUTE_ACTION, 0, "POST",
	    ACTION("successNotification"), ACTION_HEADERS("2018-02-20"), { { NULL, NULL } },
	    { S("notification.transactionId", "tx-1"),
		S("notification.certificateRequest", CSR_BASE64),
		S("notification.certificateThumbprint", "AA"),
		S("notification.certificateSerialNumber", "01"),
		S("notification.certificateExpirationDateUtc", "2027-11-21T06:20:57.000Z"),
		S("notification.issuingCertificateAuthority", "CN=Issuing"),
		S("notification.callerInfo", "UnitCA 1.0") } },
	{ "failureNotification", call_failure, ROUTE_ACTION, 0, "POST",
	    ACTION("failureNotification"), ACTION_HEADERS("2018-02-20"), { { NULL, NULL } },
	    { S("notification.transactionId", "tx-1"),
		S("notification.certificateRequest", CSR_BASE64),
		{ "notification.hResult", JSON_INTEGER, "9223372034707357695" },
		S("notification.errorDescription", CUT_254),
		S("notification.callerInfo", "UnitCA 1.0") } },
	/* 0x8000ffff as a Java int */
	{ "failureNotification, hResult below zero", call_failure_negative, ROUTE_ACTION, 0, "POST",
	    ACTION("failureNotification"), ACTION_HEADERS("2018-02-20"), { { NULL, NULL } },
	    { S("notification.transactionId", "tx-1"),
		S("notification.certificateRequest", CSR_BASE64),
		{ "notification.hResult", JSON_INTEGER, "-2147418113" },
		S("notification.errorDescription", "signer\\ndown"),
		S("notification.callerInfo", "UnitCA 1.0") } },
	{ "failureNotification, lowest hResult", call_failure_lowest, ROUTE_ACTION, 0, "POST",
	    ACTION("failureNotification"), ACTION_HEADERS("2018-02-20"), { { NULL, NULL } },
	    { S("notification.transactionId", "tx-1"),
		S("notification.certificateRequest", CSR_BASE64),
		{ "notification.hResult", JSON_INTEGER, "-9223372036854775808" },
		S("notification.errorDescription", CUT_255),
		S("notification.callerInfo", "UnitCA 1.0") } },
	{ "downloadRevocationRequests", call_download, ROUTE_DOWNLOAD, 0, "POST",
	    PKI("downloadRevocationRequests"), ACTION_HEADERS("5019-05-05"), { { NULL, NULL } },
	    { { "downloadParameters.maxRequests", JSON_INTEGER, "500" },
		{ "downloadParameters.issuerName", JSON_NULL, "null" } } },
	{ "downloadRevocationRequests of one issuer", call_download_issuer, ROUTE_DOWNLOAD, 0,
	    "POST", PKI("downloadRevocationRequests"), ACTION_HEADERS("5019-05-05"),
	    { { NULL, NULL } },
	    { { "downloadParameters.maxRequests", JSON_INTEGER, "1" },
		S("downloadParameters.issuerName", "CN=\xc3\xb6 \\\"x\\\"") } },
	{ "uploadRevocationResults", call_upload, ROUTE_UPLOAD, 0, "POST",
	    PKI("uploadRevocationResults"), ACTION_HEADERS("5019-05-05"), { { NULL, NULL } },
	    { S("results[0].requestContext", "c/1+=\xc3\xb6"),
		{ "results[0].succeeded", JSON_TRUE, "true" }, S("results[0].errorCode", "0"),
		S("results[1].requestContext", "c2"),
		{ "results[1].succeeded", JSON_FALSE, "false" }, S("results[1].errorCode", "4004"),
		S("results[1].errorMessage", "none \xe2\x82\xac"),
		S("results[2].requestContext", "c3"),
		{ "results[2].succeeded", JSON_FALSE, "false" },
		S("results[2].errorCode", "4102") } },
};

static bool
is_guid(const char *s)
{
	return strlen(s) == 36 && s[8] == '-' && s[13] == '-' && s[14] == '4' && s[18] == '-' &&
	    s[23] == '-' && strspn(s, "0123456789abcdef-") == 36;
}

static const struct field *
find_field(const struct field *list, const char *name, size_t len)
{
	size_t i;

	for (i = 0; i < FIELDS_MAX && list[i].name != NULL; i++) {
		if (strlen(list[i].name) == len && strncasecmp(list[i].name, name, len) == 0)
			return &list[i];
	}
	return NULL;
}

static size_t
count_fields(const struct field *list)
{
	size_t n = 0;

	while (n < FIELDS_MAX && list[n].name != NULL)
		n++;
	return n;
}

static void
compare_headers(const struct record *r, const char *raw)
{
	const char *line = strstr(raw, "\r\n") + 2, *end, *colon, *value;
	const struct field *want;
	size_t n = 0;

	for (; (end = strstr(line, "\r\n")) != line; line = end + 2, n++) {
		colon = memchr(line, ':', (size_t)(end - line));
		assert_non_null(colon);
		want = find_field(r->headers, line, (size_t)(colon - line));
		if (want == NULL)
			give_up("%s: a header that is not on record: %.*s\n", r->what,
			    (int)(end - line), line);
		value = raw_header(raw, want->name);
		if (strcmp(want->value, GUID) == 0
			? !is_guid(value)
			: strcmp(want->value, ANY) != 0 && strcmp(want->value, value) != 0)
			give_up("%s: %s is %s, on record %s\n", r->what, want->name, value,
			    want->value);
	}
	if (n != count_fields(r->headers))
		give_up("%s: %zu headers, on record %zu\n", r->what, n, count_fields(r->headers));
}

static void
form_decode(char *out, size_t size, const char *s, size_t len)
{
	size_t i, o = 0;
	unsigned c;

	for (i = 0; i < len && o + 1 < size; i++) {
		c = (unsigned char)s[i];
		if (c == '%') {
			assert_int_equal(sscanf(s + i + 1, "%2x", &c), 1);
			i += 2;
		} else if (c == '+') {
			c = ' ';
		}
		out[o++] = (char)c;
	}
	out[o] = '\0';
}

static void
compare_form(const struct record *r, const char *peer, const char *body)
{
	const char *at = body, *end, *eq;
	const struct field *want;
	char got[1024], full[1024];
	size_t n = 0;

	for (; *at != '\0'; at = *end == '&' ? end + 1 : end, n++) {
		end = at + strcspn(at, "&");
		eq = memchr(at, '=', (size_t)(end - at));
		assert_non_null(eq);
		want = find_field(r->form, at, (size_t)(eq - at));
		if (want == NULL)
			give_up("%s: not on record: %s\n", r->what, at);
		form_decode(got, sizeof(got), eq + 1, (size_t)(end - eq - 1));
		(void)snprintf(full, sizeof(full), "%s%s",
		    str_starts(want->value, "<graph>") ? peer : "",
		    want->value + (str_starts(want->value, "<graph>") ? strlen("<graph>") : 0));
		assert_string_equal(got, full);
	}
	assert_int_equal(n, count_fields(r->form));
}

static void
compare_member(const struct record *r, const char *path, const json_t *v)
{
	char *text = json_dumps(v, JSON_ENCODE_ANY);
	size_t i;

	for (i = 0; i < FIELDS_MAX && r->body[i].path != NULL; i++) {
		if (strcmp(r->body[i].path, path) != 0)
			continue;
		if (json_typeof(v) != r->body[i].type || strcmp(text, r->body[i].value) != 0)
			give_up(
			    "%s: %s is %s, on record %s\n", r->what, path, text, r->body[i].value);
		free(text);
		return;
	}
	give_up("%s: %s is not on record\n", r->what, path);
}

/* Compare the leaves below v; return how many there are. */
static size_t
compare_leaves(const struct record *r, const char *path, const json_t *v)
{
	char below[256];
	const char *key;
	json_t *inner;
	size_t i, n = 0;

	if (json_is_array(v)) {
		json_array_foreach(v, i, inner)
		{
			(void)snprintf(below, sizeof(below), "%s[%zu]", path, i);
			n += compare_leaves(r, below, inner);
		}
		return n;
	}
	if (!json_is_object(v)) {
		compare_member(r, path, v);
		return 1;
	}
	json_object_foreach((json_t *)(uintptr_t)v, key, inner)
	{
		(void)snprintf(
		    below, sizeof(below), "%s%s%s", path, path[0] != '\0' ? "." : "", key);
		n += compare_leaves(r, below, inner);
	}
	return n;
}

static void
compare_json(const struct record *r, const char *raw)
{
	const char *text = raw_body(raw);
	json_t *body = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	size_t n = 0;

	if (body == NULL)
		give_up("%s: no JSON: %s\n", r->what, text);
	while (n < FIELDS_MAX && r->body[n].path != NULL)
		n++;
	if (compare_leaves(r, "", body) != n)
		give_up("%s: members are missing: %s\n", r->what, text);
	assert_int_equal(strtoul(raw_header(raw, "content-length"), NULL, 10), strlen(text));
	assert_true(utf8_valid((const uint8_t *)text, strlen(text)));
	assert_null(strstr(text, "\\u")); /* UTF-8 goes out as it is */
	json_decref(body);
}

static void
compare_record(const struct record *r)
{
	struct fixture f = { .peer = peer_start() };
	char line[300];
	const char *raw;

	f.client = peer_client(f.peer);
	r->call(&f);
	raw = peer_recorded(f.peer, r->route, r->nth);
	assert_non_null(raw);
	(void)snprintf(line, sizeof(line), "%s %s HTTP/1.1\r\n", r->method, r->path);
	expect_start(raw, line);
	compare_headers(r, raw);
	if (r->form[0].name != NULL)
		compare_form(r, peer_url(f.peer), raw_body(raw));
	else if (r->body[0].path != NULL)
		compare_json(r, raw);
	else
		assert_string_equal(raw_body(raw), "");
	intune_client_free(f.client);
	peer_stop(f.peer);
}

static void
every_request_is_as_recorded(void **state)
{
	size_t i;

	for (i = 0; i < COUNT(records); i++)
		compare_record(&records[i]);
}

/* Discovery comes first, with a token of its own, as in Microsoft's library. */
static void
the_order_of_the_first_call_is_as_recorded(void **state)
{
	struct fixture f = { .peer = peer_start() };

	f.client = peer_client(f.peer);
	call_validate(&f);
	expect_line(peer_recorded(f.peer, ROUTE_LIST, 0), "Authorization", "Bearer graph-token-1");
	expect_line(
	    peer_recorded(f.peer, ROUTE_ACTION, 0), "Authorization", "Bearer intune-token-2");
	assert_int_equal(peer_count(f.peer, ROUTE_TOKEN), 2);
	assert_int_equal(peer_count(f.peer, ROUTE_OTHER), 0);
	intune_client_free(f.client);
	peer_stop(f.peer);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_request_is_as_recorded),
		cmocka_unit_test(the_order_of_the_first_call_is_as_recorded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
