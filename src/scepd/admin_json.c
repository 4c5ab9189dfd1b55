/* admin_json.c - see admin_json.h. */
#include "scepd/admin_json.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/text.h"
#include "ca/reason.h"
#include "json/json.h"
#include "scepd/admin_int.h"

static enum rc
open_object(json_t **out, const void *body, size_t len, struct err *err)
{
	if (len > ADMIN_BODY_MAX)
		return fail(err, RC_LIMIT, "the body is longer than %u bytes", ADMIN_BODY_MAX);
	return json_parse_object(out, "the body", body, len, err);
}

/* A misspelt member would be a wish that nobody notices: "lifetme". */
static enum rc
only_known(json_t *o, const char *const *known, struct err *err)
{
	const char *key;
	json_t *v;

	json_object_foreach(o, key, v)
	{
		size_t i = 0;

		while (known[i] != NULL && strcmp(known[i], key) != 0)
			i++;
		if (known[i] == NULL)
			return fail(err, RC_PARSE, "\"%.40s\" is no member here", key);
	}
	return RC_OK;
}

/* "" when absent or null. */
static enum rc
take_text(char *out, size_t size, const json_t *o, const char *key, struct err *err)
{
	const json_t *v = json_object_get(o, key);
	const char *s;

	out[0] = '\0';
	if (v == NULL || json_is_null(v))
		return RC_OK;
	if (!json_is_string(v))
		return fail(err, RC_PARSE, "%s is no string", key);
	s = json_string_value(v);
	if (strlen(s) >= size || !utf8_plain(s, size - 1))
		return fail(err, RC_PARSE, "%s is longer than %zu bytes, or has control characters",
		    key, size - 1);
	memcpy(out, s, strlen(s) + 1);
	return RC_OK;
}

/* 3600, or "1h" as in scepd.yaml. */
static enum rc
take_lifetime(int64_t *out, const json_t *o, struct err *err)
{
	const json_t *v = json_object_get(o, "lifetime");
	struct err why;

	*out = 0;
	if (v == NULL || json_is_null(v))
		return RC_OK;
	if (json_is_integer(v))
		*out = json_integer_value(v);
	else if (!json_is_string(v) || parse_duration(out, json_string_value(v), &why) != RC_OK)
		return fail(err, RC_PARSE, "lifetime is neither seconds nor a time as \"1h\"");
	return *out > 0 ? RC_OK : fail(err, RC_PARSE, "lifetime is not positive");
}

static enum rc
take_uses(unsigned *out, const json_t *o, struct err *err)
{
	const json_t *v = json_object_get(o, "uses");
	json_int_t n = v == NULL || json_is_null(v) ? 1 : json_integer_value(v);

	if ((v != NULL && !json_is_null(v) && !json_is_integer(v)) || n < 1 ||
	    n > STORE_OTP_USES_MAX)
		return fail(err, RC_PARSE, "uses is no number from 1 to %d", STORE_OTP_USES_MAX);
	*out = (unsigned)n;
	return RC_OK;
}

static enum rc
take_otp(struct admin_otp_ask *a, json_t *o, struct err *err)
{
	static const char *const known[] = { "endpoint", "subject", "san", "lifetime", "uses",
		"comment", NULL };
	enum rc rc;

	if ((rc = only_known(o, known, err)) != RC_OK ||
	    (rc = take_text(a->endpoint, sizeof(a->endpoint), o, "endpoint", err)) != RC_OK ||
	    (rc = take_text(a->subject, sizeof(a->subject), o, "subject", err)) != RC_OK ||
	    (rc = take_text(a->san, sizeof(a->san), o, "san", err)) != RC_OK ||
	    (rc = take_text(a->comment, sizeof(a->comment), o, "comment", err)) != RC_OK ||
	    (rc = take_lifetime(&a->lifetime, o, err)) != RC_OK ||
	    (rc = take_uses(&a->uses, o, err)) != RC_OK)
		return rc;
	return a->endpoint[0] != '\0' ? RC_OK : fail(err, RC_PARSE, "endpoint is missing");
}

enum rc
admin_otp_parse(struct admin_otp_ask *out, const void *body, size_t len, struct err *err)
{
	json_t *o = NULL;
	enum rc rc = open_object(&o, body, len, err);

	if (rc == RC_OK)
		rc = take_otp(out, o, err);
	json_decref(o);
	return rc;
}

enum rc
admin_decision_parse(struct admin_decision *out, const void *body, size_t len, struct err *err)
{
	static const char *const known[] = { "reason", NULL };
	json_t *o = NULL;
	enum rc rc;

	out->reason[0] = '\0';
	if (len == 0)
		return RC_OK;
	if ((rc = open_object(&o, body, len, err)) == RC_OK &&
	    (rc = only_known(o, known, err)) == RC_OK)
		rc = take_text(out->reason, sizeof(out->reason), o, "reason", err);
	json_decref(o);
	return rc;
}

/* ---- which certificate ---- */

void
admin_cert_ask_done(struct admin_cert_ask *a)
{
	cert_free(a->cert);
	a->cert = NULL;
}

enum rc
admin_serial(char out[static 2 * SERIAL_MAX + 1], const char *text, struct err *err)
{
	const char *p = str_starts(text, "0x") || str_starts(text, "0X") ? text + 2 : text;
	char digits[2 * SERIAL_MAX + 3]; /* one octet more: 00 before a number, as in DER */
	struct serial serial;
	size_t n = 0;

	for (; *p != '\0' && n < sizeof(digits) - 1; p++)
		if (*p != ':' && *p != ' ' && *p != '-')
			digits[n++] = *p;
	digits[n] = '\0';
	if (*p != '\0' || serial_from_hex(&serial, digits, NULL) != RC_OK)
		return fail(err, RC_PARSE, "\"%.60s\" is no serial number in hex", text);
	serial_hex(out, &serial);
	return RC_OK;
}

/* As a serial number, but leading zeros count. */
static enum rc
take_ski(char out[static 2 * ADMIN_SKI_MAX + 1], const char *text, struct err *err)
{
	size_t n = 0;

	for (; *text != '\0' && n < 2 * ADMIN_SKI_MAX; text++) {
		if (*text == ':')
			continue;
		if (strchr("0123456789abcdefABCDEF", *text) == NULL)
			break;
		out[n++] = (char)(*text >= 'a' ? *text - 'a' + 'A' : *text);
	}
	out[n] = '\0';
	return *text == '\0' && n % 2 == 0 ? RC_OK
					   : fail(err, RC_PARSE, "ski is no key identifier in hex");
}

/* PEM, or base64 of the DER, which is what is between PEM's lines. */
static enum rc
take_certificate(struct admin_cert_ask *a, const char *text, struct err *err)
{
	struct buf der;
	size_t n = 0;
	enum rc rc;

	if (strstr(text, "-----BEGIN") != NULL) {
		if ((rc = certs_parse_pem_known(&a->cert, 1, &n, text, strlen(text), err)) != RC_OK)
			return rc;
		/* PEM of something else, or none behind that word, has no certificates. */
		return n == 1 ? RC_OK : fail(err, RC_PARSE, "no certificate in PEM");
	}
	buf_init(&der, ADMIN_BODY_MAX);
	if ((rc = base64_decode(&der, text, strlen(text), BASE64_FIELD, err)) == RC_OK)
		rc = cert_parse_known(&a->cert, der.data, der.len, err);
	buf_done(&der);
	return rc;
}

static enum rc
take_cert_ask(struct admin_cert_ask *a, const json_t *o, struct err *err)
{
	char serial[4 * SERIAL_MAX + 1], ski[4 * ADMIN_SKI_MAX + 1];
	const char *whole = json_get_str(o, "certificate");
	enum rc rc;

	if ((rc = take_text(a->ca, sizeof(a->ca), o, "ca", err)) != RC_OK ||
	    (rc = take_text(ski, sizeof(ski), o, "ski", err)) != RC_OK ||
	    (rc = take_ski(a->ski, ski, err)) != RC_OK ||
	    (rc = take_text(serial, sizeof(serial), o, "serial", err)) != RC_OK)
		return rc;
	if ((whole != NULL) == (serial[0] != '\0'))
		return fail(err, RC_PARSE, "one of serial and certificate has to be there");
	if (whole == NULL)
		return admin_serial(a->serial, serial, err);
	if ((rc = take_certificate(a, whole, err)) != RC_OK)
		return rc == RC_NOMEM
		    ? rc
		    : fail(err, RC_PARSE, "certificate is none in PEM, nor in base64 of DER");
	serial_hex(a->serial, cert_serial0(a->cert));
	return RC_OK;
}

enum rc
admin_cert_ask_parse(struct admin_cert_ask *out, const void *body, size_t len, struct err *err)
{
	static const char *const known[] = { "serial", "certificate", "ca", "ski", NULL };
	json_t *o = NULL;
	enum rc rc;

	*out = (struct admin_cert_ask){ .cert = NULL };
	if ((rc = open_object(&o, body, len, err)) == RC_OK &&
	    (rc = only_known(o, known, err)) == RC_OK)
		rc = take_cert_ask(out, o, err);
	json_decref(o);
	if (rc != RC_OK)
		admin_cert_ask_done(out);
	return rc;
}

enum rc
admin_cert_ask_query(struct admin_cert_ask *out, const char *query, struct err *err)
{
	char serial[4 * SERIAL_MAX + 1], ski[4 * ADMIN_SKI_MAX + 1];
	enum rc rc;

	*out = (struct admin_cert_ask){ .cert = NULL };
	if ((rc = admin_query(ski, sizeof(ski), query, "ski", err)) != RC_OK ||
	    (rc = take_ski(out->ski, ski, err)) != RC_OK ||
	    (rc = admin_query(out->ca, sizeof(out->ca), query, "ca", err)) != RC_OK ||
	    (rc = admin_query(serial, sizeof(serial), query, "serial", err)) != RC_OK)
		return rc;
	return admin_serial(out->serial, serial, err);
}

/* ---- what is to become of it ---- */

/* "2026-12-24T18:00:00Z", "2026-12-24", or "8h" from now. */
static enum rc
take_until(int64_t *out, const json_t *o, int64_t now, struct err *err)
{
	char text[40];
	enum rc rc = take_text(text, sizeof(text), o, "until", err);

	*out = 0;
	if (rc != RC_OK || text[0] == '\0')
		return rc;
	rc = time_parse_end(out, text, now, err);
	return rc == RC_OK ? rc : err_context(err, "until");
}

static enum rc
take_reason(int *out, const json_t *o, struct err *err)
{
	char text[40];
	enum rc rc = take_text(text, sizeof(text), o, "reason", err);

	if (rc != RC_OK)
		return rc;
	*out = reason_given(text);
	return *out >= 0 ? RC_OK : fail(err, RC_PARSE, "reason is one of " REASONS_GIVEN);
}

static enum rc
take_whose(struct admin_status_ask *a, const json_t *o, struct err *err)
{
	enum rc rc;

	if ((rc = take_text(a->device, sizeof(a->device), o, "device", err)) != RC_OK ||
	    (rc = take_text(a->user, sizeof(a->user), o, "user", err)) != RC_OK)
		return rc;
	return (a->device[0] != '\0') != (a->user[0] != '\0')
	    ? RC_OK
	    : fail(err, RC_PARSE, "one of device and user has to be there");
}

enum rc
admin_status_parse(struct admin_status_ask *out, enum cause_effect effect, bool many, int64_t now,
    const void *body, size_t len, struct err *err)
{
	static const char *const members[][6] = {
		[CAUSE_GONE] = { "comment" },
		[CAUSE_HOLD] = { "comment", "until" },
		[CAUSE_REVOKE] = { "comment", "reason" },
	};
	const char *known[6] = { NULL };
	size_t n = 0;
	json_t *o = NULL;
	enum rc rc;

	*out = (struct admin_status_ask){ .reason = effect == CAUSE_HOLD ? REASON_HOLD : 0 };
	for (size_t i = 0; members[effect][i] != NULL; i++)
		known[n++] = members[effect][i];
	if (many) {
		known[n++] = "device";
		known[n++] = "user";
	}
	if (len == 0)
		rc = json_parse_object(&o, "the body", "{}", 2, err);
	else
		rc = open_object(&o, body, len, err);
	if (rc == RC_OK && (rc = only_known(o, known, err)) == RC_OK)
		rc = take_text(out->comment, sizeof(out->comment), o, "comment", err);
	if (rc == RC_OK && effect == CAUSE_REVOKE)
		rc = take_reason(&out->reason, o, err);
	if (rc == RC_OK && effect == CAUSE_HOLD)
		rc = take_until(&out->until, o, now, err);
	if (rc == RC_OK && many)
		rc = take_whose(out, o, err);
	json_decref(o);
	return rc;
}
