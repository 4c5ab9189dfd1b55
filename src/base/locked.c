/*
 * locked.c - pages for a secret.
 */
#include "base/locked.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/buf.h"

/* Whole pages: locking and leaving out of a core work on nothing smaller. */
static size_t
pages_for(size_t len)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	return (len + 1 + page - 1) / page * page;
}

enum rc
locked_copy(char **out, const void *p, size_t len, struct err *err)
{
	size_t size = pages_for(len);
	char *at;

	if (len > LOCKED_MAX)
		return fail(err, RC_LIMIT, "a secret of %zu bytes is too long", len);
	at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (at == MAP_FAILED)
		return fail(err, RC_NOMEM, "no memory for a secret");
	(void)mlock(at, size);
	(void)madvise(at, size, MADV_DONTDUMP);
	(void)madvise(at, size, MADV_WIPEONFORK); /* a child has no use for it */
	if (len > 0)
		memcpy(at, p, len);
	*out = at;
	return RC_OK;
}

void
locked_free(char *p, size_t len)
{
	if (p == NULL)
		return;
	wipe(p, len);
	(void)munmap(p, pages_for(len));
}
