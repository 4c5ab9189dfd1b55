/*
 * crl_kit.c - see crl_kit.h.
 */
#include "crl_kit.h"

#include "base/limits.h"
#include "fixture.h"

#define ENTRY_MAX 64 /* octets */

/* As far as what is to be signed; the caller abandons or finishes the writer, and frees `out`. */
static struct der
begin(struct crl_writer *w, struct buf *out, const struct crl_scope *s, const struct crl_fields *f)
{
	struct err err = { 0 };
	struct der tbs;

	buf_init(out, f->n_entries * ENTRY_MAX + 2 * LIMIT_CERT);
	assert_ok(crl_begin(w, out, s, &err), err);
	for (size_t i = 0; i < f->n_entries; i++)
		crl_add(w, f->entries[i].serial.v, f->entries[i].serial.len, f->entries[i].when,
		    f->entries[i].reason);
	assert_ok(crl_tbs(w, f->number, &tbs, &err), err);
	return tbs;
}

static struct crl_scope
scope_of(const struct crl_fields *f)
{
	return (struct crl_scope){ .issuer = f->issuer,
		.digest = f->digest,
		.this_update = f->this_update,
		.next_update = f->next_update };
}

void
crl_kit_tbs(struct buf *tbs, const struct crl_fields *f)
{
	struct crl_scope s = scope_of(f);
	struct err err = { 0 };
	struct crl_writer w;
	struct buf out;
	struct der bytes = begin(&w, &out, &s, f);

	buf_add(tbs, bytes.p, bytes.len);
	assert_ok(buf_ok(tbs, "list", &err), err);
	crl_abandon(&w);
	buf_done(&out);
}

void
crl_kit(struct buf *crl, const struct crl_fields *f, const struct key *key)
{
	struct crl_scope s = scope_of(f);
	struct err err = { 0 };
	struct crl_writer w;
	struct buf out, sig;
	struct der tbs = begin(&w, &out, &s, f);

	buf_init(&sig, KEY_SIG_MAX);
	assert_ok(key_sign(&sig, key, f->digest, tbs.p, tbs.len, &err), err);
	assert_ok(crl_finish(&w, sig.data, sig.len, NULL, &err), err);
	buf_add(crl, out.data, out.len);
	assert_ok(buf_ok(crl, "list", &err), err);
	buf_done(&sig);
	buf_done(&out);
}
