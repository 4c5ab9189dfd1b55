/*
 * signer_serials.h - which serial number was signed for which certificate, for the whole life of a
 * CA: so that a number is never given twice, and the same bytes are answered again.
 *
 * An open-addressing table of 16 octets an entry, in a file that is mapped: half is a keyed hash of
 * CA and serial number, half one of the SHA-256 of the TBSCertificate.  The key is random and stays
 * in the file (mode 0600), so that nobody outside can search for two certificates that look the
 * same here.  With ten million entries, the odds that any new number is taken for an old one are one
 * in 3,700,000 over all of them, and the device that it happens to is given another.
 *
 * The table is derived from the audit and may be lost at any time: its header says up to which line
 * it is complete, and what comes after is entered again at the next start.  That number is raised
 * only after the table and the audit are on the disk (serials_mark()).  Entries are aligned, so
 * none is ever half in one sector and half in another; those that a crash leaves behind without
 * their line only make the signer more careful.
 *
 * Threads: none; the caller's lock, but for serials_flush().
 */
#ifndef SCEPD_SIGNER_SIGNER_SERIALS_H
#define SCEPD_SIGNER_SIGNER_SERIALS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "ossl/der.h"

struct serials;

/* In the file at `path`, made if absent and made anew if it is none; NULL: in memory alone. */
enum rc serials_open(struct serials **out, const char *path, struct err *err) MUST_CHECK;
void serials_close(struct serials *s);

/* The line of the audit up to which this table is complete; 0: it is new. */
uint64_t serials_complete(const struct serials *s);

enum serials_answer {
	SERIALS_NEW,
	SERIALS_SAME, /* signed before, for these bytes */
	SERIALS_OTHER /* for others */
};
/* `number`: the magnitude, `sha256` of the TBSCertificate. */
enum serials_answer serials_look(
    const struct serials *s, const char *ca, struct der number, const uint8_t sha256[static 32]);
/* Room for one more.  RC_IO: no room on the disk. */
bool serials_is_full(
    const struct serials *s); /* three quarters: serials_reserve() doubles the table */
enum rc serials_reserve(struct serials *s, struct err *err) MUST_CHECK;
/* Enter what was new, into reserved room. */
void serials_add(
    struct serials *s, const char *ca, struct der number, const uint8_t sha256[static 32]);
/*
 * Two steps to being complete up to a line that is on the disk: have the table there as it is now,
 * then say so, durably.  The first may take seconds: others may look and add meanwhile, but not
 * reserve.
 */
enum rc serials_flush(const struct serials *s, struct err *err) MUST_CHECK;
enum rc serials_mark(struct serials *s, uint64_t line, struct err *err) MUST_CHECK;

#endif
