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
