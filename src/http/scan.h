/*
 * scan.h - the bouncer in front of the parser: is this header block, byte by byte, what RFC 9112
 * section 2.2 to 5 lets a client send, and where does it end?
 *
 * Whoever stands between the client and us (a reverse proxy, a WAF) must see the same requests in
 * the same bytes.  So everything that parsers are known to disagree about is refused here: bare CR
 * and LF, obs-fold, space before the colon, control characters. The answer depends on the bytes
 * only, never on how they were cut into reads.
 */
#ifndef SCEPD_HTTP_SCAN_H
#define SCEPD_HTTP_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_METHOD_MAX  16u  /* bytes; the longest registered one that matters is 9 */
#define HTTP_HEADERS_MAX 100u /* lines; browsers send 20, a chain of proxies some more */

struct http_limits {
	size_t url, header, body; /* bytes */
};

enum http_scan_state {
	SCAN_BEFORE, /* RFC 9112 2.2: one empty line before the request is forgiven */
	SCAN_BEFORE_LF,
	SCAN_METHOD,
	SCAN_TARGET,
	SCAN_VERSION,
	SCAN_VERSION_LF,
	SCAN_LINE, /* first byte of a header line, or of the empty line that ends them */
	SCAN_NAME,
	SCAN_VALUE,
	SCAN_VALUE_LF,
	SCAN_END_LF,
	SCAN_DONE,
	SCAN_REFUSED,
};

struct http_scan {
	enum http_scan_state state;
	size_t pos;     /* bytes looked at; after SCAN_DONE the length of the block */
	size_t method;  /* offset */
	size_t target;  /* offset */
	size_t version; /* offset */
	size_t lines;   /* offset of the first header line */
	unsigned n_headers;
	int status; /* after SCAN_REFUSED: the HTTP status, and why in a few static words */
	const char *why;
};

void http_scan_begin(struct http_scan *s);
/*
 * `in` are all bytes since the beginning, `len` of them now.  True when the block is complete;
 * false: more, or SCAN_REFUSED.
 */
bool http_scan(
    struct http_scan *s, const uint8_t *in, size_t len, const struct http_limits *limits);

/*
 * The same watch over the framing of a chunked body (RFC 9112 7.1): what lies between the pieces of
 * data.  Given in order, in any cuts.  NULL, or why it is refused.
 */
enum http_frame_state {
	FRAME_SIZE,
	FRAME_SIZE_MORE,
	FRAME_EXT,
	FRAME_SIZE_LF,
	FRAME_DATA_CR,
	FRAME_DATA_LF
};
struct http_frame {
	enum http_frame_state state;
	bool last;       /* the chunk whose line was read has size 0 */
	unsigned digits; /* of the size */
	size_t ext;      /* bytes of extensions in the whole body */
};
void http_frame_begin(struct http_frame *f);
const char *http_frame_check(struct http_frame *f, const uint8_t *p, size_t len);
/* Data follows here; NULL when that is right. */
const char *http_frame_data(struct http_frame *f);

#endif
