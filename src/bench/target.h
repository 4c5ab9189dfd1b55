/*
 * target.h - where the load goes: an http URL, resolved once.
 */
#ifndef SCEPD_BENCH_TARGET_H
#define SCEPD_BENCH_TARGET_H

#include <sys/socket.h>

#include "base/err.h"

#define TARGET_HOST_MAX 256
#define TARGET_PATH_MAX 2048

struct target {
	char host[TARGET_HOST_MAX]; /* of the Host line: with the port */
	char path[TARGET_PATH_MAX];
	const char *query,
	    *type; /* static; what follows the path, and the messages' content type */
	struct sockaddr_storage addr;
	socklen_t addr_len;
};

/* http://HOST[:PORT]/PATH, for PKIOperations. RC_CONFIG; RC_IO when the name does not resolve. */
enum rc target_parse(struct target *out, const char *url, struct err *err) MUST_CHECK;
/* "127.0.0.1:PORT" with a port that was free a moment ago, for programs that cannot choose one
 * themselves. */
enum rc target_free_port(unsigned *port, struct err *err) MUST_CHECK;

#endif
