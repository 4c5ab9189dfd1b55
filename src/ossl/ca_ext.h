/*
 * ca_ext.h - what a CA certificate may say about the certificates below it: name constraints
 * (RFC 5280 4.2.1.10) and certificate policies (4.2.1.4).
 *
 * Threads: no state.
 */
#ifndef SCEPD_OSSL_CA_EXT_H
#define SCEPD_OSSL_CA_EXT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "ossl/name.h"

/* ---- name constraints ---- */

enum constraint_form {
	CONSTRAINT_DNS,
	CONSTRAINT_EMAIL,
	CONSTRAINT_URI,
	CONSTRAINT_DIR,
	CONSTRAINT_UPN,   /* otherName: read, and never written, as libcrypto cannot process it */
	CONSTRAINT_OTHER, /* IP and what else there is: no certificate of ours has such a name */
	CONSTRAINT__MAX
};
/* One GeneralSubtree. */
struct constraint {
	enum constraint_form form;
	bool excluded;   /* false: permitted */
	char *text;      /* "contoso.com"; of a directoryName as name_text() writes it */
	struct name dir; /* CONSTRAINT_DIR */
};
struct constraints {
	struct constraint *v;
	size_t n;
};
#define CONSTRAINTS_MAX 64 /* in one certificate; real ones have a handful */

const char *constraint_form_name(enum constraint_form f); /* "dns" "email" "uri" "dir"... */
/* In an administrator's words; RC_CONFIG for what cannot stand in that form. */
enum rc constraints_add(struct constraints *l, enum constraint_form form, bool excluded,
    const char *text, struct err *err) MUST_CHECK;
/* The door: the value of the extension. */
enum rc constraints_parse(
    struct constraints *out, const void *der, size_t len, struct err *err) MUST_CHECK;
/* Append the value of the extension. */
enum rc constraints_write(struct buf *out, const struct constraints *l, struct err *err) MUST_CHECK;
void constraints_done(struct constraints *l);

/*
 * May a certificate have these names?  RC_DENIED names the first that it may not, and `who` forbids
 * it ("CA issuing").  As relying parties look (RFC 5280 6.1.3 b and c): the subject as a directoryName, E in it
 * as a mailbox, and without a dNSName also a CN that looks like a host.
 */
enum rc constraints_check(const struct constraints *l, const char *who, const struct name *subject,
    const struct san_list *san, struct err *err) MUST_CHECK;

/* ---- certificate policies ---- */

struct policy {
	char oid[64]; /* dotted */
	char *cps;    /* where the practice statement is; NULL: no such qualifier */
};
struct policies {
	struct policy *v;
	size_t n;
};
#define POLICIES_MAX   16 /* in one certificate */
#define OID_ANY_POLICY "2.5.29.32.0"

/* "OID" or "OID,URL"; RC_CONFIG. */
enum rc policies_add(struct policies *l, const char *text, struct err *err) MUST_CHECK;
/* The door: the value of the extension.  Qualifiers other than the URL are passed over. */
enum rc policies_parse(
    struct policies *out, const void *der, size_t len, struct err *err) MUST_CHECK;
enum rc policies_write(struct buf *out, const struct policies *l, struct err *err) MUST_CHECK;
void policies_done(struct policies *l);

#endif
