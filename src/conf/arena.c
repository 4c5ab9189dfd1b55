/*
 * arena.c - memory for a configuration: many small pieces, one end.
 */
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf_int.h"

#define CHUNK_SIZE 8192u /* bytes asked of malloc() at a time; a larger piece gets its own */

struct chunk {
	struct chunk *next;
	size_t used, size;
	alignas(max_align_t) char data[];
};

static struct chunk *
chunk_new(struct arena *a, size_t need)
{
	size_t size = need > CHUNK_SIZE ? need : CHUNK_SIZE;
	struct chunk *c;

	if (size > SIZE_MAX - sizeof(*c))
		return NULL;
	c = calloc(1, sizeof(*c) + size);
	if (c == NULL)
		return NULL;
	c->size = size;
	c->next = a->head;
	a->head = c;
	return c;
}

void *
arena_alloc(struct arena *a, size_t n, size_t size)
{
	const size_t align = alignof(max_align_t);
	struct chunk *c = a->head;
	size_t need;
	void *p;

	if (__builtin_mul_overflow(n, size, &need) || need > SIZE_MAX - align)
		return NULL;
	need = need == 0 ? align : (need + align - 1) / align * align;
	if (c == NULL || need > c->size - c->used)
		c = chunk_new(a, need);
	if (c == NULL)
		return NULL;
	p = c->data + c->used;
	c->used += need;
	return p;
}

char *
arena_text(struct arena *a, const char *s, size_t len)
{
	char *copy = len < SIZE_MAX ? arena_alloc(a, len + 1, 1) : NULL;

	if (copy != NULL && len > 0)
		memcpy(copy, s, len);
	return copy;
}

void
arena_done(struct arena *a)
{
	struct chunk *c, *next;

	for (c = a->head; c != NULL; c = next) {
		next = c->next;
		free(c);
	}
	a->head = NULL;
}
