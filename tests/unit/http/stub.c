/*
 * stub.c - see stub.h.
 */
#include "unit.h"

#include "stub.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net.h"

static void *
stub_main(void *arg)
{
	struct stub *s = arg;
	int fd;

	while ((fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC)) >= 0 && !atomic_load(&s->stop)) {
		atomic_fetch_add(&s->connections, 1);
		s->serve(s, fd);
		close(fd);
	}
	if (fd >= 0)
		close(fd);
	return NULL;
}

void
stub_start(struct stub *s, void (*serve)(struct stub *s, int fd), void *arg)
{
	memset(s, 0, sizeof *s);
	s->serve = serve;
	s->arg = arg;
	s->fd = listen_free(&s->port);
	assert_int_equal(pthread_create(&s->thread, NULL, stub_main, s), 0);
}

void
stub_stop(struct stub *s)
{
	atomic_store(&s->stop, true);
	close(dial(s->port)); /* so that accept() returns */
	pthread_join(s->thread, NULL);
	close(s->fd);
}
