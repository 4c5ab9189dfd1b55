/*
 * app_files.c - written as an administrator's tools would.
 */
#include "app_files.h"

#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "ossl/cert.h"
#include "unit.h"

void
put(const char *path, const char *text, mode_t mode)
{
	struct err err;

	if (file_write(path, text, strlen(text), mode, 1, &err) != RC_OK)
		give_up("%s\n", err.msg);
}

static struct cert *
make_cert(struct key *key, int64_t ends)
{
	struct cert_fields f = { .digest = DIGEST_SHA256, .path_len = -1 };
	struct serial serial;
	struct cert *cert;
	struct name name;
	struct err err;

	assert_int_equal(name_from_text(&name, "CN=app", &err), RC_OK);
	assert_int_equal(serial_random(&serial, &err), RC_OK);
	f.serial = &serial;
	f.issuer = f.subject = &name;
	f.not_before = clock_now() - 400 * DAY;
	f.not_after = ends;
	f.subject_key = f.issuer_key = key;
	if (cert_make(&cert, &f, key, &err) != RC_OK)
		give_up("%s\n", err.msg);
	name_done(&name);
	return cert;
}

void
put_cert(const char *path, struct key *key, int64_t ends, bool with_key)
{
	struct cert *cert = make_cert(key, ends);
	struct buf pem;
	struct err err;

	buf_init(&pem, 65536);
	if (with_key)
		assert_int_equal(key_private_pem(&pem, key, &err), RC_OK);
	cert_pem(&pem, cert);
	put(path, buf_str(&pem), 0600);
	buf_wipe(&pem);
	cert_free(cert);
}

void
put_key(const char *path, struct key *key, mode_t mode)
{
	struct buf pem;
	struct err err;

	buf_init(&pem, 65536);
	assert_int_equal(key_private_pem(&pem, key, &err), RC_OK);
	put(path, buf_str(&pem), mode);
	buf_wipe(&pem);
}
