/*
 * ca_take.c - key and certificates that came from elsewhere.
 */
#include "scepctl/ca_take.h"

enum rc
ca_taken_load(struct ca_taken *t, const struct opt_list *files, struct err *err)
{
	enum rc rc = RC_OK;
	size_t i, n;

	for (i = 0; rc == RC_OK && i < files->n; i++) {
		n = 0;
		rc = certs_load_any(
		    t->certs + t->n_certs, CA_TAKEN_MAX - t->n_certs, &n, files->v[i], err);
		t->n_certs += n;
	}
	return rc;
}

enum rc
ca_taken_pkcs12(struct ca_taken *t, struct pkcs12 *p, struct err *err)
{
	size_t i;

	if (t->n_certs + 1 + p->n_others > CA_TAKEN_MAX)
		return fail(err, RC_LIMIT, "more than %d certificates", CA_TAKEN_MAX);
	t->key = p->key;
	t->certs[t->n_certs++] = p->cert;
	for (i = 0; i < p->n_others; i++)
		t->certs[t->n_certs++] = p->others[i];
	*p = (struct pkcs12){ 0 };
	return RC_OK;
}

struct ca_adopt
ca_taken_adopt(struct ca_taken *t, const struct ca_session *s)
{
	return (struct ca_adopt){ .dir = s->dir,
		.certs = t->certs,
		.n_certs = t->n_certs,
		.key = t->key,
		.passphrase = ca_session_passphrase(s),
		.pin = ca_session_pin(s),
		.ra_at = s->o->ra_key,
		.ra_kind = s->o->ra_kind,
		.ra_exists = s->o->ra_exists,
		.ra_subject = ca_session_ra_subject(s),
		.ra_validity = s->o->ra_validity,
		.warn = ca_say_warning };
}

void
ca_taken_print(const struct ca_taken *t, const struct ca_session *s)
{
	char subject[512], when[CTL_TIME_MAX];
	struct buf b;

	buf_init(&b, 1u << 20);
	name_text(&b, cert_subject0(t->certs[0]));
	(void)printf("The CA %s in %s is %s, valid until %s.\n", s->o->name, s->dir,
	    ctl_safe(subject, sizeof(subject), buf_str(&b)),
	    ctl_time(when, cert_not_after(t->certs[0])));
	buf_done(&b);
}

void
ca_taken_done(struct ca_taken *t)
{
	while (t->n_certs > 0)
		cert_free(t->certs[--t->n_certs]);
	key_free(t->key);
}
