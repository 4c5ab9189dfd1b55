/*
 * state_lock.h - one scepd for a signer's state: the lock of processes.signer_state, held for as long as any process of
 * that scepd runs.
 */
#ifndef SCEPD_SCEPD_STATE_LOCK_H
#define SCEPD_SCEPD_STATE_LOCK_H

#include "scepd/config.h"

/*
 * *fd: the lock, close-on-exec; whoever has a copy of the descriptor holds it.  The folder is there.  The file ("supervisor.lock") is
 * as old as this scepd: scepctl compares scepd.yaml with it.  Waits 5 s for processes of a scepd that was just killed;
 * RC_CONFIG when another one runs.
 */
enum rc state_lock_take(int *fd, const struct config *c, struct err *err) MUST_CHECK;

#endif
