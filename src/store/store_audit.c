/*
 * store_audit.c - hashing and wording of audit rows.
 */
#include "store/store_audit.h"

#include <stdbool.h>
#include <string.h>

#include "base/text.h"
#include "ossl/alg.h"
#include "store/store_backend.h"

static void
add_u64(struct buf *b, uint64_t v)
{
	uint8_t be[8];

	for (int i = 7; i >= 0; i--, v >>= 8)
		be[i] = (uint8_t)v;
	buf_add(b, be, sizeof(be));
}

static void
add_text(struct buf *b, const char *s)
{
	size_t len = strlen(s);

	add_u64(b, len);
	buf_add(b, s, len);
}

enum rc
audit_chain(struct audit_head *head, int64_t when_ms, const char *event, const char *detail,
    struct err *err)
{
	struct buf b;
	enum rc rc;

	buf_init(&b, AUDIT_DETAIL_MAX + STORE_TEXT_MAX + 128);
	buf_add(&b, head->hash, sizeof(head->hash));
	add_u64(&b, (uint64_t)head->seq + 1);
	add_u64(&b, (uint64_t)when_ms);
	add_text(&b, event);
	add_text(&b, detail);
	rc = buf_ok(&b, "audit row", err);
	if (rc == RC_OK)
		rc = digest_bytes(head->hash, DIGEST_SHA256, b.data, b.len, err);
	if (rc == RC_OK)
		head->seq++;
	buf_done(&b);
	return rc;
}

static bool
is_plain(unsigned char c)
{
	return c >= 0x20 && c != 0x7f && c != '"' && c != '\\';
}

static void
add_escaped(struct buf *b, const char *s)
{
	while (*s != '\0') {
		const char *start = s;

		while (*s != '\0' && is_plain((unsigned char)*s))
			s++;
		buf_add(b, start, (size_t)(s - start));
		if (*s == '"' || *s == '\\')
			buf_addf(b, "\\%c", *s++);
		else if (*s != '\0')
			buf_addf(b, "\\x%02X", (unsigned char)*s++);
	}
}

static void
add_key(struct buf *b, const char *key)
{
	if (b->len > 0)
		buf_addc(b, ' ');
	buf_adds(b, key);
	buf_addc(b, '=');
}

void
audit_field(struct buf *detail, const char *key, const char *value)
{
	if (value == NULL)
		return;
	add_key(detail, key);
	buf_addc(detail, '"');
	add_escaped(detail, value);
	buf_addc(detail, '"');
}

void
audit_hex(struct buf *detail, const char *key, const uint8_t *p, size_t len)
{
	char *to;

	add_key(detail, key);
	to = (char *)buf_grow(detail, 2 * len + 1);
	if (to == NULL)
		return;
	hex_upper(to, p, len);
	detail->len--; /* hex_upper() wrote a NUL */
}
