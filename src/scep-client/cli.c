/* cli.c - see cli.h. */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "scep-client/cli.h"

static enum rc
write_file(const char *dir, const char *name, const struct buf *b, mode_t mode, struct err *err)
{
	char *path = NULL;
	enum rc rc;

	if ((rc = buf_ok(b, name, err)) == RC_OK &&
	    (rc = path_join(&path, dir, name, err)) == RC_OK)
		rc = file_write(path, b->data, b->len, mode, 1, err);
	free(path);
	return rc;
}

enum rc
cli_write_cert(
    const char *dir, const char *name, const struct cert *const *certs, size_t n, struct err *err)
{
	struct buf pem;
	enum rc rc;

	buf_init(&pem, 2 * LIMIT_CHAIN);
	for (size_t i = 0; i < n; i++)
		cert_pem(&pem, certs[i]);
	rc = write_file(dir, name, &pem, 0644, err);
	buf_done(&pem);
	return rc;
}

enum rc
cli_write_key(const char *dir, const char *name, const struct key *key, struct err *err)
{
	struct buf pem;
	enum rc rc;

	buf_init(&pem, LIMIT_SECRET_FILE);
	if ((rc = key_private_pem(&pem, key, err)) == RC_OK)
		rc = write_file(dir, name, &pem, 0600, err);
	buf_wipe(&pem);
	return rc;
}

json_t *
cli_cert_json(const struct cert *c)
{
	char serial[2 * SERIAL_MAX + 1], sha1[41], sha256[65], end[TIME_TEXT_MAX];
	struct buf subject, issuer;
	struct err err;
	json_t *v = NULL;

	buf_init(&subject, 16 * KIB);
	buf_init(&issuer, 16 * KIB);
	name_text(&subject, cert_subject0(c));
	name_text(&issuer, cert_issuer0(c));
	serial_hex(serial, cert_serial0(c));
	time_rfc3339(end, cert_not_after(c));
	if (cert_thumbprint_sha1(sha1, c, &err) == RC_OK &&
	    cert_thumbprint_sha256(sha256, c, &err) == RC_OK)
		v = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "subject", buf_str(&subject),
		    "issuer", buf_str(&issuer), "serial", serial, "notAfter", end, "sha1", sha1,
		    "sha256", sha256);
	buf_done(&subject);
	buf_done(&issuer);
	return v;
}

int
cli_print_json(json_t *v)
{
	struct buf out;
	struct err err;
	enum rc rc;

	buf_init(&out, LIMIT_JSON);
	rc = v != NULL ? json_add_pretty(&out, v, &err) : fail(&err, RC_NOMEM, "JSON");
	if (rc == RC_OK)
		fputs(buf_str(&out), stdout);
	buf_done(&out);
	json_decref(v);
	return rc == RC_OK ? 0 : err_report(PROG, &err);
}
