/* doctor.c - findings, and all checks in turn; see doctor.h. */
#include "scep-client/doctor.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/text.h"

static const char *const names[PLATFORMS] = { "Windows", "Apple", "Android", "strongSwan", "Cisco",
	"jscep", "sscep" };

const char *
platform_name(unsigned bit)
{
	return bit < PLATFORMS ? names[bit] : "";
}

const char *
level_name(enum level l)
{
	return l == LEVEL_OK ? "ok" : l == LEVEL_WARN ? "warn" : "bad";
}

static void PRINTF_LIKE(6, 0) add(struct findings *f, const char *id, unsigned platforms,
    enum level level, const char *advice, const char *fmt, va_list ap)
{
	struct finding *x;

	if (f->n == FINDINGS_MAX)
		return;
	x = &f->v[f->n++];
	x->id = id;
	x->platforms = platforms;
	x->level = level;
	(void)vsnprintf(x->text, sizeof(x->text), fmt, ap);
	(void)snprintf(
	    x->advice, sizeof(x->advice), "%s", level != LEVEL_OK && advice != NULL ? advice : "");
	str_printable(x->text);
	str_printable(x->advice);
}

void
findings_add(struct findings *f, const char *id, unsigned platforms, enum level level,
    const char *advice, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(f, id, platforms, level, advice, fmt, ap);
	va_end(ap);
}

void
check_says(struct findings *out, const struct check *c, unsigned platforms, enum level level,
    const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(out, c->id, platforms != 0 ? platforms : c->platforms, level, c->advice, fmt, ap);
	va_end(ap);
}

enum level
findings_worst(const struct findings *f)
{
	enum level worst = LEVEL_OK;

	for (size_t i = 0; i < f->n; i++)
		if (f->v[i].level > worst)
			worst = f->v[i].level;
	return worst;
}

static void
run(struct findings *out, const struct facts *f, const struct check *c)
{
	for (; c->id != NULL; c++) {
		size_t before = out->n;

		c->look(out, f, c);
		if (out->n == before && c->fine != NULL)
			check_says(out, c, 0, LEVEL_OK, "%s", c->fine);
	}
}

void
doctor_judge(struct findings *out, const struct facts *f)
{
	/* Of a server that says nothing there is only that to say, and about TLS perhaps why. */
	run(out, f, f->answers[Q_CAPS].rc == RC_OK ? checks_http : checks_silent);
	if (f->https && f->tls[TLS_AGE_NOW].tried)
		run(out, f, checks_tls);
	if (f->n_certs > 0)
		run(out, f, checks_certs);
}
