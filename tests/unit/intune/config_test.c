/*
 * config_test.c - Microsoft's properties: names, order of the checks, what is refused; and the URLs
 * made from them.
 */
#include "unit.h"

#include "intune/settings.h"
#include "intune/url.h"
#include "intune/wire.h"

static void
good(struct intune_config *c)
{
	intune_config_init(c);
	c->aad_app_id = "app-id";
	c->aad_app_key = "app-key";
	c->tenant = "contoso.example";
	c->provider_name_and_version = "UnitCA 1.0";
}

static void
expect_refused(const struct intune_config *c, const char *property)
{
	struct intune_client *cl = NULL;
	struct intune_error e;

	assert_int_equal(intune_client_new(&cl, c, &e), INTUNE_E_ARGUMENT);
	assert_null(cl);
	assert_int_equal(e.status, INTUNE_E_ARGUMENT);
	assert_int_equal(e.step, INTUNE_STEP_CONFIG);
	if (strstr(e.message, property) == NULL)
		give_up("\"%s\" does not name %s\n", e.message, property);
}

static void
every_property_name_sets_its_field(void **state)
{
	static const struct {
		const char *name;
		size_t offset;
	} rows[] = {
#define ROW(n, f) { n, offsetof(struct intune_config, f) }
		ROW("AAD_APP_ID", aad_app_id),
		ROW("AAD_APP_KEY", aad_app_key),
		ROW("AAD_APP_KEY_FILE", aad_app_key_file),
		ROW("APP_CERTIFICATE_FILE", app_certificate_file),
		ROW("APP_CERTIFICATE_KEY_FILE", app_certificate_key_file),
		ROW("APP_ASSERTION_ALG", app_assertion_alg),
		ROW("FEDERATED_TOKEN_FILE", federated_token_file),
		ROW("MANAGED_IDENTITY", managed_identity),
		ROW("MANAGED_IDENTITY_ENDPOINT", managed_identity_endpoint),
		ROW("MANAGED_IDENTITY_HEADER", managed_identity_header),
		ROW("CLOUD", cloud),
		ROW("TENANT", tenant),
		ROW("PROVIDER_NAME_AND_VERSION", provider_name_and_version),
		ROW("AUTH_AUTHORITY", auth_authority),
		ROW("INTUNE_APP_ID", intune_app_id),
		ROW("INTUNE_RESOURCE_URL", intune_resource_url),
		ROW("MS_GRAPH_API_VERSION", ms_graph_api_version),
		ROW("MS_GRAPH_RESOURCE_URL", ms_graph_resource_url),
		ROW("MSAL_GRAPH_RESOURCE_URL", ms_graph_resource_url),
		ROW("ScepRequestValidationFEServiceVersion", scep_service_version),
		ROW("PkiConnectorFEServiceVersion", revocation_service_version),
		ROW("PROXY_HOST", proxy_host),
		ROW("PROXY_PORT", proxy_port),
		ROW("PROXY_USER", proxy_user),
		ROW("PROXY_PASS", proxy_pass),
	};
	struct intune_config c;
	struct intune_error e;
	const char *got;
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		intune_config_init(&c);
		assert_int_equal(intune_config_set(&c, rows[i].name, "value", &e), INTUNE_OK);
		memcpy(&got, (const char *)&c + rows[i].offset, sizeof(got));
		assert_string_equal(got, "value");
	}
}

static void
properties_without_meaning_here_are_taken(void **state)
{
	static const char *const names[] = { "GRAPH_API_VERSION", "GRAPH_RESOURCE_URL",
		"AAD_GRAPH_API_VERSION", "AAD_GRAPH_RESOURCE_URL" };
	struct intune_config c, zero;
	size_t i;

	intune_config_init(&c);
	intune_config_init(&zero);
	for (i = 0; i < COUNT(names); i++)
		assert_int_equal(intune_config_set(&c, names[i], "x", NULL), INTUNE_OK);
	assert_memory_equal(&c, &zero, sizeof(c));
}

static void
an_unknown_property_is_refused_with_the_nearest_name(void **state)
{
	struct intune_config c;
	struct intune_error e;

	intune_config_init(&c);
	assert_int_equal(intune_config_set(&c, "AAD_APP_KY", "x", &e), INTUNE_E_ARGUMENT);
	assert_non_null(strstr(e.message, "AAD_APP_KY"));
	assert_non_null(strstr(e.hint, "AAD_APP_KEY"));
	assert_int_equal(intune_config_set(&c, NULL, "x", &e), INTUNE_E_ARGUMENT);
	assert_int_equal(intune_config_set(&c, "TENANT", NULL, &e), INTUNE_E_ARGUMENT);
}

static void
required_properties_are_checked_in_the_library_s_order(void **state)
{
	struct intune_config c;

	intune_config_init(&c);
	expect_refused(&c, "AAD_APP_ID is missing");
	c.aad_app_id = "app-id";
	expect_refused(&c, "AAD_APP_KEY is missing");
	c.aad_app_key = "";
	expect_refused(&c, "AAD_APP_KEY is empty");
	c.aad_app_key = "app-key";
	expect_refused(&c, "TENANT is missing");
	c.tenant = "contoso.example";
	expect_refused(&c, "PROVIDER_NAME_AND_VERSION is missing");
	c.provider_name_and_version = "";
	expect_refused(&c, "PROVIDER_NAME_AND_VERSION is empty");
	c.provider_name_and_version = "   ";
	expect_refused(&c, "PROVIDER_NAME_AND_VERSION");
}

static void
values_that_could_break_out_of_their_place_are_refused(void **state)
{
	static const struct {
		const char *name, *value;
	} rows[] = {
		{ "AAD_APP_ID", "a&b=c" },
		{ "AAD_APP_KEY", "key\n" },
		{ "AAD_APP_KEY", "key\xff" },
		{ "TENANT", "contoso/../evil" },
		{ "TENANT", ".." },
		{ "TENANT", "a b" },
		{ "PROVIDER_NAME_AND_VERSION", "CA\r\nX: y" },
		{ "AUTH_AUTHORITY", "" },
		{ "AUTH_AUTHORITY", "login.microsoftonline.com" },
		{ "AUTH_AUTHORITY", "http://login.microsoftonline.com/" },
		{ "AUTH_AUTHORITY", "ftp://127.0.0.1/" },
		{ "AUTH_AUTHORITY", "https://user@host/" },
		{ "AUTH_AUTHORITY", "https://host/?x=y" },
		{ "AUTH_AUTHORITY", "https://host/#x" },
		{ "AUTH_AUTHORITY", "https:///path" },
		{ "AUTH_AUTHORITY", "https://host:0/" },
		{ "AUTH_AUTHORITY", "https://host:65536/" },
		{ "AUTH_AUTHORITY", "https://host:/" },
		{ "AUTH_AUTHORITY", "https://ho st/" },
		{ "AUTH_AUTHORITY", "https://host\\@evil/" },
		{ "MS_GRAPH_RESOURCE_URL", "http://graph.microsoft.com/" },
		{ "MS_GRAPH_RESOURCE_URL", "http://127.0.0.1.evil.example/" },
		{ "INTUNE_APP_ID", "x/y" },
		{ "INTUNE_RESOURCE_URL", "a b" },
		{ "MS_GRAPH_API_VERSION", "1.0/x" },
		{ "ScepRequestValidationFEServiceVersion", "1\r\nX: y" },
		{ "PROXY_HOST", "proxy\r\n" },
		{ "PROXY_HOST", "user@proxy" },
		{ "PROXY_PORT", "65536" },
		{ "PROXY_PORT", "-1" },
		{ "PROXY_PORT", "80x" },
	};
	struct intune_config c;
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		good(&c);
		assert_int_equal(
		    intune_config_set(&c, rows[i].name, rows[i].value, NULL), INTUNE_OK);
		expect_refused(&c, rows[i].name);
	}
}

static void
proxy_properties_need_each_other(void **state)
{
	struct intune_client *cl;
	struct intune_config c;
	struct intune_error e;

	good(&c);
	c.proxy_host = "proxy.example";
	expect_refused(&c, "PROXY_PORT is missing");
	c.proxy_port = "8080";
	c.proxy_user = "jane";
	expect_refused(&c, "PROXY_PASS is missing");
	c.proxy_pass = "secret";
	assert_int_equal(intune_client_new(&cl, &c, &e), INTUNE_OK);
	intune_client_free(cl);
	c.proxy_host = NULL;
	c.proxy_port = NULL;
	expect_refused(&c, "PROXY_HOST is missing");
	/* As a properties file with empty lines gives them. */
	c.proxy_host = c.proxy_port = c.proxy_user = c.proxy_pass = "";
	assert_int_equal(intune_client_new(&cl, &c, &e), INTUNE_OK);
	intune_client_free(cl);
}

static void
defaults_are_microsoft_s(void **state)
{
	struct intune_config c;
	struct intune_error e;
	struct settings s;

	good(&c);
	assert_int_equal(settings_make(&s, &c, &e), INTUNE_OK);
	assert_string_equal(
	    s.token_url, "https://login.microsoftonline.com/contoso.example/oauth2/v2.0/token");
	assert_string_equal(s.discovery_url,
	    "https://graph.microsoft.com/v1.0/servicePrincipals/"
	    "appId=0000000a-0000-0000-c000-000000000000/endpoints");
	assert_string_equal(s.scope[SCOPE_GRAPH], "https://graph.microsoft.com/.default");
	assert_string_equal(s.scope[SCOPE_INTUNE], "https://api.manage.microsoft.com//.default");
	assert_string_equal(s.line_api_version[SERVICE_SCEP], "api-version: 2018-02-20");
	assert_string_equal(s.line_api_version[SERVICE_REVOCATION], "api-version: 5019-05-05");
	assert_int_equal(s.connect_ms, 5000);
	assert_int_equal(s.total_ms, 15000);
	settings_done(&s);
}

static void
slashes_at_the_end_of_urls_do_not_matter_but_for_the_intune_scope(void **state)
{
	struct intune_config c;
	struct intune_error e;
	struct settings s;

	good(&c);
	c.auth_authority = "https://login.example";
	c.ms_graph_resource_url = "https://graph.example";
	c.intune_resource_url = "https://api.example";
	assert_int_equal(settings_make(&s, &c, &e), INTUNE_OK);
	assert_string_equal(s.token_url, "https://login.example/contoso.example/oauth2/v2.0/token");
	assert_string_equal(s.scope[SCOPE_GRAPH], "https://graph.example/.default");
	assert_string_equal(s.scope[SCOPE_INTUNE], "https://api.example/.default");
	settings_done(&s);
	c.auth_authority = "https://login.example//";
	c.ms_graph_resource_url = "https://graph.example/";
	assert_int_equal(settings_make(&s, &c, &e), INTUNE_OK);
	assert_string_equal(s.token_url, "https://login.example/contoso.example/oauth2/v2.0/token");
	assert_true(strncmp(s.discovery_url, "https://graph.example/v1.0/", 27) == 0);
	settings_done(&s);
}

static void
urls_are_taken_apart(void **state)
{
	static const struct {
		const char *text, *host;
		unsigned port;
		const char *rest;
	} rows[] = {
		{ "https://Host.Example/a?b", "host.example", 443, "/a?b" },
		{ "HTTPS://h:8443", "h", 8443, "" },
		{ "http://127.0.0.1:80/", "127.0.0.1", 80, "/" },
		{ "http://localhost/", "localhost", 80, "/" },
		{ "http://[::1]:8080/x", "[::1]", 8080, "/x" },
		{ "https://[2001:db8::1]/", "[2001:db8::1]", 443, "/" },
	};
	struct url u, v;
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		assert_true(url_parse(&u, rows[i].text));
		assert_string_equal(u.host, rows[i].host);
		assert_int_equal(u.port, rows[i].port);
		assert_string_equal(u.rest, rows[i].rest);
	}
	assert_false(url_parse(&u, NULL));
	assert_false(url_parse(&u, "http://[::2]/"));
	assert_false(url_parse(&u, "https://[::1/"));
	assert_false(url_parse(&u, "https://"));
	assert_false(url_is_base("https://h/?q"));
	assert_true(url_parse(&u, "https://h/a") && url_parse(&v, "https://H:443/b?c"));
	assert_true(url_same_origin(&u, &v));
	assert_true(url_parse(&v, "https://h:444/a"));
	assert_false(url_same_origin(&u, &v));
}

static void
texts_are_cut_at_255_utf_16_units_between_characters(void **state)
{
	char s[2000];
	size_t i;

	memset(s, 'a', 300);
	s[300] = '\0';
	assert_int_equal(wire_cut(s, 255), 255);
	for (i = 0; i < 300; i++)
		memcpy(s + 2 * i, "\xc3\xb6", 3);
	assert_int_equal(wire_cut(s, 255), 510);
	for (i = 0; i < 200; i++)
		memcpy(s + 4 * i, "\xf0\x9f\x98\x80", 5);
	assert_int_equal(wire_cut(s, 255), 127 * 4);
	assert_int_equal(wire_cut("short", 255), 5);
}

static void
names_and_codes_go_both_ways(void **state)
{
	unsigned i;

	for (i = 0; i < INTUNE_CODE__MAX; i++) {
		assert_non_null(intune_code_name((enum intune_code)i));
		assert_int_equal(intune_code_parse(intune_code_name((enum intune_code)i)), i);
	}
	assert_string_equal(intune_code_name(INTUNE_CODE_CHALLENGE_EXPIRED), "ChallengeExpired");
	assert_int_equal(intune_code_parse("success"), INTUNE_CODE_UNKNOWN);
	assert_int_equal(intune_code_parse("Success "), INTUNE_CODE_UNKNOWN);
	assert_int_equal(intune_code_parse("1"), INTUNE_CODE_UNKNOWN);
	assert_int_equal(intune_code_parse(""), INTUNE_CODE_UNKNOWN);
	assert_int_equal(intune_code_parse(NULL), INTUNE_CODE_UNKNOWN);
	assert_string_equal(intune_code_name((enum intune_code)999), "Unknown");
	assert_string_equal(intune_step_name(INTUNE_STEP_VALIDATE), "validate");
	assert_string_equal(intune_status_name(INTUNE_E_REFUSED), "refused");
	assert_non_null(intune_step_name((enum intune_step)99));
	assert_non_null(intune_status_name((enum intune_status)99));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_property_name_sets_its_field),
		cmocka_unit_test(properties_without_meaning_here_are_taken),
		cmocka_unit_test(an_unknown_property_is_refused_with_the_nearest_name),
		cmocka_unit_test(required_properties_are_checked_in_the_library_s_order),
		cmocka_unit_test(values_that_could_break_out_of_their_place_are_refused),
		cmocka_unit_test(proxy_properties_need_each_other),
		cmocka_unit_test(defaults_are_microsoft_s),
		cmocka_unit_test(slashes_at_the_end_of_urls_do_not_matter_but_for_the_intune_scope),
		cmocka_unit_test(urls_are_taken_apart),
		cmocka_unit_test(texts_are_cut_at_255_utf_16_units_between_characters),
		cmocka_unit_test(names_and_codes_go_both_ways),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
