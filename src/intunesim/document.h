/*
 * document.h - a tenant as JSON, with the very keys of its file (intunesim.yaml(5)).
 *
 * The document of a snapshot says everything that the snapshot was made of: edited and read again
 * it is the next one.  References to users and devices are by id, so that renaming breaks none;
 * certificates and key sets stand in it themselves and not as files.
 *
 * It holds the secrets of apps.  What leaves the process is object_shown().
 */
#ifndef SCEPD_INTUNESIM_DOCUMENT_H
#define SCEPD_INTUNESIM_DOCUMENT_H

#include "intunesim/tenant.h"
#include "json/json.h"

enum object_kind {
	OBJECT_USER,
	OBJECT_GROUP,
	OBJECT_DEVICE,
	OBJECT_APP,
	OBJECT_ROOT,
	OBJECT_PROFILE,
	OBJECT__MAX
};

struct object_type {
	enum object_kind kind;
	const char *path; /* in URLs: "profiles" */
	const char *list; /* in the document: "scep_profiles" */
	const char *what; /* for sentences: "profile" */
	const char *name; /* the key that names one besides `id`: "name", "upn" */
};
const struct object_type *object_type(enum object_kind kind);
/* NULL when unknown. */
const struct object_type *object_type_by_path(const char *path);
/* The rows of its keys. */
const struct conf_schema *object_schema(const struct object_type *type);

/*
 * The caller's; the order of the lists is that of the snapshot's arrays.  Unless `whole`, what has
 * its default is left out, so that every tenant that could be loaded can be written (LIMIT_CONFIG).
 * NULL: out of memory.
 */
json_t *document_make(const struct tenant *t, bool whole);
/* The text that tenant_renew() takes; appended. */
enum rc document_text(struct buf *out, const json_t *document, struct err *err) MUST_CHECK;

/* Borrowed from the document.  Users in the recycle bin are not found.  NULL when unknown. */
json_t *document_find(
    const json_t *document, const struct object_type *type, const char *id_or_name, size_t *index);

/*
 * An object of the snapshot's document for people: users and devices by name, of secrets the last
 * three characters, and what else a snapshot knows (thumbprint of a root).  The caller's; NULL: out
 * of memory.
 */
json_t *object_shown(const struct tenant *t, const struct object_type *type, const json_t *object);

#define SECRET_HINT 3 /* characters */

#endif
