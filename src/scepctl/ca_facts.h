/*
 * ca_facts.h - what a CA certificate says about the certificates below it, for people and as JSON.
 */
#ifndef SCEPD_SCEPCTL_CA_FACTS_H
#define SCEPD_SCEPCTL_CA_FACTS_H

#include "scepctl/ctl.h"

/* "path length 0", "permits dns:contoso.com", "policy 1.2.3 (http://...)", "usage clientAuth": one
 * line each, behind `indent` blanks. */
enum rc ca_print_facts(FILE *f, int indent, const struct cert *c, struct err *err) MUST_CHECK;
/* Members pathLength, nameConstraints, policies, eku of `o`; false when memory ran out or an extension
 * cannot be read. */
bool ca_json_facts(json_t *o, const struct cert *c);
/* Member `key` of `o`: subject, file, key, notBefore, notAfter, sha1, sha256 of a certificate. */
bool ca_json_cert(json_t *o, const char *key, const char *file, const struct cert *c,
    const struct thumbprints *t);

#endif
