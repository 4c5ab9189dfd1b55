/*
 * graph_certificate.c - the certificates that CAs have reported, with what became of their
 * revocation: deviceConfigurationsAllManagedDeviceCertificateStates of the beta API.
 */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "intunesim/graph.h"
#include "intunesim/revocations.h"
#include "intunesim/services.h"

#define PAGE_CERTIFICATES 1000u

static const char *const roles[] = { "DeviceManagementConfiguration.Read.All", NULL };

/* A moment's copy of one tenant's certificates, in the order of their issuing. */
struct certificates {
	struct certificate *rows;
	size_t n;
};

static bool
is_queued(const struct call *c, const struct certificate *cert, struct revocation *r)
{
	return revocations_find(c->sim->revocations, c->tenant->id, cert->thumbprint, r);
}

/* certificateRevocationStatus: none, pending, issued, failed, revoked. */
static json_t *
revoke_status(const struct call *c, const void *item, size_t arg)
{
	struct revocation r;

	if (!is_queued(c, item, &r))
		return json_string("none");
	if (r.status == REVOCATION_PENDING)
		return json_string(r.downloads > 0 ? "issued" : "pending");
	return json_string(r.status == REVOCATION_REVOKED ? "revoked" : "failed");
}

static json_t *
revoke_changed(const struct call *c, const void *item, size_t arg)
{
	struct revocation r;

	if (!is_queued(c, item, &r))
		return json_null();
	return json_time_or_null(r.changed != 0 ? r.changed : r.queued);
}

static json_t *
string_at(const struct call *c, const void *item, size_t arg)
{
	return json_text_or_null((const char *)item + arg);
}

static json_t *
issued_at(const struct call *c, const void *item, size_t arg)
{
	const struct certificate *cert = item;

	return json_time_or_null(cert->issued);
}

#define STRING(n, f)                                                                               \
	{                                                                                          \
		n, string_at, offsetof(struct certificate, f), 0                                   \
	}
static const struct graph_member members[] = {
	STRING("id", thumbprint),
	{ "certificateRevokeStatus", revoke_status, 0, 0 },
	{ "certificateRevokeStatusLastChangeDateTime", revoke_changed, 0, 0 },
	STRING("managedDeviceDisplayName", of.device),
	STRING("userPrincipalName", of.user),
	STRING("certificateExpirationDateTime", expires),
	STRING("certificateIssuerName", issuer),
	STRING("certificateThumbprint", thumbprint),
	STRING("certificateSerialNumber", serial),
	STRING("certificateSubjectName", subject),
	{ "certificateIssuanceDateTime", issued_at, 0, 0 },
};

static size_t
count(const void *source)
{
	const struct certificates *list = source;

	return list->n;
}

static const void *
item(const void *source, size_t i)
{
	const struct certificates *list = source;

	return &list->rows[i];
}

static const struct graph_type states = {
	"microsoft.graph.managedAllDeviceCertificateState",
	"deviceManagement/deviceConfigurationsAllManagedDeviceCertificateStates",
	members,
	sizeof(members) / sizeof(members[0]),
	roles,
	PAGE_CERTIFICATES,
	count,
	item,
	NULL,
};

static void
keep_tenant(struct certificates *list, const char *tenant_id)
{
	size_t kept = 0;

	for (size_t i = 0; i < list->n; i++) {
		if (strcmp(list->rows[i].of.tenant_id, tenant_id) == 0)
			list->rows[kept++] = list->rows[i];
	}
	list->n = kept;
}

void
graph_certificate_list(struct call *c)
{
	struct certificates list;
	struct err err;

	if (!graph_admit(c, roles))
		return;
	if (state_certificates(c->sim->state, &list.rows, &list.n, &err) != RC_OK) {
		call_broken(c, &err);
		return;
	}
	keep_tenant(&list, c->tenant->id);
	graph_page(c, &states, &list);
	free(list.rows);
}
