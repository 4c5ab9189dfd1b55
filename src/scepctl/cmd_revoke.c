/*
 * cmd_revoke.c - scepctl revoke SERIAL.
 */
#include <string.h>
#include <sysexits.h>

#include "base/text.h"
#include "scepctl/ctl.h"

#define COMMENT_MAX 200 /* bytes; it is kept for ever in the audit chain */

struct options {
	const char *config, *reason, *comment;
};

static const struct opt opts[] = {
	OPT_CONFIG(options),
	{ .name = "reason",
	    .letter = 'r',
	    .type = OPT_CHOICE,
	    .offset = offsetof(struct options, reason),
	    .value = "REASON",
	    .help = "why, as the CRL says it",
	    .choices = CTL_REASONS,
	    .required = true },
	{ .name = "comment",
	    .letter = 'm',
	    .type = OPT_STR,
	    .offset = offsetof(struct options, comment),
	    .value = "TEXT",
	    .help = "kept with the certificate and in the audit trail" },
	{ .name = NULL },
};

static enum rc
check_comment(const char *comment, struct err *err)
{
	if (comment == NULL)
		return RC_OK;
	if (strlen(comment) > COMMENT_MAX)
		return fail(err, RC_CONFIG, "--comment is longer than %d bytes", COMMENT_MAX);
	if (!utf8_valid((const uint8_t *)comment, strlen(comment)))
		return fail(err, RC_CONFIG, "--comment is not UTF-8 text");
	return RC_OK;
}

static void
print_done(const char *serial, const struct options *o, const struct store_cert_row *row)
{
	char subject[512];

	(void)printf("revoked %s (%s): %s\n", serial, o->reason,
	    ctl_safe(subject, sizeof(subject), row->subject));
	(void)printf("The CRL of CA %s says so from its next fetch on; relying parties may keep "
		     "the old one until its nextUpdate.\n",
	    row->ca);
}

static int
run(const void *options, int nargs, char **args)
{
	const struct options *o = options;
	char serial[2 * SERIAL_MAX + 1];
	struct store_cert_row row = { 0 };
	struct store *store = NULL;
	struct err err = { 0 };
	enum rc rc;

	rc = ctl_serial(serial, args[0], &err);
	if (rc == RC_OK)
		rc = check_comment(o->comment, &err);
	if (rc == RC_OK)
		rc = ctl_open(NULL, &store, o->config, &err);
	if (rc == RC_OK)
		rc = store_cert_get(store, serial, &row, &err);
	if (rc == RC_OK)
		rc = store_cert_revoke(store, serial, ctl_reason(o->reason),
		    o->comment != NULL ? o->comment : "by an administrator", &err);
	if (rc == RC_OK)
		print_done(serial, o, &row);
	store_cert_row_done(&row);
	store_close(store);
	return rc == RC_OK ? EX_OK : err_report(PROG, &err);
}

const struct command cmd_revoke = {
	.name = "revoke",
	.args = "SERIAL",
	.help = "revoke a certificate, for good",
	.about = "There is no way back: a revoked certificate stays revoked.\n\n"
		 "Example:\n"
		 "  scepctl revoke 4A6F...91 --reason keyCompromise --comment 'laptop stolen, "
		 "ticket 4711'\n",
	.opts = opts,
	.size = sizeof(struct options),
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
