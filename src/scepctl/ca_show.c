/*
 * ca_show.c - scepctl ca show: the certificates of each CA, and what to enter in Intune.
 */
#include <string.h>
#include <sysexits.h>

#include "base/clock.h"
#include "ca/ca.h"
#include "ossl/eku.h"
#include "scepctl/ca_facts.h"
#include "scepctl/ctl.h"
#include "signer/signer.h"

struct options {
	const char *config;
	bool intune, json;
};

static const struct opt opts[] = {
	OPT_CONFIG(options),
	OPT_FLAG_ROW("intune", options, intune, "what to enter in Intune, for each endpoint"),
	OPT_FLAG_ROW("json", options, json, "as JSON"),
	{ .name = NULL },
};

/* A CA of the configuration with its certificates. */
struct shown {
	const struct config *config;
	const struct conf_ca *conf;
	bool retired; /* by scepd.yaml, or by the database, which the daemon goes by as well */
	struct ca *ca;
	struct thumbprints issuing, root, ra;
	struct signer_certs renewed; /* empty: they could not be looked at */
	struct thumbprints ra_renewed, ocsp;
};

/* The RA certificate that scepd uses, when it is not the configured one. */
static const struct cert *
renewed_ra(const struct shown *s)
{
	if (s->renewed.n_ra == 0 || cert_same(ca_ra_cert0(s->ca), s->renewed.ra[0]))
		return NULL;
	return s->renewed.ra[0];
}

/* The certificate at the top: the CA's own when there is nothing above it. */
static const struct cert *
root_of(const struct ca *ca)
{
	size_t n = ca_chain_len(ca);

	return n > 0 ? ca_chain0(ca, n - 1) : ca_cert0(ca);
}

static const char *
root_file(const struct conf_ca *conf)
{
	return conf->chain.n > 0 ? conf->chain.v[conf->chain.n - 1] : conf->certificate;
}

/* What the signer has renewed is its own folder's, which not everybody may read. */
static enum rc
look_at_renewed(struct shown *s, struct err *err)
{
	struct signer_certs_of of = { ca_cert0(s->ca), ca_ra_cert0(s->ca) };
	struct err why;
	enum rc rc = RC_OK;

	if (signer_certs_look(&s->renewed, s->config->processes.signer_state, s->conf->name, &of,
		&why) != RC_OK) {
		(void)fprintf(stderr,
		    PROG ": CA %s: what the signer has renewed is not shown: %s\n", s->conf->name,
		    why.msg);
		return RC_OK;
	}
	if (renewed_ra(s) != NULL)
		rc = ctl_thumbprints(&s->ra_renewed, renewed_ra(s), err);
	if (rc == RC_OK && s->renewed.ocsp != NULL)
		rc = ctl_thumbprints(&s->ocsp, s->renewed.ocsp, err);
	return rc;
}

/* No key is touched, so no signer is needed. */
static enum rc
shown_open(struct shown *s, const struct config *config, const struct conf_ca *conf, bool retired,
    struct err *err)
{
	struct ca_conf cc = { conf->name, conf->certificate, conf->chain.v, conf->chain.n,
		conf->name, conf->ra_certificate, !conf->issues };
	enum rc rc;

	*s = (struct shown){ .config = config, .conf = conf, .retired = retired };
	rc = ca_open(&s->ca, &cc, NULL, err);
	if (rc == RC_OK)
		rc = ctl_thumbprints(&s->issuing, ca_cert0(s->ca), err);
	if (rc == RC_OK)
		rc = ctl_thumbprints(&s->root, root_of(s->ca), err);
	if (rc == RC_OK)
		rc = ctl_thumbprints(&s->ra, ca_ra_cert0(s->ca), err);
	return rc == RC_OK ? look_at_renewed(s, err) : rc;
}

static void
print_cert(const char *what, const char *file, const struct cert *c, const struct thumbprints *t)
{
	char subject[512], from[CTL_TIME_MAX], to[CTL_TIME_MAX];
	struct buf b;

	buf_init(&b, 1u << 20);
	name_text(&b, cert_subject0(c));
	(void)printf("  %-8s %s\n", what, ctl_safe(subject, sizeof(subject), buf_str(&b)));
	buf_done(&b);
	(void)printf("           %s, %s to %s\n", key_info0(cert_key0(c))->name,
	    ctl_time(from, cert_not_before(c)), ctl_time(to, cert_not_after(c)));
	(void)printf("           SHA-1 %s\n           SHA-256 %s\n           %s\n", t->sha1,
	    t->sha256, file);
}

/* The CA that is the next of this one, or NULL. */
static const struct conf_ca *
next_of(const struct shown *s)
{
	const struct conf_ca *v = s->config->cas.v;
	size_t i;

	for (i = 0; i < s->config->cas.n; i++) {
		if (v[i].replaces != NULL && strcmp(v[i].replaces, s->conf->name) == 0)
			return &v[i];
	}
	return NULL;
}

static void
print_place(const char *what, const char *key, const struct conf_ca *conf)
{
	char safe[512];
	bool token = config_key_is_uri(key);
	const char *secret = token ? conf->pin_file : conf->passphrase_file;

	(void)printf(
	    "  %-8s %s%s", what, token ? "in a token: " : "", ctl_safe(safe, sizeof(safe), key));
	if (secret != NULL)
		(void)printf(", %s from %s", token ? "PIN" : "passphrase",
		    ctl_safe(safe, sizeof(safe), secret));
	(void)printf("\n");
}

/* Its place among the CAs, where it is not simply in use. */
static void
print_succession(const struct shown *s)
{
	const struct conf_ca *next = next_of(s);

	if (s->conf->replaces != NULL)
		(void)printf("  replaces %s\n", s->conf->replaces);
	if (next != NULL)
		(void)printf("  next     %s\n", next->name);
	if (s->retired)
		(void)printf(
		    "  retired  signs revocation lists and OCSP answers, no certificates\n");
}

static enum rc
show_text(const struct shown *s, struct err *err)
{
	enum rc rc;

	(void)printf("CA %s\n", s->conf->name);
	print_cert("issuing", s->conf->certificate, ca_cert0(s->ca), &s->issuing);
	rc = ca_print_facts(stdout, 11, ca_cert0(s->ca), err);
	if (rc != RC_OK)
		return rc;
	if (ca_chain_len(s->ca) > 0)
		print_cert("root", root_file(s->conf), root_of(s->ca), &s->root);
	if (renewed_ra(s) != NULL)
		print_cert("RA", "in use: renewed by scepd", renewed_ra(s), &s->ra_renewed);
	print_cert(renewed_ra(s) != NULL ? "RA, old" : "RA", s->conf->ra_certificate,
	    ca_ra_cert0(s->ca), &s->ra);
	if (s->renewed.ocsp != NULL)
		print_cert("OCSP", "made by scepd", s->renewed.ocsp, &s->ocsp);
	print_place("key", s->conf->key, s->conf);
	print_place("RA key", s->conf->ra_key, s->conf);
	print_succession(s);
	if (s->config->public_url != NULL)
		(void)printf(
		    "  CRL      %s/crl/%s.crl\n  AIA      %s/ca/%s.crt\n  OCSP     %s/ocsp/%s\n",
		    s->config->public_url, s->conf->name, s->config->public_url, s->conf->name,
		    s->config->public_url, s->conf->name);
	(void)printf("\n");
	return RC_OK;
}

/* Days where it comes out even. */
static void
print_life(const char *label, int64_t seconds)
{
	(void)printf("  %-24s %lld days\n", label, (long long)(seconds / 86400));
}

static void
print_list(const char *label, const char *const *v, size_t n)
{
	size_t i;

	(void)printf("  %-24s", label);
	for (i = 0; i < n; i++)
		(void)printf("%s%s", i > 0 ? ", " : " ", v[i]);
	(void)printf("\n");
}

static void
print_san_types(unsigned types)
{
	const char *names[SAN__MAX];
	enum san_type t;
	size_t n = 0;

	for (t = 0; t < SAN_OTHER; t++) {
		if (types & (1u << t))
			names[n++] = san_type_name(t);
	}
	print_list("Alternative names", names, n);
}

static void
print_ekus(const struct profile *p)
{
	size_t i;

	(void)printf("  %-24s", "Extended key usage");
	for (i = 0; i < p->n_eku_allowed; i++)
		(void)printf("%s%s", i > 0 ? ", " : " ", eku_name(p->eku_allowed[i]));
	(void)printf("\n");
}

/* The two that Intune offers; it wants at least one. */
static void
print_key_usage(unsigned allowed)
{
	const char *names[2];
	size_t n = 0;

	if (allowed & KU_DIGITAL_SIGNATURE)
		names[n++] = "Digital signature";
	if (allowed & KU_KEY_ENCIPHERMENT)
		names[n++] = "Key encipherment";
	print_list("Key usage", names, n);
}

static void
print_profile(const struct profile *p)
{
	print_list("Subject attributes", p->subject_attributes, p->n_subject_attributes);
	print_san_types(p->san_types);
	print_key_usage(p->key_usage_allowed);
	print_ekus(p);
	(void)printf("  %-24s %u to %u bits\n", "Key size", p->rsa_min, p->rsa_max);
	(void)printf("  %-24s %s\n", "Hash algorithm",
	    p->sha1_csr_ok ? "SHA-2 (SHA-1 is taken too)" : "SHA-2");
	print_life("Validity at most", p->validity_max);
	print_life("Validity on Apple", p->validity_default);
}

static void
print_endpoint(const struct shown *s, const struct conf_endpoint *e)
{
	const char *names[CONF_ENDPOINT_PROFILES];
	size_t n = config_endpoint_profiles(names, e);
	const char *url =
	    s->config->public_url != NULL ? s->config->public_url : "http://THIS-SERVER";

	(void)printf("Endpoint %s (tenant %s)\n", e->name, e->tenant);
	if (strcmp(e->name, "default") == 0)
		(void)printf("  %-24s %s/certsrv/mscep/mscep.dll\n", "SCEP server URL", url);
	else
		(void)printf("  %-24s %s/scep/%s\n", "SCEP server URL", url, e->name);
	for (size_t i = 0; i < n; i++) {
		if (n > 1)
			(void)printf("  by profile %s\n", names[i]);
		print_profile(config_profile(s->config, names[i]));
	}
	ctl_print_android_https(stdout, url);
	(void)printf("\n");
}

/* During a rollover devices have to trust both, and each SCEP profile names one. */
static void
print_rollover(const struct shown *s)
{
	const struct conf_ca *next = next_of(s);

	if (s->conf->replaces != NULL)
		(void)printf("It is the next CA of %s: assign trusted certificate profiles of it "
			     "beside those of %s to all devices\n"
			     "first; then let the SCEP profiles choose it.\n",
		    s->conf->replaces, s->conf->replaces);
	if (next != NULL)
		(void)printf(
		    "Its next CA is %s: keep these profiles, beside those of %s, until the "
		    "last device has moved.\n",
		    next->name, next->name);
	if (s->retired)
		(void)printf("It is retired: let no SCEP profile choose it any more; its trusted "
			     "certificate profiles stay until its last\n"
			     "certificate has ended.\n");
}

static enum rc
show_intune(const struct shown *s)
{
	const struct conf_endpoint *e = s->config->endpoints.v;
	size_t i;

	(void)printf("CA %s\n\n", s->conf->name);
	ctl_print_intune_choice(
	    stdout, s->conf->certificate, &s->issuing, root_file(s->conf), &s->root);
	print_rollover(s);
	(void)printf("\n");
	for (i = 0; i < s->config->endpoints.n; i++) {
		if (e[i].challenge == CHALLENGE_INTUNE && strcmp(e[i].ca, s->conf->name) == 0)
			print_endpoint(s, &e[i]);
	}
	return RC_OK;
}

static bool
add_ca(json_t *list, const struct shown *s)
{
	json_t *o = json_object();
	const struct conf_ca *next = next_of(s);
	bool ok = o != NULL && ctl_json_str(o, "name", s->conf->name) &&
	    ctl_json_str(o, "key", s->conf->key) && ctl_json_str(o, "raKey", s->conf->ra_key) &&
	    ctl_json_str(o, "replaces", s->conf->replaces) &&
	    ctl_json_str(o, "next", next != NULL ? next->name : NULL) &&
	    json_object_set_new(o, "issues", json_boolean(!s->retired)) == 0 &&
	    ca_json_facts(o, ca_cert0(s->ca)) &&
	    ca_json_cert(o, "issuing", s->conf->certificate, ca_cert0(s->ca), &s->issuing) &&
	    ca_json_cert(o, "root", root_file(s->conf), root_of(s->ca), &s->root) &&
	    ca_json_cert(o, "ra", s->conf->ra_certificate, ca_ra_cert0(s->ca), &s->ra) &&
	    (renewed_ra(s) == NULL ||
		ca_json_cert(o, "raRenewed", NULL, renewed_ra(s), &s->ra_renewed)) &&
	    (s->renewed.ocsp == NULL || ca_json_cert(o, "ocsp", NULL, s->renewed.ocsp, &s->ocsp));

	if (!ok) {
		json_decref(o);
		return false;
	}
	return json_array_append_new(list, o) == 0;
}

/* What "ca rollover retire" has put there.  Without a database nothing was. */
static void
read_succession(struct store_succession *out, const struct config *config)
{
	struct store *store = NULL;
	struct err why;

	if (store_open_shared(&store, config->store.url, &why) != RC_OK ||
	    store_succession_read(store, out, &why) != RC_OK)
		(void)fprintf(stderr,
		    PROG ": whether a CA was retired is shown by scepd.yaml alone: %s\n", why.msg);
	store_close(store);
}

static bool
is_retired(const struct store_succession *st, const struct conf_ca *conf)
{
	bool retired = !conf->issues;

	for (size_t i = 0; !retired && i < st->n_retired; i++)
		retired = strcmp(st->retired[i], conf->name) == 0;
	return retired;
}

static enum rc
show_each(const struct config *config, const struct options *o, json_t *list, bool *built,
    struct err *err)
{
	const struct conf_ca *conf = config->cas.v;
	struct store_succession st = { 0 };
	enum rc rc = RC_OK;
	struct shown s;
	size_t i;

	read_succession(&st, config);
	for (i = 0; rc == RC_OK && i < config->cas.n; i++) {
		rc = shown_open(&s, config, &conf[i], is_retired(&st, &conf[i]), err);
		if (rc == RC_OK && o->json)
			*built = *built && add_ca(list, &s);
		else if (rc == RC_OK)
			rc = o->intune ? show_intune(&s) : show_text(&s, err);
		signer_certs_done(&s.renewed);
		ca_free(s.ca);
	}
	store_succession_done(&st);
	return rc;
}

static int
run(const void *options, int nargs, char **args)
{
	const struct options *o = options;
	json_t *list = o->json ? json_array() : NULL;
	bool built = !o->json || list != NULL;
	struct config *config = NULL;
	struct err err = { 0 };
	enum rc rc;

	rc = ctl_config(&config, o->config, &err);
	if (rc == RC_OK)
		rc = show_each(config, o, list, &built, &err);
	config_free(config);
	if (rc == RC_OK)
		return o->json ? ctl_json_print(list, built) : EX_OK;
	json_decref(list);
	return err_report(PROG, &err);
}

const struct command ca_show = {
	.name = "show",
	.args = "",
	.help = "the certificates of each CA; --intune: what to enter there",
	.about = "Examples:\n"
		 "  scepctl ca show\n"
		 "  scepctl ca show --intune\n"
		 "  scepctl ca show --json | jq -r '.[0].issuing.sha1'\n",
	.opts = opts,
	.size = sizeof(struct options),
	.run = run,
};
