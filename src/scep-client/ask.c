/* ask.c - see ask.h. */
#include "scep-client/ask.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "ossl/der.h"
#include "ossl/sig_alg.h"
#include "scep-client/ber.h"
#include "scep/request_csr.h"

typedef enum scep_status encode_fn(struct scep_bytes *out, struct scep_pending *pending,
    const struct scep_query *q, struct scep_error *err);

/* One question on its way. */
struct asked {
	struct scep_bytes message;
	struct scep_pending pending;
	struct scep_identity *me;
	struct buf reply;
};

static void
asked_done(struct asked *a)
{
	scep_bytes_free(&a->message);
	scep_identity_free(a->me);
	buf_done(&a->reply);
}

/* The name of the CA: the subject of the recipient where that is the CA, else who issued the RA.  Not the
 * RA's own issuer and serial number, as sscep once had it. */
static struct scep_slice
issuer_name(const struct session *s)
{
	const struct cert *r = s->ca[s->recipient];
	const struct name *n = cert_is_ca(r) ? cert_subject0(r) : cert_issuer0(r);

	return (struct scep_slice){ n->der, n->der_len };
}

/* The content of the INTEGER: a leading zero where the first bit is set. */
static struct scep_slice
serial_octets(uint8_t room[static SERIAL_MAX + 1], const struct serial *serial)
{
	bool zero = serial->len == 0 || (serial->v[0] & 0x80) != 0;

	room[0] = 0;
	memcpy(room + zero, serial->v, serial->len);
	return (struct scep_slice){ room, serial->len + zero };
}

static enum rc
send(struct asked *a, struct session *s, const struct enrol_request *req, encode_fn *encode,
    struct scep_query *q, struct err *err)
{
	const struct scep_bytes *ra = &s->ca_der[s->recipient];
	struct scep_error se;
	enum rc rc;

	if ((rc = enrol_identity(&a->me, req->signer, req->signer_key, err)) != RC_OK)
		return rc;
	q->issuer = issuer_name(s);
	q->signer = a->me;
	q->recipient = ra->data;
	q->recipient_len = ra->len;
	q->recipient_by_ski = req->recipient_by_ski;
	q->alg = req->alg;
	enrol_choose(&q->alg, s);
	if (encode(&a->message, &a->pending, q, &se) != SCEP_OK)
		return scep_error_to_err(err, &se);
	if (s->manner->ber && (rc = ber_message(&a->message, a->me, err)) != RC_OK)
		return rc;
	return enrol_exchange(s, &a->message, req, &a->reply, err);
}

enum rc
ask_poll(
    struct session *s, const struct enrol_request *req, struct enrol_result *out, struct err *err)
{
	struct scep_query q = { .transaction_id = req->transaction_id,
		.subject = { req->csr.subject->der, req->csr.subject->der_len } };
	struct asked a = { 0 };
	struct enrol_message m = { .password = req->csr.challenge };
	enum rc rc;

	if ((rc = send(&a, s, req, scep_certpoll_encode, &q, err)) == RC_OK) {
		m.pending = a.pending;
		m.me = a.me;
		rc = enrol_message_judge(out, s, &m, req->key, a.reply.data, a.reply.len, err);
	}
	asked_done(&a);
	return rc;
}

/* ---- GetCert, GetCRL ---- */

static void
outcome(struct enrol_result *out, const struct scep_certrep *rep, const struct asked *a)
{
	memset(out, 0, sizeof(*out));
	out->status = rep->status;
	out->fail_info = rep->fail_info;
	out->alg = rep->alg;
	out->way = rep->way;
	memcpy(out->fail_text, rep->fail_text, sizeof(out->fail_text));
	memcpy(out->transaction_id, a->pending.transaction_id, sizeof(out->transaction_id));
}

/* RFC 8894 4.5, 4.6: there is or there is not; nobody has to be asked first. */
static enum rc
open_reply(struct scep_certrep *rep, const struct asked *a, const struct session *s,
    const struct enrol_request *req, bool want_crl, struct err *err)
{
	struct scep_certrep_how how = { .pending = &a->pending,
		.ra_certs = s->ca_der,
		.n_ra_certs = s->n_ca,
		.me = a->me,
		.want_crl = want_crl,
		.password = req->csr.challenge,
		.password_len = req->csr.challenge != NULL ? strlen(req->csr.challenge) : 0 };
	struct scep_error se;

	if (scep_certrep_open_how(rep, a->reply.data, a->reply.len, &how, &se) != SCEP_OK)
		return scep_error_to_err(err, &se);
	if (rep->status != SCEP_PENDING)
		return RC_OK;
	scep_certrep_done(rep);
	return fail(err, RC_PARSE, "the server answers PENDING to a question (RFC 8894 4.5)");
}

static enum rc
take_cert(struct enrol_result *out, const struct scep_certrep *rep, const struct session *s,
    const struct serial *serial, struct err *err)
{
	enum rc rc;

	if (rep->n_certs == 0)
		return fail(err, RC_PARSE, "the answer says SUCCESS and holds no certificate");
	if ((rc = cert_parse(&out->cert, rep->certs[0].data, rep->certs[0].len, err)) != RC_OK)
		return err_context(err, "the certificate in the answer");
	if (!serial_same(cert_serial0(out->cert), serial))
		return fail(err, RC_INTEGRITY, "the answer holds another certificate");
	return enrol_trusts(s, out->cert, err);
}

enum rc
ask_cert(struct session *s, const struct enrol_request *req, const struct serial *serial,
    struct enrol_result *out, struct err *err)
{
	uint8_t room[SERIAL_MAX + 1];
	struct scep_query q = { .serial = serial_octets(room, serial) };
	struct scep_certrep rep;
	struct asked a = { 0 };
	enum rc rc;

	if ((rc = send(&a, s, req, scep_getcert_encode, &q, err)) == RC_OK &&
	    (rc = open_reply(&rep, &a, s, req, false, err)) == RC_OK) {
		outcome(out, &rep, &a);
		if (rep.status == SCEP_SUCCESS &&
		    (rc = take_cert(out, &rep, s, serial, err)) != RC_OK)
			enrol_result_done(out);
		scep_certrep_done(&rep);
	}
	asked_done(&a);
	return rc;
}

/* TBSCertList (RFC 5280 5.1.2) as far as people want to know it. */
static bool
read_tbs(struct crl_facts *out, struct der *issuer, struct der tbs)
{
	struct der in, skipped, entries = { 0 };

	if (!der_take(&tbs, DER_SEQUENCE, &in))
		return false;
	(void)der_take(&in, DER_INTEGER, &skipped);
	if (!der_take(&in, DER_SEQUENCE, &skipped) || !der_take_whole(&in, DER_SEQUENCE, issuer) ||
	    !der_take_time(&in, &out->this_update))
		return false;
	if ((der_next_is(&in, DER_UTCTIME) || der_next_is(&in, DER_GENERALIZEDTIME)) &&
	    !der_take_time(&in, &out->next_update))
		return false;
	return !der_take(&in, DER_SEQUENCE, &entries) || der_count(&entries, &out->n_entries);
}

static bool
is_issuer(const struct cert *ca, const struct der *issuer)
{
	struct name n = { 0 };
	bool same = false;

	if (name_parse(&n, issuer->p, issuer->len, NULL) == RC_OK)
		same = cert_is_ca(ca) && name_same(&n, cert_subject0(ca));
	name_done(&n);
	return same;
}

enum rc
crl_look(
    struct crl_facts *out, const struct session *s, const void *der, size_t len, struct err *err)
{
	struct der in = { der, len }, list, tbs, alg, sig, issuer;
	const struct sig_alg *how;
	struct crl_facts facts = { 0 };
	enum rc rc;

	if (!der_take(&in, DER_SEQUENCE, &list) || in.len > 0 ||
	    !der_take_whole(&list, DER_SEQUENCE, &tbs) || !der_take(&list, DER_SEQUENCE, &alg) ||
	    !der_take_octet_bits(&list, &sig) || list.len > 0 || !read_tbs(&facts, &issuer, tbs))
		return fail(err, RC_PARSE, "not a revocation list (RFC 5280 5.1)");
	if ((rc = sig_alg_parse(&how, &alg, err)) != RC_OK)
		return err_context(err, "revocation list");
	for (size_t i = 0; i < s->n_ca; i++)
		if (is_issuer(s->ca[i], &issuer) &&
		    key_info0(cert_key0(s->ca[i]))->type == how->key &&
		    key_verify(cert_key0(s->ca[i]), how->digest, tbs.p, tbs.len, sig.p, sig.len,
			NULL) == RC_OK) {
			*out = facts;
			return RC_OK;
		}
	return fail(err, RC_INTEGRITY,
	    "none of the CA certificates from GetCACert has signed the revocation list");
}

static enum rc
take_crl(struct buf *crl, struct crl_facts *facts, const struct scep_certrep *rep,
    const struct session *s, struct err *err)
{
	enum rc rc;

	if (rep->crl.data == NULL)
		return fail(err, RC_PARSE, "the answer says SUCCESS and holds no revocation list");
	if ((rc = crl_look(facts, s, rep->crl.data, rep->crl.len, err)) != RC_OK)
		return rc;
	buf_add(crl, rep->crl.data, rep->crl.len);
	return buf_ok(crl, "revocation list", err);
}

enum rc
ask_crl(struct session *s, const struct enrol_request *req, const struct serial *serial,
    struct enrol_result *out, struct buf *crl, struct crl_facts *facts, struct err *err)
{
	uint8_t room[SERIAL_MAX + 1];
	struct scep_query q = { .serial = serial_octets(room, serial) };
	struct scep_certrep rep;
	struct asked a = { 0 };
	enum rc rc;

	if ((rc = send(&a, s, req, scep_getcrl_encode, &q, err)) == RC_OK &&
	    (rc = open_reply(&rep, &a, s, req, true, err)) == RC_OK) {
		outcome(out, &rep, &a);
		if (rep.status == SCEP_SUCCESS)
			rc = take_crl(crl, facts, &rep, s, err);
		scep_certrep_done(&rep);
	}
	asked_done(&a);
	return rc;
}
