/*
 * files.h - files that the front reads although it may open none: it asks the supervisor, which opens
 * what the configuration names for it and nothing else.
 *
 * On the list are listeners' certificates and keys, certificates of CAs, and what belongs to tenants and
 * endpoints: properties, secrets, trust anchors, challenges, and the files that a properties file names
 * in turn.  Never on it, whatever names them: keys, passphrases and PINs of CAs.
 */
#ifndef SCEPD_SCEPD_FILES_H
#define SCEPD_SCEPD_FILES_H

#include <stdbool.h>

#include "base/err.h"
#include "scepd/config.h"
#include "scepd/control.h"

/* May the front read this file? */
bool files_allowed(const struct config *c, const char *path);

/* The supervisor's end: answer one CONTROL_OPEN.  A failure to answer is the caller's to act on. */
enum rc files_answer(
    int fd, const struct config *c, const struct control_msg *m, struct err *err) MUST_CHECK;

/*
 * The front's end: from now on file_read() and file_read_secret() ask on `fd`, which becomes this
 * module's.  Any thread; one question at a time, each up to CONTROL_WAIT_MS.
 */
void files_ask(int fd);

#endif
