/*
 * parse.h - the door: bytes in, a request or a refusal out.  No sockets, no time.
 *
 * The caller keeps one buffer with all bytes of the request so far and calls http_parse() whenever
 * more have come.  A chunked body is decoded in place.  What follows the request (the next one,
 * pipelined) stays behind it in the buffer.
 *
 * Two readers must agree on every request: http_scan(), which is strict about bytes, and llhttp,
 * which knows the rules.
 */
#ifndef SCEPD_HTTP_PARSE_H
#define SCEPD_HTTP_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <llhttp.h>

#include "http/scan.h"
#include "http/server.h"

enum http_parse_rc { HTTP_PARSE_MORE, HTTP_PARSE_DONE, HTTP_PARSE_REFUSED };
enum http_parse_phase { HTTP_PHASE_HEAD, HTTP_PHASE_BODY, HTTP_PHASE_DONE };

struct http_span {
	uint32_t at, len; /* in the buffer */
};

struct http_parse {
	enum http_parse_phase phase;
	struct http_limits limits;
	struct http_scan scan;
	struct http_frame frame;
	llhttp_t ll;
	const uint8_t *in; /* during a call: what llhttp's pointers point into */
	size_t framed;     /* chunked: how far http_frame_check() came */
	size_t pos;        /* chunked: raw bytes before this one are decoded */
	size_t head_len, body_len;
	uint64_t content_length;
	unsigned n_headers, n_host, n_length, n_coding;
	int minor;
	bool chunked, keep_alive;
	bool expect_continue; /* the client waits for "100 Continue" */
	int status;           /* after HTTP_PARSE_REFUSED */
	const char *why;      /* static */
	struct http_span method, target;
	struct http_span name[HTTP_HEADERS_MAX], value[HTTP_HEADERS_MAX];
};

void http_parse_begin(struct http_parse *p, const struct http_limits *limits);
/*
 * `in` holds *len bytes (may have moved since the last call, must not have changed); chunked
 * decoding shortens *len.  After HTTP_PARSE_DONE the request takes http_parse_used() bytes of it.
 * Do not call again after DONE or REFUSED.
 */
enum http_parse_rc http_parse(struct http_parse *p, uint8_t *in, size_t *len);
size_t http_parse_used(const struct http_parse *p);
/* While in HTTP_PHASE_BODY: how many bytes the whole request will have, 0 if unknown (chunked). */
size_t http_parse_want(const struct http_parse *p);

/*
 * After DONE: the request, with pointers into `in` (whose head is cut into strings) and into *mem,
 * which the caller frees after the request.  Fields peer, tls and listener are not touched.  False:
 * refused after all, see status and why.
 */
bool http_parse_request(struct http_parse *p, uint8_t *in, struct http_request *out, void **mem);

#endif
