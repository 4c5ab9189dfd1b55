/*
 * log.h - one event is one line: `time level event key=value key="text"`.
 *
 * Values are escaped, so what a peer sent can never forge a line or a field:
 * printable UTF-8 stays, '"' and '\' get a backslash, the rest becomes \xNN,
 * and a value is cut (with "...") at LOG_VALUE_MAX bytes.  LOG_JSON writes \uNNNN
 * instead, and U+FFFD for bytes that are not UTF-8.  Secrets, challenges
 * and tokens are never given to this module.  Libraries (scep, intune) do not log.
 *
 *	struct log_line l;
 *	log_begin(&l, LOG_INFO, "scep");
 *	log_str(&l, "tx", tx);
 *	log_int(&l, "ms", ms);
 *	log_end(&l);
 *
 * Threads: each line is one write(2).
 */
#ifndef SCEPD_BASE_LOG_H
#define SCEPD_BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR, LOG_LEVEL__MAX };
enum log_format { LOG_TEXT, LOG_JSON };

#define LOG_LINE_MAX                                                                               \
	4096 /* bytes, a whole line; what does not fit is dropped, the line stays well-formed */
#define LOG_VALUE_MAX 512 /* bytes of one value before escaping */

struct log_line {
	char buf[LOG_LINE_MAX];
	size_t len;
	bool on;
	unsigned dropped; /* fields that did not fit; log_end() tells */
	enum log_format format;
};

/*
 * To standard error by default.  `fd` stays the caller's.  Where it is the journal, each line begins with its level as
 * sd-daemon(3) has it ("<3>"), which the journal takes away and shows lines by (journalctl -p warning).
 */
void log_setup(enum log_level least, enum log_format format, int fd);
/* Has systemd connected `fd` to the journal?  Then it has said so in $JOURNAL_STREAM. */
bool log_is_journal(int fd);
/* What a line of that level begins with on standard error, whoever writes it: "" if that is not the journal. */
const char *log_prefix0(enum log_level level);
enum rc log_level_parse(enum log_level *out, const char *s, struct err *err) MUST_CHECK;

void log_begin(struct log_line *l, enum log_level level, const char *event);
void log_str(struct log_line *l, const char *key, const char *value); /* NULL: field left out */
void log_bytes(struct log_line *l, const char *key, const void *p, size_t len);
void log_int(struct log_line *l, const char *key, int64_t value);
void log_err(struct log_line *l, const struct err *err); /* kind=, where=, reason=, hint= */
void log_end(struct log_line *l);

/* A line with a message and nothing else: log_msg(LOG_INFO, "start", "listening on %s", a). */
void log_msg(enum log_level level, const char *event, const char *fmt, ...) PRINTF_LIKE(3, 4);

/*
 * For lines that another process can cause: it must not fill the disk with them.  Zeroed at first; one
 * for each kind of line, and whoever has several threads guards it.
 */
#define LOG_PER_MINUTE 20 /* some 10 MB a day, and enough to see what somebody tries */
struct log_limit {
	int64_t since_ms; /* monotonic: beginning of this minute */
	unsigned lines;
	uint64_t left_out; /* since the last line that was not */
};
/* May this line be written?  Then *left_out says how many were not since the last. */
bool log_within(struct log_limit *l, int64_t mono_ms, uint64_t *left_out);

#endif
