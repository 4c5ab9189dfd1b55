/*
 * notify.h - telling a service manager how it goes: sd_notify(3), which is one datagram.
 *
 * Whoever starts scepd with $NOTIFY_SOCKET (systemd, for Type=notify) wants to hear when it serves and when it begins to end.
 * Without it nothing is said.
 */
#ifndef SCEPD_SCEPD_NOTIFY_H
#define SCEPD_SCEPD_NOTIFY_H

#include <stdint.h>

/*
 * A socket to say it on, closed on exec; -1: nobody wants to hear it, or cannot be told, which is logged.  Takes the variable out of
 * the environment, as it is nobody else's to say.  Before there are threads.
 */
int notify_open(void);
/* fd -1: nothing.  Each waits NOTIFY_WAIT_S for a manager that does not read; what is in vain is logged. */
#define NOTIFY_WAIT_S 5
void notify_serving(int fd);
/* It will take up to so many milliseconds, whatever the manager thinks is enough (systemd's TimeoutStopSec=). */
void notify_stopping(int fd, int64_t within_ms);

#endif
