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
 * Threads: any number may use one client at once; tokens and discovery are shared, fetched once.
 * Calls block up to the time limits.
 * Memory: strings in the config are copied.  struct intune_error is plain data on the caller's
 * stack.
 */
#ifndef INTUNE_H
#define INTUNE_H

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
	INTUNE_E_DISCOVERY,  /* the tenant's service list lacks the SCEP service */
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
	INTUNE_STEP_FAILURE
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
	char description[512]; /* the service's words; one line */
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
 */
struct intune_config {
	const char *aad_app_id;  /* AAD_APP_ID, required */
	const char *aad_app_key; /* AAD_APP_KEY, required; a secret: copied, wiped at free */
	const char *tenant;      /* TENANT, required: GUID or domain */
	const char *provider_name_and_version; /* PROVIDER_NAME_AND_VERSION, required, not empty */
	const char *auth_authority; /* AUTH_AUTHORITY, https://login.microsoftonline.com/ */
	const char *intune_app_id;  /* INTUNE_APP_ID, 0000000a-0000-0000-c000-000000000000 */
	const char
	    *intune_resource_url; /* INTUNE_RESOURCE_URL, https://api.manage.microsoft.com/ */
	const char *ms_graph_api_version;  /* MS_GRAPH_API_VERSION, 1.0 */
	const char *ms_graph_resource_url; /* MS_GRAPH_RESOURCE_URL, https://graph.microsoft.com/ */
	const char *scep_service_version;  /* ScepRequestValidationFEServiceVersion, 2018-02-20 */
	const char *proxy_host;            /* PROXY_HOST */
	const char *proxy_port;            /* PROXY_PORT, 0..65535, required with a host */
	const char *proxy_user;            /* PROXY_USER */
	const char *proxy_pass;            /* PROXY_PASS, required with a user */
	const char *ca_file;               /* PEM trust anchors instead of the system's */
	unsigned connect_ms;               /* 0: 5000 */
	unsigned total_ms;                 /* one call including token and discovery; 0: 15000 */
};
void intune_config_init(struct intune_config *c);
/*
 * Set one property by Microsoft's name ("AAD_APP_ID" ...).  `value` must outlive the use of `c`.
 * INTUNE_E_ARGUMENT for an unknown name. Properties of Microsoft's that have no meaning here
 * (GRAPH_RESOURCE_URL, GRAPH_API_VERSION, PkiConnectorFEServiceVersion ...) are taken and
 * ignored.
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
 * 255 characters are sent.
 */
enum intune_status intune_send_failure_notification(struct intune_client *c,
    const char *transaction_id, const uint8_t *csr, size_t csr_len, int64_t hresult,
    const char *description, struct intune_error *err);

/* Token and discovery without a request: a configuration check. */
enum intune_status intune_check(struct intune_client *c, struct intune_error *err);

#ifdef __cplusplus
}
#endif
#endif
