/*
 * fixture.c - what the tests of src/ca share.
 */
#include "fixture.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "ossl/der.h"

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

void
remove_tree(const char *dir)
{
	(void)nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

const char *
in_dir(const struct fixture *f, const char *name)
{
	static char paths[8][256];
	static unsigned next;
	char *out = paths[next++ % 8];

	snprintf(out, sizeof(paths[0]), "%s/%s", f->dir, name);
	return out;
}

struct ca_init
small_ca(const char *dir)
{
	return (struct ca_init){ .dir = dir,
		.name = "Contoso",
		.root_key = "ec:p256",
		.issuing_key = "rsa:2048",
		.ra_key = "rsa:2048",
		.root_validity = 3650 * DAY,
		.issuing_validity = 1825 * DAY,
		.ra_validity = 1000 * DAY };
}

static void
open_ca(struct fixture *f)
{
	const char *chain[] = { in_dir(f, "ca/root.pem") };
	struct ca_conf conf = { "issuing", in_dir(f, "ca/issuing.pem"), chain, 1, "issuing",
		in_dir(f, "ca/ra.pem") };

	assert_ok(ca_open(&f->ca, &conf, NULL, err));
}

int
fixture_new(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct ca_init in;

	assert_non_null(f);
	strcpy(f->dir, "/tmp/scepd-ca-test.XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	in = small_ca(in_dir(f, "ca"));
	assert_ok(ca_init(&in, err));
	open_ca(f);
	assert_ok(key_generate(&f->rsa, "rsa:2048", err));
	assert_ok(key_generate(&f->rsa3072, "rsa:3072", err));
	assert_ok(key_generate(&f->p256, "ec:p256", err));
	assert_ok(key_generate(&f->p384, "ec:p384", err));
	f->now = clock_now();
	*state = f;
	return 0;
}

int
fixture_free(void **state)
{
	struct fixture *f = *state;

	ca_free(f->ca);
	key_free(f->rsa);
	key_free(f->rsa3072);
	key_free(f->p256);
	key_free(f->p384);
	remove_tree(f->dir);
	free(f);
	return 0;
}

static void
add_sans(struct san_list *out, const char *const *text)
{
	for (; *text != NULL; text++) {
		const char *colon = strchr(*text, ':');
		char type[16];

		snprintf(type, sizeof(type), "%.*s", (int)(colon - *text), *text);
		assert_ok(san_list_add(out, san_type_by_name(type), colon + 1, err));
	}
}

struct csr *
request(const struct fixture *f, const struct wish *w)
{
	struct csr_build b = { .challenge = w->challenge,
		.key_usage = w->key_usage,
		.eku = w->eku,
		.validity_period = w->period,
		.validity_units = w->units,
		.extra_ext_oid = w->ext_oid,
		.extra_ext = w->ext,
		.extra_ext_len = w->ext_len,
		.digest = w->digest == DIGEST_NONE ? DIGEST_SHA256 : w->digest };
	struct name subject = { 0 };
	struct csr *csr = NULL;
	struct buf der;

	buf_init(&der, LIMIT_CSR);
	assert_ok(
	    name_from_text(&subject, w->subject != NULL ? w->subject : "CN=pc1.contoso.com", err));
	add_sans(&b.san, w->san);
	while (b.n_eku < 6 && w->eku[b.n_eku] != NULL)
		b.n_eku++;
	b.subject = &subject;
	assert_ok(csr_build(&der, &b, w->key != NULL ? w->key : f->rsa, err));
	assert_ok(csr_parse(&csr, der.data, der.len, err));
	san_list_done(&b.san);
	name_done(&subject);
	buf_done(&der);
	return csr;
}

/* By hand: no well-meaning builder makes such a request. */
struct csr *
request_with_challenges(const struct fixture *f, size_t n)
{
	struct name subject = { 0 };
	struct csr *csr = NULL;
	struct buf info, sig, der;
	size_t spki_len, seq, mark, i;
	const uint8_t *spki = key_spki0(f->rsa, &spki_len);

	buf_init(&info, LIMIT_CSR);
	buf_init(&sig, LIMIT_CSR);
	buf_init(&der, LIMIT_CSR);
	assert_ok(name_from_text(&subject, "CN=pc1.contoso.com", err));
	seq = der_open(&info, DER_SEQUENCE);
	der_add_u64(&info, 0);
	buf_add(&info, subject.der, subject.der_len);
	buf_add(&info, spki, spki_len);
	mark = der_open(&info, DER_CTX_CONS(0));
	for (i = 0; i < n; i++) {
		size_t attr = der_open(&info, DER_SEQUENCE), set;

		assert_true(der_add_oid(&info, "1.2.840.113549.1.9.7"));
		set = der_open(&info, DER_SET);
		der_add_text(&info, DER_UTF8, CHALLENGE);
		der_close(&info, set);
		der_close(&info, attr);
	}
	der_close(&info, mark);
	der_close(&info, seq);
	assert_ok(key_sign(&sig, f->rsa, DIGEST_SHA256, info.data, info.len, err));
	seq = der_open(&der, DER_SEQUENCE);
	buf_add(&der, info.data, info.len);
	mark = der_open(&der, DER_SEQUENCE);
	assert_true(der_add_oid(&der, "1.2.840.113549.1.1.11"));
	der_add(&der, DER_NULL, NULL, 0);
	der_close(&der, mark);
	der_add_octet_bits(&der, sig.data, sig.len);
	der_close(&der, seq);
	assert_ok(csr_parse(&csr, der.data, der.len, err));
	name_done(&subject);
	buf_done(&info);
	buf_done(&sig);
	buf_done(&der);
	return csr;
}

struct profile
sane_profile(void)
{
	static const char *const attributes[] = { "CN", "O", "E" };
	static const char *const ekus[] = { CLIENT_AUTH, SERVER_AUTH };

	return (struct profile){
		.name = "wifi",
		.subject_attributes = attributes,
		.n_subject_attributes = 3,
		.san_types = 1u << SAN_UPN | 1u << SAN_DNS | 1u << SAN_URI,
		.key_usage_allowed = KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT,
		.key_usage_default = KU_DIGITAL_SIGNATURE,
		.eku_allowed = ekus,
		.n_eku_allowed = 2,
		.eku_default = ekus,
		.n_eku_default = 1,
		.rsa_min = 2048,
		.rsa_max = 2048,
		.ec_p256 = true,
		.validity_default = 365 * DAY,
		.validity_max = 730 * DAY,
		.validity_from_request = true,
		.backdate = DAY,
		.digest = DIGEST_SHA256,
	};
}

static enum rc
answer(void *ctx, const struct csr *csr, const char *transaction_id, struct err *err)
{
	enum rc rc = *(enum rc *)ctx;

	return rc == RC_OK ? RC_OK : fail(err, rc, "the authority says: %s", rc_name(rc));
}

struct authority
saying(const char *name, enum rc *rc)
{
	return (struct authority){ name, answer, rc };
}

struct authorization *
yes_to(const struct csr *csr)
{
	struct authorization *a = NULL;
	enum rc rc = RC_OK;
	struct authority intune = saying("intune:contoso", &rc);

	assert_ok(authorise_by(&a, &intune, csr, "tx", err));
	return a;
}

struct authorization *
static_yes_to(const struct csr *csr)
{
	struct authorization *a = NULL;
	struct static_challenge c;

	assert_ok(static_challenge_set(&c, CHALLENGE, strlen(CHALLENGE), err));
	assert_ok(authorise_static(&a, &c, csr, err));
	return a;
}
