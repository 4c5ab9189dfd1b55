/*
 * err.c - making errors, and the one table of what the edges do about them.
 */
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "base/log.h"
#include "base/text.h"

/* RFC 8894 3.2.1.4.  badTime (3) has no kind: scepd does not read signingTime. */
enum { BAD_ALG = 0, BAD_MESSAGE_CHECK = 1, BAD_REQUEST = 2, BAD_CERT_ID = 4 };

static const struct err_reaction reactions[RC__MAX] = {
	[RC_OK] = { "ok", 200, BAD_REQUEST, EX_OK, LOG_INFO },
	[RC_NOMEM] = { "no-memory", 500, BAD_REQUEST, EX_OSERR, LOG_ERROR },
	[RC_LIMIT] = { "limit", 413, BAD_REQUEST, EX_DATAERR, LOG_WARN },
	[RC_PARSE] = { "malformed", 400, BAD_REQUEST, EX_DATAERR, LOG_WARN },
	[RC_DENIED] = { "denied", 403, BAD_REQUEST, EX_NOPERM, LOG_WARN },
	[RC_ALG] = { "algorithm", 400, BAD_ALG, EX_DATAERR, LOG_WARN },
	[RC_INTEGRITY] = { "integrity", 400, BAD_MESSAGE_CHECK, EX_DATAERR, LOG_WARN },
	[RC_NOTFOUND] = { "not-found", 404, BAD_CERT_ID, EX_NOINPUT, LOG_INFO },
	[RC_CONFLICT] = { "conflict", 409, BAD_REQUEST, EX_CANTCREAT, LOG_WARN },
	[RC_CRYPTO] = { "crypto", 500, BAD_REQUEST, EX_SOFTWARE, LOG_ERROR },
	[RC_IO] = { "io", 503, BAD_REQUEST, EX_IOERR, LOG_ERROR },
	[RC_TIMEOUT] = { "timeout", 503, BAD_REQUEST, EX_TEMPFAIL, LOG_ERROR },
	[RC_CONFIG] = { "config", 500, BAD_REQUEST, EX_CONFIG, LOG_ERROR },
	[RC_BUG] = { "bug", 500, BAD_REQUEST, EX_SOFTWARE, LOG_ERROR },
};

const struct err_reaction *
err_reaction(enum rc rc)
{
	/* A kind out of range is itself a bug; never index past the table. */
	if ((unsigned)rc >= RC__MAX)
		rc = RC_BUG;
	return &reactions[rc];
}

const char *
rc_name(enum rc rc)
{
	return err_reaction(rc)->name;
}

/* Format one printable line; a text that does not fit ends in "...". */
static void
format_line(char *out, size_t size, const char *fmt, va_list ap)
{
	int n;

	n = vsnprintf(out, size, fmt, ap);
	if (n < 0)
		snprintf(out, size, "%s", fmt);
	else if ((size_t)n >= size)
		memcpy(out + size - 4, "...", 4);
	str_printable(out);
}

enum rc
err_fail_at(struct err *err, enum rc rc, const char *where, const char *fmt, ...)
{
	char msg[ERR_MSG_MAX];
	va_list ap;

	if (err == NULL)
		return rc;
	/* Through a copy: the arguments may point into *err. */
	va_start(ap, fmt);
	format_line(msg, sizeof(msg), fmt, ap);
	va_end(ap);
	err->rc = rc;
	err->where = where;
	memcpy(err->msg, msg, sizeof(msg));
	err->hint[0] = '\0';
	return rc;
}

enum rc
err_fail_errno_at(struct err *err, const char *where, const char *fmt, ...)
{
	int saved = errno;
	char msg[ERR_MSG_MAX], sys[128];
	va_list ap;

	if (err == NULL)
		return RC_IO;
	va_start(ap, fmt);
	format_line(msg, sizeof(msg), fmt, ap);
	va_end(ap);
	/* The GNU strerror_r: may return a static string instead of filling `sys`. */
	err_fail_at(err, RC_IO, where, "%s: %s", msg, strerror_r(saved, sys, sizeof(sys)));
	errno = saved;
	return RC_IO;
}

enum rc
err_hint(struct err *err, const char *fmt, ...)
{
	char hint[ERR_HINT_MAX];
	va_list ap;

	if (err == NULL)
		return RC_BUG;
	va_start(ap, fmt);
	format_line(hint, sizeof(hint), fmt, ap);
	va_end(ap);
	memcpy(err->hint, hint, sizeof(hint));
	return err->rc;
}

enum rc
err_context(struct err *err, const char *fmt, ...)
{
	char prefix[ERR_MSG_MAX], msg[ERR_MSG_MAX];
	va_list ap;
	int n;

	if (err == NULL)
		return RC_BUG;
	va_start(ap, fmt);
	format_line(prefix, sizeof(prefix), fmt, ap);
	va_end(ap);
	n = snprintf(msg, sizeof(msg), "%.*s: %s", ERR_MSG_MAX / 2, prefix, err->msg);
	if (n >= (int)sizeof(msg))
		memcpy(msg + sizeof(msg) - 4, "...", 4);
	/* Either cut may have split a character. */
	str_printable(msg);
	memcpy(err->msg, msg, sizeof(msg));
	return err->rc;
}
