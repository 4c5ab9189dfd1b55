/*
 * init.c - making a CA: a root (or what there is above it), an issuing CA and an RA certificate,
 * with their keys.
 */
#include "ca/init.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"

#define DIR_MODE 0700

/* What is made on the way. */
struct making {
	const struct ca_init *in;
	int64_t now;
	struct maker maker;
	struct ca_folder folder;
	char *root_at;
	struct key *root_key, *key;
	struct cert *root, *cert;
};

/* The longest of what is made of the organisation's name. */
static enum rc
check_org(const struct ca_init *in, struct err *err)
{
	struct name probe = { 0 };
	enum rc rc;

	if (in->issuing_subject != NULL && in->above != CA_ABOVE_NEW_ROOT)
		return RC_OK;
	rc = make_subject(&probe, in->name, "Issuing CA", err);
	name_done(&probe);
	return rc;
}

static enum rc
check_input(const struct ca_init *in, struct err *err)
{
	const struct {
		const char *what, *above;
		int64_t life, issuer_life;
	} lives[] = {
		{ "Root CA", "Root CA", in->root_validity, in->root_validity },
		{ "Issuing CA", "Root CA", in->issuing_validity, in->root_validity },
		{ "SCEP RA", "Issuing CA", in->ra_validity, in->issuing_validity },
	};
	size_t i = in->above == CA_ABOVE_NEW_ROOT ? 0 : 2;

	if (!in->ra_exists && !str_starts(in->ra_key, "rsa:"))
		return fail(err, RC_CONFIG,
		    "the RA key cannot be %s: SCEP clients can only encrypt to RSA", in->ra_key);
	for (; i < sizeof(lives) / sizeof(lives[0]); i++) {
		if (lives[i].life <= 0)
			return fail(
			    err, RC_CONFIG, "the validity of %s is not positive", lives[i].what);
		/* A certificate that outlives its issuer could not be verified to its end. */
		if (lives[i].life > lives[i].issuer_life)
			return fail(err, RC_CONFIG, "the %s would outlive the %s", lives[i].what,
			    lives[i].above);
	}
	return check_org(in, err);
}

/* How many certificates there will be above it. */
static size_t
chain_len(const struct ca_init *in)
{
	return in->above == CA_ABOVE_NEW_ROOT ? 1 : in->above == CA_ABOVE_NONE ? 0 : in->n_chain;
}

static enum rc
check_room(struct making *m, struct err *err)
{
	const struct ca_init *in = m->in;
	enum rc rc;

	rc = ca_folder_init(&m->folder, in->dir, in->issuing_at, in->ra_at, chain_len(in), err);
	if (rc == RC_OK)
		rc = ca_folder_check(&m->folder, !in->issuing_exists, !in->ra_exists, err);
	if (rc != RC_OK || in->above != CA_ABOVE_NEW_ROOT)
		return rc;
	rc = in->root_at != NULL ? str_dup(&m->root_at, in->root_at, err)
				 : path_join(&m->root_at, in->dir, "root.key", err);
	if (rc == RC_OK && !key_source_is_token(m->root_at))
		rc = make_must_not_exist(m->root_at, err);
	return rc;
}

static enum rc
make_a_key(struct making *m, struct key **out, const char *kind, const char *at, bool exists,
    struct err *err)
{
	struct make_key k = { kind, { at, m->in->passphrase, m->in->pin }, exists };

	return maker_key(&m->maker, out, &k, err);
}

static enum rc
make_root(struct making *m, struct err *err)
{
	struct make_issuer self = { NULL, NULL };
	struct name subject = { 0 };
	struct make_ca ca = { &subject, m->in->root_validity, { .path_len = -1 } };
	enum rc rc;

	if (m->in->above != CA_ABOVE_NEW_ROOT)
		return RC_OK;
	rc = make_subject(&subject, m->in->name, "Root CA", err);
	if (rc == RC_OK)
		rc = make_a_key(m, &m->root_key, m->in->root_key, m->root_at, false, err);
	if (rc == RC_OK)
		rc = make_ca_cert(&m->root, &ca, m->root_key, &self, m->now, err);
	name_done(&subject);
	return rc;
}

static struct make_says
says_of(const struct ca_init *in)
{
	return (struct make_says){ .path_len = in->path_len,
		.constraints = in->constraints,
		.policies = in->policies,
		.eku = in->eku,
		.n_eku = in->n_eku,
		.crl_url = in->above == CA_ABOVE_NONE ? NULL : in->crl_url,
		.aia_url = in->above == CA_ABOVE_NONE ? NULL : in->aia_url };
}

/* The issuing CA's subject as it was given, or made of the organisation's name (into `own`). */
static enum rc
subject_of(const struct name **out, struct name *own, const struct ca_init *in, struct err *err)
{
	enum rc rc = RC_OK;

	if (in->issuing_subject == NULL)
		rc = make_subject(own, in->name, "Issuing CA", err);
	*out = in->issuing_subject != NULL ? in->issuing_subject : own;
	return rc;
}

static enum rc
make_issuing(struct making *m, struct err *err)
{
	const struct ca_init *in = m->in;
	struct make_issuer by = { m->root, m->root_key };
	struct name own = { 0 };
	struct make_ca ca = { NULL, in->issuing_validity, says_of(in) };
	enum rc rc = subject_of(&ca.subject, &own, in, err);

	if (in->above == CA_ABOVE_GIVEN)
		by = (struct make_issuer){ in->chain[0], in->issuer_key };
	if (rc == RC_OK)
		rc =
		    make_a_key(m, &m->key, in->issuing_key, m->folder.key, in->issuing_exists, err);
	if (rc == RC_OK)
		rc = make_ca_cert(&m->cert, &ca, m->key, &by, m->now, err);
	name_done(&own);
	return rc;
}

static enum rc
fill(struct making *m, struct err *err)
{
	const struct ca_init *in = m->in;
	struct ca_parts p = { .cert = m->cert,
		.key = m->key,
		.chain = in->above == CA_ABOVE_NEW_ROOT ? &m->root : in->chain,
		.n_chain = chain_len(in),
		.ra_key = { in->ra_key, { NULL, in->passphrase, in->pin }, in->ra_exists },
		.ra_subject = in->ra_subject,
		.ra_validity = in->ra_validity };

	return ca_folder_fill(&m->maker, &m->folder, &p, m->now, err);
}

static void
making_done(struct making *m)
{
	ca_folder_done(&m->folder);
	free(m->root_at);
	key_free(m->root_key);
	key_free(m->key);
	cert_free(m->root);
	cert_free(m->cert);
}

enum rc
ca_init(const struct ca_init *in, struct err *err)
{
	struct making m = { .in = in, .now = clock_now() };
	enum rc rc;

	rc = check_input(in, err);
	if (rc == RC_OK)
		rc = check_room(&m, err);
	if (rc == RC_OK)
		rc = dir_make(in->dir, DIR_MODE, err);
	if (rc == RC_OK)
		rc = make_root(&m, err);
	if (rc == RC_OK)
		rc = make_issuing(&m, err);
	if (rc == RC_OK)
		rc = fill(&m, err);
	rc = maker_end(&m.maker, rc, err);
	making_done(&m);
	return rc;
}

/* ---- a request ---- */

static enum rc
build_request(struct making *m, struct buf *der, struct err *err)
{
	const struct ca_init *in = m->in;
	struct name own = { 0 };
	struct make_ca ca = { NULL, 0, says_of(in) };
	enum rc rc = subject_of(&ca.subject, &own, in, err);

	if (rc == RC_OK)
		rc =
		    make_a_key(m, &m->key, in->issuing_key, m->folder.key, in->issuing_exists, err);
	if (rc == RC_OK)
		rc = make_ca_request(der, &ca, m->key, err);
	name_done(&own);
	return rc;
}

enum rc
ca_request(struct buf *der, const struct ca_init *in, struct err *err)
{
	struct making m = { .in = in, .now = clock_now() };
	enum rc rc;

	rc = ca_folder_init(&m.folder, in->dir, in->issuing_at, in->ra_at, 0, err);
	if (rc == RC_OK)
		rc = ca_folder_check(&m.folder, !in->issuing_exists, false, err);
	if (rc == RC_OK)
		rc = dir_make(in->dir, DIR_MODE, err);
	if (rc == RC_OK)
		rc = build_request(&m, der, err);
	rc = maker_end(&m.maker, rc, err);
	making_done(&m);
	return rc;
}
