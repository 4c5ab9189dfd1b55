/*
 * caps.c - GetCACaps (RFC 8894 3.5.2): keywords, one a line.
 */
#include "scep.h"

#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/limits.h"
#include "scep/error.h"

/* In the RFC's order of importance to old parsers: algorithms first. */
static const struct {
	const char *keyword;
	unsigned cap;
} keywords[] = {
	{ "AES", SCEP_CAP_AES },
	{ "DES3", SCEP_CAP_DES3 },
	{ "SHA-1", SCEP_CAP_SHA1 },
	{ "SHA-256", SCEP_CAP_SHA256 },
	{ "SHA-384", SCEP_CAP_SHA384 },
	{ "SHA-512", SCEP_CAP_SHA512 },
	{ "GetNextCACert", SCEP_CAP_GET_NEXT_CA_CERT },
	{ "POSTPKIOperation", SCEP_CAP_POST_PKI_OPERATION },
	{ "Renewal", SCEP_CAP_RENEWAL },
	{ "SCEPStandard", SCEP_CAP_SCEP_STANDARD },
	{ "Update", SCEP_CAP_UPDATE },
};

#define N(a) (sizeof(a) / sizeof((a)[0]))

enum scep_status
scep_caps_encode(struct scep_bytes *out, unsigned caps, struct scep_error *err)
{
	struct err e = { 0 };
	struct buf b;
	size_t i;

	buf_init(&b, KIB);
	for (i = 0; i < N(keywords); i++) {
		if ((caps & keywords[i].cap) == 0)
			continue;
		buf_adds(&b, keywords[i].keyword);
		buf_addc(&b, '\n');
	}
	if (buf_ok(&b, "capabilities", &e) != RC_OK) {
		buf_done(&b);
		return scep_fail_from(err, STEP_REPLY, &e);
	}
	out->data = buf_take(&b, &out->len);
	return SCEP_OK;
}

/* Clients should ignore case (RFC 8894 3.5.2); servers are seen that add blanks. */
static unsigned
keyword(const char *p, size_t len)
{
	size_t i;

	while (len > 0 && (p[len - 1] == '\r' || p[len - 1] == ' ' || p[len - 1] == '\t'))
		len--;
	for (; len > 0 && (*p == ' ' || *p == '\t'); p++)
		len--;
	for (i = 0; i < N(keywords); i++)
		if (len == strlen(keywords[i].keyword) &&
		    strncasecmp(p, keywords[i].keyword, len) == 0)
			return keywords[i].cap;
	return 0;
}

enum scep_status
scep_caps_parse(unsigned *caps, const uint8_t *text, size_t len, struct scep_error *err)
{
	const char *p = (const char *)text, *end, *eol;
	unsigned found = 0;

	if (len > 64 * KIB)
		return scep_fail(err, SCEP_E_LIMIT, STEP_PARSE, "capabilities: %zu bytes", len);
	end = len > 0 ? p + len : p;
	for (; p < end; p = eol < end ? eol + 1 : end) {
		if ((eol = memchr(p, '\n', (size_t)(end - p))) == NULL)
			eol = end;
		found |= keyword(p, (size_t)(eol - p));
	}
	*caps = found;
	return SCEP_OK;
}
