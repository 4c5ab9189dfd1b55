/*
 * server.c - making, starting and ending a server.
 */
#include "http/server_int.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/text.h"
#include "http/thread.h"

#define WORKER_IDLE_MS 10000
#define TICK_MIN_MS    5
#define TICK_MAX_MS    1000
/* How often a draining server looks for connections that have become idle. */
#define DRAIN_LOOK_MS 20

const char *
http_header0(const struct http_request *r, const char *name)
{
	size_t i;

	for (i = 0; i < r->n_headers; i++)
		if (str_eq_nocase(r->headers[i].name, name))
			return r->headers[i].value;
	return NULL;
}

static void
set_defaults(struct http_server_conf *c)
{
	const struct {
		unsigned *field, value;
	} table[] = {
		{ &c->io_threads, 1 },
		{ &c->workers_min, 4 },
		{ &c->workers_max, 512 },
		{ &c->in_flight_max, 1024 },
		{ &c->connections_max, 4096 },
		{ &c->header_ms, 10000 },
		{ &c->body_ms, 20000 },
		{ &c->write_ms, 30000 },
		{ &c->idle_ms, 60000 },
		{ &c->tls_ms, 10000 },
	};
	size_t i;

	for (i = 0; i < sizeof table / sizeof table[0]; i++)
		if (*table[i].field == 0)
			*table[i].field = table[i].value;
}

/* An eighth of the shortest deadline: that is how late one may be noticed. */
static unsigned
tick_for(const struct http_server_conf *c)
{
	const unsigned all[] = { c->header_ms, c->body_ms, c->write_ms, c->idle_ms, c->tls_ms };
	unsigned least = TICK_MAX_MS * 8;
	size_t i;

	for (i = 0; i < sizeof all / sizeof all[0]; i++)
		if (all[i] < least)
			least = all[i];
	return least / 8 < TICK_MIN_MS ? TICK_MIN_MS : least / 8;
}

static unsigned
share_of(unsigned all, unsigned percent)
{
	unsigned n = (unsigned)((uint64_t)all * percent / 100);

	return n > 0 ? n : 1;
}

static enum rc
make_peers(struct http_server *s, struct err *err)
{
	const struct http_server_conf *c = &s->conf;
	struct peers_conf pc = { .debt_max = c->refusals_max * HTTP_BLAME_DEAR };

	if (c->address_share != 0 && c->address_share < 100) {
		pc.connections = share_of(c->connections_max, c->address_share);
		pc.in_flight = share_of(c->in_flight_max, c->address_share);
		pc.buffered = HTTP_BUFFERED_BODIES * s->limits.body / 100 * c->address_share;
	}
	return peers_new(&s->peers, &pc, err);
}

static enum rc
make_loops(struct http_server *s, struct err *err)
{
	unsigned i;
	enum rc rc = RC_OK;

	s->loops = calloc(s->conf.io_threads, sizeof *s->loops);
	if (s->loops == NULL)
		return fail(err, RC_NOMEM, "no memory for event loops");
	s->n_loops = s->conf.io_threads;
	for (i = 0; i < s->n_loops && rc == RC_OK; i++)
		rc = loop_init(&s->loops[i], s, err);
	return rc;
}

enum rc
http_server_new(struct http_server **out, const struct http_server_conf *conf, struct err *err)
{
	struct http_server *s = calloc(1, sizeof *s);
	enum rc rc;

	if (s == NULL)
		return fail(err, RC_NOMEM, "no memory for a server");
	rc = thread_cond_init(&s->empty, err);
	if (rc != RC_OK) {
		free(s);
		return rc;
	}
	pthread_mutex_init(&s->lock, NULL);
	SLIST_INIT(&s->listeners);
	s->conf = *conf;
	set_defaults(&s->conf);
	s->limits.url = conf->url_max != 0 ? conf->url_max : LIMIT_HTTP_URL;
	s->limits.header = conf->header_max != 0 ? conf->header_max : LIMIT_HTTP_HEADER;
	s->limits.body = conf->body_max != 0 ? conf->body_max : LIMIT_HTTP_BODY;
	s->tick_ms = tick_for(&s->conf);
	rc = make_peers(s, err);
	if (rc == RC_OK)
		rc = make_loops(s, err);
	if (rc != RC_OK) {
		http_server_free(s);
		return rc;
	}
	*out = s;
	return RC_OK;
}

static enum rc
start_parts(struct http_server *s, struct err *err)
{
	struct listener *l;
	unsigned i;
	enum rc rc;

	rc = pool_new(
	    &s->pool, s->conf.workers_min, s->conf.workers_max, WORKER_IDLE_MS, conn_job, err);
	if (rc != RC_OK)
		return rc;
	SLIST_FOREACH(l, &s->listeners, next)
	if (rc == RC_OK)
		rc = listener_add(l, err);
	for (i = 0; i < s->n_loops && rc == RC_OK; i++)
		rc = loop_start(&s->loops[i], err);
	return rc;
}

enum rc
http_server_start(struct http_server *s, struct err *err)
{
	enum rc rc;

	if (s->started)
		return fail(err, RC_BUG, "the server runs already");
	s->started = true;
	atomic_store(&s->stage, SERVER_RUNNING);
	rc = start_parts(s, err);
	if (rc != RC_OK)
		http_server_stop(s, 0);
	return rc;
}

static void
set_stage(struct http_server *s, enum server_stage stage)
{
	unsigned i;

	atomic_store(&s->stage, stage);
	for (i = 0; i < s->n_loops; i++)
		loop_ring(&s->loops[i]);
}

/* True when the last connection has ended. */
static bool
wait_empty(struct http_server *s, int64_t until_ms)
{
	bool is_empty;

	pthread_mutex_lock(&s->lock);
	if (atomic_load(&s->connections) > 0)
		thread_cond_wait_until(&s->empty, &s->lock, until_ms);
	is_empty = atomic_load(&s->connections) == 0;
	pthread_mutex_unlock(&s->lock);
	return is_empty;
}

static void
drain(struct http_server *s, unsigned grace_ms)
{
	int64_t now = clock_mono_ms(), end = now + grace_ms;

	do {
		set_stage(s, SERVER_DRAINING);
		now = clock_mono_ms();
	} while (
	    !wait_empty(s, now + DRAIN_LOOK_MS < end ? now + DRAIN_LOOK_MS : end) && now < end);
}

void
http_server_stop(struct http_server *s, unsigned grace_ms)
{
	unsigned i;

	if (!s->started)
		return;
	if (grace_ms > 0)
		drain(s, grace_ms);
	set_stage(s, SERVER_CLOSING);
	if (s->pool != NULL)
		pool_stop(s->pool, conn_drop);
	set_stage(s, SERVER_ENDING);
	for (i = 0; i < s->n_loops; i++)
		loop_join(&s->loops[i]);
	s->started = false;
}

void
http_server_free(struct http_server *s)
{
	struct listener *l;
	unsigned i;

	if (s == NULL)
		return;
	http_server_stop(s, 0);
	while ((l = SLIST_FIRST(&s->listeners)) != NULL) {
		SLIST_REMOVE_HEAD(&s->listeners, next);
		listener_remove(l); /* the loop may have ended before it heard of the closing */
		listener_free(l);
	}
	for (i = 0; i < s->n_loops; i++)
		loop_done(&s->loops[i]);
	free(s->loops);
	peers_free(s->peers);
	pool_free(s->pool);
	pthread_cond_destroy(&s->empty);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

int64_t
http_server_stalled_ms(struct http_server *s)
{
	int64_t now = clock_mono_ms(), most = 0;

	for (unsigned i = 0; i < s->n_loops; i++) {
		struct loop *l = &s->loops[i];
		int64_t rung = atomic_load(&l->rung_ms);

		if (rung != 0 && now - rung > most)
			most = now - rung;
		if (rung != 0)
			continue;
		atomic_store(&l->rung_ms, now);
		loop_ring(l);
	}
	return most;
}

void
http_server_stats(struct http_server *s, struct http_server_stats *out)
{
	out->accepted = atomic_load(&s->accepted);
	out->requests = atomic_load(&s->requests);
	out->refused = atomic_load(&s->refused);
	out->over = atomic_load(&s->over);
	out->crowded = atomic_load(&s->crowded);
	out->addresses = peers_known(s->peers);
	out->connections = atomic_load(&s->connections);
	out->in_flight = atomic_load(&s->in_flight);
	out->workers = s->pool != NULL ? pool_threads(s->pool) : 0;
}
