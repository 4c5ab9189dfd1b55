/*
 * cms_kit.c - what the tests of CMS and SCEP share.
 */
#include "cms_kit.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"

struct der
der_of(const struct buf *b)
{
	return (struct der){ b->data, b->len };
}

struct buf
new_buf(void)
{
	struct buf b;

	buf_init(&b, 4 * MIB);
	return b;
}

void
actor_make(struct actor *a, const char *cn, const char *spec, int which, const char *serial)
{
	actor_make_for(a, cn, spec, which, serial, KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT);
}

void
actor_make_for(struct actor *a, const char *cn, const char *spec, int which, const char *serial,
    unsigned key_usage)
{
	struct serial number = fixture_serial(serial);
	struct cert_fields f = { .serial = &number, .digest = DIGEST_SHA256, .path_len = -1 };
	struct err err = { 0 };
	struct name name;
	char text[64];
	size_t len;

	a->key = which ? fixture_other_key(spec) : fixture_key(spec);
	snprintf(text, sizeof(text), "CN=%s", cn);
	name = fixture_name(text);
	f.issuer = f.subject = &name;
	f.subject_key = f.issuer_key = a->key;
	f.not_before = clock_now() - 3600;
	f.not_after = clock_now() + 86400;
	f.key_usage = key_usage;
	assert_ok(cert_make(&a->cert, &f, a->key, &err), err);
	name_done(&name);
	const uint8_t *der = cert_der0(a->cert, &len);
	assert_ok(cms_cert_peek(&a->c, der, len, &err), err);
}

void
actor_done(struct actor *a)
{
	cert_free(a->cert);
}

void
actor_put(const struct actor *a, const struct dir *d, const char *name)
{
	struct buf cert = new_buf(), key = new_buf();
	struct err err = { 0 };
	char file[64];

	cert_pem(&cert, a->cert);
	assert_ok(key_private_pem(&key, a->key, &err), err);
	snprintf(file, sizeof(file), "%s.pem", name);
	dir_put(d, file, cert.data, cert.len, 0600);
	snprintf(file, sizeof(file), "%s.key", name);
	dir_put(d, file, key.data, key.len, 0600);
	buf_done(&cert);
	buf_wipe(&key);
}

struct buf
sign(const struct actor *a, struct der content, enum digest d, const struct cms_attr_build *attrs,
    size_t n_attrs)
{
	struct cms_signed_build b = { .content = content,
		.digest = d,
		.signer = &a->c,
		.sign = cms_sign_with_key,
		.sign_ctx = a->key,
		.signing_time = clock_now(),
		.attrs = attrs,
		.n_attrs = n_attrs,
		.certs = &a->c.der,
		.n_certs = 1 };
	struct buf out = new_buf();
	struct err err = { 0 };

	assert_ok(cms_signed_build(&out, &b, &err), err);
	return out;
}

struct buf
envelop(const struct actor *to, struct der content, enum cipher c, struct transport t, bool by_ski)
{
	struct cms_recipient r = { .cert = &to->c, .by_ski = by_ski, .transport = t };
	struct cms_enveloped_build b = {
		.content = content, .cipher = c, .recipients = &r, .n_recipients = 1
	};
	struct buf out = new_buf();
	struct err err = { 0 };

	assert_ok(cms_enveloped_build(&out, &b, &err), err);
	return out;
}

/* ---- apart and together ----------------------------------------------------------------- */

static struct der
inside_content_info(const struct buf *message)
{
	struct der in = der_of(message), seq, body;

	assert_true(der_take(&in, DER_SEQUENCE, &seq) && der_take(&seq, DER_OID, &body) &&
	    der_take(&seq, DER_CTX_CONS(0), &body) && der_take(&body, DER_SEQUENCE, &seq));
	return seq;
}

/* The next element if it has this tag; absent otherwise. */
static struct der
piece(struct der *in, uint8_t tag)
{
	struct der whole = { 0 };

	if (der_next_is(in, tag))
		assert_true(der_take_whole(in, tag, &whole));
	return whole;
}

static void
put(struct buf *out, struct der piece_)
{
	if (piece_.p != NULL)
		buf_add(out, piece_.p, piece_.len);
}

struct outer {
	size_t info, wrapper, data;
};

static struct outer
outer_open(struct buf *out, const char *oid)
{
	struct outer o;

	o.info = der_open(out, DER_SEQUENCE);
	assert_true(der_add_oid(out, oid));
	o.wrapper = der_open(out, DER_CTX_CONS(0));
	o.data = der_open(out, DER_SEQUENCE);
	return o;
}

static void
outer_close(struct buf *out, const struct outer *o)
{
	der_close(out, o->data);
	der_close(out, o->wrapper);
	der_close(out, o->info);
	assert_int_equal(out->rc, RC_OK);
}

void
signed_take_apart(struct signed_parts *p, const struct buf *message)
{
	struct der in = inside_content_info(message), signers, si;

	*p = (struct signed_parts){ .n_signers = 1 };
	p->version = piece(&in, DER_INTEGER);
	p->digests = piece(&in, DER_SET);
	p->content = piece(&in, DER_SEQUENCE);
	p->certs = piece(&in, DER_CTX_CONS(0));
	assert_true(der_take(&in, DER_SET, &signers) && der_take(&signers, DER_SEQUENCE, &si));
	p->signer_version = piece(&si, DER_INTEGER);
	p->sid = piece(&si, *si.p);
	p->digest_alg = piece(&si, DER_SEQUENCE);
	p->attrs = piece(&si, DER_CTX_CONS(0));
	p->signature_alg = piece(&si, DER_SEQUENCE);
	p->signature = piece(&si, DER_OCTET_STRING);
	assert_int_equal(si.len, 0);
}

struct buf
signed_put_together(const struct signed_parts *p)
{
	struct buf out = new_buf();
	struct outer o = outer_open(&out, OID_SIGNED_DATA);
	size_t set, si, i;

	put(&out, p->version);
	put(&out, p->digests);
	put(&out, p->content);
	put(&out, p->certs);
	set = der_open(&out, DER_SET);
	for (i = 0; i < p->n_signers; i++) {
		si = der_open(&out, DER_SEQUENCE);
		put(&out, p->signer_version);
		put(&out, p->sid);
		put(&out, p->digest_alg);
		put(&out, p->attrs);
		put(&out, p->signature_alg);
		put(&out, p->signature);
		der_close(&out, si);
	}
	der_close(&out, set);
	outer_close(&out, &o);
	return out;
}

void
enveloped_take_apart(struct enveloped_parts *p, const struct buf *message)
{
	struct der in = inside_content_info(message), info;

	*p = (struct enveloped_parts){ 0 };
	p->version = piece(&in, DER_INTEGER);
	assert_true(der_take(&in, DER_SET, &p->recipients) && der_take(&in, DER_SEQUENCE, &info));
	p->type = piece(&info, DER_OID);
	p->alg = piece(&info, DER_SEQUENCE);
	p->encrypted = piece(&info, DER_CTX(0));
	assert_int_equal(in.len + info.len, 0);
}

struct buf
enveloped_put_together(const struct enveloped_parts *p)
{
	struct buf out = new_buf();
	struct outer o = outer_open(&out, p->oid ? p->oid : OID_ENVELOPED_DATA);
	size_t info;

	put(&out, p->version);
	der_add(&out, DER_SET, p->recipients.p, p->recipients.len);
	info = der_open(&out, DER_SEQUENCE);
	put(&out, p->type);
	put(&out, p->alg);
	put(&out, p->encrypted);
	der_close(&out, info);
	outer_close(&out, &o);
	return out;
}

struct buf
alg_der(const char *oid, struct der params)
{
	struct buf out = new_buf();
	size_t seq = der_open(&out, DER_SEQUENCE);

	assert_true(der_add_oid(&out, oid));
	put(&out, params);
	der_close(&out, seq);
	return out;
}

/* ---- BER -------------------------------------------------------------------------------- */

static void
segments(struct buf *out, struct der body, size_t segment)
{
	size_t n;

	buf_add(out, (uint8_t[]){ 0x24, 0x80 }, 2);
	for (; body.len > 0; body.p += n, body.len -= n) {
		n = body.len < segment ? body.len : segment;
		der_add(out, DER_OCTET_STRING, body.p, n);
	}
	buf_add(out, (uint8_t[]){ 0, 0 }, 2);
}

static void
ber_add(struct buf *out, struct der *in, size_t segment)
{
	struct der body;
	uint8_t tag;

	assert_true(der_any(in, &tag, &body, NULL));
	if (tag == DER_OCTET_STRING) {
		segments(out, body, segment);
	} else if ((tag & 0x20) == 0) {
		/* A length in four octets, whatever it is. */
		uint8_t head[] = { tag, 0x84, (uint8_t)(body.len >> 24), (uint8_t)(body.len >> 16),
			(uint8_t)(body.len >> 8), (uint8_t)body.len };
		buf_add(out, head, sizeof(head));
		buf_add(out, body.p, body.len);
	} else {
		buf_add(out, (uint8_t[]){ tag, 0x80 }, 2);
		while (body.len > 0)
			ber_add(out, &body, segment);
		buf_add(out, (uint8_t[]){ 0, 0 }, 2);
	}
}

struct buf
to_ber(struct der der, size_t segment)
{
	struct buf out = new_buf();

	while (der.len > 0)
		ber_add(&out, &der, segment);
	assert_int_equal(out.rc, RC_OK);
	return out;
}
