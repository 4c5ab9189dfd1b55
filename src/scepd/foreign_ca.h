/*
 * foreign_ca.h - CAs of others in the running server (scepd.yaml: foreign_cas): their certificates, and the responders'
 * certificates, which administrators exchange on the disk.
 */
#ifndef SCEPD_SCEPD_FOREIGN_CA_H
#define SCEPD_SCEPD_FOREIGN_CA_H

#include "scepd/scepd.h"

/* Loads their certificates into `s`, whose own CAs are open.  RC_CONFIG: one is no CA, or is there twice. */
enum rc foreign_cas_open(struct scepd *s, struct err *err) MUST_CHECK;
void foreign_cas_close(struct scepd *s);
/*
 * Hand over to the signer, which may not open files, what has come into the place of a responder's certificate.
 * What does not fit is asked and logged once, until the file changes; what cannot be read is logged once; and the one in use
 * stays.  From one thread at a time; it asks the signer.
 */
void foreign_cas_refresh(struct scepd *s);

#endif
