/*
 * san.c - lists of subject alternative names.
 */
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/text.h"
#include "ossl/name.h"

static const char *const names[SAN__MAX] = {
	[SAN_EMAIL] = "email",
	[SAN_UPN] = "upn",
	[SAN_DNS] = "dns",
	[SAN_URI] = "uri",
	[SAN_OTHER] = "other",
};

const char *
san_type_name(enum san_type t)
{
	return (unsigned)t < SAN__MAX ? names[t] : "unknown";
}

enum san_type
san_type_by_name(const char *s)
{
	size_t i;

	for (i = 0; i < SAN__MAX; i++)
		if (str_eq_nocase(s, names[i]))
			break;
	return (enum san_type)i;
}

enum rc
san_list_add(struct san_list *l, enum san_type t, const char *value, struct err *err)
{
	struct san *v;
	enum rc rc;

	if (l->n >= LIMIT_SAN)
		return fail(err, RC_LIMIT, "more than %u alternative names", LIMIT_SAN);
	v = realloc(l->v, (l->n + 1) * sizeof *v);
	if (v == NULL)
		return fail(err, RC_NOMEM, "no memory for an alternative name");
	l->v = v;
	if ((rc = str_dup(&v[l->n].value, value, err)) != RC_OK)
		return rc;
	v[l->n++].type = t;
	return RC_OK;
}

void
san_list_done(struct san_list *l)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		free(l->v[i].value);
	free(l->v);
	*l = (struct san_list){ 0 };
}

void
san_list_text(struct buf *out, const struct san_list *l)
{
	const char *p;
	size_t i;

	for (i = 0; i < l->n; i++) {
		buf_addf(out, "%s%s:", i > 0 ? " " : "", san_type_name(l->v[i].type));
		for (p = l->v[i].value; *p != '\0'; p++) {
			if (*p == ' ' || *p == '\\')
				buf_addf(out, "\\%02x", (unsigned char)*p);
			else
				buf_addc(out, *p);
		}
	}
}
