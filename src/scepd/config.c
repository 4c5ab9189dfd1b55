/*
 * config.c - loading scepd.yaml, and the memory behind it.
 */
#include "scepd/config.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/text.h"
#include "scepd/config_int.h"

#define SQLITE "sqlite:"

void *
config_alloc(struct config_file *f, size_t n, size_t size)
{
	struct config_block *b;

	if (n == 0)
		n = 1;
	if (size > SIZE_MAX / 2 / n)
		return NULL;
	b = calloc(1, sizeof(*b) + n * size);
	if (b == NULL)
		return NULL;
	b->next = f->blocks;
	f->blocks = b;
	return b->data;
}

enum rc
config_format(const char **out, struct config_file *f, struct err *err, const char *fmt, ...)
{
	va_list ap;
	char *text;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	text = n < 0 ? NULL : config_alloc(f, (size_t)n + 1, 1);
	if (text == NULL)
		return fail(err, RC_NOMEM, "out of memory for the configuration");
	va_start(ap, fmt);
	(void)vsnprintf(text, (size_t)n + 1, fmt, ap);
	va_end(ap);
	*out = text;
	return RC_OK;
}

/* `name` against the folder of the file. */
static enum rc
resolve(const char **out, struct config_file *f, const char *name, struct err *err)
{
	char *dir = NULL, *real, *whole = NULL;
	enum rc rc;

	rc = path_dir(&dir, f->c.path, err);
	if (rc != RC_OK)
		return rc;
	/* Absolute, as scepd may change its working directory; a folder that is gone stays as it is
	 * written. */
	real = realpath(dir, NULL);
	rc = path_join(&whole, real != NULL ? real : dir, name, err);
	if (rc == RC_OK)
		rc = config_format(out, f, err, "%s", whole);
	free(whole);
	free(real);
	free(dir);
	return rc;
}

bool
config_is_newer(const struct config *c, int fd)
{
	struct stat file, than;

	if (stat(c->path, &file) != 0 || fstat(fd, &than) != 0)
		return false;
	return file.st_mtim.tv_sec != than.st_mtim.tv_sec
	    ? file.st_mtim.tv_sec > than.st_mtim.tv_sec
	    : file.st_mtim.tv_nsec > than.st_mtim.tv_nsec;
}

bool
config_key_is_uri(const char *key)
{
	return str_starts(key, "pkcs11:");
}

/* NULL, and what is no path, stays as it is. */
enum rc
config_resolve_key(const char **key, struct config_file *f, struct err *err)
{
	static const char scheme[] = "file:";

	if (*key == NULL || config_key_is_uri(*key))
		return RC_OK;
	return resolve(key, f, str_starts(*key, scheme) ? *key + strlen(scheme) : *key, err);
}

enum rc
config_resolve_secret(const char **file, struct config_file *f, struct err *err)
{
	if (*file == NULL || strcmp(*file, "prompt") == 0 || str_starts(*file, "credential:"))
		return RC_OK;
	return resolve(file, f, *file, err);
}

static enum rc
resolve_keys(struct conf_ca *ca, struct config_file *f, struct err *err)
{
	enum rc rc;

	if ((rc = config_resolve_key(&ca->key, f, err)) != RC_OK ||
	    (rc = config_resolve_key(&ca->ra_key, f, err)) != RC_OK ||
	    (rc = config_resolve_key(&ca->ocsp_key, f, err)) != RC_OK ||
	    (rc = config_resolve_secret(&ca->passphrase_file, f, err)) != RC_OK)
		return rc;
	return config_resolve_secret(&ca->pin_file, f, err);
}

static enum rc
resolve_all(struct conf_strs *paths, struct config_file *f, struct err *err)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < paths->n; i++)
		rc = resolve(&paths->v[i], f, paths->v[i], err);
	return rc;
}

/* Keys, the chain's files and SQLite's: paths that the rows cannot know as such. */
static enum rc
resolve_paths(struct config_file *f, struct err *err)
{
	struct conf_ca *ca = f->c.cas.v;
	enum rc rc = RC_OK;
	size_t i;

	for (i = 0; rc == RC_OK && i < f->c.cas.n; i++) {
		rc = resolve_keys(&ca[i], f, err);
		if (rc == RC_OK)
			rc = resolve_all(&ca[i].chain, f, err);
	}
	if (rc == RC_OK)
		rc = config_foreign_resolve(f, err);
	if (rc == RC_OK)
		rc = resolve_all(&f->c.pkcs11.paths, f, err);
	if (rc == RC_OK)
		rc = resolve_all(&f->c.pkcs11.sockets, f, err);
	if (rc == RC_OK && str_starts(f->c.store.url, SQLITE)) {
		const char *file = NULL;

		rc = resolve(&file, f, f->c.store.url + strlen(SQLITE), err);
		if (rc == RC_OK)
			rc = config_format(&f->c.store.url, f, err, SQLITE "%s", file);
	}
	return rc;
}

/* Without the slash at the end: addresses are made by putting "/crl/..." behind it. */
static enum rc
trim_public_url(struct config_file *f, struct err *err)
{
	const char *url = f->c.public_url;
	size_t n = url != NULL ? strlen(url) : 0;

	while (n > 0 && url[n - 1] == '/')
		n--;
	return n > 0 && url[n] == '/' ? config_format(&f->c.public_url, f, err, "%.*s", (int)n, url)
				      : RC_OK;
}

enum rc
config_load(struct config **out, const char *path, struct err *err)
{
	struct buf text;
	enum rc rc;

	buf_init(&text, LIMIT_CONFIG);
	rc = conf_read(&text, path, err);
	if (rc == RC_OK)
		rc = config_parse(out, path, text.data, text.len, err);
	buf_done(&text);
	return rc;
}

enum rc
config_parse(struct config **out, const char *path, const void *bytes, size_t len, struct err *err)
{
	struct config_file *f = calloc(1, sizeof(*f));
	struct conf *source = NULL;
	enum rc rc;

	if (f == NULL)
		return fail(err, RC_NOMEM, "out of memory for the configuration");
	rc = conf_parse(&source, path, bytes, len, &config_schema, f, err);
	if (rc != RC_OK) {
		free(f);
		return rc;
	}
	f->c.source = source;
	rc = config_format(&f->c.path, f, err, "%s", path);
	if (rc == RC_OK)
		rc = resolve_paths(f, err);
	if (rc == RC_OK)
		rc = trim_public_url(f, err);
	if (rc == RC_OK)
		rc = config_profiles(f, err);
	if (rc == RC_OK)
		rc = config_check(f, err);
	if (rc == RC_OK)
		rc = config_rules(f, &f->c, err);
	if (rc == RC_OK)
		rc = config_addresses(f, err);
	if (rc != RC_OK) {
		config_free(&f->c);
		return rc;
	}
	*out = &f->c;
	return RC_OK;
}

void
config_free(struct config *c)
{
	struct config_file *f = (struct config_file *)c;

	if (f == NULL)
		return;
	while (f->blocks != NULL) {
		struct config_block *next = f->blocks->next;

		free(f->blocks);
		f->blocks = next;
	}
	conf_free(f->c.source);
	free(f);
}

bool
config_is_url(const char *where)
{
	return str_starts(where, "http://") || str_starts(where, "https://");
}

const struct conf_ca *
config_ca(const struct config *c, const char *name)
{
	const struct conf_ca *v = c->cas.v;
	size_t i;

	for (i = 0; i < c->cas.n; i++) {
		if (strcmp(v[i].name, name) == 0)
			return &v[i];
	}
	return NULL;
}

const struct conf_foreign *
config_foreign(const struct config *c, const char *name)
{
	const struct conf_foreign *v = c->foreign_cas.v;

	for (size_t i = 0; i < c->foreign_cas.n; i++)
		if (strcmp(v[i].name, name) == 0)
			return &v[i];
	return NULL;
}

const struct conf_tenant *
config_tenant(const struct config *c, const char *name)
{
	const struct conf_tenant *v = c->tenants.v;
	size_t i;

	for (i = 0; i < c->tenants.n; i++) {
		if (strcmp(v[i].name, name) == 0)
			return &v[i];
	}
	return NULL;
}

const struct profile *
config_profile(const struct config *c, const char *name)
{
	const struct profile *v = c->profiles.v;
	size_t i;

	for (i = 0; i < c->profiles.n; i++) {
		if (strcmp(v[i].name, name) == 0)
			return &v[i];
	}
	return NULL;
}

size_t
config_endpoint_profiles(
    const char *out[static CONF_ENDPOINT_PROFILES], const struct conf_endpoint *e)
{
	const char *const all[CONF_ENDPOINT_PROFILES] = { e->profile, e->profiles.signature,
		e->profiles.encryption, e->profiles.general };
	size_t n = 0;

	for (size_t i = 0; i < CONF_ENDPOINT_PROFILES; i++)
		if (all[i] != NULL)
			out[n++] = all[i];
	return n;
}

bool
config_endpoint_issues_by(const struct conf_endpoint *e, const char *profile)
{
	const char *names[CONF_ENDPOINT_PROFILES];
	size_t n = config_endpoint_profiles(names, e);

	for (size_t i = 0; i < n; i++)
		if (strcmp(names[i], profile) == 0)
			return true;
	return false;
}
