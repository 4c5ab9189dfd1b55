/*
 * conf_int.h - what the files of this folder share: memory, places, the tree of a file.
 *
 * conf.c is the public face; arena.c owns memory; tree.c turns YAML into nodes;
 * fill.c walks a schema and a tree together; scalar.c reads single values.
 */
#ifndef SCEPD_CONF_CONF_INT_H
#define SCEPD_CONF_CONF_INT_H

#include "conf/conf.h"

#define CONF_DEPTH_MAX  16u     /* levels of maps and lists; scepd.yaml needs 4 */
#define CONF_NODES_MAX  300000u /* values in one file; about 40 MiB while it is read */
#define CONF_ROWS_MAX   64u     /* rows of one schema */
#define CONF_ITEMS_DFLT 256u    /* items of a list or map whose row states no maximum */
#define PLACE_MAX       200u    /* bytes of a dotted key in a message; longer ones are cut */

/* Memory that is freed all at once.  Zeroed is empty. */
struct chunk;
struct arena {
	struct chunk *head;
};
/* Zeroed memory for `n` things of `size`, or NULL. */
void *arena_alloc(struct arena *a, size_t n, size_t size);
/* A copy of `len` bytes and a NUL, or NULL. */
char *arena_text(struct arena *a, const char *s, size_t len);
void arena_done(struct arena *a);

struct conf {
	struct arena arena; /* everything that the caller's structs point to */
	char *name;         /* of the file, as given */
	char *dir;          /* its folder, absolute: CONF_PATH starts here */
};

/* The dotted key of where a reader is: "endpoints.wifi.challenge", "devices[2].owner". */
struct place {
	char text[PLACE_MAX];
	size_t len;
};
/* Enter a key or an item; returns what place_leave() needs to go back. */
size_t place_key(struct place *p, const char *key);
size_t place_index(struct place *p, size_t index);
void place_leave(struct place *p, size_t before);

enum node_kind { NODE_SCALAR, NODE_LIST, NODE_MAP };

struct node {
	enum node_kind kind;
	int line;
	bool empty;         /* a scalar that says nothing: `key:`, `~`, `null` */
	const char *text;   /* NODE_SCALAR */
	struct node *first; /* NODE_LIST, NODE_MAP: the items in order */
	size_t n;           /* how many */
	struct node *next;  /* in the list or map that this one is part of */
	const char *key;    /* in a map; no two are the same */
	int key_line;
};

/*
 * Read the one document in `bytes` into nodes that live in `arena`.  *root is NULL for an
 * empty document.  Errors carry the name of `conf`.
 */
enum rc tree_parse(const struct node **root, const struct conf *conf, struct arena *arena,
    const void *bytes, size_t len, struct err *err) MUST_CHECK;

/* Walking a schema and a tree. */
struct fill {
	struct conf *conf;
	struct arena *scratch; /* for trees of default values */
	struct place place;
	unsigned depth;
};
/* Fill the zeroed struct at `out` from `map`; NULL: from defaults alone. */
enum rc fill_struct(struct fill *f, const struct conf_schema *schema, const struct node *map,
    int line, void *out, struct err *err) MUST_CHECK;

/* Read one value of a scalar type into its field. */
typedef enum rc (*scalar_setter)(struct fill *f, const struct conf_row *row,
    const struct node *node, void *field, struct err *err);
/* NULL for the types that are no scalars. */
scalar_setter scalar_setter_of(enum conf_type type);
/* Copy a scalar's text into the conf. */
enum rc scalar_copy(
    struct fill *f, const struct node *node, const char **out, struct err *err) MUST_CHECK;
/* Position of `text` in "a|b|c"; an error that suggests the nearest otherwise. */
enum rc choice_index(struct fill *f, const struct node *node, const char *choices, const char *text,
    int *out, struct err *err) MUST_CHECK;
/* "a map", "a list", "a value", "nothing". */
const char *node_kind_name(const struct node *node);

#endif
