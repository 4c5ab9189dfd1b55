/*
 * validate-and-notify - ask Intune about a device's request; tell Intune what became of it.
 *
 *	cc validate-and-notify.c $(pkg-config --cflags --libs libintune) -o validate-and-notify
 *	validate-and-notify intune.properties request.der [thumbprint serial expiry issuer]
 *
 * intune.properties holds Microsoft's names, one NAME=VALUE a line: AAD_APP_ID, AAD_APP_KEY, TENANT,
 * PROVIDER_NAME_AND_VERSION, and PROXY_HOST, PROXY_PORT, PROXY_USER, PROXY_PASS behind a proxy.
 * CA_FILE in the environment: trust anchors (PEM) in the place of the system's.  request.der is the
 * PKCS#10 request as the device sent it, challenge included.
 *
 * The four words say what was issued: SHA-1 in hex, serial number in hex, "2027-11-21T06:20:57.000Z",
 * the issuer's name.  Without them nothing was, and Intune is told that.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <err.h>
#include <intune.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TRANSACTION "example-1"  /* the transactionID of the device's SCEP message */
#define E_NOTIMPL   0x80004001ll /* a Win32 code: Intune shows it to the administrator */

static char lines[64][1024]; /* the configuration points into these */

static void
read_properties(struct intune_config *c, const char *path)
{
	FILE *f = fopen(path, "r");
	struct intune_error e;
	char *value;

	if (f == NULL)
		err(66, "%s", path);
	for (size_t i = 0; i < 64 && fgets(lines[i], sizeof(lines[i]), f) != NULL; i++) {
		lines[i][strcspn(lines[i], "\r\n")] = '\0';
		if (lines[i][0] == '#' || (value = strchr(lines[i], '=')) == NULL)
			continue;
		*value++ = '\0';
		if (intune_config_set(c, lines[i], value, &e) != INTUNE_OK)
			errx(78, "%s: %s", path, e.message);
	}
	fclose(f);
}

static size_t
read_request(uint8_t *csr, size_t max, const char *path)
{
	FILE *f = fopen(path, "rb");
	size_t len;

	if (f == NULL)
		err(66, "%s", path);
	len = fread(csr, 1, max, f);
	fclose(f);
	return len;
}

/* Only after this has returned INTUNE_OK may the certificate leave the house. */
static enum intune_status
tell_issued(struct intune_client *intune, const uint8_t *csr, size_t len, char **words,
    struct intune_error *e)
{
	struct intune_success s = {
		.transaction_id = TRANSACTION,
		.csr = csr,
		.csr_len = len,
		.thumbprint = words[0],
		.serial = words[1],
		.expiration = words[2],
		.issuer = words[3],
	};

	return intune_send_success_notification(intune, &s, e);
}

static void
must(enum intune_status st, const struct intune_error *e, const char *done)
{
	if (st != INTUNE_OK)
		errx(st == INTUNE_E_ARGUMENT ? 78 : 1, "%s%s%s", e->message,
		    e->hint[0] != '\0' ? "; hint: " : "", e->hint);
	printf("%s (%u ms, activity %s)\n", done, e->elapsed_ms, e->activity_id);
}

int
main(int argc, char **argv)
{
	static uint8_t csr[65536];
	struct intune_client *intune;
	struct intune_config c;
	struct intune_error e;
	size_t len;

	if (argc != 3 && argc != 7)
		errx(64,
		    "usage: validate-and-notify intune.properties request.der "
		    "[thumbprint serial expiry issuer]");
	intune_config_init(&c);
	read_properties(&c, argv[1]);
	len = read_request(csr, sizeof(csr), argv[2]);
	c.ca_file = getenv("CA_FILE");
	if (intune_client_new(&intune, &c, &e) != INTUNE_OK)
		errx(78, "%s", e.message);
	must(intune_validate_request(intune, TRANSACTION, csr, len, &e), &e,
	    "Intune vouches for the request");
	if (argc == 7)
		must(tell_issued(intune, csr, len, argv + 3, &e), &e,
		    "Intune knows the certificate: the device may have it");
	else
		must(intune_send_failure_notification(intune, TRANSACTION, csr, len, E_NOTIMPL,
			 "this is an example, not a CA", &e),
		    &e, "Intune knows that nothing was issued");
	intune_client_free(intune);
	return 0;
}
