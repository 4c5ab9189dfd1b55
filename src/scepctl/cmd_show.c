/*
 * cmd_show.c - scepctl show SERIAL: all that is known of one certificate.
 */
#include <string.h>
#include <sysexits.h>

#include "base/clock.h"
#include "base/limits.h"
#include "ossl/eku.h"
#include "scepctl/cert_json.h"
#include "scepctl/ctl.h"
#include "store/store_foreign.h"

struct options {
	const char *config, *ca;
	bool json, pem;
};

static const struct opt opts[] = {
	OPT_CONFIG(options),
	OPT_FLAG_ROW("json", options, json, "as JSON, the certificate included"),
	OPT_FLAG_ROW("pem", options, pem, "the certificate alone, PEM"),
	{ .name = "ca",
	    .type = OPT_STR,
	    .offset = offsetof(struct options, ca),
	    .value = "NAME",
	    .help = "that of this CA: several may have given the same serial number" },
	{ .name = NULL },
};

/* All that is asked of the store. */
struct known {
	struct store_cert_row row;
	struct store_renewal renewal;
	struct store_status status;
	struct store_binding binding;
	bool foreign, configured; /* a CA of others, and foreign_cas has it */
};

/* What came before and after it, and what will become of it for that. */
static void
print_renewal(const struct store_renewal *n)
{
	char when[CTL_TIME_MAX], text[160];

	ctl_line(stdout, "Replaces", n->replaces);
	if (n->replaced_by == NULL)
		return;
	(void)snprintf(
	    text, sizeof(text), "%s, %s", n->replaced_by, ctl_time(when, n->replaced_at));
	ctl_line(stdout, "Replaced by", text);
	if (n->times > 1) {
		(void)snprintf(text, sizeof(text), "%u times; this is the newest", n->times);
		ctl_line(stdout, "", text);
	}
	if (n->revoke_at != 0) {
		(void)snprintf(text, sizeof(text),
		    "%s, if the new certificate is in the device's hands",
		    ctl_time(when, n->revoke_at));
		ctl_line(stdout, "To be revoked", text);
	}
}

static bool
add_renewal(json_t *o, const struct store_renewal *n)
{
	return ctl_json_str(o, "replaces", n->replaces) &&
	    ctl_json_str(o, "replacedBy", n->replaced_by) &&
	    ctl_json_time(o, "replacedAt", n->replaced_at) &&
	    ctl_json_time(o, "revokeAt", n->revoke_at);
}

static void
print_eku(const struct cert *c)
{
	char text[512] = "";
	size_t n, i, at = 0;
	const char *const *eku = cert_eku0(c, &n);

	for (i = 0; i < n && at < sizeof(text) - 80; i++)
		at += (size_t)snprintf(
		    text + at, sizeof(text) - at, "%s%.77s", i > 0 ? ", " : "", eku_name(eku[i]));
	ctl_line(stdout, "Usages", text);
}

/* c NULL: only the serial number is known. */
static void
print_text(const struct known *k, const struct cert *c)
{
	const struct store_cert_row *r = &k->row;
	char when[CTL_TIME_MAX];
	struct thumbprints t;

	ctl_line(stdout, "Serial", r->serial);
	ctl_line(stdout, "State", cert_state(r, clock_now()));
	cert_print_status(stdout, &k->status);
	print_renewal(&k->renewal);
	ctl_line(stdout, "Subject", r->subject);
	ctl_line(stdout, "Names", r->san);
	if (r->not_before != 0)
		ctl_line(stdout, "Not before", ctl_time(when, r->not_before));
	ctl_line(stdout, "Not after",
	    r->not_after != FOREIGN_NO_END ? ctl_time(when, r->not_after) : "not known");
	ctl_line(stdout, c != NULL ? "Issued" : "Known since", ctl_time(when, r->issued));
	if (c != NULL) {
		ctl_line(stdout, "Key", key_info0(cert_key0(c))->name);
		print_eku(c);
	}
	ctl_line(stdout, "CA", r->ca);
	if (k->foreign)
		ctl_line(stdout, "",
		    k->configured ? "a foreign one"
				  : "a foreign one, which is not in scepd.yaml any more");
	if (c == NULL)
		ctl_line(stdout, "Certificate", "not imported: its serial number alone is known");
	ctl_line(stdout, "Endpoint", r->endpoint);
	ctl_line(stdout, "Profile", r->profile);
	ctl_line(stdout, "Transaction", r->transaction_id);
	cert_print_binding(stdout, &k->binding);
	if (c != NULL && ctl_thumbprints(&t, c, NULL) == RC_OK) {
		ctl_line(stdout, "SHA-1", t.sha1);
		ctl_line(stdout, "SHA-256", t.sha256);
	}
}

static int
print_json(const struct known *k, const char *pem)
{
	json_t *o = cert_json(&k->row, clock_now());

	return ctl_json_print(o,
	    o != NULL && cert_json_status(o, &k->status) && add_renewal(o, &k->renewal) &&
		cert_json_binding(o, &k->binding) && ctl_json_str(o, "pem", pem));
}

static int
print_known(const struct options *o, const struct known *k, const struct cert *c)
{
	int status = EX_OK;
	struct buf pem;

	buf_init(&pem, LIMIT_CERT * 2);
	if (c != NULL)
		cert_pem(&pem, c);
	if (o->json)
		status = print_json(k, c != NULL ? buf_str(&pem) : NULL);
	else if (o->pem)
		(void)fputs(buf_str(&pem), stdout);
	else
		print_text(k, c);
	buf_done(&pem);
	return status;
}

static enum rc
know(struct known *k, const struct config *c, struct store *store, const char *serial,
    const char *ca, struct err *err)
{
	enum rc rc = store_cert_get(store, serial, ca, &k->row, err);

	if (rc == RC_CONFLICT)
		return ctl_say_ca(err);
	if (rc == RC_OK) {
		k->foreign = k->row.endpoint[0] == '\0';
		k->configured = config_foreign(c, k->row.ca) != NULL;
	}
	if (rc == RC_OK)
		rc = store_renewal_get(store, serial, k->row.ca, &k->renewal, err);
	if (rc == RC_OK)
		rc = store_status_get(store, serial, k->row.ca, &k->status, err);
	return rc != RC_OK ? rc : store_binding_get(store, serial, k->row.ca, &k->binding, err);
}

static int
run(const void *options, int nargs, char **args)
{
	const struct options *o = options;
	char serial[2 * SERIAL_MAX + 1];
	struct known k = { 0 };
	struct config *c = NULL;
	struct store *store = NULL;
	struct cert *cert = NULL;
	struct err err = { 0 };
	int status;
	enum rc rc;

	rc = ctl_serial(serial, args[0], &err);
	if (rc == RC_OK)
		rc = ctl_open(&c, &store, o->config, &err);
	if (rc == RC_OK)
		rc = know(&k, c, store, serial, o->ca, &err);
	if (rc == RC_OK && k.row.der_len == 0 && o->pem)
		rc = fail(&err, RC_NOTFOUND,
		    "the certificate was never imported: its serial number alone is known");
	if (rc == RC_OK && k.row.der_len > 0)
		rc = cert_parse_known(&cert, k.row.der, k.row.der_len, &err);
	status = rc == RC_OK ? print_known(o, &k, cert) : err_report(PROG, &err);
	cert_free(cert);
	store_cert_row_done(&k.row);
	store_renewal_done(&k.renewal);
	store_status_done(&k.status);
	store_close(store);
	config_free(c);
	return status;
}

const struct command cmd_show = {
	.name = "show",
	.args = "SERIAL",
	.help = "all that is known of one certificate",
	.about = "The serial is taken as any tool prints it: hex with or without colons, either "
		 "case.\n\n"
		 "Example:\n"
		 "  scepctl show 4A:6F:...:91 --pem | openssl x509 -noout -text\n",
	.opts = opts,
	.size = sizeof(struct options),
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
