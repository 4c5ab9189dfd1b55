/* manner.c - see manner.h. */
#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "scep-client/manner.h"

#define PKI_MESSAGE "application/x-pki-message"
#define CAPS_SHA    (SCEP_CAP_SHA1 | SCEP_CAP_SHA256 | SCEP_CAP_SHA512)

static const struct manner manners[] = {
	{ .name = "plain",
	    .title = "RFC 8894",
	    .suffix = "",
	    .content_type = PKI_MESSAGE,
	    .renews_as = SCEP_RENEWAL_REQ,
	    .sends_validity = true },
	{ .name = "windows",
	    .title = "Windows",
	    .suffix = "/pkiclient.exe",
	    .caps_message = "default",
	    .message = "default",
	    .user_agent = "Mozilla/4.0 (compatible; Win32; NDES client 10.0.26100.1/ge_release)",
	    .content_type = PKI_MESSAGE,
	    .renews_as = SCEP_RENEWAL_REQ,
	    .oaep = true,
	    .sends_validity = true,
	    .needs_usage = true,
	    .needs_nonces = true,
	    .needs_eku = true },
#define APPLE(Name, Title, Agent)                                                                  \
	{                                                                                          \
		.name = Name, .title = Title, .suffix = "", .caps_message = "",                    \
		.message = "CA%20IDENT", .user_agent = Agent, .content_type = PKI_MESSAGE,         \
		.renews_as = SCEP_PKCS_REQ, .get_form = GET_RAW, .needs_apple = true,              \
		.needs_renewal = true, .needs_usage = true                                         \
	}
	APPLE("apple", "Apple", "profiled/1.0 CFNetwork/1568 Darwin/24"),
	APPLE("ios", "iOS", "profiled/1.0 CFNetwork/1568 Darwin/24"),
	APPLE("macos", "macOS", "mdmclient/1.0 CFNetwork/1568 Darwin/24"),
	{ .name = "android",
	    .title = "Android",
	    .suffix = "",
	    .caps_message = "ca",
	    .message = "ca",
	    .user_agent = "Dalvik/2.1.0 (Linux; U; Android 15)",
	    .content_type = "application/octet-stream",
	    .renews_as = SCEP_PKCS_REQ,
	    .sends_validity = true },
	{ .name = "cisco",
	    .title = "Cisco IOS",
	    .suffix = "/pkiclient.exe",
	    .caps_message = "trustpoint",
	    .message = "trustpoint",
	    .user_agent = "Mozilla/4.0 (compatible; MSIE 5.0; Cisco PKI)",
	    .renews_as = SCEP_PKCS_REQ,
	    .get_form = GET_LINES,
	    .get_only = true,
	    .http10 = true,
	    .old_algorithms = true },
	{ .name = "jscep",
	    .title = "jscep",
	    .suffix = "",
	    .message = "",
	    .user_agent = "Java/17.0.9",
	    .content_type = "application/octet-stream",
	    .renews_as = SCEP_PKCS_REQ,
	    .ber = true,
	    .exact_types = true },
	{ .name = "strongswan",
	    .title = "strongSwan",
	    .suffix = "",
	    .user_agent = "",
	    .content_type = PKI_MESSAGE,
	    .renews_as = SCEP_RENEWAL_REQ,
	    .get_form = GET_LINES,
	    .sha1_id = true,
	    .needs_each = true,
	    .needs_renewal = true },
	{ .name = "sscep",
	    .title = "sscep",
	    .suffix = "",
	    .message = "CAIdentifier",
	    .user_agent = "",
	    .renews_as = SCEP_PKCS_REQ,
	    .pick = PICK_LAST_RA,
	    .closes = true,
	    .exact_types = true },
};

const struct manner *
manner_by_name(const char *name)
{
	for (size_t i = 0; i < sizeof(manners) / sizeof(manners[0]); i++)
		if (strcmp(manners[i].name, name) == 0)
			return &manners[i];
	return NULL;
}

const struct manner *
manner_plain(void)
{
	return &manners[0];
}

/* ---- what a platform stops at ---- */

enum rc
manner_takes_type(const struct manner *m, const char *operation, const char *type, const char *want,
    struct err *err)
{
	if (!m->exact_types || strcasecmp(type, want) == 0)
		return RC_OK;
	(void)fail(err, RC_PARSE, "%s stops here: %s was answered with the Content-Type \"%s\"",
	    m->title, operation, type);
	return err_hint(err, "it takes %s, without parameters, and nothing else", want);
}

enum rc
manner_takes_caps(const struct manner *m, unsigned caps, bool renewing, struct err *err)
{
	if (m->needs_apple &&
	    ((caps & CAPS_SHA) == 0 || (caps & (SCEP_CAP_AES | SCEP_CAP_DES3)) == 0)) {
		(void)fail(err, RC_ALG, "%s stops here: the capabilities name no %s", m->title,
		    (caps & CAPS_SHA) == 0 ? "SHA-1, SHA-256 or SHA-512" : "AES or DES3");
		return err_hint(err, "SCEPStandard alone is not enough for it");
	}
	if (m->needs_each && (caps & SCEP_CAP_SHA256) == 0)
		return fail(
		    err, RC_ALG, "%s stops here: the capabilities do not name SHA-256", m->title);
	if (m->needs_each && (caps & SCEP_CAP_AES) == 0)
		return fail(
		    err, RC_ALG, "%s stops here: the capabilities do not name AES", m->title);
	if (renewing && m->needs_renewal && (caps & SCEP_CAP_RENEWAL) == 0)
		return fail(err, RC_ALG,
		    "%s does not renew here: the capabilities do not name Renewal", m->title);
	return RC_OK;
}

enum rc
manner_takes_recipient(
    const struct manner *m, const struct cert *recipient, size_t n, struct err *err)
{
	const unsigned both = KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT;
	unsigned ku = 0;
	size_t n_eku;

	if (n < 2) /* a CA alone is its own RA, with the usages of a CA */
		return RC_OK;
	(void)cert_has_key_usage(recipient, &ku);
	(void)cert_eku0(recipient, &n_eku);
	if (m->needs_usage && (ku & both) != both) {
		(void)fail(err, RC_ALG,
		    "%s stops after GetCACert: the RA certificate lacks the key usage "
		    "digitalSignature or keyEncipherment",
		    m->title);
		return err_hint(err, "it has to have both");
	}
	if (m->needs_eku && n_eku == 0) {
		(void)fail(err, RC_ALG,
		    "%s stops after GetCACert (0x8010002c): the RA certificate has no extended key "
		    "usage",
		    m->title);
		return err_hint(err,
		    "give it serverAuth, or Certificate Request Agent (1.3.6.1.4.1.311.20.2.1)");
	}
	return RC_OK;
}
