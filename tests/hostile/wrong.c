/*
 * wrong.c - writes messages that are wrong, each in one way, for a server that runs:
 *
 *	wrong RA.pem FOLDER
 *
 * A file is NAME=ANSWER.der; ANSWER is 400 for what is no message that could be answered, or the failInfo of
 * the signed FAILURE (several digits: one of these).  tests/hostile/post.py sends them and looks.
 */
#include "../unit/scep/wrong_kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scep/attrs.h"

static struct actor target;
static const char *folder;
static struct buf
    envelope; /* the device's own request, for the server; the challenge is not the server's */

static void
put(const struct buf *b, const char *answer, const char *name)
{
	char path[512];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s=%s.der", folder, name, answer);
	if ((f = fopen(path, "wb")) == NULL || fwrite(b->data, 1, b->len, f) != b->len ||
	    fclose(f) != 0) {
		fprintf(stderr, "wrong: cannot write %s\n", path);
		exit(1);
	}
}

static void
put_forged(const struct forged *f, const char *answer, const char *name)
{
	struct buf b = forge(f);

	put(&b, answer, name);
	buf_done(&b);
}

/* ---- messageType (R24, S01) ---- */

static void
put_types(void)
{
	static const struct {
		const char *name;
		struct der value;
	} odd[] = {
		{ "empty", DER_TEXT("\x13\x00") },
		{ "leading-zero",
		    DER_TEXT("\x13\x03"
			     "019") },
		{ "blank-behind",
		    DER_TEXT("\x13\x03"
			     "19 ") },
		{ "sign",
		    DER_TEXT("\x13\x03"
			     "+19") },
		{ "hexadecimal",
		    DER_TEXT("\x13\x04"
			     "0x13") },
		{ "nul-behind",
		    DER_TEXT("\x13\x03"
			     "19\x00") },
		{ "octets",
		    DER_TEXT("\x04\x02"
			     "19") },
		{ "wrapped-round",
		    DER_TEXT("\x13\x14"
			     "18446744073709551635") },
		{ "null", DER_TEXT("\x05\x00") },
	};
	char name[64];
	uint8_t type[8];
	struct forged f;

	for (int i = 0; i < 256; i++) {
		forged_init(&f, &envelope);
		type[0] = DER_PRINTABLE;
		type[1] = (uint8_t)snprintf((char *)type + 2, 5, "%d", i);
		forged_set(&f, OID_MESSAGE_TYPE, (struct der){ type, 2u + type[1] });
		(void)snprintf(name, sizeof(name), "type-%03d", i);
		/* those that are requests have another content, or another signer, or a challenge that is right */
		put_forged(&f, i == 17 || (i >= 19 && i <= 22) ? "124" : "2", name);
	}
	for (size_t i = 0; i < N(odd); i++) {
		forged_init(&f, &envelope);
		forged_set(&f, OID_MESSAGE_TYPE, odd[i].value);
		(void)snprintf(name, sizeof(name), "type-%s", odd[i].name);
		put_forged(&f, "2", name);
	}
	forged_init(&f, &envelope);
	forged_set(&f, OID_MESSAGE_TYPE, (struct der){ NULL, 0 });
	put_forged(&f, "2", "type-missing");
}

/* ---- attributes (R20) ---- */

static void
put_attributes(void)
{
	static const struct {
		const char *name, *oid, *answer;
		struct der value;
	} more[] = {
		{ "messageType-twice", OID_MESSAGE_TYPE, "2",
		    DER_TEXT("\x13\x02"
			     "19") },
		{ "messageType-of-two-kinds", OID_MESSAGE_TYPE, "2",
		    DER_TEXT("\x13\x02"
			     "18") },
		{ "transactionID-twice", OID_TRANSACTION_ID, "400", DER_TEXT("\x13\x04tx-2") },
		{ "senderNonce-twice", OID_SENDER_NONCE, "2", DER_TEXT("\x04\x01x") },
		{ "messageDigest-twice", OID_MESSAGE_DIGEST, "12", DER_TEXT("\x04\x01x") },
		{ "contentType-twice", OID_CONTENT_TYPE, "2", DER_TEXT("\x06\x01\x2a") },
		{ "unknown-without-value", "1.2.3.4", "2", DER_TEXT("") },
	};
	struct forged f;

	for (size_t i = 0; i < N(more); i++) {
		forged_init(&f, &envelope);
		forged_add(&f, more[i].oid, more[i].value);
		put_forged(&f, more[i].answer, more[i].name);
	}
	forged_init(&f, &envelope);
	forged_set(&f, OID_TRANSACTION_ID, (struct der){ NULL, 0 });
	put_forged(&f, "400", "transactionID-missing");
	forged_init(&f, &envelope);
	forged_set(&f, OID_TRANSACTION_ID, DER_TEXT("\x13\x00"));
	put_forged(&f, "400", "transactionID-empty");
	forged_init(&f, &envelope);
	f.content_type = "1.2.840.113549.1.7.2";
	put_forged(&f, "2", "eContentType-signedData");
}

/* ---- signers and envelopes (R16 to R19, S10, S11, S24, S27) ---- */

static void
put_signers(void)
{
	struct buf other = envelope_wrong(WRONG_CONTENT, &target), a, c, b;
	struct signed_parts p, q;
	struct forged f;

	forged_init(&f, &envelope);
	a = forge(&f);
	f.content = der_of(&other);
	c = forge(&f);
	signed_take_apart(&q, &c);
	signed_take_apart(&p, &a);
	p.content = q.content;
	b = signed_put_together(&p);
	put(&b, "1", "swapped-envelope");
	buf_done(&b);
	signed_take_apart(&p, &a);
	p.signature = q.signature;
	b = signed_put_together(&p);
	put(&b, "1", "swapped-signature");
	buf_done(&b);
	signed_take_apart(&p, &a);
	p.n_signers = 2;
	b = signed_put_together(&p);
	put(&b, "400", "two-signers");
	buf_done(&b);
	signed_take_apart(&p, &a);
	p.n_signers = 0;
	b = signed_put_together(&p);
	put(&b, "400", "no-signer");
	buf_done(&b);
	signed_take_apart(&p, &a);
	p.attrs = (struct der){ NULL, 0 };
	b = signed_put_together(&p);
	put(&b, "400", "no-signed-attributes");
	buf_done(&b);
	signed_take_apart(&p, &a);
	p.certs = (struct der){ NULL, 0 };
	b = signed_put_together(&p);
	put(&b, "400", "no-certificate");
	buf_done(&b);
	b = message_around(&envelope);
	put(&b, "2", "somebody-elses-envelope");
	buf_done(&b);
	buf_done(&a);
	buf_done(&c);
	buf_done(&other);
}

static void
put_envelopes(void)
{
	static const struct transport v15 = { TRANSPORT_PKCS1V15, DIGEST_NONE, DIGEST_NONE };
	char name[64];
	struct forged f;
	struct buf e, b;

	for (int k = 0; k < WRONG__MAX; k++) {
		e = envelope_wrong((enum wrong)k, &target);
		b = message_around(&e);
		(void)snprintf(name, sizeof(name), "envelope-%d", k);
		put(&b, "1", name);
		buf_done(&b);
		buf_done(&e);
	}
	e = envelop(&world.device, der_of(&world.csr), CIPHER_AES128, v15, false);
	forged_init(&f, &e);
	put_forged(&f, "2", "wrong-recipient");
	buf_done(&e);
	forged_init(&f, &world.csr); /* R16: the request itself, not enveloped */
	put_forged(&f, "2", "no-envelope");
	forged_init(&f, &envelope);
	f.content = (struct der){ NULL, 0 };
	put_forged(&f, "2", "no-content");
	f.content = DER_TEXT("");
	put_forged(&f, "2", "empty-content");
}

/* ---- no messages at all (S25) ---- */

static void
put_rubbish(void)
{
	static const struct {
		const char *name;
		struct der bytes;
	} rows[] = {
		{ "one-byte", DER_TEXT("0") },
		{ "text", DER_TEXT("hello") },
		{ "thirteen-bytes",
		    DER_TEXT("\x30\x0b\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02") },
		{ "indefinite", DER_TEXT("\x30\x80\x30\x80\x30\x80\x30\x80\x30\x80") },
		{ "huge-length", DER_TEXT("\x30\x84\xff\xff\xff\xff") },
	};
	struct buf b = new_buf(), whole;
	struct forged f;

	for (size_t i = 0; i < N(rows); i++) {
		buf_reset(&b);
		buf_add(&b, rows[i].bytes.p, rows[i].bytes.len);
		put(&b, "400", rows[i].name);
	}
	buf_reset(&b);
	memset(buf_grow(&b, 60000), 0x30, 60000);
	put(&b, "400", "deep");
	buf_reset(&b);
	for (int i = 0; i < 20000; i++)
		buf_add(&b, "\x30\x80", 2);
	put(&b, "400", "deep-indefinite");
	forged_init(&f, &envelope);
	whole = forge(&f);
	for (size_t len = 1; len < whole.len; len += whole.len / 7) {
		char name[64];

		buf_reset(&b);
		buf_add(&b, whole.data, len);
		(void)snprintf(name, sizeof(name), "cut-at-%zu", len);
		put(&b, "400", name);
	}
	buf_done(&whole);
	buf_done(&b);
}

int
main(int argc, char **argv)
{
	struct err err = { 0 };

	if (argc != 3) {
		fprintf(stderr, "usage: wrong RA.pem FOLDER\n");
		return 64;
	}
	(void)world_make(NULL);
	folder = argv[2];
	assert_ok(cert_load(&target.cert, argv[1], &err), err);
	target.c.der.p = cert_der0(target.cert, &target.c.der.len);
	assert_ok(cms_cert_peek(&target.c, target.c.der.p, target.c.der.len, &err), err);
	target.key = cert_key0(target.cert);
	envelope = envelop(&target, der_of(&world.csr), CIPHER_AES128,
	    (struct transport){ TRANSPORT_PKCS1V15, DIGEST_NONE, DIGEST_NONE }, false);
	put_types();
	put_attributes();
	put_signers();
	put_envelopes();
	put_rubbish();
	buf_done(&envelope);
	cert_free(target.cert);
	(void)world_done(NULL);
	return 0;
}
