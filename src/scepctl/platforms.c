/* platforms.c - see platforms.h. */
#include "scepctl/platforms.h"

#include <string.h>

#include "base/text.h"
#include "scepctl/ctl.h"

void
platforms_note(struct platforms *p, const struct store_subject *c)
{
	const char *name = rule_platform_of(c);
	size_t i = 0;

	if (name[0] == '\0') {
		p->untold++;
		return;
	}
	while (i < p->n && !str_eq_nocase(p->v[i].name, name))
		i++;
	if (i == PLATFORMS_MAX) {
		p->others++;
		return;
	}
	if (i == p->n)
		(void)snprintf(p->v[p->n++].name, sizeof(p->v[0].name), "%s", name);
	p->v[i].certs++;
}

static bool
there_is(const struct platforms *p, const char *name)
{
	for (size_t i = 0; i < p->n; i++)
		if (str_eq_nocase(p->v[i].name, name))
			return true;
	return p->others > 0; /* who knows */
}

static void
print_names(FILE *f, const struct platforms *p)
{
	char name[64];

	for (size_t i = 0; i < p->n; i++)
		(void)fprintf(f, "%s%s (%llu)", i > 0 ? ", " : "",
		    ctl_safe(name, sizeof(name), p->v[i].name), (unsigned long long)p->v[i].certs);
	if (p->untold > 0)
		(void)fprintf(f, "%swithout a name: %llu%s", p->n > 0 ? "; " : "",
		    (unsigned long long)p->untold,
		    p->n > 0 ? "" : " (Intune has not told of any device yet)");
	(void)fprintf(f, ".\n");
}

static void
print_unknown(FILE *f, const struct platforms *p, const char *rule, const struct rule_words *words,
    const char *key)
{
	char name[64];

	for (size_t i = 0; i < words->n; i++) {
		if (there_is(p, words->v[i]))
			continue;
		(void)fprintf(f,
		    "Rule %s, %s: no device that rules see is called \"%s\". There are: ", rule,
		    key, ctl_safe(name, sizeof(name), words->v[i]));
		print_names(f, p);
	}
}

void
platforms_print_unknown(FILE *f, const struct platforms *p, const struct directory_rule *r)
{
	if (p->n == 0 && p->untold == 0) /* nobody is seen at all, which is told anyway */
		return;
	print_unknown(f, p, r->name, &r->platforms, "platforms");
	print_unknown(f, p, r->name, &r->except.platforms, "except.platforms");
}

json_t *
platforms_json(const struct platforms *p)
{
	json_t *o = json_object();
	bool built = o != NULL;

	for (size_t i = 0; built && i < p->n; i++)
		built = ctl_json_int(o, p->v[i].name, (int64_t)p->v[i].certs);
	if (built)
		built = ctl_json_int(o, "", (int64_t)(p->untold + p->others));
	if (!built) {
		json_decref(o);
		return NULL;
	}
	return o;
}
