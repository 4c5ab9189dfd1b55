/*
 * cmd_serve.c - intunesim: serve until a signal comes.
 */
#include "base/log.h"
#include "intunesim/commands.h"
#include "intunesim/program.h"

static int
run(const void *options, int nargs, char **args)
{
	struct program p = { .o = options };
	struct err err;
	sigset_t signals;
	int sig, code = 0;

	(void)nargs;
	(void)args;
	program_begin(p.o, &signals);
	if (program_load(&p, &err) == RC_OK && program_open(&p, &err) == RC_OK) {
		sigwait(&signals, &sig);
		log_msg(LOG_INFO, "stop", "signal %d", sig);
	} else {
		code = err_report(PROG, &err);
	}
	program_close(&p);
	return code;
}

const struct command cmd_serve = {
	.name = PROG,
	.args = "",
	.help = "simulate Microsoft Intune, Entra and Graph for a certification authority",
	.about =
	    "Serves, on one port, what a CA meets when it works with Intune: Entra's token\n"
	    "endpoint, the service list of Microsoft Graph and Intune's SCEP actions; and,\n"
	    "for simulated devices, a check-in that hands out SCEP profiles with challenges.\n\n"
	    "Example:\n"
	    "  intunesim --tenant contoso.yaml --root '*=root.pem' \\\n"
	    "      --scep-url http://127.0.0.1:8080/certsrv/mscep/mscep.dll\n\n"
	    "Then: curl http://127.0.0.1:8090/sim/report.txt\n\n"
	    "A thousand devices at once: intunesim fleet --help",
	.opts = program_opts,
	.size = sizeof(struct program_options),
	.defaults = &program_defaults,
	.run = run,
};
