/* verdict.c - see verdict.h. */
#include "scepd/verdict.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"

const char *
verdict_name(enum verdict_word w)
{
	static const char *const names[] = {
		[VERDICT_GOOD] = "good",
		[VERDICT_HOLD] = "hold",
		[VERDICT_REVOKED] = "revoked",
		[VERDICT_EXPIRED] = "expired",
		[VERDICT_UNKNOWN] = "unknown",
	};

	return names[w];
}

void
verdict_done(struct verdict *v)
{
	store_cert_row_done(&v->cert);
	store_status_done(&v->status);
	memset(&v->status, 0, sizeof(v->status));
	memset(&v->binding, 0, sizeof(v->binding));
}

/* Nothing of a certificate that is not meant gets out. */
static enum rc
unknown(struct verdict *v, const char *why)
{
	verdict_done(v);
	v->word = VERDICT_UNKNOWN;
	(void)snprintf(v->text, sizeof(v->text), "%s", why);
	return RC_OK;
}

static enum rc
say_why(struct verdict *v, struct err *err)
{
	struct buf b;
	enum rc rc;

	buf_init(&b, sizeof(v->text) - 1);
	store_status_text(&b, &v->status);
	if ((rc = buf_ok(&b, "a verdict", err)) == RC_OK)
		(void)snprintf(v->text, sizeof(v->text), "%s", buf_str(&b));
	buf_done(&b);
	return rc;
}

static enum rc
decide(struct verdict *v, int64_t now, struct err *err)
{
	static const enum verdict_word words[] = {
		[CERT_GOOD] = VERDICT_GOOD,
		[CERT_HELD] = VERDICT_HOLD,
		[CERT_REVOKED] = VERDICT_REVOKED,
	};
	char when[TIME_TEXT_MAX];

	v->word = words[v->status.state];
	if (v->word == VERDICT_GOOD && v->cert.not_after < now) {
		v->word = VERDICT_EXPIRED;
		time_rfc3339(when, v->cert.not_after);
		(void)snprintf(v->text, sizeof(v->text), "expired at %s", when);
		return RC_OK;
	}
	return say_why(v, err);
}

static bool
is_the_same(const struct store_cert_row *row, const struct cert *cert)
{
	size_t len;
	const uint8_t *der = cert_der0(cert, &len);

	return len == row->der_len && memcmp(der, row->der, len) == 0;
}

/* Another CA that the asker trusts may give any serial number; its certificate has another key. */
static enum rc
has_ski(bool *has, const struct store_cert_row *row, const char *ski, struct err *err)
{
	char hex[2 * ADMIN_SKI_MAX + 1];
	struct cert *cert = NULL;
	const uint8_t *id;
	size_t len;
	enum rc rc = cert_parse(&cert, row->der, row->der_len, err);

	if (rc != RC_OK)
		return rc;
	id = cert_ski0(cert, &len);
	*has = false;
	if (id != NULL && len <= ADMIN_SKI_MAX) {
		hex_upper(hex, id, len);
		*has = strcmp(hex, ski) == 0;
	}
	cert_free(cert);
	return RC_OK;
}

enum rc
verdict_of(struct verdict *out, struct store *s, const struct admin_cert_ask *ask, int64_t now,
    struct err *err)
{
	bool same = true;
	enum rc rc;

	memset(out, 0, sizeof(*out));
	if ((rc = store_cert_get(s, ask->serial, &out->cert, err)) == RC_NOTFOUND)
		return unknown(out, "no certificate of this server has that serial number");
	if (rc != RC_OK)
		return rc;
	if (ask->ca[0] != '\0' && strcmp(ask->ca, out->cert.ca) != 0)
		return unknown(out, "no certificate of that CA has that serial number");
	if (ask->cert != NULL && !is_the_same(&out->cert, ask->cert))
		return unknown(out, "not the certificate that was issued with that serial number");
	if (ask->ski[0] != '\0' && (rc = has_ski(&same, &out->cert, ask->ski, err)) == RC_OK &&
	    !same)
		return unknown(out, "the certificate with that serial number has another key");
	if (rc == RC_OK && (rc = store_status_get(s, ask->serial, &out->status, err)) == RC_OK &&
	    (rc = store_binding_get(s, ask->serial, &out->binding, err)) == RC_OK)
		rc = decide(out, now, err);
	if (rc != RC_OK)
		verdict_done(out);
	return rc;
}
