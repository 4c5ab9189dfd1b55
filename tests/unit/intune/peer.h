/*
 * peer.h - Entra, Graph and Intune on one loopback port: records every request as it came and plays
 * what the test scripted.
 *
 * Without a script it plays the good case: a token that names its scope and counts up, a list with
 * this peer's own two services, code Success, no revocation requests, results taken.
 */
#ifndef SCEPD_TESTS_INTUNE_PEER_H
#define SCEPD_TESTS_INTUNE_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "intune.h"

enum route {
	ROUTE_TOKEN,
	ROUTE_LIST,
	ROUTE_ACTION, /* of the SCEP service */
	ROUTE_DOWNLOAD,
	ROUTE_UPLOAD,
	ROUTE_OTHER,
	ROUTE__MAX
};

struct peer;
struct peer *peer_start(void);
void peer_stop(struct peer *p);
uint16_t peer_port(const struct peer *p);
/* "http://127.0.0.1:port" */
const char *peer_url(const struct peer *p);

struct play {
	int status;          /* 0: close without an answer */
	const char *headers; /* whole lines with CRLF, or NULL */
	const void *body;
	size_t len; /* 0: strlen(body) */
	unsigned delay_ms;
};
/* Queue an answer for a route; it is used once.  Bodies are copied. */
void peer_play(struct peer *p, enum route r, const struct play *play);
void peer_answer(struct peer *p, enum route r, int status, const char *body);
/* From now on, whenever nothing is queued. */
void peer_always(struct peer *p, enum route r, const struct play *play);
/* Seconds in expires_in of the good case's token. */
void peer_token_life(struct peer *p, int seconds);

/* The n-th request of a route, raw; NULL when there is none.  Lives until peer_stop(). */
const char *peer_recorded(struct peer *p, enum route r, size_t n);
size_t peer_count(struct peer *p, enum route r);
/* Token requests for the scope that contains this text. */
size_t peer_count_scope(struct peer *p, const char *part);
/* Forget what was recorded. */
void peer_forget(struct peer *p);

/* A header's value in a raw request, in a static buffer of this thread; NULL when absent. */
const char *raw_header(const char *raw, const char *name);
const char *raw_body(const char *raw);

/* A configuration whose three addresses are this peer, and a client on it. */
void peer_config(struct peer *p, struct intune_config *c);
struct intune_client *peer_client(struct peer *p);
/* A port on which nothing listens. */
uint16_t port_closed(void);

#endif
