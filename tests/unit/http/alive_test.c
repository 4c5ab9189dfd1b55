/*
 * alive_test.c - http_server_stalled_ms(): a loop that goes round is alive, idle or not, and one that does not is found.
 */
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "unit.h"

#include "base/clock.h"
#include "net.h"
#include "rig.h"

static atomic_bool held, release;

/* Called on the I/O thread, where nobody may block: this one does. */
static void
hold_the_loop(void *ctx, const char *peer, int status, const char *why, uint64_t unsaid)
{
	atomic_store(&held, true);
	while (!atomic_load(&release))
		usleep(1000);
}

/* It is rung, and has a minute to come round: a busy machine takes its time. */
static bool
comes_round(struct http_server *s)
{
	int64_t until = clock_mono_ms() + 60000;

	do {
		if (http_server_stalled_ms(s) == 0)
			return true;
		usleep(10000);
	} while (clock_mono_ms() < until);
	return false;
}

static void
an_idle_loop_is_alive(void **state)
{
	struct rig rig = { 0 };

	rig_start(&rig, &(struct http_server_conf){ .io_threads = 2 });
	for (int i = 0; i < 5; i++) {
		(void)http_server_stalled_ms(rig.server);
		assert_true(comes_round(rig.server));
	}
	rig_stop(&rig);
}

static void
a_loop_that_stands_still_is_found(void **state)
{
	const struct http_server_conf conf = { .handler = rig_handle, .on_refused = hold_the_loop };
	struct http_server *s;
	int64_t most = 0, until;
	struct err err;
	uint16_t port;
	int fd;

	assert_int_equal(http_server_new(&s, &conf, &err), RC_OK);
	assert_int_equal(http_listen(s, "127.0.0.1:0", NULL, NULL, &port, &err), RC_OK);
	assert_int_equal(http_server_start(s, &err), RC_OK);
	fd = dial(port);
	send_text(fd, "no request at all\r\n\r\n");
	until = clock_mono_ms() + 60000;
	while (!atomic_load(&held) && clock_mono_ms() < until)
		usleep(1000);
	assert_true(atomic_load(&held));
	until = clock_mono_ms() + 60000;
	while (most < 500 && clock_mono_ms() < until) {
		most = http_server_stalled_ms(s);
		usleep(10000);
	}
	assert_true(most >= 500);
	atomic_store(&release, true);
	for (int i = 0; i < 2; i++)
		assert_true(comes_round(s));
	close(fd);
	http_server_free(s);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_idle_loop_is_alive),
		cmocka_unit_test(a_loop_that_stands_still_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
