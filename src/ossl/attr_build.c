/*
 * attr_build.c - see attr_build.h.
 */
#include "ossl/attr_build.h"

#include "ossl/der.h"

struct attr_mark
attr_open(struct buf *b, const char *oid)
{
	struct attr_mark m;

	m.seq = der_open(b, DER_SEQUENCE);
	(void)der_add_oid(b, oid);
	m.set = der_open(b, DER_SET);
	return m;
}

void
attr_close(struct buf *b, struct attr_mark m)
{
	der_close(b, m.set);
	der_close(b, m.seq);
}
