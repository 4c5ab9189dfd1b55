/*
 * control_test.c - messages between the processes: what arrives is what was sent, and nothing else is
 * taken, whoever sends it.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#undef fail /* cmocka's; ours is base/err.h's */

#include "scepd/control.h"

struct ends {
	int fds[2];
	struct control_msg in, out;
	struct err err;
};

static int
enter(void **state)
{
	struct ends *e = calloc(1, sizeof(*e));

	assert_non_null(e);
	assert_int_equal(control_pair(e->fds, &e->err), RC_OK);
	*state = e;
	return 0;
}

static int
leave(void **state)
{
	struct ends *e = *state;

	(void)close(e->fds[0]);
	(void)close(e->fds[1]);
	free(e);
	return 0;
}

static size_t
open_files(void)
{
	size_t n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void
text_number_and_descriptors_arrive(void **state)
{
	struct ends *e = *state;
	size_t before = open_files();
	char byte = 0;

	e->out.kind = CONTROL_CHANNELS;
	e->out.number = -5;
	e->out.n_fds = CONTROL_FDS_MAX;
	for (size_t i = 0; i < CONTROL_FDS_MAX; i++)
		e->out.fds[i] = e->fds[0];
	assert_int_equal(control_send(e->fds[0], &e->out, &e->err), RC_OK);
	assert_int_equal(
	    control_recv(e->fds[1], CONTROL_FROM_SUPERVISOR, &e->in, 1000, &e->err), RC_OK);
	assert_int_equal(e->in.kind, CONTROL_CHANNELS);
	assert_int_equal(e->in.number, -5);
	assert_int_equal(e->in.n_fds, CONTROL_FDS_MAX);
	assert_int_equal(fcntl(e->in.fds[7], F_GETFD), FD_CLOEXEC);
	/* It is the same socket: what is written to it comes out at our end. */
	assert_int_equal(send(e->in.fds[7], "x", 1, 0), 1);
	assert_int_equal(recv(e->fds[1], &byte, 1, 0), 1);
	assert_int_equal(byte, 'x');
	control_drop(&e->in);
	assert_int_equal(open_files(), before);
	assert_int_equal(control_say(e->fds[0], CONTROL_SECRET, 3, "pass word", 9, &e->err), RC_OK);
	assert_int_equal(
	    control_recv(e->fds[1], CONTROL_FROM_SUPERVISOR, &e->in, 1000, &e->err), RC_OK);
	assert_int_equal(e->in.len, 9);
	assert_string_equal(e->in.text, "pass word");
	control_drop(&e->in);
	assert_int_equal(e->in.text[0], '\0'); /* wiped */
}

static void
silence_and_the_end_are_told_apart(void **state)
{
	struct ends *e = *state;

	assert_int_equal(
	    control_recv(e->fds[1], CONTROL_FROM_CHILD, &e->in, 0, &e->err), RC_TIMEOUT);
	(void)close(e->fds[0]);
	assert_int_equal(
	    control_recv(e->fds[1], CONTROL_FROM_CHILD, &e->in, 1000, &e->err), RC_NOTFOUND);
	assert_int_not_equal(
	    control_say(e->fds[1], CONTROL_PING, 0, NULL, 0, &e->err), RC_OK); /* and no SIGPIPE */
	e->fds[0] = dup(e->fds[1]);
}

static void
each_side_says_what_is_its_own(void **state)
{
	static const struct {
		enum control_kind kind;
		enum control_side from;
	} rows[] = {
		{ CONTROL_CHANNELS, CONTROL_FROM_SUPERVISOR },
		{ CONTROL_SECRET, CONTROL_FROM_SUPERVISOR },
		{ CONTROL_RELOAD, CONTROL_FROM_SUPERVISOR },
		{ CONTROL_STOP, CONTROL_FROM_SUPERVISOR },
		{ CONTROL_PING, CONTROL_FROM_SUPERVISOR },
		{ CONTROL_OPENED, CONTROL_FROM_SUPERVISOR },
		{ CONTROL_PONG, CONTROL_FROM_CHILD },
		{ CONTROL_READY, CONTROL_FROM_CHILD },
		{ CONTROL_OPEN, CONTROL_FROM_CHILD },
		{ CONTROL_WANTED, CONTROL_FROM_CHILD },
	};
	struct ends *e = *state;

	assert_int_equal(sizeof(rows) / sizeof(rows[0]), CONTROL__MAX - 1);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		enum control_side other = rows[i].from == CONTROL_FROM_CHILD
		    ? CONTROL_FROM_SUPERVISOR
		    : CONTROL_FROM_CHILD;

		for (int k = 0; k < 2; k++)
			assert_int_equal(
			    control_say(e->fds[0], rows[i].kind, 0, NULL, 0, &e->err), RC_OK);
		assert_int_equal(
		    control_recv(e->fds[1], rows[i].from, &e->in, 1000, &e->err), RC_OK);
		assert_int_equal(control_recv(e->fds[1], other, &e->in, 1000, &e->err), RC_PARSE);
	}
}

static void
text_where_none_belongs_is_refused(void **state)
{
	struct ends *e = *state;
	size_t before = open_files();

	assert_int_equal(control_say(e->fds[0], CONTROL_PONG, 0, "x", 1, &e->err), RC_OK);
	assert_int_equal(
	    control_recv(e->fds[1], CONTROL_FROM_CHILD, &e->in, 1000, &e->err), RC_PARSE);
	/* A path longer than the system knows. */
	e->out.kind = CONTROL_OPEN;
	e->out.len = 4097;
	memset(e->out.text, 'a', e->out.len);
	assert_int_equal(control_send(e->fds[0], &e->out, &e->err), RC_OK);
	assert_int_equal(
	    control_recv(e->fds[1], CONTROL_FROM_CHILD, &e->in, 1000, &e->err), RC_PARSE);
	/* Descriptors that nobody wants are closed. */
	e->out = (struct control_msg){ .kind = CONTROL_READY, .n_fds = 2, .fds = { 0, 1 } };
	assert_int_equal(control_send(e->fds[0], &e->out, &e->err), RC_OK);
	assert_int_equal(
	    control_recv(e->fds[1], CONTROL_FROM_CHILD, &e->in, 1000, &e->err), RC_PARSE);
	assert_int_equal(open_files(), before);
}

/* A packet as it is on the wire, to be damaged. */
static size_t
capture(struct ends *e, uint8_t *packet, size_t room)
{
	ssize_t n;

	assert_int_equal(
	    control_say(e->fds[0], CONTROL_READY, 7, "http 127.0.0.1:80\n", 18, &e->err), RC_OK);
	n = recv(e->fds[1], packet, room, 0);
	assert_true(n > 18);
	return (size_t)n;
}

static enum rc
offer(struct ends *e, const uint8_t *packet, size_t len)
{
	enum rc rc;

	assert_int_equal(send(e->fds[0], packet, len, 0), (ssize_t)len);
	rc = control_recv(e->fds[1], CONTROL_FROM_CHILD, &e->in, 1000, &e->err);
	control_drop(&e->in);
	return rc;
}

static void
every_prefix_is_refused(void **state)
{
	struct ends *e = *state;
	uint8_t packet[256];
	size_t len = capture(e, packet, sizeof(packet));

	for (size_t n = 1; n < len; n++)
		assert_int_equal(offer(e, packet, n), RC_PARSE);
	assert_int_equal(offer(e, packet, len), RC_OK);
	packet[len] = 'x';
	assert_int_equal(offer(e, packet, len + 1), RC_PARSE);
}

/* In number and text any bit may be; in the head none. */
static void
every_flipped_bit_is_refused_or_is_content(void **state)
{
	struct ends *e = *state;
	uint8_t packet[256];
	size_t len = capture(e, packet, sizeof(packet));

	for (size_t bit = 0; bit < 8 * len; bit++) {
		size_t at = bit / 8;
		bool content = (at >= 8 && at < 16) || at >= 24;
		enum rc rc;

		packet[at] ^= (uint8_t)(1u << bit % 8);
		rc = offer(e, packet, len);
		packet[at] ^= (uint8_t)(1u << bit % 8);
		/* READY becomes another kind of the same side, which then has text of no use to it. */
		if (rc == RC_OK && !content)
			assert_int_equal(e->in.kind, CONTROL_OPEN);
		assert_int_equal(rc, content || rc == RC_OK ? RC_OK : RC_PARSE);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(text_number_and_descriptors_arrive, enter, leave),
		cmocka_unit_test_setup_teardown(silence_and_the_end_are_told_apart, enter, leave),
		cmocka_unit_test_setup_teardown(each_side_says_what_is_its_own, enter, leave),
		cmocka_unit_test_setup_teardown(text_where_none_belongs_is_refused, enter, leave),
		cmocka_unit_test_setup_teardown(every_prefix_is_refused, enter, leave),
		cmocka_unit_test_setup_teardown(
		    every_flipped_bit_is_refused_or_is_content, enter, leave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
