/*
 * fault_body.c - answers that are changed on their way out.
 *
 * A body that cannot be changed so (no JSON, no such member) stays as it is.
 */
#include <string.h>

#include "intunesim/fault_kinds.h"

static void
replace(struct buf *body, struct buf *by)
{
	if (by->rc == RC_OK) {
		buf_reset(body);
		buf_add(body, by->data, by->len);
	}
	buf_done(by);
}

/* Do something to the answer's object and, where that is a list, to those in it. */
static void
edit(struct buf *body, bool (*each)(json_t *o, const void *arg), const void *arg)
{
	json_t *o, *entry;
	struct buf text;
	size_t i;

	if (json_parse(&o, body->data, body->len, NULL) != RC_OK)
		return;
	if (json_is_object(o) && !each(o, arg))
		json_array_foreach(json_object_get(o, "value"), i, entry) each(entry, arg);
	buf_init(&text, HTTP_REPLY_MAX);
	if (json_add_text(&text, o, NULL) == RC_OK)
		replace(body, &text);
	else
		buf_done(&text);
	json_decref(o);
}

struct removal {
	const char *member;
	bool to_null;
};

/* True when it was there: then those in a list are left alone. */
static bool
drop_one(json_t *o, const void *arg)
{
	const struct removal *r = arg;

	if (json_object_get(o, r->member) == NULL)
		return false;
	if (r->to_null)
		json_object_set_new(o, r->member, json_null());
	else
		json_object_del(o, r->member);
	return true;
}

void
fault_drop(struct buf *body, const char *member, bool to_null)
{
	edit(body, drop_one, &(struct removal){ member, to_null });
}

static bool
add_unknown(json_t *o, const void *arg)
{
	const char *member = arg;

	json_object_set_new(o, member,
	    json_pack("{s:[i, n, {s:s}], s:f, s:b}", "list", 1, "text", "\xc3\xb6\xe2\x82\xac",
		"number", 1e300, "flag", 1));
	return false;
}

void
fault_add_unknown(struct buf *body)
{
	edit(body, add_unknown, "@sim.unknown");
}

/* Put text behind the brace that opens the object; false when the body is no object with members. */
static bool
insert(struct buf *body, const struct buf *text)
{
	struct buf whole;

	if (body->len < 3 || body->data[0] != '{' || text->rc != RC_OK)
		return false;
	buf_init(&whole, HTTP_REPLY_MAX);
	buf_addc(&whole, '{');
	buf_add(&whole, text->data, text->len);
	buf_addc(&whole, ',');
	buf_add(&whole, body->data + 1, body->len - 1);
	replace(body, &whole);
	return true;
}

/* The value that the member has, or the string that is given. */
static json_t *
second_value(const struct buf *body, const char *member, const char *value)
{
	json_t *o, *v;

	if (value[0] != '\0')
		return json_string(value);
	if (json_parse(&o, body->data, body->len, NULL) != RC_OK)
		return NULL;
	v = json_incref(json_object_get(o, member));
	json_decref(o);
	return v;
}

void
fault_duplicate(struct buf *body, const char *member, const char *value)
{
	json_t *v = second_value(body, member, value), *pair = json_pack("{s:O?}", member, v);
	struct buf text, object;

	buf_init(&text, HTTP_REPLY_MAX);
	buf_init(&object, HTTP_REPLY_MAX);
	/* {"name":value} without its braces. */
	if (v != NULL && pair != NULL && json_add_text(&object, pair, NULL) == RC_OK) {
		buf_add(&text, object.data + 1, object.len - 2);
		insert(body, &text);
	}
	json_decref(pair);
	json_decref(v);
	buf_done(&text);
	buf_done(&object);
}

void
fault_pad(struct buf *body, size_t bytes)
{
	struct buf text;
	uint8_t *p;

	buf_init(&text, FAULT_BYTES_MAX + 64);
	buf_adds(&text, "\"@sim.padding\":\"");
	if ((p = buf_grow(&text, bytes)) != NULL)
		memset(p, 'x', bytes);
	buf_addc(&text, '"');
	if (!insert(body, &text) && (p = buf_grow(body, bytes)) != NULL)
		memset(p, ' ', bytes);
	buf_done(&text);
}

/* ---- gzip (RFC 1952), of stored blocks (RFC 1951 3.2.4): no compressor is needed to be right ---- */

#define BLOCK_MAX 65535u

static uint32_t
crc32_of(const uint8_t *p, size_t len)
{
	uint32_t crc = 0xffffffffu;

	for (size_t i = 0; i < len; i++) {
		crc ^= p[i];
		for (int bit = 0; bit < 8; bit++)
			crc = (crc >> 1) ^ (0xedb88320u & (0u - (crc & 1)));
	}
	return ~crc;
}

static void
add_le(struct buf *out, uint32_t v, size_t octets)
{
	for (size_t i = 0; i < octets; i++)
		buf_addc(out, (char)(v >> (8 * i)));
}

static void
add_blocks(struct buf *out, const struct buf *body)
{
	size_t from = 0, n;

	do {
		n = body->len - from < BLOCK_MAX ? body->len - from : BLOCK_MAX;
		buf_addc(out, from + n == body->len);
		add_le(out, (uint32_t)n, 2);
		add_le(out, ~(uint32_t)n, 2);
		buf_add(out, body->data + from, n);
		from += n;
	} while (from < body->len);
}

void
fault_gzip(struct buf *body, bool broken)
{
	static const uint8_t header[] = { 0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff };
	struct buf z;

	buf_init(&z, HTTP_REPLY_MAX);
	buf_add(&z, header, sizeof(header));
	add_blocks(&z, body);
	add_le(&z, crc32_of(body->data, body->len) ^ broken, 4);
	add_le(&z, (uint32_t)body->len, 4);
	replace(body, &z);
}
