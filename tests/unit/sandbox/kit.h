/*
 * kit.h - a world to break out into, and children that try.
 *
 * An attempt runs in a child of its own, as another user when the test is root's, and says how it
 * ended: 0 when it got what it was after, an errno, or KILLED.
 */
#ifndef SCEPD_TESTS_SANDBOX_KIT_H
#define SCEPD_TESTS_SANDBOX_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#undef fail

#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "sandbox/sandbox_int.h"

#define SECRET      "kept in a sibling's memory"
#define KEY_CONTENT "a private key of the same user"

/* What a child tries its luck on. */
struct world {
	char dir[64];
	char state[96];    /* on the list: read, write, make */
	char outside[96];  /* not on it; of the same user, with `key` 0600 and `file` 0644 */
	char readable[96]; /* on the list: read */
	int outside_fd;    /* of the folder, opened before */
	pid_t sibling;     /* of the same user, dumpable, with SECRET at sibling_secret */
	int sibling_stop;
	struct sockaddr_in tcp; /* somebody listens */
	int tcp_fd, unix_fd, abstract_fd;
	char unix_path[108], abstract[32];
};
extern struct world world;
extern char sibling_secret[64];

/* Makes it for the user that children become.  Once a test: attempts change it. */
int world_make(void **state);
int world_end(void **state);
/* "outside/key" ..., in a buffer of its own for four calls. */
const char *in_world(const char *folder, const char *name);

/* How a child is dressed. */
enum dress {
	AS_USER, /* the user alone: what the sandbox is compared with */
	AS_FRONT,
	AS_SIGNER,
	AS_SIGNER_NETWORK, /* .network */
	AS_SIGNER_MODULE,  /* a path with SANDBOX_EXEC */
	AS_SIGNER_DAEMON,  /* a path with SANDBOX_CONNECT */
	AS_SUPERVISOR,
	AS_FRONT_OF_OLD, /* with no more of Landlock than Debian 12's kernel has */
	AS_SIGNER_OF_OLD,
};
#define KILLED  1000 /* by SIGSYS */
#define BROKEN  1001 /* the child did not come as far as the attempt */
#define CRASHED 1002 /* the machine does not have what was tried */

typedef int attempt(void);
/* Run it in a child and say how it ended. */
int attempt_as(enum dress d, attempt *fn);
/* As attempt_as(), with the end of main() instead of _exit(), for what sanitizers do there. */
int attempt_and_return(enum dress d, attempt *fn);
/* Put it on, in this process. */
enum rc put_on(enum dress d, struct err *err);
/* A child that is dressed and then waits for its end, which is this process's at the latest. */
pid_t waiting_child(enum dress d, int *stop);
void end_child(pid_t pid, int stop);

/* What -1 and errno, or anything else, mean as an attempt's result. */
int result(long r);

#endif
