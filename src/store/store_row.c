/*
 * store_row.c - rows in memory: names of states, the key of a transaction, freeing.
 */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "ossl/alg.h"
#include "store/store_backend.h"

static const char *const state_names[TX__MAX] = {
	[TX_RECEIVED] = "received",
	[TX_AUTHORISED] = "authorised",
	[TX_RESERVED] = "reserved",
	[TX_SIGNED] = "signed",
	[TX_NOTIFIED] = "notified",
	[TX_DELIVERED] = "delivered",
	[TX_REFUSED] = "refused",
	[TX_UNDELIVERED] = "undelivered",
};

const char *
tx_state_name(enum tx_state s)
{
	if ((unsigned)s >= TX__MAX || state_names[s] == NULL)
		return "unknown";
	return state_names[s];
}

static const char *const verdict_names[HOLD__MAX] = {
	[HOLD_NONE] = "none",
	[HOLD_PENDING] = "pending",
	[HOLD_APPROVED] = "approved",
	[HOLD_DENIED] = "denied",
	[HOLD_ENDED] = "ended",
};

const char *
hold_verdict_name(enum hold_verdict v)
{
	return (unsigned)v < HOLD__MAX ? verdict_names[v] : "unknown";
}

static const char *const otp_names[OTP__MAX] = {
	[OTP_LIVE] = "live",
	[OTP_USED] = "used",
	[OTP_EXPIRED] = "expired",
	[OTP_REVOKED] = "revoked",
};

const char *
otp_state_name(enum otp_state s)
{
	if ((unsigned)s >= OTP__MAX || otp_names[s] == NULL)
		return "unknown";
	return otp_names[s];
}

enum rc
tx_row_key(uint8_t out[static TX_ROW_KEY_SIZE], const struct tx_key *key, struct err *err)
{
	struct buf b;
	enum rc rc;

	/* The NULs part the texts: neither can hold one. */
	buf_init(&b, 4096);
	buf_add(&b, key->endpoint, strlen(key->endpoint) + 1);
	buf_add(&b, key->transaction_id, strlen(key->transaction_id) + 1);
	buf_add(&b, key->csr_sha256, 32);
	rc = buf_ok(&b, "transaction key", err);
	if (rc == RC_OK)
		rc = digest_bytes(out, DIGEST_SHA256, b.data, b.len, err);
	buf_done(&b);
	return rc;
}

void
store_tx_done(struct store_tx *t)
{
	free(t->endpoint);
	free(t->transaction_id);
	free(t->serial);
	free(t->reason);
	/* A request holds the device's challenge. */
	wipe_free(t->csr, t->csr_len);
	free(t->cert);
	free(t->context);
	*t = (struct store_tx){ 0 };
}

void
store_tx_list_free(struct store_tx *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		store_tx_done(&list[i]);
	free(list);
}

void
outbox_rows_free(struct outbox_row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(rows[i].text);
		free(rows[i].endpoint);
		free(rows[i].transaction_id);
		wipe_free(rows[i].csr, rows[i].csr_len);
	}
	free(rows);
}

void
store_hold_done(struct store_hold *h)
{
	char *const texts[] = { h->endpoint, h->transaction_id, h->profile, h->subject, h->san,
		h->key, h->peer, h->who, h->reason, h->serial };

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		free(texts[i]);
	*h = (struct store_hold){ 0 };
}

void
store_otp_row_done(struct store_otp_row *r)
{
	char *const texts[] = { r->endpoint, r->subject, r->san, r->who, r->comment,
		r->last_transaction_id };

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		free(texts[i]);
	*r = (struct store_otp_row){ 0 };
}

void
store_renewal_done(struct store_renewal *r)
{
	free(r->replaces);
	free(r->replaced_by);
	*r = (struct store_renewal){ 0 };
}

void
store_replaced_done(struct store_replaced *r)
{
	free(r->serial);
	free(r->ca);
	free(r->endpoint);
	free(r->by);
	*r = (struct store_replaced){ 0 };
}

void
store_replaced_free(struct store_replaced *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		store_replaced_done(&list[i]);
	free(list);
}

void
store_succession_done(struct store_succession *s)
{
	for (size_t i = 0; i < s->n_rollovers; i++) {
		free(s->rollovers[i].endpoint);
		free(s->rollovers[i].from_ca);
		free(s->rollovers[i].to_ca);
	}
	for (size_t i = 0; i < s->n_retired; i++)
		free(s->retired[i]);
	free(s->rollovers);
	free(s->retired);
	*s = (struct store_succession){ 0 };
}

void
store_cert_row_done(struct store_cert_row *r)
{
	free(r->serial);
	free(r->ca);
	free(r->endpoint);
	free(r->profile);
	free(r->subject);
	free(r->san);
	free(r->thumbprint);
	free(r->transaction_id);
	free(r->revoked_why);
	free(r->der);
	*r = (struct store_cert_row){ 0 };
}
