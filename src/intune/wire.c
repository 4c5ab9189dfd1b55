/*
 * wire.c - the bodies that go out.
 */
#include "intune/wire.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/text.h"
#include "json/json.h"

#define BODY_MAX   (LIMIT_CSR / 3 * 4 + 32 * KIB)
#define UPLOAD_MAX (4 * MIB) /* 500 results of 8 KiB; Intune's own are far smaller */
/* A token of 16 KiB and 3 values of at most 2, each byte as three. */
#define FORM_MAX        (64 * KIB)
#define ASSERTION_TYPE  "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" /* RFC 7523 2.2 */
#define DESCRIPTION_MAX 255u      /* characters, says Microsoft's library */
#define MEMBERS_MAX     (2 * KIB) /* usual size of everything but the request */

enum rc
wire_guid(char out[GUID_TEXT], struct err *err)
{
	static const uint8_t cut[] = { 4, 2, 2, 2, 6 };
	uint8_t b[16], *p = b;
	char *o = out;
	size_t i;

	if (getrandom(b, sizeof(b), 0) != (ssize_t)sizeof(b))
		return fail_errno(err, "no random bytes");
	b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
	b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
	for (i = 0; i < sizeof(cut); i++) {
		hex_lower(o, p, cut[i]);
		p += cut[i];
		o += 2 * cut[i];
		*o++ = '-';
	}
	o[-1] = '\0';
	return RC_OK;
}

/* `prefix` ends where the string's first quote belongs. */
static void
add_string(struct buf *out, const char *prefix, const char *s, size_t len)
{
	json_t *v = json_stringn(s, len);

	buf_adds(out, prefix);
	if (v == NULL)
		out->rc = RC_NOMEM; /* the text was checked before: nothing else can fail */
	else if (json_add_text(out, v, NULL) != RC_OK && out->rc == RC_OK)
		out->rc = RC_NOMEM;
	json_decref(v);
}

static void
add_member(struct buf *out, const char *prefix, const char *s)
{
	if (s != NULL)
		add_string(out, prefix, s, strlen(s));
}

enum rc
wire_string_dup(char **out, const char *s)
{
	struct buf b;
	enum rc rc;

	buf_init(&b, LIMIT_JSON);
	add_member(&b, "", s);
	if ((rc = buf_ok(&b, "JSON string", NULL)) == RC_OK)
		rc = str_dup(out, buf_str(&b), NULL);
	buf_done(&b);
	return rc;
}

static void
add_field(struct buf *out, const char *name, const char *value)
{
	buf_adds(out, name);
	url_encode_add(out, value, strlen(value));
}

enum rc
wire_token_form(struct buf *out, const struct settings *s, enum scope scope, enum wire_proof kind,
    const char *proof, struct err *err)
{
	buf_init(out, FORM_MAX);
	add_field(out, "grant_type=", "client_credentials");
	add_field(out, "&client_id=", s->v[P_APP_ID]);
	if (kind == WIRE_ASSERTION) {
		add_field(out, "&client_assertion_type=", ASSERTION_TYPE);
		add_field(out, "&client_assertion=", proof);
	} else {
		add_field(out, "&client_secret=", proof);
	}
	add_field(out, "&scope=", s->scope[scope]);
	add_field(out, "&client_info=", "1");
	return buf_ok(out, "token request", err);
}

/* One allocation for the whole body: growing would copy, and wipe, the request several times. */
static void
begin(struct buf *out, size_t csr_len)
{
	buf_init(out, BODY_MAX);
	if (buf_grow(out, csr_len / 3 * 4 + MEMBERS_MAX) != NULL)
		buf_reset(out);
}

static void
add_request(struct buf *out, const uint8_t *csr, size_t len)
{
	buf_adds(out, ",\"certificateRequest\":\"");
	base64_add(out, csr, len);
	buf_addc(out, '"');
}

static void
add_caller(struct buf *out, const struct settings *s)
{
	buf_adds(out, ",\"callerInfo\":");
	buf_adds(out, s->caller_json);
}

enum rc
wire_validate(struct buf *out, const struct settings *s, const char *transaction_id,
    const uint8_t *csr, size_t csr_len, struct err *err)
{
	begin(out, csr_len);
	add_member(out, "{\"request\":{\"transactionId\":", transaction_id);
	add_request(out, csr, csr_len);
	add_caller(out, s);
	buf_adds(out, "}}");
	return buf_ok(out, "validateRequest", err);
}

enum rc
wire_success(
    struct buf *out, const struct settings *s, const struct intune_success *n, struct err *err)
{
	begin(out, n->csr_len);
	add_member(out, "{\"notification\":{\"transactionId\":", n->transaction_id);
	add_request(out, n->csr, n->csr_len);
	add_member(out, ",\"certificateThumbprint\":", n->thumbprint);
	add_member(out, ",\"certificateSerialNumber\":", n->serial);
	add_member(out, ",\"certificateExpirationDateUtc\":", n->expiration);
	add_member(out, ",\"issuingCertificateAuthority\":", n->issuer);
	add_caller(out, s);
	add_member(out, ",\"caConfiguration\":", n->ca_configuration);
	add_member(out, ",\"certificateAuthority\":", n->certificate_authority);
	buf_adds(out, "}}");
	return buf_ok(out, "successNotification", err);
}

enum rc
wire_failure(
    struct buf *out, const struct settings *s, const struct wire_failure *n, struct err *err)
{
	begin(out, n->csr_len);
	add_member(out, "{\"notification\":{\"transactionId\":", n->transaction_id);
	add_request(out, n->csr, n->csr_len);
	buf_addf(out, ",\"hResult\":%" PRId64, n->hresult);
	add_string(out, ",\"errorDescription\":", n->description,
	    wire_cut(n->description, DESCRIPTION_MAX));
	add_caller(out, s);
	buf_adds(out, "}}");
	return buf_ok(out, "failureNotification", err);
}

enum rc
wire_download(struct buf *out, unsigned max_requests, const char *issuer_name, struct err *err)
{
	buf_init(out, BODY_MAX);
	buf_addf(out, "{\"downloadParameters\":{\"maxRequests\":%u", max_requests);
	if (issuer_name != NULL)
		add_member(out, ",\"issuerName\":", issuer_name);
	else
		buf_adds(out, ",\"issuerName\":null");
	buf_adds(out, "}}");
	return buf_ok(out, "downloadRevocationRequests", err);
}

/*
 * The code is the number in a string, as Microsoft's Java library is seen to send it; the C#
 * library sends the enum's name.  The service takes either; the number is on record from the wire,
 * and cannot be misspelt.  Java leaves a message out that is not there.
 */
static void
add_result(struct buf *out, const struct intune_revocation_result *r)
{
	add_member(out, "{\"requestContext\":", r->request_context);
	buf_addf(out, ",\"succeeded\":%s,\"errorCode\":\"%d\"", r->succeeded ? "true" : "false",
	    (int)r->code);
	if (!r->succeeded)
		add_member(out, ",\"errorMessage\":", r->message);
	buf_addc(out, '}');
}

enum rc
wire_upload(
    struct buf *out, const struct intune_revocation_result *results, size_t n, struct err *err)
{
	size_t i;

	buf_init(out, UPLOAD_MAX);
	buf_adds(out, "{\"results\":[");
	for (i = 0; i < n; i++) {
		if (i > 0)
			buf_addc(out, ',');
		add_result(out, &results[i]);
	}
	buf_adds(out, "]}");
	return buf_ok(out, "uploadRevocationResults", err);
}

size_t
wire_cut(const char *s, size_t max)
{
	size_t len = strlen(s), at = 0, units = 0, n;
	uint32_t cp;

	while (at < len) {
		n = utf8_next(&cp, (const uint8_t *)s + at, len - at);
		if (n == 0)
			break;
		units += cp > 0xffff ? 2 : 1;
		if (units > max)
			break;
		at += n;
	}
	return at;
}
