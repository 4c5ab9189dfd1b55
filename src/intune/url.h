/*
 * url.h - the few URLs that configuration and discovery bring: checked once, joined with care.
 */
#ifndef SCEPD_INTUNE_URL_H
#define SCEPD_INTUNE_URL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define URL_MAX  8192u /* the links of Graph's delta queries carry their state: up to some KiB */
#define HOST_MAX 256u

struct url {
	bool https;
	char host[HOST_MAX]; /* lower case; an IPv6 address with its brackets */
	uint16_t port;
	const char *rest; /* path, query and fragment; points into the text */
};

/*
 * A door.  https, or http to this machine itself (a simulator): a secret or a token must never
 * cross a network in the clear.  No user information, no byte outside printable ASCII, at most
 * URL_MAX bytes.
 */
bool url_parse(struct url *out, const char *s);
/*
 * The same for the token service of a managed identity, which plain http may reach at the
 * link-local address of Azure's instance metadata service, too: that never leaves the host.
 */
bool url_parse_identity(struct url *out, const char *s);
bool url_is_identity(const char *s); /* and without query and fragment */
/* As url_parse(), and nothing behind the path: something can be appended. */
bool url_is_base(const char *s);
/* Same scheme, host and port. */
bool url_same_origin(const struct url *a, const struct url *b);
/* base + "/" + rest with exactly one slash between them.  *out is the caller's. */
enum rc url_join(char **out, const char *base, const char *rest, struct err *err) MUST_CHECK;

#endif
