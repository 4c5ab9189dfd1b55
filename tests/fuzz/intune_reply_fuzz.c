/*
 * intune_reply_fuzz.c - any bytes at the doors for what Entra, Graph and Intune answer.  The first
 * byte picks the door: '0' the first of the list at the end.
 *
 * What must hold: a success has the exact code in it; a token cannot break a header line; an
 * address is one the client would connect to; every text is a terminated line.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "intune/reply.h"
#include "intune/url.h"
#include "intune/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool ok)
{
	if (!ok)
		abort();
}

static void
must_be_line(const char *s, size_t size)
{
	must(memchr(s, '\0', size) != NULL && strpbrk(s, "\r\n\t\x1b") == NULL);
}

static void
door_token(const uint8_t *p, size_t len)
{
	struct token_reply r;
	const char *c;

	if (reply_token(&r, p, len, NULL) != RC_OK) {
		must(r.access_token == NULL);
		return;
	}
	must(r.expires_in >= 1 && r.access_token[0] != '\0');
	for (c = r.access_token; *c != '\0'; c++)
		must(*c > 0x20 && *c < 0x7f);
	wipe_free(r.access_token, strlen(r.access_token));
}

static void
door_entra_error(const uint8_t *p, size_t len)
{
	struct entra_error r;

	if (reply_entra_error(&r, p, len, NULL) != RC_OK)
		return;
	must_be_line(r.error, sizeof(r.error));
	must_be_line(r.description, sizeof(r.description));
	must_be_line(r.trace_id, sizeof(r.trace_id));
	must(r.aadsts >= 0);
}

static void
door_discovery(const uint8_t *p, size_t len)
{
	struct discovery_page r;

	unsigned i;

	if (reply_discovery(&r, p, len, NULL) == RC_OK) {
		for (i = 0; i < SERVICE__MAX; i++)
			must(r.uri[i] == NULL || url_is_base(r.uri[i]));
		must_be_line(r.names, sizeof(r.names));
	}
	discovery_page_done(&r);
}

static void
door_action(const uint8_t *p, size_t len)
{
	struct action_reply r;
	enum rc rc = reply_action(&r, p, len, NULL);

	must_be_line(r.code_text, sizeof(r.code_text));
	must_be_line(r.description, sizeof(r.description));
	must((rc == RC_OK && strcmp(r.code_text, "Success") == 0) == r.success);
}

static void
door_odata_error(const uint8_t *p, size_t len)
{
	struct odata_error r;

	if (reply_odata_error(&r, p, len, NULL) != RC_OK)
		return;
	must_be_line(r.code, sizeof(r.code));
	must_be_line(r.message, sizeof(r.message));
	must_be_line(r.request_id, sizeof(r.request_id));
}

static void
door_revocation_list(const uint8_t *p, size_t len)
{
	const struct intune_revocation_request *r;
	struct intune_revocation_list *l;
	size_t i;

	if (reply_revocation_list(&l, p, len, NULL) != RC_OK)
		return;
	must(intune_revocation_list_count(l) <= INTUNE_REVOCATION_MAX);
	for (i = 0; i < intune_revocation_list_count(l); i++) {
		r = intune_revocation_list_get(l, i);
		must(r->request_context[0] != '\0' && strlen(r->request_context) <= CONTEXT_MAX);
		must(r->serial_number[0] != '\0');
		must(r->issuer_name == NULL || strlen(r->issuer_name) < len);
		must(r->ca_configuration == NULL || strlen(r->ca_configuration) < len);
	}
	intune_revocation_list_free(l);
}

static void
door_upload(const uint8_t *p, size_t len)
{
	bool taken = false;

	if (reply_upload(&taken, p, len, NULL) != RC_OK)
		must(!taken);
}

static void
door_roles(const uint8_t *p, size_t len)
{
	char roles[ROLES_TEXT];

	reply_token_roles(roles, (const char *)p, len);
	must_be_line(roles, sizeof(roles));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const doors[])(const uint8_t *, size_t) = { door_token, door_entra_error,
		door_discovery, door_action, door_odata_error, door_roles, door_revocation_list,
		door_upload };
	const size_t n = sizeof(doors) / sizeof(doors[0]);

	if (size > 0)
		doors[data[0] % n](data + 1, size - 1);
	return 0;
}
