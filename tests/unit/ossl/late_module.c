/*
 * late_module.c - a PKCS#11 library that can do nothing but start, and that at the try that a test wants.
 */
#include <stddef.h>

#include <p11-kit/pkcs11.h>

/* What the next tries to start it fail with, how many, and how many there were. */
CK_RV late_code;
unsigned late_times, late_starts;

static CK_RV
start(void *args)
{
	late_starts++;
	if (late_times == 0)
		return CKR_OK;
	late_times--;
	return late_code;
}

static CK_RV
end(void *reserved)
{
	return CKR_OK;
}

CK_RV
C_GetFunctionList(CK_FUNCTION_LIST **out)
{
	static CK_FUNCTION_LIST list = {
		.version = { 2, 40 }, .C_Initialize = start, .C_Finalize = end
	};

	*out = &list;
	return CKR_OK;
}
