/*
 * otp.h - one-time passwords: made, and known again by their hash.
 *
 * A password has 128 random bits or more, so its SHA-256 can be kept in the open: nobody finds it
 * from that, and there is nothing for a salt or a slow hash to protect.  Made by scepctl and by the
 * daemon's admin API; the database never sees one.
 */
#ifndef SCEPD_CA_OTP_H
#define SCEPD_CA_OTP_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* How it is written. */
enum otp_form {
	OTP_GROUPS, /* "K7QM-2VXA-...": 28 of base32 in seven groups, 140 bits; to be read and typed */
	OTP_HEX /* 32 upper-case hex digits, 128 bits: what scripts for NDES look for in a page */
};
#define OTP_TEXT_SIZE 40 /* either form with its NUL */

struct otp {
	char text[OTP_TEXT_SIZE]; /* the secret: for the one who asked, and then otp_done() */
	uint8_t sha256[32];       /* otp_hash() of it */
};
enum rc otp_make(struct otp *out, enum otp_form form, struct err *err) MUST_CHECK;
void otp_done(struct otp *o);

/*
 * What a device sent as its challenge, as store_otp_find() looks for it: SHA-256 without spaces and
 * hyphens and in upper case, since people type these.  RC_DENIED when nothing is left, or more than
 * OTP_SENT_MAX bytes were sent: no password of ours.
 */
#define OTP_SENT_MAX 256
enum rc otp_hash(uint8_t out[static 32], const char *sent, size_t len, struct err *err) MUST_CHECK;

#endif
