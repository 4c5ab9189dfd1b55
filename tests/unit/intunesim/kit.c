/*
 * kit.c - the simulator under test.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "intunesim/challenge.h"

#include "kit.h"

/* %s: the key identifier of the Windows Hello key. */
static const char alpha_yaml[] =
    "tenant: {id: " ALPHA_ID ", domain: [alpha.example, alpha.onmicrosoft.com], name: Alpha}\n"
    "apps:\n"
    "  - id: " APP_ID "\n"
    "    name: CA\n"
    "    secrets:\n"
    "      - {value: '" SECRET "'}\n"
    "      - {value: '" OLD_SECRET "', expires: 2020-01-01T00:00:00Z}\n"
    "    permissions: [scep_challenge_provider, Application.Read.All]\n"
    "  - {id: " BARE_APP ", name: Bare, secrets: [{value: '" SECRET "'}]}\n"
    "  - {id: " READER_APP ", name: Reader, secrets: [{value: '" SECRET "'}],\n"
    "     permissions: [User.Read.All, Device.Read.All, IdentityRiskyUser.Read.All,\n"
    "     GroupMember.Read.All,\n"
    "     DeviceManagementManagedDevices.Read.All, DeviceManagementConfiguration.Read.All]}\n"
    "  - {id: " OFF_APP ", name: Off, enabled: false, secrets: [{value: '" SECRET "'}]}\n"
    "users:\n"
    "  - {id: 00000000-0000-4000-8000-00000000000a, upn: jane@alpha.example,\n"
    "     email: jane.doe@alpha.example, given_name: Jane, surname: Doe, name: Jane Doe,\n"
    "     on_prem_sid: S-1-5-21-1-2-3-1104, on_prem_dn: 'CN=Jane Doe,OU=Sales,DC=alpha',\n"
    "     sam_account: janed, department: Sales}\n"
    "  - {id: 00000000-0000-4000-8000-00000000000b, upn: bob@alpha.example}\n"
    "groups:\n"
    "  - {name: Laptops, devices: [win-1]}\n"
    "  - {name: Hello, devices: [hello-1, hello-2]}\n"
    "  - {name: Jane, users: [jane@alpha.example]}\n"
    "  - {name: Mixed, id: " GROUP_MIXED ", users: [jane@alpha.example], devices: [win-1, mac-1]}\n"
    "  - {name: Empty}\n"
    "devices:\n"
    "  - {id: 10000000-0000-4000-8000-000000000001, name: win-1, platform: windows,\n"
    "     entra_id: 20000000-0000-4000-8000-000000000001, user: jane@alpha.example,\n"
    "     serial: WIN1SERIAL, wifi_mac: 001122334455, fqdn: win-1.alpha.example,\n"
    "     on_prem_sid: S-1-5-21-1-2-3-5001}\n"
    "  - {id: 10000000-0000-4000-8000-000000000002, name: phone-1, platform: ios,\n"
    "     user: jane@alpha.example, serial: IOSSERIAL, imei: '350000000000001'}\n"
    "  - {id: 10000000-0000-4000-8000-000000000003, name: droid-1, platform: android,\n"
    "     enrollment: personal_work_profile, user: bob@alpha.example, imei: '350000000000002'}\n"
    "  - {id: 10000000-0000-4000-8000-000000000004, name: mac-1, platform: macos}\n"
    "  - {id: 10000000-0000-4000-8000-000000000005, name: hello-1, platform: windows,\n"
    "     user: jane@alpha.example, registered_keys: ['%s']}\n"
    "  - {id: 10000000-0000-4000-8000-000000000006, name: hello-2, platform: windows,\n"
    "     user: jane@alpha.example}\n"
    "trusted_roots:\n"
    "  - {name: Root W, platform: windows, groups: [All devices]}\n"
    "  - {name: Root I, platform: ios, groups: [All users]}\n"
    "  - {name: Root A, platform: android, groups: [All devices]}\n"
    "  - {name: Root M, platform: macos, groups: [All devices]}\n"
    "  - {name: Root M unassigned, platform: macos}\n"
    "scep_profiles:\n"
    "  - {name: Device, id: " PROFILE_DEVICE ", platform: windows, certificate_type: device,\n"
    "     subject: 'CN={{AAD_Device_ID}},O=Alpha', root: Root W, groups: [Laptops],\n"
    "     san: [{type: dns, value: '{{FullyQualifiedDomainName}}'},\n"
    "           {type: uri, value: 'IntuneDeviceId://{{DeviceId}}'},\n"
    "           {type: uri, value: '{{OnPremisesSecurityIdentifier}}'}],\n"
    "     key_usage: [digitalSignature, keyEncipherment], eku: [clientAuth, 1.2.3.4],\n"
    "     scep_urls: [http://ca.alpha.example/scep], validity: {period: months, units: 6}}\n"
    "  - {name: User, platform: ios, certificate_type: user, root: Root I, groups: [Jane],\n"
    "     subject: common name including email, eku: [ipsecTunnel, clientAuth], hash: sha1,\n"
    "     key_usage: digitalSignature,\n"
    "     san: [{type: upn, value: '{{UserPrincipalName}}'},\n"
    "           {type: email, value: '{{EmailAddress}}'}]}\n"
    "  - {name: San only, platform: ios, certificate_type: user, root: Root I, groups: [Jane],\n"
    "     key_size: any, san: [{type: upn, value: '{{UserPrincipalName}}'}]}\n"
    "  - {name: Imei, platform: android, certificate_type: device, root: Root A,\n"
    "     subject: imei, groups: [All devices]}\n"
    "  - {name: Mac user, platform: macos, certificate_type: user, root: Root M,\n"
    "     subject: common name, groups: [All devices]}\n"
    "  - {name: Mac rootless, platform: macos, certificate_type: device,\n"
    "     root: Root M unassigned, subject: 'CN={{DeviceId}}', groups: [All devices]}\n"
    "  - {name: Passport, platform: windows, certificate_type: user, root: Root W, ksp: hello,\n"
    "     subject: 'CN={{UserName}}', groups: [Hello]}\n"
    "  - {name: Nobody, platform: windows, certificate_type: device, root: Root W,\n"
    "     subject: 'CN={{DeviceId}}', groups: [Empty]}\n";

static const char beta_yaml[] =
    "tenant: {id: " BETA_ID ", domain: beta.example, name: Beta, intune: false}\n"
    "apps:\n"
    "  - id: " APP_ID "\n"
    "    secrets: [{value: '" SECRET "'}]\n"
    "    permissions: [scep_challenge_provider, Application.Read.All]\n";

/* ---- setting up ---- */

static void
hello_id(char out[static 41], const struct kit *k)
{
	uint8_t id[20];
	struct err e;

	assert_ok(key_identifier(id, k->hello_key, &e), e);
	hex_lower(out, id, sizeof(id));
}

char *
kit_tenant_text(const struct kit *k)
{
	char id[41], *text;

	hello_id(id, k);
	assert_true(asprintf(&text, alpha_yaml, id) > 0);
	return text;
}

void
kit_tenant_with(struct buf *out, const struct kit *k, const char *from, const char *to)
{
	char *text = kit_tenant_text(k), *at = strstr(text, from);

	assert_non_null(at);
	buf_init(out, 1 << 20);
	buf_add(out, text, (size_t)(at - text));
	buf_adds(out, to);
	buf_adds(out, at + strlen(from));
	free(text);
}

static int
kit_setup(void **state, bool single_use)
{
	struct kit *k = calloc(1, sizeof(*k));
	struct sim_options o = { .single_use = single_use };
	struct tenant *t[2];
	struct err e;
	char *alpha;

	assert_non_null(k);
	assert_ok(key_generate(&k->key, "rsa:2048", &e), e);
	assert_ok(key_generate(&k->hello_key, "rsa:2048", &e), e);
	alpha = kit_tenant_text(k);
	assert_ok(tenant_parse(&t[0], "alpha.yaml", alpha, strlen(alpha), NULL, 0, &e), e);
	assert_ok(tenant_parse(&t[1], "beta.yaml", beta_yaml, strlen(beta_yaml), NULL, 0, &e), e);
	free(alpha);
	assert_ok(sim_new(&k->sim, &o, t, 2, &e), e);
	k->view = sim_view(k->sim);
	k->token = kit_token(k, "alpha.example", APP_ID, INTUNE);
	*state = k;
	return 0;
}

int
kit_new(void **state)
{
	return kit_setup(state, false);
}

int
kit_new_single_use(void **state)
{
	return kit_setup(state, true);
}

int
kit_free(void **state)
{
	struct kit *k = *state;

	view_done(k->view);
	sim_free(k->sim);
	key_free(k->key);
	key_free(k->hello_key);
	free(k->token);
	free(k);
	return 0;
}

enum rc
kit_try_tenant(const struct kit *k, const char *from, const char *to, struct err *err)
{
	struct tenant *t = NULL;
	struct buf b;
	enum rc rc;

	kit_tenant_with(&b, k, from, to);
	rc = tenant_parse(&t, "t.yaml", b.data, b.len, NULL, 0, err);
	tenant_free(t);
	buf_done(&b);
	return rc;
}

/* ---- calls ---- */

static size_t
add_header(struct http_header *h, size_t n, const char *name, const char *value)
{
	if (value == NULL || value[0] == '\0')
		return n;
	h[n] = (struct http_header){ name, value };
	return n + 1;
}

void
call(struct answer *a, const struct kit *k, const struct request *r)
{
	struct http_reply reply = { .status = 200 };
	struct http_header h[10];
	struct http_request req = {
		.method = r->method != NULL ? r->method : "POST",
		.target = r->path,
		.path = r->path,
		.query = "",
		.body = (const uint8_t *)(r->body != NULL ? r->body : ""),
		.body_len = r->body != NULL ? strlen(r->body) : 0,
		.headers = h,
		.peer = "192.0.2.7",
		.minor = 1,
	};
	char bearer[8192], path[8192];
	size_t n = 0;

	snprintf(path, sizeof(path), "%s", r->path);
	path[strcspn(path, "?")] = '\0';
	req.path = path;
	req.query = r->path + strcspn(r->path, "?");
	req.query += *req.query == '?';
	snprintf(bearer, sizeof(bearer), "Bearer %s", r->token != NULL ? r->token : "");
	n = add_header(h, n, "Host", r->host != NULL ? r->host : HOST);
	n = add_header(h, n, "Origin", r->origin);
	n = add_header(h, n, "ConsistencyLevel", r->consistency);
	n = add_header(h, n, "Authorization", r->token != NULL ? bearer : NULL);
	n = add_header(
	    h, n, "content-type", r->content_type != NULL ? r->content_type : "application/json");
	n = add_header(h, n, "api-version", r->api_version != NULL ? r->api_version : "2018-02-20");
	n = add_header(h, n, "client-request-id", r->client_request_id);
	n = add_header(h, n, "If-None-Match", r->if_none_match);
	req.n_headers = n;
	buf_init(&reply.body, HTTP_REPLY_MAX);
	buf_init(&reply.headers, 65536);
	sim_handle(k->sim, &req, &reply);
	*a = (struct answer){ .status = reply.status,
		.body = reply.body,
		.headers = reply.headers,
		.content_type = reply.content_type,
		.retry_after = reply.retry_after,
		.trouble = reply.trouble };
	if (json_parse(&a->json, a->body.data, a->body.len, NULL) != RC_OK)
		a->json = NULL;
}

void
answer_done(struct answer *a)
{
	buf_done(&a->body);
	buf_done(&a->headers);
	json_decref(a->json);
}

const char *
answer_code(const struct answer *a)
{
	const json_t *e = json_object_get(a->json, "error");

	if (json_is_object(e))
		return json_get_str(e, "code");
	return e != NULL ? json_string_value(e) : json_get_str(a->json, "code");
}

void
post(struct answer *a, const struct kit *k, const char *path, const char *body)
{
	call(a, k, &(struct request){ .path = path, .body = body });
}

void
get(struct answer *a, const struct kit *k, const char *path, const char *token)
{
	call(a, k, &(struct request){ .method = "GET", .path = path, .token = token });
}

void
ask_token(struct answer *a, const struct kit *k, const char *tenant, const char *form)
{
	char path[256];

	snprintf(path, sizeof(path), "/%s/oauth2/v2.0/token", tenant);
	call(a, k,
	    &(struct request){ .path = path,
		.body = form,
		.content_type = "application/x-www-form-urlencoded; charset=UTF-8" });
}

char *
kit_token(const struct kit *k, const char *tenant, const char *app, const char *scope)
{
	struct answer a;
	struct buf form;
	char *token;

	buf_init(&form, 4096);
	buf_adds(&form, "grant_type=client_credentials&client_id=");
	url_encode_add(&form, app, strlen(app));
	buf_adds(&form, "&client_secret=");
	url_encode_add(&form, SECRET, strlen(SECRET));
	buf_adds(&form, "&scope=");
	url_encode_add(&form, scope, strlen(scope));
	ask_token(&a, k, tenant, buf_str(&form));
	assert_int_equal(a.status, 200);
	token = strdup(json_get_str(a.json, "access_token"));
	answer_done(&a);
	buf_done(&form);
	return token;
}

/* ---- devices and requests ---- */

json_t *
kit_checkin(const struct kit *k, const char *device, const char *profile)
{
	char path[256];
	struct answer a;
	json_t *found = NULL, *entry;
	size_t i;

	snprintf(path, sizeof(path), "/sim/devices/%s/checkin", device);
	post(&a, k, path, NULL);
	assert_int_equal(a.status, 200);
	json_array_foreach(json_object_get(a.json, "scep"), i, entry)
	{
		if (found == NULL &&
		    (profile == NULL || strcmp(json_get_str(entry, "profile"), profile) == 0))
			found = json_incref(entry);
	}
	assert_non_null(found);
	answer_done(&a);
	return found;
}

static void
fill_san(struct san_list *out, const json_t *scep, const struct tweak *t)
{
	const json_t *san;
	struct err e;
	size_t i;

	json_array_foreach(json_object_get(scep, "san"), i, san)
	{
		const char *type = json_get_str(san, "type");

		if (t->no_san || (t->drop_san != NULL && strcmp(t->drop_san, type) == 0))
			continue;
		assert_ok(
		    san_list_add(out, san_type_by_name(type), json_get_str(san, "value"), &e), e);
	}
	for (i = 0; i < N(t->san) && t->san[i] != NULL; i++) {
		char type[16];

		snprintf(type, sizeof(type), "%.*s", (int)strcspn(t->san[i], ":"), t->san[i]);
		assert_ok(
		    san_list_add(out, san_type_by_name(type), strchr(t->san[i], ':') + 1, &e), e);
	}
}

static unsigned
fill_key_usage(const json_t *scep, const struct tweak *t)
{
	const json_t *list = json_object_get(scep, "keyUsage"), *ku;
	unsigned bits = 0;
	size_t i;

	if (t->no_key_usage)
		return 0;
	if (t->key_usage != 0)
		return t->key_usage;
	json_array_foreach(list, i, ku) bits |=
	    strcmp(json_string_value(ku), "digitalSignature") == 0 ? KU_DIGITAL_SIGNATURE
								   : KU_KEY_ENCIPHERMENT;
	return bits;
}

static size_t
fill_eku(const char *out[static 8], const json_t *scep, const struct tweak *t)
{
	const json_t *eku;
	size_t i, n = 0;

	if (t->no_eku)
		return 0;
	while (n < N(t->eku) && t->eku[n] != NULL) {
		out[n] = t->eku[n];
		n++;
	}
	if (n > 0)
		return n;
	json_array_foreach(json_object_get(scep, "eku"), i, eku) out[n++] = json_string_value(eku);
	return n;
}

void
kit_csr(struct buf *der, const struct kit *k, const json_t *scep, const struct tweak *t)
{
	const char *subject = t->subject != NULL ? t->subject : json_get_str(scep, "subject");
	const char *eku[8];
	struct name name = { 0 };
	struct csr_build b = { .subject = &name, .digest = DIGEST_SHA256, .eku = eku };
	struct err e;

	if (!t->no_subject && subject[0] != '\0')
		assert_ok(name_from_text(&name, subject, &e), e);
	else
		assert_ok(name_parse(&name, "\x30\x00", 2, &e), e);
	fill_san(&b.san, scep, t);
	b.key_usage = fill_key_usage(scep, t);
	b.n_eku = fill_eku(eku, scep, t);
	if (!t->no_challenge)
		b.challenge = t->challenge != NULL ? t->challenge : json_get_str(scep, "challenge");
	assert_ok(csr_build(der, &b, t->key != NULL ? t->key : k->key, &e), e);
	san_list_done(&b.san);
	name_done(&name);
}

void
validate_csr(struct answer *a, const struct kit *k, const char *token, const struct buf *der)
{
	struct buf body;

	buf_init(&body, 1 << 20);
	buf_adds(&body, "{\"request\":{\"transactionId\":\"tx-1\",\"certificateRequest\":\"");
	base64_add(&body, der->data, der->len);
	buf_adds(&body, "\",\"callerInfo\":\"unit test\"}}");
	call(a, k,
	    &(struct request){ .path = SERVICE "validateRequest",
		.body = buf_str(&body),
		.token = token != NULL ? token : k->token });
	buf_done(&body);
}

const char *
kit_verdict(const struct kit *k, const json_t *scep, const struct tweak *t)
{
	static char code[128];
	struct answer a;
	struct buf der;

	buf_init(&der, 1 << 18);
	kit_csr(&der, k, scep, t);
	validate_csr(&a, k, NULL, &der);
	assert_int_equal(a.status, 200);
	snprintf(code, sizeof(code), "%s", answer_code(&a));
	answer_done(&a);
	buf_done(&der);
	return code;
}

json_t *
kit_payload(const struct kit *k, const json_t *scep)
{
	enum scep_code code;
	struct buf payload;
	struct err e;
	json_t *o;

	buf_init(&payload, CHALLENGE_PAYLOAD_MAX);
	assert_ok(
	    challenge_open(&payload, &code, k->sim, k->view, json_get_str(scep, "challenge"), &e),
	    e);
	assert_ok(json_parse(&o, payload.data, payload.len, &e), e);
	buf_done(&payload);
	return o;
}

char *
kit_seal(const struct kit *k, size_t i, const void *payload, size_t len)
{
	struct buf text;
	struct err e;
	char *copy;

	buf_init(&text, 1 << 16);
	assert_ok(challenge_seal(&text, k->view->tenants[i], payload, len, &e), e);
	copy = strdup(buf_str(&text));
	buf_done(&text);
	return copy;
}

char *
kit_seal_json(const struct kit *k, size_t i, const json_t *payload)
{
	char *text = json_dumps(payload, JSON_COMPACT), *sealed;

	assert_non_null(text);
	sealed = kit_seal(k, i, text, strlen(text));
	free(text);
	return sealed;
}

void
kit_report(const struct kit *k, const json_t *scep, const char *serial)
{
	struct buf der, b64;
	struct answer a;
	json_t *body;
	char *text;

	buf_init(&der, 1 << 18);
	buf_init(&b64, 1 << 19);
	kit_csr(&der, k, scep, &(struct tweak){ 0 });
	base64_add(&b64, der.data, der.len);
	body = json_pack("{s:{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}}", "notification",
	    "transactionId", "tx", "certificateRequest", buf_str(&b64), "certificateThumbprint",
	    serial, "certificateSerialNumber", serial, "certificateExpirationDateUtc",
	    "2027-11-21T06:20:57.000Z", "issuingCertificateAuthority", "Alpha Issuing CA",
	    "caConfiguration", "ca-1", "callerInfo", "unit test");
	assert_non_null(body);
	text = json_dumps(body, JSON_COMPACT);
	call(&a, k,
	    &(struct request){
		.path = SERVICE "successNotification", .body = text, .token = k->token });
	assert_int_equal(a.status, 200);
	assert_string_equal(answer_code(&a), "Success");
	answer_done(&a);
	free(text);
	json_decref(body);
	buf_done(&der);
	buf_done(&b64);
}

void
kit_enrol(const struct kit *k, const char *device, const char *profile, const char *serial)
{
	json_t *scep = kit_checkin(k, device, profile);

	assert_string_equal(kit_verdict(k, scep, &(struct tweak){ 0 }), "Success");
	kit_report(k, scep, serial);
	json_decref(scep);
}

int
deed(struct answer *a, const struct kit *k, const char *method, const char *path, const char *body)
{
	struct answer own;
	char full[512];
	int status;

	snprintf(
	    full, sizeof(full), "%s%s", path[0] == '/' ? "" : "/sim/tenants/alpha.example/", path);
	call(&own, k, &(struct request){ .method = method, .path = full, .body = body });
	status = own.status;
	if (a != NULL)
		*a = own;
	else
		answer_done(&own);
	return status;
}

void
kit_put_back(const struct kit *k)
{
	struct deed_effect effect = { .quiet = true };
	char *text = kit_tenant_text(k);
	struct tenant *t;
	struct err e;

	pthread_mutex_lock(&k->sim->deeds);
	assert_ok(tenant_renew(&t, k->view->tenants[0], "alpha.yaml", text, strlen(text), &e), e);
	assert_ok(sim_put(k->sim, t, &effect, &e), e);
	pthread_mutex_unlock(&k->sim->deeds);
	free(text);
}

json_t *
kit_report_row(const struct kit *k, const char *device, const char *profile)
{
	json_t *row, *found = NULL;
	struct answer a;
	size_t i;

	get(&a, k, "/sim/report", NULL);
	assert_int_equal(a.status, 200);
	json_array_foreach(json_object_get(a.json, "deployments"), i, row)
	{
		if (strcmp(json_get_str(row, "device"), device) == 0 &&
		    strcmp(json_get_str(row, "profile"), profile) == 0)
			found = json_incref(row);
	}
	assert_non_null(found);
	answer_done(&a);
	return found;
}
