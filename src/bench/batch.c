/* batch.c - see batch.h. */
#include "bench/batch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/text.h"
#include "ossl/eku.h"

#define CHALLENGE_RAW 2304 /* octets: 3072 characters of base64, as long as Intune's are */
#define RUN_ID        8    /* octets that keep transaction ids of two runs apart */
#define FAULT_MAX     200

struct one {
	struct enrol_message message;
	struct key *key; /* borrowed */
	struct serial serial;
	enum { BAD, GOOD, UNOPENED } grade;
	char fault[FAULT_MAX];
};

struct batch {
	struct batch_spec spec;
	uint8_t run[RUN_ID];
	struct one *v;
	struct shot *shots;
};

/* ---- building */

static enum rc
make_subject(struct name *out, const struct batch *b, size_t i, struct err *err)
{
	const char *s = b->spec.subject, *percent = strchr(s, '%');
	char run[2 * RUN_ID + 1], *text = NULL;
	enum rc rc;

	hex_lower(run, b->run, RUN_ID);
	if (percent == NULL)
		rc = str_dup(&text, s, err);
	else
		rc = str_format(
		    &text, err, "%.*s%s-%zu%s", (int)(percent - s), s, run, i, percent + 1);
	if (rc == RC_OK && (rc = name_from_text(out, text, err)) != RC_OK)
		(void)err_context(err, "subject");
	free(text);
	return rc;
}

/* As challengePassword holds Intune's: encrypted and signed, so to us random, in base64. */
static enum rc
make_challenge(struct buf *out, struct err *err)
{
	uint8_t raw[CHALLENGE_RAW];
	enum rc rc;

	if ((rc = random_bytes(raw, sizeof(raw), err)) != RC_OK)
		return rc;
	base64_add(out, raw, sizeof(raw));
	return buf_ok(out, "challenge", err);
}

static enum rc
build(struct batch *b, size_t i, const struct name *subject, const char *challenge, struct err *err)
{
	static const char *const eku[] = { OID_CLIENT_AUTH };
	struct one *o = &b->v[i];
	char run[2 * RUN_ID + 1], transaction_id[64];
	struct enrol_request req = { .csr = { .subject = subject,
					 .challenge = challenge,
					 .key_usage = KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT,
					 .eku = eku,
					 .n_eku = 1 },
		.key = o->key,
		.transaction_id = transaction_id };
	enum rc rc;

	hex_upper(run, b->run, RUN_ID);
	(void)snprintf(transaction_id, sizeof(transaction_id), "%s%016zX", run, i);
	if ((rc = enrol_message_build(&o->message, b->spec.session, &req, err)) != RC_OK)
		return rc;
	b->shots[i].body = o->message.bytes.data;
	b->shots[i].len = o->message.bytes.len;
	return RC_OK;
}

static enum rc
build_one(void *ctx, size_t i, struct err *err)
{
	struct batch *b = ctx;
	struct name subject;
	struct buf own;
	enum rc rc;

	if ((rc = make_subject(&subject, b, i, err)) != RC_OK)
		return rc;
	buf_init(&own, LIMIT_CHALLENGE);
	if (b->spec.challenge == NULL)
		rc = make_challenge(&own, err);
	if (rc == RC_OK)
		rc = build(b, i, &subject,
		    b->spec.challenge != NULL ? b->spec.challenge : buf_str(&own), err);
	buf_wipe(&own);
	name_done(&subject);
	return rc;
}

enum rc
batch_build(struct batch **out, const struct batch_spec *spec, const struct cpus *cpus,
    const struct progress *p, struct err *err)
{
	struct batch *b = calloc(1, sizeof(*b));
	enum rc rc = RC_OK;

	if (b == NULL)
		return fail(err, RC_NOMEM, "batch");
	b->spec = *spec;
	b->v = calloc(spec->n, sizeof(*b->v));
	b->shots = calloc(spec->n, sizeof(*b->shots));
	if (b->v == NULL || b->shots == NULL)
		rc = fail(err, RC_NOMEM, "%zu messages", spec->n);
	for (size_t i = 0; rc == RC_OK && i < spec->n; i++)
		b->v[i].key = spec->keys->v[i % spec->keys->n];
	if (rc == RC_OK && (rc = random_bytes(b->run, RUN_ID, err)) == RC_OK)
		rc = crew_run(cpus, p, "building requests", spec->n, build_one, b, err);
	if (rc == RC_OK)
		*out = b;
	else
		batch_free(b);
	return rc;
}

void
batch_free(struct batch *b)
{
	if (b == NULL)
		return;
	for (size_t i = 0; b->v != NULL && i < b->spec.n; i++)
		enrol_message_done(&b->v[i].message);
	if (b->shots != NULL)
		shots_done(b->shots, b->spec.n);
	free(b->v);
	free(b->shots);
	free(b);
}

struct shot *
batch_shots(struct batch *b)
{
	return b->shots;
}

/* ---- judging */

static enum rc
judge(struct one *o, const struct shot *s, struct session *session, struct err *err)
{
	struct enrol_result r;
	enum rc rc;

	if (s->status == 0)
		return fail(err, RC_IO, "no answer came");
	if (s->status != 200)
		return fail(err, RC_IO, "HTTP %d: %.80s", s->status, buf_str(&s->reply));
	if ((rc = enrol_message_judge(
		 &r, session, &o->message, o->key, s->reply.data, s->reply.len, err)) != RC_OK)
		return rc;
	if (r.status != SCEP_SUCCESS)
		rc = fail(err, RC_DENIED, "%s %s: %s", scep_pki_status_name(r.status),
		    scep_fail_info_name(r.fail_info), r.fail_text);
	else
		o->serial = *cert_serial0(r.cert);
	enrol_result_done(&r);
	return rc;
}

/*
 * Some servers envelope in single DES whatever they were asked in (micromdm 2.1), which libscep
 * does not take.  It looks at the envelope last: signature, transaction and nonce are right, and
 * the status is SUCCESS.
 */
static bool
is_unopened(const struct one *o, const struct shot *s, const struct session *session)
{
	struct scep_certrep rep;
	struct scep_error e;

	if (s->status != 200 ||
	    scep_certrep_open(&rep, s->reply.data, s->reply.len, &o->message.pending,
		session->ca_der, session->n_ca, o->message.me, &e) == SCEP_OK)
		return false;
	return e.status == SCEP_E_ALG && strcmp(e.step, "structure") == 0;
}

/* A bad answer is a finding, not a failure of the crew. */
static enum rc
judge_one(void *ctx, size_t i, struct err *err)
{
	struct batch *b = ctx;
	struct one *o = &b->v[i];
	struct err why;

	if (judge(o, &b->shots[i], b->spec.session, &why) == RC_OK) {
		o->grade = GOOD;
		return RC_OK;
	}
	(void)snprintf(o->fault, sizeof(o->fault), "%.*s", FAULT_MAX - 1, why.msg);
	if (why.rc == RC_ALG && is_unopened(o, &b->shots[i], b->spec.session))
		o->grade = UNOPENED;
	return RC_OK;
}

static int
by_serial(const void *a, const void *b)
{
	const struct serial *x = a, *y = b;

	return x->len != y->len ? (x->len > y->len ? 1 : -1) : memcmp(x->v, y->v, x->len);
}

static enum rc
count_twice(size_t *out, const struct batch *b, struct err *err)
{
	struct serial *v = calloc(b->spec.n, sizeof(*v));
	size_t n = 0;

	if (v == NULL)
		return fail(err, RC_NOMEM, "serial numbers");
	for (size_t i = 0; i < b->spec.n; i++)
		if (b->v[i].grade == GOOD)
			v[n++] = b->v[i].serial;
	qsort(v, n, sizeof(*v), by_serial);
	for (size_t i = 1; i < n; i++)
		*out += serial_same(&v[i - 1], &v[i]);
	free(v);
	return RC_OK;
}

enum rc
batch_judge(struct verdict *out, struct batch *b, const struct cpus *cpus, const struct progress *p,
    struct err *err)
{
	enum rc rc;

	memset(out, 0, sizeof(*out));
	if ((rc = crew_run(cpus, p, "checking answers", b->spec.n, judge_one, b, err)) != RC_OK)
		return rc;
	for (size_t i = 0; i < b->spec.n; i++) {
		out->ok += b->v[i].grade == GOOD;
		out->unopened += b->v[i].grade == UNOPENED;
		if (b->v[i].grade == BAD && out->first_fault[0] == '\0')
			memcpy(out->first_fault, b->v[i].fault, FAULT_MAX);
	}
	return count_twice(&out->twice, b, err);
}
