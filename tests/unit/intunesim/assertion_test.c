/*
 * assertion_test.c - client assertions, federated ones, version 1, managed identities, and what
 * Entra tells about itself.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "intunesim/jwk.h"
#include "intunesim/jwt.h"

#include "kit.h"

#define CERT_APP    "cccccccc-0000-4000-8000-000000000001"
#define FED_APP     "cccccccc-0000-4000-8000-000000000002"
#define MANAGED_APP "cccccccc-0000-4000-8000-000000000003"
#define HEADER      "secret-of-the-app-service"
#define TOKEN_URL   "http://" HOST "/" ALPHA_ID "/oauth2/v2.0/token"
#define TYPE        "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

/* One simulator for all tests; its tenant knows the key's certificate and the issuer. */
struct rig {
	struct kit kit;
	struct key *key, *old_key, *other;
	char x5t[X5T_MAX], x5t_s256[X5T_MAX], old_x5t[X5T_MAX];
};

/* ---- setting up ---- */

static struct cert *
self_signed(const struct key *key, int64_t from, int64_t to)
{
	struct name name = { 0 };
	struct serial serial;
	struct cert_fields f = {
		.serial = &serial,
		.issuer = &name,
		.subject = &name,
		.not_before = clock_now() + from,
		.not_after = clock_now() + to,
		.subject_key = key,
		.issuer_key = key,
		.digest = DIGEST_SHA256,
		.key_usage = KU_DIGITAL_SIGNATURE,
		.path_len = -1,
	};
	struct cert *cert;
	struct err e;

	assert_ok(serial_random(&serial, &e), e);
	assert_ok(name_from_text(&name, "CN=app", &e), e);
	assert_ok(cert_make(&cert, &f, key, &e), e);
	name_done(&name);
	return cert;
}

/* "..." of YAML and JSON. */
static void
add_quoted_pem(struct buf *out, const struct cert *c)
{
	struct buf pem;

	buf_init(&pem, 1 << 16);
	cert_pem(&pem, c);
	for (size_t i = 0; i < pem.len; i++) {
		if (pem.data[i] == '\n')
			buf_adds(out, "\\n");
		else
			buf_addc(out, (char)pem.data[i]);
	}
	buf_done(&pem);
}

static void
add_jwks(struct buf *out, const struct cert *c)
{
	json_t *keys = json_pack(
	    "{s:[o, {s:s, s:s}]}", "keys", jwk_json(c), "kty", "EC", "kid", "not of interest");
	char *text = json_dumps(keys, JSON_COMPACT);

	assert_non_null(text);
	buf_adds(out, text);
	free(text);
	json_decref(keys);
}

static void
add_tenant(struct buf *out, const struct rig *r, int version)
{
	struct cert *cert = self_signed(r->key, -86400, 86400);
	struct cert *old = self_signed(r->old_key, -86400, -3600);

	buf_addf(out,
	    "tenant: {id: " ALPHA_ID ", domain: alpha.example, token_version: %d}\n"
	    "apps:\n"
	    "  - id: " CERT_APP "\n    certificates:\n      - {pem: \"",
	    version);
	add_quoted_pem(out, cert);
	buf_adds(out, "\"}\n      - {pem: \"");
	add_quoted_pem(out, old);
	buf_adds(out,
	    "\"}\n    permissions: [scep_challenge_provider, Application.Read.All]\n"
	    "  - id: " FED_APP "\n    federated_credentials:\n"
	    "      - {issuer: https://issuer.example, subject: 'system:serviceaccount:ca:scepd',\n"
	    "         jwks: '");
	add_jwks(out, cert);
	buf_adds(out,
	    "'}\n    permissions: [scep_challenge_provider]\n"
	    "  - {id: " MANAGED_APP ", managed_identity: true, identity_header: " HEADER ",\n"
	    "     permissions: [scep_challenge_provider]}\n");
	cert_free(cert);
	cert_free(old);
}

static void
set_names(struct rig *r)
{
	const struct app_cert *c = r->kit.view->tenants[0]->apps[0].certs;

	memcpy(r->x5t, c[0].x5t, X5T_MAX);
	memcpy(r->x5t_s256, c[0].x5t_s256, X5T_MAX);
	memcpy(r->old_x5t, c[1].x5t, X5T_MAX);
}

static int
rig_new_version(void **state, int version)
{
	struct rig *r = calloc(1, sizeof(*r));
	struct sim_options o = { 0 };
	struct tenant *t;
	struct buf yaml;
	struct err e;

	assert_non_null(r);
	assert_ok(key_generate(&r->key, "rsa:2048", &e), e);
	assert_ok(key_generate(&r->old_key, "rsa:2048", &e), e);
	assert_ok(key_generate(&r->other, "rsa:2048", &e), e);
	buf_init(&yaml, 1 << 18);
	add_tenant(&yaml, r, version);
	assert_ok(tenant_parse(&t, "t.yaml", yaml.data, yaml.len, NULL, 0, &e), e);
	buf_done(&yaml);
	assert_ok(sim_new(&r->kit.sim, &o, &t, 1, &e), e);
	r->kit.view = sim_view(r->kit.sim);
	set_names(r);
	*state = r;
	return 0;
}

static int
rig_new(void **state)
{
	return rig_new_version(state, 1);
}

static int
rig_new_v2(void **state)
{
	return rig_new_version(state, 2);
}

static int
rig_free(void **state)
{
	struct rig *r = *state;

	view_done(r->kit.view);
	sim_free(r->kit.sim);
	key_free(r->key);
	key_free(r->old_key);
	key_free(r->other);
	free(r);
	return 0;
}

/* ---- assertions ---- */

static json_t *
good_claims(void)
{
	json_int_t now = clock_now();

	return json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:I}", "aud", TOKEN_URL, "iss", CERT_APP,
	    "sub", CERT_APP, "jti", "6d3a3c5e-0000-4000-8000-000000000001", "nbf", now, "exp",
	    now + 600, "iat", now);
}

static json_t *
good_header(const struct rig *r)
{
	return json_pack("{s:s, s:s, s:s}", "alg", "PS256", "typ", "JWT", "x5t#S256", r->x5t_s256);
}

/* Takes both over. */
static char *
sign(json_t *header, json_t *claims, const struct key *key)
{
	const char *alg = json_get_str(header, "alg");
	struct buf b;
	struct err e;
	char *text;

	buf_init(&b, JWS_MAX);
	assert_ok(
	    jws_sign(&b, header, claims, key, alg != NULL && strcmp(alg, "PS256") == 0, &e), e);
	text = strdup(buf_str(&b));
	buf_done(&b);
	json_decref(header);
	json_decref(claims);
	return text;
}

static void
ask_with(struct answer *a, const struct rig *r, const char *app, const char *assertion)
{
	char form[JWS_MAX + 1024];

	snprintf(form, sizeof(form),
	    "grant_type=client_credentials&client_id=%s&scope=" INTUNE
	    "&client_assertion_type=" TYPE "&client_assertion=%s",
	    app, assertion);
	ask_token(a, &r->kit, "alpha.example", form);
}

static int
code_of(const struct answer *a)
{
	return (int)json_integer_value(json_array_get(json_object_get(a->json, "error_codes"), 0));
}

/* `assertion` is freed.  0: a token. */
static void
expect(const struct rig *r, const char *app, char *assertion, int code, const char *sentence)
{
	struct answer a;

	ask_with(&a, r, app, assertion);
	free(assertion);
	if (code_of(&a) != code || (code == 0) != (a.status == 200))
		fail_msg("want %d: %s", code, buf_str(&a.body));
	if (sentence != NULL && strstr(buf_str(&a.body), sentence) == NULL)
		fail_msg("want %s: %s", sentence, buf_str(&a.body));
	answer_done(&a);
}

static void
registered_certificate_proves_the_app(void **state)
{
	const struct rig *r = *state;
	struct answer a;
	const struct tenant *t;
	char *assertion;
	const char *token;
	json_t *claims;
	struct err e;

	assertion = sign(good_header(r), good_claims(), r->key);
	ask_with(&a, r, CERT_APP, assertion);
	free(assertion);
	assert_int_equal(a.status, 200);
	token = json_get_str(a.json, "access_token");
	assert_ok(jwt_verify(&claims, &t, r->kit.view, token, strlen(token), &e), e);
	/* "2": by a signature. */
	assert_string_equal(json_get_str(claims, "appidacr"), "2");
	json_decref(claims);
	answer_done(&a);
	/* RS256 and the SHA-1 name, as older libraries do it; and both names. */
	expect(r, CERT_APP,
	    sign(json_pack("{s:s, s:s}", "alg", "RS256", "x5t", r->x5t), good_claims(), r->key), 0,
	    NULL);
	expect(r, CERT_APP,
	    sign(json_pack(
		     "{s:s, s:s, s:s}", "alg", "RS256", "x5t", r->x5t, "x5t#S256", r->x5t_s256),
		good_claims(), r->key),
	    0, NULL);
}

/* A claim that is not right, or (NULL) not there. */
static json_t *
claims_but(const char *name, json_t *value)
{
	json_t *c = good_claims();

	if (value != NULL)
		json_object_set_new(c, name, value);
	else
		json_object_del(c, name);
	return c;
}

static void
audience_is_the_token_url_of_the_tenant(void **state)
{
	static const struct {
		const char *aud;
		int code;
	} rows[] = {
		{ "http://" HOST "/alpha.example/oauth2/v2.0/token", 0 },
		{ "https://login.microsoftonline.com/" ALPHA_ID "/oauth2/v2.0/token", 0 },
		{ "https://login.microsoftonline.com/alpha.example/oauth2/v2.0/token", 0 },
		{ "https://login.microsoftonline.us/" ALPHA_ID "/oauth2/v2.0/token", 0 },
		{ "http://" HOST "/" BETA_ID "/oauth2/v2.0/token", 700023 },
		{ "http://elsewhere.example/" ALPHA_ID "/oauth2/v2.0/token", 700023 },
		{ "http://" HOST "/" ALPHA_ID "/oauth2/token", 700023 },
		{ "http://" HOST "/" ALPHA_ID, 700023 },
		{ "", 700023 },
	};
	const struct rig *r = *state;

	for (size_t i = 0; i < N(rows); i++)
		expect(r, CERT_APP,
		    sign(good_header(r), claims_but("aud", json_string(rows[i].aud)), r->key),
		    rows[i].code, NULL);
}

static void
assertions_that_prove_nothing_are_told_why(void **state)
{
	const struct rig *r = *state;
	const int64_t now = clock_now();
	const struct {
		json_t *header, *claims;
		const struct key *key;
		int code;
		const char *sentence;
	} rows[] = {
		/* the key */
		{ good_header(r), good_claims(), r->other, 700027, "verify the signature failed" },
		{ json_pack("{s:s, s:s}", "alg", "RS256", "x5t", r->x5t_s256), good_claims(),
		    r->key, 700027, "The key was not found" },
		{ json_pack("{s:s, s:s, s:s}", "alg", "RS256", "x5t", r->old_x5t, "x5t#S256",
		      r->x5t_s256),
		    good_claims(), r->key, 700027, "The key was not found" },
		{ json_pack("{s:s}", "alg", "PS256"), good_claims(), r->key, 700027,
		    "The key was not found" },
		{ json_pack("{s:s, s:s}", "alg", "RS256", "x5t", r->old_x5t), good_claims(),
		    r->old_key, 700027, "The key used is expired" },
		/* the algorithm: said to be another one, or none */
		{ json_pack("{s:s, s:s}", "alg", "HS256", "x5t", r->x5t), good_claims(), r->key,
		    50027, "alg" },
		{ json_pack("{s:s, s:s}", "alg", "none", "x5t", r->x5t), good_claims(), r->key,
		    50027, "alg" },
		{ json_pack("{s:s}", "x5t", r->x5t), good_claims(), r->key, 50027, "alg" },
		/* who */
		{ good_header(r), claims_but("iss", json_string(FED_APP)), r->key, 700021, NULL },
		{ good_header(r), claims_but("sub", json_string(FED_APP)), r->key, 700021, NULL },
		{ good_header(r), claims_but("iss", NULL), r->key, 50027, "iss" },
		{ good_header(r), claims_but("sub", json_null()), r->key, 50027, "sub" },
		{ good_header(r), claims_but("aud", NULL), r->key, 50027, "aud" },
		{ good_header(r), claims_but("jti", NULL), r->key, 50027, "jti" },
		/* when */
		{ good_header(r), claims_but("exp", json_integer(now - 301)), r->key, 700024,
		    "valid time range" },
		{ good_header(r), claims_but("nbf", json_integer(now + 400)), r->key, 700024,
		    NULL },
		{ good_header(r), claims_but("exp", NULL), r->key, 700024, NULL },
		{ good_header(r), claims_but("nbf", json_integer(INT64_MAX)), r->key, 700024,
		    NULL },
		{ good_header(r), claims_but("exp", json_string("soon")), r->key, 50027, NULL },
		/* Entra puts no limit on the life of an assertion. */
		{ good_header(r), claims_but("exp", json_integer(now + 10 * 365 * 86400)), r->key,
		    0, NULL },
		{ good_header(r), claims_but("exp", json_integer(INT64_MAX)), r->key, 0, NULL },
		{ good_header(r), claims_but("iat", NULL), r->key, 0, NULL },
	};

	for (size_t i = 0; i < N(rows); i++)
		expect(r, CERT_APP, sign(rows[i].header, rows[i].claims, rows[i].key), rows[i].code,
		    rows[i].sentence);
}

static void
text_that_is_no_assertion_is_malformed(void **state)
{
	static const char *const texts[] = { "", "x", "a.b", "a.b.c.d", "a.b.c", "..", "e30.e30.",
		"bnVsbA.bnVsbA.AAAA", "%2B%2B.e30.AAAA" };
	const struct rig *r = *state;
	char *good = sign(good_header(r), good_claims(), r->key), *cut;

	for (size_t i = 0; i < N(texts); i++)
		expect(r, CERT_APP, strdup(texts[i]), 50027, NULL);
	for (size_t len = 0; len < strlen(good); len += 7) {
		struct answer a;

		cut = strndup(good, len);
		ask_with(&a, r, CERT_APP, cut);
		assert_int_not_equal(a.status, 200);
		answer_done(&a);
		free(cut);
	}
	free(good);
}

static void
one_changed_bit_proves_nothing(void **state)
{
	const struct rig *r = *state;
	char *good = sign(good_header(r), good_claims(), r->key);
	struct answer a;

	/* The last character's low bits are no part of the octets. */
	for (size_t i = 0; i + 1 < strlen(good); i += 3) {
		char was = good[i];

		good[i] = was == 'A' ? 'B' : 'A';
		ask_with(&a, r, CERT_APP, good);
		if (a.status == 200)
			fail_msg("byte %zu changed", i);
		answer_done(&a);
		good[i] = was;
	}
	free(good);
}

static void
assertion_says_its_type(void **state)
{
	const struct rig *r = *state;
	struct answer a;

	ask_token(&a, &r->kit, ALPHA_ID,
	    "grant_type=client_credentials&client_id=" CERT_APP "&scope=" INTUNE
	    "&client_assertion=a.b.c");
	assert_int_equal(code_of(&a), 900144);
	answer_done(&a);
	ask_token(&a, &r->kit, ALPHA_ID,
	    "grant_type=client_credentials&client_id=" CERT_APP "&scope=" INTUNE
	    "&client_assertion_type=jwt&client_assertion=a.b.c");
	assert_int_equal(code_of(&a), 50027);
	answer_done(&a);
}

/* ---- federated ---- */

static json_t *
fed_claims(const char *iss, const char *sub, json_t *aud)
{
	json_int_t now = clock_now();

	return json_pack("{s:s, s:s, s:o, s:I, s:I}", "iss", iss, "sub", sub, "aud", aud, "nbf",
	    now, "exp", now + 3600);
}

#define ISSUER   "https://issuer.example"
#define SUBJECT  "system:serviceaccount:ca:scepd"
#define AUDIENCE "api://AzureADTokenExchange"

static json_t *
fed_header(const struct rig *r)
{
	return json_pack("{s:s, s:s}", "alg", "RS256", "kid", r->x5t);
}

static void
token_of_a_trusted_issuer_proves_the_app(void **state)
{
	const struct rig *r = *state;
	const struct {
		const char *iss, *sub;
		json_t *aud;
		const struct key *key;
		int code;
	} rows[] = {
		{ ISSUER, SUBJECT, json_string(AUDIENCE), r->key, 0 },
		{ ISSUER, SUBJECT, json_pack("[s, s]", "other", AUDIENCE), r->key, 0 },
		{ "https://other.example", SUBJECT, json_string(AUDIENCE), r->key, 700211 },
		{ ISSUER, "system:serviceaccount:ca:other", json_string(AUDIENCE), r->key, 700213 },
		{ ISSUER, SUBJECT, json_string("api://other"), r->key, 700212 },
		{ ISSUER, SUBJECT, json_pack("[i]", 1), r->key, 700212 },
		{ ISSUER, SUBJECT, json_string(AUDIENCE), r->other, 50013 },
	};
	json_t *late;

	for (size_t i = 0; i < N(rows); i++)
		expect(r, FED_APP,
		    sign(fed_header(r), fed_claims(rows[i].iss, rows[i].sub, rows[i].aud),
			rows[i].key),
		    rows[i].code, NULL);
	late = fed_claims(ISSUER, SUBJECT, json_string(AUDIENCE));
	json_object_set_new(late, "exp", json_integer(clock_now() - 4000));
	expect(r, FED_APP, sign(fed_header(r), late, r->key), 700024, NULL);
	expect(r, FED_APP,
	    sign(json_pack("{s:s, s:s}", "alg", "RS256", "kid", "unknown"),
		fed_claims(ISSUER, SUBJECT, json_string(AUDIENCE)), r->key),
	    50013, NULL);
	/* An app without federated credentials takes no such token. */
	expect(r, CERT_APP, sign(fed_header(r), claims_but("iss", json_string(ISSUER)), r->key),
	    700021, NULL);
}

/* ---- version 1 ---- */

static void
version_1_has_a_resource_and_numbers_as_strings(void **state)
{
	static const char *const numbers[] = { "expires_in", "ext_expires_in", "expires_on",
		"not_before" };
	const struct rig *r = *state;
	char form[JWS_MAX + 1024], *assertion = sign(good_header(r), good_claims(), r->key);
	struct answer a;

	snprintf(form, sizeof(form),
	    "grant_type=client_credentials&client_id=" CERT_APP
	    "&resource=https%%3A%%2F%%2Fgraph.windows.net%%2F&client_assertion_type=" TYPE
	    "&client_assertion=%s",
	    assertion);
	free(assertion);
	call(&a, &r->kit,
	    &(struct request){ .path = "/alpha.example/oauth2/token",
		.body = form,
		.content_type = "application/x-www-form-urlencoded" });
	assert_int_equal(a.status, 200);
	for (size_t i = 0; i < N(numbers); i++) {
		const char *text = json_get_str(a.json, numbers[i]);

		assert_non_null(text);
		assert_int_equal(strspn(text, "0123456789"), strlen(text));
	}
	assert_string_equal(json_get_str(a.json, "resource"), "https://graph.windows.net/");
	answer_done(&a);
}

static void
version_1_has_its_own_errors(void **state)
{
	static const struct {
		const char *form;
		int code;
	} rows[] = {
		{ "grant_type=client_credentials&client_id=" CERT_APP
		  "&resource=https://graph.windows.net",
		    7000218 },
		{ "grant_type=client_credentials&client_id=" CERT_APP "&client_secret=x", 900144 },
		{ "grant_type=client_credentials&client_id=" CERT_APP
		  "&client_secret=x&resource=https://graph.windows.net",
		    7000215 },
	};
	const struct rig *r = *state;
	struct answer a;

	for (size_t i = 0; i < N(rows); i++) {
		call(&a, &r->kit,
		    &(struct request){ .path = "/alpha.example/oauth2/token",
			.body = rows[i].form,
			.content_type = "application/x-www-form-urlencoded" });
		assert_int_equal(code_of(&a), rows[i].code);
		/* The older spelling. */
		assert_non_null(
		    strstr(json_get_str(a.json, "error_description"), "\r\nTrace ID: "));
		assert_non_null(
		    strstr(json_get_str(a.json, "error_description"), "\r\nTimestamp: "));
		answer_done(&a);
	}
}

/* ---- managed identities ---- */

struct header {
	const char *name, *value;
};

static void
get_with(struct answer *a, const struct rig *r, const char *path, const char *query,
    const struct header *h)
{
	struct http_header headers[] = { { "Host", HOST }, { h->name, h->value } };
	struct http_reply reply = { .status = 200 };
	struct http_request req = {
		.method = "GET",
		.target = path,
		.path = path,
		.query = query,
		.headers = headers,
		.n_headers = h->name != NULL ? 2 : 1,
		.peer = "192.0.2.7",
		.minor = 1,
	};

	buf_init(&reply.body, HTTP_REPLY_MAX);
	buf_init(&reply.headers, 65536);
	sim_handle(r->kit.sim, &req, &reply);
	*a =
	    (struct answer){ .status = reply.status, .body = reply.body, .headers = reply.headers };
	if (json_parse(&a->json, a->body.data, a->body.len, NULL) != RC_OK)
		a->json = NULL;
}

#define RESOURCE "resource=https%3A%2F%2Fapi.manage.microsoft.com%2F"

static void
managed_identity_endpoints_give_tokens_away(void **state)
{
	static const char imds[] = "/metadata/identity/oauth2/token", msi[] = "/msi/token";
	static const struct {
		const char *path, *query;
		struct header header;
		int status;
	} rows[] = {
		{ imds, "api-version=2018-02-01&" RESOURCE, { "Metadata", "true" }, 200 },
		{ imds, "api-version=2018-02-01&" RESOURCE "&client_id=" MANAGED_APP,
		    { "Metadata", "true" }, 200 },
		{ imds, "api-version=2018-02-01&" RESOURCE, { NULL, NULL }, 400 },
		{ imds, "api-version=2018-02-01&" RESOURCE, { "Metadata", "false" }, 400 },
		{ imds, RESOURCE, { "Metadata", "true" }, 400 },
		{ imds, "api-version=2018-02-01", { "Metadata", "true" }, 400 },
		{ imds, "api-version=2018-02-01&resource=https://x.example", { "Metadata", "true" },
		    400 },
		{ imds, "api-version=2018-02-01&" RESOURCE "&client_id=" CERT_APP,
		    { "Metadata", "true" }, 400 },
		{ msi, "api-version=2019-08-01&" RESOURCE, { "X-IDENTITY-HEADER", HEADER }, 200 },
		{ msi, "api-version=2019-08-01&" RESOURCE, { "X-IDENTITY-HEADER", "wrong" }, 400 },
		{ msi, "api-version=2019-08-01&" RESOURCE, { "Metadata", "true" }, 403 },
		{ msi, "api-version=2018-02-01&" RESOURCE, { "X-IDENTITY-HEADER", HEADER }, 400 },
		{ msi, "api-version=2019-08-01", { "X-IDENTITY-HEADER", HEADER }, 400 },
	};
	const struct rig *r = *state;
	const struct tenant *t;
	json_t *claims;
	struct answer a;
	struct err e;

	for (size_t i = 0; i < N(rows); i++) {
		get_with(&a, r, rows[i].path, rows[i].query, &rows[i].header);
		if (a.status != rows[i].status)
			fail_msg("row %zu: %d %s", i, a.status, buf_str(&a.body));
		if (a.status == 200) {
			const char *token = json_get_str(a.json, "access_token");

			assert_ok(
			    jwt_verify(&claims, &t, r->kit.view, token, strlen(token), &e), e);
			assert_string_equal(json_get_str(claims, "appid"), MANAGED_APP);
			json_decref(claims);
			/* A string in both forms. */
			assert_non_null(json_get_str(a.json, "expires_on"));
			assert_int_equal(
			    json_get_str(a.json, "expires_in") != NULL, rows[i].path == imds);
		}
		answer_done(&a);
	}
}

/* ---- what Entra tells about itself ---- */

static void
tokens_verify_with_the_published_keys(void **state)
{
	static const char *const paths[] = { "/" ALPHA_ID "/discovery/v2.0/keys",
		"/alpha.example/discovery/keys", "/common/discovery/v2.0/keys" };
	const struct rig *r = *state;
	char *assertion = sign(good_header(r), good_claims(), r->key);
	struct answer a, keys;
	struct jwks jwks;
	struct jws token;
	const char *text;
	struct err e;

	ask_with(&a, r, CERT_APP, assertion);
	free(assertion);
	text = json_get_str(a.json, "access_token");
	assert_ok(jws_parse(&token, text, strlen(text), &e), e);
	for (size_t i = 0; i < N(paths); i++) {
		get(&keys, &r->kit, paths[i], NULL);
		assert_int_equal(keys.status, 200);
		assert_ok(jwks_parse(&jwks, keys.body.data, keys.body.len, &e), e);
		assert_int_equal(jwks.n, 1);
		assert_string_equal(jwks.v[0].kid, json_get_str(token.header, "kid"));
		assert_ok(jws_verify(&token, jwks.v[0].key, &e), e);
		jwks_done(&jwks);
		answer_done(&keys);
	}
	jws_done(&token);
	answer_done(&a);
}

static void
openid_configuration_points_here(void **state)
{
	const struct rig *r = *state;
	struct answer a;

	get(&a, &r->kit, "/alpha.example/v2.0/.well-known/openid-configuration", NULL);
	assert_int_equal(a.status, 200);
	assert_string_equal(json_get_str(a.json, "token_endpoint"),
	    "http://" HOST "/alpha.example/oauth2/v2.0/token");
	assert_string_equal(
	    json_get_str(a.json, "jwks_uri"), "http://" HOST "/alpha.example/discovery/v2.0/keys");
	assert_string_equal(
	    json_get_str(a.json, "issuer"), "https://login.microsoftonline.com/" ALPHA_ID "/v2.0");
	answer_done(&a);
	get(&a, &r->kit, "/" ALPHA_ID "/.well-known/openid-configuration", NULL);
	assert_string_equal(
	    json_get_str(a.json, "issuer"), "https://sts.windows.net/" ALPHA_ID "/");
	answer_done(&a);
	/* Another name than at the token endpoint. */
	get(&a, &r->kit, "/nowhere.example/v2.0/.well-known/openid-configuration", NULL);
	assert_int_equal(a.status, 400);
	assert_int_equal(code_of(&a), 90002);
	assert_string_equal(answer_code(&a), "invalid_tenant");
	answer_done(&a);
}

/* MSAL puts all aliases into one map. */
static void
assert_no_alias_twice(const json_t *metadata)
{
	json_t *seen = json_object(), *row, *alias;
	size_t i, j;

	json_array_foreach(metadata, i, row)
	{
		json_array_foreach(json_object_get(row, "aliases"), j, alias)
		{
			assert_null(json_object_get(seen, json_string_value(alias)));
			json_object_set(seen, json_string_value(alias), alias);
		}
	}
	json_decref(seen);
}

static void
instance_discovery_knows_entra_and_itself(void **state)
{
	static const struct {
		const char *query, *endpoint; /* NULL: 400 */
		int code;
	} rows[] = {
		{ "api-version=1.1&authorization_endpoint=https://login.microsoftonline.com/"
		  "alpha.example/oauth2/v2.0/authorize",
		    "https://login.microsoftonline.com/alpha.example/v2.0/.well-known/"
		    "openid-configuration",
		    0 },
		{ "authorization_endpoint=https%3A%2F%2Flogin.windows.net%2Fx%2Foauth2",
		    "https://login.windows.net/x/v2.0/.well-known/openid-configuration", 0 },
		{ "authorization_endpoint=http://" HOST "/x/oauth2",
		    "http://" HOST "/x/v2.0/.well-known/openid-configuration", 0 },
		{ "authorization_endpoint=https://evil.example/x/oauth2", NULL, 50049 },
		{ "authorization_endpoint=rubbish", NULL, 50049 },
		{ "authorization_endpoint=https://", NULL, 50049 },
		{ "authorization_endpoint=https://login.microsoftonline.com", NULL, 50049 },
		{ "api-version=1.1", NULL, 900144 },
	};
	const struct rig *r = *state;
	struct answer a;

	for (size_t i = 0; i < N(rows); i++) {
		get_with(&a, r, "/common/discovery/instance", rows[i].query, &(struct header){ 0 });
		assert_int_equal(a.status, rows[i].endpoint != NULL ? 200 : 400);
		assert_int_equal(code_of(&a), rows[i].code);
		if (rows[i].endpoint != NULL) {
			assert_string_equal(
			    json_get_str(a.json, "tenant_discovery_endpoint"), rows[i].endpoint);
			assert_true(json_array_size(json_object_get(a.json, "metadata")) ==
			    (strstr(rows[i].endpoint, HOST) != NULL ? 4 : 3));
			assert_no_alias_twice(json_object_get(a.json, "metadata"));
		}
		answer_done(&a);
	}
}

static void
tokens_of_version_2_have_another_shape_and_open_the_same(void **state)
{
	const struct rig *r = *state;
	char *assertion = sign(good_header(r), good_claims(), r->key);
	const struct tenant *t;
	struct answer a, b;
	const char *token;
	json_t *claims;
	struct err e;

	ask_with(&a, r, CERT_APP, assertion);
	free(assertion);
	token = json_get_str(a.json, "access_token");
	assert_ok(jwt_verify(&claims, &t, r->kit.view, token, strlen(token), &e), e);
	assert_string_equal(json_get_str(claims, "ver"), "2.0");
	assert_string_equal(json_get_str(claims, "azp"), CERT_APP);
	assert_null(json_get_str(claims, "appid"));
	assert_string_equal(json_get_str(claims, "aud"), "0000000a-0000-0000-c000-000000000000");
	assert_string_equal(
	    json_get_str(claims, "iss"), "https://login.microsoftonline.com/" ALPHA_ID "/v2.0");
	json_decref(claims);
	call(&b, &r->kit, &(struct request){ .path = SERVICE "validateRequest", .token = token });
	/* Past the token: what is wrong is the body. */
	assert_int_equal(b.status, 400);
	answer_done(&b);
	answer_done(&a);
}

/* ---- keys as JSON ---- */

static void
key_sets_are_read_strictly(void **state)
{
	static const struct {
		const char *text;
		enum rc rc;
	} rows[] = {
		{ "", RC_PARSE },
		{ "[]", RC_PARSE },
		{ "{}", RC_PARSE },
		{ "{\"keys\":{}}", RC_PARSE },
		{ "{\"keys\":[]}", RC_PARSE },
		{ "{\"keys\":[{\"kty\":\"EC\"}]}", RC_PARSE },
		{ "{\"keys\":[{\"kty\":\"RSA\"}]}", RC_PARSE },
		{ "{\"keys\":[{\"kty\":\"RSA\",\"n\":\"\",\"e\":\"AQAB\"}]}", RC_PARSE },
		{ "{\"keys\":[{\"kty\":\"RSA\",\"n\":\"//8\",\"e\":\"AQAB\"}]}", RC_ALG },
		{ "{\"keys\":[{\"kty\":\"RSA\",\"n\":\"!\",\"e\":\"AQAB\"}]}", RC_PARSE },
	};
	struct jwks jwks;

	for (size_t i = 0; i < N(rows); i++)
		assert_int_equal(
		    jwks_parse(&jwks, rows[i].text, strlen(rows[i].text), NULL), rows[i].rc);
}

static void
credentials_of_a_tenant_file_are_checked(void **state)
{
	static const struct {
		const char *yaml, *why;
	} rows[] = {
		{ "certificates: [{}]", "either this or \"pem\"" },
		{ "certificates: [{pem: x, file: y}]", "either this or \"pem\"" },
		{ "certificates: [{pem: rubbish}]", "certificates" },
		{ "certificates: [{file: /nonexistent.pem}]", "/nonexistent.pem" },
		{ "federated_credentials: [{issuer: a, subject: b}]", "either this or \"jwks\"" },
		{ "federated_credentials: [{issuer: a, subject: b, jwks: '{}'}]", "jwks" },
		{ "federated_credentials: [{issuer: a, subject: b, keys: /nonexistent.json}]",
		    "/nonexistent.json" },
		{ "federated_credentials: [{issuer: a, jwks: '{}'}]", "subject" },
	};
	char text[512];
	struct tenant *t;
	struct err e;

	for (size_t i = 0; i < N(rows); i++) {
		snprintf(text, sizeof(text),
		    "tenant: {id: " ALPHA_ID ", domain: a.example}\napps:\n  - id: " CERT_APP
		    "\n    %s\n",
		    rows[i].yaml);
		assert_int_equal(
		    tenant_parse(&t, "t.yaml", text, strlen(text), NULL, 0, &e), RC_CONFIG);
		if (strstr(e.msg, rows[i].why) == NULL || strstr(e.msg, "t.yaml:") == NULL)
			fail_msg("%s", e.msg);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(registered_certificate_proves_the_app),
		cmocka_unit_test(audience_is_the_token_url_of_the_tenant),
		cmocka_unit_test(assertions_that_prove_nothing_are_told_why),
		cmocka_unit_test(text_that_is_no_assertion_is_malformed),
		cmocka_unit_test(one_changed_bit_proves_nothing),
		cmocka_unit_test(assertion_says_its_type),
		cmocka_unit_test(token_of_a_trusted_issuer_proves_the_app),
		cmocka_unit_test(version_1_has_a_resource_and_numbers_as_strings),
		cmocka_unit_test(version_1_has_its_own_errors),
		cmocka_unit_test(managed_identity_endpoints_give_tokens_away),
		cmocka_unit_test(tokens_verify_with_the_published_keys),
		cmocka_unit_test(openid_configuration_points_here),
		cmocka_unit_test(instance_discovery_knows_entra_and_itself),
		cmocka_unit_test(key_sets_are_read_strictly),
		cmocka_unit_test(credentials_of_a_tenant_file_are_checked),
	};
	static const struct CMUnitTest v2[] = {
		cmocka_unit_test(tokens_of_version_2_have_another_shape_and_open_the_same),
	};
	int failed = cmocka_run_group_tests(tests, rig_new, rig_free);

	return failed + cmocka_run_group_tests(v2, rig_new_v2, rig_free);
}
