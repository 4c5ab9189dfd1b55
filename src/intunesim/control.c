/*
 * control.c - Host, Origin, Content-Type.
 */
#include "intunesim/control.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>

#include "base/text.h"

#define HOST_MAX 256

/* "[::1]:8090" is "::1", "localhost:8090" is "localhost".  False for what cannot be either. */
static bool
host_name(char out[static HOST_MAX], const char *host)
{
	const char *from = host[0] == '[' ? host + 1 : host;
	size_t len = host[0] == '[' ? strcspn(from, "]") : strcspn(from, ":");

	if (len == 0 || len >= HOST_MAX)
		return false;
	memcpy(out, from, len);
	out[len] = '\0';
	return true;
}

/* An address cannot be rebound to another one. */
static bool
is_address(const char *name)
{
	uint8_t scratch[sizeof(struct in6_addr)];

	return inet_pton(AF_INET, name, scratch) == 1 || inet_pton(AF_INET6, name, scratch) == 1;
}

static bool
is_public_name(const struct call *c, const char *name)
{
	const char *url = c->sim->options.public_url;
	char own[HOST_MAX];

	return url != NULL && host_name(own, strstr(url, "://") + 3) && str_eq_nocase(own, name);
}

static bool
host_is_ours(const struct call *c)
{
	const char *host = http_header0(c->req, "Host");
	char name[HOST_MAX];

	if (host == NULL)
		return true; /* HTTP/1.0: no browser */
	if (!host_name(name, host))
		return false;
	return is_address(name) || str_eq_nocase(name, "localhost") || is_public_name(c, name);
}

/* The page is one of ours: it came from the very address that this request was sent to. */
static bool
origin_is_ours(const struct call *c)
{
	const char *origin = http_header0(c->req, "Origin"), *host = http_header0(c->req, "Host");
	const char *scheme = c->req->tls != NULL ? "https://" : "http://";
	const char *public_url = c->sim->options.public_url;

	if (origin == NULL)
		return true;
	if (public_url != NULL && str_eq_nocase(origin, public_url))
		return true;
	return host != NULL && str_starts(origin, scheme) &&
	    str_eq_nocase(origin + strlen(scheme), host);
}

static bool
is_json(const char *type)
{
	static const char json[] = "application/json";
	size_t len = strlen(json);

	return strncasecmp(type, json, len) == 0 &&
	    (type[len] == '\0' || type[len] == ';' || isspace((unsigned char)type[len]));
}

static bool
content_is_json(const struct call *c)
{
	const char *type = http_header0(c->req, "Content-Type");

	return type == NULL ? c->req->body_len == 0 : is_json(type);
}

bool
control_admit(struct call *c)
{
	bool reads = strcmp(c->req->method, "GET") == 0 || strcmp(c->req->method, "HEAD") == 0;

	if (!host_is_ours(c))
		call_error(c, 421,
		    "this name is not ours: use the address, localhost, or start with "
		    "--public-url");
	else if (!origin_is_ours(c))
		call_error(c, 403, "pages of other origins may not control the simulator");
	else if (!reads && !content_is_json(c))
		call_error(c, 415, "the body must be application/json");
	else
		return true;
	return false;
}

bool
control_admit_device(struct call *c)
{
	if (http_header0(c->req, "Origin") == NULL)
		return true;
	call_error(c, 403, "pages may not speak for a device");
	return false;
}
