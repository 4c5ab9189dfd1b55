/*
 * fill.c - a schema and a tree, walked together into the caller's struct.
 */
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "conf/conf_int.h"

/* Read a value of any type into its field. */
typedef enum rc (*setter)(struct fill *f, const struct conf_row *row, const struct node *node,
    void *field, struct err *err);

static enum rc
wrong_kind(struct fill *f, const struct node *node, const char *want, struct err *err)
{
	return conf_fail(f->conf, err, node->line, f->place.text, "want %s, found %s", want,
	    node_kind_name(node));
}

/* Is it of the wanted kind, or `key:` with nothing after it, which is an empty one? */
static bool
is_kind(const struct node *node, enum node_kind kind)
{
	return node->kind == kind || (node->kind == NODE_SCALAR && node->empty);
}

static enum rc
check_count(
    struct fill *f, const struct conf_row *row, const struct node *node, size_t n, struct err *err)
{
	uint64_t max = row->max == 0 ? CONF_ITEMS_DFLT : row->max;

	if (n > max)
		return conf_fail(f->conf, err, node->line, f->place.text,
		    "%zu items, the most is %llu", n, (unsigned long long)max);
	if (n < row->min)
		return conf_fail(f->conf, err, node->line, f->place.text,
		    "%zu items, the least is %llu", n, (unsigned long long)row->min);
	return RC_OK;
}

static enum rc
array_new(struct fill *f, size_t n, size_t size, void *out, struct err *err)
{
	void *v = arena_alloc(&f->conf->arena, n, size);

	if (v == NULL)
		return fail(err, RC_NOMEM, "out of memory for the configuration");
	memcpy(out, &v, sizeof(v));
	return RC_OK;
}

static enum rc
strs_add(struct fill *f, const struct conf_row *row, const struct node *node,
    struct conf_strs *strs, struct err *err)
{
	const char *text = NULL;
	enum rc rc;
	int index;

	rc = scalar_copy(f, node, &text, err);
	if (rc == RC_OK && row->choices != NULL)
		rc = choice_index(f, node, row->choices, text, &index, err);
	if (rc == RC_OK)
		strs->v[strs->n++] = text;
	return rc;
}

static enum rc
set_str_list(struct fill *f, const struct conf_row *row, const struct node *node, void *field,
    struct err *err)
{
	struct conf_strs *strs = field;
	bool one = node->kind == NODE_SCALAR && !node->empty;
	const struct node *item;
	size_t i = 0;
	enum rc rc;

	if (!one && !is_kind(node, NODE_LIST))
		return wrong_kind(f, node, "a list of values", err);
	rc = check_count(f, row, node, one ? 1 : node->n, err);
	if (rc == RC_OK)
		rc = array_new(f, one ? 1 : node->n, sizeof(*strs->v), &strs->v, err);
	if (rc == RC_OK && one)
		return strs_add(f, row, node, strs, err);
	for (item = node->first; item != NULL && rc == RC_OK; item = item->next) {
		size_t before = place_index(&f->place, i++);

		rc = strs_add(f, row, item, strs, err);
		if (rc == RC_OK)
			place_leave(&f->place, before);
	}
	return rc;
}

static enum rc
set_map(struct fill *f, const struct conf_row *row, const struct node *node, void *field,
    struct err *err)
{
	enum rc rc;

	if (!is_kind(node, NODE_MAP)) {
		rc = wrong_kind(f, node, "a map (key: value)", err);
		return row->hint != NULL ? err_hint(err, "%s", row->hint) : rc;
	}
	return fill_struct(
	    f, row->sub, node, node->key != NULL ? node->key_line : node->line, field, err);
}

static enum rc
set_list(struct fill *f, const struct conf_row *row, const struct node *node, void *field,
    struct err *err)
{
	struct conf_items *items = field;
	const struct node *item;
	enum rc rc;

	if (!is_kind(node, NODE_LIST))
		return wrong_kind(f, node, "a list (each item starts with \"- \")", err);
	rc = check_count(f, row, node, node->n, err);
	if (rc == RC_OK)
		rc = array_new(f, node->n, row->sub->size, &items->v, err);
	for (item = node->first; item != NULL && rc == RC_OK; item = item->next) {
		size_t before = place_index(&f->place, items->n);

		rc = set_map(f, row, item, (char *)items->v + items->n * row->sub->size, err);
		items->n++;
		if (rc == RC_OK)
			place_leave(&f->place, before);
	}
	return rc;
}

static enum rc
set_named_item(
    struct fill *f, const struct conf_row *row, const struct node *item, char *out, struct err *err)
{
	const char *name = arena_text(&f->conf->arena, item->key, strlen(item->key));
	enum rc rc;

	if (name == NULL)
		return fail(err, RC_NOMEM, "out of memory for the configuration");
	rc = set_map(f, row, item, out, err);
	/* After the rows, so that none of them can take the field's place. */
	if (rc == RC_OK)
		memcpy(out + row->sub->name_offset, &name, sizeof(name));
	return rc;
}

static enum rc
set_named(struct fill *f, const struct conf_row *row, const struct node *node, void *field,
    struct err *err)
{
	struct conf_items *items = field;
	const struct node *item;
	enum rc rc;

	if (!is_kind(node, NODE_MAP))
		return wrong_kind(f, node, "a map of names", err);
	rc = check_count(f, row, node, node->n, err);
	if (rc == RC_OK)
		rc = array_new(f, node->n, row->sub->size, &items->v, err);
	for (item = node->first; item != NULL && rc == RC_OK; item = item->next) {
		size_t before = place_key(&f->place, item->key);

		rc =
		    set_named_item(f, row, item, (char *)items->v + items->n * row->sub->size, err);
		items->n++;
		if (rc == RC_OK)
			place_leave(&f->place, before);
	}
	return rc;
}

static enum rc
set_pair(struct fill *f, const struct node *item, struct conf_pair *pair, struct err *err)
{
	pair->line = item->key_line;
	pair->key = arena_text(&f->conf->arena, item->key, strlen(item->key));
	if (pair->key == NULL)
		return fail(err, RC_NOMEM, "out of memory for the configuration");
	return scalar_copy(f, item, &pair->value, err);
}

static enum rc
set_pairs(struct fill *f, const struct conf_row *row, const struct node *node, void *field,
    struct err *err)
{
	struct conf_pairs *pairs = field;
	const struct node *item;
	enum rc rc;

	if (!is_kind(node, NODE_MAP))
		return wrong_kind(f, node, "a map (key: value)", err);
	rc = check_count(f, row, node, node->n, err);
	if (rc == RC_OK)
		rc = array_new(f, node->n, sizeof(*pairs->v), &pairs->v, err);
	for (item = node->first; item != NULL && rc == RC_OK; item = item->next) {
		size_t before = place_key(&f->place, item->key);

		rc = set_pair(f, item, &pairs->v[pairs->n++], err);
		if (rc == RC_OK)
			place_leave(&f->place, before);
	}
	return rc;
}

static setter
setter_of(enum conf_type type)
{
	static const setter setters[] = {
		[CONF_STR_LIST] = set_str_list,
		[CONF_MAP] = set_map,
		[CONF_LIST] = set_list,
		[CONF_NAMED] = set_named,
		[CONF_PAIRS] = set_pairs,
	};
	setter set = scalar_setter_of(type);

	if (set == NULL && (size_t)type < sizeof(setters) / sizeof(setters[0]))
		set = setters[type];
	return set;
}

/* "known keys here: a, b, c", or the nearest one. */
static void
hint_keys(const struct conf_schema *schema, const char *typed, struct err *err)
{
	const struct conf_row *row;
	struct nearest near;
	struct buf keys;

	nearest_begin(&near, typed);
	buf_init(&keys, ERR_HINT_MAX * 2);
	for (row = schema->rows; row->key != NULL; row++) {
		nearest_offer(&near, row->key);
		buf_addf(&keys, "%s%s", keys.len > 0 ? ", " : "", row->key);
	}
	if (near.best != NULL)
		err_hint(err, "did you mean \"%s\"?", near.best);
	else
		err_hint(err, "%s takes: %s", schema->what, buf_str(&keys));
	buf_done(&keys);
}

static enum rc
unknown_key(
    struct fill *f, const struct conf_schema *schema, const struct node *item, struct err *err)
{
	size_t before = place_key(&f->place, item->key);
	enum rc rc = conf_fail(f->conf, err, item->key_line, f->place.text, "unknown key");

	place_leave(&f->place, before);
	hint_keys(schema, item->key, err);
	return rc;
}

/* Sort the map's items by row: given[i] belongs to rows[i]. */
static enum rc
match_rows(struct fill *f, const struct conf_schema *schema, const struct node *map,
    const struct node **given, struct err *err)
{
	const struct node *item;
	size_t i;

	for (item = map != NULL ? map->first : NULL; item != NULL; item = item->next) {
		for (i = 0; schema->rows[i].key != NULL; i++) {
			if (i >= CONF_ROWS_MAX)
				return fail(
				    err, RC_BUG, "schema %s has too many rows", schema->what);
			if (strcmp(schema->rows[i].key, item->key) == 0)
				break;
		}
		if (schema->rows[i].key == NULL)
			return unknown_key(f, schema, item, err);
		given[i] = item;
	}
	return RC_OK;
}

/* A default goes the way of a written value; scalars need no YAML around them. */
static enum rc
fill_default(struct fill *f, const struct conf_row *row, void *field, struct err *err)
{
	struct node scalar = { .kind = NODE_SCALAR, .text = row->dflt };
	const struct node *node = &scalar;
	enum rc rc = RC_OK;

	if (scalar_setter_of(row->type) == NULL)
		rc = tree_parse(&node, f->conf, f->scratch, row->dflt, strlen(row->dflt), err);
	if (rc == RC_OK && node != NULL)
		rc = setter_of(row->type)(f, row, node, field, err);
	if (rc == RC_OK || rc == RC_NOMEM)
		return rc;
	/* Not the administrator's mistake: the schema is wrong. */
	return fail(err, RC_BUG, "default of %s: %s", f->place.text, err != NULL ? err->msg : "");
}

static enum rc
fill_absent(struct fill *f, const struct conf_row *row, bool defaults_only, int line, void *field,
    struct err *err)
{
	/* A map that is not there needs nothing in it. */
	if (row->required && !defaults_only)
		return conf_fail(f->conf, err, line, f->place.text, "required, but not given");
	if (row->dflt != NULL)
		return fill_default(f, row, field, err);
	if (row->type == CONF_MAP)
		return fill_struct(f, row->sub, NULL, 0, field, err);
	return RC_OK;
}

static enum rc
fill_rows(struct fill *f, const struct conf_schema *schema, const struct node **given,
    bool defaults_only, int line, char *out, struct err *err)
{
	const struct conf_row *row = schema->rows;
	enum rc rc;

	for (; row->key != NULL; row++) {
		const struct node *node = given[row - schema->rows];
		size_t before = place_key(&f->place, row->key);

		if (node != NULL)
			rc = setter_of(row->type)(f, row, node, out + row->offset, err);
		else
			rc = fill_absent(f, row, defaults_only, line, out + row->offset, err);
		if (rc != RC_OK)
			return rc;
		if (node != NULL && row->key_line_offset != 0)
			memcpy(out + row->key_line_offset, &node->key_line, sizeof(node->key_line));
		place_leave(&f->place, before);
	}
	return RC_OK;
}

enum rc
fill_struct(struct fill *f, const struct conf_schema *schema, const struct node *map, int line,
    void *out, struct err *err)
{
	const struct node *given[CONF_ROWS_MAX] = { NULL };
	enum rc rc;

	if (f->depth >= CONF_DEPTH_MAX)
		return fail(err, RC_BUG, "schema %s holds itself", schema->what);
	rc = match_rows(f, schema, map, given, err);
	if (rc != RC_OK)
		return rc;
	if (schema->line_offset != CONF_NO_LINE)
		memcpy((char *)out + schema->line_offset, &line, sizeof(line));
	f->depth++;
	rc = fill_rows(f, schema, given, map == NULL, line, out, err);
	f->depth--;
	return rc;
}
