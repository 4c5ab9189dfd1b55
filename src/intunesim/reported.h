/*
 * reported.h - what the report and the revocation queue remember of a certificate and of whom it is
 * for.  Copies: they outlive every snapshot.
 */
#ifndef SCEPD_INTUNESIM_REPORTED_H
#define SCEPD_INTUNESIM_REPORTED_H

#include <stdbool.h>
#include <stdint.h>

#include "intunesim/guid.h"

#define REPORT_TEXT_MAX 256
#define REPORT_NAME_MAX 128

/* Whom a row is about.  Names longer than their field are cut. */
struct subject {
	char tenant_id[GUID_TEXT_MAX], device_id[GUID_TEXT_MAX], profile_id[GUID_TEXT_MAX];
	char tenant[REPORT_NAME_MAX], device[REPORT_NAME_MAX], profile[REPORT_NAME_MAX];
	char user[REPORT_NAME_MAX]; /* UPN of the device's user, or "" */
	int platform;
};

/* What the success notification said. */
struct certificate {
	struct subject of;
	char thumbprint[64], serial[64], expires[40];
	char subject[REPORT_TEXT_MAX], issuer[REPORT_TEXT_MAX], transaction_id[REPORT_TEXT_MAX];
	char ca_configuration[REPORT_TEXT_MAX], certificate_authority[REPORT_TEXT_MAX];
	char caller[96];
	int64_t issued;   /* wall seconds */
	uint64_t edition; /* of the profile that it was made by */
	bool corporate;   /* on Android that the organisation owns: Intune never revokes it */
	bool queued;      /* for revocation, at some time */
};

#endif
