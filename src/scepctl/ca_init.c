/*
 * ca_init.c - scepctl ca init: one more CA, with its keys, in files or inside a token.
 */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "base/clock.h"
#include "base/secret.h"
#include "base/text.h"
#include "scepctl/ca_common.h"

struct options {
	struct ca_options ca;
	struct ca_wish_options wish;
	const char *org, *subject;
	const char *key, *kind, *root_key, *root_kind;
	bool exists, self_signed;
	int64_t validity, root_validity;
	const char *issuer_cert, *issuer_key, *issuer_passphrase_file;
	struct opt_list chain;
};

static const struct options defaults = {
	.ca = CA_DEFAULTS,
	.kind = "rsa:3072",
	.root_kind = "rsa:4096",
	.validity = 10 * YEAR,
	.root_validity = 20 * YEAR,
};

#define STR(n, f, v, h) CA_ROW_STR(options, n, f, v, h)
#define LIFE(n, f, h)                                                                              \
	{                                                                                          \
		.name = (n), .type = OPT_DURATION, .offset = offsetof(struct options, f),          \
		.value = "TIME", .help = (h), .min = 86400, .max = 30 * YEAR                       \
	}

static const struct opt opts[] = {
	CA_ROWS(options),
	STR("org", org, "ORG", "organisation, for the subjects that are not given"),
	STR("subject", subject, "DN", "subject of the CA (default O=ORG,CN=ORG Issuing CA)"),
	STR("key", key, "KEY",
	    "where its key goes: a path or pkcs11:... (default issuing.key in the folder)"),
	CA_KIND_ROW(options, "kind", kind, KEY_SPECS, "kind of its key (default rsa:3072)"),
	OPT_FLAG_ROW("existing-key", options, exists, "its key is there already"),
	LIFE("validity", validity, "life of the CA (default 10y)"),
	OPT_FLAG_ROW("self-signed", options, self_signed, "it is a root itself: nothing above it"),
	STR("root-key", root_key, "KEY",
	    "where the key of the new root goes (default root.key in the folder)"),
	CA_KIND_ROW(options, "root-kind", root_kind, KEY_SPECS,
	    "kind of the root's key (default rsa:4096)"),
	LIFE("root-validity", root_validity, "life of the new root (default 20y)"),
	STR("issuer-cert", issuer_cert, "FILE", "under this authority instead of a new root"),
	STR("issuer-key", issuer_key, "KEY", "its key: a path or pkcs11:..."),
	STR("issuer-passphrase-file", issuer_passphrase_file, "SOURCE",
	    "passphrase of that key file"),
	CA_LIST_ROW(
	    options, "chain", chain, "FILE", "certificates above the issuer up to the root"),
	CA_WISH_ROWS(options),
	CA_RA_ROWS(options),
	{ .name = NULL },
};

/* What is there before anything is made. */
struct given {
	struct ca_session session;
	struct ca_wish wish;
	struct name subject;
	struct cert *chain[CA_CHAIN_MAX + 1]; /* above the CA, nearest first */
	size_t n_chain;
	struct key *issuer_key;
};

static enum rc
check_options(const struct options *o, struct err *err)
{
	if ((o->issuer_cert != NULL) != (o->issuer_key != NULL))
		return fail(err, RC_CONFIG, "--issuer-cert and --issuer-key go together");
	if (o->self_signed && o->issuer_cert != NULL)
		return fail(err, RC_CONFIG, "either --self-signed or --issuer-cert");
	if (o->org == NULL && o->subject == NULL)
		return fail(err, RC_CONFIG, "name the CA by --org or --subject");
	return RC_OK;
}

static enum rc
load_chain(struct given *g, const struct options *o, struct err *err)
{
	size_t i, n = 0, above;
	enum rc rc = cert_load(&g->chain[0], o->issuer_cert, err);

	if (rc != RC_OK)
		return rc;
	g->n_chain = 1;
	for (i = 0; rc == RC_OK && i < o->chain.n; i++, g->n_chain += n) {
		n = 0;
		rc = certs_load_any(
		    g->chain + g->n_chain, CA_CHAIN_MAX - g->n_chain, &n, o->chain.v[i], err);
	}
	above = g->n_chain - 1;
	if (rc == RC_OK && (rc = chain_sort(g->chain + 1, &above, g->chain[0], err)) == RC_OK)
		g->n_chain = above + 1;
	return rc;
}

static enum rc
load_issuer(struct given *g, const struct options *o, struct err *err)
{
	struct key_source src = { o->issuer_key, NULL, ca_session_pin(&g->session) };
	struct buf passphrase;
	enum rc rc = load_chain(g, o, err);

	buf_init(&passphrase, 64 * 1024);
	if (rc == RC_OK && o->issuer_passphrase_file != NULL) {
		rc = secret_read(
		    &passphrase, o->issuer_passphrase_file, "passphrase of the issuer's key", err);
		src.passphrase = buf_str(&passphrase);
	}
	if (rc == RC_OK)
		rc = key_open(&g->issuer_key, &src, err);
	if (rc == RC_OK && !key_same_public(g->issuer_key, cert_key0(g->chain[0])))
		rc = fail(err, RC_CONFIG, "%s is not the key of %s", o->issuer_key, o->issuer_cert);
	buf_wipe(&passphrase);
	return rc;
}

static enum rc
gather(struct given *g, const struct options *o, struct err *err)
{
	const char *keys[] = { o->key, o->ca.ra_key, o->root_key, o->issuer_key };
	enum rc rc = check_options(o, err);

	if (rc == RC_OK)
		rc = ca_wish_read(&g->wish, &o->wish, err);
	if (rc == RC_OK && o->subject != NULL)
		rc = name_from_text(&g->subject, o->subject, err);
	if (rc == RC_OK)
		rc = ca_session_open(
		    &g->session, &o->ca, !o->exists, keys, sizeof(keys) / sizeof(keys[0]), err);
	if (rc == RC_OK && o->issuer_cert != NULL)
		rc = load_issuer(g, o, err);
	return rc;
}

/* For a root's subject when only the CA's was given: its organisation, or what it is called. */
static const char *
org_of(const struct options *o, const struct given *g)
{
	const char *org = o->org;

	if (org == NULL)
		org = name_get0(&g->subject, "O", 0);
	if (org == NULL)
		org = name_get0(&g->subject, "CN", 0);
	return org != NULL ? org : o->ca.name;
}

static enum rc
make(const struct given *g, const struct options *o, struct err *err)
{
	struct ca_init in = { .dir = g->session.dir,
		.name = org_of(o, g),
		.root_key = o->root_kind,
		.issuing_key = o->kind,
		.ra_key = o->ca.ra_kind,
		.root_validity = o->root_validity,
		.issuing_validity = o->validity,
		.ra_validity = o->ca.ra_validity,
		.above = o->self_signed      ? CA_ABOVE_NONE
		    : o->issuer_cert != NULL ? CA_ABOVE_GIVEN
					     : CA_ABOVE_NEW_ROOT,
		.chain = g->chain,
		.n_chain = g->n_chain,
		.issuer_key = g->issuer_key,
		.root_at = o->root_key,
		.issuing_at = o->key,
		.ra_at = o->ca.ra_key,
		.issuing_exists = o->exists,
		.ra_exists = o->ca.ra_exists,
		.passphrase = ca_session_passphrase(&g->session),
		.pin = ca_session_pin(&g->session),
		.issuing_subject = o->subject != NULL ? &g->subject : NULL,
		.ra_subject = ca_session_ra_subject(&g->session) };
	enum rc rc;

	ca_wish_into(&in, &g->wish);
	rc = ca_session_make_dir(&g->session, err);
	return rc == RC_OK ? ca_init(&in, err) : rc;
}

static size_t
n_above(const struct options *o, const struct given *g)
{
	return o->self_signed ? 0 : o->issuer_cert != NULL ? g->n_chain : 1;
}

/* Relying parties, and people who look at certificates, tell authorities apart by their names. */
static void
warn_of_name(const struct cert *own, const struct conf_ca *other)
{
	struct cert *c = NULL;
	char text[512], name[256];
	struct buf b;

	if (cert_load(&c, other->certificate, NULL) != RC_OK) /* check says so */
		return;
	buf_init(&b, 1u << 20);
	name_text(&b, cert_subject0(own));
	if (name_same(cert_subject0(own), cert_subject0(c)) &&
	    !key_same_public(cert_key0(own), cert_key0(c))) {
		(void)snprintf(text, sizeof(text),
		    "the CA %s has the same subject, %s, and another key: give this one another "
		    "with "
		    "--subject, as clients and people tell authorities apart by it",
		    other->name, ctl_safe(name, sizeof(name), buf_str(&b)));
		ca_say_warning(NULL, text);
	}
	buf_done(&b);
	cert_free(c);
}

static void
warn_of_names(const struct given *g, const struct cert *own)
{
	const struct conf_ca *ca = g->session.config->cas.v;

	for (size_t i = 0; i < g->session.config->cas.n; i++)
		warn_of_name(own, &ca[i]);
}

/* Of what was made, as it will be served. */
static enum rc
warn(const struct given *g, const struct options *o, struct err *err)
{
	const struct cert *chain[CA_CHAIN_MAX + 1];
	struct ca_folder f = { 0 };
	struct cert *own = NULL;
	size_t i;
	enum rc rc = ca_folder_init(&f, g->session.dir, NULL, NULL, 0, err);

	if (rc == RC_OK)
		rc = cert_load(&own, f.cert, err);
	chain[0] = own;
	for (i = 0; i < g->n_chain; i++)
		chain[i + 1] = g->chain[i];
	if (rc == RC_OK) {
		ca_warnings(chain, g->n_chain + 1, clock_now(), ca_say_warning, NULL);
		warn_of_names(g, own);
	}
	cert_free(own);
	ca_folder_done(&f);
	return rc;
}

static int
run(const void *options, int nargs, char **args)
{
	const struct options *o = options;
	struct given g = { 0 };
	struct err err = { 0 };
	enum rc rc = gather(&g, o, &err);

	if (rc == RC_OK)
		rc = make(&g, o, &err);
	if (rc == RC_OK) {
		(void)printf("Made the CA %s in %s.\n", o->ca.name, g.session.dir);
		rc = warn(&g, o, &err);
	}
	if (rc == RC_OK)
		rc = ca_session_tell(&g.session, o->key, o->ca.ra_key, n_above(o, &g), &err);
	while (g.n_chain > 0)
		cert_free(g.chain[--g.n_chain]);
	key_free(g.issuer_key);
	name_done(&g.subject);
	ca_wish_done(&g.wish);
	ca_session_close(&g.session);
	return rc == RC_OK ? EX_OK : err_report(PROG, &err);
}

const struct command ca_init_command = {
	.name = "init",
	.args = "",
	.help = "make one more CA: keys, certificates, RA",
	.about =
	    "Keys: rsa:2048, rsa:3072, rsa:4096, ec:p256, ec:p384 and others that this OpenSSL "
	    "has; the RA's is RSA, as SCEP\n"
	    "clients can only encrypt to RSA.  In a token a key is made inside it and never "
	    "leaves it.\n\n"
	    "Examples:\n"
	    "  scepctl ca init --name wifi --org Contoso --permit-dns contoso.com --write\n"
	    "  scepctl ca init --name hsm --org Contoso --key 'pkcs11:token=ca;object=issuing' "
	    "--pin-file /etc/scepd/pin\n"
	    "  scepctl ca init --name sub --org Contoso --issuer-cert root.pem --issuer-key "
	    "root.key\n",
	.opts = opts,
	.size = sizeof(struct options),
	.defaults = &defaults,
	.run = run,
};
