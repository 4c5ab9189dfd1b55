/*
 * token_uri.c - RFC 7512, as far as it names a private key.
 */
#include "ossl/token_uri.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define SCHEME    "pkcs11:"
#define SHOWN_MAX 160

enum form { FORM_TEXT, FORM_ID, FORM_SLOT, FORM_TYPE, FORM_PIN_SOURCE, FORM_REFUSED };

/* RFC 7512 2.3, the rows of which it speaks for a path and for a query. */
static const struct attr {
	const char *name;
	bool query;
	enum form form;
	size_t offset, size; /* of the field; an octet of it is for the NUL of a text */
	const char *why;     /* refused: what to do instead */
} attrs[] = {
#define FIELD(f) offsetof(struct token_uri, f), sizeof(((struct token_uri *)0)->f)
	{ "token", false, FORM_TEXT, FIELD(token), NULL },
	{ "manufacturer", false, FORM_TEXT, FIELD(manufacturer), NULL },
	{ "model", false, FORM_TEXT, FIELD(model), NULL },
	{ "serial", false, FORM_TEXT, FIELD(serial), NULL },
	{ "object", false, FORM_TEXT, FIELD(object), NULL },
	{ "id", false, FORM_ID, FIELD(id), NULL },
	{ "slot-id", false, FORM_SLOT, FIELD(slot), NULL },
	{ "type", false, FORM_TYPE, 0, 0, NULL },
	{ "pin-source", true, FORM_PIN_SOURCE, FIELD(pin_source), NULL },
	{ "pin-value", true, FORM_REFUSED, 0, 0,
	    "use pin_file or pin-source: a PIN in a URI gets into logs" },
	{ "module-name", true, FORM_REFUSED, 0, 0,
	    "set pkcs11.module: one library serves all keys" },
	{ "module-path", true, FORM_REFUSED, 0, 0,
	    "set pkcs11.module: one library serves all keys" },
#undef FIELD
};

#define N(a) (sizeof(a) / sizeof((a)[0]))

/* A run of bytes of the URI. */
struct part {
	const char *p;
	size_t len;
};

/* unreserved and pk11-res-avail of RFC 7512 2.3, and what a path or a query has beyond them. */
static bool
is_plain(char c, bool query)
{
	static const char others[] = "-._~:[]@!$'()*+,=";

	if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'))
		return true;
	return c != '\0' && (strchr(others, c) != NULL || strchr(query ? "/?|" : "&", c) != NULL);
}

/* Percent-decoding into at most `max` octets; *n of them. */
static enum rc
decode(uint8_t *out, size_t max, size_t *n, const struct attr *a, struct part v, struct err *err)
{
	size_t i, len = 0;
	uint8_t c;

	for (i = 0; i < v.len; i++) {
		c = (uint8_t)v.p[i];
		if (c == '%' && (v.len - i < 3 || hex_decode(&c, 1, v.p + i + 1, 2, NULL) != RC_OK))
			return fail(err, RC_CONFIG, "%s: a %% without two hex digits", a->name);
		if (v.p[i] == '%')
			i += 2;
		else if (!is_plain(v.p[i], a->query))
			return fail(err, RC_CONFIG, "%s: octet %02x has to be written %%%02X",
			    a->name, c, c);
		if (len == max)
			return fail(err, RC_CONFIG, "%s is longer than %zu octets", a->name, max);
		out[len++] = c;
	}
	if (len == 0)
		return fail(err, RC_CONFIG, "%s is empty", a->name);
	*n = len;
	return RC_OK;
}

/* A text with its NUL, and none inside. */
static enum rc
decode_text(char *out, size_t size, const struct attr *a, struct part v, struct err *err)
{
	size_t n = 0;
	enum rc rc = decode((uint8_t *)out, size - 1, &n, a, v, err);

	if (rc != RC_OK)
		return rc;
	out[n] = '\0';
	if (!utf8_valid((const uint8_t *)out, n))
		return fail(err, RC_CONFIG, "%s is no UTF-8 text", a->name);
	return RC_OK;
}

/* RFC 7512 2.4: a file: URI or a path.  A command ("|...") would run with the keys of the CA at hand. */
static enum rc
read_pin_source(struct token_uri *u, const struct attr *a, struct part v, struct err *err)
{
	char text[sizeof u->pin_source];
	const char *p = text;
	enum rc rc = decode_text(text, sizeof text, a, v, err);

	if (rc != RC_OK)
		return rc;
	if (str_starts(p, "file:")) {
		p += strlen("file:");
		if (str_starts(p, "///"))
			p += 2;
	}
	if (!(p[0] == '/' && p[1] != '/') && (p != text || !str_starts(p, "credential:")))
		return fail(err, RC_CONFIG, "pin-source is no absolute path, file: or credential:");
	snprintf(u->pin_source, sizeof u->pin_source, "%s", p);
	return RC_OK;
}

static enum rc
read_slot(struct token_uri *u, const struct attr *a, struct part v, struct err *err)
{
	char text[24];
	enum rc rc = decode_text(text, sizeof text, a, v, err);

	if (rc == RC_OK && parse_u64(&u->slot, text, 0, UINT32_MAX, a->name, err) != RC_OK)
		rc = fail(err, RC_CONFIG, "slot-id is no number");
	if (rc == RC_OK)
		u->has_slot = true;
	return rc;
}

static enum rc
read_type(const struct attr *a, struct part v, struct err *err)
{
	char text[16];
	enum rc rc = decode_text(text, sizeof text, a, v, err);

	if (rc == RC_OK && strcmp(text, "private") != 0)
		rc = fail(err, RC_CONFIG, "type is not private, and only a private key is of use");
	return rc;
}

static enum rc
read_value(struct token_uri *u, const struct attr *a, struct part v, struct err *err)
{
	char *field = (char *)u + a->offset;
	enum rc rc;

	switch (a->form) {
	case FORM_TEXT:
		return decode_text(field, a->size, a, v, err);
	case FORM_ID:
		return decode(u->id, sizeof u->id, &u->id_len, a, v, err);
	case FORM_SLOT:
		return read_slot(u, a, v, err);
	case FORM_TYPE:
		return read_type(a, v, err);
	case FORM_PIN_SOURCE:
		return read_pin_source(u, a, v, err);
	case FORM_REFUSED:
		break;
	}
	rc = fail(err, RC_CONFIG, "%s is not taken in a URI here", a->name);
	err_hint(err, "%s", a->why);
	return rc;
}

/* The row of a name; NULL: unknown in this place. */
static const struct attr *
find_attr(struct part name, bool query)
{
	size_t i;

	for (i = 0; i < N(attrs); i++)
		if (attrs[i].query == query && strlen(attrs[i].name) == name.len &&
		    memcmp(attrs[i].name, name.p, name.len) == 0)
			return &attrs[i];
	return NULL;
}

/* One "name=value"; each at most once (RFC 7512 2.3).  The value is not shown: it may be a PIN. */
static enum rc
read_attr(struct token_uri *u, unsigned *seen, struct part part, bool query, struct err *err)
{
	const char *eq = memchr(part.p, '=', part.len);
	struct part name = { part.p, eq != NULL ? (size_t)(eq - part.p) : part.len };
	const struct attr *a = find_attr(name, query);
	unsigned bit;
	enum rc rc;

	if (eq == NULL)
		return fail(err, RC_CONFIG, "an attribute without a value");
	if (a == NULL) {
		rc = fail(err, RC_CONFIG, "attribute \"%.*s\" is not known %s",
		    (int)(name.len < 32 ? name.len : 32), name.p,
		    query ? "after the ?" : "before the ?");
		err_hint(err,
		    "token, serial, slot-id, manufacturer, model; object, id, type; ?pin-source");
		return rc;
	}
	bit = 1u << (unsigned)(a - attrs);
	if ((*seen & bit) != 0)
		return fail(err, RC_CONFIG, "%s is there twice", a->name);
	*seen |= bit;
	return read_value(u, a, (struct part){ eq + 1, part.len - name.len - 1 }, err);
}

/* Attributes between separators; an empty run has none. */
static enum rc
read_attrs(struct token_uri *u, unsigned *seen, struct part all, bool query, struct err *err)
{
	enum rc rc = RC_OK;

	while (rc == RC_OK && all.len > 0) {
		const char *end = memchr(all.p, query ? '&' : ';', all.len);
		size_t len = end != NULL ? (size_t)(end - all.p) : all.len;

		rc = read_attr(u, seen, (struct part){ all.p, len }, query, err);
		all.p += len;
		all.len -= len;
		if (rc == RC_OK && all.len == 1)
			rc = fail(err, RC_CONFIG, "a separator at the end");
		if (all.len > 0) {
			all.p++;
			all.len--;
		}
	}
	return rc;
}

enum rc
token_uri_parse(struct token_uri *out, const char *text, size_t len, struct err *err)
{
	const size_t scheme = strlen(SCHEME);
	struct token_uri u = { .has_slot = false };
	const char *mark;
	struct part path;
	unsigned seen = 0;
	enum rc rc;

	if (len > TOKEN_URI_MAX)
		return fail(err, RC_CONFIG, "a URI of %zu octets is too long", len);
	if (len < scheme || memcmp(text, SCHEME, scheme) != 0)
		return fail(err, RC_CONFIG, "this is no pkcs11: URI");
	path = (struct part){ text + scheme, len - scheme };
	mark = memchr(path.p, '?', path.len);
	if (mark != NULL)
		path.len = (size_t)(mark - path.p);
	rc = read_attrs(&u, &seen, path, false, err);
	if (rc == RC_OK && mark != NULL)
		rc = read_attrs(
		    &u, &seen, (struct part){ mark + 1, len - scheme - path.len - 1 }, true, err);
	if (rc == RC_OK && u.object[0] == '\0' && u.id_len == 0) {
		rc = fail(err, RC_CONFIG, "the URI names no key");
		err_hint(err, "object=LABEL or id=%%01");
	}
	if (rc == RC_OK)
		*out = u;
	return rc;
}

int
token_uri_shown(const char *text)
{
	size_t len = strcspn(text, "?");

	return (int)(len < SHOWN_MAX ? len : SHOWN_MAX);
}
