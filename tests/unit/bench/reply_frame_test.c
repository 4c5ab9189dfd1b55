/* reply_frame_test.c - where a reply ends. */
#include "../ossl/fixture.h"

#include <string.h>

#include "bench/reply_frame.h"

#define OK_LINE "HTTP/1.1 200 OK\r\n"

/* RC_OK only when it is whole. */
static enum rc
door(const void *p, size_t len)
{
	struct reply_frame f;
	bool whole;
	enum rc rc = reply_frame_scan(&f, &whole, p, len, NULL);

	if (rc != RC_OK)
		return rc;
	if (!whole)
		return RC_IO;
	struct buf body;

	buf_init(&body, 1 << 20);
	reply_frame_body(&body, &f, p, len);
	buf_done(&body);
	return RC_OK;
}

static void
a_body_ends_where_its_length_or_last_chunk_says(void **state)
{
	static const struct {
		const char *text, *body;
		int status;
		bool close;
	} rows[] = {
		{ OK_LINE "Content-Length: 5\r\n\r\nhello", "hello", 200, false },
		{ OK_LINE "content-length:5\r\nConnection: close\r\n\r\nhello", "hello", 200,
		    true },
		{ "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", "", 200, true },
		{ "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 2\r\n\r\nno", "no", 503,
		    false },
		{ OK_LINE "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;x=y\r\n world\r\n0\r\n"
			  "\r\n",
		    "hello world", 200, false },
		{ OK_LINE "Transfer-Encoding: Chunked\r\n\r\nA\r\n0123456789\r\n0\r\n\r\n",
		    "0123456789", 200, false },
	};

	for (size_t i = 0; i < N(rows); i++) {
		const uint8_t *p = (const uint8_t *)rows[i].text;
		struct reply_frame f;
		struct buf body;
		struct err err;
		bool whole;

		assert_ok(reply_frame_scan(&f, &whole, p, strlen(rows[i].text), &err), err);
		assert_true(whole);
		assert_int_equal(f.status, rows[i].status);
		assert_int_equal(f.close, rows[i].close);
		buf_init(&body, 1000);
		reply_frame_body(&body, &f, p, strlen(rows[i].text));
		assert_string_equal(buf_str(&body), rows[i].body);
		buf_done(&body);
	}
}

static void
what_has_no_clear_end_is_refused(void **state)
{
	static const char *const rows[] = {
		"HTTP/2 200\r\n\r\n",
		"ICY 200 OK\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 99 x\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 2x0 x\r\nContent-Length: 0\r\n\r\n",
		"\r\n\r\n",
		OK_LINE "\r\n",
		OK_LINE "Content-Length: -1\r\n\r\n",
		OK_LINE "Content-Length: 1x\r\n\r\n",
		OK_LINE "Content-Length: 99999999999999999999\r\n\r\n",
		OK_LINE "Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
		OK_LINE "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
		OK_LINE "Transfer-Encoding: gzip\r\n\r\n",
		OK_LINE "Transfer-Encoding: chunked\r\n\r\nxyz\r\n",
		OK_LINE "Transfer-Encoding: chunked\r\n\r\n-1\r\n",
		OK_LINE "Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFF\r\n",
		OK_LINE "Transfer-Encoding: chunked\r\n\r\n7FFFFFF\r\n",
	};

	for (size_t i = 0; i < N(rows); i++) {
		struct reply_frame f;
		bool whole;

		if (reply_frame_scan(&f, &whole, (const uint8_t *)rows[i], strlen(rows[i]), NULL) ==
		    RC_OK)
			fail_msg("taken: %s", rows[i]);
	}
}

static void
no_prefix_is_whole_and_no_bit_flip_is_fatal(void **state)
{
	static const char sized[] = OK_LINE "Server: x\r\nContent-Length: 5\r\n\r\nhello";
	static const char chunked[] =
	    OK_LINE "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n";

	sweep_prefixes(door, sized, sizeof(sized) - 1, 1);
	sweep_prefixes(door, chunked, sizeof(chunked) - 1, 1);
	assert_true(sweep_flips(door, sized, sizeof(sized) - 1, 1) > 0);
	assert_true(sweep_flips(door, chunked, sizeof(chunked) - 1, 1) > 0);
}

static void
an_endless_header_is_refused(void **state)
{
	struct reply_frame f;
	struct buf b;
	bool whole;

	buf_init(&b, 1 << 20);
	buf_adds(&b, OK_LINE);
	while (b.len < 20000)
		buf_adds(&b, "X-Filler: x\r\n");
	assert_int_equal(reply_frame_scan(&f, &whole, b.data, b.len, NULL), RC_LIMIT);
	buf_done(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_body_ends_where_its_length_or_last_chunk_says),
		cmocka_unit_test(what_has_no_clear_end_is_refused),
		cmocka_unit_test(no_prefix_is_whole_and_no_bit_flip_is_fatal),
		cmocka_unit_test(an_endless_header_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, fixture_done);
}
