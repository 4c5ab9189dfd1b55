/*
 * codes.c - the table of codes and their fixed sentences.
 *
 * The service writes "<sentence>.<detail>".  The sentences of ChallengeExpired and
 * BadTenantIdInChallenge are the service's own; those of the others are not published.
 */
#include "intunesim/codes.h"

#include <stddef.h>
#include <string.h>

static const struct {
	const char *name, *sentence;
} codes[CODE__MAX] = {
	[CODE_UNKNOWN] = { "Unknown", "The request failed for an unknown reason." },
	[CODE_SUCCESS] = { "Success", "" },
	[CODE_CERTIFICATE_REQUEST_DECODING_FAILED] = { "CertificateRequestDecodingFailed",
	    "Failed to decode the certificate request." },
	[CODE_CHALLENGE_PASSWORD_MISSING] = { "ChallengePasswordMissing",
	    "The challenge password is missing from the certificate request." },
	[CODE_CHALLENGE_DESERIALIZATION_ERROR] = { "ChallengeDeserializationError",
	    "Failed to deserialize the SCEP challenge." },
	[CODE_CHALLENGE_DECRYPTION_ERROR] = { "ChallengeDecryptionError",
	    "Failed to decrypt the SCEP challenge." },
	[CODE_CHALLENGE_DECODING_ERROR] = { "ChallengeDecodingError",
	    "Failed to decode the SCEP challenge." },
	[CODE_CHALLENGE_INVALID_TIMESTAMP] = { "ChallengeInvalidTimestamp",
	    "The SCEP challenge has an invalid timestamp." },
	[CODE_CHALLENGE_EXPIRED] = { "ChallengeExpired", "SCEP challenge has expired." },
	[CODE_SUBJECT_NAME_MISSING] = { "SubjectNameMissing",
	    "The subject name is missing from the certificate request." },
	[CODE_SUBJECT_NAME_MISMATCH] = { "SubjectNameMismatch",
	    "The subject name in the certificate request does not match the challenge." },
	[CODE_SUBJECT_ALT_NAME_MISSING] = { "SubjectAltNameMissing",
	    "The subject alternative name is missing from the certificate request." },
	[CODE_SUBJECT_ALT_NAME_MISMATCH] = { "SubjectAltNameMismatch",
	    "The subject alternative name in the certificate request does not match the "
	    "challenge." },
	[CODE_KEY_USAGE_MISMATCH] = { "KeyUsageMismatch",
	    "The key usage in the certificate request does not match the challenge." },
	[CODE_KEY_LENGTH_MISMATCH] = { "KeyLengthMismatch",
	    "The key length in the certificate request does not match the challenge." },
	[CODE_ENHANCED_KEY_USAGE_MISSING] = { "EnhancedKeyUsageMissing",
	    "The enhanced key usage is missing from the certificate request." },
	[CODE_ENHANCED_KEY_USAGE_MISMATCH] = { "EnhancedKeyUsageMismatch",
	    "The enhanced key usage in the certificate request does not match the challenge." },
	[CODE_AAD_KEY_IDENTIFIER_LIST_MISSING] = { "AadKeyIdentifierListMissing",
	    "The device has no list of registered key identifiers." },
	[CODE_REGISTERED_KEY_MISMATCH] = { "RegisteredKeyMismatch",
	    "The key in the certificate request is not a registered key." },
	[CODE_SIGNING_CERT_THUMBPRINT_MISMATCH] = { "SigningCertThumbprintMismatch",
	    "The thumbprint of the signing certificate does not match." },
	[CODE_PROFILE_NO_LONGER_TARGETED] = { "ScepProfileNoLongerTargetedToTheClient",
	    "The SCEP profile is no longer targeted to the client." },
	[CODE_SIGNATURE_VALIDATION_FAILED] = { "SignatureValidationFailed",
	    "Failed to validate the signature." },
	[CODE_BAD_CERTIFICATE_REQUEST_ID] = { "BadCertificateRequestIdInChallenge",
	    "Failed to parse the certificate request id in the challenge." },
	[CODE_BAD_DEVICE_ID] = { "BadDeviceIdInChallenge",
	    "Failed to parse the device id in the challenge." },
	[CODE_BAD_USER_ID] = { "BadUserIdInChallenge",
	    "Failed to parse the user id in the challenge." },
	[CODE_BAD_TENANT_ID] = { "BadTenantIdInChallenge",
	    "Failed to parse the tenant id in the challenge." },
};

static size_t
row_of(enum scep_code c)
{
	return (unsigned)c < CODE__MAX ? c : CODE_UNKNOWN;
}

const char *
scep_code_name(enum scep_code c)
{
	return codes[row_of(c)].name;
}

const char *
scep_code_sentence(enum scep_code c)
{
	return codes[row_of(c)].sentence;
}

enum scep_code
scep_code_by_name(const char *name)
{
	for (int i = 0; i < CODE__MAX; i++) {
		if (strcmp(codes[i].name, name) == 0)
			return (enum scep_code)i;
	}
	return CODE_UNKNOWN;
}
