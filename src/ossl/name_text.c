/*
 * name_text.c - distinguished names from the text that Intune profiles and administrators write.
 */
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "ossl/der.h"
#include "ossl/der_text.h"
#include "ossl/name.h"
#include "ossl/name_labels.h"

#define NAME_TEXT_MAX (8u * KIB) /* no profile field holds as much */

/* What is being read, and the DER that has come of it. */
struct reader {
	const char *p;
	struct buf rdns;
	size_t set;   /* mark of the RDN that is open */
	size_t attrs; /* so far */
};

static void
skip_blanks(struct reader *r)
{
	while (*r->p == ' ' || *r->p == '\t')
		r->p++;
}

static enum rc
read_key(struct reader *r, char *out, size_t size, struct err *err)
{
	size_t n;

	skip_blanks(r);
	n = strcspn(r->p, "=,;+\"");
	if (r->p[n] != '=')
		return fail(err, RC_PARSE, "the name lacks '=' at \"%.20s\"", r->p);
	while (n > 0 && (r->p[n - 1] == ' ' || r->p[n - 1] == '\t'))
		n--;
	if (n == 0 || n >= size)
		return fail(
		    err, RC_PARSE, "the name has no known attribute before '=' at \"%.20s\"", r->p);
	memcpy(out, r->p, n);
	out[n] = '\0';
	r->p += strcspn(r->p, "=") + 1;
	skip_blanks(r);
	return RC_OK;
}

static int
hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef0123456789ABCDEF";
	const char *at = c != '\0' ? strchr(digits, c) : NULL;

	return at != NULL ? (int)(at - digits) % 16 : -1;
}

/* What follows a backslash outside quotes (RFC 4514 3). */
static enum rc
read_escape(struct reader *r, struct buf *value, struct err *err)
{
	const char *p = r->p + 1;

	if (*p != '\0' && strchr(" \"#+,;<=>\\", *p) != NULL) {
		buf_addc(value, *p);
		r->p += 2;
		return RC_OK;
	}
	if (hex_digit(p[0]) < 0 || hex_digit(p[1]) < 0)
		return fail(err, RC_PARSE, "the name has a stray backslash at \"%.20s\"", r->p);
	buf_addc(value, (char)(hex_digit(p[0]) << 4 | hex_digit(p[1])));
	r->p += 3;
	return RC_OK;
}

/* "..." with "" for a quote; a backslash there escapes only a quote or itself, so that
 * "DOMAIN\user" stays. */
static enum rc
read_quoted(struct reader *r, struct buf *value, struct err *err)
{
	for (r->p++; *r->p != '\0'; r->p++) {
		if (*r->p == '"') {
			if (r->p[1] != '"') {
				r->p++;
				skip_blanks(r);
				return RC_OK;
			}
			r->p++;
		} else if (*r->p == '\\' && (r->p[1] == '"' || r->p[1] == '\\'))
			r->p++;
		buf_addc(value, *r->p);
	}
	return fail(err, RC_PARSE, "the name has a quote that is not closed");
}

static enum rc
read_plain(struct reader *r, struct buf *value, struct err *err)
{
	size_t end = 0; /* past the last octet that is no trailing blank */
	enum rc rc;

	while (*r->p != '\0' && strchr(",;+", *r->p) == NULL) {
		if (*r->p == '"')
			return fail(err, RC_PARSE, "the name has a quote in the middle of a value");
		if (*r->p == '\\') {
			if ((rc = read_escape(r, value, err)) != RC_OK)
				return rc;
			end = value->len;
			continue;
		}
		buf_addc(value, *r->p);
		if (*r->p != ' ' && *r->p != '\t')
			end = value->len;
		r->p++;
	}
	value->len = end;
	if (value->data != NULL)
		value->data[end] = '\0';
	return RC_OK;
}

static enum rc
read_value(struct reader *r, struct buf *value, struct err *err)
{
	enum rc rc = *r->p == '"' ? read_quoted(r, value, err) : read_plain(r, value, err);

	if (rc == RC_OK)
		rc = buf_ok(value, "value in a name", err);
	if (rc == RC_OK && memchr(buf_str(value), '\0', value->len) != NULL)
		return fail(err, RC_PARSE, "the name holds a NUL");
	return rc;
}

static bool
fits(uint8_t tag, const char *value)
{
	if (tag == DER_PRINTABLE)
		return text_is_printable_string(value);
	if (tag == DER_IA5)
		return text_is_ascii(value);
	return text_is_clean(value);
}

static enum rc
add_attr(struct reader *r, const char *key, const char *value, struct err *err)
{
	const struct name_label *label;
	const char *oid = strncasecmp(key, "OID.", 4) == 0 ? key + 4 : key;
	uint8_t tag = DER_UTF8;
	size_t mark;

	if ((label = name_label_by_key(key)) == NULL)
		label = name_label_by_oid(oid);
	if (label != NULL) {
		oid = label->oid;
		tag = label->tag;
	}
	if (!fits(tag, value))
		return fail(
		    err, RC_PARSE, "the value of %s holds characters that cannot stand there", key);
	if (++r->attrs > NAME_ATTRS_MAX)
		return fail(err, RC_PARSE, "the name has more than %d attributes", NAME_ATTRS_MAX);
	mark = der_open(&r->rdns, DER_SEQUENCE);
	if (!der_add_oid(&r->rdns, oid))
		return fail(err, RC_PARSE, "\"%s\" is no attribute of a name", key);
	der_add_text(&r->rdns, tag, value);
	der_close(&r->rdns, mark);
	return RC_OK;
}

static enum rc
read_attr(struct reader *r, struct err *err)
{
	struct buf value;
	char key[OID_TEXT_MAX + 4]; /* "OID." */
	enum rc rc;

	buf_init(&value, NAME_TEXT_MAX);
	rc = read_key(r, key, sizeof key, err);
	if (rc == RC_OK)
		rc = read_value(r, &value, err);
	if (rc == RC_OK)
		rc = add_attr(r, key, buf_str(&value), err);
	buf_done(&value);
	return rc;
}

static void
close_rdn(struct reader *r)
{
	der_sort(&r->rdns, r->set + 2); /* a SET OF; der_open() wrote two octets */
	der_close(&r->rdns, r->set);
}

static enum rc
read_name(struct reader *r, struct err *err)
{
	enum rc rc;
	char c;

	skip_blanks(r);
	if (*r->p == '\0')
		return RC_OK;
	r->set = der_open(&r->rdns, DER_SET);
	for (;;) {
		if ((rc = read_attr(r, err)) != RC_OK)
			return rc;
		c = *r->p;
		if (c == '\0')
			break;
		if (c != ',' && c != ';' && c != '+')
			return fail(
			    err, RC_PARSE, "the name goes on after a quote at \"%.20s\"", r->p);
		r->p++;
		if (c == '+')
			continue;
		close_rdn(r);
		r->set = der_open(&r->rdns, DER_SET);
	}
	close_rdn(r);
	return RC_OK;
}

enum rc
name_from_text(struct name *out, const char *text, struct err *err)
{
	struct reader r = { .p = text };
	size_t mark;
	enum rc rc;

	if (strlen(text) > NAME_TEXT_MAX)
		return fail(err, RC_LIMIT, "the name is longer than %u bytes", NAME_TEXT_MAX);
	buf_init(&r.rdns, 4 * NAME_TEXT_MAX);
	mark = der_open(&r.rdns, DER_SEQUENCE);
	rc = read_name(&r, err);
	der_close(&r.rdns, mark);
	if (rc == RC_OK)
		rc = buf_ok(&r.rdns, "name", err);
	if (rc == RC_OK)
		rc = name_parse(out, r.rdns.data, r.rdns.len, err);
	buf_done(&r.rdns);
	return rc;
}
