/*
 * ca_common.h - what the commands that bring a CA in have in common: their options, the secrets of
 * its keys, and telling scepd.yaml of it.
 */
#ifndef SCEPD_SCEPCTL_CA_COMMON_H
#define SCEPD_SCEPCTL_CA_COMMON_H

#include "ca/adopt.h"
#include "ca/init.h"
#include "scepctl/ctl.h"

#define YEAR (365 * 86400ll)

/* ---- options of every such command ---- */

struct ca_options {
	const char *config, *name, *dir;
	const char *passphrase_file, *pin_file, *module;
	const char *ra_key, *ra_kind, *ra_subject;
	int64_t ra_validity;
	bool ra_exists, write;
};
#define CA_ROW_STR(s, n, f, v, h)                                                                  \
	{                                                                                          \
		.name = (n), .type = OPT_STR, .offset = offsetof(struct s, f), .value = (v),       \
		.help = (h)                                                                        \
	}
#define CA_KIND_ROW(s, n, f, c, h)                                                                 \
	{                                                                                          \
		.name = (n), .type = OPT_CHOICE, .offset = offsetof(struct s, f), .value = "KIND", \
		.choices = (c), .help = (h)                                                        \
	}
/* For an options struct `s` with a field `ca`. */
#define CA_ROWS(s)                                                                                 \
	{ .name = "config",                                                                        \
		.letter = 'c',                                                                     \
		.type = OPT_STR,                                                                   \
		.offset = offsetof(struct s, ca.config),                                           \
		.value = "FILE",                                                                   \
		.help = "configuration of scepd (default " CONFIG_DEFAULT ")" },                   \
	    { .name = "name",                                                                      \
		    .letter = 'n',                                                                 \
		    .type = OPT_STR,                                                               \
		    .offset = offsetof(struct s, ca.name),                                         \
		    .value = "NAME",                                                               \
		    .help = "what the configuration calls the CA: a-z, 0-9 and '-'",               \
		    .required = true },                                                            \
	    CA_ROW_STR(s, "dir", ca.dir, "DIR",                                                    \
		"folder of its files (default ca/NAME beside the configuration)"),                 \
	    CA_ROW_STR(s, "passphrase-file", ca.passphrase_file, "SOURCE",                         \
		"passphrase of key files: a file, credential:NAME or prompt (default: not "        \
		"encrypted)"),                                                                     \
	    CA_ROW_STR(s, "pin-file", ca.pin_file, "SOURCE",                                       \
		"PIN of the token: a file, credential:NAME or prompt"),                            \
	    CA_ROW_STR(s, "pkcs11-module", ca.module, "FILE",                                      \
		"PKCS#11 library (default pkcs11.module of the configuration)")
/* Of those that make an RA certificate. */
#define CA_RA_ROWS(s)                                                                              \
	CA_ROW_STR(s, "ra-key", ca.ra_key, "KEY",                                                  \
	    "where the RA's key goes: a path or pkcs11:... (default ra.key in the folder)"),       \
	    CA_KIND_ROW(s, "ra-kind", ca.ra_kind, KEY_SPECS_RSA,                                   \
		"kind of the RA\'s key (default rsa:2048)"),                                       \
	    OPT_FLAG_ROW("existing-ra-key", s, ca.ra_exists, "the RA's key is there already"),     \
	    CA_ROW_STR(s, "ra-subject", ca.ra_subject, "DN",                                       \
		"subject of the RA certificate (default after the CA's)"),                         \
	    { .name = "ra-validity",                                                               \
		    .type = OPT_DURATION,                                                          \
		    .offset = offsetof(struct s, ca.ra_validity),                                  \
		    .value = "TIME",                                                               \
		    .help = "life of the RA certificate (default 730d)",                           \
		    .min = 7 * 86400,                                                              \
		    .max = 30 * YEAR },                                                            \
	    OPT_FLAG_ROW("write", s, ca.write,                                                     \
		"add the CA to the configuration; without it the lines to add are printed")
#define CA_DEFAULTS                                                                                \
	{                                                                                          \
		.ra_kind = "rsa:2048", .ra_validity = 2 * YEAR                                     \
	}

/* ---- what a CA certificate is to say ---- */

struct ca_wish_options {
	struct opt_list permit_dns, exclude_dns, permit_email, exclude_email, permit_uri,
	    exclude_uri, permit_dir, exclude_dir, policy, eku;
	const char *path_len;
};
#define CA_LIST_ROW(s, n, f, v, h)                                                                 \
	{                                                                                          \
		.name = (n), .type = OPT_LIST, .offset = offsetof(struct s, f), .value = (v),      \
		.help = (h)                                                                        \
	}
/* For an options struct with a field `wish`. */
#define CA_WISH_ROWS(s)                                                                            \
	CA_ROW_STR(s, "path-len", wish.path_len, "N",                                              \
	    "authorities that may stand below it: a number or none (default 0)"),                  \
	    CA_LIST_ROW(s, "permit-dns", wish.permit_dns, "NAME",                                  \
		"name constraints: host names below NAME only"),                                   \
	    CA_LIST_ROW(s, "exclude-dns", wish.exclude_dns, "NAME", "none below NAME"),            \
	    CA_LIST_ROW(s, "permit-email", wish.permit_email, "NAME",                              \
		"mailboxes: one, of a host, or (leading dot) of a domain"),                        \
	    CA_LIST_ROW(s, "exclude-email", wish.exclude_email, "NAME", "not these"),              \
	    CA_LIST_ROW(s, "permit-uri", wish.permit_uri, "HOST",                                  \
		"URIs of this host, or (leading dot) below it"),                                   \
	    CA_LIST_ROW(s, "exclude-uri", wish.exclude_uri, "HOST", "not these"),                  \
	    CA_LIST_ROW(s, "permit-dir", wish.permit_dir, "DN", "subjects that begin with DN"),    \
	    CA_LIST_ROW(s, "exclude-dir", wish.exclude_dir, "DN", "not these"),                    \
	    CA_LIST_ROW(s, "policy", wish.policy, "OID[,URL]",                                     \
		"certificate policy, with the address of its practice statement"),                 \
	    CA_LIST_ROW(s, "eku", wish.eku, "NAME",                                                \
		"extended key usage of the CA itself, which bounds all below it; better none")

struct ca_wish {
	int path_len;
	struct constraints constraints;
	struct policies policies;
	const char *eku[OPT_LIST_MAX]; /* static */
	size_t n_eku;
};
enum rc ca_wish_read(
    struct ca_wish *out, const struct ca_wish_options *o, struct err *err) MUST_CHECK;
void ca_wish_done(struct ca_wish *w);
/* Put it into what is made. */
void ca_wish_into(struct ca_init *in, const struct ca_wish *w);

/* ---- one run of such a command ---- */

struct ca_session {
	const struct ca_options *o;
	struct config *config;
	char *dir;
	struct buf passphrase, pin; /* empty: none */
	bool tokens;
	struct name ra_subject; /* n == 0: none was given */
};
/*
 * Reads the configuration (RC_CONFLICT when it has a CA of that name), the secrets, and where one of `keys`
 * (NULLs allowed) is in a token, its library.  `fresh`: the passphrase is a new one.
 */
enum rc ca_session_open(struct ca_session *s, const struct ca_options *o, bool fresh,
    const char *const *keys, size_t n_keys, struct err *err) MUST_CHECK;
void ca_session_close(struct ca_session *s);
/* The folder above `dir` when it is the default: ca/ beside the configuration. */
enum rc ca_session_make_dir(const struct ca_session *s, struct err *err) MUST_CHECK;
/* NULL: none. */
const char *ca_session_passphrase(const struct ca_session *s);
const char *ca_session_pin(const struct ca_session *s);
const struct name *ca_session_ra_subject(const struct ca_session *s);

/* Into the configuration or onto standard output, and what to do next. */
enum rc ca_session_tell(const struct ca_session *s, const char *key, const char *ra_key,
    size_t n_chain, struct err *err) MUST_CHECK;
/* "warn  ..." on standard error: an adopt_warn_fn. */
void ca_say_warning(void *ctx, const char *text);
/* What scepd.yaml gets as it was given: no relative path. */
bool ca_yaml_keeps(const char *value);
/* Append a path as scepd.yaml should have it: relative when it is below the file's folder. */
enum rc ca_yaml_path(
    struct buf *out, const char *config_path, const char *path, struct err *err) MUST_CHECK;

/* ---- ca_yaml.c: one more CA in a scepd.yaml ---- */

struct ca_lines {
	const char *name;
	const char *certificate, *key, *ra_certificate, *ra_key;
	const char *chain[CA_CHAIN_MAX];
	size_t n_chain;
	const char *passphrase_file, *pin_file; /* NULL: none */
	const char *module;                     /* pkcs11.module to add; NULL: it is there */
};
/* The lines of one CA, `indent` blanks before its name. */
void ca_yaml_lines(struct buf *out, const struct ca_lines *l, size_t indent);
/*
 * Add the CA right below the line "cas:" of the file; everything else stays as it is, byte for byte.  The new file is
 * loaded before it takes the place of the old one, which is left alone when anything is wrong.
 */
enum rc ca_yaml_add(const char *path, const struct ca_lines *l, struct err *err) MUST_CHECK;

#endif
