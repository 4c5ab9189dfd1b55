/*
 * err.h - how every fallible function in the tree reports failure.
 *
 * A function that can fail returns an enum rc and takes a `struct err *` as its
 * last parameter.  The error is made where it is first noticed, passed up
 * unchanged, and logged once, at the request loop or in main().  Out
 * parameters are written only on success.
 */
#ifndef SCEPD_BASE_ERR_H
#define SCEPD_BASE_ERR_H

#include <stddef.h>

/*
 * Kinds are few on purpose: one per *reaction*, not one per cause.  The cause
 * goes into the message; the reaction (HTTP status, SCEP failInfo, exit code,
 * log level) is looked up by kind in err_reaction().
 */
enum rc {
	RC_OK = 0,
	RC_NOMEM,     /* allocation failed */
	RC_LIMIT,     /* a stated maximum was passed (size, count, queue) */
	RC_PARSE,     /* the bytes are not what the format says */
	RC_DENIED,    /* well-formed, and policy or a peer says no */
	RC_ALG,       /* an algorithm or key type or size we do not take */
	RC_INTEGRITY, /* a signature, digest or decryption does not verify */
	RC_NOTFOUND,
	RC_CONFLICT, /* exists already, or another state than expected */
	RC_CRYPTO,   /* libcrypto failed at something that should have worked */
	RC_IO,       /* the system or a peer failed; the same call may work later */
	RC_TIMEOUT,  /* a deadline passed; the same call may work later */
	RC_CONFIG,   /* the administrator has to change a file or an option */
	RC_BUG,      /* "cannot happen" did; the request dies, not the server */
	RC__MAX
};

#define ERR_MSG_MAX  400 /* bytes; a sentence with a path and a name in it */
#define ERR_HINT_MAX 200 /* bytes; what the administrator does next */

struct err {
	enum rc rc;
	const char *where;       /* __func__ of the origin, static */
	char msg[ERR_MSG_MAX];   /* for the operator; never secret; one line */
	char hint[ERR_HINT_MAX]; /* what to do next, or "" */
};

#define MUST_CHECK        __attribute__((warn_unused_result))
#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))

/*
 * Record a failure at its origin and return its kind:
 *
 *	return fail(err, RC_PARSE, "nonce is %zu bytes, want 16", len);
 *
 * `err` may be NULL.  Clears any hint.  Control characters in the result are
 * replaced by '?', so a message is always one printable line.  The kind is the macro's own value, so
 * that the compiler sees that a failure is not RC_OK.
 */
#define fail(err, kind, ...)                                                                       \
	({                                                                                         \
		const enum rc fail_kind_ = (kind);                                                 \
		err_fail_at((err), fail_kind_, __func__, __VA_ARGS__);                             \
		fail_kind_;                                                                        \
	})

enum rc err_fail_at(struct err *err, enum rc rc, const char *where, const char *fmt, ...)
    PRINTF_LIKE(4, 5);

/* As fail(), with ": strerror(errno)" at the end.  Kind RC_IO. */
#define fail_errno(err, ...)                                                                       \
	({                                                                                         \
		(void)err_fail_errno_at((err), __func__, __VA_ARGS__);                             \
		(enum rc) RC_IO;                                                                   \
	})
enum rc err_fail_errno_at(struct err *err, const char *where, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

/*
 * Say what to do next.  Returns err->rc so that it can end a function whose `err` is never
 * NULL; where it may be, keep the kind that fail() gave and return that.
 */
enum rc err_hint(struct err *err, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Put "prefix: " in front of the message; for process, file and CLI boundaries only. */
enum rc err_context(struct err *err, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* "ok", "malformed", "denied" ...; for logs and metrics.  Static. */
const char *rc_name(enum rc rc);

/* What the edges do about a kind.  One table for the whole tree. */
struct err_reaction {
	const char *name;
	int http_status; /* where no SCEP answer can be given */
	int fail_info;   /* RFC 8894 3.2.1.4: 0..4 */
	int exit_code;   /* of a command-line tool, sysexits(3) where one fits */
	int log_level;   /* enum log_level */
};
const struct err_reaction *err_reaction(enum rc rc);

#endif
