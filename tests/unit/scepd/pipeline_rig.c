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
    "    ra_certificate: ca/ra.pem, ra_key: ca/ra.key%s }\n"
    "  other: { certificate: other/issuing.pem, key: other/issuing.key, chain: [ other/root.pem "
    "],\n"
    "    ra_certificate: other/ra.pem, ra_key: other/ra.key, max_per_hour: 3 }\n";

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
	rig_open_with(r, "", yaml);
}

void
rig_open_with(struct rig *r, const char *issuing, const char *yaml)
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
	len = snprintf(text, sizeof(text), head, r->f->dir, n++, issuing);
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
throw_away_for(const struct rig *r, const struct key *key, const char *subject, unsigned key_usage)
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
		.key_usage = key_usage,
		.digest = DIGEST_SHA256 };
	struct err why;

	must(name_from_text(&name, subject, &why), &why);
	fields.subject = fields.issuer = &name;
	must(cert_make(&d.cert, &fields, key, &why), &why);
	name_done(&name);
	return d;
}

struct device
throw_away(const struct rig *r, const struct key *key, const char *subject)
{
	return throw_away_for(r, key, subject, KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT);
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

/* pkcs7-data, and an OCTET STRING that holds nothing. */
static bool
has_empty_content(const struct buf *body)
{
	static const uint8_t want[] = { 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07,
		0x01, 0xa0, 0x02, 0x04, 0x00 };

	return memmem(body->data, body->len, want, sizeof(want)) != NULL;
}

static void
take_answer(struct rig *r, struct heard *h, const struct buf *body, const struct sent *m)
{
	struct scep_identity *me = identity_of(m->signer);
	struct scep_certrep_how how = { .pending = &m->pending,
		.ra_certs = &r->ra[m->to_other],
		.n_ra_certs = 1,
		.me = me,
		.want_crl = m->want_crl,
		.password = m->password,
		.password_len = m->password != NULL ? strlen(m->password) : 0 };
	struct scep_certrep rep;
	struct scep_error se;
	struct err why;

	if (scep_certrep_open_how(&rep, body->data, body->len, &how, &se) != SCEP_OK) {
		print_error("the answer: %s\n%s\n", se.text, h->log);
		assert_true(false);
	}
	h->status = rep.status;
	h->fail_info = rep.fail_info;
	h->way = rep.way;
	(void)snprintf(h->text, sizeof(h->text), "%s", rep.fail_text);
	h->n_certs = rep.n_certs;
	if (rep.n_certs > 0)
		must(cert_parse(&h->cert, rep.certs[0].data, rep.certs[0].len, &why), &why);
	if (rep.n_certs > 1) {
		h->second = rep.certs[1];
		rep.certs[1] = (struct scep_bytes){ 0 };
	}
	h->crl = rep.crl;
	rep.crl = (struct scep_bytes){ 0 };
	h->empty_content = has_empty_content(body);
	scep_certrep_done(&rep);
	scep_identity_free(me);
}

void
say_bytes(struct rig *r, struct heard *h, const struct sent *m)
{
	struct pki_operation op = { .endpoint =
					scepd_endpoint(r->s, m->endpoint, strlen(m->endpoint)),
		.message = m->bytes.data,
		.len = m->bytes.len,
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
	/* What nobody waits for is of this moment, whatever a test does to the clock next. */
	must(store_flush(r->s->store, &r->err), &r->err);
	read_log(r, h);
	h->http = reply.status;
	h->blame = reply.blame;
	if (reply.status == 200)
		take_answer(r, h, &reply.body, m);
	buf_done(&reply.body);
	buf_done(&reply.headers);
}

static const struct scep_algorithms usual = { SCEP_SHA256, SCEP_AES128,
	{ SCEP_RSA_PKCS1V15, 0, 0 } };

static const char *
next_tx(struct rig *r)
{
	static char tx[32];

	(void)snprintf(tx, sizeof(tx), "TX%u", r->n++);
	return tx;
}

void
say(struct rig *r, struct heard *h, const struct said *m)
{
	struct wish w = m->wish;
	struct scep_pkcsreq req = { .type = m->type != 0 ? m->type : SCEP_PKCS_REQ };
	struct scep_identity *me = identity_of(m->signer);
	struct sent s = { m->endpoint != NULL ? m->endpoint : "lab", .signer = m->signer,
		.to_other = m->to_other, .password = m->password };
	int64_t now = clock_offset();
	struct scep_error se;
	struct csr *csr;

	if (w.key == NULL)
		w.key = m->signer->key;
	csr = request(r->f, &w);
	req.transaction_id = m->transaction_id != NULL ? m->transaction_id : next_tx(r);
	req.csr = csr_der0(csr, &req.csr_len);
	req.signer = me;
	req.recipient = r->ra[m->to_other].data;
	req.recipient_len = r->ra[m->to_other].len;
	req.alg = m->alg != NULL ? *m->alg : usual;
	clock_offset_set(now - m->ago);
	if (scep_pkcsreq_encode(&s.bytes, &s.pending, &req, &se) != SCEP_OK) {
		print_error("%s\n", se.text);
		assert_true(false);
	}
	clock_offset_set(now);
	say_bytes(r, h, &s);
	scep_bytes_free(&s.bytes);
	csr_free(csr);
	scep_identity_free(me);
}

void
query(struct rig *r, struct heard *h, const struct queried *m)
{
	static const struct {
		enum scep_message_type type;
		enum scep_status (*encode)(struct scep_bytes *, struct scep_pending *,
		    const struct scep_query *, struct scep_error *);
	} types[] = { { SCEP_CERT_POLL, scep_certpoll_encode },
		{ SCEP_GET_CERT, scep_getcert_encode }, { SCEP_GET_CRL, scep_getcrl_encode } };
	const struct cert *of = m->of != NULL ? m->of : m->signer->cert;
	const struct name *issuer = m->by != NULL ? cert_subject0(m->by) : cert_issuer0(of);
	const struct serial *serial = m->serial != NULL ? m->serial : cert_serial0(of);
	struct scep_identity *me = identity_of(m->signer);
	struct scep_query q = { .transaction_id = m->transaction_id,
		.issuer = { issuer->der, issuer->der_len },
		.subject = { cert_subject0(of)->der, cert_subject0(of)->der_len },
		.serial = { serial->v, serial->len },
		.signer = me,
		.recipient = r->ra[0].data,
		.recipient_len = r->ra[0].len,
		.alg = usual };
	struct sent s = { m->endpoint != NULL ? m->endpoint : "lab", .signer = m->signer };
	struct scep_error se;

	s.want_crl = m->type == SCEP_GET_CRL;
	for (size_t i = 0; i < 3; i++)
		if (types[i].type == m->type &&
		    types[i].encode(&s.bytes, &s.pending, &q, &se) != SCEP_OK) {
			print_error("%s\n", se.text);
			assert_true(false);
		}
	say_bytes(r, h, &s);
	scep_bytes_free(&s.bytes);
	scep_identity_free(me);
}

void
heard_done(struct heard *h)
{
	cert_free(h->cert);
	h->cert = NULL;
	scep_bytes_free(&h->second);
	scep_bytes_free(&h->crl);
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
