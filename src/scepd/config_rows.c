/*
 * config_rows.c - every key of scepd.yaml: type, default, range, one line of help.  Adding an
 * option is adding a row here, a field in config.h, and a paragraph in scepd.yaml(5).
 */
#include "scepd/config_int.h"

#define ROW(k, t, s, f) .key = (k), .type = (t), .offset = offsetof(struct s, f)
#define END                                                                                        \
	{                                                                                          \
		.key = NULL                                                                        \
	}

#define DAY 86400

static const struct conf_row listener_rows[] = {
	{ ROW("address", CONF_STR, conf_listener, address), .required = true,
	    .help = "HOST:PORT; * for all addresses" },
	{ ROW("certificate", CONF_PATH, conf_listener, certificate),
	    .help = "PEM, leaf first; makes the listener HTTPS" },
	{ ROW("key", CONF_PATH, conf_listener, key), .help = "PEM" },
	END,
};
static const struct conf_schema listener_schema = { "a listener", sizeof(struct conf_listener),
	listener_rows, 0, offsetof(struct conf_listener, line) };

static const struct conf_row admin_rows[] = {
	{ ROW("address", CONF_STR, config_file, c.admin.listener.address), .required = true,
	    .help = "HOST:PORT of /metrics, /healthz, /readyz, /api/v1; keep it private" },
	{ ROW("certificate", CONF_PATH, config_file, c.admin.listener.certificate),
	    .help = "PEM, leaf first; makes the listener HTTPS" },
	{ ROW("key", CONF_PATH, config_file, c.admin.listener.key), .help = "PEM" },
	{ ROW("tokens_file", CONF_PATH, config_file, c.admin.tokens_file),
	    .help = "who may use the API and mscep_admin, mode 0600; neither is served without" },
	END,
};
static const struct conf_schema admin_schema = { "admin", sizeof(struct config_file), admin_rows, 0,
	offsetof(struct config_file, admin_line) };

static const struct conf_row store_rows[] = {
	{ ROW("url", CONF_STR, config_file, c.store.url), .dflt = "sqlite:scepd.db",
	    .help = "sqlite:PATH, relative to this file" },
	END,
};
static const struct conf_schema store_schema = { "store", sizeof(struct config_file), store_rows, 0,
	offsetof(struct config_file, store_line) };

static const struct conf_row log_rows[] = {
	{ ROW("level", CONF_CHOICE, config_file, c.log.level), .dflt = "info",
	    .choices = "debug|info|warn|error", .help = "least level that is written" },
	{ ROW("format", CONF_CHOICE, config_file, c.log.format), .dflt = "text",
	    .choices = "text|json", .help = "key=value, or one JSON object a line" },
	END,
};
static const struct conf_schema log_schema = { "log", sizeof(struct config_file), log_rows, 0,
	CONF_NO_LINE };

static const struct conf_row limits_rows[] = {
	{ ROW("workers", CONF_U64, config_file, c.limits.workers), .dflt = "512", .min = 1,
	    .max = 4096, .help = "requests worked on at once; each may wait for Intune" },
	{ ROW("in_flight", CONF_U64, config_file, c.limits.in_flight), .dflt = "1024", .min = 1,
	    .max = 65536, .help = "requests worked on or waiting; past it: 503" },
	{ ROW("connections", CONF_U64, config_file, c.limits.connections), .dflt = "4096", .min = 1,
	    .max = 1000000,
	    .help = "open connections; past it one of the address that has most is closed" },
	{ ROW("address_share", CONF_U64, config_file, c.limits.address_share), .dflt = "50",
	    .min = 1, .max = 100,
	    .help = "percent of connections and in_flight that one address may have" },
	{ ROW("refusals", CONF_U64, config_file, c.limits.refusals), .dflt = "300", .min = 0,
	    .max = 1000000,
	    .help = "messages of one address refused in a minute; past it: 429; 0: any" },
	{ ROW("trusted_proxies", CONF_STR_LIST, config_file, c.limits.trusted_proxies), .max = 64,
	    .help = "addresses and networks of proxies whose X-Forwarded-For is believed" },
	{ ROW("drain", CONF_DURATION, config_file, c.limits.drain), .dflt = "30s", .min = 1,
	    .max = 600, .help = "at SIGTERM: how long to finish what was begun" },
	END,
};
static const struct conf_schema limits_schema = { "limits", sizeof(struct config_file), limits_rows,
	0, offsetof(struct config_file, limits_line) };

static const struct conf_row processes_rows[] = {
	{ ROW("front_user", CONF_STR, config_file, c.processes.front_user),
	    .help = "started as root: the account of the process that faces the network" },
	{ ROW("signer_user", CONF_STR, config_file, c.processes.signer_user),
	    .help = "started as root: the account of the process that holds the keys" },
	{ ROW("signer_state", CONF_PATH, config_file, c.processes.signer_state), .dflt = "signer",
	    .help = "folder of the signer's own: its audit, serial numbers, renewed certificates" },
	{ ROW("signer_threads", CONF_U64, config_file, c.processes.signer_threads), .dflt = "0",
	    .min = 0, .max = 64, .help = "signatures at a time; 0: two a core, at least 32" },
	END,
};
static const struct conf_schema processes_schema = { "processes", sizeof(struct config_file),
	processes_rows, 0, CONF_NO_LINE };

static const struct conf_row pkcs11_rows[] = {
	{ ROW("module", CONF_PATH, config_file, c.pkcs11.module), .required = true,
	    .help = "the token's PKCS#11 library" },
	{ ROW("paths", CONF_STR_LIST, config_file, c.pkcs11.paths), .max = 32,
	    .help = "folders and files that it needs beside system libraries" },
	{ ROW("sockets", CONF_STR_LIST, config_file, c.pkcs11.sockets), .max = 8,
	    .help = "unix sockets of a daemon that it calls; the signer has none otherwise" },
	{ ROW("network", CONF_BOOL, config_file, c.pkcs11.network), .dflt = "false",
	    .help = "it talks to its token by network: lets the signer do so" },
	END,
};
static const struct conf_schema pkcs11_schema = { "pkcs11", sizeof(struct config_file), pkcs11_rows,
	0, offsetof(struct config_file, pkcs11_line) };

static const struct conf_row ca_rows[] = {
	{ ROW("certificate", CONF_PATH, conf_ca, certificate), .required = true,
	    .help = "the issuing CA, PEM" },
	{ ROW("key", CONF_STR, conf_ca, key), .required = true,
	    .help = "its key: a PEM file, mode 0600, or pkcs11:... (RFC 7512)" },
	{ ROW("chain", CONF_STR_LIST, conf_ca, chain), .max = 8,
	    .help = "certificates above it up to the root, nearest first" },
	{ ROW("ra_certificate", CONF_PATH, conf_ca, ra_certificate), .required = true,
	    .help = "what devices encrypt to and verify replies with; RSA" },
	{ ROW("ra_key", CONF_STR, conf_ca, ra_key), .required = true,
	    .help = "its key: a PEM file, mode 0600, or pkcs11:..." },
	{ ROW("ra_validity", CONF_DURATION, conf_ca, ra_validity), .dflt = "730d", .min = 7 * DAY,
	    .max = 3653u * DAY, .help = "of RA certificates that the server renews by itself" },
	{ ROW("ocsp_key", CONF_STR, conf_ca, ocsp_key),
	    .help =
		"key of the OCSP responder; one is made and kept in signer_state unless given" },
	{ ROW("passphrase_file", CONF_STR, conf_ca, passphrase_file),
	    .help = "passphrase of the PEM keys: a file, credential:NAME (systemd) or prompt" },
	{ ROW("pin_file", CONF_STR, conf_ca, pin_file),
	    .help = "PIN of the token: a file, credential:NAME (systemd) or prompt" },
	{ ROW("replaces", CONF_STR, conf_ca, replaces),
	    .help = "the CA that this one is the next of: rollover" },
	{ ROW("issues", CONF_BOOL, conf_ca, issues), .dflt = "true",
	    .help = "false: retired; signs revocation lists and OCSP answers, no certificates" },
	{ ROW("max_per_hour", CONF_U64, conf_ca, max_per_hour), .dflt = "20000", .min = 1,
	    .max = 100000000, .help = "certificates that the signer signs in an hour, at most" },
	{ ROW("crl_validity", CONF_DURATION, conf_ca, crl_validity), .dflt = "7d", .min = 3600,
	    .max = 366 * DAY, .help = "thisUpdate to nextUpdate" },
	{ ROW("crl_delta", CONF_BOOL, conf_ca, crl_delta), .dflt = "false",
	    .help = "delta lists too: what changed since an earlier complete one" },
	{ ROW("crl_partitions", CONF_U64, conf_ca, crl_partitions), .dflt = "1", .min = 1,
	    .max = 256,
	    .help = "lists of a part of the certificates each: a power of two; 1: none" },
	{ ROW("crl_grace", CONF_DURATION, conf_ca, crl_grace), .dflt = "0s", .min = 0,
	    .max = 3653u * DAY,
	    .help = "how long an expired certificate stays on the list, at least crl_validity" },
	{ ROW("crl_dir", CONF_PATH, conf_ca, crl_dir),
	    .help = "folder for lists and certificate as files, for a web server or CDN" },
	/* The signer's own bound is 8 days, backdating included. */
	{ ROW("ocsp_validity", CONF_DURATION, conf_ca, ocsp_validity), .dflt = "1h", .min = 300,
	    .max = 7 * DAY, .help = "how long an OCSP answer may be kept" },
	END,
};
static const struct conf_schema ca_schema = { "a CA", sizeof(struct conf_ca), ca_rows,
	offsetof(struct conf_ca, name), offsetof(struct conf_ca, line) };

static const struct conf_row proxy_rows[] = {
	{ ROW("host", CONF_STR, conf_proxy, host), .required = true,
	    .help = "name or address of the HTTP proxy" },
	{ ROW("port", CONF_U64, conf_proxy, port), .required = true, .min = 1, .max = 65535,
	    .help = "its port" },
	{ ROW("user", CONF_STR, conf_proxy, user), .help = "for Basic or Digest authentication" },
	{ ROW("password_file", CONF_PATH, conf_proxy, password_file),
	    .help = "file that holds the password, mode 0600" },
	END,
};
static const struct conf_schema proxy_schema = { "a proxy", sizeof(struct conf_proxy), proxy_rows,
	0, CONF_NO_LINE };

static const struct conf_row tenant_rows[] = {
	{ ROW("properties", CONF_PATH, conf_tenant, properties),
	    .help = "Microsoft's properties file as it is, mode 0600" },
	{ ROW("app_id", CONF_STR, conf_tenant, app_id),
	    .help = "application (client) id of the app registration" },
	{ ROW("app_key_file", CONF_PATH, conf_tenant, app_key_file),
	    .help = "file that holds the client secret, mode 0600" },
	{ ROW("app_key_expires", CONF_STR, conf_tenant, app_key_expires),
	    .help = "the day on which the client secret ends, as in 2027-05-01: for warnings" },
	{ ROW("certificate_file", CONF_PATH, conf_tenant, certificate_file),
	    .help = "instead of a secret: the app's certificate, PEM" },
	{ ROW("certificate_key_file", CONF_PATH, conf_tenant, certificate_key_file),
	    .help = "its RSA key, PEM, mode 0600" },
	{ ROW("assertion_alg", CONF_STR, conf_tenant, assertion_alg),
	    .help = "how the key signs: PS256 (default) or RS256" },
	{ ROW("federated_token_file", CONF_PATH, conf_tenant, federated_token_file),
	    .help = "instead of a secret: a token that somebody else writes here" },
	{ ROW("managed_identity", CONF_STR, conf_tenant, managed_identity),
	    .help = "instead of a secret: system, or the client id of a user-assigned identity" },
	{ ROW("managed_identity_endpoint", CONF_STR, conf_tenant, managed_identity_endpoint),
	    .help = "where the machine's token service is, IMDS unless given" },
	{ ROW("managed_identity_header_file", CONF_PATH, conf_tenant, managed_identity_header_file),
	    .help = "App Service: file that holds the value of IDENTITY_HEADER, mode 0600" },
	{ ROW("tenant", CONF_STR, conf_tenant, tenant), .help = "tenant id or domain" },
	{ ROW("cloud", CONF_STR, conf_tenant, cloud),
	    .help = "public (default), gcc, gcchigh, dod or china: where the three below are" },
	{ ROW("auth_authority", CONF_STR, conf_tenant, auth_authority),
	    .help = "Entra, the cloud's unless given" },
	{ ROW("graph_url", CONF_STR, conf_tenant, graph_url),
	    .help = "Graph, the cloud's unless given" },
	{ ROW("intune_resource", CONF_STR, conf_tenant, intune_resource),
	    .help = "Intune, the cloud's unless given" },
	{ ROW("ca_file", CONF_PATH, conf_tenant, ca_file),
	    .help = "PEM trust anchors instead of the system's" },
	{ ROW("proxy", CONF_MAP, conf_tenant, proxy), .sub = &proxy_schema,
	    .help = "HTTP proxy on the way to Microsoft" },
	{ ROW("timeout", CONF_DURATION, conf_tenant, timeout), .dflt = "15s", .min = 1, .max = 120,
	    .help = "one question to Intune, token and discovery included" },
	{ ROW("directory", CONF_BOOL, conf_tenant, directory), .dflt = "true",
	    .help = "ask Graph about users and devices that have certificates, for rules" },
	{ ROW("revocation_queue", CONF_BOOL, conf_tenant, revocation_queue), .dflt = "true",
	    .help = "what Intune wants revoked is revoked, and reported" },
	END,
};
static const struct conf_schema tenant_schema = { "a tenant", sizeof(struct conf_tenant),
	tenant_rows, offsetof(struct conf_tenant, name), offsetof(struct conf_tenant, line) };

/* ---- profiles: every map of a profile is laid over the whole struct, so offsets count from its
 * start ------------------ */

#define PROFILE_MAP(id, label)                                                                     \
	static const struct conf_schema id##_schema = { label, sizeof(struct conf_profile),        \
		id##_rows, 0, CONF_NO_LINE }

#define SUBJECT_ATTRIBUTES "[CN, E, OU, O, L, ST, C, DC, SERIALNUMBER, UID, SN, G, I, T, STREET]"
#define KEY_USAGES         "digitalSignature|nonRepudiation|keyEncipherment|dataEncipherment|keyAgreement"

static const struct conf_row subject_rows[] = {
	{ ROW("attributes", CONF_STR_LIST, conf_profile, subject.attributes),
	    .dflt = SUBJECT_ATTRIBUTES, .max = 64, .help = "attributes that a subject may hold" },
	{ ROW("allow", CONF_STR_LIST, conf_profile, subject.allow),
	    .help = "patterns, one of which the subject must fit: CN=*.contoso.com,O=Contoso" },
	{ ROW("empty", CONF_BOOL, conf_profile, subject.empty), .dflt = "false",
	    .help = "an empty subject is taken, if there is an alternative name" },
	END,
};
PROFILE_MAP(subject, "subject");

static const struct conf_row san_rows[] = {
	{ ROW("types", CONF_STR_LIST, conf_profile, san.types), .dflt = "[email, upn, dns, uri]",
	    .choices = "email|upn|dns|uri",
	    .help = "types of alternative names that may occur; others are refused" },
	{ ROW("allow", CONF_STR_LIST, conf_profile, san.allow),
	    .help = "patterns by type, upn:*@contoso.com; a type without one takes any" },
	{ ROW("required", CONF_BOOL, conf_profile, san.required), .dflt = "false",
	    .help = "refuse requests without an alternative name" },
	END,
};
PROFILE_MAP(san, "san");

static const struct conf_row key_usage_rows[] = {
	{ ROW("allow", CONF_STR_LIST, conf_profile, key_usage.allow),
	    .dflt = "[digitalSignature, keyEncipherment]", .choices = KEY_USAGES,
	    .help = "what a request may ask for; the rest is dropped" },
	{ ROW("default", CONF_STR_LIST, conf_profile, key_usage.dflt), .choices = KEY_USAGES,
	    .help = "when it asks for none of these; all of allow unless given" },
	END,
};
PROFILE_MAP(key_usage, "key_usage");

static const struct conf_row eku_rows[] = {
	{ ROW("allow", CONF_STR_LIST, conf_profile, eku.allow), .dflt = "[clientAuth]", .min = 1,
	    .max = 64, .help = "names or OIDs that a request may ask for; the rest is dropped" },
	{ ROW("default", CONF_STR_LIST, conf_profile, eku.dflt), .max = 64,
	    .help = "when it asks for none of these; clientAuth, or all of allow, unless given" },
	END,
};
PROFILE_MAP(eku, "eku");

static const struct conf_row rsa_rows[] = {
	{ ROW("min", CONF_U64, conf_profile, keys.rsa.min), .dflt = "2048", .min = 2048,
	    .max = 8192, .help = "bits" },
	{ ROW("max", CONF_U64, conf_profile, keys.rsa.max), .dflt = "4096", .min = 0, .max = 8192,
	    .help = "bits; 0: RSA keys are not taken" },
	END,
};
PROFILE_MAP(rsa, "keys.rsa");

static const struct conf_row keys_rows[] = {
	{ .key = "rsa", .type = CONF_MAP, .offset = 0, .sub = &rsa_schema, .help = "RSA sizes" },
	{ ROW("ec", CONF_STR_LIST, conf_profile, keys.ec), .choices = "p256|p384",
	    .help = "curves that are taken; none unless given" },
	END,
};
PROFILE_MAP(keys, "keys");

static const struct conf_row validity_rows[] = {
	{ ROW("default", CONF_DURATION, conf_profile, validity.dflt), .dflt = "365d", .min = 3600,
	    .max = 3653u * DAY, .help = "when the request wishes nothing (Apple's never do)" },
	{ ROW("max", CONF_DURATION, conf_profile, validity.max), .dflt = "730d", .min = 3600,
	    .max = 3653u * DAY, .help = "longest that a request may wish" },
	{ ROW("from_request", CONF_BOOL, conf_profile, validity.from_request), .dflt = "true",
	    .help = "honour the wish that Windows and Android send" },
	END,
};
PROFILE_MAP(validity, "validity");

static const struct conf_row profile_rows[] = {
	{ .key = "subject",
	    .type = CONF_MAP,
	    .offset = 0,
	    .sub = &subject_schema,
	    .help = "rules for the subject" },
	{ .key = "san",
	    .type = CONF_MAP,
	    .offset = 0,
	    .sub = &san_schema,
	    .help = "rules for subject alternative names" },
	{ .key = "key_usage",
	    .type = CONF_MAP,
	    .offset = 0,
	    .sub = &key_usage_schema,
	    .help = "key usage" },
	{ .key = "eku",
	    .type = CONF_MAP,
	    .offset = 0,
	    .sub = &eku_schema,
	    .help = "extended key usage" },
	{ .key = "keys",
	    .type = CONF_MAP,
	    .offset = 0,
	    .sub = &keys_schema,
	    .help = "key types and sizes" },
	{ .key = "validity",
	    .type = CONF_MAP,
	    .offset = 0,
	    .sub = &validity_schema,
	    .help = "how long certificates live" },
	{ ROW("sha1_csr", CONF_BOOL, conf_profile, sha1_csr), .dflt = "false",
	    .help = "take requests signed with SHA-1" },
	{ ROW("backdate", CONF_DURATION, conf_profile, backdate), .dflt = "24h", .min = 0,
	    .max = 7 * DAY,
	    .help = "notBefore lies this long in the past, for devices whose clock is late" },
	{ ROW("digest", CONF_CHOICE, conf_profile, digest), .dflt = "sha256",
	    .choices = "sha256|sha384|sha512", .help = "of the CA's signature" },
	{ ROW("crl_urls", CONF_STR_LIST, conf_profile, crl_urls), .max = 8,
	    .help = "where the CRL is; PUBLIC_URL/crl/CA.crl unless given; none: no extension" },
	{ ROW("ca_issuer_urls", CONF_STR_LIST, conf_profile, ca_issuer_urls), .max = 8,
	    .help = "where the CA's certificate is; PUBLIC_URL/ca/CA.crt unless given; none: no "
		    "extension" },
	{ ROW("ocsp_urls", CONF_STR_LIST, conf_profile, ocsp_urls), .max = 8,
	    .help = "OCSP responders; PUBLIC_URL/ocsp/CA unless given; none: not named" },
	END,
};
static const struct conf_schema profile_schema = { "a profile", sizeof(struct conf_profile),
	profile_rows, offsetof(struct conf_profile, name), offsetof(struct conf_profile, line) };

/* ---- endpoints and the file itself ---- */

static const struct conf_row renewal_rows[] = {
	{ ROW("ask", CONF_CHOICE, conf_endpoint, renewal.ask), .dflt = "auto",
	    .choices = "auto|never|always",
	    .help = "is whoever decides on requests asked about renewals as well" },
	{ ROW("window", CONF_U64, conf_endpoint, renewal.window), .dflt = "30", .min = 1,
	    .max = 100,
	    .help = "nobody is asked in the last so many percent of the old one's life" },
	{ ROW("revoke_replaced", CONF_DURATION, conf_endpoint, renewal.revoke_replaced),
	    .dflt = "0", .min = 0, .max = 3653u * DAY,
	    .help = "so long after a renewal the old certificate is revoked; 0: never" },
	{ ROW("from", CONF_STR_LIST, conf_endpoint, renewal.from), .max = 16,
	    .help = "other endpoints whose certificates are renewed here too" },
	END,
};
static const struct conf_schema renewal_schema = { "renewal", sizeof(struct conf_endpoint),
	renewal_rows, 0, CONF_NO_LINE };
static const struct conf_row profile_map_rows[] = {
	{ .key = "signature",
	    .type = CONF_STR,
	    .offset = offsetof(struct conf_endpoint, profiles.signature) -
		offsetof(struct conf_endpoint, profiles),
	    .help = "requests for digitalSignature or nonRepudiation alone" },
	{ .key = "encryption",
	    .type = CONF_STR,
	    .offset = offsetof(struct conf_endpoint, profiles.encryption) -
		offsetof(struct conf_endpoint, profiles),
	    .help = "requests for keyEncipherment, dataEncipherment or keyAgreement alone" },
	{ .key = "general",
	    .type = CONF_STR,
	    .offset = offsetof(struct conf_endpoint, profiles.general) -
		offsetof(struct conf_endpoint, profiles),
	    .help = "requests for both, or for nothing" },
	END,
};
static const struct conf_schema profile_map_schema = { "a profile map",
	sizeof(((struct conf_endpoint *)0)->profiles), profile_map_rows, 0, CONF_NO_LINE };

static const struct conf_row otp_rows[] = {
	{ .key = "lifetime",
	    .type = CONF_DURATION,
	    .offset =
		offsetof(struct conf_endpoint, otp.lifetime) - offsetof(struct conf_endpoint, otp),
	    .dflt = "1h",
	    .min = 60,
	    .max = 90 * DAY,
	    .help = "of a one-time password, unless it is made with another" },
	{ .key = "max_lifetime",
	    .type = CONF_DURATION,
	    .offset = offsetof(struct conf_endpoint, otp.max_lifetime) -
		offsetof(struct conf_endpoint, otp),
	    .dflt = "30d",
	    .min = 60,
	    .max = 90 * DAY,
	    .help = "the longest that one may be made with" },
	END,
};
static const struct conf_schema otp_schema = { "otp", sizeof(((struct conf_endpoint *)0)->otp),
	otp_rows, 0, CONF_NO_LINE };

static const struct conf_row webhook_rows[] = {
	{ ROW("url", CONF_STR, conf_webhook, url), .required = true,
	    .help = "https:// address that decides; http:// only on this machine" },
	{ ROW("secret_file", CONF_PATH, conf_webhook, secret_file), .required = true,
	    .help = "file that holds the key of the signature (HMAC-SHA256), mode 0600" },
	{ ROW("ca_file", CONF_PATH, conf_webhook, ca_file),
	    .help = "PEM trust anchors instead of the system's" },
	{ ROW("timeout", CONF_DURATION, conf_webhook, timeout), .dflt = "10s", .min = 1, .max = 25,
	    .help = "for one decision; devices give up after about 30 seconds" },
	{ ROW("send_challenge", CONF_BOOL, conf_webhook, send_challenge), .dflt = "false",
	    .help = "the request's challenge is part of what is asked, and there must be one" },
	END,
};
static const struct conf_schema webhook_schema = { "a webhook", sizeof(struct conf_webhook),
	webhook_rows, 0, CONF_NO_LINE };

static const struct conf_row endpoint_rows[] = {
	{ ROW("ca", CONF_STR, conf_endpoint, ca), .required = true,
	    .help = "name of the CA that issues" },
	{ ROW("profile", CONF_STR, conf_endpoint, profile), .required = true,
	    .help = "name of the profile that decides" },
	{ ROW("challenge", CONF_CHOICE, conf_endpoint, challenge), .required = true,
	    .choices = "intune|static|otp|approval|webhook",
	    .help = "who says that a request is genuine" },
	{ ROW("tenant", CONF_STR, conf_endpoint, tenant),
	    .help = "with challenge intune: name of the tenant" },
	{ ROW("challenge_file", CONF_PATH, conf_endpoint, challenge_file),
	    .help = "with challenge static: file that holds the secret, mode 0600; "
		    "possible with approval and webhook" },
	{ ROW("profiles", CONF_MAP, conf_endpoint, profiles), .sub = &profile_map_schema,
	    .key_line_offset = offsetof(struct conf_endpoint, profiles_line),
	    .help = "profiles by the key usage that is asked for, as NDES's three templates" },
	{ ROW("otp", CONF_MAP, conf_endpoint, otp), .sub = &otp_schema,
	    .key_line_offset = offsetof(struct conf_endpoint, otp_line),
	    .help = "with challenge otp: bounds of one-time passwords" },
	{ ROW("webhook", CONF_MAP, conf_endpoint, webhook), .sub = &webhook_schema,
	    .key_line_offset = offsetof(struct conf_endpoint, webhook_line),
	    .help = "with challenge webhook: who decides" },
	{ ROW("decide_within", CONF_DURATION, conf_endpoint, decide_within), .dflt = "7d",
	    .min = 60, .max = 90 * DAY,
	    .key_line_offset = offsetof(struct conf_endpoint, decide_line),
	    .help = "with challenge approval or webhook: how long a request waits" },
	{ ROW("getcacert", CONF_CHOICE, conf_endpoint, getcacert), .dflt = "ra+chain+root",
	    .choices = "ca|ra+ca|ra+chain|ra+chain+root", .help = "what GetCACert answers" },
	{ ROW("capabilities", CONF_STR_LIST, conf_endpoint, capabilities),
	    .choices = "AES|DES3|GetNextCACert|POSTPKIOperation|Renewal|SCEPStandard|SHA-1|SHA-256|"
		       "SHA-384|SHA-512",
	    .help = "what GetCACaps answers; all of them unless given" },
	{ .key = "renewal",
	    .type = CONF_MAP,
	    .offset = 0,
	    .sub = &renewal_schema,
	    .help = "what an issued certificate is good for when it ends" },
	{ ROW("compat", CONF_CHOICE, conf_endpoint, compat), .dflt = "field",
	    .choices = "field|strict",
	    .help = "field: messages as devices write them; strict: RFC 8894 to the letter" },
	{ ROW("getcert", CONF_CHOICE, conf_endpoint, getcert), .dflt = "off",
	    .choices = "off|own|endpoint",
	    .help = "whose certificates GetCert hands out to holders of one" },
	{ ROW("getcrl", CONF_BOOL, conf_endpoint, getcrl), .dflt = "false",
	    .help = "GetCRL is answered, for holders of a certificate" },
	{ ROW("reuse_challenge", CONF_BOOL, conf_endpoint, reuse_challenge), .dflt = "false",
	    .help =
		"with challenge intune: one challenge may lead to certificates of several keys" },
	{ ROW("reply_chain", CONF_BOOL, conf_endpoint, reply_chain), .dflt = "false",
	    .help = "the CA's certificate follows the issued one in the reply; Apple needs false" },
	{ ROW("no_content", CONF_CHOICE, conf_endpoint, no_content), .dflt = "absent",
	    .choices = "absent|empty",
	    .help = "the content of FAILURE and PENDING, which have none; empty for old clients" },
	{ ROW("transient_signer", CONF_BOOL, conf_endpoint, transient_signer), .dflt = "false",
	    .help = "requests for EC keys may be signed with a throw-away RSA key" },
	END,
};
static const struct conf_schema endpoint_schema = { "an endpoint", sizeof(struct conf_endpoint),
	endpoint_rows, offsetof(struct conf_endpoint, name), offsetof(struct conf_endpoint, line) };

/* Laid over the whole file, as the maps of a profile are over theirs. */
static const struct conf_row revocation_rows[] = {
	{ ROW("interval", CONF_DURATION, config_file, c.revocation.interval), .dflt = "60s",
	    .min = 1, .max = 3600,
	    .help = "between two questions to a directory what has changed" },
	{ ROW("recheck", CONF_DURATION, config_file, c.revocation.recheck), .dflt = "1h", .min = 1,
	    .max = 7 * DAY,
	    .help = "a managed device that was not heard of for so long is asked about by its id" },
	{ ROW("sid_guard", CONF_BOOL, config_file, c.revocation.sid_guard), .dflt = "true",
	    .help = "a SID in a request has to be that of the user or device it is for" },
	{ ROW("denied_sids", CONF_STR_LIST, config_file, c.revocation.denied_sids), .max = 64,
	    .help = "SIDs, or their last numbers, that get no certificate, beside the well-known" },
	{ ROW("queue_interval", CONF_DURATION, config_file, c.revocation.queue_interval),
	    .dflt = "60s", .min = 1, .max = DAY,
	    .help = "how often Intune is asked what it wants revoked" },
	{ .key = "brake",
	    .type = CONF_MAP,
	    .offset = 0,
	    .sub = &conf_brake_schema,
	    .hint = CONF_BRAKE_HINT,
	    .help =
		"more than this at once is not done by rules before an administrator has said so" },
	{ .key = "exceptions",
	    .type = CONF_MAP,
	    .offset = 0,
	    .sub = &conf_exceptions_schema,
	    .help = "who may except a certificate from rules, and for how long" },
	END,
};
const struct conf_schema conf_revocation_schema = { "revocation", sizeof(struct config_file),
	revocation_rows, 0, CONF_NO_LINE };

static const struct conf_row config_rows[] = {
	{ ROW("listeners", CONF_LIST, config_file, c.listeners), .required = true, .min = 1,
	    .max = 64, .sub = &listener_schema, .help = "where devices connect" },
	{ .key = "admin",
	    .type = CONF_MAP,
	    .offset = 0,
	    .sub = &admin_schema,
	    .help = "the admin listener, apart from the public ones; none unless given" },
	{ .key = "store",
	    .type = CONF_MAP,
	    .offset = 0,
	    .sub = &store_schema,
	    .help = "where everything is remembered" },
	{ .key = "log",
	    .type = CONF_MAP,
	    .offset = 0,
	    .sub = &log_schema,
	    .help = "the log, on standard error" },
	{ .key = "limits",
	    .type = CONF_MAP,
	    .offset = 0,
	    .sub = &limits_schema,
	    .help = "bounds of load" },
	{ .key = "processes",
	    .type = CONF_MAP,
	    .offset = 0,
	    .sub = &processes_schema,
	    .help = "the two processes: who they run as, and the signer's folder" },
	{ .key = "pkcs11",
	    .type = CONF_MAP,
	    .offset = 0,
	    .sub = &pkcs11_schema,
	    .help = "where keys in a token are; none unless given" },
	{ ROW("public_url", CONF_STR, config_file, c.public_url),
	    .key_line_offset = offsetof(struct config_file, public_url_line),
	    .help = "http://NAME as everybody reaches this server; base of CRL and AIA addresses" },
	{ ROW("cas", CONF_NAMED, config_file, c.cas), .required = true, .min = 1, .max = 64,
	    .sub = &ca_schema, .help = "certification authorities by name" },
	{ ROW("foreign_cas", CONF_NAMED, config_file, c.foreign_cas), .max = 64,
	    .sub = &conf_foreign_schema,
	    .help = "CAs of others, for whose certificates this server answers too" },
	{ ROW("tenants", CONF_NAMED, config_file, c.tenants), .sub = &tenant_schema,
	    .help = "Intune tenants by name" },
	{ ROW("profiles", CONF_NAMED, config_file, raw_profiles), .required = true, .min = 1,
	    .sub = &profile_schema, .help = "what certificates may hold, by name" },
	{ ROW("rules", CONF_NAMED, config_file, raw_rules), .max = RULES_MAX,
	    .sub = &conf_rule_schema, .help = "what the directory's word does to certificates" },
	{ .key = "revocation",
	    .type = CONF_MAP,
	    .offset = 0,
	    .sub = &conf_revocation_schema,
	    .help = "what follows from the directory, and its bounds" },
	{ ROW("endpoints", CONF_NAMED, config_file, c.endpoints), .required = true, .min = 1,
	    .sub = &endpoint_schema, .help = "SCEP URLs by name: /scep/NAME" },
	END,
};
const struct conf_schema config_schema = { "the configuration", sizeof(struct config_file),
	config_rows, 0, CONF_NO_LINE };
