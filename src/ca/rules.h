/*
 * rules.h - the small questions a profile is asked, one function each.  Inside src/ca only.
 */
#ifndef SCEPD_CA_RULES_H
#define SCEPD_CA_RULES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "ca/profile.h"
#include "ossl/key.h"
#include "ossl/name.h"

/* SAN URI that binds a certificate to an on-premises account (strong mapping, KB5014754). */
#define SID_URI_PREFIX "tag:microsoft.com,2022-09-14:sid:"

/* The subject's attribute `label` may occur. */
bool rule_attribute_allowed(const struct profile *p, const char *label);

/*
 * One subject pattern: parts "LABEL=glob" between commas ("\," for a comma inside a glob).  A
 * pattern fits when for each label that it names the subject has at least one value, and every
 * value of that label fits one of its parts; so a second CN cannot ride along (S34), and a glob
 * never reaches across attributes.  Labels it does not name are none of its business.
 */
bool rule_subject_fits(const char *pattern, const struct name *subject);
/* `pattern` names every label that the subject has: nothing in it is free. */
bool rule_subject_named(const char *pattern, const struct name *subject);
/* Some part of it is more than wildcards: "CN=*" binds nobody. */
bool rule_subject_binds(const char *pattern);
/* Somebody could fit `subject`, a pattern too, and one of the profile's: false where a value that is spelled out, or an
 * attribute that is missing, fits none of them. */
bool rule_subject_possible(const char *subject, const struct profile *p);
/* Append it part by part for people: "CN=pc-*; any O". */
void rule_subject_words(struct buf *out, const char *pattern);
/* Syntax of a pattern; with `p`, that its attributes may occur there (NULL: any): RC_CONFIG. */
enum rc rule_subject_pattern_check(
    const char *pattern, const struct profile *p, struct err *err) MUST_CHECK;

/* `value` fits one of the patterns of its type, or there are none for this type. */
bool rule_san_fits(const struct profile *p, const struct san *san);
/* There is at least one pattern for this type. */
bool rule_san_has_pattern(const struct profile *p, enum san_type type);
/* A pattern that itself spells out the SID tag fits `san` (S18). */
bool rule_san_sid_fits(const struct profile *p, const struct san *san);
/* Some pattern of its type spells `san` out: where nobody else vouches for it.  A SID tag needs one
 * that spells the tag out (S18), a DNS name has to be a host name. */
bool rule_san_spelled_out(const struct profile *p, const struct san *san);
/* A host name of letters, digits, '-' and '_' in labels (RFC 5280 4.2.1.6, RFC 1034 3.5). */
bool rule_is_host_name(const char *s);
/* "upn:*@contoso.com": the type, and where the glob starts; SAN__MAX when it is none. */
enum san_type rule_san_pattern(const char *pattern, const char **glob);

/* Does this OID never appear in a leaf, whatever a profile says?  Why, or NULL. */
const char *rule_eku_forbidden(const char *oid);
/* KU_* bits that make sense for a key of this type (RFC 3279 2.3.1, RFC 8813 3). */
unsigned rule_key_usage_of(enum key_type type);

#endif
