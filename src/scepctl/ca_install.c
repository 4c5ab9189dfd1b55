/*
 * ca_install.c - scepctl ca install: the certificate that an authority has signed for the request
 * of scepctl ca csr.
 */
#include <sysexits.h>

#include "scepctl/ca_common.h"
#include "scepctl/ca_take.h"

struct options {
	struct ca_options ca;
	const char *key;
	struct opt_list cert, chain;
};

static const struct options defaults = { .ca = CA_DEFAULTS };

static const struct opt opts[] = {
	CA_ROWS(options),
	CA_ROW_STR(options, "key", key, "KEY",
	    "where its key is: a path or pkcs11:... (default issuing.key in the folder)"),
	{ .name = "cert",
	    .type = OPT_LIST,
	    .offset = offsetof(struct options, cert),
	    .value = "FILE",
	    .help = "the signed certificate: PEM, DER or PKCS#7 (.p7b)",
	    .required = true },
	CA_LIST_ROW(
	    options, "chain", chain, "FILE", "certificates above it up to the root, in any order"),
	CA_RA_ROWS(options),
	{ .name = NULL },
};

static enum rc
install(const struct ca_session *s, const struct options *o, struct ca_taken *t, size_t *n_chain,
    struct err *err)
{
	struct ca_folder f = { 0 };
	struct key_source src = { NULL, ca_session_passphrase(s), ca_session_pin(s) };
	struct ca_adopt in;
	enum rc rc = ca_folder_init(&f, s->dir, o->key, o->ca.ra_key, 0, err);

	src.key = f.key;
	if (rc == RC_OK)
		rc = ca_taken_load(t, &o->cert, err);
	if (rc == RC_OK)
		rc = ca_taken_load(t, &o->chain, err);
	if (rc == RC_OK)
		rc = key_open(&t->key, &src, err);
	if (rc == RC_OK) {
		in = ca_taken_adopt(t, s);
		in.key_at = o->key;
		rc = ca_adopt(&in, n_chain, err);
	}
	ca_folder_done(&f);
	return rc;
}

static int
run(const void *options, int nargs, char **args)
{
	const struct options *o = options;
	const char *keys[] = { o->key, o->ca.ra_key };
	struct ca_session s = { 0 };
	struct ca_taken t = { 0 };
	struct err err = { 0 };
	size_t n_chain = 0;
	enum rc rc = ca_session_open(&s, &o->ca, false, keys, 2, &err);

	if (rc == RC_OK)
		rc = install(&s, o, &t, &n_chain, &err);
	if (rc == RC_OK) {
		ca_taken_print(&t, &s);
		rc = ca_session_tell(&s, o->key, o->ca.ra_key, n_chain, &err);
	}
	ca_taken_done(&t);
	ca_session_close(&s);
	return rc == RC_OK ? EX_OK : err_report(PROG, &err);
}

const struct command ca_install = {
	.name = "install",
	.args = "",
	.help = "the certificate that was signed for the request of 'ca csr'",
	.about =
	    "Looks at all that devices and servers will look at, and installs nothing that they "
	    "would refuse.\n\n"
	    "Examples:\n"
	    "  scepctl ca install --name issuing2 --cert signed.p7b --write\n"
	    "  scepctl ca install --name issuing2 --cert signed.pem --chain policy.pem --chain "
	    "root.pem\n",
	.opts = opts,
	.size = sizeof(struct options),
	.defaults = &defaults,
	.run = run,
};
