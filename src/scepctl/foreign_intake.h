/*
 * foreign_intake.h - certificates that were found somewhere, judged and put into the store as those of a foreign
 * CA: only what its key has signed.  Bounded: at most STORE_CAUSES_BATCH at a time are in memory.
 */
#ifndef SCEPD_SCEPCTL_FOREIGN_INTAKE_H
#define SCEPD_SCEPCTL_FOREIGN_INTAKE_H

#include "ca/cert_stream.h"
#include "scepctl/ctl.h"
#include "store/store_foreign.h"

enum intake_fate {
	INTAKE_ADDED,
	INTAKE_FILLED,
	INTAKE_UNCHANGED,
	INTAKE_ITSELF,     /* the CA's own certificate: its own CRL and OCSP are its issuer's */
	INTAKE_OTHER_CA,   /* it names another issuer */
	INTAKE_TAKEN,      /* the serial number is another certificate's */
	INTAKE_FORGED,     /* it names this CA, whose key has not signed it */
	INTAKE_UNREADABLE, /* no certificate, or one that is not understood */
	INTAKE__MAX
};
struct intake_item;
struct intake {
	struct store *store;
	const struct conf_foreign *conf;
	const struct cert *ca;
	bool dry_run;
	/* Called for each that was not taken, and with INTAKE_ADDED for one that was and is odd; `where` is the file. */
	void (*refused)(
	    void *arg, enum intake_fate fate, const char *where, size_t line, const char *what);
	/* Called after each batch. */
	void (*progress)(void *arg, const struct intake *in);
	void *arg;
	char who[CTL_WHO_MAX];
	uint64_t read, bare, counts[INTAKE__MAX]; /* bare: of those read, serial numbers alone */
	uint64_t two_names;  /* of those read, certificates that name two users or devices */
	uint64_t many_names; /* of those read, certificates with more than LIMIT_SAN names */
	const char *where;
	struct intake_item *items;
	size_t n;
	bool wrote; /* the last batch was written */
};
/* The caller has filled what is above `who`; `where` may change between two files. */
enum rc intake_begin(struct intake *in, struct err *err) MUST_CHECK;
/* A cert_stream_fn with the intake for `arg`. */
enum rc intake_take(void *arg, const struct cert_found *c, struct err *err) MUST_CHECK;
/* What is still in memory goes to the store. */
enum rc intake_flush(struct intake *in, struct err *err) MUST_CHECK;
void intake_done(struct intake *in);

#endif
