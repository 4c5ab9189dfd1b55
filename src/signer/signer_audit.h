/*
 * signer_audit.h - what the keys were used for: an append-only text, chained by hashes, in the
 * signer's own folder, where the front cannot reach it.
 *
 * A line is written before the signature that it is about leaves the signer:
 *
 *	SEQUENCE TIME OPERATION CA ID SHA256 HASH
 *
 * ID is the serial number or the number of a list in hex, SHA256 that of what was signed, HASH the
 * SHA-256 of the line before's HASH, "|", and this line up to there.  "-" where there is nothing.
 *
 * What survives: a line is with the kernel when audit_append() returns, so no death of the process
 * loses one.  It is on the disk a second later at most; when the machine loses power, the lines of
 * the last second may be lost although what they tell of was signed.  (To wait for the disk would
 * halve the rate of enrolments; the database, which does wait, has each certificate, too.)
 *
 * When the disk fails, lines that it has not confirmed are written once more from memory, every second until it takes
 * them: the kernel may have dropped what it could not write, and would not tell a process that starts and reads the
 * file.  Until then nothing is appended, and so nothing signed; with room on the disk it goes on by itself.
 *
 * A crash can leave a line without its end, or NULs where the disk had no time to write: both only
 * at the very end, and both are cut off at the next start.  Nothing is lost by that: a line that is
 * not whole was not waited for, so its signature never left.  Everything else that does not fit is
 * somebody's doing, and the signer does not start on it.
 *
 * Files are named by the number of their first line, "audit-000000000001"; the chain goes on
 * from one to the next.  They are never removed here.
 *
 * Threads: all calls from any thread.
 */
#ifndef SCEPD_SIGNER_SIGNER_AUDIT_H
#define SCEPD_SIGNER_SIGNER_AUDIT_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "ossl/der.h"

#define AUDIT_HEX          64          /* digits of a SHA-256 */
#define AUDIT_SEGMENT_MAX  (16u << 20) /* bytes of one file: some 90,000 lines, read in 0.1 s */
#define AUDIT_SEGMENTS_MAX 100000      /* files of one folder: 9,000,000,000 lines */

/* A line, taken apart; borrowed. */
struct audit_line {
	uint64_t sequence;
	const char *op, *ca, *id, *sha256; /* NUL-terminated */
};
typedef enum rc audit_fn(void *ctx, const struct audit_line *line, struct err *err);

struct audit;

/*
 * Open the chain in `dir`, to append.  Everything from line `from` (and the last file as a whole) is
 * verified, and given to `fn`.  RC_INTEGRITY names the line that does not fit, or says that lines
 * below `from` are missing at the end.
 */
enum rc audit_open(struct audit **out, const char *dir, uint64_t from, audit_fn *fn, void *ctx,
    struct err *err) MUST_CHECK;
void audit_close(struct audit *a); /* what was written is on the disk */

/* Append a line; `ca` is escaped.  RC_IO: it is not there, and nothing may be signed. */
enum rc audit_append(struct audit *a, const char *op, const char *ca, const char *id,
    const uint8_t *sha256, struct err *err) MUST_CHECK;
/* The number of the last line; 0: none yet. */
uint64_t audit_last(struct audit *a);
/* Have on the disk what was appended. */
enum rc audit_sync(struct audit *a, struct err *err) MUST_CHECK;

#endif
