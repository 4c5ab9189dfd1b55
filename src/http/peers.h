/*
 * peers.h - what each address holds of a server, and how often it was refused.
 *
 * Counted as one: an IPv4 address, the /64 of an IPv6 address (address_whole()).  A whole site may be
 * one address (NAT), so what an address may hold is a share of the server and not a small number, and
 * what it is refused for is remembered as a debt:
 *
 *	refused before anybody said yes    the debt grows, by what it cost us (http_reply.blame)
 *	a minute passes                    it shrinks by `debt_max`
 *	somebody said yes                  it shrinks: where honest devices are, mistakes are forgiven
 *	debt >= debt_max                   the address is `over`: the handler answers 429 to what is dear
 *
 * The table is bounded: entries that something is held by, whose number the server bounds, and
 * PEERS_REMEMBERED others, of which the one left alone for the longest makes room.  The hash is keyed, so
 * that nobody can choose addresses that meet in one chain.
 *
 * Threads: any; one lock inside, held for a look-up.
 */
#ifndef SCEPD_HTTP_PEERS_H
#define SCEPD_HTTP_PEERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "base/err.h"
#include "http/server.h"

/* Debts of that many absent addresses: 1.5 MiB, and more than one enemy has of IPv4. */
#define PEERS_REMEMBERED 16384u
/* Refusals of one address that are told to the log in a minute; the others are counted. */
#define PEERS_LINES 20u

struct peers;
struct peer;

struct peers_conf {
	unsigned connections, in_flight; /* of one address at a time; 0: any number */
	size_t buffered;                 /* bytes of read buffers for one address; 0: any */
	unsigned debt_max; /* in HTTP_BLAME units, and what a minute forgives; 0: never over */
};

enum rc peers_new(struct peers **out, const struct peers_conf *conf, struct err *err) MUST_CHECK;
void peers_free(struct peers *p);

/*
 * A connection of `a` begins, or a request.  NULL: the address has its share, or there is no memory.
 * `exempt`: counted, and not bounded (a trusted proxy, which is many addresses).
 */
struct peer *peer_connect(struct peers *p, const struct address *a, bool exempt);
void peer_disconnect(struct peers *p, struct peer *who);
/* *n: requests that it has in flight now, with this one. */
struct peer *peer_request(struct peers *p, const struct address *a, unsigned *n);
void peer_request_over(struct peers *p, struct peer *who);
/* Connections that it has just now; those of an exempt one do not count. Takes no lock. */
unsigned peer_connections(const struct peer *who);
/* The same for an address, which need not be known. */
unsigned peers_connections(struct peers *p, const struct address *a);
/* More room for read buffers, or (negative) room given back.  False: no more for this address. */
bool peer_buffer(struct peers *p, struct peer *who, ptrdiff_t more);

/* Of an address in whose name a request is in flight: this one, and others.  Past half of debt_max these count as
 * if they were going to be refused. */
bool peer_is_over(struct peers *p, struct peer *who, int64_t now_ms);
void peer_blame(struct peers *p, struct peer *who, int blame, int64_t now_ms);
/* Whether a refusal gets a line in the log; *unsaid then tells how many did not since the last. */
bool peer_may_speak(struct peers *p, struct peer *who, int64_t now_ms, uint64_t *unsaid);

unsigned peers_known(struct peers *p);

#endif
