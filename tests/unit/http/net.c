/*
 * net.c - see net.h.
 */
#include "unit.h"

#include "net.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define LIMIT_S                                                                                    \
	120 /* nothing in these tests takes as long unless it hangs, however busy the machine */

static void
limit_time(int fd)
{
	struct timeval t = { .tv_sec = LIMIT_S };

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof t);
}

int
dial(uint16_t port)
{
	struct sockaddr_in sa = { .sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	limit_time(fd);
	assert_int_equal(connect(fd, (struct sockaddr *)&sa, sizeof sa), 0);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	return fd;
}

int
listen_free(uint16_t *port)
{
	struct sockaddr_in sa = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof sa;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	limit_time(fd);
	assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof sa), 0);
	assert_int_equal(listen(fd, 64), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
	*port = ntohs(sa.sin_port);
	return fd;
}

void
send_bytes(int fd, const void *p, size_t len)
{
	ssize_t n;

	for (; len > 0; len -= (size_t)n, p = (const char *)p + n) {
		n = send(fd, p, len, MSG_NOSIGNAL);
		if (n <= 0)
			return;
	}
}

void
send_text(int fd, const char *s)
{
	send_bytes(fd, s, strlen(s));
}

static long
content_length(const char *head)
{
	const char *p = strcasestr(head, "\r\nContent-Length:");

	return p != NULL ? strtol(p + 17, NULL, 10) : 0;
}

static bool
read_exactly(int fd, char *out, size_t room, size_t len)
{
	char trash[65536];
	size_t want;
	ssize_t n;

	while (len > 0) {
		want = room > 0 ? room : sizeof trash;
		n = recv(fd, room > 0 ? out : trash, want < len ? want : len, 0);
		if (n <= 0)
			return false;
		len -= (size_t)n;
		if (room > 0) {
			out += n;
			room -= (size_t)n;
		}
	}
	return true;
}

static bool
read_head(int fd, char *head, size_t room)
{
	size_t n = 0;

	head[0] = '\0';
	while (strstr(head, "\r\n\r\n") == NULL) {
		assert_true(n + 1 < room);
		if (recv(fd, head + n, 1, 0) != 1)
			return false;
		head[++n] = '\0';
	}
	return true;
}

bool
read_message(int fd, char *head, size_t room, char *body, size_t body_room, size_t *body_len)
{
	if (!read_head(fd, head, room))
		return false;
	*body_len = (size_t)content_length(head);
	return read_exactly(fd, body, body_room, *body_len);
}

void
read_reply(int fd, struct reply *r, bool bodyless)
{
	memset(r, 0, sizeof *r);
	if (!read_head(fd, r->head, sizeof r->head))
		return;
	r->close = strcasestr(r->head, "\r\nConnection: close\r\n") != NULL;
	r->body_len = (size_t)content_length(r->head);
	if (!bodyless && !read_exactly(fd, r->body, sizeof r->body - 1, r->body_len))
		return;
	assert_memory_equal(r->head, "HTTP/1.1 ", 9);
	r->status = atoi(r->head + 9);
}

bool
at_end(int fd)
{
	char c;

	return recv(fd, &c, 1, 0) == 0;
}

size_t
read_all(int fd, char *out, size_t room)
{
	size_t n = 0;
	ssize_t got;

	while (n + 1 < room && (got = recv(fd, out + n, room - n - 1, 0)) > 0)
		n += (size_t)got;
	out[n] = '\0';
	return n;
}

void
nap_ms(int ms)
{
	struct timespec t = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L };

	nanosleep(&t, NULL);
}

int64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void
cert_dir_make(struct cert_dir *d)
{
	char cmd[600];

	strcpy(d->dir, "/tmp/scepd-http-XXXXXX");
	assert_non_null(mkdtemp(d->dir));
	snprintf(d->cert, sizeof d->cert, "%s/cert.pem", d->dir);
	snprintf(d->key, sizeof d->key, "%s/key.pem", d->dir);
	snprintf(cmd, sizeof cmd,
	    "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout %s -out "
	    "%s -days 2 -subj /CN=test "
	    "-addext subjectAltName=IP:127.0.0.1 2>%s/log",
	    d->key, d->cert, d->dir);
	assert_int_equal(system(cmd), 0);
}

void
cert_dir_remove(struct cert_dir *d)
{
	char log[80];

	snprintf(log, sizeof log, "%s/log", d->dir);
	unlink(log);
	unlink(d->cert);
	unlink(d->key);
	rmdir(d->dir);
}
