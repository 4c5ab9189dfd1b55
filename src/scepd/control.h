/*
 * control.h - what the supervisor and its two processes say to each other.
 *
 * A message is one packet on a SOCK_SEQPACKET pair: a fixed head, up to CONTROL_TEXT_MAX bytes, and
 * descriptors beside it.  Each kind has a row that says who may send it and how large it is; anything
 * else is RC_PARSE, also from a process that somebody has taken over.  control_recv() is the door.
 *
 * Threads: one reader and one writer at a time on a descriptor.
 */
#ifndef SCEPD_SCEPD_CONTROL_H
#define SCEPD_SCEPD_CONTROL_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define CONTROL_TEXT_MAX 16384 /* a path, a secret, the addresses that were bound */
#define CONTROL_FDS_MAX  64    /* channels: no more than there are signatures at a time */

enum control_kind {
	CONTROL_CHANNELS = 1, /* to both: descriptors of new channels; number: enum control_news */
	CONTROL_SECRET,       /* to the signer: what was typed; number: which */
	CONTROL_RELOAD,       /* to the front: files may have been renewed */
	CONTROL_STOP,         /* to both: finish and end */
	CONTROL_PING,         /* to both */
	CONTROL_OPENED,       /* to the front: a descriptor, or an errno as number */
	CONTROL_PONG,   /* from both; number: ms that what has stood still longest has not moved */
	CONTROL_READY,  /* from both: serving; text: the front's addresses */
	CONTROL_OPEN,   /* from the front; text: path of a file that it wants to read */
	CONTROL_WANTED, /* from the front; number: channels that the signer has closed */
	CONTROL__MAX
};
/* Bits of what else the front learns from CONTROL_CHANNELS. */
enum control_news {
	CONTROL_STATE_IS_NEW = 1, /* the signer's folder was empty */
	CONTROL_IN_PLACE = 2      /* the signer is the same: these are in place of what it closed */
};
enum control_side { CONTROL_FROM_SUPERVISOR, CONTROL_FROM_CHILD };

struct control_msg {
	enum control_kind kind;
	int64_t number;
	size_t len;
	char text[CONTROL_TEXT_MAX + 1]; /* a NUL behind `len` */
	size_t n_fds;
	int fds[CONTROL_FDS_MAX];
};

/* Two connected ends, closed on exec. */
enum rc control_pair(int fds[static 2], struct err *err) MUST_CHECK;
/* Descriptors stay the caller's.  Waits up to CONTROL_WAIT_MS for a peer that does not read. */
#define CONTROL_WAIT_MS 10000
enum rc control_send(int fd, const struct control_msg *m, struct err *err) MUST_CHECK;
/*
 * The next message from that side; its descriptors are the caller's (control_drop()).  timeout_ms -1:
 * as long as it takes.  RC_TIMEOUT; RC_NOTFOUND when the other side is gone; RC_PARSE, then nothing is
 * left open.
 */
enum rc control_recv(int fd, enum control_side from, struct control_msg *m, int timeout_ms,
    struct err *err) MUST_CHECK;
/* Close its descriptors and wipe its text. */
void control_drop(struct control_msg *m);
/* A message of this kind with this text and nothing else. */
enum rc control_say(int fd, enum control_kind kind, int64_t number, const void *text, size_t len,
    struct err *err) MUST_CHECK;

#endif
