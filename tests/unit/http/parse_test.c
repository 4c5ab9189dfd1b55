/*
 * parse_test.c - the request door: what is let in, what is refused with which status, and that the
 * answer depends on the bytes alone.
 */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http/parse.h"

static const struct http_limits limits = { .url = 200, .header = 1000, .body = 100 };

/* 200: let in.  Otherwise the status of the refusal; 0: would wait for more. */
struct verdict {
	int status;
	const char *why;
	char method[32], target[256], path[256], query[256], body[128];
	size_t body_len, used, len, n_headers;
	bool keep_alive;
};

static void
copy_text(char *out, size_t room, const char *s)
{
	assert_true(strlen(s) < room);
	strcpy(out, s);
}

static void
read_request(struct http_parse *p, uint8_t *in, struct verdict *v)
{
	struct http_request r;
	void *mem;

	if (http_parse_request(p, in, &r, &mem)) {
		v->status = 200;
		copy_text(v->method, sizeof v->method, r.method);
		copy_text(v->target, sizeof v->target, r.target);
		copy_text(v->path, sizeof v->path, r.path);
		copy_text(v->query, sizeof v->query, r.query);
		assert_true(r.body_len <= limits.body);
		memcpy(v->body, r.body, r.body_len);
		v->body_len = r.body_len;
		v->n_headers = r.n_headers;
	} else {
		v->status = p->status;
		v->why = p->why;
	}
	free(mem);
}

/*
 * Give the bytes in pieces of `step`, each time in a fresh allocation of just the right size, so
 * that ASan sees any step outside.
 */
static void
parse_in_steps(struct verdict *v, const void *bytes, size_t total, size_t step)
{
	struct http_parse p;
	enum http_parse_rc rc = HTTP_PARSE_MORE;
	uint8_t *in = NULL, *grown;
	size_t given = 0, len = 0, n;

	memset(v, 0, sizeof *v);
	v->why = "";
	http_parse_begin(&p, &limits);
	while (rc == HTTP_PARSE_MORE && given < total) {
		n = total - given < step ? total - given : step;
		grown = malloc(len + n);
		assert_non_null(grown);
		if (len > 0)
			memcpy(grown, in, len);
		free(in);
		in = grown;
		memcpy(in + len, (const uint8_t *)bytes + given, n);
		given += n;
		len += n;
		rc = http_parse(&p, in, &len);
	}
	if (rc == HTTP_PARSE_REFUSED) {
		v->status = p.status;
		v->why = p.why;
		assert_in_range(v->status, 400, 505);
		assert_non_null(v->why);
	} else if (rc == HTTP_PARSE_DONE) {
		v->used = http_parse_used(&p);
		v->len = len;
		v->keep_alive = p.keep_alive;
		assert_true(v->used <= len);
		read_request(&p, in, v);
	}
	free(in);
}

static void
parse(struct verdict *v, const void *bytes, size_t len)
{
	parse_in_steps(v, bytes, len, len > 0 ? len : 1);
}

#define GET_     "GET / HTTP/1.1\r\n"
#define POST_    "POST / HTTP/1.1\r\nHost: a\r\n"
#define CHUNKED  POST_ "Transfer-Encoding: chunked\r\n\r\n"
#define BYTES(s) s, sizeof(s) - 1

static const struct row {
	const char *name;
	const char *bytes;
	size_t len;
	int status;
} table[] = {
	/* Let in. */
	{ "plain GET", BYTES(GET_ "Host: a\r\n\r\n"), 200 },
	{ "HTTP/1.0 without Host", BYTES("GET / HTTP/1.0\r\n\r\n"), 200 },
	{ "one empty line before", BYTES("\r\n" GET_ "Host: a\r\n\r\n"), 200 },
	{ "absolute-form", BYTES("GET http://h:80/x?y HTTP/1.1\r\nHost: a\r\n\r\n"), 200 },
	{ "empty Host", BYTES(GET_ "Host:\r\n\r\n"), 200 },
	{ "IPv6 Host", BYTES(GET_ "Host: [::1]:80\r\n\r\n"), 200 },
	{ "empty value", BYTES(GET_ "Host: a\r\nX:\r\nY: \r\n\r\n"), 200 },
	{ "tabs round a value", BYTES(GET_ "Host:\ta\t\r\n\r\n"), 200 },
	{ "obs-text in a value", BYTES(GET_ "Host: a\r\nX: \xc3\xa9\r\n\r\n"), 200 },
	{ "raw + and / in the query", BYTES("GET /?m=a+b/c= HTTP/1.1\r\nHost: a\r\n\r\n"), 200 },
	{ "POST", BYTES(POST_ "Content-Length: 3\r\n\r\nabc"), 200 },
	{ "POST of nothing", BYTES(POST_ "Content-Length: 0\r\n\r\n"), 200 },
	{ "POST without length", BYTES(POST_ "\r\n"), 200 },
	{ "zeros before a length", BYTES(POST_ "Content-Length: 003\r\n\r\nabc"), 200 },
	{ "length of the limit", BYTES(POST_ "Content-Length: 2\r\n\r\nab"), 200 },
	{ "chunked", BYTES(CHUNKED "3\r\nabc\r\n0\r\n\r\n"), 200 },
	{ "chunked, upper case",
	    BYTES(POST_ "TRANSFER-ENCODING: CHUNKED\r\n\r\nA\r\n0123456789\r\n0\r\n\r\n"), 200 },
	{ "chunk extension", BYTES(CHUNKED "3;a=b\r\nabc\r\n0\r\n\r\n"), 200 },
	{ "chunks and zeros", BYTES(CHUNKED "01\r\na\r\n00002\r\nbc\r\n000\r\n\r\n"), 200 },
	{ "no chunk but the last", BYTES(CHUNKED "0\r\n\r\n"), 200 },
	{ "Expect", BYTES(POST_ "Expect: 100-Continue\r\nContent-Length: 1\r\n\r\nx"), 200 },
	{ "Upgrade is ignored",
	    BYTES(GET_ "Host: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: "
		       "h2c\r\nHTTP2-Settings: AA\r\n\r\n"),
	    200 },
	{ "OPTIONS *", BYTES("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"), 200 },
	{ "no Content-Type, no User-Agent",
	    BYTES("POST /scep HTTP/1.0\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx"), 200 },
	/* Lengths that two readers could read differently. */
	{ "two Content-Length", BYTES(POST_ "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc"),
	    400 },
	{ "two unlike Content-Length",
	    BYTES(POST_ "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"), 400 },
	{ "Content-Length list", BYTES(POST_ "Content-Length: 3, 3\r\n\r\nabc"), 400 },
	{ "Content-Length and chunked",
	    BYTES(POST_ "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 400 },
	{ "chunked and Content-Length",
	    BYTES(POST_ "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n"), 400 },
	{ "signed Content-Length", BYTES(POST_ "Content-Length: +3\r\n\r\nabc"), 400 },
	{ "negative Content-Length", BYTES(POST_ "Content-Length: -3\r\n\r\nabc"), 400 },
	{ "hex Content-Length", BYTES(POST_ "Content-Length: 0x3\r\n\r\nabc"), 400 },
	{ "Content-Length with a space inside", BYTES(POST_ "Content-Length: 1 2\r\n\r\nabc"),
	    400 },
	{ "empty Content-Length", BYTES(POST_ "Content-Length:\r\n\r\n"), 400 },
	{ "Content-Length past 64 bits",
	    BYTES(POST_ "Content-Length: 18446744073709551619\r\n\r\nabc"), 400 },
	{ "chunked twice",
	    BYTES(
		POST_ "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
	    400 },
	{ "chunked, chunked", BYTES(POST_ "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n"),
	    400 },
	{ "gzip, chunked", BYTES(POST_ "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"), 400 },
	{ "chunked, identity", BYTES(POST_ "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n"),
	    400 },
	{ "identity", BYTES(POST_ "Transfer-Encoding: identity\r\n\r\n"), 400 },
	{ "xchunked", BYTES(POST_ "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"), 400 },
	{ "quoted chunked", BYTES(POST_ "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n"), 400 },
	{ "chunked in HTTP/1.0",
	    BYTES("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 400 },
	/* Lines. */
	{ "bare LF after the request line", BYTES("GET / HTTP/1.1\nHost: a\r\n\r\n"), 400 },
	{ "bare LF after a header", BYTES(GET_ "Host: a\nX: y\r\n\r\n"), 400 },
	{ "bare LF ends the header", BYTES(GET_ "Host: a\r\n\n"), 400 },
	{ "bare CR in a value", BYTES(GET_ "Host: a\r\nX: y\rZ: q\r\n\r\n"), 400 },
	{ "CR CR LF", BYTES(GET_ "Host: a\r\r\n\r\n"), 400 },
	{ "obs-fold", BYTES(GET_ "Host: a\r\nX: y\r\n z\r\n\r\n"), 400 },
	{ "obs-fold by tab", BYTES(GET_ "Host: a\r\nX: y\r\n\tz\r\n\r\n"), 400 },
	{ "space before the first header", BYTES(GET_ " Host: a\r\n\r\n"), 400 },
	{ "space before the colon", BYTES(GET_ "Host : a\r\n\r\n"), 400 },
	{ "tab before the colon", BYTES(GET_ "Host\t: a\r\n\r\n"), 400 },
	{ "space in a name", BYTES(GET_ "Host: a\r\nX Y: z\r\n\r\n"), 400 },
	{ "no colon", BYTES(GET_ "Host: a\r\nXY\r\n\r\n"), 400 },
	{ "no name", BYTES(GET_ "Host: a\r\n: y\r\n\r\n"), 400 },
	{ "8-bit name", BYTES(GET_ "Host: a\r\nX\xc3\xa9: y\r\n\r\n"), 400 },
	{ "NUL in a value", BYTES(GET_ "Host: a\r\nX: y\0z\r\n\r\n"), 400 },
	{ "NUL in a name", BYTES(GET_ "Host: a\r\nX\0: z\r\n\r\n"), 400 },
	{ "NUL in the target", BYTES("GET /a\0b HTTP/1.1\r\nHost: a\r\n\r\n"), 400 },
	{ "DEL in a value", BYTES(GET_ "Host: a\r\nX: \x7f\r\n\r\n"), 400 },
	{ "escape in a value", BYTES(GET_ "Host: a\r\nX: \x1b[0m\r\n\r\n"), 400 },
	{ "two empty lines before", BYTES("\r\n\r\n" GET_ "Host: a\r\n\r\n"), 400 },
	/* Request line. */
	{ "TLS to a plain port", BYTES("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"), 400 },
	{ "lower-case method", BYTES("get / HTTP/1.1\r\nHost: a\r\n\r\n"), 501 },
	{ "unknown method", BYTES("BREW / HTTP/1.1\r\nHost: a\r\n\r\n"), 501 },
	{ "CONNECT", BYTES("CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n"), 501 },
	{ "long method", BYTES("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA / HTTP/1.1\r\n\r\n"), 400 },
	{ "two spaces", BYTES("GET  / HTTP/1.1\r\nHost: a\r\n\r\n"), 400 },
	{ "two spaces before the version", BYTES("GET /  HTTP/1.1\r\nHost: a\r\n\r\n"), 400 },
	{ "tab in the request line", BYTES("GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n"), 400 },
	{ "space in the target", BYTES("GET /a b HTTP/1.1\r\nHost: a\r\n\r\n"), 400 },
	{ "space after the version", BYTES("GET / HTTP/1.1 \r\nHost: a\r\n\r\n"), 400 },
	{ "HTTP/0.9", BYTES("GET /\r\n"), 400 },
	{ "HTTP/2", BYTES("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 505 },
	{ "HTTP/1.2", BYTES("GET / HTTP/1.2\r\nHost: a\r\n\r\n"), 505 },
	{ "http/1.1", BYTES("GET / http/1.1\r\nHost: a\r\n\r\n"), 400 },
	{ "HTTP/1.10", BYTES("GET / HTTP/1.10\r\nHost: a\r\n\r\n"), 400 },
	{ "no slash", BYTES("GET index HTTP/1.1\r\nHost: a\r\n\r\n"), 400 },
	{ "another scheme", BYTES("GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n"), 400 },
	{ "fragment", BYTES("GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n"), 400 },
	{ "dot segment", BYTES("GET /a/../b HTTP/1.1\r\nHost: a\r\n\r\n"), 400 },
	{ "escaped dot segment", BYTES("GET /a/%2e%2E/b HTTP/1.1\r\nHost: a\r\n\r\n"), 400 },
	{ "escaped NUL", BYTES("GET /a%00 HTTP/1.1\r\nHost: a\r\n\r\n"), 400 },
	{ "escaped CR LF", BYTES("GET /a%0d%0ab HTTP/1.1\r\nHost: a\r\n\r\n"), 400 },
	{ "bad escape", BYTES("GET /a%zz HTTP/1.1\r\nHost: a\r\n\r\n"), 400 },
	{ "cut escape", BYTES("GET /a%4 HTTP/1.1\r\nHost: a\r\n\r\n"), 400 },
	/* Host and Expect. */
	{ "no Host", BYTES(GET_ "\r\n"), 400 },
	{ "two Host", BYTES(GET_ "Host: a\r\nHost: a\r\n\r\n"), 400 },
	{ "Host with a path", BYTES(GET_ "Host: a/b\r\n\r\n"), 400 },
	{ "Host with a user", BYTES(GET_ "Host: u@a\r\n\r\n"), 400 },
	{ "Host list", BYTES(GET_ "Host: a, b\r\n\r\n"), 400 },
	{ "unknown expectation", BYTES(POST_ "Expect: wonders\r\nContent-Length: 1\r\n\r\nx"),
	    417 },
	/* Chunks. */
	{ "chunk size with 0x", BYTES(CHUNKED "0x3\r\nabc\r\n0\r\n\r\n"), 400 },
	{ "chunk size signed", BYTES(CHUNKED "+3\r\nabc\r\n0\r\n\r\n"), 400 },
	{ "chunk size after a space", BYTES(CHUNKED " 3\r\nabc\r\n0\r\n\r\n"), 400 },
	{ "chunk size and a space", BYTES(CHUNKED "3 \r\nabc\r\n0\r\n\r\n"), 400 },
	{ "no chunk size", BYTES(CHUNKED "\r\nabc\r\n0\r\n\r\n"), 400 },
	{ "chunk size past 64 bits", BYTES(CHUNKED "10000000000000003\r\nabc\r\n0\r\n\r\n"), 400 },
	{ "chunk size past 32 bits", BYTES(CHUNKED "000000003\r\nabc\r\n0\r\n\r\n"), 400 },
	{ "bare LF after a chunk size", BYTES(CHUNKED "3\nabc\r\n0\r\n\r\n"), 400 },
	{ "bare LF after a chunk", BYTES(CHUNKED "3\r\nabc\n0\r\n\r\n"), 400 },
	{ "bare LF in a chunk extension", BYTES(CHUNKED "3;a\nabc\r\n0\r\n\r\n"), 400 },
	{ "bare CR in a chunk extension", BYTES(CHUNKED "3;a\rb\r\nabc\r\n0\r\n\r\n"), 400 },
	{ "chunk longer than its size", BYTES(CHUNKED "3\r\nabcd\r\n0\r\n\r\n"), 400 },
	{ "bare LF after the last chunk", BYTES(CHUNKED "0\n\r\n"), 400 },
	{ "bare LF at the end", BYTES(CHUNKED "0\r\n\n"), 400 },
	{ "trailer", BYTES(CHUNKED "0\r\nX: y\r\n\r\n"), 400 },
	{ "framing trailer", BYTES(CHUNKED "0\r\nContent-Length: 5\r\n\r\n"), 400 },
	/* Limits. */
	{ "body past the limit", BYTES(POST_ "Content-Length: 101\r\n\r\n"), 413 },
	{ "huge body", BYTES(POST_ "Content-Length: 9999999999999\r\n\r\n"), 413 },
	{ "chunk past the limit",
	    BYTES(CHUNKED "64\r\n"
			  "0123456789012345678901234567890123456789012345678901234567890123456789"
			  "012345678901234567890123456789\r\n1\r\nx"),
	    413 },
};

static void
each_request_gets_the_verdict_it_deserves(void **state)
{
	struct verdict v;
	size_t i, wrong = 0;

	for (i = 0; i < sizeof table / sizeof table[0]; i++) {
		parse(&v, table[i].bytes, table[i].len);
		if (v.status == table[i].status)
			continue;
		print_error(
		    "%s: %d (%s), want %d\n", table[i].name, v.status, v.why, table[i].status);
		wrong++;
	}
	assert_int_equal(wrong, 0);
}

static void
the_verdict_does_not_depend_on_how_the_bytes_come(void **state)
{
	struct verdict whole, cut;
	size_t i, step;

	for (i = 0; i < sizeof table / sizeof table[0]; i++) {
		parse(&whole, table[i].bytes, table[i].len);
		for (step = 1; step < table[i].len; step++) {
			parse_in_steps(&cut, table[i].bytes, table[i].len, step);
			if (cut.status != whole.status || strcmp(cut.why, whole.why) != 0)
				print_error("%s in steps of %zu\n", table[i].name, step);
			assert_int_equal(cut.status, whole.status);
			assert_string_equal(cut.why, whole.why);
			assert_int_equal(cut.body_len, whole.body_len);
			assert_memory_equal(cut.body, whole.body, whole.body_len);
			assert_string_equal(cut.target, whole.target);
			assert_int_equal(cut.n_headers, whole.n_headers);
		}
	}
}

static void
a_prefix_is_never_taken_for_a_request(void **state)
{
	struct verdict v;
	size_t i, n;

	for (i = 0; i < sizeof table / sizeof table[0]; i++)
		for (n = 0; n < table[i].len; n++) {
			parse(&v, table[i].bytes, n);
			if (table[i].status == 200 && v.status != 0)
				print_error("%s: %zu bytes give %d\n", table[i].name, n, v.status);
			if (table[i].status == 200)
				assert_int_equal(v.status, 0);
			else
				assert_true(v.status == 0 || v.status == table[i].status);
		}
}

static void
no_flipped_bit_leads_outside(void **state)
{
	uint8_t *copy;
	struct verdict v;
	size_t i, bit;

	for (i = 0; i < sizeof table / sizeof table[0]; i++) {
		copy = malloc(table[i].len);
		assert_non_null(copy);
		for (bit = 0; bit < table[i].len * 8; bit++) {
			memcpy(copy, table[i].bytes, table[i].len);
			copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
			parse(&v, copy, table[i].len);
			assert_true(v.status == 0 || v.status == 200 ||
			    (v.status >= 400 && v.status <= 505));
		}
		free(copy);
	}
}

static void
a_request_is_read_right(void **state)
{
	struct verdict v;

	parse(&v,
	    BYTES("POST http://h/a%20b?x=%41&y HTTP/1.1\r\nHost: h\r\nA: b\r\nContent-Length: "
		  "3\r\n\r\nabcGET"));
	assert_int_equal(v.status, 200);
	assert_string_equal(v.method, "POST");
	assert_string_equal(v.target, "/a%20b?x=%41&y");
	assert_string_equal(v.path, "/a b");
	assert_string_equal(v.query, "x=%41&y");
	assert_int_equal(v.body_len, 3);
	assert_memory_equal(v.body, "abc", 3);
	assert_int_equal(v.n_headers, 3);
	assert_int_equal(v.len - v.used, 3); /* the next request stays */
	assert_true(v.keep_alive);
}

static void
what_follows_a_chunked_body_stays_for_the_next_request(void **state)
{
	static const char bytes[] = CHUNKED "1\r\na\r\n4;x\r\nbcde\r\n0\r\n\r\nGET /next";
	struct verdict v;
	size_t step;

	for (step = 1; step <= sizeof bytes - 1; step++) {
		parse_in_steps(&v, bytes, sizeof bytes - 1, step);
		assert_int_equal(v.status, 200);
		assert_int_equal(v.body_len, 5);
		assert_memory_equal(v.body, "abcde", 5);
		assert_true(v.len - v.used <= 9);
	}
	assert_int_equal(v.len - v.used, 9);
}

static void
header_values_are_trimmed_strings(void **state)
{
	char in[] = GET_ "Host:  a \t\r\nEmpty:\r\nLast: x y \r\n\r\n";
	size_t len = sizeof in - 1;
	struct http_parse p;
	struct http_request r;
	void *mem;

	http_parse_begin(&p, &limits);
	assert_int_equal(http_parse(&p, (uint8_t *)in, &len), HTTP_PARSE_DONE);
	assert_true(http_parse_request(&p, (uint8_t *)in, &r, &mem));
	assert_string_equal(http_header0(&r, "HOST"), "a");
	assert_string_equal(http_header0(&r, "empty"), "");
	assert_string_equal(http_header0(&r, "Last"), "x y");
	assert_null(http_header0(&r, "Las"));
	free(mem);
}

static void
keep_alive_follows_version_and_connection_header(void **state)
{
	static const struct {
		const char *bytes;
		bool keep;
	} rows[] = {
		{ "GET / HTTP/1.1\r\nHost: a\r\n\r\n", true },
		{ "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", false },
		{ "GET / HTTP/1.1\r\nHost: a\r\nConnection: TE, Close\r\n\r\n", false },
		{ "GET / HTTP/1.0\r\n\r\n", false },
		{ "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", true },
	};
	struct verdict v;
	size_t i;

	for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		parse(&v, rows[i].bytes, strlen(rows[i].bytes));
		assert_int_equal(v.status, 200);
		assert_int_equal(v.keep_alive, rows[i].keep);
	}
}

/*
 * "GET /aaa HTTP/1.1" with a target of n bytes, and a header block of m bytes after the first line.
 */
static char *
sized(size_t n, size_t m, size_t *len)
{
	char *s = malloc(n + m + 64), *p = s;

	assert_non_null(s);
	p += sprintf(p, "GET /");
	memset(p, 'a', n - 1);
	p += n - 1;
	p += sprintf(p, " HTTP/1.1\r\nHost: a\r\nX:");
	memset(p, 'v', m - 15); /* "Host: a\r\n" "X:" "\r\n" "\r\n" */
	p += m - 15;
	p += sprintf(p, "\r\n\r\n");
	*len = (size_t)(p - s);
	return s;
}

static int
status_of_sized(size_t n, size_t m)
{
	struct verdict whole, cut;
	size_t len;
	char *s = sized(n, m, &len);

	parse(&whole, s, len);
	parse_in_steps(&cut, s, len, 7);
	free(s);
	assert_int_equal(whole.status, cut.status);
	return whole.status;
}

static void
limits_are_met_to_the_byte(void **state)
{
	assert_int_equal(status_of_sized(200, 100), 200);
	assert_int_equal(status_of_sized(201, 100), 414);
	assert_int_equal(status_of_sized(10, 1000), 200);
	assert_int_equal(status_of_sized(10, 1001), 431);
	assert_int_equal(status_of_sized(201, 1001), 414);
}

static void
header_lines_are_counted(void **state)
{
	static const struct http_limits wide = { .url = 100, .header = 100000, .body = 0 };
	char in[16 * (HTTP_HEADERS_MAX + 2)];
	struct http_parse p;
	size_t len, extra;
	unsigned i;

	for (extra = 0; extra < 2; extra++) {
		len = (size_t)sprintf(in, "GET / HTTP/1.1\r\nHost: a\r\n");
		for (i = 1; i < HTTP_HEADERS_MAX + extra; i++)
			len += (size_t)sprintf(in + len, "X%u: y\r\n", i);
		len += (size_t)sprintf(in + len, "\r\n");
		http_parse_begin(&p, &wide);
		assert_int_equal(http_parse(&p, (uint8_t *)in, &len),
		    extra == 0 ? HTTP_PARSE_DONE : HTTP_PARSE_REFUSED);
		assert_int_equal(p.status, extra == 0 ? 0 : 431);
	}
}

static void
endless_input_is_refused_early(void **state)
{
	static const char *const starts[] = { "GET /",
		"GET / HTTP/1.1\r\nX: ", "GET / HTTP/1.1\r\n", CHUNKED "1;" };
	static const char *const more[] = { "a", "a", "a: b\r\n", "x" };
	struct http_parse p;
	char in[16384];
	size_t i, len, n;

	for (i = 0; i < 4; i++) {
		len = (size_t)sprintf(in, "%s", starts[i]);
		while (len + 16 < sizeof in)
			len += (size_t)sprintf(in + len, "%s", more[i]);
		http_parse_begin(&p, &limits);
		n = len;
		assert_int_equal(http_parse(&p, (uint8_t *)in, &n), HTTP_PARSE_REFUSED);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_request_gets_the_verdict_it_deserves),
		cmocka_unit_test(the_verdict_does_not_depend_on_how_the_bytes_come),
		cmocka_unit_test(a_prefix_is_never_taken_for_a_request),
		cmocka_unit_test(no_flipped_bit_leads_outside),
		cmocka_unit_test(a_request_is_read_right),
		cmocka_unit_test(what_follows_a_chunked_body_stays_for_the_next_request),
		cmocka_unit_test(header_values_are_trimmed_strings),
		cmocka_unit_test(keep_alive_follows_version_and_connection_header),
		cmocka_unit_test(limits_are_met_to_the_byte),
		cmocka_unit_test(header_lines_are_counted),
		cmocka_unit_test(endless_input_is_refused_early),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
