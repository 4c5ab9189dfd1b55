/*
 * codes.c - the closed lists: Intune's result codes and Entra's AADSTS codes with what to do about
 * each, and the names of steps and statuses.
 */
#include <string.h>

#include "intune/error.h"

struct code_row {
	const char *name;
	const char *hint;
	bool about_bytes;
};

#define HINT_BLOB                                                                                  \
	"the challenge was not made by this tenant's Intune, or the CSR was changed on the way: "  \
	"compare the endpoint's tenant with the profile's"
#define HINT_CSR                                                                                   \
	"the request that arrived is not the PKCS#10 the device made: compare its length and hash"
#define HINT_EDIT                                                                                  \
	"the profile was edited after the challenge was made, or the device built another "
#define HINT_SYNC "; let the device sync with Intune and try again"

static const struct code_row codes[INTUNE_CODE__MAX] = {
	[INTUNE_CODE_UNKNOWN] = { "Unknown",
	    "Intune gave a code that is not in its published list: "
	    "see its description" },
	[INTUNE_CODE_SUCCESS] = { "Success", "" },
	[INTUNE_CODE_CERTIFICATE_REQUEST_DECODING_FAILED] = { "CertificateRequestDecodingFailed",
	    HINT_CSR, true },
	[INTUNE_CODE_CHALLENGE_PASSWORD_MISSING] = { "ChallengePasswordMissing",
	    "the request carries no challenge password: it does not come from an Intune SCEP "
	    "profile" },
	[INTUNE_CODE_CHALLENGE_DESERIALIZATION_ERROR] = { "ChallengeDeserializationError",
	    HINT_BLOB, true },
	[INTUNE_CODE_CHALLENGE_DECRYPTION_ERROR] = { "ChallengeDecryptionError", HINT_BLOB, true },
	[INTUNE_CODE_CHALLENGE_DECODING_ERROR] = { "ChallengeDecodingError", HINT_BLOB, true },
	[INTUNE_CODE_CHALLENGE_INVALID_TIMESTAMP] = { "ChallengeInvalidTimestamp",
	    "the challenge's times are not valid" HINT_SYNC },
	[INTUNE_CODE_CHALLENGE_EXPIRED] = { "ChallengeExpired",
	    "a challenge lives 60 minutes and this one is older: the device was offline or the "
	    "request "
	    "waited" HINT_SYNC },
	[INTUNE_CODE_SUBJECT_NAME_MISSING] = { "SubjectNameMissing",
	    HINT_EDIT "request: it has no subject" HINT_SYNC },
	[INTUNE_CODE_SUBJECT_NAME_MISMATCH] = { "SubjectNameMismatch",
	    HINT_EDIT "subject" HINT_SYNC
		      "; escaped + , ; = in a subject are known to fail: quote the "
		      "CN" },
	[INTUNE_CODE_SUBJECT_ALT_NAME_MISSING] = { "SubjectAltNameMissing",
	    HINT_EDIT "request: it has no alternative name" HINT_SYNC },
	[INTUNE_CODE_SUBJECT_ALT_NAME_MISMATCH] = { "SubjectAltNameMismatch",
	    HINT_EDIT "alternative name" HINT_SYNC },
	[INTUNE_CODE_KEY_USAGE_MISMATCH] = { "KeyUsageMismatch", HINT_EDIT "key usage" HINT_SYNC },
	[INTUNE_CODE_KEY_LENGTH_MISMATCH] = { "KeyLengthMismatch",
	    HINT_EDIT "key: compare its size with the profile's" HINT_SYNC },
	[INTUNE_CODE_ENHANCED_KEY_USAGE_MISSING] = { "EnhancedKeyUsageMissing",
	    HINT_EDIT "request: it has no extended key usage" HINT_SYNC },
	[INTUNE_CODE_ENHANCED_KEY_USAGE_MISMATCH] = { "EnhancedKeyUsageMismatch",
	    HINT_EDIT "extended key usage" HINT_SYNC },
	[INTUNE_CODE_AAD_KEY_IDENTIFIER_LIST_MISSING] = { "AadKeyIdentifierListMissing",
	    "the profile wants a Windows Hello key and the user has none registered in Entra" },
	[INTUNE_CODE_REGISTERED_KEY_MISMATCH] = { "RegisteredKeyMismatch",
	    "the request's key is not a Windows Hello key that the user has registered in Entra" },
	[INTUNE_CODE_SIGNING_CERT_THUMBPRINT_MISMATCH] = { "SigningCertThumbprintMismatch",
	    HINT_BLOB, true },
	[INTUNE_CODE_SCEP_PROFILE_NO_LONGER_TARGETED_TO_THE_CLIENT] = { "ScepProfileNoLongerTargete"
									"dToTheClient",
	    "the profile is no longer assigned to this device or user: expected after a change of "
	    "groups" },
	[INTUNE_CODE_SIGNATURE_VALIDATION_FAILED] = { "SignatureValidationFailed", HINT_BLOB,
	    true },
	[INTUNE_CODE_BAD_CERTIFICATE_REQUEST_ID_IN_CHALLENGE] = { "BadCertificateRequestIdInChallen"
								  "ge",
	    HINT_BLOB, true },
	[INTUNE_CODE_BAD_DEVICE_ID_IN_CHALLENGE] = { "BadDeviceIdInChallenge",
	    "Intune does not know the device in the challenge: was it enrolled anew?" },
	[INTUNE_CODE_BAD_USER_ID_IN_CHALLENGE] = { "BadUserIdInChallenge",
	    "Intune does not know the user in the challenge: was the account deleted or changed?" },
	[INTUNE_CODE_BAD_TENANT_ID_IN_CHALLENGE] = { "BadTenantIdInChallenge",
	    "the profile lives in another tenant than the app: set TENANT, AAD_APP_ID and "
	    "AAD_APP_KEY "
	    "of the profile's tenant" },
};

const char *
intune_code_name(enum intune_code c)
{
	if ((unsigned)c >= INTUNE_CODE__MAX)
		c = INTUNE_CODE_UNKNOWN;
	return codes[c].name;
}

enum intune_code
intune_code_parse(const char *s)
{
	unsigned i;

	for (i = 0; s != NULL && i < INTUNE_CODE__MAX; i++) {
		if (strcmp(s, codes[i].name) == 0)
			return (enum intune_code)i;
	}
	return INTUNE_CODE_UNKNOWN;
}

const char *
code_hint(enum intune_code c)
{
	if ((unsigned)c >= INTUNE_CODE__MAX)
		c = INTUNE_CODE_UNKNOWN;
	return codes[c].hint;
}

bool
code_is_about_bytes(enum intune_code c)
{
	return (unsigned)c < INTUNE_CODE__MAX && codes[c].about_bytes;
}

#define HINT_SCOPE                                                                                 \
	"check INTUNE_RESOURCE_URL and MS_GRAPH_RESOURCE_URL: they belong to the cloud of the "    \
	"tenant"
#define HINT_CLOCK "check this machine's clock"
#define HINT_KEY                                                                                   \
	"AAD_APP_KEY, or the file it comes from, is wrong: it must be the value of the app's "     \
	"client secret, not the secret's id"
#define HINT_CERT                                                                                  \
	"the app's certificate is not registered in Entra, or the assertion is not what Entra "    \
	"wants"
#define HINT_LATER "Entra could not answer now: try again later"

static const struct aadsts aadsts_codes[] = {
	{ 7000215, false, HINT_KEY },
	{ 7000222, false,
	    "the app's client secret has expired: make a new one in Entra and set AAD_APP_KEY, or "
	    "write it into the file it comes from" },
	{ 7000216, false, HINT_KEY },
	{ 7000218, false, HINT_KEY },
	{ 7000112, false, "the app is disabled in Entra: enable its enterprise application" },
	{ 700016, false, "the tenant has no such app: check AAD_APP_ID and TENANT" },
	{ 90002, false, "there is no such tenant: check TENANT, and AUTH_AUTHORITY for its cloud" },
	{ 900023, false, "TENANT must be the tenant's GUID or one of its domains" },
	{ 70011, false, HINT_SCOPE },
	{ 1002012, false, HINT_SCOPE },
	{ 500011, false,
	    "the resource is not in the tenant: check INTUNE_RESOURCE_URL, and that the tenant has "
	    "Intune" },
	{ 700027, false, HINT_CERT },
	{ 700021, false, HINT_CERT },
	{ 700023, false, HINT_CERT },
	{ 700024, false, HINT_CLOCK },
	{ 50034, false, "the account is not in the tenant: check AAD_APP_ID and TENANT" },
	{ 53003, false, "a Conditional Access policy for workload identities blocks the app" },
	{ 90033, true, HINT_LATER },
	{ 50196, true, HINT_LATER },
};

const struct aadsts *
aadsts_find(long code)
{
	size_t i;

	for (i = 0; i < sizeof(aadsts_codes) / sizeof(aadsts_codes[0]); i++) {
		if (aadsts_codes[i].code == code)
			return &aadsts_codes[i];
	}
	return NULL;
}

static const struct {
	enum intune_revocation_code code;
	const char *name;
} revocation_codes[] = {
	{ INTUNE_REVOCATION_NONE, "None" },
	{ INTUNE_REVOCATION_NON_RETRYABLE, "NonRetryableServiceException" },
	{ INTUNE_REVOCATION_DATA_SERIALIZATION, "DataSerializationError" },
	{ INTUNE_REVOCATION_PARAMETER_DATA_INVALID, "ParameterDataInvalidError" },
	{ INTUNE_REVOCATION_CRYPTOGRAPHY, "CryptographyError" },
	{ INTUNE_REVOCATION_CERTIFICATE_NOT_FOUND, "CertificateNotFoundError" },
	{ INTUNE_REVOCATION_CONFLICT, "ConflictError" },
	{ INTUNE_REVOCATION_NOT_SUPPORTED, "NotSupportedError" },
	{ INTUNE_REVOCATION_PAYLOAD_TOO_LARGE, "PayloadTooLargeError" },
	{ INTUNE_REVOCATION_RETRYABLE, "RetryableServiceException" },
	{ INTUNE_REVOCATION_SERVICE_UNAVAILABLE, "ServiceUnavailableException" },
	{ INTUNE_REVOCATION_SERVICE_TOO_BUSY, "ServiceTooBusyException" },
	{ INTUNE_REVOCATION_AUTHENTICATION, "AuthenticationException" },
};

const char *
revocation_code_find(enum intune_revocation_code c)
{
	size_t i;

	for (i = 0; i < sizeof(revocation_codes) / sizeof(revocation_codes[0]); i++) {
		if (revocation_codes[i].code == c)
			return revocation_codes[i].name;
	}
	return NULL;
}

const char *
intune_revocation_code_name(enum intune_revocation_code c)
{
	const char *name = revocation_code_find(c);

	return name != NULL ? name : "Unknown";
}

const char *
intune_step_name(enum intune_step s)
{
	static const char *const names[] = {
		[INTUNE_STEP_NONE] = "none",
		[INTUNE_STEP_CONFIG] = "config",
		[INTUNE_STEP_TOKEN] = "token",
		[INTUNE_STEP_DISCOVERY] = "discovery",
		[INTUNE_STEP_VALIDATE] = "validate",
		[INTUNE_STEP_SUCCESS] = "success",
		[INTUNE_STEP_FAILURE] = "failure",
		[INTUNE_STEP_DOWNLOAD] = "download",
		[INTUNE_STEP_UPLOAD] = "upload",
		[INTUNE_STEP_DIRECTORY] = "directory",
	};

	return (unsigned)s < sizeof(names) / sizeof(names[0]) ? names[s] : "none";
}

const char *
intune_status_name(enum intune_status s)
{
	static const char *const names[] = {
		[INTUNE_OK] = "ok",
		[INTUNE_E_ARGUMENT] = "argument",
		[INTUNE_E_NOMEM] = "nomem",
		[INTUNE_E_AUTH] = "auth",
		[INTUNE_E_PERMISSION] = "permission",
		[INTUNE_E_DISCOVERY] = "discovery",
		[INTUNE_E_REFUSED] = "refused",
		[INTUNE_E_UNAVAILABLE] = "unavailable",
		[INTUNE_E_PROTOCOL] = "protocol",
	};

	return (unsigned)s < sizeof(names) / sizeof(names[0]) ? names[s] : "protocol";
}

const char *
intune_service_name(enum intune_service s)
{
	static const char *const names[] = {
		[INTUNE_SERVICE_LOGIN] = "login",
		[INTUNE_SERVICE_GRAPH] = "graph",
		[INTUNE_SERVICE_SCEP] = "scep",
		[INTUNE_SERVICE_REVOCATION] = "revocation",
	};

	return (unsigned)s < sizeof(names) / sizeof(names[0]) ? names[s] : "none";
}
