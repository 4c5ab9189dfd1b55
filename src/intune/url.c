/*
 * url.c - checking and joining URLs.
 */
#include "intune/url.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/text.h"

#define PORT_HTTP  80u
#define PORT_HTTPS 443u
#define IMDS_HOST  "169.254.169.254"

/* Printable ASCII without what RFC 3986 leaves out and libcurl might read differently. */
static bool
chars_ok(const char *s)
{
	size_t i;

	for (i = 0; s[i] != '\0'; i++) {
		if (s[i] <= 0x20 || s[i] >= 0x7f || strchr("\"<>\\^`{|}", s[i]) != NULL)
			return false;
	}
	return i <= URL_MAX;
}

static bool
host_chars_ok(const char *s, size_t len)
{
	size_t i;
	bool ip6 = len > 2 && s[0] == '[' && s[len - 1] == ']';

	if (ip6) {
		for (i = 1; i < len - 1; i++) {
			if (strchr("0123456789abcdefABCDEF:.", s[i]) == NULL)
				return false;
		}
		return true;
	}
	for (i = 0; i < len; i++) {
		char c = s[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
			c == '.' || c == '-' || c == '_'))
			return false;
	}
	return len > 0 && s[0] != '.' && s[0] != '-';
}

static bool
is_loopback(const char *host)
{
	struct in_addr a;

	if (strcmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0)
		return true;
	return inet_pton(AF_INET, host, &a) == 1 && ntohl(a.s_addr) >> 24 == 127;
}

static bool
take_host(struct url *u, const char *s, size_t len)
{
	size_t i;

	if (len >= sizeof(u->host) || !host_chars_ok(s, len))
		return false;
	for (i = 0; i < len; i++)
		u->host[i] = (char)(s[i] >= 'A' && s[i] <= 'Z' ? s[i] + ('a' - 'A') : s[i]);
	u->host[len] = '\0';
	return true;
}

/* "host", "host:port", "[v6]", "[v6]:port" */
static bool
take_authority(struct url *u, const char *s, size_t len)
{
	size_t host = 0, i;
	unsigned port = 0;

	if (len > 0 && s[0] == '[') {
		while (host < len && s[host] != ']')
			host++;
		if (host++ == len)
			return false;
	} else {
		while (host < len && s[host] != ':')
			host++;
	}
	u->port = u->https ? PORT_HTTPS : PORT_HTTP;
	if (host < len) {
		if (s[host] != ':' || len - host < 2 || len - host > 6)
			return false;
		for (i = host + 1; i < len; i++) {
			if (s[i] < '0' || s[i] > '9')
				return false;
			port = port * 10 + (unsigned)(s[i] - '0');
		}
		if (port == 0 || port > UINT16_MAX)
			return false;
		u->port = (uint16_t)port;
	}
	return take_host(u, s, host);
}

static bool
take_apart(struct url *out, const char *s)
{
	const char *auth;

	memset(out, 0, sizeof(*out));
	if (s == NULL || !chars_ok(s))
		return false;
	out->https = strncasecmp(s, "https://", 8) == 0;
	if (!out->https && strncasecmp(s, "http://", 7) != 0)
		return false;
	auth = s + (out->https ? 8 : 7);
	out->rest = auth + strcspn(auth, "/?#");
	return take_authority(out, auth, (size_t)(out->rest - auth));
}

bool
url_parse(struct url *out, const char *s)
{
	return take_apart(out, s) && (out->https || is_loopback(out->host));
}

bool
url_parse_identity(struct url *out, const char *s)
{
	return take_apart(out, s) &&
	    (out->https || is_loopback(out->host) || strcmp(out->host, IMDS_HOST) == 0);
}

bool
url_is_identity(const char *s)
{
	struct url u;

	return url_parse_identity(&u, s) && strpbrk(u.rest, "?#") == NULL;
}

bool
url_is_base(const char *s)
{
	struct url u;

	return url_parse(&u, s) && strpbrk(u.rest, "?#") == NULL;
}

bool
url_same_origin(const struct url *a, const struct url *b)
{
	return a->https == b->https && a->port == b->port && strcmp(a->host, b->host) == 0;
}

enum rc
url_join(char **out, const char *base, const char *rest, struct err *err)
{
	size_t len = strlen(base);

	while (len > 0 && base[len - 1] == '/')
		len--;
	while (*rest == '/')
		rest++;
	return str_format(out, err, "%.*s/%s", (int)len, base, rest);
}
