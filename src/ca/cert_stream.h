/*
 * cert_stream.h - certificates out of what people have: a DER file, PEM with any number of them, or the table
 * that `certutil -view ... csv` writes.  One at a time, so that a table of a million needs the memory of one.
 *
 * Which of the three it is, the first bytes tell; text may be UTF-16, as PowerShell saves it.
 *
 * The table (RFC 4180, with commas, semicolons or tabs): its first row names the columns, in any order, by the
 * names of the schema ("SerialNumber", "RawCertificate", "NotAfter") or as certutil shows them ("Serial Number",
 * "Binary Certificate").  The certificate is base64, with or without BEGIN and END, with line breaks or without;
 * a field that begins with -----BEGIN CERTIFICATE is one whatever the column is called, as Windows translates
 * those names (if it knows none of them, it looks for such fields alone).  A row without a certificate is a serial number, and the end of its validity where that is written year
 * first: other dates are told in the order of some country, and are not guessed at.
 *
 * Nothing is verified here.
 */
#ifndef SCEPD_CA_CERT_STREAM_H
#define SCEPD_CA_CERT_STREAM_H

#include <stdio.h>

#include "ossl/cert.h"

#define CERT_STREAM_FIELD_MAX                                                                      \
	(128u * 1024) /* bytes of a field: base64 of LIMIT_CERT and its line breaks */
#define CERT_STREAM_RECORD_MAX (1024u * 1024) /* bytes of a row: there may be requests in it, too */
#define CERT_STREAM_COLUMNS    128            /* certutil has 70 in all */

struct cert_found {
	size_t line;        /* where it begins, from 1; of DER 0 */
	const uint8_t *der; /* or NULL */
	size_t der_len;
	/* Without DER: a row that tells a serial number, or (why) something that cannot be read. */
	const struct serial *serial;
	int64_t not_after; /* wall seconds; 0: not told */
	const char *why;
};
/* All lent.  Anything but RC_OK ends the reading. */
typedef enum rc cert_stream_fn(void *arg, const struct cert_found *c, struct err *err);
/*
 * From where `f` stands to its end.  *rows: how many it had.  RC_IO; RC_PARSE: it is none of the three, or a table
 * without a column that is known; otherwise what `fn` says.  What cannot be read of many is told to `fn`.
 */
enum rc cert_stream_read(
    FILE *f, size_t *rows, cert_stream_fn *fn, void *arg, struct err *err) MUST_CHECK;

#endif
