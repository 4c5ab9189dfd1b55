/*
 * stub.h - a server of a few lines: one thread, one connection at a time, each handed to a
 * function.
 */
#ifndef SCEPD_TESTS_HTTP_STUB_H
#define SCEPD_TESTS_HTTP_STUB_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

struct stub {
	int fd;
	uint16_t port;
	pthread_t thread;
	void (*serve)(struct stub *s, int fd); /* does not close fd */
	void *arg;
	atomic_int connections, requests;
	atomic_bool stop;
};

void stub_start(struct stub *s, void (*serve)(struct stub *s, int fd), void *arg);
void stub_stop(struct stub *s);

#endif
