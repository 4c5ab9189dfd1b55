/*
 * sweep_brake.h - whom rules turn, counted in owners, and whether that is too much to be done unasked.
 *
 * The owner of a certificate is the device that it is bound to (not one that it only names, if its user is known), else
 * the user, else the certificate itself.  So nobody weighs more by having some more certificates, and a device that goes
 * to and fro is one within the brake's window.  But an account that has enrolled a fleet is no person: an owner counts
 * once for each OWNER_CERTS certificates begun.
 *
 * An owner is a number: a hash of its ids, the same in every process, as the store remembers it.  Nobody chooses ids of
 * a directory, and two of a million owners are the same number once in thirty million times: then they count as one.
 *
 * Memory: 8 bytes an owner.  Threads: none, no state.
 */
#ifndef SCEPD_SCEPD_SWEEP_BRAKE_H
#define SCEPD_SCEPD_SWEEP_BRAKE_H

#include "scepd/config.h"
#include "store/store_directory.h"
#include "store/store_sweep.h"

uint64_t owner_of(const struct store_subject *c);

/* More than the devices of one person have, renewals included; and far fewer than a fleet. */
#define OWNER_CERTS 20

/* Owners; {0} is nobody. */
struct owners {
	uint64_t *v;
	size_t n, room;
};
void owners_done(struct owners *o);
enum rc owners_add(struct owners *o, uint64_t owner, struct err *err) MUST_CHECK;
/* In order: before anything of what follows.  Whoever was added up to OWNER_CERTS times is there once, who was added
 * more often once more for each OWNER_CERTS times, as owners that nobody else is. */
void owners_sort(struct owners *o);
bool owners_has(const struct owners *o, uint64_t owner);
/* How many of `o` are not among `others`. */
size_t owners_beside(const struct owners *o, const struct owners *others);

/* Whom rules have turned unasked in the brake's window before `now` (wall seconds); sorted. */
enum rc brake_lately(struct owners *out, struct store *s, const struct conf_brake *b, int64_t now,
    struct err *err) MUST_CHECK;

/* What is to be turned, of how much that rules see. */
struct brake_ask {
	uint64_t owners, of_owners;
	uint64_t certs, of_certs;
	uint64_t lately; /* owners that were turned in the window, and are not among `owners` */
};
/*
 * Is it too much?  Of owners alone; certificates are told.  `why`, written either way: "312 of 2300 devices and users
 * (340 of 2500 certificates) after 7 others in the last 60 minutes, more than 10 %".
 */
#define BRAKE_WHY_MAX 240
bool sweep_brake(
    char why[static BRAKE_WHY_MAX], const struct conf_brake *b, const struct brake_ask *a);

#endif
