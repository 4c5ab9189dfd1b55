/* init_tell.c - see init_tell.h. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "scepctl/ctl.h"
#include "scepctl/init_tell.h"

/* A path as a shell takes it: quoted when it holds more than harmless characters. */
static void
print_word(const char *s)
{
	const unsigned char *p = (const unsigned char *)s;

	while (*p >= 0x80 || (*p != '\0' && (isalnum(*p) || strchr("_./-+,:@%", *p) != NULL)))
		p++;
	if (*p == '\0') {
		(void)printf("%s", s);
		return;
	}
	(void)putchar('\'');
	for (; *s != '\0'; s++)
		(void)(*s == '\'' ? printf("'\\''") : putchar(*s));
	(void)putchar('\'');
}

static void
print_command(const char *before, const char *dir, const char *file, const char *after)
{
	char path[4096];

	(void)snprintf(path, sizeof(path), "%s/%s", dir, file);
	(void)printf("  %s ", before);
	print_word(path);
	(void)printf("%s\n", after);
}

static void
print_file(const struct init_options *o, const char *name, const char *what)
{
	(void)printf("  %s/%-20s  %s\n", o->dir, name, what);
}

static void
print_files(const struct init_made *m)
{
	const struct init_options *o = m->o;
	char properties[80];

	(void)snprintf(properties, sizeof(properties), "%s.properties", m->tenant);
	(void)printf("Made a certification authority for %s:\n\n", o->name);
	print_file(o, "ca/root.pem", o->root_key);
	print_file(o, "ca/issuing.pem", o->keys.issuing_key);
	print_file(o, "ca/ra.pem", o->keys.ra_key);
	print_file(o, "scepd.yaml", "configuration");
	print_file(o, "scepd.db", "database");
	if (m->text->tenant != NULL)
		print_file(o, properties,
		    o->properties != NULL ? "credentials for Intune"
					  : "credentials for Intune, TO BE FILLED IN");
	if (m->text->domain != NULL)
		print_file(o, "lab.secret", "challenge of the endpoint lab");
	(void)printf("\nThe root's key (%s/ca/root.key) is not needed to run: take it off this "
		     "machine and keep it safe.\n\n",
	    o->dir);
}

static enum rc
print_thumbprints(const struct config *config, struct err *err)
{
	const struct conf_ca *conf = config_ca(config, "issuing");
	struct cert *issuing = NULL, *root = NULL;
	struct thumbprints ti, tr;
	enum rc rc;

	rc = cert_load(&issuing, conf->certificate, err);
	if (rc == RC_OK)
		rc = cert_load(&root, conf->chain.v[0], err);
	if (rc == RC_OK)
		rc = ctl_thumbprints(&ti, issuing, err);
	if (rc == RC_OK)
		rc = ctl_thumbprints(&tr, root, err);
	if (rc == RC_OK)
		ctl_print_intune_choice(stdout, conf->certificate, &ti, conf->chain.v[0], &tr);
	cert_free(issuing);
	cert_free(root);
	return rc;
}

static void
print_next(const struct init_made *m)
{
	const struct config *config = m->config;
	const struct init_options *o = m->o;
	const char *url = config->public_url != NULL ? config->public_url : "http://THIS-SERVER";
	char properties[80];

	(void)printf("\n");
	if (m->text->tenant != NULL) {
		(void)printf("SCEP server URL for the profile: %s/certsrv/mscep/mscep.dll\n", url);
		ctl_print_android_https(stdout, url);
	}
	if (m->text->domain != NULL)
		(void)printf(
		    "SCEP URL of the endpoint with the static challenge: %s/scep/lab\n", url);
	if (o->url == NULL)
		(void)printf("No --url was given: set public_url in scepd.yaml before real "
			     "certificates are issued.\n");
	(void)printf("\nNext:\n");
	(void)snprintf(properties, sizeof(properties), "%s.properties", m->tenant);
	if (m->text->tenant != NULL && o->properties == NULL)
		print_command("edit", o->dir, properties, "");
	print_command(PROG " check --config", o->dir, "scepd.yaml",
	    m->text->tenant != NULL ? " --online" : "");
	print_command("scepd --config", o->dir, "scepd.yaml", "");
	if (geteuid() == 0)
		(void)printf("As a service, with accounts of its own instead of root's (processes: "
			     "in scepd.yaml):\n"
			     "  AS A SERVICE in man 8 scepd\n");
}

enum rc
init_tell(const struct init_made *m, struct err *err)
{
	enum rc rc;

	print_files(m);
	rc = print_thumbprints(m->config, err);
	print_next(m);
	return rc;
}
