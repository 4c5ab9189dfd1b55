/*
 * signer_remote.h - the two ends of the wire between the process that needs signatures and the one that
 * holds the keys.
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

/* A signer in another process; calls wait for channels up to SIGNER_WAIT_MS.  signer_close() frees it. */
enum rc signer_remote_new(struct signer **out, struct err *err) MUST_CHECK;
/*
 * Use these channels from now on (the descriptors become the signer's); what is under way on older
 * ones that break is sent again on the new ones: every operation may be repeated.
 */
void signer_remote_attach(struct signer *s, const int *fds, size_t n);

/* ---- the signer's end ---- */

struct signer_server;
/* `s` is served, and stays the caller's. */
enum rc signer_server_new(struct signer_server **out, struct signer *s, struct err *err) MUST_CHECK;
/* A thread for each channel (descriptors become the server's); it ends when the other side closes. */
enum rc signer_server_attach(
    struct signer_server *v, const int *fds, size_t n, struct err *err) MUST_CHECK;
/* How long the oldest operation in progress has been running; 0 when all are idle. */
int64_t signer_server_busy_ms(struct signer_server *v);
/* Ends all threads that wait for a request; not those within an operation. */
void signer_server_free(struct signer_server *v);

#endif
