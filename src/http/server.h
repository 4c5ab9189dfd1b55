/*
 * server.h - an HTTP/1.0 and 1.1 server: connections on I/O loops, complete requests on an elastic
 * pool of worker threads.
 *
 * A handler is called with a whole request and blocks as it likes; connections keep moving
 * meanwhile.  Knows nothing of SCEP. Bounds, each with its reason in limits.h or server_conf:
 * sizes, header count, connections, requests in flight (past the bound: 503 with Retry-After, at
 * once), and an absolute time per phase, so that a client that drips bytes is closed as surely as a
 * silent one. One address may hold a share of all this, and has a debt that grows with what is
 * refused (peers.h); where all connections are taken, one of the address that has most is closed for
 * somebody who has fewer. Refused outright (request smuggling): two Content-Length, Content-Length with
 * Transfer-Encoding, bare LF, obs-fold, space before the colon, control characters, NUL, other
 * transfer codings than chunked.
 */
#ifndef SCEPD_HTTP_SERVER_H
#define SCEPD_HTTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "base/buf.h"
#include "base/err.h"
#include "ossl/tls.h"

struct http_server;

struct http_header {
	const char *name, *value; /* NUL-terminated; values trimmed */
};

/* Lent to the handler for the call. */
struct http_request {
	const char *method; /* "GET" "POST" "HEAD"..., upper case as sent */
	const char
	    *target; /* as sent, without scheme and authority: "/scep/wifi?operation=GetCACaps" */
	const char
	    *path; /* percent-decoded, never contains NUL, dot segments refused; "/scep/wifi" */
	const char *query; /* raw, after '?', or "" */
	const uint8_t *body;
	size_t body_len;
	const struct http_header *headers;
	size_t n_headers;
	/* "192.0.2.1" or "2001:db8::1", no port; what a trusted proxy says it is */
	const char *peer;
	bool over; /* its address was refused so often that what is dear gets http_reply_over() */
	int minor; /* HTTP/1.minor */
	const char *tls; /* "TLSv1.3", NULL on plain HTTP */
	void *listener;  /* what http_listen() was given */
};
const char *http_header0(
    const struct http_request *r, const char *name); /* case-insensitive; NULL when absent */

/*
 * How a reply goes wrong on the wire, on purpose: for simulators, whose clients have to live through
 * it.  All zero: it goes right.  None of it holds a worker.
 */
enum http_end {
	HTTP_END_WHOLE, /* nothing is missing */
	HTTP_END_STALL, /* then silence, until the peer leaves or limit_ms have passed */
	HTTP_END_CUT,   /* then the connection is closed */
	HTTP_END_RESET  /* then it is reset (RST) */
};
struct http_trouble {
	unsigned wait_ms; /* before the first byte */
	enum http_end end;
	unsigned percent;    /* how much goes out before the end; not with HTTP_END_WHOLE */
	size_t piece;        /* bytes of one write; 0: as many as there are */
	unsigned piece_ms;   /* between two of them */
	unsigned limit_ms;   /* for all this, then the connection is closed; 0: write_ms */
	size_t chunk;        /* Transfer-Encoding: chunked, this many bytes each; not in HTTP/1.0 */
	int64_t date_offset; /* seconds that the Date header is ahead */
};

struct http_reply {
	int status;               /* 200 unless set */
	const char *content_type; /* static (it must outlive the handler); NULL: none */
	struct buf body;          /* initialised by the server; max HTTP_REPLY_MAX */
	struct buf headers;       /* extra lines, use http_reply_header() */
	unsigned retry_after;     /* seconds; 0: no header */
	bool close;               /* close the connection afterwards */
	/*
	 * What it counts against its address: HTTP_BLAME_..., by what a refusal has cost us; negative
	 * when the peer turned out to be somebody.
	 */
	int blame;
	/* Instead of `body`: bytes that many replies share; released when sent. Set by http_reply_share(). */
	struct http_shared *shared;
	/*
	 * Called once, when the last byte was handed to the kernel (sent = true) or could not be
	 * (false), on the thread that did it: the worker that ran the handler or an I/O thread.
	 * Must not block.
	 */
	void (*on_done)(void *arg, bool sent);
	void *on_done_arg;
	struct http_trouble trouble;
};
#define HTTP_BLAME_CHEAP 1 /* not even a message: no private key was used, nothing was written */
#define HTTP_BLAME_DEAR                                                                            \
	10 /* decrypted, perhaps asked for elsewhere, and answered with a signature */
#define HTTP_BLAME_CREDIT (-100) /* ten mistakes are forgiven for one request that was granted */

/* Bytes that do not change, counted: a list of megabytes for many slow readers is there once. */
struct http_shared;
/* Takes what `b` holds, which is empty then.  NULL: no memory, and b is as it was. */
struct http_shared *http_shared_new(struct buf *b);
struct http_shared *http_shared_ref(struct http_shared *s);
void http_shared_free(struct http_shared *s); /* the last reference frees; NULL-safe */
const uint8_t *http_shared_bytes(const struct http_shared *s, size_t *len);
void http_reply_share(
    struct http_reply *r, struct http_shared *s); /* takes a reference of its own */

#define HTTP_REPLY_MAX (64u << 20) /* a large CRL; SCEP replies are a few KiB */
/* Add a header line; CR, LF and NUL in name or value make it vanish. */
void http_reply_header(struct http_reply *r, const char *name, const char *value);
/* IMF-fixdate (RFC 9110 5.6.7); false, and "" in `out`, for a time that is none. */
#define HTTP_DATE_SIZE 30
bool http_date(char out[static HTTP_DATE_SIZE], int64_t t);
/* 429 with Retry-After, for a request that is `over`. */
void http_reply_over(struct http_reply *r);
/* text/plain with one line. */
void http_reply_text(struct http_reply *r, int status, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* Runs on a worker thread.  Must fill the reply; a handler cannot fail. */
typedef void (*http_handler)(void *ctx, const struct http_request *req, struct http_reply *reply);

struct http_server_conf {
	http_handler handler;
	void *ctx;
	/*
	 * A request that never reached the handler (400, 408, 413, 414, 417, 429, 431, 501, 503,
	 * 505), one that it answered with http_reply_over(), or a TLS handshake that failed (status
	 * 0): for one log line. Called a bounded number of times a minute for one address (peers.h);
	 * `unsaid`: how many were passed over since the last call.  May be NULL. On an I/O thread or
	 * a worker; must not block.
	 */
	void (*on_refused)(
	    void *ctx, const char *peer, int status, const char *why, uint64_t unsaid);
	/* Percent of connections, of requests in flight and of memory that one address may have; 0: 100 */
	unsigned address_share;
	/* Refusals (of HTTP_BLAME_DEAR each) a minute before an address is `over`; 0: never */
	unsigned refusals_max;
	/* Proxies whose X-Forwarded-For is believed; lent for the server's life */
	const struct net *trusted;
	size_t n_trusted;
	size_t url_max, header_max, body_max; /* bytes; 0: limits.h */
	unsigned io_threads;                  /* 0: 1 */
	unsigned workers_min,
	    workers_max;          /* 0: 4, 512. An idle worker above the minimum ends after 10 s */
	unsigned in_flight_max;   /* requests being handled or queued; 0: 1024 */
	unsigned connections_max; /* 0: 4096; past it one is closed (above) */
	unsigned header_ms;       /* first byte to end of header; 0: 10000 */
	unsigned body_ms;         /* end of header to end of body; 0: 20000 */
	unsigned write_ms;        /* reply ready to last byte; 0: 30000 */
	unsigned idle_ms;         /* between requests, and before the first byte; 0: 60000 */
	unsigned tls_ms;          /* handshake; 0: 10000 */
};

enum rc http_server_new(
    struct http_server **out, const struct http_server_conf *conf, struct err *err) MUST_CHECK;
/*
 * Bind `address` ("127.0.0.1:8080", "[::]:443", "*:80"; port 0 picks one).  tls NULL: plain.
 * `listener` is handed to handlers. Takes its own reference of `tls`. RC_IO "port busy" errors name
 * the address. *port gets the bound port (may be NULL).
 */
enum rc http_listen(struct http_server *s, const char *address, struct tls_ctx *tls, void *listener,
    uint16_t *port, struct err *err) MUST_CHECK;
/* The same in two halves: a port below 1024 is bound before a process gives up its rights. */
enum rc http_bind(int *fd, const char *address, uint16_t *port, struct err *err) MUST_CHECK;
/* Takes `fd` over, also when it fails. */
enum rc http_listen_fd(
    struct http_server *s, int fd, struct tls_ctx *tls, void *listener, struct err *err) MUST_CHECK;
/*
 * Swap a listener's TLS context (certificate renewed on disk), taking a reference; connections in
 * progress keep the old one. Any thread.
 */
void http_listen_tls_set(struct http_server *s, void *listener, struct tls_ctx *tls);
/* Start threads (signals are blocked in all of them). Once; every http_listen() comes before. */
enum rc http_server_start(struct http_server *s, struct err *err) MUST_CHECK;
/*
 * Stop accepting, finish what is in flight for at most `grace_ms`, close the rest, join all
 * threads. A handler that runs longer than that is waited for all the same.
 */
void http_server_stop(struct http_server *s, unsigned grace_ms);
void http_server_free(struct http_server *s);

struct http_server_stats {
	uint64_t accepted, requests, refused;
	uint64_t over;    /* requests answered with 429 */
	uint64_t crowded; /* connections closed, or not taken, because an address had its share */
	unsigned connections, in_flight, workers;
	unsigned addresses; /* known: connected, or remembered for what they were refused */
};
void http_server_stats(struct http_server *s, struct http_server_stats *out);
/*
 * Is it alive?  Rings every I/O loop that has answered the last ring; returns how long the slowest has not come round
 * to one, in ms; 0: all have.  From one thread, every few seconds.
 */
int64_t http_server_stalled_ms(struct http_server *s);

/*
 * "GET" of a field in application/x-www-form-urlencoded text or a query. Percent-decoding; '+'
 * becomes a space only if plus_is_space (SCEP's base64 in GET must keep it, RFC 8894 4.1 as devices
 * do it).  *out NULL when absent; the first wins.  RC_PARSE on bad escapes and NUL.
 */
enum rc http_form_get(char **out, size_t *out_len, const char *form, size_t form_len,
    const char *name, bool plus_is_space, struct err *err) MUST_CHECK;

#endif
