/*
 * validate - is this device's request genuine?  The shortest way to ask Intune.
 *
 *	cc validate.c $(pkg-config --cflags --libs libintune) -o validate
 *	APP_ID=... APP_KEY=... TENANT=contoso.onmicrosoft.com validate <request.der
 *
 * Behind a proxy: PROXY_HOST, PROXY_PORT, PROXY_USER, PROXY_PASS.  CA_FILE: trust anchors (PEM) in
 * the place of the system's.  AUTHORITY and GRAPH: addresses of another cloud, or of a simulator.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <err.h>
#include <intune.h>
#include <stdio.h>
#include <stdlib.h>

int
main(void)
{
	struct intune_config c;
	struct intune_client *intune;
	struct intune_error e;
	uint8_t csr[65536];
	size_t len = fread(csr, 1, sizeof(csr), stdin);

	intune_config_init(&c);
	c.aad_app_id = getenv("APP_ID");
	c.aad_app_key = getenv("APP_KEY");
	c.tenant = getenv("TENANT");
	c.provider_name_and_version = "Example CA 1.0";
	c.auth_authority = getenv("AUTHORITY");
	c.ms_graph_resource_url = getenv("GRAPH");
	c.proxy_host = getenv("PROXY_HOST");
	c.proxy_port = getenv("PROXY_PORT");
	c.proxy_user = getenv("PROXY_USER");
	c.proxy_pass = getenv("PROXY_PASS");
	c.ca_file = getenv("CA_FILE");
	if (intune_client_new(&intune, &c, &e) != INTUNE_OK)
		errx(78, "%s", e.message);
	if (intune_validate_request(intune, "example", csr, len, &e) != INTUNE_OK)
		errx(1, "%s %s", e.message, e.hint);
	puts("Intune vouches for this request");
	intune_client_free(intune);
	return 0;
}
