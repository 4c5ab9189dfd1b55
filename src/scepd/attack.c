/*
 * attack.c - see attack.h.  The whole file is empty in every build but that of the test.
 *
 * One line each way.  The test is told where the arena lies, and does its own arithmetic of pointers:
 *
 *	w OFFSET HEX           write into the arena          "0"
 *	r OFFSET LENGTH        read from it                  HEX
 *	s NUMBER A B C D E F   a system call                 its result, negative errno included
 */
#ifdef SCEPD_ATTACK_HOOK

#include "scepd/attack.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"

#define ARENA     (1 << 20)         /* bytes: messages to the signer, paths, structures */
#define ORDER_MAX (2 * ARENA + 100) /* all of it in one line */

static uint8_t arena[ARENA];
static char line[ORDER_MAX], answer[ORDER_MAX];

static void
do_write(const char *args)
{
	unsigned long at;
	int used = 0;
	const char *hex;
	size_t n;

	if (sscanf(args, "%lu %n", &at, &used) < 1)
		return;
	hex = args + used;
	n = strlen(hex) / 2;
	for (size_t i = 0; i < n && at + i < ARENA; i++) {
		unsigned byte;

		if (sscanf(hex + 2 * i, "%2x", &byte) == 1)
			arena[at + i] = (uint8_t)byte;
	}
	(void)snprintf(answer, sizeof(answer), "0\n");
}

static void
do_read(const char *args)
{
	static const char digits[] = "0123456789abcdef";
	unsigned long at, n;
	char *out = answer;

	if (sscanf(args, "%lu %lu", &at, &n) != 2 || at > ARENA || n > ARENA - at)
		return;
	for (size_t i = 0; i < n; i++) {
		*out++ = digits[arena[at + i] >> 4];
		*out++ = digits[arena[at + i] & 15];
	}
	*out++ = '\n';
	*out = '\0';
}

static void
do_call(const char *args)
{
	long nr, a[6], result;

	if (sscanf(args, "%ld %ld %ld %ld %ld %ld %ld", &nr, &a[0], &a[1], &a[2], &a[3], &a[4],
		&a[5]) != 7)
		return;
	result = syscall(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
	(void)snprintf(answer, sizeof(answer), "%ld\n", result == -1 ? -(long)errno : result);
}

static const struct {
	char what;
	void (*act)(const char *args);
} orders[] = { { 'w', do_write }, { 'r', do_read }, { 's', do_call } };

static void
obey(FILE *in, int fd)
{
	(void)dprintf(fd, "%lu %d\n", (unsigned long)(uintptr_t)arena, ARENA);
	while (fgets(line, sizeof(line), in) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		(void)strcpy(answer, "?\n");
		for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++)
			if (orders[i].what == line[0])
				orders[i].act(line + 1);
		for (size_t done = 0, len = strlen(answer); done < len;) {
			ssize_t n = write(fd, answer + done, len - done);

			if (n <= 0)
				return;
			done += (size_t)n;
		}
	}
}

static void
visit(uint16_t port)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	FILE *in;

	if (fd < 0)
		return;
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0 &&
	    (in = fdopen(fd, "r")) != NULL) {
		obey(in, fd);
		(void)fclose(in);
	} else {
		(void)close(fd);
	}
}

static void *
attack_main(void *arg)
{
	const struct timespec pause = { .tv_nsec = 100 * 1000000L };

	for (;;) {
		visit((uint16_t)(uintptr_t)arg);
		(void)nanosleep(&pause, NULL);
	}
	return NULL;
}

void
attack_begin(void)
{
	const char *port = getenv("SCEPD_ATTACK");
	pthread_t thread;

	log_msg(LOG_ERROR, "attack",
	    "this build is for tests alone: it lets an attacker run code in the front");
	if (port == NULL)
		return;
	if (pthread_create(
		&thread, NULL, attack_main, (void *)(uintptr_t)strtoul(port, NULL, 10)) == 0)
		(void)pthread_detach(thread);
}

#endif
