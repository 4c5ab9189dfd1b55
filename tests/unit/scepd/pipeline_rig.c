/* pipeline_rig.c - see pipeline_rig.h. */
#include "pipeline_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "scepd/keys.h"

static struct {
	struct fixture *f;
	struct key *keys[RIG_KEYS];
} made;

static const char head[] =
    "listeners: [ { address: '127.0.0.1:0' } ]\n"
    "public_url: http://ca.contoso.com\n"
    "store: { url: 'sqlite:%s/%u.db' }\n"
    "cas:\n"
    "  issuing: { certificate: ca/issuing.pem, key: ca/issuing.key, chain: [ ca/root.pem ],\n"
    "    ra_certificate: ca/ra.pem, ra_key: ca/ra.key }\n"
    "  other: { certificate: other/issuing.pem, key: other/issuing.key, chain: [ other/root.pem "
    "],\n"
    "    ra_certificate: other/ra.pem, ra_key: other/ra.key }\n";

static void
must(enum rc rc, const struct err *e)
{
	if (rc != RC_OK)
		print_error("%s: %s\n", rc_name(rc), e->msg);
	assert_int_equal(rc, RC_OK);
}

/* ---- made once ---- */

int
rig_cas_new(void **state)
{
	struct ca_init in;
	struct err why;
	void *f;

	assert_int_equal(fixture_new(&f), 0);
	made.f = f;
	in = small_ca(in_dir(made.f, "other"));
	in.name = "Fabrikam";
	must(ca_init(&in, &why), &why);
	for (size_t i = 0; i < RIG_KEYS; i++)
		must(key_generate(&made.keys[i], "rsa:2048", &why), &why);
	must(file_write(in_dir(made.f, "lab.secret"), CHALLENGE "\n", strlen(CHALLENGE) + 1, 0600,
		 1, &why),
	    &why);
	return 0;
}

int
rig_cas_free(void **state)
{
	void *f = made.f;

	for (size_t i = 0; i < RIG_KEYS; i++)
		key_free(made.keys[i]);
	return fixture_free(&f);
}

/* ---- the server ---- */

static void
open_server(struct rig *r)
{
	struct scepd_parts parts = { .signer = NULL };
	struct config *config;

	must(config_load(&config, in_dir(r->f, "scepd.yaml"), &r->err), &r->err);
	must(keys_open(&parts.signer, config, NULL, NULL, &r->err), &r->err);
	must(scepd_store_prepare(&parts, config, &r->err), &r->err);
	must(scepd_new(&r->s, config, &parts, &r->err), &r->err);
}

static struct scep_bytes
ra_of(const struct rig *r, const char *path)
{
	struct scep_bytes b = { NULL, 0 };
	const uint8_t *der;
	struct cert *c;
	struct err why;

	must(cert_load(&c, in_dir(r->f, path), &why), &why);
	der = cert_der0(c, &b.len);
	b.data = malloc(b.len);
	assert_non_null(b.data);
	memcpy(b.data, der, b.len);
	cert_free(c);
	return b;
}

void
rig_open(struct rig *r, const char *yaml)
{
	static unsigned n;
	char text[8192];
	int len;

	*r = (struct rig){ .f = made.f };
	for (size_t i = 0; i < RIG_KEYS; i++)
		r->keys[i] = made.keys[i];
	r->log = memfd_create("log", MFD_CLOEXEC);
	assert_true(r->log >= 0);
	log_setup(LOG_INFO, LOG_TEXT, r->log);
	len = snprintf(text, sizeof(text), head, r->f->dir, n++);
	len += snprintf(text + len, sizeof(text) - (size_t)len, "%s", yaml);
	must(file_write(in_dir(r->f, "scepd.yaml"), text, (size_t)len, 0600, 1, &r->err), &r->err);
	open_server(r);
	r->ra[0] = ra_of(r, "ca/ra.pem");
	r->ra[1] = ra_of(r, "other/ra.pem");
}

void
rig_close(struct rig *r)
{
	scepd_free(r->s);
	scep_bytes_free(&r->ra[0]);
	scep_bytes_free(&r->ra[1]);
	log_setup(LOG_INFO, LOG_TEXT, STDERR_FILENO);
	clock_offset_set(0);
	close(r->log);
}

void
rig_restart(struct rig *r)
{
	scepd_free(r->s);
	open_server(r);
}

uint64_t
rig_certs(struct rig *r)
{
	struct store_stats st;

	must(store_stats(r->s->store, &st, &r->err), &r->err);
	return st.certs;
}

/* ---- devices ---- */

struct device
throw_away(const struct rig *r, const struct key *key, const char *subject)
{
	struct device d = { key, NULL };
	struct name name = { 0 };
	struct serial serial = { { 1 }, 1 };
	struct cert_fields fields = { .serial = &serial,
		.not_before = clock_now() - DAY,
		.not_after = clock_now() + DAY,
		.subject_key = key,
		.issuer_key = key,
		.path_len = -1,
		.key_usage = KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT,
		.digest = DIGEST_SHA256 };
	struct err why;

	must(name_from_text(&name, subject, &why), &why);
	fields.subject = fields.issuer = &name;
	must(cert_make(&d.cert, &fields, key, &why), &why);
	name_done(&name);
	return d;
}

void
device_done(struct device *d)
{
	cert_free(d->cert);
	d->cert = NULL;
}

struct scep_identity *
identity_of(const struct device *d)
{
	struct scep_identity *id = NULL;
	const uint8_t *der;
	struct buf pem;
	struct err why;
	size_t len;

	buf_init(&pem, 65536);
	must(key_private_pem(&pem, d->key, &why), &why);
	der = cert_der0(d->cert, &len);
	assert_int_equal(
	    scep_identity_from_pem(&id, der, len, (const char *)pem.data, pem.len, NULL), SCEP_OK);
	buf_wipe(&pem);
	return id;
}

/* ---- saying and hearing ---- */

/* The line of the transaction, or the last one. */
static void
read_log(struct rig *r, struct heard *h)
{
	char all[65536], *line;
	ssize_t n = pread(r->log, all, sizeof(all) - 1, 0);

	assert_true(n >= 0);
	all[n] = '\0';
	line = strstr(all, " scep tx=");
	(void)snprintf(h->log, sizeof(h->log), "%.4000s", line != NULL ? line : all);
	if ((line = strchr(h->log, '\n')) != NULL)
		*line = '\0';
	assert_int_equal(ftruncate(r->log, 0), 0);
	assert_int_equal(lseek(r->log, 0, SEEK_SET), 0);
}

static void
take_answer(struct heard *h, const struct buf *body, const struct scep_pending *pending,
    const struct scep_bytes *ra, const struct device *signer)
{
	struct scep_identity *me = identity_of(signer);
	struct scep_certrep rep;
	struct scep_error se;
	struct err why;

	if (scep_certrep_open(&rep, body->data, body->len, pending, ra, 1, me, &se) != SCEP_OK) {
		print_error("the answer: %s\n%s\n", se.text, h->log);
		assert_true(false);
	}
	h->status = rep.status;
	h->fail_info = rep.fail_info;
	(void)snprintf(h->text, sizeof(h->text), "%s", rep.fail_text);
	h->n_certs = rep.n_certs;
	if (rep.n_certs > 0)
		must(cert_parse(&h->cert, rep.certs[0].data, rep.certs[0].len, &why), &why);
	scep_certrep_done(&rep);
	scep_identity_free(me);
}

void
say_bytes(struct rig *r, struct heard *h, const char *endpoint, const struct scep_bytes *bytes,
    const struct scep_pending *pending, const struct device *signer, bool to_other)
{
	struct pki_operation op = { .endpoint = scepd_endpoint(r->s, endpoint, strlen(endpoint)),
		.message = bytes->data,
		.len = bytes->len,
		.peer = "192.0.2.1",
		.method = "POST" };
	struct http_reply reply = { .status = 200 };

	assert_non_null(op.endpoint);
	*h = (struct heard){ .fail_info = SCEP_FAIL_NONE };
	buf_init(&reply.body, HTTP_REPLY_MAX);
	buf_init(&reply.headers, 4096);
	pipeline_run(r->s, &op, &reply);
	if (reply.on_done != NULL)
		reply.on_done(reply.on_done_arg, true);
	read_log(r, h);
	h->http = reply.status;
	if (reply.status == 200)
		take_answer(h, &reply.body, pending, &r->ra[to_other], signer);
	buf_done(&reply.body);
	buf_done(&reply.headers);
}

void
say(struct rig *r, struct heard *h, const struct said *m)
{
	static const struct scep_algorithms usual = { SCEP_SHA256, SCEP_AES128,
		{ SCEP_RSA_PKCS1V15, 0, 0 } };
	struct wish w = m->wish;
	struct scep_pkcsreq req = { .type = m->type != 0 ? m->type : SCEP_PKCS_REQ };
	struct scep_identity *me = identity_of(m->signer);
	struct scep_pending pending;
	struct scep_bytes out;
	struct scep_error se;
	struct csr *csr;
	char tx[32];

	if (w.key == NULL)
		w.key = m->signer->key;
	csr = request(r->f, &w);
	(void)snprintf(tx, sizeof(tx), "TX%u", r->n++);
	req.transaction_id = m->transaction_id != NULL ? m->transaction_id : tx;
	req.csr = csr_der0(csr, &req.csr_len);
	req.signer = me;
	req.recipient = r->ra[m->to_other].data;
	req.recipient_len = r->ra[m->to_other].len;
	req.alg = m->alg != NULL ? *m->alg : usual;
	if (scep_pkcsreq_encode(&out, &pending, &req, &se) != SCEP_OK) {
		print_error("%s\n", se.text);
		assert_true(false);
	}
	say_bytes(r, h, m->endpoint != NULL ? m->endpoint : "lab", &out, &pending, m->signer,
	    m->to_other);
	scep_bytes_free(&out);
	csr_free(csr);
	scep_identity_free(me);
}

void
heard_done(struct heard *h)
{
	cert_free(h->cert);
	h->cert = NULL;
}

struct device
enrolled(struct rig *r, const char *endpoint, const struct key *key, const struct wish *w)
{
	struct device self = throw_away(r, key, "CN=throw-away"), d = { key, NULL };
	struct said m = { .endpoint = endpoint, .signer = &self, .wish = *w };
	struct heard h;

	if (m.wish.challenge == NULL)
		m.wish.challenge = CHALLENGE;
	m.to_other = endpoint != NULL && strcmp(endpoint, "other") == 0;
	say(r, &h, &m);
	assert_success(&h);
	d.cert = h.cert;
	device_done(&self);
	return d;
}
