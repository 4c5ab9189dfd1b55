/*
 * kit.c - a peer with a client on it, and the three calls.
 */
#include "kit.h"

const uint8_t csr[CSR_LEN] = { 0x30, 0x03, 0x02, 0x01, 0x05, 0xfb, 0xff };

int
kit_setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->peer = peer_start();
	f->client = peer_client(f->peer);
	*state = f;
	return 0;
}

int
kit_teardown(void **state)
{
	struct fixture *f = *state;

	intune_client_free(f->client);
	peer_stop(f->peer);
	free(f);
	return 0;
}

enum intune_status
validate(struct fixture *f)
{
	return intune_validate_request(f->client, "tx-1", csr, CSR_LEN, &f->e);
}

enum intune_status
notify_success(struct fixture *f)
{
	const struct intune_success s = {
		.transaction_id = "tx-1",
		.csr = csr,
		.csr_len = CSR_LEN,
		.thumbprint = "AA",
		.serial = "01",
		.expiration = "2027-11-21T06:20:57.000Z",
		.issuer = "CN=Issuing",
	};

	return intune_send_success_notification(f->client, &s, &f->e);
}

enum intune_status
notify_failure(struct fixture *f)
{
	return intune_send_failure_notification(
	    f->client, "tx-1", csr, CSR_LEN, 5, "signer down", &f->e);
}

void
expect_line(const char *raw, const char *name, const char *want)
{
	const char *got = raw_header(raw, name);

	if (got == NULL || strcmp(got, want) != 0)
		give_up("%s: %s, want %s\n", name, got != NULL ? got : "(absent)", want);
}

void
expect_start(const char *raw, const char *line)
{
	if (strncmp(raw, line, strlen(line)) != 0)
		give_up("%.120s\nwant %s\n", raw, line);
}
