/*
 * fleet_tenant.c - devices after the model of others.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "intunesim/document.h"
#include "intunesim/fleet.h"

/* YAML, as every tenant file is. */
const char fleet_tenant_text[] =
    "tenant: {id: 6f1c2b1e-6d0a-4c58-9a55-0b3a6f1d7c11, name: Contoso,\n"
    "  domain: [contoso.onmicrosoft.com, contoso.com]}\n"
    "apps:\n"
    "  - id: 2b9f0a6e-5a3d-4f0e-8b63-94f8f1d0a7c2\n"
    "    name: SCEP server\n"
    "    secrets: [{value: simulated-secret-of-the-scep-server}]\n"
    "    permissions: [scep_challenge_provider, Application.Read.All]\n"
    "users:\n"
    "  - {id: 0a1b2c3d-0001-4000-8000-000000000001, upn: jane.doe@contoso.com,\n"
    "     email: jane.doe@contoso.com, given_name: Jane, surname: Doe, name: Jane Doe}\n"
    "devices:\n"
    "  - {id: 3e8d5a10-1111-4a4a-9c9c-000000000101, name: windows-model, platform: windows,\n"
    "     user: jane.doe@contoso.com, entra_id: 9a7b6c5d-1111-4b4b-8d8d-000000000201,\n"
    "     serial: MODEL1}\n"
    "  - {id: 3e8d5a10-2222-4a4a-9c9c-000000000102, name: ios-model, platform: ios,\n"
    "     user: jane.doe@contoso.com, entra_id: 9a7b6c5d-2222-4b4b-8d8d-000000000202,\n"
    "     serial: MODEL2, imei: '356938035643809'}\n"
    "  - {id: 3e8d5a10-3333-4a4a-9c9c-000000000103, name: macos-model, platform: macos,\n"
    "     user: jane.doe@contoso.com, entra_id: 9a7b6c5d-3333-4b4b-8d8d-000000000203,\n"
    "     serial: MODEL3}\n"
    "  - {id: 3e8d5a10-4444-4a4a-9c9c-000000000104, name: android-model, platform: android,\n"
    "     enrollment: corporate_work_profile, user: jane.doe@contoso.com,\n"
    "     entra_id: 9a7b6c5d-4444-4b4b-8d8d-000000000204, serial: MODEL4,\n"
    "     imei: '358240051111110'}\n"
    "trusted_roots:\n"
    "  - {name: Windows, platform: windows, groups: [All devices]}\n"
    "  - {name: iOS, platform: ios, groups: [All devices]}\n"
    "  - {name: macOS, platform: macos, groups: [All devices]}\n"
    "  - {name: Android, platform: android, groups: [All devices]}\n"
    "scep_profiles:\n"
    "  - {name: Windows device certificate, platform: windows, certificate_type: device,\n"
    "     subject: 'CN={{AAD_Device_ID}}', san: [{type: dns, value: "
    "'{{DeviceName}}.contoso.com'}],\n"
    "     key_usage: [digitalSignature, keyEncipherment], eku: [clientAuth], root: Windows,\n"
    "     groups: [All devices]}\n"
    "  - {name: iOS user certificate, platform: ios, certificate_type: user,\n"
    "     subject: 'CN={{UserName}},E={{EmailAddress}}',\n"
    "     san: [{type: upn, value: '{{UserPrincipalName}}'},\n"
    "           {type: uri, value: 'IntuneDeviceId://{{DeviceId}}'}],\n"
    "     key_usage: [digitalSignature, keyEncipherment], eku: [clientAuth], root: iOS,\n"
    "     groups: [All devices]}\n"
    "  - {name: macOS device certificate, platform: macos, certificate_type: device,\n"
    "     subject: 'CN={{SerialNumber}},O=Contoso', key_usage: [digitalSignature],\n"
    "     eku: [clientAuth], root: macOS, groups: [All devices]}\n"
    "  - {name: Android device certificate, platform: android, certificate_type: device,\n"
    "     subject: 'CN={{SerialNumber}},OU={{AAD_Device_ID}}',\n"
    "     san: [{type: uri, value: 'IntuneDeviceId://{{DeviceId}}'}],\n"
    "     key_usage: [digitalSignature, keyEncipherment], eku: [clientAuth], root: Android,\n"
    "     groups: [All devices]}\n";

/*
 * What is of one device alone: its number with text around it.  A model without the value has
 * clones without.
 */
static const struct {
	const char *key, *before;
	int digits;
	const char *after;
} own_values[] = {
	{ "serial", "FLEET", 6, "" },
	{ "imei", "35693", 10, "" },
	{ "meid", "35693", 9, "" },
	{ "wifi_mac", "02F1EE", 6, "" },
	{ "fqdn", "fleet-", 4, ".corp.contoso.com" },
	{ "on_prem_sid", "S-1-5-21-2127521184-1604012920-1887927527-1", 6, "" },
};
/* GUIDs, each derived from what it is for and the name. */
static const char *const own_ids[] = { "id", "entra_id", "object_id" };
/* Not those of the model. */
static const char *const left_out[] = { "registered_keys", "last_sync" };

static enum rc
own_id(json_t *device, const char *key, const char *scope, const char *name, struct err *err)
{
	char text[GUID_TEXT_MAX], guid[GUID_TEXT_MAX];
	enum rc rc;

	if (json_get_str(device, key) == NULL)
		return RC_OK;
	/* Two steps, so that the ids of one device differ. */
	if ((rc = guid_derive(text, scope, key, err)) != RC_OK ||
	    (rc = guid_derive(guid, text, name, err)) != RC_OK)
		return rc;
	return json_object_set_new(device, key, json_string(guid)) == 0
	    ? RC_OK
	    : fail(err, RC_NOMEM, "out of memory");
}

static enum rc
make_own(json_t *device, size_t number, const struct tenant *t, struct err *err)
{
	char text[80];
	enum rc rc;

	(void)snprintf(text, sizeof(text), "fleet-%04zu", number);
	if (json_object_set_new(device, "name", json_string(text)) != 0)
		return fail(err, RC_NOMEM, "out of memory");
	for (size_t i = 0; i < sizeof(own_ids) / sizeof(own_ids[0]); i++) {
		if ((rc = own_id(device, own_ids[i], t->id, text, err)) != RC_OK)
			return rc;
	}
	for (size_t i = 0; i < sizeof(own_values) / sizeof(own_values[0]); i++) {
		if (json_get_str(device, own_values[i].key) == NULL)
			continue;
		(void)snprintf(text, sizeof(text), "%s%0*zu%s", own_values[i].before,
		    own_values[i].digits, number, own_values[i].after);
		if (json_object_set_new(device, own_values[i].key, json_string(text)) != 0)
			return fail(err, RC_NOMEM, "out of memory");
	}
	for (size_t i = 0; i < sizeof(left_out) / sizeof(left_out[0]); i++)
		(void)json_object_del(device, left_out[i]);
	return RC_OK;
}

/* Wherever the model is a member. */
static enum rc
join_groups(json_t *document, const char *model, const char *id, struct err *err)
{
	json_t *group, *members, *member;
	size_t i, j, n;

	json_array_foreach(json_object_get(document, "groups"), i, group)
	{
		members = json_object_get(group, "devices");
		n = json_array_size(members);
		for (j = 0; j < n; j++) {
			member = json_array_get(members, j);
			if (strcmp(json_string_value(member), model) != 0)
				continue;
			if (json_array_append_new(members, json_string(id)) != 0)
				return fail(err, RC_NOMEM, "out of memory");
			break;
		}
	}
	return RC_OK;
}

static enum rc
add_devices(json_t *document, struct fleet_ids *ids, const struct tenant *base, struct err *err)
{
	json_t *list = json_object_get(document, "devices"), *model, *device;
	size_t models = json_array_size(list);
	enum rc rc;

	if (models == 0)
		return fail(err, RC_CONFIG,
		    "tenant %s has no devices that others could be made like",
		    tenant_domain0(base));
	for (size_t i = 0; i < ids->n; i++) {
		model = json_array_get(list, i % models);
		device = json_deep_copy(model);
		if (device == NULL || json_array_append_new(list, device) != 0)
			return fail(err, RC_NOMEM, "out of memory");
		if ((rc = make_own(device, i + 1, base, err)) != RC_OK ||
		    (rc = join_groups(document, json_get_str(model, "id"),
			 json_get_str(device, "id"), err)) != RC_OK)
			return rc;
		(void)snprintf(ids->v[i], sizeof(ids->v[i]), "%s", json_get_str(device, "id"));
	}
	return RC_OK;
}

enum rc
fleet_make(struct tenant **out, struct fleet_ids *ids, const struct tenant *base, size_t n,
    struct err *err)
{
	struct fleet_ids made = { .v = calloc(n, sizeof(*made.v)), .n = n };
	json_t *document = document_make(base, false);
	struct buf text;
	enum rc rc;

	buf_init(&text, LIMIT_CONFIG);
	if (document == NULL || made.v == NULL)
		rc = fail(err, RC_NOMEM, "out of memory");
	else if ((rc = add_devices(document, &made, base, err)) == RC_OK &&
	    (rc = document_text(&text, document, err)) == RC_OK)
		rc = tenant_renew(out, base, "the fleet's tenant", text.data, text.len, err);
	buf_wipe(&text); /* secrets of apps */
	json_decref(document);
	if (rc == RC_OK)
		*ids = made;
	else
		free(made.v);
	return rc;
}
