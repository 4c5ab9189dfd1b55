/* routes_test.c - which endpoint a SCEP URL names, with everything that clients and administrators
 * put around it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#undef fail

#include "scepd/routes.h"

static const struct {
	const char *path, *endpoint; /* NULL: no SCEP URL */
} rows[] = {
	{ "/scep/wifi", "wifi" },
	{ "/scep/wifi/", "wifi" },
	{ "/scep/wifi/pkiclient.exe", "wifi" },
	{ "/scep/wifi/PKICLIENT.EXE", "wifi" },
	{ "/scep/wifi/pkiclient.exe/pkiclient.exe", "wifi" },
	{ "/scep/wifi//pkiclient.exe/", "wifi" },
	{ "/scep/wifi/mscep.dll/pkiclient.exe", "wifi" },
	{ "/SCEP/WiFi", "WiFi" },
	{ "/certsrv/mscep/mscep.dll", "default" },
	{ "/certsrv/mscep/mscep.dll/pkiclient.exe", "default" },
	{ "/CertSrv/MSCEP/mscep.dll/pkiclient.exe/pkiclient.exe", "default" },
	{ "/certsrv/mscep", "default" },
	{ "/certsrv/mscep/", "default" },
	{ "/certsrv/mscep_admin", NULL },
	{ "/certsrv/mscep/other", NULL },
	{ "/certsrv/mscepx/mscep.dll", NULL },
	{ "/scep/", NULL },
	{ "/scep", NULL },
	{ "/scep/a/b", NULL },
	{ "/scep/pkiclient.exe", NULL },
	{ "/", NULL },
	{ "", NULL },
};

static void
a_url_names_its_endpoint_whatever_is_put_around_it(void **state)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *name = NULL;
		size_t len = 0;
		bool is = routes_scep_endpoint(rows[i].path, &name, &len);

		if (is != (rows[i].endpoint != NULL) ||
		    (is &&
			(strlen(rows[i].endpoint) != len ||
			    memcmp(rows[i].endpoint, name, len) != 0))) {
			print_error(
			    "%s -> %.*s\n", rows[i].path, is ? (int)len : 7, is ? name : "nothing");
			assert_true(false);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(
	    a_url_names_its_endpoint_whatever_is_put_around_it) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
