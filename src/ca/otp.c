/*
 * otp.c - see otp.h.
 */
#include "ca/otp.h"

#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "ca/rules.h"
#include "ossl/alg.h"

#define GROUPS     7
#define GROUP_SIZE 4
#define HEX_BYTES  16

static const char base32[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"; /* RFC 4648 6 */

/* Five bits of each random octet, as 32 divides 256. */
static void
write_groups(char *to, const uint8_t random[static GROUPS * GROUP_SIZE])
{
	for (size_t i = 0; i < GROUPS * GROUP_SIZE; i++) {
		if (i > 0 && i % GROUP_SIZE == 0)
			*to++ = '-';
		*to++ = base32[random[i] & 31];
	}
	*to = '\0';
}

enum rc
otp_make(struct otp *out, enum otp_form form, struct err *err)
{
	uint8_t random[GROUPS * GROUP_SIZE];
	struct otp o = { 0 };
	enum rc rc = random_bytes(random, sizeof(random), err);

	if (rc == RC_OK && form == OTP_HEX)
		hex_upper(o.text, random, HEX_BYTES);
	else if (rc == RC_OK)
		write_groups(o.text, random);
	if (rc == RC_OK)
		rc = otp_hash(o.sha256, o.text, strlen(o.text), err);
	if (rc == RC_OK)
		*out = o;
	wipe(random, sizeof(random));
	otp_done(&o);
	return rc;
}

void
otp_done(struct otp *o)
{
	wipe(o, sizeof(*o));
}

enum rc
otp_hash(uint8_t out[static 32], const char *sent, size_t len, struct err *err)
{
	char plain[OTP_SENT_MAX];
	size_t n = 0;
	enum rc rc;

	if (len > sizeof(plain))
		return fail(
		    err, RC_DENIED, "the challenge has %zu bytes and is no one-time password", len);
	for (size_t i = 0; i < len; i++) {
		if (sent[i] == '-' || sent[i] == ' ')
			continue;
		plain[n++] =
		    sent[i] >= 'a' && sent[i] <= 'z' ? (char)(sent[i] - 'a' + 'A') : sent[i];
	}
	if (n == 0)
		return fail(err, RC_DENIED, "the challenge is blank and no one-time password");
	rc = digest_bytes(out, DIGEST_SHA256, plain, n, err);
	wipe(plain, sizeof(plain));
	return rc;
}

enum rc
otp_subject_check(const char *subject, const struct profile *p, struct err *err)
{
	enum rc rc = rule_subject_pattern_check(subject, p, err);

	if (rc == RC_OK && !rule_subject_possible(subject, p))
		rc = fail(err, RC_CONFIG, "\"%.100s\" fits no subject.allow of profile %s", subject,
		    p->name);
	return rc;
}

void
otp_subject_words(struct buf *out, const char *subject)
{
	rule_subject_words(out, subject);
}
