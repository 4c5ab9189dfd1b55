/*
 * cmd_init.c - scepctl init: a complete state directory, ready for scepd.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/text.h"
#include "ca/init.h"
#include "scepctl/ctl.h"
#include "scepctl/init_files.h"
#include "scepctl/init_keys.h"
#include "scepctl/init_tell.h"

#define SECRET_BYTES 18 /* 144 bits, 24 characters */
#define YEAR         (365 * 86400ll)

static const struct init_options defaults = {
	.root_key = "rsa:4096",
	.keys = { .issuing_key = "rsa:3072",
	    .ra_key = "rsa:2048",
	    .issuing_kind = "rsa:3072",
	    .ra_kind = "rsa:2048" },
	.root_validity = 20 * YEAR,
	.issuing_validity = 10 * YEAR,
	.ra_validity = 10 * YEAR,
	.listen = "0.0.0.0:8080",
	.domain = "lab.example",
};

#define STR(n, f, v, h)                                                                            \
	{                                                                                          \
		.name = (n), .type = OPT_STR, .offset = offsetof(struct init_options, f),          \
		.value = (v), .help = (h)                                                          \
	}
#define KEY(n, f, c, h)                                                                            \
	{                                                                                          \
		.name = (n), .type = OPT_CHOICE, .offset = offsetof(struct init_options, f),       \
		.value = "KEY", .choices = (c), .help = (h)                                        \
	}
#define LIFE(n, f, h)                                                                              \
	{                                                                                          \
		.name = (n), .type = OPT_DURATION, .offset = offsetof(struct init_options, f),     \
		.value = "TIME", .help = (h), .min = 86400, .max = 30 * YEAR                       \
	}

static const struct opt opts[] = {
	{ .name = "dir",
	    .letter = 'd',
	    .type = OPT_STR,
	    .offset = offsetof(struct init_options, dir),
	    .value = "DIR",
	    .help = "folder to make; what is in it already is never overwritten",
	    .required = true },
	{ .name = "name",
	    .letter = 'n',
	    .type = OPT_STR,
	    .offset = offsetof(struct init_options, name),
	    .value = "ORG",
	    .help = "organisation, as the certificates name it",
	    .required = true },
	STR("url", url, "URL",
	    "how everybody reaches this server, http://ca.contoso.com: base of the addresses in "
	    "certificates"),
	STR("listen", listen, "ADDR", "where devices connect, HOST:PORT (default 0.0.0.0:8080)"),
	STR("admin", admin, "ADDR", "admin listener, HOST:PORT (default none)"),
	STR("tenant-properties", properties, "FILE",
	    "Microsoft's properties file, taken over; an example to fill in unless given"),
	{ .name = "static-challenge",
	    .type = OPT_FLAG,
	    .offset = offsetof(struct init_options, static_challenge),
	    .help = "an endpoint lab with a shared secret, too; without --tenant-properties it is "
		    "the only one" },
	STR("static-domain", domain, "DOMAIN",
	    "names that endpoint gives out: CN=*.DOMAIN (default lab.example)"),
	KEY("root-key", root_key, KEY_SPECS, "key of the root (default rsa:4096)"),
	STR("issuing-key", keys.issuing_key, "KEY",
	    "key of the issuing CA: its kind, or pkcs11:... to make it in a token (default "
	    "rsa:3072)"),
	KEY("issuing-kind", keys.issuing_kind, KEY_SPECS,
	    "kind of it in a token (default rsa:3072)"),
	STR("ra-key", keys.ra_key, "KEY",
	    "key that devices encrypt to; RSA, whatever the CA is (default rsa:2048)"),
	KEY("ra-kind", keys.ra_kind, KEY_SPECS_RSA, "kind of it in a token (default rsa:2048)"),
	STR("passphrase-file", keys.passphrase_file, "SOURCE",
	    "encrypt key files: a file, credential:NAME or prompt (default: not encrypted)"),
	STR("pin-file", keys.pin_file, "SOURCE",
	    "PIN of the token: a file, credential:NAME or prompt"),
	STR("pkcs11-module", keys.module, "FILE", "PKCS#11 library of the token"),
	LIFE("root-validity", root_validity, "life of the root (default 20y)"),
	LIFE("issuing-validity", issuing_validity, "life of the issuing CA (default 10y)"),
	LIFE("ra-validity", ra_validity, "life of the RA certificate (default 10y)"),
	OPT_FLAG_ROW("json", init_options, json, "tell what was made as JSON"),
	{ .name = NULL },
};

/* What has been written, to be taken back when a later step fails. */
#define MADE_MAX 8
struct made {
	char *paths[MADE_MAX];
	size_t n;
};

struct making {
	const struct init_options *o;
	struct init_text text;
	struct init_keys keys;
	char tenant[64];
	struct made made;
};

/* ---- checks before anything is made ---- */

/* It goes into YAML between double quotes, or into a comment. */
static enum rc
check_plain(const char *option, const char *value, struct err *err)
{
	const char *p;

	for (p = value; p != NULL && *p != '\0'; p++) {
		if ((unsigned char)*p < 0x20 || *p == 0x7f || *p == '"' || *p == '\\')
			return fail(err, RC_CONFIG,
			    "--%s holds a quote, a backslash or a control character", option);
	}
	return RC_OK;
}

static enum rc
check_domain(const char *domain, struct err *err)
{
	if (domain[0] == '\0' ||
	    domain[strspn(domain,
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.")] != '\0')
		return fail(err, RC_CONFIG, "--static-domain \"%s\" is no domain", domain);
	return RC_OK;
}

static enum rc
check_options(const struct init_options *o, struct err *err)
{
	const struct {
		const char *option, *value;
	} plain[] = { { "name", o->name }, { "url", o->url }, { "listen", o->listen },
		{ "admin", o->admin }, { "issuing-key", o->keys.issuing_key },
		{ "ra-key", o->keys.ra_key } };
	enum rc rc = RC_OK;
	size_t i;

	for (i = 0; rc == RC_OK && i < sizeof(plain) / sizeof(plain[0]); i++)
		rc = check_plain(plain[i].option, plain[i].value, err);
	if (rc == RC_OK && o->static_challenge)
		rc = check_domain(o->domain, err);
	return rc;
}

/* "contoso.properties" is of tenant contoso. */
static void
tenant_name(char *out, size_t size, const char *file)
{
	const char *base = file != NULL ? strrchr(file, '/') : NULL;
	size_t n = 0;

	base = base != NULL ? base + 1 : file;
	for (; base != NULL && *base != '\0' && *base != '.' && n < size - 1; base++) {
		char c = *base >= 'A' && *base <= 'Z' ? (char)(*base + 32) : *base;

		out[n++] = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ? c : '-';
	}
	out[n] = '\0';
	if (n == 0 || out[0] == '-')
		(void)snprintf(out, size, "tenant");
}

static enum rc
must_not_exist(const struct making *m, const char *name, struct err *err)
{
	struct stat st;
	char *path = NULL;
	enum rc rc = path_join(&path, m->o->dir, name, err);

	if (rc == RC_OK && lstat(path, &st) == 0) {
		(void)fail(err, RC_CONFLICT, "%s exists already, and nothing is overwritten", path);
		rc = err_hint(err,
		    "use another --dir; to look at the CA that is there: " PROG
		    " ca show --config %s/scepd.yaml",
		    m->o->dir);
	}
	free(path);
	return rc;
}

/* All names are looked at before the first is made: an existing CA is left exactly as it is. */
static enum rc
check_room(const struct making *m, struct err *err)
{
	static const char *const names[] = { "scepd.yaml", "ca", "scepd.db", "lab.secret" };
	enum rc rc = RC_OK;
	char properties[80];
	size_t i;

	for (i = 0; rc == RC_OK && i < sizeof(names) / sizeof(names[0]); i++)
		rc = must_not_exist(m, names[i], err);
	(void)snprintf(properties, sizeof(properties), "%s.properties", m->tenant);
	return rc == RC_OK ? must_not_exist(m, properties, err) : rc;
}

/* ---- making ---- */

static void
take_back(struct made *made)
{
	while (made->n > 0)
		(void)unlink(made->paths[--made->n]);
}

/* Remember a file that exists from now on. */
static enum rc
note_made(struct making *m, const char *name, struct err *err)
{
	if (m->made.n == MADE_MAX)
		return fail(err, RC_BUG, "too many files");
	return path_join(&m->made.paths[m->made.n++], m->o->dir, name, err);
}

static enum rc
put(struct making *m, const char *name, const void *p, size_t len, mode_t mode, struct err *err)
{
	char *path = NULL;
	enum rc rc = path_join(&path, m->o->dir, name, err);

	if (rc == RC_OK)
		rc = file_write(path, p, len, mode, 0, err);
	if (rc == RC_OK)
		rc = note_made(m, name, err);
	free(path);
	return rc;
}

static enum rc
put_yaml(struct making *m, struct err *err)
{
	struct buf b;
	enum rc rc;

	buf_init(&b, LIMIT_CONFIG);
	init_yaml(&b, &m->text);
	rc = buf_ok(&b, "scepd.yaml", err);
	if (rc == RC_OK)
		rc = put(m, "scepd.yaml", b.data, b.len, 0644, err);
	buf_done(&b);
	return rc;
}

static enum rc
put_properties(struct making *m, struct err *err)
{
	char name[80];
	struct buf b;
	enum rc rc = RC_OK;

	if (m->text.tenant == NULL)
		return RC_OK;
	(void)snprintf(name, sizeof(name), "%s.properties", m->tenant);
	buf_init(&b, LIMIT_SECRET_FILE);
	if (m->o->properties != NULL)
		rc = file_read(&b, m->o->properties, LIMIT_SECRET_FILE, err);
	else
		init_properties(&b);
	if (rc == RC_OK)
		rc = buf_ok(&b, name, err);
	if (rc == RC_OK)
		rc = put(m, name, b.data, b.len, 0600, err);
	buf_wipe(&b);
	return rc;
}

static enum rc
put_secret(struct making *m, struct err *err)
{
	uint8_t random[SECRET_BYTES];
	struct buf b;
	enum rc rc;

	if (m->text.domain == NULL)
		return RC_OK;
	rc = random_bytes(random, sizeof(random), err);
	if (rc != RC_OK)
		return rc;
	buf_init(&b, 128);
	base64url_add(&b, random, sizeof(random));
	buf_addc(&b, '\n');
	rc = buf_ok(&b, "lab.secret", err);
	if (rc == RC_OK)
		rc = put(m, "lab.secret", b.data, b.len, 0600, err);
	buf_wipe(&b);
	wipe(random, sizeof(random));
	return rc;
}

/* What was written must be what scepd takes; and the database is there before the first start. */
static enum rc
put_store(struct making *m, struct config **config, struct err *err)
{
	static const char *const leftovers[] = { "scepd.db", "scepd.db-wal", "scepd.db-shm",
		"scepd.db.lock" };
	struct store *store = NULL;
	char *path = NULL;
	enum rc rc;
	size_t i;

	rc = path_join(&path, m->o->dir, "scepd.yaml", err);
	if (rc == RC_OK && (rc = config_load(config, path, err)) != RC_OK)
		(void)err_hint(err,
		    "nothing was made: put --listen, --admin or --url right, as in "
		    "0.0.0.0:80 and http://ca.contoso.com");
	free(path);
	for (i = 0; rc == RC_OK && i < sizeof(leftovers) / sizeof(leftovers[0]); i++)
		rc = note_made(m, leftovers[i], err);
	if (rc == RC_OK)
		rc = store_open(&store, (*config)->store.url, err);
	store_close(store);
	return rc;
}

static enum rc
make_ca(const struct making *m, struct err *err)
{
	const struct init_options *o = m->o;
	struct ca_init in = { .name = o->name,
		.root_key = o->root_key,
		.root_validity = o->root_validity,
		.issuing_validity = o->issuing_validity,
		.ra_validity = o->ra_validity };
	char *dir = NULL;
	enum rc rc = path_join(&dir, o->dir, "ca", err);

	in.dir = dir;
	init_keys_into(&in, &m->keys);
	if (rc == RC_OK)
		rc = ca_init(&in, err);
	free(dir);
	return rc;
}

/* Paths count from the folder, which is there by now. */
static enum rc
name_key_places(struct making *m, struct err *err)
{
	char *path = NULL;
	enum rc rc = path_join(&path, m->o->dir, "scepd.yaml", err);

	if (rc == RC_OK)
		rc = init_keys_text(&m->text, &m->keys, path, err);
	free(path);
	return rc;
}

/* The CA comes last: it cleans up after itself, and all else can be taken back by name. */
static enum rc
make_all(struct making *m, struct config **config, struct err *err)
{
	struct stat st;
	bool fresh = lstat(m->o->dir, &st) != 0;
	enum rc rc = dir_make(m->o->dir, 0700, err);

	if (rc == RC_OK)
		rc = name_key_places(m, err);
	if (rc == RC_OK)
		rc = put_properties(m, err);
	if (rc == RC_OK)
		rc = put_secret(m, err);
	if (rc == RC_OK)
		rc = put_yaml(m, err);
	if (rc == RC_OK)
		rc = put_store(m, config, err);
	if (rc == RC_OK)
		rc = make_ca(m, err);
	if (rc != RC_OK) {
		take_back(&m->made);
		if (fresh)
			(void)rmdir(m->o->dir);
	}
	return rc;
}

static int
run(const void *options, int nargs, char **args)
{
	const struct init_options *o = options;
	struct making m = { .o = o };
	struct config *config = NULL;
	struct err err = { 0 };
	int status = EX_OK;
	enum rc rc;
	size_t i;

	tenant_name(m.tenant, sizeof(m.tenant), o->properties);
	m.text = (struct init_text){ o->name, o->listen, o->admin, o->url,
		o->properties != NULL || !o->static_challenge ? m.tenant : NULL,
		o->static_challenge ? o->domain : NULL };
	if (init_keys_check(&o->keys, &err) != RC_OK) {
		(void)err_report(PROG, &err);
		return EX_USAGE;
	}
	rc = check_options(o, &err);
	if (rc == RC_OK)
		rc = check_room(&m, &err);
	if (rc == RC_OK)
		rc = init_keys_open(&m.keys, &o->keys, &err);
	if (rc == RC_OK)
		rc = make_all(&m, &config, &err);
	if (rc == RC_OK)
		status = init_tell(&(struct init_made){ o, &m.text, m.tenant, config });
	config_free(config);
	init_keys_close(&m.keys);
	for (i = 0; i < MADE_MAX; i++)
		free(m.made.paths[i]);
	return rc == RC_OK ? status : err_report(PROG, &err);
}

const struct command cmd_init = {
	.name = "init",
	.args = "",
	.help = "make a CA: keys, certificates, configuration, database",
	.about = "Keys: the RA's is always RSA, as SCEP clients can only encrypt to RSA.  Ed25519 "
		 "and ML-DSA "
		 "(FIPS 204, with\n"
		 "OpenSSL 3.5 or later) are for devices that take them: Windows, Apple and Android "
		 "do not.\n\n"
		 "Examples:\n"
		 "  scepctl init --dir /var/lib/scepd --name Contoso --url http://ca.contoso.com\n"
		 "  scepctl init --dir ./lab --name Lab --issuing-key ec:p256 --static-challenge "
		 "--static-domain lab.contoso.com\n",
	.opts = opts,
	.size = sizeof(struct init_options),
	.defaults = &defaults,
	.run = run,
};
