/*
 * rules.c - the small questions a profile is asked.
 */
#include "ca/rules.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "ossl/csr.h"
#include "ossl/key.h"
#include "ossl/name_labels.h"

#define PART_MAX       256 /* bytes of one "LABEL=glob" */
#define HOST_MAX       253 /* RFC 1035 2.3.4, without the root's dot */
#define HOST_LABEL_MAX 63

/* One part of a subject pattern, taken apart. */
struct part {
	char text[PART_MAX];
	const char *label; /* canonical, or the dotted OID */
	const char *glob;
};

bool
rule_attribute_allowed(const struct profile *p, const char *label)
{
	size_t i;

	for (i = 0; i < p->n_subject_attributes; i++) {
		if (str_eq_nocase(p->subject_attributes[i], label))
			return true;
	}
	return false;
}

/* "emailAddress" and "E" are one attribute; unknown keys stand for themselves (dotted OIDs). */
static const char *
canonical_label(const char *key)
{
	const struct name_label *l = name_label_by_key(key);

	return l != NULL ? l->label : key;
}

static const char *
skip_spaces(const char *s)
{
	while (*s == ' ')
		s++;
	return s;
}

/*
 * Take the next part off *pattern, without the backslashes that guard its commas.
 * False when there is none left, or when it is no "LABEL=glob" (*bad).
 */
static bool
next_part(const char **pattern, struct part *out, bool *bad)
{
	const char *p = skip_spaces(*pattern);
	size_t n = 0;
	char *eq;

	*bad = false;
	if (*p == '\0')
		return false;
	for (; *p != '\0' && *p != ',' && n < sizeof(out->text) - 1; p++) {
		if (p[0] == '\\' && p[1] == ',')
			p++;
		out->text[n++] = *p;
	}
	out->text[n] = '\0';
	eq = strchr(out->text, '=');
	*bad = (*p != '\0' && *p != ',') || eq == NULL || eq == out->text || eq[1] == '\0';
	if (*bad)
		return false;
	*eq = '\0';
	out->label = canonical_label(out->text);
	out->glob = eq + 1;
	*pattern = *p == ',' ? p + 1 : p;
	return true;
}

/* Does `value` of `label` fit a part of the pattern that names this label? */
static bool
value_fits(const char *pattern, const char *label, const char *value)
{
	struct part part;
	bool bad;

	while (next_part(&pattern, &part, &bad)) {
		if (str_eq_nocase(part.label, label) && glob_match(part.glob, value))
			return true;
	}
	return false;
}

/* All values of `label` fit, and there is one. */
static bool
label_fits(const char *pattern, const char *label, const struct name *subject)
{
	size_t i, seen = 0;

	for (i = 0; i < subject->n; i++) {
		if (!str_eq_nocase(subject->attrs[i].label, label))
			continue;
		if (!value_fits(pattern, label, subject->attrs[i].value))
			return false;
		seen++;
	}
	return seen > 0;
}

bool
rule_subject_fits(const char *pattern, const struct name *subject)
{
	const char *rest = pattern;
	struct part part;
	size_t parts = 0;
	bool bad;

	while (next_part(&rest, &part, &bad)) {
		if (!label_fits(pattern, part.label, subject))
			return false;
		parts++;
	}
	return parts > 0 && !bad;
}

static bool
names_label(const char *pattern, const char *label)
{
	struct part part;
	bool bad;

	while (next_part(&pattern, &part, &bad)) {
		if (str_eq_nocase(part.label, label))
			return true;
	}
	return false;
}

bool
rule_subject_named(const char *pattern, const struct name *subject)
{
	size_t i;

	for (i = 0; i < subject->n; i++) {
		if (!names_label(pattern, subject->attrs[i].label))
			return false;
	}
	return true;
}

enum rc
rule_subject_pattern_check(const char *pattern, const struct profile *p, struct err *err)
{
	const char *rest = pattern;
	struct part part;
	size_t parts = 0;
	bool bad;

	while (next_part(&rest, &part, &bad)) {
		if (p != NULL && !rule_attribute_allowed(p, part.label))
			return fail(err, RC_CONFIG,
			    "pattern \"%s\" names %s, which is not among the subject attributes",
			    pattern, part.label);
		parts++;
	}
	if (bad || parts == 0)
		return fail(err, RC_CONFIG,
		    "pattern \"%s\" is not of the form LABEL=glob[,LABEL=glob ...]", pattern);
	return RC_OK;
}

/* Whether a subject could fit both: nothing is said of what has wildcards in `subject`. */
static bool
could_fit(const char *pattern, const char *subject)
{
	struct part want, has;
	const char *rest;
	bool bad, named;

	while (next_part(&pattern, &want, &bad)) {
		named = false;
		for (rest = subject; next_part(&rest, &has, &bad);) {
			if (!str_eq_nocase(has.label, want.label))
				continue;
			named = true;
			if (strpbrk(has.glob, "*?") == NULL && !glob_match(want.glob, has.glob))
				return false;
		}
		if (!named)
			return false;
	}
	return true;
}

bool
rule_subject_possible(const char *subject, const struct profile *p)
{
	for (size_t i = 0; i < p->n_subject_allow; i++)
		if (could_fit(p->subject_allow[i], subject))
			return true;
	return p->n_subject_allow == 0;
}

/* More than wildcards. */
static bool
part_binds(const struct part *part)
{
	return part->glob[strspn(part->glob, "*?")] != '\0';
}

bool
rule_subject_binds(const char *pattern)
{
	struct part part;
	bool bad;

	while (next_part(&pattern, &part, &bad)) {
		if (part_binds(&part))
			return true;
	}
	return false;
}

void
rule_subject_words(struct buf *out, const char *pattern)
{
	const char *before = "";
	struct part part;
	bool bad;

	while (next_part(&pattern, &part, &bad)) {
		if (part_binds(&part))
			buf_addf(out, "%s%s=%s", before, part.label, part.glob);
		else
			buf_addf(out, "%sany %s", before, part.label);
		before = "; ";
	}
}

enum san_type
rule_san_pattern(const char *pattern, const char **glob)
{
	const char *colon = strchr(pattern, ':');
	char word[16];

	if (colon == NULL || (size_t)(colon - pattern) >= sizeof(word) || colon[1] == '\0')
		return SAN__MAX;
	memcpy(word, pattern, (size_t)(colon - pattern));
	word[colon - pattern] = '\0';
	*glob = colon + 1;
	return san_type_by_name(word);
}

/* '_' is no letter of a host name, but Windows machines have it. */
bool
rule_is_host_name(const char *s)
{
	static const char letters[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
	size_t n, total = strlen(s);

	if (total == 0 || total > HOST_MAX)
		return false;
	for (;; s += n + 1) {
		n = strspn(s, letters);
		if (n == 0 || n > HOST_LABEL_MAX || s[0] == '-' || s[n - 1] == '-')
			return false;
		if (s[n] != '.')
			return s[n] == '\0';
	}
}

bool
rule_san_has_pattern(const struct profile *p, enum san_type type)
{
	const char *glob;
	size_t i;

	for (i = 0; i < p->n_san_allow; i++) {
		if (rule_san_pattern(p->san_allow[i], &glob) == type)
			return true;
	}
	return false;
}

bool
rule_san_fits(const struct profile *p, const struct san *san)
{
	const char *glob;
	size_t i;

	for (i = 0; i < p->n_san_allow; i++) {
		if (rule_san_pattern(p->san_allow[i], &glob) == san->type &&
		    glob_match(glob, san->value))
			return true;
	}
	return !rule_san_has_pattern(p, san->type);
}

bool
rule_san_sid_fits(const struct profile *p, const struct san *san)
{
	static const char prefix[] = SID_URI_PREFIX;
	const char *glob;
	size_t i;

	for (i = 0; i < p->n_san_allow; i++) {
		if (rule_san_pattern(p->san_allow[i], &glob) == SAN_URI &&
		    strncasecmp(glob, prefix, sizeof(prefix) - 1) == 0 &&
		    glob_match(glob, san->value))
			return true;
	}
	return false;
}

bool
rule_san_spelled_out(const struct profile *p, const struct san *san)
{
	static const char prefix[] = SID_URI_PREFIX;

	if (san->type >= SAN_OTHER || !rule_san_has_pattern(p, san->type) || !rule_san_fits(p, san))
		return false;
	if (san->type == SAN_URI && strncasecmp(san->value, prefix, sizeof(prefix) - 1) == 0)
		return rule_san_sid_fits(p, san);
	return san->type != SAN_DNS || rule_is_host_name(san->value);
}

/* What would turn a device's certificate into an authority of some kind (S17). */
static const struct {
	const char *oid, *why;
} forbidden_ekus[] = {
	{ "2.5.29.37.0", "any purpose" },
	{ "1.3.6.1.5.5.7.3.9", "OCSP signing: its holder could answer for this CA" },
	{ "1.3.6.1.5.5.7.3.8", "time stamping: belongs to an authority, not to a device" },
	{ "1.3.6.1.4.1.311.20.2.1",
	    "certificate request agent: its holder could enrol for others" },
	{ "1.3.6.1.4.1.311.10.3.1", "certificate trust list signing" },
	{ "1.3.6.1.4.1.311.21.5", "CA key exchange" },
	{ "1.3.6.1.4.1.311.21.6", "key recovery agent" },
};

const char *
rule_eku_forbidden(const char *oid)
{
	size_t i;

	for (i = 0; i < sizeof(forbidden_ekus) / sizeof(forbidden_ekus[0]); i++) {
		if (strcmp(forbidden_ekus[i].oid, oid) == 0)
			return forbidden_ekus[i].why;
	}
	return NULL;
}

unsigned
rule_key_usage_of(enum key_type type)
{
	if (type == KEY_EC)
		return KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION | KU_KEY_AGREEMENT;
	return KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION | KU_KEY_ENCIPHERMENT |
	    KU_DATA_ENCIPHERMENT;
}
