/*
 * config_test.c - scepd.yaml: a short file works, and a wrong one is answered with file, line, key
 * and a sentence.
 */
#include "config_folder.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ossl/csr.h"

/* With what challenge_file may name. */
static int
folder_with_secrets(void **state)
{
	int rc = folder_new(state);
	struct folder *f = *state;

	put(f, "lab.secret", "correct horse battery\n", 0600);
	put(f, "short.secret", "short\n", 0600);
	put(f, "empty.secret", "", 0600);
	put(f, "open.secret", "correct horse battery\n", 0644);
	put(f, "group.secret", "correct horse battery\n", 0660);
	return rc;
}

/* The shortest file there is: two dozen lines with everything else by default. */
#define HEAD                                                                                       \
	"listeners:\n"                                                                             \
	"  - address: 127.0.0.1:8080\n"                                                            \
	"cas:\n"                                                                                   \
	"  issuing:\n"                                                                             \
	"    certificate: ca/issuing.pem\n"                                                        \
	"    key: ca/issuing.key\n"                                                                \
	"    chain: [ca/root.pem]\n"                                                               \
	"    ra_certificate: ca/ra.pem\n"                                                          \
	"    ra_key: ca/ra.key\n"
#define OTHER_CA "  other: { certificate: a, key: b, ra_certificate: c, ra_key: d }\n"
#define NEXT_CA                                                                                    \
	"  next: { certificate: a, key: b, ra_certificate: c, ra_key: d, replaces: issuing }\n"
#define TENANT                                                                                     \
	"tenants:\n"                                                                               \
	"  contoso: { properties: contoso.properties }\n"
#define PROFILE                                                                                    \
	"profiles:\n"                                                                              \
	"  device: {}\n"
#define ENDPOINT                                                                                   \
	"endpoints:\n"                                                                             \
	"  default: { ca: issuing, profile: device, challenge: intune, tenant: contoso }\n"
#define LAB "  lab: { subject: { allow: [\"CN=*.lab.example\"] }, san: { types: [] } }\n"
#define STATIC(file)                                                                               \
	"  lab: { ca: issuing, profile: lab, challenge: static, challenge_file: " file " }\n"

static void
short_file_is_enough_and_defaults_are_sane(void **state)
{
	struct folder *f = *state;
	struct config *c = loaded(f, HEAD TENANT PROFILE ENDPOINT);
	const struct profile *p = config_profile(c, "device");
	const struct conf_endpoint *e = c->endpoints.v;
	const struct conf_ca *ca = config_ca(c, "issuing");
	char url[128];

	snprintf(url, sizeof(url), "sqlite:%s/scepd.db", f->dir);
	assert_string_equal(c->store.url, url);
	assert_null(c->admin.listener.address);
	assert_int_equal(c->log.level, LOG_INFO);
	assert_string_equal(ca->chain.v[0], in(f, "ca/root.pem"));
	assert_string_equal(ca->ra_key, in(f, "ca/ra.key"));
	assert_int_equal(ca->crl_validity, 7 * 86400);
	assert_int_equal(ca->ocsp_validity, 3600);
	assert_int_equal(config_tenant(c, "contoso")->timeout, 15);
	assert_true(config_tenant(c, "contoso")->revocation_queue);
	assert_int_equal(c->revocation.queue_interval, 60);
	assert_int_equal(e->challenge, CHALLENGE_INTUNE);
	assert_int_equal(e->getcacert, 3);
	assert_int_equal(e->capabilities.n, 0);
	assert_int_equal(p->n_eku_allowed, 1);
	assert_string_equal(p->eku_default[0], "1.3.6.1.5.5.7.3.2");
	assert_int_equal(p->key_usage_default, KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT);
	assert_int_equal(
	    p->san_types, 1u << SAN_EMAIL | 1u << SAN_UPN | 1u << SAN_DNS | 1u << SAN_URI);
	assert_int_equal(p->rsa_min, 2048);
	assert_int_equal(p->rsa_max, 4096);
	assert_false(p->ec_p256 || p->ec_p384 || p->sha1_csr_ok || p->subject_empty_ok);
	assert_true(p->validity_from_request);
	assert_int_equal(p->backdate, 86400);
	assert_int_equal(p->digest, DIGEST_SHA256);
	assert_int_equal(p->n_crl_urls, 0);
	config_free(c);
}

static void
profile_words_become_bits_and_oids(void **state)
{
	struct config *c = loaded(*state,
	    HEAD TENANT
	    "profiles:\n"
	    "  device:\n"
	    "    subject: { attributes: [CN, emailAddress, serialNumber], allow: "
	    "['CN=*,E=*@contoso.com'], empty: true }\n"
	    "    san: { types: [upn, uri], allow: ['upn:*@contoso.com'], required: true }\n"
	    "    key_usage: { allow: [digitalSignature, keyAgreement], default: [digitalSignature] "
	    "}\n"
	    "    eku: { allow: [serverAuth, smartcardlogon, 1.2.3.4], default: [1.2.3.4] }\n"
	    "    keys: { rsa: { max: 0 }, ec: [p256, p384] }\n"
	    "    sha1_csr: true\n"
	    "    validity: { default: 30d, max: 60d, from_request: false }\n"
	    "    backdate: 1h\n"
	    "    digest: sha384\n"
	    "    ocsp_urls: http://ocsp.contoso.com\n" ENDPOINT);
	const struct profile *p = config_profile(c, "device");

	assert_int_equal(p->n_subject_attributes, 3);
	assert_string_equal(p->subject_attributes[1], "E");
	assert_string_equal(p->subject_attributes[2], "SERIALNUMBER");
	assert_string_equal(p->subject_allow[0], "CN=*,E=*@contoso.com");
	assert_true(p->subject_empty_ok && p->san_required && p->sha1_csr_ok);
	assert_int_equal(p->san_types, 1u << SAN_UPN | 1u << SAN_URI);
	assert_int_equal(p->key_usage_allowed, KU_DIGITAL_SIGNATURE | KU_KEY_AGREEMENT);
	assert_int_equal(p->key_usage_default, KU_DIGITAL_SIGNATURE);
	assert_int_equal(p->n_eku_allowed, 3);
	assert_string_equal(p->eku_allowed[0], "1.3.6.1.5.5.7.3.1");
	assert_string_equal(p->eku_allowed[1], "1.3.6.1.4.1.311.20.2.2");
	assert_string_equal(p->eku_allowed[2], "1.2.3.4");
	assert_int_equal(p->n_eku_default, 1);
	assert_string_equal(p->eku_default[0], "1.2.3.4");
	assert_int_equal(p->rsa_max, 0);
	assert_true(p->ec_p256 && p->ec_p384);
	assert_int_equal(p->validity_default, 30 * 86400);
	assert_int_equal(p->validity_max, 60 * 86400);
	assert_false(p->validity_from_request);
	assert_int_equal(p->backdate, 3600);
	assert_int_equal(p->digest, DIGEST_SHA384);
	assert_string_equal(p->ocsp_urls[0], "http://ocsp.contoso.com");
	config_free(c);
}

static void
eku_without_a_default_is_client_auth_or_all_that_is_allowed(void **state)
{
	struct config *c = loaded(*state,
	    HEAD TENANT
	    "profiles:\n"
	    "  a: { eku: { allow: [serverAuth, clientAuth] } }\n"
	    "  b: { eku: { allow: [serverAuth, emailProtection] } }\n"
	    "endpoints:\n"
	    "  default: { ca: issuing, profile: a, challenge: intune, tenant: contoso }\n");

	assert_int_equal(config_profile(c, "a")->n_eku_default, 1);
	assert_string_equal(config_profile(c, "a")->eku_default[0], "1.3.6.1.5.5.7.3.2");
	assert_int_equal(config_profile(c, "b")->n_eku_default, 2);
	config_free(c);
}

static void
public_url_gives_crl_and_issuer_addresses(void **state)
{
	struct config *c = loaded(*state,
	    HEAD TENANT
	    "public_url: http://ca.contoso.com/\n"
	    "profiles:\n"
	    "  device: {}\n"
	    "  quiet: { crl_urls: none, ca_issuer_urls: none, ocsp_urls: none }\n"
	    "  own: { crl_urls: [http://a/x.crl, http://b/x.crl] }\n"
	    "  unused: {}\n"
	    "endpoints:\n"
	    "  default: { ca: issuing, profile: device, challenge: intune, tenant: contoso }\n"
	    "  two: { ca: issuing, profile: quiet, challenge: intune, tenant: contoso }\n"
	    "  three: { ca: issuing, profile: own, challenge: intune, tenant: contoso }\n");
	const struct profile *p = config_profile(c, "device");

	assert_int_equal(p->n_crl_urls, 1);
	assert_string_equal(p->crl_urls[0], "http://ca.contoso.com/crl/issuing.crl");
	assert_string_equal(p->ca_issuer_urls[0], "http://ca.contoso.com/ca/issuing.crt");
	assert_int_equal(p->n_ocsp_urls, 1);
	assert_string_equal(p->ocsp_urls[0], "http://ca.contoso.com/ocsp/issuing");
	p = config_profile(c, "quiet");
	assert_int_equal(p->n_crl_urls + p->n_ca_issuer_urls + p->n_ocsp_urls, 0);
	p = config_profile(c, "own");
	assert_int_equal(p->n_crl_urls, 2);
	assert_string_equal(p->crl_urls[1], "http://b/x.crl");
	assert_string_equal(p->ca_issuer_urls[0], "http://ca.contoso.com/ca/issuing.crt");
	assert_int_equal(config_profile(c, "unused")->n_crl_urls, 0);
	config_free(c);
}

static void
partitions_are_in_the_address_that_is_made(void **state)
{
	struct config *c = loaded(*state,
	    HEAD "    crl_partitions: 16\n" TENANT PROFILE ENDPOINT
		 "public_url: http://ca.contoso.com\n");
	const struct conf_ca *ca = config_ca(c, "issuing");

	assert_string_equal(config_profile(c, "device")->crl_urls[0],
	    "http://ca.contoso.com/crl/issuing/{partition}.crl");
	assert_int_equal(ca->crl_partitions, 16);
	assert_false(ca->crl_delta);
	assert_null(ca->crl_dir);
	assert_int_equal(ca->crl_grace, 0);
	config_free(c);
}

static void
static_endpoint_with_bounded_names_is_taken(void **state)
{
	struct folder *f = *state;
	struct config *c = loaded(f, HEAD TENANT PROFILE LAB ENDPOINT STATIC("lab.secret"));
	const struct conf_endpoint *e = c->endpoints.v;

	assert_int_equal(e[1].challenge, CHALLENGE_STATIC);
	assert_string_equal(e[1].challenge_file, in(f, "lab.secret"));
	config_free(c);
}

static void
missing_names_are_null(void **state)
{
	struct config *c = loaded(*state, HEAD TENANT PROFILE ENDPOINT);

	assert_null(config_ca(c, "other"));
	assert_null(config_tenant(c, ""));
	assert_null(config_profile(c, "Device"));
	config_free(c);
	config_free(NULL);
}

/* A wrong file, and how the answer goes on after its path. */
static const struct wrong {
	const char *yaml, *want;
} wrongs[] = {
	/* required things */
	{ TENANT PROFILE ENDPOINT, ":1: listeners: required" },
	{ "listeners: []\n", ":1: listeners: 0 items, the least is 1" },
	{ "listeners:\n  - certificate: x\n", ":2: listeners[0].address: required" },
	{ HEAD PROFILE "endpoints: {}\n", ":12: endpoints: 0 items" },
	{ HEAD TENANT PROFILE
	    "endpoints:\n  a: { ca: issuing, profile: device, tenant: contoso }\n",
	    ":15: endpoints.a.challenge: required" },
	{ HEAD "    crl_partitions: 12\n" TENANT PROFILE ENDPOINT,
	    ":4: cas.issuing.crl_partitions: is no power of two" },
	{ HEAD "    crl_partitions: 512\n" TENANT PROFILE ENDPOINT,
	    ":10: cas.issuing.crl_partitions: " },
	{ HEAD "    crl_partitions: 16\n" TENANT PROFILE ENDPOINT,
	    ":4: cas.issuing.crl_partitions: needs public_url" },
	{ HEAD "    crl_delta: true\n" TENANT PROFILE ENDPOINT,
	    ":4: cas.issuing.crl_delta: needs public_url" },
	/* unknown things */
	{ HEAD TENANT PROFILE ENDPOINT "endpoint: x\n", ":16: endpoint: unknown key" },
	{ HEAD TENANT PROFILE "endpoints:\n  a: { ca: issuing, profile: device, chalenge: intune, "
			      "tenant: contoso }\n",
	    ":15: endpoints.a.chalenge: unknown key" },
	{ HEAD TENANT PROFILE
	    "endpoints:\n  a: { ca: issuing, profile: device, challenge: ldap, tenant: contoso }\n",
	    ":15: endpoints.a.challenge: \"ldap\" is none of intune|static|otp|approval|webhook" },
	{ HEAD TENANT "profiles:\n  device: { eku: { allow: [clientAuht] } }\n" ENDPOINT,
	    ":13: profiles.device.eku.allow: \"clientAuht\" is neither a known usage nor an OID" },
	{ HEAD TENANT "profiles:\n  device: { key_usage: { allow: [signing] } }\n" ENDPOINT,
	    ":13: profiles.device.key_usage.allow[0]: \"signing\" is none of" },
	{ HEAD TENANT "profiles:\n  device: { keys: { ec: [p521] } }\n" ENDPOINT,
	    ":13: profiles.device.keys.ec[0]: \"p521\" is none of p256|p384" },
	/* listeners */
	{ "listeners:\n  - address: localhost\n" TENANT PROFILE ENDPOINT
	  "cas: { issuing: { certificate: a, key: b, ra_certificate: c, ra_key: d } }\n",
	    ":2: listeners[0].address: \"localhost\" is not HOST:PORT" },
	{ "listeners:\n  - address: a:70000\n" TENANT PROFILE ENDPOINT
	  "cas: { issuing: { certificate: a, key: b, ra_certificate: c, ra_key: d } }\n",
	    ":2: listeners[0].address: \"a:70000\" is not HOST:PORT" },
	{ "listeners:\n  - address: ::1:80\n" TENANT PROFILE ENDPOINT
	  "cas: { issuing: { certificate: a, key: b, ra_certificate: c, ra_key: d } }\n",
	    ":2: listeners[0].address: \"::1:80\" is not HOST:PORT" },
	{ "listeners:\n  - address: a:80\n  - { address: a:443, certificate: x }\n" TENANT PROFILE
		ENDPOINT
	  "cas: { issuing: { certificate: a, key: b, ra_certificate: c, ra_key: d } }\n",
	    ":3: listeners[1].key: required with a certificate" },
	{ "listeners:\n  - address: a:80\n  - { address: a:443, key: x }\n" TENANT PROFILE ENDPOINT
	  "cas: { issuing: { certificate: a, key: b, ra_certificate: c, ra_key: d } }\n",
	    ":3: listeners[1].certificate: required with a key" },
	{ "listeners:\n  - address: a:80\n  - address: a:80\n" TENANT PROFILE ENDPOINT
	  "cas: { issuing: { certificate: a, key: b, ra_certificate: c, ra_key: d } }\n",
	    ":3: listeners[1].address: a:80 is given twice" },
	{ HEAD TENANT PROFILE ENDPOINT "admin:\n  address: 127.0.0.1:8080\n",
	    ":2: listeners[0].address: 127.0.0.1:8080 is the admin listener's" },
	{ HEAD TENANT PROFILE ENDPOINT "admin:\n  address: 9080\n",
	    ":16: admin.address: \"9080\" is not HOST:PORT" },
	{ HEAD TENANT PROFILE ENDPOINT "public_url: ca.contoso.com\n",
	    ":16: public_url: \"ca.contoso.com\" is not of the form http://NAME" },
	{ HEAD TENANT PROFILE ENDPOINT "public_url: http://\n", ":16: public_url: " },
	/* names */
	{ HEAD TENANT PROFILE "endpoints:\n  Wi_Fi: { ca: issuing, profile: device, challenge: "
			      "intune, tenant: contoso }\n",
	    ":15: endpoints.Wi_Fi: a name here is 1 to 63 of a-z" },
	{ HEAD
	    "  \"a/b\": { certificate: a, key: b, ra_certificate: c, ra_key: d }\n" TENANT PROFILE
		ENDPOINT,
	    ":10: cas.a/b: a name here" },
	/* references */
	{ HEAD TENANT PROFILE "endpoints:\n  a: { ca: isuing, profile: device, challenge: intune, "
			      "tenant: contoso }\n",
	    ":15: endpoints.a.ca: there is no \"isuing\" under cas" },
	{ HEAD TENANT PROFILE "endpoints:\n  a: { ca: issuing, profile: devise, challenge: intune, "
			      "tenant: contoso }\n",
	    ":15: endpoints.a.profile: there is no \"devise\" under profiles" },
	{ HEAD TENANT PROFILE "endpoints:\n  a: { ca: issuing, profile: device, challenge: intune, "
			      "tenant: fabrikam }\n",
	    ":15: endpoints.a.tenant: there is no \"fabrikam\" under tenants" },
	/* challenges */
	{ HEAD TENANT PROFILE
	    "endpoints:\n  a: { ca: issuing, profile: device, challenge: intune }\n",
	    ":15: endpoints.a.tenant: required with challenge: intune" },
	{ HEAD TENANT PROFILE "endpoints:\n  a: { ca: issuing, profile: device, challenge: intune, "
			      "tenant: contoso, challenge_file: lab.secret }\n",
	    ":15: endpoints.a.challenge_file: an endpoint with challenge: intune takes nothing "
	    "else" },
	{ HEAD TENANT PROFILE LAB
	    "endpoints:\n  a: { ca: issuing, profile: lab, challenge: static }\n",
	    ":16: endpoints.a.challenge_file: required with challenge: static" },
	{ HEAD TENANT PROFILE LAB "endpoints:\n  a: { ca: issuing, profile: lab, challenge: "
				  "static, challenge_file: lab.secret, tenant: contoso }\n",
	    ":16: endpoints.a.tenant: is not used with challenge: static" },
	{ HEAD TENANT PROFILE LAB ENDPOINT STATIC("nowhere.secret"),
	    ":17: endpoints.lab.challenge_file: " },
	{ HEAD TENANT PROFILE LAB ENDPOINT STATIC("empty.secret"),
	    ":17: endpoints.lab.challenge_file: the challenge secret has fewer than 8 characters" },
	{ HEAD TENANT PROFILE LAB ENDPOINT STATIC("short.secret"),
	    ":17: endpoints.lab.challenge_file: the challenge secret has fewer than 8 characters" },
	{ HEAD TENANT PROFILE LAB ENDPOINT STATIC("open.secret"),
	    ":17: endpoints.lab.challenge_file: " },
	{ HEAD TENANT PROFILE LAB ENDPOINT STATIC("group.secret"),
	    ":17: endpoints.lab.challenge_file: " },
	/* renewal (S08), strict endpoints (S38) */
	{ HEAD TENANT PROFILE "endpoints:\n  a: { ca: issuing, profile: device, challenge: intune, "
			      "tenant: contoso, renewal: { ask: never } }\n",
	    ":15: endpoints.a.renewal.ask: Intune is asked about every renewal" },
	{ HEAD TENANT PROFILE "endpoints:\n  a: { ca: issuing, profile: device, challenge: intune, "
			      "tenant: contoso, renewal: { from: [ b ] } }\n",
	    ":15: endpoints.a.renewal.from: there is no \"b\" under endpoints" },
	{ HEAD TENANT PROFILE "endpoints:\n  a: { ca: issuing, profile: device, challenge: intune, "
			      "tenant: contoso, renewal: { window: 101 } }\n",
	    ":15: endpoints.a.renewal.window: " },
	{ HEAD TENANT PROFILE "endpoints:\n  a: { ca: issuing, profile: device, challenge: intune, "
			      "tenant: contoso, compat: strict, capabilities: [ AES, SHA-1 ] }\n",
	    ":15: endpoints.a.capabilities: DES3 and SHA-1 are not taken with compat: strict" },
	{ HEAD TENANT PROFILE "endpoints:\n  a: { ca: issuing, profile: device, challenge: intune, "
			      "tenant: contoso, transient_signer: true }\n",
	    ":15: endpoints.a.transient_signer: is for elliptic keys, and no profile" },
	/* what a static challenge cannot vouch for */
	{ HEAD TENANT PROFILE "  lab: { san: { types: [] } }\n" ENDPOINT STATIC("lab.secret"),
	    ":17: endpoints.lab.profile: profile lab has no subject.allow" },
	{ HEAD TENANT PROFILE
	    "  lab: { subject: { allow: ['CN=*'] }, san: { types: [] } }\n" ENDPOINT STATIC(
		"lab.secret"),
	    ":17: endpoints.lab.profile: subject.allow of profile lab holds \"CN=*\", which any "
	    "name fits" },
	{ HEAD TENANT PROFILE
	    "  lab: { subject: { allow: ['CN=*.x', 'CN=?*,O=*'] }, san: { types: [] } }\n" ENDPOINT
		STATIC("lab.secret"),
	    ":17: endpoints.lab.profile: subject.allow of profile lab holds \"CN=?*,O=*\"" },
	{ HEAD TENANT PROFILE
	    "  lab: { subject: { allow: ['CN=*.x'] }, san: { types: [upn] } }\n" ENDPOINT STATIC(
		"lab.secret"),
	    ":17: endpoints.lab.profile: san.types of profile lab has upn without a san.allow that "
	    "bounds it" },
	{ HEAD TENANT PROFILE "  lab: { subject: { allow: ['CN=*.x'] }, san: { types: [upn], "
			      "allow: ['upn:*'] } }\n" ENDPOINT STATIC("lab.secret"),
	    ":17: endpoints.lab.profile: san.types of profile lab has upn without" },
	{ HEAD TENANT PROFILE "  lab: { subject: { allow: ['CN=*.x'] }, san: { types: [dns, uri], "
			      "allow: ['dns:*.x'] } }\n" ENDPOINT STATIC("lab.secret"),
	    ":17: endpoints.lab.profile: san.types of profile lab has uri without" },
	/* S15: of every profile of a static endpoint's map */
	{ HEAD TENANT PROFILE LAB
	    "endpoints:\n  lab: { ca: issuing, profile: lab, profiles: { signature: device }, "
	    "challenge: static, challenge_file: lab.secret }\n",
	    ":16: endpoints.lab.profile: profile device has no subject.allow" },
	{ HEAD TENANT PROFILE LAB "endpoints:\n  a: { ca: issuing, profile: lab, profiles: { "
				  "encryption: devise }, challenge: otp }\n",
	    ":16: endpoints.a.profiles.encryption: there is no \"devise\" under profiles" },
	/* S23: what may answer PENDING is never Intune's */
	{ HEAD TENANT PROFILE "endpoints:\n  a: { ca: issuing, profile: device, challenge: "
			      "approval, tenant: contoso }\n",
	    ":15: endpoints.a.tenant: an endpoint where requests wait for a decision cannot be "
	    "Intune's" },
	{ HEAD TENANT PROFILE
	    "endpoints:\n  a: { ca: issuing, profile: device, challenge: webhook, tenant: contoso, "
	    "webhook: { url: 'https://h/', secret_file: lab.secret } }\n",
	    ":15: endpoints.a.tenant: an endpoint where requests wait for a decision" },
	{ HEAD TENANT PROFILE "endpoints:\n  a: { ca: issuing, profile: device, challenge: intune, "
			      "tenant: contoso, decide_within: 1d }\n",
	    ":15: endpoints.a.decide_within: a request on an endpoint with challenge: intune "
	    "cannot wait" },
	/* keys of other kinds */
	{ HEAD TENANT PROFILE "endpoints:\n  a: { ca: issuing, profile: device, challenge: otp, "
			      "challenge_file: lab.secret }\n",
	    ":15: endpoints.a.challenge_file: is not used with challenge: otp" },
	{ HEAD TENANT PROFILE "endpoints:\n  a: { ca: issuing, profile: device, challenge: otp, "
			      "tenant: contoso }\n",
	    ":15: endpoints.a.tenant: is not used with challenge: otp" },
	{ HEAD TENANT PROFILE "endpoints:\n  a: { ca: issuing, profile: device, challenge: otp, "
			      "decide_within: 1d }\n",
	    ":15: endpoints.a.decide_within: is not used with challenge: otp" },
	{ HEAD TENANT PROFILE "endpoints:\n  a: { ca: issuing, profile: device, challenge: otp, "
			      "otp: { lifetime: 31d } }\n",
	    ":15: endpoints.a.otp.lifetime: is longer than otp.max_lifetime" },
	{ HEAD TENANT PROFILE "endpoints:\n  a: { ca: issuing, profile: device, challenge: "
			      "approval, otp: { lifetime: 1h } }\n",
	    ":15: endpoints.a.otp: is not used with challenge: approval" },
	{ HEAD TENANT PROFILE "endpoints:\n  a: { ca: issuing, profile: device, challenge: "
			      "approval, challenge_file: short.secret }\n",
	    ":15: endpoints.a.challenge_file: the challenge secret has fewer than 8" },
	/* webhooks */
	{ HEAD TENANT PROFILE "endpoints:\n  a: { ca: issuing, profile: device, challenge: "
			      "webhook }\n",
	    ":15: endpoints.a.webhook: required with challenge: webhook" },
	{ HEAD TENANT PROFILE
	    "endpoints:\n  a: { ca: issuing, profile: device, challenge: webhook, "
	    "webhook: { secret_file: lab.secret } }\n",
	    ":15: endpoints.a.webhook.url: required" },
	{ HEAD TENANT PROFILE
	    "endpoints:\n  a: { ca: issuing, profile: device, challenge: webhook, "
	    "webhook: { url: 'http://h.example/', secret_file: lab.secret } }\n",
	    ":15: endpoints.a.webhook.url: has to be https://" },
	{ HEAD TENANT PROFILE
	    "endpoints:\n  a: { ca: issuing, profile: device, challenge: webhook, "
	    "webhook: { url: 'http://127.0.0.1@h.example/', secret_file: lab.secret } }\n",
	    ":15: endpoints.a.webhook.url: is not of the form" },
	{ HEAD TENANT PROFILE
	    "endpoints:\n  a: { ca: issuing, profile: device, challenge: webhook, "
	    "webhook: { url: 'http://127.evil.example/', secret_file: lab.secret } }\n",
	    ":15: endpoints.a.webhook.url: has to be https://" },
	{ HEAD TENANT PROFILE
	    "endpoints:\n  a: { ca: issuing, profile: device, challenge: webhook, "
	    "webhook: { url: 'ftp://h/', secret_file: lab.secret } }\n",
	    ":15: endpoints.a.webhook.url: is not of the form" },
	{ HEAD TENANT PROFILE
	    "endpoints:\n  a: { ca: issuing, profile: device, challenge: webhook, "
	    "webhook: { url: 'https://h/', secret_file: open.secret } }\n",
	    ":15: endpoints.a.webhook.secret_file: " },
	{ HEAD TENANT PROFILE
	    "endpoints:\n  a: { ca: issuing, profile: device, challenge: webhook, "
	    "webhook: { url: 'https://h/', secret_file: short.secret } }\n",
	    ":15: endpoints.a.webhook.secret_file: the secret has fewer than 16" },
	/* S20: the administrator */
	{ HEAD TENANT PROFILE ENDPOINT "admin: { address: '0.0.0.0:9080', tokens_file: t }\n",
	    ":16: admin.tokens_file: needs HTTPS" },
	{ HEAD TENANT PROFILE ENDPOINT "admin: { address: '127.evil.example:9080', tokens_file: t "
				       "}\n",
	    ":16: admin.tokens_file: needs HTTPS" },
	{ HEAD TENANT PROFILE ENDPOINT "admin: { address: '*:9080', certificate: c }\n",
	    ":16: admin.key: required with a certificate" },
	{ HEAD TENANT PROFILE ENDPOINT "admin: { address: '*:9080', key: c }\n",
	    ":16: admin.certificate: required with a key" },
	/* tenants */
	{ HEAD "tenants:\n  contoso: { app_id: a }\n" PROFILE ENDPOINT,
	    ":11: tenants.contoso: needs either properties, or app_id, tenant and one of "
	    "app_key_file, " },
	{ HEAD "tenants:\n  contoso: { app_id: a, tenant: t, app_key_file: k, certificate_file: c "
	       "}\n" PROFILE ENDPOINT,
	    ":11: tenants.contoso: app_key_file, certificate_file, federated_token_file and "
	    "managed_identity exclude each other" },
	{ HEAD
	    "tenants:\n  contoso: { properties: p, app_key_expires: next May }\n" PROFILE ENDPOINT,
	    ":11: tenants.contoso.app_key_expires: \"next May\" is no day as 2027-05-01" },
	{ HEAD "tenants:\n  contoso: { managed_identity: system, app_key_expires: 2027-05-01 "
	       "}\n" PROFILE ENDPOINT,
	    ":11: tenants.contoso.app_key_expires: is of the client secret, and this app has "
	    "none" },
	{ HEAD OTHER_CA
	    "  t: { certificate: a, key: 'pkcs11:token=x', ra_certificate: c, ra_key: d }\n" TENANT
		PROFILE ENDPOINT,
	    ":11: cas.t.key: pkcs11:token=x: the URI names no key" },
	{ HEAD "  t: { certificate: a, key: 'pkcs11:object=x?pin-value=1', ra_certificate: c, "
	       "ra_key: d }\n" TENANT PROFILE ENDPOINT,
	    ":10: cas.t.key: pkcs11:object=x: pin-value is not taken" },
	{ HEAD "tenants:\n  contoso: { app_id: a, managed_identity: system, app_key_file: k "
	       "}\n" PROFILE ENDPOINT,
	    ":11: tenants.contoso: app_key_file, certificate_file" },
	{ HEAD
	    "tenants:\n  contoso: { properties: p, managed_identity: system }\n" PROFILE ENDPOINT,
	    ":11: tenants.contoso.properties: excludes app_id" },
	{ HEAD "tenants:\n  contoso: {}\n" PROFILE ENDPOINT, ":11: tenants.contoso: needs either" },
	{ HEAD "tenants:\n  contoso: { properties: p, tenant: t }\n" PROFILE ENDPOINT,
	    ":11: tenants.contoso.properties: excludes app_id" },
	{ HEAD "tenants:\n  contoso: { properties: p, proxy: { host: h, port: 99999 } }\n" PROFILE
		ENDPOINT,
	    ":11: tenants.contoso.proxy.port: \"99999\" is not a number from 1 to 65535" },
	{ HEAD "tenants:\n  contoso: { properties: p, proxy: { host: h, port: 80, password_file: x "
	       "} }\n" PROFILE ENDPOINT,
	    ":11: tenants.contoso.proxy.user: required with a password_file" },
	/* profiles */
	{ HEAD TENANT "profiles:\n  device: { subject: { attributes: [CN, FOO] } }\n" ENDPOINT,
	    ":13: profiles.device.subject.attributes: \"FOO\" is no attribute" },
	{ HEAD TENANT "profiles:\n  device: { subject: { allow: ['*.x'] } }\n" ENDPOINT,
	    ":13: profiles.device.subject.allow: pattern \"*.x\"" },
	{ HEAD TENANT "profiles:\n  device: { san: { types: [ip] } }\n" ENDPOINT,
	    ":13: profiles.device.san.types[0]: \"ip\" is none of" },
	{ HEAD TENANT "profiles:\n  device: { san: { types: [dns], allow: ['upn:*'] } }\n" ENDPOINT,
	    ":13: profiles.device.san.allow: \"upn:*\" is for upn, which san.types lacks" },
	{ HEAD TENANT "profiles:\n  device: { eku: { allow: [anyExtendedKeyUsage] } }\n" ENDPOINT,
	    ":13: profiles.device.eku.allow: 2.5.29.37.0 is never issued (any purpose)" },
	{ HEAD TENANT
	    "profiles:\n  device: { eku: { allow: [clientAuth, OCSPSigning] } }\n" ENDPOINT,
	    ":13: profiles.device.eku.allow: 1.3.6.1.5.5.7.3.9 is never issued" },
	{ HEAD TENANT "profiles:\n  device: { eku: { default: [serverAuth] } }\n" ENDPOINT,
	    ":13: profiles.device.eku.default: 1.3.6.1.5.5.7.3.1 is not in eku.allow" },
	{ HEAD TENANT "profiles:\n  device: { keys: { rsa: { min: 1024 } } }\n" ENDPOINT,
	    ":13: profiles.device.keys.rsa.min: \"1024\" is not a number from 2048 to 8192" },
	{ HEAD TENANT "profiles:\n  device: { keys: { rsa: { max: 0 } } }\n" ENDPOINT,
	    ":13: profiles.device.keys: no key type is taken" },
	{ HEAD TENANT "profiles:\n  device: { validity: { default: 3y } }\n" ENDPOINT,
	    ":13: profiles.device.validity.default: is longer than validity.max" },
	{ HEAD TENANT "profiles:\n  device: { validity: { max: forever } }\n" ENDPOINT,
	    ":13: profiles.device.validity.max: " },
	{ HEAD TENANT "profiles:\n  device: { crl_urls: [ca.contoso.com/x.crl] }\n" ENDPOINT,
	    ":13: profiles.device.crl_urls: \"ca.contoso.com/x.crl\" is no http:// address" },
	{ HEAD NEXT_CA TENANT
	    "profiles:\n  device: { crl_urls: ['http://x/issuing.crl'] }\n" ENDPOINT,
	    ":14: profiles.device.crl_urls: \"http://x/issuing.crl\" is the address of one CA, and "
	    "next "
	    "replaces issuing" },
};

/* Of several CAs at once, or one after the other: the address names whichever issues. */
static void
addresses_of_a_profile_name_the_ca_that_issues(void **state)
{
	static const char *const files[] = {
		HEAD OTHER_CA TENANT PROFILE ENDPOINT
		"  two: { ca: other, profile: device, challenge: intune, tenant: contoso }\n"
		"public_url: http://ca.contoso.com\n",
		HEAD NEXT_CA TENANT PROFILE ENDPOINT "public_url: http://ca.contoso.com\n",
	};
	struct folder *f = *state;

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		struct config *c = loaded(f, files[i]);
		const struct profile *p = c->profiles.v;

		assert_string_equal(p->crl_urls[0], "http://ca.contoso.com/crl/{ca}.crl");
		assert_string_equal(p->ca_issuer_urls[0], "http://ca.contoso.com/ca/{ca}.crt");
		config_free(c);
	}
}

/* The kinds beside intune and static, with as little as they need, and with all. */
static void
kinds_of_endpoints_are_taken(void **state)
{
	struct folder *f = *state;
	struct config *c = loaded(f,
	    HEAD PROFILE LAB
	    "admin: { address: 'localhost:9080', tokens_file: admin.tokens }\n"
	    "endpoints:\n"
	    "  once: { ca: issuing, profile: device, challenge: otp }\n"
	    "  ask: { ca: issuing, profile: device, challenge: approval }\n"
	    "  both: { ca: issuing, profile: device, challenge: approval, challenge_file: "
	    "lab.secret, decide_within: 2d }\n"
	    "  hook: { ca: issuing, profile: lab, profiles: { signature: device }, challenge: "
	    "webhook, webhook: { url: 'http://[::1]:8080/x', secret_file: lab.secret } }\n");
	const struct conf_endpoint *e = c->endpoints.v;
	const char *names[CONF_ENDPOINT_PROFILES];

	assert_int_equal(e[0].challenge, CHALLENGE_OTP);
	assert_int_equal(e[0].otp.lifetime, 3600);
	assert_int_equal(e[0].otp.max_lifetime, 30 * 86400);
	assert_int_equal(e[1].challenge, CHALLENGE_APPROVAL);
	assert_int_equal(e[1].decide_within, 7 * 86400);
	assert_int_equal(e[2].decide_within, 2 * 86400);
	assert_string_equal(e[2].challenge_file, in(f, "lab.secret"));
	assert_int_equal(e[3].challenge, CHALLENGE_WEBHOOK);
	assert_int_equal(e[3].webhook.timeout, 10);
	assert_false(e[3].webhook.send_challenge);
	assert_int_equal(config_endpoint_profiles(names, &e[3]), 2);
	assert_string_equal(names[1], "device");
	assert_true(config_endpoint_issues_by(&e[3], "device"));
	assert_false(config_endpoint_issues_by(&e[0], "lab"));
	assert_string_equal(c->admin.tokens_file, in(f, "admin.tokens"));
	config_free(c);
}

/* Files and sockets are different rights, and count from the folder of the file. */
static void
what_a_token_needs_is_named(void **state)
{
	struct folder *f = *state;
	struct config *c = loaded(f,
	    HEAD TENANT PROFILE ENDPOINT "pkcs11:\n"
					 "  module: lib/p11.so\n"
					 "  paths: [tokens, /dev/tpmrm0]\n"
					 "  sockets: [/run/pcscd/pcscd.comm, p11.sock]\n");

	assert_string_equal(c->pkcs11.module, in(f, "lib/p11.so"));
	assert_int_equal(c->pkcs11.paths.n, 2);
	assert_string_equal(c->pkcs11.paths.v[0], in(f, "tokens"));
	assert_string_equal(c->pkcs11.paths.v[1], "/dev/tpmrm0");
	assert_int_equal(c->pkcs11.sockets.n, 2);
	assert_string_equal(c->pkcs11.sockets.v[0], "/run/pcscd/pcscd.comm");
	assert_string_equal(c->pkcs11.sockets.v[1], in(f, "p11.sock"));
	assert_false(c->pkcs11.network);
	config_free(c);
}

static void
wrong_files_are_answered_with_line_key_and_sentence(void **state)
{
	struct folder *f = *state;
	size_t i, bad = 0;

	for (i = 0; i < sizeof(wrongs) / sizeof(wrongs[0]); i++) {
		char want[512];
		struct config *c = NULL;
		struct err err = { 0 };
		enum rc rc;

		snprintf(want, sizeof(want), "%s%s", f->path, wrongs[i].want);
		rc = load(f, &c, wrongs[i].yaml, &err);
		if (rc == RC_CONFIG && strncmp(err.msg, want, strlen(want)) == 0)
			continue;
		print_error(
		    "%zu: got %s \"%s\"\n   want    \"%s\"\n", i, rc_name(rc), err.msg, want);
		config_free(c);
		bad++;
	}
	assert_int_equal(bad, 0);
}

static void
near_misses_are_guessed(void **state)
{
	struct folder *f = *state;
	struct config *c = NULL;
	struct err err = { 0 };

	put(f, "scepd.yaml",
	    HEAD TENANT PROFILE "endpoints:\n  a: { ca: isuing, profile: device, challenge: "
				"intune, tenant: contoso }\n",
	    0600);
	assert_int_equal(config_load(&c, f->path, &err), RC_CONFIG);
	assert_string_equal(err.hint, "did you mean \"issuing\"?");
	put(f, "scepd.yaml",
	    HEAD TENANT "profiles:\n  device: { eku: { allow: [clientAuht] } }\n" ENDPOINT, 0600);
	assert_int_equal(config_load(&c, f->path, &err), RC_CONFIG);
	assert_string_equal(err.hint, "did you mean \"clientAuth\"?");
}

static void
missing_file_is_not_found(void **state)
{
	struct config *c = NULL;
	struct err err = { 0 };

	assert_int_equal(config_load(&c, in(*state, "nowhere.yaml"), &err), RC_NOTFOUND);
	assert_null(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(short_file_is_enough_and_defaults_are_sane),
		cmocka_unit_test(profile_words_become_bits_and_oids),
		cmocka_unit_test(eku_without_a_default_is_client_auth_or_all_that_is_allowed),
		cmocka_unit_test(public_url_gives_crl_and_issuer_addresses),
		cmocka_unit_test(partitions_are_in_the_address_that_is_made),
		cmocka_unit_test(static_endpoint_with_bounded_names_is_taken),
		cmocka_unit_test(missing_names_are_null),
		cmocka_unit_test(kinds_of_endpoints_are_taken),
		cmocka_unit_test(what_a_token_needs_is_named),
		cmocka_unit_test(addresses_of_a_profile_name_the_ca_that_issues),
		cmocka_unit_test(wrong_files_are_answered_with_line_key_and_sentence),
		cmocka_unit_test(near_misses_are_guessed),
		cmocka_unit_test(missing_file_is_not_found),
	};

	return cmocka_run_group_tests_name("config", tests, folder_with_secrets, folder_free);
}
