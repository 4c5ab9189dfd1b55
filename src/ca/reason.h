/*
 * reason.h - why a certificate is not good, by the names of RFC 5280 5.3.1, for people and programs.
 */
#ifndef SCEPD_CA_REASON_H
#define SCEPD_CA_REASON_H

/* "keyCompromise"; "unknown" for what is none; static. */
const char *reason_name(int reason);
/* -1 when unknown, or nothing that an administrator may say of a leaf. */
int reason_given(const char *name);
/* All that reason_given() takes, with '|'. */
#define REASONS_GIVEN                                                                              \
	"unspecified|keyCompromise|affiliationChanged|superseded|cessationOfOperation|"            \
	"privilegeWithdrawn"

#endif
