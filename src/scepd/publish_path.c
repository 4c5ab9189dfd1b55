/*
 * publish_path.c - see publish_path.h.
 */
#include "scepd/publish_path.h"

#include <string.h>
#include <strings.h>

#include "base/text.h"

/* What stands between a prefix and a suffix; false: nothing, or it is not between them. */
static bool
between(const char **name, size_t *len, const char *path, const char *prefix, const char *suffix)
{
	size_t all = strlen(path), before = strlen(prefix), after = strlen(suffix);

	if (all <= before + after || strncasecmp(path, prefix, before) != 0 ||
	    !str_ends_nocase(path, suffix))
		return false;
	*name = path + before;
	*len = all - before - after;
	return true;
}

/* A number of three digits at most, as printf would write it; what is left of the text moves on. */
static bool
take_number(unsigned *out, const char **p, size_t *len)
{
	size_t n = 0;

	*out = 0;
	for (; n < *len && n < 3 && (*p)[n] >= '0' && (*p)[n] <= '9'; n++)
		*out = *out * 10 + (unsigned)((*p)[n] - '0');
	if (n == 0 || (n > 1 && **p == '0'))
		return false;
	*p += n;
	*len -= n;
	return true;
}

/* "3-of-16" */
static bool
take_partition(struct crl_path *out, const char *p, size_t len)
{
	static const char of[] = "-of-";
	const size_t of_len = sizeof(of) - 1;

	if (!take_number(&out->part, &p, &len) || len < of_len || memcmp(p, of, of_len) != 0)
		return false;
	p += of_len;
	len -= of_len;
	return take_number(&out->parts, &p, &len) && len == 0 && out->parts > 0 &&
	    out->parts <= CRL_PARTS_MAX && (out->parts & (out->parts - 1)) == 0 &&
	    out->part < out->parts;
}

bool
crl_path_parse(struct crl_path *out, const char *path)
{
	const char *name, *slash;
	size_t len, rest;

	*out = (struct crl_path){ .kind = LIST_FULL };
	if (!between(&name, &len, path, "/crl/", ".crl"))
		return false;
	slash = memchr(name, '/', len);
	out->ca = name;
	out->ca_len = slash != NULL ? (size_t)(slash - name) : len;
	if (slash != NULL) {
		rest = len - out->ca_len - 1;
		if (rest == strlen("delta") && strncasecmp(slash + 1, "delta", rest) == 0)
			out->kind = LIST_DELTA;
		else
			out->kind = take_partition(out, slash + 1, rest) ? LIST_PART : LIST__MAX;
	}
	return out->ca_len > 0;
}

bool
cert_path_parse(const char **ca, size_t *len, const char *path)
{
	const char *name;
	size_t n;

	if (!between(&name, &n, path, "/ca/", ".crt") || memchr(name, '/', n) != NULL)
		return false;
	*ca = name;
	*len = n;
	return true;
}
