/*
 * server_int.h - what the parts of the server share: server.c (API), listen.c (sockets that
 * listen), loop.c (I/O threads), conn.c (a connection's phases), conn_life.c (its beginning and
 * end), conn_io.c (its reads and writes), conn_trouble.c (replies that go wrong on purpose).
 *
 * Who may touch a connection: its owner, and there is one at any time - the I/O thread, or, from
 * the moment that a request is complete until its reply is out, a worker.  See `owner` in struct
 * conn.  What others want from a connection they post to its loop.
 */
#ifndef SCEPD_HTTP_SERVER_INT_H
#define SCEPD_HTTP_SERVER_INT_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "http/parse.h"
#include "http/peers.h"
#include "http/pool.h"
#include "http/server.h"

/* All read buffers above the first size together: as many as this of the largest body (256 MiB by default). */
#define HTTP_BUFFERED_BODIES 256u

/* Requests in flight with which an address may use the last quarter of all. */
#define HTTP_MODEST 2u

struct loop;

struct listener {
	SLIST_ENTRY(listener) next;
	struct http_server *server;
	int fd;
	void *tag;            /* what http_listen() was given */
	pthread_mutex_t lock; /* of tls */
	struct tls_ctx *tls;  /* ours; NULL: plain */
	bool secure;
	struct event readable, resume; /* loop 0 */
	bool added;
};

enum conn_phase {
	CONN_TLS,
	CONN_IDLE,
	CONN_HEAD,
	CONN_BODY,
	CONN_HANDLE,
	CONN_WRITE,
	CONN_TROUBLE,
	CONN_LINGER,
	CONN_CLOSED
};

/* What a step of a connection's life says is next. */
enum step {
	STEP_AGAIN, /* the phase has changed */
	STEP_WAIT,  /* for the socket */
	STEP_PAUSE, /* for the timer of its trouble, which is armed on the loop's thread */
	STEP_HAND,  /* to a worker */
	STEP_END,
};

struct trouble;

/* What a request needs in memory; exists from its first byte to the last byte of its reply. */
struct exchange {
	struct http_parse parse;
	struct http_request req;
	void *req_mem;
	uint8_t *in; /* room for `cap`, holds `len` */
	size_t len, cap;
	struct buf head, rest;      /* the reply: header with small body, then a large one */
	struct http_shared *shared; /* instead of `rest` */
	struct peer *asker;         /* who is counted for the request while it is in flight */
	bool over;                  /* said so to the handler */
	char peer[ADDRESS_TEXT_MAX];
	size_t written;
	struct trouble *trouble; /* NULL: the reply goes out as it should */
	bool close_after, linger_after;
	void (*on_done)(void *arg, bool sent);
	void *on_done_arg;
};

/* Bits of conn.owner.  EVENT: the socket moved while a worker had it. */
#define CONN_OWNED 1u
#define CONN_EVENT 2u
/* The peer will send no more; with edge-triggered events that must be remembered. */
#define CONN_EOF 4u

struct conn {
	struct pool_job job;   /* first: the pool hands it back */
	TAILQ_ENTRY(conn) all; /* of its loop; loop thread only */
	struct conn *posted;   /* next in the loop's inbox */
	struct loop *loop;
	struct listener *listener;
	struct event event;
	int fd;
	atomic_uint owner;
	_Atomic int64_t deadline_ms; /* 0: none; read by the loop's tick */
	enum conn_phase phase;
	bool registered; /* known to the loop */
	/* Edge-triggered: true until a call says that it would block. */
	bool readable, writable, eof;
	struct tls_conn *tls;
	struct exchange *x; /* NULL between requests */
	bool reset;         /* close without a goodbye */
	size_t lingered;    /* bytes thrown away */
	struct address address;
	struct peer *who; /* who is counted for the connection */
	bool proxy;       /* a trusted one */
	char peer[ADDRESS_TEXT_MAX];
};

struct loop {
	struct http_server *server;
	struct event_base *base;
	pthread_t thread;
	bool started;
	int wake_fd;
	struct event wake, tick;
	unsigned n_conns;
	_Atomic int64_t rung_ms; /* by http_server_stalled_ms(), and not heard yet; 0: heard */
	TAILQ_HEAD(, conn) conns;
	struct pool_job *batch, **batch_tail; /* requests completed in this round of the loop */
	pthread_mutex_t lock;
	struct conn *inbox; /* under lock */
	bool ringing; /* under lock: wake_fd was written and not yet heard; edge-triggered, never
			 read */
};

enum server_stage { SERVER_NEW, SERVER_RUNNING, SERVER_DRAINING, SERVER_CLOSING, SERVER_ENDING };

struct http_server {
	struct http_server_conf conf;
	struct http_limits limits;
	SLIST_HEAD(, listener) listeners;
	struct loop *loops;
	unsigned n_loops, next_loop;
	struct pool *pool;
	bool started;
	atomic_int stage;
	atomic_uint in_flight, connections;
	atomic_size_t buffered; /* bytes of read buffers above the first size */
	atomic_ullong accepted, requests, refused, over, crowded;
	struct peers *peers;
	unsigned tick_ms;
	pthread_mutex_t lock;
	pthread_cond_t empty; /* connections reached 0 */
};

/* loop.c */
enum rc loop_init(struct loop *l, struct http_server *s, struct err *err) MUST_CHECK;
enum rc loop_start(struct loop *l, struct err *err) MUST_CHECK;
void loop_ring(struct loop *l);
/* Register a connection; on the loop's thread. */
void loop_adopt(struct loop *l, struct conn *c);
/* Hand a connection to its loop: to be registered, or, when closed, to be freed. */
void loop_post(struct loop *l, struct conn *c);
void loop_join(struct loop *l);
void loop_done(struct loop *l);

/* listen.c */
enum rc listener_add(
    struct listener *l, struct err *err) MUST_CHECK; /* start accepting, on loop 0 */
void listener_remove(struct listener *l);            /* on loop 0's thread */
void listener_free(struct listener *l);

/* conn_life.c */
/* Takes fd.  NULL: no memory, or its address has its share; fd is closed. */
struct conn *conn_new(struct listener *l, struct loop *loop, int fd, const struct sockaddr *peer);
void conn_free(struct conn *c);
/*
 * All connections are taken: close one, on the loop's thread, of the address that has most, if a newcomer
 * from `a` has fewer; or one that is idle.  False: the newcomer has to go.
 */
bool conn_make_room(struct loop *l, const struct address *a);
/* The request is not in flight any more. */
void conn_leave(struct conn *c);

/* conn.c */
/* Enter a phase that may last `ms`; 0: as long as it takes. */
void conn_phase(struct conn *c, enum conn_phase phase, unsigned ms);
/*
 * Go on until it has to wait.  The caller owns it; afterwards nobody does, or a worker, or it is
 * freed.
 */
void conn_run(struct conn *c, bool on_loop);
void conn_event(struct conn *c, short what);      /* on the loop's thread */
void conn_expire(struct conn *c, int64_t now_ms); /* on the loop's thread: the tick */
void conn_job(struct pool_job *j);                /* on a worker: call the handler */
void conn_drop(struct pool_job *j);               /* the job will not run */

/* exchange.c */
bool exchange_new(struct conn *c);
void exchange_free(struct conn *c);
/* Room for at least one byte more.  False: no memory, or none left for this. */
bool exchange_room(struct conn *c);
/* What is still to be sent without a break; NULL: nothing. */
const uint8_t *exchange_unsent(const struct exchange *x, size_t *len);
/* Bytes of the whole reply. */
size_t exchange_size(const struct exchange *x);
/* The reply is out, or never will be. */
void exchange_reply_over(struct exchange *x, bool sent);

/* conn_trouble.c */
/* False: none wanted, or no memory for it; the reply goes right then. */
bool trouble_new(struct conn *c, const struct http_trouble *t);
void trouble_free(struct trouble *t);   /* where the connection may be freed */
enum step trouble_step(struct conn *c); /* of CONN_TROUBLE */
void trouble_arm(struct conn *c);       /* after STEP_PAUSE, on the loop's thread */

/* conn_io.c */
enum io { IO_OK, IO_WAIT, IO_END, IO_BROKEN };
enum io conn_read(struct conn *c, void *p, size_t len, size_t *n);
enum io conn_write(struct conn *c, const void *p, size_t len, bool more, size_t *n);

#endif
