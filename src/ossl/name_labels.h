/*
 * name_labels.h - the attribute types of names that have a name of their own.
 */
#ifndef SCEPD_OSSL_NAME_LABELS_H
#define SCEPD_OSSL_NAME_LABELS_H

#include <stddef.h>
#include <stdint.h>

struct name_label {
	const char *label;
	const char *oid;
	uint8_t tag; /* how we encode it */
};

/* NULL when the type has no label. */
const struct name_label *name_label_by_oid(const char *oid);
/* By label or one of its other spellings, any case.  NULL when unknown. */
const struct name_label *name_label_by_key(const char *key);

#endif
