/*
 * ca_facts.c - what a CA certificate says about the certificates below it.
 */
#include "scepctl/ca_facts.h"

#include "ossl/ca_ext.h"
#include "ossl/eku.h"

struct facts {
	struct constraints constraints;
	struct policies policies;
	const char *const *eku;
	size_t n_eku;
};

static enum rc
facts_read(struct facts *f, const struct cert *c, struct err *err)
{
	enum rc rc = cert_constraints(&f->constraints, c, err);

	if (rc == RC_OK)
		rc = cert_policies(&f->policies, c, err);
	f->eku = cert_eku0(c, &f->n_eku);
	return rc;
}

static void
facts_done(struct facts *f)
{
	constraints_done(&f->constraints);
	policies_done(&f->policies);
}

enum rc
ca_print_facts(FILE *f, int indent, const struct cert *c, struct err *err)
{
	struct facts facts = { 0 };
	char safe[512];
	enum rc rc = facts_read(&facts, c, err);
	size_t i;

	if (rc == RC_OK && cert_path_len(c) >= 0)
		(void)fprintf(f, "%*spath length %d\n", indent, "", cert_path_len(c));
	for (i = 0; rc == RC_OK && i < facts.constraints.n; i++) {
		const struct constraint *k = &facts.constraints.v[i];

		(void)fprintf(f, "%*s%s %s:%s\n", indent, "", k->excluded ? "excludes" : "permits",
		    constraint_form_name(k->form), ctl_safe(safe, sizeof(safe), k->text));
	}
	for (i = 0; rc == RC_OK && i < facts.policies.n; i++) {
		const struct policy *p = &facts.policies.v[i];

		(void)fprintf(f, "%*spolicy %s%s%s%s\n", indent, "", p->oid,
		    p->cps != NULL ? " (" : "", ctl_safe(safe, sizeof(safe), p->cps),
		    p->cps != NULL ? ")" : "");
	}
	for (i = 0; rc == RC_OK && i < facts.n_eku; i++)
		(void)fprintf(f, "%*susage %s\n", indent, "", eku_name(facts.eku[i]));
	facts_done(&facts);
	return rc;
}

/* ---- JSON ---- */

static bool
add_text(json_t *list, const char *text)
{
	return json_array_append_new(list, json_string(text)) == 0;
}

static bool
add_constraint(json_t *list, const struct constraint *k)
{
	json_t *o = json_object();

	if (o != NULL && ctl_json_str(o, "form", constraint_form_name(k->form)) &&
	    ctl_json_str(o, "name", k->text) &&
	    json_object_set_new(o, "excluded", json_boolean(k->excluded)) == 0)
		return json_array_append_new(list, o) == 0;
	json_decref(o);
	return false;
}

static bool
add_policy(json_t *list, const struct policy *p)
{
	json_t *o = json_object();

	if (o != NULL && ctl_json_str(o, "oid", p->oid) && ctl_json_str(o, "cps", p->cps))
		return json_array_append_new(list, o) == 0;
	json_decref(o);
	return false;
}

static bool
add_all(json_t *o, const struct cert *c, const struct facts *f)
{
	json_t *names = json_array(), *policies = json_array(), *eku = json_array();
	bool ok = names != NULL && policies != NULL && eku != NULL;
	size_t i;

	for (i = 0; ok && i < f->constraints.n; i++)
		ok = add_constraint(names, &f->constraints.v[i]);
	for (i = 0; ok && i < f->policies.n; i++)
		ok = add_policy(policies, &f->policies.v[i]);
	for (i = 0; ok && i < f->n_eku; i++)
		ok = add_text(eku, eku_name(f->eku[i]));
	/* each takes its reference over, also when it fails */
	ok = (json_object_set_new(o, "nameConstraints", names) == 0) & ok;
	ok = (json_object_set_new(o, "policies", policies) == 0) & ok;
	ok = (json_object_set_new(o, "eku", eku) == 0) & ok;
	if (!ok)
		return false;
	return cert_path_len(c) < 0 ? ctl_json_str(o, "pathLength", NULL)
				    : ctl_json_int(o, "pathLength", cert_path_len(c));
}

bool
ca_json_facts(json_t *o, const struct cert *c)
{
	struct facts f = { 0 };
	bool ok = facts_read(&f, c, NULL) == RC_OK && add_all(o, c, &f);

	facts_done(&f);
	return ok;
}

bool
ca_json_cert(
    json_t *o, const char *key, const char *file, const struct cert *c, const struct thumbprints *t)
{
	json_t *v = json_object();
	struct buf b;
	bool ok;

	buf_init(&b, 1u << 20);
	name_text(&b, cert_subject0(c));
	ok = v != NULL && ctl_json_str(v, "subject", buf_str(&b)) &&
	    ctl_json_str(v, "file", file) &&
	    ctl_json_str(v, "key", key_info0(cert_key0(c))->name) &&
	    ctl_json_time(v, "notBefore", cert_not_before(c)) &&
	    ctl_json_time(v, "notAfter", cert_not_after(c)) && ctl_json_str(v, "sha1", t->sha1) &&
	    ctl_json_str(v, "sha256", t->sha256);
	buf_done(&b);
	if (!ok) {
		json_decref(v);
		return false;
	}
	return json_object_set_new(o, key, v) == 0;
}
