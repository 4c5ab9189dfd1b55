/* queue_judge.c - see queue_judge.h. */
#include "scepd/queue_judge.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "ossl/alg.h"

#define NO_SUCH_CERTIFICATE "this CA has issued the tenant no certificate with this serial number"

bool
queue_serial(char out[static QUEUE_SERIAL_MAX], const char *sent)
{
	char digits[2 * QUEUE_SERIAL_MAX];
	struct serial s;
	size_t n = 0;

	while (*sent == ' ')
		sent++;
	if (sent[0] == '0' && (sent[1] == 'x' || sent[1] == 'X'))
		sent += 2;
	for (; *sent != '\0'; sent++) {
		if (*sent == ':' || *sent == '-' || *sent == ' ')
			continue;
		if (n + 1 == sizeof(digits))
			return false;
		digits[n++] = *sent;
	}
	digits[n] = '\0';
	if (serial_from_hex(&s, digits, NULL) != RC_OK)
		return false;
	serial_hex(out, &s);
	return true;
}

static bool
given(const char *s)
{
	return s != NULL && s[0] != '\0';
}

/*
 * The request names this CA: by its subject or by its name in the configuration.  Either is enough, since
 * one of them may have been changed, or written anew by the service, since the certificate was issued.
 */
static bool
names(const struct intune_revocation_request *r, const struct queue_ca *ca)
{
	if (!given(r->issuer_name) && !given(r->ca_configuration))
		return true;
	return (given(r->issuer_name) && strcmp(r->issuer_name, ca->subject) == 0) ||
	    (given(r->ca_configuration) && str_eq_nocase(r->ca_configuration, ca->name));
}

/*
 * The request is surely meant for us though we do not know the serial number.  The issuer's name counts
 * where there is one: two CAs of a tenant may well both be called "issuing" in their configurations.
 */
static bool
is_meant_for_us(const struct intune_revocation_request *r, const struct queue_ca *cas, size_t n_cas)
{
	for (size_t i = 0; i < n_cas; i++) {
		if (given(r->issuer_name) ? strcmp(r->issuer_name, cas[i].subject) == 0
					  : given(r->ca_configuration) &&
			    str_eq_nocase(r->ca_configuration, cas[i].name))
			return true;
	}
	return false;
}

bool
queue_names_ca(const struct intune_revocation_request *r, const struct queue_ca *cas, size_t n_cas,
    const char *ca)
{
	for (size_t i = 0; i < n_cas; i++) {
		if (strcmp(cas[i].name, ca) == 0)
			return names(r, &cas[i]);
	}
	/* A CA that is not in the configuration any more has left its name. */
	return names(r, &(struct queue_ca){ ca, "" });
}

static void
answer(struct queue_judgement *out, enum intune_revocation_code code, const char *why)
{
	out->verdict = QUEUE_ANSWER;
	out->code = code;
	(void)snprintf(out->why, sizeof(out->why), "%s", why);
}

static void
conflict(struct queue_judgement *out, int64_t since)
{
	static const char words[] = "it was revoked already, at ";
	char why[sizeof(words) + TIME_TEXT_MAX];

	memcpy(why, words, sizeof(words));
	time_rfc3339(why + sizeof(words) - 1, since);
	answer(out, INTUNE_REVOCATION_CONFLICT, why);
}

/* One that is ours and the tenant's.  By whom else it was revoked is not Intune's business. */
static void
judge_own(struct queue_judgement *out, const struct queue_known *known)
{
	if (known->state != CERT_REVOKED)
		out->verdict = QUEUE_REVOKE;
	else if (known->by_this)
		answer(out, INTUNE_REVOCATION_NONE, "");
	else
		conflict(out, known->since);
}

void
queue_judge(struct queue_judgement *out, const struct intune_revocation_request *r,
    const struct queue_ca *cas, size_t n_cas, const struct queue_known *known)
{
	bool meant = is_meant_for_us(r, cas, n_cas);

	*out = (struct queue_judgement){ .verdict = QUEUE_LEAVE };
	if (known != NULL && known->found && queue_names_ca(r, cas, n_cas, known->ca)) {
		if (known->of_tenant) {
			judge_own(out, known);
			return;
		}
		out->foreign = true;
		answer(out, INTUNE_REVOCATION_CERTIFICATE_NOT_FOUND, NO_SUCH_CERTIFICATE);
	} else if (meant && known == NULL) {
		answer(out, INTUNE_REVOCATION_PARAMETER_DATA_INVALID,
		    "the serial number is no hexadecimal number of at most 20 octets");
	} else if (meant) {
		answer(out, INTUNE_REVOCATION_CERTIFICATE_NOT_FOUND, NO_SUCH_CERTIFICATE);
	}
}

enum rc
queue_comment(char out[static QUEUE_COMMENT_MAX], const char *request_context, struct err *err)
{
	uint8_t sha256[32];
	char hex[2 * sizeof(sha256) + 1];
	enum rc rc;

	if (utf8_plain(request_context, QUEUE_COMMENT_MAX - sizeof("request "))) {
		(void)snprintf(out, QUEUE_COMMENT_MAX, "request %s", request_context);
		return RC_OK;
	}
	if ((rc = digest_bytes(
		 sha256, DIGEST_SHA256, request_context, strlen(request_context), err)) != RC_OK)
		return rc;
	hex_upper(hex, sha256, sizeof(sha256));
	(void)snprintf(out, QUEUE_COMMENT_MAX, "request with SHA-256 %s", hex);
	return RC_OK;
}
