/*
 * wrong_kit.c - see wrong_kit.h.
 */
#include "wrong_kit.h"

#include <string.h>

const char *const wrong_names[WRONG__MAX] = {
	[WRONG_TRANSPORT] = "wrong PKCS#1 padding",
	[WRONG_CEK_LENGTH] = "a key of a wrong length",
	[WRONG_CBC_NOISE] = "wrong CBC padding, noise inside",
	[WRONG_CONTENT] = "right paddings, noise inside",
	[WRONG_TRUNCATED] = "right paddings, half a request inside",
	[WRONG_CBC] = "wrong CBC padding, a request inside",
	[WRONG_TRAILING] = "right paddings, a request and a byte",
	[WRONG_SIGNATURE] = "right paddings, a request spoiled at its end",
};

static struct buf
with_key(const struct buf *envelope, struct der key)
{
	struct enveloped_parts e;
	struct buf to = new_buf(), out;
	struct der in, whole;
	size_t mark = der_open(&to, DER_SEQUENCE);
	uint8_t tag;

	enveloped_take_apart(&e, envelope);
	assert_true(der_take(&e.recipients, DER_SEQUENCE, &in));
	while (der_any(&in, &tag, NULL, &whole) && in.len > 0)
		buf_add(&to, whole.p, whole.len);
	der_add(&to, DER_OCTET_STRING, key.p, key.len);
	der_close(&to, mark);
	e.recipients = der_of(&to);
	out = enveloped_put_together(&e);
	buf_done(&to);
	return out;
}

/* An envelope whose key we know: of `cek_len` octets, whatever the cipher wants. */
static struct buf
envelope_with(const struct actor *to, struct der content, size_t cek_len, bool spoil_last)
{
	static const struct transport v15 = { TRANSPORT_PKCS1V15, DIGEST_NONE, DIGEST_NONE };
	struct buf e = envelop(to, content, CIPHER_AES128, v15, false), encrypted = new_buf(),
		   wrapped = new_buf(), put, out;
	struct enveloped_parts p;
	struct err err = { 0 };
	struct der alg, iv;
	uint8_t cek[CEK_SIZE_MAX];
	size_t mark;

	enveloped_take_apart(&p, &e);
	alg = p.alg;
	assert_true(der_take(&alg, DER_SEQUENCE, &iv) && der_take(&iv, DER_OID, &alg) &&
	    der_take(&iv, DER_OCTET_STRING, &alg));
	assert_ok(random_bytes(cek, sizeof(cek), &err), err);
	mark = der_open(&encrypted, DER_CTX(0));
	assert_ok(
	    cbc_encrypt(&encrypted, CIPHER_AES128, cek, alg.p, content.p, content.len, &err), err);
	der_close(&encrypted, mark);
	if (spoil_last) /* the block before the last is XORed onto the padding */
		encrypted.data[encrypted.len - 17] ^= 0x55;
	p.encrypted = der_of(&encrypted);
	put = enveloped_put_together(&p);
	assert_ok(key_wrap(&wrapped, to->key, &v15, cek, cek_len, &err), err);
	out = with_key(&put, der_of(&wrapped));
	buf_done(&put);
	buf_done(&wrapped);
	buf_done(&encrypted);
	buf_done(&e);
	return out;
}

struct buf
envelope_wrong(enum wrong k, const struct actor *to)
{
	uint8_t noise[1024], number[512];
	size_t len = world.csr.len, modulus;
	struct err err = { 0 };
	struct buf e, out;

	assert_true(len < sizeof(noise));
	assert_ok(random_bytes(noise, sizeof(noise), &err), err);
	switch (k) {
	case WRONG_TRANSPORT:
		e = envelope_with(to, (struct der){ world.csr.data, len }, 16, false);
		modulus = (size_t)key_info0(to->key)->bits / 8;
		assert_true(modulus <= sizeof(number));
		assert_ok(random_bytes(number, modulus, &err), err);
		number[0] = 0; /* below the modulus */
		out = with_key(&e, (struct der){ number, modulus });
		buf_done(&e);
		return out;
	case WRONG_CBC:
		return envelope_with(to, (struct der){ world.csr.data, len }, 16, true);
	case WRONG_CBC_NOISE:
		return envelope_with(to, (struct der){ noise, len }, 16, true);
	case WRONG_TRAILING:
		memcpy(noise, world.csr.data, len);
		noise[len] = 1;
		return envelope_with(to, (struct der){ noise, len + 1 }, 16, false);
	case WRONG_SIGNATURE:
		memcpy(noise, world.csr.data, len);
		noise[len - 20] ^= 1;
		return envelope_with(to, (struct der){ noise, len }, 16, false);
	case WRONG_CEK_LENGTH:
		return envelope_with(to, (struct der){ world.csr.data, len }, 24, false);
	case WRONG_CONTENT:
		return envelope_with(to, (struct der){ noise, len }, 16, false);
	default: /* WRONG_TRUNCATED */
		memcpy(noise, world.csr.data, len);
		memset(noise + len / 2, 'x', len - len / 2);
		return envelope_with(to, (struct der){ noise, len }, 16, false);
	}
}

struct buf
message_around(const struct buf *envelope)
{
	struct forged f;

	forged_init(&f, envelope);
	f.signer = &world.stranger;
	return forge(&f);
}
