/*
 * signer_remote.h - the two ends of the wire between the process that needs signatures and the
 * one that holds the keys.
 *
 * A channel is a connected stream socket.  It carries one request at a time: a frame with operation and
 * body, answered by a frame with a kind of error or a result (signer_ipc.h).  A channel has one thread in the
 * signer, so there are as many signatures at a time as channels, and no queue but that of the callers.
 */
#ifndef SCEPD_SIGNER_SIGNER_REMOTE_H
#define SCEPD_SIGNER_SIGNER_REMOTE_H

#include "signer/signer.h"

#define SIGNER_CHANNELS_MAX 64

/* ---- the caller's end ---- */

/*
 * A signer in another process, without a channel yet.  A call takes SIGNER_WAIT_MS at most, waiting
 * for channels included (signer_stats(): 2 s); one that breaks the signer three times is not sent
 * again.  Not to be shared across fork().  signer_close() frees it, when no call is in progress.
 */
enum rc signer_remote_new(struct signer **out, struct err *err) MUST_CHECK;
/* Another patience than SIGNER_WAIT_MS, for tests; before the first call. */
void signer_remote_wait_set(struct signer *s, int64_t ms);
/*
 * Use these channels from now on (the descriptors become the signer's); what is under way on older
 * ones that break is sent again on the new ones: every operation may be repeated.
 */
void signer_remote_attach(struct signer *s, const int *fds, size_t n);
/* The same signer's, in place of some that it has closed. */
void signer_remote_add(struct signer *s, const int *fds, size_t n);
/*
 * Whom to tell that `n` channels of the signer in use are closed, though it may live; signer_remote_add() or
 * _attach() is to follow.  At most once a second; from the thread of any call.  Before the first call.
 */
typedef void signer_wanted_fn(void *arg, size_t n);
void signer_remote_on_wanted(struct signer *s, signer_wanted_fn *fn, void *arg);

/* ---- the signer's end ---- */

struct signer_server;
/* `s` is served, and stays the caller's. */
enum rc signer_server_new(struct signer_server **out, struct signer *s, struct err *err) MUST_CHECK;
/*
 * A thread for each channel (descriptors become the server's, whatever comes back); it ends when the
 * other side closes.  RC_LIMIT, RC_NOMEM, RC_IO: some may be served nevertheless.
 */
enum rc signer_server_attach(
    struct signer_server *v, const int *fds, size_t n, struct err *err) MUST_CHECK;
/* How long the oldest operation in progress has been running; 0 when all are idle. */
int64_t signer_server_busy_ms(struct signer_server *v);
/* Ends all threads that wait for a request, at once; those within an operation finish it, answer,
 * and are waited for.  A request that comes meanwhile goes unanswered, and its caller sends it
 * again. */
void signer_server_free(struct signer_server *v);

#endif
