/*
 * hresult.h - the Win32 codes that Intune's console shows when we report a failure (F27).  One per
 * cause an administrator can tell apart; the table is printed in scepd(8).
 */
#ifndef SCEPD_SCEPD_HRESULT_H
#define SCEPD_SCEPD_HRESULT_H

#include <stdint.h>

#include "base/err.h"

/* Names and values as in winerror.h. */
#define HR_CERTSRV_BAD_REQUEST                                                                     \
	0x80094001LL                       /* CERTSRV_E_BAD_REQUESTSUBJECT: outside the profile   \
					     */
#define HR_CERTSRV_KEY_LENGTH 0x80094811LL /* CERTSRV_E_KEY_LENGTH: key type or size, algorithm */
#define HR_BAD_DATA           0x80090005LL /* NTE_BAD_DATA: malformed */
#define HR_SIGNING_FAILED     0x80090020LL /* NTE_FAIL: the CA's key could not be used */
#define HR_UNAVAILABLE                                                                             \
	0x800706BALL /* RPC_S_SERVER_UNAVAILABLE: store or another part did not answer */
#define HR_UNEXPECTED 0x8000FFFFLL /* E_UNEXPECTED */

int64_t hresult_of(enum rc rc);

#endif
