/*
 * publish_path.h - the door for what anybody writes behind /crl/ and /ca/.  Pure: whether there is such a CA or
 * list is asked later.
 */
#ifndef SCEPD_SCEPD_PUBLISH_PATH_H
#define SCEPD_SCEPD_PUBLISH_PATH_H

#include <stdbool.h>
#include <stddef.h>

#define CRL_PARTS_MAX 256

enum list_kind { LIST_FULL, LIST_DELTA, LIST_PART, LIST__MAX };

struct crl_path {
	const char *ca; /* in the path; not empty, and without a slash */
	size_t ca_len;
	enum list_kind kind; /* LIST__MAX: a list that no CA has */
	unsigned part,
	    parts; /* of LIST_PART: parts a power of two up to CRL_PARTS_MAX, part below it */
};
/* `path`: whole, decoded.  Names of CAs and the fixed words in any case; numbers as they are written by us, so
 * that a list has one address.  False: it names no CA. */
bool crl_path_parse(struct crl_path *out, const char *path);

/* "/ca/NAME.crt": what stands between; not empty, and without a slash. */
bool cert_path_parse(const char **ca, size_t *len, const char *path);

#endif
