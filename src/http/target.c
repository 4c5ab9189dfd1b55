/*
 * target.c - request targets, percent-encoding, form fields.
 */
#include "http/target.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "http/server.h"

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The byte at in[*i], with *i moved past it; -1 on a bad escape or a NUL. */
static int
decode_one(const char *in, size_t len, size_t *i, bool plus_is_space)
{
	char c = in[(*i)++];
	int high, low;

	if (c == '+' && plus_is_space)
		return ' ';
	if (c != '%')
		return c != '\0' ? (uint8_t)c : -1;
	if (len - *i < 2)
		return -1;
	high = hex_value(in[*i]);
	low = hex_value(in[*i + 1]);
	*i += 2;
	return high < 0 || low < 0 || high + low == 0 ? -1 : high << 4 | low;
}

long
http_percent_decode(char *out, const char *in, size_t len, bool plus_is_space)
{
	size_t i = 0, n = 0;
	int c;

	while (i < len) {
		c = decode_one(in, len, &i, plus_is_space);
		if (c < 0)
			return -1;
		out[n++] = (char)c;
	}
	return (long)n;
}

/*
 * "." and ".." as a whole segment: no client of ours sends them, and routes must not be reached by
 * two names.
 */
static bool
has_dot_segment(const char *path)
{
	const char *p = path;
	size_t n;

	while (p != NULL) {
		p++;
		n = strcspn(p, "/");
		if ((n == 1 && p[0] == '.') || (n == 2 && p[0] == '.' && p[1] == '.'))
			return true;
		p = strchr(p, '/');
	}
	return false;
}

static bool
has_control(const char *s)
{
	for (; *s != '\0'; s++)
		if ((uint8_t)*s < 0x20 || *s == 0x7f)
			return true;
	return false;
}

static const char *
decode_path(char *path, const char *raw, size_t len)
{
	long n = http_percent_decode(path, raw, len, false);

	if (n < 0)
		return "bad percent-encoding in the path";
	path[n] = '\0';
	if (has_control(path))
		return "control character in the path";
	return has_dot_segment(path) ? "dot segment in the path" : NULL;
}

/*
 * RFC 9112 3.2.2: a server accepts absolute-form, whatever it thinks of proxies.  Where the path
 * begins, NULL: no such form.
 */
static const char *
skip_authority(const char *target)
{
	const char *p = target;

	if (strncasecmp(p, "http://", 7) == 0)
		p += 7;
	else if (strncasecmp(p, "https://", 8) == 0)
		p += 8;
	else
		return NULL;
	return strcspn(p, "/?") > 0 ? p + strcspn(p, "/?") : NULL;
}

const char *
http_target_split(const char *target, const char **origin, char *path, const char **query)
{
	const char *start = target[0] == '/' ? target : skip_authority(target);
	size_t len;

	*origin = target;
	*query = "";
	if (strcmp(target, "*") == 0) {
		strcpy(path, "*");
		return NULL;
	}
	if (start == NULL || strchr(target, '#') != NULL)
		return "malformed URL";
	len = strcspn(start, "?");
	*origin = start[0] == '\0' ? "/" : start;
	if (start[len] == '?')
		*query = start + len + 1;
	if (len == 0) {
		strcpy(path, "/");
		return NULL;
	}
	return decode_path(path, start, len);
}

/* The field called `name` among a=b&c=d: its value's place, raw. */
static bool
find_field(const char *form, size_t form_len, const char *name, const char **value, size_t *len)
{
	const char *p = form, *end = form + form_len, *amp, *eq;
	size_t name_len = strlen(name);

	while (p < end) {
		amp = memchr(p, '&', (size_t)(end - p));
		if (amp == NULL)
			amp = end;
		eq = memchr(p, '=', (size_t)(amp - p));
		if ((size_t)((eq != NULL ? eq : amp) - p) == name_len &&
		    memcmp(p, name, name_len) == 0) {
			*value = eq != NULL ? eq + 1 : amp;
			*len = (size_t)(amp - *value);
			return true;
		}
		p = amp + 1;
	}
	return false;
}

enum rc
http_form_get(char **out, size_t *out_len, const char *form, size_t form_len, const char *name,
    bool plus_is_space, struct err *err)
{
	const char *value;
	size_t len;
	char *copy;
	long n;

	*out = NULL;
	*out_len = 0;
	if (form_len == 0 || !find_field(form, form_len, name, &value, &len))
		return RC_OK;
	copy = malloc(len + 1);
	if (copy == NULL)
		return fail(err, RC_NOMEM, "no memory for field %s", name);
	n = http_percent_decode(copy, value, len, plus_is_space);
	if (n < 0) {
		free(copy);
		return fail(err, RC_PARSE, "bad percent-encoding in field %s", name);
	}
	copy[n] = '\0';
	*out = copy;
	*out_len = (size_t)n;
	return RC_OK;
}
