/*
 * error.c - filling struct intune_error.
 */
#include "intune/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"

/*
 * Base64 is data, not words.  The longest word to keep is a SHA-256 in hex (64); paths are such
 * words with slashes between, while base64 of any length has stretches without one that are longer.
 */
#define RUN_MAX      64u
#define RUN_PATH_MAX 200u
#define RUN_MARK     "[...]"
#define SECRET_MIN   4u /* scrubbing shorter texts would only spoil words */

void
error_reset(struct intune_error *e)
{
	memset(e, 0, sizeof(*e));
	e->retry_after = -1;
}

/* Drop what a cut left of a character at the end. */
static void
trim_partial(char *s)
{
	size_t len = strlen(s), back, n;
	uint32_t cp;

	for (back = 1; back <= 3 && back <= len; back++) {
		unsigned char c = (unsigned char)s[len - back];

		if (c < 0x80)
			return;
		if (c < 0xc0)
			continue;
		n = utf8_next(&cp, (const uint8_t *)s + len - back, back);
		if (n == 0)
			s[len - back] = '\0';
		return;
	}
}

static void
line_format(char *out, size_t size, const char *fmt, va_list ap)
{
	size_t i;

	(void)vsnprintf(out, size, fmt, ap);
	for (i = 0; out[i] != '\0'; i++) {
		if (out[i] == '\r' || out[i] == '\n' || out[i] == '\t')
			out[i] = ' ';
	}
	trim_partial(out);
	str_printable(out);
}

enum intune_status
error_set(
    struct intune_error *e, enum intune_status st, enum intune_step step, const char *fmt, ...)
{
	va_list ap;

	e->status = st;
	e->step = step;
	e->hint[0] = '\0';
	va_start(ap, fmt);
	line_format(e->message, sizeof(e->message), fmt, ap);
	va_end(ap);
	return st;
}

void
error_hint(struct intune_error *e, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	line_format(e->hint, sizeof(e->hint), fmt, ap);
	va_end(ap);
}

void
error_hint_more(struct intune_error *e, const char *fmt, ...)
{
	size_t len = strlen(e->hint);
	va_list ap;

	if (len > 0 && len + 3 < sizeof(e->hint)) {
		memcpy(e->hint + len, "; ", 3);
		len += 2;
	}
	va_start(ap, fmt);
	line_format(e->hint + len, sizeof(e->hint) - len, fmt, ap);
	va_end(ap);
}

static bool
is_run(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	    c == '+' || c == '/' || c == '-' || c == '_' || c == '=';
}

static size_t
run_length(const char *s, size_t len)
{
	size_t n = 0;

	while (n < len && is_run(s[n]))
		n++;
	return n;
}

static bool
is_data(const char *run, size_t len)
{
	size_t i, stretch = 0;

	for (i = 0; i < len; i++) {
		stretch = run[i] == '/' ? 0 : stretch + 1;
		if (stretch > RUN_MAX)
			return true;
	}
	return len > RUN_PATH_MAX;
}

/* One byte of a server's words; bytes of longer characters pass and are judged together later. */
static char
word_byte(char c)
{
	if (c == '\r' || c == '\n' || c == '\t')
		return ' ';
	return c == '\0' ? '?' : c;
}

void
error_words(char *out, size_t size, const char *s, size_t len)
{
	size_t i = 0, o = 0, run, k;
	const char *from;

	while (i < len && o + 1 < size) {
		from = s + i;
		run = run_length(from, len - i);
		k = run > 0 ? run : 1;
		i += k;
		if (is_data(from, run)) {
			from = RUN_MARK;
			k = sizeof(RUN_MARK) - 1;
		}
		for (; k > 0 && o + 1 < size; k--) {
			char c = word_byte(*from++);

			if (c == ' ' && o > 0 && out[o - 1] == ' ')
				continue;
			out[o++] = c;
		}
	}
	out[o] = '\0';
	trim_partial(out);
	str_printable(out);
}

static void
scrub_text(char *text, const char *secret, size_t len)
{
	char *at;

	while ((at = strstr(text, secret)) != NULL) {
		memset(at, '*', 3);
		memmove(at + 3, at + len, strlen(at + len) + 1);
	}
}

static void
scrub_all(struct intune_error *e, const char *secret)
{
	size_t len = strlen(secret);

	scrub_text(e->description, secret, len);
	scrub_text(e->code_text, secret, len);
	scrub_text(e->message, secret, len);
	scrub_text(e->request_id, secret, len);
}

void
error_scrub(struct intune_error *e, const char *secret)
{
	size_t len = secret == NULL ? 0 : strlen(secret);
	struct buf form;

	if (len < SECRET_MIN || strspn(secret, "*") == len)
		return;
	scrub_all(e, secret);
	buf_init(&form, 3 * len);
	url_encode_add(&form, secret, len);
	if (buf_ok(&form, "secret", NULL) == RC_OK)
		scrub_all(e, buf_str(&form));
	else
		e->description[0] = e->message[0] = '\0'; /* better no words than the secret */
	buf_wipe(&form);
}
