/*
 * folder.c - where the parts of a CA lie, and filling the folder.
 */
#include "ca/folder.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/text.h"

static enum rc
key_place(char **out, const char *dir, const char *given, const char *name, struct err *err)
{
	return given != NULL ? str_dup(out, given, err) : path_join(out, dir, name, err);
}

enum rc
ca_folder_init(struct ca_folder *f, const char *dir, const char *key, const char *ra_key,
    size_t n_chain, struct err *err)
{
	char name[32];
	enum rc rc;

	*f = (struct ca_folder){ 0 };
	if (n_chain > CA_CHAIN_MAX)
		return fail(
		    err, RC_CONFIG, "the chain has more than %d certificates", CA_CHAIN_MAX);
	rc = str_dup(&f->dir, dir, err);
	if (rc == RC_OK)
		rc = path_join(&f->cert, dir, "issuing.pem", err);
	if (rc == RC_OK)
		rc = path_join(&f->ra_cert, dir, "ra.pem", err);
	if (rc == RC_OK)
		rc = key_place(&f->key, dir, key, "issuing.key", err);
	if (rc == RC_OK)
		rc = key_place(&f->ra_key, dir, ra_key, "ra.key", err);
	for (; rc == RC_OK && f->n_chain < n_chain; f->n_chain++) {
		(void)snprintf(name, sizeof(name), "chain%zu.pem", f->n_chain + 1);
		rc = path_join(
		    &f->chain[f->n_chain], dir, f->n_chain + 1 == n_chain ? "root.pem" : name, err);
	}
	if (rc != RC_OK)
		ca_folder_done(f);
	return rc;
}

void
ca_folder_done(struct ca_folder *f)
{
	size_t i;

	free(f->dir);
	free(f->cert);
	free(f->ra_cert);
	free(f->key);
	free(f->ra_key);
	for (i = 0; i < CA_CHAIN_MAX; i++)
		free(f->chain[i]);
	*f = (struct ca_folder){ 0 };
}

enum rc
ca_folder_check(const struct ca_folder *f, bool key, bool ra, struct err *err)
{
	enum rc rc = make_must_not_exist(f->cert, err);
	size_t i;

	if (rc == RC_OK)
		rc = make_must_not_exist(f->ra_cert, err);
	for (i = 0; rc == RC_OK && i < f->n_chain; i++)
		rc = make_must_not_exist(f->chain[i], err);
	if (rc == RC_OK && key && !key_source_is_token(f->key))
		rc = make_must_not_exist(f->key, err);
	if (rc == RC_OK && ra && !key_source_is_token(f->ra_key))
		rc = make_must_not_exist(f->ra_key, err);
	return rc;
}

/* ---- filling ---- */

/* Subjects as errors name the certificates. */
struct named {
	struct chain chain;
	struct buf names[CA_CHAIN_MAX + 1];
};

static enum rc
named_add(struct named *n, const struct cert *c, struct err *err)
{
	struct buf *b = &n->names[n->chain.n];

	buf_init(b, 4 * LIMIT_CERT);
	name_text(b, cert_subject0(c));
	n->chain.cert[n->chain.n] = c;
	n->chain.name[n->chain.n++] = buf_str(b);
	return buf_ok(b, "name of a CA", err);
}

static enum rc
check_chain(const struct ca_parts *p, int64_t now, struct err *err)
{
	struct named n = { 0 };
	enum rc rc;
	size_t i;

	rc = named_add(&n, p->cert, err);
	for (i = 0; rc == RC_OK && i < p->n_chain; i++)
		rc = named_add(&n, p->chain[i], err);
	if (rc == RC_OK)
		rc = chain_check(&n.chain, now, err);
	for (i = 0; i < n.chain.n; i++)
		buf_done(&n.names[i]);
	return rc;
}

static enum rc
make_ra(struct maker *m, const struct ca_folder *f, const struct ca_parts *p, int64_t now,
    struct err *err)
{
	struct make_issuer ca = { p->cert, p->key };
	struct make_key at = p->ra_key;
	struct key *key = NULL;
	struct cert *cert = NULL;
	enum rc rc;

	at.at.key = f->ra_key;
	rc = maker_key(m, &key, &at, err);
	if (rc == RC_OK)
		rc = make_ra_cert(&cert, p->ra_subject, p->ra_validity, key, &ca, now, err);
	if (rc == RC_OK)
		rc = maker_cert(m, f->ra_cert, cert, err);
	cert_free(cert);
	key_free(key);
	return rc;
}

enum rc
ca_folder_fill(struct maker *m, const struct ca_folder *f, const struct ca_parts *p, int64_t now,
    struct err *err)
{
	enum rc rc = check_chain(p, now, err);
	size_t i;

	if (rc == RC_OK)
		rc = make_ra(m, f, p, now, err);
	if (rc == RC_OK)
		rc = maker_cert(m, f->cert, p->cert, err);
	for (i = 0; rc == RC_OK && i < p->n_chain; i++)
		rc = maker_cert(m, f->chain[i], p->chain[i], err);
	return rc;
}
