/* init_tell.c - see init_tell.h. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "scepctl/ca_facts.h"
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

/* The two CAs that were made. */
struct made_cas {
	const char *issuing_file, *root_file;
	struct cert *issuing, *root;
	struct thumbprints ti, tr;
};

static enum rc
cas_read(struct made_cas *m, const struct config *config, struct err *err)
{
	const struct conf_ca *conf = config_ca(config, "issuing");
	enum rc rc;

	*m = (struct made_cas){ conf->certificate, conf->chain.v[0] };
	rc = cert_load(&m->issuing, m->issuing_file, err);
	if (rc == RC_OK)
		rc = cert_load(&m->root, m->root_file, err);
	if (rc == RC_OK)
		rc = ctl_thumbprints(&m->ti, m->issuing, err);
	return rc == RC_OK ? ctl_thumbprints(&m->tr, m->root, err) : rc;
}

static void
cas_done(struct made_cas *m)
{
	cert_free(m->issuing);
	cert_free(m->root);
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

/* ---- as JSON ---- */

static bool
add_path(json_t *o, const char *key, const char *dir, const char *file)
{
	char path[4096];

	if (file != NULL)
		(void)snprintf(path, sizeof(path), "%s/%s", dir, file);
	return ctl_json_str(o, key, file != NULL ? path : NULL);
}

/* null without public_url: nobody knows yet how devices reach this server. */
static bool
add_url(json_t *o, const char *key, const struct init_made *m, const char *path)
{
	char url[4096];
	const char *base = m->config->public_url;

	if (path != NULL && base != NULL)
		(void)snprintf(url, sizeof(url), "%s%s", base, path);
	return ctl_json_str(o, key, path != NULL && base != NULL ? url : NULL);
}

static int
tell_json(const struct init_made *m, const struct made_cas *cas)
{
	const struct init_options *o = m->o;
	bool tenant = m->text->tenant != NULL, lab = m->text->domain != NULL;
	char properties[80];
	json_t *v = json_object();
	bool ok;

	(void)snprintf(properties, sizeof(properties), "%s.properties", m->tenant);
	ok = v != NULL && add_path(v, "config", o->dir, "scepd.yaml") &&
	    add_path(v, "database", o->dir, "scepd.db") &&
	    ca_json_cert(v, "root", cas->root_file, cas->root, &cas->tr) &&
	    ca_json_cert(v, "issuing", cas->issuing_file, cas->issuing, &cas->ti) &&
	    add_path(v, "rootKey", o->dir, "ca/root.key") &&
	    add_path(v, "tenantProperties", o->dir, tenant ? properties : NULL) &&
	    json_object_set_new(v, "toBeFilledIn", json_boolean(tenant && o->properties == NULL)) ==
		0 &&
	    add_url(v, "intuneUrl", m, tenant ? "/certsrv/mscep/mscep.dll" : NULL) &&
	    add_url(v, "staticUrl", m, lab ? "/scep/lab" : NULL) &&
	    add_path(v, "staticChallengeFile", o->dir, lab ? "lab.secret" : NULL);
	return ctl_json_print(v, ok);
}

int
init_tell(const struct init_made *m)
{
	struct made_cas cas;
	struct err err = { 0 };
	enum rc rc = cas_read(&cas, m->config, &err);
	int status = EX_OK;

	if (rc != RC_OK) {
		status = err_report(PROG, &err);
	} else if (m->o->json) {
		status = tell_json(m, &cas);
	} else {
		print_files(m);
		ctl_print_intune_choice(stdout, cas.issuing_file, &cas.ti, cas.root_file, &cas.tr);
		print_next(m);
	}
	cas_done(&cas);
	return status;
}
