/* target.c - see target.h. */
#include "bench/target.h"

#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

#define SCHEME "http://"

/* "host:port", "[::1]:port", "host" into its two parts. */
static enum rc
split_host(char *name, char *port, size_t port_room, const char *host, struct err *err)
{
	const char *end = host[0] == '[' ? strchr(host, ']') : NULL;
	const char *colon = strrchr(end != NULL ? end : host, ':');
	size_t len = colon != NULL ? (size_t)(colon - host) : strlen(host);
	uint64_t number = 80;

	if (host[0] == '[' && end == NULL)
		return fail(err, RC_CONFIG, "\"%s\" is no host", host);
	if (host[0] == '[') {
		host++;
		len -= 2;
	}
	memcpy(name, host, len);
	name[len] = '\0';
	if (len == 0)
		return fail(err, RC_CONFIG, "the URL names no host");
	if (colon != NULL && parse_u64(&number, colon + 1, 1, 65535, "port", err) != RC_OK)
		return RC_CONFIG;
	(void)snprintf(port, port_room, "%u", (unsigned)number);
	return RC_OK;
}

static enum rc
resolve(struct target *out, struct err *err)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list = NULL;
	char name[TARGET_HOST_MAX], port[8];
	enum rc rc;
	int e;

	if ((rc = split_host(name, port, sizeof(port), out->host, err)) != RC_OK)
		return rc;
	if ((e = getaddrinfo(name, port, &hints, &list)) != 0)
		return fail(err, RC_IO, "%s: %s", out->host, gai_strerror(e));
	memcpy(&out->addr, list->ai_addr, list->ai_addrlen);
	out->addr_len = list->ai_addrlen;
	freeaddrinfo(list);
	return RC_OK;
}

enum rc
target_parse(struct target *out, const char *url, struct err *err)
{
	const char *host = url + strlen(SCHEME);
	size_t len;

	memset(out, 0, sizeof(*out));
	out->query = "?operation=PKIOperation";
	out->type = "application/x-pki-message";
	if (!str_starts(url, SCHEME)) {
		(void)fail(err, RC_CONFIG, "%s: the load is sent over http:// only", url);
		return err_hint(err, "measure the listener without TLS");
	}
	len = strcspn(host, "/");
	if (len >= sizeof(out->host) || strlen(host + len) >= sizeof(out->path) ||
	    host[strcspn(host, "?# \r\n@")] != '\0')
		return fail(err, RC_CONFIG, "%s: not a URL that load can be sent to", url);
	memcpy(out->host, host, len);
	(void)snprintf(out->path, sizeof(out->path), "%s", host[len] != '\0' ? host + len : "/");
	return resolve(out, err);
}

enum rc
target_free_port(unsigned *port, struct err *err)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool ok = fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof(a)) == 0 &&
	    getsockname(fd, (struct sockaddr *)&a, &len) == 0;

	if (fd >= 0)
		(void)close(fd);
	if (!ok)
		return fail_errno(err, "find a free port");
	*port = ntohs(a.sin_port);
	return RC_OK;
}
