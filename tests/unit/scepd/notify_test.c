/*
 * notify_test.c - what a service manager hears, and that it may be anything but one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#undef fail /* cmocka's; ours is base/err.h's */

#include "base/log.h"
#include "scepd/notify.h"

#define LONG                                                                                       \
	"/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" \
	"aaaaaaaaaaaaaaaaaaaa"

/* A manager that listens at that name, as $NOTIFY_SOCKET has it. */
static int
listens(const char *name)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	size_t n = strlen(name);

	assert_true(fd >= 0 && n < sizeof(at.sun_path));
	memcpy(at.sun_path, name, n);
	if (name[0] == '@')
		at.sun_path[0] = '\0';
	assert_int_equal(bind(fd, (struct sockaddr *)&at,
			     (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n)),
	    0);
	setenv("NOTIFY_SOCKET", name, 1);
	return fd;
}

static void
hears(int manager, const char *text)
{
	char got[256];
	ssize_t n = recv(manager, got, sizeof(got) - 1, MSG_DONTWAIT);

	assert_true(n >= 0);
	got[n] = '\0';
	assert_string_equal(got, text);
}

static void
serves(const char *name)
{
	int manager = listens(name), fd = notify_open();

	assert_true(fd >= 0);
	assert_null(getenv("NOTIFY_SOCKET"));
	assert_int_equal(notify_open(), -1);
	notify_serving(fd);
	hears(manager, "READY=1\nSTATUS=Serving");
	notify_stopping(fd, 630000);
	hears(manager,
	    "STOPPING=1\nSTATUS=Finishing what is in flight\nEXTEND_TIMEOUT_USEC=630000000");
	(void)close(manager);
	notify_serving(fd); /* to nobody: no signal, no end */
	(void)close(fd);
}

static void
a_manager_hears_when_it_serves_and_when_it_ends(void **state)
{
	char dir[] = "/tmp/scepd-notify.XXXXXX", name[64];

	assert_non_null(mkdtemp(dir));
	(void)snprintf(name, sizeof(name), "%s/notify", dir);
	serves(name);
	(void)unlink(name);
	(void)rmdir(dir);
	(void)snprintf(name, sizeof(name), "@scepd-notify-test/%ld", (long)getpid());
	serves(name);
}

static void
without_a_manager_nothing_is_said(void **state)
{
	static const char *const names[] = { "", "/", "@", "relative/notify", "vsock:2:1234",
		"/nowhere/notify", "/dev/null", LONG };

	unsetenv("NOTIFY_SOCKET");
	assert_int_equal(notify_open(), -1);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		setenv("NOTIFY_SOCKET", names[i], 1);
		assert_int_equal(notify_open(), -1);
	}
	notify_serving(-1);
	notify_stopping(-1, 1);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_manager_hears_when_it_serves_and_when_it_ends),
		cmocka_unit_test(without_a_manager_nothing_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
