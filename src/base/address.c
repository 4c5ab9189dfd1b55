/*
 * address.c - see address.h.
 */
#include "base/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

static void
from_v4(struct address *out, const struct in_addr *four)
{
	memcpy(out->v, mapped, sizeof mapped);
	memcpy(out->v + sizeof mapped, four, 4);
}

static bool
is_v4(const struct address *a)
{
	return memcmp(a->v, mapped, sizeof mapped) == 0;
}

bool
address_of_socket(struct address *out, const struct sockaddr *sa)
{
	const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)(const void *)sa;
	const struct sockaddr_in *four = (const struct sockaddr_in *)(const void *)sa;

	if (sa->sa_family == AF_INET)
		from_v4(out, &four->sin_addr);
	else if (sa->sa_family == AF_INET6)
		memcpy(out->v, &six->sin6_addr, sizeof out->v);
	return sa->sa_family == AF_INET || sa->sa_family == AF_INET6;
}

void
address_text(char out[static ADDRESS_TEXT_MAX], const struct address *a)
{
	const char *ok = is_v4(a) ? inet_ntop(AF_INET, a->v + sizeof mapped, out, ADDRESS_TEXT_MAX)
				  : inet_ntop(AF_INET6, a->v, out, ADDRESS_TEXT_MAX);

	if (ok == NULL)
		strcpy(out, "?");
}

void
address_whole(struct address *out, const struct address *a)
{
	*out = *a;
	if (!is_v4(a))
		memset(out->v + 8, 0, 8);
}

static bool
parse_ip(struct address *out, const char *text)
{
	struct in_addr four;

	if (inet_pton(AF_INET, text, &four) == 1) {
		from_v4(out, &four);
		return true;
	}
	return inet_pton(AF_INET6, text, out->v) == 1;
}

/* ---- networks ---- */

static bool
shares_bits(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;

	return memcmp(a, b, whole) == 0 && (rest == 0 || (a[whole] ^ b[whole]) >> (8 - rest) == 0);
}

bool
address_in(const struct address *a, const struct net *nets, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (shares_bits(a->v, nets[i].v, nets[i].bits))
			return true;
	return false;
}

enum rc
net_parse(struct net *out, const char *text, struct err *err)
{
	const char *slash = strchr(text, '/');
	size_t len = slash != NULL ? (size_t)(slash - text) : strlen(text);
	char host[ADDRESS_TEXT_MAX] = "";
	struct address a;
	uint64_t bits, most;

	if (len < sizeof host)
		(void)snprintf(host, sizeof host, "%.*s", (int)len, text);
	if (!parse_ip(&a, host))
		return fail(err, RC_CONFIG, "\"%.60s\" is no address or network", text);
	most = bits = is_v4(&a) ? 32 : 128;
	if (slash != NULL && parse_u64(&bits, slash + 1, 0, most, "prefix length", NULL) != RC_OK)
		return fail(err, RC_CONFIG, "network \"%.60s\": the prefix is no number up to %u",
		    text, (unsigned)most);
	memcpy(out->v, a.v, sizeof out->v);
	out->bits = (unsigned)(128 - most + bits);
	return RC_OK;
}

/* ---- as proxies write them ---- */

static bool
is_port(const char *text)
{
	return parse_u64(&(uint64_t){ 0 }, text, 0, 65535, "port", NULL) == RC_OK;
}

/* Into an address, and a port that is not needed; cuts `s` apart. */
static const char *
host_of(char *s)
{
	char *end = s[0] == '[' ? strchr(s, ']') : strchr(s, ':');

	if (s[0] == '[') {
		if (end == NULL || (end[1] != '\0' && (end[1] != ':' || !is_port(end + 2))))
			return NULL;
		*end = '\0';
		return strchr(s + 1, ':') != NULL ? s + 1 : NULL;
	}
	if (end == NULL || strchr(end + 1, ':') != NULL) /* no colon; or more than one: IPv6 */
		return s;
	*end = '\0';
	return is_port(end + 1) ? s : NULL;
}

bool
address_parse(struct address *out, const char *text, size_t len)
{
	char copy[64]; /* "[" address "]:65535" */
	const char *host;

	if (len == 0 || len >= sizeof copy || memchr(text, '\0', len) != NULL)
		return false;
	memcpy(copy, text, len);
	copy[len] = '\0';
	host = host_of(copy);
	return host != NULL && parse_ip(out, host);
}
