/*
 * cert_stream.c - see cert_stream.h.
 */
#include "ca/cert_stream.h"

#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/text.h"

#define HEAD_MAX  16384 /* bytes of the first line, by which the kind is told */
#define NAME_MAX_ 64    /* bytes of a column's name */

static const char pem_begin[] = "-----BEGIN CERTIFICATE-----",
		  pem_end[] = "-----END CERTIFICATE-----";

/* ---- bytes ---- */

struct in {
	FILE *f;
	bool wide; /* UTF-16, little-endian */
	struct buf head;
	size_t head_at;
	bool head_only; /* look at the first line, and no further */
	size_t line;
	size_t rows;
	cert_stream_fn *fn;
	void *arg;
};

/* What is not ASCII is in no column that is read. */
static int
raw(struct in *in)
{
	int low = getc(in->f), high;

	if (!in->wide || low == EOF)
		return low;
	high = getc(in->f);
	return high == 0 ? low : high == EOF ? EOF : '?';
}

static int
next(struct in *in)
{
	int c = in->head_at < in->head.len ? in->head.data[in->head_at++]
	    : in->head_only                ? EOF
					   : raw(in);

	if (c == '\n')
		in->line++;
	return c;
}

/* The first line, to be read again by next(). */
static void
read_head(struct in *in)
{
	int c, low = getc(in->f), high = getc(in->f);

	if (low == 0xff && high == 0xfe) {
		in->wide = true;
	} else {
		for (int i = 0; i < 2; i++)
			if ((c = i == 0 ? low : high) != EOF)
				buf_addc(&in->head, (char)c);
		if (low == EOF || high == EOF || high == '\n')
			return;
	}
	while (in->head.len < HEAD_MAX && (c = raw(in)) != EOF) {
		buf_addc(&in->head, (char)c);
		if (c == '\n')
			break;
	}
	if (in->head.len >= 3 && memcmp(in->head.data, "\xef\xbb\xbf", 3) == 0)
		in->head_at = 3;
}

static enum rc
tell(struct in *in, const struct cert_found *c, struct err *err)
{
	in->rows++;
	return in->fn(in->arg, c, err);
}

static enum rc
tell_why(struct in *in, size_t line, const char *why, struct err *err)
{
	return tell(in, &(struct cert_found){ .line = line, .why = why }, err);
}

/* ---- DER ---- */

static bool
is_der(const struct in *in)
{
	return in->head.len >= 2 && in->head.data[0] == 0x30 && in->head.data[1] >= 0x80;
}

static enum rc
read_der(struct in *in, struct err *err)
{
	struct buf b;
	enum rc rc;
	int c;

	buf_init(&b, LIMIT_CERT);
	while (b.rc == RC_OK && (c = next(in)) != EOF)
		buf_addc(&b, (char)c);
	rc = b.rc == RC_NOMEM ? buf_ok(&b, "certificate", err)
	    : b.rc != RC_OK
	    ? tell_why(in, 0, "is longer than any certificate", err)
	    : tell(in, &(struct cert_found){ .der = b.data, .der_len = b.len }, err);
	buf_done(&b);
	return rc;
}

/* ---- PEM ---- */

/* Base64 between BEGIN and END, or all of it. */
static enum rc
tell_base64(struct in *in, size_t line, const char *text, size_t len, struct err *err)
{
	struct buf plain, der;
	enum rc rc;

	buf_init(&plain, CERT_STREAM_FIELD_MAX);
	buf_init(&der, LIMIT_CERT);
	for (size_t i = 0; i < len; i++)
		if (strchr(" \t\r\n", text[i]) == NULL)
			buf_addc(&plain, text[i]);
	rc = buf_ok(&plain, "base64", err);
	if (rc == RC_OK)
		rc = base64_decode(&der, buf_str(&plain), plain.len, BASE64_FIELD, err);
	if (rc == RC_OK && der.len > 0)
		rc = tell(in,
		    &(struct cert_found){ .line = line, .der = der.data, .der_len = der.len }, err);
	else if (rc == RC_OK || rc == RC_PARSE || rc == RC_LIMIT)
		rc = tell_why(in, line, "is no certificate in base64", err);
	buf_done(&plain);
	buf_done(&der);
	return rc;
}

/* A line without its end; what is longer than `out` has room for is cut.  False: the file is over. */
static bool
read_line(struct in *in, struct buf *out)
{
	int c = next(in);

	buf_reset(out);
	if (c == EOF)
		return false;
	for (; c != EOF && c != '\n'; c = next(in))
		if (c != '\r' && out->len + 1 < out->max)
			buf_addc(out, (char)c);
	return true;
}

/* After BEGIN: the lines to END. */
static enum rc
read_block(struct in *in, struct buf *line, size_t at, struct err *err)
{
	struct buf text;
	bool whole = false;
	enum rc rc;

	buf_init(&text, CERT_STREAM_FIELD_MAX);
	while (!whole && read_line(in, line)) {
		whole = str_starts(buf_str(line), pem_end);
		if (!whole)
			buf_add(&text, line->data, line->len);
	}
	if (text.rc == RC_NOMEM)
		rc = buf_ok(&text, "PEM", err);
	else if (!whole || text.rc != RC_OK)
		rc = tell_why(in, at,
		    whole ? "is longer than any certificate" : "has no END CERTIFICATE", err);
	else
		rc = tell_base64(in, at, buf_str(&text), text.len, err);
	buf_done(&text);
	return rc;
}

/* At the start of a line; or of a field, in a table whose columns all have names of another language. */
static bool
begins_block(const char *line)
{
	const char *quoted = strchr(line, '"');

	for (; quoted != NULL; quoted = strchr(quoted + 1, '"'))
		if (str_starts(quoted + 1, pem_begin))
			return true;
	return str_starts(line, pem_begin);
}

static enum rc
nothing_found(struct err *err)
{
	(void)fail(err, RC_PARSE,
	    "holds neither certificates nor a table with serial numbers or certificates");
	return err_hint(err,
	    "certificates are PEM or DER; of a table of serial numbers the first row names the "
	    "columns: SerialNumber, NotAfter");
}

/* Text around the blocks, as openssl writes it, is skipped. */
static enum rc
read_pem(struct in *in, struct err *err)
{
	struct buf line;
	enum rc rc = RC_OK;

	buf_init(&line, HEAD_MAX);
	while (rc == RC_OK && read_line(in, &line))
		if (begins_block(buf_str(&line)))
			rc = read_block(in, &line, in->line - 1, err);
	if (rc == RC_OK)
		rc = buf_ok(&line, "PEM", err);
	if (rc == RC_OK && in->rows == 0)
		rc = nothing_found(err);
	buf_done(&line);
	return rc;
}

/* ---- the table ---- */

enum column { COLUMN_OTHER, COLUMN_SERIAL, COLUMN_CERT, COLUMN_END };

/* Lower case, letters alone: "Serial Number", "SerialNumber". */
static const struct {
	const char *name;
	enum column is;
} columns[] = {
	{ "serialnumber", COLUMN_SERIAL },
	{ "certificateserialnumber", COLUMN_SERIAL },
	{ "serial", COLUMN_SERIAL },
	{ "rawcertificate", COLUMN_CERT },
	{ "binarycertificate", COLUMN_CERT },
	{ "certificate", COLUMN_CERT },
	{ "notafter", COLUMN_END },
	{ "certificateexpirationdate", COLUMN_END },
};

static enum column
column_of(const char *name)
{
	char plain[NAME_MAX_];
	size_t n = 0;

	for (; *name != '\0' && n + 1 < sizeof(plain); name++)
		if (strchr(" _-", *name) == NULL)
			plain[n++] = *name;
	plain[n] = '\0';
	for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++)
		if (strcasecmp(plain, columns[i].name) == 0)
			return columns[i].is;
	return COLUMN_OTHER;
}

/* A row: its fields one after the other, each with a NUL. */
struct record {
	struct buf text;
	size_t at[CERT_STREAM_COLUMNS], n;
	size_t line;
	bool over; /* too long: what was read of it says nothing */
};
struct table {
	char between;
	enum column is[CERT_STREAM_COLUMNS];
	size_t n;
};

static const char *
field(const struct record *r, size_t i)
{
	return (const char *)r->text.data + r->at[i];
}

static void
begin_field(struct record *r)
{
	if (r->n == CERT_STREAM_COLUMNS)
		r->over = true;
	else
		r->at[r->n++] = r->text.len;
}

/* NULs would end a field too early: they are no text. */
static void
add_char(struct record *r, int c)
{
	if (c != '\0')
		buf_addc(&r->text, (char)c);
}

/* After the opening quote, to the closing one; what comes next. */
static int
read_quoted(struct in *in, struct record *r)
{
	int c;

	while ((c = next(in)) != EOF) {
		if (c == '"' && (c = next(in)) != '"')
			return c;
		add_char(r, c);
	}
	r->over = true; /* the quote was never closed */
	return c;
}

/* False: the file is over. */
static bool
read_record(struct in *in, const struct table *t, struct record *r)
{
	int c;

	buf_reset(&r->text);
	r->text.rc = RC_OK;
	r->n = 0;
	r->over = false;
	r->line = in->line;
	if ((c = next(in)) == EOF)
		return false;
	for (begin_field(r);; c = next(in)) {
		if (c == '"')
			c = read_quoted(in, r);
		if (c == EOF || c == '\n')
			break;
		if (c == t->between) {
			buf_addc(&r->text, '\0');
			begin_field(r);
		} else if (c != '\r') {
			add_char(r, c);
		}
	}
	buf_addc(&r->text, '\0');
	r->over |= r->text.rc != RC_OK;
	return true;
}

/* "2027-11-30", "2027-11-30 10:00:00", "2027-11-30T10:00Z": UTC.  0: none of these. */
static int64_t
date_of(const char *s)
{
	int y, mo, d, h = 0, mi = 0, sec = 0, used = 0;
	struct tm tm = { .tm_isdst = 0 };

	if (sscanf(s, "%4d-%2d-%2d%n", &y, &mo, &d, &used) < 3 || used < 8)
		return 0;
	if (s[used] == ' ' || s[used] == 'T')
		(void)sscanf(s + used + 1, "%2d:%2d:%2d", &h, &mi, &sec);
	if (y < 1970 || mo < 1 || mo > 12 || d < 1 || d > 31 || h < 0 || h > 23 || mi < 0 ||
	    mi > 59 || sec < 0 || sec > 60)
		return 0;
	tm.tm_year = y - 1900;
	tm.tm_mon = mo - 1;
	tm.tm_mday = d;
	tm.tm_hour = h;
	tm.tm_min = mi;
	tm.tm_sec = sec;
	return (int64_t)timegm(&tm);
}

/* As tools print it: spaces, colons, 0x, a line break. */
static bool
serial_of(struct serial *out, const char *s)
{
	char plain[2 * SERIAL_MAX + 8];
	size_t n = 0;

	if (strncasecmp(s, "0x", 2) == 0)
		s += 2;
	for (; *s != '\0' && n + 1 < sizeof(plain); s++)
		if (strchr(" :\t\n\"'", *s) == NULL)
			plain[n++] = *s;
	plain[n] = '\0';
	return n > 0 && serial_from_hex(out, plain, NULL) == RC_OK;
}

static bool
is_empty(const char *s)
{
	return s[strspn(s, " \t\n")] == '\0' || strcasecmp(s, "EMPTY") == 0; /* as certutil says */
}

/* BEGIN and END may be there, and what is between is the certificate. */
static enum rc
tell_field(struct in *in, size_t line, const char *text, struct err *err)
{
	const char *from = strstr(text, pem_begin), *to;

	if (from != NULL) {
		from += sizeof(pem_begin) - 1;
		to = strstr(from, pem_end);
		if (to == NULL)
			return tell_why(in, line, "has no END CERTIFICATE", err);
	} else {
		from = text;
		to = text + strlen(text);
	}
	return tell_base64(in, line, from, (size_t)(to - from), err);
}

/* A request that was refused has neither, and is none of ours. */
static enum rc
tell_record(struct in *in, const struct table *t, const struct record *r, struct err *err)
{
	struct cert_found c = { .line = r->line };
	struct serial serial;
	const char *number = NULL;

	if (r->over)
		return tell_why(in, r->line, "is no row of the table, or too long", err);
	for (size_t i = 0; i < r->n && i < t->n; i++) {
		const char *f = field(r, i);

		if (!is_empty(f) && (t->is[i] == COLUMN_CERT || str_starts(f, pem_begin)))
			return tell_field(in, r->line, f, err);
		if (t->is[i] == COLUMN_SERIAL && !is_empty(f))
			number = f;
		if (t->is[i] == COLUMN_END)
			c.not_after = date_of(f);
	}
	if (number == NULL)
		return RC_OK;
	if (!serial_of(&serial, number))
		return tell_why(in, r->line, "has no serial number in hex", err);
	c.serial = &serial;
	return tell(in, &c, err);
}

/* The first row names the columns; its delimiter is the first that is there. */
static bool
is_table(struct in *in, struct table *t, struct record *r)
{
	size_t known = 0, at = in->head_at;
	char line[HEAD_MAX + 1];

	(void)snprintf(line, sizeof(line), "%s", buf_str(&in->head));
	t->between = strchr(line, ',') != NULL ? ',' : strchr(line, ';') != NULL ? ';' : '\t';
	in->head_only = true;
	if (read_record(in, t, r) && !r->over)
		for (t->n = 0; t->n < r->n; t->n++) {
			t->is[t->n] = column_of(field(r, t->n));
			known += t->is[t->n] == COLUMN_SERIAL || t->is[t->n] == COLUMN_CERT;
		}
	in->head_only = false;
	if (known == 0) {
		in->head_at = at;
		in->line = 1;
	}
	return known > 0;
}

static enum rc
read_text(struct in *in, struct err *err)
{
	struct record r = { .n = 0 };
	struct table t = { .n = 0 };
	enum rc rc = RC_OK;

	buf_init(&r.text, CERT_STREAM_RECORD_MAX);
	if (memchr(in->head.data, '\n', in->head.len) == NULL || !is_table(in, &t, &r)) {
		buf_done(&r.text);
		return read_pem(in, err);
	}
	while (rc == RC_OK && read_record(in, &t, &r))
		rc = r.text.rc == RC_NOMEM ? buf_ok(&r.text, "a row of the table", err)
					   : tell_record(in, &t, &r, err);
	buf_done(&r.text);
	return rc;
}

enum rc
cert_stream_read(FILE *f, size_t *rows, cert_stream_fn *fn, void *arg, struct err *err)
{
	struct in in = { .f = f, .line = 1, .fn = fn, .arg = arg };
	enum rc rc;

	buf_init(&in.head, HEAD_MAX + 2);
	read_head(&in);
	rc = buf_ok(&in.head, "the first line", err);
	if (rc == RC_OK)
		rc = in.head.len == 0 ? fail(err, RC_PARSE, "is empty")
		    : is_der(&in)     ? read_der(&in, err)
				      : read_text(&in, err);
	if (rc == RC_OK && ferror(f))
		rc = fail_errno(err, "read");
	buf_done(&in.head);
	*rows = in.rows;
	return rc;
}
