/*
 * config.h - scepd.yaml as structs.  Read by scepd and scepctl; every key is described in
 * scepd.yaml(5) and is a row in config_rows.c.
 *
 *	listeners:  [ { address: 0.0.0.0:8080 }, { address: ..., certificate: ..., key: ... } ]
 *	admin:      { address: 127.0.0.1:9080, tokens_file: admin.tokens }
 *	store:      { url: sqlite:scepd.db }
 *	public_url: http://ca.contoso.com
 *	cas:        { issuing: { certificate: ..., key: ..., chain: [...], ra_certificate: ... } }
 *	tenants:    { contoso: { properties: contoso.properties } }
 *	profiles:   { device: { subject: {...}, san: {...}, key_usage: {...}, ... } }
 *	foreign_cas: { adcs: { certificate: ..., crl: ..., ocsp_certificate: ..., ocsp_key: ... } }
 *	rules:      { wiped: { when: device-wiped, then: revoke } }
 *	endpoints:  { default: { ca: issuing, profile: device, challenge: intune, tenant: ... } }
 */
#ifndef SCEPD_SCEPD_CONFIG_H
#define SCEPD_SCEPD_CONFIG_H

#include "base/address.h"
#include "base/err.h"
#include "base/log.h"
#include "ca/directory_rule.h"
#include "ca/profile.h"
#include "conf/conf.h"

struct conf_listener {
	const char *address, *certificate, *key; /* certificate NULL: plain HTTP */
	int line;
};
/*
 * A key is a path (PEM) or an RFC 7512 URI ("pkcs11:token=ca;object=issuing"); a `_file` that holds a
 * secret is a path, "credential:NAME" (systemd's) or "prompt".  Paths are absolute after loading.
 */
struct conf_ca {
	const char *name, *certificate, *key, *ra_certificate, *ra_key;
	const char *ocsp_key;        /* NULL: the signer makes one and keeps it in its state */
	const char *passphrase_file; /* of the PEM keys; NULL: they are not encrypted */
	const char *pin_file;        /* of the token; NULL: the URI's pin-source */
	const char *replaces;        /* the CA that this one is the next of; NULL: none */
	bool issues;                 /* false: retired; signs CRLs and OCSP answers only */
	uint64_t max_per_hour;       /* certificates */
	struct conf_strs chain;
	int64_t crl_validity, ocsp_validity, ra_validity; /* seconds */
	int64_t crl_grace;       /* seconds that an expired certificate stays on the list */
	uint64_t crl_partitions; /* a power of two; 1: none but the complete list */
	bool crl_delta;
	const char *crl_dir; /* folder that lists are written to as well; NULL: none */
	int line;
};
/*
 * A CA that is not ours, for whose certificates we answer beside it (docs/foreign.md): what it has issued
 * is imported, what it says itself is read from its CRL, and rules and administrators add to that.
 */
struct conf_foreign {
	const char *name, *certificate;
	/* The responder that it has certified for us (RFC 6960 4.2.2.2); both NULL: no OCSP, verdicts alone. */
	const char *ocsp_certificate, *ocsp_key;
	const char *passphrase_file, *pin_file; /* of ocsp_key, as in conf_ca */
	const char *crl; /* its own list: a path, or http(s)://; NULL: is not read */
	const char
	    *tenant; /* whose directory knows those whom its certificates name; NULL: nobody's */
	int64_t crl_interval, ocsp_validity; /* seconds */
	int not_imported;                    /* enum not_imported */
	int line;
};
/* What OCSP says of a serial number that was not imported and is not in the CRL.  In the order of config_foreign.c. */
enum not_imported { NOT_IMPORTED_UNKNOWN, NOT_IMPORTED_GOOD };
struct conf_proxy {
	const char *host, *user, *password_file;
	uint64_t port;
};
struct conf_tenant {
	const char *name;
	const char *properties; /* Microsoft's properties file */
	const char *app_id, *tenant;
	/* How the app proves itself: one of five ways; the rest is NULL. */
	const char *app_key_file;
	const char *app_key_expires; /* of the secret, here or in the properties; config_day() */
	const char *certificate_file, *certificate_key_file, *assertion_alg;
	const char *federated_token_file;
	const char *managed_identity, *managed_identity_endpoint, *managed_identity_header_file;
	const char *cloud, *auth_authority, *graph_url, *intune_resource, *ca_file;
	struct conf_proxy proxy;
	int64_t timeout;
	bool directory;        /* ask Graph about those whom certificates are bound to */
	bool revocation_queue; /* Intune's is read and answered */
	int line;
};
/* Is whoever decides on requests asked about renewals too?  In the order of config_rows.c. */
enum renewal_ask {
	RENEWAL_ASK_AUTO, /* where the authority may have changed its mind since */
	RENEWAL_ASK_NEVER,
	RENEWAL_ASK_ALWAYS
};
/* Whose certificates GetCert hands out, to a signer who holds one.  In the order of config_rows.c. */
enum getcert { GETCERT_OFF, GETCERT_OWN, GETCERT_ENDPOINT };
enum compat { COMPAT_FIELD, COMPAT_STRICT };
enum no_content { NO_CONTENT_ABSENT, NO_CONTENT_EMPTY };
/* The kinds of endpoints: who says that a request is genuine.  In the order of config_rows.c. */
enum challenge_kind {
	CHALLENGE_INTUNE,
	CHALLENGE_STATIC,
	CHALLENGE_OTP,
	CHALLENGE_APPROVAL,
	CHALLENGE_WEBHOOK,
	CHALLENGE__MAX
};
struct conf_webhook {
	const char *url, *secret_file;
	const char *ca_file; /* NULL: the system's trust anchors */
	int64_t timeout;     /* seconds */
	bool send_challenge;
};
struct conf_endpoint {
	const char *name, *ca, *profile, *tenant;
	const char *challenge_file; /* required with static, possible with approval and webhook */
	int challenge;              /* enum challenge_kind */
	/* By the key usage that a request asks for, as NDES's three templates; NULL: `profile`. */
	struct {
		const char *signature, *encryption, *general;
	} profiles;
	struct {
		int64_t lifetime, max_lifetime; /* seconds */
	} otp;
	struct conf_webhook webhook;
	int64_t decide_within; /* seconds that a request waits for a decision */
	int otp_line, webhook_line, decide_line, profiles_line; /* 0: not in the file */
	int getcacert;                 /* 0 ca, 1 ra+ca, 2 ra+chain, 3 ra+chain+root (default) */
	struct conf_strs capabilities; /* empty: the default set */
	struct {
		int ask;                 /* enum renewal_ask */
		uint64_t window;         /* percent of the old certificate's life */
		int64_t revoke_replaced; /* seconds; 0: never */
		struct conf_strs from;   /* other endpoints whose certificates are renewed here */
	} renewal;
	int compat;  /* enum compat */
	int getcert; /* enum getcert */
	bool getcrl;
	int no_content;        /* enum no_content: of FAILURE and PENDING (quirk 54) */
	bool reuse_challenge;  /* Intune's, for another request once it has led to a certificate */
	bool reply_chain;      /* the CA's certificate after the issued one (quirk 48) */
	bool transient_signer; /* RSA throw-away signers of requests for elliptic keys */
	int line;
};
struct config {
	struct conf *source; /* owns what the file said; config_free() frees it and all else */
	const char *path;    /* as it was given */
	/* struct conf_listener, conf_ca, conf_foreign, conf_tenant, profile, conf_endpoint */
	struct conf_items listeners, cas, foreign_cas, tenants, profiles, endpoints;
	struct {
		struct conf_listener listener; /* address NULL: no admin listener */
		const char *tokens_file;       /* NULL: neither API nor mscep_admin */
	} admin;
	struct {
		const char *url;
	} store;
	struct {
		int level, format;
	} log;
	struct {
		const char *front_user, *signer_user; /* NULL: as started */
		const char *signer_state;             /* folder */
		uint64_t signer_threads;              /* 0: by the machine's cores, at least 32 */
	} processes;
	struct {
		const char *module; /* shared object; NULL: no PKCS#11 keys */
		struct conf_strs paths, sockets;
		bool network;
	} pkcs11;
	/* Rules about the directory, in the order of the file. */
	const struct directory_rule *rules;
	size_t n_rules;
	struct {
		int64_t interval, recheck; /* seconds */
		bool sid_guard;
		struct conf_strs denied_sids;
		int64_t queue_interval; /* seconds between polls of Intune's queue */
		/* A sweep of rules that would turn more than this stops: sweep_brake.h. */
		struct conf_brake {
			uint64_t percent, count, minimum; /* owners: sweep_brake.h */
			int64_t window;                   /* seconds */
		} brake;
		struct {
			bool second; /* another administrator has to confirm one */
			int64_t max; /* seconds */
		} exceptions;
	} revocation;
	const char *public_url;
	struct {
		uint64_t workers, in_flight, connections;
		uint64_t address_share; /* percent of these that one address may have */
		uint64_t refusals;      /* a minute, of one address; 0: any number */
		struct conf_strs trusted_proxies;
		struct net *trusted; /* the same */
		int64_t drain;
	} limits;
};

/* http:// or https://: where a key may say a file or an address. */
bool config_is_url(const char *where);

/* Looking up by name; NULL when there is none. */
const struct conf_ca *config_ca(const struct config *c, const char *name);
const struct conf_foreign *config_foreign(const struct config *c, const char *name);
const struct conf_tenant *config_tenant(const struct config *c, const char *name);
const struct profile *config_profile(const struct config *c, const char *name);
/* Names of all profiles by which an endpoint may issue: `out` holds CONF_ENDPOINT_PROFILES; returns
 * how many. */
#define CONF_ENDPOINT_PROFILES 4
size_t config_endpoint_profiles(
    const char *out[static CONF_ENDPOINT_PROFILES], const struct conf_endpoint *e);
/* One of them is `profile`. */
bool config_endpoint_issues_by(const struct conf_endpoint *e, const char *profile);

/* Read and check across sections (an endpoint's CA, profile, tenant exist; challenge rules S04,
 * S23; static endpoints need a subject rule S15). RC_CONFIG with file:line: key. */
enum rc config_load(struct config **out, const char *path, struct err *err) MUST_CHECK;
/* Of bytes that were read from there before. */
enum rc config_parse(struct config **out, const char *path, const void *bytes, size_t len,
    struct err *err) MUST_CHECK;
void config_free(struct config *c);
/* The rules of another file: a whole scepd.yaml, or one that has `rules:` alone (and `revocation:` for the
 * brake), whose filters then name what `names` has.  Only rules and revocation of *out are good for anything. */
enum rc config_load_rules(
    struct config **out, const char *path, const struct config *names, struct err *err) MUST_CHECK;
/* "2027-05-01", as Entra shows the end of a secret: that day's beginning, UTC.  RC_PARSE. */
enum rc config_day(int64_t *out, const char *text, struct err *err) MUST_CHECK;
/* Was the file written after the one that is open as `fd`?  False, too, when that cannot be said. */
bool config_is_newer(const struct config *c, int fd);
/* The key is in a token, not in a file. */
bool config_key_is_uri(const char *key);

#endif
