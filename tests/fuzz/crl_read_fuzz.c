/*
 * crl_read_fuzz.c - crl_unpack() and crl_read() on anything; and on what a CA has signed, whose inside is then
 * the input: the first octet says how much of a good list is put before it.
 */
#include <stdlib.h>

#include "ossl/crl_read.h"
#include "ossl/sig_alg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct key *key;
static struct cert *ca;

static void
make_ca(void)
{
	struct serial serial = { { 1 }, 1 };
	struct name n = { 0 };
	struct cert_fields f = { .serial = &serial,
		.issuer = &n,
		.subject = &n,
		.not_before = 1700000000,
		.not_after = 2000000000,
		.digest = DIGEST_SHA256,
		.key_usage = KU_CRL_SIGN,
		.is_ca = true,
		.path_len = -1 };

	if (key_generate(&key, "ec:p256", NULL) != RC_OK ||
	    name_from_text(&n, "CN=Foreign CA", NULL) != RC_OK)
		abort();
	f.subject_key = f.issuer_key = key;
	if (cert_make(&ca, &f, key, NULL) != RC_OK)
		abort();
	name_done(&n);
}

static void
walk(const void *p, size_t len)
{
	struct crl_list l;
	struct crl_revoked r;
	size_t n = 0;

	if (crl_read(&l, p, len, ca, NULL) != RC_OK)
		return;
	while (crl_next(&l.entries, &r)) {
		if (r.serial.len == 0 || r.serial.len > SERIAL_MAX || r.reason < 0 || r.reason > 10)
			__builtin_trap();
		n++;
	}
	if (n != l.n)
		__builtin_trap();
}

/* Version, algorithm and issuer; times; the rest is the input's. */
static void
inside(struct buf *tbs, const uint8_t *data, size_t size)
{
	const struct name *name = cert_subject0(ca);
	size_t mark = der_open(tbs, DER_SEQUENCE);

	der_add_u64(tbs, 1);
	if (sig_alg_add(tbs, KEY_EC, DIGEST_SHA256, NULL) != RC_OK)
		abort();
	buf_add(tbs, name->der, name->der_len);
	if (data[0] & 1) {
		der_add_time(tbs, 1790000000);
		der_add_time(tbs, 1790003600);
	}
	buf_add(tbs, data + 1, size - 1);
	der_close(tbs, mark);
}

static void
signed_list(const uint8_t *data, size_t size)
{
	struct buf tbs, sig, out;
	size_t mark;

	buf_init(&tbs, 1 << 20);
	buf_init(&sig, KEY_SIG_MAX);
	buf_init(&out, 1 << 21);
	inside(&tbs, data, size);
	mark = der_open(&out, DER_SEQUENCE);
	buf_add(&out, tbs.data, tbs.len);
	if (key_sign(&sig, key, DIGEST_SHA256, tbs.data, tbs.len, NULL) != RC_OK ||
	    sig_alg_add(&out, KEY_EC, DIGEST_SHA256, NULL) != RC_OK)
		abort();
	der_add_octet_bits(&out, sig.data, sig.len);
	der_close(&out, mark);
	walk(out.data, out.len);
	buf_done(&tbs);
	buf_done(&sig);
	buf_done(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf room;
	struct der der;

	if (ca == NULL)
		make_ca();
	buf_init(&room, 1 << 20);
	if (crl_unpack(&der, &room, data, size, NULL) == RC_OK)
		walk(der.p, der.len);
	buf_done(&room);
	if (size > 0 && size < (1 << 16))
		signed_list(data, size);
	return 0;
}
