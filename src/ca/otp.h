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

#include "base/buf.h"
#include "base/err.h"
#include "ca/profile.h"

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

/*
 * A subject pattern that a password is to be made for (one_time_password_check() has its syntax):
 * RC_CONFIG when it names an attribute that `p` allows nobody, so that it would let nobody in.
 */
enum rc otp_subject_check(const char *subject, const struct profile *p, struct err *err) MUST_CHECK;
/* Append what it binds and what it leaves free, for whoever makes the password: "CN=pc-*; any O". */
void otp_subject_words(struct buf *out, const char *subject);

#endif
