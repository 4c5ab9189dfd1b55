/*
 * foreign_lab.c - see foreign_lab.h.
 */
#include "foreign_lab.h"

#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "ossl/eku.h"

static void
put(struct kit *k, char file[static 300], const char *name, const struct buf *text)
{
	(void)snprintf(file, 300, "%s/%s", k->dir, name);
	ok(k, file_write(file, text->data, text->len, 0600, 1, &k->err));
}

static void
put_cert(struct kit *k, char file[static 300], const char *name, const struct cert *c)
{
	struct buf pem;

	buf_init(&pem, 2 * LIMIT_CERT);
	cert_pem(&pem, c);
	put(k, file, name, &pem);
	buf_done(&pem);
}

void
put_key(struct kit *k, char file[static 300], const char *name, const struct key *key)
{
	struct buf pem;

	buf_init(&pem, LIMIT_CERT);
	ok(k, key_private_pem(&pem, key, &k->err));
	put(k, file, name, &pem);
	buf_wipe(&pem);
}

static void
make_cert(struct kit *k, struct cert **out, const char *name, struct cert_fields *f,
    const struct key *signer)
{
	struct serial serial;
	struct name subject;

	ok(k, serial_random(&serial, &k->err));
	ok(k, name_from_text(&subject, name, &k->err));
	f->serial = &serial;
	f->subject = &subject;
	if (f->issuer == NULL)
		f->issuer = &subject;
	f->issuer_key = signer;
	f->digest = DIGEST_SHA256;
	f->path_len = -1;
	ok(k, cert_make(out, f, signer, &k->err));
	name_done(&subject);
}

void
certify(struct lab *b, struct wish w)
{
	int64_t now = clock_now();
	struct cert_fields f = { .issuer = cert_subject0(w.issuer != NULL ? w.issuer : b->ca),
		.not_before = now + (w.begin != 0 ? w.begin : -DAY),
		.not_after = now + (w.end != 0 ? w.end : 14 * DAY),
		.subject_key = w.key != NULL ? w.key : b->key,
		.key_usage = w.key_usage != 0 ? w.key_usage : KU_DIGITAL_SIGNATURE,
		.eku = &w.eku,
		.n_eku = 1,
		.is_ca = w.is_ca };
	struct cert **out = w.keep != NULL ? w.keep : &b->responder;

	if (w.eku == NULL)
		w.eku = OID_OCSP_SIGNING;
	if (w.keep == NULL)
		cert_free(b->responder);
	make_cert(b->k, out, "CN=Old CA OCSP responder", &f,
	    w.issuer_key != NULL ? w.issuer_key : b->ca_key);
	if (w.keep == NULL)
		put_cert(b->k, b->cert_file, "responder.crt", *out);
}

void
lab_make(struct lab *b, struct kit *k, const char *ca_kind, const char *kind)
{
	struct cert_fields f = { .not_before = BEGIN,
		.not_after = CA_END,
		.is_ca = true,
		.key_usage = KU_KEY_CERT_SIGN | KU_CRL_SIGN };

	*b = (struct lab){ .k = k };
	ok(k, key_generate(&b->ca_key, ca_kind, &k->err));
	ok(k, key_generate(&b->key, kind, &k->err));
	f.subject_key = b->ca_key;
	make_cert(k, &b->ca, "CN=Old CA", &f, b->ca_key);
	put_cert(k, b->ca_file, "old.crt", b->ca);
	put_key(k, b->key_file, "responder.key", b->key);
	certify(b, (struct wish){ .begin = 0 });
}

void
lab_done(struct lab *b)
{
	(void)unlink(b->ca_file);
	(void)unlink(b->cert_file);
	(void)unlink(b->key_file);
	cert_free(b->ca);
	cert_free(b->responder);
	key_free(b->ca_key);
	key_free(b->key);
}

enum rc
open_lab(struct lab *b, struct signer **out)
{
	const struct signer_foreign foreign = { "old", b->ca_file, b->cert_file, { b->key_file } };
	struct signer_ca cas[2];
	struct signer_conf conf = { .cas = cas, .n_cas = 2, .foreign = &foreign, .n_foreign = 1 };

	kit_ca_conf(b->k, cas);
	b->k->err = (struct err){ 0 };
	return signer_open(out, &conf, &b->k->err);
}
