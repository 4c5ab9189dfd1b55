/*
 * net.h - the other side of a socket, for tests: connect, send bytes, read replies, all with a time
 * limit.
 */
#ifndef SCEPD_TESTS_HTTP_NET_H
#define SCEPD_TESTS_HTTP_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct reply {
	int status;
	size_t body_len;
	bool close; /* "Connection: close" */
	char head[4096];
	char body[8192]; /* as much as fits */
};

int dial(uint16_t port);
/* A listening socket on a free port of the loopback. */
int listen_free(uint16_t *port);
void send_bytes(int fd, const void *p, size_t len); /* a peer that closes is no failure */
void send_text(int fd, const char *s);
/* Read one reply; status 0: the peer closed before one was complete.  `bodyless`: to HEAD. */
void read_reply(int fd, struct reply *r, bool bodyless);
/* True when the peer has closed and nothing came before. */
bool at_end(int fd);
/* Read until the peer closes or the room is full; NUL-terminated. */
size_t read_all(int fd, char *out, size_t room);
/*
 * Read up to and including an empty line, and the body that Content-Length tells; NUL-terminated
 * head. False: closed before.
 */
bool read_message(int fd, char *head, size_t room, char *body, size_t body_room, size_t *body_len);
void nap_ms(int ms);
int64_t now_ms(void);

/* A folder with cert.pem and key.pem for 127.0.0.1, self-signed. */
struct cert_dir {
	char dir[64], cert[80], key[80];
};
void cert_dir_make(struct cert_dir *d);
void cert_dir_remove(struct cert_dir *d);

#endif
