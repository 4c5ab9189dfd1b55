/*
 * init_keys.c - where scepctl init puts keys, and what protects them.
 */
#include "scepctl/init_keys.h"

#include <string.h>

#include "base/limits.h"
#include "base/secret.h"
#include "base/text.h"
#include "scepctl/ca_common.h"

/* Is `word` one of the words between '|'? */
static bool
among(const char *words, const char *word)
{
	size_t n = strlen(word);
	const char *p;

	for (p = words; p != NULL; p = strchr(p, '|'), p += p != NULL) {
		if (strncmp(p, word, n) == 0 && (p[n] == '|' || p[n] == '\0'))
			return n > 0;
	}
	return false;
}

static enum rc
check_word(const char *option, const char *word, const char *kinds, struct err *err)
{
	if (key_source_is_token(word) || among(kinds, word))
		return RC_OK;
	(void)fail(
	    err, RC_CONFIG, "--%s \"%s\" is neither a kind of key nor pkcs11:...", option, word);
	return err_hint(err, "kinds: %s", kinds);
}

enum rc
init_keys_check(const struct init_keys_options *o, struct err *err)
{
	enum rc rc = check_word("issuing-key", o->issuing_key, KEY_SPECS, err);

	return rc == RC_OK ? check_word("ra-key", o->ra_key, KEY_SPECS_RSA, err) : rc;
}

static bool
in_token(const struct init_keys_options *o)
{
	return key_source_is_token(o->issuing_key) || key_source_is_token(o->ra_key);
}

enum rc
init_keys_open(struct init_keys *k, const struct init_keys_options *o, struct err *err)
{
	enum rc rc = RC_OK;
	size_t i;

	*k = (struct init_keys){ .o = o };
	buf_init(&k->passphrase, LIMIT_SECRET_FILE);
	buf_init(&k->pin, LIMIT_SECRET_FILE);
	for (i = 0; i < sizeof(k->text) / sizeof(k->text[0]); i++)
		buf_init(&k->text[i], 64 * KIB);
	if (in_token(o) && o->module == NULL) {
		(void)fail(err, RC_CONFIG, "a key in a token needs a PKCS#11 library");
		return err_hint(err, "name it with --pkcs11-module");
	}
	if (o->passphrase_file != NULL)
		rc = secret_read_new(
		    &k->passphrase, o->passphrase_file, "passphrase of the CA's keys", err);
	if (rc == RC_OK && o->passphrase_file != NULL && k->passphrase.len == 0)
		rc = fail(err, RC_CONFIG, "%s: the passphrase is empty", o->passphrase_file);
	if (rc == RC_OK && o->pin_file != NULL)
		rc = secret_read(&k->pin, o->pin_file, "PIN of the token", err);
	if (rc == RC_OK && in_token(o)) {
		rc = key_tokens_open(o->module, err);
		k->tokens = rc == RC_OK;
	}
	return rc;
}

void
init_keys_close(struct init_keys *k)
{
	size_t i;

	if (k->tokens)
		key_tokens_close();
	buf_wipe(&k->passphrase);
	buf_wipe(&k->pin);
	for (i = 0; i < sizeof(k->text) / sizeof(k->text[0]); i++)
		buf_done(&k->text[i]);
}

/* A path as it counts from the configuration; what is none as it is. */
static enum rc
as_text(const char **out, struct buf *b, const char *config, const char *source, struct err *err)
{
	enum rc rc = RC_OK;

	if (source == NULL)
		return RC_OK;
	if (ca_yaml_keeps(source))
		buf_adds(b, source);
	else
		rc = ca_yaml_path(b, config, source, err);
	if (rc == RC_OK && strpbrk(buf_str(b), "\"\\\n") != NULL)
		rc = fail(
		    err, RC_CONFIG, "%s holds a quote, a backslash or a line's end", buf_str(b));
	*out = buf_str(b);
	return rc == RC_OK ? buf_ok(b, "path", err) : rc;
}

enum rc
init_keys_text(struct init_text *t, struct init_keys *k, const char *config, struct err *err)
{
	const struct init_keys_options *o = k->o;
	enum rc rc;

	t->key = key_source_is_token(o->issuing_key) ? o->issuing_key : NULL;
	t->ra_key = key_source_is_token(o->ra_key) ? o->ra_key : NULL;
	rc = as_text(&t->passphrase_file, &k->text[0], config, o->passphrase_file, err);
	if (rc == RC_OK)
		rc = as_text(&t->pin_file, &k->text[1], config, o->pin_file, err);
	if (rc == RC_OK && in_token(o))
		rc = as_text(&t->module, &k->text[2], config, o->module, err);
	return rc;
}

void
init_keys_into(struct ca_init *in, const struct init_keys *k)
{
	const struct init_keys_options *o = k->o;
	bool issuing = key_source_is_token(o->issuing_key), ra = key_source_is_token(o->ra_key);

	in->issuing_key = issuing ? o->issuing_kind : o->issuing_key;
	in->issuing_at = issuing ? o->issuing_key : NULL;
	in->ra_key = ra ? o->ra_kind : o->ra_key;
	in->ra_at = ra ? o->ra_key : NULL;
	in->passphrase = k->passphrase.len > 0 ? buf_str(&k->passphrase) : NULL;
	in->pin = k->pin.len > 0 ? buf_str(&k->pin) : NULL;
}
