/*
 * loop.c - the I/O threads.  Each has an event base of its own that no other thread touches (so
 * libevent needs no locks); others ring its bell.
 */
#include "http/server_int.h"

#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "http/thread.h"

static void
start_tick(struct loop *l)
{
	unsigned ms = l->server->tick_ms;
	struct timeval t = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

	event_add(&l->tick, &t);
}

static void
on_conn(evutil_socket_t fd, short what, void *arg)
{
	conn_event(arg, what);
}

/*
 * Edge-triggered, both ways, once for the connection's life: no system call is needed to change
 * one's mind.
 */
void
loop_adopt(struct loop *l, struct conn *c)
{
	if (event_assign(&c->event, l->base, c->fd,
		EV_READ | EV_WRITE | EV_CLOSED | EV_ET | EV_PERSIST, on_conn, c) != 0 ||
	    event_add(&c->event, NULL) != 0) {
		conn_free(c);
		return;
	}
	c->registered = true;
	TAILQ_INSERT_TAIL(&l->conns, c, all);
	if (l->n_conns++ == 0)
		start_tick(l);
}

/*
 * Deadlines are looked at a few times in the shortest of them, not each with a timer of its own:
 * they move with every request.
 */
static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct loop *l = arg;
	struct conn *c, *next;
	int64_t now = clock_mono_ms();

	for (c = TAILQ_FIRST(&l->conns); c != NULL; c = next) {
		next = TAILQ_NEXT(c, all);
		conn_expire(c, now);
	}
}

static struct conn *
take_inbox(struct loop *l)
{
	struct conn *c;

	pthread_mutex_lock(&l->lock);
	l->ringing = false;
	c = l->inbox;
	l->inbox = NULL;
	pthread_mutex_unlock(&l->lock);
	return c;
}

static void
empty_inbox(struct loop *l)
{
	struct conn *c, *next;

	for (c = take_inbox(l); c != NULL; c = next) {
		next = c->posted;
		if (c->phase == CONN_CLOSED)
			conn_free(c);
		else if (c->registered) /* a worker met STEP_PAUSE, and still owns it */
			conn_run(c, true);
		else
			loop_adopt(l, c);
	}
}

static void
on_wake(evutil_socket_t fd, short what, void *arg)
{
	struct loop *l = arg;
	struct http_server *s = l->server;
	struct listener *li;

	empty_inbox(l);
	atomic_store(&l->rung_ms, 0);
	if (atomic_load(&s->stage) == SERVER_RUNNING)
		return;
	if (l == &s->loops[0])
		SLIST_FOREACH(li, &s->listeners, next)
	listener_remove(li);
	on_tick(-1, 0, l);
}

void
loop_ring(struct loop *l)
{
	uint64_t one = 1;

	pthread_mutex_lock(&l->lock);
	if (!l->ringing)
		(void)!write(l->wake_fd, &one, sizeof one);
	l->ringing = true;
	pthread_mutex_unlock(&l->lock);
}

void
loop_post(struct loop *l, struct conn *c)
{
	pthread_mutex_lock(&l->lock);
	c->posted = l->inbox;
	l->inbox = c;
	pthread_mutex_unlock(&l->lock);
	loop_ring(l);
}

/* The requests that this round completed go to the pool together: one wake-up. */
static void
flush_batch(struct loop *l)
{
	struct pool_job *j = l->batch, *next;

	if (j == NULL)
		return;
	l->batch = NULL;
	l->batch_tail = &l->batch;
	if (pool_push(l->server->pool, j))
		return;
	for (; j != NULL; j = next) {
		next = j->next;
		conn_drop(j);
	}
}

static void *
loop_main(void *arg)
{
	struct loop *l = arg;
	struct conn *c;

	while (atomic_load(&l->server->stage) != SERVER_ENDING) {
		event_base_loop(l->base, EVLOOP_ONCE);
		flush_batch(l);
	}
	empty_inbox(l);
	while ((c = TAILQ_FIRST(&l->conns)) != NULL)
		conn_free(c);
	return NULL;
}

static enum rc
make_base(struct loop *l, struct err *err)
{
	struct event_config *cfg = event_config_new();

	if (cfg == NULL)
		return fail(err, RC_NOMEM, "no memory for an event loop");
	event_config_require_features(cfg, EV_FEATURE_ET | EV_FEATURE_EARLY_CLOSE);
	event_config_set_flag(cfg, EVENT_BASE_FLAG_NOLOCK);
	event_config_set_flag(cfg, EVENT_BASE_FLAG_IGNORE_ENV);
	l->base = event_base_new_with_config(cfg);
	event_config_free(cfg);
	return l->base != NULL
	    ? RC_OK
	    : fail(err, RC_IO, "no edge-triggered event loop (epoll) on this system");
}

enum rc
loop_init(struct loop *l, struct http_server *s, struct err *err)
{
	enum rc rc;

	l->server = s;
	l->batch_tail = &l->batch;
	TAILQ_INIT(&l->conns);
	pthread_mutex_init(&l->lock, NULL);
	l->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (l->wake_fd < 0)
		return fail_errno(err, "eventfd");
	rc = make_base(l, err);
	if (rc != RC_OK)
		return rc;
	if (event_assign(&l->wake, l->base, l->wake_fd, EV_READ | EV_ET | EV_PERSIST, on_wake, l) !=
		0 ||
	    event_assign(&l->tick, l->base, -1, EV_PERSIST, on_tick, l) != 0 ||
	    event_add(&l->wake, NULL) != 0)
		return fail(err, RC_NOMEM, "no memory for an event loop");
	return RC_OK;
}

enum rc
loop_start(struct loop *l, struct err *err)
{
	enum rc rc = thread_start(&l->thread, loop_main, l, err);

	l->started = rc == RC_OK;
	return rc;
}

void
loop_join(struct loop *l)
{
	if (l->started)
		pthread_join(l->thread, NULL);
	l->started = false;
}

void
loop_done(struct loop *l)
{
	if (l->server == NULL)
		return;
	if (l->base != NULL)
		event_base_free(l->base);
	if (l->wake_fd >= 0)
		close(l->wake_fd);
	pthread_mutex_destroy(&l->lock);
}
