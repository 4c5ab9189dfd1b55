/*
 * deed_changes.c - what a delta query has to tell after a deed, found by comparing.
 */
#include <string.h>

#include "intunesim/deeds_int.h"

/* One kind of object of Entra, as the change log names it. */
struct sight {
	enum change_kind kind;
	enum object_kind object;
	const char *id; /* key of the object id */
};

static const struct sight sights[] = {
	{ CHANGE_USER, OBJECT_USER, "id" },
	{ CHANGE_DEVICE, OBJECT_DEVICE, "object_id" },
	{ CHANGE_GROUP, OBJECT_GROUP, "id" },
};

/* A device without a device id is not in Entra. */
static bool
is_in_entra(const struct sight *s, const json_t *o)
{
	return o != NULL && (s->object != OBJECT_DEVICE || json_object_get(o, "entra_id") != NULL);
}

static bool
is_live(const struct sight *s, const json_t *o)
{
	return is_in_entra(s, o) && json_object_get(o, "deleted") == NULL;
}

/* id -> object; the objects are borrowed from the document for its life. */
static json_t *
by_id(const json_t *document, const struct sight *s)
{
	json_t *map = json_object(), *o;
	size_t i;

	json_array_foreach(json_object_get(document, object_type(s->object)->list), i, o)
	{
		const char *id = json_get_str(o, s->id);

		if (id != NULL)
			json_object_set(map, id, o);
	}
	return map;
}

static void
log_written(struct changes *log, size_t tenant, const struct sight *s, json_t *old, json_t *now)
{
	const char *id;
	json_t *o;

	json_object_foreach(now, id, o)
	{
		const json_t *before = json_object_get(old, id);

		if (!is_live(s, o))
			continue;
		if (!is_live(s, before) || !json_equal(before, o))
			changes_add(log, tenant, s->kind, CHANGE_WRITTEN, id);
	}
}

static void
log_removed(struct changes *log, size_t tenant, const struct sight *s, json_t *old, json_t *now)
{
	const char *id;
	json_t *o;

	json_object_foreach(old, id, o)
	{
		const json_t *after = json_object_get(now, id);

		if (!is_in_entra(s, o))
			continue;
		if (!is_in_entra(s, after))
			changes_add(log, tenant, s->kind, CHANGE_GONE, id);
		else if (is_live(s, o) && !is_live(s, after))
			changes_add(log, tenant, s->kind, CHANGE_BINNED, id);
	}
}

void
log_changes(struct changes *log, const struct tenant *old, const struct tenant *now)
{
	json_t *before = document_make(old, false), *after = document_make(now, false);

	for (size_t i = 0; i < sizeof(sights) / sizeof(sights[0]); i++) {
		json_t *a = by_id(before, &sights[i]), *b = by_id(after, &sights[i]);

		log_written(log, now->index, &sights[i], a, b);
		log_removed(log, now->index, &sights[i], a, b);
		json_decref(a);
		json_decref(b);
	}
	json_decref(before);
	json_decref(after);
}
