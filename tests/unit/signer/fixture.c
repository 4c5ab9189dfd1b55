/*
 * fixture.c - keys, certificates and files for a signer.
 */
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"

static const struct serial serial = { { 0x41, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 },
	16 };
static const char *const allowed_eku[] = { CLIENT_AUTH };

static enum rc
party_make(struct kit *k, struct party *p, const char *name, const char *key, bool ca)
{
	static const char *const ra_eku[] = { "1.3.6.1.4.1.311.20.2.1" };
	struct cert_fields f = { .serial = &serial, .digest = DIGEST_SHA256, .path_len = -1 };
	struct buf pem;
	struct name n;
	char text[64];
	enum rc rc;

	snprintf(text, sizeof(text), "CN=%s", name);
	snprintf(p->cert_file, sizeof(p->cert_file), "%s/%s.crt", k->dir, name);
	snprintf(p->key_file, sizeof(p->key_file), "%s/%s.key", k->dir, name);
	rc = name_from_text(&n, text, &k->err);
	if (rc != RC_OK || (rc = key_generate(&p->key, key, &k->err)) != RC_OK)
		return rc;
	f.issuer = f.subject = &n;
	f.issuer_key = f.subject_key = p->key;
	f.not_before = BEGIN;
	f.not_after = CA_END;
	f.is_ca = ca;
	f.key_usage =
	    ca ? KU_KEY_CERT_SIGN | KU_CRL_SIGN : KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT;
	f.eku = ca ? NULL : ra_eku;
	f.n_eku = ca ? 0 : 1;
	rc = cert_make(&p->cert, &f, p->key, &k->err);
	name_done(&n);
	buf_init(&pem, LIMIT_CERT);
	if (rc == RC_OK) {
		cert_pem(&pem, p->cert);
		rc = file_write(p->cert_file, pem.data, pem.len, 0644, 0, &k->err);
	}
	buf_reset(&pem);
	if (rc == RC_OK && (rc = key_private_pem(&pem, p->key, &k->err)) == RC_OK)
		rc = file_write(p->key_file, pem.data, pem.len, 0600, 0, &k->err);
	buf_wipe(&pem);
	return rc;
}

void
kit_ca_conf(const struct kit *k, struct signer_ca out[static 2])
{
	const struct party *p[] = { &k->rsa, &k->ec };
	static const char *const names[] = { "rsa", "ec" };

	for (int i = 0; i < 2; i++)
		out[i] = (struct signer_ca){
			.name = names[i],
			.cert_file = p[i]->cert_file,
			.key = { .key = p[i]->key_file },
			.issues = true,
			.max_validity = VALIDITY,
			.eku = allowed_eku,
			.n_eku = 1,
			.key_usage = KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT,
			.rsa_min = 2048,
			.rsa_max = 4096,
			.ec_curves = SIGNER_P256,
		};
	out[0].ra_cert_file = k->ra.cert_file;
	out[0].ra_key.key = k->ra.key_file;
}

static enum rc
kit_make(struct kit *k)
{
	struct signer_ca cas[2];
	enum rc rc;

	if ((rc = party_make(k, &k->rsa, "rsa", "rsa:2048", true)) != RC_OK ||
	    (rc = party_make(k, &k->ec, "ec", "ec:p256", true)) != RC_OK ||
	    (rc = party_make(k, &k->ra, "ra", "rsa:2048", false)) != RC_OK ||
	    (rc = key_generate(&k->leaf, "ec:p256", &k->err)) != RC_OK ||
	    (rc = name_from_text(&k->leaf_name, "CN=Jane Doe,O=Contoso", &k->err)) != RC_OK)
		return rc;
	kit_ca_conf(k, cas);
	return signer_open(&k->s, &(struct signer_conf){ .cas = cas, .n_cas = 2 }, &k->err);
}

int
kit_setup(void **state)
{
	const char *tmp = getenv("TMPDIR");
	struct kit *k = calloc(1, sizeof(*k));

	if (k == NULL)
		return -1;
	log_setup(LOG_LEVEL__MAX, LOG_TEXT, 2); /* trouble is what is tested */
	snprintf(k->dir, sizeof(k->dir), "%s/scepd-signer-XXXXXX", tmp == NULL ? "/tmp" : tmp);
	if (mkdtemp(k->dir) == NULL)
		return -1;
	*state = k;
	if (kit_make(k) == RC_OK)
		return 0;
	print_error("%s\n", k->err.msg);
	return -1;
}

static void
party_done(struct party *p)
{
	(void)unlink(p->cert_file);
	(void)unlink(p->key_file);
	key_free(p->key);
	cert_free(p->cert);
}

int
kit_teardown(void **state)
{
	struct kit *k = *state;

	signer_close(k->s);
	party_done(&k->rsa);
	party_done(&k->ec);
	party_done(&k->ra);
	key_free(k->leaf);
	name_done(&k->leaf_name);
	(void)rmdir(k->dir);
	free(k);
	return 0;
}

void
kit_ok(struct kit *k, enum rc rc, const char *file, int line)
{
	if (rc != RC_OK)
		print_error("%s: %s\n", rc_name(rc), k->err.msg);
	_assert_int_equal(rc, RC_OK, file, line);
}

void
kit_fields(const struct kit *k, const struct party *ca, struct cert_fields *f)
{
	static _Thread_local struct serial fresh; /* no number is signed twice */

	assert_int_equal(serial_random(&fresh, NULL), RC_OK);
	*f = (struct cert_fields){
		.serial = &fresh,
		.issuer = cert_subject0(ca->cert),
		.subject = &k->leaf_name,
		.not_before = BEGIN + DAY,
		.not_after = BEGIN + 300 * DAY,
		.subject_key = k->leaf,
		.issuer_key = ca->key,
		.digest = DIGEST_SHA256,
		.key_usage = KU_DIGITAL_SIGNATURE,
		.eku = allowed_eku,
		.n_eku = 1,
		.path_len = -1,
	};
}
