/*
 * ocsp_answer.c - see ocsp_answer.h and ocsp.h.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/limits.h"
#include "scepd/ocsp.h"
#include "scepd/ocsp_answer.h"
#include "store/store_status.h"

/* Before now: for relying parties whose clock is late.  They are servers, on whose network Kerberos
 * allows five minutes. */
#define BACKDATE 300 /* seconds */
/* Of an answer that says "on hold": such a thing may be over soon. */
#define HOLD_VALIDITY 300 /* seconds */
/* Answers being signed at a time: an enrolment waits behind at most so many. */
#define SIGNING_MAX 32
/* How long it is believed who the responder is; after a restart of the signer with another key the
 * first answer corrects it. */
#define RESPONDER_AGE_MS 60000

/* Who answers for a CA. */
struct responder {
	uint8_t id[20];
	/* Certificates of this CA that no store row tells of: the RA's, the responder's. */
	struct serial own[SIGNER_RAS_MAX + 1];
	size_t n_own;
	int64_t end; /* of its certificate, wall seconds; 0: it has none */
};
/* A CA that is answered for, ours or not. */
struct ocsp_ca {
	const char *name; /* as signer and store know it */
	const struct cert *cert;
	int64_t validity; /* seconds */
	/* Whoever runs a foreign CA certifies its responder, and not at once when it is due. */
	bool foreign;
	enum ocsp_status not_known; /* of serial numbers that the store does not have */
	struct ocsp_issuer issuer;
	pthread_mutex_t lock;
	struct responder responder; /* behind the lock, as is: */
	int64_t known_ms;           /* monotonic; 0: not yet */
};
struct ocsp {
	struct ocsp_cache *cache;
	atomic_uint signing;
	_Atomic uint64_t status; /* the store's number of the last change, as far as is known */
	size_t n_cas;
	struct ocsp_ca cas[]; /* those of struct scepd, then the foreign ones with a responder */
};

static enum rc
add_ca(struct ocsp *o, const struct ocsp_ca *what, struct err *err)
{
	struct ocsp_ca *ca = &o->cas[o->n_cas++];

	*ca = *what;
	(void)pthread_mutex_init(&ca->lock, NULL);
	return ocsp_issuer_of(&ca->issuer, ca->cert, err);
}

static enum rc
add_own(struct ocsp *o, const struct scepd *s, struct err *err)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < s->n_cas; i++) {
		const struct server_ca *sca = &s->cas[i];
		struct ocsp_ca ca = { .name = sca->conf->name,
			.cert = ca_cert0(sca->ca),
			.validity = sca->conf->ocsp_validity,
			.not_known = OCSP_UNKNOWN };

		rc = add_ca(o, &ca, err);
	}
	return rc;
}

static enum rc
add_foreign(struct ocsp *o, const struct scepd *s, struct err *err)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < s->n_foreign; i++) {
		const struct conf_foreign *f = s->foreign[i].conf;
		struct ocsp_ca ca = { .name = f->name,
			.cert = s->foreign[i].cert,
			.validity = f->ocsp_validity,
			.foreign = true,
			.not_known =
			    f->not_imported == NOT_IMPORTED_GOOD ? OCSP_GOOD : OCSP_UNKNOWN };

		if (f->ocsp_certificate != NULL)
			rc = add_ca(o, &ca, err);
	}
	return rc;
}

enum rc
ocsp_new(struct ocsp **out, const struct scepd *s, struct err *err)
{
	struct ocsp *o = calloc(1, sizeof(*o) + (s->n_cas + s->n_foreign) * sizeof(o->cas[0]));
	enum rc rc;

	if (o == NULL)
		return fail(err, RC_NOMEM, "OCSP responder");
	rc = ocsp_cache_new(&o->cache, err);
	if (rc == RC_OK)
		rc = add_own(o, s, err);
	if (rc == RC_OK)
		rc = add_foreign(o, s, err);
	if (rc == RC_OK)
		*out = o;
	else
		ocsp_free(o);
	return rc;
}

void
ocsp_free(struct ocsp *o)
{
	if (o == NULL)
		return;
	for (size_t i = 0; i < o->n_cas; i++)
		(void)pthread_mutex_destroy(&o->cas[i].lock);
	ocsp_cache_free(o->cache);
	free(o);
}

void
ocsp_status_is(struct ocsp *o, uint64_t number)
{
	if (o != NULL)
		atomic_store(&o->status, number);
}

bool
ocsp_find(size_t *out, const struct ocsp *o, const char *name, size_t len)
{
	for (size_t i = 0; i < o->n_cas; i++)
		if (strlen(o->cas[i].name) == len && strncasecmp(o->cas[i].name, name, len) == 0) {
			*out = i;
			return true;
		}
	return false;
}

void
ocsp_responder_changed(struct ocsp *o, const char *ca)
{
	size_t at;

	if (o == NULL || !ocsp_find(&at, o, ca, strlen(ca)))
		return;
	(void)pthread_mutex_lock(&o->cas[at].lock);
	o->cas[at].known_ms = 0;
	(void)pthread_mutex_unlock(&o->cas[at].lock);
}

/* ---- who answers ---- */

/* One request on its way. */
struct work {
	struct scepd *s;
	const struct ocsp_request *request;
	struct ocsp_ca *ca;
	struct ocsp_outcome *o;
};

static bool
all_are_of(const struct ocsp_request *r, const struct ocsp_issuer *issuer)
{
	for (size_t i = 0; i < r->n_ids; i++)
		if (!ocsp_id_is_of(&r->ids[i], issuer))
			return false;
	return true;
}

/* The CA that all CertIDs name, the URL's before others: a CA that was certified anew under its old
 * key has two names here. */
static enum rc
find_ca(struct work *w, size_t preferred, struct err *err)
{
	struct ocsp *o = w->s->ocsp;

	for (size_t i = 0; i < o->n_cas; i++) {
		size_t at = (preferred + i) % o->n_cas;

		if (all_are_of(w->request, &o->cas[at].issuer)) {
			w->ca = &o->cas[at];
			return RC_OK;
		}
	}
	return fail(err, RC_NOTFOUND, "names certificates of no CA here, or of several");
}

static void
note_own(struct responder *r, const struct work *w, const struct cert *c)
{
	if (cert_verify_by(c, w->ca->cert, NULL) == RC_OK)
		r->own[r->n_own++] = *cert_serial0(c);
}

static enum rc
ask_responder(struct responder *out, const struct work *w, struct err *err)
{
	struct responder r = { .n_own = 0 };
	struct signer_certs certs;
	enum rc rc;

	if ((rc = signer_certs(w->s->signer, w->ca->name, &certs, err)) != RC_OK)
		return rc;
	if (certs.ocsp != NULL)
		rc = key_identifier(r.id, cert_key0(certs.ocsp), err);
	else if (!w->ca->foreign)
		rc =
		    fail(err, RC_IO, "the signer has no OCSP responder for CA %s yet", w->ca->name);
	if (rc == RC_OK) {
		if (certs.ocsp != NULL) {
			r.end = cert_not_after(certs.ocsp);
			note_own(&r, w, certs.ocsp);
		}
		for (size_t i = 0; i < certs.n_ra; i++)
			note_own(&r, w, certs.ra[i]);
		*out = r;
	}
	signer_certs_done(&certs);
	return rc;
}

/* The lock is not held while the signer is asked, which may take its time. */
static enum rc
get_responder(struct responder *out, const struct work *w, bool anew, struct err *err)
{
	struct ocsp_ca *ca = w->ca;
	bool known;
	enum rc rc;

	(void)pthread_mutex_lock(&ca->lock);
	known = !anew && ca->known_ms != 0 && clock_mono_ms() - ca->known_ms < RESPONDER_AGE_MS;
	if (known)
		*out = ca->responder;
	(void)pthread_mutex_unlock(&ca->lock);
	if (known || (rc = ask_responder(out, w, err)) != RC_OK)
		return known ? RC_OK : rc;
	(void)pthread_mutex_lock(&ca->lock);
	ca->responder = *out;
	ca->known_ms = clock_mono_ms();
	(void)pthread_mutex_unlock(&ca->lock);
	return RC_OK;
}

/* What nobody could verify is not signed.  Ours are renewed; a foreign CA's is there or not, until it is exchanged. */
static enum rc
check_end(const struct responder *r, const struct work *w, struct err *err)
{
	if (!w->ca->foreign || r->end >= clock_now())
		return RC_OK;
	return fail(err, RC_NOTFOUND, "the responder of foreign CA %s %s", w->ca->name,
	    r->end == 0 ? "has no certificate yet" : "has a certificate that has ended");
}

/* ---- what is known ---- */

static bool
is_own(const struct responder *r, const struct serial *serial)
{
	for (size_t i = 0; i < r->n_own; i++)
		if (serial_same(&r->own[i], serial))
			return true;
	return false;
}

/* Whether it has expired makes no difference: who asks about it then has a reason. */
static enum rc
look_up(struct ocsp_single *single, const struct work *w, const struct responder *r,
    const struct serial *serial, struct err *err)
{
	struct store_cert_status st;
	char hex[2 * SERIAL_MAX + 1];
	enum rc rc;

	single->status = OCSP_UNKNOWN;
	if (serial->len == 0)
		return RC_OK;
	/* A foreign CA may have taken a responder's certificate back; of ours the store knows nothing. */
	if (!w->ca->foreign && is_own(r, serial)) {
		single->status = OCSP_GOOD;
		return RC_OK;
	}
	serial_hex(hex, serial);
	rc = store_cert_status(w->s->store, hex, w->ca->name, &st, err);
	if (rc == RC_NOTFOUND && is_own(r, serial)) {
		single->status = OCSP_GOOD;
		return RC_OK;
	}
	if (rc == RC_NOTFOUND) {
		single->status = w->ca->not_known;
		return RC_OK;
	}
	if (rc != RC_OK)
		return rc;
	single->status = st.revoked != 0 ? OCSP_REVOKED : OCSP_GOOD;
	single->revoked = st.revoked;
	single->reason = st.reason;
	return RC_OK;
}

/* ---- signing ---- */

static enum rc
fill_singles(
    struct ocsp_single *singles, const struct work *w, const struct responder *r, struct err *err)
{
	struct ocsp_kept *kept = &w->o->kept;
	int64_t until = INT64_MAX;
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < w->request->n_ids; i++) {
		singles[i] = (struct ocsp_single){ .id = w->request->ids[i].whole,
			.this_update = kept->this_update };
		rc = look_up(&singles[i], w, r, &w->request->ids[i].serial, err);
		if (rc == RC_OK && singles[i].status == OCSP_REVOKED &&
		    singles[i].reason == REASON_HOLD)
			until = kept->this_update + BACKDATE + HOLD_VALIDITY;
	}
	if (until < kept->next_update)
		kept->next_update = until;
	for (size_t i = 0; i < w->request->n_ids; i++)
		singles[i].next_update = kept->next_update;
	return rc;
}

static enum rc
sign(struct buf *basic, const struct work *w, const struct responder *r, struct err *err)
{
	struct ocsp_kept *kept = &w->o->kept;
	struct ocsp_single singles[OCSP_CERTS_MAX];
	struct ocsp_answer a = { .produced = clock_now(),
		.singles = singles,
		.n_singles = w->request->n_ids,
		.nonce = w->request->nonce };
	struct buf data;
	enum rc rc;

	memcpy(a.responder, r->id, sizeof(a.responder));
	kept->this_update = a.produced - BACKDATE;
	kept->next_update = a.produced + w->ca->validity;
	if (w->ca->foreign &&
	    kept->next_update > r->end) /* who keeps it must be able to verify it */
		kept->next_update = r->end;
	if ((rc = fill_singles(singles, w, r, err)) != RC_OK)
		return rc;
	kept->status = (int)singles[0].status;
	buf_init(&data, 2 * OCSP_REQUEST_MAX);
	if ((rc = ocsp_response_data_build(&data, &a, err)) == RC_OK)
		rc = signer_sign_ocsp(w->s->signer, w->ca->name, data.data, data.len, basic, err);
	buf_done(&data);
	return rc;
}

/* A responder that is not the signer's (any more) is refused there: ask who it is, once. */
static enum rc
sign_by_responder(struct buf *basic, const struct work *w, struct err *err)
{
	struct responder r;
	enum rc rc = get_responder(&r, w, false, err);

	if (rc == RC_OK)
		rc = check_end(&r, w, err);
	if (rc == RC_OK && (rc = sign(basic, w, &r, err)) == RC_DENIED &&
	    (rc = get_responder(&r, w, true, err)) == RC_OK)
		rc = sign(basic, w, &r, err);
	return rc;
}

static enum rc
make(struct buf *out, const struct work *w, struct err *err)
{
	struct ocsp *o = w->s->ocsp;
	struct buf basic;
	enum rc rc;

	buf_init(&basic, 2 * OCSP_REQUEST_MAX + LIMIT_CERT);
	if (atomic_fetch_add(&o->signing, 1) < SIGNING_MAX)
		rc = sign_by_responder(&basic, w, err);
	else
		rc = fail(err, RC_LIMIT, "%d answers are being signed already", SIGNING_MAX);
	(void)atomic_fetch_sub(&o->signing, 1);
	if (rc == RC_OK && (rc = buf_ok(&basic, "OCSP answer", err)) == RC_OK) {
		metric_add(w->s->metrics, METRIC_OCSP_SIGNED, 1);
		if (w->ca->foreign)
			metric_add(w->s->metrics, METRIC_OCSP_FOREIGN, 1);
		ocsp_response_add(out, basic.data, basic.len);
	}
	buf_done(&basic);
	return rc;
}

/* ---- from the cache, or made for it ---- */

/* CertIDs as they were sent, which the answer echoes; they name the CA too.  After a change it is another
 * question. */
static enum rc
cache_key(uint8_t key[static OCSP_KEY_SIZE], const struct ocsp_request *r, uint64_t status,
    struct err *err)
{
	struct buf ids;
	enum rc rc;

	buf_init(&ids, OCSP_REQUEST_MAX + sizeof(status));
	buf_add(&ids, &status, sizeof(status));
	for (size_t i = 0; i < r->n_ids; i++)
		buf_add(&ids, r->ids[i].whole.p, r->ids[i].whole.len);
	rc = buf_ok(&ids, "CertIDs", err);
	if (rc == RC_OK)
		rc = digest_bytes(key, DIGEST_SHA256, ids.data, ids.len, err);
	buf_done(&ids);
	return rc;
}

static enum rc
cached(struct buf *out, const struct work *w, struct err *err)
{
	struct ocsp_cache *cache = w->s->ocsp->cache;
	uint8_t key[OCSP_KEY_SIZE];
	struct ocsp_slot *slot;
	size_t start = out->len;
	enum ocsp_found found;
	enum rc rc;

	if ((rc = cache_key(key, w->request, atomic_load(&w->s->ocsp->status), err)) != RC_OK)
		return rc;
	found = ocsp_cache_get(cache, key, out, &w->o->kept, &slot);
	w->o->from_cache = found == OCSP_FOUND;
	if (found == OCSP_BUSY)
		return fail(err, RC_TIMEOUT, "this answer is being signed for too long");
	if (found == OCSP_MAKE) {
		rc = make(out, w, err);
		ocsp_cache_put(cache, slot, rc == RC_OK ? out->data + start : NULL,
		    out->len - start, &w->o->kept);
	}
	return rc;
}

/* ---- the answer ---- */

static enum rc
answer(struct buf *out, struct work *w, size_t preferred, struct err *err)
{
	const struct ocsp_request *r = w->request;
	enum rc rc;

	w->o->n = r->n_ids;
	w->o->nonce = r->nonce.p != NULL;
	serial_hex(w->o->serial, &r->ids[0].serial);
	if ((rc = find_ca(w, preferred, err)) != RC_OK)
		return rc;
	w->o->ca = w->ca->name;
	return w->o->nonce ? make(out, w, err) : cached(out, w, err);
}

/* What a client is told; RFC 6960 2.3. */
static enum ocsp_failure
failure_of(enum rc rc)
{
	switch (rc) {
	case RC_NOTFOUND:
		return OCSP_UNAUTHORIZED;
	case RC_LIMIT:
	case RC_IO:
	case RC_TIMEOUT:
		return OCSP_TRY_LATER;
	default:
		return OCSP_INTERNAL_ERROR;
	}
}

void
ocsp_answer(struct scepd *s, size_t preferred, const uint8_t *der, size_t len, struct buf *out,
    struct ocsp_outcome *o)
{
	struct ocsp_request request;
	struct work w = { .s = s, .request = &request, .o = o };
	size_t start = out->len;
	enum rc rc;

	*o = (struct ocsp_outcome){ 0 };
	metric_add(s->metrics, METRIC_OCSP, 1);
	if ((rc = ocsp_request_parse(&request, der, len, &o->err)) != RC_OK)
		o->failure = OCSP_MALFORMED;
	else if ((rc = answer(out, &w, preferred, &o->err)) != RC_OK)
		o->failure = failure_of(rc);
	if (rc == RC_OK)
		return;
	metric_add(s->metrics, METRIC_OCSP_REFUSED, 1);
	out->len = start;
	ocsp_failure_add(out, o->failure);
}
