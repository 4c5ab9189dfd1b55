/*
 * ocsp_rig.c - see ocsp_rig.h.
 */
#include "ocsp_rig.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "ca/init.h"
#include "signer/signer_int.h"

#define DAY 86400

struct fake_signer fake;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static struct cert *responders[2]; /* by key */
static const struct rig *in_use;
static struct dir folder; /* of the CAs, whose RSA keys take longer than all the rest */
static bool made;

/* ---- the signer: a table of operations of its own ---- */

static struct key *
responder_key(bool second)
{
	return second ? fixture_other_key("ec:p256") : fixture_key("ec:p256");
}

/* With an end of its own, by the key that all foreign CAs of the rig have. */
static struct cert *
foreign_responder(const struct cert *ca, int64_t end)
{
	struct serial number = fixture_serial("0F59");
	struct name n = fixture_name("CN=Responder");
	struct cert_fields f = { .serial = &number,
		.issuer = cert_subject0(ca),
		.subject = &n,
		.not_before = clock_now() - DAY,
		.not_after = clock_now() + end,
		.subject_key = responder_key(fake.second_key),
		.issuer_key = fixture_key("ec:p384"),
		.digest = DIGEST_SHA256,
		.path_len = -1 };
	struct err err = { 0 };
	struct cert *c;

	assert_ok(cert_make(&c, &f, fixture_key("ec:p384"), &err), err);
	name_done(&n);
	return c;
}

/* Under the lock: many ask at once. */
static enum rc
certs_of(const char *ca, struct signer_certs *out, struct err *err)
{
	const uint8_t *der;
	size_t len;

	memset(out, 0, sizeof(*out));
	fake.asked++;
	if (fake.none_yet)
		return RC_OK;
	for (size_t i = 0; i < RIG_FOREIGN; i++)
		if (strcmp(ca, in_use->foreign_conf[i].name) == 0) {
			out->ocsp = foreign_responder(in_use->foreign[i].cert,
			    fake.foreign_end != 0 ? fake.foreign_end : 30 * DAY);
			return RC_OK;
		}
	der = cert_der0(responders[fake.second_key], &len);
	out->n_ra = 1;
	if (cert_parse(&out->ocsp, der, len, err) != RC_OK)
		return err->rc;
	der = cert_der0(ca_ra_cert0(in_use->cas[strcmp(ca, "next") == 0].ca), &len);
	return cert_parse(&out->ra[0], der, len, err);
}

static enum rc
fake_certs(struct signer *s, const char *ca, struct signer_certs *out, struct err *err)
{
	enum rc rc;

	(void)pthread_mutex_lock(&lock);
	rc = certs_of(ca, out, err);
	(void)pthread_mutex_unlock(&lock);
	return rc;
}

static enum rc
fake_take_responder(
    struct signer *s, const char *ca, const uint8_t *der, size_t len, struct err *err)
{
	fake.offered++;
	return fake.takes == RC_OK ? RC_OK
				   : err_fail_at(err, fake.takes, __func__, "it does not fit");
}

static void
note_single(struct der single, size_t at)
{
	struct der whole, status, tagged, reason;
	int64_t revoked;

	assert_true(der_take_whole(&single, DER_SEQUENCE, &whole));
	assert_true(der_any(&single, &fake.status[at], &status, NULL));
	if (at > 0)
		return;
	fake.reason = -1;
	if (fake.status[at] == DER_CTX_CONS(1) && der_take_time(&status, &revoked) &&
	    der_take(&status, DER_CTX_CONS(0), &tagged) &&
	    der_take(&tagged, DER_ENUMERATED, &reason))
		fake.reason = reason.p[0];
	assert_true(der_take_time(&single, &fake.this_update));
	assert_true(der_take(&single, DER_CTX_CONS(0), &tagged));
	assert_true(der_take_time(&tagged, &fake.next_update));
}

/* What it is asked to sign; the responder's key hash. */
static struct der
note_data(const uint8_t *data, size_t len)
{
	struct der in = { data, len }, body, by_key, id, list, single;
	int64_t produced;

	assert_true(der_take(&in, DER_SEQUENCE, &body) && in.len == 0);
	assert_true(der_take(&body, DER_CTX_CONS(2), &by_key));
	assert_true(der_take(&by_key, DER_OCTET_STRING, &id) && id.len == 20);
	assert_true(der_take_time(&body, &produced));
	assert_true(der_take(&body, DER_SEQUENCE, &list));
	for (fake.n = 0; list.len > 0; fake.n++) {
		assert_true(der_take(&list, DER_SEQUENCE, &single));
		note_single(single, fake.n);
	}
	fake.nonce_len = 0;
	if (body.len > 0)
		fake.nonce_len = body.p[body.len - 33] == 0x20 ? 32 : body.len;
	return id;
}

static void
wait_while_held(void)
{
	if (fake.hold == 0)
		return;
	fake.hold--;
	fake.held++;
	(void)pthread_cond_broadcast(&changed);
	while (fake.held > 0)
		(void)pthread_cond_wait(&changed, &lock);
}

static enum rc
fake_sign_ocsp(struct signer *s, const char *ca, const uint8_t *response_data, size_t len,
    struct buf *basic, struct err *err)
{
	uint8_t key_hash[20];
	struct der id;
	enum rc rc = RC_OK;

	(void)pthread_mutex_lock(&lock);
	fake.calls++;
	fake.ca = ca;
	id = note_data(response_data, len);
	wait_while_held();
	if (fake.fails != RC_OK)
		rc = err_fail_at(err, fake.fails, __func__, "the fake signer was told to");
	else if ((rc = key_identifier(key_hash, responder_key(fake.second_key), err)) == RC_OK &&
	    memcmp(id.p, key_hash, sizeof(key_hash)) != 0)
		rc = err_fail_at(err, RC_DENIED, __func__, "another responder");
	if (rc == RC_OK)
		ocsp_kit_sign(basic, responder_key(fake.second_key), responders[fake.second_key],
		    response_data, len);
	(void)pthread_mutex_unlock(&lock);
	return rc;
}

static const struct signer_ops fake_ops = {
	.certs = fake_certs, .sign_ocsp = fake_sign_ocsp, .take_responder = fake_take_responder
};
static struct signer fake_one = { &fake_ops };

void
fake_wait_held(unsigned n)
{
	(void)pthread_mutex_lock(&lock);
	while (fake.held < n)
		(void)pthread_cond_wait(&changed, &lock);
	(void)pthread_mutex_unlock(&lock);
}

void
fake_release(void)
{
	(void)pthread_mutex_lock(&lock);
	fake.held = 0;
	fake.hold = 0;
	(void)pthread_cond_broadcast(&changed);
	(void)pthread_mutex_unlock(&lock);
}

/* ---- the server, as far as it matters ---- */

static void
open_ca(struct rig *r, size_t at, const char *name)
{
	char dir[96], paths[3][128];
	const char *chain[] = { paths[1] };
	struct ca_init in = { .dir = dir,
		.name = "Contoso",
		.root_key = "ec:p256",
		.issuing_key = "ec:p256",
		.ra_key = "rsa:2048",
		.root_validity = 3650 * DAY,
		.issuing_validity = 1825 * DAY,
		.ra_validity = 1000 * DAY };
	struct ca_conf conf = { .name = name,
		.cert_file = paths[0],
		.chain_files = chain,
		.n_chain_files = 1,
		.ra_name = name,
		.ra_cert_file = paths[2] };
	struct err err = { 0 };

	snprintf(dir, sizeof(dir), "%s/%s", folder.path, name);
	snprintf(paths[0], sizeof(paths[0]), "%s/issuing.pem", dir);
	snprintf(paths[1], sizeof(paths[1]), "%s/root.pem", dir);
	snprintf(paths[2], sizeof(paths[2]), "%s/ra.pem", dir);
	if (!made)
		assert_ok(ca_init(&in, &err), err);
	assert_ok(ca_open(&r->cas[at].ca, &conf, NULL, &err), err);
	r->conf[at] = (struct conf_ca){ .name = name, .ocsp_validity = 3600 };
	r->cas[at].conf = &r->conf[at];
}

/* All have one key, as no two of them are asked about at a time. */
static void
open_foreign(struct rig *r)
{
	static const char *const names[] = { "old", "easy", "silent" };

	for (size_t i = 0; i < RIG_FOREIGN; i++) {
		char subject[32];

		(void)snprintf(subject, sizeof(subject), "CN=%s", names[i]);
		r->foreign_conf[i] = (struct conf_foreign){ .name = names[i],
			.ocsp_certificate = i == SILENT ? NULL : "responder.pem",
			.ocsp_validity = 1800,
			.not_imported = i == EASY ? NOT_IMPORTED_GOOD : NOT_IMPORTED_UNKNOWN };
		r->foreign[i] = (struct server_foreign){ .conf = &r->foreign_conf[i],
			.cert = ocsp_kit_ca(subject, fixture_key("ec:p384")) };
	}
}

/* 3 and 4, as if they had been imported. */
static void
import(struct rig *r)
{
	struct err err = { 0 };
	char sql[300];

	(void)sf_drive(r->f, 3, TX_DELIVERED);
	(void)sf_drive(r->f, 4, TX_DELIVERED);
	assert_ok(store_cert_revoke(r->f->s, rig_serial(4), NULL, 1, "stolen", &err), err);
	(void)snprintf(
	    sql, sizeof(sql), "UPDATE cert SET ca = 'old' WHERE hex(serial) = '%s'", rig_serial(3));
	sf_sql(r->f, sql);
	(void)snprintf(
	    sql, sizeof(sql), "UPDATE cert SET ca = 'old' WHERE hex(serial) = '%s'", rig_serial(4));
	sf_sql(r->f, sql);
}

const char *
rig_serial(unsigned n)
{
	static struct sf_tx t;

	sf_tx(&t, n);
	return t.serial;
}

int
rig_setup(void **state)
{
	struct rig *r = calloc(1, sizeof(*r));
	struct err err = { 0 };

	assert_non_null(r);
	memset(&fake, 0, sizeof(fake));
	if (!made)
		dir_make_temp(&folder);
	open_ca(r, ISSUING, "issuing");
	open_ca(r, NEXT, "next");
	made = true;
	open_foreign(r);
	assert_int_equal(sf_setup((void **)&r->f), 0);
	(void)sf_drive(r->f, 1, TX_DELIVERED);
	(void)sf_drive(r->f, 2, TX_DELIVERED);
	assert_ok(store_cert_revoke(r->f->s, rig_serial(2), NULL, 1, "stolen", &err), err);
	import(r);
	r->s = (struct scepd){ .store = r->f->s,
		.signer = &fake_one,
		.cas = r->cas,
		.n_cas = RIG_CAS,
		.foreign = r->foreign,
		.n_foreign = RIG_FOREIGN };
	assert_ok(metrics_new(&r->s.metrics, &err), err);
	assert_ok(ocsp_new(&r->s.ocsp, &r->s, &err), err);
	for (size_t i = 0; i < 2; i++)
		responders[i] = ocsp_kit_responder(
		    ca_cert0(r->cas[ISSUING].ca), fixture_key("rsa:2048"), responder_key(i == 1));
	in_use = r;
	*state = r;
	return 0;
}

int
rig_teardown(void **state)
{
	struct rig *r = *state;

	ocsp_free(r->s.ocsp);
	metrics_free(r->s.metrics);
	(void)sf_teardown((void **)&r->f);
	for (size_t i = 0; i < RIG_CAS; i++)
		ca_free(r->cas[i].ca);
	for (size_t i = 0; i < RIG_FOREIGN; i++)
		cert_free(r->foreign[i].cert);
	for (size_t i = 0; i < 2; i++)
		cert_free(responders[i]);
	free(r);
	return 0;
}

int
rig_done(void **state)
{
	if (made) {
		assert_int_equal(dir_run(&folder, NULL, "rm -rf issuing next"), 0);
		dir_done(&folder);
	}
	return fixture_done(state);
}
