/*
 * ca_common.c - what the commands that bring a CA in have in common.
 */
#include "scepctl/ca_common.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/secret.h"
#include "base/text.h"
#include "ossl/eku.h"

#define DIR_MODE     0700
#define PATH_LEN_MAX 8 /* as long as our chains get */

/* ---- what a CA certificate is to say ---- */

static enum rc
read_constraints(struct ca_wish *w, const struct ca_wish_options *o, struct err *err)
{
	const struct {
		const struct opt_list *list;
		enum constraint_form form;
		bool excluded;
	} lists[] = {
		{ &o->permit_dns, CONSTRAINT_DNS, false },
		{ &o->exclude_dns, CONSTRAINT_DNS, true },
		{ &o->permit_email, CONSTRAINT_EMAIL, false },
		{ &o->exclude_email, CONSTRAINT_EMAIL, true },
		{ &o->permit_uri, CONSTRAINT_URI, false },
		{ &o->exclude_uri, CONSTRAINT_URI, true },
		{ &o->permit_dir, CONSTRAINT_DIR, false },
		{ &o->exclude_dir, CONSTRAINT_DIR, true },
	};
	enum rc rc = RC_OK;
	size_t i, k;

	for (i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		for (k = 0; rc == RC_OK && k < lists[i].list->n; k++)
			rc = constraints_add(&w->constraints, lists[i].form, lists[i].excluded,
			    lists[i].list->v[k], err);
	}
	return rc;
}

static enum rc
read_eku(struct ca_wish *w, const struct opt_list *list, struct err *err)
{
	const char *oid;
	size_t i;

	for (i = 0; i < list->n; i++) {
		oid = eku_oid(list->v[i]);
		if (oid == NULL && list->v[i][strspn(list->v[i], "0123456789.")] != '\0')
			return fail(err, RC_CONFIG,
			    "--eku \"%s\" is neither a known usage nor an OID", list->v[i]);
		w->eku[w->n_eku++] = oid != NULL ? oid : list->v[i];
	}
	return RC_OK;
}

static enum rc
read_path_len(int *out, const char *text, struct err *err)
{
	uint64_t n = 0;
	enum rc rc = RC_OK;

	if (text != NULL && strcmp(text, "none") == 0) {
		*out = -1;
		return RC_OK;
	}
	if (text != NULL)
		rc = parse_u64(&n, text, 0, PATH_LEN_MAX, "--path-len", err);
	if (rc != RC_OK)
		return fail(
		    err, RC_CONFIG, "--path-len is none or a number from 0 to %d", PATH_LEN_MAX);
	*out = (int)n;
	return RC_OK;
}

enum rc
ca_wish_read(struct ca_wish *out, const struct ca_wish_options *o, struct err *err)
{
	struct ca_wish w = { 0 };
	enum rc rc = read_path_len(&w.path_len, o->path_len, err);
	size_t i;

	if (rc == RC_OK)
		rc = read_constraints(&w, o, err);
	for (i = 0; rc == RC_OK && i < o->policy.n; i++)
		rc = policies_add(&w.policies, o->policy.v[i], err);
	if (rc == RC_OK)
		rc = read_eku(&w, &o->eku, err);
	if (rc != RC_OK) {
		ca_wish_done(&w);
		return rc;
	}
	*out = w;
	return RC_OK;
}

void
ca_wish_done(struct ca_wish *w)
{
	constraints_done(&w->constraints);
	policies_done(&w->policies);
}

void
ca_wish_into(struct ca_init *in, const struct ca_wish *w)
{
	in->path_len = w->path_len;
	in->constraints = &w->constraints;
	in->policies = &w->policies;
	in->eku = w->eku;
	in->n_eku = w->n_eku;
}

/* ---- one run ---- */

static enum rc
check_name(const struct ca_session *s, struct err *err)
{
	const char *name = s->o->name;

	if (name[0] == '\0' || strlen(name) > 63 ||
	    name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-")] != '\0')
		return fail(err, RC_CONFIG,
		    "--name \"%s\": 1 to 63 of a-z, 0-9 and '-', as it becomes part of a URL",
		    name);
	if (config_ca(s->config, name) != NULL)
		return fail(err, RC_CONFLICT, "%s has a CA %s already", s->config->path, name);
	return RC_OK;
}

/* ca/NAME beside the configuration unless it was given. */
static enum rc
name_dir(struct ca_session *s, struct err *err)
{
	char *base = NULL, *ca = NULL;
	enum rc rc;

	if (s->o->dir != NULL)
		return str_dup(&s->dir, s->o->dir, err);
	rc = path_dir(&base, s->config->path, err);
	if (rc == RC_OK)
		rc = path_join(&ca, base, "ca", err);
	if (rc == RC_OK)
		rc = path_join(&s->dir, ca, s->o->name, err);
	free(base);
	free(ca);
	return rc;
}

enum rc
ca_session_make_dir(const struct ca_session *s, struct err *err)
{
	char *above = NULL;
	enum rc rc = RC_OK;

	if (s->o->dir == NULL) {
		rc = path_dir(&above, s->dir, err);
		if (rc == RC_OK)
			rc = dir_make(above, DIR_MODE, err);
		free(above);
	}
	return rc;
}

static enum rc
read_secrets(struct ca_session *s, bool fresh, struct err *err)
{
	const struct ca_options *o = s->o;
	enum rc rc = RC_OK;

	if (o->passphrase_file != NULL)
		rc = (fresh ? secret_read_new : secret_read)(
		    &s->passphrase, o->passphrase_file, "passphrase of the CA's keys", err);
	if (rc == RC_OK && o->passphrase_file != NULL && s->passphrase.len == 0)
		rc = fail(err, RC_CONFIG, "%s: the passphrase is empty", o->passphrase_file);
	if (rc == RC_OK && o->pin_file != NULL)
		rc = secret_read(&s->pin, o->pin_file, "PIN of the token", err);
	return rc;
}

static enum rc
open_tokens(struct ca_session *s, const char *const *keys, size_t n_keys, struct err *err)
{
	const char *module = s->o->module != NULL ? s->o->module : s->config->pkcs11.module;
	bool needed = false;
	enum rc rc;
	size_t i;

	for (i = 0; i < n_keys; i++)
		needed = needed || (keys[i] != NULL && key_source_is_token(keys[i]));
	if (!needed)
		return RC_OK;
	if (module == NULL) {
		(void)fail(err, RC_CONFIG, "a key in a token needs a PKCS#11 library");
		return err_hint(err, "name it with --pkcs11-module");
	}
	rc = key_tokens_open(module, err);
	s->tokens = rc == RC_OK;
	return rc;
}

enum rc
ca_session_open(struct ca_session *s, const struct ca_options *o, bool fresh,
    const char *const *keys, size_t n_keys, struct err *err)
{
	enum rc rc;

	*s = (struct ca_session){ .o = o };
	buf_init(&s->passphrase, LIMIT_SECRET_FILE);
	buf_init(&s->pin, LIMIT_SECRET_FILE);
	rc = ctl_config(&s->config, o->config, err);
	if (rc == RC_OK)
		rc = check_name(s, err);
	if (rc == RC_OK)
		rc = name_dir(s, err);
	if (rc == RC_OK && o->ra_subject != NULL)
		rc = name_from_text(&s->ra_subject, o->ra_subject, err);
	if (rc == RC_OK)
		rc = open_tokens(s, keys, n_keys, err);
	if (rc == RC_OK)
		rc = read_secrets(s, fresh, err);
	return rc;
}

void
ca_session_close(struct ca_session *s)
{
	if (s->tokens)
		key_tokens_close();
	config_free(s->config);
	free(s->dir);
	buf_wipe(&s->passphrase);
	buf_wipe(&s->pin);
	name_done(&s->ra_subject);
}

const char *
ca_session_passphrase(const struct ca_session *s)
{
	return s->passphrase.len > 0 ? buf_str(&s->passphrase) : NULL;
}

const char *
ca_session_pin(const struct ca_session *s)
{
	return s->pin.len > 0 ? buf_str(&s->pin) : NULL;
}

const struct name *
ca_session_ra_subject(const struct ca_session *s)
{
	return s->ra_subject.n > 0 ? &s->ra_subject : NULL;
}

void
ca_say_warning(void *ctx, const char *text)
{
	char safe[ERR_MSG_MAX];

	(void)fprintf(stderr, "%s: warning: %s\n", PROG, ctl_safe(safe, sizeof(safe), text));
}

/* ---- telling the configuration ---- */

enum rc
ca_yaml_path(struct buf *out, const char *config_path, const char *path, struct err *err)
{
	char *dir = NULL, *real_dir, *real;
	enum rc rc = path_dir(&dir, config_path, err);
	size_t n;

	if (rc != RC_OK)
		return rc;
	real_dir = realpath(dir, NULL);
	real = realpath(path, NULL);
	free(dir);
	n = real_dir != NULL ? strlen(real_dir) : 0;
	if (real == NULL || real_dir == NULL)
		rc = fail_errno(err, "cannot look at %s", path);
	else if (strncmp(real, real_dir, n) == 0 && real[n] == '/')
		buf_adds(out, real + n + 1);
	else
		buf_adds(out, real);
	free(real_dir);
	free(real);
	return rc == RC_OK ? buf_ok(out, "path", err) : rc;
}

/* Texts of ca_lines that have to be made: paths of certificates, chain, keys, secrets, library. */
struct told {
	struct ca_folder folder;
	struct buf text[CA_CHAIN_MAX + 8];
	size_t n;
	struct ca_lines lines;
};

/* What stays as it is: a URI, a credential, the prompt, and an absolute path, which may be a link on
 * purpose. */
bool
ca_yaml_keeps(const char *value)
{
	return key_source_is_token(value) || value[0] == '/' || strcmp(value, "prompt") == 0 ||
	    str_starts(value, "credential:");
}

static enum rc
told_add(struct told *t, const char **out, const char *config, const char *value, struct err *err)
{
	struct buf *b = &t->text[t->n++];
	enum rc rc = RC_OK;

	buf_init(b, 64 * KIB);
	if (ca_yaml_keeps(value))
		buf_adds(b, value);
	else
		rc = ca_yaml_path(b, config, value, err);
	if (rc == RC_OK)
		rc = buf_ok(b, "path", err);
	*out = buf_str(b);
	return rc;
}

/* A file in the CA's folder: relative where it can be, so that the whole can be moved. */
static enum rc
told_add_file(
    struct told *t, const char **out, const char *config, const char *path, struct err *err)
{
	struct buf *b = &t->text[t->n++];
	enum rc rc;

	buf_init(b, 64 * KIB);
	rc = ca_yaml_path(b, config, path, err);
	*out = buf_str(b);
	return rc;
}

/* A key in the folder counts as its certificate does; one that was given stays what was given. */
static enum rc
told_add_key(struct told *t, const char **out, const struct ca_session *s, const char *given,
    const char *path, struct err *err)
{
	return given != NULL ? told_add(t, out, s->config->path, given, err)
			     : told_add_file(t, out, s->config->path, path, err);
}

static enum rc
tell_folder(struct told *t, const struct ca_session *s, const char *key, const char *ra_key,
    struct err *err)
{
	const char *config = s->config->path;
	const struct ca_folder *f = &t->folder;
	struct ca_lines *l = &t->lines;
	enum rc rc;

	rc = told_add_file(t, &l->certificate, config, f->cert, err);
	if (rc == RC_OK)
		rc = told_add_key(t, &l->key, s, key, f->key, err);
	if (rc == RC_OK)
		rc = told_add_file(t, &l->ra_certificate, config, f->ra_cert, err);
	if (rc == RC_OK)
		rc = told_add_key(t, &l->ra_key, s, ra_key, f->ra_key, err);
	for (; rc == RC_OK && l->n_chain < f->n_chain; l->n_chain++)
		rc = told_add_file(t, &l->chain[l->n_chain], config, f->chain[l->n_chain], err);
	return rc;
}

static enum rc
tell_secrets(struct told *t, const struct ca_session *s, struct err *err)
{
	const struct ca_options *o = s->o;
	const char *config = s->config->path;
	enum rc rc = RC_OK;

	if (o->passphrase_file != NULL)
		rc = told_add(t, &t->lines.passphrase_file, config, o->passphrase_file, err);
	if (rc == RC_OK && o->pin_file != NULL)
		rc = told_add(t, &t->lines.pin_file, config, o->pin_file, err);
	if (rc == RC_OK && s->tokens && s->config->pkcs11.module == NULL)
		rc = told_add(t, &t->lines.module, config, o->module, err);
	return rc;
}

static void
print_lines(const struct ca_session *s, const struct ca_lines *l)
{
	struct buf b;

	buf_init(&b, LIMIT_CONFIG);
	ca_yaml_lines(&b, l, 2);
	(void)printf("\nAdd below cas: of %s\n\n%s", s->config->path, buf_str(&b));
	if (l->module != NULL)
		(void)printf("\nand as a key of its own\n\npkcs11:\n  module: \"%s\"\n", l->module);
	buf_done(&b);
}

static void
print_next(const struct ca_session *s)
{
	(void)printf("\nNext\n  let an endpoint of %s name it (ca: %s), with a profile of its "
		     "own\n",
	    s->config->path, s->o->name);
	(void)printf("  or, to take over from another one, add 'replaces: THAT' to it "
		     "(docs/rollover.md)\n");
	(void)printf("  scepctl check --config %s, then restart scepd\n", s->config->path);
	(void)printf("  scepctl ca show --intune --config %s tells which certificates to upload\n",
	    s->config->path);
}

enum rc
ca_session_tell(const struct ca_session *s, const char *key, const char *ra_key, size_t n_chain,
    struct err *err)
{
	struct told t = { .lines = { .name = s->o->name } };
	enum rc rc = ca_folder_init(&t.folder, s->dir, key, ra_key, n_chain, err);

	if (rc == RC_OK)
		rc = tell_folder(&t, s, key, ra_key, err);
	if (rc == RC_OK)
		rc = tell_secrets(&t, s, err);
	if (rc == RC_OK && s->o->write) {
		rc = ca_yaml_add(s->config->path, &t.lines, err);
		if (rc == RC_OK)
			(void)printf("\n%s has the CA %s now.\n", s->config->path, s->o->name);
		else
			print_lines(s, &t.lines); /* the CA is there; only the file is not */
	} else if (rc == RC_OK) {
		print_lines(s, &t.lines);
	}
	if (rc == RC_OK)
		print_next(s);
	while (t.n > 0)
		buf_done(&t.text[--t.n]);
	ca_folder_done(&t.folder);
	return rc;
}
