/*
 * cms_ber.c - the door for BER.  One bounded walk decides whether anything has to change; most
 * messages are DER already and are copied as they are.
 */
#include "ossl/cms_ber.h"

#include <stdbool.h>

#include "ossl/der.h"

#define CONSTRUCTED            0x20
#define SEGMENTED_OCTET_STRING (DER_OCTET_STRING | CONSTRUCTED)

struct walk {
	const char *what;
	struct err *err;
	size_t elements; /* seen so far */
};

struct head {
	uint8_t tag;
	bool indefinite;
	bool padded;        /* the length could be written shorter */
	const uint8_t *p;   /* content */
	const uint8_t *end; /* of it; when indefinite, of what holds the element */
};

/* Up to four octets of length after the first. */
static enum rc
long_length(struct walk *w, struct head *h, size_t n, size_t *len)
{
	size_t v = 0;

	if (n > 4 || n > (size_t)(h->end - h->p))
		return fail(w->err, RC_PARSE, "%s: bad length", w->what);
	h->padded = *h->p == 0;
	while (n-- > 0)
		v = v << 8 | *h->p++;
	h->padded = h->padded || v < 0x80;
	*len = v;
	return RC_OK;
}

static enum rc
head_read(struct walk *w, const uint8_t *p, const uint8_t *end, struct head *h)
{
	size_t len = 0;
	enum rc rc;

	if (end - p < 2)
		return fail(w->err, RC_PARSE, "%s: cut short", w->what);
	*h = (struct head){ .tag = p[0], .indefinite = p[1] == 0x80, .p = p + 2, .end = end };
	if ((p[0] & 0x1f) == 0x1f || p[0] == 0)
		return fail(w->err, RC_PARSE, "%s: tag 0x%02x is not used here", w->what, p[0]);
	if (h->indefinite) {
		if ((h->tag & CONSTRUCTED) == 0)
			return fail(w->err, RC_PARSE, "%s: bad length", w->what);
		return RC_OK;
	}
	if (p[1] < 0x80)
		len = p[1];
	else if ((rc = long_length(w, h, p[1] & 0x7f, &len)) != RC_OK)
		return rc;
	if (len > (size_t)(end - h->p))
		return fail(w->err, RC_PARSE, "%s: longer than what holds it", w->what);
	h->end = h->p + len;
	return RC_OK;
}

/* Is there one more element inside?  An indefinite one ends with two zero octets (X.690 8.1.5). */
static bool
more(const struct head *h, const uint8_t *p)
{
	if (!h->indefinite)
		return p < h->end;
	return h->end - p < 2 || p[0] != 0 || p[1] != 0;
}

/* Walk over the element at *pp.  *ber becomes true when something in it has to change. */
static enum rc
scan(struct walk *w, const uint8_t **pp, const uint8_t *end, unsigned depth, bool *ber)
{
	const uint8_t *p;
	struct head h;
	enum rc rc;

	if (depth > BER_DEPTH_MAX || ++w->elements > BER_ELEMENTS_MAX)
		return fail(w->err, RC_LIMIT, "%s: nested too deep or too many elements", w->what);
	if ((rc = head_read(w, *pp, end, &h)) != RC_OK)
		return rc;
	*ber = *ber || h.indefinite || h.padded || h.tag == SEGMENTED_OCTET_STRING;
	p = h.p;
	if ((h.tag & CONSTRUCTED) == 0)
		p = h.end;
	else
		while (more(&h, p))
			if ((rc = scan(w, &p, h.end, depth + 1, ber)) != RC_OK)
				return rc;
	*pp = h.indefinite ? p + 2 : p;
	return RC_OK;
}

/* The segments of an OCTET STRING, one after the other; they may be segmented themselves. */
static enum rc
flatten(struct walk *w, struct buf *out, const uint8_t **pp, const uint8_t *end)
{
	const uint8_t *p;
	struct head h;
	enum rc rc;

	if ((rc = head_read(w, *pp, end, &h)) != RC_OK)
		return rc;
	if (h.tag == DER_OCTET_STRING) {
		buf_add(out, h.p, (size_t)(h.end - h.p));
		*pp = h.end;
		return RC_OK;
	}
	if (h.tag != SEGMENTED_OCTET_STRING)
		return fail(
		    w->err, RC_PARSE, "%s: tag 0x%02x inside an OCTET STRING", w->what, h.tag);
	for (p = h.p; more(&h, p);)
		if ((rc = flatten(w, out, &p, h.end)) != RC_OK)
			return rc;
	*pp = h.indefinite ? p + 2 : p;
	return RC_OK;
}

static enum rc convert(struct walk *w, struct buf *out, const uint8_t **pp, const uint8_t *end);

/* An element that does change.  The first walk has bounded depth and number. */
static enum rc
rewrite(struct walk *w, struct buf *out, const uint8_t *p, const uint8_t *end)
{
	struct head h;
	size_t mark;
	enum rc rc;

	if ((rc = head_read(w, p, end, &h)) != RC_OK)
		return rc;
	if ((h.tag & CONSTRUCTED) == 0) {
		der_add(out, h.tag, h.p, (size_t)(h.end - h.p));
		return RC_OK;
	}
	if (h.tag == SEGMENTED_OCTET_STRING) {
		mark = der_open(out, DER_OCTET_STRING);
		rc = flatten(w, out, &p, end);
	} else {
		mark = der_open(out, h.tag);
		for (p = h.p; more(&h, p) && rc == RC_OK;)
			rc = convert(w, out, &p, h.end);
	}
	der_close(out, mark);
	return rc;
}

static enum rc
convert(struct walk *w, struct buf *out, const uint8_t **pp, const uint8_t *end)
{
	const uint8_t *p = *pp;
	bool ber = false;
	enum rc rc;

	w->elements = 0;
	if ((rc = scan(w, pp, end, 0, &ber)) != RC_OK)
		return rc;
	if (ber)
		return rewrite(w, out, p, end);
	buf_add(out, p, (size_t)(*pp - p));
	return RC_OK;
}

enum rc
ber_normalise(struct buf *out, const void *bytes, size_t len, const char *what, struct err *err)
{
	struct walk w = { .what = what, .err = err };
	const uint8_t *p = bytes, *end;
	bool ber = false;
	enum rc rc;

	if (len == 0)
		return fail(err, RC_PARSE, "%s: empty", what);
	end = p + len;
	if ((rc = scan(&w, &p, end, 0, &ber)) != RC_OK)
		return rc;
	if (p != end)
		return fail(err, RC_PARSE, "%s: %zu bytes after the end", what, (size_t)(end - p));
	p = bytes;
	if (!ber)
		buf_add(out, p, len);
	else if ((rc = rewrite(&w, out, p, end)) != RC_OK)
		return rc;
	return buf_ok(out, what, err);
}
