/*
 * ca_import.c - scepctl ca import: a CA that was in use before, from PKCS#12 or PEM.
 */
#include <sysexits.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/secret.h"
#include "ossl/pkcs12.h"
#include "scepctl/ca_common.h"
#include "scepctl/ca_take.h"

struct options {
	struct ca_options ca;
	const char *pkcs12, *pkcs12_passphrase_file;
	const char *key, *key_passphrase_file;
	struct opt_list cert, chain;
};

static const struct options defaults = { .ca = CA_DEFAULTS };

#define STR(n, f, v, h) CA_ROW_STR(options, n, f, v, h)

static const struct opt opts[] = {
	CA_ROWS(options),
	STR("pkcs12", pkcs12, "FILE", "key and certificates in one file (.p12, .pfx)"),
	STR("pkcs12-passphrase-file", pkcs12_passphrase_file, "SOURCE",
	    "its passphrase: a file, credential:NAME or prompt (default: none)"),
	CA_LIST_ROW(options, "cert", cert, "FILE",
	    "instead of PKCS#12: the certificate in PEM, DER or PKCS#7"),
	STR("key", key, "FILE", "and its key in PEM"),
	STR("key-passphrase-file", key_passphrase_file, "SOURCE",
	    "passphrase of that file (default: not encrypted)"),
	CA_LIST_ROW(
	    options, "chain", chain, "FILE", "certificates above it up to the root, in any order"),
	CA_RA_ROWS(options),
	{ .name = NULL },
};

static enum rc
check_options(const struct options *o, struct err *err)
{
	bool pem = o->key != NULL && o->cert.n > 0;

	if (o->pkcs12 != NULL && (o->key != NULL || o->cert.n > 0))
		return fail(err, RC_CONFIG, "either --pkcs12, or --cert and --key");
	if (o->pkcs12 == NULL && !pem)
		return fail(err, RC_CONFIG, "name what to import: --pkcs12, or --cert and --key");
	if (o->key != NULL && key_source_is_token(o->key))
		return fail(err, RC_CONFIG,
		    "a key in a token is not imported: scepctl ca install --key takes it as it is");
	return RC_OK;
}

/* Whatever the source: RC_OK with an empty secret when none is named. */
static enum rc
read_passphrase(struct buf *out, const char *source, const char *what, struct err *err)
{
	buf_init(out, LIMIT_SECRET_FILE);
	return source != NULL ? secret_read(out, source, what, err) : RC_OK;
}

static enum rc
take_pkcs12(struct ca_taken *t, const struct options *o, struct err *err)
{
	struct pkcs12 p = { 0 };
	struct buf file, passphrase;
	enum rc rc;

	buf_init(&file, PKCS12_SIZE_MAX);
	rc = read_passphrase(
	    &passphrase, o->pkcs12_passphrase_file, "passphrase of the PKCS#12", err);
	if (rc == RC_OK)
		rc = file_read(&file, o->pkcs12, PKCS12_SIZE_MAX, err);
	if (rc == RC_OK &&
	    (rc = pkcs12_parse(&p, file.data, file.len, buf_str(&passphrase), err)) != RC_OK) {
		(void)err_context(err, "%s", o->pkcs12);
		if (rc == RC_INTEGRITY && o->pkcs12_passphrase_file == NULL)
			(void)err_hint(err, "it has one: name it by --pkcs12-passphrase-file");
	}
	if (rc == RC_OK)
		rc = ca_taken_pkcs12(t, &p, err);
	pkcs12_done(&p);
	buf_wipe(&passphrase);
	buf_wipe(&file);
	return rc;
}

static enum rc
take_pem(struct ca_taken *t, const struct options *o, struct err *err)
{
	struct key_source src = { .key = o->key };
	struct buf passphrase;
	enum rc rc;

	rc = read_passphrase(&passphrase, o->key_passphrase_file, "passphrase of the key", err);
	if (o->key_passphrase_file != NULL)
		src.passphrase = buf_str(&passphrase);
	if (rc == RC_OK)
		rc = key_open(&t->key, &src, err);
	if (rc == RC_OK)
		rc = ca_taken_load(t, &o->cert, err);
	buf_wipe(&passphrase);
	return rc;
}

static enum rc
import(const struct ca_session *s, const struct options *o, struct ca_taken *t, size_t *n_chain,
    struct err *err)
{
	struct ca_adopt in;
	enum rc rc = o->pkcs12 != NULL ? take_pkcs12(t, o, err) : take_pem(t, o, err);

	if (rc == RC_OK)
		rc = ca_taken_load(t, &o->chain, err);
	if (rc == RC_OK)
		rc = ca_session_make_dir(s, err);
	if (rc != RC_OK)
		return rc;
	in = ca_taken_adopt(t, s);
	in.write_key = true;
	return ca_adopt(&in, n_chain, err);
}

static int
run(const void *options, int nargs, char **args)
{
	const struct options *o = options;
	const char *keys[] = { o->ca.ra_key };
	struct ca_session s = { 0 };
	struct ca_taken t = { 0 };
	struct err err = { 0 };
	size_t n_chain = 0;
	enum rc rc = check_options(o, &err);

	if (rc == RC_OK)
		rc = ca_session_open(&s, &o->ca, true, keys, 1, &err);
	if (rc == RC_OK)
		rc = import(&s, o, &t, &n_chain, &err);
	if (rc == RC_OK) {
		ca_taken_print(&t, &s);
		rc = ca_session_tell(&s, NULL, o->ca.ra_key, n_chain, &err);
	}
	ca_taken_done(&t);
	ca_session_close(&s);
	return rc == RC_OK ? EX_OK : err_report(PROG, &err);
}

const struct command ca_import = {
	.name = "import",
	.args = "",
	.help = "a CA that was in use elsewhere, from PKCS#12 or PEM",
	.about =
	    "The key is written to the folder, encrypted if --passphrase-file is given.  What "
	    "the CA issued before stays valid;\n"
	    "its revocation list has to be published where those certificates say.\n\n"
	    "Examples:\n"
	    "  scepctl ca import --name old --pkcs12 backup.p12 --pkcs12-passphrase-file prompt "
	    "--write\n"
	    "  scepctl ca import --name old --cert ca.pem --key ca.key --chain root.pem\n",
	.opts = opts,
	.size = sizeof(struct options),
	.defaults = &defaults,
	.run = run,
};
