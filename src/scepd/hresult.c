/* hresult.c - see hresult.h. */
#include "scepd/hresult.h"

int64_t
hresult_of(enum rc rc)
{
	static const int64_t of[RC__MAX] = {
		[RC_NOMEM] = HR_UNAVAILABLE,
		[RC_LIMIT] = HR_CERTSRV_BAD_REQUEST,
		[RC_PARSE] = HR_BAD_DATA,
		[RC_DENIED] = HR_CERTSRV_BAD_REQUEST,
		[RC_ALG] = HR_CERTSRV_KEY_LENGTH,
		[RC_INTEGRITY] = HR_BAD_DATA,
		[RC_NOTFOUND] = HR_BAD_DATA,
		[RC_CONFLICT] = HR_UNAVAILABLE,
		[RC_CRYPTO] = HR_SIGNING_FAILED,
		[RC_IO] = HR_UNAVAILABLE,
		[RC_TIMEOUT] = HR_UNAVAILABLE,
		[RC_CONFIG] = HR_UNEXPECTED,
		[RC_BUG] = HR_UNEXPECTED,
	};

	return (unsigned)rc < RC__MAX && of[rc] != 0 ? of[rc] : HR_UNEXPECTED;
}
