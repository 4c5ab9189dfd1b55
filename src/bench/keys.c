/* keys.c - see keys.h. */
#include "bench/keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct making {
	struct keys *keys;
	const char *spec;
};

static enum rc
make_one(void *ctx, size_t i, struct err *err)
{
	struct making *m = ctx;

	return key_generate(&m->keys->v[i], m->spec, err);
}

enum rc
keys_make(struct keys *out, const char *spec, size_t n, const struct cpus *cpus,
    const struct progress *p, struct err *err)
{
	struct making m = { out, spec };
	char what[64];

	memset(out, 0, sizeof(*out));
	if ((out->v = calloc(n, sizeof(struct key *))) == NULL)
		return fail(err, RC_NOMEM, "keys");
	out->n = n;
	(void)snprintf(what, sizeof(what), "making %s keys", spec);
	return crew_run(cpus, p, what, n, make_one, &m, err);
}

void
keys_done(struct keys *k)
{
	for (size_t i = 0; i < k->n; i++)
		key_free(k->v[i]);
	free(k->v);
	memset(k, 0, sizeof(*k));
}
