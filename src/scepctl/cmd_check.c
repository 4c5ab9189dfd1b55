/*
 * cmd_check.c - scepctl check: is everything there that scepd needs, and will be tomorrow?
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "base/text.h"
#include "scepctl/ctl.h"
#include "scepctl/report.h"

struct options {
	const char *config;
	bool online, json, quiet;
};

static const struct opt opts[] = {
	OPT_CONFIG(options),
	OPT_FLAG_ROW("online", options, online,
	    "also ask Entra for tokens, and Graph for Intune's services and the directory, "
	    "for each tenant"),
	OPT_FLAG_ROW("quiet", options, quiet, "print what is not well, and nothing else"),
	OPT_FLAG_ROW("json", options, json, "as JSON"),
	{ .name = NULL },
};

static const char *const words[] = { "ok", "warn", "fail" };

static void
report_json(struct report *r, enum finding f, const char *what, const char *text, const char *hint)
{
	json_t *o = json_object();

	if (o == NULL || !ctl_json_str(o, "result", words[f]) || !ctl_json_str(o, "what", what) ||
	    !ctl_json_str(o, "text", text) || (hint[0] != '\0' && !ctl_json_str(o, "hint", hint))) {
		json_decref(o);
		r->broken = true;
		return;
	}
	if (json_array_append_new(r->list, o) != 0)
		r->broken = true;
}

static void
report_line(struct report *r, enum finding f, const char *what, const char *text, const char *hint)
{
	r->n[f]++;
	if (r->quiet && f == FINDING_OK)
		return;
	if (r->json) {
		report_json(r, f, what, text, hint);
		return;
	}
	(void)printf("%-4s  %-14s  %s\n", words[f], what, text);
	if (hint[0] != '\0')
		(void)printf("%22s  %s\n", "", hint);
}

void
report(struct report *r, enum finding f, const char *what, const char *fmt, ...)
{
	char text[ERR_MSG_MAX];
	va_list ap;

	va_start(ap, fmt);
	if (vsnprintf(text, sizeof(text), fmt, ap) < 0)
		text[0] = '\0';
	va_end(ap);
	str_printable(text);
	report_line(r, f, what, text, "");
}

void
report_err(struct report *r, enum finding f, const char *what, const struct err *err)
{
	report_line(r, f, what, err->msg, err->hint);
}

static void
check_all(struct report *r, const struct config *c, const struct options *o)
{
	report(r, FINDING_OK, "config", "%s is well-formed", c->path);
	check_modes(r, c);
	check_processes(r, c);
	check_cas(r, c);
	check_store(r, c);
	check_identities(r, c);
	check_foreign_lists(r, c);
	check_listeners(r, c);
	check_profiles(r, c);
	check_endpoints(r, c);
	check_admin(r, c);
	check_rules(r, c);
	check_tenants(r, c, o->online);
}

static int
finish(struct report *r)
{
	int status = r->n[FINDING_FAIL] > 0 ? EX_CONFIG : EX_OK;

	if (r->json) {
		int printed = ctl_json_print(r->list, !r->broken);

		return printed != EX_OK ? printed : status;
	}
	if (!r->quiet)
		(void)printf("\n%u ok, %u warning%s, %u failure%s\n", r->n[FINDING_OK],
		    r->n[FINDING_WARN], r->n[FINDING_WARN] == 1 ? "" : "s", r->n[FINDING_FAIL],
		    r->n[FINDING_FAIL] == 1 ? "" : "s");
	return status;
}

static int
run(const void *options, int nargs, char **args)
{
	const struct options *o = options;
	struct report r = { .json = o->json, .quiet = o->quiet };
	struct config *config = NULL;
	struct err err = { 0 };
	enum rc rc = ctl_config(&config, o->config, &err);

	if (rc != RC_OK)
		return err_report(PROG, &err);
	if (r.json) {
		r.list = json_array();
		r.broken = r.list == NULL;
	}
	check_all(&r, config, o);
	config_free(config);
	return finish(&r);
}

const struct command cmd_check = {
	.name = "check",
	.args = "",
	.help = "look at configuration, keys, certificates, database, tenants",
	.about = "Exit status 0 when nothing failed (there may be warnings), 78 otherwise.\n\n"
		 "Examples:\n"
		 "  scepctl check --online\n"
		 "  scepctl check --quiet || mail -s 'scepd needs you' root\n",
	.opts = opts,
	.size = sizeof(struct options),
	.run = run,
};
