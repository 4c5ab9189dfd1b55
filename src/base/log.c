/*
 * log.c - building one escaped line and writing it with one write(2).
 */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"

/* Room kept for what log_end() adds: the count of dropped fields, a brace, a newline. */
#define TAIL_MAX 32
/* "device:inode", both as numbers of 64 bits. */
#define STREAM_MAX 48

static const char *const level_names[LOG_LEVEL__MAX] = { "debug", "info", "warn", "error" };
/* The same as syslog has them. */
static const char *const priorities[LOG_LEVEL__MAX] = { "<7>", "<6>", "<4>", "<3>" };

/* The process's one log destination; set at the start of main(). */
static _Atomic int log_least = LOG_INFO;
static _Atomic int log_form = LOG_TEXT;
static _Atomic int log_fd = STDERR_FILENO;
static _Atomic bool log_journal;

/* The variable alone proves nothing: a shell in a service has it too, wherever its output goes. */
bool
log_is_journal(int fd)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char this[STREAM_MAX];
	struct stat st;

	if (stream == NULL || fstat(fd, &st) != 0)
		return false;
	snprintf(this, sizeof(this), "%llu:%llu", (unsigned long long)st.st_dev,
	    (unsigned long long)st.st_ino);
	return strcmp(stream, this) == 0;
}

const char *
log_prefix0(enum log_level level)
{
	return log_is_journal(STDERR_FILENO) ? priorities[level] : "";
}

void
log_setup(enum log_level least, enum log_format format, int fd)
{
	atomic_store(&log_journal, log_is_journal(fd));
	atomic_store(&log_least, (int)least);
	atomic_store(&log_form, (int)format);
	atomic_store(&log_fd, fd);
}

enum rc
log_level_parse(enum log_level *out, const char *s, struct err *err)
{
	int i;

	for (i = 0; i < LOG_LEVEL__MAX; i++) {
		if (str_eq_nocase(s, level_names[i])) {
			*out = (enum log_level)i;
			return RC_OK;
		}
	}
	return fail(err, RC_CONFIG, "log level \"%.40s\" is none of debug, info, warn, error", s);
}

/* Append raw bytes if they fit in front of the tail. */
static bool
put(struct log_line *l, const void *p, size_t len)
{
	if (len > sizeof(l->buf) - TAIL_MAX - l->len)
		return false;
	memcpy(l->buf + l->len, p, len);
	l->len += len;
	return true;
}

static bool
puts_raw(struct log_line *l, const char *s)
{
	return put(l, s, strlen(s));
}

/* One byte that is no part of a printable character. */
static bool
put_escaped(struct log_line *l, uint8_t c)
{
	char esc[8];

	snprintf(esc, sizeof(esc), "\\x%02x", c);
	return puts_raw(l, esc);
}

/* A well-formed character that must not appear as itself, as JSON writes it (RFC 8259 7). */
static bool
put_json_escaped(struct log_line *l, uint32_t cp)
{
	char esc[16];

	if (cp >= 0x10000)
		snprintf(esc, sizeof(esc), "\\u%04x\\u%04x", 0xd800 + ((cp - 0x10000) >> 10),
		    0xdc00 + ((cp - 0x10000) & 0x3ff));
	else
		snprintf(esc, sizeof(esc), "\\u%04x", cp);
	return puts_raw(l, esc);
}

/* The character at p (at least one byte); *used says how many bytes it took. */
static bool
put_char(struct log_line *l, const uint8_t *p, size_t len, size_t *used)
{
	uint32_t cp;
	size_t i, n;

	n = utf8_next(&cp, p, len);
	*used = n == 0 ? 1 : n;
	if (n > 0 && (cp == '"' || cp == '\\'))
		return put(l, "\\", 1) && put(l, p, 1);
	if (n > 0 && utf8_printable(cp))
		return put(l, p, n);
	if (l->format == LOG_JSON)
		return put_json_escaped(l, n > 0 ? cp : 0xfffd);
	for (i = 0; i < *used; i++) {
		if (!put_escaped(l, p[i]))
			return false;
	}
	return true;
}

/* Where to cut a value so that no character is split. */
static size_t
cut_at(const uint8_t *p, size_t max)
{
	size_t n = max;

	while (n > max - 3 && (p[n] & 0xc0) == 0x80)
		n--;
	return n;
}

static bool
put_quoted(struct log_line *l, const uint8_t *p, size_t len)
{
	bool cut = len > LOG_VALUE_MAX;
	size_t used;

	if (cut)
		len = cut_at(p, LOG_VALUE_MAX);
	if (!put(l, "\"", 1))
		return false;
	for (; len > 0; p += used, len -= used) {
		if (!put_char(l, p, len, &used))
			return false;
	}
	return puts_raw(l, cut ? "...\"" : "\"");
}

/* Bare in the text format: what no reader could take for a quote, a space or another field. */
static bool
is_bare(const uint8_t *p, size_t len)
{
	static const char extra[] = "-._:/@+,%~";
	size_t i;

	if (len == 0 || len > LOG_VALUE_MAX)
		return false;
	for (i = 0; i < len; i++) {
		bool alnum = (p[i] >= '0' && p[i] <= '9') || (p[i] >= 'A' && p[i] <= 'Z') ||
		    (p[i] >= 'a' && p[i] <= 'z');

		if (!alnum && (p[i] == '\0' || strchr(extra, p[i]) == NULL))
			return false;
	}
	return true;
}

static bool
put_key(struct log_line *l, const char *key)
{
	if (l->format == LOG_JSON)
		return puts_raw(l, ",\"") && puts_raw(l, key) && puts_raw(l, "\":");
	return puts_raw(l, " ") && puts_raw(l, key) && puts_raw(l, "=");
}

static bool
put_value(struct log_line *l, const void *p, size_t len)
{
	if (l->format == LOG_TEXT && is_bare(p, len))
		return put(l, p, len);
	return put_quoted(l, p, len);
}

void
log_begin(struct log_line *l, enum log_level level, const char *event)
{
	char now[TIME_TEXT_MAX];
	enum log_level known = (unsigned)level < LOG_LEVEL__MAX ? level : LOG_ERROR;
	const char *name = level_names[known];

	l->len = 0;
	l->dropped = 0;
	l->format = (enum log_format)atomic_load(&log_form);
	l->on = (int)level >= atomic_load(&log_least);
	if (!l->on)
		return;
	if (atomic_load(&log_journal))
		puts_raw(l, priorities[known]);
	time_rfc3339_ms(now, clock_now_ms());
	if (l->format == LOG_JSON) {
		puts_raw(l, "{\"time\":\"");
		puts_raw(l, now);
		puts_raw(l, "\",\"level\":\"");
		puts_raw(l, name);
		puts_raw(l, "\",\"event\":");
		put_quoted(l, (const uint8_t *)event, strlen(event));
		return;
	}
	puts_raw(l, now);
	puts_raw(l, " ");
	puts_raw(l, name);
	puts_raw(l, " ");
	put_value(l, event, strlen(event));
}

void
log_bytes(struct log_line *l, const char *key, const void *p, size_t len)
{
	size_t before = l->len;

	if (!l->on)
		return;
	/* All of a field or nothing of it. */
	if (!put_key(l, key) || !put_value(l, p, len)) {
		l->len = before;
		l->dropped++;
	}
}

void
log_str(struct log_line *l, const char *key, const char *value)
{
	if (value != NULL)
		log_bytes(l, key, value, strlen(value));
}

void
log_int(struct log_line *l, const char *key, int64_t value)
{
	char digits[24];
	size_t before = l->len;

	if (!l->on)
		return;
	snprintf(digits, sizeof(digits), "%lld", (long long)value);
	if (!put_key(l, key) || !puts_raw(l, digits)) {
		l->len = before;
		l->dropped++;
	}
}

void
log_err(struct log_line *l, const struct err *err)
{
	log_str(l, "kind", rc_name(err->rc));
	log_str(l, "where", err->where);
	log_str(l, "reason", err->msg);
	if (err->hint[0] != '\0')
		log_str(l, "hint", err->hint);
}

/* A pipe may take part of a line: the rest follows, or the line is lost. */
static void
write_all(int fd, const char *p, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		p += n;
		len -= (size_t)n;
	}
}

void
log_end(struct log_line *l)
{
	int saved = errno;
	char *tail = l->buf + l->len;
	int n = 0;

	if (!l->on)
		return;
	if (l->dropped > 0)
		n = snprintf(tail, TAIL_MAX,
		    l->format == LOG_JSON ? ",\"dropped\":%u" : " dropped=%u", l->dropped);
	l->len += (size_t)n;
	if (l->format == LOG_JSON)
		l->buf[l->len++] = '}';
	l->buf[l->len++] = '\n';
	write_all(atomic_load(&log_fd), l->buf, l->len);
	l->on = false;
	errno = saved;
}

void
log_msg(enum log_level level, const char *event, const char *fmt, ...)
{
	char msg[LOG_VALUE_MAX + 2]; /* one byte more than a value: shows that it was cut */
	struct log_line l;
	va_list ap;

	log_begin(&l, level, event);
	if (!l.on)
		return;
	va_start(ap, fmt);
	if (vsnprintf(msg, sizeof(msg), fmt, ap) < 0)
		msg[0] = '\0';
	va_end(ap);
	log_str(&l, "msg", msg);
	log_end(&l);
}

bool
log_within(struct log_limit *l, int64_t mono_ms, uint64_t *left_out)
{
	if (l->lines == 0 || mono_ms - l->since_ms >= 60000) {
		l->since_ms = mono_ms;
		l->lines = 0;
	}
	if (l->lines == LOG_PER_MINUTE) {
		l->left_out++;
		return false;
	}
	l->lines++;
	*left_out = l->left_out;
	l->left_out = 0;
	return true;
}
