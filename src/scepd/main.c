/* main.c - scepd: options, then the role. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/log.h"
#include "base/opt.h"
#include "scepd/keys.h"
#include "scepd/roles.h"
#include "scepd/scepd.h"

static const struct opt options[] = {
	{ "config", 'c', OPT_STR, offsetof(struct scepd_options, config), "FILE",
	    "configuration (default /etc/scepd/scepd.yaml)" },
	{ "check", 'n', OPT_FLAG, offsetof(struct scepd_options, check), NULL,
	    "validate the configuration and every file it names, then exit" },
	{ "ready-file", 0, OPT_STR, offsetof(struct scepd_options, ready_file), "FILE",
	    "write the bound addresses here once requests are served" },
	{ "log-level", 0, OPT_CHOICE, offsetof(struct scepd_options, log_level), "LEVEL",
	    "instead of the configuration's log.level", "debug|info|warn|error" },
	{ "single-process", 0, OPT_FLAG, offsetof(struct scepd_options, single_process), NULL,
	    "keys and network in one process, without a sandbox: for measurements and debuggers" },
	{ 0 },
};

/* ---- what is common ---- */

/* A role's, as the supervisor has kept it. */
static enum rc
load_kept(struct config **config, const char *path, struct err *err)
{
	struct stat st = { .st_size = 0 };
	char *text = NULL;
	enum rc rc = RC_OK;

	if (fstat(ROLE_CONFIG_FD, &st) != 0 || (text = malloc((size_t)st.st_size + 1)) == NULL ||
	    pread(ROLE_CONFIG_FD, text, (size_t)st.st_size, 0) != st.st_size)
		rc = fail(err, RC_IO, "cannot read what the supervisor has kept of %s", path);
	if (rc == RC_OK)
		rc = config_parse(config, path, text, (size_t)st.st_size, err);
	free(text);
	(void)close(ROLE_CONFIG_FD);
	return rc;
}

static enum rc
set_up(struct config **config, const char *path, bool kept, const char *log_level, struct err *err)
{
	static const struct rlimit no_core = { 0, 0 };
	enum log_level level;
	enum rc rc;

	/* A core file would hold keys, secrets or tokens. */
	(void)setrlimit(RLIMIT_CORE, &no_core);
	rc = kept ? load_kept(config, path, err) : config_load(config, path, err);
	if (rc == RC_NOTFOUND)
		return err_hint(
		    err, "name the file with --config, or make a new CA with 'scepctl init'");
	if (rc != RC_OK)
		return rc;
	level = (enum log_level)(*config)->log.level;
	if (log_level != NULL && (rc = log_level_parse(&level, log_level, err)) != RC_OK) {
		config_free(*config);
		return rc;
	}
	log_setup(level, (enum log_format)(*config)->log.format, STDERR_FILENO);
	return RC_OK;
}

/* ---- --check ---- */

static enum rc
check_listeners(const struct config *c, struct err *err)
{
	const struct conf_listener *l = c->listeners.v;
	struct tls_ctx *tls;
	enum rc rc;

	for (size_t i = 0; i < c->listeners.n; i++) {
		if (l[i].certificate == NULL)
			continue;
		if ((rc = tls_ctx_server(&tls, l[i].certificate, l[i].key, err)) != RC_OK)
			return rc;
		tls_ctx_free(tls);
	}
	return RC_OK;
}

/* Opens what the three processes would open, in this one, and keeps nothing. */
static enum rc
check_all(struct config *c, struct scepd **s, struct err *err)
{
	struct keys_secrets *secrets = NULL;
	struct scepd_parts parts = { 0 };
	enum rc rc = keys_secrets_read(&secrets, c, NULL, NULL, err);

	if (rc == RC_OK && keys_in_token(c))
		rc = key_tokens_open(c->pkcs11.module, err);
	if (rc == RC_OK)
		rc = keys_open(&parts.signer, c, secrets, NULL, err);
	keys_secrets_free(secrets);
	if (rc == RC_OK && (rc = scepd_new(s, c, &parts, err)) != RC_OK)
		signer_close(parts.signer);
	return rc;
}

static int
check(struct config *c, const char *path)
{
	struct scepd *s = NULL;
	struct err err;
	enum rc rc = check_all(c, &s, &err);

	if (rc != RC_OK)
		config_free(c);
	else if ((rc = check_listeners(c, &err)) == RC_OK)
		printf("%s: ok: %zu listeners, %zu CAs, %zu tenants, %zu profiles, %zu endpoints\n",
		    path, c->listeners.n, c->cas.n, c->tenants.n, c->profiles.n, c->endpoints.n);
	scepd_free(s);
	return rc == RC_OK ? EX_OK : err_report("scepd", &err);
}

/* ---- roles ---- */

static int
run(const void *opts, int nargs, char **args)
{
	const struct scepd_options *o = opts;
	struct config *config;
	struct err err;
	int code;

	if (set_up(&config, o->config, false, o->log_level, &err) != RC_OK)
		return err_report("scepd", &err);
	if (o->check)
		return check(config, o->config);
	if (o->single_process)
		return single_main(config, o);
	code = supervisor_main(config, o);
	config_free(config);
	return code;
}

/* The supervisor's processes: "scepd ROLE CONFIG [LOG-LEVEL]", started by process.c alone. */
static int
run_role(const char *role, const char *path, const char *log_level)
{
	struct config *config;
	struct err err;
	sigset_t set;
	int code;

	/* Whoever signals a whole group (a terminal, a service manager) means the supervisor. */
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGHUP);
	(void)sigprocmask(SIG_SETMASK, &set, NULL);
	if (set_up(&config, path, true, log_level, &err) != RC_OK)
		return err_report("scepd", &err);
	if (strcmp(role, "front") == 0) {
		(void)prctl(PR_SET_NAME, "scepd-front");
		return front_main(config);
	}
	(void)prctl(PR_SET_NAME, "scepd-signer");
	code = signer_main(config);
	config_free(config);
	return code;
}

/* Without them the next file that is opened, a database perhaps, would be 2, and get the log. */
static void
have_standard_streams(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		(void)close(fd);
}

int
main(int argc, char **argv)
{
	static const struct scepd_options defaults = { .config = "/etc/scepd/scepd.yaml" };
	static const struct command cmd = { .name = "scepd",
		.args = "",
		.help = "certification authority for Microsoft Intune: SCEP server and CA",
		.about = "Serves SCEP to the devices that Intune manages: asks Intune about every "
			 "request, issues, reports, hands over.\n"
			 "Runs in the foreground and logs to standard error.  SIGTERM ends it once "
			 "requests in flight are answered;\n"
			 "SIGHUP reads certificates and secrets again.  It starts two processes of "
			 "its own: "
			 "one has the keys, the other the\n"
			 "network.\n\n"
			 "  scepctl init --dir /var/lib/scepd --name Contoso     make a CA and a "
			 "configuration first\n"
			 "  scepd --config /var/lib/scepd/scepd.yaml --check     validate\n"
			 "  scepd --config /var/lib/scepd/scepd.yaml             run",
		.opts = options,
		.size = sizeof(struct scepd_options),
		.defaults = &defaults,
		.run = run };

	have_standard_streams();
	if (argc >= 3 && (strcmp(argv[1], "front") == 0 || strcmp(argv[1], "signer") == 0))
		return run_role(argv[1], argv[2], argc > 3 ? argv[3] : NULL);
	return command_main_single("scepd", &cmd, argc, argv);
}
