/*
 * scep_kit.c - an RA, a device and a stranger.
 */
#include "scep_kit.h"

#include <string.h>

#include "base/clock.h"
#include "scep/attrs.h"

struct world world;
static unsigned unwraps, signs;

const struct scep_algorithms usual = { SCEP_SHA256, SCEP_AES128, { SCEP_RSA_PKCS1V15, 0, 0 } };

static int
counted_sign(void *ctx, enum scep_digest digest, const uint8_t *tbs, size_t tbs_len, uint8_t *sig,
    size_t *sig_len)
{
	struct actor *a = ctx;
	struct buf b;
	int rc = -1;

	signs += a == &world.ra;
	buf_init(&b, *sig_len);
	if (key_sign(&b, a->key, (enum digest)digest, tbs, tbs_len, NULL) == RC_OK) {
		memcpy(sig, b.data, b.len);
		*sig_len = b.len;
		rc = 0;
	}
	buf_done(&b);
	return rc;
}

static int
counted_unwrap(void *ctx, const struct scep_transport *transport, const uint8_t *wrapped,
    size_t wrapped_len, uint8_t *cek, size_t cek_len)
{
	struct transport t = { (enum transport_kind)transport->kind,
		(enum digest)transport->oaep_digest, (enum digest)transport->mgf1_digest };
	struct actor *a = ctx;

	unwraps += a == &world.ra;
	return key_unwrap(cek, cek_len, a->key, &t, wrapped, wrapped_len, NULL) == RC_OK ? 0 : -1;
}

unsigned
world_unwraps(void)
{
	return unwraps;
}

unsigned
world_signs(void)
{
	return signs;
}

void
world_count_reset(void)
{
	unwraps = signs = 0;
}

static struct scep_identity *
identity(struct actor *a)
{
	static const struct scep_key_ops ops = { counted_sign, counted_unwrap };
	struct scep_identity *id = NULL;
	struct scep_error err;

	if (scep_identity_new(&id, a->c.der.p, a->c.der.len, &ops, a, &err) != SCEP_OK)
		fail_msg("%s", err.text);
	return id;
}

static void
make_csr(struct buf *out, const struct key *key)
{
	struct name subject = fixture_name("CN=device-1");
	struct csr_build b = {
		.subject = &subject, .challenge = "secret-challenge", .digest = DIGEST_SHA256
	};
	struct err err = { 0 };

	assert_ok(csr_build(out, &b, key, &err), err);
	name_done(&subject);
}

int
world_make(void **state)
{
	actor_make(&world.ra, "Example RA", "rsa:2048", 0, "0A01");
	actor_make(&world.device, "device-1", "rsa:2048", 1, "0B01");
	/* A stranger has a key of its own, but these tests need only two RSA keys. */
	actor_make(&world.stranger, "stranger", "rsa:2048", 0, "0C01");
	actor_make(&world.curve, "curve", "ec:p256", 0, "0D01");
	world.ra_id = identity(&world.ra);
	world.device_id = identity(&world.device);
	world.stranger_id = identity(&world.stranger);
	world.csr = new_buf();
	make_csr(&world.csr, world.device.key);
	return 0;
}

int
world_done(void **state)
{
	scep_identity_free(world.ra_id);
	scep_identity_free(world.device_id);
	scep_identity_free(world.stranger_id);
	actor_done(&world.ra);
	actor_done(&world.device);
	actor_done(&world.stranger);
	actor_done(&world.curve);
	buf_done(&world.csr);
	return fixture_done(state);
}

struct scep_bytes
bytes_of(const struct buf *b)
{
	return (struct scep_bytes){ b->data, b->len };
}

struct scep_bytes
bytes_of_der(struct der d)
{
	return (struct scep_bytes){ (uint8_t *)d.p, d.len };
}

struct scep_bytes
make_request(const struct scep_algorithms *alg, struct scep_pending *pending)
{
	struct scep_pkcsreq req = { .type = SCEP_PKCS_REQ,
		.csr = world.csr.data,
		.csr_len = world.csr.len,
		.signer = world.device_id,
		.recipient = world.ra.c.der.p,
		.recipient_len = world.ra.c.der.len,
		.alg = *alg };
	struct scep_pending ignored;
	struct scep_bytes out = { 0 };
	struct scep_error err;

	if (scep_pkcsreq_encode(&out, pending ? pending : &ignored, &req, &err) != SCEP_OK)
		fail_msg("%s", err.text);
	return out;
}

void
forged_init(struct forged *f, const struct buf *envelope)
{
	*f = (struct forged){
		.content = der_of(envelope), .digest = DIGEST_SHA256, .signer = &world.device
	};
	forged_add(f, OID_TRANSACTION_ID, DER_TEXT("\x13\x04tx-1"));
	forged_add(f, OID_MESSAGE_TYPE,
	    DER_TEXT("\x13\x02"
		     "19"));
	forged_add(f, OID_SENDER_NONCE,
	    DER_TEXT("\x04\x10"
		     "0123456789abcdef"));
}

void
forged_add(struct forged *f, const char *oid, struct der value)
{
	assert_true(f->n_attrs < FORGED_ATTRS);
	f->attrs[f->n_attrs++] = (struct cms_attr_build){ oid, value };
}

void
forged_set(struct forged *f, const char *oid, struct der value)
{
	size_t i;

	for (i = 0; i < f->n_attrs; i++)
		if (strcmp(f->attrs[i].oid, oid) == 0)
			break;
	assert_true(i < f->n_attrs);
	if (value.p != NULL)
		f->attrs[i].value = value;
	else
		f->attrs[i] = f->attrs[--f->n_attrs];
}

struct buf
forge(const struct forged *f)
{
	struct cms_signed_build b = { .content_type = f->content_type,
		.content = f->content,
		.digest = f->digest,
		.signer = &f->signer->c,
		.sign = cms_sign_with_key,
		.sign_ctx = f->signer->key,
		.signing_time = clock_now(),
		.attrs = f->attrs,
		.n_attrs = f->n_attrs,
		.certs = &f->signer->c.der,
		.n_certs = 1 };
	struct buf out = new_buf();
	struct err err = { 0 };

	assert_ok(cms_signed_build(&out, &b, &err), err);
	return out;
}

struct buf
good_envelope(void)
{
	return envelop(&world.ra, der_of(&world.csr), CIPHER_AES128,
	    (struct transport){ TRANSPORT_PKCS1V15 }, false);
}

enum scep_status
parse_message(struct scep_message **m, const struct buf *b, struct scep_error *err)
{
	return scep_message_parse(m, b->data, b->len, err);
}

enum scep_status
open_by(struct scep_request **r, const struct buf *b, struct scep_identity *const *ids, size_t n,
    struct scep_error *err)
{
	struct scep_message *m;
	enum scep_status st;

	world_count_reset();
	if ((st = parse_message(&m, b, err)) != SCEP_OK)
		fail_msg("not even a message: %s", err->text);
	st = scep_request_open(r, m, ids, n, err);
	scep_message_free(m);
	return st;
}

enum scep_status
open_it(struct scep_request **r, const struct buf *b, struct scep_error *err)
{
	return open_by(r, b, &world.ra_id, 1, err);
}
