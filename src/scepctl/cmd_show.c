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

struct options {
	const char *config;
	bool json, pem;
};

static const struct opt opts[] = {
	OPT_CONFIG(options),
	OPT_FLAG_ROW("json", options, json, "as JSON, the certificate included"),
	OPT_FLAG_ROW("pem", options, pem, "the certificate alone, PEM"),
	{ .name = NULL },
};

static void
line(const char *label, const char *value)
{
	char safe[1024];

	if (value != NULL && value[0] != '\0')
		(void)printf("%-13s %s\n", label, ctl_safe(safe, sizeof(safe), value));
}

static void
print_revocation(const struct store_cert_row *r)
{
	char when[CTL_TIME_MAX];

	if (r->revoked == 0)
		return;
	line("Revoked", ctl_time(when, r->revoked));
	line("Reason", ctl_reason_name(r->reason));
	line("Comment", r->revoked_why);
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
	line("Usages", text);
}

static void
print_text(const struct store_cert_row *r, const struct cert *c)
{
	char when[CTL_TIME_MAX];
	struct thumbprints t;

	line("Serial", r->serial);
	line("State", cert_state(r, clock_now()));
	print_revocation(r);
	line("Subject", r->subject);
	line("Names", r->san);
	line("Not before", ctl_time(when, r->not_before));
	line("Not after", ctl_time(when, r->not_after));
	line("Issued", ctl_time(when, r->issued));
	line("Key", key_info0(cert_key0(c))->name);
	print_eku(c);
	line("CA", r->ca);
	line("Endpoint", r->endpoint);
	line("Profile", r->profile);
	line("Transaction", r->transaction_id);
	if (ctl_thumbprints(&t, c, NULL) == RC_OK) {
		line("SHA-1", t.sha1);
		line("SHA-256", t.sha256);
	}
}

static int
print_json(const struct store_cert_row *r, const char *pem)
{
	json_t *o = cert_json(r, clock_now());

	return ctl_json_print(o, o != NULL && ctl_json_str(o, "pem", pem));
}

static int
print_row(const struct options *o, const struct store_cert_row *r, const struct cert *c)
{
	int status = EX_OK;
	struct buf pem;

	buf_init(&pem, LIMIT_CERT * 2);
	cert_pem(&pem, c);
	if (o->json)
		status = print_json(r, buf_str(&pem));
	else if (o->pem)
		(void)fputs(buf_str(&pem), stdout);
	else
		print_text(r, c);
	buf_done(&pem);
	return status;
}

static int
run(const void *options, int nargs, char **args)
{
	const struct options *o = options;
	char serial[2 * SERIAL_MAX + 1];
	struct store_cert_row row = { 0 };
	struct store *store = NULL;
	struct cert *cert = NULL;
	struct err err = { 0 };
	int status;
	enum rc rc;

	rc = ctl_serial(serial, args[0], &err);
	if (rc == RC_OK)
		rc = ctl_open(NULL, &store, o->config, &err);
	if (rc == RC_OK)
		rc = store_cert_get(store, serial, &row, &err);
	if (rc == RC_OK)
		rc = cert_parse(&cert, row.der, row.der_len, &err);
	status = rc == RC_OK ? print_row(o, &row, cert) : err_report(PROG, &err);
	cert_free(cert);
	store_cert_row_done(&row);
	store_close(store);
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
