/*
 * signer_chain.h - lines of the audit and how they hang together; for signer_audit*.c.
 */
#ifndef SCEPD_SIGNER_SIGNER_CHAIN_H
#define SCEPD_SIGNER_SIGNER_CHAIN_H

#include "base/buf.h"
#include "signer/signer_audit.h"

#define LINE_MAX_BYTES 640 /* a CA's name of 64 bytes, each escaped, and the rest with room */

/* A file may pass its size by one line; what an older version left may be somewhat larger. */
#define SEGMENT_READ_MAX (AUDIT_SEGMENT_MAX + 65536)

/* Where a chain stands. */
struct chain {
	uint64_t next; /* number of the line to come */
	char hash[AUDIT_HEX + 1];
};
void chain_begin(struct chain *c);

/* Write the next line, with its newline, and go on. */
enum rc chain_line(struct buf *out, struct chain *c, int64_t now, const char *op, const char *ca,
    const char *id, const uint8_t *sha256, struct err *err) MUST_CHECK;

/*
 * Follow the chain through the lines of one file; *used is the number of bytes in whole lines.  What
 * comes after the last newline is left to the caller, and so is everything from a line with a NUL.
 * `fn` (or NULL) sees lines from `from`.  A door: RC_INTEGRITY names the line.
 */
enum rc chain_follow(struct chain *c, const uint8_t *text, size_t len, size_t *used, uint64_t from,
    audit_fn *fn, void *ctx, struct err *err) MUST_CHECK;
/* The last whole line's number and hash, not verified.  false: there is none. */
bool chain_last(struct chain *c, const uint8_t *text, size_t len);

/* Numbers of the first lines of the files in `dir`, ascending. */
struct segments {
	uint64_t *first;
	size_t n;
};
enum rc segments_list(struct segments *out, const char *dir, struct err *err) MUST_CHECK;
void segments_done(struct segments *s);
enum rc segment_path(char **out, const char *dir, uint64_t first, struct err *err) MUST_CHECK;
enum rc segment_read(struct buf *out, const char *dir, uint64_t first, struct err *err) MUST_CHECK;

#endif
