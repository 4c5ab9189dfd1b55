/* properties.c - see properties.h: java.util.Properties text, line by line. */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/text.h"
#include "scepd/properties.h"

#define PROPERTIES_MAX 128 /* Microsoft knows about twenty names */

struct property {
	char *key, *value;
	int line;
};

struct properties {
	struct property v[PROPERTIES_MAX];
	size_t n;
};

/* What is left of the text. */
struct reader {
	const char *name;
	const uint8_t *p, *end;
	int line; /* of the next byte */
};

static bool
is_blank(int c)
{
	return c == ' ' || c == '\t' || c == '\f';
}

/* A byte above ASCII: as it is when the file is UTF-8; a Latin-1 letter otherwise (Java's encoding
 * of these files). */
static void
add_byte(struct buf *b, uint8_t c, bool utf8)
{
	if (c < 0x80 || utf8) {
		buf_addc(b, (char)c);
		return;
	}
	buf_addc(b, (char)(0xc0 | c >> 6));
	buf_addc(b, (char)(0x80 | (c & 0x3f)));
}

static void
add_code_point(struct buf *b, unsigned u)
{
	if (u < 0x80) {
		buf_addc(b, (char)u);
	} else if (u < 0x800) {
		buf_addc(b, (char)(0xc0 | u >> 6));
		buf_addc(b, (char)(0x80 | (u & 0x3f)));
	} else {
		buf_addc(b, (char)(0xe0 | u >> 12));
		buf_addc(b, (char)(0x80 | (u >> 6 & 0x3f)));
		buf_addc(b, (char)(0x80 | (u & 0x3f)));
	}
}

/* The four digits after "\u". */
static enum rc
read_unicode(struct reader *r, struct buf *out, struct err *err)
{
	uint8_t v[2];
	unsigned u;

	if (r->end - r->p < 4 || hex_decode(v, 2, (const char *)r->p, 4, NULL) != RC_OK)
		return fail(
		    err, RC_CONFIG, "%s:%d: \\u needs four hexadecimal digits", r->name, r->line);
	r->p += 4;
	u = (unsigned)v[0] << 8 | v[1];
	if (u == 0 || (u >= 0xd800 && u < 0xe000))
		return fail(
		    err, RC_CONFIG, "%s:%d: \\u%04x is not a character", r->name, r->line, u);
	add_code_point(out, u);
	return RC_OK;
}

/* After a backslash; a line end continues the value on the next line, past its leading blanks. */
static enum rc
read_escape(struct reader *r, struct buf *out, struct err *err)
{
	int c;

	if (r->p == r->end)
		return RC_OK;
	c = *r->p++;
	if (c == 'u')
		return read_unicode(r, out, err);
	if (c == '\r' && r->p < r->end && *r->p == '\n')
		c = *r->p++;
	if (c == '\n' || c == '\r') {
		r->line++;
		while (r->p < r->end && is_blank(*r->p))
			r->p++;
		return RC_OK;
	}
	buf_addc(out,
	    c == 't'       ? '\t'
		: c == 'n' ? '\n'
		: c == 'r' ? '\r'
		: c == 'f' ? '\f'
			   : (char)c);
	return RC_OK;
}

/* Up to a line end, or for a key up to '=', ':' or a blank. */
static enum rc
read_token(struct reader *r, struct buf *out, bool key, bool utf8, struct err *err)
{
	enum rc rc = RC_OK;

	while (rc == RC_OK && r->p < r->end && *r->p != '\n' && *r->p != '\r') {
		if (key && (*r->p == '=' || *r->p == ':' || is_blank(*r->p)))
			break;
		if (*r->p == '\0')
			return fail(err, RC_CONFIG, "%s:%d: a NUL byte", r->name, r->line);
		if (*r->p++ == '\\')
			rc = read_escape(r, out, err);
		else
			add_byte(out, r->p[-1], utf8);
	}
	return rc == RC_OK ? buf_ok(out, "property", err) : rc;
}

static void
skip_separator(struct reader *r)
{
	while (r->p < r->end && is_blank(*r->p))
		r->p++;
	if (r->p < r->end && (*r->p == '=' || *r->p == ':'))
		r->p++;
	while (r->p < r->end && is_blank(*r->p))
		r->p++;
}

/* To the start of the next property; false at the end. */
static bool
next_line(struct reader *r)
{
	for (; r->p < r->end; r->p++) {
		if (*r->p == '\n')
			r->line++;
		else if (*r->p == '#' || *r->p == '!')
			while (r->p + 1 < r->end && r->p[1] != '\n')
				r->p++;
		else if (!is_blank(*r->p) && *r->p != '\r')
			return true;
	}
	return false;
}

static enum rc
read_property(struct properties *p, struct reader *r, bool utf8, struct err *err)
{
	struct property *at = &p->v[p->n];
	struct buf key, value;
	enum rc rc;

	if (p->n == PROPERTIES_MAX)
		return fail(err, RC_CONFIG, "%s:%d: more than %d properties", r->name, r->line,
		    PROPERTIES_MAX);
	buf_init(&key, 256);
	buf_init(&value, 16 * KIB);
	at->line = r->line;
	if ((rc = read_token(r, &key, true, utf8, err)) == RC_OK) {
		skip_separator(r);
		rc = read_token(r, &value, false, utf8, err);
	}
	if (rc == RC_OK && (rc = str_dup(&at->key, buf_str(&key), err)) == RC_OK) {
		p->n++;
		rc = str_dup(&at->value, buf_str(&value), err);
	}
	buf_done(&key);
	buf_wipe(&value);
	return rc;
}

enum rc
properties_parse(
    struct properties **out, const char *name, const void *bytes, size_t len, struct err *err)
{
	struct properties *p = calloc(1, sizeof(*p));
	struct reader r = { name, bytes, (const uint8_t *)bytes + len, 1 };
	bool utf8 = utf8_valid(bytes, len);
	enum rc rc = RC_OK;

	if (p == NULL)
		return fail(err, RC_NOMEM, "%s", name);
	/* What Windows editors and PowerShell put in front. */
	if (len >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0)
		r.p += 3;
	if (len >= 2 && (memcmp(bytes, "\xff\xfe", 2) == 0 || memcmp(bytes, "\xfe\xff", 2) == 0)) {
		properties_free(p);
		(void)fail(err, RC_CONFIG, "%s is UTF-16", name);
		return err_hint(err, "save it as UTF-8");
	}
	while (rc == RC_OK && next_line(&r))
		rc = read_property(p, &r, utf8, err);
	if (rc == RC_OK)
		*out = p;
	else
		properties_free(p);
	return rc;
}

enum rc
properties_load(struct properties **out, const char *path, struct err *err)
{
	struct buf b;
	enum rc rc;

	buf_init(&b, LIMIT_SECRET_FILE);
	if ((rc = file_read_secret(&b, path, LIMIT_SECRET_FILE, err)) == RC_OK)
		rc = properties_parse(
		    out, path, b.data != NULL ? b.data : (const uint8_t *)"", b.len, err);
	buf_wipe(&b);
	return rc;
}

size_t
properties_count(const struct properties *p)
{
	return p->n;
}

void
properties_get(
    const struct properties *p, size_t i, const char **key, const char **value, int *line)
{
	*key = p->v[i].key;
	*value = p->v[i].value != NULL ? p->v[i].value : "";
	*line = p->v[i].line;
}

void
properties_free(struct properties *p)
{
	if (p == NULL)
		return;
	for (size_t i = 0; i < p->n; i++) {
		free(p->v[i].key);
		if (p->v[i].value != NULL)
			wipe_free(p->v[i].value, strlen(p->v[i].value));
	}
	free(p);
}
