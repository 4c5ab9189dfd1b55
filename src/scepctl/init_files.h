/*
 * init_files.h - the texts that scepctl init writes.
 */
#ifndef SCEPD_SCEPCTL_INIT_FILES_H
#define SCEPD_SCEPCTL_INIT_FILES_H

#include <stdbool.h>

#include "base/buf.h"

struct init_text {
	const char *name;           /* organisation, for a comment */
	const char *listen, *admin; /* admin NULL: none */
	const char *url;            /* NULL: none */
	const char *tenant;         /* name of the tenant; NULL: no Intune endpoint */
	const char *domain;         /* of the static endpoint; NULL: no such endpoint */
	/* Of the CA's keys; they go between double quotes. */
	const char *key, *ra_key;               /* URIs; NULL: files in ca/ */
	const char *passphrase_file, *pin_file; /* NULL: none */
	const char *module;                     /* PKCS#11 library; NULL: none */
};

void init_yaml(struct buf *out, const struct init_text *t);
/* Microsoft's properties with nothing but what has to be filled in. */
void init_properties(struct buf *out);

#endif
