/*
 * config_int.h - what config_*.c share: the profile as it is written in the file, and what
 * config_load() allocates.
 */
#ifndef SCEPD_SCEPD_CONFIG_INT_H
#define SCEPD_SCEPD_CONFIG_INT_H

#include <stdbool.h>
#include <stddef.h>

#include "scepd/config.h"

/* A profile as the rows fill it; config_profiles() makes a struct profile of it. */
struct conf_profile {
	const char *name;
	int line;
	struct {
		struct conf_strs attributes, allow;
		bool empty;
	} subject;
	struct {
		struct conf_strs types, allow;
		bool required;
	} san;
	struct {
		struct conf_strs allow, dflt;
	} key_usage, eku;
	struct {
		struct {
			uint64_t min, max;
		} rsa;
		struct conf_strs ec;
	} keys;
	bool sha1_csr;
	struct {
		int64_t dflt, max;
		bool from_request;
	} validity;
	int64_t backdate;
	int digest;
	struct conf_strs crl_urls, ca_issuer_urls, ocsp_urls;
};

/* A rule about the directory as the rows fill it; config_rules() makes a struct directory_rule of it. */
enum rule_then { RULE_THEN_HOLD, RULE_THEN_REVOKE };
struct conf_rule {
	const char *name;
	int line;
	int when, then; /* enum rule_when, rule_then */
	int64_t grace;  /* seconds */
	uint64_t days;
	struct conf_strs risk;
	struct conf_filter {
		struct conf_strs profiles, endpoints, tenants, platforms, ownership, groups;
	} only, except;
	struct {
		int64_t max_age; /* seconds */
		int then;        /* enum rule_outage */
	} outage;
};

/* Memory that lives as long as the configuration. */
struct config_block {
	struct config_block *next;
	_Alignas(max_align_t) char data[];
};

/* What a struct config really is. */
struct config_file {
	struct config c;                /* first: config_free() gets a pointer to it */
	struct conf_items raw_profiles; /* struct conf_profile */
	struct conf_items raw_rules;    /* struct conf_rule */
	struct config_block *blocks;
	int store_line, admin_line, public_url_line, pkcs11_line, limits_line;
};

extern const struct conf_schema config_schema; /* fills a struct config_file */

/* config_rules.c */
extern const struct conf_schema conf_rule_schema, conf_brake_schema, conf_exceptions_schema,
    conf_revocation_schema;
#define CONF_BRAKE_HINT                                                                            \
	"a brake that asks about nearly everything is { percent: 1, count: 1, minimum: 0 }, and "  \
	"none is { percent: 100, count: 1000000 }"

/* config_foreign.c */
extern const struct conf_schema conf_foreign_schema;
/* Paths and keys of foreign CAs, and what they may say. */
enum rc config_foreign_resolve(struct config_file *f, struct err *err) MUST_CHECK;
enum rc config_foreign_check(const struct config_file *f, struct err *err) MUST_CHECK;

/* Keys, as config.c resolves them: a path or a pkcs11: URI; a secret's source. */
enum rc config_resolve_key(const char **key, struct config_file *f, struct err *err) MUST_CHECK;
enum rc config_resolve_secret(const char **file, struct config_file *f, struct err *err) MUST_CHECK;
/* A key of `section`.`name` that is in a token is a URI that can be read, and there is a module. */
enum rc config_check_key(const struct config_file *f, struct err *err, int line,
    const char *section, const char *name, const char *row, const char *key) MUST_CHECK;
/* A name that becomes part of a URL. */
enum rc config_check_name(const struct config_file *f, struct err *err, int line,
    const char *section, const char *name) MUST_CHECK;

/* Zeroed memory of the configuration's own; NULL when there is none. */
void *config_alloc(struct config_file *f, size_t n, size_t size);
enum rc config_format(const char **out, struct config_file *f, struct err *err, const char *fmt,
    ...) PRINTF_LIKE(4, 5) MUST_CHECK;

/* raw_profiles -> c.profiles. */
enum rc config_profiles(struct config_file *f, struct err *err) MUST_CHECK;
/* raw_rules -> c.rules; the names in their filters are those of `names`. */
enum rc config_rules(struct config_file *f, const struct config *names, struct err *err) MUST_CHECK;
/* CRL, AIA and OCSP addresses from public_url where a profile names none. */
enum rc config_addresses(struct config_file *f, struct err *err) MUST_CHECK;
/* "section.name.key: why" as RC_CONFIG. */
enum rc config_item_fail(const struct config_file *f, struct err *err, int line,
    const char *section, const char *name, const char *key, const char *why);
/* What the kind of an endpoint (challenge) needs and excludes, its secret, its profiles. */
enum rc config_check_kind(
    const struct config_file *f, const struct conf_endpoint *e, struct err *err) MUST_CHECK;
/* A host of an address or URL that is this machine: 127.x, [::1], localhost. */
bool config_is_loopback(const char *host, size_t len);
/* Rules across sections. */
enum rc config_check(struct config_file *f, struct err *err) MUST_CHECK;

#endif
