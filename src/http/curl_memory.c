/* curl_memory.c - see curl_memory.h. */
#include "http/curl_memory.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "base/buf.h"

static void
wiped_free(void *p)
{
	if (p != NULL)
		wipe_free(p, malloc_usable_size(p));
}

/* Never in place: what is left behind could not be overwritten. */
static void *
wiped_realloc(void *p, size_t size)
{
	size_t had = p != NULL ? malloc_usable_size(p) : 0;
	void *bigger = malloc(size);

	if (bigger == NULL)
		return NULL;
	if (p != NULL)
		memcpy(bigger, p, had < size ? had : size);
	wiped_free(p);
	return bigger;
}

void
curl_memory_start(void)
{
	(void)curl_global_init_mem(
	    CURL_GLOBAL_DEFAULT, malloc, wiped_free, wiped_realloc, strdup, calloc);
}
