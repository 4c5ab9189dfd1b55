/* txlog.c - see txlog.h; the fields follow one order so that lines can be read and cut by column.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "scepd/authoriser.h"
#include "scepd/txlog.h"

static void
log_request(struct log_line *l, const struct txlog *t)
{
	if (t->message != NULL)
		log_str(l, "tx", scep_message_transaction_id(t->message));
	log_str(l, "endpoint", t->op->endpoint->name);
	log_str(
	    l, "profile", t->profile != NULL ? t->profile->name : t->op->endpoint->profile->name);
	log_str(l, "ip", t->op->peer);
	log_str(l, "ua", t->op->user_agent);
	log_str(l, "op", "PKIOperation");
	log_str(l, "http", t->op->method);
	log_int(l, "bytes", (int64_t)t->op->len);
}

static void
log_algorithms(struct log_line *l, const struct txlog *t)
{
	char kt[48];

	log_str(l, "type", scep_message_type_text(t->message));
	if (t->renewal)
		log_int(l, "renewal", 1);
	log_str(l, "asked", t->asked);
	log_str(l, "digest", scep_digest_name(t->alg.digest));
	log_str(l, "kt", scep_transport_name(&t->alg.transport, kt, sizeof(kt)));
	log_str(l, "cipher", scep_cipher_name(t->alg.cipher));
	if (t->stale_recipient)
		log_str(l, "rcpt", "stale-serial");
}

static void
log_csr(struct log_line *l, const struct csr *csr)
{
	char hash[17];
	struct buf subject;

	hex_lower(hash, csr_sha256(csr), 8);
	log_str(l, "csr", hash);
	log_str(l, "key", key_info0(csr_key0(csr))->name);
	buf_init(&subject, 4096);
	name_text(&subject, csr_subject0(csr));
	log_str(l, "subj", buf_str(&subject));
	buf_done(&subject);
}

/* What was asked of whom; never the challenge itself. */
static void
log_authority(struct log_line *l, const struct txlog *t)
{
	const struct intune_error *v;

	if (t->talk == NULL) {
		log_str(l, "auth", authoriser_name(t->op->endpoint));
		return;
	}
	v = &t->talk->validate;
	log_str(l, "auth", "intune");
	log_str(l, "tenant", tenant_name(t->talk->tenant));
	if (v->activity_id[0] == '\0')
		return;
	log_str(l, "intune.code",
	    v->code_text[0] != '\0' ? v->code_text : intune_status_name(v->status));
	log_str(l, "intune.req", v->activity_id);
	log_int(l, "intune.ms", v->elapsed_ms);
}

/* What to do about refusals whose origin cannot know: first row that fits. */
static const struct {
	const char *step; /* NULL: any */
	enum rc kind;
	const char *hint;
} hints[] = {
	{ "policy", RC_ALG,
	    "change key or hash in the device's SCEP profile, or keys and sha1_csr in scepd.yaml" },
	{ "policy", RC_DENIED,
	    "change the device's SCEP profile, or what its profile in scepd.yaml allows" },
	{ "strict", RC_ALG,
	    "set the device to AES and SHA-2, or the endpoint to compat: field in scepd.yaml" },
	{ NULL, RC_ALG,
	    "set the device to AES or 3DES, RSA and SHA-1 or SHA-2: DES, MD5 and PSS are not "
	    "taken" },
	{ "verify", RC_INTEGRITY,
	    "changed on the way, or signed with a key that is not the signer certificate's" },
	{ "recipient", RC_DENIED,
	    "the device has an old or another RA certificate: let it fetch them anew" },
	{ "decrypt", RC_INTEGRITY,
	    "the device has an old or another RA certificate: let it fetch them anew" },
};

const char *
txlog_hint(const char *step, const struct err *err)
{
	if (err->hint[0] != '\0')
		return err->hint;
	for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++)
		if (hints[i].kind == err->rc &&
		    (hints[i].step == NULL || strcmp(hints[i].step, step) == 0))
			return hints[i].hint;
	return NULL;
}

static void
log_result(struct log_line *l, const struct txlog *t)
{
	char when[TIME_TEXT_MAX];

	if (t->step == NULL) {
		log_str(l, "result", t->pending ? "PENDING" : "SUCCESS");
		log_str(l, "ca", t->ca);
		log_str(l, "serial", t->serial);
		if (t->serial != NULL)
			log_str(l, "replaced", t->replaced);
		if (t->not_after != 0) {
			time_rfc3339(when, t->not_after);
			log_str(l, "notAfter", when);
		}
		if (t->repeated)
			log_str(l, "repeated", "yes");
	} else {
		log_str(l, "result", t->http_status == 200 ? "FAILURE" : "REJECTED");
		if (t->http_status == 200)
			log_int(l, "failInfo", t->fail_info);
		else
			log_int(l, "status", t->http_status);
		log_str(l, "step", t->step);
		log_str(l, "serial", t->serial);
		log_str(l, "kind", rc_name(t->err.rc));
		log_str(l, "reason", t->err.msg);
		log_str(l, "hint", txlog_hint(t->step, &t->err));
	}
	log_str(l, "notify", t->notify);
	log_int(l, "ms", (int64_t)(t->us / 1000));
}

void
txlog_write(const struct txlog *t)
{
	struct log_line l;

	log_begin(&l, t->step == NULL ? LOG_INFO : LOG_WARN, "scep");
	log_request(&l, t);
	if (t->message != NULL)
		log_algorithms(&l, t);
	if (t->csr != NULL) {
		log_csr(&l, t->csr);
		log_authority(&l, t);
	}
	log_result(&l, t);
	log_end(&l);
}
