/*
 * manner.h - how the SCEP clients of the platforms speak, as rows: URL, query, User-Agent, key
 * transport, digest. Sources: the field notes on Windows (NDES client), Apple's profiled and
 * Android's clients that servers have to live with.
 */
#ifndef SCEPD_SCEP_CLIENT_MANNER_H
#define SCEPD_SCEP_CLIENT_MANNER_H

#include <stdbool.h>

#include "scep.h"

struct manner {
	const char *name;         /* "plain" "windows" "ios" "macos" "android" */
	const char *suffix;       /* put behind the configured URL, "" for none */
	const char *message;      /* of GetCACaps and GetCACert; NULL: left out */
	const char *user_agent;   /* NULL: our own */
	const char *content_type; /* of the POST; NULL: none at all */
	bool oaep;                /* wraps the content key with RSAES-OAEP (SHA-1) */
	bool raw_base64;          /* in GET only '=' is escaped, '+' and '/' go as they are */
	bool sends_validity;      /* the profile's validity travels in the CSR */
};

/* NULL when there is none of that name. */
const struct manner *manner_by_name(const char *name);
const struct manner *manner_plain(void);

#endif
