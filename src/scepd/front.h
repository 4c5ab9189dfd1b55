/*
 * front.h - the part of scepd that serves: listeners, workers, the background round.
 */
#ifndef SCEPD_SCEPD_FRONT_H
#define SCEPD_SCEPD_FRONT_H

#include "base/buf.h"
#include "scepd/scepd.h"

struct front;

/* What needs rights: binds every address, raises the limit of open files.  `config` becomes the front's. */
enum rc front_new(struct front **out, struct config *config, struct err *err) MUST_CHECK;
/* What needs files, as the user that the server runs as: the database.  No thread runs yet. */
enum rc front_open(struct front *f, struct err *err) MUST_CHECK;
/* What the database reads and writes from now on. */
const struct store *front_store0(const struct front *f);
/* Open the rest and serve.  `signer` becomes the front's. */
enum rc front_start(struct front *f, struct signer *signer, struct err *err) MUST_CHECK;
/* Started: the signer's folder is new.  Says what that means where certificates were issued before. */
void front_tell_new_state(const struct front *f);
/* "http 127.0.0.1:8080\n" for each listener, and the admin listener's. */
const struct buf *front_ready0(const struct front *f);
/* Whatever lies in a file and may be renewed there.  From one thread, about once a minute. */
void front_reload(struct front *f);
/* By SIGHUP: what is read by a clock of its own (lists of foreign CAs) is read now. */
void front_hurry(struct front *f);
/* How long the slowest of its I/O loops has not come round, in ms; 0: none is late.  Started; from one thread. */
int64_t front_stalled_ms(struct front *f);
/* Stops accepting, finishes what is in flight; NULL is allowed. */
void front_free(struct front *f);

#endif
