/*
 * backup_files.c - what belongs to a CA: the files that scepd.yaml names.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "scepctl/backup.h"
#include "scepd/seal.h"

#define FILES_MAX                                                                                  \
	4096 /* 64 CAs, 64 listeners, 256 tenants and endpoints, a dozen files each at most */
#define NEEDS_MAX 512

#define N(a) (sizeof(a) / sizeof((a)[0]))
#define ROW(list, type, name, field, elsewhere)                                                    \
	{                                                                                          \
		offsetof(struct config, list), sizeof(struct type), offsetof(struct type, name),   \
		    offsetof(struct type, field), #field, elsewhere                                \
	}
/* Every path of the configuration.  `elsewhere`: the platform writes it anew; it is named, not copied. */
static const struct row {
	size_t list, size, name, field;
	const char *what;
	bool elsewhere;
} rows[] = {
	ROW(listeners, conf_listener, address, certificate, false),
	ROW(listeners, conf_listener, address, key, false),
	ROW(cas, conf_ca, name, certificate, false),
	ROW(cas, conf_ca, name, key, false),
	ROW(cas, conf_ca, name, ra_certificate, false),
	ROW(cas, conf_ca, name, ra_key, false),
	ROW(cas, conf_ca, name, ocsp_key, false),
	ROW(cas, conf_ca, name, passphrase_file, false),
	ROW(cas, conf_ca, name, pin_file, false),
	ROW(foreign_cas, conf_foreign, name, certificate, false),
	ROW(foreign_cas, conf_foreign, name, ocsp_key, false),
	ROW(foreign_cas, conf_foreign, name, passphrase_file, false),
	ROW(foreign_cas, conf_foreign, name, pin_file, false),
	ROW(tenants, conf_tenant, name, properties, false),
	ROW(tenants, conf_tenant, name, app_key_file, false),
	ROW(tenants, conf_tenant, name, certificate_file, false),
	ROW(tenants, conf_tenant, name, certificate_key_file, false),
	ROW(tenants, conf_tenant, name, federated_token_file, true),
	ROW(tenants, conf_tenant, name, managed_identity_header_file, false),
	ROW(tenants, conf_tenant, name, ca_file, false),
	ROW(tenants, conf_tenant, name, proxy.password_file, false),
	ROW(endpoints, conf_endpoint, name, challenge_file, false),
	ROW(endpoints, conf_endpoint, name, webhook.secret_file, false),
	ROW(endpoints, conf_endpoint, name, webhook.ca_file, false),
};

static enum rc
add_need(
    struct backup_files *f, const char *of, const char *what, const char *where, struct err *err)
{
	struct backup_need *v;
	enum rc rc;

	if (f->n_needs == NEEDS_MAX)
		return fail(err, RC_LIMIT, "more than %d tokens and secrets elsewhere", NEEDS_MAX);
	v = reallocarray(f->needs, f->n_needs + 1, sizeof(*v));
	if (v == NULL)
		return fail(err, RC_NOMEM, "no memory for the list of files");
	f->needs = v;
	v = &v[f->n_needs];
	*v = (struct backup_need){ .of = of, .what = what };
	/* RFC 7512: a PIN may stand behind the question mark. */
	rc = str_ndup(&v->where, where, strcspn(where, "?"), err);
	if (rc == RC_OK)
		f->n_needs++;
	return rc;
}

/* Below scepd.yaml's folder: by the path from there. */
static enum rc
name_of(char **out, const struct backup_files *f, const char *path, struct err *err)
{
	size_t len = strlen(f->folder);
	char *real;
	enum rc rc;

	if (strncmp(path, f->folder, len) == 0 && path[len] == '/' && strstr(path, "/../") == NULL)
		return str_format(out, err, BACKUP_CONFIG "%s", path + len + 1);
	real = realpath(path, NULL);
	if (real != NULL && strncmp(real, f->folder, len) == 0 && real[len] == '/')
		rc = str_format(out, err, BACKUP_CONFIG "%s", real + len + 1);
	else
		rc = str_format(out, err, BACKUP_EXTERNAL "%s", (real != NULL ? real : path) + 1);
	free(real);
	return rc;
}

static enum rc
file_of(struct backup_file *out, const struct backup_files *f, const char *path, struct err *err)
{
	struct backup_file got = { NULL };
	enum rc rc = str_dup(&got.path, path, err);

	if (rc == RC_OK)
		rc = name_of(&got.name, f, path, err);
	if (rc == RC_OK && strlen(got.name) > BACKUP_NAME_MAX)
		rc = fail(err, RC_LIMIT, "%.100s...: a path with more than %d bytes", path,
		    BACKUP_NAME_MAX);
	if (rc == RC_OK) {
		*out = got;
		return RC_OK;
	}
	free(got.path);
	free(got.name);
	return rc;
}

static bool
known(const struct backup_files *f, const char *path)
{
	for (size_t i = 0; i < f->n; i++)
		if (strcmp(f->v[i].path, path) == 0)
			return true;
	return false;
}

static enum rc
add_file(struct backup_files *f, const char *path, struct err *err)
{
	struct backup_file *v;
	enum rc rc;

	if (known(f, path))
		return RC_OK;
	if (f->n == FILES_MAX)
		return fail(err, RC_LIMIT, "scepd.yaml names more than %d files", FILES_MAX);
	v = reallocarray(f->v, f->n + 1, sizeof(*v));
	if (v == NULL)
		return fail(err, RC_NOMEM, "no memory for the list of files");
	f->v = v;
	rc = file_of(&v[f->n], f, path, err);
	if (rc == RC_OK)
		f->n++;
	return rc;
}

static bool
is_no_file(const char *value)
{
	return config_key_is_uri(value) || strcmp(value, "prompt") == 0 ||
	    str_starts(value, "credential:");
}

static const char *
member(const void *item, size_t offset)
{
	return *(const char *const *)(const void *)((const char *)item + offset);
}

/* One value: a file, or what cannot be in a backup. */
static enum rc
take_value(struct backup_files *f, const struct row *r, const void *item, struct err *err)
{
	const char *value = member(item, r->field);

	if (value == NULL)
		return RC_OK;
	if (r->elsewhere || is_no_file(value))
		return add_need(f, member(item, r->name), r->what, value, err);
	return add_file(f, value, err);
}

static enum rc
add_rows(struct backup_files *f, const struct config *c, struct err *err)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; i < N(rows); i++) {
		const struct conf_items *items = (const void *)((const char *)c + rows[i].list);

		for (size_t k = 0; rc == RC_OK && k < items->n; k++)
			rc =
			    take_value(f, &rows[i], (const char *)items->v + k * rows[i].size, err);
	}
	if (rc == RC_OK && c->pkcs11.module != NULL)
		rc = add_need(f, "pkcs11", "module", c->pkcs11.module, err);
	return rc;
}

static enum rc
add_admin(struct backup_files *f, const struct config *c, struct err *err)
{
	const char *const files[] = { c->admin.listener.certificate, c->admin.listener.key,
		c->admin.tokens_file };
	enum rc rc = RC_OK;

	/* A tokens file begins to exist with the first token. */
	for (size_t i = 0; rc == RC_OK && i < N(files); i++)
		if (files[i] != NULL && access(files[i], F_OK) == 0)
			rc = add_file(f, files[i], err);
	return rc;
}

/* A responder's certificate is not there before its CA has signed it.  Their lists are not ours to keep. */
static enum rc
add_responders(struct backup_files *f, const struct config *c, struct err *err)
{
	const struct conf_foreign *v = c->foreign_cas.v;
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < c->foreign_cas.n; i++)
		if (v[i].ocsp_certificate != NULL && access(v[i].ocsp_certificate, F_OK) == 0)
			rc = add_file(f, v[i].ocsp_certificate, err);
	return rc;
}

static enum rc
add_chains(struct backup_files *f, const struct config *c, struct err *err)
{
	const struct conf_ca *ca = c->cas.v;
	enum rc rc = RC_OK;

	for (size_t i = 0; i < c->cas.n; i++)
		for (size_t k = 0; rc == RC_OK && k < ca[i].chain.n; k++)
			rc = add_file(f, ca[i].chain.v[k], err);
	return rc;
}

/* The database's own key; a daemon that has never run has none. */
static enum rc
add_seal_key(struct backup_files *f, const struct config *c, struct err *err)
{
	char *path = NULL;
	enum rc rc = seal_key_path(&path, c->store.url, err);

	if (rc == RC_OK && path != NULL && access(path, F_OK) == 0)
		rc = add_file(f, path, err);
	free(path);
	return rc;
}

static enum rc
add_state(struct backup_files *f, const struct config *c, struct err *err)
{
	struct stat st;

	if (c->processes.signer_state == NULL || stat(c->processes.signer_state, &st) != 0)
		return RC_OK;
	if (!S_ISDIR(st.st_mode))
		return fail(err, RC_CONFIG, "%s is no folder", c->processes.signer_state);
	return file_of(&f->state, f, c->processes.signer_state, err);
}

/* The folder that was named: scepd.yaml itself may be a link. */
static enum rc
find_folder(struct backup_files *f, const struct config *c, struct err *err)
{
	char *dir = NULL;
	enum rc rc = path_dir(&dir, c->path, err);

	if (rc == RC_OK && (f->folder = realpath(dir, NULL)) == NULL)
		rc = fail_errno(err, "cannot look at %s", dir);
	free(dir);
	return rc;
}

static enum rc
add_config(struct backup_files *f, const struct config *c, struct err *err)
{
	const char *slash = strrchr(c->path, '/');
	char *path = NULL;
	enum rc rc = path_join(&path, f->folder, slash != NULL ? slash + 1 : c->path, err);

	if (rc == RC_OK)
		rc = add_file(f, path, err);
	free(path);
	return rc;
}

enum rc
backup_files_find(struct backup_files *out, const struct config *c, struct err *err)
{
	static const char scheme[] = "sqlite:";
	struct backup_files f = { NULL };
	enum rc rc = find_folder(&f, c, err);

	if (rc == RC_OK && !str_starts(c->store.url, scheme))
		rc = fail(
		    err, RC_CONFIG, "the database is not in a file: back it up with its own tools");
	if (rc == RC_OK)
		rc = file_of(&f.database, &f, c->store.url + strlen(scheme), err);
	if (rc == RC_OK && (rc = add_config(&f, c, err)) == RC_OK &&
	    (rc = add_rows(&f, c, err)) == RC_OK && (rc = add_admin(&f, c, err)) == RC_OK &&
	    (rc = add_chains(&f, c, err)) == RC_OK && (rc = add_responders(&f, c, err)) == RC_OK &&
	    (rc = add_seal_key(&f, c, err)) == RC_OK)
		rc = add_state(&f, c, err);
	if (rc == RC_OK)
		*out = f;
	else
		backup_files_done(&f);
	return rc;
}

void
backup_files_done(struct backup_files *f)
{
	for (size_t i = 0; i < f->n; i++) {
		free(f->v[i].path);
		free(f->v[i].name);
	}
	for (size_t i = 0; i < f->n_needs; i++)
		free(f->needs[i].where);
	free(f->v);
	free(f->needs);
	free(f->database.path);
	free(f->database.name);
	free(f->state.path);
	free(f->state.name);
	free(f->folder);
	*f = (struct backup_files){ NULL };
}
