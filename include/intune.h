/*
 * intune.h - libintune: Microsoft Intune's SCEP management API from C.
 *
 * The counterpart of Microsoft's IntuneScepServiceClient (Java, C#): validate a SCEP request,
 * tell Intune of success or failure. One client per tenant and app registration; it holds the
 * tokens and the service map and is meant to live long.
 *
 *	struct intune_config c;
 *	struct intune_client *cl;
 *	struct intune_error e;
 *
 *	intune_config_init(&c);
 *	c.aad_app_id = ...;
 *	c.aad_app_key = ...;
 *	c.tenant = "contoso.onmicrosoft.com";
 *	c.provider_name_and_version = "MyCA 1.0";
 *	if (intune_client_new(&cl, &c, &e) != INTUNE_OK)
 *		...
 *	if (intune_validate_request(cl, transaction_id, csr, csr_len, &e) == INTUNE_OK)
 *		issue ...
 *
 * Rules that callers live by: anything but INTUNE_OK from validate or from the success
 * notification means that no certificate may be handed out.  A failure notification is for
 * failures after a good validation, never for a failure of these calls themselves.
 *
 * Besides: revocation requests are downloaded and their results uploaded, and the directory (Entra,
 * Intune's device list) is asked whether a user or device still exists.
 *
 * Threads: any number may use one client at once; tokens and discovery are shared, fetched once.
 * Calls block up to the time limits.
 * Memory: strings in the config are copied.  struct intune_error is plain data on the caller's
 * stack.
 */
#ifndef INTUNE_H
#define INTUNE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct intune_client;

enum intune_status {
	INTUNE_OK = 0,
	INTUNE_E_ARGUMENT, /* the caller's argument or configuration; nothing was sent */
	INTUNE_E_NOMEM,
	INTUNE_E_AUTH,       /* Entra refused the app: aadsts says why */
	INTUNE_E_PERMISSION, /* 401/403 from Graph or Intune: consent or a role is missing */
	INTUNE_E_DISCOVERY,  /* the tenant's service list lacks the service of the call */
	INTUNE_E_REFUSED, /* Intune answered, and the answer is not exactly "Success": see code */
	INTUNE_E_UNAVAILABLE, /* connect, TLS, timeout, 429, 5xx: the same call may work later */
	INTUNE_E_PROTOCOL,    /* the answer is not what the service sends */
};

/* Where in the sequence it happened. */
enum intune_step {
	INTUNE_STEP_NONE,
	INTUNE_STEP_CONFIG,
	INTUNE_STEP_TOKEN,
	INTUNE_STEP_DISCOVERY,
	INTUNE_STEP_VALIDATE,
	INTUNE_STEP_SUCCESS,
	INTUNE_STEP_FAILURE,
	INTUNE_STEP_DOWNLOAD,  /* downloadRevocationRequests */
	INTUNE_STEP_UPLOAD,    /* uploadRevocationResults */
	INTUNE_STEP_DIRECTORY, /* a look-up in Microsoft Graph */
	INTUNE_STEP__MAX
};

/*
 * The codes that Microsoft's libraries name; open-ended: an unknown one is INTUNE_CODE_UNKNOWN
 * with its text kept.
 */
enum intune_code {
	INTUNE_CODE_UNKNOWN,
	INTUNE_CODE_SUCCESS,
	INTUNE_CODE_CERTIFICATE_REQUEST_DECODING_FAILED,
	INTUNE_CODE_CHALLENGE_PASSWORD_MISSING,
	INTUNE_CODE_CHALLENGE_DESERIALIZATION_ERROR,
	INTUNE_CODE_CHALLENGE_DECRYPTION_ERROR,
	INTUNE_CODE_CHALLENGE_DECODING_ERROR,
	INTUNE_CODE_CHALLENGE_INVALID_TIMESTAMP,
	INTUNE_CODE_CHALLENGE_EXPIRED,
	INTUNE_CODE_SUBJECT_NAME_MISSING,
	INTUNE_CODE_SUBJECT_NAME_MISMATCH,
	INTUNE_CODE_SUBJECT_ALT_NAME_MISSING,
	INTUNE_CODE_SUBJECT_ALT_NAME_MISMATCH,
	INTUNE_CODE_KEY_USAGE_MISMATCH,
	INTUNE_CODE_KEY_LENGTH_MISMATCH,
	INTUNE_CODE_ENHANCED_KEY_USAGE_MISSING,
	INTUNE_CODE_ENHANCED_KEY_USAGE_MISMATCH,
	INTUNE_CODE_AAD_KEY_IDENTIFIER_LIST_MISSING,
	INTUNE_CODE_REGISTERED_KEY_MISMATCH,
	INTUNE_CODE_SIGNING_CERT_THUMBPRINT_MISMATCH,
	INTUNE_CODE_SCEP_PROFILE_NO_LONGER_TARGETED_TO_THE_CLIENT,
	INTUNE_CODE_SIGNATURE_VALIDATION_FAILED,
	INTUNE_CODE_BAD_CERTIFICATE_REQUEST_ID_IN_CHALLENGE,
	INTUNE_CODE_BAD_DEVICE_ID_IN_CHALLENGE,
	INTUNE_CODE_BAD_USER_ID_IN_CHALLENGE,
	/* seen from the service, in neither library's enum */
	INTUNE_CODE_BAD_TENANT_ID_IN_CHALLENGE,
	INTUNE_CODE__MAX
};
const char *intune_code_name(enum intune_code c);  /* "ChallengeExpired"; static */
enum intune_code intune_code_parse(const char *s); /* exact and case-sensitive */
const char *intune_step_name(enum intune_step s);
const char *intune_status_name(enum intune_status s);

struct intune_error {
	enum intune_status status;
	enum intune_step step;
	enum intune_code code; /* with INTUNE_E_REFUSED */
	char code_text[96];    /* as sent by the service */
	char description[512]; /* the service's words, or those of what answered for it; one line */
	int http_status;       /* 0: no answer */
	long aadsts;           /* 7000215 ..., 0: none */
	char transaction_id[256];
	char activity_id
	    [40]; /* the client-request-id that was sent: what Microsoft support asks for */
	char request_id[64]; /* the service's own id, if it sent one */
	long retry_after;    /* seconds, -1: not said */
	unsigned elapsed_ms; /* of the whole call */
	char message[512];   /* one line for the log: step, host, cause */
	char hint[256];      /* what an administrator does about it; "" if nothing */
};

/*
 * Same names and defaults as Microsoft's properties.  NULL takes the default; no default:
 * required.
 *
 * The app proves itself in exactly one of five ways: aad_app_key; aad_app_key_file;
 * app_certificate_file with app_certificate_key_file; federated_token_file; managed_identity.
 * Files are read when the client is made and again when they have changed, looked at no more often
 * than every 10 s and after every refusal of Entra's: a new secret needs no restart.
 */
struct intune_config {
	const char *aad_app_id;       /* AAD_APP_ID, required but with managed_identity */
	const char *aad_app_key;      /* AAD_APP_KEY; a secret: copied, wiped at free */
	const char *aad_app_key_file; /* AAD_APP_KEY_FILE: the secret is the file's first line */
	/*
	 * APP_CERTIFICATE_FILE, APP_CERTIFICATE_KEY_FILE: PEM, the app's registered certificate and
	 * its RSA key; each token request carries an assertion signed with it (RFC 7523 2.2).  The
	 * key's file may be the certificate's.
	 */
	const char *app_certificate_file, *app_certificate_key_file;
	const char *app_assertion_alg; /* APP_ASSERTION_ALG: "PS256" (default) or "RS256" */
	/* FEDERATED_TOKEN_FILE: somebody else's signed token (workload identity), sent as it is. */
	const char *federated_token_file;
	/*
	 * MANAGED_IDENTITY: "system", or the client id of a user-assigned identity: the machine's own
	 * token service is asked instead of Entra.
	 */
	const char *managed_identity;
	/*
	 * MANAGED_IDENTITY_ENDPOINT: default http://169.254.169.254/metadata/identity/oauth2/token,
	 * the one address to which plain http is allowed beside this machine itself.
	 */
	const char *managed_identity_endpoint;
	/*
	 * MANAGED_IDENTITY_HEADER: a secret; when given, the endpoint is spoken to as App Service
	 * wants it (X-IDENTITY-HEADER, api-version 2019-08-01).
	 */
	const char *managed_identity_header;
	const char *tenant; /* TENANT, required: GUID or domain; ignored with managed_identity */
	/*
	 * CLOUD: "public" (default; "commercial"), "gcc", "gcchigh" ("gcc-high"), "dod", "china"
	 * ("21vianet"), in any case: the defaults of the three URLs below.  A URL that is given wins.
	 * "china" has no known intune_resource_url: it must be given.
	 */
	const char *cloud;
	const char *provider_name_and_version; /* PROVIDER_NAME_AND_VERSION, required, not empty */
	const char *auth_authority; /* AUTH_AUTHORITY, https://login.microsoftonline.com/ */
	const char *intune_app_id;  /* INTUNE_APP_ID, 0000000a-0000-0000-c000-000000000000 */
	const char
	    *intune_resource_url; /* INTUNE_RESOURCE_URL, https://api.manage.microsoft.com/ */
	const char *ms_graph_api_version;  /* MS_GRAPH_API_VERSION, 1.0 */
	const char *ms_graph_resource_url; /* MS_GRAPH_RESOURCE_URL, https://graph.microsoft.com/ */
	const char *scep_service_version;  /* ScepRequestValidationFEServiceVersion, 2018-02-20 */
	const char *revocation_service_version; /* PkiConnectorFEServiceVersion, 5019-05-05 (sic) */
	const char *proxy_host;                 /* PROXY_HOST */
	const char *proxy_port;                 /* PROXY_PORT, 0..65535, required with a host */
	const char *proxy_user;                 /* PROXY_USER */
	const char *proxy_pass;                 /* PROXY_PASS, required with a user */
	const char *ca_file;                    /* PEM trust anchors instead of the system's */
	unsigned connect_ms;                    /* 0: 5000 */
	unsigned total_ms; /* one call including token and discovery; 0: 15000 */
};
void intune_config_init(struct intune_config *c);
/*
 * Set one property by Microsoft's name ("AAD_APP_ID" ...).  `value` must outlive the use of `c`.
 * INTUNE_E_ARGUMENT for an unknown name. Properties of Microsoft's that have no meaning here
 * (GRAPH_RESOURCE_URL, GRAPH_API_VERSION ...) are taken and ignored.
 */
enum intune_status intune_config_set(
    struct intune_config *c, const char *name, const char *value, struct intune_error *err);

/* No network.  Checks every argument; says which property is wrong. */
enum intune_status intune_client_new(
    struct intune_client **out, const struct intune_config *c, struct intune_error *err);
void intune_client_free(struct intune_client *c);
/*
 * Before or after the first call.  `configure` gets libcurl's SSL_CTX * of each new connection;
 * return 0 to go on.
 */
enum intune_status intune_client_set_tls_context(struct intune_client *c,
    int (*configure)(void *ssl_ctx, void *arg), void *arg, struct intune_error *err);

/*
 * validateRequest.  csr: PKCS#10 DER exactly as the device sent it, challengePassword included.
 * INTUNE_OK only for code exactly "Success". err is filled in both cases (ids and times on
 * success too); it may be NULL.
 */
enum intune_status intune_validate_request(struct intune_client *c, const char *transaction_id,
    const uint8_t *csr, size_t csr_len, struct intune_error *err);

struct intune_success {
	const char *transaction_id;
	const uint8_t *csr;
	size_t csr_len;
	const char *thumbprint;            /* SHA-1 of the certificate, hex */
	const char *serial;                /* hex, upper case, no separators */
	const char *expiration;            /* "2027-11-21T06:20:57.000Z" */
	const char *issuer;                /* name of the issuing authority */
	const char *ca_configuration;      /* may be NULL (sent as null-free: left out) */
	const char *certificate_authority; /* may be NULL */
};
enum intune_status intune_send_success_notification(
    struct intune_client *c, const struct intune_success *s, struct intune_error *err);

/*
 * hresult: Win32 code that describes the failure, sent as the number given. description: at most
 * 255 UTF-16 units are sent.
 */
enum intune_status intune_send_failure_notification(struct intune_client *c,
    const char *transaction_id, const uint8_t *csr, size_t csr_len, int64_t hresult,
    const char *description, struct intune_error *err);

/*
 * Token and discovery without a request: a configuration check.  With INTUNE_OK err->hint warns when
 * the app's certificate expires within INTUNE_EXPIRY_DAYS days, and is "" otherwise.
 */
#define INTUNE_EXPIRY_DAYS 30
enum intune_status intune_check(struct intune_client *c, struct intune_error *err);

/*
 * Each service of a client has a circuit breaker.  Five calls in a row without an answer (no
 * connection, time-out, 407, 408, 429, 502, 503, 504; from Entra and Graph any 5xx) open it: calls
 * that need the service then fail at once with INTUNE_E_UNAVAILABLE, http_status 0, retry_after and
 * a hint, for half a second to a second at first, up to half a minute as the outage lasts, or as
 * long as a Retry-After asks (at most 5 minutes).  Then one call at a time is let through; the first
 * answer closes it.  Refusals and argument errors never count; nor does a 500 of the SCEP or the
 * revocation service, which may be about that one request: a device must not be able to shut out the
 * others by sending a bad one.
 */
enum intune_service {
	INTUNE_SERVICE_LOGIN, /* Entra, or whoever gives tokens */
	INTUNE_SERVICE_GRAPH, /* discovery and the directory */
	INTUNE_SERVICE_SCEP,
	INTUNE_SERVICE_REVOCATION,
	INTUNE_SERVICE__MAX
};
enum intune_circuit {
	INTUNE_CIRCUIT_CLOSED,
	INTUNE_CIRCUIT_OPEN,
	INTUNE_CIRCUIT_HALF_OPEN, /* the next call is let through */
};
struct intune_service_state {
	enum intune_circuit circuit;
	unsigned failures; /* calls in a row without an answer */
	unsigned retry_ms; /* INTUNE_CIRCUIT_OPEN: until the next call is let through */
	uint64_t opened;   /* how often, since the client was made; a failed attempt counts */
	uint64_t refused;  /* requests that were not sent */
};
/* No network, does not block: for metrics and logs. */
void intune_client_service(
    struct intune_client *c, enum intune_service s, struct intune_service_state *out);
const char *intune_service_name(enum intune_service s); /* "login", "graph", "scep" ...; static */

/*
 * A new secret in the place of aad_app_key, for callers who keep it elsewhere than in a file; taken
 * up by the next token request.  Copied.
 */
enum intune_status intune_client_set_app_key(
    struct intune_client *c, const char *app_key, struct intune_error *err);

/* What the app proves itself with at this moment. */
struct intune_credential {
	const char *kind;  /* "client secret", "certificate", "managed identity" ...; static */
	const char *cloud; /* "public", "gcchigh" ...: whose addresses are the defaults; static */
	int64_t not_after; /* of the certificate, Unix seconds; 0: not known on this side */
};
/*
 * Look at the credential's files now instead of at the next token request.  No network.
 * INTUNE_E_ARGUMENT when they cannot be used: what was read before stays in force, and `out` (may be
 * NULL) describes that; it is written in both cases.
 */
enum intune_status intune_client_reload(
    struct intune_client *c, struct intune_credential *out, struct intune_error *err);

/* ---- revocation (Microsoft's IntuneRevocationClient; PkiConnectorFEService) ---- */

/* One certificate that Intune wants revoked.  Strings belong to the list. */
struct intune_revocation_request {
	const char *request_context;  /* opaque; goes back unchanged with the result */
	const char *serial_number;    /* as sent in the success notification */
	const char *issuer_name;      /* may be NULL */
	const char *ca_configuration; /* may be NULL */
};
struct intune_revocation_list;

#define INTUNE_REVOCATION_MAX 500u /* requests of one download: the service's own limit */

/*
 * downloadRevocationRequests.  max_requests: 1..INTUNE_REVOCATION_MAX.  transaction_id is for the
 * caller's own records and never sent.  issuer_name: NULL for all.  The service compares it with
 * the caConfiguration of the success notification, and only after it has cut the list to
 * max_requests: an empty list does not prove that nothing waits.  The same request comes again
 * until a result for it has been uploaded.
 * *out is the caller's; give it back with intune_revocation_list_free().  Entries that cannot be
 * answered (no requestContext or serialNumber) are passed over: INTUNE_OK, and err->message says how
 * many; it is "" otherwise.
 */
enum intune_status intune_download_revocation_requests(struct intune_client *c,
    const char *transaction_id, unsigned max_requests, const char *issuer_name,
    struct intune_revocation_list **out, struct intune_error *err);
size_t intune_revocation_list_count(const struct intune_revocation_list *l);
/* Valid as long as the list; NULL when i is not below the count. */
const struct intune_revocation_request *intune_revocation_list_get(
    const struct intune_revocation_list *l, size_t i);
void intune_revocation_list_free(struct intune_revocation_list *l); /* NULL is allowed */

/* Why a certificate was not revoked; the numbers are Microsoft's. */
enum intune_revocation_code {
	INTUNE_REVOCATION_NONE = 0, /* it was */
	/* Intune does not ask again */
	INTUNE_REVOCATION_NON_RETRYABLE = 4000,
	INTUNE_REVOCATION_DATA_SERIALIZATION = 4001,
	INTUNE_REVOCATION_PARAMETER_DATA_INVALID = 4002,
	INTUNE_REVOCATION_CRYPTOGRAPHY = 4003,
	INTUNE_REVOCATION_CERTIFICATE_NOT_FOUND = 4004,
	INTUNE_REVOCATION_CONFLICT = 4005,
	INTUNE_REVOCATION_NOT_SUPPORTED = 4006,
	INTUNE_REVOCATION_PAYLOAD_TOO_LARGE = 4007,
	/* Intune asks again */
	INTUNE_REVOCATION_RETRYABLE = 4100,
	INTUNE_REVOCATION_SERVICE_UNAVAILABLE = 4101,
	INTUNE_REVOCATION_SERVICE_TOO_BUSY = 4102,
	INTUNE_REVOCATION_AUTHENTICATION = 4103,
};
const char *intune_revocation_code_name(
    enum intune_revocation_code c); /* "ConflictError"; static */

struct intune_revocation_result {
	const char *request_context; /* of the request; not empty */
	bool succeeded;              /* true exactly when code is INTUNE_REVOCATION_NONE */
	enum intune_revocation_code code;
	const char *message; /* why not, at most 1024 bytes; NULL or "" when it succeeded */
};
/*
 * uploadRevocationResults.  n: 1..INTUNE_REVOCATION_MAX.  INTUNE_OK only when the service says
 * true; INTUNE_E_REFUSED when it says false: the requests come again.
 */
enum intune_status intune_upload_revocation_results(struct intune_client *c,
    const char *transaction_id, const struct intune_revocation_result *results, size_t n,
    struct intune_error *err);

/* ---- the directory, through Microsoft Graph ---- */

/*
 * What an answer proves.  A certificate may be revoked for good on GONE, and on DELETED if that is
 * the policy: a failure to ask is never an answer, and a name or filter that found nothing is no
 * proof either (users are renamed, the service's indexes lag behind).
 *
 * All of it is about the client's own tenant: whoever lives in another one is GONE in this.  Keep
 * with each certificate which tenant vouched for it, ask no other, and stop when a run would make
 * an implausible share of them GONE.
 */
enum intune_presence {
	INTUNE_PRESENCE_UNKNOWN, /* the call failed */
	INTUNE_PRESENCE_FOUND,
	INTUNE_PRESENCE_NOT_LISTED, /* nothing has this name or property now */
	INTUNE_PRESENCE_DELETED,    /* in the recycle bin: can be restored for 30 days */
	INTUNE_PRESENCE_GONE, /* asked for by its id; Graph itself said that it is not there */
};
const char *intune_presence_name(enum intune_presence p); /* "found", "not listed" ...; static */

/* Yes, no, or not told: Graph sends null for what was never evaluated. */
enum intune_tristate { INTUNE_UNSAID = -1, INTUNE_NO = 0, INTUNE_YES = 1 };

/*
 * Times are Unix seconds, 0: not told.  Strings are UTF-8, "" when not told, and cut to their size;
 * ids are GUIDs or "".  Names are what users and administrators typed, control characters included:
 * not fit for a terminal or a log as they are.
 */
struct intune_user {
	enum intune_presence presence;
	char id[40];
	char user_principal_name[256];
	char on_premises_sid[192];
	enum intune_tristate account_enabled;
	int64_t deleted;                     /* with INTUNE_PRESENCE_DELETED */
	int64_t sign_in_sessions_valid_from; /* moves when all sessions are revoked */
};
struct intune_device { /* an Entra device */
	enum intune_presence presence;
	char id[40];        /* of the directory object */
	char device_id[40]; /* what certificates name */
	char display_name[256];
	char operating_system[64], operating_system_version[64], trust_type[32];
	char on_premises_sid[192]; /* of a hybrid-joined one */
	enum intune_tristate account_enabled, is_compliant, is_managed;
	int64_t last_sign_in, registered;
};
struct intune_managed_device { /* a device enrolled in Intune */
	enum intune_presence presence;
	char id[40], entra_device_id[40], user_id[40];
	char user_principal_name[256], device_name[256];
	char serial_number[128], imei[40], wifi_mac[40];
	char operating_system[64], os_version[64], owner_type[32];
	char compliance_state[32];          /* "compliant", "inGracePeriod" ... */
	char management_state[32];          /* "managed", "wipePending" ...; beta only, else "" */
	char device_registration_state[48]; /* "registered", "revoked" ... */
	int64_t enrolled, last_sync;
	/* Of intune_find_managed_device_by(): another device has this property too, by its Entra id (two without one are two). */
	bool ambiguous;
};

/*
 * Each needs a permission of the app's own (User.Read.All, Device.Read.All,
 * DeviceManagementManagedDevices.Read.All); without it INTUNE_E_PERMISSION, and the hint names it.
 * INTUNE_OK with any presence but UNKNOWN; `out` is always written, and with any presence but FOUND
 * and DELETED holds nothing else.
 *
 * After 429 or 503 what Retry-After says is waited for, up to twice, if it fits into total_ms.
 * What is GONE may have been made seconds ago: the directory's copies need time to agree.
 */
/*
 * id_or_upn: the object's id (a GUID), or the user principal name.  By id: FOUND, DELETED or GONE.
 * By name: FOUND, DELETED (Entra renames what it deletes; the old name is looked for), or NOT_LISTED:
 * nobody has this name, though a user who was renamed may still be there.  Keep ids.
 */
enum intune_status intune_find_user(struct intune_client *c, const char *id_or_upn,
    struct intune_user *out, struct intune_error *err);
/* device_id: Entra's device id (a GUID), not the object's.  FOUND or GONE. */
enum intune_status intune_find_device(struct intune_client *c, const char *device_id,
    struct intune_device *out, struct intune_error *err);
/*
 * id: Intune's device id (a GUID).  FOUND or GONE; GONE only if the list of devices at the same
 * address answers and is not empty (empty: NOT_LISTED).  The beta version of Graph is asked first,
 * for management_state, then v1.0 unless beta has found it: v1.0 decides.
 */
enum intune_status intune_find_managed_device(struct intune_client *c, const char *id,
    struct intune_managed_device *out, struct intune_error *err);
/*
 * By another property: FOUND or NOT_LISTED; more than one match: the one that synchronised last.  Those are one device that
 * was enrolled more than once, or several whose maker gave them no serial number of their own: `ambiguous` tells.
 */
enum intune_managed_device_key { INTUNE_BY_ENTRA_DEVICE_ID, INTUNE_BY_SERIAL_NUMBER };
enum intune_status intune_find_managed_device_by(struct intune_client *c,
    enum intune_managed_device_key key, const char *value, struct intune_managed_device *out,
    struct intune_error *err);

/*
 * What has changed since a delta link (NULL: everything there is).  One of the two pointers is set
 * for each change, and valid until on_change returns.  A removed object has its id and presence
 * DELETED (can be restored) or GONE, and nothing else; last_sign_in is never told.  Return 0 to go
 * on; anything else ends the walk with INTUNE_OK and *delta_link_out NULL.
 */
struct intune_change {
	const struct intune_user *user;
	const struct intune_device *device;
};
typedef int (*intune_on_change)(const struct intune_change *change, void *arg);
enum intune_delta { INTUNE_DELTA_USERS, INTUNE_DELTA_DEVICES };
/*
 * Follows all pages (at most 10,000 of them, each with its own time limit).  Each page is told once
 * it is there as a whole; after a failure later on, begin with the same link again: changes may come
 * twice.  *delta_link_out is what the next call begins with: the caller's, free() it; written only
 * with INTUNE_OK.  It is good for about 7 days and for this `kind` alone, and leads to Graph as
 * configured; one that leads elsewhere or is of the other kind is INTUNE_E_ARGUMENT.  A link that has become too old is INTUNE_E_REFUSED with code_text
 * "resyncRequired": begin anew with NULL.
 */
enum intune_status intune_follow_changes(struct intune_client *c, enum intune_delta kind,
    const char *delta_link, intune_on_change on_change, void *arg, char **delta_link_out,
    struct intune_error *err);

/*
 * Lists.  As with intune_follow_changes(): all pages are followed (at most 10,000), each with its own
 * time limit; a page is told once it is there as a whole; after a failure what was told holds and the
 * rest is not known.  Pointers are valid until the callback returns; it returns 0 to go on, anything
 * else ends the walk with INTUNE_OK.
 *
 * Who is told of is there.  Who is not is NOT thereby gone, whatever the list held, and less so if it
 * was empty: ask for him by his id.
 */

/*
 * The devices that Intune manages.  A page that is too large (4 MiB) makes the list begin again with smaller ones: a
 * device may be told more than once.  changed_since: Unix seconds, those alone that have synchronised
 * with Intune since then; 0: all of them.  What an administrator or a rule of Intune's changes on the
 * service's side (a wipe that waits, a compliance that has lapsed) moves no synchronisation: it is seen
 * with the device's next one, or when the device is asked for by its id.
 * Beta is asked first, for management_state; when it fails v1.0 is, from the beginning: a device may be
 * told of twice, the later one counts, and with management_state "" (not told).
 */
typedef int (*intune_on_managed_device)(const struct intune_managed_device *device, void *arg);
enum intune_status intune_list_managed_devices(struct intune_client *c, int64_t changed_since,
    intune_on_managed_device on_device, void *arg, struct intune_error *err);

/*
 * Who is in a group, those included who are in a group of the group.  group_id: the object's (a
 * GUID).  Needs GroupMember.Read.All, which tells ids; INTUNE_E_REFUSED with code_text
 * INTUNE_NO_SUCH_OBJECT: Graph itself says that there is no such group.
 */
#define INTUNE_NO_SUCH_OBJECT "Request_ResourceNotFound"
enum intune_member_kind {
	INTUNE_MEMBER_OTHER, /* a group, a contact, an application */
	INTUNE_MEMBER_USER,
	INTUNE_MEMBER_DEVICE
};
struct intune_member {
	enum intune_presence presence; /* FOUND */
	enum intune_member_kind kind;
	char id[40]; /* of the directory object */
};
typedef int (*intune_on_member)(const struct intune_member *member, void *arg);
enum intune_status intune_list_group_members(struct intune_client *c, const char *group_id,
    intune_on_member on_member, void *arg, struct intune_error *err);

/* What Identity Protection thinks of a user (needs IdentityRiskyUser.Read.All, and Entra ID P2). */
struct intune_risk {
	enum intune_presence presence;
	char id[40]; /* of the user */
	char user_principal_name[256];
	char risk_level[32]; /* "low", "medium", "high", "hidden", "none" */
	char risk_state[32]; /* "atRisk", "confirmedCompromised", "remediated", "dismissed" ... */
	enum intune_tristate is_deleted; /* the user is */
	int64_t updated;
};
typedef int (*intune_on_risk)(const struct intune_risk *risk, void *arg);
/* changed_since: Unix seconds, those alone whose risk has been judged anew since then; 0: everybody
 * who was ever at risk. */
enum intune_status intune_list_risky_users(struct intune_client *c, int64_t changed_since,
    intune_on_risk on_risk, void *arg, struct intune_error *err);
/*
 * user_id: the object's id (a GUID).  FOUND; NOT_LISTED: Identity Protection has never seen him at
 * risk, nor has he to be known to it: told only if the list at the same address answers.
 */
enum intune_status intune_find_risk(struct intune_client *c, const char *user_id,
    struct intune_risk *out, struct intune_error *err);

#ifdef __cplusplus
}
#endif
#endif
