/*
 * tree.c - one YAML document into nodes, by libyaml's events.
 *
 * Only the part of YAML that a person writes by hand: maps, lists and scalars.
 * Anchors, aliases and tags are refused where they stand: they make one text mean
 * another, and expand without bound.
 */
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/limits.h"
#include "conf/conf_int.h"

/* A map or list whose end has not come yet. */
struct frame {
	struct node *node;
	struct node **tail; /* where the next item is hung up */
	const char *key;    /* of the value that comes next; NULL: a key comes next */
	int key_line;
	size_t before; /* the place when it was entered */
};

struct builder {
	const struct conf *conf;
	struct arena *arena;
	yaml_parser_t parser;
	const char *bytes;
	size_t len;
	struct frame stack[CONF_DEPTH_MAX];
	size_t depth, nodes;
	struct node *root;
	unsigned documents;
	struct place place;
};

static int
line_of(const yaml_event_t *ev)
{
	return (int)ev->start_mark.line + 1;
}

static enum rc
refuse(struct builder *b, int line, const char *what, struct err *err)
{
	return conf_fail(b->conf, err, line, b->place.text, "%s", what);
}

static enum rc
no_memory(struct err *err)
{
	return fail(err, RC_NOMEM, "out of memory for the configuration");
}

static struct frame *
top(struct builder *b)
{
	return b->depth > 0 ? &b->stack[b->depth - 1] : NULL;
}

/* A key or an item begins: the place moves on from the one before. */
static void
step(struct builder *b)
{
	struct frame *f = top(b);

	if (f == NULL || f->key != NULL)
		return;
	place_leave(&b->place, f->before);
	if (f->node->kind == NODE_LIST)
		(void)place_index(&b->place, f->node->n);
}

/* The scalar just read is a key: keep it for the value that follows. */
static enum rc
take_key(struct builder *b, struct frame *f, const char *text, int line, struct err *err)
{
	if (text[0] == '\0')
		return refuse(b, line, "a key is empty", err);
	f->key = text;
	f->key_line = line;
	(void)place_key(&b->place, text);
	return RC_OK;
}

/* Hang a finished scalar or a starting map or list up where it belongs. */
static void
attach(struct builder *b, struct node *node)
{
	struct frame *f = top(b);

	if (f == NULL) {
		b->root = node;
		return;
	}
	node->key = f->key;
	node->key_line = f->key_line;
	f->key = NULL;
	*f->tail = node;
	f->tail = &node->next;
	f->node->n++;
}

static enum rc
new_node(struct builder *b, enum node_kind kind, const yaml_event_t *ev, struct node **out,
    struct err *err)
{
	struct node *node;

	if (++b->nodes > CONF_NODES_MAX)
		return refuse(b, line_of(ev), "too many values in one file", err);
	node = arena_alloc(b->arena, 1, sizeof(*node));
	if (node == NULL)
		return no_memory(err);
	node->kind = kind;
	node->line = line_of(ev);
	*out = node;
	return RC_OK;
}

static enum rc
check_marks(
    struct builder *b, const yaml_char_t *anchor, const yaml_char_t *tag, int line, struct err *err)
{
	if (anchor != NULL)
		return refuse(b, line, "YAML anchors (&name) are not taken", err);
	if (tag != NULL)
		return refuse(b, line, "YAML tags (!name) are not taken", err);
	return RC_OK;
}

/* YAML 1.2 10.3.2: how a plain scalar says "null". */
static bool
says_nothing(const char *text, yaml_scalar_style_t style)
{
	static const char *const words[] = { "", "~", "null", "Null", "NULL" };
	size_t i;

	for (i = 0; style == YAML_PLAIN_SCALAR_STYLE && i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(text, words[i]) == 0)
			return true;
	}
	return false;
}

static enum rc
on_scalar(struct builder *b, const yaml_event_t *ev, struct err *err)
{
	const char *value = (const char *)ev->data.scalar.value;
	size_t len = ev->data.scalar.length;
	struct frame *f = top(b);
	struct node *node = NULL;
	char *text;
	enum rc rc;

	step(b);
	rc = check_marks(b, ev->data.scalar.anchor, ev->data.scalar.tag, line_of(ev), err);
	if (rc != RC_OK)
		return rc;
	if (memchr(value, '\0', len) != NULL)
		return refuse(b, line_of(ev), "a NUL character is not taken", err);
	text = arena_text(b->arena, value, len);
	if (text == NULL)
		return no_memory(err);
	if (f != NULL && f->node->kind == NODE_MAP && f->key == NULL)
		return take_key(b, f, text, line_of(ev), err);
	rc = new_node(b, NODE_SCALAR, ev, &node, err);
	if (rc != RC_OK)
		return rc;
	node->text = text;
	node->empty = says_nothing(text, ev->data.scalar.style);
	attach(b, node);
	return RC_OK;
}

static enum rc
on_start(struct builder *b, enum node_kind kind, const yaml_event_t *ev, struct err *err)
{
	struct frame *f = top(b);
	struct node *node = NULL;
	enum rc rc;

	if (f != NULL && f->node->kind == NODE_MAP && f->key == NULL)
		return refuse(b, line_of(ev), "a key must be a word, not a map or list", err);
	rc = new_node(b, kind, ev, &node, err);
	if (rc != RC_OK)
		return rc;
	if (b->depth == CONF_DEPTH_MAX)
		return refuse(b, line_of(ev), "nested too deeply", err);
	attach(b, node);
	b->stack[b->depth++] =
	    (struct frame){ .node = node, .tail = &node->first, .before = b->place.len };
	return RC_OK;
}

static enum rc
on_list_start(struct builder *b, const yaml_event_t *ev, struct err *err)
{
	enum rc rc;

	step(b);
	rc = check_marks(
	    b, ev->data.sequence_start.anchor, ev->data.sequence_start.tag, line_of(ev), err);
	return rc != RC_OK ? rc : on_start(b, NODE_LIST, ev, err);
}

static enum rc
on_map_start(struct builder *b, const yaml_event_t *ev, struct err *err)
{
	enum rc rc;

	step(b);
	rc = check_marks(
	    b, ev->data.mapping_start.anchor, ev->data.mapping_start.tag, line_of(ev), err);
	return rc != RC_OK ? rc : on_start(b, NODE_MAP, ev, err);
}

static enum rc
on_list_end(struct builder *b, const yaml_event_t *ev, struct err *err)
{
	place_leave(&b->place, top(b)->before);
	b->depth--;
	return RC_OK;
}

/* By key; the same key in the order of the file. */
static int
by_key(const void *x, const void *y)
{
	const struct node *a = *(struct node *const *)x, *b = *(struct node *const *)y;
	int d = strcmp(a->key, b->key);

	return d != 0 ? d : (a->key_line > b->key_line) - (a->key_line < b->key_line);
}

/* Sorting keeps this cheap in a map of ten thousand. */
static enum rc
check_duplicates(struct builder *b, const struct node *map, struct err *err)
{
	struct node **sorted, *node;
	enum rc rc = RC_OK;
	size_t i = 0;

	if (map->n < 2)
		return RC_OK;
	sorted = calloc(map->n, sizeof(struct node *));
	if (sorted == NULL)
		return no_memory(err);
	for (node = map->first; node != NULL; node = node->next)
		sorted[i++] = node;
	qsort(sorted, map->n, sizeof(struct node *), by_key);
	for (i = 1; i < map->n && rc == RC_OK; i++) {
		if (strcmp(sorted[i - 1]->key, sorted[i]->key) != 0)
			continue;
		(void)place_key(&b->place, sorted[i]->key);
		rc = conf_fail(b->conf, err, sorted[i]->key_line, b->place.text,
		    "given twice, first on line %d", sorted[i - 1]->key_line);
	}
	free(sorted);
	return rc;
}

static enum rc
on_map_end(struct builder *b, const yaml_event_t *ev, struct err *err)
{
	place_leave(&b->place, top(b)->before);
	b->depth--;
	return check_duplicates(b, b->stack[b->depth].node, err);
}

static enum rc
on_alias(struct builder *b, const yaml_event_t *ev, struct err *err)
{
	step(b);
	return refuse(b, line_of(ev), "YAML aliases (*name) are not taken", err);
}

static enum rc
on_document(struct builder *b, const yaml_event_t *ev, struct err *err)
{
	if (b->documents++ > 0)
		return refuse(b, line_of(ev), "a second document (---) is not taken", err);
	if (ev->data.document_start.tag_directives.start !=
	    ev->data.document_start.tag_directives.end)
		return refuse(b, line_of(ev), "%TAG is not taken", err);
	return RC_OK;
}

/* By yaml_event_type_t; the events that are absent here need no action. */
static enum rc (*const handlers[])(struct builder *, const yaml_event_t *, struct err *) = {
	[YAML_DOCUMENT_START_EVENT] = on_document,
	[YAML_ALIAS_EVENT] = on_alias,
	[YAML_SCALAR_EVENT] = on_scalar,
	[YAML_SEQUENCE_START_EVENT] = on_list_start,
	[YAML_SEQUENCE_END_EVENT] = on_list_end,
	[YAML_MAPPING_START_EVENT] = on_map_start,
	[YAML_MAPPING_END_EVENT] = on_map_end,
};

/* libyaml gives a byte offset instead of a line when the encoding is wrong. */
static int
line_at(const struct builder *b, size_t offset)
{
	size_t i;
	int line = 1;

	for (i = 0; i < offset && i < b->len; i++)
		line += b->bytes[i] == '\n';
	return line;
}

/* Is there a tab in front of the text of this line (counted from 1)? */
static bool
indented_by_tab(const struct builder *b, int line)
{
	size_t i = 0;

	for (; line > 1 && i < b->len; i++)
		line -= b->bytes[i] == '\n';
	while (i < b->len && b->bytes[i] == ' ')
		i++;
	return i < b->len && b->bytes[i] == '\t';
}

/* libyaml's words, which are constants and quote nothing of the file. */
static enum rc
syntax_error(struct builder *b, struct err *err)
{
	const yaml_parser_t *p = &b->parser;
	int line = (int)p->problem_mark.line + 1;
	enum rc rc;

	if (p->error == YAML_MEMORY_ERROR)
		return no_memory(err);
	if (p->error == YAML_READER_ERROR) {
		(void)conf_fail(
		    b->conf, err, line_at(b, p->problem_offset), NULL, "%s", p->problem);
		if (strstr(p->problem, "UTF") != NULL)
			(void)err_hint(err, "save the file as UTF-8");
		return RC_CONFIG;
	}
	rc = conf_fail(b->conf, err, line, NULL, "%s%s%s", p->problem,
	    p->context != NULL ? " " : "", p->context != NULL ? p->context : "");
	if (indented_by_tab(b, line))
		err_hint(err, "YAML is indented with spaces; this line starts with a tab");
	else if (p->error == YAML_PARSER_ERROR || p->error == YAML_SCANNER_ERROR)
		err_hint(err,
		    "look at this line and the one before: indented as its neighbours? a ':' "
		    "after the key, a space after it? quotes and brackets closed?");
	return rc;
}

static enum rc
read_events(struct builder *b, struct err *err)
{
	yaml_event_t ev;
	bool more = true;
	enum rc rc = RC_OK;

	while (more && rc == RC_OK) {
		if (!yaml_parser_parse(&b->parser, &ev))
			return syntax_error(b, err);
		more = ev.type != YAML_STREAM_END_EVENT;
		if ((size_t)ev.type < sizeof(handlers) / sizeof(handlers[0]) &&
		    handlers[ev.type] != NULL)
			rc = handlers[ev.type](b, &ev, err);
		yaml_event_delete(&ev);
	}
	return rc;
}

static bool
is_byte_order_mark(const char *p, size_t len)
{
	return len >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0;
}

enum rc
tree_parse(const struct node **root, const struct conf *conf, struct arena *arena,
    const void *bytes, size_t len, struct err *err)
{
	struct builder *b;
	enum rc rc;

	if (len > LIMIT_CONFIG)
		return conf_fail(conf, err, 1, NULL, "longer than %u bytes", LIMIT_CONFIG);
	b = calloc(1, sizeof(*b));
	if (b == NULL)
		return no_memory(err);
	b->conf = conf;
	b->arena = arena;
	b->bytes = len > 0 ? bytes : "";
	b->len = len;
	if (is_byte_order_mark(b->bytes, b->len)) {
		b->bytes += 3;
		b->len -= 3;
	}
	if (!yaml_parser_initialize(&b->parser)) {
		rc = no_memory(err);
		goto out;
	}
	/* Said, not guessed: a guess would take UTF-16. */
	yaml_parser_set_encoding(&b->parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&b->parser, (const unsigned char *)b->bytes, b->len);
	rc = read_events(b, err);
	yaml_parser_delete(&b->parser);
	if (rc == RC_OK)
		*root = b->root;
out:
	free(b);
	return rc;
}
