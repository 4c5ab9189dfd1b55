/*
 * credential_test.c - the five ways to prove the app, as they stand on the wire; files that change;
 * what is refused before anything is sent.
 */
#include "app_files.h"
#include "kit.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "intune/assertion.h"
#include "intune/settings.h"
#include "intune/url.h"
#include "json/json.h"
#include "ossl/cert.h"

struct world {
	struct peer *peer;
	struct intune_client *client;
	struct intune_config config;
	struct intune_error e;
	char dir[64], path[4][96];
};

static struct key *rsa, *other_rsa, *ec;

/* ---- files ---- */

static const char *
file_named(struct world *w, unsigned i, const char *name)
{
	(void)snprintf(w->path[i], sizeof(w->path[i]), "%s/%s", w->dir, name);
	return w->path[i];
}

/* ---- the world ---- */

static int
setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	w->peer = peer_start();
	peer_config(w->peer, &w->config);
	w->config.aad_app_key = NULL;
	(void)snprintf(w->dir, sizeof(w->dir), "/tmp/intune-credential-XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	*state = w;
	return 0;
}

static int
teardown(void **state)
{
	struct world *w = *state;
	size_t i;

	intune_client_free(w->client);
	peer_stop(w->peer);
	for (i = 0; i < COUNT(w->path); i++)
		if (w->path[i][0] != '\0')
			(void)unlink(w->path[i]);
	(void)rmdir(w->dir);
	free(w);
	return 0;
}

static int
make_keys(void **state)
{
	struct err err;

	return key_generate(&rsa, "rsa:2048", &err) == RC_OK &&
		key_generate(&other_rsa, "rsa:2048", &err) == RC_OK &&
		key_generate(&ec, "ec:p256", &err) == RC_OK
	    ? 0
	    : 1;
}

static int
free_keys(void **state)
{
	key_free(rsa);
	key_free(other_rsa);
	key_free(ec);
	return 0;
}

static void
open_client(struct world *w)
{
	if (intune_client_new(&w->client, &w->config, &w->e) != INTUNE_OK)
		give_up("%s\n", w->e.message);
}

static void
must_check(struct world *w)
{
	if (intune_check(w->client, &w->e) != INTUNE_OK)
		give_up("%s\n", w->e.message);
}

static void
expect_refused(struct world *w, const char *first, const char *second)
{
	assert_int_equal(intune_client_new(&w->client, &w->config, &w->e), INTUNE_E_ARGUMENT);
	assert_null(w->client);
	if (strstr(w->e.message, first) == NULL || strstr(w->e.message, second) == NULL)
		give_up("\"%s\" names not both %s and %s\n", w->e.message, first, second);
	assert_int_equal(peer_count(w->peer, ROUTE_TOKEN), 0);
}

/* The value of a form's field, decoded. */
static const char *
field_of(const char *raw, const char *name)
{
	static _Thread_local char value[20000];
	char key[64];
	const char *at;
	size_t o = 0;

	(void)snprintf(key, sizeof(key), "&%s=", name);
	at = strstr(raw_body(raw), key);
	if (at == NULL)
		return NULL;
	for (at += strlen(key); *at != '\0' && *at != '&'; at++) {
		uint8_t c = (uint8_t)*at;

		if (*at == '%') {
			assert_int_equal(hex_decode(&c, 1, at + 1, 2, NULL), RC_OK);
			at += 2;
		}
		value[o++] = (char)c;
	}
	value[o] = '\0';
	return value;
}

static json_t *
part_json(const char *p, size_t len)
{
	struct buf text;
	json_t *v = NULL;
	struct err err;

	buf_init(&text, 65536);
	assert_int_equal(base64_decode(&text, p, len, BASE64_FIELD, &err), RC_OK);
	v = json_loadb(buf_str(&text), text.len, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(v);
	buf_done(&text);
	return v;
}

static void
expect_thumbprint(const json_t *header, const char *name, enum digest d, const struct cert *cert)
{
	uint8_t md[DIGEST_SIZE_MAX];
	struct buf want;
	size_t len;
	const uint8_t *der = cert_der0(cert, &len);

	assert_int_equal(digest_bytes(md, d, der, len, NULL), RC_OK);
	buf_init(&want, 128);
	base64url_add(&want, md, digest_size(d));
	assert_string_equal(json_get_str(header, name), buf_str(&want));
	buf_done(&want);
}

static void
expect_signature(const char *jws, size_t signed_len, bool rs256)
{
	struct buf sig;
	struct err err;
	enum rc rc;

	buf_init(&sig, 2048);
	assert_int_equal(base64_decode(&sig, jws + signed_len + 1, strlen(jws + signed_len + 1),
			     BASE64_FIELD, &err),
	    RC_OK);
	rc = rs256 ? key_verify(rsa, DIGEST_SHA256, jws, signed_len, sig.data, sig.len, &err)
		   : key_verify_pss(rsa, DIGEST_SHA256, jws, signed_len, sig.data, sig.len, &err);
	assert_int_equal(rc, RC_OK);
	buf_done(&sig);
}

/* ---- the certificate ---- */

static void
expect_assertion(struct world *w, const char *raw, const struct cert *cert, bool rs256)
{
	const char *jws = field_of(raw, "client_assertion"), *dot, *dot2;
	char audience[128], jti[64];
	json_t *header, *claims;
	int64_t now = clock_now();

	assert_non_null(jws);
	assert_non_null(dot = strchr(jws, '.'));
	assert_non_null(dot2 = strchr(dot + 1, '.'));
	header = part_json(jws, (size_t)(dot - jws));
	claims = part_json(dot + 1, (size_t)(dot2 - dot - 1));
	assert_string_equal(json_get_str(header, "alg"), rs256 ? "RS256" : "PS256");
	assert_string_equal(json_get_str(header, "typ"), "JWT");
	expect_thumbprint(header, "x5t#S256", DIGEST_SHA256, cert);
	if (rs256)
		expect_thumbprint(header, "x5t", DIGEST_SHA1, cert);
	else
		assert_null(json_object_get(header, "x5t"));
	(void)snprintf(
	    audience, sizeof(audience), "%s/contoso.example/oauth2/v2.0/token", peer_url(w->peer));
	assert_string_equal(json_get_str(claims, "aud"), audience);
	assert_string_equal(json_get_str(claims, "iss"), w->config.aad_app_id);
	assert_string_equal(json_get_str(claims, "sub"), w->config.aad_app_id);
	(void)snprintf(jti, sizeof(jti), "%s", json_get_str(claims, "jti"));
	assert_int_equal(strlen(jti), 36);
	int64_t nbf = json_integer_value(json_object_get(claims, "nbf"));
	int64_t exp = json_integer_value(json_object_get(claims, "exp"));
	assert_true(nbf <= now && nbf == json_integer_value(json_object_get(claims, "iat")));
	assert_int_equal(exp - nbf, 600);
	expect_signature(jws, (size_t)(dot2 - jws), rs256);
	json_decref(header);
	json_decref(claims);
}

static void
a_certificate_signs_an_assertion_that_its_public_key_verifies(void **state)
{
	static const char *const algs[] = { NULL, "PS256", "RS256" };
	struct world *w = *state;
	struct cert *cert;
	const char *raw;
	char jws[8192];
	struct err err;
	size_t i;

	put_cert(file_named(w, 0, "app.pem"), rsa, clock_now() + 300 * DAY, true);
	assert_int_equal(cert_load(&cert, w->path[0], &err), RC_OK);
	w->config.app_certificate_file = w->config.app_certificate_key_file = w->path[0];
	for (i = 0; i < COUNT(algs); i++) {
		w->config.app_assertion_alg = algs[i];
		open_client(w);
		peer_forget(w->peer);
		must_check(w);
		assert_string_equal(w->e.hint, "");
		raw = peer_recorded(w->peer, ROUTE_TOKEN, 0);
		assert_null(field_of(raw, "client_secret"));
		assert_string_equal(field_of(raw, "client_assertion_type"),
		    "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
		assert_string_equal(field_of(raw, "client_id"), w->config.aad_app_id);
		expect_assertion(w, raw, cert, i == 2);
		(void)snprintf(jws, sizeof(jws), "%s", field_of(raw, "client_assertion"));
		assert_string_not_equal(
		    field_of(peer_recorded(w->peer, ROUTE_TOKEN, 1), "client_assertion"), jws);
		intune_client_free(w->client);
		w->client = NULL;
	}
	cert_free(cert);
}

static void
a_certificate_that_cannot_serve_is_refused_with_the_file_s_name(void **state)
{
	struct world *w = *state;

	w->config.app_certificate_file = file_named(w, 0, "app.pem");
	w->config.app_certificate_key_file = file_named(w, 1, "app.key");
	expect_refused(w, w->path[1], "does not exist");
	put_key(w->path[1], other_rsa, 0600);
	expect_refused(w, w->path[0], "does not exist");
	put(w->path[0], "no PEM\n", 0644);
	expect_refused(w, w->path[0], "no certificate");
	put_cert(w->path[0], rsa, clock_now() + DAY, false);
	expect_refused(w, w->path[0], w->path[1]);
	put_key(w->path[1], rsa, 0644);
	expect_refused(w, w->path[1], "mode");
	assert_non_null(strstr(w->e.hint, "chmod"));
	put_key(w->path[1], ec, 0600);
	expect_refused(w, w->path[1], "RSA");
	put_key(w->path[1], rsa, 0600);
	put_cert(w->path[0], rsa, clock_now() - 10, false);
	expect_refused(w, w->path[0], "has expired on 20");
	assert_non_null(strstr(w->e.hint, "register"));
	put_cert(w->path[0], rsa, clock_now() + DAY, false);
	open_client(w);
}

static void
a_certificate_near_its_end_is_told_by_check_and_reload(void **state)
{
	struct world *w = *state;
	struct intune_credential c;
	int64_t ends = clock_now() + 13 * DAY + 3600;

	put_cert(file_named(w, 0, "app.pem"), rsa, ends, true);
	w->config.app_certificate_file = w->config.app_certificate_key_file = w->path[0];
	open_client(w);
	must_check(w);
	assert_non_null(strstr(w->e.hint, "13 days"));
	assert_non_null(strstr(w->e.hint, w->path[0]));
	assert_int_equal(intune_client_reload(w->client, &c, &w->e), INTUNE_OK);
	assert_string_equal(c.kind, "certificate");
	assert_string_equal(c.cloud, "public");
	assert_int_equal(c.not_after, ends);
	/* It ends while the client lives: nothing is sent, and the error says why. */
	peer_forget(w->peer);
	clock_offset_set(14 * DAY);
	peer_answer(w->peer, ROUTE_ACTION, 401, "{}");
	intune_validate_request(w->client, "tx", csr, CSR_LEN, &w->e);
	clock_offset_set(0);
	assert_int_equal(w->e.status, INTUNE_E_AUTH);
	assert_non_null(strstr(w->e.message, "has expired"));
	assert_int_equal(peer_count(w->peer, ROUTE_TOKEN), 0);
}

/* ---- exactly one ---- */

static void
two_ways_at_once_are_refused_with_both_names(void **state)
{
	static const char *const ways[] = { "AAD_APP_KEY", "AAD_APP_KEY_FILE",
		"APP_CERTIFICATE_FILE", "FEDERATED_TOKEN_FILE", "MANAGED_IDENTITY" };
	struct world *w = *state;
	struct intune_config base = w->config;
	size_t i, k;

	for (i = 0; i < COUNT(ways); i++) {
		for (k = i + 1; k < COUNT(ways); k++) {
			w->config = base;
			assert_int_equal(
			    intune_config_set(&w->config, ways[i], "x", NULL), INTUNE_OK);
			assert_int_equal(
			    intune_config_set(&w->config, ways[k], "x", NULL), INTUNE_OK);
			expect_refused(w, ways[i], ways[k]);
		}
	}
}

static void
what_belongs_to_one_way_needs_it(void **state)
{
	static const char *const rows[][2] = {
		{ "APP_CERTIFICATE_KEY_FILE", "APP_CERTIFICATE_FILE is missing" },
		{ "APP_ASSERTION_ALG", "APP_CERTIFICATE_FILE is missing" },
		{ "APP_CERTIFICATE_FILE", "APP_CERTIFICATE_KEY_FILE is missing" },
		{ "MANAGED_IDENTITY_ENDPOINT", "MANAGED_IDENTITY is missing" },
		{ "MANAGED_IDENTITY_HEADER", "MANAGED_IDENTITY is missing" },
	};
	struct world *w = *state;
	struct intune_config base = w->config;
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		w->config = base;
		assert_int_equal(intune_config_set(&w->config, rows[i][0], "x", NULL), INTUNE_OK);
		expect_refused(w, rows[i][1], "");
	}
	w->config = base;
	expect_refused(w, "AAD_APP_KEY is missing", "");
	w->config.app_certificate_file = w->config.app_certificate_key_file = "x";
	w->config.app_assertion_alg = "ES256";
	expect_refused(w, "APP_ASSERTION_ALG", "PS256 or RS256");
}

/* ---- secrets that change ---- */

#define REFUSED(code)                                                                              \
	"{\"error\":\"invalid_client\",\"error_description\":\"AADSTS" code                        \
	": no.\",\"error_codes\":[" code "]}"

static void
a_secret_is_the_first_line_of_its_file(void **state)
{
	struct world *w = *state;

	put(file_named(w, 0, "key"), "first~secret\r\nsecond line\n", 0600);
	w->config.aad_app_key_file = w->path[0];
	open_client(w);
	must_check(w);
	assert_string_equal(
	    field_of(peer_recorded(w->peer, ROUTE_TOKEN, 0), "client_secret"), "first~secret");
}

static void
a_refused_secret_is_looked_for_in_its_file_within_the_same_call(void **state)
{
	static const char *const codes[] = { REFUSED("7000215"), REFUSED("7000222"),
		REFUSED("700027") };
	struct world *w = *state;
	char secret[32];
	size_t i;

	put(file_named(w, 0, "key"), "secret-0", 0600);
	w->config.aad_app_key_file = w->path[0];
	for (i = 0; i < COUNT(codes); i++) {
		open_client(w);
		(void)snprintf(secret, sizeof(secret), "secret-%zu", i + 1);
		put(w->path[0], secret, 0600);
		peer_forget(w->peer);
		peer_answer(w->peer, ROUTE_TOKEN, 401, codes[i]);
		must_check(w);
		assert_int_equal(peer_count(w->peer, ROUTE_TOKEN), 3);
		assert_string_equal(
		    field_of(peer_recorded(w->peer, ROUTE_TOKEN, 1), "client_secret"), secret);
		intune_client_free(w->client);
		w->client = NULL;
	}
}

static void
a_refused_secret_that_has_not_changed_is_not_sent_again(void **state)
{
	struct world *w = *state;

	put(file_named(w, 0, "key"), "the-secret", 0600);
	w->config.aad_app_key_file = w->path[0];
	open_client(w);
	peer_answer(w->peer, ROUTE_TOKEN, 401, REFUSED("7000215"));
	assert_int_equal(intune_check(w->client, &w->e), INTUNE_E_AUTH);
	assert_int_equal(w->e.aadsts, 7000215);
	assert_int_equal(peer_count(w->peer, ROUTE_TOKEN), 1);
	/* A new one that is no good either: two requests, no more. */
	put(w->path[0], "another", 0600);
	peer_forget(w->peer);
	peer_answer(w->peer, ROUTE_TOKEN, 401, REFUSED("7000215"));
	peer_answer(w->peer, ROUTE_TOKEN, 401, REFUSED("7000215"));
	assert_int_equal(intune_check(w->client, &w->e), INTUNE_E_AUTH);
	assert_int_equal(peer_count(w->peer, ROUTE_TOKEN), 2);
	/* Another refusal has nothing to do with the secret. */
	put(w->path[0], "a third", 0600);
	peer_forget(w->peer);
	peer_answer(w->peer, ROUTE_TOKEN, 400, REFUSED("700016"));
	assert_int_equal(intune_check(w->client, &w->e), INTUNE_E_AUTH);
	assert_int_equal(peer_count(w->peer, ROUTE_TOKEN), 1);
}

static void
a_file_that_cannot_be_used_leaves_the_old_secret_and_says_so(void **state)
{
	struct world *w = *state;
	struct intune_credential c = { 0 };

	put(file_named(w, 0, "key"), "old-secret", 0600);
	w->config.aad_app_key_file = w->path[0];
	open_client(w);
	put(w->path[0], "\n", 0600);
	assert_int_equal(intune_client_reload(w->client, &c, &w->e), INTUNE_E_ARGUMENT);
	assert_non_null(strstr(w->e.message, w->path[0]));
	assert_string_equal(c.kind, "client secret in a file");
	must_check(w);
	assert_string_equal(
	    field_of(peer_recorded(w->peer, ROUTE_TOKEN, 0), "client_secret"), "old-secret");
	put(w->path[0], "open-to-all", 0644);
	assert_int_equal(intune_client_reload(w->client, &c, &w->e), INTUNE_E_ARGUMENT);
	(void)unlink(w->path[0]);
	assert_int_equal(intune_client_reload(w->client, &c, &w->e), INTUNE_E_ARGUMENT);
	assert_null(strstr(w->e.message, "old-secret"));
	put(w->path[0], "new-secret", 0600);
	assert_int_equal(intune_client_reload(w->client, &c, &w->e), INTUNE_OK);
	peer_forget(w->peer);
	peer_answer(w->peer, ROUTE_ACTION, 401, "{}");
	assert_int_equal(intune_validate_request(w->client, "tx", csr, CSR_LEN, &w->e), INTUNE_OK);
	assert_string_equal(
	    field_of(peer_recorded(w->peer, ROUTE_TOKEN, 0), "client_secret"), "new-secret");
}

static void
half_a_renewed_pair_leaves_the_old_certificate(void **state)
{
	struct world *w = *state;
	struct intune_credential c;
	int64_t later = clock_now() + 200 * DAY;

	w->config.app_certificate_file = file_named(w, 0, "app.pem");
	w->config.app_certificate_key_file = file_named(w, 1, "app.key");
	put_cert(w->path[0], rsa, clock_now() + 100 * DAY, false);
	put_key(w->path[1], rsa, 0600);
	open_client(w);
	put_cert(w->path[0], other_rsa, later, false);
	assert_int_equal(intune_client_reload(w->client, &c, &w->e), INTUNE_E_ARGUMENT);
	assert_true(c.not_after < later);
	put_key(w->path[1], other_rsa, 0600);
	assert_int_equal(intune_client_reload(w->client, &c, &w->e), INTUNE_OK);
	assert_int_equal(c.not_after, later);
}

static void
a_new_app_key_is_taken_up_by_the_next_token_request(void **state)
{
	struct world *w = *state;

	w->config.aad_app_key = "old-secret";
	open_client(w);
	assert_int_equal(intune_client_set_app_key(w->client, "new-secret", &w->e), INTUNE_OK);
	must_check(w);
	assert_string_equal(
	    field_of(peer_recorded(w->peer, ROUTE_TOKEN, 0), "client_secret"), "new-secret");
	assert_int_equal(intune_client_set_app_key(w->client, "", &w->e), INTUNE_E_ARGUMENT);
	assert_int_equal(intune_client_set_app_key(w->client, "a\nb", &w->e), INTUNE_E_ARGUMENT);
	assert_int_equal(intune_client_set_app_key(w->client, NULL, &w->e), INTUNE_E_ARGUMENT);
	assert_int_equal(intune_client_set_app_key(NULL, "x", &w->e), INTUNE_E_ARGUMENT);
	/* Entra that repeats what it was told does not bring it into the log. */
	assert_int_equal(intune_client_set_app_key(w->client, "third-secret", &w->e), INTUNE_OK);
	peer_answer(w->peer, ROUTE_ACTION, 401, "{}");
	peer_answer(w->peer, ROUTE_TOKEN, 400,
	    "{\"error\":\"invalid_client\",\"error_description\":\"no third-secret here\"}");
	assert_int_equal(
	    intune_validate_request(w->client, "tx", csr, CSR_LEN, &w->e), INTUNE_E_AUTH);
	assert_null(strstr(w->e.message, "third-secret"));
	assert_null(strstr(w->e.description, "third-secret"));
	assert_non_null(strstr(w->e.description, "no *** here"));
}

static void
a_federated_token_is_read_for_every_request(void **state)
{
	struct world *w = *state;

	put(file_named(w, 0, "token"), "aaa.bbb.ccc\n", 0644);
	w->config.federated_token_file = w->path[0];
	open_client(w);
	must_check(w);
	assert_string_equal(
	    field_of(peer_recorded(w->peer, ROUTE_TOKEN, 0), "client_assertion"), "aaa.bbb.ccc");
	put(w->path[0], "ddd.eee.fff", 0644);
	peer_forget(w->peer);
	peer_answer(w->peer, ROUTE_ACTION, 401, "{}");
	assert_int_equal(intune_validate_request(w->client, "tx", csr, CSR_LEN, &w->e), INTUNE_OK);
	assert_string_equal(
	    field_of(peer_recorded(w->peer, ROUTE_TOKEN, 0), "client_assertion"), "ddd.eee.fff");
	intune_client_free(w->client);
	w->client = NULL;
	peer_forget(w->peer);
	put(w->path[0], "two words", 0644);
	expect_refused(w, w->path[0], "token");
}

/* ---- managed identity ---- */

static void
a_machine_s_token_service_is_asked_as_it_wants_it(void **state)
{
	static const char v1[] = "{\"access_token\":\"machine\",\"expires_in\":\"3599\","
				 "\"expires_on\":\"1506484173\",\"resource\":\"r\",\"token_type\":"
				 "\"Bearer\"}";
	static const char app_service[] = "{\"access_token\":\"machine\",\"expires_on\":"
					  "\"4102444800\",\"token_type\":\"Bearer\"}";
	const struct play imds_play = { .status = 200, .body = v1 };
	const struct play app_play = { .status = 200, .body = app_service };
	struct world *w = *state;
	char endpoint[96], line[256], none[8];
	const char *raw;

	(void)snprintf(
	    endpoint, sizeof(endpoint), "%s/metadata/identity/oauth2/token", peer_url(w->peer));
	w->config.aad_app_id = w->config.tenant = NULL;
	w->config.managed_identity = "system";
	w->config.managed_identity_endpoint = endpoint;
	peer_always(w->peer, ROUTE_TOKEN, &imds_play);
	open_client(w);
	must_check(w);
	raw = peer_recorded(w->peer, ROUTE_TOKEN, 1);
	expect_start(raw,
	    "GET /metadata/identity/oauth2/token?api-version=2018-02-01&resource="
	    "https%3A%2F%2Fapi.manage.microsoft.com%2F HTTP/1.1\r\n");
	expect_line(raw, "Metadata", "true");
	assert_null(raw_header(raw, "X-IDENTITY-HEADER"));
	intune_client_free(w->client);

	w->config.managed_identity = "22222222-3333-4444-5555-666666666666";
	w->config.managed_identity_header = "header~secret";
	peer_always(w->peer, ROUTE_TOKEN, &app_play);
	/* The machine's own service is never asked by way of a proxy. */
	(void)snprintf(none, sizeof(none), "%u", port_closed());
	w->config.proxy_host = "127.0.0.1";
	w->config.proxy_port = none;
	open_client(w);
	peer_forget(w->peer);
	assert_int_equal(intune_check(w->client, &w->e), INTUNE_E_UNAVAILABLE);
	assert_int_equal(w->e.step, INTUNE_STEP_DISCOVERY);
	raw = peer_recorded(w->peer, ROUTE_TOKEN, 0);
	(void)snprintf(line, sizeof(line),
	    "GET /metadata/identity/oauth2/token?api-version=2019-08-01&resource="
	    "http%%3A%%2F%%2F127.0.0.1%%3A%u&client_id="
	    "22222222-3333-4444-5555-666666666666 HTTP/1.1\r\n",
	    peer_port(w->peer));
	expect_start(raw, line);
	expect_line(raw, "X-IDENTITY-HEADER", "header~secret");
	assert_null(raw_header(raw, "Metadata"));
}

static void
a_machine_without_the_identity_says_so_without_its_header(void **state)
{
	struct world *w = *state;
	char endpoint[96];

	(void)snprintf(endpoint, sizeof(endpoint), "%s/oauth2/token", peer_url(w->peer));
	w->config.aad_app_id = w->config.tenant = NULL;
	w->config.managed_identity = "system";
	w->config.managed_identity_header = "header~secret";
	w->config.managed_identity_endpoint = endpoint;
	open_client(w);
	peer_answer(w->peer, ROUTE_TOKEN, 400,
	    "{\"error\":\"invalid_request\",\"error_description\":\"Identity not found, "
	    "header~secret\"}");
	assert_int_equal(intune_check(w->client, &w->e), INTUNE_E_AUTH);
	assert_non_null(strstr(w->e.message, "managed identity system"));
	assert_non_null(strstr(w->e.hint, "MANAGED_IDENTITY"));
	assert_null(strstr(w->e.message, "header~secret"));
	assert_int_equal(intune_client_set_app_key(w->client, "x", &w->e), INTUNE_E_ARGUMENT);
}

static void
plain_http_goes_to_this_machine_and_the_metadata_service_only(void **state)
{
	static const struct {
		const char *url;
		bool ok;
	} rows[] = {
		{ "http://169.254.169.254/metadata/identity/oauth2/token", true },
		{ "http://127.0.0.1:41231/msi/token/", true },
		{ "http://localhost:42356/msi/token", true },
		{ "https://identity.example/token", true },
		{ "http://169.254.169.253/metadata", false },
		{ "http://169.254.169.254.evil.example/", false },
		{ "http://10.0.0.1/msi/token", false },
		{ "http://127.0.0.1/token?api-version=1", false },
		{ "ftp://127.0.0.1/", false },
	};
	size_t i;

	for (i = 0; i < COUNT(rows); i++)
		if (url_is_identity(rows[i].url) != rows[i].ok)
			give_up("%s\n", rows[i].url);
	assert_false(url_is_base("http://169.254.169.254/"));
}

/* ---- clouds ---- */

static void
every_cloud_has_its_addresses_and_a_given_url_wins(void **state)
{
	static const struct {
		const char *name, *token, *graph, *intune;
	} rows[] = {
#define COM_LOGIN  "https://login.microsoftonline.com/t/oauth2/v2.0/token"
#define COM_GRAPH  "https://graph.microsoft.com/"
#define COM_INTUNE "https://api.manage.microsoft.com//.default"
#define US_LOGIN   "https://login.microsoftonline.us/t/oauth2/v2.0/token"
#define US_INTUNE  "https://api.manage.microsoft.us//.default"
		{ NULL, COM_LOGIN, COM_GRAPH, COM_INTUNE },
		{ "", COM_LOGIN, COM_GRAPH, COM_INTUNE },
		{ "public", COM_LOGIN, COM_GRAPH, COM_INTUNE },
		{ "Commercial", COM_LOGIN, COM_GRAPH, COM_INTUNE },
		{ "gcc", COM_LOGIN, COM_GRAPH, COM_INTUNE },
		{ "GCCHigh", US_LOGIN, "https://graph.microsoft.us/", US_INTUNE },
		{ "gcc-high", US_LOGIN, "https://graph.microsoft.us/", US_INTUNE },
		{ "dod", US_LOGIN, "https://dod-graph.microsoft.us/", US_INTUNE },
	};
	struct intune_config c;
	struct intune_error e;
	struct settings s;
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		intune_config_init(&c);
		c.aad_app_id = c.aad_app_key = c.tenant = c.provider_name_and_version = "t";
		c.cloud = rows[i].name;
		assert_int_equal(settings_make(&s, &c, &e), INTUNE_OK);
		assert_string_equal(s.token_url, rows[i].token);
		assert_true(str_starts(s.discovery_url, rows[i].graph));
		assert_string_equal(s.scope[SCOPE_INTUNE], rows[i].intune);
		settings_done(&s);
	}
	c.cloud = "moon";
	assert_int_equal(settings_make(&s, &c, &e), INTUNE_E_ARGUMENT);
	assert_non_null(strstr(e.message, "CLOUD must be public, gcc"));
	c.cloud = "china";
	assert_int_equal(settings_make(&s, &c, &e), INTUNE_E_ARGUMENT);
	assert_non_null(strstr(e.message, "INTUNE_RESOURCE_URL is missing"));
	assert_non_null(strstr(e.hint, "china"));
	c.cloud = "21Vianet";
	c.intune_resource_url = "https://intune.example/";
	assert_int_equal(settings_make(&s, &c, &e), INTUNE_OK);
	assert_string_equal(
	    s.token_url, "https://login.partner.microsoftonline.cn/t/oauth2/v2.0/token");
	assert_true(str_starts(s.discovery_url, "https://microsoftgraph.chinacloudapi.cn/v1.0/"));
	settings_done(&s);
	c.cloud = "dod";
	c.auth_authority = "https://login.example/";
	assert_int_equal(settings_make(&s, &c, &e), INTUNE_OK);
	assert_string_equal(s.token_url, "https://login.example/t/oauth2/v2.0/token");
	assert_string_equal(s.scope[SCOPE_INTUNE], "https://intune.example//.default");
	assert_true(str_starts(s.discovery_url, "https://dod-graph.microsoft.us/"));
	settings_done(&s);
}

#define WITH_WORLD(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_WORLD(a_certificate_signs_an_assertion_that_its_public_key_verifies),
		WITH_WORLD(a_certificate_that_cannot_serve_is_refused_with_the_file_s_name),
		WITH_WORLD(a_certificate_near_its_end_is_told_by_check_and_reload),
		WITH_WORLD(two_ways_at_once_are_refused_with_both_names),
		WITH_WORLD(what_belongs_to_one_way_needs_it),
		WITH_WORLD(a_secret_is_the_first_line_of_its_file),
		WITH_WORLD(a_refused_secret_is_looked_for_in_its_file_within_the_same_call),
		WITH_WORLD(a_refused_secret_that_has_not_changed_is_not_sent_again),
		WITH_WORLD(a_file_that_cannot_be_used_leaves_the_old_secret_and_says_so),
		WITH_WORLD(half_a_renewed_pair_leaves_the_old_certificate),
		WITH_WORLD(a_new_app_key_is_taken_up_by_the_next_token_request),
		WITH_WORLD(a_federated_token_is_read_for_every_request),
		WITH_WORLD(a_machine_s_token_service_is_asked_as_it_wants_it),
		WITH_WORLD(a_machine_without_the_identity_says_so_without_its_header),
		cmocka_unit_test(plain_http_goes_to_this_machine_and_the_metadata_service_only),
		cmocka_unit_test(every_cloud_has_its_addresses_and_a_given_url_wins),
	};

	return cmocka_run_group_tests(tests, make_keys, free_keys);
}
