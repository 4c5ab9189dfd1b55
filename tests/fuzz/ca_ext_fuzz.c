/*
 * ca_ext_fuzz.c - constraints_parse() and policies_parse() on anything; what is read is written and
 * read again.
 */
#include "ossl/ca_ext.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
hold_against(const struct constraints *l)
{
	struct san san = { SAN_DNS, (char *)"a.contoso.com" };
	struct san_list list = { &san, 1 };
	struct name subject = { 0 };
	enum san_type t;

	if (name_from_text(&subject, "O=Contoso,CN=pc1.contoso.com,E=a@contoso.com", NULL) != RC_OK)
		__builtin_trap();
	for (t = SAN_EMAIL; t < SAN__MAX; t++) {
		san.type = t;
		(void)!constraints_check(l, "it", &subject, &list, NULL);
	}
	name_done(&subject);
}

static void
constraints(const uint8_t *data, size_t size)
{
	struct constraints l = { 0 }, again = { 0 };
	struct buf b;

	if (constraints_parse(&l, data, size, NULL) != RC_OK)
		return;
	hold_against(&l);
	buf_init(&b, 1 << 20);
	if (constraints_write(&b, &l, NULL) == RC_OK &&
	    (constraints_parse(&again, b.data, b.len, NULL) != RC_OK || again.n != l.n))
		__builtin_trap();
	constraints_done(&again);
	constraints_done(&l);
	buf_done(&b);
}

static void
policies(const uint8_t *data, size_t size)
{
	struct policies l = { 0 }, again = { 0 };
	struct buf b;

	if (policies_parse(&l, data, size, NULL) != RC_OK)
		return;
	buf_init(&b, 1 << 20);
	if (policies_write(&b, &l, NULL) != RC_OK ||
	    policies_parse(&again, b.data, b.len, NULL) != RC_OK || again.n != l.n)
		__builtin_trap();
	policies_done(&again);
	policies_done(&l);
	buf_done(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	constraints(data, size);
	policies(data, size);
	return 0;
}
