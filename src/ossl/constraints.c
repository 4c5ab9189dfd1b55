/*
 * constraints.c - name constraints: read and written.  What they forbid is in constraints_check.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/text.h"
#include "ossl/ca_ext.h"
#include "ossl/der.h"
#include "ossl/der_text.h"

/* `tag` of the GeneralName (RFC 5280 4.2.1.6); 0: never written. */
static const struct {
	const char *name;
	uint8_t tag;
} forms[CONSTRAINT__MAX] = {
	[CONSTRAINT_DNS] = { "dns", DER_CTX(2) },
	[CONSTRAINT_EMAIL] = { "email", DER_CTX(1) },
	[CONSTRAINT_URI] = { "uri", DER_CTX(6) },
	[CONSTRAINT_DIR] = { "dir", DER_CTX_CONS(4) },
	[CONSTRAINT_UPN] = { "upn", 0 },
	[CONSTRAINT_OTHER] = { "other", 0 },
};

const char *
constraint_form_name(enum constraint_form f)
{
	return (unsigned)f < CONSTRAINT__MAX ? forms[f].name : "unknown";
}

/* A zeroed one at the end of the list, for the caller to fill. */
static enum rc
grow(struct constraints *l, struct constraint **slot, struct err *err)
{
	struct constraint *v;

	if (l->n >= CONSTRAINTS_MAX)
		return fail(err, RC_LIMIT, "more than %d name constraints", CONSTRAINTS_MAX);
	v = realloc(l->v, (l->n + 1) * sizeof *v);
	if (v == NULL)
		return fail(err, RC_NOMEM, "no memory for name constraints");
	l->v = v;
	v[l->n] = (struct constraint){ 0 };
	*slot = &v[l->n++];
	return RC_OK;
}

void
constraints_done(struct constraints *l)
{
	size_t i;

	for (i = 0; i < l->n; i++) {
		free(l->v[i].text);
		name_done(&l->v[i].dir);
	}
	free(l->v);
	*l = (struct constraints){ 0 };
}

/* ---- from an administrator ---- */

/* Letters, digits, '-', '_' and '.', perhaps a leading dot; what is behind an '@' too. */
static bool
is_domain(const char *s)
{
	return s[0] != '\0' && strcmp(s, ".") != 0 && strstr(s, "..") == NULL &&
	    s[strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")] ==
	    '\0';
}

static bool
fits_form(enum constraint_form form, const char *text)
{
	const char *at = strrchr(text, '@');

	if (form == CONSTRAINT_EMAIL && at != NULL)
		return text_is_ascii(text) && strchr(text, ' ') == NULL && at[1] != '.' &&
		    is_domain(at + 1);
	return is_domain(text);
}

static enum rc
take_dir(struct constraint *c, const char *text, struct err *err)
{
	enum rc rc = name_from_text(&c->dir, text, err);

	if (rc == RC_OK && c->dir.n == 0)
		rc = fail(err, RC_CONFIG, "the name is empty");
	if (rc == RC_OK || rc == RC_NOMEM)
		return rc;
	if (err != NULL)
		err->rc = RC_CONFIG;
	return RC_CONFIG;
}

enum rc
constraints_add(struct constraints *l, enum constraint_form form, bool excluded, const char *text,
    struct err *err)
{
	struct constraint *c;
	enum rc rc;

	if ((unsigned)form >= CONSTRAINT__MAX || forms[form].tag == 0)
		return fail(err, RC_CONFIG, "name constraints of the form %s are not made",
		    constraint_form_name(form));
	if (form != CONSTRAINT_DIR && !fits_form(form, text))
		return fail(err, RC_CONFIG, "\"%s\" is no name constraint of the form %s", text,
		    forms[form].name);
	if ((rc = grow(l, &c, err)) != RC_OK)
		return rc;
	c->form = form;
	c->excluded = excluded;
	rc = str_dup(&c->text, text, err);
	if (rc == RC_OK && form == CONSTRAINT_DIR)
		rc = take_dir(c, text, err);
	return rc;
}

/* ---- from a certificate ---- */

static enum rc
read_other_name(struct constraint *c, const struct der *body, struct err *err)
{
	char oid[OID_TEXT_MAX];
	struct der rest = *body, inside, text;
	uint8_t tag;

	if (!der_take_oid(&rest, oid) || !der_take(&rest, DER_CTX_CONS(0), &inside) ||
	    rest.len != 0 || !der_any(&inside, &tag, &text, NULL) || inside.len != 0)
		return fail(err, RC_PARSE, "a name constraint of the form otherName is malformed");
	if (strcmp(oid, OID_UPN) != 0) {
		c->form = CONSTRAINT_OTHER;
		return str_format(&c->text, err, "otherName %s", oid);
	}
	c->form = CONSTRAINT_UPN;
	return der_text(&c->text, tag, &text, TEXT_NAME, "a userPrincipalName", err);
}

/* An address and its mask (RFC 5280 4.2.1.10). */
static enum rc
read_ip(struct constraint *c, const struct der *body, struct err *err)
{
	char hex[65];
	const uint8_t *p = body->p;

	c->form = CONSTRAINT_OTHER;
	if (body->len == 8)
		return str_format(&c->text, err, "ip %u.%u.%u.%u/%u.%u.%u.%u", p[0], p[1], p[2],
		    p[3], p[4], p[5], p[6], p[7]);
	if (body->len != 32)
		return fail(
		    err, RC_PARSE, "a name constraint of the form ip has %zu octets", body->len);
	hex_lower(hex, p, 32);
	return str_format(&c->text, err, "ip %.32s/%s", hex, hex + 32);
}

static enum rc
read_dir(struct constraint *c, struct der body, struct err *err)
{
	struct der whole;
	struct buf text;
	enum rc rc;

	c->form = CONSTRAINT_DIR;
	if (!der_take_whole(&body, DER_SEQUENCE, &whole) || body.len != 0)
		return fail(err, RC_PARSE, "a name constraint of the form dir is malformed");
	if ((rc = name_parse(&c->dir, whole.p, whole.len, err)) != RC_OK)
		return rc;
	buf_init(&text, 4 * LIMIT_CERT);
	name_text(&text, &c->dir);
	rc = buf_ok(&text, "name constraint", err);
	if (rc == RC_OK)
		rc = str_dup(&c->text, buf_str(&text), err);
	buf_done(&text);
	return rc;
}

static enum rc
read_base(struct constraint *c, uint8_t tag, const struct der *body, struct err *err)
{
	size_t i;

	if (tag == DER_CTX_CONS(0))
		return read_other_name(c, body, err);
	if (tag == DER_CTX(7))
		return read_ip(c, body, err);
	if (tag == forms[CONSTRAINT_DIR].tag)
		return read_dir(c, *body, err);
	for (i = 0; i < CONSTRAINT__MAX; i++) {
		if (forms[i].tag != tag)
			continue;
		c->form = (enum constraint_form)i;
		return der_text(&c->text, DER_IA5, body, TEXT_NAME, "a name constraint", err);
	}
	c->form = CONSTRAINT_OTHER;
	return str_format(&c->text, err, "form %u", tag & 0x1f);
}

/* GeneralSubtrees.  minimum is 0 and so left out, maximum is absent (RFC 5280 4.2.1.10): whoever
 * meets another one has to refuse the certificate. */
static enum rc
read_subtrees(struct constraints *out, struct der trees, bool excluded, struct err *err)
{
	struct der tree, body;
	struct constraint *c;
	uint8_t tag;
	enum rc rc;

	if (trees.len == 0)
		return fail(err, RC_PARSE, "a list of name constraints is empty");
	while (trees.len > 0) {
		if (!der_take(&trees, DER_SEQUENCE, &tree) || !der_any(&tree, &tag, &body, NULL) ||
		    (tag & 0xc0) != 0x80)
			return fail(err, RC_PARSE, "a name constraint is malformed");
		if (tree.len != 0)
			return fail(err, RC_PARSE,
			    "a name constraint has a minimum or maximum, which nobody may use");
		if ((rc = grow(out, &c, err)) != RC_OK)
			return rc;
		c->excluded = excluded;
		if ((rc = read_base(c, tag, &body, err)) != RC_OK)
			return rc;
	}
	return RC_OK;
}

enum rc
constraints_parse(struct constraints *out, const void *der, size_t len, struct err *err)
{
	struct der in = { der, len }, seq, trees;
	struct constraints l = { 0 };
	enum rc rc = RC_OK;

	if (!der_take(&in, DER_SEQUENCE, &seq) || in.len != 0 || seq.len == 0)
		return fail(err, RC_PARSE, "nameConstraints is malformed");
	if (der_take(&seq, DER_CTX_CONS(0), &trees))
		rc = read_subtrees(&l, trees, false, err);
	if (rc == RC_OK && der_take(&seq, DER_CTX_CONS(1), &trees))
		rc = read_subtrees(&l, trees, true, err);
	if (rc == RC_OK && seq.len != 0)
		rc = fail(err, RC_PARSE, "nameConstraints is malformed");
	if (rc != RC_OK) {
		constraints_done(&l);
		return rc;
	}
	*out = l;
	return RC_OK;
}

/* ---- into a certificate ---- */

static void
write_one(struct buf *b, const struct constraint *c)
{
	size_t tree = der_open(b, DER_SEQUENCE);

	if (c->form == CONSTRAINT_DIR)
		der_add(b, forms[c->form].tag, c->dir.der, c->dir.der_len);
	else
		der_add_text(b, forms[c->form].tag, c->text);
	der_close(b, tree);
}

static enum rc
write_trees(struct buf *b, const struct constraints *l, bool excluded, struct err *err)
{
	size_t i, n = 0, mark = 0;

	for (i = 0; i < l->n; i++) {
		if (l->v[i].excluded != excluded)
			continue;
		if (forms[l->v[i].form].tag == 0)
			return fail(err, RC_CONFIG, "name constraints of the form %s are not made",
			    forms[l->v[i].form].name);
		if (n++ == 0)
			mark = der_open(b, DER_CTX_CONS(excluded ? 1 : 0));
		write_one(b, &l->v[i]);
	}
	if (n > 0)
		der_close(b, mark);
	return RC_OK;
}

enum rc
constraints_write(struct buf *out, const struct constraints *l, struct err *err)
{
	size_t seq = der_open(out, DER_SEQUENCE);
	enum rc rc = write_trees(out, l, false, err);

	if (rc == RC_OK)
		rc = write_trees(out, l, true, err);
	der_close(out, seq);
	return rc != RC_OK ? rc : buf_ok(out, "name constraints", err);
}
