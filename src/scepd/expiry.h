/*
 * expiry.h - what ends by itself, and how long before that somebody has to be told: one table, for the
 * server's log and metrics, and for scepctl check.
 */
#ifndef SCEPD_SCEPD_EXPIRY_H
#define SCEPD_SCEPD_EXPIRY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum expiry_kind {
	EXPIRY_CA,
	EXPIRY_INTERMEDIATE,
	EXPIRY_ROOT,
	EXPIRY_RA,
	EXPIRY_OCSP,
	EXPIRY_FOREIGN_CA,   /* of others */
	EXPIRY_FOREIGN_OCSP, /* the responder that such a CA has certified for us */
	EXPIRY_TLS,          /* a listener's */
	EXPIRY_APP_CERT,     /* of a tenant's app */
	EXPIRY_APP_KEY,      /* its client secret, as far as the configuration says */
	EXPIRY__MAX
};
enum expiry_level { EXPIRY_FAR, EXPIRY_SOON, EXPIRY_URGENT, EXPIRY_OVER };

struct expiry_row {
	const char *what;   /* in metrics: "ca", "ra", "tls" ... */
	const char *called; /* in sentences: "the issuing CA's certificate" */
	/* Seconds before the end: from when it is a warning, and from when an error. */
	int64_t soon, urgent;
	/* Of a life that is short, that part of it (and half of that) instead; 0: whatever its life. */
	unsigned part;
	const char *cure; /* what the administrator does about it */
};
const struct expiry_row *expiry_row(enum expiry_kind kind);

struct expiry_thing {
	enum expiry_kind kind;
	const char *name;              /* of the CA, the tenant, the listener */
	int64_t not_before, not_after; /* wall seconds; not_before 0: not known */
	bool expected; /* that it ends is nobody's concern: its CA is retired, or ends with it */
};
enum expiry_level expiry_level(const struct expiry_thing *t, int64_t now);
/* Of an RA or a responder that lasts as long as a CA lets it, only the CA's end is told. */
bool expiry_ends_with(int64_t not_after, int64_t ca_not_after);

/*
 * What a server has an eye on.  It only grows, and no further than the configuration names things.
 *
 * Threads: expiry_note() from one at a time, expiry_metrics() from any.
 */
struct expiry;
enum rc expiry_new(struct expiry **out, struct err *err) MUST_CHECK;
void expiry_free(struct expiry *e); /* NULL is allowed */
/* This is so now: remembered for the metrics, and told in the log: at once when it has become worse,
 * once a day while it stays so, and once when it is over. */
void expiry_note(struct expiry *e, const struct expiry_thing *t, int64_t now);
void expiry_metrics(struct expiry *e, struct buf *out);

#endif
