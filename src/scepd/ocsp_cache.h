/*
 * ocsp_cache.h - signed OCSP answers, kept for a few seconds, so that a flood of the same question
 * costs one signature and a revocation is out soon all the same.
 *
 * Threads: all calls from any thread.
 */
#ifndef SCEPD_SCEPD_OCSP_CACHE_H
#define SCEPD_SCEPD_OCSP_CACHE_H

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define OCSP_AGE_MS   10000 /* at most this long between a revocation and the answer that says so */
#define OCSP_KEPT     1024  /* answers; with one certificate each they take 1.5 MB */
#define OCSP_WAIT_MS  2000  /* for the answer that another thread is making */
#define OCSP_KEY_SIZE 32

struct ocsp_cache;
struct ocsp_slot;

/* An answer as it was made. */
struct ocsp_kept {
	int64_t this_update, next_update; /* wall seconds */
	int status;                       /* enum ocsp_status of the first certificate */
};

enum rc ocsp_cache_new(struct ocsp_cache **out, struct err *err) MUST_CHECK;
void ocsp_cache_free(struct ocsp_cache *c);

enum ocsp_found {
	OCSP_FOUND, /* appended to `der`, and *kept is set */
	OCSP_MAKE,  /* the caller makes it, and hands *slot to ocsp_cache_put() in any case */
	OCSP_BUSY   /* somebody else has been making it for OCSP_WAIT_MS */
};
/* The answer to the question that `key` is the hash of. */
enum ocsp_found ocsp_cache_get(struct ocsp_cache *c, const uint8_t key[static OCSP_KEY_SIZE],
    struct buf *der, struct ocsp_kept *kept, struct ocsp_slot **slot);
/* Keep what was made; der NULL: it failed.  slot NULL (there was no place for it): nothing happens. */
void ocsp_cache_put(struct ocsp_cache *c, struct ocsp_slot *slot, const void *der, size_t len,
    const struct ocsp_kept *kept);

#endif
