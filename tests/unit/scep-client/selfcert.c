/* selfcert.c - see selfcert.h. */
#include "selfcert.h"

#include "base/clock.h"

struct cert *
selfcert(const char *serial, struct key *key)
{
	struct name subject = fixture_name("CN=device");
	struct serial number = fixture_serial(serial);
	struct cert_fields f = { .serial = &number,
		.issuer = &subject,
		.subject = &subject,
		.not_before = clock_now() - 60,
		.not_after = clock_now() + 3600,
		.subject_key = key,
		.issuer_key = key,
		.digest = DIGEST_SHA256,
		.key_usage = KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT,
		.path_len = -1 };
	struct cert *c = NULL;
	struct err err;

	assert_ok(cert_make(&c, &f, key, &err), err);
	name_done(&subject);
	return c;
}
