/*
 * memo.h - two bounded memories of challenges, both keyed by a SHA-256.
 *
 * struct memo remembers what a challenge opened to, so that the same bytes are not decrypted twice.
 * struct spent remembers which challenges were used, for --single-use.
 * Both forget the oldest when full.  Threads: each has a lock of its own.
 */
#ifndef SCEPD_INTUNESIM_MEMO_H
#define SCEPD_INTUNESIM_MEMO_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define MEMO_KEY 32

struct memo;
enum rc memo_new(struct memo **out, struct err *err) MUST_CHECK;
void memo_free(struct memo *m);
/* Append what was remembered; false when nothing was. */
bool memo_get(struct memo *m, const uint8_t key[static MEMO_KEY], struct buf *out);
/* A copy is taken; failing to remember is no error. */
void memo_put(struct memo *m, const uint8_t key[static MEMO_KEY], const void *p, size_t len);

struct spent;
enum rc spent_new(struct spent **out, struct err *err) MUST_CHECK;
void spent_free(struct spent *s);
/* Mark as used until `expires`; false when it was already. */
bool spent_take(struct spent *s, const uint8_t key[static MEMO_KEY], int64_t now, int64_t expires);

#endif
