/*
 * init_keys.h - where scepctl init puts the keys of the CA that it makes, and what protects them.
 */
#ifndef SCEPD_SCEPCTL_INIT_KEYS_H
#define SCEPD_SCEPCTL_INIT_KEYS_H

#include "base/buf.h"
#include "base/err.h"
#include "ca/init.h"
#include "scepctl/init_files.h"

/* As the command line has it. */
struct init_keys_options {
	const char *issuing_key, *ra_key;   /* a kind, or "pkcs11:..." */
	const char *issuing_kind, *ra_kind; /* of a key in a token */
	const char *passphrase_file, *pin_file, *module;
};

struct init_keys {
	const struct init_keys_options *o;
	struct buf passphrase, pin; /* secrets; empty: none */
	struct buf text[3];         /* paths as scepd.yaml has them */
	bool tokens;                /* the library is loaded */
};

/* RC_CONFIG names the option whose word is no kind of key. */
enum rc init_keys_check(const struct init_keys_options *o, struct err *err) MUST_CHECK;
/* Reads the secrets and loads the library: before anything is made. */
enum rc init_keys_open(
    struct init_keys *k, const struct init_keys_options *o, struct err *err) MUST_CHECK;
void init_keys_close(struct init_keys *k);
/* Into the configuration that is written to `config_path`, whose folder is there. */
enum rc init_keys_text(
    struct init_text *t, struct init_keys *k, const char *config_path, struct err *err) MUST_CHECK;
/* Into what is made. */
void init_keys_into(struct ca_init *in, const struct init_keys *k);

#endif
