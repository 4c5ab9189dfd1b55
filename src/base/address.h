/*
 * address.h - addresses of peers: from the kernel, from a configuration, and as proxies write them.
 */
#ifndef SCEPD_BASE_ADDRESS_H
#define SCEPD_BASE_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/err.h"

#define ADDRESS_TEXT_MAX 46 /* INET6_ADDRSTRLEN */

/* IPv6, or IPv4 as ::ffff:a.b.c.d (RFC 4291 2.5.5.2). */
struct address {
	uint8_t v[16];
};

/* A network; 128 bits of ::ffff:a.b.c.d for one IPv4 address. */
struct net {
	uint8_t v[16];
	unsigned bits;
};

/* "192.0.2.0/24", "2001:db8::/32", or one address.  RC_CONFIG. */
enum rc net_parse(struct net *out, const char *text, struct err *err) MUST_CHECK;
/* False: of another family. */
bool address_of_socket(struct address *out, const struct sockaddr *sa);
void address_text(char out[static ADDRESS_TEXT_MAX], const struct address *a);
/*
 * Who is counted as one: an IPv4 address, or the /64 of an IPv6 address, within which every host may
 * choose as it likes (RFC 4291 2.5.4, RFC 8981).
 */
void address_whole(struct address *out, const struct address *a);
bool address_in(const struct address *a, const struct net *nets, size_t n);
/*
 * The door for an element of X-Forwarded-For: "192.0.2.1", "2001:db8::1", and as some proxies write
 * it "192.0.2.1:4711", "[2001:db8::1]:4711". False: none of these.
 */
bool address_parse(struct address *out, const char *text, size_t len);

#endif
