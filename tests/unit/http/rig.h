/*
 * rig.h - a server with handlers that do what tests need: /echo, /hold, /big, /headers, /close, and
 * for anything else a line about the request.
 */
#ifndef SCEPD_TESTS_HTTP_RIG_H
#define SCEPD_TESTS_HTTP_RIG_H

#include <semaphore.h>
#include <stdatomic.h>

#include "http/server.h"

#define HOST "Host: a\r\n"

struct rig {
	struct http_server *server;
	uint16_t port;
	sem_t entered, go; /* "/hold" posts the first and waits for the second */
	atomic_int done_sent, done_failed, refused_status, refused;
};

void rig_handle(void *rig, const struct http_request *q, struct http_reply *r);
void rig_start(struct rig *rig, const struct http_server_conf *conf);
void rig_stop(struct rig *rig);
void sem_take(sem_t *s);

#endif
