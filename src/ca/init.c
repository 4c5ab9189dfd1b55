/*
 * init.c - making a CA: a root, an issuing CA below it and an RA certificate, with their keys.
 *
 * The only place that signs CA certificates; the running server's signer refuses to.
 */
#include "ca/init.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/text.h"
#include "ossl/cert.h"

#define BACKDATE                                                                                   \
	(24 *                                                                                      \
	    3600)    /* seconds: leaves are backdated for slow device clocks, and never before     \
			their CA */
#define CN_MAX    64 /* characters, ub-common-name (RFC 5280 A.1) */
#define KEY_MODE  0600
#define CERT_MODE 0644
#define DIR_MODE  0700
#define EKU_RA_AGENT                                                                               \
	"1.3.6.1.4.1.311.20.2.1" /* Certificate Request Agent: what NDES has, and Windows wants to \
				    see */

enum who { ROOT, ISSUING, RA, WHO__MAX };

/* One row for each certificate; `issuer` is a row above or the row itself. */
struct role {
	const char *cn_suffix, *cert_file, *key_file;
	enum who issuer;
	bool is_ca;
	int path_len;
	unsigned key_usage;
	const char *eku;
};

static const struct role roles[WHO__MAX] = {
	[ROOT] = { "Root CA", "root.pem", "root.key", ROOT, true, -1,
	    KU_KEY_CERT_SIGN | KU_CRL_SIGN, NULL },
	[ISSUING] = { "Issuing CA", "issuing.pem", "issuing.key", ROOT, true, 0,
	    KU_KEY_CERT_SIGN | KU_CRL_SIGN, NULL },
	[RA] = { "SCEP RA", "ra.pem", "ra.key", ISSUING, false, -1,
	    KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT, EKU_RA_AGENT },
};

/* What is made, in the order of the rows. */
struct making {
	const struct ca_init *in;
	int64_t now;
	struct {
		struct key *key;
		struct cert *cert;
		char *cert_path, *key_path;
		bool wrote_cert, wrote_key;
	} v[WHO__MAX];
};

static const char *
key_spec(const struct ca_init *in, enum who w)
{
	return w == ROOT ? in->root_key : w == ISSUING ? in->issuing_key : in->ra_key;
}

static int64_t
validity(const struct ca_init *in, enum who w)
{
	return w == ROOT   ? in->root_validity
	    : w == ISSUING ? in->issuing_validity
			   : in->ra_validity;
}

static enum rc
check_input(const struct ca_init *in, struct err *err)
{
	size_t room = CN_MAX - strlen(" Issuing CA");
	size_t len = strlen(in->name);
	enum who w;

	if (len == 0 || in->name[strspn(in->name, " ")] == '\0')
		return fail(err, RC_CONFIG, "the name of the organisation is empty");
	if (len > room)
		return fail(err, RC_CONFIG,
		    "the name of the organisation is longer than %zu characters", room);
	if (!str_starts(in->ra_key, "rsa:"))
		return fail(err, RC_CONFIG,
		    "the RA key cannot be %s: SCEP clients can only encrypt to RSA", in->ra_key);
	for (w = ROOT; w < WHO__MAX; w++) {
		if (validity(in, w) <= 0)
			return fail(err, RC_CONFIG, "the validity of %s is not positive",
			    roles[w].cn_suffix);
		/* A certificate that outlives its issuer could not be verified to its end. */
		if (validity(in, w) > validity(in, roles[w].issuer))
			return fail(err, RC_CONFIG, "the %s would outlive the %s",
			    roles[w].cn_suffix, roles[roles[w].issuer].cn_suffix);
	}
	return RC_OK;
}

static enum rc
must_not_exist(const char *path, struct err *err)
{
	struct stat st;

	if (lstat(path, &st) == 0)
		return fail(
		    err, RC_CONFLICT, "%s exists already, and nothing is overwritten", path);
	return errno == ENOENT ? RC_OK : fail_errno(err, "cannot look at %s", path);
}

static enum rc
name_paths(struct making *m, struct err *err)
{
	enum rc rc = RC_OK;
	enum who w;

	for (w = ROOT; rc == RC_OK && w < WHO__MAX; w++) {
		rc = path_join(&m->v[w].cert_path, m->in->dir, roles[w].cert_file, err);
		if (rc == RC_OK)
			rc = path_join(&m->v[w].key_path, m->in->dir, roles[w].key_file, err);
		if (rc == RC_OK)
			rc = must_not_exist(m->v[w].cert_path, err);
		if (rc == RC_OK)
			rc = must_not_exist(m->v[w].key_path, err);
	}
	return rc;
}

/* CN="Contoso Issuing CA",O="Contoso"; backslash before quotes and backslashes inside. */
static enum rc
subject_of(struct name *out, const char *org, const char *suffix, struct err *err)
{
	struct buf text, quoted;
	const char *p;
	enum rc rc;

	buf_init(&quoted, 4 * CN_MAX);
	buf_init(&text, 16 * CN_MAX);
	for (p = org; *p != '\0'; p++) {
		if (*p == '"' || *p == '\\')
			buf_addc(&quoted, '\\');
		buf_addc(&quoted, *p);
	}
	buf_addf(&text, "O=\"%s\",CN=\"%s %s\"", buf_str(&quoted), buf_str(&quoted), suffix);
	rc = buf_ok(&text, "name of the organisation", err);
	if (rc == RC_OK)
		rc = name_from_text(out, buf_str(&text), err);
	buf_done(&quoted);
	buf_done(&text);
	return rc;
}

/* SHA-384 with P-384, as strong as the key; SHA-256 otherwise. */
static enum digest
digest_for(const struct key *k)
{
	return strcmp(key_info0(k)->name, "ec-p384") == 0 ? DIGEST_SHA384 : DIGEST_SHA256;
}

static enum rc
make_one(struct making *m, enum who w, struct err *err)
{
	const struct role *r = &roles[w];
	bool self = r->issuer == w;
	struct serial serial;
	struct name subject = { 0 };
	struct cert_fields f = { 0 };
	enum rc rc;

	rc = key_generate(&m->v[w].key, key_spec(m->in, w), err);
	if (rc == RC_OK)
		rc = serial_random(&serial, err);
	if (rc == RC_OK)
		rc = subject_of(&subject, m->in->name, r->cn_suffix, err);
	if (rc != RC_OK)
		return rc;
	f = (struct cert_fields){
		.serial = &serial,
		.subject = &subject,
		.issuer = self ? &subject : cert_subject0(m->v[r->issuer].cert),
		.not_before = m->now - BACKDATE,
		.not_after = m->now + validity(m->in, w),
		.subject_key = m->v[w].key,
		.issuer_key = m->v[r->issuer].key,
		.digest = digest_for(m->v[r->issuer].key),
		.key_usage = r->key_usage,
		.eku = &r->eku,
		.n_eku = r->eku != NULL,
		.is_ca = r->is_ca,
		.path_len = r->path_len,
	};
	/* The addresses are the root's: they belong into what the root signs, other than itself. */
	if (r->issuer == ROOT && !self) {
		f.crl_urls = &m->in->crl_url;
		f.n_crl_urls = m->in->crl_url != NULL;
		f.ca_issuer_urls = &m->in->aia_url;
		f.n_ca_issuer_urls = m->in->aia_url != NULL;
	}
	rc = cert_make(&m->v[w].cert, &f, m->v[r->issuer].key, err);
	name_done(&subject);
	return rc;
}

static enum rc
write_one(struct making *m, enum who w, struct err *err)
{
	struct buf key, cert;
	enum rc rc;

	buf_init(&key, LIMIT_SECRET_FILE);
	buf_init(&cert, LIMIT_CERT * 2);
	rc = key_private_pem(&key, m->v[w].key, err);
	cert_pem(&cert, m->v[w].cert);
	if (rc == RC_OK)
		rc = buf_ok(&cert, "certificate", err);
	if (rc == RC_OK)
		rc = file_write(m->v[w].key_path, key.data, key.len, KEY_MODE, 0, err);
	m->v[w].wrote_key = rc == RC_OK;
	if (rc == RC_OK)
		rc = file_write(m->v[w].cert_path, cert.data, cert.len, CERT_MODE, 0, err);
	m->v[w].wrote_cert = rc == RC_OK;
	buf_wipe(&key);
	buf_done(&cert);
	return rc;
}

/* Half a CA is of no use, and would be in the way of the next try. */
static void
take_back(struct making *m)
{
	enum who w;

	for (w = ROOT; w < WHO__MAX; w++) {
		if (m->v[w].wrote_key)
			(void)unlink(m->v[w].key_path);
		if (m->v[w].wrote_cert)
			(void)unlink(m->v[w].cert_path);
	}
}

static void
making_done(struct making *m)
{
	enum who w;

	for (w = ROOT; w < WHO__MAX; w++) {
		key_free(m->v[w].key);
		cert_free(m->v[w].cert);
		free(m->v[w].cert_path);
		free(m->v[w].key_path);
	}
}

enum rc
ca_init(const struct ca_init *in, struct err *err)
{
	struct making m = { .in = in, .now = clock_now() };
	enum rc rc;
	enum who w;

	rc = check_input(in, err);
	if (rc == RC_OK)
		rc = name_paths(&m, err);
	if (rc == RC_OK)
		rc = dir_make(in->dir, DIR_MODE, err);
	for (w = ROOT; rc == RC_OK && w < WHO__MAX; w++)
		rc = make_one(&m, w, err);
	for (w = ROOT; rc == RC_OK && w < WHO__MAX; w++)
		rc = write_one(&m, w, err);
	if (rc != RC_OK)
		take_back(&m);
	making_done(&m);
	return rc;
}
